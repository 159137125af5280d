//! The authorization endpoint: may we answer this address, is the request in order, and what happens next.
//!
//! Owns: RFC 6749 §4.1.1-4.1.2, OIDC Core §3.1.2, RFC 7636 §4.3, RFC 9101, RFC 9126, RFC 9207 and JARM as decisions. Must not know: cookies,
//! pages, or how facts are read.

pub mod address;
pub mod answer;
pub mod checks;
pub mod claims;
pub mod demand;
pub mod jar;
pub mod next;
pub mod par;

pub use address::{AddressPolicy, Outgoing, ReturnAddress, address, client_id, named};
pub use checks::{HintState, Hints, LoginHint, Way, validate};
pub use next::{Decided, Facts, Next, Shortfall, barred_error, denied, next};
