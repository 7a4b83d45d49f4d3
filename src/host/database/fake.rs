//! The server in memory, for tests of everything above it.
