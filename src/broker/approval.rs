//! What a second person has to approve before the broker begins it.
//!
//! A caller whose rules say so is refused once, with the name of its request. Somebody else approves that very request, and the
//! caller sends it again. An approval is of one user, one call and every word of it, and is good for one time.

use crate::api::Backup;
use crate::api::request::Request;
use crate::broker::audit;
use crate::broker::peer::Peer;
use crate::clock;
use crate::config::Config;
use crate::disk::{self, Durable};
use crate::error::{Code, Error, IoContext, Result};
use crate::path::Domain;
use crate::text;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a request waits, and how long it may be begun once it is approved, in seconds.
const WAITS: i64 = 24 * 3600;
const GOOD_FOR: i64 = 3600;
/// Requests of one user that may wait at once.
const MAX_OF_USER: usize = 256;
/// The same, of those that a user sends on behalf of one and the same: one customer of a panel keeps no other from asking.
const MAX_ON_BEHALF: usize = 8;
/// Longest request, in bytes of JSON, that waits: somebody has to read it.
const LONGEST: usize = 4096;
/// How far a clock may be ahead, in seconds.
const AHEAD: i64 = 60;

/// A request that waits for a second person, or has been approved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Approval {
    /// Its name: 24 hex digits of the digest of what it says.
    pub id: String,
    /// When it was sent first. Local time, RFC 3339.
    pub asked: String,
    /// Name of the caller's user, or its number.
    pub user: String,
    /// Number of the caller's user.
    pub uid: u32,
    /// For whom the caller says that it asks. Its word alone.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub on_behalf: String,
    /// Name of the call.
    pub call: String,
    /// The domain it is about.
    pub domain: Option<String>,
    /// What the call is asked for.
    pub request: Value,
    /// Who approved it, and when; missing while it waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approved: Option<Approved>,
}

/// Who approved a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Approved {
    /// The user's name.
    pub by: String,
    /// When. Local time, RFC 3339.
    pub at: String,
}

impl Approval {
    /// Of a request, as a caller sent it.
    ///
    /// # Errors
    /// `limit_exceeded` for one that nobody could read; `bad_request` for one that may be another by the time it is approved.
    pub fn of(peer: &Peer, on_behalf: &str, domain: Option<&Domain>, request: &Request) -> Result<Approval> {
        let mut asked = request.to_json()?;
        if let Some(asked) = asked.as_object_mut() {
            // Whether the caller waits for the end is no part of the deed.
            asked.remove("wait");
        }
        if matches!(request, Request::RestoreStart(restore) if restore.backup == Backup::default()) {
            let message = "`latest` may be another backup by the time it is approved";
            return Err(Error::new(Code::BadRequest, message).hint("Name the backup by its path."));
        }
        let on_behalf = audit::short(on_behalf);
        let said = json!([peer.uid, &on_behalf, request.name(), &asked]).to_string();
        if said.len() > LONGEST {
            let message = format!("a request of more than {LONGEST} bytes is too long for somebody to approve");
            return Err(Error::new(Code::LimitExceeded, message).hint("Name fewer paths and patterns."));
        }
        let digest = Sha256::digest(said.as_bytes());
        Ok(Approval {
            id: text::hex(&digest[..12]),
            asked: clock::rfc3339(),
            user: peer.user(),
            uid: peer.uid,
            on_behalf,
            call: request.name().to_owned(),
            domain: domain.map(|domain| domain.as_str().to_owned()),
            request: asked,
            approved: None,
        })
    }

    /// Uses the approval of this request up.
    ///
    /// # Errors
    /// `approval_required` naming it where nobody has approved it yet: it waits from now on. `busy` where too many wait; `io_failed`.
    pub fn take(self, config: &Config) -> Result<Taken> {
        let _lock = lock(config)?;
        let known = all(config)?;
        match known.iter().find(|other| other.id == self.id) {
            Some(other) if !self.says_the_same(other) => {
                return Err(Error::new(Code::Busy, "another request of this name waits for approval"));
            }
            Some(approved) if approved.approved.is_some() => {
                let path = path(config, &self.id);
                std::fs::remove_file(&path).doing(|| format!("remove {}", path.display()))?;
                return Ok(Taken(approved.clone()));
            }
            Some(_) => {}
            None => {
                let of_user = || known.iter().filter(|other| other.uid == self.uid);
                let alike = of_user().filter(|other| other.on_behalf == self.on_behalf).count();
                if alike >= MAX_ON_BEHALF || of_user().count() >= MAX_OF_USER {
                    return Err(Error::new(
                        Code::Busy,
                        format!("too many requests of {} wait for approval", self.user),
                    )
                    .hint("Have them approved, or wait a day."));
                }
                self.write(config)?;
            }
        }
        let message = format!("a second person has to approve this {} first", self.call);
        Err(Error::new(Code::ApprovalRequired, message)
            .hint(format!(
                "Ask an administrator to run `rocketvps-restore approve {}`, then send the same request again.",
                self.id
            ))
            .with("approval", self.id))
    }

