//! The transitions of a restore: plan → stage → verify staged → commit → verify live → done, or rollback.
//!
//! Each state is a type: only a `Job<Planned>` can be staged, only a `Job<Staged>` verified, only a `Job<Verified>`
//! committed. Each transition has its file: `stage`, `verify`, `commit`, `check`. A rollback to a retained snapshot takes the same
//! transitions from `Verified` on, because its staged state already exists. Until `commit` the live site is not touched.

pub mod check;
pub mod commit;
mod damaged;
pub mod hooks;
pub mod inspect;
pub mod leftovers;
mod live_pages;
pub mod machine;
mod posts;
pub mod preflight;
pub mod recovery;
pub mod rehearsal;
pub mod restore;
pub mod site_config;
pub mod stage;
pub mod state;
mod unused;
pub mod verify;
