//! A: crashes. Workers die at every step there is; recovery brings the site to one side or the other, and nothing is left.

mod world;

use serde_json::{Value, json};
use world::crash::{Call, Trace};
use world::oracle::Side;
use world::trial::{points, report};
use world::{DOMAIN, Digest, World};

/// The two kinds of job that everything is tried with.
fn kinds() -> [(&'static str, Value); 2] {
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

/// A damaged site, remembered so that it can be had again, what it becomes by a job, and what that job's worker does.
struct Stage {
    world: World,
    old: Digest,
    new: Digest,
    trace: Trace,
    request: Value,
}

impl Stage {
    fn set(request: Value) -> Stage {
        let (world, _, _) = World::damaged();
        world.harness("save", &["damaged"]);
        world.harness("reset", &["damaged"]);
        let old = world.digest();
        let (_, trace) = world.watch("restore_start", &request);
        let new = world.digest();
        world.harness("reset", &["damaged"]);
        world.digest().assert_is(&old, "the damaged site again");
        Stage { world, old, new, trace, request }
    }

    /// Kills a worker before each of these calls, recovers, and asks the oracle. Gives how often each side was reached.
    fn kill_before_each(&self, calls: &[Call]) -> Outcome {
        let mut outcome = Outcome::default();
        for call in calls {
            let when = format!("killed before call {} ({} {})", call.number, call.name, call.text);
            let t0 = std::time::Instant::now();
            let (_, reached) = self.world.kill_before(call.number, "restore_start", &self.request);
            let began = std::time::Instant::now();
            let side = self.world.oracle(&self.old, &self.new, &when);
            eprintln!("{when}: {side:?} job {:?} oracle {:?}", began - t0, began.elapsed());
            outcome.count(side, reached, began.elapsed().as_secs_f64());
            if side == Side::New {
                self.world.harness("reset", &["damaged"]);
            }
        }
        outcome
    }
}

#[derive(Default)]
struct Outcome {
    old: u32,
    new: u32,
    not_reached: u32,
}

impl Outcome {
    fn count(&mut self, side: Side, reached: bool, _: f64) {
        match side {
            Side::Old => self.old += 1,
            Side::New => self.new += 1,
        }
        self.not_reached += u32::from(!reached);
    }

    fn report(&self, case: &str, kind: &str, of: usize) {
        let tried = self.old + self.new;
        assert!(self.not_reached * 10 <= tried, "{} of {tried} workers ended before the point", self.not_reached);
        report(
            case,
            json!({"job": kind, "points": of, "tried": tried, "old": self.old, "new": self.new, "mixed": 0, "not_reached": self.not_reached}),
        );
    }
}

fn a01(kind: usize, few: usize) {
    let (name, request) = kinds()[kind].clone();
    let stage = Stage::set(request);
    let all = stage.trace.records();
    assert!(all.len() > 12, "{all:?}");
    let outcome = stage.kill_before_each(&points(&all, few));
    outcome.report("a01", name, all.len());
    assert!(outcome.old > 0 && outcome.new > 0, "{} old, {} new", outcome.old, outcome.new);
}

#[test]
fn a01_killed_before_and_after_each_record_of_the_journal_full() {
    a01(0, 8);
}

#[test]
fn a01_killed_before_and_after_each_record_of_the_journal_parts() {
    a01(1, 8);
}
