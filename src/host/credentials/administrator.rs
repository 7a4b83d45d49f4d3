//! What the administrator says of a site's database: `[sites."DOMAIN"]` of restore.toml, then the files of
//! `base/config/database_credentials`, in the order of [`files`]. The first that says anything is final.

use super::{Parser, SiteAccount, conf_file, read, text_file};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the credentials' files.
pub fn folder(config: &Config) -> PathBuf {
    config.paths.config().join("database_credentials")
}

/// The files that may be about a domain, and how each is read. `exact` are those that only this domain can have.
fn files(config: &Config, domain: &Domain) -> [(PathBuf, Parser, bool); 4] {
    let folder = folder(config);
    let underscored = domain.underscored();
    [
        (folder.join(format!("{domain}.conf")), conf_file::parse, true),
        (folder.join(format!("{underscored}.conf")), conf_file::parse, false),
        (folder.join(format!("{underscored}.txt")), text_file::parse, false),
        (folder.join(format!("{domain}.txt")), text_file::parse, true),
    ]
}

/// What is said of a domain; `None` when nothing is. `others` are the other domains of this machine: a file whose name could be
/// theirs as well is nobody's.
///
/// # Errors
/// `credentials_missing` for a file that says half, cannot be read or is not the administrator's alone; `database_ambiguous` for one
/// that may be about another domain.
pub fn says(config: &Config, domain: &Domain, others: &BTreeSet<Domain>) -> Result<Option<SiteAccount>> {
    if let Some(site) = config.sites.get(domain).filter(|site| !site.database.is_empty()) {
        return Ok(Some(SiteAccount {
            schema: site.database.clone(),
            user: site.database_user.clone(),
            source: PathBuf::from("restore.toml"),
            ..SiteAccount::default()
        }));
    }
    for (path, parse, exact) in files(config, domain) {
        let Some(text) = read(&path)? else { continue };
        // A domain without dots and dashes has one name for both.
        if !exact && path.file_stem().is_some_and(|stem| stem != domain.as_str()) {
            match text_file::domain(&text) {
                Some(named) if named.eq_ignore_ascii_case(domain.as_str()) => {}
                Some(named) if Domain::parse(&named).is_ok() => continue,
                _ => require_single(&path, domain, others)?,
            }
        }
        let found = parse(&text).map_err(|why| {
            Error::new(Code::CredentialsMissing, format!("{} {why}", path.display()))
                .hint(format!("Complete {}: what it says of {domain} is final.", path.display()))
                .with("path", path.display().to_string())
        })?;
        if let Some(account) = found {
            return Ok(Some(SiteAccount { source: path, ..account }));
        }
    }
    Ok(None)
}

/// `a-b.example` and `a.b.example` have the same name with underscores.
fn require_single(path: &Path, domain: &Domain, others: &BTreeSet<Domain>) -> Result<()> {
    let Some(other) = others.iter().find(|other| other.underscored() == domain.underscored()) else { return Ok(()) };
    let shown = path.display();
    Err(Error::new(Code::DatabaseAmbiguous, format!("{shown} may be about {domain} or about {other}"))
        .hint(format!(
            "Name it {domain}.conf or {other}.conf, in the form MYSQL_DB_NAME=, MYSQL_DB_USER=, MYSQL_DB_PASSWORD=."
        ))
        .with("path", shown.to_string()))
}

/// Every schema that is said to be another domain's, with where. A file that cannot be read or understood says none here; that it is
/// unclear [`says`] tells of its domain.
pub fn said_of_others(config: &Config, domain: &Domain) -> Vec<(String, PathBuf)> {
    let own = files(config, domain);
    // A name with underscores fits several domains: the file may say whose it is.
    let is_own = |path: &Path, text: &str| {
        own.iter().any(|(file, _, exact)| file == path && (*exact || names_nobody_else(text, domain)))
    };
    let mut found: Vec<(String, PathBuf)> = config
        .sites
        .iter()
        .filter(|(name, site)| *name != domain && !site.database.is_empty())
        .map(|(name, site)| (site.database.clone(), PathBuf::from(format!("restore.toml, sites.\"{name}\""))))
        .collect();
    let entries = std::fs::read_dir(folder(config)).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let parse: Parser = match path.extension().and_then(|end| end.to_str()) {
            Some("conf") => conf_file::parse,
            Some("txt") => text_file::parse,
            _ => continue,
        };
        if let Ok(Some(text)) = read(&path)
            && !is_own(&path, &text)
            && let Ok(Some(account)) = parse(&text)
        {
            found.push((account.schema, path));
        }
    }
    found.sort();
    found
}

