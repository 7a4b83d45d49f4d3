//! What was found inside archives, kept so that it need not be looked for again. Only the seek index spares a reading: of what nobody
//! selected.

pub mod catalogue;
pub mod folder;
pub mod index;
pub mod remember;
pub mod seek;
