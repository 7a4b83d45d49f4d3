//! How a job ends, and the report that says so.

use crate::api::answer::JobResult;
use crate::error::{Code, Error, Result};
use crate::job::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a job ended.
#[derive(Debug)]
pub enum Ending {
    /// It did what was asked.
    Done(JobResult),
    /// The old state is back; why, and the report of the attempt.
    RolledBack(Error),
    /// Nothing live was changed.
    Failed(Error),
    /// Neither side was reached.
    NeedsOperator(Error),
}

impl Ending {
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
            Err(error) => Ending::Failed(error),
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
