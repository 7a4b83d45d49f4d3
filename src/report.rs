//! What was checked, against what, and how it came out. Pre-flight and verification speak in these.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Outcome of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// One line: what was compared with what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, such as `row_counts`.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The sentence a user reads.
    pub message: String,
    /// The figures behind the sentence.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub figures: Map<String, Value>,
}

impl Check {
    /// A check with an outcome and a sentence.
    pub fn new(name: &str, outcome: Outcome, message: impl Into<String>) -> Check {
        Check { name: name.to_owned(), outcome, message: message.into(), figures: Map::new() }
    }

    /// Pass when true, fail when not.
    pub fn of(name: &str, good: bool, message: impl Into<String>) -> Check {
        Check::new(name, if good { Outcome::Pass } else { Outcome::Fail }, message)
    }

    /// Adds a figure.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Check {
        self.figures.insert(key.to_owned(), value.into());
        self
    }
}

/// Checks that belong together: a box on the screen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Stable name, such as `file_integrity`.
    pub name: String,
    /// The worst of its checks.
    pub outcome: Outcome,
    /// The lines.
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
