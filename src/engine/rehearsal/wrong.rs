//! Pages that no site means its visitors to see: of an error, of an installer, of a web server that has no site. Pure.
//!
//! They are told by their titles, which the programs that make them do not let a site choose. A title that some site may have of its
//! own counts only with another mark of such a page.

/// Most bytes of a page that are looked into.
const MAX_HEAD: usize = 64 << 10;

/// A page that is none of the site's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// What it is, as part of a sentence.
    pub what: &'static str,
    /// Who made it.
    pub by: By,
}

/// Who makes such a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// WordPress, which goes on where it may not write.
    WordPress,
    /// The site's code or framework.
    Code,
    /// A web server that has nothing to show.
    Server,
}

/// How a title says it.
enum Title {
    Is(&'static str),
    Begins(&'static str),
    Ends(&'static str),
}

/// What WordPress's page for errors is called.
pub const OF_ERRORS: &str = "WordPress's page of an error";
/// Titles, what the page has to hold besides, and what it is then.
const KNOWN: [(Title, &str, &str, By); 27] = [
    (Title::Begins("WordPress ›"), "id=\"error-page\"", OF_ERRORS, By::WordPress),
    (Title::Begins("WordPress ›"), "wp-core-ui", "WordPress's installer", By::WordPress),
    (Title::Is("Database Error"), "id=\"error-page\"", "WordPress's page of a missing database", By::WordPress),
    (Title::Is("Server Error"), "", "Laravel's page of an error", By::Code),
    (Title::Is("Whoops! There was an error."), "", "Laravel's page of an error", By::Code),
    (Title::Is("Whoops, looks like something went wrong."), "", "Laravel's page of an error", By::Code),
    (Title::Begins("An Error Occurred: "), "", "Symfony's page of an error", By::Code),
    (Title::Ends("(500 Internal Server Error)"), "", "Symfony's page of an error", By::Code),
    (Title::Is("Internal Server Error"), "", "a page of an error", By::Code),
    (Title::Is("500 Internal Server Error"), "", "a page of an error", By::Code),
    (Title::Is("502 Bad Gateway"), "", "a page of an error", By::Code),
    (Title::Is("503 Service Unavailable"), "", "a page of an error", By::Code),
    (Title::Is("503 Service Temporarily Unavailable"), "", "a page of an error", By::Code),
    (Title::Is("504 Gateway Time-out"), "", "a page of an error", By::Code),
    (Title::Is("Joomla! Web Installer"), "", "Joomla's installer", By::Code),
    (Title::Is("Choose language | Drupal"), "", "Drupal's installer", By::Code),
    (Title::Is("PrestaShop Installation Assistant"), "", "PrestaShop's installer", By::Code),
    (Title::Is("Welcome to nginx!"), "", "the default page of nginx", By::Server),
    (Title::Is("Welcome to OpenResty!"), "", "the default page of OpenResty", By::Server),
    (Title::Begins("Apache2 Debian Default Page"), "", "the default page of Apache", By::Server),
    (Title::Begins("Apache2 Ubuntu Default Page"), "", "the default page of Apache", By::Server),
    (Title::Begins("Test Page for the Apache HTTP Server"), "", "the default page of Apache", By::Server),
    (Title::Begins("Test Page for the Nginx HTTP Server"), "", "the default page of nginx", By::Server),
    (Title::Begins("HTTP Server Test Page powered by"), "", "the default page of the web server", By::Server),
    (Title::Is("Default Web Site Page"), "", "the default page of the control panel", By::Server),
    (Title::Is("IIS Windows Server"), "", "the default page of the web server", By::Server),
    (Title::Begins("Index of /"), "<h1>Index of /", "a list of the folder's files", By::Server),
];
/// Apache's own page, which has no title.
const WORKS: &str = "<html><body><h1>It works!</h1></body></html>";

/// What a page is that is none of the site's.
pub fn of(page: &str) -> Option<Wrong> {
    if page.len() < 128 && page.split_whitespace().collect::<Vec<_>>().join(" ") == WORKS {
        return Some(Wrong { what: "the default page of Apache", by: By::Server });
    }
    let title = title(page)?;
    let is = |known: &Title| match known {
        Title::Is(text) => title == *text,
        Title::Begins(text) => title.starts_with(text),
        Title::Ends(text) => title.ends_with(text),
    };
    let mut known = KNOWN.iter();
    let (_, _, what, by) = known.find(|(known, mark, _, _)| is(known) && head(page).contains(mark))?;
    Some(Wrong { what, by: *by })
}

fn head(page: &str) -> &str {
    let mut end = page.len().min(MAX_HEAD);
    while !page.is_char_boundary(end) {
        end -= 1;
    }
    &page[..end]
}

/// The title of a page, as a reader sees it; `None`: it has none.
pub fn title(page: &str) -> Option<String> {
    let head = head(page);
    // Letters of ASCII keep their places.
    let small = head.to_ascii_lowercase();
    let open = small.find("<title")?;
    let begin = open + small[open..].find('>')? + 1;
    let end = begin + small[begin..].find("</title")?;
    let mut text = head[begin..end].to_owned();
    for (entity, letter) in
        [("&rsaquo;", "›"), ("&#8250;", "›"), ("&#x203A;", "›"), ("&#039;", "'"), ("&quot;", "\""), ("&amp;", "&")]
    {
        text = text.replace(entity, letter);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: &str, body: &str) -> String {
        format!("<!DOCTYPE html>\n<html><head>\n<TITLE lang=\"en\">\n{title}</title></head><body {body}></body></html>")
    }

    #[test]
    fn pages_of_errors_installers_and_bare_servers_are_known_by_their_titles() {
        for (title, body, by) in [
            ("WordPress &rsaquo; Error", "id=\"error-page\"", By::WordPress),
            ("WordPress &rsaquo; Fehler", "id=\"error-page\"", By::WordPress),
            ("WordPress › Installation", "class=\"wp-core-ui\"", By::WordPress),
            ("WordPress &#8250; Setup Configuration File", "class=\"wp-core-ui\"", By::WordPress),
            ("Database Error", "id=\"error-page\"", By::WordPress),
            ("Server Error", "class=\"antialiased\"", By::Code),
            ("An Error Occurred: Internal Server Error", "", By::Code),
            ("no such service (500 Internal Server Error)", "", By::Code),
            ("Joomla! Web Installer", "", By::Code),
            ("Welcome to nginx!", "", By::Server),
            ("Apache2 Debian Default Page: It works", "", By::Server),
            ("Index of /", "><h1>Index of /</h1", By::Server),
        ] {
            let found = of(&page(title, body)).unwrap_or_else(|| panic!("{title}"));
            assert_eq!(found.by, by, "{title}");
        }
        assert_eq!(of("<html><body><h1>It works!</h1></body></html>\n").unwrap().by, By::Server);
    }

    #[test]
    fn a_site_may_speak_of_such_pages_and_be_called_like_them() {
        for (title, body) in [
            ("WordPress › Just another site", "class=\"home\""),
            ("Database Error", "class=\"post\""),
            ("Server Error? How to find it", ""),
            ("How to see Welcome to nginx!", ""),
            ("Index of /usr/bin, a poem", ""),
            ("It works!", ""),
            ("", ""),
        ] {
            assert_eq!(of(&page(title, body)), None, "{title}");
        }
        assert_eq!(of("<h1>Welcome to nginx!</h1>"), None);
        assert_eq!(of("<title>Welcome to nginx!"), None);
        assert_eq!(of(&format!("{}<title>Welcome to nginx!</title>", "é".repeat(MAX_HEAD))), None);
    }
}
