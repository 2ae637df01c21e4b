//! Serves the product locally: the edge in workerd, the database, the example sites.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::knowledge::operator_key;
use crate::paths::Profile;
use crate::progress::{Progress, Step};
use crate::servers::{self, Server};
use crate::{build, compress, console, dev_vars, paths, process, seed, setup, site_server};

const DEFAULT_PORT: u16 = 8787;

/// Starting takes seconds; a busy machine may need many.
const START: Duration = Duration::from_secs(120);

/// The address of the first person on the own machine.
const FIRST_PERSON: &str = "operator@localhost";

/// The options of the command line.
pub struct Options {
    port: u16,
    build: bool,
    profile: Profile,
    state: Option<PathBuf>,
    vars: Vec<(String, String)>,
    config: Option<PathBuf>,
}

impl Options {
    /// Reads the rest of the command line.
    pub fn parse(parser: &mut Parser) -> Result<Self> {
        let mut options = Self {
            port: DEFAULT_PORT,
            build: true,
            profile: Profile::Dev,
            state: None,
            vars: Vec::new(),
            config: None,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("port") => options.port = parser.value()?.parse()?,
                Arg::Long("no-build") => options.build = false,
                Arg::Long("release") => options.profile = Profile::Release,
                Arg::Long("state") => {
                    options.state = Some(std::path::absolute(parser.value()?)?);
                }
                Arg::Long("config") => {
                    options.config = Some(std::path::absolute(parser.value()?)?);
                }
                Arg::Long("vars") => {
                    let text = parser.value()?.string()?;
                    let Some((name, value)) = text.split_once('=') else {
                        bail!("--vars takes NAME=VALUE, and `{text}` has no `=`");
                    };
                    options.vars.push((name.to_owned(), value.to_owned()));
                }
                other => return Err(other.unexpected().into()),
            }
        }
        if options.port == 0 || options.port == u16::MAX {
            bail!("--port needs a port that has a next one, for the examples");
        }
        Ok(options)
    }

    fn examples_port(&self) -> u16 {
        self.port + 1
    }
}

/// Serves until Ctrl-C, or until a server ends by itself.
pub fn run(options: &Options) -> Result<ExitCode> {
    // 1. Errors that can be found at once come before slow work.
    check_ports(options)?;
    let examples = format!("http://localhost:{}", options.examples_port());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let sql = seed::sql(&paths::root(), None, &examples, now)?;

    // 2. Tools, artifacts, secrets.
    let first = !options.profile.worker().exists();
    if first && !options.build && options.config.is_none() {
        bail!("nothing is built yet: leave out --no-build");
    }
    let mut progress = Progress::new(first);
    if options.build {
        build::before_wrangler(options.profile, &mut progress)?;
    } else {
        setup::npm_packages(options.profile)?;
    }
    dev_vars::ensure(&paths::worker().join(".dev.vars"))?;

    // 3. The database. From here on, a signal must end the started processes.
    let stopped = stop_on_signal()?;
    progress.begin(Step::Database);
    let database = Database {
        state: options.state.as_deref(),
        seed: paths::cache().join(format!("seed-{}.sql", options.port)),
    };
    database.migrate()?;
    database.fill(&sql)?;
    forget_settings(options)?;

    // 4. The servers.
    if stopped.load(Ordering::Relaxed) {
        return Ok(ExitCode::SUCCESS);
    }
    let edge = format!("http://localhost:{}", options.port);
    let folder = paths::root().join("examples");
    let origin = site_server::EdgeOrigin::from(OnceLock::from(edge.clone()));
    site_server::start(&folder, servers::local(options.examples_port()), &origin)?;
    progress.begin(Step::Server);
    let mut worker = Server::start("wrangler dev", &mut wrangler_dev(options))?;
    if !wait_until_ready(&mut worker, options.port, &stopped)? {
        return Ok(ExitCode::SUCCESS);
    }
    announce(&edge, &examples, &folder, options)?;

    while !stopped.load(Ordering::Relaxed) {
        fail_if_ended(&mut worker)?;
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("\nStopping.");
    Ok(ExitCode::SUCCESS)
}

fn check_ports(options: &Options) -> Result<()> {
    let pair_is_free = |port: u16| servers::is_free(port) && servers::is_free(port + 1);
    let taken = [options.port, options.examples_port()]
        .into_iter()
        .find(|port| !servers::is_free(*port));
    let Some(taken) = taken else { return Ok(()) };
    let other = (options.port..u16::MAX - 10)
        .step_by(10)
        .skip(1)
        .find(|port| pair_is_free(*port));
    let advice = other.map_or_else(String::new, |port| {
        format!("; `cargo xtask dev --port {port}` would work")
    });
    bail!("port {taken} is taken by another program{advice}")
}

fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    let first = Mutex::new(None::<Instant>);
    ctrlc::set_handler(move || {
        let Ok(mut first) = first.lock() else { return };
        flag.store(true, Ordering::Relaxed);
        // A second signal after a while ends this process, and leaves its children to the system. Wrappers send two
        // signals at once.
        if first.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(2) {
            std::process::exit(130);
        }
    })
    .context("Ctrl-C cannot be handled")?;
    Ok(stopped)
}

