//! Faults from outside: the worker started under another program (strace, prlimit, faketime), parts of a world on filesystems
//! that fill up or fail. Nothing in the product knows of them.

use super::{DOMAIN, World, is_alive, worker};
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A filesystem mounted for a test, unmounted with it.
pub struct Mount {
    pub place: PathBuf,
    image: Option<PathBuf>,
}

/// What to mount.
#[derive(Debug, Clone, Copy)]
pub enum Filesystem {
    /// In memory, of so many MiB.
    Tmpfs(u64),
    /// ext4 in a file of so many MiB.
    Ext4(u64),
    /// ext4 with so many inodes in 256 MiB.
    Inodes(u64),
    /// btrfs in a file of so many MiB, with quota switched on.
    Btrfs(u64),
    /// XFS in a file of so many MiB, 300 at least.
    Xfs(u64),
    /// An overlay of what is there: a container's layer below, one that is written to above.
    Overlay,
}

impl Filesystem {
    /// Whether this machine has what it takes; what is missing is said.
    pub fn is_here(self) -> bool {
        let (program, name) = match self {
            Filesystem::Tmpfs(_) | Filesystem::Ext4(_) | Filesystem::Inodes(_) => return true,
            Filesystem::Btrfs(_) => ("mkfs.btrfs", "btrfs"),
            Filesystem::Xfs(_) => ("mkfs.xfs", "xfs"),
            Filesystem::Overlay => ("mount", "overlay"),
        };
        let known =
            || std::fs::read_to_string("/proc/filesystems").unwrap().split_whitespace().any(|word| word == name);
        let _ = Command::new("modprobe").args(["-q", name]).status();
        let here = has(program) && known();
        if !here {
            eprintln!("not tested: this machine has no {name}");
        }
        here
    }
}

impl Mount {
    pub fn at(place: &Path, what: Filesystem) -> Mount {
        std::fs::create_dir_all(place).unwrap();
        let image = place.with_extension("image");
        let make = |size: u64, program: &str, options: &[&str]| {
            std::fs::File::create(&image).unwrap().set_len(size << 20).unwrap();
            run(program, &[options, &[text(&image)]].concat());
            run("mount", &["-o", "loop", text(&image), text(place)]);
            Some(image.clone())
        };
        let image = match what {
            Filesystem::Tmpfs(size) => {
                run("mount", &["-t", "tmpfs", "-o", &format!("size={size}m,mode=755"), "tmpfs", text(place)]);
                None
            }
            Filesystem::Ext4(size) => make(size, "mkfs.ext4", &["-q", "-m", "0", "-e", "remount-ro"]),
            Filesystem::Inodes(count) => make(256, "mkfs.ext4", &["-q", "-m", "0", "-N", &count.to_string()]),
            Filesystem::Xfs(size) => make(size, "mkfs.xfs", &["-q"]),
            // What is written goes into memory: an overlay cannot be written over another one.
            Filesystem::Overlay => {
                let layers = place.with_extension("layers");
                std::fs::create_dir_all(&layers).unwrap();
                run("mount", &["-t", "tmpfs", "-o", "size=256m,mode=755", "tmpfs", text(&layers)]);
                let layer = |name: &str| {
                    let path = layers.join(name);
                    std::fs::create_dir_all(&path).unwrap();
                    text(&path).to_owned()
                };
                let (lower, upper, work) = (layer("lower"), layer("upper"), layer("work"));
                run("cp", &["-a", &format!("{}/.", text(&place.with_extension("aside"))), &lower]);
                let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
                run("mount", &["-t", "overlay", "-o", &options, "overlay", text(place)]);
                Some(layers)
            }
            Filesystem::Btrfs(size) => {
                let made = make(size, "mkfs.btrfs", &["-q"]);
                run("btrfs", &["quota", "enable", text(place)]);
                made
            }
        };
        if !matches!(what, Filesystem::Tmpfs(_) | Filesystem::Overlay) {
            let _ = std::fs::remove_dir(place.join("lost+found"));
        }
        Mount { place: place.to_owned(), image }
    }

