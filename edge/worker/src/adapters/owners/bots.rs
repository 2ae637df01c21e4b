//! Bots.

use bulle_edge_core::{admin::rules, ports::PortError};
use bulle_protocol::{
    admin::{Bot, BotChange, NewBot, Status},
    problem::Problem,
};
use worker::wasm_bindgen::JsValue;

use super::{Creatable, Editable, Made, Maker, Reach, Table, json, name, time};

impl Table for Bot {
    const ROW: &'static str = "id, version, json_object('id', id, 'status', status, 'settings', json(settings), \
        'created_at', created_at, 'updated_at', updated_at) AS item";
    const ONE: &'static str = "FROM bot WHERE tenant_id = ?1 AND id = ?2";
    const PAGE: &'static str = "FROM bot WHERE tenant_id = ?1 AND id > ?2 AND (?3 IS NULL OR status = ?3) \
        ORDER BY id LIMIT ?5";
}

impl Editable for Bot {
    type Change = BotChange;
    const UPDATE: &'static str = "UPDATE bot SET version = version + 1, updated_at = ?4, status = ?5, settings = ?6 \
        WHERE tenant_id = ?1 AND id = ?2 AND version = ?3";
    const DELETE: &'static [&'static str] = &[
        "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk WHERE tenant_id = ?1 AND bot_id = ?2) \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM chunk WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM source WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM message WHERE tenant_id = ?1 \
         AND conversation_id IN (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2) \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM site WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3 RETURNING id",
    ];

    fn editable(self) -> BotChange {
        BotChange {
            status: self.status,
            settings: self.settings,
        }
    }

    fn values(change: &BotChange) -> Result<Vec<JsValue>, PortError> {
        Ok(vec![
            name(change.status)?.into(),
            json(&change.settings)?.into(),
        ])
    }

    fn reach(id: &str) -> Reach<'_> {
        Reach {
            bot: Some(id),
            site: None,
        }
    }
}

impl Creatable for Bot {
    type New = NewBot;
    // A time that is null is refused: when there are too many, nothing is stored.
    const INSERT: &'static str = "INSERT INTO bot (tenant_id, id, settings, updated_at, created_at) \
        VALUES (?1, ?2, ?3, ?4, CASE WHEN (SELECT count(*) FROM bot WHERE tenant_id = ?1) < ?5 THEN ?4 END)";
    const OBSTACLE: &'static str = "SELECT CASE \
        WHEN EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2) THEN 'exists' \
        WHEN (SELECT count(*) FROM bot WHERE tenant_id = ?1) >= ?5 THEN 'full' END AS obstacle";

    fn make(new: NewBot, maker: &Maker<'_>) -> Result<Made, Problem> {
        let bot = Bot {
            id: new.id,
            status: Status::Active,
            settings: new.settings,
            created_at: maker.now_ms,
            updated_at: maker.now_ms,
        };
        let values = vec![
            super::answer(&bot.settings)?.into(),
            time(maker.now_ms),
            rules::MAX_BOTS.into(),
        ];
        Made::open(bot.id.clone(), values, &bot)
    }

    fn refusal(obstacle: &str, made: &Made) -> Problem {
        match obstacle {
            "full" => rules::too_many(rules::MAX_BOTS, "bots", "Delete one that is not used."),
            _ => rules::taken("bot", &made.id),
        }
    }
}
