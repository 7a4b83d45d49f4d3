//! Further pages of the live site: those that have to come, the posts that the rehearsal saw, and a file whose content is known.

mod file;
pub mod front;
pub mod post;
pub mod seen;

use crate::config::{Config, Probe};
use crate::engine::commit::step::Step;
use crate::engine::live_pages::file::{Before, Found, Was};
use crate::engine::live_pages::seen::{Judged, Seen, ToAsk, together};
use crate::engine::machine::Hosts;
use crate::host::services::Answer;
use crate::host::site::Site;
use crate::path::Domain;
use crate::plan::Plan;
use crate::progress::Monitor;
use crate::report::{Check, Outcome};
use crate::text::printable;
use std::time::{Duration, Instant};

/// How often a probe is asked for before it has failed.
const ATTEMPTS: u32 = 4;
/// The pause before the last attempt, and a moment to ask.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Whether the pages that have to come do.
pub fn probed(config: &Config, hosts: &Hosts, domain: &Domain, probes: &[Probe]) -> Vec<Check> {
    if config.http.url.is_empty() {
        return Vec::new();
    }
    let door = if probes.is_empty() { None } else { hosts.services.open_door(domain) };
    let ask = |probe: &Probe| of_answer(probe, hosts.services.fetch_page(domain, &probe.path, door.as_ref()));
    // All caches are empty: the first answer may be slow.
    probes.iter().map(|probe| patiently(ATTEMPTS, || ask(probe))).collect()
}

/// Asks for a page until it does not fail, so many times at most, with longer and longer pauses.
pub fn patiently(attempts: u32, ask: impl FnMut() -> Check) -> Check {
    again(attempts, ask, |said| said.outcome != Outcome::Fail)
}

/// The same for any answer that is settled some time.
fn again<T>(attempts: u32, mut ask: impl FnMut() -> T, is_settled: impl Fn(&T) -> bool) -> T {
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

/// Why a post proves nothing that is not the same before.
const NOT_SHOWN: &str =
    "what the state before has otherwise is nothing that the page shows in words, and without them before";

/// By what the pages of the restored state can be told from those of the state before.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The posts to ask for.
    pub to_ask: &'a [ToAsk],
    /// The steps of the change-over: they say where the state before is now.
    pub steps: &'a [Step],
}

/// How long there is to ask.
pub struct Time<'a> {
    /// When the time of the verification is over.
    pub deadline: Instant,
    /// Says whether the job goes on.
    pub monitor: &'a dyn Monitor,
}

impl Time<'_> {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether it may be asked once more after a pause.
    fn is_for_more(&self) -> bool {
        self.left() > LONGEST_PAUSE && self.monitor.keep_going().is_ok()
    }
}

/// What proves that the pages are those of the restored state. Something in front of the site may have its own: nothing here is a
/// reason to go back.
pub fn checks(config: &Config, plan: &Plan, hosts: &Hosts, known: Known, time: &Time) -> Vec<Check> {
    if config.http.url.is_empty() {
        return vec![unproven("the site was not asked for a page, since http.url is empty")];
    }
    if time.left().is_zero() {
        return vec![unproven("the verification had no time left to look (`limits.verify_timeout_s` of restore.toml)")];
    }
    let door = hosts.services.open_door(&plan.domain);
    let fetch = |path: &str| hosts.services.fetch_page_within(&plan.domain, path, door.as_ref(), time.left());
    // A request that began before the change-over may have brought an old page into a cache, which is emptied again meanwhile.
    let is_settled = |(_, seen): &Judged| !matches!(seen, Seen::Old(_)) || !time.is_for_more();
    let judge = |post: &ToAsk| match post {
        Ok(post) => again(ATTEMPTS, || post::of_post(post, fetch(&post.path)), is_settled),
        Err(seen) => (None, seen.clone()),
    };
    let (posts, of_posts): (Vec<_>, Vec<_>) = known.to_ask.iter().map(judge).unzip();
    let (file, of_file) = match files_to_ask(config, plan, known.steps) {
        Ok(files) => first_seen(&files, |file| again(ATTEMPTS, || of_file(file, fetch(&file.address())), is_settled)),
        Err(seen) => (None, seen),
    };
    posts.into_iter().flatten().chain(file).chain([freshness(together(of_posts), of_file)]).collect()
}

/// What is said where nobody looks for what only the restored state has.
pub fn unproven(why: &str) -> Check {
    let message = format!("that this machine serves the restored state was not proven: {why}");
    Check::new("freshness", Outcome::NotChecked, message)
}

