//! Statements that need tables for themselves. One that waits stalls every new query on those tables: each try is short.

use crate::error::{Code, Error, Result};
use crate::host::database::Patience;
use crate::host::database::server::{failed, rows, run, text};
use mysql::Conn;
use mysql::prelude::Queryable;
use std::time::Duration;

/// Longest that one try may hold up a site: each of a statement's tables may be waited for by itself.
const LONGEST_STALL_S: f64 = 1.9;
/// The lock was not got in time; the statement took too long.
const LOCKED: [u16; 2] = [1205, 1969];

/// Runs a statement that changes definitions or names, as soon as its tables are free or until patience is at its end. `schemas`
/// are those of its tables, to find who is in the way.
///
/// # Errors
/// `database_locked` naming the connection in the way; `database_failed`, `insufficient_privilege`, `database_unreachable`.
pub fn run_when_free(connection: &mut Conn, sql: &str, schemas: &[&str], patience: Patience, what: &str) -> Result<()> {
    // While a statement waits for a table, every later query on that table waits behind it: the site stands still. So the first
    // tries do not wait at all and the site gets its turn between them. Only then does a try wait, briefly: on a busy table a moment
    // without any query may never be met by chance. The pauses grow, because what has held a lock for longer is likely to go on
    // holding it, and they are longer after a try that waited, so that the queries it held up are through before the next one.
    let mut pause = patience.pause;
    for attempt in 0..patience.quick_tries + patience.waiting_tries {
        let waits = attempt >= patience.quick_tries;
        run(connection, &format!("SET SESSION lock_wait_timeout={}", u8::from(waits)))?;
        if !waits && !may_be_free(connection, schemas)? {
            std::thread::sleep(pause);
            pause = (pause * 3 / 2).min(patience.pause * 10);
            continue;
        }
        // MySQL has no limit on anything but SELECT: there `lock_wait_timeout` alone ends the try. A try that does not wait needs
        // none: it is as slow as the server.
        let _ = connection
            .query_drop(format!("SET SESSION max_statement_time={}", if waits { LONGEST_STALL_S } else { 0.0 }));
        match connection.query_drop(sql) {
            Ok(()) => return Ok(()),
            Err(mysql::Error::MySqlError(error)) if LOCKED.contains(&error.code) => {
                std::thread::sleep(if waits { pause * 10 } else { pause });
                pause = (pause * 3 / 2).min(patience.pause * 10);
            }
            Err(error) => return Err(failed(what, &error)),
        }
    }
    Err(locked(connection, schemas, what))
}

/// Whether it makes sense to try without waiting. MySQL knows no such try: its shortest `lock_wait_timeout` is a second (9.7), for each
/// table anew. There it is asked who has them; where that cannot be told, only the tries that wait are made.
fn may_be_free(connection: &mut Conn, schemas: &[&str]) -> Result<bool> {
    let timeout = rows(connection, "SELECT @@SESSION.lock_wait_timeout")?;
    if timeout.first().is_none_or(|row| text(row, 0) == "0") {
        return Ok(true);
    }
    let list: Vec<String> = schemas.iter().map(|schema| crate::sql::quote_text(schema)).collect();
    let sql = format!(
        "SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE OBJECT_TYPE='TABLE' AND LOCK_STATUS='GRANTED' \
         AND OWNER_THREAD_ID<>PS_CURRENT_THREAD_ID() AND OBJECT_SCHEMA IN ({})",
        list.join(",")
    );
    Ok(rows(connection, &sql).is_ok_and(|found| found.first().is_some_and(|row| text(row, 0) == "0")))
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
