//! Requests: what each call takes, parsed once at the door. Unknown fields are refused.

use crate::api::answer::jobs::JobKind;
use crate::api::strict;
use crate::config::{Probe, Source};
use crate::error::{Code, Error, Result};
use crate::path::{Domain, RelPath};
use crate::report::Risk;
use crate::sql::compat::Actions;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// Largest request accepted, in bytes.
pub const MAX_REQUEST: usize = 1 << 20;

/// Declares the calls: what one does, its name, its variant, what it takes, what it answers. Every list of the calls is made of this.
macro_rules! requests {
    ($($(#[doc = $about:literal])+ $name:literal: $variant:ident($type:ty) -> $answer:ty;)*) => {
        /// A request to one of the calls.
        #[derive(Debug, Clone)]
        pub enum Request {
            $($(#[doc = $about])+ $variant($type),)*
        }

        impl Request {
            /// The names of the calls; `rv_` before them gives the C function.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Reads the request to the call of that name.
            ///
            /// # Errors
            /// `usage` for a name that no call has; `bad_request` or `unknown_field`, naming the field and the place.
            pub fn parse(name: &str, text: &str) -> Result<Request> {
                match name {
                    $($name => parse(text).map(Request::$variant),)*
                    _ => Err(Error::new(Code::Usage, format!("there is no call {name:?}"))),
                }
            }

            /// The name of the call.
            pub fn name(&self) -> &'static str {
                match self { $(Request::$variant(_) => $name,)* }
            }

            /// Which configuration it is to be answered under.
            pub fn config(&self) -> Option<&Source> {
                match self { $(Request::$variant(request) => request.config.as_ref(),)* }
            }

            /// The request without the name of its call.
            ///
            /// # Errors
            /// `internal` when it cannot be written, as a path that is no text.
            pub fn to_json(&self) -> Result<Value> {
                let written = match self { $(Request::$variant(request) => serde_json::to_value(request),)* };
                written.map_err(|error| Error::new(Code::Internal, format!("the request cannot be written as JSON: {error}")))
            }
        }

        /// For the schema, which tests make.
        #[cfg(any(test, feature = "test-support"))]
        mod described {
            use super::*;
            use crate::api::answer::{self, backups::*, checks::*, either::*, jobs::*, restore::*, snapshots::*};
            use schemars::{Schema, SchemaGenerator};

            impl Request {
                /// What each call does, in the order of [`Request::NAMES`].
                pub const ABOUT: &'static [&'static str] = &[$(concat!($($about, "\n"),+)),*];

                /// The schema of the request to each call, in the order of [`Request::NAMES`].
                pub fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
                    vec![$(generator.subschema_for::<$type>()),*]
                }

                /// The schema of what each call answers, in the order of [`Request::NAMES`].
                pub fn answer_schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
                    vec![$(generator.subschema_for::<$answer>()),*]
                }
            }
        }
    };
}

requests! {
    /// Domains that have backups, snapshots or a document root, by name.
    "list_domains": ListDomains(Plain) -> Domains;
    /// Backups of a domain, newest first.
    "list_backups": ListBackups(OneDomain) -> Backups;
    /// What is in a backup: tree, tables, configuration, estimate, required space, warnings. A job; what an earlier preview of the
    /// same files found is answered at once, with `"job": null`.
    "preview_backup": PreviewBackup(Preview) -> JobAnswer<answer::preview::Preview>;
    /// What a restore would change: files, tables and configuration of a backup against the live site, and a plan token. A job; with
    /// `job` and `part` a page of what a finished one found, at once.
    "diff_backup": DiffBackup(Diff) -> DiffAnswer;
    /// Every check before a restore, what it would change, and a plan token. A job.
    "validate": Validate(Restore) -> JobAnswer<Validation>;
    /// Stages a backup, asks the staged site for pages, and removes it: proof that a restore would work, and what it would take. A job.
    "rehearse": Rehearse(Restore) -> JobAnswer<Rehearsed>;
    /// Saves the live domain as a portable snapshot. A job.
    "create_snapshot": CreateSnapshot(OneDomain) -> JobAnswer<SnapshotMade>;
    /// Snapshots of a domain, newest first.
    "list_snapshots": ListSnapshots(OneDomain) -> Snapshots;
    /// Deletes a snapshot, with the tree and the schema it keeps. A job.
    "delete_snapshot": DeleteSnapshot(DeleteSnapshot) -> JobAnswer<SnapshotDeleted>;
    /// Restores a domain from a backup. A job.
    "restore_start": RestoreStart(Restore) -> RestoreAnswer;
    /// How a job stands, what happened since, and how it ended.
    "restore_poll": RestorePoll(OneJob) -> JobStatus;
    /// Asks a job to stop; it ends in the original state.
    "restore_cancel": RestoreCancel(OneJob) -> Cancelled;
    /// Back to the state before a job, or to a snapshot. A job.
    "rollback": Rollback(Rollback) -> JobAnswer<Report>;
    /// The four groups of checks on the live domain. A job.
    "verify": Verify(OneDomain) -> JobAnswer<Verification>;
    /// Removes what ended jobs left, expired snapshots and orphans. A job.
    "cleanup": Cleanup(AnyDomain) -> JobAnswer<Cleanup>;
    /// Jobs, newest first.
    "list_jobs": ListJobs(AnyDomain) -> Jobs;
    /// Logs of restores and rollbacks, newest first.
    "list_logs": ListLogs(AnyDomain) -> Logs;
    /// The text of a log, from a byte on.
    "read_log": ReadLog(OneLog) -> LogText;
    /// Drills of a domain, newest first; without a domain the newest of each.
    "list_drills": ListDrills(AnyDomain) -> answer::drills::Drills;
    /// Finishes or undoes what crashed workers left. A job.
    "recover": Recover(AnyDomain) -> JobAnswer<Recovery>;
}

