//! The resources that owners manage.
//!
//! Twelve kinds of resources have one shape: a row of a table, shown as JSON, with an id within its tenant. A kind consists of
//! its statements. In each of them `?1` is the tenant and `?2` the id of the resource.

pub mod audit;
pub mod bots;
pub mod forms;
mod idempotency;
pub mod identity_secrets;
pub mod invitations;
pub mod keys;
pub mod members;
pub mod notices;
pub mod sites;
pub mod sources;
pub mod tenants;

pub use idempotency::Remembered;

use bulle_edge_core::{
    admin::{Principal, merge, rules::Rules},
    json,
    model::Secret,
    outbound::AddressPolicy,
    ports::PortError,
};
use bulle_protocol::problem::{Code, Problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::d1::{Database, Rows, Statement, Value, to_json, values};

/// A kind of resource, and how it is read.
pub struct ResourceKind {
    /// The columns of a row: `id`, `version`, and `item` as JSON.
    pub row: &'static str,
    /// `FROM …`: the resource with the id.
    pub one: &'static str,
    /// `FROM …`: resources after the id `?2`, with the status `?3` and the bot `?4` (both may be null), at most `?5`;
    /// of bots also those of the JSON array `?6`, of sources the kind `?6` and the parent `?7`.
    pub page: &'static str,
    /// Turns the JSON of a row into the JSON of a response.
    pub show: fn(&str) -> Result<String, PortError>,
}

/// How resources of a kind are changed and deleted.
pub struct Changes {
    /// The kind.
    pub kind: &'static ResourceKind,
    /// `UPDATE …` the version `?3`, at the time `?4`, with [`Change::values`] from `?5` on.
    pub update: &'static str,
    /// Statements that delete the version `?3` with all that belongs to it; the last one deletes the resource itself and
    /// returns a row.
    pub delete: fn() -> Vec<Cow<'static, str>>,
    /// Applies a merge patch to the JSON of a row, at a time in Unix milliseconds. `None` when it changes nothing.
    pub apply: fn(&str, serde_json::Value, &ChangeContext) -> Result<Option<Change>, Problem>,
    /// The sites whose cached settings change with the resource, from the id of the resource.
    pub affected_sites: fn(&str) -> AffectedSites<'_>,
}

/// A change that can be stored.
pub struct Change {
    /// The changed columns.
    pub values: Vec<Value>,
    /// The problem when the present version refuses the change.
    pub refusal: Option<Problem>,
}

/// The values that a change is checked with.
pub struct ChangeContext {
    /// The caller.
    pub caller: Principal,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// Which addresses requests may be sent to.
    pub policy: AddressPolicy,
}

/// How resources of a kind are created.
pub struct Creation {
    /// `INSERT …` of [`NewResource::values`] from `?3` on. It fails when there is an obstacle, so that the rest of the
    /// transaction is undone as well.
    pub insert: &'static str,
    /// Names the obstacle in the column `obstacle`; same parameters as `insert`.
    pub obstacle: &'static str,
    /// Whether a creation changes the cached settings of the tenant's sites.
    pub noticed: bool,
    /// Makes a resource from the body of a request.
    pub make: fn(&str, &CreateContext<'_>) -> Result<NewResource, Problem>,
    /// The problem for an obstacle.
    pub refusal: fn(&str, &NewResource) -> Problem,
}

/// The input for a new resource.
pub struct CreateContext<'m> {
    /// The caller.
    pub caller: &'m Principal,
    /// The tenant; empty for the operator.
    pub tenant_id: &'m str,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// Random numbers that are fit for secrets.
    pub random: [u128; 3],
    /// The deployment's signing secret, or the error in it.
    pub secret: Result<Secret, Problem>,
    /// The address policy.
    pub policy: AddressPolicy,
}

/// A resource that can be inserted.
pub struct NewResource {
    /// Its id.
    pub id: String,
    /// Columns, from `?3` on.
    pub values: Vec<Value>,
    /// JSON of the response, with a secret that is shown only once.
    pub shown: String,
    /// JSON of the response to a repeated request.
    pub remembered: String,
}

impl NewResource {
    /// A resource without secrets.
    fn open<T: Serialize>(id: String, values: Vec<Value>, item: &T) -> Result<Self, Problem> {
        let shown = answer(item)?;
        Ok(Self {
            id,
            values,
            remembered: shown.clone(),
            shown,
        })
    }
}

/// The JSON of a response.
fn answer<T: Serialize>(item: &T) -> Result<String, Problem> {
    serde_json::to_string(item)
        .map_err(|_| Problem::new(Code::Internal, "The answer could not be written."))
}

/// Turns the JSON of a row into the JSON of its type, defaults included.
fn show<T: Serialize + DeserializeOwned>(item: &str) -> Result<String, PortError> {
    let item: T = json::read(item).map_err(|e| PortError(e.to_string()))?;
    serde_json::to_string(&item).map_err(|e| PortError(e.to_string()))
}

/// Applies a merge patch to the JSON of a row: `editable` has its members that may change, and `store` turns them into
/// columns. `None` when nothing changes.
fn changed<T, C>(
    item: &str,
    patch: serde_json::Value,
    context: &ChangeContext,
    editable: fn(T) -> C,
    store: impl FnOnce(&C) -> Result<Change, Problem>,
) -> Result<Option<Change>, Problem>
where
    T: DeserializeOwned,
    C: Serialize + DeserializeOwned + PartialEq + Rules,
{
    let item = json::read(item)
        .map_err(|_| Problem::new(Code::Internal, "What is stored cannot be read."))?;
    let current = editable(item);
    let change = merge::apply(&current, patch)?;
    if change == current {
        return Ok(None);
    }
    change.check(context.now_ms)?;
    store(&change).map(Some)
}

/// A set of a tenant's sites: all of them by default.
#[derive(Default)]
pub struct AffectedSites<'r> {
    /// The sites that show this bot.
    pub bot: Option<&'r str>,
    /// The site with this key.
    pub site: Option<&'r str>,
}

