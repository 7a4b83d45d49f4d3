//! Files that are live as the backup has them. The staged tree gets another name of each in place of a copy, until it is known what
//! changes places: see [`apart`](super::apart()). A file counts by every byte, not by size and time alone: intruders keep times.

use super::handle::{open_here, resolve, stat_here};
use super::kind::{Kind, kind_of};
use super::made;
use super::pool::{Attributes, BATCH_BYTES};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::Xxh3;

/// The live tree, to compare with.
pub(crate) struct Live {
    root: Arc<OwnedFd>,
    /// Comparing ends when more files than these differ: then the tree is exchanged as a whole, and needs each of its files.
    limit: u64,
    different: AtomicU64,
    files: AtomicU64,
}

impl Live {
    pub(crate) fn new(root: Arc<OwnedFd>, limit: u64) -> Live {
        Live { root, limit, different: AtomicU64::new(0), files: AtomicU64::new(0) }
    }

    /// Files that are unchanged so far.
    pub(crate) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// No further file is compared.
    pub(crate) fn give_up(&self) {
        self.different.fetch_max(self.limit.saturating_add(1), Ordering::Relaxed);
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }
}

/// What one thread compares with.
pub(crate) struct Comparer {
    live: Arc<Live>,
    /// The live folder that was asked for last; `None` in it: it is not there.
    folder: Option<(RelPath, Option<OwnedFd>)>,
    buffer: Vec<u8>,
}

/// A live file that is of the right size, owner, mode, time and attributes.
pub(crate) struct Candidate {
    file: File,
    ino: u64,
}

impl Comparer {
    pub(crate) fn new(live: Arc<Live>) -> Comparer {
        Comparer { live, folder: None, buffer: Vec::new() }
    }

    /// Whether the live file at `path` has this content: then `folder` has another name of it.
    ///
    /// # Errors
    /// `io_failed` for the staged side. What keeps the live side from being looked at is no error: that file is written.
    pub(crate) fn takes(
        &mut self,
        folder: BorrowedFd,
        path: &RelPath,
        content: &[u8],
        attributes: &Attributes,
    ) -> Result<Option<Taken>> {
        let Some(candidate) = self.candidate(path, content.len() as u64, attributes) else { return Ok(None) };
        if !self.has(&candidate, 0, content) {
            return Ok(None);
        }
        self.take(&candidate, folder, path)
    }

    pub(crate) fn candidate(&mut self, path: &RelPath, size: u64, wanted: &Attributes) -> Option<Candidate> {
        if self.live.different.load(Ordering::Relaxed) > self.live.limit {
            return None;
        }
        let folder = self.folder_of(path)?;
        let candidate = look(folder, path.last_name(), size, wanted);
        if let Ok(None) = &candidate {
            self.live.different.fetch_add(1, Ordering::Relaxed);
        }
        // One that is not there is no difference that counts: a folder that is gone comes back as one.
        candidate.ok().flatten()
    }

    /// Whether a live file has these bytes there.
    pub(crate) fn has(&mut self, candidate: &Candidate, offset: u64, content: &[u8]) -> bool {
        self.buffer.resize(BATCH_BYTES, 0);
        let mut at = offset;
        let same = content.chunks(BATCH_BYTES).all(|piece| {
            let here = &mut self.buffer[..piece.len()];
            let same = candidate.file.read_exact_at(here, at).is_ok() && here == piece;
            at += piece.len() as u64;
            same
        });
        if !same {
            self.live.different.fetch_add(1, Ordering::Relaxed);
        }
        same
    }

