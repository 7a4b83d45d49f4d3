//! The calls: one request in, one answer out. What the C functions and the helper's words both come to.
//!
//! A request is parsed and the configuration is read once, in [`run`]; past that, no function knows of JSON.

pub mod pause;

use crate::api;
use crate::api::answer::Answer;
use crate::api::answer::backups::{Backups, Domains};
use crate::api::answer::drills::Drills;
use crate::api::answer::jobs::{Begun, Cancelled, Finished, JobInfo, JobStatus, Jobs, Logs};
use crate::api::answer::snapshots::Snapshots;
use crate::api::request::{AnyDomain, DeleteSnapshot, Diff, OneDomain, OneJob, Preview, Request, Restore, Rollback};
use crate::call::pause::Pause;
use crate::config::Config;
use crate::drills::history;
use crate::engine::inspect;
use crate::engine::leftovers::resume;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::site::Site;
use crate::job::ending::Report;
use crate::job::events::Events;
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::status::Status;
use crate::job::{JobId, Kind, State, logs};
use crate::path::Domain;
use crate::plan::Selection;
use crate::worker::admit::admit;
use crate::worker::{recovery, spawn};
use crate::{backup, snapshot};
use serde::Serialize;
use serde_json::Value;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// The names of the calls; `rv_` before them gives the C function.
pub const NAMES: &[&str] = Request::NAMES;

/// Runs a call and gives its document; failures are documents too.
pub fn call(name: &str, request: &str) -> Value {
    match answer(name, request) {
        Ok(data) => api::success(&data),
        Err(error) => api::failure(&error),
    }
}

/// Runs a call and gives its data.
///
/// # Errors
/// Those of the call.
pub fn answer(name: &str, request: &str) -> Result<Value> {
    written(&run(Request::parse(name, request)?)?)
}

pub(crate) fn written(answer: &impl Serialize) -> Result<Value> {
    serde_json::to_value(answer)
        .map_err(|error| Error::new(Code::Internal, format!("the answer cannot be written as JSON: {error}")))
}

/// Answers a request under its configuration and, where asked, waits for the result of its job.
///
/// # Errors
/// Those of the call.
pub fn run(request: Request) -> Result<Answer> {
    let config = Config::of(request.config())?;
    let waits = request.waits();
    match start(&config, request)? {
        Answer::Begun(begun) if waits => wait(&config, &begun.job).map(Answer::Waited),
        answer => Ok(answer),
    }
}

/// Answers a request under `config`, and waits for no job. Dead workers are looked for first, and recovered.
///
/// # Errors
/// Those of the call.
pub fn start(config: &Config, request: Request) -> Result<Answer> {
    carry_out(config, checked(config, request)?)
}

/// The request, where a job of it may begin as far as that is seen at once; a rollback with its domain. Dead workers are looked for
/// first, and recovered.
///
/// # Errors
/// Those that [`start`] gives before it begins a job.
pub fn checked(config: &Config, request: Request) -> Result<Request> {
    // A recovery that was asked for would find its domains taken by those that are started here.
    if !matches!(request, Request::Recover(_)) {
        recovery::kick(config);
    }
    match &request {
        Request::Validate(asked) | Request::Rehearse(asked) | Request::RestoreStart(asked) => {
            check_restore(config, asked)?;
        }
        Request::DiffBackup(asked) if asked.job.is_none() => check_restore(config, &asked.restore()?)?,
        Request::CreateSnapshot(asked) => check_site(config, asked)?,
        Request::DeleteSnapshot(asked) => check_snapshot(config, asked)?,
        Request::Rollback(asked) => {
            let domain = domain_of_rollback(config, asked)?;
            return Ok(Request::Rollback(Rollback { domain: Some(domain), ..asked.clone() }));
        }
        _ => {}
    }
    Ok(request)
}

