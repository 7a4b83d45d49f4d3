//! Where a configuration file of a backup belongs on this machine.

use super::{ConfFile, Item, Link};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use std::path::{Path, PathBuf};

/// Gives a file of the backup its place. Existing files and links decide between spellings:
/// `DOMAIN` or `DOMAIN.conf`, a letsencrypt link or its archive file.
///
/// # Errors
/// `unsafe_config` for a name that is none, `path_not_allowed` for a certificate link that leaves its folder.
pub fn place(config: &Config, domain: &Domain, item: Item, name: &str, content: Vec<u8>) -> Result<ConfFile> {
    let paths = &config.paths;
    let (target, mode, link) = match item {
        Item::Nginx => {
            let (target, link) = nginx_target(config, domain);
            (target, 0o644, link)
        }
        Item::PhpFpm => {
            let own = paths.php_pool_dir.join(format!("{domain}.conf"));
            let other = paths.php_pool_dir.join(format!("{}.conf", domain.underscored()));
            (if !exists(&own) && exists(&other) { other } else { own }, 0o644, None)
        }
        Item::Ssl => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || name.starts_with('.') || name.len() > 100 || !name.bytes().all(plain) {
                return Err(Error::new(Code::UnsafeConfig, format!("{name:?} is no name for a certificate file")));
            }
            let target = follow_once(&paths.ssl, &paths.ssl.join(domain.as_str()).join(name))?;
            let key = memchr::memmem::find(&content, b"PRIVATE KEY").is_some();
            (target, if key { 0o600 } else { 0o644 }, None)
        }
        Item::Cron => (paths.cron.join(domain.underscored()), 0o644, None),
    };
    Ok(ConfFile { item, name: name.to_owned(), target, content, mode, link })
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The two names that a site's file of nginx goes by.
pub fn spellings(folder: &Path, domain: &Domain) -> [PathBuf; 2] {
    [folder.join(domain.as_str()), folder.join(format!("{domain}.conf"))]
}

fn nginx_target(config: &Config, domain: &Domain) -> (PathBuf, Option<Link>) {
    let (available, enabled) = (&config.paths.nginx_available, &config.paths.nginx_enabled);
    let names = [domain.as_str().to_owned(), format!("{domain}.conf")];
    if available == enabled {
        // conf.d style: only *.conf is read there.
        let found = names.iter().map(|name| available.join(name)).find(|path| exists(path));
        return (found.unwrap_or_else(|| available.join(&names[1])), None);
    }
    // A plain file among the links is what nginx reads: that is the site.
    let plain = |path: &PathBuf| path.symlink_metadata().is_ok_and(|meta| meta.is_file());
    if let Some(own) = names.iter().map(|name| enabled.join(name)).find(plain) {
        return (own, None);
    }
    let name = names.iter().find(|name| exists(&available.join(name))).unwrap_or(&names[0]);
    let target = available.join(name);
    let resolved = target.canonicalize().ok();
    // A link that already leads to the file stays as it is.
    let in_use = names.iter().chain([name]).map(|name| enabled.join(name)).find(|path| {
        let leads = path.read_link().ok().map(|to| enabled.join(to));
        leads.is_some_and(|to| to == target || (resolved.is_some() && to.canonicalize().ok() == resolved))
    });
    let link = match in_use {
        Some(path) => {
            let to = path.read_link().unwrap_or_else(|_| target.clone());
            Link { path, to }
        }
        None => Link { path: enabled.join(name), to: link_text(enabled, &target) },
    };
    (target, Some(link))
}

/// Writes the link as this machine's other links are written: relative where they are, else absolute.
fn link_text(enabled: &Path, target: &Path) -> PathBuf {
    let relative = std::fs::read_dir(enabled).ok().is_some_and(|entries| {
        entries.flatten().filter_map(|entry| entry.path().read_link().ok()).any(|to| to.is_relative())
    });
    match (relative, enabled.parent(), target.parent().and_then(Path::parent)) {
        (true, Some(above), Some(same)) if above == same => {
            Path::new("..").join(target.strip_prefix(same).unwrap_or(target))
        }
        _ => target.to_owned(),
    }
}

