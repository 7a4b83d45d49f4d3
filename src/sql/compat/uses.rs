//! Where one statement names what servers differ in. By tokens: text in strings and comments is not looked at.

use crate::sql::compat::{Kind, Use, definition};
use crate::sql::insert::qualified;
use crate::sql::modes;
use crate::sql::token::{Kind as TokenKind, Quoting, Token, tokens};
use std::ops::Range;

/// The table that a `CREATE TABLE` or `ALTER TABLE` is about.
pub fn table_of(sql: &[u8], quoting: Quoting) -> Option<String> {
    let all = tokens(sql, quoting);
    let first = all.first()?;
    if !(first.is(sql, "CREATE") || first.is(sql, "ALTER")) {
        return None;
    }
    let at = all.iter().take(4).position(|token| token.is(sql, "TABLE"))?;
    let words = |token: &&Token| ["IF", "NOT", "EXISTS"].iter().any(|word| token.is(sql, word));
    let name = at + 1 + all[at + 1..].iter().take_while(words).count();
    qualified(sql, &mut &all[name..]).map(|(_, name)| name)
}

/// Every place of a statement whose comments are gone.
pub fn uses(sql: &[u8], quoting: Quoting) -> Vec<Use> {
    let all = tokens(sql, quoting);
    let mut found = Vec::new();
    let is_set = all.first().is_some_and(|token| token.is(sql, "SET"));
    let about_table = all.iter().take(4).any(|token| token.is(sql, "TABLE"));
    let mut depth = 0_u32;
    let mut at = 0;
    while at < all.len() {
        let token = &all[at];
        if token.is_sign(sql, b'(') {
            depth += 1;
        } else if token.is_sign(sql, b')') {
            depth = depth.saturating_sub(1);
        }
        let mut add = |kind: Kind, value: Option<&Token>| {
            let Some((subject, span)) = value.and_then(|value| named(sql, value)) else { return };
            if !matches!(subject.to_ascii_uppercase().as_str(), "DEFAULT" | "NULL" | "NONE") {
                found.push(Use { kind, subject, span });
            }
        };
        let equals = |at: usize| all.get(at).is_some_and(|sign| sign.is_sign(sql, b'='));
        let value = |at: usize| all.get(if equals(at) { at + 1 } else { at });
        let next = |word: &str| all.get(at + 1).is_some_and(|token| token.is(sql, word));
        if token.kind != TokenKind::Word {
            at += 1;
            continue;
        }
        let word = String::from_utf8_lossy(&sql[token.span.clone()]).to_ascii_uppercase();
        match word.as_str() {
            "COLLATE" => add(Kind::Collation, value(at + 1)),
            "CHARSET" => add(Kind::Charset, value(at + 1)),
            "CHARACTER" if next("SET") => add(Kind::Charset, value(at + 2)),
            "NAMES" if is_set => add(Kind::Charset, all.get(at + 1)),
            "USING" if depth > 0 && all.get(at + 2).is_some_and(|close| close.is_sign(sql, b')')) => {
                // `CONVERT(x USING utf8mb4)`; a join has brackets of its own, and the last key of a table may say `USING BTREE`.
                let index = |token: &&Token| ["BTREE", "HASH", "RTREE"].iter().any(|kind| token.is(sql, kind));
                let name = all.get(at + 1).filter(|token| token.kind == TokenKind::Word && !index(token));
                add(Kind::Charset, name);
            }
            "ENGINE" if about_table && (depth == 0 || equals(at + 1)) => add(Kind::Engine, value(at + 1)),
            "DEFINER" if equals(at + 1) => {
                if let Some(definer) = account(sql, &all[at + 2..]) {
                    found.push(definer);
                }
            }
            "DEFAULT" if about_table => {
                let text = all.get(at + 1).filter(|token| token.kind == TokenKind::Text);
                if let Some(text) = text.filter(|text| is_zero_date(&sql[text.span.clone()])) {
                    let raw = &sql[text.span.start + 1..text.span.end - 1];
                    let subject = String::from_utf8_lossy(raw).into_owned();
                    found.push(Use { kind: Kind::ZeroDates, subject, span: text.span.clone() });
                }
            }
            "WITH" if about_table && next("PARSER") => {
                if let Some((subject, span)) = all.get(at + 2).and_then(|name| named(sql, name)) {
                    found.push(Use { kind: Kind::Parser, subject, span: token.span.start..span.end });
                }
            }
            "SQL_MODE" if is_set && equals(at + 1) => found.extend(odd_modes(sql, all.get(at + 2))),
            "GTID_PURGED" | "SQL_LOG_BIN" if is_set && equals(at + 1) => {
                found.push(Use { kind: Kind::Gtid, subject: word.clone(), span: token.span.clone() });
            }
            _ if is_set && equals(at + 1) && word.starts_with("COLLATION_") => add(Kind::Collation, all.get(at + 2)),
            _ if is_set && equals(at + 1) && word.starts_with("CHARACTER_SET_") => add(Kind::Charset, all.get(at + 2)),
            _ if word.starts_with('_') && is_introducer(sql, token, all.get(at + 1)) => {
                let span = token.span.start + 1..token.span.end;
                let subject = String::from_utf8_lossy(&sql[span.clone()]).into_owned();
                found.push(Use { kind: Kind::Charset, subject, span });
            }
            _ => {}
        }
        at += 1;
    }
    if changes_table(sql, &all) {
        found.extend(definition::uses(sql, &all));
    }
    found
}

