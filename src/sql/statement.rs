//! What a dump may hold. Everything that is not on this list is refused.

use crate::sql::compat::definition::{AUTOEXTEND_SIZE, OWN_TABLESPACE, TABLESPACE};
use crate::sql::insert::qualified;
use crate::sql::token::{Kind, Quoting, Token, tokens};

/// A statement of a dump, by what has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `SET …`: for [`crate::sql::session::Session::apply`].
    Set,
    /// Means nothing here: locks, transactions, `CREATE DATABASE`.
    Nothing,
    /// `USE schema` or `CREATE DATABASE schema`: the dump names its schema.
    Schema(String),
    /// `CREATE TABLE`.
    CreateTable(Name),
    /// `CREATE SEQUENCE`.
    CreateSequence(Name),
    /// `SELECT SETVAL(…)` of a sequence.
    SetSequence(Name),
    /// `DROP TABLE` or `DROP SEQUENCE`, with the names.
    DropTable(Vec<Name>),
    /// `DROP` of a view, trigger, routine or event: nothing of the kind exists in a fresh schema.
    DropObject(Name),
    /// `ALTER TABLE … DISABLE KEYS` or `ENABLE KEYS`.
    Keys(Name, bool),
    /// `ALTER TABLE` that adds keys, constraints or `AUTO_INCREMENT`.
    AlterTable(Name),
    /// `CREATE INDEX`.
    CreateIndex(Name),
    /// A view, trigger, routine or event.
    CreateObject(ObjectKind, Name),
    /// `TRUNCATE` or `DELETE FROM` without a condition: the rows so far go.
    Empty(Name),
    /// `INSERT … SET`: one row.
    InsertRow(Name),
    /// `DROP DATABASE`.
    DropSchema(String),
    /// `PREPARE name FROM …`.
    Prepare(String, Source),
    /// `EXECUTE name`.
    Execute(String),
}

/// Where the text of a prepared statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a variable of the session, by its name in lower case.
    Variable(String),
    /// In the statement.
    Text(String),
}

/// What a statement is about, whether it is one of a dump or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Makes a table or sequence.
    NewTable(String),
    /// Does something to a table or sequence, or fills it.
    Table(String),
    /// Makes a view, trigger, routine or event.
    Object(ObjectKind, String),
}

impl Subject {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Subject::NewTable(name) | Subject::Table(name) | Subject::Object(_, name) => name,
        }
    }
}

/// What a statement is about, by its first words; `None` for one that is about no table or object of a schema.
pub fn subject(sql: &[u8], quoting: Quoting) -> Option<Subject> {
    let all = tokens(sql, quoting);
    let mut reader = Reader { sql, rest: &all };
    let first = reader.word()?;
    match first.as_str() {
        "CREATE" => {
            // Options, definer and kind come before the name, whatever their order.
            while let Some(token) = reader.rest.first() {
                let word = String::from_utf8_lossy(&sql[token.span.clone()]).to_ascii_uppercase();
                reader.rest = &reader.rest[1..];
                let kind = match (token.kind, word.as_str()) {
                    (Kind::Word, "TABLE" | "SEQUENCE") => {
                        reader.if_exists();
                        return reader.name().map(|name| Subject::NewTable(name.name));
                    }
                    (Kind::Word, "INDEX") => {
                        while reader.rest.first().is_some_and(|token| !token.is(sql, "ON")) {
                            reader.rest = &reader.rest[1..];
                        }
                        reader.one_of(&["ON"])?;
                        return reader.name().map(|name| Subject::Table(name.name));
                    }
                    (Kind::Word, "VIEW") => ObjectKind::View,
                    (Kind::Word, "TRIGGER") => ObjectKind::Trigger,
                    (Kind::Word, "PROCEDURE") => ObjectKind::Procedure,
                    (Kind::Word, "FUNCTION") => ObjectKind::Function,
                    (Kind::Word, "EVENT") => ObjectKind::Event,
                    (Kind::Word, "DATABASE" | "SCHEMA" | "USER" | "ROLE" | "SERVER") => return None,
                    _ => continue,
                };
                reader.if_exists();
                return reader.name().map(|name| Subject::Object(kind, name.name));
            }
            None
        }
        "ALTER" => {
            while reader.one_of(&["ONLINE", "IGNORE"]).is_some() {}
            reader.one_of(&["TABLE", "SEQUENCE"])?;
            reader.if_exists();
            reader.name().map(|name| Subject::Table(name.name))
        }
        "INSERT" | "REPLACE" => {
            while reader.one_of(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"]).is_some() {}
            reader.name().map(|name| Subject::Table(name.name))
        }
        "DELETE" | "UPDATE" => {
            while reader.one_of(&["LOW_PRIORITY", "QUICK", "IGNORE", "FROM"]).is_some() {}
            reader.name().map(|name| Subject::Table(name.name))
        }
        "TRUNCATE" => {
            reader.one_of(&["TABLE"]);
            reader.name().map(|name| Subject::Table(name.name))
        }
        "SELECT" | "DO" => match reader.set_sequence()? {
            Statement::SetSequence(name) => Some(Subject::Table(name.name)),
            _ => None,
        },
        _ => None,
    }
}

/// Kinds of what is not a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Stored function.
    Function,
    /// Stored procedure.
    Procedure,
    /// View.
    View,
    /// Trigger.
    Trigger,
    /// Event.
    Event,
}

