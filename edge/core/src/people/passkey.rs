//! Passkeys (WebAuthn level 3): what a browser says of them is checked here; the platform verifies the signature.
//!
//! No attestation is asked for, so that the key of a registration is what the browser of a person who is signed in says it
//! is: its `getPublicKey()` (SPKI), which the platform imports.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use bulle_protocol::problem::{Code, Problem};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::password::Pepper;
use crate::digest::same;

/// Milliseconds in which a challenge is answered.
pub const CHALLENGE_MS: u64 = 300_000;

/// Most passkeys of a person.
pub const MAX_PASSKEYS: u32 = 20;

/// Longest id of a passkey, in bytes (WebAuthn, section 4, Credential ID).
const MAX_ID_BYTES: usize = 1_023;

/// Longest public key, in bytes: an RSA key of 4,096 bits has 550.
const MAX_KEY_BYTES: usize = 1_024;

/// The person was there.
const PRESENT: u8 = 0x01;

/// The person has proved who they are: a PIN, a finger, a face.
const VERIFIED: u8 = 0x04;

/// The data has a credential.
const ATTESTED: u8 = 0x40;

/// A signature algorithm of COSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, of Windows Hello.
    Rs256,
}

impl Algorithm {
    /// Every algorithm, the most wanted first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// The number in COSE.
    pub fn number(self) -> i32 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }

    /// The algorithm with this number.
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.number() == number)
    }
}

/// What a challenge is for. One that was made for something else is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Adding a passkey to an account.
    Create,
    /// Signing in, or proving who one is.
    Get,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
        }
    }
}

/// A challenge: signed by the deployment, so that nothing is stored before it is used.
pub fn challenge(pepper: &Pepper, purpose: Purpose, random: u128, now_ms: u64) -> String {
    let until = now_ms + CHALLENGE_MS;
    let text = format!("{random:032x}.{until}");
    let mac = pepper.mac(&format!("passkey/{}/{text}", purpose.name()));
    BASE64.encode(format!("{text}.{mac}"))
}

/// The random part of a challenge that this deployment has made for this purpose, and until when it is good.
fn own_challenge(
    pepper: &Pepper,
    purpose: Purpose,
    text: &str,
    now_ms: u64,
) -> Option<(String, u64)> {
    let text = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    let (signed, mac) = text.rsplit_once('.')?;
    let expected = pepper.mac(&format!("passkey/{}/{signed}", purpose.name()));
    let (random, until) = signed.split_once('.')?;
    let until = until.parse().ok().filter(|until| now_ms < *until)?;
    same(&expected, mac).then(|| (random.to_owned(), until))
}

/// Where a ceremony takes place.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// The origin of the page.
    pub origin: &'p str,
}

impl<'p> Place<'p> {
    /// The id of the relying party: the host of the origin.
    pub fn rp_id(&self) -> &'p str {
        let host = self.origin.split_once("://").map_or("", |(_, host)| host);
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        }
    }
}

/// A browser's answer that was checked, except for its signature.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    /// The random part of its challenge, which is used once.
    pub challenge: String,
    /// Unix milliseconds until which the challenge is good.
    pub until_ms: u64,
    /// How often the authenticator has signed; 0 when it does not count.
    pub counter: u32,
    /// What is signed: the authenticator's data and the hash of the client's.
    pub signed: Vec<u8>,
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
}

/// A browser's answer, in base64url.
#[derive(Clone, Copy, Debug)]
pub struct Given<'g> {
    /// `clientDataJSON`.
    pub client_data: &'g str,
    /// `authenticatorData`.
    pub authenticator_data: &'g str,
}

/// Checks a browser's answer: type, challenge, origin, relying party, presence and verification of the person.
///
/// # Errors
/// `credentials_invalid`.
pub fn check(
    pepper: &Pepper,
    purpose: Purpose,
    given: Given<'_>,
    place: Place<'_>,
    now_ms: u64,
) -> Result<Checked, Problem> {
    checked(pepper, purpose, given, place, now_ms).ok_or_else(refused)
}

