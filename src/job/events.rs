//! Reading the events of a job, on from where the last reading stopped.

use crate::job::folder::{JobFolder, file};
use crate::job::status::Event;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;

/// A reader of `events.jsonl`. The file only grows, so each line is read and parsed once, however often somebody asks.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    /// Bytes of the lines that were read.
    read: u64,
    /// The highest sequence number that was given, or that the caller had already.
    seen: u64,
}

impl Events {
    /// The events of a job after a sequence number; 0: all.
    pub fn after(folder: &JobFolder, seen: u64) -> Events {
        Events { path: folder.join(file::EVENTS), read: 0, seen }
    }

    /// The highest sequence number that was given, or that the caller had already.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The events since the last reading. A file that is not there yet has none; a line that is still being written comes the next
    /// time.
    pub fn more(&mut self) -> Vec<Event> {
        let mut found = Vec::new();
        let Ok(mut file) = File::open(&self.path) else { return found };
        if file.seek(SeekFrom::Start(self.read)).is_err() {
            return found;
        }
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        while let Ok(length) = lines.read_until(b'\n', &mut line)
            && line.ends_with(b"\n")
        {
            self.read += length as u64;
            // A full disk may have cut a line: those after it are whole.
            if let Ok(event) = serde_json::from_slice::<Event>(&line)
                && event.seq > self.seen
            {
                self.seen = event.seq;
                found.push(event);
            }
            line.clear();
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn each_event_is_given_once_and_a_line_that_is_being_written_the_next_time() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join(file::TICKET), "{}").unwrap();
        let folder = JobFolder::at(base.path()).unwrap();
        let mut events = Events::after(&folder, 1);
        assert_eq!(events.more().len(), 0);
        let mut out = File::create(folder.join(file::EVENTS)).unwrap();
        let line = |seq: u64| format!("{{\"seq\":{seq},\"time\":\"\",\"level\":\"info\",\"message\":\"\"}}\n");
        let mut numbers = |text: &str| {
            out.write_all(text.as_bytes()).unwrap();
            events.more().iter().map(|event| event.seq.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(numbers(&(line(1) + &line(2) + "{\"seq\":3,")), "2");
        assert_eq!(numbers(""), "");
        assert_eq!(numbers("\n{\"se"), "", "a cut line");
        assert_eq!(numbers(&("\n".to_owned() + &line(4) + &line(5))), "4 5");
        assert_eq!(numbers(""), "");
    }
}
