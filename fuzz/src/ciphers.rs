//! Encrypted archives with their password: the first byte says which.

use super::container::{Bytes, LIMITS, check};
use super::pieces::pieces;
use rocketvps_restore::archive::cbc::{CryptKey, CryptReader};
use rocketvps_restore::archive::{JpsReader, Password, SevenZipReader, WpressReader, ZipReader};
use std::io::Read;

/// What the files of the corpus open by.
const PASSWORD: &str = "rv-fuzz";

pub fn run(data: &[u8]) {
    let (Some((which, data)), Ok(password)) = (data.split_first(), Password::of(PASSWORD)) else { return };
    let (bytes, password) = (Bytes::of(data), Some(&password));
    match which {
        b'z' => ZipReader::open(bytes, LIMITS, password).map_or((), |mut entries| check(&mut entries)),
        b'w' => WpressReader::open(bytes, LIMITS, password).map_or((), |mut entries| check(&mut entries)),
        b'j' => JpsReader::open(bytes, LIMITS, password).map_or((), |mut entries| check(&mut entries)),
        b'7' => SevenZipReader::open(bytes, LIMITS, password).map_or((), |mut entries| check(&mut entries)),
        _ => {
            let Some(Ok(key)) = password.map(CryptKey::of) else { return };
            let read = |from: &mut dyn Read| {
                let mut found = Vec::new();
                (CryptReader::new(from, &key).read_to_end(&mut found).is_ok(), found)
            };
            assert!(read(&mut &data[..]) == read(&mut pieces(data)), "the text depends on how the bytes arrive");
        }
    }
}
