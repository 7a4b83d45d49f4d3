use super::*;
use std::io::Write;
use std::sync::Arc;

/// The head of an entry and its content.
#[derive(Clone)]
struct Made {
    path: &'static str,
    kind: u8,
    packing: u8,
    stored: Vec<u8>,
    size: u32,
    mode: u32,
    mtime: Option<u32>,
}

fn entry(path: &'static str, kind: u8, text: &[u8], packing: u8) -> Made {
    let stored = match packing {
        1 => {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(text).unwrap();
            packer.finish().unwrap()
        }
        2 => {
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            packer.write_all(text).unwrap();
            packer.finish().unwrap()
        }
        _ => text.to_vec(),
    };
    let mtime = (kind == 1).then_some(1_700_000_000);
    Made { path, kind, packing, stored, size: text.len() as u32, mode: 0o100_640, mtime }
}

impl Made {
    fn bytes(&self) -> Vec<u8> {
        let length = 21 + self.path.len() + if self.mtime.is_some() { 8 } else { 0 };
        let mut bytes = b"JPF".to_vec();
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend((self.path.len() as u16).to_le_bytes());
        bytes.extend(self.path.bytes());
        bytes.extend([self.kind, self.packing]);
        bytes.extend((self.stored.len() as u32).to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.mode.to_le_bytes());
        if let Some(mtime) = self.mtime {
            bytes.extend([0, 1, 8, 0]);
            bytes.extend(mtime.to_le_bytes());
        }
        bytes.extend(&self.stored);
        bytes
    }
}

fn archive_in(entries: &[Made], files: Option<u16>) -> Vec<u8> {
    let mut bytes = b"JPA".to_vec();
    bytes.extend(if files.is_some() { 27_u16 } else { 19 }.to_le_bytes());
    bytes.extend([1, 2]);
    bytes.extend((entries.len() as u32).to_le_bytes());
    bytes.extend(entries.iter().map(|entry| entry.size).sum::<u32>().to_le_bytes());
    bytes.extend(entries.iter().map(|entry| entry.stored.len() as u32).sum::<u32>().to_le_bytes());
    if let Some(files) = files {
        bytes.extend(b"JP\x01\x01\x04\x00");
        bytes.extend(files.to_le_bytes());
    }
    bytes.extend(entries.iter().flat_map(Made::bytes));
    bytes
}

fn made() -> Vec<Made> {
    vec![
        entry("a/", 0, b"", 0),
        entry("a/plain", 1, b"as it is", 0),
        entry("a/deflate", 1, &b"again and ".repeat(40), 1),
        entry("a/bzip2", 1, &b"again and ".repeat(40), 2),
        entry("a/empty", 1, b"", 1),
        entry("a/nothing", 1, b"", 0),
        entry("a/link", 2, b"../plain", 0),
    ]
}

fn read(source: impl ReadAt + Clone, limits: Limits) -> Result<Vec<(String, EntryKind, Vec<u8>)>> {
    let mut reader = JpaReader::open(source, limits)?;
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut text = Vec::new();
        reader.read_to_end(&mut text).map_err(unwrap_io)?;
        assert_eq!(entry.size, text.len() as u64);
        found.push((String::from_utf8(entry.path).unwrap(), entry.kind, text));
    }
    Ok(found)
}

fn refused(bytes: &[u8]) -> Error {
    read(bytes, Limits::default()).unwrap_err()
}

#[test]
fn entries_of_every_kind_and_packing_are_read() {
    let bytes = archive_in(&made(), None);
    let found = read(bytes.as_slice(), Limits::default()).unwrap();
    let text = |at: usize| found[at].2.as_slice();
    assert_eq!((found[0].1.clone(), text(1), text(4)), (EntryKind::Folder, &b"as it is"[..], &b""[..]));
    assert!(text(2) == b"again and ".repeat(40) && text(3) == text(2));
    assert_eq!(found[6].1, EntryKind::Symlink(b"../plain".to_vec()));
    let mut reader = JpaReader::open(bytes.as_slice(), Limits::default()).unwrap();
    reader.next_entry().unwrap();
    let plain = reader.next_entry().unwrap().unwrap();
    assert_eq!((plain.mode, plain.mtime), (0o640, (1_700_000_000, 0)));
    // What nobody reads is checked all the same, but for who wants names only.
    let mut wrong = made();
    wrong[2].size += 1;
    let wrong = archive_in(&wrong, None);
    let count = |mut reader: JpaReader<&[u8]>| {
        let mut count = 0;
        while reader.next_entry()?.is_some() {
            count += 1;
        }
        Result::Ok(count)
    };
    let open = || JpaReader::open(wrong.as_slice(), Limits::default()).unwrap();
    assert!(count(open()).is_err());
    assert_eq!(count(open().names_only()).unwrap(), 7);
}

