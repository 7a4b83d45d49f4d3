//! Every call by its name: what the C functions and the helper's words both come to.

use crate::api::{self, OfJob};
use crate::config::{Config, Source};
use crate::error::{Code, Error, IoContext, Result};
use crate::job::ending::Report;
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::{self, DomainLock};
use crate::job::status::{Event, Status};
use crate::job::{JobId, Kind, State, logs};
use crate::path::Domain;
use crate::worker::{recovery, spawn};
use crate::{backup, engine, snapshot};
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The names of the calls; `rv_` before them gives the C function.
pub const NAMES: &[&str] = &[
    "list_domains",
    "list_backups",
    "preview_backup",
    "diff_backup",
    "validate",
    "create_snapshot",
    "list_snapshots",
    "delete_snapshot",
    "restore_start",
    "restore_poll",
    "restore_cancel",
    "rollback",
    "verify",
    "cleanup",
    "list_jobs",
    "list_logs",
    "recover",
];

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
    match name {
        "list_domains" => list_domains(&api::parse(request)?),
        "list_backups" => list_backups(&api::parse(request)?),
        "preview_backup" => preview_backup(&api::parse(request)?),
        "diff_backup" => diff_backup(&api::parse(request)?),
        "validate" => validate(&api::parse(request)?),
        "create_snapshot" => create_snapshot(&api::parse(request)?),
        "list_snapshots" => list_snapshots(&api::parse(request)?),
        "delete_snapshot" => delete_snapshot(&api::parse(request)?),
        "restore_start" => restore_start(&api::parse(request)?),
        "restore_poll" => restore_poll(&api::parse(request)?),
        "restore_cancel" => restore_cancel(&api::parse(request)?),
        "rollback" => rollback(&api::parse(request)?),
        "verify" => verify(&api::parse(request)?),
        "cleanup" => cleanup(&api::parse(request)?),
        "list_jobs" => list_jobs(&api::parse(request)?),
        "list_logs" => list_logs(&api::parse(request)?),
        "recover" => recover(&api::parse(request)?),
        _ => Err(Error::new(Code::Usage, format!("there is no call {name:?}"))),
    }
}

/// Reads the configuration and looks for dead workers: the first step of every call.
fn enter(config: Option<&Source>) -> Result<Config> {
    let config = Config::of(config)?;
    recovery::kick(&config);
    Ok(config)
}

fn list_domains(request: &api::Configured) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    Ok(json!({"domains": engine::inspect::domains::domains(&config)?}))
}

fn list_backups(request: &api::OfDomain) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    let backups = backup::list(&config, &request.domain)?;
    Ok(json!({"domain": request.domain, "backups": backups}))
}

fn list_snapshots(request: &api::OfDomain) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    let snapshots = snapshot::list(&config, &request.domain)?;
    Ok(json!({"domain": request.domain, "snapshots": snapshots}))
}

fn preview_backup(request: &api::Preview) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    if let Some(asked) = &request.tree {
        asked.check()?;
    }
    if let Some(mut known) = crate::engine::inspect::preview_known(&config, request) {
        known["job"] = Value::Null;
        return Ok(known);
    }
    backup::locate::probe(&config, &request.domain, &request.backup, request.dump.as_deref())?;
    begin(&config, Kind::Preview, Some(&request.domain), request, request.wait)
}

/// A comparison, or at once a page of what a finished one found.
fn diff_backup(request: &api::Diff) -> Result<Value> {
    if let Some(job) = &request.job {
        let config = enter(request.config.as_ref())?;
        let folder = JobFolder::open(&config, &JobId::parse(job)?)?;
        let part = request.part.ok_or_else(|| {
            Error::new(Code::BadRequest, "request: missing field `part`")
                .hint("`part` is one of files, tables and config.")
        })?;
        return engine::inspect::diff::page(&folder, part, request.offset, request.limit);
    }
    let restore = request.restore()?;
    let config = enter(request.config.as_ref())?;
    check_restore(&config, &restore)?;
    begin(&config, Kind::Diff, Some(&restore.domain), request, request.wait)
}

fn validate(request: &api::Restore) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    check_restore(&config, request)?;
    begin(&config, Kind::Validate, Some(&request.domain), request, request.wait)
}

fn restore_start(request: &api::Restore) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    check_restore(&config, request)?;
    let kind = if request.dry_run { Kind::Validate } else { Kind::Restore };
    begin(&config, kind, Some(&request.domain), request, request.wait)
}