    /// The name is not enough: who finds two requests with one name could have one approved and send the other.
    fn says_the_same(&self, other: &Approval) -> bool {
        (self.uid, &self.on_behalf, &self.call, &self.domain, &self.request)
            == (other.uid, &other.on_behalf, &other.call, &other.domain, &other.request)
    }

    fn write(&self, config: &Config) -> Result<()> {
        let written = serde_json::to_vec(self)
            .map_err(|error| Error::new(Code::Internal, format!("an approval cannot be written as JSON: {error}")))?;
        disk::write_file(&path(config, &self.id), &written, Durable::Whole)
    }

    /// Whether it is too old to be approved, or to be begun.
    fn is_over(&self, now: i64) -> bool {
        let (since, good_for) = match &self.approved {
            Some(approved) => (&approved.at, GOOD_FOR),
            None => (&self.asked, WAITS),
        };
        // One from the future would be good until then.
        since.parse::<jiff::Timestamp>().map_or(true, |since| !(-AHEAD..=good_for).contains(&(now - since.as_second())))
    }
}

/// An approval that is used up, unless what it was for did not begin.
#[derive(Debug)]
pub struct Taken(Approval);

impl Taken {
    /// Who approved it.
    pub fn by(&self) -> &str {
        self.0.approved.as_ref().map_or("", |approved| &approved.by)
    }

    /// Gives it back: nothing was begun with it.
    pub fn give_back(self, config: &Config) {
        // Where that fails, it has to be approved once more.
        let _ = lock(config).and_then(|_lock| self.0.write(config));
    }
}

/// Those that wait, and those that are approved and not yet begun; the oldest first. Those that are too old go.
///
/// # Errors
/// `forbidden`, `io_failed`.
pub fn all(config: &Config) -> Result<Vec<Approval>> {
    let folder = folder(config);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.doing(|| format!("list {}", folder.display()))?,
    };
    let now = jiff::Timestamp::now().as_second();
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.doing(|| format!("list {}", folder.display()))?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let Some(approval) = read(&path) else { continue };
        if approval.is_over(now) {
            let _ = std::fs::remove_file(&path);
        } else {
            found.push(approval);
        }
    }
    found.sort_by(|one: &Approval, other| one.asked.cmp(&other.asked));
    Ok(found)
}

/// Whoever approves, by all the numbers that are known of it: behind sudo(8) and its like it has two.
#[derive(Debug)]
pub struct Person {
    /// The user's name.
    pub name: String,
    /// The numbers of its user.
    pub uids: Vec<u32>,
}

impl Person {
    /// Who sits at the other end of a connection.
    pub fn of(peer: &Peer) -> Person {
        Person { name: peer.user(), uids: vec![peer.uid] }
    }
}

/// Approves a request that waits. `by` is somebody else than who sent it, and `may_see` it.
///
/// # Errors
/// `bad_request` where none of that name waits; `forbidden` for who sent it; `io_failed`.
pub fn approve(config: &Config, id: &str, by: &Person, may_see: impl Fn(&Approval) -> bool) -> Result<Approval> {
    let _lock = lock(config)?;
    let mut waiting = all(config)?.into_iter().filter(may_see);
    let mut approval = waiting.find(|approval| approval.id == id).ok_or_else(|| {
        Error::new(Code::BadRequest, format!("no request called {id} waits for approval"))
            .hint("`rocketvps-restore approve` lists those that do; they wait for a day.")
    })?;
    if by.uids.contains(&approval.uid) {
        return Err(Error::new(Code::Forbidden, format!("{} sent this request, and cannot approve it", by.name))
            .hint("A second person has to approve it."));
    }
    if let Some(approved) = &approval.approved {
        return Err(Error::new(Code::BadRequest, format!("{} has approved {id} already", approved.by))
            .hint("The caller may send the request now."));
    }
    approval.approved = Some(Approved { by: by.name.clone(), at: clock::rfc3339() });
    approval.write(config)?;
    Ok(approval)
}

/// Held while a request changes from one state to the next: an approval that is just being used up is not written anew.
fn lock(config: &Config) -> Result<File> {
    disk::private_folder(&folder(config))?;
    disk::lock_file(&folder(config).join("lock"), Duration::from_secs(5))
}

