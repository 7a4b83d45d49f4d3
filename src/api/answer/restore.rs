//! The report of a restore or rollback.

use crate::api::answer::checks::Validation;
use crate::api::answer::comparison::KeptRowsOf;
use crate::api::answer::hooks::HookRun;
use crate::api::answer::jobs::{Begun, Finished, JobId};
use crate::path::{Domain, RelPath};
use crate::report::{Check, Group, Outcome, worst};
use crate::sql::compat::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a restore or rollback did. A report by a recovery has `recovered`, and lacks what only the worker that died knew.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The domain.
    pub domain: Domain,
    /// Absolute path of the backup or snapshot that it came from.
    pub source: String,
    /// Absolute path of the snapshot that holds the state before.
    pub snapshot: PathBuf,
    /// A recovery finished the job; missing when the job's own worker did.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recovered: bool,
    /// What was done, in figures.
    #[serde(flatten)]
    pub work: Option<Work>,
    /// How the staged and the live state were checked; missing where a recovery found nothing to check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<ReportedChecks>,
    /// The rehearsal of the staged site; missing where a recovery finished the job, and in a way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// What was adapted, stripped or left out, as sentences; missing where a recovery knows of nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Vec<String>>,
    /// The hooks that were run until the report was made, in their order; missing where there was none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
}

impl Report {
    /// A report that says no more than what was restored. Every maker of a report begins with it.
    pub fn of(domain: &Domain, source: &str, snapshot: &Path) -> Report {
        Report {
            domain: domain.clone(),
            source: source.to_owned(),
            snapshot: snapshot.to_owned(),
            recovered: false,
            work: None,
            verification: None,
            rehearsal: None,
            notes: None,
            hooks: Vec::new(),
        }
    }
}

/// How the staged site was asked for pages before it was live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsal {
    /// `pass`: every page that was asked for came. `not_checked`: it was not rehearsed, or no page proved anything. `fail`: the site does
    /// not work, and the restore was stopped.
    pub outcome: Outcome,
    /// The sentence a user reads: what was seen, or why it was not rehearsed.
    pub message: String,
    /// A check for each page (`front_page`, `post` or `page`, `product`, `probe`, `web_server`) and `static_file`, with `path`, `status` and
    /// `millis`, and `new_words` where it shows words that the live site's tables have not, with all others of them in `more_words` and a
    /// new price in `price`; a post's with `before`, what the live tables have in its place: `same`, `other` or `unknown`. Empty where it was
    /// not rehearsed.
    pub pages: Vec<Check>,
    /// Milliseconds that it took, mostly beside the comparison of the staged state with the backup.
    pub millis: u64,
}

impl Rehearsal {
    /// Why there was none.
    pub fn not_done(why: &str, millis: u64) -> Rehearsal {
        let message = format!("not rehearsed: {why}");
        Rehearsal { outcome: Outcome::NotChecked, message, pages: Vec::new(), millis }
    }
}

/// `rehearse`: what a restore of a backup would come to. What was staged for it is removed again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsed {
    /// The domain.
    pub domain: Domain,
    /// Absolute path of the backup.
    pub source: String,
    /// The outcome of the rehearsal.
    pub outcome: Outcome,
    /// The rehearsal.
    pub rehearsal: Rehearsal,
    /// Checks on the staged state.
    pub staged: Vec<Group>,
    /// Seconds that a restore would take up to its change-over.
    pub recovery_s: f64,
    /// Milliseconds that queries of the site would wait in the change-over, by two tables that were renamed on the server; `null` where
    /// no table would move.
    #[schemars(extend("x-null" = true))]
    pub change_over_ms: Option<u64>,
    /// The files; `null` when they took no part.
    #[schemars(extend("x-null" = true))]
    pub files: Option<RestoredFiles>,
    /// What was adapted, stripped or left out, as sentences.
    pub notes: Vec<String>,
}

