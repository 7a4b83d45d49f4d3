//! The front page of the live site, asked plainly and under TLS, and the certificate that comes with it.

use super::seen::{Came, Stood};
use super::{again, patiently};
use crate::clock;
use crate::config::Config;
use crate::error::{Code, Result};
use crate::host::services::{self, Answer, CertificateBefore as Before, Door, Services};
use crate::path::Domain;
use crate::report::{Check, Outcome};
use crate::siteconf::tls::Leaf;
use crate::text::printable;
use std::io;

/// How often the site is asked before a wrong answer counts, because a reload takes a moment.
const PROBES: u32 = 5;
/// How often, if it answers no worse than before: most likely that does not pass.
const PROBES_AS_BEFORE: u32 = 2;

/// How the front page comes now, asked once by each way that leads to it. `is_partial`: only parts of the site are restored.
pub fn stood(config: &Config, services: &Services, domain: &Domain, is_partial: bool) -> Stood {
    if config.http.url.is_empty() {
        return Stood { page: Came::Well, secure: None };
    }
    let found = services.door(domain);
    // One that is there and was not open for a moment is no proof that pages came by it.
    let is_shut = matches!(found, Some((_, Err(_))));
    let door = found.and_then(services::open);
    let came = |answer: &Result<Answer>| match answer {
        Ok(answer) if answer.doubt.is_some() || config.http.expect_status.contains(&answer.status) => Came::Well,
        Ok(answer) => Came::Badly(answer.status),
        Err(_) => Came::Not,
    };
    let first = is_partial.then(|| services.fetch(domain, door.as_ref()));
    let page = first.as_ref().map_or(Came::Well, came);
    let secure = door.map(|door| match &first {
        Some(first) if !is_asked_again(config, &door, first) => came(first),
        _ => came(&services.fetch_secure(domain, &door)),
    });
    Stood { page, secure: secure.or(is_shut.then_some(Came::Not)) }
}

/// Whether a page is asked for under TLS after a first answer: one that came so is the same page.
fn is_asked_again(config: &Config, door: &Door, first: &Result<Answer>) -> bool {
    let came_so = |answer: &Answer| answer.by.last().is_some_and(|by| by.starts_with("https://"));
    let begins_so = door.is_alone || config.http.url.starts_with("https://");
    !begins_so && !door.asks_visitors && !first.as_ref().is_ok_and(came_so)
}

/// The checks of the front page. `before`: what was presented then; `stood`: how the page came then.
pub fn checks(
    config: &Config,
    services: &Services,
    domain: &Domain,
    before: &Before,
    stood: Option<Stood>,
) -> Vec<Check> {
    let url = &config.http.url;
    if url.is_empty() {
        return vec![Check::new("http", Outcome::NotChecked, "the site was not asked for a page: http.url is empty")];
    }
    let mut door = None;
    let certificate = patiently(PROBES, || {
        let found = services.door(domain);
        let check = found.as_ref().map(|(door, leaf)| of_certificate(door, leaf, domain, before));
        door = found.and_then(services::open);
        check.unwrap_or_else(|| of_none(before))
    });
    let at = door.as_ref().filter(|door| door.is_alone).map_or_else(|| url.clone(), shown);
    let (http, answer) =
        page_by(config, ("http", &at), domain, stood.map(|stood| stood.page), || services.fetch(domain, door.as_ref()));
    // One way that does not lead to the page is enough to go back, and going back has to be soon.
    let door = door.filter(|_| http.outcome != Outcome::Fail || stood.is_some_and(|stood| stood.page.was_bad()));
    let secure = door.filter(|door| is_asked_again(config, door, &answer)).map(|door| {
        let came = stood.and_then(|stood| stood.secure);
        page_by(config, ("https", &shown(&door)), domain, came, || services.fetch_secure(domain, &door)).0
    });
    [http].into_iter().chain(secure).chain([certificate]).collect()
}

