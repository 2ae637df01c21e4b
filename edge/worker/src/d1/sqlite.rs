//! SQLite in memory with the Worker's migrations, in place of D1, for tests.
//!
//! It is as strict as D1: numbers are bound as doubles, a parameter that a statement does not name is refused, foreign keys
//! hold, and the statements of a batch are one transaction. And it fails on demand.

use std::{cell::Cell, collections::BTreeMap, fs, path::PathBuf};

use bulle_edge_core::ports::PortError;
use rusqlite::{Connection, types::ValueRef};
use serde_json::{Map, Value as Json, json};

use super::{Database, Rows, Statement, Value};

/// A database in memory.
pub struct Sqlite {
    connection: Connection,
    round_trips: Cell<usize>,
    fails_after: Cell<Option<usize>>,
    steps: Cell<u64>,
}

impl Sqlite {
    /// A database without tables.
    pub fn empty() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("PRAGMA foreign_keys = ON")
            .unwrap();
        Self {
            connection,
            round_trips: Cell::default(),
            fails_after: Cell::default(),
            steps: Cell::default(),
        }
    }

    /// A database with all migrations.
    pub fn new() -> Self {
        let database = Self::empty();
        for (_, sql) in migrations() {
            database.script(&sql);
        }
        database
    }

    /// Runs statements without parameters.
    pub fn script(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    /// The rows of a statement without parameters.
    pub fn query(&self, sql: &str) -> Vec<Json> {
        let rows = self.rows_of(&Statement::new(sql.to_owned(), Vec::new()));
        rows.unwrap().into_iter().map(Json::Object).collect()
    }

    /// The number that a statement without parameters returns.
    pub fn number(&self, sql: &str) -> i64 {
        self.connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }

    /// The names of all tables of the migrations, without the internal tables of virtual tables.
    pub fn tables(&self) -> Vec<String> {
        let sql = "SELECT name FROM pragma_table_list \
                   WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let rows = self.query(sql);
        rows.iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The names of the tables with the column `tenant_id`.
    pub fn tenant_tables(&self) -> Vec<String> {
        let has_tenant = |table: &String| {
            let sql = format!(
                "SELECT count(*) FROM pragma_table_info('{table}') WHERE name = 'tenant_id'"
            );
            self.number(&sql) > 0
        };
        self.tables().into_iter().filter(has_tenant).collect()
    }

    /// All rows of a tenant, by table.
    pub fn rows_of_tenant(&self, tenant_id: &str) -> BTreeMap<String, Vec<Json>> {
        let rows = |table: String| {
            let rows = self.query(&format!(
                "SELECT * FROM {table} WHERE tenant_id = '{tenant_id}'"
            ));
            (table, rows)
        };
        self.tenant_tables().into_iter().map(rows).collect()
    }

    /// The round trips since the last call.
    pub fn round_trips(&self) -> usize {
        self.round_trips.take()
    }

    /// The instructions of SQLite's virtual machine since the database was opened.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Makes the next run fail after this many of its statements.
    pub fn fail_after(&self, statements: usize) {
        self.fails_after.set(Some(statements));
    }

    fn rows_of(&self, statement: &Statement) -> Result<Vec<Map<String, Json>>, String> {
        let failed = |error: rusqlite::Error| format!("{error} in {}", statement.sql);
        let mut prepared = self.connection.prepare(&statement.sql).map_err(failed)?;
        let (named, given) = (prepared.parameter_count(), statement.values.len());
        if named != given {
            return Err(format!(
                "{given} of {named} parameters of {}",
                statement.sql
            ));
        }
        for (place, value) in statement.values.iter().enumerate() {
            let bound = match value {
                Value::Null => prepared.raw_bind_parameter(place + 1, rusqlite::types::Null),
                Value::Number(number) => prepared.raw_bind_parameter(place + 1, number),
                Value::Text(text) => prepared.raw_bind_parameter(place + 1, text),
            };
            bound.map_err(failed)?;
        }
        let columns: Vec<String> = prepared
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut rows = prepared.raw_query();
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let values = columns.iter().enumerate().map(|(place, column)| {
                let value = row.get_ref(place).map_err(failed)?;
                Ok((column.clone(), json_of(value)))
            });
            all.push(values.collect::<Result<_, String>>()?);
        }
        drop(rows);
        let steps = prepared.get_status(rusqlite::StatementStatus::VmStep);
        let steps = u64::try_from(steps).unwrap_or_default();
        self.steps.set(self.steps.get() + steps);
        Ok(all)
    }
}

/// A number as JavaScript prints it: an integer has no fraction.
fn json_of(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) if number.fract() == 0.0 => json!(number as i64),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(str::from_utf8(text).unwrap()),
        ValueRef::Blob(_) => panic!("no statement reads a blob"),
    }
}

impl Database for &Sqlite {
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        self.round_trips.set(self.round_trips.get() + 1);
        let fails_after = self.fails_after.take();
        self.script("BEGIN");
        let done = statements.iter().enumerate().map(|(place, statement)| {
            if fails_after == Some(place) {
                return Err("it fails on demand".to_owned());
            }
            let rows = self.rows_of(statement)?;
            Ok(Rows(serde_json::to_string(&rows).unwrap()))
        });
        let done: Result<Vec<Rows>, String> = done.collect();
        self.script(if done.is_ok() { "COMMIT" } else { "ROLLBACK" });
        done.map_err(PortError)
    }
}

/// The migrations in their order: name and SQL.
pub fn migrations() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(file).unwrap())
        })
        .collect()
}
