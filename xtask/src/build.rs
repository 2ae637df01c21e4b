//! Builds the files that a visitor downloads: the widget (WebAssembly, glue, style) and the loader.
//!
//! 1. Cargo compiles the widget; wasm-bindgen writes its glue; wasm-opt makes it smaller.
//! 2. The files get names with their hash, so that browsers may keep them for ever, and compressed siblings of the best
//!    quality.
//! 3. esbuild bundles the loader around those names.
//!
//! For `dev`, the same steps leave out everything slow that only makes files smaller: the widget's own standard
//! library, optimization of the whole program, wasm-opt, and the best compression.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::compile::{WASM_FEATURES, tools_key, with_profile};
use crate::paths::Profile;
use crate::progress::{Progress, Step};
use crate::scripts::Scripts;
use crate::{bindgen, compress, names, paths, process, setup, worker_build};

/// Set by `dev --no-build`, so that the build command of wrangler.toml does nothing.
pub const NO_BUILD: &str = "BULLE_NO_BUILD";

/// Set by `dev`, so that the build command of wrangler.toml builds in the profile that `dev` serves.
pub const DEV_BUILD: &str = "BULLE_DEV_BUILD";

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

/// For the widget and its standard library: messages of panics and the output of `{:?}` are never shown.
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

/// The file that Cargo makes of the crate.
const MODULE: &str = "bulle_widget_web.wasm";

/// Builds everything that is published, into `dist/` and `edge/worker/build/`. Called from `dev`, it builds the profile
/// that `dev` serves.
pub fn all() -> Result<()> {
    if std::env::var_os(NO_BUILD).is_some() {
        println!("{NO_BUILD} is set: nothing is built");
        return Ok(());
    }
    if std::env::var_os(DEV_BUILD).is_none() {
        return run(Profile::Release, &mut Progress::silent());
    }
    if fs::remove_file(just_built()).is_ok() {
        return Ok(());
    }
    run(Profile::Dev, &mut Progress::silent())
}

/// A file that exists after a build of `dev`: wrangler runs its build command at the start, too, and not only after a
/// change.
fn just_built() -> PathBuf {
    Profile::Dev.cache().join("just-built")
}

/// Builds for `dev`, which starts wrangler afterwards.
pub fn before_wrangler(profile: Profile, progress: &mut Progress) -> Result<()> {
    run(profile, progress)?;
    match profile {
        Profile::Dev => compress::write(&just_built(), b""),
        Profile::Release => Ok(()),
    }
}

/// Builds everything in a profile. The npm packages are installed while Cargo compiles.
fn run(profile: Profile, progress: &mut Progress) -> Result<()> {
    progress.begin(Step::Tools);
    setup::rust_target()?;
    setup::npm_is_there()?;
    std::thread::scope(|scope| {
        let tools = scope.spawn(|| setup::npm_packages(profile));
        progress.begin(Step::Worker);
        let edge = worker_build::compile(profile)?;
        progress.begin(Step::Widget);
        let page = compile(profile)?;
        progress.begin(Step::Bundle);
        tools
            .join()
            .map_err(|_| anyhow::anyhow!("the installation of the npm packages has panicked"))??;
        worker_build::bundle(profile, &edge)?;
        bundle(profile, &page)
    })
}

/// Builds the widget and the loader.
pub fn widget_only() -> Result<()> {
    setup::tools()?;
    bundle(Profile::Release, &compile(Profile::Release)?)
}

/// Builds the Worker.
pub fn worker_only() -> Result<()> {
    setup::tools()?;
    let compiled = worker_build::compile(Profile::Release)?;
    worker_build::bundle(Profile::Release, &compiled)
}

fn bundle(profile: Profile, compiled: &Path) -> Result<()> {
    let (glue, wasm) = optimize(profile, compiled)?;
    let mut page = page(profile, &glue)?;
    let css = style(profile, "widget/web/style/index.css")?;

    let folder = profile.assets().join(FOREVER);
    let of_page = |name: &str| read(&profile.cache().join("page").join(name));
    // The files that the loader names have a common hash, which is one hash in the loader instead of three.
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
        let written = compress::write_with_siblings(profile, &folder.join(&name), bytes);
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
    if profile == Profile::Release {
        let parts = serde_json::json!({ "js": page.usable, "later": page.later });
        compress::write(&paths::page_parts(), parts.to_string().as_bytes())?;
    }
    let styles = style(profile, "snippet/src/shell.css")?;
    let scripts = Scripts {
        profile,
        urls: urls.to_string(),
        styles: serde_json::to_string(&styles)?,
    };
    scripts.loader("loader")?;
    scripts.loader("noted")?;
    // The element `<bulle-chat>`, and the script of the hosted page.
    scripts.module("element")?;
    scripts.module("hosted")?;
    remove_all_but(&folder, &names)
}

