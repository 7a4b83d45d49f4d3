//! What is answered of the names in a backup.

use super::{Answered, Asked, Tool, any, cpanel, cyberpanel, hestia, updraftplus};
use crate::api::Import;
use crate::backup::layout::{Holds, Place};
use crate::backup::survey::Listing;
use crate::error::{Code, Result};
use crate::host::site::Site;
use crate::path::RelPath;
use std::path::Path;

/// Asks a tool, for a site with its document root in `inner` of its folder.
fn ask(tool: &dyn Tool, listing: Listing, inner: &str, root: Option<&str>) -> Result<Answered> {
    let folder = Path::new("/var/www/site.example");
    let site = Site { root: folder.join(inner), ..Site::in_one_folder(folder) };
    let from = folder.join("x.tar");
    let import = Import { from, dump: None, root: root.map(str::to_owned), ..Import::default() };
    let inside: Vec<RelPath> = listing.inner.clone();
    let asked = Asked {
        listings: &[listing],
        inner: &inside,
        import: &import,
        site: &site,
        live_prefix: Some("wp_"),
        live_laravel: false,
        database: true,
    };
    tool.answer(&asked)
}

fn of(names: &[&str], inner: &str, root: Option<&str>) -> Result<Answered> {
    ask(&any::Any, Listing::of_names(names), inner, root)
}

fn parts(names: &[&str]) -> (Vec<String>, String) {
    let answered = of(names, "", None).unwrap();
    (answered.parts.expect("an overlay"), answered.lacks.join(" "))
}

fn place(answered: &Answered, path: &str) -> Place {
    answered.places[0].place(&RelPath::parse(path.as_bytes()).unwrap())
}

#[test]
fn a_core_below_the_configuration_is_the_site() {
    let names = ["wp-config.php", "htdocs/wp-load.php", "htdocs/wp-includes/version.php"];
    let around = of(&names, "htdocs", None).unwrap();
    assert_eq!((around.holds, around.parts.is_none()), (Some(Holds::SiteFolder), true));
    assert!(
        matches!(place(&around, "htdocs/wp-load.php"), Place::Site(path) if path.as_bytes() == b"htdocs/wp-load.php")
    );
    let flat = of(&names, "", None).unwrap();
    assert!(flat.parts.is_none());
    assert!(matches!(place(&flat, "htdocs/wp-load.php"), Place::Site(path) if path.as_bytes() == b"wp-load.php"));
    let two = [&names[..], &["staging/wp-load.php", "staging/wp-includes/version.php"]].concat();
    let asked = of(&two, "", None).unwrap_err();
    assert_eq!(asked.code, Code::BackupLayoutUnknown);
    assert!(asked.message.contains("htdocs, staging"), "{}", asked.message);
    // The core in a folder of its own, which the site's own page calls.
    let own =
        ["index.php", "wp-config.php", "wp-content/themes/a/style.css", "wp/wp-load.php", "wp/wp-includes/version.php"];
    assert!(of(&own, "", None).unwrap().parts.is_none());
    let (parts, lacks) =
        parts(&["wp-config.php", "wp-content/themes/a.php", "blog/wp-load.php", "blog/wp-includes/a.php"]);
    assert_eq!(parts, ["wp-config.php", "wp-content/themes"]);
    assert!(lacks.contains("it holds blog, which is not restored"), "{lacks}");
}

#[test]
fn a_core_without_its_library_leaves_the_live_one() {
    let torn = [
        "wp-load.php",
        "index.php",
        "wp-config.php",
        "wp-content/plugins/a.php",
        "wp-login.php",
        "shop/a.txt",
        "db.sql",
    ];
    for without in [&torn[..], &torn[1..], &[&torn[..1], &torn[2..]].concat()] {
        let (parts, lacks) = parts(without);
        assert_eq!(parts, ["wp-config.php", "wp-content/plugins"], "{without:?}");
        assert!(lacks.contains("no core of WordPress") && lacks.contains("it holds shop, which"), "{lacks}");
    }
    let nothing = of(&["wp-load.php", "index.php"], "", None).unwrap_err();
    assert!(nothing.message.contains("nothing of a site"), "{}", nothing.message);
    assert!(of(&["wp-load.php", "wp-config.php", "wp-includes/a.php"], "", None).unwrap().parts.is_none());
    assert!(of(&["artisan", "public/index.php", "public/wp-content/uploads/a"], "", None).unwrap().parts.is_none());
}

