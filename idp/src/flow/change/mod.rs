//! A signed-in holder changes the password or the phone (`security.md` LG-38, N-24). The owner is proved by what the
//! account has, within this change; the old phone hears of it at once; what was let in by the old one ends.
//!
//! E-mail is not changed here: there is no sender of mail yet, so a new address could not be proved.

mod finish;
pub mod own;
pub mod shown;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::facts::{self, Limits};
use super::recover::{Message, post};
use super::{Browser, Cookies, brake, sealed};
use crate::domain::change::{Asked, Change, FRESH, What};
use crate::domain::interaction::Interaction;
use crate::domain::secret::{Minted, Otp, Stored};
use crate::domain::session::Session;
use crate::domain::trail::{Event, Kind};
use crate::domain::{AuthenticationLevel, Fault, Id, PersonNumber, Span};
use crate::factor::otp::{Purpose, Sends, may_receive, may_send};
use crate::factor::password::rules::{Person, Weakness, check_new};
use crate::factor::throttle::{self, Counter, Verdict};
use crate::idp::Idp;
use crate::store::{self, Db};

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// The password in use, typed to prove the owner, is not it.
    WrongPassword,
    SamePassword,
    Weak(Weakness),
    Differ,
    /// Not a phone number of Viet Nam.
    BadPhone,
    SamePhone,
    /// No phone is on file and the sign-in is too long ago.
    SignInAgain,
    WrongCode,
    ExpiredCode,
    Wait(Span),
    SendLimit(Span),
}

pub enum Moved {
    On(Cookies),
    Again(Complaint),
    /// Whoever asks is signed in no more.
    SignInFirst,
    Done(What, Cookies),
}

/// What the page of the holder's own account shows of a change under way: whether it is due at the old phone.
#[derive(Clone, Debug)]
pub struct UnderWay {
    pub what: What,
    pub asked: Asked,
    /// Where the code went.
    pub phone: String,
}

/// The old password and the new one, typed twice.
pub struct Passwords {
    pub old: Zeroizing<String>,
    pub new: Zeroizing<String>,
    pub again: Zeroizing<String>,
}

fn standing(db: &mut Db, browser: &Browser, idp: &Idp) -> Result<Option<Session>, Fault> {
    let now = idp.clock.now();
    let session = facts::standing_session(db, browser.session.as_ref(), Limits::of(idp), now)?;
    let Some(session) = session else { return Ok(None) };
    let account = store::account::find(db, &session.account)?;
    Ok(facts::standing(account.as_ref(), None, now).is_ok().then_some(session))
}

/// Where a change stands, for the page.
pub fn under_way(db: &mut Db, session: &Session, idp: &Idp) -> Result<Option<UnderWay>, Fault> {
    let Some(change) = store::change::find_open(db, &session.id)? else { return Ok(None) };
    let Some(asked) = change.asked(idp.clock.now()) else { return Ok(None) };
    let phone = destination(db, &change, asked, idp)?.unwrap_or_default();
    Ok(Some(UnderWay { what: change.what, asked, phone }))
}

fn destination(db: &mut Db, change: &Change, asked: Asked, idp: &Idp) -> Result<Option<String>, Fault> {
    match asked {
        Asked::NewPhone => finish::new_phone(change, idp).map(Some),
        Asked::Owner | Asked::Nothing => Ok(own::known(db, &change.account, idp)?.phone),
    }
}

pub async fn password(typed: Passwords, browser: &Browser, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let found = idp
        .store
        .read(move |db| {
            let Some(session) = standing(db, &who, &this)? else { return Ok(None) };
            let known = own::known(db, &session.account, &this)?;
            let counters = guesses(db, &known.number, &session, &who, &this)?;
            let verdict = brake::ask(db, &counters, &this)?;
            Ok(Some((session, known, counters, verdict)))
        })
        .await?;
    let Some((session, known, counters, verdict)) = found else { return Ok(Moved::SignInFirst) };
    if let Verdict::Wait(span) = verdict {
        return Ok(Moved::Again(Complaint::Wait(span)));
    }
    if typed.new != typed.again {
        return Ok(Moved::Again(Complaint::Differ));
    }
    let phones: Vec<&str> = known.phone.iter().map(String::as_str).collect();
    let person = Person { number: &known.number, phones: &phones, name: &known.name, birthdate: &known.birthdate };
    if let Err(weakness) = check_new(&typed.new, &person) {
        return Ok(Moved::Again(Complaint::Weak(weakness)));
    }
    if !idp.hasher.verify(&typed.old, known.hash.as_deref()).await? {
        let this = Arc::clone(idp);
        idp.store
            .transact(move |db| {
                brake::count(db, &counters, &this)?;
                refused(db, &session, (What::Password, "wrong_password"), &this)
            })
            .await?;
        return Ok(Moved::Again(Complaint::WrongPassword));
    }
    if idp.hasher.verify(&typed.new, known.hash.as_deref()).await? {
        return Ok(Moved::Again(Complaint::SamePassword));
    }
    let hash = idp.hasher.hash(&typed.new).await?;
    // Without a phone on file there is nothing else to prove the owner by.
    let proved = known.phone.is_none() || is_fresh(&session, idp);
    begin(What::Password, hash, proved, browser, idp).await
}

