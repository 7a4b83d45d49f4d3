//! Any part of a backup, and what a backup cannot know of, on a real site, judged by the harness's own manifests.

use crate::world::{self, DOMAIN, Digest, World, with_fields};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::Duration;

impl World {
    /// Restores parts of the newest backup, which was looked at before as people do, and gives the job.
    fn part(&self, request: Value) -> String {
        self.call("preview_backup", json!({"domain": DOMAIN, "wait": true}));
        World::job(&self.call("restore_start", with_fields(json!({"domain": DOMAIN, "wait": true}), &request)))
    }

    fn part_refused(&self, request: Value) -> Value {
        self.refused("restore_start", with_fields(json!({"domain": DOMAIN, "wait": true}), &request))
    }

    fn back(&self, job: &str) -> String {
        World::job(&self.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true})))
    }

    fn rows(&self, table: &str) -> u64 {
        self.harness("sql", &[&format!("SELECT COUNT(*) FROM shop.{table}")]).parse().unwrap()
    }
}

/// The lines of a manifest of files that are about these paths, and all the others.
fn split(manifest: &str, paths: &[&str]) -> (HashSet<String>, HashSet<String>) {
    manifest.lines().map(str::to_owned).partition(|line| {
        paths.iter().any(|path| line.ends_with(&format!("./{path}")) || line.contains(&format!("./{path}/")))
    })
}

/// Modification times of folders change when something in them is exchanged.
fn without_folders(lines: HashSet<String>) -> HashSet<String> {
    lines.into_iter().filter(|line| !line.starts_with("d\t")).collect()
}

/// The lines of a digest's files that are no folders.
fn files_of(digest: &Digest) -> HashSet<String> {
    without_folders(digest.files.lines().map(str::to_owned).collect())
}

#[test]
fn selected_paths_are_as_in_the_backup_and_nothing_else_is_touched() {
    let (world, good, damaged) = World::damaged();
    let wanted = ["wp-admin", "index.php", "wp-content/uploads/2024", "wp-content/uploads/second-name.txt"];
    let job = world.part(json!({"components": {"files": wanted}}));
    let now = world.digest();
    let (good_in, _) = split(&good.files, &wanted);
    let (now_in, now_out) = split(&now.files, &wanted);
    assert!(!now_in.is_empty() && now_in == good_in, "selected paths equal the backup");
    let (_, damaged_out) = split(&damaged.files, &wanted);
    assert_eq!(without_folders(now_out), without_folders(damaged_out), "everything else is as it was");
    assert!(now.database == damaged.database && now.config == damaged.config && now.neighbour == damaged.neighbour);
    world.assert_nothing_left();
    let undone = world.back(&job);
    world.digest().assert_is(&damaged, "after the rollback");
    world.back(&undone);
    world.digest().assert_is(&now, "and forward again");
    world.assert_nothing_left();
}

#[test]
fn a_hard_link_whose_file_is_not_selected_comes_with_its_content() {
    let (world, _, _) = World::damaged();
    let both = world.root().join("wp-content/uploads");
    std::fs::write(both.join("original.txt"), "changed since\n").unwrap();
    std::fs::remove_file(both.join("second-name.txt")).unwrap();
    world.part(json!({"components": {"files": ["wp-content/uploads/second-name.txt"]}}));
    assert_eq!(std::fs::read_to_string(both.join("second-name.txt")).unwrap(), "shared\n");
    assert_eq!(std::fs::read_to_string(both.join("original.txt")).unwrap(), "changed since\n");
}

