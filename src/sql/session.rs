//! The session a dump sets up for itself. `SET` lines are interpreted here and never sent: only values
//! that were understood reach the server, in a form of our own.

use crate::sql::modes;
use crate::sql::token::{Kind, Quoting, Token, escapes, tokens};
use std::collections::{BTreeSet, HashMap};

/// What of a session changes the meaning of the statements that follow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Character set of the dump's bytes; `None`: the server's own choice (utf8mb4 is used).
    pub charset: Option<String>,
    /// Collation of literals.
    pub collation: Option<String>,
    /// `sql_mode`; `None`: the server's default. A list may hold the server's own words under a name: [`modes::on`].
    pub sql_mode: Option<String>,
    /// `time_zone`; `None`: the server's default.
    pub time_zone: Option<String>,
    /// Switches that decide what the server takes, in the order in which they are set: [`SWITCHES`].
    switches: [Option<bool>; SWITCHES.len()],
    /// What it says of foreign keys: many a dump begins by switching their checks off, and ends by switching them on.
    keys: Option<bool>,
    /// Saved values: `@name` to the text of a value.
    saved: HashMap<String, Option<String>>,
    /// Bytes of the saved values with their names.
    saved_bytes: usize,
    /// Saved values that were set back.
    used: BTreeSet<String>,
    /// The value in hand was made of one that is the server's own and not known here.
    unsure: bool,
}

/// Longest value that is saved under a name, and bytes of all of them with their names.
const MAX_SAVED: usize = 1000;
const MAX_ALL_SAVED: usize = 64 << 10;
/// Most values that a function is given.
const MAX_GIVEN: usize = 100;

/// Character sets in which every byte below 0x80 stands for itself, wherever it is met. In others a
/// quote or backslash could be the second half of a character.
const PLAIN_CHARSETS: &[&str] = &[
    "ascii", "binary", "utf8", "utf8mb3", "utf8mb4", "latin1", "latin2", "latin5", "latin7", "koi8r", "koi8u", "greek",
    "hebrew", "tis620", "armscii8", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8", "hp8",
    "macce", "macroman", "geostd8", "keybcs2", "ujis", "euckr", "gb2312", "eucjpms",
];

/// Variables that loosen what the server takes of the site's own rows: what a dump says of them is done, where the server has them.
/// `system_versioning_insert_history` is what a dump with the history of its tables needs.
pub const SWITCHES: [&str; 3] = ["innodb_strict_mode", "check_constraint_checks", HISTORY];
const HISTORY: &str = "system_versioning_insert_history";

/// Variables that a dump has no business with, although nothing it says of them is ever sent.
const REFUSED: &[&str] = &[
    "password",
    "role",
    "init_connect",
    "init_file",
    "init_slave",
    "init_replica",
    "local_infile",
    "general_log",
    "general_log_file",
    "slow_query_log_file",
    "secure_file_priv",
    "secure_auth",
    "read_only",
    "super_read_only",
    "server_id",
    "gtid_next",
    "pseudo_thread_id",
    "pseudo_slave_mode",
    "proxy_user",
    "debug",
    "debug_dbug",
    "plugin_dir",
];

impl Session {
    /// Whether a connection set up for `other` can be used for this one.
    pub fn same_settings(&self, other: &Session) -> bool {
        let facts = |session: &Session| {
            [&session.charset, &session.collation, &session.sql_mode, &session.time_zone].map(Clone::clone)
        };
        facts(self) == facts(other) && self.switches == other.switches
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
        Session { saved: HashMap::new(), saved_bytes: 0, used: BTreeSet::new(), ..self.clone() }
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

    /// The statements that set what the dump says of [`SWITCHES`].
    pub fn switches(&self) -> impl Iterator<Item = (&'static str, String)> {
        let said = SWITCHES.into_iter().zip(self.switches).filter_map(|(name, value)| Some((name, value?)));
        said.map(|(name, on)| (name, format!("SET SESSION {name}={}", u8::from(on))))
    }

    /// Whether foreign keys are checked, as far as the dump says so.
    pub fn checks_keys(&self) -> Option<bool> {
        self.keys
    }

    /// What a variable of the dump was set to.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.saved.get(name)?.as_deref()
    }

