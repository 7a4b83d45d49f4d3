//! Archives made to do harm: each is refused with its error, or written without its harm, and nothing outside the
//! staging folder changes. The numbers are those of the project's table of faults.

use crate::world::fault::{run, text};
use crate::world::oracle::Side;
use crate::world::trial::{Dice, is_long, report, seed};
use crate::world::{self, DOMAIN, World};
use flate2::{Compression, write::GzEncoder};
use rocketvps_restore::archive::{self, Limits};
use rocketvps_restore::config::Permissions;
use rocketvps_restore::error::{Code, Result};
use rocketvps_restore::host::tree::{
    self, FilePolicy, Sample, TreeOptions, TreeSummary, TreeWriter, digest, manifest, open_folder,
};
use rocketvps_restore::path::RelPath;
use rocketvps_restore::progress::Silent;
use serde_json::json;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A machine in small: a neighbour whose files must stay as they are, and a folder to stage in.
struct Machine {
    folder: tempfile::TempDir,
    neighbour: String,
}

impl Machine {
    fn new() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let neighbour = folder.path().join("neighbour");
        std::fs::create_dir_all(neighbour.join("etc")).unwrap();
        std::fs::write(neighbour.join("etc/shadow"), "root:secret").unwrap();
        symlink("etc/shadow", neighbour.join("link")).unwrap();
        std::fs::create_dir_all(folder.path().join("stage/tree")).unwrap();
        let neighbour = digest(open_folder(&neighbour).unwrap()).unwrap();
        Machine { folder, neighbour }
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("stage/tree")
    }

    /// Extracts as a restore does, then checks that nothing outside the tree was touched.
    fn extract(&self, archive: &[u8], limits: Limits) -> Result<TreeSummary> {
        let result = self.write(archive, limits);
        let neighbour = digest(open_folder(&self.folder.path().join("neighbour")).unwrap()).unwrap();
        assert_eq!(neighbour, self.neighbour, "a neighbour's file was changed");
        let mut beside: Vec<_> = std::fs::read_dir(self.folder.path().join("stage"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        beside.sort();
        assert_eq!(beside, ["manifest", "tree"], "something was made beside the tree");
        if result.is_ok() {
            let record = std::fs::File::open(self.folder.path().join("stage/manifest")).unwrap();
            let report = tree::verify(
                open_folder(&self.tree()).unwrap(),
                record,
                &tree::Extent::default(),
                Sample::Full,
                2,
                None,
                &Silent,
            )
            .unwrap();
            assert!(report.is_good(), "{report:?}");
        }
        result
    }

    fn write(&self, archive: &[u8], limits: Limits) -> Result<TreeSummary> {
        let here = std::fs::metadata(self.folder.path()).unwrap();
        let policy = FilePolicy::new((here.uid(), here.gid()), Permissions::Preserve);
        let root = Some("/var/www/example.com".into());
        let options = TreeOptions { document_root: root, ..TreeOptions::new(policy, 2) };
        let record = manifest::create(&self.folder.path().join("stage/manifest"))?;
        let mut writer = TreeWriter::create(open_folder(&self.tree())?, options, record, Arc::new(Silent))?;
        let mut reader = archive::open(Cursor::new(archive), limits)?;
        while let Some(entry) = reader.next_entry()? {
            let path = RelPath::parse(&entry.path)?;
            writer.add(path, &entry, &mut reader)?;
        }
        writer.finish()
    }

    fn neighbour(&self, name: &str) -> String {
        self.folder.path().join("neighbour").join(name).to_str().unwrap().to_owned()
    }
}

/// Builds archives that no honest program would write.
#[derive(Default)]
struct Hostile(Vec<u8>);

impl Hostile {
    fn raw(mut self, name: &[u8], kind: u8, link: &[u8], mode: u32, content: &[u8]) -> Hostile {
        let long = |archive: Hostile, kind: u8, text: &[u8]| {
            archive.raw(b"././@LongLink", kind, b"", 0o644, &[text, b"\0"].concat())
        };
        if name.len() > 100 {
            self = long(self, b'L', name);
        }
        if link.len() > 100 {
            self = long(self, b'K', link);
        }
        let mut header = tar::Header::new_gnu();
        let name = &name[..name.len().min(100)];
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        let link = &link[..link.len().min(100)];
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link);
        header.set_mode(mode);
        header.set_uid(4_000_000);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        header.as_mut_bytes()[156] = kind;
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Hostile {
        self.raw(name.as_bytes(), b'0', b"", 0o644, content)
    }

    fn folder(self, name: &str, mode: u32) -> Hostile {
        self.raw(name.as_bytes(), b'5', b"", mode, b"")
    }

    fn link(self, name: &str, target: &str) -> Hostile {
        self.raw(name.as_bytes(), b'2', target.as_bytes(), 0o777, b"")
    }

    fn hard(self, name: &str, target: &str) -> Hostile {
        self.raw(name.as_bytes(), b'1', target.as_bytes(), 0o6777, b"")
    }

    fn tar(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }

    fn gz(self) -> Vec<u8> {
        pack(&self.tar())
    }
}

fn pack(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

fn code(archive: Hostile) -> Code {
    Machine::new().extract(&archive.gz(), Limits::default()).unwrap_err().code
}

#[test]
fn c38_paths_that_leave_the_root() {
    for name in ["../x", "/abs", "a/../../x", "a/..", "..", "./../x", "a/./../../x"] {
        assert_eq!(code(Hostile::default().file(name, b"x")), Code::UnsafePath, "{name}");
        assert_eq!(code(Hostile::default().folder(name, 0o755)), Code::UnsafePath, "{name}");
        assert_eq!(code(Hostile::default().link(name, "x")), Code::UnsafePath, "{name}");
    }
}

#[test]
fn c39_c40_symlinks_and_what_is_written_through_them() {
    let machine = Machine::new();
    let etc = machine.neighbour("etc");
    for archive in [
        Hostile::default().link("l", &etc).file("l/passwd", b"x"),
        Hostile::default().link("l", "../../neighbour/etc").file("l/passwd", b"x"),
        Hostile::default().folder("d", 0o755).link("d/s", ".").link("l", "d/s/../../../neighbour").file("l/x", b"x"),
        Hostile::default().link("l", &etc).folder("l", 0o777),
        Hostile::default().folder("a", 0o755).link("l", "a").file("l/x", b"x"),
        Hostile::default().folder("a", 0o755).link("l", "a").link("m", "l").file("m/x", b"x"),
        Hostile::default().link("l", &machine.neighbour("etc/shadow")).file("l", b"x"),
        Hostile::default().folder("a", 0o755).link("a/l", "../..").folder("a/l/x", 0o777),
    ] {
        assert_eq!(code(archive), Code::UnsafePath);
    }
    // A folder of the link's name takes its place, and what comes below it does not go where the link led.
    let archive = Hostile::default().folder("a", 0o755).link("l", "a").folder("l", 0o755).file("l/x", b"x");
    machine.extract(&archive.gz(), Limits::default()).unwrap();
    assert_eq!(std::fs::read_dir(machine.tree().join("a")).unwrap().count(), 0);
    assert_eq!(std::fs::read(machine.tree().join("l/x")).unwrap(), b"x");
}

#[test]
fn c41_c42_hard_links() {
    let machine = Machine::new();
    for target in ["/etc/shadow", "../neighbour/etc/shadow", "later", "link", "a", ".", &machine.neighbour("link")] {
        let archive = Hostile::default().folder("a", 0o755).link("link", "a/f").hard("h", target).file("later", b"x");
        let machine = Machine::new();
        let summary = machine.extract(&archive.gz(), Limits::default()).unwrap();
        assert!(summary.stripped[0].contains("which is no file of the backup, was left out"), "{:?}", summary.stripped);
        assert!(std::fs::symlink_metadata(machine.tree().join("h")).is_err(), "{target}");
    }
    let machine = Machine::new();
    let archive = Hostile::default().file("f", b"x").hard("h", "f").hard("h", "f");
    let summary = machine.extract(&archive.gz(), Limits::default()).unwrap();
    assert_eq!(summary.hard_links, 2);
    assert_eq!(std::fs::metadata(machine.tree().join("f")).unwrap().mode() & 0o7777, 0o644);
}

#[test]
fn c44_devices_fifos_and_unknown_types() {
    for kind in *b"346" {
        let machine = Machine::new();
        let archive = Hostile::default().raw(b"x", kind, b"", 0o666, b"").file("y", b"");
        assert_eq!(machine.extract(&archive.gz(), Limits::default()).unwrap().stripped.len(), 1);
        assert!(std::fs::symlink_metadata(machine.tree().join("x")).is_err(), "{kind}");
    }
    for kind in *b"QZ\x01" {
        assert_eq!(code(Hostile::default().raw(b"x", kind, b"", 0o666, b"")), Code::UnsafePath, "{kind}");
    }
}

#[test]
fn c45_c46_set_id_bits_and_foreign_owners() {
    let machine = Machine::new();
    let archive = Hostile::default().raw(b"su", b'0', b"", 0o6755, b"x").folder("d", 0o3777);
    let summary = machine.extract(&archive.gz(), Limits::default()).unwrap();
    assert_eq!(summary.stripped_total, 2);
    let here = std::fs::metadata(machine.folder.path()).unwrap();
    for (name, mode) in [("su", 0o755), ("d", 0o777)] {
        let found = std::fs::metadata(machine.tree().join(name)).unwrap();
        assert_eq!((found.mode() & 0o7777, found.uid(), found.gid()), (mode, here.uid(), here.gid()), "{name}");
    }
}

/// A record of a PAX header: its length, in it the length's own digits, then the rest.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (rest..).find(|length| length - length.to_string().len() == rest).unwrap();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

#[test]
fn c45_capabilities_and_attributes_that_grant_rights() {
    let machine = Machine::new();
    // cap_net_bind_service and all others, permitted and effective
    let capability = [&[1, 0, 0, 2][..], &[0xff; 8], &[0; 8]].concat();
    let told: Vec<u8> = [
        record("SCHILY.xattr.security.capability", &capability),
        record("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        record("SCHILY.xattr.system.posix_acl_access", &[2, 0, 0, 0]),
        record("SCHILY.xattr.security.selinux", b"unconfined"),
        record("SCHILY.xattr.user.note", b"kept"),
    ]
    .concat();
    let archive = Hostile::default().raw(b"x", b'x', b"", 0o644, &told).raw(b"su", b'0', b"", 0o755, b"x");
    let summary = machine.extract(&archive.gz(), Limits::default()).unwrap();
    assert_eq!(summary.stripped_total, 4, "{:?}", summary.stripped);
    for name in ["security.capability", "trusted.overlay.opaque", "system.posix_acl_access", "security.selinux"] {
        assert!(summary.stripped.iter().any(|said| said.contains(name)), "{name}: {:?}", summary.stripped);
    }
    let file = std::fs::File::open(machine.tree().join("su")).unwrap();
    let mut names = Vec::with_capacity(4096);
    rustix::fs::flistxattr(&file, rustix::buffer::spare_capacity(&mut names)).unwrap();
    assert_eq!(String::from_utf8(names).unwrap(), "user.note\0");
}

#[test]
fn c47_names() {
    let machine = Machine::new();
    let archive = Hostile::default()
        .file("same", b"1")
        .file("Same", b"2")
        .file("same", b"3")
        .file("new\nline", b"4")
        .raw(b"\xff\xfe", b'0', b"", 0o644, b"5");
    let summary = machine.extract(&archive.gz(), Limits::default()).unwrap();
    assert_eq!((summary.files, summary.replaced), (5, 1));
    assert_eq!(std::fs::read(machine.tree().join("same")).unwrap(), b"3");
    assert_eq!(code(Hostile::default().raw(&[b'n'; 256], b'0', b"", 0o644, b"")), Code::LimitExceeded);
    assert_eq!(code(Hostile::default().raw(&b"dir/".repeat(1024), b'0', b"", 0o644, b"")), Code::LimitExceeded);
    let nul = Hostile::default().raw(b"././@LongLink", b'L', b"", 0o644, b"a\0/../b\0").file("a", b"x");
    assert_eq!(code(nul), Code::UnsafePath);
    assert_eq!(code(Hostile::default().folder("f", 0o755).file("f/g", b"x").file("f", b"x")), Code::UnsafePath);
    assert_eq!(code(Hostile::default().folder("f", 0o755).link("f", "g")), Code::UnsafePath);
}

#[test]
fn c48_two_sizes_for_one_file() {
    for (header, extension) in [(5u32, "9"), (9, "5"), (512, "0"), (0, "512")] {
        let record = format!("{} size={extension}\n", 8 + extension.len() + 1);
        let text = if record.len() == 10 { format!("10 size={extension}\n") } else { record };
        let archive = Hostile::default()
            .raw(b"pax", b'x', b"", 0o644, text.as_bytes())
            .raw(b"f", b'0', b"", 0o644, &vec![b'x'; header as usize])
            .file("hidden", b"x");
        assert_eq!(code(archive), Code::BackupCorrupt, "{header} {extension}");
    }
}

#[test]
fn c49_members_and_garbage() {
    let plain = Hostile::default().file("a", &[7; 3000]).file("b", b"x").tar();
    let members: Vec<u8> = plain.chunks(700).flat_map(pack).collect();
    assert_eq!(Machine::new().extract(&members, Limits::default()).unwrap().files, 2);
    let padded = [members.as_slice(), &[0; 700]].concat();
    assert_eq!(Machine::new().extract(&padded, Limits::default()).unwrap().files, 2);
    for garbage in [&b"#!/bin/sh"[..], b"\x1f\x8bgarbage", b"\0\0\0!"] {
        let file = [members.as_slice(), garbage].concat();
        assert_eq!(Machine::new().extract(&file, Limits::default()).unwrap_err().code, Code::BackupCorrupt);
    }
    // a second archive behind the end of the first, which other programs would not show
    let second = [plain, Hostile::default().file("c", b"x").tar()].concat();
    assert_eq!(Machine::new().extract(&pack(&second), Limits::default()).unwrap_err().code, Code::BackupCorrupt);
}

#[test]
fn c50_cuts_and_flipped_bits() {
    let mut noise = 1u32;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(60_000)
    .collect();
    let archive =
        Hostile::default().folder("d", 0o755).file("d/noise", &content).file("text", &b"php ".repeat(9000)).gz();
    let every = if is_long() { 11 } else { 997 };
    let (mut cuts, mut flips, mut harmless) = (0, 0, 0);
    for end in (0..archive.len()).step_by(4096).chain([archive.len() - 1]) {
        let error = Machine::new().extract(&archive[..end], Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::BackupCorrupt, "cut at {end}");
        cuts += 1;
    }
    // a flip that changes nothing that is unpacked (padding, another way to say the same) is no damage
    for at in (10..archive.len()).step_by(every).chain(archive.len() - 8..archive.len()) {
        flips += 1;
        let mut bad = archive.clone();
        bad[at] ^= 1 << (at % 8);
        let machine = Machine::new();
        match machine.extract(&bad, Limits::default()) {
            Err(error) => assert_eq!(error.code, Code::BackupCorrupt, "bit at {at}"),
            Ok(_) => {
                harmless += 1;
                assert!(at < archive.len() - 8, "a wrong checksum at {at} was accepted");
                assert!(std::fs::read(machine.tree().join("d/noise")).unwrap() == content, "bit at {at}");
                assert!(std::fs::read(machine.tree().join("text")).unwrap() == b"php ".repeat(9000), "bit at {at}");
            }
        }
    }
    report("c50", json!({"cuts": cuts, "flips": flips, "harmless_flips": harmless}));
}

#[test]
fn c51_bombs() {
    let limits = Limits { entries: 2000, bytes: 32 << 20 };
    let refused = |archive: &[u8]| Machine::new().extract(archive, limits).unwrap_err().code;
    // the size is told before the content: nothing is unpacked
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let mut header = tar::Header::new_gnu();
    header.set_path("bomb").unwrap();
    header.set_size(64 << 30);
    header.set_cksum();
    packer.write_all(header.as_bytes()).unwrap();
    assert_eq!(refused(&packer.finish().unwrap()), Code::LimitExceeded);
    // many files, each small enough
    let many = (0..40).fold(Hostile::default(), |archive, at| archive.file(&format!("f{at}"), &vec![0; 1 << 20]));
    assert_eq!(refused(&many.gz()), Code::LimitExceeded);
    let empty = (0..3000).fold(Hostile::default(), |archive, at| archive.file(&format!("f{at}"), b""));
    assert_eq!(refused(&empty.gz()), Code::LimitExceeded);
    assert_eq!(code(Hostile::default().folder(&"d/".repeat(10_000), 0o755)), Code::LimitExceeded);
    // a hole of an exbibyte, told in a few bytes: in the three forms that tar has for it
    for size in ["1152921504606846976", "67108864"] {
        let told = [
            record("GNU.sparse.major", b"1"),
            record("GNU.sparse.minor", b"0"),
            record("GNU.sparse.name", b"hole"),
            record("GNU.sparse.realsize", size.as_bytes()),
        ];
        let map = [&b"1\n0\n1\n"[..], &[0; 506], b"x"].concat();
        let sparse = Hostile::default().raw(b"x", b'x', b"", 0o644, &told.concat()).file("hole", &map);
        assert_eq!(refused(&sparse.gz()), Code::LimitExceeded, "{size}");
    }
    // zeros behind the end mark
    let mut padded = Hostile::default().file("f", b"x").tar();
    padded.resize(40 << 20, 0);
    assert_eq!(refused(&pack(&padded)), Code::LimitExceeded);
}

/// C43: while another process exchanges a folder of the tree for a link to a neighbour, again and again, nothing is
/// ever written into the neighbour. (A real staging folder is closed to everyone else; here the attacker is root.)
#[test]
fn c43_folders_swapped_during_the_extraction() {
    let machine = Machine::new();
    let archive = (0..1500)
        .fold(Hostile::default().folder("d", 0o755), |archive, at| {
            archive.folder(&format!("d/s{at}"), 0o755).file(&format!("d/s{at}/shadow"), b"evil")
        })
        .gz();
    let tries = if is_long() { 100_000 } else { 500 };
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut rounds = 0;
    std::thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let (folder, link) = (machine.tree().join("d"), machine.folder.path().join("evil"));
            symlink(machine.folder.path().join("neighbour/etc"), &link).unwrap();
            let here = open_folder(machine.folder.path()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                let Ok(tree) = open_folder(&machine.tree()) else { continue };
                if folder.exists() && tree::exchange(&tree, "d".as_ref(), &here, "evil".as_ref()).is_ok() {
                    swaps.fetch_add(1, Ordering::Relaxed);
                    let _ = tree::exchange(&tree, "d".as_ref(), &here, "evil".as_ref());
                }
            }
        });
        while rounds < 3 || (swaps.load(Ordering::Relaxed) < tries && rounds < 5000) {
            rounds += 1;
            let _ = machine.write(&archive, Limits::default());
            let tree = open_folder(&machine.folder.path().join("stage")).unwrap();
            let _ = tree::remove(&tree, "tree".as_ref(), &Silent);
            let _ = std::fs::remove_file(machine.folder.path().join("stage/manifest"));
            let _ = std::fs::create_dir(machine.tree());
        }
        stop.store(true, Ordering::Relaxed);
        attacker.join().unwrap();
    });
    let swaps = swaps.into_inner();
    assert!(swaps >= tries, "the attacker came to {swaps} swaps in {rounds} extractions");
    report("c43", json!({"extractions": rounds, "swaps": swaps}));
    let neighbour = digest(open_folder(&machine.folder.path().join("neighbour")).unwrap()).unwrap();
    assert_eq!(neighbour, machine.neighbour);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Whatever is changed in an archive, reading it ends: with entries, or with one of three errors.
    #[test]
    fn no_change_of_an_archive_does_more_than_fail(
        changes in proptest::collection::vec((0usize..9000, 0u8..=255), 1..8),
        mend in proptest::bool::ANY,
        write in 0..8,
    ) {
        let limits = Limits { entries: 100, bytes: 1 << 20 };
        let records = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n26 GNU.sparse.realsize=99\n";
        let mut tar = Hostile::default()
            .folder("d", 0o755)
            .raw(b"x", b'x', b"", 0o644, records)
            .file("d/sparse", &[b"1\n90\n5\n".as_slice(), &[0; 505], b"hello"].concat())
            .file("d/a", &[1; 700])
            .link("d/l", "a")
            .hard("h", "d/a")
            .raw(&[b'n'; 150], b'0', b"", 0o644, b"long")
            .tar();
        if write == 0 {
            // before it is changed it is a good archive
            proptest::prop_assert_eq!(Machine::new().extract(&tar, limits).unwrap().files, 4);
        }
        for (at, byte) in changes {
            let at = at % tar.len();
            tar[at] = byte;
            if mend {
                // a checksum that fits, so that the change is looked at
                let start = at / 512 * 512;
                let mut header = tar::Header::new_old();
                header.as_mut_bytes().copy_from_slice(&tar[start..start + 512]);
                header.set_cksum();
                tar[start..start + 512].copy_from_slice(header.as_bytes());
            }
        }
        let result = if write == 0 {
            let machine = Machine::new();
            let result = machine.write(&tar, limits).map(|_| ());
            let neighbour = digest(open_folder(&machine.folder.path().join("neighbour")).unwrap()).unwrap();
            proptest::prop_assert_eq!(neighbour, machine.neighbour);
            result
        } else {
            archive::open(Cursor::new(&tar), limits).and_then(|mut reader| {
                while reader.next_entry()?.is_some() {}
                Ok(())
            })
        };
        if let Err(error) = result {
            let known = [Code::BackupCorrupt, Code::LimitExceeded, Code::UnsafePath];
            proptest::prop_assert!(known.contains(&error.code), "{:?}", error);
        }
    }
}

