//! Registration: a request for an account, from the first form to the activation (`domain.md` 6.1, ND69 Art 10-14).
//!
//! `draft → submitted → checking → {granted | rejected}`, `granted → notified → {activated | activation_overdue →
//! activated_via_hotline}`. An upgrade of level 1 to 2 is a new request. Pure: the present is an argument.

use super::account::Holder;
use super::calendar;
use super::level::AccountLevel;
use super::moment::Moment;

/// Why a request is refused. Names are only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The number, the name, the birth date or the gender is not what the register holds. Also said of a number the register
    /// does not know, of a deceased holder and of somebody who has an account: a stranger learns nothing (LG-01).
    NotMatched,
    /// ND69 Art 7(1): who is under fourteen is registered by a guardian.
    UnderAge,
    /// ND69 Art 7(1): no valid card. The desk registers, within seven working days.
    CardNotValid,
    /// The person at the desk is not who the dossier says.
    IdentityNotProved,
    /// ND69 Art 10(2): the phone number is not the applicant's own.
    PhoneNotOwn,
    /// Something is missing from the dossier.
    DossierIncomplete,
    /// The applicant took it back.
    Withdrawn,
    /// Another request of the same person was granted first (LG-40).
    Superseded,
}

impl Reason {
    pub const ALL: [Reason; 8] = [
        Reason::NotMatched,
        Reason::UnderAge,
        Reason::CardNotValid,
        Reason::IdentityNotProved,
        Reason::PhoneNotOwn,
        Reason::DossierIncomplete,
        Reason::Withdrawn,
        Reason::Superseded,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Reason::NotMatched => "not_matched",
            Reason::UnderAge => "under_age",
            Reason::CardNotValid => "card_not_valid",
            Reason::IdentityNotProved => "identity_not_proved",
            Reason::PhoneNotOwn => "phone_not_own",
            Reason::DossierIncomplete => "dossier_incomplete",
            Reason::Withdrawn => "withdrawn",
            Reason::Superseded => "superseded",
        }
    }

    pub fn parse(name: &str) -> Option<Reason> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Being filled in; the phone is not proved yet.
    Draft,
    /// The dossier is complete: the clock runs.
    Submitted,
    /// Compared with the registers, or examined at the desk.
    Checking,
    Rejected(Reason),
    Granted,
    /// The holder was told: seven days to activate.
    Notified,
    Activated,
    ActivationOverdue,
    ActivatedViaHotline,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Submitted => "submitted",
            State::Checking => "checking",
            State::Rejected(_) => "rejected",
            State::Granted => "granted",
            State::Notified => "notified",
            State::Activated => "activated",
            State::ActivationOverdue => "activation_overdue",
            State::ActivatedViaHotline => "activated_via_hotline",
        }
    }

    pub const fn reason(self) -> Option<Reason> {
        match self {
            State::Rejected(reason) => Some(reason),
            _ => None,
        }
    }

    /// `None` for a word we do not know, and for a refusal without its reason.
    pub fn parse(name: &str, reason: Option<Reason>) -> Option<State> {
        if name == "rejected" {
            return reason.map(State::Rejected);
        }
        let plain = [
            State::Draft,
            State::Submitted,
            State::Checking,
            State::Granted,
            State::Notified,
            State::Activated,
            State::ActivationOverdue,
            State::ActivatedViaHotline,
        ];
        plain.into_iter().find(|state| state.name() == name)
    }

    /// Neither decided nor given up.
    pub const fn is_open(self) -> bool {
        matches!(self, State::Draft | State::Submitted | State::Checking)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The dossier is complete and its phone proved.
    Submit(Dossier),
    Check,
    Grant,
    Reject(Reason),
    Notify,
    Activate,
    /// Time passed: the seven days may be over.
    Lapse,
    ActivateByHotline,
}

/// What decides the length of the clock (ND69 Art 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dossier {
    pub holder: Holder,
    /// `None` for organisations.
    pub level: Option<AccountLevel>,
    /// A citizen: the card is valid. A foreigner: face and prints are in the immigration database. An organisation: it is in a
    /// national or specialised database.
    pub on_record: bool,
}

/// A period of ND69 Art 13.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    WorkingDays(u32),
    /// Plain days, holidays included.
    Days(u32),
}

