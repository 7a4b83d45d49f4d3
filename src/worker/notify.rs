//! Telling somebody that a job ended: a program with the report on stdin, a webhook with the report as JSON.

use crate::api::answer::jobs::Notification;
use crate::config::Notify;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::guarded::{End, Guarded};
use crate::job::Kind;
use crate::job::ending::Ending;
use crate::job::ticket::Ticket;
use crate::progress::{Level, Monitor};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How long a program may take.
const PROGRAM: Duration = Duration::from_secs(30);
/// How long a webhook may take, from the look-up of its name to the last byte of its answer's head.
const WEBHOOK: Duration = Duration::from_secs(10);

/// Sends the ending of a restore or rollback to the program and the webhook of restore.toml. The job has ended by now, and its
/// state stays: a notification that failed is an event of the job and a line of its log.
pub fn send(ticket: &Ticket, ending: &Ending, monitor: &dyn Monitor) {
    if !matches!(ticket.kind, Kind::Restore | Kind::Rollback) {
        return;
    }
    for error in tell(&ticket.config.notify, &document(ticket, ending)) {
        monitor.event(Level::Warn, &format!("the end of the job was not told: {}. {}", error.message, error.hint));
    }
}

/// Tells the program and the webhook; gives the error of each that was not told.
pub fn tell(notify: &Notify, document: &str) -> Vec<Error> {
    let told = [
        (!notify.command.is_empty()).then(|| run(&notify.command, document)),
        (!notify.webhook.is_empty()).then(|| {
            let roots = if is_tls(&notify.webhook) { system_roots()? } else { Vec::new() };
            post(&notify.webhook, document, roots)
        }),
    ];
    told.into_iter().flatten().filter_map(Result::err).collect()
}

fn document(ticket: &Ticket, ending: &Ending) -> String {
    let notification = Notification {
        job: &ticket.job,
        kind: ticket.kind,
        domain: ticket.domain.as_ref(),
        state: ending.state(),
        result: ending.result(),
        error: ending.error(),
    };
    // It holds text and numbers: it can always be written.
    serde_json::to_string(&notification).unwrap_or_default()
}

fn run(command: &str, document: &str) -> Result<()> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let told = Guarded {
        program: Path::new(program),
        arguments: words.map(Into::into).collect(),
        input: document.as_bytes(),
        variables: Vec::new(),
        account: None,
        folder: Path::new("/"),
        time: PROGRAM,
        monitor: None,
    };
    let hint = "See `notify.command` of restore.toml.";
    let error = match told.run().doing(|| format!("run {program}")).map_err(|error| error.hint(hint))? {
        (End::Exited(0), _) => return Ok(()),
        (End::Exited(status), _) => Error::new(Code::IoFailed, format!("{program} ended with status {status}")),
        _ => Error::new(Code::TimedOut, format!("{program} did not end within {} seconds", PROGRAM.as_secs())),
    };
    Err(error.hint(hint))
}

fn is_tls(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|url| url.scheme_str() == Some("https"))
}

/// The certificate authorities that this machine trusts.
fn system_roots() -> Result<Vec<Certificate<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        return Err(Error::new(Code::TlsInvalid, "this machine trusts no certificate authority")
            .hint("Install the package `ca-certificates`."));
    }
    Ok(found.certs.iter().map(|root| Certificate::from_der(root).to_owned()).collect())
}

