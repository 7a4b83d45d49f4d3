//! RocketVPS's list of sites, `config/domains.list`: `domain|document root|date`, a line each. It is the operator's word on where a
//! site lives.

use crate::config::{Config, administrator_file};
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use std::path::PathBuf;

/// Where the list is.
pub fn path(config: &Config) -> PathBuf {
    config.paths.config().join("domains.list")
}

/// The domains of the list with their document roots. A line of a domain alone, as older modules wrote it, says no root.
///
/// # Errors
/// `forbidden` for a caller who may not read the list, `config_invalid` for one that cannot be read or that others may write to.
pub fn read(config: &Config) -> Result<Vec<(Domain, PathBuf)>> {
    let Some(text) = administrator_file::read(&path(config), Code::ConfigInvalid)? else { return Ok(Vec::new()) };
    let line = |line: &str| {
        let mut fields = line.trim().split('|');
        let domain = Domain::parse(fields.next()?.trim()).ok()?;
        let root = fields.next()?.trim().trim_end_matches('/');
        (!root.is_empty()).then(|| (domain, PathBuf::from(root)))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// What the list says of a domain.
///
/// # Errors
/// As [`read`], and for a domain with two roots.
pub fn root_of(config: &Config, domain: &Domain) -> Result<Option<PathBuf>> {
    let mut roots: Vec<PathBuf> =
        read(config)?.into_iter().filter(|(of, _)| of == domain).map(|(_, root)| root).collect();
    roots.dedup();
    match roots.as_slice() {
        [] => Ok(None),
        [root] => Ok(Some(root.clone())),
        [one, other, ..] => {
            let list = path(config).display().to_string();
            let message = format!("{list} says that {domain} lives in {} and in {}", one.display(), other.display());
            Err(Error::new(Code::ConfigInvalid, message)
                .hint(format!("Leave the line of {domain} that is true in {list}."))
                .with("path", list))
        }
    }
}

/// The folder that holds all of a site by the list's word; `web_root/DOMAIN` where it says nothing.
pub fn site_folder(config: &Config, domain: &Domain) -> PathBuf {
    let own = config.paths.web_root.join(domain.as_str());
    let root = root_of(config, domain).ok().flatten().unwrap_or(own);
    config.paths.site_folder(domain, &root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_line_by_line_and_two_roots_are_a_question() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let domain = |name: &str| Domain::parse(name).unwrap();
        assert_eq!(read(&config).unwrap(), []);
        std::fs::create_dir(config.paths.config()).unwrap();
        let text = "a.example|/var/www/a.example/public_html|2026-01-02\r\n\nold.example\nb.example|/srv/b/|x\n\
                    two.example|/srv/one|\ntwo.example|/srv/two|\nnot a domain|/x|\n";
        std::fs::write(path(&config), text).unwrap();
        assert_eq!(root_of(&config, &domain("a.example")).unwrap(), Some("/var/www/a.example/public_html".into()));
        assert_eq!(root_of(&config, &domain("b.example")).unwrap(), Some("/srv/b".into()));
        assert_eq!(root_of(&config, &domain("old.example")).unwrap(), None);
        assert_eq!(root_of(&config, &domain("two.example")).unwrap_err().code, Code::ConfigInvalid);
        assert_eq!(site_folder(&config, &domain("a.example")), PathBuf::from("/var/www/a.example"));
        assert_eq!(site_folder(&config, &domain("b.example")), PathBuf::from("/srv/b"));
    }
}
