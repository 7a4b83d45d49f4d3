//! Verified → committed, and back: does journaled steps forwards, and undoes the same steps backwards.

pub mod boundary;
pub mod step;
pub mod steps;

use crate::engine::commit::step::Step;
use crate::engine::machine::Hosts;
use crate::engine::site_config;
use crate::error::{Code, Error, Result};
use crate::host::place;
use crate::job::lock::Fence;
use crate::journal::{self, Journal};
use crate::plan::Plan;
use crate::progress::{Level, Monitor};
use crate::snapshot::retained::Manifest;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A line of a job's journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// Staging begins: from here on there is something to clean up, named in `plan.json`. The first record of every journal.
    Staging {
        /// Version of the records; a journal from before it was named is of the first.
        #[serde(default = "first_format")]
        format: u32,
    },
    /// A step is about to be done. The step holds its inverse.
    Intent {
        /// Counted from 0.
        number: usize,
        /// The step.
        step: Step,
        /// Server connection that acts, so that a recovery can end it first.
        connection: Option<u64>,
    },
    /// The step was done.
    Done {
        /// The number of the intent.
        number: usize,
    },
    /// Every step was done: the domain is on the new side.
    Committed,
    /// A step is about to be undone.
    Undo {
        /// The number of the intent.
        number: usize,
        /// Server connection that acts.
        #[serde(default)]
        connection: Option<u64>,
    },
    /// The step was undone.
    Undone {
        /// The number of the intent.
        number: usize,
    },
    /// The job has ended and left nothing to do.
    Closed,
}

impl Record {
    /// The record that begins a journal.
    pub fn first() -> Record {
        Record::Staging { format: journal::FORMAT }
    }
}

fn first_format() -> u32 {
    1
}

/// Does the steps in order. On a failure of whatever kind, the journal's included, the steps done so far are undone before it
/// returns. Gives how long visitors may have met both sides; a next value that is raised before is none that they see.
///
/// # Errors
/// The failure, after the old state is back; `needs_operator` when it could not be brought back.
pub fn forward(steps: Vec<Step>, journal: &mut Journal, hosts: &Hosts, monitor: &dyn Monitor) -> Result<Duration> {
    // Before the first step: nginx's configuration may have many files, and between two steps visitors wait.
    let keeps_open = hosts.services.keeps_files_open();
    let mut began = Instant::now();
    for (number, step) in steps.iter().enumerate() {
        let announced = announce(number, step, journal, hosts);
        let begun = number + usize::from(announced.is_ok());
        let done = announced.and_then(|()| act(number, step, journal, hosts, monitor));
        if let Err(error) = done {
            monitor.event(Level::Error, &format!("could not {}: {}", step.describe(), error.message));
            // After any failure, also one of the journal, the only way out is to undo. The step that failed is undone with the others,
            // because it may have acted before it failed.
            back(&steps[..begun], journal, hosts, monitor)?;
            return Err(error);
        }
        if matches!(step, Step::Exchange { .. } | Step::Parts { .. }) {
            // At once, not after the last reload: until then visitors get the old code with the new database.
            hosts.refresh_files(keeps_open, monitor);
        }
        let spent = began.elapsed().as_secs_f64() * 1000.0;
        monitor.event(Level::Info, &format!("{} (at {spent:.1} ms)", step.describe()));
        if matches!(step, Step::SetNextValues { .. }) {
            began = Instant::now();
        }
    }
    if let Err(error) = journal.append(&Record::Committed) {
        back(&steps, journal, hosts, monitor)?;
        return Err(error);
    }
    Ok(began.elapsed())
}

fn announce(number: usize, step: &Step, journal: &mut Journal, hosts: &Hosts) -> Result<()> {
    hold(&hosts.fence);
    // The number stands in the record before the statement is sent. A killed worker's statement may still run: recovery ends the
    // connection of that number before it looks at the tables.
    let connection = if step.is_of_database() { hosts.connection()? } else { None };
    journal.append(&Record::Intent { number, step: step.clone(), connection })
}

fn act(number: usize, step: &Step, journal: &mut Journal, hosts: &Hosts, monitor: &dyn Monitor) -> Result<()> {
    hold(&hosts.fence);
    step.act(hosts, monitor)?;
    journal.append(&Record::Done { number })
}

