//! Tables that are in the site's schema as the dump has them: they are not loaded, and take no part in the change-over.
//!
//! Where the dump makes a table whose live namesake has the same definition, its rows are read ahead of the load while the server sends
//! those of the live one. Both sides are one digest of rows in whatever order, with a key of this load. The first rows that differ end
//! it, and the load goes on as ever: a table that differs costs a few thousand rows more than it would. Everything that is not known to be
//! comparable is loaded.

use crate::error::{Code, Error, Result};
use crate::host::database::load::batch::Shared;
use crate::host::database::load::{BATCH, Watched};
use crate::host::database::reader::Reader;
use crate::host::database::real::damage;
use crate::host::database::server::{Server, error_number, failed, full, literal, number, put_values, rows, run, text};
use crate::host::spool::Spool;
use crate::progress::Phase;
use crate::random;
use crate::sql::digest::{Filled, Key, Letters, Row, RowsDigest};
use crate::sql::insert::{InsertHead, Verb};
use crate::sql::lexer::{Item, Lexer, Rows};
use crate::sql::session::Session;
use crate::sql::statement::{Statement, classify};
use crate::sql::table::TableText;
use crate::sql::token::{Quoting, tokens};
use crate::sql::versioned::Dialect;
use crate::sql::{modes, quote_name};
use mysql::Conn;
use mysql::prelude::Queryable;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Rows after which both sides are held against each other.
const EVERY: u64 = 4096;
/// Messages that the faster side is ahead.
const AHEAD: usize = 16;
/// Seconds that a live table may be locked by somebody, while the load waits and where nothing does.
const PATIENCE_S: u32 = 1;
const CHECK_PATIENCE_S: u32 = 15;
/// How often it is asked whether the job goes on.
const LOOK: Duration = Duration::from_millis(50);
/// A server that sends nothing for so long is not waited for.
const STALL: Duration = Duration::from_secs(30);
/// Without it a 0 would become the next number.
const ZERO: &str = "NO_AUTO_VALUE_ON_ZERO";
/// Modes under which a value means what it says, and a server shows a definition as a dump has it.
const MODES: [&str; 10] = [
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_DATE",
    "NO_ZERO_IN_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_ENGINE_SUBSTITUTION",
    "ONLY_FULL_GROUP_BY",
    "NO_AUTO_CREATE_USER",
    "NO_DIR_IN_CREATE",
    ZERO,
];
/// `ER_LOCK_WAIT_TIMEOUT`.
const LOCKED: u64 = 1205;

/// A table that the site has as the dump has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnchangedTable {
    /// Name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Bytes of dump.
    pub bytes: u64,
    /// The digest of its rows, on both sides: [`RowsDigest`]. Its key is forgotten with the load.
    pub digest: String,
    /// The next value of its `AUTO_INCREMENT` in the dump; 0 where the dump says none.
    pub next_value: u64,
    /// The server's clock before the live rows were read, in seconds since 1970.
    pub seen: i64,
}

/// A table of the dump, and where its rows end in it.
#[derive(Debug, Clone)]
pub struct Passed {
    pub table: UnchangedTable,
    /// Offset behind its last row; rows behind that were not compared.
    pub until: u64,
}

/// The table as the dump makes it.
pub struct DumpTable<'a> {
    pub name: &'a str,
    /// The statement, as this server is given it.
    pub sql: &'a str,
    pub text: &'a TableText,
    pub session: &'a Session,
    /// Offset behind the statement.
    pub until: u64,
}

/// The site's tables, as an account that may do nothing but read them.
pub struct Live {
    shared: Arc<Shared>,
    spool: Spool,
    reader: Reader,
    schema: String,
    key: Key,
    /// Asks what the tables are; `None` before the first, and after an error.
    asking: Option<Conn>,
    /// Has sent rows to their end.
    idle: Option<Conn>,
    checking: Option<Checking>,
    /// Tables to which foreign keys lead.
    referred: HashSet<String>,
    /// Nothing is compared any more.
    is_over: bool,
}

/// A connection that looks at tables which stay as they are: what is restored is sound.
struct Checking {
    tables: Sender<String>,
    thread: JoinHandle<Option<String>>,
    stop: Arc<AtomicBool>,
    /// The connection's number.
    id: u32,
}

