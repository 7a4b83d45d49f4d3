//! Where a site lives, and that a backup is never put one level off: the forms of a real panel on a document root below the site's
//! folder, on another mount, behind a link, and on a machine that has lost it.

use crate::world::bare::{Tree, differences, look};
use crate::world::fault::{Filesystem, run, text};
use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A site below `folder`: its pages in `public_html`, beside them what visitors never see.
fn site_in(folder: &Path, side: &str) {
    std::fs::create_dir_all(folder.join("public_html/wp-content")).unwrap();
    std::fs::create_dir_all(folder.join("private")).unwrap();
    for name in ["public_html/index.php", "public_html/wp-content/x", "private/key", ".bashrc"] {
        std::fs::write(folder.join(name), format!("{side} {name}")).unwrap();
    }
}

struct Machine {
    world: World,
    /// What the backups are made of.
    good: PathBuf,
}

impl Machine {
    fn new() -> Machine {
        let world = World::bare();
        let good = world.place().join("tmp/good");
        site_in(&good.join("var/www").join(DOMAIN), "good");
        Machine { world, good }
    }

    fn says(&self, root: &Path) {
        let list = self.world.place().join("base/config/domains.list");
        std::fs::write(list, format!("other.example|/srv/other|2026-01-01\n{DOMAIN}|{}|2026-01-02\n", text(root)))
            .unwrap();
    }

    /// The tree of the good side below its folder.
    fn good_tree(&self, inner: &str) -> Tree {
        look(&self.good.join("var/www").join(DOMAIN).join(inner))
    }

    fn pack(&self, name: &str, words: &[&str]) -> PathBuf {
        let folder = if name.starts_with("domain_") || name.starts_with("all_") {
            self.world.place().join("base/backups")
        } else {
            self.world.place().join("base/backups").join(DOMAIN)
        };
        let archive = folder.join(name);
        run("tar", &[&["-czf", text(&archive)], words].concat());
        archive
    }

    /// As `smart_backup_domain`.
    fn smart(&self) -> PathBuf {
        self.pack("backup_20260102_030405.tar.gz", &["-C", text(&self.good), &format!("var/www/{DOMAIN}")])
    }

    /// As `backup_domain_local`.
    fn domain(&self) -> PathBuf {
        let around = self.good.join("var/www").join(DOMAIN);
        self.pack(&format!("domain_{DOMAIN}_20260102_030406.tar.gz"), &["-C", text(&around), "public_html"])
    }

    fn request(archive: &Path) -> Value {
        json!({"domain": DOMAIN, "backup": archive, "components": {"files": true}, "wait": true})
    }

    fn restore(&self, archive: &Path) -> Value {
        self.world.call("validate", Machine::request(archive));
        self.world.call("restore_start", Machine::request(archive))
    }

    fn back(&self, restored: &Value) {
        let job = World::job(restored);
        self.world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    }
}

#[track_caller]
fn assert_same(one: &Tree, two: &Tree, when: &str) {
    assert!(!two.is_empty() && one == two, "{when}:\n{}", differences(one, two));
}

#[test]
fn what_a_backup_holds_decides_which_folder_it_takes_the_place_of() {
    let machine = Machine::new();
    let folder = machine.world.root();
    site_in(&folder, "live");
    machine.says(&folder.join("public_html"));
    let live = look(&folder);

    // The site folder.
    let restored = machine.restore(&machine.smart());
    assert_same(&look(&folder), &machine.good_tree(""), "smart");
    machine.back(&restored);
    assert_same(&look(&folder), &live, "smart, back");

    // The document root: what lies beside it stays.
    let restored = machine.restore(&machine.domain());
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "domain");
    assert_eq!(std::fs::read_to_string(folder.join("private/key")).unwrap(), "live private/key");
    machine.back(&restored);
    assert_same(&look(&folder), &live, "domain, back");

    // The same for all domains at once, and by its absolute path.
    let all = machine.good.join("all").join(DOMAIN);
    std::fs::create_dir_all(&all).unwrap();
    run("cp", &["-a", text(&machine.good.join("var/www").join(DOMAIN).join("public_html")), text(&all)]);
    let archive = machine.pack("all_domains_20260102_030407.tar.gz", &["-C", text(&machine.good.join("all")), "."]);
    machine.restore(&archive);
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "all domains");
    assert_eq!(std::fs::read_to_string(folder.join("private/key")).unwrap(), "live private/key");
    let transform =
        format!("--transform=s,^public_html,{},", text(&folder.join("public_html")).trim_start_matches('/'));
    let around = machine.good.join("var/www").join(DOMAIN);
    let archive = machine.pack("wordpress_20260102.tar.gz", &[&transform, "-C", text(&around), "public_html"]);
    std::fs::write(folder.join("public_html/index.php"), "broken").unwrap();
    machine.restore(&archive);
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "by its path");
    assert_eq!(std::fs::read_to_string(folder.join("private/key")).unwrap(), "live private/key");
}

