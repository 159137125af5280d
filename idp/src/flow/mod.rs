//! The journeys: each reads, decides, records and answers.
pub mod account;
pub mod client;
pub mod eid_lock;
pub mod keys;
pub mod operator;
pub mod sealed;
pub mod trail;
