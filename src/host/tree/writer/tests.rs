use super::*;
use crate::config::Permissions;
use crate::host::tree::{Extent, Sample, open_folder, verify};
use crate::progress::Silent;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// A staging folder with a tree being written, as whoever runs the test.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tree")).unwrap();
        Stage { folder }
    }

    fn tree(&self) -> std::path::PathBuf {
        self.folder.path().join("tree")
    }

    fn writer(&self) -> TreeWriter {
        let here = std::fs::metadata(self.folder.path()).unwrap();
        let owner = (here.uid(), here.gid());
        let policy = FilePolicy::new(owner, Permissions::Standard);
        let live = self.folder.path().join("live");
        let options = TreeOptions {
            document_root: Some("/var/www/example.com".into()),
            live: live.exists().then(|| Arc::new(open_folder(&live).unwrap())),
            link_targets: vec!["/srv/media".into()],
            ..TreeOptions::new(policy, 3)
        };
        let record = manifest::create(&self.folder.path().join("manifest")).unwrap();
        TreeWriter::create(open_folder(&self.tree()).unwrap(), options, record, Arc::new(Silent)).unwrap()
    }

    fn verify(&self, sample: Sample) -> crate::host::tree::TreeReport {
        let record = File::open(self.folder.path().join("manifest")).unwrap();
        verify(open_folder(&self.tree()).unwrap(), record, &Extent::default(), sample, 2, None, &Silent).unwrap()
    }
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text.as_bytes()).unwrap()
}

fn folder(name: &str) -> Entry {
    Entry { kind: EntryKind::Folder, mode: 0o755, ..Entry::file(name, 0) }
}

fn add_file(writer: &mut TreeWriter, name: &str, content: &[u8]) -> Result<()> {
    let entry = Entry { mtime: (1_700_000_000, 5), ..Entry::file(name, content.len() as u64) };
    writer.add(path(name), &entry, &mut &content[..])
}

fn add_link(writer: &mut TreeWriter, name: &str, target: &str) -> Result<()> {
    let entry = Entry { kind: EntryKind::Symlink(target.into()), ..Entry::file(name, 0) };
    writer.add(path(name), &entry, &mut &b""[..])
}

fn add_hard(writer: &mut TreeWriter, name: &str, target: &str) -> Result<()> {
    let entry = Entry { kind: EntryKind::HardLink(target.into()), ..Entry::file(name, 0) };
    writer.add(path(name), &entry, &mut &b""[..])
}

fn add_folder(writer: &mut TreeWriter, name: &str, mode: u32) -> Result<()> {
    let entry = Entry { mode, mtime: (1_600_000_000, 0), ..folder(name) };
    writer.add(path(name), &entry, &mut &b""[..])
}

fn noise(length: usize, mut seed: u32) -> Vec<u8> {
    std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    })
    .take(length)
    .collect()
}

#[test]
fn a_tree_is_as_its_entries_say_and_verifies() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    add_folder(&mut writer, "a", 0o555).unwrap();
    let sizes = [0, 1, 511, 70_000, BATCH_BYTES - 1, BATCH_BYTES, BATCH_BYTES + 1, 3 * BATCH_BYTES + 7];
    for (at, size) in sizes.into_iter().enumerate() {
        add_file(&mut writer, &format!("a/f{at}"), &noise(size, at as u32)).unwrap();
    }
    for at in 0..500 {
        add_file(&mut writer, &format!("deep/er/{at}"), &noise(at, 9)).unwrap();
    }
    add_link(&mut writer, "deep/link", "../a/f1").unwrap();
    add_hard(&mut writer, "deep/hard", "a/f7").unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!((summary.files, summary.folders, summary.links, summary.hard_links), (509, 3, 1, 1));
    assert_eq!(summary.bytes, sizes.iter().sum::<usize>() as u64 + 499 * 500 / 2);
    for (at, size) in sizes.into_iter().enumerate() {
        assert!(std::fs::read(stage.tree().join(format!("a/f{at}"))).unwrap() == noise(size, at as u32));
    }
    let folder = std::fs::metadata(stage.tree().join("a")).unwrap();
    assert_eq!((folder.mode() & 0o7777, folder.mtime()), (0o555, 1_600_000_000));
    let file = std::fs::metadata(stage.tree().join("a/f3")).unwrap();
    assert_eq!((file.mode() & 0o7777, file.mtime(), file.mtime_nsec()), (0o644, 1_700_000_000, 5));
    let hard = std::fs::metadata(stage.tree().join("deep/hard")).unwrap();
    assert_eq!(hard.ino(), std::fs::metadata(stage.tree().join("a/f7")).unwrap().ino());

    let report = stage.verify(Sample::Full);
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.compared, report.bytes), (513, summary.bytes));
    assert!(stage.verify(Sample::MetadataOnly).is_good());
}

