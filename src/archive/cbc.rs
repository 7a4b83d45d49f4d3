//! AES in cipher block chaining, as two plugins of WordPress encrypt backups.

use super::password::Password;
use super::wrap;
use crate::error::{Code, Error, Result};
use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::consts::U16;
use cbc::cipher::{Array, BlockModeDecrypt, KeyIvInit};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::io::{self, Read};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes of a block, and of what the first one is mixed with.
pub const BLOCK: usize = 16;
/// A file is decrypted in pieces of this size.
const PIECE: usize = 64 << 10;

/// The key of All-in-One WP Migration: the first 16 bytes of the password's SHA-1, filled with zeros.
pub fn key_of_wpress(password: &Password) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    key[..16].copy_from_slice(&digest(&SHA1_FOR_LEGACY_USE_ONLY, password.bytes()).as_ref()[..16]);
    key
}

/// Decrypts a piece with its padding in place, and gives the content; `None` where the padding is not as it has to be: another key made it,
/// or it is damaged. What the first block was mixed with stands in front.
pub fn piece<'a>(key: &[u8; 32], bytes: &'a mut [u8]) -> Option<&'a [u8]> {
    let (start, content) = bytes.split_first_chunk_mut::<BLOCK>()?;
    Decryptor::<Aes256>::new(key.into(), (&*start).into()).decrypt_padded::<Pkcs7>(content).ok()
}

/// The key of UpdraftPlus (read from its source, 1.26): the phrase, filled with zeros.
#[derive(Clone)]
pub struct CryptKey {
    key: Arc<Zeroizing<[u8; 32]>>,
    size: Size,
}

/// A key of AES.
#[derive(Clone, Copy)]
enum Size {
    Short,
    Middle,
    Long,
}

impl CryptKey {
    /// The key that a phrase makes.
    ///
    /// # Errors
    /// `backup_unreadable` for a phrase of a length for which the plugin takes another cipher.
    pub fn of(phrase: &Password) -> Result<CryptKey> {
        let mut key = Zeroizing::new([0; 32]);
        let length = phrase.bytes().len().min(key.len());
        key[..length].copy_from_slice(&phrase.bytes()[..length]);
        let size = match length {
            0..=16 => Size::Short,
            21..=24 => Size::Middle,
            29..=32 => Size::Long,
            // The library of the plugin takes keys of 20 and 28 bytes then, which AES does not have.
            _ => {
                let message =
                    format!("with a phrase of {length} bytes UpdraftPlus encrypts by another cipher than AES");
                return Err(Error::new(Code::BackupUnreadable, message).hint(
                    "Decrypt it where the plugin runs and put what comes of it in its place, or name a dump by `--dump`.",
                ));
            }
        };
        Ok(CryptKey { key: Arc::new(key), size })
    }

    fn stream(&self) -> Stream {
        let zeros = &[0; BLOCK].into();
        let (short, middle) = (self.key.first_chunk::<16>(), self.key.first_chunk::<24>());
        match (self.size, short, middle) {
            (Size::Short, Some(key), _) => Stream::Short(Box::new(Decryptor::new(key.into(), zeros))),
            (Size::Middle, _, Some(key)) => Stream::Middle(Box::new(Decryptor::new(key.into(), zeros))),
            _ => Stream::Long(Box::new(Decryptor::new((&**self.key).into(), zeros))),
        }
    }
}

impl std::fmt::Debug for CryptKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("CryptKey")
    }
}

enum Stream {
    Short(Box<Decryptor<Aes128>>),
    Middle(Box<Decryptor<Aes192>>),
    Long(Box<Decryptor<Aes256>>),
}

type Block = Array<u8, U16>;

impl Stream {
    fn decrypt(&mut self, bytes: &mut [u8]) {
        match self {
            Stream::Short(stream) => decrypt(&mut **stream, bytes),
            Stream::Middle(stream) => decrypt(&mut **stream, bytes),
            Stream::Long(stream) => decrypt(&mut **stream, bytes),
        }
    }
}

/// Decrypts whole blocks in their place; what is less than one at the end stays as it is.
pub fn decrypt(stream: &mut impl BlockModeDecrypt<BlockSize = U16>, bytes: &mut [u8]) {
    let (blocks, _) = Block::slice_as_chunks_mut(bytes);
    stream.decrypt_blocks(blocks);
}

/// A file that UpdraftPlus encrypted, which is one chain from its beginning. Its padding, up to 15 bytes that all say how many there are, is
/// given as it is.
pub struct CryptReader<R> {
    inner: R,
    stream: Stream,
    bytes: Vec<u8>,
    given: usize,
}

impl<R: Read> CryptReader<R> {
    /// Reads `inner` from its beginning.
    pub fn new(inner: R, key: &CryptKey) -> CryptReader<R> {
        CryptReader { inner, stream: key.stream(), bytes: Vec::new(), given: 0 }
    }

    /// The next bytes, as many as a piece has; none at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.bytes.clear();
        self.given = 0;
        (&mut self.inner).take(PIECE as u64).read_to_end(&mut self.bytes)?;
        if !self.bytes.len().is_multiple_of(BLOCK) {
            return Err(wrap(super::corrupt("it is encrypted, and its end is missing")));
        }
        self.stream.decrypt(&mut self.bytes);
        Ok(())
    }
}

impl<R: Read> Read for CryptReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.bytes.len() {
            self.fill()?;
        }
        let count = (&self.bytes[self.given..]).read(into)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// What `openssl` makes of it.
    fn encrypted(cipher: &str, key: &str, text: &[u8]) -> Vec<u8> {
        let key: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut openssl = Command::new("openssl")
            .args(["enc", cipher, "-nopad", "-iv", &"0".repeat(32), "-K", &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = openssl.stdin.take().unwrap();
        let text = text.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&text).unwrap());
        let output = openssl.wait_with_output().unwrap();
        writer.join().unwrap();
        output.stdout
    }

    #[test]
    fn phrases_of_every_length_are_keys_or_refused() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        for (cipher, phrase) in [
            ("-aes-128-cbc", "night"),
            ("-aes-128-cbc", "sixteen letters!"),
            ("-aes-192-cbc", "a phrase of 23 letters."),
            ("-aes-256-cbc", "a longer phrase, of 31 letters."),
        ] {
            let password = Password::of(phrase).unwrap();
            let bytes = encrypted(cipher, phrase, &text);
            let mut found = Vec::new();
            let key = CryptKey::of(&password).unwrap();
            CryptReader::new(bytes.as_slice(), &key).read_to_end(&mut found).unwrap();
            assert!(found == text, "{phrase}");
            let mut cut = CryptReader::new(&bytes[..bytes.len() - 1], &key);
            assert!(cut.read_to_end(&mut Vec::new()).is_err());
        }
        for length in [17, 20, 25, 28] {
            let refused = CryptKey::of(&Password::of(&"x".repeat(length)).unwrap()).unwrap_err();
            assert!(refused.message.contains(&format!("{length} bytes")), "{}", refused.message);
        }
        assert!(CryptKey::of(&Password::of(&"x".repeat(40)).unwrap()).is_ok());
    }
}
