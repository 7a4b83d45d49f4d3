//! What a tenant's configuration may say, because a root process reads it: lists of what is known to be harmless
//! (`guard/nginx.rs`, `guard/pool.rs`, `guard/php.rs`, `guard/cron.rs`). The rest is refused by line and directive.
//!
//! What is not judged, and why:
//!
//! * A setting that the live file already has: it is the operator's own choice.
//! * Certificates and keys. They are data, which no program runs. `check.rs` reads them and compares each certificate with its key.
//! * Syntax. nginx and PHP-FPM test their files themselves, on a private copy (`host/services/config_test.rs`). A file that cannot be
//!   read as its language at all is refused there or in `check.rs`, so the lists let it pass.
//! * What a site does to itself: commands of its own account in cron, redirects, headers, PHP code below its document root. The
//!   tenant can do all of that without a backup.
//! * How much of the machine a site takes, beyond coarse bounds of single values. That is a limit of the service or of a cgroup.
//! * What a loopback address serves. A proxy to 127.0.0.1 is how most applications are reached, and whose a port is cannot be known
//!   before it answers. The ports of other sites' PHP pools are known: `fastcgi_pass` to one of them is refused.

mod cron;
mod nginx;
mod php;
mod pool;

use super::pool::{Listen, Pool, live_pool, other_pools, parse_listen, pools};
use super::{Item, mask};
use crate::config::{Config, domains_list};
use crate::path::Domain;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Where the judged file comes from and goes to.
pub struct Scene<'a> {
    /// The machine's configuration.
    pub config: &'a Config,
    /// Whose site it is.
    pub domain: &'a Domain,
    /// The live file it replaces.
    pub live: Option<&'a [u8]>,
    /// Where it will lie.
    pub target: &'a Path,
    /// The pool file that comes with it.
    pub pool: Option<&'a [u8]>,
}

/// Why something is refused; `None`: it is not.
type Refusal = Option<String>;

/// Everything in the file that is not known to be harmless: `line N: …`.
pub fn judge(item: Item, content: &[u8], scene: &Scene<'_>) -> Vec<String> {
    if scene.live == Some(content) {
        return Vec::new();
    }
    match item {
        Item::Nginx => nginx::judge(content, scene),
        Item::PhpFpm => pool::judge(content, scene),
        Item::Cron => cron::judge(content, scene),
        Item::Ssl => Vec::new(),
    }
}

/// Whether a row of a table, names with spaces between them, has this one.
fn lists(names: &str, name: &str) -> bool {
    names.split(' ').any(|listed| listed == name)
}

fn refuse_unless(fine: bool, why: &str) -> Refusal {
    (!fine).then(|| why.to_owned())
}

/// One refused line. What is shown of it holds no secret.
fn refused(item: Item, line: usize, text: &str, why: &str) -> String {
    let shown = mask::masked(item, text).join(" ");
    let shown = crate::text::printable(&shown.chars().take(120).collect::<String>());
    format!("line {line}: `{shown}` {why}")
}

/// Words that nobody needs in a value and that programs read in more than one way.
fn is_plain(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| (letter.is_control() && !"\t\n".contains(letter)) || letter == char::REPLACEMENT_CHARACTER)
}

/// A plain absolute path strictly below one of the folders.
fn beneath<P: AsRef<Path>>(path: &Path, folders: &[P]) -> bool {
    path.is_absolute()
        && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
        && folders.iter().map(AsRef::as_ref).any(|folder| {
            !folder.as_os_str().is_empty() && folder != Path::new("/") && path != folder && path.starts_with(folder)
        })
}

/// `/var/run` is `/run`.
fn modern(path: &str) -> PathBuf {
    Path::new(path).strip_prefix("/var/run").map_or_else(|_| path.into(), |rest| Path::new("/run").join(rest))
}

/// Whether only root decides what lies in the folder of this path: no link leads away, no other account may put one there.
fn is_in_folder_of_root(path: &Path) -> bool {
    let linked = path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_symlink());
    let folder = path.ancestors().skip(1).find(|folder| folder.symlink_metadata().is_ok());
    !linked
        && folder.is_some_and(|folder| {
            folder.canonicalize().is_ok_and(|real| real == folder)
                && folder.metadata().is_ok_and(|meta| meta.uid() == 0 && meta.mode() & 0o002 == 0)
        })
}

/// Accounts that no site runs as.
fn is_privileged(account: &str) -> bool {
    account == "root" || account.parse::<i64>().is_ok_and(|id| id <= 0)
}

