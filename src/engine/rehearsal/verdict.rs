//! What a page of a staged site says about it. Pure.
//!
//! It fails where the site does not run because of what the backup holds: code that PHP does not take, a message that ends a script and
//! speaks of nothing that a cell keeps away, a site that reached its staged tables and finds itself without a database. It fails as well
//! where a visitor must not see the page: a server's error, or the page of an error, an installer or a bare web server, which nothing
//! that a cell keeps away explains, nor the backup itself. Everything else that is no page proves nothing.

use super::page::{Asked, WordPress, is_of_wordpress};
use super::wrong::{self, By, Wrong};
use crate::engine::posts::{self, are_of_address, shows};
use crate::error::Code;
use crate::host::cell::{Leavings, OWN};
use crate::report::{Check, Outcome};
use crate::text::printable;

/// The figure with words of a page that only the staged state has.
pub const NEW_WORDS: &str = "new_words";
/// The figure with all further ones.
pub const MORE_WORDS: &str = "more_words";
/// The figure with a price that the live tables have otherwise.
pub const PRICE: &str = "price";
/// The figure with what the live tables have in the place of a post, as a word.
pub const BEFORE: &str = "before";
/// Most characters of a message of PHP's.
const MAX_SHOWN: usize = 400;

/// What a rehearsal kept from the site.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fences {
    /// The database refused something for want of a right.
    pub denied: bool,
    /// The site went to the database by another account.
    pub turned_away: bool,
    /// It asked for a table or routine that only the change-over brings.
    pub missing: bool,
    /// It is known how the site is led to its tables, or it has none.
    pub led: bool,
    /// It came to its staged tables, or it has none.
    pub entered: bool,
    /// It could write into its own folders.
    pub layered: bool,
    /// All of the site is staged, so that no file of it can be elsewhere.
    pub whole: bool,
    /// A file that it looked for in vain is one that a rehearsal hides.
    pub hidden: bool,
    /// The staged tree holds what closes the site for maintenance.
    pub closed: bool,
    /// restore.toml names the status among those that the site is to answer.
    pub expected: bool,
    /// The web server answers by a server of ours, not by the site's own.
    pub plain: bool,
    /// The live site shows a page of this title, too, and by this status.
    pub as_live: bool,
}

const WANTS_RIGHTS: &str = "it wants to change its tables, which a rehearsal does not let it";
const WANTS_NETWORK: &str = "it wants something over the network, which a rehearsal does not have";
const WANTS_ANOTHER: &str = "it goes to the database by an account of its own, which a rehearsal does not let in";
const WANTS_THE_REST: &str = "it wants tables, views or routines that only the change-over brings together";
const WANTS_FILES: &str = "it wants to write where a rehearsal does not let it";
const WANTS_MORE: &str = "it wants more time or memory than it gets";
const WANTS_THE_CELL: &str = "PHP does not run there as it does on the machine";
const WANTS_WHAT_IS_BESIDE: &str = "it wants a file beside the site, which a rehearsal hides";
const WANTS_SETTINGS: &str = "its settings lie outside of what is restored";
const WANTS_ITS_SERVER: &str = "its web server is set up otherwise on the machine";
const IS_CLOSED: &str = "it is closed for maintenance, as the backup has it";
const IS_EXPECTED: &str = "`http.expect_status` of restore.toml names this status";
const IS_LIVE: &str = "the live site shows the same page";
const SAYS_NOTHING: &str = "no message of PHP's explains it";

/// Words of PHP, of the kernel and of the database that speak of a fence, and what is told of it.
const WORDS: [(&str, &str); 20] = [
    ("command denied to user", WANTS_RIGHTS),
    ("Access denied for user", WANTS_RIGHTS),
    ("Network is unreachable", WANTS_NETWORK),
    ("Cannot assign requested address", WANTS_NETWORK),
    ("Connection refused", WANTS_NETWORK),
    ("getaddrinfo", WANTS_NETWORK),
    ("name resolution", WANTS_NETWORK),
    ("Could not resolve host", WANTS_NETWORK),
    ("Failed to connect to", WANTS_NETWORK),
    ("Could not connect", WANTS_NETWORK),
    ("Couldn't connect", WANTS_NETWORK),
    ("RedisException: No such file", WANTS_NETWORK),
    ("server has gone away", WANTS_ANOTHER),
    ("Error while reading greeting packet", WANTS_ANOTHER),
    ("Read-only file system", WANTS_FILES),
    ("readonly database", WANTS_FILES),
    ("unable to open database file", WANTS_FILES),
    ("No space left on device", WANTS_FILES),
    ("Maximum execution time", WANTS_MORE),
    ("Allowed memory size", WANTS_MORE),
];

