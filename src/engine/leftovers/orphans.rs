//! Orphans: staging folders, schemas and accounts under the names that this program gives, to which no job and no snapshot refers any
//! more. If a job or a snapshot cannot be read, everything whose name contains its id is left in place.

use crate::config::Config;
use crate::engine::leftovers::discard::own_name;
use crate::engine::leftovers::resume;
use crate::error::Result;
use crate::host::database::{Database, names};
use crate::host::place;
use crate::host::target::stagings;
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock;
use crate::job::{JobId, State};
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use crate::snapshot::{self, retained};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Removes all orphans. If the folder of snapshots cannot be read (a disk that is not mounted), retained trees and schemas stay.
///
/// # Errors
/// `io_failed`, `database_unreachable`, `cancelled`.
pub fn remove(config: &Config, database: Option<&dyn Database>, monitor: &dyn Monitor) -> Result<Vec<String>> {
    let mut found = Found { stages: stages(config), ..Found::default() };
    if let Some(database) = database {
        found.add_loaders(database)?;
        found.schemas.extend(database.schemas(names::KEPT)?);
    }
    let used = InUse::read(config);
    if !used.snapshots_known {
        let snapshots = config.paths.snapshots();
        let message = format!("{} cannot be read: what its snapshots keep is not known and stays", snapshots.display());
        monitor.event(Level::Warn, &message);
        found.stages.clear();
        found.schemas.retain(|schema| !schema.starts_with(names::KEPT));
    }
    found.remove_unused(&used, database, monitor)
}

/// Removes the shadow schemas and loader accounts that loads left, and never the schema of a snapshot.
///
/// # Errors
/// `database_unreachable`.
pub fn remove_loaders(config: &Config, database: &dyn Database, monitor: &dyn Monitor) -> Result<Vec<String>> {
    let mut found = Found::default();
    found.add_loaders(database)?;
    found.remove_unused(&InUse::read(config), Some(database), monitor)
}

fn stages(config: &Config) -> Vec<PathBuf> {
    let entries = stagings(config).flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    entries.map(|entry| entry.path()).filter(|path| job_of_stage(path).is_some()).collect()
}

/// The things that exist. They are listed before the engine looks which are in use, so that the things of a job that begins meanwhile
/// are not among them.
#[derive(Default)]
struct Found {
    stages: Vec<PathBuf>,
    schemas: Vec<String>,
    accounts: Vec<String>,
}

impl Found {
    fn add_loaders(&mut self, database: &dyn Database) -> Result<()> {
        self.schemas.extend(database.schemas(names::SHADOW)?);
        for prefix in names::ACCOUNTS {
            self.accounts.extend(database.accounts(prefix)?);
        }
        Ok(())
    }

    fn remove_unused(
        self,
        used: &InUse,
        database: Option<&dyn Database>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for stage in self.stages.into_iter().filter(|stage| !used.stage(stage)) {
            monitor.keep_going()?;
            place::remove(&stage, &Silent)?;
            removed.push(stage.display().to_string());
        }
        let Some(database) = database else { return Ok(removed) };
        for schema in self.schemas.into_iter().filter(|schema| own_name(schema).is_ok() && !used.schema(schema)) {
            database.drop_schema(&schema)?;
            removed.push(schema);
        }
        for account in self.accounts {
            if names::job_of_account(&account).is_some_and(|id| !used.jobs.contains(id)) {
                database.drop_account(&account)?;
                removed.push(account);
            }
        }
        Ok(removed)
    }
}

/// The things that are still needed.
#[derive(Default)]
struct InUse {
    /// Short names of jobs that are not over, and of those whose retained state cannot be read. Everything named after them is needed.
    jobs: HashSet<String>,
    /// Schemas.
    schemas: HashSet<String>,
    /// Staging folders, by the short name of the job they are called after.
    stages: HashSet<String>,
    snapshots_known: bool,
}

