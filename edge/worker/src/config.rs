//! The deployment's settings: variables and secrets of the Worker's environment.

use bulle_edge_core::{
    admin::key::{MIN_OPERATOR_KEY_CHARS, OperatorKey},
    model::{Mailer, Secret},
    outbound::AddressPolicy,
    own_addresses::OwnAddresses,
    people::password::Pepper,
    provider::{Deployment, PROVIDERS, Provider, Server, Timeouts, Vendor},
    sources::frontier::DEFAULT_PAUSE_MS,
};
use bulle_protocol::problem::{Code, Problem};
use std::{cell::OnceCell, rc::Rc};
use worker::{Env, js_sys::Reflect};

/// The binding to Workers AI, as wrangler.toml names it.
pub const AI_BINDING: &str = "AI";

/// One request in so many is logged when all is well, unless the operator sets another number.
const DEFAULT_LOG_EVERY: u32 = 20;

/// Most answers at once in an isolate, unless the operator sets another number: somewhat more than were measured to end well
/// on two slow cores (`e2e/overload.test.mjs`).
const DEFAULT_MOST_ANSWERS: u32 = 600;

/// Most keys of a provider.
const MAX_KEYS: u32 = 9;

/// The base of Cloudflare's API.
const CLOUDFLARE_API_URL: &str = "https://api.cloudflare.com/client/v4";

/// The model that makes vectors of texts: many languages, 1,024 dimensions.
const EMBEDDING_MODEL: &str = "@cf/baai/bge-m3";

/// The address of Turnstile's verification.
const TURNSTILE_URL: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/// The secret that signs sessions.
///
/// # Errors
/// `misconfigured`, saying what to set.
pub fn session_secret(env: &Env) -> Result<Secret, Problem> {
    Secret::new(text(env, "SESSION_SECRET").as_deref())
}

/// The operator's key to the owner's API. Without one, no caller is the operator.
pub fn operator_key(env: &Env) -> Option<OperatorKey> {
    OperatorKey::new(text(env, "ADMIN_KEY").as_deref())
}

/// The secret that is mixed into passwords.
///
/// # Errors
/// `misconfigured`, saying what to set.
pub fn pepper(env: &Env) -> Result<Pepper, Problem> {
    Pepper::new(text(env, "PASSWORD_PEPPER").as_deref())
}

/// [`pepper`], when sign-in is open: without an operator nobody could help who is locked out.
///
/// # Errors
/// `misconfigured`, saying which secret to set.
pub fn sign_in(env: &Env) -> Result<Pepper, Problem> {
    if operator_key(env).is_none() {
        let detail = format!(
            "Sign-in is closed. Set the secret ADMIN_KEY to at least {MIN_OPERATOR_KEY_CHARS} random characters: `npx \
             wrangler secret put ADMIN_KEY`, or a line in edge/worker/.dev.vars on a laptop."
        );
        return Err(Problem::new(Code::Misconfigured, detail));
    }
    pepper(env)
}

/// The only origin at which people sign in (`CONSOLE_ORIGIN`); unset, every address of the edge.
pub fn console_origin(env: &Env) -> Option<String> {
    let origin = text(env, "CONSOLE_ORIGIN")?;
    Some(origin.trim_end_matches('/').to_owned())
}

thread_local! {
    static DEPLOYMENT: OnceCell<Rc<Deployment>> = const { OnceCell::new() };
}

/// The models, and the deadlines for their answers. They are read once in an isolate, because variables change only with a
/// deployment.
pub fn deployment(env: &Env) -> Rc<Deployment> {
    DEPLOYMENT.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(read_deployment(env)))))
}

