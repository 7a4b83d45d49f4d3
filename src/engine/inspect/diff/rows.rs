//! Rows: compares those of the dump with the live ones, table by table, while the dump streams by.
//!
//! In the first reading each row is two hashes, of its key and of all of it ([`balance`]). They tell how many rows differ, and the keys of
//! some of them. A second reading, of these tables alone, finds the rows of these keys again, with their values ([`pairs`]). The live
//! side is one moment in both readings.

pub mod balance;
pub mod pairs;
pub mod plan;

use super::pages::Pages;
use crate::api::answer::comparison::{RowChanges, RowCountsChanged, RowEntry};
use crate::backup::contents::DumpScan;
use crate::error::{Code, Error, Result};
use crate::host::database::live_rows::{Asked, EVERY, LiveRows, Sending, Sent};
use crate::host::database::reader::Reader;
use crate::progress::{Monitor, Phase};
use crate::random;
use crate::sql::digest::{Filled, Key, Row};
use crate::sql::dump_rows;
use crate::sql::identity::Identifier;
use crate::sql::insert::InsertHead;
use crate::sql::lexer::Rows;
use crate::sql::outline::Outline;
use crate::sql::session::Session;
use crate::sql::table::TableText;
use crate::sql::versioned::Dialect;
use balance::{Balance, Difference};
use pairs::Pairs;
use plan::Plan;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

/// Most rows of a table that have an entry, and of all tables.
pub const MOST_LISTED: usize = 1000;
const MOST_LISTED_IN_ALL: usize = 100_000;
/// Why a table is not compared that is made twice.
const TWICE: &str = "the dump makes it twice";
/// Most tables whose definitions wait for their rows: a dump mostly has them right behind.
const MOST_WAITING: usize = 20_000;
const IN_PLACES: &str = "its rows are in several places of the dump";

/// What was found of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// How they differ.
    Compared(RowCountsChanged),
    /// Why they were not compared.
    NotCompared(String),
}

/// What was found, by table.
pub type Outcomes = BTreeMap<String, Outcome>;

/// Hands the text of the dump to whoever looks at it.
pub type ReadDump<'a> = dyn Fn(&mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<()> + 'a;

/// What is compared.
pub struct Sides<'a> {
    /// The account that reads the live rows.
    pub reader: &'a Reader,
    /// The live schema.
    pub schema: &'a str,
    /// The live server.
    pub dialect: Dialect,
    /// The tables that both sides have.
    pub tables: &'a BTreeSet<String>,
    /// A file for hashes that are more than memory holds.
    pub scratch: PathBuf,
}

/// Compares; the rows that differ go to `pages`.
///
/// # Errors
/// `database_unreachable`, `insufficient_privilege`, `io_failed`, `disk_full`; those of reading the dump.
pub fn changes(
    sides: &Sides<'_>,
    dump: &DumpScan,
    pages: Pages<RowEntry>,
    read: &ReadDump<'_>,
    monitor: &dyn Monitor,
) -> Result<(Outcomes, RowChanges)> {
    let mut key = [0; Key::BYTES];
    random::fill(&mut key)?;
    let rows = dump.tables.iter().filter(|table| sides.tables.contains(&table.name)).map(|table| table.rows).sum();
    monitor.set_total(Phase::Database, rows, dump.bytes);
    let mut comparing = Comparing {
        live: LiveRows::open(sides.reader, sides.schema)?,
        sides,
        hashing: Key::new(key),
        made: HashMap::new(),
        open: None,
        outcomes: Outcomes::new(),
        differing: BTreeMap::new(),
        left_to_list: MOST_LISTED_IN_ALL,
        pages,
        is_showing: false,
        monitor,
    };
    let look = |comparing: &mut Comparing<'_>| {
        read(&mut |text| {
            dump_rows::read(text, sides.dialect, sides.schema, comparing)?;
            comparing.close()
        })
    };
    look(&mut comparing)?;
    comparing.compare_empty()?;
    let mut changes = comparing.sum();
    if !comparing.differing.is_empty() {
        comparing.is_showing = true;
        look(&mut comparing)?;
        comparing.compare_empty()?;
    }
    (changes.total, changes.entries) = comparing.pages.finish()?;
    changes.unlisted = (changes.added + changes.changed + changes.removed).saturating_sub(changes.total);
    Ok((comparing.outcomes, changes))
}

struct Comparing<'a> {
    sides: &'a Sides<'a>,
    live: LiveRows,
    hashing: Key,
    /// Tables of the dump whose rows have not come yet.
    made: HashMap<String, (TableText, Session)>,
    /// The table whose rows are coming.
    open: Option<Open>,
    outcomes: Outcomes,
    /// Keys of rows that differ, by table; the second reading takes them away.
    differing: BTreeMap<String, (HashSet<u128>, u64)>,
    left_to_list: usize,
    pages: Pages<RowEntry>,
    /// It is the second reading.
    is_showing: bool,
    monitor: &'a dyn Monitor,
}

/// A table whose rows are coming from both sides.
struct Open {
    plan: Plan,
    filled: Filled,
    identifier: Identifier,
    head: Option<Arc<InsertHead>>,
    session: Session,
    table: TableText,
    sending: Sending,
    taker: Taker,
    /// Rows of the dump that were taken.
    taken: u64,
}

