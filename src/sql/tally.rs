//! Counts tables and rows of a dump, for the preview: the same reading of the same bytes as the loader's, by [`Lexer`] and
//! [`DumpState`]. Nothing is executed here, and what is refused is noted and passed over.

use crate::error::{Code, Error};
use crate::sql::compat::Survey;
use crate::sql::compat::adapt::with_usual_options;
use crate::sql::compat::survey::{LONG_ROW, Refusal};
use crate::sql::function::is_declared;
use crate::sql::lexer::{Item, Lexer, Rows};
use crate::sql::state::{DumpState, is_of_dropped, without_table};
use crate::sql::statement::{ObjectKind, Statement, Subject, gives_meaning, replaces, subject};
use crate::sql::table::TableText;
use crate::sql::token::{Quoting, tokens};
use crate::sql::trigger::Trigger;
use crate::sql::versioned::Dialect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Read};
use std::ops::Range;

const MAX_TABLES: usize = 20_000;
/// Most objects whose names are kept; all are counted.
pub const MAX_OBJECTS: usize = 2_000;
/// Objects beyond the kept ones are told apart by kind and name up to this number.
const MAX_KNOWN: usize = 100_000;
/// Longest name of an engine or a character set that is kept.
const MAX_NAME: usize = 64;
/// Most tables without a primary key, and functions that do not say what they do, that are named.
const MAX_NAMED: usize = 100;
/// Most triggers whose tables are looked for.
const MAX_TRIGGERS: usize = 10_000;
/// Longest CREATE TABLE kept whole.
pub const MAX_CREATE: usize = 64 << 10;
/// Most bytes of CREATE TABLE kept of a dump.
pub const MAX_CREATES: usize = 4 << 20;
/// Most bytes between two statements of one run: nothing that means anything is so short.
const LINE_END: u64 = 2;
/// Most runs of rows whose places are kept.
const MAX_RUNS: usize = 100_000;
/// Longest text of a refused statement kept.
const MAX_REFUSED_TEXT: usize = 4096;

/// A table of the dump.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DumpedTable")]
pub struct TableTally {
    /// Its name.
    pub name: String,
    /// Rows in INSERT and REPLACE statements.
    pub rows: u64,
    /// Bytes of the statements about it.
    pub bytes: u64,
    /// `ENGINE=` of its CREATE TABLE; `null` where that says none.
    pub engine: Option<String>,
    /// Its character set; `null` where its CREATE TABLE says none.
    pub charset: Option<String>,
    /// Its whole CREATE TABLE as it stands in the dump, comments included; `None` for one that is too long to keep.
    #[serde(skip)]
    pub create: Option<String>,
}

/// A view, routine, trigger or event of the dump.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectFound {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
}

/// Rows of one table with nothing but line ends between their statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsRun {
    /// The table.
    pub table: String,
    /// Their statements, in the text of the dump: without them it is a dump in which the table has no rows.
    pub bytes: Range<u64>,
    /// Line ends in these.
    pub lines: u64,
}

/// What a whole dump held.
#[derive(Debug, Default)]
pub struct Ended {
    /// Tables in the order they appeared.
    pub tables: Vec<TableTally>,
    /// Number of views, triggers, routines and events; a view and its stand-in are one.
    pub objects: u64,
    /// Their names, the first [`MAX_OBJECTS`].
    pub object_list: Vec<ObjectFound>,
    /// The sequences that it makes, with their lines.
    pub sequences: BTreeMap<String, u64>,
    /// The tables of its triggers, by the names of these.
    pub triggers: BTreeMap<String, String>,
    /// What servers differ in.
    pub survey: Survey,
    /// The writer's last line was there.
    pub complete: bool,
    /// Where its rows are; empty where there are too many places.
    pub runs: Vec<RowsRun>,
}

/// Reads a dump to its end, with what any server would read of it.
///
/// # Errors
/// Those of `source`; a dump has none of its own here.
pub fn tally(source: impl Read) -> io::Result<Ended> {
    tally_for(source, None)
}