fn check_restore(config: &Config, request: &api::Restore) -> Result<()> {
    crate::plan::Selection::of(request)?;
    if let Some(snapshot) = &request.snapshot {
        snapshot::check_path(config, &request.domain, snapshot)?;
    }
    backup::locate::probe(config, &request.domain, &request.backup, request.dump.as_deref())
}

fn create_snapshot(request: &api::OfDomain) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    if !config.paths.document_root(&request.domain).exists() {
        return Err(Error::new(
            Code::UnknownDomain,
            format!("{} does not exist", config.paths.document_root(&request.domain).display()),
        ));
    }
    begin(&config, Kind::Snapshot, Some(&request.domain), request, request.wait)
}

fn delete_snapshot(request: &api::DeleteSnapshot) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    snapshot::check_path(&config, &request.domain, &request.snapshot)?;
    begin(&config, Kind::DeleteSnapshot, Some(&request.domain), request, request.wait)
}

fn rollback(request: &api::Rollback) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    match (&request.job, &request.snapshot) {
        (Some(job), None) => drop(JobFolder::open(&config, &JobId::parse(job)?)?),
        (None, Some(snapshot)) => snapshot::check_path(&config, &request.domain, snapshot)?,
        _ => {
            return Err(Error::new(Code::BadRequest, "give either `job` or `snapshot`")
                .hint("`job` goes back to the state before that job, `snapshot` to the state it holds."));
        }
    }
    begin(&config, Kind::Rollback, Some(&request.domain), request, request.wait)
}

fn verify(request: &api::OfDomain) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    begin(&config, Kind::Verify, Some(&request.domain), request, request.wait)
}

fn cleanup(request: &api::Domains) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    begin(&config, Kind::Cleanup, request.domain.as_ref(), request, request.wait)
}

fn recover(request: &api::Domains) -> Result<Value> {
    let config = Config::of(request.config.as_ref())?;
    begin(&config, Kind::Recover, request.domain.as_ref(), request, request.wait)
}

/// Takes the domain where the job needs it, starts the worker and, where asked, waits for the result.
fn begin<T: Serialize>(config: &Config, kind: Kind, domain: Option<&Domain>, request: &T, wait: bool) -> Result<Value> {
    let lock = match domain {
        Some(domain) if kind.is_exclusive() => Some(take_domain(config, domain)?),
        _ => None,
    };
    let request = serde_json::to_value(request)
        .map_err(|error| Error::new(Code::Internal, format!("the request cannot be written as JSON: {error}")))?;
    let job = spawn::start(config, kind, domain, request, lock)?;
    if wait { self::wait(config, &job) } else { Ok(json!({"job": job})) }
}

