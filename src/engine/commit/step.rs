//! The steps of a change-over. Each step can act and undo, and looks at the real state before either. So doing or undoing a step
//! twice changes nothing.

use crate::disk::{Durable, write_file};
use crate::engine::damaged;
use crate::engine::machine::Hosts;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::database::{
    Database, ForeignKey, Move, NextValue, Object, ObjectKind, Objects, Patience, SchemaCharset, Switch,
};
use crate::host::place;
use crate::host::services::Service;
use crate::host::tree::{self, FolderChange, Identity, Toward, Unit};
use crate::progress::{Level, Monitor};
use crate::siteconf::{Change, install, uninstall};
use crate::snapshot::retained::Brought;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// One step. It holds the data that undoing needs, or names a file with them that is on disk before the step is journaled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Creates the site's schema, which is not there.
    CreateSchema {
        /// The site's schema.
        schema: String,
        /// Its character set; `None`: the server's own.
        charset: Option<SchemaCharset>,
    },
    /// Drops the site's schema, which the restore that is taken back had made. A schema with anything in it stays.
    DropSchema {
        /// The site's schema.
        schema: String,
        /// Its character set.
        charset: Option<SchemaCharset>,
    },
    /// Drops the live schema's triggers: `RENAME TABLE` into another schema fails while a table has any. On the way back the tables
    /// move first; then the undoing creates all that the old side defined and that is missing.
    #[serde(rename = "undefine")]
    DropTriggers {
        /// The site's schema.
        schema: String,
        /// File with the objects of the old side.
        old: PathBuf,
    },
    /// One RENAME TABLE: live tables to the retained schema, shadow tables to the live one.
    Switch {
        /// The site's schema.
        live: String,
        /// Every table that moves.
        switch: Switch,
        /// The tables and objects that come, if other tables stay; for the manifest of the retained snapshot.
        #[serde(default)]
        brought: Option<Brought>,
    },
    /// Drops foreign keys between tables that go and tables that stay: a foreign key follows its tables when they are renamed.
    #[serde(rename = "unlink")]
    DropForeignKeys {
        /// The site's schema.
        schema: String,
        /// The keys.
        keys: Vec<ForeignKey>,
    },
    /// Adds foreign keys between tables that came and tables that stayed.
    #[serde(rename = "link")]
    AddForeignKeys {
        /// The site's schema.
        schema: String,
        /// The keys.
        keys: Vec<ForeignKey>,
    },
    /// Sets next values of `AUTO_INCREMENT` of tables that stay. One that has given out numbers since keeps its own.
    SetNextValues {
        /// The site's schema.
        schema: String,
        /// The values.
        values: Vec<NextValue>,
    },
    /// Creates triggers, views, routines and events of the new side, in place of those of the old side.
    #[serde(rename = "define")]
    RestoreObjects {
        /// The site's schema.
        schema: String,
        /// File with the objects of the old side.
        old: PathBuf,
        /// File with the objects of the new side.
        new: PathBuf,
    },
    /// Exchanges the document root with the staged tree.
    Exchange {
        /// The staged tree; afterwards the old one.
        staged: PathBuf,
        /// The document root.
        live: PathBuf,
        /// The tree at `staged` before the step.
        new: Identity,
        /// The tree at `live` before the step; `None` when the site was gone.
        old: Option<Identity>,
        /// Folders above `live` that are not there either, the outermost first: made with the site, gone with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        around: Vec<PathBuf>,
    },
    /// Exchanges selected files and folders with the staged ones.
    Parts {
        /// The document root.
        live: PathBuf,
        /// The staged tree; afterwards it holds the old parts.
        staged: PathBuf,
        /// File with the list of units.
        units: PathBuf,
        /// How many there are.
        count: usize,
        /// File with the new and old looks of the folders around them, where these stay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folders: Option<PathBuf>,
    },
    /// Empties what nginx, the site's object cache and, unless the whole tree is exchanged, its plugins saved. It is done again at any
    /// time: what is not in a cache is made anew.
    EmptyCaches {
        /// Also what plugins saved below the live document root.
        pages: bool,
    },
    /// Changes one configuration file.
    Config {
        /// Both sides of the file.
        change: Change,
        /// Where both sides are saved.
        saved: PathBuf,
    },
    /// Reloads a service, so that it reads its configuration.
    Reload {
        /// The service.
        service: Service,
        /// A refusal is reported and is no error: the service may have refused the old state, too.
        lenient: bool,
    },
}

