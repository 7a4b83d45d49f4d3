//! The session a dump sets up for itself. `SET` lines are interpreted here and never sent: only values
//! that were understood reach the server, in a form of our own.

use crate::sql::token::{Kind, Quoting, Token, tokens};
use std::collections::{BTreeSet, HashMap};

/// What of a session changes the meaning of the statements that follow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Character set of the dump's bytes; `None`: the server's own choice (utf8mb4 is used).
    pub charset: Option<String>,
    /// Collation of literals.
    pub collation: Option<String>,
    /// `sql_mode`; `None`: the server's default.
    pub sql_mode: Option<String>,
    /// `time_zone`; `None`: the server's default.
    pub time_zone: Option<String>,
    /// Saved values: `@name` to the text of a value.
    saved: HashMap<String, Option<String>>,
    /// Saved values that were set back.
    used: BTreeSet<String>,
}

/// Longest value that is saved under a name.
const MAX_SAVED: usize = 1000;

/// Character sets in which every byte below 0x80 stands for itself, wherever it is met. In others a
/// quote or backslash could be the second half of a character.
const PLAIN_CHARSETS: &[&str] = &[
    "ascii", "binary", "utf8", "utf8mb3", "utf8mb4", "latin1", "latin2", "latin5", "latin7", "koi8r", "koi8u", "greek",
    "hebrew", "tis620", "armscii8", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8", "hp8",
    "macce", "macroman", "geostd8", "keybcs2", "ujis", "euckr", "gb2312", "eucjpms",
];

/// Variables that matter to nothing here: the loader sets its own values, or the server should keep its.
const IGNORED: &[&str] = &[
    "unique_checks",
    "foreign_key_checks",
    "sql_notes",
    "autocommit",
    "sql_log_bin",
    "innodb_strict_mode",
    "sql_quote_show_create",
    "character_set_results",
    "net_write_timeout",
    "net_read_timeout",
    "wait_timeout",
    "max_statement_time",
    "statement_timeout",
    "default_storage_engine",
    "default_table_access_method",
    "sql_require_primary_key",
    "system_versioning_insert_history",
    "information_schema_stats_expiry",
    "session_track_gtids",
    "rocksdb_bulk_load",
    "tx_isolation",
    "transaction_isolation",
    "sql_auto_is_null",
    "character_set_database",
    "collation_database",
    "character_set_server",
    "collation_server",
    "default_collation_for_utf8mb4",
    "check_constraint_checks",
];

impl Session {
    /// Whether a connection set up for `other` can be used for this one.
    pub fn same_settings(&self, other: &Session) -> bool {
        let facts = |session: &Session| {
            [&session.charset, &session.collation, &session.sql_mode, &session.time_zone].map(Clone::clone)
        };
        facts(self) == facts(other)
    }

    /// The first variable that the dump saved at its beginning and has not set back: `@OLD_SQL_NOTES` and its kin, which
    /// mysqldump and others set back in the last lines.
    pub fn not_set_back(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.saved.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter().find(|name| name.starts_with("old_") && !self.used.contains(*name))
    }

    /// The same session without what it saved: for those who only need its settings, and are many.
    #[must_use]
    pub fn settings(&self) -> Session {
        Session { saved: HashMap::new(), used: BTreeSet::new(), ..self.clone() }
    }

    /// Whether a bare name of the statement holds bytes that are white space or signs to some character set, and so may stand
    /// between two words of which only one is seen here. UTF-8 has no such bytes.
    pub fn hides_words(&self, sql: &[u8]) -> bool {
        let utf8 = self.charset.as_deref().is_none_or(|name| name.to_ascii_lowercase().starts_with("utf8"));
        let bare = |token: &Token| token.kind == Kind::Word && !sql[token.span.clone()].is_ascii();
        !utf8 && tokens(sql, self.quoting()).iter().any(bare)
    }

    /// How quotes are read under this session.
    pub fn quoting(&self) -> Quoting {
        let has = |name: &str| {
            self.sql_mode.as_deref().unwrap_or_default().split(',').any(|mode| mode.trim().eq_ignore_ascii_case(name))
        };
        Quoting {
            ansi_quotes: ["ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"].into_iter().any(has),
            no_backslash_escapes: has("NO_BACKSLASH_ESCAPES"),
        }
    }

