//! Every text of `protocol/locales` is shown in some place, and every text that code asks for exists. That all locales
//! have the same texts is checked beside them, in `edge/core/src/strings.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};

use crate::{root, tracked};

/// The code of the sheets, which reads the section `panel`.
const SHEETS: &str = "widget/page/";

/// The reader of a section, and the name of the variable with its texts.
struct Reader {
    section: &'static str,
    files: fn(&str) -> bool,
    holders: &'static [&'static str],
}

const READERS: [Reader; 2] = [
    Reader {
        section: "bubble",
        files: |file| {
            file.starts_with("widget/core/src/")
                || file.starts_with("widget/web/src/")
                || (file.starts_with(SHEETS) && file.ends_with(".ts"))
                || ["edge/core/src/strings.rs", "edge/core/src/loader.rs"].contains(&file)
        },
        holders: &["strings", "words", "texts", "bubble"],
    },
    Reader {
        section: "answers",
        files: |file| {
            [
                "edge/core/src/provider/",
                "edge/core/src/turn/",
                "edge/core/src/knowledge/",
                "edge/core/src/first_screen.rs",
            ]
            .iter()
            .any(|place| file.starts_with(place))
        },
        holders: &["texts"],
    },
];

type Sections = BTreeMap<String, BTreeMap<String, String>>;

fn english() -> Result<Sections> {
    let path = root().join("protocol/locales/en.json");
    let json = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&json)?)
}

/// The contents of the tracked files that are chosen.
fn sources(chosen: impl Fn(&str) -> bool) -> Result<Vec<(String, String)>> {
    let files = tracked()?.into_iter().filter(|file| chosen(file));
    files
        .map(|file| {
            let source = fs::read_to_string(root().join(&file))
                .with_context(|| format!("reading {file}"))?;
            Ok((file, source))
        })
        .collect()
}

/// The texts that the sheets ask for.
fn sheets() -> Result<Vec<(String, String)>> {
    sources(|file| file.starts_with(SHEETS) && file.ends_with(".ts"))
}

#[test]
fn every_text_is_shown() -> Result<()> {
    let english = english()?;
    let sheets: BTreeSet<String> = sheets()?
        .iter()
        .flat_map(|(_, source)| asked(source))
        .collect();
    let mut unused = Vec::new();
    let mut report = |section: &str, used: &BTreeSet<String>| {
        let names = english.get(section).into_iter().flat_map(BTreeMap::keys);
        let missing = names.filter(|name| !used.contains(*name));
        unused.extend(missing.map(|name| format!("{section}.{name}")));
    };
    for reader in &READERS {
        // Some new texts of the bubble are shown by the code of the sheets.
        if reader.section == "bubble" && sheets.is_empty() {
            continue;
        }
        let mut used = BTreeSet::new();
        for (_, source) in sources(reader.files)? {
            for holder in reader.holders {
                used.extend(fields(&source, holder));
            }
        }
        report(reader.section, &used);
    }
    let notices = sources(|file| file.starts_with("edge/core/src/notice/"))?;
    let said = notices.iter().flat_map(|(_, source)| literals(source));
    report("notices", &said.collect());
    if !sheets.is_empty() {
        report("panel", &sheets);
    }
    if !unused.is_empty() {
        bail!(
            "nobody shows {}: remove them from every locale",
            unused.join(", ")
        );
    }
    Ok(())
}

/// The texts of other sections are fields, which the compiler checks.
#[test]
fn no_sheet_asks_for_a_text_that_is_not_there() -> Result<()> {
    let english = english()?;
    let panel = english
        .get("panel")
        .context("en.json has no section `panel`")?;
    let mut unknown = Vec::new();
    for (file, source) in sheets()? {
        let asked = asked(&source)
            .into_iter()
            .filter(|name| !panel.contains_key(name));
        unknown.extend(asked.map(|name| format!("{file}: {name}")));
    }
    if !unknown.is_empty() {
        bail!(
            "not in the section `panel` of the locales:\n{}",
            unknown.join("\n")
        );
    }
    Ok(())
}

/// Names read as `text("name")`; of a choice, `text(open ? "a" : "b")`, both.
fn asked(source: &str) -> BTreeSet<String> {
    let comment = |line: &&str| {
        ["//", "/*", "*"]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark))
    };
    let code: Vec<&str> = source.lines().filter(|line| !comment(line)).collect();
    let source = &code.join("\n");
    let mut names = BTreeSet::new();
    for (at, call) in source.match_indices("text(") {
        let before = source.get(..at).and_then(|text| text.chars().next_back());
        if before.is_some_and(|c| is_part(c) || c == '.') {
            continue;
        }
        let rest = source.get(at + call.len()..).unwrap_or_default();
        let first = first_argument(rest);
        // The text that a choice compares with is not the name of a text: `kind === "x" ? …`.
        let compared = |at: usize| {
            let before = first.get(..at).unwrap_or_default();
            before.trim_end().ends_with('=')
        };
        names.extend(
            quoted(first)
                .filter(|(start, _)| !compared(*start))
                .map(|(_, name)| name.to_owned()),
        );
    }
    names
}

/// The tokens before the comma or the bracket that ends the first argument of a call.
fn first_argument(rest: &str) -> &str {
    let mut depth = 0;
    let mut quote = None;
    for (index, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ',' | ')') if depth == 0 => return rest.get(..index).unwrap_or_default(),
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    rest
}

/// Every string in quotes, with its position.
fn quoted(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = rest.find(['"', '\''])?;
        let mark = rest.get(start..)?.chars().next()?;
        let inside = rest.get(start + 1..)?;
        let end = inside.find(mark)?;
        let begun = at + start;
        at = begun + end + 2;
        Some((begun, inside.get(..end)?))
    })
}

/// Every string of Rust.
fn literals(source: &str) -> Vec<String> {
    source
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The fields of a variable that are read: `name` of `holder.name`.
fn fields<'s>(source: &'s str, holder: &'s str) -> impl Iterator<Item = String> {
    source.match_indices(holder).filter_map(move |(at, _)| {
        let before = source.get(..at)?.chars().next_back();
        if before.is_some_and(is_part) {
            return None;
        }
        let field = source.get(at + holder.len()..)?.strip_prefix('.')?;
        let end = field.find(|c| !is_part(c)).unwrap_or(field.len());
        field.get(..end).map(str::to_owned)
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn names_are_found_where_they_are_asked_for() {
    let found = |source| asked(source).into_iter().collect::<Vec<_>>();
    for (source, names) in [
        ("const label = text(\"back\");", vec!["back"]),
        ("text('save') + text(\"cancel\")", vec!["cancel", "save"]),
        (
            "text(sound ? \"sound_off\" : \"sound_on\")",
            vec!["sound_off", "sound_on"],
        ),
        (
            "text(kind === \"x\" ? \"why\" : \"why_good\")",
            vec!["why", "why_good"],
        ),
        (
            "text(\"attach_remove\", { name: \"send\" })",
            vec!["attach_remove"],
        ),
        ("text(pick(\"a\", 1), \"b\")", vec!["a"]),
        ("context(\"no\"); node.text(\"no\"); mytext(\"no\")", vec![]),
        (
            "/**\n * As in `text(\"no\")`.\n */\n  // text(\"no\")",
            vec![],
        ),
        ("text(", vec![]),
    ] {
        assert_eq!(found(source), names, "{source}");
    }
    let source = "bot.strings.open; |strings| &strings.close; my_strings.no; strings.entries()";
    let fields: Vec<_> = fields(source, "strings").collect();
    assert_eq!(fields, ["open", "close", "entries"]);
}
