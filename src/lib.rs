//! Restores a web domain (files, database, configuration) from a backup, beside the live site, then
//! changes over in milliseconds. ARCHITECTURE.md is the map.

pub mod api;
pub mod archive;
pub mod backup;
pub mod call;
pub mod cli;
pub mod clock;
pub mod config;
pub mod disk;
pub mod engine;
pub mod error;
pub mod ffi;
pub mod host;
pub mod job;
pub mod journal;
pub mod path;
pub mod plan;
pub mod progress;
pub mod random;
pub mod report;
pub mod siteconf;
pub mod snapshot;
pub mod sql;
pub mod text;
pub mod worker;
