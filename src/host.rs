//! What the machine does for a job. Traits with a real and a fake side; everything above is free of I/O details.

pub mod account;
pub mod cell;
pub mod command;
pub mod credentials;
pub mod database;
pub mod guarded;
pub mod hooks;
pub mod mounts;
pub mod owner;
pub mod page_caches;
pub mod place;
pub mod process;
pub mod services;
pub mod site;
pub mod site_database;
pub mod spool;
pub mod target;
pub mod tree;