    /// Names under which settings are saved now.
    pub fn saved(&self) -> impl Iterator<Item = &str> {
        self.saved.keys().map(String::as_str).filter(|name| name.starts_with("old_"))
    }

    /// Whether what was saved under the name was set back since.
    pub fn is_set_back(&self, name: &str) -> bool {
        self.used.contains(name)
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
        let scoped = usize::from(first.is(sql, "SESSION") || first.is(sql, "LOCAL"));
        if list.get(scoped).is_some_and(|token| token.is(sql, "TRANSACTION")) {
            // Isolation and access of what follows: the loader has its own.
            let words = [
                "ISOLATION",
                "LEVEL",
                "READ",
                "WRITE",
                "ONLY",
                "COMMITTED",
                "UNCOMMITTED",
                "REPEATABLE",
                "SERIALIZABLE",
            ];
            let known = |token: &&Token| token.is_sign(sql, b',') || words.iter().any(|word| token.is(sql, word));
            let rest = &list[scoped + 1..];
            return Ok(&rest[rest.iter().take_while(known).count()..]);
        }
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
        self.unsure = false;
        let (value, rest) = self.value(sql, rest)?;
        let assigned = self.assign(target, value);
        self.unsure = false;
        assigned?;
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
        let charset = checked_name(value)?.map(|name| name.to_ascii_lowercase());
        if let Some(name) = &charset
            && !PLAIN_CHARSETS.contains(&name.as_str())
        {
            return Err(format!("the character set {name} can hide quotes"));
        }
        self.charset = charset;
        self.collation = None;
        Ok(())
    }

