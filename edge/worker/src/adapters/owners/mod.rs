//! What owners manage, in D1.
//!
//! Five kinds of things have one shape: a row of a table, shown as JSON, with an id within its tenant. What a kind has
//! of its own are its statements. In each of them `?1` is the tenant and `?2` the id of the thing.

mod bots;
mod idempotency;
mod identity_secrets;
mod keys;
mod sites;
mod tenants;

pub use idempotency::Remembered;

use bulle_edge_core::{
    admin::{Caller, rules::Rules},
    guard::token::Secret,
    ports::PortError,
};
use bulle_protocol::{
    admin::{Page, Status},
    problem::Problem,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use worker::{D1Database, D1PreparedStatement, D1Result, wasm_bindgen::JsValue};

use super::{Edge, nullable, port_error, time};

/// A kind of thing, as it is shown.
pub trait Table: Serialize + DeserializeOwned {
    /// The columns of a [`Row`].
    const ROW: &'static str;
    /// `FROM …`: the one with the id.
    const ONE: &'static str;
    /// `FROM …`: those after the id `?2`, with the status `?3` and the bot `?4` (both may be null), at most `?5`.
    const PAGE: &'static str;
}

/// A kind of thing that owners change and delete.
pub trait Editable: Table {
    /// What may be changed of it.
    type Change: Serialize + DeserializeOwned + PartialEq + Rules;
    /// `UPDATE …` the version `?3`, at the time `?4`, with the [`Editable::values`] from `?5` on.
    const UPDATE: &'static str;
    /// Deletes the version `?3` and all that belongs to it; the thing itself comes last and returns something.
    const DELETE: &'static [&'static str];
    /// What may be changed, as it is.
    fn editable(self) -> Self::Change;
    /// The changed columns.
    fn values(change: &Self::Change) -> Result<Vec<JsValue>, PortError>;
    /// The sites whose visitors notice a change.
    fn reach(id: &str) -> Reach<'_>;
    /// Why an update of the right version did nothing.
    fn refusal(_: &Self::Change) -> Option<Problem> {
        None
    }
}

/// A kind of thing that owners create.
pub trait Creatable: Table {
    /// What is said of it.
    type New: DeserializeOwned + Rules;
    /// `INSERT …` of [`Made::values`] from `?3` on. It fails when something is in the way, so that nothing else of the
    /// transaction is done either.
    const INSERT: &'static str;
    /// Names, as `obstacle`, what is in the way; same parameters as [`Creatable::INSERT`].
    const OBSTACLE: &'static str;
    /// Whether visitors of the tenant's sites notice.
    const NOTICED: bool = false;
    /// The new thing.
    fn make(new: Self::New, maker: &Maker<'_>) -> Result<Made, Problem>;
    /// What is in the way, for people.
    fn refusal(obstacle: &str, made: &Made) -> Problem;
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
    serde_json::to_string(item).map_err(|_| {
        let code = bulle_protocol::problem::Code::Internal;
        Problem::new(code, "The answer could not be written.")
    })
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
    pub status: Option<Status>,
    /// Sites that show this bot.
    pub bot: Option<String>,
}

/// A thing and which state of it this is.
pub struct Versioned<T> {
    /// The thing.
    pub item: T,
    /// Grows with every change.
    pub version: u64,
}

#[derive(Deserialize)]
struct Row {
    item: String,
    id: String,
    version: f64,
}

impl Row {
    fn read<T: Table>(&self) -> Result<Versioned<T>, PortError> {
        let item = serde_json::from_str(&self.item);
        Ok(Versioned {
            item: item.map_err(|e| PortError(format!("row {}: {e}", self.id)))?,
            version: self.version as u64,
        })
    }
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
    pub async fn owned<T: Table>(
        &self,
        tenant_id: &str,
        id: &str,
    ) -> Result<Option<Versioned<T>>, PortError> {
        let sql = format!("SELECT {} {}", T::ROW, T::ONE);
        let statement = bind(&self.db()?, &sql, &[tenant_id.into(), id.into()])?;
        let row: Option<Row> = statement.first(None).await.map_err(port_error)?;
        row.map(|row| row.read()).transpose()
    }