fn checked(
    pepper: &Pepper,
    purpose: Purpose,
    given: Given<'_>,
    place: Place<'_>,
    now_ms: u64,
) -> Option<Checked> {
    let client = BASE64.decode(given.client_data).ok()?;
    let data: ClientData = crate::json::read(std::str::from_utf8(&client).ok()?).ok()?;
    let kind = format!("webauthn.{}", purpose.name());
    if data.kind != kind || data.origin != place.origin || data.cross_origin {
        return None;
    }
    let (challenge, until_ms) = own_challenge(pepper, purpose, &data.challenge, now_ms)?;
    let mut signed = BASE64.decode(given.authenticator_data).ok()?;
    let (flags, counter) = head(&signed, place.rp_id())?;
    if flags & (PRESENT | VERIFIED) != PRESENT | VERIFIED {
        return None;
    }
    signed.extend(Sha256::digest(&client));
    Some(Checked {
        challenge,
        until_ms,
        counter,
        signed,
    })
}

/// The flags and the counter of authenticator data for this relying party.
fn head(data: &[u8], rp_id: &str) -> Option<(u8, u32)> {
    let (hash, rest) = data.split_at_checked(32)?;
    let (&flags, rest) = rest.split_first()?;
    let (counter, _) = rest.split_first_chunk::<4>()?;
    (hash == Sha256::digest(rp_id).as_slice()).then(|| (flags, u32::from_be_bytes(*counter)))
}

/// The id of the credential that authenticator data of a registration has: bytes 53 and 54 are its length.
fn credential_id(data: &[u8]) -> Option<&[u8]> {
    let flags = *data.get(32)?;
    let (length, rest) = data.get(53..)?.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    (flags & ATTESTED != 0).then(|| rest.get(..length))?
}

/// A credential of a registration.
#[derive(Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id, base64url.
    pub id: String,
    /// SPKI, base64url.
    pub public_key: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
}

/// Checks the credential of a registration whose answer was checked.
///
/// # Errors
/// `credentials_invalid`.
pub fn credential(
    id: &str,
    authenticator_data: &str,
    (public_key, algorithm): (&str, i32),
) -> Result<Credential, Problem> {
    let read = || {
        let data = BASE64.decode(authenticator_data).ok()?;
        let own = credential_id(&data)?;
        let key = BASE64.decode(public_key).ok()?;
        let fits = !own.is_empty() && own.len() <= MAX_ID_BYTES && BASE64.encode(own) == id;
        let key_fits = !key.is_empty() && key.len() <= MAX_KEY_BYTES;
        let algorithm = Algorithm::of(algorithm)?;
        (fits && key_fits).then(|| Credential {
            id: id.to_owned(),
            public_key: public_key.to_owned(),
            algorithm,
        })
    };
    read().ok_or_else(refused)
}

/// The signature as the platform takes it: of ECDSA, two numbers of 32 bytes instead of DER. `None` when it is none.
pub fn signature(algorithm: Algorithm, given: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(given).ok()?;
    match algorithm {
        Algorithm::Es256 => raw(&bytes),
        Algorithm::EdDsa | Algorithm::Rs256 => Some(bytes),
    }
}

