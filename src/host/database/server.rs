//! The real server, through the administrator's account.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::credentials::{self, AdminAccount, Endpoint, Password, SiteAccount};
use crate::host::database::{
    Database, ForeignKey, Objects, OutsideKey, Patience, SchemaCharset, SchemaTimes, Switch, TableInfo, TableTimes,
};
use crate::host::database::{accounts, keys, objects, switch};
use crate::progress::{Monitor, Silent};
use crate::sql::quote_name;
use mysql::prelude::Queryable;
use mysql::{Conn, DriverError, OptsBuilder, Row};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is looked whether a job goes on while the server works for it.
const BEAT: Duration = Duration::from_millis(100);
/// Seconds that a question waits for a table that somebody has locked.
const LOCK_PATIENCE_S: u32 = 15;

/// Where a server is and who speaks to it. Cheap to clone; opens nothing by itself.
#[derive(Debug, Clone)]
pub struct Server {
    account: AdminAccount,
    tries: u32,
    /// How long an answer may take; `None`: as long as it takes.
    patience: Option<Duration>,
}

impl Server {
    /// The administrator of restore.toml.
    ///
    /// # Errors
    /// `credentials_missing`.
    pub fn admin(config: &Config) -> Result<Server> {
        let tries = config.limits.max_retries.clamp(1, 10);
        Ok(Server { account: credentials::admin(config)?, tries, patience: None })
    }

    /// A site's own account at `endpoint`, a place that the administrator named and never the account's own word: one try, and
    /// ten seconds for an answer.
    pub fn of_site(site: &SiteAccount, endpoint: Endpoint) -> Server {
        let account = AdminAccount { user: site.user.clone(), password: site.password.clone(), endpoint };
        Server { account, tries: 1, patience: Some(Duration::from_secs(10)) }
    }

    /// Gives up at the first failure, where another way is at hand.
    #[must_use]
    pub fn impatient(&self) -> Server {
        Server { tries: 1, ..self.clone() }
    }

    /// The same server for another account.
    #[must_use]
    pub fn with_account(&self, user: &str, password: Password) -> Server {
        let account = AdminAccount { user: user.into(), password, endpoint: self.account.endpoint.clone() };
        Server { account, tries: self.tries, patience: self.patience }
    }

    /// The same account at another place, such as the one a site's configuration names.
    #[must_use]
    pub fn at(&self, endpoint: Endpoint) -> Server {
        let account = AdminAccount { endpoint, ..self.account.clone() };
        Server { account, tries: self.tries, patience: self.patience }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.account.endpoint
    }

    /// A new connection, with `utf8mb4` and an empty `sql_mode`.
    ///
    /// # Errors
    /// `database_unreachable`, `insufficient_privilege`.
    pub fn connect(&self, schema: Option<&str>) -> Result<Conn> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..self.tries {
            match self.connect_once(schema) {
                Err(error) if error.code == Code::DatabaseUnreachable => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                other => return other,
            }
        }
        self.connect_once(schema)
    }

    fn connect_once(&self, schema: Option<&str>) -> Result<Conn> {
        let account = &self.account;
        let options = OptsBuilder::new()
            .user(Some(account.user.clone()))
            .pass(Some(account.password.reveal()).filter(|password| !password.is_empty()))
            .db_name(schema)
            .prefer_socket(false)
            .stmt_cache_size(0)
            .tcp_connect_timeout(Some(Duration::from_secs(10)))
            .read_timeout(self.patience)
            .write_timeout(self.patience);
        let options = match &account.endpoint {
            Endpoint::Socket(path) => options.socket(Some(path.display().to_string())),
            Endpoint::Tcp { host, port } => options.ip_or_hostname(Some(host.clone())).tcp_port(*port),
        };
        let place = format!("connect to the database server at {} as {}", account.endpoint, account.user);
        let mut connection = Conn::new(options).map_err(|error| failed(&place, &error))?;
        // MySQL 8 answers what is asked of information_schema from a cache of a day; MariaDB skips comments of that version.
        run(
            &mut connection,
            "SET NAMES utf8mb4, SESSION sql_mode='', SESSION sql_quote_show_create=1 \
             /*!80000 , SESSION information_schema_stats_expiry=0 */",
        )?;
        Ok(connection)
    }
}

