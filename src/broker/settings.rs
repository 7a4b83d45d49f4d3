//! The configuration and the rules as they are now, read anew when one of their files is another one.

use crate::broker::access::Access;
use crate::config::{Config, DEFAULT_FILE, Source};
use crate::error::{Code, Error, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a call is judged and carried out by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The configuration.
    pub config: Arc<Config>,
    /// Who may what; what is wrong with it, as callers may know it.
    pub access: Result<Arc<Access>>,
}

/// A file by what a change of it changes: device, number, size, and the times of content and change in nanoseconds.
type Version = (u64, u64, u64, i64, i64, i64, i64);

/// The settings, and the files that they were read from.
#[derive(Debug, Default)]
pub struct Cache(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    settings: Settings,
    files: [(PathBuf, Version); 2],
}

impl Cache {
    /// The settings as they are now.
    ///
    /// # Errors
    /// `config_invalid` without a word of the file, which holds what is no caller's to know: that is for the log.
    pub fn settings(&self, source: Option<&Source>) -> Result<Settings> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref()
            && known.files.iter().all(|(path, then)| version(path).as_ref() == Some(then))
        {
            return Ok(known.settings.clone());
        }
        let file = file_of(source);
        // Before they are read: what is written meanwhile is seen the next time.
        let before = version(file);
        let config = Config::of(source).map_err(|error| {
            eprintln!("rocketvps-restore: {}", error.message);
            Error::new(Code::ConfigInvalid, "the configuration of the broker is wrong")
                .hint("Ask the administrator to run `rocketvps-restore check-config`.")
        })?;
        let rules = config.paths.access();
        let rules_before = version(&rules);
        // It may quote the file: callers are told the line alone.
        let access = Access::read(&rules).map(Arc::new).map_err(|error| {
            eprintln!("rocketvps-restore: {}", error.message);
            let line = error.context.get("line").map_or_else(String::new, |line| format!(", line {line}"));
            Error { message: format!("{}{line}: it is wrong", rules.display()), ..error }
        });
        let settings = Settings { config: Arc::new(config), access };
        *known = match (before, rules_before) {
            (Some(one), Some(two)) if settings.access.is_ok() && is_settled(&one) && is_settled(&two) => {
                Some(Known { settings: settings.clone(), files: [(file.to_owned(), one), (rules, two)] })
            }
            _ => None,
        };
        Ok(settings)
    }
}

fn file_of(source: Option<&Source>) -> &Path {
    match source {
        Some(Source::File(file)) => file,
        Some(Source::Set(settings)) => settings.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE)),
        None => Path::new(DEFAULT_FILE),
    }
}

fn version(path: &Path) -> Option<Version> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()))
}

/// A file that was just written may be written once more within the same tick of the clock, and look the same.
fn is_settled(version: &Version) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    i64::try_from(now).is_ok_and(|now| now - version.5 > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_changed_file_is_read_anew() {
        let base = tempfile::tempdir().unwrap();
        let (file, rules) = (base.path().join("restore.toml"), base.path().join("access.toml"));
        let write = |limit: u32| {
            let text =
                format!("[paths]\nbase = {:?}\naccess = {rules:?}\n[limits]\nmax_retries = {limit}\n", base.path());
            std::fs::write(&file, text).unwrap();
        };
        let rule = |user: &str| {
            std::fs::write(&rules, format!("[[rule]]\nuser = {user:?}\ndomains = []\ncalls = []\n")).unwrap();
        };
        write(1);
        rule("a");
        let source = Source::File(file.clone());
        let cache = Cache::default();
        let settings = || cache.settings(Some(&source)).unwrap();
        // Just written: not kept.
        assert!(!Arc::ptr_eq(&settings().config, &settings().config));
        std::thread::sleep(Duration::from_millis(2100));
        assert!(Arc::ptr_eq(&settings().config, &settings().config));
        write(2);
        assert_eq!(settings().config.limits.max_retries, 2);
        std::thread::sleep(Duration::from_millis(2100));
        settings();
        std::fs::write(&rules, "[[rule]]\nuser = 1\n").unwrap();
        assert!(settings().access.is_err());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(cache.settings(Some(&source)).unwrap_err().code, Code::ConfigInvalid);
    }
}