    /// The block device under it.
    pub fn device(&self) -> String {
        run("findmnt", &["-no", "SOURCE", text(&self.place)]).trim().to_owned()
    }

    /// Takes all the room but so many bytes, as another program of the machine would.
    pub fn fill(&self, but: u64) {
        let room = rustix::fs::statvfs(&self.place).unwrap();
        let take = (room.f_bavail * room.f_frsize).saturating_sub(but);
        let ballast = std::fs::File::create(self.place.join(".ballast")).unwrap();
        // What is said to be free is not always to be had: the rest goes in smaller pieces.
        let (mut at, mut piece) = (0, take);
        while piece >= 4096 && at < take {
            let length = piece.min(take - at);
            match rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), at, length) {
                Ok(()) => at += length,
                Err(_) => piece /= 2,
            }
        }
    }

    /// Takes all the inodes but so many.
    pub fn fill_inodes(&self, but: u64) {
        let folder = self.place.join(".ballast");
        std::fs::create_dir(&folder).unwrap();
        let room = rustix::fs::statvfs(&self.place).unwrap();
        for number in but..room.f_favail {
            if std::fs::File::create(folder.join(number.to_string())).is_err() {
                break;
            }
        }
    }

    /// Gives the room back.
    pub fn empty(&self) {
        let ballast = self.place.join(".ballast");
        let _ = std::fs::remove_file(&ballast).or_else(|_| std::fs::remove_dir_all(&ballast));
    }

    /// Unmounted, checked and mounted again, as after a fault of the disk.
    pub fn mend(&self) {
        let image = self.image.as_ref().expect("a filesystem in a file");
        run("umount", &[text(&self.place)]);
        let _ = Command::new("e2fsck").args(["-fy", text(image)]).output().unwrap();
        run("mount", &["-o", "loop", text(image), text(&self.place)]);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.place).status().is_ok_and(|status| status.success());
        if !unmounted {
            let _ = Command::new("umount").arg("--lazy").arg(&self.place).status();
        }
        match &self.image {
            // The layers of an overlay.
            Some(image) if image.is_dir() => {
                let _ = Command::new("umount").arg("--lazy").arg(image).status();
                let _ = std::fs::remove_dir(image);
            }
            Some(image) => {
                let _ = std::fs::remove_file(image);
            }
            None => {}
        }
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a program that has to succeed; gives what it printed.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn has(program: &str) -> bool {
    let there =
        ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists());
    if !there {
        eprintln!("not tested: {program} is not installed");
    }
    there
}

/// The words that start a program under strace with a fault in it: `inject` as strace's, such as `write:error=EIO:when=3`.
/// `$job` is the job's folder.
pub fn strace(injects: &[&str]) -> String {
    let mut words = "strace -D -f -qq -o \"$log\"".to_owned();
    // Quicker, but signals get lost with it (strace 6.1).
    if !injects.iter().any(|inject| inject.contains("signal=")) {
        words.push_str(" --seccomp-bpf");
    }
    let calls: Vec<&str> = injects.iter().map(|inject| inject.split(':').next().unwrap()).collect();
    words.push_str(&format!(" -e trace={}", calls.join(",")));
    for inject in injects {
        words.push_str(&format!(" -e inject={inject}"));
    }
    words
}

impl World {
    /// From now on workers are started by these words, put before the helper's own; see [`strace`].
    pub fn worker_under(&self, words: &str) {
        let script = self.place().join("tmp/worker");
        let helper = env!("CARGO_BIN_EXE_rocketvps-restore");
        let log = self.strace_log();
        let body =
            format!("#!/bin/bash\njob=${{*: -1}} log={}\nexport job log\nexec {words} {helper} \"$@\"\n", text(&log));
        let _ = std::fs::remove_file(&log);
        // Written beside it and moved: a script that is being run is not written to.
        let fresh = script.with_extension("new");
        std::fs::write(&fresh, body).unwrap();
        run("chmod", &["0755", text(&fresh)]);
        std::fs::rename(&fresh, &script).unwrap();
        self.worker_plain();
        self.set("paths", &format!("helper = {:?}", text(&script)));
    }

