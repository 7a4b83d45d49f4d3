//! Counts tables and rows of a dump as it streams by, for the preview. Nothing is executed or refused here: the
//! loader has its own, strict reading. What this one does not understand it does not count.

use crate::sql::compat::Survey;
use crate::sql::compat::uses::{is_zero_date, unwrap};
use crate::sql::insert::InsertHead;
use crate::sql::lexer::version_mark;
use crate::sql::statement::ObjectKind;
use crate::sql::table::TableText;
use crate::sql::token::starts_line_comment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

const MAX_TABLES: usize = 20_000;
/// Most objects whose names are kept; all are counted.
pub const MAX_OBJECTS: usize = 2_000;
/// Objects beyond the kept ones are told apart by kind and name up to this number.
const MAX_KNOWN: usize = 100_000;
/// Comment lines at the top in which a dump says who wrote it.
const MAX_HEADER: usize = 40;
/// Longest of them looked at.
const MAX_COMMENT: usize = 256;
/// Longest CREATE TABLE kept whole.
pub const MAX_CREATE: usize = 64 << 10;
/// Most bytes of CREATE TABLE kept of a dump.
pub const MAX_CREATES: usize = 4 << 20;
const MAX_HEAD: usize = 1024;
/// Longest token looked at as one: comment marks, the `DELIMITER` line, a custom delimiter.
const LOOKAHEAD: usize = 64;

/// A table of the dump.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DumpedTable")]
pub struct TableTally {
    /// Its name.
    pub name: String,
    /// Rows in INSERT and REPLACE statements.
    pub rows: u64,
    /// Bytes of the statements about it.
    pub bytes: u64,
    /// `ENGINE=` of its CREATE TABLE; `null` where that says none.
    pub engine: Option<String>,
    /// Its character set; `null` where its CREATE TABLE says none.
    pub charset: Option<String>,
    /// Its whole CREATE TABLE as it stands in the dump, comments included; `None` for one that is too long to keep.
    #[serde(skip)]
    pub create: Option<String>,
}

/// A view, routine, trigger or event of the dump.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectFound {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
}

/// What a whole dump held.
#[derive(Debug, Default)]
pub struct Ended {
    /// Tables in the order they appeared.
    pub tables: Vec<TableTally>,
    /// Number of views, triggers, routines and events; a view and its stand-in are one.
    pub objects: u64,
    /// Their names, the first [`MAX_OBJECTS`].
    pub object_list: Vec<ObjectFound>,
    /// What servers differ in.
    pub survey: Survey,
    /// The writer's last line was there.
    pub complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Quoted(u8),
    LineComment,
    BlockComment,
    /// Of a line that changes the delimiter.
    RestOfLine,
}

/// Reads a dump in pieces of any size.
#[derive(Debug)]
pub struct Tally {
    state: State,
    /// Inside `/*! … */`, whose text is code.
    versioned: bool,
    delimiter: Vec<u8>,
    depth: u32,
    /// Code outside parentheses since the statement began, cut to [`MAX_HEAD`] at the front and the back.
    head: Vec<u8>,
    tail: Vec<u8>,
    /// The statement as it stands, up to its rows and to [`MAX_CREATE`].
    text: Vec<u8>,
    /// `text` is not all of it.
    cut: bool,
    values: bool,
    rows: u64,
    bytes: u64,
    carry: Vec<u8>,
    end: Vec<u8>,
    tables: Vec<TableTally>,
    by_name: HashMap<String, usize>,
    /// Bytes of all CREATE TABLE kept.
    creates: usize,
    objects: u64,
    object_list: Vec<ObjectFound>,
    known: HashSet<u64>,
    survey: Survey,
    /// The comment line in hand, while they are looked at.
    comment: Vec<u8>,
    comments: usize,
    /// Newlines before the piece in hand, and how far into it they are counted.
    lines: u64,
    counted: usize,
    /// Line on which the statement begins, and how many of its `bytes` are before it.
    line: u64,
    before: u64,
    /// Where the row in hand begins, in `bytes`; the longest of the statement.
    row: u64,
    longest: u64,
    /// Which value of a row comes next.
    column: usize,
    /// Which values of this statement's rows are dates, once it was asked; `None` where it cannot be known.
    dates: Option<Option<Dates>>,
    table_dates: HashMap<String, Option<Vec<(String, bool)>>>,
}

