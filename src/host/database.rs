//! The database server as a job sees it. [`Database`] is what commit, rollback, recovery and
//! verification need; [`real::Real`] speaks to MariaDB or MySQL, `fake::Fake` of the tests keeps everything
//! in memory. Loading a dump ([`load::load`]) is for the real one alone.

pub mod accounts;
#[cfg(any(test, feature = "test-support"))]
pub mod fake;
pub mod grants;
mod history;
pub mod kept_rows;
pub mod keys;
pub mod live_rows;
pub mod load;
mod locks;
pub mod names;
mod next_values;
pub mod objects;
pub mod reader;
pub mod real;
mod rename_time;
pub mod server;
pub mod server_facts;
pub mod shown;
mod stand_in;
pub mod switch;

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub use crate::sql::statement::ObjectKind;
pub use history::History;
#[cfg(any(test, feature = "test-support"))]
pub use load::Loaded;
pub use load::{Choice, LoadRequest, LoadedTable, UnchangedTable, load};
pub use next_values::NextValue;
pub use real::Real;
pub use server::Server;

/// One table of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableInfo {
    /// Name.
    pub name: String,
    /// Storage engine; empty for a damaged table.
    pub engine: String,
    /// Rows as the server estimates them.
    pub rows_estimate: u64,
    /// Bytes of data and indexes.
    pub bytes: u64,
    /// Made by `CREATE SEQUENCE`.
    pub sequence: bool,
    /// Why the server cannot open it; empty for a sound table.
    #[serde(default)]
    pub damage: String,
}

/// When a table was made and last changed, as far as the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTimes {
    /// Name.
    pub name: String,
    /// When its present form was made, as the server writes it.
    pub created: String,
    /// When its rows last changed, seconds since 1970. `None`: not since the server began to watch it, or nobody knows.
    pub updated: Option<i64>,
    /// The next value of its `AUTO_INCREMENT`.
    pub auto_increment: u64,
}

/// The times of a schema's tables, and the server's clock when it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaTimes {
    /// Seconds since 1970.
    pub now: i64,
    /// The tables, sorted by name.
    pub tables: Vec<TableTimes>,
}

/// Default character set and collation of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaCharset {
    /// Character set.
    pub charset: String,
    /// Collation.
    pub collation: String,
}

/// A view, trigger, routine or event with everything that is needed to create it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Name.
    pub name: String,
    /// The table of a trigger; empty for everything else.
    #[serde(default)]
    pub table: String,
    /// The whole `CREATE` statement as the server writes it, schema not named.
    pub create: String,
    /// `sql_mode` it was created under; empty for views.
    pub sql_mode: String,
    /// `character_set_client` it was created under.
    pub charset: String,
    /// `collation_connection` it was created under.
    pub collation: String,
    /// `time_zone` of an event.
    pub time_zone: String,
}

/// Everything of a schema that is not a table, in an order in which it can be created.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Objects(pub Vec<Object>);

impl Objects {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One table's way from schema to schema; its name stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Schema it leaves.
    pub from: String,
    /// Table.
    pub table: String,
    /// Schema it goes to.
    pub to: String,
}

/// Moves that happen together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Switch {
    /// In this order: what is in the way goes first.
    pub moves: Vec<Move>,
}

impl Switch {
    /// `live.t → kept.t` for every table of `leaving`, then `staged.t → live.t` for every one of `coming`.
    pub fn exchange(live: &str, kept: &str, leaving: &[String], staged: &str, coming: &[String]) -> Switch {
        let step =
            |from: &str, to: &str, table: &String| Move { from: from.into(), table: table.clone(), to: to.into() };
        let out = leaving.iter().map(|table| step(live, kept, table));
        Switch { moves: out.chain(coming.iter().map(|table| step(staged, live, table))).collect() }
    }

    /// The same backwards.
    #[must_use]
    pub fn inverse(&self) -> Switch {
        let back = |step: &Move| Move { from: step.to.clone(), table: step.table.clone(), to: step.from.clone() };
        Switch { moves: self.moves.iter().rev().map(back).collect() }
    }
}