/// Turns an error of the connection into ours. The server's messages name tables and users, never passwords.
pub fn failed(what: &str, error: &mysql::Error) -> Error {
    let code = match error {
        mysql::Error::MySqlError(server) => match server.code {
            1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1410 | 1698 | 1419 | 1418 => Code::InsufficientPrivilege,
            1021 | 1114 => Code::DiskFull,
            _ if server.message.contains("No space left on device") || server.message.contains("\"Disk full") => {
                Code::DiskFull
            }
            1053 | 1040 | 1129 | 1130 | 1203 | 2002 | 2003 | 2006 | 2013 => Code::DatabaseUnreachable,
            1205 | 1213 => Code::DatabaseLocked,
            _ => Code::DatabaseFailed,
        },
        // MySQL asks a user it does not know for a plugin picked by the user's name, so that nobody learns who exists.
        mysql::Error::DriverError(
            DriverError::UnknownAuthPlugin(_)
            | DriverError::CleartextPluginDisabled
            | DriverError::OldMysqlPasswordDisabled,
        ) => Code::InsufficientPrivilege,
        mysql::Error::IoError(_) | mysql::Error::DriverError(_) | mysql::Error::CodecError(_) => {
            Code::DatabaseUnreachable
        }
        _ => Code::DatabaseFailed,
    };
    let text = match error {
        mysql::Error::MySqlError(server) => format!("{} (error {})", server.message, server.code),
        mysql::Error::IoError(error) => error.to_string(),
        other => other.to_string(),
    };
    let mut made = Error::new(code, format!("{what}: {}", crate::text::printable(&text)));
    if let mysql::Error::MySqlError(server) = error {
        made = made.with("server_error", server.code);
    }
    made
}

/// Runs a statement of ours that returns nothing.
pub fn run(connection: &mut Conn, sql: &str) -> Result<()> {
    connection.query_drop(sql).map_err(|error| failed(&shorten(sql), &error))
}

/// Runs a query of ours.
pub fn rows(connection: &mut Conn, sql: &str) -> Result<Vec<Row>> {
    connection.query(sql).map_err(|error| failed(&shorten(sql), &error))
}

fn shorten(sql: &str) -> String {
    // Passwords are only in CREATE USER, which is shown up to the name.
    let sql = sql.split(" IDENTIFIED ").next().unwrap_or_default();
    if sql.chars().count() <= 120 { sql.to_owned() } else { sql.chars().take(117).chain("...".chars()).collect() }
}