impl ObjectKind {
    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            ObjectKind::Function => "FUNCTION",
            ObjectKind::Procedure => "PROCEDURE",
            ObjectKind::View => "VIEW",
            ObjectKind::Trigger => "TRIGGER",
            ObjectKind::Event => "EVENT",
        }
    }
}

/// A name and the schema before it, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Schema.
    pub schema: Option<String>,
    /// Name.
    pub name: String,
}

/// Storage engines that keep their data inside the schema and nowhere else.
const ENGINES: &[&str] = &["InnoDB", "MyISAM", "Aria", "MEMORY", "HEAP", "ARCHIVE", "CSV", "RocksDB", "TokuDB"];

/// Functions that no expression of a table needs: they hold up whoever touches a row, or reach out of the schema.
const REACHING: &[&str] = &[
    "SLEEP",
    "BENCHMARK",
    "GET_LOCK",
    "RELEASE_LOCK",
    "RELEASE_ALL_LOCKS",
    "MASTER_POS_WAIT",
    "MASTER_GTID_WAIT",
    "SOURCE_POS_WAIT",
    "WAIT_FOR_EXECUTED_GTID_SET",
    "LOAD_FILE",
];

/// Why a table or key is refused that calls one of them.
const WAITS: &str = "a table whose expressions wait, lock or read files";

/// Why a table is refused that refers to another schema.
pub const FOREIGN_REFERENCE: &str = "a foreign key to another schema";

/// Whether an engine of this name keeps its data inside the schema and nowhere else.
pub fn is_self_contained(engine: &str) -> bool {
    ENGINES.iter().any(|known| engine.eq_ignore_ascii_case(known))
}

/// Whether what follows a statement means something else without it: settings, schemas, what is prepared. Such a one is never left
/// out.
pub fn gives_meaning(sql: &[u8], quoting: Quoting) -> bool {
    let all = tokens(sql, quoting);
    let is = |at: usize, words: &[&str]| all.get(at).is_some_and(|token| words.iter().any(|word| token.is(sql, word)));
    let sign = |at: usize, byte: u8| all.get(at).is_some_and(|token| token.is_sign(sql, byte));
    if is(0, &["SET"]) {
        // Of the server or of accounts, and nothing beside it.
        let another = is(1, &["GLOBAL", "PASSWORD", "ROLE", "DEFAULT"]);
        let global = sign(1, b'@') && sign(2, b'@') && is(3, &["GLOBAL"]);
        return !(another || global) || (0..all.len()).any(|at| sign(at, b','));
    }
    is(0, &["USE", "PREPARE", "EXECUTE"]) || is(0, &["CREATE", "DROP"]) && is(1, &["DATABASE", "SCHEMA"])
}

/// `CREATE OR REPLACE`.
pub fn replaces(sql: &[u8], quoting: Quoting) -> bool {
    tokens(sql, quoting).get(1).is_some_and(|token| token.is(sql, "OR"))
}

/// Says what a statement is. `Err` says why it is refused.
pub fn classify(sql: &[u8], quoting: Quoting) -> Result<Statement, String> {
    let all = tokens(sql, quoting);
    let mut reader = Reader { sql, rest: &all };
    let found = one_of_a_dump(&mut reader)?;
    let has_body = matches!(&found, Statement::CreateObject(kind, _) if *kind != ObjectKind::View);
    if !has_body && all.iter().any(|token| token.is_sign(sql, b';')) {
        return Err("several statements in one".into());
    }
    Ok(found)
}

