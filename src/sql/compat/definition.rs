//! What the definition of a table holds that one kind of server alone knows, or that has no place in a restore. By tokens.

use crate::sql::compat::{Kind, Use};
use crate::sql::definitions::{definitions, is_column};
use crate::sql::token::{Kind as TokenKind, Quoting, Token, tokens};
use crate::sql::versioned::Dialect;
use std::borrow::Cow;
use std::ops::Range;

/// Tablespace of MySQL in which a table has a file of its own.
pub const OWN_TABLESPACE: &str = "innodb_file_per_table";
/// Tablespace that others share.
pub const TABLESPACE: &str = "TABLESPACE";
/// Size by which the file of a table grows, and with which it begins.
pub const AUTOEXTEND_SIZE: &str = "AUTOEXTEND_SIZE";

/// A part of definitions that not every server has.
struct Feature {
    name: &'static str,
    /// In words.
    what: &'static str,
    /// The first release of MariaDB that has it, and of MySQL.
    since: (Option<u32>, Option<u32>),
}

const VERSIONING: &str = "SYSTEM VERSIONING";
const PERIOD: &str = "PERIOD";
const VECTOR_KEY: &str = "VECTOR KEY";
const EXPRESSION_KEY: &str = "a key of an expression";

const FEATURES: &[Feature] = &[
    Feature { name: VERSIONING, what: "system-versioned tables", since: (Some(100_300), None) },
    Feature { name: PERIOD, what: "periods of time in a table", since: (Some(100_400), None) },
    Feature { name: VECTOR_KEY, what: "keys of vectors", since: (Some(110_700), None) },
    Feature { name: EXPRESSION_KEY, what: "keys of expressions", since: (None, Some(80_013)) },
    Feature { name: "INET6", what: "the type INET6", since: (Some(100_500), None) },
    Feature { name: "UUID", what: "the type UUID", since: (Some(100_700), None) },
    Feature { name: "INET4", what: "the type INET4", since: (Some(101_000), None) },
    Feature { name: "VECTOR", what: "the type VECTOR", since: (Some(110_700), Some(90_000)) },
];

/// Options of a table that MariaDB alone knows.
const OF_MARIADB: &[&str] = &[
    "PAGE_CHECKSUM",
    "TRANSACTIONAL",
    "PAGE_COMPRESSED",
    "PAGE_COMPRESSION_LEVEL",
    "ENCRYPTED",
    "ENCRYPTION_KEY_ID",
    "IETF_QUOTES",
];
/// Options of a table that MySQL alone knows.
const OF_MYSQL: &[&str] = &["COMPRESSION"];

/// What a feature is in words, where the server does not have it.
pub fn lacking(name: &str, dialect: Dialect) -> Option<&'static str> {
    let feature = FEATURES.iter().find(|feature| feature.name == name)?;
    let since = if dialect.mariadb { feature.since.0 } else { feature.since.1 };
    since.is_none_or(|since| dialect.version < since).then_some(feature.what)
}

/// Whether the server knows an option of a table, of those that are looked for.
pub fn knows_option(name: &str, dialect: Dialect) -> bool {
    let among = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    if dialect.mariadb { !among(OF_MYSQL) } else { !among(OF_MARIADB) }
}

/// Every place of a `CREATE TABLE` or `ALTER TABLE` with its tokens.
pub fn uses(sql: &[u8], all: &[Token]) -> Vec<Use> {
    let mut found = features(sql, all);
    if let Some((parts, close)) = definitions(sql, all).filter(|_| all[0].is(sql, "CREATE")) {
        found.extend(parts.iter().filter_map(|part| of_part(sql, &all[part.clone()])));
        let checks = column_checks(sql, all, &parts);
        found.extend(checks.into_iter().map(|check| Use {
            kind: Kind::Check,
            subject: check.column,
            span: check.span,
        }));
        found.extend(options(sql, &all[close + 1..]));
    }
    let mut known: Vec<String> = Vec::new();
    // Each feature once: one of them is as good as three.
    found.retain(|found| {
        let again = found.kind == Kind::Feature && known.contains(&found.subject);
        known.push(found.subject.clone());
        !again
    });
    found
}

fn feature(name: &str, span: &Range<usize>) -> Use {
    Use { kind: Kind::Feature, subject: name.to_owned(), span: span.clone() }
}

