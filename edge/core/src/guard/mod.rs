//! Who may speak, how often: site, origin, identity, session token, input, limits. The only module that can build
//! [`Admitted`] and [`Question`], which every later stage demands: a route that forgets the guard does not compile.

pub mod address;
pub mod attempts;
pub mod directory;
pub mod identity;
pub mod input;
pub mod limit;
pub mod nearby;
pub mod origin;
pub mod token;

use bulle_protocol::{
    Id,
    conversation::SendMessage,
    event::{Action, Remaining},
    problem::{Code, Limit, Problem},
    session::SessionRequest,
};
use serde::{Deserialize, Serialize};

use crate::{
    ports::{Challenges, Clock, Entropy, Kv, Memory, Meters, Owner, Tenants, Visitors},
    settings::{Site, Tier},
    strings,
};
use address::Address;
use identity::Identity;
use token::{Claims, Secret};

/// Address of Turnstile's script, for bots that ask for it.
const TURNSTILE: &str = "https://challenges.cloudflare.com/turnstile/v0/api.js";

/// Everything that the guard needs of the platform.
pub trait Platform:
    Tenants + Kv + Memory + Clock + Entropy + Meters + Visitors + Challenges
{
}
impl<P: Tenants + Kv + Memory + Clock + Entropy + Meters + Visitors + Challenges> Platform for P {}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// The network address, hashed.
    pub address: &'a Address,
}

/// A caller that passed the guard: a visitor of a known site, calling from an allowed origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    site: Site,
    visitor_id: Id,
    locale: String,
    tier: String,
    known: bool,
    address: Address,
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

    /// Name of the visitor's tier.
    pub fn tier_name(&self) -> &str {
        &self.tier
    }

    /// The limits of the visitor's tier; those of anonymous visitors when the owner has removed it meanwhile.
    pub fn tier(&self) -> Option<&Tier> {
        tier(&self.site, &self.tier)
    }

    /// Where the visitor can get more.
    fn upgrade(&self) -> Option<Action> {
        let upgrade = self.tier()?.upgrade.as_ref()?;
        Some(Action {
            label: upgrade
                .label
                .get(&self.locale, &self.site.bot.locale)?
                .clone(),
            url: upgrade.url.clone(),
        })
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

fn tier<'s>(site: &'s Site, name: &str) -> Option<&'s Tier> {
    let limits = &site.bot.limits;
    limits
        .tier(name)
        .or_else(|| limits.tier(&limits.anonymous_tier))
}

/// A message that passed the guard. It travels as JSON from the Worker to the Durable Object of the same
/// deployment, the one place where a `Question` is made from anything but the guard's own work; the object
/// cannot be reached from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    site: Site,
    visitor_id: Id,
    locale: String,
    tier: String,
    id: Id,
    ticket: Id,
    text: String,
    retry: bool,
    limits: Vec<Limit>,
    remaining: Remaining,
    metered: bool,
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

    /// What is left of the visitor's own limits after this message.
    pub fn remaining(&self) -> Remaining {
        self.remaining
    }

    /// How every limit stands that applies to this message.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Earlier exchanges that the model may be given; `None` for as many as fit.
    pub fn memory(&self) -> Option<u32> {
        tier(&self.site, &self.tier)?.memory
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
    /// What the site's server calls the visitor; may be empty.
    pub name: String,
}

/// Opens a session: site, then origin, then who the visitor is.
///
/// # Errors
/// `unknown_site`, `paused`, `origin_not_allowed`, `identity_*`, `challenge_*`, `rate_limited`, `storage_unavailable`;
/// with a `message` in the visitor's language.
pub async fn open_session<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    request: &SessionRequest,
) -> Result<Opened, Problem> {
    let wish = request.locale.as_deref().unwrap_or_default();
    let site = match directory::site(ports, &request.site).await {
        Ok(site) => site,
        Err(problem) => return Err(strings::explain(problem, None, strings::negotiate(&[wish]))),
    };
    let locale = strings::negotiate(&[wish, &site.bot.locale]);
    let opened = open(ports, secret, caller, request, &site, locale).await;
    opened.map_err(|problem| strings::explain(problem, Some(&site.bot), locale))
}

