//! Known visitors: a JSON Web Token ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that the site's own server has
//! signed with HMAC-SHA-256 and one of its tenant's identity secrets.
//!
//! The secrets are derived from the deployment's `SESSION_SECRET` and are nowhere stored: a copy of the database
//! lets nobody sign. Whoever changes `SESSION_SECRET` changes them all.

use super::token::Secret;

/// The identity secret with this id: 64 hexadecimal digits, whose ASCII bytes are the key of the HMAC.
pub fn derive(deployment: &Secret, tenant_id: &str, id: &str) -> String {
    deployment.derive(&format!("identity/{tenant_id}/{id}"))
}
