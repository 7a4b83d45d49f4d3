//! Whether the rows of a table can be compared, and by what. Pure.

use crate::host::database::live_rows::{LiveColumn, LiveColumns};
use crate::sql::digest::{Filled, Letters};
use crate::sql::identity::Written;
use crate::sql::modes;
use crate::sql::session::Session;
use crate::sql::table::{Column, TableText};

/// By what the rows of a table are compared.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The table.
    pub table: String,
    /// Names of the columns, as the dump's rows fill them.
    pub names: Vec<String>,
    /// How each is written.
    pub written: Vec<Written>,
    /// Which of them hold numbers, times or one of a few words: no secrets.
    pub plain: Vec<bool>,
    /// Places of the columns of the live table's primary key, in its order.
    pub key: Vec<usize>,
}

/// A plan; how the dump's rows are read for it, and the character set in which the server is asked.
///
/// # Errors
/// Why the rows cannot be compared, as a sentence without its end.
pub fn plan(
    table: &str,
    dumped: &TableText,
    live: &LiveColumns,
    named: Option<&[String]>,
    session: &Session,
) -> Result<(Plan, Filled, &'static str), String> {
    if !live.engine.eq_ignore_ascii_case("InnoDB") {
        return Err(match live.engine.as_str() {
            "" => "it is no table now".into(),
            engine => format!("its engine is {engine}, of which no moment can be read while the site writes"),
        });
    }
    same_columns(dumped, live)?;
    if modes::listed(session.sql_mode.as_deref().unwrap_or_default())
        .any(|word| word.eq_ignore_ascii_case("EMPTY_STRING_IS_NULL"))
    {
        return Err("an empty text of the dump means NULL".into());
    }
    // In a zone with summer time two moments have one text.
    let is_offset = session.time_zone.as_deref().is_some_and(|zone| zone.starts_with(['+', '-']));
    if let Some(moment) = dumped.columns.iter().find(|column| column.kind == "timestamp").filter(|_| !is_offset) {
        return Err(format!("the dump does not say the time zone of its TIMESTAMP column {}", moment.name));
    }
    let (letters, charset) = Letters::of(session.charset.as_deref());
    let Some(filled) = Filled::as_sent(dumped, named, letters) else {
        return Err(unfilled(dumped, named));
    };
    let find = |name: &String| live.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let columns: Vec<&LiveColumn> = filled.names.iter().filter_map(find).collect();
    let place = |key: &String| filled.names.iter().position(|name| name.eq_ignore_ascii_case(key));
    // A key over a column that is computed is no key of what the dump says.
    let key = live.key.iter().map(place).collect::<Option<Vec<usize>>>().unwrap_or_default();
    let plan = Plan {
        table: table.to_owned(),
        names: filled.names.clone(),
        written: columns.iter().map(|column| written(column)).collect(),
        plain: columns.iter().map(|column| !matches!(family(&column.kind), Family::Text | Family::Bytes)).collect(),
        key,
    };
    Ok((plan, filled, charset))
}

fn same_columns(dumped: &TableText, live: &LiveColumns) -> Result<(), String> {
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    if let Some(column) =
        dumped.columns.iter().find(|column| !live.columns.iter().any(|other| is(&other.name, &column.name)))
    {
        return Err(format!("the column {} is only in the backup", column.name));
    }
    for column in &live.columns {
        let Some(other) = dumped.columns.iter().find(|other| is(&other.name, &column.name)) else {
            return Err(format!("the column {} is only live", column.name));
        };
        let (backup, now) = (family(&other.kind), family(&column.kind));
        let sizes_count = backup == Family::Time && (other.kind != column.kind || other.size != column.size);
        if backup != now || sizes_count {
            let shown =
                |kind: &str, size: &str| if size.is_empty() { kind.to_owned() } else { format!("{kind}({size})") };
            let (backup, live) = (shown(&other.kind, &other.size), shown(&column.kind, &column.size));
            return Err(format!("the column {} is {backup} in the backup and {live} live", column.name));
        }
    }
    Ok(())
}

fn unfilled(dumped: &TableText, named: Option<&[String]>) -> String {
    let odd = |column: &&Column| family(&column.kind) == Family::Other;
    match dumped.columns.iter().find(odd) {
        Some(column) => format!(
            "its column {} is {}, whose values a server does not send as they are written",
            column.name, column.kind
        ),
        None if named.is_none() && dumped.columns.iter().any(|column| column.invisible) => {
            "it has invisible columns, which the dump does not name".into()
        }
        None => "the dump fills its columns in a way that cannot be compared".into(),
    }
}

