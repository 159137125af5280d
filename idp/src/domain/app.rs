//! The VNeID app on the one device it is bound to, and the tickets by which it approves a sign-in that goes on in
//! another browser (ND69 Art 3(7); `security.md` LG-31 to LG-37). What a ticket may still become is decided here; the
//! store guards each turn again with a conditional update.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::authenticator::{self, Factor};
use super::id::Id;
use super::interaction::Interaction;
use super::level::AuthenticationLevel;
use super::moment::Moment;
use super::secret::{AppChallenge, Sealed, Stored};

/// Wrong numbers typed after which a ticket is dead.
pub const MOST_TRIES: i64 = 3;

/// The device an app is bound to.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: Id<Device>,
    pub account: Id<Account>,
    /// As its holder called it.
    pub name: Sealed,
    /// The public half of its key, a JWK.
    pub key: String,
    pub bound_at: Moment,
    pub used_at: Option<Moment>,
    pub removed_at: Option<Moment>,
}

/// How the holder unlocked the app for an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlock {
    Passcode,
    Face,
}

impl Unlock {
    const ALL: [Unlock; 2] = [Unlock::Passcode, Unlock::Face];

    pub const fn name(self) -> &'static str {
        match self {
            Unlock::Passcode => "passcode",
            Unlock::Face => "face",
        }
    }

    pub fn parse(name: &str) -> Option<Unlock> {
        Self::ALL.into_iter().find(|unlock| unlock.name() == name)
    }

    pub const fn factor(self) -> Factor {
        match self {
            Unlock::Passcode => Factor::AppPasscode,
            Unlock::Face => Factor::AppFace,
        }
    }

    /// The least that brings what was proved to `wanted`. Everything, where nothing does.
    pub fn towards(wanted: Option<AuthenticationLevel>, proved: &[Factor]) -> &'static [Unlock] {
        const CHOICES: [&[Unlock]; 3] = [&[Unlock::Passcode], &[Unlock::Face], &Unlock::ALL];
        let reaches = |choice: &&&[Unlock]| reached(choice.iter().map(|unlock| unlock.factor()), proved) >= wanted;
        CHOICES.iter().find(reaches).copied().unwrap_or(&Self::ALL)
    }
}

/// What an approval and the proofs before it add up to.
pub fn reached(approved: impl IntoIterator<Item = Factor>, proved: &[Factor]) -> Option<AuthenticationLevel> {
    let all: Vec<Factor> = proved.iter().copied().chain(approved).collect();
    authenticator::level(&all)
}

/// Where a request seems to come from, as far as anybody told us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// ISO 3166 letters, from a trusted proxy only.
    pub country: Option<String>,
    pub city: Option<String>,
    /// The network, its tail left out.
    pub network: String,
}

impl Place {
    /// `security.md` LG-34: both countries are known and differ.
    pub fn is_abroad_of(&self, other: &Place) -> bool {
        matches!((&self.country, &other.country), (Some(one), Some(two)) if !one.eq_ignore_ascii_case(two))
    }
}

/// What the screen that shows a ticket knows: kept sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Screen {
    pub ticket: String,
    /// Two digits, to be typed in the app.
    pub number: String,
    pub place: Place,
    pub browser: String,
    /// What its session had proved already.
    pub proved: Vec<Factor>,
}

/// How a ticket came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A newer one took its place.
    Superseded,
    Declined,
    /// Too many wrong numbers.
    Guessed,
    /// The account or the device may not any more.
    Cancelled,
    /// Its browser went on with it.
    Taken,
}

impl Ending {
    const ALL: [Ending; 5] = [Ending::Superseded, Ending::Declined, Ending::Guessed, Ending::Cancelled, Ending::Taken];

    pub const fn name(self) -> &'static str {
        match self {
            Ending::Superseded => "superseded",
            Ending::Declined => "declined",
            Ending::Guessed => "guessed",
            Ending::Cancelled => "cancelled",
            Ending::Taken => "taken",
        }
    }

    pub fn parse(name: &str) -> Option<Ending> {
        Self::ALL.into_iter().find(|ending| ending.name() == name)
    }
}

