//! What the loader has to know of a `CREATE TABLE`.

use crate::sql::definitions::{definitions, is_column};
use crate::sql::insert::Verb;
use crate::sql::lexer::{Rows, form};
use crate::sql::modes;
use crate::sql::session::Session;
use crate::sql::token::{Kind, Quoting, Token, tokens};

/// Columns and engine of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableText {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Storage engine, when it is named.
    pub engine: Option<String>,
    /// Default character set, when it is named.
    pub charset: Option<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type in lower case, such as `varchar`.
    pub kind: String,
    /// What stands in brackets behind the type, such as `6` of `datetime(6)`; empty where nothing does.
    pub size: String,
    /// Computed by the server.
    pub generated: bool,
    /// Computed from an expression: MariaDB ignores a value for it, MySQL refuses the row (error 3105). Not so the two ends of a row's
    /// time in a versioned table, which are generated, too.
    pub computed: bool,
    /// Passed over where no columns are named.
    pub invisible: bool,
}

impl Column {
    /// Whether values are written to it, as text that `LOAD DATA` reads as `INSERT` does.
    pub fn takes_text(&self) -> bool {
        !self.generated && self.taken_forms().is_some()
    }

    /// Whether `LOAD DATA` reads the same from values of these forms as `INSERT` does.
    pub fn takes(&self, forms: u8) -> bool {
        self.taken_forms().is_some_and(|taken| forms & !(taken | form::TEXT | form::NULL) == 0)
    }

    /// Ways of writing a number that mean the same as a number and as text. A bare number is the place in an ENUM, a set of bits of a
    /// SET, 1970 to 2069 of a YEAR; and 007 or 1e3 in a column of text is 7 or 1000.
    fn taken_forms(&self) -> Option<u8> {
        const WHOLE: u8 = form::WHOLE | form::FOUR;
        Some(match self.kind.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" => WHOLE | form::ZERO_FOUR,
            "decimal" | "numeric" => WHOLE | form::ZERO_FOUR | form::DECIMAL,
            "float" | "double" => WHOLE | form::ZERO_FOUR | form::DECIMAL | form::NUMBER,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => WHOLE,
            "year" => form::FOUR | form::ZERO_FOUR,
            "date" | "datetime" | "timestamp" | "time" | "enum" | "set" | "json" => 0,
            _ => return None,
        })
    }
}

/// What stands in the brackets with which these tokens begin.
fn size(sql: &str, rest: &[Token]) -> String {
    let is = |token: &Token, sign: u8| token.is_sign(sql.as_bytes(), sign);
    let opens = rest.first().filter(|token| is(token, b'('));
    let closes = rest.iter().find(|token| is(token, b')'));
    match (opens, closes) {
        (Some(open), Some(close)) => sql[open.span.end..close.span.start].to_owned(),
        _ => String::new(),
    }
}

impl TableText {
    /// Reads the text of a `CREATE TABLE`; `None` if it is not of the usual form.
    pub fn parse(sql: &str, quoting: Quoting) -> Option<TableText> {
        let bytes = sql.as_bytes();
        let all = tokens(bytes, quoting);
        let mut table = TableText::default();
        let (parts, close) = definitions(bytes, &all)?;
        for part in parts {
            table.part(sql, &all[part])?;
        }
        table.options(bytes, &all[close + 1..]);
        Some(table)
    }

    fn part(&mut self, sql: &str, part: &[Token]) -> Option<()> {
        let bytes = sql.as_bytes();
        let first = part.first()?;
        if !is_column(bytes, part) {
            return Some(());
        }
        let kind = part.get(1).filter(|token| token.kind == Kind::Word)?;
        // A word within an expression says nothing of the column.
        let mut depth = 0_u32;
        let mut is_outside = |token: &&Token| {
            let (opens, closes) = (token.is_sign(bytes, b'('), token.is_sign(bytes, b')'));
            depth = (depth + u32::from(opens)).saturating_sub(u32::from(closes));
            depth == 0 || (depth == 1 && opens)
        };
        let outside: Vec<&Token> = part.iter().filter(|token| is_outside(token)).collect();
        let generated = part.iter().skip(2).any(|token| token.is(bytes, "AS") || token.is(bytes, "GENERATED"));
        let computed = outside.windows(2).skip(2).any(|pair| pair[0].is(bytes, "AS") && pair[1].is_sign(bytes, b'('));
        self.columns.push(Column {
            name: first.name(bytes)?,
            kind: sql[kind.span.clone()].to_ascii_lowercase(),
            size: size(sql, part.get(2..).unwrap_or_default()),
            generated,
            computed,
            invisible: outside.iter().skip(2).any(|token| token.is(bytes, "INVISIBLE")),
        });
        Some(())
    }

    fn options(&mut self, sql: &[u8], rest: &[Token]) {
        let value = |at: usize| {
            let step = if rest.get(at + 1).is_some_and(|token| token.is_sign(sql, b'=')) { 2 } else { 1 };
            rest.get(at + step).and_then(|token| token.name(sql))
        };
        for (at, token) in rest.iter().enumerate() {
            if token.is(sql, "ENGINE") {
                self.engine = value(at);
            } else if token.is(sql, "CHARSET") {
                self.charset = value(at);
            }
        }
    }

    /// Whether `LOAD DATA` does the same with these rows as `INSERT` does, in this session and under this `sql_mode`; whoever looks at
    /// a dump and whoever loads it ask this.
    pub fn loads(&self, rows: &Rows, session: &Session, mode: &str) -> bool {
        let nulls = || modes::listed(mode).any(|word| word.eq_ignore_ascii_case("EMPTY_STRING_IS_NULL"));
        rows.simple
            && rows.upsert.is_none()
            && rows.head.verb == Verb::Insert
            && session.charset.as_deref() != Some("binary")
            && self.is_innodb()
            && self.takes(rows)
            && !nulls()
    }