#[test]
fn a_glob_takes_each_match_and_exact_takes_away_what_the_backup_has_not() {
    let (world, _, damaged) = World::damaged();
    let shell = world.root().join("wp-content/uploads/shell.php");
    std::fs::write(world.root().join("wp-evil.php"), "<?php").unwrap();
    let job = world.part(json!({"components": {"files": ["wp-*.php", "wp-content/uploads/*"]}}));
    assert!(shell.exists() && world.root().join("wp-evil.php").exists(), "what the backup does not name stays");
    assert!(world.root().join("wp-content/uploads/2024").exists());
    world.back(&job);
    let job =
        world.part(json!({"components": {"files": ["wp-*.php", "wp-content/uploads/*"]}, "options": {"exact": true}}));
    assert!(!shell.exists() && !world.root().join("wp-evil.php").exists());
    world.back(&job);
    std::fs::remove_file(world.root().join("wp-evil.php")).unwrap();
    assert_eq!(files_of(&world.digest()), files_of(&damaged));
    world.assert_nothing_left();
}

#[test]
fn a_thousand_matches_change_over_in_one_journaled_step() {
    let world = World::up();
    let many = world.root().join("wp-content/many");
    std::fs::create_dir(&many).unwrap();
    for number in 0..3000 {
        std::fs::write(many.join(format!("f{number}.dat")), format!("good {number}")).unwrap();
    }
    world.harness("backup", &[]);
    for number in 0..3000 {
        std::fs::write(many.join(format!("f{number}.dat")), "bad").unwrap();
    }
    let damaged = world.digest();
    let data = world.call(
        "restore_start",
        json!({"domain": DOMAIN, "components": {"files": ["wp-content/many/*.dat"]}, "wait": true}),
    );
    assert_eq!(data["files"]["parts"], 3000);
    for number in [0, 1499, 2999] {
        let text = std::fs::read_to_string(many.join(format!("f{number}.dat"))).unwrap();
        assert_eq!(text, format!("good {number}"));
    }
    world.back(&World::job(&data));
    assert!(files_of(&world.digest()) == files_of(&damaged));
}

#[test]
fn selected_tables_come_with_their_triggers_and_keys_and_others_stay() {
    let (world, good, damaged) = World::damaged();
    world.harness("sql", &["UPDATE shop.rv_orders SET total = 0; DELETE FROM shop.rv_log"]);
    let before = world.digest();
    let job = world.part(json!({"components": {"database": ["rv_orders", "wp_post*"]}}));
    let now = world.digest();
    // What mariadb-dump writes of a table lies between two of its comment-free CREATE TABLE lines.
    let table = |manifest: &str, name: &str| -> String {
        let head = format!("CREATE TABLE `{name}`");
        let begin = manifest.find(&head).unwrap_or_else(|| panic!("{name} is not there"));
        let end = manifest[begin + 1..].find("DROP TABLE IF EXISTS").map_or(manifest.len(), |end| begin + 1 + end);
        manifest[begin..end].to_owned()
    };
    for name in ["rv_orders", "wp_posts", "wp_postmeta"] {
        assert_eq!(table(&now.database, name), table(&good.database, name), "{name} is as in the backup");
    }
    for name in ["rv_customers", "rv_log", "wp_options", "wp_backdoor"] {
        assert_eq!(table(&now.database, name), table(&before.database, name), "{name} is as it was");
    }
    assert!(now.files == damaged.files && now.config == damaged.config && now.neighbour == damaged.neighbour);
    assert!(
        now.database.contains("CONSTRAINT `rv_orders_customer` FOREIGN KEY (`customer`) REFERENCES `rv_customers`")
    );
    // The kept tables do not reach into the live ones: a row of the site could not be deleted for them.
    let reaching = "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS \
                    WHERE CONSTRAINT_SCHEMA LIKE 'rvk%' AND UNIQUE_CONSTRAINT_SCHEMA = 'shop'";
    assert_eq!(world.harness("sql", &[reaching]), "0");
    world.assert_nothing_left();
    let undone = world.back(&job);
    world.digest().assert_is(&before, "after the rollback");
    world.back(&undone);
    world.digest().assert_is(&now, "and forward again");
    world.assert_nothing_left();
}

