//! Builds what a visitor downloads: the widget (WebAssembly, glue, style) and the loader.
//!
//! 1. Cargo compiles the widget; wasm-bindgen writes its glue; wasm-opt makes it smaller.
//! 2. The files get names with their hash, so that browsers may keep them for ever, and siblings
//!    that are compressed as well as can be.
//! 3. esbuild bundles the loader around those names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bulle_edge_core::{
    loader::{self as site_loader, PLACEHOLDER},
    strings,
};
use serde::Deserialize;

use crate::{compress, names, paths, process, setup, worker_build};

/// Set by `dev --no-build`, so that the build command of wrangler.toml leaves everything as it is.
pub const NO_BUILD: &str = "BULLE_NO_BUILD";

/// The path under which the Worker serves files that never change.
const FOREVER: &str = "a";

/// Structured control flow is taken apart and put together again, which saves 2 % after brotli
/// compared with `-Oz` alone; the second `-Oz` tidies up, for as long as that helps. The first kilobyte of memory is
/// the end of the stack, where no pointer points to. (`--traps-never-happen` would save 1 %, and with it the bounds
/// checks.)
const WASM_PASSES: &[&str] = &[
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--low-memory-unused",
    "--converge",
];

/// For the widget and the standard library below it: nobody reads where a panic came from, nor what `{:?}` writes.
const LEAN: &[&str] = &[
    "-Zunstable-options",
    setup::ABORT,
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
];

const STANDARD_LIBRARY: &[&str] = &[
    "-Zbuild-std=std,panic_abort",
    "-Zbuild-std-features=optimize_for_size",
];

/// What the compiler uses by default for this target, told to wasm-opt because wasm-bindgen
/// removes the section of the file that says so.
const WASM_FEATURES: &[&str] = &[
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-reference-types",
];

/// Everything into `dist/` and `edge/worker/build/`.
pub fn all() -> Result<()> {
    if std::env::var_os(NO_BUILD).is_some() {
        println!("{NO_BUILD} is set: nothing is built");
        return Ok(());
    }
    setup::tools()?;
    widget()?;
    worker_build::worker()
}

/// The widget and the loader.
pub fn widget_only() -> Result<()> {
    setup::tools()?;
    widget()
}

/// The Worker.
pub fn worker_only() -> Result<()> {
    setup::tools()?;
    worker_build::worker()
}

fn widget() -> Result<()> {
    let compiled = compile()?;
    let (glue, wasm) = optimize(&compiled)?;
    let mut page = page(&glue)?;
    let css = style("widget/web/style/index.css")?;

    let folder = paths::assets().join(FOREVER);
    let of_page = |name: &str| read(&paths::cache().join("page").join(name));
    // What the loader names has one name for all, which is one hash in the loader instead of three.
    let first = [
        ("js", of_page(&page.entry)?),
        ("wasm", read(&wasm)?),
        ("css", css.into_bytes()),
    ];
    let hash = compress::hash_all(&first.each_ref().map(|(_, bytes)| bytes.as_slice()));
    let name: String = hash.chars().take(8).collect();
    let name = format!("bulle-{name}");
    let mut names = BTreeSet::new();
    let mut publish = |name: String, bytes: &[u8]| {
        let written = compress::write_with_siblings(&folder.join(&name), bytes);
        names.insert(name);
        written
    };
    for (extension, bytes) in &first {
        publish(format!("{name}.{extension}"), bytes)?;
    }
    for part in page.usable.iter_mut().chain(&mut page.later) {
        if *part == page.entry {
            *part = format!("{name}.js");
        } else {
            publish(part.clone(), &of_page(part)?)?;
        }
    }
    let urls = serde_json::json!(format!("/{FOREVER}/{name}."));
    let parts = serde_json::json!({ "js": page.usable, "later": page.later });
    compress::write(&paths::page_parts(), parts.to_string().as_bytes())?;
    loader("loader", &urls.to_string())?;
    loader("noted", &urls.to_string())?;
    // `<bulle-chat>`, and the bot's page of its own.
    script("element", &urls.to_string())?;
    script("hosted", &urls.to_string())?;
    remove_all_but(&folder, &names)
}