/// Types whose values are written alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Number,
    Time,
    Text,
    /// One of a few words.
    Words,
    Bytes,
    Other,
}

fn family(kind: &str) -> Family {
    match kind {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double" | "year" => {
            Family::Number
        }
        "date" | "datetime" | "timestamp" | "time" => Family::Time,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "json" | "uuid" | "inet4" | "inet6" => {
            Family::Text
        }
        "enum" | "set" => Family::Words,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "bit" | "geometry" | "point"
        | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon" | "geometrycollection" => {
            Family::Bytes
        }
        _ => Family::Other,
    }
}

fn written(column: &LiveColumn) -> Written {
    let is_caseless = column.collation.to_ascii_lowercase().ends_with("_ci");
    match family(&column.kind) {
        Family::Number => Written::Number,
        Family::Text if is_caseless => Written::Caseless,
        _ => Written::Bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::token::Quoting;

    fn dumped(columns: &str) -> TableText {
        TableText::parse(&format!("CREATE TABLE t ({columns}) ENGINE=InnoDB"), Quoting::default()).unwrap()
    }

    fn live(columns: &str, key: &[&str]) -> LiveColumns {
        let column = |column: &Column| LiveColumn {
            name: column.name.clone(),
            kind: column.kind.clone(),
            size: column.size.clone(),
            collation: if family(&column.kind) == Family::Text { "utf8mb4_unicode_ci".into() } else { String::new() },
        };
        LiveColumns {
            engine: "InnoDB".into(),
            columns: dumped(columns).columns.iter().map(column).collect(),
            key: key.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn why_not(backup: &str, now: &str, session: &str) -> String {
        let mut asked = Session::default();
        if !session.is_empty() {
            asked.apply(session.as_bytes()).unwrap();
        }
        plan("t", &dumped(backup), &live(now, &[]), None, &asked).map_or_else(|why| why, |_| String::new())
    }

    #[test]
    fn rows_are_compared_by_the_live_key_as_the_dump_fills_it() {
        let columns = "`a` int(11), `B` varchar(9), `c` blob, `d` datetime";
        let named = ["b", "a", "c", "d"].map(str::to_owned);
        let (found, filled, charset) =
            plan("t", &dumped(columns), &live(columns, &["a", "B"]), Some(&named), &Session::default()).unwrap();
        assert_eq!((found.key.as_slice(), charset), (&[1, 0][..], "utf8mb4"));
        assert_eq!(found.written, [Written::Caseless, Written::Number, Written::Bytes, Written::Bytes]);
        assert_eq!(found.plain, [false, true, false, true]);
        assert_eq!(filled.names, ["B", "a", "c", "d"]);
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        for (backup, now, session, words) in [
            ("a int, b int", "a int", "", "the column b is only in the backup"),
            ("a int", "a int, colour int", "", "the column colour is only live"),
            ("a int", "a varchar(9)", "", "the column a is int in the backup and varchar(9) live"),
            ("a datetime", "a datetime(6)", "", "the column a is datetime in the backup and datetime(6) live"),
            ("a timestamp", "a timestamp", "", "does not say the time zone of its TIMESTAMP column a"),
            ("a timestamp", "a timestamp", "SET TIME_ZONE='+00:00'", ""),
            ("a int, b vector(3)", "a int, b vector(3)", "", "its column b is vector"),
            ("a int, b int INVISIBLE", "a int, b int", "", "invisible"),
            ("a int", "a bigint", "", ""),
            ("a varchar(9)", "a text", "", ""),
            ("a float", "a float", "", ""),
            ("a int", "a int", "SET sql_mode='EMPTY_STRING_IS_NULL'", "means NULL"),
        ] {
            let found = why_not(backup, now, session);
            assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{backup} {now}: {found}");
        }
        let myisam = LiveColumns { engine: "MyISAM".into(), ..live("a int", &[]) };
        let why = plan("t", &dumped("a int"), &myisam, None, &Session::default()).unwrap_err();
        assert!(why.contains("its engine is MyISAM"), "{why}");
    }
}
