//! The service: takes connections, checks who asks for what, and has the engine answer.

use crate::api::answer::Answer;
use crate::api::request::Request;
use crate::api::{self, MAX_REQUEST};
use crate::broker::access::{Access, Rights, Terms};
use crate::broker::approval::Approval;
use crate::broker::audit::{self, About, Line};
use crate::broker::own::Own;
use crate::broker::peer::Peer;
use crate::broker::settings::{Cache, Settings};
use crate::broker::wish::{self, Wish};
use crate::call;
use crate::config::{Config, Source};
use crate::disk::is_ours;
use crate::error::{Code, Error, Result, panic_text};
use crate::host::process;
use crate::job::folder::JobFolder;
use crate::job::{JobId, Kind};
use crate::path::Domain;
use crate::worker::recovery;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Connections at once: of all users that a rule names, of one of them, and of all others together. More are told so at once.
const MAX_CONNECTIONS: usize = 256;
const MAX_OF_USER: usize = 128;
const MAX_OF_STRANGERS: usize = 16;
/// Jobs of a domain at once.
const MAX_JOBS: usize = 4;
/// Jobs of a domain that begin within an hour: looking costs, too.
const MAX_JOBS_AN_HOUR: usize = 240;
/// Calls that begin no job, of one user, that are written down in a minute; of all strangers together, too.
const LINES_A_MINUTE: usize = 600;
/// How long a caller may take to say what it wants, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The outcome of a line that is written before the deed.
const BEGUN: &str = "begun";
/// What stands around a request.
const AROUND: usize = 4096;

/// What comes in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    call: String,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
    #[serde(default)]
    on_behalf: String,
}

/// Serves until SIGTERM or SIGINT. The socket is the one that systemd hands over, else that of `paths.broker`.
///
/// # Errors
/// `forbidden` for anybody but root; `config_invalid`; `busy` where another one serves; `io_failed`.
pub fn serve(source: Option<&Source>) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::new(Code::Forbidden, "the broker does for others what root alone may do"));
    }
    process::watch_signals();
    raise_open_files();
    let listener = match handed_over() {
        // Somebody waits there: what is wrong with the settings is told to each caller, as it is when they become wrong later.
        Some(listener) => listener,
        None => {
            let config = Config::of(source)?;
            Access::read(&config.paths.access())?;
            bind(config.paths.broker())?
        }
    };
    listener.set_nonblocking(true).map_err(|error| Error::io("listen", &error))?;
    let broker = Arc::new(Broker { source: source.cloned(), ..Broker::default() });
    while !process::stop_asked() {
        let wait = Timespec { tv_sec: 1, tv_nsec: 0 };
        match poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&wait)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(Error::io("wait for callers", &error.into())),
        }
        while !process::stop_asked() {
            match listener.accept() {
                Ok((stream, _)) => broker.take(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // No file or memory is left for another caller: those that are served give some back.
                Err(_) => {
                    std::thread::sleep(Duration::from_millis(50));
                    break;
                }
            }
        }
    }
    Ok(())
}

/// As many open files as this process may have: a connection has a few, and the usual limit is 1024.
fn raise_open_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit { current: limit.maximum, ..limit },
    );
}

/// The socket of systemd.socket(5), which says so in LISTEN_PID and LISTEN_FDS (sd_listen_fds(3)).
fn handed_over() -> Option<UnixListener> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(std::process::id()) || number("LISTEN_FDS")? < 1 {
        return None;
    }
    // SAFETY: systemd opened descriptor 3 for this process, and nothing else here has taken it.
    let socket = unsafe { OwnedFd::from_raw_fd(3) };
    // Workers go on without it.
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC).ok()?;
    Some(UnixListener::from(socket))
}

/// Listens where everybody may connect: what they may is in access.toml. The socket of a broker that is gone gives way.
fn bind(path: &Path) -> Result<UnixListener> {
    if UnixStream::connect(path).is_ok() {
        return Err(Error::new(Code::Busy, format!("another broker listens at {}", path.display()))
            .hint("Stop it first, or set `paths.broker`."));
    }
    let failed = |error: io::Error| Error::io(format!("listen at {}", path.display()), &error);
    let folder = path.parent().unwrap_or(Path::new("/"));
    if !is_ours(&std::fs::metadata(folder).map_err(failed)?) {
        let message = format!("{}: others may write to the folder that the socket would lie in", folder.display());
        return Err(
            Error::new(Code::ConfigInvalid, message).hint("Set `paths.broker` to a place in a folder of root's.")
        );
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).map_err(failed)?;
    Ok(listener)
}

