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
    let mut drill = Drill {
        domain: domain.clone(),
        time: clock::rfc3339(),
        outcome: Outcome::Fail,
        message: String::new(),
        error: None,
        backup_age_s: newest.as_deref().and_then(|newest| age(config, domain, newest)),
        source: newest.clone(),
        recovery_s: None,
        change_over_ms: None,
        job,
    };
    let failed = |drill: Drill, error: Error| Drill { message: error.message.clone(), error: Some(error), ..drill };
    let found = match came_to {
        Ok(found) => found,
        Err(error) => return failed(drill, error),
    };
    let source = PathBuf::from(&found.source);
    if let Some(newest) = newest.filter(|newest| *newest != source)
        && let Some(error) = damage(config, domain, &newest)
    {
        let older = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let message =
            format!("{}; the older {older} was rehearsed instead: {}", error.message, found.rehearsal.message);
        return failed(drill, Error { message, ..error });
    }
    drill.outcome = found.outcome;
    drill.message = found.rehearsal.message;
    drill.backup_age_s = age(config, domain, &source);
    drill.source = Some(source);
    drill.recovery_s = Some(found.recovery_s);
    drill.change_over_ms = found.change_over_ms;
    drill
}

/// What is wrong with a backup that was passed over; `None` where it only lacks a part that another one has.
fn damage(config: &Config, domain: &Domain, backup: &Path) -> Option<Error> {
    match locate_with(config, domain, &Backup::from(backup.display().to_string().as_str()), None, Needs::default()) {
        Err(error) => Some(error),
        Ok(source) => Index::load(config, domain).is_damaged(&source).then(|| {
            let name = backup.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Error::new(
                Code::BackupCorrupt,
                format!("the newest backup, {name}, is damaged, as it was when it was last read"),
            )
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
