//! A portable snapshot of a real tree and a real database, read back by the ordinary tools.

use rocketvps_restore::backup;
use rocketvps_restore::config::Config;
use rocketvps_restore::error::Code;
use rocketvps_restore::host::credentials::{self, Password, SiteAccount};
use rocketvps_restore::host::site::Site;
use rocketvps_restore::host::site_database::{SiteDatabase, Word};
use rocketvps_restore::path::Domain;
use rocketvps_restore::progress::{Monitor, Silent};
use rocketvps_restore::snapshot;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn silent() -> Arc<dyn Monitor> {
    Arc::new(Silent)
}

/// A MariaDB of this test's own: private folder, socket only, ended by its process id.
struct Server {
    process: Child,
    socket: PathBuf,
}

impl Server {
    fn start(folder: &Path) -> Server {
        let data = folder.join("data");
        let socket = folder.join("db.sock");
        // A server that starts removes temporary tables from this folder, whoever's they are.
        let temporary = folder.join("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        let made = Command::new("mariadb-install-db")
            .env("TMPDIR", &temporary)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--user=root"])
            .arg(format!("--datadir={}", data.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let process = Command::new("mariadbd")
            .args(["--no-defaults", "--skip-networking", "--user=root", "--innodb-flush-log-at-trx-commit=0"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", temporary.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", folder.join("db.pid").display()))
            .arg(format!("--log-error={}", folder.join("db.log").display()))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { process, socket };
        let limit = Instant::now() + Duration::from_secs(60);
        while !server.client(None).args(["-e", "SELECT 1"]).output().unwrap().status.success() {
            assert!(Instant::now() < limit, "the test's MariaDB did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn client(&self, schema: Option<&str>) -> Command {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "-uroot", "-N", "-B", "--default-character-set=utf8mb4"]);
        command.arg(format!("--socket={}", self.socket.display())).args(schema);
        command
    }

    fn run(&self, schema: Option<&str>, sql: &[u8]) -> String {
        let mut child =
            self.client(schema).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let sql = sql.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&sql));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const PASSWORD: &str = "p\"a\\s's #w;örd";

const SITE_SQL: &str = r#"
CREATE DATABASE site CHARACTER SET utf8mb4; CREATE DATABASE copy CHARACTER SET utf8mb4; USE site;
CREATE TABLE posts (id int PRIMARY KEY AUTO_INCREMENT, title text, body longblob) ENGINE=InnoDB;
INSERT INTO posts (title, body) VALUES ('it''s (a); "title" 😀', x'00ff5c27'), (NULL, ''), ('-- Dump completed', 'b');
INSERT INTO posts (title) SELECT CONCAT('row ', seq) FROM seq_1_to_5000;
CREATE TABLE empty (a int) ENGINE=InnoDB;
CREATE VIEW titles AS SELECT title FROM posts;
DELIMITER ;;
CREATE TRIGGER t BEFORE INSERT ON empty FOR EACH ROW BEGIN SET NEW.a = 1; INSERT INTO posts (title) VALUES ('x'); END;;
CREATE DEFINER=site@localhost PROCEDURE p() BEGIN SELECT 1; END;;
DELIMITER ;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM empty;
"#;

fn make_site(root: &Path) {
    std::fs::create_dir_all(root.join("wp-content/empty")).unwrap();
    std::fs::write(root.join("index.php"), "<?php\n").unwrap();
    let noise: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    std::fs::write(root.join("wp-content/big.bin"), noise).unwrap();
    std::fs::write(root.join("run.sh"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(root.join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(root.join("index.php"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("wp-content", root.join("link")).unwrap();
    std::fs::hard_link(root.join("index.php"), root.join("second-name.php")).unwrap();
    let long = "long-name-".repeat(20);
    std::fs::create_dir_all(root.join(&long).join(&long)).unwrap();
    std::fs::write(root.join(&long).join(&long).join("x.txt"), "deep").unwrap();
    std::fs::write(root.join(OsStr::from_bytes(b"caf\xe9\nname")), "not UTF-8").unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.join("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

fn tool(program: &str, arguments: &[&OsStr]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_portable_snapshot_is_what_the_site_was_and_ordinary_tools_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let quoted = PASSWORD.replace('\\', "\\\\").replace('\'', "''");
    let grant = format!("CREATE USER site@localhost IDENTIFIED BY '{quoted}'; GRANT ALL ON site.* TO site@localhost;");
    server.run(None, grant.as_bytes());
    server.run(None, SITE_SQL.as_bytes());

    let mut config = Config::parse("").unwrap();
    config.paths.base = folder.path().join("base");
    config.paths.web_root = folder.path().join("www");
    config.paths.nginx_available = folder.path().join("nginx");
    config.paths.ssl = folder.path().join("ssl");
    config.paths.cron = folder.path().join("cron");
    config.mysql.socket.clone_from(&server.socket);
    let domain = Domain::parse("example.com").unwrap();
    make_site(&config.paths.web_root.join(domain.as_str()));
    std::fs::create_dir_all(config.paths.ssl.join("example.com")).unwrap();
    std::fs::create_dir_all(&config.paths.nginx_available).unwrap();
    std::fs::write(config.paths.ssl.join("example.com/privkey.pem"), "KEY").unwrap();
    std::fs::write(config.paths.nginx_available.join("example.com"), "server {}\n").unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();

    // An administrator who is not let in, then the site's own account, with a password that needs quoting everywhere.
    config.mysql.admin_defaults_file = folder.path().join("admin.cnf");
    std::fs::write(&config.mysql.admin_defaults_file, "[client]\nuser=nobody-here\npassword=x\n").unwrap();
    let site = SiteAccount {
        schema: "site".into(),
        user: "site".into(),
        password: Password::new(PASSWORD),
        host: None,
        source: "wp-config.php".into(),
    };
    let of = |config: &Config, account: &SiteAccount| SiteDatabase {
        account: account.clone(),
        endpoint: credentials::endpoint_of(config),
        definer: None,
        word: Word::Site,
        notes: Vec::new(),
    };
    let made =
        snapshot::create(&config, &Site::find(&config, &domain).unwrap(), Some(&of(&config, &site)), &work, &silent())
            .unwrap();
    let path = made.path;
    assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0, "no secret stays behind");
    assert_eq!((made.manifest.tables, made.manifest.rows), (Some(2), Some(5003)));
    assert_eq!((made.manifest.files, made.manifest.left_out), (6, 1));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);

    // gzip and tar
    for name in ["files.tar.gz", "database.sql.gz", "config.tar.gz"] {
        tool("gzip", &["-t".as_ref(), path.join(name).as_os_str()]);
    }
    let listed = tool("tar", &["tzf".as_ref(), path.join("files.tar.gz").as_os_str()]);
    assert!(listed.starts_with("example.com/\n") && listed.contains("example.com/wp-content/empty/\n"), "{listed}");
    let settings = tool("tar", &["tzf".as_ref(), path.join("config.tar.gz").as_os_str()]);
    assert_eq!(settings, "config/nginx.conf\nconfig/ssl/privkey.pem\n");
    let unpacked = folder.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    let archive = path.join("files.tar.gz");
    tool("tar", &["xpzf".as_ref(), archive.as_os_str(), "-C".as_ref(), unpacked.as_os_str()]);
    let root = config.paths.web_root.join(domain.as_str());
    std::fs::remove_file(root.join("fifo")).unwrap();
    let show = |root: &Path| {
        let script = "cd \"$0\" && find . -printf '%P %y %m %s %n %l %T@\\n' | sed 's/\\.[0-9]*$//' | sort && find . -type f -exec sha256sum {} + | sort";
        // Sizes of folders are the filesystem's business.
        let text = tool("bash", &["-c".as_ref(), script.as_ref(), root.as_os_str()]);
        text.lines()
            .map(|line| if line.contains(" d 7") { line.split(" d ").next().unwrap_or(line) } else { line })
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(show(&root), show(&unpacked.join("example.com")));

    // The dump loads, whole.
    let dump = Command::new("gzip").arg("-dc").arg(path.join("database.sql.gz")).output().unwrap().stdout;
    server.run(Some("copy"), &dump);
    let sums = |schema: &str| {
        let sums = server.run(Some(schema), b"CHECKSUM TABLE posts, empty; SHOW TABLES; SELECT COUNT(*) FROM titles;");
        sums.replace(&format!("{schema}."), "")
    };
    assert_eq!(sums("site"), sums("copy"));
    for kind in ["TRIGGERS", "EVENTS"] {
        let count =
            format!("SELECT COUNT(*) FROM information_schema.{kind} WHERE {}_SCHEMA='copy'", &kind[..kind.len() - 1]);
        assert_eq!(server.run(None, count.as_bytes()).trim(), "1", "{kind}");
    }

    // We read it as a source, list it, and delete it.
    let source = backup::locate_snapshot(&config, &domain, &path).unwrap();
    let found = backup::scan(&source, &config, &Silent).unwrap();
    assert_eq!((found.files, found.dump.unwrap().rows(), found.config.len()), (6, 5003, 2));
    std::fs::write(&config.mysql.admin_defaults_file, "[client]\nuser=root\n").unwrap();
    let second =
        snapshot::create(&config, &Site::find(&config, &domain).unwrap(), Some(&of(&config, &site)), &work, &silent())
            .unwrap();
    let all = snapshot::list(&config, &domain).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].path, second.path);
    assert!(all[0].has_files && all[0].has_database && all[0].has_config);
    let metadata = std::fs::read_to_string(path.join("metadata.txt")).unwrap();
    assert!(metadata.contains("domain=example.com\n") && metadata.contains("db_tables=2\n"), "{metadata}");
    snapshot::delete(&config, &domain, &path).unwrap();
    assert!(!path.exists());

    // What fails leaves nothing.
    let missing = SiteAccount { schema: "nothing_here".into(), ..site.clone() };
    let wrong = SiteAccount { password: Password::new("wrong"), ..site.clone() };
    let root_only = config.clone();
    let mut no_admin = config.clone();
    no_admin.mysql.admin_defaults_file = folder.path().join("none.cnf");
    let mut down = config.clone();
    down.mysql.socket = folder.path().join("none.sock");
    let mut full = config.clone();
    full.limits.headroom_bytes = 1 << 60;
    for (config, site, code) in [
        (&full, &site, Code::DiskFull),
        (&no_admin, &wrong, Code::CredentialsMissing),
        (&root_only, &missing, Code::DatabaseFailed),
        (&down, &site, Code::DatabaseUnreachable),
    ] {
        let error =
            snapshot::create(config, &Site::find(config, &domain).unwrap(), Some(&of(config, site)), &work, &silent())
                .unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
        assert!(!format!("{error:?}").contains(PASSWORD));
        assert_eq!(std::fs::read_dir(config.paths.snapshots().join("example.com")).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0);
    }
}