/// Every kind of damage to a staged tree is found.
#[test]
fn verification_finds_what_was_changed_lost_or_added() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 9] = [
        ("content", |tree| {
            let times = std::fs::FileTimes::new()
                .set_modified(std::fs::metadata(tree.join("a/f")).unwrap().modified().unwrap());
            std::fs::write(tree.join("a/f"), "hellO").unwrap();
            File::options().write(true).open(tree.join("a/f")).unwrap().set_times(times).unwrap();
        }),
        ("size", |tree| std::fs::write(tree.join("a/f"), "hello!").unwrap()),
        ("gone", |tree| std::fs::remove_file(tree.join("a/f")).unwrap()),
        ("folder gone", |tree| std::fs::remove_dir_all(tree.join("a")).unwrap()),
        ("mode", |tree| std::fs::set_permissions(tree.join("a/f"), PermissionsExt::from_mode(0o666)).unwrap()),
        ("link", |tree| {
            std::fs::remove_file(tree.join("l")).unwrap();
            std::os::unix::fs::symlink("b", tree.join("l")).unwrap();
        }),
        ("type", |tree| {
            std::fs::remove_file(tree.join("a/f")).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", tree.join("a/f")).unwrap();
        }),
        ("extra file", |tree| std::fs::write(tree.join("a/x"), "").unwrap()),
        ("extra folder", |tree| std::fs::create_dir(tree.join("x")).unwrap()),
    ];
    for (name, damage) in damages {
        let stage = Stage::new();
        let mut writer = stage.writer();
        add_folder(&mut writer, "a", 0o755).unwrap();
        add_file(&mut writer, "a/f", b"hello").unwrap();
        add_link(&mut writer, "l", "a").unwrap();
        writer.finish().unwrap();
        assert!(stage.verify(Sample::Full).is_good());
        damage(&stage.tree());
        let report = stage.verify(Sample::Full);
        assert!(!report.is_good() && !report.differences.is_empty(), "{name}: {report:?}");
    }
}

#[test]
fn the_last_entry_of_a_path_wins_and_the_record_agrees() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    for round in 0..50 {
        add_file(&mut writer, "f", format!("small {round}").as_bytes()).unwrap();
        add_file(&mut writer, "big", &noise(BATCH_BYTES * 2, round)).unwrap();
    }
    add_link(&mut writer, "l", "f").unwrap();
    add_file(&mut writer, "l", b"no link any more").unwrap();
    add_folder(&mut writer, "d", 0o700).unwrap();
    add_folder(&mut writer, "d", 0o750).unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!(summary.replaced, 4);
    assert_eq!(std::fs::read(stage.tree().join("f")).unwrap(), b"small 49");
    assert_eq!(std::fs::read(stage.tree().join("l")).unwrap(), b"no link any more");
    assert!(std::fs::read(stage.tree().join("big")).unwrap() == noise(BATCH_BYTES * 2, 49));
    let report = stage.verify(Sample::Full);
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.compared, 4);
}

