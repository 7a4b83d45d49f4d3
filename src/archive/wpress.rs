//! `.wpress` of All-in-One WP Migration (read from its writer's source, 7.105): records one after another, each with a header of 4,377
//! bytes of text filled with NUL: name 255, stored bytes 14, time 12, folder 4,088, CRC-32 of the content 8; older files have a folder of
//! 4,096 bytes and no checksum. `package.json`, the first record, says how contents are packed. The last header has no name.

use super::entries::{Entries, Spent};
use super::entry::{Entry, EntryKind};
use super::password::{self, Password};
use super::zip::ReadAt;
use super::{Limits, cbc, corrupt, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use data_encoding::BASE64;
use serde_json::Value;
use std::io::{self, Read};
use std::sync::Arc;
use zeroize::Zeroizing;

const HEADER: usize = 4377;
/// Content that is packed is packed in chunks that unpack to this many bytes at most.
const CHUNK: u64 = 512_000;
/// Largest packed chunk: what does not get smaller gets a little larger.
const MAX_PACKED: u32 = 1 << 20;
/// What encryption adds to a whole chunk: a block in front, and one of padding.
const OVERHEAD: u64 = 2 * cbc::BLOCK as u64;
/// Largest `package.json`.
const MAX_PACKAGE: u64 = 4 << 20;

/// Whether a file that begins like this is one: its first record is `package.json`, or a name with a size and a time behind it.
pub fn is_one(start: &[u8]) -> bool {
    let Some(header) = start.first_chunk::<281>() else { return false };
    let name = field(&header[..255]);
    let digits = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
    let is_filled = |text: &[u8], length: usize| text[length..].iter().all(|byte| *byte == 0);
    !name.is_empty()
        && is_filled(&header[..255], name.len())
        && digits(field(&header[255..269]))
        && digits(field(&header[269..281]))
}

fn field(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(0, text).unwrap_or(text.len())]
}

/// How contents are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Zlib,
    Bzip2,
}

/// How contents are stored.
#[derive(Debug, Clone)]
struct Form {
    packing: Packing,
    /// They are encrypted, after they were packed.
    key: Option<Arc<Zeroizing<[u8; 32]>>>,
}

impl Form {
    const PLAIN: Form = Form { packing: Packing::None, key: None };

    /// They are the content as it is.
    fn is_plain(&self) -> bool {
        self.packing == Packing::None && self.key.is_none()
    }
}

/// Entries of such an archive.
pub struct WpressReader<S> {
    source: S,
    limits: Limits,
    password: Option<Password>,
    spent: Spent,
    at: u64,
    form: Form,
    began: bool,
    ended: bool,
    offset: u64,
    content: Option<Content<S>>,
    names_only: bool,
}

impl<S: ReadAt + Clone> WpressReader<S> {
    /// Reads from the beginning.
    ///
    /// # Errors
    /// None yet.
    pub fn open(source: S, limits: Limits, password: Option<&Password>) -> Result<WpressReader<S>> {
        Ok(WpressReader {
            source,
            limits,
            password: password.cloned(),
            spent: Spent::default(),
            at: 0,
            form: Form::PLAIN,
            began: false,
            ended: false,
            offset: 0,
            content: None,
            names_only: false,
        })
    }

    /// For who wants to know what is in it: sizes of packed contents are not known then, and contents that nobody read are not checked.
    #[must_use]
    pub fn names_only(self) -> WpressReader<S> {
        WpressReader { names_only: true, ..self }
    }

