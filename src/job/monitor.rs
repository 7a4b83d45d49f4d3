//! The monitor of a worker: it counts, writes the status, and never goes back.

use crate::error::{Code, Error, Result};
use crate::host::process;
use crate::job::State;
use crate::job::estimate::{Rates, Taken};
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::Fence;
use crate::job::status::{Event, Io, PhaseState, PhaseStatus, Status};
use crate::job::ticket::Ticket;
use crate::progress::{Level, Monitor, Phase};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Counters {
    items: AtomicU64,
    bytes: AtomicU64,
    items_total: AtomicU64,
    bytes_total: AtomicU64,
    current: Mutex<String>,
    time: Mutex<Span>,
    skipped: AtomicBool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Span {
    begun: Option<Instant>,
    finished: Option<Instant>,
}

#[derive(Debug)]
struct EventLog {
    events: File,
    log: Option<File>,
    next: u64,
}

#[derive(Debug)]
struct Published {
    state: State,
    percent: f64,
    io_at: Instant,
    io_then: (u64, u64),
    io: Io,
}

/// The monitor of a worker: counters in memory, `status.json` ten times a second, `events.jsonl` and log at once.
#[derive(Debug)]
pub struct JobMonitor {
    folder: JobFolder,
    base: Status,
    started: Instant,
    deadline: Option<Instant>,
    rates: Rates,
    boxes: [Counters; 4],
    event_log: Mutex<EventLog>,
    published: Mutex<Published>,
    publishing: Mutex<()>,
    cancelled: AtomicBool,
    shielded: AtomicBool,
    fence: Mutex<Option<Fence>>,
}

impl JobMonitor {
    /// A monitor that writes into the job's folder and, where given, into a human log.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn new(
        folder: &JobFolder,
        ticket: &Ticket,
        log: Option<File>,
        time_limit: Option<Duration>,
    ) -> Result<JobMonitor> {
        let path = folder.join(file::EVENTS);
        let events = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| Error::io(format!("create {}", path.display()), &error))?;
        let now = Instant::now();
        Ok(JobMonitor {
            folder: folder.clone(),
            base: Status::queued(ticket),
            started: now,
            deadline: time_limit.map(|limit| now + limit),
            rates: Rates::load(&ticket.config),
            boxes: Default::default(),
            event_log: Mutex::new(EventLog { events, log, next: 1 }),
            published: Mutex::new(Published {
                state: State::Queued,
                percent: 0.0,
                io_at: now,
                io_then: process::io_counters(),
                io: Io::default(),
            }),
            publishing: Mutex::new(()),
            cancelled: AtomicBool::new(false),
            shielded: AtomicBool::new(false),
            fence: Mutex::new(
                ticket
                    .domain
                    .as_ref()
                    .filter(|_| ticket.kind.is_exclusive())
                    .map(|domain| Fence::of(&ticket.config, domain)),
            ),
        })
    }

    /// Call just before releasing the domain's lock. Afterwards another worker may hold it, so the fence no longer checks it.
    pub fn lower_fence(&self) {
        *locked(&self.fence) = None;
    }

    /// True unless somebody took this worker for dead and recovers its job.
    pub fn is_still_ours(&self) -> bool {
        locked(&self.fence).as_ref().is_none_or(Fence::stands)
    }

    /// Moves the job to a state and shows it.
    pub fn enter(&self, state: State) {
        locked(&self.published).state = state;
        self.publish();
    }

    /// From here on a cancel or the time limit no longer interrupts: the change-over or its undoing must end.
    pub fn shield(&self, on: bool) {
        self.shielded.store(on, Ordering::Relaxed);
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Bytes and seconds that a phase has taken.
    pub fn taken(&self, phase: Phase) -> Taken {
        let of = self.of(phase);
        Taken { bytes: of.bytes.load(Ordering::Relaxed), seconds: span_seconds(*locked(&of.time)) }
    }

    /// Looks for a cancel and writes `status.json`; called by the worker's ticker.
    pub fn tick(&self) {
        if process::stop_asked() || self.folder.join(file::CANCEL).exists() {
            let first = !self.cancelled.swap(true, Ordering::Relaxed);
            if first && !self.shielded.load(Ordering::Relaxed) {
                locked(&self.published).state = State::Cancelling;
            }
        }
        self.publish();
    }

    /// Writes `status.json` as things stand. A full disk must not stop a rollback, so a failure is left to the next tick.
    pub fn publish(&self) {
        // The ticker and the engine both come here: one file is written at a time, and never an older one over a newer.
        let _turn = locked(&self.publishing);
        // Once a recovery of this job has begun, only the recovery writes its status.
        if !self.is_still_ours() {
            return;
        }
        self.measure();
        let status = self.status();
        let _ = self.folder.write_volatile(file::STATUS, &status);
    }

    /// Takes the measures that are published: the percentage, which never goes back, and the rates of the last second.
    fn measure(&self) {
        let mut published = locked(&self.published);
        published.percent = match published.state {
            State::Done => 100.0,
            _ => self.percent().clamp(published.percent, 99.9),
        };
        let since = published.io_at.elapsed().as_secs_f64();
        if since >= 1.0 || (published.io.read_mb_s == 0.0 && since >= 0.1) {
            let now = process::io_counters();
            let rate = |new: u64, old: u64| (new.saturating_sub(old) as f64 / since / 1e5).round() / 10.0;
            let (read, write) = (rate(now.0, published.io_then.0), rate(now.1, published.io_then.1));
            published.io = Io { total_mb_s: tenth(read + write), read_mb_s: read, write_mb_s: write };
            published.io_then = now;
            published.io_at = Instant::now();
        }
    }

    /// The status, as it was last measured.
    pub fn status(&self) -> Status {
        let (state, percent, io) = {
            let published = locked(&self.published);
            (published.state, published.percent, published.io)
        };
        let elapsed = self.elapsed().as_secs_f64();
        let remaining = if state.is_final() { Some(0.0) } else { remaining(percent, elapsed) };
        Status {
            state,
            percent: tenth(percent),
            phases: Phase::ALL.iter().map(|phase| self.phase_status(*phase)).collect(),
            io,
            elapsed_s: tenth(elapsed),
            remaining_s: remaining,
            last_event: locked(&self.event_log).next - 1,
            ..self.base.clone()
        }
    }

    fn of(&self, phase: Phase) -> &Counters {
        &self.boxes[phase as usize]
    }

    /// Every phase weighs as much as the time it is expected to take.
    fn percent(&self) -> f64 {
        let mut all = 0.0;
        let mut done = 0.0;
        for phase in Phase::ALL {
            let of = self.of(phase);
            let total = of.bytes_total.load(Ordering::Relaxed).max(of.bytes.load(Ordering::Relaxed));
            let expected = of.items_total.load(Ordering::Relaxed) > 0 || total > 0;
            if !expected {
                continue;
            }
            let weight = self.rates.seconds(phase, total).max(0.05);
            all += weight;
            done += weight * self.fraction(phase);
        }
        if all > 0.0 { 100.0 * done / all } else { 0.0 }
    }

    fn fraction(&self, phase: Phase) -> f64 {
        let of = self.of(phase);
        if locked(&of.time).finished.is_some() {
            return 1.0;
        }
        let part = |done: &AtomicU64, total: &AtomicU64| {
            let total = total.load(Ordering::Relaxed);
            (total > 0).then(|| (done.load(Ordering::Relaxed) as f64 / total as f64).min(0.999))
        };
        part(&of.bytes, &of.bytes_total).or_else(|| part(&of.items, &of.items_total)).unwrap_or(0.0)
    }

    /// The phase is no part of this job.
    pub fn skip(&self, phase: Phase) {
        self.of(phase).skipped.store(true, Ordering::Relaxed);
    }

    fn phase_status(&self, phase: Phase) -> PhaseStatus {
        let of = self.of(phase);
        let span = *locked(&of.time);
        let state = match (span.begun, span.finished) {
            _ if of.skipped.load(Ordering::Relaxed) => PhaseState::Skipped,
            (None, _) => PhaseState::Pending,
            (Some(_), None) => PhaseState::Active,
            (Some(_), Some(_)) => PhaseState::Done,
        };
        let elapsed = span_seconds(span);
        let percent = 100.0 * self.fraction(phase);
        let known = |total: &AtomicU64| Some(total.load(Ordering::Relaxed)).filter(|total| *total > 0);
        PhaseStatus {
            phase,
            state,
            items: of.items.load(Ordering::Relaxed),
            items_total: known(&of.items_total),
            bytes: of.bytes.load(Ordering::Relaxed),
            bytes_total: known(&of.bytes_total),
            current: locked(&of.current).clone(),
            elapsed_s: tenth(elapsed),
            remaining_s: if state == PhaseState::Done { Some(0.0) } else { remaining(percent, elapsed) },
            percent: tenth(percent),
        }
    }
}

