//! Makes a site's PHP forget: compiled scripts, and the paths and states of files.
//!
//! After an exchange of trees a script may have the same path and time as before and other content; opcache would go
//! on with the old one. The request goes through the site's own pool, because the cache is in its memory.

use super::fastcgi;
use super::wire::Until;
use crate::progress::Monitor;
use crate::random;
use crate::siteconf::Listen;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the pool may take; a pool whose workers are all busy is reloaded instead.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the code was refreshed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// The next request compiles what is on disk. If not, PHP-FPM is to be reloaded.
    pub done: bool,
    /// What PHP said.
    pub evidence: String,
}

/// The script says one word. Where no cache keeps anything, nothing is needed; one that may not be asked is reloaded.
const SCRIPT: &str = r#"<?php
clearstatcache(true);
$said = 'none';
if (function_exists('opcache_reset') && function_exists('opcache_get_status') && function_exists('ini_get')) {
    if (!ini_get('opcache.enable')) {
        $said = 'off';
    } elseif (@opcache_reset()) {
        $said = 'reset';
    } else {
        $status = @opcache_get_status(false);
        $said = !empty($status['restart_pending']) || !empty($status['restart_in_progress']) ? 'pending' : 'refused';
    }
    if (ini_get('opcache.file_cache')) {
        $said = 'files';
    }
} elseif (extension_loaded('Zend OPcache')) {
    $said = 'refused';
}
// A reset makes every worker forget its paths, too. Without one, this worker alone has forgotten them.
if ($said === 'off' || $said === 'none') {
    $set = fn ($name) => function_exists('ini_get') ? ini_get($name) : '1';
    $kept = (int) $set('realpath_cache_size') !== 0 && (int) $set('realpath_cache_ttl') > 0;
    // With open_basedir PHP keeps no paths at all.
    if ($kept && (string) $set('open_basedir') === '') {
        $said = 'paths';
    }
}
echo "\nrocketvps-refresh:$said\n";
"#;

struct Script {
    folder: PathBuf,
    file: PathBuf,
}

impl Script {
    /// In a folder of ours outside every document root: others may pass through to a name they cannot guess.
    fn write() -> std::io::Result<Script> {
        let name = random::hex(12).map_err(|error| std::io::Error::other(error.message))?;
        let parent = [Path::new("/run"), Path::new("/tmp")];
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        for parent in parent {
            let folder = parent.join(format!("rocketvps-restore-{name}"));
            match fs::DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {
                    let script = Script { file: folder.join(format!("{name}.php")), folder };
                    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&script.file)?;
                    file.write_all(SCRIPT.as_bytes())?;
                    // The umask of the worker may have cut the modes.
                    file.set_permissions(fs::Permissions::from_mode(0o444))?;
                    fs::set_permissions(&script.folder, fs::Permissions::from_mode(0o711))?;
                    return Ok(script);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Asks the pool at this address to forget.
pub fn refresh(to: &Listen, monitor: &Arc<dyn Monitor>) -> Refresh {
    let no = |evidence: String| Refresh { done: false, evidence };
    if to.is_missing() {
        return no(format!("{to} is missing"));
    }
    let script = match Script::write() {
        Ok(script) => script,
        Err(error) => return no(format!("no script could be written for PHP: {error}")),
    };
    let name = script.file.to_string_lossy().into_owned();
    match fastcgi::get(to, &name, &name, &Until::from_now(PATIENCE, monitor)) {
        Ok(reply) => understand(&String::from_utf8_lossy(&reply.out)),
        Err(error) => no(format!("no FastCGI answer on {to}: {error}")),
    }
}

fn understand(said: &str) -> Refresh {
    let word = said.lines().filter_map(|line| line.trim().strip_prefix("rocketvps-refresh:")).next_back();
    let (done, evidence) = match word {
        Some("reset") => (true, "opcache was reset"),
        Some("pending") => (true, "opcache is being reset already"),
        Some("off") => (true, "opcache is switched off"),
        Some("none") => (true, "PHP has no opcache"),
        Some("paths") => (false, "there is no opcache to reset, and each worker remembers paths (realpath_cache_ttl)"),
        Some("files") => (false, "opcache also keeps files on disk (opcache.file_cache)"),
        Some(_) => (false, "PHP may not reset opcache here"),
        None => (false, "the pool does not run the script (open_basedir, chroot or disabled functions)"),
    };
    Refresh { done, evidence: evidence.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_word_counts_as_refreshed() {
        for (said, done) in [
            ("Content-type: text/html\r\n\r\n\nrocketvps-refresh:reset\n", true),
            ("X: y\r\n\r\nnoise\nrocketvps-refresh:pending\n", true),
            ("\nrocketvps-refresh:off\n", true),
            ("\nrocketvps-refresh:none\n", true),
            ("\nrocketvps-refresh:refused\n", false),
            ("\nrocketvps-refresh:paths\n", false),
            ("\nrocketvps-refresh:files\n", false),
            ("Status: 404 Not Found\r\n\r\nFile not found.\n", false),
            ("", false),
        ] {
            assert_eq!(understand(said).done, done, "{said:?}");
        }
    }

    #[test]
    fn a_pool_that_is_not_there_costs_nothing() {
        let begun = std::time::Instant::now();
        let monitor: Arc<dyn Monitor> = Arc::new(crate::progress::Silent);
        assert!(!refresh(&Listen::Unix("/nowhere/x.sock".into()), &monitor).done);
        assert!(!refresh(&Listen::Tcp("127.0.0.1:1".into()), &monitor).done);
        assert!(begun.elapsed() < Duration::from_millis(500));
    }

    #[test]
    fn the_script_leaves_nothing_behind() {
        let script = Script::write().unwrap();
        let folder = script.folder.clone();
        assert!(script.file.is_file());
        drop(script);
        assert!(!folder.exists());
    }
}
