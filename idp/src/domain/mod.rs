//! The words of the product: accounts, levels, e-ID, clients, consents, grants and what must be remembered.
//!
//! Owns: the types every other room speaks in, and the rules that belong to one word alone
//! (may a holder act, how a lock turns, what a factor is worth). Everything here is pure: time and fresh
//! random values arrive as arguments. Must not know: HTTP, SQL, Redis, signing, protocol parameters.

pub mod account;
pub mod agent;
pub mod app;
pub mod application;
pub mod arrangement;
pub mod authenticator;
pub mod authority_request;
pub mod binding;
pub mod birth;
pub mod calendar;
pub mod card_qr;
pub mod case;
pub mod certificate;
pub mod change;
pub mod circumstances;
pub mod claim;
pub mod confirmation;
pub mod consent;
pub mod eid;
pub mod enrolment;
pub mod evidence;
pub mod failures;
pub mod fault;
pub mod grant;
pub mod holder_notice;
pub mod hotline;
pub mod id;
pub mod interaction;
pub mod invitation;
pub mod json;
pub mod key;
pub mod level;
pub mod linking;
pub mod matching;
pub mod moment;
pub mod outbox;
pub mod paper;
pub mod passkey;
pub mod person_number;
pub mod recovery;
pub mod refused_request;
pub mod register;
pub mod registration;
pub mod relying_party;
pub mod request;
pub mod secret;
pub mod session;
pub mod standing;
pub mod statement;
pub mod trail;
pub mod transaction;
pub mod upstream;

pub use account::{Account, AccountState, Holder};
pub use authenticator::Factor;
pub use fault::Fault;
pub use id::Id;
pub use level::{AccountLevel, Acr, AuthenticationLevel};
pub use moment::{Moment, Span};
pub use person_number::PersonNumber;
pub use relying_party::Client;