/// Reads a dump to its end as this server would; as any server would where none is known.
///
/// # Errors
/// As [`tally`].
pub fn tally_for(source: impl Read, server: Option<Dialect>) -> io::Result<Ended> {
    let mut failure = None;
    let mut lexer = Lexer::surveying(Kept { source, failure: &mut failure }, server);
    let mut tally = Tally { server, ..Tally::default() };
    tally.survey.server_read_as = server;
    let mut before = 0;
    loop {
        let item = lexer.next_item();
        tally.state.comments(&lexer.take_remarks());
        let at_end = match item {
            Ok(None) => break,
            Ok(Some(Item::Rows(rows))) => {
                let bytes = lexer.position() - before;
                tally.rows(&rows, bytes, lexer.position() - rows.begin);
                let lines = lexer.lines();
                tally.runs.rows(&rows, lexer.position(), lines);
                false
            }
            Ok(Some(Item::Statement { text, line })) => {
                let bytes = lexer.position() - before;
                tally.statement(&text, lexer.raw(), line, bytes);
                tally.runs.end();
                lexer.set_quoting(tally.state.quoting());
                false
            }
            Err(error) => {
                // It may have ended within a statement.
                tally.runs.open = None;
                let rows = lexer.refused_rows();
                let table = rows.as_ref().map(|(head, _)| head.table.clone());
                if let Some((head, count)) = rows
                    && let Some(table) = tally.table(&head.table)
                {
                    table.rows += count;
                }
                tally.state.goes_on();
                // What cannot be read is never left out.
                tally.refuse(&error, table, None, true);
                !lexer.pass_over().unwrap_or(false)
            }
        };
        if at_end {
            break;
        }
        before = lexer.position();
    }
    tally.survey.versioned = lexer.take_skipped();
    drop(lexer);
    match failure {
        Some(error) => Err(error),
        None => Ok(tally.finish()),
    }
}

/// A source whose failure is kept as it is, beside the lexer, which would put it into words.
struct Kept<'a, R> {
    source: R,
    failure: &'a mut Option<io::Error>,
}

impl<R: Read> Read for Kept<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failure.get_or_insert(error);
                Ok(0)
            }
            other => other,
        }
    }
}

#[derive(Default)]
struct Tally {
    /// The server as which the dump is read.
    server: Option<Dialect>,
    state: DumpState,
    tables: Vec<TableTally>,
    /// Places in `tables`; a table that was dropped has none.
    by_name: HashMap<String, usize>,
    /// Bytes of all CREATE TABLE kept.
    creates: usize,
    objects: u64,
    object_list: Vec<ObjectFound>,
    known: HashSet<u64>,
    survey: Survey,
    /// Texts of tables that were asked for them; `None` where none is known.
    texts: HashMap<String, Option<TableText>>,
    /// Tables that were made.
    made: HashSet<String>,
    /// Sequences that were made, with their lines.
    sequences: BTreeMap<String, u64>,
    /// Triggers by name: table and line.
    triggers: BTreeMap<String, (String, u64)>,
    /// Tables that were changed since they were made.
    altered: HashSet<String>,
    runs: Runs,
}

/// Runs of rows while the dump is read.
#[derive(Default)]
struct Runs {
    ended: Vec<RowsRun>,
    /// The one in hand, and the line on which it begins.
    open: Option<(RowsRun, u64)>,
    too_many: bool,
}

impl Runs {
    /// Adds rows whose statement, or the part of it that was read, ends at `end`; its lines are `first` to `last`.
    fn rows(&mut self, rows: &Rows, end: u64, (first, last): (u64, u64)) {
        // What lies between two statements stays: a client's command, a comment that a server executes.
        let goes_on = |run: &RowsRun| run.table == rows.head.table && rows.begin <= run.bytes.end + LINE_END;
        if self.open.as_ref().is_some_and(|(run, _)| !goes_on(run)) {
            self.end();
        }
        if let Some((run, begun)) = &mut self.open {
            (run.bytes.end, run.lines) = (end, last.saturating_sub(*begun));
            return;
        }
        let lines = last.saturating_sub(first);
        self.open = Some((RowsRun { table: rows.head.table.clone(), bytes: rows.begin..end, lines }, first));
    }

    fn end(&mut self) {
        self.too_many |= self.ended.len() >= MAX_RUNS;
        self.ended.extend(self.open.take().map(|(run, _)| run).filter(|_| !self.too_many));
    }

    fn finish(mut self) -> Vec<RowsRun> {
        self.end();
        if self.too_many { Vec::new() } else { self.ended }
    }
}