impl Live {
    /// # Errors
    /// `io_failed` when the kernel gives no random bytes; `database_unreachable`.
    pub fn new(
        shared: &Arc<Shared>,
        spool: &Spool,
        (admin, reader): (&Server, Reader),
        schema: String,
    ) -> Result<Live> {
        let sql = format!(
            "SELECT DISTINCT REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA={}",
            literal(&schema)
        );
        let referred = rows(&mut admin.connect(None)?, &sql)?.iter().map(|row| text(row, 0)).collect();
        let (shared, spool) = (shared.clone(), spool.clone());
        let mut key = [0; Key::BYTES];
        random::fill(&mut key)?;
        let key = Key::new(key);
        Ok(Live {
            shared,
            spool,
            reader,
            schema,
            key,
            referred,
            asking: None,
            idle: None,
            checking: None,
            is_over: false,
        })
    }

    /// Whether the live table is this one. Whatever keeps the two from being compared says no.
    ///
    /// # Errors
    /// Why the load stops.
    pub fn holds(&mut self, made: &DumpTable<'_>) -> Result<Option<Passed>> {
        let is_utf8 = made.session.charset.as_deref().is_none_or(|name| name.starts_with("utf8"));
        let is_plain = self.are_plain(made.session) && (is_utf8 || made.sql.is_ascii());
        let wording = Wording::of(made.sql);
        let says = |word: &str| wording.words.iter().any(|said| said.eq_ignore_ascii_case(word));
        // A foreign key between a table that stays and one that comes would be taken off and put on anew, and so would its index.
        let is_tied = self.referred.contains(made.name) || says("FOREIGN");
        // Rows of before are not among those that a SELECT gives.
        let keeps_history = says("VERSIONING");
        if self.is_over || !made.text.is_innodb() || !is_plain || is_tied || keeps_history {
            return Ok(None);
        }
        let compared = self.compare(made, &wording);
        self.shared.check()?;
        let passed = match compared {
            Ok(Some(passed)) => passed,
            Ok(None) => return Ok(None),
            Err(error) => {
                // Who holds one table holds others, and each would be waited for.
                let is_of_server = matches!(error.code, Code::DatabaseUnreachable | Code::InsufficientPrivilege);
                self.is_over = is_of_server || error_number(&error) == Some(LOCKED);
                self.asking = None;
                return Ok(None);
            }
        };
        if self.check(&passed.table.name).is_err() {
            return Ok(None);
        }
        self.shared.monitor.advance(Phase::Database, passed.table.rows, passed.table.bytes);
        Ok(Some(passed))
    }

    /// Whether a session leaves definitions and values their plain meaning.
    fn are_plain(&self, session: &Session) -> bool {
        let mode = self.shared.mode(session);
        let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        modes::listed(&mode).all(|word| MODES.iter().any(|known| is(known, word)))
            && modes::listed(&mode).any(|word| is(word, ZERO))
    }

    fn compare(&mut self, made: &DumpTable<'_>, wording: &Wording<'_>) -> Result<Option<Passed>> {
        let Some(seen) = self.defines(made.name, &wording.words)? else { return Ok(None) };
        self.shared.monitor.current(Phase::Database, made.name);
        let source = Watched { reader: self.spool.reader_at(made.until), shared: self.shared.clone() };
        let mut lexer = Lexer::new(source, self.shared.dialect, BATCH);
        let mut session = made.session.clone();
        lexer.set_quoting(session.quoting());
        let mut sending: Option<Sending> = None;
        // Rows of a table that has none here may come later.
        let mut has_place = false;
        let (mut digest, mut bytes, mut until) = (RowsDigest::default(), 0, made.until);
        let same = loop {
            match lexer.next_item()? {
                Some(Item::Rows(rows)) if rows.head.table == made.name => {
                    let sent = match &sending {
                        Some(sent) => sent,
                        None => match self.filled(made, &rows, &session) {
                            Some((filled, charset)) => {
                                let sent = self.send(made.name, filled, &session, charset)?;
                                sending.insert(Sending { head: Some(rows.head.clone()), ..sent })
                            }
                            None => break false,
                        },
                    };
                    if !sent.session.same_settings(&session) || !self.are_sent(made, &rows, sent, &mut digest)? {
                        break false;
                    }
                    bytes += rows.length;
                    until = made.until + rows.offset + rows.length;
                }
                Some(Item::Statement { text, .. }) => match classify(&text, session.quoting()) {
                    Ok(Statement::Nothing) => {}
                    Ok(Statement::Keys(name, _)) if name.name == made.name => has_place = true,
                    Ok(Statement::Set) if session.apply(&text).is_ok() => lexer.set_quoting(session.quoting()),
                    _ => break true,
                },
                Some(Item::Rows(_)) | None => break true,
            }
        };
        let sent = match sending {
            Some(sent) => sent,
            None if same && has_place => {
                // The dump has no rows of it: whatever their columns, the live table may have none.
                let filled = Filled::of(made.text, Some(&made.text.stored()), Letters::All);
                let Some(filled) = filled else { return Ok(None) };
                self.send(made.name, filled, &session, "utf8mb4")?
            }
            None => return Ok(None),
        };
        if !same || self.next(&sent)? != Some(digest) || self.next(&sent)?.is_some() {
            return self.give_up(sent).map(|()| None);
        }
        self.idle = Some(sent.end()?);
        let name = made.name.to_owned();
        let (rows, digest, next_value) = (digest.rows, digest.to_string(), wording.next_value);
        let table = UnchangedTable { name, rows, bytes, digest, next_value, seen };
        Ok(Some(Passed { table, until }))
    }

