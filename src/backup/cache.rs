//! What was found inside archives, kept so that it need not be looked for again. Never a reason to skip a check.

pub mod catalogue;
pub mod folder;
pub mod index;
pub mod remember;
pub mod seek;
