//! What the connections of a load share, and the piece of work that one of them takes.

use crate::error::{Code, Error, Result};
use crate::host::database::load::checkpoint::{Checkpoint, Whole};
use crate::host::database::load::refusal::incompatible;
use crate::host::database::server::{Server, rows, run, text};
use crate::progress::Monitor;
use crate::sql::compat::action::Keep;
use crate::sql::compat::judge::{refuses_zero_dates, taking_zero_dates};
use crate::sql::compat::{Actions, Finding, Ledger, ServerFacts, Verdict};
use crate::sql::insert::{InsertHead, Verb};
use crate::sql::lexer::Rows;
use crate::sql::modes;
use crate::sql::quote_name;
use crate::sql::session::Session;
use crate::sql::table::TableText;
use crate::sql::token::Quoting;
use crate::sql::versioned::Dialect;
use mysql::Conn;
use mysql::prelude::Queryable;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A table while it is loaded.
#[derive(Debug)]
pub struct Target {
    /// Name.
    pub name: String,
    /// Its columns are those of `text`: the dump has not altered it since.
    pub is_as_made: AtomicBool,
    /// As the dump makes it.
    pub text: Option<Arc<TableText>>,
    /// As the server has it, where the dump has altered it and somebody has asked since.
    pub altered: Mutex<Option<Arc<TableText>>>,
    /// Its engine has transactions; others must not be mixed with savepoints.
    pub transactional: bool,
    /// Rows that are in the table now.
    pub rows: AtomicU64,
    /// Bytes of dump they took.
    pub bytes: AtomicU64,
    /// An earlier load left it whole, with so many rows of the dump: its rows are only counted.
    pub earlier: Option<u64>,
    /// How far it is.
    pub progress: Mutex<TableProgress>,
}

/// How far a table is, as reader and workers know it together.
#[derive(Debug, Default)]
pub struct TableProgress {
    /// Rows of the dump that were sent off.
    pub held: u64,
    /// Batches that were sent off.
    pub sent: u64,
    /// Batches that are committed.
    pub committed: u64,
    /// The dump has come to another table.
    pub passed: bool,
    /// It is noted as whole.
    pub noted: bool,
    /// Something was done to it that a second load must not meet.
    pub altered: bool,
    /// How many rows it has is not the number of rows that were sent.
    pub recount: bool,
}

impl Target {
    /// How far it is.
    pub fn progress(&self) -> MutexGuard<'_, TableProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The dump has altered it.
    pub fn is_altered(&self) {
        *self.altered.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.is_as_made.store(false, Ordering::Relaxed);
    }

    /// Its columns as they are now; the server is asked where the dump alone does not tell. `None` for one that no server shows.
    pub fn columns(&self, connection: &mut Conn, quoting: Quoting) -> Option<Arc<TableText>> {
        if let Some(text) = self.text.as_ref().filter(|_| self.is_as_made.load(Ordering::Relaxed)) {
            return Some(text.clone());
        }
        let mut altered = self.altered.lock().unwrap_or_else(PoisonError::into_inner);
        if altered.is_none() {
            // Whatever keeps the server from showing it keeps the rows out, too, and is told then.
            let found = rows(connection, &format!("SHOW CREATE TABLE {}", quote_name(&self.name))).unwrap_or_default();
            *altered = found.first().and_then(|row| TableText::parse(&text(row, 1), quoting)).map(Arc::new);
        }
        altered.clone()
    }

    /// Whether `LOAD DATA` does the same with these rows as `INSERT` does, in this session and under this `sql_mode`.
    pub fn takes(&self, rows: &Rows, session: &Session, mode: &str) -> bool {
        self.is_as_made.load(Ordering::Relaxed)
            && self.text.as_ref().is_some_and(|text| text.loads(rows, session, mode))
    }
}

impl Batch {
    /// Its rows may take the place of others, or stay out for them.
    pub fn is_ordered(&self) -> bool {
        self.head.verb != Verb::Insert || self.upsert.is_some()
    }
}

/// Rows of one table, as extents of the spool that lie one after the other.
#[derive(Debug)]
pub struct Batch {
    pub target: Arc<Target>,
    pub head: Arc<InsertHead>,
    /// What happens to a row whose key exists.
    pub upsert: Option<Arc<str>>,
    pub session: Arc<Session>,
    /// Offset and length of `(…),(…)`.
    pub pieces: Vec<(u64, u64)>,
    pub bytes: u64,
    pub rows: u64,
    pub simple: bool,
    pub quote: u8,
    pub line: u64,
}

