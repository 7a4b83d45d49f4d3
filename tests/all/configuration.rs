//! Configuration of a backup on a real world: what the guard refuses never reaches a root process, certificates that do not fit are
//! not installed, and a service that does not come back brings the old side back.

use crate::world::oracle::Side;
use crate::world::{DOMAIN, Digest, World, trial};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The site's live configuration files.
struct Files {
    nginx: PathBuf,
    pool: PathBuf,
    cron: PathBuf,
    ssl: PathBuf,
}

fn files(world: &World) -> Files {
    let place = world.place();
    Files {
        nginx: place.join("nginx/sites-available").join(DOMAIN),
        pool: place.join("php/pool.d").join(format!("{DOMAIN}.conf")),
        cron: place.join("cron").join(DOMAIN.replace('.', "_")),
        ssl: place.join("ssl").join(DOMAIN),
    }
}

/// Makes a backup with the file as it would be, and puts the live one back. Gives the digest of what the backup holds.
fn backed_up_with(world: &World, changes: &[(&Path, Vec<u8>)]) -> Digest {
    let before: Vec<Vec<u8>> = changes.iter().map(|(path, _)| std::fs::read(path).unwrap()).collect();
    for (path, content) in changes {
        std::fs::write(path, content).unwrap();
    }
    let digest = world.digest();
    for backup in std::fs::read_dir(world.place().join("base/backups").join(DOMAIN)).unwrap() {
        let backup = backup.unwrap().path();
        if backup.is_file() {
            std::fs::remove_file(backup).unwrap();
        }
    }
    world.harness("backup", &[]);
    for ((path, _), content) in changes.iter().zip(before) {
        std::fs::write(path, content).unwrap();
    }
    digest
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The text with lines put in after its first one.
fn with_lines(text: &str, lines: &[&str]) -> Vec<u8> {
    let (first, rest) = text.split_once('\n').unwrap();
    format!("{first}\n{}\n{rest}", lines.join("\n")).into_bytes()
}

fn request() -> Value {
    json!({"domain": DOMAIN, "wait": true})
}

/// The sentences of every check of a refused restore.
fn sentences(error: &Value) -> Vec<String> {
    let groups = error["context"]["groups"].as_array().unwrap_or_else(|| panic!("no groups in {error}"));
    let checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    checks.map(|check| check["message"].as_str().unwrap().to_owned()).collect()
}

/// Refused with this code, before anything is done and by the restore, and the site is what it was.
#[track_caller]
fn refused(world: &World, old: &Digest, new: &Digest, code: &str) -> Value {
    let checked = world.call("validate", request());
    assert_eq!(checked["outcome"], "fail", "{checked}");
    let told = |group: &Value| group["checks"].as_array().unwrap().iter().any(|check| check["figures"]["code"] == code);
    assert!(checked["groups"].as_array().unwrap().iter().any(told), "{checked}");
    failed(world, old, new, code)
}

/// The restore fails with this code, and the site is what it was.
#[track_caller]
fn failed(world: &World, old: &Digest, new: &Digest, code: &str) -> Value {
    let error = world.refused("restore_start", request());
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(world.oracle(old, new, code), Side::Old);
    error
}

#[track_caller]
fn names(said: &[String], file: &str, line: usize, directive: &str) {
    let start = format!("{file}: line {line}: `{directive}");
    assert!(said.iter().any(|said| said.starts_with(&start)), "nothing begins with {start}: {said:#?}");
}

#[test]
fn f78_what_a_tenant_writes_for_nginx_and_php_fpm_is_judged_before_root_reads_it() {
    let world = World::up();
    let live = files(&world);
    let old = world.digest();
    let evil = world.place().join("evil");
    std::fs::create_dir(&evil).unwrap();
    let at = |name: &str| evil.join(name).display().to_string();
    let nothing_made = || {
        let made: Vec<_> = std::fs::read_dir(&evil).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(made.is_empty(), "made as root: {made:?}");
    };

    // In the server block, each on a line of its own from the second on.
    let lines = [
        format!("error_log {};", at("error.log")),
        format!("access_log {};", at("access.log")),
        format!("include {};", at("more.conf")),
        format!("client_body_temp_path {};", at("body")),
        "root /;".to_owned(),
        "fastcgi_param PHP_ADMIN_VALUE \"open_basedir=/\";".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let good = read(&live.nginx);
    let mut text = with_lines(&good, &lines);
    let top = 1 + text.iter().filter(|byte| **byte == b'\n').count();
    text.extend(
        format!("load_module {};\nuser root;\nproxy_cache_path {} keys_zone=a:1m;\n", at("x.so"), at("c")).bytes(),
    );
    let new = backed_up_with(&world, &[(&live.nginx, text)]);
    let said = sentences(&refused(&world, &old, &new, "unsafe_config"));
    for (number, line) in lines.iter().enumerate() {
        names(&said, "nginx.conf", number + 2, line.split(' ').next().unwrap());
    }
    for (number, directive) in ["load_module", "user root", "proxy_cache_path"].iter().enumerate() {
        names(&said, "nginx.conf", top + number, directive);
    }
    assert!(said.iter().any(|said| said.starts_with("not tested by nginx")), "a program of root read it: {said:#?}");
    nothing_made();

    let slow = format!("slowlog = {}", at("slow.log"));
    let access = format!("access.log = {}", at("fpm-access.log"));
    let include = format!("include = {}", at("pool.conf"));
    let lines =
        ["user = root", &slow, &access, &include, "php_admin_value[extension] = /tmp/x.so", "[global] pid = /x"];
    let text = with_lines(&read(&live.pool), &lines);
    let new = backed_up_with(&world, &[(&live.pool, text)]);
    let said = sentences(&refused(&world, &old, &new, "unsafe_config"));
    for (number, line) in lines.iter().enumerate() {
        names(&said, "php-fpm.conf", number + 2, line);
    }
    assert!(said.iter().any(|said| said.starts_with("not tested by nginx")), "a program of root read it: {said:#?}");
    nothing_made();
}

#[test]
fn f79_a_cron_file_runs_nothing_but_the_sites_own_commands() {
    let world = World::up();
    let live = files(&world);
    let old = world.digest();
    let good = read(&live.cron);

    let lines = ["* * * * * root id", "SHELL=/tmp/sh", "PATH=/tmp", "LD_PRELOAD=/tmp/x.so", "@daily nobody id"];
    let new = backed_up_with(&world, &[(&live.cron, with_lines(&good, &lines))]);
    let said = sentences(&refused(&world, &old, &new, "unsafe_config"));
    for (number, line) in lines.iter().enumerate() {
        names(&said, "cron", number + 2, line);
    }
    // Where cron and we would not see the same lines, nothing is read at all.
    let tricks = ["# x\r* * * * * root id\n", "* * * * * www-data true", "\u{b}* * * * * root id\n"];
    for trick in trial::points(&tricks, 1) {
        let new = backed_up_with(&world, &[(&live.cron, format!("{good}{trick}").into_bytes())]);
        refused(&world, &old, &new, "config_rejected");
    }
    // Commands of the site's own account are its own business.
    let text = format!("{good}MAILTO=ops@{DOMAIN}\n@hourly www-data id >/dev/null; true SHELL=/bin/sh\n");
    let new = backed_up_with(&world, &[(&live.cron, text.into_bytes())]);
    world.restore();
    assert_eq!(world.oracle(&old, &new, "a good cron file"), Side::New);
}

#[test]
fn f78_f79_what_the_administrator_lets_through_is_said_line_by_line() {
    let world = World::up();
    let live = files(&world);
    let old = world.digest();
    let text = |path: &Path, line: &str| with_lines(&read(path), &[line]);
    let changes = [
        (live.nginx.as_path(), text(&live.nginx, "client_body_in_file_only off;")),
        (live.pool.as_path(), text(&live.pool, "process.dumpable = no")),
        (live.cron.as_path(), text(&live.cron, "HOME=/var/empty")),
    ];
    let new = backed_up_with(&world, &changes);
    refused(&world, &old, &new, "unsafe_config");

    let data =
        world.call("restore_start", json!({"domain": DOMAIN, "wait": true, "options": {"allow_unsafe_config": true}}));
    assert_eq!(world.oracle(&old, &new, "let through"), Side::New);
    let job = World::job(&data);
    let status = world.poll(&job);
    let events = status["events"].to_string();
    let notes: Vec<&str> =
        status["result"]["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    for line in [
        "let through: nginx.conf: line 2: `client_body_in_file_only off`",
        "let through: php-fpm.conf: line 2: `process.dumpable = no`",
        "let through: cron: line 2: `HOME=/var/empty`",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(line)), "no note {line}: {notes:#?}");
        assert!(events.contains(line), "no event {line}: {events}");
    }
    // What is live now is the operator's own choice.
    world.call("restore_start", request());
    assert_eq!(world.oracle(&old, &new, "again"), Side::New);
}

