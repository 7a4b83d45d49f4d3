//! The rows of a site's tables as they are at one moment, for a comparison: read by an account that can do nothing else.
//!
//! One transaction sees every table as it was when it began, however often it reads them and whatever the site writes meanwhile. Between
//! two tables it goes back to a savepoint: what it holds of the table that it has read would keep an ALTER waiting, and that would keep
//! every visitor waiting.

use crate::error::{Code, Error, Result};
use crate::host::database::reader::Reader;
use crate::host::database::server::{Server, failed, full, literal, put_values, rows, run, text};
use crate::progress::Monitor;
use crate::sql::digest::{Key, Row};
use crate::sql::identity::{Identifier, Identity, Written};
use crate::sql::outline::Outline;
use crate::sql::quote_name;
use crate::sql::session::Session;
use mysql::Conn;
use mysql::prelude::Queryable;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Rows in one message, and bytes of their values.
pub const EVERY: u64 = 1024;
const BYTES: usize = 1 << 20;
/// Messages that the server is ahead.
const AHEAD: usize = 4;
/// How often it is asked whether the job goes on.
const LOOK: Duration = Duration::from_millis(50);
/// Seconds that a table may be locked by somebody.
const PATIENCE_S: u32 = 5;
const SAVEPOINT: &str = "rv_between_tables";

/// A connection that sees one moment of a schema.
pub struct LiveRows {
    server: Server,
    schema: String,
    /// `None` while it sends rows, and once it is lost.
    connection: Option<Conn>,
}

/// What a live table is.
#[derive(Debug, Clone, Default)]
pub struct LiveColumns {
    /// Its engine; empty where it is no table.
    pub engine: String,
    /// Its columns in their order.
    pub columns: Vec<LiveColumn>,
    /// Names of the columns of its primary key, in its order.
    pub key: Vec<String>,
}

/// A column of a live table.
#[derive(Debug, Clone)]
pub struct LiveColumn {
    /// Its name.
    pub name: String,
    /// Its type in small letters, such as `varchar`.
    pub kind: String,
    /// What stands in brackets behind the type.
    pub size: String,
    /// Its collation; empty where it has none.
    pub collation: String,
}

/// What is asked of the server for a table.
pub struct Asked<'a> {
    /// The table.
    pub table: &'a str,
    /// Names of the columns.
    pub columns: &'a [String],
    /// How they are written, in the same order.
    pub written: Vec<Written>,
    /// The session of the dump, and the character set to ask in.
    pub session: (&'a Session, &'static str),
    /// Tells rows apart.
    pub identifier: Identifier,
    /// Only rows of these keys are sent, and with their values.
    pub keys: Option<Arc<HashSet<u128>>>,
    /// Tells values apart.
    pub hashing: Key,
}

/// A row that the server has sent.
pub struct Sent {
    /// Which it is.
    pub identity: Identity,
    /// Its values, where they are asked for.
    pub outline: Option<Outline>,
}

/// Rows on their way from the server.
pub struct Sending {
    /// Each of [`EVERY`] rows that were read, those that are wanted.
    batches: Receiver<Vec<Sent>>,
    thread: JoinHandle<(Conn, mysql::Result<()>)>,
    /// The connection's number.
    id: u32,
}

impl LiveRows {
    /// Begins the moment.
    ///
    /// # Errors
    /// `insufficient_privilege`, `database_unreachable`.
    pub fn open(reader: &Reader, schema: &str) -> Result<LiveRows> {
        let server = reader.server(schema)?;
        let mut connection = server.connect(None)?;
        // It waits while the dump is read, and each server has its own name for the longest statement.
        let session = format!(
            "SET SESSION lock_wait_timeout={PATIENCE_S}, wait_timeout=28800, net_read_timeout=3600, net_write_timeout=3600 \
             /*M!100100 , SESSION max_statement_time=0 */ /*!50708 , SESSION max_execution_time=0 */"
        );
        run(&mut connection, &session)?;
        run(&mut connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        run(&mut connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
        run(&mut connection, &format!("SAVEPOINT {SAVEPOINT}"))?;
        Ok(LiveRows { server, schema: schema.to_owned(), connection: Some(connection) })
    }

    fn connection(&mut self) -> Result<&mut Conn> {
        let lost = || Error::new(Code::DatabaseUnreachable, "the connection that reads the live rows was lost");
        self.connection.as_mut().ok_or_else(lost)
    }

    /// What a table is now.
    ///
    /// # Errors
    /// `database_failed` where it is gone or cannot be opened, `database_locked`, `database_unreachable`.
    pub fn columns(&mut self, table: &str) -> Result<LiveColumns> {
        let schema = self.schema.clone();
        let connection = self.connection()?;
        let sql = format!(
            "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_NAME={} AND TABLE_TYPE IN ('BASE TABLE','SYSTEM VERSIONED')",
            literal(&schema),
            literal(table)
        );
        let engine = rows(connection, &sql)?.first().map(|row| text(row, 0)).unwrap_or_default();
        let full = full(&schema, table);
        let columns = rows(connection, &format!("SHOW FULL COLUMNS FROM {full}"))?;
        let columns = columns.iter().map(|row| column(text(row, 0), &text(row, 1), text(row, 2))).collect();
        let key = rows(connection, &format!("SHOW KEYS FROM {full} WHERE Key_name='PRIMARY'"))?;
        let key = key.iter().map(|row| text(row, 4)).collect();
        Ok(LiveColumns { engine, columns, key })
    }

    /// Lets the server send the rows of a table.
    ///
    /// # Errors
    /// `database_unreachable`, `database_failed` for a session that the server does not take.
    pub fn send(&mut self, asked: Asked<'_>) -> Result<Sending> {
        let (session, charset) = asked.session;
        let mut session = session.under_mode(String::new());
        (session.charset, session.collation) = (Some(charset.to_owned()), None);
        let columns: Vec<String> = asked.columns.iter().map(|name| quote_name(name)).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), full(&self.schema, asked.table));
        run(self.connection()?, &session.to_sql(""))?;
        let Some(mut connection) = self.connection.take() else {
            return Err(Error::new(Code::Internal, "a live table is read twice at a time"));
        };
        let id = connection.connection_id();
        let (sender, batches) = sync_channel(AHEAD);
        let (mut identifier, written, keys, hashing) = (asked.identifier, asked.written, asked.keys, asked.hashing);
        let thread = std::thread::spawn(move || {
            let sent = send_rows(&mut connection, &sql, &sender, |row| {
                let identity = identifier.identify(row);
                match &keys {
                    None => Some(Sent { identity, outline: None }),
                    Some(keys) if keys.contains(&identity.key) => {
                        Some(Sent { identity, outline: Some(Outline::of(row, &written, &hashing)) })
                    }
                    Some(_) => None,
                }
            });
            (connection, sent)
        });
        Ok(Sending { batches, thread, id })
    }

