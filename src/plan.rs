//! From what was asked and what is known to what will be done. Pure: no file, no server is touched here.

use crate::api::{Choice, Components};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::job::JobId;
use crate::path::Domain;
use crate::siteconf::Item;
use crate::snapshot::retained::Manifest;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The components to restore, and whether they were named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The document root.
    pub files: bool,
    /// The database.
    pub database: bool,
    /// Configuration items.
    pub config: Vec<Item>,
    /// Named by the caller: a backup without them is an error. Otherwise "everything this kind of backup holds".
    pub named: bool,
}

impl Selection {
    /// Every component, none by name.
    pub fn everything() -> Selection {
        Selection { files: true, database: true, config: Item::ALL.to_vec(), named: false }
    }

    /// Reads the request's components; none at all means everything.
    ///
    /// # Errors
    /// `bad_request` for an empty selection, an unknown configuration item, or parts of files or database.
    pub fn parse(components: Option<&Components>) -> Result<Selection> {
        let Some(components) = components else {
            return Ok(Selection::everything());
        };
        let selection = Selection {
            files: whole("files", &components.files)?,
            database: whole("database", &components.database)?,
            config: items(&components.config)?,
            named: true,
        };
        if !selection.files && !selection.database && selection.config.is_empty() {
            return Err(Error::new(Code::BadRequest, "components: nothing is selected").hint(
                "Set at least one of files, database and config, or leave `components` out for a full restore.",
            ));
        }
        Ok(selection)
    }
}

fn whole(name: &str, choice: &Choice) -> Result<bool> {
    match choice {
        Choice::Whole(whole) => Ok(*whole),
        Choice::Parts(_) => Err(Error::new(
            Code::BadRequest,
            format!("components.{name}: parts cannot be selected in this version, only true or false"),
        )
        .hint(format!("Set components.{name} to true; the restore keeps the old state as a snapshot."))),
    }
}

fn items(choice: &Choice) -> Result<Vec<Item>> {
    match choice {
        Choice::Whole(true) => Ok(Item::ALL.to_vec()),
        Choice::Whole(false) => Ok(Vec::new()),
        Choice::Parts(names) => names
            .iter()
            .map(|name| {
                let item = Item::ALL.iter().copied().find(|item| item.name() == name);
                item.ok_or_else(|| {
                    let known: Vec<&str> = Item::ALL.iter().map(|item| item.name()).collect();
                    Error::new(Code::BadRequest, format!("components.config: there is no item {name:?}"))
                        .hint(format!("The items are {}.", known.join(", ")))
                })
            })
            .collect(),
    }
}

/// Everything a job will touch, fixed before it touches anything; `plan.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The job.
    pub job: JobId,
    /// The domain.
    pub domain: Domain,
    /// What is restored.
    pub selection: Selection,
    /// The live tree.
    pub document_root: PathBuf,
    /// Folder of this job on the document root's filesystem, 0700.
    pub stage: PathBuf,
    /// Where the new tree stands, or will.
    pub tree: PathBuf,
    /// The database, where it takes part.
    pub database: Option<DatabasePlan>,
    /// Folder of the snapshot that this job keeps.
    pub snapshot: PathBuf,
    /// The staged state is a kept snapshot: it is not made by this job and must survive its failure.
    pub from_snapshot: Option<PathBuf>,
    /// Configuration that the guard refuses is installed all the same, on the administrator's word.
    pub allow_unsafe_config: bool,
    /// What is restored, for people: path of a backup or snapshot.
    pub source: String,
}

/// Names of schemas and accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePlan {
    /// The site's schema.
    pub live: String,
    /// Where the new tables are, or will be.
    pub shadow: String,
    /// Where the old tables go.
    pub kept: String,
    /// The site's account, as `` `user`@`host` ``; it owns what the dump defines.
    pub definer: Option<String>,
}

