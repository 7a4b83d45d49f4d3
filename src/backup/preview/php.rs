//! PHP versions: the one installed here, the one a path speaks of, the ones an application asks for. Pure.

use crate::config::Config;

/// Major and minor number.
pub type Version = (u32, u32);

/// The PHP that sites run with here: by the folder of its pools, else its other names in the configuration.
pub fn installed(config: &Config) -> Option<Version> {
    let php = &config.services.php_fpm;
    let paths = [&config.paths.php_pool_dir, &php.conf, &php.pidfile, &php.program];
    let names = paths.into_iter().map(|path| path.to_string_lossy().into_owned()).chain([php.unit.clone()]);
    names.filter_map(|name| named(&name)).next()
}

/// The version in a path such as `/etc/php/8.2/fpm`, `/run/php/php8.2-fpm.sock` or `/opt/php74/x.sock`.
pub fn named(text: &str) -> Option<Version> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("php").find_map(|(at, _)| {
        let rest = &lower[at + 3..];
        let rest = rest.strip_prefix("-fpm").unwrap_or(rest);
        let rest = rest.strip_prefix(['/', '-']).unwrap_or(rest);
        let major = digits(rest);
        match rest[major.len()..].strip_prefix('.').map(digits) {
            Some(minor) if !minor.is_empty() => Some((major.parse().ok()?, minor.parse().ok()?)),
            // Some write 74 for 7.4.
            _ if major.len() == 2 => Some((major[..1].parse().ok()?, major[1..].parse().ok()?)),
            _ => None,
        }
    })
}

/// Whether a version is one that an application asks for: a bare number is the least, else as Composer writes it. `None` for
/// what is not understood.
pub fn allows(wanted: &str, version: Version) -> Option<bool> {
    let mut understood = None;
    for alternative in wanted.split('|').map(str::trim).filter(|part| !part.is_empty()) {
        // `7.2 - 8.1` is a range.
        let fits = match alternative.split_once(" - ") {
            Some((low, high)) => number(low)? <= version && version <= number(high)?,
            None => {
                let mut fits = true;
                for part in alternative.split([',', ' ']).filter(|part| !part.is_empty()) {
                    fits &= single(part, version)?;
                }
                fits
            }
        };
        if fits {
            return Some(true);
        }
        understood = Some(false);
    }
    understood
}

fn single(part: &str, version: Version) -> Option<bool> {
    let after = |mark: &str| part.strip_prefix(mark).map(str::trim);
    if part == "*" {
        return Some(true);
    }
    if let Some(rest) = after("^") {
        let (major, minor) = number(rest)?;
        return Some(version.0 == major && version.1 >= minor);
    }
    if let Some(rest) = after("~") {
        let (major, minor) = number(rest)?;
        let exact = rest.matches('.').count() > 1;
        return Some(version.0 == major && if exact { version.1 == minor } else { version.1 >= minor });
    }
    if let Some(rest) = after(">=") {
        return Some(version >= number(rest)?);
    }
    if let Some(rest) = after("<=") {
        return Some(version <= number(rest)?);
    }
    if let Some(rest) = after("!=") {
        // A patch level that is left out says nothing about the others.
        return Some(rest.matches('.').count() > 1 || version != number(rest)?);
    }
    if let Some(rest) = after(">") {
        return Some(version >= number(rest)?);
    }
    if let Some(rest) = after("<") {
        return Some(version < number(rest)?);
    }
    if let Some(rest) = part.strip_suffix(".*") {
        let (major, minor) = number(rest)?;
        return Some(version.0 == major && (!rest.contains('.') || version.1 == minor));
    }
    Some(version >= number(part.trim_start_matches(['=', 'v']))?)
}

fn number(text: &str) -> Option<Version> {
    let text = text.trim();
    let major = digits(text);
    let minor = text[major.len()..].strip_prefix('.').map_or("0", digits);
    Some((major.parse().ok()?, minor.parse().unwrap_or(0)))
}

fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count().min(4)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_units_tell_a_version() {
        for (text, version) in [
            ("/etc/php/8.2/fpm/pool.d", Some((8, 2))),
            ("unix:/run/php/php7.4-fpm-shop.sock", Some((7, 4))),
            ("php8.10-fpm", Some((8, 10))),
            ("php-fpm8.1", Some((8, 1))),
            ("/var/opt/remi/php74/run/php-fpm/www.sock", Some((7, 4))),
            ("/run/php/www.sock", None),
            ("127.0.0.1:9000", None),
            ("/srv/php/", None),
        ] {
            assert_eq!(named(text), version, "{text}");
        }
    }

    #[test]
    fn what_an_application_asks_for_is_held_against_a_version() {
        for (wanted, version, fits) in [
            ("7.2.24", (8, 2), Some(true)),
            ("7.2.24", (7, 1), Some(false)),
            ("^8.1", (8, 2), Some(true)),
            ("^8.1", (8, 0), Some(false)),
            ("^7.3|^8.0", (8, 2), Some(true)),
            ("^7.3 || ^8.0", (7, 2), Some(false)),
            (">=7.1 <8.0", (8, 0), Some(false)),
            (">=7.1, <8.0", (7, 4), Some(true)),
            ("~8.1.3", (8, 2), Some(false)),
            ("~8.1", (8, 2), Some(true)),
            ("8.1.*", (8, 2), Some(false)),
            ("8.*", (8, 2), Some(true)),
            ("7.2 - 8.1", (8, 2), Some(false)),
            ("*", (5, 6), Some(true)),
            ("dev-master", (8, 2), None),
            ("", (8, 2), None),
            ("^é", (8, 2), None),
        ] {
            assert_eq!(allows(wanted, version), fits, "{wanted} {version:?}");
        }
    }

    #[test]
    fn the_installed_php_comes_from_the_configuration() {
        let mut config = Config::default();
        assert_eq!(installed(&config), None);
        config.services.php_fpm.unit = "php8.1-fpm".into();
        assert_eq!(installed(&config), Some((8, 1)));
        config.paths.php_pool_dir = "/etc/php/8.2/fpm/pool.d".into();
        assert_eq!(installed(&config), Some((8, 2)));
    }
}
