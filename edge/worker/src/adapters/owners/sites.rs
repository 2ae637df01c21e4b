//! Sites. Their ids are the public keys of script tags: made here, never chosen, so that creating one says nothing
//! about those of other tenants.

use bulle_edge_core::{admin::rules, ports::PortError};
use bulle_protocol::{
    Id,
    admin::{NewSite, Site, SiteChange, Status},
    problem::Problem,
};
use worker::wasm_bindgen::JsValue;

use super::{Creatable, Editable, Made, Maker, Reach, Table, answer, json, name, time};

/// Characters of a key: 48 bits of time, so that sites are listed in the order of their creation, and 50 random bits.
const KEY_CHARS: usize = 20;

impl Table for Site {
    const ROW: &'static str = "key AS id, version, json_object('key', key, 'bot_id', bot_id, 'name', name, \
        'origins', json(origins), 'environment', environment, 'status', status, 'created_at', created_at, \
        'updated_at', updated_at) AS item";
    const ONE: &'static str = "FROM site WHERE tenant_id = ?1 AND key = ?2";
    const PAGE: &'static str = "FROM site WHERE tenant_id = ?1 AND key > ?2 AND (?3 IS NULL OR status = ?3) \
        AND (?4 IS NULL OR bot_id = ?4) ORDER BY key LIMIT ?5";
}

impl Editable for Site {
    type Change = SiteChange;
    const UPDATE: &'static str = "UPDATE site SET version = version + 1, updated_at = ?4, name = ?5, origins = ?6, \
        environment = ?7, status = ?8, bot_id = ?9 WHERE tenant_id = ?1 AND key = ?2 AND version = ?3 \
        AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?9)";
    const DELETE: &'static [&'static str] =
        &["DELETE FROM site WHERE tenant_id = ?1 AND key = ?2 AND version = ?3 RETURNING key"];

    fn editable(self) -> SiteChange {
        SiteChange {
            name: self.name,
            origins: self.origins,
            environment: self.environment,
            status: self.status,
            bot_id: self.bot_id,
        }
    }

    fn values(change: &SiteChange) -> Result<Vec<JsValue>, PortError> {
        Ok(vec![
            change.name.as_str().into(),
            json(&change.origins)?.into(),
            name(change.environment)?.into(),
            name(change.status)?.into(),
            change.bot_id.as_str().into(),
        ])
    }

    fn reach(id: &str) -> Reach<'_> {
        Reach {
            bot: None,
            site: Some(id),
        }
    }

    fn refusal(change: &SiteChange) -> Option<Problem> {
        Some(rules::unknown_bot(&change.bot_id))
    }
}

impl Creatable for Site {
    type New = NewSite;
    // A time that is null is refused: when there are too many, nothing is stored. The bot is a foreign key.
    const INSERT: &'static str = "INSERT INTO site (tenant_id, key, bot_id, name, origins, environment, updated_at, \
        created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
        CASE WHEN (SELECT count(*) FROM site WHERE tenant_id = ?1) < ?8 THEN ?7 END)";
    const OBSTACLE: &'static str = "SELECT CASE \
        WHEN NOT EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) THEN ?3 \
        WHEN (SELECT count(*) FROM site WHERE tenant_id = ?1) >= ?8 THEN '' END AS obstacle";

    fn make(new: NewSite, maker: &Maker<'_>) -> Result<Made, Problem> {
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
        let environment = answer(&site.environment)?;
        let values = vec![
            site.bot_id.as_str().into(),
            site.name.as_str().into(),
            answer(&site.origins)?.into(),
            environment.trim_matches('"').into(),
            time(maker.now_ms),
            rules::MAX_SITES.into(),
        ];
        Made::open(site.key.clone(), values, &site)
    }

    fn refusal(obstacle: &str, _: &Made) -> Problem {
        match obstacle {
            "" => rules::too_many(rules::MAX_SITES, "sites", "Delete one that is not used."),
            bot_id => rules::unknown_bot(bot_id),
        }
    }
}
