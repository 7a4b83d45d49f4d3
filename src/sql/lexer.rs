//! Cuts the text of a dump into statements while it streams in. Rows of an `INSERT` are never held:
//! they are reported as extents of the text.

use crate::error::{Code, Error, IoContext, Result};
use crate::sql::compat::uses::is_zero_date;
use crate::sql::insert::{InsertHead, upsert};
use crate::sql::token::{Quoting, escapes, is_word, starts_line_comment};
use crate::sql::versioned::{Dialect, SANDBOX, Versioned, is_read_everywhere, note_versioned, version_mark};
use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

/// Longest statement that is not rows: a view, a routine, a `CREATE TABLE`.
pub const MAX_STATEMENT: usize = 16 << 20;
/// Longest single row.
pub const MAX_ROW: u64 = 1 << 30;
const READ_SIZE: usize = 256 << 10;
/// Longest statement of which a survey keeps the text as it stands in the dump.
pub const MAX_RAW: usize = 64 << 10;
/// Comments between statements that are kept, and the longest of them.
const MAX_REMARKS: usize = 40;
const MAX_REMARK: usize = 1024;
/// No table has more columns.
const MAX_COLUMNS: usize = 4096;
/// No column takes a longer number.
const MAX_NUMBER: usize = 4096;
/// Most extents of one statement that wait for its end, and the bytes of the dump that they cover.
const MAX_HELD: usize = 1024;
const MAX_HELD_BYTES: u64 = 64 << 20;
/// How often what stands before a bracket is read as the head of rows: each time the whole text is.
const MAX_HEADS: u32 = 8;
/// Most versioned comments around a place.
const MAX_NESTED: usize = 8;
/// Rows of one `INSERT`, as an extent of the dump: `(…),(…)` from the first bracket to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Where they go.
    pub head: Arc<InsertHead>,
    /// Offset of the first `(`.
    pub offset: u64,
    /// Bytes up to and with the last `)`.
    pub length: u64,
    /// Number of rows.
    pub count: u64,
    /// Every value is a number, `NULL`, or a string in `quote` with ordinary escapes, without blanks
    /// between values: `LOAD DATA` reads the same from it as `INSERT` does.
    pub simple: bool,
    /// The kind of quotes used, 0 if none was needed.
    pub quote: u8,
    /// Line of the statement.
    pub line: u64,
    /// Offset at which the statement begins.
    pub begin: u64,
    /// Bytes of the longest row.
    pub longest: u64,
    /// What the values of each column are written as: the marks of [`form`], column by column.
    pub forms: Vec<u8>,
    /// What happens to a row whose key exists, as ` ON DUPLICATE KEY UPDATE …`.
    pub upsert: Option<Arc<str>>,
    /// Columns of a survey's rows that hold zero dates, and how many.
    pub zero_dates: Vec<(usize, u64)>,
}

/// How a value of a row is written.
pub mod form {
    /// In quotes.
    pub const TEXT: u8 = 1;
    /// A whole number as a server prints it, of up to 20 digits, but not of four.
    pub const WHOLE: u8 = 2;
    /// Four digits, the first of which is not 0.
    pub const FOUR: u8 = 4;
    /// Four digits that begin with 0.
    pub const ZERO_FOUR: u8 = 8;
    /// Another number without an exponent, of up to 30 digits.
    pub const DECIMAL: u8 = 16;
    /// Any other number.
    pub const NUMBER: u8 = 32;
    /// `NULL`.
    pub const NULL: u8 = 64;
    /// An expression.
    pub const OTHER: u8 = 128;
}

/// What the lexer found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A whole statement without its end mark; comments gone, versioned comments unwrapped.
    Statement {
        /// Its text.
        text: Vec<u8>,
        /// Line on which it begins, from 1.
        line: u64,
    },
    /// Rows; a long `INSERT` gives several of these.
    Rows(Rows),
}

/// The lexer. Memory: one read buffer and the statement in hand.
pub struct Lexer<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    /// Offset of `buffer[0]` in the dump.
    base: u64,
    ended: bool,
    counted: u64,
    lines: u64,
    /// The line on which the statement in hand begins.
    begun: u64,
    delimiter: Vec<u8>,
    dialect: Dialect,
    quoting: Quoting,
    rows_per_item: u64,
    bytes_per_item: u64,
    inside: Option<Arc<InsertHead>>,
    /// Extents of a statement that wait to be handed out.
    held: VecDeque<Rows>,
    /// Extents of the statement in hand were handed out before its end was seen.
    given: bool,
    /// The refused statement was read to its end.
    tail_read: bool,
    /// Only the end of a statement is looked for.
    passing: bool,
    filter: bool,
    skipped: Vec<Versioned>,
    /// Every versioned comment is noted, and the text of statements is kept.
    surveys: bool,
    /// Every versioned comment is opened, whatever server it is for.
    opens_all: bool,
    /// Where the statement in hand begins, and where it ended.
    span: (u64, u64),
    /// From here on the text stays in the buffer.
    mark: Option<u64>,
    /// Comments between statements: the first of the dump, and always the last.
    remarks: Vec<Vec<u8>>,
    /// Head of the last rows, as it stands in the dump and as it was read.
    head: Option<(Vec<u8>, Arc<InsertHead>)>,
    /// Rows read of the statement in hand.
    counted_rows: u64,
}

impl<R: Read> Lexer<R> {
    /// A lexer at the beginning of a dump. Rows are reported in extents of about `bytes_per_item`.
    pub fn new(source: R, dialect: Dialect, bytes_per_item: u64) -> Lexer<R> {
        Lexer {
            source,
            buffer: Vec::with_capacity(2 * READ_SIZE),
            at: 0,
            base: 0,
            ended: false,
            counted: 0,
            lines: 1,
            begun: 1,
            delimiter: b";".to_vec(),
            dialect,
            quoting: Quoting::default(),
            rows_per_item: 500_000,
            bytes_per_item,
            inside: None,
            held: VecDeque::new(),
            given: false,
            tail_read: false,
            passing: false,
            filter: true,
            skipped: Vec::new(),
            surveys: false,
            opens_all: false,
            span: (0, 0),
            mark: None,
            remarks: Vec::new(),
            head: None,
            counted_rows: 0,
        }
    }

    /// A lexer for those who only look: of versioned comments what this server would read is read, and what any server would where none
    /// is known. Rows of a statement come in one extent, and the text of each statement is at hand.
    pub fn surveying(source: R, server: Option<Dialect>) -> Lexer<R> {
        let dialect = server.unwrap_or(Dialect { version: SANDBOX - 1, mariadb: true });
        let lexer = Lexer::new(source, dialect, u64::MAX);
        Lexer { surveys: true, opens_all: server.is_none(), rows_per_item: u64::MAX, ..lexer }
    }

    /// Lets unknown functions in rows pass, for tests that show what privileges alone hold back.
    #[cfg(any(test, feature = "test-support"))]
    pub fn unfiltered(mut self) -> Lexer<R> {
        self.filter = false;
        self
    }

    /// How quotes are read from now on; the dump's `sql_mode` decides.
    pub fn set_quoting(&mut self, quoting: Quoting) {
        if self.quoting != quoting {
            self.head = None;
        }
        self.quoting = quoting;
    }

    /// The versioned comments left out so far; the list begins anew.
    pub fn take_skipped(&mut self) -> Vec<Versioned> {
        std::mem::take(&mut self.skipped)
    }

