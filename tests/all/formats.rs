//! Files of earlier versions: each is read as it was meant, and a damaged copy gives the error that docs/format.md names.
//!
//! `tests/fixtures/formats/vN/` holds one of each file that outlives a process, as the first program of format N wrote it. A later
//! program reads every one of them. `RV_WRITE_FORMATS=1` writes the newest set anew: only before it was ever released.

mod make;

use flate2::read::GzDecoder;
use make::{BASE, INO, JOB, MOMENT, domain, job, source};
use rocketvps_restore::api::answer::snapshots::SnapshotForm;
use rocketvps_restore::api::{Choice, Request};
use rocketvps_restore::backup::cache::catalogue;
use rocketvps_restore::backup::cache::index::Index;
use rocketvps_restore::backup::{self, Identity, preview};
use rocketvps_restore::call;
use rocketvps_restore::config::Config;
use rocketvps_restore::engine::commit::step::{self, Step};
use rocketvps_restore::engine::commit::{Record, begun};
use rocketvps_restore::engine::leftovers::resume;
use rocketvps_restore::error::{Code, Error};
use rocketvps_restore::host::database::ObjectKind;
use rocketvps_restore::host::database::load::checkpoint::Checkpoint;
use rocketvps_restore::host::tree::{Kind as EntryKind, manifest};
use rocketvps_restore::job::ending::Report;
use rocketvps_restore::job::estimate::Rates;
use rocketvps_restore::job::folder::{JobFolder, file};
use rocketvps_restore::job::{Kind, State, lock};
use rocketvps_restore::journal::Journal;
use rocketvps_restore::plan::Plan;
use rocketvps_restore::progress::{Level, Silent};
use rocketvps_restore::siteconf::{Item, Side};
use rocketvps_restore::snapshot::{self, Found, retained};
use serde_json::Value;
use std::fs::{File, FileTimes};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats/v1")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// An installation in a folder of its own, with what a fixture's folder holds in the place of ours.
struct Installation {
    _folder: tempfile::TempDir,
    config: Config,
}

impl Installation {
    fn new() -> Installation {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::parse("").unwrap();
        config.paths.base = folder.path().join("base");
        config.paths.web_root = folder.path().join("www");
        Installation { _folder: folder, config }
    }

    /// Files of the fixture `from`, in `place`. Where they name [`BASE`], they name this installation.
    fn put(&self, from: &str, place: &Path) {
        make::copy(&fixtures().join(from), place, &[(BASE, self.config.paths.base.to_str().unwrap())]);
    }

    fn job(&self) -> JobFolder {
        self.put("job", &self.config.paths.jobs().join(JOB));
        JobFolder::open(&self.config, &job()).unwrap()
    }

    fn snapshot(&self, from: &str) -> PathBuf {
        let path = self.config.paths.snapshots().join(format!("example.com/pre_restore_{JOB}"));
        self.put(from, &path);
        path
    }

    /// The archive whose findings are in the cache, and the cache as if it had been made of this very copy.
    fn cache(&self) -> PathBuf {
        let folder = self.config.paths.backups().join("example.com");
        self.put("cache", &folder);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = folder.join("backup_20251004_030000.tar");
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(MOMENT);
        File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(moment)).unwrap();
        let ino = std::fs::metadata(&path).unwrap().ino().to_string();
        let index = folder.join(".backup_index.json");
        let text = std::fs::read_to_string(&index).unwrap();
        std::fs::write(&index, text.replace(&format!("\"ino\":{INO}"), &format!("\"ino\":{ino}"))).unwrap();
        path
    }
}

/// Every beginning of a file.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(|end| (end, bytes[..end].to_vec()))
}

/// A file with one bit flipped, at every byte.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(|at| {
        let mut bad = bytes.to_vec();
        bad[at] ^= 0x10;
        (at, bad)
    })
}