/// Answers a request that [`checked`] gave.
///
/// # Errors
/// Those of the call.
pub fn carry_out(config: &Config, request: Request) -> Result<Answer> {
    match &request {
        Request::ListDomains(_) => list_domains(config),
        Request::ListBackups(asked) => list_backups(config, asked),
        Request::ListSnapshots(asked) => list_snapshots(config, asked),
        Request::RestorePoll(asked) => restore_poll(config, asked),
        Request::RestoreCancel(asked) => restore_cancel(config, asked),
        Request::ListJobs(asked) => list_jobs(config, asked),
        Request::ListLogs(asked) => list_logs(config, asked),
        Request::ListDrills(asked) => list_drills(config, asked),
        Request::ReadLog(asked) => Ok(Answer::LogText(logs::read(config, &asked.domain, &asked.name, asked.offset)?)),
        Request::PreviewBackup(asked) => match preview_known(config, asked)? {
            Some(known) => Ok(known),
            None => begin(config, request),
        },
        Request::DiffBackup(asked) => match page(config, asked)? {
            Some(page) => Ok(page),
            None => begin(config, request),
        },
        Request::Rollback(_)
        | Request::Validate(_)
        | Request::Rehearse(_)
        | Request::RestoreStart(_)
        | Request::CreateSnapshot(_)
        | Request::DeleteSnapshot(_)
        | Request::Verify(_)
        | Request::Cleanup(_)
        | Request::Recover(_) => begin(config, request),
    }
}

/// Takes the domain where the job needs it, and starts the worker.
fn begin(config: &Config, request: Request) -> Result<Answer> {
    let lock = request.kind().map(|kind| admit(config, request.domain(), kind)).transpose()?.flatten();
    let job = spawn::start(config, request, lock)?;
    Ok(Answer::Begun(Begun { job }))
}

fn list_domains(config: &Config) -> Result<Answer> {
    Ok(Answer::Domains(Domains { domains: inspect::domains::domains(config)? }))
}

fn list_backups(config: &Config, asked: &OneDomain) -> Result<Answer> {
    let backups = backup::list(config, &asked.domain)?;
    Ok(Answer::Backups(Backups { domain: asked.domain.clone(), backups }))
}

fn list_snapshots(config: &Config, asked: &OneDomain) -> Result<Answer> {
    let snapshots = snapshot::list(config, &asked.domain)?;
    Ok(Answer::Snapshots(Snapshots { domain: asked.domain.clone(), snapshots }))
}

/// A preview out of what is known; `None` where a job has to find it out.
fn preview_known(config: &Config, asked: &Preview) -> Result<Option<Answer>> {
    if let Some(tree) = &asked.tree {
        tree.check()?;
    }
    if let Some(result) = inspect::preview_known(config, asked) {
        return Ok(Some(Answer::Preview(Box::new(Finished { result, job: None }))));
    }
    backup::locate::probe(config, &asked.domain, &asked.backup, asked.dump.as_deref())?;
    Ok(None)
}

/// A page of what a finished comparison found; `None` where a comparison is asked for.
fn page(config: &Config, asked: &Diff) -> Result<Option<Answer>> {
    let Some(job) = &asked.job else { return Ok(None) };
    let folder = JobFolder::open(config, &JobId::parse(job)?)?;
    let part = asked.part.ok_or_else(|| {
        Error::new(Code::BadRequest, "request: missing field `part`")
            .hint("`part` is one of files, tables, config and rows.")
    })?;
    inspect::diff::page(&folder, part, asked.offset, asked.limit).map(Answer::Page).map(Some)
}

fn check_restore(config: &Config, asked: &Restore) -> Result<()> {
    Selection::of(asked)?;
    if let Some(snapshot) = &asked.snapshot {
        snapshot::check_path(config, &asked.domain, snapshot)?;
    }
    backup::locate::probe(config, &asked.domain, &asked.backup, asked.dump.as_deref())
}

fn check_site(config: &Config, asked: &OneDomain) -> Result<()> {
    let root = Site::find(config, &asked.domain)?.folder;
    if root.exists() {
        return Ok(());
    }
    Err(Error::new(Code::UnknownDomain, format!("{} does not exist", root.display())))
}

fn check_snapshot(config: &Config, asked: &DeleteSnapshot) -> Result<()> {
    snapshot::check_path(config, &asked.domain, &asked.snapshot)
}

