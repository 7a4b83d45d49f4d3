//! `drill`: rehearses the newest backup of one domain after the other, and keeps what came of it.

use crate::api::answer::backups::DomainInfo;
use crate::api::answer::drills::{Drill, DrillNotification, Drills};
use crate::api::answer::restore::Rehearsed;
use crate::broker::client::Door;
use crate::call;
use crate::cli::arguments::Output;
use crate::cli::follow::{self, Show};
use crate::cli::output::{say, show};
use crate::cli::terminal::Style;
use crate::cli::text;
use crate::config::{Config, Source};
use crate::drills::history::Turn;
use crate::drills::{self, history, metrics};
use crate::engine::inspect::domains;
use crate::error::{Code, Error, Result};
use crate::host::process;
use crate::job::JobId;
use crate::path::Domain;
use crate::report::Outcome;
use crate::text::printable;
use crate::worker::notify;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Rehearses the newest backup of these domains, or of all. The exit status is 60 when one failed.
///
/// # Errors
/// `forbidden` for who has no right to read the configuration; `busy` while other drills run; `unknown_domain`; `cancelled`; those of
/// writing down what came of it, once all is drilled and told.
pub fn run(source: Option<&Source>, names: &[String], output: &Output, style: Style) -> Result<ExitCode> {
    let door = Door::of(source)?;
    let Door::Engine(config) = &door else {
        return Err(Error::new(Code::Forbidden, "drills are the administrator's").hint("Run it as root."));
    };
    let round = Round { door: &door, config, source, turn: history::take_turn(config)?, output, style };
    process::watch_signals();
    let known = domains::domains(config)?;
    let here: Vec<Domain> = known.iter().map(|info| info.domain.clone()).collect();
    let waiting = if names.is_empty() { all(config, known) } else { named(names, &here)? };
    if *output == Output::Text && waiting.is_empty() {
        say("No domain has a backup or a site here.\n");
    }
    let (done, mut trouble) = round.drills(waiting);
    // What was found is told, whatever else went wrong.
    let mut newest = history::newest(config).unwrap_or_default();
    newest.retain(|drill| here.contains(&drill.domain) && !config.drills.skip.contains(&drill.domain));
    trouble = metrics::write(config, &newest).err().or(trouble);
    let failed: Vec<&Drill> = done.iter().filter(|drill| drill.outcome == Outcome::Fail).collect();
    let is_failed = !failed.is_empty();
    if is_failed {
        let news = DrillNotification { kind: "drill", state: "failed", drills: failed };
        for error in notify::tell(&config.notify, &call::written(&news)?.to_string()) {
            eprintln!("nobody was told of what failed: {}. {}", printable(&error.message), printable(&error.hint));
        }
    }
    if let Some(error) = trouble {
        return Err(error);
    }
    let count = |outcome: Outcome| done.iter().filter(|drill| drill.outcome == outcome).count();
    let (pass, open, fail) = (count(Outcome::Pass), count(Outcome::NotChecked), count(Outcome::Fail));
    let data = call::written(&Drills { drills: done })?;
    show(output, &data, || format!("{pass} proven, {open} restorable and not proven, {fail} failed.\n"));
    Ok(if is_failed { ExitCode::from(Code::VerificationFailed.number()) } else { ExitCode::SUCCESS })
}

/// One run of drills.
struct Round<'a> {
    door: &'a Door,
    config: &'a Config,
    source: Option<&'a Source>,
    turn: Turn,
    output: &'a Output,
    style: Style,
}

impl Round<'_> {
    /// One domain after the other; what came of them, and what kept one from being written down or all from being drilled.
    fn drills(&self, mut waiting: Vec<Domain>) -> (Vec<Drill>, Option<Error>) {
        let (mut done, mut trouble) = (Vec::new(), None);
        // Who has a job of its own at work gets a second chance after the others.
        for is_last in [false, true] {
            for domain in std::mem::take(&mut waiting) {
                let found = if process::stop_asked() { None } else { self.drill(&domain) };
                if process::stop_asked() {
                    let stopped = Error::new(Code::Cancelled, "the drills were stopped");
                    return (done, Some(stopped.hint("What had been drilled by then is kept and told.")));
                }
                let Some(drill) = found else {
                    if is_last {
                        eprintln!(
                            "{domain} has no drill this time: another job is at work, or the drill was cancelled"
                        );
                    } else {
                        waiting.push(domain);
                    }
                    continue;
                };
                trouble = trouble.or(history::add(&self.turn, self.config, &drill).err());
                if *self.output == Output::Text {
                    say(&text::drill(&drill, self.style));
                }
                done.push(drill);
            }
        }
        (done, trouble)
    }

    /// `None` where it says nothing of the backup: the domain has a job of its own, or somebody cancelled this one.
    fn drill(&self, domain: &Domain) -> Option<Drill> {
        match self.rehearse(domain) {
            (_, Err(Error { code: Code::Cancelled | Code::Busy, .. })) => None,
            (job, came_to) => Some(drills::of(self.config, domain, job, came_to)),
        }
    }

    fn rehearse(&self, domain: &Domain) -> (Option<JobId>, Result<Rehearsed>) {
        let mut request = json!({"domain": domain, "backup": "latest"});
        if let Some(source) = self.source {
            request["config"] = json!(source);
        }
        let begun = self.door.answer("rehearse", &request);
        let job = match begun.and_then(|data| JobId::parse(data["job"].as_str().unwrap_or_default())) {
            Ok(job) => job,
            Err(error) => return (None, Err(error)),
        };
        let shown = *self.output == Output::Text && self.style.live;
        let progress = if shown { Show::Progress } else { Show::Nothing };
        let came_to = follow::follow(self.door, &job, self.style, progress, true)
            .and_then(|()| self.door.wait(&job))
            .and_then(|data| {
                serde_json::from_value(data)
                    .map_err(|error| Error::new(Code::Internal, format!("the answer is no rehearsal: {error}")))
            });
        (Some(job), came_to)
    }
}

fn named(names: &[String], here: &[Domain]) -> Result<Vec<Domain>> {
    let mut chosen = Vec::new();
    for name in names {
        let domain = Domain::parse(name)?;
        if !here.contains(&domain) {
            return Err(Error::new(Code::UnknownDomain, format!("{domain} has neither a backup nor a site here")));
        }
        if !chosen.contains(&domain) {
            chosen.push(domain);
        }
    }
    Ok(chosen)
}

/// Every domain with a backup or a site, the one first that had no drill for the longest time.
fn all(config: &Config, known: Vec<DomainInfo>) -> Vec<Domain> {
    let last = |domain: &Domain| history::last(config, domain).ok().flatten().map(|drill| drill.time);
    let found = known.into_iter().filter(|info| info.backups > 0 || info.has_site);
    let found: BTreeSet<Domain> =
        found.map(|info| info.domain).filter(|domain| !config.drills.skip.contains(domain)).collect();
    let mut found: Vec<Domain> = found.into_iter().collect();
    found.sort_by_cached_key(last);
    found
}