/// Words that tell of a feature wherever they stand.
fn features(sql: &[u8], all: &[Token]) -> Vec<Use> {
    let are = |at: usize, words: &[&str]| {
        words.iter().enumerate().all(|(step, word)| all.get(at + step).is_some_and(|token| token.is(sql, word)))
    };
    let versioned = |at: usize| {
        are(at, &["SYSTEM", "VERSIONING"])
            || are(at, &["AS", "ROW", "START"])
            || are(at, &["AS", "ROW", "END"])
            || are(at, &["PERIOD", "FOR", "SYSTEM_TIME"])
    };
    let mut found = Vec::new();
    for (at, token) in all.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Word) {
        if versioned(at) {
            found.push(feature(VERSIONING, &token.span));
        } else if are(at, &["PERIOD", "FOR"]) || are(at, &["WITHOUT", "OVERLAPS"]) {
            found.push(feature(PERIOD, &token.span));
        } else if are(at, &["VECTOR", "KEY"]) || are(at, &["VECTOR", "INDEX"]) {
            found.push(feature(VECTOR_KEY, &token.span));
        }
    }
    found
}

/// The type of a column, or the expression of a key.
fn of_part(sql: &[u8], part: &[Token]) -> Option<Use> {
    if is_column(sql, part) {
        let kind = part.get(1).filter(|token| token.kind == TokenKind::Word)?;
        let types = ["INET6", "UUID", "INET4", "VECTOR"];
        return types.iter().find(|name| kind.is(sql, name)).map(|name| feature(name, &kind.span));
    }
    let is_key = |token: &Token| ["KEY", "INDEX"].iter().any(|word| token.is(sql, word));
    let is_other = |token: &Token| ["CONSTRAINT", "CHECK", "FOREIGN"].iter().any(|word| token.is(sql, word));
    if part.first().is_none_or(is_other) || !part.iter().take(2).any(is_key) {
        return None;
    }
    // A bracket where the name of a column belongs.
    let mut depth = 0_u32;
    for (at, token) in part.iter().enumerate() {
        if token.is_sign(sql, b'(') {
            let before = at.checked_sub(1).map(|before| &part[before]);
            if depth == 1 && before.is_some_and(|before| before.is_sign(sql, b'(') || before.is_sign(sql, b',')) {
                return Some(feature(EXPRESSION_KEY, &token.span));
            }
            depth += 1;
        } else if token.is_sign(sql, b')') {
            depth = depth.saturating_sub(1);
        }
    }
    None
}

/// Options behind the definitions that have no place in a restore, or that not every server knows.
fn options(sql: &[u8], rest: &[Token]) -> Vec<Use> {
    let mut found: Vec<Use> = Vec::new();
    let mut depth = 0_u32;
    let comma = |at: Option<usize>| at.and_then(|at| rest.get(at)).filter(|token| token.is_sign(sql, b','));
    for (at, token) in rest.iter().enumerate() {
        if token.is_sign(sql, b'(') {
            depth += 1;
        } else if token.is_sign(sql, b')') {
            depth = depth.saturating_sub(1);
        }
        let taken = found.last().map_or(0, |last| last.span.end);
        // A value is no name of an option.
        let Some(name) = token.name(sql).filter(|_| token.span.start >= taken) else { continue };
        let equals = rest.get(at + 1).is_some_and(|sign| sign.is_sign(sql, b'='));
        let Some(value) = rest.get(if equals { at + 2 } else { at + 1 }) else { continue };
        let bare = |word: &str| token.is(sql, word);
        let subject = if bare(TABLESPACE) {
            let is_name_of_partition =
                at > 0 && ["PARTITION", "SUBPARTITION"].iter().any(|word| rest[at - 1].is(sql, word));
            match value.name(sql).filter(|name| !is_name_of_partition && !name.eq_ignore_ascii_case(OWN_TABLESPACE)) {
                Some(name) => format!("{TABLESPACE} {name}"),
                None => continue,
            }
        } else if depth == 0 && bare(AUTOEXTEND_SIZE) {
            AUTOEXTEND_SIZE.to_owned()
        } else if depth == 0
            && equals
            && OF_MARIADB.iter().chain(OF_MYSQL).any(|known| known.eq_ignore_ascii_case(&name))
        {
            name.to_ascii_uppercase()
        } else {
            continue;
        };
        let (mut begin, mut end) = (token.span.start, value.span.end);
        // Commas may stand between options; between partitions they have to.
        let after = rest.iter().position(|token| token.span.end == end).map(|at| at + 1);
        if depth == 0
            && let Some(comma) = comma(at.checked_sub(1)).filter(|comma| comma.span.start >= taken)
        {
            begin = comma.span.start;
        } else if depth == 0
            && let Some(comma) = comma(after)
        {
            end = comma.span.end;
        }
        found.push(Use { kind: Kind::TableOption, subject, span: begin..end });
    }
    found
}

/// A check that stands with a column and names others.
struct ColumnCheck {
    column: String,
    /// With the name before it and the words behind it.
    span: Range<usize>,
}