    /// The statement that puts a connection into this session, on top of the loader's own settings.
    pub fn to_sql(&self, default_mode: &str) -> String {
        let charset = self.charset.as_deref().unwrap_or("utf8mb4");
        let names = match &self.collation {
            Some(collation) => format!("NAMES {charset} COLLATE {collation}"),
            None => format!("NAMES {charset}"),
        };
        let zone = self.time_zone.as_deref().map_or("DEFAULT".into(), |zone| format!("'{zone}'"));
        format!(
            "SET {names}, SESSION sql_mode='{}', SESSION time_zone={zone}",
            self.sql_mode.as_deref().unwrap_or(default_mode)
        )
    }

    /// The same session under another `sql_mode`.
    #[must_use]
    pub fn under_mode(&self, mode: String) -> Session {
        Session { sql_mode: Some(mode), ..self.clone() }
    }

    /// Takes over one `SET` statement. `Err` says which part is not understood.
    pub fn apply(&mut self, sql: &[u8]) -> Result<(), String> {
        let all = tokens(sql, self.quoting());
        let mut rest = all.get(1..).unwrap_or_default();
        while !rest.is_empty() {
            rest = self.assignment(sql, rest)?;
            match rest.first() {
                None => {}
                Some(comma) if comma.is_sign(sql, b',') => rest = &rest[1..],
                Some(other) => return Err(format!("unexpected {:?} in SET", show(sql, other))),
            }
        }
        Ok(())
    }

