//! The broker: a small root service on a Unix socket, for callers without rights, and the client that goes through it.
//!
//! One JSON document in, one out: `{"call": NAME, "request": {…}}` in one line, with `"on_behalf"` where a panel says for whom it asks;
//! the answer is the document of the call. The kernel tells who asks ([`peer`]), `access.toml` what he may ([`access`]); every call leaves
//! a line ([`audit`]), and some need a second person ([`approval`]). Past these checks the engine answers as it answers root.

pub mod access;
pub mod approval;
pub mod audit;
pub mod client;
mod own;
pub mod peer;
pub mod serve;
mod settings;
mod wish;
