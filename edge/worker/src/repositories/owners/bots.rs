//! Bots.

use bulle_api::admin::{Bot, BotChange, NewBot, Status};
use bulle_edge_core::admin::rules;
use bulle_protocol::problem::Problem;
use serde_json::Value;

use super::{
    AffectedSites, Change, ChangeContext, Changes, CreateContext, Creation, NewResource,
    ResourceKind, answer, belongings, changed, name, show,
};
use crate::{adapters::zones, d1::values};

/// The statements that show bots.
pub static KIND: ResourceKind = ResourceKind {
    row: "id, version, json_object('id', id, 'status', status, 'settings', json(settings), \
        'created_at', created_at, 'updated_at', updated_at) AS item",
    one: "FROM bot WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM bot WHERE tenant_id = ?1 AND id > ?2 AND (?3 IS NULL OR status = ?3) \
        AND (?6 IS NULL OR id IN (SELECT value FROM json_each(?6))) ORDER BY id LIMIT ?5",
    show: show::<Bot>,
};

/// The statements that change and delete bots.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    update: "UPDATE bot SET version = version + 1, updated_at = ?4, status = ?5, settings = ?6 \
        WHERE tenant_id = ?1 AND id = ?2 AND version = ?3",
    delete: || {
        let own = "DELETE FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3 RETURNING id";
        belongings(BELONGINGS, UNCHANGED)
            .chain([own.into()])
            .collect()
    },
    apply,
    affected_sites,
};

const UNCHANGED: &str =
    "EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)";

const OF_BOT: &str = "tenant_id = ?1 AND bot_id = ?2";

const OF_CONVERSATION: &str = "tenant_id = ?1 AND conversation_id IN \
    (SELECT id FROM conversation WHERE tenant_id = ?1 AND bot_id = ?2)";

/// The tables with rows of a bot. The cost of its answers (`model_call`) and notices stay with the tenant.
const BELONGINGS: &[(&str, &str)] = &[
    (
        "chunk_fts",
        "rowid IN (SELECT id FROM chunk WHERE tenant_id = ?1 AND bot_id = ?2)",
    ),
    ("chunk", OF_BOT),
    ("source_text", OF_BOT),
    ("source", OF_BOT),
    ("golden_question", OF_BOT),
    ("unanswered", OF_BOT),
    ("form_answer", OF_BOT),
    ("attachment", OF_BOT),
    ("bot_version", OF_BOT),
    ("summary", OF_CONVERSATION),
    ("conversation_label", OF_CONVERSATION),
    ("conversation_note", OF_CONVERSATION),
    ("message", OF_CONVERSATION),
    ("conversation", OF_BOT),
    ("site", OF_BOT),
];

/// The statements that create bots.
pub static CREATION: Creation = Creation {
    // `NOT NULL` refuses a time that is null: with too many bots, the insertion fails.
    insert: "INSERT INTO bot (tenant_id, id, settings, updated_at, created_at) \
        VALUES (?1, ?2, ?3, ?4, CASE WHEN (SELECT count(*) FROM bot WHERE tenant_id = ?1) < ?5 THEN ?4 END)",
    obstacle: "SELECT CASE \
        WHEN EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?2) THEN 'exists' \
        WHEN (SELECT count(*) FROM bot WHERE tenant_id = ?1) >= ?5 THEN 'full' END AS obstacle",
    noticed: false,
    make,
    refusal,
};

fn apply(item: &str, patch: Value, context: &ChangeContext) -> Result<Option<Change>, Problem> {
    let editable = |bot: Bot| BotChange {
        status: bot.status,
        settings: bot.settings,
    };
    changed(item, patch, context, editable, |change| {
        zones::check(&change.settings, context.now_ms)?;
        Ok(Change {
            values: values![name(change.status)?, answer(&change.settings)?],
            refusal: None,
        })
    })
}

fn affected_sites(id: &str) -> AffectedSites<'_> {
    AffectedSites {
        bot: Some(id),
        site: None,
    }
}

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let new: NewBot = rules::read(text, maker.now_ms)?;
    zones::check(&new.settings, maker.now_ms)?;
    let bot = Bot {
        id: new.id,
        status: Status::Active,
        settings: new.settings,
        created_at: maker.now_ms,
        updated_at: maker.now_ms,
    };
    let values = values![answer(&bot.settings)?, maker.now_ms, rules::MAX_BOTS];
    NewResource::open(bot.id.clone(), values, &bot)
}

fn refusal(obstacle: &str, made: &NewResource) -> Problem {
    match obstacle {
        "full" => rules::too_many(rules::MAX_BOTS, "bots", "Delete one that is not used."),
        _ => rules::taken("bot", &made.id),
    }
}
