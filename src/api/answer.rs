//! The answers of all calls, field by field. `docs/api.schema.json` is made from these types (`make schema`), so each comment here
//! is what a caller reads: it says what a field means, and its unit. The higher floors fill the types in; none of them writes JSON.
//!
//! * [`backups`]: domains and their backups; [`preview`]: what is in one; [`comparison`]: what a restore would change;
//! * [`checks`]: validation and verification; [`restore`]: the report of a restore or rollback; [`drills`]: backups that were rehearsed;
//! * [`snapshots`], [`jobs`], [`site_config`].

pub mod backups;
pub mod checks;
pub mod comparison;
pub mod drills;
#[cfg(any(test, feature = "test-support"))]
pub mod either;
pub mod hooks;
pub mod jobs;
pub mod preview;
pub mod restore;
pub mod site_config;
pub mod snapshots;

use crate::error::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The whole document that a call answers with. `data` comes with `"ok": true`, `error` with `"ok": false`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Version of the documents; 1.
    pub schema: u32,
    /// Whether the call worked.
    pub ok: bool,
    /// The answer of the call, as it is described with each call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Why the call did not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// The answer of a call that worked.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A job was started; its result is asked for later.
    Begun(jobs::Begun),
    /// A job was waited for: its result as its worker wrote it, with the job's name.
    Waited(Value),
    /// `list_domains`.
    Domains(backups::Domains),
    /// `list_backups`.
    Backups(backups::Backups),
    /// `preview_backup`, out of what an earlier one found.
    Preview(Box<jobs::Finished<preview::Preview>>),
    /// `diff_backup` for a page.
    Page(comparison::Page),
    /// `list_snapshots`.
    Snapshots(snapshots::Snapshots),
    /// `restore_poll`.
    Status(Box<jobs::JobStatus>),
    /// `restore_cancel`.
    Cancelled(jobs::Cancelled),
    /// `list_jobs`.
    Jobs(jobs::Jobs),
    /// `list_logs`.
    Logs(jobs::Logs),
    /// `read_log`.
    LogText(jobs::LogText),
    /// `list_drills`.
    Drills(drills::Drills),
}

/// The result of a job that is done: that of its kind.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum JobResult {
    /// Of a restore or a rollback.
    Restore(Box<restore::Report>),
    /// Of a rehearsal.
    Rehearsed(Box<restore::Rehearsed>),
    /// Of a preview.
    Preview(Box<preview::Preview>),
    /// Of a comparison.
    Comparison(Box<comparison::Comparison>),
    /// Of a validation, or of a restore with `dry_run`.
    Validation(Box<checks::Validation>),
    /// Of a verification.
    Verification(checks::Verification),
    /// Of a snapshot that was made.
    Snapshot(Box<snapshots::SnapshotMade>),
    /// Of a snapshot that was deleted.
    Deleted(snapshots::SnapshotDeleted),
    /// Of a clean-up.
    Cleanup(jobs::Cleanup),
    /// Of a recovery.
    Recovery(jobs::Recovery),
}

macro_rules! results {
    ($($variant:ident($type:ty) $(in $boxed:ident)?;)*) => {
        $(impl From<$type> for JobResult {
            fn from(result: $type) -> JobResult {
                results!(@make $variant result $($boxed)?)
            }
        })*
    };
    (@make $variant:ident $result:ident Box) => { JobResult::$variant(Box::new($result)) };
    (@make $variant:ident $result:ident) => { JobResult::$variant($result) };
}

results! {
    Restore(restore::Report) in Box;
    Rehearsed(restore::Rehearsed) in Box;
    Preview(preview::Preview) in Box;
    Comparison(comparison::Comparison) in Box;
    Validation(checks::Validation) in Box;
    Verification(checks::Verification);
    Snapshot(snapshots::SnapshotMade) in Box;
    Deleted(snapshots::SnapshotDeleted);
    Cleanup(jobs::Cleanup);
    Recovery(jobs::Recovery);
}
