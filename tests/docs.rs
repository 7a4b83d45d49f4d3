//! What the documents name exists: paths, make targets, calls, commands. What exists is in the man page and the completion.

use rocketvps_restore::cli::command::{COMMANDS, FLAGS, VALUED};
use rocketvps_restore::config::{Config, Site};
use rocketvps_restore::error::Code;
use rocketvps_restore::job::State;
use rocketvps_restore::job::ending::Reached;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/api.md",
    "docs/performance.md",
    "docs/user-guide.md",
];
/// Options of every command; the rest is in the tables.
const GENERAL: [&str; 8] = ["abi", "config", "field", "help", "json", "set", "tsv", "version"];

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
            assert!(is_call(word) || is_command(word), "{document}: rocketvps-restore {word}");
        }
    }
}

fn is_call(word: &str) -> bool {
    rocketvps_restore::call::NAMES.contains(&word) || ["worker", "version", "abi_version", "schema"].contains(&word)
}

/// `wait` is a command in all but name: its answer is JSON.
fn is_command(word: &str) -> bool {
    word == "wait" || COMMANDS.iter().any(|command| command.name == word)
}

fn command_names() -> BTreeSet<String> {
    COMMANDS.iter().map(|command| command.name.to_owned()).chain(["wait".to_owned()]).collect()
}

/// `--exclude-path` of a text, without the dashes before it.
fn options_in(text: &str) -> BTreeSet<String> {
    let is_inside = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    text.split(|letter: char| !is_inside(letter))
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The man page without its escapes, and the part of it from one heading to the next of the same kind.
fn man_page() -> String {
    read("docs/man/rocketvps-restore.1")
        .replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fP", "")
        .replace("\\fR", "")
}

fn part<'a>(page: &'a str, heading: &str) -> &'a str {
    let kind = format!("\n{}", &heading[..4]);
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("the man page has no {heading}"));
    let body = &page[start + 1 + heading.len()..];
    body.find(&kind).map_or(body, |end| &body[..end])
}

/// Entries of a part of the man page: the first word of each, and its text.
fn entries(part: &str) -> Vec<(&str, &str)> {
    let entries = part.split("\n.TP").skip(1).map(|entry| entry.split("\n.SS").next().unwrap_or_default());
    entries
        .map(|entry| {
            let line = entry.lines().nth(1).unwrap_or_default();
            (line.split([' ', ',']).nth(1).unwrap_or_default(), entry)
        })
        .collect()
}

#[test]
fn the_man_page_has_every_command_with_its_options_and_no_other() {
    let page = man_page();
    let commands = entries(part(&page, ".SH COMMANDS"));
    let named: Vec<String> = commands.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), command_names());
    assert_eq!(named.len(), command_names().len());
    let selection = options_in(part(&page, ".SS Selection"));
    for (name, text) in commands {
        let wanted = COMMANDS.iter().find(|command| command.name == name).map_or(&[][..], |command| command.options);
        let mut found = options_in(text);
        if text.contains("the selection options") {
            found.extend(selection.iter().cloned());
        }
        assert_eq!(found, wanted.iter().map(|option| (*option).to_owned()).collect(), "{name}");
    }
    for line in page.lines().filter_map(|line| line.split_once("rocketvps-restore ").map(|(_, rest)| rest)) {
        let word = line.split(' ').next().unwrap_or_default();
        let is_name = word.chars().all(|letter| letter.is_ascii_lowercase() || matches!(letter, '-' | '_'));
        assert!(!is_name || word == "-" || is_command(word) || is_call(word), "the man page calls {word}");
    }
}

#[test]
fn the_man_page_explains_every_option_once() {
    let page = man_page();
    let of_commands: BTreeSet<String> =
        FLAGS.iter().copied().chain(VALUED.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
    let general = GENERAL.map(str::to_owned).into();
    for (heading, wanted) in [(".SH OPTIONS OF COMMANDS", of_commands), (".SH OPTIONS", general)] {
        let explained: Vec<String> = entries(part(&page, heading))
            .iter()
            .flat_map(|(_, text)| options_in(text.lines().nth(1).unwrap_or_default()))
            .collect();
        assert_eq!(explained.iter().cloned().collect::<BTreeSet<_>>(), wanted, "{heading}");
        assert_eq!(explained.len(), wanted.len(), "{heading}: one is explained twice");
    }
    for (name, value) in VALUED {
        assert!(page.contains(&format!(".BI --{name} \" {value}\"")), "--{name} {value}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_rocketvps-restore")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, rest) = help.split_once("\nOptions:\n").unwrap();
    let (general, _) = rest.split_once("\nCalls:").unwrap();
    assert_eq!(options_in(general), GENERAL.map(str::to_owned).into(), "options that --help names");
}

#[test]
fn the_man_page_and_the_reference_have_every_exit_code() {
    let page = man_page();
    let codes = entries(part(&page, ".SH EXIT STATUS"));
    let reference = read("docs/api.md");
    for (code, (number, text)) in Code::ALL.iter().zip(&codes) {
        let mut lines = text.lines().skip(1);
        assert_eq!(lines.next(), Some(format!(".B {} {}", code.number(), code.name()).as_str()));
        assert_eq!(*number, code.number().to_string());
        let row = format!("| `{}` | {number} | {} |", code.name(), lines.collect::<Vec<_>>().join(" "));
        assert!(reference.contains(&row), "docs/api.md has no row {row}");
    }
    assert_eq!(codes.len(), Code::ALL.len());
    assert_eq!(reference.lines().filter(|line| is_code_row(line)).count(), Code::ALL.len());
}

/// ``| `name` | number | …``
fn is_code_row(line: &str) -> bool {
    let mut cells = line.split('|').map(str::trim).skip(1);
    cells.next().is_some_and(|name| name.starts_with('`')) && cells.next().is_some_and(|n| n.parse::<u8>().is_ok())
}

/// What is offered behind these words, the last of which is being typed.
fn offered(words: &[&str]) -> BTreeSet<String> {
    let script = r#"source shell/completion/rocketvps-restore.bash
        COMP_WORDS=(rocketvps-restore "$@"); COMP_CWORD=$#
        _rocketvps_restore /nonexistent/rocketvps-restore
        ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}""#;
    let output = Command::new("bash")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--norc", "-c", script, "completion"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_completion_offers_every_command_with_its_options_and_no_other() {
    assert_eq!(offered(&[""]), command_names());
    for name in command_names() {
        let own = COMMANDS.iter().find(|command| command.name == name).map_or(&[][..], |command| command.options);
        let wanted = own.iter().copied().chain(GENERAL).map(|option| format!("--{option}")).collect();
        assert_eq!(offered(&[&name, "x", "--"]), wanted, "{name}");
    }
    for (name, _) in VALUED.iter().chain(&[("config", ""), ("set", ""), ("field", ""), ("tsv", ""), ("abi", "")]) {
        assert_eq!(offered(&[&format!("--{name}"), "value", ""]), command_names(), "--{name} has a value");
    }
    for name in FLAGS {
        assert_eq!(offered(&[&format!("--{name}"), ""]), command_names(), "--{name} has no value");
    }
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
    assert_eq!((of_faults, cases.len()), (86, 107));
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
