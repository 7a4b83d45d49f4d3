//! Encrypted contents of zips: by the cipher of PKZIP (APPNOTE, 6.1) or by AES as WinZip does it (its 'AES Encryption Information',
//! version 1.04). The first proves a password by one byte and the content by its CRC-32; the second by two bytes, and by a sum with a key.

use super::extra::field;
use super::{ReadAt, Stretch, exact};
use crate::archive::password::{self, Password};
use crate::archive::{corrupt, wrap};
use crate::error::Result;
use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128LE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use ring::{hmac, pbkdf2};
use std::cell::Cell;
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::rc::Rc;
use zeroize::Zeroizing;

/// The method that stands in place of the real one where the content is encrypted by AES, and the extra field that has that.
pub(super) const AES_METHOD: u16 = 99;
const AES_FIELD: u16 = 0x9901;
/// Bytes in front of a content that PKZIP's cipher encrypted.
const PKZIP_HEADER: u64 = 12;
const PROOF: u64 = 2;
const SUM: u64 = 10;
/// Rounds of PBKDF2 that WinZip's form has.
const ROUNDS: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// How a content is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// By PKZIP's cipher; the last byte in front of the content has to be this one.
    Pkzip { proof: u8 },
    /// By AES with a key of 16, 24 or 32 bytes.
    Aes { key: usize },
}

/// What the field of an entry that is encrypted by AES says: the cipher, the method behind it, and whether its CRC-32 counts (AE-1).
pub(super) fn aes(extra: &[u8]) -> Option<(Cipher, u16, bool)> {
    let [version, _, b'A', b'E', strength, low, high] = *field(extra, AES_FIELD)?.first_chunk::<7>()? else {
        return None;
    };
    let key = match strength {
        1 => 16,
        2 => 24,
        3 => 32,
        _ => return None,
    };
    matches!(version, 1 | 2).then_some((Cipher::Aes { key }, u16::from_le_bytes([low, high]), version == 1))
}

impl Cipher {
    /// Bytes that it adds to a content.
    pub(super) fn overhead(self) -> u64 {
        match self {
            Cipher::Pkzip { .. } => PKZIP_HEADER,
            Cipher::Aes { key } => key as u64 / 2 + PROOF + SUM,
        }
    }

    /// A reader of the content that lies there. `whole` becomes true with its last byte, once that is known to be unchanged.
    ///
    /// # Errors
    /// `backup_unreadable` for a wrong password, `backup_corrupt` for a content that is too short; `io_failed`.
    pub(super) fn reader<S: ReadAt + Clone + 'static>(
        self,
        source: &S,
        (start, end): (u64, u64),
        password: &Password,
        name: &str,
        whole: &Rc<Cell<bool>>,
    ) -> Result<Box<dyn Read>> {
        if end - start < self.overhead() {
            return Err(corrupt(format_args!("{name:?} is too short to be encrypted")));
        }
        match self {
            Cipher::Pkzip { proof } => {
                let mut header = [0; PKZIP_HEADER as usize];
                exact(source, &mut header, start)?;
                let mut keys = Keys::of(password.bytes());
                header.iter_mut().for_each(|byte| *byte = keys.decrypt(*byte));
                if header[PKZIP_HEADER as usize - 1] != proof {
                    return Err(password::wrong(&format!("{name:?}")));
                }
                // Its CRC-32 is all that is known of it.
                whole.set(true);
                let inner = Stretch::new(source.clone(), start + PKZIP_HEADER, end);
                Ok(Box::new(Pkzip { inner, keys }))
            }
            Cipher::Aes { key } => {
                let mut front = vec![0; key / 2 + PROOF as usize];
                exact(source, &mut front, start)?;
                let (salt, proof) = front.split_at(key / 2);
                let mut made = Zeroizing::new(vec![0; 2 * key + PROOF as usize]);
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ROUNDS, salt, password.bytes(), &mut made);
                if made[2 * key..] != *proof {
                    return Err(password::wrong(&format!("{name:?}")));
                }
                let mut wanted = [0; SUM as usize];
                exact(source, &mut wanted, end - SUM)?;
                let sum = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &made[key..2 * key]);
                let start = start + front.len() as u64;
                let mut reader = Aes {
                    inner: Stretch::new(source.clone(), start, end - SUM),
                    left: end - SUM - start,
                    stream: stream(&made[..key]),
                    sum: Some(hmac::Context::with_key(&sum)),
                    wanted,
                    name: name.to_owned(),
                    whole: Rc::clone(whole),
                };
                reader.prove()?;
                Ok(Box::new(reader))
            }
        }
    }
}

