//! Statements that need tables for themselves. One that waits stalls every new query on those tables: each try is short.

use crate::error::{Code, Error, Result};
use crate::host::database::Patience;
use crate::host::database::server::{Server, failed, rows, run, text};
use mysql::Conn;
use mysql::prelude::Queryable;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Longest that one try may hold up a site: each of a statement's tables may be waited for by itself.
const LONGEST_STALL_S: f64 = 1.9;
/// The lock was not got in time; the statement took too long; it was told to stop.
const LOCKED: [u16; 3] = [1205, 1969, 1317];
/// How often it is looked whether a statement that was told to stop still waits.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a statement that changes definitions or names, as soon as its tables are free or until patience is at its end. `schemas`
/// are those of its tables, to find who is in the way. `guard` is the server again, for a statement over many tables: where the server
/// itself does not limit how long a try waits for all of them together, a second connection does.
///
/// # Errors
/// `database_locked` naming the connection in the way; `database_failed`, `insufficient_privilege`, `database_unreachable`.
pub fn run_when_free(
    connection: &mut Conn,
    sql: &str,
    schemas: &[&str],
    patience: Patience,
    guard: Option<&Server>,
    what: &str,
) -> Result<()> {
    // While a statement waits for a table, every later query on that table waits behind it: the site stands still. So the first
    // tries do not wait at all and the site gets its turn between them. Only then does a try wait, briefly: on a busy table a moment
    // without any query may never be met by chance. The pauses grow, because what has held a lock for longer is likely to go on
    // holding it, and they are longer after a try that waited, so that the queries it held up are through before the next one.
    let mut pause = patience.pause;
    for attempt in 0..patience.quick_tries + patience.waiting_tries {
        let waits = attempt >= patience.quick_tries;
        run(connection, &format!("SET SESSION lock_wait_timeout={}", u8::from(waits)))?;
        // A try that does not wait needs no limit: it is as slow as the server.
        let limit = if waits { LONGEST_STALL_S } else { 0.0 };
        let limited = connection.query_drop(format!("SET SESSION max_statement_time={limit}")).is_ok();
        // Only MariaDB, which knows this limit, knows a try that does not wait. MySQL's shortest `lock_wait_timeout` is a second (9.7),
        // for each table anew: it is asked, where many tables are moved.
        let may_try = match guard {
            _ if waits || limited => true,
            Some(_) => are_free(connection, schemas),
            None => continue,
        };
        if may_try {
            match carry_out(connection, sql, guard.filter(|_| !limited)) {
                Ok(()) => return Ok(()),
                Err(mysql::Error::MySqlError(error)) if LOCKED.contains(&error.code) => {}
                Err(error) => return Err(failed(what, &error)),
            }
        }
        std::thread::sleep(if waits { pause * 10 } else { pause });
        pause = (pause * 3 / 2).min(patience.pause * 10);
    }
    Err(locked(connection, schemas, what))
}

/// Carries a statement out. With a guard it waits for its tables no longer than for a while, also on MySQL, which limits nothing but
/// SELECT, and whose `lock_wait_timeout` counts for each table anew.
fn carry_out(connection: &mut Conn, sql: &str, guard: Option<&Server>) -> mysql::Result<()> {
    let Some(server) = guard else { return connection.query_drop(sql) };
    let id = connection.connection_id();
    let (at_work, over) = std::sync::mpsc::channel();
    let (result, told) = std::thread::scope(|scope| {
        let guard = scope.spawn(move || stop_waiting(server, id, &over));
        let result = connection.query_drop(sql);
        drop(at_work);
        (result, guard.join().unwrap_or(true))
    });
    if told {
        // One that came too late would end the next statement.
        let _ = connection.query_drop("DO 0");
    }
    result
}

/// Tells the statement of a connection to stop if it waits for a table for too long: one that moves tables by now goes on to its end.
/// Whether it was told.
fn stop_waiting(server: &Server, id: u32, over: &Receiver<()>) -> bool {
    let mut left = Duration::from_secs_f64(LONGEST_STALL_S);
    let mut told = false;
    while over.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
        left = LOOK;
        let Ok(mut other) = server.connect(None) else { continue };
        let state = rows(&mut other, &format!("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID={id}"));
        let state = state.ok().and_then(|found| found.first().map(|row| text(row, 0)));
        if state.is_some_and(|state| state.starts_with("Waiting for") && state.ends_with("metadata lock")) {
            told = true;
            let _ = run(&mut other, &format!("KILL QUERY {id}"));
        }
    }
    told
}

/// Whether the server says that nobody else uses a table of these schemas. Where that cannot be told they are in use.
fn are_free(connection: &mut Conn, schemas: &[&str]) -> bool {
    let list: Vec<String> = schemas.iter().map(|schema| crate::sql::quote_text(schema)).collect();
    let sql = format!(
        "SELECT (SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME='wait/lock/metadata/sql/mdl'), \
         (SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE OBJECT_TYPE='TABLE' AND LOCK_STATUS='GRANTED' \
         AND OWNER_THREAD_ID<>PS_CURRENT_THREAD_ID() AND OBJECT_SCHEMA IN ({}))",
        list.join(",")
    );
    let free = |row: &mysql::Row| text(row, 0) == "YES" && text(row, 1) == "0";
    rows(connection, &sql).is_ok_and(|found| found.first().is_some_and(free))
}

/// Names the connection that most likely holds the lock: the oldest transaction of these schemas.
fn locked(connection: &mut Conn, schemas: &[&str], what: &str) -> Error {
    let list: Vec<String> = schemas.iter().map(|schema| crate::sql::quote_text(schema)).collect();
    let sql = format!(
        "SELECT p.ID, p.USER, p.HOST, p.TIME, LEFT(COALESCE(p.INFO,''),200) FROM information_schema.PROCESSLIST p \
         LEFT JOIN information_schema.INNODB_TRX t ON t.trx_mysql_thread_id=p.ID \
         WHERE p.ID<>CONNECTION_ID() AND (t.trx_id IS NOT NULL OR p.DB IN ({})) \
         ORDER BY (t.trx_id IS NOT NULL AND p.DB IN ({0})) DESC, t.trx_id IS NULL, t.trx_started, p.TIME DESC LIMIT 1",
        list.join(",")
    );
    let made = |message: String| Error::new(Code::DatabaseLocked, format!("{what}: {message}"));
    match rows(connection, &sql).ok().and_then(|mut found| found.pop()) {
        Some(row) => {
            let query = crate::text::printable(&text(&row, 4));
            let doing = if query.is_empty() { "idle in a transaction".to_owned() } else { query.clone() };
            made(format!(
                "the tables are in use by connection {} of {} for {} s: {doing}",
                text(&row, 0),
                text(&row, 1),
                text(&row, 3)
            ))
            .hint(format!(
                "End it with KILL {}, or wait for it, then start again; the site was not changed.",
                text(&row, 0)
            ))
            .with("connection", text(&row, 0))
            .with("user", text(&row, 1))
            .with("query", query)
        }
        None => made("the tables are in use and did not become free in time".into()),
    }
}

impl Patience {
    /// For the way back: it has to get there, and each try is as short.
    pub fn of_rollback() -> Patience {
        Patience { quick_tries: 30, waiting_tries: 20, pause: Duration::from_millis(10) }
    }
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { quick_tries: 20, waiting_tries: 3, pause: Duration::from_millis(10) }
    }
}