async fn open<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    request: &SessionRequest,
    site: &Site,
    locale: &str,
) -> Result<Opened, Problem> {
    origin::check(site, Some(caller.origin.unwrap_or_default()))?;
    check_active(site)?;
    let now = ports.now_ms();
    // A token that cannot be resumed starts a new visitor: losing a history is better than refusing to talk. Nobody
    // resumes a known visitor: only the site's server can say that they are still signed in.
    let earlier = request
        .resume
        .as_deref()
        .and_then(|token| token::verify_for_resume(secret, token, now).ok())
        .filter(|claims| claims.site == site.key && !claims.known);
    let fresh = Id::from_parts(now, ports.random());
    let limits = &site.bot.limits;
    let who = match &request.identity {
        Some(token) => {
            let identity = vouched(ports, secret, caller, site, token).await?;
            let id = ports.known(&site.tenant_id, &identity, fresh, now).await;
            let id = id.map_err(|_| {
                let detail = "Known visitors cannot be looked up now. Try again in a few seconds.";
                Problem::new(Code::StorageUnavailable, detail).retry_after(5)
            })?;
            Who {
                id,
                resumed: id != fresh,
                known: true,
                tier: identity.tier,
                name: identity.name,
            }
        }
        None if site.bot.access.identified_only => {
            return Err(Problem::new(
                Code::IdentityRequired,
                "This bot speaks only to visitors with an `identity`: sign one on your server (docs/identity.md).",
            ));
        }
        None => {
            if earlier.is_none() {
                let new = limit::Beginning::Session;
                limit::admit_beginning(ports, site, caller.address, new, fresh).await?;
                challenge(ports, caller, site, request.challenge.as_deref()).await?;
            }
            Who {
                id: earlier.as_ref().map_or(fresh, |claims| claims.sub),
                resumed: earlier.is_some(),
                known: false,
                tier: limits.anonymous_tier.clone(),
                name: String::new(),
            }
        }
    };
    let claims = Claims {
        sub: who.id,
        site: site.key.clone(),
        locale: locale.to_owned(),
        origin: caller.origin.unwrap_or_default().to_owned(),
        tier: who.tier.clone(),
        known: who.known,
        iat: 0,
        exp: 0,
    };
    let claims = claims.starting(now);
    Ok(Opened {
        token: token::sign(secret, &claims),
        expires_at: claims.exp * 1_000,
        resumed: who.resumed,
        name: who.name,
        admitted: Admitted {
            site: site.clone(),
            visitor_id: who.id,
            locale: locale.to_owned(),
            tier: who.tier,
            known: who.known,
            address: caller.address.clone(),
        },
    })
}

/// Who opens a session.
struct Who {
    id: Id,
    resumed: bool,
    known: bool,
    tier: String,
    name: String,
}

/// The identity that the site's server vouches for.
async fn vouched<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    site: &Site,
    token: &str,
) -> Result<Identity, Problem> {
    attempts::check(ports, caller.address)?;
    match identity::verify(secret, site, token, ports.now_ms()) {
        Err(problem) if problem.code == Code::IdentityInvalid => {
            Err(attempts::failed(ports, caller.address, problem).await)
        }
        other => other,
    }
}

/// Asks a new anonymous visitor to pass Turnstile, where the bot wants it.
async fn challenge<P: Platform>(
    ports: &P,
    caller: Caller<'_>,
    site: &Site,
    token: Option<&str>,
) -> Result<(), Problem> {
    let Some(site_key) = &site.bot.access.turnstile else {
        return Ok(());
    };
    let asked = |code, detail: &str| {
        let mut problem = Problem::new(code, detail);
        problem.action = Some(Action {
            label: site_key.clone(),
            url: TURNSTILE.to_owned(),
        });
        problem
    };
    let Some(token) = token else {
        return Err(asked(
            Code::ChallengeRequired,
            "This bot wants new visitors to pass Turnstile: run the widget with the site key in `action.label` and \
             send its token as `challenge`.",
        ));
    };
    attempts::check(ports, caller.address)?;
    match ports.passed(token).await {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => {
            let problem = asked(
                Code::ChallengeFailed,
                "Turnstile did not accept the token. Run the widget again.",
            );
            Err(attempts::failed(ports, caller.address, problem).await)
        }
        Ok(None) => Err(Problem::new(
            Code::Misconfigured,
            "The bot asks for Turnstile, and the deployment lacks the secret TURNSTILE_SECRET.",
        )),
        // Whoever relies on a challenge wants a closed door rather than an open one.
        Err(_) => Err(asked(
            Code::ChallengeFailed,
            "Turnstile cannot be asked now. Try again in a few seconds.",
        )),
    }
}

