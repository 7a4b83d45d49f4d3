//! What the table of `docs/filesystems.md` says, each row on an image of its own. Needs root and `scripts/install-deps.sh`.

use crate::world::bare::{Tree, look};
use crate::world::fault::{Filesystem, run, text};
use crate::world::oracle::Side;
use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};

/// A small site on a filesystem of its own, and a backup that differs from it.
struct Site {
    world: World,
    old: Tree,
    new: Tree,
}

impl Site {
    fn on(what: Filesystem, subvolume: bool) -> Site {
        let mut world = World::bare();
        let backup = world.place().join("tmp/backup");
        let root = world.root();
        for (folder, side) in [(&backup, "new"), (&root, "old")] {
            std::fs::create_dir_all(folder.join("uploads")).unwrap();
            std::fs::create_dir_all(folder.join(side)).unwrap();
            for name in ["index.php", "uploads/photo.jpg"] {
                std::fs::write(folder.join(name), format!("{side} {name}")).unwrap();
            }
            run("chmod", &["0755", text(folder)]);
        }
        world.pack(&backup);
        world.put_on("web", what);
        if subvolume {
            let aside = world.place().join("web/aside");
            std::fs::rename(&root, &aside).unwrap();
            run("btrfs", &["subvolume", "create", text(&root)]);
            run("cp", &["-a", &format!("{}/.", text(&aside)), text(&root)]);
            std::fs::remove_dir_all(&aside).unwrap();
        }
        let (old, new) = (look(&root), look(&backup));
        std::fs::remove_dir_all(&backup).unwrap();
        Site { world, old, new }
    }

    fn call(&self, name: &str, more: Value) -> Value {
        self.world.call(name, with_fields(json!({"domain": DOMAIN, "wait": true}), &more))
    }

    /// `validate` and the restore refuse it in the same words, and nothing has changed.
    fn is_refused(&self, files: &Value, word: &str) {
        let request = json!({"domain": DOMAIN, "wait": true, "components": {"files": files}});
        let checks = self.world.call("validate", request.clone());
        let error = self.world.refused("restore_start", request);
        assert_eq!(error["code"], "not_exchangeable");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(word), "{message}");
        assert!(checks.to_string().contains(message), "{message}: {checks:#}");
        assert_eq!(look(&self.world.root()), self.old);
        assert!(self.world.stray_trees().is_empty());
    }

    /// A restore of all files and of one, each back again; one that is killed behind the exchange; and what is kept can be removed.
    fn goes_and_comes_back(&self, what: &str) {
        let root = self.world.root();
        let all = json!({"components": {"files": true}});
        for files in [json!(true), json!(["uploads/photo.jpg"])] {
            let done = self.call("restore_start", json!({"components": {"files": files}}));
            assert_eq!(
                std::fs::read_to_string(root.join("uploads/photo.jpg")).unwrap(),
                "new uploads/photo.jpg",
                "{what}"
            );
            assert_eq!(look(&root) == self.new, files == json!(true), "{what}: {files}");
            self.call("rollback", json!({"job": World::job(&done)}));
            assert_eq!(look(&root), self.old, "{what}: rollback of {files}");
        }
        let request = with_fields(json!({"domain": DOMAIN}), &all);
        let (job, trace) = self.world.watch("restore_start", &request);
        self.call("rollback", json!({"job": job}));
        let exchange = trace.that_writes("\"step\":\"exchange\"").number;
        let mut sides = Vec::new();
        for number in [exchange, exchange + 2, exchange + 4] {
            self.world.kill_before(number, "restore_start", &request);
            sides.push(self.world.oracle_of_files(&self.old, &self.new, what));
        }
        assert_eq!(sides, [Side::Old; 3], "{what}");
        let done = self.call("restore_start", all);
        self.call("delete_snapshot", json!({"snapshot": done["snapshot"]}));
        assert!(self.world.stray_trees().is_empty(), "{what}");
        assert_eq!(look(&root), self.new, "{what}");
    }
}

