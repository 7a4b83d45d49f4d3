//! Jobs and their status, as they are asked for; logs, clean-up, recovery.

use crate::api::answer::JobResult;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use crate::progress::{Level, Phase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};

/// Name of a job: when it was started (`YYYYMMDD_HHMMSS_`, local time) and 12 hex digits. A later job has a greater name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[0-9]{8}_[0-9]{6}_[0-9a-f]{12}$"))]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    /// A new name: the time (local), its microseconds in 5 hex digits, and 28 random bits. So names sort as they were given,
    /// also within a second.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    pub fn new() -> Result<JobId> {
        let now = crate::clock::now();
        let microseconds = now.subsec_nanosecond() / 1000;
        let random = crate::random::hex(4)?;
        Ok(JobId(format!("{}_{microseconds:05x}{}", now.strftime("%Y%m%d_%H%M%S"), &random[1..])))
    }

    /// Parses a job's name.
    ///
    /// # Errors
    /// `bad_request` when it is none.
    pub fn parse(text: &str) -> Result<JobId> {
        let parts: Vec<&str> = text.split('_').collect();
        let good = matches!(parts[..], [date, time, id]
            if date.len() == 8 && time.len() == 6 && id.len() == 12
            && date.bytes().chain(time.bytes()).all(|byte| byte.is_ascii_digit())
            && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        if good {
            Ok(JobId(text.to_owned()))
        } else {
            let shown: String = text.chars().take(60).collect();
            Err(Error::new(Code::BadRequest, format!("{shown:?} is not the name of a job")))
        }
    }

    /// The job whose folder this is; a new name for a folder that is no job's.
    ///
    /// # Errors
    /// As [`JobId::new`].
    pub fn of_folder(folder: &Path) -> Result<JobId> {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        JobId::parse(&name).or_else(|_| JobId::new())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 12 hex digits: unique enough for schema and account names.
    pub fn short(&self) -> &str {
        &self.0[16..]
    }

    /// `YYYYMMDD_HHMMSS`.
    pub fn stamp(&self) -> &str {
        &self.0[..15]
    }
}

impl TryFrom<String> for JobId {
    type Error = Error;
    fn try_from(text: String) -> Result<JobId> {
        JobId::parse(&text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> String {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// `rv_restore_start`.
    Restore,
    /// `rv_rollback`.
    Rollback,
    /// `rv_preview_backup`.
    Preview,
    /// `rv_diff_backup`.
    Diff,
    /// `rv_validate`.
    Validate,
    /// `rv_rehearse`.
    Rehearse,
    /// `rv_create_snapshot`.
    Snapshot,
    /// `rv_delete_snapshot`.
    DeleteSnapshot,
    /// `rv_verify`.
    Verify,
    /// `rv_cleanup`.
    Cleanup,
    /// `rv_recover`.
    Recover,
}

impl JobKind {
    /// Whether the job needs the domain for itself.
    pub fn is_exclusive(self) -> bool {
        use JobKind::{DeleteSnapshot, Rehearse, Restore, Rollback, Snapshot};
        matches!(self, Restore | Rollback | Rehearse | Snapshot | DeleteSnapshot)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Written down, no worker yet.
    Queued,
    /// Facts are gathered, pre-flight runs.
    Planning,
    /// The new state is built beside the live one.
    Staging,
    /// The staged state is compared with the backup.
    Verifying,
    /// The change-over.
    Committing,
    /// The live site is checked.
    Checking,
    /// Finished well.
    Done,
    /// A cancel was asked for.
    Cancelling,
    /// The old state is being brought back.
    RollingBack,
    /// Not done: what the job had made, beside the site or on it, has been taken back. The site is as it was before the job.
    RolledBack,
    /// Not done: nothing was made yet, or what was staged is set aside for the same restore. The site is as it was before the job.
    Failed,
    /// Not done, and the site may be between the two sides; the error names the next step.
    NeedsOperator,
}

impl JobState {
    /// The name of a state for sentences.
    pub fn word(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Planning => "pre-flight",
            JobState::Staging => "staging",
            JobState::Verifying => "verification",
            JobState::Committing => "commit",
            JobState::Checking => "live verification",
            JobState::Done => "done",
            JobState::Cancelling => "cancelling",
            JobState::RollingBack => "rollback",
            JobState::RolledBack => "rolled back",
            JobState::Failed => "failed",
            JobState::NeedsOperator => "needs an operator",
        }
    }

    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        matches!(self, JobState::Done | JobState::RolledBack | JobState::Failed | JobState::NeedsOperator)
    }
}

/// How a job stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Name of the job.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Its domain; `null` for one of all domains.
    pub domain: Option<Domain>,
    /// Where it stands.
    pub state: JobState,
    /// How much of it is done, 0 to 100: over all phases, weighted by the time they take on this machine. It never goes back.
    pub percent: f64,
    /// The phases, in the order they are shown.
    pub phases: Vec<PhaseStatus>,
    /// Disk traffic of the worker.
    pub io: Io,
    /// Seconds since the start.
    pub elapsed_s: f64,
    /// Estimated seconds to the end; `null` when nothing can be said.
    pub remaining_s: Option<f64>,
    /// When it was started, RFC 3339.
    pub started: String,
    /// Sequence number of the last event; for `since` of the next `restore_poll`.
    pub last_event: u64,
}

/// How far a phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// Not begun.
    Pending,
    /// At work.
    Active,
    /// Over.
    Done,
    /// No part of this job.
    Skipped,
}

/// How far one phase of a job is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PhaseStatus {
    /// Which phase.
    pub phase: Phase,
    /// How far it is.
    pub state: PhaseState,
    /// Number of entries, rows or files done.
    pub items: u64,
    /// Number of them in all; `null` when it is not known yet.
    pub items_total: Option<u64>,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes in all; `null` when they are not known yet.
    pub bytes_total: Option<u64>,
    /// The entry or table that is being worked on; may be empty.
    pub current: String,
    /// Seconds since it began.
    pub elapsed_s: f64,
    /// Estimated seconds to its end; `null` when nothing can be said.
    pub remaining_s: Option<f64>,
    /// How much of it is done, 0 to 100.
    pub percent: f64,
}

