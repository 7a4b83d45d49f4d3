//! The server as a job speaks to it: what [`Database`] asks, in SQL.

use crate::error::{Code, Error, Result};
use crate::host::database::reader::Reader;
use crate::host::database::server::{Server, failed, full, literal, number, rows, run, text};
use crate::host::database::{
    Database, ForeignKey, NextValue, Objects, OutsideKey, Patience, SchemaCharset, SchemaTimes, Switch, TableInfo,
    TableTimes,
};
use crate::host::database::{History, accounts, history, keys, names, next_values, objects, rename_time, switch};
use crate::progress::Monitor;
use crate::sql::quote_name;
use mysql::{Conn, Row};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is looked whether a job goes on while the server works for it.
const BEAT: Duration = Duration::from_millis(100);

/// The server through connections that are opened when needed and opened anew when broken: one for questions, one for reading rows
/// of a site, one for changing what is live.
pub struct Real {
    server: Server,
    reader: Arc<Reader>,
    questions: Mutex<Option<Conn>>,
    reading: Mutex<Option<Conn>>,
    changing: Mutex<Option<Conn>>,
    monitor: Arc<dyn Monitor>,
}

impl Real {
    /// For the job of this short name; opens nothing yet. A question that the server still works on when `monitor` ends the job is
    /// ended.
    pub fn new(server: Server, job: &str, monitor: Arc<dyn Monitor>) -> Real {
        Real::with_reader(server.clone(), Arc::new(Reader::new(server, names::reader(job))), monitor)
    }

    /// The same, where the site's own account speaks to the server.
    pub fn of_site(server: Server, monitor: Arc<dyn Monitor>) -> Real {
        Real::with_reader(server.clone(), Arc::new(Reader::itself(server)), monitor)
    }

    fn with_reader(server: Server, reader: Arc<Reader>, monitor: Arc<dyn Monitor>) -> Real {
        let (questions, reading, changing) = (Mutex::new(None), Mutex::new(None), Mutex::new(None));
        Real { server, reader, questions, reading, changing, monitor }
    }

    /// The same over connections of its own, for work side by side.
    #[must_use]
    pub fn again(&self) -> Real {
        Real::with_reader(self.server.clone(), self.reader.clone(), self.monitor.clone())
    }

    /// The account that reads a site's tables.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// A user as `` `user`@`host` ``, for tests: a site asks over a connection of its own.
    ///
    /// # Errors
    /// As [`Database::version`].
    #[cfg(any(test, feature = "test-support"))]
    pub fn account_of(&self, user: &str) -> Result<Option<String>> {
        self.ask(|connection| accounts::account_of(connection, user))
    }

    fn with<T>(
        slot: &Mutex<Option<Conn>>,
        connect: impl FnOnce() -> Result<Conn>,
        work: impl FnOnce(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        let mut slot: MutexGuard<'_, Option<Conn>> = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that lay idle may have been closed by the server meanwhile.
        if slot.as_mut().is_some_and(|connection| connection.ping().is_err()) {
            *slot = None;
        }
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => empty.insert(connect()?),
        };
        let result = work(connection);
        if result.as_ref().is_err_and(|error| error.code == Code::DatabaseUnreachable) {
            *slot = None;
        }
        result
    }

