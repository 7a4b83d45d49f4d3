//! What the machine does for a job. Traits with a real and a fake side; everything above is free of I/O details.

pub mod process;
pub mod random;
pub mod text;
pub mod tree;
