//! The drills of a domain, a line each in `restore_drills/DOMAIN.jsonl`, oldest first.

use crate::api::answer::drills::Drill;
use crate::config::Config;
use crate::disk::{self, Durable};
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Drills that are kept of a domain: those of a year of nights.
pub const KEPT: usize = 400;
/// The newest drill stands within so many bytes of a file's end.
const END: u64 = 64 << 10;

/// The right to run drills. One run at a time has it.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "the lock goes with the open file")] File);

/// Takes the right to run drills.
///
/// # Errors
/// `busy` while another run has it; `disk_full`, `forbidden`, `io_failed`.
pub fn take_turn(config: &Config) -> Result<Turn> {
    let folder = config.paths.drills();
    disk::private_folder(&folder)?;
    let path = folder.join("lock");
    let file = disk::open_lock(&path)?;
    if disk::try_lock(&file, &path)? {
        return Ok(Turn(file));
    }
    Err(Error::new(Code::Busy, "other drills are running")
        .hint("`rocketvps-restore jobs` shows what is at work. Wait for its end."))
}

/// Adds a drill to those of its domain. Who holds the turn is the only writer. What is there is kept as it is, also what only a newer
/// version understands.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`; what is there stays then.
pub fn add(_turn: &Turn, config: &Config, drill: &Drill) -> Result<()> {
    let path = path(config, &drill.domain);
    let mut text = read(&path, 0)?;
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    let line = serde_json::to_string(drill).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    text.extend_from_slice(format!("{line}\n").as_bytes());
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let kept = lines[lines.len().saturating_sub(KEPT)..].concat();
    disk::write_file(&path, &kept, Durable::Whole)
}

/// The drills of a domain, oldest first; none where the file is not there. A line that is no drill is passed over.
///
/// # Errors
/// `forbidden`, `io_failed`.
pub fn of(config: &Config, domain: &Domain) -> Result<Vec<Drill>> {
    let text = read(&path(config, domain), 0)?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// The newest drill of a domain.
///
/// # Errors
/// As [`of`].
pub fn last(config: &Config, domain: &Domain) -> Result<Option<Drill>> {
    let text = read(&path(config, domain), END)?;
    Ok(text.split(|byte| *byte == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok()))
}

/// A file whole, or, where `end` says how much, its last bytes; nothing where it is not there.
fn read(path: &Path, end: u64) -> Result<Vec<u8>> {
    let failed = |error: &std::io::Error| Error::io(format!("read {}", path.display()), error);
    let mut file = match disk::open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut text = Vec::new();
    let size = file.metadata().map_err(|error| failed(&error))?.len();
    if end > 0 && size > end {
        file.seek(SeekFrom::End(-(end as i64))).map_err(|error| failed(&error))?;
    }
    file.read_to_end(&mut text).map_err(|error| failed(&error))?;
    Ok(text)
}

/// The newest drill of each domain, by name.
///
/// # Errors
/// `forbidden`, `io_failed` where the folder cannot be read.
pub fn newest(config: &Config) -> Result<Vec<Drill>> {
    let folder = config.paths.drills();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(format!("read {}", folder.display()), &error)),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut domains: Vec<Domain> = names.filter_map(|name| Domain::parse(name.strip_suffix(".jsonl")?).ok()).collect();
    domains.sort();
    Ok(domains.iter().filter_map(|domain| last(config, domain).ok().flatten()).collect())
}

fn path(config: &Config, domain: &Domain) -> PathBuf {
    config.paths.drills().join(format!("{domain}.jsonl"))
}
