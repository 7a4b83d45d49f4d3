//! Judges the configuration of a backup before anything is installed.

use super::{ConfFile, Item, cron, guard, nginx, pool, tls, zone};
use crate::config::Config;
use crate::error::Code;
use crate::path::Domain;
use crate::text::printable;
use serde::Serialize;

/// Outcome of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In order.
    Pass,
    /// Works, but the operator should know.
    Warn,
    /// Is not installed.
    Fail,
}

/// One thing found about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The item it is about.
    pub item: Item,
    /// How grave it is.
    pub verdict: Verdict,
    /// Names the file and the reason.
    pub message: String,
    /// Error code of a failure.
    pub code: Option<Code>,
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, item: Item, verdict: Verdict, code: Option<Code>, message: String) {
        self.0.push(Finding { item, verdict, message: printable(&message), code });
    }
    fn pass(&mut self, item: Item, message: String) {
        self.add(item, Verdict::Pass, None, message);
    }
    fn warn(&mut self, item: Item, message: String) {
        self.add(item, Verdict::Warn, None, message);
    }
    fn fail(&mut self, item: Item, code: Code, message: String) {
        self.add(item, Verdict::Fail, Some(code), message);
    }
}

/// Checks every file by itself and the certificates with their keys, at the time `now` (seconds since 1970).
/// The live files beside the targets are read; nothing is written.
pub fn check(files: &[ConfFile], config: &Config, domain: &Domain, now: i64) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    let pool = files.iter().find(|file| file.item == Item::PhpFpm).map(|file| file.content.as_slice());
    for file in files {
        let live = std::fs::read(&file.target).ok();
        let scene = guard::Scene { config, domain, live: live.as_deref(), target: &file.target, pool };
        let unsafe_lines = guard::judge(file.item, &file.content, &scene);
        for line in &unsafe_lines {
            findings.fail(file.item, Code::UnsafeConfig, format!("{}: {line}", file.name));
        }
        let said = match file.item {
            Item::Nginx => {
                for line in zone::changed(live.as_deref().unwrap_or_default(), &file.content) {
                    findings.fail(file.item, Code::ConfigRejected, format!("{}: {line}", file.name));
                }
                check_site(file, domain, &mut findings)
            }
            Item::PhpFpm => check_pool(file, &mut findings),
            Item::Cron => check_cron(file, &mut findings),
            Item::Ssl => Ok(()),
        };
        if let Err(why) = said {
            findings.fail(file.item, Code::ConfigRejected, format!("{}: {why}", file.name));
        }
    }
    check_certificates(files, domain, now, &mut findings);
    findings.0
}

fn check_site(file: &ConfFile, domain: &Domain, findings: &mut Findings) -> Result<(), String> {
    let site = nginx::read_site(&file.content)?;
    let covered: Vec<_> = site.server_names.iter().map(|name| nginx::covers(name, domain.as_str())).collect();
    let names = site.server_names.join(", ");
    if covered.contains(&Some(true)) {
        findings.pass(file.item, format!("{}: serves {names}", file.name));
    } else if covered.contains(&None) {
        findings.warn(file.item, format!("{}: whether {names} covers {domain} was not checked", file.name));
    } else {
        return Err(format!("no server block is for {domain} (names: {names})"));
    }
    Ok(())
}

fn check_pool(file: &ConfFile, findings: &mut Findings) -> Result<(), String> {
    let pools = pool::pools(&pool::parse(&file.content)?);
    if pools.is_empty() {
        return Err("defines no pool".into());
    }
    for pool in pools {
        if pool.user.is_empty() || pool.listen.is_empty() {
            return Err(format!("pool [{}] has no `user` or no `listen`", pool.name));
        }
        if pool.address().is_none() {
            return Err(format!("pool [{}]: `listen = {}` is no socket and no address", pool.name, pool.listen));
        }
        let place = &pool.listen;
        findings.pass(file.item, format!("{}: pool [{}] as {}, on {place}", file.name, pool.name, pool.user));
    }
    Ok(())
}

fn check_cron(file: &ConfFile, findings: &mut Findings) -> Result<(), String> {
    let jobs = cron::parse(&file.content)?.iter().filter(|(_, line)| matches!(line, cron::Line::Job { .. })).count();
    findings.pass(file.item, format!("{}: {jobs} scheduled command{}", file.name, if jobs == 1 { "" } else { "s" }));
    Ok(())
}

/// Seconds of validity left below which the operator is told.
const SOON: i64 = 14 * 86_400;

