//! Removes leftovers: staging of failed jobs, expired snapshots, orphans. Always by handle, never through symlinks.

use crate::api::answer::jobs::Cleanup;
use crate::api::answer::snapshots::SnapshotDeleted;
use crate::config::Config;
use crate::engine::leftovers::{discard, orphans, resume};
use crate::engine::machine::Hosts;
use crate::error::Result;
use crate::host::place;
use crate::job::Kind;
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::DomainLock;
use crate::path::Domain;
use crate::progress::{Level, Monitor, Silent};
use crate::snapshot::{self};
use std::path::Path;
use std::sync::Arc;

/// Deletes a snapshot with its retained tree and schema. The manifest goes last, so that a deletion that was cut short can be
/// repeated.
///
/// # Errors
/// `path_not_allowed`, `snapshot_not_found`, `io_failed`, `database_unreachable`.
pub fn delete_snapshot(
    config: &Config,
    domain: &Domain,
    path: &Path,
    monitor: &Arc<dyn Monitor>,
) -> Result<SnapshotDeleted> {
    snapshot::check_path(config, domain, path)?;
    let database = Hosts::database_if_any(config);
    discard::remove_snapshot(config, domain, path, database.as_deref())?;
    monitor.event(Level::Info, &format!("deleted {}", path.display()));
    Ok(SnapshotDeleted { domain: domain.clone(), deleted: path.to_owned() })
}

/// `rv_cleanup`: removes expired snapshots, and orphans, to which no job and no snapshot refers any more.
///
/// # Errors
/// `forbidden`, `io_failed`.
pub fn run(config: &Config, domain: Option<&Domain>, monitor: &Arc<dyn Monitor>) -> Result<Cleanup> {
    let database = Hosts::database_if_any(config);
    let database = database.as_deref();
    let domains = domain.map_or_else(|| domains_with_leftovers(config), |domain| vec![domain.clone()]);
    let mut snapshots = Vec::new();
    let mut interrupted = Vec::new();
    for domain in &domains {
        // A domain with a job at work is left alone.
        let Some(mut lock) = DomainLock::try_take(config, domain)? else { continue };
        if lock.holder().is_none() {
            interrupted.extend(resume::expire(config, domain, database, monitor.as_ref())?);
            snapshots.extend(discard::expire(config, domain, database, None)?);
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
    Ok(Cleanup { snapshots, interrupted, orphans, jobs })
}

/// The domains with snapshots, and those with restores that were interrupted.
fn domains_with_leftovers(config: &Config) -> Vec<Domain> {
    let mut domains = snapshot::domains(config);
    domains.extend(resume::all(config, None).into_iter().map(|found| found.plan.domain));
    domains.sort();
    domains.dedup();
    domains
}

/// Removes the folders of ended jobs: after a day those of jobs that only look (preview, validate, verify, cleanup), the others after
/// ninety days.
fn remove_old_jobs(config: &Config) -> u64 {
    let day = std::time::Duration::from_secs(24 * 3600);
    JobFolder::all(config)
        .into_iter()
        .filter(|folder| {
            let Ok(status) = folder.status() else { return false };
            let keep = match status.kind {
                Kind::Restore | Kind::Rollback | Kind::Snapshot | Kind::Rehearse => day * 90,
                _ => day,
            };
            let age = std::fs::metadata(folder.join(file::REPORT)).and_then(|meta| meta.modified());
            status.state.is_final()
                && status.state != crate::job::State::NeedsOperator
                && age.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > keep))
                && place::remove(folder.path(), &Silent).is_ok()
        })
        .count() as u64
}
