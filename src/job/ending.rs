//! How a job ends, and the report that says so.

use crate::api::answer::JobResult;
use crate::error::{Code, Error, Result};
use crate::job::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far a job had come when it ended without having done what was asked.
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
    /// The state of a job that ended without having done what was asked: the table in docs/api.md. `cleared`: what the job had made
    /// has been taken back, or the next clean-up removes what is left of it.
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
    /// It did what was asked.
    Done(JobResult),
    /// As [`State::RolledBack`], and why.
    RolledBack(Error),
    /// As [`State::Failed`], and why.
    Failed(Error),
    /// As [`State::NeedsOperator`], and why.
    NeedsOperator(Error),
}

impl Ending {
    /// The ending of a job that did not do what was asked; see [`State::after`].
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

    /// What the job gave, when it is done.
    pub fn result(&self) -> Option<&JobResult> {
        match self {
            Ending::Done(result) => Some(result),
            _ => None,
        }
    }

    /// Why it is not.
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

/// `report.json`: how a job ended, kept as long as the job. What it gave is written from a [`JobResult`] and handed on as it is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report<R = Value> {
    /// Final state.
    pub state: State,
    /// What the call gives, when the job is done.
    pub result: Option<R>,
    /// Why it is not.
    pub error: Option<Error>,
}

impl<'a> Report<&'a JobResult> {
    /// The report of an ending.
    pub fn of(ending: &'a Ending) -> Report<&'a JobResult> {
        Report { state: ending.state(), result: ending.result(), error: ending.error().cloned() }
    }
}
