//! What a dump holds that servers differ in. Knows no server; kept with the scan of a backup.

use crate::sql::compat::Kind;
use crate::sql::compat::uses::{table_of, unwrap, uses};
use crate::sql::session::Session;
use serde::{Deserialize, Serialize};

/// Most different things kept; what is known already goes on being counted.
const MAX_SEEN: usize = 512;
const MAX_HEADER: usize = 160;
/// How much of a versioned comment is kept.
pub const MAX_BEGINNING: usize = 40;
/// Every server in use executes versioned comments up to here.
const EVERYWHERE: u32 = 50_699;
/// The mark at the top of MariaDB's dumps is a comment to all.
const SANDBOX: u32 = 999_999;

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
}

/// `/*!NNNNN … */` or `/*M!NNNNNN … */`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// `/*M!`: for MariaDB alone.
    pub mariadb: bool,
    /// The number; `None` without one.
    pub version: Option<u32>,
    /// The beginning of its text; empty where every server reads it.
    pub text: String,
    /// How often.
    pub count: u64,
    /// Line of the first.
    pub line: u64,
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
    /// The program that wrote it and the version it names: `MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)`.
    pub writer: Option<String>,
    /// The server it was made from: `8.0.36`.
    pub server: Option<String>,
    /// `sql_mode` in force when the first row comes; `None`: the server's own.
    pub sql_mode: Option<String>,
    /// Names and zero dates.
    pub seen: Vec<Seen>,
    /// Versioned comments.
    pub versioned: Vec<Versioned>,
    /// The longest row.
    pub largest_row: Largest,
    /// The longest statement with rows.
    pub largest_statement: Largest,
    #[serde(skip)]
    session: Session,
    #[serde(skip)]
    rows_begun: bool,
}

impl Survey {
    /// A comment line.
    pub fn comment(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_start_matches('-').trim();
        let kept = || Some(text.chars().take(MAX_HEADER).collect::<String>());
        if self.writer.is_none()
            && (text.starts_with("MySQL dump")
                || text.starts_with("MariaDB dump")
                || text.starts_with("phpMyAdmin SQL Dump"))
        {
            self.writer = kept();
        } else if let Some(version) = text.strip_prefix("Server version").filter(|_| self.server.is_none()) {
            self.server = version
                .split_ascii_whitespace()
                .find(|word| *word != ":")
                .map(|word| word.trim_start_matches(':').to_owned());
        }
    }

    /// A versioned comment opens.
    pub fn comment_opens(&mut self, mariadb: bool, version: Option<u32>, text: &[u8], line: u64) {
        note_versioned(&mut self.versioned, mariadb, version, text, line);
    }

    /// A statement without rows, as it stands in the dump.
    pub fn statement(&mut self, raw: &[u8], line: u64) {
        let comments = [&b"/*"[..], b"*/"].iter().any(|mark| memchr::memmem::find(raw, mark).is_some());
        let opened = comments.then(|| unwrap(raw));
        let sql = opened.as_deref().unwrap_or(raw).trim_ascii();
        let first = |word: &str| sql.len() >= word.len() && sql[..word.len()].eq_ignore_ascii_case(word.as_bytes());
        let quoting = self.session.quoting();
        let found = uses(sql, quoting);
        if first("SET") {
            // What it does not understand it leaves as it is; the loader is the one to be strict.
            let mut session = self.session.clone();
            if session.apply(sql).is_ok() {
                self.session = session;
            }
        }
        let table = if found.is_empty() { None } else { table_of(sql, quoting) };
        for found in found {
            let subject = match (found.kind, &table) {
                (Kind::ZeroDates, Some(table)) => format!("DEFAULT '{}' in {table}", found.subject),
                _ => found.subject,
            };
            self.see(found.kind, &subject, line, table.as_deref());
        }
    }

