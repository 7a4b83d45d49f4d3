//! The caches that go on with the pages and rows of before a change-over: found, and emptied of what is the site's. Each may be emptied
//! again at any time. docs/caches.md has the table.

mod cache_key;
mod claims;
mod keys;
mod memcached;
mod nginx_zones;
mod redis_keys;
mod requests;

pub use requests::Requests;

use super::wire::Until;
use super::{Services, nginx_whole};
use crate::error::{Code, Error, Result};
use crate::host::site::Site;
use crate::host::{owner, page_caches, tree};
use crate::path::Domain;
use crate::progress::{Level, Monitor, Phase};
use crate::siteconf::Listen;
use crate::text::printable;
use claims::{Claim, Known, Store};
use keys::{Keys, Sessions};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// What became of one cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptied {
    /// Nothing of the site's is left in it.
    pub is_done: bool,
    /// How many things were removed.
    pub count: u64,
    /// It is one of nginx's own.
    pub of_nginx: bool,
    /// The cache and where it is. No secret.
    pub place: String,
    /// What was done, or why not.
    pub what: String,
}

impl Emptied {
    fn done(place: &str, count: u64, what: String) -> Emptied {
        Emptied { is_done: true, count, of_nginx: false, place: place.to_owned(), what }
    }

    /// It was left, and why.
    pub fn left(place: &str, what: impl Into<String>) -> Emptied {
        Emptied { is_done: false, count: 0, of_nginx: false, place: place.to_owned(), what: what.into() }
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
    /// The requests of a site that are being answered.
    pub fn requests(&self, domain: &Domain) -> Requests {
        Requests::now(&nginx_whole::read(&self.config.services.nginx.conf), domain.as_str())
    }

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
                let is_alone = alone.contains(&format!("redis:{to}/{database}"));
                let emptied = reachable(to, is_alone)
                    .and_then(|()| ours(claim, is_alone, "this database"))
                    .map(|keys| empty_redis(&place, (to, *database), (user, password), &keys, time));
                vec![emptied.unwrap_or_else(|why| Emptied::left(&place, why))]
            }
            Store::Memcached(servers) => {
                let emptied = servers.iter().take(MOST_SERVERS).map(|to| {
                    let place = format!("Memcached at {}", printable(&to.to_string()));
                    let is_alone = alone.contains(&format!("memcached:{to}"));
                    reachable(to, is_alone)
                        .and_then(|()| match is_alone {
                            true => Ok(empty_memcached_that_is_alone(&place, to, claim.sessions, time)),
                            false => ours(claim, false, "this server")
                                .map(|keys| empty_memcached(&place, to, (&keys, &claim.keys), time)),
                        })
                        .unwrap_or_else(|why| Emptied::left(&place, why))
                });
                let rest = servers.get(MOST_SERVERS).map(|_| {
                    Emptied::left(
                        OBJECTS,
                        format!("it has more servers than {MOST_SERVERS}, of which the others were left"),
                    )
                });
                emptied.chain(rest).collect()
            }
        }
    }
}

/// A tenant's list of servers is read this far.
const MOST_SERVERS: usize = 8;

/// Whether the site's word is enough to be led there; else why not.
fn reachable(to: &Listen, is_alone: bool) -> std::result::Result<(), String> {
    match is_alone || claims::is_local(to) {
        true => Ok(()),
        false => Err(
            "it is not on this machine and `caches` of the site in restore.toml does not name it: nothing was removed"
                .into(),
        ),
    }
}

/// The keys that go; else why none does.
fn ours<'a>(claim: &'a Claim, is_alone: bool, what: &str) -> std::result::Result<Keys<'a>, String> {
    let sessions = claim.sessions;
    match &claim.keys {
        Known::By { prefixes, .. } => Ok(Keys { prefixes: Some(prefixes), sessions }),
        Known::Not(_) if is_alone => Ok(Keys { prefixes: None, sessions }),
        Known::Not(why) => Err(format!(
            "{why}, so that nothing was removed; if {what} is the site's alone, name it in `caches` of the site in restore.toml"
        )),
    }
}

/// The beginnings of keys, as a sentence has them.
fn named(keys: &Keys) -> String {
    match keys.prefixes {
        None => String::new(),
        Some(prefixes) if prefixes.len() > 3 => format!(" with the prefix {} or one like it", printable(&prefixes[0])),
        Some(prefixes) => format!(" with the prefix {}", printable(&prefixes.join(" or "))),
    }
}

fn empty_redis(place: &str, to: (&Listen, u32), account: (&str, &str), keys: &Keys, time: &Until) -> Emptied {
    let whose = named(keys);
    match redis_keys::remove(to, account, keys, time) {
        Ok((count, true)) => Emptied::done(place, count, format!("{count} keys{whose} were removed")),
        Ok((count, false)) => {
            Emptied::left(place, format!("{count} keys{whose} were removed, and the time was over before the end"))
        }
        Err(error) => Emptied::left(place, format!("nothing more was removed: {error}")),
    }
}

fn empty_memcached(place: &str, to: &Listen, (keys, known): (&Keys, &Known), time: &Until) -> Emptied {
    let perhaps = match known {
        Known::By { perhaps, .. } => perhaps.as_deref(),
        Known::Not(_) => None,
    };
    let whose = named(keys);
    match memcached::remove(to, keys, perhaps, time) {
        Ok(memcached::Answer::Removed(removed)) => {
            let gone = format!("{} keys{whose} were removed", removed.count);
            match removed {
                memcached::Removed { is_whole: false, .. } => {
                    Emptied::left(place, format!("{gone}, and the time was over before the end"))
                }
                memcached::Removed { nameless: 1.., .. } => Emptied::left(
                    place,
                    format!("{gone}; {} have letters with which they cannot be named, and stay", removed.nameless),
                ),
                memcached::Removed { doubtful: 1.., .. } => Emptied::left(
                    place,
                    format!(
                        "{gone}; {} that begin with {} may be a neighbour's, and stay: give WP_CACHE_KEY_SALT a `:` at its end",
                        removed.doubtful,
                        printable(perhaps.unwrap_or_default())
                    ),
                ),
                _ => Emptied::done(place, removed.count, gone),
            }
        }
        Ok(memcached::Answer::Refused(said)) => Emptied::left(
            place,
            format!(
                "it does not list its keys ({said}), so that nothing was removed; if it is the site's alone, name it in `caches` of the site in restore.toml"
            ),
        ),
        Err(error) => Emptied::left(place, format!("nothing more was removed: {error}")),
    }
}

/// By the operator's word: all but sessions and queues, or all of it where the server does not list its keys.
fn empty_memcached_that_is_alone(place: &str, to: &Listen, sessions: Sessions, time: &Until) -> Emptied {
    let all = Keys { prefixes: None, sessions };
    let emptied = match memcached::remove(to, &all, None, time) {
        Ok(memcached::Answer::Removed(removed)) if removed.is_whole && removed.nameless == 0 => {
            Ok((removed.count, format!("{} keys were removed", removed.count)))
        }
        Ok(memcached::Answer::Removed(removed)) => {
            let said = format!("{} keys were removed, and not all of them", removed.count);
            return Emptied::left(place, said);
        }
        Ok(memcached::Answer::Refused(_)) => memcached::flush(to, time).map(|()| (0, "it was emptied".to_owned())),
        Err(error) => Err(error),
    };
    match emptied {
        Ok((count, said)) => Emptied::done(place, count, said),
        Err(error) => Emptied::left(place, format!("it was not emptied: {error}")),
    }
}
