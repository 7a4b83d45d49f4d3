//! Removes a site's keys from Memcached, found by `lru_crawler metadump`, which it knows from 1.4.31 on. A server is flushed by the
//! operator's word alone.

use super::keys::Keys;
use crate::host::services::wire::{Until, Wire};
use crate::siteconf::Listen;
use crate::text::{percent_decoded, printable};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

/// Most bytes of a line of an answer: a key of 250 bytes, each written as three, and what is said of it.
const MAX_LINE: u64 = 4 << 10;
/// Longest key.
const MAX_KEY: usize = 250;
/// So many keys are told to go at once.
const BATCH: usize = 100;
/// Another client lists the keys: this long until it is asked again.
const PAUSE: Duration = Duration::from_millis(10);

/// What became of a site's keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// So many went.
    pub count: u64,
    /// All keys were looked at.
    pub is_whole: bool,
    /// So many begin with what may be the site's or a neighbour's. They stay.
    pub doubtful: u64,
    /// So many are the site's, and have letters with which they cannot be named. They stay.
    pub nameless: u64,
}

/// What a server makes of the question.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It lists its keys.
    Removed(Removed),
    /// It does not, and says this.
    Refused(String),
}

/// Removes the keys. `perhaps` is a beginning of keys that may be the site's.
///
/// # Errors
/// What the connection says.
pub fn remove(to: &Listen, keys: &Keys, perhaps: Option<&str>, until: &Until) -> io::Result<Answer> {
    let mut first = Vec::new();
    // While a list is being written no other one is begun.
    let mut list = loop {
        let mut list = BufReader::new(Wire::connect(to, until)?);
        list.get_mut().write_all(b"lru_crawler metadump all\r\n")?;
        line(&mut list, &mut first)?;
        if !first.starts_with(b"BUSY") {
            break list;
        }
        if until.is_over() {
            return Ok(Answer::Refused("it lists its keys for others".into()));
        }
        std::thread::sleep(PAUSE);
    };
    if !first.starts_with(b"key=") && first != b"END" {
        return Ok(Answer::Refused(printable(&String::from_utf8_lossy(&first))));
    }
    // On the other connection nothing can be said before the list ends.
    let mut server = BufReader::new(Wire::connect(to, until)?);
    let mut removed = Removed::default();
    let mut batch = Vec::new();
    let mut next = first;
    let ended = loop {
        if next == b"END" {
            removed.is_whole = true;
            break delete(&mut server, &mut batch, &mut removed.count);
        }
        if let Some(key) = key_of(&next) {
            let is_ours = keys.have(&key);
            let can_be_named = key.len() <= MAX_KEY && key.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
            removed.nameless += u64::from(is_ours && !can_be_named);
            removed.doubtful +=
                u64::from(!is_ours && perhaps.is_some_and(|perhaps| key.starts_with(perhaps.as_bytes())));
            if is_ours && can_be_named {
                batch.push(key);
            }
        }
        if batch.len() >= BATCH
            && let Err(error) = delete(&mut server, &mut batch, &mut removed.count)
        {
            break Err(error);
        }
        if let Err(error) = line(&mut list, &mut next) {
            break Err(error);
        }
    };
    match ended {
        Err(error) if !until.is_over() => Err(error),
        Err(_) => Ok(Answer::Removed(Removed { is_whole: false, ..removed })),
        Ok(()) => Ok(Answer::Removed(removed)),
    }
}

/// Empties a server.
///
/// # Errors
/// What the server or the connection says.
pub fn flush(to: &Listen, until: &Until) -> io::Result<()> {
    let mut wire = BufReader::new(Wire::connect(to, until)?);
    wire.get_mut().write_all(b"flush_all\r\n")?;
    let mut said = Vec::new();
    line(&mut wire, &mut said)?;
    match said.as_slice() {
        b"OK" => Ok(()),
        other => Err(io::Error::other(printable(&String::from_utf8_lossy(other)))),
    }
}

/// The next line, without its end.
fn line(wire: &mut BufReader<Wire>, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    wire.take(MAX_LINE).read_until(b'\n', into)?;
    if into.pop() != Some(b'\n') {
        return Err(io::Error::other("no answer of Memcached"));
    }
    if into.last() == Some(&b'\r') {
        into.pop();
    }
    Ok(())
}

