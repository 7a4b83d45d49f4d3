//! What every container has: entries one after another, each with its content.

use super::{Entry, TarReader};
use crate::error::Result;
use std::io::Read;

/// How much of an archive's limits was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Entries.
    pub entries: u64,
    /// Bytes that they unpack to.
    pub bytes: u64,
}

impl Spent {
    /// Counts what a container inside used, too.
    pub fn add(&mut self, inner: Spent) {
        self.entries = self.entries.saturating_add(inner.entries);
        self.bytes = self.bytes.saturating_add(inner.bytes);
    }
}

/// Entries of a container. [`Read`] gives the content of the entry last returned; what is left of it is passed over by the next call of
/// [`Entries::next_entry`].
pub trait Entries: Read {
    /// The next entry, or `None` at the end, which is only reached when the whole container was read and found good.
    ///
    /// # Errors
    /// `backup_corrupt`, `backup_unreadable`, `limit_exceeded`, `io_failed`.
    fn next_entry(&mut self) -> Result<Option<Entry>>;

    /// Bytes unpacked so far.
    fn offset(&self) -> u64;

    /// What was used of the limits.
    fn spent(&self) -> Spent;

    /// Counts what a container inside this one used: the limits are those of all levels together.
    fn spend(&mut self, inner: Spent);

    /// Whether it ended without its end mark, and something else says that nothing is missing.
    fn lacks_end_mark(&self) -> bool {
        false
    }

    /// Whether what was read so far is the state of a folder, and not only what had changed in it.
    ///
    /// # Errors
    /// `backup_incomplete`.
    fn require_whole(&self) -> Result<()> {
        Ok(())
    }
}

impl<R: Read> Entries for TarReader<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        TarReader::next_entry(self)
    }

    fn offset(&self) -> u64 {
        TarReader::offset(self)
    }

    fn spent(&self) -> Spent {
        TarReader::spent(self)
    }

    fn spend(&mut self, inner: Spent) {
        TarReader::spend(self, inner);
    }

    fn lacks_end_mark(&self) -> bool {
        TarReader::lacks_end_mark(self)
    }

    fn require_whole(&self) -> Result<()> {
        TarReader::require_whole(self)
    }
}
