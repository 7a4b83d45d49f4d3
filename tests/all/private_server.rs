//! A database server of a test's own: fresh data folder, socket only, ended by process id. The machine's own MariaDB, or another
//! release in a chroot (`scripts/servers.sh`).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A release of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The MariaDB that is installed here.
    Installed,
    /// One of `scripts/servers.sh`, by its name there.
    Named(&'static str),
}

impl Release {
    /// MySQL 9.7.
    pub const MYSQL97: Release = Release::Named("mysql97");
    /// Its renaming of many tables is not all or nothing in a crash.
    pub const MARIADB105: Release = Release::Named("mariadb105");

    /// The one that is under test: `RV_SERVER` (`make servers`), else the installed one.
    pub fn tested() -> Release {
        match std::env::var("RV_SERVER") {
            Ok(name) if !name.is_empty() => Release::Named(name.leak()),
            _ => Release::Installed,
        }
    }

    /// Whether it is MySQL and no MariaDB.
    pub fn is_mysql(self) -> bool {
        matches!(self, Release::Named(name) if name.starts_with("mysql"))
    }
}

/// A running server; dropping it ends it.
pub struct PrivateServer {
    folder: tempfile::TempDir,
    child: Child,
}

impl PrivateServer {
    /// Installs and starts the machine's own with its own defaults, a small memory and `options`.
    ///
    /// # Panics
    /// When mariadbd is missing or does not start: a test never passes without its server.
    pub fn start(options: &[&str]) -> PrivateServer {
        PrivateServer::of(Release::tested(), options)
    }

    /// The same of any release. `{files}` in an option is the folder `files` beside its data.
    ///
    /// # Panics
    /// As [`PrivateServer::start`].
    pub fn of(release: Release, options: &[&str]) -> PrivateServer {
        let folder = tempfile::Builder::new().prefix("rv-db-").tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        // A server that starts removes temporary tables from this folder, whoever's they are.
        let temporary = folder.path().join("tmp");
        std::fs::create_dir(&temporary).expect("a folder for temporary tables");
        let files = folder.path().join("files");
        std::fs::create_dir(&files).expect("a folder for files");
        let mut command = match release {
            Release::Installed => {
                install(&data, &temporary);
                Command::new(program("mariadbd"))
            }
            Release::Named(name) => {
                let fresh = Command::new(servers()).args(["fresh", name]).arg(&data).output().expect("run servers.sh");
                assert!(fresh.status.success(), "servers.sh: {}", String::from_utf8_lossy(&fresh.stderr));
                let mut command = Command::new(servers());
                command.args(["run", name]).arg(folder.path());
                command.arg(if release.is_mysql() { "mysqld" } else { "mariadbd" });
                command
            }
        };
        command
            .args(["--no-defaults", "--user=root", "--skip-networking", "--character-set-server=utf8mb4"])
            .args(["--innodb-buffer-pool-size=64M", "--loose-innodb-log-file-size=32M"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", folder.path().join("s").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--log-error={}", folder.path().join("error.log").display()))
            .arg(format!("--tmpdir={}", temporary.display()));
        if release.is_mysql() {
            command.args(["--mysqlx=OFF", "--secure-file-priv=NULL"]);
        } else {
            command.arg("--collation-server=utf8mb4_general_ci");
        }
        let child = command
            .args(options.iter().map(|option| option.replace("{files}", &files.display().to_string())))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start a database server");
        let mut server = PrivateServer { folder, child };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
                panic!("mariadbd ended with {status}:\n{log}");
            }
            assert!(Instant::now() < until, "mariadbd does not listen after a minute");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// Its folder, for files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A restore.toml that names it; `base` is its folder.
    pub fn toml(&self) -> String {
        format!("[paths]\nbase = {:?}\n[mysql]\nsocket = {:?}\n", self.folder(), self.socket())
    }

    /// Runs SQL through the client program and gives back what it prints.
    ///
    /// # Panics
    /// When the client fails.
    pub fn sql(&self, sql: &str) -> String {
        self.client("mariadb", &["--batch", "--skip-column-names", "--default-character-set=utf8mb4", "-e", sql])
    }

    /// Runs a client program on this server.
    ///
    /// # Panics
    /// When it fails.
    pub fn client(&self, name: &str, arguments: &[&str]) -> String {
        let output = Command::new(program(name))
            .args(["--no-defaults", "--user=root"])
            .arg(format!("--socket={}", self.socket().display()))
            .args(arguments)
            .output()
            .expect("run a client program");
        assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh")
}

fn install(data: &Path, temporary: &Path) {
    let mut said = String::new();
    for _ in 0..3 {
        let output = Command::new(program("mariadb-install-db"))
            .args(["--no-defaults", "--user=root", "--auth-root-authentication-method=socket", "--skip-test-db"])
            // Nothing has to survive a power cut: without it the tables of the system are synced one by one.
            .args(["--innodb-use-native-aio=0", "--debug-no-sync=1"])
            .arg(format!("--datadir={}", data.display()))
            .env("TMPDIR", temporary)
            .output()
            .expect("run mariadb-install-db");
        if output.status.success() {
            return;
        }
        said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let _ = std::fs::remove_dir_all(data);
    }
    panic!("mariadb-install-db failed three times: {said}");
}

/// Finds a program where Debian puts it.
fn program(name: &str) -> PathBuf {
    let folders = std::env::var("PATH").unwrap_or_default();
    folders
        .split(':')
        .chain(["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"])
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: apt-get install mariadb-server mariadb-client"))
}
