//! May this subject act now? The single gate on every path that issues or confirms anything (`security.md` D5).
//! Standing is derived from facts read in the same transaction, never stored and never cached.

use super::account::{Account, AccountState, Holder};
use super::birth::Birth;
use super::grant::Grant;
use super::level::{AccountLevel, AuthenticationLevel, Levels};
use super::moment::Moment;
use super::relying_party::ClientStatus;
use super::session::{Session, SessionLimits};

/// Proof that `may_act` said yes. Every function that mints asks for one; nothing else makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    account_level: Option<AccountLevel>,
    /// `None` for an organisation, which has no level of its own (ND69 Art 7(3)).
    stated: Option<AccountLevel>,
}

impl Standing {
    /// The account level demands are measured by: a citizen's two only with an active e-ID (ND69 Art 28), for an
    /// organisation that of its representative (`contract.md` 4, "acr").
    pub fn account_level(self) -> Option<AccountLevel> {
        self.account_level
    }

    pub fn levels(self, authentication: AuthenticationLevel) -> Levels {
        Levels { account: self.account_level, authentication }
    }

    /// The account level that may be stated as a fact.
    pub fn stated_level(self) -> Option<AccountLevel> {
        self.stated
    }

    pub fn stated(self, authentication: AuthenticationLevel) -> Levels {
        Levels { account: self.stated, authentication }
    }
}

/// Why not. The client's own team and the holder learn different parts of it; a portal learns nothing of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    ClientNotLive,
    GrantRevoked,
    SessionEnded,
    NotActivated,
    Locked,
    CardExpired,
    GuardianRequired,
    /// A foreigner's residence permit, passport or travel paper.
    PermitExpired,
    PassportExpired,
    Dissolved,
    /// An organisation acts through a person only.
    RepresentativeRequired,
    /// The grant speaks of an account that no longer exists.
    NoAccount,
}

impl Refusal {
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::ClientNotLive => "client_not_live",
            Refusal::GrantRevoked => "grant_revoked",
            Refusal::SessionEnded => "session_ended",
            Refusal::NotActivated => "not_activated",
            Refusal::Locked => "locked",
            Refusal::CardExpired => "card_expired",
            Refusal::GuardianRequired => "guardian_required",
            Refusal::PermitExpired => "permit_expired",
            Refusal::PassportExpired => "passport_expired",
            Refusal::Dissolved => "dissolved",
            Refusal::RepresentativeRequired => "representative_required",
            Refusal::NoAccount => "no_account",
        }
    }
}

/// Everything the decision looks at. What a path does not have yet (no grant before consent) is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    pub client: Option<ClientStatus>,
    pub subject: Subject<'a>,
    /// Who acts for the subject, where somebody else does.
    pub actor: Option<Actor<'a>>,
    pub grant: Option<&'a Grant>,
    /// The session a grant without `offline_access` lives and dies with.
    pub session: Option<(&'a Session, SessionLimits)>,
}

#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Holder(&'a Account),
    /// The account a grant names was not found.
    Missing,
    /// `client_credentials`: no holder is involved.
    ClientItself,
}

/// Somebody who acts for the subject: a child's or ward's guardian, or an organisation's representative.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// `None`: the account is gone.
    pub account: Option<&'a Account>,
    /// Represents the subject now, by the organisation's record.
    pub represents: bool,
}

/// The gate.
pub fn may_act(asking: Asking<'_>, now: Moment) -> Result<Standing, Refusal> {
    if asking.client.is_some_and(|status| status != ClientStatus::Live) {
        return Err(Refusal::ClientNotLive);
    }
    if asking.grant.is_some_and(|grant| grant.revoked_at.is_some()) {
        return Err(Refusal::GrantRevoked);
    }
    if asking.grant.is_some_and(|grant| !grant.offline) && !session_stands(&asking, now) {
        return Err(Refusal::SessionEnded);
    }
    match asking.subject {
        Subject::ClientItself => Ok(Standing { account_level: None, stated: None }),
        Subject::Missing => Err(Refusal::NoAccount),
        Subject::Holder(account) => holder(account, asking.actor, now),
    }
}

