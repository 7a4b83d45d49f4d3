//! What the values of a site's nginx directives may be.

use super::super::super::nginx::Directive;
use super::super::{Refusal, Scene, beneath, is_in_folder_of_root, modern, php, refuse_unless};
use super::{Site, spelled};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

pub fn any(_: &Directive, _: &Site<'_>) -> Refusal {
    None
}

pub fn not_off(directive: &Directive, _: &Site<'_>) -> Refusal {
    refuse_unless(directive.first() != "off", "turns off what the operator turned on")
}

/// The names of the variables in a text, captures by number included.
fn variables(text: &str) -> Vec<&str> {
    text.split('$')
        .skip(1)
        .map(|rest| {
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

fn climbs(path: &str) -> bool {
    path.split(['/', '$', '{', '}']).any(|part| part == "..")
}

const CLIMBS: &str = "leads out of the folder by `..`";

/// These are put behind the root as they are.
pub fn no_climb(directive: &Directive, _: &Site<'_>) -> Refusal {
    refuse_unless(!directive.arguments.iter().any(|argument| climbs(&argument.text)), CLIMBS)
}

pub fn rewrite(directive: &Directive, _: &Site<'_>) -> Refusal {
    refuse_unless(!directive.arguments.iter().skip(1).any(|argument| climbs(&argument.text)), CLIMBS)
}

/// The site's own folder, and what every site of a machine shares. Of variables only those that cannot climb.
pub fn folder(directive: &Directive, site: &Site<'_>) -> Refusal {
    refuse_unless(is_servable(directive.first(), site), "serves a folder outside the site")
}

fn is_servable(path: &str, site: &Site<'_>) -> bool {
    let scene = site.scene;
    let fixed = path.split('$').next().unwrap_or_default();
    let web_root = &scene.config.paths.web_root;
    let own = scene.site_root();
    let mut shared = vec![PathBuf::from("/usr/share"), PathBuf::from("/var/lib/letsencrypt")];
    shared.extend(["html", "letsencrypt", "_letsencrypt", "certbot"].map(|name| web_root.join(name)));
    let whole = fixed == path || fixed.ends_with('/');
    let captured = |name: &str| {
        let group = format!("<{name}>");
        site.directives.iter().flat_map(|directive| &directive.arguments).any(|argument| argument.text.contains(&group))
    };
    let tame = variables(path).into_iter().all(|name| {
        ["host", "server_name", "uri", "document_uri", "fastcgi_script_name"].contains(&name)
            || (name.len() == 1 && name.as_bytes()[0].is_ascii_digit())
            || captured(name)
    });
    let fixed = Path::new(fixed);
    whole
        && tame
        && !climbs(path)
        && (fixed == own
            || beneath(fixed, &[own])
            || beneath(fixed, &shared)
            || shared.iter().any(|folder| fixed == folder))
}

/// The address of a server block is shared with the other sites on it: only what changes nothing for them.
pub fn listen(directive: &Directive, site: &Site<'_>) -> Refusal {
    let first = directive.first();
    if let Some(socket) = first.strip_prefix("unix:") {
        let path = modern(socket);
        let own = beneath(&path, &["/run"]) && site.scene.names_site(&path) && !socket.ends_with(".pid");
        return refuse_unless(own, "makes a socket that is not the site's");
    }
    let (host, port) = host_and_port(first);
    let address = host.trim_matches(['[', ']']);
    let known = matches!(address, "" | "*" | "localhost") || address.parse::<IpAddr>().is_ok();
    let port = if port.is_empty() { Some(80) } else { port.parse::<u16>().ok() };
    if !known || !port.is_some_and(|port| matches!(port, 80 | 443) || port >= 1024) {
        return Some("takes an address or port that is not a site's".into());
    }
    for option in directive.arguments.iter().skip(1).map(|argument| argument.text.as_str()) {
        match option {
            "default_server" | "default" | "http2" | "reuseport" | "ipv6only=on" | "ipv6only=off" => {}
            "ssl" | "quic" if port != Some(80) => {}
            _ => return Some(format!("changes the address for every site on it (`{option}`)")),
        }
    }
    None
}

/// `80`, `127.0.0.1:80`, `[::]:80`, `127.0.0.1`; a part that is missing is empty.
fn host_and_port(text: &str) -> (&str, &str) {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return ("", text);
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, ""),
    }
}

/// A name that another site answers to: which of the two files nginx takes, their names decide.
pub fn server_name(directive: &Directive, site: &Site<'_>) -> Refusal {
    directive.arguments.iter().map(|argument| argument.text.to_ascii_lowercase()).find_map(|name| {
        let judged = !matches!(name.as_str(), "" | "_" | "localhost") && !name.starts_with('~');
        let other =
            site.others.iter().filter(|_| judged).find(|other| {
                other.directives.iter().filter(|directive| directive.name == "server_name").any(|directive| {
                    directive.arguments.iter().any(|argument| argument.text.eq_ignore_ascii_case(&name))
                })
            })?;
        Some(format!("takes the name {name} of {}", other.path.display()))
    })
}

/// Variables of `map` and the like are one for all sites: another site's must not change its meaning.
pub fn variable(directive: &Directive, site: &Site<'_>) -> Refusal {
    let defined = |directive: &Directive| directive.arguments.last().map(|argument| argument.text.clone());
    let body = |directives: &[Directive], index: usize| -> Vec<String> {
        let own = &directives[index];
        let inner = directives.iter().filter(|inner| inner.parent == Some(index)).map(spelled);
        std::iter::once(spelled(own)).chain(inner).collect()
    };
    let index = site.directives.iter().position(|other| std::ptr::eq(other, directive))?;
    let (name, own) = (defined(directive), body(site.directives, index));
    // nginx would take it for every site's `$args`, `$http_cookie` and so on.
    let given = ["$args", "$limit_rate", "$arg_", "$cookie_", "$http_", "$sent_", "$upstream_"];
    if name.as_deref().is_none_or(|name| !name.starts_with('$') || given.iter().any(|given| name.starts_with(given))) {
        return Some("changes a variable of nginx for every site".into());
    }
    let other = site.others.iter().find(|other| {
        (0..other.directives.len()).any(|at| {
            let theirs = &other.directives[at];
            ["map", "geo", "split_clients"].contains(&theirs.name.as_str())
                && defined(theirs) == name
                && body(&other.directives, at) != own
        })
    })?;
    Some(format!("changes the variable {} of {}", name.unwrap_or_default(), other.path.display()))
}

pub fn access_log(directive: &Directive, site: &Site<'_>) -> Refusal {
    log(directive, site, "off")
}

pub fn error_log(directive: &Directive, site: &Site<'_>) -> Refusal {
    log(directive, site, "stderr")
}

/// Of the distribution's nginx.conf; sites without logs of their own use them.
const COMMON_LOGS: &[&str] = &["/var/log/nginx/access.log", "/var/log/nginx/error.log"];

fn log(directive: &Directive, site: &Site<'_>, none: &str) -> Refusal {
    let target = directive.first();
    let system =
        ["syslog:server=unix:/dev/log", "syslog:server=127.0.0.1", "syslog:server=localhost", "syslog:server=[::1]"];
    let of_system = system
        .iter()
        .any(|start| target.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ':'])));
    let tame = variables(target).iter().all(|name| ["host", "server_name"].contains(name));
    let fine = target == none || of_system || (tame && site.scene.log_path(target, "nginx"));
    let of_other = site.others.iter().find(|other| {
        let own = |theirs: &&Directive| theirs.name.ends_with("_log") && theirs.first() == target;
        Path::new(target).is_absolute() && !COMMON_LOGS.contains(&target) && other.directives.iter().any(|it| own(&it))
    });
    match of_other {
        Some(other) => Some(format!("writes into the log of {}", other.path.display())),
        None => refuse_unless(fine, "writes a log that is not the site's own below /var/log"),
    }
}

