//! The database: what the dump holds against what is live. Rows are counted, not compared.

use super::lines;
use super::pages::Pages;
use crate::backup::scan::{DumpScan, TableTally};
use crate::backup::source::Source;
use crate::engine::preflight::plan_token::{LiveDatabase, LiveTable};
use crate::engine::stage;
use crate::error::{Code, Result};
use crate::host::database::{Database, Object, ObjectKind};
use crate::plan::selection::{Selection, Tables};
use crate::sql::shape::shape;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Both sides of a database.
pub struct Sides<'a> {
    /// The backup.
    pub source: &'a Source,
    /// The dump.
    pub dump: &'a DumpScan,
    /// The CREATE TABLE texts of the dump, as far as they are known.
    pub texts: &'a HashMap<String, String>,
    /// The live side.
    pub live: &'a LiveDatabase,
    /// The live server.
    pub server: &'a dyn Database,
    /// The writer of the dump dumps every table: one that the dump lacks did not exist.
    pub complete: bool,
}

#[derive(Default)]
struct Counts {
    added: u64,
    changed: u64,
    removed: u64,
    same: u64,
    kept: u64,
    rows_backup: u64,
    rows_live: u64,
    /// Every live table was counted.
    exact: bool,
}

/// Compares; entries go to `pages`, tables that stay the same left out.
///
/// # Errors
/// `database_unreachable`, `io_failed`, `disk_full`.
pub fn changes(sides: &Sides<'_>, selection: &Selection, mut pages: Pages) -> Result<Value> {
    let chosen = selection.tables()?;
    let coming: BTreeMap<&str, &TableTally> = sides
        .dump
        .tables
        .iter()
        .filter(|table| chosen.takes(&table.name))
        .map(|table| (table.name.as_str(), table))
        .collect();
    stage::require_used("database", chosen.only.as_ref().map(|only| only.unused()).unwrap_or_default(), sides.source)?;
    let live: BTreeMap<&str, &LiveTable> = sides.live.tables.iter().map(|table| (table.name.as_str(), table)).collect();
    let leaving = leaving(sides, &chosen, &live, &coming, selection.exact);
    let mut counts = Counts { exact: true, ..Counts::default() };
    let names: BTreeSet<&str> = live.keys().chain(coming.keys()).copied().collect();
    for name in names {
        let (backup, now) = (coming.get(name).copied(), live.get(name).copied());
        let entry = match (backup, now) {
            (Some(backup), None) => {
                counts.added += 1;
                counts.rows_backup += backup.rows;
                table_entry(name, "added", Some(backup), None)
            }
            (None, Some(now)) if leaving.contains(name) => {
                counts.removed += 1;
                counts.rows_live += now.rows;
                counts.exact &= now.exact;
                table_entry(name, "removed", None, Some(now))
            }
            (None, Some(now)) => {
                // A table that nobody selected is no part of the comparison.
                if chosen.only.as_ref().is_some_and(|only| !only.covers(name)) {
                    continue;
                }
                counts.kept += 1;
                let mut entry = table_entry(name, "kept", None, Some(now));
                entry["why"] = json!(why_kept(name, &chosen));
                entry
            }
            (Some(backup), Some(now)) => {
                counts.rows_backup += backup.rows;
                counts.rows_live += now.rows;
                counts.exact &= now.exact;
                let definition = definition(sides, name, backup)?;
                let equal_definition = definition.as_ref().is_none_or(|lines| lines.shown.is_empty());
                if backup.rows == now.rows && equal_definition {
                    counts.same += 1;
                    continue;
                }
                counts.changed += 1;
                let mut entry = table_entry(name, "changed", Some(backup), Some(now));
                entry["definition"] = match definition {
                    None => json!("not_compared"),
                    Some(lines) if lines.shown.is_empty() => json!("same"),
                    Some(lines) => json!({"diff": lines.shown, "more_lines": lines.more}),
                };
                entry
            }
            (None, None) => continue,
        };
        pages.push(entry)?;
    }
    let objects = if selection.database.is_whole() { objects(sides, &leaving, &mut pages)? } else { Value::Null };
    let (total, entries) = pages.finish()?;
    Ok(json!({
        "schema": sides.live.schema,
        "dump": sides.dump.name,
        "added": counts.added,
        "changed": counts.changed,
        "removed": counts.removed,
        "same": counts.same,
        "kept": counts.kept,
        "rows": {"backup": counts.rows_backup, "live": counts.rows_live, "exact": counts.exact},
        "compared_by": "number of rows and definition",
        "objects": objects,
        "total": total,
        "entries": entries,
    }))
}

