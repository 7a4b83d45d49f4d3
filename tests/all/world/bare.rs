//! A world of files only: no database, an nginx and a PHP-FPM that merely run, no page that is asked for. It stands in a
//! moment, so that a trial can be had thousands of times.

use super::fault::text;
use super::oracle::Side;
use super::{DOMAIN, World};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Folder { mode: u32 },
    Link { target: Vec<u8> },
    File { mode: u32, content: Vec<u8>, twins: Vec<Vec<u8>> },
}

/// A tree, path by path; the root is the empty one.
pub type Tree = BTreeMap<Vec<u8>, Node>;

/// What stands below a folder; nothing when it is not there. `twins` are the other names of a file.
pub fn look(root: &Path) -> Tree {
    fn below(root: &Path, path: &[u8], tree: &mut Tree, names: &mut BTreeMap<u64, Vec<Vec<u8>>>) {
        let place = root.join(OsStr::from_bytes(path));
        let Ok(meta) = place.symlink_metadata() else { return };
        let mode = meta.mode() & 0o7777;
        let node = if meta.is_symlink() {
            Node::Link { target: std::fs::read_link(&place).unwrap().as_os_str().as_bytes().to_vec() }
        } else if meta.is_dir() {
            for entry in std::fs::read_dir(&place).unwrap() {
                let name = entry.unwrap().file_name();
                let inner =
                    if path.is_empty() { name.as_bytes().to_vec() } else { [path, b"/", name.as_bytes()].concat() };
                below(root, &inner, tree, names);
            }
            Node::Folder { mode }
        } else {
            if meta.nlink() > 1 {
                names.entry(meta.ino()).or_default().push(path.to_vec());
            }
            Node::File { mode, content: std::fs::read(&place).unwrap(), twins: Vec::new() }
        };
        tree.insert(path.to_vec(), node);
    }
    let (mut tree, mut names) = (Tree::new(), BTreeMap::new());
    below(root, b"", &mut tree, &mut names);
    // A name of the same file in a kept tree is no twin in this one.
    for group in names.into_values().filter(|group| group.len() > 1) {
        for path in &group {
            if let Some(Node::File { twins, .. }) = tree.get_mut(path) {
                *twins = group.iter().filter(|other| *other != path).cloned().collect();
                twins.sort();
            }
        }
    }
    tree
}

/// Where two trees differ, for people.
pub fn differences(one: &Tree, two: &Tree) -> String {
    let paths: std::collections::BTreeSet<_> = one.keys().chain(two.keys()).collect();
    let show = |node: Option<&Node>| match node {
        None => "nothing".to_owned(),
        Some(Node::File { mode, content, twins }) => {
            let twins: Vec<_> = twins.iter().map(|twin| String::from_utf8_lossy(twin).into_owned()).collect();
            let begin = String::from_utf8_lossy(&content[..content.len().min(12)]);
            format!("file {mode:o} {} bytes {begin:?} twins {twins:?}", content.len())
        }
        Some(Node::Folder { mode }) => format!("folder {mode:o}"),
        Some(Node::Link { target }) => format!("link to {:?}", String::from_utf8_lossy(target)),
    };
    let differing = paths.into_iter().filter(|path| one.get(*path) != two.get(*path)).take(20);
    let lines = differing.map(|path| {
        format!("{:?}: {} | {}\n", String::from_utf8_lossy(path), show(one.get(path)), show(two.get(path)))
    });
    lines.collect()
}