/// How long a statement tries to get its locks. A waiting one stalls the site's queries, so that each try is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries that give up at once when a table is in use.
    pub quick_tries: u32,
    /// Tries that wait a second; every one stalls new queries for as long.
    pub waiting_tries: u32,
    /// Pause between tries; it grows up to ten times as long.
    pub pause: Duration,
}

/// A foreign key by which another schema refers to a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideKey {
    /// Schema of the table that refers.
    pub schema: String,
    /// The table that refers.
    pub table: String,
    /// Name of the constraint.
    pub constraint: String,
    /// The table referred to.
    pub refers_to: String,
}

/// A foreign key of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Name of the constraint, unique in its table.
    pub name: String,
    /// The table that refers.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Schema of the table referred to.
    pub refers_schema: String,
    /// The table referred to; it need not exist.
    pub refers_to: String,
    /// Its columns, in the order of `columns`.
    pub refers_columns: Vec<String>,
    /// `RESTRICT`, `CASCADE`, `SET NULL`, `NO ACTION` or `SET DEFAULT`.
    pub on_update: String,
    /// The same for deletes.
    pub on_delete: String,
}

impl ForeignKey {
    /// Whether both have the same name on the same table.
    pub fn is_named_as(&self, other: &ForeignKey) -> bool {
        self.table == other.table && self.name == other.name
    }
}

/// The database server. Every call names schemas in full; none depends on a current schema. What changes live tables (switch,
/// objects, foreign keys) goes over one connection, [`Database::connection_id`].
pub trait Database: Send + Sync {
    /// Version as the server gives it, such as `10.11.19-MariaDB`. Also the cheapest proof that it answers.
    ///
    /// # Errors
    /// `database_unreachable`, `insufficient_privilege`.
    fn version(&self) -> Result<String>;

    /// Names of the schemas that begin with `prefix`, sorted.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn schemas(&self, prefix: &str) -> Result<Vec<String>>;

    /// Default character set of a schema; `None` when it does not exist.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn schema_charset(&self, schema: &str) -> Result<Option<SchemaCharset>>;

    /// Makes a schema; nothing happens when it exists. Without a character set the server's own is used.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn create_schema(&self, schema: &str, charset: Option<&SchemaCharset>) -> Result<()>;

    /// Removes a schema and all it holds; nothing happens when it does not exist.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn drop_schema(&self, schema: &str) -> Result<()>;

    /// How long the server takes to rename a table, tried on empty ones in the schema `scratch`, which must not exist and is gone
    /// afterwards.
    ///
    /// # Errors
    /// As [`Database::version`], and `database_failed`.
    fn time_rename(&self, scratch: &str) -> Result<Duration>;

    /// Makes a site's schema, over the connection that changes what is live; nothing happens when it exists.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn create_live_schema(&self, schema: &str, charset: Option<&SchemaCharset>) -> Result<()>;

    /// Removes a site's schema where it holds nothing, over the connection that changes what is live. One with anything in it stays,
    /// and nothing happens when it does not exist.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn drop_live_schema(&self, schema: &str) -> Result<()>;

    /// Removes base tables and sequences of a schema; those that do not exist are no error.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn drop_tables(&self, schema: &str, tables: &[String]) -> Result<()>;

    /// Base tables and sequences, sorted by name; none when the schema does not exist.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn tables(&self, schema: &str) -> Result<Vec<TableInfo>>;

