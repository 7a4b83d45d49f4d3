//! The rehearsal: the staged site is asked for pages before it is live, in a [`cell`](crate::host::cell), with its tables in the shadow
//! schema. It finds what no comparison with the backup can find: code that does not run here, a database without what the code needs.
//!
//! A site that does not work stops the restore, and so does a page that no visitor must see. A site that needs what a rehearsal does not have (a right to write, a network, a
//! table that stays live) is not proven, and that stops nothing.

mod file;
mod lead;
mod page;
mod verdict;
mod wrong;

pub use verdict::{BEFORE, MORE_WORDS, NEW_WORDS, PRICE};

use crate::api::answer::restore::Rehearsal;
use crate::config::{Config, Files, Probe};
use crate::engine::machine::Hosts;
use crate::engine::posts::{self, Chosen, Posts};
use crate::engine::rehearsal::lead::{Lead, Lies};
use crate::engine::rehearsal::page::{Asked, Socket, Visitor};
use crate::engine::rehearsal::verdict::{Fences, Missing};
use crate::engine::state::{Staged, StagedDatabase};
use crate::error::{Code, Error, Result};
use crate::host::account;
use crate::host::cell::gate::Gate;
use crate::host::cell::{Account, Answers, Cell, Php, Spec, Web, pool, web};
use crate::host::credentials::{Endpoint, Password};
use crate::host::database::grants::VISITING;
use crate::host::database::shown::ShownTables;
use crate::host::database::{Server, accounts, names};
use crate::host::site::Site;
use crate::host::site_database;
use crate::host::tree::{self, FilePolicy};
use crate::path::RelPath;
use crate::plan::Plan;
use crate::progress::{Level, Monitor};
use crate::report::{Check, Outcome, worst};
use crate::siteconf::{self, Item, guard, nginx, servers, spellings};
use crate::text::printable;
use rustix::fs::OFlags;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Most links of the staged tree on the way to a file.
const MAX_LINKS: usize = 8;
/// Names and values.
type Variables = Vec<(String, String)>;
/// What closes a site for maintenance, below the folder that is shown or the one around it: of WordPress, Laravel and Magento.
const CLOSES: [&str; 4] =
    [".maintenance", "storage/framework/down", "storage/framework/maintenance.php", "var/.maintenance.flag"];
/// The place at which a site finds its database in a cell, where the server has no socket on this machine.
const USUAL_SOCKET: &str = "/run/mysqld/mysqld.sock";

/// Rehearses what is staged. `kept_tables`: live tables that the staged ones will join.
pub fn run(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    staged: &Staged,
    kept_tables: &[String],
    monitor: &dyn Monitor,
) -> Rehearsal {
    let began = Instant::now();
    let outcome =
        Stage::set(config, plan, hosts, staged).and_then(|stage| stage.play(hosts, staged, kept_tables, monitor));
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let rehearsal = match outcome {
        Ok(pages) => of_pages(pages, millis),
        Err(why) => Rehearsal::not_done(&why, millis),
    };
    let rehearsal = Rehearsal { message: plan.said(rehearsal.message), ..rehearsal };
    monitor.event(Level::Info, &format!("rehearsal: {} ({millis} ms)", rehearsal.message));
    rehearsal
}

/// Requires that no page failed.
///
/// # Errors
/// `verification_failed` naming the page and what is wrong with it.
pub fn require(rehearsal: &Rehearsal) -> Result<()> {
    if rehearsal.outcome != Outcome::Fail {
        return Ok(());
    }
    let message = format!("the staged site does not work: {}", rehearsal.message);
    Err(Error::new(Code::VerificationFailed, message)
        .hint(
            "Nothing live was changed. Choose another backup; or restore this one all the same, with `--no-rehearsal` \
             (`\"options\":{\"rehearsal\":false}`). Where the site is meant to answer with an error, name its status in \
             `http.expect_status` of restore.toml.",
        )
        .with("rehearsal", serde_json::to_value(rehearsal).unwrap_or_default()))
}