impl World {
    pub fn bare() -> World {
        let folder = tempfile::Builder::new().prefix("rv-bare.").tempdir_in("/tmp").unwrap();
        let world = World { mounts: Vec::new(), place: folder.path().join("w"), _folder: Some(folder) };
        let place = world.place();
        let backups = format!("base/backups/{DOMAIN}");
        for part in
            ["run", "log", "tmp", "web", "pool", "sites", "ssl", "cron", "base/config", &backups, "base/snapshots"]
        {
            std::fs::create_dir_all(place.join(part)).unwrap();
        }
        for part in ["base/restore_logs", "base/restore_jobs"] {
            std::fs::create_dir_all(place.join(part)).unwrap();
        }
        let here = text(&place).to_owned();
        let write = |name: &str, content: String| std::fs::write(place.join(name), content).unwrap();
        write(
            "nginx.conf",
            format!("pid {here}/run/nginx.pid;\nerror_log {here}/log/nginx.log;\nworker_processes 1;\nevents {{}}\n"),
        );
        write(
            "fpm.conf",
            format!(
                "[global]\npid = {here}/run/php-fpm.pid\nerror_log = {here}/log/fpm.log\ninclude = {here}/pool/*.conf\n"
            ),
        );
        write(
            &format!("pool/{DOMAIN}.conf"),
            format!(
                "[shop]\nuser = root\ngroup = root\nlisten = {here}/run/php.sock\npm = static\npm.max_children = 1\nping.path = /fpm-ping\n"
            ),
        );
        write(
            "restore.toml",
            format!(
                r#"[paths]
base = "{here}/base"
web_root = "{here}/web"
nginx_available = "{here}/sites"
nginx_enabled = "{here}/sites"
php_pool_dir = "{here}/pool"
ssl = "{here}/ssl"
cron = "{here}/cron"

[files]
owner = "0:0"
permissions = "preserve"

[limits]

[mysql]
socket = "{here}/run/none.sock"

[services]
manager = "pidfile"
nginx = {{ conf = "{here}/nginx.conf", pidfile = "{here}/run/nginx.pid" }}
php_fpm = {{ conf = "{here}/fpm.conf", pidfile = "{here}/run/php-fpm.pid" }}

[http]
url = ""
"#
            ),
        );
        let fpm = std::fs::read_dir("/usr/sbin").unwrap().flatten().map(|entry| entry.path());
        let fpm = fpm.filter(|path| text(path).contains("php-fpm")).max().expect("php-fpm");
        let start = |program: &Path, words: &[&str]| {
            let log = std::fs::File::create(place.join("log/start.log")).unwrap();
            let mut command = Command::new(program);
            command.args(words).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            assert!(command.status().unwrap().success(), "{program:?}; see {here}/log");
        };
        start(&fpm, &["--allow-to-run-as-root", "--daemonize", "--fpm-config", &format!("{here}/fpm.conf")]);
        start(Path::new("/usr/sbin/nginx"), &["-p", &here, "-c", &format!("{here}/nginx.conf")]);
        let begun = Instant::now();
        while !place.join("run/nginx.pid").exists() || !place.join("run/php-fpm.pid").exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "see {here}/log");
            sleep(Duration::from_millis(5));
        }
        world
    }

    /// Where backups of a bare world lie.
    pub fn archive(&self) -> PathBuf {
        self.place().join("base/backups").join(DOMAIN).join("backup_20251004_030000.tar.gz")
    }

    /// Packs a folder as the site's backup.
    pub fn pack(&self, folder: &Path) {
        let archive = self.archive();
        let words = ["-czf", text(&archive), "--transform=flags=rhS;s,^\\.,./www,", "-C", text(folder), "."];
        super::fault::run("tar", &words);
    }

    /// Staged trees nobody refers to any more.
    pub fn stray_trees(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.place().join("web/.rocketvps-restore")) else { return Vec::new() };
        // A kept tree is named by the manifest of its snapshot; anything else was forgotten.
        let mut search = Command::new("grep");
        search.args(["-rhoE", "[0-9]{8}_[0-9]{6}_[0-9a-f]{12}/tree"]).arg(self.place().join("base/snapshots"));
        let kept = String::from_utf8(search.output().unwrap().stdout).unwrap();
        let stray = |path: &PathBuf| !kept.contains(&format!("{}/tree", path.file_name().unwrap().to_string_lossy()));
        entries.flatten().map(|entry| entry.path()).filter(stray).collect()
    }

    /// As [`World::oracle`], of files alone.
    #[track_caller]
    pub fn oracle_of_files(&self, old: &Tree, new: &Tree, when: &str) -> Side {
        self.call("recover", json!({"wait": true}));
        let again = self.call("recover", json!({"wait": true}));
        assert_eq!(again["recovered"], json!([]), "{when}: a second recovery had something to do");
        // A job that could not remove what it had made says who will.
        let jobs = self.place().join("base/restore_jobs");
        let promised =
            Command::new("grep").args(["-rqF", "the next cleanup removes it"]).arg(jobs).status().unwrap().success();
        if promised && !self.stray_trees().is_empty() {
            self.call("cleanup", json!({"wait": true}));
        }
        assert_eq!(self.stray_trees(), Vec::<PathBuf>::new(), "{when}: left lying about");
        let now = look(&self.root());
        match (now == *old, now == *new) {
            (true, _) => Side::Old,
            (_, true) => Side::New,
            _ => panic!(
                "{when}: neither side\nold | now:\n{}\nnew | now:\n{}",
                differences(old, &now),
                differences(new, &now)
            ),
        }
    }
}
