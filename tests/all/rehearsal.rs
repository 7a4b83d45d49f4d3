//! The rehearsal: a staged site is asked for pages before it is live, and reaches nothing of the machine meanwhile.

use crate::world::{DOMAIN, Digest, World, is_alive, worker};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a page can tell a rehearsal by.
const IN_REHEARSAL: &str = "strpos($_SERVER['HTTP_USER_AGENT'] ?? '', 'rehearsal') !== false";

/// A world whose backup holds what `change` made of the site, and whose live site is as it was before; its digest, and that of the backup.
fn backed_up(change: impl FnOnce(&World)) -> (World, Digest, Digest) {
    let world = World::up();
    world.harness("save", &[]);
    change(&world);
    let changed = world.digest();
    world.harness("backup", &[]);
    world.harness("reset", &[]);
    let good = world.digest();
    (world, good, changed)
}

fn index(world: &World, php: &str) {
    std::fs::write(world.root().join("index.php"), php).unwrap();
}

fn wait() -> Value {
    json!({"domain": DOMAIN, "wait": true})
}

fn page<'a>(rehearsal: &'a Value, name: &str) -> &'a Value {
    rehearsal["pages"].as_array().unwrap().iter().find(|page| page["name"] == name).unwrap()
}

/// The processes of the live PHP-FPM.
fn live_php(world: &World) -> Vec<u32> {
    let master = std::fs::read_to_string(world.place().join("run/php-fpm.pid")).unwrap();
    descendants(master.trim().parse().unwrap())
}

/// A process and all below it.
fn descendants(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(pid) = all.get(at).copied() {
        for thread in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().map(|child| child.parse::<u32>().unwrap()));
        }
        at += 1;
    }
    all
}

fn accounts(world: &World) -> String {
    world.harness("sql", &["SELECT User FROM mysql.user WHERE User LIKE 'rv%'"])
}

/// Nothing of a rehearsal is left on the machine.
fn assert_gone(world: &World) {
    assert_eq!(accounts(world), "");
    world.assert_nothing_left();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let place = world.place().display().to_string();
    assert!(!mounts.lines().any(|line| line.contains(&place) || line.contains("rocketvps-cell")), "{mounts}");
    let left =
        Command::new("find").arg(world.place()).args(["-name", "*.sock", "-path", "*.rocketvps-restore*"]).output();
    assert_eq!(String::from_utf8_lossy(&left.unwrap().stdout), "");
}

#[test]
fn a_good_backup_is_asked_for_its_pages_and_the_live_site_notices_nothing() {
    let (world, _, _) = World::damaged();
    let php = live_php(&world);
    let mark = world.place().join("php-before");
    std::fs::write(&mark, format!("{php:?}")).unwrap();
    let request = json!({"domain": DOMAIN, "wait": true, "components": {"files": true, "database": true}});
    let report = world.call("restore_start", request);
    let rehearsal = &report["rehearsal"];
    assert_eq!(rehearsal["outcome"], "pass", "{rehearsal}");
    assert_eq!(page(rehearsal, "front_page")["figures"]["status"], 200);
    let post = page(rehearsal, "post");
    assert_eq!((&post["outcome"], &post["figures"]["path"]), (&json!("pass"), &json!("/post-number-60/")), "{post}");
    assert!(rehearsal["millis"].as_u64().unwrap() < 20_000);
    assert_eq!(live_php(&world), php, "the live PHP-FPM was not touched");
    assert_gone(&world);
}

#[test]
fn a_theme_that_does_not_run_stops_the_restore_before_anything_changed() {
    let (world, good, _) = backed_up(|world| {
        let theme = world.root().join("wp-content/themes/rocket/index.php");
        std::fs::write(theme, "<?php\n\nno_such_function();\n").unwrap();
    });
    let php = live_php(&world);
    let error = world.refused("restore_start", wait());
    assert_eq!((&error["code"], &error["context"]["phase"]), (&json!("verification_failed"), &json!("verification")));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("themes/rocket/index.php:3") && message.contains("no_such_function"), "{message}");
    assert!(error["hint"].as_str().unwrap().contains("--no-rehearsal"), "{error}");
    assert_eq!(error["context"]["rehearsal"]["outcome"], "fail");
    world.digest().assert_is(&good, "nothing live was changed");
    assert_eq!(live_php(&world), php);
    assert_gone(&world);

    // Without a rehearsal visitors met it.
    let without = json!({"domain": DOMAIN, "wait": true, "options": {"rehearsal": false}});
    let error = world.refused("restore_start", without);
    assert!(error["message"].as_str().unwrap().contains("the live site did not stand up"), "{error}");
    world.digest().assert_is(&good, "brought back");
}

