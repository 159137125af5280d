//! A request of a proceedings body or another competent authority to lock or unlock somebody's e-ID (LCC Art 34(1)đ,
//! (2)đ): received by a police office, forwarded to C06, decided there. Two clocks run one after the other, and whoever
//! received a request never decides it.

use super::account::Account;
use super::id::Id;
use super::moment::{Moment, Span};
use super::statement::Statement;

/// What the authority asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Lock,
    Unlock,
}

impl Wish {
    pub const ALL: [Wish; 2] = [Wish::Lock, Wish::Unlock];

    pub const fn name(self) -> &'static str {
        match self {
            Wish::Lock => "lock",
            Wish::Unlock => "unlock",
        }
    }

    pub fn parse(name: &str) -> Option<Wish> {
        Self::ALL.into_iter().find(|wish| wish.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Received,
    Forwarded,
    Accepted,
    Refused,
}

impl Stage {
    pub const ALL: [Stage; 4] = [Stage::Received, Stage::Forwarded, Stage::Accepted, Stage::Refused];

    pub const fn name(self) -> &'static str {
        match self {
            Stage::Received => "received",
            Stage::Forwarded => "forwarded",
            Stage::Accepted => "accepted",
            Stage::Refused => "refused",
        }
    }

    pub fn parse(name: &str) -> Option<Stage> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub by: Id<Account>,
    pub at: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Accept,
    /// ND69 Art 30(5): a refusal is in writing and says why.
    Refuse(Statement),
}

/// A written request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub wish: Wish,
    /// Who asks, e.g. a procuracy or an investigating agency.
    pub authority: Statement,
    /// The number of its document.
    pub paper: Statement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityRequest {
    pub id: Id<AuthorityRequest>,
    /// Whose e-ID it is about.
    pub account: Id<Account>,
    pub letter: Letter,
    pub received: Signed,
    /// ND69 Art 30(3): the receiving office forwards within one working day.
    pub forward_by: Moment,
    pub forwarded: Option<Signed>,
    /// ND69 Art 30(4): decided within two working days more; three in all while it was not forwarded yet.
    pub decide_by: Moment,
    pub decided: Option<(Signed, Decision)>,
}

/// Why an act does not fit a request as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    AlreadyForwarded,
    NotForwarded,
    AlreadyDecided,
    /// Whoever received a request may not decide it.
    SameEyes,
}

/// A deadline that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub until: Moment,
    /// Negative once it has passed.
    pub left: Span,
}

impl Clock {
    pub fn new(until: Moment, now: Moment) -> Self {
        Self { until, left: until.since(now) }
    }

    pub fn is_overdue(self) -> bool {
        // The deadline is the first moment that is too late.
        self.left <= Span::ZERO
    }
}

/// The end of so many working days after a moment.
pub trait WorkingDays {
    fn after(&self, from: Moment, days: u32) -> Moment;
}

impl<F: Fn(Moment, u32) -> Moment> WorkingDays for F {
    fn after(&self, from: Moment, days: u32) -> Moment {
        self(from, days)
    }
}

impl AuthorityRequest {
    const FORWARDING: u32 = 1;
    const DECIDING: u32 = 2;

    pub fn receive(
        id: Id<AuthorityRequest>,
        account: Id<Account>,
        letter: Letter,
        received: Signed,
        days: &impl WorkingDays,
    ) -> Self {
        let forward_by = days.after(received.at, Self::FORWARDING);
        let decide_by = days.after(received.at, Self::FORWARDING + Self::DECIDING);
        Self { id, account, letter, received, forward_by, forwarded: None, decide_by, decided: None }
    }

    pub fn stage(&self) -> Stage {
        match (&self.decided, &self.forwarded) {
            (Some((_, Decision::Accept)), _) => Stage::Accepted,
            (Some((_, Decision::Refuse(_))), _) => Stage::Refused,
            (None, Some(_)) => Stage::Forwarded,
            (None, None) => Stage::Received,
        }
    }

    /// The clock that runs now; none once decided.
    pub fn clock(&self, now: Moment) -> Option<Clock> {
        match self.stage() {
            Stage::Received => Some(Clock::new(self.forward_by, now)),
            Stage::Forwarded => Some(Clock::new(self.decide_by, now)),
            Stage::Accepted | Stage::Refused => None,
        }
    }

    pub fn forward(mut self, by: Signed, days: &impl WorkingDays) -> Result<Self, Objection> {
        match self.stage() {
            Stage::Received => {}
            Stage::Forwarded => return Err(Objection::AlreadyForwarded),
            Stage::Accepted | Stage::Refused => return Err(Objection::AlreadyDecided),
        }
        self.decide_by = days.after(by.at, Self::DECIDING);
        self.forwarded = Some(by);
        Ok(self)
    }

    pub fn decide(mut self, by: Signed, decision: Decision) -> Result<Self, Objection> {
        match self.stage() {
            Stage::Forwarded => {}
            Stage::Received => return Err(Objection::NotForwarded),
            Stage::Accepted | Stage::Refused => return Err(Objection::AlreadyDecided),
        }
        if by.by == self.received.by {
            return Err(Objection::SameEyes);
        }
        self.decided = Some((by, decision));
        Ok(self)
    }
}

#[cfg(test)]
#[path = "authority_request_tests.rs"]
mod tests;
