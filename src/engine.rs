//! The way of a restore: plan → stage → verify staged → commit → verify live → done, or rollback.
//!
//! Each state is a type: only a `Job<Planned>` can be staged, only a `Job<Staged>` verified, only a `Job<Verified>`
//! committed. One file a transition: `stage`, `verify`, `commit`, `check`. A rollback to a kept snapshot is the same way from
//! `Verified` on, since its staged state already stands. Until `commit` the live site is not touched.

pub mod check;
pub mod commit;
mod damaged;
pub mod inspect;
pub mod leftovers;
pub mod machine;
pub mod preflight;
pub mod recovery;
pub mod restore;
pub mod site_config;
pub mod stage;
pub mod state;
pub mod verify;