/// Refuses what the owner has paused.
///
/// # Errors
/// `paused`.
pub fn check_active(site: &Site) -> Result<(), Problem> {
    if site.active {
        return Ok(());
    }
    Err(Problem::new(
        Code::Paused,
        "The owner has paused this site, its bot or its tenant. Set its `status` to \"active\" to open it again.",
    ))
}

/// Admits a call that carries a session token: token, then site, then origin.
///
/// # Errors
/// `token_missing`, `token_invalid`, `token_expired`, `paused`, `origin_not_allowed`, `rate_limited`,
/// `storage_unavailable`.
pub async fn admit<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    authorization: Option<&str>,
) -> Result<Admitted, Problem> {
    let claims = match token::verify(secret, authorization, ports.now_ms()) {
        Err(problem) if problem.code == Code::TokenInvalid => {
            return Err(attempts::failed(ports, caller.address, problem).await);
        }
        other => other?,
    };
    let outdated = || {
        Problem::new(
            Code::TokenInvalid,
            "Open a session again: this one is no longer valid.",
        )
    };
    let site = match directory::site(ports, &claims.site).await {
        Ok(site) => site,
        // The site was removed after the token was signed.
        Err(problem) if problem.code == Code::UnknownSite => return Err(outdated()),
        Err(problem) => return Err(problem),
    };
    let explain = |problem| strings::explain(problem, Some(&site.bot), &claims.locale);
    origin::check(&site, caller.origin).map_err(explain)?;
    // A token belongs to the page that asked for it. Browsers send no origin with a page's requests to itself.
    if caller.origin.is_some_and(|origin| origin != claims.origin) {
        return Err(outdated());
    }
    check_active(&site).map_err(explain)?;
    if site.bot.access.identified_only && !claims.known {
        return Err(outdated());
    }
    Ok(Admitted {
        site,
        visitor_id: claims.sub,
        locale: claims.locale,
        tier: claims.tier,
        known: claims.known,
        address: caller.address.clone(),
    })
}

/// Admits a new conversation of a visitor, with this id.
///
/// # Errors
/// `rate_limited`.
pub async fn admit_conversation<P: Platform>(
    ports: &P,
    admitted: &Admitted,
    id: Id,
) -> Result<(), Problem> {
    let Admitted { site, address, .. } = admitted;
    let new = limit::Beginning::Conversation;
    let counted = limit::admit_beginning(ports, site, address, new, id).await;
    counted.map_err(|problem| strings::explain(problem, Some(&site.bot), &admitted.locale))
}

/// Admits a visitor's message in a conversation: input, then limits.
///
/// # Errors
/// `message_empty`, `message_too_long`, `rate_limited`, `quota_exceeded`, `storage_unavailable`.
pub async fn admit_message<P: Platform>(
    ports: &P,
    admitted: Admitted,
    conversation: Id,
    message: SendMessage,
) -> Result<Question, Problem> {
    let text = input::clean(&message.text)?;
    let ticket = limit::ticket(conversation, message.id);
    let counted = limit::admit(ports, &admitted, ticket, message.retry).await?;
    Ok(Question {
        site: admitted.site,
        visitor_id: admitted.visitor_id,
        locale: admitted.locale,
        tier: admitted.tier,
        id: message.id,
        ticket,
        text,
        retry: message.retry,
        remaining: counted.remaining(),
        limits: counted.limits,
        metered: counted.metered,
    })
}

#[cfg(test)]
mod tests;
