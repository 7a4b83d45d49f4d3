//! The caches that go on with the pages and rows of before a change-over: found, and emptied of what is the site's. Each may be emptied
//! again at any time. docs/caches.md has the table.

mod cache_key;
mod claims;
mod memcached;
mod nginx_zones;
mod redis_keys;

use super::Services;
use super::wire::Until;
use crate::error::{Code, Error, Result};
use crate::host::site::Site;
use crate::host::{owner, page_caches, tree};
use crate::path::Domain;
use crate::progress::{Level, Monitor, Phase};
use crate::siteconf::Listen;
use crate::text::printable;
use claims::{Claim, Store};
use redis_keys::Keys;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// What became of one cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptied {
    /// Nothing of the site's is left in it.
    pub is_done: bool,
    /// How many things were removed.
    pub count: u64,
    /// The cache and where it is. No secret.
    pub place: String,
    /// What was done, or why not.
    pub what: String,
}

impl Emptied {
    fn done(place: &str, count: u64, what: String) -> Emptied {
        Emptied { is_done: true, count, place: place.to_owned(), what }
    }

    fn left(place: &str, what: impl Into<String>) -> Emptied {
        Emptied { is_done: false, count: 0, place: place.to_owned(), what: what.into() }
    }

    /// Both, as a sentence.
    pub fn said(&self) -> String {
        format!("{}: {}", self.place, self.what)
    }
}

/// The object cache, where nobody knows more of it.
const OBJECTS: &str = "the site's object cache";

/// Ends work on files at its time.
struct Before(Instant);

impl Monitor for Before {
    fn set_total(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: Phase, _: u64, _: u64) {}
    fn current(&self, _: Phase, _: &str) {}
    fn event(&self, _: Level, _: &str) {}
    fn keep_going(&self) -> Result<()> {
        if Instant::now() < self.0 {
            return Ok(());
        }
        Err(Error::new(Code::TimedOut, "the time was over before the end of its saved pages"))
    }
}

impl Services {
    /// Empties what nginx and the site's object cache hold of the site; with `pages` also what its plugins saved below the live document
    /// root, for a change-over that did not exchange that as a whole. All of it has so much time. Gives a line for each cache that there is.
    pub fn empty_caches(&self, domain: &Domain, pages: bool, time: Duration) -> Vec<Emptied> {
        let (until, patience) = (Instant::now() + time, self.until(time));
        let (zones, names) = nginx_zones::find(&self.config.services.nginx.conf, domain.as_str());
        let mut emptied: Vec<Emptied> = zones.iter().map(|zone| nginx_zones::empty(zone, &names, until)).collect();
        let Ok(site) = Site::find(&self.config, domain) else { return emptied };
        let live = tree::open_site(&site.root).ok().flatten();
        if let (true, Some(live)) = (pages, &live) {
            emptied.extend(page_caches::find(live).into_iter().map(|path| {
                match page_caches::empty(live, &path, &Before(until)) {
                    Ok(count) => {
                        Emptied::done(&path.to_string(), count, format!("{count} saved pages and folders were removed"))
                    }
                    Err(error) => Emptied::left(&path.to_string(), error.message),
                }
            }));
        }
        let claims = claims::read(&site);
        if claims.is_empty() {
            return emptied;
        }
        let Some(account) = owner::account(&self.config, domain, live.as_ref().map(|live| live.as_fd())) else {
            emptied.push(Emptied::left(OBJECTS, "it was left as it is: the site has no account but root"));
            return emptied;
        };
        let alone = self.config.sites.get(domain).map(|said| said.caches.clone()).unwrap_or_default();
        // With the account's own rights: a tenant's word leads nobody where the tenant may not go.
        let asked = account
            .act(|| claims.iter().flat_map(|claim| self.empty_claimed(claim, &alone, &patience)).collect::<Vec<_>>());
        match asked {
            Ok(asked) => emptied.extend(asked),
            Err(error) => emptied.push(Emptied::left(OBJECTS, format!("it was left as it is: {error}"))),
        }
        emptied
    }

    fn empty_claimed(&self, claim: &Claim, alone: &[String], time: &Until) -> Vec<Emptied> {
        match &claim.store {
            Store::Unknown(why) => vec![Emptied::left(OBJECTS, why.clone())],
            Store::Redis { to, database, user, password } => {
                let place = format!("Redis at {}, database {database}", printable(&to.to_string()));
                vec![self.empty_redis(&place, (to, *database), (user, password), &claim.prefixes, alone, time)]
            }
            Store::Memcached(servers) => {
                servers.iter().take(8).map(|to| self.empty_memcached(to, alone, time)).collect()
            }
        }
    }

    fn empty_redis(
        &self,
        place: &str,
        (to, database): (&Listen, u32),
        account: (&str, &str),
        prefixes: &[String],
        alone: &[String],
        time: &Until,
    ) -> Emptied {
        let is_alone = alone.contains(&format!("redis:{to}/{database}"));
        if !is_alone && !claims::is_local(to) {
            return Emptied::left(
                place,
                "it is not on this machine and `caches` of the site in restore.toml does not name it: nothing was removed",
            );
        }
        let keys = match (prefixes.is_empty(), is_alone) {
            (false, _) => Keys::Of(prefixes),
            (true, true) => Keys::All,
            (true, false) => {
                return Emptied::left(
                    place,
                    "the site's keys have no prefix of their own whose end can be seen, so that nothing was removed; if this database is the site's alone, name it in `caches` of the site in restore.toml",
                );
            }
        };
        let whose = match prefixes {
            [] => String::new(),
            prefixes => format!(" with the prefix {}", printable(&prefixes.join(" or "))),
        };
        match redis_keys::remove((to, database), account, &keys, time) {
            Ok((count, true)) => Emptied::done(place, count, format!("{count} keys{whose} were removed")),
            Ok((count, false)) => {
                Emptied::left(place, format!("{count} keys{whose} were removed, and the time was over before the end"))
            }
            Err(error) => Emptied::left(place, format!("nothing more was removed: {error}")),
        }
    }

    fn empty_memcached(&self, to: &Listen, alone: &[String], time: &Until) -> Emptied {
        let place = format!("Memcached at {}", printable(&to.to_string()));
        if !alone.contains(&format!("memcached:{to}")) {
            return Emptied::left(
                &place,
                "the keys of one site are not told from another's there, so that nothing was removed; if it is the site's alone, name it in `caches` of the site in restore.toml",
            );
        }
        match memcached::flush(to, time) {
            Ok(()) => Emptied::done(&place, 0, "it was emptied".into()),
            Err(error) => Emptied::left(&place, format!("it was not emptied: {error}")),
        }
    }
}
