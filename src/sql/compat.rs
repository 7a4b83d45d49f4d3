//! What of a dump a server would not take as it stands, and what is done about it. Pure.
//!
//! * [`survey`]: what a dump holds that servers differ in, gathered while it streams by; independent of any server;
//! * [`judge`](judge()): that, held against what a server says of itself and what the caller wants done;
//! * [`adapt`](adapt()): one statement of the dump, as this server takes it. The loader uses it.

pub mod action;
pub mod adapt;
pub mod collation;
pub mod default_collation;
pub mod definition;
pub mod judge;
pub mod survey;
pub mod uses;

pub use action::Actions;
pub use adapt::adapt;
pub use judge::{Finding, Ledger, Makers, ServerFacts, Verdict, judge};
pub use survey::Survey;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Kinds of what servers differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompatibilityKind")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `COLLATE x`.
    Collation,
    /// `CHARACTER SET x`.
    Charset,
    /// `0000-00-00` and dates with a zero month or day, in rows and in defaults.
    ZeroDates,
    /// The account under which a view, routine, trigger or event runs.
    Definer,
    /// Lines that set the server's GTID state, or switch its binary log off for themselves.
    Gtid,
    /// A row or statement longer than the server takes in one packet.
    Packet,
    /// `ENGINE=x`.
    Engine,
    /// A word of `sql_mode`.
    SqlMode,
    /// `WITH PARSER x` of a full-text key.
    Parser,
    /// `/*!80016 … */`: text for servers of another kind or version.
    VersionedComment,
    /// A part of a table's definition that only another kind or version of server knows, such as `WITH SYSTEM VERSIONING`.
    Feature,
    /// An option of a table that is left out: `TABLESPACE x`, `AUTOEXTEND_SIZE=x`, and those that the server does not know.
    TableOption,
    /// `CHECK (…)` of a column that names other columns.
    Check,
}

/// One place of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// What is named there.
    pub kind: Kind,
    /// Its name.
    pub subject: String,
    /// The bytes of the name.
    pub span: Range<usize>,
}

impl Kind {
    /// As in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Collation => "collation",
            Kind::Charset => "charset",
            Kind::ZeroDates => "zero_dates",
            Kind::Definer => "definer",
            Kind::Gtid => "gtid",
            Kind::Packet => "packet",
            Kind::Engine => "engine",
            Kind::SqlMode => "sql_mode",
            Kind::Parser => "parser",
            Kind::VersionedComment => "versioned_comment",
            Kind::Feature => "feature",
            Kind::TableOption => "table_option",
            Kind::Check => "check",
        }
    }
}