#[test]
fn a_dump_without_what_the_site_needs_stops_the_restore() {
    let (world, good, _) = backed_up(|world| {
        world.harness("sql", &["DELETE FROM shop.wp_options WHERE option_name IN ('siteurl', 'home')"]);
    });
    let error = world.refused("restore_start", wait());
    assert_eq!(error["code"], "verification_failed", "{error}");
    assert!(error["message"].as_str().unwrap().contains("Error establishing a database connection"), "{error}");
    world.digest().assert_is(&good, "nothing live was changed");
    assert_gone(&world);
}

/// The live pool's mails go into a file from now on; the file, which is not there.
fn send_mail_into_a_file(world: &World) -> PathBuf {
    let folder = world.place().join("mails");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (program, sent) = (world.place().join("sendmail"), folder.join("sent"));
    std::fs::write(&program, format!("#!/bin/sh\ncat >{}\n", sent.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pool = world.place().join("php/pool.d").join(format!("{DOMAIN}.conf"));
    let text = std::fs::read_to_string(&pool).unwrap();
    let own = format!("pm = static\nphp_admin_value[sendmail_path] = {}", program.display());
    std::fs::write(&pool, text.replacen("pm = static", &own, 1)).unwrap();
    world.signal("run/php-fpm.pid", "-USR2");
    let page = world.root().join("mail.php");
    std::fs::write(&page, "<?php echo mail('a@shop.example', 'live', 'live') ? 'sent' : 'not sent';").unwrap();
    let ask = || {
        let header = format!("Host: {DOMAIN}");
        let url = format!("http://127.0.0.1:{}/mail.php", world.env("WORLD_PORT"));
        let output = Command::new("curl").args(["--silent", "--header", &header, &url]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let started = Instant::now();
    while !sent.exists() {
        let said = ask();
        assert!(started.elapsed() < Duration::from_secs(20), "the live site sends no mail: {said}");
        sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(page).unwrap();
    std::fs::remove_file(&sent).unwrap();
    sent
}

/// How nice a process is, by proc(5).
fn niceness(pid: u32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which may hold anything, the 17th.
    stat.rsplit_once(')')?.1.split_whitespace().nth(16)?.parse().ok()
}

#[test]
fn a_rehearsal_leaves_the_processor_to_the_visitors() {
    let world = World::up();
    world.harness("backup", &[]);
    let job = World::job(&world.call("rehearse", json!({"domain": DOMAIN})));
    let mut seen = Vec::new();
    while world.poll(&job)["state"] != "done" {
        assert!(world.poll(&job)["error"].is_null(), "{}", world.poll(&job));
        // With what it started: PHP in its cell is there for a moment.
        let all = worker(&job).map(descendants).unwrap_or_default();
        seen.extend(all.into_iter().filter_map(niceness));
        sleep(Duration::from_millis(2));
    }
    let polite = seen.iter().skip_while(|nice| **nice == 0).all(|nice| *nice == 10);
    assert!(polite && seen.last() == Some(&10), "{seen:?}");
}

/// What it calls with each row may take as long as its owner likes.
#[test]
fn a_view_in_the_place_of_the_live_posts_is_not_read() {
    let world = World::up();
    // Longer than what is compared by its letters.
    world.harness("sql", &["UPDATE shop.wp_posts SET post_content=REPEAT('Words of it. ', 1000) WHERE ID=60"]);
    world.harness("backup", &[]);
    let post = || {
        let rehearsed = world.call("rehearse", json!({"domain": DOMAIN, "wait": true}));
        let pages = rehearsed["rehearsal"]["pages"].as_array().unwrap_or_else(|| panic!("{rehearsed}")).clone();
        pages.into_iter().find(|page| page["name"] == "post").unwrap_or_else(|| panic!("{rehearsed}"))
    };
    assert_eq!(post()["figures"]["before"], "same");
    world.harness("sql", &["RENAME TABLE shop.wp_posts TO shop.aside"]);
    world.harness("sql", &["CREATE VIEW shop.wp_posts AS SELECT * FROM shop.aside WHERE SLEEP(60)=0"]);
    let seen = post();
    assert!(seen["figures"]["before"] == "unknown" && seen["outcome"] == "pass", "{seen}");
}

#[test]
fn what_the_site_writes_in_a_rehearsal_goes_nowhere() {
    let (world, _, changed) = backed_up(|world| {
        let front = format!(
            "<?php
            define('WP_USE_THEMES', true);
            $rehearsed = {IN_REHEARSAL};
            require __DIR__ . '/wp-load.php';
            if ($rehearsed) {{
                update_option('rv_rehearsed', 'yes');
                $wpdb->query(\"UPDATE {{$wpdb->posts}} SET post_title = 'rehearsed'\");
                file_put_contents(__DIR__ . '/rehearsed.txt', 'x');
                // A further name of a file that stays live.
                file_put_contents(__DIR__ . '/wp-content/uploads/second-name.txt', 'rehearsed');
                unlink(__DIR__ . '/readme.html');
                mail('visitor@shop.example', 'rehearsed', 'rehearsed');
            }}
            require __DIR__ . '/wp-blog-header.php';"
        );
        index(world, &front);
        // What would answer from the live site's caches.
        let cache = format!(
            "<?php if ({IN_REHEARSAL}) {{ throw new Exception('a cache'); }}\nrequire ABSPATH . WPINC . '/cache.php';\n"
        );
        let drop_in = world.root().join("wp-content/object-cache.php");
        std::fs::write(&drop_in, cache).unwrap();
        std::os::unix::fs::chown(drop_in, Some(33), Some(33)).unwrap();
    });
    let sent = send_mail_into_a_file(&world);
    let report = world.call("restore_start", wait());
    assert_eq!(report["rehearsal"]["outcome"], "pass", "{}", report["rehearsal"]);
    assert!(!sent.exists(), "a mail of the rehearsal went out");
    let mut now = world.digest();
    // The backup was made of this very state.
    now.neighbour.clone_from(&changed.neighbour);
    now.assert_is(&changed, "as it was backed up");
    assert_gone(&world);
}

/// Tries all that a hostile site may try, and tells what it reached.
const REACHES: &str = r#"<?php
$reached = [];
$try = function (string $what, callable $act) use (&$reached) {
    try {
        if (@$act()) {
            $reached[] = $what;
        }
    } catch (\Throwable $refused) {
    }
};
$try('own', fn () => file_put_contents(__DIR__ . '/reached.txt', 'x'));
$try('tcp', fn () => fsockopen('127.0.0.1', @PORT@, $number, $message, 1));
$try('etc', fn () => file_put_contents('/etc/rv-reached', 'x'));
$try('neighbour', fn () => file_get_contents('@WORLD@/web/neighbour.example/private/secret.txt'));
$try('neighbour_page', fn () => file_put_contents('@WORLD@/web/neighbour.example/reached.txt', 'x'));
$try('shadow', fn () => file_get_contents('/etc/shadow'));
$try('pool', fn () => stream_socket_client('unix://@WORLD@/run/php-shop.sock', $number, $message, 1));
$try('neighbour_pool', fn () => stream_socket_client('unix://@WORLD@/run/php-neighbour.sock', $number, $message, 1));
$try('signal', fn () => posix_kill(@PHP@, 0));
$try('process', fn () => is_dir('/proc/@PHP@'));
$try('database', fn () => new mysqli('localhost', 'shop', '@PASSWORD@', 'shop', 0, '@WORLD@/run/db.sock'));
$try('jobs', fn () => scandir('@WORLD@/base/restore_jobs'));
$try('devices', fn () => array_diff(scandir('/dev'), ['.', '..', 'fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']));
$try('root', fn () => posix_getuid() === 0 || posix_setuid(0));
$try('staging', fn () => scandir('@WORLD@/web/.rocketvps-restore'));
$told = 'reached: ' . implode(' ', $reached) . '.';
if (@REHEARSED@) {
    throw new Exception($told);
}
echo $told;
"#;

#[test]
fn a_hostile_site_reaches_nothing_of_the_machine() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut text = String::new();
    let (world, good, _) = backed_up(|world| {
        text = REACHES
            .replace("@PORT@", &listener.local_addr().unwrap().port().to_string())
            .replace("@WORLD@", &world.place().display().to_string())
            .replace("@PASSWORD@", &world.env("WORLD_PASSWORD"))
            .replace("@PHP@", &live_php(world)[1].to_string())
            .replace("@REHEARSED@", IN_REHEARSAL);
        index(world, &text);
    });
    let error = world.refused("restore_start", wait());
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("reached: own."), "{message}");
    assert!(listener.accept().is_err(), "somebody connected");
    world.digest().assert_is(&good, "nothing was changed");
    assert_gone(&world);

    // The same site, live, reaches most of it: the attempts are sound ones.
    index(&world, &text);
    // Whoever asked for a page in the last two seconds has PHP take the script that it has for the one that is there.
    let mut told = world.harness("fetch", &[""]);
    for _ in 0..40 {
        if told.contains("reached") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        told = world.harness("fetch", &[""]);
    }
    for reached in
        ["own", "tcp", "neighbour_page", "pool", "neighbour_pool", "signal", "process", "database", "devices"]
    {
        assert!(told.contains(&format!(" {reached} ")) || told.contains(&format!(" {reached}.")), "{reached}: {told}");
    }
}

#[test]
fn a_page_that_has_to_write_is_not_proven_and_stops_nothing() {
    let (world, _, _) = backed_up(|world| {
        index(
            world,
            "<?php require __DIR__ . '/wp-load.php';
            mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
            $own = new mysqli('localhost', DB_USER, DB_PASSWORD, DB_NAME, 0, substr(DB_HOST, 10));
            $own->query(\"UPDATE wp_options SET option_value = 'x' WHERE option_name = 'no_such_option'\");
            echo 'counted';",
        );
    });
    let report = world.call("restore_start", wait());
    let front = page(&report["rehearsal"], "front_page");
    assert_eq!((&front["outcome"], &report["rehearsal"]["outcome"]), (&json!("not_checked"), &json!("not_checked")));
    assert!(front["message"].as_str().unwrap().contains("it wants to change its tables"), "{front}");
    assert_gone(&world);
}

#[test]
fn an_application_with_an_environment_reads_the_staged_tables() {
    let (world, _, _) = backed_up(|world| {
        let variables = format!(
            "DB_CONNECTION=mysql\nDB_HOST=localhost\nDB_SOCKET={}/run/db.sock\nDB_DATABASE=shop\nDB_USERNAME=shop\nDB_PASSWORD={}\n",
            world.place().display(),
            world.env("WORLD_PASSWORD")
        );
        std::fs::write(world.root().join(".env"), variables).unwrap();
        std::fs::remove_file(world.root().join("wp-config.php")).unwrap();
        std::fs::create_dir_all(world.root().join("bootstrap/cache")).unwrap();
        std::fs::write(world.root().join("bootstrap/cache/config.php"), "<?php return ['cached' => true];").unwrap();
        // As a framework does: what the environment has already counts before the file.
        let front = format!(
            "<?php
            foreach (file(__DIR__ . '/.env', FILE_IGNORE_NEW_LINES) as $line) {{
                [$name, $value] = explode('=', $line, 2);
                $_ENV[$name] = $_SERVER[$name] = $_SERVER[$name] ?? $value;
            }}
            $rehearsed = {IN_REHEARSAL};
            if ($rehearsed && (strpos($_ENV['DB_DATABASE'], 'rvs_') !== 0 || is_file(__DIR__ . '/bootstrap/cache/config.php'))) {{
                throw new Exception('it reads ' . $_ENV['DB_DATABASE']);
            }}
            $base = new PDO(\"mysql:unix_socket={{$_ENV['DB_SOCKET']}};dbname={{$_ENV['DB_DATABASE']}}\", $_ENV['DB_USERNAME'], $_ENV['DB_PASSWORD']);
            echo $base->query('SELECT COUNT(*) FROM wp_posts')->fetchColumn(), ' posts';"
        );
        index(world, &front);
    });
    let report = world.call("restore_start", wait());
    assert_eq!(report["rehearsal"]["outcome"], "pass", "{}", report["rehearsal"]);
    assert!(world.root().join("bootstrap/cache/config.php").exists(), "what was hidden is restored");
    assert_gone(&world);
}

/// The front controller of a Symfony site, as far as a rehearsal can tell: the environment counts before `.env`, pages have addresses
/// without files, and an exception goes to the log of production and becomes a page that tells nothing.
const SYMFONY: &str = r#"<?php
foreach (file(dirname(__DIR__) . '/.env', FILE_IGNORE_NEW_LINES) as $line) {
    [$name, $value] = explode('=', $line, 2);
    $_ENV[$name] = $_SERVER[$name] = $_SERVER[$name] ?? trim($value, '"');
}
try {
    $address = parse_url($_SERVER['DATABASE_URL']);
    parse_str($address['query'], $query);
    $schema = substr($address['path'], 1);
    if (strncmp($schema, 'rvs_', 4) !== 0) {
        throw new LogicException('it reads ' . $schema);
    }
    $database = new PDO("mysql:unix_socket={$query['unix_socket']};dbname=$schema", urldecode($address['user']), urldecode($address['pass']));
    $database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    $count = $database->query('SELECT COUNT(*) FROM wp_posts')->fetchColumn();
    if ($_SERVER['REQUEST_URI'] === '/broken') {
        throw new LogicException('no such service');
    }
    echo "<title>Orders</title>$count posts at ", $_SERVER['REQUEST_URI'];
} catch (Throwable $error) {
    @mkdir(dirname(__DIR__) . '/var/log', 0777, true);
    $entry = sprintf('[%s] request.CRITICAL: Uncaught PHP Exception %s: %s', date('c'), get_class($error), $error->getMessage()) . PHP_EOL;
    file_put_contents(dirname(__DIR__) . '/var/log/prod.log', $entry, FILE_APPEND);
    http_response_code(500);
    echo '<title>An Error Occurred: Internal Server Error</title><h1>Oops!</h1>';
}
"#;

#[test]
fn a_symfony_site_reads_its_staged_tables_by_their_address() {
    let shows_public = |world: &World| {
        let site = world.place().join("nginx/sites-available").join(DOMAIN);
        let text = std::fs::read_to_string(&site).unwrap();
        let root = format!("root {}", world.root().display());
        assert!(text.contains(&root), "{text}");
        std::fs::write(&site, text.replace(&root, &format!("{root}/public"))).unwrap();
    };
    let (world, ..) = backed_up(|world| {
        shows_public(world);
        let variables = format!(
            "APP_ENV=prod\nDATABASE_URL=\"mysql://shop:{}@localhost/shop?unix_socket={}/elsewhere.sock&serverVersion=10.11\"\n",
            world.env("WORLD_PASSWORD"),
            world.place().display()
        );
        std::fs::write(world.root().join(".env"), variables).unwrap();
        std::fs::remove_file(world.root().join("wp-config.php")).unwrap();
        std::fs::remove_file(world.root().join("index.php")).unwrap();
        std::fs::create_dir(world.root().join("public")).unwrap();
        std::fs::create_dir(world.root().join("var")).unwrap();
        std::os::unix::fs::chown(world.root().join("var"), Some(33), Some(33)).unwrap();
        std::fs::write(world.root().join("public/index.php"), SYMFONY).unwrap();
    });
    let probed = |path: &str, text: &str| {
        let more = json!({"options": {"probes": [{"path": path, "text": text}]}});
        world.document("rehearse", &crate::world::with_fields(wait(), &more))
    };
    let proof = probed("/orders/7", "posts at /orders/7");
    let rehearsal = &proof["data"]["rehearsal"];
    assert_eq!(rehearsal["outcome"], "pass", "{proof}");
    assert_eq!(page(rehearsal, "probe")["outcome"], "pass", "{proof}");
    assert_eq!(page(rehearsal, "web_server")["figures"]["path"], "/orders/7", "{proof}");
    let proof = probed("/broken", "");
    assert_eq!(proof["error"]["code"], "verification_failed", "{proof}");
    assert!(proof["error"]["message"].as_str().unwrap().contains("no such service"), "{proof}");
    assert_gone(&world);
}

#[test]
fn what_cannot_be_rehearsed_is_said_and_stops_nothing() {
    let (world, _, _) = World::damaged();
    let why = |request: Value| {
        let report = world.call("restore_start", request);
        assert_eq!(
            (&report["rehearsal"]["outcome"], &report["rehearsal"]["pages"]),
            (&json!("not_checked"), &json!([]))
        );
        report["rehearsal"]["message"].as_str().unwrap().to_owned()
    };
    let with = |more: Value| crate::world::with_fields(wait(), &more);
    world.call("restore_start", wait());
    let files = with(json!({"components": {"files": true}}));
    assert!(why(files).contains("the database takes no part"));
    let parts = with(json!({"components": {"files": ["wp-content/uploads"], "database": true}}));
    assert!(why(parts).contains("only parts of the site"));
    assert!(why(with(json!({"options": {"rehearsal": false}}))).contains("the request leaves it out"));
    // A pool that nobody knows of.
    let pool: PathBuf = world.place().join("php/pool.d").join(format!("{DOMAIN}.conf"));
    let aside = pool.with_extension("aside");
    std::fs::rename(&pool, &aside).unwrap();
    let both = json!({"components": {"files": true, "database": true}});
    assert!(why(with(both)).contains("no live PHP-FPM pool"));
    std::fs::rename(&aside, &pool).unwrap();

    let output =
        world.program().args(["restore", DOMAIN, "--latest", "--yes", "--no-rehearsal", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("the request leaves it out"), "{said}");
}

/// Files beside the site are not in a cell: whoever wants one is not broken. One of its own that is not there is.
#[test]
fn a_file_beside_the_site_is_hidden_whichever_way_it_is_named() {
    for (php, outcome) in [
        ("<?php require '../beside/lib.php'; echo page();", "not_checked"),
        ("<?php require __DIR__ . '/linked/lib.php'; echo page();", "not_checked"),
        ("<?php @include __DIR__ . '/../beside/none.php'; require __DIR__ . '/gone.php';", "fail"),
    ] {
        let (world, ..) = backed_up(|world| {
            let beside = world.place().join("web/beside");
            std::fs::create_dir_all(&beside).unwrap();
            std::fs::write(beside.join("lib.php"), "<?php function page() { return '<h1>page</h1>'; }").unwrap();
            std::os::unix::fs::symlink("../beside", world.root().join("linked")).unwrap();
            index(world, php);
        });
        // A link out of the site is restored where the live one has it.
        std::os::unix::fs::symlink("../beside", world.root().join("linked")).unwrap();
        let answer = world.document("rehearse", &wait());
        let found = if answer["ok"] == true { answer["data"]["outcome"].clone() } else { json!("fail") };
        assert_eq!(found, outcome, "{php}: {answer}");
        if outcome == "not_checked" {
            assert!(answer.to_string().contains("a file beside the site"), "{answer}");
        }
    }
}

/// A page that nginx shows by itself is no matter of PHP's: a script that nobody is led to does not stop a restore.
#[test]
fn a_front_page_that_is_a_file_is_not_asked_of_php() {
    let (world, _, _) = backed_up(|world| {
        let site = world.place().join("nginx/sites-available").join(DOMAIN);
        let text = std::fs::read_to_string(&site).unwrap();
        std::fs::write(&site, text.replace("index index.php;", "index index.html index.php;")).unwrap();
        std::fs::write(world.root().join("index.html"), "<h1>Shop</h1>").unwrap();
        index(world, "<?php this is no code");
    });
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let text = std::fs::read_to_string(&site).unwrap();
    std::fs::write(&site, text.replace("index index.php;", "index index.html index.php;")).unwrap();
    let proof = world.call("rehearse", wait());
    assert_eq!(proof["outcome"], "pass", "{proof}");
    assert_eq!(page(&proof["rehearsal"], "front_page")["figures"]["server_block"], "the site's own", "{proof}");
    // The same files, where nginx looks for the script first.
    std::fs::write(&site, text).unwrap();
    let error = world.refused("rehearse", wait());
    assert_eq!(error["code"], "verification_failed", "{error}");
}

#[test]
fn a_rehearsal_by_itself_proves_a_backup_and_removes_what_it_staged() {
    let (world, _, damaged) = World::damaged();
    let proof = world.call("rehearse", wait());
    assert_eq!((&proof["outcome"], &proof["rehearsal"]["outcome"]), (&json!("pass"), &json!("pass")), "{proof}");
    assert_eq!(page(&proof["rehearsal"], "front_page")["figures"]["status"], 200);
    assert!(proof["recovery_s"].as_f64().unwrap() > 0.0 && proof["change_over_ms"].is_u64(), "{proof}");
    assert!(proof["staged"].as_array().unwrap().iter().any(|group| group["name"] == "file_integrity"));
    world.digest().assert_is(&damaged, "the live site was not touched");
    assert_gone(&world);
    let stagings = std::fs::read_dir(world.place().join("web/.rocketvps-restore"));
    assert_eq!(stagings.into_iter().flatten().count(), 0, "what was staged is removed");
    let output = world.program().args(["rehearse", DOMAIN]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("shop.example works from"), "{said}");
    let jobs = world.call("list_jobs", json!({"domain": DOMAIN}))["jobs"].clone();
    assert!(jobs.as_array().unwrap().iter().all(|job| job["kind"] == "rehearse" && job["state"] == "done"), "{jobs}");
}

#[test]
fn a_worker_that_is_killed_in_a_rehearsal_leaves_nothing_of_it() {
    let (world, good, _) = backed_up(|world| {
        index(world, &format!("<?php if ({IN_REHEARSAL}) {{ sleep(30); }} echo 'late';"));
    });
    let job = world.begin();
    let begun = Instant::now();
    let tree = loop {
        let tree = worker(&job).map(descendants).unwrap_or_default();
        // The worker, the two helpers of the cell, PHP-FPM and its two children.
        if tree.len() >= 6 {
            break tree;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no rehearsal was seen: {}", world.poll(&job));
        sleep(Duration::from_millis(5));
    };
    assert_ne!(accounts(&world), "");
    assert!(World::kill_worker(&job));
    let begun = Instant::now();
    while tree.iter().any(|pid| is_alive(*pid)) {
        assert!(begun.elapsed() < Duration::from_secs(5), "a process of the cell stays");
        sleep(Duration::from_millis(5));
    }
    assert_eq!(world.await_end(&job)["error"]["code"], "worker_died");
    world.digest().assert_is(&good, "nothing live was changed");
    assert_eq!(accounts(&world), "");
    world.call("recover", json!({"wait": true}));
    assert_gone(&world);

    // The same again, and cancelled.
    let job = world.begin();
    while worker(&job).map(descendants).unwrap_or_default().len() < 6 {
        sleep(Duration::from_millis(5));
    }
    let asked = Instant::now();
    world.call("restore_cancel", json!({"job": job}));
    assert_eq!(world.await_end(&job)["error"]["code"], "cancelled");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    world.digest().assert_is(&good, "nothing live was changed");
    assert_gone(&world);
}

#[test]
fn a_rehearsal_by_itself_whose_worker_is_killed_leaves_nothing_either() {
    let (world, good, _) = backed_up(|world| {
        index(world, &format!("<?php if ({IN_REHEARSAL}) {{ sleep(30); }} echo 'late';"));
    });
    let job = World::job(&world.call("rehearse", json!({"domain": DOMAIN})));
    let begun = Instant::now();
    while worker(&job).map(descendants).unwrap_or_default().len() < 6 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no rehearsal was seen: {}", world.poll(&job));
        sleep(Duration::from_millis(5));
    }
    assert!(World::kill_worker(&job));
    assert_eq!(world.await_end(&job)["error"]["code"], "worker_died");
    world.digest().assert_is(&good, "nothing live was changed");
    let schemas = world.harness("sql", &["SHOW DATABASES LIKE 'rv%'"]);
    assert_eq!(schemas, "", "a shadow schema stays");
    let stagings = std::fs::read_dir(world.place().join("web/.rocketvps-restore"));
    assert_eq!(stagings.into_iter().flatten().count(), 0, "what was staged is removed");
    assert_gone(&world);
}

#[test]
fn a_backup_without_a_database_proves_nothing_of_a_site_that_has_one() {
    let world = World::up();
    let archive = world.place().join(format!("base/backups/domain_{DOMAIN}_20260102_030406.tar.gz"));
    let mut tar = Command::new("tar");
    // Its live settings alone tell that it has one.
    tar.arg("-czf").arg(&archive).arg("--exclude=wp-config.php").arg("-C").arg(world.place().join("web")).arg(DOMAIN);
    assert!(tar.status().unwrap().success());
    let proof = world.call("rehearse", crate::world::with_fields(wait(), &json!({"backup": archive})));
    assert_eq!(proof["rehearsal"]["outcome"], "not_checked", "{proof}");
    assert!(proof["rehearsal"]["message"].as_str().unwrap().contains("the database takes no part"), "{proof}");
    assert_gone(&world);
    let status = world.program().args(["rehearse", DOMAIN]).arg(&archive).output().unwrap().status;
    assert_eq!(status.code(), Some(3), "nothing was proven");
}

#[test]
fn settings_beside_the_document_root_lead_a_staged_site_too() {
    let world = World::up();
    let (root, aside) = (world.root(), world.place().join("wp-config.aside"));
    std::fs::rename(root.join("wp-config.php"), &aside).unwrap();
    world.harness("backup", &[]);
    // The pages of the backup belong into public_html; what is around them is in no backup.
    let pages = world.place().join("web/pages");
    std::fs::rename(&root, &pages).unwrap();
    std::fs::create_dir(&root).unwrap();
    std::fs::rename(pages, root.join("public_html")).unwrap();
    std::fs::rename(aside, root.join("wp-config.php")).unwrap();
    let list = world.place().join("base/config/domains.list");
    std::fs::create_dir_all(list.parent().unwrap()).unwrap();
    std::fs::write(list, format!("{DOMAIN}|{}|2026-01-02\n", root.join("public_html").display())).unwrap();
    let proof = world.call("rehearse", wait());
    assert_eq!(proof["rehearsal"]["outcome"], "pass", "{proof}");
    assert_gone(&world);
}

#[test]
fn a_socket_of_several_spellings_is_the_gate() {
    // In no folder that is empty in a cell: there the socket is still to be seen, and is covered.
    let folder = tempfile::Builder::new().prefix("rv-e2e.").tempdir_in("/srv").unwrap();
    let world = World::up_in(folder.path());
    world.harness("backup", &[]);
    std::os::unix::fs::symlink("run", world.place().join("linked")).unwrap();
    let file = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let linked = text.replace("/run/db.sock", "/linked/db.sock");
    assert_ne!(text, linked);
    std::fs::write(&file, linked).unwrap();
    let proof = world.call("rehearse", wait());
    assert_eq!(proof["rehearsal"]["outcome"], "pass", "{proof}");
    assert_gone(&world);
}

#[test]
fn a_staged_site_has_what_the_live_one_is_given() {
    let (world, _, _) = backed_up(|world| {
        let root = world.root().display().to_string();
        let own = format!("open_basedir = {root}:/usr/share\nauto_prepend_file = {root}/first.php\n");
        std::fs::write(world.root().join(".user.ini"), own).unwrap();
        std::fs::write(world.root().join("first.php"), "<?php define('RV_FIRST', 1);").unwrap();
        let front = "<?php
            if (!defined('RV_FIRST') || ($_SERVER['APP_ENV'] ?? '') !== 'production') { throw new Exception('alone'); }
            if (@file_get_contents('/etc/passwd')) { throw new Exception('outside'); }
            define('WP_USE_THEMES', true);
            require __DIR__ . '/wp-blog-header.php';";
        index(world, front);
    });
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let text = std::fs::read_to_string(&site).unwrap();
    let given = text.replace("fastcgi_pass ", "fastcgi_param APP_ENV production; fastcgi_pass ");
    assert_ne!(text, given);
    std::fs::write(&site, given).unwrap();
    let both = json!({"components": {"files": true, "database": true}});
    let proof = world.call("rehearse", crate::world::with_fields(wait(), &both));
    assert_eq!(proof["rehearsal"]["outcome"], "pass", "{proof}");
    // The file of the backup gives it not, and would be live after a restore of all.
    let error = world.refused("rehearse", wait());
    assert!(error["message"].as_str().unwrap().contains("alone"), "{error}");
    assert_gone(&world);
}

#[test]
fn pages_that_have_to_come_are_asked_for_before_and_after() {
    let (world, _, damaged) = World::damaged();
    let probes = |text: &str| {
        let probes =
            json!([{"path": "/post-number-60/", "text": text}, {"path": "/rv-probe.php", "text": "RV files="}]);
        json!({"domain": DOMAIN, "wait": true, "options": {"probes": probes}})
    };
    let error = world.refused("restore_start", probes("no such words"));
    assert_eq!(error["code"], "verification_failed");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("/post-number-60/") && message.contains("no such words"), "{message}");
    world.digest().assert_is(&damaged, "nothing live was changed");

    // By the administrator's word, too.
    let file = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let own = format!("\n[sites.\"{DOMAIN}\"]\nprobes = [{{ path = \"/?p=59\", text = \"Rocket Shop\" }}]\n");
    std::fs::write(&file, text.clone() + &own).unwrap();
    let report = world.call("restore_start", probes("Rocket Shop"));
    let rehearsed = report["rehearsal"]["pages"].as_array().unwrap();
    assert_eq!(rehearsed.iter().filter(|page| page["name"] == "probe" && page["outcome"] == "pass").count(), 3);
    let live = report["verification"]["live"].as_array().unwrap();
    let live: Vec<&Value> = live.iter().flat_map(|group| group["checks"].as_array().unwrap()).collect();
    let passed = |name: &str| live.iter().filter(|check| check["name"] == name && check["outcome"] == "pass").count();
    assert_eq!((passed("probe"), passed("post"), passed("static_file")), (3, 1, 1), "{live:?}");

    // After a verification the live site alone is asked; a wrong list is refused with its key.
    std::fs::write(world.root().join("wp-content/themes/rocket/index.php"), "<?php echo 'gone';").unwrap();
    // PHP looks at a file again after two seconds (opcache.revalidate_freq).
    sleep(Duration::from_millis(2500));
    let verified = world.call("verify", wait());
    assert_eq!(verified["outcome"], "fail", "{verified}");
    std::fs::write(&file, text + &own.replace("/?p=59", "no address")).unwrap();
    let error = world.refused("verify", wait());
    assert!(error["code"] == "config_invalid" && error["message"].as_str().unwrap().contains("probes"), "{error}");
    let refused = json!({"domain": DOMAIN, "options": {"probes": [{"path": "x y"}]}, "config": {"set": {}}});
    assert_eq!(world.refused("validate", refused)["code"], "bad_request");
}
