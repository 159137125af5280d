//! «Khóa ngay»: the holder locks their own account from their own page. One fresh proof is asked for, so that neither
//! the number alone nor a session left open on somebody's desk can lock anybody (`security.md` LK-17). When it is
//! acknowledged, everything has ended.

use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::authorize::open_interaction;
use super::eid_lock::{self, Act, Ids, Turn, turn};
use super::facts::{self, Limits};
use super::operator::Verdict;
use super::reproof::{self, Again};
use super::sign_in::Complaint;
use super::{Answer, Browser, Cookies, Outcome, Step, home};
use crate::domain::account::Account;
use crate::domain::consent::Bilingual;
use crate::domain::eid::{LockGround, LockOrder};
use crate::domain::interaction::Destination;
use crate::domain::session::{Fresh, Session};
use crate::domain::{Fault, Id};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// The page's own path.
pub const PAGE: &str = "/lock";

/// What the page says before anything is done.
pub struct Asked {
    pub name: String,
    /// Masked.
    pub person_number: String,
    /// Whether the account has an e-ID that locks with it.
    pub has_eid: bool,
    /// Whether the password must be given again.
    pub password: bool,
    /// What will be told.
    pub portals: Vec<Bilingual>,
}

pub enum Shown {
    Page(Box<Asked>),
    SignInFirst(Answer),
}

/// The page, or the way to sign in first.
pub async fn show(browser: &Browser, idp: &Arc<Idp>) -> Result<Shown, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| match standing(db, &who, &this)? {
            Some((session, account)) => asked(db, &session, &account, &this).map(Box::new).map(Shown::Page),
            None => {
                let (id, minted) = open_interaction(db, Destination::OwnPage(PAGE.to_owned()), &who, &this)?;
                let cookies = Cookies { browser: minted, ..Cookies::default() };
                Ok(Shown::SignInFirst(Answer { outcome: Outcome::Page(Step::SignIn, id), cookies }))
            }
        })
        .await
}

/// Whoever asks, if they are signed in and may act.
fn standing(db: &mut Db, browser: &Browser, idp: &Idp) -> Result<Option<(Session, Account)>, Fault> {
    let now = idp.clock.now();
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let Some(session) = session else { return Ok(None) };
    let account = store::account::find(db, &session.account)?;
    let stands = facts::standing(account.as_ref(), None, now).is_ok();
    Ok(account.filter(|_| stands).map(|account| (session, account)))
}

fn asked(db: &mut Db, session: &Session, account: &Account, idp: &Idp) -> Result<Asked, Fault> {
    let (name, person_number) = home::who(db, &account.id, idp)?;
    let reached = store::outbox::reached(db, &account.id)?;
    let mut portals: Vec<Bilingual> =
        store::client::find_all(db, &reached)?.into_iter().map(|found| found.client.client_name.clone()).collect();
    portals.sort_by(|one, other| one.vi.cmp(&other.vi));
    let password = session.acquaintance.fresh(idp.clock.now()).is_none();
    Ok(Asked { name, person_number, has_eid: account.eid.is_some(), password, portals })
}

pub enum Ended {
    /// Locked: this time, or by the same press a moment before.
    Locked(Cookies),
    /// The password is missing or did not fit.
    Again(Option<Complaint>),
    SignInFirst,
}

/// The holder pressed the button.
pub async fn lock(password: Option<Zeroizing<String>>, browser: &Browser, idp: &Arc<Idp>) -> Result<Ended, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let session = match idp.store.read(move |db| standing(db, &who, &this)).await? {
        Some((session, _)) => session,
        None => return twice(browser, idp).await,
    };
    let fresh = match reproof::prove(&session, password, browser, idp).await? {
        Again::Fresh(fresh) => fresh,
        Again::Missing => return Ok(Ended::Again(None)),
        Again::Wrong(complaint) => return Ok(Ended::Again(Some(complaint))),
    };
    let (this, account) = (Arc::clone(idp), session.account.clone());
    if !idp.store.transact(move |db| carry_out(db, &session, fresh, &this)).await? {
        return twice(browser, idp).await;
    }
    eid_lock::announce(&account, idp).await;
    Ok(Ended::Locked(gone()))
}

/// False when the session had ended meanwhile.
fn carry_out(db: &mut Db, session: &Session, fresh: Fresh, idp: &Idp) -> Result<bool, Fault> {
    store::account::hold(db, &session.account, Hold::Alone)?;
    let still = store::session::find(db, &session.id)?.is_some_and(|still| still.ended_at.is_none());
    let (Some(account), true) = (store::account::find(db, &session.account)?, still) else { return Ok(false) };
    let order = LockOrder::owner(fresh);
    let cause = json!({"by": "holder", "factor": fresh.factor().name(), "session": session.id});
    let at = idp.clock.now();
    match turn(db, account, &Turn { act: Act::Lock, order: &order, cause, at }, &Ids::mint(idp)?)? {
        Verdict::Done(_) => Ok(true),
        Verdict::Refused(reason) => Err(Fault::broken("flow", reason)),
    }
}

/// The same press sent again finds its session ended by the first: it is told the same (`security.md` F-27).
async fn twice(browser: &Browser, idp: &Arc<Idp>) -> Result<Ended, Fault> {
    let Some(cookie) = browser.session.clone() else { return Ok(Ended::SignInFirst) };
    let locked = idp
        .store
        .read(move |db| {
            let Some(session) = store::session::find_by_cookie(db, &cookie)? else { return Ok(false) };
            let ended_by_it = owned(db, &session.account)?.is_some_and(|opened| session.ended_at == Some(opened));
            Ok(ended_by_it)
        })
        .await?;
    Ok(if locked { Ended::Locked(gone()) } else { Ended::SignInFirst })
}

/// When ground a was opened.
fn owned(db: &mut Db, account: &Id<Account>) -> Result<Option<crate::domain::Moment>, Fault> {
    let grounds = store::eid::grounds(db, account)?;
    Ok(grounds.into_iter().find(|(ground, ..)| *ground == LockGround::HolderAsks).map(|(_, _, opened)| opened))
}

fn gone() -> Cookies {
    Cookies { end_session: true, ..Cookies::default() }
}

#[cfg(test)]
#[path = "own_lock_tests.rs"]
mod tests;
