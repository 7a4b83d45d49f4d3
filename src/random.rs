//! Randomness of the kernel, for names and throw-away passwords.

use crate::error::{IoContext, Result};
use crate::text;

/// `bytes` random bytes as lower-case hex digits, from getrandom(2).
///
/// # Errors
/// `io_failed` when the kernel gives none.
pub fn hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0_u8; bytes];
    fill(&mut buffer)?;
    Ok(text::hex(&buffer))
}

/// Fills a buffer of up to 256 bytes with random ones.
///
/// # Errors
/// `io_failed` when the kernel gives none.
pub fn fill(buffer: &mut [u8]) -> Result<()> {
    rustix::rand::getrandom(buffer, rustix::rand::GetRandomFlags::empty()).doing(|| "read random bytes".into())?;
    Ok(())
}
