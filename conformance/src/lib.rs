//! Conformance: real relying parties, the sandbox that shows them at work, and the suites that hold the provider to
//! its standards. May use every room of the provider; nothing of the provider knows it.

pub mod device;
pub mod rp;
pub mod sandbox;
