//! Admission: what follows when a holder proved a factor by which one signs in, whichever it was. Standing is asked
//! again, the session is opened or carried on under a new cookie, and the request goes back to the dispatcher.

use std::sync::Arc;

use serde_json::json;

use super::authorize::{self, Pending, gone, live_client};
use super::facts::{self, Limits};
use super::outbox::{self, Occasion};
use super::{Answer, Browser, Cookies, Outcome, Step, fresh, guardian};
use crate::domain::account::Account;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::outbox::Cause;
use crate::domain::secret::{DeviceCookie, Minted, SessionCookie};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::standing::Refusal;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id};
use crate::idp::Idp;
use crate::store::{self, Db};

/// What was proved, and by whom. The account must have been read, under `Hold::Shared`, in this very transaction.
pub struct Proof<'a> {
    pub account: &'a Account,
    pub factors: &'a [Factor],
}

/// The holder proved who they are in the open interaction: told what stands in the way, or signed in.
pub fn admit(
    db: &mut Db,
    open: Interaction,
    proof: &Proof<'_>,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let Proof { account, factors } = *proof;
    let (id, names) = (open.id.clone(), names(factors));
    if let Err(refusal) = facts::standing(Some(account), None, now) {
        meter(factors, refusal.name(), idp);
        store::interaction::refuse(db, &id, &account.id)?;
        let event = Event::new(Kind::SignInRefused, now)
            .of(&account.id)
            .with(json!({"factor": names, "reason": refusal.name()}));
        store::trail::append(db, &event, &idp.id()?)?;
        if let (Refusal::GuardianRequired, Some(request)) = (refusal, open.request()) {
            let proofs = factors.iter().fold(Acquaintance::default(), |known, factor| known.with(*factor, now));
            let asked = guardian::Asked { interaction: &id, client: &request.client_id, proofs: &proofs };
            guardian::ask(db, account, &asked, browser, idp)?;
        }
        let mut cookies = Cookies::default();
        end_other_session(db, browser, None, &mut cookies, idp)?;
        return Ok(Answer { outcome: Outcome::Page(Step::of_refusal(refusal), id), cookies });
    }
    meter(factors, "ok", idp);
    let (session, mut cookies) = enter(db, &account.id, factors, browser, idp)?;
    remember_device(db, (&account.id, &session.id), browser, &mut cookies, idp)?;
    store::interaction::belongs(db, &id, &account.id)?;
    let event = Event::new(Kind::SignIn, now)
        .of(&account.id)
        .within(&session.id)
        .with(json!({"factor": names, "client": open.request().map(|request| &request.client_id)}));
    store::trail::append(db, &event, &idp.id()?)?;
    // Something held was proved in this very interaction, as a code sent for it would be. Another provider's word is not.
    let confirmed_at = factors.iter().any(|factor| factor.holds()).then_some(now);
    if confirmed_at.is_some() {
        store::interaction::confirm(db, &id, &account.id, now)?;
    }
    let open = Interaction { proved_by: Some(account.id.clone()), confirmed_at, chosen: None, ..open };
    go_on(db, open, (session, cookies), browser, idp)
}

/// As the trail writes them: one word, or several joined by `+`.
fn names(factors: &[Factor]) -> String {
    factors.iter().map(|factor| factor.name()).collect::<Vec<_>>().join("+")
}

fn meter(factors: &[Factor], outcome: &'static str, idp: &Idp) {
    for factor in factors {
        idp.metrics.sign_in(*factor, outcome);
    }
}

/// After a factor was proved: back to the dispatcher, with the cookies the proof brought.
pub fn go_on(
    db: &mut Db,
    open: Interaction,
    (session, mut cookies): (Session, Cookies),
    browser: &Browser,
    idp: &Idp,
) -> Result<Answer, Fault> {
    let request = match &open.destination {
        Destination::Client(request) => (**request).clone(),
        Destination::OwnPage(path) => {
            let outcome = fresh::outcome(&fresh::on_the_way(db, path, Some(&session), idp)?, path, &open.id);
            if matches!(outcome, Outcome::OwnPage(_)) {
                store::interaction::finish(db, &open.id, idp.clock.now())?;
            }
            return Ok(Answer { outcome, cookies });
        }
    };
    let Some(client) = live_client(db, &request.client_id)? else {
        return Ok(Answer { outcome: Outcome::Shown(gone()), cookies });
    };
    let pending = Pending { arriving: false, ..Pending::within(&open, request, client) };
    let state = cookies.state.as_deref().or(browser.state.as_deref()).map(str::to_owned);
    let browser = Browser { state, ..browser.clone() };
    let answer = authorize::settle(db, pending, Some(session), &browser, idp)?;
    // Whoever acts for another goes on under the cookie of a session that began with this very proof.
    let Cookies { browser, session, state, .. } = answer.cookies;
    cookies = Cookies {
        browser: browser.or(cookies.browser),
        session: session.or(cookies.session),
        state: state.or(cookies.state),
        ..cookies
    };
    Ok(Answer { outcome: answer.outcome, cookies })
}

