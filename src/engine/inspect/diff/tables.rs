//! The database: compares the tables and objects of the dump with the live ones. Rows are counted here; [`super::rows`] compares them.

use super::lines;
use super::pages::Pages;
use super::rows::{Outcome, Outcomes};
use crate::api::answer::comparison::{
    Change, Counts, Definition, DefinitionDiff, DefinitionWord, ObjectCounts, RowCounts, RowSums, TableChanges,
    TableEntry, TableKind,
};
use crate::backup::scan::{DumpScan, TableTally};
use crate::backup::source::Source;
use crate::engine::preflight::plan_token::{LiveDatabase, LiveTable};
use crate::engine::unused::require_used;
use crate::error::{Code, Result};
use crate::host::database::{Database, Object, ObjectKind};
use crate::plan::selection::{Selection, Tables};
use crate::sql::compat::adapt::adapt;
use crate::sql::compat::{Actions, ServerFacts, default_collation};
use crate::sql::lexer::{Item, Lexer};
use crate::sql::meaning::meaning;
use crate::sql::shape::shape;
use crate::sql::token::Quoting;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const BY_NUMBER: &str = "number of rows and definition";
const BY_ROWS: &str = "rows and definition";

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
    /// The facts about the live server; `None` if it does not give them.
    pub facts: Option<ServerFacts>,
    /// The writer of the dump dumps every table: one that the dump lacks did not exist.
    pub complete: bool,
    /// What was found of their rows, by table; `None` where they were not compared.
    pub rows: Option<&'a Outcomes>,
}

/// Compares; entries go to `pages`, tables that stay the same left out.
///
/// # Errors
/// `database_unreachable`, `io_failed`, `disk_full`.
pub fn changes(sides: &Sides<'_>, selection: &Selection, mut pages: Pages<TableEntry>) -> Result<TableChanges> {
    let chosen = selection.tables()?;
    let coming: BTreeMap<&str, &TableTally> = sides
        .dump
        .tables
        .iter()
        .filter(|table| chosen.takes(&table.name))
        .map(|table| (table.name.as_str(), table))
        .collect();
    // Sequences and views are no tables of the comparison, and may be named.
    sides.dump.selectable().for_each(|name| {
        chosen.takes(name);
    });
    require_used("database", chosen.only.as_ref().map(|only| only.unused()).unwrap_or_default(), sides.source)?;
    let live: BTreeMap<&str, &LiveTable> = sides.live.tables.iter().map(|table| (table.name.as_str(), table)).collect();
    let leaving = leaving(sides, &chosen, &live, &coming, selection.exact);
    let mut counts = Counts::default();
    let mut rows = RowSums { backup: 0, live: 0, exact: true };
    let names: BTreeSet<&str> = live.keys().chain(coming.keys()).copied().collect();
    for name in names {
        let (backup, now) = (coming.get(name).copied(), live.get(name).copied());
        let entry = match (backup, now) {
            (Some(_), None) => table(name, Change::Added, backup, now),
            // The number from which a sequence goes on is no content.
            (None, Some(_)) if sides.dump.sequences.contains_key(name) && chosen.takes(name) => {
                let definition = Some(Definition::Word(DefinitionWord::NotCompared));
                TableEntry { definition, ..table(name, Change::Same, backup, now) }
            }
            (None, Some(counted)) if leaving.contains(name) && counted.damage.is_empty() => {
                table(name, Change::Removed, backup, now)
            }
            (None, Some(counted)) => {
                // A table that nobody selected is no part of the comparison.
                if chosen.only.as_ref().is_some_and(|only| !only.covers(name)) {
                    continue;
                }
                TableEntry {
                    why: Some(why_kept(counted, &chosen, sides.dump.complete).to_owned()),
                    ..table(name, Change::Kept, backup, now)
                }
            }
            (Some(dumped), Some(counted)) => {
                let definition = definition(sides, name, dumped)?;
                let found = sides.rows.and_then(|rows| rows.get(name));
                let rows_are_same = match found {
                    Some(Outcome::Compared(changes)) => changes.added + changes.changed + changes.removed == 0,
                    _ => dumped.rows == counted.rows,
                };
                let is_same = rows_are_same && !matches!(definition, Definition::Differs(_));
                let change = if is_same { Change::Same } else { Change::Changed };
                let (row_changes, rows_not_compared) = match found {
                    Some(Outcome::Compared(changes)) => (Some(*changes), None),
                    Some(Outcome::NotCompared(why)) => (None, Some(why.clone())),
                    None => (None, None),
                };
                let definition = Some(definition);
                TableEntry { definition, row_changes, rows_not_compared, ..table(name, change, backup, now) }
            }
            (None, None) => continue,
        };
        counts.count(entry.change);
        if entry.change != Change::Kept {
            rows.backup += backup.map_or(0, |table| table.rows);
            rows.live += now.map_or(0, |table| table.rows);
            rows.exact &= now.is_none_or(|table| table.exact);
        }
        if entry.change != Change::Same || entry.rows_not_compared.is_some() {
            pages.push(entry)?;
        }
    }
    let objects = if selection.database.is_whole() {
        Some(objects(sides, &chosen, (&leaving, selection.exact), &mut pages)?)
    } else {
        None
    };
    let (total, entries) = pages.finish()?;
    Ok(TableChanges {
        schema: sides.live.schema.clone(),
        dump: sides.dump.name.clone(),
        tables: counts,
        rows,
        kept_rows: Vec::new(),
        compared_by: if sides.rows.is_some() { BY_ROWS } else { BY_NUMBER }.to_owned(),
        objects,
        total,
        entries,
    })
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

fn why_kept(table: &LiveTable, chosen: &Tables, whole: bool) -> &'static str {
    if chosen.exclude.covers(&table.name) {
        "the request excludes it"
    } else if chosen.only.is_some() {
        "it is selected, and not in the backup"
    } else if !table.damage.is_empty() {
        "it is damaged: the server cannot open it"
    } else if !whole {
        "the dump may be cut"
    } else {
        "tables are left out of this kind of backup"
    }
}

