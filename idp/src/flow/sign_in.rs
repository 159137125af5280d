//! Sign-in with person number and password. An unknown number and a wrong password cost and answer the same; the
//! brake on guessing is asked before the hash and again with the outcome.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::authorize::{self, Pending, gone, live_client};
use super::facts::{self, Limits};
use super::outbox::{self, Occasion};
use super::{Answer, Browser, Cookies, Outcome, Step, brake, page};
use crate::domain::account::Account;
use crate::domain::interaction::{Destination, Interaction};
use crate::domain::outbox::Cause;
use crate::domain::secret::{BlindIndex, DeviceCookie, Minted, SessionCookie};
use crate::domain::session::{Acquaintance, Session};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Factor, Fault, Id, PersonNumber, Span};
use crate::factor::throttle::{self, Counter, Rule, Verdict};
use crate::idp::Idp;
use crate::store::account::Hold;
use crate::store::{self, Db};

/// What the sign-in form carried.
pub struct Form {
    pub person_number: String,
    pub password: Zeroizing<String>,
}

/// Why the form is shown again. Never says whether the number exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Not twelve digits, or no password: seen without asking anybody.
    Malformed,
    Wrong,
    Wait(Span),
}

pub enum SignedIn {
    Again(Complaint),
    Done(Answer),
}

struct Attempt {
    account: Option<Account>,
    hash: Option<String>,
    index: BlindIndex,
    /// What this guess is counted under.
    counters: Vec<Counter>,
}

/// Evaluates one password.
pub async fn password(id: Id<Interaction>, form: Form, browser: &Browser, idp: &Arc<Idp>) -> Result<SignedIn, Fault> {
    let Some(number) = PersonNumber::parse(&form.person_number) else {
        return Ok(SignedIn::Again(Complaint::Malformed));
    };
    if !crate::factor::password::is_acceptable(&form.password) {
        return Ok(SignedIn::Again(Complaint::Malformed));
    }
    let index = idp.vault.blind_index("person", number.reveal());
    let (this, who, at) = (Arc::clone(idp), browser.clone(), id.clone());
    let attempt = match idp.store.read(move |db| consider(db, &at, index, &who, &this)).await? {
        Considered::Evaluate(attempt) => attempt,
        Considered::Wait(span, unnoted) => {
            idp.metrics.sign_in(Factor::Password, "throttled");
            if let Some(attempt) = unnoted {
                let this = Arc::clone(idp);
                idp.store.transact(move |db| record_stop(db, &attempt, &this)).await?;
            }
            return Ok(SignedIn::Again(Complaint::Wait(span)));
        }
        Considered::Gone => return Ok(SignedIn::Done(Answer::bare(Outcome::Shown(gone())))),
    };
    let right = idp.hasher.verify(&form.password, attempt.hash.as_deref()).await?;
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            // Guesses sent at once were all considered before any was counted: the brake is asked again, and a wait
            // overrules even a right password.
            if let Verdict::Wait(span) = brake::ask(db, &attempt.counters, &this)? {
                this.metrics.sign_in(Factor::Password, "throttled");
                record_stop(db, &attempt, &this)?;
                return Ok(SignedIn::Again(Complaint::Wait(span)));
            }
            if right {
                return admit(db, id, &attempt, &who, &this).map(SignedIn::Done);
            }
            this.metrics.sign_in(Factor::Password, "wrong");
            record_wrong(db, &attempt, &this)?;
            Ok(SignedIn::Again(Complaint::Wrong))
        })
        .await
}

enum Considered {
    Evaluate(Box<Attempt>),
    /// With the attempt when the trail does not tell of such a stop yet.
    Wait(Span, Option<Box<Attempt>>),
    Gone,
}

/// Everything cheap comes before the hash (`security.md` N-13).
fn consider(
    db: &mut Db,
    id: &Id<Interaction>,
    index: BlindIndex,
    browser: &Browser,
    idp: &Idp,
) -> Result<Considered, Fault> {
    if page::bound(db, id, browser, idp.clock.now())?.is_none() {
        return Ok(Considered::Gone);
    }
    let account = store::account::find_by_person(db, &index)?;
    let counters = counters(db, account.as_ref(), &index, browser)?;
    if let Verdict::Wait(span) = brake::ask(db, &counters, idp)? {
        let noted = brake::is_stop_noted(db, &counters)?;
        let unnoted = (!noted).then(|| Box::new(Attempt { account, hash: None, index, counters }));
        return Ok(Considered::Wait(span, unnoted));
    }
    let hash = match &account {
        Some(account) => store::account::credentials(db, &account.id)?.and_then(|known| known.password_hash),
        None => None,
    };
    Ok(Considered::Evaluate(Box::new(Attempt { account, hash, index, counters })))
}

fn counters(
    db: &mut Db,
    account: Option<&Account>,
    index: &BlindIndex,
    browser: &Browser,
) -> Result<Vec<Counter>, Fault> {
    let known = match (&browser.device, account) {
        (Some(device), Some(account)) => store::device::knows(db, device, &account.id)?,
        _ => false,
    };
    let device = browser.device.as_ref().filter(|_| known).map(|device| device.as_str());
    let address = browser.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Ok(throttle::password(index.as_str(), device, address))
}

fn record_wrong(db: &mut Db, attempt: &Attempt, idp: &Idp) -> Result<(), Fault> {
    brake::count(db, &attempt.counters, idp)?;
    match refused(attempt, "wrong", idp) {
        Some(event) => store::trail::append(db, &event, &idp.id()?),
        None => Ok(()),
    }
}

