//! The pauses of somebody who waits for a job.

use std::time::Duration;

/// Short at first, so that a short job is answered at once, then as long as [`Pause::LONGEST`]: 20 looks a second.
#[derive(Debug)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Pause {
        Pause(Duration::from_millis(2))
    }
}

impl Pause {
    /// The longest pause, and so the longest that an end goes unnoticed.
    pub const LONGEST: Duration = Duration::from_millis(50);

    /// Sleeps; the next pause is longer.
    pub fn take(&mut self) {
        std::thread::sleep(self.next());
    }

    fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = Pause::LONGEST.min(now * 2);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_job_is_answered_soon_and_a_long_one_is_looked_at_twenty_times_a_second() {
        let mut pause = Pause::default();
        let first: Duration = (0..5).map(|_| pause.next()).sum();
        assert!(first < Duration::from_millis(100), "{first:?}");
        for _ in 0..5 {
            assert_eq!(pause.next(), Pause::LONGEST);
        }
        assert_eq!(Pause::LONGEST * 20, Duration::from_secs(1));
    }
}
