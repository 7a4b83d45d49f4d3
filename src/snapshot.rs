//! Snapshots: the state of a domain kept aside, in two forms.
//!
//! * **portable**, made on request: a folder `snapshots/DOMAIN/pre_restore_STAMP/` with `files.tar.gz` (members
//!   `DOMAIN/…`), `database.sql.gz`, `config.tar.gz` (members `config/…`), `manifest.json` and `metadata.txt`. Plain
//!   `gzip`, `tar` and `mariadb` read it without us.
//! * **retained**, left by a restore's own change-over: the same folder with only a `manifest.json`, which names the
//!   kept tree and the kept schema. It costs no copying.
//!
//! The old engine's folders (without manifest) are listed and accepted too. A snapshot counts as made only after it
//! was read back; until then its folder has a temporary name, which [`list()`](list::list) does not show.

pub mod create;
pub mod database;
pub mod find;
pub mod gzip;
pub mod list;
pub mod objects;
pub mod remove;
pub mod retained;
pub mod site;

pub use create::create;
pub use find::{Found, find};
pub use list::{check_path, domains, expired, job_of, list};
pub use remove::{delete, sweep};
