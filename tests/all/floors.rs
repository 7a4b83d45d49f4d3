//! The layout of ARCHITECTURE.md: rooms on floors, arrows that point down, no circles of files.
//!
//! A *room* is a file or folder directly in `src/`; a *floor* is a line of [`FLOORS`]. A file may import what lies on a lower floor, and
//! its own room. A folder's own file (`engine.rs` of `engine/`) may drive and re-export what is in the folder.

use crate::rust_files;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// From the roof down. Rooms of one floor do not know each other.
const FLOORS: &[&str] = &[
    "bin lib",
    "cli ffi",
    "broker",
    "call",
    "worker",
    "engine",
    "plan",
    "snapshot drills",
    "backup job",
    "host",
    "archive siteconf",
    "api",
    "config",
    "report journal",
    "sql path progress random disk",
    "text error clock",
];

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The product's modules (`engine::stage`) with their text; unit tests and comments left out.
fn modules() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files::find(&root, &mut files);
    let mut modules = BTreeMap::new();
    for path in files {
        let name = path.strip_prefix(&root).unwrap().with_extension("").display().to_string().replace('/', "::");
        if ["tests", "testing", "contract"].iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let product = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let lines: Vec<&str> = product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        modules.insert(name, lines.join("\n"));
    }
    modules
}

/// `a::{b, c::{d, e}}` as its paths.
fn flatten(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    match tree.split_once('{') {
        None => paths.push(format!("{prefix}{}", tree.split(" as ").next().unwrap().trim())),
        Some((before, rest)) => {
            let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
            let (mut depth, mut part) = (0, String::new());
            for letter in inner.chars().chain([',']) {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if letter == ',' && depth == 0 {
                    if !part.trim().is_empty() {
                        flatten(&format!("{prefix}{before}"), &part, paths);
                    }
                    part.clear();
                } else {
                    part.push(letter);
                }
            }
        }
    }
}

/// The paths a module names: those it imports, and those written out in its code.
fn paths(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut code = String::new();
    for statement in text.split_inclusive(';') {
        let line = statement.trim_start().trim_end_matches(';');
        // Attributes and braces may stand before an import inside a function or a module.
        let import = line.rfind("\nuse ").map(|at| &line[at + 1..]).unwrap_or(line);
        let import = import.trim_start().strip_prefix("pub ").unwrap_or(import.trim_start());
        match import.strip_prefix("use ") {
            Some(tree) if !tree.contains(';') => flatten("", tree, &mut found),
            _ => code.push_str(statement),
        }
    }
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':') {
                continue;
            }
            let path: String = code[at..]
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':'))
                .collect();
            found.push(path);
        }
    }
    let absolute = |path: String| {
        let path = path.split_whitespace().collect::<String>();
        let mut at: Vec<&str> = name.split("::").collect();
        let mut rest = path.as_str();
        if let Some(inner) = rest.strip_prefix("self::") {
            return Some(format!("{name}::{inner}"));
        }
        if let Some(inner) = rest.strip_prefix("crate::") {
            return Some(inner.to_owned());
        }
        if !rest.starts_with("super::") {
            return None;
        }
        while let Some(inner) = rest.strip_prefix("super::") {
            at.pop();
            rest = inner;
        }
        Some(at.into_iter().chain([rest]).collect::<Vec<_>>().join("::"))
    };
    found.into_iter().filter_map(absolute).collect()
}

/// Which module knows which. A folder's own file and what is in the folder count as drawn in one direction only: up.
fn arrows(modules: &BTreeMap<String, String>) -> Arrows {
    let holder = |path: &str| {
        let parts: Vec<&str> = path.split("::").collect();
        (1..=parts.len()).rev().map(|count| parts[..count].join("::")).find(|name| modules.contains_key(name))
    };
    let mut arrows = Arrows::new();
    for (name, text) in modules {
        let known = paths(name, text).into_iter().filter_map(|path| holder(&path));
        let others = known.filter(|other| other != name && !other.starts_with(&format!("{name}::")));
        arrows.insert(name.clone(), others.collect());
    }
    arrows
}

fn room(name: &str) -> &str {
    name.split("::").next().unwrap()
}

fn upward(arrows: &Arrows) -> Vec<String> {
    let floor = |name: &str| {
        let found = FLOORS.iter().rev().position(|floor| floor.split(' ').any(|word| word == room(name)));
        found.unwrap_or_else(|| panic!("{} is on no floor", room(name)))
    };
    let mut found = Vec::new();
    for (from, known) in arrows {
        let up = known.iter().filter(|to| room(from) != room(to) && floor(to) >= floor(from));
        found.extend(up.map(|to| format!("{from} -> {to}")));
    }
    found
}

/// A circle through every file that is part of one: each file with one that leads back to it.
fn circles(arrows: &Arrows) -> Vec<String> {
    let reached = |from: &str| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(at) = left.pop() {
            for next in arrows.get(&at).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    left.push(next.clone());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = arrows.keys().map(|name| (name, reached(name))).collect();
    let mut found = Vec::new();
    for (from, known) in arrows {
        let back = known.iter().filter(|to| reach.get(to).is_some_and(|reach| reach.contains(from)));
        found.extend(back.map(|to| format!("{from} -> {to}")));
    }
    found
}

#[test]
fn no_file_imports_from_a_higher_floor() {
    let found = upward(&arrows(&modules()));
    assert!(found.is_empty(), "arrows that do not point down (see FLOORS): {found:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let found = circles(&arrows(&modules()));
    assert!(found.is_empty(), "arrows of circles: {found:#?}");
}

#[test]
fn both_checks_can_fail() {
    let module = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let house = BTreeMap::from([
        module("error", "use crate::{\n    call,\n    text::{self, bytes},\n};\n"),
        module("text", ""),
        module("call", "fn f() { crate::worker::spawn::start() }"),
        module("worker", "use std::fs;\nfn f() { spawn::start() }"),
        module("worker::spawn", "use super::notify::tell;\nuse crate::worker::Course;"),
        module("worker::notify", "pub use crate::worker::spawn::start as begin;"),
    ]);
    let arrows = arrows(&house);
    assert_eq!(upward(&arrows), ["error -> call", "error -> text"]);
    assert_eq!(circles(&arrows), ["worker::notify -> worker::spawn", "worker::spawn -> worker::notify"]);
}
