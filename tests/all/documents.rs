//! The documents of every call, as callers see them, against `tests/fixtures/documents/`: names and kinds of all fields, and
//! the values that are the same on every machine. `RV_WRITE_DOCUMENTS=1` writes the expectations anew; what changes in them changes
//! for every caller, and belongs into CHANGELOG.md. Needs root and `scripts/install-deps.sh`.

use crate::world::{self, DOMAIN, World};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Fields whose whole numbers are the same on every machine, whatever the versions of its packages.
const THE_SAME: &[&str] = &[
    "both",
    "depth",
    "jobs",
    "kept",
    "kept_total",
    "learned_from",
    "limit",
    "line",
    "links",
    "next",
    "number",
    "objects",
    "offset",
    "parts",
    "schema",
    "snapshot",
    "stripped",
    "tables",
];
/// Lists that hold as much as a machine has: the first elements stand for all.
const SHOWN: usize = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents")
}

/// Where a moment, a job, a hash or any other number begins: what stands for it, and its length.
fn moving(text: &[u8]) -> Option<(&'static str, usize)> {
    let run = |from: usize, good: fn(&u8) -> bool| text[from..].iter().take_while(|byte| good(byte)).count();
    let digits = |from: usize| if from < text.len() { run(from, u8::is_ascii_digit) } else { 0 };
    let is = |at: usize, byte: u8| text.get(at) == Some(&byte);
    let hex = run(0, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hex >= 12 && text[..hex].iter().any(u8::is_ascii_digit) {
        return Some(("HEX", hex));
    }
    match digits(0) {
        0 => None,
        8 if is(8, b'_') && digits(9) == 6 => {
            let is_job = is(15, b'_') && text.len() >= 28 && text[16..28].iter().all(u8::is_ascii_hexdigit);
            Some(if is_job { ("JOB", 28) } else { ("STAMP", 15) })
        }
        4 if is(4, b'-') && digits(5) == 2 && is(10, b'T') => {
            let end =
                19 + run(19.min(text.len()), |byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b':' | b'Z'));
            Some(("MOMENT", end))
        }
        length => Some(("#", length + measured(&text[length..]))),
    }
}