/// Compiles the widget, with a standard library of its own where that is possible: one in which a panic is an
/// instruction and no longer a text, and which was compiled for size.
fn compile() -> Result<PathBuf> {
    let lean = setup::standard_library()?;
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--package", "bulle-widget-web", "--lib"])
        .args(["--target", setup::WASM, "--profile", "widget"]);
    // A folder of its own: neither build throws away what the other has compiled.
    let folder = if lean {
        let folder = paths::target().join("widget-std");
        cargo
            .args(STANDARD_LIBRARY)
            .arg("--target-dir")
            .arg(&folder)
            .env(setup::BOOTSTRAP, "1")
            .env("CARGO_ENCODED_RUSTFLAGS", LEAN.join("\u{1f}"));
        folder
    } else {
        paths::target()
    };
    process::run(&mut cargo).with_context(|| match lean {
        false => "the widget does not compile".to_owned(),
        true => format!(
            "the widget does not compile with a standard library of its own. To see why, run\n  {}=1 RUSTFLAGS=\"{}\" {}\n\
             With `{}=1` it is built without one, and is 8 KB (brotli) larger",
            setup::BOOTSTRAP,
            LEAN.join(" "),
            process::display(&cargo),
            setup::PLAIN,
        ),
    })?;
    Ok(folder.join(format!("{}/widget/bulle_widget_web.wasm", setup::WASM)))
}

/// The glue and the module, made small. wasm-opt takes many seconds, so its output is kept for as
/// long as the input and the tools are the same.
fn optimize(compiled: &Path) -> Result<(PathBuf, PathBuf)> {
    let input = read(compiled)?;
    let folder = paths::cache().join("widget");
    let bound = folder.join("bindgen");
    let (glue, module) = (bound.join("bulle.js"), folder.join("bulle.wasm"));
    let stamp = folder.join("stamp");
    let key = compress::hash_all(&[
        &input,
        &read(&paths::root().join("package-lock.json"))?,
        &read(&paths::cargo_tool("wasm-bindgen"))?,
        // This file is the recipe.
        include_bytes!("build.rs"),
        include_bytes!("names.rs"),
    ]);
    if fs::read_to_string(&stamp).is_ok_and(|last| last == key) && glue.exists() && module.exists()
    {
        return Ok((glue, module));
    }

    if bound.exists() {
        fs::remove_dir_all(&bound)
            .with_context(|| format!("could not empty {}", bound.display()))?;
    }
    process::run(
        std::process::Command::new(paths::cargo_tool("wasm-bindgen"))
            .arg(compiled)
            .args(["--target", "web", "--no-typescript"])
            // The loader passes the module: the glue needs no address of its own.
            .arg("--omit-default-module-path")
            .args(["--out-name", "bulle", "--out-dir"])
            .arg(&bound),
    )?;
    println!("• wasm-opt");
    process::run(
        process::npm_tool("wasm-opt")
            .args(WASM_PASSES)
            .args(["--strip-debug", "--strip-producers"])
            .args(WASM_FEATURES)
            .arg(bound.join("bulle_bg.wasm"))
            .arg("-o")
            .arg(&module),
    )?;
    // By itself: the passes above run until they find nothing more, and each run would tell of names.
    let told = process::output(
        process::npm_tool("wasm-opt")
            .arg(names::PASS)
            .args(WASM_FEATURES)
            .arg(&module)
            .arg("-o")
            .arg(&module),
    )?;
    let text =
        fs::read_to_string(&glue).with_context(|| format!("could not read {}", glue.display()))?;
    compress::write(&glue, names::shorten(&text, &told)?.as_bytes())?;
    compress::write(&stamp, key.as_bytes())?;
    Ok((glue, module))
}

/// The page's side of the widget as ES modules with hashed names.
#[derive(Default)]
struct Page {
    /// The one that the loader imports.
    entry: String,
    /// It and what it imports at once.
    usable: Vec<String>,
    /// What it imports when it is wanted.
    later: Vec<String>,
}

/// Bundles widget/page around the glue. What it imports while it runs becomes modules of their own.
fn page(glue: &Path) -> Result<Page> {
    let folder = paths::cache().join("page");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("could not empty {}", folder.display()))?;
    }
    process::run(
        process::npm_tool("esbuild")
            .arg(paths::root().join("widget/page/main.ts"))
            .args(["--bundle", "--minify", "--splitting", "--format=esm"])
            .args(["--target=es2021", "--tsconfig-raw={}"])
            .args(["--log-level=warning", "--legal-comments=none"])
            .args(["--entry-names=bulle-[hash]", "--chunk-names=bulle-[hash]"])
            .arg(format!("--alias:bulle-glue={}", glue.display()))
            .arg(format!("--outdir={}", folder.display()))
            .arg(format!("--metafile={}", folder.join("meta.json").display())),
    )?;
    let meta: Meta = serde_json::from_slice(&read(&folder.join("meta.json"))?)?;
    let main = |output: &Output| {
        let entry = output.entry_point.as_deref().unwrap_or_default();
        entry.ends_with("page/main.ts")
    };
    let Some((entry, _)) = meta.outputs.iter().find(|(_, output)| main(output)) else {
        bail!("esbuild did not say which file widget/page/main.ts has become");
    };
    let mut at_once = BTreeSet::from([entry]);
    let mut next = vec![entry];
    while let Some(path) = next.pop() {
        let imports = meta.outputs.get(path).map(|output| output.imports.iter());
        for import in imports.into_iter().flatten() {
            if import.kind == "import-statement" && at_once.insert(&import.path) {
                next.push(&import.path);
            }
        }
    }
    let (usable, later) = meta
        .outputs
        .keys()
        .partition::<Vec<_>, _>(|path| at_once.contains(path));
    let names = |paths: Vec<&String>| {
        paths
            .into_iter()
            .map(|path| file_name(Path::new(path)))
            .collect()
    };
    Ok(Page {
        entry: file_name(Path::new(entry)),
        usable: names(usable),
        later: names(later),
    })
}

