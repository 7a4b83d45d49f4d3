//! The manifest of a retained snapshot: it names the tree and the schema that a restore's change-over kept.
//!
//! `snapshots/DOMAIN/pre_restore_STAMP/manifest.json`:
//! `{"schema":1,"form":"retained","created":…,"domain":…,"job":…,"live":path,"tree":path|null,"tree_made":…,"tree_identity":…,
//! "live_schema":…,"schema_made":…,"schema_kept":…,"tables":n,"objects":path|null,"brought":…|null,"links":[foreign keys],"next_values":[{"table":…,"old":n,"new":n}],"units":path|null,"folders":path|null,
//! "config":[saved changes]}`. A name in it is checked against what
//! this program gives before anything is dropped because of it.

use crate::api::answer::snapshots::SnapshotForm;
use crate::backup::name::Stamp;
use crate::disk::{Durable, private_folder, sync_parent, write_file};
use crate::error::{Code, Error, Result};
use crate::host::database::{ForeignKey, NextValue, ObjectKind};
use crate::host::tree::Identity;
use crate::job::JobId;
use crate::path::Domain;
use crate::siteconf::Change;
use crate::snapshot::create::{MANIFEST, SCHEMA};
use crate::snapshot::list::read_manifest;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a change-over brought into a schema whose other tables stayed: what a rollback has to take away again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Brought {
    /// Tables.
    pub tables: Vec<String>,
    /// Views, triggers, routines and events.
    pub objects: Vec<(ObjectKind, String)>,
}

/// What a change-over kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The domain.
    pub domain: Domain,
    /// The job whose change-over it was.
    pub job: JobId,
    /// Where the old tree stood; older ones of the web root's folder do not say.
    #[serde(default)]
    pub live: Option<PathBuf>,
    /// The old tree, where it is now.
    #[serde(default)]
    pub tree: Option<PathBuf>,
    /// There was none before: the change-over put the first one there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tree_made: bool,
    /// Which folder that is.
    #[serde(default)]
    pub tree_identity: Option<Identity>,
    /// The schema the site uses.
    #[serde(default)]
    pub live_schema: Option<String>,
    /// It did not exist before: the change-over made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub schema_made: bool,
    /// The schema that holds the old tables.
    #[serde(default)]
    pub schema_kept: Option<String>,
    /// How many tables it holds.
    #[serde(default)]
    pub tables: u64,
    /// File with the old triggers, views, routines and events.
    #[serde(default)]
    pub objects: Option<PathBuf>,
    /// What came in place of the old tables, where other tables stayed; `None`: everything was replaced.
    #[serde(default)]
    pub brought: Option<Brought>,
    /// Foreign keys of the old tables to tables that stayed, taken off while they are kept.
    #[serde(default)]
    pub links: Vec<ForeignKey>,
    /// Next values of `AUTO_INCREMENT` of tables that stayed, as the change-over set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_values: Vec<NextValue>,
    /// File with the parts of the tree that were exchanged; `None`: the whole tree.
    #[serde(default)]
    pub units: Option<PathBuf>,
    /// File with the looks of the folders around these parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folders: Option<PathBuf>,
    /// Configuration changes, with where the old contents are.
    #[serde(default)]
    pub config: Vec<Change>,
}

impl Manifest {
    /// A manifest that keeps nothing yet.
    pub fn new(domain: &Domain, job: &JobId) -> Manifest {
        Manifest {
            domain: domain.clone(),
            job: job.clone(),
            live: None,
            tree: None,
            tree_made: false,
            tree_identity: None,
            live_schema: None,
            schema_made: false,
            schema_kept: None,
            tables: 0,
            objects: None,
            brought: None,
            links: Vec::new(),
            next_values: Vec::new(),
            units: None,
            folders: None,
            config: Vec::new(),
        }
    }
}

/// A manifest as it is written.
#[derive(Serialize)]
struct Written<'a> {
    schema: u32,
    form: SnapshotForm,
    created: String,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

/// Writes the manifest into the snapshot's folder, which is made if need be. On disk when this returns; an older
/// manifest is replaced as a whole.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn write(folder: &Path, manifest: &Manifest) -> Result<()> {
    private_folder(folder)?;
    let written = Written { schema: SCHEMA, form: SnapshotForm::Retained, created: Stamp::now().to_string(), manifest };
    let text = serde_json::to_vec(&written).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    write_file(&folder.join(MANIFEST), &text, Durable::Whole)?;
    sync_parent(folder)
}

/// Reads the manifest of a retained snapshot.
///
/// # Errors
/// `snapshot_invalid` when the folder has none of that form.
pub fn read(folder: &Path) -> Result<Manifest> {
    let invalid = |why: String| {
        Error::new(Code::SnapshotInvalid, format!("{}: {why}", folder.join(MANIFEST).display()))
            .with("path", folder.display().to_string())
    };
    let document = read_manifest(folder);
    if document["form"] != "retained" {
        return Err(invalid("not the manifest of a kept state".into()));
    }
    if document["schema"].as_u64().is_none_or(|schema| schema > u64::from(SCHEMA)) {
        return Err(invalid("written by a newer version".into()));
    }
    serde_json::from_value(document).map_err(|error| invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::snapshot::list::list;

    #[test]
    fn what_is_written_is_read_and_listed() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let domain = Domain::parse("example.com").unwrap();
        let folder = config.paths.snapshots().join("example.com/pre_restore_20251004_100000");
        let job = JobId::new().unwrap();
        let mut manifest = Manifest::new(&domain, &job);
        manifest.tree = Some("/kept/tree".into());
        manifest.tables = 3;
        write(&folder, &manifest).unwrap();
        write(&folder, &manifest).unwrap();
        let back = read(&folder).unwrap();
        assert_eq!((back.job.as_str(), back.tree, back.tables), (job.as_str(), manifest.tree, 3));
        let listed = &list(&config, &domain).unwrap()[0];
        assert_eq!(
            (listed.form, listed.has_files, listed.job.as_deref()),
            (SnapshotForm::Retained, true, Some(job.as_str()))
        );
    }

    #[test]
    fn damaged_foreign_and_newer_manifests_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{",
            "[]",
            "{\"form\":\"portable\"}",
            "{\"form\":\"retained\",\"schema\":99}",
            "{\"form\":\"retained\",\"schema\":1,\"domain\":\"../x\",\"job\":\"y\"}",
        ] {
            std::fs::write(folder.path().join(MANIFEST), text).unwrap();
            assert_eq!(read(folder.path()).unwrap_err().code, Code::SnapshotInvalid, "{text}");
        }
    }
}