/// Undoes the steps, last first. If one cannot be undone, the others are undone all the same, so that as much of the site as
/// possible is in the old state; but for those of the database that were taken before tables which cannot move back.
///
/// # Errors
/// `needs_operator` naming what could not be undone.
pub fn back(steps: &[Step], journal: &mut Journal, hosts: &Hosts, monitor: &dyn Monitor) -> Result<()> {
    let mut failed: Option<Error> = None;
    let mut tables_stay = false;
    for (number, step) in steps.iter().enumerate().rev() {
        // Triggers and keys of the old tables would be put on the new ones, and would keep these from moving back ever after.
        if tables_stay && step.is_of_database() {
            monitor.event(Level::Warn, &format!("not undone before the tables are back: {}", step.describe()));
            continue;
        }
        match hosts.retrying(|| one_back(number, step, journal, hosts, monitor)) {
            Ok(()) => monitor.event(Level::Info, &format!("undone: {}", step.describe())),
            Err(error) => {
                monitor.event(Level::Error, &format!("could not undo: {}: {}", step.describe(), error.message));
                tables_stay |= matches!(step, Step::Switch { .. });
                failed = failed.or(Some(
                    Error::new(Code::NeedsOperator, format!("could not undo: {}: {}", step.describe(), error.message))
                        .hint(way_on(&error))
                        .with("cause", error.code.name()),
                ));
            }
        }
    }
    // Also where no reload was begun: after a power cut a service may have started with files of both sides, or not at all.
    let changes = steps.iter().filter_map(|step| match step {
        Step::Config { change, .. } => Some(change),
        _ => None,
    });
    for service in site_config::readers(changes) {
        // The reload is lenient and gives no error: the service may have refused the old files before, too.
        Step::Reload { service, lenient: true }.act(hosts, monitor)?;
    }
    hosts.refresh_files(hosts.services.keeps_files_open(), monitor);
    if let Some(pages) = empties(steps) {
        let before = hosts.requests();
        let emptied = hosts.empty_caches(pages, monitor);
        hosts.end_the_old(before, emptied, pages, monitor);
    }
    failed.map_or(Ok(()), Err)
}

/// Whether the steps empty the caches, and with them the saved pages below the live document root.
pub fn empties(steps: &[Step]) -> Option<bool> {
    steps.iter().find_map(|step| match step {
        Step::EmptyCaches { pages } => Some(*pages),
        _ => None,
    })
}

/// The hint for an error that stops a recovery: the step to do before it can go on. The hints of most codes are for a site that was
/// not changed.
pub fn way_on(error: &Error) -> String {
    let first = match error.code {
        Code::DatabaseFailed | Code::InsufficientPrivilege => "On the database server, mend what its message names.",
        Code::DatabaseLocked => "End the connection that is named.",
        Code::DiskFull => "Make room on the filesystem that is named.",
        _ => error.hint.as_str(),
    };
    match first.contains("rocketvps-restore recover") {
        true => first.to_owned(),
        false => format!("{first} Then run `rocketvps-restore recover`: it does the rest."),
    }
}

/// A journal that cannot be written (a full disk) must not keep the old state away: undoing twice changes nothing.
fn one_back(number: usize, step: &Step, journal: &mut Journal, hosts: &Hosts, monitor: &dyn Monitor) -> Result<()> {
    hold(&hosts.fence);
    let connection = if step.is_of_database() { hosts.connection()? } else { None };
    let _ = journal.append(&Record::Undo { number, connection });
    hold(&hosts.fence);
    step.undo(hosts, monitor)?;
    let _ = journal.append(&Record::Undone { number });
    Ok(())
}

/// The steps of a journal that were begun, in order, with the connections that may still act.
pub fn begun(records: &[Record]) -> (Vec<Step>, Vec<u64>) {
    let mut steps = Vec::new();
    let mut connections = Vec::new();
    for record in records {
        match record {
            Record::Intent { step, connection, .. } => {
                steps.push(step.clone());
                connections.extend(*connection);
            }
            Record::Undo { connection, .. } => connections.extend(*connection),
            _ => {}
        }
    }
    connections.sort_unstable();
    connections.dedup();
    (steps, connections)
}

/// Ends this process on the spot if the domain's lock is another worker's. That worker took this one for dead and recovers its job:
/// any further step would be unknown to it, and any undoing would undo its work.
pub fn hold(fence: &Fence) {
    if !fence.stands() {
        std::process::exit(i32::from(Code::Busy.number()));
    }
}

