//! Live tables that the server cannot open: no RENAME moves them, as the change-over would.

use crate::error::{Code, Error};
use crate::host::database::TableInfo;
use crate::sql::quote_name;
use crate::text::printable;

/// What is said of one that stays where it is.
pub fn stays(table: &TableInfo) -> String {
    format!("table {} of the live site is damaged, and stays as it is: {}", table.name, printable(&table.damage))
}

/// The refusal where the backup holds the table: the damaged one stands in its way.
pub fn refusal(schema: &str, table: &TableInfo) -> Error {
    let (name, why) = (&table.name, printable(&table.damage));
    let place = format!("{}.{}", quote_name(schema), quote_name(name));
    let hint = format!(
        "Repair it (`REPAIR TABLE {place} USE_FRM`, for MyISAM and Aria), or, if it is lost, clear the way by `DROP TABLE {place}` (twice, \
         where the first time is an error); or leave it as it is: \"exclude\":{{\"database\":[{name:?}]}}."
    );
    Error::new(Code::DatabaseFailed, format!("table {name} of the live site is damaged, and cannot be kept: {why}"))
        .hint(hint)
        .with("table", name.as_str())
}
