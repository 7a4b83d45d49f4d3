//! What a user should know before restoring a backup. Pure but for the `.meta` file beside it.

use super::{Facts, moment, php};
use crate::api::answer::site_config::Meaning;
use crate::backup::contents::Scan;
use crate::backup::layout::{self, ConfigItem, Layout};
use crate::backup::meta::Meta;
use crate::backup::name::human_size;
use crate::backup::source::{Form, Source};
use crate::config::Config;
use crate::text::printable;

/// A backup older than this many days is said to be old.
const OLD_DAYS: i64 = 7;
const DAY_S: i64 = 24 * 3600;

/// As sentences, those about what is missing first.
pub(super) fn warnings(source: &Source, found: &Scan, config: &Config, facts: &Facts) -> Vec<String> {
    let mut list: Vec<String> = source.passed_over.iter().map(|why| format!("Passed over {why}.")).collect();
    list.extend(missing(source, found));
    if let Some(foreign) = &source.foreign {
        list.extend(foreign.lacks.iter().cloned());
        list.extend(foreign.keeps_settings(found.seen.root).map(str::to_owned));
        list.extend(foreign.unsure(found).map(str::to_owned));
        list.extend(foreign.left_out(found));
        list.extend(foreign.other_prefix(found, true).map(|error| format!("{}.", error.message)));
    }
    let counted = found.dump.iter().flat_map(|dump| &dump.tables).map(|table| (table.name.as_str(), table.rows));
    list.extend(source.other_rows(counted).map(|error| format!("{}.", error.message)));
    list.extend(found.dump.as_ref().and_then(|dump| dump.survey.origin.failed()));
    list.extend(age(source, facts));
    list.extend(unlike_its_meta(source, found));
    if found.specials > 0 {
        list.push(format!("{} devices, FIFOs or sockets in it will not be restored.", found.specials));
    }
    if found.without_end_mark {
        list.push("Its archive has no end mark. The checksum of gzip says that nothing is missing.".to_owned());
    }
    list.extend(left_out(found));
    if source.is_layered() {
        list.push(
            "Deletions between incremental backups are not recorded: files deleted since the full one come back."
                .into(),
        );
    }
    list.extend(other_php(found, config));
    let strange: Vec<&String> = found.seen.others.iter().take(5).collect();
    if !strange.is_empty() && found.layout.as_deref() != Some("all_domains") {
        let names: Vec<String> = strange.iter().map(|name| printable(name)).collect();
        list.push(format!("Not restored, because it belongs to no component: {}.", names.join(", ")));
    }
    list.extend(no_room(found, config, facts));
    list
}

fn missing(source: &Source, found: &Scan) -> Vec<String> {
    let mut list = Vec::new();
    if !found.seen.root {
        list.push("The backup holds no files of the site.".to_owned());
    }
    match &found.dump {
        None if of(found).is_some_and(Layout::dump_beside) && source.form == Form::Backup => list.push(format!(
            "The backup holds no database: no dump was written beside it within {} minutes after it.",
            crate::backup::locate::DUMP_WITHIN_S / 60
        )),
        None => list.push("The backup holds no database.".to_owned()),
        Some(dump) if !dump.complete => list
            .push(format!("{} does not end with the line of a finished dump; it may be cut.", printable(&dump.name))),
        Some(_) => {}
    }
    if let (Some(first), Some(second)) = (&found.seen.dump, &found.seen.second_dump) {
        let (first, second) = (printable(first), printable(second));
        list.push(format!("The backup holds two databases, {first} and {second}: neither can be restored."));
    }
    list.extend(found.seen.config_links.iter().take(5).map(|(_, link)| format!("Not restored: {link}.")));
    if source.foreign.is_some() {
        // What it has of configuration is another machine's, and is not looked for.
    } else if found.config.is_empty() {
        list.push("The backup holds no configuration.".to_owned());
    } else if found.seen.config.contains(&ConfigItem::Ssl) && !has_pair(found) {
        list.push("The backup holds a certificate without its key, or a key without its certificate.".to_owned());
    }
    list
}

fn has_pair(found: &Scan) -> bool {
    let named = |part: &str| found.config.iter().any(|file| file.item == ConfigItem::Ssl && file.name.contains(part));
    named("key") && (named("cert") || named("chain"))
}

fn age(source: &Source, facts: &Facts) -> Option<String> {
    let made = source.stamp.or_else(|| source.parts.first().map(moment))?;
    let seconds = facts.now?.seconds_since(made);
    let days = seconds / DAY_S;
    (seconds > OLD_DAYS * DAY_S)
        .then(|| format!("The backup is {days} days old ({made}): what changed since then is not in it."))
}