impl Step {
    /// The step as words, for the log.
    pub fn describe(&self) -> String {
        match self {
            Step::CreateSchema { schema, .. } => format!("create the database {schema}, which is not there"),
            Step::DropSchema { schema, .. } => format!("drop the database {schema}, which a restore had made"),
            Step::DropTriggers { schema, .. } => format!("take the triggers of {schema} off its tables"),
            Step::Switch { switch, .. } => format!("rename {} tables in one statement", switch.moves.len()),
            Step::RestoreObjects { schema, .. } => {
                format!("define the triggers, views, routines and events of {schema}")
            }
            Step::DropForeignKeys { keys, .. } => format!("take {} foreign keys off", keys.len()),
            Step::AddForeignKeys { keys, .. } => format!("put {} foreign keys on", keys.len()),
            Step::SetNextValues { values, .. } => format!("set the next AUTO_INCREMENT of {} tables", values.len()),
            Step::Parts { live, count, .. } => format!("exchange {count} parts of {}", live.display()),
            Step::Exchange { live, .. } => format!("exchange {}", live.display()),
            Step::EmptyCaches { .. } => "empty the site's caches".to_owned(),
            Step::Config { change, .. } => format!("install {}", change.target.display()),
            Step::Reload { service, .. } => format!("reload {}", service.name()),
        }
    }

    /// Whether the database server does it.
    pub fn is_of_database(&self) -> bool {
        match self {
            Step::CreateSchema { .. }
            | Step::DropSchema { .. }
            | Step::DropTriggers { .. }
            | Step::Switch { .. }
            | Step::DropForeignKeys { .. }
            | Step::AddForeignKeys { .. }
            | Step::SetNextValues { .. }
            | Step::RestoreObjects { .. } => true,
            Step::Exchange { .. }
            | Step::Parts { .. }
            | Step::EmptyCaches { .. }
            | Step::Config { .. }
            | Step::Reload { .. } => false,
        }
    }

    /// Does the step, unless the state shows that it is done.
    ///
    /// # Errors
    /// The error that the step met; the state may then be on either side of this step, never between.
    pub fn act(&self, hosts: &Hosts, monitor: &dyn Monitor) -> Result<()> {
        let patience = Patience::default();
        match self {
            Step::CreateSchema { schema, charset } => hosts.database()?.create_live_schema(schema, charset.as_ref()),
            Step::DropSchema { schema, .. } => hosts.database()?.drop_live_schema(schema),
            Step::DropTriggers { schema, old } => {
                let (triggers, _) = partition(read_objects(old)?, |object| object.kind == ObjectKind::Trigger);
                hosts.database()?.drop_objects(schema, &triggers, patience)
            }
            Step::Switch { live, switch, .. } => carry_out(hosts.database()?, live, switch, patience),
            Step::DropForeignKeys { schema, keys } => hosts.database()?.drop_foreign_keys(schema, keys, patience),
            Step::AddForeignKeys { schema, keys } => hosts.database()?.add_foreign_keys(schema, keys, patience),
            Step::SetNextValues { schema, values } => next_values(hosts, schema, values, monitor),
            Step::Parts { live, staged, units, folders, .. } => {
                parts((live, staged), units, folders.as_deref(), Toward::New)
            }
            Step::RestoreObjects { schema, old, new } => {
                let new = read_objects(new)?;
                // A view that is on both sides is replaced, never missing.
                let stays = |object: &Object| {
                    new.0.iter().any(|other| (other.kind, &other.name) == (object.kind, &object.name))
                };
                let (_, gone) = partition(read_objects(old)?, stays);
                hosts.database()?.drop_objects(schema, &gone, patience)?;
                tell(hosts.database()?.create_objects(schema, &new, patience)?, monitor);
                Ok(())
            }
            Step::Exchange { staged, live, new, old, around } => {
                place::make_folders(around)?;
                exchange(staged, live, *new, *old, Toward::New)
            }
            Step::EmptyCaches { pages } => {
                hosts.empty_caches(*pages, monitor);
                Ok(())
            }
            Step::Config { change, saved } => install(change, saved),
            // The service tests its configuration before it is told to reload: otherwise a refusal would only show as a long wait.
            Step::Reload { service, lenient: true } if hosts.services.test(*service, &[]).is_err() => {
                let message = format!(
                    "{} refuses its configuration as it was brought back; it goes on with the one it has",
                    service.name()
                );
                monitor.event(Level::Warn, &message);
                Ok(())
            }
            Step::Reload { service, lenient } => match reload(hosts, *service, monitor) {
                Err(error) if *lenient => {
                    monitor.event(Level::Warn, &error.message);
                    Ok(())
                }
                other => other,
            },
        }
    }

