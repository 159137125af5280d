//! The door: HTTP in, HTTP out.

pub mod cookie;
pub mod headers;
pub mod page;
