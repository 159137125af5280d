//! The rules of OAuth 2.0 and OpenID Connect, as pure functions with the clause beside the line.
//!
//! Owns: what a request means, whether it may be answered, and what the answer says. Must not know: HTTP types,
//! SQL, time or randomness (they arrive as arguments), signature verification (`keys` does it and hands over
//! the verified claims).

pub mod error;

pub use error::{Error, ErrorCode};
