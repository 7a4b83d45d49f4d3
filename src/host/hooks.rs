//! The operator's hooks: executables in a folder a moment, run in the order of their names, as run-parts(8) would.
//!
//! They run with root's rights or those of an account that the operator names. So a hook counts only where nobody but root can have put
//! it there: the file, its folder and every folder above it are root's, and nobody else may write to them.

use crate::api::answer::hooks::Moment;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::account::Account;
use crate::text::printable;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What editors and package managers leave beside a file.
const BACKUPS: [&str; 9] = [".bak", ".old", ".orig", ".rej", ".save", ".swp", ".dpkg-old", ".dpkg-dist", ".dpkg-new"];

/// One hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// When it is run.
    pub moment: Moment,
    /// Its file's name.
    pub name: String,
    /// Its absolute path.
    pub path: PathBuf,
}

impl Hook {
    /// As messages name it: moment and name.
    pub fn shown(&self) -> String {
        format!("{}/{}", self.moment.word(), self.name)
    }
}

/// All hooks, and what is not run although it lies there, as sentences.
#[derive(Debug, Default)]
pub struct Hooks {
    /// Those that are run, by moment and name.
    pub all: Vec<Hook>,
    /// Files and folders that look like hooks and are none.
    pub idle: Vec<String>,
    /// The account that they run as; `None`: this process's.
    pub account: Option<Account>,
}

/// Reads the operator's folder of hooks. One that is not there holds none.
///
/// # Errors
/// `config_invalid` for a hook that somebody else may have written, a folder that cannot be read, and for a `hooks.user` that is no
/// account of this machine.
pub fn read(config: &Config) -> Result<Hooks> {
    let folder = config.paths.hooks();
    let mut found = Hooks::default();
    if let Err(error) = folder.symlink_metadata() {
        return if error.kind() == ErrorKind::NotFound { Ok(found) } else { Err(unreadable(&folder, &error)) };
    }
    require_roots(&folder, Kind::Folder)?;
    for place in folder.ancestors().skip(1) {
        require_roots(place, Kind::Above)?;
    }
    for name in names(&folder)? {
        let place = folder.join(&name);
        let Some(moment) = Moment::ALL.into_iter().find(|moment| moment.word() == name) else {
            let words: Vec<&str> = Moment::ALL.iter().map(|moment| moment.word()).collect();
            let shown = printable(&place.display().to_string());
            found.idle.push(format!("{shown} is no moment of a job; those are {}", words.join(", ")));
            continue;
        };
        require_roots(&place, Kind::Folder)?;
        for name in names(&place)? {
            let path = place.join(&name);
            if !is_name(&name) {
                if !is_backup(&name) && path.symlink_metadata().is_ok_and(|about| about.mode() & 0o111 != 0) {
                    let shown = printable(&path.display().to_string());
                    found.idle.push(format!("{shown} is not run: a hook's name has letters, digits, `_`, `-` and `.`"));
                }
                continue;
            }
            if require_roots(&path, Kind::File)?.mode() & 0o111 == 0 {
                found.idle.push(format!("{} is not executable and is not run", path.display()));
                continue;
            }
            found.all.push(Hook { moment, name, path });
        }
    }
    found.all.sort_by_key(|hook| Moment::ALL.iter().position(|moment| *moment == hook.moment));
    found.account = account(&config.hooks.user)?;
    if let Some(account) = &found.account {
        found.all.iter().try_for_each(|hook| require_reach(account, &hook.path))?;
    }
    Ok(found)
}

/// Refuses a hook that its account cannot reach, so that `validate` says it and not the moment.
fn require_reach(account: &Account, hook: &Path) -> Result<()> {
    for place in hook.ancestors() {
        let about = place.metadata().map_err(|error| unreadable(place, &error))?;
        // Its interpreter has to read a script.
        let wanted = if place == hook && is_script(hook) { 0o005 } else { 0o001 };
        let shift = if account.groups.contains(&about.gid()) { 3 } else { 0 };
        if (about.mode() >> shift) & wanted != wanted {
            let (shown, name) = (place.display().to_string(), &account.name);
            let what = if place == hook { "read and execute" } else { "enter" };
            let message = format!("no hook is run: {name} (hooks.user) may not {what} {shown}");
            return Err(Error::new(Code::ConfigInvalid, message)
                .hint("Name a folder that this account can enter as paths.hooks, or let the hooks run as root.")
                .with("path", shown));
        }
    }
    Ok(())
}

fn account(user: &str) -> Result<Option<Account>> {
    if user.is_empty() || user == "root" {
        return Ok(None);
    }
    let unknown = || Error::new(Code::ConfigInvalid, format!("hooks.user: there is no account {}", printable(user)));
    Account::named(user).map(Some).ok_or_else(unknown)
}

/// Names that run-parts(8) takes, and names with dots in them, but for those of backup files.
fn is_name(name: &str) -> bool {
    !is_backup(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// A name that was given so that nobody takes the file for what it was.
fn is_backup(name: &str) -> bool {
    name.starts_with(['.', '#']) || name.ends_with('~') || BACKUPS.iter().any(|end| name.ends_with(end))
}

/// Whether another program runs it. What cannot be read here is taken for one.
fn is_script(hook: &Path) -> bool {
    let mut begin = [0; 2];
    File::open(hook).and_then(|mut file| file.read_exact(&mut begin)).map_or(true, |()| begin == *b"#!")
}

/// The names in a folder, in their order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<std::io::Result<Vec<_>>>()
    });
    let mut names = entries.map_err(|error| unreadable(folder, &error))?;
    names.sort_unstable();
    Ok(names)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let shown = path.display().to_string();
    Error::new(Code::ConfigInvalid, format!("the hooks in {shown} cannot be read: {error}")).with("path", shown)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A folder above those of the hooks: in one like /tmp nobody takes away what is root's.
    Above,
}

