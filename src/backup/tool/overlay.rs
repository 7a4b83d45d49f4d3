//! What a folder of a backup holds of a site, where that is not all of it: its parts are exchanged, and what else the live site has stays.

use super::{Asked, NO_CORE};
use crate::backup::layout::Holds;
use crate::backup::survey::{BESIDE_CONTENT, Listing, Mark, is_dump};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::text::few;

/// Parts of a site.
pub struct Overlay {
    /// Paths in the backup, with where in the site they belong.
    pub places: Vec<(RelPath, RelPath)>,
    /// The paths of the site that are exchanged, as patterns.
    pub parts: Vec<String>,
    /// What the tree is; left out: the document root.
    pub holds: Option<Holds>,
    /// What is said of it, as sentences.
    pub lacks: Vec<String>,
}

/// What the core of WordPress has at its top, beside `wp-….php`.
const CORE: [&[u8]; 4] = [b"wp-admin", b"xmlrpc.php", b"license.txt", b"readme.html"];
/// What an application of Laravel has beside `storage` and `.env`.
const LARAVEL: [&[u8]; 6] = [b"artisan", b"composer.json", b"app", b"bootstrap", b"public", b"vendor"];
/// What is in Laravel's `storage`.
const STORAGE: [&[u8]; 3] = [b"app", b"framework", b"logs"];

/// What of a site lies in this folder; `None` where it is a whole one, or nobody can tell. `is_told`: the folder was told to be the
/// document root.
///
/// # Errors
/// `backup_layout_unknown` for a part of an application that the live site is not.
pub fn of(asked: &Asked, listing: &Listing, root: &RelPath, is_told: bool) -> Result<Option<Overlay>> {
    if is_wordpress(listing, root) {
        return Ok(Some(of_wordpress(listing, root)));
    }
    // A panel knows which folder is a document root.
    let is_guessed = !is_told || asked.import.root.is_some();
    let is_whole = listing.is(root, Mark::Application) || listing.is(root, Mark::Page);
    if is_whole || !is_guessed { Ok(None) } else { of_laravel(asked, listing, root) }
}

/// Whether a folder holds content, configuration or a torn core of WordPress without `wp-includes`, which may be in a folder of its own.
pub fn is_wordpress(listing: &Listing, root: &RelPath) -> bool {
    let has = |mark| listing.is(root, mark);
    let is_started = listing.starts.contains(root);
    // Of another application, or with pages that are the site's own.
    let is_other = !is_started && (has(Mark::Application) || has(Mark::Page));
    if is_other || listing.cores.contains(root) {
        return false;
    }
    if !listing.cores_in(root).is_empty() {
        // A site that only calls a core in a folder of its own is whole. Beside content without such a call it is another site's.
        return has(Mark::Application) || (!is_started && has(Mark::Content));
    }
    is_started || has(Mark::Configuration) || has(Mark::Content)
}