/// Compiles the widget, with a standard library of its own where that is possible: one in which a panic is an
/// instruction and no longer a text, and which was compiled for size.
fn compile(profile: Profile) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--package", "bulle-widget-web", "--lib"])
        .args(["--target", setup::WASM]);
    if profile == Profile::Dev {
        let folder = with_profile(&mut cargo, profile);
        process::run(&mut cargo).context("the widget does not compile")?;
        return Ok(paths::target().join(format!("{}/{folder}/{MODULE}", setup::WASM)));
    }
    cargo.args(["--profile", "widget"]);
    let lean = setup::standard_library()?;
    // A folder of its own, so that the two builds do not overwrite each other's files.
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
    process::run(&mut cargo).with_context(|| {
        if !lean {
            return "the widget does not compile".to_owned();
        }
        format!(
            "the widget does not compile with a standard library of its own. To see why, run\n  {}=1 RUSTFLAGS=\"{}\" {}\n\
             With `{}=1` it is built without one, and is 8 KB (brotli) larger",
            setup::BOOTSTRAP,
            LEAN.join(" "),
            process::display(&cargo),
            setup::PLAIN,
        )
    })?;
    Ok(folder.join(format!("{}/widget/{MODULE}", setup::WASM)))
}

/// Makes the glue and the module smaller. wasm-opt takes many seconds, so its output is kept for as long as the input
/// and the tools are the same.
fn optimize(profile: Profile, compiled: &Path) -> Result<(PathBuf, PathBuf)> {
    let input = read(compiled)?;
    let folder = profile.cache().join("widget");
    let bound = folder.join("bindgen");
    let glue = bound.join("bulle.js");
    let unpacked = bound.join("bulle_bg.wasm");
    let module = match profile {
        Profile::Dev => unpacked.clone(),
        Profile::Release => folder.join("bulle.wasm"),
    };
    let stamp = folder.join("stamp");
    let key = compress::hash_all(&[
        &input,
        &tools_key()?,
        // The code of this file is part of the key, because it has the options.
        include_bytes!("build.rs"),
        include_bytes!("names.rs"),
    ]);
    if fs::read_to_string(&stamp).is_ok_and(|last| last == key) && glue.exists() && module.exists()
    {
        return Ok((glue, module));
    }

    bindgen::for_page(compiled, "bulle", &bound)?;
    if profile == Profile::Dev {
        compress::write(&stamp, key.as_bytes())?;
        return Ok((glue, module));
    }
    println!("• wasm-opt of the widget");
    process::run(
        process::npm_tool("wasm-opt")
            .args(WASM_PASSES)
            .args(["--strip-debug", "--strip-producers"])
            .args(WASM_FEATURES)
            .arg(&unpacked)
            .arg("-o")
            .arg(&module),
    )?;
    // In a run of its own, because the passes above are repeated, and each repetition would print names.
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
    /// The module that the loader imports.
    entry: String,
    /// The entry and the modules that it imports at once.
    usable: Vec<String>,
    /// The modules that it imports on first use.
    later: Vec<String>,
}

/// Bundles widget/page around the glue. Dynamically imported files become modules of their own.
fn page(profile: Profile, glue: &Path) -> Result<Page> {
    let folder = profile.cache().join("page");
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

/// esbuild's metadata of the files that it has written.
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

/// A stylesheet, minified. It has no texts, so that white space after colons and commas has no meaning; esbuild leaves it
/// in custom properties.
fn style(profile: Profile, source: &str) -> Result<String> {
    let output = profile.cache().join(source);
    process::run(
        process::npm_tool("esbuild")
            .arg(paths::root().join(source))
            .args(["--bundle", "--minify"])
            .args(["--log-level=warning", "--legal-comments=none"])
            .arg(format!("--outfile={}", output.display())),
    )?;
    let minified = String::from_utf8(read(&output)?)?;
    let tight = minified.trim_end().replace(": ", ":").replace(", ", ",");
    Ok(tight.replace(") ;", ");"))
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
