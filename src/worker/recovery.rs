//! Finds jobs whose worker died, and finishes or undoes them. Every call looks for them; a worker acts.

use crate::api::answer::jobs::{RecoveredJob, Recovery};
use crate::api::request::{AnyDomain, Request};
use crate::config::Config;
use crate::engine;
use crate::engine::leftovers::resume;
use crate::engine::machine::Hosts;
use crate::engine::recovery::Staging;
use crate::error::{Code, Error, Result};
use crate::job::ending::{Ending, Reached};
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::{self, DomainLock, claimed};
use crate::job::{JobId, Kind, State};
use crate::path::Domain;
use crate::progress::{Level, Monitor};
use crate::worker::conclude;
use crate::worker::spawn;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts a recovery for every domain whose lock is free but names an unfinished job. Cheap when there is none.
/// Jobs that need an operator are left to an explicit `rv_recover` or the next start.
pub fn kick(config: &Config) -> Vec<JobId> {
    claimed(config).iter().filter_map(|domain| start(config, domain, false).ok().flatten()).collect()
}

/// Starts a recovery for one domain; `None` when there is nothing to recover or a worker is at work.
///
/// # Errors
/// As [`spawn::start`].
pub fn start(config: &Config, domain: &Domain, operator_came: bool) -> Result<Option<JobId>> {
    let Some(mut lock) = DomainLock::try_take(config, domain)? else { return Ok(None) };
    let Some(dead) = lock.holder() else { return Ok(None) };
    let state = JobFolder::open(config, &dead).and_then(|folder| folder.status()).map(|status| status.state);
    match state {
        Ok(State::NeedsOperator) if !operator_came => Ok(None),
        // Only the last step, the release of the lock, was missing.
        Ok(state) if state.is_final() && state != State::NeedsOperator => {
            lock.finish()?;
            Ok(None)
        }
        _ => {
            let request = AnyDomain { domain: Some(domain.clone()), ..AnyDomain::default() };
            spawn::start(config, Request::Recover(request), Some(lock)).map(Some)
        }
    }
}

/// Recovers every domain that needs it, or the one named; used by a worker.
///
/// # Errors
/// `needs_operator` when a domain could not be brought to one side; the others are recovered all the same. `busy` when the named
/// one has a worker.
pub fn run(config: &Config, domain: Option<&Domain>, monitor: &Arc<dyn Monitor>) -> Result<Recovery> {
    let mut domains = domain.map_or_else(|| claimed(config), |domain| vec![domain.clone()]);
    domains.extend(resume::all(config, domain).into_iter().map(|found| found.plan.domain));
    domains.sort();
    domains.dedup();
    let (mut recovered, mut busy, mut stuck) = (Vec::new(), Vec::new(), None);
    for each in domains {
        match take_after_others(config, &each)? {
            Some(lock) => match undo_or_finish(config, &each, lock, monitor) {
                Ok(done) => recovered.extend(done),
                Err(error) => {
                    monitor.event(Level::Error, &format!("{each}: {}", error.message));
                    stuck.get_or_insert(error);
                }
            },
            None if domain.is_some() => {
                return Err(Error::new(
                    Code::Busy,
                    format!("a worker is at work on {each}: there is nothing to recover"),
                )
                .with("domain", each.as_str()));
            }
            None => {
                monitor.event(Level::Info, &format!("{each}: a job is at work, nothing to recover"));
                busy.push(each);
            }
        }
    }
    let orphans = if domain.is_none() { remove_loaders(config, monitor.as_ref()) } else { Vec::new() };
    stuck.map_or(Ok(Recovery { recovered, busy, orphans }), Err)
}

/// Removes the shadow schemas and accounts of ended jobs that could not remove them because their server was away.
fn remove_loaders(config: &Config, monitor: &dyn Monitor) -> Vec<String> {
    let Some(database) = Hosts::database_if_any(config) else { return Vec::new() };
    engine::leftovers::orphans::remove_loaders(config, database.as_ref(), monitor).unwrap_or_else(|error| {
        monitor.event(Level::Warn, &format!("{}; the next cleanup removes it", error.message));
        Vec::new()
    })
}

