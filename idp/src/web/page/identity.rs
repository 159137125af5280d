//! The front page, and «Danh tính của tôi»: the holder's own view of sessions, consents and releases.

use askama::Template;

use super::acting::RequestLine;
use super::transaction::Act;
use super::{Frame, calendar, rendered};
use crate::domain::{Factor, Fault, Moment};

#[derive(Clone, Debug, Template)]
#[template(path = "home.html")]
pub struct Home {
    pub frame: Frame,
}

impl Home {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

/// One standing sign-in of the account.
#[derive(Clone, Debug)]
pub struct SessionLine {
    pub id: String,
    /// The browser that shows the page.
    pub here: bool,
    pub opened_at: Moment,
    pub seen_at: Moment,
    pub factors: Vec<Factor>,
    /// Names of the clients it signed in to.
    pub portals: Vec<String>,
}

/// One purpose a client was let have claims for.
#[derive(Clone, Debug)]
pub struct PurposeLine {
    pub title: String,
    /// Labels of the claims let go; empty when all were refused.
    pub claims: Vec<String>,
    pub decided_at: Moment,
}

/// What one client may read.
#[derive(Clone, Debug)]
pub struct ConsentLine {
    pub client_id: String,
    pub name: String,
    pub organisation: String,
    pub purposes: Vec<PurposeLine>,
    /// It may read while the holder is away.
    pub offline: bool,
}

/// One time claims left.
#[derive(Clone, Debug)]
pub struct ReleaseLine {
    pub at: Moment,
    pub portal: String,
    pub purpose: String,
    pub claims: Vec<String>,
}

/// One transaction the holder approved.
#[derive(Clone, Debug)]
pub struct TransactionLine {
    pub at: Moment,
    pub portal: String,
    pub act: Act,
    pub spent_at: Option<Moment>,
}

/// What was just done on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Withdrawn,
    SessionEnded,
    GuardianAllowed,
    GuardianRefused,
    GuardianNothing,
    GuardianLevel,
}

impl Done {
    pub const ALL: [Done; 6] = [
        Done::Withdrawn,
        Done::SessionEnded,
        Done::GuardianAllowed,
        Done::GuardianRefused,
        Done::GuardianNothing,
        Done::GuardianLevel,
    ];

    /// As it stands in the address the page is shown again under.
    pub const fn name(self) -> &'static str {
        match self {
            Done::Withdrawn => "withdrawn",
            Done::SessionEnded => "session_ended",
            Done::GuardianAllowed => "guardian_allowed",
            Done::GuardianRefused => "guardian_refused",
            Done::GuardianNothing => "guardian_nothing",
            Done::GuardianLevel => "guardian_level",
        }
    }

    pub fn find(name: &str) -> Option<Done> {
        Self::ALL.into_iter().find(|done| done.name() == name)
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "identity.html")]
pub struct Identity {
    pub frame: Frame,
    pub name: String,
    /// Masked.
    pub person_number: String,
    /// `None` for an organisation.
    pub account_level: Option<u8>,
    /// Of this session.
    pub authentication_level: u8,
    /// `None` where the account has no electronic identity.
    pub eid_active: Option<bool>,
    pub sessions: Vec<SessionLine>,
    pub consents: Vec<ConsentLine>,
    /// Newest first.
    pub releases: Vec<ReleaseLine>,
    /// Newest first.
    pub transactions: Vec<TransactionLine>,
    /// Children and wards who wait for the holder's word.
    pub requests: Vec<RequestLine>,
    pub done: Option<Done>,
}

impl Identity {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn minute(&self, moment: &Moment) -> String {
        calendar::minute(*moment)
    }

    fn day(&self, moment: &Moment) -> String {
        calendar::day(*moment)
    }

    fn factor_names(&self, factors: &[Factor]) -> String {
        let names: Vec<_> = factors.iter().map(|factor| self.frame.t(&format!("factor.{}", factor.name()))).collect();
        names.join(" + ")
    }

    fn done_text(&self) -> Option<String> {
        let key = |done: Done| match done {
            Done::Withdrawn | Done::SessionEnded => format!("identity.done.{}", done.name()),
            _ => format!("holders.done.{}", done.name()),
        };
        self.done.map(|done| self.frame.t(&key(done)).into_owned())
    }
}
