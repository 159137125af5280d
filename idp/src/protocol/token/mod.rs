//! The token endpoint: who asks, for what, and whether it follows.
//!
//! Owns: RFC 6749 §2.3, §4.1.3, §4.4, §5 and §6, RFC 7523 §3, RFC 7636 §4.6 as decisions. Must not know: how a code or
//! token is found, spent or minted, and how an assertion's signature is verified.

pub mod client_auth;
pub mod client_credentials;
pub mod code;
pub mod floor;
pub mod refresh;
pub mod request;
pub mod set;

pub use client_auth::{Authenticated, Credentials, Verified, VerifiedAssertion, credentials, prove};
pub use code::{Presented, Redemption, redeem};
pub use refresh::{Turn, acr_now, turn};
pub use request::{TokenRequest, parse};
pub use set::TokenSet;
