//! Which symbolic links of a backup are made.

use super::handle::resolve;
use crate::error::{Code, Error, Result};
use crate::path::{MAX_PATH, RelPath};
use rustix::fs::OFlags;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Whether a link at `at` with this target stays in the site. `..` may only lead: after a name it would be taken from
/// wherever that name leads, which may itself be a link. An absolute target must lie in the live document root.
///
/// # Errors
/// `unsafe_path` naming link and target.
pub fn check(at: &RelPath, target: &[u8], document_root: Option<&Path>) -> Result<()> {
    let refuse = |why: &str| {
        let (link, shown) = (at.to_string(), String::from_utf8_lossy(&target[..target.len().min(200)]).into_owned());
        Error::new(Code::UnsafePath, format!("link {link:?} → {shown:?} {why}"))
            .hint(format!(
                "Leave it out with `--exclude-path {link}`, or make the same link in the live site: a link that is there already is restored. \
                 For links of many sites into one folder: files.link_targets = [\"/FOLDER\"] in restore.toml."
            ))
            .with("path", link)
            .with("target", shown)
    };
    if !is_possible(target) {
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

/// Whether a link of a backup is made. One out of the site is where the live tree has the very same one, or where it leads into a
/// folder that the administrator named.
///
/// # Errors
/// As [`check`].
pub fn require(
    at: &RelPath,
    target: &[u8],
    document_root: Option<&Path>,
    live: Option<impl AsFd>,
    folders: &[PathBuf],
) -> Result<()> {
    let Err(refused) = check(at, target, document_root) else { return Ok(()) };
    let is_live = live.is_some_and(|live| of(live, at).as_deref() == Some(target));
    if is_live || leads_into(at, target, document_root, folders) { Ok(()) } else { Err(refused) }
}

/// The target of a link in a tree; `None` for what is no link, or lies behind one.
fn of(tree: impl AsFd, path: &RelPath) -> Option<Vec<u8>> {
    let (folder, name) = path.split_last()?;
    let folder = resolve(tree.as_fd(), &folder, OFlags::PATH | OFlags::DIRECTORY).ok()?;
    Some(rustix::fs::readlinkat(&folder, name, Vec::new()).ok()?.into_bytes())
}

/// Whether a link at `at` leads into one of these folders by its words alone: `..` may only lead, as for [`check`].
fn leads_into(at: &RelPath, target: &[u8], document_root: Option<&Path>, folders: &[PathBuf]) -> bool {
    if !is_possible(target) {
        return false;
    }
    let mut place = PathBuf::from("/");
    if target.first() != Some(&b'/') {
        let Some(root) = document_root else { return false };
        place = root.join(at.split_last().map(|(around, _)| around).unwrap_or_default().as_path());
    }
    let mut down = false;
    for name in names(target) {
        match name {
            b".." if down || target.first() == Some(&b'/') || !place.pop() => return false,
            b".." => {}
            name => {
                down = true;
                place.push(OsStr::from_bytes(name));
            }
        }
    }
    folders.iter().any(|folder| folder.is_absolute() && place.starts_with(folder))
}

/// Whether the kernel takes it as a target (`symlink(2)`).
fn is_possible(target: &[u8]) -> bool {
    !target.is_empty() && target.len() < MAX_PATH && !target.contains(&0)
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
    fn the_administrators_folders_are_told_by_the_words_of_a_link() {
        let folders = [PathBuf::from("/srv/media"), PathBuf::from("/var/www/shared")];
        let leads = |at: &str, target: &str| {
            let at = RelPath::parse(at.as_bytes()).unwrap();
            leads_into(&at, target.as_bytes(), Some(Path::new("/var/www/example.com")), &folders)
        };
        for (at, target) in [
            ("l", "/srv/media"),
            ("l", "/srv/media/a/b"),
            ("l", "../shared/x"),
            ("a/l", "../../shared"),
            ("l", ".././shared"),
        ] {
            assert!(leads(at, target), "{at} → {target}");
        }
        for (at, target) in [
            ("l", "/srv/media2"),
            ("l", "/srv/media/../../etc"),
            ("l", "/srv"),
            ("l", "../shared/../other"),
            ("l", "../other"),
            ("l", "../../../../../srv/media"),
            ("l", "shared"),
            ("l", ""),
        ] {
            assert!(!leads(at, target), "{at} → {target}");
        }
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
