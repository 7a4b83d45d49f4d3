//! The human logs of restores, rollbacks and rehearsals: `restore_logs/DOMAIN/restore_STAMP.log`, and `…_failed.log` beside it where one failed.

use crate::api::answer::jobs::LogInfo;
use crate::config::Config;
use crate::job::{JobId, Kind};
use crate::path::Domain;
use std::path::PathBuf;

/// The logs of a domain, or of all, newest first.
pub fn list(config: &Config, domain: Option<&Domain>) -> Vec<LogInfo> {
    let domains = match domain {
        Some(domain) => vec![domain.clone()],
        None => names(&config.paths.logs()).iter().filter_map(|name| Domain::parse(name).ok()).collect(),
    };
    let mut found: Vec<LogInfo> = domains
        .iter()
        .flat_map(|domain| {
            let folder = config.paths.logs().join(domain.as_str());
            names(&folder).into_iter().filter_map(move |name| {
                let path = folder.join(&name);
                let size = std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
                let stem = name.strip_suffix(".log")?;
                let failed = stem.ends_with("_failed");
                let stamp =
                    stem.trim_end_matches("_failed").get(stem.find(|letter: char| letter.is_ascii_digit())?..)?;
                let date = jiff::civil::DateTime::strptime("%Y%m%d_%H%M%S", stamp).ok()?;
                Some(LogInfo { path, date: date.to_string(), size, failed, domain: domain.clone(), name })
            })
        })
        .collect();
    found.sort_by(|one, other| (&other.date, &other.name).cmp(&(&one.date, &one.name)));
    found
}

/// The path of a job's log, or, with `failed`, of the log of its failure; `None` for jobs that have none.
pub fn path(config: &Config, domain: &Domain, kind: Kind, job: &JobId, failed: bool) -> Option<PathBuf> {
    let word = match kind {
        Kind::Restore => "restore",
        Kind::Rollback => "rollback",
        Kind::Rehearse => "rehearse",
        _ => return None,
    };
    let suffix = if failed { "_failed" } else { "" };
    Some(config.paths.logs().join(domain.as_str()).join(format!("{word}_{}{suffix}.log", job.stamp())))
}

/// The log that tells most about a job: that of its failure, where there is one.
pub fn of_job(config: &Config, domain: &Domain, kind: Kind, job: &JobId) -> Option<PathBuf> {
    [true, false].into_iter().filter_map(|failed| path(config, domain, kind, job, failed)).find(|path| path.is_file())
}

fn names(folder: &std::path::Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_come_newest_first_and_the_failed_one_speaks_for_its_job() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("restore_logs/a.example");
        std::fs::create_dir_all(&folder).unwrap();
        for name in [
            "restore_20250101_000000.log",
            "restore_20250102_000000.log",
            "restore_20250102_000000_failed.log",
            "x.txt",
        ] {
            std::fs::write(folder.join(name), "text").unwrap();
        }
        let config = Config::parse(&format!("[paths]\nbase = {:?}", base.path())).unwrap();
        let found = list(&config, None);
        let seen: Vec<_> = found.iter().map(|log| (log.date.as_str(), log.failed, log.size)).collect();
        let newer = "2025-01-02T00:00:00";
        assert_eq!(seen, [(newer, true, 4), (newer, false, 4), ("2025-01-01T00:00:00", false, 4)]);
        let job = JobId::parse("20250102_000000_0123456789ab").unwrap();
        let domain = Domain::parse("a.example").unwrap();
        assert!(of_job(&config, &domain, Kind::Restore, &job).unwrap().ends_with("restore_20250102_000000_failed.log"));
    }
}
