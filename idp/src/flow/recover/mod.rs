//! Recovery of a forgotten password: read the try, let `domain::recovery` decide, record, answer. What may be said to a
//! stranger is said alike for every number: whether it has an account shows only to whoever has its phone.

mod finish;
mod notices;
mod reproof;
mod stop;

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use serde_json::json;

use super::{Browser, brake, facts, sealed};
use crate::domain::account::Account;
use crate::domain::recovery::{Ending, Pace, Recovery, Second, Stage};
use crate::domain::secret::{BlindIndex, Minted, Otp, RecoveryCookie, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, PersonNumber, Span};
use crate::factor::otp::{Purpose, Sends, may_send};
use crate::factor::password::rules::Weakness;
use crate::factor::throttle::{self, Counter, Verdict};
use crate::idp::Idp;
use crate::store::{self, Db};

pub use finish::{Chosen, set_password};
pub(super) use notices::{Message, hours, post};
pub use reproof::reproof;
pub use stop::{Halt, stop, stop_as_holder, under_way};

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Not twelve digits: seen without asking anybody.
    Malformed,
    WrongCode,
    ExpiredCode,
    /// No code is tried for so long.
    Wait(Span),
    /// No code is sent for so long.
    SendLimit(Span),
    WrongCard,
    /// No card is tried for so long.
    CardWait(Span),
    Weak(Weakness),
    Differ,
    /// A code to stop something, for a number that has nothing to stop under it.
    NothingToStop,
}

/// What a post came to.
pub enum Moved {
    /// On to whatever page is due.
    On,
    Begun(Minted<RecoveryCookie>),
    Again(Complaint),
}

/// Where the browser's recovery stands; `None`: it has none.
pub async fn stage(cookie: Option<&Stored<RecoveryCookie>>, idp: &Idp) -> Result<Option<Stage>, Fault> {
    let Some(cookie) = cookie else { return Ok(None) };
    let (cookie, now) = (Stored::from_store(cookie.as_str().to_owned()), idp.clock.now());
    let found = idp.store.read(move |db| store::recovery::find(db, &cookie)).await?;
    Ok(found.map(|found| found.stage(now)))
}

/// The number was given.
pub async fn begin(number: &str, browser: &Browser, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let Some(number) = PersonNumber::parse_foreign(number) else { return Ok(Moved::Again(Complaint::Malformed)) };
    let person = sealed::person_index(&number, &idp.vault);
    let (this, who) = (Arc::clone(idp), browser.clone());
    let begun = idp.store.transact(move |db| open(db, person, &who, &this)).await?;
    Ok(match begun {
        Ok((cookie, message)) => {
            // Sent beside the answer: a gateway's time must not tell which numbers have a phone.
            post(message, idp);
            Moved::Begun(cookie)
        }
        Err(complaint) => Moved::Again(complaint),
    })
}

type Opened = Result<(Minted<RecoveryCookie>, Option<Message>), Complaint>;

