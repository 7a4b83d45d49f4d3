//! How a staged site is led to its tables in the shadow schema: by constants before its own, or by an environment before its file.

use crate::host::tree;
use crate::path::RelPath;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Largest file of settings that is looked into.
const MAX_FILE: u64 = 1 << 20;
/// The parameter of a request that the prelude reads.
pub const PARAMETER: &str = "ROCKETVPS_REHEARSAL";

/// PHP's first file in a cell. The settings come with each request and are in no file; a second definition of a constant is a warning
/// to PHP, and not shown.
pub const PRELUDE: &str = r#"<?php
(static function () {
    $led = json_decode($_SERVER['ROCKETVPS_REHEARSAL'] ?? '', true) ?: [];
    unset($_SERVER['ROCKETVPS_REHEARSAL'], $_ENV['ROCKETVPS_REHEARSAL']);
    foreach ($led['environment'] ?? [] as $name => $value) {
        $_ENV[$name] = $_SERVER[$name] = $value;
        if (function_exists('putenv')) {
            putenv("$name=$value");
        }
    }
    foreach ($led['constants'] ?? [] as $name => $value) {
        defined($name) || define($name, $value);
    }
})();
"#;

/// What keeps a staged WordPress from answering out of caches of the live one, and a staged Laravel from settings of before.
const CACHES: [&str; 4] = [
    "wp-content/object-cache.php",
    "wp-content/advanced-cache.php",
    "bootstrap/cache/config.php",
    "bootstrap/cache/routes-v7.php",
];

/// Where a staged site reads its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reads {
    /// From constants that its file defines.
    Constants,
    /// From the environment, before its file of variables. With the address of its database as it is written, where that is one.
    Environment(Option<String>),
    /// From somewhere else.
    Unknown,
}

/// How a site is led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    reads: Reads,
    /// It is a WordPress.
    pub is_wordpress: bool,
    /// Files below the tree that it is not to see.
    pub hidden: Vec<PathBuf>,
}

/// A way to tables.
pub struct Access<'a> {
    /// The schema.
    pub schema: &'a str,
    /// The account.
    pub user: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The server's socket.
    pub socket: &'a Path,
}

impl Lead {
    /// By what lies in the staged tree, whose `served` folder is shown when the tree is at `live`.
    pub fn of(tree: &Path, live: &Path, served: &Path) -> Lead {
        let inner = served.strip_prefix(live).unwrap_or(Path::new(""));
        // The folder that is shown, and the one around it, as far as that is the site's.
        let folders: Vec<PathBuf> = inner.ancestors().take(2).map(Path::to_owned).collect();
        let read = |name: &str| folders.iter().find_map(|folder| read(tree, &folder.join(name)));
        let constants = read("wp-config.php").is_some_and(|text| text.contains("DB_NAME"));
        let variables: Vec<String> = [".env.local", ".env.prod", ".env"].into_iter().filter_map(read).collect();
        let reads = if constants {
            Reads::Constants
        } else if variables.is_empty() {
            Reads::Unknown
        } else {
            Reads::Environment(variables.iter().find_map(|text| address(text)))
        };
        let is_wordpress = constants || read("wp-config.php").is_some();
        let hidden = folders.iter().flat_map(|folder| CACHES.iter().map(|name| folder.join(name))).collect();
        Lead { reads, is_wordpress, hidden }
    }

    /// Whether it is known where the site reads its settings.
    pub fn is_known(&self) -> bool {
        self.reads != Reads::Unknown
    }

    /// The value of [`PARAMETER`].
    pub fn parameter(&self, to: Option<&Access<'_>>) -> String {
        let (mut constants, mut environment) = (Map::new(), Map::new());
        let mut set = |name: &str, value: Value| drop(constants.insert(name.into(), value));
        if self.is_wordpress {
            for name in ["DISABLE_WP_CRON", "WP_HTTP_BLOCK_EXTERNAL", "AUTOMATIC_UPDATER_DISABLED"] {
                set(name, true.into());
            }
            set("WP_CACHE", false.into());
        }
        match (to, &self.reads) {
            (Some(to), Reads::Constants) => {
                let host = format!("localhost:{}", to.socket.display());
                for (name, value) in
                    [("DB_NAME", to.schema), ("DB_USER", to.user), ("DB_PASSWORD", to.password), ("DB_HOST", &host)]
                {
                    set(name, value.into());
                }
            }
            (to, Reads::Environment(address)) => {
                // Frameworks define no constants that are there already: theirs come from the environment.
                constants.clear();
                environment = variables(to, address.as_deref());
            }
            _ => {}
        }
        json!({"constants": constants, "environment": environment}).to_string()
    }
}