fn leaving(
    sides: &Sides<'_>,
    chosen: &Tables,
    live: &BTreeMap<&str, &LiveTable>,
    coming: &BTreeMap<&str, &TableTally>,
    exact: bool,
) -> BTreeSet<String> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let (live, coming) = (owned(live.keys().copied().collect()), owned(coming.keys().copied().collect()));
    chosen.leaving(&live, &coming, sides.complete, exact).into_iter().collect()
}

fn why_kept(name: &str, chosen: &Tables) -> &'static str {
    if chosen.exclude.covers(name) {
        "the request excludes it"
    } else if chosen.only.is_some() {
        "it is selected, and not in the backup"
    } else {
        "tables are left out of this kind of backup"
    }
}

fn table_entry(name: &str, change: &str, backup: Option<&TableTally>, live: Option<&LiveTable>) -> Value {
    let mut entry = json!({"kind": "table", "name": name, "change": change, "rows": {}});
    if let Some(backup) = backup {
        entry["rows"]["backup"] = json!(backup.rows);
    }
    if let Some(live) = live {
        entry["rows"]["live"] = json!(live.rows);
        entry["rows"]["exact"] = json!(live.exact);
        entry["bytes_live"] = json!(live.bytes);
    }
    entry
}

/// How the definitions differ; `None` when one of them is not known.
fn definition(sides: &Sides<'_>, name: &str, backup: &TableTally) -> Result<Option<lines::Lines>> {
    let Some(text) = backup.create.as_ref().or_else(|| sides.texts.get(name)) else { return Ok(None) };
    let now = match sides.server.table_text(&sides.live.schema, name) {
        Ok(now) => now,
        // Damaged, or gone since.
        Err(error) if error.code == Code::DatabaseFailed => return Ok(None),
        Err(error) => return Err(error),
    };
    let (now, backup) = (shape(&now), shape(text));
    let both: [Vec<&str>; 2] = [&now, &backup].map(|lines| lines.iter().map(String::as_str).collect());
    Ok(Some(lines::compare(&both[0], &both[1], &now, &backup, 0)))
}