/// Whether it is a `CREATE TABLE` or an `ALTER TABLE`.
fn changes_table(sql: &[u8], all: &[Token]) -> bool {
    let before = ["CREATE", "ALTER", "OR", "REPLACE", "TEMPORARY", "ONLINE", "IGNORE"];
    let table = all.iter().find(|token| !before.iter().any(|word| token.is(sql, word)));
    all.first().is_some_and(|token| token.is(sql, "CREATE") || token.is(sql, "ALTER"))
        && table.is_some_and(|token| token.is(sql, "TABLE"))
}

/// Words of a list of modes that not every server knows.
fn odd_modes(sql: &[u8], value: Option<&Token>) -> Vec<Use> {
    let Some(token) = value.filter(|token| token.kind == TokenKind::Text) else { return Vec::new() };
    let text = String::from_utf8_lossy(&sql[token.span.clone()]).into_owned();
    let odd = modes::listed(text.trim_matches(['\'', '"']))
        .filter(|mode| modes::unknown(mode).is_none() && !modes::is_common(mode));
    odd.map(|mode| Use { kind: Kind::SqlMode, subject: mode.to_ascii_uppercase(), span: token.span.clone() }).collect()
}

/// `_utf8mb4'…'`, `_binary 0x41`.
fn is_introducer(sql: &[u8], word: &Token, next: Option<&Token>) -> bool {
    next.is_some_and(|next| next.kind == TokenKind::Text && next.span.start <= word.span.end + 1)
        && sql[word.span.clone()].iter().skip(1).all(u8::is_ascii_alphanumeric)
}

/// A bare or quoted name, or a string that stands for one.
fn named(sql: &[u8], token: &Token) -> Option<(String, Range<usize>)> {
    let raw = std::str::from_utf8(&sql[token.span.clone()]).ok()?;
    let name = match token.kind {
        TokenKind::Word | TokenKind::QuotedName => token.name(sql)?,
        TokenKind::Text => raw.get(1..raw.len().checked_sub(1)?)?.to_owned(),
        TokenKind::Sign => return None,
    };
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && !name.is_empty() && name.len() <= 64).then(|| (name, token.span.clone()))
}

/// `` `user`@`host` `` after `DEFINER=`.
fn account(sql: &[u8], rest: &[Token]) -> Option<Use> {
    let first = rest.first()?;
    let plain = |token: &Token| -> Option<String> {
        match token.kind {
            TokenKind::Text => {
                let raw = std::str::from_utf8(&sql[token.span.clone()]).ok()?;
                raw.get(1..raw.len().checked_sub(1)?).map(str::to_owned)
            }
            _ => token.name(sql),
        }
    };
    let user = plain(first)?;
    let at_host = rest.get(1).is_some_and(|sign| sign.is_sign(sql, b'@'));
    let (subject, end) = match rest.get(2).filter(|_| at_host) {
        Some(host) => (format!("{user}@{}", plain(host)?), host.span.end),
        None if user.eq_ignore_ascii_case("CURRENT_USER") => return None,
        None => (user, first.span.end),
    };
    Some(Use { kind: Kind::Definer, subject, span: first.span.start..end })
}