/// What pages say that have no database behind them.
const NO_DATABASE: [&str; 4] = [
    "Error establishing a database connection",
    "One or more database tables are unavailable",
    "Error connecting to the database",
    "SQLSTATE[HY000] [",
];

/// What pages say that are closed on purpose, in the words of a site's visitors.
const CLOSED: [&str; 20] = [
    "maintenance",
    "briefly unavailable",
    "coming soon",
    "under construction",
    "wartung",
    "mantenimiento",
    "manutenzione",
    "manutenção",
    "onderhoud",
    "vedligeholdelse",
    "underhåll",
    "údržb",
    "karbantart",
    "konserwac",
    "bakım",
    "обслуживан",
    "bảo trì",
    "メンテナンス",
    "维护",
    "維護",
];

/// The check of a page.
pub fn of(asked: &Asked, fences: &Fences, left: &Leavings) -> Check {
    let (path, millis) = (printable(&asked.path), asked.millis);
    let check = |outcome, message: String| {
        let check = Check::new(&asked.name, outcome, message).with("path", path.clone()).with("millis", millis);
        let check = if asked.title.is_empty() { check } else { check.with("title", asked.title.clone()) };
        let check = match posts::Kind::of_word(&asked.name) {
            Some(_) => check.with(BEFORE, asked.before.word()),
            None => check,
        };
        match asked.status {
            Some(status) => check.with("status", status),
            None => check,
        }
    };
    let Some(what) = trouble(asked, fences, left) else {
        return match &asked.away {
            Some(away) => {
                let message = format!("{path} leads to {}, and no page was seen", printable(away));
                check(Outcome::NotChecked, message)
            }
            None if is_page(asked) && !asked.body.contains(&asked.title) => {
                let title = format!("{path} does not show the title of the {}: it was not proven", asked.name);
                check(Outcome::NotChecked, title)
            }
            None if is_page(asked) => {
                let status = asked.status.unwrap_or_default();
                let check = check(Outcome::Pass, format!("{path} answers {status} after {millis} ms"));
                // A page that repeats its address has them of that.
                let proves =
                    |words: &&String| shows(asked.body.as_bytes(), words) && !are_of_address(words, &asked.path);
                let mut words = asked.marks.iter().filter(proves).cloned();
                let check = match words.next() {
                    Some(first) => check.with(NEW_WORDS, first),
                    None => check,
                };
                let more: Vec<String> = words.collect();
                let check = if more.is_empty() { check } else { check.with(MORE_WORDS, more) };
                match asked.price.as_ref().filter(proves) {
                    Some(price) => check.with(PRICE, price.clone()),
                    None => check,
                }
            }
            None => {
                let said = match asked.status {
                    Some(status) => format!("answers {status}"),
                    // A slow machine is no broken site.
                    None => format!("gives no answer ({})", shown(&asked.errors)),
                };
                check(Outcome::NotChecked, format!("{path} {said}: no page was seen"))
            }
        };
    };
    match excuse(asked, fences, left, &what) {
        Some(why) => check(Outcome::NotChecked, format!("{path} was not proven: {why} ({})", what.said)),
        None => check(Outcome::Fail, format!("{path}: {}", what.said)).code(Code::VerificationFailed),
    }
}

/// What is wrong with a page.
struct Trouble {
    said: String,
    kind: Kind,
}

enum Kind {
    /// PHP does not take the code.
    Compile,
    /// A message that ends a script.
    Fatal(String),
    /// It has no database behind it, or no site in it.
    NoDatabase,
    /// WordPress finds no settings.
    NoSettings,
    /// It does not hold what it has to.
    Text,
    /// It is closed on purpose.
    Closed,
    /// A page that no site means its visitors to see.
    Wrong(Wrong),
    /// An error of a server's that no message explains.
    Error,
    /// Nothing at all.
    Silent,
}

fn is_page(asked: &Asked) -> bool {
    asked.status.is_some_and(|status| (200..300).contains(&status))
}

