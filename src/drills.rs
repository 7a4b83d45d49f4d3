//! Drills: the newest backup of each domain is rehearsed, so that nobody learns on the night of a fault that it is of no use.

pub mod history;
pub mod metrics;

use crate::api::answer::drills::Drill;
use crate::api::answer::restore::Rehearsed;
use crate::api::request::Backup;
use crate::backup;
use crate::backup::archives::newest_first;
use crate::backup::cache::index::Index;
use crate::backup::locate::{Needs, locate_with};
use crate::backup::name::file_name;
use crate::clock;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::job::JobId;
use crate::path::Domain;
use crate::report::Outcome;
use std::path::{Path, PathBuf};

/// What a rehearsal came to, as a drill of the newest backup.
pub fn of(config: &Config, domain: &Domain, job: Option<JobId>, came_to: Result<Rehearsed>) -> Drill {
    let newest = newest_first(config, domain).ok().and_then(|all| all.into_iter().next());
    let drill = |source: Option<PathBuf>| Drill {
        domain: domain.clone(),
        time: clock::rfc3339(),
        outcome: Outcome::Fail,
        message: String::new(),
        error: None,
        backup_age_s: source.as_deref().and_then(|source| age(config, domain, source)),
        source,
        recovery_s: None,
        change_over_ms: None,
        job,
    };
    let failed = |drill: Drill, error: Error| Drill { message: error.message.clone(), error: Some(error), ..drill };
    let found = match came_to {
        Ok(found) => found,
        Err(error) => return failed(drill(newest), error),
    };
    let source = PathBuf::from(&found.source);
    if let Some(newest) = newest.filter(|newest| *newest != source)
        && let Some(error) = damage(config, domain, &newest)
    {
        let (older, why) = (file_name(&source), &found.rehearsal.message);
        let message = format!("{}; the older {older} was rehearsed instead: {why}", error.message);
        return failed(drill(Some(newest)), Error { message, ..error });
    }
    Drill {
        outcome: found.outcome,
        message: found.rehearsal.message,
        recovery_s: Some(found.recovery_s),
        change_over_ms: found.change_over_ms,
        ..drill(Some(source))
    }
}

/// What is wrong with a backup that was passed over; `None` where it only lacks a part that another one has.
fn damage(config: &Config, domain: &Domain, backup: &Path) -> Option<Error> {
    match locate_with(config, domain, &Backup::from(backup.display().to_string().as_str()), None, Needs::default()) {
        Err(error) => Some(error),
        Ok(source) => Index::load(config, domain).is_damaged(&source).then(|| {
            let name = file_name(backup);
            let message = format!("the newest backup, {name}, is damaged, as it was when it was last read");
            Error::new(Code::BackupCorrupt, message)
        }),
    }
}

/// Seconds since a backup was made, by the date in its name.
fn age(config: &Config, domain: &Domain, source: &Path) -> Option<u64> {
    let all = backup::list::list(config, domain).ok()?;
    let backup = all.iter().find(|backup| backup.path == source)?;
    let made = clock::second_of(&backup.date)?;
    u64::try_from(clock::now().timestamp().as_second() - made).ok()
}