/// Whom a connection counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    /// A user whom a rule names.
    Known(u32),
    /// All others.
    Stranger,
}

#[derive(Debug, Default)]
struct Broker {
    source: Option<Source>,
    settings: Cache,
    /// Connections that are open.
    open: Mutex<HashMap<Class, usize>>,
    /// Lines of this minute, and those that were left out.
    lines: Mutex<HashMap<Class, Minute>>,
    /// Held while a job is counted and begun, a share of the domains each: two of a domain at once would both find room.
    beginning: [Mutex<()>; 16],
}

#[derive(Debug)]
struct Minute {
    since: Instant,
    written: usize,
    left_out: usize,
}

/// A place among the connections, until it is dropped.
struct Place {
    broker: Arc<Broker>,
    class: Class,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.broker.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.class) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.class);
            }
        }
    }
}

impl Broker {
    /// Answers a caller in a thread of its own.
    fn take(self: &Arc<Broker>, stream: UnixStream) {
        let Ok(peer) = Peer::of(&stream) else { return };
        let settings = self.settings.settings(self.source.as_ref());
        let class = match &settings {
            Ok(Settings { access: Ok(access), .. }) if !access.of(&peer).are_none() => Class::Known(peer.uid),
            _ => Class::Stranger,
        };
        let Some(place) = self.place(class) else {
            let busy = Error::new(Code::Busy, "too many callers ask the broker at once").hint("Try again in a moment.");
            // Whoever does not take it misses it: nobody waits for a caller here.
            let text = api::text(&api::failure(&busy));
            let _ = stream.set_nonblocking(true).and_then(|()| (&stream).write_all(text.as_bytes()));
            return;
        };
        let work = move || {
            place.broker.converse(&stream, &peer, class, settings);
            drop(place);
        };
        if let Err(error) = std::thread::Builder::new().name("caller".into()).spawn(work) {
            eprintln!("rocketvps-restore: a caller could not be answered: {error}");
        }
    }

