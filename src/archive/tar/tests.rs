use super::*;
use std::process::{Command, Stdio};

/// An archive with these raw headers and contents; the checksum is made here.
struct Maker(Vec<u8>);

impl Maker {
    fn new() -> Maker {
        Maker(Vec::new())
    }

    fn add(mut self, name: &[u8], kind: u8, size: &str, content: &[u8]) -> Maker {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[100..107].copy_from_slice(b"0000644");
        header.as_mut_bytes()[124..135].copy_from_slice(format!("{size:0>11}").as_bytes());
        header.as_mut_bytes()[136..147].copy_from_slice(b"00000000007");
        header.as_mut_bytes()[156] = kind;
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Maker {
        self.add(name.as_bytes(), b'0', &format!("{:o}", content.len()), content)
    }

    fn pax(self, records: &[(&str, &str)]) -> Maker {
        let mut text = Vec::new();
        for (key, value) in records {
            let body = format!(" {key}={value}\n");
            let mut length = body.len() + 1;
            while format!("{length}{body}").len() != length {
                length += 1;
            }
            text.extend_from_slice(format!("{length}{body}").as_bytes());
        }
        self.add(b"pax", b'x', &format!("{:o}", text.len()), &text)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

fn list(archive: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>> {
    let mut reader = TarReader::new(archive, Limits { entries: 1000, bytes: 1 << 30 });
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map_err(unwrap_io)?;
        found.push((entry, content));
    }
    Ok(found)
}

fn code(archive: &[u8]) -> Code {
    list(archive).unwrap_err().code
}

#[test]
fn entries_come_in_order_with_their_content() {
    let archive = Maker::new().add(b"a/", b'5', "0", b"").file("a/x", b"hello").file("a/y", &[7; 513]).end();
    let found = list(&archive).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].0.kind, EntryKind::Folder);
    assert_eq!((found[1].0.path.as_slice(), found[1].1.as_slice()), (&b"a/x"[..], &b"hello"[..]));
    assert_eq!((found[1].0.mode, found[1].0.mtime, found[1].0.size), (0o644, (7, 0), 5));
    assert_eq!(found[2].1.len(), 513);
}

#[test]
fn content_not_read_is_skipped() {
    let archive = Maker::new().file("a", &[1; 100_000]).file("b", b"x").end();
    let mut reader = TarReader::new(archive.as_slice(), Limits::default());
    reader.next_entry().unwrap().unwrap();
    reader.read_exact(&mut [0; 10]).unwrap();
    assert_eq!(reader.next_entry().unwrap().unwrap().path, b"b");
    assert!(reader.next_entry().unwrap().is_none());
    assert!(reader.next_entry().unwrap().is_none());
}

#[test]
fn two_sizes_that_contradict_are_damage_both_ways() {
    for (exact, header) in [("5", "3"), ("3", "5"), ("0", "5"), ("5", "0")] {
        let archive = Maker::new().pax(&[("size", exact)]).add(b"a", b'0', header, b"hello").end();
        assert_eq!(code(&archive), Code::BackupCorrupt, "{exact} {header}");
    }
    assert!(list(&Maker::new().pax(&[("size", "5")]).file("a", b"hello").end()).is_ok());
}

#[test]
fn cut_archives_and_bad_headers_are_damage() {
    let archive = Maker::new().file("a", b"hello").file("b", &[1; 2000]).end();
    for end in (0..archive.len() - 512).step_by(256) {
        assert_eq!(code(&archive[..end]), Code::BackupCorrupt, "cut at {end}");
    }
    for at in (0..512).chain(1024..1536) {
        let mut bad = archive.clone();
        bad[at] ^= 0x41;
        assert_eq!(code(&bad), Code::BackupCorrupt, "byte {at}");
    }
    let mut trailing = archive.clone();
    trailing.extend_from_slice(b"hidden");
    assert_eq!(code(&trailing), Code::BackupCorrupt);
}

#[test]
fn limits_hold_for_entries_bytes_holes_and_extensions() {
    let many = (0..20).fold(Maker::new(), |maker, at| maker.file(&format!("f{at}"), b"")).end();
    let mut reader = TarReader::new(many.as_slice(), Limits { entries: 10, bytes: 100 });
    let error = std::iter::from_fn(|| reader.next_entry().transpose()).find_map(Result::err).unwrap();
    assert_eq!(error.code, Code::LimitExceeded);

    let bomb = Maker::new().add(b"a", b'0', "77777777777", b"").end();
    assert_eq!(code(&bomb), Code::LimitExceeded);

    let holes = [("GNU.sparse.size", "999999999999"), ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "5")];
    assert_eq!(code(&Maker::new().pax(&holes).file("a", b"hello").end()), Code::LimitExceeded);

    assert_eq!(code(&Maker::new().add(b"x", b'x', "77777777", b"").end()), Code::LimitExceeded);
}

