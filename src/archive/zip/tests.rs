use super::*;
use std::io::Write;

/// Writes zips as no honest program would, too: every field can be another one than it should be.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

#[derive(Clone)]
struct Made<'a> {
    name: &'a [u8],
    local_name: Option<&'a [u8]>,
    content: &'a [u8],
    method: u16,
    flags: u16,
    mode: u32,
    size: Option<u32>,
    offset: Option<u32>,
    extra: &'a [u8],
}

impl<'a> Made<'a> {
    fn file(name: &'a str, content: &'a [u8]) -> Made<'a> {
        Made {
            name: name.as_bytes(),
            local_name: None,
            content,
            method: 8,
            flags: 0,
            mode: 0o100_644,
            size: None,
            offset: None,
            extra: &[],
        }
    }
}

impl Writer {
    fn add(mut self, made: &Made) -> Writer {
        let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(made.content).unwrap();
        let packed = if made.method == 8 { packed.finish().unwrap() } else { made.content.to_vec() };
        let offset = made.offset.unwrap_or(self.bytes.len() as u32);
        let size = made.size.unwrap_or(made.content.len() as u32);
        let numbers = |name: &[u8], extra: &[u8]| {
            let mut head = Vec::new();
            head.extend(made.flags.to_le_bytes());
            head.extend(made.method.to_le_bytes());
            head.extend([0, 0, 0x21, 0]);
            head.extend(crc32fast::hash(made.content).to_le_bytes());
            head.extend((packed.len() as u32).to_le_bytes());
            head.extend(size.to_le_bytes());
            head.extend((name.len() as u16).to_le_bytes());
            head.extend((extra.len() as u16).to_le_bytes());
            head
        };
        let local = made.local_name.unwrap_or(made.name);
        self.bytes.extend(LOCAL);
        self.bytes.extend([20, 0]);
        self.bytes.extend(numbers(local, &[]));
        self.bytes.extend(local);
        self.bytes.extend(&packed);
        self.directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
        self.directory.extend(numbers(made.name, made.extra));
        self.directory.extend([0; 6]);
        self.directory.extend((made.mode << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(made.name);
        self.directory.extend(made.extra);
        self.count += 1;
        self
    }

    fn finish(mut self) -> Vec<u8> {
        let start = self.bytes.len() as u32;
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend([self.count.to_le_bytes(), self.count.to_le_bytes()].concat());
        self.bytes.extend((self.directory.len() as u32).to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

fn zip(entries: &[Made]) -> Vec<u8> {
    entries.iter().fold(Writer::default(), Writer::add).finish()
}

fn read(bytes: &[u8]) -> Result<Vec<(String, EntryKind, Vec<u8>)>> {
    read_by(bytes, None)
}

fn read_by(bytes: &[u8], password: Option<&Password>) -> Result<Vec<(String, EntryKind, Vec<u8>)>> {
    let bytes: std::sync::Arc<Vec<u8>> = std::sync::Arc::new(bytes.to_vec());
    struct Owned(std::sync::Arc<Vec<u8>>);
    impl Clone for Owned {
        fn clone(&self) -> Owned {
            Owned(self.0.clone())
        }
    }
    impl ReadAt for Owned {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            ReadAt::read_at(&self.0.as_slice(), into, offset)
        }
    }
    let limits = Limits { entries: 100, bytes: 1 << 20 };
    let mut reader = ZipReader::open(Owned(bytes), limits, password)?;
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map_err(unwrap_io)?;
        found.push((String::from_utf8_lossy(&entry.path).into_owned(), entry.kind, content));
    }
    Ok(found)
}

#[test]
fn files_folders_and_links_are_read_stored_or_deflated() {
    let stored = Made { method: 0, ..Made::file("www/a", b"alpha") };
    let folder = Made { mode: 0o40_777, content: b"", method: 0, ..Made::file("www/", b"") };
    let link = Made { mode: 0o120_777, ..Made::file("www/l", b"a") };
    let found = read(&zip(&[folder, stored, Made::file("www/b", &[b'b'; 5000]), link])).unwrap();
    assert_eq!(found[0].1, EntryKind::Folder);
    assert_eq!((found[1].0.as_str(), found[1].2.as_slice()), ("www/a", &b"alpha"[..]));
    assert_eq!(found[2].2.len(), 5000);
    assert_eq!(found[3].1, EntryKind::Symlink(b"a".to_vec()));
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    let plain = Made::file("a", b"alpha");
    let table: Vec<(Vec<Made>, Code, &str)> = vec![
        (vec![plain.clone(), plain.clone()], Code::BackupCorrupt, "twice"),
        (vec![plain.clone(), Made { offset: Some(0), ..Made::file("b", b"alpha") }], Code::BackupCorrupt, "share"),
        (vec![Made { local_name: Some(b"b"), ..plain.clone() }], Code::BackupCorrupt, "another name"),
        (vec![Made { size: Some(9), method: 0, ..plain.clone() }], Code::BackupCorrupt, "two sizes"),
        (vec![Made { size: Some(9), ..plain.clone() }], Code::BackupCorrupt, "less than"),
        (vec![Made { size: Some(2), ..plain.clone() }], Code::BackupCorrupt, "more than"),
        (vec![Made { flags: 1, ..plain.clone() }], Code::BackupUnreadable, "encrypted"),
        (vec![Made { method: 9, ..plain.clone() }], Code::BackupUnreadable, "method 9"),
        (vec![Made { size: Some(2 << 20), ..plain.clone() }], Code::LimitExceeded, "1048576"),
        (vec![Made { name: b"", ..plain.clone() }], Code::BackupCorrupt, "no name"),
        (vec![Made { mode: 0o120_777, ..Made::file("l", b"") }], Code::BackupCorrupt, "target"),
    ];
    for (made, code, why) in table {
        let refused = read(&zip(&made)).unwrap_err();
        assert_eq!(refused.code, code, "{refused}");
        assert!(refused.message.contains(why), "{why}: {refused}");
    }
}

#[test]
fn an_entry_that_reaches_into_the_next_one_is_refused() {
    let whole = zip(&[Made { method: 0, ..Made::file("a", b"alpha") }, Made::file("b", b"beta")]);
    // Both headers of the first one say eight bytes more.
    let mut bad = whole.clone();
    let directory = bad.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    for at in [18, 22, directory + 20, directory + 24] {
        bad[at] += 8;
    }
    let refused = read(&bad).unwrap_err();
    assert!(refused.message.contains("shares bytes"), "{refused}");
}

#[test]
fn a_cut_a_flip_and_bytes_behind_are_never_good() {
    let whole = zip(&[Made::file("www/a", b"alpha beta"), Made { method: 0, ..Made::file("b", b"beta") }]);
    let good = read(&whole).unwrap();
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "cut at {end}");
    }
    for at in 0..whole.len() {
        let mut bad = whole.clone();
        bad[at] ^= 0x10;
        // Times, versions and modes are no one's proof; names and contents are.
        if let Ok(found) = read(&bad) {
            let contents = |found: &[(String, EntryKind, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
                found.iter().map(|(name, _, content)| (name.clone(), content.clone())).collect()
            };
            let same = contents(&found) == contents(&good);
            assert!(
                same || found.iter().any(|(_, kind, _)| matches!(kind, EntryKind::Special(_) | EntryKind::Symlink(_))),
                "flipped at {at}"
            );
        }
    }
    assert!(read(&[whole.as_slice(), b"x"].concat()).is_err());
}

/// What the program makes of three files, with a password.
fn encrypted(options: &[&str]) -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("a.txt"), "alpha ".repeat(20_000)).unwrap();
    std::fs::write(place.path().join("b.bin"), (0..4000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    std::fs::write(place.path().join("none"), "").unwrap();
    let packed = std::process::Command::new("7zz")
        .args(["a", "-tzip", "-psecret word"])
        .args(options)
        .args(["a.zip", "a.txt", "b.bin", "none"])
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stdout));
    std::fs::read(place.path().join("a.zip")).unwrap()
}

