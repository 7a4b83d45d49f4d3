//! The one `RENAME TABLE` by which a site changes over.

use crate::error::Result;
use crate::host::database::locks::run_when_free;
use crate::host::database::server::{Server, full, run};
use crate::host::database::{Patience, Switch};
use mysql::Conn;

/// Tries until the locks are free or patience is at its end. `server` is the one of the connection.
pub fn carry_out(connection: &mut Conn, server: &Server, switch: &Switch, patience: Patience) -> Result<()> {
    if switch.moves.is_empty() {
        return Ok(());
    }
    run(connection, "SET SESSION foreign_key_checks=0")?;
    let mut schemas: Vec<&str> = switch.moves.iter().flat_map(|step| [step.from.as_str(), step.to.as_str()]).collect();
    schemas.sort_unstable();
    schemas.dedup();
    run_when_free(connection, &statement(switch), &schemas, patience, Some(server), "RENAME TABLE")
}

fn statement(switch: &Switch) -> String {
    let moves: Vec<String> = switch
        .moves
        .iter()
        .map(|step| format!("{} TO {}", full(&step.from, &step.table), full(&step.to, &step.table)))
        .collect();
    format!("RENAME TABLE {}", moves.join(", "))
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
