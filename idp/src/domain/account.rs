//! Accounts and the holders they belong to.

use serde::{Deserialize, Serialize};

use super::authenticator::Factor;
use super::circumstances::Circumstances;
use super::eid::{ElectronicId, Grounds, LockGround, LockOrder, Turned};
use super::id::Id;
use super::level::AccountLevel;
use super::moment::Moment;
use super::recovery::Doubts;

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
    /// Open grounds of an account without an e-ID; empty where there is one.
    pub own_locks: Grounds,
    /// When the identity card stops being valid; the account locks by itself then (ND69 Art 15).
    pub card_expires: Option<Moment>,
    /// The guardian whose confirmation each use needs (ND69 Art 14(2)).
    pub guardian: Option<Id<Account>>,
    pub circumstances: Circumstances,
    /// Whether a verified phone is on file, so that an OTP can be sent.
    pub has_phone: bool,
    pub has_password: bool,
    /// An authenticator app whose first code was right.
    pub has_totp: bool,
    /// The strongest of the account's passkeys, as it surely counts: whether a synced one counts for more is known when
    /// it is used.
    pub passkey: Option<Factor>,
    /// Whether the VNeID app is bound to a device.
    pub has_app: bool,
    /// What a recovery or a change of phone leaves to be proved again.
    pub doubts: Doubts,
}

impl Account {
    /// The grounds that count: the e-ID's, else the account's own.
    pub fn locks(&self) -> &Grounds {
        self.eid.as_ref().map_or(&self.own_locks, |eid| &eid.locks)
    }

    fn locks_mut(&mut self) -> &mut Grounds {
        self.eid.as_mut().map_or(&mut self.own_locks, |eid| &mut eid.locks)
    }

    pub fn is_locked(&self) -> bool {
        !self.locks().is_empty()
    }

    pub fn is_locked_on(&self, ground: LockGround) -> bool {
        self.locks().contains(ground)
    }

    pub fn lock(&mut self, order: &LockOrder) -> Turned {
        self.locks_mut().lock(order)
    }

    pub fn unlock(&mut self, order: &LockOrder) -> Turned {
        self.locks_mut().unlock(order)
    }

    /// ND69 Art 15: a citizen's account stops with its card.
    pub fn card_has_expired(&self, now: Moment) -> bool {
        self.card_expires.is_some_and(|expires| now >= expires)
    }

    /// As its factors count now: a phone in doubt is no factor (`security.md` LG-38).
    pub fn counting(mut self, now: Moment) -> Self {
        self.has_phone &= self.doubts.phone_counts(now);
        self
    }
}