    /// Over the connection that the journal names. One that broke is not opened anew here: nobody could end the new one.
    fn change<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut slot: MutexGuard<'_, Option<Conn>> = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => empty.insert(self.server.connect(None)?),
        };
        connection.ping().map_err(|error| failed("the connection for changes was lost", &error))?;
        work(connection)
    }

    pub(crate) fn ask<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        Real::with(&self.questions, || self.server.connect(None), |connection| self.while_it_goes_on(connection, work))
    }

    /// Reads rows of a schema that a site's owner can change: see [`Reader`].
    fn read<T>(&self, schema: &str, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        // Also where the connection is open already: the account may not have this schema yet.
        let server = self.reader.server(schema)?;
        Real::with(&self.reading, || server.connect(None), |connection| self.while_it_goes_on(connection, work))
    }

    /// A tenant's tables may be large, or locked: while the server works somebody looks whether the job goes on, and has the server
    /// end the statement when it does not.
    fn while_it_goes_on<T>(&self, connection: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.monitor.keep_going()?;
        let id = connection.connection_id();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    std::thread::park_timeout(BEAT);
                    if let (false, Err(stop)) = (done.load(Ordering::Acquire), self.monitor.keep_going()) {
                        let kill = |mut other: Conn| run(&mut other, &format!("KILL QUERY {id}"));
                        // Where that fails the limits of the session end it.
                        let _ = self.server.impatient().connect(None).and_then(kill);
                        return Err(stop);
                    }
                }
                Ok(())
            });
            let worked = work(connection);
            done.store(true, Ordering::Release);
            watch.thread().unpark();
            let watched = watch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // An answer that came all the same is one.
            worked.map_err(|error| watched.err().unwrap_or(error))
        })
    }

    fn query(&self, sql: &str) -> Result<Vec<Row>> {
        self.ask(|connection| rows(connection, sql))
    }

    fn first_column(&self, sql: &str) -> Result<Vec<String>> {
        Ok(self.query(sql)?.iter().map(|row| text(row, 0)).collect())
    }
}

/// The statement that makes a schema; nothing happens when it exists.
fn creation(schema: &str, charset: Option<&SchemaCharset>) -> String {
    let options = charset.map_or(String::new(), |charset| {
        format!(" DEFAULT CHARACTER SET {} COLLATE {}", quote_name(&charset.charset), quote_name(&charset.collation))
    });
    format!("CREATE DATABASE IF NOT EXISTS {}{options}", quote_name(schema))
}

/// What `CHECK TABLE` found, from its answer.
pub(super) fn damage(answers: &[Row]) -> Vec<String> {
    let good = |kind: &str, message: &str| {
        kind == "note" || (kind == "status" && matches!(message, "OK" | "Table is already up to date"))
    };
    answers
        .iter()
        .map(|row| (text(row, 2).to_ascii_lowercase(), text(row, 3)))
        .filter(|(kind, message)| !good(kind, message))
        .map(|(kind, message)| format!("{kind}: {message}"))
        .collect()
}

impl Database for Real {
    fn version(&self) -> Result<String> {
        Ok(self.first_column("SELECT VERSION()")?.pop().unwrap_or_default())
    }

    fn schemas(&self, prefix: &str) -> Result<Vec<String>> {
        let mut names = self.first_column("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")?;
        names.retain(|name| name.starts_with(prefix));
        names.sort();
        Ok(names)
    }

    fn schema_charset(&self, schema: &str) -> Result<Option<SchemaCharset>> {
        let sql = format!(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME={}",
            literal(schema)
        );
        Ok(self.query(&sql)?.first().map(|row| SchemaCharset { charset: text(row, 0), collation: text(row, 1) }))
    }

    fn create_schema(&self, schema: &str, charset: Option<&SchemaCharset>) -> Result<()> {
        self.ask(|connection| run(connection, &creation(schema, charset)))
    }

    fn time_rename(&self, scratch: &str) -> Result<Duration> {
        self.ask(|connection| rename_time::measure(connection, scratch))
    }

    fn create_live_schema(&self, schema: &str, charset: Option<&SchemaCharset>) -> Result<()> {
        self.change(|connection| run(connection, &creation(schema, charset)))
    }

    fn drop_live_schema(&self, schema: &str) -> Result<()> {
        let name = literal(schema);
        let held = format!(
            "SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA={name}) \
             + (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA={name}) \
             + (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA={name})"
        );
        self.change(|connection| match rows(connection, &held)?.first().map_or(0, |row| number(row, 0)) {
            0 => run(connection, &format!("DROP DATABASE IF EXISTS {}", quote_name(schema))),
            _ => Ok(()),
        })
    }

