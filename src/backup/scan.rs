//! What is inside an archive, learned by reading it whole once: the integrity check and the preview in one pass.

use serde::{Deserialize, Serialize};

/// What one reading of a backup found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scan {
    /// The layout.
    pub layout: Option<String>,
    /// Regular files of the site.
    pub files: u64,
}

impl Scan {
    /// Tables of the dump, if there is one and they were counted.
    pub fn db_tables(&self) -> Option<u64> {
        None
    }
}