/// letsencrypt keeps links in `live/` to numbered files in `archive/`: the file behind the link is the one to write.
fn follow_once(ssl: &Path, path: &Path) -> Result<PathBuf> {
    let Ok(to) = path.read_link() else { return Ok(path.to_owned()) };
    let folder = path.parent().unwrap_or(ssl);
    let root = ssl.parent().unwrap_or(ssl);
    let refuse = || {
        Error::new(
            Code::PathNotAllowed,
            format!("{} is a link to {}, outside {}", path.display(), to.display(), root.display()),
        )
        .hint("Replace the link by a file, or restore without `ssl`.")
        .with("path", path.display().to_string())
    };
    let joined = folder.join(&to);
    let parent = joined.parent().and_then(|parent| parent.canonicalize().ok()).ok_or_else(refuse)?;
    let file = parent.join(joined.file_name().ok_or_else(refuse)?);
    let root = root.canonicalize().map_err(|_| refuse())?;
    let is_link = file.symlink_metadata().is_ok_and(|meta| meta.file_type().is_symlink());
    if root == Path::new("/") || !file.starts_with(&root) || is_link {
        return Err(refuse());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn machine() -> (tempfile::TempDir, Config, Domain) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        let at = |name: &str| folder.path().join(name);
        for name in ["available", "enabled", "pool", "le/live/example.com", "le/archive/example.com", "cron"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        config.paths.nginx_available = at("available");
        config.paths.nginx_enabled = at("enabled");
        config.paths.php_pool_dir = at("pool");
        config.paths.ssl = at("le/live");
        config.paths.cron = at("cron");
        (folder, config, Domain::parse("example.com").unwrap())
    }

    #[test]
    fn a_fresh_machine_gets_the_usual_places() {
        let (folder, config, domain) = machine();
        let at = |name: &str| folder.path().join(name);
        let placed = |item, name| place(&config, &domain, item, name, Vec::new()).unwrap();
        let site = placed(Item::Nginx, "nginx.conf");
        assert_eq!(site.target, at("available/example.com"));
        assert_eq!(site.link.unwrap(), Link { path: at("enabled/example.com"), to: at("available/example.com") });
        assert_eq!(placed(Item::PhpFpm, "php-fpm.conf").target, at("pool/example.com.conf"));
        assert_eq!(placed(Item::Cron, "cron").target, at("cron/example_com"));
        assert_eq!(placed(Item::Ssl, "privkey.pem").target, at("le/live/example.com/privkey.pem"));
    }

    #[test]
    fn existing_spellings_win() {
        let (folder, config, domain) = machine();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("available/example.com.conf"), "x").unwrap();
        fs::write(at("pool/example_com.conf"), "x").unwrap();
        symlink("../available/example.com.conf", at("enabled/example.com")).unwrap();
        let site = place(&config, &domain, Item::Nginx, "nginx.conf", Vec::new()).unwrap();
        assert_eq!(site.target, at("available/example.com.conf"));
        let link = Link { path: at("enabled/example.com"), to: "../available/example.com.conf".into() };
        assert_eq!(site.link, Some(link));
        let pool = place(&config, &domain, Item::PhpFpm, "x", Vec::new()).unwrap();
        assert_eq!(pool.target, at("pool/example_com.conf"));
    }

    #[test]
    fn new_links_look_like_their_neighbours() {
        let (folder, config, domain) = machine();
        symlink("../available/other.com", folder.path().join("enabled/other.com")).unwrap();
        let site = place(&config, &domain, Item::Nginx, "nginx.conf", Vec::new()).unwrap();
        assert_eq!(site.link.unwrap().to, Path::new("../available/example.com"));
    }

    #[test]
    fn a_plain_file_among_the_links_is_the_site() {
        let (folder, config, domain) = machine();
        fs::write(folder.path().join("enabled/example.com"), "x").unwrap();
        let site = place(&config, &domain, Item::Nginx, "nginx.conf", Vec::new()).unwrap();
        assert_eq!((site.target, site.link), (folder.path().join("enabled/example.com"), None));
    }

    #[test]
    fn certificate_links_are_followed_one_step_inside_letsencrypt_only() {
        let (folder, config, domain) = machine();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("le/archive/example.com/privkey1.pem"), "x").unwrap();
        let link = at("le/live/example.com/privkey.pem");
        symlink("../../archive/example.com/privkey1.pem", &link).unwrap();
        let key = place(&config, &domain, Item::Ssl, "privkey.pem", Vec::new()).unwrap();
        assert_eq!(key.target, at("le/archive/example.com/privkey1.pem").canonicalize().unwrap());
        fs::remove_file(&link).unwrap();
        symlink("/etc/shadow", &link).unwrap();
        let refused = place(&config, &domain, Item::Ssl, "privkey.pem", Vec::new()).unwrap_err();
        assert_eq!(refused.code, Code::PathNotAllowed);
        for bad in ["", "..", "a/b", ".x", "a b"] {
            assert_eq!(place(&config, &domain, Item::Ssl, bad, vec![]).unwrap_err().code, Code::UnsafeConfig, "{bad}");
        }
    }
}
