//! What the documents name exists: paths, make targets, calls, commands. The man page is the one that the tables make.

mod glossary;

use crate::rust_files;
use rocketvps_restore::cli::man;
use rocketvps_restore::cli::table;
use rocketvps_restore::config::{Config, Site};
use rocketvps_restore::error::Code;
use rocketvps_restore::job::State;
use rocketvps_restore::job::ending::Reached;
use std::path::Path;

const DOCUMENTS: [&str; 16] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/api.md",
    "docs/caches.md",
    "docs/drills.md",
    "docs/filesystems.md",
    "docs/format.md",
    "docs/glossary.md",
    "docs/hooks.md",
    "docs/panel.md",
    "docs/performance.md",
    "docs/security.md",
    "docs/servers.md",
    "docs/user-guide.md",
];

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
    let roots =
        ["src/", "tests/", "scripts/", "bindings/", "include/", "docs/", "bench/", "benches/", "shell/", ".ci/"];
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

/// A proof that is a test's name is one while there is that test.
#[test]
fn every_test_the_documents_name_exists() {
    let text_of = |folder: &str| -> String {
        let mut files = Vec::new();
        rust_files::find(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    };
    let (tests, product) = (text_of("tests"), text_of("src"));
    let mut seen = 0;
    for document in DOCUMENTS {
        for name in code(&read(document)) {
            let is_sentence = name.matches('_').count() >= 4;
            if !is_sentence || !name.chars().all(|l| l.is_ascii_lowercase() || l.is_ascii_digit() || l == '_') {
                continue;
            }
            let test = format!("fn {name}()");
            // Names of servers, of tools and of metrics are as long; the product knows them.
            let known = product.contains(&name) || name.starts_with("rocketvps_restore_");
            assert!(tests.contains(&test) || known, "{document}: no test is called {name}");
            seen += usize::from(tests.contains(&test));
        }
    }
    assert!(seen > 30, "only {seen} tests are named in the documents");
}

/// A row of a table that names no test, or one that is gone, is nobody's promise.
#[test]
fn every_row_of_filesystems_and_servers_is_held_by_a_test() {
    let mut files = Vec::new();
    for folder in ["tests", "src"] {
        rust_files::find(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    let tests: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for document in ["docs/filesystems.md", "docs/servers.md"] {
        let mut rows = 0;
        for line in read(document).lines().filter(|line| line.starts_with("| ") && !line.contains("Held by")) {
            let last = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
            let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{line}");
            for name in named {
                assert!(tests.contains(&format!("fn {name}()")), "{document}: no test is called {name}");
                rows += 1;
            }
        }
        assert!(rows > 10, "{document}: {rows}");
    }
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
    for document in DOCUMENTS {
        let text = read(document);
        for (at, _) in text.match_indices("rv_") {
            let name: String =
                text[at..].chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
            let known =
                header.contains(&format!("{name}(")) || header.contains(&format!("enum {name}")) || name == "rv_";
            assert!(known, "{document} names {name}, which the header has not");
        }
        for piece in code(&text) {
            let Some((_, rest)) = piece.split_once("rocketvps-restore ") else { continue };
            let is_name = |word: &&str| word.chars().all(|l| l.is_ascii_lowercase() || matches!(l, '_' | '-'));
            let mut words = rest.split_whitespace().take_while(is_name);
            match (words.next(), words.next()) {
                (Some("call"), Some(name)) => assert!(is_call(name), "{document}: rocketvps-restore call {name}"),
                (Some("-"), _) | (None, _) => {}
                (Some(word), _) => assert!(table::find(word).is_some(), "{document}: rocketvps-restore {word}"),
            }
        }
    }
}

fn is_call(name: &str) -> bool {
    rocketvps_restore::call::NAMES.contains(&name) || ["version", "abi_version", "schema"].contains(&name)
}

#[test]
fn the_committed_man_page_is_what_the_tables_make() {
    let fresh = man::page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man/rocketvps-restore.1");
    if std::env::var_os("RV_WRITE_MAN").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "docs/man/rocketvps-restore.1 is stale: run `make man`");
}

#[test]
fn the_reference_has_every_exit_code() {
    let reference = read("docs/api.md");
    for code in Code::ALL {
        let row = format!("| `{}` | {} | {} |", code.name(), code.number(), code.meaning());
        assert!(reference.contains(&row), "docs/api.md has no row {row}");
    }
    assert_eq!(reference.lines().filter(|line| is_code_row(line)).count(), Code::ALL.len());
}

/// ``| `name` | number | …``
fn is_code_row(line: &str) -> bool {
    let mut cells = line.split('|').map(str::trim).skip(1);
    cells.next().is_some_and(|name| name.starts_with('`')) && cells.next().is_some_and(|n| n.parse::<u8>().is_ok())
}

/// The restore.toml that is installed: as it is it changes nothing, and each `#key = value` in it is the default.
#[test]
fn the_installed_configuration_names_every_key_with_its_default() {
    let text = read("scripts/restore.toml");
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    let plain: toml::Table = toml::from_str(&text).unwrap();
    assert!(plain.values().filter_map(toml::Value::as_table).all(|table| table.values().all(is_empty_table)));
    let uncommented: String = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n")
        .collect();
    let mut named: toml::Table = toml::from_str(&uncommented).unwrap();
    // A site is an example; its keys are all there are.
    let example = named.insert("sites".into(), toml::Value::Table(toml::Table::new())).unwrap();
    assert_eq!(example["shop.example"], toml::Value::try_from(Site::default()).unwrap());
    assert_eq!(named, defaults);
    let in_force = |text: &str| toml::Table::try_from(Config::parse(text).unwrap()).unwrap();
    assert_eq!(in_force(&text), in_force(""), "the file as it is installed changes nothing");
}

fn is_empty_table(value: &toml::Value) -> bool {
    value.as_table().is_some_and(toml::Table::is_empty)
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
    // The faults are numbered through; what a tenant may try has numbers of its own.
    let of_faults = cases.iter().take_while(|case| !case.starts_with('g')).count();
    assert_eq!((of_faults, cases.len()), (87, 108));
    for (number, case) in (1..).zip(&cases[..of_faults]).chain((1..).zip(&cases[of_faults..])) {
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
    matches!(word.as_bytes(), [b'a'..=b'g', one, two] if one.is_ascii_digit() && two.is_ascii_digit())
}

/// The rows of `docs/api.md` are those of `State::after`, each of them once.
#[test]
fn how_a_job_ends_is_told_as_it_is_decided() {
    let text = read("docs/api.md");
    let section = text.split("## How a job ends").nth(1).expect("docs/api.md says how a job ends");
    let rows: Vec<Vec<&str>> = section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let decided = [
        ("pre-flight", "nothing", Reached::Planning, true),
        ("staging", "is set aside", Reached::Staging, false),
        ("staging", "has been removed", Reached::Staging, true),
        ("change-over", "has been undone", Reached::ChangeOver, true),
        ("change-over", "could not be undone", Reached::ChangeOver, false),
    ];
    assert_eq!(rows.len(), decided.len());
    for (row, (phase, made, reached, cleared)) in rows.iter().zip(decided) {
        assert!(row[0].starts_with(phase) && row[1].starts_with(made), "{row:?}");
        let state = serde_json::to_value(State::after(reached, cleared)).unwrap();
        assert_eq!(row[2], state, "{row:?}");
        assert!(State::after(reached, cleared).is_final(), "{row:?}");
    }
    assert_eq!(State::after(Reached::Planning, false), State::Failed, "what made nothing has nothing to clear");
}