fn table(name: &str, change: Change, backup: Option<&TableTally>, live: Option<&LiveTable>) -> TableEntry {
    let rows = RowCounts {
        backup: backup.map(|table| table.rows),
        live: live.map(|table| table.rows),
        exact: live.map(|table| table.exact),
    };
    TableEntry { rows: Some(rows), bytes_live: live.map(|table| table.bytes), ..entry(TableKind::Table, name, change) }
}

fn entry(kind: TableKind, name: &str, change: Change) -> TableEntry {
    TableEntry {
        kind,
        name: name.to_owned(),
        change,
        rows: None,
        bytes_live: None,
        why: None,
        definition: None,
        row_changes: None,
        rows_not_compared: None,
    }
}

/// The difference of the definitions.
fn definition(sides: &Sides<'_>, name: &str, backup: &TableTally) -> Result<Definition> {
    let not_compared = Definition::Word(DefinitionWord::NotCompared);
    let Some(text) = backup.create.as_ref().or_else(|| sides.texts.get(name)) else { return Ok(not_compared) };
    let now = match sides.server.table_text(&sides.live.schema, name) {
        Ok(now) => now,
        // The table is damaged, or gone since.
        Err(error) if error.code == Code::DatabaseFailed => return Ok(not_compared),
        Err(error) => return Err(error),
    };
    let text = as_read(text, sides);
    let (now, backup) = (shape(&now), shape(&text));
    let means = |lines: &[String]| lines.iter().map(|line| meaning(line)).collect::<Vec<_>>();
    if means(&now) == means(&backup) {
        return Ok(Definition::Word(DefinitionWord::Same));
    }
    let both: [Vec<&str>; 2] = [&now, &backup].map(|lines| lines.iter().map(String::as_str).collect());
    let found = lines::compare(&both[0], &both[1], &now, &backup, 0);
    if found.shown.is_empty() {
        return Ok(Definition::Word(DefinitionWord::Same));
    }
    Ok(Definition::Differs(DefinitionDiff { diff: found.shown, more_lines: found.more as u64 }))
}

