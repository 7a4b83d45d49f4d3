//! What a dump holds that servers differ in. Knows no server; kept with the scan of a backup.

use crate::error::Code;
use crate::sql::compat::Kind;
use crate::sql::compat::uses::{table_of, uses};
use crate::sql::lexer::{Item, Lexer};
use crate::sql::origin::Origin;
use crate::sql::session::Session;
use crate::sql::statement::{Statement, classify, subject};
use crate::sql::token::Quoting;
use crate::sql::versioned::{Dialect, MAX_SEEN as MAX_SEEN_VERSIONED, Versioned, is_read_everywhere};
use serde::{Deserialize, Serialize};

/// Most different things kept; what is known already goes on being counted.
const MAX_SEEN: usize = 512;
/// Most refusals kept, each of another subject; of those without one.
const MAX_REFUSED: usize = 500;
const MAX_WITHOUT_SUBJECT: usize = 50;
/// Every server takes a row of this length in one packet.
pub const LONG_ROW: u64 = 512 << 10;
/// Most tables whose longest row is kept.
const MAX_LONG: usize = 20;
/// Most tables that are remembered of one thing.
const MAX_WITHIN: usize = 20;

/// Settings of the session that reads the dump, and what is the default anyway.
pub fn says_nothing(text: &str) -> bool {
    let text = text.trim().to_ascii_uppercase();
    ["SET ", "DEFAULT ENCRYPTION='N'", "ENCRYPTION='N'", "'+'", "SELECT COUNT(*) INTO @ROCKSDB"]
        .iter()
        .any(|known| text.starts_with(known))
}

/// Something named in the dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub subject: String,
    /// How often.
    pub count: u64,
    /// Line of the first statement with it.
    pub line: u64,
    /// Table of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Its tables and objects, where all of them are known.
    #[serde(default)]
    pub within: Option<Vec<String>>,
}

/// A statement, or rows, that no dump of a site needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// Its line.
    pub line: u64,
    /// `dump_refused`, `backup_corrupt` or `limit_exceeded`.
    pub code: String,
    /// Why.
    pub message: String,
    /// What to do about it, where that is not always the same.
    pub hint: Option<String>,
    /// The table or object that it is about: without it, it may be refused.
    pub subject: Option<String>,
    /// The schema that it names.
    pub schema: Option<String>,
    /// The text, where some servers would not read all of it.
    pub text: Option<String>,
    /// What follows means something else without it: it is never left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gives_meaning: bool,
}

impl Refusal {
    /// Whether a server refuses it that reads versioned comments like this one.
    pub fn holds_on(&self, dialect: Dialect) -> bool {
        let Some(text) = &self.text else { return true };
        let whole = [text.as_bytes(), b";"].concat();
        let mut lexer = Lexer::new(whole.as_slice(), dialect, u64::MAX);
        let mut session = Session::default();
        loop {
            match lexer.next_item() {
                Ok(None) => return false,
                Ok(Some(Item::Rows(_))) | Err(_) => return true,
                Ok(Some(Item::Statement { text, .. })) => match classify(&text, session.quoting()) {
                    Ok(Statement::Set) if session.apply(&text).is_ok() => {}
                    Ok(Statement::Nothing) => {}
                    _ => return true,
                },
            }
        }
    }
}

/// The largest of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Largest {
    /// Bytes.
    pub bytes: u64,
    /// Line of its statement.
    pub line: u64,
    /// Table it belongs to.
    pub table: String,
}

impl Largest {
    fn see(&mut self, bytes: u64, line: u64, table: &str) {
        if bytes > self.bytes {
            *self = Largest { bytes, line, table: table.to_owned() };
        }
    }
}

