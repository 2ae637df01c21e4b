//! Short names between the widget's module and its glue.
//!
//! wasm-bindgen names every import by its function and a hash: 16 hexadecimal digits that cannot be compressed, once in
//! the module and once in the glue. wasm-opt renames the imports in the module and prints the new names; [`shorten`]
//! renames them in the glue.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The pass of wasm-opt. Its output is the argument of [`shorten`].
pub const PASS: &str = "--minify-imports-and-exports-and-modules";

/// wasm-opt's name for the single module that all imports are from.
const MODULE: &str = "\"a\"";

/// The output of the pass.
#[derive(Deserialize)]
struct Renamed {
    /// Module, old name and new name.
    imports: Vec<(String, String, String)>,
    /// Old name and new name.
    exports: Vec<(String, String)>,
}

/// The glue with the module's new names. `told` is the output of wasm-opt.
///
/// # Errors
/// The output cannot be read, or the glue lacks a name that it should have.
pub fn shorten(glue: &str, told: &str) -> Result<String> {
    let renamed: Renamed = serde_json::from_str(told)
        .with_context(|| format!("wasm-opt {PASS} printed something else than names: {told}"))?;
    let imports: BTreeMap<&str, &str> = renamed
        .imports
        .iter()
        .map(|(_, old, new)| (old.as_str(), new.as_str()))
        .collect();
    let exports: BTreeMap<&str, &str> = renamed
        .exports
        .iter()
        .map(|(old, new)| (old.as_str(), new.as_str()))
        .collect();

    let mut found = 0;
    let mut short = String::with_capacity(glue.len());
    let mut rest = glue;
    while let Some(at) = rest.find(in_name) {
        let (before, after) = rest.split_at(at);
        short.push_str(before);
        let (name, after) = after.split_at(after.find(|c| !in_name(c)).unwrap_or(after.len()));
        let new = if short.ends_with("wasm.") {
            exports.get(name)
        } else {
            imports.get(name).inspect(|_| found += 1)
        };
        short.push_str(new.unwrap_or(&name));
        rest = after;
    }
    short.push_str(rest);
    ensure!(
        found == imports.len(),
        "the glue has {found} of the {} names that the module imports",
        imports.len()
    );
    for (module, _, _) in &renamed.imports {
        short = short.replace(&format!("{module:?}"), MODULE);
    }
    Ok(short)
}

/// True for the characters of a name.
fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"{"imports":[["./b.js","__wbg_now_12","$"],["./b.js","__wbg_get_34","a"]],
        "exports":[["mount","b"],["__wbindgen_start","c"]]}"#;

    #[test]
    fn names_change_where_they_name_the_module_and_nowhere_else() {
        let glue = "export function mount(x) { return wasm.mount(x); }\n\
                    const i = { __wbg_now_12: () => Date.now(), __wbg_get_34() {}, __wbg_get_345: 1 };\n\
                    return { \"./b.js\": i, wasm: wasm.__wbindgen_start() };";
        let short = "export function mount(x) { return wasm.b(x); }\n\
                     const i = { $: () => Date.now(), a() {}, __wbg_get_345: 1 };\n\
                     return { \"a\": i, wasm: wasm.c() };";
        assert_eq!(shorten(glue, TOLD).unwrap(), short);
    }

    #[test]
    fn a_glue_of_another_module_is_refused() {
        let refused = shorten("const i = { __wbg_now_12: 1 };", TOLD).unwrap_err();
        assert!(refused.to_string().contains("1 of the 2"), "{refused}");
        assert!(shorten("", "no json").is_err());
    }
}
