//! Validation before a restore and verification of a site: groups of checks.

use crate::api::answer::comparison::Changes;
use crate::path::Domain;
use crate::report::{Group, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `validate`, and `restore_start` with `dry_run`: every check before a restore, and what the restore would change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// The domain.
    pub domain: Domain,
    /// Absolute path of the backup.
    pub backup: PathBuf,
    /// The worst outcome of the groups.
    pub outcome: Outcome,
    /// The checks.
    pub groups: Vec<Group>,
    /// For `restore_start`, which then refuses to start when anything changed since; `null` when a check failed.
    pub plan_token: Option<String>,
    /// What the restore would change; missing when the backup is damaged, `null` when a pattern names nothing in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Changes>", extend("x-null" = true))]
    pub changes: Option<Option<Changes>>,
}

/// `verify`: the four groups of checks on the live site.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// The domain.
    pub domain: Domain,
    /// The worst outcome of the groups.
    pub outcome: Outcome,
    /// The checks.
    pub groups: Vec<Group>,
}
