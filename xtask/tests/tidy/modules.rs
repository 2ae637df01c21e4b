//! Which module of a crate may import which: the order of the modules, circles of files, and the callers of the stages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::{Result, anyhow};

use crate::imports::{Path, file_of, followed, module, paths, reexports, without_tests};
use crate::rust_source::{is_test, test_only};
use crate::tokens::{Token, tokens};
use crate::{Finding, report, rust_files};

/// A crate whose files must not import one another in a circle.
struct Crate {
    sources: &'static str,
    /// Its modules, each of which may import those before it. A module stands for the modules inside it, except those
    /// listed themselves. Empty for a crate without an order.
    order: &'static [&'static str],
    /// The modules that a message passes through.
    stages: &'static [&'static str],
    /// The modules that may call functions of which stages, and not only name their types.
    callers: &'static [Caller],
}

struct Caller {
    module: &'static str,
    stage: &'static str,
    reason: &'static str,
}

const CRATES: &[Crate] = &[
    Crate {
        sources: "edge/core/src",
        order: &[
            // Plain data, and the ports.
            "model",
            "settings",
            "digest",
            "json",
            "outbound",
            "own_addresses",
            "search",
            "meter",
            "record",
            "ports",
            // Modules that several stages use.
            "strings",
            "hours",
            "timer",
            "isolate_memory",
            "thinking",
            "knowledge",
            "first_screen",
            "attachments",
            "completion",
            // The stages.
            "guard",
            "retrieval",
            "prompt",
            "provider",
            "budget",
            "cache",
            "reply",
            "quality",
            "notice",
            // The module that calls the stages, and the sinks of its events.
            "turn",
            "completion::answer",
            // The owner's side.
            "knowledge::gaps",
            "people",
            "admin",
            "sources",
            "loader",
            "hosted",
        ],
        stages: &[
            "guard",
            "retrieval",
            "prompt",
            "provider",
            "budget",
            "cache",
            "reply",
            "quality",
            "notice",
        ],
        callers: &[
            Caller {
                module: "budget",
                stage: "provider::prices",
                reason: "a table of prices",
            },
            Caller {
                module: "admin",
                stage: "guard::origin",
                reason: "the patterns that the guard matches are the ones that owners may give",
            },
            Caller {
                module: "hosted",
                stage: "guard::origin",
                reason: "a page of its own is framed by the origins that the guard lets in",
            },
        ],
    },
    without_order("edge/worker/src"),
    without_order("edge/formats/src"),
    without_order("edge/text/src"),
    without_order("api/src"),
    without_order("protocol/src"),
    without_order("widget/core/src"),
    without_order("widget/web/src"),
    without_order("xtask/src"),
];

/// A crate whose files only must not import one another in a circle.
const fn without_order(sources: &'static str) -> Crate {
    Crate {
        sources,
        order: &[],
        stages: &[],
        callers: &[],
    }
}

#[test]
fn modules_import_those_before_them() -> Result<()> {
    each(|krate, graph| {
        if krate.order.is_empty() {
            return Vec::new();
        }
        graph.disordered(krate.order)
    })
}

#[test]
fn no_files_import_one_another_in_a_circle() -> Result<()> {
    each(|_, graph| graph.circular())
}

#[test]
fn only_the_turn_calls_stages() -> Result<()> {
    each(|krate, graph| graph.called(krate.stages, krate.callers))
}

#[test]
fn exceptions_have_a_reason_and_are_needed() -> Result<()> {
    each(|krate, graph| {
        let needed = |caller: &&Caller| {
            let others: Vec<&Caller> = (krate.callers.iter())
                .filter(|other| !std::ptr::eq(*other, *caller))
                .collect();
            !caller.reason.is_empty() && !graph.calls(krate.stages, &others).is_empty()
        };
        (krate.callers.iter())
            .filter(|caller| !needed(caller))
            .map(|caller| {
                let Caller { module, stage, .. } = caller;
                let advice = format!("`{module}` no longer calls `{stage}`: delete the exception");
                (
                    "xtask/tests/tidy/modules.rs".to_owned(),
                    Finding::new(1, advice),
                )
            })
            .collect()
    })
}

/// The imports of every crate, read once for all tests.
static GRAPHS: LazyLock<Result<Vec<Graph>>> = LazyLock::new(|| {
    let files = rust_files()?;
    let tests = test_only(&files);
    let graph = |krate: &Crate| {
        let sources: Vec<(&str, &str)> = (files.iter())
            .filter(|(file, _)| file.starts_with(krate.sources) && !is_test(file, &tests))
            .map(|(file, source)| (file.as_str(), source.as_str()))
            .collect();
        Graph::of(krate.sources, &sources)
    };
    Ok(CRATES.iter().map(graph).collect())
});

/// Checks every crate and reports the findings.
fn each(look: impl Fn(&Crate, &Graph) -> Vec<(String, Finding)>) -> Result<()> {
    let graphs = GRAPHS.as_ref().map_err(|error| anyhow!("{error:#}"))?;
    report((CRATES.iter().zip(graphs)).flat_map(|(krate, graph)| look(krate, graph)))
}