/// What the rows of one statement go into.
#[derive(Debug)]
struct Dates {
    table: String,
    is_date: Vec<bool>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            state: State::Code,
            versioned: false,
            delimiter: b";".to_vec(),
            depth: 0,
            head: Vec::new(),
            tail: Vec::new(),
            text: Vec::new(),
            cut: false,
            values: false,
            rows: 0,
            bytes: 0,
            carry: Vec::new(),
            end: Vec::new(),
            tables: Vec::new(),
            by_name: HashMap::new(),
            creates: 0,
            objects: 0,
            object_list: Vec::new(),
            known: HashSet::new(),
            survey: Survey::default(),
            comment: Vec::new(),
            comments: 0,
            lines: 1,
            counted: 0,
            line: 1,
            before: 0,
            row: 0,
            longest: 0,
            column: 0,
            dates: None,
            table_dates: HashMap::new(),
        }
    }
}

impl Tally {
    /// The next piece of the dump.
    pub fn push(&mut self, piece: &[u8]) {
        let keep = piece.len().min(256);
        self.end.extend_from_slice(&piece[piece.len() - keep..]);
        let over = self.end.len().saturating_sub(256);
        self.end.drain(..over);
        if self.carry.is_empty() {
            let used = self.run(piece, false);
            self.carry.extend_from_slice(&piece[used..]);
        } else {
            let mut joined = std::mem::take(&mut self.carry);
            joined.extend_from_slice(piece);
            let used = self.run(&joined, false);
            joined.drain(..used);
            self.carry = joined;
        }
    }

    /// After the last piece.
    pub fn finish(mut self) -> Ended {
        let rest = std::mem::take(&mut self.carry);
        self.run(&rest, true);
        self.statement();
        let end = String::from_utf8_lossy(&self.end).into_owned();
        // Older clients write a table in place of a view until all tables are there.
        let views: HashSet<&str> =
            self.object_list.iter().filter(|object| object.kind == ObjectKind::View).map(|view| &*view.name).collect();
        self.tables.retain(|table| table.rows > 0 || !views.contains(table.name.as_str()));
        Ended {
            tables: self.tables,
            objects: self.objects,
            object_list: self.object_list,
            survey: self.survey,
            // Without comments the last line is one that sets something back.
            complete: ["-- Dump completed", "=@OLD_SQL_NOTES", "=@OLD_NOTE_VERBOSITY"]
                .iter()
                .any(|mark| end.contains(mark)),
        }
    }

    /// Consumes what can be told without looking further than `data`.
    fn run(&mut self, data: &[u8], last: bool) -> usize {
        let mut at = 0;
        while at < data.len() {
            if !last && data.len() - at < LOOKAHEAD {
                break;
            }
            let rest = &data[at..];
            let step = match self.state {
                State::Code => self.code(data, at),
                State::Quoted(quote) => self.quoted(rest, quote),
                State::LineComment => {
                    let end = memchr::memchr(b'\n', rest);
                    self.header(&rest[..end.unwrap_or(rest.len())], end.is_some());
                    match end {
                        Some(end) => {
                            self.state = State::Code;
                            end + 1
                        }
                        None => rest.len(),
                    }
                }
                State::RestOfLine => match memchr::memchr(b'\n', rest) {
                    Some(end) => {
                        self.state = State::Code;
                        end
                    }
                    None => rest.len(),
                },
                State::BlockComment => match memchr::memmem::find(rest, b"*/") {
                    Some(end) => {
                        self.state = State::Code;
                        end + 2
                    }
                    None => rest.len() - usize::from(rest.len() > 1),
                },
            };
            self.keep(data, at, step);
            self.bytes += step as u64;
            at += step;
        }
        self.line_at(data, at);
        self.counted = 0;
        at
    }

    /// The line of a place in the piece in hand; asked for in rising order.
    fn line_at(&mut self, data: &[u8], at: usize) -> u64 {
        if at > self.counted {
            self.lines += memchr::memchr_iter(b'\n', &data[self.counted..at]).count() as u64;
            self.counted = at;
        }
        self.lines
    }