impl InUse {
    fn read(config: &Config) -> InUse {
        let mut used = InUse::default();
        for folder in JobFolder::all(config) {
            // One that only looked, and whose worker died, nobody takes up again.
            let over = folder.status().is_ok_and(|status| match status.state {
                State::NeedsOperator => false,
                state => state.is_final() || !status.kind.is_exclusive() && folder.has_no_worker(),
            });
            if !over || resume::is_set_aside(&folder) {
                used.keep_job(&folder);
            }
        }
        // A job that a lock names is not over, even if its folder is gone.
        let named = lock::claimed(config).into_iter().filter_map(|domain| lock::named(config, &domain));
        used.jobs.extend(named.map(|job| job.short().to_owned()));
        used.snapshots_known = used.keep_snapshots(config).is_ok();
        used
    }

    fn keep_job(&mut self, folder: &JobFolder) {
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
        self.jobs.extend(JobId::parse(&name).ok().map(|job| job.short().to_owned()));
        // A job that goes on with an interrupted one has tree and schema under the name of that one.
        if let Ok(plan) = folder.read::<Plan>(file::PLAN) {
            self.schemas.extend(plan.database.into_iter().flat_map(|names| [names.shadow, names.kept]));
            self.stages.extend(job_of_stage(&plan.stage));
        }
    }

