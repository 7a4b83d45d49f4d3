//! Goes on with a restore whose worker died while it staged.
//!
//! A recovery that nobody asked for by name sets the staging aside: nothing live was touched, and hours of work may be in it.
//! The same restore, started again, goes on with it: files that are whole are not written again, tables that are loaded to their
//! last row stay. Any other restore of the domain, `rv_recover`, and time remove it.

use crate::api::request::Request;
use crate::backup::identity::Identity;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::leftovers::discard;
use crate::engine::machine::Hosts;
use crate::engine::preflight::plan_token;
use crate::error::{Code, Error, Result};
use crate::host::database::Database;
use crate::job::JobId;
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::ticket::Ticket;
use crate::path::Domain;
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use serde_json::Value;
use std::time::Duration;

/// Marks the folder of a job whose staging was set aside.
const MARK: &str = "set_aside";

/// A job whose staging was set aside.
pub struct SetAside {
    folder: JobFolder,
    ticket: Ticket,
    /// The plan of the job; its tree and its shadow schema are there.
    pub plan: Plan,
}

impl SetAside {
    /// The job.
    pub fn job(&self) -> &JobId {
        &self.ticket.job
    }

    /// Removes its staging.
    ///
    /// # Errors
    /// `io_failed`, `database_unreachable`; it is still marked then.
    pub fn discard(&self, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<()> {
        // The database may take no part in the job that asks.
        let own = match (database, &self.plan.database) {
            (None, Some(_)) => Hosts::database_if_any(&self.ticket.config),
            _ => None,
        };
        let database = database.or(own.as_deref());
        if database.is_none() && self.plan.database.is_some() {
            return Err(Error::new(
                Code::DatabaseUnreachable,
                format!("what job {} had loaded cannot be dropped without the database server", self.job()),
            ));
        }
        discard::remains(&self.plan, database, monitor)?;
        self.forget()
    }

    /// Removes the mark: another job has taken the staging over.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn forget(&self) -> Result<()> {
        crate::host::place::remove(&self.folder.join(MARK), &Silent)
    }

    /// Whether its request is the same, for a backup at the same path, under the same config.
    fn is_same_as(&self, ticket: &Ticket, source: &Source) -> bool {
        self.plan.source == source.path.display().to_string() && wish(&self.ticket) == wish(ticket)
    }
}

fn wish(ticket: &Ticket) -> Option<(String, Value)> {
    let Request::RestoreStart(request) = &ticket.request else { return None };
    let mut config = serde_json::to_value(&ticket.config).ok()?;
    // The paths of helper and broker do not change the result.
    let paths = config.get_mut("paths")?.as_object_mut()?;
    for key in ["helper", "broker", "access"] {
        paths.remove(key);
    }
    // What is accepted says whether it begins, not what comes of it.
    config.get_mut("mysql")?.as_object_mut()?.remove("accept");
    config.get_mut("limits")?.as_object_mut()?.remove("change_over_wait_s");
    Some((plan_token::wish(request), config))
}

/// Writes the list of files that a job reads, before it reads them.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn remember_source(folder: &JobFolder, source: &Source) -> Result<()> {
    folder.write(file::SOURCE, &source.identities())
}

/// Whether a restore can go on with the staging of a dead job.
pub fn is_possible(folder: &JobFolder, plan: &Plan) -> bool {
    plan.from_snapshot.is_none() && folder.join(file::SOURCE).exists() && plan.stage.exists()
}

/// Sets the staging of a dead job aside. Its account, and the things that it had begun for its change-over, are removed.
///
/// # Errors
/// `io_failed`, `database_unreachable`.
pub fn set_aside(
    folder: &JobFolder,
    plan: &Plan,
    database: Option<&dyn Database>,
    monitor: &dyn Monitor,
) -> Result<()> {
    discard::unstaged(plan, database, monitor)?;
    folder.write(MARK, &plan.job)
}

/// Whether the staging of this job was set aside.
pub fn is_set_aside(folder: &JobFolder) -> bool {
    folder.join(MARK).exists()
}

/// Every job whose staging was set aside, newest first; of one domain where it is given.
pub fn all(config: &Config, domain: Option<&Domain>) -> Vec<SetAside> {
    JobFolder::all(config)
        .into_iter()
        .filter(is_set_aside)
        .filter_map(|folder| {
            let (ticket, plan) = (folder.ticket().ok()?, folder.read::<Plan>(file::PLAN).ok()?);
            Some(SetAside { folder, ticket, plan })
        })
        .filter(|found| domain.is_none_or(|domain| *domain == found.plan.domain))
        .collect()
}

/// The interrupted job with which a restore that begins can go on: the newest one with the same request. The staging of all others of
/// the domain is removed.
///
/// # Errors
/// `backup_changed` when the backup is not the one that was being restored; started once more, the restore begins anew.
pub fn find(
    ticket: &Ticket,
    domain: &Domain,
    source: &Source,
    database: Option<&dyn Database>,
    monitor: &dyn Monitor,
) -> Result<Option<SetAside>> {
    let mut chosen: Option<SetAside> = None;
    for found in all(&ticket.config, Some(domain)) {
        if chosen.as_ref().is_some_and(|chosen| chosen.plan.stage == found.plan.stage) {
            // The worker of that job died while it went on with the staging of this one.
            found.forget()?;
            continue;
        }
        if chosen.is_some() || !found.is_same_as(ticket, source) {
            monitor.event(Level::Info, &format!("what job {} had staged is not wanted and is removed", found.job()));
            found.discard(database, monitor)?;
            continue;
        }
        let earlier: Vec<Identity> = found.folder.read(file::SOURCE)?;
        if let Err(error) = source.same_as(&earlier) {
            found.discard(database, monitor)?;
            return Err(error
                .hint("The interrupted restore cannot go on with another backup; what it had staged was removed. Start it once more to begin anew.")
                .with("interrupted", found.job().as_str()));
        }
        chosen = Some(found);
    }
    Ok(chosen)
}

/// Removes staging that was set aside longer ago than `limits.snapshot_retention_h`.
///
/// # Errors
/// As [`SetAside::discard`].
pub fn expire(
    config: &Config,
    domain: &Domain,
    database: Option<&dyn Database>,
    monitor: &dyn Monitor,
) -> Result<Vec<JobId>> {
    let kept = Duration::from_secs(config.limits.snapshot_retention_h * 3600);
    let mut removed = Vec::new();
    for found in all(config, Some(domain)) {
        let since = std::fs::metadata(found.folder.join(MARK)).and_then(|meta| meta.modified());
        if since.is_ok_and(|since| since.elapsed().is_ok_and(|age| age > kept)) {
            found.discard(database, monitor)?;
            removed.push(found.job().clone());
        }
    }
    Ok(removed)
}
