//! Every statement on a tenant's data binds the tenant, so that a bug cannot show one customer the conversations of
//! another.

use std::fs;

use anyhow::Result;

use crate::tokens::{Kind, tokens};
use crate::{Finding, check_rust, report, root, tracked};

/// Tables whose rows belong to a tenant.
const TENANT_TABLES: &[&str] = &[
    "bot",
    "site",
    "conversation",
    "message",
    "source",
    "source_text",
    "unanswered",
    "golden_question",
    "chunk",
    "api_key",
    "identity_secret",
    "bot_version",
    "model_call",
    "notice",
    "summary",
    "visitor",
    "idempotency",
    "form_answer",
    "attachment",
    "erased",
    "membership",
    "invitation",
    "conversation_label",
    "conversation_note",
    "audit",
];

/// Statements that cannot bind the tenant: a part of their text, and the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "WHERE site.key = ?1",
        "a page knows its site's public key only; this statement finds the tenant",
    ),
    (
        "DELETE FROM attachment WHERE message_id IS NULL AND created_at < ?1",
        "what nobody has sent within a day goes, of all tenants; nothing is read",
    ),
    (
        "DELETE FROM erased WHERE at < ?1",
        "notes that no token needs any more go, of all tenants; nothing is read",
    ),
    (
        "WHERE membership.person_id = ?1",
        "the tenants that a signed-in person belongs to; the session names the person",
    ),
    (
        "NOT EXISTS (SELECT 1 FROM membership WHERE membership.person_id = ?1)",
        "a person who was removed from a tenant has no account when they belong to no other",
    ),
    (
        "DELETE FROM audit WHERE at < ?1",
        "what is a year old goes, of all tenants; nothing is read",
    ),
    (
        "DELETE FROM invitation WHERE expires_at < ?1",
        "what expired a month ago goes, of all tenants; nothing is read",
    ),
];

/// Statements of tests, which read the tables of all tenants and are not part of the Worker.
const TESTS: &str = "edge/worker/src/repositories/tests/";

/// The column that must be bound.
const COLUMN: &str = "tenant_id";

#[test]
fn statements_on_tenant_data_bind_the_tenant() -> Result<()> {
    check_rust(
        |file| file.starts_with("edge/worker/src/") && !file.starts_with(TESTS),
        |_, source| unbound(source),
    )
}

#[test]
fn the_list_of_tenant_tables_is_complete() -> Result<()> {
    let mut all = Vec::new();
    for file in tracked()? {
        if file.starts_with("edge/worker/migrations/") && file.ends_with(".sql") {
            let text = fs::read_to_string(root().join(&file))?;
            all.extend(
                unlisted(&text)
                    .into_iter()
                    .map(|finding| (file.clone(), finding)),
            );
        }
    }
    report(all)
}

/// String literals that read or write a tenant's table without binding the tenant.
fn unbound(source: &str) -> Vec<Finding> {
    tokens(source)
        .into_iter()
        .filter(|token| token.kind == Kind::Text)
        .filter_map(|token| {
            let words = words(&token.text);
            let table = touched(&words)?;
            let excepted = EXCEPTIONS.iter().any(|(part, _)| token.text.contains(part));
            (!binds(&token.text, &words) && !excepted).then(|| {
                Finding::new(
                    token.line,
                    format!(
                        "this statement touches `{table}` and does not bind `{COLUMN}`: bind it, \
                         or add it to EXCEPTIONS in xtask/tests/tidy/sql.rs with the reason"
                    ),
                )
            })
        })
        .collect()
}

/// Whether a statement binds the tenant: an insertion names the column, and every other statement compares it with a
/// parameter. To select it, or to join by it, is not enough.
fn binds(sql: &str, words: &[String]) -> bool {
    let inserts = words.iter().any(|word| word == "insert");
    let dense: String = sql.split_whitespace().collect();
    dense.to_lowercase().contains(&format!("{COLUMN}=?"))
        || inserts && words.iter().any(|word| word == COLUMN)
}

/// The tenant's table that follows a word after which SQL names a table.
fn touched(words: &[String]) -> Option<&str> {
    words
        .windows(2)
        .filter_map(|pair| match pair {
            [before, table] if ["from", "into", "update", "join"].contains(&before.as_str()) => {
                Some(table.as_str())
            }
            _ => None,
        })
        .find(|table| TENANT_TABLES.contains(table))
}

/// Tables with the column that the list above lacks.
fn unlisted(migration: &str) -> Vec<Finding> {
    let mut line = 1;
    let mut found = Vec::new();
    for statement in migration.split_inclusive(';') {
        let without_comments: String = statement
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default().to_owned() + "\n")
            .collect();
        let words = words(&without_comments);
        let mut rest = words.iter().map(String::as_str);
        let creates = rest.next() == Some("create") && rest.next() == Some("table");
        let name = rest.find(|word| !["if", "not", "exists"].contains(word));
        if let Some(name) = name
            && creates
            && words.iter().any(|word| word == COLUMN)
            && !TENANT_TABLES.contains(&name)
        {
            let before = statement.len() - statement.trim_start().len();
            let skipped = statement
                .chars()
                .take(before)
                .filter(|c| *c == '\n')
                .count();
            found.push(Finding::new(
                line + skipped,
                format!(
                    "`{name}` has a `{COLUMN}`: add it to TENANT_TABLES in xtask/tests/tidy/sql.rs"
                ),
            ));
        }
        line += statement.matches('\n').count();
    }
    found
}

fn words(sql: &str) -> Vec<String> {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[test]
fn a_statement_must_bind_the_tenant() {
    let check = |sql: &str, expect: usize| {
        assert_eq!(unbound(&format!("q({sql:?})")).len(), expect, "{sql}");
    };
    check("SELECT body FROM message WHERE id = ?1", 1);
    check(
        "SELECT body FROM message WHERE tenant_id = ?1 AND id = ?2",
        0,
    );
    check("SELECT tenant_id FROM message WHERE id = ?1", 1);
    check("INSERT INTO message (id) VALUES (?1)", 1);
    check("INSERT INTO message (tenant_id, id) VALUES (?1, ?2)", 0);
    check("INSERT OR REPLACE INTO message (tenant_id) VALUES (?1)", 0);
    check("UPDATE bot SET name = ?1", 1);
    check(
        "SELECT 1 FROM site JOIN bot ON bot.tenant_id = site.tenant_id",
        1,
    );
    check("SELECT 1 FROM chunk_fts JOIN chunk ON 1", 1);
    check("SELECT n FROM schema", 0);
    check("a message from site visitors", 1);
    check("not a statement about a message", 0);
}

#[test]
fn a_table_with_a_tenant_must_be_listed() {
    let migration = "-- First.\nCREATE TABLE bot (tenant_id TEXT);\n\nCREATE TABLE IF NOT EXISTS invoice (\n  tenant_id TEXT\n);\nCREATE TABLE tenant (id TEXT);";
    assert_eq!(crate::lines(&unlisted(migration)), [4]);
}
