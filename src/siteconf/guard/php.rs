//! PHP settings a site may make for itself, in its pool (`php_value[…]`) or in its nginx file (`PHP_VALUE`): limits, errors,
//! sessions, the cache of code. None that loads code into PHP-FPM, runs a program, or opens what the machine keeps closed.

use super::{Refusal, Scene, beneath, lists, refuse_unless};
use std::path::Path;

type Check = fn(&str, &Scene<'_>) -> bool;

const SETTINGS: &[(Check, &str)] = &[
    // Limits.
    (
        any,
        "memory_limit max_execution_time max_input_time max_input_vars max_input_nesting_level \
         max_file_uploads file_uploads post_max_size upload_max_filesize default_socket_timeout \
         pcre.backtrack_limit pcre.recursion_limit pcre.jit realpath_cache_size realpath_cache_ttl",
    ),
    // Errors.
    (
        any,
        "display_errors display_startup_errors error_reporting html_errors ignore_repeated_errors \
         ignore_repeated_source log_errors log_errors_max_len report_memleaks",
    ),
    // Input, output, language.
    (
        any,
        "arg_separator.output assert.active cgi.fix_pathinfo date.timezone default_charset default_mimetype \
         expose_php implicit_flush intl.default_locale mbstring.internal_encoding mbstring.language \
         output_buffering precision register_argc_argv request_order serialize_precision short_open_tag \
         variables_order zend.assertions zend.exception_ignore_args zlib.output_compression \
         zlib.output_compression_level",
    ),
    // What PHP may do less.
    (any, "allow_url_fopen disable_classes disable_functions mail.add_x_header"),
    // Sessions.
    (
        any,
        "session.auto_start session.cache_expire session.cache_limiter session.cookie_domain \
         session.cookie_httponly session.cookie_lifetime session.cookie_path session.cookie_samesite \
         session.cookie_secure session.gc_divisor session.gc_maxlifetime session.gc_probability \
         session.lazy_write session.name session.save_handler session.sid_bits_per_character \
         session.sid_length session.use_cookies session.use_only_cookies session.use_strict_mode \
         session.use_trans_sid",
    ),
    // The cache of code.
    (
        any,
        "apc.enabled apc.shm_size apc.ttl opcache.enable opcache.fast_shutdown \
         opcache.interned_strings_buffer opcache.jit opcache.jit_buffer_size opcache.max_accelerated_files \
         opcache.max_wasted_percentage opcache.memory_consumption opcache.revalidate_freq \
         opcache.revalidate_path opcache.save_comments opcache.use_cwd opcache.validate_permission \
         opcache.validate_root opcache.validate_timestamps",
    ),
    // Off is safe, on is not.
    (off, "allow_url_include enable_dl"),
    (open_basedir, "open_basedir"),
    // PHP opens these with the site's own rights.
    (own_path, "opcache.restrict_api soap.wsdl_cache_dir sys_temp_dir upload_tmp_dir"),
    (own_code, "auto_append_file auto_prepend_file"),
    (error_log, "error_log mail.log"),
    (session_path, "session.save_path"),
    (sendmail, "sendmail_path"),
];

/// Whether a site may have this setting.
pub fn reason(name: &str, value: &str, scene: &Scene<'_>) -> Refusal {
    let Some((check, _)) = SETTINGS.iter().find(|(_, names)| lists(names, name)) else {
        return Some("is no PHP setting that a site may make".into());
    };
    refuse_unless(!value.contains('\\') && check(value, scene), "is no value that a site may give this PHP setting")
}

/// `PHP_VALUE` of nginx: one setting a line.
pub fn lines_reason(text: &str, scene: &Scene<'_>) -> Refusal {
    if text.contains(['$', '"', '\'', '\\', '[']) {
        return Some("sets PHP settings that cannot be read beforehand".into());
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).find_map(|line| match line.split_once('=') {
        Some((name, value)) => reason(name.trim(), value.trim(), scene),
        None => Some("sets PHP settings that cannot be read beforehand".into()),
    })
}

fn any(_: &str, _: &Scene<'_>) -> bool {
    true
}

fn off(value: &str, _: &Scene<'_>) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "off" | "no" | "false")
}

fn own_path(value: &str, scene: &Scene<'_>) -> bool {
    let path = Path::new(value);
    let temporary = ["/tmp", "/var/tmp", "/dev/shm"];
    path == scene.site_root() || beneath(path, &[scene.site_root()]) || is_or_beneath(path, &temporary)
}

fn is_or_beneath(path: &Path, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path == Path::new(folder)) || beneath(path, folders)
}

