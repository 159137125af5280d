//! Accounts and the holders they belong to.

use serde::{Deserialize, Serialize};

use super::circumstances::Circumstances;
use super::eid::ElectronicId;
use super::id::Id;
use super::level::AccountLevel;
use super::moment::Moment;

/// Who an account is for (ND69 Art 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holder {
    Citizen,
    Foreigner,
    Organisation,
}

impl Holder {
    pub const fn name(self) -> &'static str {
        match self {
            Holder::Citizen => "citizen",
            Holder::Foreigner => "foreigner",
            Holder::Organisation => "organisation",
        }
    }

    pub fn parse(name: &str) -> Option<Holder> {
        [Holder::Citizen, Holder::Foreigner, Holder::Organisation].into_iter().find(|holder| holder.name() == name)
    }
}

/// ND69 Art 14(1): an account works only after its holder activated it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountState {
    Granted,
    Activated,
}

impl AccountState {
    pub const fn name(self) -> &'static str {
        match self {
            AccountState::Granted => "granted",
            AccountState::Activated => "activated",
        }
    }

    pub fn parse(name: &str) -> Option<AccountState> {
        [AccountState::Granted, AccountState::Activated].into_iter().find(|state| state.name() == name)
    }
}

/// An account as the decisions see it: no personal data, only facts. Personal data are claims, sealed apart.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: Id<Account>,
    pub holder: Holder,
    /// `None` for organisations.
    pub level: Option<AccountLevel>,
    pub state: AccountState,
    /// The e-ID that comes with a citizen's level 2 (ND69 Art 28(2)); `None` otherwise.
    pub eid: Option<ElectronicId>,
    /// When the identity card stops being valid; the account locks by itself then (ND69 Art 15).
    pub card_expires: Option<Moment>,
    /// The guardian whose confirmation each use needs (ND69 Art 14(2)).
    pub guardian: Option<Id<Account>>,
    pub circumstances: Circumstances,
    /// Whether a verified phone is on file, so that an OTP can be sent.
    pub has_phone: bool,
    pub has_password: bool,
}
