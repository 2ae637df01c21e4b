//! Who may speak: site, origin, session token, input, rate. The only module that can build [`Admitted`]
//! and [`Question`], which every later stage demands: a route that forgets the guard does not compile.

pub mod directory;
pub mod identity;
pub mod input;
pub mod limit;
pub mod origin;
pub mod token;

use bulle_protocol::{
    Id,
    conversation::SendMessage,
    event::Remaining,
    problem::{Code, Problem},
    session::SessionRequest,
};
use serde::{Deserialize, Serialize};

use crate::{
    ports::{Clock, Entropy, Kv, Owner, Tenants},
    settings::Site,
    strings,
};
use token::{Claims, Secret};

/// A caller that passed the guard: a visitor of a known site, calling from an allowed origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    site: Site,
    visitor_id: Id,
    locale: String,
}

impl Admitted {
    /// The site and its bot.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The visitor.
    pub fn visitor_id(&self) -> Id {
        self.visitor_id
    }

    /// The served locale of the visitor.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// Whose conversations the visitor may see.
    pub fn owner(&self) -> Owner {
        Owner {
            tenant_id: self.site.tenant_id.clone(),
            bot_id: self.site.bot_id.clone(),
            visitor_id: self.visitor_id,
        }
    }
}

/// A message that passed the guard. It travels as JSON from the Worker to the Durable Object of the same
/// deployment, the one place where a `Question` is made from anything but the guard's own work; the object
/// cannot be reached from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    site: Site,
    visitor_id: Id,
    locale: String,
    id: Id,
    text: String,
    retry: bool,
    remaining: Remaining,
}

impl Question {
    /// The site and its bot.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The visitor.
    pub fn visitor_id(&self) -> Id {
        self.visitor_id
    }

    /// The served locale of the visitor.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// The message's id, made by the client.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The cleaned text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a failed turn may be tried again.
    pub fn retry(&self) -> bool {
        self.retry
    }

    /// What is left of the visitor's limits after this message.
    pub fn remaining(&self) -> Remaining {
        self.remaining
    }

    /// Whose conversation this must be.
    pub fn owner(&self) -> Owner {
        Owner {
            tenant_id: self.site.tenant_id.clone(),
            bot_id: self.site.bot_id.clone(),
            visitor_id: self.visitor_id,
        }
    }
}

/// A session that the guard opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The visitor of the session.
    pub admitted: Admitted,
    /// The signed token.
    pub token: String,
    /// Unix milliseconds.
    pub expires_at: u64,
    /// True when the visitor was known before.
    pub resumed: bool,
}

/// Opens a session: site, then origin, then either a known visitor or a new one.
///
/// # Errors
/// `unknown_site`, `origin_not_allowed`, `storage_unavailable`.
pub async fn open_session<P: Tenants + Kv + Clock + Entropy>(
    ports: &P,
    secret: &Secret,
    origin: Option<&str>,
    request: &SessionRequest,
) -> Result<Opened, Problem> {
    let site = directory::site(ports, &request.site).await?;
    origin::check(&site, Some(origin.unwrap_or_default()))?;
    let now = ports.now_ms();
    // A token that cannot be resumed starts a new visitor: losing a history is better than refusing to talk.
    let known = request
        .resume
        .as_deref()
        .and_then(|token| token::verify_for_resume(secret, token, now).ok())
        .filter(|claims| claims.site == site.key);
    let resumed = known.is_some();
    let visitor_id = known.map_or_else(|| Id::from_parts(now, ports.random()), |claims| claims.sub);
    let wish = request.locale.as_deref().unwrap_or_default();
    let locale = strings::negotiate(&[wish, &site.bot.locale]).to_owned();
    let claims = Claims::new(visitor_id, &site.key, &locale, now);
    Ok(Opened {
        token: token::sign(secret, &claims),
        expires_at: claims.exp * 1_000,
        resumed,
        admitted: Admitted {
            site,
            visitor_id,
            locale,
        },
    })
}

/// Admits a call that carries a session token: token, then site, then origin.
///
/// # Errors
/// `token_missing`, `token_invalid`, `token_expired`, `origin_not_allowed`, `storage_unavailable`.
pub async fn admit<P: Tenants + Kv + Clock>(
    ports: &P,
    secret: &Secret,
    origin: Option<&str>,
    authorization: Option<&str>,
) -> Result<Admitted, Problem> {
    let claims = token::verify(secret, authorization, ports.now_ms())?;
    let site = match directory::site(ports, &claims.site).await {
        Ok(site) => site,
        // The site was removed after the token was signed.
        Err(problem) if problem.code == Code::UnknownSite => {
            return Err(Problem::new(
                Code::TokenInvalid,
                "Open a session again: this one is no longer valid.",
            ));
        }
        Err(problem) => return Err(problem),
    };
    origin::check(&site, origin)?;
    Ok(Admitted {
        site,
        visitor_id: claims.sub,
        locale: claims.locale,
    })
}

/// Admits a visitor's message: input, then rate.
///
/// # Errors
/// `message_empty`, `message_too_long`, `rate_limited`.
pub async fn admit_message<P: Kv + Clock>(
    ports: &P,
    admitted: Admitted,
    message: SendMessage,
) -> Result<Question, Problem> {
    let text = input::clean(&message.text)?;
    let minute = limit::admit(ports, &admitted, message.id, message.retry).await?;
    Ok(Question {
        site: admitted.site,
        visitor_id: admitted.visitor_id,
        locale: admitted.locale,
        id: message.id,
        text,
        retry: message.retry,
        remaining: Remaining {
            minute: Some(minute),
            day: None,
        },
    })
}

#[cfg(test)]
mod tests;