fn one_of_a_dump(reader: &mut Reader) -> Result<Statement, String> {
    let Some(first) = reader.word() else { return Err("no statement".into()) };
    let found = match first.as_str() {
        "SET" => Some(Statement::Set),
        "LOCK" | "UNLOCK" => reader.one_of(&["TABLES", "TABLE"]).map(|_| Statement::Nothing),
        "BEGIN" | "COMMIT" => {
            reader.one_of(&["WORK"]);
            while reader.one_of(&["AND", "NO", "CHAIN", "RELEASE"]).is_some() {}
            reader.rest.is_empty().then_some(Statement::Nothing)
        }
        "SAVEPOINT" => (reader.rest.len() == 1).then_some(Statement::Nothing),
        "RELEASE" => reader.one_of(&["SAVEPOINT"]).map(|_| Statement::Nothing),
        // Of a schema that was filled a moment ago there is nothing to look after.
        "ANALYZE" | "OPTIMIZE" | "CHECK" | "REPAIR" => {
            while reader.one_of(&["NO_WRITE_TO_BINLOG", "LOCAL"]).is_some() {}
            reader.one_of(&["TABLE", "TABLES"]).map(|_| Statement::Nothing)
        }
        "FLUSH" => {
            while reader.one_of(&["NO_WRITE_TO_BINLOG", "LOCAL"]).is_some() {}
            let locks = reader.rest.iter().any(|token| token.is(reader.sql, "WITH") || token.is(reader.sql, "FOR"));
            reader.one_of(&["TABLE", "TABLES"]).filter(|_| !locks).map(|_| Statement::Nothing)
        }
        "SHOW" => reader.one_of(&["WARNINGS", "ERRORS"]).filter(|_| reader.rest.is_empty()).map(|_| Statement::Nothing),
        "TRUNCATE" => {
            reader.one_of(&["TABLE"]);
            reader.name().filter(|_| reader.rest.is_empty()).map(Statement::Empty)
        }
        "DELETE" => reader.delete_all(),
        "INSERT" | "REPLACE" => reader.insert_row(),
        "PREPARE" => reader.prepare(),
        "EXECUTE" => reader.plain_name().filter(|_| reader.rest.is_empty()).map(Statement::Execute),
        "DEALLOCATE" => reader.one_of(&["PREPARE"]).map(|_| Statement::Nothing),
        "START" => reader.one_of(&["TRANSACTION"]).map(|_| Statement::Nothing),
        "USE" => reader.name().filter(|_| reader.rest.is_empty()).map(|name| Statement::Schema(name.name)),
        "SELECT" | "DO" => reader.probe().or_else(|| reader.set_sequence()),
        "CREATE" => return create(reader),
        "DROP" => drop_statement(reader),
        "ALTER" => return alter(reader),
        _ => None,
    };
    found.ok_or_else(|| "a statement that no dump of a site needs".into())
}

fn create(reader: &mut Reader) -> Result<Statement, String> {
    let unknown = || "a kind of CREATE that no dump of a site needs".to_owned();
    if reader.one_of(&["OR"]).is_some() {
        reader.one_of(&["REPLACE"]).ok_or_else(unknown)?;
    }
    loop {
        let word = reader.word().ok_or_else(unknown)?;
        let kind = match word.as_str() {
            "DATABASE" | "SCHEMA" => {
                reader.if_exists();
                return reader.name().map(|name| Statement::Schema(name.name)).ok_or_else(unknown);
            }
            "TABLE" => {
                reader.if_exists();
                let name = reader.name().ok_or_else(unknown)?;
                table_options(reader)?;
                return Ok(Statement::CreateTable(name));
            }
            "SEQUENCE" => {
                reader.if_exists();
                let name = reader.name().ok_or_else(unknown)?;
                table_options(reader)?;
                return Ok(Statement::CreateSequence(name));
            }
            "INDEX" => {
                reader.if_exists();
                reader.name().ok_or_else(unknown)?;
                while reader.one_of(&["USING"]).is_some() {
                    reader.word();
                }
                reader.one_of(&["ON"]).ok_or_else(unknown)?;
                let name = reader.name().ok_or_else(unknown)?;
                // A key of MySQL's may be an expression.
                if (0..reader.rest.len()).any(|at| reader.reaches(at)) {
                    return Err(WAITS.into());
                }
                return Ok(Statement::CreateIndex(name));
            }
            "UNIQUE" | "FULLTEXT" | "SPATIAL" => continue,
            "ALGORITHM" => {
                reader.sign(b'=').ok_or_else(unknown)?;
                reader.one_of(&["UNDEFINED", "MERGE", "TEMPTABLE"]).ok_or_else(unknown)?;
                continue;
            }
            "DEFINER" => {
                reader.sign(b'=').ok_or_else(unknown)?;
                reader.account().ok_or_else(unknown)?;
                continue;
            }
            "SQL" => {
                reader.one_of(&["SECURITY"]).ok_or_else(unknown)?;
                reader.one_of(&["DEFINER", "INVOKER"]).ok_or_else(unknown)?;
                continue;
            }
            "AGGREGATE" => continue,
            "VIEW" => ObjectKind::View,
            "TRIGGER" => ObjectKind::Trigger,
            "PROCEDURE" => ObjectKind::Procedure,
            "FUNCTION" => ObjectKind::Function,
            "EVENT" => ObjectKind::Event,
            _ => return Err(unknown()),
        };
        reader.if_exists();
        let name = reader.name().ok_or_else(unknown)?;
        let sonames = reader.rest.iter().any(|token| token.is(reader.sql, "SONAME"));
        if sonames || reader.names_files() {
            return Err("it reads or writes files of the server".into());
        }
        return Ok(Statement::CreateObject(kind, name));
    }
}

