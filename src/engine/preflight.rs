//! The checks before anything is made: each looks for a failure that can be foreseen, and gives pass, warn or fail, with figures.

pub mod definitions;
pub mod dump_compatibility;
pub mod expected_size;
pub mod facts;
pub mod live_objects;
pub mod plan_token;
pub mod space;
pub mod window;

use self::space::Load;
use crate::backup::contents::{DumpScan, Scan};
use crate::backup::meta::Meta;
use crate::backup::source::{PREFIXES, Source};
use crate::config::Config;
use crate::engine::damaged;
use crate::engine::hooks;
use crate::engine::preflight::expected_size::expect;
use crate::engine::preflight::facts::Facts;
use crate::engine::unused::require_used;
use crate::error::{Code, Error, Result};
use crate::host::database::grants::Schemas;
use crate::host::database::{Database, TableInfo};
use crate::host::mounts::{self, Elsewhere};
use crate::host::place;
use crate::host::site;
use crate::host::tree::kind::Kind;
use crate::host::tree::manifest::Reader;
use crate::host::tree::survey::MAX_IMMUTABLE;
use crate::host::tree::{self, Survey};
use crate::job::lock::DomainLock;
use crate::path::{Domain, RelPath};
use crate::plan::{Plan, Selection};
use crate::report::{self, Check, Group, Outcome, Risk};
use crate::siteconf::Item;
use crate::sql::tally::TableTally;
use crate::text;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The message for a kind of backup that has no database, if everything was asked for.
pub const OF_FILES: &str = "this kind of backup holds no database: the live one stays as it is";

/// Runs the checks that need no reading of the whole backup. `dump` is what it has, where it was read all the same.
pub fn run(config: &Config, plan: &Plan, facts: &Facts, source: &Source, dump: Option<&DumpScan>) -> Vec<Group> {
    vec![
        Group::new("disk_space", disk_space(config, plan, facts, source)),
        Group::new("integrity", integrity(source)),
        Group::new("services", services(config, plan, facts, dump)),
        Group::new("conflicts", conflicts(config, plan, facts)),
    ]
}

/// Whether each filesystem has the room that the plan needs there.
fn disk_space(config: &Config, plan: &Plan, facts: &Facts, source: &Source) -> Vec<Check> {
    let expected = expect(config, source);
    // The size of parts is not known before they are read: then the free room is watched while they are staged. The dump is spooled
    // whole. If only some tables are named, only the server knows their size.
    let dump = if plan.database.is_some() { expected.dump } else { 0 };
    let load = Load {
        files: if plan.selection.files.is_whole() { expected.files } else { 0 },
        entries: if plan.selection.files.is_whole() { expected.entries } else { 0 },
        dump,
        tables: if plan.selection.database.is_whole() { dump } else { 0 },
    };
    let (rooms, errors) = space::rooms(config, &plan.stage, load, facts.hosts.data_folder().as_deref());
    let mut checks: Vec<Check> = errors.iter().map(|error| Check::failed("space", error)).collect();
    for room in rooms {
        let message = format!(
            "filesystem of {}: {} needed ({} staged, {} headroom), {} free",
            room.path.display(),
            text::bytes(room.needed),
            text::bytes(room.bytes),
            text::bytes(config.limits.headroom_bytes),
            text::bytes(room.space.free_bytes)
        );
        let check = Check::of("space", room.enough(), message)
            .with("path", room.path.display().to_string())
            .with("needed_bytes", room.needed)
            .with("free_bytes", room.space.free_bytes);
        checks.push(with_code(check, Code::DiskFull));
        if let Some(enough) = room.enough_inodes() {
            let (needed, free) = (room.needed_inodes, room.space.free_inodes);
            let message = format!("filesystem of {}: {needed} inodes needed, {free} free", room.path.display());
            let check = Check::of("inodes", enough, message).with("needed_inodes", needed).with("free_inodes", free);
            checks.push(with_code(check, Code::DiskFull));
        }
    }
    checks
}

