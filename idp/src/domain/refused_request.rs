//! Requests of clients that were refused, as their own team may see them: which rule was broken, and the parameters
//! without anything secret or personal. An aid for developers that lives a week; what must be remembered is the trail.

use serde::{Deserialize, Serialize};

use super::id::Id;
use super::moment::{Moment, Span};
use super::relying_party::Client;

/// How long a refusal can be looked up.
pub const KEPT: Span = Span::days(7);
/// Within this time…
pub const SHORT: Span = Span::hours(1);
/// …so many refusals of one kind are kept, so that a flood of one does not hide the others…
pub const MOST_OF_A_KIND: usize = 30;
/// …and within this time…
pub const LONG: Span = Span::days(1);
/// …so many of one client, so that nobody fills the disk. The rest is only counted.
pub const MOST_OF_A_CLIENT: usize = 2_000;

/// Where a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Authorize,
    Par,
    Token,
    Introspect,
    Revoke,
    Userinfo,
    EndSession,
    Register,
}

impl Endpoint {
    pub const ALL: [Endpoint; 8] = [
        Endpoint::Authorize,
        Endpoint::Par,
        Endpoint::Token,
        Endpoint::Introspect,
        Endpoint::Revoke,
        Endpoint::Userinfo,
        Endpoint::EndSession,
        Endpoint::Register,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Endpoint::Authorize => "authorize",
            Endpoint::Par => "par",
            Endpoint::Token => "token",
            Endpoint::Introspect => "introspect",
            Endpoint::Revoke => "revoke",
            Endpoint::Userinfo => "userinfo",
            Endpoint::EndSession => "end_session",
            Endpoint::Register => "register",
        }
    }
}

/// One parameter or header as it may be shown: its value where that is harmless, its shape otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(flatten)]
    pub shown: Shown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    Value(String),
    /// Length and kind, such as `JWT, 812 characters`.
    Shape(String),
}

impl Parameter {
    /// As one line.
    pub fn line(&self) -> String {
        match &self.shown {
            Shown::Value(value) => format!("{} = {value}", self.name),
            Shown::Shape(shape) => format!("{} ({shape})", self.name),
        }
    }
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRequest {
    /// Later ones sort after earlier ones.
    pub id: Id<RefusedRequest>,
    pub client: Id<Client>,
    /// The one a page shows, an answer carries and the log line has.
    pub reference: String,
    pub at: Moment,
    pub endpoint: Endpoint,
    pub error: String,
    /// `error_description`.
    pub told: String,
    /// What the answer does not say and the client's own team may know.
    pub reason: Option<String>,
    pub clause: String,
    pub parameters: Vec<Parameter>,
    /// Later refusals of the same kind that were only counted.
    pub repeated: i64,
}

/// How many more of a kind may be kept.
pub fn room(kept_of_kind: usize, kept_of_client: usize) -> usize {
    MOST_OF_A_KIND.saturating_sub(kept_of_kind).min(MOST_OF_A_CLIENT.saturating_sub(kept_of_client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_and_a_client_have_their_budgets() {
        for (of_kind, of_client, expected) in [
            (0, 0, 30),
            (29, 29, 1),
            (30, 30, 0),
            (31, 31, 0),
            (0, 1_990, 10),
            (25, 1_999, 1),
            (0, 2_000, 0),
            (0, 2_001, 0),
        ] {
            assert_eq!(room(of_kind, of_client), expected, "{of_kind} {of_client}");
        }
    }

    #[test]
    fn names_are_those_of_the_columns() {
        for endpoint in Endpoint::ALL {
            assert_eq!(serde_json::to_value(endpoint).unwrap(), endpoint.name());
        }
    }
}