/// Checks of what the web server adds to pages: they can speak against a site and are no proof for it.
const BESIDE: [&str; 2] = ["static_file", "web_server"];

fn of_pages(pages: Vec<Check>, millis: u64) -> Rehearsal {
    let counts = |page: &&Check| page.outcome == Outcome::Fail || !BESIDE.contains(&page.name.as_str());
    let outcome = match pages.iter().filter(counts).map(|page| page.outcome).collect::<Vec<_>>() {
        none if none.is_empty() => Outcome::NotChecked,
        outcomes => worst(outcomes.into_iter()),
    };
    let first = |outcome: Outcome| {
        let mut of = pages.iter().filter(counts).filter(|page| page.outcome == outcome);
        of.next().map(|page| page.message.clone())
    };
    let proven = pages.iter().filter(counts).filter(|page| page.outcome == Outcome::Pass).count();
    let message = match first(Outcome::Fail).or_else(|| first(Outcome::NotChecked)) {
        Some(message) => message,
        None => format!("the staged site answers {proven} of {proven} pages"),
    };
    Rehearsal { outcome, message, pages, millis }
}

/// Everything that a rehearsal needs, found before anything is made.
struct Stage<'a> {
    plan: &'a Plan,
    /// The program of PHP-FPM; `None`: the site has no PHP.
    php: Option<PathBuf>,
    /// The program and the two configurations of nginx; `None`: it takes no part.
    web: Option<(PathBuf, std::result::Result<String, String>, String)>,
    account: Account,
    settings: Vec<siteconf::pool::Setting>,
    /// The folder that a web server shows, where it will be live.
    served: PathBuf,
    /// The file that the web server shows as the front page, where it says its names; `None`: PHP is asked.
    front: Option<String>,
    /// The live site folder, where the document root is a part of it.
    around: Option<PathBuf>,
    lead: Lead,
    /// What the live web server tells the site besides.
    given: Variables,
    /// The database server, and where the site finds it.
    database: Option<(Server, PathBuf)>,
    secure: bool,
    covered: Vec<PathBuf>,
    probes: Vec<Probe>,
    /// Status codes that restore.toml expects of the live site.
    expects: Vec<u16>,
    /// restore.toml says where the live site is asked.
    asks_live: bool,
    time: Duration,
}

