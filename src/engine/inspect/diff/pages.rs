//! The findings of a comparison, one JSON line each, in the job's folder; read back a page at a time.

use crate::api::Part;
use crate::api::answer::comparison::PageOf;
use crate::error::{Code, Error, IoContext, Result};
use crate::job::JobId;
use crate::job::folder::JobFolder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Entries of a page when the request does not say.
pub const USUAL: u64 = 100;
/// Most entries of a page.
pub const MOST: u64 = 1000;
/// A page ends early when it has this many bytes, so that an answer stays small whatever the paths are.
const PAGE_BYTES: usize = 2 << 20;

fn file_name(part: Part) -> &'static str {
    match part {
        Part::Files => "diff_files.jsonl",
        Part::Tables => "diff_tables.jsonl",
        Part::Config => "diff_config.jsonl",
        Part::Rows => "diff_rows.jsonl",
    }
}

/// Takes entries down.
pub struct Pages<E> {
    file: BufWriter<File>,
    name: String,
    count: u64,
    first: Vec<E>,
    first_bytes: usize,
    limit: u64,
}

impl<E: Serialize> Pages<E> {
    /// Begins a part in a job's folder; the first `limit` entries are also kept for the answer.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn create(folder: &JobFolder, part: Part, limit: u64) -> Result<Pages<E>> {
        let path = folder.join(file_name(part));
        let name = path.display().to_string();
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = BufWriter::with_capacity(64 << 10, file.doing(|| format!("create {name}"))?);
        Ok(Pages { file, name, count: 0, first: Vec::new(), first_bytes: 0, limit: limit.min(MOST) })
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn push(&mut self, entry: E) -> Result<()> {
        let mut line = serde_json::to_vec(&entry)
            .map_err(|error| Error::new(Code::Internal, format!("an entry of {} is not JSON: {error}", self.name)))?;
        line.push(b'\n');
        self.file.write_all(&line).doing(|| format!("write {}", self.name))?;
        // The first page has no holes: once an entry did not fit, no later one is added.
        if self.first.len() as u64 == self.count && self.count < self.limit && self.first_bytes < PAGE_BYTES {
            self.first_bytes += line.len();
            self.first.push(entry);
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the part: how many entries there are, and the first of them.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn finish(mut self) -> Result<(u64, Vec<E>)> {
        self.file.flush().doing(|| format!("write {}", self.name))?;
        Ok((self.count, self.first))
    }
}

/// One page of a finished comparison. Memory: the page and one line.
///
/// # Errors
/// `bad_request` when the job compared nothing of the kind, `io_failed`.
pub fn page<E: DeserializeOwned>(
    folder: &JobFolder,
    job: &JobId,
    part: Part,
    offset: u64,
    limit: Option<u64>,
) -> Result<PageOf<E>> {
    let path = folder.join(file_name(part));
    let name = path.display().to_string();
    let file = File::open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Code::BadRequest, "the job compared nothing of this part")
            .hint("Ask for a part that the comparison was made of: files, tables or config; or rows, where it was asked for `rows`."),
        _ => Error::io(format_args!("open {name}"), &error),
    })?;
    let limit = limit.unwrap_or(USUAL).min(MOST);
    let mut lines = BufReader::with_capacity(64 << 10, file);
    let (mut entries, mut bytes, mut total) = (Vec::new(), 0, 0);
    let mut line = Vec::new();
    loop {
        let wanted = total >= offset && (entries.len() as u64) < limit && bytes < PAGE_BYTES;
        let read = if wanted {
            line.clear();
            lines.read_until(b'\n', &mut line).doing(|| format!("read {name}"))?
        } else {
            lines.skip_until(b'\n').doing(|| format!("read {name}"))?
        };
        if read == 0 {
            break;
        }
        total += 1;
        if wanted {
            bytes += read;
            entries.push(
                serde_json::from_slice(&line)
                    .map_err(|error| Error::new(Code::IoFailed, format!("{name} is damaged: {error}")))?,
            );
        }
    }
    let after = offset.saturating_add(entries.len() as u64);
    let next = (after < total && !entries.is_empty()).then_some(after);
    Ok(PageOf { offset, total, next, entries, job: job.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::folder::file;
    use serde_json::{Value, json};

    struct Setting {
        _folder: tempfile::TempDir,
        folder: JobFolder,
        job: JobId,
    }

    impl Setting {
        fn new() -> Setting {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file::TICKET), "{}").unwrap();
            let job = JobFolder::at(folder.path()).unwrap();
            Setting { _folder: folder, folder: job, job: JobId::new().unwrap() }
        }

        fn page(&self, part: Part, offset: u64, limit: Option<u64>) -> Result<PageOf<Value>> {
            page(&self.folder, &self.job, part, offset, limit)
        }
    }

    #[test]
    fn every_entry_of_thousands_comes_on_one_page_and_only_one() {
        let setting = Setting::new();
        let mut pages = Pages::create(&setting.folder, Part::Files, USUAL).unwrap();
        for n in 0..4321 {
            pages.push(json!({"path": format!("Tệp số {n}\n"), "n": n})).unwrap();
        }
        let (count, first) = pages.finish().unwrap();
        assert_eq!((count, first.len()), (4321, 100));
        let (mut seen, mut offset) = (Vec::new(), Some(0));
        while let Some(at) = offset {
            let found = setting.page(Part::Files, at, Some(1000)).unwrap();
            assert_eq!((found.total, found.offset), (4321, at));
            seen.extend(found.entries.iter().map(|entry| entry["n"].as_u64().unwrap()));
            offset = found.next;
        }
        assert_eq!(seen, (0..4321).collect::<Vec<u64>>());
        let usual = setting.page(Part::Files, 4300, None).unwrap();
        assert_eq!((usual.entries.len(), usual.next), (21, None));
        let behind = setting.page(Part::Files, u64::MAX, Some(u64::MAX)).unwrap();
        assert_eq!((behind.entries.len(), behind.next), (0, None));
        assert_eq!(setting.page(Part::Tables, 0, None).unwrap_err().code, Code::BadRequest);
    }

    #[test]
    fn a_page_of_long_entries_ends_early_and_says_where_to_go_on() {
        let setting = Setting::new();
        let mut pages = Pages::create(&setting.folder, Part::Config, 1000).unwrap();
        for n in 0..200 {
            pages.push(json!({"n": n, "text": "x".repeat(50_000)})).unwrap();
        }
        let (_, first) = pages.finish().unwrap();
        let found = setting.page(Part::Config, 0, Some(1000)).unwrap();
        let shown = found.entries.len();
        assert!(shown < 60 && first.len() == shown, "{shown}");
        assert_eq!(found.next, Some(shown as u64));
    }
}
