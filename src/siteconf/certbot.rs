//! What certbot can make of certificates that came out of a backup.

use super::{ConfFile, Item, tls};
use crate::clock;
use crate::config::Config;
use crate::path::Domain;
use std::path::Path;

/// What is to be done before a certificate runs out whose folder is new here. certbot renews what it finds as links to `archive/`
/// and described in `renewal/`; a backup holds the files alone. `None` where the files go behind links that are there.
pub fn note(config: &Config, domain: &Domain, root: &Path, files: &[ConfFile]) -> Option<String> {
    let folder = config.paths.ssl.join(domain.as_str());
    let is_new = |file: &&ConfFile| {
        file.item == Item::Ssl && file.target.parent() == Some(&folder) && file.target.symlink_metadata().is_err()
    };
    let certificate = files.iter().filter(is_new).find_map(|file| tls::read(&file.content).ok()?.certificate)?;
    // Into a command goes what is a name of a host and nothing else.
    let names = certificate.meaning.names.iter().filter_map(|name| Domain::parse(name).ok());
    let mut names: Vec<String> = names.map(|name| format!("-d {name}")).collect();
    if names.is_empty() {
        names.push(format!("-d {domain}"));
    }
    let until = clock::at(certificate.meaning.not_after).unwrap_or_default();
    let (folder, root, names) = (folder.display(), root.display(), names.join(" "));
    Some(format!(
        "certbot does not renew the certificate in {folder}: these are plain files, where it keeps links to archive/ and a file in \
         renewal/. It is valid until {until}. Before then run `mv {folder} {folder}.restored && certbot certonly --webroot -w {root} \
         {names}` and reload nginx; if certbot fails, move the folder back."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    #[test]
    fn a_new_folder_is_told_of_and_files_behind_links_are_not() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-days", "9", "-newkey", "rsa:2048", "-subj", "/CN=example.com"])
            .args(["-addext", "subjectAltName=DNS:example.com,DNS:www.example.com,DNS:*.example.com,DNS:a;id"])
            .args(["-keyout", "key", "-out", "certificate"])
            .current_dir(place.path())
            .output()
            .expect("package openssl");
        assert!(made.status.success(), "{made:?}");
        let mut config = Config::default();
        config.paths.ssl = at("le/live");
        let domain = Domain::parse("example.com").unwrap();
        let said = || {
            let files = [("privkey.pem", "key"), ("fullchain.pem", "certificate")].map(|(name, file)| {
                super::super::place(&config, &domain, Item::Ssl, name, std::fs::read(at(file)).unwrap()).unwrap()
            });
            note(&config, &domain, Path::new("/var/www/example.com"), &files)
        };
        let new = said().unwrap();
        assert!(new.contains("certonly --webroot -w /var/www/example.com -d example.com -d www.example.com`"), "{new}");
        assert!(new.contains("valid until 20") && !new.contains("a;id"), "{new}");
        std::fs::create_dir_all(at("le/live/example.com")).unwrap();
        std::fs::create_dir_all(at("le/archive/example.com")).unwrap();
        for name in ["privkey", "fullchain"] {
            std::fs::write(at(&format!("le/archive/example.com/{name}1.pem")), "old").unwrap();
            let link = at(&format!("le/live/example.com/{name}.pem"));
            symlink(format!("../../archive/example.com/{name}1.pem"), link).unwrap();
        }
        assert_eq!(said(), None);
        // A certificate that somebody keeps as plain files goes on to be his own.
        for name in ["privkey", "fullchain"] {
            let file = at(&format!("le/live/example.com/{name}.pem"));
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, "old").unwrap();
        }
        assert_eq!(said(), None);
    }
}
