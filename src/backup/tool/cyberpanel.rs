//! CyberPanel: `meta.xml`, `public_html/` and the dumps at the top. Where the whole home was backed up, the document root is
//! `public_html/public_html/`.

use super::any;
use super::{Answered, Asked, Tool};
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The panel.
pub struct CyberPanel;

impl Tool for CyberPanel {
    fn name(&self) -> &'static str {
        "cyberpanel"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        let text = RelPath::parse(b"meta.xml").ok().and_then(|path| listing.texts.get(&path));
        text.is_some_and(|text| memchr::memmem::find(text, b"<masterDomain>").is_some())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let outer = RelPath::parse(b"public_html")?;
        let inner = outer.join(b"public_html");
        let root = if listing.has(&inner) { inner } else { outer };
        let mut answered = any::answer(self.name(), asked, Some(root))?;
        answered.extent = asked.extent_of_panel();
        answered.lacks.push(
            "Routines and events of the database are not in it; its OpenLiteSpeed configuration is not restored."
                .to_owned(),
        );
        Ok(answered)
    }
}
