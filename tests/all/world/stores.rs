//! Servers of objects of a test's own: Redis and Memcached, ended by their process. `RV_STORE` names another release of one of them
//! (`scripts/servers.sh`).

use super::World;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub struct Store {
    child: Child,
    socket: PathBuf,
    /// What redis-cli says of itself, where that is wanted.
    pub password: Option<String>,
}

/// A program of the machine's, or that of the release under test in its chroot, which sees the world's folder.
fn command(world: &World, program: &str) -> Command {
    let release = std::env::var("RV_STORE").unwrap_or_default();
    let served = match release.as_str() {
        "redis8" => "redis-server",
        "valkey8" => "valkey-server",
        "memcached1638" => "memcached",
        _ => "",
    };
    if served != program && (served, program) != ("valkey-server", "redis-server") {
        return Command::new(program);
    }
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh"));
    command.args(["run", &release]).arg(world.place()).arg(served);
    command
}

impl Store {
    fn start(world: &World, program: &str, arguments: &[&str], socket: PathBuf) -> Store {
        // Of one that was killed before.
        let _ = std::fs::remove_file(&socket);
        let mut command = command(world, program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("install the Debian package of {program}: {error}"));
        let begun = Instant::now();
        while !socket.exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{program} does not start");
            sleep(Duration::from_millis(10));
        }
        Store { child, socket, password: None }
    }

    /// Redis on a socket of its own, with this mode, in the world's folder `run`; nothing is written to a disk.
    pub fn redis(world: &World, mode: &str) -> Store {
        let socket = world.place().join("run/redis.sock");
        let text = socket.display().to_string();
        let arguments = [
            "--port",
            "0",
            "--unixsocket",
            &text,
            "--unixsocketperm",
            mode,
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            "/tmp",
        ];
        Store::start(world, "redis-server", &arguments, socket.clone())
    }

    pub fn memcached(world: &World, more: &[&str]) -> Store {
        let socket = world.place().join("run/memcached.sock");
        let text = socket.display().to_string();
        let arguments = [&["-u", "root", "-s", &text, "-a", "0777"], more].concat();
        Store::start(world, "memcached", &arguments, socket.clone())
    }

    /// What PHP says of `$m`, a client of Memcached.
    pub fn php(&self, script: &str) -> String {
        let connect = format!("$m = new Memcached; $m->addServer('{}', 0); {script}", self.socket());
        let output = Command::new("php").args(["-r", &connect]).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Whether Memcached has a key.
    pub fn has(&self, key: &str) -> bool {
        self.php(&format!("echo json_encode($m->get('{key}') !== false);")) == "true"
    }

    pub fn socket(&self) -> String {
        self.socket.display().to_string()
    }

    /// What redis-cli says, for a database.
    pub fn ask(&self, database: u32, words: &[&str]) -> String {
        let mut client = Command::new("redis-cli");
        client.envs(self.password.iter().map(|password| ("REDISCLI_AUTH", password)));
        let output = client.args(["-s", &self.socket(), "-n", &database.to_string()]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The keys that match, in order.
    pub fn keys(&self, database: u32, pattern: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.ask(database, &["KEYS", pattern]).lines().map(str::to_owned).collect();
        keys.retain(|key| !key.is_empty());
        keys.sort();
        keys
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
