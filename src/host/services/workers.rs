//! Processes that run a site's code beside PHP-FPM (queues, node): they go on with the old code until they are restarted.
//!
//! What the operator names is restarted; so is what is recognised: Laravel's queue, by its own command as the site's account, and
//! programs of supervisor and units of systemd that run below the site's folder as that account. Nothing else is touched.

use super::{Services, command, include};
use crate::host::account::Account;
use crate::host::guarded::{End, Guarded};
use crate::host::site::Site;
use crate::host::{owner, tree};
use crate::path::{Domain, RelPath};
use crate::text::printable;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one restart may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long after its restart a unit is looked at: one whose program ends at once has ended by then.
const SETTLED: Duration = Duration::from_millis(500);
/// What the names of systemd's units end with; a name without such an end is a service's.
const UNIT_ENDS: [&str; 11] = [
    ".service",
    ".socket",
    ".target",
    ".timer",
    ".path",
    ".slice",
    ".scope",
    ".mount",
    ".automount",
    ".swap",
    ".device",
];
/// Bytes of a file that is looked into.
const MAX_FILE: u64 = 1 << 20;

/// What is restarted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Worker {
    /// `php artisan queue:restart` in this folder.
    Artisan(PathBuf),
    /// A program of supervisor, with all its processes.
    Supervisor(String),
    /// A unit of systemd.
    Systemd(String),
}

/// What became of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restarted {
    /// It runs the new code, or will before its next job.
    pub is_done: bool,
    /// What was done, as a sentence.
    pub said: String,
}

/// A worker that the operator names, looked at before a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// It runs, and can be restarted.
    pub runs: bool,
    /// What was seen, as a sentence.
    pub said: String,
}

impl Services {
    /// The workers that the operator names, as they are now. Changes nothing.
    pub fn told_workers(&self, domain: &Domain) -> Vec<Told> {
        let look = |name: &String| {
            let Some(worker) = of_name(name) else { return Told { runs: false, said: no_worker(name) } };
            let seen = match &worker {
                Worker::Artisan(_) => Ok(()),
                Worker::Supervisor(name) => program_runs(&self.config.services.supervisor, name).map(drop),
                Worker::Systemd(unit) => UnitState::of(unit).and_then(|state| state.runs()),
            };
            let what = worker.shown();
            match seen {
                Ok(()) => {
                    Told { runs: true, said: format!("{what} runs: it is restarted when the restored site stands up") }
                }
                Err(why) => {
                    let why = printable(why.trim());
                    Told { runs: false, said: format!("{what} will not be restarted by this restore: {why}") }
                }
            }
        };
        self.names_told(domain).iter().map(look).collect()
    }

    fn names_told(&self, domain: &Domain) -> &[String] {
        self.config.sites.get(domain).map(|said| said.workers.as_slice()).unwrap_or_default()
    }

    /// Restarts what runs a site's code beside PHP-FPM. May be done again at any time.
    pub fn restart_workers(&self, domain: &Domain) -> Vec<Restarted> {
        let mut all: BTreeSet<Worker> = BTreeSet::new();
        let mut restarted = Vec::new();
        for name in self.names_told(domain) {
            match of_name(name) {
                Some(worker) => drop(all.insert(worker)),
                None => restarted.push(Restarted { is_done: false, said: no_worker(name) }),
            }
        }
        let told = all.clone();
        let site = Site::find(&self.config, domain).ok();
        let account = site.as_ref().and_then(|site| {
            let live = tree::open_site(&site.root).ok().flatten();
            owner::account(&self.config, domain, live.as_ref().map(|live| live.as_fd()))
        });
        if let (Some(site), Some(account)) = (&site, &account) {
            all.extend(self.recognised(site, account));
        }
        restarted.extend(all.iter().filter_map(|worker| self.restart(worker, account.as_ref(), told.contains(worker))));
        restarted
    }