fn variables(to: Option<&Access<'_>>, address: Option<&str>) -> Map<String, Value> {
    let mut set: Map<String, Value> = Map::new();
    // Sessions, caches and mail of its own.
    for (name, value) in [
        ("SESSION_DRIVER", "array"),
        ("CACHE_DRIVER", "array"),
        ("CACHE_STORE", "array"),
        ("MAIL_MAILER", "array"),
        ("MAILER_DSN", "null://null"),
        ("DISABLE_WP_CRON", "true"),
    ] {
        set.insert(name.into(), value.into());
    }
    let Some(to) = to else { return set };
    let socket = to.socket.display().to_string();
    for (name, value) in [
        ("DB_DATABASE", to.schema),
        ("DB_NAME", to.schema),
        ("DB_USERNAME", to.user),
        ("DB_USER", to.user),
        ("DB_PASSWORD", to.password),
        ("DB_SOCKET", &socket),
    ] {
        set.insert(name.into(), value.into());
    }
    set.insert("DB_HOST".into(), format!("localhost:{socket}").into());
    if let Some(address) = address {
        let (user, password, schema) = (encoded(to.user), encoded(to.password), encoded(to.schema));
        // What else it says of the server stays, such as its version.
        let more = address.split_once('?').map_or(String::new(), |(_, more)| format!("&{more}"));
        let own = format!("mysql://{user}:{password}@localhost/{schema}?unix_socket={}{more}", encoded(&socket));
        set.insert("DATABASE_URL".into(), own.clone().into());
        set.insert("DB_URL".into(), own.into());
    }
    set
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
        all
    })
}

/// The address of a database in a file of variables.
fn address(text: &str) -> Option<String> {
    let value = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        let name = name.trim().trim_start_matches("export ").trim();
        let value = value.trim().trim_matches(['"', '\'']);
        (["DATABASE_URL", "DB_URL"].contains(&name) && value.contains("://")).then(|| value.to_owned())
    };
    text.lines().rev().find_map(value)
}

/// A file of a tenant's, read beneath the tree.
fn read(tree: &Path, path: &Path) -> Option<String> {
    let folder = tree::open_folder(tree).ok()?;
    let path = RelPath::parse(path.as_os_str().as_bytes()).ok()?;
    let bytes = tree::read_beneath(folder.as_fd(), &path, MAX_FILE).ok()??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access<'static> {
        Access { schema: "rvs_1", user: "rvv_1", password: "p/w", socket: Path::new("/run/db.sock") }
    }

    fn lead(files: &[(&str, &str)], served: &str) -> Lead {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Lead::of(place.path(), Path::new("/var/www/a"), &Path::new("/var/www/a").join(served))
    }

    #[test]
    fn wordpress_is_led_by_constants_and_frameworks_by_their_environment() {
        let plain = lead(&[("wp-config.php", "<?php define('DB_NAME', 'shop');")], "");
        let led: Value = serde_json::from_str(&plain.parameter(Some(&access()))).unwrap();
        assert_eq!(led["constants"]["DB_NAME"], "rvs_1");
        assert_eq!(led["constants"]["DB_HOST"], "localhost:/run/db.sock");
        assert_eq!((&led["constants"]["WP_CACHE"], &led["environment"]), (&json!(false), &json!({})));

        let around = lead(&[("wp-config.php", "<?php define('DB_NAME', 'shop');"), ("web/index.php", "")], "web");
        assert!(around.is_wordpress && around.is_known());

        // Bedrock defines its constants itself, once.
        let bedrock =
            [("web/wp-config.php", "<?php require '../config/application.php';"), (".env", "DB_NAME='shop'\n")];
        let led: Value = serde_json::from_str(&lead(&bedrock, "web").parameter(Some(&access()))).unwrap();
        assert_eq!((&led["constants"], &led["environment"]["DB_NAME"]), (&json!({}), &json!("rvs_1")));

        let symfony =
            [(".env", "DATABASE_URL=\"mysql://a:b@127.0.0.1:3306/shop?serverVersion=8.0&charset=utf8mb4\"\n")];
        let led: Value = serde_json::from_str(&lead(&symfony, "public").parameter(Some(&access()))).unwrap();
        assert_eq!(
            led["environment"]["DATABASE_URL"],
            "mysql://rvv_1:p%2Fw@localhost/rvs_1?unix_socket=%2Frun%2Fdb.sock&serverVersion=8.0&charset=utf8mb4"
        );
        assert!(!lead(&[("index.php", "")], "").is_known());
    }
}
