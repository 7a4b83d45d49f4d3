//! What this server would not take of a dump, as lines of a report.

use crate::error::Code;
use crate::report::{Check, Group, Outcome};
use crate::sql::compat::{Actions, Finding, ServerFacts, Survey, Verdict, judge};

/// Most lines of a report; the rest are counted.
const MAX_LINES: usize = 100;

/// The lines of group `dump`: one for each difference, or one that says that there is none.
pub fn checks(survey: &Survey, facts: &ServerFacts, actions: &Actions) -> Vec<Check> {
    let found = judge(survey, facts, actions);
    if found.is_empty() {
        let from = survey.server.as_deref().map_or(String::new(), |version| format!(", made from a server {version},"));
        let message = format!("the dump{from} is taken as it stands by this server {}", facts.version);
        return vec![Check::new("dump", Outcome::Pass, message)];
    }
    let mut lines: Vec<Check> = found.iter().take(MAX_LINES).map(line).collect();
    if let Some(more) = found.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        lines.push(Check::new("dump", Outcome::Warn, format!("{more} more differences are not listed")));
    }
    lines
}

/// The same as a group.
pub fn group(survey: &Survey, facts: &ServerFacts, actions: &Actions) -> Group {
    Group::new("dump", checks(survey, facts, actions))
}

fn line(finding: &Finding) -> Check {
    let outcome = match finding.outcome {
        Verdict::Pass => Outcome::Pass,
        Verdict::Warn => Outcome::Warn,
        Verdict::Fail => Outcome::Fail,
    };
    let mut check = Check::new(finding.kind.name(), outcome, finding.message.clone())
        .with("subject", finding.subject.clone())
        .with("count", finding.count)
        .with("first_line", finding.first_line)
        .with("action", serde_json::to_value(finding.action).unwrap_or_default());
    if let Some(table) = &finding.table {
        check = check.with("table", table.clone());
    }
    if let Some(into) = &finding.into {
        check = check.with("into", into.clone());
    }
    if outcome == Outcome::Fail { check.code(Code::DumpRefused) } else { check }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_line_and_none_is_said_to_be_none() {
        let facts =
            ServerFacts { version: "10.11.0-MariaDB".into(), max_allowed_packet: 1 << 20, ..Default::default() };
        let mut survey = Survey::default();
        let none = group(&survey, &facts, &Actions::default());
        assert_eq!((none.outcome, none.checks.len()), (Outcome::Pass, 1));
        survey.statement(b"CREATE TABLE t (a int) ENGINE=FEDERATED", 4);
        let refused = group(&survey, &facts, &Actions::default());
        assert_eq!(refused.outcome, Outcome::Fail);
        assert_eq!(refused.checks[0].code, Some(Code::DumpRefused));
        assert_eq!(refused.checks[0].figures["first_line"], 4);
    }
}
