//! The live tables that go and those that stay, and the foreign keys between the two. A foreign key follows its tables when they are
//! renamed. So these keys are dropped before the RENAME, and added after it to the tables that are live then.

use crate::engine::damaged;
use crate::engine::machine::Hosts;
use crate::engine::state::{Scope, StagedDatabase};
use crate::error::{Code, Error, Result};
use crate::host::database::{ForeignKey, NextValue, Object, ObjectKind, Objects, SchemaTimes, UnchangedTable};
use crate::plan::{DatabasePlan, Plan};
use crate::snapshot::retained::Brought;

/// The tables of a site on both sides of a change-over.
#[derive(Debug, Default)]
pub struct Boundary {
    /// Live tables that go.
    pub leaving: Vec<String>,
    /// Tables that come.
    pub coming: Vec<String>,
    /// Live tables that stay.
    pub staying: Vec<String>,
    /// Those of them that are as the backup has them. No foreign key ties one to another table.
    pub unchanged: Vec<String>,
    /// Next values of `AUTO_INCREMENT` that unchanged tables get: none gets a lower one, so that no number is given out twice.
    pub next_values: Vec<NextValue>,
    /// Sentences about tables that stay because they are damaged.
    pub stuck: Vec<String>,
    /// Foreign keys of live tables that are dropped before the RENAME.
    pub unlink: Vec<ForeignKey>,
    /// Foreign keys that are added to live tables after the RENAME.
    pub link: Vec<ForeignKey>,
}

impl Boundary {
    /// Reads the boundary from the present state.
    ///
    /// # Errors
    /// `database_unreachable`, `bad_request`; `database_failed` for a damaged table whose place a table of the backup cannot take.
    pub fn read(hosts: &Hosts, plan: &Plan, names: &DatabasePlan, staged: &StagedDatabase) -> Result<Boundary> {
        let database = hosts.database()?;
        let tables = |schema: &str| -> Result<Vec<String>> {
            Ok(database.tables(schema)?.into_iter().map(|table| table.name).collect())
        };
        let mut damaged = database.tables(&names.live)?;
        let live: Vec<String> = damaged.iter().map(|table| table.name.clone()).collect();
        let coming = tables(&names.shadow)?;
        let mut leaving = match &staged.scope {
            Scope::Dump { complete } => {
                plan.selection.tables()?.leaving(&live, &coming, *complete, plan.selection.exact)
            }
            Scope::Kept(None) => live.clone(),
            Scope::Kept(Some(brought)) => {
                let goes = |name: &&String| brought.tables.contains(name) || coming.contains(name);
                live.iter().filter(goes).cloned().collect()
            }
        };
        damaged.retain(|table| !table.damage.is_empty() && leaving.contains(&table.name));
        if let Some(table) = damaged.iter().find(|table| coming.contains(&table.name) && damaged::is_stuck(table)) {
            return Err(damaged::refusal(&names.live, table));
        }
        leaving.retain(|name| !staged.is_unchanged(name));
        // RENAME reports the others.
        damaged.retain(|table| !coming.contains(&table.name));
        leaving.retain(|name| !damaged.iter().any(|table| table.name == *name));
        let stuck = damaged.iter().map(damaged::stays).collect();
        let staying: Vec<String> = live.into_iter().filter(|name| !leaving.contains(name)).collect();
        let unchanged = staying.iter().filter(|name| staged.is_unchanged(name)).cloned().collect();
        let mut boundary = Boundary { leaving, coming, staying, unchanged, stuck, ..Boundary::default() };
        if !staged.unchanged.is_empty() {
            let times = database.table_times(&names.live)?;
            boundary.next_values = staged.unchanged.iter().filter_map(|table| raised(table, &times)).collect();
        }
        if !boundary.staying.is_empty() || !staged.links.is_empty() {
            boundary.link_up(&names.live, &database.foreign_keys(&names.live)?, &staged.links);
        }
        Ok(boundary)
    }

