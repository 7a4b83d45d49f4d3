//! What of a dump gives the statements behind it their meaning: its session, its schema, its tables, what it has prepared. Whoever
//! reads a dump, to look at it or to load it, takes each statement to this one state, and what is refused is refused here.

use crate::error::{Code, Error, Result};
use crate::sql::definer::with_definer;
use crate::sql::insert::InsertHead;
use crate::sql::lexer::refused;
use crate::sql::origin::{Origin, is_end};
use crate::sql::own;
use crate::sql::session::Session;
use crate::sql::statement::{
    FOREIGN_REFERENCE, Name, ObjectKind, Source, Statement, Subject, classify, gives_meaning, replaces, subject,
};
use crate::sql::token::{Quoting, opens_versioned, tokens};
use crate::sql::trigger::Trigger;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The way round a statement that is about no table.
const LEAVE_OUT: &str = "Leave the statement out, with a note, by \"options\":{\"compatibility\":{\"statement\":\"skip\"}}; or make the dump anew without it. The live database was not changed.";
/// Statements that may be prepared at a time, and the longest of them.
const MAX_PREPARED: usize = 100;
const MAX_PREPARED_BYTES: usize = 4096;
/// Names the schema that was dropped, in the context of an error.
const DROPPED: &str = "dropped";
/// Most tables that are remembered.
const MAX_TABLES: usize = 200_000;

/// The state of a dump at one place of it.
#[derive(Debug, Clone, Default)]
pub struct DumpState {
    session: Arc<Session>,
    origin: Origin,
    /// Names of the dump's own schema: that of the site, and those that the dump gives it.
    own: Vec<String>,
    /// The schema that `USE` or `CREATE DATABASE` named.
    named: Option<String>,
    /// A schema that was dropped and has to be made next.
    dropped: Option<(String, u64)>,
    tables: HashSet<String>,
    prepared: HashMap<String, String>,
    /// What was saved before the first statement that is no setting.
    saved: Option<Vec<String>>,
    /// Foreign keys were not checked then.
    unchecked: bool,
    /// How often their checks were switched on again.
    checked_again: u32,
    /// The last comment was one with which a writer ends.
    ended: bool,
}

impl DumpState {
    /// At the beginning of a dump for a site with this schema; `None` where that is not known.
    pub fn new(live: Option<&str>) -> DumpState {
        DumpState { own: live.map(str::to_owned).into_iter().collect(), ..DumpState::default() }
    }

    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// How quotes are read.
    pub fn quoting(&self) -> Quoting {
        self.session.quoting()
    }

    /// What the comments say.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The schema that the dump names itself.
    pub fn schema(&self) -> Option<&str> {
        self.named.as_deref()
    }

    /// Comments between statements.
    pub fn comments(&mut self, comments: &[Vec<u8>]) {
        for comment in comments {
            self.origin.comment(comment);
            // An end stays one under blank comment lines.
            if comment.iter().any(u8::is_ascii_alphanumeric) {
                self.ended = is_end(comment);
            }
        }
        if let Some(schema) = &self.origin.schema
            && !self.own.contains(schema)
        {
            self.own.push(schema.clone());
        }
    }

