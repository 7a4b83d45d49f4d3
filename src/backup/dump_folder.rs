//! A folder of files as one dump, each file by its handle and unpacked as it is read:
//! * of mydumper: the definitions of the tables, their rows, then routines, triggers and views. Its own loader, myloader, takes the files by
//!   their names in the same order (mydumper/mydumper, docs: "Files"); the forms of its releases 0.10 to 0.21 are read;
//! * of `mariadb-dump --tab` or `--dir`, and `mysqldump --tab`: `TABLE.sql` with the definition and, behind its last line, the triggers, and
//!   `TABLE.txt` with the rows ([`rows`]).

mod rows;

use self::rows::RowsReader;
use crate::archive::{self, unwrap_io, wrap};
use crate::backup::folder::require_own;
use crate::backup::identity::Identity;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::tree;
use crate::host::tree::walk::Next;
use crate::path::RelPath;
use crate::sql::table::TableText;
use crate::sql::token::Quoting;
use crate::text::printable;
use rustix::fs::OFlags;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// Most files of a folder.
const MOST: usize = 200_000;
/// Largest file of definitions, and of `metadata`, in bytes.
const MAX_TEXT: u64 = 16 << 20;
/// The file that mydumper finishes last.
const METADATA: &[u8] = b"metadata";
/// The end of the name of the file that makes a schema.
const CREATE: &str = "-schema-create.sql";

/// The files of a dump, in the order of loading.
#[derive(Debug, Default)]
pub struct DumpFolder {
    head: String,
    /// Of several schemas that mydumper wrote into the folder, the one that is read.
    chosen: Option<String>,
    /// mydumper wrote it: `metadata` says whether it was finished.
    has_metadata: bool,
    files: Vec<(RelPath, Form)>,
    /// Bytes of the files as they lie there.
    pub size: u64,
    /// The packed among them are most.
    pub packed: bool,
    /// Rows of each table, by its name, where `metadata` says them.
    pub rows: Vec<(String, u64)>,
    /// `metadata` has checksums, which are not compared.
    has_checksums: bool,
}

/// What is read of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// All of it.
    Usual,
    /// All of it; statements end at a semicolon before a line end and only there, so that bodies need no `DELIMITER`.
    Line,
    /// What stands before its last line.
    Definition,
    /// Rows, of the table that the definition of that name makes.
    Rows,
    /// What stands behind its last line.
    Triggers,
}

