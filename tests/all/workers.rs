//! What runs a site's code beside PHP-FPM is restarted with it: real supervisor, and Laravel's own command.

use crate::caches::{all_see, page_of, save_pages_of};
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::net::TcpListener;
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