fn names_nobody_else(text: &str, domain: &Domain) -> bool {
    text_file::domain(text)
        .is_none_or(|named| named.eq_ignore_ascii_case(domain.as_str()) || Domain::parse(&named).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Setting {
        base: tempfile::TempDir,
        config: Config,
    }

    impl Setting {
        fn new(more: &str) -> Setting {
            let base = tempfile::tempdir().unwrap();
            let config = Config::parse(&format!("[paths]\nbase = {:?}\n{more}", base.path())).unwrap();
            std::fs::create_dir_all(folder(&config)).unwrap();
            Setting { base, config }
        }

        fn put(&self, name: &str, text: &str) {
            std::fs::write(folder(&self.config).join(name), text).unwrap();
        }

        fn says(&self, domain: &str, others: &[&str]) -> Result<Option<SiteAccount>> {
            let others = others.iter().map(|name| Domain::parse(name).unwrap()).collect();
            says(&self.config, &Domain::parse(domain).unwrap(), &others)
        }
    }

    #[test]
    fn the_first_file_that_says_anything_counts() {
        let setting = Setting::new("");
        assert!(setting.says("a-b.example", &[]).unwrap().is_none());
        setting.put("a-b.example.txt", "Database: last\nUsername: u\n");
        let schema = |setting: &Setting| setting.says("a-b.example", &[]).unwrap().unwrap().schema;
        assert_eq!(schema(&setting), "last");
        setting.put("a_b_example.txt", "Database: txt\nUsername: u\nPassword: p:q\n");
        assert_eq!(schema(&setting), "txt");
        setting.put("a_b_example.conf", "POSTGRESQL_DB_NAME=x\nPOSTGRESQL_DB_USER=y\n");
        assert_eq!(schema(&setting), "txt");
        setting.put("a-b.example.conf", "MYSQL_DB_NAME=conf\nMYSQL_DB_USER='u'\nMYSQL_DB_PASSWORD=$(id)\n");
        let account = setting.says("a-b.example", &[]).unwrap().unwrap();
        assert_eq!((account.schema.as_str(), account.password.reveal()), ("conf", "$(id)"));
        let over = Setting::new("[sites.\"a-b.example\"]\ndatabase = \"toml\"\n");
        over.put("a-b.example.conf", "MYSQL_DB_NAME=conf\nMYSQL_DB_USER=u\n");
        assert_eq!(schema(&over), "toml");
    }

    #[test]
    fn half_an_account_is_an_error_and_no_reason_to_look_further() {
        let setting = Setting::new("");
        setting.put("x.example.conf", "MYSQL_DB_NAME=conf\n");
        setting.put("x_example.txt", "Database: txt\nUsername: u\n");
        let error = setting.says("x.example", &[]).unwrap_err();
        assert_eq!(error.code, Code::CredentialsMissing);
        assert!(error.message.contains("names a database and no user"), "{}", error.message);
    }

    #[test]
    fn a_name_that_two_domains_share_is_neithers() {
        let setting = Setting::new("");
        setting.put("a_b_example.conf", "MYSQL_DB_NAME=s\nMYSQL_DB_USER=u\n");
        assert!(setting.says("a-b.example", &["c.example"]).unwrap().is_some());
        assert_eq!(setting.says("a-b.example", &["a.b.example"]).unwrap_err().code, Code::DatabaseAmbiguous);
        // A file that says whose it is needs no guess.
        std::fs::remove_file(folder(&setting.config).join("a_b_example.conf")).unwrap();
        setting.put("a_b_example.txt", "Domain: a.b.example\nDatabase: s\nUsername: u\n");
        assert!(setting.says("a-b.example", &["a.b.example"]).unwrap().is_none());
        assert!(setting.says("a.b.example", &["a-b.example"]).unwrap().is_some());
        setting.put("a-b.example.conf", "MYSQL_DB_NAME=own\nMYSQL_DB_USER=u\n");
        assert_eq!(setting.says("a-b.example", &["a.b.example"]).unwrap().unwrap().schema, "own");
    }

    #[test]
    fn what_is_said_of_others_is_known() {
        let setting =
            Setting::new("[sites.\"t.example\"]\ndatabase = \"toml\"\n[sites.\"x.example\"]\ndatabase = \"mine\"\n");
        setting.put("x.example.conf", "MYSQL_DB_NAME=own\nMYSQL_DB_USER=u\n");
        setting.put("b.example.conf", "MYSQL_DB_NAME=b\nMYSQL_DB_USER=u\n");
        setting.put("c_example.txt", "Database: c\nUsername: u\n");
        setting.put("half.conf", "MYSQL_DB_NAME=h\n");
        setting.put("note.md", "Database: n\nUsername: u\n");
        let found = said_of_others(&setting.config, &Domain::parse("x.example").unwrap());
        let schemas: Vec<&str> = found.iter().map(|(schema, _)| schema.as_str()).collect();
        assert_eq!(schemas, ["b", "c", "toml"]);
        drop(setting.base);
    }
}