/// JSON without a checksum: cut off it is never read. With a bit flipped it gives one of `codes`, or, where it is JSON of the same
/// form still, it is read.
fn json_is_refused<T>(path: &Path, codes: &[Code], read: impl Fn() -> Result<T, Error>) {
    let whole = std::fs::read(path).unwrap();
    assert!(read().is_ok(), "{} as it is", path.display());
    let mut refused = 0;
    for (at, bad) in cuts(&whole) {
        std::fs::write(path, bad).unwrap();
        let code = read().err().map(|error| error.code);
        assert!(code.is_some_and(|code| codes.contains(&code)), "{} cut at {at}: {code:?}", path.display());
    }
    for (at, bad) in flips(&whole) {
        std::fs::write(path, bad).unwrap();
        if let Err(error) = read() {
            refused += 1;
            assert!(codes.contains(&error.code), "{} flipped at {at}: {error}", path.display());
        }
    }
    assert!(refused > whole.len() / 4, "{}: only {refused} of {} flips were seen", path.display(), whole.len());
    std::fs::write(path, whole).unwrap();
}

/// What the newest program writes is what the newest fixtures hold: a format does not change unnoticed.
#[test]
fn todays_program_writes_what_the_newest_fixtures_hold() {
    let fresh = tempfile::tempdir().unwrap();
    make::make(fresh.path());
    if std::env::var_os("RV_WRITE_FORMATS").is_some() {
        let _ = std::fs::remove_dir_all(fixtures());
        for folder in folders(fresh.path()) {
            make::copy(&fresh.path().join(&folder), &fixtures().join(&folder), &[]);
        }
    }
    let names = |root: &Path| -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = folders(root)
            .iter()
            .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap().flatten().map(|entry| entry.path()))
            .filter(|path| path.is_file())
            .map(|path| path.strip_prefix(root).unwrap().to_owned())
            .collect();
        all.sort();
        all
    };
    assert_eq!(names(fresh.path()), names(&fixtures()));
    for name in names(fresh.path()) {
        let [now, then] = [fresh.path(), &fixtures()].map(|root| std::fs::read(root.join(&name)).unwrap());
        match name.to_str().unwrap() {
            // The dump program's own, with its version and date.
            "portable/database.sql.gz" => assert!(!now.is_empty()),
            "portable/manifest.json" => {
                let [now, then] = [now, then].map(|bytes| shape(&serde_json::from_slice(&bytes).unwrap()));
                assert_eq!(now, then, "{}", name.display());
            }
            "portable/metadata.txt" => {
                let keys = |bytes: &[u8]| -> Vec<String> {
                    let text = String::from_utf8(bytes.to_vec()).unwrap();
                    text.lines().map(|line| line.split_once('=').unwrap().0.to_owned()).collect()
                };
                assert_eq!(keys(&now), keys(&then));
            }
            // What a compressor makes of the same bytes may change with its version.
            zipped if zipped.ends_with(".gz") => assert!(unzipped(&now) == unzipped(&then), "{zipped}"),
            other => assert!(now == then, "{other}:\n{}\n{}", shown(&now), shown(&then)),
        }
    }
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let below = std::fs::read_dir(root).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let mut all: Vec<PathBuf> = below.map(|entry| entry.file_name().into()).collect();
    all.push(PathBuf::new());
    all
}