/// A part of a list.
pub struct Filter {
    /// Most items.
    pub limit: u32,
    /// Only items after this id.
    pub after: String,
    /// Only items with this status.
    pub status: Option<&'static str>,
    /// Only sites that show this bot, sources of this bot.
    pub bot: Option<String>,
    /// Only these bots, in a list of bots.
    pub bots: Option<Vec<String>>,
    /// Only sources of this kind.
    pub kind: Option<String>,
    /// Only sources that belong to this one.
    pub parent: Option<String>,
}

/// A stored resource.
#[derive(Deserialize)]
pub struct ResourceRow {
    /// JSON.
    pub item: String,
    id: String,
    version: f64,
}

impl ResourceRow {
    /// Grows with every change; the `ETag`.
    pub fn version(&self) -> u64 {
        self.version as u64
    }
}

/// A page of resources, ordered by id.
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

/// The resources of owners.
pub struct Owned<D>(pub D);

impl<D: Database> Owned<D> {
    /// A resource.
    ///
    /// # Errors
    /// The database failed, or the row cannot be read.
    pub async fn get(
        &self,
        kind: &ResourceKind,
        tenant_id: &str,
        id: &str,
    ) -> Result<Option<ResourceRow>, PortError> {
        let sql = format!("SELECT {} {}", kind.row, kind.one);
        self.0
            .first(Statement::new(sql, values![tenant_id, id]))
            .await
    }