fn record_stop(db: &mut Db, attempt: &Attempt, idp: &Idp) -> Result<(), Fault> {
    brake::note_stop(db, &attempt.counters, refused(attempt, "throttled", idp), idp)
}

/// What the trail keeps of a guess at somebody's password.
fn refused(attempt: &Attempt, reason: &str, idp: &Idp) -> Option<Event> {
    let account = attempt.account.as_ref()?;
    let known_device = attempt.counters.iter().any(|counter| counter.rule == Rule::KnownDevice);
    let detail = json!({"factor": Factor::Password.name(), "reason": reason, "known_device": known_device});
    Some(Event::new(Kind::SignInRefused, idp.clock.now()).of(&account.id).with(detail))
}

/// The right password: told what stands in the way, or signed in.
fn admit(
    db: &mut Db,
    id: Id<Interaction>,
    attempt: &Attempt,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Answer, Fault> {
    let now = idp.clock.now();
    let Some(open) = page::bound(db, &id, browser, now)? else {
        return Ok(Answer::bare(Outcome::Shown(gone())));
    };
    // Facts again: a lock may have been acknowledged while the password was being hashed.
    if let Some(known) = &attempt.account {
        store::account::hold(db, &known.id, Hold::Shared)?;
    }
    let account = store::account::find_by_person(db, &attempt.index)?;
    // What strangers used up comes back by time alone; the owner's own device starts afresh.
    for counter in attempt.counters.iter().filter(|counter| counter.rule == Rule::KnownDevice) {
        store::throttle::clear(db, &counter.key)?;
    }
    let Some(account) = account else { return Err(Fault::broken("flow", "an account vanished")) };
    if let Err(refusal) = facts::standing(Some(&account), None, now) {
        idp.metrics.sign_in(Factor::Password, refusal.name());
        store::interaction::refuse(db, &id, &account.id)?;
        let event = Event::new(Kind::SignInRefused, now)
            .of(&account.id)
            .with(json!({"factor": Factor::Password.name(), "reason": refusal.name()}));
        store::trail::append(db, &event, &idp.id()?)?;
        let mut cookies = Cookies::default();
        end_other_session(db, browser, None, &mut cookies, idp)?;
        return Ok(Answer { outcome: Outcome::Page(Step::of_refusal(refusal), id), cookies });
    }
    idp.metrics.sign_in(Factor::Password, "ok");
    let (session, mut cookies) = enter(db, &account.id, browser, idp)?;
    remember_device(db, &account.id, browser, &mut cookies, idp)?;
    store::interaction::belongs(db, &id, &account.id)?;
    let event = Event::new(Kind::SignIn, now)
        .of(&account.id)
        .within(&session.id)
        .with(json!({"factor": Factor::Password.name(), "client": open.request().map(|request| &request.client_id)}));
    store::trail::append(db, &event, &idp.id()?)?;
    let open = Interaction { proved_by: Some(account.id), confirmed_at: None, ..open };
    go_on(db, open, (session, cookies), browser, idp)
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
            store::interaction::finish(db, &open.id, idp.clock.now())?;
            return Ok(Answer { outcome: Outcome::OwnPage(path.clone()), cookies });
        }
    };
    let Some(client) = live_client(db, &request.client_id)? else {
        return Ok(Answer { outcome: Outcome::Shown(gone()), cookies });
    };
    let pending = Pending { arriving: false, ..Pending::within(&open, request, client) };
    let state = cookies.state.as_deref().or(browser.state.as_deref()).map(str::to_owned);
    let browser = Browser { state, ..browser.clone() };
    let answer = authorize::settle(db, pending, Some(session), &browser, idp)?;
    cookies.browser = answer.cookies.browser.or(cookies.browser);
    Ok(Answer { outcome: answer.outcome, cookies })
}

/// The session after a right password: the same holder's is carried on under a new cookie, anybody else's ends
/// (`security.md` SE-01).
fn enter(db: &mut Db, account: &Id<Account>, browser: &Browser, idp: &Idp) -> Result<(Session, Cookies), Fault> {
    let now = idp.clock.now();
    let cookie: Minted<SessionCookie> = idp.random.mint()?;
    let mut cookies = Cookies::default();
    let current = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    if let Some(session) = current.filter(|session| session.account == *account) {
        let acquaintance = session.acquaintance.clone().with(Factor::Password, now);
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
        acquaintance: Acquaintance::default().with(Factor::Password, now),
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
fn end_oldest(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<(), Fault> {
    let mut live = store::session::live(db, account)?;
    let Some(too_many) = live.len().checked_sub(idp.config.limits.sessions_per_account) else { return Ok(()) };
    live.sort_by_key(|session| (session.seen_at, session.opened_at));
    for session in live.iter().take(too_many) {
        end(db, session, json!({"reason": "too_many_sessions"}), idp)?;
    }
    Ok(())
}

/// Ends one session with what it issued, and remembers why.
fn end(db: &mut Db, session: &Session, why: serde_json::Value, idp: &Idp) -> Result<(), Fault> {
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
    account: &Id<Account>,
    browser: &Browser,
    cookies: &mut Cookies,
    idp: &Idp,
) -> Result<(), Fault> {
    let now = idp.clock.now();
    match &browser.device {
        Some(device) => store::device::remember(db, device, account, now),
        None => {
            let device: Minted<DeviceCookie> = idp.random.mint()?;
            store::device::remember(db, &device.stored(), account, now)?;
            cookies.device = Some(Box::new(device));
            Ok(())
        }
    }
}