#[test]
fn names_with_a_nul_inside_are_kept_so_that_they_can_be_refused() {
    let archive = Maker::new().pax(&[("path", "good\0/../evil")]).file("a", b"").end();
    assert_eq!(list(&archive).unwrap()[0].0.path, b"good\0/../evil");
    let archive = Maker::new().add(b"l", b'L', "6", b"a\0b/c\0").file("a", b"").end();
    assert_eq!(list(&archive).unwrap()[0].0.path, b"a\0b/c");
}

#[test]
fn unknown_types_are_told_and_links_need_a_target() {
    let archive = Maker::new().add(b"dev", b'3', "0", b"").add(b"odd", b'Z', "3", b"abc").end();
    let found = list(&archive).unwrap();
    assert_eq!(found[0].0.kind, EntryKind::Special(b'3'));
    assert_eq!(found[1].0.kind, EntryKind::Special(b'Z'));
    assert_eq!(code(&Maker::new().add(b"l", b'2', "0", b"").end()), Code::BackupCorrupt);
}

#[test]
fn sparse_maps_that_do_not_fit_are_damage() {
    for map in ["0,3", "3,1,0,4", "0,5,", "0,6", "18446744073709551615,5", "0"] {
        let records = [("GNU.sparse.size", "5"), ("GNU.sparse.map", map)];
        let result = list(&Maker::new().pax(&records).file("a", b"hello").end());
        assert_eq!(result.is_ok(), map == "0,5,", "{map}");
    }
}

/// What GNU tar writes in each of its formats is read back exactly, holes and long names included.
#[test]
fn archives_of_gnu_tar_are_read_in_every_format() {
    use std::io::{Seek, SeekFrom, Write};
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(140));
    std::fs::create_dir(folder.path().join("d".repeat(120))).unwrap();
    std::fs::write(folder.path().join(&long), b"long").unwrap();
    std::os::unix::fs::symlink(&long, folder.path().join("link")).unwrap();
    std::fs::hard_link(folder.path().join(&long), folder.path().join("zhard")).unwrap();
    let mut holes = std::fs::File::create(folder.path().join("holes")).unwrap();
    let mut expected = vec![0u8; 12 << 20];
    for at in (1..12).step_by(1) {
        holes.seek(SeekFrom::Start(at << 20)).unwrap();
        holes.write_all(&[at as u8; 5000]).unwrap();
        expected[(at << 20) as usize..][..5000].fill(at as u8);
    }
    holes.set_len(12 << 20).unwrap();
    drop(holes);

    let formats: [&[&str]; 5] = [
        &["--format=gnu", "-S"],
        &["--format=posix", "-S", "--sparse-version=0.0"],
        &["--format=posix", "-S", "--sparse-version=0.1"],
        &["--format=posix", "-S", "--sparse-version=1.0"],
        &["--format=gnu"],
    ];
    for format in formats {
        let output = Command::new("tar")
            .args(["--sort=name", "-c"])
            .args(format)
            .args(["-C".as_ref(), folder.path().as_os_str(), ".".as_ref()])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success());
        let found = list(&output.stdout).unwrap();
        let get = |name: &str| found.iter().find(|(entry, _)| entry.path == format!("./{name}").as_bytes()).unwrap();
        assert_eq!(get(&long).1, b"long", "{format:?}");
        assert_eq!(get("link").0.kind, EntryKind::Symlink(long.clone().into_bytes()));
        assert_eq!(get("zhard").0.kind, EntryKind::HardLink(format!("./{long}").into_bytes()));
        let (entry, stored) = get("holes");
        assert_eq!(entry.size, 12 << 20, "{format:?}");
        let mut content = vec![0u8; 12 << 20];
        let mut at = 0;
        for segment in segments(entry) {
            let length = segment.length as usize;
            content[segment.offset as usize..][..length].copy_from_slice(&stored[at..at + length]);
            at += length;
        }
        assert!(content == expected, "{format:?}");
        assert_eq!(entry.segments.is_some(), format.contains(&"-S"));
    }
}

fn names(archive: &[u8]) -> Vec<String> {
    let shown = |(entry, content): (Entry, Vec<u8>)| {
        format!("{} {}", String::from_utf8_lossy(&entry.path), String::from_utf8_lossy(&content))
    };
    list(archive).unwrap().into_iter().map(shown).collect()
}

/// What old and small writers make: GNU tar, libarchive and Python read on behind the header alike.
#[test]
fn labels_and_sizes_of_what_has_no_content_mean_nothing() {
    let mut label = Maker::new().add(b"a label", b'V', "0", b"");
    label.0[124..136].fill(0);
    let sum: u32 = label.0[..148].iter().chain(&label.0[156..512]).map(|byte| u32::from(*byte)).sum::<u32>() + 256;
    label.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = label.add(b"folder/", b'5', "10000", b"");
    for kind in [b'1', b'2'] {
        archive = archive.add(b"link", kind, "6", b"");
        let at = archive.0.len() - 512;
        archive.0[at + 157..at + 158].copy_from_slice(b"t");
        let sum: u32 = archive.0[at..at + 148].iter().chain(&archive.0[at + 156..]).map(|byte| u32::from(*byte)).sum();
        archive.0[at + 148..at + 156].copy_from_slice(format!("{:06o}\0 ", sum + 256).as_bytes());
    }
    let archive = archive.pax(&[("size", "4096")]).add(b"again/", b'5', "0", b"").file("z", b"end").end();
    assert_eq!(names(&archive), ["folder/ ", "link ", "link ", "again/ ", "z end"]);
}