/// N-24: two factors, both proved within minutes, are the owner.
fn is_fresh(session: &Session, idp: &Idp) -> bool {
    session.acquaintance.since(idp.clock.now() - FRESH).level() >= Some(AuthenticationLevel::Two)
}

/// As a sign-in's guesses are counted: a session hijacked elsewhere is no quicker way to the password.
fn guesses(db: &mut Db, number: &str, session: &Session, browser: &Browser, idp: &Idp) -> Result<Vec<Counter>, Fault> {
    let Some(number) = PersonNumber::parse_any(number) else { return Err(Fault::broken("flow", "a number of nobody")) };
    let index = sealed::person_index(&number, &idp.vault);
    let known = match &browser.device {
        Some(device) => store::device::knows(db, device, &session.account)?,
        None => false,
    };
    let device = browser.device.as_ref().filter(|_| known).map(Stored::as_str);
    let address = browser.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Ok(throttle::password(index.as_str(), device, address))
}

fn refused(db: &mut Db, session: &Session, (what, reason): (What, &str), idp: &Idp) -> Result<(), Fault> {
    let event = Event::new(Kind::CredentialChangeRefused, idp.clock.now())
        .of(&session.account)
        .within(&session.id)
        .with(json!({"what": what.name(), "reason": reason}));
    store::trail::append(db, &event, &idp.id()?)
}

/// A number as people write it at home or abroad, in E.164.
fn e164(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let number = match (plain.strip_prefix("+84"), plain.strip_prefix('0')) {
        (Some(rest), _) | (None, Some(rest)) => format!("+84{rest}"),
        (None, None) => return None,
    };
    may_receive(&number).then_some(number)
}

pub async fn phone(typed: &str, browser: &Browser, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let Some(number) = e164(typed) else { return Ok(Moved::Again(Complaint::BadPhone)) };
    let (this, who) = (Arc::clone(idp), browser.clone());
    let found = idp
        .store
        .read(move |db| {
            let Some(session) = standing(db, &who, &this)? else { return Ok(None) };
            let known = own::known(db, &session.account, &this)?;
            Ok(Some((session, known.phone)))
        })
        .await?;
    let Some((session, old)) = found else { return Ok(Moved::SignInFirst) };
    if old.as_ref() == Some(&number) {
        return Ok(Moved::Again(Complaint::SamePhone));
    }
    let recent = session.acquaintance.since(idp.clock.now() - FRESH).level().is_some();
    if old.is_none() && !recent {
        return Ok(Moved::Again(Complaint::SignInAgain));
    }
    let value = sealed::phone(&session.account, &number, &idp.vault)?.as_str().to_owned();
    begin(What::Phone, value, old.is_none() || is_fresh(&session, idp), browser, idp).await
}

/// Opens the change; the session's earlier one ends with it.
async fn begin(what: What, value: String, proved: bool, browser: &Browser, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (moved, messages) = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(session) = standing(db, &who, &this)? else { return Ok((Moved::SignInFirst, Vec::new())) };
            let change = Change {
                id: this.id()?,
                account: session.account.clone(),
                session: session.id.clone(),
                what,
                value,
                owner_proved_at: proved.then_some(now),
                phone_proved_at: None,
                began_at: now,
                expires_at: now + FRESH,
                ended_at: None,
            };
            store::change::end_all(db, &session.account, now)?;
            store::change::begin(db, &change)?;
            let event = Event::new(Kind::CredentialChangeBegun, now)
                .of(&session.account)
                .within(&session.id)
                .with(json!({"what": what.name(), "fresh": proved}));
            store::trail::append(db, &event, &this.id()?)?;
            go_on(db, change, &session, &who, &this)
        })
        .await?;
    post(messages, idp);
    idp.desk.ring();
    Ok(moved)
}

type Next = (Moved, Vec<Message>);

/// Sends the code that is due, or finishes.
fn go_on(db: &mut Db, change: Change, session: &Session, browser: &Browser, idp: &Idp) -> Result<Next, Fault> {
    match change.asked(idp.clock.now()) {
        None => Ok((Moved::On(Cookies::default()), Vec::new())),
        Some(Asked::Nothing) => finish::finish(db, &change, session, browser, idp),
        Some(asked) => Ok(match send(db, &change, asked, idp)? {
            Ok(message) => (Moved::On(Cookies::default()), message.into_iter().collect()),
            Err(complaint) => (Moved::Again(complaint), Vec::new()),
        }),
    }
}

const fn purpose(asked: Asked) -> Purpose {
    match asked {
        Asked::NewPhone => Purpose::NewPhone,
        Asked::Owner | Asked::Nothing => Purpose::Change,
    }
}

