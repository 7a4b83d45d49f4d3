//! The same promises for the real server and the fake.
