//! The journeys: each reads what it needs, lets the pure rules decide, records the effect together with its trail,
//! and answers.
//!
//! Owns: the order of things and the transaction they happen in. Must not know: HTTP types, SQL text, Redis commands,
//! how a signature is made. A refusal that must leave a mark is a value and commits; only faults roll back.

pub mod account;
pub mod acting;
pub mod activate;
pub mod admit;
pub mod answer;
pub mod answers;
pub mod app;
pub mod authorize;
pub mod back_channel;
pub mod bearer;
pub mod binding;
pub mod brake;
pub mod caller;
pub mod cases;
pub mod change;
pub mod client;
pub mod client_keys;
pub mod consent;
pub mod eid_lock;
pub mod enrol;
pub mod factor_change;
pub mod facts;
pub mod fresh;
pub mod guardian;
pub mod hints;
pub mod home;
pub mod inbox;
pub mod introspect;
pub mod invitation;
pub mod keep;
pub mod keys;
pub mod linking;
mod linking_code;
pub mod logo;
pub mod logout;
pub mod not_me;
pub mod notices;
pub mod officer;
pub mod operator;
pub mod outbox;
pub mod own_keys;
pub mod own_lock;
pub mod own_unlock;
pub mod page;
pub mod papers;
pub mod par;
pub mod passkey_sign_in;
pub mod passkeys;
pub mod phone_code;
pub mod quota;
pub mod recover;
pub mod refuse;
pub mod register;
pub mod registry;
pub mod registry_events;
pub mod reproof;
pub mod request_object;
pub mod resource;
pub mod revoke;
pub mod sealed;
pub mod sector;
mod sent_code;
pub mod session_state;
pub mod sessions;
pub mod sign_in;
pub mod step_up;
pub mod tls;
pub mod token;
pub mod totp;
pub mod trace;
pub mod trail;
pub mod transaction;
pub mod upstream;
pub mod upstream_logout;
pub mod upstreams;
pub mod userinfo;

use std::net::IpAddr;

use crate::domain::agent::Agent;
use crate::domain::id::Id;
use crate::domain::interaction::Interaction;
use crate::domain::relying_party::Client;
use crate::domain::secret::{BrowserCookie, DeviceCookie, Minted, SessionCookie, Stored};
use crate::domain::standing::Refusal;
use crate::protocol::Error;
use crate::protocol::authorize::Outgoing;

/// What a browser showed us of itself: its cookies and where it calls from.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    pub session: Option<Stored<SessionCookie>>,
    pub browser: Option<Stored<BrowserCookie>>,
    pub device: Option<Stored<DeviceCookie>>,
    /// What clients' pages ask our frame about. It changes with who is signed in, and gives no right to anything.
    pub state: Option<String>,
    /// What it calls itself, for its owner to recognise; nothing is decided by it.
    pub agent: Option<Agent>,
    /// Where the request came from; used for throttling only.
    pub address: Option<IpAddr>,
    /// The language pages are shown in: `vi` or `en`.
    pub language: &'static str,
}

/// Cookies an answer sets or clears.
#[derive(Debug, Default)]
pub struct Cookies {
    pub session: Option<Minted<SessionCookie>>,
    pub end_session: bool,
    pub browser: Option<Minted<BrowserCookie>>,
    /// Set once in the life of a device, so it takes no room in every answer.
    pub device: Option<Box<Minted<DeviceCookie>>>,
    pub state: Option<Box<str>>,
}

/// Which of our pages comes next in an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    SignIn,
    Otp,
    Passkey,
    Qr,
    Consent,
    Transaction,
    Level,
    Guardian,
    Locked,
    NotActivated,
    CardExpired,
    Represent,
}

impl Step {
    pub const ALL: [Step; 12] = [
        Step::SignIn,
        Step::Otp,
        Step::Passkey,
        Step::Qr,
        Step::Consent,
        Step::Transaction,
        Step::Level,
        Step::Guardian,
        Step::Locked,
        Step::NotActivated,
        Step::CardExpired,
        Step::Represent,
    ];

    /// The page's own path and its `data-page` (`contract.md` 6).
    pub const fn name(self) -> &'static str {
        match self {
            Step::SignIn => "sign-in",
            Step::Otp => "otp",
            Step::Passkey => "passkey",
            Step::Qr => "qr",
            Step::Consent => "consent",
            Step::Transaction => "transaction",
            Step::Level => "level",
            Step::Guardian => "guardian",
            Step::Locked => "locked",
            Step::NotActivated => "not-activated",
            Step::CardExpired => "card-expired",
            Step::Represent => "represent",
        }
    }

    /// The page that explains a refusal to its holder.
    pub const fn of_refusal(refusal: Refusal) -> Step {
        match refusal {
            Refusal::NotActivated => Step::NotActivated,
            Refusal::CardExpired | Refusal::PermitExpired | Refusal::PassportExpired => Step::CardExpired,
            Refusal::GuardianRequired => Step::Guardian,
            _ => Step::Locked,
        }
    }
}

/// How a request at a page or at the authorization endpoint ends.
#[derive(Debug)]
pub enum Outcome {
    /// A page of ours, never a redirect: no address is trusted.
    Shown(Error),
    /// Back to the client.
    Returned(Box<Returned>),
    /// On to one of our pages within an interaction.
    Page(Step, Id<Interaction>),
    /// On to a page of ours that is no interaction (`/identity`).
    OwnPage(String),
    /// To our own GET, so that the browser's cookies come along.
    Posted(Id<Interaction>),
}

/// An authorization response on its way.
#[derive(Debug)]
pub struct Returned {
    pub outgoing: Outgoing,
    pub client: Id<Client>,
    /// The error the client is told, for logs and metrics.
    pub error: Option<Error>,
}

/// An outcome with the cookies that go with it.
#[derive(Debug)]
pub struct Answer {
    pub outcome: Outcome,
    pub cookies: Cookies,
}

impl Answer {
    pub fn bare(outcome: Outcome) -> Self {
        Self { outcome, cookies: Cookies::default() }
    }
}