/// The key stream: a counter from 1 on, its lowest byte first.
fn stream(key: &[u8]) -> Box<dyn StreamCipher> {
    let mut counter = [0; 16];
    counter[0] = 1;
    let counter = &counter.into();
    match *key {
        [..] if let Ok(key) = <&[u8; 16]>::try_from(key) => Box::new(Ctr128LE::<Aes128>::new(key.into(), counter)),
        [..] if let Ok(key) = <&[u8; 24]>::try_from(key) => Box::new(Ctr128LE::<Aes192>::new(key.into(), counter)),
        _ => {
            let mut whole = Zeroizing::new([0; 32]);
            whole[..key.len()].copy_from_slice(key);
            Box::new(Ctr128LE::<Aes256>::new((&*whole).into(), counter))
        }
    }
}

struct Aes<S> {
    inner: Stretch<S>,
    left: u64,
    stream: Box<dyn StreamCipher>,
    /// Of the encrypted bytes so far; until they were compared with what they have to be.
    sum: Option<hmac::Context>,
    wanted: [u8; SUM as usize],
    name: String,
    whole: Rc<Cell<bool>>,
}

impl<S> Aes<S> {
    /// At the last byte: whether all were what they were when they were encrypted.
    fn prove(&mut self) -> Result<()> {
        if self.left > 0 {
            return Ok(());
        }
        let Some(sum) = self.sum.take() else { return Ok(()) };
        if sum.sign().as_ref()[..SUM as usize] != self.wanted {
            return Err(corrupt(format_args!("{:?} does not match its checksum", self.name)));
        }
        self.whole.set(true);
        Ok(())
    }
}

impl<S: ReadAt> Read for Aes<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if let Some(sum) = &mut self.sum {
            sum.update(&into[..count]);
        }
        self.stream.try_apply_keystream(&mut into[..count]).map_err(io::Error::other)?;
        self.left -= count as u64;
        self.prove().map_err(wrap)?;
        Ok(count)
    }
}

struct Pkzip<S> {
    inner: Stretch<S>,
    keys: Keys,
}

impl<S: ReadAt> Read for Pkzip<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        into[..count].iter_mut().for_each(|byte| *byte = self.keys.decrypt(*byte));
        Ok(count)
    }
}

/// The three keys of PKZIP's cipher.
struct Keys(u32, u32, u32);

impl Keys {
    fn of(password: &[u8]) -> Keys {
        let mut keys = Keys(0x1234_5678, 0x2345_6789, 0x3456_7890);
        password.iter().for_each(|byte| keys.turn(*byte));
        keys
    }

    fn turn(&mut self, plain: u8) {
        self.0 = step(self.0, plain);
        self.1 = self.1.wrapping_add(self.0 & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        self.2 = step(self.2, (self.1 >> 24) as u8);
    }

    fn decrypt(&mut self, byte: u8) -> u8 {
        let mix = (self.2 | 2) & 0xffff;
        let plain = byte ^ (mix.wrapping_mul(mix ^ 1) >> 8) as u8;
        self.turn(plain);
        plain
    }
}

/// One byte of a CRC-32, without the inversions around it.
fn step(sum: u32, byte: u8) -> u32 {
    (sum >> 8) ^ TABLE[usize::from(sum as u8 ^ byte)]
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut sum, mut bit) = (at as u32, 0);
        while bit < 8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
};