/// Whose site is brought back: a job says it by itself, a snapshot needs its domain.
fn domain_of_rollback(config: &Config, asked: &Rollback) -> Result<Domain> {
    match (&asked.job, &asked.snapshot) {
        (Some(job), None) => changed_by(config, &JobId::parse(job)?, asked.domain.as_ref()),
        (None, Some(snapshot)) => {
            let domain = asked.domain.clone().ok_or_else(|| {
                Error::new(Code::BadRequest, "request: missing field `domain`")
                    .hint("A snapshot belongs to a domain: name it. Only a `job` says by itself whose it is.")
            })?;
            snapshot::check_path(config, &domain, snapshot)?;
            Ok(domain)
        }
        _ => Err(Error::new(Code::BadRequest, "give either `job` or `snapshot`")
            .hint("`job` goes back to the state before that job, `snapshot` to the state it holds.")),
    }
}

/// The domain whose site a job changed. One that the caller names has to be the same.
fn changed_by(config: &Config, job: &JobId, named: Option<&Domain>) -> Result<Domain> {
    let ticket = JobFolder::open(config, job)?.ticket()?;
    let (Kind::Restore | Kind::Rollback, Some(domain)) = (ticket.kind, ticket.domain) else {
        let message = format!("job {job} changed no site: there is no state before it");
        return Err(Error::new(Code::SnapshotNotFound, message)
            .hint("`rocketvps-restore jobs` says what each job did; name a restore or a rollback.")
            .with("job", job.as_str()));
    };
    match named {
        Some(named) if *named != domain => {
            let message = format!("job {job} changed {domain}, and the request names {named}");
            Err(Error::new(Code::BadRequest, message)
                .hint("Leave `domain` out, or name a job of that domain: `rocketvps-restore jobs DOMAIN` lists them.")
                .with("job", job.as_str())
                .with("domain", domain.as_str()))
        }
        _ => Ok(domain),
    }
}

fn restore_poll(config: &Config, asked: &OneJob) -> Result<Answer> {
    let status = status(config, &JobId::parse(&asked.job)?, asked.since)?;
    Ok(Answer::Status(Box::new(status)))
}

/// The status of a job with the events after `since`, and its result or error once it has ended.
///
/// # Errors
/// `job_not_found`, `io_failed`.
pub fn status(config: &Config, job: &JobId, since: u64) -> Result<JobStatus> {
    Watch::of(config, job, since)?.status(config)
}

/// A job that somebody looks at again and again.
#[derive(Debug)]
pub struct Watch {
    job: JobId,
    folder: JobFolder,
    events: Events,
}

impl Watch {
    /// A job, from the events after `since` on.
    ///
    /// # Errors
    /// `job_not_found`.
    pub fn of(config: &Config, job: &JobId, since: u64) -> Result<Watch> {
        let folder = JobFolder::open(config, job)?;
        Ok(Watch { job: job.clone(), events: Events::after(&folder, since), folder })
    }

    /// How it stands now, with what happened since the last look.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn status(&mut self, config: &Config) -> Result<JobStatus> {
        let job = &self.job;
        let mut status = self.folder.status()?;
        let report = if !status.state.is_final() && is_dead(&self.folder, &mut status) {
            let error = Error::new(Code::WorkerDied, format!("the worker of job {job} ended before its work"));
            status.state = State::Failed;
            Some(Report { state: State::Failed, result: None, error: Some(error) })
        } else {
            // Only now: the second look may have found the end that the first did not.
            status.state.is_final().then(|| self.folder.read::<Report>(file::REPORT).ok()).flatten()
        };
        // The status names the newest event, except those of a worker that died after its last word, or that could tell nobody of the end.
        let is_news = status.state.is_final() || status.last_event > self.events.seen();
        let events = if is_news { self.events.more() } else { Vec::new() };
        status.last_event = events.last().map_or(0, |event| event.seq).max(status.last_event);
        let (result, error) = report.map_or((None, None), |report| (report.result, report.error));
        let log = status.domain.as_ref().and_then(|domain| logs::of_job(config, domain, status.kind, job));
        Ok(JobStatus { status, log, events, result, error })
    }
}

