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
