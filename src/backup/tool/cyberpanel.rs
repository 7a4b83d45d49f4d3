//! CyberPanel: `meta.xml`, `public_html/` and the dumps at the top. Where the whole home was backed up, the document root is
//! `public_html/public_html/`. Before 2.0 it is an archive, `public_html.tar.gz`.

use super::any;
use super::{Answered, Asked, Tool, archive_of};
use crate::backup::survey::{self, Listing};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;

/// The panel.
pub struct CyberPanel;

const META: &[u8] = b"meta.xml";

impl Tool for CyberPanel {
    fn name(&self) -> &'static str {
        "cyberpanel"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        let text = RelPath::parse(META).ok().and_then(|path| listing.texts.get(&path));
        text.is_some_and(|text| memchr::memmem::find(text, b"<masterDomain>").is_some())
    }

    fn inner(&self, asked: &Asked) -> Result<Vec<RelPath>> {
        Ok(archive_of(&asked.listings[0], &RelPath::default(), b"public_html").into_iter().collect())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let outer = RelPath::parse(b"public_html")?;
        let archive = asked.inner.first().cloned().unwrap_or_default();
        let inner = outer.join(b"public_html");
        let usual = [archive.below(&inner), archive.below(&outer)];
        let root = match usual.into_iter().find(|root| listing.has(root)) {
            Some(root) => root,
            // Of an archive of the document root the top may be that. Of the backup it has keys and mail.
            None if !asked.inner.is_empty() || asked.import.root.is_some() => archive,
            None => {
                return Err(Error::new(Code::BackupIncomplete, "it holds no public_html, which is the document root")
                    .hint("Choose another backup, or say which folder is the document root: `--root FOLDER`.")
                    .with("missing", "public_html"));
            }
        };
        require_dumps(asked, listing)?;
        let mut answered = any::answer(self.name(), asked, Some(root))?;
        answered.extent = asked.extent_of_panel();
        answered.lacks.push(
            "Routines and events of the database are not in it; its OpenLiteSpeed configuration is not restored."
                .to_owned(),
        );
        Ok(answered)
    }
}

/// The panel goes on where a dump fails, and lists the database all the same.
///
/// # Errors
/// `backup_incomplete` where a database is wanted and one that is listed has no dump.
fn require_dumps(asked: &Asked, listing: &Listing) -> Result<()> {
    if !asked.database || asked.import.dump.is_some() {
        return Ok(());
    }
    let text = RelPath::parse(META).ok().and_then(|path| listing.texts.get(&path));
    let text = text.map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
    let top = RelPath::default();
    for name in text.split("<dbName>").skip(1).filter_map(|rest| Some(rest.split_once("</dbName>")?.0.trim())) {
        let is_dump = |dump: &RelPath| survey::unpacked(dump.as_bytes()).strip_suffix(b".sql") == Some(name.as_bytes());
        if !listing.dumps.iter().any(is_dump) {
            let shown = crate::text::printable(name);
            let message = format!("its meta.xml lists the database {shown}, and no dump {shown}.sql is in it");
            return Err(Error::new(Code::BackupIncomplete, message)
                .hint("Choose another backup, name a dump by `--dump`, or restore the files alone: `--only files`.")
                .with("missing", top.join(format!("{name}.sql").as_bytes()).to_string()));
        }
    }
    Ok(())
}
