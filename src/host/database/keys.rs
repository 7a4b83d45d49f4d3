//! Foreign keys: read, taken off, put back, and rows that would be orphans. A key follows its table when that is renamed into
//! another schema, so keys between what moves and what stays are taken off before and put back after.

use crate::error::Result;
use crate::host::database::locks::run_when_free;
use crate::host::database::server::{full, literal, number, rows, run, text};
use crate::host::database::{ForeignKey, Patience};
use crate::sql::quote_name;
use mysql::Conn;

/// The keys by which tables of a schema refer to others, in the order of table and name.
pub fn list(connection: &mut Conn, schema: &str) -> Result<Vec<ForeignKey>> {
    let name = literal(schema);
    let sql = format!(
        "SELECT r.TABLE_NAME, r.CONSTRAINT_NAME, r.UNIQUE_CONSTRAINT_SCHEMA, r.REFERENCED_TABLE_NAME, r.UPDATE_RULE, \
         r.DELETE_RULE, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS r \
         JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_SCHEMA=r.CONSTRAINT_SCHEMA \
         AND k.CONSTRAINT_NAME=r.CONSTRAINT_NAME AND k.TABLE_NAME=r.TABLE_NAME \
         WHERE r.CONSTRAINT_SCHEMA={name} AND k.CONSTRAINT_SCHEMA={name} AND k.TABLE_SCHEMA={name} \
         ORDER BY 1, 2, k.ORDINAL_POSITION"
    );
    let mut keys: Vec<ForeignKey> = Vec::new();
    for row in rows(connection, &sql)? {
        let (table, constraint) = (text(&row, 0), text(&row, 1));
        let (column, referred) = (text(&row, 6), text(&row, 7));
        match keys.last_mut() {
            Some(last) if last.table == table && last.name == constraint => {
                last.columns.push(column);
                last.refers_columns.push(referred);
            }
            _ => keys.push(ForeignKey {
                name: constraint,
                table,
                columns: vec![column],
                refers_schema: text(&row, 2),
                refers_to: text(&row, 3),
                refers_columns: vec![referred],
                on_update: text(&row, 4),
                on_delete: text(&row, 5),
            }),
        }
    }
    Ok(keys)
}

/// Takes keys off the tables of a schema; those that are not there are no error.
pub fn drop_all(connection: &mut Conn, schema: &str, keys: &[ForeignKey], patience: Patience) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let there = list(connection, schema)?;
    prepare(connection)?;
    for key in keys {
        if there.iter().any(|found| found.is_named_as(key)) {
            drop_one(connection, schema, key, patience)?;
        }
    }
    Ok(())
}

/// Puts keys on the tables of a schema, in place of any of the same name that refer elsewhere. Rows are not looked at.
pub fn add_all(connection: &mut Conn, schema: &str, keys: &[ForeignKey], patience: Patience) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let there = list(connection, schema)?;
    prepare(connection)?;
    for key in keys {
        match there.iter().find(|found| found.is_named_as(key)) {
            Some(found) if found == key => continue,
            Some(_) => drop_one(connection, schema, key, patience)?,
            None => {}
        }
        let columns = |names: &[String]| names.iter().map(|name| quote_name(name)).collect::<Vec<_>>().join(",");
        let sql = format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}){}{}",
            full(schema, &key.table),
            quote_name(&key.name),
            columns(&key.columns),
            full(&key.refers_schema, &key.refers_to),
            columns(&key.refers_columns),
            rule(" ON UPDATE", &key.on_update),
            rule(" ON DELETE", &key.on_delete),
        );
        run_when_free(connection, &sql, &[schema], patience, None, &format!("put foreign key {} on", key.name))?;
    }
    Ok(())
}

fn drop_one(connection: &mut Conn, schema: &str, key: &ForeignKey, patience: Patience) -> Result<()> {
    let sql = format!("ALTER TABLE {} DROP FOREIGN KEY {}", full(schema, &key.table), quote_name(&key.name));
    run_when_free(connection, &sql, &[schema], patience, None, &format!("take foreign key {} off", key.name))
}

/// Without checks the server changes the definition alone, whatever the size of the table.
fn prepare(connection: &mut Conn) -> Result<()> {
    run(connection, "SET SESSION foreign_key_checks=0")
}

/// RESTRICT is what no clause means; written out, the server would give it back as NO ACTION.
fn rule(when: &str, name: &str) -> String {
    match name {
        "CASCADE" | "SET NULL" | "NO ACTION" | "SET DEFAULT" => format!("{when} {name}"),
        _ => String::new(),
    }
}

/// Rows of the key's table, in `schema`, that refer to a row that is not there. A reference with a NULL refers to nothing.
pub fn orphans(connection: &mut Conn, schema: &str, key: &ForeignKey) -> Result<u64> {
    let pairs = || key.columns.iter().zip(&key.refers_columns);
    let joined: Vec<String> =
        pairs().map(|(own, other)| format!("c.{}=p.{}", quote_name(own), quote_name(other))).collect();
    let set: Vec<String> = key.columns.iter().map(|own| format!("c.{} IS NOT NULL", quote_name(own))).collect();
    let sql = format!(
        "SELECT COUNT(*) FROM {} c LEFT JOIN {} p ON {} WHERE {} AND p.{} IS NULL",
        full(schema, &key.table),
        full(&key.refers_schema, &key.refers_to),
        joined.join(" AND "),
        set.join(" AND "),
        quote_name(key.refers_columns.first().map_or("", String::as_str)),
    );
    Ok(rows(connection, &sql)?.first().map_or(0, |row| number(row, 0)))
}
