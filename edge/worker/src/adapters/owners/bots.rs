//! Bots.

use bulle_api::admin::{Bot, BotChange, NewBot, Status};
use bulle_edge_core::admin::rules;
use bulle_protocol::problem::Problem;
use serde_json::Value;

use super::{
    Change, Changes, Creation, Kind, Made, Maker, Reach, answer, changed, name, show, time,
};
use crate::adapters::zones;

/// What is shown of them.
pub static KIND: Kind = Kind {
    row: "id, version, json_object('id', id, 'status', status, 'settings', json(settings), \
        'created_at', created_at, 'updated_at', updated_at) AS item",
    one: "FROM bot WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM bot WHERE tenant_id = ?1 AND id > ?2 AND (?3 IS NULL OR status = ?3) \
        ORDER BY id LIMIT ?5",
    show: show::<Bot>,
};

/// How they are changed and deleted.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    update: "UPDATE bot SET version = version + 1, updated_at = ?4, status = ?5, settings = ?6 \
        WHERE tenant_id = ?1 AND id = ?2 AND version = ?3",
    delete: &[
        "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk WHERE tenant_id = ?1 AND bot_id = ?2) \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM chunk WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM source_text WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM source WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM golden_question WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM unanswered WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM form_answer WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM attachment WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM bot_version WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM summary WHERE tenant_id = ?1 \
         AND conversation_id IN (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2) \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM message WHERE tenant_id = ?1 \
         AND conversation_id IN (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2) \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM site WHERE tenant_id = ?1 AND bot_id = ?2 \
         AND EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)",
        "DELETE FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3 RETURNING id",
    ],
    apply,
    reach,
};

/// How they are created.
pub static CREATION: Creation = Creation {
    // A time that is null is refused: when there are too many, nothing is stored.
    insert: "INSERT INTO bot (tenant_id, id, settings, updated_at, created_at) \
        VALUES (?1, ?2, ?3, ?4, CASE WHEN (SELECT count(*) FROM bot WHERE tenant_id = ?1) < ?5 THEN ?4 END)",
    obstacle: "SELECT CASE \
        WHEN EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2) THEN 'exists' \
        WHEN (SELECT count(*) FROM bot WHERE tenant_id = ?1) >= ?5 THEN 'full' END AS obstacle",
    noticed: false,
    make,
    refusal,
};

fn apply(item: &str, patch: Value, now_ms: u64) -> Result<Option<Change>, Problem> {
    let change = changed(item, patch, now_ms, |bot: Bot| BotChange {
        status: bot.status,
        settings: bot.settings,
    })?;
    let Some(change) = change else {
        return Ok(None);
    };
    zones::check(&change.settings, now_ms)?;
    Ok(Some(Change {
        values: vec![
            name(change.status)?.into(),
            answer(&change.settings)?.into(),
        ],
        refusal: None,
    }))
}

fn reach(id: &str) -> Reach<'_> {
    Reach {
        bot: Some(id),
        site: None,
    }
}

fn make(text: &str, maker: &Maker<'_>) -> Result<Made, Problem> {
    let new: NewBot = rules::read(text, maker.now_ms)?;
    zones::check(&new.settings, maker.now_ms)?;
    let bot = Bot {
        id: new.id,
        status: Status::Active,
        settings: new.settings,
        created_at: maker.now_ms,
        updated_at: maker.now_ms,
    };
    let values = vec![
        answer(&bot.settings)?.into(),
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
