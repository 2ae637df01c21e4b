//! Builds the Worker with worker-build, which is kept from downloading tools of its own.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{compress, paths, process};

/// The Worker, into `edge/worker/build/`, and the contract that it serves, among the files.
pub fn worker() -> Result<()> {
    let contract = fs::read(paths::worker().join("openapi.json"))?;
    compress::write(&paths::assets().join("openapi.json"), &contract)?;
    // The same compilation as worker-build's own, to see whether anything changed: its further
    // steps (wasm-bindgen, wasm-opt, esbuild) take many seconds and do not look.
    process::run(
        process::cargo()
            .current_dir(paths::worker())
            .env("WASM_BINDGEN_USE_JS_SYS", "1")
            .args(["build", "--lib", "--release"])
            .args(["--target", "wasm32-unknown-unknown"]),
    )
    .context("the Worker does not compile")?;

    let read = |path: std::path::PathBuf| {
        fs::read(&path).with_context(|| format!("could not read {}", path.display()))
    };
    let key = compress::hash_all(&[
        &read(paths::target().join("wasm32-unknown-unknown/release/bulle_edge_worker.wasm"))?,
        &read(paths::root().join("package-lock.json"))?,
        &read(paths::cargo_tool("worker-build"))?,
        &read(paths::cargo_tool("wasm-bindgen"))?,
        include_bytes!("worker_build.rs"),
    ]);
    let stamp = paths::cache().join("worker.stamp");
    let output = paths::worker().join("build");
    let built = ["index.js", "index_bg.wasm"]
        .iter()
        .all(|name| output.join(name).is_file());
    if built && fs::read_to_string(&stamp).is_ok_and(|last| last == key) {
        return Ok(());
    }

    println!("• worker-build");
    process::run(
        Command::new(paths::cargo_tool("worker-build"))
            .arg("--release")
            .current_dir(paths::worker())
            .env("PATH", process::path_with_npm())
            .env("CARGO_TARGET_DIR", paths::target())
            .env("WASM_BINDGEN_BIN", paths::cargo_tool("wasm-bindgen"))
            .env("WASM_OPT_BIN", paths::npm_bin().join("wasm-opt"))
            .env("ESBUILD_BIN", paths::npm_bin().join("esbuild")),
    )?;
    // The names of functions, of use in a debugger, are a twelfth of what is uploaded.
    let module = output.join("index_bg.wasm");
    process::run(
        process::npm_tool("wasm-opt")
            .args(["--all-features", "--strip-debug", "--strip-producers"])
            .arg(&module)
            .arg("-o")
            .arg(&module),
    )?;
    compress::write(&stamp, key.as_bytes())
}
