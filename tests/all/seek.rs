//! Parts of a backup that was looked at before are read from the middle of it: the result is that of a whole reading, and what is not
//! what the first reading found never gets into the site.

use crate::world::{DOMAIN, Digest, World, with_fields};
use serde_json::{Value, json};
use std::fs::{File, FileTimes};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes that do not pack: a generator of congruences.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 11_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

impl World {
    /// A site with so much in it that parts of it are little, backed up and changed since: the digests of both.
    fn large(layout: &str) -> (World, Digest, Digest) {
        let world = World::up();
        let uploads = world.root().join("wp-content/uploads");
        for name in ["aa.bin", "mm.bin", "zz.bin"] {
            std::fs::write(uploads.join(name), noise(6 << 20)).unwrap();
        }
        let good = world.digest();
        world.harness("backup", &["--layout", layout, "--stamp", "20251004_030000"]);
        let add = |path: &str, text: &str| {
            let path = world.root().join(path);
            let whole = [std::fs::read(&path).unwrap_or_default(), text.as_bytes().to_vec()].concat();
            std::fs::write(path, whole).unwrap();
        };
        add("index.php", "\n// changed\n");
        add("wp-admin/since.php", "<?php // new\n");
        add("wp-since.php", "<?php // new\n");
        add("wp-content/uploads/original.txt", "changed\n");
        for name in ["aa.bin", "mm.bin", "zz.bin"] {
            std::fs::write(uploads.join(name), "changed").unwrap();
        }
        std::fs::remove_file(uploads.join("second-name.txt")).unwrap();
        world.harness("sql", &["UPDATE shop.rv_orders SET total = 0; UPDATE shop.wp_posts SET post_title = 'changed'"]);
        let changed = world.digest();
        (world, good, changed)
    }

    fn preview(&self) {
        self.call("preview_backup", json!({"domain": DOMAIN, "wait": true}));
    }

    /// Restores parts and gives what the report says of how the backup was read.
    fn read(&self, request: &Value) -> (String, Option<String>) {
        let data = self.call("restore_start", with_fields(json!({"domain": DOMAIN, "wait": true}), request));
        let notes = data["notes"].as_array().cloned().unwrap_or_default();
        let of_reading = notes.iter().filter_map(Value::as_str).find(|note| note.starts_with("only what was selected"));
        (World::job(&data), of_reading.map(str::to_owned))
    }

    fn index(&self) -> Option<PathBuf> {
        let folder = self.place().join("base/restore_index").join(DOMAIN);
        let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        files.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "seek"))
    }
}

/// Changes a byte and leaves everything that tells a file apart as it was.
fn change(path: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let times = file.metadata().unwrap().modified().unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
    file.set_times(FileTimes::new().set_modified(times)).unwrap();
}

#[test]
fn every_kind_of_part_is_as_a_whole_reading_makes_it() {
    for layout in ["design", "smart"] {
        let (world, _, changed) = World::large(layout);
        let config = if layout == "design" { json!(["cron"]) } else { json!(false) };
        let selections = [
            json!({"files": ["wp-admin"]}),
            json!({"files": ["index.php", "wp-content/uploads/second-name.txt"]}),
            json!({"files": ["wp-*.php"], "database": ["rv_orders"]}),
            json!({"database": ["wp_post*"]}),
            json!({"database": true}),
            json!({"database": ["wp_options"], "config": config}),
        ];
        let results = |is_known: bool| {
            let result = |components: &Value| {
                let request = json!({"components": components, "options": {"allow_orphans": true}});
                let (job, how) = world.read(&request);
                assert_eq!(how.is_some(), is_known, "{layout} {request}: {how:?}");
                let now = world.digest();
                world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
                world.digest().assert_is(&changed, "after the rollback");
                now
            };
            selections.iter().map(result).collect::<Vec<Digest>>()
        };
        let whole = results(false);
        world.preview();
        for ((by_parts, whole), selection) in results(true).iter().zip(&whole).zip(&selections) {
            by_parts.assert_is(whole, &format!("{layout} {selection}"));
        }
        world.assert_nothing_left();
    }
}

