//! What stops a restore until somebody accepts it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a restore can be told to accept; its word is the name of the check that finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Queries of the site wait longer in the change-over than `limits.change_over_wait_s`.
    ChangeOver,
    /// A server whose renaming of many tables is not all or nothing when it crashes: MariaDB before 10.6.1, MySQL before 8.0.
    AtomicRename,
}

impl Risk {
    /// All of them.
    pub const ALL: &'static [Risk] = &[Risk::ChangeOver, Risk::AtomicRename];

    /// The words of all of them.
    pub const WORDS: &'static [&'static str] = &[Risk::ChangeOver.word(), Risk::AtomicRename.word()];

    /// The word in a request, and the name of the check.
    pub const fn word(self) -> &'static str {
        match self {
            Risk::ChangeOver => "change_over",
            Risk::AtomicRename => "atomic_rename",
        }
    }
}
