//! The sizes of a visitor's downloads and of the uploaded Worker, against their budgets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bulle_api::settings::Theme;
use bulle_edge_core::{loader as site_loader, strings};
use bulle_protocol::loader::{LoaderSettings, Rule};
use serde::Deserialize;

use crate::paths::Profile;
use crate::{compress, paths};

/// The loader, which is fetched before the visitor's intent; brotli.
const LOADER_BUDGET: usize = 2_600;

/// The loader of a site with notes (proactive cards above the launcher), which contains their code, because notes may
/// be shown before the visitor's intent; brotli.
const NOTED_BUDGET: usize = 3_500;

/// All files until the first message can be typed; brotli.
const USABLE_BUDGET: usize = 75_000;

/// Two thirds of the 3 MiB that the free plan accepts; gzip (decision 44). A third of the code reads documents and sites.
const WORKER_BUDGET: usize = 2_000_000;

/// Deep Chat 2.4.2, one bundle of JavaScript, brotli: the comparison for the widget.
const DEEP_CHAT: f64 = 91_900.0;

#[derive(Clone, Copy, Default)]
struct Size {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Size {
    fn of(bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            raw: bytes.len(),
            gzip: compress::gzip(bytes)?.len(),
            brotli: compress::brotli(Profile::Release, bytes)?.len(),
        })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }
}

#[derive(Clone, Copy)]
enum Budget {
    None,
    Gzip(usize),
    Brotli(usize),
}

impl Budget {
    fn holds(self, size: Size) -> bool {
        match self {
            Self::None => true,
            Self::Gzip(most) => size.gzip <= most,
            Self::Brotli(most) => size.brotli <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::Gzip(most) => format!("gzip {}", thousands(most)),
            Self::Brotli(most) => format!("brotli {}", thousands(most)),
        }
    }
}

/// Prints the table; true when every budget holds.
pub fn report() -> Result<bool> {
    let loader = as_written("loader", &[])?;
    let noted = as_written("noted", &[note()])?;
    let wasm = published("wasm")?;
    let parts = parts()?;
    let page = modules(&parts.js)?;
    let later = modules(&parts.later)?;
    let css = published("css")?;
    let usable = loader.plus(wasm).plus(page).plus(css);
    let worker = worker()?;

    println!(
        "{:<28} {:>20} {:>20} {:>20}  {:<17} ok",
        "artifact", "raw", "gzip", "brotli", "budget"
    );
    let mut all_hold = true;
    for (name, size, budget) in [
        ("loader, as served", loader, Budget::Brotli(LOADER_BUDGET)),
        ("loader with notes", noted, Budget::Brotli(NOTED_BUDGET)),
        ("widget: wasm", wasm, Budget::None),
        ("widget: page side", page, Budget::None),
        ("widget: css", css, Budget::None),
        (
            "until usable, with loader",
            usable,
            Budget::Brotli(USABLE_BUDGET),
        ),
        ("when wanted", later, Budget::None),
        (
            "edge worker, as uploaded",
            worker,
            Budget::Gzip(WORKER_BUDGET),
        ),
    ] {
        let holds = budget.holds(size);
        all_hold &= holds;
        let ok = match budget {
            Budget::None => "",
            _ if holds => "yes",
            _ => "NO",
        };
        println!(
            "{name:<28} {:>20} {:>20} {:>20}  {:<17} {ok}",
            both(size.raw),
            both(size.gzip),
            both(size.brotli),
            budget.text()
        );
    }
    let ratio = usable.brotli as f64 / DEEP_CHAT;
    println!("until usable is {ratio:.2} times Deep Chat 2.4.2 (91.9 KB with brotli)");
    Ok(all_hold)
}