#[test]
fn rows_that_would_refer_to_nothing_are_refused_by_the_name_of_the_constraint() {
    let world = World::up();
    world.harness("backup", &[]);
    world.harness(
        "sql",
        &["SET foreign_key_checks=0; DELETE FROM shop.rv_orders; DELETE FROM shop.rv_customers WHERE id > 150"],
    );
    let before = world.digest();
    let error = world.part_refused(json!({"components": {"database": ["rv_orders"]}}));
    assert_eq!(error["code"], "broken_reference");
    assert_eq!(error["context"]["constraint"], "rv_orders_customer");
    assert!(error["message"].as_str().unwrap().contains("rv_orders_customer"), "{error}");
    world.digest().assert_is(&before, "nothing was changed");
    world.assert_nothing_left();
    let job = world.part(json!({"components": {"database": ["rv_orders"]}, "options": {"allow_orphans": true}}));
    assert_eq!(world.rows("rv_orders"), 1000);
    world.back(&job);
    world.digest().assert_is(&before, "after the rollback");
    // Together they refer to each other.
    world.part(json!({"components": {"database": ["rv_orders", "rv_customers"]}}));
    assert_eq!((world.rows("rv_customers"), world.rows("rv_orders")), (200, 1000));
    // A parent alone takes the children that stayed along by its key.
    world.harness("sql", &["UPDATE shop.rv_customers SET name = 'x'"]);
    world.part(json!({"components": {"database": ["rv_customers"]}}));
    let shown = world.harness("sql", &["SHOW CREATE TABLE shop.rv_orders"]);
    assert!(shown.contains("REFERENCES `rv_customers`"), "{shown}");
}

#[test]
fn what_is_excluded_stays_as_it_is_live() {
    let (world, good, damaged) = World::damaged();
    let out = ["wp-content/uploads", "index.php"];
    let job =
        world.part(json!({"exclude": {"files": out, "database": ["wp_posts", "wp_backdoor"], "config": ["cron"]}}));
    let now = world.digest();
    let (now_in, now_rest) = split(&now.files, &out);
    let (damaged_in, _) = split(&damaged.files, &out);
    let (_, good_rest) = split(&good.files, &out);
    assert_eq!(now_in, damaged_in, "excluded paths are the live ones");
    assert_eq!(without_folders(now_rest), without_folders(good_rest), "the rest is the backup's");
    assert!(now.database.contains("CREATE TABLE `wp_backdoor`") && now.database.contains("'0wned'"));
    assert_eq!(
        world.harness("sql", &["SELECT option_value FROM shop.wp_options WHERE option_name='rv_side'"]),
        "backup"
    );
    assert!(!world.place().join("cron/shop_example").exists(), "cron was damaged and is left so");
    world.back(&job);
    world.digest().assert_is(&damaged, "after the rollback");
    world.assert_nothing_left();
}

#[test]
fn what_a_smart_backup_leaves_out_is_kept_unless_an_exact_replica_is_asked_for() {
    let world = World::up();
    world.harness("backup", &["--layout", "smart", "--stamp", "20250101_030000"]);
    world.harness("sql", &["INSERT INTO shop.wp_comments (comment_post_ID, comment_author, comment_content) VALUES (1, 'x', 'since the backup'); UPDATE shop.wp_posts SET post_title='0wned'"]);
    let root = world.root();
    std::fs::write(root.join("wp-content/cache/since"), "written since").unwrap();
    std::fs::write(root.join("since.php"), "<?php").unwrap();
    let before = world.digest();
    let data = world.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(std::fs::read_to_string(root.join("wp-content/cache/since")).unwrap(), "written since");
    assert!(!root.join("since.php").exists());
    assert!(world.harness("sql", &["SELECT comment_content FROM shop.wp_comments"]).contains("since the backup"));
    assert_eq!(world.harness("sql", &["SELECT COUNT(*) FROM shop.wp_posts WHERE post_title='0wned'"]), "0");
    let kept = data["database"]["kept"].as_array().unwrap();
    assert!(kept.contains(&json!("wp_comments")), "{kept:?}");
    assert!(data["files"]["kept"].to_string().contains("wp-content/cache"), "{}", data["files"]);
    world.assert_nothing_left();
    world.back(&World::job(&data));
    world.digest().assert_is(&before, "after the rollback");

    let job = world.part(json!({"options": {"exact": true}}));
    assert!(!root.join("wp-content/cache/since").exists());
    assert_eq!(world.harness("sql", &["SHOW TABLES FROM shop LIKE 'wp_comments'"]), "");
    world.back(&job);
    world.digest().assert_is(&before, "after the rollback of the replica");
    world.assert_nothing_left();
}

