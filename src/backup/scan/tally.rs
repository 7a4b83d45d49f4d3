//! Counts tables and rows of a dump as it streams by, for the preview. Nothing is executed or refused here: the
//! loader has its own, strict reading. What this one does not understand it does not count.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const MAX_TABLES: usize = 20_000;
const MAX_HEAD: usize = 1024;
/// Longest token looked at as one: comment marks, the `DELIMITER` line, a custom delimiter.
const LOOKAHEAD: usize = 64;

/// A table of the dump.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTally {
    /// Its name.
    pub name: String,
    /// Rows in INSERT and REPLACE statements.
    pub rows: u64,
    /// Bytes of the statements about it.
    pub bytes: u64,
    /// `ENGINE=` of its CREATE TABLE.
    pub engine: Option<String>,
    /// Its character set.
    pub charset: Option<String>,
}

/// What a whole dump held.
#[derive(Debug, Default)]
pub struct Ended {
    /// Tables in the order they appeared.
    pub tables: Vec<TableTally>,
    /// Views, triggers, routines and events.
    pub objects: u64,
    /// The writer's last line was there.
    pub complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Quoted(u8),
    LineComment,
    BlockComment,
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
    values: bool,
    rows: u64,
    bytes: u64,
    carry: Vec<u8>,
    end: Vec<u8>,
    tables: Vec<TableTally>,
    by_name: HashMap<String, usize>,
    objects: u64,
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
            values: false,
            rows: 0,
            bytes: 0,
            carry: Vec::new(),
            end: Vec::new(),
            tables: Vec::new(),
            by_name: HashMap::new(),
            objects: 0,
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
        Ended { tables: self.tables, objects: self.objects, complete: end.contains("-- Dump completed") }
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
                State::Code => self.code(rest),
                State::Quoted(quote) => self.quoted(rest, quote),
                State::LineComment => match memchr::memchr(b'\n', rest) {
                    Some(end) => {
                        self.state = State::Code;
                        end + 1
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
            self.bytes += step as u64;
            at += step;
        }
        at
    }

    fn quoted(&mut self, rest: &[u8], quote: u8) -> usize {
        let found = if quote == b'`' { memchr::memchr(quote, rest) } else { memchr::memchr2(quote, b'\\', rest) };
        let Some(end) = found else {
            self.remember(rest);
            return rest.len();
        };
        if rest[end] == b'\\' {
            // What is escaped may be in the next piece: the backslash waits for it.
            let alone = end + 1 == rest.len() && end > 0;
            return if alone { end } else { (end + 2).min(rest.len()) };
        }
        // A doubled quote closes and opens again: the same for counting.
        self.state = State::Code;
        self.remember(&rest[..=end]);
        end + 1
    }

    fn code(&mut self, rest: &[u8]) -> usize {
        let byte = rest[0];
        if rest.starts_with(&self.delimiter) {
            self.statement();
            return self.delimiter.len();
        }
        match byte {
            b'\'' | b'"' | b'`' => {
                self.state = State::Quoted(byte);
                self.remember(&rest[..1]);
            }
            b'#' => self.state = State::LineComment,
            b'-' if rest.len() > 1 && rest[1] == b'-' && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
                self.state = State::LineComment;
            }
            b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
                let mark = memchr::memchr(b'!', rest).unwrap_or(2) + 1;
                self.versioned = true;
                return mark + rest[mark..].iter().take_while(|byte| byte.is_ascii_digit()).count();
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
            b')' => self.depth = self.depth.saturating_sub(1),
            b'D' | b'd' if self.head.is_empty() && word(rest, b"DELIMITER") => return self.new_delimiter(rest),
            _ => {
                let dull = |byte: &u8| !matches!(byte, b'\'' | b'"' | b'`' | b'#' | b'-' | b'/' | b'*' | b'(' | b')');
                let stop = self.delimiter[0];
                let plain = rest.iter().take_while(|byte| dull(byte) && **byte != stop).count().max(1);
                // A statement may begin after these blanks, perhaps with DELIMITER.
                let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                let step = if self.head.is_empty() && blanks > 0 { blanks } else { plain };
                self.remember(&rest[..step]);
                return step;
            }
        }
        1
    }

    fn new_delimiter(&mut self, rest: &[u8]) -> usize {
        let line = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let chosen = rest[b"DELIMITER".len()..line].trim_ascii();
        if !chosen.is_empty() && chosen.len() < LOOKAHEAD / 2 {
            self.delimiter = chosen.to_vec();
        }
        line
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

    /// A parenthesis opens outside any other.
    fn open(&mut self) {
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
        let (rows, bytes) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.bytes));
        self.depth = 0;
        self.values = false;
        self.versioned = false;
        let mut words = Words(&head);
        let Some(first) = words.next() else { return };
        if is_insert(&head) {
            if let Some(name) = words.skip_to(b"INTO") {
                let table = self.table(name);
                if let Some(table) = table {
                    table.rows += rows;
                    table.bytes += bytes;
                }
            }
        } else if first.eq_ignore_ascii_case(b"CREATE") {
            self.created(&head, &tail, bytes);
        }
    }

    fn created(&mut self, head: &[u8], tail: &[u8], bytes: u64) {
        for word in Words(head).skip(1).take(12) {
            let upper = word.to_ascii_uppercase();
            match upper.as_slice() {
                b"TABLE" => {
                    let mut after = Words(head);
                    let mut name = after.skip_to(b"TABLE");
                    if name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("if")) {
                        name = after.skip_to(b"EXISTS");
                    }
                    let options = [head, tail].concat();
                    let (engine, charset) = (option(&options, b"ENGINE"), option(&options, b"CHARSET"));
                    if let Some(table) = name.and_then(|name| self.table(name)) {
                        table.bytes += bytes;
                        table.engine = engine;
                        table.charset = charset;
                    }
                    return;
                }
                b"VIEW" | b"TRIGGER" | b"PROCEDURE" | b"FUNCTION" | b"EVENT" => {
                    self.objects += 1;
                    return;
                }
                _ => {}
            }
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

/// Words and back-quoted names of a statement's head.
struct Words<'a>(&'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        if text.is_empty() {
            return None;
        }
        let end = if text[0] == b'`' {
            memchr::memchr(b'`', &text[1..]).map_or(text.len(), |end| end + 2)
        } else {
            let stop = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'`' | b'(' | b'=');
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
        let bare = name.strip_prefix(b"`").and_then(|name| name.strip_suffix(b"`")).unwrap_or(name);
        Some(String::from_utf8_lossy(bare).into_owned())
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
        }
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
    ];
}
