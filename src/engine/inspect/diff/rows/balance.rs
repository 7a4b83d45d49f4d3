//! Two heaps of rows held against each other, in whatever order they come and in bounded memory.
//!
//! A row that both sides have goes away as soon as the second side brings it. Both sides mostly bring their rows in the order of the
//! primary key, so little waits. What does wait and is more than memory may hold goes to a file, in sorted runs that are merged at the
//! end: 40 bytes a row, hashes alone.

use crate::error::{Error, IoContext, Result};
use crate::sql::identity::Identity;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

/// Rows that wait in memory: a map of 2^16 places holds no more.
const MOST_HELD: usize = 57_000;
/// Bytes of the buffers of all runs, and of the smallest.
const BUFFERS: usize = 2 << 20;
const LEAST_BUFFER: usize = 40 * RECORD;
const RECORD: usize = 40;

/// What two heaps of rows differ in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Rows whose key only the backup has.
    pub added: u64,
    /// Rows whose key only the live table has.
    pub removed: u64,
    /// Rows of one key with other values.
    pub changed: u64,
    /// Rows that both sides have.
    pub same: u64,
    /// Rows of the backup.
    pub backup: u64,
    /// Keys of rows that differ, as many as were asked for.
    pub keys: HashSet<u128>,
}

/// Takes the rows of both sides.
pub struct Balance {
    /// How many more the backup has than the live table.
    held: HashMap<Identity, i64>,
    most_held: usize,
    backup: u64,
    runs: Runs,
}

impl Balance {
    /// `file` is made where memory does not do, and has no name then.
    pub fn new(file: PathBuf) -> Balance {
        Balance {
            held: HashMap::new(),
            most_held: MOST_HELD,
            backup: 0,
            runs: Runs { path: file, file: None, ends: vec![0] },
        }
    }

    /// A row of the backup.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn add_backup(&mut self, row: Identity) -> Result<()> {
        self.backup += 1;
        self.add(row, 1)
    }

    /// A row of the live table.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn add_live(&mut self, row: Identity) -> Result<()> {
        self.add(row, -1)
    }

    fn add(&mut self, row: Identity, one: i64) -> Result<()> {
        let balance = self.held.entry(row).or_default();
        *balance += one;
        if *balance == 0 {
            self.held.remove(&row);
        } else if self.held.len() > self.most_held {
            let sorted = self.sorted();
            self.runs.write(&sorted)?;
        }
        Ok(())
    }

    fn sorted(&mut self) -> Vec<(Identity, i64)> {
        let mut sorted: Vec<(Identity, i64)> = self.held.drain().collect();
        sorted.sort_unstable();
        sorted
    }

    /// The difference, with the keys of up to `most` rows.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn finish(mut self, most: usize) -> Result<Difference> {
        let mut tally = Tally { most, ..Tally::default() };
        let sorted = self.sorted();
        if self.runs.file.is_none() {
            sorted.into_iter().for_each(|(row, balance)| tally.add(row, balance));
        } else {
            self.runs.write(&sorted)?;
            drop(sorted);
            self.runs.merge(|row, balance| tally.add(row, balance))?;
        }
        let mut found = tally.finish();
        found.backup = self.backup;
        found.same = self.backup.saturating_sub(found.added + found.changed);
        Ok(found)
    }
}

/// Counts rows that come sorted.
#[derive(Default)]
struct Tally {
    found: Difference,
    most: usize,
    row: Option<(Identity, i64)>,
    key: Option<u128>,
    more: u64,
    fewer: u64,
}

impl Tally {
    fn add(&mut self, row: Identity, balance: i64) {
        match &mut self.row {
            Some((known, sum)) if *known == row => *sum += balance,
            other => {
                let before = other.replace((row, balance));
                self.take(before);
            }
        }
    }

    fn take(&mut self, row: Option<(Identity, i64)>) {
        let Some((row, balance)) = row.filter(|(_, balance)| *balance != 0) else { return };
        if self.key != Some(row.key) {
            self.end_key();
            self.key = Some(row.key);
        }
        self.more += u64::try_from(balance).unwrap_or(0);
        self.fewer += u64::try_from(-balance).unwrap_or(0);
    }

    fn end_key(&mut self) {
        let (more, fewer) = (std::mem::take(&mut self.more), std::mem::take(&mut self.fewer));
        let changed = more.min(fewer);
        self.found.changed += changed;
        self.found.added += more - changed;
        self.found.removed += fewer - changed;
        if let Some(key) = self.key.take()
            && self.found.keys.len() < self.most
        {
            self.found.keys.insert(key);
        }
    }

    fn finish(mut self) -> Difference {
        let last = self.row.take();
        self.take(last);
        self.end_key();
        self.found
    }
}

/// Sorted runs, one behind the other in a file.
struct Runs {
    path: PathBuf,
    file: Option<File>,
    /// Where each ends; the first begins where the empty one before it does.
    ends: Vec<u64>,
}

