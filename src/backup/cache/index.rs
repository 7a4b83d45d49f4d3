//! `.backup_index.json`: what was found inside each archive, kept so that a preview need not read it again.
//!
//! A finding holds for files of the same size, modification time, inode and checksum of both ends; a difference in any of
//! them means that the backup is read again. It is safe to delete and only shown: never a reason to skip a check. It lies in
//! the domain's backup folder when that folder is ours alone (so that nobody else can plant one), else in
//! `base/restore_index/`.

use crate::backup::cache::folder::{Fingerprint, folder, is_own_folder, key};
use crate::backup::contents::{BEYOND, Scan};
use crate::backup::identity::Identity;
use crate::backup::source::{Container, Part, Source};
use crate::config::Config;
use crate::disk::{Durable, open_ours, write_file};
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Name of the cache in a domain's backup folder.
pub const FILE_NAME: &str = ".backup_index.json";
const SCHEMA: u32 = 8;
/// Largest cache read.
const MAX_BYTES: u64 = 16 << 20;
/// Room for what was found in all archives; the longest unread go first.
const MAX_SCANS: usize = 8 << 20;
const MAX_ARCHIVES: usize = 2_000;

/// One archive's entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Known {
    /// Files the finding is about: the archive, then what belongs to it.
    pub files: Vec<Fingerprint>,
    /// The whole archive was read and is sound; `false`: it is damaged.
    pub valid: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its layout.
    pub layout: Option<String>,
    /// Regular files of the site.
    pub file_count: Option<u64>,
    /// Tables of the database.
    pub db_tables: Option<u64>,
    /// When it was read, seconds since 1970.
    pub read_at: i64,
}

/// What was last seen of the live site; an old figure is better than a long wait for a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// When, RFC 3339.
    pub at: String,
    /// Bytes of its files.
    pub files: u64,
    /// Bytes of its tables.
    pub database: u64,
    /// Its schema.
    pub schema: Option<String>,
    /// Where the database server keeps its tables, when that is on this machine.
    pub data_folder: Option<PathBuf>,
}

/// The cache of one domain.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Index {
    schema: u32,
    /// What was last seen of the live site.
    #[serde(default)]
    pub live: Option<Live>,
    archives: BTreeMap<String, Known>,
    /// What is in each sound archive. Kept as text: only the one that is asked for is parsed.
    scans: BTreeMap<String, Box<RawValue>>,
}

/// What is to be added to a cache.
pub struct Finding<'a> {
    /// The backup that was read.
    pub source: &'a Source,
    /// The fingerprints from before it was read.
    pub files: Vec<Fingerprint>,
    /// What is in it, or why it is damaged.
    pub result: std::result::Result<&'a Scan, &'a str>,
}

impl Known {
    /// Whether every file of the source is still the one that was read.
    fn is_of(&self, source: &Source) -> bool {
        // What lies deep in a folder changes without a sign at its top.
        if source.parts.iter().any(|part| part.container == Container::Folder) {
            return false;
        }
        let seem = self.files.iter().zip(&source.parts).all(|(file, part)| file.looks_like(&part.identity));
        seem && Fingerprint::all(source).is_ok_and(|now| now == self.files)
    }
}

impl Index {
    /// Reads the domain's cache; an unreadable, foreign or damaged one is an empty one.
    pub fn load(config: &Config, domain: &Domain) -> Index {
        let mut index = read(&place(config, domain)).filter(|index| index.schema == SCHEMA).unwrap_or_default();
        index.live = index.live.filter(|live| live.files.max(live.database) < BEYOND);
        index
    }

    /// What is known of the archive of this path, if it still looks like the file that was read. For lists: nothing is opened.
    pub fn known(&self, archive: &Path, identity: &Identity) -> Option<&Known> {
        let known = self.archives.get(&key(archive))?;
        known.files.iter().any(|file| file.looks_like(identity)).then_some(known)
    }

    /// Whether these very files were read before, and found damaged.
    pub fn is_damaged(&self, source: &Source) -> bool {
        self.archives.get(&source.key()).is_some_and(|known| !known.valid && known.is_of(source))
    }

    /// The layout of the backup at this path, if its first archive is still the one that was read.
    pub fn layout(&self, path: &Path, first: &Part) -> Option<&str> {
        let known = self.archives.get(&key(path))?;
        let file = known.files.first().filter(|file| file.looks_like(&first.identity))?;
        known.layout.as_deref().filter(|_| Fingerprint::of(first).is_ok_and(|now| now == *file))
    }

