//! What a PHP-FPM pool's file of a site may contain.

use super::super::pool::{self, Setting};
use super::{Refusal, Scene, beneath, is_in_folder_of_root, is_privileged, lists, php, refuse_unless, refused};
use crate::siteconf::Item;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

type Check = fn(&str, &Scene<'_>) -> bool;

/// What is allowed, with the check of its value.
const SETTINGS: &[(Check, &str)] = &[
    (user, "user"),
    (group, "group"),
    (socket_owner, "listen.owner listen.acl_users"),
    (socket_group, "listen.group listen.acl_groups"),
    (listen, "listen pm.status_listen"),
    (mode, "listen.mode"),
    (backlog, "listen.backlog"),
    (loopback_list, "listen.allowed_clients"),
    (manager, "pm"),
    (children, "pm.max_children pm.start_servers pm.min_spare_servers pm.max_spare_servers pm.max_spawn_rate"),
    (number, "pm.max_requests request_slowlog_trace_depth"),
    (time, "pm.process_idle_timeout request_terminate_timeout request_slowlog_timeout"),
    (web_path, "pm.status_path ping.path access.suppress_path[]"),
    (any, "ping.response access.format"),
    (log, "access.log slowlog"),
    (switch, "catch_workers_output decorate_workers_output request_terminate_timeout_track_finished"),
    // What the service's environment holds is root's.
    (on, "clear_env"),
    (endings, "security.limit_extensions"),
    (folder, "chdir"),
    (niceness, "process.priority nice"),
    (files, "rlimit_files"),
    (none, "rlimit_core"),
];

pub fn judge(content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    // What cannot be read is refused by its check.
    let (Ok(settings), Ok(text)) = (pool::parse(content), std::str::from_utf8(content)) else { return Vec::new() };
    let live_text = scene.live.map(String::from_utf8_lossy).unwrap_or_default();
    let live_lines: HashSet<&str> = live_text.split('\n').map(str::trim).collect();
    let live_settings = pool::parse(live_text.as_bytes()).unwrap_or_default();
    let mut found = Vec::new();
    // PHP reads more into a line than `key = value`: what it could take for something else is refused.
    let mut own: Option<&str> = None;
    for (index, line) in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate() {
        let trimmed = line.trim_matches([' ', '\t']);
        let known = live_lines.contains(trimmed);
        if !known && let Some(why) = unclear(trimmed) {
            found.push(refused(Item::PhpFpm, index + 1, trimmed, why));
        }
        let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) else { continue };
        if !known && section.eq_ignore_ascii_case("global") {
            found.push(refused(Item::PhpFpm, index + 1, trimmed, "is of the whole service"));
        } else if !known && own.is_some_and(|own| !own.eq_ignore_ascii_case(section)) {
            found.push(refused(Item::PhpFpm, index + 1, trimmed, "is a second pool"));
        }
        own = own.or(Some(section));
    }
    let known: HashSet<(String, String)> = live_settings.iter().map(spelled).collect();
    for setting in settings.iter().filter(|setting| !known.contains(&spelled(setting))) {
        let why = if setting.section.is_empty() || setting.section.eq_ignore_ascii_case("global") {
            Some("is a setting of the whole service".into())
        } else {
            reason(setting, scene)
        };
        if let Some(why) = why {
            found.push(refused(Item::PhpFpm, setting.line, &format!("{} = {}", setting.key, setting.value), &why));
        }
    }
    found.extend(shared_names(&settings, scene));
    found
}

/// What two settings have to have in common to be the same.
fn spelled(setting: &Setting) -> (String, String) {
    let whole = setting.section.eq_ignore_ascii_case("global") || setting.section.is_empty();
    let place = if whole { "global " } else { "" };
    (format!("{place}{}", setting.key), setting.value.replace("$pool", &setting.section))
}