#[test]
fn holes_stay_holes() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    let content = noise(400_000, 3);
    let segments = vec![
        crate::archive::Segment { offset: 1 << 20, length: 300_000 },
        crate::archive::Segment { offset: 5 << 20, length: 100_000 },
    ];
    let entry = Entry { size: 64 << 20, segments: Some(segments), ..Entry::file("s", 400_000) };
    writer.add(path("s"), &entry, &mut content.as_slice()).unwrap();
    let empty = Entry { size: 1 << 20, segments: Some(vec![]), ..Entry::file("hole", 0) };
    writer.add(path("hole"), &empty, &mut &b""[..]).unwrap();
    assert_eq!(writer.finish().unwrap().bytes, 65 << 20);
    let mut expected = vec![0; 64 << 20];
    expected[1 << 20..][..300_000].copy_from_slice(&content[..300_000]);
    expected[5 << 20..][..100_000].copy_from_slice(&content[300_000..]);
    assert!(std::fs::read(stage.tree().join("s")).unwrap() == expected);
    assert!(std::fs::metadata(stage.tree().join("s")).unwrap().blocks() < 4096);
    assert!(stage.verify(Sample::Full).is_good());
}

#[test]
fn nothing_is_written_through_links_or_over_folders() {
    let outside = tempfile::tempdir().unwrap();
    let refused = |act: &dyn Fn(&mut TreeWriter) -> Result<()>| {
        let stage = Stage::new();
        let mut writer = stage.writer();
        let error = act(&mut writer).unwrap_err();
        assert!(writer.finish().is_err(), "a tree with a refused entry was finished");
        error.code
    };
    let target = outside.path().to_str().unwrap();
    assert_eq!(refused(&|writer| add_link(writer, "l", target)), Code::UnsafePath);
    assert_eq!(refused(&|writer| add_link(writer, "l", "../..")), Code::UnsafePath);
    let through = |writer: &mut TreeWriter| {
        add_folder(writer, "real", 0o755)?;
        add_link(writer, "l", "real")?;
        add_link(writer, "l2", "l")
    };
    for name in ["l/x", "l2/x", "l/x/y"] {
        let act = |writer: &mut TreeWriter| {
            through(writer)?;
            add_file(writer, name, b"x")
        };
        assert_eq!(refused(&act), Code::UnsafePath, "{name}");
    }
    let below_file = |writer: &mut TreeWriter| {
        add_file(writer, "f", b"x")?;
        add_file(writer, "f/g", b"x")
    };
    assert_eq!(refused(&below_file), Code::UnsafePath);
    let late = |writer: &mut TreeWriter| {
        add_folder(writer, "d", 0o755)?;
        add_file(writer, "d", b"x")?;
        while writer.shared.check().is_ok() {
            writer.flush()?;
        }
        writer.shared.check()
    };
    assert_eq!(refused(&late), Code::UnsafePath);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn hard_links_name_earlier_files_of_this_tree_only() {
    for target in ["/etc/shadow", "../x", "later", "dir", "link", "dirlink/f"] {
        let stage = Stage::new();
        let mut writer = stage.writer();
        add_folder(&mut writer, "dir", 0o755).unwrap();
        add_file(&mut writer, "dir/f", b"x").unwrap();
        add_link(&mut writer, "link", "dir/f").unwrap();
        add_link(&mut writer, "dirlink", "dir").unwrap();
        add_hard(&mut writer, "h", target).unwrap();
        let summary = writer.finish().unwrap();
        assert!(
            summary.stripped[0].starts_with(&format!("\"h\": another name of {target:?}")),
            "{:?}",
            summary.stripped
        );
        assert!(std::fs::symlink_metadata(stage.tree().join("h")).is_err(), "{target}");
    }
    // C42: the entry of another name does not change the file, a later file entry does not write through it
    let stage = Stage::new();
    let mut writer = stage.writer();
    add_file(&mut writer, "f", b"first").unwrap();
    let entry = Entry { kind: EntryKind::HardLink(b"f".to_vec()), mode: 0o4777, ..Entry::file("h", 0) };
    writer.add(path("h"), &entry, &mut &b""[..]).unwrap();
    add_file(&mut writer, "h", b"second").unwrap();
    writer.finish().unwrap();
    assert_eq!(std::fs::read(stage.tree().join("f")).unwrap(), b"first");
    assert_eq!(std::fs::read(stage.tree().join("h")).unwrap(), b"second");
    assert_eq!(std::fs::metadata(stage.tree().join("f")).unwrap().mode() & 0o7777, 0o644);
    assert!(stage.verify(Sample::Full).is_good());
}

#[test]
fn unknown_types_are_refused_and_dangerous_bits_stripped_and_told() {
    for kind in *b"QZs" {
        let stage = Stage::new();
        let mut writer = stage.writer();
        let entry = Entry { kind: EntryKind::Special(kind), ..Entry::file("x", 0) };
        assert_eq!(writer.add(path("x"), &entry, &mut &b""[..]).unwrap_err().code, Code::UnsafePath);
    }
    let stage = Stage::new();
    let mut writer = stage.writer();
    let xattrs = vec![
        (b"security.capability".to_vec(), vec![1]),
        (b"trusted.x".to_vec(), vec![1]),
        (b"system.posix_acl_access".to_vec(), vec![1]),
    ];
    let entry = Entry { mode: 0o6755, xattrs, ..Entry::file("f", 1) };
    writer.add(path("f"), &entry, &mut &b"x"[..]).unwrap();
    add_folder(&mut writer, "d", 0o3777).unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!((summary.stripped_total, summary.stripped.len()), (6, 6));
    let mode = |name: &str| std::fs::metadata(stage.tree().join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("f"), mode("d")), (0o644, 0o755));
}