#[test]
fn a_chain_gives_what_its_archives_give_one_after_another() {
    let world = World::up();
    let mut archives = vec![world.harness("backup", &["--layout", "smart", "--stamp", "20250101_030000"])];
    for round in 1..=3 {
        sleep(Duration::from_millis(1100));
        world.harness("touch-up", &[&round.to_string()]);
        let stamp = format!("2025010{}_030000", round + 1);
        archives.push(world.harness("backup", &["--layout", "smart", "--incremental", "--stamp", &stamp]));
    }
    let names: Vec<&str> = archives.iter().map(String::as_str).collect();
    for upto in [4, 2] {
        world.part(json!({"backup": archives[upto - 1], "options": {"exact": true}, "components": {"files": true}}));
        let expected: HashSet<String> = world.harness("expect", &names[..upto]).lines().map(str::to_owned).collect();
        let now: HashSet<String> = world.harness("manifest", &["files"]).lines().map(str::to_owned).collect();
        // Folders that archives only imply have no time of their own.
        let (now, expected) = (without_folders(now), without_folders(expected));
        let differing: Vec<&String> = now.symmetric_difference(&expected).take(10).collect();
        assert!(differing.is_empty() && now.len() > 500, "{upto} archives: {differing:?}");
    }
    world.assert_nothing_left();
}

#[test]
fn a_selection_that_matches_nothing_names_the_pattern_and_changes_nothing() {
    let (world, _, damaged) = World::damaged();
    for (request, pattern) in [
        (json!({"components": {"files": ["index.php", "no-such/*.php"]}}), "no-such/*.php"),
        (json!({"components": {"database": ["wp_posts", "no_such"]}}), "no_such"),
    ] {
        let error = world.part_refused(request);
        assert_eq!((&error["code"], &error["context"]["pattern"]), (&json!("backup_incomplete"), &json!(pattern)));
        assert!(error["message"].as_str().unwrap().contains(pattern));
    }
    world.digest().assert_is(&damaged, "nothing was changed");
    world.assert_nothing_left();
}

#[test]
fn a_link_planted_on_the_way_to_a_selected_file_is_not_followed() {
    let (world, _, _) = World::damaged();
    let victim = world.place().join("web/neighbour.example");
    let uploads = world.root().join("wp-content/uploads");
    std::fs::rename(&uploads, world.root().join("wp-content/aside")).unwrap();
    std::os::unix::fs::symlink(&victim, &uploads).unwrap();
    let before = world.digest();
    let error = world.part_refused(json!({"components": {"files": ["wp-content/uploads/original.txt"]}}));
    assert_eq!(error["code"], "not_exchangeable");
    world.digest().assert_is(&before, "nothing was changed");
    // The link itself may be replaced by what the backup has there.
    world.part(json!({"components": {"files": ["wp-content/uploads"]}}));
    assert!(uploads.symlink_metadata().unwrap().is_dir());
    assert_eq!(world.digest().neighbour, before.neighbour);
}