    /// What is in a source, if every file of it is still the one that was read.
    pub fn scan(&self, source: &Source) -> Option<Scan> {
        let key = source.key();
        self.archives.get(&key).filter(|known| known.is_of(source))?;
        // The site's document root may be elsewhere by now.
        let of_this_site = |scan: &Scan| scan.root_in_folder == source.site.root_in_folder();
        serde_json::from_str(self.scans.get(&key)?.get()).ok().filter(Scan::is_possible).filter(of_this_site)
    }

    /// The archives something is known of.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.archives.keys().map(String::as_str)
    }

    pub(super) fn put(&mut self, finding: &Finding) {
        let key = finding.source.key();
        let found = finding.result.ok();
        let known = Known {
            files: finding.files.clone(),
            valid: found.is_some(),
            why: finding.result.err().map(str::to_owned),
            layout: found.and_then(|scan| scan.layout.clone()),
            file_count: found.map(|scan| scan.files),
            db_tables: found.and_then(Scan::db_tables),
            read_at: jiff::Timestamp::now().as_second(),
        };
        self.scans.remove(&key);
        if let Some(text) = found.and_then(|scan| to_raw_value(scan).ok()) {
            self.scans.insert(key.clone(), text);
        }
        self.archives.insert(key, known);
    }

    /// Forgets what no longer exists, and what was read longest ago where it would become too much.
    fn tidy(&mut self) {
        // Behind the path of another program's backup stands what was chosen of it.
        self.archives.retain(|key, _| Path::new(key.lines().next().unwrap_or_default()).exists());
        let mut oldest: Vec<(i64, String)> =
            self.archives.iter().map(|(path, known)| (known.read_at, path.clone())).collect();
        oldest.sort_unstable();
        let excess = oldest.len().saturating_sub(MAX_ARCHIVES);
        for (_, path) in oldest.drain(..excess) {
            self.archives.remove(&path);
        }
        self.scans.retain(|path, _| self.archives.contains_key(path));
        let mut bytes: usize = self.scans.values().map(|text| text.get().len()).sum();
        for (_, path) in oldest {
            if bytes <= MAX_SCANS {
                break;
            }
            bytes -= self.scans.remove(&path).map_or(0, |text| text.get().len());
        }
    }
}

/// Reads the cache, changes it and writes it; the caller holds the lock of its writers.
///
/// # Errors
/// `io_failed`, `disk_full`: the caller may go on, it is only a cache.
pub(super) fn change(config: &Config, domain: &Domain, act: impl FnOnce(&mut Index)) -> Result<Index> {
    let mut index = Index::load(config, domain);
    index.schema = SCHEMA;
    act(&mut index);
    index.tidy();
    let path = place(config, domain);
    let text = serde_json::to_vec(&index)
        .map_err(|error| Error::new(Code::Internal, format!("the index cannot be written as JSON: {error}")))?;
    write_file(&path, &text, Durable::Nothing)?;
    Ok(index)
}

