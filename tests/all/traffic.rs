//! F: a site in use. Visitors and writers go on while it is restored; secrets stay where they are; jobs keep out of each other's way.

use crate::world::oracle::Side;
use crate::world::stage::{Stage, kinds};
use crate::world::trial::{is_long, report};
use crate::world::{self, DOMAIN, World};
use mysql::prelude::Queryable;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Visitors ask for a page every 20 ms while the site changes over, there and back.
#[test]
fn f75_no_visitor_sees_a_failure_or_a_mixture() {
    let world = World::up();
    let good = world.digest();
    world.harness("backup", &[]);
    let mut commits = Vec::new();
    world.harness("probe", &["start", "f75"]);
    sleep(Duration::from_millis(300));
    for _ in 0..if is_long() { 10 } else { 1 } {
        let result = world.restore();
        commits.push(result["commit_ms"].as_f64().unwrap());
        let back = world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&result), "wait": true}));
        commits.push(back["commit_ms"].as_f64().unwrap());
    }
    sleep(Duration::from_millis(300));
    let seen: Value = serde_json::from_str(&world.harness("probe", &["stop", "f75"])).unwrap();
    world.digest().assert_is(&good, "good");
    assert!(seen["requests"].as_u64().unwrap() > 30, "{seen}");
    assert_eq!((&seen["failed"], &seen["wrong"], &seen["mixed"]), (&json!(0), &json!(0), &json!(0)), "{seen}");
    commits.sort_by(f64::total_cmp);
    let at = |part: usize| commits[(commits.len() - 1) * part / 100];
    report(
        "f75",
        json!({"change_overs": commits.len(), "commit_ms_p50": at(50), "commit_ms_p99": at(99), "visitors": seen}),
    );
}

/// Rows and files that somebody writes all the time, and which of them were acknowledged.
struct Writers {
    rows: BTreeSet<u64>,
    files: BTreeSet<u64>,
    refused: u64,
}

/// Ends the writers also when the test fails.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn write_until(world: &World, stop: &AtomicBool) -> Writers {
    let socket = world.place().join("run/db.sock");
    let root = world.root();
    std::thread::scope(|scope| {
        let rows = scope.spawn(|| {
            let options = mysql::OptsBuilder::new()
                .user(Some("root"))
                .db_name(Some("shop"))
                .socket(socket.to_str())
                .prefer_socket(false);
            let mut connection = mysql::Conn::new(options).unwrap();
            let (mut acknowledged, mut refused) = (BTreeSet::new(), 0);
            for number in 1.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                match connection.query_drop(format!("INSERT INTO rv_numbers VALUES ({number})")) {
                    Ok(()) => {
                        acknowledged.insert(number);
                    }
                    Err(_) => refused += 1,
                }
            }
            (acknowledged, refused)
        });
        let files = scope.spawn(|| {
            let (mut acknowledged, mut refused) = (BTreeSet::new(), 0);
            for number in 1.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let path = root.join("wp-content/uploads").join(format!("written-{number}.txt"));
                match std::fs::write(path, number.to_string()) {
                    Ok(()) => {
                        acknowledged.insert(number);
                    }
                    Err(_) => refused += 1,
                }
                sleep(Duration::from_micros(200));
            }
            (acknowledged, refused)
        });
        let ((rows, no_rows), (files, no_files)) = (rows.join().unwrap(), files.join().unwrap());
        Writers { rows, files, refused: no_rows + no_files }
    })
}

fn numbers_in(world: &World, schema: &str) -> BTreeSet<u64> {
    let text = world.harness("sql", &[&format!("SELECT n FROM {schema}.rv_numbers")]);
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn written_in(uploads: &Path) -> BTreeSet<u64> {
    let number = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let number = name.strip_prefix("written-")?.strip_suffix(".txt")?.parse().ok()?;
        (std::fs::read_to_string(entry.path()).ok()? == format!("{number}")).then_some(number)
    };
    std::fs::read_dir(uploads).into_iter().flatten().flatten().filter_map(number).collect()
}