fn with_code(check: Check, code: Code) -> Check {
    if check.outcome == Outcome::Fail { check.code(code) } else { check }
}

/// Whether a whole reading of the backup found the things that the plan selects.
///
/// # Errors
/// `journal_corrupt`, `io_failed` for a catalogue that cannot be read.
pub(super) fn components(
    config: &Config,
    plan: &Plan,
    facts: &Facts,
    source: &Source,
    scan: &Scan,
    catalogue: Option<File>,
) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let mut line = |name: &str, wanted: bool, there: bool, what: &str| {
        if wanted {
            let message =
                if there { format!("the backup holds {what}") } else { format!("the backup holds no {what}") };
            checks.push(with_code(Check::of(name, there, message), Code::BackupIncomplete));
        }
    };
    line("files", plan.selection.files.any(), scan.seen.root, "files of the site");
    let is_whole_without = facts.has_no_table(&plan.selection) && scan.dump.is_none();
    line("database", plan.selection.database.any() && !is_whole_without, scan.dump.is_some(), "database dump");
    if is_whole_without {
        checks.push(Check::new("database", Outcome::NotChecked, no_database(plan, facts.schema_is_missing)));
    }
    let items = scan.config.iter().map(|file| file.item).collect();
    match lacking_config(&plan.selection, &items, &scan.seen.config_links) {
        Some(lacks) => {
            let error = Error::new(Code::BackupIncomplete, format!("the backup holds no {lacks}"));
            checks.push(Check::failed("config", &error));
        }
        None if plan.selection.named && !plan.selection.config.is_empty() => {
            checks.push(Check::new("config", Outcome::Pass, "the backup holds configuration"));
        }
        None => {}
    }
    if plan.selection.files.any() {
        checks
            .extend(source.require_document_root(&scan.seen).err().map(|error| Check::failed("document_root", &error)));
        checks.extend(links(config, plan, scan)?);
    }
    if let Some(foreign) = &source.foreign {
        let said = foreign.lacks.iter().map(String::as_str);
        let settings = foreign.keeps_settings(plan.selection.files.any() && scan.seen.root);
        let unsure = foreign.unsure(scan).filter(|_| plan.selection.database.is_whole() && !plan.selection.exact);
        checks.extend(
            said.chain(settings).chain(unsure).map(|said| Check::new("of_another_program", Outcome::Warn, said)),
        );
        let left_out = foreign.left_out(scan).filter(|_| plan.selection.database.any());
        checks.extend(left_out.map(|said| Check::new("of_another_program", Outcome::Warn, said)));
        let config = plan.selection.brings(&RelPath::parse(b"wp-config.php")?)?;
        let wrong = match plan.selection.database.any() {
            true => foreign.other_prefix(scan, config),
            false => foreign.other_live_prefix(config),
        };
        checks.extend(wrong.map(|error| {
            let check = Check::failed("table_prefix", &error);
            match error.context.get(PREFIXES) {
                Some(prefixes) => check.with(PREFIXES, prefixes.clone()),
                None => check,
            }
        }));
    }
    if plan.selection.database.any() {
        let counted = scan.dump.iter().flat_map(|dump| &dump.tables).map(|table| (table.name.as_str(), table.rows));
        checks.extend(source.other_rows(counted).map(|error| Check::failed("dump_rows", &error)));
        let failed = scan.dump.as_ref().and_then(|dump| dump.survey.origin.failed());
        checks.extend(failed.map(|said| Check::new("failed_export", Outcome::Warn, said)));
        checks.extend(scan.seen.one_dump().err().map(|error| Check::failed("one_database", &error)));
    }
    for error in unmatched(plan, source, scan, catalogue)? {
        let pattern = error.context.get("pattern").cloned().unwrap_or_default();
        checks.push(Check::failed("selection", &error).with("pattern", pattern));
    }
    Ok(checks)
}

