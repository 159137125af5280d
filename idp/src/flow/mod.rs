//! The journeys: each reads, decides, records and answers.
pub mod account;
pub mod strict_json;