/// A whole literal `'0000-00-00'`, `'2020-00-01 10:00:00'`, quotes included.
pub fn is_zero_date(literal: &[u8]) -> bool {
    let [quote, text @ .., last] = literal else { return false };
    if quote != last || !matches!(text.len(), 10 | 19..=26) {
        return false;
    }
    let digits = |range: Range<usize>| text[range].iter().all(u8::is_ascii_digit);
    let shaped = digits(0..4) && text[4] == b'-' && digits(5..7) && text[7] == b'-' && digits(8..10);
    let time = text.len() == 10
        || (matches!(text[10], b' ' | b'T')
            && text[11..].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')));
    shaped && time && (&text[5..7] == b"00" || &text[8..10] == b"00")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str) -> Vec<(Kind, String)> {
        uses(sql.as_bytes(), Quoting::default()).into_iter().map(|found| (found.kind, found.subject)).collect()
    }

    fn of(list: &[(Kind, &str)]) -> Vec<(Kind, String)> {
        list.iter().map(|(kind, subject)| (*kind, (*subject).to_owned())).collect()
    }

    #[test]
    fn names_are_found_where_they_mean_something_and_nowhere_else() {
        use Kind::{Charset, Collation, Definer, Engine, Gtid, ZeroDates};
        for (sql, expected) in [
            (
                "CREATE TABLE `collate` (`charset` varchar(9) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'COLLATE x_ci' COMMENT 'ENGINE=X', engine int, d date DEFAULT '0000-00-00') ENGINE = NDB DEFAULT CHARSET=utf8mb4 COLLATE='utf8mb4_0900_ai_ci'",
                of(&[
                    (Charset, "latin1"),
                    (Collation, "latin1_bin"),
                    (ZeroDates, "0000-00-00"),
                    (Engine, "NDB"),
                    (Charset, "utf8mb4"),
                    (Collation, "utf8mb4_0900_ai_ci"),
                ]),
            ),
            (
                "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin",
                of(&[(Charset, "utf8mb4"), (Collation, "utf8mb4_0900_bin")]),
            ),
            ("SET collation_connection = utf8mb4_0900_ai_ci", of(&[(Collation, "utf8mb4_0900_ai_ci")])),
            ("SET character_set_client = @saved", of(&[])),
            ("SET @@GLOBAL.GTID_PURGED= '3E11FA47:1-5'", of(&[(Gtid, "GTID_PURGED")])),
            ("SET @TEMP = @@SESSION.SQL_LOG_BIN", of(&[])),
            (
                "CREATE DEFINER=`a`@`%` VIEW v AS SELECT CONVERT(x USING utf8mb4) COLLATE utf8mb4_bin, _latin1'a', 'COLLATE no' FROM t JOIN u USING (id)",
                of(&[(Definer, "a@%"), (Charset, "utf8mb4"), (Collation, "utf8mb4_bin"), (Charset, "latin1")]),
            ),
            ("CREATE DEFINER=CURRENT_USER TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x = 'DEFINER=z'", of(&[])),
            ("CREATE TABLE t (a int, KEY k (a) USING BTREE)", of(&[])),
            ("CREATE TABLE t (a int, KEY k (a) USING BTREE, b datetime DEFAULT '2000-01-01')", of(&[])),
        ] {
            assert_eq!(found(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_zero_date_is_a_whole_literal() {
        for good in ["'0000-00-00'", "'0000-00-00 00:00:00'", "'2020-00-01'", "\"2020-01-00 10:00:00.000001\""] {
            assert!(is_zero_date(good.as_bytes()), "{good}");
        }
        for bad in ["'2020-01-01'", "'0000-00-00 is a date'", "'0000-00-0'", "'abcd-00-00'", "'0000-00-00", "''", "'"] {
            assert!(!is_zero_date(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_table_of_a_statement_is_named() {
        for (sql, table) in [
            ("CREATE TABLE IF NOT EXISTS `a``b` (x int)", Some("a`b")),
            ("ALTER TABLE s.t ADD KEY (x)", Some("t")),
            ("CREATE VIEW v AS SELECT 1", None),
        ] {
            assert_eq!(table_of(sql.as_bytes(), Quoting::default()).as_deref(), table, "{sql}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_statement_panics(sql in "(CREATE TABLE|SET|ALTER TABLE|DEFINER=|COLLATE|CHARSET=|ENGINE|'|`|@|\\(|\\)|/\\*!|\\*/|DEFAULT|0000-00-00| |x|\\\\){0,30}") {
            let text = sql.as_bytes();
            for found in uses(text, Quoting::default()) {
                proptest::prop_assert!(found.span.end <= text.len());
            }
            let _ = table_of(text, Quoting::default());
        }
    }
}
