//! Asks a staged site for a page along its own redirects: its PHP over FastCGI, as its web server would, or its web server.

use super::lead;
use crate::engine::posts::Before;
use crate::host::cell::web;
use crate::host::services::Services;
use crate::host::services::fastcgi::Reply;
use crate::host::tree;
use crate::path::RelPath;
use crate::siteconf::Listen;
use rustix::fs::{FileType, OFlags};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Most characters of an address that is followed or shown.
const MAX_LOCATION: usize = 2 << 10;

/// Who asks.
pub struct Visitor<'a> {
    /// The machine's way to ask.
    pub services: &'a Services,
    /// Where the staged site answers.
    pub socket: Socket<'a>,
    /// The site's name.
    pub domain: &'a str,
    /// The staged tree, and the path that it has for the site.
    pub tree: &'a Path,
    /// See `tree`.
    pub live: &'a Path,
    /// The folder that a web server shows, as the site sees it.
    pub served: &'a Path,
    /// The settings that lead the site.
    pub parameter: &'a str,
    /// What the live web server tells the site besides.
    pub given: &'a [(String, String)],
    /// When there is no more time.
    pub until: Instant,
}

/// What of a staged site is asked, at its socket.
#[derive(Debug, Clone, Copy)]
pub enum Socket<'a> {
    /// PHP.
    Php(&'a Path),
    /// The web server, and PHP behind it.
    Web(&'a Path),
}

/// A page that was asked for, and what came.
#[derive(Debug, Default)]
pub struct Asked {
    /// Its name in the report.
    pub name: String,
    /// The address of the last page, below the domain.
    pub path: String,
    /// Status code; `None`: no answer came, for the reason in `errors`.
    pub status: Option<u16>,
    /// Where it redirects to in the end, if that is no page of its own.
    pub away: Option<String>,
    /// The page.
    pub body: String,
    /// PHP's messages.
    pub errors: String,
    /// The web server was asked for it.
    pub by_web: bool,
    /// It says when to come again.
    pub comes_again: bool,
    /// Text that it has to hold; empty: any.
    pub text: String,
    /// Words of the title of the post that it shows; empty: not known.
    pub title: String,
    /// Words that only the staged state has.
    pub marks: Vec<String>,
    /// A price that the live tables have otherwise.
    pub price: Option<String>,
    /// What the live tables have in the place of the post.
    pub before: Before,
    /// From the first question to the last byte.
    pub millis: u64,
}

/// Where a redirect leads.
#[derive(Debug, PartialEq, Eq)]
enum To {
    Own { host: String, path: String, secure: bool },
    Other,
}

impl Visitor<'_> {
    /// Asks for a page.
    pub fn ask(&self, name: &str, path: &str, secure: bool) -> Asked {
        let began = Instant::now();
        let (mut host, mut path, mut secure) = (self.domain.to_owned(), path.to_owned(), secure);
        let by_web = matches!(self.socket, Socket::Web(_));
        let mut asked = Asked { name: name.to_owned(), by_web, ..Asked::default() };
        for _ in 0..=MAX_REDIRECTS {
            asked.path.clone_from(&path);
            let reply = match self.request(&host, &path, secure) {
                Ok(reply) => reply,
                Err(error) => {
                    asked.errors.push_str(&error.to_string());
                    asked.status = None;
                    break;
                }
            };
            asked.status = Some(reply.status());
            asked.errors.push_str(&String::from_utf8_lossy(&reply.err));
            asked.body = String::from_utf8_lossy(reply.body()).into_owned();
            asked.comes_again = reply.header("Retry-After").is_some();
            asked.away = None;
            let location = reply.header("Location").filter(|_| (300..400).contains(&reply.status()));
            let Some(location) = location else { break };
            let location: String = location.chars().take(MAX_LOCATION).collect();
            match resolve(&location, (&host, &path), secure, self.domain) {
                To::Own { host: there, path: next, secure: now } => {
                    asked.away = Some(next.clone());
                    // WordPress without its tables sends everybody to its installer, and a page may lead to itself.
                    if is_of_wordpress(&next).is_some() || (next == path && now == secure && there == host) {
                        break;
                    }
                    (host, path, secure) = (there, next, now);
                }
                To::Other => {
                    asked.away = Some(location);
                    break;
                }
            }
        }
        asked.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        asked
    }

    /// The bytes that the web server gives for a file, where it gives any.
    pub fn file(&self, path: &str, secure: bool) -> Option<Vec<u8>> {
        let reply = self.request(self.domain, path, secure).ok()?;
        (reply.status() == 200).then(|| reply.body().to_vec())
    }

    fn request(&self, host: &str, path: &str, secure: bool) -> std::io::Result<Reply> {
        let time = self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let socket = match self.socket {
            Socket::Php(socket) => socket,
            Socket::Web(socket) => {
                let mut headers = vec![(web::LED, self.parameter)];
                if secure {
                    headers.push((web::SECURE, "on"));
                }
                return self.services.ask_web(&Listen::Unix(socket.to_owned()), path, host, &headers, time);
            }
        };
        let name_of_server = host.split(':').next().unwrap_or(host);
        let (name, query) = path.split_once('?').unwrap_or((path, ""));
        let script = self.script(name);
        let file = self.served.join(&script);
        let script = format!("/{}", script.display());
        let (file, served) = (file.display().to_string(), self.served.display().to_string());
        let (scheme, port) = if secure { ("https", "443") } else { ("http", "80") };
        let mut params = vec![
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", "GET"),
            ("REQUEST_SCHEME", scheme),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("SERVER_SOFTWARE", "nginx"),
            ("SCRIPT_FILENAME", &file),
            ("SCRIPT_NAME", &script),
            ("REQUEST_URI", path),
            ("DOCUMENT_URI", &script),
            ("DOCUMENT_ROOT", &served),
            ("QUERY_STRING", query),
            ("CONTENT_TYPE", ""),
            ("CONTENT_LENGTH", ""),
            ("REMOTE_ADDR", "127.0.0.1"),
            ("REMOTE_PORT", "40000"),
            ("SERVER_ADDR", "127.0.0.1"),
            ("SERVER_PORT", port),
            ("SERVER_NAME", name_of_server),
            ("HTTP_HOST", host),
            ("HTTP_USER_AGENT", "rocketvps-restore rehearsal"),
            ("HTTP_ACCEPT", "text/html,*/*;q=0.8"),
            ("REDIRECT_STATUS", "200"),
            (lead::PARAMETER, self.parameter),
        ];
        if secure {
            params.push(("HTTPS", "on"));
        }
        for (name, value) in self.given {
            if !params.iter().any(|(known, _)| known == name) {
                params.push((name, value));
            }
        }
        self.services.ask(&Listen::Unix(socket.to_owned()), &params, time)
    }

    /// Whether an address is for PHP to answer: a file that is no script is the web server's.
    pub fn is_of_php(&self, address: &str) -> bool {
        let name = address.split('?').next().unwrap_or_default().trim_matches('/');
        name.is_empty() || name.ends_with(".php") || !self.is_file(Path::new(name))
    }

    /// The script of an address, below the folder that is shown: its own file where it names one, else the site's first one.
    fn script(&self, address: &str) -> PathBuf {
        let named = address.trim_matches('/');
        let own = match named.ends_with(".php") {
            true => PathBuf::from(named),
            false => Path::new(named).join("index.php"),
        };
        if self.is_file(&own) { own } else { PathBuf::from("index.php") }
    }

    /// Whether a file is there, below the folder that is shown.
    fn is_file(&self, name: &Path) -> bool {
        let inner = self.served.strip_prefix(self.live).unwrap_or(Path::new(""));
        let path = RelPath::parse(inner.join(name).as_os_str().as_bytes()).ok();
        let file = tree::open_folder(self.tree).ok().zip(path).and_then(|(tree, path)| {
            let file = tree::open_beneath(tree.as_fd(), &path, OFlags::PATH).ok()?;
            rustix::fs::fstat(file).ok()
        });
        file.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    }
}

