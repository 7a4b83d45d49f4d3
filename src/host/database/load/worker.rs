//! One connection that loads rows. It is handed extents of the spooled dump, never the rows themselves.

use crate::error::{Code, Error, Result};
use crate::host::database::load::batch::{Batch, Shared, Target};
use crate::host::database::load::queue::{Order, Queue};
use crate::host::database::load::refusal::{incompatible, or_without};
use crate::host::database::server::{failed, run};
use crate::host::spool::Spool;
use crate::progress::Phase;
use crate::sql::compat::Kind;
use crate::sql::compat::action::Keep;
use crate::sql::compat::judge::refuse_zero_dates;
use crate::sql::insert::upsert_with_defaults;
use crate::sql::session::Session;
use crate::sql::{quote_name, rows};
use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bytes of dump after which a transaction is committed.
const TRANSACTION: u64 = 32 << 20;
/// Bytes read from the spool at a time.
const WINDOW: usize = 256 << 10;

/// Without work for this long, a worker commits what is open.
const IDLE: Duration = Duration::from_millis(50);

/// Works until there are no more orders; failures are kept in `shared`.
pub fn work(shared: &Arc<Shared>, spool: &Spool, queue: &Queue, number: usize) {
    let result = shared.connect().and_then(|connection| {
        Worker { shared, spool, connection, session: None, open: 0, uncommitted: Vec::new() }.run(queue, number)
    });
    if let Err(error) = result {
        shared.fail(error);
    }
    // Others may be waiting at a meeting.
    loop {
        match queue.take(number, IDLE) {
            Order::Meet(barrier) => drop(barrier.wait()),
            Order::End => return,
            Order::Load(_) | Order::Idle => {}
        }
    }
}

/// What of an INSERT stands around its rows, and which of their values the server computes.
struct Around<'a> {
    head: &'a str,
    computed: &'a [usize],
    upsert: &'a str,
}

struct Worker<'a> {
    shared: &'a Arc<Shared>,
    spool: &'a Spool,
    connection: Conn,
    session: Option<Arc<Session>>,
    /// Bytes in the open transaction.
    open: u64,
    /// Its batches, by table.
    uncommitted: Vec<(Arc<Target>, u64)>,
}