    /// Part of a comment line; the first few of a dump say who wrote it.
    fn header(&mut self, part: &[u8], ends: bool) {
        if self.comments >= MAX_HEADER {
            return;
        }
        let room = MAX_COMMENT - self.comment.len();
        self.comment.extend_from_slice(&part[..part.len().min(room)]);
        if ends {
            self.comments += 1;
            self.survey.comment(&std::mem::take(&mut self.comment));
        }
    }

    fn quoted(&mut self, rest: &[u8], quote: u8) -> usize {
        let found = if quote == b'`' { memchr::memchr(quote, rest) } else { memchr::memchr2(quote, b'\\', rest) };
        let step = match found {
            None => rest.len(),
            // What is escaped may be in the next piece: the backslash waits for it.
            Some(end) if rest[end] == b'\\' && end + 1 == rest.len() && end > 0 => end,
            Some(end) if rest[end] == b'\\' => (end + 2).min(rest.len()),
            // A doubled quote closes and opens again: the same for counting.
            Some(end) => {
                self.state = State::Code;
                end + 1
            }
        };
        // Names are remembered (in double quotes too, for some dumps); a text says nothing of the statement.
        if quote != b'\'' {
            self.remember(&rest[..step]);
        }
        step
    }

    fn code(&mut self, data: &[u8], at: usize) -> usize {
        let rest = &data[at..];
        let byte = rest[0];
        if rest.starts_with(&self.delimiter) {
            self.statement();
            return self.delimiter.len();
        }
        match byte {
            b'\'' | b'"' | b'`' => {
                self.state = State::Quoted(byte);
                if self.values && self.depth == 1 && byte != b'`' {
                    self.look_for_zero_date(rest);
                }
                self.remember(&rest[..1]);
            }
            b'#' => self.state = State::LineComment,
            b'-' if starts_line_comment(rest) => self.state = State::LineComment,
            b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
                self.versioned = true;
                let Some((length, mariadb, version)) = version_mark(rest) else { return 2 };
                let line = self.line_at(data, at);
                self.survey.comment_opens(mariadb, version, &rest[length..], line);
                return length;
            }
            b'/' if rest.starts_with(b"/*") => {
                self.state = State::BlockComment;
                return 2;
            }
            b'*' if self.versioned && rest.starts_with(b"*/") => {
                self.versioned = false;
                return 2;
            }
            b'(' => {
                if self.depth == 0 {
                    self.open();
                }
                self.depth += 1;
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                if self.values && self.depth == 0 {
                    self.longest = self.longest.max(self.bytes + 1 - self.row);
                }
            }
            b'D' | b'd' if self.head.is_empty() && word(rest, b"DELIMITER") => return self.new_delimiter(rest),
            _ => {
                let dull = |byte: &u8| !matches!(byte, b'\'' | b'"' | b'`' | b'#' | b'-' | b'/' | b'*' | b'(' | b')');
                let stop = self.delimiter[0];
                let plain = rest.iter().take_while(|byte| dull(byte) && **byte != stop).count().max(1);
                // A statement may begin after these blanks, perhaps with DELIMITER.
                let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                let step = if self.head.is_empty() && blanks > 0 { blanks } else { plain };
                if self.values && self.depth == 1 {
                    self.column += rest[..step].iter().filter(|byte| **byte == b',').count();
                }
                self.remember(&rest[..step]);
                return step;
            }
        }
        1
    }

    /// A value in quotes begins. Only a whole literal in a column of dates counts: text may hold what it likes.
    fn look_for_zero_date(&mut self, rest: &[u8]) {
        if rest.len() < 12 || rest[5] != b'-' || !rest[1].is_ascii_digit() {
            return;
        }
        let Some(end) = memchr::memchr(rest[0], &rest[1..rest.len().min(LOOKAHEAD)]) else { return };
        if !is_zero_date(&rest[..end + 2]) {
            return;
        }
        if self.dates.is_none() {
            let dates = self.dates_of_statement();
            self.dates = Some(dates);
        }
        if let Some(Some(dates)) = &self.dates
            && dates.is_date.get(self.column).copied().unwrap_or(false)
        {
            self.survey.zero_date(&dates.table, self.line);
        }
    }

    fn dates_of_statement(&mut self) -> Option<Dates> {
        let head = InsertHead::parse(&unwrap(&self.text), self.survey.quoting())?;
        if !self.table_dates.contains_key(&head.table) {
            let create = self.by_name.get(&head.table).and_then(|at| self.tables[*at].create.as_deref());
            let text = create.map(|create| String::from_utf8_lossy(&unwrap(create.as_bytes())).into_owned());
            let columns = text.and_then(|text| TableText::parse(&text, self.survey.quoting())).map(|table| {
                let is_date = |kind: &str| matches!(kind, "date" | "datetime" | "timestamp");
                table.columns.into_iter().map(|column| (column.name, is_date(&column.kind))).collect()
            });
            self.table_dates.insert(head.table.clone(), columns);
        }
        let columns = self.table_dates.get(&head.table)?.as_ref()?;
        let is_date = match &head.columns {
            None => columns.iter().map(|(_, is_date)| *is_date).collect(),
            Some(names) => {
                let kind = |name: &String| columns.iter().any(|(known, is_date)| *is_date && known == name);
                names.iter().map(kind).collect()
            }
        };
        Some(Dates { table: head.table, is_date })
    }

    fn new_delimiter(&mut self, rest: &[u8]) -> usize {
        let begin = b"DELIMITER".len();
        let seen = &rest[..rest.len().min(LOOKAHEAD)];
        // A line that is longer than what can be seen of it in any piece names none.
        if let Some(end) = memchr::memchr(b'\n', seen) {
            let chosen = seen[begin..end].trim_ascii();
            if !chosen.is_empty() && chosen.len() < LOOKAHEAD / 2 {
                self.delimiter = chosen.to_vec();
            }
        }
        self.state = State::RestOfLine;
        begin
    }

    /// Keeps code outside parentheses, blanks in front left out.
    fn remember(&mut self, code: &[u8]) {
        if self.depth > 0 || self.values {
            return;
        }
        let code = if self.head.is_empty() { code.trim_ascii_start() } else { code };
        let room = MAX_HEAD - self.head.len();
        self.head.extend_from_slice(&code[..code.len().min(room)]);
        if room < code.len() || room == 0 {
            self.tail.extend_from_slice(code);
            let over = self.tail.len().saturating_sub(MAX_HEAD);
            self.tail.drain(..over);
        }
    }

    /// Keeps the text of a statement; rows are none.
    fn keep(&mut self, data: &[u8], at: usize, step: usize) {
        if self.values || self.head.is_empty() {
            return;
        }
        let mut code = &data[at..at + step];
        if self.text.is_empty() {
            code = code.trim_ascii_start();
            self.line = self.line_at(data, at + step - code.len());
            self.before = self.bytes + (step - code.len()) as u64;
        }
        let room = MAX_CREATE - self.text.len();
        self.text.extend_from_slice(&code[..code.len().min(room)]);
        self.cut |= code.len() > room;
    }

    /// A parenthesis opens outside any other.
    fn open(&mut self) {
        self.row = self.bytes;
        self.column = 0;
        if self.values {
            self.rows += 1;
        } else if is_insert(&self.head) && ends_with_values(&self.head) {
            self.values = true;
            self.rows = 1;
        } else {
            self.remember(b" ");
        }
    }

    /// A statement ended.
    fn statement(&mut self) {
        let head = std::mem::take(&mut self.head);
        let tail = std::mem::take(&mut self.tail);
        let text = std::mem::take(&mut self.text);
        let whole = !std::mem::take(&mut self.cut);
        let (rows, bytes) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.bytes));
        let (before, longest) = (std::mem::take(&mut self.before), std::mem::take(&mut self.longest));
        self.depth = 0;
        self.values = false;
        self.versioned = false;
        self.dates = None;
        let mut words = Words(&head);
        let Some(first) = words.next() else { return };
        if is_insert(&head) {
            if let Some(name) = words.skip_to(b"INTO")
                && let Some(table) = self.table(name.clone())
            {
                table.rows += rows;
                table.bytes += bytes;
                self.survey.rows(&name, self.line, bytes.saturating_sub(before), longest);
            }
            return;
        }
        let known = first.eq_ignore_ascii_case(b"CREATE");
        if known || first.eq_ignore_ascii_case(b"SET") || first.eq_ignore_ascii_case(b"ALTER") {
            self.survey.statement(&text, self.line);
        }
        if known {
            self.created(&head, &tail, whole.then_some(text.as_slice()), bytes);
        }
    }

    fn created(&mut self, head: &[u8], tail: &[u8], text: Option<&[u8]>, bytes: u64) {
        for word in Words(head).skip(1).take(16) {
            let upper = word.to_ascii_uppercase();
            match upper.as_slice() {
                b"TABLE" => {
                    let name = name_after(head, b"TABLE");
                    let options = [head, tail].concat();
                    let (engine, charset) = (option(&options, b"ENGINE"), option(&options, b"CHARSET"));
                    let text = text.map(<[u8]>::trim_ascii_end).filter(|text| self.creates + text.len() <= MAX_CREATES);
                    if let Some(table) = name.and_then(|name| self.table(name)) {
                        table.bytes += bytes;
                        table.engine = engine;
                        table.charset = charset;
                        table.create = text.map(|text| String::from_utf8_lossy(text).into_owned());
                        self.creates += text.map_or(0, <[u8]>::len);
                    }
                    return;
                }
                b"VIEW" => return self.object(ObjectKind::View, name_after(head, &upper)),
                b"TRIGGER" => return self.object(ObjectKind::Trigger, name_after(head, &upper)),
                b"PROCEDURE" => return self.object(ObjectKind::Procedure, name_after(head, &upper)),
                b"FUNCTION" => return self.object(ObjectKind::Function, name_after(head, &upper)),
                b"EVENT" => return self.object(ObjectKind::Event, name_after(head, &upper)),
                b"INDEX" | b"DATABASE" | b"SCHEMA" | b"SEQUENCE" | b"USER" | b"ROLE" => return,
                _ => {}
            }
        }
    }

    fn object(&mut self, kind: ObjectKind, name: Option<String>) {
        let Some(name) = name else { return };
        if self.known.len() < MAX_KNOWN {
            let key = xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), kind as u64);
            if !self.known.insert(key) {
                return;
            }
        }
        self.objects += 1;
        if self.object_list.len() < MAX_OBJECTS {
            self.object_list.push(ObjectFound { kind, name });
        }
    }

    fn table(&mut self, name: String) -> Option<&mut TableTally> {
        let at = match self.by_name.get(&name) {
            Some(at) => *at,
            None if self.tables.len() >= MAX_TABLES => return None,
            None => {
                self.tables.push(TableTally { name: name.clone(), ..TableTally::default() });
                self.by_name.insert(name, self.tables.len() - 1);
                self.tables.len() - 1
            }
        };
        self.tables.get_mut(at)
    }
}