fn open(db: &mut Db, person: BlindIndex, browser: &Browser, idp: &Idp) -> Result<Opened, Fault> {
    let now = idp.clock.now();
    idp.open.one_more(idp.config.limits.open_interactions)?;
    let account = store::account::find_by_person(db, &person)?;
    let known = knows(db, browser, account.as_ref())?;
    if let Err(complaint) = count_send(db, &person, known.as_deref(), idp)? {
        return Ok(Err(complaint));
    }
    let id: Id<Recovery> = idp.id()?;
    let code: Minted<Otp> = Minted::from_text(idp.random.six_digits()?);
    let cookie: Minted<RecoveryCookie> = idp.random.mint()?;
    // A lock, an account not activated, a card that expired, a ward: recovery would lead nowhere, and says so to nobody
    // but the phone on file.
    let standing = account.as_ref().map(|account| facts::standing(Some(account), None, now).map_err(|why| why.name()));
    let able = match (&account, standing) {
        (Some(account), Some(Ok(_))) if !account.has_phone => Some(Err("no_phone")),
        (_, standing) => standing.map(|standing| standing.map(|_| ())),
    };
    let phone = match &account {
        Some(account) => notices::phone(db, &account.id, idp)?,
        None => None,
    };
    let (mut kind, mut reason) = (Kind::RecoveryBegun, "");
    let message = match able {
        Some(Ok(())) => phone.map(|to| Message::code(to, &code, Purpose::Recovery, idp)),
        Some(Err(why)) => {
            (kind, reason) = (Kind::RecoveryRefused, why);
            let dead = account.as_ref().is_some_and(notices::is_dead);
            phone.filter(|_| !dead).map(|to| Message::news(to, crate::factor::otp::News::CannotRecover))
        }
        None => None,
    };
    let recovery = Recovery {
        browser: cookie.stored(),
        account: account.as_ref().filter(|_| able == Some(Ok(()))).map(|account| account.id.clone()),
        code: Some(digest(&id, code.reveal(), idp)),
        code_expires_at: Some(now + idp.config.lifetimes.otp),
        phone_proved_at: None,
        second: None,
        ready_at: None,
        stop_code: None,
        began_at: now,
        expires_at: now + pace(idp).step,
        ending: None,
        person,
        id,
    };
    store::recovery::begin(db, &recovery)?;
    if let Some(account) = &account {
        let detail = json!({"known_device": known.is_some(), "reason": reason});
        store::trail::append(db, &Event::new(kind, now).of(&account.id).with(detail), &idp.id()?)?;
    }
    Ok(Ok((cookie, message)))
}

/// N-20, per person number whether or not it is anybody's. A device the account signed in from has sends of its own:
/// strangers cannot use up the owner's (`security.md` P11).
fn count_send(
    db: &mut Db,
    person: &BlindIndex,
    device: Option<&str>,
    idp: &Idp,
) -> Result<Result<(), Complaint>, Fault> {
    let (now, limits) = (idp.clock.now(), &idp.config.limits);
    let whose = device.map_or_else(|| person.as_str().to_owned(), |device| format!("{}/{device}", person.as_str()));
    let windows = [("burst", Sends::BURST), ("quarter_hour", Sends::QUARTER_HOUR), ("day", Sends::DAY)];
    let mut sent = [0; 3];
    for ((name, window), sent) in windows.iter().zip(&mut sent) {
        let counted = store::throttle::find(db, &format!("recovery.sent.{name}:{whose}"))?;
        *sent = counted.filter(|row| now.since(row.first_at) < *window).map_or(0, |row| row.count);
    }
    let [burst, quarter_hour, day] = sent;
    let most = Sends {
        burst: limits.otp_sends_per_10_seconds,
        quarter_hour: limits.otp_sends_per_quarter_hour,
        day: limits.otp_sends_per_day,
    };
    if let Verdict::Wait(span) = may_send(Sends { burst, quarter_hour, day }, most) {
        return Ok(Err(Complaint::SendLimit(span)));
    }
    for (name, window) in windows {
        store::throttle::fail_within(db, &format!("recovery.sent.{name}:{whose}"), now, window)?;
    }
    Ok(Ok(()))
}

/// The digest of this browser's device cookie, where the account signed in with it before.
fn knows(db: &mut Db, browser: &Browser, account: Option<&Account>) -> Result<Option<String>, Fault> {
    let (Some(device), Some(account)) = (&browser.device, account) else { return Ok(None) };
    Ok(store::device::knows(db, device, &account.id)?.then(|| device.as_str().to_owned()))
}

fn pace(idp: &Idp) -> Pace {
    Pace { step: idp.config.lifetimes.interaction, cooling_off: idp.config.recovery.cooling_off }
}

fn digest(id: &Id<Recovery>, code: &str, idp: &Idp) -> Stored<Otp> {
    Stored::from_store(idp.vault.blind_index("otp", &format!("recovery/{id}/{code}")).as_str().to_owned())
}

fn code_counter(recovery: &Recovery) -> [Counter; 1] {
    [throttle::otp(recovery.person.as_str(), Purpose::Recovery.name())]
}

