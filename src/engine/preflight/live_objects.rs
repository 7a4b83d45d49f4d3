//! Live views, routines, triggers and events that a dump lacks and that a restore takes away. A dump may lack them because its writer leaves
//! them out, which nobody but the site's owner can tell from one that was made without them. Pure.

use crate::backup::contents::DumpScan;
use crate::engine::preflight::plan_token::LiveDatabase;
use crate::error::Result;
use crate::host::database::{Object, ObjectKind};
use crate::plan::Selection;
use crate::report::{Check, Outcome};
use crate::text;
use std::collections::{BTreeMap, BTreeSet};

/// The check of a dump; `None` where nothing goes, or not all names of the dump are known. `complete`: what it lacks did not exist.
///
/// # Errors
/// `bad_request` for patterns that are none.
pub fn check(dump: &DumpScan, live: &LiveDatabase, selection: &Selection, complete: bool) -> Result<Option<Check>> {
    if dump.objects > dump.object_list.len() as u64 {
        return Ok(None);
    }
    let chosen = selection.tables()?;
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let coming: Vec<&str> = dump.table_names().into_iter().filter(|name| chosen.takes(name)).collect();
    let tables = owned(live.tables.iter().map(|table| table.name.as_str()).collect());
    let leaving: BTreeSet<String> =
        chosen.leaving(&tables, &owned(coming), complete, selection.exact).into_iter().collect();
    let has =
        |object: &Object| dump.object_list.iter().any(|other| (other.kind, &other.name) == (object.kind, &object.name));
    let goes = |object: &&Object| match object.kind {
        ObjectKind::Trigger => leaving.contains(&object.table),
        _ => selection.database.is_whole() && (complete || selection.exact) && !chosen.exclude.covers(&object.name),
    };
    let gone = live.objects.0.iter().filter(goes).filter(|object| !has(object));
    Ok(sentence(gone).map(|said| Check::new("live_objects", Outcome::Warn, said)))
}

/// What is said of objects that go; `None` where there is none.
pub fn sentence<'a>(gone: impl Iterator<Item = &'a Object>) -> Option<String> {
    let mut kinds: BTreeMap<ObjectKind, Vec<&str>> = BTreeMap::new();
    gone.for_each(|object| kinds.entry(object.kind).or_default().push(&object.name));
    let one_kind = |(kind, names): (&ObjectKind, &Vec<&str>)| {
        let plural = if names.len() == 1 { "" } else { "s" };
        format!("{} {}{plural} ({})", names.len(), kind.keyword().to_lowercase(), text::few(names))
    };
    let all = kinds.iter().map(one_kind).collect::<Vec<_>>().join(", ");
    (!all.is_empty()).then(|| {
        format!("The live database has {all} that the dump lacks: they go with the tables that it replaces. A rollback brings them back.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::Objects;
    use crate::sql::tally::{ObjectFound, TableTally};

    fn object(kind: ObjectKind, name: &str, table: &str) -> Object {
        let empty = String::new;
        Object {
            kind,
            name: name.to_owned(),
            table: table.to_owned(),
            create: empty(),
            sql_mode: empty(),
            charset: empty(),
            collation: empty(),
            time_zone: empty(),
        }
    }

    #[test]
    fn what_goes_and_is_not_in_the_dump_is_named_by_kind() {
        let live = LiveDatabase {
            schema: "site".into(),
            tables: Vec::new(),
            objects: Objects(vec![
                object(ObjectKind::Function, "price", ""),
                object(ObjectKind::Event, "nightly", ""),
                object(ObjectKind::Event, "both", ""),
                object(ObjectKind::Trigger, "stays", "other"),
            ]),
            began: 0,
        };
        let dump = DumpScan {
            tables: vec![TableTally { name: "orders".into(), ..TableTally::default() }],
            objects: 1,
            object_list: vec![ObjectFound { kind: ObjectKind::Event, name: "both".into() }],
            ..DumpScan::default()
        };
        let said = |dump: &DumpScan, complete| {
            let found = check(dump, &live, &Selection::everything(), complete).unwrap();
            found.map(|check| check.message)
        };
        let whole = said(&dump, true).unwrap();
        assert!(whole.contains("1 function (price), 1 event (nightly) that the dump lacks"), "{whole}");
        assert_eq!(said(&dump, false), None, "what it lacks stays");
        let unknown = DumpScan { objects: 2, ..dump };
        assert_eq!(said(&unknown, true), None);
        let triggers = [object(ObjectKind::Trigger, "a", "t"), object(ObjectKind::Trigger, "b", "t")];
        assert!(sentence(triggers.iter()).unwrap().contains("2 triggers (a, b)"));
    }
}
