//! Leftovers: staging that was discarded, states that have expired, and staging of dead workers that a restore can go on with.

pub mod cleanup;
pub mod discard;
pub mod orphans;
pub mod resume;
