//! The objects that a site keeps in Redis or Memcached are those of its rows, before a change-over, after it, and after the way back. What
//! others keep there stays. `RV_STORE` names another release of the server (`scripts/servers.sh`).

use crate::caches::{go_back, notes, page_of, replace, restore_files};
use crate::world::stores::Store;
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::path::Path;

/// A drop-in and settings of the site's own.
fn install(world: &World, drop_in: &str, settings: &str) {
    let root = world.root();
    std::fs::write(root.join("wp-content/object-cache.php"), drop_in).unwrap();
    replace(&root.join("wp-config.php"), "<?php\n", &format!("<?php\n{settings}\n"));
    // PHP knows the file from before for two seconds.
    world.harness("stop", &["KILL", "php_fpm"]);
    world.harness("start", &["php_fpm"]);
}

fn of_harness(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/world").join(name)).unwrap()
}

/// The site's objects are in a database of Redis that it shares with another site, with sessions and with queues.
pub fn keep_objects(world: &World, redis: &Store, constants: &str) {
    let settings = format!(
        "define('WP_REDIS_SCHEME', 'unix');\ndefine('WP_REDIS_PATH', '{}');\ndefine('WP_REDIS_DATABASE', 2);\n{constants}",
        redis.socket()
    );
    install(world, &of_harness("object-cache.php"), &settings);
}

/// They are in a Memcached that it shares.
fn keep_objects_in_memcached(world: &World, memcached: &Store, salt: &str) {
    let redis = of_harness("object-cache.php");
    let functions = &redis[redis.find("function wp_cache_init").unwrap()..];
    let settings = format!(
        "define('WP_CACHE_KEY_SALT', '{salt}');\n$memcached_servers = array('default' => array('{}:0'));",
        memcached.socket()
    );
    install(world, &(of_harness("object-cache-memcached.php") + functions), &settings);
}

fn set_title(world: &World, title: &str) {
    let update = format!("UPDATE shop.wp_options SET option_value='{title}' WHERE option_name='blogname'");
    world.harness("sql", &[&update]);
}

#[track_caller]
fn all_see_title(world: &World, title: &str, when: &str) {
    for _ in 0..10 {
        let page = page_of(world, DOMAIN, "");
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{when}: {page}");
    }
}

/// The page is of the rows of before; then nothing but the cache can say so.
fn fill(world: &World, title: &str, forget: impl Fn()) {
    set_title(world, title);
    forget();
    all_see_title(world, title, "before");
    set_title(world, "Not Seen");
    all_see_title(world, title, "it comes from the cache");
    set_title(world, title);
}

