//! Views, triggers, routines and events: read, dropped, created again.

use crate::error::{Code, Error, Result};
use crate::host::database::locks::run_when_free;
use crate::host::database::server::{failed, full, literal, rows, run, text};
use crate::host::database::stand_in::{StandIns, is_dangling};
use crate::host::database::{Object, ObjectKind, Objects, Patience};
use crate::sql::quote_name;
use crate::text::printable;
use mysql::Conn;
use mysql::prelude::Queryable;

/// Where `SHOW CREATE` puts what, by kind.
struct Columns {
    create: usize,
    mode: Option<usize>,
    charset: usize,
    zone: Option<usize>,
}

fn columns(kind: ObjectKind) -> Columns {
    match kind {
        ObjectKind::View => Columns { create: 1, mode: None, charset: 2, zone: None },
        ObjectKind::Event => Columns { create: 3, mode: Some(1), charset: 4, zone: Some(2) },
        _ => Columns { create: 2, mode: Some(1), charset: 3, zone: None },
    }
}

/// All objects of a schema, in the order of [`ObjectKind`]; triggers in the order in which they act.
pub fn read(connection: &mut Conn, schema: &str) -> Result<Objects> {
    let name = literal(schema);
    let lists = [
        (
            ObjectKind::Function,
            format!(
                "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA={name} AND ROUTINE_TYPE='FUNCTION' ORDER BY 1"
            ),
        ),
        (
            ObjectKind::Procedure,
            format!(
                "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA={name} AND ROUTINE_TYPE='PROCEDURE' ORDER BY 1"
            ),
        ),
        (
            ObjectKind::View,
            format!("SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA={name} ORDER BY 1"),
        ),
        (
            ObjectKind::Trigger,
            format!(
                "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA={name} ORDER BY EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER"
            ),
        ),
        (
            ObjectKind::Event,
            format!("SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA={name} ORDER BY 1"),
        ),
    ];
    let mut found = Vec::new();
    let mut entered = false;
    for (kind, sql) in lists {
        for row in rows(connection, &sql)? {
            if !entered {
                // Views are shown without the names of the schema one is in.
                run(connection, &format!("USE {}", quote_name(schema)))?;
                entered = true;
            }
            // Only the list of triggers has a second column.
            found.push(Object { table: text(&row, 1), ..show(connection, kind, text(&row, 0))? });
        }
    }
    Ok(Objects(found))
}

fn show(connection: &mut Conn, kind: ObjectKind, name: String) -> Result<Object> {
    let shown = rows(connection, &format!("SHOW CREATE {} {}", kind.keyword(), quote_name(&name)))?;
    let places = columns(kind);
    let row = shown.first();
    let create = row.map(|row| text(row, places.create)).unwrap_or_default();
    let (Some(row), false) = (row, create.is_empty()) else {
        return Err(Error::new(
            Code::InsufficientPrivilege,
            format!("the text of {} {name} cannot be read", kind.keyword()),
        ));
    };
    let optional = |place: Option<usize>| place.map(|place| text(row, place)).unwrap_or_default();
    Ok(Object {
        kind,
        name,
        table: String::new(),
        create,
        sql_mode: optional(places.mode),
        charset: text(row, places.charset),
        collation: text(row, places.charset + 1),
        time_zone: optional(places.zone),
    })
}

/// Runs a text that has to be one statement. The client library always lets the server take several at once, and what stood
/// behind the first would be run unread; who prepares a text reads one statement and no more.
pub fn run_alone(connection: &mut Conn, sql: &str) -> mysql::Result<()> {
    read_alone(connection, sql)?;
    connection.query_drop(sql)
}

