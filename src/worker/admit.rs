//! Whether a domain is free for a job that needs it for itself.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::job::ending::Report;
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::{self, DomainLock};
use crate::job::{JobId, Kind};
use crate::path::Domain;
use crate::worker::recovery;
use std::time::{Duration, Instant};

/// How long a short recovery of a dead worker's job is waited for.
const PATIENCE: Duration = Duration::from_millis(900);

/// Takes the domain's lock for a job of that kind; `None` when the kind needs none. If the domain's last worker died, this waits up to
/// a second for the recovery, so that a short recovery does not make the request fail.
///
/// # Errors
/// `busy` naming the job at work; the dead job's own error when its recovery could not bring the site to one side.
pub fn admit(config: &Config, domain: Option<&Domain>, kind: Kind) -> Result<Option<DomainLock>> {
    match domain.filter(|_| kind.is_exclusive()) {
        Some(domain) => take(config, domain).map(Some),
        None => Ok(None),
    }
}

fn take(config: &Config, domain: &Domain) -> Result<DomainLock> {
    let until = Instant::now() + PATIENCE;
    let mut recovery = None;
    loop {
        match DomainLock::try_take(config, domain)? {
            Some(mut lock) => {
                let Some(dead) = lock.holder() else { return Ok(lock) };
                drop(lock);
                match recovery {
                    None => recovery = recovery::start(config, domain, true)?,
                    Some(_) => return Err(stuck(config, domain, &dead)),
                }
            }
            None if recovery.is_none() && recovery::is_at_work(config, domain) => return Err(busy(config, domain)),
            None => {}
        }
        if Instant::now() > until {
            return Err(busy(config, domain));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A recovery came back without having reached either side.
fn stuck(config: &Config, domain: &Domain, dead: &JobId) -> Error {
    let report: Option<Report> = JobFolder::open(config, dead).and_then(|folder| folder.read(file::REPORT)).ok();
    match report.and_then(|report| report.error) {
        Some(error) => error.with("job", dead.as_str()),
        None => Error::new(Code::NeedsOperator, format!("job {dead} of {domain} could not be recovered"))
            .hint("Run `rocketvps-restore recover`, and do what it names.")
            .with("job", dead.as_str()),
    }
}

fn busy(config: &Config, domain: &Domain) -> Error {
    let job = lock::named(config, domain).map(String::from).unwrap_or_default();
    Error::new(Code::Busy, format!("job {job} is at work on {domain}"))
        .hint(format!("`rocketvps-restore attach {job}` shows it, `rocketvps-restore cancel {job}` stops it."))
        .with("job", job)
        .with("domain", domain.as_str())
}