fn of_wordpress(listing: &Listing, root: &RelPath) -> Overlay {
    let (mut places, mut all, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for name in listing.inside(root) {
        let (path, inside) = (root.join(name), RelPath::default().join(name));
        if name == b"wp-content" {
            all.extend(parts(listing, &path, &inside, &[]));
        } else if BESIDE_CONTENT.contains(&name) {
            all.push(inside.as_pattern());
        } else {
            let is_core = CORE.contains(&name)
                || (name.starts_with(b"wp-") && name.ends_with(b".php"))
                || (name == b"index.php" && listing.starts.contains(root));
            if !is_core && !is_of_dumps(listing, &path) {
                others.push(String::from_utf8_lossy(name).into_owned());
            }
            continue;
        }
        places.push((path, inside));
    }
    let mut lacks = vec![match listing.is(root, Mark::Configuration) {
        true => "It holds no core of WordPress: that of the live site stays, with all that lies outside of what it holds.",
        false => NO_CORE,
    }
    .to_owned()];
    if !listing.knows_inside(root) {
        lacks.push("What else lies beside that is not restored.".to_owned());
    } else if !others.is_empty() {
        lacks.push(format!("Beside that it holds {}, which is not restored.", few(others)));
    }
    Overlay { places, parts: all, holds: None, lacks }
}

/// Whether a path is a dump, or a folder with nothing else in it.
fn is_of_dumps(listing: &Listing, path: &RelPath) -> bool {
    let mut files =
        listing.names.iter().filter(|(found, is_folder)| !**is_folder && found.strip_prefix(path).is_some());
    listing.dumps.iter().any(|dump| dump.strip_prefix(path).is_some())
        && files.all(|(file, _)| is_dump(file.last_name()))
}

/// `storage` and `.env` alone. They belong beside the live site's `artisan`, and nowhere else: in a document root everybody could read them.
fn of_laravel(asked: &Asked, listing: &Listing, root: &RelPath) -> Result<Option<Overlay>> {
    let storage = root.join(b"storage");
    let inside: Vec<&[u8]> = listing.inside(&storage).filter(|name| STORAGE.contains(name)).collect();
    if inside.is_empty() || LARAVEL.iter().any(|name| listing.has(&root.join(name))) {
        return Ok(None);
    }
    if !asked.live_laravel {
        let message =
            "it holds `storage` of a Laravel application without the application, and the live site has no artisan";
        return Err(Error::new(Code::BackupLayoutUnknown, message)
            .hint("Restore a whole backup of the application first, or choose another backup."));
    }
    let within = RelPath::default().join(b"storage");
    let mut places: Vec<(RelPath, RelPath)> =
        inside.iter().map(|name| (storage.join(name), within.join(name))).collect();
    if listing.has(&root.join(b".env")) {
        places.push((root.join(b".env"), RelPath::default().join(b".env")));
    }
    let parts = places.iter().map(|(_, inside)| inside.as_pattern()).collect();
    let said = "It holds of the Laravel application its storage and settings: its code stays as it is live.";
    Ok(Some(Overlay { places, parts, holds: Some(Holds::SiteFolder), lacks: vec![said.to_owned()] }))
}

/// What a backup of a Laravel application often leaves out, because it is made anew, is secret, or is not in its repository: the live one
/// stays, with a sentence.
pub fn left_out(asked: &Asked, listing: &Listing, root: &RelPath) -> Vec<(&'static str, String)> {
    if !asked.live_laravel || !listing.names.contains_key(&root.join(b"artisan")) {
        return Vec::new();
    }
    [
        (
            "vendor",
            "no vendor folder: that of the live site stays. Run `composer install` where composer.lock differs.",
        ),
        (".env", "no .env: that of the live site stays."),
        ("storage", "no storage folder: that of the live site stays."),
    ]
    .into_iter()
    .filter(|(name, _)| !listing.has(&root.join(name.as_bytes())))
    .map(|(name, said)| (name, format!("Of the Laravel application it holds {said}")))
    .collect()
}

/// The inside of a `wp-content` folder without the folder: with themes and plugins, for a live site that is of WordPress.
pub fn of_content(asked: &Asked, listing: &Listing) -> Option<Overlay> {
    let tops = match super::only_top(listing) {
        Some(top) => [RelPath::default(), top].to_vec(),
        None => vec![RelPath::default()],
    };
    let is_content = |folder: &RelPath| {
        let themes = folder.join(b"themes");
        let has_theme = || listing.inside(&themes).any(|theme| listing.has(&themes.join(theme).join(b"style.css")));
        listing.has(&folder.join(b"plugins")) && has_theme() && !listing.cores.contains(folder)
    };
    asked.live_prefix?;
    let folder =
        tops.into_iter().find(is_content).filter(|folder| !folder.names().any(|name| name == b"wp-content"))?;
    let content = RelPath::default().join(b"wp-content");
    let names = listing.inside(&folder).filter(|name| !crate::backup::survey::is_dump(name));
    let places: Vec<(RelPath, RelPath)> = names.map(|name| (folder.join(name), content.join(name))).collect();
    let parts = places.iter().map(|(_, inside)| inside.as_pattern()).collect();
    let said = "It is the inside of a wp-content folder, and goes into that of the live site.";
    Some(Overlay { places, parts, holds: None, lacks: vec![NO_CORE.to_owned(), said.to_owned()] })
}

/// What lies in a folder, as parts of the site; `without` are names that are none.
pub fn parts(listing: &Listing, folder: &RelPath, at: &RelPath, without: &[&[u8]]) -> Vec<String> {
    let names = listing.inside(folder).filter(|name| !without.contains(name));
    names.map(|name| at.join(name).as_pattern()).collect()
}
