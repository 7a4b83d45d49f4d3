//! `drill`: rehearses the newest backup of one domain after the other, and keeps what came of it.

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
/// writing down what came of it.
pub fn run(source: Option<&Source>, names: &[String], output: &Output, style: Style) -> Result<ExitCode> {
    let door = Door::of(source)?;
    let Door::Engine(config) = &door else {
        return Err(Error::new(Code::Forbidden, "drills are the administrator's").hint("Run it as root."));
    };
    let round = Round { door: &door, config, source, turn: history::take_turn(config)?, output, style };
    process::watch_signals();
    let mut waiting = if names.is_empty() { all(config)? } else { named(names)? };
    if *output == Output::Text && waiting.is_empty() {
        say("No domain has a backup or a site here.\n");
    }
    let mut done = Vec::new();
    // Who has a job of its own at work gets a second chance after the others.
    for is_last in [false, true] {
        for domain in std::mem::take(&mut waiting) {
            match round.drill(&domain)? {
                Some(drill) => done.push(drill),
                None if is_last => eprintln!("{domain} has no drill this time: a job of its own is at work"),
                None => waiting.push(domain),
            }
        }
    }
    metrics::write(config, &there(config)?)?;
    let failed: Vec<&Drill> = done.iter().filter(|drill| drill.outcome == Outcome::Fail).collect();
    let is_failed = !failed.is_empty();
    if is_failed {
        let news = DrillNotification { kind: "drill", state: "failed", drills: failed };
        for error in notify::tell(&config.notify, &call::written(&news)?.to_string()) {
            eprintln!("nobody was told of what failed: {}. {}", printable(&error.message), printable(&error.hint));
        }
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
    /// `None` where the domain has a job of its own.
    fn drill(&self, domain: &Domain) -> Result<Option<Drill>> {
        if process::stop_asked() {
            return Err(stopped());
        }
        let (job, came_to) = self.rehearse(domain);
        if let Err(Error { code: Code::Cancelled, .. }) = came_to {
            return Err(stopped());
        }
        let Some(drill) = drills::of(self.config, domain, job, came_to) else { return Ok(None) };
        history::add(&self.turn, self.config, &drill)?;
        if *self.output == Output::Text {
            say(&text::drill(&drill, self.style));
        }
        Ok(Some(drill))
    }

    fn rehearse(&self, domain: &Domain) -> (Option<JobId>, Result<Rehearsed>) {
        let mut request = json!({"domain": domain, "backup": "latest"});
        if let Some(source) = self.source {
            request["config"] = json!(source);
        }
        let begun = self.door.answer("rehearse", &request);
        let job = match begun.map(|data| data["job"].as_str().unwrap_or_default().to_owned()) {
            Ok(name) => JobId::parse(&name),
            Err(error) => Err(error),
        };
        let job = match job {
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

fn stopped() -> Error {
    Error::new(Code::Cancelled, "the drills were stopped").hint("What had been drilled by then is kept.")
}

fn named(names: &[String]) -> Result<Vec<Domain>> {
    let mut seen = BTreeSet::new();
    let parsed: Vec<Domain> = names.iter().map(|name| Domain::parse(name)).collect::<Result<_>>()?;
    Ok(parsed.into_iter().filter(|domain| seen.insert(domain.clone())).collect())
}

/// Every domain with a backup or a site, the one first that had no drill for the longest time.
fn all(config: &Config) -> Result<Vec<Domain>> {
    let last = |domain: &Domain| history::of(config, domain).pop().map(|drill| drill.time);
    let found = domains::domains(config)?.into_iter().filter(|info| info.backups > 0 || info.has_site);
    let mut found: Vec<Domain> =
        found.map(|info| info.domain).filter(|domain| !config.drills.skip.contains(domain)).collect();
    found.sort_by_cached_key(last);
    Ok(found)
}

/// The newest drill of every domain that is still here.
fn there(config: &Config) -> Result<Vec<Drill>> {
    let here: BTreeSet<Domain> = domains::domains(config)?.into_iter().map(|info| info.domain).collect();
    let mut newest = history::newest(config)?;
    newest.retain(|drill| here.contains(&drill.domain) && !config.drills.skip.contains(&drill.domain));
    Ok(newest)
}