impl Request {
    /// What a job of this request does; `None` where it is no job's.
    pub fn kind(&self) -> Option<JobKind> {
        Some(match self {
            Request::RestoreStart(request) if !request.dry_run => JobKind::Restore,
            Request::RestoreStart(_) | Request::Validate(_) => JobKind::Validate,
            Request::Rehearse(_) => JobKind::Rehearse,
            Request::PreviewBackup(_) => JobKind::Preview,
            Request::DiffBackup(_) => JobKind::Diff,
            Request::CreateSnapshot(_) => JobKind::Snapshot,
            Request::DeleteSnapshot(_) => JobKind::DeleteSnapshot,
            Request::Rollback(_) => JobKind::Rollback,
            Request::Verify(_) => JobKind::Verify,
            Request::Cleanup(_) => JobKind::Cleanup,
            Request::Recover(_) => JobKind::Recover,
            Request::ListDomains(_)
            | Request::ListBackups(_)
            | Request::ListSnapshots(_)
            | Request::RestorePoll(_)
            | Request::RestoreCancel(_)
            | Request::ListJobs(_)
            | Request::ListLogs(_)
            | Request::ListDrills(_)
            | Request::ReadLog(_) => return None,
        })
    }

    /// The domain that a job of this request is of.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Request::ListBackups(request)
            | Request::CreateSnapshot(request)
            | Request::ListSnapshots(request)
            | Request::Verify(request) => Some(&request.domain),
            Request::PreviewBackup(request) => Some(&request.domain),
            Request::ReadLog(request) => Some(&request.domain),
            Request::Validate(request) | Request::Rehearse(request) | Request::RestoreStart(request) => {
                Some(&request.domain)
            }
            Request::DeleteSnapshot(request) => Some(&request.domain),
            Request::Rollback(request) => request.domain.as_ref(),
            Request::DiffBackup(request) => request.domain.as_ref(),
            Request::Cleanup(request)
            | Request::ListJobs(request)
            | Request::ListLogs(request)
            | Request::ListDrills(request)
            | Request::Recover(request) => request.domain.as_ref(),
            Request::ListDomains(_) | Request::RestorePoll(_) | Request::RestoreCancel(_) => None,
        }
    }

    /// Whether the caller waits for the end of the job.
    pub fn waits(&self) -> bool {
        match self {
            Request::CreateSnapshot(request) | Request::Verify(request) => request.wait,
            Request::PreviewBackup(request) => request.wait,
            Request::Validate(request) | Request::Rehearse(request) | Request::RestoreStart(request) => request.wait,
            Request::DeleteSnapshot(request) => request.wait,
            Request::Rollback(request) => request.wait,
            Request::DiffBackup(request) => request.wait,
            Request::Cleanup(request) | Request::Recover(request) => request.wait,
            _ => false,
        }
    }

    /// How a restore behaves; by default where it is no restore.
    pub fn options(&self) -> Options {
        match self {
            Request::Validate(request) | Request::Rehearse(request) | Request::RestoreStart(request) => {
                request.options.clone()
            }
            Request::DiffBackup(request) => request.options.clone(),
            _ => Options::default(),
        }
    }

    /// Reads back what a job of that kind was asked for, as [`Request::to_json`] wrote it.
    ///
    /// # Errors
    /// What does not fit, as serde says it.
    pub fn of_job(kind: JobKind, written: Value) -> serde_json::Result<Request> {
        Ok(match kind {
            JobKind::Restore => Request::RestoreStart(serde_json::from_value(written)?),
            JobKind::Validate => Request::Validate(serde_json::from_value(written)?),
            JobKind::Rehearse => Request::Rehearse(serde_json::from_value(written)?),
            JobKind::Rollback => Request::Rollback(serde_json::from_value(written)?),
            JobKind::Preview => Request::PreviewBackup(serde_json::from_value(written)?),
            JobKind::Diff => Request::DiffBackup(serde_json::from_value(written)?),
            JobKind::Snapshot => Request::CreateSnapshot(serde_json::from_value(written)?),
            JobKind::DeleteSnapshot => Request::DeleteSnapshot(serde_json::from_value(written)?),
            JobKind::Verify => Request::Verify(serde_json::from_value(written)?),
            JobKind::Cleanup => Request::Cleanup(serde_json::from_value(written)?),
            JobKind::Recover => Request::Recover(serde_json::from_value(written)?),
        })
    }
}

