//! The page that is asked for after a restore: along the site's own redirects, and no redirect is a page.

use crate::caches::save_pages;
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};

/// The check of the page, as `verify` has it.
fn check(world: &World) -> Value {
    let verified = world.call("verify", json!({"domain": DOMAIN, "wait": true}));
    let groups = verified["groups"].as_array().unwrap();
    let checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    checks.into_iter().find(|check| check["name"] == "http").cloned().unwrap()
}

/// Puts lines into the site's server block.
fn with_lines(world: &World, plain: &str, lines: &str) {
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    std::fs::write(&site, plain.replacen("index index.php;", &format!("index index.php;\n{lines}"), 1)).unwrap();
    world.signal("run/nginx.pid", "-HUP");
}

#[test]
fn a_redirect_to_https_is_followed_and_is_no_page_by_itself() {
    let world = World::up();
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let plain = std::fs::read_to_string(&site).unwrap();
    let port = world.env("WORLD_TLS_PORT");
    let to_https = format!("if ($scheme = http) {{ return 301 https://{DOMAIN}:{port}$request_uri; }}");
    with_lines(&world, &plain, &to_https);
    let seen = check(&world);
    assert_eq!((&seen["outcome"], &seen["figures"]["status"]), (&json!("pass"), &json!(200)), "{seen}");
    assert!(seen["message"].as_str().unwrap().contains(&format!("by way of https://{DOMAIN}:{port}/")), "{seen}");

    // Behind the redirect the site is broken: before, the redirect was enough.
    with_lines(&world, &plain, &format!("{to_https} location = / {{ return 500; }}"));
    let seen = check(&world);
    assert!(seen["outcome"] == "fail" && seen["message"].as_str().unwrap().contains("answers 500"), "{seen}");

    // What answers by HTTPS there is not this site.
    let neighbour = world.place().join("ssl").join(world.env("WORLD_NEIGHBOUR"));
    let foreign =
        plain.replace(&world.place().join("ssl").join(DOMAIN).display().to_string(), &neighbour.display().to_string());
    with_lines(&world, &foreign, &to_https);
    let seen = check(&world);
    assert!(seen["outcome"] == "warn" && seen["message"].as_str().unwrap().contains("certificate"), "{seen}");

    with_lines(&world, &plain, "return 302 https://login.example.org/;");
    let seen = check(&world);
    assert!(seen["outcome"] == "warn" && seen["message"].as_str().unwrap().contains("not this site"), "{seen}");
}

/// A check of the live site, as a report has it.
fn live<'a>(report: &'a Value, name: &str) -> &'a Value {
    let groups = report["verification"]["live"].as_array().unwrap();
    let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    checks.find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

#[track_caller]
fn says(check: &Value, outcome: &str, text: &str) {
    assert!(check["outcome"] == outcome && check["message"].as_str().unwrap().contains(text), "{check}");
}

fn restore(world: &World, request: &Value) -> Value {
    let mut whole = json!({"domain": DOMAIN, "wait": true});
    whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    world.call("restore_start", whole)
}

fn set_title(world: &World, title: &str) {
    world.harness("sql", &[&format!("UPDATE shop.wp_posts SET post_title='{title}' WHERE ID=58")]);
}