/// The keys of a document, with what kind of value each has.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        other => other.clone(),
    }
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut whole).unwrap();
    whole
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_journal_is_read_record_by_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, fixture("job/journal")).unwrap();
    let records = Journal::read::<Record>(&path).unwrap();
    assert!(matches!(records[0], Record::Staging { format: 1 }));
    assert!(matches!(records[records.len() - 2..], [Record::Committed, Record::Closed]));
    assert!(matches!(records[1], Record::Intent { number: 0, connection: Some(7), .. }));
    assert!(matches!(records[2], Record::Done { number: 0 }));
    let (steps, connections) = begun(&records);
    assert_eq!((steps.len(), connections), (13, vec![7]));
    let Some((Step::SetNextValues { schema, values }, steps)) = steps.split_first() else { panic!("{steps:?}") };
    assert_eq!((schema.as_str(), values[0].table.as_str(), values[0].old, values[0].new), ("shop", "wp_links", 1, 500));
    assert!(
        matches!(&steps[0], Step::DropTriggers { schema, old } if schema == "shop" && old.ends_with("objects.json"))
    );
    assert!(
        matches!(&steps[1], Step::DropForeignKeys { keys, .. } if keys[0].name == "of_post" && keys[0].on_delete == "CASCADE")
    );
    let Step::Switch { live, switch, brought: Some(brought) } = &steps[2] else { panic!("{:?}", steps[2]) };
    let moves: Vec<_> =
        switch.moves.iter().map(|way| (way.from.as_str(), way.table.as_str(), way.to.as_str())).collect();
    assert_eq!(moves, [("shop", "wp_posts", "rvk_0123456789ab"), ("rvs_0123456789ab", "wp_posts", "shop")]);
    assert_eq!((live.as_str(), &brought.objects), ("shop", &vec![(ObjectKind::View, "titles".to_owned())]));
    assert!(matches!(&steps[3], Step::AddForeignKeys { keys, .. } if keys[0].refers_to == "wp_posts"));
    let Step::Exchange { staged, new, old: Some(old), around, .. } = &steps[4] else { panic!("{:?}", steps[4]) };
    assert!(staged.ends_with(format!(".rocketvps-restore/{JOB}/tree")));
    assert_eq!((new.ino, new.born, old.ino, old.born), (11, Some(1_759_546_800_000_000_001), 12, None));
    assert_eq!(around, &[Path::new("/var/www")]);
    let Step::Parts { units, count: 2, folders: Some(folders), .. } = &steps[5] else { panic!("{:?}", steps[5]) };
    assert!(units.ends_with("units.json") && folders.ends_with("folders.json"));
    assert!(matches!(&steps[6], Step::RestoreObjects { new, .. } if new.ends_with("objects_new.json")));
    let sides: Vec<_> = steps[7..10]
        .iter()
        .map(|step| match step {
            Step::Config { change, .. } => (change.item, change.old.clone(), change.new.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sides[0], (Item::Ssl, Side::Absent, Side::Folder { mode: 0o755 }));
    let file = |byte: &str, mtime| Side::File { sha256: byte.repeat(32), mode: 0o640, uid: 0, gid: 33, mtime };
    assert_eq!(sides[1], (Item::Nginx, file("ab", 1_759_546_800_000_000_001), file("cd", 0)));
    assert_eq!(sides[2].2, Side::Link { to: "/etc/nginx/sites-available/example.com".into() });
    assert!(matches!(steps[10], Step::Reload { lenient: false, .. }));

    std::fs::write(&path, fixture("job/journal_of_an_undoing")).unwrap();
    let (journal, undone) = Journal::open::<Record>(&path).unwrap();
    drop(journal);
    assert!(matches!(undone[4], Record::Undo { number: 1, connection: Some(8) }));
    assert!(matches!(undone[7], Record::Undone { number: 0 }));
    assert_eq!(begun(&undone).1, [7, 8]);
}

#[test]
fn a_torn_end_of_a_journal_is_no_record_and_damage_before_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let whole = fixture("job/journal_of_an_undoing");
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Journal::read::<Record>(&path)
    };
    for (cut, bytes) in cuts(&whole) {
        let records = read(&bytes).unwrap().len();
        assert_eq!(records, ends.iter().filter(|end| **end <= cut).count(), "cut at {cut}");
    }
    let last = ends[ends.len() - 2];
    for (at, bytes) in flips(&whole) {
        match read(&bytes) {
            Ok(records) => assert!(at >= last && records.len() == ends.len() - 1, "flipped at {at}"),
            Err(error) => assert!(at < last && error.code == Code::JournalCorrupt, "flipped at {at}: {error}"),
        }
    }
}

