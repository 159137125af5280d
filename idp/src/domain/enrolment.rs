//! An enrolment: a registration request as it is kept, and what was vouched for in it. Its states and clocks are
//! `registration`'s.

use serde::{Deserialize, Serialize};

use super::account::{Account, Holder};
use super::claim::ClaimName;
use super::id::Id;
use super::level::AccountLevel;
use super::moment::Moment;
use super::registration::Progress;
use super::secret::{BlindIndex, Sealed};

/// Who takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The applicant's own browser.
    Online,
    /// An officer's desk.
    Desk,
    /// The account was there before its request: brought in by an operator's file.
    Import,
}

impl Channel {
    pub const fn name(self) -> &'static str {
        match self {
            Channel::Online => "online",
            Channel::Desk => "desk",
            Channel::Import => "import",
        }
    }

    pub fn parse(name: &str) -> Option<Channel> {
        [Channel::Online, Channel::Desk, Channel::Import].into_iter().find(|channel| channel.name() == name)
    }
}

/// What the applicant states, sealed as one text when stored.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Particulars {
    pub name: String,
    /// `YYYY-MM-DD`.
    pub birthdate: String,
    /// `male` or `female`.
    pub gender: String,
    pub email: Option<String>,
    /// The language the applicant reads.
    #[serde(default)]
    pub language: String,
    /// Papers to integrate, asked for at the desk (ND69 Art 10(2)).
    #[serde(default)]
    pub papers: Vec<ClaimName>,
    /// Person numbers of dependants to register (ND69 Art 10(2)đ).
    #[serde(default)]
    pub dependants: Vec<String>,
    /// Person number of the guardian of a child or ward.
    #[serde(default)]
    pub guardian: Option<String>,
}

impl std::fmt::Debug for Particulars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Particulars(hidden)")
    }
}

/// A request as it is kept.
#[derive(Clone, Debug)]
pub struct Enrolment {
    pub id: Id<Enrolment>,
    pub holder: Holder,
    pub level: Option<AccountLevel>,
    pub channel: Channel,
    pub progress: Progress,
    pub person_index: BlindIndex,
    pub person: Sealed,
    pub particulars: Sealed,
    pub phone: Option<Sealed>,
    pub phone_index: Option<BlindIndex>,
    /// When a code sent there came back. An unproved phone never reaches an account (LG-40).
    pub phone_proved_at: Option<Moment>,
    /// The account it was granted as, or is an upgrade of.
    pub account: Option<Id<Account>>,
    /// The officer who took it at the desk.
    pub officer: Option<Id<Account>>,
    pub created_at: Moment,
    /// When a worker looks at it next, and how often one did.
    pub due_at: Option<Moment>,
    pub tries: i64,
    /// Raised by every change; a save must match it.
    pub version: i64,
}

/// What an officer or a register vouches for. References only: never a picture, a print or a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    InPerson,
    CardSeen,
    FaceMatch,
    FingerprintMatch,
    RegisterMatch,
    GuardianPresent,
    Form,
}

impl Proof {
    pub const ALL: [Proof; 7] = [
        Proof::InPerson,
        Proof::CardSeen,
        Proof::FaceMatch,
        Proof::FingerprintMatch,
        Proof::RegisterMatch,
        Proof::GuardianPresent,
        Proof::Form,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Proof::InPerson => "in_person",
            Proof::CardSeen => "card_seen",
            Proof::FaceMatch => "face_match",
            Proof::FingerprintMatch => "fingerprint_match",
            Proof::RegisterMatch => "register_match",
            Proof::GuardianPresent => "guardian_present",
            Proof::Form => "form",
        }
    }

    pub fn parse(name: &str) -> Option<Proof> {
        Self::ALL.into_iter().find(|proof| proof.name() == name)
    }
}

/// One piece of evidence of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    pub proof: Proof,
    /// Where the evidence lies, such as the number of a match in the identity database. Sealed like all that names a person.
    pub reference: Sealed,
    /// An operator's account id, or the name of a register.
    pub by: String,
    pub at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for proof in Proof::ALL {
            assert_eq!(Proof::parse(proof.name()), Some(proof));
        }
        for channel in [Channel::Online, Channel::Desk, Channel::Import] {
            assert_eq!(Channel::parse(channel.name()), Some(channel));
        }
    }
}
