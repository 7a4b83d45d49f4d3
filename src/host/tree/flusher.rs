//! A thread that keeps the disk busy while a tree is being written, so that the sync before the commit has little left
//! to wait for. The kernel itself would not begin before half a minute, or before a tenth of the memory is dirty.

use super::worker::Shared;
use crate::error::{Error, IoContext, Result};
use crossbeam_channel::{RecvTimeoutError, Sender};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes, or files, written between two rounds; a round that lasts longer is followed by the next at once.
const ROUND_BYTES: u64 = 32 << 20;
const ROUND_ENTRIES: u64 = 4096;
/// When nothing was asked for this long, what is left is written: the database may be loading for minutes.
const QUIET: Duration = Duration::from_millis(200);

pub(crate) struct Flusher {
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    seen: (u64, u64),
    /// Something was written since the last round began.
    dirty: Arc<AtomicBool>,
}

impl Flusher {
    /// Starts the thread; `folder` is of a description of its own, so that it takes no error from a later sync.
    pub(crate) fn start(folder: OwnedFd, shared: Arc<Shared>) -> Result<Flusher> {
        // one round may wait while another runs
        let (wake, rounds) = crossbeam_channel::bounded(1);
        let dirty = Arc::new(AtomicBool::new(false));
        let unwritten = dirty.clone();
        let thread = std::thread::Builder::new()
            .name("tree-flush".into())
            .stack_size(128 << 10)
            .spawn(move || {
                while rounds.recv_timeout(QUIET) != Err(RecvTimeoutError::Disconnected) {
                    if shared.check().is_err() || !unwritten.swap(false, Ordering::AcqRel) {
                        continue;
                    }
                    if let Err(error) = rustix::fs::syncfs(&folder) {
                        shared.fail(Error::io("write the staged files to the disk (syncfs)", &error.into()));
                    }
                }
            })
            .doing(|| "start a thread".into())?;
        Ok(Flusher { wake: Some(wake), thread: Some(thread), seen: (0, 0), dirty })
    }

    /// Tells how much was written so far.
    pub(crate) fn progress(&mut self, entries: u64, bytes: u64) {
        self.dirty.store(true, Ordering::Release);
        if entries < self.seen.0 + ROUND_ENTRIES && bytes < self.seen.1 + ROUND_BYTES {
            return;
        }
        if self.wake.as_ref().is_some_and(|wake| wake.try_send(()).is_ok()) {
            self.seen = (entries, bytes);
        }
    }

    /// Waits for the round that runs.
    pub(crate) fn stop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.stop();
    }
}
