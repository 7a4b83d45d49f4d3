//! The catalogue of a backup: every entry of the site as a restore would leave it, the last one of each path, in the format of
//! [`manifest`]; beside it the CREATE TABLE texts of its dump. Made by a whole reading and kept in our own private folder, for
//! previews of any depth and for comparing a backup with the live site. Only shown, never a reason to skip a check.
//!
//! Two files a backup, `PATH-KEY.tree` and `PATH-KEY.tables`: PATH stands for where the backup lies, KEY for the fingerprints
//! of its files, so that a catalogue of other files is never found. With them is `PATH-KEY.seek`, [`seek`].

use crate::archive::{Entry, EntryKind, Recorder};
use crate::backup::cache::folder::{self, Fingerprint};
use crate::backup::cache::seek::{self, Class, Seek};
use crate::backup::contents::{Scan, kind_of};
use crate::backup::source::{Container, Part, Source};
use crate::config::Config;
use crate::disk::{Durable, beside, is_dead_draft, open_ours, write_file};
use crate::error::{Code, Error, IoContext, Result};
use crate::host::tree::Kind;
use crate::host::tree::manifest::{self, Reader, Record, Replaced};
use crate::path::RelPath;
use crate::sql::tally::RowsRun;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const TREE: &str = "tree";
const TABLES: &str = "tables";
const SEEK: &str = "seek";
/// Most entries a catalogue is made of: their paths are told apart by 16 MiB of hashes.
pub const MAX_ENTRIES: u64 = 1_800_000;
/// Largest file of CREATE TABLE texts read; the texts themselves are bounded where they are collected.
const MAX_TABLES_BYTES: u64 = 16 << 20;

/// The catalogue that an earlier reading of these very files made: whole and undamaged, ready for [`Reader::new`].
pub fn open(config: &Config, source: &Source) -> Option<File> {
    let file = open_unchecked(config, source)?;
    let mut reader = Reader::new(file.try_clone().ok()?).ok()?;
    while reader.next_record().ok()?.is_some() {}
    Some(file)
}

/// The same for one who reads it to its end anyway, which tells about damage.
pub(crate) fn open_unchecked(config: &Config, source: &Source) -> Option<File> {
    open_ours(&place(config, source)?.with_extension(TREE)).ok()
}

/// The seek index that an earlier reading of these very files made.
pub(crate) fn open_seek(config: &Config, source: &Source) -> Option<Seek> {
    Seek::read(&place(config, source)?.with_extension(SEEK))
}

/// The CREATE TABLE texts of the backup's dump by table, as far as they were short enough to keep; empty when none are known.
pub fn create_texts(config: &Config, source: &Source) -> HashMap<String, String> {
    let read = || {
        let file = open_ours(&place(config, source)?.with_extension(TABLES)).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_TABLES_BYTES).read_to_end(&mut bytes).ok()?;
        let (sum, text) = bytes.split_first_chunk::<8>()?;
        (u64::from_le_bytes(*sum) == xxh3_64(text)).then(|| serde_json::from_slice(text).ok())?
    };
    read().unwrap_or_default()
}

/// Where the catalogue of a source lies, without its ending.
fn place(config: &Config, source: &Source) -> Option<PathBuf> {
    let files = Fingerprint::all(source).ok()?;
    Some(folder::folder(config, &source.site.domain).join(name(source, &files)))
}

fn name(source: &Source, files: &[Fingerprint]) -> String {
    let mut sum = Xxh3::new();
    for (file, part) in files.iter().zip(&source.parts) {
        sum.update(part.path.as_os_str().as_encoded_bytes());
        sum.update(format!("\n{} {}.{} {} {}\n", file.size, file.mtime, file.mtime_ns, file.ino, file.ends).as_bytes());
    }
    format!("{}-{:016x}", path_word(&source.key()), sum.digest())
}

fn path_word(key: &str) -> String {
    format!("{:016x}", xxh3_64(key.as_bytes()))
}

