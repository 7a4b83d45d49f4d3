//! The database settings of the live site, in the place of those that a backup's own configuration has: what is restored goes on with the
//! account and the schema that it has here.

use crate::archive::Entry;
use crate::archive::EntryKind;
use crate::host::credentials::{SiteAccount, rewrite};
use crate::path::RelPath;

/// Largest configuration that is looked at; larger ones are nobody's.
const MAX_CONFIGURATION: u64 = 1 << 20;

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings(SiteAccount);

impl Settings {
    /// Of the account that the live site has.
    pub fn of(account: SiteAccount) -> Settings {
        Settings(account)
    }

    /// Whether an entry of the document root is a configuration with such settings.
    pub fn concern(&self, path: &RelPath, entry: &Entry) -> bool {
        let plain = entry.kind == EntryKind::File && entry.segments.is_none();
        plain && entry.size <= MAX_CONFIGURATION && writer(path).is_some()
    }

    /// The configuration with these settings; `None` where it has them already.
    pub fn put_into(&self, path: &RelPath, text: &[u8]) -> Option<Vec<u8>> {
        writer(path)?(text, &self.0)
    }

    /// What tells them from others, and shows none.
    pub fn word(&self) -> String {
        let SiteAccount { schema, user, password, host, .. } = &self.0;
        let host = host.as_deref().unwrap_or_default();
        let text = [schema, user, password.reveal(), host].join("\0");
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }
}

type Writer = fn(&[u8], &SiteAccount) -> Option<Vec<u8>>;

fn writer(path: &RelPath) -> Option<Writer> {
    match path.as_bytes() {
        b"wp-config.php" => Some(rewrite::wp_config),
        b".env" => Some(rewrite::dot_env),
        b"configuration.php" => Some(rewrite::joomla),
        _ => None,
    }
}
