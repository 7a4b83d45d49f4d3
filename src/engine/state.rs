//! The states of a restore. Each is a type of its own, and holds the things that the job has found or made by then.

use crate::api::answer::comparison::KeptRowsOf;
use crate::api::answer::restore::Rehearsal;
use crate::backup;
use crate::engine::commit::step::{self, Step};
use crate::engine::live_pages::seen::{Stood, ToAsk};
use crate::engine::machine::Hosts;
use crate::error::{Error, Result};
use crate::host::database::{ForeignKey, LoadedTable, NextValue, Objects, UnchangedTable};
use crate::host::services::CertificateBefore;
use crate::host::tree::{TreeSummary, Unit};
use crate::job::JobId;
use crate::job::folder::JobFolder;
use crate::job::monitor::JobMonitor;
use crate::job::ticket::Ticket;
use crate::journal::Journal;
use crate::path::RelPath;
use crate::plan::Plan;
use crate::report::Group;
use crate::siteconf::{Change, ConfFile};
use crate::snapshot::retained::{Brought, Manifest};
use crate::sql::compat::Finding;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// A job on its way; `S` says how far it is.
pub struct Job<S> {
    /// Its folder below the jobs folder.
    pub folder: JobFolder,
    /// The request and the config.
    pub ticket: Ticket,
    /// The plan, with every name that is used.
    pub plan: Plan,
    /// The machine it works on: database, services.
    pub hosts: Hosts,
    /// Progress, events, cancelling.
    pub monitor: Arc<JobMonitor>,
    /// The journal: the steps that were begun and done.
    pub journal: Journal,
    /// When the job began.
    pub began: Instant,
    /// The data of this state.
    pub state: S,
}

/// Checked, nothing made yet.
pub struct Planned {
    /// The backup.
    pub source: backup::source::Source,
    /// The interrupted job whose staging this job takes over.
    pub goes_on_with: Option<JobId>,
    /// Why no database takes part although everything was asked for. It is an error if the backup holds a dump.
    pub no_account: Option<Error>,
    /// The site has no table, so that a backup without a dump is whole.
    pub has_no_table: bool,
    /// The site's schema is not there.
    pub schema_is_missing: bool,
    /// Notes of the planning, for the report.
    pub notes: Vec<String>,
    /// Asks the live site for its page.
    pub page_before: Option<JoinHandle<Stood>>,
}

/// The new state stands beside the live one.
pub struct Staged {
    /// The staged tree, where files take part.
    pub files: Option<StagedFiles>,
    /// Tables and rows as the dump held them, and the objects that it defines.
    pub database: Option<StagedDatabase>,
    /// Configuration files of the backup.
    pub config: Vec<ConfFile>,
    /// Configuration files as a retained snapshot has them; in place of `config`.
    pub kept_config: Vec<Change>,
    /// Notes about everything that was adapted, stripped or left out.
    pub notes: Vec<String>,
    /// How the site's page came before anything was changed.
    pub page_before: Option<Stood>,
    /// The certificate that was presented for the site right before the change-over.
    pub certificate_before: CertificateBefore,
    /// The interrupted job whose staging this job took over.
    pub went_on_with: Option<JobId>,
}

impl Staged {
    /// The staged state that a retained snapshot is: its tree, tables and files are where the change-over put them.
    pub fn of_retained(manifest: &Manifest) -> Result<Staged> {
        let objects = manifest.objects.as_deref().map(step::read_objects).transpose()?;
        let database = objects.map(|objects| StagedDatabase {
            dump: None,
            tables: Vec::new(),
            objects,
            links: manifest.links.clone(),
            scope: Scope::Kept(manifest.brought.clone()),
            compatibility: Vec::new(),
            taken_over: 0,
            next_values: manifest.next_values.iter().map(NextValue::inverse).collect(),
            unchanged: Vec::new(),
            kept_rows: Vec::new(),
        });
        let kept_config = manifest.config.clone();
        // What a rollback takes away it keeps, and there is nothing to keep it as.
        let stays = manifest.live.as_ref().filter(|_| manifest.tree_made).map(|live| {
            format!("{} was not there before that restore, and stays: remove it where it is to go", live.display())
        });
        Ok(Staged {
            files: None,
            database,
            config: Vec::new(),
            kept_config,
            notes: stays.into_iter().collect(),
            page_before: None,
            certificate_before: CertificateBefore::default(),
            went_on_with: None,
        })
    }
}

