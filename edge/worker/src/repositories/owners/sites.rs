//! Sites. Their ids are the public keys of script tags. They are generated and cannot be chosen, so that creating a
//! site reveals nothing about the sites of other tenants.

use bulle_api::admin::{NewSite, Site, SiteChange, Status};
use bulle_edge_core::admin::rules;
use bulle_protocol::{Id, problem::Problem};
use serde_json::Value;

use super::{
    AffectedSites, Change, Changes, CreateContext, Creation, NewResource, ResourceKind, answer,
    changed, name, show,
};
use crate::d1::values;

/// Characters of a key: 48 bits of time, so that sites are listed in the order of their creation, and 50 random bits.
const KEY_CHARS: usize = 20;

/// The statements that show sites.
pub static KIND: ResourceKind = ResourceKind {
    row: "key AS id, version, json_object('key', key, 'bot_id', bot_id, 'name', name, \
        'origins', json(origins), 'environment', environment, 'status', status, 'created_at', created_at, \
        'updated_at', updated_at) AS item",
    one: "FROM site WHERE tenant_id = ?1 AND key = ?2",
    page: "FROM site WHERE tenant_id = ?1 AND key > ?2 AND (?3 IS NULL OR status = ?3) \
        AND (?4 IS NULL OR bot_id = ?4) ORDER BY key LIMIT ?5",
    show: show::<Site>,
};

/// The statements that change and delete sites.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    update: "UPDATE site SET version = version + 1, updated_at = ?4, name = ?5, origins = ?6, \
        environment = ?7, status = ?8, bot_id = ?9 WHERE tenant_id = ?1 AND key = ?2 AND version = ?3 \
        AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?9)",
    delete: || {
        vec![
            "DELETE FROM site WHERE tenant_id = ?1 AND key = ?2 AND version = ?3 RETURNING key"
                .into(),
        ]
    },
    apply,
    affected_sites,
};

/// The statements that create sites.
pub static CREATION: Creation = Creation {
    // `NOT NULL` refuses a time that is null: with too many sites, the insertion fails. The bot is a foreign key.
    insert: "INSERT INTO site (tenant_id, key, bot_id, name, origins, environment, updated_at, \
        created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
        CASE WHEN (SELECT count(*) FROM site WHERE tenant_id = ?1) < ?8 THEN ?7 END)",
    obstacle: "SELECT CASE \
        WHEN NOT EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) THEN ?3 \
        WHEN (SELECT count(*) FROM site WHERE tenant_id = ?1) >= ?8 THEN '' END AS obstacle",
    noticed: false,
    make,
    refusal,
};

fn apply(item: &str, patch: Value, now_ms: u64) -> Result<Option<Change>, Problem> {
    let editable = |site: Site| SiteChange {
        name: site.name,
        origins: site.origins,
        environment: site.environment,
        status: site.status,
        bot_id: site.bot_id,
    };
    changed(item, patch, now_ms, editable, |change| {
        Ok(Change {
            values: values![
                &change.name,
                answer(&change.origins)?,
                name(change.environment)?,
                name(change.status)?,
                &change.bot_id,
            ],
            refusal: Some(rules::unknown_bot(&change.bot_id)),
        })
    })
}

fn affected_sites(id: &str) -> AffectedSites<'_> {
    AffectedSites {
        bot: None,
        site: Some(id),
    }
}

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let new: NewSite = rules::read(text, maker.now_ms)?;
    let [random, ..] = maker.random;
    let id = Id::from_parts(maker.now_ms, random).to_string();
    let site = Site {
        key: id.to_lowercase().chars().take(KEY_CHARS).collect(),
        bot_id: new.bot_id,
        name: new.name,
        origins: new.origins,
        environment: new.environment,
        status: Status::Active,
        created_at: maker.now_ms,
        updated_at: maker.now_ms,
    };
    let values = values![
        &site.bot_id,
        &site.name,
        answer(&site.origins)?,
        name(site.environment)?,
        maker.now_ms,
        rules::MAX_SITES,
    ];
    NewResource::open(site.key.clone(), values, &site)
}

fn refusal(obstacle: &str, _: &NewResource) -> Problem {
    match obstacle {
        "" => rules::too_many(rules::MAX_SITES, "sites", "Delete one that is not used."),
        bot_id => rules::unknown_bot(bot_id),
    }
}