/// Disk traffic of a worker over the last second.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
pub struct Io {
    /// Both together, 10⁶ bytes a second.
    #[serde(default)]
    pub total_mb_s: f64,
    /// Read, 10⁶ bytes a second.
    pub read_mb_s: f64,
    /// Written, 10⁶ bytes a second.
    pub write_mb_s: f64,
}

/// Something that happened in a job.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its number in the job, from 1.
    pub seq: u64,
    /// When it happened, RFC 3339 with milliseconds.
    pub time: String,
    /// How much it matters.
    pub level: Level,
    /// What happened, as a sentence.
    pub message: String,
}

/// A job was started.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Begun {
    /// Its name, for `restore_poll`.
    pub job: JobId,
}

/// The result of a job that was waited for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Finished{T}")]
pub struct Finished<T> {
    /// What the job gave.
    #[serde(flatten)]
    pub result: T,
    /// Name of the job; `null` for a preview that needed none.
    pub job: Option<JobId>,
}

/// `restore_poll`: how a job stands, and how it ended.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct JobStatus {
    /// How it stands.
    #[serde(flatten)]
    pub status: Status,
    /// Absolute path of its log, that of the failure where there is one; `null` for jobs that have none.
    pub log: Option<PathBuf>,
    /// What happened after `since`, oldest first.
    pub events: Vec<Event>,
    // As its worker wrote it: a report of an earlier version is handed on, not judged.
    /// What the job gave; `null` unless it is done.
    #[schemars(with = "Option<JobResult>")]
    pub result: Option<Value>,
    /// Why it did not do what was asked; `null` unless it has ended otherwise.
    pub error: Option<Error>,
}

