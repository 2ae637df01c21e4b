//! The database: statements and parameters as data, rows as JSON.
//!
//! Repositories are written against [`Database`]. In the Worker that is [`D1`]; in tests it is SQLite with the same
//! migrations, so that a wrong statement fails without a browser and without workerd.

#[cfg(test)]
pub mod sqlite;

use std::{borrow::Cow, fmt::Display};

use bulle_edge_core::ports::PortError;
use bulle_protocol::Id;
use serde::{Serialize, de::DeserializeOwned};
use worker::{
    Env,
    js_sys::{self, Array, JSON, JsString, Promise},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
    worker_sys::types::{D1Database, D1PreparedStatement, D1Result},
};

/// The binding, as wrangler.toml names it.
const BINDING: &str = "DB";

/// A parameter of a statement.
///
/// Numbers are doubles, as D1 binds the numbers of JavaScript: whole ones are exact up to 2^53, which
/// milliseconds do not reach for 285,000 years. An `i64` would become a BigInt, which D1 refuses.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// REAL; a column of a STRICT table that is an INTEGER stores it as one.
    Number(f64),
    /// TEXT.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number as f64)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Number(u8::from(flag).into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters `?1`, `?2`, … of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::d1::Value::from($value)),*]
    };
}
pub(crate) use values;

/// A statement with its parameters. D1 refuses a parameter that the statement does not name.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// SQL.
    pub sql: Cow<'static, str>,
    /// `?1`, `?2`, …: at most 100.
    pub values: Vec<Value>,
}

impl Statement {
    /// A statement with its parameters; see [`values!`].
    pub fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self {
            sql: sql.into(),
            values,
        }
    }
}

/// The rows that a statement returned: a JSON array of objects.
#[derive(Debug)]
pub struct Rows(pub String);

impl Rows {
    /// Reads the rows.
    ///
    /// # Errors
    /// A row does not have the type's fields.
    pub fn list<T: DeserializeOwned>(&self) -> Result<Vec<T>, PortError> {
        from_json(&self.0)
    }

    /// Reads the rows and keeps the first.
    ///
    /// # Errors
    /// A row does not have the type's fields.
    pub fn first<T: DeserializeOwned>(&self) -> Result<Option<T>, PortError> {
        Ok(self.list()?.into_iter().next())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0 == "[]"
    }
}

/// Runs statements.
pub trait Database {
    /// Runs the statements in one round trip and one transaction: all of them, or none. The rows of each, in order.
    ///
    /// # Errors
    /// The database failed, or refused a statement.
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError>;

    /// [`Database::run`] for a number of statements that is known.
    ///
    /// # Errors
    /// See [`Database::run`].
    async fn batch<const N: usize>(
        &self,
        statements: [Statement; N],
    ) -> Result<[Rows; N], PortError> {
        let rows = self.run(Vec::from(statements)).await?;
        rows.try_into()
            .map_err(|_| PortError("D1: a batch returned too few results".to_owned()))
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// See [`Database::run`] and [`Rows::list`].
    async fn rows<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, PortError> {
        let [rows] = self.batch([statement]).await?;
        rows.list()
    }

    /// The first row of one statement.
    ///
    /// # Errors
    /// See [`Database::run`] and [`Rows::list`].
    async fn first<T: DeserializeOwned>(
        &self,
        statement: Statement,
    ) -> Result<Option<T>, PortError> {
        let [rows] = self.batch([statement]).await?;
        rows.first()
    }

    /// Runs one statement; whether it returned a row.
    ///
    /// # Errors
    /// See [`Database::run`].
    async fn any(&self, statement: Statement) -> Result<bool, PortError> {
        let [rows] = self.batch([statement]).await?;
        Ok(!rows.is_empty())
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// See [`Database::run`].
    async fn execute(&self, statement: Statement) -> Result<(), PortError> {
        self.run(vec![statement]).await.map(drop)
    }
}

/// JSON for a parameter.
///
/// # Errors
/// The value has no JSON, such as a map whose keys are not text.
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(broken)
}

/// Reads a column that holds JSON.
///
/// # Errors
/// The column does not hold the type's JSON.
pub fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, PortError> {
    serde_json::from_str(json).map_err(broken)
}

/// The name of a unit variant, without the quotes of JSON.
///
/// # Errors
/// See [`to_json`].
pub fn to_name<T: Serialize>(variant: &T) -> Result<String, PortError> {
    Ok(to_json(variant)?.trim_matches('"').to_owned())
}

/// A unit variant from its name.
///
/// # Errors
/// There is no such variant.
pub fn from_name<T: DeserializeOwned>(name: &str) -> Result<T, PortError> {
    from_json(&format!("\"{name}\""))
}

/// Reads a column that holds an id.
///
/// # Errors
/// The text is not an id.
pub fn to_id(text: &str) -> Result<Id, PortError> {
    text.parse()
        .map_err(|_| PortError(format!("not an id: {text}")))
}

fn broken(error: impl Display) -> PortError {
    PortError(error.to_string())
}

/// The D1 database of a Worker.
#[derive(Clone, Copy)]
pub struct D1<'e>(pub &'e Env);

impl Database for D1<'_> {
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        let database = self.0.d1(BINDING).map_err(broken)?;
        let database: D1Database = JsValue::from(database).unchecked_into();
        let bound = statements.iter().map(|statement| {
            let values = statement.values.iter().map(JsValue::from).collect();
            database.prepare(&statement.sql)?.bind(values)
        });
        let bound: Vec<D1PreparedStatement> = bound.collect::<Result<_, _>>().map_err(failed)?;
        // A single statement is a transaction of its own, and D1 repeats by itself one that only reads and failed.
        let results = match bound.as_slice() {
            [statement] => vec![settled(statement.all()).await?],
            _ => {
                let all = settled(database.batch(bound.into_iter().collect())).await?;
                all.unchecked_into::<Array>().to_vec()
            }
        };
        results.into_iter().map(rows).collect()
    }
}

impl From<&Value> for JsValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Number(number) => Self::from_f64(*number),
            Value::Text(text) => Self::from_str(text),
        }
    }
}

async fn settled(asked: Result<Promise, JsValue>) -> Result<JsValue, PortError> {
    JsFuture::from(asked.map_err(failed)?).await.map_err(failed)
}

/// Rows go through text, which the platform writes and `serde_json` reads: readers of JSON text are in the Worker
/// already, and readers of JavaScript objects (`serde_wasm_bindgen`) call the platform once for every column.
fn rows(result: JsValue) -> Result<Rows, PortError> {
    let results = result.unchecked_into::<D1Result>().results();
    let results = results.map_err(failed)?.unwrap_or_default();
    let text = JSON::stringify(&results).map_err(failed)?;
    Ok(Rows(text.into()))
}

/// The message of a D1 error: that of its cause, or else its own. Formatting the cause itself can hang.
#[expect(clippy::needless_pass_by_value, reason = "made to be given to map_err")]
fn failed(error: JsValue) -> PortError {
    let message = |error: &js_sys::Error| String::from(error.message());
    let text = match error.dyn_ref::<js_sys::Error>() {
        Some(error) => match error.cause().dyn_ref::<js_sys::Error>() {
            Some(cause) => message(cause),
            None => message(error),
        },
        None => error
            .dyn_ref::<JsString>()
            .map_or_else(|| "unknown error".to_owned(), String::from),
    };
    PortError(format!("D1: {text}"))
}
