//! Where a site lives: its document root and its site folder.
//!
//! The *document root* is the folder that a site's files are in, as the operator says it: `config/domains.list` of RocketVPS
//! (`domain|root|date`, a line each), else the `root` of the live nginx site, else `web_root/DOMAIN`. The *site folder* is
//! `web_root/DOMAIN` where the document root lies in it, else the document root itself. RocketVPS makes
//! `/var/www/DOMAIN/public_html`: then the two differ, and a backup holds the one or the other.

use crate::config::{Config, domains_list};
use crate::error::{Code, Error, Result};
use crate::host::tree;
use crate::path::{Domain, RelPath};
use crate::siteconf::{servers, spellings};
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Largest file of settings that is read, in bytes.
const MAX_SETTINGS: u64 = 1 << 20;

/// Who said where the document root is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToldBy {
    /// A line of this file, RocketVPS's `domains.list`.
    DomainsList(PathBuf),
    /// `root` in this file of nginx.
    Nginx(PathBuf),
    /// Nobody: `web_root/DOMAIN`.
    WebRoot,
}

impl ToldBy {
    fn is_nginx(&self) -> bool {
        matches!(self, ToldBy::Nginx(_))
    }
}

impl fmt::Display for ToldBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToldBy::DomainsList(file) | ToldBy::Nginx(file) => write!(out, "{}", file.display()),
            ToldBy::WebRoot => out.write_str("`paths.web_root` of restore.toml"),
        }
    }
}

/// Where a site lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The domain.
    pub domain: Domain,
    /// The document root; need not exist.
    pub root: PathBuf,
    /// `web_root/DOMAIN` where the document root lies in it, else the document root.
    pub folder: PathBuf,
    /// `web_root/DOMAIN` as it is written, whatever link it may be: by this name archives have it.
    pub usual: PathBuf,
    /// Who said so.
    pub told_by: ToldBy,
}

