//! Fault: something of ours failed - database, short memory, upstream, signing. The caller is told nothing but
//! that it was us, and a reference; the detail goes to the log.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A part is missing or failing: 503, try again.
    Unavailable,
    /// More work than the bound allows right now: 503 with `Retry-After`.
    Overloaded,
    /// A state that must not exist, such as a row that does not decode.
    Broken,
}

pub struct Fault {
    pub cause: Cause,
    /// Which room failed, e.g. `store`.
    pub room: &'static str,
    /// For the log only; never holds a secret or personal data.
    pub detail: String,
}

impl Fault {
    pub fn unavailable(room: &'static str, detail: impl fmt::Display) -> Self {
        Self { cause: Cause::Unavailable, room, detail: detail.to_string() }
    }

    pub fn overloaded(room: &'static str, detail: impl fmt::Display) -> Self {
        Self { cause: Cause::Overloaded, room, detail: detail.to_string() }
    }

    pub fn broken(room: &'static str, detail: impl fmt::Display) -> Self {
        Self { cause: Cause::Broken, room, detail: detail.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}: {}", self.cause, self.room, self.detail)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fault {}
