//! Further pages of the live site: those that have to come, the post that the rehearsal saw, and a file whose content is known.

mod file;

use crate::api::answer::restore::Rehearsal;
use crate::config::{Config, Probe};
use crate::engine::commit::step::Step;
use crate::engine::live_pages::file::{Before, Found};
use crate::engine::machine::Hosts;
use crate::engine::posts::{self, Posts};
use crate::engine::rehearsal::NEW_WORDS;
use crate::host::services::Answer;
use crate::host::site::Site;
use crate::path::Domain;
use crate::plan::Plan;
use crate::report::{Check, Outcome};
use crate::text::printable;
use std::time::Duration;

/// How often a probe is asked for before it has failed.
const ATTEMPTS: u32 = 4;

/// Whether the pages that have to come do.
pub fn probed(config: &Config, hosts: &Hosts, domain: &Domain, probes: &[Probe]) -> Vec<Check> {
    if config.http.url.is_empty() {
        return Vec::new();
    }
    let ask = |probe: &Probe| of_answer(probe, hosts.services.fetch_page(domain, &probe.path));
    // All caches are empty: the first answer may be slow.
    probes.iter().map(|probe| patiently(ATTEMPTS, || ask(probe))).collect()
}

/// Asks for a page until it does not fail, so many times at most, with longer and longer pauses.
pub fn patiently(attempts: u32, ask: impl Fn() -> Check) -> Check {
    again(attempts, ask, |said| said.outcome != Outcome::Fail)
}

/// The same for any answer that is settled some time.
fn again<T>(attempts: u32, ask: impl Fn() -> T, is_settled: impl Fn(&T) -> bool) -> T {
    let mut said = ask();
    for attempt in 1..attempts {
        if is_settled(&said) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100 << attempt));
        said = ask();
    }
    said
}

fn of_answer(probe: &Probe, answer: crate::error::Result<Answer>) -> Check {
    let path = printable(&probe.path);
    let check =
        |outcome, said: String| Check::new("probe", outcome, format!("{path} {said}")).with("path", path.clone());
    match answer {
        Err(error) => check(Outcome::Fail, format!("gives no answer: {}", error.message)),
        Ok(Answer { doubt: Some(doubt), status, .. }) => {
            check(Outcome::Warn, format!("answers {status}, but {doubt}: no page was seen"))
        }
        Ok(Answer { status, .. }) if !(200..300).contains(&status) => check(Outcome::Fail, format!("answers {status}")),
        Ok(Answer { status, body, millis, .. }) if holds(&body, &probe.text) => {
            let what =
                if probe.text.is_empty() { String::new() } else { format!(" and holds {:?}", printable(&probe.text)) };
            check(Outcome::Pass, format!("answers {status} after {millis} ms{what}"))
        }
        Ok(Answer { status, .. }) => {
            check(Outcome::Fail, format!("answers {status} and does not hold {:?}", printable(&probe.text)))
        }
    }
}

/// Whether a page holds a text.
pub fn holds(page: &[u8], text: &str) -> bool {
    text.is_empty() || memchr::memmem::find(page, text.as_bytes()).is_some()
}

/// Why no post is asked for.
const NO_POST: &str = "no post of a WordPress is known to ask for";

/// By what the pages of the restored state can be told from those of the state before.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The rehearsal of it; `None` in a way back.
    pub rehearsal: Option<&'a Rehearsal>,
    /// The steps of the change-over: they say where the state before is now.
    pub steps: &'a [Step],
}

/// What was asked for to see that the live site is the restored one.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// The answer for this address carries what only the restored state has.
    New(String),
    /// What was asked for was the same before.
    Same,
    /// Nothing was seen of it, for this reason.
    Nothing(String),
    /// It takes no part.
    NoPart,
}

/// What proves that the pages are those of the restored state. Something in front of the site may have its own: nothing here is a
/// reason to go back.
pub fn checks(config: &Config, plan: &Plan, hosts: &Hosts, known: Known) -> Vec<Check> {
    if config.http.url.is_empty() {
        return vec![unproven("the site was not asked for a page, since http.url is empty")];
    }
    // A request that began before the change-over may have brought an old page into a cache, which is emptied again meanwhile.
    let is_settled =
        |(check, _): &(Option<Check>, Seen)| check.as_ref().is_none_or(|check| check.outcome != Outcome::Warn);
    let (post, of_post) = again(ATTEMPTS, || the_post(plan, hosts, known), is_settled);
    let (file, of_file) = again(ATTEMPTS, || static_file(config, plan, hosts, known.steps), is_settled);
    post.into_iter().chain(file).chain([freshness(of_post, of_file)]).collect()
}

/// What is said where nobody looks for what only the restored state has.
pub fn unproven(why: &str) -> Check {
    let message = format!("that visitors see the restored state was not proven: {why}");
    Check::new("freshness", Outcome::NotChecked, message)
}