    fn place(self: &Arc<Broker>, class: Class) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&class).copied().unwrap_or(0);
        let known =
            || open.iter().filter(|(class, _)| **class != Class::Stranger).map(|(_, count)| count).sum::<usize>();
        let has_room = match class {
            Class::Stranger => own < MAX_OF_STRANGERS,
            Class::Known(_) => own < MAX_OF_USER && known() < MAX_CONNECTIONS,
        };
        if !has_room {
            return None;
        }
        open.insert(class, own + 1);
        Some(Place { broker: Arc::clone(self), class })
    }

    /// Answers, and writes down what came of it.
    fn converse(&self, stream: &UnixStream, peer: &Peer, class: Class, settings: Result<Settings>) {
        let mut line = Line::of(peer);
        // First of all: a caller whose document is left lying gets no answer, but a reset.
        let text = read(stream);
        let answer = match settings {
            Err(error) => Err(error),
            Ok(Settings { config, access }) => {
                let rights = access.as_ref().map(|access| access.of(peer));
                let answer = || text.and_then(|text| self.answer(&config, rights, (stream, peer), &text, &mut line));
                let answer = catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|panic| {
                    let message = format!("the broker met a defect: {}", panic_text(&*panic));
                    Err(Error::new(Code::Panic, message))
                });
                let about = if line.outcome == BEGUN { About::Jobs } else { About::Looks };
                line.outcome = match &answer {
                    Ok(_) => "ok".into(),
                    Err(error) => error.code.name().into(),
                };
                if let Some(job) = answer.as_ref().ok().and_then(|data| data["job"].as_str()) {
                    line.job = Some(job.to_owned());
                }
                // What was done was done: that it could not be written down is no answer to the caller.
                if let Err(error) = self.note(&config, class, &mut line, about) {
                    eprintln!("rocketvps-restore: {}", error.message);
                }
                answer
            }
        };
        let document = match answer {
            Ok(data) => api::success(&data),
            Err(error) => api::failure(&error),
        };
        let _ = write(stream, api::text(&document).as_bytes());
    }

    /// Writes a line, where it is not one of too many that only looked.
    fn note(&self, config: &Config, class: Class, line: &mut Line, about: About) -> Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Minute { since: Instant::now(), written: 0, left_out: 0 };
        let minute = lines.entry(class).or_insert_with(new);
        if minute.since.elapsed() > Duration::from_secs(60) {
            *minute = Minute { left_out: minute.left_out, ..new() };
        }
        if about == About::Looks {
            if minute.written >= LINES_A_MINUTE {
                minute.left_out += 1;
                return Ok(());
            }
            minute.written += 1;
            line.left_out = std::mem::take(&mut minute.left_out);
        }
        drop(lines);
        audit::write(config, about, line)
    }

    fn answer(
        &self,
        config: &Config,
        rights: std::result::Result<Rights, &Error>,
        (stream, peer): (&UnixStream, &Peer),
        text: &str,
        line: &mut Line,
    ) -> Result<Value> {
        let document: Document = serde_json::from_str(text).map_err(|error| {
            Error::new(Code::BadRequest, format!("the document is not {{\"call\": NAME, \"request\": {{…}}}}: {error}"))
        })?;
        line.call.clone_from(&document.call);
        line.on_behalf.clone_from(&document.on_behalf);
        let asked = document.request.map_or("{}", RawValue::get);
        if let Some(own) = Own::parse(&document.call, asked)? {
            return own.answer(config, peer, &rights.map_err(Error::clone)?, line);
        }
        let request = Request::parse(&document.call, asked)?;
        let rights = rights.map_err(Error::clone)?;
        rights.require_call(request.name())?;
        let wish = Wish::of(config, &request)?;
        line.domain = wish.domain.as_ref().map(|domain| domain.as_str().to_owned());
        line.job.clone_from(&wish.job);
        let terms = rights.require(&wish).map_err(|error| match &wish.job {
            // Whose job it is, is not told.
            Some(job) => rights.refusal(format!("job {job} is of a domain, or of components, that no rule of it has")),
            None => error,
        })?;
        let waits = request.waits();
        let Some(kind) = request.kind() else {
            return call::written(&shown(config, call::start(config, request)?, wish.call, &rights));
        };
        let begun = {
            let share = share_of(wish.domain.as_ref(), self.beginning.len());
            let _one_at_a_time = self.beginning[share].lock().unwrap_or_else(PoisonError::into_inner);
            require_room(config, kind, wish.domain.as_ref(), terms, &rights)?;
            // What cannot begin is no line of a job, and nobody is asked to approve it.
            let request = call::checked(config, request)?;
            let approval = match terms.approval && wants_two(kind) {
                true => Some(Approval::of(peer, &document.on_behalf, wish.domain.as_ref(), &request)?.take(config)?),
                false => None,
            };
            line.approved_by = approval.as_ref().map(|taken| taken.by().to_owned());
            // What cannot be written down is not done.
            line.outcome = BEGUN.into();
            let begun = audit::write(config, About::Jobs, line).and_then(|()| call::carry_out(config, request));
            if let (Err(_), Some(taken)) = (&begun, approval) {
                taken.give_back(config);
            }
            begun?
        };
        match begun {
            Answer::Begun(begun) if waits => wait(config, &begun.job, stream),
            answer => call::written(&answer),
        }
    }
}

/// Waits for a job as long as the caller does. The job goes on without it.
fn wait(config: &Config, job: &JobId, stream: &UnixStream) -> Result<Value> {
    let mut looked = Instant::now();
    loop {
        if call::status(config, job, u64::MAX)?.status.state.is_final() {
            return call::wait(config, job);
        }
        // Its worker may die.
        if looked.elapsed() > Duration::from_secs(1) {
            recovery::kick(config);
            looked = Instant::now();
        }
        let pause = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
        let mut ends = [PollFd::new(stream, PollFlags::empty())];
        if poll(&mut ends, Some(&pause)).is_ok_and(|_| ends[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)) {
            return Err(Error::new(Code::Cancelled, format!("the caller left; job {job} goes on")));
        }
    }
}

fn changes(kind: Kind) -> bool {
    matches!(kind, Kind::Restore | Kind::Rollback)
}

/// Whether it counts for `per_hour`: a rehearsal does all of a restore's work but the change-over.
fn counts(kind: Kind) -> bool {
    changes(kind) || kind == Kind::Rehearse
}

/// Whether a second person may have to approve it: it changes the site, or there is no way back from it.
fn wants_two(kind: Kind) -> bool {
    changes(kind) || kind == Kind::DeleteSnapshot
}

/// Which of so many shares a domain falls into.
fn share_of(domain: Option<&Domain>, shares: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    domain.map(Domain::as_str).hash(&mut hasher);
    usize::try_from(hasher.finish() % shares as u64).unwrap_or(0)
}

