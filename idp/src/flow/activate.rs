//! Activation (ND69 Art 14(1)): within seven days of the notice, by a code sent to the registered phone and a password the
//! holder chooses; afterwards through the hotline, which is an operator's act. What stands behind a number is told only to
//! who brings the code: until then every number answers alike (LG-01).

pub(super) mod hotline;

use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::change::own::{self, Known};
use super::phone_code::{self, Complaint, Spot};
use super::{Browser, sealed};
use crate::domain::account::{Account, AccountState};
use crate::domain::enrolment::Enrolment;
use crate::domain::registration::{Event as Happened, State};
use crate::domain::secret::BlindIndex;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, PersonNumber};
use crate::factor::otp;
use crate::factor::password::rules::{Person, Weakness, check_new};
use crate::idp::Idp;
use crate::store::phone_code::PhoneCode;
use crate::store::{self, Db};

pub use hotline::by_hotline;

const PURPOSE: &str = "activate";

/// What the second form carried.
pub struct Form {
    pub number: PersonNumber,
    pub code: String,
    pub password: Zeroizing<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activated {
    Done,
    Again(Complaint),
    /// By what is on file. Told to who brought the code, which stays good.
    Weak(Weakness),
    /// The seven days are over. Told to who brought the code.
    Overdue,
}

/// What an activation may do for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Ready,
    Overdue,
    /// Activated before, or nobody.
    Nothing,
}

/// Whether a chosen password is one we take of anybody with this number, asked before anything else and of nothing on file
/// (LG-01).
pub fn check_password(password: &str, number: &PersonNumber) -> Result<(), Weakness> {
    check_new(password, &Person { number: number.reveal(), ..Person::default() })
}

/// A code is bound to the browser that asked for it and to the number it gave.
fn place(browser: &Browser, index: &BlindIndex) -> String {
    let browser = browser.browser.as_ref().map_or("", |cookie| cookie.as_str());
    format!("activate/{browser}/{}", index.as_str())
}

/// Sends a code where there is something to activate, and answers the same where there is not. The message leaves after the
/// answer, so that its time tells nothing.
pub async fn begin(number: PersonNumber, browser: &Browser, idp: &Arc<Idp>) -> Result<Option<Complaint>, Fault> {
    let (this, place_of) = (Arc::clone(idp), browser.clone());
    let made = idp
        .store
        .transact(move |db| {
            let index = sealed::person_index(&number, &this.vault);
            let found = store::account::find_by_person(db, &index)?;
            let readiness = match &found {
                Some(account) => readiness(db, account, &this)?.0,
                None => Readiness::Nothing,
            };
            let phone = match found.filter(|_| readiness != Readiness::Nothing) {
                Some(account) => registered_phone(db, &account.id, &this)?,
                None => None,
            };
            // Nobody's number has a phone of its own here: its sends are counted and its code is made, and goes nowhere.
            let counted = match &phone {
                Some(phone) => sealed::phone_index(phone, &this.vault),
                None => this.vault.blind_index("phone", index.as_str()),
            };
            let place = place(&place_of, &index);
            let made = phone_code::make(db, &Spot { place: &place, purpose: PURPOSE }, &counted, &this)?;
            Ok(made.map(|code| phone.map(|phone| (phone, code))))
        })
        .await?;
    match made {
        Err(complaint) => return Ok(Some(complaint)),
        Ok(None) => {}
        Ok(Some((phone, code))) => {
            let this = Arc::clone(idp);
            drop(tokio::spawn(async move {
                let text = otp::text_for(code.reveal(), "kich hoat tai khoan dinh danh", phone_code::host(&this));
                if let Err(fault) = this.notice.send(&phone, &text, this.clock.now()).await {
                    tracing::error!(%fault, "activate.code_not_sent");
                }
            }));
        }
    }
    Ok(None)
}

