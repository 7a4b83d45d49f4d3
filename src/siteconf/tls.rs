//! Certificates and keys: which belong together, until when, for which names. Nothing is decrypted or signed here.

use crate::api::answer::site_config::Certificate as Meaning;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it says about itself.
    pub meaning: Meaning,
    /// The public key: what a matching private key has too.
    public: Vec<u8>,
}

/// What can be said of a private key without using it.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// The public half it carries.
    Public(Vec<u8>),
    /// A sound key that carries no public half (Ed25519): only the web server's own test can compare it.
    Silent,
}

/// What a PEM file holds.
#[derive(Clone, Default)]
pub struct Bundle {
    /// The first certificate: the site's own; chain certificates after it are not judged.
    pub certificate: Option<Certificate>,
    /// The private key.
    pub key: Option<Key>,
    /// Number of certificates in the file.
    pub certificates: usize,
}

/// Reads a PEM file.
///
/// # Errors
/// A sentence, when a block is damaged, or the file has neither certificate nor key. Never key material.
pub fn read(text: &[u8]) -> Result<Bundle, String> {
    let mut bundle = Bundle::default();
    let mut blocks = 0;
    for pem in Pem::iter_from_buffer(text) {
        let pem = pem.map_err(|_| "a PEM block is damaged".to_owned())?;
        blocks += 1;
        match pem.label.as_str() {
            "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
                bundle.certificates += 1;
                let certificate = pem.parse_x509().map_err(|_| "a certificate is damaged".to_owned())?;
                if bundle.certificate.is_none() {
                    bundle.certificate = Some(describe(&certificate, &pem.contents));
                }
            }
            "ENCRYPTED PRIVATE KEY" => return Err("the key has a passphrase; a web server could not start".into()),
            label if label.ends_with("PRIVATE KEY") => {
                bundle.key = Some(read_key(label, &pem.contents).ok_or("the private key is damaged")?);
            }
            _ => {}
        }
    }
    if blocks == 0 {
        return Err("has neither certificate nor key".into());
    }
    Ok(bundle)
}

/// A certificate that a web server presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The certificate.
    pub certificate: Certificate,
    /// It was signed by nobody but itself.
    pub is_self_signed: bool,
}

/// Reads a certificate in DER; `None` for what is none.
pub fn leaf(der: &[u8]) -> Option<Leaf> {
    let (_, read) = X509Certificate::from_der(der).ok()?;
    Some(Leaf { certificate: describe(&read, der), is_self_signed: read.issuer() == read.subject() })
}

fn describe(certificate: &X509Certificate<'_>, der: &[u8]) -> Certificate {
    let mut names: Vec<String> = match certificate.subject_alternative_name() {
        Ok(Some(extension)) => extension
            .value
            .general_names
            .iter()
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    if names.is_empty() {
        names = certificate
            .subject()
            .iter_common_name()
            .filter_map(|name| name.as_str().ok())
            .map(str::to_ascii_lowercase)
            .collect();
    }
    let key = &certificate.public_key().subject_public_key.data;
    let meaning = Meaning {
        subject: certificate.subject().to_string(),
        names,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        fingerprint: super::change::hash(der),
    };
    Certificate { meaning, public: rsa_public(key).unwrap_or_else(|| key.to_vec()) }
}

/// One DER element: tag, content, what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn children(mut der: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (tag, content, rest) = element(der)?;
        found.push((tag, content));
        der = rest;
    }
    Some(found)
}

fn sequence(der: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    element(der).filter(|(tag, ..)| *tag == 0x30).and_then(|(_, content, _)| children(content))
}

/// Modulus and exponent without leading zeros, in one form for certificates and keys.
fn rsa_numbers(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let trim = |number: &[u8]| -> Vec<u8> { number.iter().copied().skip_while(|byte| *byte == 0).collect() };
    [trim(modulus), vec![0], trim(exponent)].concat()
}

fn rsa_public(key: &[u8]) -> Option<Vec<u8>> {
    match sequence(key)?.as_slice() {
        [(2, modulus), (2, exponent)] => Some(rsa_numbers(modulus, exponent)),
        _ => None,
    }
}

fn read_key(label: &str, der: &[u8]) -> Option<Key> {
    match label {
        "RSA PRIVATE KEY" => rsa_key(der),
        "EC PRIVATE KEY" => ec_key(der),
        _ => {
            // PKCS#8: version, algorithm, the key in an octet string, perhaps the public half as [1].
            let parts = sequence(der)?;
            let [(2, _), (0x30, algorithm), (4, inner), rest @ ..] = parts.as_slice() else { return None };
            if let Some((_, public)) = rest.iter().find(|(tag, _)| *tag == 0x81) {
                return Some(Key::Public(public.get(1..)?.to_vec()));
            }
            const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
            const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
            match children(algorithm)?.first()? {
                (6, oid) if *oid == RSA => rsa_key(inner),
                (6, oid) if *oid == EC => ec_key(inner),
                (6, _) => Some(Key::Silent),
                _ => None,
            }
        }
    }
}

