//! Site look-up: a KV read-through cache in front of the database.

use crate::{
    ports::{Kv, Tenants},
    settings::Site,
};
use bulle_protocol::problem::{Code, Problem};

/// Seconds that a known site stays in the cache.
pub const TTL_SECONDS: u64 = 300;

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
pub async fn site<P: Tenants + Kv>(ports: &P, key: &str) -> Result<Site, Problem> {
    let well_formed = key
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !well_formed {
        return Err(unknown(key));
    }
    let cached = ports.get(&cache_key(key)).await.ok().flatten();
    if let Some(site) = cached.and_then(|json| serde_json::from_str(&json).ok()) {
        return Ok(site);
    }
    let found = ports.site(key).await.map_err(|_| {
        Problem::new(
            Code::StorageUnavailable,
            "The site's settings cannot be read now. Try again in a few seconds.",
        )
        .retry_after(5)
    })?;
    // An unknown key is not remembered: anybody can make them up, and writes to the cache are few and paid.
    let site = found.ok_or_else(|| unknown(key))?;
    if let Ok(json) = serde_json::to_string(&site) {
        // The cache is a comfort: when it cannot be written, the next request asks the database again.
        let _ = ports.put(&cache_key(key), &json, TTL_SECONDS).await;
    }
    Ok(site)
}

fn unknown(key: &str) -> Problem {
    let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
    Problem::new(
        Code::UnknownSite,
        format!("No site has the key \"{shown}\". Check the address of the script tag."),
    )
}