    /// Undoes the step, unless the state shows that it was never done or is undone already.
    ///
    /// # Errors
    /// The error that the undoing met.
    pub fn undo(&self, hosts: &Hosts, monitor: &dyn Monitor) -> Result<()> {
        let patience = Patience::of_rollback();
        match self {
            Step::CreateSchema { schema, .. } => hosts.database()?.drop_live_schema(schema),
            Step::DropSchema { schema, charset } => hosts.database()?.create_live_schema(schema, charset.as_ref()),
            Step::DropTriggers { schema, old } => {
                let database = hosts.database()?;
                let there = database.objects(schema)?;
                // A trigger that was never dropped is not created again, so that no lock is needed: the connection that kept it from
                // being dropped may still hold its table.
                let (_, missing) = partition(read_objects(old)?, |object| there.0.contains(object));
                tell(database.create_objects(schema, &missing, patience)?, monitor);
                Ok(())
            }
            Step::Switch { live, switch, .. } => carry_out(hosts.database()?, live, &switch.inverse(), patience),
            Step::DropForeignKeys { schema, keys } => hosts.database()?.add_foreign_keys(schema, keys, patience),
            Step::AddForeignKeys { schema, keys } => hosts.database()?.drop_foreign_keys(schema, keys, patience),
            Step::SetNextValues { schema, values } => {
                let back: Vec<NextValue> = values.iter().map(NextValue::inverse).collect();
                next_values(hosts, schema, &back, monitor)
            }
            Step::Parts { live, staged, units, folders, .. } => {
                parts((live, staged), units, folders.as_deref(), Toward::Old)
            }
            // The new side's triggers would keep its tables from moving back. The old side's objects need their own tables, so that the
            // undoing of `DropTriggers` creates them.
            Step::RestoreObjects { schema, new, .. } => {
                hosts.database()?.drop_objects(schema, &read_objects(new)?, patience)
            }
            Step::Exchange { staged, live, new, old, around } => {
                if around.last().is_none_or(|folder| folder.exists()) {
                    exchange(staged, live, *new, *old, Toward::Old)?;
                }
                place::remove_empty(around)
            }
            Step::Config { change, saved } => uninstall(change, saved),
            // `back` does these at its end, when everything is in its place again.
            Step::EmptyCaches { .. } => Ok(()),
            // `back` reloads once at its end, when every file is in its place again.
            Step::Reload { .. } => Ok(()),
        }
    }
}

/// A table that somebody holds keeps the value it has: no restore fails, and no query waits, for the number of a row to come.
fn next_values(hosts: &Hosts, schema: &str, values: &[NextValue], monitor: &dyn Monitor) -> Result<()> {
    let patience = Patience { quick_tries: 5, waiting_tries: 0, ..Patience::default() };
    for value in values {
        match hosts.database()?.set_next_values(schema, std::slice::from_ref(value), patience) {
            Err(error) if error.code == Code::DatabaseLocked => {
                let message = format!("the next AUTO_INCREMENT of {} stays as it is: {}", value.table, error.message);
                monitor.event(Level::Warn, &message);
            }
            other => other?,
        }
    }
    Ok(())
}

fn tell(left_out: Vec<String>, monitor: &dyn Monitor) {
    left_out.iter().for_each(|said| monitor.event(Level::Warn, said));
}

fn partition(objects: Objects, picked: impl Fn(&Object) -> bool) -> (Objects, Objects) {
    let (yes, no) = objects.0.into_iter().partition(picked);
    (Objects(yes), Objects(no))
}

