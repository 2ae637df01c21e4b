//! `cargo xtask console`: lets people in, through the owner's API of a running edge.

use std::fs;

use anyhow::{Context, Result, bail};
use bulle_api::people::CreatedInvitation;
use lexopt::{Arg, Parser, ValueExt};
use serde_json::{Value, json};

use crate::knowledge::{
    client::{read, send},
    operator_key,
};
use crate::{compress, paths};

/// What `cargo xtask console --help` shows.
pub const HELP: &str = "\
cargo xtask console invite EMAIL

  makes a link with which a person signs in for the first time, as an operator: everything in every tenant
      --locked-out    for a person who has an account: the link sets a new password and ends their sessions
      --edge URL      the edge; without it the local one, http://localhost:8787

The link is valid for a day and good for one use. The key is ADMIN_KEY, of the environment or of edge/worker/.dev.vars.
Owners invite the people of their tenant themselves, see docs/people.md.
";

/// Seconds until a request without a response fails.
const PATIENCE: u32 = 60;

/// Reads the rest of the command line and carries the command out.
pub fn run(parser: &mut Parser) -> Result<()> {
    let mut words: Vec<String> = Vec::new();
    let (mut edge, mut operator) = ("http://localhost:8787".to_owned(), true);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("edge") => edge = parser.value()?.string()?,
            Arg::Long("locked-out") => operator = false,
            Arg::Value(word) => words.push(word.string()?),
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["invite", email] => invite(edge.trim_end_matches('/'), email, operator),
        [] | ["help"] => {
            print!("{HELP}");
            Ok(())
        }
        [other, ..] => bail!("`{other}` is no command, or not all of one\n\n{HELP}"),
    }
}

fn invite(edge: &str, email: &str, operator: bool) -> Result<()> {
    let body = json!({ "email": email, "operator": operator });
    let (status, text) = ask(edge, &operator_key()?, &body)?;
    if status != 201 {
        let problem: Value = serde_json::from_str(&text)
            .with_context(|| format!("{edge} answers {status}, but not as an edge does"))?;
        bail!(
            "{}",
            problem
                .get("detail")
                .and_then(Value::as_str)
                .unwrap_or("the edge refuses")
        );
    }
    let made: CreatedInvitation = read(&text)?;
    println!("{}", made.url);
    Ok(())
}

/// A link with which the first person signs in, as an operator with this address. `None` when there is an operator, or
/// sign-in is closed.
pub fn first_link(edge: &str, key: &str, email: &str) -> Result<Option<String>> {
    let body = json!({ "email": email, "operator": true, "first": true });
    let (status, text) = ask(edge, key, &body)?;
    if status != 201 {
        return Ok(None);
    }
    let made: CreatedInvitation = read(&text)?;
    Ok(Some(made.url))
}

fn ask(edge: &str, key: &str, body: &Value) -> Result<(u16, String)> {
    let file = paths::cache().join(format!("invitation-{}.json", std::process::id()));
    compress::write(&file, body.to_string().as_bytes())?;
    let request = ("POST", "/v1/admin/invitations");
    let sent = send(
        edge,
        (key, PATIENCE),
        request,
        Some(("application/json", &file)),
    );
    fs::remove_file(&file)?;
    sent
}
