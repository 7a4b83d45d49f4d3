//! How a job ends, and the report that says so.

use crate::api::answer::JobResult;
use crate::error::{Code, Error, Result};
use crate::job::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far a job had come when it ended without having done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It had made nothing. Jobs that stage nothing never come further.
    Planning,
    /// It had staged, or begun to; nothing live was changed.
    Staging,
    /// A step of the change-over was begun.
    ChangeOver,
}

impl State {
    /// The state of a job that ended without having done its work, by the table in docs/api.md. `cleared`: everything that the job
    /// had made has been undone or removed, or the next clean-up removes the rest of it.
    pub fn after(reached: Reached, cleared: bool) -> State {
        match (reached, cleared) {
            (Reached::Planning, _) => State::Failed,
            // Set aside, for the same restore to go on with.
            (Reached::Staging, false) => State::Failed,
            (Reached::Staging | Reached::ChangeOver, true) => State::RolledBack,
            (Reached::ChangeOver, false) => State::NeedsOperator,
        }
    }
}

/// How a job ended.
#[derive(Debug)]
pub enum Ending {
    /// It did its work.
    Done(JobResult),
    /// As [`State::RolledBack`], and why.
    RolledBack(Error),
    /// As [`State::Failed`], and why.
    Failed(Error),
    /// As [`State::NeedsOperator`], and why.
    NeedsOperator(Error),
}

impl Ending {
    /// The ending of a job that did not do its work; see [`State::after`].
    pub(crate) fn after(reached: Reached, cleared: bool, error: Error) -> Ending {
        match State::after(reached, cleared) {
            State::RolledBack => Ending::RolledBack(error),
            State::Failed => Ending::Failed(error),
            _ => Ending::NeedsOperator(error),
        }
    }

    /// The error names the phase it came from, where it does not yet.
    pub(crate) fn in_phase(self, phase: &str) -> Ending {
        let named = |error: Error| if error.context.contains_key("phase") { error } else { error.with("phase", phase) };
        match self {
            Ending::Done(result) => Ending::Done(result),
            Ending::RolledBack(error) => Ending::RolledBack(named(error)),
            Ending::Failed(error) => Ending::Failed(named(error)),
            Ending::NeedsOperator(error) => Ending::NeedsOperator(named(error)),
        }
    }

    /// The state a user sees.
    pub fn state(&self) -> State {
        match self {
            Ending::Done(_) => State::Done,
            Ending::RolledBack(_) => State::RolledBack,
            Ending::Failed(_) => State::Failed,
            Ending::NeedsOperator(_) => State::NeedsOperator,
        }
    }

    /// The result of the job, when it is done.
    pub fn result(&self) -> Option<&JobResult> {
        match self {
            Ending::Done(result) => Some(result),
            _ => None,
        }
    }

    /// The error of the job, when it is not done.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Ending::Done(_) => None,
            Ending::RolledBack(error) | Ending::Failed(error) | Ending::NeedsOperator(error) => Some(error),
        }
    }

    pub(crate) fn of(result: Result<impl Into<JobResult>>) -> Ending {
        match result {
            Ok(result) => Ending::Done(result.into()),
            Err(error) if error.code == Code::NeedsOperator => Ending::NeedsOperator(error),
            Err(error) => Ending::after(Reached::Planning, true, error),
        }
    }
}

/// `report.json`: how a job ended, kept as long as the job. Its result is written from a [`JobResult`], and a reader passes it on
/// as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report<R = Value> {
    /// Final state.
    pub state: State,
    /// The data of the call, when the job is done.
    pub result: Option<R>,
    /// The error, when it is not done.
    pub error: Option<Error>,
}

impl<'a> Report<&'a JobResult> {
    /// The report of an ending.
    pub fn of(ending: &'a Ending) -> Report<&'a JobResult> {
        Report { state: ending.state(), result: ending.result(), error: ending.error().cloned() }
    }
}
