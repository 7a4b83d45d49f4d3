//! The steps of a change-over, from the state as it is now. The data that undoing needs is on disk before the first step is done.

use crate::disk::private_folder;
use crate::engine::commit::boundary::Boundary;
use crate::engine::commit::step::{self, Step};
use crate::engine::preflight::live_objects;
use crate::engine::site_config;
use crate::engine::stage::{in_common, newer_rows};
use crate::engine::state::{Job, Kept, Scope, StagedFiles, Verified};
use crate::error::{Code, Error, Result};
use crate::host::database::{ForeignKey, Object, ObjectKind, Switch};
use crate::host::tree::{self, Apart, FolderChange, Unit, look, unit};
use crate::host::{page_caches, place};
use crate::job::folder::file;
use crate::path::RelPath;
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// The steps of a verified job, in this order:
///
/// 0. `CreateSchema`, where the site's schema is gone.
/// 1. `SetNextValues`, of tables that stay: no visitor sees it, and it may have to give up on a lock. `DropTriggers`: `RENAME TABLE` into another schema fails while a table has a trigger.
/// 2. `DropForeignKeys`: a foreign key follows its tables when they are renamed. One between a table that goes and one that stays would lead
///    from the live schema into the retained one.
/// 3. `Switch`, then `AddForeignKeys`: the keys of the tables that came need them in their place.
/// 4. `Exchange` or `Parts`, right behind the tables: until then the old code reads the new tables. The database goes first because
///    `RENAME TABLE` may have to give up on a lock. If it does, no file has moved.
/// 5. `RestoreObjects`: views, triggers and routines name the tables that came. They are created one by one, so the files do not wait for
///    them. Then `DropSchema`, where the restore that is taken back had made the schema. Then `EmptyCaches`, which may take two seconds:
///    until then visitors get saved pages and objects of before.
/// 6. `Config`: a new site configuration may name a folder of the new tree.
/// 7. `Reload`, once a service, when every file that it reads is in place.
///
/// They are undone in the opposite order, for the same reasons. Reloads are the exception: see [`crate::engine::commit::back`].
///
/// # Errors
/// `database_unreachable`, `io_failed`, `disk_full`; nothing live was changed then.
pub(crate) fn steps(job: &Job<Verified>) -> Result<Vec<Step>> {
    let plan = &job.plan;
    let staged = &job.state.staged;
    private_folder(&plan.snapshot)?;
    let (mut steps, objects) = database(job)?;
    let files = files(job)?;
    // A whole tree comes without saved pages, and the live ones are kept for the way back.
    let is_whole = matches!(files, Some(Step::Exchange { .. } | Step::Parts { folders: Some(_), .. }));
    let pages = !is_whole && !names_pages(plan)?;
    let changes_site = plan.selection.files.any() || plan.database.is_some();
    steps.extend(files);
    steps.extend(objects);
    if changes_site {
        steps.push(Step::EmptyCaches { pages });
    }
    let changes = match &plan.from_snapshot {
        Some(from) => site_config::reversed(&staged.kept_config, from, &plan.snapshot)?,
        None => site_config::changes(&staged.config, &plan.snapshot)?,
    };
    let reloads = site_config::readers(&changes);
    let saved = site_config::saved(&plan.snapshot);
    steps.extend(changes.into_iter().map(|change| Step::Config { change, saved: saved.clone() }));
    let lenient = plan.from_snapshot.is_some();
    steps.extend(reloads.into_iter().map(|service| Step::Reload { service, lenient }));
    Ok(steps)
}