fn trouble(asked: &Asked, fences: &Fences, left: &Leavings) -> Option<Trouble> {
    let found = |kind, said: String| Some(Trouble { said, kind });
    let status = asked.status.unwrap_or_default();
    // A page may tell of PHP's messages; a server's error is one.
    let of_server = status >= 500;
    let fatal = fatal(&asked.errors).or_else(|| fatal(&asked.body).filter(|_| of_server));
    let fatal = fatal.or_else(|| logged(&asked.errors).filter(|_| of_server));
    // What PHP said behind a web server is in that one's log.
    let fatal = fatal.or_else(|| self::fatal(&left.server).filter(|_| of_server && asked.by_web));
    let fatal = fatal.or_else(|| last_entry(&left.written).filter(|_| of_server && status != 503));
    if let Some(fatal) = fatal {
        let compile = ["PHP Parse error:", "PHP Compile error:"].iter().any(|mark| fatal.starts_with(mark));
        return found(if compile { Kind::Compile } else { Kind::Fatal(fatal.clone()) }, shown(&fatal));
    }
    asked.status?;
    match asked.away.as_deref().and_then(is_of_wordpress) {
        Some(WordPress::Installer) => {
            let said = "WordPress finds no site in its tables and leads to its installer";
            return found(Kind::NoDatabase, said.into());
        }
        Some(WordPress::Settings) => return found(Kind::NoSettings, "WordPress finds no wp-config.php".into()),
        None => {}
    }
    if asked.away.is_none() && has_no_database(asked, of_server) {
        return found(Kind::NoDatabase, format!("answers {status}: {}", words_of(&asked.body)));
    }
    // Many a site is closed by a page of WordPress's own for errors, which answers 500.
    let is_of_errors = || wrong_page(asked).is_some_and(|wrong| wrong.what == wrong::OF_ERRORS);
    if (status == 503 || (of_server && is_of_errors())) && is_closed(asked, fences) {
        return found(Kind::Closed, format!("answers {status}: {}", words_of(&asked.body)));
    }
    if let Some(wrong) = wrong_page(asked) {
        let title = wrong::title(&asked.body).unwrap_or_default();
        return found(Kind::Wrong(wrong), format!("answers {status} with {}: {}", wrong.what, shown(&title)));
    }
    if of_server {
        let of_web = if asked.by_web { last_error(&left.server) } else { "" };
        let said = words_of(&format!("{} {} {of_web}", asked.body, told_of(&asked.errors)));
        return found(Kind::Error, format!("answers {status}: {said}"));
    }
    if is_page(asked) && asked.away.is_none() && asked.body.trim().is_empty() {
        return found(Kind::Silent, format!("answers {status} with an empty page"));
    }
    if is_page(asked) && asked.away.is_none() && !asked.body.contains(&asked.text) {
        return found(Kind::Text, format!("answers {status} and does not hold {:?}", shown(&asked.text)));
    }
    None
}

/// Whether an error may come of what a web server has in a cell, and not on the machine: of another server block, or of no answer behind it.
fn is_of_set_up(asked: &Asked, fences: &Fences) -> bool {
    let status = asked.status.unwrap_or_default();
    // A page that the operator wants has to come; of others nginx's own word is no proof against the backup.
    let is_its_own = || asked.name != "probe" && asked.body.contains("<center>nginx");
    asked.by_web && (matches!(status, 502..=504) || (status >= 500 && (fences.plain || is_its_own())))
}

/// The last error in a web server's log, without its time and the question that led to it.
fn last_error(log: &str) -> &str {
    let line = log.lines().rfind(|line| line.contains("[error]")).unwrap_or_default();
    let line = line.split_once(": *").and_then(|(_, rest)| rest.split_once(' ')).map_or(line, |(_, rest)| rest);
    line.split(", client: ").next().unwrap_or_default()
}

/// PHP's messages but for those that come of being led: of constants that are there before the site's own.
fn told_of(errors: &str) -> String {
    let messages = errors.split("PHP message: ").filter(|message| !message.contains(" already defined in "));
    messages.collect::<Vec<_>>().join(" ")
}

/// What an answer is where it is a page that no site means its visitors to see.
pub fn wrong_page(asked: &Asked) -> Option<Wrong> {
    let shown = asked.away.is_none() && asked.status.is_some_and(|status| !(300..500).contains(&status));
    shown.then(|| wrong::of(&asked.body)).flatten()
}

/// Whether a 503 is meant: it says when to come again, or it speaks of it, or the tree holds the mark of it.
fn is_closed(asked: &Asked, fences: &Fences) -> bool {
    let speaks = || {
        let page = words_of(&asked.body).to_lowercase();
        CLOSED.iter().any(|words| page.contains(words))
    };
    asked.comes_again || fences.closed || speaks()
}

/// A page of a working site may speak of databases, too, and so may a plugin to PHP's log: one without one is a server's error, or
/// short and nothing else.
fn has_no_database(asked: &Asked, of_server: bool) -> bool {
    let speaks = |text: &str| NO_DATABASE.iter().any(|words| text.contains(words));
    match of_server {
        true => speaks(&asked.body) || speaks(&asked.errors),
        false => asked.body.len() < 4 << 10 && speaks(&asked.body),
    }
}