fn check_certificates(files: &[ConfFile], domain: &Domain, now: i64, findings: &mut Findings) {
    let mut certificates = Vec::new();
    let mut keys = Vec::new();
    for file in files.iter().filter(|file| file.item == Item::Ssl) {
        match tls::read(&file.content) {
            Ok(bundle) => {
                // chain.pem holds the issuers only.
                if !file.name.starts_with("chain") {
                    certificates.extend(bundle.certificate.map(|certificate| (file, certificate)));
                }
                keys.extend(bundle.key.map(|key| (file, key)));
            }
            // Notes and parameters lie beside certificates, too.
            Err(_) if !file.name.ends_with(".pem") && !file.name.ends_with(".key") && !file.name.ends_with(".crt") => {}
            Err(why) => findings.fail(Item::Ssl, Code::TlsInvalid, format!("{}: {why}", file.name)),
        }
    }
    for (file, certificate) in &certificates {
        let name = &file.name;
        let day = |at: i64| {
            jiff::Timestamp::from_second(at).map_or_else(|_| "?".into(), |at| at.strftime("%Y-%m-%d").to_string())
        };
        let meaning = &certificate.meaning;
        let until = day(meaning.not_after);
        if meaning.not_after < now {
            findings.fail(Item::Ssl, Code::TlsInvalid, format!("{name}: expired on {until}"));
        } else if meaning.not_before > now {
            let from = day(meaning.not_before);
            findings.fail(Item::Ssl, Code::TlsInvalid, format!("{name}: not valid before {from}"));
        } else if meaning.not_after - now < SOON {
            findings.warn(Item::Ssl, format!("{name}: expires soon, on {until}"));
        } else {
            findings.pass(Item::Ssl, format!("{name}: valid until {until}"));
        }
        if !certificate.names_cover(domain.as_str()) {
            let names = meaning.names.join(", ");
            findings.fail(Item::Ssl, Code::TlsInvalid, format!("{name}: is for {names}, not for {domain}"));
        }
        let matches: Vec<_> = keys.iter().map(|(_, key)| certificate.matches(key)).collect();
        if matches.contains(&Some(true)) {
            findings.pass(Item::Ssl, format!("{name}: the private key belongs to it"));
        } else if matches.is_empty() || matches.contains(&None) {
            findings.warn(Item::Ssl, format!("{name}: whether the private key belongs to it was not checked"));
        } else {
            findings.fail(Item::Ssl, Code::TlsInvalid, format!("{name}: the private key does not belong to it"));
        }
    }
    if certificates.is_empty() && !keys.is_empty() {
        let name = &keys[0].0.name;
        findings.warn(Item::Ssl, format!("{name}: a private key without its certificate"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn file(item: Item, name: &str, content: &[u8]) -> ConfFile {
        ConfFile {
            item,
            name: name.into(),
            target: format!("/nowhere/{name}").into(),
            content: content.into(),
            mode: 0o644,
            link: None,
        }
    }

    fn failed(files: &[ConfFile], now: i64) -> Vec<Code> {
        let domain = Domain::parse("example.com").unwrap();
        check(files, &Config::default(), &domain, now).iter().filter_map(|finding| finding.code).collect()
    }

    #[test]
    fn sites_pools_and_cron_files_are_judged_by_what_they_say() {
        let nginx = |text: &str| failed(&[file(Item::Nginx, "nginx.conf", text.as_bytes())], 0);
        assert_eq!(nginx("server { server_name www.example.com example.com; }"), []);
        assert_eq!(nginx("server { server_name _; }"), []);
        assert_eq!(nginx("server { server_name example.org; }"), [Code::ConfigRejected]);
        assert_eq!(nginx("server { server_name example.com"), [Code::ConfigRejected]);
        assert_eq!(nginx("server { server_name example.com; root /; }"), [Code::UnsafeConfig]);
        let pool = |text: &str| failed(&[file(Item::PhpFpm, "php-fpm.conf", text.as_bytes())], 0);
        assert_eq!(pool("[x]\nuser = www-data\nlisten = /run/php/x.sock\n"), []);
        assert_eq!(pool("[x]\nuser = www-data\n"), [Code::ConfigRejected]);
        assert_eq!(pool(""), [Code::ConfigRejected]);
        let cron = |text: &str| failed(&[file(Item::Cron, "cron", text.as_bytes())], 0);
        assert_eq!(cron("*/5 * * * * www-data php x\n"), []);
        assert_eq!(cron("*/5 * * * www-data\n"), [Code::ConfigRejected]);
    }

    #[test]
    fn what_a_running_nginx_does_not_change_is_refused_before_the_reload() {
        let folder = tempfile::tempdir().unwrap();
        let site = |key: &str| {
            format!("limit_req_zone {key} zone=login:1m rate=1r/s;\nserver {{ server_name example.com; }}\n")
                .into_bytes()
        };
        let mut new = file(Item::Nginx, "nginx.conf", &site("$host"));
        new.target = folder.path().join("example.com");
        assert_eq!(failed(std::slice::from_ref(&new), 0), []);
        std::fs::write(&new.target, site("$binary_remote_addr")).unwrap();
        assert_eq!(failed(&[new], 0), [Code::ConfigRejected]);
    }

    #[test]
    fn certificates_are_judged_by_date_name_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, subject: &str| {
            let out = Command::new("openssl")
                .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days"])
                .args(["90", "-subj", subject, "-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")])
                .current_dir(folder.path())
                .output()
                .expect("package openssl");
            assert!(out.status.success());
            let read = |end: &str| std::fs::read(folder.path().join(format!("{name}.{end}"))).unwrap();
            (read("crt"), read("key"))
        };
        let (own, own_key) = make("own", "/CN=example.com");
        let (other, other_key) = make("other", "/CN=example.org");
        let now = jiff::Timestamp::now().as_second();
        let pair = |certificate: &[u8], key: &[u8]| {
            [file(Item::Ssl, "fullchain.pem", certificate), file(Item::Ssl, "privkey.pem", key)]
        };
        assert_eq!(failed(&pair(&own, &own_key), now), []);
        assert_eq!(failed(&pair(&own, &other_key), now), [Code::TlsInvalid]);
        assert_eq!(failed(&pair(&other, &other_key), now), [Code::TlsInvalid]);
        assert_eq!(failed(&pair(&own, &own_key), now + 91 * 86_400), [Code::TlsInvalid]);
        assert_eq!(failed(&pair(&own, &own_key), now - 86_400), [Code::TlsInvalid]);
        assert_eq!(failed(&pair(&own, b"not a key\n"), now), [Code::TlsInvalid]);
        let domain = Domain::parse("example.com").unwrap();
        let soon = check(&pair(&own, &own_key), &Config::default(), &domain, now + 80 * 86_400);
        assert!(soon.iter().any(|finding| finding.verdict == Verdict::Warn && finding.message.contains("soon")));
    }
}
