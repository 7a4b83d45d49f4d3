//! What a site's own files say of its object cache. A tenant writes them: they are claims, by which only keys of one prefix are removed,
//! with the rights of the site's own account.

use crate::config::administrator_file::text_of;
use crate::host::credentials::{dot_env, php, wp_config};
use crate::host::site::Site;
use crate::host::tree;
use crate::path::RelPath;
use crate::siteconf::Listen;
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::Path;
use zeroize::Zeroizing;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// A shorter prefix is likely to be the beginning of a neighbour's.
const SHORTEST: usize = 3;

/// An object cache as a site's files describe it.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where and what it is.
    pub store: Store,
    /// The beginnings of the site's own keys; empty where it has none of its own.
    pub prefixes: Vec<String>,
}

/// A server of objects.
#[derive(Debug, PartialEq, Eq)]
pub enum Store {
    /// Redis, or what speaks like it.
    Redis {
        /// Where it listens.
        to: Listen,
        /// Number of the database.
        database: u32,
        /// Account of the server; the usual one where it is empty.
        user: String,
        /// Password; none where it is empty.
        password: Zeroizing<String>,
    },
    /// Memcached servers.
    Memcached(Vec<Listen>),
    /// It is there, and is not known; why, as a sentence.
    Unknown(String),
}

/// The object caches that a site says it has.
pub fn read(site: &Site) -> Vec<Claim> {
    let around = site.root.parent().filter(|around| around.starts_with(&site.folder));
    [Some(site.root.as_path()), around]
        .into_iter()
        .flatten()
        .flat_map(|folder| read_folder(folder, &site.root))
        .collect()
}

fn read_folder(folder: &Path, root: &Path) -> Vec<Claim> {
    let Ok(Some(handle)) = tree::open_site(folder) else { return Vec::new() };
    let text = |name: &str| {
        let path = RelPath::parse(name.as_bytes()).ok()?;
        let content = tree::read_beneath(handle.as_fd(), &path, MAX_FILE).ok()??;
        Some(text_of(&content))
    };
    let mut found = Vec::new();
    // WordPress has its configuration in its own folder, or in the one around it; its drop-in never.
    if let (true, Some(drop_in)) = (folder == root, text("wp-content/object-cache.php")) {
        let around = || {
            let around = tree::open_site(folder.parent()?).ok()??;
            // As WordPress has it: beside its own settings it is the configuration of another site.
            let settings = RelPath::parse(b"wp-settings.php").ok()?;
            if tree::read_beneath(around.as_fd(), &settings, MAX_FILE).ok()?.is_some() {
                return None;
            }
            tree::read_beneath(around.as_fd(), &RelPath::parse(b"wp-config.php").ok()?, MAX_FILE)
                .ok()?
                .map(|text| text_of(&text))
        };
        let config = text("wp-config.php").or_else(around).unwrap_or_default();
        found.push(wordpress(&drop_in, &config));
    }
    if let (Some(_), Some(env)) = (text("artisan"), text(".env")) {
        found.extend(laravel(&env));
    }
    found
}

/// The drop-ins keep their settings in constants: Redis Object Cache (`WP_REDIS_…`), and those for Memcached (`WP_CACHE_KEY_SALT`).
fn wordpress(drop_in: &str, config: &str) -> Claim {
    let constants = wp_config::settings(config);
    let value = |name: &str| constants.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_deref());
    let given = |name: &str| value(name).flatten().map(str::to_owned);
    if !drop_in.contains("WP_REDIS_") && !drop_in.to_ascii_lowercase().contains("redis") {
        if drop_in.to_ascii_lowercase().contains("memcache") {
            return Claim { store: Store::Memcached(memcached_servers(config)), prefixes: Vec::new() };
        }
        let said = "wp-content/object-cache.php is not known: nothing was removed";
        return Claim { store: Store::Unknown(said.into()), prefixes: Vec::new() };
    }
    let names =
        ["WP_REDIS_SCHEME", "WP_REDIS_HOST", "WP_REDIS_PORT", "WP_REDIS_PATH", "WP_REDIS_DATABASE", "WP_REDIS_PREFIX"];
    let unclear = names.into_iter().chain(["WP_CACHE_KEY_SALT"]).find(|name| value(name) == Some(None));
    if let Some(name) = unclear {
        let said = format!("{name} in wp-config.php is no literal: nothing was removed");
        return Claim { store: Store::Unknown(said), prefixes: Vec::new() };
    }
    let [scheme, host, port, path, database, prefix] = names.map(given);
    let to = match (scheme.as_deref(), path, host) {
        (Some("unix"), Some(path), _) => Listen::Unix(path.into()),
        (_, _, Some(host)) if host.starts_with('/') => Listen::Unix(host.into()),
        (_, _, host) => tcp(&host.unwrap_or_else(|| "127.0.0.1".into()), &port.unwrap_or_else(|| "6379".into())),
    };
    let salt = prefix.or_else(|| given("WP_CACHE_KEY_SALT")).map(|prefix| prefix.trim().to_owned());
    Claim {
        store: Store::Redis {
            to,
            database: database.and_then(|number| number.parse().ok()).unwrap_or(0),
            user: String::new(),
            password: Zeroizing::new(given("WP_REDIS_PASSWORD").unwrap_or_default()),
        },
        prefixes: salt.map(|salt| wordpress_prefixes(&salt, config, value("MULTISITE").is_some())).unwrap_or_default(),
    }
}

