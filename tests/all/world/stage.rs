//! A damaged site, remembered so that it can be had again, what a job makes of it, and what that job's worker does meanwhile.

use super::crash::{Call, Trace};
use super::oracle::Side;
use super::trial::report;
use super::{DOMAIN, Digest, World};
use crate::in_common;
use serde_json::{Value, json};

/// The two kinds of job that everything is tried with.
pub fn kinds() -> [(&'static str, Value); 2] {
    [
        ("full", json!({"domain": DOMAIN})),
        (
            "parts",
            json!({"domain": DOMAIN, "components": {
                "files": ["wp-content/uploads/", "wp-admin/", "wp-content/rv-side.php"],
                "database": ["wp_options", "wp_posts", "wp_postmeta", "rv_orders"],
            }}),
        ),
    ]
}

pub struct Stage {
    pub world: World,
    pub old: Digest,
    pub new: Digest,
    pub trace: Trace,
    pub request: Value,
}

impl Stage {
    pub fn set(request: Value) -> Stage {
        Stage::of(World::up(), request)
    }

    /// One of whose files only those that differ change places.
    pub fn set_in_common(request: Value) -> Stage {
        let world = World::up();
        in_common::skip_unchanged(&world);
        Stage::of(world, request)
    }

    /// Backs the site of a world up and damages it.
    pub fn of(world: World, request: Value) -> Stage {
        world.harness("backup", &[]);
        world.harness("damage", &[]);
        world.harness("save", &["damaged"]);
        world.harness("reset", &["damaged"]);
        let old = world.digest();
        let (_, trace) = world.watch("restore_start", &request);
        let new = world.digest();
        world.harness("reset", &["damaged"]);
        world.digest().assert_is(&old, "the damaged site again");
        Stage { world, old, new, trace, request }
    }

    pub fn reset(&self) {
        self.world.harness("reset", &["damaged"]);
    }

    /// Kills the worker of this stage's job before a call.
    pub fn kill_before(&self, number: usize) -> (String, bool) {
        self.world.kill_before(number, "restore_start", &self.request)
    }

    /// Recovers and asks the oracle; the damaged site stands again afterwards.
    #[track_caller]
    pub fn settle(&self, when: &str) -> Side {
        let side = self.world.oracle(&self.old, &self.new, when);
        if side == Side::New {
            self.reset();
        }
        side
    }

    /// Kills a worker before each of these calls, recovers, and asks the oracle.
    pub fn kill_before_each(&self, calls: &[Call]) -> Outcome {
        let mut outcome = Outcome::default();
        for call in calls {
            let when = format!("killed before call {} ({} {})", call.number, call.name, call.text);
            let (_, reached) = self.kill_before(call.number);
            outcome.count(self.settle(&when), reached);
        }
        outcome
    }
}

/// How often a job came to rest on either side.
#[derive(Debug, Default)]
pub struct Outcome {
    pub old: u32,
    pub new: u32,
    not_reached: u32,
}

impl Outcome {
    pub fn count(&mut self, side: Side, reached: bool) {
        match side {
            Side::Old => self.old += 1,
            Side::New => self.new += 1,
        }
        self.not_reached += u32::from(!reached);
    }

    pub fn tried(&self) -> u32 {
        self.old + self.new
    }

    /// Says what came of it. (A mixture, a loss or a leftover has ended the test before.)
    pub fn report(&self, case: &str, kind: &str, of: usize) {
        let tried = self.tried();
        assert!(
            self.not_reached <= 1.max(tried / 10),
            "{} of {tried} workers ended before the point",
            self.not_reached
        );
        report(
            case,
            json!({"job": kind, "points": of, "tried": tried, "old": self.old, "new": self.new, "not_reached": self.not_reached}),
        );
    }
}
