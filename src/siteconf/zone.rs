//! What a running nginx does not change: the folder of a cache and the key of a limit, for as long as its zone keeps name and size. The
//! test of a configuration does not see it; the reload fails.

use super::nginx::{self, Directive};

/// One zone of shared memory that remembers what it is for.
#[derive(PartialEq, Eq)]
struct Zone<'a> {
    directive: &'a str,
    /// Its name and size, as they stand there.
    name: &'a str,
    /// What nginx holds a reload against: folder and levels, or the key.
    purpose: Vec<&'a str>,
    line: usize,
}

fn zones(directives: &[Directive]) -> Vec<Zone<'_>> {
    directives.iter().filter_map(zone).collect()
}

fn zone(directive: &Directive) -> Option<Zone<'_>> {
    let words = || directive.arguments.iter().map(|argument| argument.text.as_str());
    let value = |option: &str| words().find_map(|word| word.strip_prefix(option));
    let (name, second) = match directive.name.as_str() {
        "limit_req_zone" | "limit_conn_zone" => (value("zone=")?, None),
        name if name.ends_with("_cache_path") => (value("keys_zone=")?, value("levels=")),
        _ => return None,
    };
    let first = words().next()?.trim_end_matches('/');
    let purpose = [Some(first), second].into_iter().flatten().collect();
    Some(Zone { directive: &directive.name, name, purpose, line: directive.line })
}

/// The zones of `content` that are for something else than those of the same name in `live`: `line N: …`.
pub fn changed(live: &[u8], content: &[u8]) -> Vec<String> {
    let (Ok(live), Ok(new)) = (nginx::parse(live), nginx::parse(content)) else { return Vec::new() };
    let live = zones(&live);
    let other = |zone: &Zone<'_>| {
        live.iter()
            .find(|known| known.directive == zone.directive && known.name == zone.name && known.purpose != zone.purpose)
    };
    let said = |zone: Zone<'_>| {
        let was = other(&zone)?.purpose.join(" levels ");
        let (line, directive, name, now) = (zone.line, zone.directive, zone.name, zone.purpose.join(" levels "));
        let name = name.split(':').next().unwrap_or(name);
        Some(format!(
            "line {line}: `{directive} {now}`: a running nginx does not take another purpose for its zone {name}, which is for {was}; \
             give the zone another name in the backup or in the live site"
        ))
    };
    zones(&new).into_iter().filter_map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_would_be_for_something_else_is_named() {
        let live = b"fastcgi_cache_path /var/cache/nginx/a levels=1:2 keys_zone=shop:10m inactive=1h;\n\
            limit_req_zone $binary_remote_addr zone=login:1m rate=1r/s;\nlimit_conn_zone $host zone=conn:1m;\n";
        for (bad, named) in [
            ("fastcgi_cache_path /var/cache/nginx/b levels=1:2 keys_zone=shop:10m;", "/var/cache/nginx/a"),
            ("fastcgi_cache_path /var/cache/nginx/a levels=1 keys_zone=shop:10m;", "levels 1:2"),
            ("fastcgi_cache_path /var/cache/nginx/a keys_zone=shop:10m;", "levels 1:2"),
            ("limit_req_zone $host zone=login:1m rate=1r/s;", "$binary_remote_addr"),
            ("limit_conn_zone $binary_remote_addr zone=conn:1m;", "$host"),
        ] {
            let said = changed(live, format!("# restored\n{bad}").as_bytes());
            assert_eq!(said.len(), 1, "{bad}");
            assert!(said[0].starts_with("line 2: `") && said[0].contains(named), "{said:?}");
        }
        for fine in [
            "fastcgi_cache_path /var/cache/nginx/a/ levels=1:2 keys_zone=shop:10m max_size=1g;",
            "fastcgi_cache_path /var/cache/nginx/b keys_zone=shop:20m;",
            "fastcgi_cache_path /var/cache/nginx/b keys_zone=other:10m;",
            "proxy_cache_path /var/cache/nginx/b keys_zone=shop:10m;",
            "limit_req_zone $binary_remote_addr zone=login:1m rate=9r/s;",
            "limit_conn_zone $host zone=conn:1m;",
        ] {
            assert_eq!(changed(live, fine.as_bytes()), Vec::<String>::new(), "{fine}");
        }
        assert_eq!(changed(b"", live), Vec::<String>::new());
    }
}