fn rsa_key(der: &[u8]) -> Option<Key> {
    match sequence(der)?.as_slice() {
        [(2, _), (2, modulus), (2, exponent), (2, _), ..] => Some(Key::Public(rsa_numbers(modulus, exponent))),
        _ => None,
    }
}

fn ec_key(der: &[u8]) -> Option<Key> {
    let parts = sequence(der)?;
    let [(2, _), (4, _), rest @ ..] = parts.as_slice() else { return None };
    match rest.iter().find(|(tag, _)| *tag == 0xa1) {
        // The bit string begins with the number of unused bits.
        Some((_, wrapped)) => match element(wrapped)? {
            (3, bits, _) => Some(Key::Public(bits.get(1..)?.to_vec())),
            _ => None,
        },
        None => Some(Key::Silent),
    }
}

impl Certificate {
    /// One that says this of itself and has no key.
    #[cfg(test)]
    pub fn said(meaning: Meaning) -> Certificate {
        Certificate { meaning, public: Vec::new() }
    }

    /// Whether the key belongs to this certificate; `None` when the key carries nothing to compare.
    pub fn matches(&self, key: &Key) -> Option<bool> {
        match key {
            Key::Public(public) => Some(*public == self.public),
            Key::Silent => None,
        }
    }

    /// Whether it is valid for a name, wildcards for one label included.
    pub fn names_cover(&self, domain: &str) -> bool {
        self.meaning.names.iter().any(|name| {
            name == domain
                || name
                    .strip_prefix("*.")
                    .is_some_and(|tail| domain.split_once('.').is_some_and(|(_, rest)| rest == tail))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn openssl(folder: &std::path::Path, arguments: &[&str]) {
        let out = Command::new("openssl").args(arguments).current_dir(folder).output().expect("package openssl");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    fn made(arguments: &[&str]) -> (Bundle, Bundle) {
        let folder = tempfile::tempdir().unwrap();
        let base = ["req", "-x509", "-nodes", "-days", "9", "-subj", "/CN=example.com", "-keyout", "k", "-out", "c"];
        let names = ["-addext", "subjectAltName=DNS:example.com,DNS:*.example.com"];
        openssl(folder.path(), &[&base[..], &names, arguments].concat());
        let file = |name: &str| read(&std::fs::read(folder.path().join(name)).unwrap()).unwrap();
        (file("c"), file("k"))
    }

    #[test]
    fn keys_are_matched_to_certificates_of_every_usual_kind() {
        let rsa = made(&["-newkey", "rsa:2048"]);
        let ec = made(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        let ed = made(&["-newkey", "ed25519"]);
        let certificate = |pair: &(Bundle, Bundle)| pair.0.certificate.clone().unwrap();
        let key = |pair: &(Bundle, Bundle)| pair.1.key.clone().unwrap();
        assert_eq!(certificate(&rsa).matches(&key(&rsa)), Some(true));
        assert_eq!(certificate(&ec).matches(&key(&ec)), Some(true));
        assert_eq!(certificate(&ec).matches(&key(&rsa)), Some(false));
        assert_eq!(certificate(&rsa).matches(&key(&made(&["-newkey", "rsa:2048"]))), Some(false));
        assert_eq!(certificate(&ed).matches(&key(&ed)), None);
        assert!(certificate(&rsa).names_cover("example.com") && certificate(&rsa).names_cover("shop.example.com"));
        assert!(!certificate(&rsa).names_cover("a.b.example.com") && !certificate(&rsa).names_cover("example.org"));
    }

    #[test]
    fn old_key_formats_are_read() {
        let folder = tempfile::tempdir().unwrap();
        openssl(folder.path(), &["genrsa", "-traditional", "-out", "rsa", "2048"]);
        openssl(folder.path(), &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec"]);
        for name in ["rsa", "ec"] {
            let bundle = read(&std::fs::read(folder.path().join(name)).unwrap()).unwrap();
            assert!(matches!(bundle.key, Some(Key::Public(_))), "{name}");
        }
    }

    #[test]
    fn damaged_files_are_refused_and_show_no_key() {
        for bad in [
            "not a key\n".as_bytes(),
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ] {
            assert!(read(bad).is_err_and(|said| !said.contains("AAAA")));
        }
        for length in 0..64 {
            assert!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..length.min(6)]).is_none());
        }
    }
}
