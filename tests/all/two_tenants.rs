//! Two tenants and an administrator on a real database server: each tenant has a document root, an account and a schema.

use crate::private_server::{PrivateServer, Release};
use crate::world::fault::text;
use crate::world::{DOMAIN, World, trial};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

pub const NEIGHBOUR: &str = "neighbour.example";
/// The user that both tenants' files belong to here: nobody's but theirs.
pub const TENANT: u32 = 4242;

/// The schemas of the two.
pub const OWN: &str = "a_shop";
pub const THEIRS: &str = "b_shop";

pub struct Tenants {
    pub world: World,
    pub server: PrivateServer,
    pub release: Release,
    turn: AtomicUsize,
}

impl Tenants {
    /// The administrator's files say nothing: both sites are known by their own wp-config.php.
    pub fn up(release: Release, options: &[&str]) -> Tenants {
        let server = PrivateServer::of(release, options);
        let world = World::bare();
        let toml = world.place().join("restore.toml");
        let written = std::fs::read_to_string(&toml).unwrap();
        let socket = format!("socket = {:?}", server.socket());
        let none = format!("socket = \"{}/run/none.sock\"", text(&world.place()));
        assert!(written.contains(&none));
        std::fs::write(
            &toml,
            written.replace(&none, &socket).replace("owner = \"0:0\"", &format!("owner = \"{TENANT}:{TENANT}\"")),
        )
        .unwrap();
        if release == Release::MARIADB105 {
            world.set("mysql", "accept = [\"atomic_rename\"]");
        }
        let tenants = Tenants { world, server, release, turn: AtomicUsize::new(0) };
        for (domain, schema, user) in [(DOMAIN, OWN, "a"), (NEIGHBOUR, THEIRS, "b")] {
            tenants.sql(&format!(
                "CREATE DATABASE {schema}; CREATE TABLE {schema}.t (id INT PRIMARY KEY, v VARCHAR(40)); \
                 INSERT INTO {schema}.t VALUES (1,'live of {user}'); \
                 CREATE USER {user}@localhost IDENTIFIED BY 'secret-{user}-1'; \
                 GRANT ALL ON `{}`.* TO {user}@localhost",
                schema.replace('_', "\\_")
            ));
            std::fs::create_dir_all(tenants.root(domain)).unwrap();
            tenants.wp_config(domain, schema, user, &format!("secret-{user}-1"), "localhost");
            tenants.file(domain, "index.php", "live");
        }
        std::fs::create_dir_all(tenants.credentials()).unwrap();
        tenants.backup("CREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(40));\nINSERT INTO `t` VALUES (1,'restored');\n");
        tenants
    }

    pub fn sql(&self, sql: &str) -> String {
        self.server.sql(sql)
    }

    pub fn root(&self, domain: &str) -> PathBuf {
        self.world.place().join("web").join(domain)
    }

    pub fn credentials(&self) -> PathBuf {
        self.world.place().join("base/config/database_credentials")
    }

    /// What the administrator says of a domain.
    pub fn say(&self, name: &str, content: &str) {
        std::fs::write(self.credentials().join(name), content).unwrap();
    }

    /// A tenant's file.
    pub fn file(&self, domain: &str, name: &str, content: &str) {
        let path = self.root(domain).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        chown(&path, Some(TENANT), Some(TENANT)).unwrap();
    }

    pub fn wp_config(&self, domain: &str, schema: &str, user: &str, password: &str, host: &str) {
        self.file(domain, "wp-config.php", &wp_config(schema, user, password, host));
    }

    /// The tenant's document root with these files alone.
    pub fn only(&self, files: &[(&str, &str)]) {
        let root = self.root(DOMAIN);
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        chown(&root, Some(TENANT), Some(TENANT)).unwrap();
        for (name, content) in files {
            self.file(DOMAIN, name, content);
        }
    }

    /// The tenant's site as it was at first.
    pub fn reset(&self) {
        self.only(&[("index.php", "live")]);
        self.wp_config(DOMAIN, OWN, "a", "secret-a-1", "localhost");
    }

