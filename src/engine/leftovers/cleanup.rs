//! Removing what is over: staging of failed jobs, expired snapshots, orphans. Always by handle, never through links.

use crate::config::Config;
use crate::engine::leftovers::{orphans, resume};
use crate::engine::machine::Hosts;
use crate::error::{Code, Error, Result};
use crate::host::database::{Database, names};
use crate::host::place;
use crate::job::folder::JobFolder;
use crate::job::lock::DomainLock;
use crate::job::{JobId, Kind};
use crate::path::Domain;
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use crate::snapshot::retained::Manifest;
use crate::snapshot::{self, retained};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// Removes what a job made and nobody will use: its staged tree, its shadow schema, its account, its empty snapshot
/// folder. What it started from, a kept snapshot, stays. A schema that holds the site's old tables is never dropped here.
///
/// # Errors
/// The first thing that could not be removed; the rest is tried all the same.
pub fn discard(plan: &Plan, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<()> {
    let mut results = Vec::new();
    if let (Some(names), Some(database), None) = (&plan.database, database, &plan.from_snapshot) {
        // First what gives room back: on a full disk the server waits for it with the rest. What still loads holds it up.
        results.push(warned(database.end_connections_of(&account(&plan.job)), monitor));
        results.push(warned(database.drop_schema(&names.shadow), monitor));
    }
    results.push(discard_unstaged(plan, database, monitor));
    if plan.from_snapshot.is_none() {
        results.push(warned(place::remove(&plan.stage, &Silent), monitor));
    }
    results.into_iter().collect()
}

/// The same without what is staged: the account, and what was begun for the change-over.
///
/// # Errors
/// As [`discard`].
pub fn discard_unstaged(plan: &Plan, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<()> {
    let mut results = Vec::new();
    if let (Some(names), Some(database)) = (&plan.database, database) {
        results.push(warned(database.drop_account(&account(&plan.job)), monitor));
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

/// Removes what a successful job no longer needs: the emptied shadow schema, the account, the consumed snapshot's folder,
/// and snapshots of this domain that have expired.
pub fn after_success(config: &Config, plan: &Plan, kept: &Manifest, database: Option<&dyn Database>) -> Vec<Error> {
    let mut left = Vec::new();
    if let (Some(names), Some(database)) = (&plan.database, database) {
        left.extend(database.drop_account(&account(&plan.job)).err());
        left.extend(drop_empty(database, &names.shadow).err());
    }
    for name in [plan.dump(), plan.manifest(), plan.checkpoint()] {
        left.extend(place::remove(&name, &Silent).err());
    }
    left.extend(place::remove(&plan.snapshot.join("objects_new.json"), &Silent).err());
    // Without an old tree in it the folder has nothing to keep.
    if kept.tree.is_none() && !plan.stage.as_os_str().is_empty() {
        left.extend(place::remove(&plan.stage, &Silent).err());
    }
    if let Some(consumed) = &plan.from_snapshot {
        left.extend(place::remove(consumed, &Silent).err());
    }
    left.extend(expire(config, &plan.domain, database, Some(&plan.snapshot)).err());
    left
}

/// The throw-away account of a job's loader.
pub fn account(job: &JobId) -> String {
    names::account(job.short())
}

fn drop_empty(database: &dyn Database, schema: &str) -> Result<()> {
    if database.schema_charset(schema)?.is_some() && database.tables(schema)?.is_empty() {
        database.drop_schema(schema)?;
    }
    Ok(())
}

/// Deletes a snapshot with the tree and the schema it keeps. The manifest goes last: a deletion that was cut short can
/// be repeated.
///
/// # Errors
/// `path_not_allowed`, `snapshot_not_found`, `io_failed`, `database_unreachable`.
pub fn delete_snapshot(config: &Config, domain: &Domain, path: &Path, monitor: &Arc<dyn Monitor>) -> Result<Value> {
    snapshot::check_path(config, domain, path)?;
    let database = Hosts::database_if_any(config);
    remove_snapshot(config, domain, path, database.as_deref())?;
    monitor.event(Level::Info, &format!("deleted {}", path.display()));
    Ok(json!({"domain": domain, "deleted": path}))
}

fn remove_snapshot(config: &Config, domain: &Domain, path: &Path, database: Option<&dyn Database>) -> Result<()> {
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
pub(super) fn own_name(schema: &str) -> Result<()> {
    if names::job_of_schema(schema).is_some() {
        return Ok(());
    }
    Err(Error::new(Code::SnapshotInvalid, format!("{schema} is not a schema of a snapshot; it was not dropped")))
}

fn own_tree(config: &Config, kept: &Path) -> Result<()> {
    let staging = config.paths.staging();
    let inside = kept.strip_prefix(&staging).ok().and_then(|rest| {
        let names: Vec<_> = rest.components().collect();
        matches!(names.as_slice(), [job, _] if JobId::parse(&job.as_os_str().to_string_lossy()).is_ok()).then_some(())
    });
    inside.ok_or_else(|| {
        Error::new(Code::SnapshotInvalid, format!("{} is not a tree of a snapshot; it was not removed", kept.display()))
    })
}

/// Deletes expired snapshots of a domain, but never its newest one.
fn expire(
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

/// `rv_cleanup`: expired snapshots, and what no job and no snapshot refers to any more.
///
/// # Errors
/// `forbidden`, `io_failed`.
pub fn run(config: &Config, domain: Option<&Domain>, monitor: &Arc<dyn Monitor>) -> Result<Value> {
    let database = Hosts::database_if_any(config);
    let database = database.as_deref();
    let domains = domain.map_or_else(|| domains_with_leftovers(config), |domain| vec![domain.clone()]);
    let mut snapshots = Vec::new();
    let mut set_aside = Vec::new();
    for domain in &domains {
        // A domain with a job at work is left alone.
        let Some(mut lock) = DomainLock::try_take(config, domain)? else { continue };
        if lock.holder().is_none() {
            set_aside.extend(resume::expire(config, domain, database, monitor.as_ref())?);
            snapshots.extend(expire(config, domain, database, None)?);
            let unfinished = snapshot::sweep(config, domain)?;
            snapshots.extend(unfinished.iter().map(|path| path.display().to_string()));
        }
    }
    let orphans = orphans::remove(config, database, monitor.as_ref())?;
    let jobs = remove_old_jobs(config);
    monitor.event(
        Level::Info,
        &format!("removed {} snapshots, {} orphans, {jobs} old jobs", snapshots.len(), orphans.len()),
    );
    Ok(json!({"snapshots": snapshots, "interrupted": set_aside, "orphans": orphans, "jobs": jobs}))
}

/// Those with snapshots, and those with restores that were interrupted.
fn domains_with_leftovers(config: &Config) -> Vec<Domain> {
    let mut domains = snapshot::domains(config);
    domains.extend(resume::all(config, None).into_iter().map(|found| found.plan.domain));
    domains.sort();
    domains.dedup();
    domains
}

/// Folders of ended jobs that only looked (preview, validate, verify, cleanup) go after a day, the others after ninety.
fn remove_old_jobs(config: &Config) -> usize {
    let day = std::time::Duration::from_secs(24 * 3600);
    JobFolder::all(config)
        .into_iter()
        .filter(|folder| {
            let Ok(status) = folder.status() else { return false };
            let keep = match status.kind {
                Kind::Restore | Kind::Rollback | Kind::Snapshot => day * 90,
                _ => day,
            };
            let age = std::fs::metadata(folder.join("report.json")).and_then(|meta| meta.modified());
            status.state.is_final()
                && status.state != crate::job::State::NeedsOperator
                && age.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > keep))
                && place::remove(folder.path(), &Silent).is_ok()
        })
        .count()
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
}