/// Whether nobody works on an unfinished job and nobody will: exclusive jobs are taken up by the recovery.
fn is_dead(folder: &JobFolder, status: &mut Status) -> bool {
    if status.kind.is_exclusive() {
        return false;
    }
    let free = folder.has_no_worker();
    // It may have ended between the two looks.
    if free && let Ok(now) = folder.status() {
        *status = now;
    }
    free && !status.state.is_final()
}

/// Waits for the end of a job and gives its result.
///
/// # Errors
/// The job's own error, with `job` and `state` in its context.
pub fn wait(config: &Config, job: &JobId) -> Result<Value> {
    let mut watch = Watch::of(config, job, u64::MAX)?;
    let mut looked = Instant::now();
    let mut pause = Pause::default();
    let mut is_reported = false;
    loop {
        let status = watch.status(config)?;
        if status.status.state.is_final() {
            return finished(job, status);
        }
        // The worker of the awaited job may die too.
        if looked.elapsed() > Duration::from_secs(1) {
            recovery::kick(config);
            looked = Instant::now();
        }
        // Its report, which comes just before the final status, is cheaper to look for; without one, a whole look every second.
        while !is_reported && looked.elapsed() < Duration::from_secs(1) {
            pause.take();
            if watch.folder.has_report() {
                (is_reported, pause) = (true, Pause::default());
            }
        }
        pause.take();
    }
}

/// The result of a job that has ended.
///
/// # Errors
/// The job's own error, with `job` and `state` in its context.
pub fn finished(
    job: &JobId,
    JobStatus { status: Status { state, .. }, result, error, .. }: JobStatus,
) -> Result<Value> {
    if state == State::Done {
        let mut result = result.unwrap_or_default();
        if let Some(object) = result.as_object_mut() {
            object.insert("job".to_owned(), job.as_str().into());
        }
        return Ok(result);
    }
    let error = error.unwrap_or_else(|| Error::new(Code::WorkerDied, format!("job {job} left no report")));
    Err(error.with("job", job.as_str()).with("state", written(&state)?))
}

fn restore_cancel(config: &Config, asked: &OneJob) -> Result<Answer> {
    stop(config, &JobId::parse(&asked.job)?).map(Answer::Cancelled)
}

/// The document of [`stop`].
///
/// # Errors
/// `job_not_found`, `io_failed`.
pub fn cancel(config: &Config, job: &JobId) -> Result<Value> {
    written(&stop(config, job)?)
}

/// Asks a job to stop.
///
/// # Errors
/// `job_not_found`, `io_failed`.
pub fn stop(config: &Config, job: &JobId) -> Result<Cancelled> {
    let folder = JobFolder::open(config, job)?;
    let state = folder.status()?.state;
    let cancelling = !state.is_final();
    if cancelling {
        let path = folder.join(file::CANCEL);
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .doing(|| format!("create {}", path.display()))?;
    }
    Ok(Cancelled { job: job.clone(), state, cancelling })
}

fn list_logs(config: &Config, asked: &AnyDomain) -> Result<Answer> {
    Ok(Answer::Logs(Logs { logs: logs::list(config, asked.domain.as_ref()) }))
}

fn list_drills(config: &Config, asked: &AnyDomain) -> Result<Answer> {
    let drills = match &asked.domain {
        Some(domain) => history::of(config, domain)?.into_iter().rev().collect(),
        None => history::newest(config)?,
    };
    Ok(Answer::Drills(Drills { drills }))
}

fn list_jobs(config: &Config, asked: &AnyDomain) -> Result<Answer> {
    let jobs = JobFolder::all(config)
        .iter()
        .filter_map(|folder| folder.status().ok().map(|status| (folder, status)))
        .filter(|(_, status)| asked.domain.is_none() || status.domain == asked.domain)
        .map(|(folder, status)| JobInfo {
            job: status.job,
            kind: status.kind,
            domain: status.domain,
            state: status.state,
            started: status.started,
            elapsed_s: status.elapsed_s,
            percent: status.percent,
            resumable: resume::is_set_aside(folder),
        })
        .collect();
    Ok(Answer::Jobs(Jobs { jobs }))
}
