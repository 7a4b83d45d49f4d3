//! Makes the fixtures of `tests/fixtures/formats`: one of each file that outlives a process, written by the program's own writers.
//!
//! Names, times and numbers are fixed. What a machine decides (inode numbers, the folder a test works in) is replaced by a word of
//! [`BASE`] and [`INO`], which the tests put back.

use crate::private_server::PrivateServer;
use rocketvps_restore::api::{Choice, Exclude, Request};
use rocketvps_restore::backup::cache::index::Live;
use rocketvps_restore::backup::cache::remember;
use rocketvps_restore::backup::layout::Holds;
use rocketvps_restore::backup::name::Kind as BackupKind;
use rocketvps_restore::backup::source::{Form, Part, Role, Source};
use rocketvps_restore::backup::{Identity as FileIdentity, preview};
use rocketvps_restore::config::Config;
use rocketvps_restore::engine::commit::step::{self, Step};
use rocketvps_restore::engine::commit::{Record, manifest_of};
use rocketvps_restore::error::{Code, Error};
use rocketvps_restore::host::credentials::{self, Password, SiteAccount};
use rocketvps_restore::host::database::load::checkpoint::{Checkpoint, Whole};
use rocketvps_restore::host::database::{ForeignKey, NextValue, Object, ObjectKind, Objects, Switch};
use rocketvps_restore::host::services::Service;
use rocketvps_restore::host::site::Site;
use rocketvps_restore::host::site_database::{SiteDatabase, Word};
use rocketvps_restore::host::target::Target;
use rocketvps_restore::host::tree::{Identity, Kind as EntryKind, Unit, manifest};
use rocketvps_restore::job::ending::Report;
use rocketvps_restore::job::estimate::Rates;
use rocketvps_restore::job::folder::{JobFolder, file};
use rocketvps_restore::job::lock::DomainLock;
use rocketvps_restore::job::status::{Event, Io, PhaseState, PhaseStatus, Status};
use rocketvps_restore::job::ticket::{self, Ticket};
use rocketvps_restore::job::{JobId, Kind, State};
use rocketvps_restore::journal::Journal;
use rocketvps_restore::path::{Domain, RelPath};
use rocketvps_restore::plan::{Plan, Selection};
use rocketvps_restore::progress::{Level, Monitor, Phase, Silent};
use rocketvps_restore::report::Risk;
use rocketvps_restore::siteconf::{Change, Item, Side};
use rocketvps_restore::snapshot;
use rocketvps_restore::snapshot::retained::{self, Brought};
use serde_json::json;
use std::fs::{File, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The restore that the fixtures are of.
pub const JOB: &str = "20251004_030000_0123456789ab";
/// Stands in the fixtures for the installation's folder.
pub const BASE: &str = "/opt/rocketvps";
/// Stands in the fixtures for an inode number.
pub const INO: &str = "424242";
/// 2025-10-04 03:00:00 UTC.
pub const MOMENT: u64 = 1_759_546_800;

/// An installation as the fixtures know it: no value depends on the machine.
const TOML: &str = r#"
[paths]
base = "/opt/rocketvps"
php_pool_dir = "/etc/php/8.2/fpm/pool.d"
[services.php_fpm]
conf = "/etc/php/8.2/fpm/php-fpm.conf"
pidfile = "/run/php/php8.2-fpm.pid"
unit = "php8.2-fpm"
[sites."example.com"]
database = "shop"
"#;

const REQUEST: &str = r#"{"domain": "example.com", "backup": "latest",
  "components": {"files": ["wp-content/uploads/"], "database": ["wp_posts"], "config": ["nginx", "ssl"]},
  "exclude": {"files": ["**/*.log"]}, "options": {"exact": true}}"#;

pub fn domain() -> Domain {
    Domain::parse("example.com").unwrap()
}

pub fn job() -> JobId {
    JobId::parse(JOB).unwrap()
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path.as_bytes()).unwrap()
}

/// Writes every fixture below `into`.
pub fn make(into: &Path) {
    let work = tempfile::tempdir().unwrap();
    let config = Config::parse(TOML).unwrap();
    job_folder(&into.join("job"), work.path(), &config);
    journals(&into.join("job"), &config);
    lock_and_rates(into, work.path());
    staging(&into.join("staging"));
    retained_snapshot(&into.join("retained"), &config);
    portable_snapshot(&into.join("portable"), work.path());
    cache(&into.join("cache"), work.path());
}

