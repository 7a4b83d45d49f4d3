//! How long this server takes to rename a table: mostly for the fsyncs of its dictionary and of the folders.

use crate::error::Result;
use crate::host::database::server::{full, run};
use crate::sql::quote_name;
use mysql::Conn;
use std::time::{Duration, Instant};

/// There and back, so often: a single time is chance on a busy disk.
const ROUNDS: u32 = 5;

/// Renames two empty tables to and fro in one statement, in a schema that is made for it and goes again; gives what one renaming took.
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
            let moves = |from: [&str; 2], to: [&str; 2]| {
                format!("{} TO {}, {} TO {}", table(from[0]), table(to[0]), table(from[1]), table(to[1]))
            };
            let round = format!("{}, {}", moves(["a", "b"], ["c", "d"]), moves(["c", "d"], ["a", "b"]));
            let sql = format!("RENAME TABLE {}", vec![round; ROUNDS as usize].join(", "));
            let began = Instant::now();
            run(connection, &sql).map(|()| began.elapsed() / (4 * ROUNDS))
        });
    let dropped = run(connection, &format!("DROP DATABASE {}", quote_name(scratch)));
    measured.and_then(|time| dropped.map(|()| time))
}
