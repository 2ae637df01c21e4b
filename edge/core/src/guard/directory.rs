//! Site look-up: a KV read-through cache in front of the database.

use crate::{
    model::Site,
    ports::{Clock, Kv, Tenants},
};
use bulle_protocol::problem::{Code, Problem};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// Milliseconds after which a cached site is read from the database again. A pause takes effect everywhere after this
/// time, even when KV does not distribute the change.
pub const FRESH_MS: u64 = 60_000;

/// Seconds that a known site stays in the cache, for times at which the database cannot be reached.
pub const TTL_SECONDS: u64 = 24 * 3_600;

/// A site as the cache holds it.
#[derive(Serialize, Deserialize)]
struct Cached {
    /// When the site was read from the database, in Unix milliseconds.
    read_at: u64,
    site: Site,
}

/// Longest site key.
pub const MAX_KEY_CHARS: usize = 64;

/// Key of a site in the cache.
pub fn cache_key(site_key: &str) -> String {
    format!("site/{site_key}")
}

/// The site with this public key. When the cache fails, the database is asked; when the database fails, a site in the
/// cache is still served.
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
    let cached: Option<Cached> = cached.and_then(|json| serde_json::from_str(&json).ok());
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
    // An unknown key is not cached: anyone can make up keys, and writes to KV are few and paid.
    let site = found.ok_or_else(|| unknown(key))?;
    fill(ports, site).await
}

/// Writes the site to the cache, and reads the database once more: a change of the owner's between the read and the
/// write would otherwise be hidden by the older state.
async fn fill<P: Tenants + Kv + Clock>(ports: &P, site: Site) -> Result<Site, Problem> {
    let read_at = ports.now_ms();
    let Ok(json) = serde_json::to_string(&Cached {
        read_at,
        site: site.clone(),
    }) else {
        return Ok(site);
    };
    // The cache is optional: when it cannot be written, the next request asks the database again.
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

/// Removes sites whose settings have changed from the cache: at once in this place, within about a minute elsewhere
/// (the longest that KV takes). False when an entry could not be removed and may be served until it expires.
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
