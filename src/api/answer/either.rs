//! Answers of more than one form, as one type each, for the schema: what is installed makes one form or the other.

use crate::api::answer::comparison::{Comparison, Page};
use crate::api::answer::jobs::{Begun, Finished};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a call answers that starts a job.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Answer")]
#[serde(untagged)]
pub enum JobAnswer<T> {
    /// With `"wait": true`, and where no job is needed: the result.
    Finished(Finished<T>),
    /// Else: the job.
    Begun(Begun),
}

/// What `diff_backup` answers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DiffAnswer {
    /// With `job` and `part`: a page.
    Page(Page),
    /// With `"wait": true`: the comparison.
    Finished(Box<Finished<Comparison>>),
    /// Else: the job.
    Begun(Begun),
}
