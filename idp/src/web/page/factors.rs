//! Pages of passkeys and the authenticator app.

use askama::Template;

use super::{Asker, Frame, assets, calendar, picture, rendered};
use crate::domain::{Fault, Moment};

/// A challenge the page's script hands to the browser.
#[derive(Clone, Debug)]
pub struct PasskeyForm {
    pub ceremony: String,
    /// JSON for `navigator.credentials`.
    pub options: String,
}

impl PasskeyForm {
    pub fn script(&self) -> &'static str {
        &assets::PASSKEY.path
    }
}

/// Why a passkey was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyProblem {
    Expired,
    Refused,
}

impl PasskeyProblem {
    pub const ALL: [PasskeyProblem; 2] = [Self::Expired, Self::Refused];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Expired => "factors.passkey.problem.expired",
            Self::Refused => "factors.passkey.problem.refused",
        }
    }
}

/// The missing factor is a passkey.
#[derive(Clone, Debug, Template)]
#[template(path = "passkey.html")]
pub struct PasskeyStep {
    pub frame: Frame,
    pub asker: Option<Asker>,
    pub service: Option<String>,
    pub passkey: PasskeyForm,
    /// Where a code is taken instead.
    pub use_code: Option<String>,
    pub problem: Option<PasskeyProblem>,
}

impl PasskeyStep {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasskeyProblem {
    Expired,
    Refused,
    Registered,
    TooMany,
}

impl NewPasskeyProblem {
    pub const ALL: [NewPasskeyProblem; 4] = [Self::Expired, Self::Refused, Self::Registered, Self::TooMany];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Expired => "factors.new_passkey.problem.expired",
            Self::Refused => "factors.new_passkey.problem.refused",
            Self::Registered => "factors.new_passkey.problem.registered",
            Self::TooMany => "factors.new_passkey.problem.too_many",
        }
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "new-passkey.html")]
pub struct NewPasskey {
    pub frame: Frame,
    /// `None` where passkeys cannot be made.
    pub passkey: Option<PasskeyForm>,
    pub problem: Option<NewPasskeyProblem>,
}

impl NewPasskey {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewTotpProblem {
    Wrong,
    /// No code is tried for so many seconds.
    Wait(i64),
}

#[derive(Template)]
#[template(path = "new-totp.html")]
pub struct NewTotp {
    pub frame: Frame,
    pub qr: picture::Picture,
    /// The secret in groups.
    pub secret: String,
    pub problem: Option<NewTotpProblem>,
}

impl NewTotp {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn problem_text(&self) -> Option<String> {
        Some(match self.problem? {
            NewTotpProblem::Wrong => self.frame.t("factors.app.wrong").into_owned(),
            NewTotpProblem::Wait(seconds) => {
                self.frame.fill("factors.new_totp.wait", "minutes", seconds.max(1).saturating_add(59) / 60)
            }
        })
    }
}

/// One passkey of the holder's.
#[derive(Clone, Debug)]
pub struct PasskeyLine {
    pub id: String,
    pub label: String,
    pub synced: bool,
    pub created_at: Moment,
    pub used_at: Option<Moment>,
}

impl PasskeyLine {
    pub fn created(&self) -> String {
        calendar::minute(self.created_at)
    }

    pub fn used(&self) -> Option<String> {
        self.used_at.map(calendar::minute)
    }
}
