//! The words of the product: accounts, levels, e-ID, clients, consents, grants and what must be remembered.
//!
//! Owns: the types every other room speaks in, and the rules that belong to one word alone
//! (may a holder act, how a lock turns, what a factor is worth). Everything here is pure: time and fresh
//! random values arrive as arguments. Must not know: HTTP, SQL, Redis, signing, protocol parameters.

pub mod account;
pub mod arrangement;
pub mod authenticator;
pub mod binding;
pub mod birth;
pub mod certificate;
pub mod circumstances;
pub mod claim;
pub mod confirmation;
pub mod consent;
pub mod eid;
pub mod evidence;
pub mod failures;
pub mod fault;
pub mod grant;
pub mod id;
pub mod interaction;
pub mod invitation;
pub mod key;
pub mod level;
pub mod moment;
pub mod outbox;
pub mod person_number;
pub mod refused_request;
pub mod relying_party;
pub mod request;
pub mod secret;
pub mod session;
pub mod standing;
pub mod trail;
pub mod transaction;

pub use account::{Account, AccountState, Holder};
pub use authenticator::Factor;
pub use fault::Fault;
pub use id::Id;
pub use level::{AccountLevel, Acr, AuthenticationLevel};
pub use moment::{Moment, Span};
pub use person_number::PersonNumber;
pub use relying_party::Client;
