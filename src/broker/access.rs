//! Who may what: `access.toml`. What no rule allows is refused; a wrong file refuses everybody.

use crate::api::request::Request;
use crate::broker::peer::{self, Peer};
use crate::broker::wish::{Component, Wish};
use crate::config::administrator_file;
use crate::error::{Code, Error, Result};
use globset::GlobBuilder;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The broker's own calls, beside those of the engine.
const OWN_CALLS: [&str; 3] = [AUDIT, APPROVALS, APPROVE];
/// Who asked for what.
pub const AUDIT: &str = "audit";
/// What waits for approval.
pub const APPROVALS: &str = "list_approvals";
/// A second person's word: the one call that `"*"` does not stand for. Whoever may ask for everything is not therefore that person.
pub const APPROVE: &str = "approve";

/// The rules of an access.toml.
#[derive(Debug)]
pub struct Access {
    rules: Vec<Rule>,
    path: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    rule: Vec<Rule>,
}

/// One `[[rule]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Keys")]
struct Rule {
    who: Who,
    domains: Vec<Pattern>,
    calls: Vec<CallWord>,
    components: Option<Vec<Component>>,
    options: Option<Vec<OptionWord>>,
    per_hour: Option<usize>,
    approval: bool,
}

#[derive(Debug, Clone)]
enum Who {
    User(String),
    Group(String),
}

/// A call by its name, or every call but `approve`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum CallWord {
    All,
    Call(String),
}

/// An option that a rule may list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct OptionWord(String);

/// A domain or a glob of domains.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Pattern {
    text: String,
    glob: globset::GlobMatcher,
}

/// A rule as it is written. Each word is read by itself, so that the line of a wrong one can be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    user: Option<String>,
    group: Option<String>,
    domains: Vec<Pattern>,
    calls: Vec<CallWord>,
    components: Option<Vec<Component>>,
    options: Option<Vec<OptionWord>>,
    per_hour: Option<usize>,
    #[serde(default)]
    approval: bool,
}

impl TryFrom<String> for CallWord {
    type Error = String;

    fn try_from(word: String) -> std::result::Result<CallWord, String> {
        if word == "*" {
            return Ok(CallWord::All);
        }
        let names = || Request::NAMES.iter().copied().chain(OWN_CALLS);
        if names().any(|name| name == word) {
            return Ok(CallWord::Call(word));
        }
        Err(format!("there is no call {word:?}; the calls are {}", names().collect::<Vec<_>>().join(", ")))
    }
}

impl TryFrom<String> for OptionWord {
    type Error = String;

    fn try_from(word: String) -> std::result::Result<OptionWord, String> {
        if Wish::OPTIONS.contains(&word.as_str()) {
            return Ok(OptionWord(word));
        }
        Err(format!("the option {word:?} cannot be allowed; those that can are {}", Wish::OPTIONS.join(", ")))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Pattern, String> {
        let glob = GlobBuilder::new(&text).case_insensitive(true).build();
        match glob {
            Ok(glob) => Ok(Pattern { glob: glob.compile_matcher(), text }),
            Err(error) => Err(format!("{text:?} is no pattern of domains: {}", error.kind())),
        }
    }
}

impl TryFrom<Keys> for Rule {
    type Error = String;

    fn try_from(keys: Keys) -> std::result::Result<Rule, String> {
        let Keys { user, group, domains, calls, components, options, per_hour, approval } = keys;
        let who = match (user, group) {
            (Some(user), None) => Who::User(user),
            (None, Some(group)) => Who::Group(group),
            _ => return Err("a rule has either `user` or `group`".into()),
        };
        Ok(Rule { who, domains, calls, components, options, per_hour, approval })
    }
}

impl Rule {
    fn is_of(&self, peer: &Peer) -> bool {
        match &self.who {
            Who::User(name) => peer::user_id(name) == Some(peer.uid),
            Who::Group(name) => peer::group_id(name).is_some_and(|group| peer.groups.contains(&group)),
        }
    }

    fn has_call(&self, call: &str) -> bool {
        self.calls.iter().any(|word| match word {
            CallWord::All => call != APPROVE,
            CallWord::Call(name) => *name == call,
        })
    }