    /// Whether `LOAD DATA` puts the same into each column as `INSERT` does, for values that are written as these are.
    fn takes(&self, rows: &Rows) -> bool {
        let column = |at: usize| match &rows.head.columns {
            None => self.columns.get(at),
            Some(names) => {
                names.get(at).and_then(|name| self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
            }
        };
        self.columns.iter().all(Column::takes_text)
            && (rows.head.columns.is_some() || !self.columns.iter().any(|column| column.invisible))
            && rows.forms.iter().enumerate().all(|(at, forms)| column(at).is_some_and(|column| column.takes(*forms)))
    }

    /// Names of the invisible columns that get no value by these rows: mydumper 0.10 writes rows so.
    pub fn left_out(&self, rows: &Rows) -> Option<String> {
        let hidden = self.columns.iter().filter(|column| column.invisible && !column.generated);
        let names: Vec<&str> = hidden.map(|column| column.name.as_str()).collect();
        (!names.is_empty() && rows.head.columns.is_none()).then(|| names.join(", "))
    }

    /// Names of the columns that are not computed.
    pub fn stored(&self) -> Vec<String> {
        self.columns.iter().filter(|column| !column.computed).map(|column| column.name.clone()).collect()
    }

    /// Whether this column is computed.
    pub fn computes(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.computed && column.name.eq_ignore_ascii_case(name))
    }

    /// Which values of a row, by their places from 0, are for columns that are computed. `named` are the columns of the INSERT.
    pub fn computed(&self, named: Option<&[String]>) -> Vec<usize> {
        match named {
            Some(names) => (0..names.len()).filter(|at| self.computes(&names[*at])).collect(),
            None => {
                let visible = self.columns.iter().filter(|column| !column.invisible).enumerate();
                visible.filter(|(_, column)| column.computed).map(|(at, _)| at).collect()
            }
        }
    }

    /// True for InnoDB, also when no engine is named.
    pub fn is_innodb(&self) -> bool {
        self.engine.as_deref().is_none_or(|engine| engine.eq_ignore_ascii_case("InnoDB"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTS: &str = "CREATE TABLE `p` (\n `ID` bigint(20) unsigned NOT NULL DEFAULT 0,\n `d` decimal(10,2) DEFAULT NULL COMMENT 'a, (b',\n PRIMARY KEY (`ID`),\n UNIQUE KEY `u` (`d`,`ID`),\n KEY `k` (`d`(191)),\n FULLTEXT KEY `f` (`d`),\n CONSTRAINT `c` FOREIGN KEY (`ID`) REFERENCES `q` (`ID`)\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4";

    #[test]
    fn columns_and_engine_are_read_and_keys_are_no_columns() {
        let table = TableText::parse(POSTS, Quoting::default()).unwrap();
        assert_eq!(table.columns.iter().map(|column| column.kind.as_str()).collect::<Vec<_>>(), ["bigint", "decimal"]);
        assert_eq!((table.engine.as_deref(), table.charset.as_deref()), (Some("InnoDB"), Some("utf8mb4")));
        assert!(table.columns.iter().all(Column::takes_text) && table.is_innodb());
    }

    #[test]
    fn rows_go_as_a_file_where_that_means_the_same() {
        let first = |sql: &str| match crate::sql::lexer::Lexer::surveying(sql.as_bytes(), None).next_item() {
            Ok(Some(crate::sql::lexer::Item::Rows(rows))) => rows,
            other => panic!("{other:?}"),
        };
        let (plain, mut binary) = (Session::default(), Session::default());
        binary.apply(b"SET NAMES binary").unwrap();
        let (seen, hidden) = ("CREATE TABLE t (a int, b text)", "CREATE TABLE t (a int, b text INVISIBLE)");
        for (create, rows, session, mode, loads) in [
            (seen, "INSERT INTO t VALUES (1,'x');", &plain, "", true),
            (seen, "INSERT INTO t VALUES (1,'x');", &plain, "ANSI,empty_string_is_null", false),
            (seen, "INSERT INTO t VALUES (1,'x');", &binary, "", false),
            (seen, "REPLACE INTO t VALUES (1,'x');", &plain, "", false),
            (seen, "INSERT INTO t VALUES (1,'x') ON DUPLICATE KEY UPDATE b='y';", &plain, "", false),
            (hidden, "INSERT INTO t VALUES (1);", &plain, "", false),
            (hidden, "INSERT INTO t (a,b) VALUES (1,'x');", &plain, "", true),
            ("CREATE TABLE t (a int, b text) ENGINE=MyISAM", "INSERT INTO t VALUES (1,'x');", &plain, "", false),
        ] {
            let table = TableText::parse(create, Quoting::default()).unwrap();
            assert_eq!(table.loads(&first(rows), session, mode), loads, "{create}; {rows} {mode}");
        }
    }

    #[test]
    fn binary_and_generated_columns_are_no_text() {
        for column in [
            "`b` varbinary(20)",
            "`b` longblob",
            "`b` bit(1)",
            "`b` point",
            "`b` int GENERATED ALWAYS AS (1) VIRTUAL",
            "`b` uuid",
        ] {
            let sql = format!("CREATE TABLE t (`a` int, {column})");
            assert!(
                !TableText::parse(&sql, Quoting::default()).unwrap().columns.iter().all(Column::takes_text),
                "{column}"
            );
        }
    }
}