impl DumpFolder {
    /// Looks at the names in a folder; `None` where it is no dump. `schema`: the one that is wanted, where there are several.
    ///
    /// # Errors
    /// `backup_incomplete` for a dump that was not finished; `backup_layout_unknown` for one of several schemas, or one whose rows are no
    /// SQL; `limit_exceeded`, `io_failed`.
    pub fn of(folder: BorrowedFd, schema: Option<&str>) -> Result<Option<DumpFolder>> {
        let (mut names, mut size, mut links, mut empty) = (Vec::new(), 0, Vec::new(), Vec::new());
        tree::walk(folder, &mut |visit| {
            if visit.path.is_empty() {
                return Ok(Next::Into);
            }
            let name = std::str::from_utf8(visit.name).unwrap_or_default();
            if visit.kind == tree::Kind::Symlink && name.contains(".sql") {
                links.push(name.to_owned());
            }
            if visit.kind == tree::Kind::File {
                if visit.stat.stx_size == 0 && name.contains(".sql") {
                    empty.push(name.to_owned());
                }
                if names.len() >= MOST {
                    return Err(Error::new(Code::LimitExceeded, format!("the folder has over {MOST} files")));
                }
                names.extend(std::str::from_utf8(visit.name).ok().map(str::to_owned));
                size += visit.stat.stx_size;
            }
            Ok(Next::Past)
        })?;
        let found = match of_names(&names, schema)? {
            Some(found) => found,
            None => match of_pairs(&names)? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        if let Some(link) = links.first() {
            let message = format!("{} is a link: the files of a dump are files", printable(link));
            return Err(Error::new(Code::BackupUnreadable, message).hint("Copy what it leads to into its place."));
        }
        if let Some(empty) = empty.first() {
            return Err(archive::corrupt(format_args!("{} is empty, and no file of a dump is", printable(empty))));
        }
        let mut found = DumpFolder { size, ..found };
        found.require_rows(folder)?;
        Ok(Some(found))
    }

    /// Newer releases of mydumper note the rows of each table: where there are some, there is a file of them.
    fn require_rows(&mut self, folder: BorrowedFd) -> Result<()> {
        if !self.has_metadata {
            return Ok(());
        }
        let (file, _) = self.open(folder, &RelPath::parse(METADATA)?)?;
        let text = String::from_utf8_lossy(&small(file)?).into_owned();
        let mut table = None;
        let mut name = None;
        for line in text.lines().map(str::trim) {
            if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                // `[`schema`.`file`]`
                name = head.split_once("`.`").map(|(_, table)| table.trim_end_matches('`').to_owned());
                table = head.split_once("`.`").map(|(schema, table)| {
                    format!("{}.{}.", schema.trim_start_matches('`'), table.trim_end_matches('`'))
                });
            }
            if self.chosen.as_ref().zip(table.as_ref()).is_some_and(|(schema, table)| !is_of(table, schema, &[])) {
                continue;
            }
            let told = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
            self.has_checksums |= told.is_some_and(|(key, _)| key.ends_with("checksum"));
            // A table whose name is no file's has another one here.
            if let Some(("real_table_name", real)) = told {
                name = name.map(|_| real.trim_matches('`').to_owned());
            }
            let rows = told.filter(|(key, _)| *key == "rows");
            let rows: u64 = rows.and_then(|(_, rows)| rows.parse().ok()).unwrap_or(0);
            let Some(begin) = table.as_ref().filter(|_| rows > 0) else { continue };
            if let (Some(name), true) = (&name, self.rows.len() < MOST) {
                self.rows.push((name.clone(), rows));
            }
            let has =
                |(path, form): &(RelPath, Form)| *form == Form::Usual && path.as_bytes().starts_with(begin.as_bytes());
            if !self.files.iter().any(has) {
                let message =
                    format!("`metadata` says {rows} rows of {}, and no file of them is there", printable(begin));
                return Err(
                    Error::new(Code::BackupIncomplete, message).hint("Copy the folder again, or choose another dump.")
                );
            }
        }
        Ok(())
    }

    /// What nobody can tell of it, as a sentence.
    pub fn unsure(&self) -> &'static str {
        match (self.has_metadata, self.rows.is_empty(), self.has_checksums) {
            // mariadb-dump and mysqldump write these to their standard output, whatever folder is named.
            (false, ..) => {
                "Its writer leaves sequences, routines and events out of the folder, and does not say how many rows a table had."
            }
            (true, true, _) => {
                "It does not say of every table how many rows it had: that no file of rows is missing is not checked."
            }
            (true, false, true) => {
                "The rows of its tables are counted, and held against `metadata`; the checksums there are not compared."
            }
            (true, false, false) => "The rows of its tables are counted, and held against `metadata`.",
        }
    }

    fn open(&self, folder: BorrowedFd, path: &RelPath) -> Result<(File, Identity)> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let shown = || format!("read {path}");
        let file = File::from(tree::open_beneath(folder, path, flags)?);
        let there = rustix::fs::fstat(folder).doing(shown)?;
        require_own(&there, &rustix::fs::fstat(&file).doing(shown)?, &path.to_string())?;
        if !file.metadata().doing(shown)?.is_file() {
            return Err(archive::corrupt(format_args!("{path} is no file any more")));
        }
        let identity = Identity::of(&file).doing(shown)?;
        Ok((file, identity))
    }
}