    fn link_up(&mut self, live: &str, keys: &[ForeignKey], links: &[ForeignKey]) {
        for key in keys.iter().filter(|key| key.refers_schema == live) {
            let (goes, target_goes) = (self.leaving.contains(&key.table), self.leaving.contains(&key.refers_to));
            if goes == target_goes {
                continue;
            }
            self.unlink.push(key.clone());
            if !goes && self.coming.contains(&key.refers_to) {
                self.link.push(key.clone());
            }
        }
        let ours = links.iter().filter(|key| self.coming.contains(&key.table));
        self.link.extend(ours.map(|key| ForeignKey { refers_schema: live.to_owned(), ..key.clone() }));
    }

    /// Live tables that stay and are not the backup's.
    pub fn others(&self) -> Vec<String> {
        self.staying.iter().filter(|name| !self.unchanged.contains(name)).cloned().collect()
    }

    /// Refuses a change-over after which rows would refer to rows that are not there.
    ///
    /// # Errors
    /// `broken_reference` naming constraint, tables and rows.
    pub fn require_references(&self, hosts: &Hosts, names: &DatabasePlan, allow_orphans: bool) -> Result<Vec<String>> {
        let database = hosts.database()?;
        let mut notes = Vec::new();
        let lost =
            self.unlink.iter().filter(|key| self.staying.contains(&key.table) && !self.coming.contains(&key.refers_to));
        let mut broken: Vec<(&ForeignKey, u64)> = Vec::new();
        for key in lost {
            broken.push((key, database.count_rows(&names.live, &key.table)?));
        }
        for key in &self.link {
            let schema = if self.coming.contains(&key.table) { &names.shadow } else { &names.live };
            let target = if self.coming.contains(&key.refers_to) { &names.shadow } else { &names.live };
            let placed = ForeignKey { refers_schema: target.clone(), ..key.clone() };
            let orphans = match database.table_exists(target, &key.refers_to)? {
                true => database.orphans(schema, &placed)?,
                // The backup itself has such rows: a whole database whose foreign key leads nowhere is restored as it was.
                false if self.others().is_empty() => 0,
                false => database.count_rows(schema, &key.table)?,
            };
            broken.push((key, orphans));
        }
        for (key, orphans) in broken.into_iter().filter(|(_, orphans)| *orphans > 0) {
            let what = format!(
                "{orphans} rows of {} would refer to rows of {} that are not there (constraint {})",
                key.table, key.refers_to, key.name
            );
            if !allow_orphans {
                return Err(Error::new(Code::BrokenReference, what)
                    .hint(format!(
                        "Select {} and {} together, or start again with \"options\":{{\"allow_orphans\":true}}.",
                        key.table, key.refers_to
                    ))
                    .with("constraint", key.name.as_str())
                    .with("table", key.table.as_str())
                    .with("refers_to", key.refers_to.as_str())
                    .with("rows", orphans));
            }
            notes.push(format!("allowed by the request: {what}"));
        }
        Ok(notes)
    }

    /// The tables and objects that came, if others stayed beside them.
    pub fn brought(&self, scope: &Scope, new: &Objects) -> Option<Brought> {
        let everything = self.staying.is_empty() && matches!(scope, Scope::Dump { complete: true } | Scope::Kept(None));
        (!everything).then(|| Brought {
            tables: self.coming.clone(),
            objects: new.0.iter().map(|object| (object.kind, object.name.clone())).collect(),
        })
    }

    /// The objects of the old side that go: all that belong to tables and objects that go. Objects that the backup cannot know of stay,
    /// unless the request is `exact`; the same rule holds for tables. `whole`: all of the database is selected.
    pub fn affected(&self, scope: &Scope, (whole, exact): (bool, bool), old: Objects, new: &Objects) -> Objects {
        let replaced =
            |object: &Object| new.0.iter().any(|other| (other.kind, &other.name) == (object.kind, &object.name));
        let goes = |object: &Object| {
            let was_brought = match scope {
                Scope::Kept(Some(brought)) => brought.objects.contains(&(object.kind, object.name.clone())),
                _ => false,
            };
            if object.kind == ObjectKind::Trigger && !replaced(object) {
                let table = &object.table;
                return self.leaving.contains(table) || self.unchanged.contains(table) || was_brought;
            }
            match scope {
                Scope::Dump { complete } => whole && (*complete || exact) || replaced(object),
                Scope::Kept(None) => true,
                Scope::Kept(Some(_)) => replaced(object) || was_brought,
            }
        };
        Objects(old.0.into_iter().filter(goes).collect())
    }
}

