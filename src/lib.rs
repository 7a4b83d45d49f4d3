//! Restores a web domain (files, database, configuration) from a backup, beside the live site, then
//! changes over in milliseconds. ARCHITECTURE.md is the map.

pub mod config;
pub mod error;
pub mod path;
pub mod progress;