/// The pages to which WordPress leads everybody who finds it unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordPress {
    /// It finds no site in its tables.
    Installer,
    /// It finds no wp-config.php.
    Settings,
}

/// Which of them it is.
pub fn is_of_wordpress(path: &str) -> Option<WordPress> {
    let is = |name: &str| path.split(['?', '#']).next().unwrap_or_default().ends_with(name);
    match () {
        () if is("/wp-admin/install.php") => Some(WordPress::Installer),
        () if is("/wp-admin/setup-config.php") => Some(WordPress::Settings),
        () => None,
    }
}

fn resolve(location: &str, (at, from): (&str, &str), secure: bool, domain: &str) -> To {
    let bare = |host: &str| {
        host.split(':').next().unwrap_or_default().to_ascii_lowercase().trim_start_matches("www.").to_owned()
    };
    let location = location.split('#').next().unwrap_or_default();
    let absolute = match location.strip_prefix("//") {
        Some(rest) => Some((secure, rest)),
        None => location
            .strip_prefix("https://")
            .map(|rest| (true, rest))
            .or_else(|| location.strip_prefix("http://").map(|rest| (false, rest))),
    };
    match absolute {
        Some((secure, rest)) => {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if bare(host) != bare(domain) {
                return To::Other;
            }
            let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            To::Own { host: host.to_ascii_lowercase(), path, secure }
        }
        None if location.starts_with('/') => To::Own { host: at.to_owned(), path: location.to_owned(), secure },
        None => {
            let folder = from.split('?').next().unwrap_or_default().rsplit_once('/').map_or("", |(folder, _)| folder);
            To::Own { host: at.to_owned(), path: format!("{folder}/{location}"), secure }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_of_the_sites_own_are_followed_and_no_others() {
        let own = |host: &str, path: &str, secure| To::Own { host: host.into(), path: path.into(), secure };
        for (location, to) in [
            ("https://shop.example/a?b", own("shop.example", "/a?b", true)),
            ("http://WWW.shop.example:8080", own("www.shop.example:8080", "/", false)),
            ("//shop.example/x#y", own("shop.example", "/x", true)),
            ("/a", own("www.shop.example", "/a", true)),
            ("b", own("www.shop.example", "/c/b", true)),
            ("https://login.example.org/", To::Other),
            ("https://shop.example.evil.org/", To::Other),
        ] {
            assert_eq!(resolve(location, ("www.shop.example", "/c/d?e=/f"), true, "shop.example"), to, "{location}");
        }
    }
}