#[test]
fn a_sum_of_characters_with_a_sign_is_a_checksum_too() {
    let mut archive = Maker::new().file("f\u{fc}r", b"x").end();
    let signed: i64 = archive[..148].iter().chain(&archive[156..512]).map(|byte| i64::from(byte.cast_signed())).sum();
    archive[148..156].copy_from_slice(format!("{:06o}\0 ", signed + 256).as_bytes());
    assert_eq!(list(&archive).unwrap().len(), 1);
    archive[0] ^= 1;
    assert_eq!(code(&archive), Code::BackupCorrupt);
}

#[test]
fn a_missing_end_mark_is_no_damage_where_the_input_checks_itself() {
    let archive = Maker::new().file("a", b"hello").0;
    assert_eq!(code(&archive), Code::BackupCorrupt);
    let mut reader = TarReader::new(archive.as_slice(), Limits::default()).sealed();
    reader.next_entry().unwrap().unwrap();
    assert!(!reader.lacks_end_mark());
    assert!(reader.next_entry().unwrap().is_none());
    assert!(reader.lacks_end_mark());
    // Not in the middle of an entry, and not for nothing at all.
    for cut in [0, 100, 512, 700] {
        let mut reader = TarReader::new(&archive[..cut], Limits::default()).sealed();
        let error = std::iter::from_fn(|| reader.next_entry().transpose()).find_map(Result::err).unwrap();
        assert_eq!(error.code, Code::BackupCorrupt, "{cut}");
    }
}

#[test]
fn an_incremental_archive_says_what_it_leaves_out() {
    let whole = |archive: &[u8]| {
        let mut reader = TarReader::new(archive, Limits::default());
        while reader.next_entry().unwrap().is_some() {}
        reader.require_whole()
    };
    let level = |names: &[u8]| {
        Maker::new().add(b"./www/", b'D', &format!("{:o}", names.len()), names).file("./www/b", b"2").end()
    };
    assert!(whole(&level(b"Ya.html\0Yb\0Dsub\0\0")).is_ok());
    let error = whole(&level(b"Na.html\0Yb\0Nc\0\0")).unwrap_err();
    assert_eq!(error.code, Code::BackupIncomplete);
    assert!(error.message.contains("2 names or more, \"./www/a.html\""), "{}", error.message);
    // The same in a header of pax, as `--format=posix` writes it; a name may begin with an N.
    let posix = |names: &str| Maker::new().pax(&[("GNU.dumpdir", names)]).add(b"./www/", b'5', "0", b"").end();
    assert!(whole(&posix("YNew\0\0")).is_ok());
    assert!(whole(&posix("YNew\0Nold\0\0")).is_err());
}

#[test]
fn a_file_of_another_format_is_called_what_it_is() {
    let unreadable = |bytes: &[u8]| {
        let error = list(bytes).unwrap_err();
        assert_eq!(error.code, Code::BackupUnreadable, "{}", error.message);
        error.message
    };
    let mut lzip = b"LZIP\x01".to_vec();
    assert_eq!(unreadable(&lzip), "it is an lzip file, not a tar archive");
    lzip.resize(4000, 7);
    assert_eq!(unreadable(&lzip), "it is an lzip file, not a tar archive");
    assert!(unreadable(b"<!DOCTYPE html><html>404</html>").contains("HTML"));
    // Only at the beginning: in the middle it is damage.
    let mut later = Maker::new().file("a", b"").0;
    later.extend_from_slice(&lzip);
    assert_eq!(code(&later), Code::BackupCorrupt);
}

/// Incremental archives as GNU tar makes them.
#[test]
fn the_second_level_of_gnu_tar_is_told_from_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("www")).unwrap();
    std::fs::write(at("www/same"), "same").unwrap();
    for format in ["--format=gnu", "--format=posix"] {
        let _ = std::fs::remove_file(at("state"));
        let pack = || {
            let output = Command::new("tar")
                .args(["-c", format, "-g"])
                .arg(at("state"))
                .arg("-C")
                .arg(folder.path())
                .arg("www")
                .stderr(Stdio::inherit())
                .output()
                .unwrap();
            assert!(output.status.success());
            let mut reader = TarReader::new(output.stdout.as_slice(), Limits::default());
            while reader.next_entry().unwrap().is_some() {}
            reader.require_whole()
        };
        assert!(pack().is_ok(), "{format}");
        std::thread::sleep(std::time::Duration::from_millis(1100));
        std::fs::write(at("www/changed"), format).unwrap();
        assert!(pack().unwrap_err().message.contains("www/same"), "{format}");
    }
}