impl Scene<'_> {
    fn site_root(&self) -> PathBuf {
        domains_list::site_folder(self.config, self.domain)
    }

    /// Whether a part of the path is named after this site: `shop.example.access.log`, `php8.2-fpm-shop_example.sock`, and
    /// not `my-shop.example.log`, which is another one's.
    fn names_site(&self, path: &Path) -> bool {
        const WORDS: &[&str] =
            &["access", "cer", "crt", "error", "fpm", "key", "log", "nginx", "pem", "slow", "sock", "socket", "ssl"];
        const BETWEEN: [char; 3] = ['.', '-', '_'];
        let usual = |text: &str| {
            text.split(BETWEEN).filter(|word| !word.is_empty()).all(|word| {
                WORDS.contains(&word) || word.starts_with("php") || word.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let names = [self.domain.as_str().to_owned(), self.domain.underscored()];
        path.components().any(|part| {
            let part = part.as_os_str().to_string_lossy().to_ascii_lowercase();
            names.iter().filter_map(|name| part.split_once(name.as_str())).any(|(before, after)| {
                (before.is_empty() || before.ends_with(BETWEEN))
                    && (after.is_empty() || after.starts_with(BETWEEN))
                    && usual(before)
                    && usual(after)
            })
        })
    }

    /// A log that root opens: in the service's own folder below /var/log, or in a file there that is named after the site.
    /// Never in the site's folder, where a link would lead root wherever the tenant likes.
    fn log_path(&self, path: &str, service: &str) -> bool {
        let path = Path::new(path);
        let logs = Path::new("/var/log");
        let Ok(inner) = path.strip_prefix(logs) else { return false };
        let first = inner.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let of_service = first.is_some_and(|first| first.starts_with(service)) && inner.components().count() > 1;
        beneath(path, &[logs]) && (of_service || self.names_site(inner)) && is_in_folder_of_root(path)
    }

    /// Where PHP-FPM keeps its sockets. Not the whole of /run: other services keep theirs there.
    fn run_folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![PathBuf::from("/run/php"), PathBuf::from("/run/php-fpm")];
        let own = self.config.services.php_fpm.pidfile.parent().map(|path| modern(&path.to_string_lossy()));
        folders.extend(own.filter(|folder| folder != Path::new("/run") && !folder.as_os_str().is_empty()));
        folders
    }

    /// The file names a socket where PHP-FPM's lie, which is not the one of another site or of the database.
    fn free_socket(&self, path: &str) -> bool {
        let path = modern(path);
        let named = path.extension().is_some_and(|end| end == "sock" || end == "socket");
        let taken = self.foreign_pools().iter().any(|(_, pool)| modern(&pool.listen) == path)
            || path == modern(&self.config.mysql.socket.to_string_lossy());
        named && !taken && beneath(&path, &self.run_folders())
    }

    /// The sites' own pools: everyone may use the pool of the distribution, `www`.
    fn foreign_pools(&self) -> Vec<(PathBuf, Pool)> {
        let paths = &self.config.paths;
        let own = [self.domain.as_str().to_owned(), self.domain.underscored()]
            .map(|name| paths.php_pool_dir.join(format!("{name}.conf")));
        let mut others = other_pools(self.config, self.target);
        others.retain(|(file, _)| !own.contains(file));
        others
    }

    fn of_other_site(&self, socket: &Path) -> bool {
        self.foreign_pools()
            .iter()
            .filter(|(_, pool)| pool.name != "www")
            .any(|(_, pool)| modern(&pool.listen) == socket)
    }

    /// Where the site's own PHP answers, now or after the restore.
    fn own_listens(&self) -> Vec<String> {
        let coming = self.pool.and_then(|text| super::pool::parse(text).ok()).map(|settings| pools(&settings));
        let pools = coming.unwrap_or_default().into_iter().chain(live_pool(self.config, self.domain));
        pools.map(|pool| pool.listen).filter(|listen| !listen.is_empty()).collect()
    }

    /// A PHP-FPM socket this site may send requests to: whoever may talk to a pool runs code as its account.
    fn php_socket(&self, path: &str) -> bool {
        let wanted = modern(path);
        if self.of_other_site(&wanted) {
            return false;
        }
        let shared = |name: &str| {
            let middle = name.strip_prefix("php").and_then(|rest| rest.strip_suffix("fpm.sock"));
            middle.is_some_and(|middle| middle.chars().all(|letter| letter.is_ascii_digit() || ".-".contains(letter)))
        };
        let name = wanted.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.own_listens().iter().any(|own| modern(own) == wanted)
            || (beneath(&wanted, &self.run_folders()) && (shared(&name) || self.names_site(&wanted)))
    }

    /// The same of an address: no other site's pool listens there.
    fn free_address(&self, address: &str) -> bool {
        let wanted = parse_listen(address);
        !self.foreign_pools().iter().any(|(_, pool)| {
            pool.name != "www" && matches!(pool.address(), Some(Listen::Tcp(_))) && pool.address() == wanted
        })
    }

    /// User and group of the site: the configured owner, and whom its live pool runs as. Never root.
    fn accounts(&self) -> (Vec<String>, Vec<String>) {
        let live = live_pool(self.config, self.domain).unwrap_or_default();
        let (user, group) = self.config.files.owner.split_once(':').unwrap_or((&self.config.files.owner, ""));
        let fine = |names: [&str; 2]| {
            names.into_iter().filter(|name| !name.is_empty() && !is_privileged(name)).map(str::to_owned).collect()
        };
        (fine([user, &live.user]), fine([group, &live.group]))
    }
}

/// A machine for the tables' tests: the defaults, and pools and sites of others where a test makes them.
#[cfg(test)]
mod stage {
    use super::*;

    pub struct Stage {
        _folder: tempfile::TempDir,
        pub config: Config,
        pub domain: Domain,
    }

    impl Stage {
        pub fn new() -> Stage {
            let folder = tempfile::tempdir().unwrap();
            let mut config = Config::default();
            config.paths.php_pool_dir = folder.path().join("pool.d");
            config.paths.nginx_enabled = folder.path().join("enabled");
            for made in [&config.paths.php_pool_dir, &config.paths.nginx_enabled] {
                std::fs::create_dir(made).unwrap();
            }
            Stage { _folder: folder, config, domain: Domain::parse("shop.example").unwrap() }
        }

        pub fn judged(&self, item: Item, text: &str, live: Option<&str>) -> Vec<String> {
            let (config, domain, target) = (&self.config, &self.domain, Path::new("/nowhere"));
            let live = live.map(str::as_bytes);
            judge(item, text.as_bytes(), &Scene { config, domain, live, target, pool: None })
        }

        /// The one thing that is wrong with the text.
        #[track_caller]
        pub fn refused(&self, item: Item, text: &str) -> String {
            let found = self.judged(item, text, None);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            found.into_iter().next().unwrap()
        }

        #[track_caller]
        pub fn passes(&self, item: Item, text: &str) {
            assert_eq!(self.judged(item, text, None), Vec::<String>::new(), "{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stage::Stage;
    use super::*;

    #[test]
    fn a_name_is_the_sites_only_as_a_whole() {
        let stage = Stage::new();
        let scene = Scene {
            config: &stage.config,
            domain: &stage.domain,
            live: None,
            target: Path::new("/nowhere"),
            pool: None,
        };
        for own in [
            "shop.example",
            "shop.example.log",
            "php8.2-fpm-shop_example.sock",
            "shop.example-access.log",
            "shop_example",
        ] {
            assert!(scene.names_site(Path::new(own)), "{own}");
        }
        for other in
            ["bookshop.example", "shop.example.org", "my.shop.example", "my-shop.example.log", "shop.examples", "shop"]
        {
            assert!(!scene.names_site(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn a_log_of_root_lies_where_no_tenant_can_put_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let root = rustix::process::geteuid().is_root();
        assert_eq!(is_in_folder_of_root(&real.join("x.log")), root);
        std::os::unix::fs::symlink("/etc/passwd", real.join("link.log")).unwrap();
        assert!(!is_in_folder_of_root(&real.join("link.log")));
        std::os::unix::fs::symlink(&real, real.join("folder")).unwrap();
        assert!(!is_in_folder_of_root(&real.join("folder/x.log")));
        assert!(!is_in_folder_of_root(Path::new("/tmp/x.log")), "everyone may write there");
        if root {
            std::os::unix::fs::chown(&real, Some(33), Some(33)).unwrap();
            assert!(!is_in_folder_of_root(&real.join("x.log")));
        }
    }

    #[test]
    fn what_is_live_already_is_not_judged_again() {
        let stage = Stage::new();
        for (item, live, with_more) in [
            (Item::Nginx, "error_log /srv/logs/x.log;\n", "server { listen 80; }"),
            (Item::PhpFpm, "[x]\nlisten = /srv/$pool.sock\n", "pm = static\n"),
            (Item::Cron, "0 3 * * * root /opt/rocketvps/backup.sh\n", "@daily www-data php x\n"),
        ] {
            assert!(!stage.judged(item, live, None).is_empty(), "{live}");
            for text in [live.to_owned(), format!("{live}{with_more}")] {
                assert_eq!(stage.judged(item, &text, Some(live)), Vec::<String>::new(), "{text}");
            }
        }
        // The same words elsewhere are not the same setting.
        let live = "error_log /srv/logs/x.log;";
        assert_eq!(stage.judged(Item::Nginx, "server { error_log /srv/logs/x.log; }", Some(live)).len(), 1);
        let live = "[x]\nlisten = /srv/$pool.sock\n";
        assert_eq!(stage.judged(Item::PhpFpm, "[y]\nlisten = /srv/$pool.sock\n", Some(live)).len(), 1);
        let live = "content_by_lua_block { ngx.say(1) }";
        assert_eq!(stage.judged(Item::Nginx, "content_by_lua_block { os.execute() }", Some(live)).len(), 1);
    }

    #[test]
    fn what_is_refused_is_shown_without_its_secrets() {
        let said = Stage::new().refused(Item::Nginx, "server { bogus_password hunter2; }");
        assert!(said.starts_with("line 1: `bogus_password ***`"), "{said}");
    }
}
