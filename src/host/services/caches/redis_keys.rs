//! Removes a site's keys from Redis: those with its prefix, found by SCAN. Nothing is ever flushed.

use super::keys::Keys;
use crate::host::services::wire::{Until, Wire};
use crate::siteconf::Listen;
use std::io::{self, BufRead, BufReader, Read, Write};

/// Most bytes of one value of an answer.
const MAX_BULK: usize = 1 << 20;
/// Most bytes of one answer, with what it takes to keep a value: the server may be a tenant's.
const MAX_ANSWER: usize = 16 << 20;
/// Most values in one answer.
const MAX_LIST: usize = 100_000;

/// Removes the keys. Sessions and queues stay, whatever their keys begin with. How many went, and whether the time was enough.
///
/// # Errors
/// What the server or the connection says.
pub fn remove(
    (to, database): (&Listen, u32),
    (user, password): (&str, &str),
    keys: &Keys,
    until: &Until,
) -> io::Result<(u64, bool)> {
    let mut server = Server { wire: BufReader::new(Wire::connect(to, until)?), room: 0 };
    match (user, password) {
        (_, "") => {}
        ("", password) => drop(server.ask(&[b"AUTH", password.as_bytes()])?),
        (user, password) => drop(server.ask(&[b"AUTH", user.as_bytes(), password.as_bytes()])?),
    }
    server.ask(&[b"SELECT", database.to_string().as_bytes()])?;
    let all = [String::new()];
    let prefixes = keys.prefixes.unwrap_or(&all);
    let mut count = 0;
    for prefix in prefixes {
        let pattern = [escaped(prefix).as_slice(), b"*"].concat();
        let mut cursor = b"0".to_vec();
        loop {
            let Answer::List(answer) = server.ask(&[b"SCAN", &cursor, b"MATCH", &pattern, b"COUNT", b"1000"])? else {
                return Err(io::Error::other("SCAN has another answer than a list"));
            };
            let mut parts = answer.into_iter();
            let (Some(Answer::Text(next)), Some(Answer::List(found))) = (parts.next(), parts.next()) else {
                return Err(io::Error::other("SCAN has another answer than a cursor and keys"));
            };
            let ours = |key: Answer| match key {
                Answer::Text(key) if keys.have(&key) => Some(key),
                _ => None,
            };
            let ours: Vec<Vec<u8>> = found.into_iter().filter_map(ours).collect();
            count += server.unlink(&ours)?;
            cursor = next;
            if cursor == b"0" {
                break;
            }
            if until.is_over() {
                return Ok((count, false));
            }
        }
    }
    Ok((count, true))
}

/// A prefix as SCAN's pattern takes it: nothing in it stands for other letters.
fn escaped(prefix: &str) -> Vec<u8> {
    let special = |byte: u8| matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^' | b'-');
    prefix.bytes().flat_map(|byte| if special(byte) { vec![b'\\', byte] } else { vec![byte] }).collect()
}

#[derive(Debug, Clone)]
enum Answer {
    Text(Vec<u8>),
    Number(i64),
    List(Vec<Answer>),
    Nothing,
}

struct Server {
    wire: BufReader<Wire>,
    /// What the answer may still take.
    room: usize,
}

impl Server {
    fn ask(&mut self, words: &[&[u8]]) -> io::Result<Answer> {
        let mut text = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            text.extend(format!("${}\r\n", word.len()).bytes());
            text.extend_from_slice(word);
            text.extend_from_slice(b"\r\n");
        }
        self.wire.get_mut().write_all(&text)?;
        self.room = MAX_ANSWER;
        self.answer(0)
    }

    /// How many keys went; without waiting for their memory, where the server knows how.
    fn unlink(&mut self, keys: &[Vec<u8>]) -> io::Result<u64> {
        if keys.is_empty() {
            return Ok(0);
        }
        let with =
            |word: &'static [u8]| std::iter::once(word).chain(keys.iter().map(Vec::as_slice)).collect::<Vec<_>>();
        let answer = match self.ask(&with(b"UNLINK")) {
            Err(error) if error.to_string().contains("unknown command") => self.ask(&with(b"DEL"))?,
            answer => answer?,
        };
        match answer {
            Answer::Number(count) => Ok(count.max(0).cast_unsigned()),
            _ => Err(io::Error::other("UNLINK has another answer than a number")),
        }
    }

    fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| io::Error::other("the answer of Redis is too long"))?;
        Ok(())
    }

    fn answer(&mut self, depth: usize) -> io::Result<Answer> {
        self.take(64)?;
        let mut line = Vec::new();
        (&mut self.wire).take(64 << 10).read_until(b'\n', &mut line)?;
        let line = line.strip_suffix(b"\r\n").ok_or_else(|| io::Error::other("no answer of Redis"))?;
        let (kind, rest) = line.split_first().ok_or_else(|| io::Error::other("an empty answer"))?;
        let number = || std::str::from_utf8(rest).ok()?.parse::<i64>().ok();
        let bad = || io::Error::other("no answer of Redis");
        match kind {
            b'+' => Ok(Answer::Text(rest.to_vec())),
            b'-' => Err(io::Error::other(crate::text::printable(&String::from_utf8_lossy(rest)))),
            b':' => Ok(Answer::Number(number().ok_or_else(bad)?)),
            b'$' => match number().ok_or_else(bad)? {
                -1 => Ok(Answer::Nothing),
                length => {
                    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BULK).ok_or_else(bad)?;
                    self.take(length)?;
                    let mut value = vec![0; length + 2];
                    self.wire.read_exact(&mut value)?;
                    value.truncate(length);
                    Ok(Answer::Text(value))
                }
            },
            b'*' if depth < 2 => {
                let length =
                    number().and_then(|length| usize::try_from(length).ok()).filter(|length| *length <= MAX_LIST);
                let length = length.ok_or_else(bad)?;
                (0..length).map(|_| self.answer(depth + 1)).collect::<io::Result<Vec<_>>>().map(Answer::List)
            }
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Sessions;
    use super::*;

    #[test]
    fn an_answer_without_end_costs_little() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut value = b"$1000000\r\n".to_vec();
            value.extend(vec![b'x'; 1_000_000]);
            value.extend(b"\r\n");
            let _ = stream.write_all(b"+OK\r\n*2\r\n$1\r\n0\r\n*100000\r\n");
            (0..100_000).take_while(|_| stream.write_all(&value).is_ok()).count()
        });
        let monitor: std::sync::Arc<dyn crate::progress::Monitor> = std::sync::Arc::new(crate::progress::Silent);
        let until = Until::from_now(std::time::Duration::from_secs(20), &monitor);
        let error =
            remove((&Listen::Unix(path), 0), ("", ""), &Keys { prefixes: None, sessions: Sessions::Nowhere }, &until)
                .unwrap_err();
        assert_eq!(error.to_string(), "the answer of Redis is too long");
        assert!(server.join().unwrap() < 100);
    }

    #[test]
    fn nothing_in_a_prefix_stands_for_other_letters() {
        assert_eq!(escaped("a*b[c]-"), b"a\\*b\\[c\\]\\-");
    }
}
