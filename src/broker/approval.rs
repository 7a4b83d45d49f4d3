//! What a second person has to approve before the broker begins it.
//!
//! A caller whose rules say so is refused once, with the name of its request. Somebody else approves that very request, and the
//! caller sends it again. A request is known by its digest, so an approval is of one user, one call and every word of it, and is good for
//! one time.

use crate::api::request::Request;
use crate::broker::peer::Peer;
use crate::clock;
use crate::config::Config;
use crate::disk::{self, Durable};
use crate::error::{Code, Error, IoContext, Result};
use crate::path::Domain;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// How long a request waits, and how long it may be begun once it is approved, in seconds.
const WAITS: i64 = 24 * 3600;
const GOOD_FOR: i64 = 3600;
/// Requests of one user that may wait at once.
const MAX_OF_USER: usize = 32;

/// A request that waits for a second person, or has been approved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Approval {
    /// Its name: 16 hex digits of the digest of user, call and request.
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
    /// `internal` when the request cannot be written.
    pub fn of(peer: &Peer, on_behalf: &str, domain: Option<&Domain>, request: &Request) -> Result<Approval> {
        let mut asked = request.to_json()?;
        if let Some(asked) = asked.as_object_mut() {
            // Whether the caller waits for the end is no part of the deed.
            asked.remove("wait");
        }
        let said = format!("{}\n{}\n{asked}", peer.uid, request.name());
        let digest = Sha256::digest(said.as_bytes());
        Ok(Approval {
            id: digest[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            asked: clock::rfc3339(),
            user: peer.user(),
            uid: peer.uid,
            on_behalf: on_behalf.to_owned(),
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
        let known = all(config)?;
        let path = path(config, &self.id);
        if let Some(approved) = known.iter().find(|other| other.id == self.id && other.approved.is_some()) {
            std::fs::remove_file(&path).doing(|| format!("remove {}", path.display()))?;
            return Ok(Taken(approved.clone()));
        }
        if !known.iter().any(|other| other.id == self.id) {
            if known.iter().filter(|other| other.uid == self.uid).count() >= MAX_OF_USER {
                return Err(Error::new(
                    Code::Busy,
                    format!("{MAX_OF_USER} requests of {} wait for approval", self.user),
                )
                .hint("Have them approved, or wait a day."));
            }
            self.write(config)?;
        }
        let message = format!("a second person has to approve this {} first", self.call);
        Err(Error::new(Code::ApprovalRequired, message)
            .hint(format!(
                "Ask an administrator to run `rocketvps-restore approve {}`, then send the same request again.",
                self.id
            ))
            .with("approval", self.id))
    }

    fn write(&self, config: &Config) -> Result<()> {
        let text = serde_json::to_vec(self)
            .map_err(|error| Error::new(Code::Internal, format!("an approval cannot be written as JSON: {error}")))?;
        disk::private_folder(&folder(config))?;
        disk::write_file(&path(config, &self.id), &text, Durable::Whole)
    }

    /// Whether it is too old to be approved, or to be begun.
    fn is_over(&self, now: i64) -> bool {
        let age = |then: &str| then.parse::<jiff::Timestamp>().map_or(i64::MAX, |then| now - then.as_second());
        match &self.approved {
            Some(approved) => age(&approved.at) > GOOD_FOR,
            None => age(&self.asked) > WAITS,
        }
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
        let _ = self.0.write(config);
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

/// Approves a request that waits. `by` is somebody else than who sent it, and `may_see` it.
///
/// # Errors
/// `bad_request` where none of that name waits; `forbidden` for who sent it; `io_failed`.
pub fn approve(config: &Config, id: &str, by: (u32, &str), may_see: impl Fn(&Approval) -> bool) -> Result<Approval> {
    let mut waiting = all(config)?.into_iter().filter(may_see);
    let mut approval = waiting.find(|approval| approval.id == id).ok_or_else(|| {
        Error::new(Code::BadRequest, format!("no request called {id} waits for approval"))
            .hint("`rocketvps-restore approve` lists those that do; they wait for a day.")
    })?;
    if approval.uid == by.0 {
        return Err(Error::new(Code::Forbidden, format!("{} sent this request, and cannot approve it", by.1))
            .hint("A second person has to approve it."));
    }
    approval.approved = Some(Approved { by: by.1.to_owned(), at: clock::rfc3339() });
    approval.write(config)?;
    Ok(approval)
}

fn read(path: &Path) -> Option<Approval> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
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
    use serde_json::json;

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
        let files = json!({"domain": "shop.example", "components": {"files": true}});
        let whole = json!({"domain": "shop.example"});
        let refused = asked(4711, &files).take(&config).unwrap_err();
        assert_eq!(refused.code, Code::ApprovalRequired);
        let id = refused.context["approval"].as_str().unwrap().to_owned();
        assert_eq!(approve(&config, &id, (4711, "tenant"), |_| true).unwrap_err().code, Code::Forbidden);
        assert_eq!(approve(&config, "0000000000000000", (0, "root"), |_| true).unwrap_err().code, Code::BadRequest);
        assert_eq!(asked(4711, &files).take(&config).unwrap_err().code, Code::ApprovalRequired);
        assert_eq!(approve(&config, &id, (0, "root"), |_| false).unwrap_err().code, Code::BadRequest);
        approve(&config, &id, (0, "root"), |_| true).unwrap();
        for other in [asked(4712, &files), asked(4711, &whole)] {
            assert_eq!(other.take(&config).unwrap_err().code, Code::ApprovalRequired);
        }
        let waiting = json!({"domain": "shop.example", "components": {"files": true}, "wait": true});
        let taken = asked(4711, &waiting).take(&config).unwrap();
        assert_eq!(taken.by(), "root");
        assert_eq!(asked(4711, &files).take(&config).unwrap_err().code, Code::ApprovalRequired);
        approve(&config, &id, (0, "root"), |_| true).unwrap();
        asked(4711, &files).take(&config).unwrap().give_back(&config);
        assert!(asked(4711, &files).take(&config).is_ok());
    }

    #[test]
    fn what_waits_too_long_goes_and_nobody_fills_the_folder() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let of = |number: usize| json!({"domain": format!("shop{number}.example")});
        for number in 0..MAX_OF_USER {
            assert_eq!(asked(4711, &of(number)).take(&config).unwrap_err().code, Code::ApprovalRequired);
        }
        assert_eq!(asked(4711, &of(99)).take(&config).unwrap_err().code, Code::Busy);
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
        assert!(all(&config).unwrap().iter().all(|approval| approval.uid != 4713));
        assert_eq!(asked(4713, &of(2)).take(&config).unwrap_err().code, Code::ApprovalRequired);
    }
}