#[test]
fn a_site_goes_and_comes_back_on_every_filesystem_that_exchanges() {
    for what in [Filesystem::Ext4(300), Filesystem::Xfs(400), Filesystem::Btrfs(400), Filesystem::Tmpfs(300)] {
        if what.is_here() {
            Site::on(what, false).goes_and_comes_back(&format!("{what:?}"));
        }
    }
}

#[test]
fn a_document_root_that_is_a_subvolume_changes_places_as_a_whole() {
    if !Filesystem::Btrfs(400).is_here() {
        return;
    }
    let site = Site::on(Filesystem::Btrfs(400), true);
    site.is_refused(&json!(["uploads/photo.jpg"]), "subvolume");
    let done = site.call("restore_start", json!({"components": {"files": true}}));
    assert_eq!(look(&site.world.root()), site.new);
    site.call("rollback", json!({"job": World::job(&done)}));
    assert_eq!(look(&site.world.root()), site.old);
    // What is left out gets no other name in another subvolume: it is copied.
    let done = site.call("restore_start", json!({"components": {"files": true}, "exclude": {"files": ["uploads"]}}));
    let kept = std::fs::read_to_string(site.world.root().join("uploads/photo.jpg")).unwrap();
    assert_eq!(kept, "old uploads/photo.jpg");
    site.call("rollback", json!({"job": World::job(&done)}));
    assert_eq!(look(&site.world.root()), site.old);
    let done = site.call("restore_start", json!({"components": {"files": true}}));
    site.call("delete_snapshot", json!({"snapshot": done["snapshot"]}));
    assert!(site.world.stray_trees().is_empty());
}

#[test]
fn a_document_root_in_a_lower_layer_of_an_overlay_is_refused_before_and_its_files_can_be_restored() {
    if !Filesystem::Overlay.is_here() {
        return;
    }
    let site = Site::on(Filesystem::Overlay, false);
    site.is_refused(&json!(true), "overlay");
    let done = site.call("restore_start", json!({"components": {"files": ["uploads/photo.jpg"]}}));
    let photo = site.world.root().join("uploads/photo.jpg");
    assert_eq!(std::fs::read_to_string(&photo).unwrap(), "new uploads/photo.jpg");
    site.call("rollback", json!({"job": World::job(&done)}));
    assert_eq!(look(&site.world.root()), site.old);
}

#[test]
fn a_subvolume_inside_the_site_is_refused() {
    if !Filesystem::Btrfs(400).is_here() {
        return;
    }
    let mut site = Site::on(Filesystem::Btrfs(400), false);
    let inside = site.world.root().join("uploads/snapshot");
    run("btrfs", &["subvolume", "create", text(&inside)]);
    site.old = look(&site.world.root());
    for files in [json!(true), json!(["uploads/photo.jpg"])] {
        site.is_refused(&files, "uploads/snapshot");
    }
}

#[test]
fn a_root_that_is_mounted_elsewhere_too_is_warned_of() {
    let site = Site::on(Filesystem::Ext4(300), false);
    let jail = site.world.place().join("web/jail");
    std::fs::create_dir(&jail).unwrap();
    run("mount", &["--bind", text(&site.world.root()), text(&jail)]);
    let checks = site.call("validate", json!({"components": {"files": true}}));
    let done =
        site.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true, "components": {"files": true}}));
    let seen = look(&jail);
    run("umount", &[text(&jail)]);
    let groups = checks["groups"].as_array().unwrap().iter().flat_map(|group| group["checks"].as_array().unwrap());
    let check = groups.clone().find(|check| check["name"] == "other_mounts").unwrap_or_else(|| panic!("{checks:#}"));
    assert_eq!(check["outcome"], "warn");
    assert!(check["message"].as_str().unwrap().contains(text(&jail)), "{check}");
    assert_eq!(done["ok"], true, "{done}");
    assert_eq!(look(&site.world.root()), site.new);
    assert_eq!(seen, site.old, "what is mounted there goes on with the old tree");
}
