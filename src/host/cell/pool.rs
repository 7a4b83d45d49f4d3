//! PHP-FPM's configuration in a cell: the limits of the site's own pool, and nothing by which it would reach out. Pure.

use super::{OWN, PRELUDE};
use crate::siteconf::pool::Setting;
use std::fmt::Write;
use std::path::Path;

/// Requests at a time: a page may ask its own site for another one.
const CHILDREN: usize = 2;
/// What of a pool goes with it into a cell, before the bracket.
const KEPT: [&str; 5] = ["php_value", "php_flag", "php_admin_value", "php_admin_flag", "env"];
/// What a cell has its own of.
const OWN_VALUES: [&str; 11] = [
    "auto_prepend_file",
    "display_errors",
    "display_startup_errors",
    "error_log",
    "log_errors",
    "log_errors_max_len",
    "mail.log",
    "open_basedir",
    "sendmail_path",
    "sys_temp_dir",
    "upload_tmp_dir",
];
const SESSIONS: &str = "session.save_";

/// Whether a cell has its own value of this setting of PHP's.
pub fn is_own(name: &str) -> bool {
    OWN_VALUES.contains(&name) || name.starts_with(SESSIONS)
}

/// A setting of PHP's that a pool has for its sites; the last one counts.
pub fn value<'a>(settings: &'a [Setting], name: &str) -> Option<&'a str> {
    let is = |setting: &&Setting| {
        let key = setting.key.strip_suffix(']').and_then(|key| key.split_once('['));
        key.is_some_and(|(kind, key)| key == name && kind.starts_with("php_"))
    };
    settings.iter().rfind(is).map(|setting| setting.value.as_str())
}

/// The text of a configuration with one pool. `settings` are those of the site's pool; `basedir` is the site's own `open_basedir`,
/// where its pool has none; `database` is the path of a server's socket; no page takes longer than `seconds`.
pub fn text(settings: &[Setting], basedir: Option<&str>, database: Option<&Path>, seconds: u64) -> String {
    let mut text = format!(
        "[global]\nerror_log = {OWN}/php-fpm.log\ndaemonize = no\n\n[cell]\nlisten = {OWN}/php-fpm.sock\npm = static\n\
         pm.max_children = {CHILDREN}\nrequest_terminate_timeout = {seconds}s\n"
    );
    for setting in settings {
        let Some((kind, name)) = setting.key.strip_suffix(']').and_then(|key| key.split_once('[')) else {
            if setting.key == "security.limit_extensions" {
                line(&mut text, &setting.key, &setting.value);
            }
            continue;
        };
        if KEPT.contains(&kind) && !is_own(name) {
            line(&mut text, &setting.key, &setting.value.replace("$pool", &setting.section));
        }
    }
    let admin = |text: &mut String, name: &str, value: &str| line(text, &format!("php_admin_value[{name}]"), value);
    admin(&mut text, "auto_prepend_file", PRELUDE);
    admin(&mut text, "sendmail_path", "/bin/true");
    for folder in ["sys_temp_dir", "upload_tmp_dir", "session.save_path"] {
        admin(&mut text, folder, "/tmp");
    }
    admin(&mut text, "session.save_handler", "files");
    // A file that cannot be written: then PHP tells whoever asked for the page.
    admin(&mut text, "error_log", "/nowhere/error_log");
    admin(&mut text, "log_errors", "1");
    admin(&mut text, "log_errors_max_len", "4096");
    admin(&mut text, "display_errors", "0");
    admin(&mut text, "display_startup_errors", "0");
    if let Some(socket) = database {
        for name in ["mysqli.default_socket", "pdo_mysql.default_socket"] {
            admin(&mut text, name, &socket.display().to_string());
        }
    }
    let basedir = value(settings, "open_basedir").or(basedir);
    if let Some(basedir) = basedir.filter(|basedir| !basedir.is_empty() && *basedir != "none") {
        admin(&mut text, "open_basedir", &format!("{basedir}:{OWN}:/tmp"));
    }
    text
}

fn line(text: &mut String, key: &str, value: &str) {
    // A value of a pool that PHP-FPM could read has no quote of the other kind in it that would end this one.
    let quote = if value.contains('"') { '\'' } else { '"' };
    if !value.contains(quote) && !value.contains('\n') {
        let _ = writeln!(text, "{key} = {quote}{value}{quote}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::siteconf::pool::parse;

    #[test]
    fn a_cell_has_the_limits_of_the_pool_and_none_of_its_ways_out() {
        let pool = "[shop]\nuser = web\nlisten = /run/x.sock\nphp_admin_value[memory_limit] = 64M\n\
            php_admin_value[open_basedir] = /var/www/shop:/usr/share/php\nphp_value[session.save_path] = tcp://127.0.0.1:6379\n\
            php_admin_value[error_log] = /var/log/shop.log\nphp_admin_value[sendmail_path] = /usr/sbin/sendmail -t\n\
            env[APP_ENV] = production\naccess.log = /var/log/a.log\nphp_admin_value[disable_functions] = exec,system\n\
            php_admin_value[auto_prepend_file] = /var/www/shop/first.php\nslowlog = /var/log/slow\n";
        let text = text(&parse(pool.as_bytes()).unwrap(), Some("/var/www/else"), Some(Path::new("/run/db.sock")), 7);
        for kept in [
            "php_admin_value[memory_limit] = \"64M\"\n",
            "php_admin_value[disable_functions] = \"exec,system\"\n",
            "env[APP_ENV] = \"production\"\n",
            "php_admin_value[open_basedir] = \"/var/www/shop:/usr/share/php:/run/rocketvps-cell:/tmp\"\n",
            "request_terminate_timeout = 7s\n",
            "php_admin_value[pdo_mysql.default_socket] = \"/run/db.sock\"\n",
            "php_admin_value[sendmail_path] = \"/bin/true\"\n",
        ] {
            assert!(text.contains(kept), "{kept} in\n{text}");
        }
        for gone in ["6379", "/var/log", "sbin/sendmail", "first.php", "user =", "/run/x.sock"] {
            assert!(!text.contains(gone), "{gone} in\n{text}");
        }
        assert_eq!(text.matches("open_basedir").count(), 1);
        let own = super::text(&[], Some("/var/www/shop"), None, 7);
        assert!(own.contains("php_admin_value[open_basedir] = \"/var/www/shop:/run/rocketvps-cell:/tmp\"\n"), "{own}");
    }
}
