//! Recovery: how somebody who forgot the password comes back (`security.md` 2.14, P15, LG-19, LG-20).
//!
//! A recovery begins with the person number and ends with a new password. In between stand proofs, and they are facts of
//! this one recovery: where it stands is derived from them and never stored, so that no step can be skipped and a proof
//! given elsewhere counts for nothing (CVE-2026-18963).
//!
//! Two proofs of different kinds are asked for. The first is a code to the phone on file: never enough, since one phone
//! may serve several people (ND69 Art 10(2)đ) and changes hands. The second is one of `Second`. A kind of proof added
//! later (a passkey, a code of an authenticator app) is one more word there with the wait it leaves.
//!
//! What comes of it is level 1 (LG-20). Being proofed in person raised the account, and only being proofed in person
//! again raises it back: `Doubts` keeps when either happened. The phone opened the way back, so for the cooling-off it
//! is not a second factor beside the password it let in.

use super::account::Account;
use super::id::Id;
use super::moment::{Moment, Span};
use super::secret::{BlindIndex, Otp, RecoveryCookie, Stored};

/// The proof beside the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Second {
    /// A browser the account signed in from before: something held, apart from the phone's number.
    KnownDevice,
    /// The day the identity card expires, which is printed on it and told to no portal. Photographs of cards go about, so
    /// it is weak: it only begins the cooling-off, in which the holder can stop what is under way.
    Card,
}

impl Second {
    pub const ALL: [Second; 2] = [Second::KnownDevice, Second::Card];

    pub const fn name(self) -> &'static str {
        match self {
            Second::KnownDevice => "known_device",
            Second::Card => "card",
        }
    }

    pub fn parse(name: &str) -> Option<Second> {
        Self::ALL.into_iter().find(|second| second.name() == name)
    }

    /// How long after it the password may be set.
    pub const fn wait(self, cooling_off: Span) -> Span {
        match self {
            Second::KnownDevice => Span::ZERO,
            Second::Card => cooling_off,
        }
    }
}

/// How a recovery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    Done,
    /// The holder said it was somebody else.
    Stopped,
    /// Left by whoever began it.
    GivenUp,
    /// The account was locked, replaced, signed in to with the password, or recovered otherwise.
    Overtaken,
}

impl Ending {
    pub const ALL: [Ending; 4] = [Ending::Done, Ending::Stopped, Ending::GivenUp, Ending::Overtaken];

    pub const fn name(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Stopped => "stopped",
            Ending::GivenUp => "given_up",
            Ending::Overtaken => "overtaken",
        }
    }

    pub fn parse(name: &str) -> Option<Ending> {
        Self::ALL.into_iter().find(|ending| ending.name() == name)
    }
}

/// Where a recovery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    PhoneCode,
    SecondProof,
    /// Everything is proved; the password may be set from then on.
    Waiting(Moment),
    NewPassword,
    Over(Option<Ending>),
}

/// A step that is not this recovery's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfTurn;

/// One try to come back, bound to the browser that began it.
#[derive(Clone, Debug)]
pub struct Recovery {
    pub id: Id<Recovery>,
    pub browser: Stored<RecoveryCookie>,
    /// What is counted under it is counted for a number nobody has as well.
    pub person: BlindIndex,
    /// `None`: nobody who may recover has the number. It goes no further than the code, and looks like any other.
    pub account: Option<Id<Account>>,
    pub code: Option<Stored<Otp>>,
    pub code_expires_at: Option<Moment>,
    pub phone_proved_at: Option<Moment>,
    pub second: Option<(Second, Moment)>,
    pub ready_at: Option<Moment>,
    /// What the notice to the phone lets its owner stop this with.
    pub stop_code: Option<Stored<Otp>>,
    pub began_at: Moment,
    pub expires_at: Moment,
    pub ending: Option<(Ending, Moment)>,
}

/// How long things last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Until all proofs are given, and to choose a password when the wait is over.
    pub step: Span,
    pub cooling_off: Span,
}

/// After a wait, the person has a day to come back.
const COME_BACK: Span = Span::hours(24);

impl Recovery {
    pub fn stage(&self, now: Moment) -> Stage {
        if let Some((ending, _)) = self.ending {
            return Stage::Over(Some(ending));
        }
        // At the limit itself it is over (LG-19).
        if now >= self.expires_at {
            return Stage::Over(None);
        }
        match (self.account.as_ref(), self.phone_proved_at, self.second, self.ready_at) {
            (Some(_), Some(_), Some(_), Some(ready)) if now < ready => Stage::Waiting(ready),
            (Some(_), Some(_), Some(_), Some(_)) => Stage::NewPassword,
            (Some(_), Some(_), _, _) => Stage::SecondProof,
            _ => Stage::PhoneCode,
        }
    }

    /// The code sent to the phone came back.
    pub fn prove_phone(&mut self, now: Moment) -> Result<(), OutOfTurn> {
        if self.stage(now) != Stage::PhoneCode || self.account.is_none() {
            return Err(OutOfTurn);
        }
        self.phone_proved_at = Some(now);
        self.code = None;
        Ok(())
    }

    /// The other proof was given: from here the clock of the cooling-off runs.
    pub fn prove_second(&mut self, second: Second, pace: Pace, now: Moment) -> Result<(), OutOfTurn> {
        if self.stage(now) != Stage::SecondProof {
            return Err(OutOfTurn);
        }
        let wait = second.wait(pace.cooling_off);
        self.second = Some((second, now));
        self.ready_at = Some(now + wait);
        self.expires_at = now + wait + if wait == Span::ZERO { pace.step } else { COME_BACK };
        Ok(())
    }

    /// Whose password may be set now.
    pub fn may_set_password(&self, now: Moment) -> Result<&Id<Account>, OutOfTurn> {
        match (self.stage(now), &self.account) {
            (Stage::NewPassword, Some(account)) => Ok(account),
            _ => Err(OutOfTurn),
        }
    }
}

/// What is in doubt about an account: facts with their times, from which its levels are derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// When the password was last recovered.
    pub recovered_at: Option<Moment>,
    /// When an officer last proofed the holder in person as at enrolment.
    pub reproofed_at: Option<Moment>,
    /// LG-38: before this a code to the phone is no second factor, since the phone or the password changed by it.
    pub phone_counts_from: Option<Moment>,
}

impl Doubts {
    /// LG-20: recovered, and not proofed since.
    pub fn caps_level(&self) -> bool {
        self.recovered_at.is_some() && self.reproofed_at < self.recovered_at
    }

    pub fn phone_counts(&self, now: Moment) -> bool {
        self.phone_counts_from.is_none_or(|from| now >= from)
    }
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