/// Links of the backup that a restore would not make.
fn links(config: &Config, plan: &Plan, scan: &Scan) -> Result<Vec<Check>> {
    if scan.links_out.is_empty() {
        return Ok(Vec::new());
    }
    let (paths, root) = (plan.selection.paths()?, &plan.document_root);
    let live = tree::open_site(root)?;
    let selected = |path: &RelPath| {
        !paths.exclude.covers(path, false) && paths.only.as_ref().is_none_or(|only| only.covers(path, false))
    };
    let require = |(path, target): &(RelPath, Vec<u8>)| {
        tree::link::require(path, target, Some(root), live.as_ref(), &config.files.link_targets)
    };
    let refused = scan.links_out.iter().filter(|(path, _)| selected(path)).filter_map(|found| require(found).err());
    Ok(refused.map(|error| Check::failed("links", &error)).collect())
}

/// The message if neither the backup nor the site has a table.
pub(super) fn no_database(plan: &Plan, schema_is_missing: bool) -> String {
    let name = plan.database.as_ref().map(|names| names.live.as_str()).unwrap_or_default();
    let has = if schema_is_missing { "does not exist" } else { "has no table" };
    format!("the backup holds no database dump, and database {name} {has}: the database takes no part")
}

/// The line about a site's schema that is not there. `made`: whether the restore makes it, where the backup is known.
pub(super) fn missing_schema(plan: &Plan, made: Option<bool>) -> Check {
    let name = plan.database.as_ref().map(|names| names.live.as_str()).unwrap_or_default();
    let then = match made {
        None => ": it is made if the backup holds anything for it",
        Some(true) => " and will be made",
        Some(false) => " and is not made: the backup holds nothing for it",
    };
    let message = format!("database {name} does not exist{then}");
    Check::new("database", Outcome::Pass, message).with("tables", 0).with("rows", 0)
}

/// Whether a restore makes a schema that is not there for this backup.
pub(super) fn makes_schema(plan: &Plan, scan: &Scan) -> bool {
    let whole = plan.selection.tables().is_ok_and(|tables| tables.is_whole()) && !plan.selection.named;
    scan.dump.as_ref().is_some_and(|dump| !whole || plan.selection.exact || !dump.is_empty())
}

/// The site configuration that was asked for by name and that the backup lacks. `items` are those of which the backup holds files;
/// a symlink whose file is not in the backup is no such file.
pub(super) fn lacking_config(
    selection: &Selection,
    items: &BTreeSet<Item>,
    links: &BTreeSet<(Item, String)>,
) -> Option<String> {
    if !selection.named || selection.config.is_empty() {
        return None;
    }
    // `true` asks for the configuration the backup has; a named item has to be there.
    let by_item = selection.config.len() < Item::ALL.len();
    let missing = selection.config.iter().find(|item| !items.contains(item))?;
    let (lacks, link) = match by_item {
        true => (format!("configuration item {}", missing.name()), links.iter().find(|(item, _)| item == missing)),
        false if items.is_empty() => ("configuration".to_owned(), links.first()),
        false => return None,
    };
    let why = link.map(|(_, link)| format!(": {link}")).unwrap_or_default();
    Some(format!("{lacks}{why}"))
}

/// The refusals of a selection by patterns that name nothing. Without a catalogue nothing can be said about patterns of files.
fn unmatched(plan: &Plan, source: &Source, scan: &Scan, catalogue: Option<File>) -> Result<Vec<Error>> {
    let mut refusals = Vec::new();
    if let Some(dump) = &scan.dump {
        let tables = plan.selection.tables()?;
        dump.selectable().for_each(|name| {
            tables.takes(name);
        });
        let unused = tables.only.map(|only| only.unused()).unwrap_or_default();
        refusals.extend(unused.into_iter().filter_map(|one| require_used("database", vec![one], source).err()));
    }
    let paths = plan.selection.paths()?;
    if let (Some(only), Some(catalogue)) = (paths.only, catalogue) {
        let mut reader = Reader::new(catalogue)?;
        while let Some(record) = reader.next_record()? {
            let is_folder = record.kind == Kind::Folder;
            if !paths.exclude.covers(&record.path, is_folder) {
                only.covers(&record.path, is_folder);
            }
        }
        refusals.extend(only.unused().into_iter().filter_map(|one| require_used("files", vec![one], source).err()));
    }
    Ok(refusals)
}

