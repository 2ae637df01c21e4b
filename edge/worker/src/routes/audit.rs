//! The audit of requests. The front door writes an entry for each operation of the table below that has succeeded; the
//! one place that authorizes a caller says who it was.

use axum::{
    body::Body,
    http::{HeaderMap, Method, Response, header},
    response::IntoResponse,
};
use bulle_edge_core::{
    admin::Principal,
    ports::{Clock, Entropy},
};
use bulle_protocol::{Id, problem::Problem};
use std::sync::{Arc, OnceLock};

use crate::{adapters::Edge, log, repositories::audit::Entry, routes::person::unavailable};

/// Most characters of an object, and of a detail.
const MAX_TEXT: usize = 4_000;

/// Every operation that the audit has: the method, the path below the tenant (or below `/v1`, for what belongs to none),
/// and its name in `openapi.json`. Those that change something, and those that show what visitors have said or a secret.
const OPERATIONS: &[(&str, &str, &str)] = &[
    ("POST", "/v1/account/sign-in", "sign_in"),
    ("POST", "/v1/account/sign-in/recovery", "sign_in_recovery"),
    (
        "POST",
        "/v1/account/recovery-codes",
        "recovery_codes_create",
    ),
    ("POST", "/v1/account/step-up", "step_up"),
    ("PUT", "/v1/account/password", "password_change"),
    ("DELETE", "/v1/account/sessions", "session_end_all"),
    ("DELETE", "/v1/account/sessions/{id}", "session_end"),
    ("POST", "/v1/account/invitations", "invitation_accept"),
    (
        "POST",
        "/v1/admin/invitations",
        "operator_invitation_create",
    ),
    (
        "DELETE",
        "/v1/admin/invitations/{id}",
        "operator_invitation_revoke",
    ),
    ("POST", "/v1/admin/tenants", "tenant_create"),
    ("PATCH", "{tenant}", "tenant_change"),
    ("DELETE", "{tenant}", "tenant_delete"),
    ("POST", "{tenant}/bots", "bot_create"),
    ("PATCH", "{tenant}/bots/{bot}", "bot_change"),
    ("DELETE", "{tenant}/bots/{bot}", "bot_delete"),
    ("POST", "{tenant}/bots/{bot}/sources", "source_create"),
    ("POST", "{tenant}/bots/{bot}/files", "source_upload"),
    (
        "PATCH",
        "{tenant}/bots/{bot}/sources/{source}",
        "source_change",
    ),
    (
        "DELETE",
        "{tenant}/bots/{bot}/sources/{source}",
        "source_delete",
    ),
    (
        "PUT",
        "{tenant}/bots/{bot}/sources/{source}/file",
        "source_replace",
    ),
    (
        "POST",
        "{tenant}/bots/{bot}/sources/{source}/refresh",
        "source_refresh",
    ),
    (
        "POST",
        "{tenant}/bots/{bot}/gaps/{gap}/answer",
        "gap_answer",
    ),
    (
        "POST",
        "{tenant}/bots/{bot}/gaps/{gap}/dismiss",
        "gap_dismiss",
    ),
    ("POST", "{tenant}/bots/{bot}/golden", "golden_add"),
    ("POST", "{tenant}/bots/{bot}/golden/run", "golden_run"),
    ("DELETE", "{tenant}/bots/{bot}/golden/{id}", "golden_delete"),
    ("POST", "{tenant}/sites", "site_create"),
    ("PATCH", "{tenant}/sites/{key}", "site_change"),
    ("DELETE", "{tenant}/sites/{key}", "site_delete"),
    ("POST", "{tenant}/keys", "key_create"),
    ("DELETE", "{tenant}/keys/{id}", "key_revoke"),
    (
        "POST",
        "{tenant}/identity-secrets",
        "identity_secret_create",
    ),
    (
        "DELETE",
        "{tenant}/identity-secrets/{id}",
        "identity_secret_delete",
    ),
    ("POST", "{tenant}/invitations", "invitation_create"),
    ("DELETE", "{tenant}/invitations/{id}", "invitation_revoke"),
    (
        "POST",
        "{tenant}/invitations/{id}/renew",
        "invitation_renew",
    ),
    ("PATCH", "{tenant}/people/{id}", "person_change"),
    ("DELETE", "{tenant}/people/{id}", "person_remove"),
    ("GET", "{tenant}/conversations/{id}", "transcript"),
    ("GET", "{tenant}/answers/{reply_id}/prompt", "answer_prompt"),
    ("GET", "{tenant}/forms", "form_list"),
    (
        "POST",
        "{tenant}/conversations/delete",
        "conversations_delete",
    ),
    (
        "DELETE",
        "{tenant}/conversations/{id}",
        "owner_conversation_delete",
    ),
    (
        "PUT",
        "{tenant}/conversations/{id}/labels",
        "conversation_label",
    ),
    ("POST", "{tenant}/conversations/{id}/notes", "note_create"),
    (
        "DELETE",
        "{tenant}/conversations/{id}/notes/{note}",
        "note_delete",
    ),
    ("POST", "{tenant}/notices/test", "notice_test"),
    ("GET", "{tenant}/notices/secret", "notice_secret"),
];

