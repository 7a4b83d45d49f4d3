//! The main of a worker process: one job from its ticket to its report.

pub mod admit;
pub mod notify;
pub mod recovery;
pub mod spawn;

use crate::api::answer::jobs::Recovery;
use crate::api::request::{Priority, Request};
use crate::config::Config;
use crate::disk::{Durable, private_folder, unlock, write_file};
use crate::engine;
use crate::engine::inspect;
use crate::engine::leftovers::cleanup;
use crate::engine::recovery::Staging;
use crate::error::panic_text;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::process;
use crate::job::ending::{Ending, Reached, Report};
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::DomainLock;
use crate::job::monitor::JobMonitor;
use crate::job::status::Status;
use crate::job::ticket::Ticket;
use crate::job::{Kind, State};
use crate::path::Domain;
use crate::progress::{Level, Monitor};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Runs the job of a folder to its end. `lock` and `alive` are held until its state is final.
///
/// # Errors
/// Only when the job cannot even be reported on.
pub fn run(path: &Path, lock: Option<OwnedFd>, alive: OwnedFd) -> Result<()> {
    process::hide_memory();
    process::watch_signals();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let folder = JobFolder::at(path)?;
    let ticket = folder.ticket()?;
    let lock = match (&ticket.domain, lock) {
        (Some(domain), Some(handed)) => Some(DomainLock::adopt(&ticket.config, domain, handed)?),
        _ => None,
    };
    if wants_politeness(&ticket) {
        process::be_polite();
    }
    let limit = Duration::from_secs(ticket.config.limits.restore_timeout_s);
    let log = open_log(&ticket)?;
    folder.reserve();
    let monitor = Arc::new(JobMonitor::new(&folder, &ticket, log, Some(limit))?);
    let ticking = Arc::new(AtomicBool::new(true));
    let ticker = spawn_ticker(&monitor, &ticking);

    let shared: Arc<dyn Monitor> = monitor.clone();
    let mut lock = lock;
    let ending =
        std::panic::catch_unwind(AssertUnwindSafe(|| dispatch(&folder, &ticket, &monitor, &shared, &mut lock)))
            .unwrap_or_else(|panic| after_panic(&folder, &ticket, &shared, &*panic))
            .in_phase(monitor.status().state.word());

    log_ending(&ticket, &monitor, &ending);
    ticking.store(false, Ordering::Relaxed);
    ticker.thread().unpark();
    let _ = ticker.join();
    folder.release();
    // The report is written before the final state, and the lock is freed last: a reader that sees the final state finds the result.
    write_report(&folder, &ending);
    if ending.state() == State::Done {
        learn(&ticket, &monitor);
    }
    monitor.lower_fence();
    // If an operator is needed, the lock goes on naming the job. It is released all the same before anybody is notified.
    let named = match (&ending, lock) {
        (Ending::NeedsOperator(_), lock) => lock,
        (_, lock) => {
            let _ = lock.map(DomainLock::finish);
            None
        }
    };
    monitor.enter(ending.state());
    // The process that started this one in a scope of systemd has these too, and waits for its end.
    if let Some(named) = named {
        named.free();
    }
    unlock(&alive);
    drop(alive);
    notify::send(&ticket, &ending, monitor.as_ref());
    engine::hooks::ended(&folder, &ticket, &ending, monitor.as_ref());
    Ok(())
}

fn dispatch(
    folder: &JobFolder,
    ticket: &Ticket,
    monitor: &Arc<JobMonitor>,
    shared: &Arc<dyn Monitor>,
    lock: &mut Option<DomainLock>,
) -> Ending {
    if let Some(lock) = lock
        && let Err(error) = folder.persist().and_then(|()| lock.persist())
    {
        return Ending::after(Reached::Planning, true, error);
    }
    monitor.enter(State::Planning);
    let config = &ticket.config;
    match &ticket.request {
        Request::RestoreStart(request) if !request.dry_run => {
            engine::restore::restore(folder, ticket, request, monitor)
        }
        Request::RestoreStart(request) | Request::Validate(request) => {
            Ending::of(inspect::validate(config, folder, request, shared))
        }
        Request::Rehearse(request) => engine::restore::rehearse(folder, ticket, request, monitor),
        Request::Rollback(request) => engine::restore::rollback(folder, ticket, request, monitor),
        Request::PreviewBackup(request) => Ending::of(inspect::preview(config, folder, request, shared)),
        Request::DiffBackup(request) => Ending::of(inspect::diff::run(config, folder, request, shared)),
        Request::CreateSnapshot(request) => {
            Ending::of(inspect::create_snapshot(config, folder, &request.domain, shared))
        }
        Request::DeleteSnapshot(request) => {
            Ending::of(cleanup::delete_snapshot(config, &request.domain, &request.snapshot, shared))
        }
        Request::Verify(request) => Ending::of(inspect::verify(config, folder, &request.domain, shared)),
        Request::Cleanup(request) => Ending::of(cleanup::run(config, request.domain.as_ref(), shared)),
        Request::Recover(request) => Ending::of(recover(config, request.domain.as_ref(), lock.take(), shared)),
        Request::ListDomains(_)
        | Request::ListBackups(_)
        | Request::ListSnapshots(_)
        | Request::RestorePoll(_)
        | Request::RestoreCancel(_)
        | Request::ListJobs(_)
        | Request::ListLogs(_)
        | Request::ListDrills(_)
        | Request::ReadLog(_) => {
            let error = Error::new(Code::Internal, format!("{} is no work for a worker", ticket.request.name()));
            Ending::after(Reached::Planning, true, error)
        }
    }
}