/// A restore of parts, with everything that a request may say.
pub fn plan(config: &Config) -> Plan {
    let selection = Selection {
        files: Choice::Parts(vec!["wp-content/uploads/".into()]),
        database: Choice::Parts(vec!["wp_posts".into()]),
        config: vec![Item::Nginx, Item::Ssl],
        named: true,
        exclude: Exclude { files: vec!["**/*.log".into()], ..Exclude::default() },
        exact: true,
        allow_orphans: true,
        allow_unsafe_config: true,
        accept: vec![Risk::ChangeOver],
        probes: Vec::new(),
        keep_rows: Vec::new(),
    };
    let database = Some(("shop".to_owned(), Some("`shop`@`localhost`".to_owned())));
    let source = format!("{BASE}/backups/example.com/backup_20251003_030000.tar.gz");
    let target = Target { live: "/var/www/example.com".into(), staging: config.paths.staging() };
    Plan::restore(config, &job(), &domain(), target, selection, database, source)
}

fn job_folder(into: &Path, work: &Path, config: &Config) {
    let mut there = config.clone();
    there.paths.base = work.join("jobs");
    let ticket = Ticket {
        schema: ticket::SCHEMA,
        job: job(),
        kind: Kind::Restore,
        domain: Some(domain()),
        created: "2025-10-04T03:00:00+00:00".into(),
        request: Request::parse("restore_start", REQUEST).unwrap(),
        config: there.clone(),
    };
    let folder = JobFolder::create(&ticket).unwrap();
    folder.write(file::PLAN, &plan(config)).unwrap();
    let source = FileIdentity { ino: 424_242, size: 70_656, mtime: MOMENT as i64, mtime_ns: 5 };
    folder.write(file::SOURCE, &vec![source]).unwrap();
    folder.write("set_aside", &job()).unwrap();
    let phase = |phase, state, items, bytes| PhaseStatus {
        phase,
        state,
        items,
        items_total: Some(items).filter(|items| *items > 0),
        bytes,
        bytes_total: None,
        current: String::new(),
        elapsed_s: 1.5,
        remaining_s: Some(0.0),
        percent: if state == PhaseState::Skipped { 0.0 } else { 100.0 },
    };
    let status = Status {
        state: State::Done,
        percent: 100.0,
        phases: vec![
            phase(Phase::Files, PhaseState::Done, 12, 4_096),
            phase(Phase::Database, PhaseState::Done, 340, 20_480),
            phase(Phase::Config, PhaseState::Skipped, 0, 0),
            phase(Phase::Verify, PhaseState::Done, 12, 4_096),
        ],
        io: Io { total_mb_s: 3.5, read_mb_s: 1.5, write_mb_s: 2.0 },
        elapsed_s: 4.2,
        remaining_s: Some(0.0),
        last_event: 3,
        ..Status::queued(&ticket)
    };
    folder.write(file::STATUS, &status).unwrap();
    let event = |(seq, (level, message)): (u64, (Level, &str))| {
        let time = format!("2025-10-04T03:00:0{seq}.250+00:00");
        serde_json::to_string(&Event { seq, time, level, message: message.into() }).unwrap() + "\n"
    };
    let said = [(Level::Info, "staged 12 files"), (Level::Warn, "a \"note\"\nof two lines"), (Level::Error, "none")];
    std::fs::write(folder.join(file::EVENTS), (1..).zip(said).map(event).collect::<String>()).unwrap();
    let done = Report { state: State::Done, result: Some(json!({"domain": "example.com", "notes": []})), error: None };
    folder.write(file::REPORT, &done).unwrap();
    let error = Error::new(Code::BackupCorrupt, "backup_20251003_030000.tar.gz is cut off")
        .with("phase", "staging")
        .with("offset", 4_096);
    let failed = Report::<()> { state: State::RolledBack, result: None, error: Some(error) };
    folder.write("report_of_a_failure.json", &failed).unwrap();
    copy(folder.path(), into, &[(there.paths.base.to_str().unwrap(), BASE)]);
}

