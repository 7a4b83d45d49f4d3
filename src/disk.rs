//! Files of this program's on the disk: the primitives that its promises rest on, each once.
//!
//! Durability, as ext4 and XFS give it: the content of a file is on the disk after an fsync of the file, its name after an fsync of
//! the folder around it (fsync(2)). A rename replaces a name in one step, so that a reader finds the old content or the new
//! one; after a power cut it does so only if the content was synced before the rename. An fsync that failed is never tried again:
//! the kernel may have dropped the page, and a second call would answer with a success that means nothing.

use crate::error::{Code, Error, IoContext, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What of a written file outlives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// Nothing: what stood there before may come back, or nothing at all.
    Nothing,
    /// Its content, once its name is on the disk: the caller syncs the folder when all its files are written.
    Content,
    /// Content and name.
    Whole,
}

/// Writes a private file (0600) as a whole: beside its name, then renamed over it. Nobody ever reads half of it, and a file of that
/// name is replaced in one step.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`. Nothing is left beside it then.
pub fn write_file(path: &Path, bytes: &[u8], durable: Durable) -> Result<()> {
    let draft = beside(path);
    let written = || -> io::Result<()> {
        let mut file = new_file(&draft)?;
        file.write_all(bytes)?;
        if durable != Durable::Nothing {
            file.sync_all()?;
        }
        std::fs::rename(&draft, path)
    };
    if let Err(error) = written() {
        let _ = std::fs::remove_file(&draft);
        return Err(denied("write", path, &error));
    }
    if durable == Durable::Whole { sync_parent(path) } else { Ok(()) }
}

/// A name beside a path that no other thread or process of ours uses, hidden from whoever lists the folder by its endings.
pub fn beside(path: &Path) -> PathBuf {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{}.{}_{turn}.tmp", name.trim_start_matches('.'), std::process::id()))
}

/// Whether a file's name is one that [`beside`] gave to a process that has ended: nobody will rename it any more.
pub fn is_dead_draft(name: &str) -> bool {
    let turn = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp")?.rsplit_once('.'));
    turn.and_then(|(_, turn)| turn.split_once('_')).is_some_and(|(pid, turn)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(pid) && digits(turn) && !Path::new("/proc").join(pid).exists()
    })
}

/// Makes a private file (0600) that was not there. A link of that name is not followed: it is an error.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`.
pub fn create_new(path: &Path) -> Result<File> {
    new_file(path).map_err(|error| denied("create", path, &error))
}

fn new_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?))
}

/// Makes a folder that only we may enter (0700), with the folders around it; one that is there stays as it is.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`.
pub fn private_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| denied("create", path, &error))
}

/// Puts the name of a file or folder on the disk.
///
/// # Errors
/// `io_failed`.
pub fn sync_parent(path: &Path) -> Result<()> {
    sync(path.parent().unwrap_or(Path::new("/")))
}

/// Puts the content of a file, or the names in a folder, on the disk.
///
/// # Errors
/// `io_failed`.
pub fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).doing(|| format!("fsync {}", path.display()))
}

/// Opens the file of a lock, made if need be.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`.
pub fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|error| denied("create", path, &error))
}

/// Takes the lock of an open file; false when another process has it. flock(2): it belongs to the open file and goes with its last
/// descriptor, where fcntl's would vanish as soon as any descriptor of the file is closed.
///
/// # Errors
/// `io_failed`.
pub fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error).doing(|| format!("lock {}", path.display())),
    }
}

/// Frees the lock of an open file, whoever else has a descriptor of it.
pub fn unlock(file: impl std::os::fd::AsFd) {
    // Nothing that can go wrong with an open file.
    let _ = flock(file, FlockOperation::Unlock);
}

/// Opens and locks a file; `None` when another process has the lock.
///
/// # Errors
/// `disk_full`, `forbidden`, `io_failed`.
pub fn try_lock_file(path: &Path) -> Result<Option<File>> {
    let file = open_lock(path)?;
    Ok(try_lock(&file, path)?.then_some(file))
}