impl Runs {
    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.path.display())
    }

    fn write(&mut self, sorted: &[(Identity, i64)]) -> Result<()> {
        if self.file.is_none() {
            let opened =
                OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&self.path);
            self.file = Some(opened.doing(|| self.doing("create"))?);
            // Nobody else reads it, and it goes with the job however that ends.
            std::fs::remove_file(&self.path).doing(|| self.doing("remove"))?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut out = BufWriter::with_capacity(64 << 10, file);
        let mut put = |(row, balance): &(Identity, i64)| {
            out.write_all(&row.key.to_be_bytes())?;
            out.write_all(&row.content.to_be_bytes())?;
            out.write_all(&balance.to_be_bytes())
        };
        let written = sorted.iter().try_for_each(&mut put).and_then(|()| out.flush());
        written.map_err(|error| Error::io(format_args!("write {}", self.path.display()), &error))?;
        self.ends.push(self.ends.last().copied().unwrap_or(0) + (sorted.len() * RECORD) as u64);
        Ok(())
    }

    fn merge(&self, mut each: impl FnMut(Identity, i64)) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let room = (BUFFERS / self.ends.len()).max(LEAST_BUFFER) / RECORD * RECORD;
        let mut runs: Vec<Run<'_>> = self
            .ends
            .windows(2)
            .map(|ends| Run { file, at: ends[0], end: ends[1], buffer: Vec::new(), used: 0, room })
            .collect();
        let mut heads = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next().doing(|| self.doing("read"))?.map(|head| Reverse((head, number))));
        }
        while let Some(Reverse(((row, balance), number))) = heads.pop() {
            each(row, balance);
            heads.extend(runs[number].next().doing(|| self.doing("read"))?.map(|head| Reverse((head, number))));
        }
        Ok(())
    }
}

struct Run<'a> {
    file: &'a File,
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
    room: usize,
}

impl Run<'_> {
    fn next(&mut self) -> std::io::Result<Option<(Identity, i64)>> {
        if self.used == self.buffer.len() {
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            self.buffer.resize(left.min(self.room), 0);
            self.file.read_exact_at(&mut self.buffer, self.at)?;
            self.at += self.buffer.len() as u64;
            self.used = 0;
        }
        let rest = &self.buffer[self.used..];
        let Some((key, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let Some((content, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let Some((balance, _)) = rest.split_first_chunk() else { return Ok(None) };
        self.used += RECORD;
        let row = Identity { key: u128::from_be_bytes(*key), content: u128::from_be_bytes(*content) };
        Ok(Some((row, i64::from_be_bytes(*balance))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u128, content: u128) -> Identity {
        // As hashes are: far from each other, and in no order.
        let spread = |number: u128| number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        Identity { key: spread(key), content: spread(content) }
    }

    /// The difference of two lists of keys and contents, with this much memory.
    fn difference(backup: &[(u128, u128)], live: &[(u128, u128)], most_held: usize, most: usize) -> Difference {
        let folder = tempfile::tempdir().unwrap();
        let mut balance = Balance { most_held, ..Balance::new(folder.path().join("runs")) };
        backup.iter().for_each(|(key, content)| balance.add_backup(row(*key, *content)).unwrap());
        live.iter().for_each(|(key, content)| balance.add_live(row(*key, *content)).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
        balance.finish(most).unwrap()
    }

    fn numbers(found: &Difference) -> [u64; 4] {
        [found.added, found.changed, found.removed, found.same]
    }

    #[test]
    fn rows_are_added_changed_and_removed_by_their_keys() {
        let backup = [(1, 10), (2, 20), (3, 30), (4, 40)];
        let live = [(4, 40), (2, 21), (5, 50), (1, 10)];
        for most_held in [100, 2, 0] {
            let found = difference(&backup, &live, most_held, 10);
            assert_eq!(numbers(&found), [1, 1, 1, 2], "{most_held}");
            assert_eq!(found.keys, HashSet::from([row(2, 0).key, row(3, 0).key, row(5, 0).key]));
        }
    }

    #[test]
    fn memory_changes_nothing_of_what_is_found() {
        let backup: Vec<(u128, u128)> = (0..5000).map(|n| (n, n)).collect();
        let live: Vec<(u128, u128)> =
            (10..5010).rev().map(|n| (n, if n % 7 == 0 { n + 9_999_999 } else { n })).collect();
        let whole = difference(&backup, &live, 1 << 20, 50);
        let changed = (10..5000).filter(|n| n % 7 == 0).count() as u64;
        assert_eq!(numbers(&whole), [10, changed, 10, 4990 - changed]);
        assert_eq!(whole.keys.len(), 50, "as many keys as asked for");
        for most_held in [1, 13, 999, 4999] {
            assert_eq!(difference(&backup, &live, most_held, 50), whole, "{most_held}");
        }
    }

    #[test]
    fn the_same_row_twice_is_no_row_once() {
        let twice = [(1, 10), (1, 10), (2, 20)];
        assert_eq!(numbers(&difference(&twice, &[(1, 10), (2, 20)], 100, 9)), [1, 0, 0, 2]);
        assert_eq!(numbers(&difference(&[(1, 10), (2, 20)], &twice, 0, 9)), [0, 0, 1, 2]);
        // One key with two contents: one of them is the live row.
        let odd = [(1, 11), (1, 10)];
        assert_eq!(numbers(&difference(&odd, &[(1, 10)], 100, 9)), [1, 0, 0, 1]);
        assert_eq!(numbers(&difference(&odd, &[(1, 12)], 100, 9)), [1, 1, 0, 0]);
        assert_eq!(numbers(&difference(&[], &[], 0, 9)), [0, 0, 0, 0]);
    }
}