/// The folder of nginx.conf.
fn conf_folder(site: &Site<'_>) -> PathBuf {
    site.scene.config.services.nginx.conf.parent().unwrap_or(Path::new("/etc/nginx")).to_owned()
}

/// A file that the operator put beside nginx.conf. Not another site's, not one that comes with a backup.
pub fn include(directive: &Directive, site: &Site<'_>) -> Refusal {
    let paths = &site.scene.config.paths;
    let path = conf_folder(site).join(directive.first());
    let with_backup = [&paths.nginx_available, &paths.nginx_enabled, &paths.ssl, &paths.web_root, &paths.base];
    let folder = path.parent().unwrap_or(Path::new("/"));
    let wild = |text: &Path| text.to_string_lossy().contains(['*', '?', '[', '$']);
    let operators = is_operators(&path, site) && !with_backup.iter().any(|theirs| path.starts_with(theirs));
    let lets_encrypt =
        Some(path.as_path()) == paths.ssl.parent().map(|up| up.join("options-ssl-nginx.conf")).as_deref();
    refuse_unless((operators && !wild(folder)) || lets_encrypt, "reads a file that is not the operator's")
}

fn is_operators(path: &Path, site: &Site<'_>) -> bool {
    beneath(path, &[conf_folder(site)])
}

