//! The status document, and the monitor that writes it: percent, phases, rates, events. The percentage never goes back.

use crate::job::State;
use crate::job::ticket::Ticket;

pub use crate::api::answer::jobs::{Event, Io, PhaseState, PhaseStatus, Status};

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
