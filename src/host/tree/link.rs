//! Which symbolic links of a backup are made. Pure.

use crate::error::{Code, Error, Result};
use crate::path::{MAX_PATH, RelPath};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether a link at `at` with this target stays in the site. `..` may only lead: after a name it would be taken from
/// wherever that name leads, which may itself be a link. An absolute target must lie in the live document root.
///
/// # Errors
/// `unsafe_path` naming link and target.
pub fn check(at: &RelPath, target: &[u8], document_root: Option<&Path>) -> Result<()> {
    let refuse = |why: &str| {
        let (link, shown) = (at.to_string(), String::from_utf8_lossy(&target[..target.len().min(200)]).into_owned());
        Error::new(Code::UnsafePath, format!("link {link:?} → {shown:?} {why}"))
            .with("path", link)
            .with("target", shown)
    };
    if target.is_empty() || target.len() >= MAX_PATH || target.contains(&0) {
        return Err(refuse("has an impossible target"));
    }
    if target.first() == Some(&b'/') {
        let root = document_root.map(|root| root.as_os_str().as_bytes()).filter(|root| root.len() > 1);
        let inside = root.and_then(|root| target.strip_prefix(root));
        return match inside {
            Some(rest) if rest.is_empty() || rest[0] == b'/' => match names(rest).any(|name| name == b"..") {
                true => Err(refuse("has `..` in an absolute target")),
                false => Ok(()),
            },
            _ => Err(refuse("leads out of the site")),
        };
    }
    let depth = at.names().count() - usize::from(!at.is_root());
    let up = names(target).take_while(|name| *name == b"..").count();
    if up > depth {
        return Err(refuse("leads out of the site"));
    }
    if names(target).skip(up).any(|name| name == b"..") {
        return Err(refuse("has `..` after a name"));
    }
    Ok(())
}

fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(at: &str, target: &str) -> bool {
        let at = RelPath::parse(at.as_bytes()).unwrap();
        check(&at, target.as_bytes(), Some(Path::new("/var/www/example.com"))).is_ok()
    }

    #[test]
    fn links_inside_the_site_are_made_and_others_refused() {
        for (at, target) in [
            ("l", "a"),
            ("l", "."),
            ("a/b/l", "../c"),
            ("a/b/l", "../../x/y"),
            ("a/b/l", "./.././../x"),
            ("l", "/var/www/example.com"),
            ("l", "/var/www/example.com/wp-content"),
        ] {
            assert!(allowed(at, target), "{at} → {target}");
        }
        for (at, target) in [
            ("l", ".."),
            ("l", "../x"),
            ("a/b/l", "../../../x"),
            ("a/l", "b/../../.."),
            ("a/b/l", "s/../x"),
            ("l", "/etc/passwd"),
            ("l", "/var/www/example.com.evil/x"),
            ("l", "/var/www/example.com/../other"),
            ("l", ""),
            ("l", "a\0b"),
        ] {
            assert!(!allowed(at, target), "{at} → {target}");
        }
    }
}
