//! The whole engine on a real MariaDB, PHP-FPM, nginx and WordPress, judged by the harness's own digest of the site, its
//! database, its configuration and a neighbour nobody may touch. Needs root and `scripts/install-deps.sh`.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const DOMAIN: &str = "shop.example";
const FINAL: [&str; 4] = ["done", "failed", "rolled_back", "needs_operator"];

/// What the harness saw of everything, line by line.
#[derive(Clone, PartialEq)]
struct Digest {
    files: String,
    database: String,
    config: String,
    neighbour: String,
}

/// Shows where two digests differ when they are compared.
impl std::fmt::Debug for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} lines", self.lines().count())
    }
}

impl Digest {
    fn lines(&self) -> impl Iterator<Item = &str> {
        [&self.files, &self.database, &self.config, &self.neighbour].into_iter().flat_map(|part| part.lines())
    }

    /// The lines that only one of the two has, the first twenty of each.
    fn differences(&self, other: &Digest) -> String {
        let only = |one: &Digest, two: &Digest, mark: char| {
            let known: std::collections::HashSet<&str> = two.lines().collect();
            one.lines()
                .filter(|line| !known.contains(line))
                .take(20)
                .map(|line| format!("{mark} {}\n", line.chars().take(160).collect::<String>()))
                .collect::<String>()
        };
        only(self, other, '<') + &only(other, self, '>')
    }

    #[track_caller]
    fn assert_is(&self, expected: &Digest, when: &str) {
        assert!(self == expected, "{when}:\n{}", expected.differences(self));
    }
}

/// A world of its own for each test; its end takes everything with it.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn up() -> World {
        let folder = tempfile::Builder::new().prefix("rv-e2e.").tempdir_in("/tmp").unwrap();
        let world = World { folder };
        world.harness("up", &[]);
        world
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    fn harness(&self, command: &str, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/world.sh");
        let output = Command::new(script).arg(command).arg(self.place()).args(arguments).output().unwrap();
        assert!(output.status.success(), "world.sh {command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn digest(&self) -> Digest {
        let part = |name| self.harness("manifest", &[name]);
        Digest {
            files: part("files"),
            database: part("database"),
            config: part("config"),
            neighbour: part("neighbour"),
        }
    }

    /// Backed up, then damaged: the backup's digest and the damaged one's.
    fn damaged() -> (World, Digest, Digest) {
        let world = World::up();
        let good = world.digest();
        world.harness("backup", &[]);
        world.harness("damage", &[]);
        let damaged = world.digest();
        (world, good, damaged)
    }

    fn helper(&self, name: &str, request: &Value) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rocketvps-restore"))
            .arg("--config")
            .arg(self.place().join("restore.toml"))
            .args([name, &request.to_string()])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn document(&self, name: &str, request: &Value) -> Value {
        let output = self.helper(name, request);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("{name}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        })
    }

    fn call(&self, name: &str, request: Value) -> Value {
        let document = self.document(name, &request);
        assert_eq!(document["ok"], true, "{name} {request}: {}", document["error"]);
        document["data"].clone()
    }

    fn refused(&self, name: &str, request: Value) -> Value {
        let output = self.helper(name, &request);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["ok"], false, "{name} {request} was not refused: {document}");
        assert_eq!(output.status.code().unwrap(), document["error"]["number"], "the exit status is the error's number");
        document["error"].clone()
    }

    fn restore(&self) -> Value {
        self.call("restore_start", json!({"domain": DOMAIN, "wait": true}))
    }

    fn job(data: &Value) -> String {
        data["job"].as_str().unwrap_or_else(|| panic!("no job in {data}")).to_owned()
    }

    fn begin(&self) -> String {
        World::job(&self.call("restore_start", json!({"domain": DOMAIN})))
    }

    fn poll(&self, job: &str) -> Value {
        self.call("restore_poll", json!({"job": job}))
    }

    fn await_end(&self, job: &str) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.poll(job);
            if FINAL.contains(&status["state"].as_str().unwrap()) {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "job {job} does not end: {status}");
            sleep(Duration::from_millis(20));
        }
    }

    /// Kills the worker of a job, as the kernel would; false when it had ended already.
    fn kill_worker(job: &str) -> bool {
        let Some(pid) = worker(job) else { return false };
        Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success()
    }

    fn assert_nothing_left(&self) {
        assert_eq!(self.harness("strays", &[]), "", "left lying about");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/world.sh");
        let _ = Command::new(script).arg("down").arg(self.place()).status();
    }
}

