//! The rows of a dump's tables, handed on while it streams by. Pure.
//!
//! Whoever compares has to know of a table whether all its rows were seen. So what keeps rows from being read is told too, and by table.

use crate::error::{Code, Error, Result};
use crate::sql::lexer::{Item, Lexer, Rows};
use crate::sql::session::Session;
use crate::sql::state::DumpState;
use crate::sql::statement::{Statement, Subject, subject};
use crate::sql::table::TableText;
use crate::sql::versioned::Dialect;
use crate::sql::window::Window;
use std::collections::HashSet;
use std::io::Read;

/// Longest row that is compared: each is held a few times over.
const LONGEST: u64 = 16 << 20;
/// Bytes of rows in one piece.
const PIECE: u64 = 256 << 10;

/// Takes what is in a dump.
pub trait Reader {
    /// The dump makes a table. `None`: its definition is not of the usual form.
    ///
    /// # Errors
    /// Ends the reading.
    fn table(&mut self, name: &str, table: Option<TableText>, session: &Session) -> Result<()>;

    /// Rows of a table: `(…),(…)`.
    ///
    /// # Errors
    /// Ends the reading.
    fn rows(&mut self, rows: &Rows, text: &[u8], session: &Session) -> Result<()>;

    /// Whether rows of this table are wanted at all.
    fn wants(&self, table: &str) -> bool;

    /// Something other than these rows is in the table, or is not.
    fn unread(&mut self, table: &str, why: &str);

    /// Whether the rest of the dump is of no use.
    fn has_seen_all(&self) -> bool {
        false
    }
}

/// Reads a dump to its end. `live` is the name of the site's schema. What no dump holds is passed over, and told of its table.
///
/// # Errors
/// When the dump cannot be read; those of `reader`.
pub fn read(dump: impl Read, dialect: Dialect, live: &str, reader: &mut impl Reader) -> Result<()> {
    let (dump, window) = Window::over(dump);
    let mut lexer = Lexer::new(dump, dialect, PIECE);
    let mut reading = Reading { state: DumpState::new(Some(live)), filled: HashSet::new(), reader };
    while !reading.reader.has_seen_all() {
        let item = lexer.next_item();
        reading.state.comments(&lexer.take_remarks());
        match item {
            Ok(None) => return Ok(()),
            Ok(Some(Item::Statement { text, line })) => {
                reading.statement(&text, line)?;
                lexer.set_quoting(reading.state.quoting());
                window.forget(lexer.position());
            }
            // The rows of a long statement may come after the lexer has passed them.
            Ok(Some(Item::Rows(rows))) => {
                reading.rows(&rows, &window)?;
                window.forget(rows.offset + rows.length);
            }
            Err(error) => {
                let table = lexer.refused_rows().map(|(head, _)| head.table.clone());
                match (error.code, table) {
                    (Code::DumpRefused | Code::LimitExceeded | Code::BackupCorrupt, Some(table)) => {
                        reading.told(&table, &error);
                    }
                    // Of the statement in hand it is not known which table it is about.
                    (Code::DumpRefused | Code::LimitExceeded, None) => {}
                    _ => return Err(error),
                }
                if !lexer.pass_over()? {
                    return Ok(());
                }
                window.forget(lexer.position());
            }
        }
    }
    Ok(())
}

struct Reading<'a, R> {
    state: DumpState,
    /// Tables whose rows have begun.
    filled: HashSet<String>,
    reader: &'a mut R,
}