impl Plan {
    /// The plan of a restore.
    pub fn restore(
        config: &Config,
        job: &JobId,
        domain: &Domain,
        selection: Selection,
        database: Option<(String, Option<String>)>,
        source: String,
    ) -> Plan {
        let stage = config.paths.staging().join(job.as_str());
        Plan {
            job: job.clone(),
            domain: domain.clone(),
            document_root: config.paths.document_root(domain),
            tree: stage.join("tree"),
            stage,
            database: database.map(|(live, definer)| DatabasePlan {
                live,
                shadow: format!("rvs_{}", job.short()),
                kept: format!("rvk_{}", job.short()),
                definer,
            }),
            snapshot: snapshot_folder(config, job, domain),
            selection,
            from_snapshot: None,
            allow_unsafe_config: false,
            source,
        }
    }

    /// The plan of a rollback to a kept snapshot at `path`: what it keeps is the staged state.
    pub fn retained(config: &Config, job: &JobId, path: &Path, manifest: &Manifest) -> Plan {
        let kept_schema = manifest.live_schema.clone().zip(manifest.schema_kept.clone());
        let tree = manifest.tree.clone();
        Plan {
            job: job.clone(),
            domain: manifest.domain.clone(),
            selection: Selection {
                files: tree.is_some(),
                database: kept_schema.is_some(),
                config: Vec::new(),
                named: true,
            },
            document_root: config.paths.document_root(&manifest.domain),
            stage: tree.as_deref().and_then(Path::parent).map_or_else(PathBuf::new, Path::to_owned),
            tree: tree.unwrap_or_default(),
            database: kept_schema.map(|(live, shadow)| DatabasePlan {
                live,
                shadow,
                kept: format!("rvk_{}", job.short()),
                definer: None,
            }),
            snapshot: snapshot_folder(config, job, &manifest.domain),
            from_snapshot: Some(path.to_owned()),
            allow_unsafe_config: false,
            source: path.display().to_string(),
        }
    }

    /// Folder of the spooled dump.
    pub fn dump(&self) -> PathBuf {
        self.stage.join("dump.sql")
    }

    /// Where the manifest of the staged tree is written.
    pub fn manifest(&self) -> PathBuf {
        self.stage.join("manifest")
    }
}

/// `snapshots/DOMAIN/pre_restore_STAMP`, made unique by the job where two jobs share a second.
pub fn snapshot_folder(config: &Config, job: &JobId, domain: &Domain) -> PathBuf {
    config.paths.snapshots().join(domain.as_str()).join(format!("pre_restore_{}_{}", job.stamp(), job.short()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Selection> {
        Selection::parse(Some(&serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn no_components_mean_everything_and_named_ones_nothing_else() {
        let full = Selection::parse(None).unwrap();
        assert!(full.files && full.database && full.config.len() == Item::ALL.len() && !full.named);
        let some = parse(r#"{"config":["ssl"]}"#).unwrap();
        assert_eq!(some, Selection { files: false, database: false, config: vec![Item::Ssl], named: true });
    }

    #[test]
    fn empty_and_unknown_selections_are_refused() {
        for bad in ["{}", r#"{"files":false}"#, r#"{"config":["apache"]}"#, r#"{"files":["a/"]}"#] {
            assert_eq!(parse(bad).unwrap_err().code, Code::BadRequest, "{bad}");
        }
    }

    #[test]
    fn names_of_a_plan_derive_from_the_job() {
        let config = Config::default();
        let job = JobId::parse("20251004_030000_0123456789ab").unwrap();
        let domain = Domain::parse("example.com").unwrap();
        let selection = Selection::parse(None).unwrap();
        let plan = Plan::restore(&config, &job, &domain, selection, Some(("site".into(), None)), "x".into());
        assert_eq!(plan.tree, PathBuf::from("/var/www/.rocketvps-restore/20251004_030000_0123456789ab/tree"));
        assert_eq!(plan.database.unwrap().shadow, "rvs_0123456789ab");
        assert!(plan.snapshot.ends_with("example.com/pre_restore_20251004_030000_0123456789ab"));
    }
}
