//! Site look-up: a KV read-through cache in front of the database.

use bulle_protocol::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

use crate::{
    ports::{Kv, Tenants},
    settings::Site,
};

/// Seconds that a known site stays in the cache.
pub const TTL_SECONDS: u64 = 300;

/// Seconds that an unknown key stays in the cache: the platform's minimum, so that a new site works soon.
pub const NEGATIVE_TTL_SECONDS: u64 = 60;

/// Longest site key.
pub const MAX_KEY_CHARS: usize = 64;

#[derive(Serialize, Deserialize)]
struct Cached {
    site: Option<Site>,
}

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
    if let Some(cached) = cached.and_then(|json| serde_json::from_str::<Cached>(&json).ok()) {
        return cached.site.ok_or_else(|| unknown(key));
    }
    let site = ports.site(key).await.map_err(|_| {
        Problem::new(
            Code::StorageUnavailable,
            "The site's settings cannot be read now. Try again in a few seconds.",
        )
        .retry_after(5)
    })?;
    let ttl = if site.is_some() {
        TTL_SECONDS
    } else {
        NEGATIVE_TTL_SECONDS
    };
    let cached = Cached { site };
    if let Ok(json) = serde_json::to_string(&cached) {
        // The cache is a comfort: when it cannot be written, the next request asks the database again.
        let _ = ports.put(&cache_key(key), &json, ttl).await;
    }
    cached.site.ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> Problem {
    let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
    Problem::new(
        Code::UnknownSite,
        format!("No site has the key \"{shown}\". Check the address of the script tag."),
    )
}
