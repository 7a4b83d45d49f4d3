//! A load that makes what a dump defines and fills no table of it: what the server says of the definitions is what it would say in a
//! restore.

use crate::error::{Code, Error, Result};
use crate::host::database::accounts;
use crate::host::database::grants::LOADING;
use crate::host::database::load::batch::Shared;
use crate::host::database::load::queue::Queue;
use crate::host::database::load::{LoadRequest, Reading, remove_account, shared};
use crate::host::database::server::{Server, error_number, run};
use crate::host::database::server_facts;
use crate::progress::Monitor;
use crate::sql::lexer::Rows;
use crate::sql::quote_name;
use crate::sql::statement::{Statement, Subject};
use std::io::{self, Read};
use std::sync::Arc;

/// Most statements that are tried.
const MAX_STATEMENTS: u64 = 20_000;

/// What became of the definitions of a dump.
#[derive(Debug, Default)]
pub struct Tried {
    /// How many the server was given.
    pub statements: u64,
    /// The errors with which a load would end, the first of them first.
    pub refused: Vec<Error>,
    /// Why it went no further: the dump's own error, or what kept the server from an answer.
    pub stopped: Option<Error>,
}

/// A try while it goes on.
#[derive(Default)]
pub struct Trying {
    statements: u64,
    refused: Vec<Error>,
    /// A table was refused, by whomever: a view may lack it.
    lacks_tables: bool,
}

impl Trying {
    /// Whether a statement defines something; it is counted then.
    ///
    /// # Errors
    /// `timed_out` when there were too many.
    pub fn takes(&mut self, statement: &Statement) -> Result<bool> {
        let defines = matches!(
            statement,
            Statement::CreateTable(_)
                | Statement::CreateSequence(_)
                | Statement::DropTable(_)
                | Statement::AlterTable(_)
                | Statement::CreateIndex(_)
                | Statement::CreateObject(..)
        );
        if defines && self.statements >= MAX_STATEMENTS {
            return Err(Error::new(Code::TimedOut, format!("the dump has more than {MAX_STATEMENTS} definitions")));
        }
        self.statements += u64::from(defines);
        Ok(defines)
    }
}

/// Makes the tables of a dump in the schema of the request, which is there and empty, as a load makes them, and, where the server takes
/// them all, its views, triggers, routines and events. On return, good or bad, the throw-away account is gone, and the schema with it
/// where the account was made.
///
/// # Errors
/// `database_unreachable`, `insufficient_privilege`, and what the monitor stops it with.
pub fn try_definitions(dump: impl Read, request: &LoadRequest, monitor: Arc<dyn Monitor>) -> Result<Tried> {
    let mut admin = request.server.connect(None)?;
    let facts = server_facts::ask(&mut admin, Some(&request.definer))?;
    let password = accounts::create(&mut admin, &request.account, LOADING, &request.schema)?;
    let shared = Arc::new(shared(request, facts, password, monitor.clone()));
    // Without rows there is nothing for others to do.
    let mut reader = Reading::new(&shared, request, Arc::new(Queue::new(0)), 0);
    reader.trying = Some(Trying::default());
    let read = reader.read_all(Steady { inner: dump, shared: shared.clone() }).and_then(|()| reader.try_objects());
    let Trying { statements, refused, .. } = reader.trying.take().unwrap_or_default();
    drop(reader);
    // First what was made: MySQL lets no account go that a view or routine is of (error 4006), whoever asks for it without a right of
    // its own for that.
    let emptied = drop_scratch(&request.server, &request.schema);
    let gone = remove_account(&request.server, admin, &request.account);
    monitor.keep_going()?;
    emptied.and(gone)?;
    Ok(Tried { statements, refused, stopped: read.err() })
}

impl Reading<'_> {
    /// After an error that a restore without this table would not meet: the table is passed over from here on.
    ///
    /// # Errors
    /// The error itself, where it is about the whole dump or about the server.
    pub(super) fn goes_on_after(&mut self, error: Error, about: Option<Subject>) -> Result<()> {
        // A statement that was ended because the job stops says nothing of the table.
        self.shared.check()?;
        let without = matches!(error.code, Code::DumpRefused | Code::DatabaseFailed);
        let Some(about) = about.filter(|_| without && error.context.contains_key("exclude")) else { return Err(error) };
        if let Subject::NewTable(name) | Subject::Table(name) = about {
            self.passed_over.insert(name);
            if let Some(trying) = &mut self.trying {
                trying.lacks_tables = true;
            }
        }
        // What is refused by our own word is told by the look at the dump.
        if let (Some(trying), Some(_)) = (&mut self.trying, error_number(&error)) {
            trying.refused.push(error);
        }
        Ok(())
    }

    /// Makes the views, triggers, routines and events, where all tables are there.
    ///
    /// # Errors
    /// As [`Reading::goes_on_after`].
    fn try_objects(&mut self) -> Result<()> {
        if self.objects.is_empty() || self.trying.as_ref().is_some_and(|trying| trying.lacks_tables) {
            return Ok(());
        }
        let mut connection = self.shared.connect()?;
        for (object, error) in self.make_objects(&mut connection)?.left {
            self.goes_on_after(error, Some(Subject::Object(object.kind, object.name)))?;
        }
        Ok(())
    }

    /// Rows that are not loaded: whether their table is one of the dump's.
    ///
    /// # Errors
    /// As [`Reading::goes_on_after`].
    pub(super) fn known(&mut self, rows: &Rows) -> Result<()> {
        let table = rows.head.table.clone();
        let known = self.state.rows(&rows.head, rows.line);
        known.or_else(|error| {
            let error = self.way_out(error, Some(table.clone()));
            self.goes_on_after(error, Some(Subject::Table(table)))
        })
    }
}

/// Drops the schema in which definitions were tried, over a connection of its own: also after a job was told to stop.
///
/// # Errors
/// `database_unreachable`, `database_failed`.
pub fn drop_scratch(server: &Server, schema: &str) -> Result<()> {
    let mut admin = server.connect(None)?;
    run(&mut admin, "SET SESSION foreign_key_checks=0")?;
    run(&mut admin, &format!("DROP DATABASE IF EXISTS {}", quote_name(schema)))
}

/// A dump that is read with an eye on whether the job goes on.
struct Steady<R> {
    inner: R,
    shared: Arc<Shared>,
}

impl<R: Read> Read for Steady<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.shared.check().map_err(io::Error::other)?;
        self.inner.read(buffer)
    }
}
