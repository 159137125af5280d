//! Sandbox: the whole house on one machine - provider, console, two portals, a resource server and a phone - for people
//! to try.
//!
//! Owns the seeded holders, the portals' registrations and the pages of portals and phone. The portals must not know
//! the provider's rooms: what they learn of a citizen comes over the wire, as with anybody's portal.

mod account;
pub mod app;
pub mod applicants;
pub mod authority;
pub mod clients;
pub mod dossiers;
pub mod form;
pub mod legacy;
pub mod outcome;
pub mod page;
mod papers;
pub mod people;
pub mod phone;
pub mod portal;
pub mod ports;
pub mod registry;
pub mod run;
pub mod seed;
pub mod setup;
pub mod site;
pub mod upstream;
pub mod view;
pub mod visit;
