//! Any site, any backup, any selection, any fault: afterwards the site is exactly what it was or exactly what a model says it
//! becomes, and from there it goes back. Files alone; the faults come from outside (strace). Needs root and
//! `scripts/install-deps.sh`.

use crate::world::bare::{Node, Tree, look};
use crate::world::fault::{run, strace, text};
use crate::world::oracle::Side;
use crate::world::trial::{Dice, is_long, report, seed};
use crate::world::{self, DOMAIN, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const NAMES: [&str; 8] = ["a", "b", "index.php", "x.txt", "y.txt", "đường dẫn.txt", "sp ace", "wp-content"];

/// A small site: files of some sizes, folders, links of both kinds, few names so that two of them meet.
fn random_tree(dice: &mut Dice) -> Tree {
    let mut tree = Tree::from([(Vec::new(), Node::Folder { mode: 0o755 })]);
    for _ in 0..dice.below(22) {
        let folders: Vec<Vec<u8>> =
            tree.iter().filter(|(_, node)| matches!(node, Node::Folder { .. })).map(|(path, _)| path.clone()).collect();
        let around = &folders[dice.below(folders.len() as u64) as usize];
        let name = NAMES[dice.below(NAMES.len() as u64) as usize].as_bytes();
        let path = if around.is_empty() { name.to_vec() } else { [around, &b"/"[..], name].concat() };
        if tree.contains_key(&path) || path.iter().filter(|byte| **byte == b'/').count() > 3 {
            continue;
        }
        let files: Vec<Vec<u8>> =
            tree.iter().filter(|(_, node)| matches!(node, Node::File { .. })).map(|(path, _)| path.clone()).collect();
        let node = match dice.below(10) {
            0..=2 => Node::Folder { mode: [0o755, 0o750, 0o700][dice.below(3) as usize] },
            3 => Node::Link { target: NAMES[dice.below(NAMES.len() as u64) as usize].into() },
            4 if !files.is_empty() => {
                let first = files[dice.below(files.len() as u64) as usize].clone();
                twin(&mut tree, &first, &path)
            }
            _ => {
                let size = [0, 1, 13, 5000, 300_000][dice.below(5) as usize];
                let content = std::iter::repeat_with(|| dice.below(256) as u8).take(size.min(64)).collect::<Vec<_>>();
                let content = content.into_iter().cycle().take(size).collect();
                Node::File { mode: [0o644, 0o600, 0o640, 0o755][dice.below(4) as usize], content, twins: Vec::new() }
            }
        };
        tree.insert(path, node);
    }
    tree
}

/// A further name of a file.
fn twin(tree: &mut Tree, first: &[u8], path: &[u8]) -> Node {
    let Some(Node::File { mode, content, twins }) = tree.get(first).cloned() else { unreachable!() };
    let mut group = [twins, vec![first.to_vec(), path.to_vec()]].concat();
    group.sort();
    for name in &group {
        if let Some(Node::File { twins, .. }) = tree.get_mut(name) {
            *twins = group.iter().filter(|other| *other != name).cloned().collect();
        }
    }
    Node::File { mode, content, twins: group.into_iter().filter(|other| other != path).collect() }
}

/// Makes a tree on the disk.
fn make(root: &Path, tree: &Tree) {
    let place = |path: &[u8]| root.join(OsStr::from_bytes(path));
    let chmod = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    for (path, node) in tree {
        match node {
            Node::Folder { mode } => {
                std::fs::create_dir(place(path)).unwrap();
                chmod(&place(path), *mode);
            }
            Node::Link { target } => std::os::unix::fs::symlink(OsStr::from_bytes(target), place(path)).unwrap(),
            Node::File { mode, content, twins } => match twins.iter().find(|twin| *twin < path) {
                Some(first) => std::fs::hard_link(place(first), place(path)).unwrap(),
                None => {
                    std::fs::write(place(path), content).unwrap();
                    chmod(&place(path), *mode);
                }
            },
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
enum Pick {
    Whole,
    /// A file, link or folder of the backup, by its name.
    Path(String),
    Glob(&'static str),
}

fn random_pick(dice: &mut Dice, new: &Tree) -> Pick {
    let below: Vec<&Vec<u8>> = new.keys().filter(|path| !path.is_empty()).collect();
    match dice.below(4) {
        0 => Pick::Glob(["*.txt", "**/*.txt", "a/*", "*/index.php", "wp-*", "**/b"][dice.below(6) as usize]),
        1 | 2 if !below.is_empty() => {
            Pick::Path(String::from_utf8(below[dice.below(below.len() as u64) as usize].clone()).unwrap())
        }
        _ => Pick::Whole,
    }
}

/// The folders above a path, highest first.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}

fn is_at_or_below(path: &[u8], folder: &[u8]) -> bool {
    path == folder || above(path).any(|around| around == folder)
}

/// Whether a pattern of these few forms names a path itself.
fn names(pattern: &str, path: &[u8]) -> bool {
    let path = std::str::from_utf8(path).unwrap();
    let (around, name) = path.rsplit_once('/').unwrap_or(("", path));
    match pattern {
        "*.txt" => around.is_empty() && name.ends_with(".txt"),
        "**/*.txt" => name.ends_with(".txt"),
        "a/*" => around == "a",
        "*/index.php" => name == "index.php" && !around.is_empty() && !around.contains('/'),
        "wp-*" => around.is_empty() && name.starts_with("wp-"),
        "**/b" => name == "b",
        literal => path == literal,
    }
}

/// What the site becomes; `None` where the restore has to be refused.
fn model(old: &Tree, new: &Tree, pick: &Pick, exact: bool) -> Option<Tree> {
    let pattern = match pick {
        Pick::Whole => return Some(new.clone()),
        Pick::Path(path) => path.as_str(),
        Pick::Glob(glob) => glob,
    };
    let highest = |tree: &Tree| -> BTreeSet<Vec<u8>> {
        let named: BTreeSet<Vec<u8>> = tree.keys().filter(|path| names(pattern, path)).cloned().collect();
        named.iter().filter(|path| !above(path).any(|around| named.contains(around))).cloned().collect()
    };
    let units = highest(new);
    if units.is_empty() {
        return None;
    }
    // What is staged: the units with all below them, and plain folders around them.
    let mut staged = Tree::new();
    for (path, node) in new.iter().filter(|(path, _)| units.iter().any(|unit| is_at_or_below(path, unit))) {
        for around in above(path).filter(|around| !units.iter().any(|unit| is_at_or_below(around, unit))) {
            staged.insert(around.to_vec(), Node::Folder { mode: 0o755 });
        }
        staged.insert(path.clone(), node.clone());
    }
    // A unit without a folder around it comes with the highest that is missing; through a link nothing is exchanged.
    let mut coming = BTreeSet::new();
    for unit in &units {
        let mut fitted = unit.as_slice();
        for around in above(unit) {
            match old.get(around) {
                Some(Node::Folder { .. }) => {}
                Some(Node::Link { .. }) => return None,
                _ => {
                    fitted = around;
                    break;
                }
            }
        }
        coming.insert(fitted.to_vec());
    }
    let comes = |path: &[u8]| coming.iter().any(|unit| is_at_or_below(path, unit));
    let gone = highest(old);
    let goes = |path: &[u8]| comes(path) || (exact && gone.iter().any(|unit| is_at_or_below(path, unit)));
    let mut made: Tree =
        old.iter().filter(|(path, _)| !goes(path)).map(|(path, node)| (path.clone(), node.clone())).collect();
    part_twins(&mut made);
    let mut taken: Tree = staged.into_iter().filter(|(path, _)| comes(path)).collect();
    part_twins(&mut taken);
    made.append(&mut taken);
    Some(made)
}

/// Names that are not in the tree are no twins.
fn part_twins(tree: &mut Tree) {
    let there: BTreeSet<Vec<u8>> = tree.keys().cloned().collect();
    for node in tree.values_mut() {
        if let Node::File { twins, .. } = node {
            twins.retain(|twin| there.contains(twin));
        }
    }
}

/// What is put in the way of a job.
#[derive(Debug, Clone)]
enum Fault {
    Nothing,
    /// Under these words, such as strace's.
    Words(String),
    /// SIGTERM after so many milliseconds.
    Terminated(u64),
}

const CALLS: [&str; 13] = [
    "openat",
    "mkdirat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "syncfs",
    "renameat2",
    "rename",
    "unlinkat",
    "linkat",
    "symlinkat",
    "close",
];

fn random_fault(dice: &mut Dice) -> Fault {
    let call = CALLS[dice.below(CALLS.len() as u64) as usize];
    // The first calls are the more interesting ones of the rarer kinds.
    let most = [3, 12, 120][dice.below(3) as usize];
    let number = 1 + dice.below(most);
    match dice.below(6) {
        0 => Fault::Nothing,
        1 | 2 => Fault::Words(strace(&[&format!("{call}:signal=SIGKILL:when={number}")])),
        3 | 4 => {
            let error = ["EIO", "ENOSPC", "EDQUOT", "EMFILE"][dice.below(4) as usize];
            Fault::Words(strace(&[&format!("{call}:error={error}:when={number}")]))
        }
        _ => Fault::Terminated(dice.below(120)),
    }
}

/// One site with its backup.
struct Case<'a> {
    world: &'a World,
    old: Tree,
    new: Tree,
    when: String,
}

impl Case<'_> {
    /// A job under a fault, to its end; the job's name, where it was begun at all, and what it reported.
    fn job(&self, call: &str, request: Value, fault: &Fault) -> (Option<String>, Value) {
        if let Fault::Words(words) = fault {
            self.world.worker_under(words);
        }
        let started = self.world.document(call, &request);
        let job = started["data"]["job"].as_str().map(str::to_owned);
        let end = match &job {
            Some(job) => {
                if let Fault::Terminated(after) = fault {
                    std::thread::sleep(std::time::Duration::from_millis(*after));
                    if let Some(pid) = world::worker(job) {
                        let _ = std::process::Command::new("kill").arg(pid.to_string()).output();
                    }
                }
                self.world.await_worker(job)
            }
            None => json!({"state": "refused", "error": started["error"]}),
        };
        self.world.settle();
        self.world.worker_plain();
        (job, end)
    }

    fn side(&self, step: &str) -> Side {
        self.world.oracle_of_files(&self.old, &self.new, &format!("{}: {step}", self.when))
    }
}

fn trial(world: &World, number: u64, counts: &mut BTreeMap<&'static str, u64>) {
    let dice = &mut Dice(number);
    let (old, backup) = (random_tree(dice), random_tree(dice));
    let pick = random_pick(dice, &backup);
    let exact = dice.below(2) == 0;
    let faults = [random_fault(dice), random_fault(dice)];
    let when = format!("RV_SEED={number} {pick:?} exact={exact} {faults:?}");
    for place in [world.root(), world.place().join("web/.rocketvps-restore"), world.place().join("tmp/backup")] {
        let _ = std::fs::remove_dir_all(place);
    }
    for part in ["base/snapshots", "base/restore_jobs", "base/restore_logs", "base/restore_index"] {
        let place: PathBuf = world.place().join(part);
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir(&place).unwrap();
    }
    let folder = world.place().join("tmp/backup");
    make(&folder, &backup);
    make(&world.root(), &old);
    assert_eq!(look(&folder), backup, "{when}: the tree is not made as it was thought");
    world.pack(&folder);
    let becomes = model(&old, &backup, &pick, exact);
    let case = Case { world, new: becomes.clone().unwrap_or_else(|| old.clone()), old, when };
    let files = match &pick {
        Pick::Whole => json!(true),
        Pick::Path(path) => json!([path]),
        Pick::Glob(glob) => json!([glob]),
    };
    let request = json!({"domain": DOMAIN, "components": {"files": files}, "options": {"exact": exact}});
    let (job, end) = case.job("restore_start", request, &faults[0]);
    let side = case.side(&format!("restored, {end}"));
    let says = end["state"].as_str().unwrap_or("");
    if matches!(faults[0], Fault::Nothing) {
        assert_eq!(says == "done", becomes.is_some(), "{}: {end}", case.when);
    }
    // A job that says what came of it says the truth.
    if case.old != case.new && matches!(says, "done" | "failed" | "rolled_back") {
        assert_eq!(side == Side::New, says == "done", "{}: {end}", case.when);
    }
    *counts.entry(if side == Side::New { "new" } else { "old" }).or_default() += 1;
    *counts.entry("refused").or_default() += u64::from(becomes.is_none());
    if side == Side::New {
        let request = json!({"domain": DOMAIN, "job": job});
        let (_, end) = case.job("rollback", request.clone(), &faults[1]);
        if case.side(&format!("rolled back, {end}")) == Side::New {
            *counts.entry("rollbacks_undone").or_default() += 1;
            let (_, end) = case.job("rollback", request, &Fault::Nothing);
            assert_eq!(case.side(&format!("rolled back again, {end}")), Side::Old, "{}", case.when);
        }
        *counts.entry("rollbacks").or_default() += 1;
    }
}

#[test]
fn any_site_any_backup_any_fault_is_all_old_or_all_new() {
    let first = seed("model");
    let cases = if is_long() { 600 } else { 30 };
    let world = World::bare();
    let mut counts = BTreeMap::new();
    for number in first..first + cases {
        trial(&world, number, &mut counts);
    }
    let both = ["old", "new", "rollbacks"].iter().all(|what| counts.get(what).is_some_and(|count| *count > 0));
    assert!(both, "the cases are of one kind: {counts:?}");
    run("test", &["-d", text(&world.root())]);
    report("model", json!({"cases": cases, "seed": first, "counts": counts}));
}
