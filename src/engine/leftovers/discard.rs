//! Removes the things that one job or one snapshot made: the primitives of every clean-up.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::database::{Database, names};
use crate::host::place;
use crate::host::target::stagings;
use crate::job::JobId;
use crate::path::Domain;
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use crate::snapshot;
use crate::snapshot::retained::{self, Manifest};
use std::path::Path;

/// Removes the things that a job made and nobody will use: its staged tree, its shadow schema, its account, its empty snapshot
/// folder. A retained snapshot from which it started stays. A schema that holds the site's old tables is never dropped here.
///
/// # Errors
/// The first thing that could not be removed; the rest is tried all the same.
pub fn remains(plan: &Plan, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<()> {
    let mut results = Vec::new();
    if let (Some(names), Some(database), None) = (&plan.database, database, &plan.from_snapshot) {
        // The connections of the job's accounts end first, because a statement that is at work would delay the rest. Then the things that give room back are
        // removed: on a full disk the server waits for room with everything else.
        for account in accounts(&plan.job) {
            results.push(warned(database.end_connections_of(&account), monitor));
        }
        results.push(warned(database.drop_schema(&names.shadow), monitor));
    }
    results.push(unstaged(plan, database, monitor));
    if plan.from_snapshot.is_none() {
        results.push(warned(place::remove(&plan.stage, &Silent), monitor));
    }
    results.into_iter().collect()
}

/// The same without the staging: removes the account, and the things that were begun for the change-over.
///
/// # Errors
/// As [`remains`].
pub fn unstaged(plan: &Plan, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<()> {
    let mut results = Vec::new();
    if let (Some(names), Some(database)) = (&plan.database, database) {
        for account in accounts(&plan.job) {
            results.push(warned(database.drop_account(&account), monitor));
        }
        results.push(warned(drop_empty(database, &names.kept), monitor));
    }
    results.push(warned(place::remove(&plan.snapshot, &Silent), monitor));
    results.into_iter().collect()
}

fn warned(result: Result<()>, monitor: &dyn Monitor) -> Result<()> {
    if let Err(error) = &result {
        monitor.event(Level::Warn, &error.message);
    }
    result
}

/// Removes the things that a successful job no longer needs: the emptied shadow schema, the account, the consumed snapshot's folder,
/// and snapshots of this domain that have expired.
pub fn after_success(config: &Config, plan: &Plan, kept: &Manifest, database: Option<&dyn Database>) -> Vec<Error> {
    let mut left = Vec::new();
    if let (Some(names), Some(database)) = (&plan.database, database) {
        left.extend(accounts(&plan.job).iter().filter_map(|account| database.drop_account(account).err()));
        left.extend(drop_empty(database, &names.shadow).err());
    }
    let mut done_with = vec![plan.new_objects()];
    // A rollback to a state without files has nothing staged. A staging folder without an old tree in it is removed.
    if !plan.stage.as_os_str().is_empty() {
        match &kept.tree {
            Some(_) => done_with.extend([plan.dump(), plan.manifest(), plan.checkpoint()]),
            None => done_with.push(plan.stage.clone()),
        }
    }
    left.extend(done_with.iter().filter_map(|path| place::remove(path, &Silent).err()));
    if let Some(consumed) = &plan.from_snapshot {
        left.extend(place::remove(consumed, &Silent).err());
    }
    left.extend(expire(config, &plan.domain, database, Some(&plan.snapshot)).err());
    left
}

/// The throw-away account of a job's loader.
pub fn loader(job: &JobId) -> String {
    names::loader(job.short())
}

/// Every account that a job may have made.
fn accounts(job: &JobId) -> [String; 5] {
    [names::loader, names::reader, names::visitor, names::comparer, names::carrier].map(|name| name(job.short()))
}

fn drop_empty(database: &dyn Database, schema: &str) -> Result<()> {
    if database.schema_charset(schema)?.is_some() && database.tables(schema)?.is_empty() {
        database.drop_schema(schema)?;
    }
    Ok(())
}

/// Removes a snapshot with its retained tree and schema. Its manifest goes last, so that the removal can be repeated.
///
/// # Errors
/// `snapshot_invalid` if it names a tree or a schema that no snapshot of this program has, `database_unreachable`, `io_failed`.
pub fn remove_snapshot(config: &Config, domain: &Domain, path: &Path, database: Option<&dyn Database>) -> Result<()> {
    if let Ok(manifest) = retained::read(path) {
        if let Some(schema) = &manifest.schema_kept {
            let database = database.ok_or_else(|| {
                Error::new(
                    Code::DatabaseUnreachable,
                    format!("the schema {schema} of {} cannot be dropped", path.display()),
                )
            })?;
            own_name(schema)?;
            database.drop_schema(schema)?;
        }
        if let Some(kept) = &manifest.tree {
            own_tree(config, kept)?;
            place::remove(kept, &Silent)?;
            if let Some(stage) = kept.parent() {
                place::remove(stage, &Silent)?;
            }
        }
    }
    snapshot::delete(config, domain, path)
}

/// A manifest is a file that somebody may have changed: only names this program gives are dropped.
///
/// # Errors
/// `snapshot_invalid`.
pub fn own_name(schema: &str) -> Result<()> {
    if names::job_of_schema(schema).is_some() {
        return Ok(());
    }
    Err(Error::new(Code::SnapshotInvalid, format!("{schema} is not a schema of a snapshot; it was not dropped")))
}

/// The same for a tree: only a folder in a job's staging folder is removed.
///
/// # Errors
/// `snapshot_invalid`.
pub fn own_tree(config: &Config, kept: &Path) -> Result<()> {
    let inside = stagings(config).find_map(|staging| {
        let names: Vec<_> = kept.strip_prefix(&staging).ok()?.components().collect();
        matches!(names.as_slice(), [job, _] if JobId::parse(&job.as_os_str().to_string_lossy()).is_ok()).then_some(())
    });
    inside.ok_or_else(|| {
        Error::new(Code::SnapshotInvalid, format!("{} is not a tree of a snapshot; it was not removed", kept.display()))
    })
}

/// Deletes expired snapshots of a domain, but never its newest one.
pub fn expire(
    config: &Config,
    domain: &Domain,
    database: Option<&dyn Database>,
    keep: Option<&Path>,
) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for path in snapshot::expired(config, domain)? {
        if keep != Some(path.as_path()) {
            remove_snapshot(config, domain, &path, database)?;
            removed.push(path.display().to_string());
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_this_program_gives_are_ever_dropped() {
        for bad in ["mysql", "site", "rvk_", "rvk_short", "rvk_0123456789ab; DROP", "rvx_0123456789ab"] {
            assert!(own_name(bad).is_err(), "{bad}");
        }
        own_name("rvk_0123456789ab").unwrap();
        let config = Config::default();
        for bad in ["/var/www/example.com", "/var/www/.rocketvps-restore", "/etc", "/var/www/.rocketvps-restore/x/tree"]
        {
            assert!(own_tree(&config, Path::new(bad)).is_err(), "{bad}");
        }
        own_tree(&config, Path::new("/var/www/.rocketvps-restore/20251004_030000_0123456789ab/tree")).unwrap();
    }

    /// The state after a rollback of the database alone: it has no staged tree, and its snapshot no longer needs the new side's objects.
    #[test]
    fn a_rollback_without_files_leaves_nothing_behind_and_warns_of_nothing() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        config.paths.web_root = base.path().join("web");
        let (domain, job) = (Domain::parse("example.com").unwrap(), JobId::new().unwrap());
        let kept = Manifest::new(&domain, &job);
        let plan = Plan::retained(&config, &job, &base.path().join("consumed"), &kept);
        std::fs::create_dir_all(&plan.snapshot).unwrap();
        std::fs::write(plan.new_objects(), "{}").unwrap();
        assert!(after_success(&config, &plan, &kept, None).is_empty());
        assert!(!plan.new_objects().exists() && plan.snapshot.exists());
    }
}