    fn has_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|pattern| pattern.glob.is_match(domain))
    }

    fn has_every_domain(&self) -> bool {
        self.domains.iter().any(|pattern| pattern.text == "*")
    }
}

/// On what terms something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Restores and rollbacks of the domain within an hour; `None`: as many as there may be.
    pub per_hour: Option<usize>,
    /// Whether a second person has to approve a restore or rollback.
    pub approval: bool,
}

/// What the rules of one peer allow together.
#[derive(Debug)]
pub struct Rights<'a> {
    access: &'a Access,
    rules: Vec<&'a Rule>,
    who: String,
}

impl Access {
    /// Reads the file, which only root may write. There are no rights where it is not there.
    ///
    /// # Errors
    /// `config_invalid` with the line of what is wrong.
    pub fn read(path: &Path) -> Result<Access> {
        match administrator_file::read(path, Code::ConfigInvalid)? {
            Some(text) => Access::parse(&text, path),
            None => Ok(Access { rules: Vec::new(), path: path.to_owned() }),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Access> {
        let written: Written = toml::from_str(text).map_err(|error| {
            // Its line, and none of its text: whoever asks may read this.
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = before.matches('\n').count() + 1;
            Error::new(Code::ConfigInvalid, format!("{}, line {line}: {}", path.display(), error.message()))
                .hint("Nobody is let in until the administrator has mended it.")
                .with("line", line)
        })?;
        Ok(Access { rules: written.rule, path: path.to_owned() })
    }

    /// The rights of a peer: his rules and those of his groups, added up. Root is a user like any other here: it needs no broker.
    pub fn of(&self, peer: &Peer) -> Rights<'_> {
        let rules = self.rules.iter().filter(|rule| rule.is_of(peer)).collect();
        Rights { access: self, rules, who: peer.user() }
    }
}

impl Rights<'_> {
    /// Whether there is any rule.
    pub fn are_none(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether there is a rule with the call at all: who has none learns nothing of jobs and folders.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn require_call(&self, call: &str) -> Result<()> {
        if self.rules.is_empty() {
            return Err(self.refusal("no rule is of this user or of its groups".into()));
        }
        if !self.rules.iter().any(|rule| rule.has_call(call)) {
            return Err(self.refusal(format!("no rule of it has {call} in `calls`")));
        }
        Ok(())
    }

    /// Whether all of this is allowed, and on what terms.
    ///
    /// # Errors
    /// `forbidden`, naming what is missing and the file.
    pub fn require(&self, wish: &Wish) -> Result<Terms> {
        self.require_call(wish.call)?;
        let covers = |rule: &Rule| match &wish.domain {
            Some(domain) => rule.has_domain(domain.as_str()),
            // An answer about every domain is cut to those that the rules name; what changes them all wants all.
            None => wish.is_filtered || rule.has_every_domain(),
        };
        let rules: Vec<&Rule> =
            self.rules.iter().copied().filter(|rule| rule.has_call(wish.call) && covers(rule)).collect();
        if rules.is_empty() {
            let domain = wish.domain.as_ref().map_or("every domain, \"*\",", |domain| domain.as_str());
            return Err(self.refusal(format!("no rule of it that has {} has {domain} in `domains`", wish.call)));
        }
        if let Some(missing) = missing(&rules, wish) {
            return Err(self.refusal(missing));
        }
        // Rules add up: one without a limit has none for them all, and what those allow that want no approval needs none.
        let limits: Option<Vec<usize>> = rules.iter().map(|rule| rule.per_hour).collect();
        let free: Vec<&Rule> = rules.iter().copied().filter(|rule| !rule.approval).collect();
        Ok(Terms {
            per_hour: limits.and_then(|limits| limits.into_iter().max()),
            approval: free.is_empty() || missing(&free, wish).is_some(),
        })
    }

    /// Whether a domain may be named in an answer to this call.
    pub fn shows(&self, call: &str, domain: &str) -> bool {
        self.rules.iter().any(|rule| rule.has_call(call) && rule.has_domain(domain))
    }

    /// A refusal that says which file would have to allow it.
    pub fn refusal(&self, why: String) -> Error {
        let path = self.access.path.display().to_string();
        Error::new(Code::Forbidden, format!("{} does not let {} do this: {why}", path, self.who))
            .hint(format!("Ask the administrator for a [[rule]] in {path}, or run it as root."))
            .with("path", path)
    }
}

/// The first thing of a wish that no rule allows.
fn missing(rules: &[&Rule], wish: &Wish) -> Option<String> {
    let allowed =
        |component| rules.iter().any(|rule| rule.components.as_ref().is_none_or(|listed| listed.contains(component)));
    if let Some(component) = wish.components.iter().find(|component| !allowed(component)) {
        let word = component.word();
        return Some(format!("no rule of it has {word} in `components`: name the components that are wanted"));
    }
    let allowed = |option: &str| {
        let unlisted = !Wish::LISTED.contains(&option);
        let lists = |listed: &Vec<OptionWord>| listed.iter().any(|word| word.0 == option);
        rules.iter().any(|rule| rule.options.as_ref().map_or(unlisted, lists))
    };
    let option = wish.options.iter().find(|option| !Wish::OPTIONS.contains(option) || !allowed(option))?;
    Some(match Wish::OPTIONS.contains(option) {
        true => format!("no rule of it has {option} in `options`"),
        false => format!("{option} is for root alone"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Domain;

    const RULES: &str = r#"
        [[rule]]
        user = "4711"
        domains = ["shop.example", "*.customer.example"]
        calls = ["list_backups", "restore_start"]
        components = ["files"]
        per_hour = 4

        [[rule]]
        group = "4712"
        domains = ["shop.example"]
        calls = ["restore_start"]
        components = ["database"]
        options = ["exact"]
        per_hour = 2

        [[rule]]
        user = "4713"
        domains = ["*"]
        calls = ["*"]
    "#;

    fn access() -> Access {
        Access::parse(RULES, Path::new("/etc/access.toml")).unwrap()
    }

    fn peer(uid: u32, groups: &[u32]) -> Peer {
        Peer { pid: 1, uid, groups: groups.to_vec() }
    }

    fn wish(call: &'static str, domain: Option<&str>) -> Wish {
        Wish { call, domain: domain.map(|domain| Domain::parse(domain).unwrap()), ..Wish::default() }
    }

    fn refused(peer: &Peer, wish: &Wish) -> String {
        let access = access();
        let error = access.of(peer).require(wish).unwrap_err();
        assert_eq!(error.code, Code::Forbidden);
        assert!(error.message.contains("/etc/access.toml") && error.hint.contains("/etc/access.toml"), "{error:?}");
        error.message
    }

    #[test]
    fn what_no_rule_allows_is_refused() {
        let tenant = peer(4711, &[4711]);
        assert_eq!(
            access().of(&tenant).require(&wish("list_backups", Some("shop.example"))).unwrap().per_hour,
            Some(4)
        );
        assert!(access().of(&tenant).require(&wish("list_backups", Some("a.customer.example"))).is_ok());
        for other in ["customer.example", "evil-customer.example", "shop.example.org", "xshop.example"] {
            assert!(refused(&tenant, &wish("list_backups", Some(other))).contains("`domains`"));
        }
        assert!(refused(&tenant, &wish("rollback", Some("shop.example"))).contains("rollback in `calls`"));
        assert!(refused(&peer(4714, &[4714]), &wish("list_backups", Some("shop.example"))).contains("no rule is of"));
        assert!(refused(&peer(0, &[0]), &wish("list_backups", Some("shop.example"))).contains("no rule is of"));
        assert!(refused(&tenant, &wish("list_backups", None)).contains("\"*\""));
        assert!(access().of(&peer(4713, &[])).require(&wish("recover", None)).is_ok());
    }

    #[test]
    fn rules_add_up() {
        let both = peer(4711, &[4711, 4712]);
        let mut wanted = wish("restore_start", Some("shop.example"));
        wanted.components = vec![Component::Files, Component::Database];
        assert_eq!(access().of(&both).require(&wanted).unwrap().per_hour, Some(4));
        assert!(refused(&peer(4711, &[]), &wanted).contains("database in `components`"));
        wanted.components.push(Component::Config);
        assert!(refused(&both, &wanted).contains("config in `components`"));
        let database = peer(4715, &[4712]);
        let mut exact = wish("restore_start", Some("shop.example"));
        exact.options = vec!["exact"];
        assert_eq!(access().of(&database).require(&exact).unwrap().per_hour, Some(2));
        exact.options = vec!["allow_orphans"];
        assert!(refused(&database, &exact).contains("allow_orphans in `options`"));
        exact.options = vec!["allow_unsafe_config"];
        assert!(refused(&peer(4713, &[]), &exact).contains("root alone"));
    }

    #[test]
    fn rows_are_shown_to_those_alone_whose_rule_lists_them() {
        let mut rows = wish("diff_backup", Some("shop.example"));
        rows.options = vec!["rows"];
        // Every call, and no list of options.
        assert!(refused(&peer(4713, &[]), &rows).contains("rows in `options`"));
        let rules = "[[rule]]\nuser = \"4711\"\ndomains = [\"*\"]\ncalls = [\"*\"]\n\
            [[rule]]\nuser = \"4711\"\ndomains = [\"shop.example\"]\ncalls = [\"diff_backup\"]\noptions = [\"rows\"]\n";
        let access = Access::parse(rules, Path::new("/etc/access.toml")).unwrap();
        assert!(access.of(&peer(4711, &[])).require(&rows).is_ok());
        rows.domain = Some(Domain::parse("other.example").unwrap());
        assert!(access.of(&peer(4711, &[])).require(&rows).is_err());
    }

    #[test]
    fn what_a_rule_without_approval_allows_needs_none() {
        let rules = "[[rule]]\nuser = \"4711\"\ndomains = [\"*\"]\ncalls = [\"*\"]\napproval = true\n\
            [[rule]]\nuser = \"4711\"\ndomains = [\"shop.example\"]\ncalls = [\"restore_start\"]\ncomponents = [\"files\"]\n";
        let access = Access::parse(rules, Path::new("/etc/access.toml")).unwrap();
        let tenant = peer(4711, &[]);
        let needs = |wish: &Wish| access.of(&tenant).require(wish).unwrap().approval;
        let mut wanted = wish("restore_start", Some("shop.example"));
        wanted.components = vec![Component::Files];
        assert!(!needs(&wanted));
        wanted.components.push(Component::Database);
        assert!(needs(&wanted));
        wanted.components = vec![Component::Files];
        wanted.domain = Some(Domain::parse("other.example").unwrap());
        assert!(needs(&wanted));
    }

    #[test]
    fn a_wrong_file_refuses_everybody_and_says_its_line() {
        for (wrong, words) in [
            ("[[rule]]\nuser = \"a\"\ngroup = \"b\"\ndomains = []\ncalls = []\n", "either `user` or `group`"),
            ("[[rule]]\nuser = \"a\"\ndomains = []\ncalls = [\"restore_everything\"]\n", "restore_everything"),
            ("[[rule]]\nuser = \"a\"\ndomains = [\"[\"]\ncalls = []\n", "no pattern"),
            (
                "[[rule]]\nuser = \"a\"\ndomains = []\ncalls = []\noptions = [\"allow_unsafe_config\"]\n",
                "cannot be allowed",
            ),
            ("[[rule]]\nuser = \"a\"\ndomains = []\ncalls = []\ncomponents = [\"mail\"]\n", "mail"),
            ("[[rule]]\nuser = \"a\"\ndomains = []\ncalls = []\nper_day = 1\n", "per_day"),
            ("[[rule]]\nuser = \"a\"\ncalls = []\n", "domains"),
            ("[[rules]]\n", "rules"),
        ] {
            let error = Access::parse(wrong, Path::new("/etc/access.toml")).unwrap_err();
            assert_eq!(error.code, Code::ConfigInvalid, "{wrong}");
            assert!(error.message.contains(words) && error.message.contains("line "), "{}", error.message);
        }
    }
}
