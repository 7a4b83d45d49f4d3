//! The page that is served after a change-over is the restored one, whatever nginx and PHP had in mind of the one before.

use crate::world::stores::Store;
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// What visitors get, so many times.
fn seen(world: &World, path: &str, times: usize) -> Vec<String> {
    let port = world.env("WORLD_PORT");
    let get = |_| {
        let output = Command::new("curl")
            .args(["--silent", "--max-time", "10", "--header", &format!("Host: {DOMAIN}")])
            .arg(format!("http://127.0.0.1:{port}/{path}"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    (0..times).map(get).collect()
}

#[track_caller]
fn all_see(world: &World, path: &str, wanted: &str) {
    let seen = seen(world, path, 40);
    let others: Vec<&String> = seen.iter().filter(|page| *page != wanted).collect();
    assert!(
        others.is_empty(),
        "{} of {} see something else than {wanted:?}: {:?}",
        others.len(),
        seen.len(),
        others[0]
    );
}

fn replace(path: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{}", path.display());
    std::fs::write(path, text.replacen(old, new, 1)).unwrap();
}

/// Only the files: the configuration of the world is what the test is about.
fn restore_files(world: &World) -> Value {
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}))
}

fn go_back(world: &World, restored: &Value) {
    world.call("rollback", json!({"job": World::job(restored), "wait": true}));
}

#[test]
fn nginx_forgets_the_files_it_keeps_open() {
    let world = World::up();
    replace(
        &world.place().join("nginx/nginx.conf"),
        "sendfile on;",
        "sendfile on; open_file_cache max=100 inactive=60s;",
    );
    world.signal("run/nginx.pid", "-HUP");
    let script = world.root().join("wp-content/site.js");
    std::fs::write(&script, "good").unwrap();
    world.harness("backup", &[]);
    std::fs::remove_file(&script).unwrap();
    std::fs::write(&script, "hacked").unwrap();
    all_see(&world, "wp-content/site.js", "hacked");
    let restored = restore_files(&world);
    all_see(&world, "wp-content/site.js", "good");
    go_back(&world, &restored);
    all_see(&world, "wp-content/site.js", "hacked");
}

#[test]
fn every_worker_of_php_forgets_where_links_led() {
    let world = World::up();
    let root = world.root();
    let release = |name: &str| {
        std::fs::create_dir_all(root.join("releases").join(name)).unwrap();
        std::fs::write(root.join("releases").join(name).join("lib.php"), format!("<?php echo 'release {name}';"))
            .unwrap();
        let _ = std::fs::remove_file(root.join("current"));
        symlink(format!("releases/{name}"), root.join("current")).unwrap();
    };
    std::fs::write(root.join("release.php"), "<?php require __DIR__ . '/current/lib.php';").unwrap();
    release("one");
    world.harness("backup", &[]);
    std::fs::remove_dir_all(root.join("releases/one")).unwrap();
    release("two");
    // Without a code cache nothing else tells the workers that paths may lead elsewhere.
    replace(
        &world.place().join("php/pool.d").join(format!("{DOMAIN}.conf")),
        "pm = static",
        "pm = static\nphp_admin_value[opcache.enable] = 0",
    );
    world.signal("run/php-fpm.pid", "-USR2");
    all_see(&world, "release.php", "release two");
    let restored = restore_files(&world);
    all_see(&world, "release.php", "release one");
    go_back(&world, &restored);
    all_see(&world, "release.php", "release two");
}

/// All sites of the world save their pages in one zone of nginx's, under the usual key.
pub fn save_pages(world: &World) {
    let place = world.place();
    let zone = format!(
        "sendfile on;\n    fastcgi_cache_path {0}/pages levels=1:2 keys_zone=pages:1m inactive=1h;\n    \
         fastcgi_cache_key \"$scheme$request_method$host$request_uri\";",
        place.display()
    );
    replace(&place.join("nginx/nginx.conf"), "sendfile on;", &zone);
    for domain in [DOMAIN, "neighbour.example"] {
        let site = place.join("nginx/sites-available").join(domain);
        replace(
            &site,
            "include fastcgi_params;",
            "include fastcgi_params; fastcgi_cache pages; fastcgi_cache_valid 200 1h;",
        );
    }
    world.signal("run/nginx.pid", "-HUP");
}