/// What a whole dump holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Survey {
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// `sql_mode` in force when the first row comes; `None`: the server's own.
    pub sql_mode: Option<String>,
    /// Names and zero dates.
    pub seen: Vec<Seen>,
    /// Versioned comments.
    pub versioned: Vec<Versioned>,
    /// The longest row.
    pub largest_row: Largest,
    /// The longest that `LOAD DATA` does not take.
    pub largest_inserted: Largest,
    /// The longest row of each of the tables with the longest ones, the longest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub long_rows: Vec<Largest>,
    /// The same of those that `LOAD DATA` does not take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub long_inserted: Vec<Largest>,
    /// The longest statement with rows.
    pub largest_statement: Largest,
    /// The first tables that are made without a primary key, with their lines: some servers take none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keyless: Vec<(String, u64)>,
    /// The first functions that do not say what they do, with their lines: a server with a binary log may take none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undeclared: Vec<(String, u64)>,
    /// The server as which the dump was read; `None`: what any server would read was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_read_as: Option<Dialect>,
    /// What no dump of a site needs, in the order of the dump.
    pub refused: Vec<Refusal>,
    #[serde(skip)]
    rows_begun: bool,
}

impl Survey {
    /// A statement without rows, its comments gone.
    pub fn statement(&mut self, sql: &[u8], quoting: Quoting, line: u64) {
        let found = uses(sql, quoting);
        let within = if found.is_empty() { None } else { subject(sql, quoting).map(|about| about.name().to_owned()) };
        let table = if found.is_empty() { None } else { table_of(sql, quoting) };
        for found in found {
            let subject = match (found.kind, &table) {
                (Kind::ZeroDates, Some(table)) => format!("DEFAULT '{}' in {table}", found.subject),
                _ => found.subject,
            };
            self.see_all(found.kind, &subject, 1, line, (table.as_deref(), within.as_deref()));
        }
    }

    /// A statement with rows came to its end: the longest row of all, and of those that go in an `INSERT`.
    pub fn filled(
        &mut self,
        table: &str,
        mode: Option<&str>,
        line: u64,
        bytes: u64,
        (longest_row, inserted): (u64, u64),
    ) {
        if !self.rows_begun {
            self.rows_begun = true;
            self.sql_mode = mode.map(str::to_owned);
        }
        self.largest_row.see(longest_row, line, table);
        self.largest_inserted.see(inserted, line, table);
        self.largest_statement.see(bytes, line, table);
        keep(&mut self.long_rows, longest_row, line, table);
        keep(&mut self.long_inserted, inserted, line, table);
    }

    /// Rows of a statement hold zero dates in columns of dates.
    pub fn zero_dates(&mut self, table: &str, count: u64, line: u64) {
        self.see_all(Kind::ZeroDates, &format!("rows of {table}"), count, line, (Some(table), Some(table)));
    }

    /// Whether this server reads the dump as it was read: each versioned comment that it opens was opened, and no other.
    pub fn is_read_as(&self, server: Dialect) -> bool {
        if self.server_read_as == Some(server) {
            return true;
        }
        let as_read = |comment: &Versioned| {
            let opened = |read: Dialect| read.executes(comment.mariadb, comment.version);
            self.server_read_as.is_none_or(opened) == opened(server)
        };
        // What is not noted may be anything.
        self.versioned.len() < MAX_SEEN_VERSIONED
            && self.versioned.iter().all(|comment| as_read(comment) || is_idle(comment))
    }

    /// Whether some servers read another dump than others.
    pub fn is_disputed(&self) -> bool {
        let same = |comment: &Versioned| is_read_everywhere(comment.mariadb, comment.version) || is_idle(comment);
        self.versioned.len() >= MAX_SEEN_VERSIONED || !self.versioned.iter().all(same)
    }

    /// Something was refused. Of each table or object the first is kept, so that none hides another that is asked for alone.
    pub fn refuse(&mut self, refusal: Refusal) {
        let alike = self.refused.iter().filter(|known| known.subject == refusal.subject).count();
        let most = if refusal.subject.is_some() { 1 } else { MAX_WITHOUT_SUBJECT };
        // The end of a dump that was cut comes last.
        let last = refusal.code == Code::BackupCorrupt.name();
        if last && !self.refused.iter().any(|known| known.code == refusal.code)
            || alike < most && self.refused.len() < MAX_REFUSED
        {
            self.refused.push(refusal);
        }
    }

