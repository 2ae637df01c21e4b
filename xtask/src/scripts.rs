//! Bundles the scripts of snippet/src: the tag's loader, the element, and the script of the hosted page.

use std::fs;

use anyhow::{Context, Result, bail};
use bulle_edge_core::{
    loader::{self as site_loader, PLACEHOLDER},
    strings,
};

use crate::paths::Profile;
use crate::{compress, paths, process};

/// The values that the scripts of snippet/src are bundled with.
pub struct Scripts {
    /// The build that they belong to.
    pub profile: Profile,
    /// The common beginning of the addresses of the widget's files, as JSON.
    pub urls: String,
    /// The style of the bubble's shell, as JSON.
    pub styles: String,
}

impl Scripts {
    /// Bundles a script.
    fn bundle(&self, name: &str, format: &str) -> Result<String> {
        let output = self.profile.cache().join(format!("{name}.js"));
        process::run(
            process::npm_tool("esbuild")
                .arg(paths::root().join(format!("snippet/src/{name}.ts")))
                .args(["--bundle", "--minify", "--target=es2021"])
                .arg(format!("--format={format}"))
                .args(["--log-level=warning", "--legal-comments=none"])
                // Without the project's settings there is no "use strict", which the loader does not need.
                .arg("--tsconfig-raw={}")
                .arg(format!("--define:__BULLE_ASSETS__={}", self.urls))
                .arg(format!("--define:__BULLE_STYLES__={}", self.styles))
                .arg(format!("--outfile={}", output.display())),
        )?;
        fs::read_to_string(&output).with_context(|| format!("could not read {}", output.display()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        compress::write(&self.profile.assets().join(name), bytes)
    }

    /// A script with a fixed name.
    pub fn module(&self, name: &str) -> Result<()> {
        let text = self.bundle(name, "esm")?;
        // The compressed siblings may be those of an earlier script.
        self.write(&format!("{name}.js"), text.as_bytes())?;
        let brotli = compress::brotli(self.profile, text.as_bytes())?;
        self.write(&format!("{name}.js.br"), &brotli)?;
        self.write(&format!("{name}.js.gz"), &compress::gzip(text.as_bytes())?)
    }

    /// Bundles a script of a site's tag, and compresses its beginning: one for every site, and one for each locale.
    pub fn loader(&self, name: &str) -> Result<()> {
        let script = self.bundle(name, "iife")?;
        let found = script.matches(PLACEHOLDER).count();
        if found != 1 {
            bail!(
                "the bundled loader must contain `{PLACEHOLDER}` once, for the Worker to replace, and has it \
                 {found} times: in snippet/src/{name}.ts, read it once into a constant"
            );
        }
        let begin =
            |locale| compress::brotli_flushed(site_loader::head(&script, locale).as_bytes());
        for locale in strings::locales() {
            self.write(&format!("{name}.{locale}.br"), &begin(Some(locale))?)?;
        }
        self.write(&format!("{name}.br"), &begin(None)?)?;
        self.write(&format!("{name}.js"), script.as_bytes())
    }
}
