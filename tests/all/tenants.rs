//! A tenant's word is a claim, never a right: two tenants and an administrator on real servers, MariaDB and MySQL.

use crate::private_server::Release;
use crate::two_tenants::{NEIGHBOUR, OWN, TENANT, THEIRS, Tenants, set_mode, wp_config};
use crate::world::{self, DOMAIN, trial};
use serde_json::json;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const RELEASES: [Release; 2] = [Release::Installed, Release::MYSQL97];

/// A server of the tenant's own that lets everybody in, or never answers: whoever comes is counted.
struct Trap {
    visits: std::sync::Arc<AtomicU64>,
    port: u16,
    socket: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Trap {
    fn set() -> Trap {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o755);
        let socket = folder.path().join("evil.sock");
        let visits = std::sync::Arc::new(AtomicU64::new(0));
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let port = tcp.local_addr().unwrap().port();
        let seen = visits.clone();
        // Both stay open and silent: a client that waits for a greeting waits for ever.
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for visitor in tcp.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
                kept.push(visitor);
            }
        });
        let seen = visits.clone();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for visitor in unix.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
                kept.push(visitor);
            }
        });
        Trap { visits, port, socket, _folder: folder }
    }

    fn hosts(&self) -> Vec<String> {
        let (port, socket) = (self.port, self.socket.display());
        vec![
            format!("127.0.0.1:{port}"),
            format!("p:127.0.0.1:{port}"),
            format!("[::1]:{port}"),
            format!("127.1.2.3:{port}"),
            format!("localhost.localdomain:{port}"),
            format!("localhost:{socket}"),
            format!(":{socket}"),
            format!("{socket}"),
            "db.tenant.example".to_owned(),
        ]
    }

    #[track_caller]
    fn assert_untouched(&self, what: &str) {
        assert_eq!(self.visits.load(Ordering::SeqCst), 0, "{what}: somebody connected");
    }
}

#[test]
fn g01_a_neighbours_schema_is_never_a_tenants_by_its_own_word() {
    let mut tried = 0;
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        tenants.sql(
            "CREATE USER reader@localhost IDENTIFIED BY 'secret-r-1'; GRANT SELECT, SHOW VIEW ON `b\\_shop`.* TO reader@localhost; \
             CREATE USER tables@localhost IDENTIFIED BY 'secret-t-1'; GRANT ALL ON b_shop.t TO tables@localhost; \
             CREATE USER wide@localhost IDENTIFIED BY 'secret-w-1'; GRANT ALL ON `%\\_shop`.* TO wide@localhost; \
             CREATE USER loose@localhost IDENTIFIED BY 'secret-l-1'; GRANT ALL ON `b_shop`.* TO loose@localhost; \
             CREATE ROLE idle; GRANT ALL ON `b\\_shop`.* TO idle; \
             CREATE USER roles@localhost IDENTIFIED BY 'secret-o-1'; GRANT idle TO roles@localhost",
        );
        let refused = "insufficient_privilege";
        // Schema, user, password, what becomes of it.
        let mut cases = vec![
            (THEIRS, "a", "secret-a-1", refused),
            (THEIRS, "b", "guessed", refused),
            (THEIRS, "b", "", refused),
            (THEIRS, "reader", "secret-r-1", refused),
            (THEIRS, "tables", "secret-t-1", refused),
            (THEIRS, "roles", "secret-o-1", refused),
            // Rights there are, and the neighbour has them as well: whose it is the administrator has to say.
            (THEIRS, "wide", "secret-w-1", "database_ambiguous"),
            (THEIRS, "loose", "secret-l-1", "database_ambiguous"),
            (THEIRS, "b", "secret-b-1", "database_ambiguous"),
            ("B_SHOP", "a", "secret-a-1", refused),
            ("b_shop ", "a", "secret-a-1", refused),
            ("b_shop`.`t", "a", "secret-a-1", refused),
            ("x'; DROP DATABASE b_shop; -- ", "a", "secret-a-1", refused),
            ("`b_shop`", "a", "secret-a-1", refused),
            ("b\\_shop", "a", "secret-a-1", refused),
            ("%", "a", "secret-a-1", refused),
            ("%", "wide", "secret-w-1", refused),
            ("a_shop\0", "a", "secret-a-1", refused),
            ("a_shop", "nobody_such", "x", refused),
            // As root over the socket this program is let in as `root`, whatever the password: that shows nothing.
            (THEIRS, "root", "guessed", refused),
        ];
        if !release.is_mysql() {
            // What MariaDB 10.11 grants to everybody.
            tenants.sql("CREATE DATABASE test_b; CREATE TABLE test_b.t (id INT); GRANT ALL ON `test\\_%`.* TO PUBLIC");
            cases.push(("test_b", "a", "secret-a-1", refused));
        }
        for own in [
            "mysql",
            "MySQL",
            "sys",
            "information_schema",
            "INFORMATION_SCHEMA",
            "performance_schema",
            "#mysql50#mysql",
        ] {
            cases.push((own, "a", "secret-a-1", refused));
        }
        for (schema, user, password, code) in cases {
            tenants.wp_config(DOMAIN, schema, user, password, "localhost");
            tenants.assert_refused(&format!("{release:?}: {user} names {schema:?}"), code);
            tried += 1;
        }
        // The administrator's word for the neighbour: then nobody's claim counts, whatever rights it has.
        tenants.say("neighbour.example.conf", "MYSQL_DB_NAME=b_shop\nMYSQL_DB_USER=b\nMYSQL_DB_PASSWORD=secret-b-1\n");
        for (user, password) in [("wide", "secret-w-1"), ("b", "secret-b-1")] {
            tenants.wp_config(DOMAIN, THEIRS, user, password, "localhost");
            tenants.assert_refused(&format!("{release:?}: {user}, and the administrator says whose it is"), refused);
            tried += 1;
        }
        // A schema that a restore made.
        tenants.sql("CREATE DATABASE rvk_0123456789ab; GRANT ALL ON rvk_0123456789ab.* TO a@localhost");
        tenants.wp_config(DOMAIN, "rvk_0123456789ab", "a", "secret-a-1", "localhost");
        tenants.assert_refused("a schema of ours", refused);
        tried += 1;
        tenants.reset();
        tenants.assert_restored("the tenant's own");
    }
    trial::report("g01", json!({"claims": tried, "servers": RELEASES.len(), "foreign_rows_changed": 0}));
}

#[test]
fn g02_every_kind_of_configuration_is_a_claim_and_no_more() {
    let mut tried = 0;
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        let kinds = |schema: &str| {
            let joomla = format!(
                "<?php class JConfig {{ public $dbtype='mysqli'; public $host='localhost'; public $user='a'; public $password='secret-a-1'; public $db='{schema}'; }}"
            );
            let drupal = format!(
                "<?php $databases['default']['default'] = ['driver'=>'mysql','database'=>'{schema}','username'=>'a','password'=>'secret-a-1','host'=>'localhost'];"
            );
            [
                ("wp-config.php", wp_config(schema, "a", "secret-a-1", "localhost")),
                (
                    ".env",
                    format!(
                        "DB_CONNECTION=mysql\nDB_DATABASE={schema}\nDB_USERNAME=a\nDB_PASSWORD=secret-a-1\nDB_HOST=localhost\n"
                    ),
                ),
                (".env", format!("DATABASE_URL=mysql://a:secret-a-1@localhost/{schema}\n")),
                ("public/wp-config.php", wp_config(schema, "a", "secret-a-1", "localhost")),
                ("configuration.php", joomla),
                ("sites/default/settings.php", drupal),
            ]
        };
        for (name, content) in kinds(THEIRS) {
            tenants.only(&[(name, &content)]);
            tenants.assert_refused(&format!("{release:?}: {name} names the neighbour's"), "insufficient_privilege");
            tried += 1;
        }
        let short = release.is_mysql() && !trial::is_long();
        for (name, content) in kinds(OWN).into_iter().take(if short { 2 } else { usize::MAX }) {
            tenants.only(&[(name, &content)]);
            tenants.assert_restored(&format!("{release:?}: {name} names its own"));
        }
        // Two that name two: a question, whichever would be borne out.
        let own = wp_config(OWN, "a", "secret-a-1", "localhost");
        let theirs = "DB_DATABASE=b_shop\nDB_USERNAME=a\nDB_PASSWORD=secret-a-1\n";
        tenants.only(&[("wp-config.php", &own), (".env", theirs)]);
        tenants.assert_refused("two configurations", "database_ambiguous");
        let branches = own.replace(
            "define('DB_NAME', 'a_shop');",
            "if (getenv('X')) { define('DB_NAME', 'b_shop'); } else { define('DB_NAME', 'a_shop'); }",
        );
        assert_ne!(branches, own);
        tenants.only(&[("wp-config.php", &branches)]);
        tenants.assert_refused("a file that names two", "database_ambiguous");
        let document = tenants
            .world
            .document("validate", &json!({"domain": DOMAIN, "wait": true, "components": {"database": true}}));
        assert_eq!(document["error"]["code"], "database_ambiguous", "{document}");
        assert!(document["error"]["message"].as_str().unwrap().contains("defined twice"), "{document}");
        // A role that is active by itself gives rights like any other grant.
        let active = if release.is_mysql() {
            "SET DEFAULT ROLE owner TO c@localhost"
        } else {
            "SET DEFAULT ROLE owner FOR c@localhost"
        };
        tenants.sql(&format!(
            "CREATE ROLE owner; GRANT ALL ON `a\\_shop`.* TO owner; CREATE USER c@localhost IDENTIFIED BY 'secret-c-1'; \
             GRANT owner TO c@localhost; {active}"
        ));
        tenants.only(&[("wp-config.php", &wp_config(OWN, "c", "secret-c-1", "localhost"))]);
        tenants.assert_restored("by a role");
        tried += 2;
    }
    trial::report("g02", json!({"configurations": tried, "foreign_rows_changed": 0}));
}