/// Who made a request, as its handler has found out.
#[derive(Clone, Default)]
pub struct Audited(Arc<Found>);

#[derive(Default)]
struct Found {
    caller: OnceLock<Caller>,
    detail: OnceLock<String>,
}

struct Caller {
    /// Empty for what belongs to no tenant.
    tenant_id: String,
    person_id: Option<Id>,
    key_id: Option<Id>,
}

impl Audited {
    /// Says who called, and for which tenant. The first call counts.
    pub fn by(&self, caller: &Principal, tenant_id: Option<&str>) {
        let key_id = match caller {
            Principal::Key { id, .. } => Some(*id),
            Principal::Operator | Principal::Person(_) => None,
        };
        self.set(tenant_id, caller.person_id(), key_id);
    }

    /// Says which person called, and for which tenant. The first call counts.
    pub fn by_person(&self, person_id: Id, tenant_id: Option<&str>) {
        self.set(tenant_id, Some(person_id), None);
    }

    fn set(&self, tenant_id: Option<&str>, person_id: Option<Id>, key_id: Option<Id>) {
        let tenant_id = tenant_id.unwrap_or_default().to_owned();
        // A second call changes nothing.
        let _ = self.0.caller.set(Caller {
            tenant_id,
            person_id,
            key_id,
        });
    }

    /// Says more of what was done: never a secret, never a visitor's words.
    pub fn detail(&self, text: String) {
        let _ = self.0.detail.set(text);
    }

    /// Writes the entry of a request that has succeeded. What was read is not given out when the entry could not be
    /// written; what was changed is changed.
    pub async fn write(
        &self,
        edge: &Edge,
        (method, path): (&Method, &str),
        response: Response<Body>,
    ) -> Response<Body> {
        // A refusal is a problem, whose status is written later.
        let refused = response.extensions().get::<Problem>().is_some();
        let succeeded = response.status().is_success() && !refused;
        let (Some(caller), true) = (self.0.caller.get(), succeeded) else {
            return response;
        };
        let Some((action, below)) = action(method.as_str(), path) else {
            return response;
        };
        let object = object(below, response.headers(), path);
        let entry = Entry {
            id: Id::from_parts(edge.now_ms(), edge.random()),
            at: edge.now_ms(),
            // What is left of a tenant that was deleted is the operator's.
            tenant_id: if action == "tenant_delete" {
                ""
            } else {
                &caller.tenant_id
            },
            person_id: caller.person_id,
            key_id: caller.key_id,
            action,
            object: &object,
            detail: self.0.detail.get().map(|text| cut(text)),
        };
        match edge.audit().write(&entry).await {
            Ok(()) => response,
            Err(error) if *method == Method::GET => unavailable(&error).into_response(),
            Err(error) => {
                log::error("audit", &error);
                response
            }
        }
    }
}