#[test]
fn a_job_is_read_from_its_folder() {
    let installation = Installation::new();
    let folder = installation.job();
    let ticket = folder.ticket().unwrap();
    assert_eq!((ticket.schema, ticket.job, ticket.kind, ticket.domain), (1, job(), Kind::Restore, Some(domain())));
    assert_eq!(ticket.config.paths.php_pool_dir, Path::new("/etc/php/8.2/fpm/pool.d"));
    assert_eq!(ticket.config.sites[&domain()].database, "shop");
    let Request::RestoreStart(request) = ticket.request else { panic!("{:?}", ticket.request) };
    let components = request.components.unwrap();
    assert_eq!(components.database, Choice::Parts(vec!["wp_posts".into()]));
    assert_eq!((request.exclude.unwrap().files, request.options.exact), (vec!["**/*.log".to_owned()], true));

    let plan: Plan = folder.read(file::PLAN).unwrap();
    assert_eq!((plan.job.as_str(), &plan.domain), (JOB, &domain()));
    assert_eq!(plan.document_root, Path::new("/var/www/example.com"));
    assert_eq!(plan.tree, plan.stage.join("tree"));
    assert!(plan.snapshot.ends_with(format!("snapshots/example.com/pre_restore_{JOB}")));
    assert_eq!((plan.from_snapshot, plan.kept_units), (None, None));
    let names = plan.database.unwrap();
    assert_eq!((names.live.as_str(), names.shadow.as_str()), ("shop", "rvs_0123456789ab"));
    assert_eq!((names.kept.as_str(), names.definer.as_deref()), ("rvk_0123456789ab", Some("`shop`@`localhost`")));
    let selection = plan.selection;
    assert_eq!(selection.files, Choice::Parts(vec!["wp-content/uploads/".into()]));
    assert_eq!((selection.config.as_slice(), selection.named), (&[Item::Nginx, Item::Ssl][..], true));
    assert_eq!(selection.exclude.files, ["**/*.log"]);
    assert!(selection.exact && selection.allow_orphans && selection.allow_unsafe_config);

    let source: Vec<Identity> = folder.read(file::SOURCE).unwrap();
    assert_eq!(source, [Identity { ino: 424_242, size: 70_656, mtime: MOMENT as i64, mtime_ns: 5 }]);
    let failed: Report = folder.read("report_of_a_failure.json").unwrap();
    let error = failed.error.unwrap();
    assert_eq!((failed.state, error.code), (State::RolledBack, Code::BackupCorrupt));
    assert_eq!((error.context["phase"].as_str(), error.context["offset"].as_u64()), (Some("staging"), Some(4_096)));

    // As every caller gets it.
    let data = serde_json::to_value(call::status(&installation.config, &job(), 1).unwrap()).unwrap();
    assert_eq!((data["state"].as_str(), data["percent"].as_f64()), (Some("done"), Some(100.0)));
    assert_eq!(
        (data["phases"][1]["items"].as_u64(), data["phases"][2]["state"].as_str()),
        (Some(340), Some("skipped"))
    );
    assert_eq!((data["io"]["write_mb_s"].as_f64(), data["elapsed_s"].as_f64()), (Some(2.0), Some(4.2)));
    assert_eq!((data["result"]["domain"].as_str(), &data["error"]), (Some("example.com"), &Value::Null));
    let events = data["events"].as_array().unwrap();
    assert_eq!((events.len(), events[0]["seq"].as_u64()), (2, Some(2)));
    assert_eq!(events[0]["message"], "a \"note\"\nof two lines");
    assert_eq!(serde_json::from_value::<Level>(events[1]["level"].clone()).unwrap(), Level::Error);

    // Its mark says that what it staged was set aside, and it is found.
    let found = resume::all(&installation.config, Some(&domain()));
    assert_eq!((found.len(), found[0].job().as_str()), (1, JOB));
}