/// Refuses options of a table that reach beyond the schema.
fn table_options(reader: &Reader) -> Result<(), String> {
    let sql = reader.sql;
    let like = |token: Option<&Token>| token.is_some_and(|token| token.is(sql, "LIKE"));
    let bracket = reader.rest.first().is_some_and(|token| token.is_sign(sql, b'('));
    if like(reader.rest.first()) || bracket && like(reader.rest.get(1)) {
        return Err("a table made of something else".into());
    }
    for (at, token) in reader.rest.iter().enumerate() {
        let next = |step: usize| reader.rest.get(at + step);
        let value_of =
            (token.is(sql, "NEXT") || token.is(sql, "PREVIOUS")) && next(1).is_some_and(|word| word.is(sql, "VALUE"));
        let drawn = ["NEXTVAL", "LASTVAL", "SETVAL"].iter().any(|name| token.is(sql, name));
        if value_of || drawn && next(1).is_some_and(|sign| sign.is_sign(sql, b'(')) {
            // The server writes down the schema in which it finds the sequence; that of the load does not stay.
            return Err("a table that draws a value from a sequence".into());
        }
        if reader.reaches(at) {
            return Err(WAITS.into());
        }
        if token.is(sql, "DIRECTORY") {
            return Err("a table with a folder of its own".into());
        }
        // Of a table that is made both are left out before; here are what alters it, and spellings that nobody writes.
        let number = |token: &Token| token.is_sign(sql, b'=') || sql[token.span.start].is_ascii_digit();
        if token.is(sql, AUTOEXTEND_SIZE) && next(1).is_some_and(number) {
            return Err("a table that takes room before it has rows".into());
        }
        if token.is(sql, TABLESPACE) {
            let step = if next(1).is_some_and(|sign| sign.is_sign(sql, b'=')) { 2 } else { 1 };
            let name = next(step).and_then(|name| name.name(sql));
            if name.is_some_and(|name| !name.eq_ignore_ascii_case(OWN_TABLESPACE)) {
                // Its rows would be in a file of somebody else's, who cannot drop it then.
                return Err("a table in a tablespace that others share".into());
            }
        }
        if ["SELECT", "UNION", "TABLE", "CONNECTION"].iter().any(|word| token.is(sql, word)) {
            return Err("a table made of something else".into());
        }
        if token.is(sql, "ENGINE") || token.is(sql, "TYPE") && next(1).is_some_and(|sign| sign.is_sign(sql, b'=')) {
            let step = if next(1).is_some_and(|sign| sign.is_sign(sql, b'=')) { 2 } else { 1 };
            let raw = next(step).map(|engine| &sql[engine.span.clone()]).unwrap_or_default();
            let engine = String::from_utf8_lossy(raw);
            let engine = engine.trim_matches(['\'', '"', '`']);
            if token.is(sql, "ENGINE") && !is_self_contained(engine) {
                return Err(format!("a table of engine {engine:?}"));
            }
        }
        if token.is(sql, "REFERENCES") && next(2).is_some_and(|sign| sign.is_sign(sql, b'.')) {
            return Err(FOREIGN_REFERENCE.into());
        }
    }
    Ok(())
}

