//! The schema of requests and answers is the committed one, is complete, and is what `docs/api.md` says; and every list of the calls
//! that is kept by hand has all of them. `make schema` writes what is made.

use rocketvps_restore::api::request::Request;
use rocketvps_restore::api::schema;
use rocketvps_restore::cli::table::COMMANDS;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the tables of `docs/api.md` begin that are made of the schema.
const MADE: &str = "<!-- Made of docs/api.schema.json by `make schema`; write above this line. -->\n";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn is_written_anew() -> bool {
    std::env::var_os("RV_WRITE_SCHEMA").is_some()
}

fn definitions() -> Map<String, Value> {
    schema::document()["$defs"].as_object().unwrap().clone()
}

fn properties(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    definition["properties"].as_object().into_iter().flatten()
}

#[test]
fn the_committed_schema_is_what_the_types_make() {
    let fresh = schema::text();
    if is_written_anew() {
        std::fs::write(path("docs/api.schema.json"), &fresh).unwrap();
    }
    assert!(read("docs/api.schema.json") == fresh, "docs/api.schema.json is stale: run `make schema`");
}

#[test]
fn the_schema_is_a_schema_and_every_part_of_it_says_what_it_means() {
    let whole = schema::document();
    jsonschema::meta::validate(&whole).unwrap();
    let text = whole.to_string();
    for (name, definition) in &definitions() {
        assert!(definition["description"].is_string(), "{name} does not say what it is");
        assert!(text.contains(&format!("\"#/$defs/{name}\"")), "nothing refers to {name}");
        for (field, property) in properties(definition) {
            let said = property["description"].as_str().unwrap_or_default();
            assert!(said.len() > 5 || property["const"].is_string(), "{name}.{field} does not say what it means");
        }
    }
}

#[test]
fn the_helper_gives_the_schema() {
    let output = Command::new(env!("CARGO_BIN_EXE_rocketvps-restore")).args(["call", "schema"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), read("docs/api.schema.json"));
}

// --- docs/api.md ----------------------------------------------------------------------------------------------------

/// What a value may be, for people.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return format!("[{name}](#{})", name.to_ascii_lowercase());
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let one = |name: &str| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map to {}", kind(&schema["additionalProperties"]))
        }
        "null" => "`null`".to_owned(),
        "string" if schema["const"].is_string() => format!("`{}`", schema["const"].as_str().unwrap()),
        name => name.to_owned(),
    };
    match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().map(|name| one(name.as_str().unwrap())).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The tables of a type: its fields, or what it may be.
fn section(name: &str, definition: &Value) -> String {
    let mut out = format!("### {name}\n\n{}\n", definition["description"].as_str().unwrap());
    let required: Vec<&str> =
        definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = properties(definition).peekable();
    if rows.peek().is_some() {
        out += "\n| field | type | |\n|---|---|---|\n";
    }
    for (field, property) in rows {
        let said = property["description"].as_str().unwrap_or_default();
        let given = match &property["default"] {
            Value::Null => String::new(),
            default => format!(" By default `{default}`."),
        };
        let optional = if required.contains(&field.as_str()) { "" } else { ", optional" };
        let _ = writeln!(out, "| `{field}` | {}{optional} | {}{} |", kind(property), cell(said), cell(&given));
    }
    for choice in ["anyOf", "oneOf"].iter().flat_map(|list| definition[list].as_array().into_iter().flatten()) {
        let part = choice["properties"]["part"]["const"].as_str().map(|part| format!(" with `part` `{part}`"));
        let said = choice["description"].as_str().unwrap_or_default();
        let _ = writeln!(out, "\n* {}{}: {said}", kind(choice), part.unwrap_or_default());
    }
    out + "\n"
}

/// What is made of the schema.
fn made() -> String {
    let whole = schema::document();
    let mut out = String::from(
        "# Every field\n\nA field that is optional in a request may be left out, one that is optional in an answer may be missing. \
         The same as a schema for programs: `docs/api.schema.json`, or `rocketvps-restore call schema`.\n\n\
         | call | request | data |\n|---|---|---|\n",
    );
    for name in Request::NAMES {
        let call = &whole["properties"]["calls"]["properties"][*name]["properties"];
        let _ = writeln!(out, "| `{name}` | {} | {} |", kind(&call["request"]), kind(&call["data"]));
    }
    let _ = writeln!(
        out,
        "\nWhat `notify.command` and `notify.webhook` are told: {}, and of drills that failed {}. What a hook is told: {}.\n",
        kind(&whole["properties"]["notification"]),
        kind(&whole["properties"]["drill_notification"]),
        kind(&whole["properties"]["hook"])
    );
    for (name, definition) in &definitions() {
        out += &section(name, definition);
    }
    out.trim_end().to_owned() + "\n"
}

