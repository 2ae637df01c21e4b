//! Opening a session: identifies the visitor, and issues the session token.

use bulle_protocol::{
    Id,
    problem::{Action, Code, Problem},
    session::SessionRequest,
};

use super::{
    Admitted, Caller, Platform, attempts, check_active, check_origin, directory,
    identity::{self, Vouched},
    limit,
    token::{self, SessionClaims},
};
use crate::model::Secret;
use crate::{model::Site, strings};

/// Address of Turnstile's script, for bots that ask for it.
const TURNSTILE: &str = "https://challenges.cloudflare.com/turnstile/v0/api.js";

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
    /// The visitor's name as the site's server gave it; may be empty.
    pub name: String,
}

/// Opens a session: checks the site, then the origin, then the visitor.
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
    check_origin(site, caller, Some(caller.origin.unwrap_or_default()))?;
    check_active(site)?;
    let now = ports.now_ms();
    let fresh = Id::from_parts(now, ports.random());
    let who = match &request.identity {
        Some(token) => identified(ports, secret, caller, site, token, fresh).await?,
        None if site.bot.access.identified_only => {
            return Err(Problem::new(
                Code::IdentityRequired,
                "This bot speaks only to visitors with an `identity`: sign one on your server (docs/identity.md).",
            ));
        }
        None => anonymous(ports, secret, caller, site, request, fresh).await?,
    };
    let claims = SessionClaims {
        sub: who.id,
        site: site.key.clone(),
        locale: locale.to_owned(),
        origin: caller.origin.unwrap_or_default().to_owned(),
        tier: who.tier.clone(),
        voucher: who.voucher,
        iat: 0,
        exp: 0,
    };
    let known = claims.voucher.is_some();
    let mut claims = claims.starting(now);
    claims.exp = claims.exp.min(who.until);
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
            known,
            address: caller.address.clone(),
        },
    })
}

/// The visitor who opens a session.
struct Who {
    id: Id,
    /// True when the visitor was known before.
    resumed: bool,
    /// When the session ends at the latest, in Unix seconds.
    until: u64,
    /// The id of the identity secret that signed the visitor's identity.
    voucher: Option<String>,
    tier: String,
    name: String,
}

/// A visitor whose identity the site's server has signed. `fresh` is the id of a visitor who was not known before.
async fn identified<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    site: &Site,
    token: &str,
    fresh: Id,
) -> Result<Who, Problem> {
    let Vouched {
        identity,
        voucher,
        expires_at,
    } = vouched(ports, secret, caller, site, token).await?;
    let now = ports.now_ms();
    let known = ports.known(&site.tenant_id, &identity, fresh, now).await;
    let id = known.map_err(|_| {
        let detail = "Known visitors cannot be looked up now. Try again in a few seconds.";
        Problem::new(Code::StorageUnavailable, detail).retry_after(5)
    })?;
    Ok(Who {
        id,
        resumed: id != fresh,
        // No session outlasts the visitor's identity, except for the tolerated difference of clocks.
        until: expires_at.max(now / 1_000 + identity::SKEW_SECONDS),
        voucher: Some(voucher),
        tier: identity.tier,
        name: identity.name,
    })
}

/// A visitor without an identity: the one of an earlier session, or a new one with the id `fresh`, who is counted and may
/// have to pass a challenge.
async fn anonymous<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    site: &Site,
    request: &SessionRequest,
    fresh: Id,
) -> Result<Who, Problem> {
    let earlier = match request.resume.as_deref() {
        Some(token) => earlier_visitor(ports, secret, site, token).await,
        None => None,
    };
    if earlier.is_none() {
        let answer = asked_to_pass(site, request.challenge.as_deref())?;
        let new = limit::Beginning::Session;
        limit::admit_beginning(ports, site, caller.address.as_str(), new, fresh).await?;
        if let Some(token) = answer {
            challenge(ports, caller, site, token).await?;
        }
    }
    Ok(Who {
        id: earlier.unwrap_or(fresh),
        resumed: earlier.is_some(),
        until: u64::MAX,
        voucher: None,
        tier: site.bot.limits.anonymous_tier.clone(),
        name: String::new(),
    })
}

/// The anonymous visitor of an earlier session's token. A token that cannot be resumed starts a new visitor: a lost
/// history is better than a refusal. A known visitor's token is never resumed: only the site's server can say that they
/// are still signed in.
async fn earlier_visitor<P: Platform>(
    ports: &P,
    secret: &Secret,
    site: &Site,
    token: &str,
) -> Option<Id> {
    let claims = token::verify_for_resume(secret, token, ports.now_ms()).ok()?;
    if claims.site != site.key || claims.voucher.is_some() {
        return None;
    }
    // A visitor whose data was erased becomes a new one. When the database cannot tell, the session opens and new
    // conversations are refused instead.
    let erased = ports.is_erased(&site.tenant_id, claims.sub).await;
    (!erased.unwrap_or_default()).then_some(claims.sub)
}

/// The identity that the site's server has signed, if the request has one.
async fn vouched<P: Platform>(
    ports: &P,
    secret: &Secret,
    caller: Caller<'_>,
    site: &Site,
    token: &str,
) -> Result<Vouched, Problem> {
    let kind = attempts::Credential::Identity;
    attempts::check(ports, kind, caller.address)?;
    match identity::verify(secret, site, token, ports.now_ms()) {
        Ok(vouched) => Ok(vouched),
        Err(refused) if refused.forged => {
            Err(attempts::failed(ports, kind, caller.address, refused.problem).await)
        }
        Err(refused) => Err(refused.problem),
    }
}

/// The Turnstile token with which a new anonymous visitor proves to be human; `None` where the bot does not require it.
fn asked_to_pass<'t>(site: &Site, token: Option<&'t str>) -> Result<Option<&'t str>, Problem> {
    if site.bot.access.turnstile.is_none() {
        return Ok(None);
    }
    let token = token.ok_or_else(|| {
        let detail = "This bot wants new visitors to pass Turnstile: run the widget with the site key in `action.label` \
                      and send its token as `challenge`.";
        challenge_problem(site, Code::ChallengeRequired, detail)
    })?;
    Ok(Some(token))
}

/// Has Turnstile check a visitor's token.
async fn challenge<P: Platform>(
    ports: &P,
    caller: Caller<'_>,
    site: &Site,
    token: &str,
) -> Result<(), Problem> {
    let kind = attempts::Credential::Challenge;
    attempts::check(ports, kind, caller.address)?;
    let failed = |detail| challenge_problem(site, Code::ChallengeFailed, detail);
    match ports.passed(token).await {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => {
            let problem = failed("Turnstile did not accept the token. Run the widget again.");
            Err(attempts::failed(ports, kind, caller.address, problem).await)
        }
        Ok(None) => Err(Problem::new(
            Code::Misconfigured,
            "The bot asks for Turnstile, and the deployment lacks the secret TURNSTILE_SECRET.",
        )),
        // An owner who requires a challenge wants sessions refused rather than opened without it.
        Err(_) => Err(failed(
            "Turnstile cannot be asked now. Try again in a few seconds.",
        )),
    }
}

/// A problem that names the widget's Turnstile key and the address of its script.
fn challenge_problem(site: &Site, code: Code, detail: &str) -> Problem {
    let mut problem = Problem::new(code, detail);
    problem.action = site.bot.access.turnstile.clone().map(|label| Action {
        label,
        url: TURNSTILE.to_owned(),
    });
    problem
}