/// A URL often holds a secret, as those of chat services do: messages name its host only.
fn post(url: &str, document: &str, roots: Vec<Certificate<'static>>) -> Result<()> {
    let host = url.parse::<Uri>().ok().and_then(|url| url.host().map(str::to_owned)).unwrap_or_default();
    let refused = |why: String| {
        Error::new(Code::IoFailed, format!("the webhook at {host} did not take the report: {why}"))
            .hint("See `notify.webhook` of restore.toml.")
    };
    // The provider is named here: without that, the library would panic if it found none.
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::from(roots))
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(WEBHOOK))
        .http_status_as_error(false)
        // A redirected POST would come without its report, or go where nobody meant it to.
        .max_redirects(0)
        .build()
        .new_agent();
    let answer = agent.post(url).header("content-type", "application/json").send(document).map_err(|error| {
        refused(match error {
            ureq::Error::BadUri(_) => "this is no URL".into(),
            error => error.to_string(),
        })
    })?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(refused(format!("it answered with the HTTP status {}", status.as_u16()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::job::events::Events;
    use crate::job::folder::JobFolder;
    use crate::job::monitor::JobMonitor;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::process::Command;
    use std::thread::{JoinHandle, spawn};

    /// Takes one request and answers it with a status. Gives what came as its body.
    fn serve(mut stream: impl Read + Write, status: u16) -> std::io::Result<String> {
        let mut reader = BufReader::new(&mut stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        write!(stream, "HTTP/1.1 {status} \r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        stream.flush()?;
        Ok(String::from_utf8(body).unwrap())
    }

    /// A server of one request on a port of its own, which is given too.
    fn server(status: u16, tls: Option<Arc<ServerConfig>>) -> (u16, JoinHandle<std::io::Result<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = spawn(move || {
            let (stream, _) = listener.accept()?;
            match tls {
                None => serve(stream, status),
                Some(config) => serve(StreamOwned::new(ServerConnection::new(config).unwrap(), stream), status),
            }
        });
        (port, thread)
    }

    /// A certificate for 127.0.0.1 and its key, which no authority has signed.
    fn certificate(folder: &Path) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let settings = "[req]\ndistinguished_name=name\nx509_extensions=more\nprompt=no\n[name]\nCN=hook\n[more]\nsubjectAltName=IP:127.0.0.1\n";
        std::fs::write(folder.join("settings"), settings).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-config",
                "settings",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                "key",
                "-out",
                "certificate",
            ])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let certificate = CertificateDer::from_pem_file(folder.join("certificate")).unwrap();
        (certificate, PrivateKeyDer::from_pem_file(folder.join("key")).unwrap())
    }

    #[test]
    fn a_webhook_by_https_gets_the_report_from_whom_it_can_prove_itself_to() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(folder.path());
        let root = Certificate::from_der(&certificate).to_owned();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let (port, taken) = server(200, Some(config.clone()));
        post(&format!("https://127.0.0.1:{port}/hook"), "the report", vec![root.clone()]).unwrap();
        assert_eq!(taken.join().unwrap().unwrap(), "the report");

        for (host, roots) in [("127.0.0.1", system_roots().unwrap()), ("localhost", vec![root])] {
            let (port, taken) = server(200, Some(config.clone()));
            let error = post(&format!("https://{host}:{port}/secret"), "the report", roots).unwrap_err();
            assert!(error.message.contains(host) && error.message.contains("certificate"), "{error:?}");
            assert!(!error.message.contains("secret"), "{error:?}");
            assert!(taken.join().unwrap().is_err(), "the report was sent to a stranger");
        }
    }

    #[test]
    fn a_webhook_has_taken_the_report_when_it_says_so() {
        for (status, said) in [(200, None), (204, None), (302, Some("302")), (404, Some("404")), (500, Some("500"))] {
            let (port, taken) = server(status, None);
            let answer = post(&format!("http://127.0.0.1:{port}/secret"), "the report", Vec::new());
            assert_eq!(taken.join().unwrap().unwrap(), "the report");
            match (answer, said) {
                (Ok(()), None) => {}
                (Err(error), Some(said)) => {
                    assert!(error.message.contains(said) && !error.message.contains("secret"), "{error:?}");
                }
                (answer, _) => panic!("{status}: {answer:?}"),
            }
        }
    }

    #[test]
    fn a_program_gets_the_report_and_need_not_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let report = "the report ".repeat(100_000);
        run(&format!("cp /dev/stdin {}", folder.path().join("got").display()), &report).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("got")).unwrap(), report);
        run("true", &report).unwrap();
        for (command, said) in [("false", "false ended with status 1"), ("/nowhere/hook x", "run /nowhere/hook")] {
            let error = run(command, &report).unwrap_err();
            assert!(error.message.contains(said) && error.hint.contains("notify.command"), "{error:?}");
        }
    }

    #[test]
    fn whom_it_could_not_tell_is_an_event_of_the_job() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        config.notify.command = "false".into();
        config.notify.webhook = "http://127.0.0.1:9/secret".into();
        let ticket = Ticket::of_restore(config);
        let folder = JobFolder::create(&ticket).unwrap();
        let monitor = JobMonitor::new(&folder, &ticket, None, None).unwrap();
        send(&ticket, &Ending::Failed(Error::new(Code::Busy, "busy")), &monitor);
        let told: Vec<String> = Events::after(&folder, 0).more().into_iter().map(|event| event.message).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("false ended") && told[1].contains("127.0.0.1"), "{told:?}");
        assert!(!told[1].contains("secret"), "{told:?}");
    }
}
