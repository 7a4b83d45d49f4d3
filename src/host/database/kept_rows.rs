//! Rows of live tables that are newer than those of a backup, carried into the restored tables: orders, users, comments.
//!
//! Newer are rows whose key is above the greatest one of the backup's table. The key is the table's own, where that is one whole number;
//! or a column that is named, such as the time at which a row was made. Rows that the backup has stay as it has them. They are read
//! and written by a throw-away account that may read the site's schema, add to the shadow schema, and do nothing else: a tenant may put
//! a view in a table's place at any moment.

use crate::api::KeepRows;
use crate::api::answer::comparison::KeptRowsOf;
use crate::error::{Code, Error, Result};
use crate::host::database::accounts;
use crate::host::database::grants::READING;
use crate::host::database::server::{Server, failed, full, literal, number, rows, run, text};
use crate::sql::greatest::Found;
use crate::sql::quote_name;
use mysql::Conn;
use mysql::prelude::Queryable;
use std::collections::BTreeMap;

/// What the account may do with the shadow schema.
const ADDING: &[&str] = &["SELECT", "INSERT"];
/// `ER_NO_REFERENCED_ROW_2`.
const NO_PARENT: u16 = 1452;
/// `ER_DUP_ENTRY`.
const TWICE: u16 = 1062;
/// Longest wait for somebody's lock, in seconds.
const PATIENCE_S: u32 = 5;
/// Types of keys that count up.
const WHOLE: [&str; 5] = ["tinyint", "smallint", "mediumint", "int", "bigint"];

/// A site's schema beside the one that takes its place.
pub struct Sides<'a> {
    /// The administrator.
    pub server: &'a Server,
    /// One of [`names::carrier`](super::names::carrier).
    pub account: &'a str,
    /// The site's schema.
    pub live: &'a str,
    /// Where the restored tables are.
    pub shadow: &'a str,
}

