//! What a site's own files say of its database. A tenant writes them: each is a claim, which
//! [`crate::host::site_database`] judges, and each is read beneath the document root without following links.

use super::{MAX_FILE, Parser, SiteAccount, Unclear, dot_env, drupal, joomla, wp_config};
use crate::config::administrator_file::text_of;
use crate::error::{Error, Result};
use crate::host::site::Site;
use crate::host::tree;
use crate::path::RelPath;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// The files that name a database, below a document root.
const FILES: &[(&str, Parser)] = &[
    ("wp-config.php", wp_config::parse),
    (".env", dot_env::parse),
    ("public/wp-config.php", wp_config::parse),
    ("configuration.php", joomla::parse),
    ("sites/default/settings.php", drupal::parse),
];

/// The same in the folder around a document root, where that is the site's too: WordPress looks one folder up (`wp-load.php`), and
/// what a web server shows of an application may be a folder inside it.
const AROUND: &[(&str, Parser)] = &[("wp-config.php", wp_config::parse), (".env", dot_env::parse)];

/// What was found.
#[derive(Debug, Default)]
pub struct Claims {
    /// Accounts that are named in plain words.
    pub accounts: Vec<SiteAccount>,
    /// Files that are there and do not say which, each with the reason, as a sentence.
    pub unclear: Vec<Unclear>,
    /// Files that are there and name none.
    pub silent: Vec<PathBuf>,
    /// The document root is there.
    pub has_root: bool,
}

impl Claims {
    /// What was read and names no account, as part of a sentence.
    pub fn read_in_vain(&self, root: &Path) -> String {
        let shown = root.display();
        if !self.silent.is_empty() {
            let silent: Vec<String> = self.silent.iter().map(|path| path.display().to_string()).collect();
            return format!("no database is named in {}", silent.join(" or "));
        }
        if !self.has_root {
            return format!("{shown}, where its own configuration would be, does not exist");
        }
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        format!("{shown} has none of {}", names.join(", "))
    }
}

/// Reads the files of a site; nothing where its document root is missing.
///
/// # Errors
/// `unsafe_path` for a root that is a tenant's link, `io_failed`.
pub fn read(site: &Site) -> Result<Claims> {
    let mut found = Claims::default();
    found.has_root = read_folder(&site.root, FILES, &mut found)?;
    if let Some(around) =
        site.root.parent().filter(|around| found.accounts.is_empty() && around.starts_with(&site.folder))
    {
        read_folder(around, AROUND, &mut found)?;
    }
    Ok(found)
}

/// Whether the folder is there.
fn read_folder(folder: &Path, files: &[(&str, Parser)], found: &mut Claims) -> Result<bool> {
    let Some(root) = tree::open_site(folder)? else { return Ok(false) };
    for (name, parse) in files {
        let path = folder.join(name);
        let unclear = |reason: Unclear| Unclear { why: format!("{}: {reason}", path.display()), ..reason };
        let content = match tree::read_beneath(root.as_fd(), &RelPath::parse(name.as_bytes())?, MAX_FILE) {
            Ok(None) => continue,
            Ok(Some(content)) => content,
            Err(Error { message, .. }) => {
                found.unclear.push(unclear(message.into()));
                continue;
            }
        };
        match parse(&text_of(&content)) {
            Ok(Some(account)) if !account.user.is_empty() => {
                found.accounts.push(SiteAccount { source: path, ..account });
            }
            Ok(Some(_)) => found.unclear.push(unclear("names a database and no user".into())),
            Ok(None) => found.silent.push(path),
            Err(reason) => found.unclear.push(unclear(reason)),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_application_is_understood_and_what_is_unclear_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        assert!(read(&Site::in_one_folder(&root)).unwrap().accounts.is_empty());
        std::fs::create_dir_all(root.join("sites/default")).unwrap();
        let put = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
        put("wp-config.php", "<?php define('DB_NAME', getenv('X')); define('DB_USER', 'u');");
        put(".env", "DB_DATABASE=env\nDB_USERNAME=u\nDB_PASSWORD=\"a b#\"\nDB_HOST=127.0.0.1\nDB_PORT=3307\n");
        put("configuration.php", "<?php class JConfig { public $db = 'joomla'; }");
        put(
            "sites/default/settings.php",
            "<?php $databases['default']['default'] = ['database' => 'drupal', 'username' => 'u'];",
        );
        let found = read(&Site::in_one_folder(&root)).unwrap();
        let schemas: Vec<&str> = found.accounts.iter().map(|account| account.schema.as_str()).collect();
        assert_eq!(schemas, ["env", "drupal"]);
        assert_eq!(found.unclear.len(), 2);
        assert!(found.unclear[0].why.contains("wp-config.php: DB_NAME is not given by a literal"), "{found:?}");
        assert!(found.unclear[1].why.contains("configuration.php: names a database and no user"), "{found:?}");
    }

    #[test]
    fn the_folder_around_the_document_root_is_looked_into_where_it_is_the_sites() {
        let folder = tempfile::tempdir().unwrap();
        let around = folder.path().join("shop.example");
        let root = around.join("public_html");
        std::fs::create_dir_all(&root).unwrap();
        let text = "<?php define('DB_NAME', 'up'); define('DB_USER', 'u');";
        std::fs::write(around.join("wp-config.php"), text).unwrap();
        let site = Site { folder: around, ..Site::in_one_folder(&root) };
        assert_eq!(read(&site).unwrap().accounts[0].schema, "up");
        assert!(read(&Site::in_one_folder(&root)).unwrap().accounts.is_empty());
    }

    #[test]
    fn a_link_anywhere_in_the_path_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let neighbour = folder.path().join("neighbour");
        let root = folder.path().join("site");
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(&neighbour).unwrap();
        let text = "<?php define('DB_NAME', 'secret'); define('DB_USER', 'u');";
        std::fs::write(neighbour.join("wp-config.php"), text).unwrap();
        symlink(&neighbour, root.join("public")).unwrap();
        symlink(neighbour.join("wp-config.php"), root.join("wp-config.php")).unwrap();
        let found = read(&Site::in_one_folder(&root)).unwrap();
        assert!(found.accounts.is_empty(), "{found:?}");
        assert_eq!(found.unclear.len(), 2, "{found:?}");
        assert!(!format!("{found:?}").contains("secret"));
    }
}
