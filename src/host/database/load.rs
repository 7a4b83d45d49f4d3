//! Loads a dump into a shadow schema while the dump is still being written to its spool. One thread
//! reads statements and carries out what makes tables; the rows go to workers as extents.

mod batch;
pub mod checkpoint;
pub mod definitions;
mod queue;
pub mod refusal;
mod unchanged;
mod worker;

pub use unchanged::UnchangedTable;

use crate::error::{Code, Error, Result};
use crate::host::credentials::Password;
use crate::host::database::grants::LOADING;
use crate::host::database::load::batch::{Batch, Shared, TableProgress, Target};
use crate::host::database::load::checkpoint::{Checkpoint, Whole};
use crate::host::database::load::definitions::Trying;
use crate::host::database::load::queue::Queue;
use crate::host::database::load::refusal::{incompatible, no_sequences, of_administrators, or_without, undeclared};
use crate::host::database::load::unchanged::{DumpTable, Live, Passed};
use crate::host::database::reader::Reader;
use crate::host::database::server::{Server, failed, full, literal, number, rows, run, text};
use crate::host::database::{Object, ObjectKind, Objects, Patience, accounts, history, objects, server_facts};
use crate::host::spool::{Spool, SpoolReader};
use crate::progress::{Level, Monitor, Phase};
use crate::sql::compat::action::Unknown;
use crate::sql::compat::judge::{decide_statement, keep_zero_dates, skipped};
use crate::sql::compat::{Actions, Finding, Kind, Ledger, ServerFacts, Verdict, adapt, default_collation};
use crate::sql::definer::{asleep, awake, with_definer};
use crate::sql::insert::{Verb, set_with_defaults};
use crate::sql::lexer::{Item, Lexer, Rows, refused};
use crate::sql::modes;
use crate::sql::quote_name;
use crate::sql::session::Session;
use crate::sql::state::{DumpState, is_of_dropped, without_table};
use crate::sql::statement::{Statement, Subject, classify, gives_meaning, replaces, subject};
use crate::sql::table::TableText;
use crate::sql::token::Quoting;
use crate::sql::trigger::Trigger;
use mysql::Conn;
use mysql::prelude::Queryable;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of rows that go to the server in one statement.
const BATCH: u64 = 1 << 20;
/// Extents of one batch; one-row `INSERT`s of tiny rows reach this first.
const BATCH_PIECES: usize = 16_384;
const MAX_OBJECTS: usize = 20_000;
/// Bytes of their texts, which wait in memory for the last row.
const MAX_OBJECT_BYTES: usize = 64 << 20;

/// Which tables of a dump are loaded; the rest is passed over.
#[derive(Clone)]
pub struct Choice {
    /// Whether a table is.
    pub takes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// Named tables alone: routines and events, which belong to none, are passed over too.
    pub parts: bool,
    /// Whether a routine, trigger or event is left out by its name.
    pub leaves_out: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// What to load, where, and as whom.
#[derive(Clone)]
pub struct LoadRequest {
    /// The administrator: makes the account, reads back the objects.
    pub server: Server,
    /// The shadow schema; it exists and is empty.
    pub schema: String,
    /// Name of the throw-away account, such as `rv_0123456789ab`.
    pub account: String,
    /// The account under which views, triggers, routines and events will run, as `` `user`@`host` ``.
    pub definer: String,
    /// Connections side by side; 0: one a core, at most 4.
    pub connections: usize,
    /// Most tables.
    pub max_tables: u64,
    /// Which tables; `None`: all.
    pub choice: Option<Choice>,
    /// The site's schema: its tables stand in for those that the dump's views need and the load has not got.
    pub beside: Option<String>,
    /// The account that reads the tables of `beside`: those that are as the dump has them are not loaded. `None`: all are.
    pub reader: Option<String>,
    /// What is done about what this server would not take as it stands.
    pub compatibility: Actions,
    /// As [`LoadRequest::filters`]. What is installed has no such switch.
    #[cfg(any(test, feature = "test-support"))]
    pub filter: bool,
    /// Where tables that are whole are noted. What it names from an earlier load is in the schema already and stays; nothing else
    /// is.
    pub checkpoint: Option<Arc<Checkpoint>>,
}

impl LoadRequest {
    /// Whether statements that no dump needs are refused: always, but for a test that shows what privileges alone hold back.
    fn filters(&self) -> bool {
        #[cfg(any(test, feature = "test-support"))]
        return self.filter;
        #[cfg(not(any(test, feature = "test-support")))]
        true
    }
}

/// One table as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedTable {
    /// Name.
    pub name: String,
    /// Rows the dump held and the server took.
    pub rows: u64,
    /// Bytes of dump.
    pub bytes: u64,
}

/// What a dump came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Tables by name.
    pub tables: Vec<LoadedTable>,
    /// Views, triggers, routines and events: tried in the shadow schema, removed from it again, ready for
    /// [`crate::host::database::Database::create_objects`] with the site's account as their definer.
    pub objects: Objects,
    /// What was left out or adapted.
    pub notes: Vec<String>,
    /// What this server would not have taken as it stands, and what was done about it.
    pub adapted: Vec<Finding>,
    /// The schema the dump names itself, if it does.
    pub source_schema: Option<String>,
    /// Tables that an earlier load had left whole.
    pub taken_over: u64,
    /// Tables that were not loaded because the site has them as they are in the dump.
    pub unchanged: Vec<UnchangedTable>,
    /// The dump is known to be whole; another may have been cut between two statements.
    pub whole: bool,
}