#[test]
fn names_of_any_bytes_are_kept() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    for name in [&b"a\nb"[..], b"\xff\xfe", b"UPPER", b"upper", &[b'n'; 255]] {
        let name = RelPath::parse(name).unwrap();
        writer.add(name.clone(), &Entry::file(name.as_bytes(), 0), &mut &b""[..]).unwrap();
    }
    assert_eq!(writer.finish().unwrap().files, 5);
    assert!(stage.verify(Sample::Full).is_good());
}

#[test]
fn a_cut_entry_a_cancelled_job_and_a_dropped_writer_leave_no_thread() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    let entry = Entry::file("f", 100);
    assert_eq!(writer.add(path("f"), &entry, &mut &b"short"[..]).unwrap_err().code, Code::BackupCorrupt);
    assert!(writer.finish().is_err());

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
    let stage = Stage::new();
    let mut writer = stage.writer();
    writer.monitor = Arc::new(Stopped);
    let mut added = Ok(());
    for at in 0..1000 {
        added = add_file(&mut writer, &format!("f{at}"), b"x");
        if added.is_err() {
            break;
        }
    }
    assert_eq!(added.unwrap_err().code, Code::Cancelled);

    let stage = Stage::new();
    let mut writer = stage.writer();
    for at in 0..200 {
        add_file(&mut writer, &format!("f{at}"), &[1; 5000]).unwrap();
    }
    drop(writer);
}

#[test]
fn a_staging_folder_with_something_in_it_is_refused() {
    let stage = Stage::new();
    std::fs::write(stage.tree().join("x"), "").unwrap();
    let record = manifest::create(&stage.folder.path().join("m")).unwrap();
    let options = TreeOptions::new(FilePolicy::new((0, 0), Permissions::Standard), 1);
    assert!(TreeWriter::create(open_folder(&stage.tree()).unwrap(), options, record, Arc::new(Silent)).is_err());
}

#[test]
fn too_little_room_is_told_before_the_disk_is_full() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    writer.options.headroom_bytes = u64::MAX;
    let mut added = Ok(());
    for at in 0..5000 {
        added = add_file(&mut writer, &format!("f{at}"), b"x");
        if added.is_err() {
            break;
        }
    }
    assert_eq!(added.unwrap_err().code, Code::DiskFull);
}

fn add(writer: &mut TreeWriter, name: &str, kind: EntryKind) -> Result<()> {
    writer.add(path(name), &Entry { kind, ..Entry::file(name, 0) }, &mut &b""[..])
}

