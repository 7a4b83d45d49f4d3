//! The greatest values that a dump has in columns of its tables, found while it streams by. Pure.

use crate::error::{Code, Error, Result};
use crate::sql::digest::Filled;
use crate::sql::lexer::{Item, Lexer, Rows};
use crate::sql::state::DumpState;
use crate::sql::statement::Statement;
use crate::sql::table::TableText;
use crate::sql::versioned::Dialect;
use crate::sql::window::Window;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// Bytes of rows in one piece.
const PIECE: u64 = 1 << 20;

/// What a dump has of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Names of its columns.
    pub columns: Vec<String>,
    /// The greatest value of the column that was asked for; empty: it has no row with one.
    pub greatest: Vec<u8>,
}

fn too_long(rows: &Rows) -> Error {
    let message =
        format!("line {}: a row of {} is too long to be held against the live ones", rows.line, rows.head.table);
    Error::new(Code::LimitExceeded, message).hint("Restore without `keep_rows` for this table.").with("line", rows.line)
}

/// The greatest value of each of these columns, by table, of the tables that the dump makes. Numbers are compared as numbers, all else as
/// text: times are written so that this is their order.
///
/// # Errors
/// As [`Lexer::next_item`].
pub fn greatest(
    dump: impl Read,
    dialect: Dialect,
    columns: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Found>> {
    let (dump, window) = Window::over(dump);
    let mut lexer = Lexer::new(dump, dialect, PIECE);
    let mut state = DumpState::default();
    let mut tables: HashMap<String, TableText> = HashMap::new();
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    while let Some(item) = lexer.next_item()? {
        match item {
            Item::Statement { text, line } => {
                let own = state.own_text(&text).into_owned();
                // What is refused is said by those who load.
                if let Ok(Statement::CreateTable(name)) = state.statement(&own, line)
                    && columns.contains_key(&name.name)
                    && let Ok(sql) = std::str::from_utf8(&own)
                    && let Some(table) = TableText::parse(sql, state.quoting())
                {
                    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
                    found.insert(name.name.clone(), Found { columns, greatest: Vec::new() });
                    tables.insert(name.name, table);
                }
                lexer.set_quoting(state.quoting());
                window.forget(lexer.position());
            }
            // The rows of a long statement may come after the lexer has passed them.
            Item::Rows(rows) => {
                if let (Some(table), Some(column)) = (tables.get(&rows.head.table), columns.get(&rows.head.table)) {
                    let text = window.text(&rows).ok_or_else(|| too_long(&rows))?;
                    look(
                        &text,
                        &rows,
                        table,
                        column,
                        &state,
                        &mut found.entry(rows.head.table.clone()).or_default().greatest,
                    );
                }
                window.forget(rows.offset + rows.length);
            }
        }
    }
    Ok(found)
}

fn look(text: &[u8], rows: &Rows, table: &TableText, column: &str, state: &DumpState, greatest: &mut Vec<u8>) {
    let filled = Filled::as_written(table, rows.head.columns.as_deref());
    let Some(place) = filled.names.iter().position(|name| name.eq_ignore_ascii_case(column)) else { return };
    filled.rows(text, state.quoting(), &mut |row| {
        if let Some(value) = row.nth(place)
            && compare(value, greatest) == Ordering::Greater
        {
            value.clone_into(greatest);
        }
        true
    });
}

fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i128>().ok();
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_value_is_found_in_whatever_order_rows_come() {
        let dump = "SET NAMES utf8mb4;\nCREATE TABLE `a` (`id` int(11), `t` varchar(9), PRIMARY KEY (`id`)) ENGINE=InnoDB;\n\
            INSERT INTO `a` VALUES (9,'x'),(10,'),(99');\nINSERT INTO `a` (t,id) VALUES ('500',-3);\n\
            CREATE TABLE b (made datetime, n int) ENGINE=InnoDB;\nINSERT INTO b VALUES ('2024-02-03 10:00:00',1),(NULL,2),('2024-02-03 09:59:59',3);\n\
            CREATE TABLE c (id int) ENGINE=InnoDB;\nCREATE TABLE d (id int) ENGINE=InnoDB;\nINSERT INTO d VALUES (1);\n";
        let columns = [("a", "ID"), ("b", "made"), ("c", "id"), ("none", "id")];
        let columns = columns.iter().map(|(table, column)| ((*table).to_owned(), (*column).to_owned())).collect();
        let found = greatest(dump.as_bytes(), Dialect { version: 101_100, mariadb: true }, &columns).unwrap();
        let shown: Vec<(&str, &str)> = found
            .iter()
            .map(|(table, found)| (table.as_str(), std::str::from_utf8(&found.greatest).unwrap()))
            .collect();
        assert_eq!(shown, [("a", "10"), ("b", "2024-02-03 10:00:00"), ("c", "")]);
        assert_eq!(found["b"].columns, ["made", "n"]);
    }
}
