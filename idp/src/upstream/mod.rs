//! Upstream: another OpenID Provider, of which we are a client.
//!
//! Owns: its discovery document and keys, the request that sends a browser there, the redemption of what comes back,
//! every check of the tokens it signs, and the breaker that leaves it alone while it is down. Must not know: accounts,
//! links, sessions, how a connection is made (that arrives as a `Carrier`), or what a sign-in leads to.

mod breaker;
mod oidc;
mod token;

use std::future::Future;
use std::pin::Pin;

pub use breaker::Breaker;
pub use oidc::{Oidc, Settings};
pub use token::LoggedOut;

use serde_json::{Map, Value};

use crate::domain::{Fault, Moment};

/// A future a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Reads a JSON object in which nothing is repeated (`security.md` UP-13).
pub type ReadObject = fn(&[u8]) -> Result<Map<String, Value>, String>;

/// A request to a provider.
pub struct Carried {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    /// A form to post. Absent: the request is a GET.
    pub form: Option<String>,
}

/// What came back, whatever its status.
pub struct Arrived {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// The way to a provider: hardened, without redirects, bounded in time and size (`security.md` D8).
pub trait Carrier: Send + Sync {
    fn carry(&self, request: Carried) -> Pending<'_, Arrived>;
}

/// Who signed in there, once every check passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub sub: String,
    pub sid: Option<String>,
    pub acr: Option<String>,
}

/// What one sign-in is bound to; none of it can be guessed.
pub struct Bound<'a> {
    pub state: &'a str,
    pub nonce: &'a str,
    pub verifier: &'a str,
    pub begun_at: Moment,
}

/// How we prove ourselves at a token endpoint.
pub enum Credential {
    Secret(String),
    /// RFC 7523 §2.2: a signed assertion.
    Assertion(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not answer, or not in its own protocol. For the log.
    Unreachable(String),
    /// Its document names another issuer than was configured (`security.md` UP-01).
    OtherIssuer,
    /// It answered our request with an error.
    Refused(String),
    /// What it sent does not belong to what we asked; nothing in it is believed.
    Untrusted(&'static str),
}

impl Failure {
    /// As logs and metrics name it.
    pub const fn name(&self) -> &'static str {
        match self {
            Failure::Unreachable(_) => "unreachable",
            Failure::OtherIssuer => "other_issuer",
            Failure::Refused(_) => "refused",
            Failure::Untrusted(_) => "untrusted",
        }
    }

    /// Whether it says that the provider is down, rather than that one sign-in was no good.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Failure::Unreachable(_))
    }
}
