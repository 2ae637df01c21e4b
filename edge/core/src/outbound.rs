//! The address policy: to which addresses the edge sends requests when an owner, a link or a redirect names the address.
//! It holds for sources and webhooks, and for every later kind of request whose address the operator does not set.
//!
//! Addresses of private networks are refused before a request is sent (SSRF), because the edge could reach hosts there
//! that the owner cannot, and because its failures would reveal which ports are open. Redirects are followed by hand, and
//! every hop is checked like the first address. Addresses that the operator sets (models, the mail service, Turnstile)
//! are not checked, because the operator may use the edge's own network. `xtask/tests/tidy/outbound.rs` lists the files
//! that send requests, and who names their addresses.
//!
//! A public name ends in a top-level domain of the root zone. This rule excludes the names of private networks
//! (`.local`, `.internal`, `.svc`, `.consul`, a bare `router`) without a list of them. A host that is written as a number,
//! in any base and with any number of parts, is checked as the IP address that it stands for.
//!
//! A public name may still resolve to a private address. Requests from Cloudflare's network do not reach private ones;
//! a self-hosted workerd refuses them by `network = (allow = ["public"])`, its default.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest address, in bytes.
pub const MAX_ADDRESS: usize = 2_000;

/// The top-level domains of the [root zone](https://www.iana.org/domains/root/db), without `arpa`, whose names are not
/// hosts.
const TOP_LEVEL_DOMAINS: &str = include_str!("tlds.txt");

/// Public names that resolve to the machine itself or to a private network; also every name below them.
const PRIVATE_NAMES: [&str; 13] = [
    "fritz.box",
    "internal.cloudapp.net",
    "lacolhost.com",
    "localhost.direct",
    "localtest.me",
    "lvh.me",
    "metadata.goog",
    "nip.io",
    "sslip.io",
    "traefik.me",
    "ts.net",
    "vcap.me",
    "xip.io",
];

/// The address policy of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// `host:port` of private hosts that are allowed, also over http.
    local: Vec<String>,
}

/// The reason why an address is refused: a sentence for the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRefused(pub &'static str);

