//! Single values and rows out of a document, for shells: `--field` and `--tsv`.

use crate::cli::format::Format;
use crate::cli::format::plain;
use crate::error::{Code, Error, Result};
use serde_json::Value;

/// What is asked for of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// One value, one line.
    Field(Column),
    /// A list, one line an element, columns separated by tabs.
    Rows {
        /// Keys to the list; `*` goes through every element of a list on the way.
        list: Vec<String>,
        /// The columns.
        columns: Vec<Column>,
    },
}

/// A value within a document or an element, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// From how many lists further out.
    up: usize,
    keys: Vec<String>,
    format: Option<Format>,
}

/// `state,percent|count` of `--field`.
///
/// # Errors
/// `usage` naming the part.
pub fn fields(text: &str) -> Result<Vec<Selection>> {
    text.split(',').map(|part| column(part).map(Selection::Field)).collect()
}

/// `groups.*.checks:^.name,outcome,message` of `--tsv`.
///
/// # Errors
/// `usage` naming the part.
pub fn rows(text: &str) -> Result<Selection> {
    let (list, columns) = text.split_once(':').ok_or_else(|| {
        Error::new(Code::Usage, format!("--tsv {text}: no colon"))
            .hint("A list, a colon and its columns: --tsv backups:path,date,size|size")
    })?;
    Ok(Selection::Rows { list: keys(list), columns: columns.split(',').map(column).collect::<Result<_>>()? })
}

fn column(text: &str) -> Result<Column> {
    let (mut path, format) = match text.split_once('|') {
        Some((path, name)) => (path, Some(Format::parse(name)?)),
        None => (text, None),
    };
    let mut up = 0;
    while let Some(rest) = path.strip_prefix("^.") {
        (path, up) = (rest, up + 1);
    }
    Ok(Column { up, keys: keys(path), format })
}

fn keys(path: &str) -> Vec<String> {
    path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect()
}

/// The lines of what was asked for, each without its end.
pub fn lines(data: &Value, selection: &Selection) -> Vec<String> {
    match selection {
        Selection::Field(column) => vec![column.of(&[data])],
        Selection::Rows { list, columns } => {
            let mut found = Vec::new();
            walk(&[data], data, list, &mut |around| {
                // An empty column would be taken for none by a shell that splits at tabs.
                let cells = columns.iter().map(|column| Some(column.of(around)).filter(|text| !text.is_empty()));
                found.push(cells.map(|cell| cell.unwrap_or_else(|| "-".into())).collect::<Vec<_>>().join("\t"));
            });
            found
        }
    }
}

fn walk<'a>(around: &[&'a Value], value: &'a Value, keys: &[String], each: &mut dyn FnMut(&[&'a Value])) {
    let elements = |each: &mut dyn FnMut(&'a Value)| match value {
        Value::Array(list) => list.iter().for_each(each),
        Value::Object(map) => map.values().for_each(each),
        _ => {}
    };
    match keys.split_first() {
        None => elements(&mut |element| each(&[around, &[element]].concat())),
        Some((key, rest)) if key == "*" => {
            elements(&mut |element| walk(&[around, &[element]].concat(), element, rest, each));
        }
        Some((key, rest)) => {
            if let Some(inner) = step(value, key) {
                walk(around, inner, rest, each);
            }
        }
    }
}

fn step<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

impl Column {
    fn of(&self, around: &[&Value]) -> String {
        let Some(mut value) = around.len().checked_sub(self.up + 1).and_then(|at| around.get(at)).copied() else {
            return String::new();
        };
        for (number, key) in self.keys.iter().enumerate() {
            if key == "#" && number + 1 == self.keys.len() {
                let length = value.as_array().map_or_else(|| value.as_object().map_or(0, |map| map.len()), Vec::len);
                return length.to_string();
            }
            match step(value, key) {
                Some(inner) => value = inner,
                None => return String::new(),
            }
        }
        match &self.format {
            Some(format) => format.apply(value),
            None => plain(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(data: &Value, asked: &[Selection]) -> Vec<String> {
        asked.iter().flat_map(|selection| lines(data, selection)).collect()
    }

    #[test]
    fn fields_are_a_line_each_whatever_they_hold() {
        let data =
            json!({"a": {"b": "x\ny\u{1b}"}, "n": null, "size": 12_345_678, "list": [1, "two"], "o": {"k": true}});
        let asked = fields("a.b,n,missing.deep,size,size|size,list.1,list.#,list,o").unwrap();
        assert_eq!(
            shown(&data, &asked),
            ["x\\ny\\u{1b}", "", "", "12345678", "12.3 MB", "two", "2", "1, two", r#"{"k":true}"#]
        );
    }

    #[test]
    fn rows_have_every_column_and_those_of_the_lists_around() {
        let data = json!({"groups": [
            {"name": "g", "checks": [{"name": "one", "message": "tab\there"}, {"name": "two"}]},
            {"name": "h", "checks": []},
        ]});
        let asked = [rows("groups.*.checks:^.name,name,message").unwrap(), rows("groups:name,checks.#").unwrap()];
        assert_eq!(shown(&data, &asked), ["g\tone\ttab\\there", "g\ttwo\t-", "g\t2", "h\t0"]);
        assert_eq!(shown(&data, &[rows("nothing:x").unwrap()]), [""; 0]);
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for bad in ["a|shiny", "|"] {
            assert_eq!(fields(bad).unwrap_err().code, Code::Usage, "{bad}");
        }
        assert_eq!(rows("backups").unwrap_err().code, Code::Usage);
    }
}
