//! `INSERT INTO t (columns) VALUES`: the head of a statement whose rows are only pointed at.

use crate::sql::quote_name;
use crate::sql::token::{Kind, Quoting, Token, tokens};
use std::borrow::Cow;
use std::sync::Arc;

/// What happens to a row whose key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// An error.
    Insert,
    /// The row is left out.
    InsertIgnore,
    /// The old row goes.
    Replace,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertHead {
    /// What happens to duplicates.
    pub verb: Verb,
    /// Schema named before the table.
    pub schema: Option<String>,
    /// Table.
    pub table: String,
    /// Columns, when they are named.
    pub columns: Option<Vec<String>>,
}

impl InsertHead {
    /// Reads the text up to and with `VALUES`; `None` when it is no such head.
    pub fn parse(sql: &[u8], quoting: Quoting) -> Option<InsertHead> {
        let all = tokens(sql, quoting);
        let mut rest = all.as_slice();
        let mut verb = match take_word(sql, &mut rest, &["INSERT", "REPLACE"])?.as_str() {
            "INSERT" => Verb::Insert,
            _ => Verb::Replace,
        };
        while let Some(word) =
            take_word(sql, &mut rest, &["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"])
        {
            if word == "IGNORE" {
                verb = Verb::InsertIgnore;
            }
        }
        let (schema, table) = qualified(sql, &mut rest)?;
        let columns = if rest.first().is_some_and(|token| token.is_sign(sql, b'(')) {
            let mut names = Vec::new();
            rest = &rest[1..];
            loop {
                match rest {
                    [name, sign, after @ ..] => {
                        names.push(name.name(sql)?);
                        rest = after;
                        if sign.is_sign(sql, b')') {
                            break;
                        } else if !sign.is_sign(sql, b',') {
                            return None;
                        }
                    }
                    _ => return None,
                }
            }
            Some(names)
        } else {
            None
        };
        take_word(sql, &mut rest, &["VALUES", "VALUE"])?;
        rest.is_empty().then_some(InsertHead { verb, schema, table, columns })
    }

    /// The head as it is sent, ready for rows.
    pub fn to_sql(&self) -> String {
        let verb = match self.verb {
            Verb::Insert => "INSERT INTO",
            Verb::InsertIgnore => "INSERT IGNORE INTO",
            Verb::Replace => "REPLACE INTO",
        };
        format!("{verb} {}{} VALUES ", quote_name(&self.table), self.column_list())
    }

    /// ` (a,b)`, or nothing.
    pub fn column_list(&self) -> String {
        match &self.columns {
            Some(names) => format!(" ({})", names.iter().map(|name| quote_name(name)).collect::<Vec<_>>().join(",")),
            None => String::new(),
        }
    }
}

/// Reads `ON DUPLICATE KEY UPDATE a=VALUES(a)`, also behind the `AS new` of MySQL 8, and writes it anew. `None` for anything but
/// values of the row itself, columns and literals.
pub fn upsert(sql: &[u8], quoting: Quoting) -> Option<Arc<str>> {
    let all = tokens(sql, quoting);
    let mut rest = all.as_slice();
    let mut alias = None;
    if take_word(sql, &mut rest, &["AS"]).is_some() {
        alias = Some(rest.first()?.name(sql)?);
        rest = &rest[1..];
    }
    for word in ["ON", "DUPLICATE", "KEY", "UPDATE"] {
        take_word(sql, &mut rest, &[word])?;
    }
    let sign = |rest: &mut &[Token], byte: u8| {
        let found = rest.first().is_some_and(|token| token.is_sign(sql, byte));
        *rest = if found { &rest[1..] } else { rest };
        found.then_some(())
    };
    let mut written = Vec::new();
    loop {
        let (_, column) = qualified(sql, &mut rest)?;
        sign(&mut rest, b'=')?;
        let first = rest.first()?;
        let value = if first.is(sql, "VALUES") || first.is(sql, "VALUE") {
            rest = &rest[1..];
            sign(&mut rest, b'(')?;
            let (_, name) = qualified(sql, &mut rest)?;
            sign(&mut rest, b')')?;
            format!("VALUES({})", quote_name(&name))
        } else if first.kind == Kind::Text || is_plain_value(&sql[first.span.clone()]) {
            rest = &rest[1..];
            std::str::from_utf8(&sql[first.span.clone()]).ok()?.to_owned()
        } else {
            match qualified(sql, &mut rest)? {
                (Some(table), name) if Some(&table) == alias.as_ref() => format!("VALUES({})", quote_name(&name)),
                (_, name) => quote_name(&name),
            }
        };
        written.push(format!("{}={value}", quote_name(&column)));
        if rest.is_empty() {
            return Some(format!(" ON DUPLICATE KEY UPDATE {}", written.join(",")).into());
        }
        sign(&mut rest, b',')?;
    }
}