impl Tally {
    fn finish(self) -> Ended {
        let mut survey = self.survey;
        survey.origin = self.state.origin().clone();
        let lacking = self.state.lacking(self.triggers.values().map(|(table, _)| table.as_str()));
        for (name, (table, line)) in &self.triggers {
            // What was refused itself is told already.
            if lacking.contains(table.as_str()) && !self.made.contains(table) {
                survey.refuse(refusal(&without_table(table, *line), Some(name.clone()), None));
            }
        }
        let cut = match self.state.end() {
            Err(error) => {
                survey.refuse(refusal(&error, None, None));
                true
            }
            Ok(()) => survey.refused.iter().any(|refusal| refusal.code == Code::BackupCorrupt.name()),
        };
        // Older clients write a table in place of a view until all tables are there.
        let views: HashSet<&str> =
            self.object_list.iter().filter(|object| object.kind == ObjectKind::View).map(|view| &*view.name).collect();
        let mut tables = self.tables;
        let mut at = 0;
        tables.retain(|table| {
            at += 1;
            let dropped = self.by_name.get(&table.name) != Some(&(at - 1));
            !dropped && (table.rows > 0 || !views.contains(table.name.as_str()))
        });
        Ended {
            tables,
            objects: self.objects,
            object_list: self.object_list,
            sequences: self.sequences,
            triggers: self.triggers.into_iter().map(|(name, (table, _))| (name, table)).collect(),
            survey,
            complete: !cut && self.state.is_whole(),
            runs: self.runs.finish(),
        }
    }

    /// `text` as it is read, `raw` as it stands in the dump.
    fn statement(&mut self, text: &[u8], raw: Option<&[u8]>, line: u64, bytes: u64) {
        let quoting = self.state.quoting();
        let about = subject(text, quoting);
        self.survey.statement(text, quoting, line);
        let own = self.state.own_text(text).into_owned();
        let taken = self.state.statement(&with_usual_options(&own, quoting), line);
        if let Err(error) = &taken {
            let dropped = is_of_dropped(error);
            let name = about.as_ref().filter(|_| !dropped).map(|about| about.name().to_owned());
            self.refuse(error, name, raw.or(Some(text)).filter(|_| !dropped), dropped || gives_meaning(text, quoting));
        }
        match (about, taken) {
            (_, Ok(Statement::DropTable(names))) => {
                for name in names {
                    self.by_name.remove(&name.name);
                    self.made.remove(&name.name);
                    self.texts.remove(&name.name);
                    self.altered.remove(&name.name);
                }
            }
            (_, Ok(Statement::Empty(name))) => {
                if let Some(table) = self.table(&name.name) {
                    table.rows = 0;
                }
            }
            (_, Ok(Statement::InsertRow(name))) => {
                if let Some(table) = self.table(&name.name) {
                    table.rows += 1;
                    table.bytes += bytes;
                }
            }
            (_, Ok(Statement::AlterTable(name) | Statement::CreateIndex(name))) if self.altered.len() < MAX_TABLES => {
                self.altered.insert(name.name);
            }
            (_, Ok(Statement::CreateSequence(name))) if self.sequences.len() < MAX_TABLES => {
                self.sequences.insert(name.name, line);
            }
            // `IF NOT EXISTS`: it is what it was.
            (Some(Subject::NewTable(name)), Ok(_)) if self.made.contains(&name) && !replaces(text, quoting) => {
                if let Some(table) = self.table(&name) {
                    table.bytes += bytes;
                }
            }
            (Some(Subject::NewTable(name)), _) => self.created(&name, (text, line), raw, quoting, bytes),
            (Some(Subject::Object(kind, name)), _) => {
                if kind == ObjectKind::Function
                    && self.survey.undeclared.len() < MAX_NAMED
                    && !is_declared(&String::from_utf8_lossy(text), quoting)
                {
                    self.survey.undeclared.push((name.clone(), line));
                }
                if kind == ObjectKind::Trigger
                    && self.triggers.len() < MAX_TRIGGERS
                    && let Some(trigger) = Trigger::parse(&String::from_utf8_lossy(&own), quoting)
                {
                    self.triggers.insert(name.clone(), (trigger.table.name, line));
                }
                self.object(kind, name);
            }
            _ => {}
        }
    }

