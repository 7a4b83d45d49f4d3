//! Estimates how long the site's queries will wait in the change-over: one `RENAME TABLE` holds every table that it moves from its
//! first to its last.

use crate::host::database::Database;
use crate::report::{Check, Outcome};
use std::time::Duration;

/// From this number of live tables on, a rename is timed on the server. Any server renames fewer in a moment.
const MANY: usize = 50;

/// The expected wait, by two empty tables that are renamed in the schema `scratch`; `None` where the tables are few. Above `limit` it
/// is a warning.
pub fn check(database: &dyn Database, tables: usize, limit: Duration, scratch: &str) -> Option<Check> {
    if tables < MANY {
        return None;
    }
    Some(match database.time_rename(scratch) {
        // Each table goes, and another one comes.
        Ok(time) => expected(tables, time * 2 * u32::try_from(tables).unwrap_or(u32::MAX), limit),
        Err(error) => Check::new(
            "change_over",
            Outcome::NotChecked,
            format!("how long the change-over of {tables} tables takes is not known: {}", error.message),
        ),
    })
}

fn expected(tables: usize, wait: Duration, limit: Duration) -> Check {
    let said = format!("{:.1} s", wait.as_secs_f64());
    let (outcome, message) = if wait > limit {
        (
            Outcome::Warn,
            format!(
                "the change-over renames {tables} tables in one statement: queries of the site wait for it, about {said} on this server"
            ),
        )
    } else {
        (Outcome::Pass, format!("the change-over of {tables} tables takes about {said} on this server"))
    };
    let check =
        Check::new("change_over", outcome, message).with("tables", tables).with("expected_ms", wait.as_millis() as u64);
    match outcome {
        Outcome::Warn => {
            check.hint("Restore at a quiet time, or only the tables that are needed (`components.database`).")
        }
        _ => check,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::fake::Fake;

    #[test]
    fn a_long_wait_is_warned_of_and_few_tables_are_not_asked_about() {
        let fake = Fake::new();
        let limit = Duration::from_secs(2);
        assert!(check(&fake, MANY - 1, limit, "rvs_1").is_none());
        assert_eq!(check(&fake, MANY, limit, "rvs_1").unwrap().outcome, Outcome::Pass);
        assert_eq!(check(&fake, MANY, Duration::ZERO, "rvs_1").unwrap().outcome, Outcome::Warn);
        let long = check(&fake, 1_000_000, limit, "rvs_1").unwrap();
        assert_eq!(long.outcome, Outcome::Warn);
        assert!(long.figures["expected_ms"].as_u64() > Some(2_000), "{:?}", long.figures);
        assert_eq!(fake.schemas("rvs_").unwrap(), Vec::<String>::new());
    }
}
