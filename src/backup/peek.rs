//! What the first entries of an archive tell: its layout, and what its tree is.

use crate::archive::{Limits, TarReader};
use crate::backup::layout::{self, Holds, Layout, Place};
use crate::backup::source::Part;
use crate::error::{Code, Result};
use crate::host::site::Site;
use crate::path::RelPath;
use std::io::Read;

/// How much of an archive's content is unpacked for an answer at once.
pub const AT_ONCE: u64 = 1 << 20;

/// Files that stand in a document root, and not in the folder around it.
const PAGES: &[&[u8]] = &[b"index.php", b"index.html", b"index.htm", b"wp-load.php", b"artisan", b"configuration.php"];

/// What was learned.
#[derive(Debug, Clone, Default)]
pub struct Peeked {
    /// The layout, where the first entries tell it.
    pub layout: Option<&'static str>,
    /// The folder of the archive that is the tree.
    pub tree: Option<RelPath>,
    /// What the tree is, where it makes a difference and can be told.
    pub holds: Option<Holds>,
}

impl Peeked {
    /// A layout that is known already, of a site whose folder and root are the same.
    pub fn known(layout: &str) -> Peeked {
        Peeked { layout: layout::named(layout).map(Layout::name), ..Peeked::default() }
    }
}

/// Reads the head of an archive, of its content at most `limit` bytes. What is damaged tells nothing: staging will say why. Where
/// document root and site folder differ and the layout does not say which one the archive holds, it is read on until a name tells; one
/// with lists of names, until such a list says that something is missing.
///
/// # Errors
/// `backup_unreadable` for a file of another format, `backup_incomplete` for what holds only changes.
pub fn peek(part: &Part, site: &Site, limit: u64) -> Result<Peeked> {
    let mut peeked = Peeked::default();
    let Some(mut sorter) = part.sorter(site) else { return Ok(peeked) };
    let one_folder = site.root == site.folder;
    let raw = part.codec.reader(part.reader())?;
    let limit = if one_folder { AT_ONCE } else { limit };
    let mut archive = TarReader::new(raw.take(limit), Limits::default());
    let inner_root = site.root_in_folder();
    loop {
        let entry = match archive.next_entry() {
            Ok(Some(entry)) => entry,
            Err(error) if error.code == Code::BackupUnreadable => return Err(part.named(error)),
            Ok(None) | Err(_) => break,
        };
        let Ok(path) = RelPath::parse(&entry.path) else { break };
        let place = sorter.place(&path);
        let Some(layout) = sorter.layout() else { continue };
        peeked.layout = Some(layout);
        peeked.tree = sorter.root().cloned();
        peeked.holds = peeked.holds.or_else(|| layout::named(layout).and_then(Layout::holds));
        if let (Place::Site(inner), None, false) = (place, peeked.holds, one_folder) {
            peeked.holds = tells(&inner, &inner_root);
        }
        if archive.require_whole().is_err() || ((one_folder || peeked.holds.is_some()) && !archive.has_name_lists()) {
            break;
        }
    }
    archive.require_whole().map_err(|error| part.named(error))?;
    Ok(peeked)
}

/// Whether a name in the tree tells what the tree is.
fn tells(inner: &RelPath, inner_root: &RelPath) -> Option<Holds> {
    let mut names = inner.names();
    let first = names.next()?;
    if inner_root.names().next() == Some(first) {
        return Some(Holds::SiteFolder);
    }
    (names.next().is_none() && PAGES.contains(&first)).then_some(Holds::DocumentRoot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_one_of_both_has_tells_what_a_tree_is() {
        let path = |text: &str| RelPath::parse(text.as_bytes()).unwrap();
        let root = path("public_html");
        for (inner, holds) in [
            ("public_html", Some(Holds::SiteFolder)),
            ("public_html/x", Some(Holds::SiteFolder)),
            ("index.php", Some(Holds::DocumentRoot)),
            ("logs", None),
            ("old/index.php", None),
            ("public_html2", None),
        ] {
            assert_eq!(tells(&path(inner), &root), holds, "{inner}");
        }
    }
}
