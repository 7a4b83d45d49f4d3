//! Views of tables that are gone. A server shows such a view and does not make it: it is made over empty tables that stand in for the
//! missing ones, and they go again.

use crate::error::{Error, Result};
use crate::host::database::server::{error_number, full, literal, rows, run, text};
use crate::sql::quote_name;
use mysql::prelude::Queryable;
use mysql::{Conn, Row};
use std::time::{Duration, Instant};

/// What a stand-in is known by, also after a crash.
const COMMENT: &str = "stand-in of rocketvps-restore for a view";
/// Most tables that are made for the views of a schema, and the longest that is worked at them.
const MAX_TABLES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest wait for one of them.
const LOCK_WAIT_S: u32 = 2;
/// `ER_NO_SUCH_TABLE`, `ER_BAD_FIELD_ERROR`.
const NO_TABLE: u64 = 1146;
const NO_COLUMN: u64 = 1054;
/// The same, `ER_SP_DOES_NOT_EXIST`, `ER_VIEW_INVALID`: what a view refers to is not there.
const DANGLING: [u64; 4] = [NO_TABLE, NO_COLUMN, 1305, 1356];

/// Whether something a view refers to is missing.
pub fn is_dangling(error: &Error) -> bool {
    error_number(error).is_some_and(|number| DANGLING.contains(&number))
}

/// The stand-ins of one schema.
pub struct StandIns<'a> {
    schema: &'a str,
    tables: Vec<String>,
    /// The site waits for its views: then they are left out.
    until: Instant,
    looked: bool,
}

impl<'a> StandIns<'a> {
    /// None yet.
    ///
    /// # Errors
    /// As [`crate::host::database::Database::version`].
    pub fn of(connection: &mut Conn, schema: &'a str) -> Result<StandIns<'a>> {
        // The messages of errors are read.
        run(connection, "SET SESSION lc_messages='en_US'")?;
        Ok(StandIns { schema, tables: Vec::new(), until: Instant::now() + PATIENCE, looked: false })
    }

    /// Makes what a view lacks by the server's word; false where that is no table of this schema and no column of a stand-in.
    pub fn make(&mut self, connection: &mut Conn, error: &Error) -> bool {
        if self.tables.len() >= MAX_TABLES || Instant::now() > self.until {
            return false;
        }
        // What a crash left is not known here, and may lack what this view needs.
        if !std::mem::replace(&mut self.looked, true) && self.clear(connection) {
            return true;
        }
        match error_number(error) {
            Some(NO_TABLE) => missing_table(&error.message, self.schema).is_some_and(|table| {
                let place = full(self.schema, table);
                let sql = format!("CREATE TABLE {place} (rv_stand_in INT PRIMARY KEY) COMMENT={}", literal(COMMENT));
                // A name that is none, or one that the site has made a table of since.
                let made = connection.query_drop(sql).is_ok();
                if made {
                    self.tables.push(table.to_owned());
                }
                made
            }),
            Some(NO_COLUMN) => missing_column(&error.message).is_some_and(|column| {
                let add = |table: &String| {
                    let place = full(self.schema, table);
                    let sql = format!("ALTER TABLE {place} ADD COLUMN {} INT", quote_name(column));
                    while_ours(connection, self.schema, table, &sql).unwrap_or(false)
                };
                // Each of them may be the one that is meant.
                self.tables.iter().map(add).fold(false, |made, one| made | one)
            }),
            _ => false,
        }
    }

    /// Whether the error says that this table or view of the schema is missing.
    pub fn is_missing(&self, error: &Error, name: &str) -> bool {
        error_number(error) == Some(NO_TABLE) && missing_table(&error.message, self.schema) == Some(name)
    }

    /// They go again. What is said of those that cannot.
    pub fn drop(self, connection: &mut Conn) -> Vec<String> {
        let gone = |table: &String| {
            let error = drop_one(connection, self.schema, table).err()?;
            let place = full(self.schema, table);
            Some(format!("{place}, which stood in for the table of a view, could not be dropped: {}", error.message))
        };
        self.tables.iter().filter_map(gone).collect()
    }

    /// Drops what a crash left; whether there was any.
    fn clear(&self, connection: &mut Conn) -> bool {
        let left = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_COMMENT={}",
            literal(self.schema),
            literal(COMMENT)
        );
        let tables = rows(connection, &left).unwrap_or_default();
        let clear = |row: &Row| drop_one(connection, self.schema, &text(row, 0)).unwrap_or(false);
        tables.iter().map(clear).fold(false, |cleared, one| cleared | one)
    }
}

/// Whether it was a stand-in, which is gone then.
fn drop_one(connection: &mut Conn, schema: &str, table: &str) -> Result<bool> {
    while_ours(connection, schema, table, &format!("DROP TABLE {}", full(schema, table)))
}

/// Runs a statement on a table while nobody else can use it, if it is a stand-in: the site may have made a table of that name since.
/// Whether it was one.
fn while_ours(connection: &mut Conn, schema: &str, table: &str, sql: &str) -> Result<bool> {
    let place = full(schema, table);
    run(connection, &format!("SET SESSION lock_wait_timeout={LOCK_WAIT_S}"))?;
    match run(connection, &format!("LOCK TABLES {place} WRITE")) {
        Err(error) if error_number(&error) == Some(NO_TABLE) => return Ok(false),
        other => other?,
    }
    let acted = act_if_ours(connection, schema, table, sql);
    run(connection, "UNLOCK TABLES")?;
    acted
}

fn act_if_ours(connection: &mut Conn, schema: &str, table: &str, sql: &str) -> Result<bool> {
    let marked = format!(
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_NAME={} AND TABLE_COMMENT={}",
        literal(schema),
        literal(table),
        literal(COMMENT)
    );
    // Whatever its comment says, one with rows is somebody's.
    let is_ours = !rows(connection, &marked)?.is_empty()
        && rows(connection, &format!("SELECT 1 FROM {} LIMIT 1", full(schema, table)))?.is_empty();
    if is_ours {
        run(connection, sql)?;
    }
    Ok(is_ours)
}

/// `Table 'schema.name' doesn't exist`.
fn missing_table<'a>(message: &'a str, schema: &str) -> Option<&'a str> {
    let begin = format!("Table '{schema}.");
    let (_, rest) = message.split_once(begin.as_str())?;
    let (name, _) = rest.rsplit_once("' doesn't exist")?;
    (!name.is_empty()).then_some(name)
}

/// `Unknown column 'alias.name' in 'field list'`.
fn missing_column(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("Unknown column '")?;
    let (name, _) = rest.rsplit_once("' in '")?;
    let column = name.rsplit('.').next()?;
    (!column.is_empty()).then_some(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_read_from_the_servers_words() {
        for (message, table) in [
            ("create view v: Table 'shop.base' doesn't exist (error 1146)", Some("base")),
            ("create view v: Table 'shop.it's' doesn't exist (error 1146)", Some("it's")),
            ("create view v: Table 'other.base' doesn't exist (error 1146)", None),
            ("create view v: something else", None),
        ] {
            assert_eq!(missing_table(message, "shop"), table, "{message}");
        }
        for (message, column) in [
            ("create view v: Unknown column 'shop.base.id' in 'field list' (error 1054)", Some("id")),
            ("create view v: Unknown column 'b.id' in 'SELECT' (error 1054)", Some("id")),
            ("create view v: Unknown column 'id' in 'where clause' (error 1054)", Some("id")),
            ("create view v: something else", None),
        ] {
            assert_eq!(missing_column(message), column, "{message}");
        }
    }
}