fn key(name: &str, table: &str, refers_to: &str) -> ForeignKey {
    ForeignKey {
        name: name.into(),
        table: table.into(),
        columns: vec!["post".into()],
        refers_schema: "shop".into(),
        refers_to: refers_to.into(),
        refers_columns: vec!["id".into()],
        on_update: "RESTRICT".into(),
        on_delete: "CASCADE".into(),
    }
}

/// Every kind of step and every side of a configuration file.
pub fn steps(plan: &Plan) -> Vec<Step> {
    let names = plan.database.as_ref().unwrap();
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let schema = || names.live.clone();
    let (old, new) = (plan.objects(), plan.new_objects());
    let saved = plan.snapshot.join("saved_config");
    let file = |byte: &str, mtime| Side::File { sha256: byte.repeat(32), mode: 0o640, uid: 0, gid: 33, mtime };
    let config = |item, target: &str, old, new| Step::Config {
        change: Change { item, target: target.into(), old, new },
        saved: saved.clone(),
    };
    vec![
        Step::SetNextValues {
            schema: schema(),
            values: vec![NextValue { table: "wp_links".into(), old: 1, new: 500 }],
        },
        Step::DropTriggers { schema: schema(), old: old.clone() },
        Step::DropForeignKeys { schema: schema(), keys: vec![key("of_post", "wp_postmeta", "wp_posts")] },
        Step::Switch {
            live: schema(),
            switch: Switch::exchange(&names.live, &names.kept, &own(&["wp_posts"]), &names.shadow, &own(&["wp_posts"])),
            brought: Some(Brought { tables: own(&["wp_posts"]), objects: vec![(ObjectKind::View, "titles".into())] }),
        },
        Step::AddForeignKeys { schema: schema(), keys: vec![key("of_post", "wp_postmeta", "wp_posts")] },
        Step::Exchange {
            staged: plan.tree.clone(),
            live: plan.document_root.clone(),
            new: Identity { ino: 11, born: Some(1_759_546_800_000_000_001) },
            old: Some(Identity { ino: 12, born: None }),
            around: vec!["/var/www".into()],
        },
        Step::Parts {
            live: plan.document_root.clone(),
            staged: plan.tree.clone(),
            units: plan.units(),
            count: 2,
            folders: Some(plan.folders()),
        },
        Step::RestoreObjects { schema: schema(), old, new },
        config(Item::Ssl, "/etc/letsencrypt/live/example.com", Side::Absent, Side::Folder { mode: 0o755 }),
        config(
            Item::Nginx,
            "/etc/nginx/sites-available/example.com",
            file("ab", 1_759_546_800_000_000_001),
            file("cd", 0),
        ),
        config(
            Item::Nginx,
            "/etc/nginx/sites-enabled/example.com",
            Side::Absent,
            Side::Link { to: "/etc/nginx/sites-available/example.com".into() },
        ),
        Step::Reload { service: Service::PhpFpm, lenient: false },
        Step::Reload { service: Service::Nginx, lenient: true },
    ]
}

/// A change-over that ended well, and one that was undone.
fn journals(into: &Path, config: &Config) {
    let steps = steps(&plan(config));
    let begin = |name: &str| {
        let mut journal = Journal::create(&into.join(name)).unwrap();
        journal.append(&Record::first()).unwrap();
        journal
    };
    let intent = |number: usize| {
        let step = steps[number].clone();
        let connection = step.is_of_database().then_some(7);
        Record::Intent { number, step, connection }
    };
    let mut journal = begin(file::JOURNAL);
    for number in 0..steps.len() {
        journal.append(&intent(number)).unwrap();
        journal.append(&Record::Done { number }).unwrap();
    }
    journal.append(&Record::Committed).unwrap();
    journal.append(&Record::Closed).unwrap();
    let mut journal = begin("journal_of_an_undoing");
    for record in [
        intent(0),
        Record::Done { number: 0 },
        intent(1),
        Record::Undo { number: 1, connection: Some(8) },
        Record::Undone { number: 1 },
        Record::Undo { number: 0, connection: None },
        Record::Undone { number: 0 },
        Record::Closed,
    ] {
        journal.append(&record).unwrap();
    }
}