fn of_names(names: &[String], wanted: Option<&str>) -> Result<Option<DumpFolder>> {
    let plain = |name: &str| -> String {
        let packed = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end));
        packed.unwrap_or(name).to_owned()
    };
    let mut schemas: Vec<String> =
        names.iter().filter_map(|name| Some(plain(name).strip_suffix(CREATE)?.to_owned())).collect();
    schemas.sort();
    schemas.dedup();
    let unfinished = names.iter().find(|name| name.starts_with("metadata.partial") || *name == "resume");
    let begun = names.iter().any(|name| name.as_bytes() == METADATA) || unfinished.is_some();
    let schema = match schemas.as_slice() {
        [] => return Ok(None),
        _ if !begun => return Ok(None),
        [only] => only.clone(),
        several if wanted.is_some_and(|wanted| several.iter().any(|schema| schema == wanted)) => {
            wanted.unwrap_or_default().to_owned()
        }
        several => {
            let shown = printable(&several.join(", "));
            let message = format!("mydumper wrote {} databases into it: {shown}", several.len());
            return Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Say which one: `--site DATABASE` (\"site\" in `backup`).")
                .with("schemas", several.to_vec()));
        }
    };
    if let Some(name) = unfinished {
        let message = format!("mydumper did not finish it: {} is there", printable(name));
        return Err(Error::new(Code::BackupIncomplete, message).hint("Choose another dump."));
    }
    let (mut files, mut packed) = (Vec::new(), 0);
    let views: HashSet<String> = names
        .iter()
        .filter_map(|name| Some(plain(name).strip_prefix(&schema)?.strip_suffix("-schema-view.sql")?.to_owned()))
        .collect();
    for name in names {
        let text = plain(name);
        let Some(rest) = text.strip_prefix(&schema).filter(|_| is_of(&text, &schema, &schemas)) else { continue };
        if rest.ends_with(".dat") {
            let message = format!("mydumper wrote rows into it that are no SQL: {}", printable(name));
            return Err(
                Error::new(Code::BackupLayoutUnknown, message).hint("Make the dump without `--load-data` and `--csv`.")
            );
        }
        let (turn, form) = match rest {
            CREATE => continue,
            "-schema-post.sql" => (3, Form::Line),
            _ if rest.ends_with("-schema-triggers.sql") => (4, Form::Line),
            _ if rest.ends_with("-schema-view.sql") => (5, Form::Line),
            _ if rest.ends_with("-schema-sequence.sql") => (0, Form::Usual),
            _ => match (rest.strip_suffix("-schema.sql"), rest.strip_suffix(".sql")) {
                // A view has a table of its name for the time of the load; a view that comes last needs none.
                (Some(table), _) if views.contains(table) => continue,
                (Some(_), _) => (1, Form::Usual),
                (None, Some(_)) if rest.starts_with('.') => (2, Form::Usual),
                _ => continue,
            },
        };
        packed += usize::from(text != *name);
        files.push((turn, RelPath::parse(name.as_bytes())?, form));
    }
    files.sort();
    let packed = packed * 2 > files.len();
    let files = files.into_iter().map(|(_, path, form)| (path, form)).collect();
    let head = format!("-- mydumper\n-- Database: `{}`\n", printable(&schema));
    let chosen = (schemas.len() > 1).then_some(schema);
    Ok(Some(DumpFolder { head, chosen, has_metadata: true, files, packed, ..DumpFolder::default() }))
}

/// Whether a file is of this schema, and of none of the others, whose name may begin as this one's.
fn is_of(file: &str, schema: &str, all: &[String]) -> bool {
    let begins = |schema: &str| file.strip_prefix(schema).is_some_and(|rest| rest.starts_with(['.', '-']));
    begins(schema) && !all.iter().any(|other| other.len() > schema.len() && begins(other))
}

