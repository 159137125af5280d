//! What the rules need to know about the browser's holder, read in the transaction that acts on it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::acting;
use super::authorize::Pending;
use crate::domain::account::Account;
use crate::domain::claim::ClaimName;
use crate::domain::consent::Consent;
use crate::domain::relying_party::{Client, ClientStatus};
use crate::domain::secret::{SessionCookie, Stored};
use crate::domain::session::{Session, SessionLimits};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::domain::{AuthenticationLevel, Factor, Fault, Id, Moment};
use crate::idp::Idp;
use crate::protocol::authorize::next::{Choice, Facts, Next, aim, choices, next, proved};
use crate::protocol::subject::sector;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// The holder behind a browser, as far as it is known.
#[derive(Default)]
pub struct Gathered {
    pub session: Option<Session>,
    pub account: Option<Account>,
    /// Whose factors the session's proofs are, where it is not that account.
    pub prover: Option<Account>,
    /// For whom the person here wants to act.
    pub choice: Option<Choice>,
    pub standing: Option<Result<Standing, Refusal>>,
    pub sub: Option<String>,
    pub available: BTreeSet<ClaimName>,
    pub consents: Vec<Consent>,
}

impl Gathered {
    /// What the rules say comes next.
    pub fn next(&self, pending: &Pending, now: Moment) -> Next {
        next(&pending.request, &pending.client, &self.facts(pending), now)
    }

    /// What the holder may choose from where a factor is missing.
    pub fn choices(&self, pending: &Pending, now: Moment) -> Vec<Factor> {
        choices(&pending.request, &pending.client, &self.facts(pending), now)
    }

    /// The factors that count for the request.
    pub fn proved(&self, pending: &Pending, now: Moment) -> Vec<Factor> {
        proved(&pending.request, &pending.client, &self.facts(pending), now)
    }

    /// The authentication level a factor is missing for.
    pub fn aim(&self, pending: &Pending, now: Moment) -> Option<AuthenticationLevel> {
        aim(&pending.request, &pending.client, &self.facts(pending), now)
    }

    fn facts(&self, pending: &Pending) -> Facts<'_> {
        Facts {
            session: self.session.as_ref(),
            account: self.account.as_ref(),
            prover: self.prover.as_ref(),
            choice: self.choice.unwrap_or(Choice::Own),
            standing: self.standing,
            sub: self.sub.as_deref(),
            available: &self.available,
            consents: &self.consents,
            arriving: pending.arriving,
            confirmed: self.session.as_ref().is_some_and(|own| pending.confirmed_by.as_ref() == Some(own.prover())),
            approved: pending.approval.is_some(),
        }
    }
}

/// The limits a session lives under: the configured ones, which are never longer than the ceiling of its level.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub one: SessionLimits,
    pub two: SessionLimits,
}

impl Limits {
    pub fn of(idp: &Idp) -> Self {
        idp.session_limits()
    }

    pub fn at(self, level: AuthenticationLevel) -> SessionLimits {
        match level {
            AuthenticationLevel::One => self.one,
            _ => self.two,
        }
    }

    pub fn for_session(self, session: &Session) -> SessionLimits {
        self.at(session.acquaintance.level().unwrap_or(AuthenticationLevel::Two))
    }
}

/// The session a cookie names, if it still stands.
pub fn standing_session(
    db: &mut Db,
    cookie: Option<&Stored<SessionCookie>>,
    limits: Limits,
    now: Moment,
) -> Result<Option<Session>, Fault> {
    let Some(cookie) = cookie else { return Ok(None) };
    let session = store::session::find_by_cookie(db, cookie)?;
    Ok(session.filter(|session| session.stands(limits.for_session(session), now)))
}

/// The session, if its holder may act: one who may not is told why when they sign in again.
pub fn acting(db: &mut Db, session: Option<Session>, now: Moment) -> Result<Option<Session>, Fault> {
    let Some(session) = session else { return Ok(None) };
    let account = store::account::find(db, &session.account)?;
    Ok(standing(account.as_ref(), None, now).is_ok().then_some(session))
}

/// Reads everything about the session's holder that `authorize::next` decides on.
pub fn gather(db: &mut Db, session: Option<Session>, pending: &Pending, now: Moment) -> Result<Gathered, Fault> {
    let client: &Arc<Client> = &pending.client;
    let Some(mut session) = session else { return Ok(Gathered::default()) };
    // ND69 Art 14(2): what a guardian proved counts in the one interaction it was proved for.
    if !acting::is_within(&session, pending.interaction.as_ref()) && session.prover() != &session.account {
        return Ok(Gathered::default());
    }
    // A lock or sign-out may have been acknowledged while this transaction waited for the account.
    let waited = store::account::hold(db, &session.account, Hold::Shared)?;
    if let Some(acting) = &session.acting {
        store::account::hold(db, &acting.account, Hold::Shared)?;
    }
    if waited {
        match store::session::find(db, &session.id)? {
            Some(fresh) if fresh.ended_at.is_none() => session = fresh,
            _ => return Ok(Gathered::default()),
        }
    }
    let account = store::account::find(db, &session.account)?.map(|account| account.counting(now));
    let actor = session.acting.as_ref().filter(|_| acting::is_within(&session, pending.interaction.as_ref()));
    let actor = acting::known(db, account.as_ref(), actor.map(|acting| &acting.account), now)?;
    let standing = acting_for(account.as_ref(), actor.as_ref(), Some(ClientStatus::Live), now);
    let choice = match (&account, &standing, &session.acting) {
        (Some(person), Ok(_), None) => acting::choice(db, person, pending, now)?,
        _ => Choice::Own,
    };
    let prover = actor.and_then(|actor| actor.account).filter(|person| person.id == *session.prover());
    let prover = prover.map(|person| person.counting(now));
    let sub = store::subject::find(db, &session.account, sector(client))?;
    let (available, consents) = if standing.is_ok() {
        (store::account::claim_names(db, &session.account)?, store::consent::live(db, &session.account, &client.id)?)
    } else {
        Default::default()
    };
    Ok(Gathered {
        session: Some(session),
        account,
        prover,
        choice: Some(choice),
        standing: Some(standing),
        sub,
        available,
        consents,
    })
}

/// `may_act` for a holder before any grant exists.
pub fn standing(account: Option<&Account>, client: Option<ClientStatus>, now: Moment) -> Result<Standing, Refusal> {
    acting_for(account, None, client, now)
}

/// The same, where somebody acts for the holder.
pub fn acting_for(
    account: Option<&Account>,
    actor: Option<&acting::Known>,
    client: Option<ClientStatus>,
    now: Moment,
) -> Result<Standing, Refusal> {
    let subject = account.map_or(Subject::Missing, Subject::Holder);
    may_act(Asking { client, subject, actor: actor.map(acting::Known::actor), grant: None, session: None }, now)
}

/// The subject a client's sector knows the account by; made on first use, never derived, never reused.
pub fn subject(db: &mut Db, account: &Id<Account>, client: &Client, fresh: &str) -> Result<String, Fault> {
    store::subject::find_or_put(db, account, sector(client), fresh)
}
