//! The page that is served after a change-over is the restored one, whatever nginx and PHP had in mind of the one before.
//! `RV_NGINX` names another release of nginx (`scripts/servers.sh`).

use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// What visitors get, so many times.
pub fn seen(world: &World, path: &str, times: usize) -> Vec<String> {
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
pub fn all_see(world: &World, path: &str, wanted: &str) {
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

pub fn replace(path: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{}", path.display());
    std::fs::write(path, text.replacen(old, new, 1)).unwrap();
}

/// Only the files: the configuration of the world is what the test is about.
pub fn restore_files(world: &World) -> Value {
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}))
}

pub fn go_back(world: &World, restored: &Value) {
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

pub fn page_of(world: &World, host: &str, path: &str) -> String {
    let url = format!("http://127.0.0.1:{}/{path}", world.env("WORLD_PORT"));
    let header = format!("Host: {host}");
    let output =
        Command::new("curl").args(["--silent", "--max-time", "10", "--header", &header, &url]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn notes(report: &Value) -> String {
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

/// All sites of the world save in one zone of nginx's what a server behind it answers below `/app/`.
pub fn save_pages_of(world: &World, behind: impl Fn(&str) -> String) {
    let place = world.place();
    let zone = format!(
        "sendfile on;\n    proxy_cache_path {0}/proxied levels=1:2 keys_zone=proxied:1m inactive=1h;\n    \
         proxy_cache_key \"$scheme$request_method$host$request_uri\";",
        place.display()
    );
    replace(&place.join("nginx/nginx.conf"), "sendfile on;", &zone);
    for domain in [DOMAIN, "neighbour.example"] {
        let passed = format!(
            "location ^~ /app/ {{ proxy_pass {}; proxy_cache proxied; proxy_cache_valid 200 1h; }}\n    location / {{",
            behind(domain)
        );
        replace(&place.join("nginx/sites-available").join(domain), "location / {", &passed);
    }
    world.signal("run/nginx.pid", "-HUP");
}

/// The server behind nginx: PHP's own, on the files of a site, ended by its process.
struct Behind(std::process::Child, u16);

impl Behind {
    fn start(world: &World) -> Behind {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("php");
        command
            .args(["-d", "opcache.enable=0", "-S", &format!("127.0.0.1:{free}"), "-t"])
            .arg(world.place().join("web"));
        let quiet = || std::process::Stdio::null();
        let child = command.stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", free)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Behind(child, free)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn pages_of_a_server_behind_nginx_are_old_then_new_then_old_again_and_those_of_another_host_stay() {
    let world = World::up();
    let place = world.place();
    let behind = Behind::start(&world);
    let page = world.root().join("page.php");
    let says = |word: &str| std::fs::write(&page, format!("<?php echo '{word}';")).unwrap();
    says("good");
    save_pages_of(&world, |domain| format!("http://127.0.0.1:{}/{domain}/", behind.1));
    world.harness("backup", &[]);
    says("hacked");
    std::fs::write(place.join("web/neighbour.example/time.php"), "<?php echo microtime(true);").unwrap();
    let of_other = page_of(&world, "neighbour.example", "app/time.php");
    assert!(
        of_other.parse::<f64>().is_ok() && page_of(&world, "neighbour.example", "app/time.php") == of_other,
        "{of_other}"
    );
    all_see(&world, "app/page.php", "hacked");
    says("not seen");
    all_see(&world, "app/page.php", "hacked");
    says("hacked");
    let restored = restore_files(&world);
    all_see(&world, "app/page.php", "good");
    assert!(notes(&restored).contains("proxy_cache proxied"), "{restored}");
    go_back(&world, &restored);
    all_see(&world, "app/page.php", "hacked");
    assert_eq!(page_of(&world, "neighbour.example", "app/time.php"), of_other, "another host's page went too");
}

/// What a job has written into its log.
fn log_of(world: &World, job: &str) -> String {
    let logs = world.place().join("base/restore_logs").join(DOMAIN);
    let of_job = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(job));
    let paths = std::fs::read_dir(logs).into_iter().flatten().flatten().map(|entry| entry.path());
    paths.filter(|path| of_job(path)).map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
}

/// A visitor asks for the page before a job begins, and gets the answer when the job would be over.
fn answered_late(world: &World, name: &str, request: Value) -> Value {
    let (began, gate) = (world.place().join("tmp/began"), world.place().join("tmp/gate"));
    let _ = std::fs::remove_file(&gate);
    let _ = std::fs::remove_file(&began);
    std::thread::scope(|scope| {
        let visitor = scope.spawn(|| page_of(world, DOMAIN, "late.php"));
        while !began.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let job = World::job(&world.call(name, request));
        let waits = || log_of(world, &job).contains("began before the change-over go on");
        while !waits() && !matches!(world.poll(&job)["state"].as_str(), Some("done" | "failed" | "rolled_back")) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        std::fs::write(&gate, "").unwrap();
        visitor.join().unwrap();
        world.await_end(&job)
    })
}

#[test]
fn an_answer_that_ends_after_the_change_over_does_not_stay_in_the_cache() {
    let world = World::up();
    let tmp = world.place().join("tmp");
    std::fs::set_permissions(&tmp, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let page = world.root().join("late.php");
    let says = |word: &str| {
        let late = format!(
            "<?php $t = '{0}'; @touch(\"$t/began\"); while (!file_exists(\"$t/gate\")) {{ usleep(5000); clearstatcache(); }} echo '{word}';",
            tmp.display()
        );
        std::fs::write(&page, late).unwrap();
    };
    says("good");
    world.harness("backup", &[]);
    says("hacked");
    save_pages(&world);
    let ended = answered_late(&world, "restore_start", json!({"domain": DOMAIN, "components": {"files": true}}));
    assert_eq!(ended["state"], "done", "{ended}");
    all_see(&world, "late.php", "good");
    // The way back is a change-over too.
    forget_pages(&world);
    let job = World::job(&ended);
    let ended = answered_late(&world, "rollback", json!({"job": job}));
    assert_eq!(ended["state"], "done", "{ended}");
    all_see(&world, "late.php", "hacked");
}

/// nginx has no page saved.
fn forget_pages(world: &World) {
    for folder in std::fs::read_dir(world.place().join("pages")).into_iter().flatten().flatten() {
        std::fs::remove_dir_all(folder.path()).unwrap();
    }
}

#[test]
fn a_saved_page_that_nginx_keeps_open_is_forgotten() {
    let world = World::up();
    let title = |word: &str| {
        let update = format!("UPDATE shop.wp_options SET option_value='{word}' WHERE option_name='rv_side'");
        world.harness("sql", &[&update]);
    };
    let page = "<?php define('SHORTINIT', true); require __DIR__ . '/wp-load.php'; global $wpdb; \
        echo $wpdb->get_var(\"SELECT option_value FROM {$wpdb->options} WHERE option_name = 'rv_side'\");";
    std::fs::write(world.root().join("side.php"), page).unwrap();
    title("good");
    world.harness("backup", &[]);
    title("hacked");
    replace(
        &world.place().join("nginx/nginx.conf"),
        "sendfile on;",
        "sendfile on; open_file_cache max=100 inactive=60s;",
    );
    save_pages(&world);
    all_see(&world, "side.php", "hacked");
    // No file changes places, so that nothing else has nginx forget what it keeps open.
    let only_rows = json!({"domain": DOMAIN, "components": {"database": true}, "wait": true});
    let restored = world.call("restore_start", only_rows);
    all_see(&world, "side.php", "good");
    go_back(&world, &restored);
    all_see(&world, "side.php", "hacked");
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
