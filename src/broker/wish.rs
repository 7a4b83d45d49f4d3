//! What a request would have the engine do, as far as rights depend on it.

use crate::api::request::{Options, Priority, Request};
use crate::api::{Backup, Choice, Components, Part};
use crate::backup::name::{BackupName, Family};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::job::JobId;
use crate::job::folder::JobFolder;
use crate::job::ticket::Ticket;
use crate::path::Domain;
use crate::sql::compat::Actions;
use serde::Deserialize;
use std::path::{Component as PathPart, Path};

/// A component of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The document root.
    Files,
    /// The database.
    Database,
    /// nginx, PHP-FPM, certificates, cron.
    Config,
}

impl Component {
    const ALL: [Component; 3] = [Component::Files, Component::Database, Component::Config];

    /// As `access.toml` has it.
    pub fn word(self) -> &'static str {
        match self {
            Component::Files => "files",
            Component::Database => "database",
            Component::Config => "config",
        }
    }
}

/// Whoever compares rows sees what is in them, which no other call shows.
const ROWS: &str = "rows";

/// The call, whom it is about and what it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Name of the call.
    pub call: &'static str,
    /// The domain; none: every domain.
    pub domain: Option<Domain>,
    /// The answer about every domain is cut to those that may be seen.
    pub is_filtered: bool,
    /// The job that it is about, by which the domain was found.
    pub job: Option<String>,
    /// What is restored or compared.
    pub components: Vec<Component>,
    /// The options of the request that a rule may list, and those that none may.
    pub options: Vec<&'static str>,
}

