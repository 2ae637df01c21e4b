//! Sessions of people: how long they last, and the cookie that carries them.

use bulle_protocol::Id;

use super::token::Token;

/// Milliseconds without a request after which a session ends.
pub const IDLE_MS: u64 = 12 * 3_600_000;

/// Milliseconds after the sign-in at which every session ends.
pub const LONGEST_MS: u64 = 14 * 86_400_000;

/// Milliseconds after the password was given in which a person may do what needs it.
pub const PROVED_MS: u64 = 600_000;

/// Milliseconds by which the stored time of the last request may be late.
pub const SEEN_GRAIN_MS: u64 = 300_000;

/// Longest stored `User-Agent`, in characters.
const MAX_USER_AGENT: usize = 200;

/// The times of a session, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Of the sign-in.
    pub created_at: u64,
    /// Of the last request, to [`SEEN_GRAIN_MS`].
    pub seen_at: u64,
    /// Of the last time that the password was given.
    pub proved_at: u64,
}

impl Times {
    /// When the session ends unless a request comes before.
    pub fn expires_at(&self) -> u64 {
        (self.seen_at + IDLE_MS).min(self.created_at + LONGEST_MS)
    }

    /// Until when the password needs not be given again.
    pub fn proved_until(&self) -> u64 {
        self.proved_at + PROVED_MS
    }

    /// Whether the time of this request has to be stored.
    pub fn is_stale(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_at) >= SEEN_GRAIN_MS
    }
}

/// The cookie of sessions. Its name depends on how the edge is reached: over HTTPS it has the prefix `__Host-`, so that
/// no subdomain can set it; over plain HTTP, which only the own machine has, browsers refuse that prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    secure: bool,
}

impl Cookie {
    /// The cookie at this origin of the edge.
    pub fn at(requested: &str) -> Self {
        let host = requested.strip_prefix("http://").map(|host| {
            let name = host.rsplit_once(':').map_or(host, |(name, port)| {
                if port.bytes().all(|b| b.is_ascii_digit()) {
                    name
                } else {
                    host
                }
            });
            ["localhost", "127.0.0.1", "[::1]"].contains(&name)
        });
        Self {
            secure: !host.unwrap_or(false),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        if self.secure { "__Host-bulle" } else { "bulle" }
    }

    /// The token in a `Cookie` header. A header with two such cookies has none: one of them is a stranger's.
    pub fn read(self, header: &str) -> Option<Token> {
        let mut values = header.split(';').filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.name()).then_some(value)
        });
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Token::parse(value)
    }

    /// The `Set-Cookie` header of a session.
    pub fn set(self, token: &Token) -> String {
        self.header(&token.reveal(), LONGEST_MS / 1_000)
    }

    /// The `Set-Cookie` header that removes the session.
    pub fn clear(self) -> String {
        self.header("", 0)
    }

    fn header(self, value: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name();
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

/// What is stored of a browser's name for itself.
pub fn user_agent(header: Option<&str>) -> String {
    let text = header.unwrap_or_default().chars();
    text.filter(|c| !c.is_control())
        .take(MAX_USER_AGENT)
        .collect()
}

/// A session that is to be stored.
pub struct NewSession {
    /// Its token.
    pub token: Token,
    /// [`user_agent`].
    pub user_agent: String,
    /// Unix milliseconds.
    pub now_ms: u64,
}

impl NewSession {
    /// A session with random numbers that are fit for secrets.
    pub fn new(now_ms: u64, [id, high, low]: [u128; 3], user_agent: String) -> Self {
        Self {
            token: Token::new(Id::from_parts(now_ms, id), [high, low]),
            user_agent,
            now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::new(Id::from_parts(1, 1), [2, 3])
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_in_any_case() {
        let times = |seen_at| Times {
            created_at: 1_000,
            seen_at,
            proved_at: 1_000,
        };
        assert_eq!(times(1_000).expires_at(), 1_000 + IDLE_MS);
        assert_eq!(times(LONGEST_MS).expires_at(), 1_000 + LONGEST_MS);
        assert_eq!(times(1_000).proved_until(), 601_000);
        assert!(!times(1_000).is_stale(300_999) && times(1_000).is_stale(301_000));
    }

    #[test]
    fn the_cookie_is_the_hosts_alone_except_on_the_own_machine() {
        for own in [
            "http://localhost:8787",
            "http://localhost",
            "http://127.0.0.1:1",
            "http://[::1]:8787",
            "http://[::1]",
        ] {
            assert_eq!(Cookie::at(own).name(), "bulle", "{own}");
        }
        for other in [
            "https://localhost",
            "https://chat.example.com",
            "http://chat.example.com",
            "http://localhost.example.com",
            "http://192.168.0.2:80",
            "",
            "http://localhost:x",
        ] {
            assert_eq!(Cookie::at(other).name(), "__Host-bulle", "{other}");
        }
        let value = token().reveal();
        assert_eq!(
            Cookie::at("https://x").set(&token()),
            format!(
                "__Host-bulle={value}; Path=/; Max-Age=1209600; HttpOnly; SameSite=Strict; Secure"
            )
        );
        assert_eq!(
            Cookie::at("http://localhost").clear(),
            "bulle=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn a_cookie_is_read_by_its_own_name_and_only_once() {
        let cookie = Cookie::at("https://x");
        let value = token().reveal();
        let read = |header: &str| cookie.read(header).map(|token| token.reveal());
        assert_eq!(read(&format!("__Host-bulle={value}")), Some(value.clone()));
        assert_eq!(
            read(&format!("a=b; __Host-bulle={value};c")),
            Some(value.clone())
        );
        for none in [
            String::new(),
            format!("bulle={value}"),
            format!("__Host-bulle={value}; __Host-bulle={value}"),
            format!("__host-bulle={value}"),
            format!(
                "__Host-bulle={}",
                value.trim_end_matches(char::is_alphanumeric)
            ),
        ] {
            assert_eq!(read(&none), None, "{none}");
        }
    }

    #[test]
    fn a_browser_is_stored_in_a_line() {
        assert_eq!(user_agent(Some("Moz\u{7}illa")), "Mozilla");
        assert_eq!(user_agent(Some(&"x".repeat(900))).len(), 200);
        assert_eq!(user_agent(None), "");
    }
}