impl Site {
    /// `wp-config.php` of the live site, where it has one that can be read.
    pub fn wp_config(&self) -> Option<String> {
        let root = tree::open_site(&self.root).ok()??;
        let path = RelPath::parse(b"wp-config.php").ok()?;
        let text = tree::read_beneath(root.as_fd(), &path, MAX_SETTINGS).ok()??;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Where the site of a domain lives.
    ///
    /// # Errors
    /// `config_invalid` where what is said cannot be: two roots of one domain, a root that holds other sites or belongs to the system.
    pub fn find(config: &Config, domain: &Domain) -> Result<Site> {
        let (root, told_by) = match domains_list::root_of(config, domain)? {
            Some(root) => (root, ToldBy::DomainsList(domains_list::path(config))),
            None => {
                // What is broken may be this very file: it counts where it can be true.
                let told = served(config, domain).and_then(|(root, file)| {
                    Site::at(config, domain, root, ToldBy::Nginx(file)).ok().filter(|site| site.root.is_dir())
                });
                if let Some(site) = told {
                    return Ok(site);
                }
                (config.paths.web_root.join(domain.as_str()), ToldBy::WebRoot)
            }
        };
        Site::at(config, domain, root, told_by)
    }

    fn at(config: &Config, domain: &Domain, root: PathBuf, told_by: ToldBy) -> Result<Site> {
        let usual = config.paths.web_root.join(domain.as_str());
        let folder = config.paths.site_folder(domain, &root);
        let named = Site { domain: domain.clone(), root, folder, usual, told_by };
        named.require_own_root(config)?;
        let site = Site { root: real(named.root)?, folder: real(named.folder)?, ..named };
        site.require_own_root(config)?;
        Ok(site)
    }

    /// A site in one folder, whose name is its domain's where it can be.
    #[cfg(any(test, feature = "test-support"))]
    pub fn in_one_folder(root: &Path) -> Site {
        let name = root.file_name().and_then(|name| Domain::parse(name.to_str()?).ok());
        let domain = name.or_else(|| Domain::parse("site.example").ok()).unwrap_or_else(|| unreachable!());
        Site {
            domain,
            root: root.to_owned(),
            folder: root.to_owned(),
            usual: root.to_owned(),
            told_by: ToldBy::WebRoot,
        }
    }

    /// The document root below the site folder; empty where they are the same.
    pub fn root_in_folder(&self) -> RelPath {
        let inner = self.root.strip_prefix(&self.folder).unwrap_or(Path::new(""));
        RelPath::parse(inner.as_os_str().as_bytes()).unwrap_or_default()
    }

    /// The same site with its document root in a folder of this name, where nobody but the web root told of it: a backup that has a
    /// document root of that name knows better.
    #[must_use]
    pub fn with_root_named(self, name: &OsStr) -> Site {
        let inner = self.folder.join(name);
        let known = self.told_by != ToldBy::WebRoot || self.root != self.folder || self.usual.file_name() == Some(name);
        let there = |path: &Path| matches!(tree::open_site(path), Ok(Some(_)));
        if known || (there(&self.root) && !there(&inner)) { self } else { Site { root: inner, ..self } }
    }

    /// A root that is exchanged or read as a whole has to be one site's.
    fn require_own_root(&self, config: &Config) -> Result<()> {
        let refuse = |why: &str| {
            let root = self.root.display();
            let said = &self.told_by;
            Err(Error::new(Code::ConfigInvalid, format!("{said} says that {} lives in {root}: {why}", self.domain))
                .hint(format!("Correct the document root of {} in {said}.", self.domain))
                .with("path", root.to_string()))
        };
        let plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        if !self.root.is_absolute() || !self.root.components().all(plain) {
            return refuse("that is no absolute path without `..`");
        }
        if self.root.components().count() < 3 {
            return refuse("that folder is the system's");
        }
        let paths = &config.paths;
        let ours = [&paths.web_root, &paths.base, &paths.backups(), &paths.snapshots()];
        if ours.iter().any(|folder| folder.starts_with(&self.root)) {
            return refuse("that folder holds more than one site");
        }
        if self.root != self.usual && self.root.parent() == Some(&paths.web_root) && self.told_by.is_nginx() {
            return refuse("that is another domain's folder");
        }
        if self.root.starts_with(paths.staging()) || self.root.starts_with(paths.jobs()) {
            return refuse("that folder is this program's");
        }
        Ok(())
    }
}

/// Where a folder really is: a link that the administrator made leads there, and an exchange moves the folder, not the link.
fn real(path: PathBuf) -> Result<PathBuf> {
    Ok(match tree::open_site(&path)? {
        Some(folder) => tree::path_of(folder.as_fd())?,
        None => path,
    })
}

/// The `root` of the live nginx site, where its servers of this domain name one. An application whose pages are in a folder of their
/// own (`public` of Laravel and Symfony) lives in the folder around it.
fn served(config: &Config, domain: &Domain) -> Option<(PathBuf, PathBuf)> {
    let paths = &config.paths;
    let mut files =
        [&paths.nginx_enabled, &paths.nginx_available].into_iter().flat_map(|folder| spellings(folder, domain));
    let file = files.find(|path| path.is_file())?;
    let roots = servers::roots(&std::fs::read(&file).ok()?, domain.as_str()).ok()?;
    let [root] = roots.as_slice() else { return None };
    let root = PathBuf::from(root.trim_end_matches('/'));
    let public = root.file_name().is_some_and(|name| PUBLIC.iter().any(|public| name == *public));
    let around = root.parent().filter(|around| public && is_application(around)).map(Path::to_owned);
    Some((around.unwrap_or(root), file))
}

/// Names of the folder that a web server shows of an application.
const PUBLIC: &[&str] = &["public", "web"];
/// Files beside it that no document root of its own has.
const APPLICATION: &[&str] = &["artisan", "composer.json", "bin/console"];

fn is_application(folder: &Path) -> bool {
    let Ok(Some(folder)) = tree::open_site(folder) else { return false };
    APPLICATION.iter().any(|name| {
        RelPath::parse(name.as_bytes())
            .is_ok_and(|path| tree::open_beneath(folder.as_fd(), &path, OFlags::PATH).is_ok())
    })
}

/// Every domain of this machine: those of the list, and those with a folder in the web root, or a link to one: whoever asks compares
/// where they lead, since a link may be another name of a site.
pub fn domains(config: &Config) -> BTreeSet<Domain> {
    let entries = std::fs::read_dir(&config.paths.web_root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink()));
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let listed = domains_list::read(config).unwrap_or_default().into_iter().map(|(domain, _)| domain);
    names.filter(|name| name.contains('.')).filter_map(|name| Domain::parse(&name).ok()).chain(listed).collect()
}

/// Other domains whose document root lies below this folder, and where below it. Files of nginx name domains that nobody lists.
pub fn inside(config: &Config, folder: &Path, domain: &Domain) -> Vec<(Domain, RelPath)> {
    let files = std::fs::read_dir(&config.paths.nginx_enabled).into_iter().flatten().flatten();
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    let served = names.filter_map(|name| Domain::parse(name.strip_suffix(".conf").unwrap_or(&name)).ok());
    let others: BTreeSet<Domain> = domains(config).into_iter().chain(served).filter(|other| other != domain).collect();
    let below = |other: Domain| {
        let root = Site::find(config, &other).ok()?.root;
        let path = RelPath::parse(root.strip_prefix(folder).ok()?.as_os_str().as_bytes()).ok()?;
        (!path.is_root()).then_some((other, path))
    };
    others.into_iter().filter_map(below).collect()
}