    /// Takes the connection back when the last rows have come, or when no more of them are wanted.
    ///
    /// # Errors
    /// Why the server has not sent them all.
    pub fn take_back(&mut self, sending: Sending) -> Result<()> {
        let Sending { batches, thread, id } = sending;
        let is_over = matches!(batches.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected));
        drop(batches);
        if !is_over {
            // The rest of the rows would be read for nobody. The transaction goes on.
            let kill = |mut other: Conn| run(&mut other, &format!("KILL QUERY {id}"));
            let _ = self.server.impatient().connect(None).and_then(kill);
        }
        let panicked = |_| Error::new(Code::Internal, "a reading thread panicked");
        let (mut connection, sent) = thread.join().map_err(panicked)?;
        let sent = if is_over { sent.map_err(|error| failed("read a live table", &error)) } else { Ok(()) };
        // Lost where this fails: what it saw is gone with it.
        if run(&mut connection, &format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}")).is_ok() {
            self.connection = Some(connection);
        }
        sent
    }
}

impl Sending {
    /// The next rows; `None` behind the last, or where the server stopped: [`LiveRows::take_back`] tells.
    ///
    /// # Errors
    /// Why the job stops.
    pub fn next(&self, monitor: &dyn Monitor) -> Result<Option<Vec<Sent>>> {
        loop {
            monitor.keep_going()?;
            match self.batches.recv_timeout(LOOK) {
                Ok(batch) => return Ok(Some(batch)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn send_rows(
    connection: &mut Conn,
    sql: &str,
    batches: &SyncSender<Vec<Sent>>,
    mut wanted: impl FnMut(&Row) -> Option<Sent>,
) -> mysql::Result<()> {
    let (mut values, mut batch, mut read, mut bytes) = (Row::default(), Vec::new(), 0_u64, 0);
    for row in connection.query_iter(sql)? {
        put_values(row?, &mut values);
        if let Some(sent) = wanted(&values) {
            bytes += sent.outline.as_ref().map_or(0, Outline::size);
            batch.push(sent);
        }
        read += 1;
        if read.is_multiple_of(EVERY) || bytes > BYTES {
            bytes = 0;
            if batches.send(std::mem::take(&mut batch)).is_err() {
                return Ok(());
            }
        }
    }
    let _ = batches.send(batch);
    Ok(())
}

/// `varchar(20)`, `int(10) unsigned`, `datetime(6)`.
fn column(name: String, of: &str, collation: String) -> LiveColumn {
    let of = of.to_ascii_lowercase();
    let end = of.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(of.len());
    let (kind, rest) = of.split_at(end);
    let size = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or("", |(size, _)| size);
    LiveColumn { name, kind: kind.to_owned(), size: size.to_owned(), collation }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_as_its_word_and_its_size() {
        for (of, kind, size) in [
            ("varchar(20)", "varchar", "20"),
            ("int(10) unsigned zerofill", "int", "10"),
            ("datetime(6)", "datetime", "6"),
            ("LONGTEXT", "longtext", ""),
            ("enum('a','(b)')", "enum", "'a','(b"),
            ("double unsigned", "double", ""),
        ] {
            let column = column("c".into(), of, String::new());
            assert_eq!((column.kind.as_str(), column.size.as_str()), (kind, size), "{of}");
        }
    }
}
