//! The posts that the live site is asked for: found before the change-over, beside what their pages show then; judged after it.

use super::NOT_SHOWN;
use super::seen::{Judged, Post, Seen, ToAsk};
use crate::api::answer::restore::Rehearsal;
use crate::config::Config;
use crate::engine::machine::Hosts;
use crate::engine::posts::{self, Chosen, Kind, Posts, are_of_address, shows};
use crate::engine::rehearsal::{BEFORE, MORE_WORDS, NEW_WORDS, PRICE};
use crate::host::credentials;
use crate::host::services::Answer;
use crate::host::site::Site;
use crate::plan::{DatabasePlan, Plan};
use crate::report::{Check, Outcome};
use std::collections::BTreeSet;

/// Why no post is asked for.
const NO_POST: &str = "no post of a WordPress is known to ask for";

/// The posts of the restored state to ask for, at most two. The live site is asked for their pages first: what these show as well proves
/// nothing.
pub fn to_ask(config: &Config, plan: &Plan, hosts: &Hosts, rehearsal: Option<&Rehearsal>) -> Vec<ToAsk> {
    if config.http.url.is_empty() {
        return Vec::new();
    }
    if plan.database.is_none() {
        return vec![Err(Seen::NoPart)];
    }
    let found = match rehearsal.filter(|rehearsal| !rehearsal.pages.is_empty()) {
        Some(rehearsal) => rehearsed(rehearsal),
        None => unseen(config, plan, hosts, rehearsal),
    };
    let is_told = |post: &ToAsk| post.as_ref().is_ok_and(Post::is_told);
    let door = if found.iter().any(is_told) { hosts.services.open_door(&plan.domain) } else { None };
    let sifted = |post: ToAsk| match post {
        Ok(post) if post.is_told() => {
            let page = hosts.services.fetch_page(&plan.domain, &post.path, door.as_ref());
            let post = sifted(post, page.as_ref().ok());
            if post.is_told() || post.unknown.is_none() { Ok(post) } else { Err(Seen::Nothing(NOT_SHOWN.into())) }
        }
        other => other,
    };
    found.into_iter().map(sifted).collect()
}

/// A post by what the page of before does not show. A price proves something only where that page was seen.
fn sifted(mut post: Post, before: Option<&Answer>) -> Post {
    if let Some(page) = before {
        post.marks.retain(|words| !shows(&page.body, words));
    }
    let seen = before.filter(|page| page.doubt.is_none() && (200..300).contains(&page.status));
    post.price = post.price.filter(|price| seen.is_some_and(|page| !shows(&page.body, price)));
    post
}

/// The posts that the rehearsal saw.
fn rehearsed(rehearsal: &Rehearsal) -> Vec<ToAsk> {
    let of_page = |seen: &Check| {
        let kind = Kind::of_word(&seen.name)?;
        // A title that the staged site did not show is no proof of anything.
        if seen.outcome != Outcome::Pass {
            return Some(Err(Seen::Nothing(seen.message.clone())));
        }
        let figure =
            |name: &str| seen.figures.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let more = seen.figures.get(MORE_WORDS).and_then(|value| value.as_array()).into_iter().flatten();
        let words = seen.figures.get(NEW_WORDS).into_iter().chain(more);
        Some(Ok(Post {
            kind,
            path: figure("path"),
            title: figure("title"),
            marks: words.filter_map(|words| words.as_str().map(str::to_owned)).collect(),
            price: Some(figure(PRICE)).filter(|price| !price.is_empty()),
            before: posts::Before::of_word(&figure(BEFORE)),
            unknown: None,
        }))
    };
    let found: Vec<ToAsk> = rehearsal.pages.iter().filter_map(of_page).collect();
    if found.is_empty() { vec![Err(Seen::Unasked(NO_POST.into()))] } else { found }
}