    /// What runs below the site's folders as its account, and its queue.
    fn recognised(&self, site: &Site, account: &Account) -> Vec<Worker> {
        let mut found = Vec::new();
        let programs = programs(&self.config.services.supervisor).into_iter();
        found.extend(
            programs
                .filter(|found| found.is_of(site, account) && !found.is_laravels())
                .map(|found| Worker::Supervisor(found.name)),
        );
        let units = units(&self.config.services.units).into_iter();
        found.extend(units.filter(|found| found.is_of(site, account)).map(|found| Worker::Systemd(found.name)));
        let around = site.root.parent().filter(|around| around.starts_with(&site.folder));
        let laravel = [Some(site.root.as_path()), around].into_iter().flatten().find(|folder| is_laravel(folder));
        found.extend(laravel.map(|folder| Worker::Artisan(folder.to_owned())));
        found
    }

    /// `None`: there is nothing to restart, and nobody named it.
    fn restart(&self, worker: &Worker, account: Option<&Account>, is_told: bool) -> Option<Restarted> {
        let done = match worker {
            Worker::Artisan(folder) => restart_queue(folder, account),
            Worker::Supervisor(name) => restart_program(&self.config.services.supervisor, name),
            Worker::Systemd(unit) => match UnitState::of(unit) {
                // What a timer starts now and then reads the new code when it is started.
                Ok(state) if !is_told && state.runs().is_err() => return None,
                Ok(state) => state.runs().and_then(|()| restart_unit(unit)),
                Err(why) => Err(why),
            },
        };
        let ended = match (&done, worker) {
            (Ok(()), Worker::Systemd(unit)) => settled(unit).err(),
            _ => None,
        };
        let what = worker.shown();
        let said = match (&done, &ended) {
            (Ok(()), None) => format!("{what} was restarted"),
            (Ok(()), Some(why)) => format!("{what} was restarted, and {}", printable(why.trim())),
            (Err(why), _) => format!("{what} was not restarted: {}", printable(why.trim())),
        };
        Some(Restarted { is_done: done.is_ok() && ended.is_none(), said })
    }
}

impl Worker {
    fn shown(&self) -> String {
        match self {
            Worker::Artisan(_) => "artisan queue:restart".to_owned(),
            Worker::Supervisor(name) => format!("the program {name} of supervisor"),
            Worker::Systemd(unit) => format!("the unit {unit}"),
        }
    }
}

fn no_worker(name: &str) -> String {
    format!("workers: {} is neither supervisor:PROGRAM nor systemd:UNIT", printable(name))
}

/// A worker that the operator names.
fn of_name(name: &str) -> Option<Worker> {
    let is_name = |name: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b':');
        !name.is_empty() && !name.starts_with('-') && name.bytes().all(good)
    };
    let (kind, name) = name.split_once(':').filter(|(_, name)| is_name(name))?;
    match kind {
        "supervisor" => Some(Worker::Supervisor(name.to_owned())),
        // As systemctl reads it, so that one unit under two names is one worker.
        "systemd" => Some(Worker::Systemd(match UNIT_ENDS.iter().any(|end| name.ends_with(end)) {
            true => name.to_owned(),
            false => format!("{name}.service"),
        })),
        _ => None,
    }
}

/// What systemd says of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct UnitState {
    load: String,
    active: String,
    sub: String,
}

impl UnitState {
    fn of(unit: &str) -> Result<UnitState, String> {
        let properties = ["--property=LoadState", "--property=ActiveState", "--property=SubState"];
        command::systemctl(&[&["show"], &properties[..], &["--", unit]].concat()).map(|shown| UnitState::read(&shown))
    }

    fn read(shown: &str) -> UnitState {
        let mut state = UnitState::default();
        for (key, value) in shown.lines().filter_map(|line| line.split_once('=')) {
            match key {
                "LoadState" => value.clone_into(&mut state.load),
                "ActiveState" => value.clone_into(&mut state.active),
                "SubState" => value.clone_into(&mut state.sub),
                _ => {}
            }
        }
        state
    }

    /// Whether `try-restart` has something to restart.
    fn runs(&self) -> Result<(), String> {
        match (self.load.as_str(), self.active.as_str()) {
            ("not-found", _) => Err("systemd knows no such unit".to_owned()),
            (_, "active" | "reloading" | "refreshing" | "activating") => Ok(()),
            (_, active) => Err(format!("it does not run ({active}), and was left so")),
        }
    }

