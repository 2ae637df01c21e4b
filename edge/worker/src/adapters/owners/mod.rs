//! What owners manage, in D1.
//!
//! Seven kinds of things have one shape: a row of a table, shown as JSON, with an id within its tenant. What a kind has
//! of its own are its statements. In each of them `?1` is the tenant and `?2` the id of the thing.

pub mod bots;
pub mod forms;
mod idempotency;
pub mod identity_secrets;
pub mod keys;
pub mod notices;
pub mod sites;
pub mod sources;
pub mod tenants;

pub use idempotency::Remembered;

use bulle_edge_core::{
    admin::{Caller, merge, rules::Rules},
    model::Secret,
    ports::PortError,
    sources::address::Guard,
};
use bulle_protocol::problem::{Code, Problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use worker::{D1Database, D1PreparedStatement, D1Result, wasm_bindgen::JsValue};

use super::{Edge, nullable, port_error, time};

/// A kind of thing, as it is shown.
pub struct Kind {
    /// The columns of a row.
    pub row: &'static str,
    /// `FROM …`: the one with the id.
    pub one: &'static str,
    /// `FROM …`: those after the id `?2`, with the status `?3` and the bot `?4` (both may be null), at most `?5`;
    /// perhaps of the kind `?6` and the parent `?7`.
    pub page: &'static str,
    /// From the JSON of a row to that of an answer.
    pub show: fn(&str) -> Result<String, PortError>,
}

/// How things of a kind are changed and deleted.
pub struct Changes {
    /// Which kind.
    pub kind: &'static Kind,
    /// `UPDATE …` the version `?3`, at the time `?4`, with [`Change::values`] from `?5` on.
    pub update: &'static str,
    /// Deletes the version `?3` and all that belongs to it; the thing itself comes last and returns something.
    pub delete: &'static [&'static str],
    /// Applies a merge patch to the JSON of a row, at a time in Unix milliseconds. Nothing when it changes nothing.
    pub apply: fn(&str, Value, u64) -> Result<Option<Change>, Problem>,
    /// The sites whose visitors notice, from the thing's id.
    pub reach: fn(&str) -> Reach<'_>,
}

/// A change that can be stored.
pub struct Change {
    /// The changed columns.
    pub values: Vec<JsValue>,
    /// Why it cannot be, should the right version refuse it.
    pub refusal: Option<Problem>,
}

/// How things of a kind are created.
pub struct Creation {
    /// `INSERT …` of [`Made::values`] from `?3` on. It fails when something is in the way, so that nothing else of the
    /// transaction is done either.
    pub insert: &'static str,
    /// Names, as `obstacle`, what is in the way; same parameters as `insert`.
    pub obstacle: &'static str,
    /// Whether visitors of the tenant's sites notice.
    pub noticed: bool,
    /// What is to be, from the body of the request.
    pub make: fn(&str, &Maker<'_>) -> Result<Made, Problem>,
    /// What is in the way, for people.
    pub refusal: fn(&str, &Made) -> Problem,
}

/// Who makes something, for whom, with what.
pub struct Maker<'m> {
    /// Who calls.
    pub caller: &'m Caller,
    /// For whom; empty for the operator.
    pub tenant_id: &'m str,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// Fit for secrets.
    pub random: [u128; 3],
    /// The deployment's signing secret, or what is wrong with it.
    pub secret: Result<Secret, Problem>,
    /// Knows which addresses may be fetched.
    pub guard: Guard,
}

/// A thing that can be inserted.
pub struct Made {
    /// Its id.
    pub id: String,
    /// Columns.
    pub values: Vec<JsValue>,
    /// JSON of the answer, with what is shown only once.
    pub shown: String,
    /// JSON of a repeated answer.
    pub remembered: String,
}

impl Made {
    /// A thing without secrets.
    fn open<T: Serialize>(id: String, values: Vec<JsValue>, item: &T) -> Result<Self, Problem> {
        let shown = answer(item)?;
        Ok(Self {
            id,
            values,
            remembered: shown.clone(),
            shown,
        })
    }
}

/// The JSON of an answer.
fn answer<T: Serialize>(item: &T) -> Result<String, Problem> {
    serde_json::to_string(item)
        .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))
}

/// The JSON of a row as that of an answer: as its type says, defaults included.
fn show<T: Serialize + DeserializeOwned>(item: &str) -> Result<String, PortError> {
    let item: T = serde_json::from_str(item).map_err(|e| PortError(e.to_string()))?;
    serde_json::to_string(&item).map_err(|e| PortError(e.to_string()))
}

