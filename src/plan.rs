//! From what was asked and what is known to what will be done. Pure: no file, no server is touched here.
//!
//! * [`selection`]: what of the backup is restored; [`pattern`]: paths, globs and names of tables;
//! * [`keep`]: what of the live site stays although the backup does not hold it.

pub mod keep;
pub mod pattern;
pub mod selection;

pub use selection::Selection;

use crate::api::Choice;
use crate::api::answer::restore::Report;
use crate::config::{Config, Probe};
use crate::error::Error;
use crate::host::database::names;
use crate::host::target::Target;
use crate::job::JobId;
use crate::path::Domain;
use crate::snapshot::retained::Manifest;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Everything a job will touch, fixed before it touches anything; `plan.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The job.
    pub job: JobId,
    /// The domain.
    pub domain: Domain,
    /// What is restored.
    pub selection: Selection,
    /// The live tree that is exchanged: a document root, or the site folder around it.
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
    /// The parts that the kept snapshot holds; `None`: the whole tree.
    #[serde(default)]
    pub kept_units: Option<PathBuf>,
    /// The looks of the folders around them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_folders: Option<PathBuf>,
    /// What is restored, for people: path of a backup or snapshot.
    pub source: String,
}

/// Names of schemas and accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePlan {
    /// The site's schema.
    pub live: String,
    /// The restore that is taken back made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made: bool,
    /// Where the new tables are, or will be.
    pub shadow: String,
    /// Where the old tables go.
    pub kept: String,
    /// The site's account, as `` `user`@`host` ``; it owns what the dump defines.
    pub definer: Option<String>,
}

impl Plan {
    /// The report of a job with this plan, with no more in it than what the plan says.
    pub fn report(&self) -> Report {
        Report::of(&self.domain, &self.source, &self.snapshot)
    }

    /// Pages that have to come, by the administrator's word and by the request's.
    pub fn probes(&self, config: &Config) -> Vec<Probe> {
        let said = config.sites.get(&self.domain).map(|site| site.probes.as_slice()).unwrap_or_default();
        said.iter().chain(&self.selection.probes).cloned().collect()
    }

    /// An error in names that the user knows.
    pub fn spoken(&self, error: Error) -> Error {
        Error { message: self.said(error.message), hint: self.said(error.hint), ..error }
    }

    /// A sentence in names that the user knows: the server speaks of schemas and accounts that only this job has.
    pub fn said(&self, text: String) -> String {
        let Some(names) = &self.database else { return text };
        let short = self.job.short();
        let (loader, reader, visitor) = (names::loader(short), names::reader(short), names::visitor(short));
        let (comparer, carrier) = (names::comparer(short), names::carrier(short));
        let known = [
            (names.shadow.as_str(), names.live.as_str()),
            (names.kept.as_str(), "kept"),
            (loader.as_str(), "the loader"),
            (reader.as_str(), "the reader"),
            (visitor.as_str(), "the rehearsal"),
            (comparer.as_str(), "the reader"),
            (carrier.as_str(), "the carrier"),
        ];
        known.iter().fold(text, |text, (own, known)| text.replace(own, known))
    }

    /// The plan of a restore.
    pub fn restore(
        config: &Config,
        job: &JobId,
        domain: &Domain,
        target: Target,
        selection: Selection,
        database: Option<(String, Option<String>)>,
        source: String,
    ) -> Plan {
        let stage = target.staging.join(job.as_str());
        Plan {
            job: job.clone(),
            domain: domain.clone(),
            document_root: target.live,
            tree: stage.join("tree"),
            stage,
            database: database.map(|(live, definer)| DatabasePlan {
                live,
                made: false,
                shadow: names::shadow(job.short()),
                kept: names::kept(job.short()),
                definer,
            }),
            snapshot: snapshot_folder(config, job, domain),
            selection,
            from_snapshot: None,
            kept_units: None,
            kept_folders: None,
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
                files: Choice::Whole(tree.is_some()),
                database: Choice::Whole(kept_schema.is_some()),
                config: Vec::new(),
                named: true,
                ..Selection::everything()
            },
            document_root: manifest
                .live
                .clone()
                .unwrap_or_else(|| config.paths.web_root.join(manifest.domain.as_str())),
            stage: tree.as_deref().and_then(Path::parent).map_or_else(PathBuf::new, Path::to_owned),
            tree: tree.unwrap_or_default(),
            database: kept_schema.map(|(live, shadow)| DatabasePlan {
                live,
                made: manifest.schema_made,
                shadow,
                kept: names::kept(job.short()),
                definer: None,
            }),
            snapshot: snapshot_folder(config, job, &manifest.domain),
            from_snapshot: Some(path.to_owned()),
            kept_units: manifest.units.clone(),
            kept_folders: manifest.folders.clone(),
            source: path.display().to_string(),
        }
    }

    /// The same plan over what an earlier job staged.
    #[must_use]
    pub fn going_on_with(self, earlier: &Plan) -> Plan {
        let shadow = earlier.database.as_ref().map(|names| names.shadow.clone());
        Plan {
            stage: earlier.stage.clone(),
            tree: earlier.tree.clone(),
            database: self
                .database
                .map(|names| DatabasePlan { shadow: shadow.unwrap_or_else(|| names.shadow.clone()), ..names }),
            ..self
        }
    }

    /// The list of tables that are loaded whole.
    pub fn checkpoint(&self) -> PathBuf {
        self.stage.join("tables")
    }

    /// The spooled dump.
    pub fn dump(&self) -> PathBuf {
        self.stage.join("dump.sql")
    }

    /// Where the manifest of the staged tree is written.
    pub fn manifest(&self) -> PathBuf {
        self.stage.join("manifest")
    }

    /// What the old side defines: triggers, views, routines, events.
    pub fn objects(&self) -> PathBuf {
        self.snapshot.join("objects.json")
    }

    /// The same of the new side; only needed while the job runs.
    pub fn new_objects(&self) -> PathBuf {
        self.snapshot.join("objects_new.json")
    }

    /// The units that are exchanged one by one.
    pub fn units(&self) -> PathBuf {
        self.snapshot.join("units.json")
    }

    /// The looks of the folders around them.
    pub fn folders(&self) -> PathBuf {
        self.snapshot.join("folders.json")
    }
}

/// `snapshots/DOMAIN/pre_restore_STAMP`, made unique by the job where two jobs share a second.
pub fn snapshot_folder(config: &Config, job: &JobId, domain: &Domain) -> PathBuf {
    config.paths.snapshots().join(domain.as_str()).join(format!("pre_restore_{}_{}", job.stamp(), job.short()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn names_of_a_plan_derive_from_the_job() {
        let config = Config::default();
        let job = JobId::parse("20251004_030000_0123456789ab").unwrap();
        let domain = Domain::parse("example.com").unwrap();
        let selection = Selection::everything();
        let target = Target::of(&config, &config.paths.web_root.join(domain.as_str()));
        let plan = Plan::restore(&config, &job, &domain, target, selection, Some(("site".into(), None)), "x".into());
        assert_eq!(plan.tree, PathBuf::from("/var/www/.rocketvps-restore/20251004_030000_0123456789ab/tree"));
        assert_eq!(plan.database.unwrap().shadow, "rvs_0123456789ab");
        assert!(plan.snapshot.ends_with("example.com/pre_restore_20251004_030000_0123456789ab"));
    }

    #[test]
    fn a_user_is_told_of_the_sites_own_database_and_not_of_the_jobs() {
        let config = Config::default();
        let job = JobId::parse("20251004_030000_0123456789ab").unwrap();
        let domain = Domain::parse("example.com").unwrap();
        let target = Target::of(&config, &config.paths.web_root.join(domain.as_str()));
        let selection = Selection::everything();
        let plan = Plan::restore(&config, &job, &domain, target, selection, Some(("site".into(), None)), "x".into());
        let said = "CONSTRAINT `j.d` failed for `rvs_0123456789ab`.`j`, by rv_0123456789ab and rvr_0123456789ab, rvk_0123456789ab.t";
        let error = plan.spoken(Error::new(Code::DatabaseFailed, said));
        assert_eq!(error.message, "CONSTRAINT `j.d` failed for `site`.`j`, by the loader and the reader, kept.t");
    }
}