impl<'a> Stage<'a> {
    /// # Errors
    /// Why it cannot be rehearsed, as part of a sentence.
    fn set(config: &Config, plan: &'a Plan, hosts: &Hosts, staged: &Staged) -> std::result::Result<Stage<'a>, String> {
        let time = Duration::from_secs(config.limits.rehearsal_s);
        if time.is_zero() {
            return Err("`limits.rehearsal_s` of restore.toml is 0".into());
        }
        let whole = staged.files.as_ref().is_some_and(|files| files.units.is_none());
        if !whole {
            return Err("only parts of the site are restored".into());
        }
        let chosen = &plan.selection;
        let site = Site::find(config, &plan.domain).ok();
        if staged.database.is_none() && has_database(config, plan, site.as_ref()) {
            return Err("the database takes no part, and a rehearsal does not touch the live one".into());
        }
        if !chosen.database.is_whole() && staged.database.is_some() {
            return Err("only parts of the database are restored".into());
        }
        let root = tree::open_folder(&plan.tree).map_err(|error| error.message)?;
        let files = site_files(config, plan);
        let scripts = ["index.php".to_owned()];
        let shown = served(&files, plan, site.as_ref(), &root, &scripts);
        let is_php = shown.is_some();
        let mut pages: Vec<String> =
            files.iter().filter_map(|text| servers::indexes(text, plan.domain.as_str()).ok()).flatten().collect();
        pages.extend(["index.html", "index.htm"].map(str::to_owned));
        let shown = shown.or_else(|| served(&files, plan, site.as_ref(), &root, &pages));
        let served =
            shown.ok_or("it has neither an index.php nor an index.html: nothing of it is known to be a page")?;
        let front = front(&files, plan, &served, &root);
        let pool = siteconf::serving_pool(config, &plan.domain);
        let settings = pool.as_ref().map(|(_, settings)| settings.clone()).unwrap_or_default();
        let account = match &pool {
            Some((live, _)) => account(config, &live.user, &live.group)?,
            None if is_php => return Err("no live PHP-FPM pool of the site is known".into()),
            None => owner(config)?,
        };
        if is_php && settings.iter().any(|setting| setting.key == "chroot" && !setting.value.is_empty()) {
            return Err("its PHP-FPM pool lives in a chroot".into());
        }
        let php = match is_php {
            true => Some(hosts.services.php_program().ok_or("there is no PHP-FPM program")?),
            false => None,
        };
        let database = match (&plan.database, &staged.database) {
            (Some(_), Some(_)) if is_php => {
                let server = hosts.server().map_err(|error| error.message)?;
                let place = match &server.account().endpoint {
                    Endpoint::Socket(path) => path.clone(),
                    Endpoint::Tcp { .. } => PathBuf::from(USUAL_SOCKET),
                };
                Some((server, place))
            }
            _ => None,
        };
        // What lies around the document root stays as it is, and the site may need it.
        let around = site.map(|site| site.folder);
        let around = around.filter(|folder| plan.document_root.starts_with(folder) && *folder != plan.document_root);
        let (given, mut known) = given(&files);
        known.extend(settings.iter().filter_map(|setting| {
            let name = setting.key.strip_prefix("env[")?.strip_suffix(']')?;
            Some((name.to_owned(), setting.value.clone()))
        }));
        let lies = Lies { tree: &plan.tree, live: &plan.document_root, served: &served, around: around.as_deref() };
        let lead = Lead::of(&lies, &known);
        if is_php && staged.database.is_none() && lead.is_known() {
            return Err("the database takes no part, and a rehearsal does not touch the live one".into());
        }
        let covered = vec![config.paths.web_root.clone(), config.paths.base.clone()];
        let secure = is_secure(&files);
        let probes = plan.probes(config);
        // The file of the backup, where that goes live, too.
        let staged_file = staged.config.iter().find(|file| file.item == Item::Nginx).map(|file| file.content.clone());
        let block = staged_file.as_ref().or(files.first());
        let program = hosts.services.nginx_program().filter(|_| block.is_some() || !is_php);
        let web = program.and_then(|program| {
            let usual = ["index.php", "index.html", "index.htm"].map(str::to_owned);
            let plain = web::Plain { root: &served, index: &usual, given: &given, php: is_php };
            let own = block.ok_or_else(|| "it is not known".to_owned());
            // What the guard of a restore refuses answers nobody here either: it might name what the account may read elsewhere.
            let own = own.and_then(|text| {
                let scene = guard::Scene {
                    config,
                    domain: &plan.domain,
                    live: files.first().map(Vec::as_slice),
                    target: Path::new(""),
                    pool: None,
                };
                match guard::judge(Item::Nginx, text, &scene).into_iter().next() {
                    Some(refused) => Err(format!("it is refused: {refused}")),
                    None => Ok(text),
                }
            });
            let own = own.and_then(|text| web::own(text, plan.domain.as_str(), secure, is_php));
            Some((program, own, web::plain(&plain).ok()?))
        });
        if php.is_none() && web.is_none() {
            return Err("it has no index.php: it is a site without PHP, and there is no nginx to show it".into());
        }
        Ok(Stage {
            plan,
            php,
            web,
            account,
            settings,
            served,
            front,
            around,
            lead,
            given,
            database,
            secure,
            covered,
            probes,
            expects: config.http.expect_status.clone(),
            asks_live: !config.http.url.is_empty(),
            time,
        })
    }

    /// The checks of the pages.
    ///
    /// # Errors
    /// Why it could not be rehearsed after all.
    fn play(
        &self,
        hosts: &Hosts,
        staged: &Staged,
        kept: &[String],
        monitor: &dyn Monitor,
    ) -> std::result::Result<Vec<Check>, String> {
        let Some((server, place)) = &self.database else { return self.play_with(hosts, staged, kept, None) };
        let said = |error: Error| error.message;
        let user = names::visitor(self.plan.job.short());
        let schema = self.plan.database.as_ref().map(|names| names.shadow.clone()).unwrap_or_default();
        let unchanged: Vec<&str> = match &staged.database {
            Some(database) => database.unchanged.iter().map(|table| table.name.as_str()).collect(),
            None => Vec::new(),
        };
        let _shown = match &self.plan.database {
            Some(names) if !unchanged.is_empty() => {
                let reader = names::comparer(self.plan.job.short());
                Some(ShownTables::show(server, reader, &names.live, &names.shadow, &unchanged).map_err(said)?)
            }
            _ => None,
        };
        let mut admin = server.connect(None).map_err(said)?;
        let password = accounts::create(&mut admin, &user, VISITING, &schema).map_err(said)?;
        let gate = Gate::open(&self.plan.stage.join("database.sock"), &server.account().endpoint, &user);
        let played = gate.map_err(said).and_then(|gate| {
            let visit = Visit { gate, place: place.clone(), user: user.clone(), password, schema };
            self.play_with(hosts, staged, kept, Some(visit))
        });
        if let Err(error) = accounts::drop_user(&mut admin, &user) {
            let message = format!("the account of the rehearsal stays for now: {}", error.message);
            monitor.event(Level::Warn, &format!("{message}; the clean-up after the job removes it"));
        }
        played
    }

    fn play_with(
        &self,
        hosts: &Hosts,
        staged: &Staged,
        kept: &[String],
        visit: Option<Visit>,
    ) -> std::result::Result<Vec<Check>, String> {
        let began = Instant::now();
        let seconds = self.time.as_secs().max(1);
        let first = self.lead.own_setting("auto_prepend_file");
        let first = first.or_else(|| pool::value(&self.settings, "auto_prepend_file"));
        let database = visit.as_ref().map(|visit| (visit.gate.path().to_owned(), visit.place.clone()));
        let (php_socket, web_socket) = (self.plan.stage.join("php.sock"), self.plan.stage.join("web.sock"));
        let place = database.as_ref().map(|(_, place)| place.as_path());
        let spec = Spec {
            php: self.php.as_ref().map(|program| Php {
                program: program.clone(),
                pool: pool::text(&self.settings, self.lead.own_setting("open_basedir"), place, seconds),
                prelude: lead::prelude(first),
                socket: php_socket.clone(),
            }),
            web: self.web.as_ref().map(|(program, own, plain)| Web {
                program: program.clone(),
                own: own.clone(),
                plain: plain.clone(),
                socket: web_socket.clone(),
            }),
            account: self.account.clone(),
            tree: self.plan.tree.clone(),
            place: self.plan.document_root.clone(),
            around: self.around.clone(),
            hidden: self.lead.hidden.clone(),
            covered: self.covered.clone(),
            database,
            seconds,
        };
        let cell = Cell::open(&spec).map_err(|error| error.message)?;
        let (layered, web) = (cell.layered, cell.web.clone());
        let parameter = self.lead.parameter(visit.as_ref().map(Visit::access).as_ref());
        let through = |socket| Visitor {
            services: &hosts.services,
            socket,
            domain: self.plan.domain.as_str(),
            tree: &self.plan.tree,
            live: &self.plan.document_root,
            served: &self.served,
            parameter: &parameter,
            given: &self.given,
            until: began + self.time,
        };
        let visitor = through(Socket::Php(&php_socket));
        let at_web = matches!(web, Answers::Own | Answers::Plain(_)).then(|| through(Socket::Web(&web_socket)));
        let mut asked = Vec::new();
        // A post is a front page with a question behind it.
        let is_scripts = self.php.is_some() && self.front.as_ref().is_none_or(|name| name.ends_with(".php"));
        match &at_web {
            _ if is_scripts => asked.push(visitor.ask("front_page", "/", self.secure)),
            Some(server) => asked.push(server.ask("front_page", "/", self.secure)),
            None => {}
        }
        let answered = asked.iter().all(|asked| asked.status.is_some());
        let blog = visit.as_ref().filter(|_| answered && is_scripts && self.lead.is_wordpress);
        for post in blog.map(|visit| self.posts(visit, hosts, staged)).unwrap_or_default() {
            let page = visitor.ask(post.kind.word(), &format!("/?p={}", post.id), self.secure);
            let (marks, price) = (post.marks, post.price);
            asked.push(Asked { title: post.title, marks, price, before: post.before, ..page });
        }
        for probe in self.probes.iter().filter(|_| answered) {
            let is_of_php = self.php.is_some() && visitor.is_of_php(&probe.path);
            let of = if is_of_php { Some(&visitor) } else { at_web.as_ref() };
            let Some(of) = of else { continue };
            let page = of.ask("probe", &probe.path, self.secure);
            asked.push(Asked { text: probe.text.clone(), ..page });
        }
        let mut file = None;
        if let Some(server) = at_web.as_ref().filter(|_| answered) {
            // By the address that people have of it: what the web server makes of that is no matter of PHP's.
            let came = |asked: &&Asked| asked.status.is_some_and(|status| status < 300) && !asked.path.contains('?');
            if let Some(page) = asked.iter().rev().find(came).filter(|_| is_scripts) {
                let page = server.ask("web_server", &page.path.clone(), self.secure);
                asked.push(page);
            }
            file = self.known_file(server);
        }
        let left = cell.close();
        if asked.is_empty() {
            let front = self.front.as_deref().unwrap_or_default();
            let why = match web {
                Answers::Failed(why) => format!(", and nginx does not run apart from the machine ({why})"),
                _ => ", and no page of PHP's is known".into(),
            };
            return Err(format!("its front page is the file {front}{why}"));
        }
        if left.early && asked.iter().all(|asked| asked.status.is_none()) {
            let said = left.log.lines().last().unwrap_or("it gives no reason");
            return Err(format!("PHP-FPM does not run apart from the machine: {said}"));
        }
        let seen = visit.as_ref().map(|visit| visit.gate.seen());
        let saw = |flag: fn(&crate::host::cell::gate::Seen) -> bool| seen.is_some_and(flag);
        let shows = |found: &StagedDatabase| !found.objects.is_empty() || !found.unchanged.is_empty();
        let incomplete = !kept.is_empty() || staged.database.as_ref().is_some_and(shows);
        let fences = Fences {
            denied: saw(|seen| seen.denied.load(Ordering::Acquire)),
            turned_away: saw(|seen| seen.turned_away.load(Ordering::Acquire)),
            missing: incomplete && saw(|seen| seen.missing.load(Ordering::Acquire)),
            led: visit.is_none() || self.lead.is_known(),
            entered: visit.is_none() || saw(|seen| seen.entered.load(Ordering::Acquire)),
            layered,
            hidden: false,
            closed: self.is_closed(),
            expected: false,
            plain: matches!(web, Answers::Plain(_)),
            as_live: false,
            whole: self.around.is_none() && !is_beside(&self.plan.document_root, "wp-config.php"),
        };
        let of_page = |asked: &Asked| {
            let hidden = verdict::missing_files(&asked.errors).iter().any(|missing| self.hides(missing));
            let expected = asked.status.is_some_and(|status| status >= 500 && self.expects.contains(&status));
            let is_bare = verdict::wrong_page(asked).is_some_and(|wrong| wrong.by == wrong::By::Server);
            let as_live = is_bare && self.is_as_live(hosts, asked);
            verdict::of(asked, &Fences { hidden, expected, as_live, ..fences }, &left)
        };
        let by = |check: Check| match &web {
            Answers::Plain(why) => check.with("server_block", format!("a plain one: {}", printable(why))),
            _ => check.with("server_block", "the site's own"),
        };
        let of_asked = |asked: &Asked| if asked.by_web { by(of_page(asked)) } else { of_page(asked) };
        Ok(asked.iter().map(of_asked).chain(file.map(by)).collect())
    }

    /// The check of a file that the web server shows by itself, and whose bytes are known.
    fn known_file(&self, server: &Visitor) -> Option<Check> {
        let inner = self.served.strip_prefix(&self.plan.document_root).ok()?;
        let known = file::find(&self.plan.tree, inner)?;
        let address = format!("/{}", known.name);
        let check = |outcome, said: String| {
            Check::new("static_file", outcome, format!("{address} {said}")).with("path", address.clone())
        };
        let bytes = known.bytes.len();
        Some(match server.file(&address, self.secure) {
            Some(came) if came == known.bytes => {
                check(Outcome::Pass, format!("is served byte by byte as it is staged, {bytes} bytes"))
                    .with("bytes", bytes)
                    .with("sha256", known.digest)
            }
            Some(_) => check(Outcome::NotChecked, "is served with other bytes than it is staged with".into()),
            None => check(Outcome::NotChecked, "is not served".into()),
        })
    }

    /// Whether the staged tree holds the mark by which its code closes the site for maintenance.
    fn is_closed(&self) -> bool {
        let Ok(tree) = tree::open_folder(&self.plan.tree) else { return false };
        let inner = self.served.strip_prefix(&self.plan.document_root).unwrap_or(Path::new(""));
        let folders = inner.ancestors().take(2);
        let mut marks = folders.flat_map(|folder| CLOSES.iter().map(|mark| folder.join(mark)));
        marks.any(|mark| {
            let path = RelPath::parse(mark.as_os_str().as_bytes());
            path.is_ok_and(|path| tree::open_beneath(tree.as_fd(), &path, OFlags::PATH).is_ok())
        })
    }

    /// Whether the live site, which is well by restore.toml, shows a page of the same title at this address. It is asked as a visitor
    /// would ask it.
    fn is_as_live(&self, hosts: &Hosts, asked: &Asked) -> bool {
        if !self.asks_live {
            return false;
        }
        let domain = &self.plan.domain;
        let door = hosts.services.open_door(domain);
        let Ok(live) = hosts.services.fetch_page(domain, &asked.path, door.as_ref()) else { return false };
        let page = String::from_utf8_lossy(&live.body);
        let is_well = live.doubt.is_none() && self.expects.contains(&live.status);
        is_well && asked.status == Some(live.status) && wrong::title(&page) == wrong::title(&asked.body)
    }

    /// Whether a file lies where the cell has nothing, and is none of the site's own.
    fn hides(&self, missing: &Missing) -> bool {
        let path = Path::new(missing.path);
        let around = missing.include_path.iter().map(|folder| self.served.join(folder)).chain([self.served.clone()]);
        let places: Vec<PathBuf> = match path.is_absolute() {
            true => vec![path.to_owned()],
            false => around.map(|folder| folder.join(path)).collect(),
        };
        let within = |path: &Path, folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
        let own: Vec<PathBuf> = [&self.plan.document_root].into_iter().chain(&self.around).cloned().collect();
        places.iter().map(|place| self.led(place)).any(|place| within(&place, &self.covered) && !within(&place, &own))
    }

    /// Where a path of the site leads through the links of the staged tree, by their letters: what they name need not be here.
    fn led(&self, path: &Path) -> PathBuf {
        let mut path = normal(path);
        for _ in 0..MAX_LINKS {
            let Ok(inner) = path.strip_prefix(&self.plan.document_root) else { break };
            let link = inner.ancestors().collect::<Vec<_>>().into_iter().rev().skip(1).find_map(|part| {
                let target = std::fs::read_link(self.plan.tree.join(part)).ok()?;
                Some((part.to_owned(), target))
            });
            let Some((part, target)) = link else { break };
            // By letters alone: nothing is opened by this path.
            let around = path.ancestors().nth(inner.components().count() - part.components().count() + 1);
            let rest = inner.strip_prefix(&part).unwrap_or(Path::new("")).to_owned();
            path = normal(&around.unwrap_or(Path::new("/")).join(target).join(rest));
        }
        path
    }

    /// The posts that the staged site is asked for: those that the live site shows otherwise, where there are some.
    fn posts(&self, visit: &Visit, hosts: &Hosts, staged: &Staged) -> Vec<Chosen> {
        let found = || {
            let (server, _) = self.database.as_ref()?;
            let tables = staged.database.as_ref()?.names();
            let prefix = posts::prefix(&tables, self.lead.prefix.as_deref())?;
            // Each side as an account that may do nothing but read it: the tables are a tenant's.
            let visitor = server.with_account(&visit.user, visit.password.clone());
            let posts = Posts::newest(&visitor, &visit.schema, prefix, true).ok()?;
            let live = self.plan.database.as_ref().map(|names| names.live.as_str()).unwrap_or_default();
            let reader = hosts.reader().and_then(|reader| reader.server(live).ok());
            let before = reader.and_then(|reader| posts.the_same_in(&reader, live, prefix).ok()).flatten();
            Some(posts.choose(before.as_ref()))
        };
        found().unwrap_or_default()
    }
}

/// The way of the staged site to its tables.
struct Visit {
    gate: Gate,
    place: PathBuf,
    user: String,
    password: Password,
    schema: String,
}

impl Visit {
    fn access(&self) -> lead::Access<'_> {
        lead::Access { schema: &self.schema, user: &self.user, password: self.password.reveal(), socket: &self.place }
    }
}