#[test]
fn damaged_files_of_a_job_are_told_as_such() {
    let installation = Installation::new();
    let folder = installation.job();
    let damaged = [Code::IoFailed];
    let at = |name: &str| folder.join(name);
    json_is_refused(&at(file::TICKET), &[Code::IoFailed, Code::AbiMismatch], || folder.ticket());
    json_is_refused(&at(file::PLAN), &damaged, || folder.read::<Plan>(file::PLAN));
    json_is_refused(&at(file::STATUS), &damaged, || folder.status());
    json_is_refused(&at(file::REPORT), &damaged, || folder.read::<Report>(file::REPORT));
    json_is_refused(&at(file::SOURCE), &damaged, || folder.read::<Vec<Identity>>(file::SOURCE));

    // A line of events that was cut or damaged is left out.
    let whole = std::fs::read(at(file::EVENTS)).unwrap();
    let events = || call::status(&installation.config, &job(), 0).unwrap().events.len();
    assert_eq!(events(), 3);
    for (cut, bytes) in cuts(&whole[..whole.len() - 1]) {
        std::fs::write(at(file::EVENTS), bytes).unwrap();
        assert!(events() < 3, "cut at {cut}");
    }
    let first = whole.iter().position(|byte| *byte == b':').unwrap();
    let mut bad = whole;
    bad[first] ^= 0x10;
    std::fs::write(at(file::EVENTS), bad).unwrap();
    assert_eq!(events(), 2);
}

#[test]
fn a_job_of_a_newer_version_is_left_alone() {
    let installation = Installation::new();
    let folder = installation.job();
    let text = std::fs::read_to_string(folder.join(file::TICKET)).unwrap();
    let newer = text.replacen("\"schema\":1", "\"unheard_of\":true,\"schema\":2", 1);
    std::fs::write(folder.join(file::TICKET), newer).unwrap();
    let error = folder.ticket().unwrap_err();
    assert_eq!(error.code, Code::AbiMismatch);
    assert!(error.hint.contains("rocketvps-restore recover"), "{}", error.hint);
    assert!(resume::all(&installation.config, None).is_empty());
}

#[test]
fn a_retained_snapshot_is_read_and_leads_back() {
    let installation = Installation::new();
    let path = installation.snapshot("retained");
    let manifest = retained::read(&path).unwrap();
    assert_eq!((&manifest.domain, manifest.job.as_str(), manifest.tables), (&domain(), JOB, 1));
    assert_eq!(
        (manifest.live_schema.as_deref(), manifest.schema_kept.as_deref()),
        (Some("shop"), Some("rvk_0123456789ab"))
    );
    let identity = manifest.tree_identity.unwrap();
    assert_eq!((identity.ino, identity.born), (12, None));
    assert_eq!(manifest.brought.as_ref().unwrap().tables, ["wp_posts"]);
    assert_eq!((manifest.links.len(), manifest.links[0].columns.as_slice()), (1, &["post".to_owned()][..]));
    assert_eq!((manifest.config.len(), manifest.config[2].item), (3, Item::Nginx));
    let listed = snapshot::list(&installation.config, &domain()).unwrap().remove(0);
    assert_eq!((listed.form, listed.job.as_deref(), listed.tables), (SnapshotForm::Retained, Some(JOB), Some(1)));
    assert!(listed.has_files && listed.has_database && listed.has_config);
    let found = snapshot::find(&installation.config, &domain(), Some(JOB), None).unwrap();
    assert!(matches!(found, Found::Retained(of, _) if of == path));

    let plan = Plan::retained(&installation.config, &job(), &path, &manifest);
    assert_eq!(
        (plan.from_snapshot.as_deref(), &plan.document_root),
        (Some(path.as_path()), &"/var/www/example.com".into())
    );
    assert_eq!(plan.database.as_ref().unwrap().shadow, "rvk_0123456789ab");

    let objects = step::read_objects(&path.join("objects.json")).unwrap();
    let kinds: Vec<ObjectKind> = objects.0.iter().map(|object| object.kind).collect();
    use ObjectKind::{Event, Function, Procedure, Trigger, View};
    assert_eq!(kinds, [Function, Procedure, View, Trigger, Event]);
    assert_eq!((objects.0[3].table.as_str(), objects.0[3].sql_mode.as_str()), ("wp_posts", "STRICT_TRANS_TABLES"));
    assert_eq!((objects.0[4].time_zone.as_str(), objects.0[2].charset.as_str()), ("SYSTEM", "utf8mb4"));
    assert!(objects.0[1].create.starts_with("CREATE PROCEDURE `two`()"));
    let units = step::read_units(&path.join("units.json")).unwrap();
    assert_eq!((units[0].path.as_bytes(), units[1].path.as_bytes()), (&b"wp-content/uploads"[..], &b"caf\xe9"[..]));
    assert_eq!((units[0].coming.unwrap().born, units[1].coming), (Some(-5), None));
}

