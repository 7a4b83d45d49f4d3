//! The servers of nginx's configuration that answer for a domain. Pure.

use crate::siteconf::nginx::{Directive, answers_to, server_names};

/// The servers that answer for a domain, and all others, by their places in the configuration.
pub fn of(all: &[Directive], domain: &str) -> (Vec<usize>, Vec<usize>) {
    // Those of an `upstream` are machines.
    let is_server = |directive: &Directive| {
        let within = directive.parent.map(|parent| all[parent].name.as_str());
        directive.name == "server" && within != Some("upstream")
    };
    let servers: Vec<usize> =
        all.iter().enumerate().filter(|(_, directive)| is_server(directive)).map(|(at, _)| at).collect();
    // nginx prefers the name itself: then servers with a wildcard answer for others.
    let is_named = |server: usize| server_names(all, server).any(|name| name.eq_ignore_ascii_case(domain));
    let has_name = servers.iter().any(|server| is_named(*server));
    servers.into_iter().partition(|server| match has_name {
        true => is_named(*server),
        false => answers_to(all, *server, domain),
    })
}

/// The server that a directive stands in; none where it is said for all of them.
pub fn around(all: &[Directive], directive: &Directive) -> Option<usize> {
    let mut at = directive.parent;
    while let Some(parent) = at.filter(|parent| all[*parent].name != "server") {
        at = all[parent].parent;
    }
    at
}