/// What all workers share.
pub struct Shared {
    pub server: Server,
    pub schema: String,
    pub monitor: Arc<dyn Monitor>,
    pub dialect: Dialect,
    pub default_mode: String,
    pub stop: AtomicBool,
    pub failure: Mutex<Option<Error>>,
    pub notes: Mutex<Vec<String>>,
    pub facts: ServerFacts,
    pub actions: Actions,
    pub ledger: Mutex<Ledger>,
    /// Where tables that are whole are noted.
    pub checkpoint: Option<Arc<Checkpoint>>,
    /// Why every table has to be loaded, also those that were passed over.
    pub anew: Mutex<Option<String>>,
}

impl Shared {
    /// Ends the load: one begins in which no table is passed over.
    pub fn load_anew(&self, why: String) -> Error {
        let error = Error::new(Code::Internal, why.clone());
        self.anew.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        error
    }

    /// Why another load has to begin.
    pub fn anew(&self) -> Option<String> {
        self.anew.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the first failure and lets everybody stop.
    pub fn fail(&self, error: Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.stop.store(true, Ordering::SeqCst);
    }

    /// The failure, or whether the job is to stop.
    pub fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::SeqCst) {
            let kept = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Err(kept.unwrap_or_else(|| Error::new(Code::Cancelled, "the load was stopped")));
        }
        self.monitor.keep_going()
    }

    /// A remark for the report, the first few of many.
    pub fn note(&self, text: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < 50 && !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// Notes a table once all its rows are committed and the dump has passed it.
    pub fn note_if_whole(&self, target: &Target) {
        let mut progress = target.progress();
        let whole = target.transactional && progress.passed && progress.sent == progress.committed;
        if let (Some(checkpoint), true) = (&self.checkpoint, whole && !progress.noted && !progress.altered) {
            progress.noted = true;
            checkpoint.whole(Whole {
                table: target.name.clone(),
                held: progress.held,
                rows: target.rows.load(Ordering::Relaxed),
                bytes: target.bytes.load(Ordering::Relaxed),
            });
        }
    }

    /// Something is about to be done to a table: from now on it is not whole.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn take_back(&self, target: &Target) -> Result<()> {
        let mut progress = target.progress();
        progress.altered = true;
        match &self.checkpoint {
            Some(checkpoint) if std::mem::take(&mut progress.noted) || target.earlier.is_some() => {
                checkpoint.not(&target.name)
            }
            _ => Ok(()),
        }
    }

    /// Counts what was adapted; what is refused ends the load.
    pub fn record(&self, finding: Finding) -> Result<()> {
        if finding.outcome == Verdict::Fail {
            return Err(incompatible(&finding, &self.actions));
        }
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).add(finding);
        Ok(())
    }

    /// The `sql_mode` of the dump's session.
    pub fn mode<'a>(&'a self, session: &'a Session) -> Cow<'a, str> {
        match session.sql_mode.as_deref() {
            None => Cow::Borrowed(&self.default_mode),
            Some(listed) => Cow::Owned(modes::known(self.dialect, &modes::on(&self.default_mode, listed))),
        }
    }

    /// Whether zero dates need another `sql_mode` than the dump's, and get it.
    pub fn takes_zero_dates(&self, session: &Session) -> bool {
        self.actions.zero_dates == Keep::Keep && refuses_zero_dates(&self.mode(session))
    }

    /// Puts a connection that loads tables into the dump's session; zero dates are let in or kept out as asked for.
    pub fn session_sql(&self, session: &Session) -> String {
        let mode = self.mode(session);
        match self.actions.zero_dates {
            Keep::Keep if self.takes_zero_dates(session) => session.under_mode(taking_zero_dates(&mode)).to_sql(""),
            Keep::Keep => session.under_mode(mode.into_owned()).to_sql(""),
            Keep::Refuse => session.under_mode(format!("{mode},NO_ZERO_DATE,NO_ZERO_IN_DATE")).to_sql(""),
        }
    }

    /// Puts a connection into the dump's session, and does what the dump says of switches that this server has.
    pub fn enter(&self, connection: &mut Conn, session: &Session) -> Result<()> {
        run(connection, &self.session_sql(session))?;
        for (name, sql) in session.switches() {
            // One that a server lacks, or lets nobody set, is no reason to stop: the rows will tell.
            if self.facts.switches.contains(name)
                && let Err(error) = connection.query_drop(&sql)
            {
                self.note(format!("{sql}: {}", crate::text::printable(&error.to_string())));
            }
        }
        Ok(())
    }

    /// A connection with the loader's own settings. `unique_checks` stays on: switched off it sends InnoDB
    /// through its bulk insert, which took twice the processor time on every dump measured.
    pub fn connect(&self) -> Result<Conn> {
        let mut connection = self.server.connect(Some(&self.schema))?;
        run(
            &mut connection,
            "SET SESSION autocommit=0, foreign_key_checks=0, unique_checks=1, sql_notes=0, lock_wait_timeout=60, \
             innodb_lock_wait_timeout=60, wait_timeout=28800, net_read_timeout=3600, net_write_timeout=3600",
        )?;
        Ok(connection)
    }
}