    fn drop_schema(&self, schema: &str) -> Result<()> {
        self.ask(|connection| {
            run(connection, "SET SESSION foreign_key_checks=0")?;
            run(connection, &format!("DROP DATABASE IF EXISTS {}", quote_name(schema)))
        })
    }

    fn drop_tables(&self, schema: &str, tables: &[String]) -> Result<()> {
        self.ask(|connection| {
            run(connection, "SET SESSION foreign_key_checks=0")?;
            tables
                .iter()
                .try_for_each(|table| run(connection, &format!("DROP TABLE IF EXISTS {}", full(schema, table))))
        })
    }

    fn tables(&self, schema: &str) -> Result<Vec<TableInfo>> {
        let sql = format!(
            "SELECT TABLE_NAME, ENGINE, TABLE_ROWS, COALESCE(DATA_LENGTH,0)+COALESCE(INDEX_LENGTH,0), TABLE_TYPE, \
             IF(ENGINE IS NULL, TABLE_COMMENT, '') \
             FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_TYPE NOT LIKE '%VIEW'",
            literal(schema)
        );
        let info = |row: &Row| TableInfo {
            name: text(row, 0),
            engine: text(row, 1),
            rows_estimate: number(row, 2),
            bytes: number(row, 3),
            sequence: text(row, 4) == "SEQUENCE",
            // A server that cannot open a table says why in place of its comment.
            damage: text(row, 5),
        };
        let mut found: Vec<TableInfo> = self.query(&sql)?.iter().map(info).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    fn table_exists(&self, schema: &str, table: &str) -> Result<bool> {
        let sql = format!(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_NAME={} AND TABLE_TYPE NOT LIKE '%VIEW'",
            literal(schema),
            literal(table)
        );
        Ok(!self.query(&sql)?.is_empty())
    }

    fn count_rows(&self, schema: &str, table: &str) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM {}", full(schema, table));
        let counted = self.read(schema, |connection| rows(connection, &sql))?;
        Ok(counted.first().map_or(0, |row| number(row, 0)))
    }

    fn history(&self, schema: &str, table: &str) -> Result<Option<History>> {
        self.read(schema, |connection| history::count(connection, schema, table))
    }

    fn check_table(&self, schema: &str, table: &str) -> Result<Vec<String>> {
        Ok(damage(&self.query(&format!("CHECK TABLE {}", full(schema, table)))?))
    }

    // CHECKSUM TABLE will not do: of a table with generated columns it differs from one call to the next.
    fn checksum_table(&self, schema: &str, table: &str) -> Result<u64> {
        let columns = self.first_column(&format!(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA={} AND TABLE_NAME={} AND EXTRA NOT LIKE '%GENERATED%' ORDER BY ORDINAL_POSITION",
            literal(schema),
            literal(table)
        ))?;
        if columns.is_empty() {
            return Err(Error::new(Code::DatabaseFailed, format!("there is no table {schema}.{table} to checksum")));
        }
        let sums: Vec<String> =
            columns.iter().map(|name| format!("COALESCE(CRC32({}),'-')", quote_name(name))).collect();
        let sql = format!(
            "SELECT COALESCE(BIT_XOR(c),0), COALESCE(SUM(c),0) FROM (SELECT CRC32(CONCAT_WS(',',{})) AS c FROM {}) AS r",
            sums.join(","),
            full(schema, table)
        );
        let summed = self.read(schema, |connection| rows(connection, &sql))?;
        Ok(summed.first().map_or(0, |row| number(row, 0) << 32 ^ number(row, 1)))
    }