/// Takes the code, and the password with it.
pub async fn finish(form: Form, browser: &Browser, idp: &Arc<Idp>) -> Result<Activated, Fault> {
    let index = sealed::person_index(&form.number, &idp.vault);
    let place = place(browser, &index);
    let (this, code, at, of) = (Arc::clone(idp), form.code, place.clone(), index.clone());
    let considered = idp.store.transact(move |db| consider(db, &at, &of, &code, &this)).await?;
    let (known, holder) = match considered {
        Ok(found) => found,
        Err(activated) => return Ok(activated),
    };
    if let Err(weakness) = holder.check_new(&form.password) {
        return Ok(Activated::Weak(weakness));
    }
    // Only now: a hash costs, and whoever reaches it holds the phone.
    let hash = idp.hasher.hash(&form.password).await?;
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            let spot = Spot { place: &place, purpose: PURPOSE };
            if !phone_code::spend(db, &spot, &known, &this)? {
                return Ok(Activated::Again(Complaint::Expired));
            }
            let Some(account) = store::account::find_by_person(db, &index)? else {
                return Ok(Activated::Again(Complaint::Expired));
            };
            store::account::hold(db, &account.id, store::account::Hold::Alone)?;
            let (readiness, enrolment) = readiness(db, &account, &this)?;
            if readiness != Readiness::Ready || !store::enrolled::activate(db, &account.id, &hash, this.clock.now())? {
                return Ok(Activated::Again(Complaint::Expired));
            }
            settle(db, enrolment, Happened::Activate, &this)?;
            record(db, Kind::AccountActivated, &account.id, json!({"via": "code"}), &this)?;
            Ok(Activated::Done)
        })
        .await
}

fn consider(
    db: &mut Db,
    place: &str,
    index: &BlindIndex,
    code: &str,
    idp: &Idp,
) -> Result<Result<(Id<PhoneCode>, Known), Activated>, Fault> {
    let spot = Spot { place, purpose: PURPOSE };
    let found = store::account::find_by_person(db, index)?;
    let known = match phone_code::check(db, &spot, code, idp)? {
        Ok(known) => known,
        Err(complaint) => {
            if let Some(account) = &found
                && !matches!(complaint, Complaint::Wait(_))
            {
                record(db, Kind::ActivationRefused, &account.id, json!({"reason": complaint.name()}), idp)?;
            }
            return Ok(Err(Activated::Again(complaint)));
        }
    };
    let Some(account) = found else { return Ok(Err(Activated::Again(Complaint::Wrong))) };
    Ok(match readiness(db, &account, idp)?.0 {
        Readiness::Ready => Ok((known, own::known(db, &account.id, idp)?)),
        Readiness::Nothing => Err(Activated::Again(Complaint::Expired)),
        Readiness::Overdue => {
            phone_code::spend(db, &spot, &known, idp)?;
            record(db, Kind::ActivationRefused, &account.id, json!({"reason": "overdue"}), idp)?;
            Err(Activated::Overdue)
        }
    })
}

/// An account that came by an operator's file has no notice, and so no end of its days.
fn readiness(db: &mut Db, account: &Account, idp: &Idp) -> Result<(Readiness, Option<Enrolment>), Fault> {
    let enrolment = store::registration::of_account(db, &account.id)?;
    let overdue = enrolment.as_ref().is_some_and(|enrolment| {
        enrolment.progress.state == State::ActivationOverdue || enrolment.progress.is_overdue(idp.clock.now())
    });
    let by_hotline = enrolment.as_ref().is_some_and(|enrolment| enrolment.progress.state == State::ActivatedViaHotline);
    let open = match account.state {
        AccountState::Granted => true,
        // The hotline activated it: what is left is the first password.
        AccountState::Activated => by_hotline && !account.has_password,
    };
    let readiness = match (open, overdue) {
        (false, _) => Readiness::Nothing,
        (true, true) => Readiness::Overdue,
        (true, false) => Readiness::Ready,
    };
    Ok((readiness, enrolment))
}

fn registered_phone(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Option<String>, Fault> {
    let sealed = store::account::credentials(db, account)?.and_then(|known| known.phone);
    sealed.map(|phone| sealed::open_phone(account, &phone, &idp.vault)).transpose()
}

/// Moves the request on with its account. A hotline's request stays what it is when the password is chosen.
fn settle(db: &mut Db, enrolment: Option<Enrolment>, event: Happened, idp: &Idp) -> Result<(), Fault> {
    let Some(mut enrolment) = enrolment else { return Ok(()) };
    let Some(progress) = enrolment.progress.turn(event, idp.clock.now()) else { return Ok(()) };
    (enrolment.progress, enrolment.due_at) = (progress, None);
    if store::registration::save(db, &enrolment)? {
        return Ok(());
    }
    // The worker wrote its notice meanwhile: once more on what stands now.
    Err(Fault::unavailable("flow", "a request changed in between"))
}

fn record(db: &mut Db, kind: Kind, account: &Id<Account>, detail: serde_json::Value, idp: &Idp) -> Result<(), Fault> {
    let event = Event::new(kind, idp.clock.now()).of(account).with(detail);
    store::trail::append(db, &event, &idp.id()?)
}