    /// Whether it stands after its restart.
    fn stands(&self) -> Result<(), String> {
        match (self.active.as_str(), self.sub.as_str()) {
            ("activating", "auto-restart") => Err("ended at once: systemd starts it anew".to_owned()),
            ("inactive" | "failed" | "deactivating", _) => Err(format!("does not run since ({})", self.active)),
            _ => Ok(()),
        }
    }
}

fn restart_unit(unit: &str) -> Result<(), String> {
    let restarted = command::systemctl(&["try-restart", "--", unit]);
    restarted.map(drop).map_err(|why| format!("{why}; look at it: systemctl status {unit}"))
}

/// Whether a unit stands a moment after its restart.
fn settled(unit: &str) -> Result<(), String> {
    std::thread::sleep(SETTLED);
    let seen = UnitState::of(unit).map_err(|why| format!("could not be looked at: {why}"));
    seen.and_then(|state| state.stands()).map_err(|why| format!("{why}; look at it: systemctl status {unit}"))
}

/// Whether Laravel's own command is in the folder, as a file and through no link.
fn is_laravel(folder: &Path) -> bool {
    let Ok(Some(handle)) = tree::open_site(folder) else { return false };
    let text = |name: &str| {
        let path = RelPath::parse(name.as_bytes()).ok()?;
        tree::read_beneath(handle.as_fd(), &path, MAX_FILE).ok()?
    };
    text("artisan").is_some()
        && text("composer.json").is_some_and(|text| memchr::memmem::find(&text, b"laravel/framework").is_some())
}

/// The workers of a queue look for this word between two jobs, and end by themselves.
fn restart_queue(folder: &Path, account: Option<&Account>) -> Result<(), String> {
    let program = command::find("php").ok_or("php is not installed")?;
    let account = account.ok_or("the site has no account but root")?;
    let queue = Guarded {
        program: &program,
        arguments: ["artisan", "queue:restart", "--no-interaction"].map(Into::into).to_vec(),
        input: b"",
        variables: Vec::new(),
        account: Some(account),
        folder,
        time: PATIENCE,
        monitor: None,
    };
    match queue.run().map_err(|error| error.to_string())? {
        (End::Exited(0), _) => Ok(()),
        (End::Exited(status), said) => Err(format!("it ended with status {status}: {}", last_line(&said))),
        _ => Err(format!("it did not end within {} s", PATIENCE.as_secs())),
    }
}

/// What supervisor says of a program's processes.
fn ask_supervisor(conf: &Path, what: &str, all: &str) -> Result<command::Outcome, String> {
    let program = command::find("supervisorctl").ok_or("supervisorctl is not installed")?;
    command::run(&program, &["-c".as_ref(), conf.as_os_str(), what.as_ref(), all.as_ref()], PATIENCE)
}

/// The name of all its processes, where one of them runs.
fn program_runs(conf: &Path, name: &str) -> Result<String, String> {
    let all = format!("{name}:*");
    // Its status ends with another number where one of the processes does not run.
    let said = ask_supervisor(conf, "status", &all)?.said;
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // One that is about to run may have read the old code.
    if says(&["RUNNING", "STARTING", "BACKOFF"]) {
        return Ok(all);
    }
    match says(&["STOPPED", "STOPPING", "EXITED", "FATAL", "UNKNOWN"]) {
        true => Err("it does not run, and was left so".into()),
        false => Err(last_line(&said).to_owned()),
    }
}

fn restart_program(conf: &Path, name: &str) -> Result<(), String> {
    let all = program_runs(conf, name)?;
    // `restart` is a stop and a start, by supervisorctl itself: whoever ends it in between has to see to the start.
    let outcome =
        ask_supervisor(conf, "restart", &all).map_err(|why| format!("{why}; look at it: supervisorctl start {all}"))?;
    // It says what went wrong, and ends with 0 in some versions.
    if outcome.success && !outcome.said.contains("ERROR") { Ok(()) } else { Err(last_line(&outcome.said).to_owned()) }
}

