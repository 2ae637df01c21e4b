//! The developer commands. `cargo xtask help` lists them.
//!
//! A command does everything it needs: `dev` on a fresh clone installs the tools, builds, creates
//! the local database and serves the examples. Nothing is installed outside the repository except
//! the Rust target and, for the end-to-end tests, a browser.

#![expect(
    clippy::print_stdout,
    reason = "a command-line tool speaks through its standard output"
)]
#![expect(
    clippy::print_stderr,
    reason = "errors go to the standard error, so that output can be piped"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a developer's command is all input and output"
)]

mod bench;
mod bindgen;
mod browser;
mod build;
mod compile;
mod compress;
mod console;
mod dependencies;
mod dev;
mod dev_vars;
mod e2e;
mod fixture;
mod fuzz;
mod knowledge;
mod names;
mod paths;
mod process;
mod progress;
mod python;
mod scripts;
mod seed;
mod servers;
mod setup;
mod site_server;
mod size;
mod test;
mod wordpress;
mod worker_build;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
cargo xtask <command>

  dev [--port N]      build everything, serve the edge on N (8787) and the examples on N+1
      --release       serve the widget and the Worker as they are published; building them takes longer
      --no-build      serve what is already built
      --state DIR     keep the local database elsewhere than edge/worker/.wrangler/state
      --vars K=V      set a variable of the Worker (repeatable)
      --config FILE   serve the Worker that FILE describes instead of edge/worker/wrangler.toml
  test                everything that a change must pass
  test native         only formatting, lints, native tests and the TypeScript check
  test e2e [PATTERN]  only the end-to-end tests; PATTERN is part of a file's name or of a test's name
  test --part NAME    only a part that is slow and rarely fails; without NAME, what there is
  test --all          everything that a change must pass, and every part
  test --ci           everything that a change must pass, and the parts that fit into an hour, others each day
  build               the widget, the loader and the Worker, into dist/ and edge/worker/build/
  build widget|worker only that part
  seed NAME --url O   SQL that puts examples/NAME, whose pages are at the origin O, into a database
  seed FOLDER --into TENANT/BOT --url O
                      SQL that makes the Markdown files of FOLDER what a bot knows
  knowledge add WHAT  have a bot of a running edge know a file, a folder or an address; list, status ID, remove ID
      --help          where it looks for the edge, the bot and the key
  console invite EMAIL
                      a link with which a person signs in for the first time, or after being locked out
  fixture             once a release: the database of this release, for the tests of the next one's migrations
  size                what a visitor downloads and what is uploaded, against the budgets
  bench [NAME]        measurements: answers, edge, knowledge, lighthouse, limits, retrieval, widget; without NAME, what each is
  fuzz [TARGET]       feed random bytes to what reads strangers' files, for a minute each (--seconds N)
  setup               install the tools, which the other commands also do
  help                this text
";

/// The exit code for a wrong command line, which other tools use, too.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if let Some(help) = help(&words) {
        print!("{help}");
        return ExitCode::SUCCESS;
    }
    match dispatch(Parser::from_env()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The text that a command line asks for: with `--help` or `-h` anywhere in it, the one of its command.
fn help(words: &[String]) -> Option<&'static str> {
    let asks = |word: &String| word == "--help" || word == "-h";
    if !words.iter().any(asks) {
        return None;
    }
    let command = words.iter().find(|word| !word.starts_with('-'));
    Some(match command.map(String::as_str) {
        Some("knowledge") => knowledge::HELP,
        Some("console") => console::HELP,
        _ => HELP,
    })
}

