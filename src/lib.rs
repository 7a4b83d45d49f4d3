//! Restores a web domain (files, database, configuration) from a backup, beside the live site, then
//! changes over in milliseconds. ARCHITECTURE.md is the map.

pub mod api;
pub mod archive;
pub mod backup;
pub mod config;
pub mod error;
pub mod host;
pub mod journal;
pub mod path;
pub mod progress;
pub mod report;
pub mod snapshot;
pub mod sql;
