//! WordOps, `backup/STAMP` of a site: `htdocs/` and, beside it, `wp-config.php` and `NAME.zst`, a dump without the end `.sql`.

use super::any;
use super::{Answered, Asked, Tool, schema_in};
use crate::backup::survey::{self, Listing};
use crate::error::Result;
use crate::path::RelPath;

/// The program.
pub struct WordOps;

impl Tool for WordOps {
    fn name(&self) -> &'static str {
        "wordops"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        RelPath::parse(b"htdocs").is_ok_and(|root| listing.names.get(&root) == Some(&true))
            && !dumps(listing).is_empty()
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let root = asked.told_root(listing)?.map_or_else(|| RelPath::parse(b"htdocs"), Ok)?;
        let schema = schema_in(listing, &RelPath::default()).or_else(|| schema_in(listing, &root));
        any::answer_of(self.name(), asked, Some(root), |_| survey::one_of(&dumps(listing), schema.as_deref()))
    }
}

/// The databases with their dumps.
fn dumps(listing: &Listing) -> Vec<(String, RelPath)> {
    let top = RelPath::default();
    let of = |name: &[u8]| {
        // A name with another end in it is of something else, or a dump that every other tool knows by its name.
        let schema = String::from_utf8(name.strip_suffix(b".zst")?.to_vec()).ok().filter(|name| !name.contains('.'))?;
        Some((schema, top.join(name)))
    };
    listing.inside(&top).filter_map(of).filter(|(_, path)| listing.names.get(path) == Some(&false)).collect()
}
