//! Servers of objects of a test's own: Redis and Memcached, ended by their process.

use super::World;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub struct Store {
    child: Child,
    socket: PathBuf,
}

impl Store {
    fn start(program: &str, arguments: &[&str], socket: PathBuf) -> Store {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("install the Debian package of {program}: {error}"));
        let begun = Instant::now();
        while !socket.exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{program} does not start");
            sleep(Duration::from_millis(10));
        }
        Store { child, socket }
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
        Store::start("redis-server", &arguments, socket.clone())
    }

    pub fn memcached(world: &World) -> Store {
        let socket = world.place().join("run/memcached.sock");
        let text = socket.display().to_string();
        Store::start("memcached", &["-u", "root", "-s", &text, "-a", "0777"], socket.clone())
    }

    pub fn socket(&self) -> String {
        self.socket.display().to_string()
    }

    /// What redis-cli says, for a database.
    pub fn ask(&self, database: u32, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-s", &self.socket(), "-n", &database.to_string()])
            .args(words)
            .output()
            .unwrap();
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
