//! Where on this machine a site is asked under TLS, and the certificates that are its own.

use super::https::Secure;
use super::wire::{Until, Wire};
use crate::config::Config;
use crate::path::Domain;
use crate::siteconf::doors::{self, Address, Doors};
use crate::siteconf::tls::{self, Leaf};
use crate::siteconf::{Listen, spellings};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest certificate file that is read, in bytes.
const MAX_CERTIFICATE: u64 = 1 << 20;
/// How long a handshake may take.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(2);

/// Where a site is asked under TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// A name or address of this machine.
    pub host: String,
    /// The port.
    pub port: u16,
    /// SHA-256 of the certificates that its settings name, hex; empty: none of them can be read.
    pub own: Vec<String>,
    /// Its servers take no plain requests.
    pub is_alone: bool,
    /// Its servers let nobody in without a certificate of his own.
    pub asks_visitors: bool,
    /// Its nginx file says so. Else its certificate lies at the usual place, and nothing more is known.
    pub is_told: bool,
}

impl Door {
    /// By the site's enabled nginx file; else by its certificate in `paths.ssl`. `machine`: the host and port of `http.url`, by which a
    /// server that listens everywhere is asked.
    pub fn find(config: &Config, domain: &Domain, machine: (&str, u16)) -> Option<Door> {
        let usual = || certificate(&config.paths.ssl.join(domain.as_str()).join("fullchain.pem"));
        let told = served(config, domain).unwrap_or_default();
        if let Some(address) = nearest(&told.secure, machine.0) {
            let folder = config.services.nginx.conf.parent().unwrap_or(Path::new("/"));
            let named = told.certificates.iter().filter(|path| !path.contains('$') && !path.starts_with("data:"));
            let mut own: Vec<String> = named.filter_map(|path| certificate(&folder.join(path))).collect();
            if told.certificates.is_empty() {
                own.extend(usual());
            }
            let host = address.host.clone().unwrap_or_else(|| machine.0.to_owned());
            let (is_alone, asks_visitors) = (told.plain.is_empty(), told.asks_visitors);
            return Some(Door { host, port: address.port, own, is_alone, asks_visitors, is_told: true });
        }
        // A web server at another port than the usual ones has its own for TLS, and nobody told which.
        let own = usual().filter(|_| [80, 443].contains(&machine.1))?;
        let door = Door {
            host: machine.0.to_owned(),
            port: 443,
            own: vec![own],
            is_alone: false,
            asks_visitors: false,
            is_told: false,
        };
        Some(door)
    }

    /// The certificate that is presented there to those who ask for a name (SNI).
    ///
    /// # Errors
    /// The connection's or the handshake's.
    pub fn presented(&self, name: &str, until: &Until) -> io::Result<Leaf> {
        let wire = Wire::connect(&Listen::Tcp(format!("{}:{}", self.host, self.port)), until)?;
        let mut secure = Secure::over(wire, name)?;
        secure.shake_hands()?;
        let none = || io::Error::new(io::ErrorKind::InvalidData, "it presents no certificate that can be read");
        secure.leaf().ok_or_else(none)
    }

    /// Whether a certificate is one that the site's settings name; `None` where none of these is known.
    pub fn owns(&self, leaf: &Leaf) -> Option<bool> {
        (!self.own.is_empty()).then(|| self.own.contains(&leaf.certificate.meaning.fingerprint))
    }
}

/// A door, where a certificate is presented at it.
pub fn open((door, leaf): (Door, io::Result<Leaf>)) -> Option<Door> {
    leaf.is_ok().then_some(door)
}

/// What was presented for a site before anything of it was changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum CertificateBefore {
    /// Nobody looked.
    #[default]
    Unknown,
    /// No certificate.
    Nothing,
    /// This one.
    Presented(Box<Leaf>),
}

impl CertificateBefore {
    /// Whether it is known to have been otherwise, so that a fault is new.
    pub fn had_not(&self, fault: impl Fn(&Leaf) -> bool) -> bool {
        matches!(self, CertificateBefore::Presented(leaf) if !fault(leaf))
    }
}

/// What the enabled nginx file of the site says: one that is not enabled serves nobody.
fn served(config: &Config, domain: &Domain) -> Option<Doors> {
    let text =
        spellings(&config.paths.nginx_enabled, domain).iter().find_map(|path: &PathBuf| std::fs::read(path).ok());
    doors::of(&text?, domain.as_str()).ok()
}

/// The address to ask: one that leads by the usual way, else one that is this machine's.
fn nearest<'a>(all: &'a [Address], host: &str) -> Option<&'a Address> {
    let is_by_the_way = |address: &&Address| address.host.as_deref().is_none_or(|own| own == host);
    let is_here = |address: &&Address| address.host.as_deref().is_some_and(is_of_this_machine);
    all.iter().find(is_by_the_way).or_else(|| all.iter().find(is_here))
}

/// Whether an address belongs to this machine: who speaks to it has the same one. Nothing is sent.
fn is_of_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    address.is_some_and(|address| {
        let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let Ok(socket) = UdpSocket::bind((any, 0)) else { return false };
        let own = socket.connect((address, 9)).and_then(|()| socket.local_addr());
        address.is_loopback() || own.is_ok_and(|own| own.ip() == address)
    })
}

/// The digest of the first certificate in a file.
fn certificate(path: &Path) -> Option<String> {
    // A pipe would keep whoever opens it.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_CERTIFICATE).read_to_end(&mut text).ok()?;
    Some(tls::read(&text).ok()?.certificate?.meaning.fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_on_the_way_is_asked_and_none_of_another_machine() {
        let at = |host: Option<&str>, port| Address { host: host.map(str::to_owned), port };
        let (foreign, local) = (at(Some("192.0.2.1"), 443), at(Some("127.0.0.1"), 444));
        let all = [foreign.clone(), local.clone(), at(None, 445)];
        assert_eq!(nearest(&all, "127.0.0.1"), Some(&local));
        assert_eq!(nearest(&all, "localhost").map(|address| address.port), Some(445));
        assert_eq!(nearest(&all[..2], "localhost"), Some(&local));
        assert_eq!(nearest(&[foreign], "localhost"), None);
    }
}