/// A column as text; NULL is empty.
pub fn text(row: &Row, column: usize) -> String {
    match row.as_ref(column) {
        Some(mysql::Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(mysql::Value::NULL) | None => String::new(),
        Some(other) => other.as_sql(false).trim_matches('\'').to_owned(),
    }
}

/// A column as a number; NULL and nonsense are 0.
pub fn number(row: &Row, column: usize) -> u64 {
    text(row, column).parse().unwrap_or(0)
}

/// A literal that means the text, whatever is in it.
pub fn literal(text: &str) -> String {
    crate::sql::quote_text(text)
}

/// The server through two connections that are opened when needed and opened anew when broken: one for
/// questions, one for changing what is live.
pub struct Real {
    server: Server,
    questions: Mutex<Option<Conn>>,
    changing: Mutex<Option<Conn>>,
    monitor: Arc<dyn Monitor>,
}

impl Real {
    /// Opens nothing yet.
    pub fn new(server: Server) -> Real {
        Real::watched(server, Arc::new(Silent))
    }

    /// The same; a question that the server still works on when `monitor` ends the job is ended.
    pub fn watched(server: Server, monitor: Arc<dyn Monitor>) -> Real {
        Real { server, questions: Mutex::new(None), changing: Mutex::new(None), monitor }
    }

    /// The administrator of restore.toml.
    ///
    /// # Errors
    /// `credentials_missing`.
    pub fn admin(config: &Config) -> Result<Real> {
        Ok(Real::new(Server::admin(config)?))
    }

    /// Where and who.
    pub fn server(&self) -> &Server {
        &self.server
    }

    fn with<T>(&self, slot: &Mutex<Option<Conn>>, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut slot: MutexGuard<'_, Option<Conn>> = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that lay idle may have been closed by the server meanwhile.
        if slot.as_mut().is_some_and(|connection| connection.ping().is_err()) {
            *slot = None;
        }
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => {
                let connection = empty.insert(self.server.connect(None)?);
                // A tenant that holds a lock on its table keeps nobody waiting for a day, which is what servers do.
                run(connection, &format!("SET SESSION lock_wait_timeout={LOCK_PATIENCE_S}"))?;
                connection
            }
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
        self.with(&self.questions, |connection| self.while_it_goes_on(connection, work))
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

/// Name of a table with its schema, quoted.
pub fn full(schema: &str, table: &str) -> String {
    format!("{}.{}", quote_name(schema), quote_name(table))
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
        let options = charset.map_or(String::new(), |charset| {
            format!(
                " DEFAULT CHARACTER SET {} COLLATE {}",
                quote_name(&charset.charset),
                quote_name(&charset.collation)
            )
        });
        self.ask(|connection| {
            run(connection, &format!("CREATE DATABASE IF NOT EXISTS {}{options}", quote_name(schema)))
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
            "SELECT TABLE_NAME, ENGINE, TABLE_ROWS, COALESCE(DATA_LENGTH,0)+COALESCE(INDEX_LENGTH,0), TABLE_TYPE \
             FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_TYPE NOT LIKE '%VIEW'",
            literal(schema)
        );
        let info = |row: &Row| TableInfo {
            name: text(row, 0),
            engine: text(row, 1),
            rows_estimate: number(row, 2),
            bytes: number(row, 3),
            sequence: text(row, 4) == "SEQUENCE",
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
        let counted = self.query(&format!("SELECT COUNT(*) FROM {}", full(schema, table)))?;
        Ok(counted.first().map_or(0, |row| number(row, 0)))
    }

    fn check_table(&self, schema: &str, table: &str) -> Result<Vec<String>> {
        let answers = self.query(&format!("CHECK TABLE {}", full(schema, table)))?;
        let good = |kind: &str, message: &str| {
            kind == "note" || (kind == "status" && matches!(message, "OK" | "Table is already up to date"))
        };
        Ok(answers
            .iter()
            .map(|row| (text(row, 2).to_ascii_lowercase(), text(row, 3)))
            .filter(|(kind, message)| !good(kind, message))
            .map(|(kind, message)| format!("{kind}: {message}"))
            .collect())
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
        let summed = self.query(&format!(
            "SELECT COALESCE(BIT_XOR(c),0), COALESCE(SUM(c),0) FROM (SELECT CRC32(CONCAT_WS(',',{})) AS c FROM {}) AS r",
            sums.join(","),
            full(schema, table)
        ))?;
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
        objects::read(&self.server, schema)
    }

    fn drop_objects(&self, schema: &str, objects: &Objects, patience: Patience) -> Result<()> {
        self.change(|connection| objects::drop_all(connection, schema, objects, patience))
    }

    fn create_objects(&self, schema: &str, objects: &Objects, patience: Patience) -> Result<()> {
        self.change(|connection| objects::create_all(connection, schema, objects, patience))
    }

    fn switch(&self, plan: &Switch, patience: Patience) -> Result<()> {
        self.change(|connection| switch::carry_out(connection, plan, patience))
    }

    fn connection_id(&self) -> Result<u64> {
        self.with(&self.changing, |connection| Ok(u64::from(connection.connection_id())))
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

    fn orphans(&self, schema: &str, key: &ForeignKey) -> Result<u64> {
        self.ask(|connection| keys::orphans(connection, schema, key))
    }

    fn account_of(&self, user: &str) -> Result<Option<String>> {
        self.ask(|connection| accounts::account_of(connection, user))
    }

    fn accounts(&self, prefix: &str) -> Result<Vec<String>> {
        self.ask(|connection| accounts::list(connection, prefix))
    }

    fn drop_account(&self, user: &str) -> Result<()> {
        self.ask(|connection| accounts::drop_user(connection, user))
    }
}