#[test]
fn damaged_files_of_a_retained_snapshot_are_told_as_such() {
    let installation = Installation::new();
    let path = installation.snapshot("retained");
    json_is_refused(&path.join("manifest.json"), &[Code::SnapshotInvalid], || retained::read(&path));
    json_is_refused(&path.join("objects.json"), &[Code::IoFailed], || step::read_objects(&path.join("objects.json")));
    json_is_refused(&path.join("units.json"), &[Code::IoFailed], || step::read_units(&path.join("units.json")));
    let text = std::fs::read_to_string(path.join("manifest.json")).unwrap();
    std::fs::write(path.join("manifest.json"), text.replacen("\"schema\":1", "\"schema\":2", 1)).unwrap();
    assert_eq!(retained::read(&path).unwrap_err().code, Code::SnapshotInvalid, "of a newer version");
}

#[test]
fn a_portable_snapshot_is_read_and_can_be_staged() {
    let installation = Installation::new();
    let path = installation.snapshot("portable");
    let manifest: Value = serde_json::from_slice(&std::fs::read(path.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest["schema"].as_u64(), manifest["form"].as_str()), (Some(1), Some("portable")));
    let listed = snapshot::list(&installation.config, &domain()).unwrap().remove(0);
    assert_eq!((listed.form, listed.files, listed.rows), (SnapshotForm::Portable, Some(3), Some(2)));
    assert!(listed.has_files && listed.has_database && listed.has_config);
    let found = snapshot::find(&installation.config, &domain(), None, Some(&path)).unwrap();
    let Found::Portable { source, schema } = found else { panic!("{found:?}") };
    assert_eq!(schema.as_deref(), Some("shop"));
    let scan = backup::scan(&source, &installation.config, &Silent).unwrap();
    assert_eq!((scan.files, scan.folders, scan.links, scan.bytes), (3, 2, 1, 406));
    let dump = scan.dump.unwrap();
    assert_eq!((dump.complete, dump.rows(), dump.objects), (true, 2, 1));
    let config: Vec<(&str, &str)> = scan.config.iter().map(|file| (file.item.name(), file.name.as_str())).collect();
    let wanted = [("nginx", "nginx.conf"), ("php_fpm", "php-fpm.conf"), ("ssl", "fullchain.pem"), ("cron", "cron")];
    assert_eq!(config, wanted);
}

#[test]
fn a_damaged_portable_snapshot_is_told_as_such() {
    let installation = Installation::new();
    let path = installation.snapshot("portable");
    let read = || {
        let source = backup::locate_snapshot(&installation.config, &domain(), &path)?;
        backup::scan(&source, &installation.config, &Silent)
    };
    for name in ["files.tar.gz", "database.sql.gz", "config.tar.gz"] {
        let whole = std::fs::read(path.join(name)).unwrap();
        let refused = |bytes: &[u8], what: &str| {
            std::fs::write(path.join(name), bytes).unwrap();
            let code = read().err().map(|error| error.code);
            assert_eq!(code, Some(Code::BackupCorrupt), "{name} {what}");
        };
        for end in [5, 40, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            refused(&whole[..end], &format!("cut at {end}"));
        }
        // The end of a member: checksum and length of all that is in it.
        for back in 1..=8 {
            let mut bad = whole.clone();
            bad[whole.len() - back] ^= 0x10;
            refused(&bad, &format!("flipped {back} before its end"));
        }
        let mut bad = whole.clone();
        bad[whole.len() / 2] ^= 0x10;
        refused(&bad, "flipped in its middle");
        std::fs::write(path.join(name), whole).unwrap();
    }
    read().unwrap();
    // Nothing at all is a dump without its last line, which no restore takes.
    let dump = std::fs::read(path.join("database.sql.gz")).unwrap();
    std::fs::write(path.join("database.sql.gz"), "").unwrap();
    assert!(!read().unwrap().dump.unwrap().complete);
    std::fs::write(path.join("database.sql.gz"), dump).unwrap();
    // Without its manifest it is a snapshot of the old engine, and the dump says whose it is.
    std::fs::write(path.join("manifest.json"), "{\"schema\":1,\"form\":\"port").unwrap();
    assert_eq!(snapshot::list(&installation.config, &domain()).unwrap()[0].form, SnapshotForm::Old);
    let found = snapshot::find(&installation.config, &domain(), None, Some(&path)).unwrap();
    assert!(matches!(found, Found::Portable { schema: Some(schema), .. } if schema == "shop"));
}