fn word(text: &[u8], word: &[u8]) -> bool {
    text.len() > word.len() && text[..word.len()].eq_ignore_ascii_case(word) && text[word.len()].is_ascii_whitespace()
}

fn is_insert(head: &[u8]) -> bool {
    word(head, b"INSERT") || word(head, b"REPLACE")
}

fn ends_with_values(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    [&b"VALUES"[..], b"VALUE"]
        .iter()
        .any(|end| head.len() > end.len() && head[head.len() - end.len()..].eq_ignore_ascii_case(end))
}

/// Value of `KEY=value` in the options after a table's columns.
fn option(text: &[u8], key: &[u8]) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let at = memchr::memmem::find(&upper, key)?;
    let rest = text[at + key.len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let end = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')).unwrap_or(rest.len());
    (end > 0).then(|| String::from_utf8_lossy(&rest[..end]).into_owned())
}

/// The name after a keyword and an `IF NOT EXISTS`.
fn name_after(head: &[u8], keyword: &[u8]) -> Option<String> {
    let mut words = Words(head);
    let name = words.skip_to(keyword)?;
    if name.eq_ignore_ascii_case("if") { words.skip_to(b"EXISTS") } else { Some(name) }
}

/// Words and quoted names of a statement's head.
struct Words<'a>(&'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        if text.is_empty() {
            return None;
        }
        let end = if matches!(text[0], b'`' | b'"') {
            let mut end = 1;
            loop {
                match memchr::memchr(text[0], &text[end..]) {
                    // A doubled quote is one letter of the name.
                    Some(quote) if text.get(end + quote + 1) == Some(&text[0]) => end += quote + 2,
                    Some(quote) => break end + quote + 1,
                    None => break text.len(),
                }
            }
        } else {
            let stop = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'`' | b'"' | b'.' | b'(' | b'=');
            text.iter().position(stop).unwrap_or(text.len()).max(1)
        };
        self.0 = &text[end..];
        Some(&text[..end])
    }
}

