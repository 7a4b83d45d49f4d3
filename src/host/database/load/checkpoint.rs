//! Which tables of a dump are loaded whole, written down while it is loaded, so that a load that was cut short can go on.
//!
//! One JSON document a line: a table that is committed to its last row, or one that is no longer to be relied upon. A line that
//! was cut ends the list. Only tables of engines with transactions are noted.

use crate::error::{Error, IoContext, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A table that is in the shadow schema to its last row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// Name.
    pub table: String,
    /// Rows the dump holds.
    pub held: u64,
    /// Rows the server took.
    pub rows: u64,
    /// Bytes of dump.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Whole(Whole),
    Not(String),
}

/// The list, and what of it an earlier load left.
#[derive(Debug)]
pub struct Checkpoint {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Of an earlier load, and not taken back since.
    earlier: HashMap<String, Whole>,
}

impl Checkpoint {
    /// Goes on with the list at `path`, or begins it. What is not among the `present` tables is not on it any more.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn open(path: &Path, present: &[String]) -> Result<Checkpoint> {
        let act = || format!("open {}", path.display());
        let mut earlier = read(&std::fs::read_to_string(path).unwrap_or_default());
        earlier.retain(|name, _| present.contains(name));
        // Written anew without a line that was cut.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).doing(act)?;
        for whole in earlier.values() {
            file.write_all(&line(&Line::Whole(whole.clone()))?).doing(act)?;
        }
        Ok(Checkpoint { inner: Mutex::new(Inner { file, earlier }) })
    }

    /// A table as an earlier load left it, unless it was taken back since.
    pub fn earlier(&self, table: &str) -> Option<Whole> {
        self.inner().earlier.get(table).cloned()
    }

    /// Notes a table. One that could not be noted is loaded again: no harm.
    pub fn whole(&self, whole: Whole) {
        let _ = self.put(&Line::Whole(whole));
    }

    /// Takes a table back, before anything is done to it that a second load must not meet.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn not(&self, table: &str) -> Result<()> {
        self.inner().earlier.remove(table);
        self.put(&Line::Not(table.to_owned()))
    }

    fn put(&self, what: &Line) -> Result<()> {
        self.inner().file.write_all(&line(what)?).doing(|| "write the list of loaded tables".into())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(what: &Line) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(what).map_err(|error| {
        Error::new(crate::error::Code::Internal, format!("a loaded table cannot be noted: {error}"))
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn read(text: &str) -> HashMap<String, Whole> {
    let mut known = HashMap::new();
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n').and_then(|line| serde_json::from_str(line).ok()) {
            Some(Line::Whole(whole)) => {
                known.insert(whole.table.clone(), whole);
            }
            Some(Line::Not(table)) => {
                known.remove(&table);
            }
            None => break,
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_and_not_taken_back_is_there_after_a_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables");
        let whole = |name: &str| Whole { table: name.into(), held: 3, rows: 2, bytes: 40 };
        let present: Vec<String> = ["a", "b \"2\"\n", "c", "d"].map(String::from).to_vec();
        let open = || Checkpoint::open(&path, &present).unwrap();
        let known = |list: &Checkpoint| present.iter().filter_map(|name| list.earlier(name)).collect::<Vec<_>>();
        let first = open();
        assert!(known(&first).is_empty());
        for name in ["a", "b \"2\"\n", "c"] {
            first.whole(whole(name));
        }
        first.not("a").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let second = open();
        assert_eq!(known(&second).len(), 2);
        assert_eq!(second.earlier("b \"2\"\n"), Some(whole("b \"2\"\n")));
        second.not("c").unwrap();
        assert_eq!(second.earlier("c"), None, "taken back");
        // Cut anywhere, it holds fewer tables, and never a wrong one; what is added then is not lost.
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let cut_short = open();
            assert!(known(&cut_short).iter().all(|found| *found == whole(&found.table)), "cut at {cut}");
            cut_short.whole(whole("d"));
            assert!(open().earlier("d").is_some(), "cut at {cut}");
        }
        assert!(known(&Checkpoint::open(&path, &[]).unwrap()).is_empty(), "tables that are gone");
    }
}
