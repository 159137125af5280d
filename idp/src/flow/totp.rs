//! The authenticator app: set up with one right code, checked by later ones, taken away.

use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::factor_change::{self, Here};
use super::passkey_sign_in::browser_of;
use super::passkeys::Changed;
use super::{Answer, Browser, brake, fresh, home, sealed};
use crate::domain::account::Account;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Span};
use crate::factor::notice::Change;
use crate::factor::throttle::{self, Verdict};
use crate::factor::totp::{SECRET_BYTES, address, grouped, matching_step};
use crate::idp::Idp;
use crate::store::totp::Totp;
use crate::store::{self, Db};

/// Guesses while setting one up are counted apart from those at a sign-in.
const PURPOSE: &str = "totp_setup";

/// What the page shows for the app to take over.
pub struct Setup {
    /// For the QR code.
    pub address: Zeroizing<String>,
    /// The same secret for typing.
    pub grouped: Zeroizing<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    Wrong,
    Wait(Span),
}

pub enum New {
    Page(Box<Setup>, Option<Complaint>),
    Added,
    Elsewhere(Answer),
}

/// The page with a secret: the one begun in this browser, as a reload must not undo what the app took over already.
pub async fn begin(browser: &Browser, idp: &Arc<Idp>) -> Result<New, Fault> {
    factor_change::guarded((fresh::NEW_TOTP, Span::ZERO), browser, idp, New::Elsewhere, |db, here| {
        let begun = begun(db, &here.account.id, here.browser, here.idp)?;
        Ok(New::Page(Box::new(setup(db, &begun, here.idp)?), None))
    })
    .await
}

/// The first code of the app. From it on the app counts.
pub async fn confirm(code: String, browser: &Browser, idp: &Arc<Idp>) -> Result<New, Fault> {
    factor_change::changed(fresh::NEW_TOTP, browser, idp, New::Elsewhere, move |db, here| {
        let Here { session, account, browser, idp } = here;
        let now = idp.clock.now();
        let begun = begun(db, &account.id, browser, idp)?;
        let counters = [throttle::otp(account.id.as_str(), PURPOSE)];
        let refused = |reason: &str| {
            let detail = json!({"factor": "totp", "reason": reason});
            Event::new(Kind::FactorRefused, now).of(&account.id).within(&session.id).with(detail)
        };
        if let Verdict::Wait(span) = brake::ask(db, &counters, idp)? {
            brake::note_stop(db, &counters, &refused("throttled"), idp)?;
            let setup = setup(db, &begun, idp)?;
            return Ok((New::Page(Box::new(setup), Some(Complaint::Wait(span))), None));
        }
        brake::count(db, &counters, idp)?;
        let secret = sealed::open_totp_secret(&begun.id, &begun.secret, &idp.vault)?;
        let confirmed = match matching_step(&secret, &code, begun.last_step, now)? {
            Some(step) => store::totp::confirm(db, &begun, step, now)?,
            None => false,
        };
        if !confirmed {
            store::trail::append(db, &refused("wrong"), &idp.id()?)?;
            let setup = setup(db, &begun, idp)?;
            return Ok((New::Page(Box::new(setup), Some(Complaint::Wrong)), None));
        }
        for counter in &counters {
            store::throttle::clear(db, &counter.key)?;
        }
        let detail = json!({"replaced": account.has_totp});
        Ok((New::Added, factor_change::follow(db, &session, Change::TotpAdded, detail, idp)?))
    })
    .await
}

/// The secret being set up in this browser, a fresh one where there is none.
fn begun(db: &mut Db, account: &Id<Account>, browser: &Browser, idp: &Idp) -> Result<Totp, Fault> {
    let browser = browser_of(browser)?;
    let now = idp.clock.now();
    let known = store::totp::find_begun(db, account, &browser)?;
    if let Some(begun) = known.filter(|begun| now.since(begun.created_at) < idp.config.lifetimes.interaction) {
        return Ok(begun);
    }
    let id: Id<Totp> = idp.id()?;
    let secret: Zeroizing<[u8; SECRET_BYTES]> = Zeroizing::new(idp.random.bytes()?);
    let begun = Totp {
        secret: sealed::totp_secret(&id, &*secret, &idp.vault)?,
        id,
        account: account.clone(),
        browser,
        last_step: 0,
        created_at: now,
        confirmed_at: None,
    };
    store::totp::begin(db, &begun)?;
    Ok(begun)
}

fn setup(db: &mut Db, begun: &Totp, idp: &Idp) -> Result<Setup, Fault> {
    let secret = sealed::open_totp_secret(&begun.id, &begun.secret, &idp.vault)?;
    let (_, number) = home::who(db, &begun.account, idp)?;
    // What the app lists it under; apps show dots of their own badly.
    let holder = number.replace('•', "*");
    Ok(Setup { address: Zeroizing::new(address(&secret, &holder)), grouped: Zeroizing::new(grouped(&secret)) })
}

/// Whether a typed code is one that counts now; then it is used up. Guesses are charged by the caller.
pub fn spend(db: &mut Db, account: &Id<Account>, code: &str, idp: &Idp) -> Result<bool, Fault> {
    let Some(totp) = store::totp::find(db, account)? else { return Ok(false) };
    let secret = sealed::open_totp_secret(&totp.id, &totp.secret, &idp.vault)?;
    match matching_step(&secret, code, totp.last_step, idp.clock.now())? {
        Some(step) => store::totp::spend(db, &totp.id, step),
        None => Ok(false),
    }
}

pub async fn remove(browser: &Browser, idp: &Arc<Idp>) -> Result<Changed, Fault> {
    factor_change::changed(fresh::CONFIRMED, browser, idp, Changed::Elsewhere, |db, here| {
        if !store::totp::remove(db, &here.account.id)? {
            return Ok((Changed::Nothing, None));
        }
        Ok((Changed::Done, factor_change::follow(db, &here.session, Change::TotpRemoved, json!({}), here.idp)?))
    })
    .await
}