fn integrity(source: &Source) -> Vec<Check> {
    let mut checks = vec![
        Check::new(
            "readable",
            Outcome::Pass,
            format!("{} can be read, {}", source.path.display(), text::bytes(source.packed_bytes())),
        )
        .with("bytes", source.packed_bytes()),
    ];
    checks.extend(metadata(source));
    checks.push(Check::new(
        "whole",
        Outcome::NotChecked,
        "gzip and tar checksums of the whole backup: checked while it is staged, before anything live is changed",
    ));
    checks
}

/// The `.meta` file beside the archive: a hint, so a difference is a warning and the archive is the truth.
fn metadata(source: &Source) -> Option<Check> {
    let meta = Meta::beside(&source.path);
    if meta.is_empty() {
        return Some(Check::new("metadata", Outcome::NotChecked, "no .meta file lies beside the backup"));
    }
    let bytes = source.parts.first().map_or(0, |part| part.identity.size);
    let wrong = [
        meta.text("domain")
            .filter(|domain| *domain != source.site.domain.as_str())
            .map(|domain| format!("it names {domain}")),
        (meta.integrity() == Some(false)).then(|| "it says that the backup is damaged".to_owned()),
        meta.number("backup_size")
            .filter(|size| *size != bytes)
            .map(|size| format!("it says {size} bytes, the file has {bytes}")),
    ];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    Some(match wrong.is_empty() {
        true => Check::new("metadata", Outcome::Pass, "the .meta file fits the backup"),
        false => Check::new("metadata", Outcome::Warn, format!("the .meta file does not fit: {}", wrong.join("; "))),
    })
}

fn services(config: &Config, plan: &Plan, facts: &Facts, dump: Option<&DumpScan>) -> Vec<Check> {
    let mut checks = facts.hosts.service_checks();
    if plan.selection.files.any() || plan.database.is_some() {
        checks.extend(facts.hosts.worker_checks());
    }
    if let (Some(names), Some(database)) = (&plan.database, &facts.hosts.database) {
        match database.version() {
            Ok(version) => {
                checks.push(Check::new("mysql", Outcome::Pass, format!("MySQL answers a query: {version}")));
                checks.push(to_accept(atomic_rename(&version), Risk::AtomicRename, config, plan));
            }
            Err(error) => checks.push(Check::failed("mysql", &error)),
        }
        let schemas = Schemas { live: &names.live, shadow: &names.shadow, kept: &names.kept };
        checks.push(facts.hosts.privileges(schemas, names.definer.as_deref()));
        checks.push(facts.hosts.writable());
        checks.extend(change_over(config, plan, facts, dump));
        checks.push(match database.foreign_keys_from_outside(&names.live) {
            Ok(keys) if keys.is_empty() => Check::new(
                "external_foreign_keys",
                Outcome::Pass,
                format!("no foreign key from another schema points into {}", names.live),
            ),
            Ok(keys) => Check::failed(
                "external_foreign_keys",
                &Error::new(Code::ExternalForeignKey, {
                    let named: Vec<String> =
                        keys.iter().map(|key| format!("{} of {}.{}", key.constraint, key.schema, key.table)).collect();
                    format!("foreign keys from outside point into {}: {}", names.live, named.join(", "))
                }),
            ),
            Err(error) => Check::failed("external_foreign_keys", &error),
        });
    } else {
        checks.push(Check::new("mysql", Outcome::NotChecked, "MySQL takes no part in this restore"));
    }
    checks
}

