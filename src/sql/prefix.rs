//! The text of a dump as the site is to have it: with another table prefix in it, and without what is another site's. The prefix is replaced
//! in names ([`names`] tells which ones are tables), and where WordPress keeps it as data: in the name of the option with the roles
//! (`wp_user_roles`), and at the beginning of keys of user meta (`wp_capabilities`). Every other text stays, whatever it says: `wp_block` is
//! a type of posts on every site. What is left out leaves its line ends, so that lines keep their numbers. Pure.

mod choice;
mod names;

use crate::error::{Code, Error};
use crate::sql::session::Session;
use crate::sql::token::{Quoting, escapes, is_word, starts_line_comment};
use crate::sql::versioned::{is_read_everywhere, version_mark};
use choice::{Choice, Verdict};
use names::Names;
use std::collections::HashSet;
use std::io::{self, Read};

/// Longest name that may follow a prefix in a string; longest word and line that are looked at.
const MAX_NAME: usize = 256;
/// Input is read in pieces of this size.
const PIECE: usize = 64 << 10;
/// As much of a statement is held until it is known whether it is taken.
const MAX_HELD: usize = 64 << 10;
/// Longest delimiter.
const MAX_DELIMITER: usize = 15;
/// What begins a statement with others in it.
const BODIES: [&[u8]; 4] = [b"CREATE PROCEDURE ", b"CREATE FUNCTION ", b"CREATE TRIGGER ", b"CREATE EVENT "];
/// How a whole text ends.
const END: &[u8] = b"\n-- Dump completed\n";
/// Before such a statement, and behind it.
const BEFORE_BODY: &[u8] = b"DELIMITER $$|$$\n";
const BEHIND_BODY: &[u8] = b"\n$$|$$\nDELIMITER ;\n";
/// How the comment begins that stands where something was left out.
pub const LEFT_OUT: &str = "left out by the restore:";
/// Most of these comments.
const MAX_SAID: usize = 1_000;
/// Before the first byte of a text, and no part of it.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// Longest prefix of tables.
const MAX_PREFIX: usize = 64;
/// Databases of the server's own.
const SYSTEM: [&str; 4] = ["mysql", "sys", "information_schema", "performance_schema"];

/// What is replaced, and what is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renaming {
    /// What the names of tables begin with.
    pub from: Option<String>,
    /// What stands in its place in names of tables, and means nothing else.
    pub placeholder: Option<String>,
    /// The placeholder also stands as data: at the beginning of strings that are nothing but a name.
    pub is_data: bool,
    /// What they begin with afterwards.
    pub to: String,
    /// Only tables, routines and events whose names begin so are taken, and what belongs to these tables.
    pub only: Option<String>,
    /// Only what belongs to this database is taken.
    pub schema: Option<String>,
    /// An empty binary value is a bare `0x` there, which no server takes.
    pub bare_hex: bool,
    /// A comment that stands before every statement. Routines and triggers between two of them have semicolons of their own, and no
    /// `DELIMITER`: they get one.
    pub mark: Option<&'static str>,
    /// Something beside it says that the text is whole, and the text does not: it gets the comment with which whole ones end.
    pub is_whole: bool,
}

impl Renaming {
    /// Whether a text comes through as it is.
    pub fn is_nothing(&self) -> bool {
        *self == Renaming { to: self.to.clone(), ..Renaming::default() }
    }

    fn chooses(&self) -> bool {
        self.only.is_some() || self.schema.is_some()
    }
}

/// Whether a database is the server's own.
pub fn is_of_server(database: &str) -> bool {
    SYSTEM.iter().any(|system| database.eq_ignore_ascii_case(system))
}

/// Whether a text can be told as the prefix of tables: letters, digits, `_` and `$`.
pub fn is_prefix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_$".contains(&byte);
    (1..=MAX_PREFIX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The databases that a dump names; none in a dump of one database that has no name.
///
/// # Errors
/// Those of `text`; `dump_refused` as in [`PrefixReader`].
pub fn databases(text: impl Read) -> io::Result<Vec<String>> {
    // No database is called so: all are passed over.
    let none = Renaming { schema: Some(String::new()), ..Renaming::default() };
    let mut reader = PrefixReader { looks: true, ..PrefixReader::new(text, &none) };
    io::copy(&mut reader, &mut io::sink())?;
    Ok(reader.choice.databases)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    String(u8),
    /// In a name that is longer than any.
    Name(u8),
    /// A comment to the end of the line.
    Line,
    /// A comment to its end mark.
    Block,
}

/// Where the text goes.
struct Output {
    bytes: Vec<u8>,
    /// What was read of a statement of which it is not known whether it is taken.
    held: Vec<u8>,
    verdict: Verdict,
}

impl Output {
    fn put(&mut self, bytes: &[u8]) {
        match self.verdict {
            Verdict::Taken => self.bytes.extend_from_slice(bytes),
            Verdict::Held => self.held.extend_from_slice(bytes),
            Verdict::Skipped => self.only_lines(bytes),
        }
    }

    fn only_lines(&mut self, bytes: &[u8]) {
        self.bytes.extend(memchr::memchr_iter(b'\n', bytes).map(|_| b'\n'));
    }

    fn decide(&mut self, verdict: Verdict) {
        if self.verdict != Verdict::Held || verdict == Verdict::Held {
            return;
        }
        self.verdict = verdict;
        let held = std::mem::take(&mut self.held);
        self.put(&held);
    }
}

/// Reads a text with what is replaced in it. Its errors are those of the text; `backup_corrupt` where it ends inside a statement that is
/// left out, which nobody behind it sees; `dump_refused` for a `SET` of `sql_mode` that is not understood, and for a statement of which it
/// cannot be told whose it is.
pub struct PrefixReader<'a, R> {
    inner: R,
    renaming: &'a Renaming,
    piece: Vec<u8>,
    /// As much is read ahead.
    ahead: usize,
    input: Vec<u8>,
    at: usize,
    ended: bool,
    state: State,
    output: Output,
    given: usize,
    names: Names,
    choice: Choice,
    delimiter: Vec<u8>,
    /// Something of a statement was seen.
    begun: bool,
    /// What was said to be left out.
    said: HashSet<String>,
    /// The last byte of the text that is not in a string or a name.
    before: u8,
    /// In a statement with others in it.
    in_body: bool,
    said_end: bool,
    /// Nothing of the text was seen.
    is_start: bool,
    /// The first word of a statement comes.
    asks: bool,
    /// What a `SET` says, without the marks of versioned comments.
    set: Option<Vec<u8>>,
    /// The statement stands in a comment that some servers do not read.
    for_some: bool,
    /// By its `sql_mode` quotes are read.
    session: Session,
    quoting: Quoting,
    /// Why it is not read on.
    failed: Option<String>,
    /// Names are looked for: the text may end anywhere.
    looks: bool,
}