    fn header(&mut self) -> Result<Option<(Entry, Content<S>)>> {
        let mut header = vec![0; HEADER];
        let mut filled = 0;
        while filled < HEADER {
            match self.source.read_at(&mut header[filled..], self.at + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unwrap_io(error)),
            }
        }
        if filled < HEADER {
            return Err(self.damage("it ends without its end mark"));
        }
        let name = field(&header[..255]).to_vec();
        if name.is_empty() {
            let size = field(&header[255..269]);
            if !size.is_empty() && self.number(size)? != self.at {
                return Err(self.damage("its end mark is of another archive"));
            }
            if self.at + HEADER as u64 != self.source.size() {
                return Err(self.damage("something follows its end mark"));
            }
            return Ok(None);
        }
        let stored = self.number(field(&header[255..269]))?;
        let mtime = self.number(field(&header[269..281])).unwrap_or(0);
        let sum = field(&header[4369..4377]);
        let sum = (sum.len() == 8 && header[4368] == 0)
            .then(|| u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok())
            .flatten();
        let folder = field(&header[281..if sum.is_some() { 4369 } else { 4377 }]);
        let path = match folder {
            b"" | b"." => name,
            folder => [folder, b"/", &name].concat(),
        };
        let start = self.at + HEADER as u64;
        let end = start.checked_add(stored).filter(|end| *end <= self.source.size());
        let end = end.ok_or_else(|| self.damage(format_args!("it ends in {:?}", String::from_utf8_lossy(&path))))?;
        self.at = end;
        let plain = matches!(path.as_slice(), b"package.json" | b"multisite.json");
        let form = if plain { Form::PLAIN } else { self.form.clone() };
        let content = Content::new(self.source.clone(), start..end, form, sum, &path);
        let entry = Entry {
            path,
            kind: EntryKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: (mtime as i64, 0),
            size: stored,
            stored,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        };
        Ok(Some((entry, content)))
    }

    /// Learns from `package.json` how the rest is packed.
    fn begin(&mut self, content: &mut Content<S>, size: u64) -> Result<()> {
        if size > MAX_PACKAGE {
            return Err(self.damage("its package.json is too large"));
        }
        let mut text = Vec::new();
        content.read_to_end(&mut text).map_err(unwrap_io)?;
        let package: Value =
            serde_json::from_slice(&text).map_err(|_| self.damage("its package.json is not readable"))?;
        if package["Encrypted"].as_bool() == Some(true) {
            let password = self.password.as_ref().ok_or_else(|| password::wanted("it is encrypted with a password"))?;
            let key = cbc::key_of_wpress(password);
            // A sentence that the plugin encrypts with every export, so that it knows a password.
            let mark = package["EncryptedSignature"].as_str().and_then(|mark| BASE64.decode(mark.as_bytes()).ok());
            if mark.is_some_and(|mut mark| !cbc::piece(&key, &mut mark).is_some_and(<[u8]>::is_ascii)) {
                return Err(password::wrong("it"));
            }
            self.form.key = Some(Arc::new(key));
        }
        self.form.packing = match (package["Compression"]["Enabled"].as_bool(), package["Compression"]["Type"].as_str())
        {
            (Some(true), Some("gzip")) => Packing::Zlib,
            (Some(true), Some("bzip2")) => Packing::Bzip2,
            (Some(true), other) => {
                let name = other.unwrap_or("nothing known");
                return Err(Error::new(Code::BackupUnreadable, format!("it is packed by {name:?}, which is not read")));
            }
            _ => Packing::None,
        };
        Ok(())
    }

    fn number(&self, text: &[u8]) -> Result<u64> {
        super::extension::number(text).map_err(|_| self.damage("a header is damaged"))
    }

    fn damage(&self, why: impl std::fmt::Display) -> Error {
        corrupt(format_args!("{why} (byte {})", self.at)).with("offset", self.at)
    }
}

impl<S: ReadAt + Clone> Entries for WpressReader<S> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        if let Some(mut content) = self.content.take().filter(|_| !self.names_only) {
            self.offset += io::copy(&mut content, &mut io::sink()).map_err(unwrap_io)?;
        }
        if self.ended {
            return Ok(None);
        }
        let Some((mut entry, mut content)) = self.header()? else {
            self.ended = true;
            return Ok(None);
        };
        if !self.began {
            self.began = true;
            if entry.path == b"package.json" {
                self.begin(&mut content.again(), entry.size)?;
            }
        }
        self.spent.entries += 1;
        let most = self.limits.bytes.saturating_sub(self.spent.bytes);
        if !content.form.is_plain() && !self.names_only {
            // How long it is only unpacking tells.
            entry.size = content.again().length(most)?;
            entry.stored = entry.size;
        }
        content.left = Some(entry.size);
        self.spent.bytes = self.spent.bytes.saturating_add(entry.size);
        self.limits.require(self.spent)?;
        self.content = Some(content);
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

impl<S: ReadAt + Clone> Read for WpressReader<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.content else { return Ok(0) };
        let count = content.read(into)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// The content of an entry while it is read.
struct Content<S> {
    source: S,
    start: u64,
    at: u64,
    end: u64,
    form: Form,
    chunk: Vec<u8>,
    taken: usize,
    sum: crc32fast::Hasher,
    wanted: Option<u32>,
    left: Option<u64>,
    done: bool,
    name: String,
}

