//! Throw-away accounts: one loads a dump and has rights on the shadow schema alone, one reads a site's tables and may do nothing else.

use crate::error::{Code, Error, Result};
use crate::host::credentials::Password;
use crate::host::database::grants::{matches_pattern, names_are_literal, this_schema};
use crate::host::database::server::{error_number, literal, number, rows, run, text};
use crate::random;
use crate::sql::quote_name;
use mysql::Conn;
use std::time::{Duration, Instant};

/// Makes user `name` with a random password for connections that come from where the administrator's comes from, with these
/// rights on `schema` and on nothing else.
///
/// # Errors
/// `insufficient_privilege` when the administrator may not.
pub fn create(connection: &mut Conn, name: &str, privileges: &[&str], schema: &str) -> Result<Password> {
    drop_user(connection, name)?;
    // Meets every password policy: letters of both cases, digits, a sign.
    let password = format!("Rv-{}", random::hex(20)?);
    let account = full_name(connection, name)?;
    run(connection, &format!("CREATE USER {account} IDENTIFIED BY {}", literal(&password)))?;
    if let Err(error) = grant(connection, name, privileges, schema) {
        drop_user(connection, name)?;
        return Err(error);
    }
    Ok(Password::new(password))
}

/// Gives a user that [`create`] made these rights on a schema.
///
/// # Errors
/// `insufficient_privilege` when the administrator has not got them to give.
pub fn grant(connection: &mut Conn, name: &str, privileges: &[&str], schema: &str) -> Result<()> {
    let by_name = names_are_literal(connection)?;
    let account = full_name(connection, name)?;
    let place = this_schema(schema, by_name);
    run(connection, &format!("GRANT {} ON {place} TO {account}", privileges.join(", ")))
}

/// A user of ours as the server writes it, quoted: `'name'@'host'`.
///
/// # Errors
/// `database_unreachable`.
pub fn full_name(connection: &mut Conn, name: &str) -> Result<String> {
    let host = rows(connection, "SELECT SUBSTRING_INDEX(USER(),'@',-1)")?;
    let host = host.first().map(|row| text(row, 0)).unwrap_or_default();
    Ok(format!("{}@{}", literal(name), literal(&host)))
}

/// Removes a user of every host and ends its connections: without that they would go on acting.
///
/// # Errors
/// `insufficient_privilege`, `timed_out`.
pub fn drop_user(connection: &mut Conn, name: &str) -> Result<()> {
    let hosts = rows(connection, &format!("SELECT Host FROM mysql.user WHERE User={}", literal(name)))?;
    for row in &hosts {
        run(connection, &format!("DROP USER IF EXISTS {}@{}", literal(name), literal(&text(row, 0))))?;
    }
    // After it is gone: no new one can come.
    end_connections_of(connection, name)
}

/// Ends every connection of a user, and waits until they are gone.
///
/// # Errors
/// `insufficient_privilege`, `timed_out`.
pub fn end_connections_of(connection: &mut Conn, name: &str) -> Result<()> {
    for id in connections_of(connection, name)? {
        end_connection(connection, id)?;
    }
    Ok(())
}

/// The connections of a user.
///
/// # Errors
/// `database_unreachable`.
pub fn connections_of(connection: &mut Conn, name: &str) -> Result<Vec<u64>> {
    let sql = format!("SELECT ID FROM information_schema.PROCESSLIST WHERE USER={}", literal(name));
    Ok(rows(connection, &sql)?.iter().map(|row| number(row, 0)).collect())
}

/// Ends a connection and waits until it is gone; whether it was there.
///
/// # Errors
/// `insufficient_privilege`, `timed_out`.
pub fn end_connection(connection: &mut Conn, id: u64) -> Result<bool> {
    let listed = format!("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID={id}");
    if rows(connection, &listed)?.is_empty() {
        return Ok(false);
    }
    match run(connection, &format!("KILL CONNECTION {id}")) {
        // Gone between the two questions.
        Err(error) if error_number(&error) == Some(1094) => return Ok(true),
        other => other?,
    }
    let until = Instant::now() + Duration::from_secs(30);
    while !rows(connection, &listed)?.is_empty() {
        if Instant::now() > until {
            return Err(Error::new(Code::TimedOut, format!("database connection {id} does not end"))
                .hint("Wait until it is gone from SHOW PROCESSLIST, then run `rocketvps-restore recover`.")
                .with("connection", id));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(true)
}

/// Users whose name begins with `prefix`.
///
/// # Errors
/// `insufficient_privilege`.
pub fn list(connection: &mut Conn, prefix: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> =
        rows(connection, "SELECT DISTINCT User FROM mysql.user")?.iter().map(|row| text(row, 0)).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    Ok(names)
}

/// `` `user`@`host` `` of a user, local hosts first.
///
/// # Errors
/// `insufficient_privilege`.
pub fn account_of(connection: &mut Conn, user: &str) -> Result<Option<String>> {
    let sql = format!(
        "SELECT Host FROM mysql.user WHERE User={} ORDER BY Host='localhost' DESC, Host='127.0.0.1' DESC, Host='%' DESC, Host LIMIT 1",
        literal(user)
    );
    let hosts = rows(connection, &sql)?;
    Ok(hosts.first().map(|row| format!("{}@{}", quote_name(user), quote_name(&text(row, 0)))))
}

/// Accounts that may make and remove tables in a schema by a grant on it, as `` `user`@`host` ``; those that may everywhere are not
/// among them.
///
/// # Errors
/// `insufficient_privilege`.
pub fn owners(connection: &mut Conn, schema: &str) -> Result<Vec<String>> {
    let by_name = names_are_literal(connection)?;
    let sql = "SELECT User, Host, Db FROM mysql.db WHERE User<>'' AND Host<>'' AND Create_priv='Y' AND Drop_priv='Y' ORDER BY User, Host";
    let covers = |pattern: &str| if by_name { pattern == schema } else { matches_pattern(pattern, schema) };
    let found = rows(connection, sql)?;
    let mut names: Vec<String> = found
        .iter()
        .filter(|row| covers(&text(row, 2)))
        .map(|row| format!("{}@{}", quote_name(&text(row, 0)), quote_name(&text(row, 1))))
        .collect();
    names.dedup();
    Ok(names)
}