impl<'a, R: Read> PrefixReader<'a, R> {
    /// Reads from `inner`.
    pub fn new(inner: R, renaming: &'a Renaming) -> PrefixReader<'a, R> {
        PrefixReader {
            inner,
            renaming,
            piece: vec![0; PIECE],
            ahead: PIECE,
            input: Vec::new(),
            at: 0,
            ended: false,
            state: State::Plain,
            output: Output { bytes: Vec::new(), held: Vec::new(), verdict: Verdict::Taken },
            given: 0,
            names: Names::new(renaming),
            choice: Choice::new(),
            delimiter: b";".to_vec(),
            begun: false,
            said: HashSet::new(),
            before: b' ',
            in_body: false,
            said_end: false,
            is_start: true,
            asks: true,
            set: None,
            for_some: false,
            session: Session::default(),
            quoting: Quoting::default(),
            failed: None,
            looks: false,
        }
    }

    /// Reads on until enough is there to look ahead, or nothing comes.
    fn fill(&mut self) -> io::Result<()> {
        self.input.drain(..self.at);
        self.at = 0;
        while !self.ended && self.input.len() < self.ahead {
            match self.inner.read(&mut self.piece) {
                Ok(0) => self.ended = true,
                Ok(count) => self.input.extend_from_slice(&self.piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn work(&mut self) {
        self.output.bytes.clear();
        self.given = 0;
        let end = if self.ended { self.input.len() } else { self.input.len().saturating_sub(2 * MAX_NAME) };
        if std::mem::take(&mut self.is_start) && self.input.starts_with(UTF8_MARK) {
            self.pass(UTF8_MARK.len());
        }
        while self.at < end && self.failed.is_none() {
            let rest = &self.input[self.at..];
            let taken = match self.state {
                State::Plain => {
                    self.plain();
                    continue;
                }
                State::Name(quote) => {
                    if rest[0] == quote {
                        self.state = State::Plain;
                    }
                    1
                }
                State::Line => {
                    let end = memchr::memchr(b'\n', rest);
                    self.state = if end.is_some() { State::Plain } else { State::Line };
                    end.map_or(rest.len(), |end| end + 1)
                }
                State::Block => match memchr::memmem::find(rest, b"*/") {
                    Some(end) => {
                        self.state = State::Plain;
                        end + 2
                    }
                    // The first half of the mark may be the last byte there is.
                    None if self.ended => rest.len(),
                    None => rest.len() - 1,
                },
                State::String(quote) => {
                    let stop = if escapes(quote, self.quoting) {
                        memchr::memchr2(quote, b'\\', rest)
                    } else {
                        memchr::memchr(quote, rest)
                    };
                    let plain = stop.unwrap_or(rest.len());
                    match rest.get(plain) {
                        // What it escapes has not come yet.
                        Some(b'\\') if plain + 1 == rest.len() && !self.ended => plain,
                        Some(b'\\') => (plain + 2).min(rest.len()),
                        Some(_) => {
                            // A doubled quote begins the next string at once, and it is the same one.
                            self.state = State::Plain;
                            self.before = quote;
                            plain + 1
                        }
                        None => plain,
                    }
                }
            };
            self.take(taken);
        }
        if self.ended && self.at == self.input.len() {
            self.output.decide(self.choice.end(self.renaming));
        }
    }

    /// The next bytes come through as they are.
    fn take(&mut self, count: usize) {
        if let Some(set) = self.set.as_mut().filter(|set| set.len() <= MAX_HELD) {
            set.extend_from_slice(&self.input[self.at..self.at + count]);
        }
        self.pass(count);
    }

    /// The same for what is none of a statement's own.
    fn pass(&mut self, count: usize) {
        self.output.put(&self.input[self.at..self.at + count]);
        self.at += count;
        if self.output.held.len() <= MAX_HELD {
            return;
        }
        if self.choice.is_open() {
            self.refuse(&format!("a statement of which the first {MAX_HELD} bytes do not tell whose it is"));
        }
        self.output.decide(self.choice.end(self.renaming));
    }

    /// Follows a `SET` that ends, as whoever reads the dump behind this does.
    fn follow(&mut self) {
        let (set, for_some) = (self.set.take(), std::mem::take(&mut self.for_some));
        self.asks = true;
        let Some(set) = set.filter(|_| !self.in_body) else { return };
        let names_mode = || memchr::memmem::find(&set.to_ascii_lowercase(), b"sql_mode").is_some();
        let done = if set.len() > MAX_HELD { Err("that much text".to_owned()) } else { self.session.apply(&set) };
        let quoting = self.session.quoting();
        let changed = quoting != std::mem::replace(&mut self.quoting, quoting);
        match done {
            _ if for_some && changed => self.refuse("SET of an sql_mode for some servers alone"),
            Err(why) if names_mode() => self.refuse(&format!("SET with {why}")),
            // What else is not understood is refused when it is loaded.
            _ => {}
        }
    }

    fn refuse(&mut self, why: &str) {
        self.failed.get_or_insert_with(|| why.to_owned());
    }

    /// The next piece of plain text: a word, a name, or one byte; what it begins.
    fn plain(&mut self) {
        if let Some(mark) = self.renaming.mark
            && self.at_mark(mark.as_bytes())
        {
            return;
        }
        let rest = &self.input[self.at..];
        let byte = rest[0];
        if rest.starts_with(&self.delimiter) {
            return self.end();
        }
        match byte {
            b'#' => return self.comment(),
            b'-' if starts_line_comment(rest) => return self.comment(),
            // The switch to the sandbox of a client is one, too.
            b'/' if rest.starts_with(b"/*M!999999")
                || rest.starts_with(b"/*") && !rest.starts_with(b"/*!") && !rest.starts_with(b"/*M!") =>
            {
                self.state = State::Block;
                self.before = b' ';
                return self.take(2);
            }
            b'/' => {
                self.for_some |= version_mark(rest).is_some_and(|(_, mariadb, at)| !is_read_everywhere(mariadb, at))
            }
            _ if byte.is_ascii_whitespace() => {
                self.before = byte;
                return self.take(1);
            }
            _ => {}
        }
        if !self.begun {
            if self.is_delimiter_command() {
                return;
            }
            self.begun = true;
            if self.renaming.chooses() {
                self.output.verdict = Verdict::Held;
            }
        }
        match byte {
            b'"' if self.quoting.ansi_quotes => self.quoted_name(byte),
            b'\'' | b'"' => self.string(byte),
            b'`' => self.quoted_name(byte),
            _ if is_word(byte) => self.word(),
            _ => {
                self.names.sign(byte);
                self.before = byte;
                // Of versioned comments.
                if b"/*!".contains(&byte) { self.pass(1) } else { self.take(1) }
            }
        }
    }

    /// At the end of a statement.
    fn end(&mut self) {
        self.output.decide(self.choice.end(self.renaming));
        self.pass(self.delimiter.len());
        self.between();
        self.before = b' ';
    }

    /// Between two statements.
    fn between(&mut self) {
        self.follow();
        self.names.end();
        self.choice.begin();
        self.begun = false;
        self.output.verdict = Verdict::Taken;
    }

    /// What the words so far say of the statement in hand.
    fn decide(&mut self, verdict: Verdict) {
        if self.output.verdict != Verdict::Held {
            return;
        }
        self.output.decide(verdict);
        if let (Verdict::Skipped, Some(said)) = (verdict, self.choice.said.take())
            && self.said.len() < MAX_SAID
            && !self.said.contains(&said)
        {
            // A name is what it likes, and this is a comment.
            let plain: String =
                said.chars().map(|letter| if "*/\n".contains(letter) { '?' } else { letter }).take(MAX_NAME).collect();
            self.output.bytes.extend_from_slice(format!("/* {LEFT_OUT} {plain} */").as_bytes());
            self.said.insert(said);
        }
    }

    /// The client's command for another delimiter, up to the end of its line.
    fn is_delimiter_command(&mut self) -> bool {
        let rest = &self.input[self.at..];
        let line = &rest[..rest.len().min(MAX_NAME)];
        let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
        let Some((word, new)) = line.split_at_checked(9) else { return false };
        let is_one = word.eq_ignore_ascii_case(b"DELIMITER") && new.first().is_some_and(u8::is_ascii_whitespace);
        let new = new.trim_ascii();
        if !is_one || new.is_empty() || new.len() > MAX_DELIMITER {
            return false;
        }
        self.delimiter = new.to_vec();
        self.take(line.len());
        true
    }

    /// At the beginning of a comment to the end of the line. It may name the database.
    fn comment(&mut self) {
        const DATABASE: &[u8] = b"Database:";
        let rest = &self.input[self.at..];
        let line = &rest[..rest.len().min(MAX_NAME)];
        let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
        self.state = State::Line;
        if let (Some(at), false) = (memchr::memmem::find(line, DATABASE), self.begun) {
            let quotes = |byte: &u8| b"`'\" \t\r".contains(byte);
            let name = &line[at + DATABASE.len()..];
            let from = name.iter().position(|byte| !quotes(byte)).unwrap_or(name.len());
            let to = name.iter().rposition(|byte| !quotes(byte)).map_or(from, |last| last + 1);
            let name = &name[from..to];
            self.names.schema(name);
            // Names in that one are not this one's.
            if self.renaming.schema.as_ref().is_some_and(|schema| schema.as_bytes() != name) {
                self.at += line.len();
                return;
            }
        }
        self.take(1);
    }

    fn string(&mut self, quote: u8) {
        let goes_on = self.before == quote;
        self.state = State::String(quote);
        self.take(1);
        self.decide(self.choice.text(self.renaming));
        if goes_on {
            return;
        }
        if let Some((skip, with)) = self.names.text(self.renaming, &self.input[self.at..], quote) {
            self.output.put(with.as_bytes());
            self.at += skip;
        }
    }

    /// At the beginning of a name in quotes.
    fn quoted_name(&mut self, quote: u8) {
        let rest = &self.input[self.at..];
        let rest = &rest[..rest.len().min(2 * MAX_NAME)];
        let mut end = 1;
        loop {
            match memchr::memchr(quote, &rest[end.min(rest.len())..]) {
                Some(found) if rest.get(end + found + 1) == Some(&quote) => end += found + 2,
                Some(found) if end + found + 1 < rest.len() || self.ended => {
                    end += found;
                    break;
                }
                _ => {
                    self.state = State::Name(quote);
                    return self.take(1);
                }
            }
        }
        let (name, next) = (&rest[1..end], rest.get(end + 1).copied());
        let skip = self.names.name(self.renaming, name, next);
        let verdict = match self.output.verdict {
            Verdict::Held => self.choice.name(self.renaming, name, next),
            decided => decided,
        };
        self.take(1);
        if let Some(skip) = skip {
            self.output.put(self.renaming.to.as_bytes());
            self.at += skip;
        }
        self.take(end - skip.unwrap_or(0));
        // Behind a string this sign would go on with it.
        self.before = b'`';
        self.decide(verdict);
    }

    /// At the beginning of a word, or in the middle of one that is longer than any.
    fn word(&mut self) {
        let rest = &self.input[self.at..];
        let length = rest.iter().take(MAX_NAME).take_while(|byte| is_word(**byte)).count();
        let (word, next) = (&rest[..length], rest.get(length).copied());
        // Of `/*!50003SET` the number is the comment's.
        let digits = word.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        if self.before == b'!' && digits >= 5 {
            self.before = b' ';
            return self.pass(digits);
        }
        let before = std::mem::replace(&mut self.before, word[length - 1]);
        // The version of a comment is no word of the statement in it.
        let is_version = word.iter().all(u8::is_ascii_digit) || word == b"M" && next == Some(b'!');
        let begins = !is_version && std::mem::take(&mut self.asks);
        if begins && word.eq_ignore_ascii_case(b"SET") {
            self.set = Some(Vec::new());
        }
        if is_version && word == b"M" {
            return self.pass(length);
        }
        if is_word(before) || is_version {
            return self.take(length);
        }
        if self.renaming.bare_hex && word == b"0x" && (b",(".contains(&before) || before.is_ascii_whitespace()) {
            self.output.put(b"''");
            self.at += length;
            self.before = b' ';
            return;
        }
        let skip = self.names.word(self.renaming, word, (before, next));
        let verdict = match self.output.verdict {
            Verdict::Held => self.choice.word(self.renaming, word, next),
            decided => decided,
        };
        if let Some(skip) = skip {
            self.output.put(self.renaming.to.as_bytes());
            self.at += skip;
        }
        self.take(length - skip.unwrap_or(0));
        self.decide(verdict);
    }

    /// At the mark between two statements, or at the semicolon before it: takes it away, and puts what belongs there.
    fn at_mark(&mut self, mark: &[u8]) -> bool {
        // As far as is always there to be looked at, however the bytes arrive.
        let rest = &self.input[self.at..];
        let is_end = self.ended && rest.len() <= MAX_NAME;
        let rest = &rest[..rest.len().min(MAX_NAME)];
        if let Some(next) = rest.strip_prefix(mark) {
            let begins = next.trim_ascii_start();
            let is_body =
                BODIES.iter().any(|body| begins.get(..body.len()).is_some_and(|at| at.eq_ignore_ascii_case(body)));
            self.output.put(if std::mem::take(&mut self.in_body) { BEHIND_BODY } else { b"\n" });
            if is_body {
                self.output.put(BEFORE_BODY);
            }
            self.in_body = is_body;
            self.at += mark.len();
            self.before = b' ';
            self.between();
            return true;
        }
        let ends = |next: &[u8]| next.starts_with(mark) || (is_end && next.is_empty());
        let is_last = self.in_body && rest[0] == b';' && ends(rest[1..].trim_ascii_start());
        self.at += usize::from(is_last);
        is_last
    }
}

impl<R: Read> Read for PrefixReader<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.bytes.len() {
            if let Some(why) = &self.failed {
                return Err(io::Error::other(Error::new(Code::DumpRefused, format!("the dump holds {why}"))));
            }
            if self.ended && self.at == self.input.len() {
                if self.begun && self.output.verdict == Verdict::Skipped && !self.looks {
                    let message = "the dump ends inside a statement that is left out";
                    return Err(io::Error::other(Error::new(Code::BackupCorrupt, message)));
                }
                let last = if std::mem::take(&mut self.in_body) {
                    BEHIND_BODY
                } else if self.renaming.is_whole && !std::mem::replace(&mut self.said_end, true) {
                    END
                } else {
                    return Ok(0);
                };
                (self.output.bytes, self.given) = (last.to_vec(), 0);
                break;
            }
            self.fill()?;
            self.work();
        }
        let count = (self.output.bytes.len() - self.given).min(into.len());
        into[..count].copy_from_slice(&self.output.bytes[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1);
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// The text, however its bytes arrive.
    fn read(text: &str, renaming: &Renaming) -> String {
        let (mut whole, mut slow) = (String::new(), String::new());
        PrefixReader::new(text.as_bytes(), renaming).read_to_string(&mut whole).unwrap();
        // Each byte is the last one there is, once.
        let slowly = PrefixReader::new(Slowly(text.as_bytes()), renaming);
        PrefixReader { ahead: 2 * MAX_NAME + 1, ..slowly }.read_to_string(&mut slow).unwrap();
        assert_eq!(whole, slow);
        whole
    }

    fn renamed(text: &str) -> String {
        let renaming = Renaming {
            from: Some("wp_".into()),
            placeholder: Some("MARK_".into()),
            is_data: true,
            to: "shop_".into(),
            bare_hex: true,
            ..Renaming::default()
        };
        read(text, &renaming)
    }

    #[test]
    fn names_and_data_that_is_a_name_are_renamed_and_no_other_text() {
        for (text, wanted) in [
            ("INSERT INTO `MARK_options` VALUES", "INSERT INTO `shop_options` VALUES"),
            ("REFERENCES `wp_a` (`x`)", "REFERENCES `shop_a` (`x`)"),
            ("(1,'MARK_user_roles','x')", "(1,'shop_user_roles','x')"),
            ("('MARK_ and text')", "('MARK_ and text')"),
            ("('wp_user_roles')", "('wp_user_roles')"),
            ("VALUES ('wp_user_roles')", "VALUES ('wp_user_roles')"),
            ("('it''s `MARK_x`', 'a\\'`MARK_y`')", "('it''s `MARK_x`', 'a\\'`MARK_y`')"),
            ("('\\\\',`wp_x`)", "('\\\\',`shop_x`)"),
            ("-- `MARK_x`\n`MARK_y`", "-- `MARK_x`\n`shop_y`"),
            ("/* 'a */ `MARK_y`", "/* 'a */ `shop_y`"),
            ("/*/ 'a */ `MARK_y`", "/*/ 'a */ `shop_y`"),
            ("# Bob's\n`MARK_y`", "# Bob's\n`shop_y`"),
            ("--\tBob's\n`MARK_y`", "--\tBob's\n`shop_y`"),
            ("(1--2,'`MARK_x`')", "(1--2,'`MARK_x`')"),
            ("('# it\\'s',`MARK_x`)", "('# it\\'s',`shop_x`)"),
            ("(0x,0x00,'0x',0x)", "('',0x00,'0x','')"),
            ("(10x,a0x)", "(10x,a0x)"),
            ("no end 'MARK_a", "no end 'MARK_a"),
            ("('a''MARK_b','MARK_c')", "('a''MARK_b','shop_c')"),
        ] {
            assert_eq!(renamed(text), wanted);
        }
    }

    #[test]
    fn the_prefix_is_data_in_the_option_of_the_roles_and_in_keys_of_user_meta_and_nowhere_else() {
        let insert = |table: &str, rows: &str| format!("INSERT INTO `{table}` VALUES {rows};\n");
        for (table, rows, wanted) in [
            (
                "options",
                "(1,'wp_user_roles','wp_user_roles','yes'),(2,'wp_mail_smtp','wp_block','no'),(3,'wp_page_for_privacy_policy','3','yes')",
                "(1,'shop_user_roles','wp_user_roles','yes'),(2,'wp_mail_smtp','wp_block','no'),(3,'wp_page_for_privacy_policy','3','yes')",
            ),
            ("2_options", "(1,'wp_2_user_roles','x','yes')", "(1,'shop_2_user_roles','x','yes')"),
            ("options", "(1,'wp_user_roles_old','x','yes')", "(1,'wp_user_roles_old','x','yes')"),
            (
                "usermeta",
                "(1,1,'wp_capabilities','wp_block'),(2,1,'wp_user-settings','x'),(3,1,'wp_2_user_level','1'),(4,1,'nickname','wp_x')",
                "(1,1,'shop_capabilities','wp_block'),(2,1,'shop_user-settings','x'),(3,1,'shop_2_user_level','1'),(4,1,'nickname','wp_x')",
            ),
            // What the site once had under the other prefix meant nothing on it.
            (
                "usermeta",
                "(1,1,'shop_capabilities','old'),(2,1,'wp_capabilities','new')",
                "(1,1,'wp_capabilities','old'),(2,1,'shop_capabilities','new')",
            ),
            // The same on every site: a plugin's own.
            ("usermeta", "(1,1,'wp_2fa_totp_key','x')", "(1,1,'wp_2fa_totp_key','x')"),
            ("usermeta", "(1,1,'shop_capabilities_old','x')", "(1,1,'shop_capabilities_old','x')"),
            ("posts", "(1,'wp_block','wp_template')", "(1,'wp_block','wp_template')"),
            ("postmeta", "(1,1,'wp_capabilities','x')", "(1,1,'wp_capabilities','x')"),
            ("x_options", "(1,'wp_user_roles','x','yes')", "(1,'wp_user_roles','x','yes')"),
            ("options", "(1,concat('wp_user_roles'),'x')", "(1,concat('wp_user_roles'),'x')"),
            ("options", "(1,_utf8mb4 'wp_user_roles',',(')", "(1,_utf8mb4 'shop_user_roles',',(')"),
        ] {
            let (text, wanted) = (insert(&format!("wp_{table}"), rows), insert(&format!("shop_{table}"), wanted));
            assert_eq!(renamed(&text), wanted);
        }
        for (text, wanted) in [
            // As the columns are named, or as the table has them.
            (
                "REPLACE INTO wp_options (`option_name`, option_value) VALUES\n('wp_user_roles','wp_user_roles')",
                "REPLACE INTO shop_options (`option_name`, option_value) VALUES\n('shop_user_roles','wp_user_roles')",
            ),
            (
                "CREATE TABLE `wp_options` (`option_id` int, `blog_id` int, `option_name` varchar(64), KEY `n` (`option_name`));\n\
                 INSERT INTO `wp_options` VALUES (1,0,'wp_user_roles','x');",
                "CREATE TABLE `shop_options` (`option_id` int, `blog_id` int, `option_name` varchar(64), KEY `n` (`option_name`));\n\
                 INSERT INTO `shop_options` VALUES (1,0,'shop_user_roles','x');",
            ),
            (
                "INSERT INTO `wp_options` SET `option_value`='wp_user_roles', `option_name`='wp_user_roles'",
                "INSERT INTO `shop_options` SET `option_value`='wp_user_roles', `option_name`='shop_user_roles'",
            ),
            (
                "INSERT INTO `db`.`wp_usermeta` VALUES (1,1,'wp_capabilities','x') ON DUPLICATE KEY UPDATE `meta_key`='wp_x'",
                "INSERT INTO `db`.`shop_usermeta` VALUES (1,1,'shop_capabilities','x') ON DUPLICATE KEY UPDATE `meta_key`='wp_x'",
            ),
            (
                "INSERT INTO `MARK_options` VALUES (1,'wp_user_roles','x')",
                "INSERT INTO `shop_options` VALUES (1,'shop_user_roles','x')",
            ),
        ] {
            assert_eq!(renamed(text), wanted);
        }
        let back = Renaming { from: Some("abc_".into()), to: "wp_".into(), ..Renaming::default() };
        let text = "INSERT INTO `abc_usermeta` VALUES (1,1,'wp_2fa_totp_key','x'),(2,1,'abc_plugin','x'),(3,1,'wp_2_capabilities','x'),(4,1,'abc_user_level','x');";
        assert_eq!(
            read(text, &back),
            "INSERT INTO `wp_usermeta` VALUES (1,1,'wp_2fa_totp_key','x'),(2,1,'wp_plugin','x'),(3,1,'abc_2_capabilities','x'),(4,1,'wp_user_level','x');"
        );
    }

    #[test]
    fn columns_and_schemas_keep_their_names_and_bodies_follow_their_tables() {
        for (text, wanted) in [
            (
                "CREATE TABLE `wp_a` (`wp_user_id` int, KEY `k` (`wp_user_id`), FOREIGN KEY (`wp_user_id`) REFERENCES `wp_b` (`id`));\n\
                 INSERT INTO `wp_a` (`wp_user_id`) VALUES (1) ON DUPLICATE KEY UPDATE `wp_user_id`=VALUES(`wp_user_id`);\n\
                 ALTER TABLE `wp_a` MODIFY `wp_user_id` int;",
                "CREATE TABLE `shop_a` (`wp_user_id` int, KEY `k` (`wp_user_id`), FOREIGN KEY (`wp_user_id`) REFERENCES `shop_b` (`id`));\n\
                 INSERT INTO `shop_a` (`wp_user_id`) VALUES (1) ON DUPLICATE KEY UPDATE `wp_user_id`=VALUES(`wp_user_id`);\n\
                 ALTER TABLE `shop_a` MODIFY `wp_user_id` int;",
            ),
            (
                "CREATE VIEW `wp_v` AS select `wp_a`.`wp_user_id` AS `wp_total` from `wp_a`",
                "CREATE VIEW `shop_v` AS select `shop_a`.`wp_user_id` AS `wp_total` from `shop_a`",
            ),
            (
                "-- Host: x    Database: wp_site\nUSE `wp_site`;\nCREATE VIEW `wp_v` AS select `wp_site`.`wp_a`.`x` from `wp_site`.`wp_a`",
                "-- Host: x    Database: wp_site\nUSE `wp_site`;\nCREATE VIEW `shop_v` AS select `wp_site`.`shop_a`.`x` from `wp_site`.`shop_a`",
            ),
            (
                "CREATE DEFINER=`u`@`h` TRIGGER `wp_t` AFTER INSERT ON `wp_a` FOR EACH ROW INSERT INTO wp_log(id) VALUES (NEW.id, 'wp_x', wp_f(1))",
                "CREATE DEFINER=`u`@`h` TRIGGER `shop_t` AFTER INSERT ON `shop_a` FOR EACH ROW INSERT INTO shop_log(id) VALUES (NEW.id, 'wp_x', shop_f(1))",
            ),
            (
                "CREATE PROCEDURE `wp_p`() UPDATE wp_a SET x = @wp_x",
                "CREATE PROCEDURE `shop_p`() UPDATE shop_a SET x = @wp_x",
            ),
        ] {
            let before = "CREATE TABLE `wp_z` (`wp_user_id` int);\n";
            let renamed = renamed(&format!("{before}{text}"));
            assert_eq!(renamed, format!("{}{wanted}", before.replace("wp_z", "shop_z")));
        }
        let other = Renaming { from: Some("row_".into()), to: "x_".into(), ..Renaming::default() };
        let text = "CREATE TABLE `row_a` (`x` int) row_format=DYNAMIC";
        assert_eq!(read(text, &other), text.replace("`row_a`", "`x_a`"), "a word of SQL is no table");
    }

    #[test]
    fn statements_of_other_databases_are_left_out_and_lines_stay() {
        let text = "SET NAMES utf8;\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ `a` /*!40100 x */;\nUSE `a`;\nDROP TABLE `t`;\nINSERT INTO `t` VALUES (1,'; USE `b`;');\n\
            SET @x = 1;\nSET GLOBAL y = 1;\nDELIMITER ;;\nCREATE TRIGGER `u` BEGIN\n SET @z = 1; USE b; END ;;\nDELIMITER ;\n\
            -- Current Database: `b`\nCREATE DATABASE `b`;\nUSE `b`;\nCREATE TABLE `t` (`x` int);\nINSERT INTO `a`.`t` VALUES (1);\nINSERT INTO `b`.`t` VALUES (2);\n\
            USE `a`;\n/*!50001 CREATE VIEW `v` AS select 1 */;\nUSE `b`;\n/*!50001 CREATE VIEW `v` AS select 2 */;\n-- Dump completed\n";
        let chosen = Renaming { schema: Some("b".into()), ..Renaming::default() };
        let taken = read(text, &chosen);
        assert_eq!(taken.lines().count(), text.lines().count());
        let said = |line: &str| !line.starts_with("/* left out") && !line.trim().is_empty();
        let left: Vec<&str> = taken.lines().filter(|line| said(line)).collect();
        assert_eq!(
            left,
            [
                "SET NAMES utf8;",
                "SET @x = 1;",
                "DELIMITER ;;",
                "DELIMITER ;",
                "-- Current Database: `b`",
                "USE `b`;",
                "CREATE TABLE `t` (`x` int);",
                "INSERT INTO `b`.`t` VALUES (2);",
                "USE `b`;",
                "/*!50001 CREATE VIEW `v` AS select 2 */;",
                "-- Dump completed",
            ]
        );
        assert!(taken.contains("/* left out by the restore: database a */"), "{taken}");
        let line = |text: &str| text.lines().position(|line| line.contains("VALUES (2)"));
        assert_eq!(line(&taken), line(text));
        assert_eq!(databases(text.as_bytes()).unwrap(), ["a", "b"]);
        assert!(databases(&b"CREATE TABLE `t` (`x` int); INSERT INTO t VALUES ('USE x;')"[..]).unwrap().is_empty());
        assert!(is_of_server("mysql") && !is_of_server("mysql2"));
    }

    #[test]
    fn tables_of_another_prefix_are_left_out_with_what_belongs_to_them() {
        let text = "CREATE TABLE `wp_a` (`x` int);\nCREATE TABLE IF NOT EXISTS `x_b` (\n`x` int);\nINSERT INTO `x_b` VALUES (1);\nINSERT INTO wp_a VALUES (2);\n\
            CREATE TRIGGER `one` AFTER INSERT ON `x_b` FOR EACH ROW SET @a = 1;\nCREATE TRIGGER `two` AFTER INSERT ON `wp_a` FOR EACH ROW SET @a = 1;\n\
            /*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`u`@`h` SQL SECURITY DEFINER */\n/*!50001 VIEW `x_v` AS select 1 */;\n\
            LOCK TABLES `x_b` WRITE;\nALTER TABLE `x_b` ADD KEY (`x`);\nDROP FUNCTION IF EXISTS `x_f`;\nCREATE FUNCTION `wp_f`() RETURNS int RETURN 1;\n";
        let only =
            Renaming { from: Some("wp_".into()), to: "x_".into(), only: Some("wp_".into()), ..Renaming::default() };
        let taken = read(text, &only);
        let said = |line: &str| !line.starts_with("/* left out") && !line.trim().is_empty();
        let left: Vec<&str> = taken.lines().filter(|line| said(line)).collect();
        assert_eq!(
            left,
            [
                "CREATE TABLE `x_a` (`x` int);",
                "INSERT INTO x_a VALUES (2);",
                "CREATE TRIGGER `two` AFTER INSERT ON `x_a` FOR EACH ROW SET @a = 1;",
                "LOCK TABLES `x_b` WRITE;",
                "CREATE FUNCTION `x_f`() RETURNS int RETURN 1;",
            ]
        );
        // Under ANSI_QUOTES whose they are is not read: none is taken for the site's.
        let ansi = read("CREATE TABLE \"x_b\" (wp_x int);\n", &only);
        assert_eq!(ansi, "\n");
        assert_eq!(taken.lines().count(), text.lines().count());
        for name in ["x_b", "x_v"] {
            assert!(taken.contains(&format!("/* left out by the restore: {name} */")), "{taken}");
        }
    }

    #[test]
    fn a_comment_may_reach_from_one_piece_into_the_next() {
        for around in [("-- ", "\n"), ("# ", "\n"), ("/*", "*/")] {
            for length in PIECE - 16..PIECE + 4 {
                let text = format!("{}{}Bob's{}`MARK_a` 'x'", around.0, "y".repeat(length), around.1);
                let renaming = Renaming { from: Some("MARK_".into()), to: "shop_".into(), ..Renaming::default() };
                let mut made = String::new();
                PrefixReader::new(text.as_bytes(), &renaming).read_to_string(&mut made).unwrap();
                assert_eq!(made, text.replace("`MARK_", "`shop_"), "{} {length}", around.0);
            }
        }
    }

    #[test]
    fn what_has_statements_in_it_gets_a_delimiter() {
        let renaming = Renaming {
            placeholder: Some("#__".into()),
            to: "shop_".into(),
            mark: Some("/**M**/"),
            ..Renaming::default()
        };
        let renamed = |text: &str| read(text, &renaming);
        let body =
            "CREATE TRIGGER `#__t` AFTER DELETE ON `#__a` FOR EACH ROW BEGIN\n SET @a = ';/**M**/'; SET @b = 1;\nEND";
        let made = body.replace("#__", "shop_");
        let text =
            format!("/**M**/INSERT INTO `#__a` VALUES ('/**M**/');\n/**M**/{body};\n/**M**/DROP TABLE `#__b`;\n");
        let wanted = format!(
            "\nINSERT INTO `shop_a` VALUES ('/**M**/');\n\nDELIMITER $$|$$\n{made}\n\n$$|$$\nDELIMITER ;\nDROP TABLE `shop_b`;\n"
        );
        assert_eq!(renamed(&text), wanted);
        for end in [";\n", ";", ""] {
            let last = renamed(&format!("/**M**/{body}{end}"));
            assert_eq!(
                last.replace("\n\n$", "\n$"),
                format!("\nDELIMITER $$|$$\n{made}\n$$|$$\nDELIMITER ;\n"),
                "{end:?}"
            );
        }
        assert_eq!(renamed("SELECT 1;"), "SELECT 1;");
        let whole = Renaming { is_whole: true, ..renaming.clone() };
        let mut text = String::new();
        PrefixReader::new(&b"SELECT 1;"[..], &whole).read_to_string(&mut text).unwrap();
        assert_eq!(text, "SELECT 1;\n-- Dump completed\n");
    }

    #[test]
    fn a_backslash_at_the_end_of_a_piece_escapes_what_comes_next() {
        let renaming = Renaming { from: Some("wp_".into()), to: "shop_".into(), ..Renaming::default() };
        let chosen = Renaming { schema: Some("b".into()), ..Renaming::default() };
        for length in PIECE - 40..PIECE + 4 {
            let filler = "y".repeat(length);
            for (text, behind) in [("\\';`wp_x` ", ""), ("\\\\", ",'`wp_x`'"), ("\\'\\\\\\'`wp_x`", "")] {
                let text = format!("SELECT '{filler}{text}'{behind},`wp_a`;\nUSE b;\nCREATE TABLE `t` (`x` int);\n");
                let mut made = String::new();
                PrefixReader::new(text.as_bytes(), &renaming).read_to_string(&mut made).unwrap();
                assert!(made == text.replace(",`wp_a", ",`shop_a"), "{length} {behind}");
                let others = format!("USE a; {}", text.replace("SELECT", "INSERT INTO x VALUES "));
                let mut made = String::new();
                PrefixReader::new(others.as_bytes(), &chosen).read_to_string(&mut made).unwrap();
                assert!(made.ends_with("\nUSE b;\nCREATE TABLE `t` (`x` int);\n") && !made.contains("wp_"), "{length}");
            }
        }
    }

    #[test]
    fn quotes_are_read_as_the_sql_mode_of_the_dump_says() {
        let chosen = Renaming { schema: Some("b".into()), ..Renaming::default() };
        let of = |head: &str, tail: &str| {
            format!(
                "USE a;\n/*!50003 SET @saved_sql_mode = @@sql_mode */ ;\n{head}\nDELIMITER ;;\nCREATE PROCEDURE `p`() SELECT 'C:\\' ;;\nDELIMITER ;\n\
                 /*!50003 SET sql_mode = @saved_sql_mode */ ;\nINSERT INTO `t` VALUES ('it\\'s');\nUSE `b`;\nCREATE TABLE `t` (`x` int);\n{tail}"
            )
        };
        for head in [
            "/*!50003 SET sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES' */ ;",
            "/*!50003SET sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES') */ ;",
            "SET /* x */ SESSION sql_mode = -- y\n'no_backslash_escapes';",
        ] {
            let text = of(head, "");
            assert_eq!(databases(text.as_bytes()).unwrap(), ["a", "b"]);
            let taken = read(&text, &chosen);
            assert!(taken.ends_with("USE `b`;\nCREATE TABLE `t` (`x` int);\n"), "{taken}");
            assert!(!taken.contains("PROCEDURE") && !taken.contains("INSERT"), "{taken}");
        }
        // Under ANSI_QUOTES names stand in them.
        let ansi = "SET sql_mode='ANSI';\nUSE \"a\";\nCREATE TABLE \"wp_x\" (\"x\" int);\nUSE \"b\";\nCREATE TABLE \"wp_a\"\"\" (\"x\" int);\n";
        assert_eq!(databases(ansi.as_bytes()).unwrap(), ["a", "b"]);
        let both = Renaming { from: Some("wp_".into()), to: "s_".into(), only: Some("wp_".into()), ..chosen.clone() };
        let taken = read(ansi, &both);
        assert!(taken.contains("CREATE TABLE \"s_a\"\"\" (\"x\" int);") && !taken.contains("_x"), "{taken}");
        for (head, why) in [
            ("SET sql_mode=(SELECT 1);", "SET with"),
            ("/*!80000 SET sql_mode='NO_BACKSLASH_ESCAPES' */;", "for some servers alone"),
        ] {
            let error = failure(&of(head, ""), &chosen);
            assert_eq!(error.code, Code::DumpRefused);
            assert!(error.message.contains(why), "{error:?}");
        }
    }

    fn failure(text: &str, renaming: &Renaming) -> Error {
        let error = io::copy(&mut PrefixReader::new(text.as_bytes(), renaming), &mut io::sink()).unwrap_err();
        error.downcast::<Error>().unwrap()
    }

    #[test]
    fn a_dump_that_ends_in_what_is_left_out_is_damaged() {
        let chosen = Renaming { schema: Some("b".into()), ..Renaming::default() };
        let prefix = Renaming { only: Some("wp_".into()), ..Renaming::default() };
        for (renaming, text) in [
            (&chosen, "USE b; CREATE TABLE t (x int); USE a; INSERT INTO t VALUES ('x"),
            (&chosen, "USE a; INSERT INTO t VALUES (1)"),
            (&prefix, "CREATE TABLE wp_a (x int); INSERT INTO x_a VALUES (1), (2"),
            (&prefix, "CREATE TABLE wp_a (x int); INSERT INTO `x_"),
        ] {
            assert_eq!(failure(text, renaming).code, Code::BackupCorrupt, "{text}");
            assert!(databases(text.as_bytes()).is_ok(), "the beginning of a dump tells, too");
        }
        for text in ["USE b; SELECT 1", "USE a; INSERT INTO t VALUES (1); ", "USE a; SELECT 1; -- x"] {
            read(text, &chosen);
        }
    }

    #[test]
    fn a_statement_is_taken_by_the_database_that_it_names_wherever_it_stands() {
        let chosen = Renaming { schema: Some("b".into()), ..Renaming::default() };
        let own = "INSERT INTO `b`.`t` VALUES (1);\nCREATE TABLE b.u (`x` int);\nCREATE TRIGGER `b`.`r` AFTER INSERT ON `b`.`t` FOR EACH ROW SET @a = 1;\n\
            DROP TABLE IF EXISTS `b`.`v`;\nREPLACE INTO b.t VALUES (2);\n";
        let taken = read(&format!("USE a;\nDROP USER x;\n{own}"), &chosen);
        assert!(taken.ends_with(own) && !taken.contains("DROP USER"), "{taken}");
        let others = own.replace("`b`.", "").replace("b.", "");
        let taken = read(&format!("USE a;\n{others}"), &chosen);
        assert!(!taken.contains("INTO") && !taken.contains("CREATE") && !taken.contains("DROP"), "{taken}");
    }

    #[test]
    fn whose_a_statement_is_stands_near_its_beginning() {
        let prefix = Renaming { only: Some("wp_".into()), ..Renaming::default() };
        let comment = format!("/* {} */", "y".repeat(MAX_HELD));
        for begins in ["CREATE", "CREATE TABLE", "INSERT INTO", "USE"] {
            let error = failure(&format!("{begins} {comment} wp_a (x int);"), &prefix);
            assert!(error.message.contains("do not tell whose it is"), "{error:?}");
        }
        assert_eq!(read("CREATE;\n", &prefix), "\n", "it names nothing of the site's");
    }

    #[test]
    fn the_mark_of_utf_8_is_no_part_of_the_first_word() {
        let chosen = Renaming { schema: Some("b".into()), ..Renaming::default() };
        let text = "\u{feff}USE a; INSERT INTO t VALUES (1); USE b; INSERT INTO t VALUES (2);";
        assert_eq!(databases(text.as_bytes()).unwrap(), ["a", "b"]);
        let taken = read(text, &chosen);
        assert!(taken.starts_with('\u{feff}') && !taken.contains("(1)") && taken.contains("(2)"), "{taken}");
    }

    #[test]
    fn long_texts_come_through_whole() {
        let text = format!("('{}',`MARK_a`)", "x\\'".repeat(100_000));
        assert_eq!(renamed(&text), text.replace("`MARK_", "`shop_"));
    }
}