impl Wish {
    /// Options that a rule may list.
    pub const OPTIONS: &'static [&'static str] = &[
        "priority",
        "exact",
        "allow_orphans",
        "accept",
        "checksum",
        "compatibility",
        "rehearsal",
        "probes",
        "keep_rows",
        ROWS,
    ];

    /// Those that a rule has to list: one without a list of options allows the others.
    pub const LISTED: &'static [&'static str] = &[ROWS];

    /// Of a request. The domain of a job is looked up.
    ///
    /// # Errors
    /// `forbidden` for a configuration of the caller's; `path_not_allowed` for a path outside of the domain's folders; `job_not_found`.
    pub fn of(config: &Config, request: &Request) -> Result<Wish> {
        if request.config().is_some() {
            return Err(Error::new(
                Code::Forbidden,
                "`config`: the configuration is the broker's, and no caller's to choose",
            )
            .hint("Leave `config` out."));
        }
        let mut wish = Wish { call: request.name(), domain: request.domain().cloned(), ..Wish::default() };
        match request {
            Request::ListDomains(_) => wish.is_filtered = true,
            Request::ListJobs(asked) | Request::ListLogs(asked) | Request::ListDrills(asked) => {
                wish.domain.clone_from(&asked.domain);
                wish.is_filtered = true;
            }
            Request::ListBackups(asked) | Request::ListSnapshots(asked) => wish.domain = Some(asked.domain.clone()),
            Request::ReadLog(asked) => wish.domain = Some(asked.domain.clone()),
            Request::RestorePoll(asked) | Request::RestoreCancel(asked) => {
                let ticket = wish.is_of_job(config, &asked.job)?;
                // Its result has the first of them.
                let of_rows = matches!(&ticket.request, Request::DiffBackup(asked) if asked.rows && asked.details);
                wish.options.extend(Some(ROWS).filter(|_| of_rows && matches!(request, Request::RestorePoll(_))));
            }
            Request::PreviewBackup(asked) => {
                backup_within(config, &asked.domain, &asked.backup)?;
                within(&config.paths.backups(), &asked.domain, asked.dump.as_deref())?;
            }
            Request::DiffBackup(asked) => match (&asked.job, &asked.domain) {
                (Some(job), _) => {
                    wish.is_of_job(config, job)?;
                    // A page of what was found: its part alone says of what.
                    wish.components.extend(asked.part.map(|part| match part {
                        Part::Files => Component::Files,
                        Part::Tables => Component::Database,
                        Part::Config => Component::Config,
                        Part::Rows => Component::Database,
                    }));
                    wish.options.extend(Some(ROWS).filter(|_| asked.part == Some(Part::Rows)));
                }
                (None, Some(domain)) => {
                    backup_within(config, domain, &asked.backup)?;
                    within(&config.paths.backups(), domain, asked.dump.as_deref())?;
                    wish.takes(asked.components.as_ref(), &asked.options);
                    wish.options.extend(Some(ROWS).filter(|_| asked.rows));
                }
                (None, None) => {}
            },
            Request::Validate(asked) | Request::Rehearse(asked) | Request::RestoreStart(asked) => {
                backup_within(config, &asked.domain, &asked.backup)?;
                within(&config.paths.backups(), &asked.domain, asked.dump.as_deref())?;
                within(&config.paths.snapshots(), &asked.domain, asked.snapshot.as_deref())?;
                wish.takes(asked.components.as_ref(), &asked.options);
            }
            Request::Rollback(asked) => {
                // A snapshot may hold everything; a job goes back by what it took.
                wish.components = Component::ALL.to_vec();
                if let Some(job) = &asked.job {
                    let ticket = wish.is_of_job(config, job)?;
                    if let Request::RestoreStart(restore) = &ticket.request {
                        wish.takes(restore.components.as_ref(), &Options::default());
                    }
                }
                if let (Some(domain), Some(snapshot)) = (&asked.domain, &asked.snapshot) {
                    within(&config.paths.snapshots(), domain, Some(snapshot))?;
                }
            }
            Request::DeleteSnapshot(asked) => {
                // Of everything, as it was saved.
                wish.components = Component::ALL.to_vec();
                within(&config.paths.snapshots(), &asked.domain, Some(&asked.snapshot))?;
            }
            // With a domain, too, it removes what is left of others.
            Request::Cleanup(_) => wish.domain = None,
            Request::CreateSnapshot(_) => wish.components = Component::ALL.to_vec(),
            Request::Verify(_) | Request::Recover(_) => {}
        }
        Ok(wish)
    }

    /// The domain is that of a job, whatever the request names beside it: the engine refuses another, once the caller may know.
    fn is_of_job(&mut self, config: &Config, job: &str) -> Result<Ticket> {
        let ticket = JobFolder::open(config, &JobId::parse(job)?)?.ticket()?;
        self.job = Some(job.to_owned());
        self.domain.clone_from(&ticket.domain);
        Ok(ticket)
    }

    fn takes(&mut self, components: Option<&Components>, options: &Options) {
        self.components = match components {
            None => Component::ALL.to_vec(),
            Some(Components { files, database, config }) => Component::ALL
                .into_iter()
                .zip([files, database, config])
                .filter(|(_, choice)| !matches!(choice, Choice::Whole(false)))
                .map(|(component, _)| component)
                .collect(),
        };
        let Options {
            priority,
            allow_unsafe_config,
            exact,
            allow_orphans,
            compatibility,
            checksum,
            accept,
            rehearsal,
            probes,
            keep_rows,
            // Only of backups that no caller of the broker's can name.
            keep_database_settings: _,
        } = options;
        let said = [
            ("priority", *priority != Priority::default()),
            ("allow_unsafe_config", *allow_unsafe_config),
            ("exact", *exact),
            ("allow_orphans", *allow_orphans),
            ("compatibility", *compatibility != Actions::default()),
            ("checksum", *checksum),
            ("accept", !accept.is_empty()),
            ("rehearsal", !*rehearsal),
            ("probes", !probes.is_empty()),
            ("keep_rows", !keep_rows.is_empty()),
        ];
        self.options = said.into_iter().filter(|(_, is_said)| *is_said).map(|(name, _)| name).collect();
    }
}

/// A path that a caller names lies in the domain's folder.
fn within(folder: &Path, domain: &Domain, path: Option<&Path>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let own = folder.join(domain.as_str());
    let goes_up = path.components().any(|part| part == PathPart::ParentDir);
    if path.is_absolute() && path.starts_with(&own) && !goes_up {
        return Ok(());
    }
    Err(Error::new(Code::PathNotAllowed, format!("{} is not in {}", path.display(), own.display()))
        .hint("Name a backup, dump or snapshot of the domain itself, by its whole path.")
        .with("path", path.display().to_string()))
}