fn last_line(said: &str) -> &str {
    said.trim().lines().last().unwrap_or_default()
}

/// A program or unit as its file describes it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Described {
    name: String,
    user: String,
    folder: String,
    command: String,
}

impl Described {
    /// Whether it is a worker of Laravel's queue: told by `artisan queue:restart` it ends after its job, and supervisor starts it anew. A
    /// stop would wait for the job.
    fn is_laravels(&self) -> bool {
        self.command.contains("artisan") && ["queue:", "horizon"].iter().any(|word| self.command.contains(word))
    }

    /// Whether it runs below the site's folder, as the site's account.
    fn is_of(&self, site: &Site, account: &Account) -> bool {
        let is_below = |word: &str| {
            let path = Path::new(word.trim_matches(['"', '\'']));
            let plain = !path.components().any(|part| part == std::path::Component::ParentDir);
            plain && [&site.root, &site.folder].into_iter().any(|place| path.starts_with(place))
        };
        let is_its = self.user == account.name || self.user == account.uid.to_string();
        is_its && (is_below(&self.folder) || self.command.split_ascii_whitespace().any(is_below))
    }
}

/// The settings of a file of this form, with their sections.
fn settings(path: &Path) -> Vec<(String, String, String)> {
    let mut text = String::new();
    let read = path.metadata().is_ok_and(|about| about.is_file()).then(|| File::open(path).ok()).flatten();
    let _ = read.map(|file| file.take(MAX_FILE).read_to_string(&mut text));
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with([';', '#'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.split(" ;").next().unwrap_or_default();
            found.push((section.clone(), key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

/// The programs of supervisor.
fn programs(conf: &Path) -> Vec<Described> {
    let mut all = settings(conf);
    let folder = conf.parent().unwrap_or(Path::new("/"));
    let included = all.iter().filter(|(section, key, _)| section == "include" && key == "files");
    let patterns: Vec<PathBuf> =
        included.flat_map(|(_, _, files)| files.split_ascii_whitespace().map(|file| folder.join(file))).collect();
    all.extend(patterns.iter().flat_map(|pattern| include::matches(pattern, &[])).flat_map(|path| settings(&path)));
    let mut found: Vec<Described> = Vec::new();
    for (section, key, value) in all {
        let Some(name) = section.strip_prefix("program:").map(str::trim) else { continue };
        if found.last().is_none_or(|last| last.name != name) {
            found.push(Described { name: name.to_owned(), ..Described::default() });
        }
        let Some(last) = found.last_mut() else { continue };
        match key.as_str() {
            "user" => last.user = value,
            "directory" => last.folder = value,
            "command" => last.command = value,
            _ => {}
        }
    }
    found
}

/// The services in the operator's folder of units.
fn units(folder: &Path) -> Vec<Described> {
    include::matches(&folder.join("*.service"), &[])
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let mut unit = Described { name, ..Described::default() };
            for (section, key, value) in settings(&path) {
                match (section.as_str(), key.as_str()) {
                    ("Service", "user") => unit.user = value,
                    ("Service", "workingdirectory") => unit.folder = value.trim_start_matches('-').to_owned(),
                    ("Service", "execstart") => {
                        unit.command = value.trim_start_matches(['-', '@', ':', '+', '!']).to_owned()
                    }
                    _ => {}
                }
            }
            // A template runs under the names of its instances.
            (!unit.name.ends_with("@.service")).then_some(unit)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::host::site::ToldBy;

    fn site(root: &Path) -> Site {
        let domain = Domain::parse("shop.example").unwrap();
        Site {
            domain,
            root: root.to_owned(),
            folder: root.to_owned(),
            usual: root.to_owned(),
            told_by: ToldBy::WebRoot,
        }
    }

    #[test]
    fn what_runs_below_the_site_as_its_account_is_recognised_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        std::fs::create_dir_all(at("conf.d")).unwrap();
        std::fs::create_dir_all(at("units")).unwrap();
        std::fs::write(at("supervisord.conf"), "[supervisord]\nuser=root\n[include]\nfiles = conf.d/*.conf\n").unwrap();
        let text = "[program:queue]\nuser=web ; the site's\ncommand=php /srv/shop/artisan queue:work\n\
            [program:other]\nuser=web\ncommand=php /srv/shop2/artisan queue:work\n\
            [program:root]\ndirectory=/srv/shop\ncommand=x\n\
            [program:up]\nuser=web\ndirectory=/srv/shop/../other\ncommand=x\n";
        std::fs::write(at("conf.d/a.conf"), text).unwrap();
        for (name, text) in [
            (
                "node.service",
                "[Service]\nUser=web\nWorkingDirectory=-/srv/shop/app\nExecStart=/usr/bin/node server.js\n",
            ),
            ("exec.service", "[Service]\nUser=1005\nExecStart=-/srv/shop/bin/serve --port 1\n"),
            ("root.service", "[Service]\nWorkingDirectory=/srv/shop\nExecStart=/x\n"),
            ("many@.service", "[Service]\nUser=web\nWorkingDirectory=/srv/shop\n"),
        ] {
            std::fs::write(at("units").join(name), text).unwrap();
        }
        let account = Account { name: "web".into(), uid: 1005, gid: 1005, groups: vec![1005], home: "/".into() };
        let names = |found: Vec<Described>| -> Vec<String> {
            let site = site(Path::new("/srv/shop"));
            found.into_iter().filter(|found| found.is_of(&site, &account)).map(|found| found.name).collect()
        };
        assert_eq!(names(programs(&at("supervisord.conf"))), ["queue"]);
        assert_eq!(names(units(&at("units"))), ["exec.service", "node.service"]);
        assert_eq!(programs(&Config::default().services.units.join("none")), []);
    }

    #[test]
    fn only_names_of_programs_and_units_are_taken_of_the_operators_word() {
        assert_eq!(of_name("supervisor:shop-queue"), Some(Worker::Supervisor("shop-queue".into())));
        assert_eq!(of_name("systemd:shop@1.service"), Some(Worker::Systemd("shop@1.service".into())));
        assert_eq!(of_name("systemd:shop@1"), Some(Worker::Systemd("shop@1.service".into())));
        assert_eq!(of_name("systemd:node.js"), Some(Worker::Systemd("node.js.service".into())));
        assert_eq!(of_name("systemd:shop.target"), Some(Worker::Systemd("shop.target".into())));
        for bad in ["systemd:", "systemd:--all", "command:x", "supervisor:a b", "x"] {
            assert_eq!(of_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_a_unit_that_runs_is_restarted_and_one_that_ends_at_once_is_said() {
        let of = |load: &str, active: &str, sub: &str| {
            UnitState::read(&format!("LoadState={load}\nActiveState={active}\nSubState={sub}\n"))
        };
        for (active, sub) in [("active", "running"), ("activating", "start"), ("reloading", "reload")] {
            let state = of("loaded", active, sub);
            assert_eq!((state.runs(), state.stands()), (Ok(()), Ok(())), "{active}");
        }
        let again = of("loaded", "activating", "auto-restart");
        assert!(again.runs().is_ok() && again.stands().unwrap_err().contains("ended at once"));
        for active in ["inactive", "failed"] {
            let state = of("loaded", active, "dead");
            assert!(state.runs().unwrap_err().contains("does not run"), "{active}");
            assert!(state.stands().unwrap_err().contains(active), "{active}");
        }
        assert!(of("not-found", "inactive", "dead").runs().unwrap_err().contains("no such unit"));
        assert!(UnitState::read("").runs().is_err(), "systemd said nothing");
    }

    #[test]
    fn workers_of_laravels_queue_are_not_stopped_by_supervisor() {
        let of = |command: &str| Described { command: command.into(), ..Described::default() }.is_laravels();
        assert!(of("php /srv/shop/artisan queue:work --sleep=3") && of("php artisan horizon"));
        assert!(!of("node /srv/shop/queue.js") && !of("php artisan schedule:work"));
    }
}
