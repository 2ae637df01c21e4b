//! The edge's own addresses. A client writes the `Host` header of its request, and any domain can point to any server. So
//! a value that is derived from `Host` (the origin of the hosted page, the edge's address in a script, in a snippet or in
//! a `User-Agent`) is used only when the host is known to be the edge's.
//!
//! The operator names the addresses in `PUBLIC_URL`. Without it, the edge knows the hosts that no other server can have:
//! those of the machine itself, for development, and names below `workers.dev`, which Cloudflare routes to their own Worker.

use url::{Host, Origin, Url};

/// The known addresses of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    /// Those of `PUBLIC_URL`, as browsers write origins; the first one is the default.
    named: Vec<String>,
}

impl OwnAddresses {
    /// The addresses that the operator has named, separated by commas.
    ///
    /// # Errors
    /// A sentence with the first value that is no address.
    pub fn new(named: Option<&str>) -> Result<Self, String> {
        let named = named.unwrap_or_default().split(',').map(str::trim);
        let named = named.filter(|address| !address.is_empty()).map(|address| {
            let wrong = || {
                format!("PUBLIC_URL: \"{address}\" is no address such as https://chat.example.com.")
            };
            origin(address)
                .map(|origin| origin.ascii_serialization())
                .ok_or_else(wrong)
        });
        Ok(Self {
            named: named.collect::<Result<_, _>>()?,
        })
    }

    /// The edge's address for the answer to a request that was sent to `requested`: that address if it is known, else the
    /// first one that the operator has named.
    pub fn for_request(&self, requested: &str) -> Option<String> {
        let requested = origin(requested).filter(|origin| self.knows(origin));
        let requested = requested.map(|origin| origin.ascii_serialization());
        requested.or_else(|| self.named.first().cloned())
    }

    /// Whether a page with this origin is the edge's own, for a request that was sent to `requested`.
    pub fn is_own(&self, page: &str, requested: &str) -> bool {
        let Some(origin) = origin(page).filter(|origin| origin.ascii_serialization() == page)
        else {
            return false;
        };
        // Another port of this machine belongs to another server.
        self.knows(&origin) && (!self.named.is_empty() || page == requested)
    }

    fn knows(&self, origin: &Origin) -> bool {
        let Origin::Tuple(_, host, _) = origin else {
            return false;
        };
        if !self.named.is_empty() {
            return self.named.contains(&origin.ascii_serialization());
        }
        match host {
            Host::Domain(name) => ["localhost", "workers.dev"].iter().any(|known| {
                let above = name.strip_suffix(known);
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }),
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        }
    }
}

/// The origin of an address of the web.
fn origin(address: &str) -> Option<Origin> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> OwnAddresses {
        OwnAddresses::new(Some(text)).unwrap()
    }

    #[test]
    fn a_page_is_not_ours_because_it_says_so() {
        let unnamed = OwnAddresses::default();
        for evil in [
            "http://evil.example",
            "https://evil.example",
            "https://evil.example:8787",
            "https://localhost.evil.example",
            "https://evil-workers.dev",
            "https://workers.dev.evil.example",
            "https://notlocalhost",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://169.254.169.254",
            "http://[::ffff:127.0.0.1]",
            "http://chat.example.com.evil.example",
            "null",
            "",
            "evil.example",
            "ftp://localhost",
        ] {
            for own in [&unnamed, &named("https://chat.example.com")] {
                assert!(!own.is_own(evil, evil), "{evil}");
                assert!(!own.is_own(evil, "https://chat.example.com"), "{evil}");
                assert!(!own.is_own(evil, "http://localhost:8787"), "{evil}");
            }
            assert_eq!(unnamed.for_request(evil), None, "{evil}");
            let address =
                named("https://chat.example.com, https://other.example.com").for_request(evil);
            assert_eq!(
                address.as_deref(),
                Some("https://chat.example.com"),
                "{evil}"
            );
        }
    }

    #[test]
    fn the_machine_itself_and_names_of_workers_are_ours() {
        let own = OwnAddresses::default();
        for address in [
            "http://localhost:8787",
            "http://localhost",
            "http://127.0.0.1:8787",
            "http://127.9.9.9",
            "http://[::1]:8787",
            "http://edge.localhost:8787",
            "https://bulle.acme.workers.dev",
            "https://1234-bulle.acme.workers.dev",
        ] {
            assert!(own.is_own(address, address), "{address}");
            assert_eq!(own.for_request(address).as_deref(), Some(address));
        }
        for (page, requested) in [
            ("http://localhost:5173", "http://localhost:8787"),
            ("http://127.0.0.1:8787", "http://localhost:8787"),
            ("https://localhost:8787", "http://localhost:8787"),
            ("https://evil.workers.dev", "https://bulle.acme.workers.dev"),
            ("http://localhost:8787/", "http://localhost:8787"),
        ] {
            assert!(!own.is_own(page, requested), "{page} {requested}");
        }
    }

    #[test]
    fn what_the_operator_names_is_ours_and_nothing_else() {
        let own = named("https://chat.example.com/, http://192.168.1.5:8787,");
        for address in ["https://chat.example.com", "http://192.168.1.5:8787"] {
            assert!(own.is_own(address, address));
            // Behind a proxy that passes on another name.
            assert!(own.is_own(address, "http://127.0.0.1:8787"));
            assert_eq!(own.for_request(address).as_deref(), Some(address));
        }
        for other in [
            "http://chat.example.com",
            "https://chat.example.com:8443",
            "https://www.chat.example.com",
            "http://localhost:8787",
            "https://bulle.acme.workers.dev",
        ] {
            assert!(!own.is_own(other, other), "{other}");
            let address = own.for_request(other);
            assert_eq!(
                address.as_deref(),
                Some("https://chat.example.com"),
                "{other}"
            );
        }
        assert_eq!(named(" , "), OwnAddresses::default());
        for wrong in [
            "chat.example.com",
            "/",
            "ftp://example.com",
            "https://a.example, b",
        ] {
            let text = OwnAddresses::new(Some(wrong)).unwrap_err();
            assert!(text.starts_with("PUBLIC_URL: "), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_host_is_ours_but_the_known_ones(host in "[a-z0-9.-]{1,20}(:[0-9]{1,5})?") {
            let address = format!("http://{host}");
            let name = host.split(':').next().unwrap_or_default().trim_end_matches('.');
            if OwnAddresses::default().is_own(&address, &address) {
                let known = name.ends_with("localhost") || name.ends_with("workers.dev") || name.starts_with("127.");
                proptest::prop_assert!(known, "{}", address);
            }
        }
    }
}
