//! nginx's own caches of pages (`fastcgi_cache`, `proxy_cache`, `scgi_cache`, `uwsgi_cache`): the zones that a site uses, and the files
//! in them that are its pages.
//!
//! A saved page has its key in its head (`ngx_http_file_cache_create_key` writes `\nKEY: …\n` there). A file that is gone is a miss to
//! nginx, which asks the application again.

use super::Emptied;
use super::cache_key::{Form, Names};
use crate::error::Result;
use crate::host::services::nginx_whole;
use crate::host::tree::kind::Kind;
use crate::host::tree::{self, walk::Next};
use crate::siteconf::nginx::{Directive, server_names};
use crate::siteconf::servers;
use rustix::fs::AtFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of a saved page in which its key is looked for.
const HEAD: u64 = 16 << 10;
const KINDS: [&str; 4] = ["fastcgi", "proxy", "scgi", "uwsgi"];

/// A zone that a site's pages are saved in.
#[derive(Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// `fastcgi`, `proxy`, `scgi` or `uwsgi`.
    pub kind: &'static str,
    /// The folder.
    pub path: PathBuf,
    /// The keys that the site's servers save under.
    pub keys: Vec<String>,
    /// No other site's server saves in it.
    pub is_ours_alone: bool,
}

/// The zones that the servers of a domain use, and the names that these servers have.
pub fn find(conf: &Path, domain: &str) -> (Vec<Zone>, Names) {
    zones(&nginx_whole::read(conf), domain)
}

