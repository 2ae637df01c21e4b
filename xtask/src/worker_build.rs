//! Builds the Worker: Cargo compiles it, wasm-bindgen writes the glue, wasm-opt makes the module smaller, and esbuild
//! bundles the glue into `edge/worker/entry.js`, whose comments explain the steps.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths::Profile;
use crate::{bindgen, compile, compress, paths, process, setup};

/// The name of the bundle and, with `_bg.wasm` for `.js`, of the module that it imports.
const NAME: &str = "index";

/// Compiles the Worker and returns the module.
pub fn compile(profile: Profile) -> Result<PathBuf> {
    compile_package("bulle-edge-worker", profile)
}

fn compile_package(package: &str, profile: Profile) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--package", package, "--lib"])
        .args(["--target", setup::WASM])
        // The macros of the crate `worker` generate code for futures of js-sys.
        .env("WASM_BINDGEN_USE_JS_SYS", "1");
    let folder = compile::with_profile(&mut cargo, profile);
    process::run(&mut cargo).context("the Worker does not compile")?;
    let module = package.replace('-', "_");
    Ok(paths::target().join(format!("{}/{folder}/{module}.wasm", setup::WASM)))
}

/// Writes the Worker's bundle, and the OpenAPI document among the served files. The slow steps are left out when
/// neither the module nor a tool has changed.
pub fn bundle(profile: Profile, compiled: &Path) -> Result<()> {
    let contract = fs::read(paths::worker().join("openapi.json"))?;
    compress::write(&profile.assets().join("openapi.json"), &contract)?;
    let bundle = Bundle {
        profile,
        entry: paths::worker().join("entry.js"),
        cache: profile.cache(),
        output: profile.worker(),
    };
    bundle.write(compiled)
}

/// Builds the Worker in Rust of `e2e/bench`, to which `bench edge` compares ours.
pub fn bench() -> Result<()> {
    let compiled = compile_package("bench-rust", Profile::Release)?;
    let folder = paths::root().join("e2e/bench/rust");
    let bundle = Bundle {
        profile: Profile::Release,
        entry: folder.join("entry.js"),
        cache: paths::cache().join("bench-rust"),
        output: folder.join("build"),
    };
    bundle.write(&compiled)
}

/// A script around the glue of a Rust module, and what is made of them.
struct Bundle {
    profile: Profile,
    /// The script with the classes.
    entry: PathBuf,
    /// Folder for intermediate files.
    cache: PathBuf,
    /// Folder of the bundle.
    output: PathBuf,
}

impl Bundle {
    fn write(&self, compiled: &Path) -> Result<()> {
        let read = |path: &Path| {
            fs::read(path).with_context(|| format!("could not read {}", path.display()))
        };
        let key = compress::hash_all(&[
            &read(compiled)?,
            &read(&self.entry)?,
            &compile::tools_key()?,
            include_bytes!("worker_build.rs"),
        ]);
        let stamp = self.cache.join("worker.stamp");
        let (script, module) = (
            self.output.join(format!("{NAME}.js")),
            self.output.join(format!("{NAME}_bg.wasm")),
        );
        let built = script.is_file() && module.is_file();
        if built && fs::read_to_string(&stamp).is_ok_and(|last| last == key) {
            return Ok(());
        }

        println!("• bundling the Worker");
        let folder = self.cache.join("worker-glue");
        bindgen::for_worker(compiled, NAME, &folder)?;
        let unpacked = folder.join(format!("{NAME}_bg.wasm"));
        let text = self.script(&folder)?;
        if self.profile == Profile::Release {
            println!("• wasm-opt of the Worker");
            // The names of functions, which only debuggers use, are a twelfth of the upload.
            process::run(
                process::npm_tool("wasm-opt")
                    .args(["-O", "--strip-debug", "--strip-producers"])
                    .args(compile::WASM_FEATURES)
                    // workerd can run it; the widget has no use for it.
                    .arg("--enable-exception-handling")
                    .arg(&unpacked)
                    .arg("-o")
                    .arg(&unpacked),
            )?;
        }
        compress::write(&module, &read(&unpacked)?)?;
        compress::write(&script, text.as_bytes())?;
        compress::write(&stamp, key.as_bytes())
    }

    /// The script with the glue of a folder.
    fn script(&self, folder: &Path) -> Result<String> {
        let bundled = folder.join("bundle.js");
        process::run(
            process::npm_tool("esbuild")
                .arg(&self.entry)
                .args(["--bundle", "--minify", "--format=esm", "--tsconfig-raw={}"])
                .args(["--log-level=warning", "--legal-comments=none"])
                .arg(format!("--external:./{NAME}_bg.wasm"))
                .arg("--external:cloudflare:*")
                .arg(format!(
                    "--alias:bulle-glue={}",
                    folder.join(format!("{NAME}.js")).display()
                ))
                .arg(format!("--outfile={}", bundled.display())),
        )?;
        // wrangler knows the import of a module as a value, not yet as a phase of the source.
        let text = fs::read_to_string(&bundled)
            .with_context(|| format!("could not read {}", bundled.display()))?;
        Ok(text.replace("import source ", "import "))
    }
}
