//! What a server says of itself, for [`crate::sql::compat`].

use crate::error::{Code, Error, Result};
use crate::host::database::grants::{Grants, Scope};
use crate::host::database::server::{Server, number, rows, text};
use crate::sql::compat::{Makers, ServerFacts};
use crate::sql::session::SWITCHES;
use mysql::Conn;
use std::collections::BTreeSet;

/// Asks over a connection of its own. `account` is the site's, as `` `user`@`host` ``.
///
/// # Errors
/// `database_unreachable`, `insufficient_privilege`.
pub fn server_facts(server: &Server, account: Option<&str>) -> Result<ServerFacts> {
    ask(&mut server.connect(None)?, account)
}

/// The same over a connection that is open.
///
/// # Errors
/// `database_unreachable`.
pub fn ask(connection: &mut Conn, account: Option<&str>) -> Result<ServerFacts> {
    let found =
        rows(connection, "SELECT VERSION(), @@GLOBAL.sql_mode, @@GLOBAL.max_allowed_packet, @@GLOBAL.local_infile")?;
    let row = found.first().ok_or_else(|| Error::new(Code::DatabaseFailed, "the server says nothing of itself"))?;
    let mut facts = ServerFacts {
        version: text(row, 0),
        sql_mode: text(row, 1),
        max_allowed_packet: number(row, 2).max(1 << 20),
        local_infile: number(row, 3) == 1,
        account: account.map(|account| account.replace('`', "")),
        ..ServerFacts::default()
    };
    let lower = |name: String| name.to_ascii_lowercase();
    let column = |connection: &mut Conn, sql: &str| -> Result<BTreeSet<String>> {
        Ok(rows(connection, sql)?.iter().map(|row| lower(text(row, 0))).collect())
    };
    facts.collations = column(connection, "SELECT COLLATION_NAME FROM information_schema.COLLATIONS")?;
    // MariaDB since 10.10 lists some collations without their character set, and their whole names here.
    if let Ok(full) =
        column(connection, "SELECT FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
    {
        facts.collations.extend(full);
    }
    facts.parsers =
        column(connection, "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_TYPE='FTPARSER'").ok();
    let on = column(
        connection,
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('sql_require_primary_key','sql_generate_invisible_primary_key') AND Value='ON'",
    )?;
    // With the last one the server makes a key by itself.
    let requires = |name: &&String| *name != "sql_generate_invisible_primary_key" && on.len() == 1;
    facts.requires_key = on.iter().find(requires).cloned();
    let logged = "SHOW GLOBAL VARIABLES WHERE Variable_name='log_bin' AND Value='ON' OR Variable_name='log_bin_trust_function_creators' AND Value='OFF'";
    if column(connection, logged)?.len() == 2 {
        let administrator = Grants::of(connection)?.has(&["SUPER"], &Scope::Global, false);
        facts.makers = if administrator { Makers::Us } else { Makers::Others };
    }
    let names: Vec<String> = SWITCHES.iter().map(|name| format!("'{name}'")).collect();
    facts.switches =
        column(connection, &format!("SHOW SESSION VARIABLES WHERE Variable_name IN ({})", names.join(",")))?;
    facts.charsets =
        rows(connection, "SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME FROM information_schema.CHARACTER_SETS")?
            .iter()
            .map(|row| (lower(text(row, 0)), lower(text(row, 1))))
            .collect();
    facts.engines = rows(connection, "SHOW ENGINES")?
        .iter()
        .filter(|row| matches!(text(row, 1).as_str(), "YES" | "DEFAULT"))
        .map(|row| text(row, 0).to_ascii_uppercase())
        .collect();
    Ok(facts)
}
