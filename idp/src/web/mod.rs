//! The door: HTTP in, HTTP out.
