//! Runs wasm-bindgen, which is a library here: built with this tool, it needs no installation, and Cargo.lock holds it
//! to the version of the crate that the widget and the Worker use.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// Writes `NAME.js` and `NAME_bg.wasm` into an emptied folder, for a page whose loader passes the module, so that the
/// glue contains no address.
pub fn for_page(module: &Path, name: &str, folder: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.omit_default_module_path(true);
    generate(&mut bindgen, module, name, folder)
}

/// The same for workerd, which imports the module. The glue can start the module again after a panic.
pub fn for_worker(module: &Path, name: &str, folder: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .module(true)?
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    generate(&mut bindgen, module, name, folder)
}

fn generate(bindgen: &mut Bindgen, module: &Path, name: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("could not empty {}", folder.display()))?;
    }
    bindgen
        .input_path(module)
        .out_name(name)
        .typescript(false)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen failed for {}", module.display()))
}
