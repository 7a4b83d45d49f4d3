//! How a staged site is led to its tables in the shadow schema: by constants before its own, or by an environment before its file.

use crate::host::{credentials, tree};
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

/// PHP's first file in a cell, without its end. The settings come with each request and are in no file; a second definition of a constant is a warning
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

/// [`PRELUDE`], and the first file that the site has of its own: `first`, else php.ini's.
pub fn prelude(first: Option<&str>) -> String {
    let end = match first {
        Some("" | "none") => String::new(),
        Some(first) => format!("require '{}';\n", first.replace('\\', "\\\\").replace('\'', "\\'")),
        None => "if (!in_array(get_cfg_var('auto_prepend_file'), [false, '', 'none', __FILE__], true)) {\n    \
                 require get_cfg_var('auto_prepend_file');\n}\n"
            .to_owned(),
    };
    format!("{PRELUDE}{end}")
}

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
    /// What the names of a WordPress's tables begin with, where its settings say so by a literal.
    pub prefix: Option<String>,
    /// Its own settings of PHP, of the folder that is shown (`.user.ini`).
    own: Vec<(String, String)>,
}

/// Where a staged site lies.
pub struct Lies<'a> {
    /// The staged tree.
    pub tree: &'a Path,
    /// Where that will be live.
    pub live: &'a Path,
    /// The folder that is shown, when it is live.
    pub served: &'a Path,
    /// The live site folder, where the tree is a part of it.
    pub around: Option<&'a Path>,
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
    /// By what lies in the staged tree and around it, and by the variables that the machine `gives` the site.
    pub fn of(lies: &Lies<'_>, gives: &[(String, String)]) -> Lead {
        let inner = lies.served.strip_prefix(lies.live).unwrap_or(Path::new(""));
        // The folder that is shown, and the one around it, as far as that is the site's.
        let folders: Vec<PathBuf> = inner.ancestors().take(2).map(Path::to_owned).collect();
        let above = lies.around.filter(|_| folders.len() < 2).and_then(|around| {
            let folder = lies.live.parent()?.strip_prefix(around).ok()?;
            Some((around, folder))
        });
        let read = |name: &str| {
            let staged = folders.iter().find_map(|folder| read(lies.tree, &folder.join(name)));
            staged.or_else(|| above.and_then(|(around, folder)| read(around, &folder.join(name))))
        };
        let settings = read("wp-config.php");
        let constants = settings.as_ref().is_some_and(|text| text.contains("DB_NAME"));
        let files = [".env.local", ".env.prod", ".env"].into_iter().filter_map(read);
        let mut known: Vec<(String, String)> = gives.to_vec();
        known.extend(files.flat_map(|text| variables_of(&text)));
        let reads = match environment(&known) {
            _ if constants => Reads::Constants,
            Some(address) => Reads::Environment(address),
            None => Reads::Unknown,
        };
        let is_wordpress = settings.is_some();
        let prefix = settings.as_deref().and_then(credentials::table_prefix);
        let hidden = folders.iter().flat_map(|folder| CACHES.iter().map(|name| folder.join(name))).collect();
        let own = self::read(lies.tree, &inner.join(".user.ini")).map(|text| variables_of(&text)).unwrap_or_default();
        Lead { reads, is_wordpress, hidden, prefix, own }
    }

    /// A setting of PHP that the site has of its own.
    pub fn own_setting(&self, name: &str) -> Option<&str> {
        self.own.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
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
    // Not every driver takes a socket behind the name. In a cell the name alone leads to it.
    set.insert("DB_HOST".into(), "localhost".into());
    if let Some(address) = address {
        let (user, password, schema) = (encoded(to.user), encoded(to.password), encoded(to.schema));
        // What else it says of the server stays, such as its version; the last socket would count.
        let more = address.split_once('?').map_or("", |(_, more)| more).split('&');
        let more: String =
            more.filter(|part| !part.is_empty() && !is_place(part)).map(|part| format!("&{part}")).collect();
        let own = format!("mysql://{user}:{password}@localhost/{schema}?unix_socket={}{more}", encoded(&socket));
        set.insert("DATABASE_URL".into(), own.clone().into());
        set.insert("DB_URL".into(), own.into());
    }
    set
}

