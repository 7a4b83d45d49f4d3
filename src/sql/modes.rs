//! Words of `sql_mode`: which server knows which, and what stands for one that a server does not know.

use crate::sql::versioned::Dialect;
use std::borrow::Cow;

/// Stands in a list for the words of the server that reads the dump; no text of a dump holds it.
pub const OWN: &str = "\u{1}own";
/// Before a word that is taken out of those.
const WITHOUT: char = '\u{2}';
/// Words by which quotes are read in another way.
const QUOTING: &[&str] =
    &["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"];

/// Known to every server in use.
const COMMON: &[&str] = &[
    "REAL_AS_FLOAT",
    "PIPES_AS_CONCAT",
    "ANSI_QUOTES",
    "IGNORE_SPACE",
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    "NO_AUTO_VALUE_ON_ZERO",
    "NO_BACKSLASH_ESCAPES",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "HIGH_NOT_PRECEDENCE",
    "NO_ENGINE_SUBSTITUTION",
    "PAD_CHAR_TO_FULL_LENGTH",
    "ANSI",
];
/// Known to MariaDB, and to MySQL until 5.7.
const OLD: &[&str] = &[
    "NO_AUTO_CREATE_USER",
    "POSTGRESQL",
    "ORACLE",
    "MSSQL",
    "DB2",
    "MAXDB",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
    "NO_FIELD_OPTIONS",
    "MYSQL323",
    "MYSQL40",
    "NOT_USED",
];
/// MariaDB's own, with the version they came in.
const MARIADB: &[(&str, u32)] = &[
    ("IGNORE_BAD_TABLE_OPTIONS", 50_200),
    ("SIMULTANEOUS_ASSIGNMENT", 100_300),
    ("EMPTY_STRING_IS_NULL", 100_300),
    ("TIME_ROUND_FRACTIONAL", 100_400),
];
/// MySQL's own, with the version it came in.
const MYSQL: &[(&str, u32)] = &[("TIME_TRUNCATE_FRACTIONAL", 80_000)];
/// MySQL 8 knows none of [`OLD`].
const MYSQL_8: u32 = 80_000;

/// The words of a list, blanks and empty ones left out.
pub fn listed(modes: &str) -> impl Iterator<Item = &str> {
    modes.split(',').map(str::trim).filter(|mode| !mode.is_empty())
}

/// The list without what `words` names; of the server's own words they are gone when it is known which those are.
pub fn without(modes: &str, words: &str) -> String {
    let goes = |word: &&str| listed(words).any(|other| other.eq_ignore_ascii_case(word));
    let kept = listed(modes).filter(|word| !goes(word)).map(str::to_owned);
    let gone = listed(words).map(|word| format!("{WITHOUT}{}", word.to_ascii_uppercase()));
    let gone: Vec<String> = gone.filter(|gone| is_own(modes) && !listed(modes).any(|word| word == gone)).collect();
    kept.chain(gone).collect::<Vec<_>>().join(",")
}

/// Whether the server's own words are among them.
pub fn is_own(modes: &str) -> bool {
    listed(modes).any(|word| word == OWN)
}

/// The list on a server whose own one is `own`.
pub fn on<'a>(own: &str, modes: &'a str) -> Cow<'a, str> {
    if !is_own(modes) {
        return Cow::Borrowed(modes);
    }
    let gone: Vec<&str> = listed(modes).filter_map(|word| word.strip_prefix(WITHOUT)).collect();
    let stays = |word: &&str| !gone.iter().any(|gone| gone.eq_ignore_ascii_case(word));
    let words =
        listed(own).filter(stays).chain(listed(modes).filter(|word| *word != OWN && !word.starts_with(WITHOUT)));
    Cow::Owned(words.collect::<Vec<_>>().join(","))
}

/// A server's own list as a dump is read under it: what its writer said of quotes stands in the dump, or is the usual.
pub fn with_usual_quotes(own: &str) -> String {
    let usual = |word: &&str| !QUOTING.iter().any(|quoting| quoting.eq_ignore_ascii_case(word));
    listed(own).filter(usual).collect::<Vec<_>>().join(",")
}

/// The first word that no server knows.
pub fn unknown(modes: &str) -> Option<&str> {
    let known = |word: &str| {
        let word = word.strip_prefix(WITHOUT).unwrap_or(word);
        if word == OWN {
            return true;
        }
        let same = |known: &&str| known.eq_ignore_ascii_case(word);
        COMMON.iter().chain(OLD).any(same) || MARIADB.iter().chain(MYSQL).any(|(known, _)| same(known))
    };
    listed(modes).find(|word| !known(word))
}

/// Whether every server in use knows the word.
pub fn is_common(word: &str) -> bool {
    COMMON.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a server knows the word.
pub fn knows(dialect: Dialect, word: &str) -> bool {
    let since = |list: &[(&str, u32)]| {
        list.iter().any(|(known, since)| known.eq_ignore_ascii_case(word) && dialect.version >= *since)
    };
    let among = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(word));
    match dialect.mariadb {
        true => among(COMMON) || among(OLD) || since(MARIADB),
        false => among(COMMON) || (dialect.version < MYSQL_8 && among(OLD)) || since(MYSQL),
    }
}

/// What takes the place of a word that the server does not know: the words it stood for, or nothing.
fn stands_for(word: &str) -> &'static str {
    match word.to_ascii_uppercase().as_str() {
        // How quotes and `||` are read is all of it that this program's statements depend on.
        "POSTGRESQL" | "ORACLE" | "MSSQL" | "DB2" | "MAXDB" => "PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE",
        "MYSQL323" | "MYSQL40" => "HIGH_NOT_PRECEDENCE",
        _ => "",
    }
}

/// The list as the server takes it.
pub fn known(dialect: Dialect, modes: &str) -> String {
    let word = |word| if knows(dialect, word) { word } else { stands_for(word) };
    listed(modes).map(word).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_are_put_in_when_the_server_is_known() {
        let modes = without(&format!("{OWN},ANSI_QUOTES"), "only_full_group_by,");
        let modes = without(&format!("{modes},STRICT_ALL_TABLES"), "STRICT_ALL_TABLES");
        let own = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES";
        assert_eq!(on(own, &modes), "STRICT_TRANS_TABLES,ANSI_QUOTES");
        assert_eq!(on(own, "NO_ZERO_DATE"), "NO_ZERO_DATE");
        assert_eq!(unknown(&modes), None);
        assert_eq!(with_usual_quotes("ANSI,REAL_AS_FLOAT,ansi_quotes,NO_BACKSLASH_ESCAPES"), "REAL_AS_FLOAT");
    }

    #[test]
    fn a_word_stays_where_the_server_knows_it_and_is_replaced_elsewhere() {
        let mysql = |version| Dialect { version, mariadb: false };
        let mariadb = |version| Dialect { version, mariadb: true };
        let modes = "STRICT_TRANS_TABLES, NO_AUTO_CREATE_USER,time_truncate_fractional,ORACLE,TIME_ROUND_FRACTIONAL";
        for (dialect, expected) in [
            (mysql(90_704), "STRICT_TRANS_TABLES,time_truncate_fractional,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE"),
            (mysql(50_744), "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,ORACLE"),
            (mariadb(101_119), "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,ORACLE,TIME_ROUND_FRACTIONAL"),
            (mariadb(100_200), "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,ORACLE"),
        ] {
            assert_eq!(known(dialect, modes), expected, "{dialect:?}");
        }
        assert_eq!((unknown("ansi,,ANSI_QUOTES"), unknown("ANSI,x y")), (None, Some("x y")));
    }
}