/// The page by one way, asked for until it comes. It is waited for less where it `came` as badly before.
fn page_by(
    config: &Config,
    (name, at): (&str, &str),
    domain: &Domain,
    came: Option<Came>,
    mut fetch: impl FnMut() -> Result<Answer>,
) -> (Check, Result<Answer>) {
    let mut as_before = 0;
    let ask = || {
        let answer = fetch();
        let check = of_page(config, name, at, domain, &answer);
        as_before += u32::from(is_as_before(came, &answer));
        (check, answer, as_before)
    };
    let is_settled =
        |(check, _, as_before): &(Check, _, _)| check.outcome != Outcome::Fail || *as_before >= PROBES_AS_BEFORE;
    let (check, answer, _) = again(PROBES, ask, is_settled);
    (check, answer)
}

fn is_as_before(came: Option<Came>, answer: &Result<Answer>) -> bool {
    answer.as_ref().is_ok_and(|answer| came.is_some_and(|came| came.was_as_bad(answer.status)))
}

/// A failure of the front page is no reason to go back where it failed before, too; under TLS also where that is not known: the page
/// came plainly.
pub fn forgive(check: &mut Check, stood: Option<Stood>) {
    let told = match check.name.as_str() {
        _ if check.outcome != Outcome::Fail => return,
        "http" if stood.is_some_and(|stood| stood.page.was_bad()) => {
            "it did so before the restore too, so that these parts are not the cause"
        }
        "https" if stood.and_then(|stood| stood.secure).is_some_and(Came::was_bad) => {
            "it did so before the restore too"
        }
        "https" if stood.is_none() => "whether it came so before is not known",
        _ => return,
    };
    check.outcome = Outcome::Warn;
    check.message = format!("{}; {told}", check.message);
}

fn shown(door: &Door) -> String {
    format!("https://{}:{}/", door.host, door.port)
}

fn of_page(config: &Config, name: &str, at: &str, domain: &Domain, answer: &Result<Answer>) -> Check {
    match answer {
        // What was seen is no page: no proof for the site, and none against it.
        Ok(Answer { doubt: Some(doubt), status, .. }) => {
            let message = format!("{at} with Host {domain} answers {status}, but {doubt}: no page was seen");
            Check::new(name, Outcome::Warn, message).with("status", *status)
        }
        Ok(answer) if config.http.expect_status.contains(&answer.status) => {
            let (status, millis) = (answer.status, answer.millis);
            let by = answer.by.last().map_or_else(String::new, |by| format!(", by way of {by}"));
            let message = format!("{at} with Host {domain} answers {status} after {millis} ms{by}");
            Check::new(name, Outcome::Pass, message).with("status", status).with("millis", millis)
        }
        Ok(answer) => {
            let (status, expected) = (answer.status, &config.http.expect_status);
            let message = format!("{at} with Host {domain}: answers {status}, expected one of {expected:?}");
            Check::new(name, Outcome::Fail, message)
        }
        Err(error) => Check::new(name, Outcome::Fail, format!("{at} with Host {domain}: {}", error.message)),
    }
}

/// Where nothing speaks TLS for the site.
fn of_none(before: &Before) -> Check {
    let (outcome, message) = match before {
        Before::Presented(_) => {
            (Outcome::Warn, "no certificate is presented any more: the site answers plain requests alone")
        }
        _ => (
            Outcome::NotChecked,
            "no certificate: the site's nginx file has no `listen … ssl`, and `paths.ssl` none that is presented",
        ),
    };
    Check::new("certificate", outcome, message)
}

