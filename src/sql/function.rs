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
    // `SET` is a type, and part of `CHARACTER SET`, before it begins a statement.
    let is_at = |at: usize, word: &str| rest.get(at).is_some_and(|token| token.is(bytes, word));
    let begins = |at: usize| {
        let of_type = at == 0 || ["CHARACTER", "CHAR"].iter().any(|word| is_at(at - 1, word));
        body.iter().any(|word| is_at(at, word)) && !(of_type && is_at(at, "SET"))
    };
    let end = (0..rest.len()).find(|at| begins(*at)).unwrap_or(rest.len());
    // What is said last counts.
    let (mut same, mut reads) = (false, false);
    for at in 0..end {
        if is_at(at, "DETERMINISTIC") {
            same = at == 0 || !is_at(at - 1, "NOT");
        } else if is_at(at, "SQL") && at > 0 && !is_at(at + 1, "SECURITY") {
            reads = ["NO", "READS"].iter().any(|word| is_at(at - 1, word));
        }
    }
    same || reads
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
            ("RETURNS varchar(9) CHARACTER SET utf8mb4 DETERMINISTIC RETURN 'x'", true),
            ("RETURNS int DETERMINISTIC NOT DETERMINISTIC RETURN 1", false),
            ("RETURNS int READS SQL DATA CONTAINS SQL RETURN 1", false),
            ("RETURNS int READS SQL DATA SQL SECURITY INVOKER RETURN 1", true),
            ("RETURNS int LANGUAGE SQL RETURN 1", false),
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
