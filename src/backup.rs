//! Backups in the field: where they are, what they are called, how they are laid out, what is in them.
//!
//! * [`name`]: what a file name says (kind, moment, domain);
//! * [`mod@list`]: the backups of a domain, newest first, without opening an archive; [`archives`]: who has some;
//! * [`mod@locate`]: from a request's word (`latest`, a path) to an open [`Source`];
//! * [`chain`]: which archives an incremental backup is made of; [`layers`]: which entry of which archive counts;
//! * [`layout`]: the known forms, one file each, and the [`Sorter`](layout::Sorter) that places entries while they stream by;
//! * [`backup_folders`]: where plugins keep their backups;
//! * [`kept_backups`]: backups in the live tree, which outlive a restore;
//! * [`meta`]: the `.meta` files beside archives (hints, never trusted);
//! * [`read`]: the one walk over the entries of an archive, for whoever reads one;
//! * [`scan()`](scan::scan): one reading of a whole archive, its integrity check; [`preview`]: what it found, as a document;
//! * [`cache::index`]: our own cache of what was found inside an archive; [`cache::catalogue`]: every entry of the site in it;
//!   [`cache::seek`]: where it can be read from the middle, and [`wanted`]: what is read so.

pub mod archives;
pub mod backup_folders;
pub mod cache;
pub mod chain;
pub mod contents;
pub mod continued;
pub mod dump_folder;
pub mod extent;
pub mod folder;
pub mod identity;
pub mod import;
pub mod kept_backups;
pub mod layers;
pub mod layout;
pub mod list;
pub mod locate;
pub mod meta;
pub mod name;
pub mod peek;
pub mod preview;
pub mod read;
pub mod scan;
pub mod settings;
pub mod source;
pub mod survey;
#[cfg(test)]
pub(crate) mod testing;
pub mod tool;
pub mod wanted;

pub use list::list;
pub use locate::locate_snapshot;
pub use scan::Scan;
pub use source::Source;

#[cfg(any(test, feature = "test-support"))]
pub use {identity::Identity, locate::locate, scan::scan};
