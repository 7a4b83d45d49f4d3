//! What installing a site's configuration changes on disk, and the same backwards. Every step may be repeated.

use super::{ConfFile, Item};
use crate::disk::{Durable, sync, write_file};
use crate::error::{Code, Error, IoContext, Result};
use crate::text;
use rustix::fs::{AtFlags, CWD, Mode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Largest configuration file that is installed.
pub const MAX_SIZE: u64 = 1 << 20;

/// What stands at a path, before or after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Nothing.
    Absent,
    /// A folder, made when its files need it.
    Folder {
        /// Mode bits.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// What it says.
        to: PathBuf,
    },
    /// A file; its bytes lie in the folder of saved files under the name of their hash.
    File {
        /// SHA-256 of the content, in hex.
        sha256: String,
        /// Mode bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Modification time in nanoseconds since 1970; 0: the time of the installation.
        mtime: i64,
    },
}

/// One path and its two sides. Goes into the journal as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The item it belongs to.
    pub item: Item,
    /// The path.
    pub target: PathBuf,
    /// What was there.
    pub old: Side,
    /// What comes there.
    pub new: Side,
}

/// Which side of a change is found on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As before the change.
    Old,
    /// As after the change.
    New,
    /// Someone else changed it.
    Neither,
}

/// SHA-256 in hexadecimal.
pub(super) fn hash(content: &[u8]) -> String {
    text::hex(&Sha256::digest(content))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let what = || format!("read {}", path.display());
    let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path).doing(what)?;
    let mut content = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut content).doing(what)?;
    if content.len() as u64 > MAX_SIZE {
        return Err(Error::new(Code::LimitExceeded, format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(content)
}

/// What stands at a path now.
///
/// # Errors
/// `io_failed`; `not_exchangeable` for anything but a file, folder or link.
pub fn current(path: &Path) -> Result<Side> {
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => return Ok(Side::Absent),
        Err(error) => return Err(Error::io(format!("look at {}", path.display()), &error)),
    };
    let mode = meta.mode() & 0o7777;
    if meta.is_dir() {
        Ok(Side::Folder { mode })
    } else if meta.file_type().is_symlink() {
        Ok(Side::Link { to: path.read_link().doing(|| format!("read link {}", path.display()))? })
    } else if meta.is_file() {
        let mtime = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Ok(Side::File { sha256: hash(&read_bounded(path)?), mode, uid: meta.uid(), gid: meta.gid(), mtime })
    } else {
        Err(Error::new(Code::NotExchangeable, format!("{} is neither file nor link", path.display())))
    }
}

/// What has to change on disk so that these files are in use, what is referred to before what refers to it: a power cut may
/// come between any two, and a service must start from what is on the disk then. Files that are there already give no change.
///
/// # Errors
/// As [`current`]; `limit_exceeded` for a file above 1 MiB.
pub fn plan_changes(files: &[ConfFile]) -> Result<Vec<Change>> {
    let mut changes: Vec<Change> = Vec::new();
    for file in files {
        if file.content.len() as u64 > MAX_SIZE {
            return Err(Error::new(Code::LimitExceeded, format!("{} is larger than 1 MiB", file.name)));
        }
        let old = current(&file.target)?;
        let sha256 = hash(&file.content);
        let same = matches!(&old, Side::File { sha256: there, .. } if *there == sha256);
        if !same {
            plan_parent(file, &mut changes)?;
            let (mode, uid, gid) = match &old {
                // An existing file keeps mode and owner, without rights for the world to write.
                Side::File { mode, uid, gid, .. } => {
                    (mode & 0o755 & if file.mode == 0o600 { 0o740 } else { 0o755 }, *uid, *gid)
                }
                _ => (file.mode, rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()),
            };
            if matches!(old, Side::Folder { .. }) {
                return Err(Error::new(Code::NotExchangeable, format!("{} is a folder", file.target.display())));
            }
            let new = Side::File { sha256, mode, uid, gid, mtime: 0 };
            changes.push(Change { item: file.item, target: file.target.clone(), old, new });
        }
        if let Some(link) = &file.link {
            let old = current(&link.path)?;
            let new = Side::Link { to: link.to.clone() };
            if old != new {
                changes.push(Change { item: file.item, target: link.path.clone(), old, new });
            }
        }
    }
    changes.sort_by_key(rank);
    Ok(changes)
}

/// Certificates and the pool come before the nginx site that names them, and its link, which makes nginx read it, after it.
fn rank(change: &Change) -> u8 {
    match (change.item, &change.new) {
        (Item::Ssl, _) => 0,
        (Item::PhpFpm, _) => 1,
        (Item::Nginx, Side::Link { .. }) => 3,
        (Item::Nginx, _) => 2,
        (Item::Cron, _) => 4,
    }
}

/// The folder of a certificate may be missing; the other folders belong to the machine and must be there.
fn plan_parent(file: &ConfFile, changes: &mut Vec<Change>) -> Result<()> {
    let Some(parent) = file.target.parent() else { return Ok(()) };
    let known = changes.iter().any(|change| change.target == parent);
    if known || parent.is_dir() {
        return Ok(());
    }
    if file.item != Item::Ssl || !parent.parent().is_some_and(Path::is_dir) {
        return Err(Error::new(Code::PreflightFailed, format!("folder {} is missing", parent.display()))
            .hint("Create the folder, or correct `[paths]` of restore.toml.")
            .with("path", parent.display().to_string()));
    }
    changes.push(Change {
        item: file.item,
        target: parent.to_owned(),
        old: Side::Absent,
        new: Side::Folder { mode: 0o755 },
    });
    Ok(())
}

/// Saves both sides' bytes, durable, in `saved` (a folder only root may enter), before anything is installed.
///
/// # Errors
/// `io_failed`, `disk_full`; `plan_stale` when a live file is no longer what the plan saw.
pub fn store(changes: &[Change], files: &[ConfFile], saved: &Path) -> Result<()> {
    for change in changes {
        if let Side::File { sha256, .. } = &change.old {
            let content = read_bounded(&change.target)?;
            if hash(&content) != *sha256 {
                return Err(stale(change));
            }
            save(saved, sha256, &content)?;
        }
        if let Side::File { sha256, .. } = &change.new {
            let file = files.iter().find(|file| file.target == change.target).ok_or_else(|| stale(change))?;
            save(saved, sha256, &file.content)?;
        }
    }
    sync(saved)
}

fn stale(change: &Change) -> Error {
    Error::new(Code::PlanStale, format!("{} changed since the plan was made", change.target.display()))
        .with("path", change.target.display().to_string())
}

fn save(saved: &Path, sha256: &str, content: &[u8]) -> Result<()> {
    let path = saved.join(sha256);
    if read_bounded(&path).is_ok_and(|there| hash(&there) == sha256) {
        return Ok(());
    }
    write_file(&path, content, Durable::Content)
}

/// Which side is on disk. Content, link text and kind decide.
///
/// # Errors
/// As [`current`].
pub fn state(change: &Change) -> Result<State> {
    let now = current(&change.target)?;
    Ok(if same(&now, &change.new) {
        State::New
    } else if same(&now, &change.old) {
        State::Old
    } else {
        State::Neither
    })
}

fn same(a: &Side, b: &Side) -> bool {
    match (a, b) {
        (Side::File { sha256: a, .. }, Side::File { sha256: b, .. }) => a == b,
        (Side::Folder { .. }, Side::Folder { .. }) => true,
        _ => a == b,
    }
}

/// Brings a change to its new side. Repeating it does nothing.
///
/// # Errors
/// `plan_stale` when neither side is on disk, `io_failed`, `disk_full`.
pub fn install(change: &Change, saved: &Path) -> Result<()> {
    step(change, saved, State::New, &change.new)
}

/// Brings a change back to its old side. Repeating it does nothing.
///
/// # Errors
/// As [`install`].
pub fn uninstall(change: &Change, saved: &Path) -> Result<()> {
    step(change, saved, State::Old, &change.old)
}

fn step(change: &Change, saved: &Path, goal: State, side: &Side) -> Result<()> {
    let found = state(change)?;
    let target = &change.target;
    let parent = target.parent().unwrap_or(Path::new("/"));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    // A name with a leading dot is read by no service's include pattern.
    let temporary = parent.join(format!(".{name}.rocketvps-new"));
    let what = || format!("write {}", target.display());
    if found == goal {
        // A crash between write and rename may have left it; a missing folder has none.
        let _ = fs::remove_file(&temporary);
        return Ok(());
    }
    if found == State::Neither {
        return Err(stale(change).hint(
            "Compare the file with the saved ones in the job folder, put the right one in place, then recover.",
        ));
    }
    match side {
        Side::Absent => match &current(target)? {
            Side::Folder { .. } => match fs::remove_dir(target) {
                // Someone else put a file into the folder that we made: it stays.
                Err(error) if error.raw_os_error() == Some(libc::ENOTEMPTY) => {}
                other => other.doing(what)?,
            },
            _ => fs::remove_file(target).doing(what)?,
        },
        Side::Folder { mode } => {
            fs::create_dir(target).doing(what)?;
            fs::set_permissions(target, fs::Permissions::from_mode(*mode)).doing(what)?;
        }
        Side::Link { to } => {
            let _ = fs::remove_file(&temporary);
            rustix::fs::symlink(to, &temporary).doing(what)?;
            fs::rename(&temporary, target).doing(what)?;
        }
        Side::File { sha256, mode, uid, gid, mtime } => {
            let content = read_bounded(&saved.join(sha256))?;
            if hash(&content) != *sha256 {
                return Err(Error::new(Code::SnapshotInvalid, format!("the saved bytes of {name} are damaged")));
            }
            let _ = fs::remove_file(&temporary);
            let mut options = File::options();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&temporary).doing(what)?;
            file.write_all(&content).doing(what)?;
            let meta = file.metadata().doing(what)?;
            if (meta.uid(), meta.gid()) != (*uid, *gid) {
                std::os::unix::fs::fchown(&file, Some(*uid), Some(*gid)).doing(what)?;
            }
            rustix::fs::fchmod(&file, Mode::from_raw_mode(*mode)).doing(what)?;
            if *mtime != 0 {
                set_mtime(&temporary, *mtime).doing(what)?;
            }
            file.sync_all().doing(what)?;
            fs::rename(&temporary, target).doing(what)?;
        }
    }
    sync(parent)
}