/// A CREATE TABLE of the dump as the live server would be given it.
fn as_read<'a>(text: &'a str, sides: &Sides<'_>) -> Cow<'a, str> {
    let Some(facts) = &sides.facts else { return Cow::Borrowed(text) };
    let whole = [text, ";"].concat();
    let mut lexer = Lexer::new(whole.as_bytes(), facts.dialect(), u64::MAX);
    let Ok(Some(Item::Statement { text: plain, .. })) = lexer.next_item() else { return Cow::Borrowed(text) };
    let plain = String::from_utf8_lossy(&plain).into_owned();
    let (quoting, origin) = (Quoting::default(), &sides.dump.survey.origin);
    let named = default_collation::named(&plain, quoting, origin, facts);
    match adapt(&named, quoting, 1, "", facts, &Actions::default()) {
        Ok(adapted) => Cow::Owned(adapted.sql.into_owned()),
        Err(_) => Cow::Owned(named.into_owned()),
    }
}

/// Views, routines, triggers and events, by name. A trigger goes with its table. Other objects that the dump lacks go only if the
/// dump holds everything, or the request is exact.
fn objects(
    sides: &Sides<'_>,
    chosen: &Tables,
    (leaving, exact): (&BTreeSet<String>, bool),
    pages: &mut Pages<TableEntry>,
) -> Result<ObjectCounts> {
    let backup: BTreeMap<(&str, &str), ObjectKind> = (sides.dump.object_list.iter())
        .filter(|object| !chosen.exclude.covers(&object.name))
        .map(|object| (key(object.kind, &object.name), object.kind))
        .collect();
    let live: BTreeMap<(&str, &str), &Object> =
        sides.live.objects.0.iter().map(|object| (key(object.kind, &object.name), object)).collect();
    let mut all = backup.clone();
    all.extend(live.iter().map(|(key, object)| (*key, object.kind)));
    // The scan stores a limited number of names. If there were more, nothing can be said of objects that the dump lacks.
    let all_known = sides.dump.objects <= sides.dump.object_list.len() as u64;
    let mut counts = Counts::default();
    for (object, kind) in all {
        let goes = |object: &Object| match object.kind {
            ObjectKind::Trigger => leaving.contains(&object.table),
            _ => (sides.complete || exact) && !chosen.exclude.covers(&object.name),
        };
        let change = match (backup.contains_key(&object), live.get(&object)) {
            (true, Some(_)) => Change::Same,
            (true, None) => Change::Added,
            (false, Some(object)) if !goes(object) => Change::Kept,
            (false, _) if !all_known => continue,
            (false, _) => Change::Removed,
        };
        counts.count(change);
        if change != Change::Same {
            pages.push(entry(table_kind(kind), object.1, change))?;
        }
    }
    Ok(ObjectCounts {
        added: counts.added,
        removed: counts.removed,
        kept: counts.kept,
        both: counts.same,
        compared_by: "name".to_owned(),
    })
}

/// Kind and name: they tell an object from others, and give the order.
fn key(kind: ObjectKind, name: &str) -> (&'static str, &str) {
    (kind.keyword(), name)
}