/// PHP-FPM takes two sections of one name, in whatever files, for one pool.
fn shared_names(settings: &[Setting], scene: &Scene<'_>) -> Vec<String> {
    let others = pool::other_pools(scene.config, scene.target);
    let shared =
        |own: &pool::Pool| others.iter().find(|(_, other)| other.name.eq_ignore_ascii_case(&own.name)).cloned();
    pool::pools(settings)
        .iter()
        .filter_map(|own| Some((own, shared(own)?)))
        .map(|(own, (file, _))| format!("pool [{}] is also defined in {}", own.name, file.display()))
        .collect()
}

/// A line that PHP's reader could take for something else than ours does: it goes on after a closing quote or bracket, ends at a
/// carriage return, puts values of the environment and of constants in place, calculates.
fn unclear(line: &str) -> Option<&'static str> {
    const WHY: &str = "is not plainly `key = value`";
    if !super::is_plain(line) {
        return Some("has a control character");
    }
    if line.is_empty() || line.starts_with(';') {
        return None;
    }
    let comment_or_nothing = |rest: &str| {
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with(';')
    };
    let name = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
    };
    if let Some(rest) = line.strip_prefix('[') {
        let plain =
            rest.split_once(']').is_some_and(|(section, rest)| name(section, "._-") && comment_or_nothing(rest));
        return (!plain).then_some(WHY);
    }
    let Some((key, value)) = line.split_once('=') else { return Some(WHY) };
    let key = key.trim_matches([' ', '\t']);
    let key_is_plain = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
        Some((key, inner)) => name(key, "._") && (inner.is_empty() || name(inner, "._-")),
        None => name(key, "._"),
    };
    let value = value.trim_matches([' ', '\t']);
    let value_is_plain = match value.chars().next() {
        Some('"') => {
            let mut escaped = false;
            let end = value[1..].find(|letter| {
                let ends = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                ends
            });
            end.is_some_and(|end| comment_or_nothing(&value[end + 2..]) && !value[..=end].contains("${"))
        }
        Some('\'') => value[1..].split_once('\'').is_some_and(|(_, rest)| comment_or_nothing(rest)),
        _ => {
            let bare = value.split(';').next().unwrap_or_default();
            !bare
                .replace("$pool", "")
                .replace("$HOSTNAME", "")
                .contains(['"', '\'', '\\', '$', '{', '}', '|', '&', '^', '~', '!', '(', ')', '='])
        }
    };
    (!(key_is_plain && value_is_plain)).then_some(WHY)
}

fn reason(setting: &Setting, scene: &Scene<'_>) -> Refusal {
    let value = setting.value.replace("$pool", &setting.section);
    if let Some((kind, name)) = setting.key.strip_suffix(']').and_then(|key| key.split_once('[')) {
        match kind {
            "php_value" | "php_flag" | "php_admin_value" | "php_admin_flag" => return php::reason(name, &value, scene),
            "env" if value.starts_with('$') && value != "$HOSTNAME" => {
                return Some("takes a variable of the service's own environment".into());
            }
            "env" => return refuse_unless(is_own_variable(name), "is a variable that programs obey"),
            _ => {}
        }
    }
    let Some((check, _)) = SETTINGS.iter().find(|(_, names)| lists(names, &setting.key)) else {
        return Some("is not for a site's pool".into());
    };
    // An escaped quote: what follows it was not read.
    let whole = !value.contains('\\') || ["access.format", "ping.response"].contains(&setting.key.as_str());
    refuse_unless(whole && check(&value, scene), "is no value that a site may give this setting")
}

/// A site's own variable; not one that loaders, shells and languages obey.
fn is_own_variable(name: &str) -> bool {
    const OBEYED: &[&str] =
        &["BASHOPTS", "ENV", "HOSTALIASES", "IFS", "LOCPATH", "PHPRC", "SHELL", "SHELLOPTS", "TERMINFO"];
    const FAMILIES: &[&str] = &[
        "BASH_", "DYLD_", "FCGI_", "GCONV_", "GIT_", "GLIBC_", "JAVA_", "LD_", "LISTEN_", "MALLOC_", "NIS_", "NODE_O",
        "NODE_P", "NOTIFY_", "OPENSSL_", "PERL", "PHP_INI", "PYTHON", "RES_", "RESOLV_", "RUBY", "SSH_", "SSL_CERT",
    ];
    let usual = name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let upper = name.to_ascii_uppercase();
    usual && !OBEYED.contains(&upper.as_str()) && !FAMILIES.iter().any(|family| upper.starts_with(family))
}