impl Monitor for JobMonitor {
    fn begin(&self, phase: Phase) {
        let mut time = locked(&self.of(phase).time);
        time.begun.get_or_insert_with(Instant::now);
        time.finished = None;
    }

    fn finish(&self, phase: Phase) {
        let of = self.of(phase);
        let mut time = locked(&of.time);
        time.begun.get_or_insert_with(Instant::now);
        time.finished = Some(Instant::now());
        of.items_total.store(of.items.load(Ordering::Relaxed), Ordering::Relaxed);
        of.bytes_total.store(of.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        locked(&of.current).clear();
    }

    fn set_total(&self, phase: Phase, items: u64, bytes: u64) {
        let of = self.of(phase);
        of.items_total.store(items, Ordering::Relaxed);
        of.bytes_total.store(bytes, Ordering::Relaxed);
    }

    fn advance(&self, phase: Phase, items: u64, bytes: u64) {
        let of = self.of(phase);
        of.items.fetch_add(items, Ordering::Relaxed);
        of.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn anew(&self, phase: Phase) {
        let of = self.of(phase);
        of.items.store(0, Ordering::Relaxed);
        of.bytes.store(0, Ordering::Relaxed);
    }

    fn current(&self, phase: Phase, item: &str) {
        let mut current = locked(&self.of(phase).current);
        current.clear();
        current.push_str(item);
    }

    fn event(&self, level: Level, message: &str) {
        let now = crate::clock::now();
        let mut event_log = locked(&self.event_log);
        let event = Event {
            seq: event_log.next,
            time: now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            level,
            message: message.to_owned(),
        };
        event_log.next += 1;
        if let Ok(mut line) = serde_json::to_vec(&event) {
            line.push(b'\n');
            let _ = event_log.events.write_all(&line);
        }
        let word = match level {
            Level::Info => "info ",
            Level::Warn => "WARN ",
            Level::Error => "ERROR",
        };
        // A name from an archive may hold a newline or escape codes: never let it forge or colour a line.
        let clean = crate::text::printable(message);
        let stamp = now.strftime("%Y-%m-%d %H:%M:%S");
        if let Some(log) = &mut event_log.log {
            let _ = writeln!(log, "{stamp} {word} {clean}");
        }
    }

    fn keep_going(&self) -> Result<()> {
        if self.shielded.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Cancelled, "the job was cancelled"));
        }
        match self.deadline {
            Some(deadline) if Instant::now() > deadline => Err(Error::new(
                Code::TimedOut,
                format!("the job did not finish within {} seconds", (deadline - self.started).as_secs()),
            )),
            _ => Ok(()),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn span_seconds(span: Span) -> f64 {
    let Some(begun) = span.begun else { return 0.0 };
    span.finished.unwrap_or_else(Instant::now).saturating_duration_since(begun).as_secs_f64()
}

fn remaining(percent: f64, elapsed: f64) -> Option<f64> {
    (percent >= 2.0).then(|| tenth(elapsed * (100.0 - percent) / percent))
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::path::Domain;

    fn monitor(limit: Option<Duration>) -> (tempfile::TempDir, JobMonitor) {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let ticket = Ticket { domain: Some(Domain::parse("example.com").unwrap()), ..Ticket::of_restore(config) };
        let folder = JobFolder::create(&ticket).unwrap();
        let monitor = JobMonitor::new(&folder, &ticket, None, limit).unwrap();
        (base, monitor)
    }

    #[test]
    fn percent_never_goes_back_even_when_more_work_is_found() {
        let (_base, monitor) = monitor(None);
        monitor.begin(Phase::Files);
        monitor.set_total(Phase::Files, 10, 1000);
        monitor.advance(Phase::Files, 5, 500);
        monitor.publish();
        let half = monitor.status().percent;
        assert!(half > 40.0, "{half}");
        monitor.set_total(Phase::Files, 100, 100_000);
        monitor.publish();
        assert!(monitor.status().percent >= half);
        monitor.finish(Phase::Files);
        monitor.enter(State::Done);
        assert_eq!(monitor.status().percent, 100.0);
    }

    #[test]
    fn a_cancel_stops_the_work_but_not_the_change_over() {
        let (_base, monitor) = monitor(None);
        monitor.keep_going().unwrap();
        std::fs::write(monitor.folder.join(file::CANCEL), "").unwrap();
        monitor.tick();
        assert_eq!(monitor.keep_going().unwrap_err().code, Code::Cancelled);
        monitor.shield(true);
        monitor.keep_going().unwrap();
    }

    #[test]
    fn the_time_limit_stops_the_work() {
        let (_base, monitor) = monitor(Some(Duration::ZERO));
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(monitor.keep_going().unwrap_err().code, Code::TimedOut);
    }

    #[test]
    fn a_status_on_disk_reads_back() {
        let (_base, monitor) = monitor(None);
        monitor.event(Level::Warn, "one");
        monitor.enter(State::Staging);
        let status = monitor.folder.status().unwrap();
        assert_eq!(status.state, State::Staging);
        assert_eq!(status.last_event, 1);
        assert_eq!(status.phases.len(), 4);
    }
}
