//! The dump's own schema, where its statements name it: `site`.`t` is `t` in whatever schema the dump is loaded into.

use crate::sql::token::{Kind, Quoting, Token, tokens};
use std::borrow::Cow;

/// The statement without the names of its own schema; any other schema's name stays.
pub fn without<'a>(sql: &'a [u8], quoting: Quoting, own: &[String]) -> Cow<'a, [u8]> {
    let named = |name: &&String| !name.is_empty() && memchr::memmem::find(sql, name.as_bytes()).is_some();
    let own: Vec<&String> = own.iter().filter(named).collect();
    if own.is_empty() {
        return Cow::Borrowed(sql);
    }
    let all = tokens(sql, quoting);
    let is = |at: usize, word: &str| all.get(at).is_some_and(|token| token.is(sql, word));
    let sign = |at: usize, byte: u8| all.get(at).is_some_and(|token| token.is_sign(sql, byte));
    let is_name = |at: usize| all.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::QuotedName));
    // `site`@`localhost` is an account, `@site` a variable.
    let account = |at: usize| sign(at + 1, b'@') || at > 0 && sign(at - 1, b'@');
    let named = |at: usize| all[at].name(sql).filter(|_| is_name(at) && !account(at));
    let dot = |at: usize| sign(at, b'.');
    // Where something else of the statement has the schema's name, a table or an alias, only the places that cannot mean it count.
    let ambiguous = (0..all.len())
        .any(|at| !dot(at + 1) && named(at).is_some_and(|name| own.iter().any(|own| own.eq_ignore_ascii_case(&name))));
    let makes_trigger = all.iter().take_while(|token| !token.is(sql, "ON")).any(|token| token.is(sql, "TRIGGER"));
    let mut brackets = Vec::new();
    let mut text: Option<Vec<u8>> = None;
    let mut kept = 0;
    for at in 0..all.len() {
        if sign(at, b'(') {
            // `EXTRACT(YEAR FROM d)` names no table.
            brackets
                .push(at > 0 && ["EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID"].iter().any(|word| is(at - 1, word)));
        } else if sign(at, b')') {
            brackets.pop();
        }
        let part_of_another = at > 0 && dot(at - 1);
        let name = named(at).filter(|name| own.contains(&name));
        let Some(name) = name.filter(|_| !part_of_another && dot(at + 1) && is_name(at + 2)) else { continue };
        // The rows of a trigger.
        if makes_trigger && (name.eq_ignore_ascii_case("old") || name.eq_ignore_ascii_case("new")) {
            continue;
        }
        if ambiguous && !dot(at + 3) && !names_table(sql, &all[..at], brackets.last() == Some(&true)) {
            continue;
        }
        let written = text.get_or_insert_with(|| Vec::with_capacity(sql.len()));
        written.extend_from_slice(&sql[kept..all[at].span.start]);
        // What stood on both sides stays apart.
        if written.last().is_some_and(|last| !last.is_ascii_whitespace() && !matches!(last, b'(' | b',')) {
            written.push(b' ');
        }
        kept = all[at + 1].span.end;
    }
    match text {
        None => Cow::Borrowed(sql),
        Some(mut text) => {
            text.extend_from_slice(&sql[kept..]);
            Cow::Owned(text)
        }
    }
}

