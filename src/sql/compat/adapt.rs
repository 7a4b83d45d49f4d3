//! One statement of a dump as a server takes it.

use crate::sql::compat::Use;
use crate::sql::compat::definition::with_checks_of_the_table;
use crate::sql::compat::judge::{decide, has_rows_elsewhere};
use crate::sql::compat::uses::{table_of, uses};
use crate::sql::compat::{Actions, Finding, Kind, ServerFacts};
use crate::sql::statement::is_self_contained;
use crate::sql::token::{Quoting, tokens};
use std::borrow::Cow;
use std::ops::Range;

/// A statement and what was done to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Adapted<'a> {
    /// The statement to execute.
    pub sql: Cow<'a, str>,
    /// One for each place.
    pub findings: Vec<Finding>,
}

/// Puts what the server knows in the place of what it does not, by tokens: strings and comments stay. `mode` is the `sql_mode`
/// in force. `Err` is the difference for which the dump is refused.
pub fn adapt<'a>(
    sql: &'a str,
    quoting: Quoting,
    line: u64,
    mode: &str,
    facts: &ServerFacts,
    actions: &Actions,
) -> Result<Adapted<'a>, Box<Finding>> {
    let found = uses(sql.as_bytes(), quoting);
    let mut adapted = Adapted { sql: Cow::Borrowed(sql), findings: Vec::new() };
    if found.is_empty() {
        return Ok(adapted);
    }
    let table = table_of(sql.as_bytes(), quoting);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for found in found {
        let Some(decision) = decide(found.kind, &found.subject, mode, facts, actions) else { continue };
        let subject = match (found.kind, &table) {
            (Kind::ZeroDates, Some(table)) => format!("DEFAULT '{}' in {table}", found.subject),
            _ => found.subject,
        };
        let refused = decision.is_refusal();
        let into = decision
            .into
            .clone()
            .filter(|_| matches!(found.kind, Kind::Collation | Kind::Charset | Kind::Engine | Kind::Parser));
        let finding = decision.about(found.kind, &subject, 1, line, table.clone());
        if refused {
            return Err(Box::new(finding));
        }
        if let Some(into) = into {
            // Nothing at all would make one word, or the beginning of a comment, of what stands on both sides.
            changes.push((found.span.clone(), if into.is_empty() { " ".to_owned() } else { into }));
        }
        if found.kind == Kind::TableOption {
            changes.push((found.span.clone(), " ".to_owned()));
        }
        if found.kind == Kind::Engine {
            changes.extend(row_format(sql, quoting).map(|span| (span, " ".to_owned())));
        }
        adapted.findings.push(finding);
    }
    if !changes.is_empty() {
        let mut text = sql.to_owned();
        changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        changes.dedup();
        let mut changed = text.len();
        // No two of a statement that means something lie over each other; of one that does not, the rest is left to the filter.
        for (span, into) in changes.into_iter().filter(|(span, _)| {
            let apart = span.end <= changed;
            changed = if apart { span.start } else { changed };
            apart
        }) {
            text.replace_range(span, &into);
        }
        adapted.sql = Cow::Owned(text);
    }
    if adapted.findings.iter().any(|finding| finding.kind == Kind::Check)
        && let Cow::Owned(text) = with_checks_of_the_table(&adapted.sql, quoting)
    {
        adapted.sql = Cow::Owned(text);
    }
    Ok(adapted)
}

/// The statement as it is read where a server is not known yet: an engine that some servers lack is mapped, or refused, when it is, and
/// some options are left out whatever the server is.
pub fn with_usual_options(sql: &[u8], quoting: Quoting) -> Cow<'_, [u8]> {
    let odd = |found: &Use| {
        found.kind == Kind::Engine && !is_self_contained(&found.subject) && !has_rows_elsewhere(&found.subject)
    };
    let goes = |found: &Use| found.kind == Kind::TableOption || odd(found);
    let mut places: Vec<Use> = uses(sql, quoting).into_iter().filter(goes).collect();
    if places.is_empty() {
        return Cow::Borrowed(sql);
    }
    let mut text = sql.to_vec();
    places.sort_by_key(|found| std::cmp::Reverse(found.span.start));
    for found in places {
        let into: &[u8] = if found.kind == Kind::Engine { b"InnoDB" } else { b" " };
        text.splice(found.span, into.iter().copied());
    }
    Cow::Owned(text)
}

/// `ROW_FORMAT=x` of another engine, which InnoDB may refuse.
fn row_format(sql: &str, quoting: Quoting) -> Option<Range<usize>> {
    let bytes = sql.as_bytes();
    let all = tokens(bytes, quoting);
    let at = all.iter().position(|token| token.is(bytes, "ROW_FORMAT"))?;
    let value = if all.get(at + 1)?.is_sign(bytes, b'=') { at + 2 } else { at + 1 };
    Some(all[at].span.start..all.get(value)?.span.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::compat::judge::tests::server;

    fn adapted(sql: &str) -> String {
        adapt(sql, Quoting::default(), 1, "", &server(), &Actions::default()).unwrap().sql.into_owned()
    }

    #[test]
    fn names_change_and_text_stays() {
        for (sql, expected) in [
            (
                "CREATE TABLE `t` (`utf8mb4_0900_ai_ci` text COLLATE utf8mb4_0900_ai_ci COMMENT 'COLLATE utf8mb4_0900_ai_ci') ENGINE=ROCKSDB ROW_FORMAT=FIXED COLLATE=utf8mb4_0900_ai_ci COMMENT='ENGINE=ROCKSDB'",
                "CREATE TABLE `t` (`utf8mb4_0900_ai_ci` text COLLATE utf8mb4_uca1400_ai_ci COMMENT 'COLLATE utf8mb4_0900_ai_ci') ENGINE=InnoDB   COLLATE=utf8mb4_uca1400_ai_ci COMMENT='ENGINE=ROCKSDB'",
            ),
            (
                "CREATE VIEW v AS SELECT 'x' COLLATE utf8mb4_0900_ai_ci /* COLLATE utf8mb4_0900_ai_ci */",
                "CREATE VIEW v AS SELECT 'x' COLLATE utf8mb4_uca1400_ai_ci /* COLLATE utf8mb4_0900_ai_ci */",
            ),
            ("SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci", "SET NAMES utf8mb4 COLLATE utf8mb4_uca1400_ai_ci"),
            (
                "CREATE DATABASE x DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci",
                "CREATE DATABASE x DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci",
            ),
            (
                "ALTER TABLE t ADD x text COLLATE 'utf8mb4_0900_ai_ci'",
                "ALTER TABLE t ADD x text COLLATE utf8mb4_uca1400_ai_ci",
            ),
            (
                "CREATE TABLE t (a int) ENGINE=MyISAM ROW_FORMAT=FIXED",
                "CREATE TABLE t (a int) ENGINE=MyISAM ROW_FORMAT=FIXED",
            ),
        ] {
            assert_eq!(adapted(sql), expected);
        }
    }

    #[test]
    fn a_refusal_names_kind_subject_and_line() {
        let refuse: Actions = serde_json::from_str(r#"{"collation":"refuse"}"#).unwrap();
        let sql = "CREATE TABLE t (a text COLLATE utf8mb4_0900_bin)";
        let finding = adapt(sql, Quoting::default(), 12, "", &server(), &refuse).unwrap_err();
        assert_eq!(
            (finding.kind, finding.subject.as_str(), finding.first_line),
            (Kind::Collation, "utf8mb4_0900_bin", 12)
        );
        assert_eq!(finding.table.as_deref(), Some("t"));
    }
}