fn any(_: &str, _: &Scene<'_>) -> bool {
    true
}

fn user(value: &str, scene: &Scene<'_>) -> bool {
    scene.accounts().0.iter().any(|account| account == value)
}

fn group(value: &str, scene: &Scene<'_>) -> bool {
    scene.accounts().1.iter().any(|account| account == value)
}

/// Whom the socket belongs to: the site, or the web server.
fn owners(value: &str, own: &[String]) -> bool {
    value.split(',').map(str::trim).all(|name| {
        !is_privileged(name) && (own.iter().any(|account| account == name) || ["www-data", "nginx"].contains(&name))
    })
}

fn socket_owner(value: &str, scene: &Scene<'_>) -> bool {
    owners(value, &scene.accounts().0)
}

fn socket_group(value: &str, scene: &Scene<'_>) -> bool {
    owners(value, &scene.accounts().1)
}

/// A socket where PHP-FPM keeps its own, or a loopback port: on any other address everyone could run code.
fn listen(value: &str, scene: &Scene<'_>) -> bool {
    if value.starts_with('/') {
        return scene.free_socket(value);
    }
    let address: Option<SocketAddr> = value.replace("localhost:", "127.0.0.1:").parse().ok();
    address.is_some_and(|address| address.ip().is_loopback() && address.port() >= 1024) && scene.free_address(value)
}

fn mode(value: &str, _: &Scene<'_>) -> bool {
    let digits = value.strip_prefix('0').unwrap_or(value);
    digits.len() == 3 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit))
}

