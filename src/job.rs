//! Jobs: a folder each, one worker each, at most one at a time for a domain.
//!
//! `base/restore_jobs/JOB/` holds `job.json` (request and configuration as the worker uses them), `status.json`
//! (tmp + rename), `events.jsonl`, `journal`, `report.json` and `alive`, which the worker keeps locked. The domain's lock
//! is `base/restore_jobs/.locks/DOMAIN`: a lock that is free but still names a job means that its worker died.

pub mod ending;
pub mod estimate;
pub mod folder;
pub mod lock;
pub mod logs;
pub mod monitor;
pub mod status;
pub mod ticket;

use crate::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Name of a job: `YYYYMMDD_HHMMSS_` and 12 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(String);

impl JobId {
    /// A new name: the time (local) and 48 random bits.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    pub fn new() -> Result<JobId> {
        let stamp = crate::clock::now().strftime("%Y%m%d_%H%M%S").to_string();
        Ok(JobId(format!("{stamp}_{}", crate::random::hex(6)?)))
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

    /// The random part, 12 hex digits: unique enough for schema and account names.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
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

impl Kind {
    /// Whether the job needs the domain for itself.
    pub fn is_exclusive(self) -> bool {
        matches!(self, Kind::Restore | Kind::Rollback | Kind::Snapshot | Kind::DeleteSnapshot)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
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
    /// The old state is back after a failure, cancel or crash.
    RolledBack,
    /// Ended before anything live was changed.
    Failed,
    /// Neither side could be reached; the error names the next step.
    NeedsOperator,
}

impl State {
    /// The name of a state for sentences.
    pub fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Planning => "pre-flight",
            State::Staging => "staging",
            State::Verifying => "verification",
            State::Committing => "commit",
            State::Checking => "live verification",
            State::Done => "done",
            State::Cancelling => "cancelling",
            State::RollingBack => "rollback",
            State::RolledBack => "rolled back",
            State::Failed => "failed",
            State::NeedsOperator => "needs an operator",
        }
    }

    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        matches!(self, State::Done | State::RolledBack | State::Failed | State::NeedsOperator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_names_are_unique_and_parse_back_and_nothing_else_does() {
        let id = JobId::new().unwrap();
        assert_eq!(JobId::parse(id.as_str()).unwrap(), id);
        assert_ne!(JobId::new().unwrap(), id);
        assert_eq!(id.short().len(), 12);
        for bad in ["", "..", "20251004_030000", "20251004_030000_zzzzzzzzzzzz", "20251004_030000_0123456789ab/.."] {
            assert!(JobId::parse(bad).is_err(), "{bad}");
        }
    }
}