    /// Workers are started as ever again.
    pub fn worker_plain(&self) {
        let path = self.place().join("restore.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let kept: Vec<&str> = config.lines().filter(|line| !line.starts_with("helper = ")).collect();
        std::fs::write(&path, kept.join("\n") + "\n").unwrap();
    }

    /// Where [`strace`] writes what it saw.
    pub fn strace_log(&self) -> PathBuf {
        self.place().join("tmp/strace.log")
    }

    pub fn seen(&self) -> String {
        std::fs::read_to_string(self.strace_log()).unwrap_or_default()
    }

    /// How often a fault came: strace marks what it changed.
    pub fn injected(&self) -> usize {
        self.seen().lines().filter(|line| line.contains("(INJECTED)")).count()
    }

    /// Puts a line into a section of restore.toml.
    pub fn set(&self, section: &str, line: &str) {
        let path = self.place().join("restore.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let head = format!("[{section}]\n");
        let config = match config.contains(&head) {
            true => config.replacen(&head, &format!("{head}{line}\n"), 1),
            false => format!("{config}\n{head}{line}\n"),
        };
        std::fs::write(&path, config).unwrap();
    }

    /// Moves a part of the world to a filesystem of its own; services that have it open are stopped meanwhile.
    pub fn put_on(&mut self, part: &str, what: Filesystem) -> usize {
        let place = self.place().join(part);
        let in_use = part == "db";
        if in_use {
            self.harness("stop", &[]);
        }
        let aside = place.with_extension("aside");
        std::fs::rename(&place, &aside).unwrap();
        self.mounts.push(Mount::at(&place, what));
        run("cp", &["-a", &format!("{}/.", text(&aside)), text(&place)]);
        std::fs::remove_dir_all(&aside).unwrap();
        if in_use {
            self.harness("start", &[]);
        }
        self.mounts.len() - 1
    }

    pub fn mount(&self, number: usize) -> &Mount {
        &self.mounts[number]
    }

    /// Waits until nobody has the domain's lock: a tracer ends a moment after the worker it traces, and holds the same files.
    pub fn settle(&self) {
        let lock = self.place().join("base/restore_jobs/.locks").join(DOMAIN);
        let begun = Instant::now();
        while let Ok(file) = std::fs::File::open(&lock) {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return,
                Err(_) => sleep(Duration::from_millis(5)),
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the lock of {DOMAIN} is never let go of");
        }
    }

    /// Waits until the worker of a job ended, whether it could say so or not; gives what is known of the job.
    pub fn await_worker(&self, job: &str) -> Value {
        let begun = Instant::now();
        while worker(job).is_some_and(is_alive) {
            assert!(begun.elapsed() < Duration::from_secs(100), "the worker of {job} does not end");
            sleep(Duration::from_millis(5));
        }
        self.settle();
        let folder = self.place().join("base/restore_jobs").join(job);
        let read =
            |name: &str| std::fs::read(folder.join(name)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        // A report that could not be written leaves the state.
        read("report.json").or_else(|| read("status.json")).unwrap_or(Value::Null)
    }

    /// Waits until strace has stopped the worker (`signal=SIGSTOP`); false when the job ended before.
    pub fn await_stop(&self, job: &str) -> bool {
        let begun = Instant::now();
        loop {
            if self.seen().contains("--- stopped by SIGSTOP ---") {
                return true;
            }
            if !worker(job).is_some_and(is_alive) {
                return false;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "the worker of {job} is never stopped");
            sleep(Duration::from_millis(2));
        }
    }

    /// Lets a stopped worker go on.
    pub fn go_on(job: &str) {
        run("kill", &["-CONT", &worker(job).expect("a worker").to_string()]);
    }
}

/// A reader of bytes that are made one by one.
pub struct Bytes<I>(pub I);

impl<I: Iterator<Item = u8>> std::io::Read for Bytes<I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut made = 0;
        for (place, byte) in buffer.iter_mut().zip(&mut self.0) {
            *place = byte;
            made += 1;
        }
        Ok(made)
    }
}
