//! What callers may ask of the broker itself: its audit, and what waits for approval.

use crate::broker::access::{APPROVALS, APPROVE, AUDIT, Rights};
use crate::broker::approval::{self, Approval, Person};
use crate::broker::audit::{self, Line};
use crate::broker::peer::Peer;
use crate::call;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use serde::Deserialize;
use serde_json::{Value, json};

/// Lines of the audit in one answer.
const MAX_LINES: usize = 1000;

/// A call of the broker's own.
#[derive(Debug)]
pub enum Own {
    /// Who asked for what, the newest last.
    Audit(OfDomain),
    /// What waits for approval.
    Approvals(OfDomain),
    /// A second person's word.
    Approve(OfApproval),
}

/// Of a domain, or of every domain that the rules name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfDomain {
    domain: Option<Domain>,
}

/// A request that waits for approval.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfApproval {
    approval: String,
}

impl Own {
    /// Of a document; `None` where its call is one of the engine's.
    ///
    /// # Errors
    /// `bad_request`.
    pub fn parse(call: &str, request: &str) -> Result<Option<Own>> {
        let wrong =
            |error: serde_json::Error| Error::new(Code::BadRequest, format!("the request of {call} is wrong: {error}"));
        Ok(Some(match call {
            AUDIT => Own::Audit(serde_json::from_str(request).map_err(wrong)?),
            APPROVALS => Own::Approvals(serde_json::from_str(request).map_err(wrong)?),
            APPROVE => Own::Approve(serde_json::from_str(request).map_err(wrong)?),
            _ => return Ok(None),
        }))
    }

    /// Answers, and leaves in the line of the audit what it was about.
    ///
    /// # Errors
    /// `forbidden`, `bad_request`, `io_failed`.
    pub fn answer(&self, config: &Config, peer: &Peer, rights: &Rights, line: &mut Line) -> Result<Value> {
        match self {
            Own::Audit(asked) => {
                let domain = of(asked, rights, AUDIT, line)?;
                let lines = audit::lines(config, MAX_LINES, |seen| {
                    let seen = seen.domain.as_deref();
                    seen.is_some_and(|seen| domain.is_none_or(|domain| domain == seen) && rights.shows(AUDIT, seen))
                })?;
                Ok(json!({"calls": call::written(&lines)?}))
            }
            Own::Approvals(asked) => {
                let domain = of(asked, rights, APPROVALS, line)?;
                let mut waiting = approval::all(config)?;
                waiting.retain(|approval| {
                    approval
                        .domain
                        .as_deref()
                        .is_some_and(|seen| domain.is_none_or(|domain| domain == seen) && rights.shows(APPROVALS, seen))
                });
                Ok(json!({"approvals": call::written(&waiting)?}))
            }
            Own::Approve(asked) => {
                rights.require_call(APPROVE)?;
                let shown = |approval: &Approval| {
                    approval.domain.as_deref().is_some_and(|domain| rights.shows(APPROVE, domain))
                };
                let approval = approval::approve(config, &asked.approval, &Person::of(peer), shown)?;
                line.domain.clone_from(&approval.domain);
                Ok(json!({"approvals": [call::written(&approval)?]}))
            }
        }
    }
}

/// The domain that is asked about, which a rule has to name.
fn of<'a>(asked: &'a OfDomain, rights: &Rights, call: &str, line: &mut Line) -> Result<Option<&'a str>> {
    rights.require_call(call)?;
    let domain = asked.domain.as_ref().map(Domain::as_str);
    line.domain = domain.map(str::to_owned);
    match domain {
        Some(domain) if !rights.shows(call, domain) => {
            Err(rights.refusal(format!("no rule of it that has {call} has {domain} in `domains`")))
        }
        _ => Ok(domain),
    }
}