/// How long queries of the site will wait in the change-over. `dump` is what the backup has, where it was read: what it does not hold
/// goes, and cannot be live as the backup has it.
fn change_over(config: &Config, plan: &Plan, facts: &Facts, dump: Option<&DumpScan>) -> Option<Check> {
    let (names, database) = (plan.database.as_ref()?, facts.hosts.database.as_ref()?);
    let chosen = plan.selection.tables().ok()?;
    let taken = facts.tables.iter().filter(|table| chosen.takes(&table.name));
    let may_stay = |table: &&TableInfo| {
        let comes = |dump: &DumpScan| !dump.complete || dump.tables.iter().any(|other| other.name == table.name);
        table.engine.eq_ignore_ascii_case("InnoDB") && dump.is_none_or(comes)
    };
    let at_most = taken.clone().count();
    let moving = window::Moving { surely: at_most - taken.filter(may_stay).count(), at_most };
    let (check, is_sure) =
        window::check(database.as_ref(), moving, Duration::from_secs(config.limits.change_over_wait_s), &names.shadow)?;
    Some(if is_sure { to_accept(check, Risk::ChangeOver, config, plan) } else { check })
}

/// Refuses a change-over of so many tables that queries of the site wait too long, unless that is accepted.
///
/// # Errors
/// `preflight_failed`.
pub(super) fn require_window(config: &Config, plan: &Plan, database: &dyn Database, leaving: usize) -> Result<()> {
    let Some(names) = &plan.database else { return Ok(()) };
    let limit = Duration::from_secs(config.limits.change_over_wait_s);
    match window::check(database, window::Moving::exactly(leaving), limit, &names.kept) {
        Some((check, true)) => {
            let check = to_accept(check, Risk::ChangeOver, config, plan);
            report::require(&[Group::new("services", vec![check])], Code::PreflightFailed)
        }
        _ => Ok(()),
    }
}

/// Turns a warning about `risk` into a failure, unless the caller or the config accepts the risk.
fn to_accept(check: Check, risk: Risk, config: &Config, plan: &Plan) -> Check {
    let mut accepted = plan.selection.accept.iter().chain(&config.mysql.accept);
    if check.outcome != Outcome::Warn || accepted.any(|accepted| *accepted == risk) {
        return check;
    }
    let word = risk.word();
    let hint = format!(
        "{}To restore all the same: `--accept {word}`, in a request \"options\": {{\"accept\": [\"{word}\"]}}; for every restore: \
         accept of [mysql] in restore.toml.",
        check.hint.as_ref().map(|hint| format!("{hint} ")).unwrap_or_default()
    );
    Check { outcome: Outcome::Fail, ..check.code(Code::PreflightFailed).hint(hint).with("accept", word) }
}