#[test]
fn content_is_found_however_deep_it_lies() {
    for around in ["var/www/vhosts/x", "home/U1/domains/x/public_html", "a"] {
        let path = |name: &str| format!("{around}/{name}");
        let first =
            [path("wp-content/plugins/a/b/c.php"), path("wp-content/themes/t/style.css"), path("wp-config.php")];
        // Before the last name all that was seen lay in one folder, and after it in none.
        let names: Vec<&str> = first.iter().map(String::as_str).chain(["root/db.sql"]).collect();
        for names in [names.clone(), names.iter().rev().copied().collect()] {
            let (parts, lacks) = parts(&names);
            assert_eq!(parts, ["wp-config.php", "wp-content/plugins", "wp-content/themes"], "{names:?}");
            assert!(lacks.contains("no core of WordPress"), "{lacks}");
        }
        let core = path("wp-includes/a.php");
        assert!(of(&[&names[..], &[core.as_str()]].concat(), "", None).unwrap().parts.is_none(), "{around}");
    }
}

#[test]
fn an_archive_beside_a_dump_has_to_hold_an_application() {
    let within = |names: &[&str], root| {
        let inner = vec![RelPath::parse(b"only.tar.gz").unwrap()];
        ask(&any::Any, Listing { inner, ..Listing::of_names(names) }, "", root)
    };
    let other = ["db.sql", "only.tar.gz/phpmyadmin/index.html", "only.tar.gz/phpmyadmin/js/a.js"];
    let asked = within(&other, None).unwrap_err();
    assert_eq!(asked.code, Code::BackupLayoutUnknown);
    assert!(asked.message.contains("only.tar.gz, holds no application"), "{}", asked.message);
    assert!(within(&other, Some("only.tar.gz/phpmyadmin")).unwrap().files);
    let site = within(&["db.sql", "only.tar.gz/www/wp-config.php", "only.tar.gz/www/wp-includes/a.php"], None).unwrap();
    assert!(site.lacks.join(" ").contains("those of only.tar.gz"), "{:?}", site.lacks);
}

#[test]
fn the_top_of_a_users_backup_is_no_document_root() {
    let lost = ask(&cyberpanel::CyberPanel, Listing::of_names(&["meta.xml", "x.pem", "vmail/a/b"]), "", None);
    assert_eq!(lost.unwrap_err().code, Code::BackupIncomplete);
    assert!(ask(&cyberpanel::CyberPanel, Listing::of_names(&["meta.xml", "public_html/a.html"]), "", None).is_ok());
    let mut listing =
        Listing::of_names(&["u/userdata/main", "u/userdata/x.example", "u/homedir/.ssh/id", "u/homedir/a/index.html"]);
    let text = |path: &str, text: &str| (RelPath::parse(path.as_bytes()).unwrap(), text.as_bytes().to_vec());
    listing.texts.extend([
        text("u/userdata/main", "main_domain: x.example\n"),
        text("u/userdata/x.example", "documentroot: /home/U1/\n"),
    ]);
    assert!(ask(&cpanel::Cpanel, listing, "", None).is_err());
}

#[test]
fn a_document_root_that_is_too_deep_to_be_known_is_asked_for() {
    let at = |docroot: &str| {
        let mut listing = Listing::of_names(&[
            "pam/passwd",
            "hestia/user.conf",
            "web/x.example/hestia/web.conf",
            "web/x.example/domain_data.tar/public_html/a/index.html",
        ]);
        listing.names.insert(RelPath::parse(b"web/x.example/domain_data.tar").unwrap(), false);
        let text = format!("CUSTOM_DOCROOT='/home/U1/web/x.example/{docroot}'");
        listing.texts.insert(RelPath::parse(b"web/x.example/hestia/web.conf").unwrap(), text.into_bytes());
        ask(&hestia::Hestia, listing, "", None).map(|answered| answered.root)
    };
    assert!(at("public_html/a").is_ok());
    assert_eq!(at("public_html/a/b/c/d/e/f/g").unwrap_err().code, Code::BackupIncomplete);
}

#[test]
fn a_set_with_the_core_says_that_the_rest_stays() {
    let file = "backup_2026-11-28-0044_Shop_83e4400b3860-wpcore.zip".to_owned();
    let listing = Listing { file, ..Listing::of_names(&["wp-load.php", "wp-includes/a.php"]) };
    let answered = ask(&updraftplus::UpdraftPlus, listing, "", None).unwrap();
    assert_eq!(answered.parts.unwrap(), ["wp-includes", "wp-load.php"]);
    assert!(answered.lacks[0].contains("outside of what it holds stays"), "{:?}", answered.lacks);
}