/// Loads the dump; on return, good or bad, the throw-away account is gone.
///
/// # Errors
/// `dump_refused`, `backup_corrupt`, `limit_exceeded`, `database_failed`, `disk_full`, `insufficient_privilege`,
/// and what the monitor stops it with. The shadow schema is left as it is then, for the caller to drop.
pub fn load(spool: &Spool, request: &LoadRequest, monitor: Arc<dyn Monitor>) -> Result<Loaded> {
    let mut admin = request.server.connect(None)?;
    let facts = server_facts::ask(&mut admin, Some(&request.definer))?;
    let password = accounts::create(&mut admin, &request.account, LOADING, &request.schema)?;
    let shared = Arc::new(shared(request, facts, password, monitor.clone()));
    let result = load_as(&shared, spool, request);
    let gone = remove_account(&request.server, admin, &request.account);
    if let Some(why) = shared.anew() {
        gone?;
        monitor.event(Level::Info, &format!("every table is loaded: {why}"));
        monitor.anew(Phase::Database);
        return load_anew(spool, request, monitor);
    }
    let loaded = result?;
    gone?;
    Ok(loaded)
}

/// Loads every table, after a load in which one was passed over that is not as the dump has it after all.
fn load_anew(spool: &Spool, request: &LoadRequest, monitor: Arc<dyn Monitor>) -> Result<Loaded> {
    let mut admin = request.server.connect(None)?;
    run(&mut admin, "SET SESSION foreign_key_checks=0")?;
    let made = objects::read(&mut admin, &request.schema)?;
    objects::drop_all(&mut admin, &request.schema, &made, Patience::default())?;
    for row in rows(&mut admin, &format!("SHOW TABLES FROM {}", quote_name(&request.schema)))? {
        let table = text(&row, 0);
        if let Some(list) = &request.checkpoint {
            list.not(&table)?;
        }
        run(&mut admin, &format!("DROP TABLE {}", full(&request.schema, &table)))?;
    }
    drop(admin);
    load(spool, &LoadRequest { reader: None, ..request.clone() }, monitor)
}

/// What a load begins with, as the account that has this password.
fn shared(request: &LoadRequest, facts: ServerFacts, password: Password, monitor: Arc<dyn Monitor>) -> Shared {
    Shared {
        server: request.server.with_account(&request.account, password),
        schema: request.schema.clone(),
        monitor,
        dialect: facts.dialect(),
        // A dump says which zero it means; without this mode a stored 0 would become the next number.
        default_mode: format!("{},NO_AUTO_VALUE_ON_ZERO", modes::with_usual_quotes(&facts.sql_mode)),
        facts,
        actions: request.compatibility,
        ledger: Mutex::new(Ledger::default()),
        stop: AtomicBool::new(false),
        failure: Mutex::new(None),
        notes: Mutex::new(Vec::new()),
        checkpoint: request.checkpoint.clone(),
        anew: Mutex::new(None),
    }
}

/// The first connection may have died with what failed: a second one is tried.
fn remove_account(server: &Server, mut admin: Conn, account: &str) -> Result<()> {
    accounts::drop_user(&mut admin, account).or_else(|_| accounts::drop_user(&mut server.connect(None)?, account))
}

fn load_as(shared: &Arc<Shared>, spool: &Spool, request: &LoadRequest) -> Result<Loaded> {
    let wanted = if request.connections == 0 {
        std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4))
    } else {
        request.connections
    };
    let queue = Arc::new(Queue::new(wanted));
    let workers: Vec<_> = (0..wanted)
        .map(|number| {
            let (shared, spool, queue) = (shared.clone(), spool.clone(), queue.clone());
            std::thread::spawn(move || worker::work(&shared, &spool, &queue, number))
        })
        .collect();
    let mut reader = Reading::new(shared, request, queue.clone(), wanted);
    if let (Some(name), Some(live)) = (&request.reader, &request.beside) {
        let account = Reader::new(request.server.clone(), name.clone());
        reader.live = Some(Live::new(shared, spool, (&request.server, account), live.clone())?);
    }
    let result = reader.read_all(Watched { reader: spool.reader(), shared: shared.clone() });
    if let Err(error) = &result {
        shared.fail(error.clone());
    }
    queue.close();
    for worker in workers {
        if worker.join().is_err() {
            shared.fail(Error::new(Code::Internal, "a loading thread panicked"));
        }
    }
    result.and_then(|()| shared.check()).and_then(|()| reader.finish())
}

/// An object of the dump, not created yet.
struct Pending {
    kind: ObjectKind,
    name: String,
    text: String,
    session: Arc<Session>,
    line: u64,
}

/// What making the objects came to.
struct Made {
    /// Those that the server refuses, the one that a load ends with first.
    left: Vec<(Pending, Error)>,
    /// Tables that were made for the views alone.
    stand_ins: Vec<String>,
    /// Events that are to run.
    awake_events: Vec<String>,
}

/// The thread that reads statements.
struct Reading<'a> {
    connection: Option<Conn>,
    shared: &'a Arc<Shared>,
    request: &'a LoadRequest,
    queue: Arc<Queue>,
    workers: usize,
    /// The same reading as that of whoever only looks at a dump.
    state: DumpState,
    tables: HashMap<String, Arc<Target>>,
    /// Tables of the dump that were not wanted, or cannot be had where they are only tried.
    passed_over: HashSet<String>,
    batch: Option<Batch>,
    objects: Vec<Pending>,
    /// Of the texts of objects, also of those that another took the place of.
    object_bytes: usize,
    /// Statements for after the last row.
    afterwards: Vec<String>,
    in_session: Option<Arc<Session>>,
    /// The settings of the last batch.
    settings: Arc<Session>,
    /// The statement whose rows come: where it begins, and whether its length was already said.
    long: Option<(u64, bool)>,
    /// The table whose rows come.
    current: Option<Arc<Target>>,
    /// Set where tables are made and none is filled.
    trying: Option<Trying>,
    /// The site's tables, where those that are as the dump has them are passed over.
    live: Option<Live>,
    /// Those that were.
    unchanged: HashMap<String, Passed>,
    /// Offset behind the statement in hand.
    at: u64,
}

