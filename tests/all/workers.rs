//! What runs a site's code beside PHP-FPM is restarted with it: real supervisor, Laravel's own command, and a systemctl that plays systemd.

use crate::caches::{all_see, page_of, save_pages_of};
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A supervisor of the test's own.
struct Supervisor {
    child: Child,
    conf: PathBuf,
}

impl Supervisor {
    fn start(world: &World, programs: &str) -> Supervisor {
        let place = world.place().join("supervisor");
        std::fs::create_dir_all(place.join("conf.d")).unwrap();
        let conf = place.join("supervisord.conf");
        let here = place.display();
        let text = format!(
            "[unix_http_server]\nfile = {here}/s.sock\n[supervisord]\nuser = root\nnodaemon = true\nlogfile = {here}/log\n\
             pidfile = {here}/pid\nchildlogdir = {here}\n[rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\n\
             serverurl = unix://{here}/s.sock\n[include]\nfiles = {here}/conf.d/*.conf\n"
        );
        std::fs::write(&conf, text).unwrap();
        std::fs::write(place.join("conf.d/sites.conf"), programs).unwrap();
        let mut command = Command::new("supervisord");
        command.arg("-c").arg(&conf).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("install the Debian package supervisor");
        Supervisor { child, conf }
    }

    fn pid(&self, program: &str) -> u32 {
        let begun = Instant::now();
        loop {
            let output =
                Command::new("supervisorctl").arg("-c").arg(&self.conf).args(["pid", program]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            match said.parse() {
                Ok(pid) if pid > 0 => return pid,
                _ => assert!(begun.elapsed() < Duration::from_secs(20), "{program}: {said}"),
            }
            sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // It ends its programs by itself.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Units of systemd for the jobs of one world: they find this systemctl where the machine has its own.
struct Systemd {
    place: PathBuf,
}

impl Systemd {
    fn start(world: &World) -> Systemd {
        let place = world.place().join("tmp/systemd");
        std::fs::create_dir_all(place.join("units")).unwrap();
        let here = place.display();
        let script = |name: &str, text: String| {
            std::fs::write(place.join(name), text).unwrap();
            std::fs::set_permissions(place.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
            place.join(name)
        };
        // `UNIT` holds what a unit is, `UNIT.then` what it is after a restart; `deadly` ends the worker in the middle of one.
        let systemctl = script(
            "systemctl",
            format!(
                "#!/bin/sh\nfor unit; do :; done\ncd '{here}' || exit 1\ncase $1 in\n\
                 show) load=not-found active=inactive sub=dead\n[ ! -e \"$unit\" ] || read -r load active sub <\"$unit\"\n\
                 printf 'LoadState=%s\\nActiveState=%s\\nSubState=%s\\n' \"$load\" \"$active\" \"$sub\" ;;\n\
                 try-restart) echo \"$unit\" >>restarted\n[ ! -e \"$unit.then\" ] || cp \"$unit.then\" \"$unit\"\n\
                 [ ! -e deadly ] || {{ rm deadly; kill -KILL $PPID; }} ;;\n*) exit 1 ;;\nesac\n"
            ),
        );
        let helper = script(
            "helper",
            format!(
                "#!/bin/sh\nexec unshare --mount --propagation private sh -c 'mount --bind \"$0\" /usr/bin/systemctl && exec \"$@\"' \
                 '{}' '{}' \"$@\"\n",
                systemctl.display(),
                env!("CARGO_BIN_EXE_rocketvps-restore")
            ),
        );
        world.use_helper(Some(&helper));
        Systemd { place }
    }

    fn has(&self, unit: &str, state: &str) {
        std::fs::write(self.place.join(unit), format!("{state}\n")).unwrap();
    }

    /// The units that were restarted since it was last asked, in their order.
    fn restarted(&self) -> Vec<String> {
        let path = self.place.join("restarted");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }
}

/// What restore.toml says of units.
fn tell(world: &World, systemd: &Systemd, workers: &str) {
    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let units = format!("[services]\nunits = \"{}\"\n", systemd.place.join("units").display());
    let text = text.replacen("[services]\n", &units, 1);
    std::fs::write(&config, format!("{text}\n[sites.\"{DOMAIN}\"]\nworkers = [{workers}]\n")).unwrap();
}

fn restore(world: &World) -> Value {
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}))
}

fn events(world: &World, job: &Value) -> String {
    world.call("restore_poll", json!({"job": job["job"], "since": 0}))["events"].to_string()
}

#[test]
fn programs_of_supervisor_that_are_the_sites_run_the_new_code_and_others_are_not_touched() {
    let world = World::up();
    let root = world.root();
    let worker = |word: &str| {
        let script = "<?php while (true) { file_put_contents('WHERE', 'WORD'); usleep(100000); }";
        let out = world.place().join("tmp/said").display().to_string();
        std::fs::write(root.join("queue.php"), script.replace("WHERE", &out).replace("WORD", word)).unwrap();
    };
    worker("new");
    world.harness("backup", &[]);
    worker("old");
    assert!(Command::new("chmod").arg("1777").arg(world.place().join("tmp")).status().unwrap().success());
    let shown = root.display();
    let supervisor = Supervisor::start(
        &world,
        &format!(
            "[program:queue]\nuser = www-data\ndirectory = {shown}\ncommand = php {shown}/queue.php\n\
             [program:other]\nuser = www-data\ndirectory = /\ncommand = sleep 3600\n\
             [program:rooted]\nuser = root\ndirectory = {shown}\ncommand = sleep 3600\n\
             [program:told]\nuser = nobody\ndirectory = /\ncommand = sleep 3600\n"
        ),
    );
    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text =
        text.replacen("[services]\n", &format!("[services]\nsupervisor = \"{}\"\n", supervisor.conf.display()), 1);
    std::fs::write(&config, format!("{text}\n[sites.\"{DOMAIN}\"]\nworkers = [\"supervisor:told\"]\n")).unwrap();
    let said = |word: &str| {
        let begun = Instant::now();
        let path = world.place().join("tmp/said");
        while std::fs::read_to_string(&path).unwrap_or_default() != word {
            assert!(begun.elapsed() < Duration::from_secs(10), "the worker does not say {word}");
            sleep(Duration::from_millis(20));
        }
    };
    let names = ["queue", "other", "rooted", "told"];
    let before = names.map(|name| supervisor.pid(name));
    said("old");
    let restored = restore(&world);
    let after = names.map(|name| supervisor.pid(name));
    let same: Vec<bool> = before.iter().zip(after).map(|(before, after)| *before == after).collect();
    assert_eq!(same, [false, true, true, false], "{}", events(&world, &restored));
    said("new");
    assert!(events(&world, &restored).contains("the program queue of supervisor was restarted"));
    let back = world.call("rollback", json!({"job": World::job(&restored), "wait": true}));
    said("old");
    assert_ne!(supervisor.pid("queue"), after[0], "{back}");
}

#[test]
fn what_a_worker_answers_until_its_restart_does_not_stay_in_a_cache() {
    let world = World::up();
    let root = world.root();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = |word: &str| {
        let script = format!(
            "<?php $s = stream_socket_server('tcp://127.0.0.1:{port}'); while (true) {{ $c = stream_socket_accept($s, -1); \
             fread($c, 4096); fwrite($c, \"HTTP/1.0 200 OK\\r\\n\\r\\n{word}\"); fclose($c); }}"
        );
        std::fs::write(root.join("app.php"), script).unwrap();
    };
    save_pages_of(&world, |_| format!("http://127.0.0.1:{port}"));
    server("new");
    world.harness("backup", &[]);
    server("old");
    let shown = root.display();
    let program = format!("[program:app]\nuser = www-data\ndirectory = {shown}\ncommand = php {shown}/app.php\n");
    let supervisor = Supervisor::start(&world, &program);
    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let told = format!("[services]\nsupervisor = \"{}\"\n", supervisor.conf.display());
    std::fs::write(&config, text.replacen("[services]\n", &told, 1)).unwrap();
    supervisor.pid("app");
    // Its first answers are those of the old code, and nginx saves one of them whenever it has none.
    let visited = |act: &dyn Fn() -> Value| {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    page_of(&world, DOMAIN, "app/");
                }
            });
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
            is_over.store(true, Ordering::Relaxed);
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    };
    let begun = Instant::now();
    while page_of(&world, DOMAIN, "app/") != "old" {
        assert!(begun.elapsed() < Duration::from_secs(20), "the server does not answer");
        sleep(Duration::from_millis(20));
    }
    let restored = visited(&|| restore(&world));
    all_see(&world, "app/", "new");
    visited(&|| world.call("rollback", json!({"job": World::job(&restored), "wait": true})));
    all_see(&world, "app/", "old");
}

