//! The officer's desk: what an officer does about a citizen, in person with them or for an authority.
//!
//! Owns: who an officer is, that an act is done once by its key, and the order of things within it. Every act names the
//! officer in the citizen's trail and is one transaction: the officer still stands, the key is new, the rules agree, the
//! effect, the event. Must not know: pages, JSON, HTTP. A relying party is nobody here: it can order nothing
//! (`domain.md` D12).

pub mod authority;
pub mod dossier;
pub mod enrol;
pub mod holder_lock;
pub mod hotline;
mod notify;
mod once;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::account::Account;
use crate::domain::authority_request;
use crate::domain::grant::Party;
use crate::domain::relying_party::ClientStatus;
use crate::domain::{Client, Fault, Id};
use crate::flow::bearer;
use crate::flow::operator::{self, Visitor};
use crate::idp::Idp;
use crate::protocol::binding::{Possession, Scheme, may_present};
use crate::store;

pub use once::{Filed, Key};

/// Proof that somebody is an officer in good standing. Only `of` and `by_token` make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    account: Id<Account>,
}

impl Officer {
    /// The officer a visitor of the console is, if they are one.
    pub fn of(visitor: &Visitor, idp: &Idp) -> Option<Officer> {
        let (Visitor::Operator(account) | Visitor::Officer(account)) = visitor else { return None };
        operator::is_officer(account, idp).then(|| Officer { account: account.clone() })
    }

    pub fn account(&self) -> &Id<Account> {
        &self.account
    }
}

/// What a bearer of an access token turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    Officer(Officer),
    /// A token of the console in good standing, of somebody without the role.
    WithoutRole,
    /// Nothing of ours, expired, revoked, of another client, or bound to a key it was not shown with.
    Nobody,
}

/// RFC 6750 §2.1: the officer behind an access token. Only one issued to the console for an officer counts; a relying
/// party's own is nobody's, whatever its scope.
pub async fn by_token(token: &str, idp: &Arc<Idp>) -> Result<Bearer, Fault> {
    let (hash, this) = (bearer::record(token, idp), Arc::clone(idp));
    let console: Id<Client> = Id::new(idp.config.admin.client_id.clone());
    let found = idp
        .store
        .read(move |db| {
            let Some((issued, grant)) = store::token::find_access(db, &hash)? else { return Ok(None) };
            let alive = issued.revoked_at.is_none() && this.clock.now() < issued.expires_at;
            let held = Possession { jkt: None, x5t: None };
            if !alive
                || grant.client != console
                || may_present(issued.confirmation.as_ref(), Scheme::Bearer, &held).is_err()
            {
                return Ok(None);
            }
            let Party::Holder(holder) = &grant.party else { return Ok(None) };
            let status = store::client::find(db, &console)?.map(|registered| registered.status);
            let stands = super::token::holder_stands(db, status.or(Some(ClientStatus::Closed)), &grant, holder, &this)?;
            Ok(stands.is_ok().then(|| holder.account.clone()))
        })
        .await?;
    Ok(match found {
        None => Bearer::Nobody,
        Some(account) if operator::is_officer(&account, idp) => Bearer::Officer(Officer { account }),
        Some(_) => Bearer::WithoutRole,
    })
}

/// Why an act of an officer was not done. Names are part of the REST interface: only added, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A field is missing or not acceptable; nothing was tried.
    Malformed,
    /// The officer was locked, or lost the role, in between.
    OfficerGone,
    /// The key was used before for something else.
    KeyReused,
    NoAccount,
    NoRequest,
    /// LCC Art 34(2): nothing unlocks after death.
    Death,
    AlreadyForwarded,
    NotForwarded,
    AlreadyDecided,
    /// Whoever received a request may not decide it.
    SameEyes,
    /// Another application of the person is being examined.
    AlreadyOpen,
    AlreadyLevelTwo,
    /// Level 1 was asked for somebody who has an account.
    AlreadyRegistered,
    /// ND69 Art 10(1): whoever needs no guardian asks for level 1 on the registration page.
    LevelOneOnline,
    /// ND69 Art 7: a guardian registers a child.
    UnderAge,
    /// ND69 Art 7(1): level 1 only.
    UnderSix,
    /// The guardian named has no account that may act for others, is not the one on record, or has another phone.
    GuardianUnfit,
    /// A grant needs a card in force.
    CardMissing,
    /// The hotline checked too little of who calls.
    NotChecked,
    /// ND69 Art 14(1): its holder activated it, or may still choose the password.
    NotWaiting,
}

impl Refusal {
    pub const ALL: [Refusal; 20] = [
        Refusal::Malformed,
        Refusal::OfficerGone,
        Refusal::KeyReused,
        Refusal::NoAccount,
        Refusal::NoRequest,
        Refusal::Death,
        Refusal::AlreadyForwarded,
        Refusal::NotForwarded,
        Refusal::AlreadyDecided,
        Refusal::SameEyes,
        Refusal::AlreadyOpen,
        Refusal::AlreadyLevelTwo,
        Refusal::AlreadyRegistered,
        Refusal::LevelOneOnline,
        Refusal::UnderAge,
        Refusal::UnderSix,
        Refusal::GuardianUnfit,
        Refusal::CardMissing,
        Refusal::NotChecked,
        Refusal::NotWaiting,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Refusal::Malformed => "malformed",
            Refusal::OfficerGone => "officer_gone",
            Refusal::KeyReused => "key_reused",
            Refusal::NoAccount => "no_account",
            Refusal::NoRequest => "no_request",
            Refusal::Death => "death",
            Refusal::AlreadyForwarded => "already_forwarded",
            Refusal::NotForwarded => "not_forwarded",
            Refusal::AlreadyDecided => "already_decided",
            Refusal::SameEyes => "same_eyes",
            Refusal::AlreadyOpen => "already_open",
            Refusal::AlreadyLevelTwo => "already_level_two",
            Refusal::AlreadyRegistered => "already_registered",
            Refusal::LevelOneOnline => "level_one_online",
            Refusal::UnderAge => "under_age",
            Refusal::UnderSix => "under_six",
            Refusal::GuardianUnfit => "guardian_unfit",
            Refusal::CardMissing => "card_missing",
            Refusal::NotChecked => "not_checked",
            Refusal::NotWaiting => "not_waiting",
        }
    }
}

impl From<authority_request::Objection> for Refusal {
    fn from(objection: authority_request::Objection) -> Self {
        match objection {
            authority_request::Objection::AlreadyForwarded => Refusal::AlreadyForwarded,
            authority_request::Objection::NotForwarded => Refusal::NotForwarded,
            authority_request::Objection::AlreadyDecided => Refusal::AlreadyDecided,
            authority_request::Objection::SameEyes => Refusal::SameEyes,
        }
    }
}

/// How an act ends unless a fault of ours stops it.
pub type Ended<T> = Result<Result<T, Refusal>, Fault>;

#[cfg(test)]
mod tests;