/// The account of a pool. Nothing of a site's runs as root.
fn account(config: &Config, user: &str, group: &str) -> std::result::Result<Account, String> {
    let owner = if group.is_empty() { user.to_owned() } else { format!("{user}:{group}") };
    let policy = FilePolicy::from_config(&Files { owner, ..config.files.clone() });
    let (uid, gid) = policy.map_err(|_| format!("its pool runs as {user}, whom this machine does not know"))?.owner;
    if uid == 0 || gid == 0 {
        return Err("its PHP-FPM pool runs as root".into());
    }
    let groups = account::groups_of(user, gid).into_iter().filter(|group| *group != 0).collect();
    Ok(Account { uid, gid, groups })
}

/// The account of a site without PHP: whose its files are.
fn owner(config: &Config) -> std::result::Result<Account, String> {
    let (uid, gid) = FilePolicy::from_config(&config.files).map_err(|error| error.message)?.owner;
    if uid == 0 || gid == 0 {
        return Err("its files are root's (`files.owner`), and nothing of a site runs as root".into());
    }
    Ok(Account { uid, gid, groups: Vec::new() })
}

/// Whether the site has a database, by what the administrator or its live settings say. One that is not understood is one.
fn has_database(config: &Config, plan: &Plan, site: Option<&Site>) -> bool {
    let named = || site.is_none_or(|site| !matches!(site_database::find(config, site), Ok(None)));
    plan.database.is_some() || named()
}

