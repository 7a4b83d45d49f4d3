//! From a rollback request to the state it means.

use crate::api::answer::snapshots::SnapshotForm;
use crate::backup::source::Role;
use crate::backup::{Source, locate_snapshot};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use crate::snapshot::list::{list, read_manifest, real_path};
use crate::snapshot::retained::{self, Manifest};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The state to go back to.
#[derive(Debug)]
pub enum Found {
    /// A kept tree and schema: by renames.
    Retained(PathBuf, Manifest),
    /// Archives: staged like a backup.
    Portable {
        /// The archives.
        source: Source,
        /// The schema whose tables they hold, where the snapshot says so.
        schema: Option<String>,
    },
}

/// Bytes of a dump in which its head is looked for.
const HEAD: u64 = 4096;

/// Whose tables a portable snapshot holds: by its manifest, else by the head of its dump (`-- Host: …    Database: …`, as
/// mysqldump and mariadb-dump write it).
fn schema_of(folder: &Path, source: &Source) -> Option<String> {
    if let Some(schema) = read_manifest(folder)["database"].as_str() {
        return Some(schema.to_owned());
    }
    let dump = source.parts.iter().find(|part| part.role == Role::Dump)?;
    let mut head = Vec::new();
    MultiGzDecoder::new(dump.reader()).take(HEAD).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().find(|line| line.starts_with("-- Host: "))?;
    let name = line.split_once("Database: ")?.1.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Finds the state before a job, or the snapshot at a path; exactly one of them is given.
///
/// # Errors
/// `bad_request`, `snapshot_not_found`, `path_not_allowed`, `snapshot_invalid`, `backup_unreadable`.
pub fn find(config: &Config, domain: &Domain, job: Option<&str>, snapshot: Option<&Path>) -> Result<Found> {
    match (job, snapshot) {
        (None, Some(path)) => {
            let path = real_path(config, domain, path)?;
            if read_manifest(&path)["form"] == "retained" {
                let manifest = retained::read(&path)?;
                same_domain(&manifest, domain, &path)?;
                return Ok(Found::Retained(path, manifest));
            }
            let source = locate_snapshot(config, domain, &path)?;
            let schema = schema_of(&path, &source);
            Ok(Found::Portable { source, schema })
        }
        (Some(job), None) => {
            for info in list(config, domain)? {
                if info.form == SnapshotForm::Retained && info.job.as_deref() == Some(job) {
                    let manifest = retained::read(&info.path)?;
                    same_domain(&manifest, domain, &info.path)?;
                    return Ok(Found::Retained(info.path, manifest));
                }
            }
            Err(Error::new(Code::SnapshotNotFound, format!("the state before job {job} is no longer kept"))
                .with("job", job))
        }
        _ => Err(Error::new(Code::BadRequest, "give exactly one of `job` and `snapshot`")),
    }
}

fn same_domain(manifest: &Manifest, domain: &Domain, path: &Path) -> Result<()> {
    if manifest.domain == *domain {
        return Ok(());
    }
    Err(Error::new(
        Code::SnapshotInvalid,
        format!("{} keeps the state of {}, not of {domain}", path.display(), manifest.domain),
    )
    .with("path", path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobId;

    #[test]
    fn a_job_or_a_path_leads_to_the_state() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let domain = Domain::parse("example.com").unwrap();
        let root = config.paths.snapshots().join("example.com");
        let kept = root.join("pre_restore_20251004_100000");
        let job = JobId::new().unwrap();
        retained::write(&kept, &Manifest::new(&domain, &job)).unwrap();
        let old = root.join("pre_restore_20251003_100000");
        std::fs::create_dir(&old).unwrap();
        std::fs::write(old.join("database.sql.gz"), "\x1f").unwrap();
        let by_job = find(&config, &domain, Some(job.as_str()), None).unwrap();
        assert!(matches!(by_job, Found::Retained(path, _) if path == kept));
        assert!(matches!(find(&config, &domain, None, Some(&kept)).unwrap(), Found::Retained(..)));
        let schema = |path: &Path| match find(&config, &domain, None, Some(path)).unwrap() {
            Found::Portable { schema, .. } => schema,
            Found::Retained(..) => panic!("{} is portable", path.display()),
        };
        assert_eq!(schema(&old), None);
        let dump = "-- MariaDB dump 10.19  Distrib 10.11.6\n--\n-- Host: localhost    Database: old_shop\n-- x\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, dump.as_bytes()).unwrap();
        std::fs::write(old.join("database.sql.gz"), packed.finish().unwrap()).unwrap();
        assert_eq!(schema(&old).as_deref(), Some("old_shop"));
        std::fs::write(old.join("manifest.json"), r#"{"form":"portable","database":"shop"}"#).unwrap();
        assert_eq!(schema(&old).as_deref(), Some("shop"));
        std::fs::remove_file(old.join("manifest.json")).unwrap();
        let code = |job: Option<&str>, path: Option<&Path>| find(&config, &domain, job, path).unwrap_err().code;
        assert_eq!(code(None, None), Code::BadRequest);
        assert_eq!(code(Some("x"), Some(&old)), Code::BadRequest);
        assert_eq!(code(Some("x"), None), Code::SnapshotNotFound);
        assert_eq!(code(None, Some(base.path())), Code::PathNotAllowed);
        let foreign = root.join("pre_restore_20251002_100000");
        retained::write(&foreign, &Manifest::new(&Domain::parse("other.com").unwrap(), &job)).unwrap();
        assert_eq!(code(None, Some(&foreign)), Code::SnapshotInvalid);
    }
}
