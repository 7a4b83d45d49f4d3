//! The drills of a domain, a line each in `restore_drills/DOMAIN.jsonl`, oldest first.

use crate::api::answer::drills::Drill;
use crate::config::Config;
use crate::disk::{self, Durable};
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::PathBuf;

/// Drills that are kept of a domain: those of a year of nights.
pub const KEPT: usize = 400;

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

/// Adds a drill to those of its domain. Who holds the turn is the only writer.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`.
pub fn add(_turn: &Turn, config: &Config, drill: &Drill) -> Result<()> {
    let mut all = of(config, &drill.domain);
    all.push(drill.clone());
    let text: Vec<String> = all.iter().skip(all.len().saturating_sub(KEPT)).filter_map(line).collect();
    disk::write_file(&path(config, &drill.domain), text.concat().as_bytes(), Durable::Whole)
}

/// The drills of a domain, oldest first; none where the file is not there. A line that is no drill is passed over.
pub fn of(config: &Config, domain: &Domain) -> Vec<Drill> {
    let Ok(file) = disk::open_regular(&path(config, domain)) else { return Vec::new() };
    let lines = BufReader::new(file).split(b'\n').map_while(std::io::Result::ok);
    lines.filter_map(|line| serde_json::from_slice(&line).ok()).collect()
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
    Ok(domains.iter().filter_map(|domain| of(config, domain).pop()).collect())
}

fn path(config: &Config, domain: &Domain) -> PathBuf {
    config.paths.drills().join(format!("{domain}.jsonl"))
}

fn line(drill: &Drill) -> Option<String> {
    serde_json::to_string(drill).ok().map(|line| line + "\n")
}
