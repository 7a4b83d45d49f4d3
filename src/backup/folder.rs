//! A folder as a backup: its entries by handles, links not followed, in the order of their names.

use crate::archive::{Entries, Entry, EntryKind, Limits, Spent, corrupt, wrap};
use crate::backup::identity::Identity;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::tree::walk::Next;
use crate::host::tree::{self, Kind};
use crate::path::RelPath;
use rustix::fs::{AtFlags, OFlags, Stat};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

/// Entries of a folder. Only their paths are held.
pub struct FolderReader<'a> {
    root: BorrowedFd<'a>,
    paths: std::vec::IntoIter<Vec<u8>>,
    limits: Limits,
    spent: Spent,
    offset: u64,
    content: Option<(File, Identity)>,
    left: u64,
}

impl<'a> FolderReader<'a> {
    /// Looks at the names.
    ///
    /// # Errors
    /// `limit_exceeded`, `io_failed`.
    pub fn open(root: BorrowedFd<'a>, limits: Limits) -> Result<FolderReader<'a>> {
        let mut paths = Vec::new();
        tree::walk(root, &mut |visit| {
            if paths.len() as u64 >= limits.entries {
                let most = limits.entries;
                return Err(Error::new(Code::LimitExceeded, format!("the backup has over {most} entries"))
                    .with("max_entries", most));
            }
            if !visit.path.is_empty() {
                paths.push(visit.path.to_vec());
            }
            Ok(Next::Into)
        })?;
        let paths = paths.into_iter();
        Ok(FolderReader { root, paths, limits, spent: Spent::default(), offset: 0, content: None, left: 0 })
    }

    fn entry(&mut self, path: Vec<u8>) -> Result<Option<Entry>> {
        let place = RelPath::parse(&path)?;
        let shown = || format!("read {place}");
        let (around, name) = place.split_last().unwrap_or_default();
        let Ok(folder) = tree::open_folder_beneath(self.root, &around) else { return Ok(None) };
        let name = std::ffi::OsStr::from_bytes(name);
        let stat = match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            other => other.doing(shown)?,
        };
        let mut entry = Entry {
            path,
            kind: EntryKind::Folder,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: (stat.st_mtime, stat.st_mtime_nsec as u32),
            size: 0,
            stored: 0,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        };
        match tree::kind::kind_of(stat.st_mode) {
            Kind::Folder => {}
            Kind::Symlink => {
                let target = rustix::fs::readlinkat(&folder, name, Vec::new()).doing(shown)?;
                entry.kind = EntryKind::Symlink(target.into_bytes());
            }
            Kind::Special => entry.kind = EntryKind::Special((stat.st_mode >> 12 & 0xf) as u8),
            Kind::File => {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
                let file = File::from(tree::open_beneath(folder.as_fd(), &RelPath::parse(name.as_bytes())?, flags)?);
                let metadata = file.metadata().doing(shown)?;
                let around = rustix::fs::fstat(&folder).doing(shown)?;
                require_own(&around, &rustix::fs::fstat(&file).doing(shown)?, &place.to_string())?;
                if tree::kind::kind_of(metadata.mode()) != Kind::File {
                    return Err(corrupt(format_args!("{place} became something else while it was read")));
                }
                (entry.kind, entry.size, entry.stored) = (EntryKind::File, metadata.len(), metadata.len());
                (self.content, self.left) = (Some((file, Identity::from_metadata(&metadata))), metadata.len());
            }
        }
        self.spent.entries += 1;
        self.spent.bytes = self.spent.bytes.saturating_add(entry.size);
        if self.spent.bytes > self.limits.bytes {
            let most = self.limits.bytes;
            return Err(
                Error::new(Code::LimitExceeded, format!("the backup has over {most} bytes")).with("max_bytes", most)
            );
        }
        Ok(Some(entry))
    }
}

impl Entries for FolderReader<'_> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        (self.content, self.left) = (None, 0);
        while let Some(path) = self.paths.next() {
            if let Some(entry) = self.entry(path)? {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn spent(&self) -> Spent {
        self.spent
    }

    fn spend(&mut self, inner: Spent) {
        self.spent.add(inner);
    }
}

impl Read for FolderReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(into.len() as u64) as usize;
        let Some((file, identity)) = self.content.as_mut().filter(|_| most > 0) else { return Ok(0) };
        let count = file.read(&mut into[..most])?;
        if count == 0 {
            return Err(wrap(corrupt("a file of the folder became shorter while it was read")));
        }
        self.left -= count as u64;
        self.offset += count as u64;
        if self.left == 0 && Identity::of(file)? != *identity {
            let message = "a file of the folder was written to while it was read";
            return Err(wrap(Error::new(Code::BackupChanged, message).hint("Try again when nothing writes to it.")));
        }
        Ok(count)
    }
}

/// Refuses a file with a second name in a folder where another than its owner may have given it that name: he would have a file read to
/// him that he cannot read.
///
/// # Errors
/// `unsafe_path`.
pub(super) fn require_own(folder: &Stat, file: &Stat, shown: &str) -> Result<()> {
    let others_write = folder.st_uid != 0 || folder.st_mode & 0o022 != 0;
    let is_file = tree::kind::kind_of(file.st_mode) == Kind::File;
    if !(is_file && others_write && file.st_nlink > 1 && file.st_uid != folder.st_uid) {
        return Ok(());
    }
    let message = format!("{shown} has a second name elsewhere, and its owner is not that of the folder around it");
    Err(Error::new(Code::UnsafePath, message)
        .hint("Whoever can write to the folder may have linked it there. Copy it to a folder of root's, if it is what you mean.")
        .with("path", shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_linked_into_his_folder_is_not_read_to_him() {
        let place = tempfile::tempdir().unwrap();
        let his = place.path().join("his");
        std::fs::create_dir(&his).unwrap();
        std::fs::write(place.path().join("secret"), "roots").unwrap();
        std::fs::hard_link(place.path().join("secret"), his.join("www")).unwrap();
        let read = || {
            let root = tree::open_folder(&his).unwrap();
            let mut reader = FolderReader::open(root.as_fd(), Limits::default()).unwrap();
            reader.next_entry().map(|entry| entry.is_some())
        };
        assert!(read().unwrap(), "root's own folder");
        std::os::unix::fs::chown(&his, Some(4242), None).unwrap();
        assert_eq!(read().unwrap_err().code, Code::UnsafePath);
        std::os::unix::fs::chown(his.join("www"), Some(4242), None).unwrap();
        assert!(read().unwrap(), "his own file");
        std::fs::remove_file(place.path().join("secret")).unwrap();
        std::os::unix::fs::chown(his.join("www"), Some(0), None).unwrap();
        assert!(read().unwrap(), "it has no other name");
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("a"), vec![b'x'; 1000]).unwrap();
        let root = tree::open_folder(place.path()).unwrap();
        let mut reader = FolderReader::open(root.as_fd(), Limits::default()).unwrap();
        reader.next_entry().unwrap();
        reader.read_exact(&mut [0; 500]).unwrap();
        std::fs::write(place.path().join("a"), vec![b'y'; 1000]).unwrap();
        let mut rest = Vec::new();
        let changed = crate::archive::unwrap_io(reader.read_to_end(&mut rest).unwrap_err());
        assert_eq!(changed.code, Code::BackupChanged);
    }
}
