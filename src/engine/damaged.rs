//! Live tables that the server cannot open. The change-over moves tables by RENAME, and RENAME fails for most of these.

use crate::error::{Code, Error};
use crate::host::database::TableInfo;
use crate::sql::quote_name;
use crate::text::printable;

/// The sentence about a damaged table that stays where it is.
pub fn stays(table: &TableInfo) -> String {
    format!("table {} of the live site is damaged, and stays as it is: {}", table.name, printable(&table.damage))
}

/// The refusal where the backup holds the table: the damaged one stands in its way.
pub fn refusal(schema: &str, table: &TableInfo) -> Error {
    let (name, why) = (&table.name, printable(&table.damage));
    let place = format!("{}.{}", quote_name(schema), quote_name(name));
    let hint = format!(
        "Repair it (`REPAIR TABLE {place}`, for MyISAM and Aria; with USE_FRM where that does not help), or, if it is lost, clear the way by \
         `DROP TABLE {place}` (twice, where the first time is an error)."
    );
    Error::new(Code::DatabaseFailed, format!("table {name} of the live site is damaged, and cannot be kept: {why}"))
        .hint(hint)
        .with("table", name.as_str())
}

/// Whether no RENAME moves it. RENAME moves a table of MyISAM with its files, as long as they are there.
pub fn is_stuck(table: &TableInfo) -> bool {
    ["InnoDB", "ablespace", "in engine", "find file"].iter().any(|word| table.damage.contains(word))
}
