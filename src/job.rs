//! Jobs. Each job has a folder and a worker, and at most one job at a time changes a domain.
//!
//! `base/restore_jobs/JOB/` holds `job.json` (request and configuration as the worker uses them), `status.json`
//! (tmp + rename), `events.jsonl`, `journal`, `report.json` and `alive`, which the worker keeps locked. The domain's lock
//! is `base/restore_jobs/.locks/DOMAIN`: a lock that is free but still names a job means that its worker died.

pub mod ending;
pub mod estimate;
pub mod events;
pub mod folder;
pub mod lock;
pub mod logs;
pub mod monitor;
pub mod status;
pub mod ticket;

pub use crate::api::answer::jobs::{JobId, JobKind as Kind, JobState as State};
