//! Pages that a visitor must not see: a rehearsal on the real PHP-FPM stops for them, and for none that has an explanation.

use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

/// What WordPress prints by `wp_die`, and where it does it.
const DIES: &str = "<?php define('WP_USE_THEMES', true); require __DIR__ . '/wp-load.php'; wp_die('No licence.');";

fn index(world: &World, php: &str) {
    std::fs::write(world.root().join("index.php"), php).unwrap();
}

/// Backups of the site as it is now: a copy of the newest one, with the files of now in it.
fn backed_up(world: &World) -> PathBuf {
    // A name has a second.
    sleep(Duration::from_millis(1100));
    PathBuf::from(world.harness("backup", &[]).lines().last().unwrap_or_default())
}

fn rehearsed(world: &World) -> Value {
    backed_up(world);
    world.document("rehearse", &json!({"domain": DOMAIN, "wait": true}))
}

fn message(document: &Value) -> String {
    match document["ok"] == true {
        true => document["data"]["rehearsal"]["message"].as_str().unwrap().to_owned(),
        false => document["error"]["message"].as_str().unwrap().to_owned(),
    }
}

#[track_caller]
fn assert_stops(document: &Value, words: &str) {
    assert_eq!(document["error"]["code"], "verification_failed", "{document}");
    assert!(message(document).contains(words), "{words:?}: {document}");
    // The ways on are named.
    let hint = document["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--no-rehearsal") && hint.contains("http.expect_status"), "{hint}");
}

#[track_caller]
fn assert_not_proven(document: &Value, words: &str) {
    assert_eq!(document["data"]["rehearsal"]["outcome"], "not_checked", "{document}");
    assert!(message(document).contains(words), "{words:?}: {document}");
}

fn settings(world: &World, change: impl FnOnce(String) -> String) {
    let file = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, change(text)).unwrap();
}

#[test]
fn an_error_that_nothing_explains_stops_and_one_that_is_explained_does_not() {
    let world = World::up();
    let answers = |status: u16, page: &str| format!("<?php http_response_code({status}); echo '{page}';");
    let load = "require __DIR__ . '/wp-load.php'; ";
    index(&world, &format!("<?php {load} http_response_code(500); echo '<h1>Sorry</h1>';"));
    let before = world.digest();
    assert_stops(&rehearsed(&world), "/: answers 500: Sorry");
    // Without a word, and as frameworks say it.
    index(&world, &format!("<?php {load} http_response_code(500);"));
    assert_stops(&rehearsed(&world), "/: answers 500");
    index(&world, &format!("<?php {load} http_response_code(500); echo '<title>Server Error</title><p>500</p>';"));
    assert_stops(&rehearsed(&world), "Laravel's page of an error");
    index(&world, &format!("<?php {load} http_response_code(503); echo 'Service Unavailable';"));
    assert_stops(&rehearsed(&world), "/: answers 503");

    // What a rehearsal keeps from a site explains an error of which nobody says why.
    index(
        &world,
        &format!("<?php {load} if (!@fsockopen('127.0.0.1', 6379, $number, $why, 1)) {{ http_response_code(500); }}"),
    );
    assert_not_proven(&rehearsed(&world), "over the network");

    // Closed on purpose: by a mark in the tree, by a word, by the time at which to come again.
    index(&world, &answers(503, "<h1>Zaraz wracamy</h1>"));
    let mark = world.root().join("storage/framework/down");
    std::fs::create_dir_all(mark.parent().unwrap()).unwrap();
    std::fs::write(&mark, "{}").unwrap();
    assert_not_proven(&rehearsed(&world), "closed for maintenance");
    std::fs::remove_dir_all(world.root().join("storage")).unwrap();
    index(&world, "<?php http_response_code(503); header('Retry-After: 600'); echo 'Zaraz wracamy';");
    assert_not_proven(&rehearsed(&world), "closed for maintenance");

    // The administrator says what the site is to answer.
    index(&world, &format!("<?php {load} http_response_code(501); echo '<h1>Only for programs</h1>';"));
    assert_stops(&rehearsed(&world), "Only for programs");
    settings(&world, |text| text.replace("[http]", "[http]\nexpect_status = [200, 301, 302, 501]"));
    assert_not_proven(&rehearsed(&world), "http.expect_status");
    assert_eq!(world.digest().database, before.database, "nothing live was changed");
    world.assert_nothing_left();
}

#[test]
fn wordpress_that_is_closed_for_an_update_stops_nothing_and_one_that_dies_stops() {
    let world = World::up();
    let front = std::fs::read_to_string(world.root().join("index.php")).unwrap();
    std::fs::write(world.root().join(".maintenance"), "<?php $upgrading = time();").unwrap();
    assert_not_proven(&rehearsed(&world), "closed for maintenance");
    std::fs::remove_file(world.root().join(".maintenance")).unwrap();

    index(&world, DIES);
    assert_stops(&rehearsed(&world), "WordPress's page of an error");
    // The same by a status that does not tell of it.
    index(&world, &DIES.replace("'No licence.'", "'No licence.', '', ['response' => 200]"));
    assert_stops(&rehearsed(&world), "/: answers 200 with WordPress's page of an error");
    index(&world, &DIES.replace("'No licence.'", "'Members only.', 'Members only', ['response' => 403]"));
    assert_not_proven(&rehearsed(&world), "answers 403");
    index(&world, &front);
    let proof = rehearsed(&world);
    assert_eq!(proof["data"]["rehearsal"]["outcome"], "pass", "{proof}");
}

#[test]
fn the_page_of_a_bare_web_server_stops_unless_it_is_what_the_live_site_shows() {
    let world = World::up();
    let front = std::fs::read_to_string(world.root().join("index.php")).unwrap();
    let bare = "<?php echo '<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>';";
    index(&world, bare);
    backed_up(&world);
    index(&world, &front);
    let good = world.digest();
    // PHP looks at a file again after two seconds (opcache.revalidate_freq).
    sleep(Duration::from_millis(2500));
    let restore = json!({"domain": DOMAIN, "wait": true});
    let stopped = world.document("restore_start", &restore);
    assert_stops(&stopped, "the default page of nginx");
    world.digest().assert_is(&good, "nothing live was changed");

    // A site that was never more than that.
    index(&world, bare);
    sleep(Duration::from_millis(2500));
    let parked = world.document("rehearse", &restore);
    assert_not_proven(&parked, "the live site shows the same page");
    settings(&world, |text| text.replace("[http]\nurl = ", "[http]\nurl = \"\" #"));
    assert_stops(&world.document("rehearse", &restore), "the default page of nginx");

    // By the way that the hint names it goes live all the same.
    let output =
        world.program().args(["restore", DOMAIN, "--latest", "--yes", "--no-rehearsal", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