fn unlike_its_meta(source: &Source, found: &Scan) -> Vec<String> {
    let Some(part) = source.parts.iter().find(|part| part.path == source.path) else { return Vec::new() };
    // An incremental one's .meta speaks of the changed files alone.
    let entries = found.files + found.folders + found.links;
    let counts =
        if source.is_layered() { &[][..] } else { &[found.files, found.files + found.links, entries, entries + 1][..] };
    let said = Meta::beside(&source.path).contradictions(source.site.domain.as_str(), part.identity.size, counts);
    said.into_iter().map(|said| format!("The archive is the truth, but {said}.")).collect()
}

fn of(found: &Scan) -> Option<&'static dyn Layout> {
    layout::named(found.layout.as_deref()?)
}

fn left_out(found: &Scan) -> Option<String> {
    let layout = of(found)?;
    let left_out = layout.left_out().join(", ");
    let tables = if layout.dumps_every_table() { "" } else { " and, for WordPress, some tables" };
    (!left_out.is_empty())
        .then(|| format!("Its writer leaves out {left_out}{tables}: those of the live site are kept."))
}

fn other_php(found: &Scan, config: &Config) -> Vec<String> {
    let Some(here) = php::installed(config) else { return Vec::new() };
    let shown = |(major, minor): php::Version| format!("PHP {major}.{minor}");
    let mut list = Vec::new();
    let application = &found.application;
    if let Some(wanted) = application.php.as_deref().filter(|wanted| php::allows(wanted, here) == Some(false)) {
        let name = application.name.as_deref().unwrap_or("The application");
        list.push(format!("{name} asks for PHP {}; {} is installed here.", printable(wanted), shown(here)));
    }
    let mut sockets: Vec<(&str, &str)> = Vec::new();
    for meaning in found.config.iter().filter_map(|file| file.meaning.as_ref()?.meaning.as_ref()) {
        match meaning {
            Meaning::Nginx(site) => {
                sockets.extend(site.fastcgi.iter().map(|path| ("nginx passes PHP to", path.as_str())));
            }
            Meaning::PhpFpm(file) => {
                let listens = file.pools.iter().map(|pool| ("The PHP-FPM pool listens on", pool.listen.as_str()));
                sockets.extend(listens);
            }
            Meaning::Ssl(_) | Meaning::Cron(_) => {}
        }
    }
    for (who, path) in sockets {
        if let Some(other) = php::named(path).filter(|other| *other != here) {
            let path = printable(path);
            list.push(format!("{who} {path}, of {}; {} is installed here.", shown(other), shown(here)));
        }
    }
    list
}

