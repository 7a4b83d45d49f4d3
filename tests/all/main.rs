//! Every test from outside, in one crate: the program is linked once, and what the tests share is compiled once. A test is named
//! `FILE::NAME`; `cargo test --test all FILE::` runs those of a file.

// What they share.
mod loading;
mod private_server;
mod rust_files;
mod two_tenants;
mod world;

mod abi;
mod broker;
mod caches;
mod configuration;
mod corpus;
mod crash;
mod database;
mod dialects;
mod diff;
mod docs;
mod documents;
mod drills;
mod e2e;
mod ffi;
mod filesystems;
mod floors;
mod foreign;
mod formats;
mod fresh;
mod hooks;
mod hostile_archives;
mod hostile_dumps;
mod hostile_statements;
mod model;
mod page;
mod parts;
mod places;
mod power;
mod preview;
mod privileges;
mod purge;
mod rehearsal;
mod releases;
mod resources;
mod resume;
mod schema;
mod semantics;
mod servers;
mod services;
mod snapshot;
mod sources;
mod states;
mod tenants;
mod traffic;
mod tree_obstacles;
mod verdicts;
mod waiting;
mod workers;