/// A folder of `TABLE.sql` and `TABLE.txt`; one with scripts in it is something else.
fn of_pairs(names: &[String]) -> Result<Option<DumpFolder>> {
    let all: HashSet<&str> = names.iter().map(String::as_str).collect();
    let has = |stem: &str, end: &str| all.contains(format!("{stem}{end}").as_str());
    let mut rows = names.iter().filter_map(|name| name.strip_suffix(".txt")).peekable();
    let is_site = names.iter().any(|name| name.ends_with(".php") || name.ends_with(".html"));
    if rows.peek().is_none() || is_site || !rows.all(|stem| has(stem, ".sql")) {
        return Ok(None);
    }
    let mut files = Vec::new();
    for name in names {
        let path = RelPath::parse(name.as_bytes())?;
        if name.ends_with(".txt") {
            files.push((1, path, Form::Rows));
        } else if let Some(stem) = name.strip_suffix(".sql") {
            // A definition without rows is a view's, or a table's that was left out.
            files.push((if has(stem, ".txt") { 0 } else { 2 }, path.clone(), Form::Definition));
            files.push((3, path, Form::Triggers));
        }
    }
    files.sort();
    let files = files.into_iter().map(|(_, path, form)| (path, form)).collect();
    // As mysqldump wrote them, which sets neither for rows that the server wrote.
    let head = "SET NAMES utf8mb4;\nSET TIME_ZONE='+00:00';\nSET FOREIGN_KEY_CHECKS=0;\nSET UNIQUE_CHECKS=0;\nSET SQL_MODE='NO_AUTO_VALUE_ON_ZERO';\n";
    Ok(Some(DumpFolder { head: head.to_owned(), files, ..DumpFolder::default() }))
}

/// Reads the files one after the other, as one text.
pub struct DumpFolderReader {
    folder: Arc<File>,
    dump: Arc<DumpFolder>,
    next: usize,
    text: Box<dyn Read>,
    open: Option<(RelPath, Arc<File>, Identity)>,
}

impl DumpFolderReader {
    /// From the first file on.
    pub fn new(folder: Arc<File>, dump: Arc<DumpFolder>) -> DumpFolderReader {
        let text = Box::new(io::Cursor::new(dump.head.clone()));
        DumpFolderReader { folder, dump, next: 0, text, open: None }
    }

    /// The next file's text; false at the end.
    fn advance(&mut self) -> Result<bool> {
        if let Some((path, file, identity)) = self.open.take()
            && Identity::of(&file).doing(|| format!("read {path}"))? != identity
        {
            return Err(Error::new(Code::BackupChanged, format!("{path} was written to while it was read"))
                .hint("Try again when nothing writes to the folder."));
        }
        let at = self.next;
        self.next += 1;
        let named = |path: &RelPath, mut error: Error| {
            error.message = format!("{path}: {}", error.message);
            error
        };
        if let Some((path, form)) = self.dump.files.get(at) {
            let (file, identity) = self.dump.open(self.folder.as_fd(), path)?;
            let file = Arc::new(file);
            let text = archive::text(Arc::clone(&file)).map_err(|error| named(path, error))?;
            self.text = match form {
                Form::Usual => Box::new(text.chain(&b"\n"[..])),
                Form::Line => Box::new(io::Cursor::new(delimited(text).map_err(|error| named(path, error))?)),
                Form::Definition => Box::new(io::Cursor::new(parts(text).map_err(|error| named(path, error))?.0)),
                Form::Triggers => Box::new(io::Cursor::new(parts(text).map_err(|error| named(path, error))?.1)),
                Form::Rows => {
                    let (table, columns) = self.table_of(path).map_err(|error| named(path, error))?;
                    let rows = BufReader::with_capacity(256 << 10, text);
                    Box::new(RowsReader::new(rows, &table, &columns, path.to_string()))
                }
            };
            self.open = Some((path.clone(), file, identity));
            return Ok(true);
        }
        if at > self.dump.files.len() {
            return Ok(false);
        }
        if !self.dump.has_metadata {
            self.text = Box::new(io::Cursor::new(format!("-- {COMPLETED}\n")));
            return Ok(true);
        }
        // Last what mydumper writes last: when it was done, which is the end of a whole dump.
        let path = RelPath::parse(METADATA)?;
        let (file, _) = self.dump.open(self.folder.as_fd(), &path)?;
        let text = String::from_utf8_lossy(&small(file)?).into_owned();
        let done = text.lines().map(|line| line.trim_start_matches(['#', ' '])).find(|line| line.starts_with(DONE));
        let Some(done) = done else {
            return Err(Error::new(Code::BackupIncomplete, "mydumper did not finish it: `metadata` does not say when")
                .hint("Choose another dump."));
        };
        self.text = Box::new(io::Cursor::new(format!("-- {}\n", printable(done))));
        Ok(true)
    }
}