/// C53: the open file is what is read, whatever takes its name meanwhile.
#[test]
fn c53_an_archive_replaced_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("backup.tar.gz");
    std::fs::write(&name, Hostile::default().file("good", b"x").gz()).unwrap();
    let open = std::fs::File::open(&name).unwrap();
    std::fs::rename(&name, folder.path().join("old")).unwrap();
    std::fs::write(&name, Hostile::default().file("evil", b"x").gz()).unwrap();
    let mut reader = archive::open(open, Limits::default()).unwrap();
    assert_eq!(reader.next_entry().unwrap().unwrap().path, b"good");
    let mut content = Vec::new();
    reader.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"x");
}

/// C51: millions of entries that hold nothing end at the limit, in little memory and before they fill the disk.
#[test]
fn c51_empty_entries_without_end() {
    /// An archive that is made while it is read.
    struct Endless {
        made: u64,
        most: u64,
        block: Cursor<Vec<u8>>,
    }
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.block.position() == 512 && self.made < self.most {
                self.made += 1;
                self.block = Cursor::new(Hostile::default().file(&format!("f{}", self.made), b"").0);
            }
            self.block.read(buffer)
        }
    }
    let entries = if is_long() { 10_000_000 } else { 200_000 };
    let limits = Limits { entries, ..Limits::default() };
    let endless = Endless { made: 1, most: u64::MAX, block: Cursor::new(Hostile::default().file("f", b"").0) };
    let mut reader = archive::open(endless, limits).unwrap();
    let mut read = 0;
    let error = loop {
        match reader.next_entry() {
            Ok(entry) => assert!(entry.is_some()),
            Err(error) => break error,
        }
        read += 1;
    };
    assert_eq!((error.code, read), (Code::LimitExceeded, entries));
    report("c51", json!({"empty_entries": read}));
}

