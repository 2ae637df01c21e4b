//! Tokens that a browser or a link carries: an id, by which the row is found, and a secret, of which the row has only
//! the hash.

use bulle_protocol::Id;

use crate::{
    digest::{same, sha256_hex},
    model::is_id,
};

/// Hexadecimal digits of a secret.
const SECRET_DIGITS: usize = 64;

/// A token `{id}_{secret}`. Has no `Debug`, so that it cannot be logged.
pub struct Token {
    /// The id of its row.
    pub id: Id,
    secret: String,
}

impl Token {
    /// A token with two random numbers as its secret.
    pub fn new(id: Id, random: [u128; 2]) -> Self {
        let [high, low] = random;
        Self {
            id,
            secret: format!("{high:032x}{low:032x}"),
        }
    }

    /// Reads a token; only its one spelling is accepted.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.split_once('_')?;
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if secret.len() != SECRET_DIGITS || !secret.bytes().all(digit) {
            return None;
        }
        Some(Self {
            id: id.parse().ok()?,
            secret: secret.to_owned(),
        })
    }

    /// The token as it is sent.
    pub fn reveal(&self) -> String {
        format!("{}_{}", self.id, self.secret)
    }

    /// SHA-256 of the token, hexadecimal. The secret has 256 random bits, so a slow hash would add no protection.
    pub fn hash(&self) -> String {
        sha256_hex([self.reveal().as_bytes()])
    }

    /// Whether this is the token of the stored hash; in constant time.
    pub fn is(&self, stored_hash: &str) -> bool {
        same(&self.hash(), stored_hash)
    }
}

/// The token of an invitation: `{tenant}_{id}_{secret}`; the operator's own links belong to no tenant and begin with `_`.
pub struct InvitationToken {
    /// The tenant; empty for a link of the operator.
    pub tenant_id: String,
    /// The id and the secret.
    pub token: Token,
}

impl InvitationToken {
    /// Reads a token; only its one spelling is accepted.
    pub fn parse(text: &str) -> Option<Self> {
        let (tenant_id, token) = text.split_once('_')?;
        if !tenant_id.is_empty() && !is_id(tenant_id) {
            return None;
        }
        Some(Self {
            tenant_id: tenant_id.to_owned(),
            token: Token::parse(token)?,
        })
    }

    /// The token as it stands in a link.
    pub fn reveal(&self) -> String {
        format!("{}_{}", self.tenant_id, self.token.reveal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling_and_one_hash() {
        let token = Token::new(Id::from_parts(1, 7), [1, u128::MAX]);
        let text = token.reveal();
        let read = Token::parse(&text).unwrap();
        assert_eq!((read.id, read.reveal()), (token.id, text.clone()));
        assert!(read.is(&token.hash()) && !read.is("") && !read.is(&text));
        assert!(!Token::new(token.id, [1, 0]).is(&token.hash()));
        assert!(!Token::new(Id::from_parts(2, 7), [1, u128::MAX]).is(&token.hash()));
        for wrong in [
            "",
            "_",
            &text.to_uppercase(),
            &text.replace("ff", "FF"),
            &format!("{text}0"),
            text.split_at(1).1,
            text.split_at(60).0,
        ] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_invitation_names_its_tenant_or_none() {
        for tenant in ["acme", ""] {
            let token = Token::new(Id::from_parts(1, 7), [1, 2]);
            let invitation = InvitationToken {
                tenant_id: tenant.into(),
                token,
            };
            let read = InvitationToken::parse(&invitation.reveal()).unwrap();
            assert_eq!(read.tenant_id, tenant);
            assert!(read.token.is(&invitation.token.hash()));
        }
        assert!(InvitationToken::parse("A cme_x").is_none());
        assert!(InvitationToken::parse("acme").is_none());
    }
}