/// The words of the last line of `metadata`.
const DONE: &str = "Finished dump at";
/// Those of a definition's.
const COMPLETED: &str = "Dump completed";

/// What stands before and behind the last line of a definition.
fn parts(text: impl Read) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut whole = small(text)?;
    let mark = format!("\n-- {COMPLETED}");
    let at = memchr::memmem::rfind(&whole, mark.as_bytes()).ok_or_else(|| {
        archive::corrupt("it lacks its last line: it is cut, or was made with `--compact` or `--skip-comments`")
    })?;
    let behind = whole.split_off(at + 1);
    whole.push(b'\n');
    Ok((whole, [&behind[..], b"\n"].concat()))
}

/// A definition from its `CREATE TABLE` on.
fn create_table(definition: &[u8]) -> Option<&[u8]> {
    memchr::memmem::find(definition, b"\nCREATE TABLE `").map(|at| &definition[at + 1..])
}

/// The name in `CREATE TABLE`.
fn table_in(definition: &[u8]) -> Option<String> {
    let begin = create_table(definition)?.strip_prefix(b"CREATE TABLE `")?;
    let mut name = Vec::new();
    let mut rest = begin.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'`' if rest.as_slice().first() == Some(&b'`') => {
                name.push(b'`');
                rest.next();
            }
            b'`' => return String::from_utf8(name).ok(),
            byte => name.push(*byte),
        }
    }
    None
}

/// Columns of the table in a definition, where a row has to name them: INSERT expects no value for one that is invisible, and the server writes
/// these, too.
fn columns_in(definition: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(create_table(definition).unwrap_or_default());
    let statement = text.split(";\n").next().unwrap_or_default();
    let columns = TableText::parse(statement, Quoting::default()).map(|table| table.columns).unwrap_or_default();
    if columns.iter().any(|column| column.invisible) {
        columns.into_iter().map(|column| column.name).collect()
    } else {
        Vec::new()
    }
}

fn small(text: impl Read) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    text.take(MAX_TEXT + 1).read_to_end(&mut whole).map_err(unwrap_io)?;
    if whole.len() as u64 > MAX_TEXT {
        let most = MAX_TEXT >> 20;
        return Err(Error::new(Code::LimitExceeded, format!("its definitions have over {most} MiB")));
    }
    Ok(whole)
}

