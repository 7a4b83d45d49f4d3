//! Where a decoder can begin, and what has to come out of it.

use super::PIECE;

/// A place in a compressed file at which its decoder can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Offset in the unpacked bytes.
    pub plain: u64,
    /// Offset in the file of the first byte to be read.
    pub packed: u64,
    /// So many bits of the byte before belong to what comes.
    pub unused_bits: u8,
    /// Where the file of windows has the bytes that came before, packed by zstd.
    pub window: (u64, u32),
}

/// What is known of one compressed file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// Unpacked bytes of the whole file.
    pub plain: u64,
    /// In the order of the file.
    pub checkpoints: Vec<Checkpoint>,
    /// XXH3 (64 bit) of each [`PIECE`] of the unpacked bytes.
    pub sums: Vec<u64>,
}

impl Map {
    /// The last checkpoint at or before an offset in the unpacked bytes; `None`: the beginning of the file.
    pub fn before(&self, plain: u64) -> Option<&Checkpoint> {
        let at = self.checkpoints.partition_point(|point| point.plain <= plain);
        at.checked_sub(1).and_then(|at| self.checkpoints.get(at))
    }

    /// Where a piece begins, and where it ends; `None` behind the last one.
    pub fn piece(&self, number: usize) -> Option<(u64, u64)> {
        let begin = (number as u64).checked_mul(PIECE).filter(|begin| *begin < self.plain)?;
        Some((begin, self.plain.min(begin + PIECE)))
    }

    /// Whether a reading can have found this.
    pub fn is_possible(&self) -> bool {
        let in_order = |two: &[Checkpoint]| two[0].plain <= two[1].plain && two[0].packed < two[1].packed;
        let sound = |point: &Checkpoint| {
            point.plain <= self.plain && point.packed > 0 && point.unused_bits < 8 && point.window.1 < 64 << 10
        };
        self.sums.len() as u64 == self.plain.div_ceil(PIECE)
            && self.checkpoints.iter().all(sound)
            && self.checkpoints.windows(2).all(in_order)
    }
}