fn lock_and_rates(into: &Path, work: &Path) {
    let mut config = Config::parse(TOML).unwrap();
    config.paths.base = work.join("locks");
    let mut lock = DomainLock::try_take(&config, &domain()).unwrap().unwrap();
    lock.claim(&job()).unwrap();
    let text = std::fs::read_to_string(config.paths.jobs().join(".locks/example.com")).unwrap();
    let (name, epoch) = text.split_once(' ').unwrap();
    assert_eq!((name, epoch.len()), (JOB, 8));
    std::fs::write(into.join("lock"), text.replace(epoch, "1a2b3c4d")).unwrap();
    Rates { files: 120e6, database: 25e6, verify: 600e6, config_s: 0.5, jobs: 7 }.save(&config);
    std::fs::copy(config.paths.jobs().join(".rates.json"), into.join("rates.json")).unwrap();
}

/// The manifest of a staged tree, with every kind of entry and a path that came twice, and the list of loaded tables.
fn staging(into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    let record = |path: &str, kind, size, hash, link: &str| manifest::Record {
        path: rel(path),
        kind,
        mode: if kind == EntryKind::Folder { 0o755 } else { 0o644 },
        uid: 33,
        gid: 33,
        size,
        mtime: Some((MOMENT as i64, 5)),
        hash,
        link: link.as_bytes().to_vec(),
        hard_link: false,
    };
    let records = [
        manifest::Record { mtime: None, ..record("", EntryKind::Folder, 0, 0, "") },
        record("index.php", EntryKind::File, 3, 1, ""),
        record("ảnh.jpg", EntryKind::File, 5 << 32, 0x0123_4567_89ab_cdef, ""),
        record("link", EntryKind::Symlink, 0, 0, "index.php"),
        manifest::Record { hard_link: true, ..record("second.php", EntryKind::File, 0, 0, "index.php") },
        record("index.php", EntryKind::File, 8, 2, ""),
    ];
    let mut writer = manifest::Writer::new(manifest::create(&into.join("manifest")).unwrap()).unwrap();
    let mut replaced = manifest::Replaced::default();
    for record in &records {
        let number = writer.append(record).unwrap();
        if number == 5 {
            replaced.note(&record.path, number).unwrap();
        }
    }
    writer.finish(&replaced).unwrap();
    let list = Checkpoint::open(&into.join("tables"), &[]).unwrap();
    for (table, held) in [("wp_posts", 340), ("wp_options", 20), ("wp_\"users\"", 2)] {
        list.whole(Whole { table: table.into(), held, rows: held, bytes: held * 60 });
    }
    list.not("wp_options").unwrap();
}

fn retained_snapshot(into: &Path, config: &Config) {
    let plan = plan(config);
    let mut steps = steps(&plan);
    // A change-over has one step for files.
    steps.retain(|step| !matches!(step, Step::Parts { .. }));
    let mut manifest = manifest_of(&plan, &steps, &Silent);
    manifest.units = Some(plan.units());
    manifest.folders = Some(plan.folders());
    retained::write(into, &manifest).unwrap();
    fix(&into.join("manifest.json"), "\"created\":\"", "\"", "2025-10-04T03:00:00");
    let object = |kind, name: &str, table: &str, create: &str| Object {
        kind,
        name: name.into(),
        table: table.into(),
        create: create.into(),
        sql_mode: if kind == ObjectKind::View { String::new() } else { "STRICT_TRANS_TABLES".into() },
        charset: "utf8mb4".into(),
        collation: "utf8mb4_general_ci".into(),
        time_zone: if kind == ObjectKind::Event { "SYSTEM".into() } else { String::new() },
    };
    let objects = Objects(vec![
        object(ObjectKind::Function, "one", "", "CREATE FUNCTION `one`() RETURNS int RETURN 1"),
        object(ObjectKind::Procedure, "two", "", "CREATE PROCEDURE `two`() SELECT 2"),
        object(ObjectKind::View, "titles", "", "CREATE VIEW `titles` AS SELECT `title` FROM `wp_posts`"),
        object(
            ObjectKind::Trigger,
            "stamp",
            "wp_posts",
            "CREATE TRIGGER `stamp` BEFORE INSERT ON `wp_posts` FOR EACH ROW SET @a = 1",
        ),
        object(ObjectKind::Event, "daily", "", "CREATE EVENT `daily` ON SCHEDULE EVERY 1 DAY DO SELECT 1"),
    ]);
    step::write_objects(&into.join("objects.json"), &objects).unwrap();
    let units = [
        Unit { path: rel("wp-content/uploads"), coming: Some(Identity { ino: 21, born: Some(-5) }) },
        Unit { path: RelPath::parse(b"caf\xe9").unwrap(), coming: None },
    ];
    step::write_units(&into.join("units.json"), &units).unwrap();
}