fn zones(all: &[Directive], domain: &str) -> (Vec<Zone>, Names) {
    let server_of = |directive: &Directive| servers::around(all, directive);
    let (ours, others) = servers::of(all, domain);
    let all_names = |servers: &[usize]| {
        let names = servers.iter().flat_map(|server| server_names(all, *server));
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let mut names = Names { ours: all_names(&ours), others: all_names(&others) };
    // A server of all names answers for neighbours, too: their pages stay.
    let is_shared = |name: &String| {
        let plain = name.trim_start_matches(['*', '.']);
        plain != domain && !plain.ends_with(&format!(".{domain}"))
    };
    let has_own = names.ours.iter().any(|name| name.eq_ignore_ascii_case(domain));
    let serves_others = has_own && names.ours.iter().any(|name| name.starts_with(['*', '.']) && is_shared(name));
    if serves_others {
        names.ours.retain(|name| !name.starts_with(['*', '.']) || !is_shared(name));
    }
    let mut found: BTreeMap<(String, &'static str), Zone> = BTreeMap::new();
    for kind in KINDS {
        let uses: Vec<(&str, Option<usize>)> = all
            .iter()
            .filter(|directive| directive.name == format!("{kind}_cache") && directive.first() != "off")
            .map(|directive| (directive.first(), server_of(directive)))
            .collect();
        for path in all.iter().filter(|directive| directive.name == format!("{kind}_cache_path")) {
            let zone = path.arguments.iter().find_map(|argument| argument.text.strip_prefix("keys_zone="));
            let Some(name) = zone.and_then(|zone| zone.split(':').next()) else { continue };
            // Without a server it is said for all of them.
            let is_used =
                |by: &dyn Fn(usize) -> bool| uses.iter().any(|(used, server)| *used == name && server.is_none_or(by));
            if ours.is_empty() || !is_used(&|server| ours.contains(&server)) {
                continue;
            }
            let keys = all.iter().filter(|directive| directive.name == format!("{kind}_cache_key"));
            let keys = keys.filter(|directive| server_of(directive).is_none_or(|server| ours.contains(&server)));
            let keys: BTreeSet<String> = keys.map(|directive| directive.first().to_owned()).collect();
            let zone = Zone {
                name: name.to_owned(),
                kind,
                path: path.first().into(),
                keys: keys.into_iter().collect(),
                is_ours_alone: !serves_others && (others.is_empty() || !is_used(&|server| others.contains(&server))),
            };
            found.insert((name.to_owned(), kind), zone);
        }
    }
    (found.into_values().collect(), names)
}

/// Removes a site's pages from a zone. What is not done by the deadline is said.
pub fn empty(zone: &Zone, names: &Names, until: Instant) -> Emptied {
    Emptied { of_nginx: true, ..emptied(zone, names, until) }
}

fn emptied(zone: &Zone, names: &Names, until: Instant) -> Emptied {
    let forms: Vec<Form> = zone.keys.iter().map(|key| Form::parse(key)).collect();
    let place = format!("nginx's {}_cache {} ({})", zone.kind, zone.name, zone.path.display());
    let is_known = !forms.is_empty() && forms.iter().all(Form::names_the_host);
    if !is_known && !zone.is_ours_alone {
        let keys = if zone.keys.is_empty() { "the default".to_owned() } else { zone.keys.join(", ") };
        let said =
            format!("its key ({keys}) does not tell the pages of one host from those of another: nothing was removed");
        return Emptied::left(&place, said);
    }
    let is_ours = |key: &str| !is_known || forms.iter().any(|form| form.is_of(key, names));
    match remove(&zone.path, &is_ours, until) {
        Ok((count, true)) => Emptied::done(&place, count, format!("{count} pages were removed")),
        Ok((count, false)) => {
            Emptied::left(&place, format!("{count} pages were removed, and the time was over before the end"))
        }
        Err(error) => Emptied::left(&place, error.message),
    }
}

/// How many files were removed, and whether all of them were looked at.
fn remove(folder: &Path, is_ours: &dyn Fn(&str) -> bool, until: Instant) -> Result<(u64, bool)> {
    let Some(root) = tree::open_site(folder)? else { return Ok((0, true)) };
    let (mut count, mut whole) = (0, true);
    tree::walk(&root, &mut |visit| {
        if Instant::now() > until {
            whole = false;
            return Ok(Next::Past);
        }
        // The folder may be the account's that sites run as: what is no saved page by its name and its head stays.
        let is_page =
            visit.kind == Kind::File && visit.name.len() == 32 && visit.name.iter().all(u8::is_ascii_hexdigit);
        if is_page
            && let Ok(file) = visit.open()
            && key_of(file.into()).is_some_and(|key| is_ours(&key))
        {
            // By the folder's handle: a link of that name would go, and not what it leads to.
            count += u64::from(rustix::fs::unlinkat(visit.folder, visit.name, AtFlags::empty()).is_ok());
        }
        Ok(Next::Into)
    })?;
    Ok((count, whole))
}

fn key_of(file: File) -> Option<String> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).ok()?;
    let at = memchr::memmem::find(&head, b"\nKEY: ")? + 6;
    let length = memchr::memchr(b'\n', &head[at..])?;
    Some(String::from_utf8_lossy(&head[at..at + length]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::siteconf::nginx::parse;
    use std::time::Duration;

    fn zones_of(text: &str) -> Vec<Zone> {
        zones(&parse(text.as_bytes()).unwrap(), "shop.example").0
    }

    #[test]
    fn zones_are_those_that_the_sites_servers_use_with_the_keys_in_force() {
        let text = "fastcgi_cache_path /c/a levels=1:2 keys_zone=a:10m; fastcgi_cache_path /c/b keys_zone=b:1m;\n\
            proxy_cache_path /c/p keys_zone=p:1m; fastcgi_cache_key $host$uri;\n\
            server { server_name shop.example; location / { fastcgi_cache a; } location /x { proxy_cache p; } }\n\
            server { server_name other.example; fastcgi_cache_key $uri; location / { fastcgi_cache a; fastcgi_cache b; } }";
        let found = zones_of(text);
        let seen: Vec<(&str, &str, Vec<&str>, bool)> = found
            .iter()
            .map(|zone| {
                (zone.name.as_str(), zone.kind, zone.keys.iter().map(String::as_str).collect(), zone.is_ours_alone)
            })
            .collect();
        assert_eq!(seen, [("a", "fastcgi", vec!["$host$uri"], false), ("p", "proxy", vec![], true)]);
        assert_eq!(
            zones_of("fastcgi_cache_path /c keys_zone=a:1m; fastcgi_cache a; server { server_name other.example; }"),
            []
        );
    }

    #[test]
    fn a_server_with_the_name_itself_answers_and_not_one_with_a_wildcard() {
        let text = "proxy_cache_path /c keys_zone=p:1m; proxy_cache_key $host$uri; proxy_cache p;\n\
            server { server_name shop.example; } server { server_name *.example; } server { server_name a.example; }";
        let (found, names) = zones(&parse(text.as_bytes()).unwrap(), "shop.example");
        assert!(found.len() == 1 && !found[0].is_ours_alone, "{found:?}");
        assert_eq!(names.ours, ["shop.example".to_owned()].into());
        let (_, names) = zones(&parse(text.as_bytes()).unwrap(), "b.example");
        assert_eq!(names.ours, ["*.example".to_owned()].into());
        let key = Form::parse("$host$uri");
        assert!(key.is_of("b.example/", &names) && !key.is_of("a.example/", &names));
    }

    #[test]
    fn a_key_that_names_no_host_empties_only_a_zone_that_is_the_sites_alone() {
        let folder = tempfile::tempdir().unwrap();
        let page = |number: u8, key: &str| {
            let path = folder.path().join(format!("{number:032x}"));
            std::fs::write(&path, format!("\u{5}\0\0head\nKEY: {key}\nHTTP/1.1 200 OK\n\nbody")).unwrap();
            path
        };
        let until = Instant::now() + Duration::from_secs(5);
        let zone = |keys: &[&str], is_ours_alone| Zone {
            name: "z".into(),
            kind: "fastcgi",
            path: folder.path().to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            is_ours_alone,
        };
        let names = Names { ours: ["shop.example".to_owned()].into(), ..Names::default() };
        let pages = [page(1, "shop.example/a"), page(2, "other.example/shop.example/a")];
        std::fs::write(folder.path().join("note"), "x\nKEY: shop.example/\n").unwrap();
        assert!(!empty(&zone(&["$uri"], false), &names, until).is_done);
        assert_eq!(empty(&zone(&["$host$uri"], false), &names, until).count, 1);
        assert!(!pages[0].exists() && pages[1].exists());
        assert_eq!(empty(&zone(&[], true), &names, until).count, 1);
        assert!(!pages[1].exists() && folder.path().join("note").exists());
    }
}
