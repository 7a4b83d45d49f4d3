//! Further pages of the live site: those that have to come, the post that the rehearsal saw, and a file whose content is known.

use crate::api::answer::restore::Rehearsal;
use crate::config::{Config, Probe};
use crate::engine::machine::Hosts;
use crate::host::services::Answer;
use crate::host::site::Site;
use crate::host::tree::walk::Next;
use crate::host::tree::{self, Kind};
use crate::path::{Domain, RelPath};
use crate::plan::Plan;
use crate::report::{Check, Outcome};
use crate::text::printable;
use std::os::fd::AsFd;
use std::time::Duration;

/// How often a probe is asked for before it has failed.
const ATTEMPTS: u32 = 4;
/// Largest file that is asked for.
const MAX_FILE: u64 = 1 << 20;
/// Entries of a tree that are looked at for one.
const MAX_LOOKED_AT: usize = 5_000;
/// Files that a web server gives out as they are.
const STATIC: [&str; 9] = [".css", ".js", ".txt", ".svg", ".png", ".jpg", ".gif", ".ico", ".webp"];

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
    let mut said = ask();
    for attempt in 1..attempts {
        if said.outcome != Outcome::Fail {
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

/// What proves that the pages are those of the restored state. Something in front of the site may have its own: nothing here is a
/// reason to go back.
pub fn checks(config: &Config, plan: &Plan, hosts: &Hosts, rehearsal: Option<&Rehearsal>) -> Vec<Check> {
    if config.http.url.is_empty() {
        return Vec::new();
    }
    let post = rehearsal.and_then(|rehearsal| {
        // A title that the staged site did not show is no proof of anything.
        rehearsal.pages.iter().find(|page| page.name == "post" && page.outcome == Outcome::Pass)
    });
    let file = plan.selection.files.is_whole().then(|| static_file(config, plan, hosts)).flatten();
    post.and_then(|post| the_post(plan, hosts, post)).into_iter().chain(file).collect()
}

/// The post of the restored tables, by the words of its title.
fn the_post(plan: &Plan, hosts: &Hosts, seen: &Check) -> Option<Check> {
    let path = seen.figures.get("path")?.as_str()?;
    let title = seen.figures.get("title").and_then(|title| title.as_str()).unwrap_or_default();
    let check = |outcome, said: String| Some(Check::new("post", outcome, format!("{path} {said}")).with("path", path));
    match hosts.services.fetch_page(&plan.domain, path) {
        Ok(Answer { doubt: None, status, body, .. }) if (200..300).contains(&status) => {
            match (title.is_empty(), holds(&body, title)) {
                (false, true) => check(Outcome::Pass, format!("answers {status} with the title of the restored post")),
                (true, _) => {
                    check(Outcome::NotChecked, format!("answers {status}; nothing tells whether it is restored"))
                }
                (false, false) => check(
                    Outcome::Warn,
                    format!("answers {status} without the title of the restored post: a cache may have an old page"),
                ),
            }
        }
        Ok(Answer { status, .. }) => check(Outcome::Warn, format!("answers {status}: the restored post was not seen")),
        Err(error) => check(Outcome::Warn, format!("gives no answer: {}", error.message)),
    }
}

/// A file that the web server gives out as it is, compared with the one in the document root.
fn static_file(config: &Config, plan: &Plan, hosts: &Hosts) -> Option<Check> {
    let root = Site::find(config, &plan.domain).ok()?.root;
    let folder = tree::open_site(&root).ok()??;
    let mut found: Option<Vec<u8>> = None;
    let mut looked_at = 0;
    tree::walk(&folder, &mut |visit| {
        looked_at += 1;
        if visit.path.is_empty() {
            return Ok(Next::Into);
        }
        if found.is_some() || looked_at > MAX_LOOKED_AT || visit.name.starts_with(b".") {
            return Ok(Next::Past);
        }
        let name = visit.name.to_ascii_lowercase();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
        let fits = visit.kind == Kind::File
            && (1..=MAX_FILE).contains(&visit.stat.stx_size)
            && visit.stat.stx_mode & 0o004 != 0
            && STATIC.iter().any(|end| name.ends_with(end.as_bytes()))
            && visit.path.iter().all(plain);
        if fits {
            found = Some(visit.path.to_vec());
        }
        Ok(Next::Into)
    })
    .ok()?;
    let path = RelPath::parse(&found?).ok()?;
    let content = tree::read_beneath(folder.as_fd(), &path, MAX_FILE).ok()??;
    let address = format!("/{path}");
    let check = |outcome, said: String| {
        Some(Check::new("static_file", outcome, format!("{address} {said}")).with("path", address.clone()))
    };
    match hosts.services.fetch_page(&plan.domain, &address) {
        Ok(Answer { doubt: None, status: 200, body, .. }) if body == *content => {
            check(Outcome::Pass, "is served as it was restored".into())
        }
        Ok(Answer { doubt: None, status: 200, .. }) => {
            check(Outcome::Warn, "is served otherwise than it was restored: a cache may have an old one".into())
        }
        Ok(Answer { status, .. }) => check(Outcome::NotChecked, format!("answers {status}: the file was not seen")),
        Err(error) => check(Outcome::NotChecked, format!("gives no answer: {}", error.message)),
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
}
