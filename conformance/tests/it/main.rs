//! One test binary for everything that is proved from outside: a built sandbox, raw HTTP, real browsers.
//! Knows the contract and nothing of the provider's inside. `SUITE_DATABASE_URL` and `SUITE_REDIS_URL` choose the
//! backing of every sandbox started here; without them it is SQLite and in-process short memory.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod browser;
mod crash;
mod dump;
mod races;
mod support;
mod wire;
