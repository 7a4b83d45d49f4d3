//! `.jps`, the encrypted archive of Akeeba Backup (JPS 2.0, read from its writer's source, Akeeba Engine of 2025, and from what it writes).
//! All numbers are little endian. A head says how the password becomes a key. The head of each entry, and each piece of a content, is encrypted
//! by AES-128 in cipher block chaining: behind it stand the salt, where each has its own, what its first block was mixed with, and how many
//! bytes it has. A piece of a file is a whole stream of raw deflate. At the end stands how many entries there were. There are no checksums:
//! a wrong password is told by the head of the first entry, damage by sizes and by what cannot be unpacked.

use super::cbc::BLOCK;
use super::entries::{Entries, Spent};
use super::entry::{Entry, EntryKind, MAX_LINK};
use super::jpa::{KICKSTART, u16_at, u32_at};
use super::password::{self, Password};
use super::zip::{ReadAt, Stretch, exact};
use super::{Limits, cbc, corrupt, is_from_below, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use ::cbc::Decryptor;
use ::cbc::cipher::KeyIvInit;
use aes::Aes128;
use flate2::bufread::DeflateDecoder;
use ring::pbkdf2;
use std::io::{self, BufReader, Read};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// How it begins.
pub const MARK: &[u8] = b"JPS";
const ENTRY: &[u8] = b"JPF";
const END: &[u8] = b"JPE";
/// The head of an archive without what is added, and that with it.
const HEAD: usize = 8;
const WHOLE_HEAD: u64 = 84;
/// What is added to it: how a key is made.
const KEY: &[u8] = b"JH\0\x01\x4c\0";
/// The end of an archive.
const TAIL: usize = 17;
/// Before the content of an entry's head: mark and two sizes. Before that of a piece: two sizes.
const ENTRY_HEAD: u64 = 7;
const PIECE_HEAD: u64 = 8;
/// In the head of an entry: the length of its path in front, and what is behind that.
const FIXED: usize = 16;
const SALT: usize = 64;
/// Most rounds in which a key is made: of one for all, and of one for each piece. The writer makes 128,000 and 2,500.
const MOST_ROUNDS: (u32, u32) = (1_000_000, 20_000);
/// Contents are read in pieces of this size.
const PIECE: usize = 64 << 10;

/// How keys are made.
struct Keys {
    password: Password,
    algorithm: pbkdf2::Algorithm,
    rounds: NonZeroU32,
    /// The one for all; without it each piece has its own.
    of_all: Option<Zeroizing<[u8; BLOCK]>>,
}

impl Keys {
    /// Reads the head of an archive.
    fn of(source: &impl ReadAt, password: &Password) -> Result<Keys> {
        let mut head = [0; WHOLE_HEAD as usize];
        exact(source, &mut head, 0)?;
        if head[3] != 2 || u16_at(&head, 6) != (WHOLE_HEAD as u16) - HEAD as u16 || !head[HEAD..].starts_with(KEY) {
            return Err(unread(format!("it is of version {}.{} of Akeeba's encrypted form", head[3], head[4])));
        }
        let algorithm = match head[14] {
            0 => pbkdf2::PBKDF2_HMAC_SHA1,
            1 => pbkdf2::PBKDF2_HMAC_SHA256,
            2 => pbkdf2::PBKDF2_HMAC_SHA512,
            other => return Err(unread(format!("its key is made by method {other}"))),
        };
        let (rounds, is_static) = (u32_at(&head, 15), head[19] != 0);
        let most = if is_static { MOST_ROUNDS.0 } else { MOST_ROUNDS.1 };
        let Some(rounds) = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= most) else {
            let message = format!("its key would be made in {rounds} rounds, and {most} are the most");
            return Err(Error::new(Code::LimitExceeded, message).hint(KICKSTART));
        };
        let mut keys = Keys { password: password.clone(), algorithm, rounds, of_all: None };
        keys.of_all = is_static.then(|| keys.made(&head[20..]));
        Ok(keys)
    }

    fn made(&self, salt: &[u8]) -> Zeroizing<[u8; BLOCK]> {
        let mut key = Zeroizing::new([0; BLOCK]);
        pbkdf2::derive(self.algorithm, self.rounds, salt, self.password.bytes(), &mut *key);
        key
    }

    /// A reader of what is encrypted between two offsets, and its size.
    fn open<S: ReadAt + Clone>(&self, source: &S, begin: u64, end: u64) -> Result<(Plain<S>, u64)> {
        let wrong = || corrupt(format_args!("what is encrypted at byte {begin} has no form that can be"));
        let mut tail = [0; 4 + SALT + 4 + BLOCK + 4];
        let length = if self.of_all.is_some() { 4 + BLOCK + 4 } else { tail.len() };
        let packed = (end - begin).checked_sub(length as u64).ok_or_else(wrong)?;
        let tail = &mut tail[..length];
        exact(source, tail, end - length as u64)?;
        let (salt, mixed) = tail.split_at(length - 4 - BLOCK - 4);
        let key = match (&self.of_all, salt.strip_prefix(b"JPST")) {
            (Some(key), _) => key.clone(),
            (None, Some(salt)) => self.made(salt),
            (None, None) => return Err(wrong()),
        };
        let first = mixed.strip_prefix(b"JPIV").and_then(<[u8]>::first_chunk::<BLOCK>).ok_or_else(wrong)?;
        let size = u64::from(u32_at(mixed, 4 + BLOCK));
        if !packed.is_multiple_of(BLOCK as u64) || size > packed || packed - size > BLOCK as u64 {
            return Err(wrong());
        }
        let stream = Box::new(Decryptor::new((&*key).into(), first.into()));
        let inner = Stretch::new(source.clone(), begin, begin + packed);
        Ok((Plain { inner, stream, left: size, bytes: Vec::new(), given: 0 }, size))
    }
}

