//! What a tenant's configuration may not say, because a root process reads it. Each rule names line and directive.
//!
//! A setting that the live file already has is the operator's own choice and is not judged again.

use super::{Item, cron, nginx, pool};
use crate::config::Config;
use crate::path::Domain;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

/// Where the judged file comes from and goes to.
pub struct Scene<'a> {
    /// The machine's configuration.
    pub config: &'a Config,
    /// Whose site it is.
    pub domain: &'a Domain,
    /// The live file it replaces.
    pub live: Option<&'a [u8]>,
    /// Where it will lie.
    pub target: &'a Path,
}

impl Scene<'_> {
    fn site_root(&self) -> PathBuf {
        self.config.paths.document_root(self.domain)
    }

    /// Log files may lie in the system's log folder or in the site's own.
    fn log_path(&self, path: &str) -> bool {
        beneath(path, &[Path::new("/var/log"), &self.site_root()])
    }

    /// Sockets may lie where services keep theirs.
    fn socket_path(&self, path: &str) -> bool {
        let folder = |pidfile: &Path| pidfile.parent().map(Path::to_owned).unwrap_or_default();
        let services = &self.config.services;
        let (nginx, fpm) = (folder(&services.nginx.pidfile), folder(&services.php_fpm.pidfile));
        beneath(path, &[Path::new("/run"), Path::new("/var/run"), &nginx, &fpm]) && !path.ends_with(".pid")
    }
}

/// A plain absolute path strictly below one of the folders.
fn beneath(path: &str, folders: &[&Path]) -> bool {
    let path = Path::new(path);
    path.is_absolute()
        && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
        && folders.iter().any(|folder| {
            !folder.as_os_str().is_empty() && *folder != Path::new("/") && path != *folder && path.starts_with(folder)
        })
}

/// Everything in the file that could harm the machine.
pub fn judge(item: Item, content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    match item {
        Item::Nginx => judge_nginx(content, scene),
        Item::PhpFpm => judge_pool(content, scene),
        Item::Cron => judge_cron(content, scene),
        Item::Ssl => Vec::new(),
    }
}

/// Directives of the main context, of foreign code, or that make root write.
const NGINX_NEVER: &[&str] = &[
    "load_module",
    "user",
    "pid",
    "daemon",
    "master_process",
    "env",
    "events",
    "http",
    "stream",
    "mail",
    "lock_file",
    "working_directory",
    "ssl_engine",
    "google_perftools_profiles",
    "debug_points",
    "worker_processes",
    "worker_rlimit_core",
    "worker_rlimit_nofile",
    "dav_methods",
    "dav_access",
    "create_full_put_path",
    "client_body_in_file_only",
    "ssl_password_file",
    "autoindex_format",
    "modsecurity_rules_file",
    "passenger_ruby",
    "passenger_user",
    "passenger_enabled",
    "ssl_session_ticket_key",
    "thread_pool",
];

