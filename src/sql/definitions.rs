//! What stands between the brackets of a `CREATE TABLE`.

use crate::sql::token::Token;
use std::ops::Range;

/// The definitions between the brackets of a `CREATE TABLE`, as ranges of its tokens, and the place of the closing bracket.
pub fn definitions(sql: &[u8], all: &[Token]) -> Option<(Vec<Range<usize>>, usize)> {
    let open = all.iter().position(|token| token.is_sign(sql, b'('))?;
    let (mut depth, mut first) = (0_u32, open + 1);
    let mut found = Vec::new();
    for (at, token) in all.iter().enumerate().skip(open) {
        if token.is_sign(sql, b'(') {
            depth += 1;
        } else if token.is_sign(sql, b')') {
            depth -= 1;
        }
        let ends = depth == 0 || (depth == 1 && token.is_sign(sql, b','));
        if ends && at > open {
            found.push(first..at);
            first = at + 1;
        }
        if depth == 0 {
            return Some((found, at));
        }
    }
    None
}

/// Whether a definition is that of a column: not of a key, a check or a period.
pub fn is_column(sql: &[u8], part: &[Token]) -> bool {
    let is = |at: usize, word: &str| part.get(at).is_some_and(|token| token.is(sql, word));
    let others = ["PRIMARY", "CONSTRAINT", "FOREIGN", "CHECK", "KEY", "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL"];
    let of_a_vector = is(0, "VECTOR") && (is(1, "KEY") || is(1, "INDEX"));
    let of_time = is(0, "PERIOD") && is(1, "FOR");
    !part.is_empty() && !of_a_vector && !of_time && !others.iter().any(|word| is(0, word))
}
