//! The pages of the holder's own lock: what locking does before it is done, what was done, and opening again.

use askama::Template;

use super::{Frame, OtpProblem, SignInProblem, rendered};
use crate::domain::Fault;

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockProblem {
    /// The password must be given, and was not.
    Missing,
    SignIn(SignInProblem),
}

#[derive(Clone, Debug, Template)]
#[template(path = "lock.html")]
pub struct Lock {
    pub frame: Frame,
    pub name: String,
    /// Masked.
    pub person_number: String,
    pub has_eid: bool,
    /// Whether the password is asked for once more.
    pub password: bool,
    /// Who will be told.
    pub portals: Vec<String>,
    pub problem: Option<LockProblem>,
}

impl Lock {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn problem_text(&self) -> Option<String> {
        match self.problem? {
            LockProblem::Missing => Some(self.frame.t("safety.lock.missing").into_owned()),
            LockProblem::SignIn(problem) => Some(sign_in_text(&self.frame, problem)),
        }
    }
}

fn sign_in_text(frame: &Frame, problem: SignInProblem) -> String {
    frame.fill(problem.key(), "seconds", problem.seconds())
}

#[derive(Clone, Debug, Template)]
#[template(path = "lock-done.html")]
pub struct LockDone {
    pub frame: Frame,
}

impl LockDone {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }
}

/// How far the holder has come with opening.
#[derive(Clone, Debug)]
pub enum Stage {
    Password { person_number: String, problem: Option<SignInProblem> },
    Code { phone: String, minutes: i64, problem: Option<OtpProblem>, sent_again: bool },
    NotLocked,
    OtherGround,
    NoPhone,
    Opened { still_locked: bool },
}

impl Stage {
    /// Where the words of a stage that only tells something stand.
    const fn told(&self) -> Option<&'static str> {
        match self {
            Stage::Password { .. } | Stage::Code { .. } => None,
            Stage::NotLocked => Some("safety.unlock.not_locked"),
            Stage::OtherGround => Some("safety.unlock.other_ground"),
            Stage::NoPhone => Some("safety.unlock.no_phone"),
            Stage::Opened { still_locked: false } => Some("safety.unlock.opened"),
            Stage::Opened { still_locked: true } => Some("safety.unlock.still_locked"),
        }
    }

    const fn may_sign_in(&self) -> bool {
        matches!(self, Stage::NotLocked | Stage::Opened { still_locked: false })
    }
}

#[derive(Clone, Debug, Template)]
#[template(path = "unlock.html")]
pub struct Unlock {
    pub frame: Frame,
    pub stage: Stage,
}

impl Unlock {
    pub fn render(&self) -> Result<String, Fault> {
        rendered(self)
    }

    fn problem_text(&self) -> Option<String> {
        match &self.stage {
            Stage::Password { problem, .. } => problem.map(|problem| sign_in_text(&self.frame, problem)),
            Stage::Code { problem, .. } => {
                problem.map(|problem| self.frame.fill(problem.key(), "minutes", problem.minutes()))
            }
            _ => None,
        }
    }
}
