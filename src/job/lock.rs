//! The lock of a domain is a `flock` on a file that also names the job holding it, and its epoch. An fcntl lock would vanish with
//! any close of the file.
//!
//! `JOB EPOCH`: the epoch is another one each time a worker takes the job up. A worker whose lock names another epoch, or whose
//! lock file was replaced, has been taken for dead: see [`Fence`].

use crate::config::Config;
use crate::disk::{private_folder, sync_parent, try_lock_file, unlock};
use crate::error::{IoContext, Result};
use crate::job::JobId;
use crate::path::Domain;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// The lock of a domain. It is handed to the worker as an open file, so there is no moment without a holder.
#[derive(Debug)]
pub struct DomainLock {
    file: File,
    path: PathBuf,
}

impl DomainLock {
    /// Takes the lock, or gives `None` when another process has it.
    ///
    /// # Errors
    /// `io_failed`, `forbidden`.
    pub fn try_take(config: &Config, domain: &Domain) -> Result<Option<DomainLock>> {
        let path = folder(config)?.join(domain.as_str());
        Ok(try_lock_file(&path)?.map(|file| DomainLock { file, path }))
    }

    /// Takes over a lock that came from the calling process.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn adopt(config: &Config, domain: &Domain, handed: OwnedFd) -> Result<DomainLock> {
        Ok(DomainLock { file: handed.into(), path: folder(config)?.join(domain.as_str()) })
    }

    /// The job written in the lock: while the lock is ours and this is set, that job has not been finished.
    pub fn holder(&mut self) -> Option<JobId> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0)).ok()?;
        self.file.read_to_string(&mut text).ok()?;
        job_in(&text)
    }

    /// Writes the job into the lock, in a new epoch. From now on the job has to be finished or undone: if its worker dies, the next
    /// process that reads the lock does that.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn claim(&mut self, job: &JobId) -> Result<()> {
        let act = || format!("write {}", self.path.display());
        let text = format!("{job} {}", crate::random::hex(4)?);
        // The text replaces one of the same length in place, so that the lock names a job at every moment.
        self.file.write_all_at(text.as_bytes(), 0).doing(act)?;
        self.file.set_len(text.len() as u64).doing(act)
    }

    /// Makes the claim outlive a power cut; a worker does so before it stages anything.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn persist(&self) -> Result<()> {
        self.file.sync_all().doing(|| format!("fsync {}", self.path.display()))?;
        sync_parent(&self.path)
    }

    /// Empties the lock, and frees it: the job in it is finished.
    ///
    /// # Errors
    /// `io_failed`; the lock is free then too.
    pub fn finish(self) -> Result<()> {
        let act = || format!("empty {}", self.path.display());
        let emptied = self.file.set_len(0).and_then(|()| self.file.sync_all()).doing(act);
        self.free();
        emptied
    }

    /// Frees the lock and leaves the job in it. A process that only waits for us, as the one that started a scope of systemd, may have a
    /// second descriptor of it.
    pub fn free(self) {
        unlock(&self.file);
    }

    /// A second descriptor of the same lock, to be handed to a worker.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn share(&self) -> Result<OwnedFd> {
        Ok(self.file.try_clone().doing(|| format!("share {}", self.path.display()))?.into())
    }
}

/// The job that the lock of a domain names, held or not.
pub fn named(config: &Config, domain: &Domain) -> Option<JobId> {
    job_in(&std::fs::read_to_string(path_of(config, domain)).ok()?)
}

fn job_in(text: &str) -> Option<JobId> {
    JobId::parse(text.split_whitespace().next()?).ok()
}

fn path_of(config: &Config, domain: &Domain) -> PathBuf {
    config.paths.jobs().join(".locks").join(domain.as_str())
}

/// The check that a worker makes before it changes anything: whether the domain's lock is still the one it began with. The lock
/// is another one if somebody took the worker for dead and recovered its job.
#[derive(Debug, Clone)]
pub struct Fence {
    path: PathBuf,
    text: Vec<u8>,
}

impl Fence {
    /// The lock as it stands.
    pub fn of(config: &Config, domain: &Domain) -> Fence {
        let path = path_of(config, domain);
        Fence { text: std::fs::read(&path).unwrap_or_default(), path }
    }

    /// Whether the lock still says the same. A lock that cannot be read at the moment counts as unchanged.
    pub fn stands(&self) -> bool {
        match std::fs::read(&self.path) {
            Ok(text) => text == self.text,
            Err(error) => error.kind() != std::io::ErrorKind::NotFound || self.text.is_empty(),
        }
    }
}

/// The domains whose lock names a job, held or not.
pub fn claimed(config: &Config) -> Vec<Domain> {
    let Ok(entries) = std::fs::read_dir(config.paths.jobs().join(".locks")) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.len() > 0))
        .filter_map(|entry| Domain::parse(entry.file_name().to_str()?).ok())
        .collect()
}

fn folder(config: &Config) -> Result<PathBuf> {
    let folder = config.paths.jobs().join(".locks");
    private_folder(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, Config, Domain, JobId) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = folder.path().to_owned();
        let domain = Domain::parse("example.com").unwrap();
        let job = JobId::new().unwrap();
        (folder, config, domain, job)
    }

    #[test]
    fn one_holder_a_domain_and_the_name_outlives_the_holder() {
        let (_folder, config, domain, job) = world();
        let mut lock = DomainLock::try_take(&config, &domain).unwrap().unwrap();
        assert_eq!(lock.holder(), None);
        lock.claim(&job).unwrap();
        assert!(DomainLock::try_take(&config, &domain).unwrap().is_none(), "a second holder");
        assert_eq!(claimed(&config), vec![domain.clone()]);

        let handed = lock.share().unwrap();
        drop(lock);
        assert!(DomainLock::try_take(&config, &domain).unwrap().is_none(), "the worker's descriptor holds it");
        drop(handed);
        let mut again = DomainLock::try_take(&config, &domain).unwrap().unwrap();
        assert_eq!(again.holder(), Some(job.clone()), "a dead holder stays named");
        let waiting = again.share().unwrap();
        again.free();
        let mut freed = DomainLock::try_take(&config, &domain).unwrap().expect("one who waits for the worker holds it");
        assert_eq!(freed.holder(), Some(job));
        let waiting = (waiting, freed.share().unwrap());
        freed.finish().unwrap();
        assert_eq!(claimed(&config), vec![]);
        assert!(DomainLock::try_take(&config, &domain).unwrap().is_some(), "one who waits for the worker holds it");
        drop(waiting);
    }

    #[test]
    fn a_fence_falls_when_the_job_is_taken_up_anew_or_the_lock_is_replaced() {
        let (_folder, config, domain, job) = world();
        let mut lock = DomainLock::try_take(&config, &domain).unwrap().unwrap();
        lock.claim(&job).unwrap();
        let first = Fence::of(&config, &domain);
        assert!(first.stands());
        lock.claim(&job).unwrap();
        assert_eq!(named(&config, &domain), Some(job.clone()));
        let second = Fence::of(&config, &domain);
        assert!(!first.stands() && second.stands());
        std::fs::remove_file(path_of(&config, &domain)).unwrap();
        assert!(!second.stands());
        DomainLock::try_take(&config, &domain).unwrap().unwrap().claim(&job).unwrap();
        assert!(!second.stands());
    }
}