#[test]
fn a_folder_named_www_holds_what_is_in_it() {
    let machine = Machine::new();
    let folder = machine.world.root();
    site_in(&folder, "live");
    machine.says(&folder.join("public_html"));
    // The whole folder, and the pages alone.
    let around = machine.good.join("var/www").join(DOMAIN);
    machine.world.pack(&around);
    machine.restore(&machine.world.archive());
    assert_same(&look(&folder), &machine.good_tree(""), "a folder");
    site_in(&folder, "live");
    machine.world.pack(&around.join("public_html"));
    machine.restore(&machine.world.archive());
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "pages");
    assert_eq!(std::fs::read_to_string(folder.join("private/key")).unwrap(), "live private/key");
}

#[test]
fn a_backup_without_the_document_root_is_refused_before_and_by_the_restore() {
    let machine = Machine::new();
    let folder = machine.world.root();
    site_in(&folder, "live");
    std::fs::rename(folder.join("public_html"), folder.join("htdocs")).unwrap();
    machine.says(&folder.join("htdocs"));
    let live = look(&folder);
    let archive = machine.smart();
    // What an earlier look found was of the document root of that time.
    machine.says(&folder.join("public_html"));
    machine.world.call("preview_backup", json!({"domain": DOMAIN, "backup": archive, "wait": true}));
    machine.says(&folder.join("htdocs"));
    let checks = machine.world.call("validate", Machine::request(&archive));
    assert_eq!(checks["outcome"], "fail", "{checks}");
    assert!(checks.to_string().contains("holds no htdocs"), "{checks}");
    let error = machine.world.refused("restore_start", Machine::request(&archive));
    assert_eq!(error["code"], "backup_incomplete", "{error}");
    assert!(error["message"].as_str().unwrap().contains("holds no htdocs"), "{error}");
    assert_same(&look(&folder), &live, "refused");
}

#[test]
fn a_site_behind_a_link_and_on_another_mount_is_exchanged_there() {
    let mut machine = Machine::new();
    std::fs::create_dir(machine.world.place().join("disk")).unwrap();
    machine.world.put_on("disk", Filesystem::Tmpfs(256));
    let disk = machine.world.place().join("disk");
    let folder = disk.join("sites/shop");
    site_in(&folder, "live");
    symlink(&folder, machine.world.root()).unwrap();
    let live = look(&folder);
    let restored = machine.restore(&machine.smart());
    assert_same(&look(&folder), &machine.good_tree(""), "behind a link");
    assert!(machine.world.root().symlink_metadata().unwrap().is_symlink());
    assert!(disk.join(".rocketvps-restore").is_dir(), "staged beside the site");
    machine.back(&restored);
    assert_same(&look(&folder), &live, "back");

    // By the list, several levels deep, without the link.
    std::fs::remove_file(machine.world.root()).unwrap();
    machine.says(&folder.join("public_html"));
    let restored = machine.restore(&machine.domain());
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "by the list");
    machine.back(&restored);
    assert_same(&look(&folder), &live, "by the list, back");
    // What is kept there is found and removed with its snapshots.
    for snapshot in machine.world.call("list_snapshots", json!({"domain": DOMAIN}))["snapshots"].as_array().unwrap() {
        machine.world.call("delete_snapshot", json!({"domain": DOMAIN, "snapshot": snapshot["path"], "wait": true}));
    }
    let left = std::fs::read_dir(disk.join(".rocketvps-restore")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn a_site_that_is_gone_comes_back_where_it_was_and_goes_again() {
    let machine = Machine::new();
    let folder = machine.world.root();
    machine.says(&folder.join("public_html"));
    let restored = machine.restore(&machine.domain());
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "domain");
    assert_eq!((folder.metadata().unwrap().uid(), folder.metadata().unwrap().mode() & 0o777), (0, 0o755));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    drop(restored);
    std::fs::remove_dir_all(&folder).unwrap();
    let restored = machine.restore(&machine.smart());
    assert_same(&look(&folder), &machine.good_tree(""), "smart");
    // There is nothing to go back to: a rollback says so, and takes nothing away that it could not keep.
    let job = World::job(&restored);
    let back = machine.world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    assert!(back["notes"].to_string().contains("was not there before"), "{back:#}");
    assert_same(&look(&folder), &machine.good_tree(""), "it stays");
}