impl Clock {
    pub fn ends(self, start: Moment) -> Moment {
        match self {
            Clock::WorkingDays(days) => calendar::deadline(start, days),
            Clock::Days(days) => calendar::plain_deadline(start, days),
        }
    }
}

/// ND69 Art 14(1): days to activate, from the notice.
const ACTIVATION_DAYS: u32 = 7;

impl Dossier {
    /// `domain.md` B4-B6.
    pub const fn clock(self) -> Clock {
        match (self.holder, self.level, self.on_record) {
            // ND69 Art 13(1)-(2): a citizen with a valid card.
            (Holder::Citizen, Some(AccountLevel::One), true) => Clock::WorkingDays(1),
            (Holder::Citizen, _, true) => Clock::WorkingDays(3),
            (Holder::Citizen, _, false) => Clock::WorkingDays(7),
            // ND69 Art 13(3).
            (Holder::Foreigner, Some(AccountLevel::One), _) => Clock::WorkingDays(1),
            (Holder::Foreigner, _, true) => Clock::WorkingDays(3),
            (Holder::Foreigner, _, false) => Clock::WorkingDays(7),
            // ND69 Art 13(4): the fifteen are plain days.
            (Holder::Organisation, _, true) => Clock::WorkingDays(3),
            (Holder::Organisation, _, false) => Clock::Days(15),
        }
    }
}

/// ND69 Art 14(1): when the seven days are over.
pub fn activate_by(notified_at: Moment) -> Moment {
    calendar::plain_deadline(notified_at, ACTIVATION_DAYS)
}

/// Where a request stands, with its clocks. Everything a turn decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub state: State,
    /// When the dossier was complete.
    pub submitted_at: Option<Moment>,
    /// ND69 Art 13.
    pub decide_by: Option<Moment>,
    pub decided_at: Option<Moment>,
    pub notified_at: Option<Moment>,
    /// ND69 Art 14(1).
    pub activate_by: Option<Moment>,
}

impl Progress {
    pub const NEW: Progress = Progress {
        state: State::Draft,
        submitted_at: None,
        decide_by: None,
        decided_at: None,
        notified_at: None,
        activate_by: None,
    };

    /// What an event makes of it; `None` where the event means nothing, and changes nothing.
    pub fn turn(self, event: Event, now: Moment) -> Option<Progress> {
        let to = |state| Progress { state, ..self };
        match (self.state, event) {
            (State::Draft, Event::Submit(dossier)) => Some(Progress {
                submitted_at: Some(now),
                decide_by: Some(dossier.clock().ends(now)),
                ..to(State::Submitted)
            }),
            (State::Submitted, Event::Check) => Some(to(State::Checking)),
            (State::Checking, Event::Grant) => Some(Progress { decided_at: Some(now), ..to(State::Granted) }),
            (State::Draft | State::Submitted | State::Checking, Event::Reject(reason)) => {
                Some(Progress { decided_at: Some(now), ..to(State::Rejected(reason)) })
            }
            (State::Granted, Event::Notify) => {
                Some(Progress { notified_at: Some(now), activate_by: Some(activate_by(now)), ..to(State::Notified) })
            }
            // Who activates before the notice is recorded has seen it.
            (State::Granted, Event::Activate) => Some(to(State::Activated)),
            (State::Notified, Event::Activate) if !self.is_overdue(now) => Some(to(State::Activated)),
            (State::Notified, Event::Lapse) if self.is_overdue(now) => Some(to(State::ActivationOverdue)),
            // ND69 Art 14(1): later only through the hotline, which may also help sooner.
            (State::Granted | State::Notified | State::ActivationOverdue, Event::ActivateByHotline) => {
                Some(to(State::ActivatedViaHotline))
            }
            _ => None,
        }
    }

    /// ND69 Art 14(1): whether the seven days are over.
    pub fn is_overdue(&self, now: Moment) -> bool {
        self.activate_by.is_some_and(|end| now >= end)
    }

    /// ND69 Art 13: whether a decision is owed and late.
    pub fn is_late(&self, now: Moment) -> bool {
        self.state.is_open() && self.decide_by.is_some_and(|end| now >= end)
    }
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