/// wrangler in the Worker's folder, with little output, for the Worker that was built.
fn wrangler() -> Command {
    let mut command = process::npm_tool("wrangler");
    command
        .current_dir(paths::worker())
        .env("WRANGLER_SEND_METRICS", "false")
        .stdin(Stdio::null());
    // wrangler prints the output of its build command, each piece in a line of its own.
    command.env("CARGO_TERM_QUIET", "true");
    command
}

fn keep_state_in(command: &mut Command, state: Option<&Path>) {
    if let Some(folder) = state {
        command.arg("--persist-to").arg(folder);
    }
}

/// The local D1 in a state folder.
struct Database<'a> {
    state: Option<&'a Path>,
    /// The file of the statements: one for each port, because two of these commands may run at the same time.
    seed: PathBuf,
}

impl Database<'_> {
    fn migrate(&self) -> Result<()> {
        let mut command = wrangler();
        // In CI, wrangler applies migrations without asking.
        command
            .env("CI", "true")
            .args(["d1", "migrations", "apply", "DB", "--local"]);
        keep_state_in(&mut command, self.state);
        process::run_quietly(&mut command).context("the local database could not be migrated")
    }

    fn fill(&self, sql: &str) -> Result<()> {
        // D1 refuses a file without a statement.
        if sql.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with("--")
        }) {
            return Ok(());
        }
        compress::write(&self.seed, sql.as_bytes())?;
        let mut command = wrangler();
        command
            .env("CI", "true")
            .args(["d1", "execute", "DB", "--local", "--yes", "--file"])
            .arg(&self.seed);
        keep_state_in(&mut command, self.state);
        process::run_quietly(&mut command).context("the local database could not be filled")
    }
}

