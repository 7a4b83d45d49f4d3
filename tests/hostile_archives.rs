//! Archives made to do harm: each is refused with its error, or written without its harm, and nothing outside the
//! staging folder changes. The numbers are those of the project's table of faults.

use flate2::{Compression, write::GzEncoder};
use rocketvps_restore::archive::{self, Limits};
use rocketvps_restore::config::Permissions;
use rocketvps_restore::error::{Code, Result};
use rocketvps_restore::host::tree::{
    self, FilePolicy, Input, Sample, TreeOptions, TreeSummary, TreeWriter, digest, manifest, open_folder,
};
use rocketvps_restore::path::RelPath;
use rocketvps_restore::progress::Silent;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;

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
        let options = TreeOptions {
            policy: FilePolicy { uid: here.uid(), gid: here.gid(), permissions: Permissions::Preserve },
            threads: 2,
            headroom_bytes: 0,
            document_root: Some("/var/www/example.com".into()),
        };
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
        Hostile::default().folder("a", 0o755).link("l", "a").folder("l", 0o777),
        Hostile::default().link("l", &machine.neighbour("etc/shadow")).file("l", b"x"),
        Hostile::default().folder("a", 0o755).link("a/l", "../..").folder("a/l/x", 0o777),
    ] {
        assert_eq!(code(archive), Code::UnsafePath);
    }
}

#[test]
fn c41_c42_hard_links() {
    let machine = Machine::new();
    for target in ["/etc/shadow", "../neighbour/etc/shadow", "later", "link", "a", ".", &machine.neighbour("link")] {
        let archive = Hostile::default().folder("a", 0o755).link("link", "a/f").hard("h", target).file("later", b"x");
        assert_eq!(code(archive), Code::UnsafePath, "{target}");
    }
    let archive = Hostile::default().file("f", b"x").hard("h", "f").hard("h", "f");
    let summary = machine.extract(&archive.gz(), Limits::default()).unwrap();
    assert_eq!(summary.hard_links, 2);
    assert_eq!(std::fs::metadata(machine.tree().join("f")).unwrap().mode() & 0o7777, 0o644);
}

#[test]
fn c44_devices_fifos_and_unknown_types() {
    for kind in *b"346QZ\x01" {
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
    assert_eq!(code(Hostile::default().file("f", b"x").folder("f", 0o755)), Code::UnsafePath);
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
    for end in (0..archive.len()).step_by(4096).chain([archive.len() - 1]) {
        let error = Machine::new().extract(&archive[..end], Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::BackupCorrupt, "cut at {end}");
    }
    // a flip that changes nothing that is unpacked (padding, another way to say the same) is no damage
    for at in (10..archive.len()).step_by(997).chain(archive.len() - 8..archive.len()) {
        let mut bad = archive.clone();
        bad[at] ^= 1 << (at % 8);
        let machine = Machine::new();
        match machine.extract(&bad, Limits::default()) {
            Err(error) => assert_eq!(error.code, Code::BackupCorrupt, "bit at {at}"),
            Ok(_) => {
                assert!(at < archive.len() - 8, "a wrong checksum at {at} was accepted");
                assert!(std::fs::read(machine.tree().join("d/noise")).unwrap() == content, "bit at {at}");
                assert!(std::fs::read(machine.tree().join("text")).unwrap() == b"php ".repeat(9000), "bit at {at}");
            }
        }
    }
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
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let (folder, link) = (machine.tree().join("d"), machine.folder.path().join("evil"));
            symlink(machine.folder.path().join("neighbour/etc"), &link).unwrap();
            let here = open_folder(machine.folder.path()).unwrap();
            let mut swaps = 0u64;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let Ok(tree) = open_folder(&machine.tree()) else { continue };
                if folder.exists() && tree::exchange(&tree, "d".as_ref(), &here, "evil".as_ref()).is_ok() {
                    swaps += 1;
                    let _ = tree::exchange(&tree, "d".as_ref(), &here, "evil".as_ref());
                }
            }
            swaps
        });
        for _ in 0..3 {
            let _ = machine.write(&archive, Limits::default());
            let tree = open_folder(&machine.folder.path().join("stage")).unwrap();
            let _ = tree::remove(&tree, "tree".as_ref(), &Silent);
            let _ = std::fs::create_dir(machine.tree());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        attacker.join().unwrap();
    });
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
    let mut reader = archive::open(Input::new(open), Limits::default()).unwrap();
    assert_eq!(reader.next_entry().unwrap().unwrap().path, b"good");
    let mut content = Vec::new();
    reader.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"x");
}
