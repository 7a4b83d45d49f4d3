//! The batches that wait for a connection. A connection stays with its table as long as there is more of it, since two that
//! fill one table wait for each other at the end of its tree; it helps another with a table only when nothing else is left.

use crate::error::Result;
use crate::host::database::load::batch::{Batch, Shared};
use std::collections::VecDeque;
use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Extents that may wait: 4 MiB of memory. A dump of long rows comes nowhere near it.
const MAX_PIECES: usize = 256 << 10;

/// What a worker is told.
pub enum Order {
    /// Load these rows.
    Load(Batch),
    /// Commit, and wait until all have.
    Meet(Arc<Barrier>),
    /// Nothing to do for a moment.
    Idle,
    /// There will be nothing more.
    End,
}

/// Batches, and the meetings between them.
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    batches: VecDeque<Batch>,
    pieces: usize,
    /// Table of each worker, by its address.
    tables: Vec<usize>,
    /// Number of the last meeting, and who has been to it.
    meeting: Option<Arc<Barrier>>,
    attended: Vec<bool>,
    closed: bool,
}

impl Queue {
    /// For this many workers, numbered from 0.
    pub fn new(workers: usize) -> Queue {
        let state = State {
            batches: VecDeque::new(),
            pieces: 0,
            tables: vec![0; workers],
            meeting: None,
            attended: vec![true; workers],
            closed: false,
        };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a batch; waits while too much is waiting.
    ///
    /// # Errors
    /// When the load is to stop.
    pub fn push(&self, batch: Batch, shared: &Shared) -> Result<()> {
        let mut state = self.lock();
        while state.pieces >= MAX_PIECES {
            shared.check()?;
            state = self.wait(state, Duration::from_millis(100));
        }
        shared.check()?;
        state.pieces += batch.pieces.len();
        state.batches.push_back(batch);
        self.changed.notify_all();
        Ok(())
    }

    /// Calls every worker to a meeting once the waiting batches are done.
    pub fn gather(&self, barrier: &Arc<Barrier>) {
        let mut state = self.lock();
        state.meeting = Some(barrier.clone());
        state.attended.fill(false);
        self.changed.notify_all();
    }

    /// Lets the workers go when the waiting batches are done.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The next order for a worker; waits at most `patience`.
    pub fn take(&self, worker: usize, patience: Duration) -> Order {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(order) = state.next(worker) {
                self.changed.notify_all();
                return order;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Order::Idle;
            }
            state = self.wait(state, left);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn next(&mut self, worker: usize) -> Option<Order> {
        let own = self.batches.iter().position(|batch| address(batch) == self.tables[worker]);
        self.tables[worker] = 0;
        let own = own.or_else(|| self.batches.iter().position(|batch| !self.tables.contains(&address(batch))));
        // Helping makes no table one's own: the next one that nobody has is taken up first.
        if let Some(batch) = self.batches.remove(own.unwrap_or(0)) {
            self.pieces -= batch.pieces.len();
            self.tables[worker] = if own.is_some() { address(&batch) } else { 0 };
            return Some(Order::Load(batch));
        }
        if !self.attended[worker] {
            self.attended[worker] = true;
            return self.meeting.clone().map(Order::Meet);
        }
        self.closed.then_some(Order::End)
    }
}

fn address(batch: &Batch) -> usize {
    Arc::as_ptr(&batch.target) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::load::batch::Target;
    use crate::sql::insert::{InsertHead, Verb};
    use crate::sql::session::Session;
    use std::sync::atomic::AtomicU64;

    fn target(name: &str) -> Arc<Target> {
        let (rows, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Target {
            name: name.into(),
            is_as_made: true.into(),
            text: None,
            altered: Mutex::default(),
            transactional: true,
            rows,
            bytes,
            earlier: None,
            progress: Mutex::default(),
        })
    }

    fn queue(workers: usize, targets: &[&Arc<Target>]) -> Queue {
        let queue = Queue::new(workers);
        for (number, target) in targets.iter().enumerate() {
            queue.lock().batches.push_back(Batch {
                target: (*target).clone(),
                head: Arc::new(InsertHead { verb: Verb::Insert, schema: None, table: String::new(), columns: None }),
                upsert: None,
                session: Arc::new(Session::default()),
                pieces: Vec::new(),
                bytes: 0,
                rows: 0,
                simple: true,
                quote: 0,
                line: number as u64,
            });
        }
        queue
    }

    fn taken(queue: &Queue, worker: usize) -> String {
        match queue.take(worker, Duration::ZERO) {
            Order::Load(batch) => format!("{}{}", batch.target.name, batch.line),
            Order::Meet(_) => "meet".into(),
            Order::Idle => "idle".into(),
            Order::End => "end".into(),
        }
    }

    #[test]
    fn a_connection_stays_with_its_table_and_helps_only_at_the_end() {
        let (a, b) = (target("a"), target("b"));
        let queue = queue(2, &[&a, &a, &b, &b, &b]);
        assert_eq!(taken(&queue, 0), "a0");
        assert_eq!(taken(&queue, 1), "b2", "not the table of the other");
        assert_eq!(taken(&queue, 1), "b3");
        assert_eq!(taken(&queue, 0), "a1");
        assert_eq!(taken(&queue, 0), "b4", "nothing else is left");
        assert_eq!(taken(&queue, 0), "idle");
    }

    #[test]
    fn who_helped_takes_up_the_next_table_that_nobody_has() {
        let (a, b) = (target("a"), target("b"));
        let queue = queue(2, &[&a, &a, &a, &b]);
        let later = queue.lock().batches.pop_back().unwrap();
        assert_eq!((taken(&queue, 0), taken(&queue, 1)), ("a0".into(), "a1".into()));
        queue.lock().batches.push_back(later);
        assert_eq!((taken(&queue, 1), taken(&queue, 0)), ("b3".into(), "a2".into()));
    }

    #[test]
    fn everybody_meets_once_after_the_batches_and_ends_once_closed() {
        let a = target("a");
        let queue = queue(2, &[&a]);
        queue.gather(&Arc::new(Barrier::new(3)));
        queue.close();
        assert_eq!(taken(&queue, 0), "a0");
        assert_eq!((taken(&queue, 0), taken(&queue, 1)), ("meet".into(), "meet".into()));
        assert_eq!((taken(&queue, 0), taken(&queue, 1)), ("end".into(), "end".into()));
    }
}