/// A request that names nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PlainRequest")]
#[serde(deny_unknown_fields)]
pub struct Plain {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
}

/// A request about all domains, or about one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AnyDomainRequest")]
#[serde(deny_unknown_fields)]
pub struct AnyDomain {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain; left out: all of them.
    pub domain: Option<Domain>,
    /// Block until the job ends and answer with its result. Lists are answered at once anyway.
    #[serde(default)]
    pub wait: bool,
}

/// A request about one domain.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DomainRequest")]
#[serde(deny_unknown_fields)]
pub struct OneDomain {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Block until the job ends and answer with its result.
    #[serde(default)]
    pub wait: bool,
}

/// What is in a backup.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PreviewRequest")]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Absolute path of a backup; `latest`: the newest of the domain that can be read; or an object: a backup of another program,
    /// anywhere.
    #[serde(default)]
    pub backup: Backup,
    /// Absolute path of the dump to take instead of the one chosen for a backup whose database lies beside it.
    pub dump: Option<PathBuf>,
    /// A part of the tree, in any depth; left out: the first folders of all of it.
    pub tree: Option<TreeAsked>,
    /// Block until the job ends and answer with its result.
    #[serde(default)]
    pub wait: bool,
}

/// A part of a backup's tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TreeAsked {
    /// The folder, below the document root; empty: the document root.
    pub path: String,
    /// Number of levels below it; at least 1.
    pub depth: usize,
    /// Number of nodes before the first one given.
    pub offset: usize,
    /// Number of nodes that are given, from 1 to 1,000.
    pub limit: usize,
}

impl Default for TreeAsked {
    fn default() -> TreeAsked {
        TreeAsked { path: String::new(), depth: 1, offset: 0, limit: 200 }
    }
}

impl TreeAsked {
    /// Most nodes on a page.
    pub const MAX_LIMIT: usize = 1_000;
    /// Most nodes before and on a page: whoever needs more looks into a folder.
    pub const MAX_REACH: usize = 100_000;

    /// Whether this can be answered.
    ///
    /// # Errors
    /// `bad_request` naming the field, `unsafe_path`, `limit_exceeded`.
    pub fn check(&self) -> Result<()> {
        RelPath::parse(self.path.as_bytes())?;
        let refuse = |why: String| Err(Error::new(Code::BadRequest, format!("request: tree: {why}")));
        if self.depth == 0 {
            return refuse("a depth of 0 shows nothing; 1 is the folder's own names".into());
        }
        if self.limit == 0 || self.limit > TreeAsked::MAX_LIMIT {
            return refuse(format!("limit is {}, from 1 to {} are allowed", self.limit, TreeAsked::MAX_LIMIT));
        }
        if self.offset > TreeAsked::MAX_REACH - self.limit {
            let most = TreeAsked::MAX_REACH;
            return refuse(format!("offset is {}, pages end at {most}; name a folder as `path`", self.offset));
        }
        Ok(())
    }
}

