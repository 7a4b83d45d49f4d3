//! What is over is removed, by handle and never through a link; what may be needed is not.

use crate::world::{self, DOMAIN, World};
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

fn retention(world: &World, hours: u64) {
    let path = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n[limits]\nsnapshot_retention_h = {hours}\n")).unwrap();
}

fn snapshots(world: &World) -> Vec<String> {
    let listed = world.call("list_snapshots", json!({"domain": DOMAIN}));
    listed["snapshots"].as_array().unwrap().iter().map(|each| each["path"].as_str().unwrap().to_owned()).collect()
}

fn tree_of(snapshot: &str) -> PathBuf {
    let bytes = std::fs::read(PathBuf::from(snapshot).join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    PathBuf::from(manifest["tree"].as_str().unwrap())
}

/// The tenant still has open folders of the old tree and fills them with links while it is removed.
#[test]
fn f85_links_planted_in_an_old_tree_lead_a_purge_nowhere() {
    let (world, ..) = World::damaged();
    world.restore();
    let first = snapshots(&world)[0].clone();
    let tree = tree_of(&first);
    let victim = world.place().join("victim");
    std::fs::create_dir_all(victim.join("deep/er")).unwrap();
    for number in 0..50 {
        std::fs::write(victim.join(format!("deep/file-{number}")), "keep").unwrap();
    }
    let outside = world.harness("tree", &[victim.to_str().unwrap()]);
    let neighbour = world.harness("manifest", &["neighbour"]);
    let uploads = tree.join("wp-content/uploads");
    symlink(&victim, uploads.join("to-victim")).unwrap();
    symlink("/etc", uploads.join("to-etc")).unwrap();
    symlink(world.root(), uploads.join("to-live")).unwrap();
    std::fs::create_dir(uploads.join("swapped")).unwrap();
    std::fs::write(uploads.join("swapped/x"), "x").unwrap();
    let live = world.harness("manifest", &["files"]);
    let stop = AtomicBool::new(false);
    let swaps = std::thread::scope(|scope| {
        let tenant = scope.spawn(|| {
            // Through a handle, as a process that was in the old tree has it.
            let here = std::fs::File::open(&uploads).unwrap();
            let at = |name: &str| format!("/proc/self/fd/{}/{name}", std::os::fd::AsRawFd::as_raw_fd(&here));
            let mut swaps = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let _ = std::fs::rename(at("swapped"), at("aside"));
                if symlink(&victim, at("swapped")).is_ok() {
                    swaps += 1;
                }
                let _ = std::fs::remove_file(at("swapped"));
                let _ = std::fs::rename(at("aside"), at("swapped"));
                let _ = std::fs::create_dir(at("swapped"));
            }
            swaps
        });
        let deleted = world.document("delete_snapshot", &json!({"domain": DOMAIN, "snapshot": first, "wait": true}));
        stop.store(true, Ordering::Relaxed);
        let swaps = tenant.join().unwrap();
        // A tenant that keeps on making files may outlast one try.
        if deleted["ok"] != true {
            world.call("delete_snapshot", json!({"domain": DOMAIN, "snapshot": first, "wait": true}));
        }
        swaps
    });
    assert_eq!(world.harness("tree", &[victim.to_str().unwrap()]), outside, "deleted outside");
    assert_eq!(world.harness("manifest", &["neighbour"]), neighbour);
    assert_eq!(world.harness("manifest", &["files"]), live);
    assert!(!tree.exists() && snapshots(&world).is_empty());
    world.assert_nothing_left();
    world::trial::report("f85", json!({"links_planted": 3, "swaps": swaps, "deleted_outside": 0}));
}

#[test]
fn expired_snapshots_go_and_the_newest_of_a_domain_stays() {
    let (world, good, _) = World::damaged();
    world.restore();
    let first = snapshots(&world);
    world.restore();
    assert_eq!(snapshots(&world).len(), 2, "both are young");
    retention(&world, 0);
    let cleaned = world.call("cleanup", json!({"wait": true}));
    assert_eq!(cleaned["snapshots"], json!(first), "{cleaned}");
    let newest = snapshots(&world);
    assert_eq!(newest.len(), 1);
    // Again and again, whatever its age: it is the only way back.
    assert_eq!(world.call("cleanup", json!({"wait": true}))["snapshots"], json!([]));
    assert_eq!(snapshots(&world), newest);
    world.assert_nothing_left();
    world.call("rollback", json!({"domain": DOMAIN, "snapshot": newest[0], "wait": true}));
    world.digest().assert_is(&good, "the newest snapshot is the site as the first restore left it");
}

/// The seed's users delete snapshot folders by hand. What they named is found by what names it: nothing any more.
#[test]
fn trees_and_schemas_of_a_snapshot_deleted_by_hand_are_found() {
    let (world, good, _) = World::damaged();
    world.restore();
    let snapshot = snapshots(&world)[0].clone();
    let tree = tree_of(&snapshot);
    world.harness("sql", &["CREATE DATABASE rvk_of_somebody; CREATE DATABASE rvs_0123456789ax"]);
    std::fs::remove_dir_all(&snapshot).unwrap();
    let before = world.harness("sql", &["SHOW DATABASES LIKE 'rvk\\_%'"]);
    assert_eq!(before.lines().count(), 2, "{before}");
    let cleaned = world.call("cleanup", json!({"wait": true}));
    assert_eq!(cleaned["orphans"].as_array().unwrap().len(), 2, "a tree and a schema: {cleaned}");
    assert!(!tree.exists());
    // Names this program does not give are somebody else's.
    assert_eq!(world.harness("sql", &["SHOW DATABASES LIKE 'rv%'"]), "rvk_of_somebody\nrvs_0123456789ax");
    world.harness("sql", &["DROP DATABASE rvk_of_somebody; DROP DATABASE rvs_0123456789ax"]);
    world.assert_nothing_left();
    world.digest().assert_is(&good, "good");
}

/// What names a kept state may be damaged, or on a disk that is not mounted: the state itself stays.
#[test]
fn what_a_snapshot_keeps_stays_when_it_cannot_be_looked_into() {
    let (world, _, damaged) = World::damaged();
    world.restore();
    let snapshot = snapshots(&world)[0].clone();
    let manifest = Path::new(&snapshot).join("manifest.json");
    let whole = std::fs::read(&manifest).unwrap();
    let nothing_removed = |when: &str| {
        let cleaned = world.call("cleanup", json!({"wait": true}));
        assert_eq!((&cleaned["orphans"], &cleaned["snapshots"]), (&json!([]), &json!([])), "{when}");
        assert_eq!(world.harness("sql", &["SHOW DATABASES LIKE 'rvk\\_%'"]).lines().count(), 1, "{when}");
    };
    std::fs::write(&manifest, &whole[..whole.len() / 2]).unwrap();
    nothing_removed("its manifest is cut");
    std::fs::write(&manifest, &whole).unwrap();
    let (all, away) = (world.place().join("base/snapshots"), world.place().join("base/away"));
    std::fs::rename(&all, &away).unwrap();
    nothing_removed("the folder of snapshots is away");
    let _ = std::fs::remove_dir(&all);
    std::fs::rename(&away, &all).unwrap();
    world.call("rollback", json!({"domain": DOMAIN, "snapshot": snapshot, "wait": true}));
    world.digest().assert_is(&damaged, "the kept state is brought back");
}
