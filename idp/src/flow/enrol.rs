//! Registration of level 1 by the applicant's own browser (ND69 Art 11(1)): a form, the phone proved by a code, then a
//! worker that compares with the population database. Every answer before the decision is the same for a number somebody
//! has, one that has an account and one nobody has (LG-01).

pub mod grant;
mod notices;
mod worker;

use std::sync::Arc;

use serde_json::json;

use super::phone_code::{self, Spot};
use super::{brake, sealed};
use crate::domain::account::Holder;
use crate::domain::enrolment::{Channel, Enrolment, Particulars};
use crate::domain::registration::{Dossier, Event as Happened, Progress, State};
use crate::domain::secret::{EnrolmentCookie, Minted, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{AccountLevel, Fault, Id, PersonNumber, Span};
use crate::factor::otp;
use crate::factor::throttle::{Counter, Rule, Verdict};
use crate::idp::Idp;
use crate::store::{self, Db};

pub use super::phone_code::Complaint;
pub use worker::decide;

/// What a code is for; it serves nothing else.
const PURPOSE: &str = "enrol";

/// A form whose every field has the right shape.
pub struct Application {
    pub number: PersonNumber,
    /// E.164.
    pub phone: String,
    pub particulars: Particulars,
}

/// What the applicant's page shows.
pub struct Status {
    pub enrolment: Enrolment,
    /// Opened for its own browser only.
    pub phone: String,
    pub late: bool,
}

pub enum Begun {
    /// The cookie by which this browser, and no other, sees the request.
    Sent(Minted<EnrolmentCookie>),
    Again(Complaint),
}

/// The request of a browser's cookie. Its name is the cookie's digest, so that nothing in an address leads to it.
fn named(cookie: &Stored<EnrolmentCookie>) -> Id<Enrolment> {
    Id::new(cookie.as_str())
}

fn place(id: &Id<Enrolment>) -> String {
    format!("enrolment/{id}")
}

/// Keeps a draft and sends a code to its phone.
pub async fn begin(form: Application, idp: &Arc<Idp>) -> Result<Begun, Fault> {
    let cookie: Minted<EnrolmentCookie> = idp.random.mint()?;
    let id = named(&cookie.stored());
    let phone_index = sealed::phone_index(&form.phone, &idp.vault);
    let enrolment = Enrolment {
        holder: Holder::Citizen,
        level: Some(AccountLevel::One),
        channel: Channel::Online,
        progress: Progress::NEW,
        person_index: sealed::person_index(&form.number, &idp.vault),
        person: sealed::enrolment_person(&id, &form.number, &idp.vault)?,
        particulars: sealed::particulars(&id, &form.particulars, &idp.vault)?,
        phone: Some(sealed::enrolment_phone(&id, &form.phone, &idp.vault)?),
        phone_index: Some(phone_index.clone()),
        phone_proved_at: None,
        account: None,
        officer: None,
        created_at: idp.clock.now(),
        due_at: None,
        tries: 0,
        version: 0,
        id,
    };
    let this = Arc::clone(idp);
    let made = idp
        .store
        .transact(move |db| {
            let place = place(&enrolment.id);
            let spot = Spot { place: &place, purpose: PURPOSE };
            let made = phone_code::make(db, &spot, &phone_index, &this)?;
            if made.is_ok() {
                store::registration::put(db, &enrolment)?;
            }
            Ok(made)
        })
        .await?;
    match made {
        Err(complaint) => Ok(Begun::Again(complaint)),
        Ok(code) => {
            deliver(&form.phone, code.reveal(), idp).await;
            Ok(Begun::Sent(cookie))
        }
    }
}

async fn deliver(phone: &str, code: &str, idp: &Idp) {
    let text = otp::text_for(code, "dang ky tai khoan dinh danh", phone_code::host(idp));
    if let Err(fault) = idp.notice.send(phone, &text, idp.clock.now()).await {
        tracing::error!(%fault, "enrol.code_not_sent");
    }
}

/// Another code for the draft of this browser.
pub async fn resend(cookie: &Stored<EnrolmentCookie>, idp: &Arc<Idp>) -> Result<Option<Complaint>, Fault> {
    let (this, id) = (Arc::clone(idp), named(cookie));
    let made = idp
        .store
        .transact(move |db| {
            let Some(draft) = draft(db, &id)? else { return Ok(Err(None)) };
            let Some(index) = &draft.phone_index else { return Ok(Err(None)) };
            let place = place(&id);
            let made = phone_code::make(db, &Spot { place: &place, purpose: PURPOSE }, index, &this)?;
            Ok(match made {
                Ok(code) => Ok((sealed::open_enrolment_phone(&draft, &this.vault)?.unwrap_or_default(), code)),
                Err(complaint) => Err(Some(complaint)),
            })
        })
        .await?;
    match made {
        Ok((phone, code)) => {
            deliver(&phone, code.reveal(), idp).await;
            Ok(None)
        }
        Err(complaint) => Ok(complaint),
    }
}

fn draft(db: &mut Db, id: &Id<Enrolment>) -> Result<Option<Enrolment>, Fault> {
    Ok(store::registration::find(db, id)?.filter(|found| found.progress.state == State::Draft))
}

/// The code came back: the dossier is complete and its clock runs (ND69 Art 13).
pub async fn submit(
    cookie: &Stored<EnrolmentCookie>,
    code: String,
    idp: &Arc<Idp>,
) -> Result<Option<Complaint>, Fault> {
    let (this, id) = (Arc::clone(idp), named(cookie));
    idp.store
        .transact(move |db| {
            let now = this.clock.now();
            // Submitted before, or forgotten: the page shows what stands.
            let Some(mut draft) = draft(db, &id)? else { return Ok(None) };
            let counters = person_counters(&draft);
            if let Verdict::Wait(span) = brake::ask(db, &counters, &this)? {
                return Ok(Some(Complaint::Wait(span)));
            }
            let place = place(&id);
            let spot = Spot { place: &place, purpose: PURPOSE };
            let known = match phone_code::check(db, &spot, &code, &this)? {
                Ok(known) => known,
                Err(complaint) => return Ok(Some(complaint)),
            };
            if !phone_code::spend(db, &spot, &known, &this)? {
                return Ok(Some(Complaint::Expired));
            }
            // Each comparison tells whoever asks whether what they typed is right, so a number has only so many.
            brake::count(db, &counters, &this)?;
            let dossier = Dossier { holder: draft.holder, level: draft.level, on_record: true };
            let Some(progress) = draft.progress.turn(Happened::Submit(dossier), now) else { return Ok(None) };
            (draft.progress, draft.phone_proved_at, draft.due_at) = (progress, Some(now), Some(now));
            if !store::registration::save(db, &draft)? {
                return Err(Fault::broken("flow", "a draft changed within its transaction"));
            }
            record(db, Kind::EnrolmentSubmitted, &draft, json!({"channel": draft.channel.name()}), &this)?;
            Ok(None)
        })
        .await
}

/// By number, and the same for one nobody has.
fn person_counters(enrolment: &Enrolment) -> [Counter; 1] {
    let key = format!("enrol.person:{}", enrolment.person_index.as_str());
    [Counter { rule: Rule::NetworkHalfDay, key }]
}

/// What this browser may see.
pub async fn status(cookie: Option<&Stored<EnrolmentCookie>>, idp: &Arc<Idp>) -> Result<Option<Status>, Fault> {
    let Some(cookie) = cookie else { return Ok(None) };
    let id = named(cookie);
    let Some(enrolment) = idp.store.read(move |db| store::registration::find(db, &id)).await? else { return Ok(None) };
    let late = enrolment.progress.is_late(idp.clock.now());
    let phone = sealed::open_enrolment_phone(&enrolment, &idp.vault)?.unwrap_or_default();
    Ok(Some(Status { enrolment, phone, late }))
}

/// Appends an event about a request; its account is named where there is one.
fn record(
    db: &mut Db,
    kind: Kind,
    enrolment: &Enrolment,
    mut detail: serde_json::Value,
    idp: &Idp,
) -> Result<(), Fault> {
    if let Some(members) = detail.as_object_mut() {
        members.insert("enrolment".to_owned(), json!(enrolment.id.as_str()));
        members.insert("level".to_owned(), json!(enrolment.level.map(AccountLevel::number)));
    }
    let event = Event::new(kind, idp.clock.now()).with(detail);
    let event = match &enrolment.account {
        Some(account) => event.of(account),
        None => event,
    };
    store::trail::append(db, &event, &idp.id()?)
}

/// For how long a request belongs to the worker that took it: longer than asking a register can take.
const LEASE: Span = Span::seconds(60);
