//! Ending sessions from «Danh tính của tôi»: one on another device, or every one there is (`contract.md` 8).

use std::sync::Arc;

use serde_json::json;

use super::facts::{self, Limits};
use super::logout::{leave, sign_out};
use super::outbox::{self, Occasion};
use super::{Browser, Cookies};
use crate::domain::account::Account;
use crate::domain::outbox::Cause;
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::sign_out::SignOut as Leaving;
use crate::store::{self, Db};

/// What became of one session the holder pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Now,
    /// It had ended, is the one that asks, or is somebody else's: which of these is not told.
    Nothing,
    /// Whoever asks is signed in no more.
    SignInFirst,
}

/// Ends another session of the same account with everything that lives with it, and tells its portals.
pub async fn end_one(id: Id<Session>, browser: &Browser, idp: &Arc<Idp>) -> Result<Ended, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let ended = idp
        .store
        .transact(move |db| {
            let Some(here) = standing(db, &who, &this)? else { return Ok(Ended::SignInFirst) };
            let other = store::session::find(db, &id)?
                .filter(|other| other.account == here.account && other.id != here.id && other.ended_at.is_none());
            let Some(other) = other else { return Ok(Ended::Nothing) };
            sign_out(db, &other, &this)?;
            Ok(Ended::Now)
        })
        .await?;
    idp.desk.ring();
    Ok(ended)
}

/// The holder signed out on every device.
pub struct Everywhere {
    /// The page to go through first: it tells clients through the browser.
    pub page: Option<Id<Leaving>>,
    pub cookies: Cookies,
}

/// Ends every session, grant and sign-in under way of whoever asks. `None`: signed in no more.
pub async fn end_everywhere(browser: &Browser, idp: &Arc<Idp>) -> Result<Option<Everywhere>, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let ended = idp
        .store
        .transact(move |db| {
            let Some(here) = standing(db, &who, &this)? else { return Ok(None) };
            // A sign-in that completes meanwhile is either seen and ended here, or begins afterwards (`LO-10`).
            store::account::hold(db, &here.account, Hold::Alone)?;
            let page = leave(db, &here, None, &this)?;
            end_all(db, &here, &this)?;
            Ok(Some(Everywhere { page, cookies: Cookies { end_session: true, ..Cookies::default() } }))
        })
        .await?;
    idp.desk.ring();
    Ok(ended)
}

fn end_all(db: &mut Db, here: &Session, idp: &Idp) -> Result<(), Fault> {
    let (account, now) = (&here.account, idp.clock.now());
    let event = idp.id::<Event>()?;
    let occasion = Occasion { name: event.as_str(), cause: Cause::SignedOutEverywhere, at: now };
    for client in store::outbox::reached(db, account)? {
        outbox::client_ended(db, account, &client, occasion)?;
    }
    let sessions = store::session::end_all(db, account, now)?;
    let grants = store::grant::revoke_all(db, account, now, occasion.cause.name())?;
    cancel(db, account, idp)?;
    let remembered = Event::new(Kind::SignOut, now)
        .of(account)
        .within(&here.id)
        .with(json!({"reason": "everywhere", "sessions": sessions, "grants": grants}));
    store::trail::append(db, &remembered, &event)
}

/// A sign-in that waits for its second factor is somebody's as well.
fn cancel(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<(), Fault> {
    store::interaction::cancel_all(db, account, idp.clock.now())?;
    store::otp::cancel_all(db, account)?;
    store::app::cancel_all(db, account, idp.clock.now())?;
    Ok(())
}

fn standing(db: &mut Db, browser: &Browser, idp: &Idp) -> Result<Option<Session>, Fault> {
    facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), idp.clock.now())
}