    /// Comments between statements since the last call.
    pub fn take_remarks(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.remarks)
    }

    /// Table and number of the rows that were read of the statement in hand before it was refused.
    pub fn refused_rows(&self) -> Option<(Arc<InsertHead>, u64)> {
        self.inside.clone().map(|head| (head, self.counted_rows))
    }

    /// The last statement as it stands in the dump, of a survey; `None` for a long one.
    pub fn raw(&self) -> Option<&[u8]> {
        let place = |offset: u64| usize::try_from(offset.checked_sub(self.base)?).ok();
        self.mark?;
        self.buffer.get(place(self.span.0)?..place(self.span.1)?)
    }

    /// Goes behind the statement that was refused; false at the end of the dump.
    ///
    /// # Errors
    /// When the dump cannot be read, and at its end as [`Lexer::next_item`].
    pub fn pass_over(&mut self) -> Result<bool> {
        self.inside = None;
        if std::mem::take(&mut self.tail_read) {
            return Ok(true);
        }
        self.passing = true;
        let passed = self.look_for_end();
        self.passing = false;
        passed
    }

    fn look_for_end(&mut self) -> Result<bool> {
        loop {
            let before = self.position();
            match self.statement() {
                Ok(found) => return Ok(found.is_some()),
                // Not for those who pass over; the byte that was refused is passed too.
                Err(error) if matches!(error.code, Code::DumpRefused | Code::LimitExceeded | Code::BackupCorrupt) => {
                    if self.see(1)?.is_empty() {
                        return Ok(false);
                    }
                    self.at += usize::from(self.position() == before);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Bytes of the dump read so far.
    pub fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The next statement or extent of rows; `None` at the end.
    ///
    /// # Errors
    /// `backup_corrupt` when the dump ends inside a statement, `dump_refused` for what no dump holds,
    /// `limit_exceeded` for an endless statement or row.
    pub fn next_item(&mut self) -> Result<Option<Item>> {
        if let Some(rows) = self.held.pop_front() {
            return Ok(Some(Item::Rows(rows)));
        }
        if let Some(head) = self.inside.take() {
            return self.rows(head, false).map(Some);
        }
        self.statement()
    }

    /// Drops what was consumed and reads more; false at the end of the dump.
    fn refill(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.count_lines();
        let held = |mark: &u64| usize::try_from(self.position() - mark).ok().filter(|held| *held <= MAX_RAW);
        let kept = self.mark.as_ref().and_then(held);
        self.mark = self.mark.filter(|_| kept.is_some());
        let kept = kept.unwrap_or(0);
        self.buffer.drain(..self.at - kept);
        self.base += (self.at - kept) as u64;
        self.at = kept;
        let old = self.buffer.len();
        self.buffer.resize(old + READ_SIZE, 0);
        let got = loop {
            match self.source.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.doing(|| "read the dump".into()),
            }
        };
        let got = got.inspect_err(|_| self.buffer.truncate(old))?;
        self.buffer.truncate(old + got);
        self.ended = got == 0;
        Ok(got > 0)
    }

    fn count_lines(&mut self) {
        let from = usize::try_from(self.counted.saturating_sub(self.base)).unwrap_or(0).min(self.at);
        self.lines += memchr::memchr_iter(b'\n', &self.buffer[from..self.at]).count() as u64;
        self.counted = self.position();
    }

    fn line(&mut self) -> u64 {
        self.count_lines();
        self.lines
    }

    /// The line on which the statement in hand begins, and the one on which what was read ends.
    pub(crate) fn lines(&mut self) -> (u64, u64) {
        (self.begun, self.line())
    }

    /// Makes at least `wanted` bytes visible after the current place, if the dump has them.
    fn see(&mut self, wanted: usize) -> Result<&[u8]> {
        while self.buffer.len() - self.at < wanted && self.refill()? {}
        Ok(&self.buffer[self.at..])
    }

    /// One statement; of one that is passed over only the end is looked for.
    fn statement(&mut self) -> Result<Option<Item>> {
        let passes = self.passing;
        let mut text: Vec<u8> = if passes { vec![b'?'] } else { Vec::new() };
        let mut line = 0;
        let mut heads = 0;
        // The versioned comments that are open around this place, and whether some servers skip them.
        let mut open: Vec<bool> = Vec::new();
        self.mark = None;
        loop {
            if passes {
                text.truncate(1);
            }
            if text.len() > MAX_STATEMENT {
                return Err(too_long(line, &text));
            }
            let delimiter = self.delimiter.len();
            let at_start = self.position() == 0;
            let rest = self.see(16.max(delimiter))?;
            let Some(&byte) = rest.first() else {
                if text.iter().all(u8::is_ascii_whitespace) {
                    return Ok(None);
                }
                return Err(Error::new(
                    Code::BackupCorrupt,
                    format!("the dump ends inside the statement of line {line}: {}", beginning(&text)),
                )
                .with("line", line));
            };
            if text.is_empty() {
                if byte.is_ascii_whitespace() {
                    self.at += 1;
                    continue;
                }
                if rest.starts_with(UTF8_MARK) {
                    self.at += UTF8_MARK.len();
                    continue;
                }
                if at_start && is_utf16(rest) {
                    return Err(utf16());
                }
                // The client's own command, not the server's: it ends with its line. Only at the beginning of a statement, because a
                // column may have that name.
                if let Some(word) = rest.get(..10)
                    && word[..9].eq_ignore_ascii_case(b"DELIMITER")
                    && word[9].is_ascii_whitespace()
                {
                    self.change_delimiter()?;
                    continue;
                }
                if open.is_empty() {
                    line = self.line();
                    self.begun = line;
                    self.span.0 = self.position();
                    self.mark = self.surveys.then_some(self.span.0);
                }
            }
            let unwrapped = open.len();
            let disputed = open.contains(&true);
            let rest = &self.buffer[self.at..];
            // Before the arms below: a delimiter may begin with a byte that means something else to them. Not inside of a versioned
            // comment: a statement ends behind its comment, never within it.
            if unwrapped == 0 && rest.starts_with(&self.delimiter) {
                self.span.1 = self.position();
                self.at += delimiter;
                trim(&mut text);
                if text.is_empty() {
                    continue;
                }
                return Ok(Some(Item::Statement { text, line }));
            }
            // Bodies of routines keep the comments of their authors. Before a statement a comment is the dump program's.
            let keep_comment = !passes && (unwrapped > 0 || text.len() > 6);
            match byte {
                // To the end of the line, whatever is in it: a quote or delimiter in a comment means nothing to the server, and to
                // see one there would put all that follows out of step.
                b'#' | b'-' if byte == b'#' || starts_line_comment(rest) => {
                    if text.is_empty() {
                        self.see(MAX_REMARK)?;
                        self.remark(b"\n");
                    }
                    let from = text.len();
                    self.line_comment(keep_comment.then_some(&mut text))?;
                    if disputed && has_marks(text.get(from..).unwrap_or_default()) {
                        return Err(refused(line, DISPUTED, &text));
                    }
                    // What stands before it and behind it are two words.
                    if !keep_comment && !text.is_empty() {
                        push_blank(&mut text);
                    }
                }
                // White space to some character sets, which would make it a comment.
                b'-' if rest.starts_with(b"--") && rest.get(2).is_some_and(|byte| !byte.is_ascii()) => {
                    return Err(refused(line, "two dashes that may begin a comment", &text));
                }
                b'/' if rest.starts_with(b"/*") => {
                    // What this server would execute has to be seen as the statement that it is. What it would skip has to be
                    // skipped here too, or something would be refused that never runs.
                    if let Some(length) = self.opens_version(self.at) {
                        if self.surveys {
                            let line = self.line();
                            self.note_skipped(line)?;
                        }
                        let (_, only_mariadb, version) = version_mark(&self.buffer[self.at..]).unwrap_or_default();
                        open.push(!is_read_everywhere(only_mariadb, version));
                        if open.len() > 2 && open.contains(&true) {
                            return Err(refused(line, DISPUTED, &text));
                        }
                        if open.len() > MAX_NESTED {
                            return Err(refused(line, "comments nested too deep", &text));
                        }
                        self.at += length;
                        push_blank(&mut text);
                    } else {
                        // Whoever skips the comment around it lets one nest in it.
                        if disputed && unwrapped > 1 {
                            return Err(refused(line, DISPUTED, &text));
                        }
                        if text.is_empty() && rest.get(2) != Some(&b'!') {
                            self.see(MAX_REMARK)?;
                            self.remark(b"*/");
                        }
                        self.note_skipped(line)?;
                        self.block_comment(&mut text, line)?;
                    }
                }
                // Elsewhere `*/` is no SQL, and the server says so.
                b'*' if unwrapped > 0 && rest.starts_with(b"*/") => {
                    self.at += 2;
                    open.pop();
                    push_blank(&mut text);
                }
                // Whole, so that no delimiter or comment is seen inside.
                b'\'' | b'"' | b'`' => {
                    let from = text.len();
                    self.quoted(byte, &mut text, line)?;
                    // Nothing is kept of what is passed over.
                    if disputed && !passes && has_marks(text.get(from..).unwrap_or_default()) {
                        return Err(refused(line, DISPUTED, &text));
                    }
                }
                // Rows are the bulk of a dump: they are passed on as extents and never held in memory. Only with the usual delimiter:
                // inside of a routine's body an INSERT is text of that body.
                b'(' if unwrapped == 0
                    && !passes
                    && heads < MAX_HEADS
                    && self.ends_rows()
                    && ends_with_values(&text) =>
                {
                    heads += 1;
                    let Some(head) = self.head_of(&text) else {
                        // It only ends like one: `DEFAULT VALUES (`, or an INSERT with more to it. The filter judges it as a whole.
                        text.push(byte);
                        self.at += 1;
                        continue;
                    };
                    self.mark = None;
                    return self.rows(head, true).map(Some);
                }
                // A dump program writes one only within a string. Outside it is a hole that a crash or a full disk left in the file.
                0 if !passes => {
                    return Err(Error::new(
                        Code::BackupCorrupt,
                        format!("line {line}: a NUL byte outside of a string"),
                    )
                    .with("line", line));
                }
                _ => {
                    // Runs of plain bytes go over whole.
                    let plain = rest
                        .iter()
                        .position(|byte| !(is_word(*byte) || matches!(byte, b' ' | b',' | b'\n' | b'=')))
                        .unwrap_or(rest.len());
                    let first = self.delimiter.first().copied().unwrap_or(b';');
                    let plain = memchr::memchr(first, &rest[..plain]).unwrap_or(plain).max(1);
                    text.extend_from_slice(&self.buffer[self.at..self.at + plain]);
                    self.at += plain;
                }
            }
        }
    }

    /// Length of a `/*!` mark that the server would open, `None` for anything it skips.
    fn opens_version(&self, rest: usize) -> Option<usize> {
        let (length, only_mariadb, version) = version_mark(&self.buffer[rest..])?;
        if self.opens_all {
            return (version != Some(SANDBOX)).then_some(length);
        }
        self.dialect.executes(only_mariadb, version).then_some(length)
    }

    /// Whether rows can be told from what ends them.
    fn ends_rows(&self) -> bool {
        !matches!(self.delimiter.as_slice(), [b',' | b'(' | b')' | b'-' | b'#', ..] | [b'/'] | [b'/', b'*', ..])
    }

    /// Statements with rows come one after another with the same head.
    fn head_of(&mut self, text: &[u8]) -> Option<Arc<InsertHead>> {
        if let Some((known, head)) = &self.head
            && known == text
        {
            return Some(head.clone());
        }
        let head = Arc::new(InsertHead::parse(text, self.quoting)?);
        self.head = Some((text.to_vec(), head.clone()));
        Some(head)
    }

    /// Keeps the beginning of the comment that begins here.
    fn remark(&mut self, end: &[u8]) {
        let rest = &self.buffer[self.at..];
        let rest = &rest[..rest.len().min(MAX_REMARK)];
        let length = memchr::memmem::find(rest, end).unwrap_or(rest.len());
        if self.remarks.len() >= MAX_REMARKS {
            self.remarks.pop();
        }
        self.remarks.push(rest[..length].to_vec());
    }

    /// Remembers the versioned comment that begins here and is not opened, or, in a survey, is.
    fn note_skipped(&mut self, line: u64) -> Result<()> {
        let rest = self.see(64)?;
        if let Some((length, only_mariadb, version)) = version_mark(rest) {
            let beginning = rest[length..rest.len().min(64)].to_vec();
            note_versioned(&mut self.skipped, only_mariadb, version, &beginning, line);
        }
        Ok(())
    }

    fn change_delimiter(&mut self) -> Result<()> {
        let mut line = Vec::new();
        self.line_comment(Some(&mut line))?;
        let new = line[9..].trim_ascii();
        if new.is_empty()
            || new.len() > 15
            || new.iter().any(|byte| matches!(byte, b'\'' | b'"' | b'`' | b'\\') || is_word(*byte) && *byte != b'$')
        {
            let number = self.line();
            return Err(refused(number, "a DELIMITER that is none", &line));
        }
        self.delimiter = new.to_vec();
        Ok(())
    }

    /// Whoever goes on behind a refused statement reads it to its end; to others its limit is the end.
    fn gives_up(&self, text: &[u8]) -> bool {
        text.len() > MAX_STATEMENT && !self.surveys && !self.passing
    }

    fn line_comment(&mut self, mut text: Option<&mut Vec<u8>>) -> Result<()> {
        loop {
            if text.as_ref().is_some_and(|text| self.gives_up(text)) {
                return Ok(());
            }
            let rest = &self.buffer[self.at..];
            let end = memchr::memchr(b'\n', rest);
            let taken = end.map_or(rest.len(), |end| end + 1);
            if let Some(text) = &mut text {
                text.extend_from_slice(&rest[..taken]);
                text.truncate(MAX_STATEMENT + 1);
            }
            self.at += taken;
            if end.is_some() || !self.refill()? {
                return Ok(());
            }
        }
    }

    /// A plain or skipped comment. Inside a statement its text stays out too, but a blank is left.
    fn block_comment(&mut self, text: &mut Vec<u8>, line: u64) -> Result<()> {
        // The server lets one comment nest in a versioned one that it skips.
        let mark = version_mark(&self.buffer[self.at..]);
        let nests = mark.is_some();
        // Who opens it ends it where its text does.
        let mut opened = mark.filter(|(_, _, version)| *version != Some(SANDBOX)).map(|_| Opened::default());
        let mut plain = false;
        // Bodies of routines keep the comments of their authors.
        let kept = !nests && text.len() > 6 && text[..6].eq_ignore_ascii_case(b"CREATE");
        if kept {
            text.extend_from_slice(b"/*");
        }
        self.at += 2;
        let mut depth = 1;
        loop {
            self.see(4)?;
            let rest = &self.buffer[self.at..];
            if rest.len() < 2 {
                return Err(
                    Error::new(Code::BackupCorrupt, format!("line {line}: a comment has no end")).with("line", line)
                );
            }
            if self.gives_up(text) {
                return Ok(());
            }
            text.truncate(MAX_STATEMENT + 1);
            let marks = rest.starts_with(b"*/") || nests && rest.starts_with(b"/*");
            if marks && opened.as_ref().is_some_and(Opened::hides) {
                return Err(refused(line, DISPUTED, b""));
            }
            if rest.starts_with(b"*/") {
                plain = false;
                if kept {
                    text.extend_from_slice(b"*/");
                }
                self.at += 2;
                depth -= 1;
                if depth == 0 {
                    break;
                }
            } else if nests && rest.starts_with(b"/*") {
                plain = version_mark(rest).is_none();
                self.at += 2;
                depth += 1;
                if depth > 2 {
                    return Err(refused(line, "comments nested too deep", b""));
                }
            } else {
                let taken = memchr::memchr2(b'*', b'/', &rest[1..]).map_or(rest.len() - 1, |next| next + 1);
                if kept {
                    text.extend_from_slice(&rest[..taken]);
                }
                if let Some(opened) = opened.as_mut().filter(|_| !plain) {
                    rest[..taken].iter().for_each(|byte| opened.read(*byte, self.quoting));
                }
                self.at += taken;
            }
        }
        if !text.is_empty() {
            push_blank(text);
        }
        Ok(())
    }

    fn quoted(&mut self, quote: u8, text: &mut Vec<u8>, line: u64) -> Result<()> {
        let from = text.len();
        text.push(quote);
        self.at += 1;
        let escapes = escapes(quote, self.quoting);
        loop {
            let rest = self.see(2)?;
            let stop = if escapes { memchr::memchr2(quote, b'\\', rest) } else { memchr::memchr(quote, rest) };
            let taken = match stop {
                None => rest.len(),
                Some(stop) if stop + 1 >= rest.len() && !self.ended => {
                    // The byte after decides: take what is before and look again.
                    if stop == 0 && !self.refill()? {
                        continue;
                    }
                    stop
                }
                Some(stop) => stop,
            };
            if self.gives_up(text) {
                return Ok(());
            }
            text.truncate(if self.passing { from } else { MAX_STATEMENT + 1 });
            let rest = &self.buffer[self.at..];
            if rest.is_empty() {
                let shown = beginning(text.get(from..).unwrap_or_default());
                return Err(Error::new(Code::BackupCorrupt, format!("line {line}: a quote is never closed: {shown}"))
                    .with("line", line));
            }
            text.extend_from_slice(&rest[..taken]);
            let after = &rest[taken..];
            let whole = after.len() > 1 || self.ended;
            match after.first() {
                Some(b'\\') if escapes && whole && after.len() > 1 => {
                    text.extend_from_slice(&after[..2]);
                    self.at += taken + 2;
                }
                Some(byte) if *byte == quote && whole => {
                    text.push(quote);
                    self.at += taken + 1;
                    if after.get(1) != Some(&quote) {
                        return Ok(());
                    }
                    text.push(quote);
                    self.at += 1;
                }
                _ => {
                    self.at += taken;
                    if taken == 0 && !self.refill()? && self.buffer.len() - self.at < 2 {
                        return Err(Error::new(Code::BackupCorrupt, format!("line {line}: a quote is never closed"))
                            .with("line", line));
                    }
                }
            }
        }
    }

    /// Rows from the current `(`. What stands behind the last one counts for all of them: its extents wait for the end of the
    /// statement, unless they are many.
    fn rows(&mut self, head: Arc<InsertHead>, begins: bool) -> Result<Item> {
        self.given &= !begins;
        let mut held = VecDeque::new();
        let mut bytes = 0;
        loop {
            let (rows, ended) = self.extent(head.clone())?;
            bytes += rows.length;
            if ended && rows.upsert.is_some() {
                // Whoever looks has them in one extent.
                if self.given || self.surveys && bytes >= MAX_HELD_BYTES {
                    self.tail_read = true;
                    self.inside = Some(head);
                    let what = "an ON DUPLICATE KEY UPDATE behind more than 64 MiB, or 1024 parts, of rows";
                    return Err(refused(rows.line, what, b""));
                }
                held.iter_mut().for_each(|before: &mut Rows| before.upsert.clone_from(&rows.upsert));
            }
            held.push_back(rows);
            self.given |= !ended && (held.len() >= MAX_HELD || bytes >= MAX_HELD_BYTES);
            if (ended || self.given)
                && let Some(first) = held.pop_front()
            {
                self.held = held;
                return Ok(Item::Rows(first));
            }
        }
    }

    /// Rows from the current `(` up to the end of the statement, which is said, or of the extent.
    fn extent(&mut self, head: Arc<InsertHead>) -> Result<(Rows, bool)> {
        let line = self.line();
        let offset = self.position();
        // Known to those who pass over what is refused.
        self.inside = Some(head.clone());
        self.counted_rows = 0;
        let mut found = Rows {
            head,
            offset,
            length: 0,
            count: 0,
            simple: true,
            quote: 0,
            line,
            begin: self.span.0,
            longest: 0,
            forms: Vec::new(),
            upsert: None,
            zero_dates: Vec::new(),
        };
        loop {
            let begin = self.position();
            self.row(&mut found)?;
            found.longest = found.longest.max(self.position() - begin);
            found.count += 1;
            self.counted_rows = found.count;
            found.length = self.position() - offset;
            let mut commented = self.blanks(line)?;
            match self.see(1)?.first().copied() {
                Some(b',') => {
                    self.at += 1;
                    commented |= self.blanks(line)?;
                    if self.see(1)?.first().is_some_and(|byte| *byte != b'(') {
                        return Err(refused(line, "rows that are followed by something else", &self.shown()));
                    }
                    // Comments are in no extent.
                    let whole = found.length >= self.bytes_per_item || found.count >= self.rows_per_item;
                    if whole || commented && !self.surveys {
                        return Ok((found, false));
                    }
                }
                Some(_) if self.at_delimiter()? => {
                    self.at += self.delimiter.len();
                    self.inside = None;
                    return Ok((found, true));
                }
                Some(b'O' | b'o' | b'A' | b'a') => {
                    let begin = (self.span, self.begun);
                    let shown = self.shown();
                    let tail = self.statement()?;
                    (self.span, self.begun) = begin;
                    if let Some(Item::Statement { text, .. }) = tail {
                        found.upsert = upsert(&text, self.quoting);
                    }
                    if found.upsert.is_none() {
                        self.tail_read = true;
                        return Err(refused(line, "rows that are followed by something else", &shown));
                    }
                    self.inside = None;
                    return Ok((found, true));
                }
                None => {
                    return Err(Error::new(
                        Code::BackupCorrupt,
                        format!("the dump ends inside the INSERT of line {line}"),
                    )
                    .with("line", line));
                }
                Some(_) => return Err(refused(line, "rows that are followed by something else", &self.shown())),
            }
        }
    }

    fn at_delimiter(&mut self) -> Result<bool> {
        self.see(self.delimiter.len())?;
        Ok(self.buffer[self.at..].starts_with(&self.delimiter))
    }

    /// What comes next, whatever the pieces the dump arrives in.
    fn shown(&mut self) -> Vec<u8> {
        let _ = self.see(80);
        let rest = &self.buffer[self.at..];
        rest[..rest.len().min(80)].to_vec()
    }

    /// Goes behind white space and comments between rows; whether there were comments.
    fn blanks(&mut self, line: u64) -> Result<bool> {
        let mut commented = false;
        loop {
            let rest = self.see(4)?;
            match rest {
                [byte, ..] if byte.is_ascii_whitespace() => {
                    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                    self.at += blanks;
                    continue;
                }
                [b'#', ..] => self.line_comment(None)?,
                [b'-', b'-', ..] if starts_line_comment(rest) => self.line_comment(None)?,
                // What a server executes of comments is no part of rows.
                [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] => {
                    return Err(refused(line, "rows that are followed by something else", &self.shown()));
                }
                [b'/', b'*', ..] => self.block_comment(&mut Vec::new(), line)?,
                _ => return Ok(commented),
            }
            commented = true;
        }
    }

    /// One row: from its `(` to behind its `)`.
    fn row(&mut self, found: &mut Rows) -> Result<()> {
        let begin = self.position();
        let mut depth = 0_u32;
        let mut column = 0;
        // True where a value may begin and nothing of it was seen.
        let mut fresh = false;
        loop {
            if self.buffer.len() - self.at < 16 {
                self.see(16)?;
            }
            let Some(&byte) = self.buffer.get(self.at) else {
                return Err(Error::new(
                    Code::BackupCorrupt,
                    format!("the dump ends inside a row of line {}", found.line),
                )
                .with("line", found.line));
            };
            if self.position() - begin > MAX_ROW {
                return Err(Error::new(
                    Code::LimitExceeded,
                    format!("line {}: a row is longer than 1 GiB", found.line),
                )
                .with("line", found.line));
            }
            match byte {
                b'(' => {
                    found.simple &= depth == 0;
                    depth += 1;
                    fresh = depth == 1;
                    self.at += 1;
                }
                b')' => {
                    found.simple &= !fresh;
                    self.at += 1;
                    depth -= 1;
                    fresh = false;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                b',' => {
                    found.simple &= !fresh;
                    fresh = true;
                    self.at += 1;
                    column += usize::from(depth == 1);
                }
                b'\'' | b'"' => {
                    if byte == b'"' && self.quoting.ansi_quotes {
                        return Err(refused(found.line, "a name inside of a row", &self.shown()));
                    }
                    if found.quote == 0 {
                        found.quote = byte;
                    }
                    found.simple &= fresh && found.quote == byte;
                    fresh = false;
                    if self.surveys && depth == 1 {
                        self.look_for_zero_date(column, found)?;
                    }
                    self.value_text(byte, found)?;
                    found.simple &= matches!(self.see(1)?.first(), Some(b',' | b')'));
                    written(found, column, form::TEXT);
                }
                b'0'..=b'9' | b'-' | b'+' | b'.' => {
                    if byte == b'-' && self.buffer[self.at..].starts_with(b"--") {
                        return Err(refused(found.line, "a comment inside of a row", &self.shown()));
                    }
                    let form = self.number(found, fresh)?;
                    written(found, column, form);
                    fresh = false;
                }
                _ if is_word(byte) => {
                    let word = self.word()?;
                    if word.eq_ignore_ascii_case(b"NULL") {
                        found.simple &= fresh && word == b"NULL";
                        written(found, column, form::NULL);
                    } else if word_is_harmless(&word) || !self.filter {
                        found.simple = false;
                    } else {
                        return Err(refused(found.line, "an expression inside of a row", &word));
                    }
                    fresh = false;
                }
                b' ' | b'\t' | b'\r' | b'\n' => {
                    found.simple = false;
                    self.at += 1;
                }
                _ if !self.filter => {
                    found.simple = false;
                    self.at += 1;
                }
                _ => return Err(refused(found.line, "an expression inside of a row", &self.shown())),
            }
        }
    }

    /// Goes behind a number and says how it is written.
    fn number(&mut self, found: &mut Rows, fresh: bool) -> Result<u8> {
        if self.buffer[self.at..].starts_with(b"0x") {
            found.simple = false;
            self.hexadecimal(found.line)?;
            return Ok(form::OTHER);
        }
        let in_number = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        let number = self.run_of(in_number)?;
        let plain = is_number(&number);
        // Behind a number, too, two dashes begin a comment, and what stands in its line is none of ours to judge.
        if number.windows(2).any(|pair| pair == b"--") {
            return Err(refused(found.line, "a comment inside of a row", &number));
        }
        if self.filter && (number.len() > MAX_NUMBER || !plain && !is_arithmetic(&number)) {
            // A name behind a sign would be a function.
            return Err(refused(found.line, "an expression inside of a row", &number));
        }
        let ends = matches!(self.see(1)?.first(), Some(b',' | b')'));
        found.simple &= fresh && plain && ends;
        Ok(form_of(&number))
    }

    /// A value in quotes begins. Only a whole literal counts: text may hold what it likes.
    fn look_for_zero_date(&mut self, column: usize, found: &mut Rows) -> Result<()> {
        const LONGEST: usize = 28;
        let rest = self.see(LONGEST)?;
        if rest.len() < 12 || rest[5] != b'-' || !rest[1].is_ascii_digit() {
            return Ok(());
        }
        let Some(end) = memchr::memchr(rest[0], &rest[1..rest.len().min(LONGEST)]) else { return Ok(()) };
        if is_zero_date(&rest[..end + 2]) {
            match found.zero_dates.iter_mut().find(|(known, _)| *known == column) {
                Some((_, count)) => *count += 1,
                None if column >= MAX_COLUMNS => {}
                None => found.zero_dates.push((column, 1)),
            }
        }
        Ok(())
    }

    /// Goes behind `0x…`, which may be a long one.
    fn hexadecimal(&mut self, line: u64) -> Result<()> {
        let begin = self.position();
        self.at += 2;
        loop {
            let rest = &self.buffer[self.at..];
            let digits = rest.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(rest.len());
            let whole = digits < rest.len();
            self.at += digits;
            if self.position() - begin > MAX_ROW {
                return Err(Error::new(Code::LimitExceeded, format!("line {line}: a value is longer than 1 GiB"))
                    .with("line", line));
            }
            if whole || !self.refill()? {
                break;
            }
        }
        match self.buffer.get(self.at) {
            Some(next) if is_word(*next) && self.filter => {
                Err(refused(line, "an expression inside of a row", &self.shown()))
            }
            _ => Ok(()),
        }
    }

    fn word(&mut self) -> Result<Vec<u8>> {
        self.run_of(|byte| is_word(*byte))
    }

    /// Goes behind bytes of a kind, or behind more of them than [`MAX_NUMBER`].
    fn run_of(&mut self, kind: impl Fn(&u8) -> bool) -> Result<Vec<u8>> {
        let mut word = Vec::new();
        loop {
            let rest = &self.buffer[self.at..];
            let length = rest.iter().position(|byte| !kind(byte)).unwrap_or(rest.len());
            word.extend_from_slice(&rest[..length]);
            self.at += length;
            if length < rest.len() || word.len() > MAX_NUMBER || !self.refill()? {
                return Ok(word);
            }
        }
    }

    /// Goes behind a string of a row.
    fn value_text(&mut self, quote: u8, found: &mut Rows) -> Result<()> {
        self.at += 1;
        let begin = self.position();
        let escapes = escapes(quote, self.quoting);
        if !escapes {
            found.simple = false;
        }
        loop {
            let rest = &self.buffer[self.at..];
            match if escapes { memchr::memchr2(quote, b'\\', rest) } else { memchr::memchr(quote, rest) } {
                None => {
                    self.at = self.buffer.len();
                    if self.position() - begin > MAX_ROW {
                        return Err(Error::new(
                            Code::LimitExceeded,
                            format!("line {}: a string is longer than 1 GiB", found.line),
                        )
                        .with("line", found.line));
                    }
                    if !self.refill()? {
                        return Err(Error::new(
                            Code::BackupCorrupt,
                            format!("the dump ends inside a string of line {}", found.line),
                        )
                        .with("line", found.line));
                    }
                }
                Some(stop) => {
                    self.at += stop;
                    let next = match self.buffer.get(self.at + 1) {
                        Some(next) => Some(*next),
                        None => self.see(2)?.get(1).copied(),
                    };
                    if self.buffer[self.at] == quote {
                        self.at += 1;
                        if next != Some(quote) {
                            return Ok(());
                        }
                        self.at += 1;
                    } else {
                        // These three mean one thing to INSERT and another to LOAD DATA.
                        found.simple &= !matches!(next, Some(b'%' | b'_' | b'N'));
                        self.at = (self.at + 2).min(self.buffer.len());
                    }
                }
            }
        }
    }
}

/// The byte order mark with which some programs begin a file.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a dump begins as UTF-16 or UTF-32 does: with their mark, or with a letter beside a NUL byte.
fn is_utf16(rest: &[u8]) -> bool {
    let marked = rest.starts_with(b"\xff\xfe") || rest.starts_with(b"\xfe\xff") || rest.starts_with(b"\0\0\xfe\xff");
    marked || matches!(rest, [0, 1..=127, 0, 1..=127, ..] | [1..=127, 0, 1..=127, 0, ..])
}

fn utf16() -> Error {
    Error::new(Code::BackupCorrupt, "the dump is written in UTF-16 and not in UTF-8: no server reads it")
        .hint("Make the dump anew with --result-file instead of `>`, or convert it: iconv -f UTF-16 -t UTF-8.")
        .with("line", 1)
}

/// Why a comment is refused that not all servers end at the same place: one of them would read what the other was not shown.
const DISPUTED: &str = "a comment for some servers that others would end somewhere else";

/// Whether the end of a comment, or the beginning of another, stands in what means something else to those who open it.
fn has_marks(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"*/").is_some() || memchr::memmem::find(text, b"/*").is_some()
}

/// The text of a comment that is skipped, as those read it who open it: whether they are inside of quotes, or of a comment to the
/// end of the line.
#[derive(Default)]
struct Opened {
    quote: Option<u8>,
    escaped: bool,
    line: bool,
    dashes: u32,
}

impl Opened {
    fn hides(&self) -> bool {
        self.quote.is_some() || self.line
    }

    fn read(&mut self, byte: u8, quoting: Quoting) {
        if self.line {
            self.line = byte != b'\n';
        } else if let Some(quote) = self.quote {
            let escapes = escapes(quote, quoting);
            match byte {
                _ if std::mem::take(&mut self.escaped) => {}
                b'\\' if escapes => self.escaped = true,
                byte if byte == quote => self.quote = None,
                _ => {}
            }
        } else if matches!(byte, b'\'' | b'"' | b'`') {
            self.quote = Some(byte);
        } else {
            self.line = byte == b'#' || self.dashes > 1 && (byte == b' ' || byte.is_ascii_control());
        }
        self.dashes = if byte == b'-' && !self.hides() { self.dashes + 1 } else { 0 };
    }
}

/// A value of this form stands in the column.
fn written(found: &mut Rows, column: usize, form: u8) {
    if column >= MAX_COLUMNS {
        found.simple = false;
        return;
    }
    if found.forms.len() <= column {
        found.forms.resize(column + 1, 0);
    }
    found.forms[column] |= form;
}

fn form_of(number: &[u8]) -> u8 {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    if digits.iter().all(u8::is_ascii_digit) {
        match (digits.len(), digits.first()) {
            (4, Some(b'0')) if digits.len() == number.len() => return form::ZERO_FOUR,
            (4, _) if digits.len() == number.len() => return form::FOUR,
            (1, Some(b'0')) if digits.len() == number.len() => return form::WHOLE,
            (1..=20, Some(b'1'..=b'9')) => return form::WHOLE,
            _ => {}
        }
    }
    let plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    if digits.len() <= 31 && digits.first().is_some_and(u8::is_ascii_digit) && digits.iter().all(plain) {
        return form::DECIMAL;
    }
    form::NUMBER
}

/// Digits with at most a sign in front, a point, and an exponent.
fn is_number(text: &[u8]) -> bool {
    let mut before = b'e';
    text.iter().all(|&byte| {
        let fits = match byte {
            b'0'..=b'9' | b'.' => true,
            b'e' | b'E' => before.is_ascii_digit() || before == b'.',
            b'-' | b'+' => matches!(before, b'e' | b'E'),
            _ => false,
        };
        before = byte;
        fits
    }) && text.last().is_some_and(|last| last.is_ascii_digit() || *last == b'.')
}

/// Numbers and signs alone: `-`, `1-2`, `-0x1F`, `0b01`.
fn is_arithmetic(text: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'-' | b'+')).all(|part| {
        let digits = part.strip_prefix(b"0x").or(part.strip_prefix(b"0X"));
        let bits = part.strip_prefix(b"0b").or(part.strip_prefix(b"0B"));
        part.is_empty()
            || is_number(part)
            || digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            || bits.is_some_and(|bits| bits.iter().all(|bit| matches!(bit, b'0' | b'1')))
    })
}