#[test]
fn laravels_queue_is_told_as_the_sites_account() {
    let world = World::up();
    let root = world.root();
    let out = world.place().join("tmp/told");
    let script = format!(
        "<?php file_put_contents('{}', implode(' ', $argv) . ' ' . posix_geteuid() . ' ' . getcwd() . PHP_EOL, FILE_APPEND);",
        out.display()
    );
    std::fs::write(root.join("artisan"), script).unwrap();
    std::fs::write(root.join("composer.json"), "{\"require\":{\"laravel/framework\":\"^11.0\"}}").unwrap();
    assert!(Command::new("chmod").arg("1777").arg(world.place().join("tmp")).status().unwrap().success());
    world.harness("backup", &[]);
    let restored = restore(&world);
    let uid = String::from_utf8(Command::new("id").args(["-u", "www-data"]).output().unwrap().stdout).unwrap();
    let line = format!("artisan queue:restart --no-interaction {} {}\n", uid.trim(), root.display());
    let said = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(said(&out), line, "{}", events(&world, &restored));
    world.call("rollback", json!({"job": World::job(&restored), "wait": true}));
    assert_eq!(said(&out), line.repeat(2));
    // One that hangs or fails takes nothing back.
    std::fs::write(root.join("artisan"), "<?php echo 'no such store'; exit(1);").unwrap();
    sleep(Duration::from_millis(1100));
    world.harness("backup", &[]);
    let restored = restore(&world);
    assert!(
        events(&world, &restored).contains("it ended with status 1: no such store"),
        "{}",
        events(&world, &restored)
    );
}