    /// A value: a literal, a variable, or one of the few functions with which dumps choose between the two.
    fn value<'a>(&mut self, sql: &[u8], list: &'a [Token]) -> Result<(Option<String>, &'a [Token]), String> {
        self.nested_value(sql, list, 0)
    }

    fn nested_value<'a>(
        &mut self,
        sql: &[u8],
        list: &'a [Token],
        depth: u32,
    ) -> Result<(Option<String>, &'a [Token]), String> {
        if depth > 8 {
            return Err("a value nested too deep".into());
        }
        let (value, rest) = self.single_value(sql, list, depth)?;
        if !rest.first().is_some_and(|token| token.is(sql, "IS")) {
            return Ok((value, rest));
        }
        let not = rest.get(1).is_some_and(|token| token.is(sql, "NOT"));
        let rest = &rest[1 + usize::from(not)..];
        if !rest.first().is_some_and(|token| token.is(sql, "NULL")) {
            return Err("a comparison".into());
        }
        Ok((Some(u8::from(value.is_none() != not).to_string()), &rest[1..]))
    }

    fn single_value<'a>(
        &mut self,
        sql: &[u8],
        list: &'a [Token],
        depth: u32,
    ) -> Result<(Option<String>, &'a [Token]), String> {
        let first = list.first().ok_or("SET without a value")?;
        let opens = list.get(1).is_some_and(|next| next.is_sign(sql, b'('));
        match first.kind {
            Kind::Text if sql[first.span.clone()].iter().any(|byte| matches!(byte, 1 | 2)) => {
                Err("a value with control characters".into())
            }
            Kind::Text => {
                // `'' 'x'` would be one literal to the server.
                if list.get(1).is_some_and(|next| next.kind == Kind::Text) {
                    return Err("a value in several parts".into());
                }
                Ok((Some(self.literal(&sql[first.span.clone()])?), &list[1..]))
            }
            Kind::Word if opens => self.function(sql, list, depth),
            Kind::Word if first.is(sql, "DEFAULT") || first.is(sql, "NULL") => Ok((None, &list[1..])),
            Kind::Word | Kind::QuotedName => {
                let name = first.name(sql).ok_or("a value that is not text")?;
                let digits = |token: Option<&Token>| {
                    token.map(|token| &sql[token.span.clone()]).filter(|text| text.iter().all(u8::is_ascii_digit))
                };
                let fraction = digits(list.get(2)).filter(|_| list.get(1).is_some_and(|dot| dot.is_sign(sql, b'.')));
                match (digits(Some(first)), fraction) {
                    (Some(_), Some(fraction)) => {
                        Ok((Some(format!("{name}.{}", String::from_utf8_lossy(fraction))), &list[3..]))
                    }
                    _ => Ok((Some(name), &list[1..])),
                }
            }
            Kind::Sign if first.is_sign(sql, b'@') => {
                let (source, rest) = variable(sql, list)?;
                let value = match source {
                    Variable::User(name) => {
                        let value = self.saved.get(&name).cloned();
                        if value.is_some() {
                            self.used.insert(name);
                        }
                        value.flatten()
                    }
                    Variable::System(name, _) => self.current(&name),
                };
                Ok((value, rest))
            }
            Kind::Sign if first.is_sign(sql, b'-') => {
                let (value, rest) = self.nested_value(sql, &list[1..], depth + 1)?;
                match value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')) {
                    Some(value) => Ok((Some(format!("-{value}")), rest)),
                    None => Err("a calculation".into()),
                }
            }
            Kind::Sign if first.is_sign(sql, b'(') => {
                let selects = usize::from(list.get(1).is_some_and(|token| token.is(sql, "SELECT")));
                let (value, rest) = self.nested_value(sql, &list[1 + selects..], depth + 1)?;
                match rest.first() {
                    Some(close) if close.is_sign(sql, b')') => Ok((value, &rest[1..])),
                    _ => Err("a subquery".into()),
                }
            }
            _ => Err(format!("the value {:?}", show(sql, first))),
        }
    }

    /// What a string literal stands for.
    fn literal(&self, raw: &[u8]) -> Result<String, String> {
        let quote = raw.first().copied().unwrap_or(b'\'');
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
        let text = std::str::from_utf8(inner).map_err(|_| "a value that is not text".to_owned())?;
        let escapes = escapes(quote, self.quoting());
        let mut found = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if escapes => found.extend(letters.next()),
                // Doubled, or it would have ended the literal.
                letter if letter == char::from(quote) => found.extend(letters.next()),
                letter => found.push(letter),
            }
        }
        Ok(found)
    }

    /// `IFNULL(@OLD_SQL_MODE, '')` and its kin.
    fn function<'a>(
        &mut self,
        sql: &[u8],
        list: &'a [Token],
        depth: u32,
    ) -> Result<(Option<String>, &'a [Token]), String> {
        let name = show(sql, &list[0]).to_ascii_uppercase();
        let mut rest = &list[2..];
        let mut given = Vec::new();
        while !rest.first().is_some_and(|token| token.is_sign(sql, b')')) {
            let (value, after) = self.nested_value(sql, rest, depth + 1)?;
            if given.len() >= MAX_GIVEN || value.as_ref().is_some_and(|value| value.len() > MAX_SAVED) {
                return Err(format!("the function {name} of so much"));
            }
            given.push(value);
            rest = match after.first() {
                Some(comma) if comma.is_sign(sql, b',') => &after[1..],
                Some(close) if close.is_sign(sql, b')') => after,
                _ => return Err(format!("the function {name}")),
            };
        }
        let value = match (name.as_str(), given.as_slice()) {
            ("IFNULL" | "COALESCE" | "NVL", values) => values.iter().flatten().next().cloned(),
            ("IF", [asked, yes, no]) => {
                let holds = asked.as_deref().is_some_and(|value| !matches!(value.trim(), "" | "0"));
                if holds { yes.clone() } else { no.clone() }
            }
            ("NULLIF", [one, other]) => one.clone().filter(|_| one != other),
            ("CONCAT", values) => {
                let parts = values.iter().cloned().collect::<Option<Vec<_>>>();
                self.unsure |= parts.is_none();
                parts.map(|parts| parts.concat())
            }
            ("REPLACE", [Some(text), Some(from), Some(to)]) if modes::is_own(text) => {
                // Which of its words the server has is not known here: they can be taken out, and not exchanged.
                if modes::listed(to).next().is_some() || modes::unknown(from).is_some() {
                    return Err("the function REPLACE on the server's own sql_mode".into());
                }
                Some(modes::without(text, from))
            }
            ("REPLACE", [Some(text), Some(from), Some(to)]) if !from.is_empty() => {
                Some(text.replace(from.as_str(), to))
            }
            ("REPLACE", [None, _, _]) => {
                self.unsure = true;
                None
            }
            ("UPPER" | "LOWER" | "TRIM", [value]) => value.clone(),
            _ => return Err(format!("the function {name}")),
        };
        if value.as_ref().is_some_and(|value| value.len() > MAX_SAVED) {
            return Err("a value of such a length".into());
        }
        Ok((value, &rest[1..]))
    }

    fn current(&self, name: &str) -> Option<String> {
        match name {
            "character_set_client" | "character_set_connection" => self.charset.clone(),
            "collation_connection" => self.collation.clone(),
            "sql_mode" => Some(self.sql_mode.clone().unwrap_or_else(|| modes::OWN.to_owned())),
            "time_zone" => self.time_zone.clone(),
            _ => None,
        }
    }

    fn assign(&mut self, target: Variable, value: Option<String>) -> Result<(), String> {
        let (name, global) = match target {
            Variable::User(name) => {
                let bytes = |value: &Option<String>| name.len() + value.as_ref().map_or(0, String::len);
                let new = bytes(&value);
                if new > MAX_SAVED {
                    return Err("a saved variable of such a length".into());
                }
                let kept = self.saved_bytes - self.saved.get(&name).map_or(0, bytes);
                if kept + new > MAX_ALL_SAVED {
                    return Err("too many saved variables".into());
                }
                self.saved_bytes = kept + new;
                self.used.remove(&name);
                self.saved.insert(name, value);
                return Ok(());
            }
            Variable::System(name, global) => (name, global),
        };
        if global {
            return Err(format!("the global variable {name}"));
        }
        let acts =
            ["sql_mode", "time_zone", "character_set_client", "character_set_connection", "collation_connection"];
        if acts.contains(&name.as_str()) {
            if value.is_none() && self.unsure {
                return Err(format!("a value of {name} made of what the server has"));
            }
            if value.as_ref().is_some_and(|value| value.len() > MAX_SAVED) {
                return Err(format!("a {name} of such a length"));
            }
        }
        match name.as_str() {
            "sql_mode" => {
                // Besides the marks of the server's own words.
                let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b',' | b' ' | 1 | 2);
                if !value.as_deref().unwrap_or_default().bytes().all(good) {
                    return Err("an sql_mode that is no list of names".into());
                }
                // A number would be a bit set: not written by any dump, not understood here.
                if value.as_deref().is_some_and(|mode| mode.bytes().next().is_some_and(|byte| byte.is_ascii_digit())) {
                    return Err("an sql_mode given as a number".into());
                }
                if let Some(unknown) = value.as_deref().and_then(modes::unknown) {
                    return Err(format!("the sql_mode {unknown:?}"));
                }
                let listed = value.map(|mode| modes::listed(&mode).collect::<Vec<_>>().join(","));
                self.sql_mode = listed.filter(|mode| mode != modes::OWN);
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
            name if REFUSED.contains(&name) => return Err(format!("the variable {name}")),
            // The loader sets its own values, or the server keeps its: whatever a dump says of the rest is never sent.
            name => {
                if let Some(at) = SWITCHES.iter().position(|switch| *switch == name) {
                    // Set back to what it was, it is as servers have it by themselves.
                    self.switches[at] = Some(value.as_deref().map_or(name != HISTORY, is_on));
                } else if name == "foreign_key_checks" {
                    self.keys = Some(value.as_deref().is_none_or(is_on));
                }
            }
        }
        Ok(())
    }
}