/// The change-over rests on a RENAME TABLE of many tables that survives a crash of the server: MariaDB since 10.6.1 (its DDL
/// log), MySQL since 8.0 for InnoDB (its atomic DDL).
fn atomic_rename(version: &str) -> Check {
    let mut numbers =
        version.split(|letter: char| !letter.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or(0);
    let found = (next(), next(), next());
    let (needed, name) = if version.contains("MariaDB") { ((10, 6, 1), "MariaDB") } else { ((8, 0, 0), "MySQL") };
    if found >= needed {
        let message =
            format!("{name} {}.{}: renaming all tables is one step, in a crash of the server too", found.0, found.1);
        return Check::new("atomic_rename", Outcome::Pass, message);
    }
    let (major, minor, patch) = needed;
    Check::new(
        "atomic_rename",
        Outcome::Warn,
        format!(
            "{version} is older than {name} {major}.{minor}.{patch}: if the server crashes in the moment of the change-over, tables may be left on both sides"
        ),
    )
}

fn conflicts(config: &Config, plan: &Plan, facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    if plan.selection.files.any() {
        checks.extend(tree_conflicts(plan, facts));
        checks.extend(sites_inside(config, plan));
        checks.push(writable("permissions", &config.paths.web_root));
        checks.push(exchange(plan));
    }
    if plan.database.is_some() {
        let rows: u64 = facts.tables.iter().map(|table| table.rows_estimate).sum();
        let name = plan.database.as_ref().map(|names| names.live.as_str()).unwrap_or_default();
        let message = match facts.tables.len() {
            0 => format!("database {name} has no tables"),
            count => format!("database {name} has {count} tables and about {rows} rows; they are kept in the snapshot"),
        };
        let there =
            Check::new("database", Outcome::Pass, message).with("tables", facts.tables.len()).with("rows", rows);
        checks.push(if facts.schema_is_missing { missing_schema(plan, None) } else { there });
    }
    if !plan.selection.config.is_empty() {
        for folder in [&config.paths.nginx_available, &config.paths.php_pool_dir] {
            if folder.exists() {
                checks.push(writable("permissions", folder));
            }
        }
    }
    checks.push(facts.hosts.port_check());
    checks.extend(hooks::check(config));
    checks
}

/// Live tables that the server cannot open: they stay where they are. `coming` are the tables of the backup, where they are known: none
/// of them can take the place of a damaged one.
pub(super) fn damaged(plan: &Plan, facts: &Facts, coming: Option<&[TableTally]>) -> Vec<Check> {
    let (Ok(selected), Some(names)) = (plan.selection.tables(), &plan.database) else { return Vec::new() };
    let stuck = facts.tables.iter().filter(|table| !table.damage.is_empty() && selected.takes(&table.name));
    let check = |table: &TableInfo| match coming {
        Some(coming) if coming.iter().any(|other| other.name == table.name) => {
            let check = Check::failed("damaged_table", &damaged::refusal(&names.live, table));
            let outcome = if damaged::is_stuck(table) { Outcome::Fail } else { Outcome::Warn };
            Check { outcome, ..check }.with("table", table.name.as_str())
        }
        _ => Check::new("damaged_table", Outcome::Warn, damaged::stays(table)).with("table", table.name.as_str()),
    };
    stuck.map(check).collect()
}

/// Whether a job holds the domain. A restore that runs holds it itself, so only a validation asks.
pub(super) fn other_job(config: &Config, domain: &Domain) -> Check {
    match DomainLock::try_take(config, domain) {
        Ok(Some(mut lock)) => match lock.holder() {
            None => Check::new("other_job", Outcome::Pass, format!("no other job is at work on {domain}")),
            Some(dead) => Check::new(
                "other_job",
                Outcome::Warn,
                format!("job {dead} was left unfinished; it is recovered before the next restore"),
            ),
        },
        Ok(None) => Check::failed("other_job", &Error::new(Code::Busy, format!("another job is at work on {domain}"))),
        Err(error) => Check::failed("other_job", &error),
    }
}

fn tree_conflicts(plan: &Plan, facts: &Facts) -> Vec<Check> {
    let root = plan.document_root.display();
    let Some(survey) = &facts.survey else {
        return vec![Check::new("document_root", Outcome::Pass, format!("{root} does not exist and will be made"))];
    };
    let refuse = |name: &str, message: String| Check::failed(name, &Error::new(Code::NotExchangeable, message));
    let mut checks = vec![
        Check::new(
            "document_root",
            Outcome::Pass,
            format!("{root} has {} files, {}; they are kept in the snapshot", survey.files, text::bytes(survey.bytes)),
        )
        .with("files", survey.files)
        .with("bytes", survey.bytes),
    ];
    if survey.root_is_link {
        checks.push(refuse(
            "document_root_link",
            format!("{root} is a symbolic link, which would be exchanged instead of its target"),
        ));
    }
    if survey.root_is_mount {
        checks.push(refuse("document_root_mount", format!("{root} is a mount point and cannot be exchanged")));
    }
    checks.push(match survey.mounts.first() {
        Some(mount) => refuse(
            "nested_mounts",
            format!("{mount} is a mount or a subvolume inside {root} and would travel with the old tree"),
        )
        .hint(format!("Unmount {root}/{mount}, or delete the subvolume, for the time of the restore.")),
        None => Check::new("nested_mounts", Outcome::Pass, format!("no mount lies inside {root}")),
    });
    checks.push(held(plan, survey));
    checks.extend(other_mounts(&plan.document_root));
    checks
}

/// Sites of other domains in the tree that is replaced: the backup's content takes their places, or they go.
fn sites_inside(config: &Config, plan: &Plan) -> Vec<Check> {
    let Ok(paths) = plan.selection.paths() else { return Vec::new() };
    let is_replaced = |path: &RelPath| {
        paths.only.as_ref().is_none_or(|only| only.covers(path, true)) && !paths.exclude.covers(path, true)
    };
    let inside = site::inside(config, &plan.document_root, &plan.domain);
    let check = |(other, path): (Domain, RelPath)| {
        let message = format!(
            "{other} lives in {}/{path}: the restore of {} replaces its files too",
            plan.document_root.display(),
            plan.domain
        );
        Check::new("sites_inside", Outcome::Warn, message)
            .hint(format!("Leave it as it is with \"exclude\":{{\"files\":[{:?}]}}.", path.to_string()))
            .with("domain", other.as_str())
            .with("path", path.to_string())
    };
    inside.into_iter().filter(|(_, path)| is_replaced(path)).map(check).collect()
}

/// Files and folders that cannot be moved or removed. What is immutable below the root leaves with its folder.
fn held(plan: &Plan, survey: &Survey) -> Check {
    let root = &plan.document_root;
    let path = |below: &Path| if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) };
    let commands = |letters: &str, paths: &[PathBuf]| {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        (!paths.is_empty()).then(|| format!("chattr -{letters} {}", paths.join(" ")))
    };
    let refused = |message: String, commands: Vec<String>| {
        Check::failed("immutable_files", &Error::new(Code::NotExchangeable, message))
            .hint(format!("Run `{}`, restore, and set it again.", commands.join(" && ")))
    };
    if let Some(first) = survey.held.first() {
        let of = |letters: &str| {
            let held = survey.held.iter().filter(|held| held.letters == letters);
            commands(letters, &held.map(|held| path(Path::new(&held.path))).collect::<Vec<_>>())
        };
        let message = format!(
            "{} is append-only (chattr +{}): what is in it would be replaced",
            path(Path::new(&first.path)).display(),
            first.letters
        );
        return refused(message, ["a", "ia"].into_iter().filter_map(of).collect());
    }
    let count = survey.immutable.len();
    let Some(first) = survey.immutable.first() else {
        return Check::new("immutable_files", Outcome::Pass, format!("no file in {} is immutable", root.display()));
    };
    let shown = path(first.as_path()).display().to_string();
    let first_ones: Vec<PathBuf> = survey.immutable.iter().take(10).map(|below| path(below.as_path())).collect();
    let why = if first.is_root() {
        "and cannot be exchanged".to_owned()
    } else if !plan.selection.files.is_whole() {
        "and parts of such a site cannot be exchanged".to_owned()
    } else if count > MAX_IMMUTABLE {
        format!("as are over {MAX_IMMUTABLE} more")
    } else if !place::may_set_immutable(&plan.stage) {
        "and this process may not set that on what comes in its place, as in a container".to_owned()
    } else {
        let all = if count == 1 { format!("{shown} is") } else { format!("{shown} and {} more are", count - 1) };
        let message = format!("{all} immutable (chattr +i): what comes in their places is so too");
        return Check::new("immutable_files", Outcome::Pass, message).with("immutable", count);
    };
    refused(format!("{shown} is immutable (chattr +i), {why}"), commands("i", &first_ones).into_iter().collect())
}