impl Worker<'_> {
    fn run(mut self, queue: &Queue, number: usize) -> Result<()> {
        loop {
            self.shared.check()?;
            match queue.take(number, IDLE) {
                Order::Load(batch) => self.load(&batch)?,
                Order::Meet(barrier) => {
                    let committed = self.commit();
                    barrier.wait();
                    committed?;
                }
                // An open transaction would keep its table's definition locked.
                Order::Idle => self.commit()?,
                Order::End => return self.commit(),
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        if self.open > 0 {
            run(&mut self.connection, "COMMIT")?;
            self.open = 0;
            for (target, batches) in self.uncommitted.drain(..) {
                target.progress().committed += batches;
                self.shared.note_if_whole(&target);
            }
        }
        Ok(())
    }

    fn load(&mut self, batch: &Batch) -> Result<()> {
        self.shared.monitor.current(Phase::Database, &batch.target.name);
        if !batch.target.transactional {
            // MySQL that keeps GTIDs consistent takes such rows in a transaction of their own alone (error 1785).
            self.commit()?;
        }
        self.enter(&batch.session)?;
        let loaded = match self.try_load_data(batch)? {
            Some(rows) => rows,
            None => self.insert(batch)?,
        };
        batch.target.rows.fetch_add(loaded, Ordering::Relaxed);
        batch.target.bytes.fetch_add(batch.bytes, Ordering::Relaxed);
        self.shared.monitor.advance(Phase::Database, batch.rows, batch.bytes);
        self.open += batch.bytes.max(1);
        match self.uncommitted.last_mut() {
            Some((target, batches)) if Arc::ptr_eq(target, &batch.target) => *batches += 1,
            _ => self.uncommitted.push((batch.target.clone(), 1)),
        }
        if self.open >= TRANSACTION || !batch.target.transactional {
            self.commit()?;
        }
        Ok(())
    }

    fn enter(&mut self, session: &Arc<Session>) -> Result<()> {
        let same = self
            .session
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, session) || current.same_settings(session));
        if !same {
            self.shared.enter(&mut self.connection, session)?;
        }
        self.session = Some(session.clone());
        Ok(())
    }

    /// The cheap way, where [`crate::sql::table::TableText::loads`]: the rows as they stand in the dump are what `LOAD DATA` reads
    /// with these separators.
    /// Anything short of a clean result is undone, and `None` sends the batch the other way.
    fn try_load_data(&mut self, batch: &Batch) -> Result<Option<u64>> {
        let charset = batch.session.charset.as_deref().unwrap_or("utf8mb4");
        if !(self.shared.facts.local_infile && batch.simple) {
            return Ok(None);
        }
        let quote = if batch.quote == b'"' { "'\"'" } else { "''''" };
        let sql = format!(
            "LOAD DATA LOCAL INFILE 'rows' INTO TABLE {} CHARACTER SET {charset} FIELDS TERMINATED BY ',' \
             OPTIONALLY ENCLOSED BY {quote} ESCAPED BY '\\\\' LINES STARTING BY '(' TERMINATED BY ')'{}",
            quote_name(&batch.target.name),
            batch.head.column_list()
        );
        if self.connection.query_drop("SAVEPOINT batch").is_err() {
            return Ok(None);
        }
        let spool = self.spool.clone();
        let pieces = batch.pieces.clone();
        // It never opens a file: whatever name the server asks for, it gets this batch.
        self.connection.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, out| {
            send(&spool, &pieces, out).map_err(std::io::Error::other)
        })));
        let result = self.connection.query_drop(&sql);
        self.connection.set_local_infile_handler(None);
        match result {
            Ok(()) if self.connection.affected_rows() == batch.rows && self.connection.warnings() == 0 => {
                return Ok(Some(batch.rows));
            }
            Ok(()) | Err(mysql::Error::MySqlError(_)) => {}
            Err(error) => return Err(failed(&format!("load {}", batch.target.name), &error)),
        }
        run(&mut self.connection, "ROLLBACK TO SAVEPOINT batch")?;
        Ok(None)
    }

    fn insert(&mut self, batch: &Batch) -> Result<u64> {
        let columns = batch.target.columns(&mut self.connection, batch.session.quoting());
        let columns = columns.as_deref();
        let head = batch.head.to_sql();
        let computes = |column: &str| columns.is_some_and(|table| table.computes(column));
        let upsert = batch.upsert.as_deref().unwrap_or_default();
        let upsert = upsert_with_defaults(upsert, batch.session.quoting(), &computes);
        let computed = columns.map(|table| table.computed(batch.head.columns.as_deref())).unwrap_or_default();
        let around = Around { head: &head, computed: &computed, upsert: &upsert };
        let room = usize::try_from(self.shared.facts.max_allowed_packet)
            .unwrap_or(usize::MAX)
            .saturating_sub(head.len() + upsert.len() + 1024);
        let mut rows: Vec<u8> = Vec::new();
        let mut loaded = 0;
        for &(offset, length) in &batch.pieces {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            // An extent ends with the row that fills a quarter of a packet: this one has a row that no packet holds.
            if length > room + room / 2 {
                return Err(self.too_long(batch, length));
            }
            if !rows.is_empty() && rows.len() + length + 1 > room {
                loaded += self.send_insert(batch, &around, std::mem::take(&mut rows), room)?;
            }
            if !rows.is_empty() {
                rows.push(b',');
            }
            let begin = rows.len();
            rows.resize(begin + length, 0);
            self.spool.read_at(&mut rows[begin..], offset)?;
        }
        if !rows.is_empty() {
            loaded += self.send_insert(batch, &around, rows, room)?;
        }
        if !batch.is_ordered() && loaded != batch.rows {
            return Err(Error::new(
                Code::DatabaseFailed,
                format!(
                    "table {}: the dump holds {} rows where the server took {loaded}",
                    batch.target.name, batch.rows
                ),
            )
            .with("line", batch.line));
        }
        Ok(loaded)
    }

    fn send_insert(&mut self, batch: &Batch, around: &Around, rows: Vec<u8>, room: usize) -> Result<u64> {
        let quoting = batch.session.quoting();
        let introducer = match batch.session.charset.as_deref() {
            None | Some("binary") => String::new(),
            Some(charset) if charset.starts_with("utf8") => String::new(),
            Some(charset) => format!("_{charset} "),
        };
        let length = rows.len();
        let text = rows::as_text(rows, quoting, &introducer);
        let text = if around.computed.is_empty() { text } else { rows::with_defaults(&text, around.computed, quoting) };
        if text.len() <= room {
            return self.send_statement(batch, around, &text);
        }
        // Grown beyond a packet: one row at a time.
        let mut loaded = 0;
        for row in rows::split(text.as_bytes(), quoting, self.shared.dialect)? {
            if row.len() > room {
                return Err(self.too_long(batch, row.len().min(length)));
            }
            let row =
                std::str::from_utf8(row).map_err(|_| Error::new(Code::Internal, "a row was cut inside of a letter"))?;
            loaded += self.send_statement(batch, around, row)?;
        }
        Ok(loaded)
    }

    fn too_long(&self, batch: &Batch, bytes: usize) -> Error {
        Error::new(
            Code::DatabaseFailed,
            format!(
                "table {}: a row near line {} of the dump is {bytes} bytes long, more than the server's max_allowed_packet",
                batch.target.name, batch.line
            ),
        )
        .hint("Raise max_allowed_packet of the server, then start again; the live database was not changed.")
        .with("line", batch.line)
    }

    fn send_statement(&mut self, batch: &Batch, around: &Around, rows: &str) -> Result<u64> {
        let sql = [around.head, rows, around.upsert].concat();
        self.connection.query_drop(&sql).map_err(|error| {
            if let mysql::Error::MySqlError(said) = &error
                && let Some(refusal) = self.zero_date(batch, &said.message)
            {
                return refusal;
            }
            let what = format!("rows of table {} (line {} of the dump)", batch.target.name, batch.line);
            or_without(failed(&what, &error), &batch.target.name)
                .with("line", batch.line)
                .with("table", batch.target.name.clone())
        })?;
        let loaded = self.connection.affected_rows();
        if self.connection.warnings() > 0 {
            let said = self.connection.query::<(String, u16, String), _>("SHOW WARNINGS").unwrap_or_default();
            if let Some(refusal) = said.iter().find_map(|(_, _, message)| self.zero_date(batch, message)) {
                return Err(refusal);
            }
            if let Some((_, _, message)) = said.first() {
                self.shared.note(format!("table {}: {}", batch.target.name, crate::text::printable(message)));
            }
        }
        Ok(loaded)
    }

    /// The refusal, if that is what a message of the server means and the caller asked for.
    fn zero_date(&self, batch: &Batch, message: &str) -> Option<Error> {
        let about = message.starts_with("Incorrect date") || message.starts_with("Incorrect timestamp");
        if self.shared.actions.zero_dates != Keep::Refuse || !about {
            return None;
        }
        let said = crate::text::printable(message);
        let table = batch.target.name.clone();
        let finding =
            refuse_zero_dates(&said).about(Kind::ZeroDates, &format!("rows of {table}"), 1, batch.line, Some(table));
        Some(incompatible(&finding, &self.shared.actions))
    }
}

fn send(spool: &Spool, pieces: &[(u64, u64)], out: &mut impl Write) -> Result<()> {
    let mut window = vec![0; WINDOW];
    for &(offset, length) in pieces {
        let mut at = offset;
        let end = offset + length;
        while at < end {
            let part = usize::try_from(end - at).unwrap_or(WINDOW).min(WINDOW);
            spool.read_at(&mut window[..part], at)?;
            out.write_all(&window[..part]).map_err(|error| Error::io("send rows to the database", &error))?;
            at += part as u64;
        }
    }
    Ok(())
}