/// An archive that was added to (`tar -r`) has a file or a link first, and a folder of that name later.
#[test]
fn a_folder_takes_the_place_of_an_earlier_file_or_link() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    add_file(&mut writer, "f", b"old").unwrap();
    add(&mut writer, "l", EntryKind::Symlink(b"f".to_vec())).unwrap();
    for name in ["f", "l"] {
        writer.add(path(name), &folder(name), &mut &b""[..]).unwrap();
        add_file(&mut writer, &format!("{name}/in"), b"new").unwrap();
    }
    let summary = writer.finish().unwrap();
    assert_eq!((summary.replaced, summary.entries), (2, 4), "{summary:?}");
    assert_eq!(std::fs::read(stage.tree().join("l/in")).unwrap(), b"new");
    let report = stage.verify(Sample::Full);
    assert!(report.differences.is_empty(), "{report:?}");
    // A name that a link has already is not gone through without a folder's own entry.
    let stage = Stage::new();
    let mut writer = stage.writer();
    add(&mut writer, "l", EntryKind::Symlink(b"x".to_vec())).unwrap();
    assert_eq!(add_file(&mut writer, "l/in", b"").unwrap_err().code, Code::UnsafePath);
}

#[test]
fn what_no_site_needs_and_names_of_nothing_are_left_out_and_noted() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    add(&mut writer, "worker.ctl", EntryKind::Special(b'6')).unwrap();
    add(&mut writer, "dev", EntryKind::Special(b'3')).unwrap();
    writer.add_hard_link(path("name"), &path("missing")).unwrap();
    let summary = writer.finish().unwrap();
    assert_eq!(
        summary.stripped,
        [
            "\"worker.ctl\": a FIFO, was left out",
            "\"dev\": a device, was left out",
            "\"name\": another name of \"missing\", which is no file of the backup, was left out"
        ]
    );
    assert_eq!(std::fs::read_dir(stage.tree()).unwrap().count(), 0);
}

#[test]
fn a_link_out_of_the_site_is_made_where_the_live_site_has_it_or_the_administrator_allows_it() {
    let stage = Stage::new();
    std::fs::create_dir_all(stage.folder.path().join("live/a")).unwrap();
    std::os::unix::fs::symlink("../../../mnt/uploads", stage.folder.path().join("live/a/uploads")).unwrap();
    std::os::unix::fs::symlink("/mnt", stage.folder.path().join("live/other")).unwrap();
    let mut writer = stage.writer();
    let link = |target: &str| EntryKind::Symlink(target.as_bytes().to_vec());
    add(&mut writer, "a/uploads", link("../../../mnt/uploads")).unwrap();
    add(&mut writer, "media", link("/srv/media/shop")).unwrap();
    let writer = writer.finish().unwrap();
    assert_eq!(writer.links, 2);
    for (name, target) in [("b/uploads", "../../../mnt/uploads"), ("other", "/etc"), ("a/uploads/x", "/srv/x")] {
        let again = Stage::new();
        let mut writer = again.writer();
        let error = add(&mut writer, name, link(target)).unwrap_err();
        assert_eq!(error.code, Code::UnsafePath);
        assert!(error.hint.contains(&format!("--exclude-path {name}")), "{}", error.hint);
    }
}

#[test]
fn lost_execute_bits_and_times_beyond_the_filesystem_are_noted() {
    let stage = Stage::new();
    let mut writer = stage.writer();
    for (name, mode, mtime) in [("bin/run", 0o755, 7), ("bin/ctl", 0o700, 7), ("page", 0o644, 1 << 39)] {
        let entry = Entry { mode, mtime: (mtime, 0), ..Entry::file(name, 0) };
        writer.add(path(name), &entry, &mut &b""[..]).unwrap();
    }
    let summary = writer.finish().unwrap();
    let [lost, time] = summary.stripped.as_slice() else { panic!("{:?}", summary.stripped) };
    assert!(
        lost.starts_with("2 files lost their execute bits") && lost.ends_with(": \"bin/run\", \"bin/ctl\""),
        "{lost}"
    );
    assert!(time.starts_with("1 file of a time"), "{time}");
    assert!(stage.verify(Sample::Full).differences.is_empty());
}
