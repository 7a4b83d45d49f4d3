//! What the configuration files of a site mean. Never key material.

use crate::api::ConfigItem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A configuration file, its place and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigMeaning {
    /// What it configures.
    pub item: ConfigItem,
    /// Its name in the backup, without folders.
    pub name: String,
    /// Absolute path where it belongs on this machine.
    pub target: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// What it says; missing when it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// Why it cannot be read, as a sentence; missing when it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What a configuration file says, by what it configures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Meaning {
    /// An nginx site.
    Nginx(NginxSite),
    /// A PHP-FPM file.
    PhpFpm(PhpPools),
    /// A certificate or key.
    Ssl(PemFile),
    /// A cron file.
    Cron(CronFile),
}

/// What an nginx site says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NginxSite {
    /// Names it answers to.
    pub server_names: Vec<String>,
    /// Addresses it listens on, as written.
    pub listen: Vec<String>,
    /// Document roots.
    pub roots: Vec<String>,
    /// Where PHP requests go, as written.
    pub fastcgi: Vec<String>,
    /// Paths of the certificates it uses.
    pub certificates: Vec<String>,
}

/// The pools of a PHP-FPM file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhpPools {
    /// The pools.
    pub pools: Vec<PhpPool>,
}

/// A pool of PHP-FPM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhpPool {
    /// Its name.
    pub pool: String,
    /// The account it runs as.
    pub user: String,
    /// The group it runs as; may be empty.
    pub group: String,
    /// Where it listens: a path, an address or a port.
    pub listen: String,
}

/// What a PEM file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PemFile {
    /// The first certificate; `null` without one.
    pub certificate: Option<Certificate>,
    /// Number of certificates.
    pub certificates: u64,
    /// Whether there is a private key.
    pub private_key: bool,
}

/// What a certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Its subject as text.
    pub subject: String,
    /// Names it is valid for, lower case.
    pub names: Vec<String>,
    /// Begin of its validity, seconds since 1970.
    pub not_before: i64,
    /// End of its validity, seconds since 1970.
    pub not_after: i64,
    /// SHA-256 of the certificate, hex.
    pub fingerprint: String,
}

/// The commands of a cron file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CronFile {
    /// The commands.
    pub jobs: Vec<CronJob>,
}

/// A command of a cron file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CronJob {
    /// When it runs: five fields, or `@daily` and the like.
    pub schedule: String,
    /// The account it runs as.
    pub user: String,
    /// The command.
    pub command: String,
}