fn column_checks(sql: &[u8], all: &[Token], parts: &[Range<usize>]) -> Vec<ColumnCheck> {
    let columns = parts.iter().map(|part| &all[part.clone()]).filter(|part| is_column(sql, part));
    let names: Vec<(String, &[Token])> = columns.filter_map(|part| Some((part.first()?.name(sql)?, part))).collect();
    let others = |own: &str, token: &Token| {
        let name = token.name(sql);
        name.is_some_and(|name| {
            !name.eq_ignore_ascii_case(own) && names.iter().any(|(column, _)| column.eq_ignore_ascii_case(&name))
        })
    };
    let mut found = Vec::new();
    for (column, part) in &names {
        let mut at = 0;
        while at < part.len() {
            let Some(end) = end_of_brackets(sql, part, at) else {
                at += 1;
                continue;
            };
            let is_check = at > 0 && part[at - 1].is(sql, "CHECK");
            let calls = |inner: usize| part.get(inner + 1).is_some_and(|sign| sign.is_sign(sql, b'('));
            if is_check && (at + 1..end).any(|inner| others(column, &part[inner]) && !calls(inner)) {
                let is = |at: usize, word: &str| part.get(at).is_some_and(|token| token.is(sql, word));
                let named =
                    [2, 1].into_iter().find(|steps| at > *steps && is(at - 1 - steps, "CONSTRAINT")).unwrap_or(0);
                let enforced = if is(end + 1, "NOT") && is(end + 2, "ENFORCED") {
                    2
                } else {
                    usize::from(is(end + 1, "ENFORCED"))
                };
                let span = part[at - 1 - named].span.start..part[end + enforced].span.end;
                found.push(ColumnCheck { column: column.clone(), span });
            }
            at = end + 1;
        }
    }
    found
}

/// Where the bracket that opens there is closed.
fn end_of_brackets(sql: &[u8], part: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, token) in part.iter().enumerate().skip(open) {
        if token.is_sign(sql, b'(') {
            depth += 1;
        } else if token.is_sign(sql, b')') {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return token.is_sign(sql, b')').then_some(at);
        }
    }
    None
}