fn ask(world: &World, path: &str) -> String {
    let url = format!("http://127.0.0.1:{}{path}", world.env("WORLD_PORT"));
    let header = format!("Host: {DOMAIN}");
    let output = std::process::Command::new("curl").args(["--silent", "--header", &header, &url]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn an_old_page_of_a_cache_is_no_proof_and_a_new_one_is() {
    let world = World::up();
    let style = world.root().join("wp-content/site.css");
    std::fs::write(&style, "good").unwrap();
    world.harness("backup", &[]);
    let parts = json!({"components": {"files": true, "database": true}});
    // Newer ones are the same in both states.
    set_title(&world, "Spring sale");
    let report = restore(&world, &parts);
    says(live(&report, "post"), "pass", "/post-number-58/ answers 200 with words");
    says(live(&report, "freshness"), "pass", "/post-number-58/ carries");

    set_title(&world, "Summer sale");
    // A style sheet goes through no cache of pages.
    std::fs::write(&style, "hacked").unwrap();
    save_pages(&world);
    // What the pages are saved under cannot be told to be the site's.
    let nginx = world.place().join("nginx/nginx.conf");
    let text = std::fs::read_to_string(&nginx).unwrap();
    let other = text.replace("$scheme$request_method$host$request_uri", "$request_uri$host");
    assert_ne!(text, other);
    std::fs::write(&nginx, other).unwrap();
    world.signal("run/nginx.pid", "-HUP");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(ask(&world, "/post-number-58/").contains("Summer sale"));
    let report = restore(&world, &parts);
    assert!(ask(&world, "/post-number-58/").contains("Summer sale"), "the cache was emptied: {report}");
    says(live(&report, "post"), "warn", "a cache may have an old page");
    says(live(&report, "static_file"), "pass", "/wp-content/site.css is served as it was restored");
    says(live(&report, "freshness"), "not_checked", "a cache may have an old page");
    assert_eq!(report["verification"]["outcome"], "warn");
}

#[test]
fn what_visitors_see_alike_before_and_after_proves_nothing() {
    let world = World::up();
    let style = world.root().join("wp-content/site.css");
    std::fs::write(&style, "good").unwrap();
    world.harness("backup", &[]);
    let report = restore(&world, &json!({}));
    says(live(&report, "freshness"), "not_checked", "nothing that this machine serves differs");
    says(live(&report, "post"), "not_checked", "the state before has the same post");
    says(live(&report, "static_file"), "not_checked", "the state before has a file of the same size and time");

    // Parts, and the way back.
    std::fs::write(&style, "hacked").unwrap();
    let report = restore(&world, &json!({"components": {"files": ["wp-content/site.css", "wp-includes/version.php"]}}));
    says(live(&report, "freshness"), "pass", "/wp-content/site.css carries");
    let back = world.call("rollback", json!({"job": World::job(&report), "wait": true}));
    says(live(&back, "freshness"), "pass", "/wp-content/site.css carries");
    let whole = restore(&world, &json!({"components": {"files": true}}));
    says(live(&whole, "freshness"), "pass", "/wp-content/site.css carries");

    // Nobody saw a page of it before: the tables say by what a page is known.
    let unseen = json!({"components": {"database": true}, "options": {"rehearsal": false}});
    let report = restore(&world, &unseen);
    says(live(&report, "freshness"), "not_checked", "nothing that this machine serves differs");
    set_title(&world, "Summer sale");
    let report = restore(&world, &unseen);
    says(live(&report, "freshness"), "pass", "/?p=58 carries");
    let back = world.call("rollback", json!({"job": World::job(&report), "wait": true}));
    says(live(&back, "freshness"), "pass", "/?p=58 carries");
    says(live(&back, "post"), "pass", "words that only the restored post has");
    let alone = json!({"components": {"database": ["wp_links"]}});
    world.harness("sql", &["UPDATE shop.wp_links SET link_name='x'"]);
    let report = restore(&world, &alone);
    says(live(&report, "freshness"), "not_checked", "nothing that this machine serves differs");
    let config = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let url = text.lines().find(|line| line.starts_with("url = \"http")).unwrap();
    std::fs::write(&config, text.replace(url, "url = \"\"")).unwrap();
    let report = restore(&world, &json!({}));
    says(live(&report, "freshness"), "not_checked", "http.url is empty");
}

/// The certificate that is presented to those who ask for a name.
fn fingerprint(world: &World, file: &str) -> String {
    let path = world.place().join("ssl").join(file).join("fullchain.pem");
    let text = std::fs::read(path).unwrap();
    rocketvps_restore::siteconf::tls::read(&text).unwrap().certificate.unwrap().meaning.fingerprint
}

#[test]
fn a_site_under_tls_is_asked_by_its_name_and_its_neighbour_answers_for_nothing() {
    // Both share an address and a port: whoever asks for no name, or for another one, gets the neighbour's page and certificate.
    let world = World::up();
    world.harness("backup", &[]);
    let port = world.env("WORLD_TLS_PORT");
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let plain = std::fs::read_to_string(&site).unwrap();
    set_title(&world, "Summer sale");
    let parts = json!({"components": {"files": true, "database": true}});
    let report = restore(&world, &parts);
    says(live(&report, "https"), "pass", &format!("https://127.0.0.1:{port}/ with Host {DOMAIN} answers 200"));
    let certificate = live(&report, "certificate");
    says(certificate, "pass", "the site's own certificate");
    assert_eq!(certificate["figures"]["fingerprint"], fingerprint(&world, DOMAIN));
    assert_ne!(certificate["figures"]["fingerprint"], fingerprint(&world, &world.env("WORLD_NEIGHBOUR")));
    says(live(&report, "freshness"), "pass", "/post-number-58/ carries");

    // No plain request is served at all.
    let alone = plain.replace(&format!("    listen 127.0.0.1:{};\n", world.env("WORLD_PORT")), "");
    assert_ne!(alone, plain);
    std::fs::write(&site, &alone).unwrap();
    let nothing = world.place().join("nginx/sites-available").join(world.env("WORLD_NEIGHBOUR"));
    let neighbour = std::fs::read_to_string(&nothing).unwrap();
    let listen = format!("    listen 127.0.0.1:{};\n", world.env("WORLD_PORT"));
    std::fs::write(&nothing, neighbour.replace(&listen, "")).unwrap();
    world.signal("run/nginx.pid", "-HUP");
    set_title(&world, "Summer sale");
    let report = restore(&world, &parts);
    says(live(&report, "http"), "pass", &format!("https://127.0.0.1:{port}/ with Host {DOMAIN} answers 200"));
    says(live(&report, "freshness"), "pass", "carries what only the restored state has");

    // The page is broken under TLS alone.
    with_lines(&world, &plain, "if ($scheme = https) { return 500; }");
    let verified = world.call("verify", json!({"domain": DOMAIN, "wait": true}));
    let report = json!({"verification": {"live": verified["groups"]}});
    says(live(&report, "http"), "pass", "answers 200");
    says(live(&report, "https"), "fail", "answers 500");

    // It was so before, and takes no restore back.
    let report = restore(&world, &parts);
    says(live(&report, "https"), "warn", "it did so before the restore too");
    // A backup that brings it is another matter.
    world.harness("backup", &["--stamp", "20991231_235959"]);
    with_lines(&world, &plain, "");
    let refused = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert!(refused["message"].as_str().unwrap().contains("answers 500"), "{refused}");
    assert_eq!(std::fs::read_to_string(&site).unwrap(), plain.replacen("index index.php;", "index index.php;\n", 1));
}

#[test]
fn a_certificate_that_is_not_the_sites_own_is_told() {
    let world = World::up();
    world.harness("backup", &[]);
    let ssl = world.place().join("ssl");
    // nginx goes on with the one that it has loaded.
    let own = ssl.join(DOMAIN);
    let again = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90"])
        .args(["-subj", &format!("/CN={DOMAIN}"), "-addext", &format!("subjectAltName=DNS:{DOMAIN}")])
        .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
        .current_dir(&own)
        .output()
        .unwrap();
    assert!(again.status.success());
    let report = restore(&world, &json!({"components": {"database": true}}));
    says(live(&report, "certificate"), "warn", "not the one that the site's settings name");

    // The neighbour's, by the site's own settings; it was so before.
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let plain = std::fs::read_to_string(&site).unwrap();
    let theirs = ssl.join(world.env("WORLD_NEIGHBOUR"));
    let foreign = plain.replace(&own.display().to_string(), &theirs.display().to_string());
    with_lines(&world, &foreign, "");
    let report = restore(&world, &json!({"components": {"database": true}}));
    says(live(&report, "certificate"), "warn", "is for neighbour.example");
    says(live(&report, "https"), "warn", "is not of this site");
}

/// What WooCommerce has of a shop, as far as a visitor of a product sees it.
const SHOP: &str = r#"<?php
add_action('init', fn () => register_post_type('product', ['public' => true, 'rewrite' => ['slug' => 'product']]));
add_filter('the_excerpt', function ($text) {
    $price = get_post_meta(get_the_ID(), '_price', true);
    return $price === '' ? $text : "$text <span class=\"amount\"><bdi>&euro;" . number_format((float) $price, 2) . '</bdi></span>';
});
"#;

/// Makes a shop of the site: no posts, a product and a page.
fn keep_a_shop(world: &World) {
    let folder = world.root().join("wp-content/mu-plugins");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("shop.php"), SHOP).unwrap();
    let row = |id: u32, kind: &str, name: &str, title: &str, content: &str| {
        format!(
            "INSERT INTO shop.wp_posts (ID, post_author, post_date, post_date_gmt, post_modified, post_modified_gmt, post_title, \
             post_name, post_content, post_type, post_status, post_excerpt, to_ping, pinged, post_content_filtered) VALUES \
             ({id}, 1, '2024-03-05', '2024-03-05', '2024-03-05', '2024-03-05', '{title}', '{name}', '{content}', '{kind}', \
             'publish', '', '', '', '');"
        )
    };
    let rows = row(9001, "product", "rocket-boots", "Rocket boots", "Soles of steel")
        + &row(9002, "page", "about-us", "About us", "We sell boots");
    world.harness(
        "sql",
        &[&format!(
            "UPDATE shop.wp_posts SET post_status='draft'; {rows} \
             INSERT INTO shop.wp_postmeta (post_id, meta_key, meta_value) VALUES (9001, '_price', '1299')"
        )],
    );
}

/// Sets the addresses of posts, and lets the site write down what follows from them.
fn set_addresses(world: &World, structure: &str) {
    let options = format!(
        "UPDATE shop.wp_options SET option_value='{structure}' WHERE option_name='permalink_structure'; \
         DELETE FROM shop.wp_options WHERE option_name='rewrite_rules'"
    );
    world.harness("sql", &[&options]);
    ask(world, "/?p=9001");
    ask(world, "/");
}

#[test]
fn a_shop_without_posts_is_asked_for_its_product_and_its_page() {
    let world = World::up();
    keep_a_shop(&world);
    let parts = json!({"components": {"files": true, "database": true}});
    let set_price = |price: &str| {
        world.harness("sql", &[&format!("UPDATE shop.wp_postmeta SET meta_value='{price}' WHERE meta_key='_price'")]);
    };
    for (structure, path) in
        [("/%postname%/", "/product/rocket-boots/"), ("/%year%/%post_id%/", "/product/rocket-boots/"), ("", "/?")]
    {
        set_price("1299");
        set_addresses(&world, structure);
        let archive = world.harness("backup", &[]);
        // Nothing but the price is another one.
        set_price("999");
        let restored = restore(&world, &json!({"backup": archive, "components": parts["components"]}));
        says(live(&restored, "product"), "pass", "with words that only the restored product has");
        says(live(&restored, "product"), "pass", path);
        says(live(&restored, "freshness"), "pass", path);
    }
    // The way back: nobody rehearsed it.
    world.harness("sql", &["UPDATE shop.wp_posts SET post_content='Soles of lead' WHERE ID=9001"]);
    let restored = restore(&world, &parts);
    says(live(&restored, "product"), "pass", "with words that only the restored product has");
    let back = world.call("rollback", json!({"job": World::job(&restored), "wait": true}));
    says(live(&back, "product"), "pass", "/?p=9001 answers 200 with words that only the restored product has");
    says(live(&back, "freshness"), "pass", "/?p=9001 carries");
    // The page alone differs.
    set_price("1299");
    set_addresses(&world, "/%postname%/");
    let archive = world.harness("backup", &[]);
    world.harness("sql", &["UPDATE shop.wp_posts SET post_content='We sell nothing at all' WHERE ID=9002"]);
    let restored = restore(&world, &json!({"backup": archive, "components": parts["components"]}));
    says(live(&restored, "page"), "pass", "/about-us/ answers 200 with words that only the restored page has");
    says(live(&restored, "product"), "not_checked", "the state before has the same product");
    says(live(&restored, "freshness"), "pass", "/about-us/ carries");
}

#[test]
fn a_page_that_says_what_was_looked_for_is_no_proof_where_it_said_so_before() {
    let world = World::up();
    set_title(&world, "Spring sale");
    world.harness("backup", &[]);
    let parts = json!({"components": {"files": true, "database": true}});
    let site = world.place().join("nginx/sites-available").join(DOMAIN);
    let plain = std::fs::read_to_string(&site).unwrap();
    for (answer, post, says_so) in [
        // A page for what is not found, with another's answer or its own.
        ("return 404 'Nothing here. Did you mean: Spring sale?'", "warn", "answers 404"),
        ("return 200 'Nothing here. Did you mean: Spring sale?'", "not_checked", "without them before"),
        // One that repeats what it was asked for.
        ("return 200 'You asked for $request_uri of $host.'", "warn", "without the words"),
        // One of before that somebody keeps.
        ("return 200 '<h1>Summer sale</h1>'", "warn", "without the words"),
    ] {
        set_title(&world, "Summer sale");
        with_lines(&world, &plain, &format!("location /post-number-58 {{ default_type text/html; {answer}; }}"));
        let restored = restore(&world, &parts);
        says(live(&restored, "post"), post, says_so);
        says(live(&restored, "freshness"), "not_checked", "was not proven");
    }
    with_lines(&world, &plain, "");
    set_title(&world, "Summer sale");
    says(live(&restore(&world, &parts), "freshness"), "pass", "/post-number-58/ carries");
}