#[test]
fn a_whole_restore_reads_the_whole_backup() {
    let (world, good, _) = World::large("design");
    world.preview();
    assert!(world.index().is_some());
    let (_, how) = world.read(&json!({}));
    assert_eq!(how, None);
    world.digest().assert_is(&good, "restored");
}

#[test]
fn what_is_not_what_the_first_reading_found_never_gets_into_the_site() {
    let (world, _, changed) = World::large("design");
    world.preview();
    let archive = world.archive();
    let length = std::fs::metadata(&archive).unwrap().len();
    // Noise is stored as it is: a third of the way is in one of the three files, whatever their order.
    change(&archive, length / 3);
    let wanted = ["aa.bin", "mm.bin", "zz.bin"].map(|name| {
        let request =
            json!({"domain": DOMAIN, "wait": true, "components": {"files": [format!("wp-content/uploads/{name}")]}});
        let document = world.document("restore_start", &request);
        if document["ok"] == false {
            assert_eq!(document["error"]["code"], "backup_corrupt", "{document}");
            let message = document["error"]["message"].as_str().unwrap();
            assert!(message.contains(&archive.display().to_string()), "{message}");
            world.digest().assert_is(&changed, "nothing was changed");
            world.assert_nothing_left();
            return false;
        }
        let text = std::fs::read(world.root().join("wp-content/uploads").join(name)).unwrap();
        assert_eq!(text, noise(6 << 20));
        world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&document["data"]), "wait": true}));
        true
    });
    assert_eq!(wanted.iter().filter(|read| !**read).count(), 1, "one of the files is damaged: {wanted:?}");
}

#[test]
fn an_index_that_is_damaged_or_of_another_file_is_none() {
    let (world, _, changed) = World::large("design");
    world.preview();
    let request = json!({"components": {"files": ["index.php"]}});
    let back = |job: &str| {
        world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        world.digest().assert_is(&changed, "after the rollback");
    };
    let index = world.index().unwrap();
    let length = std::fs::metadata(&index).unwrap().len();
    change(&index, length - 40);
    let (job, how) = world.read(&request);
    assert_eq!(how, None, "its checksum is wrong");
    back(&job);
    // Another file of the same name: what is known is of the old one.
    let archive = world.archive();
    let copy = archive.with_file_name("copy");
    std::fs::copy(&archive, &copy).unwrap();
    std::fs::rename(&copy, &archive).unwrap();
    let (job, how) = world.read(&request);
    assert_eq!(how, None, "it is another file");
    back(&job);
    // A look at it makes a new index.
    world.preview();
    let (job, how) = world.read(&request);
    assert!(how.is_some());
    back(&job);
}

/// The site packed by another program, beside a dump.
fn packed(world: &World, name: &str) -> Value {
    let folder = world.place().join("elsewhere");
    std::fs::create_dir_all(&folder).unwrap();
    let words = |program: &str, words: &[&str]| {
        let ended = Command::new(program).args(words).current_dir(world.root()).status().unwrap();
        assert!(ended.success(), "{program} {words:?}");
    };
    let (archive, tar) = (folder.join(name), folder.join("site.tar"));
    match name.rsplit_once('.').unwrap().1 {
        "zip" => words("zip", &["-qry", archive.to_str().unwrap(), "."]),
        _ => {
            words("tar", &["-cf", tar.to_str().unwrap(), "."]);
            // Frames of a megabyte, as pzstd makes them.
            let text = std::fs::read(&tar).unwrap();
            let frames = text.chunks(1 << 20).flat_map(|piece| zstd::encode_all(piece, 1).unwrap());
            std::fs::write(&archive, frames.collect::<Vec<u8>>()).unwrap();
        }
    }
    json!({"from": archive})
}

#[test]
fn a_zip_and_frames_of_zstd_are_read_in_part_too() {
    for name in ["site.zip", "site.tar.zst"] {
        let world = World::up();
        std::fs::write(world.root().join("wp-content/uploads/aa.bin"), noise(8 << 20)).unwrap();
        let backup = packed(&world, name);
        let file = world.root().join("wp-admin/since.php");
        let index = std::fs::read(world.root().join("index.php")).unwrap();
        std::fs::write(world.root().join("index.php"), [&index[..], b"\n// changed\n"].concat()).unwrap();
        std::fs::write(&file, "<?php // new\n").unwrap();
        let before = world.digest();
        let request = json!({"backup": backup, "components": {"files": ["index.php", "wp-admin"]}});
        let (job, how) = world.read(&request);
        assert_eq!(how, None, "nothing was known of the backup yet");
        let whole = world.digest();
        assert_ne!(files(&whole), files(&before));
        world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        world.call("preview_backup", json!({"domain": DOMAIN, "backup": backup, "wait": true}));
        let (_, how) = world.read(&request);
        assert!(how.is_some(), "{name}");
        assert_eq!(files(&world.digest()), files(&whole), "{name}");
    }
}

