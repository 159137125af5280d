//! The front page, and «Danh tính của tôi»: the holder's own view of sessions, consents and releases.

use askama::Template;

use super::acting::RequestLine;
use super::credentials::Credentials;
use super::factors::PasskeyLine;
use super::safety::{CaseLine, DeviceLine, agent_name};
use super::transaction::Act;
use super::upstream::{LinkLine, Way};
use super::{Frame, calendar, rendered};
use crate::domain::agent::Agent;
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
    pub agent: Option<Agent>,
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
    /// Names it to us, where it can be reported.
    pub grant: Option<String>,
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
    PasskeyAdded,
    PasskeyRenamed,
    PasskeyRemoved,
    TotpAdded,
    TotpRemoved,
    /// Who asks was confirmed; nothing is changed yet.
    Confirmed,
    /// It takes a second way, and the account has none.
    OutOfReach,
    Reported,
    Forgotten,
    Linked,
    Unlinked,
    GuardianAllowed,
    GuardianRefused,
    GuardianNothing,
    GuardianLevel,
}

impl Done {
    pub const ALL: [Done; 17] = [
        Done::Withdrawn,
        Done::SessionEnded,
        Done::PasskeyAdded,
        Done::PasskeyRenamed,
        Done::PasskeyRemoved,
        Done::TotpAdded,
        Done::TotpRemoved,
        Done::Confirmed,
        Done::OutOfReach,
        Done::Reported,
        Done::Forgotten,
        Done::Linked,
        Done::Unlinked,
        Done::GuardianAllowed,
        Done::GuardianRefused,
        Done::GuardianNothing,
        Done::GuardianLevel,
    ];

    /// Where its words stand, and its name in the address the page is shown again under.
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Done::Withdrawn => ("identity", "withdrawn"),
            Done::SessionEnded => ("identity", "session_ended"),
            Done::PasskeyAdded => ("factors", "passkey_added"),
            Done::PasskeyRenamed => ("factors", "passkey_renamed"),
            Done::PasskeyRemoved => ("factors", "passkey_removed"),
            Done::TotpAdded => ("factors", "totp_added"),
            Done::TotpRemoved => ("factors", "totp_removed"),
            Done::Confirmed => ("factors", "confirmed"),
            Done::OutOfReach => ("factors", "out_of_reach"),
            Done::Reported => ("safety", "reported"),
            Done::Forgotten => ("safety", "forgotten"),
            Done::Linked => ("link", "linked"),
            Done::Unlinked => ("link", "unlinked"),
            Done::GuardianAllowed => ("holders", "guardian_allowed"),
            Done::GuardianRefused => ("holders", "guardian_refused"),
            Done::GuardianNothing => ("holders", "guardian_nothing"),
            Done::GuardianLevel => ("holders", "guardian_level"),
        }
    }

    pub const fn name(self) -> &'static str {
        self.told().1
    }

    fn key(self) -> String {
        let (place, name) = self.told();
        format!("{place}.done.{name}")
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
    pub devices: Vec<DeviceLine>,
    pub cases: Vec<CaseLine>,
    /// Password and phone, and what stands around them.
    pub credentials: Credentials,
    /// Accounts elsewhere that sign in here.
    pub links: Vec<LinkLine>,
    /// What may still be linked.
    pub linkable: Vec<Way>,
    /// Children and wards who wait for the holder's word.
    pub requests: Vec<RequestLine>,
    pub done: Option<Done>,
    /// `None` where passkeys cannot be used.
    pub passkeys: Option<Vec<PasskeyLine>>,
    /// Since when an authenticator app counts.
    pub totp: Option<Moment>,
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
        self.done.map(|done| self.frame.t(&done.key()).into_owned())
    }

    fn is_bad_news(&self) -> bool {
        self.done == Some(Done::OutOfReach)
    }

    fn agent(&self, agent: &Option<Agent>) -> String {
        agent_name(&self.frame, agent.as_ref())
    }

    fn case_about(&self, about: &str) -> String {
        self.frame.t(&format!("safety.cases.{about}")).into_owned()
    }

    fn case_step(&self, step: &str) -> String {
        self.frame.t(&format!("safety.cases.{step}")).into_owned()
    }
}