    fn rows(&mut self, rows: &Rows, bytes: u64, statement: u64) {
        let name = &rows.head.table;
        if let Err(error) = self.state.rows(&rows.head, rows.line) {
            self.refuse(&error, Some(name.clone()), None, false);
        }
        if let Some(table) = self.table(name) {
            table.rows += rows.count;
            table.bytes += bytes;
        }
        let session = self.state.session().clone();
        // Its end mark is no part of it.
        let statement = statement.saturating_sub(1);
        let inserted = if rows.longest > LONG_ROW && self.is_file(rows) { 0 } else { rows.longest };
        self.survey.filled(name, session.sql_mode.as_deref(), rows.line, statement, (rows.longest, inserted));
        if !rows.zero_dates.is_empty() {
            let count = self.zero_dates(rows);
            if count > 0 {
                self.survey.zero_dates(name, count, rows.line);
            }
        }
    }

    /// Whether they go to the server as a file.
    fn is_file(&mut self, rows: &Rows) -> bool {
        let session = self.state.session().clone();
        let mode = session.sql_mode.as_deref().unwrap_or_default();
        !self.altered.contains(&rows.head.table)
            && self.text(&rows.head.table).is_some_and(|table| table.loads(rows, &session, mode))
    }

    fn text(&mut self, name: &str) -> Option<&TableText> {
        if !self.texts.contains_key(name) && self.texts.len() < MAX_TABLES {
            let create = self.by_name.get(name).and_then(|at| self.tables.get(*at)?.create.as_deref());
            let text = create.and_then(|create| TableText::parse(&plain(create, self.server), self.state.quoting()));
            self.texts.insert(name.to_owned(), text);
        }
        self.texts.get(name)?.as_ref()
    }

    /// Only in columns of dates do they count: text may hold what it likes.
    fn zero_dates(&mut self, rows: &Rows) -> u64 {
        let Some(table) = self.text(&rows.head.table) else { return 0 };
        let column = |at: usize| match &rows.head.columns {
            None => table.columns.get(at),
            Some(names) => table.columns.iter().find(|column| names.get(at) == Some(&column.name)),
        };
        let is_date = |kind: &str| matches!(kind, "date" | "datetime" | "timestamp");
        let dates = rows.zero_dates.iter().filter(|(at, _)| column(*at).is_some_and(|column| is_date(&column.kind)));
        dates.map(|(_, count)| count).sum()
    }

    fn created(&mut self, name: &str, (text, line): (&[u8], u64), raw: Option<&[u8]>, quoting: Quoting, bytes: u64) {
        let (engine, charset) = options(text, quoting);
        if self.survey.keyless.len() < MAX_NAMED && !has_primary_key(text, quoting) {
            self.survey.keyless.push((name.to_owned(), line));
        }
        let room = MAX_CREATES - self.creates;
        let create = raw.map(<[u8]>::trim_ascii_end).filter(|raw| raw.len() <= MAX_CREATE.min(room));
        self.creates += create.map_or(0, <[u8]>::len);
        self.texts.remove(name);
        if self.made.len() < MAX_TABLES {
            self.made.insert(name.to_owned());
        }
        let replaces = replaces(text, quoting);
        if let Some(table) = self.table(name) {
            if replaces {
                (table.rows, table.bytes) = (0, 0);
            }
            table.bytes += bytes;
            table.engine = engine.filter(|name| name.len() <= MAX_NAME);
            table.charset = charset.filter(|name| name.len() <= MAX_NAME);
            table.create = create.map(|text| String::from_utf8_lossy(text).into_owned());
        }
    }

    fn object(&mut self, kind: ObjectKind, name: String) {
        if self.known.len() < MAX_KNOWN {
            let key = xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), kind as u64);
            if !self.known.insert(key) {
                return;
            }
        }
        self.objects += 1;
        if self.object_list.len() < MAX_OBJECTS {
            self.object_list.push(ObjectFound { kind, name });
        }
    }

    fn table(&mut self, name: &str) -> Option<&mut TableTally> {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None if self.tables.len() >= MAX_TABLES => return None,
            None => {
                self.tables.push(TableTally { name: name.to_owned(), ..TableTally::default() });
                self.by_name.insert(name.to_owned(), self.tables.len() - 1);
                self.tables.len() - 1
            }
        };
        self.tables.get_mut(at)
    }

    fn refuse(&mut self, error: &Error, subject: Option<String>, text: Option<&[u8]>, gives_meaning: bool) {
        self.survey.refuse(Refusal { gives_meaning, ..refusal(error, subject, text) });
    }
}