/// One import, or one path in code, that leads to another file.
struct Arrow {
    from: Path,
    to: Path,
    line: usize,
    /// The imported path, as written after the crate's root.
    named: Path,
}

struct Graph {
    /// Modules and their files.
    files: BTreeMap<Path, String>,
    arrows: Vec<Arrow>,
}

impl Graph {
    fn of(root: &str, sources: &[(&str, &str)]) -> Self {
        let files: BTreeMap<Path, String> = (sources.iter())
            .map(|(file, _)| (module(root, file), (*file).to_owned()))
            .collect();
        let code: BTreeMap<Path, Vec<Token>> = (sources.iter())
            .map(|(file, source)| (module(root, file), without_tests(&tokens(source))))
            .collect();
        let exports: BTreeMap<&Path, BTreeMap<String, Path>> = (code.iter())
            .map(|(from, tokens)| (from, reexports(tokens, from, &files)))
            .collect();
        let mut arrows = Vec::new();
        for (from, tokens) in &code {
            for (named, line) in paths(tokens, from, &files) {
                let named = followed(named, &exports, &files);
                if let Some(to) = file_of(&named, &files).filter(|to| to != from) {
                    arrows.push(Arrow {
                        from: from.clone(),
                        to,
                        line,
                        named,
                    });
                }
            }
        }
        Self { files, arrows }
    }

    fn finding(&self, arrow: &Arrow, advice: String) -> (String, Finding) {
        let file = self.files.get(&arrow.from).cloned().unwrap_or_default();
        (file, Finding::new(arrow.line, advice))
    }

    /// Imports of a module that is later in the order, and modules that are missing from it.
    fn disordered(&self, order: &[&str]) -> Vec<(String, Finding)> {
        let placed = |module: &Path| {
            (order.iter().enumerate())
                .filter(|(_, entry)| is_in(module, entry))
                .max_by_key(|(_, entry)| entry.len())
        };
        let homeless = (self.files.iter())
            .filter(|(module, _)| !module.is_empty() && placed(module).is_none())
            .map(|(_, file)| {
                let advice = "the module has no place in the order of xtask/tests/tidy/modules.rs: give it one";
                (file.clone(), Finding::new(1, advice))
            });
        let upward = self.arrows.iter().filter_map(|arrow| {
            let ((at, from), (to_at, to)) = (placed(&arrow.from)?, placed(&arrow.to)?);
            // A module declares its inner modules, whatever their place in the order.
            let own = related(&arrow.from, &arrow.to);
            (to_at > at && !own).then(|| {
                self.finding(
                    arrow,
                    format!(
                        "`{from}` comes before `{to}` and cannot import `{}`: move what it needs down to where both can \
                         have it",
                        arrow.named.join("::")
                    ),
                )
            })
        });
        homeless.chain(upward).collect()
    }

    /// Sets of files in which each imports every other, directly or not. Imports between a module and one directly
    /// inside it do not count: they are one module in several files.
    fn circles(&self) -> Vec<Vec<&str>> {
        let mut next: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
        for arrow in &self.arrows {
            if !related(&arrow.from, &arrow.to) {
                next.entry(&arrow.from).or_default().insert(&arrow.to);
            }
        }
        let reached = |start| {
            let mut seen = BTreeSet::new();
            let mut left: Vec<&Path> = vec![start];
            while let Some(module) = left.pop() {
                for to in next.get(module).into_iter().flatten() {
                    if seen.insert(*to) {
                        left.push(to);
                    }
                }
            }
            seen
        };
        let all: BTreeMap<&Path, BTreeSet<&Path>> = next
            .keys()
            .map(|module| (*module, reached(*module)))
            .collect();
        let leads = |from: &Path, to: &Path| all.get(from).is_some_and(|seen| seen.contains(to));
        let mut circles = BTreeSet::new();
        for module in all.keys().filter(|module| leads(module, module)) {
            let circle: Vec<&str> = (all.keys())
                .filter(|other| leads(module, other) && leads(other, module))
                .filter_map(|other| self.files.get(*other).map(String::as_str))
                .collect();
            circles.insert(circle);
        }
        circles.into_iter().collect()
    }

    fn circular(&self) -> Vec<(String, Finding)> {
        (self.circles().into_iter())
            .map(|circle| {
                let advice = format!(
                    "{} files import one another in a circle; move down what they share: {}",
                    circle.len(),
                    circle.join(", ")
                );
                let first = circle.first().copied().unwrap_or_default();
                (first.to_owned(), Finding::new(1, advice))
            })
            .collect()
    }

    /// Functions of stages that are named outside the stages and outside `turn`.
    fn calls(&self, stages: &[&str], callers: &[&Caller]) -> Vec<&Arrow> {
        (self.arrows.iter())
            .filter(|arrow| {
                let function = (arrow.named.last()).is_some_and(|name| {
                    name.starts_with(char::is_lowercase) && arrow.named != arrow.to
                });
                let another = stages
                    .iter()
                    .any(|stage| is_in(&arrow.to, stage) && !is_in(&arrow.from, stage));
                let allowed = is_in(&arrow.from, "turn")
                    || callers.iter().any(|caller| {
                        is_in(&arrow.from, caller.module) && is_in(&arrow.to, caller.stage)
                    });
                function && another && !allowed
            })
            .collect()
    }