    /// Whether the live table is defined word for word as the dump defines its own, but for the next value of `AUTO_INCREMENT`; then the
    /// server's clock.
    fn defines(&mut self, table: &str, words: &[&str]) -> Result<Option<i64>> {
        let asking = match &mut self.asking {
            Some(asking) => asking,
            empty => {
                let mut asking = connect(&self.reader.server(&self.schema)?)?;
                // There one table has several names.
                let folded = rows(&mut asking, "SELECT @@lower_case_table_names")?;
                self.is_over = folded.first().is_none_or(|row| number(row, 0) != 0);
                empty.insert(asking)
            }
        };
        if self.is_over {
            return Ok(None);
        }
        let sql = format!("SHOW CREATE TABLE {}", full(&self.schema, table));
        let shown = match asking.query::<mysql::Row, _>(&sql) {
            Ok(shown) => shown.first().map(|row| text(row, 1)).unwrap_or_default(),
            Err(mysql::Error::MySqlError(error)) if u64::from(error.code) != LOCKED => return Ok(None),
            Err(error) => return Err(failed("look at a live table", &error)),
        };
        if plain(&shown, self.shared.dialect).is_none_or(|shown| Wording::of(&shown).words != words) {
            return Ok(None);
        }
        let clock = rows(asking, "SELECT UNIX_TIMESTAMP()")?.first().map_or(0, |row| number(row, 0));
        Ok(Some(i64::try_from(clock).unwrap_or(0)))
    }

    /// What rows of the dump fill, and the character set in which the server is asked for the same.
    fn filled(&self, made: &DumpTable<'_>, rows: &Rows, session: &Session) -> Option<(Filled, &'static str)> {
        // In a zone with summer time two moments have one text.
        let is_offset = session.time_zone.as_deref().is_some_and(|zone| zone.starts_with(['+', '-']));
        let has_moments = made.text.columns.iter().any(|column| column.kind == "timestamp");
        if !self.are_plain(session) || has_moments && !is_offset {
            return None;
        }
        let (letters, charset) = Letters::of(session.charset.as_deref());
        Some((Filled::of(made.text, rows.head.columns.as_deref(), letters)?, charset))
    }

