//! The cache of a Laravel, as its `.env` says.

use super::{Claim, Known, SHORTEST, Sessions, Store, tcp};
use crate::host::credentials::dot_env;
use crate::siteconf::Listen;
use zeroize::Zeroizing;

/// Laravel's `CACHE_STORE` (before version 11 `CACHE_DRIVER`), with the defaults of its `config/cache.php` and `config/database.php`.
pub fn claim(env: &str) -> Option<Claim> {
    let all = dot_env::all(env);
    let value = |name: &str| all.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_deref());
    let given = |name: &str| value(name).flatten().map(str::to_owned);
    let is_given = |name: &str| given(name).is_some_and(|value| !value.is_empty() && value != "null");
    let or =
        |name: &str, usual: &str| given(name).filter(|value| !value.is_empty()).unwrap_or_else(|| usual.to_owned());
    let store = given("CACHE_STORE").or_else(|| given("CACHE_DRIVER"))?;
    // Sessions in the same kind of server have the cache's prefix, and nothing but their number behind it.
    // What is no plain text may name any.
    let sessions = match value("SESSION_DRIVER") {
        Some(driver) if driver.is_none_or(|driver| driver == store) => Sessions::Own,
        _ => Sessions::OfOthers,
    };
    let keys = |connection: Option<String>| {
        Known::of(prefixes(given("APP_NAME").as_deref(), connection.as_deref(), given("CACHE_PREFIX").as_deref()))
    };
    let unread = |name: &str| Some(Claim::unknown(format!("{name} in .env is not read: nothing was removed")));
    let at = |host: String, port: &str, usual: &str| match host.strip_prefix("unix:").unwrap_or(&host) {
        path if path.starts_with('/') => Listen::Unix(path.into()),
        host => tcp(host, &or(port, usual)),
    };
    let is_unread = |name: &&str| value(name) == Some(None);
    let named = if value("CACHE_PREFIX").is_some() { "CACHE_PREFIX" } else { "APP_NAME" };
    let of_connection = (store == "redis").then_some("REDIS_PREFIX");
    if let Some(name) = [Some(named), of_connection].into_iter().flatten().find(is_unread) {
        return unread(name);
    }
    match store.as_str() {
        "memcached" if is_given("MEMCACHED_USERNAME") => unread("MEMCACHED_USERNAME"),
        "memcached" => {
            let to = at(or("MEMCACHED_HOST", "127.0.0.1"), "MEMCACHED_PORT", "11211");
            Some(Claim { store: Store::Memcached(vec![to]), keys: keys(Some(String::new())), sessions })
        }
        "redis" if is_given("REDIS_URL") => unread("REDIS_URL"),
        "redis" => {
            let no_null = |text: String| if text == "null" { String::new() } else { text };
            let store = Store::Redis {
                to: at(or("REDIS_HOST", "127.0.0.1"), "REDIS_PORT", "6379"),
                database: or("REDIS_CACHE_DB", "1").parse().unwrap_or(1),
                user: no_null(or("REDIS_USERNAME", "")),
                password: Zeroizing::new(no_null(or("REDIS_PASSWORD", ""))),
            };
            Some(Claim { store, keys: keys(given("REDIS_PREFIX")), sessions })
        }
        _ => None,
    }
}

/// Keys begin with the connection's prefix and the store's. By default both are made of the application's name: with `_`, and from
/// version 12 on with `-`. Before version 10 the store's ends with a `:` of Laravel's own.
fn prefixes(name: Option<&str>, connection: Option<&str>, store: Option<&str>) -> Vec<String> {
    let name = name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("laravel"));
    let slug = |mark: &str| {
        let name = name?.to_lowercase();
        let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        Some(words.collect::<Vec<_>>().join(mark))
    };
    let mut found: Vec<String> = [("_", "_"), ("_", ":"), ("-", "-")]
        .into_iter()
        .filter_map(|(mark, end)| {
            // Without a prefix of the store its keys are those of the queues.
            let store = match store {
                Some(store) => store.to_owned(),
                None => format!("{}{mark}cache{end}", slug(mark)?),
            };
            let connection = match connection {
                Some(connection) => connection.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes_of(keys: Known) -> Vec<String> {
        match keys {
            Known::By { prefixes, .. } => prefixes,
            Known::Not(_) => Vec::new(),
        }
    }

    #[test]
    fn what_the_env_file_does_not_say_plainly_is_not_guessed() {
        let env = |more: &str| format!("APP_NAME=Shop\nCACHE_DRIVER=memcached\n{more}");
        let found = claim(&env("SESSION_DRIVER=\"${CACHE_DRIVER}\"\nCACHE_PREFIX=shop_")).unwrap();
        assert_eq!(found.sessions, Sessions::Own);
        assert_eq!(claim(&env("SESSION_DRIVER=file\nCACHE_PREFIX=shop_")).unwrap().sessions, Sessions::OfOthers);
        let found = claim(&env("CACHE_PREFIX=\"${APP_NAME}_\"")).unwrap();
        assert!(matches!(found.store, Store::Unknown(said) if said.contains("CACHE_PREFIX")));
    }

    #[test]
    fn laravel_says_where_in_its_env_file() {
        let found = claim("APP_NAME=\"My Shop\"\nCACHE_DRIVER=redis\nREDIS_PASSWORD=null\nREDIS_PORT=6390\n").unwrap();
        let Store::Redis { to, database, password, .. } = &found.store else { panic!("{found:?}") };
        assert_eq!((to, *database, password.as_str()), (&Listen::Tcp("127.0.0.1:6390".into()), 1, ""));
        assert_eq!(
            prefixes_of(found.keys),
            ["my_shop_database_my_shop_cache_", "my_shop_database_my_shop_cache:", "my-shop-database-my-shop-cache-"]
        );
        let of = |env: &str| prefixes_of(claim(&format!("CACHE_STORE=redis\n{env}")).unwrap().keys);
        assert_eq!(of("REDIS_PREFIX=a_\nCACHE_PREFIX=shop_\n"), ["a_shop_"]);
        assert!(of("APP_NAME=Laravel\n").is_empty(), "everybody's");
        assert!(of("CACHE_PREFIX=shop\n").is_empty(), "also the beginning of shop2");
        assert!(of("CACHE_PREFIX=\nAPP_NAME=shop\n").is_empty(), "its keys would be those of the queues");
        assert_eq!(claim("CACHE_STORE=file\n"), None);
    }

    #[test]
    fn memcached_has_the_prefix_of_the_store_alone() {
        let of = |env: &str| claim(&format!("CACHE_STORE=memcached\n{env}")).unwrap();
        let found =
            of("APP_NAME=Shop\nMEMCACHED_HOST=/run/m.sock\nMEMCACHED_PORT=0\nREDIS_PREFIX=x_\nSESSION_DRIVER=file\n");
        assert_eq!(found.store, Store::Memcached(vec![Listen::Unix("/run/m.sock".into())]));
        assert_eq!(prefixes_of(found.keys), ["shop_cache_", "shop_cache:", "shop-cache-"]);
        let found = of("CACHE_PREFIX=shop_\nSESSION_DRIVER=memcached\n");
        assert!(found.sessions == Sessions::Own && prefixes_of(found.keys) == ["shop_"]);
        assert!(matches!(of("MEMCACHED_USERNAME=me\nAPP_NAME=shop\n").store, Store::Unknown(_)));
    }
}