/// Whether the certificate that visitors get is the site's own and good for it. What was so before is told and is no failure.
fn of_certificate(door: &Door, leaf: &io::Result<Leaf>, domain: &Domain, before: &Before) -> Check {
    let at = format!("{}:{}", door.host, door.port);
    let check = |outcome, message: String| Check::new("certificate", outcome, message).with("at", at.clone());
    let leaf = match leaf {
        Ok(leaf) => leaf,
        Err(error) => {
            let (outcome, then) = match before {
                Before::Presented(_) => (Outcome::Fail, "; it did before the restore"),
                Before::Nothing => (Outcome::Warn, "; nor did it before"),
                Before::Unknown => (Outcome::Warn, ""),
            };
            let message = format!("{at} presents no certificate for {domain} ({error}){then}");
            let check = check(outcome, message);
            return if outcome == Outcome::Fail { check.code(Code::TlsInvalid) } else { check };
        }
    };
    let meaning = &leaf.certificate.meaning;
    let now = clock::now().timestamp().as_second();
    let is_foreign = |leaf: &Leaf| !leaf.certificate.names_cover(&domain.as_str().to_ascii_lowercase());
    let is_out_of_date = |leaf: &Leaf| {
        let meaning = &leaf.certificate.meaning;
        now < meaning.not_before || now > meaning.not_after
    };
    let mut told = Vec::new();
    let mut worst = Outcome::Pass;
    let mut tell = |outcome: Outcome, what: String| {
        worst = crate::report::worst([worst, outcome].into_iter());
        told.push(what);
    };
    if is_foreign(leaf) {
        let names = printable(&meaning.names.join(", "));
        let outcome = if before.had_not(is_foreign) { Outcome::Fail } else { Outcome::Warn };
        tell(outcome, format!("it is for {names} and not for this site"));
    }
    if door.owns(leaf) == Some(false) {
        tell(
            Outcome::Warn,
            "it is not the one that the site's settings name: nginx may have loaded an older one".into(),
        );
    }
    if is_out_of_date(leaf) {
        let outcome = if before.had_not(is_out_of_date) { Outcome::Fail } else { Outcome::Warn };
        let until = clock::at(meaning.not_after).unwrap_or_default();
        tell(outcome, format!("it is out of date, its end was {until}"));
    }
    if leaf.is_self_signed {
        let is_new = before.had_not(|leaf| leaf.is_self_signed);
        tell(if is_new { Outcome::Warn } else { Outcome::Pass }, "it is signed by itself alone".into());
    }
    let own = match door.owns(leaf) {
        Some(true) => "the site's own certificate",
        Some(false) => "a certificate",
        None => "a certificate, and the site's own is not known",
    };
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
    let check = check(worst, format!("{at} presents {own} for {domain}{told}"));
    let check = check.with("fingerprint", meaning.fingerprint.clone());
    if worst == Outcome::Fail { check.code(Code::TlsInvalid) } else { check }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answer::site_config::Certificate as Meaning;
    use crate::siteconf::tls::Certificate;

    #[test]
    fn a_page_that_did_not_come_before_takes_no_restore_back() {
        let of = |name: &str, stood: Option<Stood>| {
            let mut check = Check::new(name, Outcome::Fail, "answers 500");
            forgive(&mut check, stood);
            check.outcome
        };
        let came = |well: bool| if well { Came::Well } else { Came::Not };
        let stood = |page, secure: Option<bool>| Some(Stood { page: came(page), secure: secure.map(came) });
        for (stood, http, https) in [
            (None, Outcome::Fail, Outcome::Warn),
            (stood(true, Some(true)), Outcome::Fail, Outcome::Fail),
            (stood(true, Some(false)), Outcome::Fail, Outcome::Warn),
            (stood(false, Some(true)), Outcome::Warn, Outcome::Fail),
            // It is new that anything speaks TLS for the site.
            (stood(true, None), Outcome::Fail, Outcome::Fail),
        ] {
            assert_eq!((of("http", stood), of("https", stood), of("probe", stood)), (http, https, Outcome::Fail));
        }
    }

    #[test]
    fn a_page_that_is_as_bad_as_before_is_asked_for_once_more_only() {
        let answer =
            |status| Ok(Answer { status, bytes: 1, millis: 1, by: Vec::new(), doubt: None, body: b"x".to_vec() });
        let mut config = Config::default();
        config.http.expect_status = vec![200];
        let domain = Domain::parse("shop.example").unwrap();
        // What came before, what comes now one after the other, how often it is asked for, and whether it fails.
        for (came, now, times, fails) in [
            (Some(Came::Badly(500)), &[500, 500, 200][..], 2, true),
            (Some(Came::Badly(500)), &[500, 200], 2, false),
            (Some(Came::Badly(500)), &[404, 404, 404, 404, 404], 5, true),
            (Some(Came::Badly(503)), &[503, 503, 503, 200], 4, false),
            (Some(Came::Not), &[500, 500, 500, 500, 500], 5, true),
            (Some(Came::Well), &[500, 500, 500, 500, 200], 5, false),
            (None, &[500, 500, 200], 3, false),
        ] {
            let mut asked = 0;
            let (check, _) = page_by(&config, ("http", "/"), &domain, came, || {
                asked += 1;
                answer(now[asked - 1])
            });
            assert_eq!((asked, check.outcome == Outcome::Fail), (times, fails), "{came:?} {now:?}");
        }
    }

    fn leaf(change: impl Fn(&mut Leaf, &mut Meaning)) -> Leaf {
        let mut meaning = Meaning {
            subject: "CN=shop.example".into(),
            names: vec!["shop.example".into()],
            not_before: 0,
            not_after: i64::MAX,
            fingerprint: "own".into(),
        };
        let mut leaf = Leaf { certificate: Certificate::said(meaning.clone()), is_self_signed: false };
        change(&mut leaf, &mut meaning);
        leaf.certificate = Certificate::said(meaning);
        leaf
    }

    #[test]
    fn a_fault_of_a_certificate_is_a_failure_where_it_is_new() {
        let door = Door {
            host: "::1".into(),
            port: 443,
            own: vec!["own".into()],
            is_alone: false,
            asks_visitors: false,
            is_told: true,
        };
        let domain = Domain::parse("shop.example").unwrap();
        let good = || leaf(|_, _| {});
        let foreign = || leaf(|_, meaning| meaning.names = vec!["other.example".into()]);
        let old = || leaf(|_, meaning| meaning.not_after = 1);
        let own_signed = || leaf(|leaf, _| leaf.is_self_signed = true);
        let older = || leaf(|_, meaning| meaning.fingerprint = "older".into());
        let was = |leaf: Leaf| Before::Presented(Box::new(leaf));
        for (now, before, outcome, says) in [
            (Ok(good()), was(good()), Outcome::Pass, "the site's own certificate"),
            (Ok(foreign()), was(good()), Outcome::Fail, "is for other.example"),
            (Ok(foreign()), was(foreign()), Outcome::Warn, "is for other.example"),
            (Ok(foreign()), Before::Unknown, Outcome::Warn, "is for other.example"),
            (Ok(old()), was(good()), Outcome::Fail, "out of date"),
            (Ok(old()), was(old()), Outcome::Warn, "out of date"),
            (Ok(own_signed()), was(good()), Outcome::Warn, "signed by itself"),
            (Ok(own_signed()), was(own_signed()), Outcome::Pass, "signed by itself"),
            (Ok(own_signed()), Before::Unknown, Outcome::Pass, "signed by itself"),
            (Ok(older()), was(older()), Outcome::Warn, "an older one"),
            (Err("refused"), was(good()), Outcome::Fail, "it did before"),
            (Err("refused"), Before::Nothing, Outcome::Warn, "nor did it before"),
            (Err("refused"), Before::Unknown, Outcome::Warn, "refused"),
        ] {
            let check = of_certificate(&door, &now.map_err(io::Error::other), &domain, &before);
            assert_eq!((check.outcome, check.message.contains(says)), (outcome, true), "{before:?} {check:?}");
        }
        assert_eq!(of_none(&was(good())).outcome, Outcome::Warn);
        assert_eq!(of_none(&Before::Nothing).outcome, Outcome::NotChecked);
    }
}