/// What takes the rows.
enum Taker {
    /// Of the first reading.
    Balance(Box<Balance>),
    /// Of the second, with the number of rows that the dump has.
    Pairs(Pairs, u64),
}

impl Comparing<'_> {
    fn give_up(&mut self, table: &str, why: impl Into<String>) {
        // What was counted in the first reading holds, whatever becomes of the entries.
        if !self.is_showing {
            self.outcomes.insert(table.to_owned(), Outcome::NotCompared(why.into()));
        }
        self.differing.remove(table);
        self.made.remove(table);
        if let Some(open) = self.open.take_if(|open| open.plan.table == table) {
            // What the server says of rows that nobody wants means nothing.
            let _ = self.live.take_back(open.sending);
        }
    }

    /// What keeps one table from being compared, and not the others.
    fn failed(&mut self, table: &str, error: Error) -> Result<()> {
        if !matches!(error.code, Code::DatabaseFailed | Code::DatabaseLocked | Code::InsufficientPrivilege) {
            return Err(error);
        }
        self.give_up(table, error.message);
        Ok(())
    }

    fn begin(
        &mut self,
        name: &str,
        (table, session): (TableText, Session),
        head: Option<&Arc<InsertHead>>,
    ) -> Result<()> {
        self.monitor.current(Phase::Database, name);
        let columns = match self.live.columns(name) {
            Ok(columns) => columns,
            Err(error) => return self.failed(name, error),
        };
        // A table without rows in the dump may be filled by columns of any name.
        let stored = table.stored();
        let named = head.map_or(Some(stored.as_slice()), |head| head.columns.as_deref());
        let (plan, filled, charset) = match plan::plan(name, &table, &columns, named, &session) {
            Ok(planned) => planned,
            Err(why) => {
                self.give_up(name, why);
                return Ok(());
            }
        };
        let identifier = Identifier::new(self.hashing.clone(), plan.written.clone(), plan.key.clone());
        let mut keys = None;
        let taker = match self.is_showing {
            false => Taker::Balance(Box::new(Balance::new(self.sides.scratch.clone()))),
            true => {
                let Some((wanted, rows)) = self.differing.remove(name) else { return Ok(()) };
                let wanted = Arc::new(wanted);
                keys = Some(wanted.clone());
                Taker::Pairs(Pairs::new(wanted), rows)
            }
        };
        let asked = Asked {
            table: name,
            columns: &filled.names,
            written: plan.written.clone(),
            session: (&session, charset),
            identifier: identifier.clone(),
            keys,
            hashing: self.hashing.clone(),
        };
        let sending = match self.live.send(asked) {
            Ok(sending) => sending,
            Err(error) => return self.failed(name, error),
        };
        let head = head.cloned();
        self.open = Some(Open { plan, filled, identifier, head, session, table, sending, taker, taken: 0 });
        Ok(())
    }

    /// The table whose rows were coming has no more of them.
    fn close(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        while let Some(batch) = open.sending.next(self.monitor)? {
            open.taker.take_batch(batch)?;
        }
        let name = open.plan.table.clone();
        if let Err(error) = self.live.take_back(open.sending) {
            return self.failed(&name, error);
        }
        match open.taker {
            Taker::Balance(balance) => {
                let has_key = !open.plan.key.is_empty();
                let most = if has_key { self.left_to_list.min(MOST_LISTED) } else { 0 };
                let Difference { added, changed, removed, same, backup, keys } = balance.finish(most)?;
                self.left_to_list -= keys.len();
                let found = RowCountsChanged { added, changed, removed, same, has_key };
                self.outcomes.insert(name.clone(), Outcome::Compared(found));
                if !keys.is_empty() {
                    self.differing.insert(name, (keys, backup));
                }
            }
            Taker::Pairs(pairs, _) => {
                pairs.entries(&open.plan).into_iter().try_for_each(|entry| self.pages.push(entry))?;
            }
        }
        Ok(())
    }

    /// Tables that the dump makes and gives no rows: the live ones may have some.
    fn compare_empty(&mut self) -> Result<()> {
        let mut names: Vec<String> = self.made.keys().cloned().collect();
        names.sort_unstable();
        for name in names {
            if let Some(made) = self.made.remove(&name) {
                self.begin(&name, made, None)?;
                self.close()?;
            }
        }
        // What the dump said nothing of.
        for table in self.sides.tables {
            let missing = || Outcome::NotCompared("the dump does not make it in a way that is read here".into());
            self.outcomes.entry(table.clone()).or_insert_with(missing);
        }
        Ok(())
    }

    fn sum(&self) -> RowChanges {
        let mut sum = RowChanges { most_listed: MOST_LISTED as u64, ..RowChanges::default() };
        for outcome in self.outcomes.values() {
            match outcome {
                Outcome::NotCompared(_) => sum.not_compared += 1,
                Outcome::Compared(found) => {
                    sum.tables += 1;
                    sum.added += found.added;
                    sum.changed += found.changed;
                    sum.removed += found.removed;
                    sum.same += found.same;
                }
            }
        }
        sum
    }

    /// Takes rows into the table that is open; why that ends.
    fn take(&mut self, rows: &Rows, text: &[u8], session: &Session) -> Result<Option<&'static str>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        if rows.upsert.is_some() {
            return Ok(Some("the dump fills it by INSERT … ON DUPLICATE KEY UPDATE"));
        }
        if !open.session.same_settings(session) {
            return Ok(Some("the dump changes its session between its rows"));
        }
        if open.head.as_ref().is_some_and(|head| head.columns != rows.head.columns) {
            let again = Filled::as_sent(&open.table, rows.head.columns.as_deref(), open.filled.letters);
            if again.as_ref() != Some(&open.filled) {
                return Ok(Some("the dump fills its columns now in one order and now in another"));
            }
        }
        let mut stopped: Result<()> = Ok(());
        let monitor = self.monitor;
        let Open { filled, identifier, taker, sending, taken, plan, .. } = open;
        let (written, hashing) = (&plan.written, &self.hashing);
        let is_read = filled.rows(text, session.quoting(), &mut |row| {
            stopped = taker.backup(identifier, row, |row| Outline::of(row, written, hashing));
            *taken += 1;
            // Both sides in step: what they have in common goes away at once.
            if stopped.is_ok() && taken.is_multiple_of(EVERY) {
                stopped = sending.next(monitor).and_then(|batch| taker.take_batch(batch.unwrap_or_default()));
            }
            stopped.is_ok()
        });
        stopped?;
        if !self.is_showing {
            self.monitor.advance(Phase::Database, rows.count, rows.length);
        }
        let unread = "a value of it is written in a way, or in a character set, that cannot be compared";
        Ok((!is_read).then_some(unread))
    }
}

