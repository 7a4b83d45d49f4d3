//! What is over: staging that was discarded, states that have expired, work of dead workers that can be gone on with.

pub mod cleanup;
pub mod discard;
pub mod orphans;
pub mod resume;