/// The name of an operation, and its path below the tenant.
fn action<'p>(method: &str, path: &'p str) -> Option<(&'static str, &'p str)> {
    let below = path
        .strip_prefix("/v1/admin/tenants/")
        .map(|rest| rest.split_once('/').map_or("", |(_, below)| below));
    let (tenant, parts): (bool, Vec<&str>) = match below {
        Some(below) => (
            true,
            below.split('/').filter(|part| !part.is_empty()).collect(),
        ),
        None => (false, path.split('/').collect()),
    };
    let found = OPERATIONS.iter().find(|(verb, pattern, _)| {
        let (of_tenant, pattern) = match pattern.strip_prefix("{tenant}") {
            Some(rest) => (true, rest.trim_start_matches('/')),
            None => (false, *pattern),
        };
        let wanted: Vec<&str> = if pattern.is_empty() {
            Vec::new()
        } else {
            pattern.split('/').collect()
        };
        *verb == method
            && of_tenant == tenant
            && wanted.len() == parts.len()
            && wanted
                .iter()
                .zip(&parts)
                .all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
    });
    found.map(|(_, _, action)| (*action, below.unwrap_or_default()))
}

/// What an operation was done to: the address below the tenant, of something new that of itself.
fn object(below: &str, headers: &HeaderMap, path: &str) -> String {
    let location = headers.get(header::LOCATION);
    let made = location.and_then(|value| value.to_str().ok()?.rsplit('/').next());
    let at = if below.is_empty() {
        path.trim_start_matches("/v1/").trim_start_matches("admin/")
    } else {
        below
    };
    let whole = match made {
        Some(made) => format!("{at}/{made}"),
        None => at.to_owned(),
    };
    cut(&whole).to_owned()
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT).map(|(place, _)| place);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Reading operations that the audit has, and changing ones that it has not.
    const READ: [&str; 4] = ["transcript", "answer_prompt", "form_list", "notice_secret"];
    const LEFT_OUT: [&str; 1] = ["sign_out"];

    #[test]
    fn everything_that_changes_something_is_in_the_audit_by_its_name() {
        let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
        let mut wanted = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap_or_default();
                let tag = operation["tags"][0].as_str().unwrap();
                let ours = tag == "owner" || tag == "account";
                if ours && (method != "get" || READ.contains(&id)) && !LEFT_OUT.contains(&id) {
                    let path = path.replace("{tenant}", "acme").replace(['{', '}'], "");
                    let found = action(&method.to_uppercase(), &path);
                    assert_eq!(found.map(|(action, _)| action), Some(id), "{method} {path}");
                    wanted.insert(id.to_owned());
                }
            }
        }
        let all: BTreeSet<_> = OPERATIONS
            .iter()
            .map(|(_, _, action)| (*action).to_owned())
            .collect();
        assert_eq!(all, wanted);
        assert_eq!(action("GET", "/v1/admin/tenants/acme/bots"), None);
        assert_eq!(action("POST", "/v1/sessions"), None);
    }

    #[test]
    fn an_object_is_the_address_below_the_tenant() {
        let mut headers = HeaderMap::new();
        let at = "/v1/admin/tenants/acme/bots";
        assert_eq!(object("bots/guide", &headers, at), "bots/guide");
        assert_eq!(
            object("", &headers, "/v1/account/password"),
            "account/password"
        );
        headers.insert(
            header::LOCATION,
            "/v1/admin/tenants/acme/bots/new".parse().unwrap(),
        );
        assert_eq!(object("bots", &headers, at), "bots/new");
        assert_eq!(object("", &headers, "/v1/admin/tenants"), "tenants/new");
        let long = "é".repeat(5_000);
        assert_eq!(
            object(&long, &HeaderMap::new(), at).chars().count(),
            MAX_TEXT
        );
    }
}
