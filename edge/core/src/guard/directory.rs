//! Site look-up: a KV read-through cache in front of the database.

use crate::{
    json,
    model::Site,
    ports::{Clock, Kv, Tenants},
};
use bulle_protocol::problem::{Code, Problem};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// Milliseconds after which what the cache says of a site is looked at again. However KV tells of a change, or fails to, a
/// pause is known everywhere after this.
pub const FRESH_MS: u64 = 60_000;

/// Seconds that a known site stays in the cache, for when the database cannot be reached.
pub const TTL_SECONDS: u64 = 24 * 3_600;

/// A site as the cache holds it.
#[derive(Serialize, Deserialize)]
struct Cached {
    /// Unix milliseconds at which the database said so.
    read_at: u64,
    site: Site,
}

/// Longest site key.
pub const MAX_KEY_CHARS: usize = 64;

/// Key of a site in the cache.
pub fn cache_key(site_key: &str) -> String {
    format!("site/{site_key}")
}

/// The site with this public key. A failing cache is passed by; a failing database only matters when the
/// cache does not know the site.
///
/// # Errors
/// `unknown_site`, `storage_unavailable`.
pub async fn site<P: Tenants + Kv + Clock>(ports: &P, key: &str) -> Result<Site, Problem> {
    let well_formed = key
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !well_formed {
        return Err(unknown(key));
    }
    let cached = ports.get(&cache_key(key)).await.ok().flatten();
    let cached: Option<Cached> = cached.and_then(|text| json::read(&text).ok());
    let now = ports.now_ms();
    if let Some(cached) = &cached
        && now.saturating_sub(cached.read_at) < FRESH_MS
    {
        return Ok(cached.site.clone());
    }
    let found = match (ports.site(key).await, cached) {
        (Ok(found), _) => found,
        (Err(_), Some(old)) => return Ok(old.site),
        (Err(_), None) => {
            let detail = "The site's settings cannot be read now. Try again in a few seconds.";
            return Err(Problem::new(Code::StorageUnavailable, detail).retry_after(5));
        }
    };
    // An unknown key is not remembered: anybody can make them up, and writes to the cache are few and paid.
    let site = found.ok_or_else(|| unknown(key))?;
    fill(ports, site).await
}

/// Puts what the database has said into the cache, and asks once more: an owner's change that came between the
/// question and the cache would otherwise be hidden by what was true before it.
async fn fill<P: Tenants + Kv + Clock>(ports: &P, site: Site) -> Result<Site, Problem> {
    let read_at = ports.now_ms();
    let Ok(json) = serde_json::to_string(&Cached {
        read_at,
        site: site.clone(),
    }) else {
        return Ok(site);
    };
    // The cache is a comfort: when it cannot be written, the next request asks the database again.
    if ports
        .put(&cache_key(&site.key), &json, TTL_SECONDS)
        .await
        .is_err()
    {
        return Ok(site);
    }
    match ports.site(&site.key).await {
        Ok(Some(now)) if now == site => Ok(site),
        Ok(now) => {
            forget(ports, &[site.key.as_str()]).await;
            now.ok_or_else(|| unknown(&site.key))
        }
        Err(_) => Ok(site),
    }
}

/// Forgets sites whose settings have changed: at once here, within about a minute elsewhere (KV shows a change
/// everywhere after at most that). False when one of them may live on until its time is up.
pub async fn forget<P: Kv>(ports: &P, keys: &[&str]) -> bool {
    let forgotten = keys
        .iter()
        .map(|key| async move { ports.delete(&cache_key(key)).await.is_ok() });
    join_all(forgotten).await.into_iter().all(|done| done)
}

fn unknown(key: &str) -> Problem {
    let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
    Problem::new(
        Code::UnknownSite,
        format!("No site has the key \"{shown}\". Check the address of the script tag."),
    )
}