/// Sign-out and the absolute limit end what the session issued, unless the holder let it go on offline. A session that
/// cannot be found has ended; a client's own grant never had one.
fn session_stands(asking: &Asking<'_>, now: Moment) -> bool {
    match (asking.session, asking.subject) {
        (Some((session, limits)), _) => session.ended_at.is_none() && now.since(session.opened_at) < limits.absolute,
        (None, subject) => matches!(subject, Subject::ClientItself),
    }
}

fn holder(account: &Account, actor: Option<Actor<'_>>, now: Moment) -> Result<Standing, Refusal> {
    usable(account, now)?;
    match (account.holder, actor) {
        // ND69 Art 12: through the legal representative or a delegate, with their own account of level 2.
        (Holder::Organisation, Some(actor)) if actor.represents && is_able(&actor, now) => {
            Ok(Standing { account_level: Some(AccountLevel::Two), stated: None })
        }
        (Holder::Organisation, _) => Err(Refusal::RepresentativeRequired),
        // ND69 Art 14(2): by the representative on record, and by no other. Whoever came of age acts alone, but what the
        // guardian let begin stays the guardian's to answer for.
        (_, Some(actor)) if !is_guardian(&actor, account) || !is_able(&actor, now) => Err(Refusal::GuardianRequired),
        (_, None) if needs_guardian(account, now) => Err(Refusal::GuardianRequired),
        _ => {
            let level = own_level(account);
            Ok(Standing { account_level: level, stated: level })
        }
    }
}

/// Whether the account itself is open, whoever uses it. Derived from facts and clocks, never stored.
fn usable(account: &Account, now: Moment) -> Result<(), Refusal> {
    let expired = |paper: Option<Moment>| paper.is_some_and(|expires| now >= expires);
    let own = &account.circumstances;
    if account.state != AccountState::Activated {
        return Err(Refusal::NotActivated);
    }
    // ND69 Art 15: a citizen's account locks with the e-ID; others hold the grounds themselves.
    if account.is_locked() {
        return Err(Refusal::Locked);
    }
    match account.holder {
        Holder::Citizen if account.card_has_expired(now) => Err(Refusal::CardExpired),
        Holder::Foreigner if expired(own.permit_expires) => Err(Refusal::PermitExpired),
        Holder::Foreigner if expired(own.passport_expires) => Err(Refusal::PassportExpired),
        Holder::Organisation if expired(own.dissolved_at) => Err(Refusal::Dissolved),
        _ => Ok(()),
    }
}

/// Whether an account is open: neither locked nor stopped by a paper that expired.
pub fn is_open(account: &Account, now: Moment) -> bool {
    usable(account, now).is_ok()
}

/// ND69 Art 14(2): under fourteen, or a ward. Where a guardian is recorded and no birth date is, nobody is known to be
/// old enough.
pub fn needs_guardian(account: &Account, now: Moment) -> bool {
    let own = &account.circumstances;
    own.ward || own.born.map_or(account.guardian.is_some(), |born| born.is_under(Birth::OWN, now))
}

fn own_level(account: &Account) -> Option<AccountLevel> {
    match (account.holder, account.level) {
        (Holder::Citizen, Some(AccountLevel::Two)) if account.eid.is_none() => Some(AccountLevel::One),
        // `security.md` LG-20: who came back without being proofed again is known as level 1 only.
        (_, Some(AccountLevel::Two)) if account.doubts.caps_level() => Some(AccountLevel::One),
        (_, level) => level,
    }
}

fn is_guardian(actor: &Actor<'_>, account: &Account) -> bool {
    actor.account.is_some_and(|person| account.guardian.as_ref() == Some(&person.id) && person.id != account.id)
}

fn is_able(actor: &Actor<'_>, now: Moment) -> bool {
    actor.account.is_some_and(|person| may_act_for_others(person, now))
}

/// Whoever acts for another is a person of level 2 whose own account is open and who needs no guardian.
pub fn may_act_for_others(person: &Account, now: Moment) -> bool {
    person.holder != Holder::Organisation
        && is_open(person, now)
        && !needs_guardian(person, now)
        && own_level(person) == Some(AccountLevel::Two)
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod lifecycle;