/// The staged state was compared with the backup.
pub struct Verified {
    /// The staged state.
    pub staged: Staged,
    /// How the staged state was verified.
    pub groups: Vec<Group>,
    /// Live tables that stay.
    pub kept_tables: Vec<String>,
    /// The rehearsal; `None` in a way back.
    pub rehearsal: Option<Rehearsal>,
}

/// The live site is the new one. Holds its checks, and the steps to go back.
pub struct Committed {
    /// The staged state.
    pub staged: Staged,
    /// How the staged state was verified.
    pub groups: Vec<Group>,
    /// Live tables that stay as they are.
    pub kept_tables: Vec<String>,
    /// The rehearsal; `None` in a way back.
    pub rehearsal: Option<Rehearsal>,
    /// The posts to ask the live site for.
    pub to_ask: Vec<ToAsk>,
    /// The steps of the change-over, each with its inverse.
    pub steps: Vec<Step>,
    /// Length of the change-over.
    pub window_ms: f64,
}

impl<S> Job<S> {
    /// The same job, one state on.
    pub fn moved<T>(self, make: impl FnOnce(S) -> T) -> Job<T> {
        Job {
            state: make(self.state),
            folder: self.folder,
            ticket: self.ticket,
            plan: self.plan,
            hosts: self.hosts,
            monitor: self.monitor,
            journal: self.journal,
            began: self.began,
        }
    }
}

/// Which live tables the staged ones replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those that a dump names.
    Dump {
        /// It holds every table its site had.
        complete: bool,
    },
    /// Those that a retained snapshot names: all, or the tables that were brought in place of its own.
    Kept(Option<Brought>),
}

/// The content of the dump, as counted while it was loaded.
pub struct StagedDatabase {
    /// The dump: a path inside the archive, or of the file beside it.
    pub dump: Option<String>,
    /// Tables with rows and bytes.
    pub tables: Vec<LoadedTable>,
    /// Triggers, views, routines and events, to be defined at commit.
    pub objects: Objects,
    /// Foreign keys to tables that were not loaded; the commit adds them.
    pub links: Vec<ForeignKey>,
    /// Which live tables they replace.
    pub scope: Scope,
    /// Statements that the server would not have taken as they stand, with the action taken.
    pub compatibility: Vec<Finding>,
    /// Tables that an interrupted restore had loaded.
    pub taken_over: u64,
    /// Tables of the dump that are live as it has them: they stay where they are.
    pub unchanged: Vec<UnchangedTable>,
    /// Next values of `AUTO_INCREMENT` that live tables had before the change-over which is taken back.
    pub next_values: Vec<NextValue>,
    /// Newer rows of live tables that were carried into loaded ones.
    pub kept_rows: Vec<KeptRowsOf>,
}

impl StagedDatabase {
    /// Names of the dump's tables, loaded or not.
    pub fn names(&self) -> Vec<&str> {
        let loaded = self.tables.iter().map(|table| table.name.as_str());
        loaded.chain(self.unchanged.iter().map(|table| table.name.as_str())).collect()
    }

    /// Rows that a loaded table has to hold.
    pub fn rows_of(&self, table: &LoadedTable) -> u64 {
        let kept = self.kept_rows.iter().filter(|kept| kept.table == table.name);
        table.rows + kept.map(|kept| kept.rows).sum::<u64>()
    }

    /// Whether a table is live as the dump has it.
    pub fn is_unchanged(&self, table: &str) -> bool {
        self.unchanged.iter().any(|known| known.name == table)
    }

    /// Whether the dump held nothing.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.unchanged.is_empty() && self.objects.is_empty()
    }
}

/// The staged tree.
#[derive(Debug, Clone, Default)]
pub struct StagedFiles {
    /// Counts of what came out of the backup.
    pub summary: TreeSummary,
    /// Parts that are exchanged one by one; `None`: the document root as a whole.
    pub units: Option<Vec<Unit>>,
    /// What stays where it is, where a whole tree is exchanged part by part.
    pub in_common: Option<InCommon>,
    /// The paths carried over from the live tree.
    pub kept: Vec<Kept>,
    /// Paths that were staged and are not selected after all; they were removed again.
    pub dropped: Vec<RelPath>,
}

/// The files that are live as the backup has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InCommon {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Parts that differ, and are exchanged one by one.
    pub parts: u64,
}

/// A path that was taken over, with all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Below the document root.
    pub path: RelPath,
    /// The highest folder that was made for it.
    #[serde(skip)]
    pub root: RelPath,
    /// `left_out` by the backup's writer, or `excluded` by the request.
    pub reason: String,
    /// Files and links.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
}