    /// The statement without the names of the dump's own schema.
    pub fn own_text<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        own::without(text, self.quoting(), &self.own)
    }

    /// Something of the dump stands behind its last comment, whether it is taken or passed over.
    pub fn goes_on(&mut self) {
        self.ended = false;
    }

    /// Takes a statement, as [`DumpState::own_text`] gives it back.
    ///
    /// # Errors
    /// `dump_refused` for what no dump of a site needs.
    pub fn statement(&mut self, text: &[u8], line: u64) -> Result<Statement> {
        let quoting = self.quoting();
        self.take(text, line).map_err(|error| {
            let may_be_left_out = error.code == Code::DumpRefused
                && !is_of_dropped(&error)
                && error.context.get("schema").is_none()
                && !gives_meaning(text, quoting);
            match subject(text, quoting) {
                None if may_be_left_out => error.hint(LEAVE_OUT),
                _ => error,
            }
        })
    }

    fn take(&mut self, text: &[u8], line: u64) -> Result<Statement> {
        self.goes_on();
        if opens_versioned(text, self.quoting()) {
            return Err(refused(line, "a versioned comment put together out of parts", text));
        }
        if self.session.hides_words(text) {
            return Err(refused(line, "a bare name beyond ASCII in another character set than UTF-8", text));
        }
        let statement = classify(text, self.quoting()).map_err(|why| {
            let error = refused(line, &why, text);
            // Whoever looks does not know the site's schema, and goes on with the rows.
            if why == FOREIGN_REFERENCE
                && self.tables.len() < MAX_TABLES
                && let Some(Subject::NewTable(name)) = subject(text, self.quoting())
            {
                self.tables.insert(name);
            }
            match referenced(text, self.quoting()) {
                Some(schema) if why == FOREIGN_REFERENCE => error.with("schema", schema),
                _ => error,
            }
        })?;
        if is_sent(&statement) && std::str::from_utf8(text).is_err() {
            return Err(refused(line, "a statement that is not UTF-8", text));
        }
        self.dropped_is_made(&statement)?;
        if !matches!(statement, Statement::Set | Statement::Nothing | Statement::Schema(_)) {
            if self.saved.is_none() {
                self.unchecked = self.session.checks_keys() == Some(false);
            }
            self.saved.get_or_insert_with(|| self.session.saved().map(str::to_owned).collect());
        }
        match &statement {
            Statement::Set => {
                let checked = self.session.checks_keys();
                // A dump with such a line is refused as a whole: what was taken of it before the error means nothing.
                let session = Arc::make_mut(&mut self.session);
                session.apply(text).map_err(|why| refused(line, &format!("SET with {why}"), text))?;
                let again = checked == Some(false) && session.checks_keys() == Some(true);
                self.checked_again = self.checked_again.saturating_add(u32::from(again));
            }
            Statement::Schema(name) => {
                if let Some(first) = self.named.as_ref().filter(|first| *first != name) {
                    return Err(refused(line, &format!("a second schema after {first}"), text));
                }
                self.named = Some(name.clone());
                if !self.own.contains(name) {
                    self.own.push(name.clone());
                }
            }
            Statement::DropSchema(name) if !self.own.contains(name) => self.dropped = Some((name.clone(), line)),
            Statement::CreateTable(name) | Statement::CreateSequence(name) => {
                if self.tables.len() >= MAX_TABLES {
                    let message = format!("line {line}: the dump has more than {MAX_TABLES} tables");
                    return Err(Error::new(Code::LimitExceeded, message).with("line", line));
                }
                let twice = self.tables.contains(&name.name) && !is_made_again(text, self.quoting());
                // Also of a schema that only the loader knows as the site's: who looks goes on with its rows.
                self.tables.insert(name.name.clone());
                self.in_own_schema(name, line)?;
                if twice {
                    return Err(refused(line, "a table that the dump has made before", name.name.as_bytes()));
                }
            }
            Statement::DropTable(names) => {
                for name in names {
                    self.in_own_schema(name, line)?;
                    self.tables.remove(&name.name);
                }
            }
            Statement::CreateObject(ObjectKind::Trigger, name) => {
                self.in_own_schema(name, line)?;
                let trigger = std::str::from_utf8(text).ok().map(|sql| with_definer(sql, self.quoting(), None));
                let trigger = trigger.as_deref().and_then(|sql| Trigger::parse(sql, self.quoting()));
                if let Some(trigger) = trigger {
                    self.in_own_schema(&trigger.table, line)?;
                }
            }
            Statement::Keys(name, _) | Statement::CreateObject(_, name) => self.in_own_schema(name, line)?,
            Statement::SetSequence(name)
            | Statement::AlterTable(name)
            | Statement::CreateIndex(name)
            | Statement::Empty(name)
            | Statement::InsertRow(name) => {
                self.in_own_schema(name, line)?;
                self.is_known(&name.name, line)?;
            }
            Statement::Prepare(name, source) => self.prepare(name, source, text, line)?,
            Statement::Execute(name) => return self.execute(&name.clone(), text, line),
            Statement::Nothing | Statement::DropSchema(_) | Statement::DropObject(_) => {}
        }
        Ok(statement)
    }

    /// Takes the head of rows.
    ///
    /// # Errors
    /// `dump_refused` for rows of a table that the dump does not create, or of another schema.
    pub fn rows(&mut self, head: &InsertHead, line: u64) -> Result<()> {
        self.goes_on();
        if let Some(schema) = head.schema.as_ref().filter(|schema| !self.own.contains(schema)) {
            return Err(refused(line, "a name in another schema", schema.as_bytes()).with("schema", schema.as_str()));
        }
        self.is_known(&head.table, line)
    }

    /// Those of these tables that the dump has not made, in whatever letters: a trigger's text has them as they were typed.
    pub fn lacking<'a>(&self, names: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
        let mut lacking: HashSet<&str> = names.filter(|name| !self.tables.contains(*name)).collect();
        if !lacking.is_empty() {
            let folded: HashSet<String> = self.tables.iter().map(|name| name.to_lowercase()).collect();
            lacking.retain(|name| !folded.contains(&name.to_lowercase()));
        }
        lacking
    }

    /// Whether the dump is known to be whole: its writer's last line is there, or all that it saved at its beginning is set back.
    pub fn is_whole(&self) -> bool {
        let saved = self.saved.as_deref().unwrap_or_default();
        let set_back = !saved.is_empty() && saved.iter().all(|name| self.session.is_set_back(name));
        // Once for the whole dump; a writer that does it for each table says nothing of the next.
        let once = self.unchecked && self.checked_again == 1 && self.session.checks_keys() == Some(true);
        let checks_again = saved.is_empty() && once;
        self.ended || (set_back || checks_again) && self.session.not_set_back().is_none()
    }

    /// At the end of the dump.
    ///
    /// # Errors
    /// `backup_corrupt` for one that does not set back what its last lines would, and lacks the last comment of its writer too.
    pub fn end(&self) -> Result<()> {
        if let Some((name, line)) = &self.dropped {
            return Err(not_made_again(name, *line));
        }
        let Some(name) = self.session.not_set_back().filter(|_| !self.ended && !self.origin.has_no_end()) else {
            return Ok(());
        };
        Err(Error::new(
            Code::BackupCorrupt,
            format!(
                "the dump ends too early: it never sets @{} back, as its last lines would",
                name.to_ascii_uppercase()
            ),
        )
        .hint("The dump was cut when it was made or copied. Choose another backup or another dump."))
    }

    /// A schema that is dropped has to be the one that is made then.
    fn dropped_is_made(&mut self, statement: &Statement) -> Result<()> {
        match (statement, self.dropped.take()) {
            (Statement::Schema(made), Some((dropped, _))) if *made == dropped => Ok(()),
            (Statement::Set | Statement::Nothing, dropped) => {
                self.dropped = dropped;
                Ok(())
            }
            (_, Some((dropped, line))) => Err(not_made_again(&dropped, line)),
            (_, None) => Ok(()),
        }
    }

    /// A statement about something that is not loaded comes: it is not taken, and makes no schema.
    ///
    /// # Errors
    /// `dump_refused` for a schema that was dropped just before.
    pub fn passes_over(&mut self) -> Result<()> {
        self.goes_on();
        self.dropped.take().map_or(Ok(()), |(dropped, line)| Err(not_made_again(&dropped, line)))
    }

    fn in_own_schema(&self, name: &Name, line: u64) -> Result<()> {
        match name.schema.as_ref().filter(|schema| !self.own.contains(schema)) {
            Some(schema) => {
                Err(refused(line, "a name in another schema", schema.as_bytes()).with("schema", schema.as_str()))
            }
            None => Ok(()),
        }
    }

    fn is_known(&self, table: &str, line: u64) -> Result<()> {
        if self.tables.contains(table) {
            return Ok(());
        }
        Err(refused(line, "rows or changes of a table that the dump does not create", table.as_bytes()))
    }

    /// What is prepared has to be a setting of the session, or a question.
    fn prepare(&mut self, name: &str, source: &Source, text: &[u8], line: u64) -> Result<()> {
        let sql = match source {
            Source::Text(sql) => sql.clone(),
            Source::Variable(variable) => self.session.variable(variable).unwrap_or_default().to_owned(),
        };
        let harmless = matches!(classify(sql.as_bytes(), self.quoting()), Ok(Statement::Set | Statement::Nothing));
        if !harmless || self.prepared.len() >= MAX_PREPARED || sql.len() + name.len() > MAX_PREPARED_BYTES {
            return Err(refused(line, "a prepared statement that no dump of a site needs", text));
        }
        self.prepared.insert(name.to_owned(), sql);
        Ok(())
    }

    fn execute(&mut self, name: &str, text: &[u8], line: u64) -> Result<Statement> {
        match self.prepared.get(name).cloned() {
            Some(sql) => self.statement(sql.as_bytes(), line),
            None => Err(refused(line, "a prepared statement that the dump has not prepared", text)),
        }
    }
}

