//! Reading a compressed archive from the middle. While it is read whole for the first time, a [`Recorder`] notes where its decoder can
//! begin again (a checkpoint: the bit in the file, and the 32 KiB that came before) and the sums of what it makes. With this [`Map`] a
//! [`SeekReader`] reads any stretch of the unpacked bytes, and hands out none whose sum is another one.
//!
//! Memory: a few dozen bytes a checkpoint and 8 a piece; windows go to a file, packed.

mod map;
mod reader;
mod recorder;
mod stretches;

pub use map::{Checkpoint, Map};
pub use reader::SeekReader;
pub use recorder::{Recorder, Summed};
pub use stretches::{Stretch, Stretches};

/// Unpacked bytes with one sum: what is read at the least.
pub const PIECE: u64 = 256 << 10;
/// Checkpoints have at least so many bytes of the file between them.
const APART: u64 = 512 << 10;
/// A window takes at most this part of the bytes between its checkpoint and the next: a third of a percent.
const SHARE: u64 = 320;

#[cfg(test)]
mod tests;