impl<'a> Reading<'a> {
    fn new(shared: &'a Arc<Shared>, request: &'a LoadRequest, queue: Arc<Queue>, workers: usize) -> Reading<'a> {
        Reading {
            connection: None,
            shared,
            request,
            queue,
            workers,
            state: DumpState::new(request.beside.as_deref()),
            tables: HashMap::new(),
            passed_over: HashSet::new(),
            batch: None,
            objects: Vec::new(),
            object_bytes: 0,
            afterwards: Vec::new(),
            in_session: None,
            settings: Arc::default(),
            long: None,
            current: None,
            trying: None,
            live: None,
            unchanged: HashMap::new(),
            at: 0,
        }
    }
}

impl Reading<'_> {
    fn read_all(&mut self, source: impl Read) -> Result<()> {
        let bytes_per_item = BATCH.min(self.shared.facts.max_allowed_packet / 4);
        let mut lexer = Lexer::new(source, self.shared.dialect, bytes_per_item);
        #[cfg(any(test, feature = "test-support"))]
        if !self.request.filters() {
            lexer = lexer.unfiltered();
        }
        loop {
            let item = lexer.next_item();
            self.state.comments(&lexer.take_remarks());
            for comment in lexer.take_skipped() {
                if let Some(finding) = skipped(&comment, self.shared.dialect, &self.shared.actions) {
                    self.shared.record(finding)?;
                }
            }
            match item {
                Ok(None) => break,
                Ok(Some(Item::Rows(rows))) => self.rows(rows)?,
                Ok(Some(Item::Statement { text, line })) => {
                    self.shared.check()?;
                    self.at = lexer.position();
                    match self.statement(&text, line) {
                        Err(error) if self.trying.is_some() => {
                            self.goes_on_after(error, subject(&text, self.state.quoting()))?;
                        }
                        done => done?,
                    }
                    lexer.set_quoting(self.state.quoting());
                }
                Err(error) => {
                    let error = self.reason(error);
                    let of = lexer.refused_rows().map(|(head, _)| head.table.clone());
                    // What is not loaded may be written as it likes.
                    if error.code != Code::DumpRefused || !of.as_ref().is_some_and(|table| self.stays_out(table)) {
                        return Err(self.way_out(error, of));
                    }
                    self.state.goes_on();
                    lexer.pass_over().map_err(|error| self.reason(error))?;
                }
            }
        }
        if self.request.filters() {
            self.state.end()?;
        }
        self.pass_on(None)
    }

    /// The dump comes to another table, or to its end.
    fn pass_on(&mut self, next: Option<&Arc<Target>>) -> Result<()> {
        let same = |current: &Arc<Target>| next.is_some_and(|next| Arc::ptr_eq(next, current));
        if self.current.as_ref().is_some_and(same) {
            return Ok(());
        }
        self.flush()?;
        if let Some(last) = std::mem::replace(&mut self.current, next.cloned()) {
            last.progress().passed = true;
            self.shared.note_if_whole(&last);
        }
        // Rows of a table that was passed before.
        if let Some(next) = next.filter(|next| next.progress().passed) {
            self.shared.take_back(next)?;
        }
        Ok(())
    }

    /// Before something is done to a table beyond filling it.
    fn alters(&self, table: &str) -> Result<()> {
        self.tables.get(table).map_or(Ok(()), |target| self.shared.take_back(target))
    }

    /// A read that failed because the job stops has its reason elsewhere.
    fn reason(&self, error: Error) -> Error {
        if error.is_consequence() {
            return error;
        }
        self.shared.check().err().unwrap_or(error)
    }

    /// A refusal that says how the rest is restored without what it is about.
    fn way_out(&self, error: Error, subject: Option<String>) -> Error {
        match subject {
            Some(name) => or_without(error, &name),
            None => error,
        }
    }

    /// A statement that no packet holds goes in several: said once.
    fn measure(&mut self, rows: &Rows) -> Result<()> {
        let mut said = self.long.is_some_and(|(begin, said)| begin == rows.begin && said);
        let bytes = rows.offset + rows.length - rows.begin;
        if !said && let Some(decision) = decide_statement(bytes, &self.shared.facts, &self.shared.actions) {
            said = true;
            self.shared.record(decision.about(
                Kind::Packet,
                "statement",
                1,
                rows.line,
                Some(rows.head.table.clone()),
            ))?;
        }
        self.long = Some((rows.begin, said));
        Ok(())
    }

    fn rows(&mut self, mut rows: Rows) -> Result<()> {
        self.state.goes_on();
        if let Some(passed) = self.unchanged.get(&rows.head.table) {
            return if rows.offset < passed.until { Ok(()) } else { Err(self.comes_back(&rows.head.table)) };
        }
        if self.stays_out(&rows.head.table) {
            return Ok(());
        }
        if self.trying.is_some() {
            return self.known(&rows);
        }
        self.measure(&rows)?;
        let target = self.tables.get(&rows.head.table);
        let session = self.state.session();
        rows.simple = target.is_some_and(|target| target.takes(&rows, session, &self.shared.mode(session)));
        if let Some(batch) = &mut self.batch {
            let fits = batch.bytes + rows.length <= BATCH && batch.pieces.len() < BATCH_PIECES;
            let alike = batch.head == rows.head
                && batch.simple == rows.simple
                && (batch.quote == rows.quote || batch.quote == 0 || rows.quote == 0)
                && batch.upsert == rows.upsert
                && batch.session.same_settings(self.state.session());
            if fits && alike {
                batch.pieces.push((rows.offset, rows.length));
                batch.bytes += rows.length;
                batch.rows += rows.count;
                batch.quote = batch.quote.max(rows.quote);
                return Ok(());
            }
        }
        self.flush()?;
        if self.request.filters() {
            self.state
                .rows(&rows.head, rows.line)
                .map_err(|error| self.way_out(error, Some(rows.head.table.clone())))?;
        }
        let target = match self.tables.get(&rows.head.table) {
            Some(target) => target.clone(),
            None => self.add_table(&rows.head.table, None, false, None)?,
        };
        self.pass_on(Some(&target))?;
        if let Some(columns) = target.text.as_ref().and_then(|text| text.left_out(&rows)) {
            self.shared.note(format!(
                "rows of {}: the dump has no values for its invisible columns, {columns}; they get what the table gives by itself",
                target.name
            ));
        }
        if self.shared.takes_zero_dates(self.state.session()) {
            let decision = keep_zero_dates();
            self.shared.record(decision.about(
                Kind::ZeroDates,
                "sql_mode",
                1,
                rows.line,
                Some(rows.head.table.clone()),
            ))?;
        }
        if let Some(earlier) = target.earlier {
            let mut progress = target.progress();
            // What it holds beyond the rows of the earlier load is new: the dump came back to it.
            if progress.held < earlier {
                progress.held += rows.count;
                progress.recount |= rows.head.verb != Verb::Insert || rows.upsert.is_some();
                if progress.held > earlier {
                    return Err(changed(&target.name, earlier, progress.held));
                }
                drop(progress);
                self.shared.monitor.advance(Phase::Database, rows.count, rows.length);
                return Ok(());
            }
        }
        // Without what the dump saves under names of its own: many batches wait.
        if !self.settings.same_settings(self.state.session()) {
            self.settings = Arc::new(self.state.session().settings());
        }
        self.batch = Some(Batch {
            target,
            head: rows.head,
            session: self.settings.clone(),
            upsert: rows.upsert,
            pieces: vec![(rows.offset, rows.length)],
            bytes: rows.length,
            rows: rows.count,
            simple: rows.simple,
            quote: rows.quote,
            line: rows.line,
        });
        Ok(())
    }

    /// Sends off the batch in hand.
    fn flush(&mut self) -> Result<()> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        {
            let mut progress = batch.target.progress();
            progress.held += batch.rows;
            progress.sent += 1;
            progress.recount |= batch.is_ordered();
        }
        // What becomes of a row then depends on those before it.
        let ordered = batch.is_ordered();
        if ordered {
            self.all_committed()?;
        }
        self.queue.push(batch, self.shared)?;
        if ordered { self.all_committed() } else { Ok(()) }
    }

    /// Waits until every row read so far is committed.
    fn settle(&mut self) -> Result<()> {
        self.flush()?;
        self.all_committed()
    }

    fn all_committed(&self) -> Result<()> {
        let barrier = Arc::new(Barrier::new(self.workers + 1));
        self.queue.gather(&barrier);
        barrier.wait();
        self.shared.check()
    }

    fn statement(&mut self, text: &[u8], line: u64) -> Result<()> {
        self.state.goes_on();
        let quoting = self.state.quoting();
        let about = subject(text, quoting);
        if let Some(Subject::Table(name) | Subject::NewTable(name)) = &about
            && self.unchanged.contains_key(name)
        {
            return match classify(text, quoting) {
                Ok(Statement::Keys(..)) => Ok(()),
                _ => Err(self.comes_back(name)),
            };
        }
        // What is not loaded need not be fit for this server.
        if self.passes_over(about.as_ref(), text, quoting, line)? {
            return if self.request.filters() { self.state.passes_over() } else { Ok(()) };
        }
        let own = self.state.own_text(text).into_owned();
        let adapted = self.adapted(&own, quoting, line);
        let name = about.map(|about| about.name().to_owned());
        let adapted = adapted.map_err(|error| self.way_out(error, name.clone()))?;
        let text = adapted.as_ref();
        let statement = match self.state.statement(text, line) {
            Ok(statement) => statement,
            Err(error) if self.request.filters() && is_of_dropped(&error) => return Err(error),
            Err(error) if self.request.filters() => {
                if name.is_none()
                    && self.shared.actions.statement == Unknown::Skip
                    && error.context.get("schema").is_none()
                    && !gives_meaning(text, quoting)
                {
                    self.shared.note(format!("left out: {}", error.message));
                    return Ok(());
                }
                return Err(self.way_out(error, name));
            }
            Err(_) => {
                // Only to show what privileges hold back: whatever the server says is noted.
                self.settle()?;
                let sql = String::from_utf8_lossy(text).into_owned();
                if let Err(error) = self.execute(&sql, line) {
                    self.shared.note(error.message);
                }
                return Ok(());
            }
        };
        self.carry_out(statement, text, quoting, line).map_err(|error| self.way_out(error, name))
    }

    fn carry_out(&mut self, statement: Statement, text: &[u8], quoting: Quoting, line: u64) -> Result<()> {
        let sql = || std::str::from_utf8(text).map_err(|_| refused(line, "a statement that is not UTF-8", text));
        if let Some(trying) = &mut self.trying
            && !trying.takes(&statement)?
        {
            return Ok(());
        }
        match statement {
            Statement::Nothing
            | Statement::DropObject(_)
            | Statement::Schema(_)
            | Statement::DropSchema(_)
            | Statement::Prepare(..)
            | Statement::Execute(_) => Ok(()),
            Statement::Set => self.flush(),
            Statement::Empty(name) => {
                // Before anything is done to it: an interruption in between must not leave it noted as whole.
                self.alters(&name.name)?;
                self.settle()?;
                self.execute(sql()?, line)?;
                if let Some(target) = self.tables.get(&name.name) {
                    target.rows.store(0, Ordering::Relaxed);
                    target.bytes.store(0, Ordering::Relaxed);
                }
                Ok(())
            }
            Statement::InsertRow(name) => {
                self.alters(&name.name)?;
                self.settle()?;
                let target = self.tables.get(&name.name).cloned();
                let columns = match (&target, &mut self.connection) {
                    (Some(target), Some(connection)) => target.columns(connection, quoting),
                    (Some(target), None) => target.text.clone(),
                    (None, _) => None,
                };
                let computes = |column: &str| columns.as_ref().is_some_and(|table| table.computes(column));
                self.execute(&set_with_defaults(sql()?, quoting, &computes), line)?;
                if let Some(target) = target {
                    target.progress().recount = true;
                }
                Ok(())
            }
            Statement::CreateTable(name) => self.create_table(&name.name, sql()?, quoting, line),
            Statement::CreateSequence(name) => {
                if !self.shared.dialect.mariadb {
                    return Err(no_sequences(&name.name, line));
                }
                self.count_table(line)?;
                self.execute(sql()?, line)?;
                // The server shows a sequence as a table of one row.
                self.add_table(&name.name, None, false, None)?.rows.store(1, Ordering::Relaxed);
                Ok(())
            }
            Statement::SetSequence(_) => self.execute(sql()?, line),
            Statement::DropTable(names) => {
                for name in names {
                    if self.unchanged.contains_key(&name.name) {
                        return Err(self.comes_back(&name.name));
                    }
                    if self.tables.contains_key(&name.name) {
                        self.alters(&name.name)?;
                        self.tables.remove(&name.name);
                        self.settle()?;
                        self.execute(&format!("DROP TABLE IF EXISTS {}", quote_name(&name.name)), line)?;
                    }
                }
                Ok(())
            }
            Statement::Keys(name, enable) => {
                // InnoDB has no such thing; other engines build their keys in one go at the end.
                let innodb = self.tables.get(&name.name).is_none_or(|target| target.transactional);
                let enabling = format!("ALTER TABLE {} ENABLE KEYS", quote_name(&name.name));
                if !innodb && enable {
                    if !self.afterwards.contains(&enabling) {
                        self.afterwards.push(enabling);
                    }
                } else if !innodb {
                    self.settle()?;
                    self.execute(&format!("ALTER TABLE {} DISABLE KEYS", quote_name(&name.name)), line)?;
                }
                Ok(())
            }
            Statement::AlterTable(name) | Statement::CreateIndex(name) => {
                self.alters(&name.name)?;
                self.settle()?;
                self.execute(sql()?, line)?;
                // Its columns may be others now.
                if let Some(target) = self.tables.get(&name.name) {
                    target.is_altered();
                }
                Ok(())
            }
            Statement::CreateObject(kind, name) => {
                // A view comes twice in a dump: a stand-in first.
                self.objects.retain(|object| !(object.kind == kind && object.name == name.name));
                self.object_bytes += text.len();
                if self.objects.len() >= MAX_OBJECTS || self.object_bytes > MAX_OBJECT_BYTES {
                    return Err(Error::new(
                        Code::LimitExceeded,
                        format!("line {line}: more than {MAX_OBJECTS} views and routines, or more than 64 MiB of them"),
                    )
                    .with("line", line));
                }
                self.objects.push(Pending {
                    kind,
                    name: name.name,
                    text: sql()?.to_owned(),
                    session: Arc::new(self.state.session().settings()),
                    line,
                });
                Ok(())
            }
        }
    }

    /// Whether a table is not loaded, also one that the dump fills and never makes.
    fn stays_out(&self, table: &str) -> bool {
        let unwanted = || self.request.choice.as_ref().is_some_and(|choice| !(choice.takes)(table));
        self.passed_over.contains(table) || !self.tables.contains_key(table) && unwanted()
    }

    /// Whether the statement is about something that is not loaded. Tables are remembered, since their rows follow.
    fn passes_over(&mut self, about: Option<&Subject>, text: &[u8], quoting: Quoting, line: u64) -> Result<bool> {
        let Some(about) = about else { return Ok(false) };
        let Some(choice) = &self.request.choice else {
            return Ok(matches!(about, Subject::Table(name) if self.passed_over.contains(name)));
        };
        Ok(match about {
            Subject::NewTable(name) => {
                let unwanted = !(choice.takes)(name);
                if unwanted && !self.passed_over.contains(name) {
                    self.count_table(line)?;
                    self.passed_over.insert(name.clone());
                }
                unwanted
            }
            Subject::Table(name) => self.stays_out(name),
            Subject::Object(ObjectKind::Trigger, name) => {
                let of = std::str::from_utf8(text).ok().and_then(|sql| Trigger::parse(sql, quoting));
                (choice.leaves_out)(name)
                    || of.map_or(choice.parts, |of| {
                        self.passed_over.contains(&of.table.name) || choice.parts && !(choice.takes)(&of.table.name)
                    })
            }
            Subject::Object(ObjectKind::View, name) => !(choice.takes)(name),
            Subject::Object(_, name) => choice.parts || (choice.leaves_out)(name),
        })
    }

    /// The statement as this server takes it; what was done is recorded.
    fn adapted<'a>(&self, text: &'a [u8], quoting: Quoting, line: u64) -> Result<Cow<'a, [u8]>> {
        let Ok(sql) = std::str::from_utf8(text) else { return Ok(Cow::Borrowed(text)) };
        let mode = self.shared.mode(self.state.session());
        let mode = mode.as_ref();
        let collated = default_collation::named(sql, quoting, self.state.origin(), &self.shared.facts);
        let adapted = adapt(&collated, quoting, line, mode, &self.shared.facts, &self.shared.actions)
            .map_err(|finding| incompatible(&finding, &self.shared.actions))?;
        for finding in adapted.findings {
            self.shared.record(finding)?;
        }
        Ok(match adapted.sql {
            Cow::Borrowed(_) if matches!(collated, Cow::Borrowed(_)) => Cow::Borrowed(text),
            Cow::Borrowed(sql) => Cow::Owned(sql.as_bytes().to_vec()),
            Cow::Owned(sql) => Cow::Owned(sql.into_bytes()),
        })
    }

    /// One more table, loaded or passed over.
    fn count_table(&self, line: u64) -> Result<()> {
        if (self.tables.len() + self.passed_over.len() + self.unchanged.len()) as u64 >= self.request.max_tables {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("line {line}: the dump has more than {} tables", self.request.max_tables),
            )
            .with("line", line));
        }
        Ok(())
    }

    fn create_table(&mut self, name: &str, sql: &str, quoting: Quoting, line: u64) -> Result<()> {
        if let Some(known) = self.tables.get(name).cloned() {
            self.settle()?;
            if !replaces(sql.as_bytes(), quoting) {
                // `IF NOT EXISTS`: it is what it was.
                self.execute(sql, line)?;
                return self.pass_on(Some(&known));
            }
            self.alters(name)?;
            self.execute(sql, line)?;
            self.tables.remove(name);
            return self.begin_table(name, sql, quoting, None);
        }
        self.count_table(line)?;
        let whole = self.request.checkpoint.as_ref().and_then(|list| list.earlier(name));
        if whole.is_none() {
            if let Some(passed) = self.passed(name, sql, quoting)? {
                self.unchanged.insert(name.to_owned(), passed);
                return self.pass_on(None);
            }
            self.execute(sql, line)?;
        }
        self.begin_table(name, sql, quoting, whole)
    }

    /// The table as it was passed over, where the live one is as the dump has it.
    fn passed(&mut self, name: &str, sql: &str, quoting: Quoting) -> Result<Option<Passed>> {
        let Some(live) = &mut self.live else { return Ok(None) };
        let Some(text) = TableText::parse(sql, quoting) else { return Ok(None) };
        live.holds(&DumpTable { name, sql, text: &text, session: self.state.session(), until: self.at })
    }

    /// The dump goes on with a table that was passed over.
    fn comes_back(&self, table: &str) -> Error {
        self.shared.load_anew(format!("the dump comes back to {table}"))
    }

    fn begin_table(&mut self, name: &str, sql: &str, quoting: Quoting, whole: Option<Whole>) -> Result<()> {
        let facts = TableText::parse(sql, quoting);
        let innodb = facts.as_ref().is_some_and(TableText::is_innodb);
        let target = self.add_table(name, facts, innodb, whole)?;
        self.pass_on(Some(&target))
    }

    /// `whole`: as an earlier load left it.
    fn add_table(
        &mut self,
        name: &str,
        text: Option<TableText>,
        transactional: bool,
        whole: Option<Whole>,
    ) -> Result<Arc<Target>> {
        let progress = Mutex::new(TableProgress { noted: whole.is_some(), ..TableProgress::default() });
        let target = Arc::new(Target {
            name: name.to_owned(),
            is_as_made: AtomicBool::new(text.is_some()),
            text: text.map(Arc::new),
            altered: Mutex::new(None),
            transactional,
            rows: AtomicU64::new(whole.as_ref().map_or(0, |whole| whole.rows)),
            bytes: AtomicU64::new(whole.as_ref().map_or(0, |whole| whole.bytes)),
            earlier: whole.map(|whole| whole.held),
            progress,
        });
        self.tables.insert(name.to_owned(), target.clone());
        Ok(target)
    }

    /// Runs a statement of the dump as the throw-away account, in the dump's session.
    fn execute(&mut self, sql: &str, line: u64) -> Result<()> {
        self.fits(sql, line)?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => empty.insert(self.shared.connect()?),
        };
        let session = self.state.session();
        if !self.in_session.as_ref().is_some_and(|current| current.same_settings(session)) {
            self.shared.enter(connection, session)?;
            // No table gets a folder of its own, whatever its text says.
            run(connection, "SET SESSION sql_mode=CONCAT(@@sql_mode, ',NO_DIR_IN_CREATE')")?;
            self.in_session = Some(session.clone());
        }
        let result = match self.request.filters() {
            true => objects::run_alone(connection, sql),
            false => connection.query_drop(sql),
        };
        let result = result.and_then(|()| connection.query_drop("COMMIT"));
        result.map_err(|error| reaching(failed(&format!("line {line} of the dump"), &error)).with("line", line))
    }

    /// Refuses what no packet of the server holds.
    fn fits(&self, sql: &str, line: u64) -> Result<()> {
        if (sql.len() as u64) < self.shared.facts.max_allowed_packet - 1024 {
            return Ok(());
        }
        let message = format!(
            "line {line} of the dump: a statement of {} bytes, more than the server's max_allowed_packet",
            sql.len()
        );
        Err(Error::new(Code::DumpRefused, message)
            .hint("Raise max_allowed_packet of the server, then start again; the live database was not changed.")
            .with("line", line)
            .with("kind", Kind::Packet.name()))
    }

    /// After the last row: keys, then the objects.
    fn finish(mut self) -> Result<Loaded> {
        for sql in std::mem::take(&mut self.afterwards) {
            self.shared.check()?;
            self.execute(&sql, 0)?;
        }
        self.recount()?;
        if let Some(why) = self.live.as_mut().map(Live::unsound).transpose()?.flatten() {
            return Err(self.shared.load_anew(why));
        }
        self.live = None;
        self.connection = None;
        let taken_over = self.require_earlier()?;
        let objects = self.objects()?;
        let mut tables: Vec<LoadedTable> = self
            .tables
            .values()
            .map(|target| LoadedTable {
                name: target.name.clone(),
                rows: target.rows.load(Ordering::Relaxed),
                bytes: target.bytes.load(Ordering::Relaxed),
            })
            .collect();
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let mut unchanged: Vec<UnchangedTable> = self.unchanged.values().map(|passed| passed.table.clone()).collect();
        unchanged.sort_by(|one, other| one.name.cmp(&other.name));
        let mut notes = std::mem::take(&mut *self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner));
        for note in &notes {
            self.shared.monitor.event(Level::Warn, note);
        }
        let ledger = std::mem::take(&mut *self.shared.ledger.lock().unwrap_or_else(PoisonError::into_inner));
        let adapted = ledger.into_findings();
        for finding in &adapted {
            let level = if finding.outcome == Verdict::Pass { Level::Info } else { Level::Warn };
            self.shared.monitor.event(level, &finding.message);
            notes.push(finding.message.clone());
        }
        Ok(Loaded {
            tables,
            objects,
            notes,
            adapted,
            source_schema: self.state.schema().map(str::to_owned),
            taken_over,
            unchanged,
            whole: self.state.is_whole(),
        })
    }

    /// Where rows took the place of others, the server knows how many there are.
    fn recount(&mut self) -> Result<()> {
        let targets: Vec<Arc<Target>> =
            self.tables.values().filter(|target| target.progress().recount).cloned().collect();
        for target in targets {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                empty => empty.insert(self.shared.connect()?),
            };
            // Where the server keeps a history, rows that were replaced are in it.
            let counted = match history::count(connection, &self.request.schema, &target.name)? {
                Some(history) => history.rows,
                None => {
                    let found = rows(connection, &format!("SELECT COUNT(*) FROM {}", quote_name(&target.name)))?;
                    found.first().map_or(0, |row| number(row, 0))
                }
            };
            target.rows.store(counted, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What was taken over must be what the dump holds: as many rows of it.
    fn require_earlier(&self) -> Result<u64> {
        let mut count = 0;
        for target in self.tables.values() {
            let Some(earlier) = target.earlier else { continue };
            let held = target.progress().held;
            if held < earlier {
                return Err(changed(&target.name, earlier, held));
            }
            count += 1;
        }
        Ok(count)
    }

    /// Creates the objects as the throw-away account, which shows that they need nothing outside of the
    /// schema; what the server then gives back is one clean statement each, whatever the dump said.
    fn objects(&mut self) -> Result<Objects> {
        if self.objects.is_empty() {
            return Ok(Objects::default());
        }
        let is_event = |object: &&Pending| object.kind == ObjectKind::Event;
        let events: Vec<String> = self.objects.iter().filter(is_event).map(|event| event.name.clone()).collect();
        let mut connection = self.shared.connect()?;
        let Made { left, stand_ins, awake_events } = self.make_objects(&mut connection)?;
        if let Some((_, error)) = left.into_iter().next() {
            if self.request.filters() {
                return Err(error);
            }
            self.shared.note(error.message);
        }
        drop(connection);
        // By the account that they run as: nobody else needs a right to see the text of a routine.
        let mut found = objects::read(&mut self.shared.connect()?, &self.request.schema)?;
        let is_there = |event: &String| {
            let names = |object: &Object| object.kind == ObjectKind::Event && object.name.eq_ignore_ascii_case(event);
            found.0.iter().any(names)
        };
        for event in events.iter().filter(|event| !is_there(event)) {
            self.shared.note(format!(
                "left out: the event {event} was to run once, at a time that is over; the server keeps no such event"
            ));
        }
        let mut admin = self.request.server.connect(None)?;
        objects::drop_all(&mut admin, &self.request.schema, &found, Patience::default())?;
        if !stand_ins.is_empty() {
            // A table that was loaded may refer to one by a foreign key.
            run(&mut admin, "SET SESSION foreign_key_checks=0")?;
            for table in &stand_ins {
                run(&mut admin, &format!("DROP TABLE {}", full(&self.request.schema, table)))?;
            }
        }
        for object in &mut found.0 {
            object.create = with_definer(&object.create, Quoting::default(), Some(&self.request.definer));
            if object.kind == ObjectKind::Event && awake_events.contains(&object.name) {
                object.create = awake(&object.create, Quoting::default()).unwrap_or_else(|| object.create.clone());
            }
        }
        Ok(found)
    }

    /// Creates the objects over one connection, in whatever order they need each other.
    fn make_objects(&mut self, connection: &mut Conn) -> Result<Made> {
        run(connection, "SET SESSION autocommit=1")?;
        let mut awake_events = Vec::new();
        let mut waiting = std::mem::take(&mut self.objects);
        self.triggers_have_tables(&waiting)?;
        let stand_ins = self.stand_ins(&waiting)?;
        waiting.sort_by_key(|object| object.kind);
        loop {
            let before = waiting.len();
            let mut left = Vec::new();
            for object in waiting {
                self.shared.check()?;
                match self.try_object(connection, &object, &mut awake_events) {
                    Ok(()) => {}
                    Err(error) if error.code == Code::DatabaseUnreachable => return Err(error),
                    Err(error) => left.push((object, error)),
                }
            }
            if left.is_empty() || left.len() == before {
                return Ok(Made { left, stand_ins, awake_events });
            }
            waiting = left.into_iter().map(|(object, _)| object).collect();
        }
    }

    /// Empty tables like the live ones that the load has not got: a view or trigger is only made where its tables are.
    fn stand_ins(&self, objects: &[Pending]) -> Result<Vec<String>> {
        let views: HashSet<&str> =
            objects.iter().filter(|object| object.kind == ObjectKind::View).map(|view| view.name.as_str()).collect();
        let wanted = !views.is_empty() || !self.unchanged.is_empty() && !objects.is_empty();
        let (Some(beside), true) = (&self.request.beside, wanted) else { return Ok(Vec::new()) };
        // Whoever names a table has its name in its text, in whatever letters.
        let texts: Vec<String> = objects.iter().map(|object| object.text.to_lowercase()).collect();
        let is_named = |table: &str| {
            let name = table.to_lowercase();
            name.contains(['`', '"', '\\']) || texts.iter().any(|text| text.contains(&name))
        };
        let mut admin = self.request.server.connect(None)?;
        run(&mut admin, "SET SESSION foreign_key_checks=0")?;
        let sql = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_TYPE IN ('BASE TABLE','SYSTEM VERSIONED')",
            literal(beside)
        );
        let mut made = Vec::new();
        for table in rows(&mut admin, &sql)?.iter().map(|row| text(row, 0)) {
            // What is a table live may be a view in the dump.
            if !self.tables.contains_key(&table) && !views.contains(table.as_str()) && is_named(&table) {
                // The live table may be locked.
                self.shared.check()?;
                let (shadow, live) = (full(&self.request.schema, &table), full(beside, &table));
                match run(&mut admin, &format!("CREATE TABLE {shadow} LIKE {live}")) {
                    Ok(()) => made.push(table),
                    // Nothing is like a table that the server cannot open.
                    Err(error) if error.code == Code::DatabaseFailed => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(made)
    }

    /// Creates an object of the throw-away account's, as whom it runs. The server has not looked at what a trigger names yet, so its
    /// head is written anew; before a function it has asked for every right.
    fn by_administrator(&self, loader: &mut Conn, object: &Pending, sql: &str) -> Result<mysql::Result<()>> {
        let account = rows(loader, "SELECT CURRENT_USER()")?.first().map(|row| text(row, 0)).unwrap_or_default();
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        let definer = format!("{}@{}", quote_name(user), quote_name(host));
        let quoting = object.session.quoting();
        let sql = match object.kind {
            ObjectKind::Function => with_definer(sql, quoting, Some(&definer)),
            ObjectKind::Trigger => Trigger::parse(sql, quoting)
                .ok_or_else(|| refused(object.line, "a trigger of a form that is not known", sql.as_bytes()))?
                .create_in(&self.request.schema, &definer),
            // The server says so of nothing else: it has read another statement than we have.
            _ => return Err(refused(object.line, "a statement that the server reads as another one", sql.as_bytes())),
        };
        let mut admin = self.request.server.connect(Some(&self.request.schema))?;
        run(&mut admin, &object.session.under_mode(self.shared.mode(&object.session).into_owned()).to_sql(""))?;
        Ok(objects::run_alone(&mut admin, &sql))
    }

    fn triggers_have_tables(&self, objects: &[Pending]) -> Result<()> {
        let triggers: Vec<(&Pending, String)> = objects
            .iter()
            .filter(|object| object.kind == ObjectKind::Trigger)
            .filter_map(|object| Some((object, Trigger::parse(&object.text, object.session.quoting())?.table.name)))
            .collect();
        let lacking = self.state.lacking(triggers.iter().map(|(_, table)| table.as_str()));
        match triggers.iter().find(|(_, table)| lacking.contains(table.as_str())) {
            Some((object, table)) => Err(or_without(without_table(table, object.line), &object.name)),
            None => Ok(()),
        }
    }

    fn try_object(&self, connection: &mut Conn, object: &Pending, awake_events: &mut Vec<String>) -> Result<()> {
        let quoting = object.session.quoting();
        let mut sql = with_definer(&object.text, quoting, None);
        if object.kind == ObjectKind::Event {
            // It is only looked at here and must never run.
            let (sleeping, was_awake) = asleep(&sql, quoting)
                .ok_or_else(|| refused(object.line, "an event without a schedule", object.text.as_bytes()))?;
            sql = sleeping;
            if was_awake && !awake_events.contains(&object.name) {
                awake_events.push(object.name.clone());
            }
        }
        run(connection, &object.session.under_mode(self.shared.mode(&object.session).into_owned()).to_sql(""))?;
        self.fits(&sql, object.line)?;
        let made = match objects::run_alone(connection, &sql) {
            Err(mysql::Error::MySqlError(error)) if error.code == NEEDS_SUPER => {
                self.by_administrator(connection, object, &sql)?
            }
            other => other,
        };
        made.map_err(|error| {
            let kind = object.kind.keyword().to_ascii_lowercase();
            let what = format!("{kind} {} (line {} of the dump)", object.name, object.line);
            let error = match error {
                mysql::Error::MySqlError(server) if server.code == UNDECLARED => undeclared(&object.name, object.line),
                mysql::Error::MySqlError(server) if server.code == NEEDS_SUPER => {
                    of_administrators(object.kind, &object.name)
                }
                error => or_without(reaching(failed(&what, &error)), &object.name),
            };
            error.with("line", object.line)
        })
    }
}

/// `ER_BINLOG_UNSAFE_ROUTINE`: a function that does not say what it does.
const UNDECLARED: u16 = 1418;
/// `ER_BINLOG_CREATE_ROUTINE_NEED_SUPER`: with a binary log, and without `log_bin_trust_function_creators`, triggers and functions are
/// made by administrators alone. Of a function MySQL says so after it has asked for every other right; of a trigger before it asks for
/// any (tried with 9.7).
const NEEDS_SUPER: u16 = 1419;

/// The dump is not the one of which an earlier load left a table whole.
fn changed(table: &str, earlier: u64, held: u64) -> Error {
    let message = format!("table {table}: {earlier} rows when its load was interrupted, {held} in the dump now");
    Error::new(Code::BackupChanged, message)
}

/// What the throw-away account may not do: the dump reaches for what is not its own.
fn reaching(made: Error) -> Error {
    match made.code {
        Code::InsufficientPrivilege => Error { code: Code::DumpRefused, hint: Code::DumpRefused.hint().into(), ..made },
        _ => made,
    }
}

/// The spool, read with an eye on whether the job goes on.
struct Watched {
    reader: SpoolReader,
    shared: Arc<Shared>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.shared.check().map_err(io::Error::other)?;
            if let Some(got) = self.reader.read_within(buffer, Duration::from_millis(50))? {
                return Ok(got);
            }
        }
    }
}
