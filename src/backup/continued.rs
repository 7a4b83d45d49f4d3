//! A dump in several entries that follow each other, read as one.

use crate::archive::{self, Entries};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use std::io::{self, Read};

/// The content of the entry that was last returned, and of those in which it goes on.
pub struct Continued<'a, E> {
    entries: &'a mut E,
    more: std::vec::IntoIter<RelPath>,
}

impl<'a, E: Entries> Continued<'a, E> {
    /// Reads on in these entries.
    pub fn new(entries: &'a mut E, more: Vec<RelPath>) -> Continued<'a, E> {
        Continued { entries, more: more.into_iter() }
    }

    /// Goes to the next entry, which has to be this one.
    fn go_on(&mut self, wanted: &RelPath) -> Result<()> {
        let next = self.entries.next_entry()?.map(|entry| RelPath::parse(&entry.path)).transpose()?;
        if next.as_ref() == Some(wanted) {
            return Ok(());
        }
        let message = format!("the dump in it goes on in {wanted}, which does not follow");
        Err(Error::new(Code::BackupIncomplete, message)
            .hint("Choose another backup, or restore the files alone: `--only files`."))
    }
}

impl<E: Entries> Read for Continued<'_, E> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.entries.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            let Some(next) = self.more.next() else { return Ok(0) };
            self.go_on(&next).map_err(archive::wrap)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Limits;

    fn tar(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn the_entries_are_one_text_and_have_to_follow_each_other() {
        let path = |name: &str| RelPath::parse(name.as_bytes()).unwrap();
        let read = |more: &[&str]| {
            let bytes = tar(&[("a.sql", "one "), ("a.s01", "two "), ("a.s02", "three"), ("b", "else")]);
            let mut entries = archive::open(bytes.as_slice(), Limits::default()).unwrap();
            entries.next_entry().unwrap();
            let mut text = String::new();
            let more = more.iter().map(|name| path(name)).collect();
            let read = Continued::new(&mut entries, more).read_to_string(&mut text).map(|_| text);
            let left = entries.next_entry().ok().flatten().map(|entry| entry.path);
            read.map(|text| (text, left)).map_err(archive::unwrap_io)
        };
        assert_eq!(read(&["a.s01", "a.s02"]).unwrap(), ("one two three".to_owned(), Some(b"b".to_vec())));
        assert_eq!(read(&[]).unwrap().0, "one ");
        let lost = read(&["a.s02"]).unwrap_err();
        assert_eq!(lost.code, Code::BackupIncomplete);
        assert!(lost.message.contains("a.s02"), "{}", lost.message);
        assert!(read(&["a.s01", "a.s02", "a.s03"]).is_err());
    }
}