/// Other mounts through which the old tree would still be seen after the restore.
fn other_mounts(root: &Path) -> Option<Check> {
    let found = mounts::elsewhere(root);
    if found.is_empty() {
        return None;
    }
    let place = |other: &Elsewhere| match &other.program {
        Some(program) => format!("{} for {program}", other.at.display()),
        None => other.at.display().to_string(),
    };
    let places: Vec<String> = found.iter().take(10).map(place).collect();
    let message = format!(
        "{} is mounted elsewhere too ({}): the old tree is seen there until it is mounted anew, and what is written there goes with it",
        root.display(),
        places.join(", ")
    );
    let hint = "Mount these places anew after the restore, or start the programs again that have them.";
    Some(Check::new("other_mounts", Outcome::Warn, message).hint(hint))
}

/// Whether the filesystem can do the change-over. An exchange is tried, because the filesystem does not say.
fn exchange(plan: &Plan) -> Check {
    let live = &plan.document_root;
    let around = live.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let root = around.display();
    match place::try_exchange(&plan.stage, around, live, plan.selection.files.is_whole()) {
        Ok(()) => Check::new("exchange", Outcome::Pass, format!("two folders below {root} changed places in one step")),
        Err(error) => {
            let message = format!("two folders below {root} cannot change places in one step: {}", error.message);
            Check::failed("exchange", &Error { message, ..error })
        }
    }
}

