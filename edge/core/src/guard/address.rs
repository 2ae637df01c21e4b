//! The caller's network address, as much of it as a limiter needs: a keyed hash whose key changes every day. The
//! address itself is never stored or logged, and a hash of yesterday says nothing about one of today. (Who holds
//! `SESSION_SECRET` could still try addresses against a stored hash; hashes live for a minute in KV and for a day in
//! the meter.)

use std::net::{IpAddr, Ipv6Addr};

use crate::model::Secret;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// A hashed network address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The hash of an address in the platform's notation. An IPv6 address counts by its network (/64), because a
    /// subscriber has the whole network; callers without a readable address share one hash.
    pub fn new(secret: &Secret, address: Option<&str>, now_ms: u64) -> Self {
        let network = match address
            .and_then(|text| text.trim().parse().ok())
            .map(|ip: IpAddr| ip.to_canonical())
        {
            Some(IpAddr::V4(v4)) => v4.to_string(),
            Some(IpAddr::V6(v6)) => {
                Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).to_string()
            }
            None => String::new(),
        };
        let day = now_ms / DAY_MS;
        let mut hash = secret.derive(&format!("address/{day}/{network}"));
        hash.truncate(32);
        Self(hash)
    }

    /// The hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::secret;

    #[test]
    fn addresses_are_told_apart_for_a_day_and_never_shown() {
        let at = |ip: &str, now| Address::new(&secret(), Some(ip), now);
        let same = |a: &str, b: &str| assert_eq!(at(a, 0), at(b, 0), "{a} {b}");
        same("192.0.2.1", " 192.0.2.1 ");
        same("::ffff:192.0.2.1", "192.0.2.1");
        same("2001:db8::1", "2001:db8::ffff:1:2");
        same("nonsense", "");
        assert_ne!(at("192.0.2.1", 0), at("192.0.2.2", 0));
        assert_ne!(at("2001:db8::1", 0), at("2001:db8:0:1::1", 0));
        assert_ne!(at("192.0.2.1", 0), at("192.0.2.1", DAY_MS));
        assert_eq!(Address::new(&secret(), None, 0), at("", 0));
        assert!(!at("192.0.2.1", 0).as_str().contains("192"));
    }
}