/// A restore, or its validation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RestoreRequest")]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Absolute path of a backup; `latest`: the newest of the domain that holds what is named and can be read; or an object: a backup of
    /// another program, anywhere.
    #[serde(default)]
    pub backup: Backup,
    /// Absolute path of the dump to take instead of the one chosen for a backup whose database lies beside it.
    pub dump: Option<PathBuf>,
    /// What to restore; left out: everything the backup has to have.
    pub components: Option<Components>,
    /// What stays as it is live.
    pub exclude: Option<Exclude>,
    /// Absolute path of a portable snapshot that was made for this restore.
    pub snapshot: Option<PathBuf>,
    /// Token of a validation; the restore is refused when the live state changed since.
    pub plan_token: Option<String>,
    /// Plan and check, change nothing: the answer is that of `validate`.
    #[serde(default)]
    pub dry_run: bool,
    /// How the restore behaves.
    #[serde(default)]
    pub options: Options,
    /// Block until the job ends and answer with its result.
    #[serde(default)]
    pub wait: bool,
}

/// What a restore would change; or, with `job` and `part`, a page of what a finished comparison found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DiffRequest")]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain; not needed for a page.
    pub domain: Option<Domain>,
    /// Absolute path of a backup; `latest`: the newest of the domain that holds what is named and can be read; or an object: a backup of
    /// another program, anywhere.
    #[serde(default)]
    pub backup: Backup,
    /// Absolute path of the dump to take instead of the one chosen for a backup whose database lies beside it.
    pub dump: Option<PathBuf>,
    /// What would be restored; left out: everything the backup has to have.
    pub components: Option<Components>,
    /// What would stay as it is live.
    pub exclude: Option<Exclude>,
    /// How the restore behaves.
    #[serde(default)]
    pub options: Options,
    /// Compare the rows of every selected table that both sides have, one by one. The dump is read for it, and the live tables: twice
    /// where rows differ.
    #[serde(default)]
    pub rows: bool,
    /// Answer with the first entries of each part, not with their numbers alone.
    #[serde(default = "yes")]
    pub details: bool,
    /// Name of a finished comparison, of which a page is asked for.
    pub job: Option<String>,
    /// The part that the page is of; needed with `job`.
    pub part: Option<Part>,
    /// Number of entries before the first one of the page.
    #[serde(default)]
    pub offset: u64,
    /// Number of entries of a page, or of each part; left out: 100, at most 1,000.
    pub limit: Option<u64>,
    /// Block until the job ends and answer with its result.
    #[serde(default)]
    pub wait: bool,
}

impl Diff {
    /// The restore that is asked about.
    ///
    /// # Errors
    /// `bad_request` without a domain.
    pub fn restore(&self) -> Result<Restore> {
        let domain = self.domain.clone().ok_or_else(|| {
            Error::new(Code::BadRequest, "request: missing field `domain`")
                .hint("Name the domain to compare, or a `job` and a `part` for a page of what it found.")
        })?;
        Ok(Restore {
            config: self.config.clone(),
            domain,
            backup: self.backup.clone(),
            dump: self.dump.clone(),
            components: self.components.clone(),
            exclude: self.exclude.clone(),
            snapshot: None,
            plan_token: None,
            dry_run: true,
            options: self.options.clone(),
            wait: self.wait,
        })
    }
}

/// A part of what was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Files, folders, links.
    Files,
    /// Tables, views, routines, triggers, events.
    Tables,
    /// Configuration files.
    Config,
    /// Rows of tables; only of a comparison that was asked for `rows`.
    Rows,
}

/// What stays as it is live, although it would be restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Paths and globs below the document root.
    pub files: Vec<String>,
    /// Names and globs of tables.
    pub database: Vec<String>,
    /// Configuration items.
    pub config: Vec<String>,
}

/// Which components to restore. Those left out are not restored.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Components {
    /// The document root.
    pub files: Choice,
    /// The database.
    pub database: Choice,
    /// nginx, PHP-FPM, certificates, cron.
    pub config: Choice,
}

/// All of a component, none of it, or named parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// `true` or `false`.
    Whole(bool),
    /// Named parts.
    Parts(Vec<String>),
}

impl Choice {
    /// Whether anything of the component takes part.
    pub fn any(&self) -> bool {
        !matches!(self, Choice::Whole(false))
    }

    /// Whether all of it takes part.
    pub fn is_whole(&self) -> bool {
        matches!(self, Choice::Whole(true))
    }

    /// The named parts, where there are some.
    pub fn parts(&self) -> Option<&[String]> {
        match self {
            Choice::Parts(parts) => Some(parts),
            Choice::Whole(_) => None,
        }
    }
}

