//! System-versioned tables: rows of before, kept by the server beside those of today (MariaDB 10.3.4).

use crate::error::Result;
use crate::host::database::server::{full, literal, number, rows, text};
use crate::sql::quote_name;
use mysql::Conn;

/// The rows of a system-versioned table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// All of them, those of before included.
    pub rows: u64,
    /// Those that an older server had as rows of today. Since 11.5 a row of today ends in 2106, before that it ended in 2038: to a newer
    /// server, what a dump with history says of such a row is that it is gone.
    pub ended: u64,
}

/// Counts; `None` of a table that is not system-versioned.
pub fn count(connection: &mut Conn, schema: &str, table: &str) -> Result<Option<History>> {
    let of_table = format!("TABLE_SCHEMA={} AND TABLE_NAME={}", literal(schema), literal(table));
    let kind = rows(connection, &format!("SELECT TABLE_TYPE FROM information_schema.TABLES WHERE {of_table}"))?;
    if kind.first().is_none_or(|row| text(row, 0) != "SYSTEM VERSIONED") {
        return Ok(None);
    }
    let end = format!(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE {of_table} AND GENERATION_EXPRESSION='ROW END'"
    );
    // One that nobody named is no column of the list.
    let end = rows(connection, &end)?.first().map_or_else(|| "row_end".to_owned(), |row| text(row, 0));
    // The last moment that a server knew before 11.5; one that knows a later one gives it.
    let counted = format!(
        "SELECT COUNT(*), COALESCE(SUM(FROM_UNIXTIME(2147483648) IS NOT NULL AND UNIX_TIMESTAMP({})=2147483647.999999),0) \
         FROM {} FOR SYSTEM_TIME ALL",
        quote_name(&end),
        full(schema, table)
    );
    let counted = rows(connection, &counted)?;
    Ok(counted.first().map(|row| History { rows: number(row, 0), ended: number(row, 1) }))
}
