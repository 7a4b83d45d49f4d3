//! What a page of a staged site says about it. Pure.

use super::page::{Asked, is_installer};
use crate::error::Code;
use crate::host::cell::Leavings;
use crate::report::{Check, Outcome};
use crate::text::printable;

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
    /// It could write into its own folders.
    pub layered: bool,
}

const WANTS_RIGHTS: &str = "it wants to change its tables, which a rehearsal does not let it";
const WANTS_NETWORK: &str = "it wants something over the network, which a rehearsal does not have";
const WANTS_ANOTHER: &str = "it goes to the database by an account of its own, which a rehearsal does not let in";
const WANTS_THE_REST: &str = "it wants tables, views or routines that only the change-over brings together";
const WANTS_FILES: &str = "it wants to write where a rehearsal does not let it";

/// Words of PHP, of the kernel and of the database that speak of a fence, and what is told of it.
const WORDS: [(&str, &str); 10] = [
    ("command denied to user", WANTS_RIGHTS),
    ("Network is unreachable", WANTS_NETWORK),
    ("Cannot assign requested address", WANTS_NETWORK),
    ("Connection refused", WANTS_NETWORK),
    ("getaddrinfo", WANTS_NETWORK),
    ("name resolution", WANTS_NETWORK),
    ("server has gone away", WANTS_ANOTHER),
    ("Error while reading greeting packet", WANTS_ANOTHER),
    ("Read-only file system", WANTS_FILES),
    ("No space left on device", WANTS_FILES),
];

/// What pages say that have no database behind them.
const NO_DATABASE: [&str; 4] = [
    "Error establishing a database connection",
    "One or more database tables are unavailable",
    "Error connecting to the database",
    "SQLSTATE[HY000] [",
];

/// The check of a page.
pub fn of(asked: &Asked, fences: &Fences, left: &Leavings) -> Check {
    let (path, millis) = (printable(&asked.path), asked.millis);
    let check = |outcome, message: String| {
        let check = Check::new(&asked.name, outcome, message).with("path", path.clone()).with("millis", millis);
        let check = if asked.title.is_empty() { check } else { check.with("title", asked.title.clone()) };
        match asked.status {
            Some(status) => check.with("status", status),
            None => check,
        }
    };
    let Some(what) = trouble(asked) else {
        return match &asked.away {
            Some(away) => {
                let message = format!("{path} leads to {}, and no page was seen", printable(away));
                check(Outcome::NotChecked, message)
            }
            None if is_page(asked) && !asked.body.contains(&asked.title) => {
                check(Outcome::NotChecked, format!("{path} does not show the title of the post: it was not proven"))
            }
            None if is_page(asked) => {
                let status = asked.status.unwrap_or_default();
                check(Outcome::Pass, format!("{path} answers {status} after {millis} ms"))
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
    /// PHP's own message, where it is one.
    fatal: Option<String>,
    /// It has no database behind it.
    no_database: bool,
}

fn is_page(asked: &Asked) -> bool {
    asked.status.is_some_and(|status| (200..300).contains(&status))
}

fn trouble(asked: &Asked) -> Option<Trouble> {
    let no_database = NO_DATABASE.iter().any(|words| asked.body.contains(words) || asked.errors.contains(words));
    let plain = |said: String| Some(Trouble { said, fatal: None, no_database });
    if let Some(fatal) = fatal(&asked.errors).or_else(|| fatal(&asked.body)) {
        return Some(Trouble { said: shown(&fatal), fatal: Some(fatal), no_database });
    }
    let status = asked.status?;
    if asked.away.as_deref().is_some_and(is_installer) {
        return plain("WordPress finds no site in its tables and leads to its installer".into());
    }
    if no_database && asked.away.is_none() && is_error_page(asked) {
        return plain(format!("answers {status}: {}", words_of(&asked.body)));
    }
    if status >= 500 {
        return plain(format!("answers {status}: {}", words_of(&format!("{} {}", asked.errors, asked.body))));
    }
    if is_page(asked) && asked.away.is_none() && asked.body.trim().is_empty() {
        return plain(format!("answers {status} with an empty page"));
    }
    if is_page(asked) && asked.away.is_none() && !asked.body.contains(&asked.text) {
        return plain(format!("answers {status} and does not hold {:?}", shown(&asked.text)));
    }
    None
}

/// A page of a working site may speak of databases, too: one without one is a server's error, or short and nothing else.
fn is_error_page(asked: &Asked) -> bool {
    asked.status.is_some_and(|status| status >= 500) || asked.body.len() < 4 << 10
}

/// The first message of PHP's that ends a script.
fn fatal(text: &str) -> Option<String> {
    const MARKS: [&str; 4] =
        ["PHP Fatal error:", "PHP Parse error:", "PHP Compile error:", "PHP Recoverable fatal error:"];
    let at = MARKS.iter().filter_map(|mark| text.find(mark)).min()?;
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

/// Why a page that did not come proves nothing against the site.
fn excuse(asked: &Asked, fences: &Fences, left: &Leavings, what: &Trouble) -> Option<&'static str> {
    let of_words = |text: &str| WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, why)| *why);
    if let Some(fatal) = &what.fatal {
        let of_database =
            ["doesn't exist", "SQLSTATE", "mysqli", "Unknown database"].iter().any(|word| fatal.contains(word));
        let another = of_database && (fences.turned_away || !fences.led);
        return of_words(fatal)
            .filter(|why| *why != WANTS_FILES || !fences.layered || fatal.contains("Read-only"))
            .or(another.then_some(WANTS_ANOTHER))
            .or((of_database && fences.missing).then_some(WANTS_THE_REST));
    }
    if fences.turned_away || (what.no_database && !fences.led) {
        return Some(WANTS_ANOTHER);
    }
    if fences.missing {
        return Some(WANTS_THE_REST);
    }
    // Nothing but a right that is missing explains an error that is told to nobody.
    let told = [asked.errors.as_str(), &left.written].into_iter().find_map(of_words);
    let silent = || {
        (fences.denied && !what.no_database && asked.status.is_some_and(|status| status >= 500)).then_some(WANTS_RIGHTS)
    };
    told.filter(|_| !what.no_database || fences.turned_away).or_else(silent)
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

    const USUAL: Fences = Fences { denied: true, turned_away: false, missing: false, led: true, layered: true };

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
            asked(200, "  \n", ""),
            asked(503, "<p>Briefly unavailable</p>", ""),
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
            (asked(404, "gone", ""), USUAL),
            (Asked { status: None, ..asked(0, "", "no answer in time") }, USUAL),
            (Asked { away: Some("https://login.example.org/".into()), ..asked(302, "", "") }, USUAL),
        ] {
            assert_eq!(outcome(&page, fences), Outcome::NotChecked, "{page:?}");
        }
        assert_eq!(outcome(&asked(500, "", view), USUAL), Outcome::Fail);
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
}