/// Codes of a change are kept beside those of sign-ins, so that all sends to a holder are counted together (N-20).
fn place(change: &Change) -> Id<Interaction> {
    Id::new(change.id.as_str())
}

fn digest(change: &Change, asked: Asked, code: &str, idp: &Idp) -> Stored<Otp> {
    let bound = format!("{}/{}/{code}", purpose(asked).name(), change.id);
    Stored::from_store(idp.vault.blind_index("otp", &bound).as_str().to_owned())
}

fn send(db: &mut Db, change: &Change, asked: Asked, idp: &Idp) -> Result<Result<Option<Message>, Complaint>, Fault> {
    let (now, limits) = (idp.clock.now(), &idp.config.limits);
    let sent = Sends {
        burst: store::otp::sent_since(db, &change.account, now - Sends::BURST)?,
        quarter_hour: store::otp::sent_since(db, &change.account, now - Sends::QUARTER_HOUR)?,
        day: store::otp::sent_since(db, &change.account, now - Sends::DAY)?,
    };
    let most = Sends {
        burst: limits.otp_sends_per_10_seconds,
        quarter_hour: limits.otp_sends_per_quarter_hour,
        day: limits.otp_sends_per_day,
    };
    if let Verdict::Wait(span) = may_send(sent, most) {
        return Ok(Err(Complaint::SendLimit(span)));
    }
    let code: Minted<Otp> = Minted::from_text(idp.random.six_digits()?);
    let challenge = store::otp::Challenge {
        id: idp.id()?,
        interaction: place(change),
        account: change.account.clone(),
        purpose: purpose(asked).name().to_owned(),
        code: digest(change, asked, code.reveal(), idp),
        sent_at: now,
        expires_at: now + idp.config.lifetimes.otp,
    };
    store::otp::put(db, &challenge)?;
    let event = Event::new(Kind::OtpSent, now).of(&change.account).with(json!({"purpose": purpose(asked).name()}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok(Ok(destination(db, change, asked, idp)?.map(|to| Message::code(to, &code, purpose(asked), idp))))
}

/// A code was typed; without one, another is asked for.
pub async fn code(typed: Option<String>, browser: &Browser, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    let (moved, messages) = idp
        .store
        .transact(move |db| {
            let nothing = |moved| Ok((moved, Vec::new()));
            let now = this.clock.now();
            let Some(session) = standing(db, &who, &this)? else { return nothing(Moved::SignInFirst) };
            let change = store::change::find_open(db, &session.id)?;
            let Some((mut change, asked)) = change.and_then(|found| found.asked(now).map(|asked| (found, asked)))
            else {
                return nothing(Moved::On(Cookies::default()));
            };
            let Some(typed) = typed else { return go_on(db, change, &session, &who, &this) };
            if let Some(complaint) = check(db, &change, asked, &typed, &this)? {
                refused(db, &session, (change.what, "code"), &this)?;
                return nothing(Moved::Again(complaint));
            }
            let proved = match asked {
                Asked::Owner => store::change::prove_owner(db, &change.id, now)?,
                _ => store::change::prove_phone(db, &change.id, now)?,
            };
            if !proved {
                return nothing(Moved::On(Cookies::default()));
            }
            match asked {
                Asked::Owner => change.owner_proved_at = Some(now),
                _ => change.phone_proved_at = Some(now),
            }
            go_on(db, change, &session, &who, &this)
        })
        .await?;
    post(messages, idp);
    idp.desk.ring();
    Ok(moved)
}

fn check(db: &mut Db, change: &Change, asked: Asked, typed: &str, idp: &Idp) -> Result<Option<Complaint>, Fault> {
    let now = idp.clock.now();
    let counter = [throttle::otp(change.account.as_str(), purpose(asked).name())];
    if let Verdict::Wait(span) = brake::ask(db, &counter, idp)? {
        return Ok(Some(Complaint::Wait(span)));
    }
    brake::count(db, &counter, idp)?;
    let open = store::otp::find_open(db, &place(change), purpose(asked).name())?;
    let Some(challenge) = open.filter(|challenge| now < challenge.expires_at) else {
        return Ok(Some(Complaint::ExpiredCode));
    };
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    if digest(change, asked, &digits, idp) != challenge.code {
        return Ok(Some(Complaint::WrongCode));
    }
    if !store::otp::spend(db, &challenge.id, now)? {
        return Ok(Some(Complaint::ExpiredCode));
    }
    for counter in &counter {
        store::throttle::clear(db, &counter.key)?;
    }
    Ok(None)
}

/// The holder thought better of it.
pub async fn cancel(browser: &Browser, idp: &Arc<Idp>) -> Result<(), Fault> {
    let (this, who) = (Arc::clone(idp), browser.clone());
    idp.store
        .transact(move |db| {
            if let Some(session) = standing(db, &who, &this)? {
                store::change::end_all(db, &session.account, this.clock.now())?;
            }
            Ok(())
        })
        .await
}