/// Certificate and key of the site, of a name above it, or the ones that every machine has.
pub fn certificate(directive: &Directive, site: &Site<'_>) -> Refusal {
    let (scene, given) = (site.scene, directive.first());
    let path = conf_folder(site).join(given);
    let paths = &scene.config.paths;
    let folder = path.strip_prefix(&paths.ssl).ok().and_then(|inner| inner.components().next());
    let folder = folder.map(|part| part.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
    let name = folder.rsplit_once('-').filter(|(_, number)| number.len() == 4 && number.parse::<u16>().is_ok());
    let name = name.map_or(folder.as_str(), |(name, _)| name);
    let covers = name == scene.domain.as_str()
        || (name.contains('.') && scene.domain.as_str().strip_suffix(name).is_some_and(|head| head.ends_with('.')));
    let stores = ["/etc/ssl", "/etc/pki"].map(PathBuf::from).into_iter().chain([conf_folder(site)]).collect::<Vec<_>>();
    let snakeoil = ["/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key"];
    let fine = (beneath(&path, &[&paths.ssl]) && covers)
        || (beneath(&path, &stores) && scene.names_site(&path))
        || snakeoil.iter().any(|known| path == Path::new(known));
    refuse_unless(fine && !given.contains(['$', ':']), "is no certificate or key of the site")
}

/// Certificates of others and parameters: nothing secret.
pub fn tls_file(directive: &Directive, site: &Site<'_>) -> Refusal {
    let path = conf_folder(site).join(directive.first());
    let ssl = &site.scene.config.paths.ssl;
    let beside = ssl.parent().is_some_and(|up| path.parent() == Some(up));
    let known = beneath(&path, &["/etc/ssl/certs", "/etc/ssl/dhparam", "/etc/pki/tls/certs"])
        || (path.parent() == Some(Path::new("/etc/ssl")))
        || is_operators(&path, site);
    refuse_unless(
        ((known || beside) && !directive.first().contains(['$', ':'])) || certificate(directive, site).is_none(),
        "reads a file that is not for TLS",
    )
}

pub fn password_file(directive: &Directive, site: &Site<'_>) -> Refusal {
    let path = conf_folder(site).join(directive.first());
    let fine = is_operators(&path, site) || beneath(&path, &[site.scene.site_root(), "/etc/apache2".into()]);
    refuse_unless(
        (fine && !directive.first().contains('$')) || directive.first() == "off",
        "reads a file that is not the site's",
    )
}

/// Addresses, not names: nginx does not start while it cannot look one up.
pub fn addresses(directive: &Directive, _: &Site<'_>) -> Refusal {
    let fine = directive.arguments.iter().all(|argument| {
        let text = argument.text.as_str();
        let (address, bits) = text.split_once('/').unwrap_or((text, "0"));
        ["all", "unix:"].contains(&text) || (address.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok())
    });
    refuse_unless(fine, "names no address")
}

pub fn resolver(directive: &Directive, _: &Site<'_>) -> Refusal {
    let option = |text: &str| ["valid=", "ipv6=", "ipv4=", "status_zone="].iter().any(|start| text.starts_with(start));
    let fine = directive.arguments.iter().map(|argument| argument.text.as_str()).all(|text| {
        let (host, port) = if text.parse::<IpAddr>().is_ok() { (text, "") } else { host_and_port(text) };
        option(text)
            || (host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
                && (port.is_empty() || port.parse::<u16>().is_ok()))
    });
    refuse_unless(fine, "names no address")
}

/// A size as nginx writes it, in bytes.
fn size(text: &str) -> Option<u64> {
    let (digits, factor) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 1 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok().map(|number| number.saturating_mul(factor))
}

/// What one request, or one zone of shared memory, may take.
const MOST_MEMORY: u64 = 256 << 20;

pub fn buffers(directive: &Directive, _: &Site<'_>) -> Refusal {
    let product = directive.arguments.iter().filter_map(|argument| size(&argument.text)).fold(1, u64::saturating_mul);
    refuse_unless(product <= MOST_MEMORY, "takes more memory than a site may")
}

pub fn zones(directive: &Directive, _: &Site<'_>) -> Refusal {
    let of_zone = |text: &str| size(text.rsplit([':', '=']).next().unwrap_or_default()).unwrap_or_default();
    let most = directive.arguments.iter().map(|argument| of_zone(&argument.text)).max().unwrap_or_default();
    refuse_unless(most <= MOST_MEMORY, "takes more memory than a site may")
}

/// nginx makes the folder and gives it to the web server's account, as root: only where nobody else can put a link.
pub fn cache_folder(directive: &Directive, _: &Site<'_>) -> Refusal {
    let path = modern(directive.first());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let parent = path.parent().unwrap_or(Path::new("/"));
    let own = path == Path::new("/var/cache/nginx")
        || [Path::new("/var/cache/nginx"), Path::new("/var/lib/nginx")].contains(&parent)
        || (parent == Path::new("/run") && name.starts_with("nginx-"));
    let zone = directive.arguments.iter().find_map(|argument| argument.text.strip_prefix("keys_zone="));
    let small = zone.and_then(|zone| size(zone.rsplit(':').next()?)).is_none_or(|bytes| bytes <= MOST_MEMORY);
    let plain = beneath(&path, &["/var/cache", "/var/lib", "/run"]) && !directive.first().contains('$');
    let temporary = directive.arguments.iter().all(|argument| !argument.text.starts_with("temp_path="));
    refuse_unless(
        own && plain && small && temporary && is_in_folder_of_root(&path),
        "makes a folder that is not one of nginx's caches",
    )
}

/// Beside the server blocks, the key is that of every site without one of its own: the host has to be in it.
pub fn shared_key(directive: &Directive, _: &Site<'_>) -> Refusal {
    let text = spelled(directive);
    let names = variables(&text);
    refuse_unless(
        names.iter().any(|name| ["host", "http_host", "server_name"].contains(name)),
        "would mix the pages of all sites",
    )
}

/// Who writes into the cache of another site decides what its visitors see.
pub fn cache_zone(directive: &Directive, site: &Site<'_>) -> Refusal {
    let zone = directive.first();
    let defines = |directive: &Directive| {
        directive.name.ends_with("_cache_path")
            && directive.arguments.iter().any(|argument| {
                argument.text.strip_prefix("keys_zone=").and_then(|text| text.split(':').next()) == Some(zone)
            })
    };
    let other = site.others.iter().find(|other| other.directives.iter().any(defines));
    match other {
        Some(other) => Some(format!("uses the cache of {}", other.path.display())),
        None => refuse_unless(!zone.contains('$'), "uses a cache that cannot be known beforehand"),
    }
}

/// Whether a group of servers of this name is in the file: then its servers are judged there.
fn is_own_group(name: &str, site: &Site<'_>) -> bool {
    site.directives
        .iter()
        .any(|directive| directive.parent.is_none() && directive.name == "upstream" && directive.first() == name)
}

fn is_loopback(authority: &str) -> bool {
    let (host, port) = host_and_port(authority);
    let local = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    local && (port.is_empty() || port.parse::<u16>().is_ok())
}

/// A socket of an application: in the site's folder, or named after it where services keep theirs.
fn is_own_socket(path: &str, scene: &Scene<'_>) -> bool {
    let path = modern(path);
    let named = beneath(&path, &["/run"]) && scene.names_site(&path);
    !scene.of_other_site(&path) && !climbs(&path.to_string_lossy()) && (beneath(&path, &[scene.site_root()]) || named)
}

const NOT_OWN: &str = "reaches a service that is not the site's";

pub fn backend(directive: &Directive, site: &Site<'_>) -> Refusal {
    let target = directive.first();
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    if let Some(socket) = rest.strip_prefix("unix:") {
        let path = socket.split(':').next().unwrap_or_default();
        return refuse_unless(!path.contains('$') && is_own_socket(path, site.scene), NOT_OWN);
    }
    // What follows the address is the visitor's, not a port.
    let (authority, after) = rest.split_at(rest.find(['/', '$', '?']).unwrap_or(rest.len()));
    let joined = after.starts_with('$') && !["$request_uri", "$uri"].iter().any(|whole| after.starts_with(whole));
    refuse_unless(!joined && (is_loopback(authority) || is_own_group(authority, site)), NOT_OWN)
}

pub fn php_backend(directive: &Directive, site: &Site<'_>) -> Refusal {
    let target = directive.first();
    let fine = match target.strip_prefix("unix:") {
        Some(path) => site.scene.php_socket(path),
        None => (is_loopback(target) && site.scene.free_address(target)) || is_own_group(target, site),
    };
    refuse_unless(fine, "sends requests to PHP that is not the site's")
}

pub fn upstream_server(directive: &Directive, site: &Site<'_>) -> Refusal {
    let target = directive.first();
    let fine = match target.strip_prefix("unix:") {
        Some(path) => site.scene.php_socket(path) || is_own_socket(path, site.scene),
        None => is_loopback(target) && site.scene.free_address(target),
    };
    refuse_unless(fine, NOT_OWN)
}

/// `PHP_VALUE` and `PHP_ADMIN_VALUE` override what the operator set; a script's path decides what PHP runs.
pub fn parameter(directive: &Directive, site: &Site<'_>) -> Refusal {
    let value = directive.arguments.get(1).map_or("", |argument| argument.text.as_str());
    match directive.first().to_ascii_uppercase().as_str() {
        "PHP_VALUE" | "PHP_ADMIN_VALUE" => php::lines_reason(value, site.scene),
        "SCRIPT_FILENAME" | "DOCUMENT_ROOT" | "PATH_TRANSLATED" | "CONTEXT_DOCUMENT_ROOT" if value.starts_with('/') => {
            // `/path$fastcgi_script_name` is how it is written: the name begins with a slash.
            let folder = value.split('$').next().unwrap_or_default();
            let tame =
                variables(value).iter().all(|name| ["fastcgi_script_name", "uri", "document_uri"].contains(name));
            refuse_unless(tame && is_servable(folder, site) && !climbs(value), "runs a file outside the site")
        }
        "UWSGI_FILE" | "UWSGI_SCRIPT" | "UWSGI_MODULE" | "UWSGI_CHDIR" | "UWSGI_HOME" | "UWSGI_SETENV" => {
            Some("tells an application server what to run".into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::stage::Stage;
    use super::super::judge;
    use super::*;
    use crate::siteconf::Item;

    fn with_neighbour() -> Stage {
        let stage = Stage::new();
        let paths = &stage.config.paths;
        let pool = "[neighbour]\nuser = neighbour\nlisten = /run/php/neighbour.sock\n[tcp]\nlisten = 9007\n";
        std::fs::write(paths.php_pool_dir.join("neighbour.example.conf"), pool).unwrap();
        let site = "map $uri $kind { default a; }\nfastcgi_cache_path /var/cache/nginx/n keys_zone=NEIGHBOUR:1m;\n\
            server { server_name neighbour.example *.wild.example; access_log /var/log/nginx/neighbour.example.log; }";
        std::fs::write(paths.nginx_enabled.join("neighbour.example"), site).unwrap();
        stage
    }

    #[test]
    fn what_reaches_out_of_the_site_is_refused() {
        let stage = Stage::new();
        for bad in [
            // Files root reads or writes.
            "include /var/www/shop.example/nginx.conf;",
            "include /etc/passwd;",
            "include ../../tmp/x;",
            "include /etc/nginx/sites-available/other.example;",
            "include /etc/nginx/*/*;",
            "include /etc/nginx/sites-*/other.example;",
            "include /etc/letsencrypt/live/shop.example/evil.conf;",
            "error_log /etc/cron.d/x;",
            "error_log /var/www/shop.example/logs/error.log;",
            "error_log logs/error.log;",
            "error_log off;",
            "access_log /var/log/../../etc/x;",
            "access_log /var/log/auth.log;",
            "access_log /var/log/mysql/x.log;",
            "access_log /var/log/other.example.log;",
            "access_log /var/log/nginx/$arg_x;",
            "access_log syslog:server=192.0.2.1;",
            "access_log syslog:server=unix:/dev/logger;",
            "error_log memory:1g;",
            "ssl_certificate /etc/shadow;",
            "ssl_certificate_key /etc/letsencrypt/live/other.example/privkey.pem;",
            "ssl_certificate_key /etc/letsencrypt/live/my-shop.example/privkey.pem;",
            "ssl_certificate_key /etc/letsencrypt/live/example/privkey.pem;",
            "ssl_certificate_key engine:x:/etc/ssl/shop.example.key;",
            "ssl_certificate data:$arg_x;",
            "ssl_certificate /etc/letsencrypt/live/$ssl_server_name/fullchain.pem;",
            "ssl_dhparam /etc/shadow;",
            "ssl_session_ticket_key /etc/shadow;",
            "ssl_ech_file /etc/letsencrypt/live/other.example/ech.pem;",
            "proxy_ssl_certificate_key /etc/letsencrypt/live/other.example/privkey.pem;",
            "uwsgi_ssl_trusted_certificate /etc/shadow;",
            "add_after_body /../other.example/wp-config.php;",
            "auth_basic_user_file /etc/shadow;",
            // What all sites share.
            "listen unix:/etc/x;",
            "listen unix:/run/x.sock;",
            "listen 22;",
            "listen 25;",
            "listen mail.example:80;",
            "listen 80 ssl;",
            "listen 80 proxy_protocol;",
            "listen 80 backlog=1;",
            "listen 8000-9000;",
            "ssl_session_cache shared:x:100g;",
            "client_body_buffer_size 10g;",
            "proxy_buffers 100000 1m;",
            // Files that are served.
            "root /;",
            "root /var/www;",
            "root /var/www/other.example;",
            "root /var/www/$host;",
            "root /var/www/shop.example$arg_x;",
            "root /var/www/shop.example/$arg_x;",
            "root /var/www/shop.example/../other.example;",
            "root html;",
            "index /../../other.example/wp-config.php;",
            "try_files /../other.example/wp-config.php =404;",
            "error_page 404 /../../etc/passwd;",
            "rewrite ^ /../other.example/wp-config.php break;",
            "resolver dns.example;",
            "set_real_ip_from proxy.example;",
        ] {
            let said = stage.refused(Item::Nginx, &format!("server {{\n{bad} }}"));
            let name = bad.split(' ').next().unwrap();
            assert!(said.starts_with(&format!("line 2: `{name}")), "{bad}: {said}");
        }
        for bad in [
            "alias /etc/;",
            "fastcgi_pass unix:/run/mysqld/mysqld.sock;",
            "fastcgi_pass unix:/run/php/neighbour.sock;",
            "fastcgi_pass unix:/var/run/php/neighbour.sock;",
            "fastcgi_pass unix:/run/php/php-other.example.sock;",
            "fastcgi_pass 127.0.0.1:9007;",
            "fastcgi_pass php.example:9000;",
            "fastcgi_pass group_of_another_file;",
            "fastcgi_pass $backend;",
            "fastcgi_param PHP_VALUE \"open_basedir=/\";",
            "fastcgi_param PHP_ADMIN_VALUE \"extension=/tmp/x.so\";",
            "fastcgi_param php_admin_value \"disable_functions=\nsendmail_path=/tmp/x\";",
            "fastcgi_param PHP_VALUE \"memory_limit=$arg_x\";",
            "fastcgi_param SCRIPT_FILENAME /var/www/other.example/x.php;",
            "fastcgi_param SCRIPT_FILENAME /var/www/shop.example/$arg_x;",
            "uwsgi_param UWSGI_FILE /tmp/x.py;",
            "proxy_pass http://unix:/run/docker.sock:/;",
            "proxy_pass http://unix:/run/php/neighbour.sock:/;",
            "proxy_pass http://192.0.2.1;",
            "proxy_pass http://metadata.example;",
            "proxy_pass http://$arg_x;",
            "proxy_pass http://127.0.0.1$arg_x;",
            "proxy_pass http://127.0.0.1.evil.example;",
            "proxy_pass http://127.0.0.1:80@evil.example;",
            "memcached_pass cache.example:11211;",
            "fastcgi_cache NEIGHBOUR;",
        ] {
            let stage = with_neighbour();
            let said = stage.refused(Item::Nginx, &format!("server {{ location / {{\n{bad} }} }}"));
            let name = bad.split(' ').next().unwrap();
            assert!(said.starts_with(&format!("line 2: `{name}")), "{bad}: {said}");
        }
        for bad in [
            "proxy_cache_path /etc/cron.d keys_zone=a:1m;",
            "proxy_cache_path /var/www/shop.example/cache keys_zone=a:1m;",
            "proxy_cache_path /var/cache/apt keys_zone=a:1m;",
            "proxy_cache_path /var/cache/nginx/a/b keys_zone=a:1m;",
            "proxy_cache_path /var/cache/nginx/../../../etc keys_zone=a:1m;",
            "proxy_cache_path /var/cache/nginx/a keys_zone=a:100g;",
            "fastcgi_cache_key $request_uri;",
            "limit_req_zone $host zone=a:100g rate=1r/s;",
            "map $uri $http_cookie { default x; }",
            "geo $args { default x; }",
            "upstream a {\nserver 192.0.2.1:80; }",
            "upstream a {\nserver unix:/run/docker.sock; }",
            "upstream a { sticky learn create=$upstream_cookie_a lookup=$cookie_a zone=z:100g; }",
            "upstream a { resolver dns.example; }",
            "map $host $a {\ninclude /etc/shadow; }",
            "server { types {\ninclude /etc/shadow; } }",
        ] {
            stage.refused(Item::Nginx, bad);
        }
    }

    #[test]
    fn names_and_variables_of_other_sites_are_not_taken() {
        let stage = with_neighbour();
        for bad in [
            "server { server_name shop.example Neighbour.example; }",
            "server { server_name *.wild.example; }",
            "map $uri $kind { default b; }",
            "geo $kind { default b; }",
            "server { access_log /var/log/nginx/neighbour.example.log; }",
        ] {
            let said = stage.refused(Item::Nginx, bad);
            assert!(said.contains("neighbour.example"), "{said}");
        }
        stage.passes(Item::Nginx, "map $uri $kind { default a; }");
        stage.passes(Item::Nginx, "map $uri $other { default b; }");
    }

    #[test]
    fn the_sites_own_pool_is_its_own_wherever_it_listens() {
        let stage = Stage::new();
        let text = "server { location ~ \\.php$ { fastcgi_pass unix:/run/php/pool-7.sock; } }";
        stage.refused(Item::Nginx, text);
        let pool = "[shop]\nuser = www-data\nlisten = /run/php/pool-7.sock\n";
        let (config, domain, target) = (&stage.config, &stage.domain, Path::new("/nowhere"));
        let coming = Scene { config, domain, live: None, target, pool: Some(pool.as_bytes()) };
        assert_eq!(judge(text.as_bytes(), &coming), Vec::<String>::new());
        std::fs::write(config.paths.php_pool_dir.join("shop_example.conf"), pool).unwrap();
        stage.passes(Item::Nginx, text);
        // The pool that comes is no way to another site's socket.
        std::fs::write(config.paths.php_pool_dir.join("other.conf"), pool.replace("shop", "other")).unwrap();
        assert_eq!(judge(text.as_bytes(), &coming).len(), 1);
    }
}
