//! The owner's API: `/v1/admin/…`, for API keys and people who are signed in. A handler says which scope may do what with which kind of resource;
//! the rest is the same for all kinds and stands in [`crud`] and [`create`].

pub mod audit;
pub mod bots;
pub mod conversations;
pub mod forms;
pub mod gaps;
pub mod golden;
pub mod identity_secrets;
pub mod invitations;
pub mod keys;
pub mod notices;
#[cfg(test)]
pub mod openapi_types;
pub mod people;
pub mod prompts;
pub mod sites;
pub mod sources;
pub mod tenants;
pub mod usage;

pub mod access;
#[cfg(test)]
mod access_table;
pub mod context;
mod create;
mod crud;
mod query;

use axum::routing::{MethodRouter, delete, get, post, put};
use bulle_edge_core::sources::MAX_FILE_BYTES;

use super::route::{Audience::Owner, Route};
use crate::adapters::Edge;

/// The routes of the owner's API.
pub fn all() -> Vec<Route> {
    let tenants = "/v1/admin/tenants";
    let tenant = "/v1/admin/tenants/{tenant}";
    let bot = "/v1/admin/tenants/{tenant}/bots/{bot}";
    let at = |base: &str, path: &str, methods: MethodRouter<Edge>| {
        Owner.at(format!("{base}{path}"), methods)
    };
    vec![
        at(tenants, "", get(tenants::list).post(tenants::create)),
        at(
            tenant,
            "",
            get(tenants::get)
                .patch(tenants::change)
                .delete(tenants::delete),
        ),
        at(tenant, "/bots", get(bots::list).post(bots::create)),
        at(
            bot,
            "",
            get(bots::get).patch(bots::change).delete(bots::delete),
        ),
        at(
            "/v1/admin/invitations",
            "",
            get(invitations::list_of_operator).post(invitations::create_for_operator),
        ),
        at(
            "/v1/admin/invitations/{id}",
            "",
            delete(invitations::revoke_of_operator),
        ),
        at(
            tenant,
            "/invitations",
            get(invitations::list).post(invitations::create),
        ),
        at(tenant, "/invitations/{id}", delete(invitations::revoke)),
        at(tenant, "/invitations/{id}/renew", post(invitations::renew)),
        at("/v1/admin/audit", "", get(audit::list_of_operator)),
        at(tenant, "/audit", get(audit::list)),
        at(tenant, "/people", get(people::list)),
        at(
            tenant,
            "/people/{id}",
            get(people::get)
                .patch(people::change)
                .delete(people::remove),
        ),
        at(bot, "/sources", get(sources::list).post(sources::create)),
        at(bot, "/files", post(sources::upload)).max_upload(MAX_FILE_BYTES),
        at(
            bot,
            "/sources/{source}",
            get(sources::get)
                .patch(sources::change)
                .delete(sources::delete),
        ),
        at(bot, "/sources/{source}/file", put(sources::replace)).max_upload(MAX_FILE_BYTES),
        at(bot, "/sources/{source}/refresh", post(sources::refresh)),
        at(bot, "/sources/{source}/content", get(sources::content)),
        at(bot, "/gaps", get(gaps::list)),
        at(bot, "/gaps/{gap}/answer", post(gaps::answer)),
        at(bot, "/gaps/{gap}/dismiss", post(gaps::dismiss)),
        at(bot, "/golden", get(golden::report).post(golden::add)),
        at(bot, "/golden/run", post(golden::run)),
        at(bot, "/golden/{id}", delete(golden::delete)),
        at(tenant, "/sites", get(sites::list).post(sites::create)),
        at(
            tenant,
            "/sites/{key}",
            get(sites::get).patch(sites::change).delete(sites::delete),
        ),
        at(tenant, "/sites/{key}/snippets", get(sites::snippets)),
        at(tenant, "/keys", get(keys::list).post(keys::create)),
        at(tenant, "/keys/{id}", get(keys::get).delete(keys::revoke)),
        at(
            tenant,
            "/identity-secrets",
            get(identity_secrets::list).post(identity_secrets::create),
        ),
        at(
            tenant,
            "/identity-secrets/{id}",
            delete(identity_secrets::delete),
        ),
        at(tenant, "/conversations", get(conversations::list)),
        at(
            tenant,
            "/conversations/delete",
            post(conversations::delete_many),
        ),
        at(
            tenant,
            "/conversations/{id}",
            get(conversations::get).delete(conversations::delete),
        ),
        at(
            tenant,
            "/conversations/{id}/labels",
            put(conversations::label),
        ),
        at(
            tenant,
            "/conversations/{id}/notes",
            post(conversations::annotate),
        ),
        at(
            tenant,
            "/conversations/{id}/notes/{note}",
            delete(conversations::delete_note),
        ),
        at(tenant, "/answers/{reply_id}/prompt", get(prompts::get)),
        at(tenant, "/forms", get(forms::list)),
        at(tenant, "/notices", get(notices::list)),
        at(tenant, "/notices/test", post(notices::test)),
        at(tenant, "/notices/secret", get(notices::secret)),
        at(tenant, "/usage", get(usage::report)),
        at(tenant, "/answers/{reply_id}", get(usage::answer)),
    ]
}