fn word_is_harmless(word: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "DEFAULT",
        "TRUE",
        "FALSE",
        "X",
        "B",
        "N",
        "_binary",
        "_utf8",
        "_utf8mb3",
        "_utf8mb4",
        "_latin1",
        "_ascii",
        "ST_GeomFromText",
        "ST_GeomFromWKB",
        "GeomFromText",
        "GeomFromWKB",
        "UNHEX",
        "FROM_BASE64",
        "CONV",
        "CHAR",
        "CONCAT",
        "FROM_UNIXTIME",
        "INET_ATON",
        "INET6_ATON",
        "BINARY",
        "SIGNED",
        "UNSIGNED",
        "DECIMAL",
        "DATE",
        "DATETIME",
        "TIME",
        "ST_PointFromText",
        "ST_LineFromText",
        "ST_PolyFromText",
        "latin1",
        "_ucs2",
        "_utf16",
        "_utf32",
        "_cp1250",
        "_cp1251",
        "_latin2",
        "_koi8r",
        "UUID_TO_BIN",
        "CAST",
        "AS",
        "JSON",
        "CONVERT",
        "USING",
        "utf8mb4",
        "utf8",
        "CURRENT_TIMESTAMP",
        "NOW",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn ends_with_values(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let head = &text[..text.len().min(7)];
    let is_insert =
        head.len() == 7 && (head[..6].eq_ignore_ascii_case(b"INSERT") || head.eq_ignore_ascii_case(b"REPLACE"));
    let ends = |word: &[u8]| text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word);
    is_insert && (ends(b"VALUES") || ends(b"VALUE"))
}

