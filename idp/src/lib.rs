//! The identity provider: signs citizens in with their VNeID account and tells portals exactly what they may know.
//!
//! The map (a row may use what it names; `idp/tests/architecture.rs` holds it to that):
//!
//! | room | is | may use |
//! |---|---|---|
//! | `domain` | the words | nothing |
//! | `protocol` | the rules of OAuth and OpenID Connect, pure | `domain` |
//! | `store`, `ephemeral`, `keys`, `factor`, `notice`, `fetch`, `registry`, `upstream` | the tools | `domain`, themselves |
//! | `flow` | the journeys: read, decide, record, answer | all of the above |
//! | `web` | the door | `domain`, `protocol` types, `flow` |
//!
//! Start reading at `domain::standing` (who may act), then `protocol::authorize::next` (what happens next), then
//! `flow::authorize` (how a request is answered).

// The words of the pages, in both languages.
rust_i18n::i18n!("src/web/words", fallback = "vi");

pub mod attacks;
pub mod clock;
pub mod config;
pub mod domain;
pub mod ephemeral;
pub mod factor;
pub mod fetch;
pub mod flow;
pub mod idp;
pub mod keys;
pub mod notice;
pub mod protocol;
pub mod random;
pub mod registry;
pub mod store;
pub mod telemetry;
pub mod upstream;
pub mod web;
