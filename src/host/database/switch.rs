//! The one `RENAME TABLE` by which a site changes over.

use crate::error::{Code, Error, Result};
use crate::host::database::server::{failed, full, rows, run, text};
use crate::host::database::{Patience, Switch};
use mysql::Conn;
use mysql::prelude::Queryable;
use std::time::Duration;

/// Tries until the locks are free or patience is at its end.
pub fn carry_out(connection: &mut Conn, switch: &Switch, patience: Patience) -> Result<()> {
    if switch.moves.is_empty() {
        return Ok(());
    }
    run(connection, "SET SESSION foreign_key_checks=0")?;
    let sql = statement(switch);
    let mut pause = patience.pause;
    for attempt in 0..patience.quick_tries + patience.waiting_tries {
        let wait = u32::from(attempt >= patience.quick_tries);
        run(connection, &format!("SET SESSION lock_wait_timeout={wait}"))?;
        match connection.query_drop(&sql) {
            Ok(()) => return Ok(()),
            Err(mysql::Error::MySqlError(error)) if error.code == 1205 => {
                std::thread::sleep(if wait == 0 { pause } else { pause * 10 });
                pause = (pause * 3 / 2).min(patience.pause * 10);
            }
            Err(error) => return Err(failed("RENAME TABLE", &error)),
        }
    }
    Err(locked(connection, switch))
}

fn statement(switch: &Switch) -> String {
    let moves: Vec<String> = switch
        .moves
        .iter()
        .map(|step| format!("{} TO {}", full(&step.from, &step.table), full(&step.to, &step.table)))
        .collect();
    format!("RENAME TABLE {}", moves.join(", "))
}

/// Names the connection that most likely holds the lock: the oldest transaction of these schemas.
fn locked(connection: &mut Conn, switch: &Switch) -> Error {
    let mut schemas: Vec<&str> = switch.moves.iter().flat_map(|step| [step.from.as_str(), step.to.as_str()]).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let list: Vec<String> = schemas.iter().map(|schema| crate::sql::quote_text(schema)).collect();
    let sql = format!(
        "SELECT p.ID, p.USER, p.HOST, p.TIME, LEFT(COALESCE(p.INFO,''),200) FROM information_schema.PROCESSLIST p \
         LEFT JOIN information_schema.INNODB_TRX t ON t.trx_mysql_thread_id=p.ID \
         WHERE p.ID<>CONNECTION_ID() AND (t.trx_id IS NOT NULL OR p.DB IN ({})) \
         ORDER BY (t.trx_id IS NOT NULL AND p.DB IN ({0})) DESC, t.trx_id IS NULL, t.trx_started, p.TIME DESC LIMIT 1",
        list.join(",")
    );
    let made = |message: String| Error::new(Code::DatabaseLocked, message);
    match rows(connection, &sql).ok().and_then(|mut found| found.pop()) {
        Some(row) => {
            let query = crate::host::text::printable(&text(&row, 4));
            let doing = if query.is_empty() { "idle in a transaction".to_owned() } else { query.clone() };
            made(format!(
                "the tables are in use by connection {} of {} for {} s: {doing}",
                text(&row, 0),
                text(&row, 1),
                text(&row, 3)
            ))
            .hint(format!(
                "End it with KILL {}, or wait for it, then start again; the site was not changed.",
                text(&row, 0)
            ))
            .with("connection", text(&row, 0))
            .with("user", text(&row, 1))
            .with("query", query)
        }
        None => made("the tables are in use and did not become free in time".into()),
    }
}

/// Longest time a switch may take with this patience, for time limits around it.
pub fn longest(patience: Patience) -> Duration {
    let tries = patience.quick_tries + patience.waiting_tries;
    patience.pause * 10 * tries + Duration::from_secs(1) * patience.waiting_tries * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_one_statement_and_its_inverse_puts_everything_back() {
        let tables = ["a".to_owned(), "b`c".to_owned()];
        let there = Switch::exchange("live", "kept", &tables, "shadow", &tables[..1]);
        assert_eq!(
            statement(&there),
            "RENAME TABLE `live`.`a` TO `kept`.`a`, `live`.`b``c` TO `kept`.`b``c`, `shadow`.`a` TO `live`.`a`"
        );
        assert_eq!(
            statement(&there.inverse()),
            "RENAME TABLE `live`.`a` TO `shadow`.`a`, `kept`.`b``c` TO `live`.`b``c`, `kept`.`a` TO `live`.`a`"
        );
    }
}