/// A catalogue that is being made. Dropped without [`Draft::publish`], nothing stays of it.
pub struct Draft {
    path: PathBuf,
    name: String,
    folder: PathBuf,
    writer: Option<manifest::Writer>,
    file: Option<File>,
    replaced: Replaced,
    seen: HashSet<u64>,
    /// The seek index; `None` where there is none of such a source.
    seek: Option<seek::Draft>,
}

impl Draft {
    /// Begins the catalogue of a source; `files` are its fingerprints from before it is read.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`: the caller may go on without.
    pub fn begin(config: &Config, source: &Source, files: &[Fingerprint]) -> Result<Draft> {
        let folder = folder::make_folder(config, &source.site.domain)?;
        let name = name(source, files);
        let path = beside(&folder.join(&name));
        let file = manifest::create(&path)?;
        // In layers an entry counts only where no newer one does.
        let seek = match source.is_layered() {
            true => None,
            false => Some(seek::Draft::begin(beside(&folder.join(format!("{name}.{SEEK}"))), source.parts.len())?),
        };
        let (replaced, seen) = (Replaced::default(), HashSet::new());
        let mut draft = Draft { path, name, folder, writer: None, file: None, replaced, seen, seek };
        draft.writer = Some(manifest::Writer::new(file)?);
        Ok(draft)
    }

    /// Begins a file of the source, which is its `number`th: what takes down the places at which it can be read.
    pub(crate) fn part(&mut self, number: usize, part: &Part) -> Option<Recorder> {
        let is_one_file = part.container == Container::Tar && part.is_plain();
        self.seek.as_mut().filter(|_| is_one_file)?.part(number, part.codec)
    }

    /// Ends the file that [`Draft::part`] began.
    pub(crate) fn end_part(&mut self) {
        if let Some(seek) = &mut self.seek {
            seek.end_part();
        }
    }

    /// Leaves out the seek index: only a whole reading tells what is wrong with the source.
    pub(crate) fn without_seek(&mut self) {
        self.seek = None;
    }

    /// Notes an entry that is none of the site's.
    pub(crate) fn pass(&mut self, entry: &Entry, class: Class) {
        if let Some(seek) = &mut self.seek {
            seek.entry(entry.begin, class);
        }
    }

    /// Notes the dump: the rows in its text, and the entry that it is; `None` for a file by itself.
    pub(crate) fn dump(&mut self, entry: Option<u64>, runs: Vec<RowsRun>) {
        if let Some(seek) = &mut self.seek {
            seek.dump(entry, runs);
        }
    }

    /// Adds an entry of the site; `link` is the target of a link as the site sees it.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`, `limit_exceeded`: the caller may go on without a catalogue.
    pub fn add(&mut self, path: &RelPath, entry: &Entry, hash: u64, link: Vec<u8>) -> Result<()> {
        let kind = kind_of(&entry.kind);
        if kind == Kind::Special {
            // What is said of it is said where it is met.
            self.without_seek();
            return Ok(());
        }
        self.pass(entry, Class::Site);
        let record = Record {
            path: path.clone(),
            kind,
            mode: entry.mode & 0o777,
            uid: entry.uid,
            gid: entry.gid,
            size: entry.size,
            mtime: Some(entry.mtime),
            hash,
            link,
            hard_link: matches!(entry.kind, EntryKind::HardLink(_)),
        };
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let number = writer.append(&record)?;
        if number >= MAX_ENTRIES {
            return Err(Error::new(Code::LimitExceeded, format!("a catalogue holds {MAX_ENTRIES} entries")));
        }
        if !self.seen.insert(xxh3_64(path.as_bytes())) {
            self.replaced.note(path, number)?;
        }
        Ok(())
    }