#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: Id<Ticket>,
    pub interaction: Id<Interaction>,
    pub screen: Sealed,
    /// Whose it is: the session's from the beginning, else the first phone's.
    pub account: Option<Id<Account>>,
    /// The first phone that scanned it.
    pub device: Option<Id<Device>>,
    /// What that phone was given to sign.
    pub challenge: Option<Stored<AppChallenge>>,
    /// Another phone scanned it too.
    pub contested: bool,
    pub tries: i64,
    /// Set by the approval.
    pub factors: Option<Vec<Factor>>,
    pub expires_at: Moment,
    pub ended: Option<Ending>,
}

/// What the app answers with.
#[derive(Clone, Debug)]
pub struct Approval {
    pub challenge: Stored<AppChallenge>,
    /// The holder was shown that another phone had scanned it too, and goes on.
    pub aware: bool,
}

/// Why the app is refused. The names are the wire's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not signed by a bound device, not for us, not now, or said before.
    Statement,
    /// No binding code of this kind is open.
    Code,
    Unknown,
    Expired,
    Ended(Ending),
    /// Another phone scanned it first.
    TakenByAnother,
    /// It belongs to somebody else's session.
    OtherAccount,
    /// The phone and the screen are in different countries.
    Abroad,
    NotScanned,
    WrongNumber,
    /// Another phone scanned it too, and the holder was not told yet.
    Contested,
    /// The unlock does not reach what the portal asks.
    TooWeak,
    /// The holder may not use the account now.
    Barred,
    /// Too often.
    Pace,
}

impl Refused {
    pub const fn name(self) -> &'static str {
        match self {
            Refused::Statement => "invalid_statement",
            Refused::Code => "invalid_code",
            Refused::Unknown => "unknown_ticket",
            Refused::Expired => "expired",
            Refused::Ended(ending) => ending.name(),
            Refused::TakenByAnother => "scanned_by_another",
            Refused::OtherAccount => "other_account",
            Refused::Abroad => "other_country",
            Refused::NotScanned => "not_scanned",
            Refused::WrongNumber => "wrong_number",
            Refused::Contested => "contested",
            Refused::TooWeak => "unlock_too_weak",
            Refused::Barred => "account_barred",
            Refused::Pace => "slow_down",
        }
    }
}

impl Ticket {
    /// Whether it can still be answered or taken.
    fn stands(&self, now: Moment) -> Result<(), Refused> {
        match self.ended {
            Some(ending) => Err(Refused::Ended(ending)),
            None if now >= self.expires_at => Err(Refused::Expired),
            None => Ok(()),
        }
    }

    /// `security.md` LG-32: the first phone to scan it is the only one that may answer.
    pub fn scan(&self, by: &Device, now: Moment) -> Result<(), Refused> {
        self.stands(now)?;
        match &self.device {
            Some(device) if *device != by.id => return Err(Refused::TakenByAnother),
            _ if self.factors.is_some() => return Err(Refused::Ended(Ending::Taken)),
            _ => {}
        }
        match &self.account {
            Some(account) if *account != by.account => Err(Refused::OtherAccount),
            _ => Ok(()),
        }
    }

    /// Whether this phone may answer it: what is left is the number.
    pub fn approve(&self, by: &Device, approval: &Approval, now: Moment) -> Result<(), Refused> {
        self.scan(by, now)?;
        if self.device.is_none() || self.challenge.as_ref() != Some(&approval.challenge) {
            return Err(Refused::NotScanned);
        }
        if self.contested && !approval.aware {
            return Err(Refused::Contested);
        }
        if self.tries >= MOST_TRIES { Err(Refused::Ended(Ending::Guessed)) } else { Ok(()) }
    }

    /// The factors its own browser may go on with now.
    pub fn approved(&self, now: Moment) -> Option<&[Factor]> {
        self.stands(now).ok().and(self.factors.as_deref())
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
