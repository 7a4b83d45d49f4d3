//! The digest of a table's rows, the same from whoever has them: a dump as literals, or a server as the text of its columns. Pure.

use crate::sql::rows::unquote;
use crate::sql::table::TableText;
use crate::sql::token::Quoting;
use std::fmt;
use xxhash_rust::xxh3::xxh3_128_with_secret;

/// What only this comparison knows: whoever writes rows could make others of the same digest otherwise.
#[derive(Clone)]
pub struct Key([u8; Key::BYTES]);

impl Key {
    /// Bytes of a key, that XXH3 takes whole.
    pub const BYTES: usize = 192;

    /// A key of random bytes.
    pub const fn new(bytes: [u8; Key::BYTES]) -> Key {
        Key(bytes)
    }

    /// The hash of some bytes.
    pub fn hash(&self, bytes: &[u8]) -> u128 {
        xxh3_128_with_secret(bytes, &self.0)
    }
}

/// Rows in whatever order: how many they are, and the sum of their hashes (XXH3 with a key, 128 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowsDigest {
    /// Number of rows.
    pub rows: u64,
    sum: u128,
}

impl RowsDigest {
    /// Adds a row.
    pub fn add(&mut self, row: &Row, key: &Key) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(key.hash(&row.bytes));
    }
}

impl fmt::Display for RowsDigest {
    /// 32 hexadecimal digits.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.sum)
    }
}

/// The values of one row: each with its length before it, so that no two rows are the same bytes.
#[derive(Debug, Default)]
pub struct Row {
    bytes: Vec<u8>,
}

/// Before a value that is NULL, and before one that is not.
const NULL: u8 = 0;
const VALUE: u8 = 1;
const LENGTH: usize = size_of::<u64>();

impl Row {
    /// Begins another row.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// NULL.
    pub fn null(&mut self) {
        self.bytes.push(NULL);
    }

    /// A value as a server sends it as text.
    pub fn value(&mut self, value: &[u8]) {
        let begin = self.open();
        self.bytes.extend_from_slice(value);
        self.close(begin);
    }

    /// A value by its place from 0; `None` for NULL.
    pub fn nth(&self, place: usize) -> Option<&[u8]> {
        self.values().nth(place).flatten()
    }

    /// The values in their order, each `None` for NULL.
    pub fn values(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let (kind, after) = rest.split_first()?;
            rest = after;
            if *kind == NULL {
                return Some(None);
            }
            let (length, after) = rest.split_first_chunk::<LENGTH>()?;
            let (value, after) = after.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            rest = after;
            Some(Some(value))
        })
    }

    fn open(&mut self) -> usize {
        self.bytes.push(VALUE);
        self.bytes.extend_from_slice(&[0; LENGTH]);
        self.bytes.len()
    }

    fn close(&mut self, begin: usize) {
        let length = (self.bytes.len() - begin) as u64;
        self.bytes[begin - LENGTH..begin].copy_from_slice(&length.to_le_bytes());
    }
}

/// What literals mean a value whose text the server sends back as it stands in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Numbers, also in quotes.
    Numbers,
    /// Strings: a bare `007` would be 7.
    Text,
    /// Strings, also with `_binary`, and hexadecimal digits.
    Bytes,
    /// Whatever is written, by those who compare nothing.
    Any,
}

impl Takes {
    fn are_bytes(self) -> bool {
        matches!(self, Takes::Bytes | Takes::Any)
    }

    /// By the type of a column; `None` for one whose values a server does not send as they are written.
    fn of(kind: &str) -> Option<Takes> {
        Some(match kind {
            // Of a FLOAT the server sends six digits, whatever it holds.
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "double" | "year" => Takes::Numbers,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set" | "json" | "date"
            | "datetime" | "timestamp" | "time" | "uuid" | "inet4" | "inet6" => Takes::Text,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "bit" | "geometry" | "point"
            | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon" | "geometrycollection" => {
                Takes::Bytes
            }
            _ => return None,
        })
    }
}

/// How far the bytes of a dump's text are those that a server sends as `utf8mb4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// All of them; also where neither side converts anything.
    All,
    /// Those below this byte: beyond it the dump means other letters, or such as its character set has not got.
    Below(u8),
}

impl Letters {
    /// By the character set of the dump's session, and the one in which the server is asked.
    pub fn of(charset: Option<&str>) -> (Letters, &'static str) {
        match charset {
            None | Some("utf8mb4") => (Letters::All, "utf8mb4"),
            Some("binary") => (Letters::All, "binary"),
            // Four bytes begin with 0xF0 at least.
            Some("utf8" | "utf8mb3") => (Letters::Below(0xF0), "utf8mb4"),
            Some(_) => (Letters::Below(0x80), "utf8mb4"),
        }
    }

