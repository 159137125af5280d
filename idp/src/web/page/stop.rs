//! Pages that end a sign-in: what is lacking, why the account cannot be used now, and what to do about it.

use askama::Template;

use super::{Asker, Frame, rendered};
use crate::domain::standing::Refusal;
use crate::domain::{Fault, Holder};

/// What the `level` page says is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Account level 2 (`account_level`): which office upgrades depends on who the account is for.
    AccountLevel(Holder),
    /// No verified phone is on file to send a code to (`authentication_level`).
    Phone,
    /// An authentication level that no factor here reaches (`authentication_level`).
    Authentication(u8),
}

impl Lack {
    pub const ALL: [Lack; 5] = [
        Lack::AccountLevel(Holder::Citizen),
        Lack::AccountLevel(Holder::Foreigner),
        Lack::AccountLevel(Holder::Organisation),
        Lack::Phone,
        Lack::Authentication(3),
    ];

    /// Where its words stand, and how a page with it is called in tests.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Lack::AccountLevel(Holder::Citizen) => "citizen",
            Lack::AccountLevel(Holder::Foreigner) => "foreigner",
            Lack::AccountLevel(Holder::Organisation) => "organisation",
            Lack::Phone => "phone",
            Lack::Authentication(_) => "factor",
        }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "level.html")]
pub struct Level {
    pub frame: Frame,
    pub asker: Option<Asker>,
    pub service: Option<String>,
    pub lack: Lack,
}

impl Level {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn key(&self, part: &str) -> String {
        format!("level.{}.{part}", self.lack.key())
    }

    fn says(&self, part: &str) -> String {
        let level = if let Lack::Authentication(level) = self.lack { level } else { 2 };
        self.frame.fill(&self.key(part), "level", level)
    }

    fn steps(&self) -> Vec<String> {
        steps(&self.frame, &format!("level.{}", self.lack.key()))
    }
}

/// Why a sign-in ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Guardian,
    Locked,
    NotActivated,
    CardExpired,
    /// A foreigner's papers lock the account as a citizen's card does (ND69 Art 15).
    PermitExpired,
    PassportExpired,
    /// Over a limit, or a part of ours is missing: try again after so many seconds.
    Busy {
        seconds: i64,
    },
}

impl Reason {
    pub const ALL: [Reason; 7] = [
        Reason::Guardian,
        Reason::Locked,
        Reason::NotActivated,
        Reason::CardExpired,
        Reason::PermitExpired,
        Reason::PassportExpired,
        Reason::Busy { seconds: 30 },
    ];

    /// The page a refusal ends in. Refusals that are not the holder's have none.
    pub const fn of(refusal: Refusal) -> Option<Reason> {
        match refusal {
            Refusal::GuardianRequired => Some(Reason::Guardian),
            Refusal::Locked | Refusal::Dissolved => Some(Reason::Locked),
            Refusal::PermitExpired => Some(Reason::PermitExpired),
            Refusal::PassportExpired => Some(Reason::PassportExpired),
            Refusal::NotActivated => Some(Reason::NotActivated),
            Refusal::CardExpired => Some(Reason::CardExpired),
            Refusal::ClientNotLive
            | Refusal::GrantRevoked
            | Refusal::SessionEnded
            | Refusal::RepresentativeRequired
            | Refusal::NoAccount => None,
        }
    }

    /// `data-page`, and the path of the page.
    pub const fn page(self) -> &'static str {
        match self {
            Reason::Guardian => "guardian",
            Reason::Locked => "locked",
            Reason::NotActivated => "not-activated",
            Reason::CardExpired | Reason::PermitExpired | Reason::PassportExpired => "card-expired",
            Reason::Busy { .. } => "busy",
        }
    }

    /// Where its words stand.
    const fn key(self) -> &'static str {
        match self {
            Reason::Guardian => "stop.guardian",
            Reason::Locked => "stop.locked",
            Reason::NotActivated => "stop.not_activated",
            Reason::CardExpired => "stop.card_expired",
            Reason::PermitExpired => "holders.permit_expired",
            Reason::PassportExpired => "holders.passport_expired",
            Reason::Busy { .. } => "stop.busy",
        }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "stop.html")]
pub struct Stop {
    pub frame: Frame,
    pub reason: Reason,
    pub asker: Option<Asker>,
    /// Whether there is an interaction to end: `#back-to-client` is shown.
    pub back: bool,
    /// An address of ours to try again at (`busy` only).
    pub retry: Option<String>,
    /// Finds the trace of a failure of ours.
    pub reference: Option<String>,
}

impl Stop {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn key(&self, part: &str) -> String {
        format!("{}.{part}", self.reason.key())
    }

    fn says(&self, part: &str) -> String {
        let seconds = if let Reason::Busy { seconds } = self.reason { seconds.max(1) } else { 0 };
        self.frame.fill(&self.key(part), "seconds", seconds)
    }

    fn steps(&self) -> Vec<String> {
        steps(&self.frame, self.reason.key())
    }

    /// Where whoever locked their own account opens it again.
    fn unlock(&self) -> Option<String> {
        (self.reason == Reason::Locked).then(|| self.frame.link("/unlock"))
    }

    fn may_activate(&self) -> bool {
        self.reason == Reason::NotActivated
    }
}

/// What to do next, in order: `KEY.step_1`, `KEY.step_2`, …
pub(super) fn steps(frame: &Frame, key: &str) -> Vec<String> {
    (1..=9)
        .map_while(|number| super::words::find(frame.language, &format!("{key}.step_{number}")))
        .map(std::borrow::Cow::into_owned)
        .collect()
}