/// Posts of tables that will change places and that nobody rehearsed, by words that stand in none of the live ones.
fn unseen(config: &Config, plan: &Plan, hosts: &Hosts, rehearsal: Option<&Rehearsal>) -> Vec<ToAsk> {
    let not_rehearsed = rehearsal.map_or(NO_POST, |rehearsal| rehearsal.message.as_str());
    let nothing = || vec![Err(Seen::Nothing(not_rehearsed.to_owned()))];
    let Some(DatabasePlan { live, shadow, .. }) = &plan.database else { return vec![Err(Seen::NoPart)] };
    let names = |schema: &str| -> Option<BTreeSet<String>> {
        let tables = hosts.database().ok()?.tables(schema).ok()?;
        Some(tables.into_iter().map(|table| table.name).collect())
    };
    let (Some(coming), Some(there)) = (names(shadow), names(live)) else { return nothing() };
    if coming.is_empty() {
        return vec![Err(Seen::Same)];
    }
    let all: Vec<&str> = coming.union(&there).map(String::as_str).collect();
    let Some(prefix) = posts::prefix(&all, configured_prefix(config, plan).as_deref()) else {
        return vec![Err(Seen::Unasked(not_rehearsed.to_owned()))];
    };
    let comes = |name: &str| coming.contains(&format!("{prefix}{name}"));
    let with_title = comes("options");
    if !comes("posts") {
        return if with_title { nothing() } else { vec![Err(Seen::Same)] };
    }
    let choose = || {
        let read = |schema: &str| hosts.reader()?.server(schema).ok();
        let new = Posts::newest(&read(shadow)?, shadow, prefix, with_title).ok()?;
        let before = new.the_same_in(&read(live)?, live, prefix).ok()??;
        Some(new.choose(Some(&before)))
    };
    let of_chosen = |chosen: Chosen| {
        if chosen.marks.is_empty() && chosen.price.is_none() {
            let is_same = chosen.before == posts::Before::Same;
            return Err(if is_same { Seen::Same } else { Seen::Nothing(NOT_SHOWN.into()) });
        }
        Ok(Post {
            kind: chosen.kind,
            path: format!("/?p={}", chosen.id),
            title: String::new(),
            marks: chosen.marks,
            price: chosen.price,
            before: chosen.before,
            unknown: Some(not_rehearsed.to_owned()),
        })
    };
    let found: Vec<ToAsk> = choose().unwrap_or_default().into_iter().map(of_chosen).collect();
    if found.is_empty() { nothing() } else { found }
}

/// What the names of the live site's tables begin with, by its settings.
fn configured_prefix(config: &Config, plan: &Plan) -> Option<String> {
    credentials::table_prefix(&Site::find(config, &plan.domain).ok()?.wp_config()?)
}