#[test]
fn g03_what_the_administrator_says_is_final() {
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        let trap = Trap::set();
        tenants.say("shop.example.conf", "MYSQL_DB_NAME=a_shop\nMYSQL_DB_USER=a\nMYSQL_DB_PASSWORD=secret-a-1\n");
        // The tenant's own files have no say beside it.
        tenants.wp_config(DOMAIN, THEIRS, "a", "secret-a-1", &format!("127.0.0.1:{}", trap.port));
        tenants.assert_restored("the administrator's word");
        // The tenant changes its own password: the administrator's file is refused by the server, and that is the end of it.
        tenants.sql("ALTER USER a@localhost IDENTIFIED BY 'secret-new-1'");
        tenants.wp_config(DOMAIN, THEIRS, "a", "secret-new-1", &format!("127.0.0.1:{}", trap.port));
        tenants.assert_refused("a refused account", "insufficient_privilege");
        let error = tenants.world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("shop.example.conf") && hint.contains("final"), "{error}");
        trap.assert_untouched("a tenant's server");
        // Half a word is a word.
        tenants.say("shop.example.conf", "MYSQL_DB_NAME=a_shop\n");
        tenants.assert_refused("half an account", "credentials_missing");
        // A file that somebody else may write is nobody's word, and no reason to look further.
        let file = tenants.credentials().join("shop.example.conf");
        tenants.say("shop.example.conf", "MYSQL_DB_NAME=b_shop\nMYSQL_DB_USER=b\nMYSQL_DB_PASSWORD=secret-b-1\n");
        set_mode(&file, 0o666);
        tenants.assert_refused("a file that everybody may write", "credentials_missing");
        set_mode(&file, 0o600);
        chown(&file, Some(TENANT), None).unwrap();
        tenants.assert_refused("a tenant's file", "credentials_missing");
        std::fs::remove_file(&file).unwrap();
        // A file whose name two domains of this machine share is neither's.
        std::fs::create_dir_all(tenants.world.place().join("web/shop-example")).unwrap();
        std::fs::create_dir_all(tenants.world.place().join("web/shop.exam.ple")).unwrap();
        tenants.say("shop_exam_ple.txt", "Database: b_shop\nUsername: b\nPassword: secret-b-1\n");
        std::fs::create_dir_all(tenants.world.place().join("web/shop-exam.ple")).unwrap();
        let both = tenants
            .world
            .document("validate", &json!({"domain": "shop-exam.ple", "wait": true, "components": {"database": true}}));
        assert!(
            ["database_ambiguous", "backup_not_found", "unknown_domain"]
                .contains(&both["error"]["code"].as_str().unwrap()),
            "{both}"
        );
        std::fs::remove_file(tenants.credentials().join("shop_exam_ple.txt")).unwrap();
        // restore.toml goes over the files, and needs no password.
        tenants.sql("ALTER USER a@localhost IDENTIFIED BY 'secret-a-1'");
        let toml = tenants.world.place().join("restore.toml");
        let written = std::fs::read_to_string(&toml).unwrap();
        std::fs::write(&toml, format!("{written}\n[sites.\"{DOMAIN}\"]\ndatabase = \"a_shop\"\n")).unwrap();
        tenants.wp_config(DOMAIN, THEIRS, "a", "secret-a-1", "localhost");
        tenants.assert_restored("restore.toml");
        for own in ["mysql", "information_schema", "rvs_0123456789ab"] {
            std::fs::write(&toml, format!("{written}\n[sites.\"{DOMAIN}\"]\ndatabase = \"{own}\"\n")).unwrap();
            tenants.assert_refused("not even by the administrator's word", "insufficient_privilege");
        }
    }
}

#[test]
fn g04_a_snapshot_goes_back_into_the_schema_it_is_of() {
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        let name = |schema: &str, user: &str| {
            tenants.say(
                "shop.example.conf",
                &format!("MYSQL_DB_NAME={schema}\nMYSQL_DB_USER={user}\nMYSQL_DB_PASSWORD=secret-{user}-1\n"),
            );
        };
        // The administrator's file named the wrong one while the snapshot was made.
        name(THEIRS, "b");
        let made = tenants.world.call("create_snapshot", json!({"domain": DOMAIN, "wait": true}));
        let path = made["path"].as_str().unwrap().to_owned();
        assert_eq!(made["database"], THEIRS);
        name(OWN, "a");
        let (before, own) = (tenants.others(), tenants.own());
        let error = tenants.world.refused("rollback", json!({"domain": DOMAIN, "snapshot": path, "wait": true}));
        assert_eq!(error["code"], "snapshot_invalid", "{error}");
        assert!(error["message"].as_str().unwrap().contains(THEIRS), "{error}");
        assert_eq!((tenants.others(), tenants.own()), (before.clone(), own.clone()));
        // The old engine's form says it in the head of its dump alone.
        std::fs::remove_file(format!("{path}/manifest.json")).unwrap();
        let error = tenants.world.refused("rollback", json!({"domain": DOMAIN, "snapshot": path, "wait": true}));
        assert_eq!((error["code"].as_str(), tenants.own()), (Some("snapshot_invalid"), own.clone()), "{error}");
        // Its own goes back.
        let made = tenants.world.call("create_snapshot", json!({"domain": DOMAIN, "wait": true}));
        tenants.sql("UPDATE a_shop.t SET v='changed'");
        tenants.world.call("rollback", json!({"domain": DOMAIN, "snapshot": made["path"], "wait": true}));
        assert_eq!(tenants.own(), own);
        // What a restore kept goes back where it was, unless that is somebody else's by now.
        let done = tenants.world.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
        tenants.say("neighbour.example.conf", "MYSQL_DB_NAME=a_shop\nMYSQL_DB_USER=b\nMYSQL_DB_PASSWORD=secret-b-1\n");
        let error = tenants.world.refused("rollback", json!({"domain": DOMAIN, "job": done["job"], "wait": true}));
        assert_eq!((error["code"].as_str(), tenants.own().as_str()), (Some("snapshot_invalid"), "restored"), "{error}");
        std::fs::remove_file(tenants.credentials().join("neighbour.example.conf")).unwrap();
        // A configuration that the restore brought and that names nobody's does not stand in the way back.
        std::fs::remove_file(tenants.credentials().join("shop.example.conf")).unwrap();
        tenants.wp_config(DOMAIN, "gone", "gone", "x", "localhost");
        tenants.world.call("rollback", json!({"domain": DOMAIN, "job": done["job"], "wait": true}));
        assert_eq!(tenants.own(), own);
    }
}