/// Whether somebody holds the lock of a file. Only looks: no file is made, and whoever asks at the same time gets the same answer,
/// since a shared lock keeps no other shared one out. A file that cannot be opened counts as locked: nobody may be taken for gone
/// because we ran out of descriptors.
pub fn is_locked(path: &Path) -> bool {
    match open_regular(path) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockShared).is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// The same as [`try_lock_file`], waiting so long for another process.
///
/// # Errors
/// As [`try_lock_file`]; `busy` when the time is over.
pub fn lock_file(path: &Path, patience: Duration) -> Result<File> {
    let until = Instant::now() + patience;
    loop {
        match try_lock_file(path)? {
            Some(file) => return Ok(file),
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            None => return Err(Error::new(Code::Busy, format!("another process holds {}", path.display()))),
        }
    }
}

fn denied(verb: &str, path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Error::new(Code::Forbidden, format!("no right to {verb} {}", path.display()))
                .with("path", path.display().to_string())
        }
        _ => Error::io(format!("{verb} {}", path.display()), error),
    }
}

/// Opens a regular file for reading. Its last name is not followed where it is a link, and nothing is waited for: a FIFO or a device
/// of that name is no file.
///
/// # Errors
/// What the system says; `InvalidInput` for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
}

/// Whether nobody but us, or root, can have written it.
pub fn is_ours(metadata: &Metadata) -> bool {
    let owner = metadata.uid();
    (owner == 0 || owner == rustix::process::geteuid().as_raw()) && metadata.mode() & 0o022 == 0
}

/// The same as [`open_regular`], of a file that is ours.
///
/// # Errors
/// What the system says; `PermissionDenied` for a file that somebody else may have written.
pub fn open_ours(path: &Path) -> io::Result<File> {
    let file = open_regular(path)?;
    if is_ours(&file.metadata()?) {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write to it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(open_regular(&at("file")).is_ok());
        for bad in ["link", "fifo", "none", "."] {
            assert!(open_regular(&at(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_others_may_write_is_not_ours() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, ours) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(open_ours(file.path()).is_ok(), ours, "{mode:o}");
        }
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(file.path(), Some(4242), None).unwrap();
        assert!(open_ours(file.path()).is_err());
    }

    #[test]
    fn a_file_is_written_as_a_whole_and_nothing_stays_beside_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        for (round, durable) in [Durable::Nothing, Durable::Content, Durable::Whole].into_iter().enumerate() {
            write_file(&path, round.to_string().as_bytes(), durable).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), round.to_string());
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        // A link is replaced, what it leads to is not written.
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "kept").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        write_file(&path, b"new", Durable::Nothing).unwrap();
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "kept");
        assert!(create_new(&path).is_err());
        assert!(write_file(&folder.path().join("none/x"), b"", Durable::Whole).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_ne!(beside(&path), beside(&path));
        let name = beside(&path).file_name().unwrap().to_str().unwrap().to_owned();
        let dead = name.replace(&std::process::id().to_string(), "4194999");
        assert!(!is_dead_draft(&name) && is_dead_draft(&dead), "{name} {dead}");
        for other in ["status.json", ".index.json", ".x.1_a.tmp", ".x.tmp", "x.1_2.tmp"] {
            assert!(!is_dead_draft(other), "{other}");
        }
    }

    #[test]
    fn a_lock_has_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = try_lock_file(&path).unwrap().unwrap();
        assert!(try_lock_file(&path).unwrap().is_none());
        assert_eq!(lock_file(&path, Duration::from_millis(10)).unwrap_err().code, Code::Busy);
        let again = held.try_clone().unwrap();
        drop(held);
        assert!(try_lock_file(&path).unwrap().is_none(), "another descriptor of it holds it");
        assert!(is_locked(&path));
        assert!(lock_file(&path, Duration::ZERO).is_err());
        drop(again);
        assert!(lock_file(&path, Duration::ZERO).is_ok());
        assert!(!is_locked(&path));
        // A question makes no file.
        assert!(!is_locked(&folder.path().join("none")));
        assert!(!folder.path().join("none").exists());
        std::os::unix::fs::symlink("lock", folder.path().join("link")).unwrap();
        assert!(is_locked(&folder.path().join("link")), "what cannot be opened may be locked");
    }
}