const SITE_SQL: &str = "CREATE DATABASE shop CHARACTER SET utf8mb4; USE shop; \
    CREATE TABLE wp_posts (id int PRIMARY KEY, title text) ENGINE=InnoDB; \
    INSERT INTO wp_posts VALUES (1, 'one'), (2, 'it''s two'); \
    CREATE VIEW titles AS SELECT title FROM wp_posts;";

/// A live site: one of each kind of entry, all of one moment.
fn site(root: &Path) {
    std::fs::create_dir_all(root.join("wp-content/uploads")).unwrap();
    std::fs::write(root.join("index.php"), "<?php\n").unwrap();
    std::fs::write(root.join("wp-content/uploads/a.txt"), "text".repeat(100)).unwrap();
    std::fs::hard_link(root.join("index.php"), root.join("second.php")).unwrap();
    symlink("wp-content", root.join("link")).unwrap();
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(MOMENT);
    for name in ["index.php", "wp-content/uploads/a.txt", "wp-content/uploads", "wp-content", "."] {
        let file = File::open(root.join(name)).unwrap();
        let mode = if file.metadata().unwrap().is_dir() { 0o755 } else { 0o644 };
        file.set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
        file.set_times(FileTimes::new().set_modified(moment)).unwrap();
    }
    let time = rustix::fs::Timespec { tv_sec: MOMENT as i64, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, root.join("link"), &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn portable_snapshot(into: &Path, work: &Path) {
    let server = PrivateServer::start(&[]);
    server.sql(SITE_SQL);
    let mut config = Config::parse(TOML).unwrap();
    config.paths.base = work.join("portable");
    config.paths.web_root = work.join("www");
    config.paths.nginx_available = work.join("nginx");
    config.paths.ssl = work.join("ssl");
    config.paths.php_pool_dir = work.join("pools");
    config.paths.cron = work.join("cron");
    config.mysql.socket = server.socket();
    site(&config.paths.web_root.join(domain().as_str()));
    for (folder, name, text) in [
        ("nginx", "example.com", "server { server_name example.com; }\n"),
        ("ssl/example.com", "fullchain.pem", "a certificate\n"),
        ("pools", "example.com.conf", "[example.com]\nuser = www-data\n"),
        ("cron", "example_com", "0 3 * * * www-data true\n"),
    ] {
        std::fs::create_dir_all(work.join(folder)).unwrap();
        std::fs::write(work.join(folder).join(name), text).unwrap();
    }
    let secrets = work.join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let account = SiteAccount {
        schema: "shop".into(),
        user: "root".into(),
        password: Password::new(""),
        host: None,
        source: "wp-config.php".into(),
    };
    let endpoint = credentials::endpoint_of(&config);
    let site = SiteDatabase { account, endpoint, definer: None, word: Word::Administrator, notes: Vec::new() };
    let silent: Arc<dyn Monitor> = Arc::new(Silent);
    let made =
        snapshot::create(&config, &Site::find(&config, &domain()).unwrap(), Some(&site), &secrets, &silent).unwrap();
    let folder = made.path;
    let part = |path: PathBuf| (path.to_str().unwrap().to_owned(), BASE);
    let places = [
        (config.paths.web_root.to_str().unwrap().to_owned(), "/var/www"),
        part(config.paths.nginx_available),
        part(config.paths.ssl),
        part(config.paths.php_pool_dir),
        part(config.paths.cron),
    ];
    let places: Vec<(&str, &str)> = places.iter().map(|(from, to)| (from.as_str(), *to)).collect();
    copy(&folder, into, &places);
    fix(&into.join("manifest.json"), "\"created\": \"", "\"", "2025-10-04T03:00:00");
    fix(&into.join("manifest.json"), "\"took_s\": ", "\n", "0.25");
    fix(&into.join("metadata.txt"), "timestamp=", "\n", "20251004_030000");
    fix(&into.join("metadata.txt"), "created=", "\n", "2025-10-04T03:00:00");
}

/// A full backup: an uncompressed tar, so that its bytes are the same whatever compresses.
fn archive(path: &Path) {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, content: &[u8], kind, link: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(if kind == tar::EntryType::Directory { 0o755 } else { 0o644 });
        header.set_mtime(MOMENT);
        header.set_uid(33);
        header.set_gid(33);
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        match link {
            "" => builder.append_data(&mut header, name, content).unwrap(),
            target => builder.append_link(&mut header, name, target).unwrap(),
        }
    };
    use tar::EntryType::{Directory, Regular, Symlink};
    add("www/", b"", Directory, "");
    add("www/index.php", b"<?php\n", Regular, "");
    add("www/wp-content/", b"", Directory, "");
    add("www/wp-content/style.css", &b"x".repeat(3_000), Regular, "");
    add("www/link", b"", Symlink, "wp-content");
    let dump = "CREATE TABLE `wp_posts` (\n  `id` int\n) ENGINE=InnoDB;\nINSERT INTO `wp_posts` VALUES (1),(2);\n-- Dump completed\n";
    add("database.sql", dump.as_bytes(), Regular, "");
    std::fs::write(path, builder.into_inner().unwrap()).unwrap();
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(MOMENT);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(moment)).unwrap();
}

