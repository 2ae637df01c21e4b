//! Site look-up: the isolate's memory for seconds, then KV, then the database.

use crate::{
    isolate_memory::{self, KEPT_MS, READING_MS},
    json,
    model::Site,
    ports::{Clock, IsolateValues, Kv, Tenants},
};
use bulle_protocol::problem::{Code, Problem};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

/// Milliseconds after which a pause takes effect everywhere, even when KV does not distribute the change.
pub const KNOWN_MS: u64 = 60_000;

/// Milliseconds after which a site in KV is read from the database again; an isolate may keep it a little longer.
pub const FRESH_MS: u64 = KNOWN_MS - KEPT_MS - READING_MS;

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
pub async fn site<P: Tenants + Kv + IsolateValues + Clock>(
    ports: &P,
    key: &str,
) -> Result<Site, Problem> {
    let well_formed = key
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !well_formed {
        return Err(unknown(key));
    }
    if let Some(site) = isolate_memory::recall(ports, &cache_key(key)) {
        return Ok(site);
    }
    let cached = ports.get(&cache_key(key)).await.ok().flatten();
    let cached: Option<Cached> = cached.and_then(|text| json::read(&text).ok());
    let now = ports.now_ms();
    if let Some(cached) = &cached
        && now.saturating_sub(cached.read_at) < FRESH_MS
    {
        isolate_memory::keep(ports, &cache_key(key), cached.site.clone());
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
    let site = fill(ports, site).await?;
    isolate_memory::keep(ports, &cache_key(key), site.clone());
    Ok(site)
}

/// Writes the site to the cache, and reads the database once more: a change of the owner's between the read and the
/// write would otherwise be hidden by the older state.
async fn fill<P: Tenants + Kv + IsolateValues + Clock>(
    ports: &P,
    site: Site,
) -> Result<Site, Problem> {
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

/// Removes sites whose settings have changed from the cache: at once for this isolate, within seconds for the others in this
/// place, and within about a minute elsewhere (the longest that KV takes). False when an entry could not be removed and may
/// be served until it expires.
pub async fn forget<P: Kv + IsolateValues>(ports: &P, keys: &[&str]) -> bool {
    let forgotten = keys.iter().map(|key| async move {
        let deleted = ports.delete(&cache_key(key)).await;
        isolate_memory::drop(ports, &cache_key(key));
        deleted.is_ok()
    });
    join_all(forgotten).await.into_iter().all(|done| done)
}

fn unknown(key: &str) -> Problem {
    let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
    Problem::new(
        Code::UnknownSite,
        format!("No site has the key \"{shown}\". Check the address of the script tag."),
    )
}