    fn are_good(self, text: &[u8]) -> bool {
        match self {
            Letters::All => true,
            Letters::Below(limit) => text.iter().all(|byte| *byte < limit),
        }
    }
}

/// The columns that rows of a dump fill, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Names.
    pub names: Vec<String>,
    takes: Vec<Takes>,
    /// Which letters of text may be compared.
    pub letters: Letters,
}

impl Filled {
    /// The columns of a table that an `INSERT` with these names, or with none, fills. `None` where they are not all that the table
    /// stores, or where the values of one cannot be compared.
    pub fn of(table: &TableText, named: Option<&[String]>, letters: Letters) -> Option<Filled> {
        Filled::taking(table, named, letters, Takes::of)
    }

    /// The same for those who compare what a server sends, and not what it holds: of a FLOAT both are six digits.
    pub fn as_sent(table: &TableText, named: Option<&[String]>, letters: Letters) -> Option<Filled> {
        let takes = |kind: &str| if kind == "float" { Some(Takes::Numbers) } else { Takes::of(kind) };
        Filled::taking(table, named, letters, takes)
    }

    fn taking(
        table: &TableText,
        named: Option<&[String]>,
        letters: Letters,
        takes: impl Fn(&str) -> Option<Takes>,
    ) -> Option<Filled> {
        let columns: Vec<_> = match named {
            None if table.columns.iter().any(|column| column.invisible) => return None,
            None => table.columns.iter().collect(),
            Some(names) => {
                let find = |name: &String| table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
                names.iter().map(find).collect::<Option<_>>()?
            }
        };
        let times = |name: &str| columns.iter().filter(|column| column.name == name).count();
        // What a column that is computed is said to hold may be said or not; the server sends it like any other.
        let whole = table.columns.iter().all(|column| match times(&column.name) {
            0 => column.computed,
            times => times == 1,
        });
        if columns.is_empty() || !whole {
            return None;
        }
        Some(Filled {
            names: columns.iter().map(|column| column.name.clone()).collect(),
            takes: columns.iter().map(|column| takes(&column.kind)).collect::<Option<_>>()?,
            letters,
        })
    }

    /// The columns that an `INSERT` fills, for those who only look at what is written.
    pub fn as_written(table: &TableText, named: Option<&[String]>) -> Filled {
        let all = || table.columns.iter().map(|column| column.name.clone()).collect();
        let names: Vec<String> = named.map_or_else(all, <[String]>::to_vec);
        Filled { takes: vec![Takes::Any; names.len()], names, letters: Letters::All }
    }

    /// Gives each of the rows `(…),(…)` to `each`, until that has seen enough (false). False too where a value is written in a way that
    /// cannot be compared.
    pub fn rows(&self, text: &[u8], quoting: Quoting, each: &mut dyn FnMut(&Row) -> bool) -> bool {
        let mut reader = Reader { text, at: 0, quoting, letters: self.letters };
        let mut row = Row::default();
        loop {
            reader.blanks();
            if reader.at == text.len() {
                return true;
            }
            row.clear();
            if !reader.sign(b'(') || self.row(&mut reader, &mut row).is_none() || !each(&row) {
                return false;
            }
            reader.blanks();
            if reader.at < text.len() && !reader.sign(b',') {
                return false;
            }
        }
    }

    fn row(&self, reader: &mut Reader<'_>, row: &mut Row) -> Option<()> {
        for (place, takes) in self.takes.iter().enumerate() {
            reader.blanks();
            reader.value(*takes, row)?;
            reader.blanks();
            let last = place + 1 == self.takes.len();
            if !reader.sign(if last { b')' } else { b',' }) {
                return None;
            }
        }
        Some(())
    }
}

