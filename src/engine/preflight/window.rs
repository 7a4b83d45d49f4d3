//! Estimates how long the site's queries will wait in the change-over: one `RENAME TABLE` holds every table that it moves from its
//! first to its last.

use crate::host::database::Database;
use crate::report::{Check, Outcome};
use std::time::Duration;

/// From this number of live tables on, a rename is timed on the server. Any server renames fewer in a moment.
const MANY: usize = 50;

/// How many live tables the change-over renames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moving {
    /// Those that it renames whatever they hold.
    pub surely: usize,
    /// These, and those that it leaves where they are if the dump has the same.
    pub at_most: usize,
}

impl Moving {
    /// Of tables that were compared.
    pub fn exactly(tables: usize) -> Moving {
        Moving { surely: tables, at_most: tables }
    }
}

/// The expected wait, by two empty tables that are renamed in the schema `scratch`; `None` where the tables are few. It is a warning
/// where it may be above `limit`. That it surely is the second value says.
pub fn check(database: &dyn Database, moving: Moving, limit: Duration, scratch: &str) -> Option<(Check, bool)> {
    let tables = moving.at_most;
    if tables < MANY {
        return None;
    }
    Some(match database.time_rename(scratch) {
        // Each table goes, and another one comes.
        Ok(time) => expected(moving, time * 2, limit),
        Err(error) => {
            let message = format!("how long the change-over of {tables} tables takes is not known: {}", error.message);
            (Check::new("change_over", Outcome::NotChecked, message), false)
        }
    })
}

fn expected(moving: Moving, of_one: Duration, limit: Duration) -> (Check, bool) {
    let wait = |tables: usize| of_one * u32::try_from(tables).unwrap_or(u32::MAX);
    let Moving { surely, at_most } = moving;
    let said = format!("{:.1} s", wait(at_most).as_secs_f64());
    let check = |outcome, message: String| {
        let expected = u64::try_from(wait(at_most).as_millis()).unwrap_or(u64::MAX);
        Check::new("change_over", outcome, message).with("tables", at_most).with("expected_ms", expected)
    };
    let hint = "Restore at a quiet time, or only the tables that are needed (`components.database`).";
    if wait(at_most) <= limit {
        return (
            check(Outcome::Pass, format!("the change-over of {at_most} tables takes about {said} on this server")),
            false,
        );
    }
    if wait(surely) > limit {
        let message = format!(
            "the change-over renames {at_most} tables in one statement: queries of the site wait for it, about {said} on this server"
        );
        return (check(Outcome::Warn, message).hint(hint), true);
    }
    let most = limit.as_nanos() / of_one.as_nanos().max(1);
    let message = format!(
        "the change-over renames the tables that differ from the backup in one statement: if all {at_most} do, queries of the site wait \
         for it, about {said} on this server"
    );
    let hint = format!(
        "The restore compares them before the change-over, and stops there if more than {most} differ, unless that is accepted \
         (`--accept change_over`)."
    );
    (check(Outcome::Warn, message).hint(hint), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::fake::Fake;

    #[test]
    fn a_long_wait_is_warned_of_and_few_tables_are_not_asked_about() {
        let fake = Fake::new();
        let limit = Duration::from_secs(2);
        let ask = |moving, limit| check(&fake, moving, limit, "rvs_1");
        assert!(ask(Moving::exactly(MANY - 1), limit).is_none());
        let (few, stops) = ask(Moving::exactly(MANY), limit).unwrap();
        assert_eq!((few.outcome, stops), (Outcome::Pass, false));
        let (long, stops) = ask(Moving::exactly(MANY), Duration::ZERO).unwrap();
        assert_eq!((long.outcome, stops), (Outcome::Warn, true));
        let (long, _) = ask(Moving::exactly(1_000_000), limit).unwrap();
        assert_eq!(long.outcome, Outcome::Warn);
        assert!(long.figures["expected_ms"].as_u64() > Some(2_000), "{:?}", long.figures);
        // A renaming takes the fake 0.1 ms.
        let (maybe, stops) = ask(Moving { surely: 10_000, at_most: 1_000_000 }, limit).unwrap();
        assert_eq!((maybe.outcome, stops), (Outcome::Warn, false));
        assert!(maybe.hint.as_ref().unwrap().contains("more than 10000 differ"), "{maybe:?}");
        assert!(ask(Moving { surely: 10_001, at_most: 1_000_000 }, limit).unwrap().1);
        assert_eq!(fake.schemas("rvs_").unwrap(), Vec::<String>::new());
    }
}