/// The session after a sign-in: the same holder's is carried on under a new cookie, anybody else's ends
/// (`security.md` SE-01).
fn enter(
    db: &mut Db,
    account: &Id<Account>,
    factors: &[Factor],
    browser: &Browser,
    idp: &Idp,
) -> Result<(Session, Cookies), Fault> {
    let now = idp.clock.now();
    let proved = |known: Acquaintance| factors.iter().fold(known, |known, factor| known.with(*factor, now));
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let mut cookies = Cookies::default();
    let current = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    if let Some(session) = current.filter(|session| session.account == *account && session.acting.is_none()) {
        let acquaintance = proved(session.acquaintance.clone());
        if store::session::rekey(db, &session.id, &cookie.stored(), &acquaintance, now)? {
            cookies.session = Some(cookie);
            if browser.state.is_none() {
                cookies.state = Some(idp.random.text()?.into());
            }
            return Ok((Session { acquaintance, seen_at: now, ..session }, cookies));
        }
    }
    end_other_session(db, browser, Some(account), &mut cookies, idp)?;
    let session = Session {
        id: idp.id()?,
        account: account.clone(),
        acting: None,
        acquaintance: proved(Acquaintance::default()),
        opened_at: now,
        seen_at: now,
        ended_at: None,
    };
    store::session::open(db, &session, &cookie.stored())?;
    end_oldest(db, account, idp)?;
    cookies.session = Some(cookie);
    cookies.state = Some(idp.random.text()?.into());
    cookies.end_session = false;
    Ok((session, cookies))
}

/// Beyond the most sessions an account may have, the oldest ends (`security.md` SE-16).
pub(super) fn end_oldest(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<(), Fault> {
    let mut live = store::session::live(db, account)?;
    let Some(too_many) = live.len().checked_sub(idp.config.limits.sessions_per_account) else { return Ok(()) };
    live.sort_by_key(|session| (session.seen_at, session.opened_at));
    for session in live.iter().take(too_many) {
        end(db, session, json!({"reason": "too_many_sessions"}), idp)?;
    }
    Ok(())
}

/// Ends one session with what it issued, and remembers why.
pub(super) fn end(db: &mut Db, session: &Session, why: serde_json::Value, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    if store::session::end(db, &session.id, now)? {
        let occasion = Occasion { name: session.id.as_str(), cause: Cause::SessionEnded, at: now };
        outbox::session_ended(db, session, occasion)?;
        store::grant::revoke_session(db, &session.id, now, occasion.cause.name())?;
        let event = Event::new(Kind::SignOut, now).of(&session.account).within(&session.id).with(why);
        store::trail::append(db, &event, &idp.id()?)?;
    }
    Ok(())
}

/// Ends whatever session the browser brought along, with the tokens it issued.
fn end_other_session(
    db: &mut Db,
    browser: &Browser,
    newcomer: Option<&Id<Account>>,
    cookies: &mut Cookies,
    idp: &Idp,
) -> Result<(), Fault> {
    let Some(cookie) = &browser.session else { return Ok(()) };
    cookies.end_session = true;
    let Some(old) = store::session::find_by_cookie(db, cookie)? else { return Ok(()) };
    let same = newcomer == Some(&old.account);
    end(db, &old, json!({"reason": "replaced", "same_account": same}), idp)
}

fn remember_device(
    db: &mut Db,
    (account, session): (&Id<Account>, &Id<Session>),
    browser: &Browser,
    cookies: &mut Cookies,
    idp: &Idp,
) -> Result<(), Fault> {
    let (now, agent) = (idp.clock.now(), browser.agent.as_ref());
    let device = match &browser.device {
        Some(device) => device.clone(),
        None => {
            let device: Minted<DeviceCookie> = idp.random.mint()?;
            let stored = device.stored();
            cookies.device = Some(Box::new(device));
            stored
        }
    };
    store::device::remember(db, &device, account, agent, now)?;
    store::session::seen_from(db, session, &device, agent)
}
