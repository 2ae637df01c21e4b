//! The address policy: which addresses may be fetched. An owner, a link or a redirect may name any address. Those of
//! private networks are refused before a request is sent (SSRF), because the edge could reach hosts there that the
//! owner cannot.
//!
//! A public name may still resolve to a private address. Requests from Cloudflare's network do not reach private ones;
//! a self-hosted workerd refuses them by `network = (allow = ["public"])`, its default.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::{FailureCode, FetchError};

/// Longest address, in bytes.
pub const MAX_ADDRESS: usize = 2_000;

/// Names of the machine itself, of its network, or of a cloud's metadata service; also every name below them.
const PRIVATE_NAMES: [&str; 20] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "test",
    "invalid",
    "onion",
    // Public DNS services whose names contain the address that they resolve to.
    "nip.io",
    "sslip.io",
    "xip.io",
    "localtest.me",
    "lvh.me",
];

/// The address policy of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// The hosts (`host:port`) that may be fetched although they are private, also over plain HTTP.
    local: Vec<String>,
}

impl AddressPolicy {
    /// The policy of a deployment. `local` lists the hosts that its operator also allows: `host:port`, separated by
    /// commas.
    pub fn new(local: Option<&str>) -> Self {
        let local = local.unwrap_or_default().split(',').map(str::trim);
        Self {
            local: local
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Checks an address, and gives it as it is fetched: normalised, without fragment.
    ///
    /// # Errors
    /// `address_refused`, saying why.
    pub fn check(&self, address: &str) -> Result<Url, FetchError> {
        let refused = |why: &str| Err(FetchError::permanent(FailureCode::AddressRefused, why));
        if address.len() > MAX_ADDRESS {
            return refused("The address is longer than 2,000 characters.");
        }
        let Ok(mut url) = Url::parse(address.trim()) else {
            return refused("This is no address. Write it whole: https://example.com/page.");
        };
        url.set_fragment(None);
        if !matches!(url.scheme(), "https" | "http") {
            return refused("Only addresses that begin with https:// are fetched.");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("The address holds a name or a password. Pages are fetched without.");
        }
        if self.is_allowed_locally(&url) {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return refused("Only addresses that begin with https:// are fetched.");
        }
        if url.port().is_some() {
            return refused("The address names a port. Only the usual one of https is fetched.");
        }
        let public = match url.host() {
            Some(Host::Domain(name)) => is_public_name(name),
            Some(Host::Ipv4(ip)) => is_public_v4(ip),
            Some(Host::Ipv6(ip)) => is_public_v6(ip),
            None => false,
        };
        if !public {
            return refused(
                "The address belongs to a private network or to one machine. Only what everybody can reach is fetched.",
            );
        }
        Ok(url)
    }

    fn is_allowed_locally(&self, url: &Url) -> bool {
        let port = url.port_or_known_default().unwrap_or_default();
        let host = url.host_str().unwrap_or_default();
        let named = format!("{host}:{port}");
        self.local.contains(&named)
    }
}

fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let private = PRIVATE_NAMES.iter().any(|private| {
        let above = name.strip_suffix(private);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    });
    // A name without a dot is a host of the local network.
    name.contains('.') && !private
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let private = match (a, b, c) {
        // This network, the machine itself, private, multicast, reserved.
        (0 | 10 | 127 | 224..=255, _, _)
        // Carriers; link-local, with the metadata of clouds; private.
        | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _)
        // Protocols, documentation, old relays, measurements; the metadata of one cloud.
        | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113)
        | (168, 63, 129) => true,
        _ => false,
    };
    !private
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let [.., g, h] = ip.segments();
    let v4 = Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    // Addresses of version 6 that contain one of version 4: mapped, translated, 6to4 and Teredo.
    if ip.to_ipv4_mapped().is_some() || (a, b) == (0x64, 0xff9b) {
        return is_public_v4(v4);
    }
    // 2000::/3 is all of the global unicast space; excluded within it: documentation, 6to4, Teredo and benchmarks.
    a & 0xe000 == 0x2000
        && a != 0x2002
        && (a, b) != (0x2001, 0xdb8)
        && (a, b) != (0x2001, 0)
        && (a, b) != (0x2001, 2)
        && a & 0xfff0 != 0x3ff0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_can_reach_is_fetched() {
        for address in [
            "https://example.com",
            "https://example.com:443/a?b=c#d",
            "https://EXAMPLE.com/%C3%A9",
            "https://bücher.example.org/",
            "https://8.8.8.8/",
            "https://172.15.0.1/",
            "https://172.32.0.1/",
            "https://100.63.0.1/",
            "https://[2606:4700::1111]/",
            "https://mylocalhost.com/",
            "https://attest.org/",
        ] {
            let url = AddressPolicy::default().check(address).unwrap();
            assert_eq!(url.fragment(), None, "{address}");
        }
    }

    #[test]
    fn nothing_private_is_fetched_however_it_is_written() {
        for address in [
            "",
            "example.com",
            "/page",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://example.com/",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://example.com:8443/",
            "https://example.com:22/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://router/",
            "https://printer.local/",
            "https://metadata.google.internal/computeMetadata/v1/",
            "https://instance-data.ec2.internal/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://0/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://168.63.129.16/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:1::]/",
            "https://[fc00::1]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://[2001:db8::1]/",
            "https://127.0.0.1.nip.io/",
            "https://localtest.me/",
            "https://１２７.0.0.1/",
        ] {
            let refused = AddressPolicy::default().check(address).unwrap_err();
            assert_eq!(
                refused.failure().code,
                FailureCode::AddressRefused,
                "{address}"
            );
        }
        assert!(
            AddressPolicy::default()
                .check(&format!("https://example.com/{}", "a".repeat(2_000)))
                .is_err()
        );
    }

    #[test]
    fn an_operator_may_allow_machines_of_their_own() {
        let policy = AddressPolicy::new(Some(" 127.0.0.1:4000 ,localhost:80,"));
        for allowed in ["http://127.0.0.1:4000/a", "http://localhost/"] {
            assert!(policy.check(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "http://127.0.0.1:4001/",
            "http://127.0.0.1/",
            "https://localhost/",
            "http://localhost:8080/",
            "http://[::1]:4000/",
            "http://a@127.0.0.1:4000/",
        ] {
            assert!(policy.check(refused).is_err(), "{refused}");
        }
        assert_eq!(AddressPolicy::new(Some("")), AddressPolicy::default());
    }
}