/// Statements that end at a semicolon before a line end, with a delimiter of their own.
fn delimited(text: impl Read) -> Result<Vec<u8>> {
    let whole = small(text)?;
    let mut out = b"DELIMITER ;;\n".to_vec();
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n").unwrap_or(line).strip_suffix(b";") {
            Some(before) => {
                out.extend_from_slice(before);
                out.extend_from_slice(b";;\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out.extend_from_slice(b"\nDELIMITER ;\n");
    Ok(out)
}

impl DumpFolderReader {
    /// The table whose rows are in a file, by the definition beside it.
    fn table_of(&self, rows: &RelPath) -> Result<(String, Vec<String>)> {
        let name = String::from_utf8_lossy(rows.as_bytes()).into_owned();
        let definition = RelPath::parse(format!("{}.sql", name.trim_end_matches(".txt")).as_bytes())?;
        let (file, _) = self.dump.open(self.folder.as_fd(), &definition)?;
        let missing = || archive::corrupt(format_args!("{definition} makes no table"));
        let text = small(file)?;
        Ok((table_in(&text).ok_or_else(missing)?, columns_in(&text)))
    }
}

impl Read for DumpFolderReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(into)?;
            if read > 0 || into.is_empty() || !self.advance().map_err(wrap)? {
                return Ok(read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        of_names(&names, None).unwrap().unwrap().files.iter().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn tables_come_before_rows_and_views_last() {
        let found = order(&[
            "metadata",
            "a-schema-create.sql.zst",
            "a-schema-post.sql",
            "a.t.00000.sql.gz",
            "a.t.00001.sql.gz",
            "a.t-schema.sql.gz",
            "a.t-schema-triggers.sql",
            "a.v-schema.sql",
            "a.v-schema-view.sql",
            "notes.txt",
        ]);
        let wanted = [
            "a.t-schema.sql.gz",
            "a.t.00000.sql.gz",
            "a.t.00001.sql.gz",
            "a-schema-post.sql",
            "a.t-schema-triggers.sql",
            "a.v-schema-view.sql",
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn of_several_schemas_no_file_of_another_is_taken() {
        let names =
            ["metadata", "a-schema-create.sql", "a.b-schema-create.sql", "ab-schema-create.sql", "a.t-schema.sql"];
        let more = ["a.b.t-schema.sql", "ab.t-schema.sql", "a.t.00000.sql", "a.b.t.00000.sql", "ab-schema-post.sql"];
        let names: Vec<String> = names.iter().chain(&more).map(|name| (*name).to_owned()).collect();
        let of = |schema| -> Vec<String> {
            let found = of_names(&names, Some(schema)).unwrap().unwrap();
            found.files.iter().map(|(path, _)| path.to_string()).collect()
        };
        assert_eq!(of("a"), ["a.t-schema.sql", "a.t.00000.sql"]);
        assert_eq!(of("a.b"), ["a.b.t-schema.sql", "a.b.t.00000.sql"]);
        assert_eq!(of("ab"), ["ab.t-schema.sql", "ab-schema-post.sql"]);
        assert_eq!(of_names(&names, Some("c")).unwrap_err().code, Code::BackupLayoutUnknown);
    }

    #[test]
    fn what_is_unfinished_of_several_or_no_sql_is_said() {
        let refused = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            of_names(&names, None).map(|found| found.is_some()).map_err(|error| error.code)
        };
        assert_eq!(refused(&["a-schema-create.sql", "metadata.partial"]), Err(Code::BackupIncomplete));
        let two = ["a-schema-create.sql", "b-schema-create.sql", "metadata"];
        assert_eq!(refused(&two), Err(Code::BackupLayoutUnknown));
        assert_eq!(refused(&["a-schema-create.sql", "a.t.00000.dat", "metadata"]), Err(Code::BackupLayoutUnknown));
        assert_eq!(refused(&["metadata", "index.php"]), Ok(false));
        assert_eq!(refused(&["a-schema-create.sql"]), Ok(false));
    }

    #[test]
    fn rows_name_their_columns_where_one_is_invisible() {
        let of = |columns: &str| {
            let text =
                format!("-- dump\nCREATE TABLE `a``b` (\n{columns},\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n-- x");
            (table_in(text.as_bytes()).unwrap(), columns_in(text.as_bytes()))
        };
        let seen = "  `id` int(11) NOT NULL COMMENT 'INVISIBLE;',\n  `v` int(11) DEFAULT NULL";
        assert_eq!(of(seen), ("a`b".into(), vec![]));
        let hidden = "  `id` int(11) NOT NULL,\n  `h``h` int(11) DEFAULT 5 INVISIBLE";
        assert_eq!(of(hidden).1, ["id", "h`h"]);
        assert!(columns_in(b"CREATE VIEW `v` AS SELECT 1;").is_empty());
    }

    #[test]
    fn a_body_keeps_its_semicolons() {
        let text = b"SET a = 1;\nCREATE TRIGGER t BEGIN\n  SET b = 2; \n  -- c; d\nEND;\n";
        let said = String::from_utf8(delimited(&text[..]).unwrap()).unwrap();
        let wanted =
            "DELIMITER ;;\nSET a = 1;;\nCREATE TRIGGER t BEGIN\n  SET b = 2; \n  -- c; d\nEND;;\n\nDELIMITER ;\n";
        assert_eq!(said, wanted);
    }
}