/// A script of the tag with the settings of a plausible site, as the Worker writes them, in the language in which it is
/// largest.
fn as_written(name: &str, rules: &[Rule]) -> Result<Size> {
    let mut largest = Size::default();
    for locale in strings::locales() {
        let texts = strings::texts(locale);
        let settings = LoaderSettings {
            edge: "https://chat.boulangerie-martin.fr".to_owned(),
            site: "bk_live_7Qm2Zp9XvR4tLs".to_owned(),
            name: "Léa, de la boulangerie Martin".to_owned(),
            look: Theme::default().style(),
            rules: rules.to_vec(),
            dismiss: texts.panel.get("dismiss").cloned().unwrap_or_default(),
            ..site_loader::said(locale, texts.bubble)
        };
        let path = paths::assets().join(format!("{name}.js"));
        let bundle = fs::read_to_string(&path).with_context(|| not_built(&path))?;
        let path = paths::assets().join(format!("{name}.{locale}.br"));
        let head = fs::read(&path).with_context(|| not_built(&path))?;
        let script = site_loader::script(&bundle, &settings);
        let script = script.context("the bundle has no place for settings")?;
        let rest = script.strip_prefix(&site_loader::head(&bundle, Some(locale)));
        let rest = rest.context("the script begins otherwise than it was compressed")?;
        let size = Size {
            brotli: site_loader::stitch(&head, rest.as_bytes()).len(),
            ..Size::of(script.as_bytes())?
        };
        if size.brotli > largest.brotli {
            largest = size;
        }
    }
    Ok(largest)
}

/// A note of an ordinary length.
fn note() -> Rule {
    Rule {
        text: "Une question sur une commande ? Nous répondons tout de suite.".to_owned(),
        delay_s: Some(20),
        url: Some("/commande*".to_owned()),
        ..Rule::default()
    }
}

/// The sizes of a file of the widget. The compressed siblings are measured, since they are served.
fn published(extension: &str) -> Result<Size> {
    let folder = paths::assets().join("a");
    let ends = format!(".{extension}");
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| not_built(&folder))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(&ends))
        .collect();
    let (Some(file), None) = (found.pop(), found.pop()) else {
        bail!(
            "{} should hold one .{extension} file; `cargo xtask build widget` makes it so",
            folder.display()
        );
    };
    as_served(&file)
}

/// The page's modules: those that the loader imports, and those that are imported on first use.
#[derive(Deserialize)]
struct Parts {
    js: Vec<String>,
    later: Vec<String>,
}

fn parts() -> Result<Parts> {
    let path = paths::page_parts();
    let text = fs::read(&path).with_context(|| not_built(&path))?;
    serde_json::from_slice(&text).with_context(|| not_built(&path))
}

fn modules(names: &[String]) -> Result<Size> {
    let folder = paths::assets().join("a");
    let mut total = Size::default();
    for name in names {
        total = total.plus(as_served(&folder.join(name))?);
    }
    Ok(total)
}

fn as_served(file: &Path) -> Result<Size> {
    let length = |suffix: &str| -> Result<usize> {
        let path = PathBuf::from(format!("{}{suffix}", file.display()));
        let bytes = fs::read(&path).with_context(|| not_built(&path))?;
        Ok(bytes.len())
    };
    Ok(Size {
        raw: length("")?,
        gzip: length(".gz")?,
        brotli: length(".br")?,
    })
}

fn worker() -> Result<Size> {
    let folder = paths::worker().join("build");
    let mut total = Size::default();
    for name in ["index.js", "index_bg.wasm"] {
        let path = folder.join(name);
        let bytes = fs::read(&path).with_context(|| not_built(&path))?;
        // The brotli size is not measured: it takes long for a megabyte, and the Worker is not served to clients.
        total = total.plus(Size {
            raw: bytes.len(),
            gzip: compress::gzip(&bytes)?.len(),
            brotli: 0,
        });
    }
    Ok(total)
}

fn not_built(path: &Path) -> String {
    format!(
        "could not read {}; `cargo xtask build` makes it",
        path.display()
    )
}

/// "33.6 KB 33,591": rounded for reading, and exact for comparing. Empty for a size that was not measured.
fn both(bytes: usize) -> String {
    match bytes {
        0 => "-".to_owned(),
        1..1_000 => format!("{bytes} B"),
        _ => {
            let kilobytes = bytes as f64 / 1_000.0;
            format!("{kilobytes:.1} KB {:>9}", thousands(bytes))
        }
    }
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(100_000), "100,000");
    }

    #[test]
    fn a_budget_looks_at_its_own_compression() {
        let size = Size {
            raw: 9,
            gzip: 5,
            brotli: 3,
        };
        assert!(Budget::Brotli(3).holds(size));
        assert!(!Budget::Brotli(2).holds(size));
        assert!(!Budget::Gzip(4).holds(size));
        assert!(Budget::None.holds(size));
    }
}