#[test]
fn nginx_says_where_a_site_lives_and_a_broken_configuration_does_not() {
    let machine = Machine::new();
    let folder = machine.world.root();
    site_in(&folder, "live");
    let sites = machine.world.place().join("sites");
    let serve = |root: &Path| {
        let text = format!("server {{ listen 80; server_name {DOMAIN} www.{DOMAIN}; root {}; }}\n", text(root));
        std::fs::write(sites.join(DOMAIN), text).unwrap();
    };
    serve(&folder.join("public_html"));
    machine.restore(&machine.domain());
    assert_same(&look(&folder.join("public_html")), &machine.good_tree("public_html"), "by nginx");
    assert!(folder.join("private/key").exists());
    // An application whose pages are one folder further down.
    std::fs::write(folder.join("public_html/artisan"), "").unwrap();
    std::fs::create_dir(folder.join("public_html/public")).unwrap();
    serve(&folder.join("public_html/public"));
    let shown =
        machine.world.call("preview_backup", json!({"domain": DOMAIN, "backup": machine.domain(), "wait": true}));
    assert_eq!(shown["files"]["document_root"], json!(folder.join("public_html")));
    for wrong in [Path::new("/nowhere"), Path::new("/"), &machine.world.place().join("web")] {
        serve(wrong);
        let shown =
            machine.world.call("preview_backup", json!({"domain": DOMAIN, "backup": machine.smart(), "wait": true}));
        assert_eq!(shown["files"]["document_root"], json!(folder), "{wrong:?}");
    }
}

#[test]
fn a_site_of_another_domain_inside_is_named_and_can_be_left_out() {
    let machine = Machine::new();
    let folder = machine.world.root();
    site_in(&folder, "live");
    let inside = folder.join("public_html/addon");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("index.php"), "of the addon").unwrap();
    let list = machine.world.place().join("base/config/domains.list");
    std::fs::write(
        &list,
        format!(
            "{DOMAIN}|{}|2026-01-02\naddon.example|{}|2026-01-02\n",
            text(&folder.join("public_html")),
            text(&inside)
        ),
    )
    .unwrap();
    let said = |request: &Value| {
        let checks = machine.world.call("validate", request.clone());
        let checks =
            checks["groups"].as_array().unwrap().iter().flat_map(|group| group["checks"].as_array().unwrap().clone());
        checks.filter(|check| check["name"] == "sites_inside").collect::<Vec<_>>()
    };
    let request = Machine::request(&machine.domain());
    let checks = said(&request);
    assert_eq!((checks.len(), &checks[0]["outcome"]), (1, &json!("warn")), "{checks:?}");
    assert!(checks[0]["message"].as_str().unwrap().contains("addon.example"), "{checks:?}");
    assert!(
        checks[0]["figures"]["hint"].as_str().unwrap().contains("\"exclude\":{\"files\":[\"addon\"]}"),
        "{checks:?}"
    );
    let without = with_fields(request, &json!({"exclude": {"files": ["addon"]}}));
    assert_eq!(said(&without), Vec::<Value>::new());
    machine.world.call("restore_start", without);
    assert_eq!(std::fs::read_to_string(inside.join("index.php")).unwrap(), "of the addon");
    // Nobody lists it, and nginx serves it.
    machine.says(&folder.join("public_html"));
    assert_eq!(said(&Machine::request(&machine.domain())), Vec::<Value>::new());
    let server = format!("server {{ listen 80; server_name addon.example; root {}; }}\n", text(&inside));
    std::fs::write(machine.world.place().join("sites/addon.example.conf"), server).unwrap();
    assert_eq!(said(&Machine::request(&machine.domain())).len(), 1);
}