fn refusal(error: &Error, subject: Option<String>, text: Option<&[u8]>) -> Refusal {
    let word = |name: &str| error.context.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    // Another server reads another text.
    let text = text.filter(|text| memchr::memmem::find(text, b"/*").is_some() && text.len() <= MAX_REFUSED_TEXT);
    Refusal {
        line: error.context.get("line").and_then(|line| line.as_u64()).unwrap_or_default(),
        code: error.code.name().to_owned(),
        message: error.message.clone(),
        hint: (error.hint != error.code.hint()).then(|| error.hint.clone()),
        subject,
        schema: word("schema"),
        text: text.map(|text| String::from_utf8_lossy(text).into_owned()),
        gives_meaning: false,
    }
}

/// A CREATE TABLE as this server reads it, or one whose every versioned comment is meant for it.
fn plain(create: &str, server: Option<Dialect>) -> String {
    let whole = [create, ";"].concat();
    match Lexer::surveying(whole.as_bytes(), server).next_item() {
        Ok(Some(Item::Statement { text, .. })) => String::from_utf8_lossy(&text).into_owned(),
        _ => create.to_owned(),
    }
}

fn has_primary_key(sql: &[u8], quoting: Quoting) -> bool {
    tokens(sql, quoting).windows(2).any(|pair| pair[0].is(sql, "PRIMARY") && pair[1].is(sql, "KEY"))
}