#[test]
fn an_archive_in_several_files_is_one() {
    #[derive(Clone)]
    struct Several(Arc<Vec<u8>>, usize);
    impl ReadAt for Several {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            // As files that end somewhere.
            let most = into.len().min(7);
            self.0.as_slice().read_at(&mut into[..most], offset)
        }
        fn volumes(&self) -> Vec<u64> {
            vec![0; self.1]
        }
    }
    let bytes = Arc::new(archive_in(&made(), Some(3)));
    assert_eq!(read(Several(Arc::clone(&bytes), 3), Limits::default()).unwrap().len(), 7);
    let missing = read(Several(bytes, 2), Limits::default()).unwrap_err();
    assert_eq!(missing.code, Code::BackupIncomplete);
    assert!(missing.message.contains("in 3 files, and 2 of them"), "{}", missing.message);
    assert_eq!(Head::of(&archive_in(&[], Some(300)).as_slice()).unwrap().files, 300);
}

#[test]
fn a_cut_anywhere_is_damage() {
    let bytes = archive_in(&made(), None);
    for end in 0..bytes.len() {
        assert_eq!(refused(&bytes[..end]).code, Code::BackupCorrupt, "cut at {end}");
    }
    assert_eq!(refused(&[&bytes[..], b"J"].concat()).code, Code::BackupCorrupt);
    assert_eq!(refused(&[&bytes[..], &made()[1].bytes()].concat()).code, Code::BackupCorrupt);
}

#[test]
fn each_field_that_lies_is_refused() {
    let bytes = archive_in(&made(), None);
    let with = |at: usize, value: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        refused(&changed)
    };
    let long = u32::MAX.to_le_bytes();
    assert_eq!(with(0, b"X").code, Code::BackupCorrupt);
    assert_eq!(with(3, &[18, 0]).code, Code::BackupCorrupt);
    assert_eq!(with(3, &[0xff, 0xff]).code, Code::BackupCorrupt);
    assert_eq!(with(5, &[2]).code, Code::BackupUnreadable);
    assert_eq!(with(7, &[0; 4]).code, Code::BackupIncomplete, "it was never finished");
    for (at, why) in [(7, "entries, and its head"), (11, "other sizes"), (15, "other sizes")] {
        assert!(with(at, &[99]).message.contains(why), "{why}");
    }
    // The second entry, a file that is stored as it is.
    let second = 19 + made()[0].bytes().len();
    let fixed = second + 7 + "a/plain".len();
    for (at, value, why) in [
        (second, &b"JPX"[..], "no entry begins"),
        (second + 3, &[20, 0], "shorter than"),
        (second + 3, &[0xff, 0xff], "ends at byte"),
        (second + 5, &[0, 0], "shorter than"),
        (second + 5, &[0xff, 0xff], "shorter than"),
        (fixed, &[0], "sizes of"),
        (fixed, &[3], "kind that nobody knows"),
        (fixed + 1, &[1], "cannot be unpacked"),
        (fixed + 1, &[2], "cannot be unpacked"),
        (fixed + 1, &[3], "method 3"),
        (fixed + 2, &[7], "sizes of"),
        (fixed + 2, &long, "in the middle of"),
        (fixed + 6, &[9], "sizes of"),
        (fixed + 16, &[3, 0], "is added"),
        (fixed + 16, &[9, 0], "is added"),
    ] {
        let error = with(at, value);
        assert!(error.message.contains(why), "{why}: {}", error.message);
    }
    for (place, size, why) in
        [(2, 399_u32, "longer than"), (2, 401, "shorter than"), (3, 399, "longer"), (3, 401, "shorter")]
    {
        let mut wrong = made();
        wrong[place].size = size;
        assert!(refused(&archive_in(&wrong, None)).message.contains(why), "{why}");
    }
    for place in [2, 3] {
        let mut behind = made();
        behind[place].stored.extend(b"more");
        let error = refused(&archive_in(&behind, None));
        assert!(error.message.contains("behind its packed content"), "{}", error.message);
        let mut cut = made();
        cut[place].stored.pop();
        assert_eq!(refused(&archive_in(&cut, None)).code, Code::BackupCorrupt);
    }
    let mut linked = made();
    linked[6].stored = vec![b'x'; 5000];
    linked[6].size = 5000;
    assert_eq!(refused(&archive_in(&linked, None)).code, Code::BackupCorrupt);
}

#[test]
fn a_bomb_meets_the_limits_before_it_is_unpacked() {
    let zeros = vec![0; 3 << 20];
    for packing in [0, 1, 2] {
        let bytes = archive_in(&[entry("zeros", 1, &zeros, packing)], None);
        let few = Limits { bytes: 1 << 20, ..Limits::default() };
        assert_eq!(read(bytes.as_slice(), few).unwrap_err().code, Code::LimitExceeded);
        let none = Limits { entries: 0, ..Limits::default() };
        assert_eq!(read(bytes.as_slice(), none).unwrap_err().code, Code::LimitExceeded);
        // One that says it is small stops where it said it would.
        let mut lie = entry("zeros", 1, &zeros, packing);
        lie.size = 100;
        let error = refused(&archive_in(&[lie], None));
        assert_eq!(error.code, Code::BackupCorrupt, "{}", error.message);
    }
}