/// The first message of PHP's that ends a script.
fn fatal(text: &str) -> Option<String> {
    const MARKS: [&str; 4] =
        ["PHP Fatal error:", "PHP Parse error:", "PHP Compile error:", "PHP Recoverable fatal error:"];
    first(text, &MARKS)
}

/// The first message of a framework's that explains why it answers with an error.
fn logged(text: &str) -> Option<String> {
    const MARKS: [&str; 5] = ["Uncaught PHP Exception", ".CRITICAL:", ".ERROR:", ".EMERGENCY:", ".ALERT:"];
    first(text, &MARKS)
}

/// The last entry of what a framework wrote into its log, where that is an error.
fn last_entry(written: &str) -> Option<String> {
    const LEVELS: [&str; 4] = [".CRITICAL:", ".ERROR:", ".EMERGENCY:", ".ALERT:"];
    // An entry begins with its time; the lines of a trace do not.
    let begins = |line: &&str| line.starts_with("[2");
    let entry = written.lines().rfind(begins)?;
    LEVELS.iter().any(|level| entry.contains(level)).then(|| entry.to_owned())
}

fn first(text: &str, marks: &[&str]) -> Option<String> {
    let at = marks.iter().filter_map(|mark| text.find(mark)).min()?;
    let message = &text[at..];
    // The trace says nothing more to an operator.
    let end = message.find("Stack trace:").or_else(|| message.find('\n')).unwrap_or(message.len());
    Some(message[..end].trim_end_matches(['"', '\n', ' ']).to_owned())
}

fn shown(text: &str) -> String {
    let one: Vec<&str> = text.split_whitespace().collect();
    printable(&one.join(" ")).chars().take(MAX_SHOWN).collect()
}

/// The words of a page, without its marks.
fn words_of(page: &str) -> String {
    let mut words = String::new();
    let (mut inside, mut at) = (false, page);
    // Neither styles nor scripts are words.
    if let Some(body) = page.find("<body") {
        at = &page[body..];
    }
    for letter in at.chars().take(20_000) {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                words.push(' ');
            }
            letter if !inside => words.push(letter),
            _ => {}
        }
    }
    shown(&words)
}

/// A file that PHP looked for in vain.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing<'a> {
    /// As the site's code names it.
    pub path: &'a str,
    /// Where it is looked for besides, if its path is relative.
    pub include_path: Vec<&'a str>,
}

/// The files that PHP looked for in vain, by its messages: the one that ended the script, where that says which; else all.
pub fn missing_files(errors: &str) -> Vec<Missing<'_>> {
    const REQUIRED: &str = "Failed opening required '";
    let required: Vec<Missing> = errors
        .split(REQUIRED)
        .skip(1)
        .filter_map(|rest| {
            let (path, rest) = rest.split_once('\'')?;
            let within =
                rest.strip_prefix(" (include_path='").and_then(|rest| rest.split_once('\'')).map(|(all, _)| all);
            Some(Missing { path, include_path: within.unwrap_or_default().split(':').collect() })
        })
        .collect();
    if !required.is_empty() {
        return required;
    }
    // PHP 7 writes it small.
    let opened = ["): Failed to open stream", "): failed to open stream"];
    let before = opened.iter().flat_map(|mark| {
        let mut parts: Vec<&str> = errors.split(mark).collect();
        parts.pop();
        parts
    });
    let paths = before.filter_map(|text| text.rsplit('(').next());
    paths.map(|path| Missing { path, include_path: Vec::new() }).collect()
}

