//! A character set without a collation means another collation on each server: the dump's own is written in.

use crate::sql::compat::ServerFacts;
use crate::sql::origin::Origin;
use crate::sql::token::{Kind, Quoting, Token, tokens};
use std::borrow::Cow;

/// Character sets whose own collation servers disagree about.
const DISPUTED: &[&str] = &["utf8mb4", "utf8mb3", "utf8", "ucs2", "utf16", "utf32"];

/// The collation that a character set had where the dump was made, if this server has it.
fn meant(charset: &str, origin: &Origin, facts: &ServerFacts) -> Option<String> {
    let utf8mb4 = origin.utf8mb4()?;
    let name = charset.to_ascii_lowercase();
    let found = match name.as_str() {
        "utf8mb4" => vec![utf8mb4.to_owned()],
        // MariaDB changed all of them at once.
        "utf8" | "utf8mb3" => {
            let ending = if utf8mb4.contains("uca1400") { "uca1400_ai_ci" } else { "general_ci" };
            vec![format!("utf8mb3_{ending}"), format!("utf8_{ending}")]
        }
        other if utf8mb4.contains("uca1400") => vec![format!("{other}_uca1400_ai_ci")],
        other => vec![format!("{other}_general_ci")],
    };
    found.into_iter().find(|collation| facts.collations.contains(collation))
}

/// How many brackets are open at each token; a closing one counts as outside.
fn depths(sql: &[u8], all: &[Token]) -> Vec<u32> {
    let mut depth = 0_u32;
    let opened = all.iter().map(|token| {
        depth = match token {
            token if token.is_sign(sql, b'(') => depth + 1,
            token if token.is_sign(sql, b')') => depth.saturating_sub(1),
            _ => depth,
        };
        depth
    });
    opened.collect()
}

/// Number of tokens of a routine up to the end of its parameters, and of the type that it returns.
fn head(sql: &[u8], all: &[Token], depths: &[u32]) -> usize {
    let closes = |from: usize| (from..all.len()).find(|at| depths[*at] == 0).unwrap_or(all.len());
    // `DEFINER=CURRENT_USER()` has brackets too.
    let name = all.iter().position(|token| token.is(sql, "FUNCTION") || token.is(sql, "PROCEDURE")).unwrap_or(0);
    let Some(open) = (name..all.len()).find(|at| all[*at].is_sign(sql, b'(')) else { return 0 };
    let close = closes(open);
    if !all.get(close + 1).is_some_and(|token| token.is(sql, "RETURNS")) {
        return close;
    }
    // `varchar ( 20 )`, and the words behind it that belong to a type.
    let mut end = close + 3;
    if all.get(end).is_some_and(|token| token.is_sign(sql, b'(')) {
        end = closes(end) + 1;
    }
    let of_type = ["CHARSET", "CHARACTER", "SET", "COLLATE", "BINARY"];
    let mut value = false;
    while let Some(token) = all.get(end) {
        let known = of_type.iter().any(|word| token.is(sql, word));
        if !known && !value {
            break;
        }
        value = token.is(sql, "CHARSET") || token.is(sql, "SET") || token.is(sql, "COLLATE");
        end += 1;
    }
    end
}