/// Carries out the moves that have not been carried out. RENAME TABLE is one step for the server, so that it is all of them or none,
/// but for a server whose power failed in the middle of it and whose own recovery met files that were not on the disk.
fn carry_out(database: &dyn Database, live: &str, switch: &Switch, patience: Patience) -> Result<()> {
    let left = remaining(database, live, &switch.moves)?;
    if left.is_empty() {
        return Ok(());
    }
    let moves = fitted(live, &left, &names(database, live)?);
    match database.switch(&Switch { moves }, patience) {
        Ok(()) => Ok(()),
        // The answer may have been lost after the server had done the RENAME: the tables tell whether it did.
        Err(error) => match remaining(database, live, &left) {
            Ok(left) if left.is_empty() => Ok(()),
            _ => Err(over_damage(database, live, switch, error)),
        },
    }
}

/// Adds the way out to the error, if a live table that should move is damaged.
fn over_damage(database: &dyn Database, live: &str, switch: &Switch, error: Error) -> Error {
    let moves = |name: &str| switch.moves.iter().any(|step| step.from == live && step.table == name);
    let tables = database.tables(live).unwrap_or_default();
    match tables.iter().find(|table| !table.damage.is_empty() && moves(&table.name)) {
        Some(table) if error.code == Code::DatabaseFailed => error.hint(damaged::refusal(live, table).hint),
        _ => error,
    }
}

/// The moves whose table is still where it was. Only the job's own schemas are looked at: the site may make and drop tables in the
/// live one.
fn remaining(database: &dyn Database, live: &str, moves: &[Move]) -> Result<Vec<Move>> {
    let mut seen: HashMap<String, HashSet<String>> = HashMap::new();
    let mut has = |schema: &str, table: &str| -> Result<bool> {
        if !seen.contains_key(schema) {
            seen.insert(schema.to_owned(), names(database, schema)?);
        }
        Ok(seen[schema].contains(table))
    };
    let mut left = Vec::new();
    for step in moves {
        let moved = if step.from == live { has(&step.to, &step.table)? } else { !has(&step.from, &step.table)? };
        if !moved {
            left.push(step.clone());
        }
    }
    Ok(left)
}

fn names(database: &dyn Database, schema: &str) -> Result<HashSet<String>> {
    Ok(database.tables(schema)?.into_iter().map(|table| table.name).collect())
}

/// The moves as the live schema allows them now: a table the site dropped meanwhile cannot move out, and one it made
/// under a name that is to come back goes where the others go.
fn fitted(live: &str, moves: &[Move], present: &HashSet<String>) -> Vec<Move> {
    let mut fitted: Vec<Move> =
        moves.iter().filter(|step| step.from != live || present.contains(&step.table)).cloned().collect();
    let leaving: HashSet<&str> =
        moves.iter().filter(|step| step.from == live).map(|step| step.table.as_str()).collect();
    let away = moves.iter().find(|step| step.from == live).map(|step| step.to.clone());
    let in_the_way = moves
        .iter()
        .filter(|step| step.to == live && present.contains(&step.table) && !leaving.contains(step.table.as_str()));
    if let Some(away) = away {
        let extra: Vec<Move> = in_the_way
            .map(|step| Move { from: live.to_owned(), table: step.table.clone(), to: away.clone() })
            .collect();
        fitted.splice(0..0, extra);
    }
    fitted
}

/// Exchange, or a plain rename when there is no old tree; both parents are fsynced, since without that a power cut
/// loses the exchange.
fn exchange(staged: &Path, live: &Path, new: Identity, old: Option<Identity>, toward: Toward) -> Result<()> {
    let at_live = place::identity(live)?;
    let at_staged = place::identity(staged)?;
    let is_new = at_live == Some(new) && at_staged == old;
    // On the way back the new tree may have been removed already.
    let is_old = at_live == old && (at_staged == Some(new) || (toward == Toward::Old && at_staged.is_none()));
    match (toward, is_new, is_old) {
        // The exchange was done already; the names may not be on disk yet.
        (Toward::New, true, _) | (Toward::Old, _, true) => place::settle(staged, live),
        (_, false, false) => Err(Error::new(
            Code::NeedsOperator,
            format!("{} and {} are neither the old nor the new tree", live.display(), staged.display()),
        )
        .hint(format!(
            "Somebody moved them. Put the wanted tree at {}, then run `rocketvps-restore recover`.",
            live.display()
        ))),
        (Toward::New, ..) => place::change(staged, live, old.is_some()),
        (Toward::Old, ..) => place::change(live, staged, old.is_some()),
    }
}