/// Whether an answer carried what only the restored state has. A file is no proof where a post could be asked for: pages go through caches
/// that files never see.
fn freshness(post: Seen, file: Seen) -> Check {
    let proven = |address: String, more: &str| {
        let message = format!("{address} carries what only the restored state has{more}");
        Check::new("freshness", Outcome::Pass, message).with("path", address)
    };
    match (post, file) {
        (Seen::Old(why), Seen::Old(other)) => unproven(&format!("{why}; {other}")),
        (Seen::Old(why), _) | (_, Seen::Old(why)) => unproven(&why),
        (Seen::New(address), _) | (Seen::NoPart, Seen::New(address)) => proven(address, ""),
        (Seen::Unasked(why), Seen::New(address)) => proven(address, &format!("; no page was asked for: {why}")),
        (Seen::Same, Seen::New(address)) => unproven(&format!(
            "{address} is the restored one, and the post that was asked for is the same before and after"
        )),
        (Seen::Same, Seen::Same | Seen::NoPart) | (Seen::NoPart, Seen::Same) => {
            unproven("nothing that this machine serves differs from the state before, as far as was looked")
        }
        (Seen::NoPart, Seen::NoPart) => unproven("neither files nor tables take part"),
        (post, file) => {
            let why = |seen| match seen {
                Seen::Nothing(why) | Seen::Refused(why) | Seen::Unasked(why) => Some(why),
                _ => None,
            };
            let reasons: Vec<String> = why(post).into_iter().chain(why(file)).collect();
            unproven(&reasons.join("; "))
        }
    }
}

/// Files that the web server gives out as they are; where there are some, files that the tree before has otherwise.
fn files_to_ask(config: &Config, plan: &Plan, steps: &[Step]) -> std::result::Result<Vec<Found>, Seen> {
    let before = Before::of(steps).ok_or(Seen::NoPart)?;
    if let Before::Unknown = before {
        return Err(Seen::Nothing("which parts of the tree changed places could not be read".into()));
    }
    let found = Site::find(config, &plan.domain).ok().map(|site| file::find(plan, &site.root, &before));
    let found = found.filter(|found| !found.is_empty());
    found.ok_or_else(|| Seen::Unasked("no file is known that the web server gives out as it is".into()))
}

/// The first of several files that the web server gives out at all.
fn first_seen(files: &[Found], ask: impl Fn(&Found) -> Judged) -> Judged {
    let mut last = (None, Seen::NoPart);
    for file in files {
        last = ask(file);
        if !matches!(last.1, Seen::Refused(_)) {
            break;
        }
    }
    match last {
        (check, Seen::Refused(why)) => (check, Seen::Nothing(why)),
        last => last,
    }
}