impl<S: ReadAt + Clone> Content<S> {
    fn new(source: S, range: std::ops::Range<u64>, form: Form, wanted: Option<u32>, path: &[u8]) -> Content<S> {
        Content {
            source,
            start: range.start,
            at: range.start,
            end: range.end,
            form,
            chunk: Vec::new(),
            taken: 0,
            sum: crc32fast::Hasher::new(),
            wanted,
            left: None,
            done: false,
            name: String::from_utf8_lossy(path).into_owned(),
        }
    }

    /// The same content from its beginning.
    fn again(&self) -> Content<S> {
        let range = self.start..self.end;
        Content::new(self.source.clone(), range, self.form.clone(), self.wanted, self.name.as_bytes())
    }

    /// Its length; over `most` bytes it is no longer counted.
    fn length(mut self, most: u64) -> Result<u64> {
        let mut length = 0;
        while self.next_chunk()? {
            length += self.chunk.len() as u64;
            if length > most {
                break;
            }
        }
        Ok(length)
    }

    /// The next chunk, unpacked; false at the end.
    fn next_chunk(&mut self) -> Result<bool> {
        self.taken = 0;
        self.chunk.clear();
        if self.at == self.end {
            return Ok(false);
        }
        let name = self.name.clone();
        let damage = |why: &str| corrupt(format_args!("{name:?}: {why}"));
        let overhead = if self.form.key.is_some() { OVERHEAD } else { 0 };
        let length = if self.form.packing == Packing::None {
            (self.end - self.at).min(CHUNK + overhead)
        } else {
            let mut length = [0; 4];
            if self.end - self.at < 4 {
                return Err(damage("a chunk of it is cut"));
            }
            super::zip::exact(&self.source, &mut length, self.at)?;
            let length = u32::from_be_bytes(length);
            self.at += 4;
            if length == 0 || length > MAX_PACKED || u64::from(length) > self.end - self.at {
                return Err(damage("a chunk of it has an impossible length"));
            }
            u64::from(length)
        };
        let mut stored = vec![0; length as usize];
        super::zip::exact(&self.source, &mut stored, self.at)?;
        self.at += length;
        let packed = match &self.form.key {
            Some(key) => cbc::piece(key, &mut stored).ok_or_else(password::wrong_or_damaged)?,
            None => &stored,
        };
        if self.form.packing == Packing::None {
            self.chunk.extend_from_slice(packed);
            return Ok(true);
        }
        let mut plain: Box<dyn Read + '_> = match self.form.packing {
            Packing::Bzip2 => Box::new(bzip2::read::BzDecoder::new(packed)),
            _ => Box::new(flate2::read::ZlibDecoder::new(packed)),
        };
        let read = (&mut plain).take(CHUNK + 1).read_to_end(&mut self.chunk);
        drop(plain);
        if read.is_err() {
            return Err(damage("the compressed data is wrong"));
        }
        if self.chunk.len() as u64 > CHUNK || self.chunk.is_empty() {
            return Err(damage("a chunk of it unpacks to more than it may, or to nothing"));
        }
        Ok(true)
    }
}