/// Every row and every file whose writing was acknowledged is afterwards in the live site or in the snapshot.
#[test]
fn f76_what_is_written_meanwhile_is_in_the_site_or_in_the_snapshot() {
    for (name, request) in kinds() {
        let world = World::up();
        world.harness("sql", &["CREATE TABLE shop.rv_numbers (n BIGINT PRIMARY KEY) ENGINE=InnoDB"]);
        world.harness("backup", &[]);
        let mut request = world::with_fields(request, &json!({"wait": true}));
        if let Some(tables) = request.pointer_mut("/components/database").and_then(Value::as_array_mut) {
            tables.push(json!("rv_numbers"));
        }
        let (stop, mut total) = (AtomicBool::new(false), json!({}));
        std::thread::scope(|scope| {
            let writers = scope.spawn(|| write_until(&world, &stop));
            let _ends_them = AtEnd(&stop);
            sleep(Duration::from_millis(300));
            let mut result = world.call("restore_start", request.clone());
            for _ in 0..if is_long() { 10 } else { 1 } {
                let job = World::job(&result);
                result = world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
            }
            sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
            let written = writers.join().unwrap();
            let snapshot = PathBuf::from(result["snapshot"].as_str().unwrap());
            let manifest: Value =
                serde_json::from_slice(&std::fs::read(snapshot.join("manifest.json")).unwrap()).unwrap();
            let rows_live = numbers_in(&world, "shop");
            let rows_kept = numbers_in(&world, manifest["schema_kept"].as_str().unwrap());
            let files_live = written_in(&world.root().join("wp-content/uploads"));
            let files_kept = written_in(&Path::new(manifest["tree"].as_str().unwrap()).join("wp-content/uploads"));
            let lost_rows: Vec<u64> =
                written.rows.iter().filter(|n| !rows_live.contains(n) && !rows_kept.contains(n)).copied().collect();
            let lost_files: Vec<u64> =
                written.files.iter().filter(|n| !files_live.contains(n) && !files_kept.contains(n)).copied().collect();
            assert!(
                written.rows.len() > 50 && written.files.len() > 50,
                "{} rows, {} files",
                written.rows.len(),
                written.files.len()
            );
            // In a folder that stayed as it was the files stay, too.
            let both = !files_live.is_empty() && (!files_kept.is_empty() || name == "full");
            assert!(!rows_live.is_empty() && !rows_kept.is_empty() && both, "both sides were written to");
            assert_eq!((lost_rows.as_slice(), lost_files.as_slice()), (&[][..], &[][..]), "lost");
            total = json!({"job": name, "rows_acknowledged": written.rows.len(), "rows_live": rows_live.len(), "rows_in_snapshot": rows_kept.len(),
                "rows_lost": lost_rows.len(), "files_acknowledged": written.files.len(), "files_live": files_live.len(),
                "files_in_snapshot": files_kept.len(), "files_lost": lost_files.len(), "refused": written.refused});
        });
        report("f76", total);
    }
}

fn secret_of(world: &World) -> String {
    let environment = std::fs::read_to_string(world.place().join("env")).unwrap();
    environment.lines().find_map(|line| line.strip_prefix("WORLD_PASSWORD=")).unwrap().to_owned()
}

/// The password of the site's database account is in its wp-config.php, and nowhere we write, and no process shows it.
#[test]
fn f82_a_planted_secret_is_in_no_argument_environment_log_journal_or_status() {
    let (world, ..) = World::damaged();
    let secret = secret_of(&world);
    let done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut looks = 0_u64;
            while !done.load(Ordering::Relaxed) {
                for process in std::fs::read_dir("/proc").unwrap().flatten() {
                    let exe = std::fs::read_link(process.path().join("exe")).unwrap_or_default();
                    if !exe.to_string_lossy().contains("rocketvps-restore") {
                        continue;
                    }
                    for file in ["cmdline", "environ"] {
                        let text = std::fs::read(process.path().join(file)).unwrap_or_default();
                        looks += 1;
                        assert!(!String::from_utf8_lossy(&text).contains(&secret), "{file} of {exe:?}");
                    }
                }
                sleep(Duration::from_millis(1));
            }
            looks
        });
        let job = World::job(&world.restore());
        world.call("verify", json!({"domain": DOMAIN, "wait": true}));
        world.call("create_snapshot", json!({"domain": DOMAIN, "wait": true}));
        world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        done.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    });
    assert!(looks > 20, "{looks} looks");
    let base = world.place().join("base");
    let found = Command::new("grep")
        .args(["-rlF", &secret])
        .args(["restore_jobs", "restore_logs"].map(|name| base.join(name)))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "a secret was written down");
    // What jobs write is for root alone.
    let open = Command::new("find")
        .args(["restore_jobs", "restore_logs", "snapshots"].map(|name| base.join(name)))
        .args(["-mindepth", "1", "-perm", "/077", "-not", "-type", "l"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&open.stdout), "", "open to others");
    let cores = Command::new("find")
        .arg(world.place())
        .args(["-name", "core*", "-type", "f", "-path", "*base*"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&cores.stdout), "");
    report("f82", json!({"looks_at_processes": looks, "found": 0}));
}