    /// Ends the catalogue; true when entries of it replaced earlier ones.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn finish(&mut self) -> Result<bool> {
        self.seen = HashSet::new();
        if let Some(writer) = self.writer.take() {
            self.file = Some(writer.finish(&self.replaced)?);
        }
        if self.replaced.count() > 0 {
            self.seek = None;
        }
        Ok(self.replaced.count() > 0)
    }

    /// The records of a finished draft, without the replaced ones.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn reader(&self) -> Result<Option<Reader>> {
        let Some(file) = &self.file else { return Ok(None) };
        Reader::new(file.try_clone().doing(|| format!("open {}", self.path.display()))?).map(Some)
    }

    /// Gives a finished draft its name, and puts the CREATE TABLE texts of the dump beside it.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn publish(mut self, found: &Scan) -> Result<()> {
        if self.file.take().is_none() {
            return Ok(());
        }
        let act = || format!("write {}", self.path.display());
        let tables = found.dump.iter().flat_map(|dump| &dump.tables);
        let texts: HashMap<&str, &str> =
            tables.filter_map(|table| Some((table.name.as_str(), table.create.as_deref()?))).collect();
        let text = serde_json::to_vec(&texts).unwrap_or_default();
        let bytes = [&xxh3_64(&text).to_le_bytes()[..], &text].concat();
        let place = |ending: &str| self.folder.join(format!("{}.{ending}", self.name));
        write_file(&place(TABLES), &bytes, Durable::Nothing)?;
        if let Some(seek) = self.seek.take() {
            // Without it the backup is read whole.
            let _ = seek.publish(&place(SEEK));
        }
        std::fs::rename(&self.path, place(TREE)).doing(act)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing there is nothing of that name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes the catalogues of backups that are gone, those of `source` that are of other files than the ones read, and