/// With a lock, recovers the job that the lock names; without one, every job that a crash left unfinished.
fn recover(
    config: &Config,
    domain: Option<&Domain>,
    lock: Option<DomainLock>,
    monitor: &Arc<dyn Monitor>,
) -> Result<Recovery> {
    let (Some(lock), Some(domain)) = (lock, domain) else { return recovery::run(config, domain, monitor) };
    let done = recovery::finish_dead(config, domain, lock, Staging::SetAside, monitor)?;
    Ok(Recovery { recovered: done.into_iter().collect(), busy: Vec::new(), orphans: Vec::new() })
}

fn wants_politeness(ticket: &Ticket) -> bool {
    match &ticket.request {
        Request::RestoreStart(request) => request.options.priority == Priority::Polite,
        Request::Rollback(_) | Request::Recover(_) => false,
        _ => true,
    }
}

fn after_panic(
    folder: &JobFolder,
    ticket: &Ticket,
    monitor: &Arc<dyn Monitor>,
    panic: &(dyn std::any::Any + Send),
) -> Ending {
    let said = panic_text(panic);
    monitor.event(Level::Error, &format!("defect: {said}"));
    let error = Error::new(Code::Panic, format!("the worker met a defect: {said}"));
    match ticket.kind {
        Kind::Restore | Kind::Rollback | Kind::Rehearse => {
            match engine::recovery::recover(folder, ticket, Staging::Remove, monitor) {
                Ending::NeedsOperator(why) => Ending::NeedsOperator(why),
                Ending::Failed(_) => Ending::Failed(error),
                // The change-over was finished, and the site stands up.
                Ending::Done(report) => Ending::Done(report),
                _ => Ending::RolledBack(error),
            }
        }
        _ => Ending::after(Reached::Planning, true, error),
    }
}

fn spawn_ticker(monitor: &Arc<JobMonitor>, ticking: &Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (monitor, ticking) = (monitor.clone(), ticking.clone());
    std::thread::spawn(move || {
        while ticking.load(Ordering::Relaxed) {
            monitor.tick();
            if !monitor.is_still_ours() {
                // This worker was taken for dead, and another process recovers its job: any further action here would be done twice.
                std::process::exit(i32::from(Code::Busy.number()));
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
    })
}

fn learn(ticket: &Ticket, monitor: &JobMonitor) {
    if ticket.kind == Kind::Restore {
        let rates = crate::job::estimate::Rates::load(&ticket.config);
        rates.learned(|phase| monitor.taken(phase)).save(&ticket.config);
    }
}

/// Writes report and final status of a job whose own worker could not.
pub fn conclude(folder: &JobFolder, ticket: &Ticket, ending: &Ending) {
    folder.release();
    write_report(folder, ending);
    let mut status = folder.status().unwrap_or_else(|_| Status::queued(ticket));
    status.state = ending.state();
    status.remaining_s = Some(0.0);
    let _ = folder.write(file::STATUS, &status);
    write_failed_log(ticket, ending);
}

fn write_report(folder: &JobFolder, ending: &Ending) {
    // On a full disk the status still tells the end.
    let _ = folder.write(file::REPORT, &Report::of(ending));
}

/// The domain of a job that has a log, and where that is.
fn log_of(ticket: &Ticket, failed: bool) -> Option<(&Domain, PathBuf)> {
    let domain = ticket.domain.as_ref()?;
    Some((domain, crate::job::logs::path(&ticket.config, domain, ticket.kind, &ticket.job, failed)?))
}

fn open_log(ticket: &Ticket) -> Result<Option<File>> {
    let Some((domain, path)) = log_of(ticket, false) else { return Ok(None) };
    private_folder(path.parent().unwrap_or(Path::new("/")))?;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .doing(|| format!("create the log {}", path.display()))?;
    let mut log = file.try_clone().doing(|| format!("open the log {}", path.display()))?;
    let _ = writeln!(
        log,
        "Job:    {}\nDomain: {domain}\nKind:   {:?}\nStart:  {}\n",
        ticket.job, ticket.kind, ticket.created
    );
    Ok(Some(file))
}

fn log_ending(ticket: &Ticket, monitor: &JobMonitor, ending: &Ending) {
    let took = monitor.elapsed().as_secs_f64();
    match ending.error() {
        None => monitor.event(Level::Info, &format!("done after {took:.1} s")),
        Some(error) => {
            monitor.event(Level::Error, &format!("{} ({}): {}", error.message, error.code.name(), error.hint));
            monitor.event(Level::Error, &format!("ended as {} after {took:.1} s", ending.state().word()));
        }
    }
    write_failed_log(ticket, ending);
}

/// `..._failed.log`: phase, error, time, next step, then the whole log.
fn write_failed_log(ticket: &Ticket, ending: &Ending) {
    let (Some((_, log)), Some((_, failed))) = (log_of(ticket, false), log_of(ticket, true)) else { return };
    let Some(error) = ending.error() else { return };
    let phase = error.context.get("phase").and_then(Value::as_str).unwrap_or("recovery");
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let text = format!(
        "Phase:  {phase}\nError:  {} ({})\nTime:   {}\nResult: {}\nNext:   {}\n\n{log}",
        crate::text::printable(&error.message),
        error.code.name(),
        crate::clock::now().strftime("%Y-%m-%d %H:%M:%S"),
        ending.state().word(),
        error.hint,
    );
    let _ = write_file(&failed, text.as_bytes(), Durable::Nothing);
}