fn is_beside(folder: &Path, name: &str) -> bool {
    folder.parent().is_some_and(|around| around.join(name).symlink_metadata().is_ok())
}

/// What the site's live file of nginx gives PHP: what goes with it into a cell, and what it says of a database.
fn given(files: &[Vec<u8>]) -> (Variables, Variables) {
    let all = files.iter().filter_map(|text| nginx::parse(text).ok()).flatten();
    let pairs = all.filter(|directive| directive.name == "fastcgi_param").filter_map(|directive| {
        let [name, value, ..] = directive.arguments.as_slice() else { return None };
        Some((name.text.clone(), value.text.clone()))
    });
    // A variable of nginx's has its value from a request.
    let plain = pairs.filter(|(_, value)| !value.contains('$'));
    let (known, given): (Vec<_>, Vec<_>) = plain.partition(|(name, _)| lead::is_of_database(name));
    let inner = |(name, value): (String, String)| match name.as_str() {
        // They are lines of PHP's settings.
        "PHP_VALUE" | "PHP_ADMIN_VALUE" => {
            let keeps = |line: &&str| !pool::is_own(line.split('=').next().unwrap_or_default().trim());
            let kept: Vec<&str> = value.lines().filter(keeps).collect();
            (name, kept.join("\n"))
        }
        _ => (name, value),
    };
    (given.into_iter().map(inner).collect(), known)
}