fn page_of(world: &World, host: &str, path: &str) -> String {
    let url = format!("http://127.0.0.1:{}/{path}", world.env("WORLD_PORT"));
    let header = format!("Host: {host}");
    let output =
        Command::new("curl").args(["--silent", "--max-time", "10", "--header", &header, &url]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn notes(report: &Value) -> String {
    report["notes"].to_string()
}

#[test]
fn the_pages_that_nginx_saved_of_this_host_go_and_those_of_another_stay() {
    let world = World::up();
    let page = world.root().join("page.php");
    let says = |word: &str| std::fs::write(&page, format!("<?php echo '{word}';")).unwrap();
    says("good");
    world.harness("backup", &[]);
    says("hacked");
    save_pages(&world);
    let other = world.place().join("web/neighbour.example/time.php");
    std::fs::write(&other, "<?php echo microtime(true);").unwrap();
    let of_other = page_of(&world, "neighbour.example", "time.php");
    assert_eq!(page_of(&world, "neighbour.example", "time.php"), of_other, "it is saved");
    all_see(&world, "page.php", "hacked");
    all_see(&world, "page.php?a=b", "hacked");
    let restored = restore_files(&world);
    all_see(&world, "page.php", "good");
    all_see(&world, "page.php?a=b", "good");
    assert!(notes(&restored).contains("fastcgi_cache pages"), "{restored}");
    go_back(&world, &restored);
    all_see(&world, "page.php", "hacked");
    all_see(&world, "page.php?a=b", "hacked");
    assert_eq!(page_of(&world, "neighbour.example", "time.php"), of_other, "another host's page went too");

    // The key names no host, and the zone is not the site's alone.
    replace(&world.place().join("nginx/nginx.conf"), "$scheme$request_method$host$request_uri", "$request_uri");
    world.signal("run/nginx.pid", "-HUP");
    let restored = restore_files(&world);
    assert!(notes(&restored).contains("does not tell the pages of one host from those of another"), "{restored}");
}

#[test]
fn pages_that_plugins_saved_are_not_brought_and_come_back_with_the_site_they_are_of() {
    let world = World::up();
    let content = world.root().join("wp-content");
    let folders = [
        "supercache/shop.example",
        "page_enhanced/shop.example",
        "wp-rocket/shop.example",
        "all",
        "cache-enabler/shop.example",
    ];
    let folders: Vec<_> =
        folders.iter().map(|name| content.join("cache").join(name)).chain([content.join("litespeed/x")]).collect();
    let save = |word: &str| {
        for folder in &folders {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join("index.html"), word).unwrap();
        }
        std::fs::create_dir_all(content.join("cache/autoptimize")).unwrap();
        std::fs::write(content.join("cache/autoptimize/a.css"), word).unwrap();
        assert!(Command::new("chown").args(["-R", "www-data:www-data"]).arg(&content).status().unwrap().success());
    };
    let saved = || folders.iter().filter(|folder| folder.join("index.html").exists()).count();
    // One layout holds the folders, the other leaves them out, so that the live ones are carried over.
    for (layout, rest) in [("design", "of the backup"), ("smart", "of the site")] {
        save("of the backup");
        for backup in std::fs::read_dir(world.place().join("base/backups").join(DOMAIN)).into_iter().flatten().flatten()
        {
            let _ = std::fs::remove_file(backup.path());
        }
        world.harness("backup", &["--layout", layout]);
        save("of the site");
        let before = world.digest();
        let restored = restore_files(&world);
        assert_eq!(saved(), 0, "{layout}");
        assert_eq!(std::fs::read_to_string(content.join("cache/autoptimize/a.css")).unwrap(), rest, "{layout}");
        assert!(notes(&restored).contains("saved pages in wp-content/cache/supercache"), "{restored}");
        assert_eq!(restored["verification"]["outcome"], "pass", "{restored}");
        go_back(&world, &restored);
        world.digest().assert_is(&before, layout);
    }
    // A restore of the database alone leaves the tree, and the pages in it are of the old rows.
    let restored =
        world.call("restore_start", json!({"domain": DOMAIN, "components": {"database": true}, "wait": true}));
    assert_eq!(saved(), 0, "{restored}");
    // What is named is brought.
    save("of the site");
    world.call(
        "restore_start",
        json!({"domain": DOMAIN, "components": {"files": ["wp-content/litespeed"]}, "wait": true}),
    );
    assert_eq!(std::fs::read_to_string(content.join("litespeed/x/index.html")).unwrap(), "of the backup");
}

/// The site's objects are in a database of Redis that it shares with another site, with sessions and with queues.
pub fn keep_objects(world: &World, redis: &Store, constants: &str) {
    let root = world.root();
    let of_harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/world/object-cache.php");
    std::fs::copy(of_harness, root.join("wp-content/object-cache.php")).unwrap();
    let settings = format!(
        "<?php\ndefine('WP_REDIS_SCHEME', 'unix');\ndefine('WP_REDIS_PATH', '{}');\ndefine('WP_REDIS_DATABASE', 2);\n{constants}\n",
        redis.socket()
    );
    replace(&root.join("wp-config.php"), "<?php\n", &settings);
    // PHP knows the file from before for two seconds.
    world.harness("stop", &["KILL", "php_fpm"]);
    world.harness("start", &["php_fpm"]);
}

const STAY: [&str; 5] =
    ["other:wp:options:alloptions", "PHPREDIS_SESSION:abc", "shop:session:1", "shop_queues:default", "shoe:wp:x"];

#[test]
fn the_sites_objects_in_redis_go_and_sessions_queues_and_other_sites_stay() {
    let world = World::up();
    let redis = Store::redis(&world, "777");
    keep_objects(&world, &redis, "define('WP_REDIS_PREFIX', 'shop:');");
    world.harness("backup", &[]);
    STAY.iter().for_each(|key| drop(redis.ask(2, &["SET", key, "x"])));
    redis.ask(0, &["SET", "shop:wp:elsewhere", "x"]);
    let title = |word: &str| {
        world.harness(
            "sql",
            &[&format!("UPDATE shop.wp_options SET option_value='{word}' WHERE option_name='blogname'")],
        );
    };
    title("Hacked Shop");
    redis.ask(2, &["DEL", "shop:wp:options:alloptions"]);
    let sees = |word: &str, when: &str| {
        for _ in 0..10 {
            let page = page_of(&world, DOMAIN, "");
            assert!(page.contains(&format!("<h1>{word}</h1>")), "{when}: {page}");
        }
    };
    sees("Hacked Shop", "before");
    title("Not Seen");
    sees("Hacked Shop", "it comes from the cache");
    title("Hacked Shop");
    assert!(redis.keys(2, "shop:wp:*").len() > 3);
    let restored = world.restore();
    sees("Rocket Shop", "after the change-over");
    assert!(notes(&restored).contains("Redis at") && !notes(&restored).contains("nothing"), "{restored}");
    let stay = |when: &str| {
        STAY.iter().for_each(|key| assert_eq!(redis.ask(2, &["EXISTS", key]), "1", "{when}: {key}"));
        assert_eq!(redis.keys(0, "*"), ["shop:wp:elsewhere"], "{when}");
    };
    stay("restored");
    go_back(&world, &restored);
    sees("Hacked Shop", "after the rollback");
    stay("rolled back");
}

#[test]
fn a_database_of_redis_without_a_prefix_or_a_right_to_it_is_left_unless_the_operator_says_whose_it_is() {
    let world = World::up();
    let redis = Store::redis(&world, "777");
    keep_objects(&world, &redis, "");
    world.harness("backup", &[]);
    let put = || redis.ask(2, &["MSET", "wp:options:x", "1", "PHPREDIS_SESSION:abc", "1"]);
    put();
    let restored = restore_files(&world);
    assert!(notes(&restored).contains("have no prefix of their own"), "{restored}");
    assert_eq!(redis.ask(2, &["EXISTS", "wp:options:x"]), "1");

    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[sites.\"{DOMAIN}\"]\ncaches = [\"redis:{}/2\"]\n", redis.socket()))
        .unwrap();
    restore_files(&world);
    assert_eq!(redis.ask(2, &["EXISTS", "wp:options:x"]), "0");
    assert_eq!(redis.ask(2, &["EXISTS", "PHPREDIS_SESSION:abc"]), "1");

    // Root could open the socket; the site's account may not.
    put();
    std::fs::set_permissions(redis.socket(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let restored = restore_files(&world);
    assert!(notes(&restored).contains("Permission denied"), "{restored}");
    assert_eq!(redis.ask(2, &["EXISTS", "wp:options:x"]), "1");
}

#[test]
fn laravels_cache_in_redis_goes_by_its_prefix() {
    let world = World::up();
    let redis = Store::redis(&world, "777");
    let root = world.root();
    std::fs::write(root.join("artisan"), "#!/usr/bin/env php\n<?php exit(0);\n").unwrap();
    let env = format!(
        "APP_NAME=\"My Shop\"\nCACHE_STORE=redis\nREDIS_HOST={}\nREDIS_PORT=0\nREDIS_PASSWORD=null\n",
        redis.socket()
    );
    std::fs::write(root.join(".env"), env).unwrap();
    world.harness("backup", &[]);
    let (cached, queue) = ("my_shop_database_my_shop_cache_:posts", "my_shop_database_queues:default");
    let session = "my_shop_database_my_shop_cache_:session:1";
    for (database, key) in
        [(1, cached), (1, session), (1, "other_database_other_cache_:posts"), (0, queue), (0, cached)]
    {
        redis.ask(database, &["SET", key, "x"]);
    }
    restore_files(&world);
    assert_eq!(redis.keys(1, "*"), [session, "other_database_other_cache_:posts"]);
    assert_eq!(redis.keys(0, "*"), [cached, queue]);
}

#[test]
fn memcached_is_emptied_by_the_operators_word_alone() {
    let world = World::up();
    let memcached = Store::memcached(&world);
    let root = world.root();
    std::fs::write(
        root.join("wp-content/object-cache.php"),
        "<?php\nrequire_once ABSPATH . WPINC . '/cache.php'; // Memcached\n",
    )
    .unwrap();
    let servers = format!("<?php\n$memcached_servers = array('default' => array('{}:0'));\n", memcached.socket());
    replace(&root.join("wp-config.php"), "<?php\n", &servers);
    world.harness("backup", &[]);
    let php = |script: &str| {
        let connect = format!("$m = new Memcached; $m->addServer('{}', 0); {script}", memcached.socket());
        let output = Command::new("php").args(["-r", &connect]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    php("$m->set('x', 'there');");
    let restored = restore_files(&world);
    assert!(notes(&restored).contains("are not told from another's there"), "{restored}");
    assert_eq!(php("echo $m->get('x');"), "there");
    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[sites.\"{DOMAIN}\"]\ncaches = [\"memcached:{}\"]\n", memcached.socket()))
        .unwrap();
    // It expires what is older than this second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    restore_files(&world);
    assert_eq!(php("echo $m->get('x');"), "");
}

#[test]
fn a_worker_that_dies_around_the_emptying_leaves_no_old_page() {
    let world = World::up();
    let page = world.root().join("page.php");
    std::fs::write(&page, "<?php echo 'good';").unwrap();
    world.harness("backup", &[]);
    std::fs::write(&page, "<?php echo 'hacked';").unwrap();
    save_pages(&world);
    all_see(&world, "page.php", "hacked");
    let request = json!({"domain": DOMAIN, "components": {"files": true}});
    let (job, trace) = world.watch("restore_start", &request);
    all_see(&world, "page.php", "good");
    world.call("rollback", json!({"job": job, "wait": true}));
    let intent = trace.that_writes("\"step\":\"empty_caches\"").number;
    let done = trace.calls.iter().find(|call| call.number > intent && call.text.contains("\"record\":\"done\""));
    let done = done.expect("the step was not done").number;
    for (number, when) in
        [(intent, "before it is announced"), (done, "when it is done"), (done + 2, "when that is noted")]
    {
        all_see(&world, "page.php", "hacked");
        let (job, reached) = world.kill_before(number, "restore_start", &request);
        assert!(reached, "{when}");
        // Whatever is live now is saved.
        seen(&world, "page.php", 5);
        world.call("recover", json!({"wait": true}));
        let is_new = std::fs::read_to_string(&page).unwrap().contains("good");
        assert_eq!(is_new, world.poll(&job)["state"] == "done", "{when}");
        all_see(&world, "page.php", if is_new { "good" } else { "hacked" });
        if is_new {
            world.call("rollback", json!({"job": job, "wait": true}));
        }
    }
}