/// The process that works on a job.
fn worker(job: &str) -> Option<u32> {
    std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = words.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let program = words.next()?;
        (program.contains("rocketvps-restore") && words.any(|word| word.ends_with(job))).then_some(pid)
    })
}

#[test]
fn a_damaged_site_is_as_it_was_in_the_backup_and_goes_back_and_forward() {
    let (world, good, damaged) = World::damaged();
    let first = World::job(&world.restore());
    world.digest().assert_is(&good, "good");
    world.assert_nothing_left();
    let status = world.poll(&first);
    assert_eq!(status["state"], "done");
    assert_eq!(status["percent"].as_f64().unwrap(), 100.0);

    let back = World::job(&world.call("rollback", json!({"domain": DOMAIN, "job": first, "wait": true})));
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();

    world.call("rollback", json!({"domain": DOMAIN, "job": back, "wait": true}));
    world.digest().assert_is(&good, "good");
    world.assert_nothing_left();
    assert!(world.harness("fetch", &["rv-probe.php"]).starts_with("RV files=backup db=backup posts=20"));
}

#[test]
fn a_restore_onto_a_healthy_site_fails_no_request() {
    let world = World::up();
    let good = world.digest();
    world.harness("backup", &[]);
    world.harness("probe", &["start", "e2e"]);
    sleep(Duration::from_millis(300));
    world.restore();
    sleep(Duration::from_millis(300));
    let seen: Value = serde_json::from_str(&world.harness("probe", &["stop", "e2e"])).unwrap();
    world.digest().assert_is(&good, "good");
    assert!(seen["requests"].as_u64().unwrap() > 30, "{seen}");
    assert_eq!((&seen["failed"], &seen["wrong"]), (&json!(0), &json!(0)), "{seen}");
}

#[test]
fn components_left_out_stay_as_they_are() {
    let (world, good, damaged) = World::damaged();
    let part = |digest: &Digest, name: &str| match name {
        "files" => digest.files.clone(),
        "database" => digest.database.clone(),
        "config" => digest.config.clone(),
        _ => digest.neighbour.clone(),
    };
    for (component, others) in [
        ("files", ["database", "config"]),
        ("database", ["config", "neighbour"]),
        ("config", ["neighbour", "neighbour"]),
    ] {
        world.call("restore_start", json!({"domain": DOMAIN, "components": {component: true}, "wait": true}));
        let now = world.digest();
        assert!(part(&now, component) == part(&good, component), "{component}: {}", good.differences(&now));
        for other in others {
            assert!(part(&now, other) == part(&damaged, other), "{other} was left out: {}", damaged.differences(&now));
        }
    }
    world.digest().assert_is(&good, "good");
    world.assert_nothing_left();
}

#[test]
fn a_dry_run_changes_nothing() {
    let (world, _, damaged) = World::damaged();
    world.call("restore_start", json!({"domain": DOMAIN, "dry_run": true, "wait": true}));
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();
}

#[test]
fn a_cancelled_restore_leaves_the_site_as_it_was() {
    let (world, good, damaged) = World::damaged();
    for delay in [0, 60, 200] {
        let job = world.begin();
        sleep(Duration::from_millis(delay));
        world.call("restore_cancel", json!({"job": job}));
        let status = world.await_end(&job);
        if status["state"] == "done" {
            // It came too late: then the restore is whole.
            world.digest().assert_is(&good, "good");
            world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        } else {
            assert_eq!(status["error"]["code"], "cancelled", "{status}");
        }
        world.digest().assert_is(&damaged, &format!("cancelled after {delay} ms"));
        world.assert_nothing_left();
    }
}

#[test]
fn a_killed_worker_leaves_one_side_or_the_other() {
    let (world, good, damaged) = World::damaged();
    let mut killed = 0;
    for delay in [5, 40, 90, 150, 220, 300, 400, 550, 750] {
        let before = world.digest();
        let job = world.begin();
        sleep(Duration::from_millis(delay));
        killed += u32::from(World::kill_worker(&job));
        world.call("recover", json!({"wait": true}));
        world.await_end(&job);
        let after = world.digest();
        assert!(
            after == before || after == good,
            "killed after {delay} ms: neither side\nold:\n{}\nnew:\n{}",
            before.differences(&after),
            good.differences(&after)
        );
        world.assert_nothing_left();
        world.call("recover", json!({"wait": true}));
        world.digest().assert_is(&after, "a second recovery does nothing");
        if after == good {
            world.harness("damage", &[]);
            assert_ne!(world.digest(), good);
        }
    }
    assert!(killed > 0, "every restore ended before it was killed");
    // The next restore works as if nothing had been.
    assert_ne!(good, damaged);
    world.restore();
    world.digest().assert_is(&good, "good");
}

