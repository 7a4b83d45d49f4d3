//! Next values of `AUTO_INCREMENT`: what a table's next row gets as its number.
//!
//! InnoDB goes no lower than behind the greatest number that a row has, and what a bulk insert reserved is forgotten by a restart.

use crate::error::Result;
use crate::host::database::Patience;
use crate::host::database::locks::run_when_free;
use crate::host::database::server::{full, literal, number, rows, run, text};
use mysql::Conn;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The next value of a table's `AUTO_INCREMENT`, before and after it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextValue {
    /// Table.
    pub table: String,
    /// The value that it has.
    pub old: u64,
    /// The value that it gets.
    pub new: u64,
}

impl NextValue {
    /// Whether a table whose next value is `now` has to be changed. One that has given out numbers since keeps its own, unless that is
    /// below a greater new one.
    pub fn is_due(&self, now: u64) -> bool {
        now == self.old && self.new != self.old || now < self.new && self.old < self.new
    }

    /// The same backwards.
    #[must_use]
    pub fn inverse(&self) -> NextValue {
        NextValue { table: self.table.clone(), old: self.new, new: self.old }
    }
}

/// Sets the values that are not set. Where the site has used another number meanwhile, that one stands: see [`NextValue::is_due`].
pub fn set_all(connection: &mut Conn, schema: &str, values: &[NextValue], patience: Patience) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let now = list(connection, schema, values)?;
    run(connection, "SET SESSION foreign_key_checks=0")?;
    for value in values.iter().filter(|value| now.get(&value.table).is_some_and(|now| value.is_due(*now))) {
        let sql = format!("ALTER TABLE {} AUTO_INCREMENT={}", full(schema, &value.table), value.new);
        let what = format!("set the next value of {}", value.table);
        run_when_free(connection, &sql, &[schema], patience, None, &what)?;
    }
    Ok(())
}

/// The next values of these tables, by name; 0 where a table counts nothing.
fn list(connection: &mut Conn, schema: &str, values: &[NextValue]) -> Result<HashMap<String, u64>> {
    let names: Vec<String> = values.iter().map(|value| literal(&value.table)).collect();
    let sql = format!(
        "SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_NAME IN ({})",
        literal(schema),
        names.join(",")
    );
    Ok(rows(connection, &sql)?.iter().map(|row| (text(row, 0), number(row, 1))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_given_out_since_is_not_given_out_again() {
        let raised = NextValue { table: "t".into(), old: 51, new: 64 };
        let cases = [
            (raised.clone(), [(51, true), (52, true), (64, false), (70, false), (1, true)]),
            (raised.inverse(), [(64, true), (65, false), (51, false), (52, false), (70, false)]),
            (NextValue { new: 51, ..raised }, [(51, false), (52, false), (50, false), (64, false), (0, false)]),
        ];
        for (value, now) in cases {
            for (now, is_due) in now {
                assert_eq!(value.is_due(now), is_due, "{value:?} at {now}");
            }
        }
    }
}