fn judge_nginx(content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    let Ok(directives) = nginx::parse(content) else { return Vec::new() };
    let spelled = |directive: &nginx::Directive| {
        let words = directive.arguments.iter().map(|argument| argument.text.as_str());
        [directive.name.as_str()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
    };
    let live: HashSet<String> = scene
        .live
        .and_then(|text| nginx::parse(text).ok())
        .map(|directives| directives.iter().map(spelled).collect())
        .unwrap_or_default();
    let mut found = Vec::new();
    for directive in directives.iter().filter(|directive| !live.contains(&spelled(directive))) {
        if let Some(why) = nginx_reason(directive, scene) {
            found.push(format!("line {}: `{}` {why}", directive.line, shorten(&spelled(directive))));
        }
    }
    found
}

fn nginx_reason(directive: &nginx::Directive, scene: &Scene<'_>) -> Option<String> {
    let (name, first) = (directive.name.as_str(), directive.first());
    let paths = &scene.config.paths;
    match name {
        _ if NGINX_NEVER.contains(&name) => Some("is not for a site's file".into()),
        _ if name.contains("_by_lua")
            || name.starts_with("lua_")
            || name.starts_with("perl")
            || name.starts_with("js_") =>
        {
            Some("runs code inside the web server".into())
        }
        "include" => {
            let folder = scene.config.services.nginx.conf.parent().unwrap_or(Path::new("/etc/nginx"));
            let path = folder.join(first);
            let text = path.to_string_lossy();
            let sites = [&paths.nginx_available, &paths.nginx_enabled];
            let known = beneath(&text, &[folder]) && !sites.iter().any(|sites| path.starts_with(sites));
            let web = beneath(&text, &[&paths.web_root]);
            (!known || web).then(|| format!("reads a file outside {}", folder.display()))
        }
        "access_log" | "error_log" => {
            let target = first.split('$').next().unwrap_or_default();
            let special =
                ["off", "stderr"].contains(&first) || first.starts_with("syslog:") || first.starts_with("memory:");
            (!special && !scene.log_path(target)).then(|| "writes a log outside /var/log and the site".into())
        }
        "listen" => {
            let socket = first.strip_prefix("unix:")?;
            (!scene.socket_path(socket)).then(|| "makes a socket outside /run".into())
        }
        "root" | "alias" => {
            let fixed = first.split('$').next().unwrap_or_default();
            let own = scene.site_root();
            let shared = [Path::new("/usr/share"), Path::new("/var/lib/letsencrypt"), &paths.web_root.join("html")];
            let fine = Path::new(fixed) == own
                || beneath(fixed, &[&own])
                || beneath(fixed, &shared)
                || shared.iter().any(|folder| Path::new(fixed) == *folder);
            (!fine).then(|| "serves a folder outside the site".into())
        }
        _ if name.ends_with("_temp_path") || name.ends_with("_cache_path") || name.ends_with("_store") => {
            let fine = ["off", "on"].contains(&first)
                || beneath(first, &[Path::new("/var/cache"), Path::new("/var/lib/nginx"), &scene.site_root()]);
            (!fine).then(|| "makes a folder outside /var/cache and the site".into())
        }
        _ => None,
    }
}

/// Accounts that no site runs as.
fn privileged(user: &str) -> bool {
    user == "root" || user.parse::<i64>().is_ok_and(|id| id <= 0)
}

fn owner(config: &Config) -> &str {
    config.files.owner.split(':').next().unwrap_or_default()
}

fn judge_pool(content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    let Ok(settings) = pool::parse(content) else { return Vec::new() };
    let live = scene.live.and_then(|text| pool::parse(text).ok()).unwrap_or_default();
    let known: HashSet<(&str, &str)> =
        live.iter().map(|setting| (setting.key.as_str(), setting.value.as_str())).collect();
    let mut found = Vec::new();
    for setting in &settings {
        if setting.section.is_empty() || setting.section == "global" {
            found.push(format!("line {}: `{}` is a setting of the whole service", setting.line, setting.key));
        } else if !known.contains(&(setting.key.as_str(), setting.value.as_str()))
            && let Some(why) = pool_reason(setting, scene)
        {
            found.push(format!("line {}: `{} = {}` {why}", setting.line, setting.key, shorten(&setting.value)));
        }
    }
    let others = pool::other_pools(scene.config, scene.target);
    for own in pool::pools(&settings) {
        if let Some((file, _)) = others.iter().find(|(_, other)| other.name == own.name) {
            found.push(format!("pool [{}] is also defined in {}", own.name, file.display()));
        }
        let shared = own.user == owner(scene.config);
        let before = pool::pools(&live).iter().any(|pool| pool.user == own.user);
        if !shared
            && !before
            && let Some((file, _)) = others.iter().find(|(_, other)| other.user == own.user)
        {
            found.push(format!("`user = {}` is the account of the pool in {}", own.user, file.display()));
        }
    }
    found
}

fn pool_reason(setting: &pool::Setting, scene: &Scene<'_>) -> Option<String> {
    let value = setting.value.replace("$pool", &setting.section);
    let key = setting.key.as_str();
    let php = key.strip_prefix("php_admin_value[").or_else(|| key.strip_prefix("php_value["));
    match php.map_or(key, |rest| rest.trim_end_matches(']')) {
        "user" | "group" => privileged(&value).then(|| "runs the site with the rights of root".into()),
        "include" => Some("reads another file".into()),
        "chroot" | "extension" | "zend_extension" | "extension_dir" | "ffi.preload" | "opcache.preload" => {
            Some("is not for a site's pool".into())
        }
        "slowlog" | "access.log" | "error_log" => (!value.is_empty() && value != "syslog" && !scene.log_path(&value))
            .then(|| "writes a log outside /var/log and the site".into()),
        "listen" | "pm.status_listen" => {
            (value.starts_with('/') && !scene.socket_path(&value)).then(|| "makes a socket outside /run".into())
        }
        _ => None,
    }
}

/// Variables that change nothing but mail, language and search path of the site's own commands.
const CRON_VARIABLES: &[&str] = &["MAILTO", "PATH", "HOME", "LANG", "TZ", "CRON_TZ"];

fn judge_cron(content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    if scene.live == Some(content) {
        return Vec::new();
    }
    let Ok(lines) = cron::parse(content) else { return Vec::new() };
    let pool = pool::live_pool(scene.config, scene.domain).map(|pool| pool.user).filter(|user| !privileged(user));
    let owner = owner(scene.config);
    let mut found = Vec::new();
    for (number, line) in lines {
        match line {
            cron::Line::Environment { name } => {
                if !CRON_VARIABLES.contains(&name.as_str()) && !name.starts_with("LC_") {
                    found.push(format!("line {number}: `{name}` may not be set"));
                }
            }
            cron::Line::Job { user, .. } => {
                let fine = (user == owner && !privileged(&user)) || pool.as_deref() == Some(user.as_str());
                if !fine {
                    found.push(format!("line {number}: runs as {user:?}, not as the site's account {owner:?}"));
                }
            }
        }
    }
    found
}

fn shorten(text: &str) -> String {
    crate::host::text::printable(&text.chars().take(120).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(item: Item, text: &str, live: Option<&str>) -> Vec<String> {
        let config = Config::default();
        let domain = Domain::parse("example.com").unwrap();
        let target = Path::new("/nowhere");
        judge(item, text.as_bytes(), &Scene { config: &config, domain: &domain, live: live.map(str::as_bytes), target })
    }

    #[test]
    fn an_ordinary_site_pool_and_cron_file_pass() {
        let site = "server { listen 80; listen unix:/run/x.sock; server_name example.com; root /var/www/example.com/public;\n\
            access_log /var/log/nginx/example.log combined; error_log /var/www/example.com/logs/e.log;\n\
            include snippets/fastcgi-php.conf; include /etc/nginx/fastcgi_params;\n\
            location /.well-known { root /var/www/html; } }";
        assert_eq!(judged(Item::Nginx, site, None), Vec::<String>::new());
        let pool = "[x]\nuser = www-data\nlisten = /run/php/$pool.sock\nslowlog = /var/log/$pool.slow\n\
            php_admin_value[error_log] = /var/log/x\nphp_admin_value[open_basedir] = /var/www/example.com\n";
        assert_eq!(judged(Item::PhpFpm, pool, None), Vec::<String>::new());
        assert!(judged(Item::Cron, "MAILTO=x\n* * * * * www-data php x\n", None).is_empty());
    }

    #[test]
    fn what_would_act_with_roots_rights_is_named() {
        for bad in [
            "load_module /tmp/x.so;",
            "include /var/www/example.com/nginx.conf;",
            "include /etc/passwd;",
            "include ../../tmp/x;",
            "include sites-enabled/other.com;",
            "error_log /etc/cron.d/x;",
            "access_log /var/log/../../etc/x;",
            "server { listen unix:/etc/x; }",
            "client_body_temp_path /etc;",
            "proxy_cache_path /etc/cron.d keys_zone=a:1m;",
            "server { root /; }",
            "server { root /var/www/other.com; }",
            "server { location / { alias /etc/; } }",
            "content_by_lua_block { os.execute() }",
            "js_import /tmp/x.js;",
            "user root;",
        ] {
            assert_eq!(judged(Item::Nginx, bad, None).len(), 1, "{bad}");
        }
        for bad in [
            "user = root",
            "user = 0",
            "group = root",
            "listen = /etc/shadow",
            "slowlog = /etc/x",
            "access.log = /var/log/../x",
            "php_admin_value[error_log] = /etc/x",
            "php_admin_value[extension] = /tmp/x.so",
            "include = /etc/passwd",
        ] {
            assert_eq!(judged(Item::PhpFpm, &format!("[x]\n{bad}\n"), None).len(), 1, "{bad}");
        }
        assert_eq!(judged(Item::PhpFpm, "[global]\nerror_log = /etc/x\n", None).len(), 1);
        for bad in ["* * * * * root x\n", "SHELL=/tmp/x\n", "LD_PRELOAD=/x\n", "@daily other x\n"] {
            assert_eq!(judged(Item::Cron, bad, None).len(), 1, "{bad}");
        }
    }

    #[test]
    fn what_is_live_already_is_not_judged_again() {
        let site = "error_log /srv/logs/x.log;";
        assert!(judged(Item::Nginx, site, Some(site)).is_empty());
        assert!(judged(Item::PhpFpm, "[x]\nlisten = /srv/x.sock\n", Some("[x]\nlisten = /srv/x.sock\n")).is_empty());
        let cron = "0 3 * * * root /opt/rocketvps/backup.sh\n";
        assert!(judged(Item::Cron, cron, Some(cron)).is_empty());
    }
}
