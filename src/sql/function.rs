//! What a CREATE FUNCTION says of itself. Pure.

use crate::sql::token::{Quoting, tokens};

/// Whether it says that it gives one result for one input, or that it changes no rows. A MySQL server with a binary log takes no
/// other, whoever makes it, unless it is told to trust (its manual, "Stored Program Binary Logging").
pub fn is_declared(sql: &str, quoting: Quoting) -> bool {
    let bytes = sql.as_bytes();
    let all = tokens(bytes, quoting);
    let Some(returns) = all.iter().position(|token| token.is(bytes, "RETURNS")) else { return true };
    let body = ["BEGIN", "RETURN", "IF", "CASE", "SET", "SELECT", "WHILE", "REPEAT", "LOOP"];
    let rest = &all[returns + 1..];
    // A type may be called SET, as may the first statement.
    let type_at = usize::from(rest.first().is_some_and(|token| token.is(bytes, "SET")));
    let end = rest.iter().skip(type_at).position(|token| body.iter().any(|word| token.is(bytes, word)));
    let said = &rest[..end.map_or(rest.len(), |end| end + type_at)];
    let is = |at: usize, word: &str| said.get(at).is_some_and(|token| token.is(bytes, word));
    (0..said.len()).any(|at| match () {
        () if is(at, "DETERMINISTIC") => at == 0 || !is(at - 1, "NOT"),
        () if is(at, "SQL") => at > 0 && is(at - 1, "NO"),
        () => is(at, "READS") && is(at + 1, "SQL"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_says_what_it_does_or_it_does_not() {
        for (head, declared) in [
            ("RETURNS int DETERMINISTIC RETURN 1", true),
            ("RETURNS int\n    NO SQL\nBEGIN RETURN 1; END", true),
            ("RETURNS varchar(9) CHARSET utf8mb4 READS SQL DATA\n    COMMENT 'x' BEGIN RETURN 'NO SQL'; END", true),
            ("RETURNS set('a','b') DETERMINISTIC RETURN 'a'", true),
            ("RETURNS int RETURN 1", false),
            ("RETURNS int NOT DETERMINISTIC CONTAINS SQL RETURN 1", false),
            ("RETURNS int MODIFIES SQL DATA COMMENT 'DETERMINISTIC' BEGIN SET @no = 1; RETURN 1; END", false),
            ("RETURNS int BEGIN DECLARE DETERMINISTIC int; RETURN 1; END", false),
        ] {
            assert_eq!(
                is_declared(&format!("CREATE FUNCTION f(a int) {head}"), Quoting::default()),
                declared,
                "{head}"
            );
        }
    }
}
