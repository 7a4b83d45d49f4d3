//! What no job and no snapshot refers to any more: staging folders, schemas and accounts under the names this program gives. What
//! cannot be looked into keeps what is called after it.

use crate::config::Config;
use crate::engine::cleanup::own_name;
use crate::engine::resume;
use crate::error::Result;
use crate::host::database::Database;
use crate::host::place;
use crate::job::folder::JobFolder;
use crate::job::{JobId, State};
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use crate::snapshot::{self, retained};
use std::collections::HashSet;
use std::path::Path;

/// Removes all of them. Where the folder of snapshots cannot be read (a disk that is not mounted), kept states stay.
///
/// # Errors
/// `io_failed`, `database_unreachable`, `cancelled`.
pub fn remove(config: &Config, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<Vec<String>> {
    let used = InUse::look(config);
    let mut removed = Vec::new();
    if !used.snapshots_known {
        let message = format!(
            "{} cannot be read: what its snapshots keep is not known and stays",
            config.paths.snapshots().display()
        );
        monitor.event(Level::Warn, &message);
    } else if let Ok(entries) = std::fs::read_dir(config.paths.staging()) {
        for entry in entries.flatten() {
            let Ok(job) = JobId::parse(&entry.file_name().to_string_lossy()) else { continue };
            if !used.stage(job.short()) {
                monitor.keep_going()?;
                place::remove(&entry.path(), &Silent)?;
                removed.push(entry.path().display().to_string());
            }
        }
    }
    let Some(database) = database else { return Ok(removed) };
    if used.snapshots_known {
        removed.extend(drop_schemas(database, "rvk_", &used)?);
    }
    removed.extend(drop_loaders(database, &used)?);
    Ok(removed)
}

/// Removes what loads left, emptied or not, and never what a snapshot keeps: shadow schemas and loaders' accounts.
///
/// # Errors
/// `database_unreachable`.
pub fn remove_loaders(config: &Config, database: &dyn Database) -> Result<Vec<String>> {
    drop_loaders(database, &InUse::look(config))
}

fn drop_loaders(database: &dyn Database, used: &InUse) -> Result<Vec<String>> {
    let mut removed = drop_schemas(database, "rvs_", used)?;
    for account in database.accounts("rv_")? {
        if account.strip_prefix("rv_").is_some_and(|id| id.len() == 12 && !used.jobs.contains(id)) {
            database.drop_account(&account)?;
            removed.push(account);
        }
    }
    Ok(removed)
}

fn drop_schemas(database: &dyn Database, prefix: &str, used: &InUse) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for schema in database.schemas(prefix)? {
        if own_name(&schema).is_ok() && !used.schema(&schema) {
            database.drop_schema(&schema)?;
            removed.push(schema);
        }
    }
    Ok(removed)
}

/// What is still needed.
#[derive(Default)]
struct InUse {
    /// Short names of jobs that are not over, and of those whose kept state cannot be looked into: all that is called after them.
    jobs: HashSet<String>,
    /// Schemas.
    schemas: HashSet<String>,
    /// Staging folders, by the short name of the job they are called after.
    stages: HashSet<String>,
    snapshots_known: bool,
}

impl InUse {
    fn look(config: &Config) -> InUse {
        let mut used = InUse::default();
        for folder in JobFolder::all(config) {
            let over =
                folder.status().is_ok_and(|status| status.state.is_final() && status.state != State::NeedsOperator);
            if !over || resume::is_set_aside(&folder) {
                used.keep_job(&folder);
            }
        }
        used.snapshots_known = used.keep_snapshots(config).is_ok();
        used
    }

    fn keep_job(&mut self, folder: &JobFolder) {
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
        self.jobs.extend(JobId::parse(&name).ok().map(|job| job.short().to_owned()));
        // One that goes on with another's has tree and schema under the other's name.
        if let Ok(plan) = folder.read::<Plan>("plan.json") {
            self.schemas.extend(plan.database.into_iter().flat_map(|names| [names.shadow, names.kept]));
            self.stages.extend(job_of_stage(&plan.stage));
        }
    }

    fn keep_snapshots(&mut self, config: &Config) -> std::io::Result<()> {
        for domain in std::fs::read_dir(config.paths.snapshots())? {
            let domain = domain?;
            if !domain.file_type()?.is_dir() {
                continue;
            }
            for snapshot in std::fs::read_dir(domain.path())? {
                self.keep_snapshot(config, &snapshot?.path());
            }
        }
        Ok(())
    }

    fn keep_snapshot(&mut self, config: &Config, path: &Path) {
        if let Ok(manifest) = retained::read(path) {
            self.schemas.extend(manifest.schema_kept);
            self.stages.extend(manifest.tree.as_deref().and_then(Path::parent).and_then(job_of_stage));
        } else if let Some(job) = snapshot::job_of(path) {
            self.jobs.insert(job.short().to_owned());
            if let Ok(folder) = JobFolder::open(config, &job) {
                self.keep_job(&folder);
            }
        }
    }

    fn stage(&self, job: &str) -> bool {
        self.jobs.contains(job) || self.stages.contains(job)
    }

    fn schema(&self, name: &str) -> bool {
        self.jobs.contains(&name[4..]) || self.schemas.contains(name)
    }
}

/// Short name of the job after which a staging folder is called.
fn job_of_stage(stage: &Path) -> Option<String> {
    let job = JobId::parse(&stage.file_name()?.to_string_lossy()).ok()?;
    Some(job.short().to_owned())
}
