//! The web server of a rehearsal: the host's nginx shows a staged site without PHP, its files and the addresses of its pages.

use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

const STYLE: &str = "h1 { color: teal }\n";

fn page<'a>(rehearsal: &'a Value, name: &str) -> &'a Value {
    let pages = rehearsal["pages"].as_array().unwrap_or_else(|| panic!("{rehearsal}"));
    pages.iter().find(|page| page["name"] == name).unwrap_or_else(|| panic!("no {name}: {rehearsal}"))
}

/// Empties the site and puts these files there.
fn put(world: &World, files: &[(&str, &str)]) {
    std::fs::remove_dir_all(world.root()).unwrap();
    for (name, text) in files {
        let path = world.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A backup of the files alone, as they are now.
fn backed_up(world: &World, minute: u32) -> PathBuf {
    let archive = world.place().join(format!("base/backups/domain_{DOMAIN}_20260102_03{minute:02}06.tar.gz"));
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(world.place().join("web")).arg(DOMAIN);
    assert!(tar.status().unwrap().success());
    archive
}

fn site_file(world: &World) -> PathBuf {
    world.place().join("nginx/sites-available").join(DOMAIN)
}

/// Puts directives at the end of the server block of the live site.
fn put_directives(world: &World, original: &str, more: &str) {
    let end = original.rfind('}').unwrap();
    let text = original.replace("index index.php;", "index index.php index.html;");
    let end = end + text.len() - original.len();
    std::fs::write(site_file(world), format!("{}{more}\n{}", &text[..end], &text[end..])).unwrap();
}

fn with(archive: &PathBuf, probes: &Value) -> Value {
    json!({"domain": DOMAIN, "wait": true, "backup": archive, "options": {"probes": probes}})
}

/// Other tests have cells too: this world's are told by what is mounted in them.
fn assert_no_nginx_of_a_cell(world: &World) {
    let holds = |path: PathBuf, text: &str| {
        std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
    };
    let place = world.place().display().to_string();
    let mut all = std::fs::read_dir("/proc").unwrap().flatten().map(|of| of.path());
    let left = all.find(|of| holds(of.join("cmdline"), "rocketvps-cell") && holds(of.join("mountinfo"), &place));
    assert_eq!(left, None, "an nginx of a cell stays");
}

#[test]
fn a_site_without_php_is_shown_by_nginx_before_it_is_live() {
    let world = World::up();
    let original = std::fs::read_to_string(site_file(&world)).unwrap();
    put_directives(&world, &original, "location /old/ { rewrite ^/old/(.*)$ /new/$1 last; }");
    put(
        &world,
        &[("index.html", "<title>Shop</title><h1>Shop</h1>"), ("style.css", STYLE), ("new/a.html", "moved here")],
    );
    let archive = backed_up(&world, 10);
    put(&world, &[("index.html", "<h1>0wned</h1>")]);
    let damaged = world.digest();

    let probes = json!([{"path": "/old/a.html", "text": "moved here"}]);
    let proof = world.call("rehearse", with(&archive, &probes));
    let rehearsal = &proof["rehearsal"];
    assert_eq!(rehearsal["outcome"], "pass", "{proof}");
    for name in ["front_page", "probe", "static_file"] {
        let page = page(rehearsal, name);
        assert_eq!(
            (&page["outcome"], &page["figures"]["server_block"]),
            (&json!("pass"), &json!("the site's own")),
            "{page}"
        );
    }
    assert!(page(rehearsal, "static_file")["figures"]["sha256"].as_str().unwrap().len() == 64, "{rehearsal}");
    world.digest().assert_is(&damaged, "the live site was not touched");
    world.assert_nothing_left();
    assert_no_nginx_of_a_cell(&world);

    // What the text of the probe says does not come.
    let error = world.refused("restore_start", with(&archive, &json!([{"path": "/old/a.html", "text": "elsewhere"}])));
    assert!(error["message"].as_str().unwrap().contains("/old/a.html"), "{error}");
    world.digest().assert_is(&damaged, "nothing live was changed");
    let report = world.call("restore_start", with(&archive, &json!([])));
    assert_eq!(report["rehearsal"]["outcome"], "pass", "{report}");
    assert_eq!(std::fs::read_to_string(world.root().join("style.css")).unwrap(), STYLE);
}

#[test]
fn what_nginx_shows_that_no_visitor_must_see_stops_a_restore() {
    let world = World::up();
    let original = std::fs::read_to_string(site_file(&world)).unwrap();
    put_directives(&world, &original, "location /round/ { rewrite ^ /round/again last; }");
    put(&world, &[("index.html", "<title>Welcome to nginx!</title><h1>Welcome to nginx!</h1>")]);
    let bare = backed_up(&world, 10);
    put(&world, &[("index.html", "<title>Shop</title><h1>Shop</h1>")]);
    let shop = backed_up(&world, 11);
    let live = world.digest();
    let error = world.refused("restore_start", with(&bare, &json!([])));
    assert!(error["message"].as_str().unwrap().contains("the default page of nginx"), "{error}");
    // A rule of the site's own that leads in a circle.
    let error = world.refused("restore_start", with(&shop, &json!([{"path": "/round/", "text": ""}])));
    assert!(error["message"].as_str().unwrap().contains("/round/: answers 500"), "{error}");
    world.digest().assert_is(&live, "nothing live was changed");
}

/// A block is a tenant's word: what is not known, or not taken by nginx, is not followed, and a plain server stands in for it.
#[test]
fn a_server_block_that_cannot_be_followed_has_a_plain_one_in_its_place() {
    let world = World::up();
    let original = std::fs::read_to_string(site_file(&world)).unwrap();
    put(&world, &[("index.html", "<title>Shop</title><h1>Shop</h1>")]);
    let archive = backed_up(&world, 10);
    for (more, why) in [
        ("location /api/ { proxy_pass http://127.0.0.1:3000; }", "proxy_pass is not followed"),
        ("include /etc/passwd;", "/etc/passwd"),
        ("location /x { set $a $no_such_variable; }", "unknown \"no_such_variable\" variable"),
    ] {
        put_directives(&world, &original, more);
        let proof = world.call("rehearse", with(&archive, &json!([])));
        let front = page(&proof["rehearsal"], "front_page");
        assert_eq!(front["outcome"], "pass", "{proof}");
        let block = front["figures"]["server_block"].as_str().unwrap();
        assert!(block.starts_with("a plain one: ") && block.contains(why), "{why}: {block}");
    }
    world.assert_nothing_left();
}

#[test]
fn the_addresses_of_a_site_with_php_go_through_its_own_rules() {
    let (world, _, damaged) = World::damaged();
    std::fs::write(
        site_file(&world),
        std::fs::read_to_string(site_file(&world)).unwrap().replace("bogus_directive on; ", ""),
    )
    .unwrap();
    let whole = json!({"domain": DOMAIN, "wait": true});
    let proof = world.call("rehearse", whole.clone());
    let rehearsal = &proof["rehearsal"];
    assert_eq!(rehearsal["outcome"], "pass", "{proof}");
    // The file of the backup is followed: the live one is damaged.
    let through = page(rehearsal, "web_server");
    assert_eq!(
        (&through["outcome"], &through["figures"]["path"]),
        (&json!("pass"), &json!("/post-number-60/")),
        "{through}"
    );
    assert_eq!(through["figures"]["server_block"], "the site's own");
    assert_eq!(page(rehearsal, "static_file")["outcome"], "pass", "{rehearsal}");
    let files = with_fields(whole, &json!({"components": {"files": true, "database": true}}));
    let proof = world.call("rehearse", files);
    assert_eq!(proof["rehearsal"]["outcome"], "pass", "{proof}");
    assert_eq!(world.digest().database, damaged.database);
    world.assert_nothing_left();
    assert_no_nginx_of_a_cell(&world);
}