impl AddressPolicy {
    /// The policy of a deployment. `local` are the private hosts that its operator allows: `host:port`, separated by commas.
    pub fn new(local: Option<&str>) -> Self {
        let local = local.unwrap_or_default().split(',').map(str::trim);
        Self {
            local: local
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The address as it is requested: normalised, without fragment.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub fn check(&self, address: &str) -> Result<Url, AddressRefused> {
        let refused = |why| Err(AddressRefused(why));
        if address.len() > MAX_ADDRESS {
            return refused("The address is longer than 2,000 characters.");
        }
        let Ok(mut url) = Url::parse(address.trim()) else {
            return refused("This is no address. Write it whole: https://example.com/page.");
        };
        url.set_fragment(None);
        if !matches!(url.scheme(), "https" | "http") {
            return refused("Give an address that begins with https://.");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("The address holds a name or a password. Leave them out.");
        }
        if self.is_allowed_locally(&url) {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return refused("Give an address that begins with https://.");
        }
        if url.port().is_some() {
            return refused(
                "The address names a port. Leave it out: only the usual one of https is allowed.",
            );
        }
        let public = match url.host() {
            Some(Host::Domain(name)) => is_public_name(name),
            Some(Host::Ipv4(ip)) => is_public_v4(ip),
            Some(Host::Ipv6(ip)) => is_public_v6(ip),
            None => false,
        };
        if !public {
            return refused(
                "The address belongs to a private network or to one machine. Give one that everybody can reach.",
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
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let Some((rest, last)) = name.rsplit_once('.') else {
        // A name without a dot belongs to the local network.
        return false;
    };
    let mut known = TOP_LEVEL_DOMAINS.split_ascii_whitespace();
    let private = PRIVATE_NAMES.iter().any(|private| {
        let above = name.strip_suffix(private);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    });
    !rest.split('.').any(str::is_empty)
        && known.any(|known| known == last)
        && !private
        && !spells_private_v4(&name)
}

/// Whether a name contains a private address, as `10-0-0-1.example.com` does: some DNS services have a name for every
/// address, which resolves to that address.
fn spells_private_v4(name: &str) -> bool {
    let numbers: Vec<Option<u8>> = name
        .split(['.', '-'])
        .map(|part| part.parse().ok())
        .collect();
    numbers.windows(4).any(|four| match four {
        [Some(a), Some(b), Some(c), Some(d)] => !is_public_v4(Ipv4Addr::new(*a, *b, *c, *d)),
        _ => false,
    })
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
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let v4 = Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    // Addresses that stand for an IPv4 address: mapped, and translated (NAT64).
    if ip.to_ipv4_mapped().is_some() || [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(v4);
    }
    // Only 2000::/3 is allocated; in it, these are not public: protocols such as Teredo (2001::/23), documentation, 6to4.
    a & 0xe000 == 0x2000
        && !(a == 0x2001 && b < 0x200)
        && (a, b) != (0x2001, 0xdb8)
        && a != 0x2002
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
            "https://example.com./",
            "https://ec2-54-1-2-3.compute.amazonaws.com/",
            "https://www.svc.example.org/",
            "https://internal.example.dev/",
            "https://xn--80aswg.xn--p1ai/",
            "https://例え.みんな/",
            "https://[64:ff9b::8.8.8.8]/",
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
            "https://kubernetes.default.svc/",
            "https://kubernetes.default.svc.cluster.local/",
            "https://KUBERNETES.default.SVC./",
            "https://kubernetes.default/",
            "https://kubernetes/",
            "https://redis.consul/",
            "https://vault.service.consul/",
            "https://db.prod.nomad/",
            "https://host.docker.internal/",
            "https://ip-10-0-0-1.ec2.internal/",
            "https://api.cluster/",
            "https://fileserver.corp/",
            "https://nas.lan/",
            "https://nas.home/",
            "https://nas.home.arpa/",
            "https://1.0.0.127.in-addr.arpa/",
            "https://shop.test/",
            "https://shop.example/",
            "https://hidden.onion/",
            "https://example.com../",
            "https://.example.com/",
            "https://a..example.com/",
            "https://localhost./",
            "https://localhost。/",
            "https://%6c%6fcalhost/",
            "https://①②⑦.0.0.1/",
            "https://127.0.0.1./",
            "https://0x7f.0.0.1/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://127.0.1/",
            "https://3232235777/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:0:10.0.0.1]/",
            "https://[64:ff9b:1::8.8.8.8]/",
            "https://[2001:2::1]/",
            "https://[2001:20::1]/",
            "https://[3fff::1]/",
            "https://metadata.goog/",
            "https://printer.fritz.box/",
            "https://machine.tail1234.ts.net/",
            "https://10-0-0-1.example.com/",
            "https://a.192-168-1-1.example.org/",
            "https://127.0.0.1.example.com/",
            "https://127.0.0.1.nip.io/",
            "https://localtest.me/",
            "https://１２７.0.0.1/",
        ] {
            let refused = AddressPolicy::default().check(address);
            assert!(refused.is_err(), "{address}");
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
        // A top-level domain that is newer than the list.
        let policy = AddressPolicy::new(Some("shop.newest:443"));
        assert!(policy.check("https://shop.newest/a").is_ok());
        assert!(policy.check("https://www.shop.newest/a").is_err());
    }

    #[test]
    fn the_list_of_top_level_domains_is_one_of_names() {
        let all: Vec<&str> = TOP_LEVEL_DOMAINS.split_ascii_whitespace().collect();
        assert!(all.len() > 1_400 && all.is_sorted());
        for name in &all {
            assert!(name.len() > 1 && !name.contains('.'), "{name}");
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{name}"
            );
        }
        for private in [
            "arpa",
            "example",
            "internal",
            "invalid",
            "local",
            "localhost",
            "onion",
            "svc",
            "test",
        ] {
            assert!(!all.contains(&private), "{private}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_address_is_judged_as_what_it_is_however_it_is_written(ip: u32) {
            let [a, b, c, d] = ip.to_be_bytes();
            let public = is_public_v4(Ipv4Addr::from(ip));
            let (wide, low) = (u32::from(b) << 16 | u32::from(c) << 8 | u32::from(d), u32::from(c) << 8 | u32::from(d));
            for host in [
                format!("{a}.{b}.{c}.{d}"), format!("{ip}"), format!("{ip:#x}"), format!("0{ip:o}"),
                format!("{a}.{wide}"), format!("{a}.{b}.{low}"), format!("{a:#x}.0{b:o}.{c}.{d}."),
                format!("[::ffff:{a}.{b}.{c}.{d}]"), format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
            ] {
                let allowed = AddressPolicy::default().check(&format!("https://{host}/")).is_ok();
                proptest::prop_assert_eq!(allowed, public, "{}", host);
            }
        }

        #[test]
        fn no_address_panics(address in "(?s).{0,60}", host in "[a-z0-9.-]{0,30}") {
            let _ = AddressPolicy::default().check(&address);
            let _ = AddressPolicy::default().check(&format!("https://{host}/"));
        }
    }
}