    fn see_all(
        &mut self,
        kind: Kind,
        subject: &str,
        count: u64,
        line: u64,
        (table, within): (Option<&str>, Option<&str>),
    ) {
        if let Some(known) = self.seen.iter_mut().find(|seen| seen.kind == kind && seen.subject == subject) {
            known.count += count;
            known.within = match (known.within.take(), within) {
                (Some(mut list), Some(name)) if list.len() < MAX_WITHIN || list.iter().any(|known| known == name) => {
                    if !list.iter().any(|known| known == name) {
                        list.push(name.to_owned());
                    }
                    Some(list)
                }
                _ => None,
            };
        } else if self.seen.len() < MAX_SEEN {
            let (table, within) = (table.map(str::to_owned), within.map(|name| vec![name.to_owned()]));
            self.seen.push(Seen { kind, subject: subject.to_owned(), count, line, table, within });
        }
    }
}

/// Whether nothing behind the comment is read otherwise for it: a setting that decides neither quotes nor letters, or a default.
fn is_idle(comment: &Versioned) -> bool {
    let text = comment.text.to_ascii_uppercase();
    says_nothing(&text) && !["SQL_MODE", "NAMES", "CHAR"].iter().any(|word| text.contains(word))
}

/// Keeps the longest row of a table, among those of a few tables.
fn keep(list: &mut Vec<Largest>, bytes: u64, line: u64, table: &str) {
    if bytes <= LONG_ROW {
        return;
    }
    match list.iter_mut().find(|known| known.table == table) {
        Some(known) => known.see(bytes, line, table),
        None => list.push(Largest { bytes, line, table: table.to_owned() }),
    }
    list.sort_by_key(|known| std::cmp::Reverse(known.bytes));
    list.truncate(MAX_LONG);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::versioned::note_versioned;

    #[test]
    fn the_mode_in_force_is_the_one_at_the_first_row() {
        let mut survey = Survey::default();
        survey.filled("t", Some("NO_AUTO_VALUE_ON_ZERO"), 2, 10, (5, 5));
        survey.filled("t", None, 4, 10, (5, 5));
        assert_eq!(survey.sql_mode.as_deref(), Some("NO_AUTO_VALUE_ON_ZERO"));
    }

    #[test]
    fn a_refusal_of_one_table_hides_none_of_another() {
        let mut survey = Survey::default();
        let refusal = |subject: Option<&str>, code: &str| Refusal {
            subject: subject.map(str::to_owned),
            code: code.into(),
            ..Refusal::default()
        };
        (0..1000).for_each(|_| survey.refuse(refusal(Some("a"), "dump_refused")));
        (0..1000).for_each(|_| survey.refuse(refusal(None, "dump_refused")));
        survey.refuse(refusal(Some("b"), "dump_refused"));
        survey.refuse(refusal(None, "backup_corrupt"));
        let of =
            |subject: Option<&str>| survey.refused.iter().filter(|found| found.subject.as_deref() == subject).count();
        assert_eq!((of(Some("a")), of(Some("b")), of(None)), (1, 1, MAX_WITHOUT_SUBJECT + 1));
    }

    #[test]
    fn a_survey_survives_being_cached() {
        let mut survey = Survey::default();
        survey.statement(b"CREATE TABLE t (d date DEFAULT '0000-00-00') ENGINE=X COLLATE=y", Quoting::default(), 7);
        note_versioned(&mut survey.versioned, false, Some(80_016), b" DEFAULT ENCRYPTION='N' */", 3);
        note_versioned(&mut survey.versioned, true, Some(999_999), b"\\- enable the sandbox mode */", 1);
        let back: Survey = serde_json::from_str(&serde_json::to_string(&survey).unwrap()).unwrap();
        assert_eq!(back, survey);
        assert_eq!(back.seen.len(), 3);
        assert_eq!(back.versioned.len(), 1);
    }
}
