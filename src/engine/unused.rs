//! Patterns of a selection that name nothing in the backup.

use crate::backup::source::Source;
use crate::error::{Code, Error, Result};

/// Refuses a selection by these patterns, because they named nothing.
///
/// # Errors
/// `backup_incomplete` with the patterns, where there are any.
pub fn require_used(component: &str, unused: Vec<String>, source: &Source) -> Result<()> {
    let Some(first) = unused.first() else { return Ok(()) };
    Err(Error::new(
        Code::BackupIncomplete,
        format!("components.{component}: {first:?} matches nothing in {} that is not excluded", source.path.display()),
    )
    .hint("Look at what the backup holds with `rocketvps-restore preview DOMAIN`, and correct the pattern.")
    .with("component", component)
    .with("pattern", first.as_str())
    .with("patterns", unused))
}