fn table_kind(kind: ObjectKind) -> TableKind {
    match kind {
        ObjectKind::Function => TableKind::Function,
        ObjectKind::Procedure => TableKind::Procedure,
        ObjectKind::View => TableKind::View,
        ObjectKind::Trigger => TableKind::Trigger,
        ObjectKind::Event => TableKind::Event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;
    use crate::backup::layout::Holds;
    use crate::backup::source::Form;
    use crate::host::database::Objects;
    use crate::host::database::fake::Fake;
    use crate::host::site::Site;
    use crate::job::folder::{JobFolder, file};
    use crate::sql::tally::ObjectFound;

    fn live(name: &str, rows: u64) -> LiveTable {
        LiveTable { name: name.into(), rows, exact: rows < 1_000_000, ..LiveTable::default() }
    }

    fn compared(request: &str, complete: bool) -> TableChanges {
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
        let site = Site::find(&crate::config::Config::default(), &request.domain).unwrap();
        let (form, kind, path) = (Form::Backup, crate::backup::name::Kind::Full, "/backup.tar.gz".into());
        let source = Source {
            form,
            path,
            stamp: None,
            kind,
            parts: Vec::new(),
            layout: None,
            holds: Holds::SiteFolder,
            site,
            passed_over: Vec::new(),
            foreign: None,
        };
        let sides = Sides {
            source: &source,
            dump: &dump,
            texts: &HashMap::new(),
            live: &database,
            server: &fake,
            facts: None,
            complete,
            rows: None,
        };
        changes(&sides, &selection, pages).unwrap()
    }

    fn changed(found: &TableChanges) -> Vec<String> {
        let word = |change: Change| serde_json::to_value(change).unwrap().as_str().unwrap().to_owned();
        found.entries.iter().map(|entry| format!("{} {}", word(entry.change), entry.name)).collect()
    }

    #[test]
    fn tables_are_added_removed_and_changed_by_rows_or_definition() {
        let found = compared(r#""backup":"latest""#, true);
        assert_eq!(
            changed(&found),
            ["added new\ntable", "removed only live", "changed rows", "changed shape", "removed old", "added new"]
        );
        let entries = &found.entries;
        assert_eq!(entries[2].rows, Some(RowCounts { backup: Some(5), live: Some(3), exact: Some(true) }));
        assert_eq!(entries[2].definition, Some(Definition::Word(DefinitionWord::Same)));
        let diff = ["-`id` int(11) NOT NULL", "+`id` bigint(20) NOT NULL"].map(str::to_owned).to_vec();
        assert_eq!(entries[3].definition, Some(Definition::Differs(DefinitionDiff { diff, more_lines: 0 })));
        let kinds: Vec<TableKind> = entries[4..].iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [TableKind::Event, TableKind::Trigger]);
        assert_eq!((found.tables.same, found.tables.removed), (3, 1));
        assert_eq!(found.rows, RowSums { backup: 2_000_016, live: 2_000_016, exact: false });
        let objects = found.objects.unwrap();
        assert_eq!((objects.added, objects.removed, objects.kept, objects.both), (1, 1, 0, 1));
    }

    #[test]
    fn what_an_incomplete_dump_cannot_know_is_kept_unless_exact() {
        let found = compared(r#""backup":"latest""#, false);
        assert!(changed(&found).contains(&"kept only live".to_owned()));
        assert!(changed(&found).contains(&"kept old".to_owned()));
        let kept = found.entries.iter().find(|entry| entry.name == "only live").unwrap();
        assert!(kept.why.is_some() && kept.definition.is_none());
        let found = compared(r#""options":{"exact":true}"#, false);
        assert!(changed(&found).contains(&"removed only live".to_owned()));
    }

    #[test]
    fn only_selected_tables_are_compared() {
        let found = compared(r#""components":{"database":["odd `name`","r*","same"],"files":false}"#, true);
        assert_eq!(changed(&found), ["changed rows"]);
        assert_eq!((found.tables.same, found.objects), (2, None));
        let found = compared(r#""exclude":{"database":["rows","only live"]}"#, true);
        assert!(changed(&found).contains(&"kept rows".to_owned()));
        assert!(changed(&found).contains(&"kept only live".to_owned()));
    }
}