/// C52: what the writer of a backup noted of it, or what an earlier look at it found, is no reason to believe it.
#[test]
fn c52_a_checksum_that_does_not_match() {
    let world = World::bare();
    let (backup, mut dice) = (world.place().join("tmp/backup"), Dice(seed("c52")));
    for root in [&backup, &world.root()] {
        std::fs::create_dir(root).unwrap();
        std::fs::write(root.join("side"), text(root)).unwrap();
    }
    let noise: Vec<u8> = std::iter::repeat_with(|| dice.below(256) as u8).take(400_000).collect();
    std::fs::write(backup.join("noise"), noise).unwrap();
    world.pack(&backup);
    let (old, new) = (world::bare::look(&world.root()), world::bare::look(&backup));
    let archive = world.archive();
    let meta = PathBuf::from(format!("{}.meta", text(&archive)));
    let request = json!({"domain": DOMAIN, "components": {"files": true}, "wait": true});
    let refused = |when: &str| {
        let error = world.refused("restore_start", request.clone());
        assert_eq!(error["code"], "backup_corrupt", "{when}: {error}");
        assert_eq!(world.oracle_of_files(&old, &new, when), Side::Old);
    };
    let sum = run("sha256sum", &[text(&archive)]);
    let sum = sum.split(' ').next().unwrap();
    std::fs::write(&meta, format!("sha256={}\n", sum.replace(|digit: char| digit != '0', "0"))).unwrap();
    refused("another checksum in .meta");
    std::fs::write(&meta, format!("sha256={sum}\n")).unwrap();
    // The index knows this archive; what is changed in it later keeps its size, its time, its inode and both its ends.
    world.call("preview_backup", json!({"domain": DOMAIN, "wait": true}));
    let times = std::fs::metadata(&archive).unwrap().modified().unwrap();
    let flip = || {
        let file = std::fs::File::options().read(true).write(true).open(&archive).unwrap();
        let mut byte = [0];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut byte, 200_000).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[byte[0] ^ 4], 200_000).unwrap();
        file.set_modified(times).unwrap();
    };
    flip();
    refused("a flipped bit, with a checksum in .meta");
    std::fs::remove_file(&meta).unwrap();
    refused("a flipped bit that the index does not know of");
    flip();
    std::fs::write(&meta, format!("sha256={sum}\n")).unwrap();
    world.call("restore_start", request);
    assert_eq!(world.oracle_of_files(&old, &new, "the right checksum"), Side::New);
}

/// B31: all of this on a kernel without openat2.
#[test]
fn b31_hostile_archives_without_openat2() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let output = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "--seccomp-bpf",
            "-e",
            "trace=openat2",
            "-e",
            "inject=openat2:error=ENOSYS",
            "-o",
            text(&log),
        ])
        .arg(std::env::current_exe().unwrap())
        .args([38, 39, 41, 43, 44, 45, 47, 48, 49, 53].map(|case| format!("hostile_archives::c{case}_")))
        .env_remove("RV_LONG")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("test result: ok. 11 passed"), "{said}");
    let seen = std::fs::read_to_string(&log).unwrap();
    assert!(seen.contains("(INJECTED)"), "no openat2 was refused");
    assert!(seen.lines().all(|line| !line.contains(" = ") || line.contains("(INJECTED)")), "an openat2 was made");
}