/// How a site's keys begin. A key is `SALT TABLES:GROUP:KEY`, without a mark between the first two: `shop` is also the beginning of the
/// keys of `shop2`. So a salt counts up to the `:` behind it. A network has numbers there, which may be a neighbour's letters.
fn wordpress_prefixes(salt: &str, config: &str, is_network: bool) -> Vec<String> {
    if salt.len() < SHORTEST || (is_network && !salt.ends_with(':')) {
        return Vec::new();
    }
    if salt.ends_with(':') {
        return vec![salt.to_owned()];
    }
    let all = php::tokens(config.as_bytes());
    let tables = all.windows(3).find_map(|three| match three {
        [php::Token::Word(name), php::Token::Sign(b'='), value] if name.trim_start_matches('$') == "table_prefix" => {
            Some(value)
        }
        _ => None,
    });
    let Some(php::Token::Text(tables)) = tables else { return Vec::new() };
    let trimmed = tables.trim_matches(['_', '-', ':', '$']);
    BTreeSet::from([String::new(), tables.clone(), trimmed.to_owned()])
        .into_iter()
        .map(|tables| format!("{salt}{tables}:"))
        .collect()
}

/// The texts of `$memcached_servers`.
fn memcached_servers(config: &str) -> Vec<Listen> {
    let all = php::tokens(config.as_bytes());
    let is_list = |token: &php::Token| matches!(token, php::Token::Word(word) if word == "memcached_servers");
    let listed = all.iter().skip_while(|token| !is_list(token)).take_while(|token| **token != php::Token::Sign(b';'));
    let found: Vec<Listen> = listed
        .filter_map(|token| match token {
            php::Token::Text(text) => text.rsplit_once(':'),
            _ => None,
        })
        .map(|(host, port)| match host.trim_start_matches("unix://") {
            path if path.starts_with('/') => Listen::Unix(path.into()),
            host => tcp(host, port),
        })
        .collect();
    if found.is_empty() { vec![tcp("127.0.0.1", "11211")] } else { found }
}

/// Laravel's `CACHE_STORE` (before version 11 `CACHE_DRIVER`), with the defaults of its `config/cache.php` and `config/database.php`.
fn laravel(env: &str) -> Option<Claim> {
    let all = dot_env::all(env);
    let value = |name: &str| all.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_deref());
    let given = |name: &str| value(name).flatten().map(str::to_owned);
    let or =
        |name: &str, usual: &str| given(name).filter(|value| !value.is_empty()).unwrap_or_else(|| usual.to_owned());
    let store = given("CACHE_STORE").or_else(|| given("CACHE_DRIVER"))?;
    if store == "memcached" {
        let to = tcp(&or("MEMCACHED_HOST", "127.0.0.1"), &or("MEMCACHED_PORT", "11211"));
        return Some(Claim { store: Store::Memcached(vec![to]), prefixes: Vec::new() });
    }
    if store != "redis" {
        return None;
    }
    if given("REDIS_URL").is_some_and(|url| !url.is_empty()) {
        let said = "REDIS_URL in .env is not read: nothing was removed";
        return Some(Claim { store: Store::Unknown(said.into()), prefixes: Vec::new() });
    }
    let host = or("REDIS_HOST", "127.0.0.1");
    let to = match host.strip_prefix("unix:").unwrap_or(&host) {
        path if path.starts_with('/') => Listen::Unix(path.into()),
        host => tcp(host, &or("REDIS_PORT", "6379")),
    };
    let no_null = |text: String| if text == "null" { String::new() } else { text };
    Some(Claim {
        store: Store::Redis {
            to,
            database: or("REDIS_CACHE_DB", "1").parse().unwrap_or(1),
            user: no_null(or("REDIS_USERNAME", "")),
            password: Zeroizing::new(no_null(or("REDIS_PASSWORD", ""))),
        },
        prefixes: laravel_prefixes(given("APP_NAME"), given("REDIS_PREFIX"), given("CACHE_PREFIX")),
    })
}

/// Keys begin with the connection's prefix and the store's. By default both are made of the application's name: with `_`, and from
/// version 12 on with `-`.
fn laravel_prefixes(name: Option<String>, connection: Option<String>, store: Option<String>) -> Vec<String> {
    let name = name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("laravel"));
    let slug = |mark: char| {
        let name = name.as_deref()?.to_lowercase();
        let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        Some(words.collect::<Vec<_>>().join(&mark.to_string()))
    };
    let mut found: Vec<String> = ['_', '-']
        .into_iter()
        .filter_map(|mark| {
            // Without a prefix of the store its keys are those of the queues.
            let store = store.clone().or_else(|| Some(format!("{}{mark}cache{mark}", slug(mark)?)))?;
            let connection = match &connection {
                Some(connection) => connection.clone(),
                None => format!("{}{mark}database{mark}", slug(mark).unwrap_or_else(|| "laravel".into())),
            };
            // Without a mark at its end it may be the beginning of a neighbour's.
            let has_end = store.ends_with(|letter: char| !letter.is_alphanumeric());
            (store.len() >= SHORTEST && has_end).then(|| connection + &store)
        })
        .collect();
    found.dedup();
    found
}