fn own_code(value: &str, scene: &Scene<'_>) -> bool {
    matches!(value, "" | "none") || beneath(Path::new(value), &[scene.site_root()])
}

fn open_basedir(value: &str, scene: &Scene<'_>) -> bool {
    let shared = ["/usr/share", "/var/lib/php", "/dev/urandom", "/dev/random"];
    value.split(':').all(|path| {
        own_path(path.trim_end_matches('/'), scene) || is_or_beneath(Path::new(path.trim_end_matches('/')), &shared)
    })
}

fn error_log(value: &str, scene: &Scene<'_>) -> bool {
    value == "syslog"
        || value == "/proc/self/fd/2"
        || own_path(value, scene)
        || beneath(Path::new(value), &["/var/log"])
}

fn session_path(value: &str, scene: &Scene<'_>) -> bool {
    // A number of folders may come first: `2;/path`.
    let path = value.rsplit_once(';').map_or(value, |(_, path)| path);
    let server = ["tcp://127.0.0.1", "tcp://localhost", "127.0.0.1:", "localhost:", "unix:///run/", "unix:///var/run/"];
    server.iter().any(|start| value.starts_with(start))
        || own_path(path, scene)
        || is_or_beneath(Path::new(path), &["/var/lib/php"])
}

/// The mailer as every distribution names it, without options that write files.
fn sendmail(value: &str, _: &Scene<'_>) -> bool {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    let program = words.next().is_some_and(|word| ["/usr/sbin/sendmail", "/usr/lib/sendmail"].contains(&word));
    let harmless = |word: &str| {
        let address =
            |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "@._+-".contains(letter));
        ["-t", "-i", "-oi", "-f"].contains(&word)
            || word.strip_prefix("-f").unwrap_or(word).starts_with(|letter: char| letter.is_ascii_alphanumeric())
                && address(word)
                && (word.starts_with("-f") || !word.starts_with('-'))
    };
    program && words.all(harmless)
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    fn said(name: &str, value: &str) -> Refusal {
        let stage = Stage::new();
        let (config, domain, target) = (&stage.config, &stage.domain, Path::new("/nowhere"));
        reason(name, value, &Scene { config, domain, live: None, target, pool: None })
    }

    #[test]
    fn what_sites_set_passes() {
        for (name, value) in [
            ("memory_limit", "512M"),
            ("error_log", "/var/log/php/shop.log"),
            ("error_log", "/var/www/shop.example/logs/php.log"),
            ("open_basedir", "/var/www/shop.example/:/tmp:/usr/share/php:/dev/urandom"),
            ("session.save_path", "/var/lib/php/sessions"),
            ("session.save_path", "tcp://127.0.0.1:6379?auth=x"),
            ("session.save_path", "2;/var/www/shop.example/sessions"),
            ("sendmail_path", "/usr/sbin/sendmail -t -i -f www@shop.example"),
            ("sendmail_path", "/usr/sbin/sendmail -t -i -fwww@shop.example"),
            ("auto_prepend_file", "/var/www/shop.example/wordfence-waf.php"),
            ("disable_functions", "exec,system,passthru"),
            ("allow_url_include", "off"),
        ] {
            assert_eq!(said(name, value), None, "{name} = {value}");
        }
    }

    #[test]
    fn what_loosens_php_is_refused() {
        for (name, value) in [
            ("extension", "/tmp/x.so"),
            ("zend_extension", "x"),
            ("extension_dir", "/tmp"),
            ("ffi.enable", "1"),
            ("opcache.preload", "/var/www/shop.example/x.php"),
            ("open_basedir", ""),
            ("open_basedir", "/"),
            ("open_basedir", "/var/www/shop.example:/"),
            ("open_basedir", "/var/www/shop.example:/var/www/other.example"),
            ("open_basedir", "/var/www/shop.example/../other.example"),
            ("sendmail_path", "/bin/sh -c x"),
            ("sendmail_path", "/usr/sbin/sendmail -X/tmp/x"),
            ("sendmail_path", "/usr/sbin/sendmail -C/tmp/x"),
            ("sendmail_path", "/usr/sbin/sendmail -f;id"),
            ("auto_prepend_file", "/tmp/x.php"),
            ("error_log", "/etc/cron.d/x"),
            ("session.save_path", "/etc"),
            ("allow_url_include", "on"),
            ("Memory_Limit", "1"),
        ] {
            assert!(said(name, value).is_some(), "{name} = {value}");
        }
    }
}