/// The steps before the files change, and those after it. Both lists of objects are on disk when this returns: a step that drops
/// something is journaled only when what creates it again can be read after a power cut.
fn database(job: &Job<Verified>) -> Result<(Vec<Step>, Vec<Step>)> {
    let plan = &job.plan;
    let mut steps = Vec::new();
    let (Some(names), Some(new)) = (&plan.database, &job.state.staged.database) else {
        return Ok((steps, Vec::new()));
    };
    let host = job.hosts.database()?;
    // What has come since the staging; a way back brings none.
    for kept in newer_rows::keep(plan, &job.hosts, new)? {
        newer_rows::note(&kept).iter().for_each(|said| job.monitor.event(Level::Info, said));
    }
    let boundary = Boundary::read(&job.hosts, plan, names, new)?;
    boundary.stuck.iter().for_each(|said| job.monitor.event(Level::Warn, said));
    let whole = plan.selection.database.is_whole();
    let tables = plan.selection.tables()?;
    let mut live = host.objects(&names.live)?;
    // Objects that the request excludes stay; a trigger goes with its table.
    live.0.retain(|object| object.kind == ObjectKind::Trigger || !tables.exclude.covers(&object.name));
    let old = boundary.affected(&new.scope, (whole, plan.selection.exact), live, &new.objects);
    let comes =
        |object: &&Object| new.objects.0.iter().any(|other| (other.kind, &other.name) == (object.kind, &object.name));
    let gone = live_objects::sentence(old.0.iter().filter(|object| !comes(object)));
    let of_dump = matches!(new.scope, Scope::Dump { .. }) && plan.from_snapshot.is_none();
    gone.filter(|_| of_dump).iter().for_each(|said| job.monitor.event(Level::Warn, said));
    let (old_path, new_path) = (plan.objects(), plan.new_objects());
    step::write_objects(&old_path, &old)?;
    step::write_objects(&new_path, &new.objects)?;
    let charset = host.schema_charset(&names.live)?;
    host.create_schema(&names.kept, charset.as_ref())?;
    let schema = names.live.clone();
    if charset.is_none() {
        steps.push(Step::CreateSchema { schema: schema.clone(), charset: None });
    }
    let values = [boundary.next_values.as_slice(), &new.next_values].concat();
    if !values.is_empty() {
        steps.push(Step::SetNextValues { schema: schema.clone(), values });
    }
    if !old.is_empty() {
        steps.push(Step::DropTriggers { schema: schema.clone(), old: old_path.clone() });
    }
    let keys = |keys: &[ForeignKey]| (!keys.is_empty()).then(|| keys.to_vec());
    steps.extend(keys(&boundary.unlink).map(|keys| Step::DropForeignKeys { schema: schema.clone(), keys }));
    let switch = Switch::exchange(&schema, &names.kept, &boundary.leaving, &names.shadow, &boundary.coming);
    let brought = boundary.brought(&new.scope, &new.objects);
    steps.push(Step::Switch { live: schema.clone(), switch, brought });
    steps.extend(keys(&boundary.link).map(|keys| Step::AddForeignKeys { schema: schema.clone(), keys }));
    let mut after = Vec::new();
    if !old.is_empty() || !new.objects.is_empty() {
        after.push(Step::RestoreObjects { schema: schema.clone(), old: old_path, new: new_path });
    }
    if names.made && charset.is_some() {
        after.push(Step::DropSchema { schema, charset });
    }
    Ok((steps, after))
}

fn files(job: &Job<Verified>) -> Result<Option<Step>> {
    let plan = &job.plan;
    if !plan.selection.files.any() {
        return Ok(None);
    }
    let units = match (&job.state.staged.files, &plan.kept_units) {
        (Some(files), _) => files.units.clone(),
        (None, Some(kept)) => Some(now_staged(plan, kept)?),
        (None, None) => None,
    };
    let in_common = job.state.staged.files.as_ref().filter(|files| files.in_common.is_some());
    if let Some(step) = in_common.map(|files| part_by_part(job, files)).transpose()?.flatten() {
        return Ok(Some(step));
    }
    catch_up(job)?;
    let Some(units) = units else {
        protect(job)?;
        return whole_tree(plan).map(Some);
    };
    let folders = match &plan.kept_folders {
        Some(kept) => Some(look::looks_back(tree::open_folder(&plan.document_root)?, &step::read_folders(kept)?)?),
        None => None,
    };
    let around = folders.as_ref().is_some_and(|folders| !folders.is_empty());
    (around || !units.is_empty()).then(|| parts(plan, &units, folders.as_deref())).transpose()
}

/// The step of a whole tree of which the live one has most: the paths that differ now.
fn part_by_part(job: &Job<Verified>, files: &StagedFiles) -> Result<Option<Step>> {
    let plan = &job.plan;
    let sides = (&tree::open_folder(&plan.document_root)?, &tree::open_folder(&plan.tree)?);
    let found = in_common::take_apart(sides, files, job.monitor.as_ref())?;
    found.map(|Apart { units, folders, .. }| parts(plan, &units, Some(&folders))).transpose()
}

