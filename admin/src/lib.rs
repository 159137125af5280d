//! The operator's side: a command line beside the running servers and a console in the browser.
//!
//! Every act goes through a flow of `idp`, never to the store, so that none escapes the trail.

pub mod api;
pub mod cli;
mod tk01;
pub mod web;
