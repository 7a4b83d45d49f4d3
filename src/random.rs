//! Randomness of the kernel, for names and throw-away passwords.

use crate::error::{IoContext, Result};

/// `bytes` random bytes as lower-case hex digits, from getrandom(2).
///
/// # Errors
/// `io_failed` when the kernel gives none.
pub fn hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0_u8; bytes];
    rustix::rand::getrandom(&mut buffer[..], rustix::rand::GetRandomFlags::empty())
        .doing(|| "read random bytes".into())?;
    Ok(buffer.iter().map(|byte| format!("{byte:02x}")).collect())
}