impl Default for Choice {
    fn default() -> Choice {
        Choice::Whole(false)
    }
}

/// How a restore behaves.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// CPU and I/O priority of the worker.
    pub priority: Priority,
    /// Restore configuration that the guard refuses; for the administrator, and logged.
    pub allow_unsafe_config: bool,
    /// An exact replica: nothing is kept that the backup does not hold, even where its writer leaves things out.
    pub exact: bool,
    /// The configuration in another program's backup gets the database settings of the live site; left out: it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_database_settings: Option<bool>,
    /// Take selected tables although rows would refer to rows that are not there.
    pub allow_orphans: bool,
    /// What is done about what the server would not take of the dump.
    pub compatibility: Actions,
    /// A comparison with the live site reads every content, also where size and time are equal.
    pub checksum: bool,
    /// What a check found that stops a restore until somebody accepts it, by the name of the check.
    pub accept: Vec<Risk>,
    /// Ask the staged site for pages before it is live, and stop where it does not work.
    pub rehearsal: bool,
    /// Pages that have to come, in the rehearsal and from the live site, besides those that restore.toml names; at most 20.
    pub probes: Vec<Probe>,
    /// Tables whose live rows that are newer than the backup's are kept: orders, users, comments; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep_rows: Vec<KeepRows>,
}

/// A table whose newer rows are carried into the restored one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepRows {
    /// The table. Newer are its rows with a key above the greatest one in the backup.
    pub table: String,
    /// The column that tells instead of the key what is newer, such as `created_at`: for tables whose key is no one whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            priority: Priority::default(),
            allow_unsafe_config: false,
            exact: false,
            keep_database_settings: None,
            allow_orphans: false,
            compatibility: Actions::default(),
            checksum: false,
            accept: Vec::new(),
            rehearsal: true,
            probes: Vec::new(),
            keep_rows: Vec::new(),
        }
    }
}

/// CPU and I/O priority of the worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// The site goes first.
    #[default]
    Polite,
    /// Like any other process.
    Normal,
}

/// Back to an earlier state: with exactly one of `job` and `snapshot`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RollbackRequest")]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain; not needed with a `job`, whose domain it then is. Another one beside a `job` is refused.
    pub domain: Option<Domain>,
    /// Name of a job: back to the state before it.
    pub job: Option<String>,
    /// Absolute path of a snapshot: back to the state it holds.
    pub snapshot: Option<PathBuf>,
    /// Block until the job ends and answer with its result.
    #[serde(default)]
    pub wait: bool,
}

/// A request about one job.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobRequest")]
#[serde(deny_unknown_fields)]
pub struct OneJob {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// Name of the job.
    pub job: String,
    /// Events after this sequence number are given; 0: all of them. `restore_cancel` gives none.
    #[serde(default)]
    pub since: u64,
}

/// A log to read.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LogRequest")]
#[serde(deny_unknown_fields)]
pub struct OneLog {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// The log's name, as `list_logs` has it: `restore_20251004_101532.log`.
    pub name: String,
    /// Bytes to leave out at the beginning: 0, or `next` of the answer before.
    #[serde(default)]
    pub offset: u64,
}

/// A snapshot to delete.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeleteSnapshotRequest")]
#[serde(deny_unknown_fields)]
pub struct DeleteSnapshot {
    /// restore.toml to use; left out: the usual one.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// The snapshot's absolute path.
    pub snapshot: PathBuf,
    /// Block until the job ends and answer with its result.
    #[serde(default)]
    pub wait: bool,
}

fn yes() -> bool {
    true
}

/// Which backup a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Backup {
    /// Its absolute path below the folder of backups, or `latest`.
    Named(String),
    /// One that another program made, anywhere.
    Import(Import),
}

/// A backup that another program made: an archive, a folder, one file of a set, or a dump. For callers with the rights of root alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Absolute path of it.
    pub from: PathBuf,
    /// Its dump: an absolute path of a file, or a path inside the backup; left out: the one that is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dump: Option<PathBuf>,
    /// The folder inside it that is the document root; empty: its top. Left out: the one that holds a site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Which of the sites in it, by its domain, or which database of its dump; left out: the one of this domain, or the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What the names of its tables begin with (`wp_`): these alone are restored, and begin as the live site's then. Left out: all of the
    /// dump, as the backup says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Absolute path of a file whose first line is the password of what is encrypted in it. Nobody but root may be able to write to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

