//! The human logs of restores, rollbacks and rehearsals: `restore_logs/DOMAIN/restore_STAMP.log`, and `…_failed.log` beside it where one failed.

use crate::api::answer::jobs::{LogInfo, LogText};
use crate::config::Config;
use crate::disk;
use crate::error::{Code, Error, Result};
use crate::job::{JobId, Kind};
use crate::path::Domain;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Bytes of a log in one answer.
const MAX_TEXT: usize = 64 << 10;

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
                let (date, failed) = named(&name)?;
                Some(LogInfo { path, date: date.to_string(), size, failed, domain: domain.clone(), name })
            })
        })
        .collect();
    found.sort_by(|one, other| (&other.date, &other.name).cmp(&(&one.date, &one.name)));
    found
}

/// When the job of a log was started, by the log's name, and whether it tells of a failure.
fn named(name: &str) -> Option<(jiff::civil::DateTime, bool)> {
    let stem = name.strip_suffix(".log")?;
    let (stem, failed) = stem.strip_suffix("_failed").map_or((stem, false), |stem| (stem, true));
    let (word, stamp) = stem.split_once('_')?;
    let date = jiff::civil::DateTime::strptime("%Y%m%d_%H%M%S", stamp).ok()?;
    word.bytes().all(|letter| letter.is_ascii_lowercase()).then_some((date, failed))
}

/// Whole lines of a log, from a byte on.
///
/// # Errors
/// `bad_request` for a name that no log has, `job_not_found` where there is none of that name, `io_failed`.
pub fn read(config: &Config, domain: &Domain, name: &str, offset: u64) -> Result<LogText> {
    if named(name).is_none() {
        return Err(Error::new(Code::BadRequest, format!("{name:?} is no name of a log"))
            .hint("`list_logs` has the names of the logs."));
    }
    let path = config.paths.logs().join(domain.as_str()).join(name);
    let failed = |error: &std::io::Error| Error::io(format!("read {}", path.display()), error);
    let mut file = disk::open_regular(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Code::JobNotFound, format!("{domain} has no log {name}"))
            .hint("`list_logs` has the names of the logs."),
        _ => failed(&error),
    })?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(|error| failed(&error))?;
    (&mut file).take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    let size = file.metadata().map_err(|error| failed(&error))?.len();
    let goes_on = bytes.len() > MAX_TEXT;
    if goes_on {
        // A line that fills an answer alone is cut.
        let end = bytes[..MAX_TEXT].iter().rposition(|byte| *byte == b'\n').map_or(MAX_TEXT, |at| at + 1);
        bytes.truncate(end);
    }
    Ok(LogText {
        domain: domain.clone(),
        name: name.to_owned(),
        size,
        next: goes_on.then_some(offset + bytes.len() as u64),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
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

    #[test]
    fn a_log_is_read_in_whole_lines_and_nothing_else_is() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("restore_logs/a.example");
        std::fs::create_dir_all(&folder).unwrap();
        let whole: String = (0..5000).map(|number| format!("line {number} of the log\n")).collect();
        std::fs::write(folder.join("restore_20250101_000000.log"), &whole).unwrap();
        std::fs::write(folder.join("secret.log"), "no").unwrap();
        std::fs::write(base.path().join("restore_20250101_000000.log"), "no").unwrap();
        std::os::unix::fs::symlink("secret.log", folder.join("restore_20250101_000001.log")).unwrap();
        let config = Config::parse(&format!("[paths]\nbase = {:?}", base.path())).unwrap();
        let domain = Domain::parse("a.example").unwrap();
        let (mut text, mut next, mut answers) = (String::new(), Some(0), 0);
        while let Some(offset) = next {
            let part = read(&config, &domain, "restore_20250101_000000.log", offset).unwrap();
            assert!(part.text.len() <= MAX_TEXT && part.text.ends_with('\n'), "whole lines");
            assert_eq!(part.size, whole.len() as u64);
            text.push_str(&part.text);
            (next, answers) = (part.next, answers + 1);
        }
        assert!(text == whole && answers == 2, "{answers} answers");
        assert_eq!(read(&config, &domain, "restore_20250101_000000.log", 1 << 40).unwrap().text, "", "beyond the end");
        let refusal = |name: &str| read(&config, &domain, name, 0).unwrap_err().code;
        for name in
            ["secret.log", "../../restore_20250101_000000.log", "/etc/passwd", "", "restore_20250101_000000.log/"]
        {
            assert_eq!(refusal(name), Code::BadRequest, "{name}");
        }
        assert_eq!(refusal("restore_20250109_000000.log"), Code::JobNotFound);
        assert_eq!(refusal("restore_20250101_000001.log"), Code::IoFailed, "a link is no log");
    }
}
