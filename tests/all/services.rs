//! The services module against an nginx and a PHP-FPM of its own, in a temporary folder, ended by process id.

use rocketvps_restore::config::Config;
use rocketvps_restore::error::Code;
use rocketvps_restore::host::services::{Service, Services};
use rocketvps_restore::path::Domain;
use rocketvps_restore::siteconf::{self, Item};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const DOMAIN: &str = "example.com";

struct Machine {
    folder: tempfile::TempDir,
    config: Config,
    domain: Domain,
    port: u16,
    running: Vec<Child>,
}

fn program(names: &[&str], package: &str) -> PathBuf {
    let mut found = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .filter(|path| {
            names.iter().any(|name| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name)))
        })
        .collect::<Vec<_>>();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("install the Debian package {package}"))
}

impl Machine {
    /// `pool_more` is added to the pool file.
    fn start(pool_more: &str) -> Machine {
        let folder = tempfile::Builder::new().prefix("rv-services-").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in [
            "web/example.com",
            "nginx/available",
            "nginx/enabled",
            "php/pool.d",
            "run",
            "log",
            "tmp",
            "ssl",
            "cron",
            "work",
        ] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::set_permissions(at("work"), fs::Permissions::from_mode(0o700)).unwrap();
        let root = rustix::process::geteuid().is_root();
        let (user, group) = if root { ("www-data".into(), "www-data".into()) } else { (whoami("-un"), whoami("-gn")) };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = folder.path().display().to_string();
        let temp = ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {here}/tmp/{kind};"))
            .join("\n");
        let user_line = if root { format!("user {user};") } else { String::new() };
        let text = format!(
            "{user_line}\nworker_processes 2;\npid {here}/run/nginx.pid;\nerror_log {here}/log/nginx.log;\n\
             events {{ worker_connections 64; }}\nhttp {{\ninclude mime.types;\naccess_log off;\n{temp}\n\
             include {here}/nginx/enabled/*;\n}}\n"
        );
        fs::write(at("nginx/nginx.conf"), text).unwrap();
        fs::write(at("nginx/mime.types"), "types { text/html html; }\n").unwrap();
        fs::write(at("nginx/available/example.com"), site(&here, port, "")).unwrap();
        std::os::unix::fs::symlink(at("nginx/available/example.com"), at("nginx/enabled/example.com")).unwrap();
        let text = format!(
            "[global]\npid = {here}/run/fpm.pid\nerror_log = {here}/log/fpm.log\nprocess_control_timeout = 5s\n\
             include = {here}/php/pool.d/*.conf\n"
        );
        fs::write(at("php/php-fpm.conf"), text).unwrap();
        let text = format!(
            "[example]\nuser = {user}\ngroup = {group}\nlisten = {here}/run/php.sock\nlisten.mode = 0666\npm = static\n\
             pm.max_children = 3\nphp_admin_value[opcache.enable] = 1\n\
             php_admin_value[opcache.validate_timestamps] = 1\nphp_admin_value[opcache.revalidate_freq] = 60\n{pool_more}"
        );
        fs::write(at("php/pool.d/example.com.conf"), text).unwrap();
        fs::write(at("web/example.com/index.php"), "<?php echo 'version one';").unwrap();
        let toml = format!(
            "[paths]\nbase = \"{here}/base\"\nweb_root = \"{here}/web\"\nnginx_available = \"{here}/nginx/available\"\n\
             nginx_enabled = \"{here}/nginx/enabled\"\nphp_pool_dir = \"{here}/php/pool.d\"\nssl = \"{here}/ssl\"\n\
             cron = \"{here}/cron\"\n[files]\nowner = \"{user}:{group}\"\n[services]\nmanager = \"pidfile\"\n\
             nginx = {{ conf = \"{here}/nginx/nginx.conf\", pidfile = \"{here}/run/nginx.pid\" }}\n\
             php_fpm = {{ conf = \"{here}/php/php-fpm.conf\", pidfile = \"{here}/run/fpm.pid\" }}\n\
             [http]\nurl = \"http://127.0.0.1:{port}/\"\n"
        );
        let config = Config::parse(&toml).unwrap();
        let mut machine = Machine { folder, config, domain: Domain::parse(DOMAIN).unwrap(), port, running: Vec::new() };
        let fpm = program(&["php-fpm"], "php-fpm");
        machine.run(&fpm, &["--nodaemonize", "--fpm-config", &format!("{here}/php/php-fpm.conf")]);
        let nginx = program(&["nginx"], "nginx-light");
        machine.run(&nginx, &["-c", &format!("{here}/nginx/nginx.conf"), "-g", "daemon off;"]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !matches!(machine.page(), Ok(text) if text.contains("version one")) {
            assert!(Instant::now() < deadline, "the services did not start: {}", machine.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
        machine
    }

    fn run(&mut self, program: &Path, arguments: &[&str]) {
        let log = fs::File::create(self.at("log/start.log")).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.running.push(command.spawn().unwrap());
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn here(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn logs(&self) -> String {
        ["log/start.log", "log/nginx.log", "log/fpm.log"]
            .map(|name| fs::read_to_string(self.at(name)).unwrap_or_default())
            .join("\n")
    }

    fn services(&self) -> Services {
        Services::new(&self.config, &self.at("work"), std::sync::Arc::new(rocketvps_restore::progress::Silent))
    }

    fn page(&self) -> std::io::Result<String> {
        page(self.port)
    }

    fn file(&self, item: Item, content: &str) -> siteconf::ConfFile {
        siteconf::place(&self.config, &self.domain, item, "from-backup", content.into()).unwrap()
    }

    /// Every file below nginx and php, with mode, owner, content or link text.
    fn picture(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut folders = ["nginx", "php", "run", "log", "tmp", "ssl", "cron"].map(|name| self.at(name)).to_vec();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                let (mode, uid, gid, inode) = (meta.mode(), meta.uid(), meta.gid(), meta.ino());
                let said = if meta.is_file() && !path.starts_with(self.at("log")) {
                    format!("{:?}", fs::read(&path).unwrap())
                } else {
                    format!("{:?}", fs::read_link(&path).ok())
                };
                lines.push(format!("{} {mode:o} {uid}:{gid} {inode} {said}", path.display()));
                if meta.is_dir() {
                    folders.push(path);
                }
            }
        }
        lines.sort();
        lines
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for mut child in self.running.drain(..) {
            let pid = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let deadline = Instant::now() + Duration::from_secs(5);
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn whoami(flag: &str) -> String {
    String::from_utf8(Command::new("id").arg(flag).output().unwrap().stdout).unwrap().trim().to_owned()
}

fn site(here: &str, port: u16, more: &str) -> String {
    format!(
        "server {{\n  listen 127.0.0.1:{port};\n  server_name {DOMAIN};\n  root {here}/web/{DOMAIN};\n  {more}\n\
         \x20 location / {{\n    fastcgi_pass unix:{here}/run/php.sock;\n\
         \x20   fastcgi_param SCRIPT_FILENAME $document_root/index.php;\n    fastcgi_param REQUEST_METHOD GET;\n  }}\n}}\n"
    )
}

fn page(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET / HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_site_is_seen_up_with_evidence_and_down_services_are_seen_down() {
    let machine = Machine::start("");
    let services = machine.services();
    let nginx = services.health(Service::Nginx, &machine.domain);
    assert!(nginx.up && nginx.evidence.contains("2 workers"), "{}", nginx.evidence);
    let php = services.health(Service::PhpFpm, &machine.domain);
    assert!(php.up && php.evidence.contains("FastCGI answers a management question"), "{}", php.evidence);
    let answer = services.fetch(&machine.domain, None).unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.bytes > 0);
    let mut config = machine.config.clone();
    config.services.nginx.pidfile = machine.at("run/none.pid");
    config.http.url = "http://127.0.0.1:1/".into();
    config.services.redis.url = format!("unix:{}/run/none", machine.here());
    fs::rename(machine.at("php/pool.d/example.com.conf"), machine.at("php/gone")).unwrap();
    fs::write(machine.at("php/pool.d/example.com.conf"), "[x]\nlisten = /nowhere/x.sock\n").unwrap();
    let services =
        Services::new(&config, &machine.at("work"), std::sync::Arc::new(rocketvps_restore::progress::Silent));
    for service in [Service::Nginx, Service::PhpFpm, Service::Redis] {
        assert!(!services.health(service, &machine.domain).up, "{service:?}");
    }
    assert_eq!(services.fetch(&machine.domain, None).unwrap_err().code, Code::ServiceDown);
}

#[test]
fn a_pools_own_ping_page_is_asked_where_it_has_one() {
    let machine = Machine::start("ping.path = /ping\nping.response = here\n");
    let php = machine.services().health(Service::PhpFpm, &machine.domain);
    assert!(php.up && php.evidence.contains("/ping answers \"here\""), "{}", php.evidence);
}

#[test]
fn broken_and_harmful_text_is_refused_without_touching_anything() {
    let machine = Machine::start("");
    let services = machine.services();
    let here = machine.here();
    let pool = fs::read_to_string(machine.at("php/pool.d/example.com.conf")).unwrap();
    let before = machine.picture();

    let fine = machine.file(Item::Nginx, &site(&here, machine.port, ""));
    assert_eq!(services.test(Service::Nginx, &[fine]).unwrap(), Vec::<String>::new());
    assert_eq!(services.test(Service::Nginx, &[]).unwrap(), Vec::<String>::new());
    services.test(Service::PhpFpm, &[machine.file(Item::PhpFpm, &pool)]).unwrap();

    let broken = site(&here, machine.port, "no_such_directive on;");
    let said = services.test(Service::Nginx, &[machine.file(Item::Nginx, &broken)]).unwrap_err();
    assert_eq!(said.code, Code::ConfigRejected);
    assert!(said.message.contains("no_such_directive"), "{}", said.message);
    assert!(said.message.contains(&format!("{here}/nginx/enabled/example.com:5")), "{}", said.message);
    let cut = machine.file(Item::Nginx, "server {\n");
    assert_eq!(services.test(Service::Nginx, &[cut]).unwrap_err().code, Code::ConfigRejected);

    let broken = machine.file(Item::PhpFpm, &format!("{pool}no_such_key = 1\n"));
    let said = services.test(Service::PhpFpm, &[broken]).unwrap_err();
    assert_eq!(said.code, Code::ConfigRejected);
    assert!(said.message.contains("no_such_key"), "{}", said.message);
    assert!(said.message.contains(&format!("{here}/php/pool.d/example.com.conf")), "{}", said.message);

    // Even if the guard let these through: the test opens none of the paths they name.
    let evil = machine.at("tmp/evil");
    let path = evil.display();
    let text = site(
        &here,
        machine.port,
        &format!("access_log {path}1; error_log {path}2; client_body_temp_path {path}3; proxy_temp_path {path}4;"),
    );
    let cache = format!("proxy_cache_path {path}5 keys_zone=a:1m;\n{text}");
    services.test(Service::Nginx, &[machine.file(Item::Nginx, &cache)]).unwrap();
    let text = format!("{pool}slowlog = {path}6\naccess.log = {path}7\nrequest_slowlog_timeout = 1s\n");
    services.test(Service::PhpFpm, &[machine.file(Item::PhpFpm, &text)]).unwrap();

    // A log folder that is missing would stop the reload, though the copy passes.
    let text = site(&here, machine.port, "access_log /var/log/no-such-folder/x.log;");
    let said = services.test(Service::Nginx, &[machine.file(Item::Nginx, &text)]).unwrap_err();
    assert!(said.message.contains("/var/log/no-such-folder/x.log"), "{}", said.message);

    assert_eq!(machine.picture(), before);
    assert_eq!(fs::read_dir(machine.at("work")).unwrap().count(), 0, "the private copy is removed");
    assert!(machine.page().unwrap().contains("version one"));
}

#[test]
fn a_certificate_of_the_backup_is_tested_before_it_is_installed() {
    let machine = Machine::start("");
    let services = machine.services();
    let here = machine.here();
    let make = |name: &str| {
        let out = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9"])
            .args(["-subj", "/CN=example.com", "-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")])
            .current_dir(machine.at("work"))
            .output()
            .expect("install the Debian package openssl");
        assert!(out.status.success());
        let take = |end: &str| {
            let path = machine.at("work").join(format!("{name}.{end}"));
            let text = fs::read(&path).unwrap();
            fs::remove_file(path).unwrap();
            text
        };
        (take("crt"), take("key"))
    };
    let (certificate, key) = make("a");
    let (_, other_key) = make("b");
    let text = site(
        &here,
        machine.port,
        &format!(
            "listen 127.0.0.1:1443 ssl; ssl_certificate {here}/ssl/{DOMAIN}/fullchain.pem; ssl_certificate_key {here}/ssl/{DOMAIN}/privkey.pem;"
        ),
    );
    let ssl = |name: &str, content: &[u8]| {
        siteconf::place(&machine.config, &machine.domain, Item::Ssl, name, content.to_vec()).unwrap()
    };
    let with =
        |key: &[u8]| [machine.file(Item::Nginx, &text), ssl("fullchain.pem", &certificate), ssl("privkey.pem", key)];
    services.test(Service::Nginx, &with(&key)).unwrap();
    let said = services.test(Service::Nginx, &with(&other_key)).unwrap_err();
    assert!(said.message.contains("key values mismatch"), "{}", said.message);
    let said = services.test(Service::Nginx, &with(&key)[..1]).unwrap_err();
    assert!(said.message.contains(&format!("{here}/ssl/{DOMAIN}/fullchain.pem")), "{}", said.message);
    assert!(!machine.at("ssl/example.com").exists());
}

#[test]
fn a_reload_keeps_serving_and_the_new_configuration_answers_when_it_returns() {
    let machine = Machine::start("");
    let services = machine.services();
    let port = machine.port;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicU64::new(0));
    let failures = Arc::new(Mutex::new(Vec::new()));
    let probers: Vec<_> = (0..2)
        .map(|_| {
            let (stop, asked, failures) = (stop.clone(), asked.clone(), failures.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match page(port) {
                        Ok(text) if text.starts_with("HTTP/1.1 200") && text.contains("version one") => {}
                        other => failures.lock().unwrap().push(format!("{other:?}")),
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(3));
                }
            })
        })
        .collect();
    let saved = machine.at("work/saved");
    fs::create_dir(&saved).unwrap();
    let here = machine.here();
    let mut slowest = [Duration::ZERO; 2];
    for turn in 0..5 {
        let text = site(&here, port, &format!("add_header X-Turn {turn} always;"));
        let files = [machine.file(Item::Nginx, &text)];
        let changes = siteconf::plan_changes(&files).unwrap();
        siteconf::store(&changes, &files, &saved).unwrap();
        changes.iter().for_each(|change| siteconf::install(change, &saved).unwrap());
        let begun = Instant::now();
        services.reload(Service::Nginx).unwrap();
        slowest[0] = slowest[0].max(begun.elapsed());
        for _ in 0..8 {
            assert!(page(port).unwrap().contains(&format!("X-Turn: {turn}\r\n")), "an old worker answered");
        }
        let begun = Instant::now();
        services.reload(Service::PhpFpm).unwrap();
        slowest[1] = slowest[1].max(begun.elapsed());
        assert!(services.health(Service::PhpFpm, &machine.domain).up);
    }
    stop.store(true, Ordering::Relaxed);
    probers.into_iter().for_each(|prober| prober.join().unwrap());
    let failures = failures.lock().unwrap();
    eprintln!(
        "{} pages during 10 reloads; nginx {:?}, PHP-FPM {:?} at most",
        asked.load(Ordering::Relaxed),
        slowest[0],
        slowest[1]
    );
    assert!(failures.is_empty(), "{} of {}: {}", failures.len(), asked.load(Ordering::Relaxed), failures[0]);
    assert!(asked.load(Ordering::Relaxed) > 20);
}

#[test]
fn a_reload_that_fails_says_why_and_the_old_configuration_serves_on_or_comes_back() {
    let machine = Machine::start("");
    let services = machine.services();
    let site_path = machine.at("nginx/available/example.com");
    let good = fs::read(&site_path).unwrap();
    fs::write(&site_path, "server { nonsense; }").unwrap();
    // nginx goes on with the old configuration; the wait for new workers is bounded.
    let begun = Instant::now();
    let said = services.reload(Service::Nginx).unwrap_err();
    assert_eq!(said.code, Code::ReloadFailed);
    assert!(said.message.contains("nonsense"), "{}", said.message);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(machine.page().unwrap().contains("version one"));
    fs::write(&site_path, good).unwrap();
    services.reload(Service::Nginx).unwrap();

    // PHP-FPM dies of a broken pool file; the next reload brings it back.
    let pool_path = machine.at("php/pool.d/example.com.conf");
    let good = fs::read_to_string(&pool_path).unwrap();
    fs::write(&pool_path, format!("{good}nonsense = 1\n")).unwrap();
    let said = services.reload(Service::PhpFpm).unwrap_err();
    assert_eq!(said.code, Code::ReloadFailed);
    assert!(said.message.contains("nonsense"), "{}", said.message);
    fs::write(&pool_path, good).unwrap();
    services.reload(Service::PhpFpm).unwrap();
    assert!(services.health(Service::PhpFpm, &machine.domain).up);
    assert!(machine.page().unwrap().contains("version one"));
    let pid = fs::read_to_string(machine.at("run/fpm.pid")).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

#[test]
fn f77_stale_code_with_the_same_time_is_dropped_in_milliseconds() {
    let machine = Machine::start("");
    let services = machine.services();
    let live = machine.at("web/example.com");
    let other = machine.at("web/other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("index.php"), "<?php echo 'version two';").unwrap();
    let touched = |path: PathBuf| {
        let time = rustix::fs::Timespec { tv_sec: 1_700_000_000, tv_nsec: 0 };
        let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
        rustix::fs::utimensat(rustix::fs::CWD, &path, &times, rustix::fs::AtFlags::empty()).unwrap();
    };
    touched(live.join("index.php"));
    touched(other.join("index.php"));
    services.reload(Service::PhpFpm).unwrap();
    for _ in 0..30 {
        assert!(machine.page().unwrap().contains("version one"));
    }
    let mut slowest = Duration::ZERO;
    for turn in 0..10 {
        let expected = if turn % 2 == 0 { "version two" } else { "version one" };
        let stale = if turn % 2 == 0 { "version one" } else { "version two" };
        let cwd = rustix::fs::CWD;
        rustix::fs::renameat_with(cwd, &live, cwd, &other, rustix::fs::RenameFlags::EXCHANGE).unwrap();
        assert!(machine.page().unwrap().contains(stale), "without a refresh the old code would run on");
        let begun = Instant::now();
        let refresh = services.refresh_code(&machine.domain);
        slowest = slowest.max(begun.elapsed());
        assert!(refresh.done, "{}", refresh.evidence);
        assert_eq!(refresh.evidence, "opcache was reset");
        for _ in 0..10 {
            assert!(machine.page().unwrap().contains(expected));
        }
    }
    eprintln!("refresh at most {slowest:?}");
    assert!(slowest < Duration::from_millis(500));
}

#[test]
fn a_pool_that_may_not_reset_its_cache_says_so() {
    for forbidden in
        ["open_basedir] = /tmp", "disable_functions] = opcache_reset", "opcache.restrict_api] = /var/empty"]
    {
        let machine = Machine::start(&format!("php_admin_value[{forbidden}\n"));
        let refresh = machine.services().refresh_code(&machine.domain);
        assert!(!refresh.done, "{forbidden}: {}", refresh.evidence);
    }
}

#[test]
fn without_a_code_cache_each_worker_has_to_forget_paths_by_itself() {
    let off = "php_admin_value[opcache.enable] = 0\n";
    let machine = Machine::start(off);
    let refresh = machine.services().refresh_code(&machine.domain);
    assert!(!refresh.done && refresh.evidence.contains("remembers paths"), "{}", refresh.evidence);
    let machine = Machine::start(&format!("{off}php_admin_value[realpath_cache_ttl] = 0\n"));
    let refresh = machine.services().refresh_code(&machine.domain);
    assert!(refresh.done, "{}", refresh.evidence);
}

#[test]
fn an_installed_configuration_is_taken_back_to_the_byte() {
    let machine = Machine::start("");
    let here = machine.here();
    let pool = fs::read_to_string(machine.at("php/pool.d/example.com.conf")).unwrap();
    fs::remove_file(machine.at("nginx/enabled/example.com")).unwrap();
    fs::set_permissions(machine.at("nginx/available/example.com"), fs::Permissions::from_mode(0o640)).unwrap();
    let strip = |lines: Vec<String>| -> Vec<String> {
        // The inode of a file that was put back is a new one.
        lines
            .iter()
            .map(|line| {
                line.split(' ')
                    .enumerate()
                    .filter(|(at, _)| *at != 3)
                    .map(|(_, word)| word)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    let before = strip(machine.picture());
    let files = [
        machine.file(Item::Nginx, &site(&here, machine.port, "# new")),
        machine.file(Item::PhpFpm, &format!("{pool}; new\n")),
        machine.file(Item::Cron, "* * * * * www-data true\n"),
        machine.file(Item::Ssl, "-----BEGIN X-----\n"),
    ];
    let saved = machine.at("work/saved");
    fs::create_dir(&saved).unwrap();
    let changes = siteconf::plan_changes(&files).unwrap();
    siteconf::store(&changes, &files, &saved).unwrap();
    changes.iter().for_each(|change| siteconf::install(change, &saved).unwrap());
    assert_ne!(strip(machine.picture()), before);
    assert!(machine.at("nginx/enabled/example.com").is_file() && machine.at("cron/example_com").is_file());
    changes.iter().rev().for_each(|change| siteconf::uninstall(change, &saved).unwrap());
    assert_eq!(strip(machine.picture()), before);
}