fn api_md() -> (String, String) {
    let text = read("docs/api.md");
    let (written, made) = text.split_once(MADE).expect("docs/api.md has the line above what is made");
    (written.to_owned(), made.to_owned())
}

#[test]
fn the_tables_of_fields_are_those_of_the_schema() {
    let fresh = format!("\n{}", made());
    if is_written_anew() {
        std::fs::write(path("docs/api.md"), format!("{}{MADE}{fresh}", api_md().0)).unwrap();
    }
    assert!(api_md().1 == fresh, "the tables of docs/api.md are stale: run `make schema`");
}

/// The words of a schema: names of fields, and what they may be.
fn words(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            found.extend(properties(schema).map(|(name, _)| name.clone()));
            found.extend(
                map.get("enum")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
            found.extend(map.get("const").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|inner| words(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| words(inner, found)),
        _ => {}
    }
}

/// What stands between backticks in the tables of a text.
fn named_in_tables(text: &str) -> BTreeSet<String> {
    let is_field = |word: &str| {
        word.split('.').all(|part| {
            part.starts_with(|letter: char| letter.is_ascii_lowercase())
                && part.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        })
    };
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let code = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    code.filter(|word| is_field(word)).flat_map(|word| word.split('.')).map(str::to_owned).collect()
}

#[test]
fn the_tables_that_are_written_name_fields_that_there_are() {
    let mut known = BTreeSet::new();
    words(&schema::document(), &mut known);
    // Of nginx and PHP-FPM files, of the database server, of keys of `of`, and what is meant by no field.
    let others = [
        "server",
        "location",
        "if",
        "upstream",
        "map",
        "max_allowed_packet",
        "local_infile",
        "latest",
        "null",
        "false",
        "true",
        "composer",
        "files",
    ];
    let unknown: Vec<String> = named_in_tables(&api_md().0)
        .into_iter()
        .filter(|word| !known.contains(word) && !others.contains(&word.as_str()))
        .collect();
    assert!(unknown.is_empty(), "docs/api.md names what no request and no answer has: {unknown:?}");
}

#[test]
fn every_field_of_the_schema_is_in_a_table() {
    let named = named_in_tables(&read("docs/api.md"));
    for (name, definition) in &definitions() {
        for (field, _) in properties(definition).filter(|(_, property)| property["const"].is_null()) {
            assert!(named.contains(field), "docs/api.md names {name}.{field} in no table");
        }
    }
}

// --- lists by hand --------------------------------------------------------------------------------------------------

fn calls() -> BTreeSet<String> {
    Request::NAMES.iter().map(|name| (*name).to_owned()).collect()
}

/// The names between `before` and the next thing that is no part of a name.
fn names_after(text: &str, before: &str) -> BTreeSet<String> {
    let name = |rest: &str| {
        rest.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect::<String>()
    };
    text.match_indices(before).map(|(at, _)| name(&text[at + before.len()..])).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_list_of_calls_has_all_of_them_and_no_other() {
    assert_eq!(Request::NAMES.len(), calls().len(), "no name is there twice");
    let own: BTreeSet<String> = ["abi_version", "version", "string_free"].map(str::to_owned).into();
    let functions = names_after(&read("src/ffi.rs"), "extern \"C\" fn rv_");
    assert_eq!(functions, &calls() | &own, "functions of src/ffi.rs");
    assert_eq!(names_after(&read("src/ffi.rs"), "boundary(\""), calls(), "what the functions of src/ffi.rs call");
    for function in calls() {
        let (of, call) = (format!("fn rv_{function}("), format!("boundary(\"{function}\""));
        let body = read("src/ffi.rs").split_once(&of).unwrap().1.split_once("\n}").unwrap().0.to_owned();
        assert!(body.contains(&call), "rv_{function} calls another");
    }
    let declared = names_after(&read("include/rocketvps_restore.h"), " *rv_");
    assert_eq!(declared, &calls() | &["version".to_owned()].into(), "include/rocketvps_restore.h");
    let documented: BTreeSet<String> = api_md()
        .0
        .split("| call |")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap()
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect();
    assert_eq!(documented, calls(), "the table of calls in docs/api.md");
    let commands = COMMANDS.iter().filter(|command| !command.call.is_empty());
    let mut commanded: BTreeSet<String> = commands.map(|command| command.call.to_owned()).collect();
    // `logs` with a job.
    commanded.insert("read_log".to_owned());
    assert_eq!(commanded, calls(), "the table of commands");
    // The list of the PHP class, as long as it has one.
    let php = read("bindings/php/RocketVpsRestore.php");
    if let Some((_, list)) = php.split_once("CALLS = [") {
        let list = list.split_once(']').unwrap().0;
        let listed: BTreeSet<String> = list.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(listed, calls(), "bindings/php/RocketVpsRestore.php");
    }
}
