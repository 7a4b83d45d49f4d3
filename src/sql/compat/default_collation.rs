//! A character set without a collation means another collation on each server: the dump's own is written in.

use crate::sql::compat::ServerFacts;
use crate::sql::origin::Origin;
use crate::sql::token::{Kind, Quoting, tokens};
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
    let mut depth = 0_u32;
    let mut places: Vec<(usize, String)> = Vec::new();
    for (at, token) in all.iter().enumerate() {
        if token.is_sign(bytes, b'(') {
            depth += 1;
        } else if token.is_sign(bytes, b')') {
            depth = depth.saturating_sub(1);
        }
        // A body may say what it likes of itself.
        if !about_table && depth == 0 && (token.is(bytes, "BEGIN") || token.is(bytes, "RETURN")) {
            break;
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
        // In the options of a table the collation may stand anywhere behind its columns.
        let has_one = match about_table && depth == 0 {
            true => (at..all.len()).any(|at| is(at, "COLLATE")) || at > 1 && is(at - 2, "COLLATE"),
            false => is(value + 1, "COLLATE") || is(value + 1, "BINARY"),
        };
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
