//! Which values owners may set. Every refusal names the field and says how to correct it.

use bulle_api::{
    admin::{
        BotChange, NewApiKey, NewBot, NewIdentitySecret, NewSite, NewTenant, SiteChange,
        TenantChange,
    },
    people::{MemberChange, Right},
};
use bulle_protocol::problem::{Code, Problem};
use serde::de::DeserializeOwned;

use crate::{
    guard::origin,
    json,
    model::{MAX_ID, is_id},
    outbound::{AddressPolicy, AddressRefused},
    settings::TenantSettings,
};

/// Longest name, in characters.
const MAX_NAME: usize = 80;

/// Most origins of a site.
const MAX_ORIGINS: usize = 50;

/// Longest origin, in characters: the longest host name, with its scheme and port.
const MAX_ORIGIN: usize = 300;

/// The latest time that a JavaScript `Date` can hold, in Unix milliseconds.
const MAX_TIME: u64 = 8_640_000_000_000_000;

/// Most bots of a tenant.
pub const MAX_BOTS: u32 = 100;

/// Most sites of a tenant.
pub const MAX_SITES: u32 = 500;

/// Most API keys of a tenant that are neither revoked nor expired.
pub const MAX_KEYS: u32 = 50;

/// Most identity secrets of a tenant: an old and a new one.
pub const MAX_IDENTITY_SECRETS: u32 = 2;

/// A value that an owner gives.
pub trait Rules {
    /// Checks the value. `now_ms` is Unix milliseconds.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    fn check(&self, now_ms: u64) -> Result<(), Problem>;
}

/// Reads an owner's JSON and checks it. An empty body reads as `null`.
///
/// # Errors
/// `invalid_json`, `invalid_value`.
pub fn read<T: DeserializeOwned + Rules>(text: &str, now_ms: u64) -> Result<T, Problem> {
    let text = if text.is_empty() { "null" } else { text };
    let said: T = json::read(text).map_err(|e| Problem::new(Code::InvalidJson, format!("{e}.")))?;
    said.check(now_ms)?;
    Ok(said)
}

impl Rules for NewTenant {
    fn check(&self, _: u64) -> Result<(), Problem> {
        id("id", &self.id)?;
        name(&self.name)?;
        self.settings.validate().map_err(|text| invalid(&text))
    }
}

impl Rules for TenantChange {
    fn check(&self, _: u64) -> Result<(), Problem> {
        name(&self.name)?;
        self.settings.validate().map_err(|text| invalid(&text))
    }
}

impl Rules for NewBot {
    fn check(&self, _: u64) -> Result<(), Problem> {
        id("id", &self.id)?;
        self.settings.validate().map_err(|text| invalid(&text))
    }
}

impl Rules for BotChange {
    fn check(&self, _: u64) -> Result<(), Problem> {
        self.settings.validate().map_err(|text| invalid(&text))
    }
}

impl Rules for NewSite {
    fn check(&self, _: u64) -> Result<(), Problem> {
        site(&self.bot_id, &self.name, &self.origins)
    }
}

impl Rules for SiteChange {
    fn check(&self, _: u64) -> Result<(), Problem> {
        site(&self.bot_id, &self.name, &self.origins)
    }
}

impl Rules for NewApiKey {
    fn check(&self, now_ms: u64) -> Result<(), Problem> {
        name(&self.name)?;
        let mut scopes = self.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() || scopes.len() != self.scopes.len() {
            return Err(invalid("scopes: name at least one scope, and each once."));
        }
        match self.expires_at {
            Some(end) if end <= now_ms || end > MAX_TIME => Err(invalid(
                "expires_at: give a time to come, in Unix milliseconds, or leave it out for a key that does not expire.",
            )),
            _ => Ok(()),
        }
    }
}

impl Rules for Option<NewIdentitySecret> {
    fn check(&self, _: u64) -> Result<(), Problem> {
        Ok(())
    }
}

impl Rules for MemberChange {
    fn check(&self, _: u64) -> Result<(), Problem> {
        limited(self.bots.as_deref())?;
        rights(&self.rights)
    }
}