/// What esbuild tells of the files it has written.
#[derive(Deserialize)]
struct Meta {
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "entryPoint")]
    entry_point: Option<String>,
    imports: Vec<Import>,
}

#[derive(Deserialize)]
struct Import {
    path: String,
    kind: String,
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A stylesheet, minified.
fn style(source: &str) -> Result<String> {
    let output = paths::cache().join(source);
    process::run(
        process::npm_tool("esbuild")
            .arg(paths::root().join(source))
            .args(["--bundle", "--minify"])
            .args(["--log-level=warning", "--legal-comments=none"])
            .arg(format!("--outfile={}", output.display())),
    )?;
    Ok(String::from_utf8(read(&output)?)?.trim_end().to_owned())
}

/// Bundles a script of snippet/src.
fn snippet(name: &str, format: &str, urls: &str) -> Result<String> {
    let styles = serde_json::to_string(&style("snippet/src/shell.css")?)?;
    let output = paths::cache().join(format!("{name}.js"));
    process::run(
        process::npm_tool("esbuild")
            .arg(paths::root().join(format!("snippet/src/{name}.ts")))
            .args(["--bundle", "--minify", "--target=es2020"])
            .arg(format!("--format={format}"))
            .args(["--log-level=warning", "--legal-comments=none"])
            // Without the project's settings there is no "use strict", which the loader does not need.
            .arg("--tsconfig-raw={}")
            .arg(format!("--define:__BULLE_ASSETS__={urls}"))
            .arg(format!("--define:__BULLE_STYLES__={styles}"))
            .arg(format!("--outfile={}", output.display())),
    )?;
    fs::read_to_string(&output).with_context(|| format!("could not read {}", output.display()))
}

/// A script that is served under its own name, which never changes.
fn script(name: &str, urls: &str) -> Result<()> {
    let text = snippet(name, "esm", urls)?;
    // What is beside it may be of an earlier one.
    let file = |suffix: &str| paths::assets().join(format!("{name}.js{suffix}"));
    compress::write(&file(""), text.as_bytes())?;
    compress::write(&file(".br"), &compress::brotli(text.as_bytes())?)?;
    compress::write(&file(".gz"), &compress::gzip(text.as_bytes())?)
}

/// Bundles a script of a site's tag, and compresses how it begins: whatever the settings are, and for each locale.
fn loader(name: &str, urls: &str) -> Result<()> {
    let script = snippet(name, "iife", urls)?;
    let found = script.matches(PLACEHOLDER).count();
    if found != 1 {
        bail!(
            "the bundled loader must contain `{PLACEHOLDER}` once, for the Worker to replace, and has it \
             {found} times: in snippet/src/{name}.ts, read it once into a constant"
        );
    }
    let write = |suffix: &str, bytes: &[u8]| {
        compress::write(&paths::assets().join(format!("{name}.{suffix}")), bytes)
    };
    let begin = |locale| compress::brotli_flushed(site_loader::head(&script, locale).as_bytes());
    for locale in strings::locales() {
        write(&format!("{locale}.br"), &begin(Some(locale))?)?;
    }
    write("br", &begin(None)?)?;
    write("js", script.as_bytes())
}

/// Removes files of earlier builds, after the new ones are in place.
fn remove_all_but(folder: &Path, names: &BTreeSet<String>) -> Result<()> {
    let told = || format!("could not clean {}", folder.display());
    for entry in fs::read_dir(folder).with_context(told)? {
        let path = entry.with_context(told)?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let original = name
            .strip_suffix(".br")
            .or_else(|| name.strip_suffix(".gz"))
            .unwrap_or(&name);
        if !names.contains(original) {
            fs::remove_file(&path).with_context(told)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("could not read {}", path.display()))
}