/// `ENGINE=` and `CHARSET=` behind the columns of a table.
fn options(sql: &[u8], quoting: Quoting) -> (Option<String>, Option<String>) {
    let all = tokens(sql, quoting);
    let close = all.iter().rposition(|token| token.is_sign(sql, b')')).map_or(0, |at| at + 1);
    let value = |word: &str| {
        let at = close + all[close..].iter().position(|token| token.is(sql, word))?;
        let step = if all.get(at + 1)?.is_sign(sql, b'=') { 2 } else { 1 };
        all.get(at + step)?.name(sql)
    };
    (value("ENGINE"), value("CHARSET"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a text in pieces of given sizes, again and again.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1.rotate_left(1);
            let length = self.1[0].min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    const DUMP: &str = "/*M!999999\\- enable the sandbox mode */\n-- MariaDB dump; it's \"quoted\n\
        /*!40101 SET NAMES utf8mb4 */;\n\
        CREATE TABLE `wp_posts` (\n `id` int(11) COMMENT 'a ) ; b',\n PRIMARY KEY (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=x;\n\
        /*!40000 ALTER TABLE `wp_posts` DISABLE KEYS */;\n\
        INSERT INTO `wp_posts` VALUES (1,'it\\'s (a) ; b'),(2,'x'),\n(3,'''),(');\n\
        INSERT INTO `wp_posts` (`id`,`x`) VALUES (4,NOW());\n\
        CREATE TABLE IF NOT EXISTS plain (a int) ENGINE=MyISAM;\nINSERT IGNORE INTO plain values (1);\n\
        DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER t BEFORE INSERT ON plain FOR EACH ROW BEGIN\n INSERT INTO plain VALUES (9); SET @x = 1;\nEND */;;\nDELIMITER ;\n\
        /*!50001 CREATE VIEW `v` AS SELECT 1 */;\n-- Dump completed on 2025-10-04\n";

    fn tally(piece: usize) -> Ended {
        super::tally(Pieces(DUMP.as_bytes(), vec![piece])).unwrap()
    }

    #[test]
    fn a_dump_without_the_rows_of_a_table_is_one_in_which_it_has_none() {
        let mut text = "-- MariaDB dump\nSET NAMES utf8mb4;\n".to_owned();
        for table in ["a", "b;", "c"] {
            text += &format!("CREATE TABLE `{table}` (\n  `x` int, y text\n);\nLOCK TABLES `{table}` WRITE;\n");
            for statement in 0..3 {
                let rows: Vec<String> = (0..40_000).map(|at| format!("({at},'a\\'; \n{statement}')")).collect();
                text += &format!("INSERT INTO `{table}` VALUES\n{};\n-- between\n", rows.join(",\n"));
            }
            text += "UNLOCK TABLES;\n";
        }
        text += "CREATE TABLE z (x int);\n-- Dump completed\n";
        let whole = super::tally(text.as_bytes()).unwrap();
        let names: Vec<&str> = whole.runs.iter().map(|run| run.table.as_str()).collect();
        assert_eq!(names, ["a", "a", "a", "b;", "b;", "b;", "c", "c", "c"]);
        let mut cut = text.clone();
        for run in whole.runs.iter().rev().filter(|run| run.table != "c") {
            let range = run.bytes.start as usize..run.bytes.end as usize;
            assert!(text[range.clone()].starts_with("INSERT") && text[range.clone()].ends_with(");"));
            assert_eq!(run.lines, text[range.clone()].matches('\n').count() as u64);
            cut.replace_range(range, &"\n".repeat(run.lines as usize));
        }
        let rest = super::tally(cut.as_bytes()).unwrap();
        let rows = |ended: &Ended| ended.tables.iter().map(|table| table.rows).collect::<Vec<u64>>();
        assert_eq!(rows(&whole), [120_000, 120_000, 120_000, 0]);
        assert_eq!(rows(&rest), [0, 0, 120_000, 0]);
        assert!(rest.complete && rest.survey.refused.is_empty());
        assert_eq!(rest.survey.keyless, whole.survey.keyless, "lines keep their numbers");
    }

    #[test]
    fn what_lies_between_statements_is_in_no_run() {
        let text = "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\r\nDELIMITER ;;\nINSERT INTO a VALUES (3);;\n\
                    CREATE TRIGGER t BEFORE INSERT ON b FOR EACH ROW BEGIN SET NEW.x=1; END;;\nDELIMITER ;\n\
                    INSERT INTO a VALUES (4);/*!50000 SET @x=1*/;\nINSERT INTO a VALUES (5);\n";
        let runs = super::tally(text.as_bytes()).unwrap().runs;
        let shown: Vec<&str> = runs.iter().map(|run| &text[run.bytes.start as usize..run.bytes.end as usize]).collect();
        assert_eq!(
            shown,
            [
                "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);",
                "INSERT INTO a VALUES (3);;",
                "INSERT INTO a VALUES (4);",
                "INSERT INTO a VALUES (5);"
            ]
        );
    }

    #[test]
    fn a_statement_that_is_refused_is_in_no_run() {
        let text = "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2),(oh(3;\nINSERT INTO b VALUES (4);\n";
        let ended = super::tally(text.as_bytes()).unwrap();
        assert!(ended.runs.iter().all(|run| run.table == "b"), "{:?}", ended.runs);
    }

    #[test]
    fn tables_rows_and_objects_are_counted_whatever_the_pieces() {
        for piece in [1, 2, 3, 7, 63, 64, 65, 200, 100_000] {
            let ended = tally(piece);
            let rows: Vec<(&str, u64)> = ended.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
            assert_eq!(rows, [("wp_posts", 4), ("plain", 1)], "pieces of {piece}");
            assert_eq!((ended.objects, ended.complete), (2, true), "pieces of {piece}");
            assert_eq!(ended.tables[0].engine.as_deref(), Some("InnoDB"));
            assert_eq!(ended.tables[0].charset.as_deref(), Some("utf8mb4"));
            assert_eq!(ended.tables[1].engine.as_deref(), Some("MyISAM"));
            assert!(ended.tables[0].bytes > 200);
            let create = ended.tables[0].create.as_deref().unwrap();
            assert!(create.starts_with("CREATE TABLE `wp_posts` (\n `id`"), "pieces of {piece}: {create}");
            assert!(create.ends_with("CHARSET=utf8mb4 COLLATE=x"), "pieces of {piece}: {create}");
            let objects: Vec<(ObjectKind, &str)> =
                ended.object_list.iter().map(|object| (object.kind, object.name.as_str())).collect();
            assert_eq!(objects, [(ObjectKind::Trigger, "t"), (ObjectKind::View, "v")], "pieces of {piece}");
        }
    }

    fn of(sql: &str) -> Ended {
        super::tally(sql.as_bytes()).unwrap()
    }

    #[test]
    fn a_view_and_its_stand_in_are_one_view_and_no_table() {
        let ended = of("/*!50001 CREATE VIEW `v` AS SELECT 1 AS `id` */;\n\
             /*!50001 CREATE TABLE `old` (`id` tinyint NOT NULL) ENGINE=MyISAM */;\n\
             CREATE TABLE t (a int);\n\
             /*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n\
             /*!50001 VIEW `v` AS select 1 AS `id` */;\n\
             CREATE OR REPLACE ALGORITHM = UNDEFINED DEFINER = `a` @ `b` SQL SECURITY INVOKER VIEW `old` AS select 1;\n");
        let names = |name: &str| ObjectFound { kind: ObjectKind::View, name: name.into() };
        assert_eq!((ended.objects, ended.object_list), (2, vec![names("v"), names("old")]));
        assert_eq!(ended.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn objects_are_named_by_kind_and_quoted_names_are_read_whole() {
        let ended = of("DELIMITER ;;\nCREATE DEFINER=`a`@`%` PROCEDURE IF NOT EXISTS `p``q`(IN x INT)\nBEGIN END;;\n\
             CREATE AGGREGATE FUNCTION s.f(x INT) RETURNS INT BEGIN END;;\n\
             /*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SET @x='VIEW'*/;;\n\
             DELIMITER ;\nCREATE INDEX event ON t (a);\nSET sql_mode='ANSI_QUOTES';\nCREATE TABLE \"we\"\"ird` (x\" (a int);\n\
             INSERT INTO \"we\"\"ird` (x\" VALUES (1),(2);\nCREATE TABLE `Bảng ``1``` (a int); INSERT INTO `Bảng ``1``` VALUES (1);");
        let objects: Vec<(ObjectKind, &str)> =
            ended.object_list.iter().map(|object| (object.kind, object.name.as_str())).collect();
        let kinds = [(ObjectKind::Procedure, "p`q"), (ObjectKind::Function, "f"), (ObjectKind::Event, "e")];
        assert_eq!(objects, kinds);
        let rows: Vec<(&str, u64)> = ended.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
        assert_eq!(rows, [("we\"ird` (x", 2), ("Bảng `1`", 1)]);
    }

    #[test]
    fn what_is_kept_of_a_dump_is_bounded_and_all_is_counted() {
        let long = format!("CREATE TABLE long (a int COMMENT '{}');", "x".repeat(MAX_CREATE));
        let tables: String = (0..100)
            .map(|number| format!("CREATE TABLE t{number} (a int COMMENT '{}');", "x".repeat(60_000)))
            .collect();
        let views: String = (0..3_000).map(|number| format!("CREATE VIEW v{number} AS SELECT 1;")).collect();
        let ended = of(&[long, tables, views.clone(), views].concat());
        assert_eq!(ended.tables.len(), 101);
        assert_eq!(ended.tables[0].create, None);
        let kept: usize = ended.tables.iter().filter_map(|table| table.create.as_ref()).map(String::len).sum();
        assert!(kept <= MAX_CREATES && kept > MAX_CREATES - MAX_CREATE, "{kept}");
        assert_eq!((ended.objects, ended.object_list.len()), (3_000, MAX_OBJECTS));
    }

    #[test]
    fn a_cut_dump_is_not_complete_and_noise_is_no_table() {
        assert!(!of(&DUMP[..DUMP.len() - 60]).complete);
        let noise = [b'(', b'`', 0xff, b'\'', b'\\'].repeat(10_000);
        assert!(super::tally(noise.as_slice()).unwrap().tables.is_empty());
    }

    #[test]
    fn what_servers_differ_in_is_seen_where_it_means_something_and_nowhere_else() {
        let sql = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n-- Server version\t8.0.36\n\
            /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n\
            CREATE TABLE `p` (\n `id` int,\n `d` datetime DEFAULT '0000-00-00 00:00:00',\n `t` text COLLATE utf8mb4_0900_ai_ci COMMENT 'COLLATE no_ci'\n) ENGINE=ROCKSDB DEFAULT CHARSET=utf8mb4;\n\
            INSERT INTO `p` VALUES (1,'0000-00-00 00:00:00','COLLATE utf8mb4_0900_bin DEFINER=`x`@`y` /*!80001 z */ 0000-00-00'),\n\
            (2,'2020-01-00','0000-00-00'),(3,NOW(),'a,b'),(4,'2020-01-01',',''0000-00-00''');\n\
            INSERT INTO `p` (`t`,`d`) VALUES ('0000-00-00','0000-00-00');\n\
            /*!50003 CREATE*/ /*!50020 DEFINER=`root`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON p FOR EACH ROW SET @x='DEFINER=`no`@`no`' */;\n\
            /* COLLATE comment_ci */ -- COLLATE comment_ci\n\
            CREATE DATABASE x /*!80016 DEFAULT ENCRYPTION='N' */;\n";
        let survey = of(sql).survey;
        let seen: Vec<(&str, u64, u64)> =
            survey.seen.iter().map(|seen| (seen.subject.as_str(), seen.count, seen.line)).collect();
        assert_eq!(
            seen,
            [
                ("DEFAULT '0000-00-00 00:00:00' in p", 1, 4),
                ("utf8mb4_0900_ai_ci", 1, 4),
                ("ROCKSDB", 1, 4),
                ("utf8mb4", 1, 4),
                ("rows of p", 3, 9),
                ("root@%", 1, 12),
            ]
        );
        assert_eq!(survey.origin.writer.as_deref(), Some("MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)"));
        assert_eq!(
            (survey.origin.server.as_deref(), survey.sql_mode.as_deref()),
            (Some("8.0.36"), Some("NO_AUTO_VALUE_ON_ZERO"))
        );
        let row = "(1,'0000-00-00 00:00:00','COLLATE utf8mb4_0900_bin DEFINER=`x`@`y` /*!80001 z */ 0000-00-00')";
        assert_eq!((survey.largest_row.bytes, survey.largest_row.line), (row.len() as u64, 9));
        let statement =
            sql.find("INSERT").zip(sql.find(";\nINSERT INTO `p` (")).map(|(begin, end)| (end - begin) as u64);
        assert_eq!((Some(survey.largest_statement.bytes), survey.largest_statement.table.as_str()), (statement, "p"));
        let texts: Vec<_> = survey.versioned.iter().filter(|seen| !seen.text.is_empty()).collect();
        assert_eq!(
            (texts.len(), texts[0].version, texts[0].text.as_str()),
            (1, Some(80_016), "DEFAULT ENCRYPTION='N'")
        );
    }

    proptest::proptest! {
        #[test]
        fn the_count_does_not_depend_on_how_the_dump_is_cut(
            tokens in proptest::collection::vec(0..TOKENS.len(), 0..60),
            cuts in proptest::collection::vec(1_usize..40, 1..20),
        ) {
            let text: Vec<u8> = tokens.iter().flat_map(|at| TOKENS[*at].bytes()).collect();
            let whole = super::tally(text.as_slice()).unwrap();
            let cut = super::tally(Pieces(&text, cuts)).unwrap();
            proptest::prop_assert_eq!(whole.tables, cut.tables);
            proptest::prop_assert_eq!((whole.objects, whole.complete), (cut.objects, cut.complete));
            proptest::prop_assert_eq!(whole.object_list, cut.object_list);
            proptest::prop_assert_eq!(whole.survey, cut.survey);
        }
    }

    const TOKENS: &[&str] = &[
        "INSERT INTO `a` VALUES (",
        "),(",
        ");\n",
        "'",
        "\"",
        "`",
        "\\",
        "''",
        "-- ",
        "--",
        "#",
        "/*",
        "*/",
        "/*!50003 ",
        "/*M!100 ",
        "\n",
        " ",
        ";",
        ";;",
        "DELIMITER ;;\n",
        "DELIMITER ;\n",
        "CREATE TABLE b (x int) ENGINE=InnoDB",
        "CREATE VIEW v",
        "x",
        "(",
        ")",
        "VALUES",
        "REPLACE INTO c values (1)",
        "CREATE TABLE d (a int, b datetime COLLATE x DEFAULT '0000-00-00') CHARSET=y;\n",
        "INSERT INTO d VALUES (1,'0000-00-00 00:00:00'),(2,'2020-00-00');\n",
        "INSERT INTO d (b) VALUES ('0000-00-00');",
        "/*!80016 DEFAULT ENCRYPTION='N' */",
        "/*M!999999\\- sandbox */",
        "-- MySQL dump 10.13  Distrib 8.0.36\n",
        "CREATE DEFINER=`a`@`b` VIEW v AS SELECT 1;",
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1';",
    ];
}
