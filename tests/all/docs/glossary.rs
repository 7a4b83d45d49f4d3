//! The glossary holds names that exist, each word once.

use super::{code, read};
use rocketvps_restore::error::Code;
use std::collections::BTreeSet;
use std::path::Path;

/// What defines a name in Rust; fields and variants stand at the beginning of their line.
const KEYWORDS: [&str; 8] = ["struct ", "enum ", "trait ", "fn ", "mod ", "const ", "static ", "type "];

/// One entry: its words, and its text.
struct Entry {
    words: Vec<String>,
    text: String,
}

fn entries() -> Vec<Entry> {
    let document = read("docs/glossary.md");
    let entries = document.split("\n\n").filter(|paragraph| paragraph.starts_with("**"));
    entries
        .map(|paragraph| {
            let head = paragraph.split(": ").next().unwrap();
            let marked = head.split("**").skip(1).step_by(2);
            let words = marked.flat_map(|words| words.split(", ")).map(str::to_owned).collect();
            Entry { words, text: paragraph.to_owned() }
        })
        .collect()
}

impl Entry {
    /// The code in every sentence that begins with this label.
    fn names(&self, label: &str) -> Vec<String> {
        let sentences = self.text.lines().flat_map(|line| line.split(". "));
        sentences.filter_map(|sentence| sentence.trim().strip_prefix(label)).flat_map(code).collect()
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter| !is_word(letter)).filter(|word| !word.is_empty())
}

/// Names that the sources define.
fn defined() -> BTreeSet<String> {
    fn walk(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, into);
            } else {
                into.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
                let text = std::fs::read_to_string(&path).unwrap();
                into.extend(text.lines().filter_map(definition).map(str::to_owned));
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The name that a line defines: of an item, a field or a variant.
fn definition(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
    let item = KEYWORDS.iter().find_map(|keyword| line.strip_prefix(keyword));
    let rest = item.unwrap_or(line);
    let (name, after) = rest.split_at(rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()));
    let is_member = [": ", ",", "(", " {"].iter().any(|mark| after.starts_with(mark)) && !after.starts_with("::");
    (!name.is_empty() && (item.is_some() || is_member)).then_some(name)
}

/// As serde writes a variant.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn every_word_of_the_glossary_stands_there_once() {
    let mut seen = BTreeSet::new();
    for word in entries().into_iter().flat_map(|entry| entry.words) {
        assert!(seen.insert(word.clone()), "{word} has two entries");
    }
    assert!(seen.len() > 80, "only {} words", seen.len());
}

#[test]
fn every_name_of_the_glossary_exists() {
    let rust = defined();
    let documents: Vec<String> =
        ["docs/api.md", "docs/format.md"].iter().flat_map(|document| code(&read(document))).collect();
    let snake: BTreeSet<String> = rust.iter().map(|name| snake_case(name)).collect();
    let config = read("scripts/restore.toml");
    let configured: BTreeSet<&str> = words(&config).collect();
    let documented: BTreeSet<&str> = documents.iter().flat_map(|piece| words(piece)).collect();
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let mut seen = 0;
    for entry in entries() {
        let shown = &entry.words;
        let mut hold = |names: Vec<String>, what: &str, exists: &dyn Fn(&str) -> bool| {
            for name in names.iter().flat_map(|piece| words(piece)) {
                seen += 1;
                assert!(exists(name), "{shown:?}: {name} is not in {what}");
            }
        };
        hold(entry.names("Rust: "), "src/", &|name| rust.contains(name));
        let in_json = |name: &str| documented.contains(name) || snake.contains(name);
        hold(entry.names("JSON: "), "docs/api.md, docs/format.md or src/", &in_json);
        hold(entry.names("In restore.toml: "), "scripts/restore.toml", &|name| configured.contains(name));
        hold(entry.names("On disk: "), "docs/format.md", &|name| documented.contains(name));
        hold(entry.names("Error: "), "the table of errors", &|name| codes.contains(name));
    }
    assert!(seen > 120, "only {seen} names were found in the glossary");
}
