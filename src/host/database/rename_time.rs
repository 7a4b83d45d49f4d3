//! How long this server takes to rename a table: mostly for the fsyncs of its dictionary and of the folders.

use crate::error::Result;
use crate::host::database::server::{full, run};
use crate::sql::quote_name;
use mysql::Conn;
use std::time::{Duration, Instant};

/// Renames two empty tables in one statement, in a schema that is made for it and goes again; gives half of what that took.
///
/// # Errors
/// `database_unreachable`, `insufficient_privilege`, `database_failed`.
pub fn measure(connection: &mut Conn, scratch: &str) -> Result<Duration> {
    run(connection, &format!("CREATE DATABASE {}", quote_name(scratch)))?;
    let table = |name: &str| full(scratch, name);
    let measured = ["a", "b"]
        .iter()
        .try_for_each(|name| run(connection, &format!("CREATE TABLE {} (id INT PRIMARY KEY)", table(name))))
        .and_then(|()| {
            let began = Instant::now();
            let sql = format!("RENAME TABLE {} TO {}, {} TO {}", table("a"), table("c"), table("b"), table("d"));
            run(connection, &sql).map(|()| began.elapsed() / 2)
        });
    let dropped = run(connection, &format!("DROP DATABASE {}", quote_name(scratch)));
    measured.and_then(|time| dropped.map(|()| time))
}
