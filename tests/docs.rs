//! What the documents name exists: paths, make targets, calls.

use std::path::Path;

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/performance.md"];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text between single backticks, and the words of indented blocks.
fn code(document: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut fenced = false;
    for line in document.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            pieces.push(line.trim().to_owned());
        } else {
            pieces.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    pieces
}

#[test]
fn every_path_the_documents_name_exists() {
    let roots = ["src/", "tests/", "scripts/", "bindings/", "include/", "docs/", "bench/", "benches/", ".ci/"];
    let mut seen = 0;
    for document in DOCUMENTS {
        for piece in code(&read(document)) {
            for word in piece.split(|letter: char| letter.is_whitespace() || "'\"(),;".contains(letter)) {
                let word = word.trim_end_matches(['.', ':']);
                if roots.iter().any(|root| word.starts_with(root)) && !word.contains(['*', '{', '…', '<']) {
                    seen += 1;
                    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(word);
                    assert!(path.exists(), "{document} names {word}, which does not exist");
                }
            }
        }
    }
    assert!(seen > 10, "only {seen} paths were found in the documents");
}

#[test]
fn every_make_target_the_documents_name_exists() {
    let makefile = read("Makefile");
    for document in DOCUMENTS {
        for piece in code(&read(document)) {
            let Some(target) = piece.strip_prefix("make ").and_then(|rest| rest.split_whitespace().next()) else {
                continue;
            };
            assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "{document}: make {target}");
        }
    }
}

#[test]
fn every_call_the_documents_name_exists() {
    let header = read("include/rocketvps_restore.h");
    let calls = read("src/call.rs");
    for document in DOCUMENTS {
        let text = read(document);
        for (at, _) in text.match_indices("rv_") {
            let name: String =
                text[at..].chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
            let known = header.contains(&format!("{name}(")) || name == "rv_";
            assert!(known, "{document} names {name}, which the header has not");
        }
        for piece in code(&text) {
            let Some((_, rest)) = piece.split_once("rocketvps-restore ") else { continue };
            let Some(word) =
                rest.split_whitespace().next().filter(|word| word.chars().all(|l| l.is_ascii_lowercase() || l == '_'))
            else {
                continue;
            };
            let known =
                calls.contains(&format!("\"{word}\",")) || ["wait", "worker", "version", "abi_version"].contains(&word);
            assert!(known, "{document}: rocketvps-restore {word}");
        }
    }
}

/// Each case of the fault matrix has a test by its number, in the tests of the program or of its modules.
#[test]
fn every_case_of_the_matrix_has_a_test_by_its_number() {
    fn sources(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    for folder in ["tests", "src"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut text);
    }
    let names: Vec<&str> = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")).collect();
    let has =
        |case: &str| names.iter().any(|name| name.split('_').take_while(|word| is_case(word)).any(|word| word == case));
    let cases = read("tests/cases.tsv");
    let cases: Vec<&str> = cases.lines().filter(|line| !line.starts_with('#')).map(|line| &line[..3]).collect();
    assert_eq!(cases.len(), 86);
    for (number, case) in (1..).zip(&cases) {
        assert_eq!(case[1..].parse(), Ok(number), "{case}");
        assert!(has(case), "no test is called {case}_…");
    }
    let report = read("tests/RELIABILITY.md");
    for case in cases {
        let row = format!("| {}{} |", case[..1].to_uppercase(), case[1..].trim_start_matches('0'));
        assert!(report.contains(&row), "tests/RELIABILITY.md has no row {row}");
    }
}

fn is_case(word: &str) -> bool {
    matches!(word.as_bytes(), [b'a'..=b'f', one, two] if one.is_ascii_digit() && two.is_ascii_digit())
}