impl<S: ReadAt + Clone> Read for Content<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // The plugin encrypts an empty chunk too.
        while self.taken == self.chunk.len() {
            if self.done {
                return Ok(0);
            }
            if !self.next_chunk().map_err(wrap)? {
                self.done = true;
                if self.wanted.is_some_and(|wanted| wanted != self.sum.clone().finalize()) {
                    return Err(wrap(corrupt(format_args!("{:?} does not match its checksum", self.name))));
                }
                return Ok(0);
            }
            self.sum.update(&self.chunk);
        }
        let count = (self.chunk.len() - self.taken).min(into.len());
        into[..count].copy_from_slice(&self.chunk[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::cbc::cipher::block_padding::Pkcs7;
    use ::cbc::cipher::{BlockModeEncrypt, KeyIvInit};
    use serde_json::json;
    use std::io::Write;

    fn record(name: &str, folder: &str, content: &[u8], stored: &[u8]) -> Vec<u8> {
        let mut header = vec![0; HEADER];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(255, stored.len().to_string().as_bytes());
        put(269, b"1700000000");
        put(281, folder.as_bytes());
        put(4369, format!("{:08x}", crc32fast::hash(content)).as_bytes());
        header.extend_from_slice(stored);
        header
    }

    fn archive(packed: bool) -> Vec<u8> {
        archive_by(packed, None)
    }

    /// Encrypted as the plugin does it.
    fn sealed(password: &str, plain: &[u8]) -> Vec<u8> {
        let key = cbc::key_of_wpress(&Password::of(password).unwrap());
        let start = [7; cbc::BLOCK];
        let stream = ::cbc::Encryptor::<aes::Aes256>::new((&*key).into(), &start.into());
        [&start[..], &stream.encrypt_padded_vec::<Pkcs7>(plain)].concat()
    }

    fn archive_by(packed: bool, password: Option<&str>) -> Vec<u8> {
        let mut package = json!({"SiteURL": "http://a.example"});
        if packed {
            package["Compression"] = json!({"Enabled": true, "Type": "gzip"});
        }
        if let Some(password) = password {
            package["Encrypted"] = true.into();
            package["EncryptedSignature"] = BASE64.encode(&sealed(password, b"a sentence that proves it")).into();
        }
        let package = package.to_string();
        let package = package.as_bytes();
        let seal = |chunk: &[u8]| password.map_or_else(|| chunk.to_vec(), |password| sealed(password, chunk));
        let content = vec![b'x'; 1_024_000];
        let mut stored = Vec::new();
        // Of an end at a whole chunk the plugin makes an empty one.
        for chunk in
            content.chunks(CHUNK as usize).chain([&[][..]].into_iter().filter(|_| password.is_some() && !packed))
        {
            if packed {
                let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                zlib.write_all(chunk).unwrap();
                let chunk = seal(&zlib.finish().unwrap());
                stored.extend((chunk.len() as u32).to_be_bytes());
                stored.extend(chunk);
            } else {
                stored.extend(seal(chunk));
            }
        }
        let mut bytes = record("package.json", ".", package, package);
        bytes.extend(record("big.bin", "uploads/2024", &content, &stored));
        bytes.extend(vec![0; HEADER]);
        bytes
    }

    fn read(bytes: &[u8], limits: Limits) -> Result<Vec<(String, u64, usize)>> {
        read_by(bytes, limits, None)
    }

    fn read_by(bytes: &[u8], limits: Limits, password: Option<&str>) -> Result<Vec<(String, u64, usize)>> {
        let password = password.map(|password| Password::of(password).unwrap());
        let mut reader = WpressReader::open(bytes, limits, password.as_ref())?;
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            let mut content = Vec::new();
            reader.read_to_end(&mut content).map_err(unwrap_io)?;
            found.push((String::from_utf8_lossy(&entry.path).into_owned(), entry.size, content.len()));
        }
        Ok(found)
    }

    #[test]
    fn records_are_read_plain_and_packed() {
        for packed in [false, true] {
            let bytes = archive(packed);
            assert!(is_one(&bytes));
            let found = read(&bytes, Limits::default()).unwrap();
            assert_eq!(found[1], ("uploads/2024/big.bin".to_owned(), 1_024_000, 1_024_000));
        }
    }

    #[test]
    fn encrypted_records_open_by_their_password_alone() {
        for packed in [false, true] {
            let bytes = archive_by(packed, Some("night"));
            let found = read_by(&bytes, Limits::default(), Some("night")).unwrap();
            assert_eq!(found[1], ("uploads/2024/big.bin".to_owned(), 1_024_000, 1_024_000));
            let wrong = read_by(&bytes, Limits::default(), Some("Night")).unwrap_err();
            assert_eq!(wrong.message, "the password does not open it");
            let mut flipped = bytes.clone();
            flipped[2 * HEADER + 300] ^= 1;
            assert!(read_by(&flipped, Limits::default(), Some("night")).is_err());
        }
    }

    #[test]
    fn cuts_flips_bombs_and_passwords_are_refused() {
        for packed in [false, true] {
            let bytes = archive(packed);
            for end in [0, 100, HEADER, HEADER + 10, bytes.len() - HEADER, bytes.len() - 1] {
                assert!(read(&bytes[..end], Limits::default()).is_err(), "cut at {end}");
            }
            let mut flipped = bytes.clone();
            let at = 2 * HEADER + 200;
            flipped[at] ^= 1;
            assert_eq!(read(&flipped, Limits::default()).unwrap_err().code, Code::BackupCorrupt);
            let bomb = read(&bytes, Limits { entries: 10, bytes: 500_000 }).unwrap_err();
            assert_eq!(bomb.code, Code::LimitExceeded);
            assert!(read(&[bytes.as_slice(), b"x"].concat(), Limits::default()).is_err());
        }
        let package = br#"{"Encrypted":true}"#;
        let encrypted = [record("package.json", ".", package, package), vec![0; HEADER]].concat();
        assert!(read(&encrypted, Limits::default()).unwrap_err().message.contains("password"));
    }
}
