//! Keys: signing, checking signatures, sealing at rest, blind indexes.
//!
//! Owns: the secret files of the keys directory, the signing keys in use, and everything josekit does. Must not
//! know: what a token says (`protocol` decides that), where sealed values and stored keys are kept, HTTP.
//!
//! josekit is used for its prepared signers, verifiers and encrypters only: serialization, headers and claims are our own,
//! because its payload type writes fractional times, its contexts copy every claim, and its decoder forgives what
//! `security.md` 2.18 refuses.

pub mod certificate;
pub mod client;
mod compact;
pub mod encrypt;
mod json;
mod jwk;
mod name;
pub mod proof;
mod ring;
mod seal;
mod sign;
pub mod tls;
mod vault;

pub use json::object as unrepeated_object;
pub use jwk::thumbprints;
pub use ring::{ACCESS_TOKEN, INTROSPECTION, JWT, Ring};
pub use vault::Vault;

const ROOM: &str = "keys";

#[cfg(test)]
mod tests;