#[test]
fn g05_nothing_below_a_document_root_is_read_through_a_link() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let secret = tenants.root(NEIGHBOUR).join("wp-config.php");
    set_mode(&secret, 0o600);
    // By the neighbour's own configuration the claim would even be borne out.
    std::fs::rename(&secret, tenants.root(NEIGHBOUR).join("kept.php")).unwrap();
    tenants.file(NEIGHBOUR, "hidden/wp-config.php", &wp_config(THEIRS, "b", "secret-b-1", "localhost"));
    tenants.file(
        NEIGHBOUR,
        "hidden/default/settings.php",
        "<?php $databases['a']['a'] = ['database'=>'b_shop','username'=>'b','password'=>'secret-b-1'];",
    );
    set_mode(&tenants.root(NEIGHBOUR).join("hidden/wp-config.php"), 0o600);
    let root = tenants.root(DOMAIN);
    let hidden = tenants.root(NEIGHBOUR).join("hidden");
    let link = |name: &str, target: &std::path::Path| {
        tenants.only(&[("index.php", "live")]);
        symlink(target, root.join(name)).unwrap();
        chown(root.join(name), Some(TENANT), Some(TENANT)).ok();
    };
    for (name, target) in [
        ("public", hidden.clone()),
        ("sites", hidden.clone()),
        ("wp-config.php", hidden.join("wp-config.php")),
        (".env", hidden.join("wp-config.php")),
        ("wp-config.php", std::path::PathBuf::from("../neighbour.example/hidden/wp-config.php")),
    ] {
        link(name, &target);
        let before = tenants.others();
        for (call, document) in tenants.outcomes() {
            let text = document.to_string();
            assert!(!text.contains(THEIRS), "{name}: {call} knows the neighbour's schema: {document}");
        }
        assert_eq!(tenants.others(), before, "{name}");
    }
    // What is no regular file is no configuration, and nobody waits for it.
    let begun = Instant::now();
    tenants.only(&[("index.php", "live")]);
    world::fault::run("mkfifo", &[root.join("wp-config.php").to_str().unwrap()]);
    let document =
        tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true, "components": {"database": true}}));
    assert_eq!(document["error"]["code"], "credentials_missing", "{document}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    // A document root that the tenant turned into a link.
    std::fs::remove_dir_all(&root).unwrap();
    symlink(tenants.root(NEIGHBOUR), &root).unwrap();
    std::os::unix::fs::lchown(&root, Some(TENANT), Some(TENANT)).unwrap();
    tenants.assert_refused("a root that is a tenant's link", "unsafe_path");
}

#[test]
fn g06_no_connection_goes_where_a_tenant_points() {
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        let trap = Trap::set();
        // Where it points is judged before any server is asked: one kind of server has all of them.
        let short = release.is_mysql() && !trial::is_long();
        for host in trap.hosts().into_iter().step_by(if short { 5 } else { 1 }) {
            tenants.wp_config(DOMAIN, OWN, "a", "secret-a-1", &host);
            let begun = Instant::now();
            tenants.assert_refused(&format!("{release:?}: DB_HOST {host}"), "database_elsewhere");
            assert!(begun.elapsed() < Duration::from_secs(60), "{host} took {:?}", begun.elapsed());
            for call in ["verify", "preview_backup"] {
                let document = tenants.world.document(call, &json!({"domain": DOMAIN, "wait": true}));
                assert!(document["ok"] == true, "{host}: {call}: {document}");
            }
        }
        for host in ["$(id)", "a b", "127.0.0.1:99999", "[::1"] {
            tenants.wp_config(DOMAIN, OWN, "a", "secret-a-1", host);
            tenants.assert_refused(&format!("DB_HOST {host}"), "credentials_missing");
        }
        trap.assert_untouched("a tenant's server");
        // The ways to write this machine's own.
        for host in ["localhost", "", "localhost:3306", &format!("localhost:{}", tenants.server.socket().display())] {
            tenants.wp_config(DOMAIN, OWN, "a", "secret-a-1", host);
            tenants.assert_restored(&format!("{release:?}: DB_HOST {host:?}"));
        }
    }
}

/// What was judged is what is used: the configuration changes all the time while root reads it.
#[test]
fn g07_a_configuration_that_changes_while_it_is_read_harms_nobody() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let before = tenants.others();
    let stop = AtomicBool::new(false);
    let swaps = AtomicU64::new(0);
    let rounds = if trial::is_long() { 60 } else { 6 };
    let (mut done, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let root = tenants.root(DOMAIN);
            while !stop.load(Ordering::Relaxed) {
                for (schema, user) in [(OWN, "a"), (THEIRS, "a")] {
                    let draft = root.join(".draft");
                    // The tree is exchanged under our hands now and then.
                    if std::fs::write(&draft, wp_config(schema, user, "secret-a-1", "localhost")).is_ok() {
                        let _ = std::fs::rename(&draft, root.join("wp-config.php"));
                    }
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        for round in 0..rounds {
            let call = ["restore_start", "validate", "create_snapshot"][round % 3];
            let document = tenants.world.document(call, &json!({"domain": DOMAIN, "wait": true}));
            match document["ok"].as_bool() {
                Some(true) => done += 1,
                _ => refused += 1,
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let lost: Vec<String> =
        before.lines().filter(|line| !tenants.others().contains(*line)).map(str::to_owned).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(tenants.sql("SELECT v FROM b_shop.t").trim(), "live of b");
    trial::report(
        "g07",
        json!({"calls": rounds, "done": done, "refused": refused, "swaps": swaps.load(Ordering::Relaxed), "foreign_rows_changed": 0}),
    );
}

#[test]
fn g08_a_schema_made_anew_after_the_validation_is_another_state() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let looked = tenants.world.call("validate", json!({"domain": DOMAIN, "wait": true}));
    let token = looked["plan_token"].as_str().unwrap().to_owned();
    // In its place stands one that the tenant's account has no rights on any more.
    tenants.sql("DROP DATABASE a_shop; CREATE DATABASE a_shop; CREATE TABLE a_shop.t (id INT PRIMARY KEY, v VARCHAR(40)); INSERT INTO a_shop.t VALUES (1,'made anew')");
    let error = tenants.world.refused("restore_start", json!({"domain": DOMAIN, "wait": true, "plan_token": token}));
    assert_eq!(error["code"], "plan_stale", "{error}");
    tenants.sql("REVOKE ALL ON `a\\_shop`.* FROM a@localhost");
    tenants.assert_refused("rights that are gone", "insufficient_privilege");
    assert_eq!(tenants.own(), "made anew");
}

/// Servers that do not tell capital letters from small ones.
#[test]
fn g09_a_name_in_other_letters_is_the_same_name_where_the_server_thinks_so() {
    let tenants = Tenants::up(Release::tested(), &["--lower-case-table-names=1"]);
    tenants.sql("CREATE USER wide@localhost IDENTIFIED BY 'secret-w-1'; GRANT ALL ON `%\\_shop`.* TO wide@localhost");
    tenants.wp_config(DOMAIN, "B_SHOP", "wide", "secret-w-1", "localhost");
    tenants.assert_refused("the neighbour's in capitals", "database_ambiguous");
    tenants.say("neighbour.example.conf", "MYSQL_DB_NAME=B_Shop\nMYSQL_DB_USER=b\nMYSQL_DB_PASSWORD=secret-b-1\n");
    tenants.wp_config(DOMAIN, "b_sHOP", "wide", "secret-w-1", "localhost");
    tenants.assert_refused("the neighbour's by the administrator's word", "insufficient_privilege");
    tenants.wp_config(DOMAIN, "A_Shop", "a", "secret-a-1", "localhost");
    tenants.assert_restored("its own in other letters");
}

/// Files of root's in a document root.
#[test]
fn g10_what_is_roots_stays_roots_and_the_rest_is_said() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let root = tenants.root(DOMAIN);
    std::fs::write(root.join("secret.key"), "root's").unwrap();
    set_mode(&root.join("secret.key"), 0o600);
    let made = tenants.world.place().join("made");
    std::fs::write(made.join("www/secret.key"), "root's of then").unwrap();
    set_mode(&made.join("www/secret.key"), 0o600);
    world::fault::run("tar", &["-czf", tenants.world.archive().to_str().unwrap(), "-C", made.to_str().unwrap(), "."]);
    tenants.assert_restored("with a file of root's");
    let meta = std::fs::metadata(root.join("secret.key")).unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&meta);
    assert_eq!((owner, meta.permissions().mode() & 0o777), (0, 0o600));
    assert_eq!(std::fs::read_to_string(root.join("secret.key")).unwrap(), "root's of then");
    let page = std::fs::metadata(root.join("index.php")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&page), TENANT);
}