/// Whether an answer carried what only the restored state has.
fn freshness(post: Seen, file: Seen) -> Check {
    match (post, file) {
        (Seen::New(address), _) | (_, Seen::New(address)) => {
            let message = format!("{address} carries what only the restored state has");
            Check::new("freshness", Outcome::Pass, message).with("path", address)
        }
        (Seen::Same, Seen::Same | Seen::NoPart) | (Seen::NoPart, Seen::Same) => {
            unproven("nothing that visitors see differs from the state before, as far as was looked")
        }
        (Seen::NoPart, Seen::NoPart) => unproven("neither files nor tables take part"),
        (Seen::Nothing(why), Seen::Nothing(other)) => unproven(&format!("{why}; {other}")),
        (Seen::Nothing(why), _) | (_, Seen::Nothing(why)) => unproven(&why),
    }
}

/// The post of the restored tables that the rehearsal saw, by words that stand in no post of before.
fn the_post(plan: &Plan, hosts: &Hosts, known: Known) -> (Option<Check>, Seen) {
    let nothing = |why: String| (None, Seen::Nothing(why));
    if plan.database.is_none() {
        return (None, Seen::NoPart);
    }
    let Some(rehearsal) = known.rehearsal.filter(|rehearsal| !rehearsal.pages.is_empty()) else {
        return an_unseen_post(plan, hosts, known);
    };
    let Some(seen) = rehearsal.pages.iter().find(|page| page.name == "post") else { return nothing(NO_POST.into()) };
    // A title that the staged site did not show is no proof of anything.
    if seen.outcome != Outcome::Pass {
        return nothing(seen.message.clone());
    }
    let figure = |name: &str| seen.figures.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let path = figure("path");
    let (title, new) = (figure("title"), figure(NEW_WORDS));
    let check = |outcome, said: String| Check::new("post", outcome, format!("{path} {said}")).with("path", path);
    let unseen = |check: Check| {
        let why = check.message.clone();
        (Some(check), Seen::Nothing(why))
    };
    match hosts.services.fetch_page(&plan.domain, path) {
        Ok(Answer { doubt: None, status, body, .. }) if (200..300).contains(&status) => {
            let is_there = holds(&body, title) && holds(&body, new);
            match (new.is_empty(), is_there) {
                (false, true) => {
                    let said = format!("answers {status} with words that only the restored post has");
                    (Some(check(Outcome::Pass, said)), Seen::New(path.to_owned()))
                }
                (true, true) => {
                    let said = format!("answers {status}; the state before has the same post");
                    (Some(check(Outcome::NotChecked, said)), Seen::Same)
                }
                (_, false) => unseen(check(
                    Outcome::Warn,
                    format!("answers {status} without the words of the restored post: a cache may have an old page"),
                )),
            }
        }
        Ok(Answer { status, .. }) => {
            unseen(check(Outcome::Warn, format!("answers {status}: the restored post was not seen")))
        }
        Err(error) => unseen(check(Outcome::Warn, format!("gives no answer: {}", error.message))),
    }
}

/// A post of tables that changed places and that nobody rehearsed, by words that stand in none of those before. A page without them proves
/// nothing against a cache: the site may not show them.
fn an_unseen_post(plan: &Plan, hosts: &Hosts, known: Known) -> (Option<Check>, Seen) {
    let nothing = |why: &str| (None, Seen::Nothing(why.to_owned()));
    let not_rehearsed = known.rehearsal.map_or(NO_POST, |rehearsal| rehearsal.message.as_str());
    let switch = known.steps.iter().find_map(|step| match step {
        Step::Switch { live, switch, .. } => Some((live.as_str(), switch)),
        _ => None,
    });
    let Some((live, switch)) = switch else { return (None, Seen::Same) };
    let Ok(tables) = hosts.database().and_then(|database| database.tables(live)) else { return nothing(not_rehearsed) };
    let tables: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let Some(prefix) = posts::prefix(&tables) else { return nothing(not_rehearsed) };
    let came =
        |name: &str| switch.moves.iter().any(|table| table.to == live && table.table == format!("{prefix}{name}"));
    let with_title = came("options");
    if !came("posts") {
        return if with_title { nothing(not_rehearsed) } else { (None, Seen::Same) };
    }
    let kept = plan.database.as_ref().map(|names| names.kept.as_str()).unwrap_or_default();
    let choose = || {
        let read = |schema: &str| hosts.reader()?.server(schema).ok();
        let now = Posts::newest(&read(live)?, live, prefix, with_title).ok()?;
        let before = now.the_same_in(&read(kept)?, kept, prefix).ok()??;
        now.choose(Some(&before))
    };
    let Some(post) = choose() else { return nothing(not_rehearsed) };
    if post.marks.is_empty() {
        return (None, Seen::Same);
    }
    let path = format!("/?p={}", post.id);
    match hosts.services.fetch_page(&plan.domain, &path) {
        Ok(Answer { doubt: None, status, body, .. })
            if (200..300).contains(&status) && post.marks.iter().any(|words| holds(&body, words)) =>
        {
            let message = format!("{path} answers {status} with words that only the restored post has");
            (Some(Check::new("post", Outcome::Pass, message).with("path", path.clone())), Seen::New(path))
        }
        _ => nothing(not_rehearsed),
    }
}

