//! What a site's own files say of its object cache. A tenant writes them: they are claims, by which only keys of one prefix are removed,
//! with the rights of the site's own account.

mod laravel;
mod wordpress;

pub(super) use super::keys::Sessions;
use crate::config::administrator_file::text_of;
use crate::host::site::Site;
use crate::host::tree;
use crate::path::RelPath;
use crate::siteconf::Listen;
use std::os::fd::AsFd;
use std::path::Path;
use zeroize::Zeroizing;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Where nobody knows better.
const NO_PREFIX: &str = "the site's keys have no prefix of their own whose end can be seen";
/// A shorter prefix is likely to be the beginning of a neighbour's.
const SHORTEST: usize = 3;

/// An object cache as a site's files describe it.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where and what it is.
    pub store: Store,
    /// How its keys are told from those of others.
    pub keys: Known,
    /// Among them are the numbers of visitors' sessions.
    pub sessions: Sessions,
}

/// How a site's keys are told from those of its neighbours.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// They begin with one of these.
    By {
        /// The beginnings, each with an end that can be seen.
        prefixes: Vec<String>,
        /// A beginning without such an end: a key that has it and none of `prefixes` may be the site's or a neighbour's.
        perhaps: Option<String>,
    },
    /// They are not; why, as the end of a sentence.
    Not(&'static str),
}

impl Known {
    /// By prefixes, where there are any.
    fn of(prefixes: Vec<String>) -> Known {
        match prefixes.is_empty() {
            true => Known::Not(NO_PREFIX),
            false => Known::By { prefixes, perhaps: None },
        }
    }
}

/// A server of objects.
#[derive(Debug, PartialEq, Eq)]
pub enum Store {
    /// Redis, or what speaks like it.
    Redis {
        /// Where it listens.
        to: Listen,
        /// Number of the database.
        database: u32,
        /// Account of the server; the usual one where it is empty.
        user: String,
        /// Password; none where it is empty.
        password: Zeroizing<String>,
    },
    /// Memcached servers.
    Memcached(Vec<Listen>),
    /// It is there, and is not known; why, as a sentence.
    Unknown(String),
}

impl Claim {
    fn unknown(said: impl Into<String>) -> Claim {
        Claim { store: Store::Unknown(said.into()), keys: Known::Not(NO_PREFIX), sessions: Sessions::Nowhere }
    }
}

/// The object caches that a site says it has.
pub fn read(site: &Site) -> Vec<Claim> {
    let around = site.root.parent().filter(|around| around.starts_with(&site.folder));
    [Some(site.root.as_path()), around]
        .into_iter()
        .flatten()
        .flat_map(|folder| read_folder(folder, &site.root))
        .collect()
}

fn read_folder(folder: &Path, root: &Path) -> Vec<Claim> {
    let Ok(Some(handle)) = tree::open_site(folder) else { return Vec::new() };
    let text = |name: &str| {
        let path = RelPath::parse(name.as_bytes()).ok()?;
        let content = tree::read_beneath(handle.as_fd(), &path, MAX_FILE).ok()??;
        Some(text_of(&content))
    };
    let mut found = Vec::new();
    // WordPress has its configuration in its own folder, or in the one around it; its drop-in never.
    if let (true, Some(drop_in)) = (folder == root, text("wp-content/object-cache.php")) {
        let around = || {
            let around = tree::open_site(folder.parent()?).ok()??;
            // As WordPress has it: beside its own settings it is the configuration of another site.
            let settings = RelPath::parse(b"wp-settings.php").ok()?;
            if tree::read_beneath(around.as_fd(), &settings, MAX_FILE).ok()?.is_some() {
                return None;
            }
            tree::read_beneath(around.as_fd(), &RelPath::parse(b"wp-config.php").ok()?, MAX_FILE)
                .ok()?
                .map(|text| text_of(&text))
        };
        let config = text("wp-config.php").or_else(around).unwrap_or_default();
        found.push(wordpress::claim(&drop_in, &config));
    }
    if let (Some(_), Some(env)) = (text("artisan"), text(".env")) {
        found.extend(laravel::claim(&env));
    }
    found
}

fn tcp(host: &str, port: &str) -> Listen {
    Listen::Tcp(format!("{}:{port}", host.trim_start_matches("tcp://")))
}

/// Whether a server is one that the site's account may be led to without the operator's word: on this machine.
pub fn is_local(to: &Listen) -> bool {
    match to {
        Listen::Unix(_) => true,
        Listen::Tcp(address) => {
            let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for (address, local) in
            [("127.0.0.1:1", true), ("[::1]:1", true), ("localhost:1", true), ("10.0.0.1:1", false), ("cache:1", false)]
        {
            assert_eq!(is_local(&Listen::Tcp(address.into())), local, "{address}");
        }
    }
}