    /// Lets the server send the rows of a live table.
    fn send(&mut self, table: &str, filled: Filled, session: &Session, charset: &str) -> Result<Sending> {
        let mut connection = match self.idle.take() {
            Some(idle) => idle,
            None => connect(&self.reader.server(&self.schema)?)?,
        };
        let mut asked = session.under_mode(String::new());
        (asked.charset, asked.collation) = (Some(charset.to_owned()), None);
        run(&mut connection, &asked.to_sql(""))?;
        let columns: Vec<String> = filled.names.iter().map(|name| quote_name(name)).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), full(&self.schema, table));
        let id = connection.connection_id();
        let (sender, digests) = sync_channel(AHEAD);
        let key = self.key.clone();
        let thread = std::thread::spawn(move || {
            send_rows(&mut connection, &sql, &key, &sender).map_err(|error| failed("read a live table", &error))?;
            Ok(connection)
        });
        Ok(Sending { head: None, filled, session: session.clone(), digests, id, thread })
    }

    /// Whether these rows are the next of those that the server sends, as far as that is known by now.
    fn are_sent(&self, made: &DumpTable<'_>, rows: &Rows, sent: &Sending, digest: &mut RowsDigest) -> Result<bool> {
        let plain = rows.head.verb == Verb::Insert && rows.head.schema.is_none() && rows.upsert.is_none();
        let filled = || Filled::of(made.text, rows.head.columns.as_deref(), sent.filled.letters);
        if !plain || sent.head.as_ref() != Some(&rows.head) && filled().as_ref() != Some(&sent.filled) {
            return Ok(false);
        }
        let mut text = vec![0; usize::try_from(rows.length).map_err(|_| Error::new(Code::Internal, "endless rows"))?];
        self.spool.read_at(&mut text, made.until + rows.offset)?;
        Ok(sent.filled.rows(&text, sent.session.quoting(), &mut |row| {
            digest.add(row, &self.key);
            !digest.rows.is_multiple_of(EVERY) || self.next(sent).is_ok_and(|sent| sent == Some(*digest))
        }))
    }

    /// The next digest from the server; `None` behind the last.
    fn next(&self, sent: &Sending) -> Result<Option<RowsDigest>> {
        let began = Instant::now();
        while began.elapsed() < STALL {
            match sent.digests.recv_timeout(LOOK) {
                Ok(digest) => return Ok(Some(digest)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.shared.check()?,
            }
        }
        Err(Error::new(Code::TimedOut, "a live table is not sent"))
    }

    /// Ends the sending of rows: the connection would wait until the last had come.
    ///
    /// # Errors
    /// Why the server sent no rows.
    fn give_up(&mut self, sent: Sending) -> Result<()> {
        // It has told its last word to nobody yet.
        if sent.digests.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Disconnected) {
            self.idle = Some(sent.end()?);
            return Ok(());
        }
        let Sending { digests, id, thread, .. } = sent;
        self.kill(id);
        drop(digests);
        let _ = thread.join();
        Ok(())
    }

    fn kill(&mut self, id: u32) {
        if self.asking.as_mut().is_some_and(|asking| asking.query_drop(format!("KILL {id}")).is_err()) {
            self.asking = None;
        }
    }

    fn check(&mut self, table: &str) -> Result<()> {
        let checking = match &mut self.checking {
            Some(checking) => checking,
            empty => {
                let connection = connect(&self.reader.server(&self.schema)?)?;
                let (tables, names) = channel();
                let (id, schema) = (connection.connection_id(), self.schema.clone());
                let stop = Arc::new(AtomicBool::new(false));
                let told = stop.clone();
                let thread = std::thread::spawn(move || check_all(connection, &schema, &names, &told));
                empty.insert(Checking { tables, thread, stop, id })
            }
        };
        // One that has ended says why at the end.
        let _ = checking.tables.send(table.to_owned());
        Ok(())
    }

    /// Why one of the tables that were passed may not stay.
    ///
    /// # Errors
    /// Why the load stops.
    pub fn unsound(&mut self) -> Result<Option<String>> {
        let Some(Checking { tables, thread, stop, id }) = self.checking.take() else { return Ok(None) };
        drop(tables);
        while !thread.is_finished() {
            if let Err(error) = self.shared.check() {
                stop.store(true, Ordering::Relaxed);
                self.kill(id);
                return Err(error);
            }
            std::thread::sleep(LOOK / 5);
        }
        Ok(thread.join().unwrap_or_else(|_| Some("the live tables could not be checked".into())))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(Checking { tables, thread, stop, id }) = self.checking.take() {
            stop.store(true, Ordering::Relaxed);
            drop(tables);
            self.kill(id);
            let _ = thread.join();
        }
    }
}

/// Rows on their way from the server.
struct Sending {
    /// Of the first of the dump's rows; most of a table's have the same.
    head: Option<Arc<InsertHead>>,
    filled: Filled,
    session: Session,
    /// Of the first [`EVERY`] rows, of twice as many, and so on; at last of all.
    digests: Receiver<RowsDigest>,
    /// The connection's number.
    id: u32,
    thread: JoinHandle<Result<Conn>>,
}

impl Sending {
    fn end(self) -> Result<Conn> {
        self.thread.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "a reading thread panicked")))
    }
}