#[test]
fn every_entry_point_takes_up_what_a_dead_worker_left() {
    let (world, good, _) = World::damaged();
    let before = world.digest();
    let job = world.begin();
    sleep(Duration::from_millis(100));
    World::kill_worker(&job);
    // Only a poll, no call to recover.
    let status = world.await_end(&job);
    let after = world.digest();
    assert!(after == before || after == good, "{status}");
    world.assert_nothing_left();
}

#[test]
fn one_job_at_a_time_for_a_domain() {
    let (world, good, _) = World::damaged();
    let job = world.begin();
    let error = world.refused("restore_start", json!({"domain": DOMAIN}));
    assert_eq!(error["code"], "busy");
    assert!(error["message"].as_str().unwrap().contains(&job), "{error}");
    assert_eq!(world.await_end(&job)["state"], "done");
    world.digest().assert_is(&good, "good");
}

#[test]
fn progress_never_goes_back_and_every_event_is_told_once() {
    let (world, _, _) = World::damaged();
    let job = world.begin();
    let (mut percent, mut seen) = (0.0, 0);
    loop {
        let status = world.call("restore_poll", json!({"job": job, "since": seen}));
        let now = status["percent"].as_f64().unwrap();
        assert!(now >= percent, "from {percent} to {now}");
        percent = now;
        for event in status["events"].as_array().unwrap() {
            assert_eq!(event["seq"].as_u64().unwrap(), seen + 1, "{event}");
            seen += 1;
        }
        if FINAL.contains(&status["state"].as_str().unwrap()) {
            assert_eq!(status["state"], "done", "{}", status["error"]);
            break;
        }
        sleep(Duration::from_millis(10));
    }
    assert!(seen > 0);
}

#[test]
fn a_server_that_dies_while_loading_leaves_the_files_alone() {
    let (world, _, _) = World::damaged();
    // A restarted server counts AUTO_INCREMENT from its rows again: let that be so before and after.
    world.harness("stop", &[]);
    world.harness("start", &[]);
    let before = world.digest();
    let job = world.begin();
    sleep(Duration::from_millis(120));
    let pid = std::fs::read_to_string(world.place().join("run/db.pid")).unwrap();
    Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap();
    let begun = Instant::now();
    while !FINAL.contains(&world.poll(&job)["state"].as_str().unwrap()) && begun.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(50));
    }
    let status = world.poll(&job);
    world.harness("stop", &[]);
    world.harness("start", &[]);
    // What could not be removed while the server was down goes with the next clean-up.
    world.call("recover", json!({"wait": true}));
    world.call("cleanup", json!({"wait": true}));
    let after = world.digest();
    if status["state"] == "done" {
        assert_ne!(after.files, before.files);
    } else {
        after.assert_is(&before, &status.to_string());
    }
    world.assert_nothing_left();
}

#[test]
fn the_logs_say_what_failed_and_hold_no_secret() {
    let (world, _, damaged) = World::damaged();
    // The newest backup is cut: the restore fails while it reads.
    let backups = world.place().join("base/backups").join(DOMAIN);
    let whole =
        std::fs::read_dir(&backups).unwrap().flatten().find(|entry| entry.path().extension().is_some()).unwrap();
    let bytes = std::fs::read(whole.path()).unwrap();
    std::fs::write(backups.join("backup_20990101_000000.tar.gz"), &bytes[..bytes.len() * 3 / 4]).unwrap();
    let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(error["code"], "backup_corrupt");
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();
    let logs = world.place().join("base/restore_logs").join(DOMAIN);
    let failed = std::fs::read_dir(&logs)
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with("_failed.log"))
        .expect("a _failed.log");
    let text = std::fs::read_to_string(failed.path()).unwrap();
    assert!(text.contains("backup_20990101_000000"), "{text}");
    let environment = std::fs::read_to_string(world.place().join("env")).unwrap();
    let password = environment.lines().find_map(|line| line.strip_prefix("WORLD_PASSWORD=")).unwrap();
    let output =
        Command::new("grep").args(["-rlF", password]).arg(world.place().join("base/restore_jobs")).arg(&logs).output();
    assert_eq!(String::from_utf8_lossy(&output.unwrap().stdout), "", "a secret was written down");
}