/// The statement with the collations that its writer meant, where it makes a table, changes one, or makes a routine.
pub fn named<'a>(sql: &'a str, quoting: Quoting, origin: &Origin, facts: &ServerFacts) -> Cow<'a, str> {
    let bytes = sql.as_bytes();
    let begins = |word: &str| bytes.len() > word.len() && bytes[..word.len()].eq_ignore_ascii_case(word.as_bytes());
    if origin.utf8mb4().is_none() || !(begins("CREATE") || begins("ALTER")) {
        return Cow::Borrowed(sql);
    }
    let all = tokens(bytes, quoting);
    let is = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is(bytes, word));
    let kind = all.iter().find(|token| {
        ["TABLE", "FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "EVENT", "DATABASE", "SCHEMA"]
            .iter()
            .any(|kind| token.is(bytes, kind))
    });
    let about_table = kind.is_some_and(|kind| kind.is(bytes, "TABLE"));
    if !about_table && !kind.is_some_and(|kind| kind.is(bytes, "FUNCTION") || kind.is(bytes, "PROCEDURE")) {
        return Cow::Borrowed(sql);
    }
    let mut places: Vec<(usize, String)> = Vec::new();
    let depths = depths(bytes, &all);
    // A body may say what it likes of itself.
    let end = if about_table { all.len() } else { head(bytes, &all, &depths) };
    for (at, token) in all.iter().enumerate().take(end) {
        // Deeper are expressions: a collation is no part of the type in a CAST.
        if depths[at] > 1 {
            continue;
        }
        let value = if token.is(bytes, "CHARSET") {
            at + 1
        } else if token.is(bytes, "CHARACTER") && is(at + 1, "SET") {
            at + 2
        } else {
            continue;
        };
        let value = if all.get(value).is_some_and(|sign| sign.is_sign(bytes, b'=')) { value + 1 } else { value };
        let Some(charset) = all.get(value).filter(|name| name.kind != Kind::Sign) else { continue };
        let name = String::from_utf8_lossy(&bytes[charset.span.clone()]);
        let name = name.trim_matches(['\'', '"', '`']).to_ascii_lowercase();
        // In the options of a table the collation may stand anywhere, else up to the next comma of the same depth.
        let same = |other: usize| depths[other] == depths[at];
        let bound = |other: usize| {
            let options = about_table && begins("CREATE") && depths[at] == 0;
            !options && (depths[other] < depths[at] || same(other) && all[other].is_sign(bytes, b','))
        };
        let before = (0..at).rev().take_while(|other| !bound(*other));
        let named = before.chain((at..end).take_while(|other| !bound(*other)));
        let has_one = is(value + 1, "BINARY") || named.filter(|other| same(*other)).any(|other| is(other, "COLLATE"));
        if has_one || !DISPUTED.contains(&name.as_str()) {
            continue;
        }
        if let Some(collation) = meant(&name, origin, facts) {
            places.push((charset.span.end, collation));
        }
    }
    if places.is_empty() {
        return Cow::Borrowed(sql);
    }
    let mut text = sql.to_owned();
    for (place, collation) in places.into_iter().rev() {
        text.insert_str(place, &format!(" COLLATE {collation}"));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_without_a_collation_gets_that_of_its_writer() {
        let collations =
            ["utf8mb4_general_ci", "utf8mb4_uca1400_ai_ci", "utf8mb4_0900_ai_ci", "utf8mb3_general_ci", "utf8mb4_bin"];
        let facts = ServerFacts { collations: collations.map(String::from).into(), ..ServerFacts::default() };
        let from = |server: &str| Origin { server: Some(server.into()), ..Origin::default() };
        for (server, sql, expected) in [
            (
                "5.7.44",
                "CREATE TABLE t (a text) DEFAULT CHARSET=utf8mb4",
                "CREATE TABLE t (a text) DEFAULT CHARSET=utf8mb4 COLLATE utf8mb4_general_ci",
            ),
            (
                "8.0.36",
                "CREATE TABLE t (a text) DEFAULT CHARSET=utf8mb4",
                "CREATE TABLE t (a text) DEFAULT CHARSET=utf8mb4 COLLATE utf8mb4_0900_ai_ci",
            ),
            (
                "11.8.2-MariaDB",
                "CREATE TABLE t (a text) CHARSET=utf8mb4",
                "CREATE TABLE t (a text) CHARSET=utf8mb4 COLLATE utf8mb4_uca1400_ai_ci",
            ),
            (
                "10.3.1-MariaDB",
                "CREATE TABLE t (a text CHARACTER SET utf8 NOT NULL, b text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin) CHARSET=latin1",
                "CREATE TABLE t (a text CHARACTER SET utf8 COLLATE utf8mb3_general_ci NOT NULL, b text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin) CHARSET=latin1",
            ),
            (
                "5.7.44",
                "CREATE FUNCTION f(a text CHARSET utf8mb4) RETURNS text CHARSET utf8mb4\nBEGIN RETURN 'CHARSET utf8mb4'; END",
                "CREATE FUNCTION f(a text CHARSET utf8mb4 COLLATE utf8mb4_general_ci) RETURNS text CHARSET utf8mb4 COLLATE utf8mb4_general_ci\nBEGIN RETURN 'CHARSET utf8mb4'; END",
            ),
            (
                "5.7.44",
                "CREATE TABLE t (a text COMMENT 'CHARSET=utf8mb4') CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC COLLATE=utf8mb4_bin",
                "",
            ),
            (
                "5.7.44",
                "CREATE TABLE t (a text CHARACTER SET utf8mb4 NOT NULL COLLATE utf8mb4_bin, b text CHARACTER SET utf8mb4)",
                "CREATE TABLE t (a text CHARACTER SET utf8mb4 NOT NULL COLLATE utf8mb4_bin, b text CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci)",
            ),
            (
                "5.7.44",
                "CREATE TABLE t (a int, b text GENERATED ALWAYS AS (CAST(a AS CHAR CHARACTER SET utf8mb4)), KEY ((CAST(a AS CHAR(9) CHARSET utf8mb4))))",
                "",
            ),
            ("5.7.44", "CREATE PROCEDURE p() SELECT CAST(1 AS CHAR CHARACTER SET utf8mb4) CHARSET utf8mb4", ""),
            (
                "5.7.44",
                "CREATE FUNCTION f() RETURNS varchar(9) CHARSET utf8mb4 DETERMINISTIC RETURN CONVERT(1, CHAR CHARSET utf8mb4)",
                "CREATE FUNCTION f() RETURNS varchar(9) CHARSET utf8mb4 COLLATE utf8mb4_general_ci DETERMINISTIC RETURN CONVERT(1, CHAR CHARSET utf8mb4)",
            ),
            (
                "5.7.44",
                "ALTER TABLE t MODIFY a text CHARACTER SET utf8mb4 NOT NULL COLLATE utf8mb4_bin, ADD b text CHARSET utf8mb4",
                "ALTER TABLE t MODIFY a text CHARACTER SET utf8mb4 NOT NULL COLLATE utf8mb4_bin, ADD b text CHARSET utf8mb4 COLLATE utf8mb4_general_ci",
            ),
            (
                "5.7.44",
                "CREATE VIEW v AS SELECT CONVERT(a USING utf8mb4), CAST(a AS CHAR CHARACTER SET utf8mb4) FROM t",
                "",
            ),
        ] {
            let found = named(sql, Quoting::default(), &from(server), &facts);
            assert_eq!(found, if expected.is_empty() { sql } else { expected });
        }
        let unknown = "CREATE TABLE t (a text) CHARSET=utf8mb4";
        assert_eq!(named(unknown, Quoting::default(), &Origin::default(), &facts), unknown);
    }
}