fn parts((live, staged): (&Path, &Path), units: &Path, folders: Option<&Path>, toward: Toward) -> Result<()> {
    let looks = folders.map(read_folders).transpose()?.unwrap_or_default();
    let sides = (tree::open_folder(live)?, tree::open_folder(staged)?);
    tree::exchange_units(sides, &read_units(units)?, &looks, toward)
}

fn reload(hosts: &Hosts, service: Service, monitor: &dyn Monitor) -> Result<()> {
    monitor.event(Level::Info, &format!("reload {}", service.name()));
    hosts.retrying(|| hosts.services.reload(service))
}

/// Writes the objects of a side durably: the step that replaces them comes after.
///
/// # Errors
/// `disk_full`, `io_failed`.
pub fn write_objects(path: &Path, objects: &Objects) -> Result<()> {
    write_json(path, objects)
}

/// Reads the objects of a side.
///
/// # Errors
/// `io_failed`.
pub fn read_objects(path: &Path) -> Result<Objects> {
    read_json(path)
}

/// Reads the list of units of a step.
///
/// # Errors
/// `io_failed`.
pub fn read_units(path: &Path) -> Result<Vec<Unit>> {
    read_json(path)
}

/// Writes the units of a step, durably.
///
/// # Errors
/// `disk_full`, `io_failed`.
pub fn write_units(path: &Path, units: &[Unit]) -> Result<()> {
    write_json(path, units)
}

/// Reads the looks of a step's folders.
///
/// # Errors
/// `io_failed`.
pub fn read_folders(path: &Path) -> Result<Vec<FolderChange>> {
    read_json(path)
}

/// Writes the looks of a step's folders, durably.
///
/// # Errors
/// `disk_full`, `io_failed`.
pub fn write_folders(path: &Path, folders: &[FolderChange]) -> Result<()> {
    write_json(path, folders)
}

fn write_json<T: serde::Serialize + ?Sized>(path: &Path, value: &T) -> Result<()> {
    let bytes = serde_json::to_vec(value).map_err(|error| {
        Error::new(Code::Internal, format!("{} cannot be written as JSON: {error}", path.display()))
    })?;
    write_file(path, &bytes, Durable::Whole)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let file = File::open(path).doing(|| format!("read {}", path.display()))?;
    serde_json::from_reader(std::io::BufReader::new(file))
        .map_err(|error| Error::new(Code::IoFailed, format!("{} is damaged: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::fake::Fake;

    /// A server whose power failed in the middle of a RENAME may come back with some of the tables moved: from any such mixture
    /// both ways lead to the end.
    #[test]
    fn from_any_mixture_of_moved_tables_the_way_leads_back_and_forth() {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let switch = Switch::exchange("live", "kept", &own(&["both", "old"]), "shadow", &own(&["both", "new"]));
        let rows = |fake: &Fake, schema: &str| -> Vec<(String, u64)> {
            let count = |table: &str| fake.count_rows(schema, table).unwrap();
            fake.tables(schema).unwrap().into_iter().map(|table| (table.name.clone(), count(&table.name))).collect()
        };
        for done in 0..=switch.moves.len() {
            for toward_new in [false, true] {
                let fake = Fake::new();
                for schema in ["live", "kept", "shadow"] {
                    fake.create_schema(schema, None).unwrap();
                }
                for (schema, table, count) in
                    [("live", "both", 1), ("live", "old", 2), ("shadow", "both", 10), ("shadow", "new", 20)]
                {
                    fake.put_table(schema, table, count, count);
                }
                fake.switch(&Switch { moves: switch.moves[..done].to_vec() }, Patience::default()).unwrap();
                let way = if toward_new { switch.clone() } else { switch.inverse() };
                carry_out(&fake, "live", &way, Patience::default()).unwrap();
                let pairs = |list: &[(&str, u64)]| {
                    list.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect::<Vec<_>>()
                };
                let expected =
                    if toward_new { pairs(&[("both", 10), ("new", 20)]) } else { pairs(&[("both", 1), ("old", 2)]) };
                assert_eq!(rows(&fake, "live"), expected, "{done} moves were done, toward the new side: {toward_new}");
                let aside = if toward_new { pairs(&[("both", 1), ("old", 2)]) } else { Vec::new() };
                assert_eq!(rows(&fake, "kept"), aside);
            }
        }
    }
}