    fn keep_snapshots(&mut self, config: &Config) -> std::io::Result<()> {
        for domain in std::fs::read_dir(config.paths.snapshots())? {
            // A symlink to a folder on another disk counts as the folder.
            let snapshots = match std::fs::read_dir(domain?.path()) {
                Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => continue,
                other => other?,
            };
            for snapshot in snapshots {
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

    fn stage(&self, path: &Path) -> bool {
        job_of_stage(path).is_none_or(|job| self.jobs.contains(&job) || self.stages.contains(&job))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::Request;
    use crate::host::database::fake::Fake;
    use crate::job::Kind;
    use crate::job::lock::DomainLock;
    use crate::job::monitor::JobMonitor;
    use crate::job::ticket::Ticket;
    use crate::path::Domain;
    use crate::snapshot::retained::Manifest;

    struct Machine {
        _base: tempfile::TempDir,
        config: Config,
        database: Fake,
        domain: Domain,
    }

    impl Machine {
        fn new() -> Machine {
            let base = tempfile::tempdir().unwrap();
            let mut config = Config::default();
            config.paths.base = base.path().join("base");
            config.paths.web_root = base.path().join("web");
            std::fs::create_dir_all(config.paths.snapshots()).unwrap();
            Machine { _base: base, config, database: Fake::new(), domain: Domain::parse("example.com").unwrap() }
        }

        /// A job with everything that is named after a job. Without a state the job has no folder.
        fn job(&self, state: Option<State>) -> JobId {
            let job = JobId::new().unwrap();
            let short = job.short();
            for schema in [format!("rvs_{short}"), format!("rvk_{short}")] {
                self.database.create_schema(&schema, None).unwrap();
            }
            self.database.put_account(&format!("rv_{short}"));
            std::fs::create_dir_all(self.stage(&job).join("tree")).unwrap();
            if let Some(state) = state {
                let ticket = Ticket {
                    schema: 1,
                    job: job.clone(),
                    kind: Kind::Restore,
                    domain: Some(self.domain.clone()),
                    created: String::new(),
                    request: Request::parse("restore_start", r#"{"domain":"example.com"}"#).unwrap(),
                    config: self.config.clone(),
                };
                let folder = JobFolder::create(&ticket).unwrap();
                JobMonitor::new(&folder, &ticket, None, None).unwrap().enter(state);
            }
            job
        }

        fn stage(&self, job: &JobId) -> PathBuf {
            self.config.paths.staging().join(job.as_str())
        }

        fn snapshot(&self, job: &JobId) -> PathBuf {
            let folder = self.config.paths.snapshots().join(format!("example.com/pre_restore_{job}"));
            let mut manifest = Manifest::new(&self.domain, job);
            manifest.tree = Some(self.stage(job).join("tree"));
            manifest.schema_kept = Some(format!("rvk_{}", job.short()));
            retained::write(&folder, &manifest).unwrap();
            folder
        }

        /// Which of the things named after a job are left: stage, shadow schema, retained schema, account.
        fn left(&self, job: &JobId) -> [bool; 4] {
            let schema = |name: String| self.database.schemas(&name).unwrap() == [name];
            [
                self.stage(job).exists(),
                schema(format!("rvs_{}", job.short())),
                schema(format!("rvk_{}", job.short())),
                !self.database.accounts(&format!("rv_{}", job.short())).unwrap().is_empty(),
            ]
        }

        fn remove(&self) -> Vec<String> {
            remove(&self.config, Some(&self.database), &Silent).unwrap()
        }
    }

    const ALL: [bool; 4] = [true; 4];
    const NONE: [bool; 4] = [false; 4];
    /// Stage and retained schema: the two that a snapshot names.
    const STATE: [bool; 4] = [true, false, true, false];

    #[test]
    fn what_nothing_refers_to_goes_and_the_rest_stays() {
        let machine = Machine::new();
        let (gone, over) = (machine.job(None), machine.job(Some(State::Done)));
        let (at_work, stuck) = (machine.job(Some(State::Staging)), machine.job(Some(State::NeedsOperator)));
        let kept = machine.job(Some(State::Done));
        machine.snapshot(&kept);
        // Its folder is gone, the lock of a domain still names it.
        let locked = machine.job(None);
        let domain = Domain::parse("other.example").unwrap();
        DomainLock::try_take(&machine.config, &domain).unwrap().unwrap().claim(&locked).unwrap();
        assert_eq!(machine.remove().len(), 10);
        let left = [&gone, &over, &at_work, &stuck, &kept, &locked].map(|job| machine.left(job));
        assert_eq!(left, [NONE, NONE, ALL, ALL, STATE, ALL]);
        assert!(machine.remove().is_empty());
    }

    #[test]
    fn what_a_dead_validation_left_goes_and_what_one_at_work_has_stays() {
        let machine = Machine::new();
        let look = |kind| {
            let job = machine.job(Some(State::Planning));
            let folder = JobFolder::open(&machine.config, &job).unwrap();
            let mut status = folder.status().unwrap();
            status.kind = kind;
            folder.write_volatile(file::STATUS, &status).unwrap();
            (job, folder)
        };
        let ((dead, _), (at_work, folder)) = (look(Kind::Validate), look(Kind::Validate));
        let (interrupted, _) = look(Kind::Restore);
        let _worker = crate::disk::try_lock_file(&folder.join(file::ALIVE)).unwrap().unwrap();
        machine.remove();
        assert_eq!([&dead, &at_work, &interrupted].map(|job| machine.left(job)), [NONE, ALL, ALL]);
    }

    #[test]
    fn what_cannot_be_looked_into_keeps_what_is_called_after_it() {
        let machine = Machine::new();
        // Its folder is gone, as after ninety days.
        let kept = machine.job(None);
        let manifest = machine.snapshot(&kept).join("manifest.json");
        let whole = std::fs::read(&manifest).unwrap();
        std::fs::write(&manifest, &whole[..9]).unwrap();
        assert!(machine.remove().is_empty());
        assert_eq!(machine.left(&kept), ALL);
        std::fs::write(&manifest, &whole).unwrap();
        // A domain's folder may lie elsewhere, and be away there; a file beside it means nothing.
        let (folder, elsewhere) =
            (manifest.parent().unwrap().parent().unwrap(), machine.config.paths.base.join("elsewhere"));
        std::fs::rename(folder, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder).unwrap();
        std::fs::write(machine.config.paths.snapshots().join("notes"), "").unwrap();
        machine.remove();
        assert_eq!(machine.left(&kept), STATE, "a link leads to it");
        std::fs::remove_dir_all(&elsewhere).unwrap();
        machine.remove();
        assert_eq!(machine.left(&kept), STATE, "the link leads nowhere");
        std::fs::remove_dir_all(machine.config.paths.snapshots()).unwrap();
        machine.remove();
        assert_eq!(machine.left(&kept), STATE, "where snapshots are is not known");
    }

    #[test]
    fn a_recovery_removes_loaders_and_never_what_may_be_kept() {
        let machine = Machine::new();
        let over = machine.job(Some(State::Done));
        assert_eq!(remove_loaders(&machine.config, &machine.database, &Silent).unwrap().len(), 2);
        assert_eq!(machine.left(&over), STATE);
    }
}
