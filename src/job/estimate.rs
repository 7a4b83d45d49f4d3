//! How long things take on this machine, learned from its earlier jobs. Kept in `restore_jobs/.rates.json`.

use crate::config::Config;
use crate::disk::{Durable, write_file};
use crate::progress::Phase;
use serde::{Deserialize, Serialize};

/// Speeds, in bytes (of file content or dump text) a second, and the fixed cost of a job in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Extracting files.
    pub files: f64,
    /// Loading a dump.
    pub database: f64,
    /// Reading back and comparing.
    pub verify: f64,
    /// Seconds for testing and installing configuration.
    pub config_s: f64,
    /// Jobs learned from; 0: these are guesses.
    pub jobs: u32,
}

impl Default for Rates {
    /// Careful guesses for a small VPS that has not run a job yet.
    fn default() -> Rates {
        Rates { files: 60e6, database: 10e6, verify: 300e6, config_s: 1.0, jobs: 0 }
    }
}

/// Bytes and seconds that a phase of a finished job took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    /// Bytes processed.
    pub bytes: u64,
    /// Seconds from its begin to its finish.
    pub seconds: f64,
}

impl Rates {
    /// The rates learned from earlier jobs, or the guesses.
    pub fn load(config: &Config) -> Rates {
        std::fs::read(config.paths.jobs().join(".rates.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Expected seconds of a phase.
    pub fn seconds(&self, phase: Phase, bytes: u64) -> f64 {
        let bytes = bytes as f64;
        match phase {
            Phase::Files => bytes / self.files,
            Phase::Database => bytes / self.database,
            Phase::Verify => bytes / self.verify,
            Phase::Config => self.config_s,
        }
    }

    /// Moves the rates a third of the way to those of a job. Phases too short to measure are ignored.
    #[must_use]
    pub fn learned(mut self, taken: impl Fn(Phase) -> Taken) -> Rates {
        let first = self.jobs == 0;
        let blend = |old: f64, new: f64| if first { new } else { old + (new - old) / 3.0 };
        let speed = |phase: Phase| {
            let Taken { bytes, seconds } = taken(phase);
            (bytes >= 1 << 20 && seconds >= 0.01).then(|| bytes as f64 / seconds)
        };
        if let Some(new) = speed(Phase::Files) {
            self.files = blend(self.files, new);
        }
        if let Some(new) = speed(Phase::Database) {
            self.database = blend(self.database, new);
        }
        if let Some(new) = speed(Phase::Verify) {
            self.verify = blend(self.verify, new);
        }
        let config = taken(Phase::Config).seconds;
        if config > 0.0 {
            self.config_s = blend(self.config_s, config);
        }
        self.jobs = self.jobs.saturating_add(1);
        self
    }

    /// Keeps the rates. A failure is no reason to fail a job.
    pub fn save(&self, config: &Config) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            let _ = write_file(&config.paths.jobs().join(".rates.json"), &bytes, Durable::Nothing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_job_replaces_the_guesses_and_later_ones_move_them() {
        let taken = |seconds: f64| move |_: Phase| Taken { bytes: 100_000_000, seconds };
        let first = Rates::default().learned(taken(1.0));
        assert_eq!(first.files, 100e6);
        let second = first.learned(taken(0.5));
        assert!((second.files - 133.3e6).abs() < 1e5, "{}", second.files);
        assert!(second.seconds(Phase::Files, 133_333_333) > 0.9);
    }

    #[test]
    fn a_phase_too_short_to_measure_teaches_nothing() {
        let rates = Rates::default().learned(|_| Taken { bytes: 10, seconds: 0.5 });
        assert_eq!(rates.files, Rates::default().files);
    }
}