fn writable(name: &str, folder: &Path) -> Check {
    match rustix::fs::access(folder, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Check::new(name, Outcome::Pass, format!("{} can be written", folder.display())),
        Err(error) => {
            let error: std::io::Error = error.into();
            Check::failed(
                name,
                &Error::new(Code::Forbidden, format!("{} cannot be written: {error}", folder.display())),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_at_work_or_left_unfinished_is_a_conflict() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let domain = Domain::parse("example.com").unwrap();
        assert_eq!(other_job(&config, &domain).outcome, Outcome::Pass);
        let mut lock = DomainLock::try_take(&config, &domain).unwrap().unwrap();
        lock.claim(&crate::job::JobId::new().unwrap()).unwrap();
        assert_eq!(other_job(&config, &domain).code, Some(Code::Busy));
        drop(lock);
        assert_eq!(other_job(&config, &domain).outcome, Outcome::Warn);
    }

    #[test]
    fn what_has_to_be_accepted_stops_a_restore_until_it_is() {
        let config = Config::default();
        let plan = |accept| {
            let selection = Selection { accept, ..Selection::everything() };
            let (job, domain) = (crate::job::JobId::new().unwrap(), Domain::parse("shop.example").unwrap());
            let target =
                crate::host::target::Target { live: "/var/www/shop.example".into(), staging: "/var/www/.rv".into() };
            Plan::restore(&config, &job, &domain, target, selection, None, String::new())
        };
        let old = || atomic_rename("10.5.27-MariaDB");
        let stopped = to_accept(old(), Risk::AtomicRename, &config, &plan(vec![Risk::ChangeOver]));
        assert_eq!((stopped.outcome, stopped.code), (Outcome::Fail, Some(Code::PreflightFailed)));
        assert!(stopped.hint.unwrap().contains("--accept atomic_rename"));
        let word = vec![Risk::AtomicRename];
        assert_eq!(to_accept(old(), Risk::AtomicRename, &config, &plan(word.clone())).outcome, Outcome::Warn);
        let mut always = config.clone();
        always.mysql.accept = word;
        assert_eq!(to_accept(old(), Risk::AtomicRename, &always, &plan(Vec::new())).outcome, Outcome::Warn);
        let new = to_accept(atomic_rename("10.11.19-MariaDB"), Risk::AtomicRename, &config, &plan(Vec::new()));
        assert_eq!(new.outcome, Outcome::Pass);
    }

    #[test]
    fn only_servers_known_to_rename_in_one_step_pass() {
        for good in ["10.11.19-MariaDB-0+deb12u1", "10.6.1-MariaDB", "11.4.2-MariaDB", "8.0.36", "8.4.0"] {
            assert_eq!(atomic_rename(good).outcome, Outcome::Pass, "{good}");
        }
        for old in ["10.6.0-MariaDB", "10.5.27-MariaDB-log", "5.5.68-MariaDB", "5.7.44-log", ""] {
            assert_eq!(atomic_rename(old).outcome, Outcome::Warn, "{old}");
        }
    }
}