fn dispatch(mut parser: Parser) -> Result<ExitCode> {
    let command = match parser.next()? {
        None => "help".to_owned(),
        Some(Arg::Value(value)) => value.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "help" => print!("{HELP}"),
        "setup" => {
            no_more(&mut parser)?;
            setup::tools()?;
            setup::components()?;
        }
        "build" => match (parser.optional_word()?).as_deref() {
            None => build::all()?,
            Some("widget") => build::widget_only()?,
            Some("worker") => build::worker_only()?,
            Some(other) => bail!("`{other}` cannot be built; try `cargo xtask build`"),
        },
        "examples" => {
            no_more(&mut parser)?;
            site_server::run()?;
        }
        "dev" => return dev::run(&dev::Options::parse(&mut parser)?),
        "test" => test(&mut parser)?,
        "seed" => {
            print!("{}", seed_sql(&mut parser)?);
        }
        "knowledge" => knowledge::run(&mut parser)?,
        "console" => console::run(&mut parser)?,
        "fixture" => {
            no_more(&mut parser)?;
            fixture::write()?;
        }
        "size" => {
            no_more(&mut parser)?;
            if !size::report()? {
                return Ok(ExitCode::FAILURE);
            }
        }
        "fuzz" => fuzz::run(&mut parser)?,
        "bench" => return bench::run(&mut parser),
        other => {
            eprintln!("error: there is no command `{other}`\n\n{HELP}");
            return Ok(ExitCode::from(USAGE));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `test`, `test native`, `test e2e [PATTERN]`, `test --part NAME`, `test --all` or `test --ci`.
fn test(parser: &mut Parser) -> Result<()> {
    let scope = match parser.next()? {
        None => test::Scope::Change,
        Some(Arg::Long("all")) => test::Scope::All,
        Some(Arg::Long("ci")) => test::Scope::Ci,
        Some(Arg::Long("part")) => {
            let Some(name) = parser.optional_word()? else {
                print!("{}", test::parts());
                return Ok(());
            };
            return test::run(&test::Scope::Part(&name));
        }
        Some(Arg::Value(word)) => match word.string()?.as_str() {
            "native" => test::Scope::Native,
            "e2e" => {
                let pattern = parser.optional_word()?;
                return test::run(&test::Scope::EndToEnd(pattern.as_deref()));
            }
            other => bail!("there is no part `{other}`; try `native`, `e2e` or `--part {other}`"),
        },
        Some(other) => return Err(other.unexpected().into()),
    };
    no_more(parser)?;
    test::run(&scope)
}

/// `seed NAME --url O`, or `seed FOLDER --into TENANT/BOT --url O`.
fn seed_sql(parser: &mut Parser) -> Result<String> {
    let usage = "say which: `cargo xtask seed NAME --url https://example.com` for a bot of examples/, or `cargo xtask \
                 seed FOLDER --into TENANT/BOT --url https://example.com` for documents only";
    let (mut what, mut into, mut url) = (None, None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("url") => url = Some(parser.value()?.string()?),
            Arg::Long("into") => into = Some(parser.value()?.string()?),
            Arg::Value(word) if what.is_none() => what = Some(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let (Some(what), Some(url)) = (what, url) else {
        bail!(usage);
    };
    let url = url.trim_end_matches('/');
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let Some(into) = into else {
        return seed::sql(&paths::root(), Some(&what), url, now);
    };
    let Some(bot) = into.split_once('/') else {
        bail!(usage);
    };
    let mut sql = String::new();
    seed::documents(std::path::Path::new(&what), bot, url, now, &mut sql)?;
    Ok(sql)
}

/// The next word of the command line, for commands that take one.
trait OptionalWord {
    fn optional_word(&mut self) -> Result<Option<String>>;
}

impl OptionalWord for Parser {
    fn optional_word(&mut self) -> Result<Option<String>> {
        match self.next()? {
            None => Ok(None),
            Some(Arg::Value(value)) => Ok(Some(value.string()?)),
            Some(other) => Err(other.unexpected().into()),
        }
    }
}

fn no_more(parser: &mut Parser) -> Result<()> {
    match parser.next()? {
        None => Ok(()),
        Some(other) => Err(other.unexpected().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help() {
        let help = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            help(&words)
        };
        for line in [
            "--help",
            "-h",
            "dev --help",
            "test e2e -h",
            "bench --help",
            "nonsense --help",
        ] {
            assert_eq!(help(line), Some(HELP), "{line}");
        }
        for line in [
            "knowledge --help",
            "knowledge -h",
            "knowledge add --help",
            "--help knowledge",
        ] {
            assert_eq!(help(line), Some(knowledge::HELP), "{line}");
        }
        for line in ["", "help", "dev", "knowledge add a.md"] {
            assert_eq!(help(line), None, "{line}");
        }
    }
}