/// What goes on with a number: its fraction, and the unit of a size.
fn measured(text: &[u8]) -> usize {
    let fraction = match text {
        [b'.', rest @ ..] => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let end = if fraction > 0 { fraction + 1 } else { 0 };
    end + match &text[end..] {
        [b' ', b'k' | b'M' | b'G' | b'T', b'B', ..] => 3,
        [b' ', b'B', ..] => 2,
        [b'B' | b'K' | b'M' | b'G' | b'T'] => 1,
        _ => 0,
    }
}

fn masked_text(text: &str, place: &str) -> String {
    let text = text.replace(place, "WORLD");
    let mut out = String::new();
    let mut at = 0;
    while at < text.len() {
        if let Some((mask, length)) = moving(&text.as_bytes()[at..]) {
            out.push_str(mask);
            at += length;
        } else {
            let letter = text[at..].chars().next().unwrap();
            out.push(letter);
            at += letter.len_utf8();
        }
    }
    out
}

fn masked(value: &Value, key: &str, place: &str) -> Value {
    match value {
        Value::String(text) => masked_text(text, place).into(),
        Value::Number(number) if number.is_f64() => "a fraction".into(),
        Value::Number(_) if !THE_SAME.contains(&key) => "a number".into(),
        Value::Array(list) => list.iter().take(SHOWN).map(|element| masked(element, key, place)).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, inner)| (name.clone(), masked(inner, name, place))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

struct Book {
    place: String,
    wrong: Vec<String>,
}

impl Book {
    /// Holds a document against the one in the folder.
    fn record(&mut self, name: &str, document: &Value) {
        let mut document = masked(document, "", &self.place);
        document.sort_all_objects();
        let shown = serde_json::to_string_pretty(&document).unwrap() + "\n";
        let path = folder().join(format!("{name}.json"));
        if std::env::var_os("RV_WRITE_DOCUMENTS").is_some() {
            std::fs::write(&path, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if shown != expected {
            let at = shown.lines().zip(expected.lines()).position(|(one, other)| one != other);
            let line = at.unwrap_or_else(|| shown.lines().count().min(expected.lines().count()));
            let of = |text: &str| text.lines().skip(line.saturating_sub(2)).take(6).collect::<Vec<_>>().join("\n");
            self.wrong.push(format!("{name}, line {}, expected:\n{}\nnow:\n{}", line + 1, of(&expected), of(&shown)));
        }
    }
}

impl Book {
    /// What was made within one second comes in any order: one element of each kind, in one order.
    fn sorted(&self, document: &Value, list: &str) -> Value {
        let mut elements: Vec<Value> =
            document["data"][list].as_array().unwrap().iter().map(|element| masked(element, "", &self.place)).collect();
        elements.sort_by_key(Value::to_string);
        elements.dedup();
        let mut document = document.clone();
        document["data"][list] = elements.into();
        document
    }
}

/// Which of the folders at the top is the largest depends on the WordPress of the machine.
fn by_name(mut preview: Value) -> Value {
    let folders = preview["data"]["files"]["top_folders"].as_array_mut().unwrap();
    folders.sort_by_key(|folder| folder["path"].to_string());
    preview
}

/// What a program was told; it is told after the job has ended.
fn notified(told: &Path) -> Value {
    let begun = Instant::now();
    loop {
        if let Some(notification) = std::fs::read(told).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
            return notification;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody was told");
        sleep(Duration::from_millis(20));
    }
}

/// A job as its worker would have left it at `state`, dead; `last` is the last record of its journal.
fn let_die(world: &World, job: &str, state: &str, last: Option<&str>) {
    let jobs = world.place().join("base/restore_jobs");
    let folder = jobs.join(job);
    let mut status: Value = serde_json::from_slice(&std::fs::read(folder.join("status.json")).unwrap()).unwrap();
    status["state"] = state.into();
    std::fs::write(folder.join("status.json"), status.to_string()).unwrap();
    let _ = std::fs::remove_file(folder.join("report.json"));
    match last {
        None => std::fs::remove_file(folder.join("journal")).unwrap(),
        Some(last) => {
            let journal = std::fs::read_to_string(folder.join("journal")).unwrap();
            let end = journal.lines().position(|line| line.contains(&format!("\"record\":\"{last}\""))).unwrap();
            let kept: Vec<&str> = journal.lines().take(end + 1).collect();
            std::fs::write(folder.join("journal"), kept.join("\n") + "\n").unwrap();
        }
    }
    std::fs::write(jobs.join(".locks").join(DOMAIN), format!("{job} 00000000")).unwrap();
}

#[test]
fn the_documents_of_every_call_are_those_that_callers_know() {
    let (world, _, _) = World::damaged();
    let archive = world.place().join("base/backups").join(DOMAIN);
    let mut book = Book { place: world.place().display().to_string(), wrong: Vec::new() };
    let ask = |name: &str, request: Value| world.document(name, &request);
    let domain = json!({"domain": DOMAIN});
    let waited = json!({"domain": DOMAIN, "wait": true});

    book.record("list_backups", &ask("list_backups", domain.clone()));
    book.record("preview_backup", &by_name(ask("preview_backup", waited.clone())));
    book.record("preview_backup_known", &by_name(ask("preview_backup", domain.clone())));
    let tree = json!({"domain": DOMAIN, "tree": {"path": "wp-content/", "depth": 2, "offset": 1, "limit": 2}});
    book.record("preview_backup_tree", &by_name(ask("preview_backup", tree)));
    let compared = ask("diff_backup", json!({"domain": DOMAIN, "wait": true, "limit": 3}));
    book.record("diff_backup", &compared);
    for part in ["files", "tables", "config"] {
        let page = json!({"job": compared["data"]["job"], "part": part, "offset": 1, "limit": 2});
        book.record(&format!("diff_backup_page_of_{part}"), &ask("diff_backup", page));
    }
    let some = json!({"domain": DOMAIN, "wait": true, "details": false, "components": {"files": ["*.php"]}});
    book.record("diff_backup_of_some", &ask("diff_backup", some));
    book.record("validate", &ask("validate", waited.clone()));
    let begun = ask("validate", domain.clone());
    book.record("a_job_begun", &begun);
    world.await_end(begun["data"]["job"].as_str().unwrap());
    book.record("restore_cancel", &ask("restore_cancel", json!({"job": begun["data"]["job"]})));
    book.record("create_snapshot", &ask("create_snapshot", waited.clone()));
    let dry = json!({"domain": DOMAIN, "wait": true, "dry_run": true, "components": {"config": true}});
    book.record("restore_start_dry_run", &ask("restore_start", dry));
    book.record("rehearse", &ask("rehearse", waited.clone()));
    let restored = ask("restore_start", waited.clone());
    book.record("restore_start", &restored);
    book.record("verify", &ask("verify", waited.clone()));
    let job = restored["data"]["job"].as_str().unwrap().to_owned();
    let status = ask("restore_poll", json!({"job": job}));
    book.record("restore_poll", &status);
    book.record("rollback", &ask("rollback", json!({"domain": DOMAIN, "job": job, "wait": true})));
    let told = world.place().join("told.json");
    let notify = json!({"notify": {"command": format!("tee {}", told.display())}});
    let config = json!({"file": world.place().join("restore.toml"), "set": notify});
    ask("restore_start", json!({"config": config, "domain": DOMAIN, "wait": true, "components": {"config": true}}));
    let notification = notified(&told);
    world::schema::hold_notification(&notification);
    book.record("notification", &notification);
    let parts = json!({"domain": DOMAIN, "wait": true, "exclude": {"database": ["wp_options"]},
                       "components": {"files": ["wp-content/plugins/"], "database": ["wp_*"]}});
    book.record("restore_start_of_some", &ask("restore_start", parts));

    let_die(&world, &job, "staging", None);
    book.record("recover", &ask("recover", waited));
    book.record("restore_poll_of_a_job_that_died", &ask("restore_poll", json!({"job": job})));
    let standing = ask("restore_start", json!({"domain": DOMAIN, "wait": true, "components": {"config": true}}));
    let job = standing["data"]["job"].as_str().unwrap().to_owned();
    let_die(&world, &job, "checking", Some("committed"));
    book.record("recover_one", &ask("recover", json!({"wait": true, "domain": DOMAIN})));
    book.record("restore_poll_of_a_job_that_was_finished", &ask("restore_poll", json!({"job": job})));
    let_die(&world, &job, "checking", Some("closed"));
    ask("recover", json!({"wait": true}));
    book.record("restore_poll_of_a_job_that_had_ended", &ask("restore_poll", json!({"job": job})));

    let snapshots = ask("list_snapshots", domain.clone());
    let shown = book.sorted(&snapshots, "snapshots");
    book.record("list_snapshots", &shown);
    let snapshot = &snapshots["data"]["snapshots"][0]["path"];
    book.record(
        "delete_snapshot",
        &ask("delete_snapshot", json!({"domain": DOMAIN, "snapshot": snapshot, "wait": true})),
    );
    std::fs::create_dir_all(world.place().join("web/.rocketvps-restore/20200101_000000_0123456789ab/tree")).unwrap();
    book.record("cleanup", &ask("cleanup", json!({"wait": true})));
    book.record("list_domains", &ask("list_domains", json!({})));
    let mut jobs = ask("list_jobs", domain.clone());
    // Those of one second come in any order.
    jobs["data"]["jobs"].as_array_mut().unwrap().retain(|job| job["kind"] == "rollback");
    book.record("list_jobs", &jobs);
    let logs = ask("list_logs", json!({}));
    let name = logs["data"]["logs"][0]["name"].clone();
    book.record("list_logs", &book.sorted(&logs, "logs"));
    let mut log = ask("read_log", json!({"domain": DOMAIN, "name": name}));
    assert!(log["data"]["text"].as_str().unwrap().len() as u64 == log["data"]["size"], "{log}");
    (log["data"]["text"], log["data"]["size"]) = (json!("lines"), json!(6));
    book.record("read_log", &log);

    for (name, call, request) in [
        ("error_unknown_field", "list_backups", r#"{"domain":"a.com","domian":1}"#),
        ("error_unknown_field_inside", "restore_start", "{\"domain\":\"a.com\",\n \"options\":{\"exakt\":true}}"),
        ("error_bad_request", "list_backups", r#"{"domain":1}"#),
        ("error_missing_field", "list_backups", "{}"),
        ("error_two_of_a_field", "list_backups", r#"{"domain":"a.com","domain":"b.com"}"#),
        ("error_cut_short", "list_backups", r#"{"domain":"#),
        ("error_no_backup", "validate", r#"{"domain":"shop.example","backup":"/nowhere/x.tar.gz","wait":true}"#),
        ("error_job_not_found", "restore_poll", r#"{"job":"20200101_000000_0123456789ab"}"#),
        ("error_usage", "fly", "{}"),
    ] {
        let output = world.helper_text(call, request);
        book.record(name, &serde_json::from_slice(&output.stdout).unwrap());
    }
    // By its name: without one the newest that can be read would be taken.
    let damaged = archive.join("backup_20991231_235959.tar.gz");
    std::fs::write(&damaged, b"\x1f\x8bno").unwrap();
    let named = json!({"domain": DOMAIN, "backup": damaged, "wait": true});
    book.record("error_of_a_job", &ask("validate", named.clone()));
    book.record("error_of_a_restore", &ask("restore_start", named));
    assert!(book.wrong.is_empty(), "{}", book.wrong.join("\n\n"));
}