#[test]
fn the_cache_of_a_backup_is_read_and_what_is_damaged_is_read_anew() {
    let installation = Installation::new();
    let archive = installation.cache();
    let config = &installation.config;
    let source = source(config, &archive);
    let index = || Index::load(config, &domain());
    let known = index();
    let found = known.scan(&source).unwrap();
    assert_eq!((found.files, found.folders, found.links, found.bytes), (2, 1, 1, 3_006));
    assert_eq!((found.dump.as_ref().unwrap().rows(), found.db_tables()), (2, Some(1)));
    let listed = known.known(&archive, &source.parts[0].identity).unwrap();
    assert_eq!((listed.valid, listed.file_count, listed.read_at), (true, Some(2), MOMENT as i64));
    assert_eq!(known.layout(&archive, &source.parts[0]), found.layout.as_deref());
    let live = known.live.unwrap();
    assert_eq!((live.files, live.database, live.schema.as_deref()), (4_096, 16_384, Some("shop")));

    let path = archive.with_file_name(".backup_index.json");
    let whole = std::fs::read(&path).unwrap();
    for (cut, bytes) in cuts(&whole) {
        std::fs::write(&path, bytes).unwrap();
        assert!(index().scan(&source).is_none(), "cut at {cut}");
    }
    for (_, bytes) in flips(&whole).step_by(3) {
        std::fs::write(&path, bytes).unwrap();
        index().scan(&source);
    }
    let text = String::from_utf8(whole.clone()).unwrap();
    let other = text.replacen("\"schema\":", "\"schema\":9", 1);
    assert_ne!(other, text);
    for text in [other.as_str(), "{}", ""] {
        std::fs::write(&path, text).unwrap();
        assert!(index().scan(&source).is_none() && index().live.is_none(), "of another version");
    }

    // The catalogue takes the names that it has on this machine.
    std::fs::remove_file(&path).unwrap();
    preview::examine(&source, config, &Silent).unwrap();
    let place = |ending: &str| -> PathBuf {
        let folder = std::fs::read_dir(config.paths.base.join("restore_index/example.com")).unwrap().flatten();
        folder.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|found| found == ending)).unwrap()
    };
    let (tree, tables) = (place("tree"), place("tables"));
    let whole = fixture("cache/catalogue.tree");
    std::fs::write(&tree, &whole).unwrap();
    let mut reader = manifest::Reader::new(catalogue::open(config, &source).unwrap()).unwrap();
    let mut paths = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        paths.push((record.path.to_string(), record.kind, record.size));
    }
    let entry = |path: &str, kind, size| (path.to_owned(), kind, size);
    use EntryKind::{File as F, Folder, Symlink};
    assert_eq!(paths[..3], [entry("", Folder, 0), entry("index.php", F, 6), entry("wp-content", Folder, 0)]);
    assert_eq!(paths[3..], [entry("wp-content/style.css", F, 3_000), entry("link", Symlink, 0)]);
    for (at, bytes) in cuts(&whole).chain(flips(&whole)) {
        std::fs::write(&tree, bytes).unwrap();
        assert!(catalogue::open(config, &source).is_none(), "damaged at {at}");
    }
    let whole = fixture("cache/catalogue.tables");
    std::fs::write(&tables, &whole).unwrap();
    assert!(catalogue::create_texts(config, &source)["wp_posts"].starts_with("CREATE TABLE `wp_posts` (\n  `id` int"));
    for (at, bytes) in cuts(&whole).chain(flips(&whole)) {
        std::fs::write(&tables, bytes).unwrap();
        assert!(catalogue::create_texts(config, &source).is_empty(), "damaged at {at}");
    }
}

