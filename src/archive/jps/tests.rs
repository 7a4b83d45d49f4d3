use super::*;
use crate::archive::zip::ReadAt;

/// Written by Akeeba's own writer: one key for all, and one for each piece.
const FIXTURES: [&[u8]; 2] = [
    include_bytes!("../../../tests/corpus/ciphers/jps-static"),
    include_bytes!("../../../tests/corpus/ciphers/jps-salted"),
];

fn open(bytes: &'static [u8], password: &str) -> Result<JpsReader<&'static [u8]>> {
    JpsReader::open(bytes, Limits::default(), Some(&Password::of(password).unwrap()))
}

fn all(mut reader: JpsReader<&'static [u8]>) -> Result<Vec<(String, EntryKind, String)>> {
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut text = String::new();
        if !reader.names_only {
            reader.read_to_string(&mut text).map_err(unwrap_io)?;
        }
        found.push((String::from_utf8(entry.path).unwrap(), entry.kind, text));
    }
    Ok(found)
}

#[test]
fn what_the_writer_wrote_is_read() {
    for fixture in FIXTURES {
        let bytes = &fixture[1..];
        let found = all(open(bytes, "rv-fuzz").unwrap()).unwrap();
        let names: Vec<&str> = found.iter().map(|(path, ..)| path.trim_end_matches('/')).collect();
        assert_eq!(names, ["d", "d/a.txt", "empty.txt", "link"]);
        assert_eq!(found[0].1, EntryKind::Folder);
        assert_eq!((&found[1].1, found[1].2.as_str()), (&EntryKind::File, "one two three\n".repeat(6000).as_str()));
        assert_eq!((&found[2].1, found[2].2.as_str()), (&EntryKind::File, ""));
        assert_eq!(found[3].1, EntryKind::Symlink(b"d/a.txt".to_vec()));
        let listed = all(open(bytes, "rv-fuzz").unwrap().names_only()).unwrap();
        assert!(listed.iter().zip(&found).all(|(listed, found)| listed.0 == found.0));
        assert_eq!(listed.len(), found.len());
    }
}

#[test]
fn a_wrong_password_and_an_archive_that_is_not_whole_are_told() {
    for fixture in FIXTURES {
        let bytes = &fixture[1..];
        let refused = |bytes: &'static [u8], password| match open(bytes, password).and_then(all) {
            Ok(_) => panic!("{} bytes are read", bytes.size()),
            Err(error) => error,
        };
        assert!(refused(bytes, "other").message.contains("the password does not open it"));
        let none = JpsReader::open(bytes, Limits::default(), None).err().unwrap();
        assert!(none.message.contains("is an encrypted archive of Akeeba"), "{}", none.message);
        for length in [0, 3, 8, 83, 84, 200, bytes.len() - 17, bytes.len() - 1] {
            let error = refused(&bytes[..length], "rv-fuzz");
            assert!([Code::BackupIncomplete, Code::BackupCorrupt].contains(&error.code), "{length}: {error}");
        }
    }
}

#[test]
fn rounds_that_would_take_hours_and_other_versions_are_refused() {
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = FIXTURES[0][1..].to_vec();
        bytes[at..at + to.len()].copy_from_slice(to);
        open(bytes.leak(), "rv-fuzz").err().unwrap()
    };
    assert_eq!(changed(15, &u32::MAX.to_le_bytes()).code, Code::LimitExceeded);
    assert!(changed(3, &[1]).message.contains("version 1.0"));
    assert!(changed(14, &[7]).message.contains("method 7"));
    let files = FIXTURES[0].len() - 1 - TAIL + 3;
    assert_eq!(changed(files, &[2]).code, Code::BackupIncomplete);
}