    fn called(&self, stages: &[&str], callers: &[Caller]) -> Vec<(String, Finding)> {
        let callers: Vec<&Caller> = callers.iter().collect();
        (self.calls(stages, &callers).into_iter())
            .map(|arrow| {
                let advice = format!(
                    "only `turn` calls stages: hand the result of `{}` over, or move what is no stage's own to where both can \
                     have it",
                    arrow.named.join("::")
                );
                self.finding(arrow, advice)
            })
            .collect()
    }
}

/// Whether a module is the one with this name or inside it.
fn is_in(module: &[String], name: &str) -> bool {
    let mut parts = module.iter();
    name.split("::")
        .all(|part| parts.next().is_some_and(|own| own == part))
}

/// Whether one of two modules is directly inside the other.
fn related(one: &[String], other: &[String]) -> bool {
    let parent = |module: &[String], of: &[String]| {
        of.split_last().is_some_and(|(_, parent)| parent == module)
    };
    parent(one, other) || parent(other, one)
}

#[cfg(test)]
fn graph(files: &[(&str, &str)]) -> Graph {
    Graph::of("x/src", files)
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let files = [
        ("x/src/lib.rs", "pub mod a; pub mod b; mod c;"),
        (
            "x/src/a.rs",
            "use crate::{b::{self as other, One}, c::d}; fn f() { d::g(); other::h() }",
        ),
        (
            "x/src/b/mod.rs",
            "mod inner; use super::c; use inner::Two; fn f() { crate::a::k() }",
        ),
        (
            "x/src/b/inner.rs",
            "use super::super::a::*; #[cfg(test)] mod tests { use crate::c; }",
        ),
        ("x/src/c/mod.rs", "pub mod d; // use crate::a;"),
        (
            "x/src/c/d.rs",
            "#[cfg(test)] use crate::a; const A: &str = \"crate::a\";",
        ),
    ];
    let graph = graph(&files);
    let named: BTreeSet<String> = (graph.arrows.iter())
        .map(|arrow| format!("{} {}", arrow.from.join("::"), arrow.named.join("::")))
        .collect();
    let expected = [
        "a b",
        "a b::One",
        "a b::h",
        "a c::d",
        "a c::d::g",
        "b a::k",
        "b b::inner::Two",
        "b c",
        "b::inner a",
    ];
    assert_eq!(named, expected.map(str::to_owned).into());
    assert_eq!(graph.circles(), [["x/src/a.rs", "x/src/b/mod.rs"]]);
}

#[test]
fn a_module_and_those_inside_it_are_no_circle() {
    let files = [
        ("x/src/a/mod.rs", "mod one; mod two; use one::One;"),
        ("x/src/a/one.rs", "use super::two::Two;"),
        ("x/src/a/two.rs", "use super::*;"),
    ];
    assert!(graph(&files).circles().is_empty());
    let circle = ("x/src/a/two.rs", "use super::one;");
    let files = [&files[..2], &[circle]].concat();
    assert_eq!(
        graph(&files).circles(),
        [["x/src/a/one.rs", "x/src/a/two.rs"]]
    );
}

#[test]
fn a_name_that_a_module_has_from_another_leads_to_that_one() {
    let files = [
        (
            "x/src/a/mod.rs",
            "mod one; mod two; pub use one::{One as First};",
        ),
        ("x/src/a/one.rs", "use super::two::Two;"),
        ("x/src/a/two.rs", "use super::First;"),
    ];
    let circle = ["x/src/a/one.rs", "x/src/a/two.rs"];
    assert_eq!(graph(&files).circles(), [circle]);
}

#[test]
fn imports_lead_to_modules_before() {
    let files = [
        ("x/src/a.rs", "use crate::b::c::C;"),
        ("x/src/b/mod.rs", "use crate::a::A;"),
        ("x/src/b/c.rs", ""),
        ("x/src/d.rs", ""),
    ];
    let found = graph(&files).disordered(&["b::c", "a", "b"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        graph(&files).disordered(&["a", "b", "d"])[0]
            .1
            .advice
            .contains("`a` comes before `b`")
    );
}

#[test]
fn types_of_stages_may_be_named_and_functions_not() {
    let files = [
        (
            "x/src/turn.rs",
            "use crate::stage::{self, run}; fn f() { stage::walk() }",
        ),
        (
            "x/src/other.rs",
            "use crate::stage::{self, Kind, run}; fn f() { stage::walk(stage::MOST) }",
        ),
        ("x/src/stage.rs", ""),
    ];
    let graph = graph(&files);
    let lines = |callers: &[&Caller]| graph.calls(&["stage"], callers).len();
    assert_eq!(lines(&[]), 2);
    let caller = Caller {
        module: "other",
        stage: "stage",
        reason: "a test",
    };
    assert_eq!(lines(&[&caller]), 0);
}