/// What [`upsert`] wrote, with DEFAULT for columns that are computed: no server takes another value for them.
pub fn upsert_with_defaults<'a>(upsert: &'a str, quoting: Quoting, computed: &dyn Fn(&str) -> bool) -> Cow<'a, str> {
    let all = tokens(upsert.as_bytes(), quoting);
    assigned_defaults(upsert, all.get(4..).unwrap_or_default(), computed)
}

/// `INSERT INTO t SET a=1, b=2` with DEFAULT for columns that are computed.
pub fn set_with_defaults<'a>(sql: &'a str, quoting: Quoting, computed: &dyn Fn(&str) -> bool) -> Cow<'a, str> {
    let all = tokens(sql.as_bytes(), quoting);
    let set = all.iter().position(|token| token.is(sql.as_bytes(), "SET")).map_or(all.len(), |at| at + 1);
    assigned_defaults(sql, &all[set..], computed)
}

/// The assignments `a=…, b=…` with DEFAULT for columns that are computed.
fn assigned_defaults<'a>(text: &'a str, list: &[Token], computed: &dyn Fn(&str) -> bool) -> Cow<'a, str> {
    let bytes = text.as_bytes();
    let (mut written, mut copied, mut rest) = (String::new(), 0, list);
    while let Some((_, column)) = qualified(bytes, &mut rest) {
        let mut depth = 0_u32;
        let ends = |token: &&Token| {
            depth =
                (depth + u32::from(token.is_sign(bytes, b'('))).saturating_sub(u32::from(token.is_sign(bytes, b')')));
            !(depth == 0 && token.is_sign(bytes, b','))
        };
        let length = rest.iter().take_while(ends).count();
        let value = rest[..length].get(1..).unwrap_or_default();
        if let ([first, ..], Some(last)) = (value, value.last())
            && computed(&column)
        {
            written.push_str(&text[copied..first.span.start]);
            written.push_str("DEFAULT");
            copied = last.span.end;
        }
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    written.push_str(&text[copied..]);
    Cow::Owned(written)
}

fn is_plain_value(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_digit) || word.eq_ignore_ascii_case(b"NULL")
}

fn take_word(sql: &[u8], rest: &mut &[Token], words: &[&str]) -> Option<String> {
    let first = rest.first()?;
    let word = words.iter().find(|word| first.is(sql, word))?;
    *rest = &rest[1..];
    Some((*word).to_owned())
}

/// Most bytes of a name: 64 letters of UTF-8.
const MAX_NAME: usize = 256;