/// How long a recovery that was asked for waits for one that began by itself. The latter sets the staging aside; the former has to
/// remove it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the lock of a domain. If another recovery has it, this waits for that one to end.
fn take_after_others(config: &Config, domain: &Domain) -> Result<Option<DomainLock>> {
    let until = Instant::now() + PATIENCE;
    loop {
        match DomainLock::try_take(config, domain)? {
            Some(lock) => return Ok(Some(lock)),
            None if is_at_work(config, domain) || Instant::now() > until => return Ok(None),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// The lock is held by the worker of the job it names: not by a recovery of that job. A lock without a name is only being looked
/// at, or its job has just been finished; it is free in a moment.
pub fn is_at_work(config: &Config, domain: &Domain) -> bool {
    lock::named(config, domain)
        .and_then(|job| JobFolder::open(config, &job).ok())
        .is_some_and(|folder| !folder.has_no_worker())
}

/// Finishes or undoes the job named in the lock, and removes the staging of earlier jobs that was set aside.
fn undo_or_finish(
    config: &Config,
    domain: &Domain,
    mut lock: DomainLock,
    monitor: &Arc<dyn Monitor>,
) -> Result<Vec<RecoveredJob>> {
    let mut done = Vec::new();
    if lock.holder().is_some() {
        done.extend(finish_dead(config, domain, lock, Staging::Remove, monitor)?);
        let Some(again) = DomainLock::try_take(config, domain)? else { return Ok(done) };
        lock = again;
    }
    if lock.holder().is_none() {
        for found in resume::all(config, Some(domain)) {
            found.discard(None, monitor.as_ref())?;
            monitor.event(Level::Info, &format!("{domain}: what job {} had staged was removed", found.job()));
            // The state of that job stays as it was reported.
            let state = State::after(Reached::Staging, false);
            done.push(RecoveredJob { domain: domain.clone(), job: found.job().clone(), state });
        }
    }
    Ok(done)
}

/// Finishes or undoes the job named in a lock, then frees the lock.
///
/// # Errors
/// `needs_operator`, `journal_corrupt`: the lock then goes on naming the job.
pub fn finish_dead(
    config: &Config,
    domain: &Domain,
    mut lock: DomainLock,
    staging: Staging,
    monitor: &Arc<dyn Monitor>,
) -> Result<Option<RecoveredJob>> {
    let Some(dead) = lock.holder() else { return Ok(None) };
    monitor.event(Level::Info, &format!("{domain}: job {dead} was left unfinished by its worker"));
    let folder = match JobFolder::open(config, &dead) {
        Ok(folder) => folder,
        // The worker was killed before its folder was on disk: it cannot have done anything either.
        Err(error) if error.code == Code::JobNotFound => {
            lock.finish()?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    require_dead(&folder, &dead)?;
    // From here on its worker, should there still be one, finds another epoch and ends.
    lock.claim(&dead)?;
    lock.persist()?;
    let ticket = match folder.ticket() {
        // The power failed before its worker began: the first thing a worker does is to make its ticket durable.
        Err(error) if !folder.join(file::JOURNAL).exists() => {
            monitor.event(Level::Warn, &format!("{domain}: job {dead} had not begun ({})", error.message));
            lock.finish()?;
            return Ok(None);
        }
        ticket => ticket?,
    };
    let ending = match ticket.kind {
        Kind::Restore | Kind::Rollback | Kind::Rehearse => {
            engine::recovery::recover(&folder, &ticket, staging, monitor)
        }
        _ => {
            let error = Error::new(Code::WorkerDied, format!("the worker of job {dead} ended before its work"));
            Ending::after(Reached::Planning, true, error)
        }
    };
    conclude(&folder, &ticket, &ending);
    let state = ending.state();
    monitor.event(Level::Info, &format!("{domain}: job {dead} is now {}", state.word()));
    let is_stuck = matches!(ending, Ending::NeedsOperator(_));
    if is_stuck {
        lock.free();
    } else {
        lock.finish()?;
    }
    engine::hooks::ended(&folder, &ticket, &ending, monitor.as_ref());
    if let Ending::NeedsOperator(error) = ending {
        return Err(error);
    }
    Ok(Some(RecoveredJob { domain: domain.clone(), job: dead, state }))
}

/// Refuses a job whose worker still lives. The lock of its domain is free, but somebody may have removed the domain's lock file:
/// so the lock that a worker holds as long as it lives has to be free too. A killed process releases one before the other.
fn require_dead(folder: &JobFolder, dead: &JobId) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(2);
    while !folder.has_no_worker() {
        if Instant::now() > until {
            return Err(Error::new(
                Code::Busy,
                format!("the worker of job {dead} still lives, although its domain is not locked"),
            )
            .hint(format!("Wait for it (`rocketvps-restore wait {dead}`) or end its process."))
            .with("job", dead.as_str()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