fn drop_statement(reader: &mut Reader) -> Option<Statement> {
    if reader.one_of(&["DATABASE", "SCHEMA"]).is_some() {
        reader.if_exists();
        return reader.name().filter(|_| reader.rest.is_empty()).map(|name| Statement::DropSchema(name.name));
    }
    if reader.one_of(&["PREPARE"]).is_some() {
        return Some(Statement::Nothing);
    }
    if reader.one_of(&["INDEX"]).is_some() {
        reader.if_exists();
        reader.name()?;
        reader.one_of(&["ON"])?;
        return reader.name().filter(|_| reader.rest.is_empty()).map(Statement::AlterTable);
    }
    // It would drop nothing but a temporary table, and a dump has none.
    let temporary = reader.one_of(&["TEMPORARY"]).is_some();
    let word = reader.one_of(&["TABLE", "TABLES", "SEQUENCE", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"])?;
    reader.if_exists();
    let mut names = vec![reader.name()?];
    while reader.sign(b',').is_some() {
        names.push(reader.name()?);
    }
    Some(match word.as_str() {
        _ if temporary => Statement::Nothing,
        "TABLE" | "TABLES" | "SEQUENCE" => Statement::DropTable(names),
        _ => Statement::DropObject(names.swap_remove(0)),
    })
}

fn alter(reader: &mut Reader) -> Result<Statement, String> {
    let unknown = || "a kind of ALTER that no dump of a site needs".to_owned();
    if reader.one_of(&["DATABASE", "SCHEMA"]).is_some() {
        // mysqldump sets a schema's character set around triggers; ours is set once.
        return Ok(Statement::Nothing);
    }
    while reader.one_of(&["ONLINE", "IGNORE"]).is_some() {}
    reader.one_of(&["TABLE"]).ok_or_else(unknown)?;
    reader.if_exists();
    let name = reader.name().ok_or_else(unknown)?;
    if let Some(word) = reader.one_of(&["DISABLE", "ENABLE"]) {
        reader.one_of(&["KEYS"]).ok_or_else(unknown)?;
        return Ok(Statement::Keys(name, word == "ENABLE"));
    }
    // What changes the table is the dump's own affair; what leads out of it, or puts files in its place, is not.
    let (sql, mut depth) = (reader.sql, 0_u32);
    for (at, token) in reader.rest.iter().enumerate() {
        depth = match token {
            token if token.is_sign(sql, b'(') => depth + 1,
            token if token.is_sign(sql, b')') => depth.saturating_sub(1),
            _ => depth,
        };
        let moves = token.is(sql, "RENAME")
            && !reader
                .rest
                .get(at + 1)
                .is_some_and(|next| ["INDEX", "KEY", "COLUMN"].iter().any(|of| next.is(sql, of)));
        let files = ["EXCHANGE", "IMPORT", "DISCARD"].iter().any(|word| token.is(sql, word));
        if depth == 0 && (moves || files) {
            return Err(unknown());
        }
    }
    if reader.rest.first().is_none_or(|first| first.kind != Kind::Word) {
        return Err(unknown());
    }
    table_options(reader)?;
    Ok(Statement::AlterTable(name))
}

struct Reader<'a> {
    sql: &'a [u8],
    rest: &'a [Token],
}

impl Reader<'_> {
    /// The next bare word in upper case.
    fn word(&mut self) -> Option<String> {
        let first = self.rest.first().filter(|token| token.kind == Kind::Word)?;
        let word = String::from_utf8_lossy(&self.sql[first.span.clone()]).to_ascii_uppercase();
        self.rest = &self.rest[1..];
        Some(word)
    }

    fn one_of(&mut self, words: &[&str]) -> Option<String> {
        let first = self.rest.first()?;
        let word = words.iter().find(|word| first.is(self.sql, word))?;
        self.rest = &self.rest[1..];
        Some((*word).to_owned())
    }

    fn sign(&mut self, sign: u8) -> Option<()> {
        self.rest.first().filter(|token| token.is_sign(self.sql, sign))?;
        self.rest = &self.rest[1..];
        Some(())
    }

    /// Goes over `IF EXISTS` or `IF NOT EXISTS`.
    fn if_exists(&mut self) {
        if self.one_of(&["IF"]).is_some() {
            self.one_of(&["NOT"]);
            self.one_of(&["EXISTS"]);
        }
    }

    fn set_sequence(&mut self) -> Option<Statement> {
        self.one_of(&["SETVAL"])?;
        self.sign(b'(')?;
        let name = self.name()?;
        // Numbers up to the bracket, and nothing behind it.
        let [numbers @ .., last] = self.rest else { return None };
        let is_number = |token: &Token| {
            let text = &self.sql[token.span.clone()];
            text.iter().all(u8::is_ascii_digit) || matches!(text, b"," | b"-")
        };
        (last.is_sign(self.sql, b')') && numbers.iter().all(is_number)).then_some(Statement::SetSequence(name))
    }

    /// `DELETE FROM t`, also with a condition that is always true.
    fn delete_all(&mut self) -> Option<Statement> {
        while self.one_of(&["LOW_PRIORITY", "QUICK", "IGNORE"]).is_some() {}
        self.one_of(&["FROM"])?;
        let name = self.name()?;
        if self.one_of(&["WHERE"]).is_some() {
            self.one_of(&["1", "TRUE"])?;
            if self.sign(b'=').is_some() {
                self.one_of(&["1"])?;
            }
        }
        self.rest.is_empty().then_some(Statement::Empty(name))
    }

    /// `INSERT INTO t SET a=1, b='x'`.
    fn insert_row(&mut self) -> Option<Statement> {
        while self.one_of(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"]).is_some() {}
        let name = self.name()?;
        self.one_of(&["SET"])?;
        loop {
            self.name()?;
            self.sign(b'=')?;
            self.sign(b'-');
            let value = self.rest.first()?;
            let word = &self.sql[value.span.clone()];
            let literal = match value.kind {
                Kind::Text => true,
                Kind::Word => {
                    word[0].is_ascii_digit()
                        || ["NULL", "DEFAULT", "TRUE", "FALSE"].iter().any(|known| value.is(self.sql, known))
                }
                _ => false,
            };
            if !literal {
                return None;
            }
            self.rest = &self.rest[1..];
            if word[0].is_ascii_digit() && self.sign(b'.').is_some() {
                self.rest = self.rest.get(1..)?;
            }
            if self.rest.is_empty() {
                return Some(Statement::InsertRow(name));
            }
            self.sign(b',')?;
        }
    }

    fn plain_name(&mut self) -> Option<String> {
        let name = self.rest.first()?.name(self.sql)?;
        self.rest = &self.rest[1..];
        Some(name.to_ascii_lowercase())
    }

    /// `PREPARE s FROM @text` and `PREPARE s FROM 'text'`.
    fn prepare(&mut self) -> Option<Statement> {
        let name = self.plain_name()?;
        self.one_of(&["FROM"])?;
        let source = match self.rest.first()? {
            token if token.kind == Kind::Text => {
                let raw = std::str::from_utf8(&self.sql[token.span.clone()]).ok()?;
                self.rest = &self.rest[1..];
                Source::Text(
                    raw.get(1..raw.len().checked_sub(1)?).filter(|text| !text.contains(['\\', '\'', '"']))?.into(),
                )
            }
            token if token.is_sign(self.sql, b'@') => {
                self.rest = &self.rest[1..];
                Source::Variable(self.plain_name()?)
            }
            _ => return None,
        };
        self.rest.is_empty().then_some(Statement::Prepare(name, source))
    }

    /// `SELECT COUNT(*) INTO @x FROM information_schema.…` and `SELECT 0`: how dumps ask the server what it is. Never sent.
    fn probe(&mut self) -> Option<Statement> {
        let sql = self.sql;
        if let [only] = self.rest
            && sql[only.span.clone()].iter().all(u8::is_ascii_digit)
        {
            return Some(Statement::Nothing);
        }
        let head: Vec<&[u8]> = self.rest.iter().take(9).map(|token| &sql[token.span.clone()]).collect();
        let [count, b"(", b"*", b")", into, b"@", _, from, schema] = head.as_slice() else { return None };
        let words = count.eq_ignore_ascii_case(b"COUNT")
            && into.eq_ignore_ascii_case(b"INTO")
            && from.eq_ignore_ascii_case(b"FROM");
        let own =
            schema.eq_ignore_ascii_case(b"information_schema") || schema.eq_ignore_ascii_case(b"performance_schema");
        (words && own && !self.names_files()).then_some(Statement::Nothing)
    }

    fn name(&mut self) -> Option<Name> {
        let (schema, name) = qualified(self.sql, &mut self.rest)?;
        Some(Name { schema, name })
    }

    /// `user`, `user@host`, `CURRENT_USER`, `CURRENT_USER()`.
    fn account(&mut self) -> Option<()> {
        self.rest = self.rest.get(1..)?;
        if self.sign(b'@').is_some() {
            // A bare host such as 10.0.0.1 is several tokens; dumps quote it.
            self.rest = self.rest.get(1..)?;
        } else if self.sign(b'(').is_some() {
            self.sign(b')')?;
        }
        Some(())
    }

    /// Whether one of [`REACHING`] is called there.
    fn reaches(&self, at: usize) -> bool {
        let called = self.rest.get(at + 1).is_some_and(|sign| sign.is_sign(self.sql, b'('));
        called && REACHING.iter().any(|name| self.rest[at].is(self.sql, name))
    }

    fn names_files(&self) -> bool {
        ["OUTFILE", "DUMPFILE", "INFILE", "LOAD_FILE"]
            .iter()
            .any(|word| self.rest.iter().any(|token| token.is(self.sql, word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(sql: &str) -> Result<Statement, String> {
        classify(sql.as_bytes(), Quoting::default())
    }

    fn name(name: &str) -> Name {
        Name { schema: None, name: name.into() }
    }

    #[test]
    fn what_dumps_hold_is_known() {
        for (sql, expected) in [
            ("SET NAMES utf8", Statement::Set),
            ("LOCK TABLES `a` WRITE", Statement::Nothing),
            ("UNLOCK TABLES", Statement::Nothing),
            ("START TRANSACTION", Statement::Nothing),
            ("ALTER DATABASE `x` CHARACTER SET latin1 COLLATE latin1_swedish_ci", Statement::Nothing),
            ("USE `site`", Statement::Schema("site".into())),
            ("CREATE DATABASE IF NOT EXISTS `site` DEFAULT CHARACTER SET utf8mb4", Statement::Schema("site".into())),
            ("CREATE TABLE `a` (x int DEFAULT 1) ENGINE=InnoDB", Statement::CreateTable(name("a"))),
            ("DROP TABLE IF EXISTS `a`", Statement::DropTable(vec![name("a")])),
            ("DROP TEMPORARY TABLE IF EXISTS a", Statement::Nothing),
            ("DROP VIEW IF EXISTS `v`", Statement::DropObject(name("v"))),
            ("ALTER TABLE `a` DISABLE KEYS", Statement::Keys(name("a"), false)),
            ("ALTER TABLE a ADD PRIMARY KEY (id), ADD KEY x (y)", Statement::AlterTable(name("a"))),
            ("ALTER TABLE a MODIFY id int AUTO_INCREMENT, AUTO_INCREMENT=7", Statement::AlterTable(name("a"))),
            ("CREATE UNIQUE INDEX i ON a (x)", Statement::CreateIndex(name("a"))),
            ("CREATE INDEX i ON a ((lower(x)), sleep)", Statement::CreateIndex(name("a"))),
            (
                "CREATE TABLE a (x int) TABLESPACE `innodb_file_per_table` ENGINE=InnoDB",
                Statement::CreateTable(name("a")),
            ),
            ("CREATE TABLE a (x int, KEY tablespace (x))", Statement::CreateTable(name("a"))),
            (
                "CREATE ALGORITHM=UNDEFINED DEFINER=`r`@`%` SQL SECURITY DEFINER VIEW `v` AS select 1",
                Statement::CreateObject(ObjectKind::View, name("v")),
            ),
            (
                "CREATE DEFINER=CURRENT_USER() TRIGGER `t` BEFORE INSERT ON a FOR EACH ROW SET @x=1",
                Statement::CreateObject(ObjectKind::Trigger, name("t")),
            ),
            ("CREATE FUNCTION f() RETURNS int RETURN 1", Statement::CreateObject(ObjectKind::Function, name("f"))),
            ("CREATE SEQUENCE `s` start with 1 ENGINE=InnoDB", Statement::CreateSequence(name("s"))),
            ("SELECT SETVAL(`s`, 1, 0)", Statement::SetSequence(name("s"))),
            ("DO SETVAL(s, -9223372036854775807, 1, 12)", Statement::SetSequence(name("s"))),
            ("CREATE TABLE `a` (`like` int, `sleep` int CHECK (x LIKE 'a%'))", Statement::CreateTable(name("a"))),
            ("COMMIT WORK", Statement::Nothing),
            ("ANALYZE LOCAL TABLE a, b", Statement::Nothing),
            ("TRUNCATE a", Statement::Empty(name("a"))),
            ("DELETE FROM `a` WHERE 1", Statement::Empty(name("a"))),
            ("INSERT INTO a SET id=9, n='x', z=-1.5", Statement::InsertRow(name("a"))),
            ("DROP DATABASE IF EXISTS `site`", Statement::DropSchema("site".into())),
            ("PREPARE s FROM @Sql", Statement::Prepare("s".into(), Source::Variable("sql".into()))),
            ("EXECUTE s", Statement::Execute("s".into())),
            ("DEALLOCATE PREPARE s", Statement::Nothing),
            ("SELECT COUNT(*) INTO @a FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME='x'", Statement::Nothing),
            ("ALTER TABLE a CHANGE id id int NOT NULL AUTO_INCREMENT", Statement::AlterTable(name("a"))),
            ("ALTER TABLE a COMMENT='x'", Statement::AlterTable(name("a"))),
            ("ALTER TABLE a ENGINE=InnoDB, DROP KEY k, RENAME INDEX i TO j", Statement::AlterTable(name("a"))),
            (
                "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @x=1; END",
                Statement::CreateObject(ObjectKind::Trigger, name("t")),
            ),
        ] {
            assert_eq!(class(sql), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn what_the_rest_depends_on_is_told_apart() {
        for sql in [
            "SET NAMES gbk",
            "set sql_mode='X'",
            "SET GLOBAL a=1, NAMES gbk",
            "USE b",
            "CREATE DATABASE b",
            "DROP SCHEMA b",
        ] {
            assert!(gives_meaning(sql.as_bytes(), Quoting::default()), "{sql}");
        }
        for sql in
            ["SET GLOBAL general_log=1", "SET @@GLOBAL.a=1", "SET PASSWORD='x'", "GRANT ALL ON *.* TO x", "CALL p()"]
        {
            assert!(!gives_meaning(sql.as_bytes(), Quoting::default()), "{sql}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for sql in [
            "GRANT ALL ON *.* TO x",
            "CREATE USER x",
            "CREATE ROLE x",
            "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
            "DROP USER x",
            "RENAME TABLE a TO victim.a",
            "ALTER TABLE a RENAME TO victim.a",
            "ALTER TABLE a ADD x int, RENAME victim.a",
            "ALTER USER root IDENTIFIED BY 'x'",
            "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE a",
            "SELECT 1 INTO OUTFILE '/tmp/x'",
            "SELECT SLEEP(9)",
            "INSERT INTO a SELECT * FROM b",
            "INSTALL PLUGIN x SONAME 'y'",
            "CREATE FUNCTION f RETURNS STRING SONAME 'udf.so'",
            "CREATE VIEW v AS SELECT LOAD_FILE('/etc/passwd')",
            "CREATE TABLE a (x int) DATA DIRECTORY='/tmp'",
            "CREATE TABLE a (x int) ENGINE=FEDERATED CONNECTION='mysql://x'",
            "CREATE TABLE a (x int) ENGINE=CONNECT",
            "CREATE TABLE a AS SELECT * FROM mysql.user",
            "CREATE TABLE a LIKE mysql.user",
            "CREATE TABLE a (LIKE mysql.user)",
            "CREATE TABLE a TABLE mysql.user",
            "CREATE TABLE a (x int); DROP TABLE b",
            "CREATE VIEW v AS SELECT 1; DROP TABLE b",
            "SELECT SETVAL(s, 1), LOAD_FILE('/etc/passwd')",
            "SELECT SETVAL(s, 1) INTO OUTFILE '/tmp/x'",
            "DO SETVAL(s, SLEEP(9))",
            "CREATE TABLE a (x int, FOREIGN KEY (x) REFERENCES `victim`.`t` (x))",
            "CREATE TEMPORARY TABLE a (x int)",
            "CREATE TABLE a LIKE victim.t",
            "CREATE TABLE a (LIKE victim.t)",
            "CREATE TABLE a (x int DEFAULT (SLEEP(9)))",
            "CREATE TABLE a (x int); DROP TABLE b",
            "CREATE TABLE a (x int DEFAULT (WAIT_FOR_EXECUTED_GTID_SET('x:1')))",
            "CREATE INDEX i ON a ((WAIT_FOR_EXECUTED_GTID_SET('x:1')))",
            "ALTER TABLE a ADD KEY i ((SOURCE_POS_WAIT('x', 1)))",
            "CREATE TABLE a (x int) TABLESPACE `shared` ENGINE=InnoDB",
            "CREATE TABLE a (x int) PARTITION BY HASH (x) (PARTITION p TABLESPACE = innodb_system)",
            "ALTER TABLE a ADD y int, TABLESPACE shared",
            "CREATE TABLE a (x int DEFAULT nextval(`site`.`s`))",
            "CREATE TABLE a (x int DEFAULT (NEXT VALUE FOR s))",
            "CREATE VIEW v AS SELECT 1; DROP TABLE b",
            "SELECT SETVAL(s, 1), SLEEP(9)",
            "SELECT SETVAL(s, (SELECT 1))",
            "SELECT SETVAL(s, 1) INTO OUTFILE '/tmp/x'",
            "\\! id",
            "system id",
            "source /etc/passwd",
            "CALL p()",
            "EXECUTE IMMEDIATE 'x'",
            "PREPARE x FROM CONCAT('DROP', ' x')",
            "DELETE FROM a WHERE id IN (SELECT 1)",
            "DELETE FROM a WHERE SLEEP(9)",
            "INSERT INTO a SET id=SLEEP(9)",
            "INSERT INTO a SET id=(SELECT 1)",
            "ALTER TABLE a DISCARD TABLESPACE",
            "ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b",
            "ALTER TABLE a CHANGE x x int, RENAME TO b",
            "ROLLBACK",
            "FLUSH TABLES a FOR EXPORT; DROP TABLE b",
            "SELECT COUNT(*) INTO @x FROM mysql.user",
            "SELECT user()",
            "FLUSH PRIVILEGES",
            "FLUSH TABLES WITH READ LOCK",
            "FLUSH LOCAL TABLES a FOR EXPORT",
            "KILL 1",
            "SHUTDOWN",
            "",
        ] {
            assert!(class(sql).is_err(), "{sql}");
        }
    }
}