/// `key=KEY exp=…`, the key as in an address: `%3A` is `:`.
fn key_of(line: &[u8]) -> Option<Vec<u8>> {
    let written = line.strip_prefix(b"key=")?.split(|byte| *byte == b' ').next()?;
    let (key, is_whole) = percent_decoded(written);
    is_whole.then_some(key)
}

/// A key that is gone by now is no error.
fn delete(server: &mut BufReader<Wire>, batch: &mut Vec<Vec<u8>>, count: &mut u64) -> io::Result<()> {
    let text: Vec<u8> = batch.iter().flat_map(|key| [b"delete ", key.as_slice(), b"\r\n"].concat()).collect();
    server.get_mut().write_all(&text)?;
    let mut said = Vec::new();
    for _ in batch.drain(..) {
        line(server, &mut said)?;
        match said.as_slice() {
            b"DELETED" => *count += 1,
            b"NOT_FOUND" => {}
            other => return Err(io::Error::other(printable(&String::from_utf8_lossy(other)))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::keys::Sessions;
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn keys_are_read_as_they_are_listed() {
        let of = |line: &str| key_of(line.as_bytes()).map(|key| String::from_utf8_lossy(&key).into_owned());
        assert_eq!(of("key=shop%3Aa%7cb%2Bc exp=-1 la=1 cas=1 fetch=no cls=1 size=70").as_deref(), Some("shop:a|b+c"));
        assert_eq!(of("key=a").as_deref(), Some("a"));
        for broken in ["", "END", "key=a%", "key=a%4", "key=a%zz exp=-1"] {
            assert_eq!(of(broken), None, "{broken}");
        }
    }

    /// What a server is told that gives these answers, one to each connection.
    fn told(answers: Vec<Vec<u8>>, millis: u64) -> (io::Result<Answer>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let mut streams = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.write_all(&answer);
                streams.push(stream);
            }
            let mut all = Vec::new();
            for mut stream in streams {
                let mut text = String::new();
                let _ = stream.read_to_string(&mut text);
                all.push(text);
            }
            all
        });
        let monitor: std::sync::Arc<dyn crate::progress::Monitor> = std::sync::Arc::new(crate::progress::Silent);
        let until = Until::from_now(Duration::from_millis(millis), &monitor);
        let prefixes = ["shop:".to_owned()];
        let keys = Keys { prefixes: Some(&prefixes), sessions: Sessions::Nowhere };
        let answer = remove(&Listen::Unix(path), &keys, Some("shop"), &until);
        (answer, server.join().unwrap())
    }

    #[test]
    fn a_key_says_nothing_to_the_server_but_its_name() {
        let listed = b"key=shop%3Ax%0D%0Aflush_all%0D%0A exp=-1\nkey=shop%3Aa exp=-1\nkey=shop2%3Aa exp=-1\nEND\r\n";
        let (answer, said) = told(vec![listed.to_vec(), b"DELETED\r\n".to_vec()], 20_000);
        let removed = Removed { count: 1, is_whole: true, doubtful: 1, nameless: 1 };
        assert_eq!(answer.unwrap(), Answer::Removed(removed));
        assert_eq!(said, ["lru_crawler metadump all\r\n", "delete shop:a\r\n"]);
    }

    #[test]
    fn a_server_that_lists_for_another_is_asked_again_and_one_that_lists_nothing_is_left() {
        let (answer, _) =
            told(vec![b"BUSY currently processing crawler request\r\n".to_vec(), b"END\r\n".to_vec(), vec![]], 20_000);
        assert_eq!(answer.unwrap(), Answer::Removed(Removed { is_whole: true, ..Removed::default() }));
        let (answer, _) = told(vec![b"ERROR metadump not allowed\r\n".to_vec()], 20_000);
        assert_eq!(answer.unwrap(), Answer::Refused("ERROR metadump not allowed".into()));
    }

    #[test]
    fn a_list_without_end_costs_the_time_and_no_more() {
        let (answer, _) = told(vec![b"key=shop%3Aa exp=-1\n".to_vec(), vec![]], 300);
        assert_eq!(answer.unwrap(), Answer::Removed(Removed::default()));
        let (answer, _) = told(vec![vec![b'k'; 10_000]], 20_000);
        assert_eq!(answer.unwrap_err().to_string(), "no answer of Memcached");
    }
}
