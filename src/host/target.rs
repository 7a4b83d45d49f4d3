//! What a restore takes the place of, and where the new tree is staged: beside it, on the same mount, in a folder of root's.

use crate::config::{Config, STAGING};
use crate::disk::is_ours;
use crate::host::site::{self, Site};
use crate::host::tree;
use std::collections::BTreeSet;
use std::iter;
use std::path::{Path, PathBuf};

/// A live tree that is to be exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The live tree; need not exist.
    pub live: PathBuf,
    /// Folder of root's on the same mount, for staged and kept trees.
    pub staging: PathBuf,
}

impl Target {
    /// For the folder of a site. A rename goes no further than a mount (`rename(2)`): where the site lies on another one than the web
    /// root, the outermost folder above it on that mount that only root writes to holds the staging. A nearer one may be a site's.
    pub fn of(config: &Config, live: &Path) -> Target {
        let usual = config.paths.staging();
        let around = || live.ancestors().skip(1);
        let mount = around().find_map(mount_at);
        let staging = if mount.is_none() || mount == mount_at(&config.paths.web_root) {
            usual
        } else {
            let fits = |folder: &&Path| {
                *folder != Path::new("/")
                    && mount_at(folder) == mount
                    && folder.metadata().is_ok_and(|data| is_ours(&data))
            };
            around().filter(fits).last().map_or(usual, |folder| folder.join(STAGING))
        };
        Target { live: live.to_owned(), staging }
    }
}

fn mount_at(folder: &Path) -> Option<u64> {
    tree::mount_of(tree::open_site(folder).ok()??).ok()
}

/// Every folder that staged and kept trees of this machine's sites may lie in, each once. Sites are looked at only as far as
/// somebody asks on behind the web root's own.
pub fn stagings(config: &Config) -> impl Iterator<Item = PathBuf> {
    let sites = || site::domains(config).into_iter().filter_map(|domain| Site::find(config, &domain).ok());
    let of_site = |site: Site| [site.root, site.folder].map(|live| Target::of(config, &live).staging);
    let of_sites = iter::once_with(sites).flatten().flat_map(of_site);
    let mut seen = BTreeSet::new();
    iter::once(config.paths.staging()).chain(of_sites).filter(move |folder| seen.insert(folder.clone()))
}