#[test]
fn what_was_live_on_this_machine_comes_back_from_a_snapshot_whatever_the_guard_says() {
    let world = World::up();
    let live = files(&world);
    let plain = read(&live.nginx);
    std::fs::write(&live.nginx, with_lines(&plain, &["client_body_in_file_only off;"])).unwrap();
    let old = world.digest();
    let made = world.call("create_snapshot", request());
    std::fs::write(&live.nginx, plain).unwrap();
    assert_ne!(world.digest(), old);
    world.call("rollback", json!({"domain": DOMAIN, "snapshot": made["path"], "wait": true}));
    world.digest().assert_is(&old, "back at the snapshot");
    world.assert_nothing_left();
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().expect("package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for the domain and its key, valid between two moments (`YYYYMMDDHHMMSSZ`).
fn certificate(from: &str, until: &str) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key"];
    openssl(here, &[&["req", "-new", "-subj", &format!("/CN={DOMAIN}"), "-out", "request"][..], &key].concat());
    let authority = "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n\
        x509_extensions=names\n[any]\ncommonName=supplied\n";
    std::fs::write(here.join("ca"), format!("{authority}[names]\nsubjectAltName=DNS:{DOMAIN}\n")).unwrap();
    std::fs::write(here.join("index"), "").unwrap();
    std::fs::write(here.join("serial"), "01\n").unwrap();
    let dates = ["-startdate", from, "-enddate", until];
    let signed =
        ["ca", "-batch", "-selfsign", "-config", "ca", "-keyfile", "key", "-in", "request", "-out", "crt", "-notext"];
    openssl(here, &[&signed[..], &dates].concat());
    let file = |name: &str| std::fs::read(here.join(name)).unwrap();
    (file("crt"), file("key"))
}

#[test]
fn f80_a_certificate_that_does_not_fit_is_not_installed() {
    let world = World::up();
    let ssl = files(&world).ssl;
    let old = world.digest();
    let (certificate_path, key_path) = (ssl.join("fullchain.pem"), ssl.join("privkey.pem"));
    let (good, good_key) = certificate("20200101000000Z", "20990101000000Z");
    let (expired, expired_key) = certificate("20200101000000Z", "20200201000000Z");
    let (_, other_key) = certificate("20200101000000Z", "20990101000000Z");
    for (certificate, key, why) in
        [(&good, &other_key, "does not belong to it"), (&expired, &expired_key, "expired on 2020-02-01")]
    {
        let changes = [(certificate_path.as_path(), certificate.clone()), (key_path.as_path(), key.clone())];
        let new = backed_up_with(&world, &changes);
        let error = refused(&world, &old, &new, "tls_invalid");
        assert!(sentences(&error).iter().any(|said| said.contains(why)), "{error}");
    }
    let changes = [(certificate_path.as_path(), good), (key_path.as_path(), good_key)];
    let new = backed_up_with(&world, &changes);
    world.restore();
    assert_eq!(world.oracle(&old, &new, "a pair that fits"), Side::New);
}

#[test]
fn f81_a_service_that_does_not_come_back_brings_the_old_side_back() {
    let world = World::up();
    let live = files(&world);
    // An address that someone else has: both programs find out only when they begin to use it.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // nginx is waited for 15 seconds each time; once is enough here.
    let settings = world.place().join("restore.toml");
    std::fs::write(&settings, read(&settings) + "\n[limits]\nmax_retries = 0\n").unwrap();
    let old = world.digest();
    let site = with_lines(&read(&live.nginx), &[&format!("listen {address};")]);
    let pool = read(&live.pool);
    let socket = pool.lines().find(|line| line.starts_with("listen = ")).unwrap();
    let pool = pool.replace(socket, &format!("listen = {address}")).into_bytes();
    for (path, text) in trial::points(&[(&live.pool, pool), (&live.nginx, site)], 1) {
        let new = backed_up_with(&world, &[(path.as_path(), text)]);
        let error = failed(&world, &old, &new, "reload_failed");
        assert_eq!(error["context"]["state"], "rolled_back", "{error}");
        let page = world.harness("fetch", &["rv-probe.php"]);
        assert!(page.starts_with("RV files=backup db=backup"), "{page}");
    }
}
