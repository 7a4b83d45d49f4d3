//! gzip, against another reader of it: what ours takes, flate2 takes, and both make the same of it.

use super::pieces::pieces;
use flate2::bufread::MultiGzDecoder;
use rocketvps_restore::archive::{GzipReader, unwrap_io};
use rocketvps_restore::error::Code;
use std::io::Read;

const MOST: u64 = 4 << 20;

pub fn run(data: &[u8]) {
    let ours = bytes(GzipReader::new(data));
    assert_eq!(ours, bytes(GzipReader::new(pieces(data))), "the content depends on how the bytes arrive");
    if let Ok(ours) = ours
        && (ours.len() as u64) < MOST
    {
        // Zero padding is allowed behind a gzip file, and no gzip data to flate2. A checksum may end in zeros too.
        let theirs = (0..=data.len())
            .map(|padding| &data[..data.len() - padding])
            .take_while(|rest| data[rest.len()..].iter().all(|byte| *byte == 0))
            .find_map(|rest| all(MultiGzDecoder::new(rest)).ok());
        assert!(theirs.as_ref() == Some(&ours), "taken as {} bytes, by flate2 as {:?}", ours.len(), theirs);
    }
}

fn all(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut found = Vec::new();
    reader.take(MOST).read_to_end(&mut found).map(|_| found)
}

fn bytes(reader: impl Read) -> Result<Vec<u8>, Code> {
    all(reader).map_err(|error| unwrap_io(error).code)
}