fn tcp(host: &str, port: &str) -> Listen {
    Listen::Tcp(format!("{}:{port}", host.trim_start_matches("tcp://")))
}

/// Whether a server is one that the site's account may be led to without the operator's word: on this machine.
pub fn is_local(to: &Listen) -> bool {
    match to {
        Listen::Unix(_) => true,
        Listen::Tcp(address) => {
            let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_in_for_redis_says_where_by_its_constants() {
        let of = |config: &str| wordpress("<?php // WP_REDIS_HOST", &format!("<?php {config}"));
        let redis = |to: Listen, database, password: &str| Store::Redis {
            to,
            database,
            user: String::new(),
            password: Zeroizing::new(password.into()),
        };
        let found =
            of("define('WP_REDIS_HOST', 'localhost'); define('WP_REDIS_PORT', 6380); define('WP_REDIS_DATABASE', 3); \
            define('WP_REDIS_PREFIX', ' shop: '); define('WP_REDIS_PASSWORD', 'x');");
        assert_eq!(
            found,
            Claim { store: redis(Listen::Tcp("localhost:6380".into()), 3, "x"), prefixes: vec!["shop:".into()] }
        );
        let found = of(
            "define('WP_REDIS_SCHEME', 'unix'); define('WP_REDIS_PATH', '/run/r.sock'); define('WP_CACHE_KEY_SALT', 'salt'); $table_prefix = 'wp_';",
        );
        assert_eq!(
            found,
            Claim {
                store: redis(Listen::Unix("/run/r.sock".into()), 0, ""),
                prefixes: ["salt:", "saltwp:", "saltwp_:"].map(str::to_owned).to_vec()
            }
        );
        // Of a salt without an end the end is not known: salt2 may be a neighbour's.
        for more in ["", "$table_prefix = getenv('X');", "$table_prefix = 'wp_'; define('MULTISITE', true);"] {
            let found = of(&format!("define('WP_CACHE_KEY_SALT', 'salt'); {more}"));
            assert_eq!(found.prefixes, Vec::<String>::new(), "{more}");
        }
        let network = of("define('WP_CACHE_KEY_SALT', 'salt:'); define('MULTISITE', true);");
        assert_eq!(network.prefixes, ["salt:"]);
        assert_eq!(of("").prefixes, Vec::<String>::new());
        assert!(matches!(of("define('WP_REDIS_PREFIX', getenv('X'));").store, Store::Unknown(_)));
        assert!(matches!(wordpress("<?php // apcu", "<?php").store, Store::Unknown(_)));
        let found = wordpress(
            "<?php new Memcached",
            "<?php $memcached_servers = array('default' => array('127.0.0.1:11212'));",
        );
        assert_eq!(found.store, Store::Memcached(vec![Listen::Tcp("127.0.0.1:11212".into())]));
    }

    #[test]
    fn laravel_says_where_in_its_env_file() {
        let found =
            laravel("APP_NAME=\"My Shop\"\nCACHE_DRIVER=redis\nREDIS_PASSWORD=null\nREDIS_PORT=6390\n").unwrap();
        let Store::Redis { to, database, password, .. } = &found.store else { panic!("{found:?}") };
        assert_eq!((to, *database, password.as_str()), (&Listen::Tcp("127.0.0.1:6390".into()), 1, ""));
        assert_eq!(found.prefixes, ["my_shop_database_my_shop_cache_", "my-shop-database-my-shop-cache-"]);
        let of = |env: &str| laravel(&format!("CACHE_STORE=redis\n{env}")).unwrap().prefixes;
        assert_eq!(of("REDIS_PREFIX=a_\nCACHE_PREFIX=shop_\n"), ["a_shop_"]);
        assert!(of("APP_NAME=Laravel\n").is_empty(), "everybody's");
        assert!(of("CACHE_PREFIX=shop\n").is_empty(), "also the beginning of shop2");
        assert!(of("CACHE_PREFIX=\nAPP_NAME=shop\n").is_empty(), "its keys would be those of the queues");
        assert_eq!(laravel("CACHE_STORE=file\n"), None);
    }

    #[test]
    fn only_this_machine_is_local() {
        for (address, local) in
            [("127.0.0.1:1", true), ("[::1]:1", true), ("localhost:1", true), ("10.0.0.1:1", false), ("cache:1", false)]
        {
            assert_eq!(is_local(&Listen::Tcp(address.into())), local, "{address}");
        }
    }
}