#[test]
fn a_killed_restore_of_parts_leaves_all_of_them_old_or_all_new() {
    let (world, _, damaged) = World::damaged();
    let request = json!({"domain": DOMAIN, "components":
        {"files": ["wp-admin", "index.php", "wp-content/uploads/*"], "database": ["rv_orders", "wp_posts", "wp_options"], "config": ["nginx", "ssl"]}});
    let whole = World::job(&world.call("restore_start", {
        let mut request = request.clone();
        request["wait"] = json!(true);
        request
    }));
    let new = world.digest();
    world.back(&whole);
    world.digest().assert_is(&damaged, "before the first kill");
    let (mut killed, mut came_new) = (0, 0);
    for delay in [20, 60, 100, 140, 180, 220, 260, 300, 340, 380, 420, 460, 520, 600] {
        let job = World::job(&world.call("restore_start", request.clone()));
        sleep(Duration::from_millis(delay));
        killed += u32::from(World::kill_worker(&job));
        world.call("recover", json!({"wait": true}));
        let status = world.await_end(&job);
        let now = world.digest();
        let side = |side: &world::Digest| {
            files_of(&now) == files_of(side) && now.database == side.database && now.config == side.config
        };
        assert!(
            side(&damaged) || side(&new),
            "killed after {delay} ms: neither side, {status}\n{}",
            damaged.differences(&now)
        );
        assert_eq!(now.neighbour, damaged.neighbour);
        world.assert_nothing_left();
        if side(&new) {
            came_new += 1;
            world.back(&job);
        }
    }
    assert!(killed > 2, "{killed} workers were killed, {came_new} had finished");
}

#[test]
fn kept_files_are_the_same_files_and_what_is_written_to_them_is_not_lost() {
    let world = World::up();
    world.harness("backup", &["--layout", "smart", "--stamp", "20250101_030000"]);
    let log = world.root().join("wp-content/cache/since");
    std::fs::write(&log, "before\n").unwrap();
    let inode = log.metadata().unwrap().ino();
    let job = world.part(json!({"components": {"files": true}}));
    assert_eq!(log.metadata().unwrap().ino(), inode);
    std::fs::write(&log, "before\nafter\n").unwrap();
    world.back(&job);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "before\nafter\n");
}

#[test]
fn a_site_that_was_broken_before_may_be_mended_part_by_part() {
    let (world, _, _) = World::damaged();
    std::fs::write(world.root().join("index.php"), "<?php http_response_code(500);").unwrap();
    sleep(Duration::from_millis(3200));
    assert_eq!(world.harness("fetch", &[]), "");
    let data = world.call(
        "restore_start",
        json!({"domain": DOMAIN, "components": {"files": ["wp-content/uploads/2024"]}, "wait": true}),
    );
    assert!(data["verification"]["live"].to_string().contains("it did so before the restore too"), "{data}");
    // A part that breaks a site that stood is taken back.
    std::fs::write(world.root().join("index.php"), "<?php echo 'good';").unwrap();
    std::fs::write(world.root().join("wp-content/themes/rocket/index.php"), "<?php http_response_code(500);").unwrap();
    let (stage, backups) = (world.place().join("broken"), world.place().join("base/backups").join(DOMAIN));
    std::fs::create_dir_all(stage.join("www")).unwrap();
    std::fs::write(stage.join("www/index.php"), "<?php http_response_code(500);").unwrap();
    let packed = std::process::Command::new("tar")
        .arg("-czf")
        .arg(backups.join("backup_20990101_000000.tar.gz"))
        .arg("-C")
        .arg(&stage)
        .arg(".")
        .status();
    assert!(packed.unwrap().success());
    sleep(Duration::from_millis(3200));
    let error = world.part_refused(json!({"components": {"files": ["index.php"]}}));
    assert_eq!(error["code"], "verification_failed");
    assert_eq!(std::fs::read_to_string(world.root().join("index.php")).unwrap(), "<?php echo 'good';");
    world.assert_nothing_left();
}