/// How long each call is raced: a minute in the long form.
fn race_time() -> Duration {
    Duration::from_secs(if trial::is_long() { 60 } else { 2 })
}

/// A folder of the live tree is another thing all the time: itself, a link out, a FIFO, a file, nothing.
#[test]
fn g11_no_call_leaves_a_live_tree_that_changes_under_its_hands() {
    const MARK: &str = "outside-and-secret";
    let tenants = Tenants::up(Release::tested(), &[]);
    let outside = tenants.world.place().join("outside");
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    for name in ["keep", "deep/keep"] {
        std::fs::write(outside.join(name), MARK).unwrap();
    }
    let root = tenants.root(DOMAIN);
    let calls: Vec<(&str, serde_json::Value)> = vec![
        ("validate", json!({})),
        ("diff_backup", json!({})),
        ("verify", json!({})),
        ("create_snapshot", json!({})),
        ("restore_start", json!({"components": {"files": true}, "options": {"exclude": {"files": ["uploads/"]}}})),
        ("restore_start", json!({"components": {"files": ["uploads/"]}})),
        ("restore_start", json!({"components": {"files": true}})),
        ("cleanup", json!({})),
        ("recover", json!({})),
    ];
    let made = tenants.world.place().join("made");
    std::fs::create_dir_all(made.join("www/uploads/deep")).unwrap();
    std::fs::write(made.join("www/uploads/deep/f"), "restored").unwrap();
    world::fault::run("tar", &["-czf", tenants.world.archive().to_str().unwrap(), "-C", made.to_str().unwrap(), "."]);
    let before = world::bare::look(&outside);
    let stop = AtomicBool::new(false);
    let swaps = AtomicU64::new(0);
    let mut rounds = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let at = root.join("uploads");
            let away = |kept: &str| std::fs::rename(&at, root.join(kept)).is_ok() || std::fs::remove_file(&at).is_ok();
            let mut number = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                away(".parked");
                match number % 4 {
                    0 => drop(symlink(&outside, &at)),
                    1 => drop(symlink("../../outside", &at)),
                    2 => drop(std::fs::write(&at, "a file")),
                    _ => drop(
                        std::fs::create_dir_all(at.join("deep"))
                            .and_then(|()| symlink(outside.join("keep"), at.join("deep/link"))),
                    ),
                }
                let _ = std::fs::remove_dir_all(root.join(".parked"));
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        for (call, more) in &calls {
            let until = Instant::now() + race_time();
            while Instant::now() < until {
                let mut request = json!({"domain": DOMAIN, "wait": true});
                request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                let document = tenants.world.document(call, &request);
                assert!(!document.to_string().contains(MARK), "{call}: {document}");
                assert_ne!(document["error"]["code"], "panic", "{call}: {document}");
                rounds += 1;
                if call == &"create_snapshot" && document["ok"] == true {
                    let path = document["data"]["path"].as_str().unwrap().to_owned();
                    let held = world::fault::run("tar", &["-xzOf", &format!("{path}/files.tar.gz")]);
                    assert!(!held.contains(MARK), "the snapshot holds what lies outside");
                    tenants
                        .world
                        .document("delete_snapshot", &json!({"domain": DOMAIN, "snapshot": path, "wait": true}));
                }
                if document["data"]["snapshot"].is_string() {
                    let job = document["data"]["job"].clone();
                    tenants.world.document("rollback", &json!({"domain": DOMAIN, "job": job, "wait": true}));
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(
        world::bare::look(&outside) == before,
        "{}",
        world::bare::differences(&before, &world::bare::look(&outside))
    );
    // Nothing of it was copied or linked into any tree of ours.
    let staged = tenants.world.place().join("web/.rocketvps-restore");
    let mut search = std::process::Command::new("grep");
    search.args(["-rlF", MARK]).arg(&staged).arg(tenants.world.place().join("base"));
    let found = String::from_utf8(search.output().unwrap().stdout).unwrap();
    assert_eq!(found, "", "content from outside");
    trial::report(
        "g11",
        json!({"calls": rounds, "swaps": swaps.load(Ordering::Relaxed), "seconds_each": race_time().as_secs(), "outside_changed": 0}),
    );
}

/// What a tenant's PHP may answer: silence, drops, floods.
#[test]
fn g12_hostile_answers_end_in_bounded_time_and_with_the_job() {
    use std::io::{Read, Write};
    type Answer = fn(&mut dyn Write) -> std::io::Result<()>;
    let answers: [(&str, Answer); 7] = [
        ("silence", |_| {
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }),
        ("drops", |peer| {
            loop {
                peer.write_all(b"x")?;
                peer.flush()?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }),
        ("a head without end", |peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                peer.write_all(&[b'a'; 4096])?;
            }
        }),
        ("a body without end", |peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                peer.write_all(&[b'a'; 65536])?;
            }
        }),
        ("a body in drops", |peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n")?;
            loop {
                peer.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }),
        ("records without end", |peer| {
            loop {
                // FastCGI: standard error, 65,528 bytes.
                peer.write_all(&[1, 7, 0, 1, 255, 248, 0, 0])?;
                peer.write_all(&[b'e'; 65528])?;
            }
        }),
        ("half a record", |peer| {
            peer.write_all(&[1, 6, 0, 1, 255, 255, 255, 0, b'x'])?;
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }),
    ];
    let tenants = Tenants::up(Release::tested(), &[]);
    let mut tried = 0;
    for (number, (name, answer)) in answers.into_iter().enumerate() {
        if !trial::is_long() && number % 2 == 0 {
            continue;
        }
        let web = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = tenants.world.place().join("run/hostile.sock");
        let _ = std::fs::remove_file(&socket);
        let pool = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let url = format!("http://{}/", web.local_addr().unwrap());
        std::thread::spawn(move || {
            for peer in web.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut peer = peer;
                    let _ = peer.read(&mut [0; 1024]);
                    let _ = answer(&mut peer);
                });
            }
        });
        std::thread::spawn(move || {
            for peer in pool.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut peer = peer;
                    let _ = peer.read(&mut [0; 1024]);
                    let _ = answer(&mut peer);
                });
            }
        });
        let toml = tenants.world.place().join("restore.toml");
        let text = std::fs::read_to_string(&toml).unwrap();
        let lines = text
            .lines()
            .map(|line| if line.starts_with("url = ") { format!("url = {url:?}") } else { line.to_owned() });
        std::fs::write(&toml, lines.collect::<Vec<_>>().join("\n")).unwrap();
        let conf = tenants.world.place().join(format!("pool/{DOMAIN}.conf"));
        let text = std::fs::read_to_string(&conf).unwrap();
        let lines = text.lines().map(|line| {
            if line.starts_with("listen = ") { format!("listen = {}", socket.display()) } else { line.to_owned() }
        });
        std::fs::write(&conf, lines.collect::<Vec<_>>().join("\n")).unwrap();
        let begun = Instant::now();
        if trial::is_long() || number == 1 {
            let job = tenants.world.call("verify", json!({"domain": DOMAIN}))["job"].as_str().unwrap().to_owned();
            // A sign of life has three seconds, a page eight, five times.
            let status = tenants.world.await_end(&job);
            assert!(begun.elapsed() < Duration::from_secs(70), "{name}: {:?}", begun.elapsed());
            assert_eq!(status["state"], "done", "{name}: {status}");
        }
        let begun = Instant::now();
        let job = tenants.world.call("verify", json!({"domain": DOMAIN}))["job"].as_str().unwrap().to_owned();
        std::thread::sleep(Duration::from_millis(300));
        tenants.world.call("restore_cancel", json!({"job": job}));
        tenants.world.await_end(&job);
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}: cancelled, and ended after {:?}", begun.elapsed());
        tried += 1;
    }
    trial::report("g12", json!({"answers": tried}));
}