/// Whether a part of an address says where the server is.
fn is_place(part: &str) -> bool {
    ["unix_socket=", "socket=", "host=", "port="].iter().any(|name| part.starts_with(name))
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

/// The variables of a file of them, as far as their form is the usual one.
fn variables_of(text: &str) -> Vec<(String, String)> {
    let variable = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        let name = name.trim().trim_start_matches("export ").trim();
        let plain = !name.is_empty() && !name.starts_with(['#', ';']);
        plain.then(|| (name.to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()))
    };
    text.lines().filter_map(variable).collect()
}

/// Whether these variables say all of a database of this kind of server, by its parts or by an address, which is told then.
fn environment(known: &[(String, String)]) -> Option<Option<String>> {
    let value = |names: &[&str]| {
        let found = known.iter().rev().find(|(name, value)| names.contains(&name.as_str()) && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let own_kind = |kind: &str| ["mysql", "mariadb", "mysqli", "pdo_mysql", "mysql2"].contains(&kind);
    if value(&["DB_CONNECTION", "DB_DRIVER"]).is_some_and(|kind| !own_kind(&kind.to_ascii_lowercase())) {
        return None;
    }
    let address = value(&["DATABASE_URL", "DB_URL"]).filter(|address| address.contains("://"));
    if let Some(address) = address {
        let kind = address.split("://").next().unwrap_or_default();
        return own_kind(&kind.replace('-', "_")).then(|| Some(address.to_owned()));
    }
    let parts: [&[&str]; 3] = [&["DB_DATABASE", "DB_NAME"], &["DB_USERNAME", "DB_USER"], &["DB_PASSWORD"]];
    parts.iter().all(|names| value(names).is_some()).then_some(None)
}

/// Whether a variable speaks of a database.
pub fn is_of_database(name: &str) -> bool {
    ["DB_", "DATABASE_", "MYSQL_", "MARIADB_", "WORDPRESS_DB_"].iter().any(|begin| name.starts_with(begin))
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
        let (live, served) = (Path::new("/var/www/a"), Path::new("/var/www/a").join(served));
        Lead::of(&Lies { tree: place.path(), live, served: &served, around: None }, &[])
    }

    #[test]
    fn wordpress_is_led_by_constants_and_frameworks_by_their_environment() {
        let plain = lead(&[("wp-config.php", "<?php define('DB_NAME', 'shop');")], "");
        let led: Value = serde_json::from_str(&plain.parameter(Some(&access()))).unwrap();
        assert_eq!(led["constants"]["DB_NAME"], "rvs_1");
        assert_eq!(led["constants"]["DB_HOST"], "localhost:/run/db.sock");
        assert_eq!((&led["constants"]["WP_CACHE"], &led["environment"]), (&json!(false), &json!({})));
        for off in ["DISABLE_WP_CRON", "WP_HTTP_BLOCK_EXTERNAL", "AUTOMATIC_UPDATER_DISABLED"] {
            assert_eq!(led["constants"][off], true, "{off}");
        }

        let around = lead(&[("wp-config.php", "<?php define('DB_NAME', 'shop');"), ("web/index.php", "")], "web");
        assert!(around.is_wordpress && around.is_known() && around.prefix.is_none());
        let named = lead(&[("wp-config.php", "<?php define('DB_NAME', 'shop'); $table_prefix = 'a_';")], "");
        assert_eq!(named.prefix.as_deref(), Some("a_"));

        // Bedrock defines its constants itself, once.
        let bedrock = [
            ("web/wp-config.php", "<?php require '../config/application.php';"),
            (".env", "DB_NAME='shop'\nDB_USER='a'\nDB_PASSWORD='b'\n"),
        ];
        let led: Value = serde_json::from_str(&lead(&bedrock, "web").parameter(Some(&access()))).unwrap();
        assert_eq!((&led["constants"], &led["environment"]["DB_NAME"]), (&json!({}), &json!("rvs_1")));

        let symfony = [(
            ".env",
            "DATABASE_URL=\"mysql://a:b@127.0.0.1:3306/shop?serverVersion=8.0&unix_socket=/x&charset=utf8mb4\"\n",
        )];
        let led: Value = serde_json::from_str(&lead(&symfony, "public").parameter(Some(&access()))).unwrap();
        assert_eq!(
            led["environment"]["DATABASE_URL"],
            "mysql://rvv_1:p%2Fw@localhost/rvs_1?unix_socket=%2Frun%2Fdb.sock&serverVersion=8.0&charset=utf8mb4"
        );
        assert!(!lead(&[("index.php", "")], "").is_known());
    }

    #[test]
    fn a_file_of_variables_leads_only_where_it_names_all_of_a_database() {
        let whole = "DB_DATABASE=shop\nDB_USERNAME=a\nDB_PASSWORD=b\n";
        for (text, known) in [
            (whole.to_owned(), true),
            (format!("export {}", whole.replace("DB_DATABASE", "DB_NAME")), true),
            (format!("DB_CONNECTION=mariadb\n{whole}"), true),
            ("DATABASE_URL=mysql://a:b@localhost/shop\n".into(), true),
            ("APP_ENV=production\nMAIL_PASSWORD=x\n".into(), false),
            ("DB_DATABASE=shop\nDB_PASSWORD=b\n".into(), false),
            (whole.replace("DB_USERNAME", "#DB_USERNAME"), false),
            (format!("DB_CONNECTION=pgsql\n{whole}"), false),
            ("DATABASE_URL=postgresql://a:b@localhost/shop\n".into(), false),
        ] {
            assert_eq!(lead(&[(".env", &text)], "").is_known(), known, "{text}");
        }
        let led: Value = serde_json::from_str(&lead(&[(".env", whole)], "").parameter(Some(&access()))).unwrap();
        assert_eq!(led["environment"]["DB_HOST"], "localhost");
        assert_eq!(led["environment"]["DB_SOCKET"], "/run/db.sock");
        // The machine may give them, too.
        let place = tempfile::tempdir().unwrap();
        let site = Path::new("/var/www/a");
        let gives = variables_of(whole);
        assert!(Lead::of(&Lies { tree: place.path(), live: site, served: site, around: None }, &gives).is_known());
    }

    #[test]
    fn settings_around_the_document_root_are_read_where_they_are_live() {
        let (tree, site) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(site.path().join("wp-config.php"), "<?php define('DB_NAME', 'shop');").unwrap();
        let live = site.path().join("public_html");
        let of = |around| Lead::of(&Lies { tree: tree.path(), live: &live, served: &live, around }, &[]);
        assert!(of(Some(site.path())).is_wordpress && of(Some(site.path())).is_known());
        assert!(!of(None).is_wordpress);
    }

    #[test]
    fn the_first_file_of_a_site_comes_after_ours() {
        assert!(prelude(Some("/var/www/it's/waf.php")).ends_with("require '/var/www/it\\'s/waf.php';\n"));
        assert_eq!(prelude(Some("none")), PRELUDE);
        assert!(prelude(None).contains("get_cfg_var('auto_prepend_file')"));
        let own = [(".user.ini", "; a line\nauto_prepend_file = \"/var/www/a/waf.php\"\nopen_basedir=/var/www/a\n")];
        let own = lead(&own, "");
        assert_eq!(own.own_setting("auto_prepend_file"), Some("/var/www/a/waf.php"));
        assert_eq!(own.own_setting("open_basedir"), Some("/var/www/a"));
    }
}