fn connect(server: &Server) -> Result<Conn> {
    let mut connection = server.connect(None)?;
    // Each of them waits while the other side is slow, or while nothing is asked of it.
    let session = format!(
        "SET SESSION lock_wait_timeout={PATIENCE_S}, wait_timeout=28800, net_read_timeout=3600, net_write_timeout=3600"
    );
    run(&mut connection, &session)?;
    Ok(connection)
}

fn send_rows(connection: &mut Conn, sql: &str, key: &Key, digests: &SyncSender<RowsDigest>) -> mysql::Result<()> {
    let (mut digest, mut values) = (RowsDigest::default(), Row::default());
    for row in connection.query_iter(sql)? {
        put_values(row?, &mut values);
        digest.add(&values, key);
        if digest.rows.is_multiple_of(EVERY) && digests.send(digest).is_err() {
            return Ok(());
        }
    }
    let _ = digests.send(digest);
    Ok(())
}

/// The first that is wrong with a table, or why one could not be looked at.
fn check_all(mut connection: Conn, schema: &str, tables: &Receiver<String>, stop: &AtomicBool) -> Option<String> {
    // Nothing is kept waiting by this wait.
    if let Err(error) = run(&mut connection, &format!("SET SESSION lock_wait_timeout={CHECK_PATIENCE_S}")) {
        return Some(error.message);
    }
    let goes_on = |_: &String| !stop.load(Ordering::Relaxed);
    tables.iter().take_while(goes_on).find_map(|table| {
        match rows(&mut connection, &format!("CHECK TABLE {}", full(schema, &table))) {
            Ok(answers) => damage(&answers)
                .first()
                .map(|problem| format!("the live table {table}, which is as the dump has it, is damaged ({problem})")),
            Err(error) => Some(format!("the live table {table} could not be checked: {}", error.message)),
        }
    })
}

/// The statement with its versioned comments opened, as the lexer does it with the dump's.
fn plain(shown: &str, dialect: Dialect) -> Option<String> {
    let whole = format!("{shown};");
    match Lexer::new(whole.as_bytes(), dialect, BATCH).next_item() {
        Ok(Some(Item::Statement { text, .. })) => String::from_utf8(text).ok(),
        _ => None,
    }
}

/// What a definition says, apart from the next value of `AUTO_INCREMENT`.
struct Wording<'a> {
    words: Vec<&'a str>,
    /// 0 where none is said.
    next_value: u64,
}

impl Wording<'_> {
    fn of(sql: &str) -> Wording<'_> {
        let spans = tokens(sql.as_bytes(), Quoting::default()).into_iter();
        let mut words: Vec<&str> = spans.filter_map(|token| sql.get(token.span)).collect();
        let (mut depth, mut next_value) = (0, 0);
        let said = (0..words.len()).find_map(|at| {
            match words[at] {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            let is_option = depth == 0 && words[at].eq_ignore_ascii_case("AUTO_INCREMENT");
            let value = words.get(at + 2).filter(|_| is_option && words[at + 1] == "=")?;
            Some((at, value.parse().ok()?))
        });
        if let Some((at, value)) = said {
            words.drain(at..at + 3);
            next_value = value;
        }
        Wording { words, next_value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_value_is_no_part_of_what_a_definition_says() {
        let table = |options: &str| {
            format!(
                "CREATE TABLE `AUTO_INCREMENT` (`a` int AUTO_INCREMENT COMMENT 'AUTO_INCREMENT=3', KEY (`a`)) ENGINE=InnoDB{options}"
            )
        };
        let (with, without) = (table(" AUTO_INCREMENT=64 DEFAULT CHARSET=utf8mb4"), table(" DEFAULT CHARSET=utf8mb4"));
        let (with, without) = (Wording::of(&with), Wording::of(&without));
        assert_eq!((with.next_value, without.next_value), (64, 0));
        assert_eq!(with.words, without.words);
        for unclear in [" AUTO_INCREMENT='64'", " AUTO_INCREMENT=99999999999999999999", " AUTO_INCREMENT="] {
            let unclear = table(unclear);
            let unclear = Wording::of(&unclear);
            assert_eq!((unclear.next_value, unclear.words.contains(&"AUTO_INCREMENT")), (0, true));
            assert_ne!(unclear.words, Wording::of(&table("")).words);
        }
    }
}