fn read_alone(connection: &mut Conn, sql: &str) -> mysql::Result<()> {
    connection.exec_drop("SET @rv_text = ?", (sql,))?;
    match connection.query_drop("PREPARE rv_text FROM @rv_text") {
        Ok(()) => connection.query_drop("DEALLOCATE PREPARE rv_text")?,
        // Read to its end, but of a kind that this server does not prepare.
        Err(mysql::Error::MySqlError(error)) if error.code == 1295 => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Drops objects, last kind first.
pub fn drop_all(connection: &mut Conn, schema: &str, objects: &Objects, patience: Patience) -> Result<()> {
    for object in objects.0.iter().rev() {
        drop_one(connection, schema, object, patience)?;
    }
    Ok(())
}

fn drop_one(connection: &mut Conn, schema: &str, object: &Object, patience: Patience) -> Result<()> {
    let sql = format!("DROP {} IF EXISTS {}", object.kind.keyword(), full(schema, &object.name));
    run_when_free(connection, &sql, &[schema], patience, None, &what("drop", object))
}

fn what(verb: &str, object: &Object) -> String {
    format!("{verb} {} {}", object.kind.keyword().to_ascii_lowercase(), object.name)
}

/// Creates objects, each under the settings it was made with. A view of what is not there is made over stand-ins; what cannot be made
/// even so is left out and told.
pub fn create_all(connection: &mut Conn, schema: &str, objects: &Objects, patience: Patience) -> Result<Vec<String>> {
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    run(connection, &format!("USE {}", quote_name(schema)))?;
    let mut stand_ins = StandIns::of(connection, schema)?;
    let created = create_over(connection, schema, objects, patience, &mut stand_ins);
    let stayed = stand_ins.drop(connection);
    Ok(created?.into_iter().chain(stayed).collect())
}

fn create_over(
    connection: &mut Conn,
    schema: &str,
    objects: &Objects,
    patience: Patience,
    stand_ins: &mut StandIns,
) -> Result<Vec<String>> {
    let mut waiting: Vec<&Object> = objects.0.iter().collect();
    let mut left_out = Vec::new();
    // Views and routines may need each other: whatever fails is tried again as long as anything succeeds.
    while !waiting.is_empty() {
        let mut left: Vec<(&Object, Error)> = Vec::new();
        for object in &waiting {
            match create_one(connection, schema, object, patience) {
                Ok(()) => {}
                Err(error) if is_of_the_server(&error) => return Err(error),
                Err(error) => left.push((object, error)),
            }
        }
        if left.len() < waiting.len() {
            waiting = left.into_iter().map(|(object, _)| object).collect();
        } else if let Some(made) = help(connection, schema, &left, patience, stand_ins)? {
            waiting.retain(|object| *object != made);
        } else {
            // What else there is may be made without it.
            let dangles = |(object, error): &(&Object, Error)| object.kind == ObjectKind::View && is_dangling(error);
            let (out, others): (Vec<_>, Vec<_>) = left.into_iter().partition(dangles);
            if out.is_empty()
                && let Some((_, error)) = others.into_iter().next()
            {
                return Err(error);
            }
            waiting.retain(|object| !out.iter().any(|(view, _)| view == object));
            left_out.extend(out.into_iter().map(|(view, error)| {
                let (name, text) = (&view.name, printable(&view.create));
                format!(
                    "view {name} is left out, as what it refers to is not there: {}; its text: {text}",
                    error.message
                )
            }));
        }
    }
    Ok(left_out)
}

/// Not about the object: every other one would fail likewise.
fn is_of_the_server(error: &Error) -> bool {
    matches!(error.code, Code::DatabaseUnreachable | Code::DatabaseLocked)
}

/// Makes one of the views over stand-ins for what it lacks, unless that is another of them.
fn help<'a>(
    connection: &mut Conn,
    schema: &str,
    left: &[(&'a Object, Error)],
    patience: Patience,
    stand_ins: &mut StandIns,
) -> Result<Option<&'a Object>> {
    for (view, error) in left.iter().filter(|(object, _)| object.kind == ObjectKind::View) {
        let awaits = |stand_ins: &StandIns, error: &Error| {
            left.iter().any(|(other, _)| other != view && stand_ins.is_missing(error, &other.name))
        };
        let mut error = error.clone();
        while !awaits(stand_ins, &error) && stand_ins.make(connection, &error) {
            match create_one(connection, schema, view, patience) {
                Ok(()) => return Ok(Some(view)),
                Err(now) if is_of_the_server(&now) => return Err(now),
                Err(now) => error = now,
            }
        }
    }
    Ok(None)
}

fn create_one(connection: &mut Conn, schema: &str, object: &Object, patience: Patience) -> Result<()> {
    drop_one(connection, schema, object, patience)?;
    // The text is UTF-8 here; an older character set can only be named where it reads the same.
    let same = object.create.is_ascii() && !object.charset.is_empty() || object.charset.starts_with("utf8");
    let names = if same {
        format!("NAMES {} COLLATE {}", word(&object.charset), word(&object.collation))
    } else {
        "NAMES utf8mb4".into()
    };
    let zone = if object.time_zone.is_empty() { "SYSTEM" } else { &object.time_zone };
    run(
        connection,
        &format!("SET {names}, SESSION sql_mode={}, SESSION time_zone={}", literal(&object.sql_mode), literal(zone)),
    )?;
    let what = what("create", object);
    let result = read_alone(connection, &object.create)
        .map_err(|error| failed(&what, &error))
        .and_then(|()| run_when_free(connection, &object.create, &[schema], patience, None, &what))
        .map_err(|error| error.with("object", object.name.clone()));
    run(connection, "SET NAMES utf8mb4, SESSION sql_mode='', SESSION time_zone='SYSTEM'")?;
    result
}

/// Names of character sets and collations have no quotes; anything else in one is dropped.
fn word(name: &str) -> String {
    name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}