/// The next value that a live table gets so that it is not below that of the dump.
fn raised(table: &UnchangedTable, live: &SchemaTimes) -> Option<NextValue> {
    let now = live.tables.iter().find(|times| times.name == table.name)?.auto_increment;
    (now < table.next_value).then(|| NextValue { table: table.name.clone(), old: now, new: table.next_value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, table: &str, refers_to: &str) -> ForeignKey {
        ForeignKey {
            name: name.into(),
            table: table.into(),
            columns: vec!["a".into()],
            refers_schema: "live".into(),
            refers_to: refers_to.into(),
            refers_columns: vec!["id".into()],
            on_update: "RESTRICT".into(),
            on_delete: "RESTRICT".into(),
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn keys_across_the_boundary_are_taken_off_and_put_on_against_what_is_live_then() {
        let mut boundary = Boundary {
            leaving: names(&["orders", "old"]),
            coming: names(&["orders"]),
            staying: names(&["customers", "notes"]),
            ..Boundary::default()
        };
        let live = [
            key("o_c", "orders", "customers"),
            key("n_o", "notes", "orders"),
            key("n_old", "notes", "old"),
            key("o_o", "orders", "orders"),
            key("n_c", "notes", "customers"),
        ];
        let from_dump = [ForeignKey { refers_schema: "rvs_1".into(), ..key("o_c", "orders", "customers") }];
        boundary.link_up("live", &live, &from_dump);
        let shown = |keys: &[ForeignKey]| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
        assert_eq!(shown(&boundary.unlink), ["o_c", "n_o", "n_old"]);
        assert_eq!(shown(&boundary.link), ["n_o", "o_c"]);
        assert!(boundary.link.iter().all(|key| key.refers_schema == "live"));
    }

    #[test]
    fn objects_go_with_their_tables_and_what_the_dump_cannot_know_of_stays() {
        let object = |kind, name: &str, table: &str| Object {
            kind,
            name: name.into(),
            table: table.into(),
            create: String::new(),
            sql_mode: String::new(),
            charset: String::new(),
            collation: String::new(),
            time_zone: String::new(),
        };
        let old = || {
            Objects(vec![
                object(ObjectKind::Function, "f", ""),
                object(ObjectKind::View, "v", ""),
                object(ObjectKind::Trigger, "t_a", "a"),
                object(ObjectKind::Trigger, "t_b", "b"),
            ])
        };
        let new = Objects(vec![object(ObjectKind::View, "v", "")]);
        let boundary = Boundary { leaving: names(&["a"]), staying: names(&["b"]), ..Boundary::default() };
        let gone = |scope: Scope, asked| -> Vec<String> {
            boundary.affected(&scope, asked, old(), &new).0.into_iter().map(|object| object.name).collect()
        };
        assert_eq!(gone(Scope::Dump { complete: true }, (true, false)), ["f", "v", "t_a"]);
        assert_eq!(gone(Scope::Dump { complete: false }, (true, false)), ["v", "t_a"]);
        assert_eq!(gone(Scope::Dump { complete: false }, (true, true)), ["f", "v", "t_a"], "as live tables do");
        assert_eq!(gone(Scope::Dump { complete: true }, (false, true)), ["v", "t_a"], "parts leave the rest alone");
        let brought = |kind, name: &str| Brought { tables: Vec::new(), objects: vec![(kind, name.to_owned())] };
        let back = |brought| gone(Scope::Kept(Some(brought)), (true, false));
        assert_eq!(back(brought(ObjectKind::Function, "f")), ["f", "v", "t_a"]);
        assert_eq!(back(brought(ObjectKind::Trigger, "t_b")), ["v", "t_a", "t_b"], "of a table that stayed");
        let boundary = Boundary { unchanged: names(&["b"]), ..boundary };
        let gone = boundary.affected(&Scope::Dump { complete: true }, (true, false), old(), &new).0;
        let gone: Vec<String> = gone.into_iter().map(|object| object.name).collect();
        assert_eq!(
            gone,
            ["f", "v", "t_a", "t_b"],
            "a trigger that the dump has not got, of a table as the dump has it"
        );
    }
}