#[test]
fn f83_one_job_a_domain_and_another_domain_is_not_kept_waiting() {
    let (world, good, _) = World::damaged();
    let other = "neighbour.example";
    let backups = world.place().join("base/backups").join(other);
    std::fs::create_dir_all(&backups).unwrap();
    let packed = Command::new("tar")
        .arg("-czf")
        .arg(backups.join("backup_20250101_000000.tar.gz"))
        .args(["--transform", "s,^\\.,www,", "-C"])
        .arg(world.place().join("web").join(other))
        .arg(".")
        .status()
        .unwrap();
    assert!(packed.success());
    let trace_point = 200;
    let (job, pid) = world.stop_before(trace_point, "restore_start", &json!({"domain": DOMAIN}));
    let error = world.refused("restore_start", json!({"domain": DOMAIN}));
    assert_eq!(error["code"], "busy");
    assert!(error["message"].as_str().unwrap().contains(&job), "{error}");
    let files = json!({"domain": other, "components": {"files": true}, "wait": true});
    assert_eq!(world.call("restore_start", files)["domain"], other);
    assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
    assert_eq!(world.await_end(&job)["state"], "done");
    world.digest().assert_is(&good, "good");
}

#[test]
fn f84_who_has_no_rights_is_told_and_nothing_is_done() {
    let (world, _, damaged) = World::damaged();
    // The program and restore.toml can be read by all here; the folders of base cannot.
    let program = world.place().join("rocketvps-restore");
    std::fs::copy(env!("CARGO_BIN_EXE_rocketvps-restore"), &program).unwrap();
    let helper = |call: &str| {
        let output = Command::new("setpriv")
            .args(["--reuid=www-data", "--regid=www-data", "--clear-groups"])
            .arg(&program)
            .arg("--config")
            .arg(world.place().join("restore.toml"))
            .args(["call", call, &json!({"domain": DOMAIN}).to_string()])
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{call}: {}", String::from_utf8_lossy(&output.stderr)));
        document["error"].clone()
    };
    assert!(Command::new("chmod").arg("0644").arg(world.place().join("restore.toml")).status().unwrap().success());
    for call in ["cleanup", "recover", "create_snapshot", "verify"] {
        assert_eq!(helper(call)["code"], "forbidden", "{call}: {}", helper(call));
    }
    // Not even the names of backups can be read.
    assert_eq!(helper("restore_start")["code"], "backup_unreadable");
    assert!(
        Command::new("chmod")
            .arg("0755")
            .args(["base", "base/backups", &format!("base/backups/{DOMAIN}")].map(|name| world.place().join(name)))
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(helper("restore_start")["code"], "forbidden", "{}", helper("restore_start"));
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();
}

#[test]
fn f86_a_site_that_does_not_stand_up_goes_back_by_itself() {
    let stage = Stage::set(kinds()[0].1.clone());
    let toml = stage.world.place().join("restore.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("[http]\n", "[http]\nexpect_status = [418]\n")).unwrap();
    let mut times = Vec::new();
    for _ in 0..if is_long() { 20 } else { 1 } {
        let job = stage.world.begin();
        let status = stage.world.await_end(&job);
        assert_eq!(
            (&status["state"], &status["error"]["context"]["phase"]),
            (&json!("rolled_back"), &json!("live verification")),
            "{status}"
        );
        let events = stage.world.call("restore_poll", json!({"job": job}))["events"].clone();
        let at = |what: &str| {
            let event =
                events.as_array().unwrap().iter().find(|event| event["message"].as_str().unwrap().contains(what));
            let time =
                event.unwrap_or_else(|| panic!("no event says {what}: {events}"))["time"].as_str().unwrap().to_owned();
            time[11..23].split(':').fold(0.0, |seconds, part| seconds * 60.0 + part.parse::<f64>().unwrap())
        };
        times.push((at("ended as rolled back") - at("the old state is brought back")) * 1000.0);
        assert_eq!(stage.settle("its page was not what was asked for"), Side::Old);
    }
    times.sort_by(f64::total_cmp);
    report(
        "f86",
        json!({"rollbacks": times.len(), "rollback_ms_p50": times[times.len() / 2], "rollback_ms_p99": times[(times.len() - 1) * 99 / 100]}),
    );
}

/// How long a recovery takes that has a change-over to undo.
#[test]
fn a_recovery_takes_moments() {
    let stage = Stage::set(kinds()[0].1.clone());
    let exchange = stage.trace.that_writes("\"step\":\"exchange\"").number;
    let mut times = Vec::new();
    for _ in 0..if is_long() { 30 } else { 2 } {
        assert!(stage.kill_before(exchange + 3).1);
        let began = Instant::now();
        let recovered = stage.world.call("recover", json!({"wait": true}));
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(recovered["recovered"][0]["state"], "rolled_back", "{recovered}");
        assert_eq!(stage.settle("recovered"), Side::Old);
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| (times[(times.len() - 1) * part / 100]).round();
    report("recovery", json!({"recoveries": times.len(), "recovery_ms_p50": at(50), "recovery_ms_p99": at(99)}));
}
