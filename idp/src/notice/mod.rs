//! Notices: how a text reaches a holder.
//!
//! Owns: the trait and its two ways, the operator's SMS gateway and the sandbox's inbox. Must not know: what a
//! message says, how a row is sealed or stored, how a connection is made - the last two arrive as trait objects.

mod sms_http;
mod sms_sandbox;

use std::future::Future;
use std::pin::Pin;

pub use sms_http::{HttpSms, Post};
pub use sms_sandbox::{Inbox, SandboxSms};

use crate::domain::{Fault, Moment};

const ROOM: &str = "notice";

/// A future a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

pub trait Notice: Send + Sync {
    /// Sends `text` to the phone number `to` (E.164). `Ok` means handed over, not read.
    fn send<'a>(&'a self, to: &'a str, text: &'a str, at: Moment) -> Pending<'a, ()>;
}