/// drafts of dead processes.
pub(crate) fn sweep<'a>(config: &Config, source: &Source, files: &[Fingerprint], known: impl Iterator<Item = &'a str>) {
    let Ok(entries) = std::fs::read_dir(folder::folder(config, &source.site.domain)) else { return };
    let current = name(source, files);
    let own = path_word(&source.key());
    let known: HashSet<String> = known.map(path_word).collect();
    for entry in entries.flatten() {
        let file = entry.file_name();
        let Some(file) = file.to_str() else { continue };
        let stale = match file.split_once('.') {
            Some((name, TREE | TABLES | SEEK)) => {
                let path = name.split('-').next().unwrap_or_default();
                !known.contains(path) || (path == own && name != current)
            }
            // As version 0.1.0 called its drafts.
            Some((_, ending)) if ending.ends_with(".draft") => true,
            _ => is_dead_draft(file),
        };
        if stale {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::backup::preview::{examine, examine_entries};

    use crate::backup::testing::{setting, source};
    use crate::path::Domain;
    use crate::progress::Silent;
    use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
    use std::path::Path;

    const SQL: &[u8] =
        b"CREATE TABLE `a` (\n  `x` int\n) ENGINE=InnoDB;\nINSERT INTO `a` VALUES (1);\n-- Dump completed\n";

    struct Setting {
        _base: tempfile::TempDir,
        config: Config,
        domain: Domain,
    }

    enum Member {
        File(&'static str, &'static [u8]),
        Folder(&'static str, u32),
        Link(&'static str, &'static str),
        Hard(&'static str, &'static str),
    }
    use Member::{File as F, Folder as D, Hard as H, Link as L};

    impl Setting {
        fn new() -> Setting {
            let (_base, config, domain) = setting();
            Setting { _base, config, domain }
        }

        fn put(&self, name: &str, members: &[Member]) -> PathBuf {
            let mut builder = tar::Builder::new(Vec::new());
            for member in members {
                let mut header = tar::Header::new_gnu();
                header.set_mode(0o640);
                header.set_mtime(1_000);
                header.set_size(0);
                match member {
                    F(path, content) => {
                        header.set_size(content.len() as u64);
                        builder.append_data(&mut header, path, *content).unwrap();
                    }
                    D(path, mode) => {
                        header.set_mode(*mode);
                        header.set_entry_type(tar::EntryType::Directory);
                        builder.append_data(&mut header, path, &b""[..]).unwrap();
                    }
                    L(path, target) => {
                        header.set_entry_type(tar::EntryType::Symlink);
                        builder.append_link(&mut header, path, target).unwrap();
                    }
                    H(path, target) => {
                        header.set_entry_type(tar::EntryType::Link);
                        builder.append_link(&mut header, path, target).unwrap();
                    }
                }
            }
            let path = self.config.paths.backups().join("example.com").join(name);
            std::fs::write(&path, builder.into_inner().unwrap()).unwrap();
            path
        }

        fn source(&self, paths: &[&Path]) -> Source {
            source(&self.config, &self.domain, paths)
        }

        fn records(&self, source: &Source) -> Vec<Record> {
            let mut reader = Reader::new(open(&self.config, source).unwrap()).unwrap();
            let mut records: Vec<Record> = std::iter::from_fn(|| reader.next_record().unwrap()).collect();
            records.sort_by(|one, other| one.path.cmp(&other.path));
            records
        }

        fn files(&self) -> Vec<PathBuf> {
            let folder = folder::folder(&self.config, &self.domain);
            std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect()
        }

        fn trees(&self) -> usize {
            self.files().iter().filter(|path| path.extension().is_some_and(|ending| ending == TREE)).count()
        }
    }

    #[test]
    fn of_a_dump_that_comes_twice_there_is_no_seek_index() {
        for (number, dumps) in [1, 2].into_iter().enumerate() {
            let setting = Setting::new();
            let members: Vec<Member> = std::iter::once(F("www/index.php", b"<?php"))
                .chain((0..dumps).map(|_| F("database.sql", SQL)))
                .collect();
            let path = setting.put(&format!("backup_2025100{number}_030000.tar.gz"), &members);
            let source = setting.source(&[&path]);
            examine(&source, &setting.config, &Silent).unwrap();
            assert_eq!(open_seek(&setting.config, &source).is_some(), dumps == 1, "{dumps}");
            assert!(open(&setting.config, &source).is_some());
        }
    }

    #[test]
    fn a_reading_leaves_every_entry_with_the_hash_of_its_content() {
        let setting = Setting::new();
        let large = vec![7; 600 << 10].leak();
        let path = setting.put(
            "backup_20251004_030000.tar.gz",
            &[
                D("www/", 0o750),
                F("www/a/Ảnh đẹp 'n\"\n.jpg", b"picture"),
                F("www/large.bin", large),
                L("www/l", "a/target"),
                H("www/h", "www/large.bin"),
                F("database.sql", SQL),
            ],
        );
        let source = setting.source(&[&path]);
        assert!(open(&setting.config, &source).is_none());
        examine(&source, &setting.config, &Silent).unwrap();
        let records = setting.records(&source);
        let shown: Vec<(String, Kind, u64, u64)> =
            records.iter().map(|r| (r.path.to_string(), r.kind, r.size, r.hash)).collect();
        assert_eq!(
            shown,
            [
                (String::new(), Kind::Folder, 0, 0),
                ("a/Ảnh đẹp 'n\"\n.jpg".into(), Kind::File, 7, xxh3_64(b"picture")),
                ("h".into(), Kind::File, 0, 0),
                ("l".into(), Kind::Symlink, 0, 0),
                ("large.bin".into(), Kind::File, large.len() as u64, xxh3_64(large)),
            ]
        );
        assert_eq!((records[0].mode, records[1].mode, records[1].mtime), (0o750, 0o640, Some((1_000, 0))));
        assert_eq!((records[2].hard_link, records[2].link.as_slice()), (true, &b"large.bin"[..]));
        assert_eq!(records[3].link, b"a/target");
        assert!(create_texts(&setting.config, &source)["a"].starts_with("CREATE TABLE `a` (\n  `x` int"));
        for path in setting.files() {
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o177, 0, "{path:?}");
        }
    }

    #[test]
    fn a_path_that_comes_twice_counts_once_and_its_last_entry_wins() {
        let setting = Setting::new();
        let path = setting.put(
            "backup_20251004_030000.tar.gz",
            &[F("www/a.php", b"old content"), F("www/b/x.css", b"1"), F("www/a.php", b"new"), D("www/b/", 0o755)],
        );
        let source = setting.source(&[&path]);
        let found = examine(&source, &setting.config, &Silent).unwrap();
        assert_eq!((found.files, found.folders, found.bytes, found.by_type.php), (2, 1, 4, 1));
        assert_eq!(found.tree.iter().find(|node| node.path == "a.php").unwrap().bytes, 3);
        let records = setting.records(&source);
        assert_eq!((records.len(), records[0].hash), (3, xxh3_64(b"new")));
    }

    #[test]
    fn a_chain_is_catalogued_and_counted_as_the_state_it_makes() {
        let setting = Setting::new();
        let full = setting.put(
            "backup_20251001_030000.tar.gz",
            &[
                D("var/www/example.com/", 0o755),
                F("var/www/example.com/a.php", b"one"),
                F("var/www/example.com/old/b.css", b"two"),
                F("var/www/example.com/was_folder/c.js", b"gone"),
                F("var/www/example.com/stays.png", b"stays"),
            ],
        );
        let one = setting.put(
            "backup_20251002_030000_incremental.tar.gz",
            &[F("var/www/example.com/a.php", b"second"), F("var/www/example.com/was_folder", b"file now")],
        );
        let two = setting.put(
            "backup_20251003_030000_incremental.tar.gz",
            &[
                D("var/www/example.com/", 0o700),
                F("var/www/example.com/a.php", b"third!!"),
                F("var/www/example.com/new.php", b"n"),
            ],
        );
        let nothing = setting.put("backup_20251004_030000_incremental.tar.gz", &[]);
        let source = setting.source(&[&full, &one, &two, &nothing]);
        let found = examine(&source, &setting.config, &Silent).unwrap();
        assert_eq!((found.files, found.bytes), (5, 7 + 3 + 8 + 5 + 1));
        assert_eq!((found.by_type.php, found.by_type.css, found.by_type.js, found.by_type.images), (2, 1, 0, 1));
        assert_eq!(found.layout.as_deref(), Some("smart_full"));
        let records = setting.records(&source);
        let shown: Vec<(String, u64)> = records.iter().map(|r| (r.path.to_string(), r.hash)).collect();
        assert_eq!(
            shown,
            [
                (String::new(), 0),
                ("a.php".into(), xxh3_64(b"third!!")),
                ("new.php".into(), xxh3_64(b"n")),
                ("old/b.css".into(), xxh3_64(b"two")),
                ("stays.png".into(), xxh3_64(b"stays")),
                ("was_folder".into(), xxh3_64(b"file now")),
            ]
        );
        assert_eq!(records[0].mode, 0o700, "the newest document root");
        // The chain and its base are two backups with a catalogue each.
        let base = setting.source(&[&full]);
        assert_eq!(examine(&base, &setting.config, &Silent).unwrap().files, 4);
        assert_eq!((setting.trees(), setting.records(&source).len()), (2, 6));
        // Another file in the middle of the chain makes it another one.
        setting.put("backup_20251002_030000_incremental.tar.gz", &[F("var/www/example.com/a.php", b"x")]);
        let changed = setting.source(&[&full, &one, &two, &nothing]);
        assert!(open(&setting.config, &changed).is_none());
        assert_eq!(examine(&changed, &setting.config, &Silent).unwrap().files, 5);
    }

    #[test]
    fn a_folder_that_several_archives_name_counts_once() {
        let setting = Setting::new();
        let folder = "var/www/example.com/f/";
        let full =
            setting.put("backup_20251001_030000.tar.gz", &[D(folder, 0o755), F("var/www/example.com/f/a", b"1")]);
        let one = setting.put("backup_20251002_030000_incremental.tar.gz", &[D(folder, 0o755)]);
        let two = setting.put("backup_20251003_030000_incremental.tar.gz", &[F("var/www/example.com/f/b", b"2")]);
        let source = setting.source(&[&full, &one, &two]);
        let found = examine(&source, &setting.config, &Silent).unwrap();
        assert_eq!((found.files, found.folders, setting.records(&source).len()), (2, 1, 3));
    }

    #[test]
    fn a_hard_link_to_a_file_that_was_replaced_keeps_the_old_content() {
        let setting = Setting::new();
        let full = setting.put(
            "backup_20251001_030000.tar.gz",
            &[
                F("var/www/example.com/a", b"old content"),
                H("var/www/example.com/one", "var/www/example.com/a"),
                H("var/www/example.com/two", "var/www/example.com/a"),
                F("var/www/example.com/b", b"b"),
                H("var/www/example.com/three", "var/www/example.com/b"),
            ],
        );
        let one = setting.put("backup_20251002_030000_incremental.tar.gz", &[F("var/www/example.com/a", b"new")]);
        let source = setting.source(&[&full, &one]);
        let found = examine(&source, &setting.config, &Silent).unwrap();
        assert_eq!((found.files, found.bytes), (5, 3 + 11 + 1));
        let records = setting.records(&source);
        let shown: Vec<(String, u64, bool, &[u8])> =
            records.iter().map(|r| (r.path.to_string(), r.hash, r.hard_link, r.link.as_slice())).collect();
        assert_eq!(
            shown,
            [
                ("a".into(), xxh3_64(b"new"), false, &b""[..]),
                ("b".into(), xxh3_64(b"b"), false, b""),
                ("one".into(), xxh3_64(b"old content"), false, b""),
                ("three".into(), 0, true, b"b"),
                ("two".into(), 0, true, b"one"),
            ]
        );
    }

    #[test]
    fn a_damaged_catalogue_is_none_and_is_made_again() {
        let setting = Setting::new();
        let path = setting.put("backup_20251004_030000.tar.gz", &[F("www/a", b"x"), F("database.sql", SQL)]);
        let source = setting.source(&[&path]);
        examine(&source, &setting.config, &Silent).unwrap();
        for ending in [TREE, TABLES] {
            let file =
                setting.files().into_iter().find(|path| path.extension().is_some_and(|end| end == ending)).unwrap();
            let at = std::fs::metadata(&file).unwrap().len() / 2;
            std::fs::File::options().write(true).open(&file).unwrap().write_at(b"xx", at).unwrap();
        }
        assert!(open(&setting.config, &source).is_none());
        assert!(create_texts(&setting.config, &source).is_empty());
        let (_, file) = examine_entries(&source, &setting.config, || None, &Silent).unwrap();
        assert!(file.is_some());
        assert_eq!(create_texts(&setting.config, &source).len(), 1);
        // One that others could have written is none either.
        let tree = setting.files().into_iter().find(|path| path.extension().is_some_and(|end| end == TREE)).unwrap();
        std::fs::set_permissions(tree, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert!(open(&setting.config, &source).is_none());
    }

    #[test]
    fn what_a_backup_that_is_gone_or_a_dead_reader_left_is_removed() {
        let setting = Setting::new();
        let old = setting.put("backup_20251003_030000.tar.gz", &[F("www/a", b"x")]);
        let new = setting.put("backup_20251004_030000.tar.gz", &[F("www/b", b"x")]);
        examine(&setting.source(&[&old]), &setting.config, &Silent).unwrap();
        std::fs::remove_file(&old).unwrap();
        let dead = folder::folder(&setting.config, &setting.domain).join(".0-0.4999999_0.tmp");
        let alive = dead.with_file_name(format!(".0-0.{}_99.tmp", std::process::id()));
        std::fs::write(&dead, "x").unwrap();
        std::fs::write(&alive, "x").unwrap();
        examine(&setting.source(&[&new]), &setting.config, &Silent).unwrap();
        assert_eq!((setting.trees(), dead.exists(), alive.exists()), (1, false, true));
        // A reading that fails leaves nothing.
        let cut = setting.put("backup_20251005_030000.tar.gz", &[F("www/b", b"x")]);
        std::fs::write(&cut, &std::fs::read(&cut).unwrap()[..700]).unwrap();
        examine(&setting.source(&[&cut]), &setting.config, &Silent).unwrap_err();
        let drafts = setting.files().iter().filter(|path| path.to_string_lossy().ends_with(".tmp")).count();
        assert_eq!((setting.trees(), drafts), (1, 1));
    }
}
