//! How far a trial goes, with which seed, and what it came to. `make reliability` runs the long form and collects the figures.

use serde_json::{Value, json};
use std::io::Write;

/// Whether the long form was asked for (`RV_LONG=1`): every point instead of a few.
pub fn is_long() -> bool {
    std::env::var_os("RV_LONG").is_some_and(|value| value == "1")
}

/// A seed for what is random: `RV_SEED`, else a new one. It is printed, so that a failure can be had again.
pub fn seed(trial: &str) -> u64 {
    let given = std::env::var("RV_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        since.as_nanos() as u64 % 1_000_000_007
    });
    eprintln!("{trial}: RV_SEED={seed}");
    seed
}

/// Small random numbers from a seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// The next number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// Every item in the long form, or as many as `RV_POINTS` says; else at most `few`.
pub fn points<T: Clone>(all: &[T], few: usize) -> Vec<T> {
    let asked = || std::env::var("RV_POINTS").ok().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let most = if is_long() { asked() } else { few };
    spread(all, most)
}

/// At most so many items, spread evenly, first and last among them.
pub fn spread<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most).map(|number| all[number * (all.len() - 1) / (most - 1).max(1)].clone()).collect()
}

/// Says what a trial of a case came to: a line on standard error, and one in the file `RV_FIGURES` names.
pub fn report(case: &str, figures: Value) {
    let line = json!({"case": case, "long": is_long(), "figures": figures});
    eprintln!("{line}");
    if let Some(path) = std::env::var_os("RV_FIGURES").filter(|path| !path.is_empty()) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
