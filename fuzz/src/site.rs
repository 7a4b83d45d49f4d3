//! An installation with one small backup, where nothing can be started: there is no helper.

use rocketvps_restore::backup::cache::index::{FILE_NAME, Live};
use rocketvps_restore::backup::cache::remember;
use rocketvps_restore::backup::{self, Source, preview};
use rocketvps_restore::config::Config;
use rocketvps_restore::path::Domain;
use rocketvps_restore::progress::Silent;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;

pub const DOMAIN: &str = "example.com";

static SITE: OnceLock<Site> = OnceLock::new();

/// The installation and what is known of it.
pub struct Site {
    pub folder: PathBuf,
    pub config: Config,
    pub domain: Domain,
    pub source: Source,
}

impl Site {
    /// The file of restore.toml.
    pub fn toml(&self) -> PathBuf {
        self.folder.join("restore.toml")
    }

    /// The cache of what is in the backup.
    pub fn index(&self) -> PathBuf {
        self.config.paths.backups().join(DOMAIN).join(FILE_NAME)
    }

    /// The file of the backup's catalogue with this ending.
    pub fn catalogue(&self, ending: &str) -> PathBuf {
        let folder = self.config.paths.base.join("restore_index").join(DOMAIN);
        let files = std::fs::read_dir(folder).expect("the folder of catalogues");
        let mut paths = files.flatten().map(|file| file.path());
        paths.find(|path| path.extension().is_some_and(|end| end == ending)).expect("a catalogue")
    }
}

/// The installation of this process, made when it is first asked for.
pub fn site() -> &'static Site {
    SITE.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("rv-fuzz.").tempdir().expect("a folder").keep();
        let toml = format!(
            "[paths]\nbase = {:?}\nweb_root = {:?}\nhelper = \"/nowhere/rocketvps-restore\"\n[mysql]\nsocket = \"/nowhere/s\"\n",
            folder.join("base"),
            folder.join("web")
        );
        std::fs::write(folder.join("restore.toml"), &toml).expect("restore.toml");
        let config = Config::parse(&toml).expect("restore.toml");
        let domain = Domain::parse(DOMAIN).expect("a domain");
        let backups = config.paths.backups().join(DOMAIN);
        std::fs::create_dir_all(&backups).expect("the folder of backups");
        std::fs::create_dir_all(config.paths.web_root.join(domain.as_str())).expect("the document root");
        std::fs::set_permissions(&backups, Permissions::from_mode(0o755)).expect("the folder of backups is ours");
        std::fs::write(backups.join("backup_20251004_030000.tar.gz"), include_bytes!("../backup.tar"))
            .expect("a backup");
        let source = backup::locate(&config, &domain, "latest", None).expect("the backup");
        preview::examine(&source, &config, &Silent).expect("the backup is sound");
        remember::live(&config, &domain, Live::default()).expect("the index");
        Site { folder, config, domain, source }
    })
}

/// Removes it; nothing can be asked of it afterwards. A fuzzing process is ended and does not come to that: its folder is
/// in one that `scripts/fuzz.sh` removes.
pub fn remove() {
    if let Some(site) = SITE.get() {
        std::fs::remove_dir_all(&site.folder).expect("remove the installation");
    }
}