fn parts(plan: &Plan, units: &[Unit], folders: Option<&[FolderChange]>) -> Result<Step> {
    let (live, staged) = (plan.document_root.clone(), plan.tree.clone());
    step::write_units(&plan.units(), units)?;
    let looks = folders.map(|folders| step::write_folders(&plan.folders(), folders).map(|()| plan.folders()));
    Ok(Step::Parts { live, staged, units: plan.units(), count: units.len(), folders: looks.transpose()? })
}

/// Whether a restore of parts brings saved pages because the request names them: then none of the live ones are emptied.
fn names_pages(plan: &Plan) -> Result<bool> {
    let paths = plan.selection.paths()?;
    if paths.only.is_none() || plan.from_snapshot.is_some() {
        return Ok(false);
    }
    let staged = tree::open_folder(&plan.tree)?;
    Ok(page_caches::find(&staged).iter().any(|folder| paths.names_pages(folder)))
}

/// Takes over the files that the site has written to carried-over folders since they were taken over. Runs milliseconds before the
/// exchange.
fn catch_up(job: &Job<Verified>) -> Result<()> {
    let plan = &job.plan;
    let kept = job.state.staged.files.as_ref().map(|files| files.kept.as_slice()).unwrap_or_default();
    if kept.is_empty() {
        return Ok(());
    }
    let (live, staged) = (tree::open_folder(&plan.document_root)?, tree::open_folder(&plan.tree)?);
    for Kept { path, .. } in kept {
        let Some((around, name)) = path.split_last() else { continue };
        // A folder that the site has removed since holds nothing newer.
        let Ok(from) = tree::open_folder_beneath(live.as_fd(), &around) else { continue };
        let into = tree::open_folder_beneath(staged.as_fd(), &around)?;
        tree::adopt::adopt(from, into, name, path, job.monitor.as_ref())?;
    }
    // With a folder around them saved pages may have come again.
    let dropped = job.state.staged.files.as_ref().map(|files| files.dropped.as_slice()).unwrap_or_default();
    let pages = page_caches::find(&staged).into_iter().filter(|folder| dropped.contains(folder));
    for folder in pages {
        page_caches::empty(&staged, &folder, &Silent)?;
    }
    Ok(())
}

/// Makes the paths that come in the place of immutable ones immutable before they are live. A path that was made for an earlier state
/// (a retained snapshot) has the attribute that it had.
fn protect(job: &Job<Verified>) -> Result<()> {
    let list = job.folder.join(file::IMMUTABLE);
    if job.plan.from_snapshot.is_some() || !list.exists() {
        return Ok(());
    }
    let paths: Vec<RelPath> = job.folder.read(file::IMMUTABLE)?;
    let staged = tree::open_folder(&job.plan.tree)?;
    tree::set_immutable(&staged, &paths)?;
    tree::sync_filesystem(&staged)
}

fn whole_tree(plan: &Plan) -> Result<Step> {
    let new = place::identity(&plan.tree)?
        .ok_or_else(|| Error::new(Code::Internal, format!("the staged tree {} is gone", plan.tree.display())))?;
    let old = place::identity(&plan.document_root)?;
    let missing = plan.document_root.ancestors().skip(1).take_while(|folder| folder.symlink_metadata().is_err());
    let mut around: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    around.reverse();
    Ok(Step::Exchange { staged: plan.tree.clone(), live: plan.document_root.clone(), new, old, around })
}

/// The units of a retained snapshot, with the files and folders that are at their staged paths now.
fn now_staged(plan: &Plan, list: &Path) -> Result<Vec<Unit>> {
    let (live, staged) = (tree::open_folder(&plan.document_root)?, tree::open_folder(&plan.tree)?);
    // A folder that the site has removed since comes with what was kept of it.
    let fitted = step::read_units(list)?.into_iter().map(|unit| unit::fit(&live, &unit.path));
    let paths = fitted.collect::<Result<BTreeSet<RelPath>>>()?;
    let highest = paths.iter().filter(|path| !path.ancestors().any(|around| paths.contains(&around)));
    let now = |path: &RelPath| Ok(Unit { coming: unit::identity_beneath(&staged, path)?, path: path.clone() });
    highest.map(now).collect()
}
