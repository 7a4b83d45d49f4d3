//! The text of a dump with another table prefix in it: in names between backticks, and in strings that are nothing but a name, which is
//! how WordPress keeps the prefix as data (`wp_user_roles`, `wp_capabilities`). Every other text stays, whatever it says. Pure.

use std::io::{self, Read};

/// Longest name that may follow a prefix in a string.
const MAX_NAME: usize = 256;
/// Input is read in pieces of this size.
const PIECE: usize = 64 << 10;
/// What begins a statement with others in it.
const BODIES: [&[u8]; 4] = [b"CREATE PROCEDURE ", b"CREATE FUNCTION ", b"CREATE TRIGGER ", b"CREATE EVENT "];
/// How a whole text ends.
const END: &[u8] = b"\n-- Dump completed\n";
/// Before such a statement, and behind it.
const BEFORE_BODY: &[u8] = b"DELIMITER $$|$$\n";
const BEHIND_BODY: &[u8] = b"\n$$|$$\nDELIMITER ;\n";

/// What is replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renaming {
    /// What names begin with.
    pub from: Vec<String>,
    /// The one of these that also stands as data, at the beginning of strings.
    pub data: Option<String>,
    /// What they begin with afterwards.
    pub to: String,
    /// An empty binary value is a bare `0x` there, which no server takes.
    pub bare_hex: bool,
    /// A comment that stands before every statement. Routines and triggers between two of them have semicolons of their own, and no
    /// `DELIMITER`: they get one.
    pub mark: Option<&'static str>,
    /// Something beside it says that the text is whole, and the text does not: it gets the comment with which whole ones end.
    pub is_whole: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    String(u8),
    Name,
    /// A comment to the end of the line.
    Line,
    /// A comment to its end mark.
    Block,
}

/// Reads a text with what is replaced in it.
pub struct PrefixReader<'a, R> {
    inner: R,
    renaming: &'a Renaming,
    piece: Vec<u8>,
    input: Vec<u8>,
    at: usize,
    ended: bool,
    state: State,
    output: Vec<u8>,
    given: usize,
    /// The last byte of the text that is not in a string or a name.
    before: u8,
    /// In a statement with others in it.
    in_body: bool,
    said_end: bool,
}

