//! The folder of a job: its ticket, status and report. Files have mode 0600, the folder 0700.

use crate::config::Config;
use crate::disk::{Durable, is_locked, private_folder, sync, sync_parent, write_file};
use crate::error::{Code, Error, IoContext, Result};
use crate::job::JobId;
use crate::job::status::Status;
use crate::job::ticket::{self, Ticket};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Names of the files in a job's folder.
pub mod file {
    /// The ticket: the request and the config.
    pub const TICKET: &str = "job.json";
    /// How far the job is; rewritten while it works.
    pub const STATUS: &str = "status.json";
    /// The events, a line each.
    pub const EVENTS: &str = "events.jsonl";
    /// The backup, as its files were when the job began.
    pub const SOURCE: &str = "source.json";
    /// The plan, with every name that is used.
    pub const PLAN: &str = "plan.json";
    /// Checks before anything was made.
    pub const PREFLIGHT: &str = "preflight.json";
    /// The immutable paths of the live tree, where there are any.
    pub const IMMUTABLE: &str = "immutable.json";
    /// Checks of the staged state.
    pub const STAGED: &str = "staged.json";
    /// The steps that were begun and done: see [`crate::journal`].
    pub const JOURNAL: &str = "journal";
    /// What became of the hooks that were run.
    pub const HOOKS: &str = "hooks.json";
    /// How often each hook of `committed` was begun.
    pub const HOOKS_BEGUN: &str = "hooks-begun.json";
    /// How it ended.
    pub const REPORT: &str = "report.json";
    /// Stands there when somebody asked the job to stop.
    pub const CANCEL: &str = "cancel";
    /// Locked by the worker as long as it lives.
    pub const ALIVE: &str = "alive";
}

/// Holds the room for report and last status.
const RESERVE: &str = "reserve";
const RESERVED: usize = 64 << 10;

/// A job's folder.
#[derive(Debug, Clone)]
pub struct JobFolder {
    path: PathBuf,
}

impl JobFolder {
    /// Makes the folder of a new job and writes its ticket. The worker makes it durable before it acts.
    ///
    /// # Errors
    /// `forbidden`, `disk_full`, `io_failed`.
    pub fn create(ticket: &Ticket) -> Result<JobFolder> {
        let folder = JobFolder { path: ticket.config.paths.jobs().join(ticket.job.as_str()) };
        private_folder(&folder.path)?;
        folder.write_volatile(file::TICKET, ticket)?;
        Ok(folder)
    }

    /// Makes the ticket and its name outlive a power cut. The caller that wrote it did not wait for the disk.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn persist(&self) -> Result<()> {
        let ticket = self.join(file::TICKET);
        sync(&ticket)?;
        sync_parent(&ticket)?;
        sync_parent(&self.path)
    }

    /// Whether the job's report has been written. A moment later the status is final too.
    pub fn has_report(&self) -> bool {
        self.join(file::REPORT).exists()
    }

    /// Whether nobody holds the lock that a worker keeps as long as it lives.
    pub fn has_no_worker(&self) -> bool {
        !is_locked(&self.join(file::ALIVE))
    }

    /// The folder of an existing job.
    ///
    /// # Errors
    /// `job_not_found`.
    pub fn open(config: &Config, job: &JobId) -> Result<JobFolder> {
        JobFolder::at(&config.paths.jobs().join(job.as_str()))
    }

    /// The folder at a path.
    ///
    /// # Errors
    /// `job_not_found` when it holds no job.
    pub fn at(path: &Path) -> Result<JobFolder> {
        if !path.join(file::TICKET).is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Err(Error::new(Code::JobNotFound, format!("there is no job {name}")).with("job", name.as_ref()));
        }
        Ok(JobFolder { path: path.to_owned() })
    }

    /// Every job, newest first.
    pub fn all(config: &Config) -> Vec<JobFolder> {
        let Ok(entries) = std::fs::read_dir(config.paths.jobs()) else { return Vec::new() };
        let mut ids: Vec<JobId> =
            entries.flatten().filter_map(|entry| JobId::parse(entry.file_name().to_str()?).ok()).collect();
        ids.sort_unstable();
        ids.iter().rev().filter_map(|id| JobFolder::open(config, id).ok()).collect()
    }

    /// When the job began, as its name has it in local time.
    pub fn begun(&self) -> Option<jiff::Timestamp> {
        let name = self.path.file_name()?.to_str()?.get(..15)?;
        let local = jiff::civil::DateTime::strptime("%Y%m%d_%H%M%S", name).ok()?;
        crate::clock::zone().to_timestamp(local).ok()
    }

    /// A file in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ticket of the job.
    ///
    /// # Errors
    /// `io_failed` when it cannot be read, `abi_mismatch` when a newer version wrote it.
    pub fn ticket(&self) -> Result<Ticket> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        // The version is read by itself first: a file of a newer version may have fields that the ticket refuses.
        let Version { schema } = self.read(file::TICKET)?;
        if schema > ticket::SCHEMA {
            let path = self.join(file::TICKET).display().to_string();
            let message =
                format!("{path} was written by a newer version: its schema is {schema}, not {}", ticket::SCHEMA);
            return Err(Error::new(Code::AbiMismatch, message)
                .hint("Install the version that began the job, then run `rocketvps-restore recover`.")
                .with("path", path));
        }
        self.read(file::TICKET)
    }

    /// How the job stands.
    ///
    /// # Errors
    /// `io_failed` when it cannot be read.
    pub fn status(&self) -> Result<Status> {
        self.read(file::STATUS)
    }

    /// Reads a JSON file of the folder.
    ///
    /// # Errors
    /// `io_failed` naming the file.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.join(name);
        let bytes = std::fs::read(&path).doing(|| format!("read {}", path.display()))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(Code::IoFailed, format!("{} is damaged: {error}", path.display())))
    }

    /// Writes a JSON file: tmp, fsync, rename.
    ///
    /// # Errors
    /// `disk_full`, `io_failed`.
    pub fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        self.replace(name, value, Durable::Whole)
    }

    /// Writes a JSON file that may be lost in a power cut: tmp, rename.
    ///
    /// # Errors
    /// `disk_full`, `io_failed`.
    pub fn write_volatile<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        self.replace(name, value, Durable::Nothing)
    }

    /// Reserves room for the report and the last status, so that they can be written even if the disk fills up meanwhile.
    pub fn reserve(&self) {
        let _ = write_file(&self.join(RESERVE), &[0; RESERVED], Durable::Nothing);
    }

    /// Gives that room back, for the files that are written next.
    pub fn release(&self) {
        let _ = std::fs::remove_file(self.join(RESERVE));
    }

    fn replace<T: Serialize>(&self, name: &str, value: &T, durable: Durable) -> Result<()> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Error::new(Code::Internal, format!("{name} cannot be written as JSON: {error}")))?;
        write_file(&self.join(name), &bytes, durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::try_lock_file;

    #[test]
    fn whether_a_worker_lives_is_a_question_that_leaves_nothing_behind() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join(file::TICKET), "{}").unwrap();
        let folder = JobFolder::at(base.path()).unwrap();
        assert!(folder.has_no_worker());
        assert!(!folder.join(file::ALIVE).exists(), "the question made the file");
        let worker = try_lock_file(&folder.join(file::ALIVE)).unwrap();
        assert!(worker.is_some() && !folder.has_no_worker());
        drop(worker);
        assert!(folder.has_no_worker());
    }
}