#[test]
fn the_manifest_of_a_staged_tree_is_read_and_damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest");
    let read = |bytes: &[u8]| -> Result<Vec<manifest::Record>, Error> {
        std::fs::write(&path, bytes).unwrap();
        let mut reader = manifest::Reader::new(File::open(&path).unwrap())?;
        let mut found = Vec::new();
        while let Some(record) = reader.next_record()? {
            found.push(record);
        }
        Ok(found)
    };
    let whole = fixture("staging/manifest");
    let records = read(&whole).unwrap();
    let shown: Vec<_> =
        records.iter().map(|record| (record.path.to_string(), record.kind, record.size, record.hash)).collect();
    let entry = |path: &str, kind, size, hash| (path.to_owned(), kind, size, hash);
    assert_eq!(
        shown,
        [
            entry("", EntryKind::Folder, 0, 0),
            entry("ảnh.jpg", EntryKind::File, 5 << 32, 0x0123_4567_89ab_cdef),
            entry("link", EntryKind::Symlink, 0, 0),
            entry("second.php", EntryKind::File, 0, 0),
            entry("index.php", EntryKind::File, 8, 2),
        ]
    );
    assert_eq!((records[0].mtime, records[1].mtime), (None, Some((MOMENT as i64, 5))));
    assert_eq!((records[1].mode, records[1].uid, records[1].gid), (0o644, 33, 33));
    assert_eq!((records[3].hard_link, records[3].link.as_slice()), (true, &b"index.php"[..]));
    for (at, bytes) in cuts(&whole).chain(flips(&whole)) {
        let code = read(&bytes).err().map(|error| error.code);
        assert!(matches!(code, Some(Code::JournalCorrupt | Code::IoFailed)), "damaged at {at}: {code:?}");
    }
}

#[test]
fn the_list_of_loaded_tables_is_read_up_to_its_first_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables");
    let present = ["wp_posts", "wp_options", "wp_\"users\""].map(str::to_owned);
    let whole = fixture("staging/tables");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let list = Checkpoint::open(&path, &present).unwrap();
        present.iter().filter_map(|table| list.earlier(table)).collect::<Vec<_>>()
    };
    let known = read(&whole);
    let shown: Vec<_> = known.iter().map(|whole| (whole.table.as_str(), whole.held, whole.rows, whole.bytes)).collect();
    assert_eq!(shown, [("wp_posts", 340, 340, 20_400), ("wp_\"users\"", 2, 2, 120)]);
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for (cut, bytes) in cuts(&whole[..=first]) {
        assert!(read(&bytes).is_empty(), "cut at {cut}");
    }
    let mut bad = whole;
    bad[0] ^= 0x10;
    assert!(read(&bad).is_empty());
}

#[test]
fn a_lock_names_its_job_and_damaged_rates_are_guessed_anew() {
    let Installation { _folder, config } = Installation::new();
    let locks = config.paths.jobs().join(".locks");
    std::fs::create_dir_all(&locks).unwrap();
    let named = |bytes: &[u8]| {
        std::fs::write(locks.join("example.com"), bytes).unwrap();
        lock::named(&config, &domain())
    };
    let whole = fixture("lock");
    assert_eq!(named(&whole), Some(job()));
    assert_eq!(lock::claimed(&config), [domain()]);
    for (cut, bytes) in cuts(&whole[..JOB.len()]) {
        assert_eq!(named(&bytes), None, "cut at {cut}");
    }
    let place = config.paths.jobs().join(".rates.json");
    std::fs::write(&place, fixture("rates.json")).unwrap();
    let rates = Rates { files: 120e6, database: 25e6, verify: 600e6, config_s: 0.5, jobs: 7 };
    assert_eq!(Rates::load(&config), rates);
    std::fs::write(&place, &fixture("rates.json")[..9]).unwrap();
    assert_eq!(Rates::load(&config), Rates::default());
}