impl Sides<'_> {
    /// Carries the newer rows of these tables over. Done again, it carries what has come since.
    ///
    /// # Errors
    /// `bad_request` for a table without a key, or with columns that the restored one has not got; `broken_reference` for rows that refer
    /// to what the restored tables do not hold; `database_failed` for one whose number or name a restored row has. Nothing live was
    /// changed.
    pub fn carry(&self, tables: &[KeepRows]) -> Result<Vec<KeptRowsOf>> {
        self.as_carrier(|connection| {
            let mut waiting: Vec<Statement> = tables
                .iter()
                .filter_map(|table| self.statement(connection, table).transpose())
                .collect::<Result<_>>()?;
            let mut carried = Vec::new();
            // Rows may refer to rows of another of the tables, in whatever order these are named.
            while !waiting.is_empty() {
                let before = waiting.len();
                let mut left = Vec::new();
                let mut first = None;
                for statement in waiting {
                    match connection.query_drop(&statement.insert) {
                        Ok(()) => carried.push(statement.kept(connection.affected_rows())),
                        Err(mysql::Error::MySqlError(error)) if error.code == NO_PARENT => {
                            first.get_or_insert_with(|| no_parent(&statement.table, &error.message));
                            left.push(statement);
                        }
                        Err(error) => return Err(statement.failed(&error)),
                    }
                }
                if left.len() == before {
                    return Err(first.unwrap_or_else(|| Error::new(Code::Internal, "no row was carried")));
                }
                waiting = left;
            }
            carried.sort_by(|one, other| one.table.cmp(&other.table));
            Ok(carried)
        })
    }

    /// How many rows would be carried now, where the restored tables are not made yet. `look` finds what the backup has of each
    /// of these tables and columns.
    ///
    /// # Errors
    /// `bad_request` for a table without a key, or with columns that the backup's has not got; what `look` meets.
    pub fn expect(
        &self,
        tables: &[KeepRows],
        look: impl FnOnce(&BTreeMap<String, String>) -> Result<BTreeMap<String, Found>>,
    ) -> Result<Vec<KeptRowsOf>> {
        self.as_carrier(|connection| {
            let mut live = Vec::new();
            for kept in tables {
                let all = columns(connection, self.live, &kept.table)?;
                if !all.is_empty() {
                    let column = column(kept, &all, &key(connection, self.live, &kept.table)?)?.clone();
                    live.push((kept.table.clone(), all, column));
                }
            }
            let by = live.iter().map(|(table, _, column)| (table.clone(), column.name.clone())).collect();
            let backup = look(&by)?;
            let mut expected = Vec::new();
            for (table, all, column) in live {
                let found = backup.get(&table).ok_or_else(|| not_held(&table))?;
                require_columns(&table, &all, found.columns.iter().map(String::as_str))?;
                let value = Some(String::from_utf8_lossy(&found.greatest)).filter(|value| !value.is_empty());
                let newer = column.above("", ">", value.as_deref());
                let count = format!("SELECT COUNT(*) FROM {} WHERE {newer}", full(self.live, &table));
                let count = rows(connection, &count)?.first().map_or(0, |row| number(row, 0));
                expected.push(KeptRowsOf { table, column: column.name, rows: count });
            }
            expected.sort_by(|one, other| one.table.cmp(&other.table));
            Ok(expected)
        })
    }

    fn as_carrier<T>(&self, act: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut admin = self.server.connect(None)?;
        let password = accounts::create(&mut admin, self.account, READING, self.live)?;
        let acted = accounts::grant(&mut admin, self.account, ADDING, self.shadow).and_then(|()| {
            let mut connection = self.server.with_account(self.account, password).connect(None)?;
            // Rows of the site are not locked while they are read.
            let session = format!(
                "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', SESSION foreign_key_checks=1, SESSION lock_wait_timeout={PATIENCE_S}, \
                 SESSION innodb_lock_wait_timeout={PATIENCE_S}"
            );
            run(&mut connection, &session)?;
            run(&mut connection, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")?;
            act(&mut connection)
        });
        let gone = accounts::drop_user(&mut admin, self.account);
        acted.and_then(|done| gone.map(|()| done))
    }

    /// What carries the rows of a table; `None` where the site has no such table.
    fn statement(&self, connection: &mut Conn, kept: &KeepRows) -> Result<Option<Statement>> {
        let theirs = columns(connection, self.live, &kept.table)?;
        if theirs.is_empty() {
            return Ok(None);
        }
        let ours = columns(connection, self.shadow, &kept.table)?;
        require_columns(&kept.table, &theirs, ours.iter().map(|column| column.name.as_str()))?;
        let key = key(connection, self.live, &kept.table)?;
        let column = column(kept, &theirs, &key)?;
        let greatest = format!("SELECT MAX({}) FROM {}", quote_name(&column.name), full(self.shadow, &kept.table));
        let greatest = rows(connection, &greatest)?.into_iter().next();
        let greatest = greatest.filter(|row| !matches!(row.as_ref(0), None | Some(mysql::Value::NULL)));
        let (live, shadow) = (full(self.live, &kept.table), full(self.shadow, &kept.table));
        let names: Vec<String> =
            theirs.iter().filter(|column| !column.computed).map(|column| quote_name(&column.name)).collect();
        let read: Vec<String> = names.iter().map(|name| format!("l.{name}")).collect();
        let is_key = key.len() == 1 && key[0].eq_ignore_ascii_case(&column.name);
        // Rows of the same second as the backup's last: those that it has are known by their key.
        let sign = if is_key || key.is_empty() { ">" } else { ">=" };
        let newer = column.above("l.", sign, greatest.map(|row| text(&row, 0)).as_deref());
        let (join, absent) = match key.first() {
            None => (String::new(), String::new()),
            Some(first) => {
                let same: Vec<String> = key.iter().map(|name| format!("s.{0}=l.{0}", quote_name(name))).collect();
                let join = format!(" LEFT JOIN {shadow} s ON {}", same.join(" AND "));
                (join, format!(" AND s.{} IS NULL", quote_name(first)))
            }
        };
        let insert = format!(
            "INSERT INTO {shadow} ({}) SELECT {} FROM {live} l{join} WHERE {newer}{absent}",
            names.join(", "),
            read.join(", ")
        );
        Ok(Some(Statement { table: kept.table.clone(), column: column.name.clone(), insert }))
    }
}