/// The lock of the domain. A job whose worker died is recovered first: its user's restore should not fail for it, as long as
/// the recovery takes less than a second.
fn take_domain(config: &Config, domain: &Domain) -> Result<DomainLock> {
    let patience = Instant::now() + Duration::from_millis(900);
    let mut recovery = None;
    loop {
        match DomainLock::try_take(config, domain)? {
            Some(mut lock) => {
                let Some(dead) = lock.holder() else { return Ok(lock) };
                drop(lock);
                match recovery {
                    None => recovery = recovery::start(config, domain, true)?,
                    Some(_) => return Err(stuck(config, domain, &dead)),
                }
            }
            // A lock without a name is only being looked at by another caller; it is free in a moment.
            None if lock::named(config, domain).is_none() => {}
            None if recovery.is_none() && !recovery::is_recovering(config, domain) => return Err(busy(config, domain)),
            None => {}
        }
        if Instant::now() > patience {
            return Err(busy(config, domain));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A recovery came back without having reached either side.
fn stuck(config: &Config, domain: &Domain, dead: &JobId) -> Error {
    let report: Option<Report> = JobFolder::open(config, dead).and_then(|folder| folder.read(file::REPORT)).ok();
    match report.and_then(|report| report.error) {
        Some(error) => Error::from_json(&error).with("job", dead.as_str()),
        None => Error::new(Code::NeedsOperator, format!("job {dead} of {domain} could not be recovered")),
    }
}

fn busy(config: &Config, domain: &Domain) -> Error {
    let job = lock::named(config, domain).map(String::from).unwrap_or_default();
    Error::new(Code::Busy, format!("job {job} is at work on {domain}"))
        .hint(format!("`rocketvps-restore attach {job}` shows it, `rocketvps-restore cancel {job}` stops it."))
        .with("job", job)
        .with("domain", domain.as_str())
}

fn restore_poll(request: &OfJob) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    poll(&config, &JobId::parse(&request.job)?, request.since)
}

/// The status of a job with the events after `since`, and its result or error once it has ended.
///
/// # Errors
/// `job_not_found`, `io_failed`.
pub fn poll(config: &Config, job: &JobId, since: u64) -> Result<Value> {
    let folder = JobFolder::open(config, job)?;
    let mut status = folder.status()?;
    let report = if !status.state.is_final() && is_dead(&folder, &mut status) {
        let error = Error::new(Code::WorkerDied, format!("the worker of job {job} ended before its work"));
        status.state = State::Failed;
        Some(Report { state: State::Failed, result: None, error: Some(error.to_json()) })
    } else {
        // Only now: the second look may have found the end that the first did not.
        status.state.is_final().then(|| folder.read::<Report>(file::REPORT).ok()).flatten()
    };
    let mut data = serde_json::to_value(&status)
        .map_err(|error| Error::new(Code::Internal, format!("the status cannot be written as JSON: {error}")))?;
    let (result, error) = report.map_or((None, None), |report| (report.result, report.error));
    data["log"] = json!(status.domain.as_ref().and_then(|domain| logs::of_job(config, domain, status.kind, job)));
    data["events"] = json!(events(&folder.join(file::EVENTS), since));
    data["result"] = result.unwrap_or(Value::Null);
    data["error"] = error.unwrap_or(Value::Null);
    Ok(data)
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

fn events(path: &Path, since: u64) -> Vec<Event> {
    let Ok(file) = std::fs::File::open(path) else { return Vec::new() };
    BufReader::new(file)
        .lines()
        .map_while(std::result::Result::ok)
        .filter_map(|line| serde_json::from_str::<Event>(&line).ok())
        .filter(|event| event.seq > since)
        .collect()
}

/// Waits for the end of a job and gives its result.
///
/// # Errors
/// The job's own error, with `job` and `state` in its context.
pub fn wait(config: &Config, job: &JobId) -> Result<Value> {
    let mut looked = Instant::now();
    loop {
        let data = poll(config, job, u64::MAX)?;
        let state: State = serde_json::from_value(data["state"].clone()).unwrap_or(State::Failed);
        if state.is_final() {
            return finished(job, state, &data);
        }
        // The worker of the awaited job may die too.
        if looked.elapsed() > Duration::from_secs(1) {
            recovery::kick(config);
            looked = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn finished(job: &JobId, state: State, data: &Value) -> Result<Value> {
    if state == State::Done {
        let mut result = data["result"].clone();
        if let Some(object) = result.as_object_mut() {
            object.entry("job").or_insert_with(|| json!(job));
        }
        return Ok(result);
    }
    let error = match &data["error"] {
        Value::Null => Error::new(Code::WorkerDied, format!("job {job} left no report")),
        value => Error::from_json(value),
    };
    Err(error.with("job", job.as_str()).with("state", json!(state)))
}

fn restore_cancel(request: &OfJob) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    cancel(&config, &JobId::parse(&request.job)?)
}

/// Asks a job to stop.
///
/// # Errors
/// `job_not_found`, `io_failed`.
pub fn cancel(config: &Config, job: &JobId) -> Result<Value> {
    let folder = JobFolder::open(config, job)?;
    let state = folder.status()?.state;
    if state.is_final() {
        return Ok(json!({"job": job, "state": state, "cancelling": false}));
    }
    let path = folder.join(file::CANCEL);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .doing(|| format!("create {}", path.display()))?;
    Ok(json!({"job": job, "state": state, "cancelling": true}))
}

fn list_logs(request: &api::Domains) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    Ok(json!({"logs": logs::list(&config, request.domain.as_ref())}))
}

fn list_jobs(request: &api::Domains) -> Result<Value> {
    let config = enter(request.config.as_ref())?;
    let jobs: Vec<Value> = JobFolder::all(&config)
        .iter()
        .filter_map(|folder| folder.status().ok().map(|status| (folder, status)))
        .filter(|(_, status)| request.domain.is_none() || status.domain == request.domain)
        .map(|(folder, status)| {
            json!({"job": status.job, "kind": status.kind, "domain": status.domain, "state": status.state,
                   "started": status.started, "elapsed_s": status.elapsed_s, "percent": status.percent,
                   "resumable": engine::leftovers::resume::is_set_aside(folder)})
        })
        .collect();
    Ok(json!({"jobs": jobs}))
}
