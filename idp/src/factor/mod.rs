//! Factors: what a holder proves a sign-in with, and how often it may be tried.
//!
//! Owns: password hashing and its pool of threads, the text of an OTP message, and the throttle as pure decisions
//! over counters. Must not know: where hashes, codes and counters are kept, how a message leaves, HTTP.

mod aside;
mod cbor;
pub mod ceremony;
pub mod notice;
pub mod otp;
pub mod passkey;
pub mod password;
pub mod throttle;
pub mod totp;

pub use password::Hasher;
