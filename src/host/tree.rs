//! Trees of files, by handles: nothing here follows a link or leaves the folder it was given.
//!
//! [`TreeWriter`] writes what an archive holds and records it in a [`manifest`]; [`verify()`] reads the
//! tree back against that record. [`compare()`](compare::compare) holds such a record of a backup against
//! the live tree. [`exchange()`] is the moment of a commit.

pub mod adopt;
pub mod apart;
pub mod attributes;
pub mod change;
pub mod compare;
pub mod difference;
#[cfg(any(test, feature = "test-support"))]
pub mod digest;
mod flusher;
pub mod handle;
pub mod kind;
pub mod link;
pub mod look;
mod made;
pub mod manifest;
pub mod owners;
pub mod policy;
mod pool;
pub mod remove;
pub mod space;
pub mod static_file;
pub mod survey;
mod times;
mod trusted;
mod unchanged;
pub mod unit;
pub mod verify;
pub mod walk;
mod worker;
pub mod writer;

pub use apart::{Apart, apart};
pub use attributes::{may_set_immutable, set_immutable};
pub use change::{Identity, Toward, exchange, fsync_folder, identity, rename_noreplace, sync_filesystem};
#[cfg(any(test, feature = "test-support"))]
pub use digest::digest;
pub use handle::{
    create_folder, open_around, open_beneath, open_folder, open_folder_beneath, open_site, path_of, read_beneath,
};
pub use kind::Kind;
pub use look::FolderChange;
pub use policy::FilePolicy;
pub use remove::remove;
pub use space::{Space, space};
pub use survey::{Survey, survey, survey_since};
pub use unit::{Unit, exchange_units};
pub use verify::{Extent, Sample, TreeReport, verify};
pub use walk::{Visit, mount_of, walk};
pub use writer::{TreeOptions, TreeSummary, TreeWriter};
