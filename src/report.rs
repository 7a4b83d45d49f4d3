//! What was checked, against what, and how it came out. Pre-flight and verification speak in these.

mod risk;

pub use risk::Risk;

use crate::error::{Code, Error, Result};
use crate::progress::{Level, Monitor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Outcome of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Compared and equal, or asked and answered.
    Pass,
    /// Could not or need not be checked; the text says why.
    NotChecked,
    /// Worth knowing, no reason to stop.
    Warn,
    /// A reason to stop.
    Fail,
}

/// One check: what was compared with what, and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "Written")]
#[serde(from = "Written", into = "Written")]
pub struct Check {
    /// Stable name, such as `row_counts`.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The sentence a user reads.
    pub message: String,
    /// The error that a job would end with for it.
    pub code: Option<Code>,
    /// The next step, where it is not the one that the code suggests.
    pub hint: Option<String>,
    /// The figures behind the sentence.
    pub figures: Map<String, Value>,
}

impl Check {
    /// A check that failed for an error: its code and hint are the error's.
    pub fn failed(name: &str, error: &Error) -> Check {
        Check::new(name, Outcome::Fail, error.message.clone()).code(error.code).hint(error.hint.clone())
    }

    /// A check with an outcome and a sentence.
    pub fn new(name: &str, outcome: Outcome, message: impl Into<String>) -> Check {
        Check { name: name.to_owned(), outcome, message: message.into(), code: None, hint: None, figures: Map::new() }
    }

    /// Pass when true, fail when not.
    pub fn of(name: &str, good: bool, message: impl Into<String>) -> Check {
        Check::new(name, if good { Outcome::Pass } else { Outcome::Fail }, message)
    }

    /// The error that it is.
    #[must_use]
    pub fn code(self, code: Code) -> Check {
        Check { code: Some(code), ..self }
    }

    /// The next step for a user.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Check {
        Check { hint: Some(hint.into()), ..self }
    }

    /// Adds a figure.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Check {
        self.figures.insert(key.to_owned(), value.into());
        self
    }
}

/// One check: what was compared with what, and how it came out.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Check")]
struct Written {
    /// Its name, such as `row_counts`; the same in every version.
    name: String,
    /// How it came out.
    outcome: Outcome,
    /// The sentence a user reads.
    message: String,
    /// The figures behind the sentence; missing where there are none.
    #[serde(default, skip_serializing_if = "Figures::is_empty")]
    figures: Figures,
}

/// The figures behind a check, by name; which ones depends on the check.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
struct Figures {
    #[serde(flatten)]
    all: Map<String, Value>,
    // Text, so that a code of a later version can be read.
    /// The error that a job would end with for it; missing where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Code>")]
    code: Option<String>,
    /// The next step, as a sentence; missing where the code says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Figures {
    fn is_empty(&self) -> bool {
        self.all.is_empty() && self.code.is_none() && self.hint.is_none()
    }
}

impl From<Check> for Written {
    fn from(check: Check) -> Written {
        let Check { name, outcome, message, code, hint, figures } = check;
        let figures = Figures { all: figures, code: code.map(|code| code.name().to_owned()), hint };
        Written { name, outcome, message, figures }
    }
}

impl From<Written> for Check {
    fn from(written: Written) -> Check {
        let Written { name, outcome, message, figures: Figures { all, code, hint } } = written;
        Check { name, outcome, message, code: code.as_deref().and_then(Code::from_name), hint, figures: all }
    }
}

/// Checks that belong together.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its name, such as `file_integrity`; the same in every version.
    pub name: String,
    /// The worst outcome of its checks.
    pub outcome: Outcome,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Group {
    /// A group whose outcome is the worst of its checks.
    pub fn new(name: &str, checks: Vec<Check>) -> Group {
        let outcome = worst(checks.iter().map(|check| check.outcome));
        Group { name: name.to_owned(), outcome, checks }
    }
}

/// The worst outcome. What was not checked counts only where nothing was.
pub fn worst(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    outcomes
        .max_by_key(|outcome| match outcome {
            Outcome::NotChecked => 0,
            Outcome::Pass => 1,
            Outcome::Warn => 2,
            Outcome::Fail => 3,
        })
        .unwrap_or(Outcome::Pass)
}

/// The same groups with failures as warnings, where a failure is no reason to stop.
pub fn softened(groups: Vec<Group>) -> Vec<Group> {
    let soft = |check: Check| match check.outcome {
        Outcome::Fail => Check { outcome: Outcome::Warn, ..check },
        _ => check,
    };
    groups.into_iter().map(|group| Group::new(&group.name, group.checks.into_iter().map(soft).collect())).collect()
}

/// The failed lines of several groups.
pub fn failures(groups: &[Group]) -> Vec<&Check> {
    groups.iter().flat_map(|group| &group.checks).filter(|check| check.outcome == Outcome::Fail).collect()
}

/// Turns the first failed check into an error.
///
/// # Errors
/// The check's code, or `otherwise` where it has none; `groups` is in its context.
pub fn require(groups: &[Group], otherwise: Code) -> Result<()> {
    let failed = failures(groups);
    let Some(first) = failed.first() else { return Ok(()) };
    let error = Error::new(first.code.unwrap_or(otherwise), first.message.clone());
    let hint = first.hint.clone().unwrap_or_else(|| error.hint.clone());
    Err(error.hint(hint).with("groups", serde_json::to_value(groups).unwrap_or_default()))
}

/// Writes a line for every box to the log, and one for every check that is not a plain pass.
pub fn log(groups: &[Group], monitor: &dyn Monitor) {
    for group in groups {
        let count = group.checks.len();
        let name = group.name.replace('_', " ");
        monitor.event(Level::Info, &format!("{name}: {} ({count} checks)", outcome_word(group.outcome)));
        for check in &group.checks {
            match check.outcome {
                Outcome::Fail => monitor.event(Level::Error, &check.message),
                Outcome::Warn => monitor.event(Level::Warn, &check.message),
                Outcome::Pass | Outcome::NotChecked => {}
            }
        }
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "passed",
        Outcome::NotChecked => "not checked",
        Outcome::Warn => "passed with warnings",
        Outcome::Fail => "FAILED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_as_bad_as_its_worst_line() {
        let line = |outcome| Check::new("x", outcome, "x");
        assert_eq!(Group::new("g", vec![]).outcome, Outcome::Pass);
        assert_eq!(Group::new("g", vec![line(Outcome::Pass), line(Outcome::Warn)]).outcome, Outcome::Warn);
        assert_eq!(Group::new("g", vec![line(Outcome::Pass), line(Outcome::NotChecked)]).outcome, Outcome::Pass);
        assert_eq!(Group::new("g", vec![line(Outcome::NotChecked)]).outcome, Outcome::NotChecked);
        let groups = [Group::new("g", vec![line(Outcome::Fail), line(Outcome::Warn)])];
        assert_eq!(groups[0].outcome, Outcome::Fail);
        assert_eq!(failures(&groups).len(), 1);
    }
}