/// `restore_cancel`: whether a job was asked to stop.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// Name of the job.
    pub job: JobId,
    /// Where it stood.
    pub state: JobState,
    /// Whether it was asked to stop; `false` when it had ended already.
    pub cancelling: bool,
}

/// `list_jobs`: the jobs that are kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Jobs {
    /// The jobs, newest first.
    pub jobs: Vec<JobInfo>,
}

/// One job in a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct JobInfo {
    /// Its name.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Its domain; `null` for one of all domains.
    pub domain: Option<Domain>,
    /// Where it stands.
    pub state: JobState,
    /// When it was started, RFC 3339.
    pub started: String,
    /// Seconds since then, or until its end.
    pub elapsed_s: f64,
    /// How much of it is done, 0 to 100.
    pub percent: f64,
    /// Whether the same restore, started again, goes on with what this one had staged.
    pub resumable: bool,
}

/// `list_logs`: the logs of restores and rollbacks.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Logs {
    /// The logs, newest first.
    pub logs: Vec<LogInfo>,
}

/// One log in a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LogInfo {
    /// Absolute path.
    pub path: PathBuf,
    /// File name.
    pub name: String,
    /// The domain.
    pub domain: Domain,
    /// When the job was started, local time without an offset: `2025-10-04T10:15:32`.
    pub date: String,
    /// Bytes.
    pub size: u64,
    /// Whether it tells of a failure.
    pub failed: bool,
}

/// `read_log`: whole lines of a log, 64 KiB of them at most.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LogText {
    /// The domain.
    pub domain: Domain,
    /// The log's name.
    pub name: String,
    /// The log's size, in bytes.
    pub size: u64,
    /// The lines from `offset` on. What is no UTF-8 is U+FFFD.
    pub text: String,
    /// The `offset` of what follows, in bytes; null at the end of the log.
    pub next: Option<u64>,
}

/// `cleanup`: what was removed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Cleanup {
    /// Absolute paths of expired and unfinished snapshots.
    pub snapshots: Vec<String>,
    /// Names of interrupted restores whose staging was removed.
    pub interrupted: Vec<JobId>,
    /// Staging folders, schemas and accounts that no job and no snapshot refers to.
    pub orphans: Vec<String>,
    /// Number of folders of old jobs.
    pub jobs: u64,
}

/// `recover`: what was finished or undone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// The jobs that were left unfinished, and what became of them.
    pub recovered: Vec<RecoveredJob>,
    /// Domains with a worker at work.
    pub busy: Vec<Domain>,
    /// Schemas and accounts that were removed because no job and no snapshot refers to them.
    pub orphans: Vec<String>,
}

/// What became of a job whose worker died.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RecoveredJob {
    /// Its domain.
    pub domain: Domain,
    /// Its name.
    pub job: JobId,
    /// Where it stands now.
    pub state: JobState,
}

/// What `notify.command` and `notify.webhook` of restore.toml are told when a restore or rollback has ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Notification<'a> {
    /// Name of the job.
    pub job: &'a JobId,
    /// What it did.
    pub kind: JobKind,
    /// Its domain.
    pub domain: Option<&'a Domain>,
    /// How it ended.
    pub state: JobState,
    /// What it gave; `null` unless it is done.
    pub result: Option<&'a JobResult>,
    /// Why it did not do what was asked; `null` when it did.
    pub error: Option<&'a Error>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_names_sort_as_they_were_given_and_parse_back_and_nothing_else_does() {
        let id = JobId::new().unwrap();
        assert_eq!(JobId::parse(id.as_str()).unwrap(), id);
        // Three jobs a page starts within a second are listed as they were started.
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_micros(2));
            assert!(id < JobId::new().unwrap());
        }
        assert_eq!(id.short().len(), 12);
        for bad in ["", "..", "20251004_030000", "20251004_030000_zzzzzzzzzzzz", "20251004_030000_0123456789ab/.."] {
            assert!(JobId::parse(bad).is_err(), "{bad}");
        }
    }
}
