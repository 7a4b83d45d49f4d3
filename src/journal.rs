//! The journal of a job: each change is written to it and fsynced before the change is made.
//!
//! One record a line: `SEQUENCE CRC32 JSON\n`, the checksum (8 hex digits) over sequence and JSON. A last line that is
//! cut or damaged was never acted upon and is ignored; damage anywhere else is `journal_corrupt`. So is a whole record that this
//! version does not know: a newer version acted upon it. docs/format.md has the records.
//!
//! Recovery relies on the order of fsyncs:
//! 1. The journal's name is on disk before its first record. Else a power cut could leave a changed site and no journal.
//! 2. A record is on disk before [`Journal::append`] returns, and the caller acts only then. So every change was announced.
//! 3. The changes of a step are on disk before its `done` is appended. So `done` never promises more than the disk holds.
//!
//! The other order would be worse than no journal: recovery does not undo a change that no record announced.

use crate::disk::sync_parent;
use crate::error::{Code, Error, IoContext, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Version of the records. The first record names it as `format`; one that names none is of version 1.
pub const FORMAT: u32 = 1;

/// An open journal, appended to by the one worker that holds the domain's lock.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    next: u64,
    /// Bytes of the records that are on disk.
    length: u64,
}

impl Journal {
    /// Creates the journal of a new job and makes its name durable.
    ///
    /// # Errors
    /// `io_failed` or `disk_full`; also when the journal already exists.
    pub fn create(path: &Path) -> Result<Journal> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .doing(|| format!("create the journal {}", path.display()))?;
        sync_parent(path)?;
        Ok(Journal { file, path: path.to_owned(), next: 0, length: 0 })
    }

    /// Opens an existing journal to go on with it, and gives its records. A torn last line is cut off.
    ///
    /// # Errors
    /// `journal_corrupt`, `io_failed`.
    pub fn open<T: DeserializeOwned>(path: &Path) -> Result<(Journal, Vec<T>)> {
        let (records, good_bytes) = parse(path)?;
        let file =
            OpenOptions::new().append(true).open(path).doing(|| format!("open the journal {}", path.display()))?;
        let length = file.metadata().doing(|| format!("read the size of {}", path.display()))?.len();
        // Before the first append: the torn bytes would stand between two records, and be taken for damage. Not synced here: the
        // next append syncs the length, and until then a second cut finds the same torn end.
        if length > good_bytes {
            file.set_len(good_bytes).doing(|| format!("cut the torn end of {}", path.display()))?;
        }
        Ok((Journal { file, path: path.to_owned(), next: records.len() as u64, length: good_bytes }, records))
    }

    /// Reads the records without opening the journal for writing. For tests: every other reader also appends to it.
    ///
    /// # Errors
    /// `journal_corrupt`, `io_failed`.
    #[cfg(any(test, feature = "test-support"))]
    pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
        Ok(parse(path)?.0)
    }

    /// Appends a record and returns once it is on disk. A record that would not read back is refused, because its step could
    /// not be undone. A failed fsync is never tried again: the kernel may have dropped the page, and a second call would
    /// answer with a success that means nothing.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`. Nothing may be changed then.
    pub fn append<T: Serialize + DeserializeOwned>(&mut self, record: &T) -> Result<()> {
        let line = render(self.next, record)?;
        let reads_back = |json| serde_json::from_str::<T>(json).is_ok();
        if !unframe(self.next, line.trim_ascii_end()).is_some_and(reads_back) {
            return Err(Error::new(Code::Internal, format!("record {} of the journal would not read back", self.next)));
        }
        // fdatasync writes the file's new length too: without it the record could not be read. It leaves out the times, and nothing
        // here needs them.
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            // The bytes that arrived would stand between this record and the next one, as damage.
            let _ = self.file.set_len(self.length);
            return Err(Error::io(format!("write the journal {}", self.path.display()), &error));
        }
        self.next += 1;
        self.length += line.len() as u64;
        Ok(())
    }
}

fn render<T: Serialize>(sequence: u64, record: &T) -> Result<Vec<u8>> {
    let json = serde_json::to_string(record)
        .map_err(|error| Error::new(Code::Internal, format!("a journal record cannot be written as JSON: {error}")))?;
    let crc = checksum(sequence, json.as_bytes());
    Ok(format!("{sequence} {crc:08x} {json}\n").into_bytes())
}

fn checksum(sequence: u64, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&sequence.to_le_bytes());
    hasher.update(json);
    hasher.finalize()
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<(Vec<T>, u64)> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .doing(|| format!("read the journal {}", path.display()))?;
    let mut records = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map(|length| at + length);
        let json = end.and_then(|end| unframe(records.len() as u64, &bytes[at..end]));
        match (json, end) {
            (Some(json), Some(end)) => {
                if records.is_empty() {
                    require_known_format(path, json)?;
                }
                records.push(serde_json::from_str(json).map_err(|_| unknown_record(path, records.len()))?);
                at = end + 1;
            }
            // Only the very last line can be torn: each one is on disk before the next is begun.
            (None, None) => break,
            (None, Some(end)) if end + 1 == bytes.len() && !hides_a_record(records.len(), &bytes[at..end]) => break,
            _ => {
                return Err(Error::new(
                    Code::JournalCorrupt,
                    format!("{} is damaged in record {}, before its end", path.display(), records.len()),
                )
                .with("path", path.display().to_string())
                .with("record", records.len()));
            }
        }
    }
    Ok((records, at as u64))
}

