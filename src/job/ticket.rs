//! What a worker has to do.

use crate::config::Config;
use crate::job::{JobId, Kind};
use crate::path::Domain;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a worker has to do, as `job.json`. The configuration is the one of the start, whatever becomes of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ticket {
    /// Document version.
    pub schema: u32,
    /// The job.
    pub job: JobId,
    /// What it does.
    pub kind: Kind,
    /// The domain, where it has one.
    pub domain: Option<Domain>,
    /// Start, RFC 3339.
    pub created: String,
    /// The request, already checked.
    pub request: Value,
    /// The configuration.
    pub config: Config,
}
