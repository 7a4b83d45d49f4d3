//! The object cache of a WordPress, as its drop-in and `wp-config.php` say.

use super::{Claim, Known, SHORTEST, Sessions, Store, tcp};
use crate::host::credentials::{php, wp_config};
use crate::siteconf::Listen;
use php::Token;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Groups of WordPress' own that all sites of a network share: older drop-ins for Memcached put no mark between the tables and these.
const SHARED_GROUPS: [&str; 24] = [
    "blog-details",
    "blog-id-cache",
    "blog-lookup",
    "blog_meta",
    "global-posts",
    "image_editor",
    "network-queries",
    "networks",
    "rss",
    "site-details",
    "site-lookup",
    "site-options",
    "site-queries",
    "site-transient",
    "sites",
    "theme_files",
    "translation_files",
    "user-queries",
    "user_meta",
    "useremail",
    "userlogins",
    "usermeta",
    "users",
    "userslugs",
];

/// Constants by which a drop-in is led to more than one server, or elsewhere.
const ELSEWHERE: [&str; 5] =
    ["WP_REDIS_CLUSTER", "WP_REDIS_CONFIG", "WP_REDIS_SENTINEL", "WP_REDIS_SERVERS", "WP_REDIS_SHARDS"];

struct Settings<'a> {
    config: &'a str,
    constants: Vec<(String, Option<String>)>,
}

impl Settings<'_> {
    /// `Some(None)` is what is no literal.
    fn value(&self, name: &str) -> Option<Option<&str>> {
        self.constants.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_deref())
    }

    fn given(&self, name: &str) -> Option<String> {
        self.value(name).flatten().map(str::to_owned)
    }

    fn is_network(&self) -> bool {
        self.value("MULTISITE").is_some()
    }
}

/// The drop-ins keep their settings in constants: Redis Object Cache (`WP_REDIS_…`), and those for Memcached (`WP_CACHE_KEY_SALT`).
pub fn claim(drop_in: &str, config: &str) -> Claim {
    let settings = Settings { config, constants: wp_config::settings(config) };
    let words = drop_in.to_ascii_lowercase();
    let has_redis = words.contains("redis");
    let makes_memcached = words.contains("new memcache") || words.contains("new \\memcache");
    match () {
        () if drop_in.contains("WP_REDIS_") || has_redis && !makes_memcached => redis(&settings),
        () if words.contains("memcache") => memcached(drop_in, &settings),
        () => Claim::unknown("wp-content/object-cache.php is not known: nothing was removed"),
    }
}

fn redis(settings: &Settings) -> Claim {
    let names =
        ["WP_REDIS_SCHEME", "WP_REDIS_HOST", "WP_REDIS_PORT", "WP_REDIS_PATH", "WP_REDIS_DATABASE", "WP_REDIS_PREFIX"];
    let unclear = names.into_iter().chain(["WP_CACHE_KEY_SALT"]).find(|name| settings.value(name) == Some(None));
    if let Some(name) = unclear {
        return Claim::unknown(format!("{name} in wp-config.php is no literal: nothing was removed"));
    }
    if let Some(name) = ELSEWHERE.into_iter().find(|name| settings.value(name).is_some()) {
        return Claim::unknown(format!("{name} in wp-config.php is not read: nothing was removed"));
    }
    let [scheme, host, port, path, database, prefix] = names.map(|name| settings.given(name));
    let to = match (scheme.as_deref(), path, host) {
        (Some("unix"), Some(path), _) => Listen::Unix(path.into()),
        (_, _, Some(host)) if host.starts_with('/') => Listen::Unix(host.into()),
        (_, _, host) => tcp(&host.unwrap_or_else(|| "127.0.0.1".into()), &port.unwrap_or_else(|| "6379".into())),
    };
    let (user, password) = match settings.value("WP_REDIS_PASSWORD") {
        Some(Some(password)) => (String::new(), password.to_owned()),
        Some(None) => match account(settings.config) {
            Some(account) => account,
            None => return Claim::unknown("WP_REDIS_PASSWORD in wp-config.php is no literal: nothing was removed"),
        },
        None => (String::new(), String::new()),
    };
    let salt = prefix
        .or_else(|| settings.given("WP_CACHE_KEY_SALT"))
        .map(|prefix| prefix.trim().to_owned())
        .unwrap_or_default();
    let has_end = salt.ends_with(':');
    // A network has numbers behind its salt, which may be a neighbour's letters.
    let has_own = salt.len() >= SHORTEST && (has_end || !settings.is_network());
    let prefixes = if has_own { prefixes(&salt, settings.config, false) } else { Vec::new() };
    Claim {
        store: Store::Redis {
            to,
            database: database.and_then(|number| number.parse().ok()).unwrap_or(0),
            user,
            password: Zeroizing::new(password),
        },
        keys: Known::of(prefixes),
        sessions: Sessions::Nowhere,
    }
}