/// The manifest of the old state that the steps of a change-over left.
pub fn manifest_of(plan: &Plan, steps: &[Step], monitor: &dyn Monitor) -> Manifest {
    let mut manifest = Manifest::new(&plan.domain, &plan.job);
    for step in steps {
        match step {
            Step::Exchange { staged, old: Some(old), .. } => {
                manifest.live = Some(plan.document_root.clone());
                manifest.tree = Some(staged.clone());
                manifest.tree_identity = Some(*old);
            }
            Step::Exchange { old: None, .. } => {
                manifest.live = Some(plan.document_root.clone());
                manifest.tree_made = true;
            }
            Step::Switch { live, switch, brought } => {
                manifest.brought = brought.clone();
                manifest.live_schema = Some(live.clone());
                manifest.schema_kept = plan.database.as_ref().map(|database| database.kept.clone());
                manifest.tables = switch.moves.iter().filter(|step| step.from == *live).count() as u64;
                manifest.objects = Some(plan.objects());
            }
            Step::CreateSchema { .. } => manifest.schema_made = true,
            Step::SetNextValues { values, .. } => manifest.next_values.clone_from(values),
            Step::DropForeignKeys { keys, .. } => manifest.links.clone_from(keys),
            Step::Parts { staged, units, folders, .. } => {
                manifest.folders.clone_from(folders);
                manifest.live = Some(plan.document_root.clone());
                manifest.tree = Some(staged.clone());
                manifest.tree_identity = place::identity(staged).ok().flatten();
                manifest.units = Some(units.clone());
            }
            Step::Config { change, .. } => manifest.config.push(change.clone()),
            _ => {}
        }
    }
    monitor.event(Level::Info, &format!("the old state is kept in {}", plan.snapshot.display()));
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::{ForeignKey, Move, NextValue, ObjectKind, SchemaCharset, Switch};
    use crate::host::services::Service;
    use crate::host::tree::Identity;
    use crate::siteconf::{Change, Item, Side};
    use crate::snapshot::retained::Brought;

    fn every_step() -> Vec<Step> {
        let id = |ino| Identity { ino, born: Some(1_795_469_489_327_000_322) };
        let file = |mtime| Side::File { sha256: "ab".repeat(32), mode: 0o600, uid: 0, gid: u32::MAX, mtime };
        let change = |old, new| Step::Config {
            change: Change { item: Item::Ssl, target: "/x/khóa.pem".into(), old, new },
            saved: "/s".into(),
        };
        let key = ForeignKey {
            name: "k".into(),
            table: "t".into(),
            columns: vec!["c".into()],
            refers_schema: "a".into(),
            refers_to: "p".into(),
            refers_columns: vec!["id".into()],
            on_update: "RESTRICT".into(),
            on_delete: "CASCADE".into(),
        };
        let charset = SchemaCharset { charset: "latin1".into(), collation: "latin1_german1_ci".into() };
        vec![
            Step::CreateSchema { schema: "a`b".into(), charset: None },
            Step::DropSchema { schema: "a`b".into(), charset: Some(charset) },
            Step::DropTriggers { schema: "a`b".into(), old: "/o".into() },
            Step::Switch {
                live: "a".into(),
                switch: Switch { moves: vec![Move { from: "a".into(), table: "t \"1\"".into(), to: "b".into() }] },
                brought: Some(Brought { tables: vec!["t".into()], objects: vec![(ObjectKind::View, "v".into())] }),
            },
            Step::DropForeignKeys { schema: "a".into(), keys: vec![key.clone()] },
            Step::AddForeignKeys { schema: "a".into(), keys: vec![key] },
            Step::SetNextValues {
                schema: "a".into(),
                values: vec![NextValue { table: "t".into(), old: 0, new: 1 << 62 }],
            },
            Step::Parts {
                live: "/l".into(),
                staged: "/s".into(),
                units: "/u".into(),
                count: 3,
                folders: Some("/f".into()),
            },
            Step::RestoreObjects { schema: "a".into(), old: "/o".into(), new: "/n".into() },
            Step::Exchange { staged: "/1".into(), live: "/2".into(), new: id(1), old: Some(id(2)), around: Vec::new() },
            Step::Exchange { staged: "/1".into(), live: "/2".into(), new: id(1), old: None, around: vec!["/x".into()] },
            Step::EmptyCaches { pages: true },
            change(file(1_795_469_489_327_000_322), file(0)),
            change(Side::Absent, Side::Link { to: "../x".into() }),
            change(Side::Folder { mode: 0o755 }, Side::Absent),
            Step::Reload { service: Service::PhpFpm, lenient: true },
        ]
    }

    #[test]
    fn what_an_operator_is_told_is_true_of_a_site_that_stands_half_way() {
        for code in Code::ALL {
            let hint = way_on(&Error::new(*code, "x"));
            assert_eq!(hint.matches("rocketvps-restore recover").count(), 1, "{}: {hint}", code.name());
        }
        for code in [Code::DatabaseFailed, Code::DatabaseLocked, Code::DiskFull, Code::InsufficientPrivilege] {
            let hint = way_on(&Error::new(code, "x"));
            assert!(!hint.contains("not changed") && !hint.contains("start again"), "{}: {hint}", code.name());
        }
    }

    #[test]
    fn every_step_comes_back_from_the_journal_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        journal.append(&Record::first()).unwrap();
        for (number, step) in every_step().into_iter().enumerate() {
            journal.append(&Record::Intent { number, step, connection: Some(7) }).unwrap();
            journal.append(&Record::Done { number }).unwrap();
        }
        journal.append(&Record::Undo { number: 0, connection: Some(8) }).unwrap();
        let (steps, connections) = begun(&Journal::read::<Record>(&path).unwrap());
        assert_eq!(serde_json::to_value(steps).unwrap(), serde_json::to_value(every_step()).unwrap());
        assert_eq!(connections, vec![7, 8]);
    }
}