/// What lies in the cache for one archive, and the archive.
fn cache(into: &Path, work: &Path) {
    let mut config = Config::parse(TOML).unwrap();
    config.paths.base = work.join("cache");
    let folder = config.paths.backups().join("example.com");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.join("backup_20251004_030000.tar");
    archive(&path);
    let source = source(&config, &path);
    preview::examine(&source, &config, &Silent).unwrap();
    let live = Live {
        at: "2025-10-04T03:00:00+00:00".into(),
        files: 4_096,
        database: 16_384,
        schema: Some("shop".into()),
        data_folder: Some("/var/lib/mysql".into()),
    };
    remember::live(&config, &domain(), live).unwrap();
    let ino = format!("\"ino\":{}", std::fs::metadata(&path).unwrap().ino());
    let ours = [(config.paths.base.to_str().unwrap(), BASE), (ino.as_str(), &format!("\"ino\":{INO}"))];
    copy(&folder, into, &ours);
    fix(&into.join(".backup_index.json"), "\"read_at\":", "}", &MOMENT.to_string());
    for entry in std::fs::read_dir(config.paths.base.join("restore_index/example.com")).unwrap().flatten() {
        let path = entry.path();
        if let Some(ending) = path.extension().and_then(|ending| ending.to_str()) {
            std::fs::copy(&path, into.join(format!("catalogue.{ending}"))).unwrap();
        }
    }
}

/// A source of one archive.
pub fn source(config: &Config, path: &Path) -> Source {
    let site = Site::find(config, &domain()).unwrap();
    let parts = vec![Part::open(path, Role::Archive).unwrap()];
    let (path, holds) = (path.to_owned(), Holds::DocumentRoot);
    Source {
        form: Form::Backup,
        path,
        stamp: None,
        kind: BackupKind::Full,
        parts,
        layout: None,
        holds,
        site,
        passed_over: Vec::new(),
        foreign: None,
    }
}

/// Copies the files of a folder. In those that are text, words of this machine are replaced.
pub fn copy(from: &Path, into: &Path, words: &[(&str, &str)]) {
    std::fs::create_dir_all(into).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => words.iter().fold(text, |text, (from, to)| text.replace(from, to)).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        std::fs::write(into.join(entry.file_name()), bytes).unwrap();
    }
}

/// Replaces what stands between `before` and the next `after`.
fn fix(path: &Path, before: &str, after: &str, by: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once(before).unwrap_or_else(|| panic!("{} has no {before}", path.display()));
    let (_, tail) = rest.split_once(after).unwrap();
    std::fs::write(path, format!("{head}{before}{by}{after}{tail}")).unwrap();
}
