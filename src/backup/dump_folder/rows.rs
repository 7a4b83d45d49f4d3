//! Rows that a server wrote into a file (`SELECT … INTO OUTFILE` with its usual separators, as `mariadb-dump --tab` and `--dir` have it
//! written), as INSERT statements: a tab between values, a line end behind a row, a backslash before what would be one of them, `\N` for NULL.
//! Pure.

use crate::archive::{corrupt, wrap};
use crate::error::{Code, Error, Result};
use std::io::{self, BufRead, Read};

/// A statement gets no further row once it has so many bytes.
const STATEMENT: usize = 256 << 10;
/// Longest row, in bytes.
const MAX_ROW: usize = 256 << 20;

/// Statements that insert the rows of a file.
pub struct RowsReader<R> {
    rows: R,
    /// `INSERT INTO … VALUES`, whole.
    head: String,
    shown: String,
    number: u64,
    values: Option<usize>,
    text: Vec<u8>,
    at: usize,
}

impl<R: BufRead> RowsReader<R> {
    /// Of a table; `shown` names the file in errors. `columns`: what the values are for; nothing: all that it has.
    pub fn new(rows: R, table: &str, columns: &[String], shown: String) -> RowsReader<R> {
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        let columns = match columns {
            [] => String::new(),
            columns => format!(" ({})", columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")),
        };
        let head = format!("INSERT INTO {}{columns} VALUES\n", quoted(table));
        RowsReader { rows, head, shown, number: 0, values: None, text: Vec::new(), at: 0 }
    }

    /// A row without its line end; `None` behind the last one.
    fn row(&mut self) -> Result<Option<Vec<u8>>> {
        let mut row = Vec::new();
        loop {
            let most = (MAX_ROW - row.len().min(MAX_ROW)) as u64 + 1;
            let read = (&mut self.rows).take(most).read_until(b'\n', &mut row);
            let read = read.map_err(crate::archive::unwrap_io)?;
            if read == 0 && row.is_empty() {
                return Ok(None);
            }
            if row.len() > MAX_ROW {
                let most = MAX_ROW >> 20;
                let message = format!("{}: row {} has over {most} MiB", self.shown, self.number + 1);
                return Err(Error::new(Code::LimitExceeded, message));
            }
            if read == 0 || row.last() != Some(&b'\n') {
                return Err(corrupt(format_args!("{} ends in the middle of row {}", self.shown, self.number + 1)));
            }
            let before = &row[..row.len() - 1];
            let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            if escapes % 2 == 0 {
                row.pop();
                self.number += 1;
                return Ok(Some(row));
            }
        }
    }

    /// The next statement; false where there is none.
    fn fill(&mut self) -> Result<bool> {
        self.text.clear();
        self.at = 0;
        while self.text.len() < STATEMENT {
            let Some(row) = self.row()? else { break };
            let between = if self.text.is_empty() { self.head.as_str() } else { ",\n" };
            self.text.extend_from_slice(between.as_bytes());
            let values = tuple(&row, &mut self.text);
            if *self.values.get_or_insert(values) != values {
                let message =
                    format_args!("{}: row {} has {values} values, others have more or less", self.shown, self.number);
                return Err(corrupt(message));
            }
        }
        if self.text.is_empty() {
            return Ok(false);
        }
        self.text.extend_from_slice(b";\n");
        Ok(true)
    }
}

impl<R: BufRead> Read for RowsReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() && !self.fill().map_err(wrap)? {
            return Ok(0);
        }
        let read = (&self.text[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// Writes a row as `(…)`; gives the number of its values.
fn tuple(row: &[u8], out: &mut Vec<u8>) -> usize {
    let mut values = 0;
    let mut value = Vec::new();
    let mut is_null = false;
    let mut at = 0;
    loop {
        match row.get(at) {
            None | Some(b'\t') => {
                out.push(if values == 0 { b'(' } else { b',' });
                literal(&value, is_null, out);
                values += 1;
                value.clear();
                is_null = false;
                if at >= row.len() {
                    out.push(b')');
                    return values;
                }
            }
            Some(b'\\') => {
                at += 1;
                match row.get(at) {
                    Some(b'0') => value.push(0),
                    Some(b'N') if value.is_empty() && matches!(row.get(at + 1), None | Some(b'\t')) => is_null = true,
                    // What LOAD DATA understands, too.
                    Some(b'n') => value.push(b'\n'),
                    Some(b't') => value.push(b'\t'),
                    Some(b'r') => value.push(b'\r'),
                    Some(b'b') => value.push(8),
                    Some(b'Z') => value.push(26),
                    Some(other) => value.push(*other),
                    None => value.push(b'\\'),
                }
            }
            Some(byte) => value.push(*byte),
        }
        at += 1;
    }
}

/// A value of SQL. What is no UTF-8 is no text of the dump, which has its text in that.
fn literal(value: &[u8], is_null: bool, out: &mut Vec<u8>) {
    if is_null {
        out.extend_from_slice(b"NULL");
    } else if std::str::from_utf8(value).is_err() {
        out.extend_from_slice(b"0x");
        out.extend_from_slice(crate::text::hex(value).as_bytes());
    } else {
        out.push(b'\'');
        for byte in value {
            match byte {
                0 => out.extend_from_slice(b"\\0"),
                b'\'' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                b'\n' => out.extend_from_slice(b"\\n"),
                26 => out.extend_from_slice(b"\\Z"),
                byte => out.push(*byte),
            }
        }
        out.push(b'\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(rows: &[u8]) -> std::result::Result<String, String> {
        let mut text = String::new();
        let mut reader = RowsReader::new(rows, "a`b", &[], "a.txt".into());
        reader.read_to_string(&mut text).map_err(|error| crate::archive::unwrap_io(error).message)?;
        Ok(text)
    }

    #[test]
    fn rows_become_values() {
        let rows = b"1\t\\N\ta\\\tb\\\nc\n2\t\\0\\\\\t'x'\n3\t\xff\t\\\\N\n";
        let wanted =
            "INSERT INTO `a``b` VALUES\n('1',NULL,'a\tb\\nc'),\n('2','\\0\\\\','\\'x\\''),\n('3',0xff,'\\\\N');\n";
        assert_eq!(sql(rows).unwrap(), wanted);
        assert_eq!(sql(b"").unwrap(), "");
        let mut text = String::new();
        let columns = ["id".to_owned(), "h`h".to_owned()];
        RowsReader::new(&b"1\t2\n"[..], "a", &columns, "a.txt".into()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "INSERT INTO `a` (`id`,`h``h`) VALUES\n('1','2');\n");
    }

    #[test]
    fn a_cut_row_and_one_of_another_width_are_damage() {
        assert!(sql(b"1\t2\n3").unwrap_err().contains("ends in the middle of row 2"));
        assert!(sql(b"1\t2\\\n").unwrap_err().contains("ends in the middle of row 1"));
        assert!(sql(b"1\t2\n3\n").unwrap_err().contains("row 2 has 1 values"));
    }
}