impl Backup {
    /// The word for the newest one.
    pub const LATEST: &'static str = "latest";
}

impl Default for Backup {
    fn default() -> Backup {
        Backup::Named(Backup::LATEST.to_owned())
    }
}

impl From<&str> for Backup {
    fn from(word: &str) -> Backup {
        Backup::Named(word.to_owned())
    }
}

/// As in a sentence.
impl std::fmt::Display for Backup {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Backup::Named(word) => out.write_str(word),
            Backup::Import(import) => write!(out, "{}", import.from.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Backup {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Backup, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = Backup;

            fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
                out.write_str("a path, `latest`, or an object with `from`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> std::result::Result<Backup, E> {
                Ok(Backup::from(word))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, fields: A) -> std::result::Result<Backup, A::Error> {
                Import::deserialize(serde::de::value::MapAccessDeserializer::new(fields)).map(Backup::Import)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Parses the text of a request.
///
/// # Errors
/// `bad_request` or `unknown_field`, naming the field and the place.
pub fn parse<T: DeserializeOwned>(request: &str) -> Result<T> {
    if request.len() > MAX_REQUEST {
        return Err(Error::new(
            Code::BadRequest,
            format!("the request has {} bytes; {MAX_REQUEST} are allowed", request.len()),
        ));
    }
    let text = if request.trim().is_empty() { "{}" } else { request };
    strict::from_str(text).map_err(|refusal| {
        let (code, error) = match refusal {
            strict::Refusal::UnknownField(error) => (Code::UnknownField, error),
            strict::Refusal::Malformed(error) => (Code::BadRequest, error),
        };
        Error::new(code, format!("request: {error}")).with("line", error.line()).with("column", error.column())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_told_apart_from_bad_json() {
        let unknown = parse::<OneDomain>(r#"{"domain":"a.com","domian":1}"#).unwrap_err();
        assert_eq!(unknown.code, Code::UnknownField);
        assert!(unknown.message.contains("domian"), "{}", unknown.message);
        for bad in ["{", "[]", r#"{"domain":1}"#, r#"{"domain":"a.com","domain":"b.com"}"#, r#"{"domain":"../x"}"#] {
            assert_eq!(parse::<OneDomain>(bad).unwrap_err().code, Code::BadRequest, "{bad}");
        }
        let deep = format!("{{\"domain\":{}", "[".repeat(10_000));
        assert_eq!(parse::<OneDomain>(&deep).unwrap_err().code, Code::BadRequest);
        assert_eq!(parse::<OneDomain>(&" ".repeat(MAX_REQUEST + 1)).unwrap_err().code, Code::BadRequest);
    }

    #[test]
    fn a_page_of_a_tree_has_bounds() {
        let asked =
            |tree: &str| parse::<Preview>(&format!(r#"{{"domain":"a.com","tree":{tree}}}"#)).unwrap().tree.unwrap();
        assert_eq!(asked("{}"), TreeAsked { path: String::new(), depth: 1, offset: 0, limit: 200 });
        asked(r#"{"path":"wp-content/","depth":2,"offset":99000,"limit":1000}"#).check().unwrap();
        for bad in [r#"{"depth":0}"#, r#"{"limit":0}"#, r#"{"limit":1001}"#, r#"{"offset":100000}"#] {
            assert_eq!(asked(bad).check().unwrap_err().code, Code::BadRequest, "{bad}");
        }
        assert_eq!(asked(r#"{"path":"../x"}"#).check().unwrap_err().code, Code::UnsafePath);
    }

    #[test]
    fn components_left_out_are_not_restored_and_none_at_all_means_full() {
        let some: Restore = parse(r#"{"domain":"a.com","components":{"files":true}}"#).unwrap();
        let components = some.components.unwrap();
        assert!(matches!(components.files, Choice::Whole(true)));
        assert!(matches!(components.database, Choice::Whole(false)));
        let full: Restore = parse(r#"{"domain":"a.com"}"#).unwrap();
        assert!(full.components.is_none());
        assert_eq!(full.backup, Backup::from("latest"));
        let import: Restore = parse(r#"{"domain":"a.com","backup":{"from":"/x.zip"}}"#).unwrap();
        assert!(matches!(import.backup, Backup::Import(import) if import.from == std::path::Path::new("/x.zip")));
        let unknown = parse::<Restore>(r#"{"domain":"a.com","backup":{"form":"/x.zip"}}"#).unwrap_err();
        assert_eq!(unknown.code, Code::UnknownField);
    }
}