fn files(digest: &Digest) -> Vec<&str> {
    digest.files.lines().filter(|line| !line.starts_with("d\t")).collect()
}

#[test]
fn what_only_a_whole_reading_tells_is_still_told() {
    let (world, ..) = World::large("design");
    let archive = world.archive();
    let folder = world.place().join("unpacked");
    std::fs::create_dir(&folder).unwrap();
    let tar = |words: &[&str]| {
        let ended = Command::new("tar").args(words).arg("-C").arg(&folder).status().unwrap();
        assert!(ended.success(), "{words:?}");
    };
    tar(&["-xzf", archive.to_str().unwrap()]);
    // A second database: which one is the site's nobody can know.
    std::fs::create_dir_all(folder.join("database")).unwrap();
    std::fs::copy(folder.join("database.sql"), folder.join("database/other.sql")).unwrap();
    let packed = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&folder).arg(".").status().unwrap();
    assert!(packed.success());
    let request = json!({"domain": DOMAIN, "wait": true, "components": {"database": ["rv_orders"]}});
    let before = world.refused("restore_start", request.clone());
    world.preview();
    let after = world.refused("restore_start", request);
    assert_eq!((before["code"].clone(), after["code"].clone()), (json!("backup_corrupt"), json!("backup_corrupt")));
    assert_eq!(before["message"], after["message"]);
}

#[test]
fn a_folder_beside_the_document_root_comes_as_ever() {
    let world = World::up();
    let folder = world.place().join("web").join(DOMAIN);
    let public = folder.join("public");
    std::fs::create_dir_all(&public).unwrap();
    for name in ["wp-admin", "wp-includes", "index.php"] {
        let copied = Command::new("cp").arg("-r").arg(folder.join(name)).arg(&public).status().unwrap();
        assert!(copied.success());
    }
    std::fs::create_dir_all(folder.join("storage")).unwrap();
    std::fs::write(folder.join("storage/one.txt"), "hello").unwrap();
    std::fs::write(public.join("large.bin"), noise(4 << 20)).unwrap();
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let text = std::fs::read_to_string(&site).unwrap();
    let moved = text.replace(&format!("root {};", folder.display()), &format!("root {};", public.display()));
    assert_ne!(text, moved);
    std::fs::write(&site, moved).unwrap();
    world.harness("backup", &["--layout", "smart", "--without", "database", "--stamp", "20251004_030000"]);
    world.preview();
    std::fs::write(folder.join("storage/one.txt"), "changed").unwrap();
    let (_, how) = world.read(&json!({"components": {"files": ["storage"]}}));
    assert!(how.is_some());
    assert_eq!(std::fs::read_to_string(folder.join("storage/one.txt")).unwrap(), "hello");
}

#[test]
fn what_is_said_of_a_fifo_is_said_after_a_look_too() {
    let (world, ..) = World::large("design");
    let made = Command::new("mkfifo").arg(world.root().join("wp-admin/pipe")).status().unwrap();
    assert!(made.success());
    world.harness("backup", &["--stamp", "20251005_030000"]);
    world.preview();
    assert!(world.index().is_none());
    let request = json!({"domain": DOMAIN, "wait": true, "components": {"files": ["wp-admin"]}});
    let data = world.call("restore_start", request);
    let notes = data["notes"].to_string();
    assert!(notes.contains("wp-admin/pipe"), "{notes}");
}

#[test]
fn an_index_is_smaller_than_a_hundredth_of_its_backup() {
    let (world, ..) = World::large("design");
    world.preview();
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let (index, archive) = (size(&world.index().unwrap()), size(&world.archive()));
    assert!(index * 100 <= archive, "{index} of {archive}");
}