    /// A page of resources, ordered by id.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn page(
        &self,
        kind: &ResourceKind,
        tenant_id: &str,
        filter: &Filter,
    ) -> Result<List, PortError> {
        let sql = format!("SELECT {} {}", kind.row, kind.page);
        let mut values = values![
            tenant_id,
            &filter.after,
            filter.status,
            filter.bot.as_deref(),
            filter.limit + 1,
        ];
        // D1 refuses a parameter that a statement does not name.
        if kind.page.contains("?7") {
            values.extend(values![filter.kind.as_deref(), filter.parent.as_deref()]);
        } else if kind.page.contains("?6") {
            values.extend(values![filter.bots.as_ref().map(to_json).transpose()?]);
        }
        let mut rows: Vec<ResourceRow> = self.0.rows(Statement::new(sql, values)).await?;
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

    /// Changes a resource: its new state, and the keys of the sites that show it. `None` when it has another version.
    ///
    /// # Errors
    /// The database failed.
    pub async fn change(
        &self,
        changes: &Changes,
        (tenant_id, id, version): (&str, &str, u64),
        change: &Change,
        now_ms: u64,
    ) -> Result<Option<(ResourceRow, Vec<String>)>, PortError> {
        let sql = format!("{} RETURNING {}", changes.update, changes.kind.row);
        let mut values = values![tenant_id, id, version, now_ms];
        values.extend(change.values.iter().cloned());
        let statements = [
            sites(tenant_id, &(changes.affected_sites)(id)),
            Statement::new(sql, values),
        ];
        let [keys, updated] = self.0.batch(statements).await?;
        let row = updated.first()?;
        row.map(|row| Ok((row, site_keys(&keys)?))).transpose()
    }

    /// Deletes a resource and all that belongs to it: the keys of the sites that showed it. `None` when it has another
    /// version.
    ///
    /// # Errors
    /// The database failed; nothing was deleted then.
    pub async fn delete(
        &self,
        changes: &Changes,
        (tenant_id, id, version): (&str, &str, u64),
    ) -> Result<Option<Vec<String>>, PortError> {
        let mut statements = vec![sites(tenant_id, &(changes.affected_sites)(id))];
        let deletions = (changes.delete)().into_iter();
        statements
            .extend(deletions.map(|sql| Statement::new(sql, values![tenant_id, id, version])));
        let done = self.0.run(statements).await?;
        match (done.first(), done.last()) {
            (Some(keys), Some(deleted)) if !deleted.is_empty() => site_keys(keys).map(Some),
            _ => Ok(None),
        }
    }

    /// Inserts a resource, and the answer to a repeated request, in one transaction. Gives the keys of the sites whose
    /// cached settings change.
    ///
    /// # Errors
    /// The database failed, or there is an obstacle; then nothing was stored. See [`Owned::obstacle`].
    pub async fn create(
        &self,
        creation: &Creation,
        tenant_id: &str,
        made: &NewResource,
        remembered: Option<&Remembered>,
        now_ms: u64,
    ) -> Result<Vec<String>, PortError> {
        let mut statements = vec![Statement::new(creation.insert, parameters(tenant_id, made))];
        if let Some(remembered) = remembered {
            statements.extend(idempotency::statements(tenant_id, remembered, now_ms));
        }
        if creation.noticed {
            statements.push(sites(tenant_id, &AffectedSites::default()));
        }
        let done = self.0.run(statements).await?;
        match done.last() {
            Some(keys) if creation.noticed => site_keys(keys),
            _ => Ok(Vec::new()),
        }
    }

    /// The obstacle to an insertion.
    ///
    /// # Errors
    /// The database failed.
    pub async fn obstacle(
        &self,
        creation: &Creation,
        tenant_id: &str,
        made: &NewResource,
    ) -> Result<Option<String>, PortError> {
        let statement = Statement::new(creation.obstacle, parameters(tenant_id, made));
        let row: Option<Obstacle> = self.0.first(statement).await?;
        Ok(row.and_then(|row| row.obstacle))
    }

    /// The keys of all sites of a tenant.
    ///
    /// # Errors
    /// The database failed.
    pub async fn all_site_keys(&self, tenant_id: &str) -> Result<Vec<String>, PortError> {
        let [keys] = self
            .0
            .batch([sites(tenant_id, &AffectedSites::default())])
            .await?;
        site_keys(&keys)
    }
}

fn parameters(tenant_id: &str, made: &NewResource) -> Vec<Value> {
    let mut values = values![tenant_id, &made.id];
    values.extend(made.values.iter().cloned());
    values
}

fn sites(tenant_id: &str, affected_sites: &AffectedSites<'_>) -> Statement {
    Statement::new(
        "SELECT key AS site_key FROM site WHERE tenant_id = ?1 \
         AND (?2 IS NULL OR bot_id = ?2) AND (?3 IS NULL OR key = ?3)",
        values![tenant_id, affected_sites.bot, affected_sites.site],
    )
}

fn site_keys(rows: &Rows) -> Result<Vec<String>, PortError> {
    let rows: Vec<SiteKey> = rows.list()?;
    Ok(rows.into_iter().map(|row| row.site_key).collect())
}

/// The name of a unit variant, without the quotes of JSON.
fn name<T: Serialize>(value: T) -> Result<String, Problem> {
    Ok(answer(&value)?.trim_matches('"').to_owned())
}

/// Deletes the rows of these tables that belong to a resource, on condition that the resource is unchanged. Each table
/// comes with the condition that selects its rows.
fn belongings(
    tables: &'static [(&'static str, &'static str)],
    unchanged: &'static str,
) -> impl Iterator<Item = Cow<'static, str>> {
    tables.iter().map(move |(table, rows)| {
        format!("DELETE FROM {table} WHERE {rows} AND {unchanged}").into()
    })
}
