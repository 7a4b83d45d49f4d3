//! The ticket of a job: the request and the config, as the worker uses them.

use crate::api::request::Request;
use crate::config::Config;
use crate::job::{JobId, Kind};
use crate::path::Domain;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// Version of what lies in a job's folder: of the ticket, and of every file there that names no version of its own.
pub const SCHEMA: u32 = 1;

/// The work of a worker, as `job.json`. The config is the one at the start; later changes of restore.toml do not touch it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Ticket {
    /// [`SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// The job.
    pub job: JobId,
    /// The work that the job does.
    pub kind: Kind,
    /// The domain, where it has one.
    pub domain: Option<Domain>,
    /// Start, RFC 3339.
    pub created: String,
    /// The request, already checked.
    #[serde(serialize_with = "write_request")]
    pub request: Request,
    /// The configuration.
    pub config: Config,
}

/// A ticket as it is written. Its kind says which request it holds.
#[derive(Deserialize)]
struct Written {
    schema: u32,
    job: JobId,
    kind: Kind,
    domain: Option<Domain>,
    created: String,
    request: Value,
    config: Config,
}

impl TryFrom<Written> for Ticket {
    type Error = serde_json::Error;

    fn try_from(written: Written) -> serde_json::Result<Ticket> {
        let Written { schema, job, kind, domain, created, request, config } = written;
        Ok(Ticket { schema, job, kind, domain, created, request: Request::of_job(kind, request)?, config })
    }
}

#[cfg(test)]
impl Ticket {
    /// Of a restore, for tests of what a worker does.
    pub fn of_restore(config: Config) -> Ticket {
        let request = Request::parse("restore_start", r#"{"domain":"example.com"}"#).unwrap();
        Ticket {
            schema: SCHEMA,
            job: JobId::new().unwrap(),
            kind: Kind::Restore,
            domain: None,
            created: String::new(),
            request,
            config,
        }
    }
}

fn write_request<S: Serializer>(request: &Request, serializer: S) -> Result<S::Ok, S::Error> {
    request.to_json().map_err(S::Error::custom)?.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_back_with_the_request_of_its_kind() {
        for (call, text) in [
            ("restore_start", r#"{"domain":"a.com","components":{"files":["x"]},"options":{"exact":true}}"#),
            ("restore_start", r#"{"domain":"a.com","dry_run":true}"#),
            ("validate", r#"{"domain":"a.com"}"#),
            ("rollback", r#"{"domain":"a.com","snapshot":"/s"}"#),
            ("preview_backup", r#"{"domain":"a.com","tree":{"depth":2}}"#),
            ("diff_backup", r#"{"domain":"a.com","limit":3}"#),
            ("create_snapshot", r#"{"domain":"a.com"}"#),
            ("delete_snapshot", r#"{"domain":"a.com","snapshot":"/s"}"#),
            ("verify", r#"{"domain":"a.com"}"#),
            ("cleanup", "{}"),
            ("recover", r#"{"domain":"a.com"}"#),
        ] {
            let request = Request::parse(call, text).unwrap();
            let ticket = Ticket {
                schema: 1,
                job: JobId::new().unwrap(),
                kind: request.kind().unwrap(),
                domain: request.domain().cloned(),
                created: String::new(),
                request,
                config: Config::default(),
            };
            let text = serde_json::to_string(&ticket).unwrap();
            let back: Ticket = serde_json::from_str(&text).unwrap();
            assert_eq!((back.kind, back.request.kind()), (ticket.kind, Some(ticket.kind)), "{call}");
            assert_eq!(serde_json::to_string(&back).unwrap(), text);
        }
    }
}