/// A file that the web server gives out as it is, compared with the one in the document root; where there is one, a file that the
/// tree before has otherwise.
fn static_file(config: &Config, plan: &Plan, hosts: &Hosts, steps: &[Step]) -> (Option<Check>, Seen) {
    let Some(before) = Before::of(steps) else { return (None, Seen::NoPart) };
    let found = Site::find(config, &plan.domain).ok().and_then(|site| file::find(plan, &site.root, &before));
    let Some(Found { path, content, is_new }) = found else {
        return (None, Seen::Nothing("no file is known that the web server gives out as it is".into()));
    };
    let address = format!("/{path}");
    let check = |outcome, said: String| {
        Check::new("static_file", outcome, format!("{address} {said}")).with("path", address.clone())
    };
    let unseen = |check: Check| {
        let why = check.message.clone();
        (Some(check), Seen::Nothing(why))
    };
    match hosts.services.fetch_page(&plan.domain, &address) {
        Ok(Answer { doubt: None, status: 200, body, .. }) if body == content => match is_new {
            true => (Some(check(Outcome::Pass, "is served as it was restored".into())), Seen::New(address)),
            false => {
                let said = "is served as it was restored, and the state before has the same file";
                (Some(check(Outcome::NotChecked, said.into())), Seen::Same)
            }
        },
        Ok(Answer { doubt: None, status: 200, .. }) => {
            unseen(check(Outcome::Warn, "is served otherwise than it was restored: a cache may have an old one".into()))
        }
        Ok(Answer { status, .. }) => {
            unseen(check(Outcome::NotChecked, format!("answers {status}: the file was not seen")))
        }
        Err(error) => unseen(check(Outcome::NotChecked, format!("gives no answer: {}", error.message))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_has_to_come_has_to_hold_its_text() {
        let probe = |text: &str| Probe { path: "/shop/".into(), text: text.into() };
        let answer = |status, doubt: Option<&str>| {
            let (doubt, body) = (doubt.map(str::to_owned), b"<h1>Rocket</h1>".to_vec());
            Ok(Answer { status, bytes: 15, millis: 1, by: Vec::new(), doubt, body })
        };
        for (probe, answer, outcome) in [
            (probe("Rocket"), answer(200, None), Outcome::Pass),
            (probe(""), answer(204, None), Outcome::Pass),
            (probe("Mouse"), answer(200, None), Outcome::Fail),
            (probe(""), answer(404, None), Outcome::Fail),
            (probe(""), answer(301, None), Outcome::Fail),
            (probe("Rocket"), answer(302, Some("it redirects to elsewhere")), Outcome::Warn),
        ] {
            assert_eq!(of_answer(&probe, answer).outcome, outcome, "{probe:?}");
        }
    }

    #[test]
    fn freshness_is_proven_by_one_answer_and_what_was_not_proven_is_said() {
        let new = || Seen::New("/a.css".into());
        let nothing = || Seen::Nothing("not rehearsed".into());
        for (post, file, outcome, says) in [
            (new(), nothing(), Outcome::Pass, "/a.css carries"),
            (Seen::Same, new(), Outcome::Pass, "/a.css carries"),
            (Seen::Same, Seen::Same, Outcome::NotChecked, "nothing that visitors see differs"),
            (Seen::NoPart, Seen::Same, Outcome::NotChecked, "nothing that visitors see differs"),
            (Seen::Same, nothing(), Outcome::NotChecked, "not rehearsed"),
            (nothing(), Seen::NoPart, Outcome::NotChecked, "not rehearsed"),
            (nothing(), nothing(), Outcome::NotChecked, "not rehearsed; not rehearsed"),
            (Seen::NoPart, Seen::NoPart, Outcome::NotChecked, "take part"),
        ] {
            let said = format!("{post:?} {file:?}");
            let check = freshness(post, file);
            assert_eq!((check.outcome, check.message.contains(says)), (outcome, true), "{said}: {}", check.message);
        }
    }

    #[test]
    fn an_answer_is_asked_for_until_it_is_settled_and_not_for_ever() {
        let times = std::cell::Cell::new(0);
        let ask = || {
            times.set(times.get() + 1);
            times.get()
        };
        assert_eq!(again(3, ask, |said| *said == 2), 2);
        assert_eq!(again(2, ask, |said| *said == 2), 4);
    }
}