/// Another code, in place of the one before.
pub async fn resend(cookie: &Stored<RecoveryCookie>, browser: &Browser, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let (this, who, cookie) = (Arc::clone(idp), browser.clone(), Stored::from_store(cookie.as_str().to_owned()));
    let sent = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(mut recovery) = due(db, &cookie, Stage::PhoneCode, now)? else { return Ok(Ok(None)) };
            let account = match &recovery.account {
                Some(account) => store::account::find(db, account)?,
                None => None,
            };
            let known = knows(db, &who, account.as_ref())?;
            if let Err(complaint) = count_send(db, &recovery.person, known.as_deref(), &this)? {
                return Ok(Err(complaint));
            }
            let code: Minted<Otp> = Minted::from_text(this.random.six_digits()?);
            recovery.code = Some(digest(&recovery.id, code.reveal(), &this));
            recovery.code_expires_at = Some(now + this.config.lifetimes.otp);
            store::recovery::save(db, &recovery, false)?;
            let Some(account) = account else { return Ok(Ok(None)) };
            let to = notices::phone(db, &account.id, &this)?;
            Ok(Ok(to.map(|to| Message::code(to, &code, Purpose::Recovery, &this))))
        })
        .await?;
    Ok(match sent {
        Ok(message) => {
            post(message, idp);
            Moved::On
        }
        Err(complaint) => Moved::Again(complaint),
    })
}

/// The browser's recovery, if this step is the one that is due.
fn due(db: &mut Db, cookie: &Stored<RecoveryCookie>, stage: Stage, now: Moment) -> Result<Option<Recovery>, Fault> {
    Ok(store::recovery::find(db, cookie)?.filter(|found| found.stage(now) == stage))
}

/// The code sent to the phone was typed. On a device the account signed in from, that is both proofs.
pub async fn code(
    cookie: &Stored<RecoveryCookie>,
    typed: &str,
    browser: &Browser,
    idp: &Arc<Idp>,
) -> Result<Moved, Fault> {
    let (this, who, cookie) = (Arc::clone(idp), browser.clone(), Stored::from_store(cookie.as_str().to_owned()));
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let (moved, message) = idp.store.transact(move |db| check_code(db, &cookie, &digits, &who, &this)).await?;
    post(message, idp);
    Ok(moved)
}

type Checked = (Moved, Option<Message>);

fn check_code(
    db: &mut Db,
    cookie: &Stored<RecoveryCookie>,
    digits: &str,
    browser: &Browser,
    idp: &Idp,
) -> Result<Checked, Fault> {
    let again = |complaint| Ok((Moved::Again(complaint), None));
    let now = idp.clock.now();
    let Some(mut recovery) = due(db, cookie, Stage::PhoneCode, now)? else { return Ok((Moved::On, None)) };
    let counter = code_counter(&recovery);
    if let Verdict::Wait(span) = brake::ask(db, &counter, idp)? {
        return again(Complaint::Wait(span));
    }
    // Charged before it is compared (LG-10, LG-11): the count belongs to person and purpose, not to the code.
    brake::count(db, &counter, idp)?;
    if recovery.code_expires_at.is_none_or(|at| now >= at) {
        return again(Complaint::ExpiredCode);
    }
    let right = recovery.code.as_ref() == Some(&digest(&recovery.id, digits, idp));
    let account = match recovery.account.clone() {
        Some(account) => account,
        None => return again(Complaint::WrongCode),
    };
    if !right {
        refused(db, &account, "wrong_code", idp)?;
        return again(Complaint::WrongCode);
    }
    if recovery.prove_phone(now).is_err() {
        return Ok((Moved::On, None));
    }
    let known = store::account::find(db, &account)?;
    let mut message = None;
    let device = knows(db, browser, known.as_ref())?;
    if device.is_some() {
        message = prove_second(db, &mut recovery, Second::KnownDevice, idp)?;
    }
    if !store::recovery::save(db, &recovery, false)? {
        return Ok((Moved::On, None));
    }
    for counter in &counter {
        store::throttle::clear(db, &counter.key)?;
    }
    let proofs = if device.is_some() { "phone+known_device" } else { "phone" };
    let event = Event::new(Kind::RecoveryProved, now).of(&account).with(json!({"proof": proofs}));
    store::trail::append(db, &event, &idp.id()?)?;
    Ok((Moved::On, message))
}

