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
    let is_own = |token: &Token| {
        matches!(token.kind, Kind::Word | Kind::QuotedName)
            && token.name(sql).is_some_and(|name| own.iter().any(|own| **own == name))
    };
    let dot = |at: usize| all.get(at).is_some_and(|token| token.is_sign(sql, b'.'));
    let name = |at: usize| {
        all.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::QuotedName) || token.is_sign(sql, b'*'))
    };
    // Where something else of the statement has the schema's name, a table or an alias, only the places that cannot mean it count.
    let ambiguous = (0..all.len()).any(|at| is_own(&all[at]) && !dot(at + 1));
    let mut text: Option<Vec<u8>> = None;
    let mut kept = 0;
    for at in 0..all.len() {
        let part_of_another = at > 0 && dot(at - 1);
        if !is_own(&all[at]) || part_of_another || !dot(at + 1) || !name(at + 2) {
            continue;
        }
        let after = |word: &str| at > 0 && all[at - 1].is(sql, word);
        let names_table =
            ["FROM", "JOIN", "INTO", "TABLE", "UPDATE", "REFERENCES", "ON", "EXISTS", "VIEW", "TRIGGER", "CALL"]
                .into_iter()
                .any(after);
        if ambiguous && !dot(at + 3) && !names_table {
            continue;
        }
        let written = text.get_or_insert_with(|| Vec::with_capacity(sql.len()));
        written.extend_from_slice(&sql[kept..all[at].span.start]);
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
        ] {
            assert_eq!(own(sql), expected, "{sql}");
        }
    }
}
