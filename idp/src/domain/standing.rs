//! May this subject act now? The single gate on every path that issues or confirms anything (`security.md` D5).
//! Standing is derived from facts read in the same transaction, never stored and never cached.

use super::account::{Account, AccountState, Holder};
use super::grant::Grant;
use super::level::{AccountLevel, AuthenticationLevel, Levels};
use super::moment::Moment;
use super::relying_party::ClientStatus;
use super::session::{Session, SessionLimits};

/// Proof that `may_act` said yes. Every function that mints asks for one; nothing else makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    account_level: Option<AccountLevel>,
}

impl Standing {
    /// The account level that may be stated now: a citizen's two only with an active e-ID (ND69 Art 28).
    pub fn account_level(self) -> Option<AccountLevel> {
        self.account_level
    }

    pub fn levels(self, authentication: AuthenticationLevel) -> Levels {
        Levels { account: self.account_level, authentication }
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
            Refusal::NoAccount => "no_account",
        }
    }
}

/// Everything the decision looks at. What a path does not have yet (no grant before consent) is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    pub client: Option<ClientStatus>,
    pub subject: Subject<'a>,
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
        Subject::ClientItself => Ok(Standing { account_level: None }),
        Subject::Missing => Err(Refusal::NoAccount),
        Subject::Holder(account) => holder(account, now),
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

fn holder(account: &Account, now: Moment) -> Result<Standing, Refusal> {
    if account.state != AccountState::Activated {
        return Err(Refusal::NotActivated);
    }
    // ND69 Art 15: a citizen's account locks with the e-ID, and when the card expires.
    if account.is_locked() {
        return Err(Refusal::Locked);
    }
    if account.card_has_expired(now) {
        return Err(Refusal::CardExpired);
    }
    // ND69 Art 14(2): each use by a child or ward needs the representative's confirmation.
    if account.guardian.is_some() {
        return Err(Refusal::GuardianRequired);
    }
    let account_level = match (account.holder, account.level) {
        (Holder::Organisation, _) => None,
        (Holder::Citizen, Some(AccountLevel::Two)) if account.eid.is_none() => Some(AccountLevel::One),
        // `security.md` LG-20: who came back without being proofed again is known as level 1 only.
        (_, Some(AccountLevel::Two)) if account.doubts.caps_level() => Some(AccountLevel::One),
        (_, level) => level,
    };
    Ok(Standing { account_level })
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod lifecycle;