/// What the operator says is the site's alone.
fn name_alone(world: &World, cache: &str) {
    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[sites.\"{DOMAIN}\"]\ncaches = [\"{cache}\"]\n")).unwrap();
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
    fill(&world, "Hacked Shop", || drop(redis.ask(2, &["DEL", "shop:wp:options:alloptions"])));
    assert!(redis.keys(2, "shop:wp:*").len() > 3);
    let restored = world.restore();
    all_see_title(&world, "Rocket Shop", "after the change-over");
    assert!(notes(&restored).contains("Redis at") && !notes(&restored).contains("nothing"), "{restored}");
    let stay = |when: &str| {
        STAY.iter().for_each(|key| assert_eq!(redis.ask(2, &["EXISTS", key]), "1", "{when}: {key}"));
        assert_eq!(redis.keys(0, "*"), ["shop:wp:elsewhere"], "{when}");
    };
    stay("restored");
    go_back(&world, &restored);
    all_see_title(&world, "Hacked Shop", "after the rollback");
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

    name_alone(&world, &format!("redis:{}/2", redis.socket()));
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
fn a_redis_with_accounts_is_emptied_as_the_account_that_the_site_names() {
    let world = World::up();
    let mut redis = Store::redis(&world, "777");
    redis.ask(0, &["ACL", "SETUSER", "shop", "on", ">its own", "~shop:*", "+@all", "-@dangerous", "-@admin"]);
    redis.ask(0, &["CONFIG", "SET", "requirepass", "of all"]);
    redis.password = Some("of all".into());
    let list = "define('WP_REDIS_PREFIX', 'shop:');\ndefine('WP_REDIS_PASSWORD', ['shop', 'its own']);";
    keep_objects(&world, &redis, list);
    world.harness("backup", &[]);
    STAY.iter().for_each(|key| drop(redis.ask(2, &["SET", key, "x"])));
    fill(&world, "Hacked Shop", || drop(redis.ask(2, &["DEL", "shop:wp:options:alloptions"])));
    let restored = world.restore();
    all_see_title(&world, "Rocket Shop", "after the change-over");
    go_back(&world, &restored);
    all_see_title(&world, "Hacked Shop", "after the rollback");
    STAY.iter().for_each(|key| assert_eq!(redis.ask(2, &["EXISTS", key]), "1", "{key}"));

    // The password alone is that of the usual account.
    replace(&world.root().join("wp-config.php"), "['shop', 'its own']", "'of all'");
    world.harness("stop", &["KILL", "php_fpm"]);
    world.harness("start", &["php_fpm"]);
    world.harness("backup", &[]);
    redis.ask(2, &["SET", "shop:wp:x", "x"]);
    restore_files(&world);
    assert_eq!(redis.ask(2, &["EXISTS", "shop:wp:x"]), "0");

    // Another one's password opens nothing, and that is said.
    redis.ask(2, &["SET", "shop:wp:x", "x"]);
    redis.ask(0, &["CONFIG", "SET", "requirepass", "another"]);
    redis.password = Some("another".into());
    let told = world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}));
    assert!(said(&world, &told).contains("nothing more was removed"), "{told}");
    assert_eq!(redis.ask(2, &["EXISTS", "shop:wp:x"]), "1");
}

/// All that a job has said.
fn said(world: &World, job: &Value) -> String {
    let folder = world.place().join("base/restore_jobs").join(World::job(job));
    let texts =
        std::fs::read_dir(folder).unwrap().flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok());
    texts.collect::<Vec<_>>().concat() + &job.to_string()
}

#[test]
fn the_sites_objects_in_memcached_go_by_its_salt_and_those_of_others_stay() {
    let world = World::up();
    let memcached = Store::memcached(&world, &[]);
    keep_objects_in_memcached(&world, &memcached, "shop:");
    world.harness("backup", &[]);
    let others =
        ["other:wp_:options:alloptions", "shop2:wp_:x", "memc.sess.key.abc", "shop:session:1", "wp_:options:x"];
    others.iter().for_each(|key| drop(memcached.php(&format!("$m->set('{key}', 'x');"))));
    fill(&world, "Hacked Shop", || drop(memcached.php("$m->delete('shop:wp_:options:alloptions');")));
    memcached.php("$m->set('shop:wp_users:999', 'x');");
    let restored = world.restore();
    all_see_title(&world, "Rocket Shop", "after the change-over");
    assert!(!memcached.has("shop:wp_users:999"));
    let note = format!("Memcached at {} was emptied", memcached.socket());
    assert!(notes(&restored).contains(&note), "{restored}");
    let stay = |when: &str| others.iter().for_each(|key| assert!(memcached.has(key), "{when}: {key}"));
    stay("restored");
    go_back(&world, &restored);
    all_see_title(&world, "Hacked Shop", "after the rollback");
    stay("rolled back");
}