/// What `restore_start` answers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RestoreAnswer {
    /// With `"wait": true` and `"dry_run": true`: a validation.
    DryRun(Finished<Validation>),
    /// With `"wait": true`: the report.
    Finished(Finished<Report>),
    /// Else: the job.
    Begun(Begun),
}

/// What the worker of a restore did, in figures.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    /// Seconds from the begin of the job to its end.
    pub duration_s: f64,
    /// Milliseconds that the change-over took.
    pub commit_ms: f64,
    /// The files; `null` when they took no part, or were kept ones that changed places.
    #[schemars(extend("x-null" = true))]
    pub files: Option<RestoredFiles>,
    /// The database; `null` when it took no part.
    #[schemars(extend("x-null" = true))]
    pub database: Option<RestoredDatabase>,
    /// Absolute paths of the configuration files that were installed or removed.
    pub config: Vec<String>,
    /// The interrupted restore whose staging was gone on with; `null` without one.
    #[schemars(extend("x-null" = true))]
    pub went_on_with: Option<WentOnWith>,
    /// Most bytes of memory that the worker had at a time; 0 when the kernel does not say.
    pub peak_memory_bytes: u64,
}

/// How a restore was checked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReportedChecks {
    /// The worst outcome of the groups of `live`.
    pub outcome: Outcome,
    /// Checks on the staged state, before the change-over; missing where a recovery finished the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<Vec<Group>>,
    /// Checks on the live site, after the change-over.
    pub live: Vec<Group>,
}

impl ReportedChecks {
    /// What was checked before the change-over, where that is known, and after it.
    pub fn of(staged: Option<Vec<Group>>, live: Vec<Group>) -> ReportedChecks {
        ReportedChecks { outcome: worst(live.iter().map(|group| group.outcome)), staged, live }
    }
}

/// The files that were restored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RestoredFiles {
    /// Number of files, further names of a file included.
    pub files: u64,
    /// Number of folders.
    pub folders: u64,
    /// Number of symbolic links.
    pub links: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Number of set-id bits and attributes that were left out.
    pub stripped: u64,
    /// Number of files that were live as the backup has them, byte by byte, and stayed where they were.
    #[serde(default)]
    pub unchanged: u64,
    /// Number of parts that changed places one by one; `null`: the document root as a whole.
    pub parts: Option<u64>,
    /// What was kept of the live tree, the first 100.
    pub kept: Vec<KeptPath>,
    /// Number of all that was kept.
    pub kept_total: u64,
}

/// A live path that was kept, with all below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptPath {
    /// Path below the document root; its bytes where they are no UTF-8.
    pub path: RelPath,
    /// `left_out` by the backup's writer, or `excluded` by the request.
    pub reason: String,
    /// Number of files and links in it.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// The database that was restored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RestoredDatabase {
    /// Name of the live schema.
    pub schema: Option<String>,
    /// The dump: its path inside the archive, or that of its file; `null` for kept tables that were moved back.
    pub dump: Option<String>,
    /// Number of tables that are live as the dump has them, those in `unchanged` included; of kept ones, those that were moved back.
    pub tables: u64,
    /// How many of them were so before, and stayed where they were: `staged` names each with the digest of its rows.
    #[serde(default)]
    pub unchanged: u64,
    /// Newer rows of the live tables that `options.keep_rows` names, as carried over when the tables were staged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_rows: Vec<KeptRowsOf>,
    /// Names of live tables that are not the backup's and stayed as they were.
    pub kept: Vec<String>,
    /// Rows of all tables of the dump; `null` when it has none.
    pub rows: Option<u64>,
    /// What of the dump the server would not have taken as it stands, and what was done about it.
    pub compatibility: Vec<Finding>,
}

/// What an interrupted restore had staged already.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct WentOnWith {
    /// Name of the interrupted job.
    pub job: JobId,
    /// Number of files that were there already.
    pub files: u64,
    /// Number of tables that were loaded already.
    pub tables: u64,
}

fn is_false(value: &bool) -> bool {
    !value
}
