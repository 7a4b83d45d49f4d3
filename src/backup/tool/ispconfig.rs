//! ISPConfig, a website's backup: `webNUMBER_MOMENT.…` with the home, in which `web/` is the document root. The number is the panel's; the
//! database lies beside it in a file of its own, `db_NAME_MOMENT.…`.

use super::{Answered, Asked, Tool, any};
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The panel.
pub struct IspConfig;

impl Tool for IspConfig {
    fn name(&self) -> &'static str {
        "ispconfig"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        is_website(&listing.file) && RelPath::parse(b"web").is_ok_and(|root| listing.has(&root))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let mut answered = any::answer(self.name(), asked, Some(RelPath::parse(b"web")?))?;
        answered
            .lacks
            .push("It does not say of which domain it is, and files may have changed while it was written.".to_owned());
        if asked.import.dump.is_none() {
            answered.lacks.push(
                "Its database is in a file of its own, db_NAME_MOMENT: without `--dump` the live one stays.".to_owned(),
            );
        } else {
            answered.lacks.push("Events of the database are not in its dumps.".to_owned());
        }
        Ok(answered)
    }
}

/// `web7_2025-06-01_03-04.tar.gz`, or with `manual-` before it.
fn is_website(file: &str) -> bool {
    let name = file.strip_prefix("manual-").unwrap_or(file);
    let moment = name
        .strip_prefix("web")
        .and_then(|rest| rest.split_once('_'))
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    moment.is_some_and(|(_, moment)| begins_as(moment, "0000-00-00_00-00"))
}

/// Whether a text begins with digits and signs as this one has them.
pub(super) fn begins_as(text: &str, form: &str) -> bool {
    let fits = |(found, wanted): (u8, u8)| if wanted == b'0' { found.is_ascii_digit() } else { found == wanted };
    text.len() >= form.len() && text.bytes().zip(form.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_website_is_told_by_its_name() {
        for file in ["web7_2025-06-01_03-04.tar.gz", "manual-web12_2025-06-01_03-04.zip"] {
            assert!(is_website(file), "{file}");
        }
        for file in
            ["web_2025-06-01_03-04.tar.gz", "website.tar.gz", "web7_x.tar.gz", "db_web7_2025-06-01_03-04.sql.gz"]
        {
            assert!(!is_website(file), "{file}");
        }
    }
}