/// Records the second proof and words the notice that goes to the phone with it.
fn prove_second(db: &mut Db, recovery: &mut Recovery, second: Second, idp: &Idp) -> Result<Option<Message>, Fault> {
    if recovery.prove_second(second, pace(idp), idp.clock.now()).is_err() {
        return Ok(None);
    }
    let Some(account) = recovery.account.clone() else { return Ok(None) };
    let code = stop::mint(recovery, idp)?;
    let wait = hours(second.wait(idp.config.recovery.cooling_off));
    let to = notices::phone(db, &account, idp)?;
    Ok(to.map(|to| Message::proved(to, &code, wait, idp)))
}

fn refused(db: &mut Db, account: &Id<Account>, reason: &str, idp: &Idp) -> Result<(), Fault> {
    let event = Event::new(Kind::RecoveryRefused, idp.clock.now()).of(account).with(json!({"reason": reason}));
    store::trail::append(db, &event, &idp.id()?)
}

/// The day the identity card expires was typed.
pub async fn card(cookie: &Stored<RecoveryCookie>, typed: &str, idp: &Arc<Idp>) -> Result<Moved, Fault> {
    let (this, cookie) = (Arc::clone(idp), Stored::from_store(cookie.as_str().to_owned()));
    let day = day(typed);
    let (moved, message) = idp
        .store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(mut recovery) = due(db, &cookie, Stage::SecondProof, now)? else { return Ok((Moved::On, None)) };
            let Some(day) = day else { return Ok((Moved::Again(Complaint::WrongCard), None)) };
            let counter = [throttle::fact(recovery.person.as_str(), "recovery_card")];
            if let Verdict::Wait(span) = brake::ask(db, &counter, &this)? {
                return Ok((Moved::Again(Complaint::CardWait(span)), None));
            }
            brake::count(db, &counter, &this)?;
            let Some(id) = recovery.account.clone() else { return Ok((Moved::On, None)) };
            let known = store::account::find(db, &id)?.and_then(|account| account.card_expires);
            if known != Some(day) {
                refused(db, &id, "wrong_card", &this)?;
                return Ok((Moved::Again(Complaint::WrongCard), None));
            }
            let message = prove_second(db, &mut recovery, Second::Card, &this)?;
            if !store::recovery::save(db, &recovery, true)? {
                return Ok((Moved::On, None));
            }
            let event = Event::new(Kind::RecoveryProved, now).of(&id).with(json!({"proof": Second::Card.name()}));
            store::trail::append(db, &event, &this.id()?)?;
            Ok((Moved::On, message))
        })
        .await?;
    post(message, idp);
    Ok(moved)
}

/// `dd/MM/yyyy` as it stands on the card, or an ISO date: the moment the card is good no more, in Vietnamese time.
fn day(typed: &str) -> Option<Moment> {
    let plain: String = typed.trim().chars().map(|c| if matches!(c, '.' | '-' | ' ') { '/' } else { c }).collect();
    let day = ["%d/%m/%Y", "%Y/%m/%d"].iter().find_map(|form| NaiveDate::parse_from_str(&plain, form).ok())?;
    let midnight = day.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0)?;
    Some(Moment::from_unix(midnight.and_utc().timestamp()) - Span::hours(7))
}

/// Whoever began it leaves it.
pub async fn give_up(cookie: &Stored<RecoveryCookie>, idp: &Arc<Idp>) -> Result<(), Fault> {
    let (this, cookie) = (Arc::clone(idp), Stored::from_store(cookie.as_str().to_owned()));
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            let Some(recovery) = store::recovery::find(db, &cookie)? else { return Ok(()) };
            if store::recovery::end(db, &recovery.id, Ending::GivenUp, now)?
                && let Some(account) = &recovery.account
            {
                let detail = json!({"ending": Ending::GivenUp.name()});
                store::trail::append(db, &Event::new(Kind::RecoveryEnded, now).of(account).with(detail), &this.id()?)?;
            }
            Ok(())
        })
        .await
}