#[test]
fn units_that_the_operator_names_are_restarted_each_way_and_what_could_not_be_is_said() {
    let world = World::up();
    let systemd = Systemd::start(&world);
    for (unit, state) in [
        ("shop-node.service", "loaded active running"),
        ("shop-broken.service", "loaded active running"),
        ("shop-down.service", "loaded inactive dead"),
        ("shop-app.service", "loaded active running"),
        ("shop-nightly.service", "loaded inactive dead"),
        ("other.service", "loaded active running"),
    ] {
        systemd.has(unit, state);
    }
    systemd.has("shop-broken.service.then", "loaded activating auto-restart");
    let root = world.root();
    for (unit, folder) in
        [("shop-app.service", root.as_path()), ("shop-nightly.service", &root), ("other.service", Path::new("/srv"))]
    {
        let text = format!("[Service]\nUser=www-data\nWorkingDirectory={}\nExecStart=/bin/true\n", folder.display());
        std::fs::write(systemd.place.join("units").join(unit), text).unwrap();
    }
    tell(
        &world,
        &systemd,
        r#""systemd:shop-node", "systemd:shop-node.service", "systemd:shop-broken", "systemd:shop-down", "systemd:shop-gone", "shop""#,
    );
    world.harness("backup", &[]);
    let checks = world.call("validate", json!({"domain": DOMAIN, "wait": true}))["groups"].to_string();
    for words in [
        "the unit shop-node.service runs",
        "shop-down.service will not be restarted by this restore: it does not run (inactive)",
        "shop-gone.service will not be restarted by this restore: systemd knows no such unit",
        "shop is neither supervisor:PROGRAM nor systemd:UNIT",
    ] {
        assert!(checks.contains(words), "{words}: {checks}");
    }
    assert_eq!(systemd.restarted(), [""; 0]);
    let restored = restore(&world);
    assert_eq!(systemd.restarted(), ["shop-app.service", "shop-broken.service", "shop-node.service"]);
    let (notes, events) = (restored["notes"].to_string(), events(&world, &restored));
    for words in [
        "the unit shop-node.service was restarted",
        "the unit shop-app.service was restarted",
        "shop-broken.service was restarted, and ended at once: systemd starts it anew; look at it: systemctl status shop-broken",
        "shop-down.service was not restarted: it does not run (inactive), and was left so",
        "shop-gone.service was not restarted: systemd knows no such unit",
        "shop is neither supervisor:PROGRAM nor systemd:UNIT",
    ] {
        assert!(notes.contains(words) && events.contains(words), "{words}: {notes} {events}");
    }
    assert!(!events.contains("shop-nightly") && !events.contains("other.service"), "{events}");
    world.call("rollback", json!({"job": World::job(&restored), "wait": true}));
    assert_eq!(systemd.restarted(), ["shop-app.service", "shop-broken.service", "shop-node.service"]);
    // Its configuration alone is no code.
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"config": true}, "wait": true}));
    assert_eq!(systemd.restarted(), [""; 0]);
}

#[test]
fn a_restart_in_which_the_worker_dies_is_done_again_by_the_recovery() {
    let world = World::up();
    let systemd = Systemd::start(&world);
    systemd.has("shop-node.service", "loaded active running");
    tell(&world, &systemd, r#""systemd:shop-node""#);
    let index = world.root().join("index.php");
    let good = std::fs::read_to_string(&index).unwrap();
    world.harness("backup", &[]);
    std::fs::write(&index, "<?php echo 'hacked';").unwrap();
    systemd.has("deadly", "");
    let job = world.run_to_its_end("restore_start", &json!({"domain": DOMAIN, "components": {"files": true}}));
    assert_eq!(systemd.restarted(), ["shop-node.service"]);
    world.call("recover", json!({"wait": true}));
    assert_eq!(systemd.restarted(), ["shop-node.service"], "{}", world.poll(&job));
    let status = world.call("restore_poll", json!({"job": job, "since": 0}));
    assert_eq!(status["state"], "done", "{status}");
    assert!(status["result"]["notes"].to_string().contains("the unit shop-node.service was restarted"), "{status}");
    assert_eq!(std::fs::read_to_string(&index).unwrap(), good);
    // The way back ends where it is asked for, too.
    systemd.has("deadly", "");
    let back = world.run_to_its_end("rollback", &json!({"job": job}));
    assert_eq!(systemd.restarted(), ["shop-node.service"]);
    world.call("recover", json!({"wait": true}));
    assert_eq!(systemd.restarted(), ["shop-node.service"], "{}", world.poll(&back));
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "<?php echo 'hacked';");
}
