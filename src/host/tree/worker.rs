//! A thread that writes batches into the tree.

use super::made::{create_file, times, writing};
use super::manifest::Replaced;
use super::pool::{Attributes, Batch, Large, Piece};
use super::unchanged::{Comparer, Live};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::progress::{Level, Monitor, Phase};
use crossbeam_channel::{Receiver, Sender};
use rustix::fs::{Gid, Mode, Uid, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What the threads of one writer share.
pub(crate) struct Shared {
    pub(crate) monitor: Arc<dyn Monitor>,
    pub(crate) replaced: Mutex<Replaced>,
    /// The live tree, where files that are there already are not written.
    pub(crate) live: Option<Arc<Live>>,
    failure: Mutex<Option<Error>>,
    failed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(monitor: Arc<dyn Monitor>, live: Option<Arc<Live>>) -> Shared {
        Shared { monitor, replaced: Mutex::default(), live, failure: Mutex::default(), failed: AtomicBool::new(false) }
    }

    pub(crate) fn fail(&self, error: Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.failed.store(true, Ordering::Release);
    }

    /// The first error of any thread.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        Err(failure.clone().unwrap_or_else(|| Error::new(Code::Internal, "a writer failed without an error")))
    }

    pub(crate) fn note_replaced(&self, path: &RelPath, record: u64) -> Result<()> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner).note(path, record)
    }
}

/// Writes batches until no more come, and sends each back.
pub(crate) fn run(shared: &Shared, work: &Receiver<Batch>, home: &Sender<Batch>) {
    exact_modes();
    let mut comparer = shared.live.clone().map(Comparer::new);
    for mut batch in work {
        if shared.check().is_err() {
            batch.pieces.clear();
        } else if let Err(error) = write_batch(shared, comparer.as_mut(), &mut batch) {
            shared.fail(error);
        }
        batch.pieces.clear();
        if home.send(batch).is_err() {
            return;
        }
    }
}

/// Gives this thread a umask of its own, so that files are made with their final mode. Where that is refused,
/// [`complete`] sets the mode.
pub(crate) fn exact_modes() {
    // SAFETY: unsharing the filesystem attributes (umask, working directory) of this thread changes no descriptor and
    // no memory; nothing here relies on a working directory shared with other threads.
    if unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::FS) }.is_ok() {
        rustix::process::umask(Mode::empty());
    }
}

fn write_batch(shared: &Shared, mut comparer: Option<&mut Comparer>, batch: &mut Batch) -> Result<()> {
    let (mut start, mut files, mut bytes) = (0, 0, 0);
    for piece in batch.pieces.drain(..) {
        match piece {
            Piece::Small { folder, path, record, length, attributes } => {
                let content = &batch.data[start..start + length];
                start += length;
                files += 1;
                bytes += length as u64;
                let compared = comparer.as_mut();
                let taken = compared.map(|live| live.takes(folder.as_fd(), &path, content, &attributes)).transpose()?;
                if let Some(taken) = taken.flatten() {
                    if taken.replaced {
                        shared.note_replaced(&path, record)?;
                    }
                    continue;
                }
                let (mut file, replaced) = create_file(folder.as_fd(), &path, attributes.mode)?;
                if replaced {
                    shared.note_replaced(&path, record)?;
                }
                file.write_all(content).map_err(|error| writing(&path, &error))?;
                complete(shared, &file, &path, &attributes)?;
            }
            Piece::Part { large, offset, length } => {
                let content = &batch.data[start..start + length];
                large.file.write_all_at(content, offset).map_err(|error| writing(&large.path, &error))?;
                start_writeback(&large.file, offset, length as u64);
                if offset + length as u64 == large.size {
                    large.end_written.store(true, Ordering::Relaxed);
                }
                start += length;
                bytes += length as u64;
                files += u64::from(release(shared, large)?);
            }
        }
    }
    shared.monitor.advance(Phase::Files, files, bytes);
    Ok(())
}

/// Lets go of a large file; whoever does so last completes it and is told so.
pub(crate) fn release(shared: &Shared, large: Arc<Large>) -> Result<bool> {
    let Some(large) = Arc::into_inner(large) else { return Ok(false) };
    if !large.end_written.load(Ordering::Relaxed) {
        large.file.set_len(large.size).map_err(|error| writing(&large.path, &error))?;
    }
    complete(shared, &large.file, &large.path, &large.attributes)?;
    Ok(true)
}

/// Sets what the file does not have yet: owner, mode, attributes, and last its time.
fn complete(shared: &Shared, file: &File, path: &RelPath, attributes: &Attributes) -> Result<()> {
    let set = || -> rustix::io::Result<()> {
        let stat = rustix::fs::fstat(file)?;
        let (uid, gid) = attributes.owner;
        if (stat.st_uid, stat.st_gid) != (uid, gid) {
            rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        if stat.st_mode & 0o7777 != attributes.mode {
            rustix::fs::fchmod(file, Mode::from_raw_mode(attributes.mode))?;
        }
        for (name, value) in &attributes.xattrs {
            match rustix::fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
                Err(Errno::NOTSUP | Errno::NOSPC | Errno::TOOBIG | Errno::RANGE) => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    shared.monitor.event(
                        Level::Warn,
                        &format!("{:?}: the filesystem does not take attribute {name:?}", path.to_string()),
                    );
                }
                other => other?,
            }
        }
        rustix::fs::futimens(file, &times(attributes.mtime))
    };
    set().map_err(|error| Error::io(format_args!("set the attributes of {:?}", path.to_string()), &error.into()))
}

/// Tells the kernel to begin writing this range to the disk: the sync at the end then has less to wait for.
fn start_writeback(file: &File, offset: u64, length: u64) {
    use std::os::fd::AsRawFd;
    // SAFETY: takes a descriptor that is open here and plain numbers; touches no memory of ours. The result is not
    // needed: it only speeds up the later syncfs, which reports every error.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), offset as i64, length as i64, libc::SYNC_FILE_RANGE_WRITE);
    }
}