#[test]
fn what_memcached_cannot_tell_apart_stays_and_is_said_unless_the_operator_says_whose_it_is() {
    let world = World::up();
    let memcached = Store::memcached(&world, &[]);
    // It looks like a drop-in, and the site works without one.
    let drop_in = |key: &str| {
        format!(
            "<?php\nrequire_once ABSPATH . WPINC . '/cache.php';\n// new Memcached\nfunction key_of($prefix, $key) {{ return {key}; }}\n"
        )
    };
    let servers = format!("$memcached_servers = array('default' => array('{}:0'));\n", memcached.socket());
    install(
        &world,
        &drop_in("WP_CACHE_KEY_SALT . $prefix . $key"),
        &format!("{servers}define('WP_CACHE_KEY_SALT', 'shop');"),
    );
    world.harness("backup", &[]);
    let put = |keys: &[&str]| keys.iter().for_each(|key| drop(memcached.php(&format!("$m->set('{key}', 'x');"))));
    let own = ["shopwp_:options:x", "shopwp_users:1"];
    put(&own);
    put(&["shop2wp_:options:x"]);
    let restored = restore_files(&world);
    assert!(own.iter().all(|key| !memcached.has(key)) && memcached.has("shop2wp_:options:x"));
    assert!(notes(&restored).contains("1 that begin with shop may be a neighbour's"), "{restored}");

    install(&world, &drop_in("md5(WP_CACHE_KEY_SALT . $prefix . $key)"), "");
    world.harness("backup", &[]);
    put(&own);
    let restored = restore_files(&world);
    assert!(notes(&restored).contains("makes hashes of the site's keys") && memcached.has(own[0]), "{restored}");

    drop(memcached);
    let memcached = Store::memcached(&world, &["-X"]);
    install(&world, &drop_in("WP_CACHE_KEY_SALT . $prefix . $key"), "");
    world.harness("backup", &[]);
    memcached.php("$m->set('shopwp_:options:x', 'x');");
    let restored = restore_files(&world);
    assert!(notes(&restored).contains("it does not list its keys"), "{restored}");
    assert!(memcached.has("shopwp_:options:x"));
    name_alone(&world, &format!("memcached:{}", memcached.socket()));
    // It expires what is older than this second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    restore_files(&world);
    assert!(!memcached.has("shopwp_:options:x"));

    // With a list, what is the site's alone loses all but the sessions.
    drop(memcached);
    let memcached = Store::memcached(&world, &[]);
    memcached.php("$m->set('anything', 'x'); $m->set('memc.sess.key.abc', 'x');");
    restore_files(&world);
    assert!(!memcached.has("anything") && memcached.has("memc.sess.key.abc"));
}

#[test]
fn a_page_that_laravel_remembers_is_old_then_new_then_old_again() {
    let world = World::up();
    let redis = Store::redis(&world, "777");
    let memcached = Store::memcached(&world, &[]);
    let root = world.root();
    std::fs::write(root.join("artisan"), "#!/usr/bin/env php\n<?php exit(0);\n").unwrap();
    std::fs::write(root.join("remember.php"), of_harness("remember.php")).unwrap();
    let session = format!("my_shop_cache_{}", "aB3d5".repeat(8));
    memcached.php(&format!("$m->set('{session}', 'x'); $m->set('other_cache_title', 'x');"));
    redis.ask(1, &["MSET", "other_database_other_cache_title", "x", "my_shop_database_queues:default", "x"]);
    let sees = |title: &str, when: &str| {
        (0..10).for_each(|_| assert_eq!(page_of(&world, DOMAIN, "remember.php"), title, "{when}"));
    };
    for store in ["redis", "memcached"] {
        let env = format!(
            "APP_NAME=\"My Shop\"\nCACHE_STORE={store}\nSESSION_DRIVER=memcached\nREDIS_HOST={}\nREDIS_PORT=0\nMEMCACHED_HOST={}\nMEMCACHED_PORT=0\n",
            redis.socket(),
            memcached.socket()
        );
        std::fs::write(root.join(".env"), env).unwrap();
        set_title(&world, "Rocket Shop");
        world.harness("backup", &[]);
        set_title(&world, "Hacked Shop");
        sees("Hacked Shop", store);
        set_title(&world, "Not Seen");
        sees("Hacked Shop", "it comes from the cache");
        set_title(&world, "Hacked Shop");
        let restored = world.restore();
        sees("Rocket Shop", store);
        go_back(&world, &restored);
        sees("Hacked Shop", store);
    }
    assert!(memcached.has(&session) && memcached.has("other_cache_title"));
    assert_eq!(redis.ask(1, &["EXISTS", "other_database_other_cache_title", "my_shop_database_queues:default"]), "2");
}
