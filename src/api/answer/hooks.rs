//! What a hook is told, and what became of it.

use crate::api::ConfigItem;
use crate::api::answer::jobs::{JobId, JobKind, JobState};
use crate::error::Error;
use crate::path::Domain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A moment of a job at which programs of the operator's are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The pre-flight has passed, and nothing is made yet.
    PreFlight,
    /// The new state stands beside the live one, and is not verified yet.
    Staged,
    /// The staged state is verified, and the change-over comes next.
    BeforeCommit,
    /// The change-over is done, and the live site is being verified.
    Committed,
    /// The job has ended, and the old state is there.
    RolledBack,
    /// The job has ended and done its work.
    Done,
    /// The job has ended without having done its work, and is not rolled back.
    Failed,
}

impl Moment {
    /// Every moment, in the order of a job.
    pub const ALL: [Moment; 7] = [
        Moment::PreFlight,
        Moment::Staged,
        Moment::BeforeCommit,
        Moment::Committed,
        Moment::RolledBack,
        Moment::Done,
        Moment::Failed,
    ];

    /// Its word, which is the name of the folder with its hooks.
    pub fn word(self) -> &'static str {
        match self {
            Moment::PreFlight => "pre-flight",
            Moment::Staged => "staged",
            Moment::BeforeCommit => "before-commit",
            Moment::Committed => "committed",
            Moment::RolledBack => "rolled-back",
            Moment::Done => "done",
            Moment::Failed => "failed",
        }
    }

    /// Whether nothing live was changed yet, so that a hook may stop the job.
    pub fn may_stop(self) -> bool {
        matches!(self, Moment::PreFlight | Moment::Staged | Moment::BeforeCommit)
    }
}

/// What a hook reads on standard input. No secret is in it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookDocument<'a> {
    /// Version of this document: 1.
    pub schema: u32,
    /// The moment.
    pub moment: Moment,
    /// Name of the job.
    pub job: &'a JobId,
    /// What it does.
    pub kind: JobKind,
    /// Its domain.
    pub domain: Option<&'a Domain>,
    /// Where it stands.
    pub state: JobState,
    /// Absolute path of the backup or snapshot; `null` where the job ended before it was found.
    pub backup: Option<&'a str>,
    /// What is restored; `null` where the job ended before that was known.
    pub components: Option<HookComponents<'a>>,
    /// Whether the site becomes that of the backup in parts only, so that the staged tree or the new schema has only the chosen ones;
    /// `null` where the job ended before that was known.
    pub partial: Option<bool>,
    /// Absolute path of the live tree that is exchanged; `null` where the job ended before it was known.
    pub document_root: Option<&'a Path>,
    /// Absolute path of the new tree, which only root may enter; `null` where there is none, and from the change-over on.
    pub staged_tree: Option<&'a Path>,
    /// Name of the schema with the new tables; `null` where there is none, and from the change-over on.
    pub shadow_schema: Option<&'a str>,
    /// Why the job did not do what was asked; `null` when it did, and before its end.
    pub error: Option<&'a Error>,
}

/// The components of a job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookComponents<'a> {
    /// Whether files take part.
    pub files: bool,
    /// Whether the database takes part.
    pub database: bool,
    /// The items of the site configuration that take part.
    pub config: &'a [ConfigItem],
}

/// How a hook came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookOutcome {
    /// It ended with 0.
    Done,
    /// It stopped the job, before the change-over: it ended with 75 or by a signal, not in its time, or could not be run.
    Refused,
    /// It ended with another status than 0, or, after the change-over, by a signal, or could not be run.
    Failed,
    /// The job was to stop, or, after the change-over, it did not end within `limits.hook_s`.
    Ended,
}

/// What became of one hook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HookRun {
    /// When it was run.
    pub moment: Moment,
    /// Its file's name.
    pub name: String,
    /// How it came out.
    pub outcome: HookOutcome,
    /// Its exit status; `null` where it had none.
    pub status: Option<i32>,
    /// Seconds that it took.
    pub took_s: f64,
    /// The beginning of what it wrote on both outputs, made safe to show; the end where it stopped the job.
    pub said: String,
}