impl<R: Reader> Reading<'_, R> {
    fn statement(&mut self, text: &[u8], line: u64) -> Result<()> {
        let own = self.state.own_text(text).into_owned();
        let statement = match self.state.statement(&own, line) {
            Ok(statement) => statement,
            Err(error) => {
                if let Some(Subject::Table(name) | Subject::NewTable(name)) = subject(&own, self.state.quoting()) {
                    self.told(&name, &error);
                }
                return Ok(());
            }
        };
        match statement {
            Statement::CreateTable(name) if self.reader.wants(&name.name) => {
                let sql = std::str::from_utf8(&own).ok();
                let table = sql.and_then(|sql| TableText::parse(sql, self.state.quoting()));
                self.reader.table(&name.name, table, self.state.session())?;
            }
            Statement::InsertRow(name) => {
                self.reader.unread(&name.name, "the dump fills it by INSERT … SET, which is not read here");
            }
            Statement::AlterTable(name) if changes_values(&own) => {
                self.reader.unread(&name.name, "the dump changes its columns behind its definition");
            }
            Statement::Empty(name) if self.filled.contains(&name.name) => {
                self.reader.unread(&name.name, "the dump empties it behind its rows");
            }
            Statement::DropTable(names) => {
                for name in names.iter().filter(|name| self.filled.contains(&name.name)) {
                    self.reader.unread(&name.name, "the dump removes it behind its rows");
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn rows(&mut self, rows: &Rows, window: &Window) -> Result<()> {
        if !self.reader.wants(&rows.head.table) {
            return Ok(());
        }
        if let Err(error) = self.state.rows(&rows.head, rows.line) {
            self.told(&rows.head.table, &error);
            return Ok(());
        }
        if !self.filled.contains(&rows.head.table) {
            self.filled.insert(rows.head.table.clone());
        }
        match window.text(rows).filter(|_| rows.longest <= LONGEST) {
            Some(text) => self.reader.rows(rows, &text, self.state.session()),
            None => {
                self.reader.unread(&rows.head.table, "a row of it has over 16 MiB");
                Ok(())
            }
        }
    }

    /// By its line alone: the text of a statement may hold a secret.
    fn told(&mut self, table: &str, error: &Error) {
        let line = error.context.get("line").and_then(|line| line.as_u64()).unwrap_or_default();
        self.reader
            .unread(table, &format!("line {line} of the dump is about it and is not read here: {}", error.code.name()));
    }
}

/// Whether an ALTER TABLE may change what is in a table: all but keys, and the AUTO_INCREMENT that phpMyAdmin gives a column so.
fn changes_values(sql: &[u8]) -> bool {
    let text = String::from_utf8_lossy(sql).to_uppercase();
    let has = |word: &str| text.split(|letter: char| !letter.is_ascii_alphabetic()).any(|other| other == word);
    has("CHANGE") || has("CONVERT") || has("COLUMN") || (has("MODIFY") && !text.contains("AUTO_INCREMENT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Noted(Vec<String>);

    impl Reader for Noted {
        fn table(&mut self, name: &str, table: Option<TableText>, _: &Session) -> Result<()> {
            self.0.push(format!("table {name} {}", table.map_or(0, |table| table.columns.len())));
            Ok(())
        }

        fn rows(&mut self, rows: &Rows, text: &[u8], session: &Session) -> Result<()> {
            let text = String::from_utf8_lossy(text);
            self.0.push(format!("{} {} {text}", rows.head.table, session.charset.as_deref().unwrap_or("-")));
            Ok(())
        }

        fn wants(&self, table: &str) -> bool {
            table != "other"
        }

        fn unread(&mut self, table: &str, why: &str) {
            self.0.push(format!("unread {table}: {why}"));
        }
    }

    fn noted(dump: &str) -> Vec<String> {
        let mut noted = Noted::default();
        read(dump.as_bytes(), Dialect { version: 101_100, mariadb: true }, "shop", &mut noted).unwrap();
        noted.0
    }

    #[test]
    fn rows_come_with_their_tables_and_sessions() {
        let found = noted(
            "SET NAMES latin1;\nCREATE TABLE a (id int, t text);\nCREATE TABLE other (id int);\nINSERT INTO a VALUES (1,'x'),(2,NULL);\n\
             INSERT INTO other VALUES (1);\nINSERT INTO `shop`.`a` (id) VALUES (3);\nCREATE VIEW v AS SELECT 1 AS one;\n",
        );
        assert_eq!(found, ["table a 2", "a latin1 (1,'x'),(2,NULL)", "a latin1 (3)"]);
    }

    #[test]
    fn what_is_not_read_is_told_of_its_table() {
        let dump = "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nTRUNCATE TABLE a;\nCREATE TABLE b (id int);\nINSERT INTO b SET id=1;\n\
             CREATE TABLE c (id int);\nINSERT INTO c VALUES (SLEEP(9));\nCREATE TABLE d (id int);\nTRUNCATE TABLE d;\nINSERT INTO d VALUES (4);\n\
             INSERT INTO e VALUES (5);\nDROP TABLE d;\n";
        let found = noted(dump);
        let unread: Vec<&str> = found.iter().filter_map(|line| line.strip_prefix("unread ")).collect();
        let tables: Vec<&str> = unread.iter().map(|line| &line[..1]).collect();
        assert_eq!(tables, ["a", "b", "c", "e", "d"], "{unread:?}");
        assert!(found.contains(&"d - (4)".to_owned()), "{found:?}");
    }
}