/// `WP_REDIS_PASSWORD` as a list: an account of the server, and its password.
fn account(config: &str) -> Option<(String, String)> {
    let all = php::tokens(config.as_bytes());
    let at = all.iter().position(|token| matches!(token, Token::Text(name) if name == "WP_REDIS_PASSWORD"))?;
    let given =
        all[at + 1..].iter().skip_while(|token| matches!(token, Token::Sign(b',' | b'[' | b'(') | Token::Word(_)));
    match given.take(4).collect::<Vec<_>>().as_slice() {
        [Token::Text(user), Token::Sign(b','), Token::Text(password), Token::Sign(b']' | b')' | b',')] => {
            Some((user.clone(), password.clone()))
        }
        _ => None,
    }
}

fn memcached(drop_in: &str, settings: &Settings) -> Claim {
    let Some(servers) = memcached_servers(settings.config) else {
        return Claim::unknown("$memcached_servers in wp-config.php is no list of literals: nothing was removed");
    };
    Claim { store: Store::Memcached(servers), keys: memcached_keys(drop_in, settings), sessions: Sessions::Nowhere }
}

fn memcached_keys(drop_in: &str, settings: &Settings) -> Known {
    if settings.value("WP_CACHE_KEY_SALT") == Some(None) {
        return Known::Not("WP_CACHE_KEY_SALT in wp-config.php is no literal");
    }
    if !drop_in.contains("WP_CACHE_KEY_SALT") {
        return Known::Not("wp-content/object-cache.php puts no WP_CACHE_KEY_SALT before the site's keys");
    }
    if makes_hashes(drop_in) {
        return Known::Not(
            "wp-content/object-cache.php makes hashes of the site's keys, which begin with nothing of its own",
        );
    }
    // The drop-ins leave out what a key of Memcached may not have.
    let salt: String = settings.given("WP_CACHE_KEY_SALT").unwrap_or_default().split_whitespace().collect();
    if salt.len() < SHORTEST {
        return Known::of(Vec::new());
    }
    let perhaps = (!salt.ends_with(':')).then(|| salt.clone());
    let prefixes = match settings.is_network() && perhaps.is_some() {
        true => vec![format!("{salt}:")],
        false => prefixes(&salt, settings.config, true),
    };
    let prefixes = if prefixes.is_empty() { vec![format!("{salt}:")] } else { prefixes };
    Known::By { prefixes, perhaps }
}

/// Whether a drop-in hashes the beginning of its keys. (Some hash the end of a long one, which stays behind the salt.)
fn makes_hashes(drop_in: &str) -> bool {
    const HASHES: [&str; 5] = ["md5", "sha1", "hash", "crc32", "wp_hash"];
    let all = php::tokens(drop_in.as_bytes());
    let is_beginning = |token: &Token| match token {
        Token::Word(word) => ["salt", "prefix"].iter().any(|part| word.to_ascii_lowercase().contains(part)),
        // A string that holds a variable.
        Token::Unknown => true,
        _ => false,
    };
    all.windows(2).enumerate().any(|(at, two)| {
        let is_call = matches!(two, [Token::Word(word), Token::Sign(b'(')] if HASHES.contains(&word.as_str()));
        let mut depth = 0_i32;
        let inside = all[at + 1..].iter().take_while(|token| {
            depth += match token {
                Token::Sign(b'(') => 1,
                Token::Sign(b')') => -1,
                _ => 0,
            };
            depth > 0
        });
        is_call && inside.into_iter().any(is_beginning)
    })
}