/// What a merge patch makes of the JSON of a row; nothing when it changes nothing.
fn changed<T, C>(
    item: &str,
    patch: Value,
    now_ms: u64,
    editable: fn(T) -> C,
) -> Result<Option<C>, Problem>
where
    T: DeserializeOwned,
    C: Serialize + DeserializeOwned + PartialEq + Rules,
{
    let item = serde_json::from_str(item)
        .map_err(|_| Problem::new(Code::Internal, "What is stored cannot be read."))?;
    let current = editable(item);
    let change = merge::apply(&current, patch)?;
    if change == current {
        return Ok(None);
    }
    change.check(now_ms)?;
    Ok(Some(change))
}

/// A set of a tenant's sites: all of them when nothing is said.
#[derive(Default)]
pub struct Reach<'r> {
    /// Those that show this bot.
    pub bot: Option<&'r str>,
    /// The one with this key.
    pub site: Option<&'r str>,
}

/// Which part of a list.
pub struct Filter {
    /// How many at most.
    pub limit: u32,
    /// Those after this id.
    pub after: String,
    /// Those with this status.
    pub status: Option<&'static str>,
    /// Sites that show this bot, sources of this bot.
    pub bot: Option<String>,
    /// Sources of this kind.
    pub kind: Option<String>,
    /// Sources that belong to this one.
    pub parent: Option<String>,
}

/// A thing as it is stored.
#[derive(Deserialize)]
pub struct Row {
    /// JSON.
    pub item: String,
    id: String,
    version: f64,
}

impl Row {
    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version as u64
    }
}

/// A page of things, in the order of their ids.
#[derive(Serialize)]
pub struct List {
    items: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct SiteKey {
    site_key: String,
}

#[derive(Deserialize)]
struct Obstacle {
    obstacle: Option<String>,
}

impl Edge {
    /// One thing.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn owned(
        &self,
        kind: &Kind,
        tenant_id: &str,
        id: &str,
    ) -> Result<Option<Row>, PortError> {
        let sql = format!("SELECT {} {}", kind.row, kind.one);
        let statement = bind(&self.db()?, &sql, &[tenant_id.into(), id.into()])?;
        statement.first(None).await.map_err(port_error)
    }