/// A state folder whose database is migrated and has the examples, with their pages at this origin.
pub fn template(origin: &str) -> Result<PathBuf> {
    let root = paths::root();
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("could not read {}", path.display()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let mut parts = vec![
        seed::sql(&root, None, origin, 0)?.into_bytes(),
        read(&root.join("package-lock.json"))?,
        read(&paths::worker().join("wrangler.toml"))?,
    ];
    let mut migrations: Vec<_> = fs::read_dir(paths::worker().join("migrations"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    migrations.sort();
    for file in &migrations {
        parts.push(read(file)?);
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let key = compress::hash_all(&parts);

    let folder = paths::cache().join("template");
    let stamp = paths::cache().join("template.stamp");
    if folder.is_dir() && fs::read_to_string(&stamp).is_ok_and(|last| last == key) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let database = Database {
        state: Some(&folder),
        seed: paths::cache().join("template.sql"),
    };
    database.migrate()?;
    database.fill(&seed::sql(&root, None, origin, now)?)?;
    compress::write(&stamp, key.as_bytes())?;
    Ok(folder)
}

/// Empties the local KV, which holds only data that expires, such as settings of sites from before the seeding.
fn forget_settings(options: &Options) -> Result<()> {
    let state = options.state.clone();
    let folder = state.unwrap_or_else(|| paths::worker().join(".wrangler/state"));
    match fs::remove_dir_all(folder.join("v3/kv")) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).context("the local KV could not be emptied")
        }
        _ => Ok(()),
    }
}

fn wrangler_dev(options: &Options) -> Command {
    let mut command = wrangler();
    if !options.build {
        command.env(build::NO_BUILD, "1");
    } else if options.profile == Profile::Dev {
        command.env(build::DEV_BUILD, "1");
    }
    command
        .args(["dev", "--ip", "127.0.0.1", "--port"])
        .arg(options.port.to_string());
    keep_state_in(&mut command, options.state.as_deref());
    if let Some(file) = &options.config {
        command.arg("--config").arg(file);
    } else {
        // The main file in wrangler.toml is the published one, and is looked for beside the script.
        command
            .arg(options.profile.worker().join("index.js"))
            .args(["--config", "wrangler.toml", "--assets"])
            .arg(options.profile.assets());
    }
    // The address policy allows the pages of the examples, so that a bot can read them as sources.
    if !options.vars.iter().any(|(name, _)| name == "FETCH_LOCAL") {
        let pages = format!("FETCH_LOCAL:localhost:{}", options.examples_port());
        command.arg("--var").arg(pages);
    }
    for (name, value) in &options.vars {
        command.arg("--var").arg(format!("{name}:{value}"));
    }
    command
}

/// Waits until the server is ready; false when the wait was interrupted.
fn wait_until_ready(worker: &mut Server, port: u16, stopped: &AtomicBool) -> Result<bool> {
    let start = Instant::now();
    while !servers::answers(port, "/health") {
        fail_if_ended(worker)?;
        if stopped.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if start.elapsed() > START {
            bail!(
                "GET http://localhost:{port}/health was not answered with 200 within {} s; \
                 the log above may say why",
                START.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(true)
}

fn fail_if_ended(server: &mut Server) -> Result<()> {
    match server.ended()? {
        None => Ok(()),
        Some(status) => bail!("{} ended by itself ({status})", server.name()),
    }
}

/// The link for the first person, while there is no operator.
fn first_link(edge: &str, options: &Options) -> Result<Option<String>> {
    let given = options.vars.iter().find(|(name, _)| name == "ADMIN_KEY");
    let key = match given {
        Some((_, key)) => key.clone(),
        None => operator_key()?,
    };
    console::first_link(edge, &key, FIRST_PERSON)
}

fn announce(edge: &str, examples: &str, folder: &Path, options: &Options) -> Result<()> {
    println!("\nReady. Open a site with the bubble:");
    let mut names: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("could not read {}", folder.display()))?
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("index.html").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in names {
        println!("  {examples}/{name}/");
    }
    let model = servers::get(options.port, "/health")
        .ok()
        .and_then(|health| {
            let health: serde_json::Value = serde_json::from_str(&health).ok()?;
            let checks = health.get("checks")?.as_array()?;
            let model = checks.iter().find(|check| check["name"] == "model")?;
            Some(model["detail"].as_str()?.to_owned())
        });
    if let Some(model) = model {
        println!("Answers come from: {model} (README, \"Answer with a language model\")");
    }
    if let Some(link) = first_link(edge, options)? {
        println!(
            "Nobody can sign in yet. A link for {FIRST_PERSON}, once and for a day (docs/people.md):\n  {link}"
        );
    }
    println!("The edge:\n  {edge}\nCtrl-C stops everything.\n");
    Ok(())
}
