//! What has to be true after every fault, whatever it was: one function, used by all.

use super::{Digest, World};
use serde_json::json;

/// On which side a domain came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Files, database and configuration are what they were before the job.
    Old,
    /// They are what the backup holds.
    New,
}

impl World {
    /// Recovers, and looks: everything is on one and the same side, byte by byte; no staged tree, shadow schema or loader's account
    /// is left; a second recovery finds nothing to do; the neighbour, the server's accounts and /etc are what they were.
    ///
    /// (Foreign keys are in the digest: one that led into a schema of the job would show in its table's text.)
    #[track_caller]
    pub fn oracle(&self, old: &Digest, new: &Digest, when: &str) -> Side {
        self.call("recover", json!({"wait": true}));
        let again = self.call("recover", json!({"wait": true}));
        for what in ["recovered", "orphans"] {
            assert_eq!(again[what], json!([]), "{when}: a second recovery had something to do");
        }
        let now = self.digest();
        assert_eq!(self.harness("strays", &[]), "", "{when}: left lying about");
        match (now == *old, now == *new) {
            (true, _) => Side::Old,
            (_, true) => Side::New,
            _ => panic!(
                "{when}: neither side\nagainst the old one:\n{}\nagainst the new one:\n{}",
                old.differences(&now),
                new.differences(&now)
            ),
        }
    }
}