    /// A page of things, in the order of their ids.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn owned_page(
        &self,
        kind: &Kind,
        tenant_id: &str,
        filter: &Filter,
    ) -> Result<List, PortError> {
        let sql = format!("SELECT {} {}", kind.row, kind.page);
        let mut values = vec![
            tenant_id.into(),
            filter.after.as_str().into(),
            nullable(filter.status),
            nullable(filter.bot.as_deref()),
            (filter.limit + 1).into(),
        ];
        // A parameter that a statement does not know is refused.
        if kind.page.contains("?7") {
            let more = [filter.kind.as_deref(), filter.parent.as_deref()];
            values.extend(more.map(nullable));
        }
        let statement = bind(&self.db()?, &sql, &values)?;
        let mut rows: Vec<Row> = results(&statement.all().await.map_err(port_error)?)?;
        let more = rows.len() > filter.limit as usize;
        rows.truncate(filter.limit as usize);
        let items = rows.iter().map(|row| {
            let shown = (kind.show)(&row.item)?;
            RawValue::from_string(shown).map_err(|e| PortError(e.to_string()))
        });
        Ok(List {
            items: items.collect::<Result<_, PortError>>()?,
            next: rows.last().filter(|_| more).map(|row| row.id.clone()),
        })
    }

    /// Changes a thing if it still has the version: how it is now, and the keys of the sites that show it. Nothing
    /// otherwise.
    ///
    /// # Errors
    /// The database failed.
    pub async fn change_owned(
        &self,
        changes: &Changes,
        (tenant_id, id, version): (&str, &str, u64),
        change: &Change,
        now_ms: u64,
    ) -> Result<Option<(Row, Vec<String>)>, PortError> {
        let db = self.db()?;
        let mut values = vec![tenant_id.into(), id.into(), time(version), time(now_ms)];
        values.extend(change.values.iter().cloned());
        let sql = format!("{} RETURNING {}", changes.update, changes.kind.row);
        let statements = vec![
            sites(&db, tenant_id, &(changes.reach)(id))?,
            bind(&db, &sql, &values)?,
        ];
        let done = db.batch(statements).await.map_err(port_error)?;
        let [keys, updated] = done.as_slice() else {
            return Err(PortError("a batch answered too little".to_owned()));
        };
        let Some(row) = results(updated)?.pop() else {
            return Ok(None);
        };
        Ok(Some((row, site_keys(keys)?)))
    }

    /// Deletes a thing and all that belongs to it, if it still has the version: the keys of the sites that showed it.
    /// Nothing otherwise.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_owned(
        &self,
        changes: &Changes,
        (tenant_id, id, version): (&str, &str, u64),
    ) -> Result<Option<Vec<String>>, PortError> {
        let db = self.db()?;
        let mut statements = vec![sites(&db, tenant_id, &(changes.reach)(id))?];
        for sql in changes.delete {
            let values = [tenant_id.into(), id.into(), time(version)];
            statements.push(bind(&db, sql, &values)?);
        }
        let done = db.batch(statements).await.map_err(port_error)?;
        let (Some(keys), Some(last)) = (done.first(), done.last()) else {
            return Err(PortError("a batch answered nothing".to_owned()));
        };
        let deleted: Vec<Value> = results(last)?;
        if deleted.is_empty() {
            return Ok(None);
        }
        site_keys(keys).map(Some)
    }

    /// Inserts a thing, and what to answer when the request is repeated, in one transaction: the keys of the sites
    /// whose visitors notice.
    ///
    /// # Errors
    /// The database failed, or something is in the way; then nothing was stored. See [`Edge::obstacle`].
    pub async fn create_owned(
        &self,
        creation: &Creation,
        tenant_id: &str,
        made: &Made,
        remembered: Option<&Remembered>,
        now_ms: u64,
    ) -> Result<Vec<String>, PortError> {
        let db = self.db()?;
        let mut statements = vec![bind(&db, creation.insert, &parameters(tenant_id, made))?];
        if let Some(remembered) = remembered {
            statements.extend(idempotency::statements(&db, tenant_id, remembered, now_ms)?);
        }
        if creation.noticed {
            statements.push(sites(&db, tenant_id, &Reach::default())?);
        }
        let done = db.batch(statements).await.map_err(port_error)?;
        match done.last() {
            Some(keys) if creation.noticed => site_keys(keys),
            _ => Ok(Vec::new()),
        }
    }

    /// What is in the way of an insertion.
    ///
    /// # Errors
    /// The database failed.
    pub async fn obstacle(
        &self,
        creation: &Creation,
        tenant_id: &str,
        made: &Made,
    ) -> Result<Option<String>, PortError> {
        let statement = bind(&self.db()?, creation.obstacle, &parameters(tenant_id, made))?;
        let row: Option<Obstacle> = statement.first(None).await.map_err(port_error)?;
        Ok(row.and_then(|row| row.obstacle))
    }

    /// The keys of all sites of a tenant.
    ///
    /// # Errors
    /// The database failed.
    pub async fn all_site_keys(&self, tenant_id: &str) -> Result<Vec<String>, PortError> {
        let statement = sites(&self.db()?, tenant_id, &Reach::default())?;
        site_keys(&statement.all().await.map_err(port_error)?)
    }
}

fn parameters(tenant_id: &str, made: &Made) -> Vec<JsValue> {
    let mut values = vec![tenant_id.into(), made.id.as_str().into()];
    values.extend(made.values.iter().cloned());
    values
}

fn sites(
    db: &D1Database,
    tenant_id: &str,
    reach: &Reach<'_>,
) -> Result<D1PreparedStatement, PortError> {
    let sql = "SELECT key AS site_key FROM site WHERE tenant_id = ?1 \
               AND (?2 IS NULL OR bot_id = ?2) AND (?3 IS NULL OR key = ?3)";
    let values = [tenant_id.into(), nullable(reach.bot), nullable(reach.site)];
    bind(db, sql, &values)
}

fn site_keys(result: &D1Result) -> Result<Vec<String>, PortError> {
    let rows: Vec<SiteKey> = results(result)?;
    Ok(rows.into_iter().map(|row| row.site_key).collect())
}

fn bind(db: &D1Database, sql: &str, values: &[JsValue]) -> Result<D1PreparedStatement, PortError> {
    db.prepare(sql).bind(values).map_err(port_error)
}

fn results<T: DeserializeOwned>(result: &D1Result) -> Result<Vec<T>, PortError> {
    result.results().map_err(port_error)
}

/// The name of a unit variant, without the quotes of JSON.
fn name<T: Serialize>(value: T) -> Result<String, Problem> {
    Ok(answer(&value)?.trim_matches('"').to_owned())
}
