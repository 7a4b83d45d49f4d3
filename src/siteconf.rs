//! The configuration of one site: nginx site, PHP-FPM pool, certificates, cron. Where each file belongs, whether it
//! may be installed, what it means, and how it is installed and taken back.
//!
//! Reading and judging is pure (bytes in, findings out); `target` looks at the live folders, `change` writes.

pub mod certbot;
pub mod change;
mod check;
mod cron;
mod describe;
pub mod doors;
pub mod guard;
pub mod mask;
pub mod nginx;
pub mod pool;
pub mod servers;
mod target;
pub mod tls;
mod zone;

pub use crate::api::ConfigItem as Item;
pub use change::{Change, Side, install, plan_changes, store, uninstall};
pub use check::{Verdict, check};
pub use describe::describe;
pub use pool::{Listen, live_pool, pool_socket, serving_pool};
pub use target::{place, spellings};

use std::path::PathBuf;

/// A symbolic link that puts a file into use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where the link lies.
    pub path: PathBuf,
    /// What it says.
    pub to: PathBuf,
}

/// A configuration file of a backup and its place on this machine.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfFile {
    /// Which item it belongs to.
    pub item: Item,
    /// Its name inside the backup.
    pub name: String,
    /// Where it belongs.
    pub target: PathBuf,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Mode of a new file; an existing file keeps mode and owner.
    pub mode: u32,
    /// The link that enables it, where there is one.
    pub link: Option<Link>,
}

impl std::fmt::Debug for ConfFile {
    // The content may be a private key: only its size is shown.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ConfFile")
            .field("item", &self.item)
            .field("name", &self.name)
            .field("target", &self.target)
            .field("bytes", &self.content.len())
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
