//! The deployment's settings: variables and secrets of the Worker's environment.

use bulle_edge_core::{
    admin::key::OperatorKey,
    guard::token::Secret,
    notice::mail::Mailer,
    provider::{Deployment, Server, Timeouts},
};
use bulle_protocol::problem::Problem;
use worker::Env;

/// Where OpenAI itself answers, when a key is set and no other address.
const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// Where Anthropic itself answers.
const ANTHROPIC_BASE_URL: &str = "https://api.anthropic.com/v1";

/// Where Gemini itself answers.
const GEMINI_BASE_URL: &str = "https://generativelanguage.googleapis.com/v1beta";

/// Model asked for when none is named.
const OPENAI_MODEL: &str = "gpt-4o-mini";

/// Where Turnstile itself answers.
const TURNSTILE_URL: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/// The secret that signs sessions.
///
/// # Errors
/// `misconfigured`, saying what to set.
pub fn session_secret(env: &Env) -> Result<Secret, Problem> {
    Secret::new(text(env, "SESSION_SECRET").as_deref())
}

/// The operator's own key to the owner's API; without one nobody is the operator.
pub fn operator_key(env: &Env) -> Option<OperatorKey> {
    OperatorKey::new(text(env, "ADMIN_KEY").as_deref())
}

/// The models and the patience with them.
pub fn deployment(env: &Env) -> Deployment {
    let api_key = text(env, "OPENAI_API_KEY");
    let base_url = text(env, "OPENAI_BASE_URL");
    let configured = api_key.is_some() || base_url.is_some();
    let defaults = Timeouts::default();
    let ms = |name: &str, default: u64| {
        text(env, name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    Deployment {
        anthropic: vendor(env, "ANTHROPIC", ANTHROPIC_BASE_URL),
        gemini: vendor(env, "GEMINI", GEMINI_BASE_URL),
        openai: configured.then(|| Server {
            base_url: base_url.unwrap_or_else(|| OPENAI_BASE_URL.to_owned()),
            api_key,
            model: text(env, "OPENAI_MODEL").unwrap_or_else(|| OPENAI_MODEL.to_owned()),
        }),
        timeouts: Timeouts {
            first_token: ms("MODEL_FIRST_TOKEN_MS", defaults.first_token),
            between_tokens: ms("MODEL_BETWEEN_TOKENS_MS", defaults.between_tokens),
            total: ms("MODEL_TOTAL_MS", defaults.total),
        },
    }
}

/// A vendor, from variables that begin with its name. No model has a name that stays, so it has to be said.
fn vendor(env: &Env, name: &str, base_url: &str) -> Option<Server> {
    let setting = |what: &str| text(env, &format!("{name}_{what}"));
    let (api_key, url) = (setting("API_KEY"), setting("BASE_URL"));
    let model = setting("MODEL").filter(|_| api_key.is_some() || url.is_some())?;
    Some(Server {
        base_url: url.unwrap_or_else(|| base_url.to_owned()),
        api_key,
        model,
    })
}

/// How Turnstile is asked.
pub struct Turnstile {
    /// Its secret key.
    pub secret: String,
    /// Where it answers; another address only in tests.
    pub url: String,
}

/// Turnstile, when its secret is set.
pub fn turnstile(env: &Env) -> Option<Turnstile> {
    Some(Turnstile {
        secret: text(env, "TURNSTILE_SECRET")?,
        url: text(env, "TURNSTILE_URL").unwrap_or_else(|| TURNSTILE_URL.to_owned()),
    })
}

/// The service that sends mail, when there is one.
pub fn mailer(env: &Env) -> Option<Mailer> {
    Some(Mailer {
        url: text(env, "EMAIL_URL")?,
        from: text(env, "EMAIL_FROM")?,
        header: text(env, "EMAIL_HEADER"),
        template: text(env, "EMAIL_TEMPLATE"),
    })
}

/// A variable or secret that is set and not blank.
fn text(env: &Env, name: &str) -> Option<String> {
    let value = env.var(name).ok()?.to_string();
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