fn push_blank(text: &mut Vec<u8>) {
    if text.last().is_some_and(|last| !last.is_ascii_whitespace()) {
        text.push(b' ');
    }
}

fn trim(text: &mut Vec<u8>) {
    text.truncate(text.trim_ascii_end().len());
}

fn beginning(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(80)]).into_owned()
}

/// `limit_exceeded` with line and statement.
fn too_long(line: u64, text: &[u8]) -> Error {
    let shown = beginning(text);
    Error::new(Code::LimitExceeded, format!("line {line}: a statement is longer than 16 MiB: {shown}"))
        .with("line", line)
}

/// `dump_refused` with line and statement.
pub fn refused(line: u64, what: &str, text: &[u8]) -> Error {
    let shown = beginning(text);
    let message = if shown.is_empty() {
        format!("line {line} of the dump: {what}")
    } else {
        format!("line {line} of the dump: {what}: {shown}")
    };
    Error::new(Code::DumpRefused, message).with("line", line).with("statement", shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARIADB: Dialect = Dialect { version: 101_119, mariadb: true };

    /// Hands out a text in pieces of a given size, to show that no cut matters.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn items_in(sql: &[u8], piece: usize) -> Result<Vec<Item>> {
        let mut lexer = Lexer::new(Pieces(sql, piece), MARIADB, 1 << 20);
        let mut found = Vec::new();
        while let Some(item) = lexer.next_item()? {
            found.push(item);
        }
        Ok(found)
    }

    fn statements(sql: &str) -> Vec<String> {
        items_in(sql.as_bytes(), 7)
            .unwrap()
            .into_iter()
            .map(|item| match item {
                Item::Statement { text, .. } => {
                    String::from_utf8(text).unwrap().split_ascii_whitespace().collect::<Vec<_>>().join(" ")
                }
                Item::Rows(rows) => format!("rows {} {} {}", rows.head.table, rows.count, rows.simple),
            })
            .collect()
    }

    #[test]
    fn the_delimiter_of_phpmyadmin_ends_a_statement_behind_a_word() {
        let found =
            statements("DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\n\nDELIMITER ;\nDROP TABLE a;");
        assert_eq!(found, ["CREATE PROCEDURE p() BEGIN SELECT 1; END", "DROP TABLE a"]);
    }

    #[test]
    fn two_dashes_that_only_some_character_sets_take_for_a_comment_are_refused() {
        let hidden = "CREATE TABLE a (x int) --\u{a0}'\nENGINE=CONNECT -- '\n;";
        assert_eq!(items_in(hidden.as_bytes(), 7).unwrap_err().code, Code::DumpRefused);
        // The server ends the comment at the newline, and so is the engine seen.
        assert_eq!(statements("CREATE TABLE a (x int) --\x7f'\nENGINE=CONNECT -- '\n;").len(), 1);
        assert!(statements("CREATE TABLE a (x int) --\x7f'\nENGINE=CONNECT -- '\n;")[0].contains("ENGINE=CONNECT"));
    }

    #[test]
    fn comments_are_gone_and_versioned_ones_unwrapped_as_the_server_would() {
        assert_eq!(
            statements(
                "/*M!999999\\- enable the sandbox mode */ \n-- x\n# y\n/* z; */ /*!40101 SET NAMES utf8 */;\nDROP /*!50700 gone */ /*!101100 here */ TABLE a;"
            ),
            ["SET NAMES utf8", "DROP here TABLE a"]
        );
        assert_eq!(statements("/*!80000 SET a=1 */;SELECT /*M!100000 2 */;"), ["SELECT 2"]);
    }

    #[test]
    fn delimiters_and_bodies_are_kept_whole() {
        assert_eq!(
            statements(
                "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a=1; /* c */ SET @b=';;'; END */;;\nDELIMITER ;\nSELECT 1;"
            ),
            [
                "CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a=1; /* c */ SET @b=';;'; END",
                "SELECT 1"
            ]
        );
    }

    #[test]
    fn rows_are_counted_and_pointed_at() {
        let sql = b"INSERT INTO `t` VALUES\n(1,'a;),(\\'',NULL),\n(-2.5e3,'it''s',NULL);\nINSERT INTO t (a) VALUES (0x41),(_binary 'x');";
        let items = items_in(sql, 3).unwrap();
        let Item::Rows(first) = &items[0] else { panic!() };
        let begin = usize::try_from(first.offset).unwrap();
        let end = begin + usize::try_from(first.length).unwrap();
        assert_eq!(&sql[begin..end], b"(1,'a;),(\\'',NULL),\n(-2.5e3,'it''s',NULL)");
        assert_eq!((first.count, first.simple, first.quote), (2, true, b'\''));
        let Item::Rows(second) = &items[1] else { panic!() };
        assert_eq!((second.count, second.simple, second.line), (2, false, 4));
    }

    #[test]
    fn only_plain_rows_are_simple() {
        for (row, simple) in [
            ("(1,'a',NULL)", true),
            ("(1, 'a')", false),
            ("('a' 'b')", false),
            ("(b'1')", false),
            ("(1+1)", false),
            ("(-1.5E+3)", true),
            ("(null)", false),
            ("('100\\%')", false),
            ("('a',\"b\")", false),
            ("(\"b\")", true),
            ("()", false),
            ("(1,)", false),
            ("(-'5')", false),
        ] {
            let sql = format!("INSERT INTO t VALUES {row};");
            let items = items_in(sql.as_bytes(), 1000).unwrap();
            let Item::Rows(rows) = &items[0] else { panic!("{row}") };
            assert_eq!(rows.simple, simple, "{row}");
        }
    }

    #[test]
    fn expressions_in_rows_are_refused_by_line() {
        for row in [
            "(LOAD_FILE('/etc/passwd'))",
            "((SELECT 1))",
            "(@@version)",
            "(1 /* x */)",
            "(1 -- x\n)",
            "(sleep(10))",
            "(-sleep(10))",
            "(1+LOAD_FILE('/etc/passwd'))",
            "(.5-f(1))",
            "(0x41g(1))",
            "(`a`)",
            &format!("({}+sleep(9))", "1+".repeat(300)),
            &format!("({}-sleep(9))", "1".repeat(2 * MAX_NUMBER)),
        ] {
            let sql = format!("\n\nINSERT INTO t VALUES {row};");
            let error = items_in(sql.as_bytes(), 5).unwrap_err();
            assert_eq!(error.code, Code::DumpRefused, "{row}");
            assert_eq!(error.context["line"], 3, "{row}");
        }
        assert_eq!(
            items_in(b"INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a=SLEEP(1);", 9).unwrap_err().code,
            Code::DumpRefused
        );
    }

    #[test]
    fn numbers_of_every_form_and_length_are_values() {
        let long = format!("(0x{},1)", "AF09".repeat(READ_SIZE / 2));
        for row in ["(0xAF,-0x1f,0X2B,0b01,+1,-.5,1-2,1.5e-3,- 1)", "(20240229)", &long] {
            let sql = format!("INSERT INTO t VALUES {row};");
            let Item::Rows(rows) = &items_in(sql.as_bytes(), READ_SIZE).unwrap()[0] else { panic!("{row:.80}") };
            assert_eq!(rows.count, 1, "{row:.80}");
        }
    }

    #[test]
    fn a_cut_dump_is_corrupt_wherever_it_is_cut() {
        let sql = b"CREATE TABLE `t` (a int) /* c */;INSERT INTO `t` VALUES (1,'x\\'y'),(2,'z');";
        for cut in 1..sql.len() - 1 {
            if cut == 33 {
                continue;
            }
            let found = items_in(&sql[..cut], 4).map_err(|error| error.code);
            assert_eq!(found, Err(Code::BackupCorrupt), "cut at {cut}");
        }
    }

    /// What is read behind statements that are refused.
    fn passing_over(sql: &[u8], surveys: bool) -> Vec<String> {
        let mut lexer = if surveys { Lexer::surveying(sql, None) } else { Lexer::new(sql, MARIADB, 64) };
        let mut found = Vec::new();
        loop {
            match lexer.next_item() {
                Ok(None) => return found,
                Ok(Some(Item::Statement { text, .. })) => found.push(String::from_utf8(text).unwrap()),
                Ok(Some(Item::Rows(rows))) => found.push(format!("rows {}", rows.head.table)),
                Err(error) => {
                    found.push(error.code.name().to_owned());
                    if !lexer.pass_over().unwrap() {
                        return found;
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_behind_a_refused_statement_is_lost() {
        let hole = vec![0; 3 << 20];
        let long = format!("SET @x='{}; DROP TABLE b; ';", "x".repeat(MAX_STATEMENT));
        for (refused, code) in [
            (&b"INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE x=SLEEP(9);"[..], "dump_refused"),
            (b"INSERT INTO a VALUES (1) AS x;", "dump_refused"),
            (b"INSERT INTO a VALUES (SLEEP(9)),(2);", "dump_refused"),
            (&[&hole[..], b";"].concat(), "backup_corrupt"),
            (long.as_bytes(), "limit_exceeded"),
        ] {
            let sql = [refused, b"CREATE TABLE c (x int);INSERT INTO c VALUES (1);"].concat();
            for surveys in [true, false] {
                let found = passing_over(&sql, surveys);
                assert_eq!(
                    found,
                    [code, "CREATE TABLE c (x int)", "rows c"],
                    "{:.60}",
                    String::from_utf8_lossy(refused)
                );
            }
        }
    }

    #[test]
    fn a_comment_that_servers_end_at_two_places_is_refused_by_all() {
        for sql in [
            "/*!80099 ' */ DROP TABLE a; -- ' */;\n",
            "CREATE TABLE t (a int COMMENT /*!80099 'x */' */);",
            "CREATE TABLE t (a int) /*M!101200 '/*' */;",
            "/*!80099 SET @x=1 -- */ */;\n;",
            "/*!80099 SET @x=1 # */ */;\n;",
        ] {
            for surveys in [true, false] {
                let found = passing_over(sql.as_bytes(), surveys);
                assert_eq!(found.first().map(String::as_str), Some("dump_refused"), "{sql} {surveys}");
            }
            let mysql = Dialect { version: 80_100, mariadb: false };
            let mut lexer = Lexer::new(sql.as_bytes(), mysql, 64);
            assert!(sql.contains("M!") || lexer.next_item().is_err(), "{sql}");
        }
        for sql in [
            "CREATE TABLE t (a int) /*!80099 COMMENT 'it''s -- \\' # ' */;",
            "/*!50003 CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x='*/' */;",
            "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1';",
            "CREATE TABLE t (a int) /*!80099 /* c */ COMMENT 'x' */;",
        ] {
            for surveys in [true, false] {
                assert!(passing_over(sql.as_bytes(), surveys)[0].contains(' '), "{sql}");
            }
        }
    }

    #[test]
    fn what_stands_behind_rows_counts_for_all_of_them() {
        let rows: Vec<String> = (0..200).map(|row| format!("({row},'{}')", "x".repeat(1000))).collect();
        let sql =
            format!("INSERT INTO t VALUES {} /* c */ ON DUPLICATE KEY UPDATE b=VALUES(b);", rows.join(",/* c */"));
        let mut lexer = Lexer::new(sql.as_bytes(), MARIADB, 10_000);
        let mut count = 0;
        while let Some(Item::Rows(rows)) = lexer.next_item().unwrap() {
            assert!(rows.upsert.is_some());
            count += rows.count;
        }
        assert_eq!(count, 200);
        let many = vec!["(1)"; MAX_HELD + 1].join(",/**/");
        let sql = format!("INSERT INTO t VALUES {many} ON DUPLICATE KEY UPDATE b=VALUES(b);");
        assert_eq!(items_in(sql.as_bytes(), 1 << 20).unwrap_err().code, Code::DumpRefused);
        assert_eq!(items_in(format!("INSERT INTO t VALUES {many};").as_bytes(), 1 << 20).unwrap().len(), MAX_HELD + 1);
    }

    #[test]
    fn comments_between_rows_are_no_part_of_them_and_keep_words_apart() {
        assert_eq!(statements("INSERT INTO t VALUES (1),/*Module a*/(2);"), ["rows t 1 true", "rows t 1 true"]);
        assert!(items_in(b"INSERT INTO t VALUES (1),/*M!100000 (2)*/(3);", 7).is_err());
        assert_eq!(statements("USE -- x\n`a`; A/-- x\n*!50000 b */;")[1], "A/ *!50000 b */");
    }

    #[test]
    fn a_long_insert_comes_in_several_extents() {
        let rows: Vec<String> = (0..1000).map(|row| format!("({row},'{}')", "x".repeat(100))).collect();
        let sql = format!("INSERT INTO t VALUES {};", rows.join(","));
        let mut lexer = Lexer::new(sql.as_bytes(), MARIADB, 10_000);
        let (mut count, mut items) = (0, 0);
        while let Some(Item::Rows(rows)) = lexer.next_item().unwrap() {
            count += rows.count;
            items += 1;
            assert!(rows.length < 11_000);
        }
        assert_eq!(count, 1000);
        assert!(items > 9);
    }

    proptest! {
        #[test]
        fn no_input_panics_and_no_cut_changes_what_is_found(sql in "[a-z'\"`;(),/*!M0-9#\\\\ \n-]{0,200}", piece in 1_usize..40) {
            let whole = items_in(sql.as_bytes(), 10_000).map_err(|error| error.code);
            let cut = items_in(sql.as_bytes(), piece).map_err(|error| error.code);
            prop_assert_eq!(whole, cut);
        }

        #[test]
        fn any_string_survives_inside_a_row(text in ".*", piece in 1_usize..40) {
            let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
            let sql = format!("INSERT INTO t VALUES (1,'{escaped}'),(2,'');SELECT 1;");
            let items = items_in(sql.as_bytes(), piece).unwrap();
            prop_assert_eq!(items.len(), 2);
            let Item::Rows(rows) = &items[0] else { panic!() };
            prop_assert_eq!(rows.count, 2);
        }
    }

    #[test]
    fn no_comment_begins_behind_a_number() {
        for rows in ["(1-- '\n); DROP TABLE t; -- ')", "(1--\n)", "(1, 2+-- x\n)", "(0b1-- x\n)"] {
            let dump = format!("INSERT INTO t VALUES {rows};");
            let error = Lexer::new(dump.as_bytes(), MARIADB, u64::MAX).next_item().unwrap_err();
            assert_eq!(error.code, Code::DumpRefused, "{rows}");
        }
        let dump = "INSERT INTO t VALUES (1-2+-3);";
        assert!(Lexer::new(dump.as_bytes(), MARIADB, u64::MAX).next_item().is_ok());
    }

    #[test]
    fn comments_do_not_nest_without_end() {
        let dump = "/*!".repeat(1_000_000);
        let error = Lexer::new(dump.as_bytes(), MARIADB, u64::MAX).next_item().unwrap_err();
        assert_eq!(error.code, Code::DumpRefused);
        let mut lexer = Lexer::surveying(dump.as_bytes(), None);
        while let Err(error) = lexer.next_item() {
            assert_ne!(error.code, Code::Internal);
            if !lexer.pass_over().unwrap() {
                break;
            }
        }
    }
}