/// The same `CREATE TABLE` with checks of its own in the place of those of columns that name others.
pub fn with_checks_of_the_table(sql: &str, quoting: Quoting) -> Cow<'_, str> {
    let bytes = sql.as_bytes();
    let all = tokens(bytes, quoting);
    let Some((parts, close)) = definitions(bytes, &all) else { return Cow::Borrowed(sql) };
    let checks = column_checks(bytes, &all, &parts);
    if checks.is_empty() {
        return Cow::Borrowed(sql);
    }
    let mut text = String::with_capacity(sql.len() + 2 * checks.len());
    let mut kept = 0;
    for check in &checks {
        text.push_str(&sql[kept..check.span.start]);
        kept = check.span.end;
    }
    text.push_str(&sql[kept..all[close].span.start]);
    for check in &checks {
        text.push_str(", ");
        text.push_str(&sql[check.span.clone()]);
    }
    text.push_str(&sql[all[close].span.start..]);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sql: &str) -> Vec<(Kind, String, String)> {
        let all = tokens(sql.as_bytes(), Quoting::default());
        uses(sql.as_bytes(), &all)
            .into_iter()
            .map(|found| (found.kind, found.subject, sql[found.span].to_owned()))
            .collect()
    }

    #[test]
    fn what_one_server_alone_knows_is_found_where_it_means_something_and_nowhere_else() {
        for (sql, expected) in [
            (
                "CREATE TABLE t (a int, s timestamp(6) GENERATED ALWAYS AS ROW START, e timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) ENGINE=InnoDB WITH SYSTEM VERSIONING",
                &[(Kind::Feature, VERSIONING)][..],
            ),
            ("ALTER TABLE t ADD SYSTEM VERSIONING", &[(Kind::Feature, VERSIONING)]),
            ("CREATE TABLE t (a date, b date, PERIOD FOR p (a, b))", &[(Kind::Feature, PERIOD)]),
            (
                "CREATE TABLE t (v vector(3) NOT NULL, VECTOR KEY `v` (`v`))",
                &[(Kind::Feature, VECTOR_KEY), (Kind::Feature, "VECTOR")],
            ),
            (
                "CREATE TABLE t (`a` uuid NOT NULL, `uuid` int, `inet6` varchar(9) DEFAULT 'uuid')",
                &[(Kind::Feature, "UUID")],
            ),
            (
                "CREATE TABLE t (a int, UNIQUE KEY `k` ((lower(`a`))), KEY `l` (`a`(10),(`a` + 1)))",
                &[(Kind::Feature, EXPRESSION_KEY)],
            ),
            (
                "CREATE TABLE t (a varchar(9), KEY `k` (`a`(3)), CONSTRAINT `key` CHECK ((`a` > 1)), period int, system int)",
                &[],
            ),
            ("CREATE TABLE t (a int COMMENT 'WITH SYSTEM VERSIONING') COMMENT='TABLESPACE x AUTOEXTEND_SIZE=4M'", &[]),
            ("CREATE TABLE t (a int) TABLESPACE innodb_file_per_table ENGINE=InnoDB", &[]),
            ("CREATE TABLE t (a int) TABLESPACE 'x'", &[]),
            ("CREATE VIEW v AS SELECT 1", &[]),
        ] {
            let brief: Vec<(Kind, String)> = found(sql).into_iter().map(|(kind, name, _)| (kind, name)).collect();
            let expected: Vec<(Kind, String)> =
                expected.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
            assert_eq!(brief, expected, "{sql}");
        }
    }

    #[test]
    fn an_option_is_found_whole_and_with_one_comma() {
        for (sql, expected) in [
            ("CREATE TABLE t (a int)  TABLESPACE `my ts`  ENGINE=InnoDB", &["TABLESPACE `my ts`"][..]),
            ("CREATE TABLE t (a int) ENGINE=InnoDB, TABLESPACE = ts, COMMENT='x'", &[", TABLESPACE = ts"]),
            ("CREATE TABLE t (a int) TABLESPACE ts, ENGINE=InnoDB", &["TABLESPACE ts,"]),
            (
                "CREATE TABLE t (a int) TABLESPACE ts, PAGE_CHECKSUM=1, ENGINE=InnoDB",
                &["TABLESPACE ts,", "PAGE_CHECKSUM=1,"],
            ),
            ("CREATE TABLE t (a int) AUTOEXTEND_SIZE=4194304 ENGINE=InnoDB", &["AUTOEXTEND_SIZE=4194304"]),
            (
                "CREATE TABLE t (a int) PARTITION BY HASH (a) (PARTITION p0 TABLESPACE=ts, PARTITION p1 TABLESPACE `u`)",
                &["TABLESPACE=ts", "TABLESPACE `u`"],
            ),
            (
                "CREATE TABLE t (a int) ENGINE=Aria PAGE_CHECKSUM=1 TRANSACTIONAL=0",
                &["PAGE_CHECKSUM=1", "TRANSACTIONAL=0"],
            ),
            ("CREATE TABLE t (a int) ENGINE=InnoDB `PAGE_COMPRESSED`='ON'", &["`PAGE_COMPRESSED`='ON'"]),
            ("CREATE TABLE t (a int) TABLESPACE=TABLESPACE ENGINE=InnoDB", &["TABLESPACE=TABLESPACE"]),
            ("CREATE TABLE t (compression int, tablespace int)", &[]),
        ] {
            let spans: Vec<String> = found(sql).into_iter().map(|(_, _, text)| text).collect();
            assert_eq!(spans, expected, "{sql}");
        }
    }

    #[test]
    fn a_check_of_a_column_that_names_others_becomes_one_of_the_table() {
        let moved = |sql| with_checks_of_the_table(sql, Quoting::default());
        for (sql, expected) in [
            (
                "CREATE TABLE t (`a` int CHECK (`a` > 0), `b` int DEFAULT 1 CHECK (`b` > `a`) COMMENT 'x', c int CONSTRAINT k CHECK (A < c) NOT ENFORCED) ENGINE=InnoDB",
                "CREATE TABLE t (`a` int CHECK (`a` > 0), `b` int DEFAULT 1  COMMENT 'x', c int , CHECK (`b` > `a`), CONSTRAINT k CHECK (A < c) NOT ENFORCED) ENGINE=InnoDB",
            ),
            (
                "CREATE TABLE t (a int AS (b) CONSTRAINT CHECK (a <> b), b int)",
                "CREATE TABLE t (a int AS (b) , b int, CONSTRAINT CHECK (a <> b))",
            ),
            ("CREATE TABLE t (length int, j text CHECK (length(j) > 1 and j <> 'length'))", ""),
            ("CREATE TABLE t (a int, b int, CHECK (a > b), CONSTRAINT c CHECK (a < 9))", ""),
            ("CREATE TABLE t (a int CHECK (b", ""),
        ] {
            let expected = if expected.is_empty() { sql } else { expected };
            assert_eq!(moved(sql), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_looked_through(sql in "(CREATE TABLE t \\(|ALTER TABLE|CHECK|CONSTRAINT|PERIOD|FOR|KEY|TABLESPACE|=|a|b| |,|\\(|\\)|'|`){0,40}") {
            let all = tokens(sql.as_bytes(), Quoting::default());
            if !all.is_empty() {
                for found in uses(sql.as_bytes(), &all) {
                    proptest::prop_assert!(found.span.end <= sql.len() && found.span.start < found.span.end);
                }
            }
            with_checks_of_the_table(&sql, Quoting::default());
        }
    }
}
