//! Restores a web domain (files, database, configuration) from a backup, beside the live site, then
//! changes over in milliseconds. ARCHITECTURE.md is the map.
//!
//! What is public is the C interface and the helper's command line. With the feature `test-support` the rest is too, for the
//! tests, benches and fuzz targets, which are crates of their own; without it the compiler sees what nobody uses.

pub mod cli;
pub mod ffi;

#[cfg(not(feature = "test-support"))]
mod api;
#[cfg(not(feature = "test-support"))]
mod archive;
#[cfg(not(feature = "test-support"))]
mod backup;
#[cfg(not(feature = "test-support"))]
mod broker;
#[cfg(not(feature = "test-support"))]
mod call;
#[cfg(not(feature = "test-support"))]
mod clock;
#[cfg(not(feature = "test-support"))]
mod config;
#[cfg(not(feature = "test-support"))]
mod disk;
#[cfg(not(feature = "test-support"))]
mod drills;
#[cfg(not(feature = "test-support"))]
mod engine;
#[cfg(not(feature = "test-support"))]
mod error;
#[cfg(not(feature = "test-support"))]
mod host;
#[cfg(not(feature = "test-support"))]
mod job;
#[cfg(not(feature = "test-support"))]
mod journal;
#[cfg(not(feature = "test-support"))]
mod path;
#[cfg(not(feature = "test-support"))]
mod plan;
#[cfg(not(feature = "test-support"))]
mod progress;
#[cfg(not(feature = "test-support"))]
mod random;
#[cfg(not(feature = "test-support"))]
mod report;
#[cfg(not(feature = "test-support"))]
mod siteconf;
#[cfg(not(feature = "test-support"))]
mod snapshot;
#[cfg(not(feature = "test-support"))]
mod sql;
#[cfg(not(feature = "test-support"))]
mod text;
#[cfg(not(feature = "test-support"))]
mod worker;

#[cfg(feature = "test-support")]
pub mod api;
#[cfg(feature = "test-support")]
pub mod archive;
#[cfg(feature = "test-support")]
pub mod backup;
#[cfg(feature = "test-support")]
pub mod broker;
#[cfg(feature = "test-support")]
pub mod call;
#[cfg(feature = "test-support")]
pub mod clock;
#[cfg(feature = "test-support")]
pub mod config;
#[cfg(feature = "test-support")]
pub mod disk;
#[cfg(feature = "test-support")]
pub mod drills;
#[cfg(feature = "test-support")]
pub mod engine;
#[cfg(feature = "test-support")]
pub mod error;
#[cfg(feature = "test-support")]
pub mod host;
#[cfg(feature = "test-support")]
pub mod job;
#[cfg(feature = "test-support")]
pub mod journal;
#[cfg(feature = "test-support")]
pub mod path;
#[cfg(feature = "test-support")]
pub mod plan;
#[cfg(feature = "test-support")]
pub mod progress;
#[cfg(feature = "test-support")]
pub mod random;
#[cfg(feature = "test-support")]
pub mod report;
#[cfg(feature = "test-support")]
pub mod siteconf;
#[cfg(feature = "test-support")]
pub mod snapshot;
#[cfg(feature = "test-support")]
pub mod sql;
#[cfg(feature = "test-support")]
pub mod text;
#[cfg(feature = "test-support")]
pub mod worker;
