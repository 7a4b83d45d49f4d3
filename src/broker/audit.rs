//! A line for every call that came to the broker.

use crate::broker::peer::Peer;
use crate::clock;
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// From so many bytes on the lines so far become `….1`, and those before them the next; so many are kept.
const LARGEST: u64 = 16 << 20;
const KEPT: u32 = 8;
/// Longest word of a caller's that is written down.
const LONGEST: usize = 200;

/// Who asked for what, and how it came out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Line {
    /// Local time, RFC 3339.
    pub at: String,
    /// Name of the caller's user, or its number.
    pub user: String,
    /// Number of the caller's user.
    pub uid: u32,
    /// The caller's process.
    pub pid: i32,
    /// The program it ran, where it still did.
    pub executable: String,
    /// For whom the caller says that it asks. Its word alone.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub on_behalf: String,
    /// Name of the call; empty where the document could not be read.
    pub call: String,
    /// The domain; missing where it is every domain, or none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub domain: Option<String>,
    /// The job that was begun or asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
    /// Who approved it, where that was needed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approved_by: Option<String>,
    /// `ok`, or the code of the error; `begun` before a call that changes something.
    pub outcome: String,
    /// Calls of this user that changed nothing and were not written down, since there were too many in a minute.
    #[serde(skip_serializing_if = "is_none", default)]
    pub left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Line {
    /// Of a caller, at this moment.
    pub fn of(peer: &Peer) -> Line {
        Line {
            at: clock::rfc3339(),
            user: peer.user(),
            uid: peer.uid,
            pid: peer.pid,
            executable: peer.executable(),
            ..Line::default()
        }
    }
}

/// What a line is about. Calls that only look have a file of their own: whoever asks a lot pushes out no line of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A call that began a job.
    Jobs,
    /// Any other, those that were refused among them.
    Looks,
}

impl About {
    const ALL: [About; 2] = [About::Looks, About::Jobs];

    fn path(self, config: &Config) -> PathBuf {
        config.paths.base.join(match self {
            About::Jobs => "restore_audit.jsonl",
            About::Looks => "restore_audit_looks.jsonl",
        })
    }
}

/// Adds a line, whole, to the file of root's alone, and makes room where it is large.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn write(config: &Config, about: About, line: &Line) -> Result<()> {
    static ONE: Mutex<()> = Mutex::new(());
    let line = Line {
        executable: short(&line.executable),
        on_behalf: short(&line.on_behalf),
        call: short(&line.call),
        ..line.clone()
    };
    let text = serde_json::to_string(&line)
        .map_err(|error| Error::new(Code::Internal, format!("a line of the audit cannot be written: {error}")))?;
    let path = about.path(config);
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.size() >= LARGEST) {
        for number in (1..KEPT).rev() {
            let _ = std::fs::rename(older(&path, number), older(&path, number + 1));
        }
        std::fs::rename(&path, older(&path, 1)).doing(|| format!("rename {}", path.display()))?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
    let mut file = options.open(&path).doing(|| format!("open {}", path.display()))?;
    // Before it, too: a line that a full disk cut must not take this one with it. Empty lines are none.
    file.write_all(format!("\n{text}\n").as_bytes()).doing(|| format!("write {}", path.display()))
}

/// A caller's word as it is kept: no longer than a line of a screen or two, and nothing in it that JSON would make longer.
pub fn short(word: &str) -> String {
    word.chars().take(LONGEST).map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// The last lines that are wanted, oldest first, no more than `most`. One reader at a time, a line at a time: there may be many.
///
/// # Errors
/// `forbidden`, `io_failed`.
pub fn lines(config: &Config, most: usize, wanted: impl Fn(&Line) -> bool) -> Result<Vec<Line>> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found: Vec<Line> = Vec::new();
    for about in About::ALL {
        let path = about.path(config);
        let mut last: VecDeque<Line> = VecDeque::new();
        for path in (1..=KEPT).rev().map(|number| older(&path, number)).chain([path.clone()]) {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(format!("read {}", path.display()), &error)),
            };
            for line in BufReader::new(file).split(b'\n') {
                let line = line.doing(|| format!("read {}", path.display()))?;
                // A line that a power cut or a full disk tore is none.
                let Ok(line) = serde_json::from_slice::<Line>(&line) else { continue };
                if wanted(&line) {
                    last.push_back(line);
                    if last.len() > most {
                        last.pop_front();
                    }
                }
            }
        }
        found.extend(last);
    }
    found.sort_by(|one, other| one.at.cmp(&other.at));
    found.drain(..found.len().saturating_sub(most));
    Ok(found)
}

fn older(path: &Path, number: u32) -> PathBuf {
    path.with_extension(format!("jsonl.{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_whole_and_short_and_old_ones_go() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let peer = Peer { pid: 1, uid: 0, groups: vec![0] };
        let line = Line { call: "x".repeat(1000), on_behalf: "a\nb".into(), outcome: "ok".into(), ..Line::of(&peer) };
        let jobs = About::Jobs.path(&config);
        let add = |about| write(&config, about, &line).unwrap();
        let all = || lines(&config, 10, |_| true).unwrap();
        add(About::Jobs);
        assert_eq!(std::fs::metadata(&jobs).unwrap().mode() & 0o777, 0o600);
        let read = all();
        assert_eq!((read.len(), read[0].call.len(), read[0].on_behalf.as_str()), (1, LONGEST, "a\u{fffd}b"));
        // What was torn within a letter takes no other line with it.
        std::fs::File::options().append(true).open(&jobs).unwrap().write_all(b"{\"at\":\"\xe6\x97").unwrap();
        add(About::Jobs);
        assert_eq!(all().len(), 2);
        // However many look, the lines of jobs stay.
        for _ in 0..=KEPT {
            add(About::Looks);
            std::fs::File::options().write(true).open(About::Looks.path(&config)).unwrap().set_len(LARGEST).unwrap();
        }
        assert_eq!(lines(&config, 100, |_| true).unwrap().len(), 2 + 1 + KEPT as usize);
        assert_eq!(lines(&config, 3, |_| true).unwrap().len(), 3);
        for _ in 0..=KEPT {
            std::fs::File::options().write(true).open(&jobs).unwrap().set_len(LARGEST).unwrap();
            add(About::Jobs);
        }
        assert!(std::fs::metadata(&jobs).unwrap().len() < 2000);
        assert!(older(&jobs, KEPT).exists() && !older(&jobs, KEPT + 1).exists());
    }
}