fn no_room(found: &Scan, config: &Config, facts: &Facts) -> Vec<String> {
    let short = facts.filesystems.iter().filter(|room| !room.enough).map(|room| {
        let (needed, free) = (human_size(room.needed), human_size(room.free));
        format!("Not enough space on the filesystem of {}: {needed} needed, {free} free.", room.path.display())
    });
    let short: Vec<String> = short.collect();
    let required = super::required_bytes(found, config);
    if short.is_empty() && facts.available_bytes.is_some_and(|free| free < required) {
        return vec![format!("Not enough space: {} needed.", human_size(required))];
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answer::site_config::{ConfigMeaning, NginxSite, PhpPool, PhpPools};
    use crate::backup::layout::Holds;
    use crate::backup::name::{Kind, Stamp};
    use crate::backup::scan::{Application, ConfigFound, DumpScan};
    use crate::backup::source::{Part, Role};
    use crate::host::site::Site;
    use crate::path::Domain;

    struct Setting {
        folder: tempfile::TempDir,
        config: Config,
    }

    impl Setting {
        fn new() -> Setting {
            let mut config = Config::default();
            config.paths.php_pool_dir = "/etc/php/8.2/fpm/pool.d".into();
            Setting { folder: tempfile::tempdir().unwrap(), config }
        }

        fn source(&self, names: &[&str]) -> Source {
            let open = |name: &&str| {
                let path = self.folder.path().join(name);
                std::fs::write(&path, "x").unwrap();
                Part::open(&path, Role::Archive).unwrap()
            };
            let parts: Vec<Part> = names.iter().map(open).collect();
            let path = parts.last().unwrap().path.clone();
            let site = Site::find(&self.config, &Domain::parse("example.com").unwrap()).unwrap();
            let stamp = Stamp::parse("20251004_030000");
            Source {
                form: Form::Backup,
                path,
                stamp,
                kind: Kind::Full,
                parts,
                layout: None,
                holds: Holds::SiteFolder,
                site,
                passed_over: Vec::new(),
                foreign: None,
            }
        }

        fn said(&self, source: &Source, found: &Scan, now: &str) -> String {
            let facts = Facts { now: Stamp::parse(now), ..Facts::default() };
            warnings(source, found, &self.config, &facts).join("\n")
        }
    }

    fn scan() -> Scan {
        let mut found = Scan { dump: Some(DumpScan { complete: true, ..DumpScan::default() }), ..Scan::default() };
        found.seen.root = true;
        found
    }

    #[test]
    fn a_backup_older_than_a_week_says_how_old_it_is() {
        let setting = Setting::new();
        let source = setting.source(&["backup_20251004_030000.tar.gz"]);
        assert!(!setting.said(&source, &scan(), "20251011_030000").contains("days old"));
        assert!(setting.said(&source, &scan(), "20251011_030001").contains("7 days old (2025-10-04T03:00:00)"));
        assert!(setting.said(&source, &scan(), "20251125_030000").contains("52 days old"));
    }

    #[test]
    fn what_its_writer_leaves_out_and_what_a_chain_cannot_tell_are_said() {
        let setting = Setting::new();
        let full = setting.source(&["backup_20251004_030000.tar.gz"]);
        let smart = Scan { layout: Some("smart_full".into()), dump: None, ..scan() };
        let said = setting.said(&full, &smart, "20251004_040000");
        assert!(
            said.contains("node_modules") && said.contains("some tables") && said.contains("within 15 minutes"),
            "{said}"
        );
        assert!(!said.contains("Deletions"));
        let chain = setting.source(&["backup_20251004_030000.tar.gz", "backup_20251005_030000_incremental.tar.gz"]);
        assert!(setting.said(&chain, &smart, "20251004_040000").contains("Deletions"));
        let design = Scan { layout: Some("design".into()), ..scan() };
        assert!(!setting.said(&full, &design, "20251004_040000").contains("leaves out"));
    }

    #[test]
    fn a_meta_file_that_lies_is_named_and_an_incremental_ones_count_is_of_its_own_files() {
        let setting = Setting::new();
        let source = setting.source(&["backup_20251004_030000.tar.gz"]);
        let meta = setting.folder.path().join("backup_20251004_030000.tar.gz.meta");
        std::fs::write(&meta, "domain=other.com\nfile_count=3\nbackup_size=99\n").unwrap();
        let said = setting.said(&source, &Scan { files: 4, ..scan() }, "20251004_040000");
        for part in ["other.com", "99 bytes", "3 files"] {
            assert!(said.contains(part), "{said}");
        }
        let chain = setting.source(&["backup_20251001_030000.tar.gz", "backup_20251004_030000_incremental.tar.gz"]);
        std::fs::write(setting.folder.path().join("backup_20251004_030000_incremental.tar.gz.meta"), "file_count=3")
            .unwrap();
        assert!(!setting.said(&chain, &Scan { files: 4, ..scan() }, "20251004_040000").contains(".meta"));
    }

    #[test]
    fn another_php_than_the_one_installed_is_said_from_the_application_and_both_sockets() {
        let setting = Setting::new();
        let source = setting.source(&["backup_20251004_030000.tar.gz"]);
        let config = |item, meaning| {
            let meaning = ConfigMeaning {
                item,
                name: "x".into(),
                target: "/x".into(),
                bytes: 1,
                meaning: Some(meaning),
                problem: None,
            };
            ConfigFound { item, name: "x".into(), size: 1, content: None, hash: None, meaning: Some(meaning) }
        };
        let site = |fastcgi: &[&str]| {
            let fastcgi = fastcgi.iter().map(|path| (*path).to_owned()).collect();
            config(ConfigItem::Nginx, Meaning::Nginx(NginxSite { fastcgi, ..NginxSite::default() }))
        };
        let pool = |listen: &str| {
            let pool = PhpPool { pool: "p".into(), user: "u".into(), group: String::new(), listen: listen.to_owned() };
            config(ConfigItem::PhpFpm, Meaning::PhpFpm(PhpPools { pools: vec![pool] }))
        };
        let mut found = scan();
        found.application = Application { name: Some("laravel".into()), version: None, php: Some("^8.3".into()) };
        found.config = vec![site(&["unix:/run/php/php7.4-fpm.sock"]), pool("/run/php/php8.1-fpm-shop.sock")];
        let said = setting.said(&source, &found, "20251004_040000");
        assert!(said.contains("laravel asks for PHP ^8.3; PHP 8.2 is installed here."), "{said}");
        assert!(said.contains("of PHP 7.4") && said.contains("of PHP 8.1"), "{said}");
        found.application.php = Some("^8.1".into());
        found.config = vec![site(&["unix:/run/php/php8.2-fpm.sock", "127.0.0.1:9000"])];
        assert!(!setting.said(&source, &found, "20251004_040000").contains("PHP 8.2 is installed"));
    }
}