#[test]
fn a_list_that_cannot_be_is_an_error_that_says_what_to_correct() {
    let machine = Machine::new();
    site_in(&machine.world.root(), "live");
    let archive = machine.smart();
    let web = machine.world.place().join("web");
    for (wrong, why) in [
        (web.as_path(), "more than one site"),
        (Path::new("/srv"), "is the system's"),
        (Path::new("relative"), "no absolute path"),
    ] {
        machine.says(wrong);
        let error = machine.world.refused("restore_start", Machine::request(&archive));
        assert_eq!(error["code"], "config_invalid", "{error}");
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("domains.list"), "{error}");
    }
    // Not the administrator's alone.
    machine.says(&machine.world.root());
    let list = machine.world.place().join("base/config/domains.list");
    assert!(Command::new("chmod").arg("666").arg(&list).status().unwrap().success());
    let error = machine.world.refused("restore_start", Machine::request(&archive));
    assert!(error["message"].as_str().unwrap().contains("others may write to it"), "{error}");
}

fn owner(path: &Path) -> (u32, u32) {
    let meta = path.symlink_metadata().unwrap();
    (meta.uid(), meta.gid())
}

/// Files as they come: with owners of their own, and among them what no restore can or should make.
#[test]
fn everything_belongs_to_whom_it_belonged_and_an_odd_entry_is_not_the_end_of_the_whole() {
    let machine = Machine::new();
    let (live, good) = (machine.world.root(), machine.world.place().join("tmp/site"));
    for (root, side) in [(&live, "live"), (&good, "good")] {
        std::fs::create_dir_all(root.join("uploads")).unwrap();
        std::fs::create_dir_all(root.join("bin")).unwrap();
        for name in ["index.php", ".htaccess", "uploads/a", "bin/run"] {
            std::fs::write(root.join(name), format!("{side} {name}")).unwrap();
        }
        run("mkfifo", &[text(&root.join("worker.ctl"))]);
        symlink("../../media", root.join("media")).unwrap();
        run("chown", &["-Rh", "1005:1006", text(root)]);
        run("chown", &["-Rh", "33:33", text(&root.join("uploads"))]);
        chown(root.join(".htaccess"), Some(0), Some(0)).unwrap();
    }
    std::fs::write(good.join("uploads/new"), "good").unwrap();
    chown(good.join("uploads/new"), Some(33), Some(33)).unwrap();
    std::fs::write(good.join("first"), "two names").unwrap();
    std::fs::hard_link(good.join("first"), good.join("second")).unwrap();
    std::fs::set_permissions(good.join("bin/run"), PermissionsExt::from_mode(0o755)).unwrap();
    // Of two names the archive has the second one alone.
    let archive = machine.world.archive();
    let around = ["-C", text(&good), "--transform=flags=rhS;s,^\\.,./www,"];
    let plain = machine.world.place().join("tmp/a.tar");
    run("tar", &[&["-cf", text(&plain)][..], &around, &["./first", "./second", "."]].concat());
    run("tar", &["--delete", "-f", text(&plain), "./www/first"]);
    std::fs::write(&archive, Command::new("gzip").args(["-c", text(&plain)]).output().unwrap().stdout).unwrap();
    let toml = machine.world.place().join("restore.toml");
    let told =
        std::fs::read_to_string(&toml).unwrap().replace("permissions = \"preserve\"", "permissions = \"standard\"");
    std::fs::write(&toml, told).unwrap();

    let restored = machine.restore(&archive);
    for (name, wanted) in [
        ("", (1005, 1006)),
        ("index.php", (1005, 1006)),
        (".htaccess", (0, 0)),
        ("uploads", (33, 33)),
        ("uploads/new", (33, 33)),
        ("bin/run", (1005, 1006)),
    ] {
        assert_eq!(owner(&live.join(name)), wanted, "{name}");
    }
    assert_eq!(std::fs::read_to_string(live.join("index.php")).unwrap(), "good index.php");
    assert_eq!(std::fs::read_link(live.join("media")).unwrap(), Path::new("../../media"));
    let notes = Vec::from_iter(restored["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()));
    for wanted in
        ["\"worker.ctl\": a FIFO, was left out", "another name of \"first\"", "1 file lost their execute bits"]
    {
        assert!(notes.iter().any(|note| note.contains(wanted)), "{wanted}: {notes:?}");
    }

    // A link that the live site does not have is refused before, and by the restore.
    machine.back(&restored);
    std::fs::remove_file(live.join("media")).unwrap();
    let checked = machine.world.call("validate", Machine::request(&archive));
    assert_eq!(checked["outcome"], "fail", "{checked}");
    assert!(checked.to_string().contains("--exclude-path media"), "{checked}");
    let refused = machine.world.refused("restore_start", Machine::request(&archive));
    assert_eq!(refused["code"], "unsafe_path", "{refused}");
    let told = std::fs::read_to_string(&toml).unwrap().replace("[files]\n", "[files]\nlink_targets = [\"/tmp\"]\n");
    std::fs::write(&toml, told).unwrap();
    machine.restore(&archive);
}

/// What only tells what has changed is not the site; another format is not damage.
/// The beginning of an archive of 7-Zip, which is not read.
const SEVEN_ZIP: [u8; 32] = *b"7z\xbc\xaf\x27\x1c\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

#[test]
fn a_backup_that_is_none_is_called_what_it_is_before_anything_is_done() {
    let machine = Machine::new();
    let (live, archive) = (machine.world.root(), machine.world.archive());
    std::fs::create_dir_all(&live).unwrap();
    std::fs::write(live.join("index.php"), "live").unwrap();
    let good = machine.good.join("var/www").join(DOMAIN).join("public_html");
    let (state, around) =
        (machine.world.place().join("tmp/state"), ["--transform=s,^\\.,./www,", "-C", text(&good), "."]);
    let pack = |words: &[&str]| run("tar", &[&["-czf", text(&archive)][..], words, &around].concat());
    pack(&["-g", text(&state)]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    std::fs::write(good.join("index.php"), "changed").unwrap();
    pack(&["-g", text(&state)]);
    let refused = |code: &str, words: &[&str]| {
        for call in ["validate", "restore_start"] {
            let error = machine.world.refused(call, Machine::request(&archive));
            assert_eq!(error["code"], code, "{call}: {error}");
            for word in words {
                assert!(error.to_string().contains(word), "{call}: {error}");
            }
        }
        assert_eq!(std::fs::read_to_string(live.join("index.php")).unwrap(), "live");
    };
    refused("backup_incomplete", &["incremental archive", "level 0"]);
    std::fs::write(&archive, SEVEN_ZIP).unwrap();
    refused("backup_unreadable", &["a 7-Zip archive", "Unpack it"]);
}

#[test]
fn latest_passes_over_what_cannot_serve_and_says_so() {
    let machine = Machine::new();
    let folder = machine.world.root();
    site_in(&folder, "live");
    machine.smart();
    let newest = machine.world.place().join("base/backups").join(DOMAIN).join("backup_20260103_000000.tar.gz");
    std::fs::write(&newest, SEVEN_ZIP).unwrap();
    let request = json!({"domain": DOMAIN, "backup": "latest", "components": {"files": true}, "wait": true});
    let said = "passed over backup_20260103_000000.tar.gz: ";
    let checked = machine.world.call("validate", request.clone());
    assert!(checked.to_string().contains(said) && checked["outcome"] == "warn", "{checked}");
    let restored = machine.world.call("restore_start", request);
    assert!(restored["notes"].to_string().contains(said), "{restored}");
    assert_same(&look(&folder), &machine.good_tree(""), "the one before it");
}

/// A backup in the layout of the design, with this in `config/ssl`.
fn with_certificates(machine: &Machine, put: impl Fn(&Path)) -> PathBuf {
    let made = machine.world.place().join("tmp/made");
    let _ = std::fs::remove_dir_all(&made);
    std::fs::create_dir_all(made.join("www")).unwrap();
    std::fs::create_dir_all(made.join("config/ssl")).unwrap();
    std::fs::write(made.join("www/index.html"), "good").unwrap();
    put(&made.join("config/ssl"));
    machine.pack("backup_20260102_030407.tar.gz", &["-C", text(&made), "."])
}

#[test]
fn a_link_in_the_place_of_a_certificate_is_none_and_is_said() {
    let machine = Machine::new();
    site_in(&machine.world.root(), "live");
    let archive = with_certificates(&machine, |ssl| {
        for name in ["fullchain", "privkey"] {
            symlink(format!("../../archive/{DOMAIN}/{name}1.pem"), ssl.join(format!("{name}.pem"))).unwrap();
        }
    });
    let request =
        |components: Value| json!({"domain": DOMAIN, "backup": archive, "components": components, "wait": true});
    // Named, and not there: an error, wherever it is asked.
    for config in [json!(true), json!(["ssl"]), json!(["ssl", "cron"]), json!(["cron"])] {
        for components in [json!({"config": config}), json!({"files": true, "config": config})] {
            let refused = machine.world.refused("restore_start", request(components.clone()));
            assert_eq!(refused["code"], "backup_incomplete", "{components}: {refused}");
            let validated = machine.world.call("validate", request(components.clone()));
            assert_eq!(validated["outcome"], "fail", "{components}: {validated}");
            let refused = machine.world.refused("diff_backup", request(components.clone()));
            assert_eq!(refused["code"], "backup_incomplete", "{components}: {refused}");
        }
    }
    let refused = machine.world.refused("restore_start", request(json!({"config": ["ssl"]})));
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("config/ssl/fullchain.pem is a link to ../../archive/"), "{message}");
    let seen = machine.world.call("preview_backup", json!({"domain": DOMAIN, "backup": archive, "wait": true}));
    assert!(seen["warnings"].to_string().contains("config/ssl/privkey.pem is a link to"), "{seen}");
    // Not named: the rest is restored, and the report says it.
    let restored = machine.world.call("restore_start", json!({"domain": DOMAIN, "backup": archive, "wait": true}));
    assert!(restored["notes"].to_string().contains("not restored: config/ssl/fullchain.pem is a link"), "{restored}");
}

#[test]
fn certificates_on_a_fresh_machine_come_with_a_word_on_their_renewal() {
    let machine = Machine::new();
    site_in(&machine.world.root(), "live");
    let for_name = |name: &str| {
        with_certificates(&machine, |ssl| {
            let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
            let (key, certificate) = (ssl.join("privkey.pem"), ssl.join("fullchain.pem"));
            let made = Command::new("openssl")
                .args(["req", "-x509", "-nodes", "-days", "60", "-newkey", "rsa:2048", "-subj", &subject])
                .args(["-addext", &names, "-keyout", text(&key), "-out", text(&certificate)])
                .output()
                .unwrap();
            assert!(made.status.success(), "{made:?}");
        })
    };
    let request =
        |archive: &Path| json!({"domain": DOMAIN, "backup": archive, "components": {"config": ["ssl"]}, "wait": true});
    // One for another name is what the backup holds, and of no use here.
    let refused = machine.world.refused("restore_start", request(&for_name("www.other.example")));
    assert_eq!(refused["code"], "tls_invalid", "{refused}");
    let message = refused["message"].as_str().unwrap();
    assert!(message.starts_with("the configuration of the backup cannot be put into use: "), "{message}");
    assert!(refused["hint"].as_str().unwrap().contains(r#""exclude":{"config":["ssl"]}"#), "{refused}");

    let request = request(&for_name(DOMAIN));
    let restored = machine.world.call("restore_start", request.clone());
    let notes = restored["notes"].to_string();
    let folder = machine.world.place().join("ssl").join(DOMAIN);
    assert!(notes.contains("certbot does not renew") && notes.contains(text(&folder)), "{notes}");
    // They are there now: a second restore has nothing new to say.
    let restored = machine.world.call("restore_start", request);
    assert!(!restored["notes"].to_string().contains("certbot"), "{restored}");
}

#[test]
fn configuration_that_is_too_much_keeps_nobody_from_the_rest() {
    let machine = Machine::new();
    for too_much in ["too many", "too large"] {
        site_in(&machine.world.root(), "live");
        let archive = with_certificates(&machine, |ssl| {
            if too_much == "too many" {
                (0..70).for_each(|number| std::fs::write(ssl.join(format!("{number}.pem")), "x").unwrap());
            } else {
                std::fs::write(ssl.join("fullchain.pem"), vec![b'x'; (1 << 20) + 1]).unwrap();
            }
        });
        let request =
            |components: Value| json!({"domain": DOMAIN, "backup": archive, "components": components, "wait": true});
        machine.world.call("preview_backup", json!({"domain": DOMAIN, "backup": archive, "wait": true}));
        let with = request(json!({"files": true, "config": ["ssl"]}));
        let refused = machine.world.refused("restore_start", with.clone());
        assert_eq!(refused["code"], "limit_exceeded", "{too_much}: {refused}");
        assert!(refused["hint"].as_str().unwrap().contains("Restore without `config`"), "{refused}");
        let validated = machine.world.call("validate", with);
        assert_eq!(validated["outcome"], "fail", "{too_much}: {validated}");
        assert!(validated.to_string().contains(refused["message"].as_str().unwrap()), "{validated}\n{refused}");
        // As the hint says.
        let without = request(json!({"files": true}));
        assert_eq!(machine.world.call("validate", without.clone())["outcome"], "pass");
        machine.world.call("restore_start", without);
        assert_eq!(std::fs::read_to_string(machine.world.root().join("index.html")).unwrap(), "good");
    }
}