/// Refuses one job too many of a domain at once, and one restore, rollback or rehearsal too many in an hour, whoever began those before.
fn require_room(config: &Config, kind: Kind, domain: Option<&Domain>, terms: Terms, rights: &Rights) -> Result<()> {
    const HOUR: i64 = 3600;
    let now = jiff::Timestamp::now().as_second();
    let (mut alive, mut begun, mut recent) = (0, 0, 0);
    // The newest first; no job lasts a day.
    for folder in JobFolder::all(config) {
        let age = folder.begun().map_or(0, |begun| now - begun.as_second());
        if age > 24 * HOUR {
            break;
        }
        // One whose worker died says that it is at work until it is recovered.
        let has_worker = !folder.has_no_worker();
        if age > HOUR && !has_worker {
            continue;
        }
        // One that cannot be read counts as one of this domain.
        let ticket = folder.ticket().ok();
        if ticket.as_ref().is_some_and(|ticket| ticket.domain.as_ref() != domain) {
            continue;
        }
        alive += usize::from(has_worker && folder.status().is_ok_and(|status| !status.state.is_final()));
        begun += usize::from(age < HOUR);
        recent += usize::from(age < HOUR && ticket.is_none_or(|ticket| counts(ticket.kind)));
    }
    if begun >= MAX_JOBS_AN_HOUR {
        return Err(Error::new(Code::Busy, format!("{begun} jobs of this domain began within an hour"))
            .hint("Try again later."));
    }
    if alive >= MAX_JOBS {
        return Err(Error::new(Code::Busy, format!("{alive} jobs of this domain are at work"))
            .hint("Wait for one of them, or cancel it."));
    }
    match (terms.per_hour, domain) {
        (Some(limit), Some(domain)) if counts(kind) && recent >= limit => Err(rights.refusal(format!(
            "{domain} had {recent} restores, rollbacks and rehearsals within an hour, and `per_hour` is {limit}"
        ))),
        _ => Ok(()),
    }
}

/// An answer cut to the domains that the caller may see, and to backups that it can name.
fn shown(config: &Config, mut answer: Answer, call: &str, rights: &Rights) -> Answer {
    let may_see = |domain: &Option<Domain>| domain.as_ref().is_some_and(|domain| rights.shows(call, domain.as_str()));
    match &mut answer {
        Answer::Domains(answer) => answer.domains.retain(|info| rights.shows(call, info.domain.as_str())),
        // An archive of all domains lies elsewhere, and is no single tenant's.
        Answer::Backups(answer) => {
            let domain = answer.domain.clone();
            answer.backups.retain(|backup| wish::is_backup_of(config, &domain, &backup.path));
        }
        Answer::Jobs(answer) => answer.jobs.retain(|info| may_see(&info.domain)),
        Answer::Drills(answer) => answer.drills.retain(|drill| rights.shows(call, drill.domain.as_str())),
        Answer::Logs(answer) => answer.logs.retain(|info| rights.shows(call, info.domain.as_str())),
        _ => {}
    }
    answer
}

/// Bytes of a document that is too large which are read all the same.
const MOST_DROPPED: usize = 64 << 20;

/// One line, or all until the caller ends; in bounded time and memory.
fn read(mut stream: &UnixStream) -> Result<String> {
    let until = Instant::now() + PATIENCE;
    let (mut text, mut dropped) = (Vec::new(), 0);
    let mut piece = [0; 16 << 10];
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            Error::new(Code::TimedOut, format!("no whole request came within {} s", PATIENCE.as_secs()))
                .hint("Send the document in one piece, with a line end after it.")
        }
        _ => Error::io("read the request", &error),
    };
    while !text.ends_with(b"\n") {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failed(ErrorKind::TimedOut.into()));
        }
        stream.set_read_timeout(Some(left)).map_err(failed)?;
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => text.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if text.len() > MAX_REQUEST + AROUND {
            // What is left lying would be a reset to the caller, in place of the answer.
            dropped += text.len();
            text.clear();
        }
        if dropped > MOST_DROPPED {
            break;
        }
    }
    if dropped > 0 {
        return Err(Error::new(Code::BadRequest, format!("the document is larger than {MAX_REQUEST} bytes")));
    }
    String::from_utf8(text).map_err(|_| Error::new(Code::BadRequest, "the document is not UTF-8"))
}

/// All of it, in bounded time: a caller that does not take it is left.
fn write(mut stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    while !bytes.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(left))?;
        match stream.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
