//! What a job tells while it works. The engine never prints; it speaks to a [`Monitor`].

use crate::error::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

/// The parts of a job a user sees as boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Extracting, or compressing, or reading files. Items are entries, bytes are file content.
    Files,
    /// Loading or dumping the database. Items are rows, bytes are dump text.
    Database,
    /// Rendering and testing configuration. Items are files.
    Config,
    /// Verification, staged and live. Items are checks or entries, bytes are file content read back.
    Verify,
}

impl Phase {
    /// Every phase in the order it is shown.
    pub const ALL: [Phase; 4] = [Phase::Files, Phase::Database, Phase::Config, Phase::Verify];
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// What happened.
    Info,
    /// Something was adapted, stripped or left out.
    Warn,
    /// Something failed.
    Error,
}

/// Receives progress; cheap enough to be called for every file and every batch of rows, from any thread.
pub trait Monitor: Send + Sync {
    /// A phase begins.
    fn begin(&self, _: Phase) {}
    /// A phase has done all it had to do.
    fn finish(&self, _: Phase) {}
    /// Sets what a phase is expected to do in all. May be called again when more is known.
    fn set_total(&self, phase: Phase, items: u64, bytes: u64);
    /// Adds what was done.
    fn advance(&self, phase: Phase, items: u64, bytes: u64);
    /// Takes back what a phase has done: it is done once more.
    fn anew(&self, _: Phase) {}
    /// Names what is being worked on.
    fn current(&self, phase: Phase, item: &str);
    /// A line for the log and the event list. Never a secret.
    fn event(&self, level: Level, message: &str);
    /// Asked between steps of work, at least every 100 ms of it.
    ///
    /// # Errors
    /// `cancelled` or `timed_out` when the work is to stop.
    fn keep_going(&self) -> Result<()>;
}

/// Finishes the phases that a job has not touched, so that no box stays half-way.
pub fn finish_all(monitor: &dyn Monitor) {
    for phase in Phase::ALL {
        monitor.finish(phase);
    }
}

/// A monitor of sides that work together: when one fails, the others stop.
pub struct Linked<M> {
    inner: M,
    stopped: AtomicBool,
}

impl<M> Linked<M> {
    /// Passes everything on to `inner`.
    pub fn new(inner: M) -> Linked<M> {
        Linked { inner, stopped: AtomicBool::new(false) }
    }

    /// Stops all sides.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Stops the other sides if this one failed.
    pub fn note<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|_| self.stop())
    }
}

impl<M: Deref<Target: Monitor> + Send + Sync> Monitor for Linked<M> {
    fn begin(&self, phase: Phase) {
        self.inner.begin(phase);
    }
    fn finish(&self, phase: Phase) {
        self.inner.finish(phase);
    }
    fn set_total(&self, phase: Phase, items: u64, bytes: u64) {
        self.inner.set_total(phase, items, bytes);
    }
    fn advance(&self, phase: Phase, items: u64, bytes: u64) {
        self.inner.advance(phase, items, bytes);
    }
    fn anew(&self, phase: Phase) {
        self.inner.anew(phase);
    }
    fn current(&self, phase: Phase, item: &str) {
        self.inner.current(phase, item);
    }
    fn event(&self, level: Level, message: &str) {
        self.inner.event(level, message);
    }
    /// A consequence once another side has failed, else what the inner monitor says.
    fn keep_going(&self) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Error::consequence(Code::Cancelled, "stopped: the other side failed"));
        }
        self.inner.keep_going()
    }
}

/// A monitor that drops everything and never stops the work.
#[derive(Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn set_total(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: Phase, _: u64, _: u64) {}
    fn current(&self, _: Phase, _: &str) {}
    fn event(&self, _: Level, _: &str) {}
    fn keep_going(&self) -> Result<()> {
        Ok(())
    }
}