/// The folder that a web server shows of the site, where it will be live; `None` where none of them has one of these files.
fn served(files: &[Vec<u8>], plan: &Plan, site: Option<&Site>, tree: &impl AsFd, names: &[String]) -> Option<PathBuf> {
    let live = &plan.document_root;
    let root = site.map_or_else(|| live.clone(), |site| site.root.clone());
    let of_nginx = files.iter().filter_map(|text| servers::roots(text, plan.domain.as_str()).ok());
    let named = of_nginx.flatten().map(|root| PathBuf::from(root.trim_end_matches('/')));
    let usual = ["public_html", "public", "web", "htdocs", "httpdocs"].map(|name| root.join(name));
    let mut candidates = named.chain([root.clone()]).chain(usual).chain([live.clone()]);
    candidates.find(|folder| {
        let Ok(inner) = folder.strip_prefix(live) else { return false };
        let mut paths = names.iter().filter_map(|name| RelPath::parse(inner.join(name).as_os_str().as_bytes()).ok());
        paths.any(|path| tree::open_beneath(tree.as_fd(), &path, OFlags::PATH).is_ok())
    })
}

/// A path without its `..`, by its letters alone.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// The first of the names of a front page that is there. Where the web server is told to try paths, and no folder among them, it shows
/// no page of a folder.
fn front(files: &[Vec<u8>], plan: &Plan, served: &Path, tree: &impl AsFd) -> Option<String> {
    let all = files.iter().filter_map(|text| nginx::parse(text).ok()).flatten();
    let tries: Vec<_> = all.filter(|directive| directive.name == "try_files").collect();
    let folders = |directive: &nginx::Directive| directive.arguments.iter().any(|word| word.text.ends_with("$uri/"));
    if !tries.is_empty() && !tries.iter().any(folders) {
        return None;
    }
    let names = files.iter().filter_map(|text| servers::indexes(text, plan.domain.as_str()).ok()).flatten();
    let inner = served.strip_prefix(&plan.document_root).ok()?;
    names.into_iter().find(|name| {
        let path = RelPath::parse(inner.join(name).as_os_str().as_bytes());
        path.is_ok_and(|path| tree::open_beneath(tree.as_fd(), &path, OFlags::PATH).is_ok())
    })
}

/// Whether the live site is served by HTTPS.
fn is_secure(files: &[Vec<u8>]) -> bool {
    files.iter().any(|text| nginx::read_site(text).is_ok_and(|site| !site.certificates.is_empty()))
}

fn site_files(config: &Config, plan: &Plan) -> Vec<Vec<u8>> {
    let folders = [&config.paths.nginx_enabled, &config.paths.nginx_available];
    let mut paths = folders.into_iter().flat_map(|folder| spellings(folder, &plan.domain));
    paths.find_map(|path: PathBuf| std::fs::read(Path::new(&path)).ok()).into_iter().collect()
}