/// The two numbers of `SEQUENCE { INTEGER r, INTEGER s }`, whose lengths fit into a byte.
fn raw(der: &[u8]) -> Option<Vec<u8>> {
    let [0x30, length, rest @ ..] = der else {
        return None;
    };
    if usize::from(*length) != rest.len() {
        return None;
    }
    let (r, rest) = integer(rest)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

/// A number of at most 32 bytes, and what follows it.
fn integer(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [0x02, length, rest @ ..] = der else {
        return None;
    };
    let (number, rest) = rest.split_at_checked(usize::from(*length))?;
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = number.get(zeros..)?;
    let mut whole = [0; 32];
    let start = whole.len().checked_sub(number.len())?;
    whole.get_mut(start..)?.copy_from_slice(number);
    Some((whole, rest))
}

/// Bytes of base64url.
///
/// # Errors
/// `credentials_invalid`.
pub fn bytes(text: &str) -> Result<Vec<u8>, Problem> {
    BASE64.decode(text).map_err(|_| refused())
}

/// base64url of an id, which browsers take as the handle of a person.
pub fn handle(id: &str) -> String {
    BASE64.encode(id)
}

/// Whether a counter shows that nobody has copied the authenticator: it grows, or the authenticator does not count.
pub fn counts_on(before: u32, now: u32) -> bool {
    now > before || before == 0 && now == 0
}

/// The answer to a passkey that is unknown, was removed, or has signed something else; it does not tell which.
pub fn refused() -> Problem {
    Problem::new(
        Code::CredentialsInvalid,
        "This passkey is not accepted here, or it took longer than five minutes. Try again, or sign in with your password.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;
    const PLACE: Place<'_> = Place {
        origin: "https://chat.example.com",
    };

    fn pepper(letter: &str) -> Pepper {
        Pepper::new(Some(&letter.repeat(32))).unwrap_or_else(|_| panic!("long enough"))
    }

    fn client(kind: &str, challenge: &str, origin: &str, more: &str) -> String {
        BASE64.encode(format!(
            r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{more}}}"#
        ))
    }

    fn authenticator(rp_id: &str, flags: u8, counter: u32, more: &[u8]) -> String {
        let mut data = Sha256::digest(rp_id).to_vec();
        data.push(flags);
        data.extend(counter.to_be_bytes());
        data.extend(more);
        BASE64.encode(data)
    }

    fn asked(client_data: &str, authenticator_data: &str, now_ms: u64) -> Option<Checked> {
        let given = Given {
            client_data,
            authenticator_data,
        };
        check(&pepper("p"), Purpose::Get, given, PLACE, now_ms).ok()
    }

    #[test]
    fn an_answer_is_to_an_own_challenge_from_the_own_page_with_the_person_verified() {
        let own = challenge(&pepper("p"), Purpose::Get, 7, NOW);
        let good = client("webauthn.get", &own, PLACE.origin, "");
        let data = authenticator("chat.example.com", 0x05, 9, &[]);
        let found = asked(&good, &data, NOW).unwrap();
        assert_eq!((found.counter, found.until_ms), (9, NOW + CHALLENGE_MS));
        assert_eq!(found.challenge, format!("{:032x}", 7));
        assert_eq!(found.signed.len(), 37 + 32);
        assert!(asked(&good, &data, NOW + CHALLENGE_MS - 1).is_some());
        assert!(
            asked(&good, &data, NOW + CHALLENGE_MS).is_none(),
            "too late"
        );
        let made = challenge(&pepper("p"), Purpose::Create, 7, NOW);
        let strange = challenge(&pepper("q"), Purpose::Get, 7, NOW);
        for (client, data) in [
            (
                client("webauthn.create", &own, PLACE.origin, ""),
                data.clone(),
            ),
            (
                client("webauthn.get", &made, PLACE.origin, ""),
                data.clone(),
            ),
            (
                client("webauthn.get", &strange, PLACE.origin, ""),
                data.clone(),
            ),
            (client("webauthn.get", "", PLACE.origin, ""), data.clone()),
            (
                client("webauthn.get", &own, "https://evil.example", ""),
                data.clone(),
            ),
            (
                client("webauthn.get", &own, PLACE.origin, r#","crossOrigin":true"#),
                data.clone(),
            ),
            (good.clone(), authenticator("evil.example", 0x05, 9, &[])),
            (
                good.clone(),
                authenticator("chat.example.com", 0x01, 9, &[]),
            ),
            (
                good.clone(),
                authenticator("chat.example.com", 0x04, 9, &[]),
            ),
            (good.clone(), BASE64.encode([0; 36])),
            (good.clone(), String::new()),
            (String::new(), data.clone()),
        ] {
            assert_eq!(asked(&client, &data, NOW), None, "{client}");
        }
    }

    #[test]
    fn the_relying_party_is_the_host() {
        for (origin, rp_id) in [
            ("https://chat.example.com", "chat.example.com"),
            ("http://localhost:8787", "localhost"),
            ("", ""),
        ] {
            assert_eq!(Place { origin }.rp_id(), rp_id);
        }
    }

    #[test]
    fn a_credential_has_the_id_of_its_data() {
        let mut more = vec![0; 16];
        more.extend([0, 3, 1, 2, 3, 0xa0]);
        let data = authenticator("x", 0x45, 0, &more);
        let (id, key) = (BASE64.encode([1, 2, 3]), BASE64.encode([9; 91]));
        let found = credential(&id, &data, (&key, -7)).unwrap();
        assert_eq!(
            (found.id.as_str(), found.algorithm),
            (id.as_str(), Algorithm::Es256)
        );
        let bare = authenticator("x", 0x05, 0, &more);
        let short = authenticator("x", 0x45, 0, &[0; 17]);
        for (id, data, key, number) in [
            (BASE64.encode([1, 2, 4]), &data, &key, -7),
            (id.clone(), &bare, &key, -7),
            (id.clone(), &short, &key, -7),
            (id.clone(), &data, &String::new(), -7),
            (id.clone(), &data, &BASE64.encode([9; 1_025]), -7),
            (id.clone(), &data, &key, -35),
        ] {
            assert!(credential(&id, data, (key, number)).is_err());
        }
    }

    #[test]
    fn a_signature_of_ecdsa_becomes_two_numbers() {
        let der = |r: &[u8], s: &[u8]| {
            let number = |n: &[u8]| [&[0x02, n.len() as u8], n].concat();
            let both = [number(r), number(s)].concat();
            BASE64.encode([vec![0x30, both.len() as u8], both].concat())
        };
        let read = |text: &str| signature(Algorithm::Es256, text);
        let mut padded = vec![0];
        padded.extend([0xff; 32]);
        let found = read(&der(&padded, &[5])).unwrap();
        assert_eq!(
            (found.len(), &found[..32], found[63]),
            (64, &[0xff; 32][..], 5)
        );
        assert_eq!(read(&der(&[1; 33], &[5])), None);
        assert_eq!(read(&BASE64.encode([0x30, 3, 2, 1])), None);
        assert_eq!(signature(Algorithm::EdDsa, "AAE").unwrap(), [0, 1]);
    }

    #[test]
    fn a_counter_grows_or_is_none() {
        assert!(counts_on(0, 0) && counts_on(0, 1) && counts_on(4, 5));
        assert!(!counts_on(5, 5) && !counts_on(5, 4) && !counts_on(5, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic_and_none_pass(client in proptest::collection::vec(0_u8.., 0..200), data in proptest::collection::vec(0_u8.., 0..200)) {
            let [client, data] = [client, data].map(|bytes| BASE64.encode(bytes));
            proptest::prop_assert!(asked(&client, &data, NOW).is_none());
            let _ = credential(&client, &data, (&client, -7));
            let _ = signature(Algorithm::Es256, &data);
        }

        /// With the own page and an own challenge, bad bytes of an authenticator pass only with its head.
        #[test]
        fn bad_bytes_of_an_authenticator_are_refused(data in proptest::collection::vec(0_u8.., 0..120)) {
            let own = challenge(&pepper("p"), Purpose::Get, 7, NOW);
            let client = client("webauthn.get", &own, PLACE.origin, "");
            proptest::prop_assert!(asked(&client, &BASE64.encode(data), NOW).is_none());
        }
    }
}