/// What the answer for a file says.
fn of_file(file: &Found, answer: crate::error::Result<Answer>) -> Judged {
    let address = file.address();
    let judged = |outcome, said: String, seen: fn(String) -> Seen| {
        let check = Check::new("static_file", outcome, format!("{address} {said}")).with("path", address.clone());
        let seen = seen(check.message.clone());
        (Some(check), seen)
    };
    match answer {
        Ok(Answer { doubt: None, status: 200, body, .. }) if body == file.content => match &file.was {
            Was::Other(_) => {
                let (check, _) = judged(Outcome::Pass, "is served as it was restored".into(), Seen::New);
                (check, Seen::New(address))
            }
            was => {
                let what = if *was == Was::Equal { "the same file" } else { "a file of the same size and time" };
                let said = format!("is served as it was restored, and the state before has {what}");
                judged(Outcome::NotChecked, said, |_| Seen::Same)
            }
        },
        Ok(Answer { doubt: None, status: 200, body, .. }) if matches!(&file.was, Was::Other(Some(old)) if body == *old) => {
            judged(Outcome::Warn, "is served as it was before: a cache may have the old one".into(), Seen::Old)
        }
        // Some servers write files anew on the way, and for a name that they do not serve another site may answer.
        Ok(Answer { doubt: None, status: 200, .. }) => {
            let said = "is served otherwise than it was restored, and not as it was before".into();
            judged(Outcome::NotChecked, said, Seen::Nothing)
        }
        Ok(Answer { status, .. }) => {
            // Its folder may be closed to visitors; another's need not be.
            let seen = if [403, 404].contains(&status) { Seen::Refused } else { Seen::Nothing };
            judged(Outcome::NotChecked, format!("answers {status}: the file was not seen"), seen)
        }
        Err(error) => judged(Outcome::NotChecked, format!("gives no answer: {}", error.message), Seen::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::RelPath;

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
        let old = || Seen::Old("/?p=1 is old".into());
        let unasked = || Seen::Unasked("no WordPress".into());
        for (post, file, outcome, says) in [
            (new(), nothing(), Outcome::Pass, "/a.css carries"),
            (new(), Seen::Same, Outcome::Pass, "/a.css carries"),
            (Seen::NoPart, new(), Outcome::Pass, "/a.css carries"),
            (unasked(), new(), Outcome::Pass, "no page was asked for: no WordPress"),
            // A style sheet goes through no cache of pages.
            (old(), new(), Outcome::NotChecked, "/?p=1 is old"),
            (new(), old(), Outcome::NotChecked, "/?p=1 is old"),
            (nothing(), new(), Outcome::NotChecked, "not rehearsed"),
            (Seen::Same, new(), Outcome::NotChecked, "the same before and after"),
            (Seen::Same, Seen::Same, Outcome::NotChecked, "nothing that this machine serves differs"),
            (Seen::NoPart, Seen::Same, Outcome::NotChecked, "nothing that this machine serves differs"),
            (Seen::Same, nothing(), Outcome::NotChecked, "not rehearsed"),
            (nothing(), Seen::NoPart, Outcome::NotChecked, "not rehearsed"),
            (nothing(), nothing(), Outcome::NotChecked, "not rehearsed; not rehearsed"),
            (unasked(), Seen::Same, Outcome::NotChecked, "no WordPress"),
            (Seen::NoPart, Seen::NoPart, Outcome::NotChecked, "take part"),
        ] {
            let said = format!("{post:?} {file:?}");
            let check = freshness(post, file);
            assert_eq!((check.outcome, check.message.contains(says)), (outcome, true), "{said}: {}", check.message);
        }
    }

    fn page(status: u16, body: &str, doubt: Option<&str>) -> crate::error::Result<Answer> {
        let (doubt, body) = (doubt.map(str::to_owned), body.as_bytes().to_vec());
        Ok(Answer { status, bytes: 1, millis: 1, by: Vec::new(), doubt, body })
    }

    fn is_old(seen: &Seen) -> bool {
        matches!(seen, Seen::Old(_))
    }

    fn found(name: &str, was: Was) -> Found {
        Found { path: RelPath::parse(name.as_bytes()).unwrap(), content: b"new".to_vec(), was }
    }

    #[test]
    fn a_file_is_old_where_it_is_the_one_of_before() {
        let file = |was| found("a.css", was);
        let seen = |was, body| of_file(&file(was), page(200, body, None)).1;
        let other = || Was::Other(Some(b"old".to_vec()));
        assert_eq!(seen(other(), "new"), Seen::New("/a.css".into()));
        assert!(is_old(&seen(other(), "old")));
        assert!(matches!(seen(other(), "minified"), Seen::Nothing(_)));
        assert!(matches!(seen(Was::Other(None), "old"), Seen::Nothing(_)));
        assert_eq!((seen(Was::Equal, "new"), seen(Was::Alike, "new")), (Seen::Same, Seen::Same));
        let (check, _) = of_file(&file(Was::Alike), page(200, "new", None));
        assert!(check.unwrap().message.contains("the same size and time"));
    }

    #[test]
    fn where_a_file_is_not_given_out_another_is_asked_for() {
        let files: Vec<Found> = ["a.css", "b.css", "c.css"].map(|name| found(name, Was::Other(None))).into();
        let ask = |answers: &'static [(u16, &'static str)]| {
            let at = std::cell::Cell::new(0);
            let (_, seen) = first_seen(&files, |file| {
                let (status, body) = answers[at.replace(at.get() + 1)];
                of_file(file, page(status, body, None))
            });
            (seen, at.get())
        };
        assert_eq!(ask(&[(404, ""), (403, ""), (200, "new")]), (Seen::New("/c.css".into()), 3));
        assert_eq!(ask(&[(200, "new")]), (Seen::New("/a.css".into()), 1));
        let (seen, asked) = ask(&[(401, "")]);
        assert!(matches!(seen, Seen::Nothing(_)) && asked == 1, "{seen:?}");
        let (seen, asked) = ask(&[(404, ""), (404, ""), (404, "")]);
        assert!(matches!(seen, Seen::Nothing(_)) && asked == 3, "{seen:?}");
    }

    #[test]
    fn there_is_no_time_for_more_behind_the_deadline() {
        let now = Instant::now();
        let time = |deadline| Time { deadline, monitor: &crate::progress::Silent };
        assert!(time(now + Duration::from_secs(60)).is_for_more());
        assert!(!time(now + LONGEST_PAUSE / 2).is_for_more() && time(now).left().is_zero());
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
