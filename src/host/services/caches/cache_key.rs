//! The keys of nginx's caches: whether a page that was saved under one is a site's. Pure.

use crate::siteconf::nginx::covers;
use std::collections::BTreeSet;

/// The names of nginx's servers, by whose they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Of the servers that answer for the site.
    pub ours: BTreeSet<String>,
    /// Of all others.
    pub others: BTreeSet<String>,
}

impl Names {
    /// Whether a host is the site's: by its own name, or by a wildcard where no other server has a name for it.
    fn have(&self, host: &str) -> bool {
        let covered = |by: &BTreeSet<String>| by.iter().any(|name| covers(name, host) == Some(true));
        let is_named = self.ours.iter().any(|name| name.eq_ignore_ascii_case(host));
        is_named || covered(&self.ours) && !covered(&self.others)
    }
}

/// A part of a key as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `http` or `https`.
    Scheme,
    /// Capital letters.
    Method,
    /// The name that the visitor asked for, or the server's own.
    Host,
    /// Anything.
    Other,
}

/// The form of a key, such as `$scheme$request_method$host$request_uri`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    parts: Vec<Part>,
}

impl Form {
    /// Reads it as nginx does: `$name` and `${name}` are variables.
    pub fn parse(text: &str) -> Form {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            if at > 0 {
                parts.push(Part::Text(rest[..at].to_owned()));
            }
            let after = &rest[at + 1..];
            let (name, left) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                Some(found) => found,
                None => after.split_at(after.find(|letter| !is_name(letter)).unwrap_or(after.len())),
            };
            parts.push(match name {
                "scheme" => Part::Scheme,
                "request_method" => Part::Method,
                "host" | "http_host" | "server_name" | "ssl_server_name" => Part::Host,
                _ => Part::Other,
            });
            rest = left;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Form { parts }
    }

    /// Whether the key says for which host it is: the host stands in it, and what comes before it has an end that can be seen.
    pub fn names_the_host(&self) -> bool {
        let host = self.parts.iter().position(|part| *part == Part::Host);
        host.is_some_and(|host| !self.parts[..host].contains(&Part::Other))
    }

    /// Whether a key of this form is for a host of the site's.
    pub fn is_of(&self, key: &str, names: &Names) -> bool {
        if !self.names_the_host() {
            return false;
        }
        // Where the next part may begin.
        let mut at = vec![0];
        for (number, part) in self.parts.iter().enumerate() {
            let mut next = Vec::new();
            for from in at {
                let rest = &key[from..];
                match part {
                    Part::Text(text) if rest.starts_with(text.as_str()) => next.push(from + text.len()),
                    Part::Scheme => {
                        next.extend(
                            ["http", "https"]
                                .iter()
                                .filter(|word| rest.starts_with(**word))
                                .map(|word| from + word.len()),
                        );
                    }
                    Part::Method => {
                        let length = rest.bytes().take_while(u8::is_ascii_uppercase).count();
                        next.extend((0..=length).map(|length| from + length));
                    }
                    Part::Host => {
                        let behind = match self.parts.get(number + 1) {
                            Some(Part::Text(text)) => Some(text.as_str()),
                            _ => None,
                        };
                        if begins_with_host(rest, behind, names) {
                            return true;
                        }
                    }
                    Part::Text(_) | Part::Other => {}
                }
            }
            at = next;
        }
        false
    }
}

/// Whether a text begins with a host of these names, and ends there or goes on with something that is no part of a name. `behind` is the
/// text that the form has there.
fn begins_with_host(text: &str, behind: Option<&str>, names: &Names) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let run = text.bytes().take_while(is_of_name).count();
    let host = text[..run].to_ascii_lowercase();
    // A text such as `-` or `.mobile` right behind the host looks like a part of it: the host is what comes before the last one. What
    // comes before an earlier one is the beginning of a longer host.
    let behind = behind.map(|text| &text[..text.bytes().take_while(is_of_name).count()]).unwrap_or_default();
    host.strip_suffix(&behind.to_ascii_lowercase()).is_some_and(|host| names.have(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            ours: ["shop.example", "www.shop.example", "*.tenant.example"].map(str::to_owned).into(),
            others: ["b.tenant.example".to_owned(), "*.example".to_owned()].into(),
        }
    }

    #[test]
    fn a_host_that_another_server_has_a_name_for_is_not_the_sites_by_a_wildcard() {
        let ours = |ours: &str, others: &str, host: &str| {
            let of = |names: &str| names.split_whitespace().map(str::to_owned).collect();
            Names { ours: of(ours), others: of(others) }.have(host)
        };
        assert!(ours("*.tenant.example", "other.example", "a.tenant.example"));
        assert!(!ours("*.tenant.example", "b.tenant.example", "b.tenant.example"));
        assert!(!ours("*.example", ".tenant.example", "b.tenant.example"));
        assert!(ours("shop.example", "*.example", "shop.example"));
    }

    #[test]
    fn keys_are_told_by_their_host_and_by_nothing_else() {
        let usual = Form::parse("$scheme$request_method$host$request_uri");
        let is_of = |key: &str| usual.is_of(key, &names());
        for key in ["httpGETshop.example/", "httpsHEADwww.shop.example/?a=b", "httpsGETSHOP.EXAMPLE/"] {
            assert!(is_of(key), "{key}");
        }
        for key in [
            "httpGETother.example/shop.example/",
            "httpGETmyshop.example/",
            "httpGETshop.example.evil.example/",
            "httpGETshop.examples/",
            "httpGETtenant.example/",
            "httpGETb.tenant.example/",
            "GETshop.example/",
            "",
        ] {
            assert!(!is_of(key), "{key}");
        }
    }

    #[test]
    fn texts_around_the_host_are_read() {
        let of = |form: &str, key: &str| Form::parse(form).is_of(key, &names());
        assert!(of("page:${host}-mobile$uri", "page:shop.example-mobile/"));
        assert!(!of("page:${host}-mobile$uri", "page:other.example-mobile/"));
        assert!(!of("page:${host}-mobile$uri", "page:shop.example-mobile.evil.example-mobile/"));
        assert!(!of("$host.$uri", "shop.example.evil.example./"));
        assert!(of("$host.$uri", "shop.example./"));
        assert!(of("$http_host$uri", "shop.example:8080/"));
        assert!(of("$server_name|$uri", "shop.example|/"));
        assert!(of("$host", "shop.example"));
    }

    #[test]
    fn a_form_without_a_host_or_with_anything_before_it_tells_nothing() {
        for form in
            ["$request_uri", "$request_uri$host", "$cookie_user|$host$uri", "$scheme$proxy_host$request_uri", ""]
        {
            assert!(!Form::parse(form).names_the_host(), "{form}");
            assert!(!Form::parse(form).is_of("shop.example", &names()), "{form}");
        }
    }
}