/// Refuses a table with columns that the backup's has not got.
fn require_columns<'a>(table: &str, live: &[Column], backup: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
    let has = |name: &str| backup.clone().any(|known| known.eq_ignore_ascii_case(name));
    let Some(more) = live.iter().find(|column| !column.computed && !has(&column.name)) else { return Ok(()) };
    let message =
        format!("the column {} of {table} is not in the backup: newer rows would lose what is in it", more.name);
    Err(Error::new(Code::BadRequest, message)
        .hint("Leave the table out of `keep_rows`, or keep all of it: exclude it from the restore.")
        .with("table", table)
        .with("column", more.name.as_str()))
}

/// The refusal of a table that the backup does not hold.
pub fn not_held(table: &str) -> Error {
    Error::new(Code::BadRequest, format!("keep_rows: the backup has no table {table}"))
        .hint("Name tables of the backup; a table that only the site has stays where it is excluded.")
        .with("table", table)
}

struct Statement {
    table: String,
    column: String,
    insert: String,
}

impl Statement {
    fn kept(self, rows: u64) -> KeptRowsOf {
        KeptRowsOf { table: self.table, column: self.column, rows }
    }

    fn failed(&self, error: &mysql::Error) -> Error {
        let made = failed(&format!("carry the newer rows of {}", self.table), error).with("table", self.table.as_str());
        match error {
            mysql::Error::MySqlError(said) if said.code == TWICE => made.hint(
                "A row of the backup has the same unique value. Leave the table out of `keep_rows`, or change the live row.",
            ),
            _ => made,
        }
    }
}

fn no_parent(table: &str, said: &str) -> Error {
    let message =
        format!("newer rows of {table} refer to rows that the backup does not hold: {}", crate::text::printable(said));
    Error::new(Code::BrokenReference, message)
        .hint("Name the table that they refer to in `keep_rows`, too.")
        .with("table", table)
}

#[derive(Clone)]
struct Column {
    name: String,
    kind: String,
    computed: bool,
}

impl Column {
    fn is_whole(&self) -> bool {
        WHOLE.contains(&self.kind.as_str())
    }

    /// The condition for rows with a greater value than the greatest that the backup has; without one all are newer.
    fn above(&self, of: &str, sign: &str, greatest: Option<&str>) -> String {
        let Some(value) = greatest else { return "TRUE".into() };
        let number = value.parse::<i128>().ok().filter(|_| self.is_whole());
        let value = number.map_or_else(|| literal(value), |number| number.to_string());
        format!("{of}{} {sign} {value}", quote_name(&self.name))
    }
}

fn columns(connection: &mut Conn, schema: &str, table: &str) -> Result<Vec<Column>> {
    let sql = format!(
        "SELECT COLUMN_NAME, DATA_TYPE, EXTRA LIKE '%VIRTUAL%' OR EXTRA LIKE '%STORED GENERATED%' OR EXTRA LIKE '%PERSISTENT%' \
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA={} AND TABLE_NAME={} ORDER BY ORDINAL_POSITION",
        literal(schema),
        literal(table)
    );
    let column = |row: &mysql::Row| Column {
        name: text(row, 0),
        kind: text(row, 1).to_ascii_lowercase(),
        computed: number(row, 2) == 1,
    };
    Ok(rows(connection, &sql)?.iter().map(column).collect())
}

fn key(connection: &mut Conn, schema: &str, table: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA={} AND TABLE_NAME={} \
         AND CONSTRAINT_NAME='PRIMARY' ORDER BY ORDINAL_POSITION",
        literal(schema),
        literal(table)
    );
    Ok(rows(connection, &sql)?.iter().map(|row| text(row, 0)).collect())
}

fn column<'a>(kept: &KeepRows, all: &'a [Column], key: &[String]) -> Result<&'a Column> {
    let find = |name: &str| all.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let refuse = |message: String| {
        Error::new(Code::BadRequest, message)
            .hint("Name the column by which a row's age is known: {\"table\":\"…\",\"column\":\"created_at\"}.")
            .with("table", kept.table.as_str())
    };
    match (&kept.column, key) {
        (Some(name), _) => find(name).ok_or_else(|| refuse(format!("{} has no column {name}", kept.table))),
        (None, [one]) => find(one).filter(|column| column.is_whole()).ok_or_else(|| {
            refuse(format!(
                "keep_rows: the key {one} of {} is no whole number, and does not tell what is newer",
                kept.table
            ))
        }),
        (None, _) => {
            Err(refuse(format!("keep_rows: {} has no key of one column that would tell what is newer", kept.table)))
        }
    }
}
