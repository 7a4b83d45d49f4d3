//! A database server: where it is, who speaks to it, and the SQL that everything else here is made of.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::credentials::{self, AdminAccount, Endpoint, Password, SiteAccount};
use crate::sql::{digest, quote_name};
use mysql::prelude::Queryable;
use mysql::{Conn, DriverError, OptsBuilder, Row, Value};
use std::time::Duration;

/// Seconds that a statement waits for a table that somebody has locked. Servers wait for a day, and a tenant may lock its tables for
/// as long.
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

    /// Waits so long for an answer, and no longer.
    #[must_use]
    pub fn patient_for(&self, patience: Duration) -> Server {
        Server { patience: Some(patience), ..self.clone() }
    }

    /// The same server for another account.
    #[must_use]
    pub fn with_account(&self, user: &str, password: Password) -> Server {
        let account = AdminAccount { user: user.into(), password, endpoint: self.account.endpoint.clone() };
        Server { account, tries: self.tries, patience: self.patience }
    }

    /// Who speaks to it, and where it is.
    pub fn account(&self) -> &AdminAccount {
        &self.account
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
            &format!(
                "SET NAMES utf8mb4, SESSION sql_mode='', SESSION sql_quote_show_create=1, \
                 SESSION lock_wait_timeout={LOCK_PATIENCE_S} /*!80000 , SESSION information_schema_stats_expiry=0 */"
            ),
        )?;
        // MySQL 8.4 renames no table that a key to something else than a primary or unique key leads to, unless the session says so. It is
        // the administrator's to say.
        let _ = connection.query_drop("SET @rv=0 /*!80400 , SESSION restrict_fk_on_non_standard_key=0 */");
        Ok(connection)
    }
}

/// `ER_SECURE_TRANSPORT_REQUIRED`.
const TLS_ALONE: u16 = 3159;

/// What a user is told who is asked for what we do not speak.
const UNSPOKEN: &str =
    "access denied: the server does not know this user, or asks it for a way to log in that is not spoken here";

/// Whether the server asks for an authentication that is not spoken here. MySQL asks a user it does not know for a plugin
/// picked by the user's name, so that nobody learns who exists.
fn is_unspoken(error: &DriverError) -> bool {
    matches!(
        error,
        DriverError::UnknownAuthPlugin(_)
            | DriverError::CleartextPluginDisabled
            | DriverError::OldMysqlPasswordDisabled
    )
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
            TLS_ALONE | 1053 | 1040 | 1129 | 1130 | 1203 | 2002 | 2003 | 2006 | 2013 => Code::DatabaseUnreachable,
            1205 | 1213 => Code::DatabaseLocked,
            _ => Code::DatabaseFailed,
        },
        mysql::Error::DriverError(error) if is_unspoken(error) => Code::InsufficientPrivilege,
        mysql::Error::IoError(_) | mysql::Error::DriverError(_) | mysql::Error::CodecError(_) => {
            Code::DatabaseUnreachable
        }
        _ => Code::DatabaseFailed,
    };
    let text = match error {
        mysql::Error::MySqlError(server) => format!("{} (error {})", server.message, server.code),
        mysql::Error::IoError(error) => error.to_string(),
        mysql::Error::DriverError(error) if is_unspoken(error) => UNSPOKEN.to_owned(),
        mysql::Error::DriverError(error) => error.to_string(),
        other => other.to_string(),
    };
    let mut made = Error::new(code, format!("{what}: {}", crate::text::printable(&text)));
    if let mysql::Error::MySqlError(server) = error {
        made = made.with("server_error", server.code);
        if server.code == TLS_ALONE {
            made = made.hint("The server takes connections over TCP with TLS alone, which is not spoken here: name its socket (`socket` in [mysql] of restore.toml).");
        }
    }
    made
}

/// The server's own number of an error that [`failed`] made.
pub fn error_number(error: &Error) -> Option<u64> {
    error.context.get("server_error").and_then(|value| value.as_u64())
}

/// Runs a statement of ours that returns nothing.
pub fn run(connection: &mut Conn, sql: &str) -> Result<()> {
    connection.query_drop(sql).map_err(|error| failed(&shorten(sql), &error))
}

/// Puts the values of a row that was asked for in words into `values`, in place of what was there.
pub fn put_values(row: Row, values: &mut digest::Row) {
    values.clear();
    for value in row.unwrap() {
        match value {
            Value::NULL => values.null(),
            Value::Bytes(bytes) => values.value(&bytes),
            // A server that was asked in words answers in words.
            other => values.value(other.as_sql(true).as_bytes()),
        }
    }
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

/// Name of a table with its schema, quoted.
pub fn full(schema: &str, table: &str) -> String {
    format!("{}.{}", quote_name(schema), quote_name(table))
}