/// Whether this is one number: a sign, digits with a point, an exponent.
fn is_number(text: &[u8]) -> bool {
    let unsigned = |text: &[u8]| text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text).len();
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = &text[text.len() - unsigned(text)..];
    let exponent = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e'));
    let (number, exponent) = text.split_at(exponent.unwrap_or(text.len()));
    let is_power = exponent.split_first().is_none_or(|(_, power)| digits(&power[power.len() - unsigned(power)..]));
    let mut parts = number.splitn(2, |byte| *byte == b'.');
    let (whole, part) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    is_power && digits(&[whole, part].concat())
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    quoting: Quoting,
    letters: Letters,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn sign(&mut self, sign: u8) -> bool {
        let is = self.text.get(self.at) == Some(&sign);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let is = self.text[self.at..].get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word));
        self.at += if is { word.len() } else { 0 };
        is
    }

    fn value(&mut self, takes: Takes, row: &mut Row) -> Option<()> {
        match *self.text.get(self.at)? {
            quote @ (b'\'' | b'"') => {
                let begin = row.bytes.len();
                self.string(quote, row)?;
                (takes.are_bytes() || self.letters.are_good(&row.bytes[begin + 1 + LENGTH..])).then_some(())
            }
            b'n' | b'N' if self.word(b"NULL") => {
                row.null();
                Some(())
            }
            b'0' if takes.are_bytes() && self.word(b"0x") => self.hexadecimal(row),
            b'x' | b'X' if takes.are_bytes() && self.word(b"x'") => {
                self.hexadecimal(row)?;
                self.sign(b'\'').then_some(())
            }
            b'_' if takes.are_bytes() && self.word(b"_binary") => {
                self.blanks();
                let quote = *self.text.get(self.at)?;
                matches!(quote, b'\'' | b'"').then_some(())?;
                self.string(quote, row)
            }
            _ if matches!(takes, Takes::Numbers | Takes::Any) => {
                let rest = &self.text[self.at..];
                let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = rest.iter().take_while(|byte| is_of_number(byte)).count();
                let number = &rest[..length];
                // `1+1` is 2 to a server.
                let is_one = if takes == Takes::Any { !number.is_empty() } else { is_number(number) };
                row.value(Some(number).filter(|_| is_one)?);
                self.at += length;
                Some(())
            }
            _ => None,
        }
    }

    fn hexadecimal(&mut self, row: &mut Row) -> Option<()> {
        let begin = row.open();
        let length = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (pairs, odd) = self.text[self.at..self.at + length].as_chunks::<2>();
        odd.is_empty().then_some(())?;
        for [high, low] in pairs {
            row.bytes.push(digit(*high)? << 4 | digit(*low)?);
        }
        self.at += length;
        row.close(begin);
        Some(())
    }

    fn string(&mut self, quote: u8, row: &mut Row) -> Option<()> {
        if quote == b'"' && self.quoting.ansi_quotes {
            return None;
        }
        let begin = row.open();
        self.at = unquote(self.text, self.at, self.quoting, &mut row.bytes)?;
        row.close(begin);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "CREATE TABLE `t` (`id` int(11) NOT NULL, `name` varchar(9), `body` blob, PRIMARY KEY (`id`)) ENGINE=InnoDB";

    const KEY: Key = Key([7; Key::BYTES]);

    fn filled(table: &TableText, named: Option<&[String]>) -> Option<Filled> {
        Filled::of(table, named, Letters::All)
    }

    fn table(sql: &str) -> TableText {
        TableText::parse(sql, Quoting::default()).unwrap()
    }

    fn of_dump(filled: &Filled, rows: &str) -> Option<RowsDigest> {
        let mut digest = RowsDigest::default();
        let whole = filled.rows(rows.as_bytes(), Quoting::default(), &mut |row| {
            digest.add(row, &KEY);
            true
        });
        whole.then_some(digest)
    }

    fn of_server(rows: &[[Option<&[u8]>; 3]]) -> RowsDigest {
        let mut digest = RowsDigest::default();
        for values in rows {
            let mut row = Row::default();
            for value in values {
                match value {
                    Some(value) => row.value(value),
                    None => row.null(),
                }
            }
            digest.add(&row, &KEY);
        }
        digest
    }

    #[test]
    fn a_dump_and_a_server_with_the_same_rows_have_the_same_digest_in_any_order() {
        let filled = filled(&table(TABLE), None).unwrap();
        let dump = of_dump(&filled, r"(1,'it''s\n',0x00fF),( -2 , NULL ,_binary 'a\0\'b' ),(3,'',x'')").unwrap();
        let one = [Some(&b"1"[..]), Some(b"it's\n"), Some(b"\x00\xff")];
        let two = [Some(&b"-2"[..]), None, Some(b"a\0'b")];
        let three = [Some(&b"3"[..]), Some(b""), Some(b"")];
        assert_eq!(dump, of_server(&[two, three, one]));
        assert_eq!((dump.rows, dump.to_string().len()), (3, 32));
        for other in [[two, three, two], [one, two, [Some(b"3"), None, Some(b"")]]] {
            assert_ne!(dump, of_server(&other));
        }
        assert_ne!(of_dump(&filled, "(1,'ab','c')"), of_dump(&filled, "(1,'a','bc')"), "values do not run together");
        assert_ne!(of_dump(&filled, "(1,'NULL','')"), of_dump(&filled, "(1,NULL,'')"));
    }

    #[test]
    fn what_a_server_would_not_send_back_as_it_is_written_is_not_compared() {
        let filled = filled(&table(TABLE), None).unwrap();
        for rows in [
            "(1,007,'')",
            "(1+1,'a','')",
            "(1-1,'a','')",
            "(1.2.3,'a','')",
            "(1e,'a','')",
            "(-,'a','')",
            "(.,'a','')",
            "(0x31,'a','')",
            "(1,'a' 'b','')",
            "(1,_latin1 'a','')",
            "(1,_binary 'a','')",
            "(1,'a',0xf)",
            "(1,'a',b'1')",
            "(1,DEFAULT,'')",
            "(1,NOW(),'')",
            "(1,'a')",
            "(1,'a','',2)",
            "(,'a','')",
            "(1,'a','')(2,'b','')",
            "(1,'a','",
        ] {
            assert_eq!(of_dump(&filled, rows), None, "{rows}");
        }
        let ansi = Quoting { ansi_quotes: true, ..Quoting::default() };
        assert!(!filled.rows(br#"(1,"a",'')"#, ansi, &mut |_| true));
        let plain = Quoting { no_backslash_escapes: true, ..Quoting::default() };
        let mut digest = RowsDigest::default();
        assert!(filled.rows(br"(1,'a\','')", plain, &mut |row| {
            digest.add(row, &KEY);
            true
        }));
        assert_eq!(digest, of_server(&[[Some(b"1"), Some(b"a\\"), Some(b"")]]));
    }

    #[test]
    fn letters_that_the_dumps_character_set_may_not_have_are_not_compared() {
        let (ascii, three, four) = ("(1,'a','\u{ff}')", "(1,'Жö','')", "(1,'😀','')");
        for (charset, asked, good) in [
            (None, "utf8mb4", [true, true, true]),
            (Some("binary"), "binary", [true, true, true]),
            (Some("utf8"), "utf8mb4", [true, true, false]),
            (Some("latin1"), "utf8mb4", [true, false, false]),
        ] {
            let (letters, as_asked) = Letters::of(charset);
            assert_eq!(as_asked, asked);
            let filled = Filled::of(&table(TABLE), None, letters).unwrap();
            assert_eq!([ascii, three, four].map(|rows| of_dump(&filled, rows).is_some()), good, "{charset:?}");
        }
    }

    #[test]
    fn the_digest_is_one_of_this_comparison_alone() {
        let rows = filled(&table(TABLE), None).unwrap();
        let mut digests = [RowsDigest::default(); 2];
        for (digest, key) in digests.iter_mut().zip([7, 8]) {
            rows.rows(b"(1,'a','')", Quoting::default(), &mut |row| {
                digest.add(row, &Key([key; Key::BYTES]));
                true
            });
        }
        assert_ne!(digests[0], digests[1]);
    }

    #[test]
    fn all_that_a_table_stores_has_to_be_filled() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let whole = table(TABLE);
        let turned = filled(&whole, Some(&names(&["body", "ID", "name"]))).unwrap();
        assert_eq!(turned.names, ["body", "id", "name"], "in the order of the values");
        assert_eq!(filled(&whole, Some(&names(&["id", "name"]))), None);
        assert_eq!(filled(&whole, Some(&names(&["id", "name", "name"]))), None);
        assert_eq!(filled(&whole, Some(&names(&["id", "name", "else"]))), None);
        let computed = table("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a+1) VIRTUAL) ENGINE=InnoDB");
        assert_eq!(filled(&computed, None).unwrap().names, ["a", "b"], "MariaDB writes what it computes");
        assert_eq!(filled(&computed, Some(&names(&["a"]))).unwrap().names, ["a"], "MySQL does not");
        assert_eq!(filled(&computed, Some(&names(&["b"]))), None);
        for (default, is_computed) in [("DEFAULT (cast(1 as char))", false), ("AS (cast(1 as char)) STORED", true)] {
            let sql = format!("CREATE TABLE t (a int, b varchar(9) {default}) ENGINE=InnoDB");
            assert_eq!(filled(&table(&sql), Some(&names(&["a"]))).is_some(), is_computed, "{default}");
        }
        assert_eq!(filled(&table("CREATE TABLE t (a float) ENGINE=InnoDB"), None), None);
        assert_eq!(filled(&table("CREATE TABLE t (a int, b vector(3)) ENGINE=InnoDB"), None), None);
    }
}
