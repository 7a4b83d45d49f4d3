//! Memcached: a server is emptied as a whole, and only by the operator's word. (From 1.4.31 on `lru_crawler metadump` lists all keys; whose
//! they are it does not say.)

use crate::host::services::wire::{Until, Wire};
use crate::siteconf::Listen;
use std::io::{self, Read, Write};

/// Empties a server.
///
/// # Errors
/// What the server or the connection says.
pub fn flush(to: &Listen, until: &Until) -> io::Result<()> {
    let mut wire = Wire::connect(to, until)?;
    wire.write_all(b"flush_all\r\n")?;
    let mut said = [0; 64];
    let length = wire.read(&mut said)?;
    match said[..length].trim_ascii() {
        b"OK" => Ok(()),
        other => Err(io::Error::other(crate::text::printable(&String::from_utf8_lossy(other)))),
    }
}
