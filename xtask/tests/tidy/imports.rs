//! The modules of its own crate that a file names: in its imports, and in the paths of its code.

use std::collections::BTreeMap;

use crate::tokens::{Kind, Token, starts_with};

/// The path of a module below its crate.
pub type Path = Vec<String>;

/// The module that a file holds.
pub fn module(root: &str, file: &str) -> Path {
    let path = file.trim_start_matches(root).trim_end_matches(".rs");
    let mut parts: Path = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    if parts
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

/// The tokens without the items that are compiled for tests alone.
pub fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        if starts_with(rest, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            rest = after_item(rest.get(7..).unwrap_or_default());
        } else {
            kept.push(first.clone());
            rest = after;
        }
    }
    kept
}

/// The tokens after an item, which ends with its body or with a semicolon.
fn after_item(tokens: &[Token]) -> &[Token] {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match (token.kind, token.text.as_str()) {
            (Kind::Mark, "{") => depth += 1,
            (Kind::Mark, "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends =
            depth == 0 && token.kind == Kind::Mark && ["}", ";"].contains(&token.text.as_str());
        // `use a::{b};` goes on after its brace.
        let goes_on = tokens.get(index + 1).is_some_and(|next| next.text == ";");
        if ends && !goes_on {
            return tokens.get(index + 1..).unwrap_or_default();
        }
    }
    &[]
}

/// All paths of a file that begin in its own crate, from its root, with their lines.
pub fn paths(tokens: &[Token], from: &Path, files: &BTreeMap<Path, String>) -> Vec<(Path, usize)> {
    let mut found = Vec::new();
    // The names of imported modules, with which paths in code may begin.
    let mut names: BTreeMap<String, Path> = BTreeMap::new();
    let mut code = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        if first.kind == Kind::Word && first.text == "use" {
            let end = after
                .iter()
                .position(|token| token.text == ";")
                .unwrap_or(after.len());
            let (tree, after) = after.split_at_checked(end).unwrap_or((after, &[]));
            for (path, alias) in leaves(tree) {
                if let Some(path) = absolute(&path, from, &names, files) {
                    if files.contains_key(&path)
                        && let Some(name) = alias.or_else(|| path.last().cloned())
                    {
                        names.insert(name, path.clone());
                    }
                    found.push((path, first.line));
                }
            }
            rest = after;
        } else {
            code.push(first.clone());
            rest = after;
        }
    }
    let mut index = 0;
    while let Some(first) = code.get(index) {
        let mut path = vec![first.text.clone()];
        let mut end = index + 1;
        while let Some([one, two, name]) = code.get(end..end + 3)
            && (one.text.as_str(), two.text.as_str(), name.kind) == (":", ":", Kind::Word)
        {
            path.push(name.text.clone());
            end += 3;
        }
        if first.kind == Kind::Word
            && path.len() > 1
            && let Some(path) = absolute(&path, from, &names, files)
        {
            found.push((path, first.line));
        }
        index = end;
    }
    found
}

/// The names that a module has from others by `pub use`, with the paths of what they stand for.
pub fn reexports(
    tokens: &[Token],
    from: &Path,
    files: &BTreeMap<Path, String>,
) -> BTreeMap<String, Path> {
    let mut found = BTreeMap::new();
    let mut rest = tokens;
    while let Some((_, after)) = rest.split_first() {
        let tree;
        if starts_with(rest, &["pub", "(", "crate", ")", "use"]) {
            tree = rest.get(5..).unwrap_or_default();
        } else if starts_with(rest, &["pub", "use"]) {
            tree = rest.get(2..).unwrap_or_default();
        } else {
            rest = after;
            continue;
        }
        let end = (tree.iter().position(|token| token.text == ";")).unwrap_or(tree.len());
        let (tree, after) = tree.split_at_checked(end).unwrap_or((tree, &[]));
        for (path, alias) in leaves(tree) {
            if let Some(path) = absolute(&path, from, &BTreeMap::new(), files)
                && let Some(name) = alias.or_else(|| path.last().cloned())
            {
                found.insert(name, path);
            }
        }
        rest = after;
    }
    found
}

/// A path from the root of the crate; `None` when it begins outside the crate.
fn absolute(
    path: &[String],
    from: &Path,
    names: &BTreeMap<String, Path>,
    files: &BTreeMap<Path, String>,
) -> Option<Path> {
    let (first, mut rest) = path.split_first()?;
    let mut start = match first.as_str() {
        "crate" => Path::new(),
        "self" => from.clone(),
        "super" => from
            .split_last()
            .map(|(_, parent)| parent.to_vec())
            .unwrap_or_default(),
        name => {
            let inside: Path = from.iter().cloned().chain([name.to_owned()]).collect();
            match names.get(name) {
                Some(path) => path.clone(),
                None if files.contains_key(&inside) => inside,
                None => return None,
            }
        }
    };
    while let Some((next, after)) = rest.split_first()
        && next == "super"
    {
        start.pop();
        rest = after;
    }
    start.extend(rest.iter().cloned());
    Some(start)
}

/// The paths of a tree of imports, with the names that they get.
fn leaves(tree: &[Token]) -> Vec<(Path, Option<String>)> {
    let mut path = Path::new();
    let mut rest = tree;
    while let Some((first, after)) = rest.split_first() {
        match (first.kind, first.text.as_str()) {
            (Kind::Mark, "{") => {
                return (split(after).into_iter())
                    .flat_map(leaves)
                    .map(|(inner, alias)| {
                        let inner = inner
                            .into_iter()
                            .filter(|part| part != "self" || path.is_empty());
                        (path.iter().cloned().chain(inner).collect(), alias)
                    })
                    .collect();
            }
            (Kind::Word, "as") => {
                let alias = after.first().map(|token| token.text.clone());
                return vec![(path, alias)];
            }
            (Kind::Word, _) => path.push(first.text.clone()),
            _ => {}
        }
        rest = after;
    }
    if path.is_empty() {
        Vec::new()
    } else {
        vec![(path, None)]
    }
}

/// The parts of a list up to its closing brace.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (index, token) in tokens.iter().enumerate() {
        let ends = match token.text.as_str() {
            "{" => {
                depth += 1;
                false
            }
            "}" if depth == 0 => true,
            "}" => {
                depth -= 1;
                false
            }
            "," => depth == 0,
            _ => false,
        };
        if ends {
            parts.extend(tokens.get(start..index));
            start = index + 1;
        }
        if token.text == "}" && ends {
            break;
        }
    }
    parts
}

/// The module whose file a path leads into.
pub fn file_of(named: &Path, files: &BTreeMap<Path, String>) -> Option<Path> {
    (0..=named.len())
        .rev()
        .filter_map(|length| named.get(..length))
        .find(|prefix| files.contains_key(*prefix))
        .map(<[String]>::to_vec)
}

/// Where a path leads when each name that a module has by `pub use` is replaced by what it stands for.
pub fn followed(
    mut named: Path,
    exports: &BTreeMap<&Path, BTreeMap<String, Path>>,
    files: &BTreeMap<Path, String>,
) -> Path {
    // No chain of names is this long; a circle of them does not compile.
    for _ in 0..8 {
        let Some(module) = file_of(&named, files) else {
            break;
        };
        let Some(target) = (named.get(module.len()))
            .and_then(|name| exports.get(&module).and_then(|names| names.get(name)))
        else {
            break;
        };
        let rest = named.get(module.len() + 1..).unwrap_or_default();
        named = target.iter().chain(rest).cloned().collect();
    }
    named
}