    /// Gives a live file that has all of the content its name in the staged tree. `None`: the system gives it none.
    pub(crate) fn take(&mut self, candidate: &Candidate, staged: BorrowedFd, path: &RelPath) -> Result<Option<Taken>> {
        let Some(live) = self.folder_of(path) else { return Ok(None) };
        let name = path.last_name();
        let link = || rustix::fs::linkat(live, name, staged, name, AtFlags::empty());
        let mut made = link();
        let replaced = made == Err(Errno::EXIST);
        if replaced {
            made::give_way(staged, path)?;
            made = link();
        }
        if made.is_err() {
            self.live.different.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        // The site may have put another file there since.
        let there = stat_here(staged, name).map_err(|error| made::writing(path, &error.into()))?;
        if there.is_none_or(|there| there.st_ino != candidate.ino) {
            made::give_way(staged, path)?;
            return Ok(None);
        }
        self.live.files.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Taken { replaced }))
    }

    fn folder_of(&mut self, path: &RelPath) -> Option<BorrowedFd<'_>> {
        let (folder, _) = path.split_last()?;
        if self.folder.as_ref().is_none_or(|(known, _)| *known != folder) {
            let handle = resolve(self.live.root.as_fd(), &folder, OFlags::PATH | OFlags::DIRECTORY).ok();
            self.folder = Some((folder, handle));
        }
        self.folder.as_ref().and_then(|(_, handle)| handle.as_ref()).map(AsFd::as_fd)
    }
}

/// What was taken took the place of an earlier entry of its path, or not.
pub(crate) struct Taken {
    pub(crate) replaced: bool,
}

impl Candidate {
    /// Copies the first `length` bytes, which were found to be those of the archive.
    ///
    /// # Errors
    /// `io_failed`, also where the site has changed them since.
    pub(crate) fn copy_head(&self, into: &mut File, length: u64, hash: &Xxh3, path: &RelPath) -> Result<()> {
        let mut buffer = vec![0; BATCH_BYTES];
        let (mut at, mut copied) = (0, Xxh3::new());
        while at < length {
            let piece = &mut buffer[..(length - at).min(BATCH_BYTES as u64) as usize];
            self.file.read_exact_at(piece, at).map_err(|error| changed(path, &error.to_string()))?;
            copied.update(piece);
            into.write_all(piece).map_err(|error| made::writing(path, &error))?;
            at += piece.len() as u64;
        }
        match copied.digest() == hash.digest() {
            true => Ok(()),
            false => Err(changed(path, "its bytes are others by now")),
        }
    }
}

fn changed(path: &RelPath, why: &str) -> Error {
    let shown = path.to_string();
    Error::new(Code::IoFailed, format!("the live file {shown:?} changed while it was compared with the backup: {why}"))
        .hint("The site is as it was. Start again.")
        .with("path", shown)
}

/// The live file of a name, if nothing but its content is left to compare.
fn look(folder: BorrowedFd, name: &[u8], size: u64, wanted: &Attributes) -> rustix::io::Result<Option<Candidate>> {
    let Some(stat) = stat_here(folder, name)? else { return Err(Errno::NOENT) };
    if !is_alike(&stat, size, wanted) {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let Ok(file) = open_here(folder, name, flags | OFlags::NOATIME).or_else(|_| open_here(folder, name, flags)) else {
        return Ok(None);
    };
    // The one that was opened.
    let stat = rustix::fs::fstat(&file)?;
    if !is_alike(&stat, size, wanted) || !has_attributes(&file, &wanted.xattrs) {
        return Ok(None);
    }
    Ok(Some(Candidate { file: File::from(file), ino: stat.st_ino }))
}

/// A file with other names could be written to by them.
fn is_alike(stat: &rustix::fs::Stat, size: u64, wanted: &Attributes) -> bool {
    let (seconds, nanoseconds) = wanted.mtime;
    kind_of(stat.st_mode) == Kind::File
        && stat.st_nlink == 1
        && stat.st_size as u64 == size
        && stat.st_mode & 0o7777 == wanted.mode
        && (stat.st_uid, stat.st_gid) == wanted.owner
        && stat.st_mtime == seconds
        // Most archives know no parts of a second.
        && (nanoseconds == 0 || stat.st_mtime_nsec as u32 == nanoseconds)
}

/// Access lists and capabilities are attributes, too.
fn has_attributes(file: &OwnedFd, wanted: &[(Vec<u8>, Vec<u8>)]) -> bool {
    let mut names = [0; 4 << 10];
    let length = match rustix::fs::flistxattr(file, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(_) => return false,
    };
    if length == 0 {
        return wanted.is_empty();
    }
    let mut value = vec![0; 64 << 10];
    let mut found = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut count = 0;
    found.all(|name| {
        count += 1;
        let length = rustix::fs::fgetxattr(file, name, &mut value[..]);
        wanted.iter().any(|(known, content)| known == name && length.is_ok_and(|length| value[..length] == *content))
    }) && count == wanted.len()
}
