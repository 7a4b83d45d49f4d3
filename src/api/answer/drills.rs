//! Drills: backups that were restored aside, to see that they can be.

use crate::error::Error;
use crate::path::Domain;
use crate::report::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::jobs::JobId;

/// Drills, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Drills {
    /// Of a domain, or the newest of each.
    pub drills: Vec<Drill>,
}

/// One drill: the newest backup of a domain, staged, compared, asked for pages, and removed again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Drill {
    /// The domain.
    pub domain: Domain,
    /// When it ended (RFC 3339).
    pub time: String,
    /// `pass`: the staged site answered its pages. `not_checked`: the backup was staged and compared, and no page proved the site.
    /// `fail`: a restore would not have worked.
    pub outcome: Outcome,
    /// The sentence a user reads.
    pub message: String,
    /// Why a restore would not have worked; `null` where it would.
    pub error: Option<Error>,
    /// Absolute path of the backup; `null` where there was none.
    pub source: Option<PathBuf>,
    /// Seconds since the backup was made; `null` where nobody knows.
    pub backup_age_s: Option<u64>,
    /// Seconds that a restore would take up to its change-over; `null` where it failed.
    pub recovery_s: Option<f64>,
    /// Milliseconds that queries of the site would wait in the change-over; `null` where no table would move or it failed.
    pub change_over_ms: Option<u64>,
    /// Name of the rehearsal; `null` where none began.
    pub job: Option<JobId>,
}

/// What `notify.command` and `notify.webhook` of restore.toml are told when drills of a run failed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DrillNotification<'a> {
    /// `drill`.
    pub kind: &'static str,
    /// `failed`.
    pub state: &'static str,
    /// Those that failed.
    pub drills: Vec<&'a Drill>,
}