impl Words<'_> {
    /// The name after a keyword, without quotes; the last part of a qualified one.
    fn skip_to(&mut self, keyword: &[u8]) -> Option<String> {
        self.by_ref().find(|word| word.eq_ignore_ascii_case(keyword))?;
        let mut name = self.next()?;
        while self.0.first() == Some(&b'.') {
            self.0 = &self.0[1..];
            name = self.next()?;
        }
        let quote = name.first().filter(|quote| matches!(quote, b'`' | b'"')).copied();
        let bare = quote.and_then(|quote| name.strip_prefix(&[quote])?.strip_suffix(&[quote]));
        let text = String::from_utf8_lossy(bare.unwrap_or(name)).into_owned();
        Some(match (bare, quote) {
            (Some(_), Some(b'`')) => text.replace("``", "`"),
            (Some(_), Some(_)) => text.replace("\"\"", "\""),
            _ => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "/*M!999999\\- enable the sandbox mode */\n-- MariaDB dump; it's \"quoted\n\
        /*!40101 SET NAMES utf8mb4 */;\n\
        CREATE TABLE `wp_posts` (\n `id` int(11) COMMENT 'a ) ; b',\n PRIMARY KEY (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=x;\n\
        /*!40000 ALTER TABLE `wp_posts` DISABLE KEYS */;\n\
        INSERT INTO `wp_posts` VALUES (1,'it\\'s (a) ; b'),(2,'x'),\n(3,'''),(');\n\
        INSERT INTO `wp_posts` (`id`,`x`) VALUES (4,NOW());\n\
        CREATE TABLE IF NOT EXISTS plain (a int) ENGINE=MyISAM;\nINSERT IGNORE INTO plain values (1);\n\
        DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER t BEFORE INSERT ON plain FOR EACH ROW BEGIN\n INSERT INTO plain VALUES (9); SET @x = 1;\nEND */;;\nDELIMITER ;\n\
        /*!50001 CREATE VIEW `v` AS SELECT 1 */;\n-- Dump completed on 2025-10-04\n";

    fn tally(piece: usize) -> Ended {
        let mut tally = Tally::default();
        for piece in DUMP.as_bytes().chunks(piece) {
            tally.push(piece);
        }
        tally.finish()
    }

    #[test]
    fn tables_rows_and_objects_are_counted_whatever_the_pieces() {
        for piece in [1, 2, 3, 7, 63, 64, 65, 200, 100_000] {
            let ended = tally(piece);
            let rows: Vec<(&str, u64)> = ended.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
            assert_eq!(rows, [("wp_posts", 4), ("plain", 1)], "pieces of {piece}");
            assert_eq!((ended.objects, ended.complete), (2, true), "pieces of {piece}");
            assert_eq!(ended.tables[0].engine.as_deref(), Some("InnoDB"));
            assert_eq!(ended.tables[0].charset.as_deref(), Some("utf8mb4"));
            assert_eq!(ended.tables[1].engine.as_deref(), Some("MyISAM"));
            assert!(ended.tables[0].bytes > 200);
            let create = ended.tables[0].create.as_deref().unwrap();
            assert!(create.starts_with("CREATE TABLE `wp_posts` (\n `id`"), "pieces of {piece}: {create}");
            assert!(create.ends_with("CHARSET=utf8mb4 COLLATE=x"), "pieces of {piece}: {create}");
            let objects: Vec<(ObjectKind, &str)> =
                ended.object_list.iter().map(|object| (object.kind, object.name.as_str())).collect();
            assert_eq!(objects, [(ObjectKind::Trigger, "t"), (ObjectKind::View, "v")], "pieces of {piece}");
        }
    }

    fn of(sql: &str) -> Ended {
        let mut tally = Tally::default();
        tally.push(sql.as_bytes());
        tally.finish()
    }

    #[test]
    fn a_view_and_its_stand_in_are_one_view_and_no_table() {
        let ended = of("/*!50001 CREATE VIEW `v` AS SELECT 1 AS `id` */;\n\
             /*!50001 CREATE TABLE `old` (`id` tinyint NOT NULL) ENGINE=MyISAM */;\n\
             CREATE TABLE t (a int);\n\
             /*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n\
             /*!50001 VIEW `v` AS select 1 AS `id` */;\n\
             CREATE OR REPLACE ALGORITHM = UNDEFINED DEFINER = `a` @ `b` SQL SECURITY INVOKER VIEW `old` AS select 1;\n");
        let names = |name: &str| ObjectFound { kind: ObjectKind::View, name: name.into() };
        assert_eq!((ended.objects, ended.object_list), (2, vec![names("v"), names("old")]));
        assert_eq!(ended.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn objects_are_named_by_kind_and_quoted_names_are_read_whole() {
        let ended = of("DELIMITER ;;\nCREATE DEFINER=`a`@`%` PROCEDURE IF NOT EXISTS `p``q`(IN x INT)\nBEGIN END;;\n\
             CREATE AGGREGATE FUNCTION s.f(x INT) RETURNS INT BEGIN END;;\n\
             /*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SET @x='VIEW'*/;;\n\
             DELIMITER ;\nCREATE INDEX event ON t (a);\nCREATE TABLE \"we\"\"ird` (x\" (a int);\n\
             INSERT INTO \"we\"\"ird` (x\" VALUES (1),(2);\nCREATE TABLE `Bảng ``1``` (a int); INSERT INTO `Bảng ``1``` VALUES (1);");
        let objects: Vec<(ObjectKind, &str)> =
            ended.object_list.iter().map(|object| (object.kind, object.name.as_str())).collect();
        let kinds = [(ObjectKind::Procedure, "p`q"), (ObjectKind::Function, "f"), (ObjectKind::Event, "e")];
        assert_eq!(objects, kinds);
        let rows: Vec<(&str, u64)> = ended.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
        assert_eq!(rows, [("we\"ird` (x", 2), ("Bảng `1`", 1)]);
    }

    #[test]
    fn what_is_kept_of_a_dump_is_bounded_and_all_is_counted() {
        let long = format!("CREATE TABLE long (a int COMMENT '{}');", "x".repeat(MAX_CREATE));
        let tables: String = (0..100)
            .map(|number| format!("CREATE TABLE t{number} (a int COMMENT '{}');", "x".repeat(60_000)))
            .collect();
        let views: String = (0..3_000).map(|number| format!("CREATE VIEW v{number} AS SELECT 1;")).collect();
        let ended = of(&[long, tables, views.clone(), views].concat());
        assert_eq!(ended.tables.len(), 101);
        assert_eq!(ended.tables[0].create, None);
        let kept: usize = ended.tables.iter().filter_map(|table| table.create.as_ref()).map(String::len).sum();
        assert!(kept <= MAX_CREATES && kept > MAX_CREATES - MAX_CREATE, "{kept}");
        assert_eq!((ended.objects, ended.object_list.len()), (3_000, MAX_OBJECTS));
    }

    #[test]
    fn a_cut_dump_is_not_complete_and_noise_is_no_table() {
        let mut cut = Tally::default();
        cut.push(&DUMP.as_bytes()[..DUMP.len() - 60]);
        assert!(!cut.finish().complete);
        let mut noise = Tally::default();
        noise.push(&[b'(', b'`', 0xff, b'\'', b'\\'].repeat(10_000));
        assert!(noise.finish().tables.is_empty());
    }

    #[test]
    fn what_servers_differ_in_is_seen_where_it_means_something_and_nowhere_else() {
        let sql = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n-- Server version\t8.0.36\n\
            /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n\
            CREATE TABLE `p` (\n `id` int,\n `d` datetime DEFAULT '0000-00-00 00:00:00',\n `t` text COLLATE utf8mb4_0900_ai_ci COMMENT 'COLLATE no_ci'\n) ENGINE=ROCKSDB DEFAULT CHARSET=utf8mb4;\n\
            INSERT INTO `p` VALUES (1,'0000-00-00 00:00:00','COLLATE utf8mb4_0900_bin DEFINER=`x`@`y` /*!80001 z */ 0000-00-00'),\n\
            (2,'2020-01-00','0000-00-00'),(3,NOW(),'a,b'),(4,'2020-01-01',',''0000-00-00''');\n\
            INSERT INTO `p` (`t`,`d`) VALUES ('0000-00-00','0000-00-00');\n\
            /*!50003 CREATE*/ /*!50020 DEFINER=`root`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON p FOR EACH ROW SET @x='DEFINER=`no`@`no`' */;\n\
            /* COLLATE comment_ci */ -- COLLATE comment_ci\n\
            CREATE DATABASE x /*!80016 DEFAULT ENCRYPTION='N' */;\n";
        let survey = of(sql).survey;
        let seen: Vec<(&str, u64, u64)> =
            survey.seen.iter().map(|seen| (seen.subject.as_str(), seen.count, seen.line)).collect();
        assert_eq!(
            seen,
            [
                ("DEFAULT '0000-00-00 00:00:00' in p", 1, 4),
                ("utf8mb4_0900_ai_ci", 1, 4),
                ("ROCKSDB", 1, 4),
                ("utf8mb4", 1, 4),
                ("rows of p", 3, 9),
                ("root@%", 1, 12),
            ]
        );
        assert_eq!(survey.writer.as_deref(), Some("MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)"));
        assert_eq!(
            (survey.server.as_deref(), survey.sql_mode.as_deref()),
            (Some("8.0.36"), Some("NO_AUTO_VALUE_ON_ZERO"))
        );
        let row = "(1,'0000-00-00 00:00:00','COLLATE utf8mb4_0900_bin DEFINER=`x`@`y` /*!80001 z */ 0000-00-00')";
        assert_eq!((survey.largest_row.bytes, survey.largest_row.line), (row.len() as u64, 9));
        let statement =
            sql.find("INSERT").zip(sql.find(";\nINSERT INTO `p` (")).map(|(begin, end)| (end - begin) as u64);
        assert_eq!((Some(survey.largest_statement.bytes), survey.largest_statement.table.as_str()), (statement, "p"));
        let texts: Vec<_> = survey.versioned.iter().filter(|seen| !seen.text.is_empty()).collect();
        assert_eq!(
            (texts.len(), texts[0].version, texts[0].text.as_str()),
            (1, Some(80_016), "DEFAULT ENCRYPTION='N'")
        );
    }

    proptest::proptest! {
        #[test]
        fn the_count_does_not_depend_on_how_the_dump_is_cut(
            tokens in proptest::collection::vec(0..TOKENS.len(), 0..60),
            cuts in proptest::collection::vec(1_usize..40, 1..20),
        ) {
            let text: Vec<u8> = tokens.iter().flat_map(|at| TOKENS[*at].bytes()).collect();
            let mut whole = Tally::default();
            whole.push(&text);
            let whole = whole.finish();
            let mut cut = Tally::default();
            let mut rest = text.as_slice();
            for size in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, tail) = rest.split_at((*size).min(rest.len()));
                cut.push(piece);
                rest = tail;
            }
            let cut = cut.finish();
            proptest::prop_assert_eq!(whole.tables, cut.tables);
            proptest::prop_assert_eq!((whole.objects, whole.complete), (cut.objects, cut.complete));
            proptest::prop_assert_eq!(whole.object_list, cut.object_list);
            proptest::prop_assert_eq!(whole.survey, cut.survey);
        }
    }

    const TOKENS: &[&str] = &[
        "INSERT INTO `a` VALUES (",
        "),(",
        ");\n",
        "'",
        "\"",
        "`",
        "\\",
        "''",
        "-- ",
        "--",
        "#",
        "/*",
        "*/",
        "/*!50003 ",
        "/*M!100 ",
        "\n",
        " ",
        ";",
        ";;",
        "DELIMITER ;;\n",
        "DELIMITER ;\n",
        "CREATE TABLE b (x int) ENGINE=InnoDB",
        "CREATE VIEW v",
        "x",
        "(",
        ")",
        "VALUES",
        "REPLACE INTO c values (1)",
        "CREATE TABLE d (a int, b datetime COLLATE x DEFAULT '0000-00-00') CHARSET=y;\n",
        "INSERT INTO d VALUES (1,'0000-00-00 00:00:00'),(2,'2020-00-00');\n",
        "INSERT INTO d (b) VALUES ('0000-00-00');",
        "/*!80016 DEFAULT ENCRYPTION='N' */",
        "/*M!999999\\- sandbox */",
        "-- MySQL dump 10.13  Distrib 8.0.36\n",
        "CREATE DEFINER=`a`@`b` VIEW v AS SELECT 1;",
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1';",
    ];
}
