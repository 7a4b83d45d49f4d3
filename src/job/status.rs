//! The status document, and the monitor that keeps it: percent, phases, rates, events. It never goes back.

use crate::job::ticket::Ticket;
use crate::job::{JobId, Kind, State};
use crate::path::Domain;
use crate::progress::{Level, Phase};
use serde::{Deserialize, Serialize};

/// `status.json`, as `rv_restore_poll` gives it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// The job.
    pub job: JobId,
    /// What it does.
    pub kind: Kind,
    /// The domain, where it has one.
    pub domain: Option<Domain>,
    /// Where it stands.
    pub state: State,
    /// 0 to 100 over all phases, weighted by the time they take on this machine.
    pub percent: f64,
    /// The boxes.
    pub phases: Vec<PhaseStatus>,
    /// The worker's own disk traffic.
    pub io: Io,
    /// Seconds since the start.
    pub elapsed_s: f64,
    /// Estimated seconds to the end; `null` when nothing can be said.
    pub remaining_s: Option<f64>,
    /// Start, RFC 3339.
    pub started: String,
    /// Highest sequence number in `events.jsonl`.
    pub last_event: u64,
}

/// How far a phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// One box.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhaseStatus {
    /// Which.
    pub phase: Phase,
    /// How far it is.
    pub state: PhaseState,
    /// Entries, rows or files done.
    pub items: u64,
    /// Of how many; `null` when not known yet.
    pub items_total: Option<u64>,
    /// Bytes done.
    pub bytes: u64,
    /// Of how many; `null` when not known yet.
    pub bytes_total: Option<u64>,
    /// What is being worked on.
    pub current: String,
    /// Seconds since it began.
    pub elapsed_s: f64,
    /// Estimated seconds to its end.
    pub remaining_s: Option<f64>,
    /// 0 to 100.
    pub percent: f64,
}

/// Megabytes (10⁶ bytes) a second over the last second.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Io {
    /// Both together.
    #[serde(default)]
    pub total_mb_s: f64,
    /// Read.
    pub read_mb_s: f64,
    /// Written.
    pub write_mb_s: f64,
}

/// A line of `events.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// From 1.
    pub seq: u64,
    /// RFC 3339.
    pub time: String,
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: String,
}

impl Status {
    /// The status of a job that has no worker yet.
    pub fn queued(ticket: &Ticket) -> Status {
        Status {
            job: ticket.job.clone(),
            kind: ticket.kind,
            domain: ticket.domain.clone(),
            state: State::Queued,
            percent: 0.0,
            phases: Vec::new(),
            io: Io::default(),
            elapsed_s: 0.0,
            remaining_s: None,
            started: ticket.created.clone(),
            last_event: 0,
        }
    }
}