fn is_on(value: &str) -> bool {
    !matches!(value.to_ascii_uppercase().as_str(), "0" | "OFF" | "FALSE")
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
    fn settings_are_chosen_as_dumps_of_all_kinds_choose_them() {
        let head = [
            "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'",
            "SET @OLD_TIME_ZONE=@@TIME_ZONE",
            "SET TIME_ZONE='+00:00'",
        ];
        for (tail, mode) in [
            ("SET SQL_MODE=IFNULL(@OLD_SQL_MODE, ''), TIME_ZONE=IFNULL(@OLD_TIME_ZONE, 'system')", None),
            ("SET SQL_MODE=IF(@OLD_SQL_MODE IS NULL, 'ANSI', @OLD_SQL_MODE)", None),
            ("SET SQL_MODE=IF(@OLD_SQL_MODE IS NOT NULL, 'ANSI', NULL)", Some("ANSI")),
            ("SET SQL_MODE=IFNULL(@NEVER_SAVED, '')", Some("")),
            (
                "SET SESSION sql_mode=(SELECT REPLACE(@@sql_mode, 'NO_AUTO_VALUE_ON_ZERO', 'ANSI_QUOTES'))",
                Some("ANSI_QUOTES"),
            ),
            (
                "SET sql_mode := CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
                Some("NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES"),
            ),
            ("SET sql_mode=COALESCE(NULL, @NEVER_SAVED, 'ansi')", Some("ansi")),
        ] {
            assert_eq!(after(&[&head[..], &[tail]].concat()).sql_mode.as_deref(), mode, "{tail}");
        }
        let percona =
            "SET @s = IF (@is_rocksdb_supported, 'SET SESSION rocksdb_bulk_load = 1', 'SET @dummy = \\'it''s\\'')";
        assert_eq!(after(&[percona]).variable("s"), Some("SET @dummy = 'it's'"));
    }

    #[test]
    fn words_are_added_to_the_servers_own_and_taken_out_of_them() {
        let mode = |sql: &str| after(&[sql]).sql_mode.unwrap();
        let own = "STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY";
        let added = mode("SET SESSION sql_mode=CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')");
        assert_eq!(modes::on(own, &added), "STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_BACKSLASH_ESCAPES");
        assert!(after(&["SET sql_mode=CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')"]).quoting().no_backslash_escapes);
        let removed = mode("SET sql_mode=(SELECT REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', ''))");
        assert_eq!(modes::on(own, &removed), "STRICT_TRANS_TABLES");
    }

    #[test]
    fn what_loosens_the_server_acts_and_the_rest_is_passed_over() {
        let session = after(&[
            "SET SESSION innodb_strict_mode=OFF, check_constraint_checks=0",
            "SET group_concat_max_len=1000000, sql_safe_updates=0, old_mode='', storage_engine=InnoDB, long_query_time=1.5, x=-1",
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "SET @@session.sql_big_selects = @@sql_big_selects",
        ]);
        let set: Vec<String> = session.switches().map(|(_, sql)| sql).collect();
        assert_eq!(set, ["SET SESSION innodb_strict_mode=0", "SET SESSION check_constraint_checks=0"]);
        assert!(!session.same_settings(&Session::default()));
        assert!(session.same_settings(&session.settings()));
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
            "SET sql_mode='NO_SUCH_MODE'",
            "SET wait_timeout=(SELECT SLEEP(9))",
            "SET @x=IF(1, LOAD_FILE('/etc/passwd'), 2)",
            "SET @x=CONCAT((SELECT user FROM mysql.user), 'x')",
            "SET sql_mode=REPLACE(@@sql_mode, 'STRICT_TRANS_TABLES', 'ANSI')",
            "SET sql_mode=REPLACE(@@sql_mode, 'STRICT', '')",
            "SET sql_mode=CONCAT(@@sql_mode, 'ANSI')",
            "SET sql_mode='\u{1}own'",
            "SET time_zone=CONCAT(@@time_zone, 'x')",
            &format!("SET @x=REPLACE('{}', 'x', '{0}')", "x".repeat(MAX_SAVED + 1)),
            &format!("SET time_zone='{}'", "x".repeat(MAX_SAVED + 1)),
            &(0..100)
                .map(|at| format!("SET @x{at}='{}'", "x".repeat(900)))
                .collect::<Vec<_>>()
                .join(", ")
                .replace(", SET ", ", "),
            "SET TRANSACTION ISOLATION LEVEL x",
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
