//! The page that is asked for after a restore: along the site's own redirects, and no redirect is a page.

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