    /// A page of things, in the order of their ids.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn owned_page<T: Table>(
        &self,
        tenant_id: &str,
        filter: &Filter,
    ) -> Result<Page<T>, PortError> {
        let sql = format!("SELECT {} {}", T::ROW, T::PAGE);
        let values = [
            tenant_id.into(),
            filter.after.as_str().into(),
            nullable(filter.status.map(name).transpose()?),
            nullable(filter.bot.as_deref()),
            (filter.limit + 1).into(),
        ];
        let statement = bind(&self.db()?, &sql, &values)?;
        let mut rows: Vec<Row> = results(&statement.all().await.map_err(port_error)?)?;
        let more = rows.len() > filter.limit as usize;
        rows.truncate(filter.limit as usize);
        let items = rows.iter().map(|row| Ok(row.read()?.item));
        Ok(Page {
            items: items.collect::<Result<_, PortError>>()?,
            next: rows.last().filter(|_| more).map(|row| row.id.clone()),
        })
    }

    /// Changes a thing if it still has the version: how it is now, and the keys of the sites that show it. Nothing
    /// otherwise.
    ///
    /// # Errors
    /// The database failed.
    pub async fn change_owned<T: Editable>(
        &self,
        (tenant_id, id): (&str, &str),
        version: u64,
        change: &T::Change,
        now_ms: u64,
    ) -> Result<Option<(Versioned<T>, Vec<String>)>, PortError> {
        let db = self.db()?;
        let mut values = vec![tenant_id.into(), id.into(), time(version), time(now_ms)];
        values.extend(T::values(change)?);
        let sql = format!("{} RETURNING {}", T::UPDATE, T::ROW);
        let statements = vec![
            sites(&db, tenant_id, &T::reach(id))?,
            bind(&db, &sql, &values)?,
        ];
        let done = db.batch(statements).await.map_err(port_error)?;
        let [keys, updated] = done.as_slice() else {
            return Err(PortError("a batch answered too little".to_owned()));
        };
        let rows: Vec<Row> = results(updated)?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some((row.read()?, site_keys(keys)?)))
    }

    /// Deletes a thing and all that belongs to it, if it still has the version: the keys of the sites that showed it.
    /// Nothing otherwise.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_owned<T: Editable>(
        &self,
        tenant_id: &str,
        id: &str,
        version: u64,
    ) -> Result<Option<Vec<String>>, PortError> {
        let db = self.db()?;
        let mut statements = vec![sites(&db, tenant_id, &T::reach(id))?];
        for sql in T::DELETE {
            let values = [tenant_id.into(), id.into(), time(version)];
            statements.push(bind(&db, sql, &values)?);
        }
        let done = db.batch(statements).await.map_err(port_error)?;
        let (Some(keys), Some(last)) = (done.first(), done.last()) else {
            return Err(PortError("a batch answered nothing".to_owned()));
        };
        let deleted: Vec<serde_json::Value> = results(last)?;
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
    pub async fn create_owned<T: Creatable>(
        &self,
        tenant_id: &str,
        made: &Made,
        remembered: Option<&Remembered>,
        now_ms: u64,
    ) -> Result<Vec<String>, PortError> {
        let db = self.db()?;
        let mut statements = vec![bind(&db, T::INSERT, &parameters(tenant_id, made))?];
        if let Some(remembered) = remembered {
            statements.extend(idempotency::statements(&db, tenant_id, remembered, now_ms)?);
        }
        if T::NOTICED {
            statements.push(sites(&db, tenant_id, &Reach::default())?);
        }
        let done = db.batch(statements).await.map_err(port_error)?;
        match done.last() {
            Some(keys) if T::NOTICED => site_keys(keys),
            _ => Ok(Vec::new()),
        }
    }

    /// What is in the way of an insertion.
    ///
    /// # Errors
    /// The database failed.
    pub async fn obstacle<T: Creatable>(
        &self,
        tenant_id: &str,
        made: &Made,
    ) -> Result<Option<String>, PortError> {
        let statement = bind(&self.db()?, T::OBSTACLE, &parameters(tenant_id, made))?;
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

fn json<T: Serialize>(value: &T) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|e| PortError(e.to_string()))
}

/// The name of a unit variant, without the quotes of JSON.
fn name<T: Serialize>(value: T) -> Result<String, PortError> {
    Ok(json(&value)?.trim_matches('"').to_owned())
}
