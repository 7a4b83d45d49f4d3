//! What unit tests of backups begin with.

use crate::backup::layout::Holds;
use crate::backup::name::Kind;
use crate::backup::source::{Form, Part, Role, Source};
use crate::config::Config;
use crate::host::site::Site;
use crate::path::Domain;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// An installation in a folder of its own, with an empty backup folder of example.com that only we can write to.
pub(crate) fn setting() -> (tempfile::TempDir, Config, Domain) {
    let place = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.paths.base = place.path().join("rocketvps");
    let domain = Domain::parse("example.com").unwrap();
    let folder = config.paths.backups().join(domain.as_str());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    (place, config, domain)
}

/// A source of these archives, base first.
pub(crate) fn source(config: &Config, domain: &Domain, archives: &[&Path]) -> Source {
    let parts = archives.iter().map(|path| Part::open(path, Role::Archive).unwrap()).collect();
    let (path, site) = (archives.last().unwrap().to_path_buf(), Site::find(config, domain).unwrap());
    Source {
        form: Form::Backup,
        path,
        stamp: None,
        kind: Kind::Full,
        parts,
        layout: None,
        holds: Holds::SiteFolder,
        site,
        passed_over: Vec::new(),
        foreign: None,
    }
}