fn loopback_list(value: &str, _: &Scene<'_>) -> bool {
    value.split(',').all(|address| address.trim().parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

fn manager(value: &str, _: &Scene<'_>) -> bool {
    ["static", "dynamic", "ondemand"].contains(&value)
}

fn at_most(value: &str, limit: u64) -> bool {
    value.bytes().all(|digit| digit.is_ascii_digit()) && value.parse::<u64>().is_ok_and(|number| number <= limit)
}

/// Each is a process.
fn children(value: &str, _: &Scene<'_>) -> bool {
    at_most(value, 1000)
}

fn number(value: &str, _: &Scene<'_>) -> bool {
    at_most(value, 1_000_000_000)
}

fn backlog(value: &str, _: &Scene<'_>) -> bool {
    value == "-1" || at_most(value, 65_535)
}

fn files(value: &str, _: &Scene<'_>) -> bool {
    at_most(value, 1 << 20)
}

/// Lower priority than the rest of the machine, or the same.
fn niceness(value: &str, _: &Scene<'_>) -> bool {
    at_most(value, 19)
}

fn none(value: &str, _: &Scene<'_>) -> bool {
    value == "0"
}

fn time(value: &str, _: &Scene<'_>) -> bool {
    at_most(value.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or(value), 1_000_000_000)
}

fn web_path(value: &str, _: &Scene<'_>) -> bool {
    value.starts_with('/')
}

fn switch(value: &str, _: &Scene<'_>) -> bool {
    ["yes", "no", "on", "off", "1", "0", "true", "false"].contains(&value.to_ascii_lowercase().as_str())
}

fn on(value: &str, _: &Scene<'_>) -> bool {
    ["yes", "on", "1", "true"].contains(&value.to_ascii_lowercase().as_str())
}

/// Without any, every file is run as PHP.
fn endings(value: &str, _: &Scene<'_>) -> bool {
    let ending = |word: &str| {
        word.strip_prefix('.').is_some_and(|word| word.starts_with("ph") && word.chars().all(char::is_alphanumeric))
    };
    !value.trim().is_empty() && value.split([' ', ',']).filter(|word| !word.is_empty()).all(ending)
}

fn folder(value: &str, scene: &Scene<'_>) -> bool {
    let path = Path::new(value);
    value == "/" || path == scene.site_root() || beneath(path, &[scene.site_root()])
}

/// Root opens them. PHP-FPM's own are called `php…`, also beside the folders.
fn log(value: &str, scene: &Scene<'_>) -> bool {
    let path = Path::new(value);
    let name = path.strip_prefix("/var/log").ok().map(|inner| inner.to_string_lossy().into_owned());
    let plain = name.is_some_and(|name| name.starts_with("php") && name.ends_with(".log") && !name.contains('/'));
    scene.log_path(value, "php") || (plain && is_in_folder_of_root(path))
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// As panels write them.
    const POOL: &str = r#"; pool of shop.example
[shop]
user = www-data
group = www-data
listen = /run/php/php8.2-fpm-$pool.sock
listen.owner = www-data
listen.group = www-data
listen.mode = 0660
listen.backlog = 511
listen.allowed_clients = 127.0.0.1
pm = ondemand
pm.max_children = 20
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 3
pm.process_idle_timeout = 10s;
pm.max_requests = 500
pm.status_path = /status
ping.path = /ping
ping.response = pong
access.log = /var/log/php-fpm/$pool.access.log
access.format = "%R - %u %t \"%m %r%Q%q\" %s %f %{milli}d %{kilo}M %C%%"
access.suppress_path[] = /ping
slowlog = /var/log/php8.2-fpm-shop.slow.log
request_slowlog_timeout = 5s
request_terminate_timeout = 300
rlimit_files = 131072
rlimit_core = 0
chdir = /
catch_workers_output = yes
decorate_workers_output = no
clear_env = yes
security.limit_extensions = .php .phtml
process.priority = 5
env[HOSTNAME] = $HOSTNAME
env[TMP] = /tmp
env[APP_ENV] = production
env[DB_PASSWORD] = 'a;b$c'
php_flag[display_errors] = off
php_admin_flag[log_errors] = on
php_admin_value[error_log] = /var/www/shop.example/logs/php.log
php_admin_value[memory_limit] = 256M ; enough
php_admin_value[open_basedir] = "/var/www/shop.example:/tmp"
php_value[session.save_path] = /var/lib/php/sessions
"#;

    #[test]
    fn a_sites_own_pool_passes() {
        let stage = Stage::new();
        stage.passes(Item::PhpFpm, POOL);
        stage.passes(Item::PhpFpm, &POOL.replace('\n', "\r\n"));
        stage.passes(Item::PhpFpm, "[shop]\nuser = www-data\nlisten = 127.0.0.1:9001\n");
    }

    #[test]
    fn what_would_act_with_more_rights_is_refused() {
        let stage = Stage::new();
        for bad in [
            "user = root",
            "user = 0",
            "user = 00",
            "user = other",
            "user = ",
            "group = root",
            "group = shadow",
            "listen = /etc/shadow",
            "listen = /run/docker.sock",
            "listen = /run/php/../mysqld.sock",
            "listen = /run/php/php8.2-fpm.pid",
            "listen = 9000",
            "listen = 0.0.0.0:9000",
            "listen = [::]:9000",
            "listen = 127.0.0.1:80",
            "listen.owner = root",
            "listen.acl_users = www-data,other",
            "listen.mode = rwx",
            "listen.allowed_clients = any",
            "slowlog = /etc/x",
            "slowlog = /var/www/shop.example/slow.log",
            "slowlog = /var/log/auth.log",
            "access.log = /var/log/../etc/x",
            "access.log = log/x",
            "include = /etc/passwd",
            "prefix = /tmp",
            "chroot = /var/www/shop.example",
            "chdir = /etc",
            "process.dumpable = yes",
            "process.priority = -19",
            "apparmor_hat = x",
            "pm.max_children = 100000",
            "rlimit_core = unlimited",
            "clear_env = no",
            "security.limit_extensions =",
            "security.limit_extensions = .jpg",
            "env[LD_PRELOAD] = /tmp/x.so",
            "env[ld_preload] = /tmp/x.so",
            "env[GCONV_PATH] = /tmp",
            "env[PHP_INI_SCAN_DIR] = /tmp",
            "env[SECRET] = '$SECRET'",
            "slowlog = \"/var/log/php/a\\\"/x\"",
            "php_admin_value[extension] = /tmp/x.so",
            "php_admin_value[open_basedir] = none",
            "php_admin_value[sendmail_path] = /tmp/x",
            "php_value[made_up] = 1",
            "made_up = 1",
            "USER = www-data",
        ] {
            let said = stage.refused(Item::PhpFpm, &format!("[shop]\n{bad}\n"));
            let key = bad.split(' ').next().unwrap();
            assert!(said.starts_with(&format!("line 2: `{key}")), "{said}");
        }
    }

    #[test]
    fn what_php_would_read_otherwise_is_refused() {
        let stage = Stage::new();
        for bad in [
            "; comment\ruser = root",
            "pm = static\ruser = root",
            "[shop] user = root",
            "slowlog = \"/var/log/php/a\"/../../../etc/cron.d/x",
            "slowlog = '/var/log/php/a'/../../../etc/cron.d/x",
            "env[A] = \"",
            "env[A] = 'x",
            "env[A] = ${HOME}",
            "env[A] = \"${HOME}\"",
            "env[A] = $HOME",
            "pm.max_children = 1|2",
            "env[\"A\"] = 1",
            "pm.max_requests = (1)",
        ] {
            let found = stage.judged(Item::PhpFpm, &format!("[shop]\n{bad}\n"), None);
            assert!(found.iter().any(|said| said.starts_with("line 2: ")), "{bad}: {found:?}");
        }
        // Twice the same words are one line of the live file, and another one beside it.
        let live = "[shop]\nslowlog = /srv/a\n";
        assert_eq!(stage.judged(Item::PhpFpm, "[shop]\nslowlog = \"/srv/a\"/../etc/x\n", Some(live)).len(), 1);
    }

    #[test]
    fn the_service_and_other_pools_are_out_of_reach() {
        let stage = Stage::new();
        for bad in [
            "[global]\nerror_log = /etc/x\n",
            "[GLOBAL]\nrlimit_files = 1024\n",
            "error_log = /etc/x\n[shop]\npm = static\n",
            "[shop]\npm = static\n[second]\npm = static\n",
        ] {
            assert!(!stage.judged(Item::PhpFpm, bad, None).is_empty(), "{bad}");
        }
        let neighbour = stage.config.paths.php_pool_dir.join("neighbour.example.conf");
        let pool = "[neighbour]\nuser = neighbour\nlisten = /run/php/neighbour.sock\n";
        std::fs::write(neighbour, pool).unwrap();
        stage.refused(Item::PhpFpm, "[Neighbour]\npm = static\n");
        stage.refused(Item::PhpFpm, "[shop]\nuser = neighbour\n");
        stage.refused(Item::PhpFpm, "[shop]\nlisten = /run/php/neighbour.sock\n");
        stage.refused(Item::PhpFpm, "[shop]\nlisten = /var/run/php/neighbour.sock\n");
        // Requests may go to the pool of the distribution; nobody takes its place.
        let shared = "[www]\nuser = www-data\nlisten = /run/php/php8.2-fpm.sock\n";
        std::fs::write(stage.config.paths.php_pool_dir.join("www.conf"), shared).unwrap();
        stage.passes(Item::Nginx, "server { location / { fastcgi_pass unix:/run/php/php8.2-fpm.sock; } }");
        stage.refused(Item::PhpFpm, "[shop]\nlisten = /run/php/php8.2-fpm.sock\n");
    }
}
