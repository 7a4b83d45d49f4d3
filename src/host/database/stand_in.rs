//! Views of tables that are gone. A server shows such a view and does not make it: it is made over empty tables that stand in for the
//! missing ones, and they go again.

use crate::error::{Error, Result};
use crate::host::database::server::{failed, full, literal, rows, run, text};
use crate::sql::quote_name;
use mysql::Conn;
use mysql::prelude::Queryable;

/// What a stand-in is known by, also after a crash.
const COMMENT: &str = "stand-in of rocketvps-restore for a view";
/// Most tables and columns that are made for the views of a schema.
const MAX_MADE: usize = 2000;
/// `ER_NO_SUCH_TABLE`, `ER_BAD_FIELD_ERROR`.
const NO_TABLE: u64 = 1146;
const NO_COLUMN: u64 = 1054;
/// The same, `ER_SP_DOES_NOT_EXIST`, `ER_VIEW_INVALID`: what a view refers to is not there.
const DANGLING: [u64; 4] = [NO_TABLE, NO_COLUMN, 1305, 1356];

/// Whether something a view refers to is missing.
pub fn is_dangling(error: &Error) -> bool {
    number(error).is_some_and(|number| DANGLING.contains(&number))
}

fn number(error: &Error) -> Option<u64> {
    error.context.get("server_error").and_then(|value| value.as_u64())
}

/// The stand-ins of one schema.
pub struct StandIns<'a> {
    schema: &'a str,
    tables: Vec<String>,
    made: usize,
}

impl<'a> StandIns<'a> {
    /// None yet.
    ///
    /// # Errors
    /// As [`crate::host::database::Database::version`].
    pub fn of(connection: &mut Conn, schema: &'a str) -> Result<StandIns<'a>> {
        // The messages of errors are read.
        run(connection, "SET SESSION lc_messages='en_US'")?;
        Ok(StandIns { schema, tables: Vec::new(), made: 0 })
    }

    /// Makes what a view lacks by the server's word; false where that is no table of this schema and no column of a stand-in.
    ///
    /// # Errors
    /// As [`crate::host::database::Database::version`].
    pub fn make(&mut self, connection: &mut Conn, error: &Error) -> Result<bool> {
        if self.made >= MAX_MADE {
            return Ok(false);
        }
        self.made += 1;
        if self.made == 1 && self.clear(connection)? {
            return Ok(true);
        }
        let message = &error.message;
        match number(error) {
            Some(NO_TABLE) => {
                let Some(table) = missing_table(message, self.schema) else { return Ok(false) };
                let sql = format!(
                    "CREATE TABLE {} (rv_stand_in INT PRIMARY KEY) COMMENT={}",
                    full(self.schema, table),
                    literal(COMMENT)
                );
                // A name that is none, or a place that takes none: the view cannot be made.
                let made = connection.query_drop(&sql).is_ok();
                if made {
                    self.tables.push(table.to_owned());
                }
                Ok(made)
            }
            Some(NO_COLUMN) => {
                let Some(column) = missing_column(message) else { return Ok(false) };
                let mut made = false;
                for table in &self.tables {
                    let sql = format!("ALTER TABLE {} ADD COLUMN {} INT", full(self.schema, table), quote_name(column));
                    made |= connection.query_drop(sql).is_ok();
                }
                Ok(made)
            }
            _ => Ok(false),
        }
    }

    /// Whether the error says that this table or view of the schema is missing.
    pub fn is_missing(&self, error: &Error, name: &str) -> bool {
        number(error) == Some(NO_TABLE) && missing_table(&error.message, self.schema) == Some(name)
    }

    /// They go again, with what a crash left of earlier ones.
    ///
    /// # Errors
    /// As [`crate::host::database::Database::version`].
    pub fn drop(self, connection: &mut Conn) -> Result<()> {
        for table in &self.tables {
            let sql = format!("DROP TABLE IF EXISTS {}", full(self.schema, table));
            connection.query_drop(&sql).map_err(|error| failed(&format!("drop the stand-in {table}"), &error))?;
        }
        // What is in the way of it is found again the next time.
        let _ = self.clear(connection);
        Ok(())
    }

    /// Whether there were any.
    fn clear(&self, connection: &mut Conn) -> Result<bool> {
        let left = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_COMMENT={}",
            literal(self.schema),
            literal(COMMENT)
        );
        // A table that somebody holds is none of them.
        run(connection, "SET SESSION lock_wait_timeout=1")?;
        let mut cleared = false;
        for row in rows(connection, &left)? {
            let table = full(self.schema, &text(&row, 0));
            // Whatever its comment says, one with rows is somebody's.
            if rows(connection, &format!("SELECT 1 FROM {table} LIMIT 1"))?.is_empty() {
                run(connection, &format!("DROP TABLE {table}"))?;
                cleared = true;
            }
        }
        Ok(cleared)
    }
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