fn read(path: &Path) -> Option<Approval> {
    let mut text = Vec::new();
    disk::open_ours(path).ok()?.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn folder(config: &Config) -> PathBuf {
    config.paths.base.join("restore_approvals")
}

fn path(config: &Config, id: &str) -> PathBuf {
    folder(config).join(format!("{id}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(uid: u32) -> Person {
        Person { name: uid.to_string(), uids: vec![0, uid] }
    }

    fn asked(uid: u32, request: &Value) -> Approval {
        let peer = Peer { pid: 1, uid, groups: vec![uid] };
        let request = Request::parse("restore_start", &request.to_string()).unwrap();
        Approval::of(&peer, "", request.domain(), &request).unwrap()
    }

    #[test]
    fn an_approval_is_of_one_user_and_one_request_and_good_for_one_time() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let files = json!({"domain": "shop.example", "backup": "/b/one", "components": {"files": true}});
        let whole = json!({"domain": "shop.example", "backup": "/b/one"});
        let refused = asked(4711, &files).take(&config).unwrap_err();
        assert_eq!(refused.code, Code::ApprovalRequired);
        let id = refused.context["approval"].as_str().unwrap().to_owned();
        assert_eq!(approve(&config, &id, &person(4711), |_| true).unwrap_err().code, Code::Forbidden);
        assert_eq!(approve(&config, "0000000000000000", &person(1), |_| true).unwrap_err().code, Code::BadRequest);
        assert_eq!(asked(4711, &files).take(&config).unwrap_err().code, Code::ApprovalRequired);
        assert_eq!(approve(&config, &id, &person(1), |_| false).unwrap_err().code, Code::BadRequest);
        approve(&config, &id, &person(1), |_| true).unwrap();
        for other in [asked(4712, &files), asked(4711, &whole)] {
            assert_eq!(other.take(&config).unwrap_err().code, Code::ApprovalRequired);
        }
        let waiting =
            json!({"domain": "shop.example", "backup": "/b/one", "components": {"files": true}, "wait": true});
        let taken = asked(4711, &waiting).take(&config).unwrap();
        assert_eq!(taken.by(), "1");
        assert_eq!(asked(4711, &files).take(&config).unwrap_err().code, Code::ApprovalRequired);
        approve(&config, &id, &person(1), |_| true).unwrap();
        asked(4711, &files).take(&config).unwrap().give_back(&config);
        assert!(asked(4711, &files).take(&config).is_ok());
    }

    #[test]
    fn a_name_is_not_enough_and_what_cannot_be_read_or_may_change_is_not_approved() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let harmless = asked(4711, &json!({"domain": "shop.example", "backup": "/b/one"}));
        let other = asked(4711, &json!({"domain": "shop.example", "backup": "/b/two"}));
        assert_eq!(harmless.clone().take(&config).unwrap_err().code, Code::ApprovalRequired);
        approve(&config, &harmless.id, &person(1), |_| true).unwrap();
        assert_eq!(approve(&config, &harmless.id, &person(1), |_| true).unwrap_err().code, Code::BadRequest);
        let other = Approval { id: harmless.id.clone(), ..other };
        assert_eq!(other.take(&config).unwrap_err().code, Code::Busy);
        let of = |request: Value| {
            let request = Request::parse("restore_start", &request.to_string()).unwrap();
            Approval::of(&Peer { pid: 1, uid: 1, groups: vec![] }, "", request.domain(), &request).unwrap_err().code
        };
        assert_eq!(of(json!({"domain": "shop.example"})), Code::BadRequest);
        let long = json!({"domain": "shop.example", "backup": "/b/one", "exclude": {"files": ["x".repeat(LONGEST)]}});
        assert_eq!(of(long), Code::LimitExceeded);
    }

    #[test]
    fn what_waits_too_long_goes_and_nobody_fills_the_folder() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let of = |number: usize| json!({"domain": format!("shop{number}.example"), "backup": "/b/one"});
        for number in 0..MAX_ON_BEHALF {
            assert_eq!(asked(4711, &of(number)).take(&config).unwrap_err().code, Code::ApprovalRequired);
        }
        assert_eq!(asked(4711, &of(99)).take(&config).unwrap_err().code, Code::Busy);
        let other = Approval { on_behalf: "another customer".into(), id: "f".repeat(24), ..asked(4711, &of(98)) };
        assert_eq!(other.take(&config).unwrap_err().code, Code::ApprovalRequired);
        assert_eq!(asked(4712, &of(99)).take(&config).unwrap_err().code, Code::ApprovalRequired);
        let mut old = asked(4713, &of(1));
        old.asked = clock::at(jiff::Timestamp::now().as_second() - WAITS - 60).unwrap();
        old.write(&config).unwrap();
        let mut stale = asked(4713, &of(2));
        stale.approved = Some(Approved {
            by: "root".into(),
            at: clock::at(jiff::Timestamp::now().as_second() - GOOD_FOR - 60).unwrap(),
        });
        stale.write(&config).unwrap();
        let mut ahead = asked(4713, &of(3));
        ahead.approved = Some(Approved { by: "root".into(), at: "2100-01-01T00:00:00Z".into() });
        ahead.write(&config).unwrap();
        assert!(all(&config).unwrap().iter().all(|approval| approval.uid != 4713));
        assert_eq!(asked(4713, &of(2)).take(&config).unwrap_err().code, Code::ApprovalRequired);
    }
}