/// How a site's keys begin. A key is `SALT TABLES:GROUP:KEY`, without a mark between the first two: `shop` is also the beginning of the
/// keys of `shop2`. So a salt counts up to the `:` behind it. With `shared`, keys of shared groups are `SALT TABLES GROUP:KEY`.
fn prefixes(salt: &str, config: &str, shared: bool) -> Vec<String> {
    if salt.ends_with(':') {
        return vec![salt.to_owned()];
    }
    let Some(tables) = wp_config::table_prefix(config) else { return Vec::new() };
    let trimmed = tables.trim_matches(['_', '-', ':', '$']);
    let groups = SHARED_GROUPS.iter().filter(|_| shared).map(|group| format!("{salt}{tables}{group}:"));
    ["", tables.as_str(), trimmed]
        .into_iter()
        .map(|tables| format!("{salt}{tables}:"))
        .chain(groups)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// `$memcached_servers`, or the usual one without it: `HOST:PORT`, `unix://PATH`, or a host and a port as a list of two. `None` where it
/// is no list of literals.
fn memcached_servers(config: &str) -> Option<Vec<Listen>> {
    const USUAL: &str = "11211";
    let all = php::tokens(config.as_bytes());
    let begins = |two: &[Token]| matches!(two, [Token::Word(word), Token::Sign(b'=')] if word == "memcached_servers");
    let Some(at) = all.windows(2).position(begins) else { return Some(vec![tcp("127.0.0.1", USUAL)]) };
    let listed: Vec<&Token> = all[at + 2..].iter().take_while(|token| **token != Token::Sign(b';')).collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_literal = |token: &&Token| match token {
        Token::Text(_) | Token::Sign(_) => true,
        Token::Word(word) => word.eq_ignore_ascii_case("array") || is_number(word),
        Token::Unknown => false,
    };
    if !listed.iter().all(is_literal) {
        return None;
    }
    let server = |at: usize| {
        let Token::Text(text) = listed[at] else { return None };
        let port = match (listed.get(at + 1), listed.get(at + 2)) {
            // The name of a bucket.
            (Some(Token::Sign(b'=')), Some(Token::Sign(b'>'))) => return None,
            (Some(Token::Sign(b',')), Some(Token::Word(port))) if is_number(port) => Some(port.as_str()),
            _ => None,
        };
        let path = text.strip_prefix("unix://").unwrap_or(text);
        if path.starts_with('/') {
            let end = path.rfind(':').filter(|end| is_number(&path[end + 1..]));
            return Some(Listen::Unix(path[..end.unwrap_or(path.len())].into()));
        }
        let (host, port) = match (port, text.rsplit_once(':')) {
            (Some(port), _) => (text.as_str(), port),
            (None, Some((host, port))) if is_number(port) => (host, port),
            _ => (text.as_str(), USUAL),
        };
        Some(tcp(host, port))
    };
    let found: Vec<Listen> = (0..listed.len()).filter_map(server).collect();
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_in_for_redis_says_where_by_its_constants() {
        let of = |config: &str| claim("<?php // WP_REDIS_HOST", &format!("<?php {config}"));
        let redis = |to: Listen, database, (user, password): (&str, &str)| Store::Redis {
            to,
            database,
            user: user.into(),
            password: Zeroizing::new(password.into()),
        };
        let found =
            of("define('WP_REDIS_HOST', 'localhost'); define('WP_REDIS_PORT', 6380); define('WP_REDIS_DATABASE', 3); \
            define('WP_REDIS_PREFIX', ' shop: '); define('WP_REDIS_PASSWORD', 'x');");
        let keys = Known::of(vec!["shop:".into()]);
        assert_eq!(
            found,
            Claim {
                store: redis(Listen::Tcp("localhost:6380".into()), 3, ("", "x")),
                keys,
                sessions: Sessions::Nowhere
            }
        );
        let found = of(
            "define('WP_REDIS_SCHEME', 'unix'); define('WP_REDIS_PATH', '/run/r.sock'); define('WP_CACHE_KEY_SALT', 'salt'); $table_prefix = 'wp_';",
        );
        let keys = Known::of(["salt:", "saltwp:", "saltwp_:"].map(str::to_owned).to_vec());
        assert_eq!(
            found,
            Claim { store: redis(Listen::Unix("/run/r.sock".into()), 0, ("", "")), keys, sessions: Sessions::Nowhere }
        );
        for list in ["['shop', 'x']", "array( 'shop', 'x', )"] {
            let found = of(&format!("define( 'WP_REDIS_PASSWORD', {list} );"));
            assert_eq!(found.store, redis(Listen::Tcp("127.0.0.1:6379".into()), 0, ("shop", "x")), "{list}");
        }
        // Of a salt without an end the end is not known: salt2 may be a neighbour's.
        for more in ["", "$table_prefix = getenv('X');", "$table_prefix = 'wp_'; define('MULTISITE', true);"] {
            let found = of(&format!("define('WP_CACHE_KEY_SALT', 'salt'); {more}"));
            assert!(matches!(found.keys, Known::Not(_)), "{more}");
        }
        let network = of("define('WP_CACHE_KEY_SALT', 'salt:'); define('MULTISITE', true);");
        assert_eq!(network.keys, Known::of(vec!["salt:".into()]));
        assert!(matches!(of("").keys, Known::Not(_)));
        for unclear in [
            "define('WP_REDIS_PREFIX', getenv('X'));",
            "define('WP_REDIS_PASSWORD', getenv('X'));",
            "define('WP_REDIS_PASSWORD', ['shop', getenv('X')]);",
            "define('WP_REDIS_SENTINEL', 'main');",
        ] {
            assert!(matches!(of(unclear).store, Store::Unknown(_)), "{unclear}");
        }
        assert!(matches!(claim("<?php // apcu", "<?php").store, Store::Unknown(_)));
    }

    #[test]
    fn servers_of_memcached_are_read_in_the_forms_that_the_drop_ins_know() {
        let of = |list: &str| memcached_servers(&format!("<?php global $memcached_servers; {list}"));
        let tcp = |address: &str| Listen::Tcp(address.into());
        let unix = || Listen::Unix("/run/m.sock".into());
        for (list, expected) in [
            ("", vec![tcp("127.0.0.1:11211")]),
            (
                "$memcached_servers = array('default' => array('127.0.0.1:11212', \"[::1]:1\"));",
                vec![tcp("127.0.0.1:11212"), tcp("[::1]:1")],
            ),
            (
                "$memcached_servers = [['localhost', 11213, 1], ['10.0.0.1']];",
                vec![tcp("localhost:11213"), tcp("10.0.0.1:11211")],
            ),
            ("$GLOBALS['x'] = 1; $memcached_servers = ['unix:///run/m.sock', '/run/m.sock:0'];", vec![unix(), unix()]),
        ] {
            assert_eq!(of(list), Some(expected), "{list}");
        }
        for list in
            ["$memcached_servers = [getenv('X')];", "$memcached_servers = [\"$host:1\"];", "$memcached_servers = [];"]
        {
            assert_eq!(of(list), None, "{list}");
        }
    }

    #[test]
    fn keys_in_memcached_are_told_by_the_salt_and_never_where_it_is_hashed() {
        const DROP_IN: &str = r#"<?php // Redis is another one.
            new Memcached; if (strlen($key) > 250) { $key = md5($key); }
            preg_replace('/\s+/', '', WP_CACHE_KEY_SALT . "$prefix$group:$key");"#;
        let of = |drop_in: &str, config: &str| claim(drop_in, &format!("<?php $table_prefix = 'wp_'; {config}"));
        let Claim { store: Store::Memcached(_), keys: Known::By { prefixes, perhaps }, .. } =
            of(DROP_IN, "define('WP_CACHE_KEY_SALT', 'a b-');")
        else {
            panic!("not known")
        };
        assert_eq!(perhaps.as_deref(), Some("ab-"));
        assert_eq!(prefixes.len(), SHARED_GROUPS.len() + 3);
        for one in ["ab-:", "ab-wp:", "ab-wp_:", "ab-wp_users:"] {
            assert!(prefixes.iter().any(|prefix| prefix == one), "{one}");
        }
        let by = |prefix: &str, perhaps: Option<&str>| Known::By {
            prefixes: vec![prefix.into()],
            perhaps: perhaps.map(str::to_owned),
        };
        assert_eq!(of(DROP_IN, "define('WP_CACHE_KEY_SALT', 'ab:');").keys, by("ab:", None));
        let network = of(DROP_IN, "define('WP_CACHE_KEY_SALT', 'shop'); define('MULTISITE', true);");
        assert_eq!(network.keys, by("shop:", Some("shop")));
        for (drop_in, config) in [
            (DROP_IN, ""),
            (DROP_IN, "define('WP_CACHE_KEY_SALT', 'x');"),
            (DROP_IN, "define('WP_CACHE_KEY_SALT', getenv('X'));"),
            ("<?php new Memcached; $key = 'wp:' . $key;", "define('WP_CACHE_KEY_SALT', 'shop:');"),
            ("<?php new Memcached; md5(WP_CACHE_KEY_SALT . trim($key));", "define('WP_CACHE_KEY_SALT', 'shop:');"),
            (
                "<?php new Memcached; WP_CACHE_KEY_SALT; hash('sha1', \"$a$b\");",
                "define('WP_CACHE_KEY_SALT', 'shop:');",
            ),
        ] {
            assert!(matches!(of(drop_in, config).keys, Known::Not(_)), "{drop_in} {config}");
        }
    }
}
