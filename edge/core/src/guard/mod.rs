//! The guard: who may send messages, and how often. It checks site, origin, identity, session token, input and limits.
//! It is the only module that can build [`Admitted`] and [`Question`], which every later stage takes as an argument: a
//! route that forgets the guard does not compile.

pub mod address;
pub mod attempts;
pub mod completion;
pub mod directory;
pub mod identity;
pub mod input;
mod jwt;
pub mod limit;
pub mod local_limiter;
pub mod origin;
mod session;
pub mod token;
pub mod visitor;

pub use session::{Opened, open_session};

use bulle_protocol::{
    Id,
    conversation::SendMessage,
    event::Remaining,
    problem::{Action, Code, Limit, Problem},
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::Secret;
use crate::{
    model::{Material, Owner, Site},
    ports::{
        Challenges, Clock, Entropy, IsolateCache, Kv, Meters, Profiles, Tenants, Visitors, Zones,
    },
    settings::Tier,
    strings,
};
use address::Address;

/// Everything that the guard needs of the platform.
pub trait Platform:
    Tenants + Kv + IsolateCache + Clock + Zones + Entropy + Meters + Visitors + Profiles + Challenges
{
}
impl<P> Platform for P where
    P: Tenants
        + Kv
        + IsolateCache
        + Clock
        + Zones
        + Entropy
        + Meters
        + Visitors
        + Profiles
        + Challenges
{
}

/// The origin and the network address of a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// True when that is the edge's own origin, for the hosted page.
    pub is_own: bool,
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

    /// The owner's link for visitors who want more.
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

    /// The owner of the conversations that the visitor may see.
    pub fn owner(&self) -> Owner {
        Owner {
            tenant_id: self.site.tenant_id.clone(),
            bot_id: self.site.bot_id.clone(),
            bot_since: self.site.bot_since,
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

/// A message that passed the guard. It travels as JSON from the Worker to the Durable Object of the conversation, and
/// [`sent_question`] is the only way to read it: code that could read a `Question` from any JSON could forge one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Question(Checked);

/// The fields of the message; private, so that only the guard can build them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Checked {
    site: Site,
    visitor_id: Id,
    locale: String,
    memory: Option<u32>,
    #[serde(default)]
    instructions: Option<String>,
    id: Id,
    #[serde(rename = "ticket")]
    dedup_key: Id,
    text: String,
    #[serde(default)]
    attachments: Vec<Material>,
    retry: bool,
    limits: Vec<Limit>,
    remaining: Remaining,
    metered: bool,
}

/// Reads the question that the Worker has sent to the Durable Object, which cannot be reached from outside. Only for
/// `#[serde(deserialize_with)]` of the object's command; `xtask/tests/tidy/guard.rs` checks that.
///
/// # Errors
/// The JSON is not a question.
pub fn sent_question<'de, D: Deserializer<'de>>(sent: D) -> Result<Box<Question>, D::Error> {
    Checked::deserialize(sent).map(|checked| Box::new(Question(checked)))
}

impl Question {
    /// The site and its bot.
    pub fn site(&self) -> &Site {
        &self.0.site
    }

    /// The visitor.
    pub fn visitor_id(&self) -> Id {
        self.0.visitor_id
    }

    /// The served locale of the visitor.
    pub fn locale(&self) -> &str {
        &self.0.locale
    }

    /// The message's id, made by the client.
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// The cleaned text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The files of the message, and those of earlier ones.
    pub fn attachments(&self) -> &[Material] {
        &self.0.attachments
    }

    /// Whether this is a retry of a failed turn.
    pub fn retry(&self) -> bool {
        self.0.retry
    }

    /// What is left of the visitor's own limits after this message.
    pub fn remaining(&self) -> Remaining {
        self.0.remaining
    }

    /// The state of every limit that applies to this message.
    pub fn limits(&self) -> &[Limit] {
        &self.0.limits
    }

    /// How many earlier exchanges the model may be given; `None` for as many as fit.
    pub fn memory(&self) -> Option<u32> {
        self.0.memory
    }

    /// The instructions of the owner's server, beside those of the bot. Never a visitor's words.
    pub fn instructions(&self) -> Option<&str> {
        self.0.instructions.as_deref()
    }

    /// The owner that the conversation must have.
    pub fn owner(&self) -> Owner {
        Owner {
            tenant_id: self.0.site.tenant_id.clone(),
            bot_id: self.0.site.bot_id.clone(),
            bot_since: self.0.site.bot_since,
            visitor_id: self.0.visitor_id,
        }
    }
}

/// Refuses a site that is paused, by itself, by its bot or by its tenant.
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

/// Checks the origin of a call: the bot's hosted page, or one of the site's pages.
fn check_origin(site: &Site, caller: Caller<'_>, origin: Option<&str>) -> Result<(), Problem> {
    if caller.is_own && site.bot.access.hosted_page {
        return Ok(());
    }
    origin::check(site, origin)
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
            let kind = attempts::Credential::Token;
            return Err(attempts::failed(ports, kind, caller.address, problem).await);
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
    check_origin(&site, caller, caller.origin).map_err(explain)?;
    // A token is valid for the origin that asked for it. Browsers send no `Origin` with a page's requests to its own
    // origin.
    if caller.origin.is_some_and(|origin| origin != claims.origin) {
        return Err(outdated());
    }
    check_active(&site).map_err(explain)?;
    // Identities signed with a revoked secret are no longer accepted.
    let vouched = match &claims.voucher {
        Some(voucher) => site.identity_secrets.contains(voucher),
        None => !site.bot.access.identified_only,
    };
    if !vouched {
        return Err(outdated());
    }
    Ok(Admitted {
        site,
        visitor_id: claims.sub,
        locale: claims.locale,
        tier: claims.tier,
        known: claims.voucher.is_some(),
        address: caller.address.clone(),
    })
}

/// Admits a new conversation of a visitor, with this id.
///
/// # Errors
/// `rate_limited`, `token_invalid`, `storage_unavailable`.
pub async fn admit_conversation<P: Platform>(
    ports: &P,
    admitted: &Admitted,
    id: Id,
) -> Result<(), Problem> {
    admit_new(ports, admitted, limit::Beginning::Conversation, id).await?;
    visitor::remembered(ports, admitted).await
}

async fn admit_new<P: Platform>(
    ports: &P,
    admitted: &Admitted,
    new: limit::Beginning,
    id: Id,
) -> Result<(), Problem> {
    let site = &admitted.site;
    let visitor = admitted.visitor_id.to_string();
    let who = match admitted.known {
        true => visitor.as_str(),
        false => admitted.address.as_str(),
    };
    let counted = limit::admit_beginning(ports, site, who, new, id).await;
    counted.map_err(|problem| strings::explain(problem, Some(&site.bot), &admitted.locale))
}

/// Admits a visitor's message in a conversation: input, then hours and form, then files, then limits.
///
/// # Errors
/// `message_empty`, `message_too_long`, `closed`, `form_required`, `feature_disabled`, `invalid_value`, `rate_limited`,
/// `quota_exceeded`, `storage_unavailable`.
pub async fn admit_message<P: Platform>(
    ports: &P,
    admitted: Admitted,
    conversation: Id,
    message: SendMessage,
) -> Result<Question, Problem> {
    let text = input::clean(&message.text)?;
    visitor::may_speak(ports, &admitted).await?;
    let files = &message.attachments;
    let attachments = visitor::material(ports, &admitted, conversation, message.id, files).await?;
    let dedup_key = limit::dedup_key(conversation, message.id);
    let counted = limit::admit(ports, &admitted, dedup_key, message.retry).await?;
    Ok(Question(Checked {
        memory: admitted.tier().and_then(|tier| tier.memory),
        instructions: None,
        site: admitted.site,
        visitor_id: admitted.visitor_id,
        locale: admitted.locale,
        id: message.id,
        dedup_key,
        text,
        attachments,
        retry: message.retry,
        remaining: counted.remaining(),
        limits: counted.limits,
        metered: counted.metered,
    }))
}

#[cfg(test)]
mod tests;