    /// Whether a base table exists.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn table_exists(&self, schema: &str, table: &str) -> Result<bool> {
        Ok(self.tables(schema)?.iter().any(|info| info.name == table))
    }

    /// Exact number of rows.
    ///
    /// # Errors
    /// `database_failed` when the table does not exist.
    fn count_rows(&self, schema: &str, table: &str) -> Result<u64>;

    /// The rows of a table with those of before, where the server keeps them; `None` of a table without a history.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn history(&self, _schema: &str, _table: &str) -> Result<Option<History>> {
        Ok(None)
    }

    /// What `CHECK TABLE` complains of; empty when the table is whole.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn check_table(&self, schema: &str, table: &str) -> Result<Vec<String>>;

    /// Checksum over all rows; the same at every call as long as no row changes.
    ///
    /// # Errors
    /// `database_failed` when the table does not exist.
    fn checksum_table(&self, schema: &str, table: &str) -> Result<u64>;

    /// When the base tables and sequences of a schema were made and changed. A change within the second in which the server was
    /// asked may leave the same time.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn table_times(&self, schema: &str) -> Result<SchemaTimes>;

    /// The `CREATE TABLE` of a table, as the server writes it.
    ///
    /// # Errors
    /// `database_failed` when the table does not exist.
    fn table_text(&self, schema: &str, table: &str) -> Result<String>;

    /// Views, triggers, routines and events of a schema.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn objects(&self, schema: &str) -> Result<Objects>;

    /// Removes these objects from a schema; those that do not exist are no error.
    ///
    /// # Errors
    /// `database_locked` for a table in use, and as [`Database::version`].
    fn drop_objects(&self, schema: &str, objects: &Objects, patience: Patience) -> Result<()>;

    /// Creates these objects in a schema, in place of any of the same name. A view that refers to what is not there is created where the
    /// server can be brought to it; else it is left out, and the answer has a sentence on it.
    ///
    /// # Errors
    /// `database_failed` naming the object, `database_locked` for a table in use.
    fn create_objects(&self, schema: &str, objects: &Objects, patience: Patience) -> Result<Vec<String>>;

    /// Carries out all moves in one statement.
    ///
    /// # Errors
    /// `database_locked` naming the connection in the way; nothing was moved then.
    fn switch(&self, switch: &Switch, patience: Patience) -> Result<()>;

    /// The connection over which what is live will be changed from now on, for the journal: opened anew when it is gone. Changes
    /// over a connection that was lost since fail: another one would be unknown to a recovery, which has to end it.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn connection_id(&self) -> Result<u64>;

    /// Ends a connection of an earlier process and waits until it is gone; whether it was there.
    ///
    /// # Errors
    /// `timed_out` when it does not end.
    fn end_connection(&self, id: u64) -> Result<bool>;

    /// Ends every connection of a user, and waits until they are gone.
    ///
    /// # Errors
    /// As [`Database::version`]; `timed_out` when one does not end.
    fn end_connections_of(&self, user: &str) -> Result<()>;

    /// Foreign keys by which other schemas refer to tables of this one.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn foreign_keys_from_outside(&self, schema: &str) -> Result<Vec<OutsideKey>>;

    /// Foreign keys by which tables of a schema refer to others, in the order of table and name.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn foreign_keys(&self, schema: &str) -> Result<Vec<ForeignKey>>;

    /// Takes foreign keys off the tables of a schema; those that are not there are no error.
    ///
    /// # Errors
    /// `database_locked` for a table in use, and as [`Database::version`].
    fn drop_foreign_keys(&self, schema: &str, keys: &[ForeignKey], patience: Patience) -> Result<()>;

    /// Puts foreign keys on the tables of a schema, in place of any of the same name. Rows are not looked at.
    ///
    /// # Errors
    /// `database_locked` for a table in use, `database_failed` where the server refuses the key.
    fn add_foreign_keys(&self, schema: &str, keys: &[ForeignKey], patience: Patience) -> Result<()>;

    /// Sets next values of `AUTO_INCREMENT` in a schema, where [`NextValue::is_due`]; a table that is not there is no error.
    ///
    /// # Errors
    /// `database_locked` for a table in use, and as [`Database::version`].
    fn set_next_values(&self, schema: &str, values: &[NextValue], patience: Patience) -> Result<()>;

    /// Rows of the key's table, in `schema`, that refer to a row that is not there.
    ///
    /// # Errors
    /// `database_failed` when a table does not exist.
    fn orphans(&self, schema: &str, key: &ForeignKey) -> Result<u64>;

    /// Users whose name begins with `prefix`, sorted, without their hosts.
    ///
    /// # Errors
    /// As [`Database::version`].
    fn accounts(&self, prefix: &str) -> Result<Vec<String>>;

    /// Removes a user of every host and ends its connections; nothing happens when there is none.
    ///
    /// # Errors
    /// As [`Database::version`]; `timed_out` when a connection does not end.
    fn drop_account(&self, user: &str) -> Result<()>;
}

#[cfg(test)]
mod contract;
// Other releases are for the tests from outside.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../../tests/all/private_server.rs"]
mod private_server;