/// The JSON of a line whose sequence number and checksum are right.
fn unframe(expected: u64, line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?;
    let (sequence, rest) = text.split_once(' ')?;
    let (crc, json) = rest.split_once(' ')?;
    let sequence: u64 = sequence.parse().ok()?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (sequence == expected && crc == checksum(sequence, json.as_bytes())).then_some(json)
}

/// Whether a whole record ends this damaged line: then the line break before that record was damaged, and nothing is torn.
fn hides_a_record(damaged: usize, line: &[u8]) -> bool {
    let next = damaged as u64 + 1;
    memchr::memmem::find_iter(line, &format!("{next} ")).any(|at| unframe(next, &line[at..]).is_some())
}

fn require_known_format(path: &Path, first: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct First {
        format: u32,
    }
    match serde_json::from_str::<First>(first) {
        Ok(First { format }) if format > FORMAT => Err(newer(path, &format!("its format is {format}, not {FORMAT}"))),
        _ => Ok(()),
    }
}

/// A torn record fails its checksum. This one was written whole, so somebody has acted upon it.
fn unknown_record(path: &Path, number: usize) -> Error {
    newer(path, &format!("its record {number} is whole and of no known kind")).with("record", number)
}

fn newer(path: &Path, why: &str) -> Error {
    Error::new(Code::JournalCorrupt, format!("{} was written by another version: {why}", path.display()))
        .hint("Nothing was touched. Install the version that began the job, then run `rocketvps-restore recover`.")
        .with("path", path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(count: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        for number in 0..count {
            journal.append(&format!("record {number}")).unwrap();
        }
        (folder, path)
    }

    #[test]
    fn records_come_back_in_order_and_go_on_after_a_reopen() {
        let (_folder, path) = written(3);
        let (mut journal, records) = Journal::open::<String>(&path).unwrap();
        assert_eq!(records.len(), 3);
        journal.append(&"record 3".to_owned()).unwrap();
        assert_eq!(Journal::read::<String>(&path).unwrap()[3], "record 3");
    }

    #[test]
    fn a_torn_last_record_is_ignored_wherever_it_is_cut() {
        let (_folder, path) = written(3);
        let whole = std::fs::read(&path).unwrap();
        let second_end = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
        for cut in second_end..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, records) = Journal::open::<String>(&path).unwrap();
            assert_eq!(records.len(), 2, "cut at {cut}");
            journal.append(&"again".to_owned()).unwrap();
            assert_eq!(Journal::read::<String>(&path).unwrap()[2], "again");
        }
    }

    #[test]
    fn a_flipped_bit_before_the_last_record_is_corruption() {
        let (_folder, path) = written(3);
        let whole = std::fs::read(&path).unwrap();
        let last_break = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        for at in 0..=last_break {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let result = Journal::read::<String>(&path);
            assert_eq!(result.unwrap_err().code, Code::JournalCorrupt, "bit flipped at {at}");
        }
    }

    #[test]
    fn a_record_that_would_not_read_back_is_refused_before_it_is_written() {
        #[derive(Serialize, serde::Deserialize)]
        #[serde(tag = "kind")]
        enum Wide {
            Number { value: i128 },
        }
        let (_folder, path) = written(1);
        let (mut journal, _) = Journal::open::<String>(&path).unwrap();
        let record = Wide::Number { value: i128::from(i64::MAX) };
        assert_eq!(journal.append(&record).unwrap_err().code, Code::Internal);
        assert_eq!(Journal::read::<String>(&path).unwrap().len(), 1);
    }

    #[test]
    fn what_another_version_wrote_is_refused_and_left_as_it_is() {
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(tag = "record", rename_all = "snake_case")]
        enum Known {
            Staging {
                #[serde(default)]
                format: u32,
            },
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let seal = |records: &[&str]| {
            let sealed = |(number, json): (usize, &&str)| {
                format!("{number} {:08x} {json}\n", checksum(number as u64, json.as_bytes()))
            };
            std::fs::write(&path, records.iter().enumerate().map(sealed).collect::<String>()).unwrap();
            std::fs::read(&path).unwrap()
        };
        seal(&[r#"{"record":"staging"}"#]);
        assert_eq!(Journal::read::<Known>(&path).unwrap().len(), 1, "before formats were named");
        let staging = r#"{"record":"staging","format":1}"#;
        for records in [&[r#"{"record":"staging","format":2}"#][..], &[staging, r#"{"record":"unheard_of"}"#]] {
            let bytes = seal(records);
            let error = Journal::open::<Known>(&path).unwrap_err();
            assert_eq!(error.code, Code::JournalCorrupt, "{records:?}");
            assert!(error.message.contains("another version"), "{}", error.message);
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "{records:?}");
        }
    }

    #[test]
    fn a_journal_is_never_overwritten() {
        let (_folder, path) = written(1);
        assert!(Journal::create(&path).is_err());
    }
}