    fn assignment<'a>(&mut self, sql: &[u8], list: &'a [Token]) -> Result<&'a [Token], String> {
        let first = list.first().ok_or("SET without a variable")?;
        if first.is(sql, "NAMES") || first.is(sql, "CHARSET") {
            return self.names(sql, &list[1..]);
        }
        if first.is(sql, "CHARACTER") && list.get(1).is_some_and(|token| token.is(sql, "SET")) {
            return self.names(sql, &list[2..]);
        }
        let (target, rest) = variable(sql, list)?;
        let [equals, rest @ ..] = rest else { return Err("SET without a value".into()) };
        let rest = match equals {
            sign if sign.is_sign(sql, b'=') => rest,
            sign if sign.is_sign(sql, b':') && rest.first().is_some_and(|next| next.is_sign(sql, b'=')) => &rest[1..],
            other => return Err(format!("unexpected {:?} in SET", show(sql, other))),
        };
        if matches!(&target, Variable::System(name, _) if name == "gtid_purged") {
            // Never sent, whatever its value; MySQL's own dumps write it in two literals: `'+' '…'`.
            let texts = rest.iter().take_while(|token| token.kind == Kind::Text).count();
            return if texts > 0 { Ok(&rest[texts..]) } else { Err("a GTID set that is none".into()) };
        }
        let (value, rest) = self.value(sql, rest)?;
        self.assign(target, value)?;
        Ok(rest)
    }

    fn names<'a>(&mut self, sql: &[u8], list: &'a [Token]) -> Result<&'a [Token], String> {
        let (value, mut rest) = self.value(sql, list)?;
        self.set_charset(value)?;
        if rest.first().is_some_and(|token| token.is(sql, "COLLATE")) {
            let (value, after) = self.value(sql, &rest[1..])?;
            self.collation = checked_name(value)?;
            rest = after;
        }
        Ok(rest)
    }

    fn set_charset(&mut self, value: Option<String>) -> Result<(), String> {
        let charset = checked_name(value)?;
        if let Some(name) = &charset
            && !PLAIN_CHARSETS.contains(&name.to_ascii_lowercase().as_str())
        {
            return Err(format!("the character set {name} can hide quotes"));
        }
        self.charset = charset;
        self.collation = None;
        Ok(())
    }

    fn value<'a>(&mut self, sql: &[u8], list: &'a [Token]) -> Result<(Option<String>, &'a [Token]), String> {
        let first = list.first().ok_or("SET without a value")?;
        match first.kind {
            Kind::Text => {
                let raw = &sql[first.span.clone()];
                let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
                let text = std::str::from_utf8(inner).map_err(|_| "a value that is not text".to_owned())?;
                if text.contains(['\'', '"', '\\']) {
                    return Err(format!("the value {text:?}"));
                }
                // `'' 'x'` would be one literal to the server.
                if list.get(1).is_some_and(|next| next.kind == Kind::Text) {
                    return Err("a value in several parts".into());
                }
                Ok((Some(text.to_owned()), &list[1..]))
            }
            Kind::Word if first.is(sql, "DEFAULT") => Ok((None, &list[1..])),
            Kind::Word | Kind::QuotedName => Ok((Some(first.name(sql).ok_or("a value that is not text")?), &list[1..])),
            Kind::Sign if first.is_sign(sql, b'@') => {
                let (source, rest) = variable(sql, list)?;
                let value = match source {
                    Variable::User(name) => {
                        let value = self.saved.get(&name).cloned().flatten();
                        self.used.insert(name);
                        value
                    }
                    Variable::System(name, _) => self.current(&name),
                };
                Ok((value, rest))
            }
            _ => Err(format!("the value {:?}", show(sql, first))),
        }
    }

    fn current(&self, name: &str) -> Option<String> {
        match name {
            "character_set_client" | "character_set_connection" => self.charset.clone(),
            "collation_connection" => self.collation.clone(),
            "sql_mode" => self.sql_mode.clone(),
            "time_zone" => self.time_zone.clone(),
            _ => None,
        }
    }

    fn assign(&mut self, target: Variable, value: Option<String>) -> Result<(), String> {
        let (name, global) = match target {
            Variable::User(name) => {
                if self.saved.len() >= 1000 {
                    return Err("too many saved variables".into());
                }
                if name.len() + value.as_ref().map_or(0, String::len) > MAX_SAVED {
                    return Err("a saved variable of such a length".into());
                }
                self.saved.insert(name, value);
                return Ok(());
            }
            Variable::System(name, global) => (name, global),
        };
        if global {
            return Err(format!("the global variable {name}"));
        }
        match name.as_str() {
            "sql_mode" => {
                let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b',' | b' ');
                if !value.as_deref().unwrap_or_default().bytes().all(good) {
                    return Err("an sql_mode that is no list of names".into());
                }
                // A number would be a bit set: not written by any dump, not understood here.
                if value.as_deref().is_some_and(|mode| mode.bytes().next().is_some_and(|byte| byte.is_ascii_digit())) {
                    return Err("an sql_mode given as a number".into());
                }
                self.sql_mode = value.map(|mode| known_modes(&mode));
            }
            "time_zone" => {
                let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'+' | b'-' | b':');
                if !value.as_deref().unwrap_or_default().bytes().all(good) {
                    return Err("a time_zone that is none".into());
                }
                self.time_zone = value;
            }
            "character_set_client" | "character_set_connection" => {
                let kept = self.collation.take();
                let before = self.charset.clone();
                self.set_charset(value)?;
                if self.charset == before {
                    self.collation = kept;
                }
            }
            "collation_connection" => self.collation = checked_name(value)?,
            name if IGNORED.contains(&name) => {}
            name => return Err(format!("the variable {name}")),
        }
        Ok(())
    }
}

/// Modes of MySQL that MariaDB does not know are left out, as MariaDB's own client tools do.
fn known_modes(modes: &str) -> String {
    let gone = |mode: &&str| !matches!(mode.to_ascii_uppercase().as_str(), "" | "TIME_TRUNCATE_FRACTIONAL");
    modes.split(',').map(str::trim).filter(gone).collect::<Vec<_>>().join(",")
}

fn checked_name(value: Option<String>) -> Result<Option<String>, String> {
    match value {
        Some(name) if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
            Err(format!("the name {name:?}"))
        }
        other => Ok(other.filter(|name| !name.eq_ignore_ascii_case("NULL"))),
    }
}

enum Variable {
    User(String),
    System(String, bool),
}