/// The refusal of a schema that is dropped, whatever stands where it should be made.
fn not_made_again(schema: &str, line: u64) -> Error {
    refused(line, "a schema that is dropped and not made again", schema.as_bytes()).with(DROPPED, schema)
}

/// Whether a refusal is about a schema that was dropped, and not about the statement behind it.
pub fn is_of_dropped(error: &Error) -> bool {
    error.context.contains_key(DROPPED)
}

/// Whether it says what to do where the table is there.
fn is_made_again(sql: &[u8], quoting: Quoting) -> bool {
    replaces(sql, quoting) || tokens(sql, quoting).get(2).is_some_and(|token| token.is(sql, "IF"))
}

/// The refusal of a trigger whose table the dump does not have, known at its end.
pub fn without_table(table: &str, line: u64) -> Error {
    refused(line, "a trigger of a table that the dump does not create", table.as_bytes())
}

/// Whether its text goes to the server.
fn is_sent(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateTable(_)
            | Statement::CreateSequence(_)
            | Statement::SetSequence(_)
            | Statement::AlterTable(_)
            | Statement::CreateIndex(_)
            | Statement::CreateObject(..)
            | Statement::Empty(_)
            | Statement::InsertRow(_)
    )
}

/// The one schema that foreign keys of the statement lead to.
fn referenced(sql: &[u8], quoting: Quoting) -> Option<String> {
    let all = tokens(sql, quoting);
    let leads =
        |at: &usize| all[*at].is(sql, "REFERENCES") && all.get(*at + 2).is_some_and(|dot| dot.is_sign(sql, b'.'));
    let mut schemas = (0..all.len()).filter(leads).map(|at| all[at + 1].name(sql));
    let first = schemas.next()??;
    schemas.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(live: Option<&str>, statements: &[&str]) -> Result<DumpState> {
        let mut state = DumpState::new(live);
        for (at, sql) in statements.iter().enumerate() {
            let text = state.own_text(sql.as_bytes()).into_owned();
            state.statement(&text, at as u64 + 1)?;
        }
        state.end()?;
        Ok(state)
    }

    #[test]
    fn the_own_schema_may_be_named_and_dropped_and_no_other() {
        let site = Some("site");
        for good in [
            &["DROP DATABASE IF EXISTS `site`", "CREATE DATABASE `site`", "USE `site`", "CREATE TABLE site.a (x int)"]
                [..],
            &["CREATE TABLE `site`.`a` (x int)"],
            // As it was called where the dump comes from.
            &["DROP DATABASE IF EXISTS `old`", "SET @x=1", "CREATE DATABASE `old`", "CREATE TABLE `old`.`a` (x int)"],
            &["USE old", "CREATE TABLE a (x int, FOREIGN KEY (x) REFERENCES old.b (x))"],
        ] {
            assert!(after(site, good).is_ok(), "{good:?}: {:?}", after(site, good));
        }
        for bad in [
            &["DROP DATABASE `victim`"][..],
            &["DROP DATABASE `victim`", "CREATE DATABASE `site`"],
            &["DROP DATABASE `victim`", "CREATE TABLE a (x int)"],
            &["CREATE TABLE victim.a (x int)"],
            &["USE site", "USE victim"],
            &["CREATE TABLE a (x int, FOREIGN KEY (x) REFERENCES victim.b (x))"],
            &["TRUNCATE a"],
            &["ALTER TABLE a ADD KEY (x)"],
            &["CREATE INDEX i ON a (x)"],
            &["SELECT SETVAL(a, 1)"],
            &["INSERT INTO a SET x=1"],
        ] {
            assert_eq!(after(site, bad).unwrap_err().code, Code::DumpRefused, "{bad:?}");
        }
    }

    #[test]
    fn no_versioned_comment_is_put_together() {
        for bad in ["CREATE TABLE t (x int) /*!50000 COMMENT='y' */", "CREATE TABLE t (x int) /*M! COMMENT='y' */"] {
            assert_eq!(after(None, &[bad]).unwrap_err().code, Code::DumpRefused, "{bad}");
        }
        assert!(after(None, &["CREATE TABLE t (x int COMMENT '/*!50000') -- /*!50000\n/* /*!50000 */"]).is_ok());
    }

    #[test]
    fn what_is_remembered_of_a_dump_is_bounded() {
        let long = format!("PREPARE s FROM 'SET a={}'", "1".repeat(MAX_PREPARED_BYTES));
        assert_eq!(after(None, &[&long]).unwrap_err().code, Code::DumpRefused);
        let name = format!("CREATE TABLE `{}` (x int)", "x".repeat(257));
        assert_eq!(after(None, &[&name]).unwrap_err().code, Code::DumpRefused);
    }

    #[test]
    fn only_settings_are_prepared() {
        let percona = [
            "SELECT COUNT(*) INTO @is_rocksdb_supported FROM INFORMATION_SCHEMA.SESSION_VARIABLES WHERE VARIABLE_NAME='rocksdb_bulk_load'",
            "SET @enable_bulk_load = IF (@is_rocksdb_supported, 'SET SESSION rocksdb_bulk_load=1', 'SET @dummy_rocksdb_bulk_load=0')",
            "PREPARE s FROM @enable_bulk_load",
            "EXECUTE s",
            "DEALLOCATE PREPARE s",
        ];
        assert!(after(None, &percona).is_ok());
        for bad in [
            &["PREPARE s FROM 'DROP TABLE a'"][..],
            &["SET @a='GRANT ALL ON *.* TO x'", "PREPARE s FROM @a", "EXECUTE s"],
            &["SET @a='SET GLOBAL general_log=1'", "PREPARE s FROM @a", "EXECUTE s"],
            &["PREPARE s FROM @nothing"],
            &["EXECUTE s"],
        ] {
            assert_eq!(after(None, bad).unwrap_err().code, Code::DumpRefused, "{bad:?}");
        }
    }

    #[test]
    fn a_dump_is_whole_by_its_last_line_or_by_what_it_sets_back() {
        let mut state = after(None, &["CREATE TABLE a (x int)"]).unwrap();
        assert!(!state.is_whole());
        state.comments(&[b"-- Dump completed on 2026-01-01".to_vec(), b"--".to_vec()]);
        assert!(state.is_whole());
        state.statement(b"CREATE TABLE b (x int)", 9).unwrap();
        assert!(!state.is_whole());
        let saved =
            ["SET @OLD_SQL_NOTES=@@SQL_NOTES", "CREATE TABLE a (x int)", "SET SQL_NOTES=IFNULL(@OLD_SQL_NOTES, 1)"];
        assert!(after(None, &saved).unwrap().is_whole());
        let unchecked = ["SET FOREIGN_KEY_CHECKS = 0", "CREATE TABLE a (x int)", "SET FOREIGN_KEY_CHECKS = 1"];
        assert_eq!(
            (after(None, &unchecked).unwrap().is_whole(), after(None, &unchecked[..2]).unwrap().is_whole()),
            (true, false)
        );
        let each =
            [&unchecked[..], &["SET FOREIGN_KEY_CHECKS = 0", "CREATE TABLE b (x int)", "SET FOREIGN_KEY_CHECKS = 1"]]
                .concat();
        assert!(!after(None, &each).unwrap().is_whole(), "it may have been cut behind any table");
        assert_eq!(after(None, &saved[..2]).unwrap_err().code, Code::BackupCorrupt);
        let mut other = DumpState::default();
        other.statement(saved[0].as_bytes(), 1).unwrap();
        other.comments(&[b"/* DUPLICATOR_MYSQLDUMP_EOF */".to_vec()]);
        assert!(other.end().is_ok() && other.is_whole(), "it sets nothing back and says that it is whole");
    }
}