fn set_mtime(path: &Path, mtime: i64) -> rustix::io::Result<()> {
    let time =
        rustix::fs::Timespec { tv_sec: mtime.div_euclid(1_000_000_000), tv_nsec: mtime.rem_euclid(1_000_000_000) };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::siteconf::Link;

    struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Machine {
            let folder = tempfile::tempdir().unwrap();
            for name in ["available", "enabled", "ssl", "saved"] {
                fs::create_dir(folder.path().join(name)).unwrap();
            }
            Machine { folder }
        }
        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }
        fn file(&self, item: Item, name: &str, content: &str) -> ConfFile {
            let link = Link { path: self.at("enabled/x"), to: self.at(name) };
            ConfFile {
                item,
                name: name.into(),
                target: self.at(name),
                content: content.into(),
                mode: 0o644,
                link: (item == Item::Nginx).then_some(link),
            }
        }
        /// Everything below the live folders: path, kind, mode, owner, mtime of files, content.
        fn picture(&self) -> Vec<String> {
            let mut lines = Vec::new();
            for top in ["available", "enabled", "ssl"] {
                let mut folders = vec![self.at(top)];
                while let Some(folder) = folders.pop() {
                    for entry in fs::read_dir(folder).unwrap() {
                        let path = entry.unwrap().path();
                        let side = current(&path).unwrap();
                        if matches!(side, Side::Folder { .. }) {
                            folders.push(path.clone());
                        }
                        lines.push(format!("{} {side:?}", path.display()));
                    }
                }
            }
            lines.sort();
            lines
        }
    }

    #[test]
    fn install_and_uninstall_leave_the_machine_as_it_was() {
        let machine = Machine::new();
        fs::write(machine.at("available/x"), "old").unwrap();
        fs::set_permissions(machine.at("available/x"), fs::Permissions::from_mode(0o640)).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(machine.at("available/x"), Some(33), Some(33)).unwrap();
        }
        set_mtime(&machine.at("available/x"), 1_500_000_000_123_456_789).unwrap();
        std::os::unix::fs::symlink("../elsewhere", machine.at("enabled/x")).unwrap();
        let before = machine.picture();
        let files = [
            machine.file(Item::Nginx, "available/x", "new"),
            machine.file(Item::Ssl, "ssl/example.com/a.pem", "certificate"),
            machine.file(Item::Ssl, "ssl/example.com/b.pem", "key"),
        ];
        let changes = plan_changes(&files).unwrap();
        let order: Vec<PathBuf> = changes.iter().map(|change| change.target.clone()).collect();
        let expected =
            ["ssl/example.com", "ssl/example.com/a.pem", "ssl/example.com/b.pem", "available/x", "enabled/x"];
        assert_eq!(order, expected.map(|name| machine.at(name)), "what is named comes before what names it");
        let saved = machine.at("saved");
        store(&changes, &files, &saved).unwrap();
        let json = serde_json::to_string(&changes).unwrap();
        assert!(!json.contains("\"certificate\""), "the journal holds no content");
        let changes: Vec<Change> = serde_json::from_str(&json).unwrap();
        for _ in 0..2 {
            for change in &changes {
                install(change, &saved).unwrap();
                assert_eq!(state(change).unwrap(), State::New);
            }
        }
        assert_eq!(fs::read(machine.at("available/x")).unwrap(), b"new");
        assert_eq!(fs::read_link(machine.at("enabled/x")).unwrap(), machine.at("available/x"));
        assert_eq!(fs::metadata(machine.at("available/x")).unwrap().mode() & 0o7777, 0o640, "mode is kept");
        assert!(plan_changes(&files).unwrap().is_empty(), "what is installed needs no change");
        for _ in 0..2 {
            for change in changes.iter().rev() {
                uninstall(change, &saved).unwrap();
                assert_eq!(state(change).unwrap(), State::Old);
            }
        }
        assert_eq!(machine.picture(), before);
    }

    #[test]
    fn a_file_changed_by_someone_else_is_left_alone() {
        let machine = Machine::new();
        fs::write(machine.at("available/x"), "old").unwrap();
        let files = [machine.file(Item::PhpFpm, "available/x", "new")];
        let changes = plan_changes(&files).unwrap();
        let saved = machine.at("saved");
        store(&changes, &files, &saved).unwrap();
        fs::write(machine.at("available/x"), "by hand").unwrap();
        assert_eq!(state(&changes[0]).unwrap(), State::Neither);
        assert_eq!(install(&changes[0], &saved).unwrap_err().code, Code::PlanStale);
        assert_eq!(uninstall(&changes[0], &saved).unwrap_err().code, Code::PlanStale);
        assert_eq!(store(&changes, &files, &saved).unwrap_err().code, Code::PlanStale);
        assert_eq!(fs::read(machine.at("available/x")).unwrap(), b"by hand");
    }

    #[test]
    fn damaged_saved_bytes_are_never_installed() {
        let machine = Machine::new();
        let files = [machine.file(Item::PhpFpm, "available/x", "new")];
        let changes = plan_changes(&files).unwrap();
        let saved = machine.at("saved");
        store(&changes, &files, &saved).unwrap();
        fs::write(saved.join(hash(b"new")), "bad").unwrap();
        assert_eq!(install(&changes[0], &saved).unwrap_err().code, Code::SnapshotInvalid);
        assert_eq!(state(&changes[0]).unwrap(), State::Old);
    }

    #[test]
    fn a_missing_folder_of_the_machine_is_named_before_anything_happens() {
        let machine = Machine::new();
        let error = plan_changes(&[machine.file(Item::PhpFpm, "pool.d/x.conf", "new")]).unwrap_err();
        assert_eq!(error.code, Code::PreflightFailed);
        assert!(error.message.contains("pool.d"));
    }
}
