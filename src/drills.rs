//! Drills: the newest backup of each domain is rehearsed, so that nobody learns on the night of a fault that it is of no use.

pub mod history;
pub mod metrics;

use crate::api::answer::drills::Drill;
use crate::api::answer::restore::Rehearsed;
use crate::backup;
use crate::clock;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::job::JobId;
use crate::path::Domain;
use crate::report::Outcome;
use std::path::{Path, PathBuf};

/// What a rehearsal came to, as a drill. `None` where it says nothing of the backup: it was cancelled, or the domain had a job of its own.
pub fn of(config: &Config, domain: &Domain, job: Option<JobId>, came_to: Result<Rehearsed>) -> Option<Drill> {
    let time = clock::rfc3339();
    let drill = match came_to {
        Ok(found) => {
            let source = PathBuf::from(&found.source);
            Drill {
                domain: domain.clone(),
                time,
                outcome: found.outcome,
                message: found.rehearsal.message,
                error: None,
                backup_age_s: age(config, domain, &source),
                source: Some(source),
                recovery_s: Some(found.recovery_s),
                change_over_ms: found.change_over_ms,
                job,
            }
        }
        Err(Error { code: Code::Cancelled | Code::Busy, .. }) => return None,
        Err(error) => {
            // Which one failed is in the message; the newest is the one that it began with.
            let source =
                backup::list::list(config, domain).ok().and_then(|all| all.into_iter().next()).map(|one| one.path);
            Drill {
                domain: domain.clone(),
                time,
                outcome: Outcome::Fail,
                message: error.message.clone(),
                error: Some(error),
                backup_age_s: source.as_deref().and_then(|source| age(config, domain, source)),
                source,
                recovery_s: None,
                change_over_ms: None,
                job,
            }
        }
    };
    Some(drill)
}

/// Seconds since a backup was made, by the date in its name.
fn age(config: &Config, domain: &Domain, source: &Path) -> Option<u64> {
    let all = backup::list::list(config, domain).ok()?;
    let backup = all.iter().find(|backup| backup.path == source)?;
    let made = clock::second_of(&backup.date)?;
    u64::try_from(clock::now().timestamp().as_second() - made).ok()
}