/// Reads `name` or `schema.name`.
pub fn qualified(sql: &[u8], rest: &mut &[Token]) -> Option<(Option<String>, String)> {
    let read = |at: usize| {
        let token = rest.get(at).filter(|token| token.span.len() <= 2 * MAX_NAME + 2)?;
        token.name(sql).filter(|name| name.len() <= MAX_NAME)
    };
    let first = read(0)?;
    if rest.get(1).is_some_and(|token| token.is_sign(sql, b'.')) {
        let second = read(2)?;
        *rest = &rest[3..];
        return Some((Some(first), second));
    }
    *rest = &rest[1..];
    Some((None, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(sql: &str) -> Option<InsertHead> {
        InsertHead::parse(sql.as_bytes(), Quoting::default())
    }

    #[test]
    fn heads_are_read_and_written_in_one_form() {
        assert_eq!(parse("INSERT INTO `a``b` VALUES").unwrap().to_sql(), "INSERT INTO `a``b` VALUES ");
        assert_eq!(
            parse("insert ignore t(a, `b c`) value").unwrap().to_sql(),
            "INSERT IGNORE INTO `t` (`a`,`b c`) VALUES "
        );
        assert_eq!(parse("REPLACE INTO s.t VALUES").unwrap().schema.as_deref(), Some("s"));
    }

    #[test]
    fn what_happens_to_a_row_whose_key_exists_is_written_anew() {
        let upsert = |sql: &str| super::upsert(sql.as_bytes(), Quoting::default()).map(|text| text.to_string());
        for (sql, expected) in [
            ("ON DUPLICATE KEY UPDATE `a`=VALUES(`a`), b = VALUES(b)", "`a`=VALUES(`a`),`b`=VALUES(`b`)"),
            (
                "AS new on duplicate key update a=new.a, n=n, m='x;', k=0, l=NULL",
                "`a`=VALUES(`a`),`n`=`n`,`m`='x;',`k`=0,`l`=NULL",
            ),
        ] {
            assert_eq!(upsert(sql), Some(format!(" ON DUPLICATE KEY UPDATE {expected}")), "{sql}");
        }
        for bad in [
            "",
            "ON DUPLICATE KEY UPDATE",
            "ON DUPLICATE KEY UPDATE a=SLEEP(9)",
            "ON DUPLICATE KEY UPDATE a=(SELECT 1)",
            "ON DUPLICATE KEY UPDATE a=1+1",
            "ON DUPLICATE KEY UPDATE a=@@version",
            "AS x",
        ] {
            assert_eq!(upsert(bad), None, "{bad}");
        }
    }

    #[test]
    fn computed_columns_are_assigned_their_default() {
        let computed = |name: &str| name.eq_ignore_ascii_case("g");
        let upsert = |sql| super::upsert(sql, Quoting::default()).unwrap();
        for (sql, expected) in [
            ("ON DUPLICATE KEY UPDATE a=VALUES(a), G=VALUES(G), b='g=1,'", "`a`=VALUES(`a`),`G`=DEFAULT,`b`='g=1,'"),
            ("AS n ON DUPLICATE KEY UPDATE g=n.g", "`g`=DEFAULT"),
            ("ON DUPLICATE KEY UPDATE a=VALUES(g)", "`a`=VALUES(`g`)"),
        ] {
            let text = upsert(sql.as_bytes());
            let found = upsert_with_defaults(&text, Quoting::default(), &computed);
            assert_eq!(found, format!(" ON DUPLICATE KEY UPDATE {expected}"), "{sql}");
        }
        for (sql, expected) in [
            ("INSERT INTO `set` SET a=1, g=-2.5, b='x'", "INSERT INTO `set` SET a=1, g=DEFAULT, b='x'"),
            ("INSERT INTO t SET t.g='a,(b'", "INSERT INTO t SET t.g=DEFAULT"),
            ("INSERT INTO t SET a=1", "INSERT INTO t SET a=1"),
        ] {
            assert_eq!(set_with_defaults(sql, Quoting::default(), &computed), expected);
        }
    }

    #[test]
    fn anything_else_is_no_head() {
        for bad in [
            "INSERT INTO t SELECT",
            "INSERT INTO t () VALUES",
            "INSERT INTO t (a b) VALUES",
            "INSERT INTO t (f(x)) VALUES",
            "INSERT INTO @x VALUES",
            "VALUES",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