    /// A backup of the tenant's: its site, with the configuration it has now, and this dump.
    pub fn backup(&self, dump: &str) {
        let made = self.world.place().join("made");
        let _ = std::fs::remove_dir_all(&made);
        std::fs::create_dir_all(made.join("www")).unwrap();
        std::fs::write(made.join("www/index.php"), "restored").unwrap();
        std::fs::write(made.join("www/wp-config.php"), wp_config(OWN, "a", "secret-a-1", "localhost")).unwrap();
        std::fs::write(made.join("database.sql"), format!("{dump}-- Dump completed on 2025-10-04\n")).unwrap();
        crate::world::fault::run("tar", &["-czf", text(&self.world.archive()), "-C", text(&made), "."]);
    }

    /// Everything that is not the tenant's to change: the neighbour's rows, tables and files, accounts and rights, and the names
    /// of all schemas. Of the server's own schemas MariaDB and MySQL keep counters that change by themselves.
    pub fn others(&self) -> String {
        let accounts = if self.release.is_mysql() {
            "SELECT User, Host, plugin FROM mysql.user ORDER BY 1,2"
        } else {
            "SELECT User, Host, Priv FROM mysql.global_priv ORDER BY 1,2"
        };
        let mut seen = self.sql(&format!(
            "SHOW DATABASES; SELECT * FROM {THEIRS}.t ORDER BY 1; SHOW TABLES FROM {THEIRS}; SHOW TABLES FROM mysql; {accounts}; \
             SELECT User, Host, Db, Select_priv, Create_priv FROM mysql.db ORDER BY 1,2,3"
        ));
        for (path, node) in crate::world::bare::look(&self.root(NEIGHBOUR)) {
            seen += &format!("{} {node:?}\n", String::from_utf8_lossy(&path));
        }
        seen
    }

    /// The lines of `validate` that fail.
    pub fn failures(&self) -> Vec<Value> {
        self.failures_of(&json!({"domain": DOMAIN, "wait": true}))
    }

    /// The same for a request.
    pub fn failures_of(&self, request: &Value) -> Vec<Value> {
        let document = self.world.document("validate", request);
        let groups = document["data"]["groups"].as_array().unwrap_or_else(|| panic!("{document}"));
        let checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
        checks.filter(|check| check["outcome"] == "fail").cloned().collect()
    }

    /// The rows of the tenant's own table.
    pub fn own(&self) -> String {
        self.sql(&format!("SELECT v FROM {OWN}.t ORDER BY id")).trim().to_owned()
    }

    /// Calls that would act on the site's database, and how they ended. All of them in the long form, else two of the four in turn.
    pub fn outcomes(&self) -> Vec<(&'static str, Value)> {
        let calls = ["validate", "restore_start", "diff_backup", "create_snapshot"];
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % 2;
        let calls = if trial::is_long() { &calls[..] } else { &calls[2 * turn..2 * turn + 2] };
        calls
            .iter()
            .copied()
            .map(|name| {
                let document = self.world.document(name, &json!({"domain": DOMAIN, "wait": true}));
                assert!(!document.to_string().contains("secret-"), "{name} shows a password: {document}");
                (name, document)
            })
            .collect()
    }

    /// Whatever call is tried, it is refused with this code, and nothing of anybody's was changed.
    #[track_caller]
    pub fn assert_refused(&self, what: &str, code: &str) {
        let (before, own) = (self.others(), self.own());
        for (name, document) in self.outcomes() {
            assert_eq!(document["error"]["code"], code, "{what}: {name}: {document}");
        }
        assert!(self.others() == before, "{what}: something of others changed\n{before}\n{}", self.others());
        assert_eq!(self.own(), own, "{what}");
    }

    /// The restore is done, into the tenant's own schema.
    #[track_caller]
    pub fn assert_restored(&self, what: &str) -> Value {
        self.sql(&format!("UPDATE {OWN}.t SET v='live of a'"));
        let before = self.others();
        let document = self.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(document["ok"], true, "{what}: {document}");
        assert_eq!(self.own(), "restored", "{what}");
        let lost: Vec<&str> = before.lines().filter(|line| !self.others().contains(line)).collect();
        assert!(lost.is_empty(), "{what}: {lost:?}");
        document["data"].clone()
    }
}

pub fn wp_config(schema: &str, user: &str, password: &str, host: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    format!(
        "<?php\ndefine('DB_NAME', {});\ndefine('DB_USER', {});\ndefine('DB_PASSWORD', {});\ndefine('DB_HOST', {});\n",
        quoted(schema),
        quoted(user),
        quoted(password),
        quoted(host)
    )
}

/// Gives a file a mode.
pub fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