/// A tenant holds a lock on its own table, for as long as it likes.
#[test]
fn g13_a_lock_of_a_tenants_keeps_no_call_waiting_for_long() {
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        let mut holder = std::process::Command::new("mariadb")
            .args(["--no-defaults", "--user=a", "--password=secret-a-1", "--batch"])
            .arg(format!("--socket={}", tenants.server.socket().display()))
            .arg("-e")
            .arg("LOCK TABLES a_shop.t WRITE; SELECT SLEEP(600)")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let begun = Instant::now();
        let document = tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
        assert!(begun.elapsed() < Duration::from_secs(90), "{release:?}: {:?}", begun.elapsed());
        assert_eq!(document["error"]["code"], "database_locked", "{release:?}: {document}");
        let job = tenants.world.call("validate", json!({"domain": DOMAIN}))["job"].as_str().unwrap().to_owned();
        std::thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        tenants.world.call("restore_cancel", json!({"job": job}));
        tenants.world.await_end(&job);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{release:?}: cancelled, and ended after {:?}",
            begun.elapsed()
        );
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
}

/// The folder of a domain's backups belongs to the tenant.
#[test]
fn g14_a_backup_folder_that_the_tenant_writes_gives_nothing_of_others() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let backups = tenants.world.place().join("base/backups");
    let (own, theirs) = (backups.join(DOMAIN), backups.join(NEIGHBOUR));
    std::fs::create_dir_all(&theirs).unwrap();
    let made = tenants.world.place().join("theirs");
    std::fs::create_dir_all(made.join("www")).unwrap();
    std::fs::write(made.join("www/index.php"), "neighbours-secret").unwrap();
    let archive = theirs.join("backup_20251004_030000.tar.gz");
    world::fault::run("tar", &["-czf", archive.to_str().unwrap(), "-C", made.to_str().unwrap(), "."]);
    chown(&own, Some(TENANT), Some(TENANT)).unwrap();
    let ask = |call: &str, path: &std::path::Path| {
        tenants
            .world
            .document(call, &json!({"domain": DOMAIN, "backup": path, "wait": true, "components": {"files": true}}))
    };
    for (name, target) in [
        ("backup_20251005_030000.tar.gz", archive.clone()),
        ("backup_20251006_030000.tar.gz", "../neighbour.example/backup_20251004_030000.tar.gz".into()),
    ] {
        symlink(&target, own.join(name)).unwrap();
        let document = ask("restore_start", &own.join(name));
        assert_eq!(document["error"]["code"], "path_not_allowed", "{document}");
    }
    // What is no file is waited for by nobody, nor is what describes it.
    world::fault::run("mkfifo", &[own.join("backup_20251007_030000.tar.gz").to_str().unwrap()]);
    world::fault::run("mkfifo", &[own.join("backup_20251004_030000.tar.gz.meta").to_str().unwrap()]);
    symlink(tenants.root(NEIGHBOUR).join("wp-config.php"), own.join("backup_20251004_030000.meta")).unwrap();
    let begun = Instant::now();
    assert_eq!(ask("restore_start", &own.join("backup_20251007_030000.tar.gz"))["error"]["code"], "backup_unreadable");
    let listed = tenants.world.call("list_backups", json!({"domain": DOMAIN}));
    assert!(begun.elapsed() < Duration::from_secs(10) && !listed.to_string().contains("secret-"), "{listed}");
    // A folder below it that is now itself, now a link to the neighbour's.
    let sub = own.join("sub");
    std::fs::create_dir(own.join("real")).unwrap();
    std::fs::copy(tenants.world.archive(), own.join("real/backup_20251004_030000.tar.gz")).unwrap();
    let stop = AtomicBool::new(false);
    let (swaps, mut rounds, mut read) = (AtomicU64::new(0), 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = std::fs::rename(own.join("real"), &sub);
                let _ = std::fs::rename(&sub, own.join("real"));
                let _ = symlink(&theirs, &sub);
                let _ = std::fs::remove_file(&sub);
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        let until = Instant::now() + race_time() * 2;
        while Instant::now() < until {
            let document = ask("restore_start", &sub.join("backup_20251004_030000.tar.gz"));
            read += u64::from(document["ok"] == true);
            let page = std::fs::read_to_string(tenants.root(DOMAIN).join("index.php")).unwrap();
            assert_ne!(page, "neighbours-secret", "{document}");
            rounds += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    trial::report(
        "g14",
        json!({"calls": rounds, "done": read, "swaps": swaps.load(Ordering::Relaxed), "of_others_read": 0}),
    );
    // A folder of snapshots that others may write to holds none of ours.
    let snapshot = tenants.world.place().join("base/snapshots").join(DOMAIN).join("pre_restore_20251004_030000");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::write(
        snapshot.join("manifest.json"),
        format!(
            r#"{{"schema":1,"form":"retained","domain":"{DOMAIN}","job":"20251004_030000_0123456789ab","tree":{:?}}}"#,
            tenants.root(NEIGHBOUR)
        ),
    )
    .unwrap();
    chown(&snapshot, Some(TENANT), Some(TENANT)).unwrap();
    let before = tenants.others();
    let error = tenants.world.refused("rollback", json!({"domain": DOMAIN, "snapshot": snapshot, "wait": true}));
    assert_eq!(error["code"], "snapshot_invalid", "{error}");
    assert!(
        !tenants
            .world
            .call("list_snapshots", json!({"domain": DOMAIN}))
            .to_string()
            .contains("pre_restore_20251004_030000\"")
    );
    assert_eq!(tenants.others(), before);
}

/// A tree deeper than paths may be long and files may be open.
#[test]
fn g15_a_deep_tree_is_read_copied_and_removed() {
    let depth = if trial::is_long() { 20_000 } else { 3_000 };
    let tenants = Tenants::up(Release::tested(), &[]);
    let root = tenants.root(DOMAIN);
    let dig = "import os,sys\nos.chdir(sys.argv[1])\nfor i in range(int(sys.argv[2])):\n os.mkdir('d'); os.chdir('d')\nopen('f','w').write('deep')\n";
    world::fault::run("python3", &["-c", dig, root.to_str().unwrap(), &depth.to_string()]);
    for call in ["validate", "diff_backup", "verify"] {
        let document = tenants.world.document(call, &json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(document["ok"], true, "{call}: {document}");
    }
    let snapshot = tenants.world.call("create_snapshot", json!({"domain": DOMAIN, "wait": true}));
    tenants.world.call("delete_snapshot", json!({"domain": DOMAIN, "snapshot": snapshot["path"], "wait": true}));
    tenants.assert_restored("over a deep tree");
    assert!(!root.join("d").exists());
    let kept = tenants.world.call("list_snapshots", json!({"domain": DOMAIN}))["snapshots"][0]["path"].clone();
    tenants.world.call("delete_snapshot", json!({"domain": DOMAIN, "snapshot": kept, "wait": true}));
    let left = tenants.world.place().join("web/.rocketvps-restore");
    assert!(std::fs::read_dir(&left).is_ok_and(|entries| entries.count() == 0), "the deep tree is gone");
    trial::report("g15", json!({"depth": depth}));
}

/// Names that a terminal would act on: every command, on a terminal's output, escapes them.
#[test]
fn g16_no_name_reaches_a_terminal_raw() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let hostile = ["inv\u{202e}gpj.php", "a\u{1b}[31mred", "b\u{9b}2J", "c\u{2066}\u{200b}d", "e\u{7f}\u{85}"];
    let made = tenants.world.place().join("made");
    for name in hostile {
        std::fs::write(made.join("www").join(name), "x").unwrap();
        tenants.file(DOMAIN, &format!("live-{name}"), "y");
    }
    world::fault::run("tar", &["-czf", tenants.world.archive().to_str().unwrap(), "-C", made.to_str().unwrap(), "."]);
    let dump = hostile
        .iter()
        .enumerate()
        .map(|(number, name)| format!("CREATE TABLE `t{number}{name}` (`id` int);\n"))
        .collect::<String>();
    tenants.backup(&dump);
    for name in hostile {
        std::fs::write(made.join("www").join(name), "x").unwrap();
    }
    world::fault::run("tar", &["-czf", tenants.world.archive().to_str().unwrap(), "-C", made.to_str().unwrap(), "."]);
    let seen = |what: &str, bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let raw = text.chars().find(|letter| {
            let format = ('\u{200b}'..='\u{200f}').contains(letter)
                || ('\u{202a}'..='\u{202e}').contains(letter)
                || ('\u{2066}'..='\u{2069}').contains(letter);
            format || (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
        });
        assert_eq!(raw, None, "{what}: {text}");
    };
    let run = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_rocketvps-restore"))
            .arg("--config")
            .arg(tenants.world.place().join("restore.toml"))
            .args(words)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        seen(&format!("{words:?}"), &output.stdout);
        seen(&format!("{words:?}"), &output.stderr);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = run(&["preview", DOMAIN, "--latest"]) + &run(&["diff", DOMAIN, "--latest"]);
    assert!(shown.contains("\\u{202e}"), "the names are shown: {shown}");
    run(&["diff", DOMAIN, "--latest", "--json"]);
    run(&["diff", DOMAIN, "--latest", "--field", "files.items.*.path"]);
    run(&["validate", DOMAIN, "--latest"]);
    run(&["restore", DOMAIN, "--latest", "--yes"]);
    run(&["jobs", DOMAIN]);
    run(&["logs", DOMAIN]);
    run(&["call", "diff_backup", &format!(r#"{{"domain":"{DOMAIN}","wait":true,"details":true}}"#)]);
    run(&["call", "preview_backup", &format!(r#"{{"domain":"{DOMAIN}","wait":true,"tree":{{"path":""}}}}"#)]);
    for entry in walk_files(&tenants.world.place().join("base/restore_logs")) {
        seen(&format!("{}", entry.display()), &std::fs::read(&entry).unwrap());
    }
}

fn walk_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk_files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// One tenant's restore takes neither the disk nor the memory that its neighbour needs.
#[test]
fn g17_a_restore_leaves_the_neighbour_room() {
    let mut tenants = Tenants::up(Release::tested(), &[]);
    tenants.world.put_on("web", world::fault::Filesystem::Ext4(400));
    // Packed it is small, and unpacked it is more than there is.
    let made = tenants.world.place().join("made");
    let big = std::fs::File::create(made.join("www/big")).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), 600 << 20), &mut &big).unwrap();
    // In two gzip members, of which only the last, a small one, says its size in the trailer: nothing tells before it is read.
    let members = "tar -cf \"$1.tar\" -C \"$2\" . && { head -c -1024 \"$1.tar\" | gzip -1; tail -c 1024 \"$1.tar\" | gzip; } > \"$1\"; rm \"$1.tar\"";
    let (archive, from) = (tenants.world.archive(), made.to_str().unwrap().to_owned());
    world::fault::run("sh", &["-ec", members, "sh", archive.to_str().unwrap(), &from]);
    std::fs::remove_file(made.join("www/big")).unwrap();
    let stop = AtomicBool::new(false);
    let (mut written, mut most) = (0_u64, 0_u64);
    let file = tenants.root(NEIGHBOUR).join("upload");
    let (status, refused) = std::thread::scope(|scope| {
        let neighbour = scope.spawn(|| {
            let mut refused = 0;
            while !stop.load(Ordering::Relaxed) {
                refused += u64::from(std::fs::write(&file, vec![b'n'; 64 << 10]).is_err());
                written += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            refused
        });
        // Not looked at before: the pre-flight would know the size from the index.
        let job = world::World::job(
            &tenants.world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}})),
        );
        most = world::most_memory(&job);
        let status = tenants.world.await_end(&job);
        stop.store(true, Ordering::Relaxed);
        (status, neighbour.join().unwrap())
    });
    assert_eq!(status["error"]["code"], "disk_full", "{status}");
    assert_eq!(status["error"]["context"]["phase"], "staging", "{status}");
    assert_eq!(refused, 0, "the neighbour could not write {refused} of {written} times");
    assert!(most < 64 << 10, "{most} kB of memory");
    assert_eq!(std::fs::read_to_string(tenants.root(DOMAIN).join("index.php")).unwrap(), "live");
    trial::report("g17", json!({"neighbour_writes": written, "refused": refused, "memory_kb": most}));
}

/// A session of the tenant's, until it is dropped.
struct Session(std::process::Child);

impl Session {
    fn of(tenants: &Tenants, sql: &str) -> Session {
        let mut command = std::process::Command::new("mariadb");
        command.args(["--no-defaults", "--user=a", "--password=secret-a-1", "--batch", "a_shop"]);
        command.arg(format!("--socket={}", tenants.server.socket().display())).arg("-e").arg(sql);
        let quiet = std::process::Stdio::null;
        Session(command.stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Between our question what a table is and our reading it, its owner puts a view in its place, whose function writes down who
/// runs it. A lock makes the order certain: the change of names waits in front of our reading.
#[test]
fn g18_nobody_but_the_reader_reads_what_stands_in_a_tables_place() {
    for release in RELEASES {
        // Else MySQL lets nobody without SUPER make a function.
        let options: &[&str] = if release.is_mysql() { &["--disable-log-bin"] } else { &[] };
        let tenants = Tenants::up(release, options);
        tenants.sql(
            "CREATE TABLE a_shop.loot (who TEXT); CREATE TABLE a_shop.one (id INT); INSERT INTO a_shop.one VALUES (1)",
        );
        let as_tenant = |sql: &str| assert!(Session::of(&tenants, sql).0.wait().unwrap().success(), "{sql}");
        as_tenant(
            "CREATE FUNCTION f() RETURNS INT NOT DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER \
             RETURN (SELECT COUNT(*) FROM one) + g()",
        );
        as_tenant(
            "DELIMITER //\nCREATE FUNCTION g() RETURNS INT NOT DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER \
             BEGIN INSERT INTO loot VALUES (CURRENT_USER()); RETURN 1; END//",
        );
        as_tenant("CREATE SQL SECURITY INVOKER VIEW v AS SELECT id, 'x' AS v FROM one WHERE f() > 0");
        let loot = || tenants.sql("SELECT DISTINCT who FROM a_shop.loot");
        as_tenant("SELECT * FROM v");
        assert!(loot().contains("a@"), "the function works: {}", loot());
        tenants.sql("DELETE FROM a_shop.loot");
        for call in ["validate", "diff_backup", "create_snapshot", "restore_start", "verify"] {
            as_tenant(
                "DROP TABLE IF EXISTS t, t_; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40)); INSERT INTO t VALUES (1, 'live of a')",
            );
            as_tenant("CREATE OR REPLACE SQL SECURITY INVOKER VIEW v AS SELECT id, 'x' AS v FROM one WHERE f() > 0");
            let holds = Session::of(&tenants, "LOCK TABLES t WRITE; DO SLEEP(4); UNLOCK TABLES");
            std::thread::sleep(Duration::from_millis(300));
            let swaps = Session::of(&tenants, "RENAME TABLE t TO t_, v TO t");
            std::thread::sleep(Duration::from_millis(200));
            let document = tenants.world.document(call, &json!({"domain": DOMAIN, "wait": true}));
            drop((holds, swaps));
            assert_eq!(loot().trim(), "", "{release:?}: {call}: {document}");
            let is_view =
                "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA='a_shop' AND TABLE_NAME='t'";
            if tenants.sql(is_view).contains("VIEW") {
                as_tenant("DROP VIEW t");
            }
        }
        assert!(!tenants.sql("SELECT User FROM mysql.user").contains("rvr_"), "an account of ours is left");
    }
}

/// The administrator's server listens elsewhere, so that its port on 127.0.0.1 is free for a tenant.
#[test]
fn g19_a_free_port_on_the_loopback_address_is_not_the_servers() {
    for release in RELEASES {
        let trap = Trap::set();
        let port = format!("--port={}", trap.port);
        let tenants = Tenants::up(release, &["--skip-networking=0", "--bind-address=127.0.0.2", &port]);
        tenants.sql("CREATE USER a@'127.0.0.1' IDENTIFIED BY 'secret-a-1'; GRANT ALL ON a_shop.* TO a@'127.0.0.1'");
        tenants.wp_config(DOMAIN, OWN, "a", "wrong over the socket", &format!("127.0.0.1:{}", trap.port));
        tenants.assert_refused(&format!("{release:?}"), "database_elsewhere");
        trap.assert_untouched("a tenant's server on the port of ours");
    }
}

/// Root's link leads into the home of a tenant, who puts a link of its own on the way.
#[test]
fn g20_a_link_of_roots_is_not_followed_through_one_of_a_tenants() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let home = tenants.world.place().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let root = tenants.root(DOMAIN);
    std::fs::rename(&root, home.join("htdocs")).unwrap();
    symlink(home.join("htdocs"), &root).unwrap();
    for path in [home.clone(), home.join("htdocs")] {
        chown(path, Some(TENANT), Some(TENANT)).unwrap();
    }
    let made = tenants.world.call("create_snapshot", json!({"domain": DOMAIN, "wait": true}));
    assert!(made["files"].as_u64().unwrap() > 0, "root's own link is followed: {made}");
    std::fs::rename(home.join("htdocs"), home.join("real")).unwrap();
    symlink(tenants.root(NEIGHBOUR), home.join("htdocs")).unwrap();
    std::os::unix::fs::lchown(home.join("htdocs"), Some(TENANT), Some(TENANT)).unwrap();
    tenants.assert_refused("its own link on the way", "unsafe_path");
    tenants.say("shop.example.conf", "MYSQL_DB_NAME=a_shop\nMYSQL_DB_USER=a\nMYSQL_DB_PASSWORD=secret-a-1\n");
    let before = tenants.others();
    let document = tenants.world.document("create_snapshot", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(document["error"]["code"], "unsafe_path", "{document}");
    let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(document["ok"], false, "{document}");
    assert_eq!(tenants.others(), before);
}

/// Rights by a pattern cover a neighbour's schema too. Then it has to be clear whose it is.
#[test]
fn g21_rights_by_a_pattern_count_only_where_every_neighbour_is_clear() {
    let tenants = Tenants::up(Release::tested(), &[]);
    tenants.sql("CREATE USER wide@localhost IDENTIFIED BY 'secret-w-1'; GRANT ALL ON `%\\_shop`.* TO wide@localhost");
    let (web, place) = (tenants.world.place().join("web"), tenants.world.place().to_owned());
    let neighbour = |config: Option<&str>| {
        let root = tenants.root(NEIGHBOUR);
        let _ = std::fs::remove_file(root.join("wp-config.php"));
        if let Some(config) = config {
            tenants.file(NEIGHBOUR, "wp-config.php", config);
        }
    };
    let theirs = wp_config(THEIRS, "b", "secret-b-1", "localhost");
    let claim = || tenants.wp_config(DOMAIN, THEIRS, "wide", "secret-w-1", "localhost");
    claim();
    // Its root is a link of root's.
    std::fs::rename(tenants.root(NEIGHBOUR), place.join("elsewhere")).unwrap();
    symlink(place.join("elsewhere"), tenants.root(NEIGHBOUR)).unwrap();
    tenants.assert_refused("the neighbour's root is a link", "database_ambiguous");
    std::fs::remove_file(tenants.root(NEIGHBOUR)).unwrap();
    std::fs::rename(place.join("elsewhere"), tenants.root(NEIGHBOUR)).unwrap();
    // Its files are unclear.
    for unclear in [
        "<?php define('DB_NAME', getenv('X')); define('DB_USER', 'b');".to_owned(),
        format!("{theirs}{}", " ".repeat(2 << 20)),
    ] {
        neighbour(Some(&unclear));
        tenants.assert_refused("the neighbour's configuration is unclear", "database_ambiguous");
    }
    // Its account is let in no more just now.
    neighbour(Some(&theirs));
    tenants.sql("ALTER USER b@localhost WITH MAX_USER_CONNECTIONS 1");
    let busy = {
        let mut command = std::process::Command::new("mariadb");
        command.args(["--no-defaults", "--user=b", "--password=secret-b-1", "-e", "DO SLEEP(600)"]);
        command.arg(format!("--socket={}", tenants.server.socket().display()));
        Session(command.spawn().unwrap())
    };
    std::thread::sleep(Duration::from_secs(1));
    tenants.assert_refused("the neighbour's account has as many connections as it may", "database_ambiguous");
    drop(busy);
    // The administrator's word for it is half, or old.
    for half in ["MYSQL_DB_NAME=b_shop\n", "MYSQL_DB_NAME=old\nMYSQL_DB_USER=b\nMYSQL_DB_PASSWORD=x\n"] {
        tenants.say("neighbour.example.conf", half);
        tenants.assert_refused(half, "database_ambiguous");
    }
    std::fs::remove_file(tenants.credentials().join("neighbour.example.conf")).unwrap();
    // A file whose name fits two domains says which.
    neighbour(None);
    std::fs::create_dir(web.join("shop-example")).ok();
    tenants.say("shop_example.txt", "Domain: neighbour.example\nDatabase: b_shop\nUsername: b\nPassword: secret-b-1\n");
    tenants.assert_refused("a file under a name with underscores that says whose it is", "insufficient_privilege");
    std::fs::remove_file(tenants.credentials().join("shop_example.txt")).unwrap();
    // By the name of the schema it is another matter: the neighbour's unclear files do not count.
    neighbour(Some("<?php define('DB_NAME', getenv('X')); define('DB_USER', 'b');"));
    tenants.reset();
    tenants.assert_restored("rights by name beside an unclear neighbour");
    // What was put aside under the site's own name is a copy.
    neighbour(Some(&theirs));
    let copy = web.join(format!("{DOMAIN}.bak"));
    std::fs::create_dir(&copy).unwrap();
    chown(&copy, Some(TENANT), Some(TENANT)).unwrap();
    chown(tenants.root(DOMAIN), Some(TENANT), Some(TENANT)).unwrap();
    std::fs::write(copy.join("wp-config.php"), wp_config(OWN, "a", "secret-a-1", "localhost")).unwrap();
    let done = tenants.assert_restored("beside a copy of the site");
    let _ = done;
    chown(&copy, Some(TENANT + 1), None).unwrap();
    tenants.assert_refused("a copy that is somebody else's", "database_ambiguous");
}

/// What a plain restore answers, and the same of a validation: the same refusal where there is one.
#[track_caller]
fn plain(tenants: &Tenants, what: &str) -> serde_json::Value {
    let request = json!({"domain": DOMAIN, "wait": true});
    let validated = tenants.world.document("validate", &request);
    let restored = tenants.world.document("restore_start", &request);
    for part in ["code", "message", "hint"] {
        assert_eq!(validated["error"][part], restored["error"][part], "{what}: {validated}\n{restored}");
    }
    restored
}

#[test]
fn a_dump_without_an_account_is_never_left_out_in_silence() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let getenv = "<?php define('DB_NAME', getenv('NAME')); define('DB_USER', 'a');";
    let drupal = "<?php $databases['default']['default'] = ['database' => 'a_shop'];";
    let root = tenants.root(DOMAIN);
    for (what, files, names) in [
        ("nothing is there", None, root.to_str().unwrap()),
        ("the environment is asked", Some(vec![("wp-config.php", getenv)]), "DB_NAME is not given by a literal"),
        ("half an account", Some(vec![("sites/default/settings.php", drupal)]), "names a database and no user"),
        ("another application", Some(vec![("app/etc/env.php", "<?php return [];")]), "has none of wp-config.php, .env"),
        ("a file without a word of it", Some(vec![("wp-config.php", "<?php require 'x.php';")]), "wp-config.php"),
    ] {
        match &files {
            Some(files) => tenants.only(files),
            None => std::fs::remove_dir_all(&root).unwrap(),
        }
        let (before, own) = (world::bare::look(&root), tenants.own());
        // Twice: the second time the backup was read before.
        for turn in 0..2 {
            let refused = plain(&tenants, what);
            let (message, hint) = (&refused["error"]["message"], refused["error"]["hint"].as_str().unwrap_or_default());
            assert_eq!(refused["error"]["code"], "credentials_missing", "{what} {turn}: {refused}");
            assert!(message.as_str().unwrap().contains(names), "{what} {turn}: {refused}");
            assert!(hint.contains("MYSQL_DB_NAME=") && hint.contains("--only files,config"), "{what}: {hint}");
            let diff = tenants.world.document("diff_backup", &json!({"domain": DOMAIN, "wait": true}));
            assert_eq!(diff["error"]["code"], "credentials_missing", "{what} {turn}: {diff}");
            // Until it is read nothing is known of what the backup holds.
            tenants.backup("CREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(40));\nINSERT INTO `t` VALUES (1,'restored');\n");
        }
        assert_eq!((world::bare::look(&root), tenants.own()), (before, own), "{what}: something was changed");
    }
    // The administrator says which it is.
    tenants.say(&format!("{DOMAIN}.conf"), "MYSQL_DB_NAME=a_shop\nMYSQL_DB_USER=a\nMYSQL_DB_PASSWORD=secret-a-1\n");
    tenants.assert_restored("by the administrator's word");
}

#[test]
fn a_site_without_a_table_takes_a_backup_without_a_dump_and_no_other_does() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let made = tenants.world.place().join("made");
    std::fs::remove_file(made.join("database.sql")).unwrap();
    std::fs::remove_file(made.join("www/wp-config.php")).unwrap();
    world::fault::run("tar", &["-czf", tenants.world.archive().to_str().unwrap(), "-C", made.to_str().unwrap(), "."]);
    // The site has tables: they are not left out without a word.
    let refused = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(refused["error"]["code"], "backup_incomplete", "{refused}");
    let validated = tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(validated["data"]["outcome"], "fail", "{validated}");
    // None of them, or no database at all: the backup is the whole site.
    for emptied in ["DROP TABLE a_shop.t", "DROP DATABASE a_shop"] {
        tenants.reset();
        tenants.sql(emptied);
        let restored = plain(&tenants, emptied);
        assert_eq!(restored["ok"], true, "{emptied}: {restored}");
        assert_eq!(restored["data"]["database"], json!(null), "{emptied}: {restored}");
        let notes = restored["data"]["notes"].to_string();
        let has = if emptied.contains("DATABASE") { "does not exist" } else { "has no table" };
        assert!(notes.contains(&format!("{has}: the database takes no part")), "{emptied}: {notes}");
    }
    assert!(!tenants.sql("SHOW DATABASES").contains("a_shop"), "nobody asked for a schema");
    // A site that knows of no database.
    tenants.only(&[("index.html", "live")]);
    let restored = plain(&tenants, "a site of files");
    assert_eq!(restored["ok"], true, "{restored}");
    // Asked for by name it has to be there.
    let named = json!({"domain": DOMAIN, "wait": true, "components": {"files": true, "database": true}});
    let refused = tenants.world.document("restore_start", &named);
    assert_eq!(refused["error"]["code"], "credentials_missing", "{refused}");
}

/// RocketVPS makes a database for a page of plain files too, and dumps it.
#[test]
fn a_whole_dump_without_a_table_is_all_of_a_site_that_has_none() {
    let tenants = Tenants::up(Release::tested(), &[]);
    tenants.backup("-- MariaDB dump 10.19  Distrib 10.11.14-MariaDB\n");
    let wait = json!({"domain": DOMAIN, "wait": true});
    let refused = tenants.world.document("restore_start", &wait);
    assert_eq!(refused["error"]["code"], "backup_corrupt", "{refused}");
    assert_eq!(tenants.world.document("validate", &wait)["data"]["outcome"], "fail");
    tenants.sql("DROP TABLE a_shop.t");
    let restored = plain(&tenants, "none here, none there");
    assert_eq!(restored["ok"], true, "{restored}");
    assert_eq!(restored["data"]["database"], json!(null), "{restored}");
    assert!(restored["data"]["notes"].to_string().contains("the dump holds no table, and the site's"), "{restored}");
    assert!(!tenants.sql("SHOW DATABASES").contains("rvs"), "{}", tenants.sql("SHOW DATABASES"));
}

#[test]
fn a_schema_that_is_gone_is_made_and_goes_again_on_the_way_back() {
    for release in RELEASES {
        let tenants = Tenants::up(release, &[]);
        let there = |schema: &str| tenants.sql("SHOW DATABASES").lines().any(|line| line == schema);
        tenants.sql("DROP DATABASE a_shop");
        let validated = tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
        assert_ne!(validated["data"]["outcome"], "fail", "{release:?}: {validated}");
        assert!(validated.to_string().contains("does not exist and will be made"), "{release:?}: {validated}");
        assert!(!there(OWN), "a validation changes nothing");

        // The page is not what it should be: all of it goes back.
        let toml = tenants.world.place().join("restore.toml");
        let written = std::fs::read_to_string(&toml).unwrap();
        std::fs::write(&toml, written.replace("url = \"\"", "url = \"http://127.0.0.1:1/\"")).unwrap();
        let failed = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(failed["ok"], false, "{failed}");
        assert!(!there(OWN), "{release:?}: what was made for a restore that failed goes with it: {failed}");
        std::fs::write(&toml, written).unwrap();

        let restored = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(restored["ok"], true, "{release:?}: {restored}");
        assert_eq!(tenants.own(), "restored", "{release:?}");
        assert!(restored["data"]["notes"].to_string().contains("did not exist and was made"), "{restored}");
        let back = |job: &serde_json::Value| {
            let request = json!({"domain": DOMAIN, "job": job["data"]["job"], "wait": true});
            let document = tenants.world.document("rollback", &request);
            assert_eq!(document["ok"], true, "{release:?}: {document}");
            document
        };
        // Back, forth, and back: with what the restore brought the schema goes and comes.
        let gone = back(&restored);
        assert!(!there(OWN), "{release:?}");
        let again = back(&gone);
        assert_eq!(tenants.own(), "restored", "{release:?}");
        // Also with what was made in it since, which comes back with it.
        tenants.sql("CREATE TABLE a_shop.later (id INT); CREATE VIEW a_shop.others AS SELECT v FROM a_shop.t");
        let gone = back(&again);
        assert!(!there(OWN), "{release:?}");
        back(&gone);
        assert_eq!(tenants.sql("SELECT * FROM a_shop.others; SELECT COUNT(*) FROM a_shop.later").trim(), "restored\n0");

        // A neighbour's schema that is gone is nobody's to make by a claim.
        tenants.reset();
        tenants.sql(&format!("DROP DATABASE {THEIRS}"));
        tenants.wp_config(DOMAIN, THEIRS, "a", "secret-a-1", "localhost");
        let refused = plain(&tenants, "a neighbour's");
        assert_eq!(refused["error"]["code"], "insufficient_privilege", "{release:?}: {refused}");
        assert!(!there(THEIRS), "{release:?}");
    }
}

#[test]
fn what_a_server_refuses_is_told_in_names_that_the_user_knows_and_with_a_way_out() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let own = "CREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(40));\n";
    for (dump, code, way_out) in [
        (
            "CREATE TABLE j (id int PRIMARY KEY, d longtext CHECK (json_valid(d)));\nINSERT INTO j VALUES (1,'no json');\n",
            "database_failed",
            r#""exclude":{"database":["j"]}"#,
        ),
        ("CREATE VIEW v AS SELECT id FROM gone;\n", "database_failed", r#""exclude":{"database":["v"]}"#),
        ("GRANT ALL ON *.* TO x;\n", "dump_refused", r#""options":{"compatibility":{"statement":"skip"}}"#),
        ("INSERT INTO t VALUES (1, SLEEP(9));\n", "dump_refused", r#""exclude":{"database":["t"]}"#),
    ] {
        tenants.backup(&format!("{own}{dump}"));
        let refused = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        let said = format!("{} {}", refused["error"]["message"], refused["error"]["hint"]);
        assert_eq!(refused["error"]["code"], code, "{dump}: {refused}");
        for own in ["rvs_", "rvk_", "rvr_", "rv_", "trusting"] {
            assert!(!said.contains(own), "{dump}: {own} in {said}");
        }
        assert!(refused["error"]["hint"].as_str().unwrap().contains(way_out), "{dump}: {said}");
    }
}