    fn table_times(&self, schema: &str) -> Result<SchemaTimes> {
        let sql = format!(
            "SELECT UNIX_TIMESTAMP(), TABLE_NAME, CREATE_TIME, UNIX_TIMESTAMP(UPDATE_TIME), AUTO_INCREMENT \
             FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_TYPE NOT LIKE '%VIEW'",
            literal(schema)
        );
        let found = self.query(&sql)?;
        let now = match found.first() {
            Some(row) => text(row, 0).parse().unwrap_or_default(),
            None => self.first_column("SELECT UNIX_TIMESTAMP()")?.first().and_then(|now| now.parse().ok()).unwrap_or(0),
        };
        let times = |row: &Row| TableTimes {
            name: text(row, 1),
            created: text(row, 2),
            updated: text(row, 3).parse().ok(),
            auto_increment: number(row, 4),
        };
        let mut tables: Vec<TableTimes> = found.iter().map(times).collect();
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(SchemaTimes { now, tables })
    }

    fn table_text(&self, schema: &str, table: &str) -> Result<String> {
        let shown = self.query(&format!("SHOW CREATE TABLE {}", full(schema, table)))?;
        Ok(shown.first().map(|row| text(row, 1)).unwrap_or_default())
    }

    fn objects(&self, schema: &str) -> Result<Objects> {
        self.ask(|connection| objects::read(connection, schema))
    }

    fn drop_objects(&self, schema: &str, objects: &Objects, patience: Patience) -> Result<()> {
        self.change(|connection| objects::drop_all(connection, schema, objects, patience))
    }

    fn create_objects(&self, schema: &str, objects: &Objects, patience: Patience) -> Result<Vec<String>> {
        self.change(|connection| objects::create_all(connection, schema, objects, patience))
    }

    fn switch(&self, plan: &Switch, patience: Patience) -> Result<()> {
        self.change(|connection| switch::carry_out(connection, &self.server, plan, patience))
    }

    fn connection_id(&self) -> Result<u64> {
        Real::with(&self.changing, || self.server.connect(None), |connection| Ok(u64::from(connection.connection_id())))
    }

    fn end_connection(&self, id: u64) -> Result<bool> {
        self.ask(|connection| accounts::end_connection(connection, id))
    }

    fn end_connections_of(&self, user: &str) -> Result<()> {
        self.ask(|connection| accounts::end_connections_of(connection, user))
    }

    fn foreign_keys_from_outside(&self, schema: &str) -> Result<Vec<OutsideKey>> {
        let name = literal(schema);
        let sql = format!(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME \
             FROM information_schema.REFERENTIAL_CONSTRAINTS \
             WHERE UNIQUE_CONSTRAINT_SCHEMA={name} AND CONSTRAINT_SCHEMA<>{name}"
        );
        let key = |row: &Row| OutsideKey {
            schema: text(row, 0),
            table: text(row, 1),
            constraint: text(row, 2),
            refers_to: text(row, 3),
        };
        Ok(self.query(&sql)?.iter().map(key).collect())
    }

    fn foreign_keys(&self, schema: &str) -> Result<Vec<ForeignKey>> {
        self.ask(|connection| keys::list(connection, schema))
    }

    fn drop_foreign_keys(&self, schema: &str, keys: &[ForeignKey], patience: Patience) -> Result<()> {
        self.change(|connection| keys::drop_all(connection, schema, keys, patience))
    }

    fn add_foreign_keys(&self, schema: &str, keys: &[ForeignKey], patience: Patience) -> Result<()> {
        self.change(|connection| keys::add_all(connection, schema, keys, patience))
    }

    fn set_next_values(&self, schema: &str, values: &[NextValue], patience: Patience) -> Result<()> {
        self.change(|connection| next_values::set_all(connection, schema, values, patience))
    }

    fn orphans(&self, schema: &str, key: &ForeignKey) -> Result<u64> {
        // The two tables may lie in two schemas.
        self.reader.server(&key.refers_schema)?;
        self.read(schema, |connection| keys::orphans(connection, schema, key))
    }

    fn accounts(&self, prefix: &str) -> Result<Vec<String>> {
        self.ask(|connection| accounts::list(connection, prefix))
    }

    fn drop_account(&self, user: &str) -> Result<()> {
        self.ask(|connection| accounts::drop_user(connection, user))
    }
}