#[test]
fn encrypted_contents_open_by_their_password_alone() {
    let right = Password::of("secret word").unwrap();
    for options in [
        &["-mem=ZipCrypto"][..],
        &["-mem=ZipCrypto", "-mx=0"],
        &["-mem=AES128"],
        &["-mem=AES192"],
        &["-mem=AES256"],
        &["-mem=AES256", "-mx=0"],
        &["-mem=AES256", "-mm=bzip2"],
    ] {
        let bytes = encrypted(options);
        let found = read_by(&bytes, Some(&right)).unwrap();
        assert_eq!(found[0].2, "alpha ".repeat(20_000).as_bytes(), "{options:?}");
        assert_eq!((found[1].2.len(), found[2].2.len()), (16_000, 0), "{options:?}");
        let none = read(&bytes).unwrap_err();
        assert!(none.message.contains("\"a.txt\" in it is encrypted"), "{none}");
        assert!(none.hint.contains("--password-file"), "{none}");
        // One byte proves a password of PKZIP's cipher; what passes by chance is damage by its checksum.
        let wrong = read_by(&bytes, Some(&Password::of("secret  word").unwrap())).unwrap_err();
        assert!(
            wrong.message.contains("the password does not open \"a.txt\"") || wrong.code == Code::BackupCorrupt,
            "{wrong}"
        );
    }
}

#[test]
fn a_flip_in_encrypted_contents_is_seen() {
    let right = Password::of("secret word").unwrap();
    for options in [&["-mem=AES256"][..], &["-mem=AES256", "-mx=0"], &["-mem=AES256", "-mm=bzip2"]] {
        let bytes = encrypted(options);
        let directory = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        // Times and versions in the headers of entries are no one's proof.
        let two = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let headers: Vec<_> = (0..directory)
            .filter(|at| bytes[*at..].starts_with(&LOCAL))
            .map(|at| at..at + 30 + two(at + 26) + two(at + 28))
            .collect();
        let is_content = |at: &usize| headers.iter().all(|header| !header.contains(at));
        for at in (0..directory).step_by(directory / 20).chain(directory - 40..directory).filter(is_content) {
            let mut bad = bytes.clone();
            bad[at] ^= 4;
            let found = read_by(&bad, Some(&right));
            assert!(found.is_err(), "{options:?}: flipped at {at} of {directory}");
        }
    }
}

#[test]
fn backslashes_separate_where_no_name_has_a_slash() {
    let names = |made: &[&str]| {
        let all: Vec<Made> = made.iter().map(|name| Made::file(name, b"x")).collect();
        let bytes = zip(&all).leak();
        let mut reader = ZipReader::open(&*bytes, Limits::default(), None).unwrap();
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            found.push(String::from_utf8(entry.path).unwrap());
        }
        found
    };
    // PHP on Windows says that its names are Unix's.
    assert_eq!(names(&["www\\index.php", "www\\a\\b.php"]), ["www/index.php", "www/a/b.php"]);
    assert_eq!(names(&["www/a\\b", "c\\d"]), ["www/a\\b", "c\\d"]);
}