impl Taker {
    fn backup(&mut self, identifier: &mut Identifier, row: &Row, outline: impl Fn(&Row) -> Outline) -> Result<()> {
        let identity = identifier.identify(row);
        match self {
            Taker::Balance(balance) => balance.add_backup(identity),
            Taker::Pairs(pairs, _) => {
                if pairs.wants(identity) {
                    pairs.add_backup(identity, outline(row));
                }
                Ok(())
            }
        }
    }

    fn take_batch(&mut self, batch: Vec<Sent>) -> Result<()> {
        for Sent { identity, outline } in batch {
            match (&mut *self, outline) {
                (Taker::Balance(balance), _) => balance.add_live(identity)?,
                (Taker::Pairs(pairs, _), Some(outline)) => pairs.add_live(identity, outline),
                (Taker::Pairs(..), None) => {}
            }
        }
        Ok(())
    }
}

impl dump_rows::Reader for Comparing<'_> {
    fn wants(&self, table: &str) -> bool {
        let is_open = || self.open.as_ref().is_some_and(|open| open.plan.table == table);
        match self.is_showing {
            false => self.sides.tables.contains(table),
            true => is_open() || self.differing.contains_key(table),
        }
    }

    fn table(&mut self, name: &str, table: Option<TableText>, session: &Session) -> Result<()> {
        let is_open = self.open.as_ref().is_some_and(|open| open.plan.table == name);
        if self.is_showing {
            if is_open {
                return Ok(());
            }
        } else if is_open || self.made.contains_key(name) || self.outcomes.contains_key(name) {
            // Which rows count, and in which columns, is the server's to say.
            if !matches!(self.outcomes.get(name), Some(Outcome::NotCompared(_))) {
                self.give_up(name, TWICE);
            }
            return Ok(());
        }
        match table {
            Some(table) if self.made.len() < MOST_WAITING => {
                self.made.insert(name.to_owned(), (table, session.settings()));
            }
            Some(_) => self.give_up(name, "the dump has its rows too far behind its definition"),
            None => self.give_up(name, "its definition in the dump is not of the usual form"),
        }
        Ok(())
    }

    fn rows(&mut self, rows: &Rows, text: &[u8], session: &Session) -> Result<()> {
        let name = rows.head.table.as_str();
        if self.open.as_ref().is_none_or(|open| open.plan.table != name) {
            self.close()?;
            match self.made.remove(name) {
                Some((table, _)) => self.begin(name, (table, session.settings()), Some(&rows.head))?,
                None if matches!(self.outcomes.get(name), Some(Outcome::Compared(_))) => {
                    self.give_up(name, IN_PLACES);
                }
                None => {}
            }
        }
        if let Some(why) = self.take(rows, text, session)? {
            self.give_up(name, why);
        }
        // The last row was seen: nothing behind it is read for this table.
        let is_whole = |open: &Open| matches!(open.taker, Taker::Pairs(_, rows) if open.taken >= rows);
        if self.open.as_ref().is_some_and(is_whole) {
            self.close()?;
        }
        Ok(())
    }

    fn unread(&mut self, table: &str, why: &str) {
        if self.sides.tables.contains(table) && !self.is_showing {
            self.give_up(table, why);
        }
    }

    fn has_seen_all(&self) -> bool {
        self.is_showing && self.differing.is_empty() && self.open.is_none()
    }
}