fn read_deployment(env: &Env) -> Deployment {
    let defaults = Timeouts::default();
    let ms = |name: &str, default: u64| {
        text(env, name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    Deployment {
        servers: PROVIDERS
            .iter()
            .filter_map(|provider| server(env, provider))
            .collect(),
        timeouts: Timeouts {
            connect: ms("MODEL_CONNECT_MS", defaults.connect),
            first_token: ms("MODEL_FIRST_TOKEN_MS", defaults.first_token),
            between_tokens: ms("MODEL_BETWEEN_TOKENS_MS", defaults.between_tokens),
            total: ms("MODEL_TOTAL_MS", defaults.total),
        },
    }
}

/// A provider, from variables that begin with its name: a key or an address makes it configured. Further keys are
/// `…_API_KEY_2` to `…_API_KEY_9`.
fn server(env: &Env, provider: &'static Provider) -> Option<Server> {
    let name = provider.name.to_ascii_uppercase();
    let setting = |what: &str| text(env, &format!("{name}_{what}"));
    let model = setting("MODEL");
    if provider.vendor == Vendor::WorkersAi {
        let bound = Reflect::has(env, &AI_BINDING.into()).unwrap_or(false);
        return bound.then(|| Server {
            provider,
            base_url: String::new(),
            api_keys: Vec::new(),
            model: model.unwrap_or_default(),
        });
    }
    let first: Vec<String> = setting("API_KEY").into_iter().collect();
    let base_url = setting("BASE_URL");
    if first.is_empty() && base_url.is_none() {
        return None;
    }
    let more = (2..=MAX_KEYS).map_while(|n| setting(&format!("API_KEY_{n}")));
    let or = |own: Option<String>, default: &str| own.unwrap_or_else(|| default.to_owned());
    let server = Server {
        provider,
        base_url: or(base_url, provider.base_url),
        api_keys: first.into_iter().chain(more).collect(),
        model: or(model, provider.model),
    };
    // Some providers have no default address, because operators run them at their own.
    (!server.base_url.is_empty()).then_some(server)
}

thread_local! {
    static LOG_EVERY: OnceCell<u32> = const { OnceCell::new() };
    static MOST_ANSWERS: OnceCell<u32> = const { OnceCell::new() };
}

/// Of how many requests in which all is well one is logged: `LOG_EVERY`.
pub fn log_every(env: &Env) -> u32 {
    LOG_EVERY.with(|every| *every.get_or_init(|| positive(env, "LOG_EVERY", DEFAULT_LOG_EVERY)))
}

/// How many answers are written at once in an isolate: `MOST_ANSWERS`.
pub fn most_answers(env: &Env) -> u32 {
    MOST_ANSWERS
        .with(|most| *most.get_or_init(|| positive(env, "MOST_ANSWERS", DEFAULT_MOST_ANSWERS)))
}

fn positive(env: &Env, name: &str, default: u32) -> u32 {
    let value = text(env, name).and_then(|value| value.parse().ok());
    value.unwrap_or(default).max(1)
}

/// The settings of Turnstile.
pub struct Turnstile {
    /// The secret key.
    pub secret: String,
    /// The address of its verification; another one only in tests.
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

/// Which addresses that owners name requests may be sent to. `FETCH_LOCAL` names further machines, as `host:port` with commas
/// between them: for a developer's own pages and receivers.
pub fn address_policy(env: &Env) -> AddressPolicy {
    AddressPolicy::new(text(env, "FETCH_LOCAL").as_deref())
}

/// Under which addresses the edge is reached: `PUBLIC_URL`, addresses with commas between them.
///
/// # Errors
/// `misconfigured`, saying which is no address.
pub fn own_addresses(env: &Env) -> Result<OwnAddresses, Problem> {
    let named = text(env, "PUBLIC_URL");
    OwnAddresses::new(named.as_deref()).map_err(|why| Problem::new(Code::Misconfigured, why))
}

/// The settings of the crawler.
pub struct Crawling {
    /// The address of the page that tells operators of sites about the crawler; in its `User-Agent`.
    pub contact: Option<String>,
    /// Milliseconds between two requests to one site.
    pub pause_ms: u64,
    /// Milliseconds that one request may take.
    pub timeout_ms: u64,
    /// Milliseconds before the second try.
    pub retry_ms: u64,
}

/// The settings of the crawler: `CRAWLER_URL`, `CRAWLER_PAUSE_MS`, `CRAWLER_TIMEOUT_MS`, `CRAWLER_RETRY_MS`.
pub fn crawling(env: &Env) -> Crawling {
    let number = |name: &str, default: u64| {
        let value = text(env, name).and_then(|value| value.parse().ok());
        value.unwrap_or(default)
    };
    Crawling {
        contact: text(env, "CRAWLER_URL"),
        pause_ms: number("CRAWLER_PAUSE_MS", DEFAULT_PAUSE_MS),
        timeout_ms: number("CRAWLER_TIMEOUT_MS", 30_000),
        retry_ms: number("CRAWLER_RETRY_MS", 30_000),
    }
}

/// The settings of the vector index, which is reached over Cloudflare's API.
pub struct Cloudflare {
    /// The base of the API; another one only in tests.
    pub url: String,
    /// The account.
    pub account: String,
    /// A token that may run Workers AI and edit Vectorize.
    pub token: String,
    /// Name of the index.
    pub index: String,
    /// The model that makes the vectors.
    pub model: String,
    /// Milliseconds that a visitor's question waits for it.
    pub patience_ms: u64,
    /// Milliseconds without requests after a failure.
    pub retry_ms: u64,
}

/// The vector index: `CLOUDFLARE_ACCOUNT_ID`, `CLOUDFLARE_API_TOKEN` and `VECTORIZE_INDEX`. With none of them there is no index.
///
/// # Errors
/// Some are set and some are missing; the text names them.
pub fn cloudflare(env: &Env) -> Result<Option<Cloudflare>, String> {
    const NAMES: [&str; 3] = [
        "CLOUDFLARE_ACCOUNT_ID",
        "CLOUDFLARE_API_TOKEN",
        "VECTORIZE_INDEX",
    ];
    let [account, token, index] = NAMES.map(|name| text(env, name));
    let ms = |name: &str, default: u64| {
        let value = text(env, name).and_then(|value| value.parse().ok());
        value.unwrap_or(default)
    };
    match (account, token, index) {
        (None, None, None) => Ok(None),
        (Some(account), Some(token), Some(index)) => Ok(Some(Cloudflare {
            url: text(env, "CLOUDFLARE_API_URL").unwrap_or_else(|| CLOUDFLARE_API_URL.to_owned()),
            account,
            token,
            index,
            model: text(env, "EMBEDDING_MODEL").unwrap_or_else(|| EMBEDDING_MODEL.to_owned()),
            patience_ms: ms("MEANING_TIMEOUT_MS", 1_000),
            retry_ms: ms("MEANING_RETRY_MS", 30_000),
        })),
        _ => {
            let missing: Vec<&str> = NAMES
                .into_iter()
                .filter(|name| text(env, name).is_none())
                .collect();
            Err(format!(
                "only words are looked for: set {} too, or none of {}",
                missing.join(" and "),
                NAMES.join(", ")
            ))
        }
    }
}

/// A variable or secret that is set and not blank.
fn text(env: &Env, name: &str) -> Option<String> {
    let value = env.var(name).ok()?.to_string();
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}
