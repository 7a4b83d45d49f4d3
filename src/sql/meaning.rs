//! What a line of a table's shape means, whichever server wrote it: MySQL and MariaDB print the same column in other words. Pure.

use crate::sql::token::is_word;

/// Types whose display width means nothing.
const WHOLE: &[&str] = &["tinyint", "smallint", "mediumint", "int", "bigint"];

/// The line in words that all servers share. Two lines that mean the same give the same.
pub fn meaning(line: &str) -> String {
    let all = pieces(line);
    let mut words: Vec<String> = Vec::with_capacity(all.len());
    let mut rest = all.as_slice();
    // There the width says how many digits are shown, and all servers write it.
    let padded = all.iter().any(|piece| piece == "zerofill");
    while let Some((first, after)) = rest.split_first() {
        let next = |at: usize| after.get(at).map(String::as_str).unwrap_or_default();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        rest = after;
        match first.as_str() {
            // The type, behind the name of the column. `tinyint(1)` says a Boolean to programs, and all servers write it.
            word if (WHOLE.contains(&word) || word == "year")
                && words.len() == 1
                && !padded
                && (word, next(1)) != ("tinyint", "1")
                && (word != "year" || next(1) == "4")
                && next(0) == "("
                && is_number(next(1))
                && next(2) == ")" =>
            {
                words.push(word.to_owned());
                rest = &after[3..];
            }
            // MySQL does not write it of long types, MariaDB does.
            "default" if next(0) == "null" && words.get(1).is_some_and(|word| is_long(word)) => rest = &after[1..],
            // MySQL writes numbers in quotes.
            "default" if unquoted(next(0)).is_some() => {
                words.push("default".to_owned());
                words.extend(unquoted(next(0)).iter().flat_map(|number| pieces(number)));
                rest = &after[1..];
            }
            "current_timestamp" if next(0) == "(" && next(1) == ")" => {
                words.push("current_timestamp".to_owned());
                rest = &after[2..];
            }
            // The kind of index that they all have.
            "using" if next(0) == "btree" => rest = &after[1..],
            word => words.push(match word.strip_prefix("utf8mb3") {
                Some(end) => format!("utf8{end}"),
                None => word.to_owned(),
            }),
        }
    }
    words.join(" ")
}

/// Types that MySQL gives no default by a literal.
fn is_long(word: &str) -> bool {
    word.ends_with("text")
        || word.ends_with("blob")
        || ["json", "geometry", "point", "polygon", "linestring"].contains(&word)
}

/// A number in quotes, without them.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let plain = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    plain.then(|| inner.to_owned())
}

/// Words in lower case, quoted pieces as they are, and signs; white space is gone.
fn pieces(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '\'' | '"' | '`' => quoted(rest, letter),
            letter if letter.is_whitespace() => {
                rest = &rest[letter.len_utf8()..];
                continue;
            }
            letter if letter.is_ascii() && !is_word(letter as u8) => 1,
            _ => rest
                .find(|letter: char| letter.is_ascii() && !is_word(letter as u8))
                .unwrap_or(rest.len())
                .max(letter.len_utf8()),
        };
        let piece = &rest[..length];
        let is_quoted = matches!(letter, '\'' | '"' | '`');
        found.push(if is_quoted { piece.to_owned() } else { piece.to_ascii_lowercase() });
        rest = &rest[length..];
    }
    found
}

/// Bytes of a quoted piece, its quotes included.
pub fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            // A doubled quote closes and opens again.
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_the_same_and_what_does_not_is_not() {
        for (mysql, mariadb) in [
            ("`id` int NOT NULL", "`id` int(11) NOT NULL"),
            ("`id` bigint unsigned NOT NULL AUTO_INCREMENT", "`id` bigint(20) unsigned NOT NULL AUTO_INCREMENT"),
            ("`n` int DEFAULT '0'", "`n` int(11) DEFAULT 0"),
            ("`d` decimal(10,2) NOT NULL DEFAULT '-1.50'", "`d` decimal(10,2) NOT NULL DEFAULT -1.50"),
            ("`t` text", "`t` text DEFAULT NULL"),
            ("`w` timestamp NULL DEFAULT CURRENT_TIMESTAMP", "`w` timestamp NULL DEFAULT current_timestamp()"),
            ("`y` year DEFAULT NULL", "`y` year(4) DEFAULT NULL"),
            (") ENGINE=InnoDB DEFAULT CHARSET=utf8mb3", ") ENGINE=InnoDB DEFAULT CHARSET=utf8"),
            ("KEY `k` (`a`) USING BTREE", "KEY `k` (`a`)"),
        ] {
            assert_eq!(meaning(mysql), meaning(mariadb));
        }
        for (one, other) in [
            ("`id` int NOT NULL", "`id` bigint NOT NULL"),
            ("`id` int NOT NULL", "`id` int"),
            ("`v` varchar(9)", "`v` varchar(10)"),
            ("`v` varchar(9) DEFAULT 'A'", "`v` varchar(9) DEFAULT 'a'"),
            ("`v` varchar(9) DEFAULT 'NULL'", "`v` varchar(9) DEFAULT NULL"),
            ("`d` decimal(10,2)", "`d` decimal(10,3)"),
            ("`w` timestamp DEFAULT CURRENT_TIMESTAMP(6)", "`w` timestamp DEFAULT CURRENT_TIMESTAMP"),
            ("`A` int", "`a` int"),
            ("`a` int", "`a` int DEFAULT NULL"),
            ("`a` tinyint(1)", "`a` tinyint(4)"),
            ("`a` year(2)", "`a` year(4)"),
            ("`a` int GENERATED ALWAYS AS (year(20200101))", "`a` int GENERATED ALWAYS AS (year(20210101))"),
            ("`n` int(5) unsigned zerofill", "`n` int(8) unsigned zerofill"),
            (") ENGINE=InnoDB COLLATE=utf8mb4_bin", ") ENGINE=InnoDB COLLATE=utf8mb4_general_ci"),
        ] {
            assert_ne!(meaning(one), meaning(other));
        }
    }
}
