//! What a CREATE TRIGGER is about. Pure.

use crate::sql::insert::qualified;
use crate::sql::quote_name;
use crate::sql::statement::Name;
use crate::sql::token::{Quoting, tokens};

/// A CREATE TRIGGER in its pieces.
#[derive(Debug, PartialEq, Eq)]
pub struct Trigger<'a> {
    /// Its own name.
    pub name: String,
    /// The table whose changes it follows.
    pub table: Name,
    /// When: `BEFORE INSERT`, `AFTER INSERT OR UPDATE` (MariaDB 12) and their like.
    pub time: &'a str,
    /// `FOR EACH ROW` and everything behind it.
    pub rest: &'a str,
}

impl<'a> Trigger<'a> {
    /// Reads it; its definer and its own schema are passed over. `None` for a text that is none, or is of a form that not every server knows.
    pub fn parse(sql: &'a str, quoting: Quoting) -> Option<Trigger<'a>> {
        let bytes = sql.as_bytes();
        let all = tokens(bytes, quoting);
        let trigger = all.iter().position(|token| token.is(bytes, "TRIGGER"))?;
        let mut left = &all[trigger + 1..];
        let guard = ["IF", "NOT", "EXISTS"];
        if left.len() > 3 && left.iter().zip(guard).all(|(token, word)| token.is(bytes, word)) {
            left = &left[3..];
        }
        let (_, name) = qualified(bytes, &mut left)?;
        let on = left.iter().position(|token| token.is(bytes, "ON"))?;
        let words = ["BEFORE", "AFTER", "INSERT", "UPDATE", "DELETE", "OR"];
        if on == 0 || !left[..on].iter().all(|token| words.iter().any(|word| token.is(bytes, word))) {
            return None;
        }
        let time = &sql[left[0].span.start..left[on - 1].span.end];
        left = &left[on + 1..];
        let (schema, table) = qualified(bytes, &mut left)?;
        let rest = &sql[left.first()?.span.start..];
        Some(Trigger { name, table: Name { schema, name: table }, time, rest })
    }

    /// The statement that creates it in `schema`, and nowhere else, to run as `definer` (`` `user`@`host` ``).
    pub fn create_in(&self, schema: &str, definer: &str) -> String {
        let full = |name: &str| format!("{}.{}", quote_name(schema), quote_name(name));
        let (name, table) = (full(&self.name), full(&self.table.name));
        format!("CREATE DEFINER={definer} TRIGGER {name} {} ON {table} {}", self.time, self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_created_in_the_schema_that_is_asked_for_whatever_it_names() {
        for sql in [
            "CREATE DEFINER=`root`@`on` TRIGGER `on` AFTER INSERT ON `we``ird \"t\"` FOR EACH ROW SET @x=1",
            "CREATE TRIGGER if not exists other.`on` AFTER INSERT ON other.`we``ird \"t\"` FOR EACH ROW SET @x=1",
            "CREATE OR REPLACE TRIGGER site . `on`AFTER INSERT ON site.`we``ird \"t\"`FOR EACH ROW SET @x=1",
        ] {
            let trigger = Trigger::parse(sql, Quoting::default()).unwrap_or_else(|| panic!("{sql}"));
            assert_eq!((trigger.name.as_str(), trigger.table.name.as_str()), ("on", "we`ird \"t\""));
            assert_eq!(
                trigger.create_in("rvs`1", "`s`@`h`"),
                "CREATE DEFINER=`s`@`h` TRIGGER `rvs``1`.`on` AFTER INSERT ON `rvs``1`.`we``ird \"t\"` FOR EACH ROW SET @x=1"
            );
        }
        let later = "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON a FOR EACH ROW SET @x=1";
        assert_eq!(Trigger::parse(later, Quoting::default()).unwrap().time, "BEFORE INSERT OR UPDATE");
        for sql in ["CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t BEFORE INSERT, DELETE ON a FOR EACH ROW SET @x=1"] {
            assert_eq!(Trigger::parse(sql, Quoting::default()), None, "{sql}");
        }
    }
}
