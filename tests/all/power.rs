//! A5, A6, A15: the power fails. The disk holds what had been synced by then and nothing else; locks and pids of before mean nothing.

use crate::world::crash::Call;
use crate::world::oracle::Side;
use crate::world::stage::{Outcome, Stage, kinds};
use crate::world::trial::points;
use crate::world::{DOMAIN, Digest, World};
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A disk of its own: an ext4 image on a loop device, mounted where the world lies.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn make() -> Disk {
        let disk = Disk { folder: tempfile::Builder::new().prefix("rv-pow.").tempdir_in("/tmp").unwrap() };
        std::fs::create_dir(disk.mount_point()).unwrap();
        run("truncate", &["-s", "900M", disk.image("run").to_str().unwrap()]);
        run("mkfs.ext4", &["-q", "-F", disk.image("run").to_str().unwrap()]);
        disk.mount("run");
        disk
    }

    fn image(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.img"))
    }

    fn mount_point(&self) -> PathBuf {
        self.folder.path().join("m")
    }

    /// Nothing is written back but what is synced: the kernel's own rhythm is put off.
    fn mount(&self, name: &str) {
        run(
            "mount",
            &["-o", "loop,commit=300", self.image(name).to_str().unwrap(), self.mount_point().to_str().unwrap()],
        );
    }

    /// What is on it is in its image afterwards.
    fn unmount(&self) {
        // What was killed takes a moment to let go of its files.
        self.until("is mounted", || Command::new("umount").arg(self.mount_point()).output().unwrap().status.success());
        // A mount namespace that was made meanwhile, of another test's rehearsal, has the filesystem too until it ends.
        self.until("is in use", || {
            let devices = Command::new("losetup").arg("--associated").arg(self.image("run")).output().unwrap();
            devices.stdout.is_empty()
        });
    }

    fn until(&self, what: &str, done: impl Fn() -> bool) {
        for _ in 0..1200 {
            if done() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("{} {what} after a minute", self.image("run").display());
    }

    /// Everything that runs on it ends at once; what had been synced is there afterwards, and nothing else.
    fn cut_power(&self, world: &World) {
        let device = std::fs::metadata(self.mount_point()).unwrap().dev();
        world.harness("stop", &["KILL"]);
        self.copy("run", "cut");
        self.unmount();
        std::fs::rename(self.image("cut"), self.image("run")).unwrap();
        self.mount_as_another_device(device);
        world.harness("start", &[]);
    }

    /// A disk may have another number after a reboot; here it always has.
    fn mount_as_another_device(&self, device: u64) {
        let spare = self.image("spare");
        std::fs::write(&spare, vec![0; 1 << 20]).unwrap();
        let mut taken = Vec::new();
        loop {
            self.mount("run");
            if std::fs::metadata(self.mount_point()).unwrap().dev() != device {
                break;
            }
            self.unmount();
            let output = Command::new("losetup").args(["--find", "--show"]).arg(&spare).output().unwrap();
            taken.push(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        }
        for device in taken {
            run("losetup", &["--detach", &device]);
        }
    }

    fn copy(&self, from: &str, to: &str) {
        run("cp", &["--sparse=always", self.image(from).to_str().unwrap(), self.image(to).to_str().unwrap()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", self.mount_point().to_str().unwrap()]).status();
    }
}

/// A site that has got another certificate since it was backed up, saved under this name, and tells so at `/side`. Gives its digest
/// and what the worker of its restore does.
fn renewed(world: &World) -> (Digest, Vec<Call>) {
    world.harness("backup", &[]);
    let ssl = world.place().join("ssl").join(DOMAIN);
    let (key, certificate) = (ssl.join("privkey.pem"), ssl.join("fullchain.pem"));
    let made = ["-days", "9", "-subj", "/CN=renewed", "-keyout", key.to_str().unwrap(), "-out"];
    let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    run("openssl", &[&kind[..], &made, &[certificate.to_str().unwrap()]].concat());
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let text = std::fs::read_to_string(&site).unwrap();
    std::fs::write(&site, text.replacen('{', "{ location = /side { return 200 renewed; }", 1)).unwrap();
    world.harness("save", &["renewed"]);
    world.harness("reset", &["renewed"]);
    let old = world.digest();
    let (_, trace) = world.watch("restore_start", &json!({"domain": DOMAIN}));
    world.harness("reset", &["renewed"]);
    (old, trace.calls)
}

/// Starts everything as a boot does: whether nginx comes up depends on what lies on the disk.
fn boot(world: &World) -> bool {
    world.harness("stop", &["KILL"]);
    world.harness("start", &["database"]);
    world.harness("start", &["php_fpm"]);
    let folder = world.place().join("nginx");
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf")).status().unwrap().success()
}

/// The power fails between two configuration files, so that nginx starts with files of both sides, or not at all. Once recovered it
/// runs, and with the old ones.
#[test]
fn a15_nginx_runs_with_the_old_files_after_a_boot_between_two_of_them() {
    let world = World::up();
    let (old, calls) = renewed(&world);
    let renames = |path: &str| calls.iter().find(|call| call.name == "rename" && call.text.ends_with(path)).unwrap();
    let site = format!("sites-available/{DOMAIN}");
    let side = || world.harness("fetch", &["side"]);
    // In the middle between one file and the next: a call more or less is none.
    let between = |one: &str, next: usize| usize::midpoint(renames(one).number, next);
    let reload = calls.iter().find(|call| call.text.contains("\"step\":\"reload\"")).unwrap().number;
    for (call, starts) in [
        (between("fullchain.pem", renames("privkey.pem").number), false),
        (between("privkey.pem", renames(&site).number), true),
        (between(&site, reload), true),
    ] {
        assert!(world.kill_before(call, "restore_start", &json!({"domain": DOMAIN})).1, "call {call} was not reached");
        assert_eq!(boot(&world), starts, "nginx starts before call {call}");
        let new =
            calls.iter().any(|known| known.number < call && known.text.ends_with(&site) && known.name == "rename");
        assert_eq!(starts && side() != "renewed", new, "the site's file before call {call}");
        world.call("recover", json!({"wait": true}));
        assert_eq!(side(), "renewed", "nginx was not told of the old files after call {call}");
        world.digest().assert_is(&old, &format!("killed before call {call}"));
    }
}

/// Kills the worker before each call, and at the same moment the power of everything fails.
fn power_cuts(kind: usize, few: usize, case: &str, calls: impl Fn(&Stage) -> Vec<Call>) {
    let (name, request) = kinds()[kind].clone();
    let disk = Disk::make();
    let stage = Stage::of(World::up_in(&disk.mount_point()), request);
    let all = calls(&stage);
    stage.world.harness("stop", &[]);
    disk.unmount();
    disk.copy("run", "before");
    let mut outcome = Outcome::default();
    for call in points(&all, few) {
        disk.copy("before", "run");
        disk.mount("run");
        stage.world.harness("start", &[]);
        let (_, reached) = stage.kill_before(call.number);
        // Nobody writes any more; what had been synced is in the image, what had not is only in memory.
        disk.cut_power(&stage.world);
        // That nobody is to be struck any more had not been synced either.
        stage.world.use_helper(None);
        let when = format!("the power failed before call {} ({} {})", call.number, call.name, call.text);
        outcome.count(stage.world.oracle(&stage.old, &stage.new, &when), reached);
        stage.world.harness("stop", &["KILL"]);
        disk.unmount();
    }
    disk.mount("run");
    outcome.report(case, name, all.len());
}

#[test]
fn a05_a15_the_power_fails_at_each_record_of_the_journal_full() {
    power_cuts(0, 3, "a05", |stage| stage.trace.records());
}

#[test]
fn a05_the_power_fails_at_each_record_of_the_journal_parts() {
    power_cuts(1, 2, "a05", |stage| stage.trace.records());
}

/// The exchange is done and on disk, the job is not yet at its end.
#[test]
fn a05_the_power_fails_after_the_exchange() {
    let after = |stage: &Stage| {
        let exchange = stage.trace.calls.iter().rposition(|call| call.name == "renameat2").unwrap();
        let number = stage.trace.calls[exchange].number;
        stage.trace.records().into_iter().filter(|record| record.number > number).collect::<Vec<_>>()
    };
    power_cuts(0, 2, "a05_after", after);
    power_cuts(1, 2, "a05_after", after);
}

/// The exchange is done in memory; neither folder is synced yet, or one of them.
#[test]
fn a06_the_power_fails_between_the_exchange_and_the_sync_of_its_folders() {
    power_cuts(0, 2, "a06", |stage| {
        let exchange = stage.trace.calls.iter().position(|call| call.name == "renameat2").unwrap();
        stage.trace.calls[exchange + 1..exchange + 4].to_vec()
    });
}

/// The whole change-over synced, and the power fails right after it was said: it stays.
#[test]
fn a05_what_was_said_to_be_done_is_done() {
    let disk = Disk::make();
    let stage = Stage::of(World::up_in(&disk.mount_point()), kinds()[0].1.clone());
    stage.world.restore();
    disk.cut_power(&stage.world);
    assert_eq!(stage.world.oracle(&stage.old, &stage.new, "after the end"), Side::New);
}