    /// A statement with rows came to its end.
    pub fn rows(&mut self, table: &str, line: u64, bytes: u64, longest_row: u64) {
        if !self.rows_begun {
            self.rows_begun = true;
            self.sql_mode = self.session.sql_mode.clone();
        }
        self.largest_row.see(longest_row, line, table);
        self.largest_statement.see(bytes, line, table);
    }

    /// A row holds a zero date in a column of dates.
    pub fn zero_date(&mut self, table: &str, line: u64) {
        self.see(Kind::ZeroDates, &format!("rows of {table}"), line, Some(table));
    }

    /// How quotes are read at this place.
    pub fn quoting(&self) -> crate::sql::token::Quoting {
        self.session.quoting()
    }

    fn see(&mut self, kind: Kind, subject: &str, line: u64, table: Option<&str>) {
        if let Some(known) = self.seen.iter_mut().find(|seen| seen.kind == kind && seen.subject == subject) {
            known.count += 1;
        } else if self.seen.len() < MAX_SEEN {
            self.seen.push(Seen { kind, subject: subject.to_owned(), count: 1, line, table: table.map(str::to_owned) });
        }
    }
}

/// Counts a versioned comment; `text` is what follows its number, of which the beginning is kept.
pub fn note_versioned(list: &mut Vec<Versioned>, mariadb: bool, version: Option<u32>, text: &[u8], line: u64) {
    if version == Some(SANDBOX) {
        return;
    }
    let everywhere = !mariadb && version.is_none_or(|version| version <= EVERYWHERE);
    let text = &text[..text.len().min(MAX_BEGINNING + 2)];
    let end = memchr::memmem::find(text, b"*/").unwrap_or(text.len()).min(MAX_BEGINNING);
    let text = if everywhere { String::new() } else { String::from_utf8_lossy(text[..end].trim_ascii()).into_owned() };
    let same = |known: &&mut Versioned| known.mariadb == mariadb && known.version == version && known.text == text;
    if let Some(known) = list.iter_mut().find(same) {
        known.count += 1;
    } else if list.len() < MAX_SEEN {
        list.push(Versioned { mariadb, version, text, count: 1, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_dump_says_who_wrote_it() {
        for (lines, writer, server) in [
            (
                &["-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)", "--", "-- Server version\t8.0.36"][..],
                "MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)",
                "8.0.36",
            ),
            (
                &[
                    "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian",
                    "-- Server version\t10.11.6-MariaDB-0+deb12u1",
                ],
                "MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian",
                "10.11.6-MariaDB-0+deb12u1",
            ),
            (&["-- phpMyAdmin SQL Dump", "-- Server version: 5.7.44"], "phpMyAdmin SQL Dump", "5.7.44"),
        ] {
            let mut survey = Survey::default();
            lines.iter().for_each(|line| survey.comment(line.as_bytes()));
            assert_eq!((survey.writer.as_deref(), survey.server.as_deref()), (Some(writer), Some(server)));
        }
    }

    #[test]
    fn the_mode_in_force_is_the_one_at_the_first_row() {
        let mut survey = Survey::default();
        survey.statement(b"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */", 1);
        survey.rows("t", 2, 10, 5);
        survey.statement(b"SET SQL_MODE=@OLD_SQL_MODE", 3);
        survey.rows("t", 4, 10, 5);
        assert_eq!(survey.sql_mode.as_deref(), Some("NO_AUTO_VALUE_ON_ZERO"));
    }

    #[test]
    fn a_survey_survives_being_cached() {
        let mut survey = Survey::default();
        survey.statement(b"CREATE TABLE t (d date DEFAULT '0000-00-00') ENGINE=X COLLATE=y", 7);
        survey.comment_opens(false, Some(80_016), b" DEFAULT ENCRYPTION='N' */", 3);
        survey.comment_opens(true, Some(999_999), b"\\- enable the sandbox mode */", 1);
        let back: Survey = serde_json::from_str(&serde_json::to_string(&survey).unwrap()).unwrap();
        assert_eq!(back, survey);
        assert_eq!(back.seen.len(), 3);
        assert_eq!(back.versioned.len(), 1);
    }
}