/// Whether a table or an object is named behind these tokens, and never a column.
fn names_table(sql: &[u8], before: &[Token], in_function: bool) -> bool {
    let back = |steps: usize| before.len().checked_sub(steps).and_then(|at| before.get(at));
    let is =
        |steps: usize, words: &[&str]| back(steps).is_some_and(|token| words.iter().any(|word| token.is(sql, word)));
    if is(1, &["ON"]) {
        // That of a trigger or of an index; that of a join names columns.
        let index = before.iter().take(5).any(|token| token.is(sql, "INDEX")) && before[0].is(sql, "CREATE");
        return index || is(2, &["INSERT", "UPDATE", "DELETE"]) && is(3, &["BEFORE", "AFTER"]);
    }
    match is(1, &["FROM"]) {
        true => !in_function,
        // `ON DUPLICATE KEY UPDATE` is followed by columns.
        false if is(1, &["UPDATE"]) => !is(2, &["KEY"]),
        false => is(1, &["JOIN", "INTO", "TABLE", "REFERENCES", "EXISTS", "VIEW", "TRIGGER", "CALL"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(sql: &str) -> String {
        let text = without(sql.as_bytes(), Quoting::default(), &["site".into()]);
        String::from_utf8(text.into_owned()).unwrap()
    }

    #[test]
    fn the_own_schema_goes_and_every_other_stays() {
        for (sql, expected) in [
            ("CREATE TABLE `site`.`a` (x int)", "CREATE TABLE `a` (x int)"),
            (
                "create view v as select `site`.`u`.`id` AS `id`,(select count(0) from `site`.`o`) from `site`.`u`",
                "create view v as select `u`.`id` AS `id`,(select count(0) from `o`) from `u`",
            ),
            (
                "CREATE TABLE b (a int, FOREIGN KEY (a) REFERENCES site.a (id))",
                "CREATE TABLE b (a int, FOREIGN KEY (a) REFERENCES a (id))",
            ),
            (
                "CREATE VIEW v AS SELECT * FROM victim.t, `other`.`site`",
                "CREATE VIEW v AS SELECT * FROM victim.t, `other`.`site`",
            ),
            (
                "CREATE VIEW v AS SELECT 'site.t', `site`.`f`(1) FROM t",
                "CREATE VIEW v AS SELECT 'site.t', `f`(1) FROM t",
            ),
            // A table or an alias of the schema's name.
            (
                "CREATE VIEW v AS SELECT site.id, site.site.x FROM site.site JOIN t AS site",
                "CREATE VIEW v AS SELECT site.id, site.x FROM site JOIN t AS site",
            ),
            ("CREATE TABLE t (`sites` int)", "CREATE TABLE t (`sites` int)"),
            (
                "CREATE VIEW v AS SELECT * FROM site JOIN orders ON site.id = orders.sid",
                "CREATE VIEW v AS SELECT * FROM site JOIN orders ON site.id = orders.sid",
            ),
            (
                "CREATE VIEW v AS SELECT EXTRACT(YEAR FROM site.d) FROM site.site",
                "CREATE VIEW v AS SELECT EXTRACT(YEAR FROM site.d) FROM site",
            ),
            (
                "CREATE TRIGGER site.t BEFORE INSERT ON site.site FOR EACH ROW SET @x=1",
                "CREATE TRIGGER t BEFORE INSERT ON site FOR EACH ROW SET @x=1",
            ),
            ("CREATE UNIQUE INDEX i ON site.site (x)", "CREATE UNIQUE INDEX i ON site (x)"),
            // A user of the schema's name makes nothing uncertain.
            (
                "CREATE DEFINER=`site`@`localhost` VIEW v AS SELECT `site`.`f`(1), @site.x FROM t",
                "CREATE DEFINER=`site`@`localhost` VIEW v AS SELECT `f`(1), @site.x FROM t",
            ),
        ] {
            assert_eq!(own(sql), expected, "{sql}");
        }
    }

    #[test]
    fn the_rows_of_a_trigger_are_no_schema() {
        let sql = b"CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW SET new.x = old.x";
        for name in ["old", "new"] {
            assert_eq!(without(sql, Quoting::default(), &[name.into()]), Cow::Borrowed(&sql[..]));
        }
    }

    #[test]
    fn nothing_is_glued_where_a_name_goes() {
        for (sql, expected) in [
            (
                "CREATE TABLE t (x int) /site.*!50000 COMMENT='unseen' */",
                "CREATE TABLE t (x int) /site.*!50000 COMMENT='unseen' */",
            ),
            ("SELECT `a`site.`b`, -site.-1", "SELECT `a` `b`, -site.-1"),
        ] {
            assert_eq!(own(sql), expected);
        }
    }
}
