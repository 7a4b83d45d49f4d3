//! Resources that run out and disks that fail, in the middle of a restore: it ends with an error that names the cause, the site
//! is what it was, nothing is left, and the next restore works. The numbers are those of the project's table of faults. Needs
//! root and `scripts/install-deps.sh`.

mod world;

use serde_json::{Value, json};
use world::bare::{Tree, look};
use world::fault::{run, strace, text};
use world::oracle::Side;
use world::trial::{points, report};
use world::{DOMAIN, World};

/// A site that was backed up and then damaged, and how it looked then and looks now.
struct Site {
    world: World,
    good: world::Digest,
    damaged: world::Digest,
}

/// How a trial ended.
#[derive(Debug)]
struct End {
    side: Side,
    state: String,
    error: Value,
}

impl End {
    fn code(&self) -> &str {
        self.error["code"].as_str().unwrap_or("")
    }
}

impl Site {
    fn new() -> Site {
        let (world, good, damaged) = World::damaged();
        world.harness("save", &["damaged"]);
        Site { world, good, damaged }
    }

    /// A restore with whatever was put in its way; `lift` takes it out again. Then the oracle; the site is left damaged.
    #[track_caller]
    fn trial(&self, when: &str, lift: impl FnOnce(&World)) -> End {
        let job = self.world.begin();
        self.end(&job, when, lift)
    }

    #[track_caller]
    fn end(&self, job: &str, when: &str, lift: impl FnOnce(&World)) -> End {
        let report = self.world.await_worker(job);
        lift(&self.world);
        self.world.worker_plain();
        let side = self.world.oracle(&self.damaged, &self.good, when);
        if side == Side::New {
            self.world.harness("reset", &["damaged"]);
        }
        End { side, state: report["state"].as_str().unwrap_or("").to_owned(), error: report["error"].clone() }
    }

    /// The next restore works.
    #[track_caller]
    fn works_again(&self) {
        assert_eq!(self.world.restore()["domain"], DOMAIN);
        assert_eq!(self.world.oracle(&self.damaged, &self.good, "the next restore"), Side::New);
    }
}

/// The same of files alone: it takes a moment.
struct Files {
    world: World,
    old: Tree,
    new: Tree,
}

impl Files {
    /// A small site with something of every kind, and a backup that differs from it.
    fn new() -> Files {
        let world = World::bare();
        let backup = world.place().join("tmp/backup");
        for (root, side) in [(&backup, "new"), (&world.root(), "old")] {
            std::fs::create_dir_all(root.join("uploads/2024/empty")).unwrap();
            std::fs::create_dir_all(root.join(side)).unwrap();
            for name in ["index.php", "uploads/2024/photo.jpg", "uploads/tên có dấu.txt"] {
                std::fs::write(root.join(name), format!("{side} {name}")).unwrap();
            }
            std::fs::write(root.join(side).join("large.bin"), side.repeat(700_000)).unwrap();
            std::fs::hard_link(root.join("index.php"), root.join("uploads/twin.php")).unwrap();
            std::os::unix::fs::symlink("2024", root.join("uploads/latest")).unwrap();
            run("chmod", &["0755", text(root)]);
        }
        world.pack(&backup);
        let (old, new) = (look(&world.root()), look(&backup));
        std::fs::remove_dir_all(&backup).unwrap();
        Files { world, old, new }
    }

    #[track_caller]
    fn trial(&self, when: &str, lift: impl FnOnce(&World)) -> End {
        let started = self.world.document("restore_start", &files_of_site());
        let report = match started["data"]["job"].as_str() {
            Some(job) => self.world.await_worker(job),
            None => json!({"state": "refused", "error": started["error"]}),
        };
        lift(&self.world);
        self.world.worker_plain();
        let side = self.world.oracle_of_files(&self.old, &self.new, when);
        if side == Side::New {
            assert_eq!(report["state"], "done", "{when}: {report}");
            self.back(&started["data"]["job"], when);
        }
        End { side, state: report["state"].as_str().unwrap_or("").to_owned(), error: report["error"].clone() }
    }

    /// Back to the old site, by a rollback of the job.
    #[track_caller]
    fn back(&self, job: &Value, when: &str) {
        self.world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        assert_eq!(self.world.oracle_of_files(&self.old, &self.new, when), Side::Old, "rollback after {when}");
    }

    #[track_caller]
    fn works_again(&self) {
        let end = self.trial("the next restore", |_| ());
        assert_eq!((end.side, end.state.as_str()), (Side::New, "done"), "{}", end.error);
    }
}

fn files_of_site() -> Value {
    json!({"domain": DOMAIN, "components": {"files": true}, "options": {"exact": true}})
}

/// Words that put faults into the writing of the journal alone.
fn on_journal(injects: &[&str]) -> String {
    format!("{} -P \"$job/journal\"", strace(injects))
}

/// The journal cannot be written, at each of its records: nothing is changed that it does not tell of, and what was changed
/// already goes back.
#[test]
fn b23_no_room_for_the_journal() {
    let site = Files::new();
    site.world.worker_under(&on_journal(&["write:delay_exit=1"]));
    assert_eq!(site.trial("no fault", |_| ()).side, Side::New);
    let writes = site.world.seen().lines().filter(|line| line.contains("write(")).count();
    for call in ["write:error=ENOSPC", "fdatasync:error=ENOSPC"] {
        for number in 1..=writes {
            let when = format!("{call} at record {number} of {writes}");
            site.world.worker_under(&on_journal(&[&format!("{call}:when={number}")]));
            let end = site.trial(&when, |world| assert_eq!(world.injected(), 1, "{when}"));
            let state = if number == 1 { "failed" } else { "rolled_back" };
            assert_eq!((end.side, end.state.as_str(), end.code()), (Side::Old, state, "disk_full"), "{when}");
        }
    }
    // A record that failed is no damage of those after it: the worker may still die on its way back.
    for number in writes..writes + 2 {
        let when = format!("killed at record {number}, after one that failed");
        site.world.worker_under(&on_journal(&["fdatasync:error=EIO:when=3", &format!("write:signal=SIGKILL:when={number}")]));
        let end = site.trial(&when, |_| ());
        assert_eq!((end.side, end.state.as_str()), (Side::Old, ""), "{when}");
    }
    site.works_again();
    report("b23", json!({"records": writes, "faults": 2 * writes + 2}));
}

#[test]
fn b23_no_room_for_the_journal_between_files_and_tables() {
    let site = Site::new();
    site.world.worker_under(&on_journal(&["write:delay_exit=1"]));
    assert_eq!(site.trial("no fault", |_| ()).side, Side::New);
    let writes = site.world.seen().lines().filter(|line| line.contains("write(")).count();
    let faults = points(&(2..=writes).collect::<Vec<_>>(), 3);
    for number in &faults {
        let when = format!("record {number} of {writes}");
        site.world.worker_under(&on_journal(&[&format!("write:error=ENOSPC:when={number}")]));
        let end = site.trial(&when, |world| assert_eq!(world.injected(), 1, "{when}"));
        assert_eq!((end.side, end.state.as_str(), end.code()), (Side::Old, "rolled_back", "disk_full"), "{when}");
    }
    site.works_again();
    report("b23_all", json!({"records": writes, "faults": faults.len()}));
}
