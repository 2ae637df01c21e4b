//! The database of a release, stored for the tests of later migrations.

use anyhow::{Result, bail};

use crate::{paths, process};

/// The Worker's test that fills a database through the repositories and writes it.
const WRITER: &str = "repositories::tests::fixture::write_the_fixture";

/// Writes `edge/worker/tests/fixtures/<version>.sql`. The file of a release is not changed afterwards.
pub fn write() -> Result<()> {
    let file = paths::worker()
        .join("tests/fixtures")
        .join(concat!(env!("CARGO_PKG_VERSION"), ".sql"));
    if file.exists() {
        bail!(
            "{} is there already. If this version is not released yet, delete the file and run the command again",
            file.display()
        );
    }
    process::run(
        process::cargo()
            .args(["test", "--package", "bulle-edge-worker", "--lib"])
            .args(["--", "--ignored", "--exact", WRITER]),
    )?;
    if !file.exists() {
        bail!("the test {WRITER} wrote nothing");
    }
    println!("{}", file.display());
    Ok(())
}
