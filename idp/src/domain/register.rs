//! What the state's registers say: a person as the population database holds one, papers, and what happened to a card or
//! a life. Nothing here prints itself.

use std::fmt;

use chrono::NaiveDate;
use serde_json::Value;

use super::claim::ClaimName;
use super::moment::Moment;
use super::person_number::PersonNumber;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStatus {
    Valid,
    Revoked,
    Held,
    Expired,
}

impl CardStatus {
    pub const fn name(self) -> &'static str {
        match self {
            CardStatus::Valid => "valid",
            CardStatus::Revoked => "revoked",
            CardStatus::Held => "held",
            CardStatus::Expired => "expired",
        }
    }

    pub fn parse(name: &str) -> Option<CardStatus> {
        let all = [CardStatus::Valid, CardStatus::Revoked, CardStatus::Held, CardStatus::Expired];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// The identity card of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    pub issued: Option<NaiveDate>,
    /// `None` for a card that never expires.
    pub expires: Option<NaiveDate>,
    pub status: CardStatus,
}

impl Card {
    /// A card is good to the end of its last day.
    pub fn is_valid(&self, today: NaiveDate) -> bool {
        self.status == CardStatus::Valid && self.expires.is_none_or(|last| today <= last)
    }
}

/// A claim as a register states it, in a form we take.
#[derive(Clone, PartialEq)]
pub struct Paper {
    pub claim: ClaimName,
    pub value: Value,
}

impl fmt::Debug for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Paper({}, value hidden)", self.claim)
    }
}

/// What a register holds about one person besides who they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Papers {
    pub taken: Vec<Paper>,
    /// Claims whose value has a form we do not take: never stored.
    pub refused: Vec<ClaimName>,
}

/// A person as the population database holds one.
#[derive(Clone, PartialEq)]
pub struct Record {
    pub number: PersonNumber,
    pub name: String,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: not every birth date is known to the day.
    pub birthdate: String,
    /// `male` or `female`.
    pub gender: String,
    pub card: Option<Card>,
    pub deceased: bool,
    pub papers: Papers,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", self.number)
    }
}

/// What happened to a card or a life (ND69 Art 29(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryEventKind {
    CardRevoked,
    CardHeld,
    CardReturned,
    CardRenewed { expires: Option<NaiveDate> },
    CardExpired,
    Death,
}

impl RegistryEventKind {
    pub const fn name(self) -> &'static str {
        match self {
            RegistryEventKind::CardRevoked => "card_revoked",
            RegistryEventKind::CardHeld => "card_held",
            RegistryEventKind::CardReturned => "card_returned",
            RegistryEventKind::CardRenewed { .. } => "card_renewed",
            RegistryEventKind::CardExpired => "card_expired",
            RegistryEventKind::Death => "death",
        }
    }

    /// `expires` belongs to `card_renewed`; null or absent there means a card without an end.
    pub fn parse(name: &str, expires: Option<NaiveDate>) -> Option<RegistryEventKind> {
        let renewed = RegistryEventKind::CardRenewed { expires };
        let all = [
            RegistryEventKind::CardRevoked,
            RegistryEventKind::CardHeld,
            RegistryEventKind::CardReturned,
            renewed,
            RegistryEventKind::CardExpired,
            RegistryEventKind::Death,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryEvent {
    /// Unique and the same at every reading; where the next reading begins.
    pub id: String,
    pub person_number: PersonNumber,
    pub at: Moment,
    pub kind: RegistryEventKind,
    /// The register that says so.
    pub source: String,
}

/// A piece of the feed of events, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<RegistryEvent>,
    /// Events that could not be read: recorded by whoever reads the feed, and passed over.
    pub refused: Vec<String>,
    /// Where the next reading begins; `None` when there was nothing new.
    pub cursor: Option<String>,
}