/// Why a page that did not come proves nothing against the site.
fn excuse(asked: &Asked, fences: &Fences, left: &Leavings, what: &Trouble) -> Option<&'static str> {
    let of_words = |text: &str| WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, why)| *why);
    let own = |text: &str| text.contains(OWN) || text.contains("open_basedir restriction");
    let body = asked.body.as_str();
    let body = if asked.status.is_some_and(|status| status >= 500) { body } else { "" };
    if own(&what.said) || (!matches!(what.kind, Kind::Compile) && own(&asked.errors)) {
        return Some(WANTS_THE_CELL);
    }
    match &what.kind {
        Kind::Closed => return Some(IS_CLOSED),
        Kind::Wrong(_) | Kind::Error | Kind::NoDatabase if fences.expected => return Some(IS_EXPECTED),
        Kind::Wrong(Wrong { by: By::Server, .. }) if fences.as_live => return Some(IS_LIVE),
        Kind::Wrong(_) | Kind::Error if is_of_set_up(asked, fences) => return Some(WANTS_ITS_SERVER),
        // It has nothing to do with what the site's code reaches.
        Kind::Wrong(Wrong { by: By::Server, .. }) => return None,
        _ => {}
    }
    // What the code itself says of the database is no one's word but its own: it may go to live tables, or to none.
    if !fences.led && !matches!(what.kind, Kind::Compile | Kind::NoSettings) {
        return Some(WANTS_ANOTHER);
    }
    if matches!(what.kind, Kind::Fatal(_) | Kind::Wrong(_) | Kind::Error | Kind::Silent) && fences.hidden {
        return Some(WANTS_WHAT_IS_BESIDE);
    }
    // Where nobody says why, what was kept from the site has to explain it.
    let kept = |counts_rights: bool| {
        let another = fences.turned_away || !fences.entered;
        let why = another.then_some(WANTS_ANOTHER).or(fences.missing.then_some(WANTS_THE_REST));
        let why = why.or((counts_rights && fences.denied).then_some(WANTS_RIGHTS));
        why.or(left.network.then_some(WANTS_NETWORK)).or((!fences.layered).then_some(WANTS_FILES))
    };
    let told = || [asked.errors.as_str(), body, &left.written].into_iter().find_map(of_words);
    match &what.kind {
        Kind::Compile => None,
        Kind::Fatal(fatal) => {
            let speaks = |words: &[&str]| words.iter().any(|word| fatal.contains(word));
            let of_database = speaks(&["doesn't exist", "SQLSTATE", "mysqli", "Unknown database", "PDOException"]);
            // What a query gave that nobody answered.
            let of_nothing = speaks(&[" on null", " on false", " on bool"]);
            let another = (fences.turned_away && (of_database || of_nothing)) || (of_database && !fences.entered);
            // A folder that is not there can be the backup's own lack; these say that it may not be written.
            let of_files = || speaks(&["Read-only", "readonly", "unable to open database file"]);
            of_words(fatal)
                .filter(|why| *why != WANTS_FILES || !fences.layered || of_files())
                .or(of_words(&asked.errors).filter(|why| *why == WANTS_NETWORK))
                .or(another.then_some(WANTS_ANOTHER))
                .or((of_nothing && fences.denied).then_some(WANTS_RIGHTS))
                .or((of_database && fences.missing).then_some(WANTS_THE_REST))
        }
        Kind::NoDatabase if fences.turned_away || !fences.entered => Some(WANTS_ANOTHER),
        Kind::NoDatabase => fences.missing.then_some(WANTS_THE_REST),
        Kind::NoSettings => (!fences.whole).then_some(WANTS_SETTINGS),
        Kind::Text if fences.turned_away => Some(WANTS_ANOTHER),
        Kind::Text if fences.missing => Some(WANTS_THE_REST),
        Kind::Text => told(),
        // WordPress shows its pages although it may not write.
        Kind::Wrong(wrong) => told().or_else(|| kept(wrong.by != By::WordPress)),
        Kind::Error => told().or_else(|| kept(true)),
        Kind::Closed => Some(IS_CLOSED),
        Kind::Silent => {
            let why = told().or(fences.turned_away.then_some(WANTS_ANOTHER));
            let why = why.or(fences.missing.then_some(WANTS_THE_REST));
            why.or(fences.denied.then_some(WANTS_RIGHTS)).or(Some(SAYS_NOTHING))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, body: &str, errors: &str) -> Asked {
        Asked {
            name: "front_page".into(),
            path: "/".into(),
            status: Some(status),
            body: body.into(),
            errors: errors.into(),
            ..Asked::default()
        }
    }

    fn outcome(asked: &Asked, fences: Fences) -> Outcome {
        of(asked, &fences, &Leavings::default()).outcome
    }

    const USUAL: Fences = Fences {
        denied: true,
        turned_away: false,
        missing: false,
        led: true,
        entered: true,
        layered: true,
        whole: true,
        hidden: false,
        closed: false,
        expected: false,
        plain: false,
        as_live: false,
    };

    #[test]
    fn what_breaks_a_site_stops_a_restore() {
        for broken in [
            asked(
                500,
                "",
                "PHP message: PHP Fatal error:  Uncaught Error: Call to undefined function f() in /a.php:3\nStack trace:\n#0",
            ),
            asked(
                200,
                "<h1>half",
                "PHP message: PHP Parse error: syntax error, unexpected end of file in /a.php on line 9",
            ),
            asked(500, "<body><h1>Error establishing a database connection</h1>", ""),
            asked(500, "", "NOTICE: PHP message: request.CRITICAL: Uncaught PHP Exception LogicException: no"),
            Asked { away: Some("/wp-admin/setup-config.php".into()), ..asked(302, "", "") },
            Asked { away: Some("http://shop.example/wp-admin/install.php".into()), ..asked(302, "", "") },
        ] {
            let fences = Fences { denied: false, ..USUAL };
            assert_eq!(outcome(&broken, fences), Outcome::Fail, "{broken:?}");
        }
        // A right that some plugin lacked is no excuse for a fatal error of another kind.
        let fatal = asked(500, "", "PHP message: PHP Fatal error:  Uncaught TypeError: no in /x/y.php:12");
        let check = of(&fatal, &USUAL, &Leavings::default());
        assert_eq!(check.outcome, Outcome::Fail);
        assert!(check.message.contains("/x/y.php:12"), "{}", check.message);
    }

    #[test]
    fn what_a_rehearsal_keeps_from_a_site_proves_nothing_against_it() {
        let denied =
            "PHP message: PHP Fatal error:  Uncaught PDOException: SQLSTATE[42000]: 1142 INSERT command denied to user";
        let network = "PHP Fatal error:  Uncaught RedisException: Network is unreachable in /r.php:1";
        let view =
            "PHP Fatal error:  Uncaught PDOException: SQLSTATE[42S02]: Table 'rvs_1.totals' doesn't exist in /v.php:1";
        for (page, fences) in [
            (asked(500, "", denied), USUAL),
            (asked(500, "", network), USUAL),
            (asked(500, "", view), Fences { missing: true, ..USUAL }),
            (
                asked(500, "<h1>Error establishing a database connection</h1>", ""),
                Fences { turned_away: true, ..USUAL },
            ),
            (asked(500, "<h1>Server Error</h1>", ""), USUAL),
            (asked(500, "", "PHP Fatal error:  Maximum execution time of 1 second exceeded in /a.php"), USUAL),
            // As phpredis, curl and SQLite say it of a cell.
            (asked(500, "", "PHP Fatal error:  Uncaught RedisException: No such file or directory in /r.php:1"), USUAL),
            (asked(500, "", "PHP Fatal error:  Uncaught Ex: cURL error 6: Could not resolve host: api.example"), USUAL),
            (asked(500, "", "PHP Fatal error:  Uncaught PDOException: attempt to write a readonly database"), USUAL),
            (
                asked(
                    500,
                    "",
                    "PHP Warning:  file_get_contents(): getaddrinfo failed\nPHP Fatal error:  Uncaught TypeError: no in /a:1",
                ),
                USUAL,
            ),
            // What follows from a write that was not let.
            (
                asked(500, "", "PHP Fatal error:  Uncaught Error: Call to a member function id() on false in /a:1"),
                USUAL,
            ),
            (asked(404, "gone", ""), USUAL),
            (Asked { status: None, ..asked(0, "", "no answer in time") }, USUAL),
            (Asked { away: Some("https://login.example.org/".into()), ..asked(302, "", "") }, USUAL),
        ] {
            assert_eq!(outcome(&page, fences), Outcome::NotChecked, "{page:?}");
        }
        assert_eq!(outcome(&asked(500, "", view), USUAL), Outcome::Fail);
    }

    #[test]
    fn an_error_of_the_server_that_nothing_explains_stops_a_restore() {
        let fences = Fences { denied: false, ..USUAL };
        for page in [
            asked(500, "<h1>Server Error</h1>", ""),
            asked(500, "", ""),
            asked(502, "<title>502 Bad Gateway</title>", ""),
            asked(503, "<h1>503</h1>", ""),
        ] {
            let check = of(&page, &fences, &Leavings::default());
            assert_eq!(check.outcome, Outcome::Fail, "{page:?}");
            assert!(check.message.contains("answers 50"), "{}", check.message);
            let network = Leavings { network: true, ..Leavings::default() };
            assert_eq!(of(&page, &fences, &network).outcome, Outcome::NotChecked, "{page:?}");
            for explained in [
                USUAL,
                Fences { expected: true, ..fences },
                Fences { entered: false, ..fences },
                Fences { missing: true, ..fences },
                Fences { turned_away: true, ..fences },
                Fences { layered: false, ..fences },
                Fences { led: false, ..fences },
            ] {
                assert_eq!(outcome(&page, explained), Outcome::NotChecked, "{page:?} {explained:?}");
            }
        }
        let led =
            "PHP message: PHP Warning:  Constant DB_NAME already defined in /a.php on line 2\nPHP message: no stock";
        let check = of(&asked(500, "<h1>Sorry</h1>", led), &fences, &Leavings::default());
        assert_eq!(check.message, "/: answers 500: Sorry no stock");
        // What the framework wrote into its log tells more than a right that was lacking.
        let written = "[2026-01-02 03:04:05] production.ERROR: No key in /a.php:3\n#0 {main}\n";
        let left = |written: &str| Leavings { written: written.into(), ..Leavings::default() };
        let page = asked(500, "<title>Server Error</title>", "");
        let check = of(&page, &USUAL, &left(written));
        assert!(check.outcome == Outcome::Fail && check.message.contains("No key in /a.php:3"), "{}", check.message);
        let denied = written.replace("No key", "UPDATE command denied to user");
        assert_eq!(of(&page, &USUAL, &left(&denied)).outcome, Outcome::NotChecked);
        let later = format!("{written}[2026-01-02 03:04:06] production.INFO: all is well\n");
        assert_eq!(of(&page, &USUAL, &left(&later)).outcome, Outcome::NotChecked);
    }

    #[test]
    fn a_page_that_no_site_means_to_show_stops_a_restore() {
        let error = "<title>WordPress &rsaquo; Error</title><body id=\"error-page\">";
        let framework = "<title>Server Error</title>";
        let server = "<title>Welcome to nginx!</title>";
        for (page, fences, wanted) in [
            (asked(200, error, ""), USUAL, Outcome::Fail),
            (asked(500, error, ""), USUAL, Outcome::Fail),
            (asked(403, error, ""), USUAL, Outcome::NotChecked),
            (asked(200, error, ""), Fences { turned_away: true, ..USUAL }, Outcome::NotChecked),
            (asked(200, framework, ""), USUAL, Outcome::NotChecked),
            (asked(200, framework, ""), Fences { denied: false, ..USUAL }, Outcome::Fail),
            (asked(200, framework, ""), Fences { denied: false, as_live: true, ..USUAL }, Outcome::Fail),
            (asked(200, server, ""), USUAL, Outcome::Fail),
            (asked(200, server, ""), Fences { led: false, entered: false, ..USUAL }, Outcome::Fail),
            (asked(200, server, ""), Fences { as_live: true, ..USUAL }, Outcome::NotChecked),
            (Asked { away: Some("https://a.example/".into()), ..asked(302, server, "") }, USUAL, Outcome::NotChecked),
        ] {
            assert_eq!(outcome(&page, fences), wanted, "{page:?} {fences:?}");
        }
        for (status, plain, wanted) in
            [(500, false, Outcome::Fail), (500, true, Outcome::NotChecked), (502, false, Outcome::NotChecked)]
        {
            let page = Asked { by_web: true, ..asked(status, "<title>502 Bad Gateway</title>", "") };
            let fences = Fences { denied: false, plain, ..USUAL };
            assert_eq!(outcome(&page, fences), wanted, "{status} {plain}");
        }
        let check = of(&asked(200, server, ""), &USUAL, &Leavings::default());
        assert_eq!(check.message, "/: answers 200 with the default page of nginx: Welcome to nginx!");
    }

    #[test]
    fn a_page_is_a_page() {
        assert_eq!(
            outcome(&asked(200, "<h1>Shop</h1>", "PHP Warning: constant already defined"), USUAL),
            Outcome::Pass
        );
        let probed = |text: &str| Asked { text: text.into(), ..asked(200, "<h1>Shop</h1>", "") };
        assert_eq!(outcome(&probed("Shop"), USUAL), Outcome::Pass);
        assert_eq!(outcome(&probed("Mouse"), USUAL), Outcome::Fail);
        let post = Asked { title: "A post".into(), ..asked(200, "<h1>Shop</h1>", "") };
        assert_eq!(outcome(&post, USUAL), Outcome::NotChecked);
        let article = format!("{} Error establishing a database connection", "text ".repeat(4_000));
        assert_eq!(outcome(&asked(200, &article, ""), USUAL), Outcome::Pass);
    }

    #[test]
    fn a_page_that_tells_of_messages_has_none() {
        let story = asked(200, "<pre>PHP Fatal error:  Uncaught Error in /a.php:3</pre>", "");
        assert_eq!(outcome(&story, USUAL), Outcome::Pass);
        let shown = asked(500, "PHP Fatal error:  Uncaught Error in /a.php:3", "");
        assert_eq!(outcome(&shown, USUAL), Outcome::Fail);
        // A plugin that tells PHP's log of a database of its own.
        let small = asked(200, "<h1>Shop</h1>", "PHP message: Error establishing a database connection");
        assert_eq!(outcome(&small, USUAL), Outcome::Pass);
    }

    #[test]
    fn a_site_that_is_not_led_to_its_tables_fails_for_its_code_alone() {
        let lost = Fences { led: false, entered: false, ..USUAL };
        let parse = asked(500, "", "PHP message: PHP Parse error:  syntax error in /a.php on line 9");
        assert_eq!(outcome(&parse, lost), Outcome::Fail);
        for page in [
            asked(500, "", "PHP message: PHP Fatal error:  Uncaught Error: Call to a member function on null in /a:1"),
            asked(500, "<h1>Error establishing a database connection</h1>", ""),
            asked(200, "Error establishing a database connection", ""),
            Asked { away: Some("/wp-admin/install.php".into()), ..asked(302, "", "") },
            Asked { text: "Shop".into(), ..asked(200, "<h1>Soon</h1>", "") },
        ] {
            assert_eq!(outcome(&page, lost), Outcome::NotChecked, "{page:?}");
        }
    }

    #[test]
    fn a_site_that_never_came_to_its_tables_has_not_lost_them() {
        let outside = Fences { entered: false, ..USUAL };
        for page in [
            asked(500, "<h1>Error establishing a database connection</h1>", ""),
            asked(500, "", "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] No such file in /a:1"),
            Asked { away: Some("/wp-admin/install.php".into()), ..asked(302, "", "") },
        ] {
            assert_eq!(outcome(&page, outside), Outcome::NotChecked, "{page:?}");
            assert_eq!(outcome(&page, USUAL), Outcome::Fail, "{page:?}");
        }
        let code = asked(500, "", "PHP Fatal error:  Uncaught Error: Call to undefined function f() in /a.php:3");
        assert_eq!(outcome(&code, outside), Outcome::Fail);
    }

    #[test]
    fn what_the_cell_is_made_of_is_no_fault_of_the_site() {
        for errors in [
            "PHP message: PHP Fatal error:  Failed opening required '/run/rocketvps-cell/prelude.php' in Unknown",
            "PHP message: PHP Warning:  open_basedir restriction in effect. File(/x) is not within\nPHP message: \
             PHP Fatal error:  Uncaught Error: Class \"X\" not found in /a.php:1",
        ] {
            assert_eq!(outcome(&asked(500, "", errors), USUAL), Outcome::NotChecked, "{errors}");
        }
    }

    #[test]
    fn a_file_that_is_hidden_is_no_fault_and_code_that_does_not_run_is() {
        let hidden = || Fences { hidden: true, ..USUAL };
        let fatal = "PHP Fatal error:  Uncaught Error: Failed opening required '/var/www/common/lib.php' in /a:1";
        assert_eq!(outcome(&asked(500, "", fatal), hidden()), Outcome::NotChecked);
        assert_eq!(outcome(&asked(500, "", fatal), USUAL), Outcome::Fail);
        let parse = "PHP Parse error:  syntax error in /var/www/shop.example/a.php on line 9";
        assert_eq!(outcome(&asked(500, "", parse), hidden()), Outcome::Fail);
    }

    #[test]
    fn the_file_that_ended_a_script_counts_before_those_that_did_not() {
        let paths =
            |errors: &str| missing_files(errors).iter().map(|missing| missing.path.to_owned()).collect::<Vec<_>>();
        let warned = "PHP Warning:  include(/w/beside.php): Failed to open stream: No such file or directory in /a:1\n";
        let fatal = "PHP Fatal error:  Uncaught Error: Failed opening required 'gone.php' (include_path='.:/usr/share/php') in /a:2";
        assert_eq!(paths(warned), ["/w/beside.php"]);
        assert_eq!(paths(&warned.replace("Failed", "failed")), ["/w/beside.php"]);
        assert_eq!(paths(&format!("{warned}{fatal}")), ["gone.php"]);
        assert_eq!(missing_files(fatal)[0].include_path, [".", "/usr/share/php"]);
        assert!(missing_files("PHP Fatal error: no (x) in /a:1").is_empty());
    }

    #[test]
    fn a_page_that_is_away_on_purpose_proves_nothing() {
        let closed = Fences { denied: false, closed: true, ..USUAL };
        assert_eq!(outcome(&asked(503, "<p>Zaraz wracamy</p>", ""), closed), Outcome::NotChecked);
        assert_eq!(outcome(&asked(500, "<p>Zaraz wracamy</p>", ""), closed), Outcome::Fail);
        for page in [
            asked(503, "<p>Briefly unavailable for scheduled maintenance.</p>", ""),
            asked(503, "<title>Site en Bảo Trì</title>", ""),
            Asked { comes_again: true, ..asked(503, "<h1>503</h1>", "") },
            asked(204, "", ""),
            asked(200, "  \n", ""),
        ] {
            let fences = Fences { denied: false, ..USUAL };
            assert_eq!(outcome(&page, fences), Outcome::NotChecked, "{page:?}");
        }
    }

    #[test]
    fn settings_may_lie_around_what_is_restored() {
        let page = Asked { away: Some("/wp-admin/setup-config.php".into()), ..asked(302, "", "") };
        assert_eq!(outcome(&page, Fences { whole: false, ..USUAL }), Outcome::NotChecked);
        assert_eq!(outcome(&page, USUAL), Outcome::Fail);
    }
}
