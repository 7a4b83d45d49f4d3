use super::*;
use crate::backup::contents::ByType;
use crate::backup::locate::{locate, locate_snapshot};
use crate::error::{Code, Error};
use crate::path::Domain;
use crate::progress::{Level, Silent};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::path::{Path, PathBuf};

struct Setting {
    _base: tempfile::TempDir,
    config: Config,
    domain: Domain,
}

impl Setting {
    fn new() -> Setting {
        let (_base, config, domain) = crate::backup::testing::setting();
        Setting { _base, config, domain }
    }

    fn put(&self, name: &str, members: &[(&str, &[u8])]) -> PathBuf {
        let path = self.config.paths.backups().join("example.com").join(name);
        std::fs::write(&path, archive(members)).unwrap();
        path
    }

    fn scan(&self, path: &Path) -> Result<Scan> {
        scan(&locate(&self.config, &self.domain, path.to_str().unwrap(), None)?, &self.config, &Silent)
    }
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const SQL: &[u8] = b"CREATE TABLE `a` (x int) ENGINE=InnoDB;\nINSERT INTO `a` VALUES (1),(2);\n-- Dump completed\n";
const NAME: &str = "backup_20251004_030000.tar.gz";

#[test]
fn one_reading_finds_files_database_and_configuration() {
    let setting = Setting::new();
    let path = setting.put(
        NAME,
        &[
            ("./database.sql", SQL),
            ("./www/", b""),
            ("./www/wp-includes/", b""),
            ("./www/wp-includes/version.php", b"<?php\n$wp_version = '6.1.9';\n$required_php_version = '5.6.20';\n"),
            ("./www/style.css", b"12345"),
            ("./www/LOGO.PNG", b"123"),
            ("./www/README", b"1"),
            ("./config/nginx.conf", b"server {}"),
        ],
    );
    let found = setting.scan(&path).unwrap();
    assert_eq!(found.layout.as_deref(), Some("design"));
    assert_eq!((found.files, found.folders), (4, 1));
    assert_eq!(found.by_type, ByType { php: 1, js: 0, css: 1, images: 1, other: 1 });
    assert_eq!(found.application.version.as_deref(), Some("6.1.9"));
    assert_eq!(found.application.php.as_deref(), Some("5.6.20"));
    let dump = found.dump.as_ref().unwrap();
    assert_eq!((dump.rows(), dump.complete, dump.bytes), (2, true, SQL.len() as u64));
    assert_eq!(found.config[0].content.as_deref(), Some(&b"server {}"[..]));
    assert_eq!(found.tree.iter().find(|node| node.path == "wp-includes/").unwrap().files, 1);
    assert!(!serde_json::to_string(&found).unwrap().contains("server {}"), "contents stay out of caches");
}

#[test]
fn compressed_dumps_inside_and_beside_are_counted() {
    let setting = Setting::new();
    let packed = gzip(SQL);
    let guide = setting.put(NAME, &[("files/a.php", b"x"), ("database/database.sql.gz", &packed)]);
    assert_eq!(setting.scan(&guide).unwrap().dump.unwrap().rows(), 2);
    let smart = setting.put("backup_20251005_030000.tar.gz", &[("var/www/example.com/a.php", b"x")]);
    std::fs::write(smart.with_file_name("database_20251005_030004.sql.gz"), &packed).unwrap();
    let dump = setting.scan(&smart).unwrap().dump.unwrap();
    assert_eq!((dump.name.as_str(), dump.rows()), ("database_20251005_030004.sql.gz", 2));
}

#[test]
fn damage_anywhere_is_found() {
    let setting = Setting::new();
    let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let path = setting.put(NAME, &[("www/a.bin", &noise), ("www/b.php", b"x")]);
    let whole = std::fs::read(&path).unwrap();
    for cut in [20, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(setting.scan(&path).unwrap_err().code, Code::BackupCorrupt, "cut at {cut}");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    assert_eq!(setting.scan(&path).unwrap_err().code, Code::BackupCorrupt);
    let packed = gzip(SQL);
    let inner = setting.put(NAME, &[("files/a", b"x"), ("database/database.sql.gz", &packed[..packed.len() - 3])]);
    assert_eq!(setting.scan(&inner).unwrap_err().code, Code::BackupCorrupt, "the dump inside is cut");
}

#[test]
fn unknown_and_hostile_archives_have_their_own_errors() {
    let setting = Setting::new();
    let unknown = setting.put(NAME, &[("photos/a", b"x")]);
    assert_eq!(setting.scan(&unknown).unwrap_err().code, Code::BackupLayoutUnknown);
    let mut small = setting.config.clone();
    small.limits.max_entries = 2;
    let many = setting.put(NAME, &[("www/a", b"x"), ("www/b", b"x"), ("www/c", b"x")]);
    let source = locate(&small, &setting.domain, many.to_str().unwrap(), None).unwrap();
    assert_eq!(scan(&source, &small, &Silent).unwrap_err().code, Code::LimitExceeded);
}

#[test]
fn a_reading_can_be_stopped() {
    struct Stopped;
    impl Monitor for Stopped {
        fn set_total(&self, _: Phase, _: u64, _: u64) {}
        fn advance(&self, _: Phase, _: u64, _: u64) {}
        fn current(&self, _: Phase, _: &str) {}
        fn event(&self, _: Level, _: &str) {}
        fn keep_going(&self) -> Result<()> {
            Err(Error::new(Code::Cancelled, "stop"))
        }
    }
    let setting = Setting::new();
    let path = setting.put(NAME, &[("www/a", b"x")]);
    let source = locate(&setting.config, &setting.domain, path.to_str().unwrap(), None).unwrap();
    assert_eq!(scan(&source, &setting.config, &Stopped).unwrap_err().code, Code::Cancelled);
}

#[test]
fn a_snapshot_is_read_like_a_backup() {
    let setting = Setting::new();
    let folder = setting.config.paths.snapshots().join("example.com/pre_restore_20251004_100000");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("files.tar.gz"), archive(&[("example.com/", b""), ("example.com/a.php", b"x")]))
        .unwrap();
    std::fs::write(folder.join("database.sql.gz"), gzip(SQL)).unwrap();
    std::fs::write(folder.join("config.tar.gz"), archive(&[("nginx.conf", b"server {}")])).unwrap();
    let source = locate_snapshot(&setting.config, &setting.domain, &folder).unwrap();
    let found = scan(&source, &setting.config, &Silent).unwrap();
    assert_eq!((found.files, found.dump.unwrap().rows(), found.config.len()), (1, 2, 1));
}

#[test]
fn a_checksum_beside_the_archive_is_held_against_it() {
    let setting = Setting::new();
    let path = setting.put(NAME, &[("www/a", b"x")]);
    let source = locate(&setting.config, &setting.domain, path.to_str().unwrap(), None).unwrap();
    let right = source.parts[0].sha256(&Silent).unwrap();
    let meta = path.with_file_name(format!("{NAME}.meta"));
    std::fs::write(&meta, format!("sha256={right}\n")).unwrap();
    assert_eq!(setting.scan(&path).unwrap().files, 1);
    std::fs::write(&meta, format!("sha256={}\n", "0".repeat(64))).unwrap();
    assert_eq!(setting.scan(&path).unwrap_err().code, Code::BackupCorrupt);
}