fn read(path: &Path) -> Option<Index> {
    let file = open_ours(path).ok()?;
    let length = file.metadata().ok()?.len();
    if length > MAX_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(length as usize + 1);
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Where the cache of a domain lies.
fn place(config: &Config, domain: &Domain) -> PathBuf {
    let backups = config.paths.backups().join(domain.as_str());
    if is_own_folder(&backups) { backups.join(FILE_NAME) } else { folder(config, domain).join("index.json") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::cache::remember;
    use std::fs::File;

    use crate::backup::testing::{setting, source};
    use std::fs::FileTimes;
    use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};

    struct Setting {
        base: tempfile::TempDir,
        config: Config,
        domain: Domain,
        archive: PathBuf,
    }

    impl Setting {
        fn new() -> Setting {
            let (base, config, domain) = setting();
            let archive = config.paths.backups().join("example.com/backup_20251004_030000.tar.gz");
            std::fs::write(&archive, vec![b'x'; 300 << 10]).unwrap();
            Setting { base, config, domain, archive }
        }

        fn source(&self, path: &Path) -> Source {
            source(&self.config, &self.domain, &[path])
        }

        fn store(&self, path: &Path, scan: &Scan) {
            let source = self.source(path);
            let finding = Finding { source: &source, files: Fingerprint::all(&source).unwrap(), result: Ok(scan) };
            remember::finding(&self.config, &finding, None).unwrap();
        }

        fn stored() -> Setting {
            let setting = Setting::new();
            setting.store(&setting.archive, &Scan { files: 7, ..Scan::default() });
            assert_eq!(setting.found().unwrap().files, 7);
            setting
        }

        fn index(&self) -> Index {
            Index::load(&self.config, &self.domain)
        }

        fn found(&self) -> Option<Scan> {
            self.index().scan(&self.source(&self.archive))
        }

        fn listed(&self, path: &Path) -> bool {
            let identity = Identity::of(&File::open(path).unwrap()).unwrap();
            self.index().known(&self.archive, &identity).is_some()
        }

        fn mtime(&self) -> std::time::SystemTime {
            std::fs::metadata(&self.archive).unwrap().modified().unwrap()
        }

        fn open(&self) -> File {
            File::options().read(true).write(true).open(&self.archive).unwrap()
        }
    }

    #[test]
    fn another_size_is_another_backup() {
        let setting = Setting::stored();
        let (mtime, file) = (setting.mtime(), setting.open());
        // The ends stay: bytes are put in between.
        file.write_at(&[b'x'; 10], 300 << 10).unwrap();
        file.set_times(FileTimes::new().set_modified(mtime)).unwrap();
        assert!(setting.found().is_none() && !setting.listed(&setting.archive));
    }

    #[test]
    fn another_modification_time_is_another_backup() {
        let setting = Setting::stored();
        let later = setting.mtime() + std::time::Duration::from_nanos(1_000);
        setting.open().set_times(FileTimes::new().set_modified(later)).unwrap();
        assert!(setting.found().is_none() && !setting.listed(&setting.archive));
    }

    #[test]
    fn another_inode_is_another_backup() {
        let setting = Setting::stored();
        let copy = setting.archive.with_file_name("copy");
        std::fs::copy(&setting.archive, &copy).unwrap();
        File::options()
            .write(true)
            .open(&copy)
            .unwrap()
            .set_times(FileTimes::new().set_modified(setting.mtime()))
            .unwrap();
        std::fs::rename(&copy, &setting.archive).unwrap();
        assert!(setting.found().is_none() && !setting.listed(&setting.archive));
    }

    #[test]
    fn other_bytes_at_either_end_are_another_backup() {
        for at in [5, (300 << 10) - 5] {
            let setting = Setting::stored();
            let (mtime, file) = (setting.mtime(), setting.open());
            file.write_at(b"y", at).unwrap();
            file.set_times(FileTimes::new().set_modified(mtime)).unwrap();
            assert!(setting.listed(&setting.archive), "size, time and inode are the same");
            assert!(setting.found().is_none(), "byte {at}");
            let index = setting.index();
            assert!(index.layout(&setting.archive, &setting.source(&setting.archive).parts[0]).is_none());
        }
    }

    #[test]
    fn a_part_more_or_fewer_is_another_backup() {
        let setting = Setting::stored();
        let mut source = setting.source(&setting.archive);
        source.parts.push(source.parts[0].clone());
        assert!(setting.index().scan(&source).is_none());
    }

    #[test]
    fn the_spelling_of_the_path_does_not_matter() {
        let setting = Setting::stored();
        let link = setting.base.path().join("link");
        std::os::unix::fs::symlink(setting.archive.parent().unwrap(), &link).unwrap();
        let other = link.join(setting.archive.file_name().unwrap());
        assert!(setting.index().scan(&setting.source(&other)).is_some());
    }

    #[test]
    fn what_was_deleted_is_forgotten() {
        let setting = Setting::stored();
        let other = setting.archive.with_file_name("backup_20251005_030000.tar.gz");
        std::fs::rename(&setting.archive, &other).unwrap();
        setting.store(&other, &Scan::default());
        let index = setting.index();
        assert_eq!((index.archives.len(), index.scans.len()), (1, 1));
    }

    #[test]
    fn it_is_written_where_only_we_can_write_and_read_only_from_there() {
        let setting = Setting::stored();
        let place = setting.archive.with_file_name(FILE_NAME);
        assert_eq!(std::fs::metadata(&place).unwrap().mode() & 0o777, 0o600);
        let folder = setting.archive.parent().unwrap();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(setting.found().is_none());
        setting.store(&setting.archive, &Scan { files: 8, ..Scan::default() });
        let private = setting.config.paths.base.join("restore_index/example.com");
        assert!(private.join("index.json").exists());
        assert_eq!(std::fs::metadata(private).unwrap().mode() & 0o777, 0o700);
        assert_eq!(setting.found().unwrap().files, 8);
    }

    #[test]
    fn one_that_others_could_write_or_that_is_a_link_is_not_read() {
        let setting = Setting::stored();
        let place = setting.archive.with_file_name(FILE_NAME);
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(setting.found().is_none());
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o600)).unwrap();
        let elsewhere = setting.base.path().join("planted.json");
        std::fs::rename(&place, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
        assert!(setting.found().is_none());
    }

    #[test]
    fn a_damaged_foreign_or_huge_one_is_an_empty_one() {
        let setting = Setting::stored();
        let place = setting.archive.with_file_name(FILE_NAME);
        let good = std::fs::read_to_string(&place).unwrap();
        for bad in [
            "{not json",
            "",
            "[]",
            "{\"schema\":1,\"archives\":{}}",
            &good.replace(&format!("\"schema\":{SCHEMA}"), "\"schema\":99"),
        ] {
            std::fs::write(&place, bad).unwrap();
            assert!(setting.found().is_none(), "{bad}");
        }
        std::fs::write(&place, good.clone() + &" ".repeat(MAX_BYTES as usize)).unwrap();
        assert!(setting.found().is_none());
        setting.store(&setting.archive, &Scan { files: 9, ..Scan::default() });
        assert_eq!(setting.found().unwrap().files, 9);
        // One entry that makes no sense is nothing known of that archive.
        let odd = std::fs::read_to_string(&place).unwrap().replace("\"files\":9", "\"files\":\"many\"");
        std::fs::write(&place, odd).unwrap();
        assert!(setting.found().is_none() && setting.listed(&setting.archive));
    }

    #[test]
    fn it_never_grows_beyond_its_bounds_and_the_newest_stay() {
        let setting = Setting::new();
        let long = Scan { layout: Some("x".repeat(MAX_SCANS / 2)), ..Scan::default() };
        for day in 1..=4 {
            let path = setting.archive.with_file_name(format!("backup_2025100{day}_030000.tar.gz"));
            std::fs::write(&path, "x").unwrap();
            let source = setting.source(&path);
            let files = Fingerprint::all(&source).unwrap();
            change(&setting.config, &setting.domain, |index| {
                index.put(&Finding { source: &source, files, result: Ok(&long) });
                // All of this happens within one second.
                index.archives.get_mut(&key(&path)).unwrap().read_at = day;
                index.archives.get_mut(&key(&path)).unwrap().layout = None;
            })
            .unwrap();
        }
        let index = setting.index();
        let left: Vec<&String> = index.scans.keys().collect();
        assert_eq!((index.archives.len(), left.len()), (4, 1));
        assert!(left[0].contains("20251004"), "{left:?}");
    }

    #[test]
    fn writers_at_the_same_time_lose_nothing() {
        let setting = Setting::new();
        let paths: Vec<PathBuf> =
            (10..26).map(|day| setting.archive.with_file_name(format!("backup_202510{day}_030000.tar.gz"))).collect();
        std::thread::scope(|scope| {
            for (number, path) in paths.iter().enumerate() {
                std::fs::write(path, "x").unwrap();
                let setting = &setting;
                scope.spawn(move || setting.store(path, &Scan { files: number as u64, ..Scan::default() }));
            }
        });
        let index = setting.index();
        for (number, path) in paths.iter().enumerate() {
            assert_eq!(index.scan(&setting.source(path)).unwrap().files, number as u64);
        }
        let left = std::fs::read_dir(setting.archive.parent().unwrap()).unwrap().flatten();
        let names: Vec<String> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.starts_with(".backup_index.json.")), "{names:?}");
    }

    #[test]
    fn what_was_seen_of_the_live_site_stays_beside_the_findings() {
        let setting = Setting::stored();
        let live = Live { at: "2025-10-04T03:00:00Z".into(), files: 5, ..Live::default() };
        remember::live(&setting.config, &setting.domain, live.clone()).unwrap();
        assert_eq!(setting.index().live, Some(live));
        assert!(setting.found().is_some());
    }
}
