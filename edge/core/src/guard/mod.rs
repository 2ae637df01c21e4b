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
    problem::{Action, Code, Limit, Problem},
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::Secret;
use crate::{
    model::{Material, Owner, Site},
    ports::{
        Challenges, Clock, Entropy, IsolateCache, IsolateValues, Kv, Meters, Profiles, Tenants,
        Visitors, Zones,
    },
    settings::Tier,
    strings,
};
use address::Address;
use limit::{Sieved, SubjectQuotas};

/// Everything that the guard needs of the platform.
pub trait Platform:
    Tenants
    + Kv
    + IsolateCache
    + IsolateValues
    + Clock
    + Zones
    + Entropy
    + Meters
    + Visitors
    + Profiles
    + Challenges
{
}
impl<P> Platform for P where
    P: Tenants
        + Kv
        + IsolateCache
        + IsolateValues
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

    /// Name of the tier and locale, for refusals.
    fn who(&self) -> (&str, &str) {
        (&self.tier, &self.locale)
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

/// The owner's link for visitors of a tier who want more.
fn upgrade(site: &Site, tier_name: &str, locale: &str) -> Option<Action> {
    let upgrade = tier(site, tier_name)?.upgrade.as_ref()?;
    Some(Action {
        label: upgrade.label.get(locale, &site.bot.locale)?.clone(),
        url: upgrade.url.clone(),
    })
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
    #[serde(default)]
    identified: bool,
    locale: String,
    #[serde(default)]
    tier: String,
    memory: Option<u32>,
    #[serde(default)]
    instructions: Option<String>,
    id: Id,
    #[serde(rename = "ticket")]
    charge_id: Id,
    text: String,
    #[serde(default)]
    attachments: Vec<Material>,
    retry: bool,
    /// The limits in which the message is still to be counted.
    #[serde(default)]
    quotas: Vec<SubjectQuotas>,
    /// The state of the limits that were counted in KV.
    #[serde(default)]
    in_kv: Vec<Limit>,
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

    /// Whether the site's server has identified the visitor.
    pub fn is_identified(&self) -> bool {
        self.0.identified
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

    /// Name of the tier and locale, for refusals.
    fn who(&self) -> (&str, &str) {
        (&self.0.tier, &self.0.locale)
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

/// Admits a visitor's message in a conversation: input, then hours and form, then files, then the sieve of the limits. Who
/// begins its turn counts it: [`limit::count`].
///
/// # Errors
/// `message_empty`, `message_too_long`, `closed`, `form_required`, `feature_disabled`, `invalid_value`, `rate_limited`,
/// `storage_unavailable`.
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
    let charge_id = limit::charge_id(ports, conversation, &message);
    let Sieved { quotas, in_kv } = limit::sieve(ports, &admitted, charge_id).await?;
    Ok(Question(Checked {
        memory: admitted.tier().and_then(|tier| tier.memory),
        instructions: None,
        site: admitted.site,
        visitor_id: admitted.visitor_id,
        identified: admitted.known,
        locale: admitted.locale,
        id: message.id,
        charge_id,
        text,
        attachments,
        retry: message.retry,
        tier: admitted.tier,
        quotas,
        in_kv,
    }))
}

#[cfg(test)]
mod tests;
