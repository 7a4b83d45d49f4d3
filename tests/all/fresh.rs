//! Nothing stale, nothing mixed: visitors of a site whose pages nginx saves and whose objects are in Redis, while it changes over there
//! and back.

use crate::caches::save_pages;
use crate::object_caches::keep_objects;
use crate::world::stores::Store;
use crate::world::trial::{is_long, report};
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a visitor of the front page got, and when it was asked for and there.
struct Seen {
    asked: Instant,
    got: Instant,
    title: Option<String>,
}

fn front_page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET / HTTP/1.0\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let title = text.split_once("<h1>")?.1.split_once("</h1>")?.0.to_owned();
    (text.starts_with("HTTP/1.1 200 ")).then_some(title)
}

fn visit_until(port: u16, stop: &AtomicBool) -> Vec<Seen> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let title = front_page(port);
        all.push(Seen { asked, got: Instant::now(), title });
        sleep(Duration::from_millis(20));
    }
    all
}

#[test]
fn f87_visitors_see_nothing_stale_and_nothing_mixed() {
    let world = World::up();
    let redis = Store::redis(&world, "777");
    keep_objects(&world, &redis, "define('WP_REDIS_PREFIX', 'shop:');");
    save_pages(&world);
    world.harness("backup", &[]);
    // The other side: other code, other rows.
    std::fs::write(world.root().join("wp-content/rv-side.php"), "<?php return 'site';\n").unwrap();
    let set = |name: &str, value: &str| {
        world.harness(
            "sql",
            &[&format!("UPDATE shop.wp_options SET option_value='{value}' WHERE option_name='{name}'")],
        );
    };
    set("rv_side", "site");
    set("blogname", "Old Shop");
    redis.ask(2, &["FLUSHDB"]);
    // The code cache looks at the file again after two seconds.
    sleep(Duration::from_millis(2500));
    let port: u16 = world.env("WORLD_PORT").parse().unwrap();
    assert_eq!(front_page(port).as_deref(), Some("Old Shop"));

    let stop = AtomicBool::new(false);
    let mut ends: Vec<(Instant, &str)> = Vec::new();
    let parts = json!({"domain": DOMAIN, "components": {"files": true, "database": true}, "wait": true});
    let seen = std::thread::scope(|scope| {
        let visitor = scope.spawn(|| visit_until(port, &stop));
        world.harness("probe", &["start", "fresh"]);
        sleep(Duration::from_millis(500));
        let mut go = || {
            for _ in 0..if is_long() { 10 } else { 2 } {
                let restored = world.call("restore_start", parts.clone());
                ends.push((Instant::now(), "Rocket Shop"));
                sleep(Duration::from_millis(1500));
                world.call("rollback", json!({"job": World::job(&restored), "wait": true}));
                ends.push((Instant::now(), "Old Shop"));
                sleep(Duration::from_millis(1500));
            }
        };
        let went = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut go));
        stop.store(true, Ordering::Relaxed);
        went.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        visitor.join().unwrap()
    });
    let probed: Value = serde_json::from_str(&world.harness("probe", &["stop", "fresh"])).unwrap();
    assert_eq!((&probed["failed"], &probed["wrong"], &probed["mixed"]), (&json!(0), &json!(0), &json!(0)), "{probed}");
    let failed = seen.iter().filter(|seen| seen.title.is_none()).count();
    assert_eq!(failed, 0, "of {} visits of the front page", seen.len());

    // From the first new page on, the latest old one, for each change-over.
    let mut latest = Duration::ZERO;
    let mut from = None;
    for (end, title) in &ends {
        let of_this: Vec<&Seen> = seen
            .iter()
            .filter(|seen| from.is_none_or(|from| seen.asked > from) && seen.asked < *end + Duration::from_millis(1400))
            .collect();
        let first = of_this.iter().find(|seen| seen.title.as_deref() == Some(*title)).expect("nobody saw the new page");
        assert!(first.asked < *end + Duration::from_millis(100), "the job had ended, and the page was old");
        let old = of_this.iter().filter(|seen| seen.asked > first.got && seen.title.as_deref() != Some(*title));
        latest = old.map(|seen| seen.asked - first.got).max().unwrap_or_default().max(latest);
        let after = of_this.iter().filter(|seen| seen.asked > *end && seen.title.as_deref() != Some(*title)).count();
        assert_eq!(after, 0, "old pages after the end of the job");
        from = Some(*end + Duration::from_millis(1400));
    }
    assert!(latest < Duration::from_secs(1), "an old page {latest:?} after the first new one");
    // What a page takes by itself where PHP has to compile all of it: no change-over is faster than that for its first visitor.
    world.signal("run/php-fpm.pid", "-USR2");
    sleep(Duration::from_millis(1500));
    for saved in std::fs::read_dir(world.place().join("pages")).unwrap() {
        std::fs::remove_dir_all(saved.unwrap().path()).unwrap();
    }
    redis.ask(2, &["FLUSHDB"]);
    let began = Instant::now();
    assert!(front_page(port).is_some());
    let compiled = began.elapsed();
    let slowest = seen.iter().map(|seen| seen.got - seen.asked).max().unwrap_or_default();
    let figures = json!({
        "change_overs": ends.len(),
        "visits": seen.len(),
        "latest_old_page_ms": latest.as_millis() as u64,
        "slowest_ms": slowest.as_millis() as u64,
        "compiled_page_ms": compiled.as_millis() as u64,
        "visitors": probed,
    });
    report("f87", figures);
}