/// Refuses what somebody other than root, or us, may have put there.
fn require_roots(path: &Path, kind: Kind) -> Result<Metadata> {
    let about = path.symlink_metadata().map_err(|error| unreadable(path, &error))?;
    let us = rustix::process::geteuid().as_raw();
    let is_sticky = kind == Kind::Above && about.mode() & 0o1000 != 0;
    let why = if about.uid() != 0 && about.uid() != us {
        format!("it belongs to user {}", about.uid())
    } else if about.is_symlink() {
        // The folder itself may be reached by a link of root's; a hook and its folder are what they are.
        match (kind, path.metadata()) {
            (Kind::Folder | Kind::Above, Ok(target)) if target.is_dir() => {
                return require_roots(&resolved(path)?, kind);
            }
            _ => "it is a symbolic link".to_owned(),
        }
    } else if about.mode() & 0o022 != 0 && !is_sticky {
        "others may write to it".to_owned()
    } else if (kind == Kind::File && !about.is_file()) || (kind != Kind::File && !about.is_dir()) {
        format!("it is no {}", if kind == Kind::File { "file" } else { "folder" })
    } else {
        return Ok(about);
    };
    let shown = path.display().to_string();
    Err(Error::new(Code::ConfigInvalid, format!("no hook is run: {shown} is not root's alone: {why}"))
        .hint(format!("Look at what lies there, then run `chown root:root {shown} && chmod go-w {shown}`."))
        .with("path", shown))
}

fn resolved(path: &Path) -> Result<PathBuf> {
    let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    for place in real.ancestors().skip(1) {
        require_roots(place, Kind::Above)?;
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    fn put(path: &Path, mode: u32) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn machine() -> (tempfile::TempDir, Config, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = place.path().to_owned();
        let folder = config.paths.hooks();
        (place, config, folder)
    }

    #[test]
    fn hooks_come_in_the_order_of_moments_and_names() {
        let (_place, config, folder) = machine();
        assert!(read(&config).unwrap().all.is_empty(), "no folder");
        for name in ["done/a", "staged/20-b", "staged/10-a", "staged/10_A.sh", "staged/9"] {
            put(&folder.join(name), 0o755);
        }
        for name in ["staged/a~", "staged/a.bak", "staged/a.dpkg-new", "staged/.a", "staged/a b", "staged/#a#"] {
            put(&folder.join(name), 0o755);
        }
        put(&folder.join("staged/readme"), 0o644);
        put(&folder.join("comitted/x"), 0o755);
        let found = read(&config).unwrap();
        let all: Vec<String> = found.all.iter().map(|hook| format!("{}/{}", hook.moment.word(), hook.name)).collect();
        assert_eq!(all, ["staged/10-a", "staged/10_A.sh", "staged/20-b", "staged/9", "done/a"]);
        assert_eq!(found.idle.len(), 3, "{:?}", found.idle);
        assert!(found.idle[0].contains("comitted is no moment") && found.idle[2].contains("not executable"));
        assert!(found.idle[1].contains("staged/a b is not run"), "{:?}", found.idle);
    }

    #[test]
    fn what_somebody_else_may_have_written_is_refused_with_its_reason() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let (place, mut config, folder) = machine();
        let hook = folder.join("staged/a");
        put(&hook, 0o755);
        let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = |config: &Config, path: &Path, why: &str| {
            let error = read(config).unwrap_err();
            assert_eq!(error.code, Code::ConfigInvalid);
            assert!(error.message.contains(&format!("{} is not", path.display())), "{}", error.message);
            assert!(error.message.contains(why), "{}", error.message);
        };
        for path in [hook.as_path(), &folder.join("staged"), &folder, place.path()] {
            mode(path, 0o775);
            refused(&config, path, "others may write");
            mode(path, 0o755);
            chown(path, Some(1000), None).unwrap();
            refused(&config, path, "user 1000");
            chown(path, Some(0), None).unwrap();
            assert_eq!(read(&config).unwrap().all.len(), 1, "{}", path.display());
        }
        symlink("a", folder.join("staged/b")).unwrap();
        refused(&config, &folder.join("staged/b"), "symbolic link");
        std::fs::remove_file(folder.join("staged/b")).unwrap();
        std::fs::create_dir(folder.join("staged/c")).unwrap();
        refused(&config, &folder.join("staged/c"), "no file");
        std::fs::remove_dir(folder.join("staged/c")).unwrap();
        config.hooks.user = "nobody".into();
        let mut above = folder.as_path();
        while above.starts_with(place.path()) {
            mode(above, 0o755);
            above = above.parent().unwrap();
        }
        mode(&hook, 0o711);
        let error = read(&config).unwrap_err();
        assert!(error.message.contains("nobody (hooks.user) may not read and execute"), "{}", error.message);
        mode(&hook, 0o755);
        assert!(read(&config).is_ok());
        config.hooks.user = "no-such-account".into();
        assert!(read(&config).unwrap_err().message.contains("no-such-account"));
    }
}
