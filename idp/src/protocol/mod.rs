//! The rules of OAuth 2.0 and OpenID Connect, as pure functions with the clause beside the line.
//!
//! Owns: what a request means, whether it may be answered, and what the answer says. Must not know: HTTP types,
//! SQL, time or randomness (they arrive as arguments), signature verification (`keys` does it and hands over
//! the verified claims).

pub mod access_token;
pub mod app;
pub mod authorization_details;
pub mod authorize;
pub mod binding;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod front_channel;
pub mod id_token;
pub mod introspect;
pub mod jti;
pub use crate::domain::json;
pub mod logout;
pub mod logout_token;
pub mod mtls;
pub mod name;
pub mod params;
pub mod pkce;
pub mod profile;
pub mod redact;
pub mod registration;
pub mod release;
pub mod resource;
pub mod revoke;
pub mod scope;
pub mod session_state;
pub mod step_up;
pub mod subject;
pub mod token;
pub mod trace;
pub mod uri;
pub mod userinfo;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use error::{Error, ErrorCode};
pub use params::Params;