/// Views, routines, triggers and events, by name. A trigger goes with its table; what else the dump lacks goes only where the
/// dump holds everything.
fn objects(sides: &Sides<'_>, leaving: &BTreeSet<String>, pages: &mut Pages) -> Result<Value> {
    let word = |kind: ObjectKind| kind.keyword().to_ascii_lowercase();
    let backup: BTreeSet<(String, &str)> =
        sides.dump.object_list.iter().map(|object| (word(object.kind), object.name.as_str())).collect();
    let live: BTreeMap<(String, &str), &Object> =
        sides.live.objects.0.iter().map(|object| ((word(object.kind), object.name.as_str()), object)).collect();
    let names: BTreeSet<&(String, &str)> = backup.iter().chain(live.keys()).collect();
    // Names beyond the kept ones are not known: then nothing can be said of what the dump lacks.
    let all_known = sides.dump.objects <= sides.dump.object_list.len() as u64;
    let (mut added, mut removed, mut kept, mut both) = (0_u64, 0_u64, 0_u64, 0_u64);
    for object in names {
        let (kind, name) = object;
        let goes = |object: &Object| match object.kind {
            ObjectKind::Trigger => leaving.contains(&object.table),
            _ => sides.complete,
        };
        let change = match (backup.contains(object), live.get(object)) {
            (true, Some(_)) => {
                both += 1;
                continue;
            }
            (true, None) => {
                added += 1;
                "added"
            }
            (false, Some(object)) if !goes(object) => {
                kept += 1;
                "kept"
            }
            (false, _) if !all_known => continue,
            (false, _) => {
                removed += 1;
                "removed"
            }
        };
        pages.push(json!({"kind": kind, "name": name, "change": change}))?;
    }
    Ok(json!({"added": added, "removed": removed, "kept": kept, "both": both, "compared_by": "name"}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;
    use crate::backup::layout::Site;
    use crate::backup::scan::ObjectFound;
    use crate::backup::source::Form;
    use crate::host::database::Objects;
    use crate::host::database::fake::Fake;
    use crate::job::folder::{JobFolder, file};

    fn live(name: &str, rows: u64) -> LiveTable {
        LiveTable { name: name.into(), rows, exact: rows < 1_000_000, ..LiveTable::default() }
    }

    fn compared(request: &str, complete: bool) -> (Value, Vec<Value>) {
        let request: api::Restore = api::parse(&format!(r#"{{"domain":"a.com",{request}}}"#)).unwrap();
        let selection = Selection::of(&request).unwrap();
        let fake = Fake::new();
        for table in ["same", "rows", "shape", "odd `name`", "big"] {
            fake.put_table("shop", table, 1, 1);
        }
        let table = |name: &str, rows| {
            let create = fake.table_text("shop", name).ok().map(|text| text.replace('\n', " "));
            TableTally { name: name.into(), rows, create, ..TableTally::default() }
        };
        let mut shape = table("shape", 1);
        shape.create = shape.create.map(|text| text.replace("`id` int(11) NOT NULL", "`id` bigint(20) NOT NULL"));
        let tables = vec![
            table("same", 1),
            table("rows", 5),
            shape,
            table("new\ntable", 7),
            table("odd `name`", 2),
            table("big", 2_000_000),
        ];
        let object = |kind, name: &str| ObjectFound { kind, name: name.into() };
        let list = vec![object(ObjectKind::View, "both"), object(ObjectKind::Trigger, "new")];
        let dump = DumpScan { tables, objects: 2, object_list: list, complete: true, ..DumpScan::default() };
        let old = |kind, name: &str| Object {
            kind,
            name: name.into(),
            table: String::new(),
            create: String::new(),
            sql_mode: String::new(),
            charset: String::new(),
            collation: String::new(),
            time_zone: String::new(),
        };
        let database = LiveDatabase {
            schema: "shop".into(),
            tables: [("big", 2_000_000), ("odd `name`", 2), ("only live", 9), ("rows", 3), ("same", 1), ("shape", 1)]
                .map(|(name, rows)| live(name, rows))
                .into(),
            objects: Objects(vec![old(ObjectKind::View, "both"), old(ObjectKind::Event, "old")]),
            ..LiveDatabase::default()
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(file::TICKET), "{}").unwrap();
        let job = JobFolder::at(folder.path()).unwrap();
        let pages = Pages::create(&job, api::Part::Tables, 100).unwrap();
        let site = Site::new(&crate::config::Config::default(), &request.domain);
        let (form, kind, path) = (Form::Backup, crate::backup::name::Kind::Full, "/backup.tar.gz".into());
        let source = Source { form, path, stamp: None, kind, parts: Vec::new(), layout: None, site };
        let sides =
            Sides { source: &source, dump: &dump, texts: &HashMap::new(), live: &database, server: &fake, complete };
        let found = changes(&sides, &selection, pages).unwrap();
        let entries = found["entries"].as_array().unwrap().clone();
        (found, entries)
    }

    fn changed(entries: &[Value]) -> Vec<String> {
        let line = |entry: &Value| format!("{} {}", entry["change"].as_str().unwrap(), entry["name"].as_str().unwrap());
        entries.iter().map(line).collect()
    }

    #[test]
    fn tables_are_added_removed_and_changed_by_rows_or_definition() {
        let (found, entries) = compared(r#""backup":"latest""#, true);
        assert_eq!(
            changed(&entries),
            ["added new\ntable", "removed only live", "changed rows", "changed shape", "removed old", "added new"]
        );
        assert_eq!(entries[2]["rows"], json!({"backup": 5, "live": 3, "exact": true}));
        assert_eq!(entries[2]["definition"], "same");
        assert_eq!(entries[3]["definition"]["diff"], json!(["-`id` int(11) NOT NULL", "+`id` bigint(20) NOT NULL"]));
        assert_eq!((&found["same"], &found["removed"]), (&json!(3), &json!(1)));
        assert_eq!(found["rows"], json!({"backup": 2_000_016, "live": 2_000_016, "exact": false}));
        assert_eq!(found["objects"], json!({"added": 1, "removed": 1, "kept": 0, "both": 1, "compared_by": "name"}));
    }

    #[test]
    fn what_an_incomplete_dump_cannot_know_is_kept_unless_exact() {
        let (_, entries) = compared(r#""backup":"latest""#, false);
        assert!(changed(&entries).contains(&"kept only live".to_owned()));
        assert!(changed(&entries).contains(&"kept old".to_owned()));
        let (_, entries) = compared(r#""options":{"exact":true}"#, false);
        assert!(changed(&entries).contains(&"removed only live".to_owned()));
    }

    #[test]
    fn only_selected_tables_are_compared() {
        let (found, entries) = compared(r#""components":{"database":["odd `name`","r*","same"],"files":false}"#, true);
        assert_eq!(changed(&entries), ["changed rows"]);
        assert_eq!((&found["same"], &found["objects"]), (&json!(2), &Value::Null));
        let (_, entries) = compared(r#""exclude":{"database":["rows","only live"]}"#, true);
        assert!(changed(&entries).contains(&"kept rows".to_owned()));
        assert!(changed(&entries).contains(&"kept only live".to_owned()));
    }
}
