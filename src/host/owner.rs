//! Whose a site is: the owner of its live tree, else the user of its PHP-FPM pool, else `files.owner` of restore.toml.

use crate::config::{Config, Files};
use crate::error::Result;
use crate::host::account::Account;
use crate::host::tree::policy::Owner;
use crate::host::tree::walk::Next;
use crate::host::tree::{self, FilePolicy};
use crate::path::Domain;
use crate::siteconf::pool;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

/// Owner and modes of what a restore writes for a domain. `live` is its live tree, where there is one.
///
/// # Errors
/// `config_invalid` for a `files.owner` that this machine does not know; `io_failed` for a tree that cannot be read.
pub fn policy(config: &Config, domain: &Domain, live: Option<BorrowedFd>) -> Result<FilePolicy> {
    let usual = FilePolicy::from_config(&config.files)?;
    let mut owners = live.map(owners_of).transpose()?.unwrap_or_default();
    owners.extend(of_pool(config, domain));
    Ok(usual.of_site(owners))
}

/// The account that a site's PHP runs as: that of the pool which serves it, else the owner of its live tree; root is none. What PHP may
/// write is that pool's word, so that the owner's account runs nothing of it.
pub fn account(config: &Config, domain: &Domain, live: Option<BorrowedFd>) -> Option<Account> {
    let serving = pool::serving_pool(config, domain).map(|(pool, _)| pool);
    let of_pool = serving.or_else(|| pool::live_pool(config, domain)).and_then(|pool| Account::named(&pool.user));
    let account = of_pool.or_else(|| Account::numbered(policy(config, domain, live).ok()?.owner.0))?;
    (account.uid != 0).then_some(account)
}

/// Owners of a tree's root and of what lies at its top: the root's first, then that of most entries.
fn owners_of(live: BorrowedFd) -> Result<Vec<Owner>> {
    let mut counts: BTreeMap<Owner, usize> = BTreeMap::new();
    let mut root = None;
    tree::walk(live, &mut |visit| {
        let owner = (visit.stat.stx_uid, visit.stat.stx_gid);
        if visit.path.is_empty() {
            root = Some(owner);
            return Ok(Next::Into);
        }
        *counts.entry(owner).or_default() += 1;
        Ok(Next::Past)
    })?;
    let mut by_count: Vec<(Owner, usize)> = counts.into_iter().collect();
    by_count.sort_by_key(|(_, count)| Reverse(*count));
    Ok(root.into_iter().chain(by_count.into_iter().map(|(owner, _)| owner)).collect())
}

/// User and group of the domain's PHP-FPM pool; a name that this machine does not know is nobody's.
fn of_pool(config: &Config, domain: &Domain) -> Option<Owner> {
    let pool = pool::live_pool(config, domain).filter(|pool| !pool.user.is_empty())?;
    let owner = if pool.group.is_empty() { pool.user } else { format!("{}:{}", pool.user, pool.group) };
    FilePolicy::from_config(&Files { owner, ..config.files.clone() }).ok().map(|policy| policy.owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::fs::chown;

    #[test]
    fn the_live_tree_says_whose_a_site_is_then_its_pool_then_the_configuration() {
        let place = tempfile::tempdir().unwrap();
        let domain = Domain::parse("shop.example").unwrap();
        let mut config = Config::default();
        config.files.owner = "33:33".into();
        config.paths.php_pool_dir = place.path().join("pool");
        let root = place.path().join("root");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(&config.paths.php_pool_dir).unwrap();
        let whose = |config: &Config| {
            let live = std::fs::File::open(&root).unwrap();
            (policy(config, &domain, Some(live.as_fd())).unwrap().owner, policy(config, &domain, None).unwrap().owner)
        };
        assert_eq!(whose(&config), ((33, 33), (33, 33)));
        std::fs::write(config.paths.php_pool_dir.join("shop.example.conf"), "[shop]\nuser = 1005\ngroup = 1006\n")
            .unwrap();
        assert_eq!(whose(&config), ((1005, 1006), (1005, 1006)));
        for (name, uid) in [("a", 1007), ("b", 1008), ("c", 1008)] {
            std::fs::write(root.join(name), "").unwrap();
            chown(root.join(name), Some(uid), Some(uid)).unwrap();
        }
        assert_eq!(whose(&config), ((1008, 1008), (1005, 1006)));
        chown(&root, Some(1009), Some(33)).unwrap();
        assert_eq!(whose(&config).0, (1009, 33));
    }
}