/// `@x`, `@@x`, `@@SESSION.x`, `SESSION x`, `x`.
fn variable<'a>(sql: &[u8], list: &'a [Token]) -> Result<(Variable, &'a [Token]), String> {
    let sign = |at: usize, byte: u8| list.get(at).is_some_and(|token| token.is_sign(sql, byte));
    let name = |at: usize| -> Result<String, String> {
        let token = list.get(at).ok_or("SET without a variable")?;
        let text = token.name(sql).ok_or_else(|| format!("unexpected {:?} in SET", show(sql, token)))?;
        Ok(text.to_ascii_lowercase())
    };
    if sign(0, b'@') && !sign(1, b'@') {
        return Ok((Variable::User(name(1)?), &list[2..]));
    }
    let at = if sign(0, b'@') { 2 } else { 0 };
    let first = name(at)?;
    if matches!(first.as_str(), "session" | "local" | "global") {
        let after = if sign(at + 1, b'.') { at + 2 } else { at + 1 };
        return Ok((Variable::System(name(after)?, first == "global"), &list[after + 1..]));
    }
    Ok((Variable::System(first, false), &list[at + 1..]))
}

fn show(sql: &[u8], token: &Token) -> String {
    String::from_utf8_lossy(&sql[token.span.clone()]).chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Session {
        let mut session = Session::default();
        for line in lines {
            session.apply(line.as_bytes()).unwrap_or_else(|why| panic!("{line}: {why}"));
        }
        session
    }

    #[test]
    fn the_head_of_a_dump_is_understood_and_its_tail_puts_things_back() {
        let head = [
            " SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT ",
            " SET NAMES utf8mb4 ",
            "SET @OLD_TIME_ZONE=@@TIME_ZONE",
            "SET TIME_ZONE='+00:00'",
            "SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0",
            "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'",
        ];
        let session = after(&head);
        assert_eq!(
            session.to_sql("X"),
            "SET NAMES utf8mb4, SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', SESSION time_zone='+00:00'"
        );
        let tail = [
            &head[..],
            &["SET TIME_ZONE=@OLD_TIME_ZONE", "SET SQL_MODE=@OLD_SQL_MODE", "SET SQL_NOTES=@OLD_SQL_NOTES"],
        ]
        .concat();
        assert_eq!(after(&tail).to_sql("X"), "SET NAMES utf8mb4, SESSION sql_mode='X', SESSION time_zone=DEFAULT");
    }

    #[test]
    fn saving_and_restoring_the_character_set_keeps_it() {
        let session = after(&[
            "SET NAMES utf8",
            "SET @s = @@character_set_client",
            "SET character_set_client = utf8mb4",
            "SET character_set_client = @s",
        ]);
        assert_eq!(session.charset.as_deref(), Some("utf8"));
    }

    #[test]
    fn what_could_harm_or_confuse_is_refused() {
        for bad in [
            "SET GLOBAL general_log=1",
            "SET @@GLOBAL.local_infile=1",
            "SET NAMES gbk",
            "SET character_set_client=sjis",
            "SET NAMES big5",
            "SET sql_mode=(SELECT 1)",
            "SET sql_mode=concat('a','b')",
            "SET sql_mode=2",
            "SET sql_mode='a\\'b'",
            "SET PASSWORD = 'x'",
            "SET PASSWORD FOR root@localhost = 'x'",
            "SET @x = (SELECT load_file('/etc/passwd'))",
            "SET ROLE admin",
            "SET STATEMENT max_statement_time=1 FOR DROP TABLE x",
            "SET init_connect='x'",
            "SET",
            "SET a",
            &format!("SET @x='{}'", "x".repeat(MAX_SAVED)),
        ] {
            let refused = Session::default().apply(bad.as_bytes()).is_err();
            assert!(refused || bad == "SET", "{bad}");
        }
    }

    #[test]
    fn a_bare_name_beyond_ascii_is_certain_in_utf8_alone() {
        let sql = "CREATE TABLE \u{a0}SELECT * FROM victim.t".as_bytes();
        for (charset, hides) in [("utf8mb4", false), ("UTF8", false), ("latin1", true), ("macroman", true)] {
            assert_eq!(after(&[&format!("SET NAMES {charset}")]).hides_words(sql), hides, "{charset}");
        }
        let quoted = "CREATE TABLE `é` (x int DEFAULT 'é') -- é".as_bytes();
        assert!(!after(&["SET NAMES latin1"]).hides_words(quoted));
    }

    #[test]
    fn sql_mode_decides_how_quotes_are_read() {
        assert!(after(&["SET sql_mode='ansi_quotes'"]).quoting().ansi_quotes);
        assert!(after(&["SET sql_mode='STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'"]).quoting().no_backslash_escapes);
        assert_eq!(after(&["SET sql_mode=''"]).quoting(), Quoting::default());
    }
}