/// What the answer for a post says. A page that nobody saw before, without the words, proves nothing against a cache: the site may not
/// show them.
pub fn of_post(post: &Post, answer: crate::error::Result<Answer>) -> Judged {
    let (path, kind) = (&post.path, post.kind.word());
    let check = |outcome, said: String| Check::new(kind, outcome, format!("{path} {said}")).with("path", path.clone());
    let judged = |outcome, said: String, seen: fn(String) -> Seen| match &post.unknown {
        Some(why) => (None, Seen::Nothing(why.clone())),
        None => {
            let check = check(outcome, said);
            let seen = seen(check.message.clone());
            (Some(check), seen)
        }
    };
    match answer {
        Ok(Answer { doubt: None, status, body, by, .. }) if (200..300).contains(&status) => {
            let with_title = shows(&body, &post.title);
            // A page that repeats what it was asked for has its words of the question.
            let is_repeated = |words: &str| by.iter().chain([path]).any(|address| are_of_address(words, address));
            let proves = |words: &&String| shows(&body, words) && !is_repeated(words);
            if with_title && post.marks.iter().chain(&post.price).any(|words| proves(&words)) {
                let said = format!("answers {status} with words that only the restored {kind} has");
                return (Some(check(Outcome::Pass, said)), Seen::New(path.clone()));
            }
            match (post.before, with_title && !post.is_told()) {
                (_, false) => {
                    let said = format!(
                        "answers {status} without the words of the restored {kind}: a cache may have an old page"
                    );
                    judged(Outcome::Warn, said, Seen::Old)
                }
                (posts::Before::Same, true) => {
                    let said = format!("answers {status}; the state before has the same {kind}");
                    judged(Outcome::NotChecked, said, |_| Seen::Same)
                }
                (posts::Before::Other, true) => {
                    judged(Outcome::NotChecked, format!("answers {status}; {NOT_SHOWN}"), Seen::Nothing)
                }
                (posts::Before::Unknown, true) => {
                    let said = format!("answers {status}; whether the state before has the same {kind} is not known");
                    judged(Outcome::NotChecked, said, Seen::Nothing)
                }
            }
        }
        Ok(Answer { status, .. }) => {
            judged(Outcome::Warn, format!("answers {status}: the restored {kind} was not seen"), Seen::Nothing)
        }
        Err(error) => judged(Outcome::Warn, format!("gives no answer: {}", error.message), Seen::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(status: u16, body: &str, doubt: Option<&str>) -> crate::error::Result<Answer> {
        let (doubt, body) = (doubt.map(str::to_owned), body.as_bytes().to_vec());
        Ok(Answer { status, bytes: 1, millis: 1, by: Vec::new(), doubt, body })
    }

    fn is_old(seen: &Seen) -> bool {
        matches!(seen, Seen::Old(_))
    }

    #[test]
    fn what_the_state_before_has_is_said_only_where_it_is_known() {
        use posts::Before::{Other, Same, Unknown};
        let post = |marks: &[&str], before| Post {
            path: "/?p=1".into(),
            title: "About".into(),
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            before,
            ..Post::default()
        };
        let says = |post: &Post, body: &str| {
            let (check, seen) = of_post(post, page(200, body, None));
            let check = check.unwrap();
            (check.outcome, check.message, seen)
        };
        let (outcome, _, seen) = says(&post(&["new words"], Other), "About new words");
        assert_eq!((outcome, seen), (Outcome::Pass, Seen::New("/?p=1".into())));
        let (outcome, _, seen) = says(&post(&["new words"], Other), "About old words");
        assert!(outcome == Outcome::Warn && is_old(&seen), "{seen:?}");
        assert!(is_old(&says(&post(&[], Same), "Hacked").2));
        let (outcome, message, seen) = says(&post(&[], Same), "About");
        assert_eq!((outcome, seen), (Outcome::NotChecked, Seen::Same));
        assert!(message.contains("the same post"));
        for (before, text) in [(Other, "otherwise"), (Unknown, "is not known")] {
            let (outcome, message, seen) = says(&post(&[], before), "About");
            assert_eq!((outcome, message.contains(text)), (Outcome::NotChecked, true), "{message}");
            assert!(matches!(seen, Seen::Nothing(_)), "{seen:?}");
        }
        // Nobody saw its page before.
        let unseen = Post { unknown: Some("not rehearsed".into()), ..post(&["new words"], Other) };
        let (check, seen) = of_post(&unseen, page(200, "About old words", None));
        assert_eq!((check.is_none(), seen), (true, Seen::Nothing("not rehearsed".into())));
    }

    #[test]
    fn only_a_page_that_came_and_is_old_is_asked_for_again() {
        let post = Post {
            path: "/?p=1".into(),
            title: String::new(),
            marks: vec!["new words".into()],
            before: posts::Before::Other,
            ..Post::default()
        };
        for answer in [
            page(401, "", None),
            page(503, "", None),
            page(200, "elsewhere", Some("it redirects to elsewhere")),
            Err(crate::error::Error::new(crate::error::Code::ServiceDown, "no answer")),
        ] {
            let (check, seen) = of_post(&post, answer);
            assert!(matches!(seen, Seen::Nothing(_)), "{check:?} {seen:?}");
        }
        assert!(is_old(&of_post(&post, page(200, "old words", None)).1));
    }

    #[test]
    fn what_the_page_of_before_shows_and_what_a_page_repeats_prove_nothing() {
        let post = |marks: &[&str], price: Option<&str>| Post {
            path: "/product/rocket-boots/".into(),
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            price: price.map(str::to_owned),
            before: posts::Before::Other,
            ..Post::default()
        };
        let told = |post: Post| (post.marks, post.price);
        let before = |status, body: &str| page(status, body, None).ok();
        let boots = || post(&["soles of steel", "rocket boots"], Some("19.00"));
        let left = (vec!["soles of steel".to_owned()], Some("19.00".to_owned()));
        assert_eq!(told(sifted(boots(), before(200, "rocket boots 119.00").as_ref())), left);
        // One that is not found suggests them, and says nothing of the price.
        assert_eq!(told(sifted(boots(), before(404, "rocket boots?").as_ref())), (left.0.clone(), None));
        assert_eq!(told(sifted(boots(), before(200, "rocket boots, soles of steel, 19.00").as_ref())), (vec![], None));
        assert_eq!(told(sifted(boots(), None)).1, None);

        let seen = |post: &Post, body: &str| of_post(post, page(200, body, None)).1;
        let new = Seen::New("/product/rocket-boots/".into());
        assert_eq!(seen(&boots(), "rocket boots with soles of steel"), new);
        assert_eq!(seen(&post(&[], Some("19.00")), "boots: 19.00"), new);
        assert!(is_old(&seen(&post(&[], Some("19.00")), "boots: 119.00")));
        assert!(is_old(&seen(&boots(), "Nothing found for rocket boots")), "a page that repeats its question");
        let by = |by: &str, body: &str| {
            let answer = Answer { by: vec![by.to_owned()], ..page(200, body, None).unwrap() };
            of_post(&boots(), Ok(answer)).1
        };
        assert!(is_old(&by("https://shop.example/?s=soles+of%20steel", "no soles of steel")));
        assert_eq!(by("https://shop.example/boots/", "soles of steel"), new);
    }
}