fn unread(what: String) -> Error {
    Error::new(Code::BackupUnreadable, format!("{what}, which is not read")).hint(KICKSTART)
}

/// What was encrypted.
struct Plain<S> {
    inner: Stretch<S>,
    stream: Box<Decryptor<Aes128>>,
    /// Bytes that are not decrypted yet, without those that fill the last block.
    left: u64,
    bytes: Vec<u8>,
    given: usize,
}

impl<S: ReadAt> Read for Plain<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.bytes.len() && self.left > 0 {
            self.bytes.clear();
            self.given = 0;
            let most = self.left.next_multiple_of(BLOCK as u64).min(PIECE as u64);
            (&mut self.inner).take(most).read_to_end(&mut self.bytes)?;
            cbc::decrypt(&mut *self.stream, &mut self.bytes);
            self.bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= self.bytes.len() as u64;
        }
        let count = into.len().min(self.bytes.len() - self.given);
        into[..count].copy_from_slice(&self.bytes[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// What the end of an archive says of it.
#[derive(Debug, Clone, Copy)]
struct Whole {
    entries: u32,
    plain: u32,
}

/// Entries of such an archive.
pub struct JpsReader<S> {
    source: S,
    keys: Keys,
    whole: Whole,
    limits: Limits,
    spent: Spent,
    at: u64,
    entries: u32,
    plain: u32,
    offset: u64,
    content: Option<Content<S>>,
    names_only: bool,
}

/// The content of a file while it is read.
struct Content<S> {
    name: String,
    /// Bytes that are to come of the file.
    left: u64,
    piece: Option<DeflateDecoder<BufReader<Plain<S>>>>,
    /// Nothing came of the piece yet.
    is_new: bool,
}

impl<S: ReadAt + Clone> JpsReader<S> {
    /// Reads head and end, and proves the password by the first entry.
    ///
    /// # Errors
    /// `backup_unreadable` for a wrong password, without one, and for older forms; `backup_incomplete` where its end or a file is missing;
    /// `backup_corrupt`, `limit_exceeded`, `io_failed`.
    pub fn open(source: S, limits: Limits, password: Option<&Password>) -> Result<JpsReader<S>> {
        let password = password.ok_or_else(|| password::wanted("it is an encrypted archive of Akeeba"))?;
        let keys = Keys::of(&source, password)?;
        let mut tail = [0; TAIL];
        let Some(at) = source.size().checked_sub(TAIL as u64).filter(|at| *at >= WHOLE_HEAD) else {
            return Err(unfinished());
        };
        exact(&source, &mut tail, at)?;
        if !tail.starts_with(END) {
            return Err(unfinished());
        }
        let (files, found) = (usize::from(u16_at(&tail, 3)), source.volumes().len());
        if files != found {
            let message = format!("it is an archive in {files} files, and {found} of them are there");
            return Err(Error::new(Code::BackupIncomplete, message)
                .hint("Put all of them into one folder: NAME.j01, NAME.j02, … and NAME.jps."));
        }
        let whole = Whole { entries: u32_at(&tail, 5), plain: u32_at(&tail, 9) };
        let reader = JpsReader {
            source,
            keys,
            whole,
            limits,
            spent: Spent::default(),
            at: WHOLE_HEAD,
            entries: 0,
            plain: 0,
            offset: 0,
            content: None,
            names_only: false,
        };
        if whole.entries > 0 {
            reader.head().map_err(|error| match error.code {
                Code::BackupCorrupt => password::wrong_or_damaged(),
                _ => error,
            })?;
        }
        Ok(reader)
    }

    /// For who wants to know what is in it: contents that nobody read are not decrypted.
    #[must_use]
    pub fn names_only(self) -> JpsReader<S> {
        JpsReader { names_only: true, ..self }
    }

    fn damage(&self, why: impl std::fmt::Display) -> Error {
        corrupt(format_args!("{why} (byte {})", self.at)).with("offset", self.at)
    }

    fn mark(&self) -> Result<[u8; 3]> {
        let mut mark = [0; 3];
        exact(&self.source, &mut mark, self.at)?;
        Ok(mark)
    }

    /// The head of the entry here, decrypted, and where it ends.
    fn head(&self) -> Result<(Vec<u8>, u64)> {
        let mut start = [0; ENTRY_HEAD as usize];
        exact(&self.source, &mut start, self.at)?;
        if !start.starts_with(ENTRY) {
            return Err(self.damage("no entry begins where one should"));
        }
        let begin = self.at + ENTRY_HEAD;
        let end = begin + u64::from(u16_at(&start, 3));
        let (mut plain, size) = self.keys.open(&self.source, begin, end)?;
        let mut head = Vec::new();
        plain.read_to_end(&mut head).map_err(unwrap_io)?;
        let is_sound = size == u64::from(u16_at(&start, 5)) && head.len() == usize::from(u16_at(&head, 0)) + FIXED;
        if !is_sound || head.len() == FIXED {
            return Err(self.damage("the head of an entry is not as long as it says"));
        }
        Ok((head, end))
    }

    /// Opens the piece of a content that begins here.
    fn piece(&mut self) -> Result<(Plain<S>, u64)> {
        let mut start = [0; PIECE_HEAD as usize];
        exact(&self.source, &mut start, self.at)?;
        let begin = self.at + PIECE_HEAD;
        let end = begin + u64::from(u32_at(&start, 0));
        if end > self.source.size() {
            return Err(self.damage("it ends in the middle of a content"));
        }
        let (plain, size) = self.keys.open(&self.source, begin, end)?;
        if size != u64::from(u32_at(&start, 4)) {
            return Err(self.damage("a piece of a content has two sizes"));
        }
        self.at = end;
        Ok((plain, size))
    }

    fn entry(&mut self) -> Result<Option<Entry>> {
        if self.mark()? == END {
            return self.end().map(|()| None);
        }
        let (head, end) = self.head()?;
        let (path, fixed) = head[2..].split_at(head.len() - FIXED);
        let (kind, packing, size, mode) = (fixed[0], fixed[1], u32_at(fixed, 2), u32_at(fixed, 6));
        let mtime = u32_at(fixed, 10);
        let shown = String::from_utf8_lossy(path).into_owned();
        self.at = end;
        let kind = match kind {
            0 => EntryKind::Folder,
            1 if packing == 1 || size == 0 => EntryKind::File,
            1 => return Err(unread(format!("{shown:?} is packed by method {packing} of Akeeba's form"))),
            2 if u64::from(size) <= MAX_LINK => {
                let (mut plain, length) = self.piece()?;
                if length > MAX_LINK {
                    return Err(self.damage(format_args!("the target of {shown:?} is too long")));
                }
                let mut target = Vec::new();
                plain.read_to_end(&mut target).map_err(unwrap_io)?;
                EntryKind::Symlink(target)
            }
            _ => return Err(self.damage(format_args!("{shown:?} is of a kind that nobody knows"))),
        };
        self.entries = self.entries.wrapping_add(1);
        self.plain = self.plain.wrapping_add(size);
        let size = if kind == EntryKind::File { u64::from(size) } else { 0 };
        self.content =
            (kind == EntryKind::File).then(|| Content { name: shown, left: size, piece: None, is_new: false });
        Ok(Some(Entry {
            path: path.to_vec(),
            mode: mode & 0o7777,
            kind,
            uid: 0,
            gid: 0,
            mtime: (i64::from(mtime), 0),
            size,
            stored: size,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        }))
    }

    /// Goes to what follows the content: a piece has no size with the letters of a mark.
    fn pass_over(&mut self) -> Result<()> {
        self.content = None;
        loop {
            let mark = self.mark()?;
            if mark == ENTRY || mark == END {
                return Ok(());
            }
            let mut size = [0; 4];
            exact(&self.source, &mut size, self.at)?;
            self.at += PIECE_HEAD + u64::from(u32_at(&size, 0));
            if self.at > self.source.size() {
                return Err(self.damage("it ends in the middle of a content"));
            }
        }
    }

    fn end(&self) -> Result<()> {
        if self.at + TAIL as u64 != self.source.size() {
            return Err(self.damage("something follows the end of the archive"));
        }
        if (self.whole.entries, self.whole.plain) != (self.entries, self.plain) {
            return Err(self.damage("its end does not say what is in it"));
        }
        Ok(())
    }

    /// The next bytes of the content in hand.
    fn unpack(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            let Some(content) = &mut self.content else { return Ok(0) };
            let most = content.left.min(into.len() as u64) as usize;
            if let Some(piece) = &mut content.piece {
                // At the end of the content the piece has to end, too.
                let mut more = [0; 1];
                let read = if most == 0 { piece.read(&mut more) } else { piece.read(&mut into[..most]) };
                let count = read.map_err(|error| match is_from_below(&error) {
                    true => unwrap_io(error),
                    false => corrupt(format_args!("{:?} cannot be unpacked: {error}", content.name)),
                })?;
                if count > 0 && most == 0 {
                    return Err(corrupt(format_args!("{:?} is longer than its head says", content.name)));
                }
                if count > 0 {
                    content.is_new = false;
                    content.left -= count as u64;
                    return Ok(count);
                }
                content.piece = None;
                // Each piece has a key of its own, which takes its time.
                if content.left > 0 && std::mem::replace(&mut content.is_new, false) {
                    return Err(self.damage("a piece of a content is empty"));
                }
            }
            if content.left == 0 || into.is_empty() {
                return Ok(0);
            }
            let mark = self.mark()?;
            if mark == ENTRY || mark == END {
                return Err(self.damage("a content is shorter than its head says"));
            }
            let (plain, _) = self.piece()?;
            if let Some(content) = &mut self.content {
                content.piece = Some(DeflateDecoder::new(BufReader::with_capacity(PIECE, plain)));
                content.is_new = true;
            }
        }
    }
}

fn unfinished() -> Error {
    Error::new(Code::BackupIncomplete, "it was never finished, or its end is missing")
        .hint("Copy it again, or choose another backup.")
}

impl<S: ReadAt + Clone> Entries for JpsReader<S> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        match self.names_only {
            true => self.pass_over()?,
            false => {
                io::copy(self, &mut io::sink()).map_err(unwrap_io)?;
                self.content = None;
            }
        }
        let Some(entry) = self.entry()? else { return Ok(None) };
        self.limits.count(&mut self.spent, entry.size)?;
        Ok(Some(entry))
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn spent(&self) -> Spent {
        self.spent
    }

    fn spend(&mut self, inner: Spent) {
        self.spent.add(inner);
    }
}

impl<S: ReadAt + Clone> Read for JpsReader<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.unpack(into).map_err(wrap)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