impl<'a, R: Read> PrefixReader<'a, R> {
    /// Reads from `inner`.
    pub fn new(inner: R, renaming: &'a Renaming) -> PrefixReader<'a, R> {
        PrefixReader {
            inner,
            renaming,
            piece: vec![0; PIECE],
            input: Vec::new(),
            at: 0,
            ended: false,
            state: State::Plain,
            output: Vec::new(),
            given: 0,
            before: b' ',
            in_body: false,
            said_end: false,
        }
    }

    /// Reads on until enough is there to look ahead, or nothing comes.
    fn fill(&mut self) -> io::Result<()> {
        self.input.drain(..self.at);
        self.at = 0;
        while !self.ended && self.input.len() < PIECE {
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
        self.output.clear();
        self.given = 0;
        let end = if self.ended { self.input.len() } else { self.input.len().saturating_sub(2 * MAX_NAME) };
        while self.at < end {
            let rest = &self.input[self.at..];
            let taken = match self.state {
                State::Plain => self.plain(),
                State::Name => {
                    if rest[0] == b'`' {
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
                    let plain = rest.iter().position(|byte| *byte == quote || *byte == b'\\').unwrap_or(rest.len());
                    match rest.get(plain) {
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
            self.output.extend_from_slice(&self.input[self.at..self.at + taken]);
            self.at += taken;
            if let Some((skip, with)) = self.replaced() {
                self.output.extend_from_slice(with.as_bytes());
                self.at += skip;
            }
        }
    }

    /// One byte of plain text; what it begins.
    fn plain(&mut self) -> usize {
        let rest = &self.input[self.at..];
        let byte = rest[0];
        if let Some(mark) = self.renaming.mark
            && self.at_mark(mark.as_bytes())
        {
            return 0;
        }
        let rest = &self.input[self.at..];
        match byte {
            b'\'' | b'"' => self.state = State::String(byte),
            b'`' => self.state = State::Name,
            b'#' => self.state = State::Line,
            b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
                self.state = State::Line;
            }
            b'/' if rest.starts_with(b"/*") && !rest.starts_with(b"/*!") && !rest.starts_with(b"/*M!") => {
                self.state = State::Block;
                self.before = b' ';
                return 2;
            }
            b'x' if self.renaming.bare_hex && self.before == b'0' && self.output.ends_with(b"0") => {
                let alone = !rest.get(1).is_some_and(u8::is_ascii_alphanumeric);
                let begins = self.output.len() < 2 || matches!(self.output[self.output.len() - 2], b',' | b'(' | b' ');
                if alone && begins {
                    self.output.pop();
                    self.output.extend_from_slice(b"''");
                    self.at += 1;
                    self.before = b'\'';
                    return 0;
                }
            }
            _ => {}
        }
        self.before = byte;
        1
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
            self.output.extend_from_slice(if std::mem::take(&mut self.in_body) { BEHIND_BODY } else { b"\n" });
            if is_body {
                self.output.extend_from_slice(BEFORE_BODY);
            }
            self.in_body = is_body;
            self.at += mark.len();
            self.before = b' ';
            return true;
        }
        let ends = |next: &[u8]| next.starts_with(mark) || (is_end && next.is_empty());
        let is_last = self.in_body && rest[0] == b';' && ends(rest[1..].trim_ascii_start());
        self.at += usize::from(is_last);
        is_last
    }

    /// At the beginning of a string or a name: how many bytes another text takes the place of.
    fn replaced(&self) -> Option<(usize, &'a str)> {
        let rest = self.input.get(self.at..)?;
        let last = self.output.last().copied();
        match self.state {
            State::Name if last == Some(b'`') => {
                let from = self.renaming.from.iter().find(|from| rest.starts_with(from.as_bytes()))?;
                Some((from.len(), self.renaming.to.as_str()))
            }
            State::String(quote) if last == Some(quote) => {
                let from = self.renaming.data.as_ref().filter(|from| rest.starts_with(from.as_bytes()))?;
                let name = &rest[from.len()..];
                let end = name
                    .iter()
                    .take(MAX_NAME)
                    .position(|byte| !(byte.is_ascii_alphanumeric() || b"_-".contains(byte)))?;
                (end > 0 && name[end] == quote).then_some((from.len(), self.renaming.to.as_str()))
            }
            _ => None,
        }
    }
}

impl<R: Read> Read for PrefixReader<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.output.len() {
            if self.ended && self.at == self.input.len() {
                let last = if std::mem::take(&mut self.in_body) {
                    BEHIND_BODY
                } else if self.renaming.is_whole && !std::mem::replace(&mut self.said_end, true) {
                    END
                } else {
                    return Ok(0);
                };
                (self.output, self.given) = (last.to_vec(), 0);
                break;
            }
            self.fill()?;
            self.work();
        }
        let count = (self.output.len() - self.given).min(into.len());
        into[..count].copy_from_slice(&self.output[self.given..self.given + count]);
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

    fn renamed(text: &str) -> String {
        let renaming = Renaming {
            from: vec!["MARK_".into(), "wp_".into()],
            data: Some("MARK_".into()),
            to: "shop_".into(),
            bare_hex: true,
            mark: None,
            is_whole: false,
        };
        let (mut whole, mut slow) = (String::new(), String::new());
        PrefixReader::new(text.as_bytes(), &renaming).read_to_string(&mut whole).unwrap();
        PrefixReader::new(Slowly(text.as_bytes()), &renaming).read_to_string(&mut slow).unwrap();
        assert_eq!(whole, slow);
        whole
    }

    #[test]
    fn names_and_data_that_is_a_name_are_renamed_and_no_other_text() {
        for (text, wanted) in [
            ("INSERT INTO `MARK_options` VALUES", "INSERT INTO `shop_options` VALUES"),
            ("REFERENCES `wp_a` (`x`)", "REFERENCES `shop_a` (`x`)"),
            ("(1,'MARK_user_roles','x')", "(1,'shop_user_roles','x')"),
            ("('MARK_ and text')", "('MARK_ and text')"),
            ("('wp_user_roles')", "('wp_user_roles')"),
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
        ] {
            assert_eq!(renamed(text), wanted);
        }
    }

    #[test]
    fn a_comment_may_reach_from_one_piece_into_the_next() {
        for around in [("-- ", "\n"), ("# ", "\n"), ("/*", "*/")] {
            for length in PIECE - 16..PIECE + 4 {
                let text = format!("{}{}Bob's{}`MARK_a` 'x'", around.0, "y".repeat(length), around.1);
                let renaming = Renaming { from: vec!["MARK_".into()], to: "shop_".into(), ..Renaming::default() };
                let mut made = String::new();
                PrefixReader::new(text.as_bytes(), &renaming).read_to_string(&mut made).unwrap();
                assert_eq!(made, text.replace("`MARK_", "`shop_"), "{} {length}", around.0);
            }
        }
    }

    #[test]
    fn what_has_statements_in_it_gets_a_delimiter() {
        let renaming =
            Renaming { from: vec!["#__".into()], to: "shop_".into(), mark: Some("/**M**/"), ..Renaming::default() };
        let renamed = |text: &str| {
            let (mut whole, mut slow) = (String::new(), String::new());
            PrefixReader::new(text.as_bytes(), &renaming).read_to_string(&mut whole).unwrap();
            PrefixReader::new(Slowly(text.as_bytes()), &renaming).read_to_string(&mut slow).unwrap();
            assert_eq!(whole, slow);
            whole
        };
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
    fn long_texts_come_through_whole() {
        let text = format!("('{}',`MARK_a`)", "x\\'".repeat(100_000));
        assert_eq!(renamed(&text), text.replace("`MARK_", "`shop_"));
    }
}