/// Checks the bots that a membership is limited to.
///
/// # Errors
/// `invalid_value`.
pub fn limited(bots: Option<&[String]>) -> Result<(), Problem> {
    let Some(bots) = bots else { return Ok(()) };
    let possible = !bots.is_empty() && bots.len() <= MAX_BOTS as usize;
    if possible && bots.iter().all(|bot| is_id(bot)) {
        return Ok(());
    }
    Err(invalid(
        "bots: the ids of the bots that the person may reach, or leave it out for all.",
    ))
}

/// Checks the rights of a membership.
///
/// # Errors
/// `invalid_value`.
pub fn rights(rights: &[Right]) -> Result<(), Problem> {
    let twice = |right: &Right| rights.iter().filter(|other| *other == right).count() > 1;
    if rights.iter().any(twice) {
        return Err(invalid("rights: name each right once."));
    }
    Ok(())
}

/// Checks an address to which the edge will send requests, given for this field.
///
/// # Errors
/// `invalid_value`.
pub fn check_address(field: &str, address: &str, policy: &AddressPolicy) -> Result<(), Problem> {
    let refused = |AddressRefused(why)| invalid(&format!("{field}: {why}"));
    policy.check(address).map(|_| ()).map_err(refused)
}

/// Checks the webhook of a tenant's settings.
///
/// # Errors
/// `invalid_value`.
pub fn check_webhook(settings: &TenantSettings, policy: &AddressPolicy) -> Result<(), Problem> {
    match &settings.notices.webhook {
        Some(webhook) => check_address("settings.notices.webhook", webhook, policy),
        None => Ok(()),
    }
}

/// The problem when the id is in use.
pub fn taken(what: &str, id: &str) -> Problem {
    Problem::new(
        Code::AlreadyExists,
        format!("There is a {what} with the id \"{id}\". Choose another, or change that one."),
    )
}

/// The problem when there are as many of the kind as allowed.
pub fn too_many(most: u32, what: &str, advice: &str) -> Problem {
    Problem::new(
        Code::TooMany,
        format!("A tenant has at most {most} {what}. {advice}"),
    )
}

/// The problem when a site names a bot that does not exist.
pub fn unknown_bot(bot_id: &str) -> Problem {
    invalid(&format!(
        "bot_id: this tenant has no bot \"{bot_id}\". Create it first."
    ))
}

fn id(field: &str, text: &str) -> Result<(), Problem> {
    if is_id(text) {
        return Ok(());
    }
    Err(invalid(&format!(
        "{field}: 1 to {MAX_ID} of a-z, 0-9 and \"-\", beginning with a letter or digit."
    )))
}

fn name(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(invalid("name: give a name that people can see."));
    }
    possible_name(text)
}

fn possible_name(text: &str) -> Result<(), Problem> {
    if text.chars().count() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(invalid(&format!(
            "name: at most {MAX_NAME} characters, on one line."
        )));
    }
    Ok(())
}

fn site(bot_id: &str, name: &str, origins: &[String]) -> Result<(), Problem> {
    id("bot_id", bot_id)?;
    possible_name(name)?;
    if origins.is_empty() || origins.len() > MAX_ORIGINS {
        return Err(invalid(&format!(
            "origins: name 1 to {MAX_ORIGINS} origins that may show the bubble."
        )));
    }
    let wrong = origins
        .iter()
        .find(|pattern| pattern.len() > MAX_ORIGIN || !origin::is_pattern(pattern));
    match wrong {
        None => Ok(()),
        Some(pattern) => {
            let shown: String = pattern.chars().take(MAX_NAME).collect();
            Err(invalid(&format!(
                "origins: no page has an origin like \"{shown}\". Write \"https://example.com\" (lower case, no path, no \
                 slash at the end, no default port), \"https://*.example.com\" for all its subdomains, or \
                 \"http://localhost:*\" for every port of your own machine."
            )))
        }
    }
}

/// The problem for an invalid value; the text begins with the field's name.
pub fn invalid(detail: &str) -> Problem {
    Problem::new(Code::InvalidValue, detail)
}