fn backup_within(config: &Config, domain: &Domain, backup: &Backup) -> Result<()> {
    let word = match backup {
        Backup::Named(word) => word,
        // Whoever reads any file as root's worker does, and puts it into a site of his own, reads any file.
        Backup::Import(_) => {
            return Err(Error::new(Code::Forbidden, "`from`: a backup from anywhere is for root alone to name")
                .hint("Have the administrator copy it into the domain's folder of backups."));
        }
    };
    let path = Path::new(word);
    if *backup == Backup::default() || is_backup_of(config, domain, path) {
        return Ok(());
    }
    within(&config.paths.backups(), domain, Some(path))
}

/// Whether a path is that of a backup of the domain: in its folder, or beside the folders by its name. An archive of all domains is no
/// single tenant's.
pub fn is_backup_of(config: &Config, domain: &Domain, path: &Path) -> bool {
    let backups = config.paths.backups();
    let name = path.file_name().and_then(|name| name.to_str()).and_then(BackupName::parse);
    let is_named = || name.is_some_and(|name| matches!(name.family, Family::Domain(of) if of == domain.as_str()));
    within(&backups, domain, Some(path)).is_ok() || (path.parent() == Some(&backups) && is_named())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn wish(call: &str, request: &Value) -> Result<Wish> {
        Wish::of(&Config::default(), &Request::parse(call, &request.to_string()).unwrap())
    }

    #[test]
    fn what_a_request_takes_is_read_out_of_it() {
        let whole = wish("restore_start", &json!({"domain": "shop.example"})).unwrap();
        assert_eq!((whole.components.len(), whole.options.len()), (3, 0));
        assert_eq!(whole.domain.unwrap().as_str(), "shop.example");
        let part = json!({"domain": "shop.example", "components": {"database": ["wp_posts"]},
                          "options": {"exact": true, "accept": ["change_over"], "allow_unsafe_config": true}});
        let part = wish("restore_start", &part).unwrap();
        assert_eq!(part.components, [Component::Database]);
        assert_eq!(part.options, ["allow_unsafe_config", "exact", "accept"]);
        let rows = wish("diff_backup", &json!({"domain": "shop.example", "rows": true})).unwrap();
        assert_eq!((rows.components.len(), rows.options), (3, vec!["rows"]));
        assert!(wish("list_domains", &json!({})).unwrap().is_filtered);
        assert_eq!(wish("recover", &json!({})).unwrap().domain, None);
    }

    #[test]
    fn no_other_configuration_and_no_path_of_others_can_be_named() {
        let backup = |path: &str| json!({"domain": "shop.example", "backup": path});
        assert!(wish("validate", &backup("/opt/rocketvps/backups/shop.example/b.tar.gz")).is_ok());
        assert!(wish("validate", &backup("latest")).is_ok());
        assert!(wish("validate", &backup("/opt/rocketvps/backups/domain_shop.example_20260102_030406.tar.gz")).is_ok());
        for path in [
            "/opt/rocketvps/backups/other.example/b.tar.gz",
            "/etc/passwd",
            "/opt/rocketvps/backups/shop.example/../other.example/b.tar.gz",
            "/opt/rocketvps/backups/shop.example.org/b.tar.gz",
            "/opt/rocketvps/backups/domain_other.example_20260102_030406.tar.gz",
            "/opt/rocketvps/backups/all_domains_20260102_030406.tar.gz",
        ] {
            for call in ["validate", "restore_start", "preview_backup", "diff_backup"] {
                assert_eq!(wish(call, &backup(path)).unwrap_err().code, Code::PathNotAllowed, "{call} {path}");
            }
        }
        for call in ["validate", "restore_start", "preview_backup", "diff_backup"] {
            let import = json!({"domain": "shop.example", "backup": {"from": "/etc"}});
            assert_eq!(wish(call, &import).unwrap_err().code, Code::Forbidden, "{call}");
        }
        let snapshot = json!({"domain": "shop.example", "snapshot": "/opt/rocketvps/snapshots/other.example/s"});
        for call in ["rollback", "delete_snapshot", "restore_start"] {
            assert_eq!(wish(call, &snapshot).unwrap_err().code, Code::PathNotAllowed, "{call}");
        }
        let config = json!({"domain": "shop.example", "config": "/tmp/mine.toml"});
        assert_eq!(wish("list_backups", &config).unwrap_err().code, Code::Forbidden);
    }
}
