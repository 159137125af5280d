//! An application at the desk (ND69 Art 10(2), 13) is taken in with its identity check, and decided. Granting level 2 makes
//! the account, or raises it and keeps all it is known by, together with the e-ID; level 1 is made for a child or a ward.

mod applicant;
mod grant;
mod sealing;

use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::notify::{self, News, Whose};
use super::{Ended, Filed, Officer, Refusal};
use crate::domain::account::{Account, AccountState, Holder};
use crate::domain::application::{Application, CardShown, needs_card};
use crate::domain::authority_request::Clock;
use crate::domain::calendar;
use crate::domain::enrolment::{Channel, Enrolment, Particulars, Proof, Vouched};
use crate::domain::registration::{Dossier, Event as Turn, Progress, Reason, State};
use crate::domain::trail::{Event, Kind};
use crate::domain::{AccountLevel, Fault, Id, Moment};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::{self, Db};

/// How many requests one list holds.
const MOST: i64 = 200;

/// Why a desk refuses.
pub const REASONS: [Reason; 5] = [
    Reason::IdentityNotProved,
    Reason::PhoneNotOwn,
    Reason::DossierIncomplete,
    Reason::CardNotValid,
    Reason::Withdrawn,
];

/// What is decided about an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// With the last day of the card issued meanwhile, where none was valid.
    Grant(Option<NaiveDate>),
    Refuse(Reason),
}

/// Takes an application in; its clock runs from here. The answer is its id.
pub async fn receive(application: Application, filed: &Filed, idp: &Arc<Idp>) -> Ended<Id<Enrolment>> {
    let (id, event) = (idp.id::<Enrolment>()?, idp.id::<Event>()?);
    let (content, level, this) = (sealing::content(&application), application.wanted.level(), Arc::clone(idp));
    let officer = filed.officer.account().clone();
    let done = filed
        .once("level_two_receive", &content, idp, move |db, now| {
            let index = sealed::person_index(&application.number, &this.vault);
            let account = store::account::find_by_person(db, &index)?;
            let asked = applicant::Asked {
                level,
                account: account.as_ref(),
                born: application.stated.as_ref().map(|stated| stated.birthdate),
                guardian: application.guardian.as_ref(),
                phone: &application.phone,
            };
            let guarded = match applicant::check(db, &asked, now, &this)? {
                Ok(guarded) => guarded,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if store::level_two::open_at_desk(db, &index)?.is_some() {
                return Ok(Err(Refusal::AlreadyOpen));
            }
            let today = calendar::date(now);
            let on_record = application.checked.card.as_ref().is_some_and(|card| card.is_valid(today));
            let dossier = Dossier { holder: Holder::Citizen, level: Some(level), on_record };
            let progress = Progress::NEW
                .turn(Turn::Submit(dossier), now)
                .and_then(|progress| progress.turn(Turn::Check, now))
                .ok_or_else(|| Fault::broken("flow", "a new request does not begin"))?;
            let enrolment = Enrolment {
                id: id.clone(),
                holder: Holder::Citizen,
                level: Some(level),
                channel: Channel::Desk,
                progress,
                person_index: index,
                person: sealing::person(&id, &application.number, &this.vault)?,
                particulars: sealing::particulars(&id, &particulars(&application), &this.vault)?,
                phone: Some(sealing::phone(&id, &application.phone, &this.vault)?),
                phone_index: Some(sealed::phone_index(&application.phone, &this.vault)),
                // ND69 Art 10(2): the officer saw that the subscription is the person's own.
                phone_proved_at: Some(now),
                account: account.map(|account| account.id),
                officer: Some(officer.clone()),
                created_at: now,
                due_at: None,
                tries: 0,
                version: 0,
            };
            store::registration::put(db, &enrolment)?;
            for (proof, reference) in sealing::evidence(&application)? {
                let reference = sealing::proof(&id, proof, &reference, &this.vault)?;
                let vouched = Vouched { proof, reference, by: officer.as_str().to_owned(), at: now };
                store::registration::vouch(db, &id, &vouched)?;
            }
            let guardian = guarded.map(|guarded| guarded.guardian);
            let decide_by = progress.decide_by;
            let detail = json!({ "enrolment": id, "officer": officer, "decide_by": decide_by, "guardian": guardian });
            remember(db, (Turned::Submitted.of(level), &event), enrolment.account.as_ref(), detail, now)?;
            Ok(Ok(id))
        })
        .await?;
    Ok(done.result)
}

fn particulars(application: &Application) -> Particulars {
    let stated = application.stated.as_ref();
    Particulars {
        name: stated.map(|stated| stated.name.clone()).unwrap_or_default(),
        birthdate: stated.map(|stated| stated.birthdate.to_string()).unwrap_or_default(),
        gender: stated.map(|stated| stated.gender.clone()).unwrap_or_default(),
        email: application.email.clone(),
        language: "vi".to_owned(),
        papers: application.papers.clone(),
        dependants: application.dependants.iter().map(|number| number.reveal().to_owned()).collect(),
        guardian: application.guardian.as_ref().map(|number| number.reveal().to_owned()),
    }
}

/// Decides an application that is being examined. The answer is the account it was granted as; `None` after a refusal.
pub async fn decide(id: Id<Enrolment>, verdict: Verdict, filed: &Filed, idp: &Arc<Idp>) -> Ended<Option<Id<Account>>> {
    let content = match verdict {
        Verdict::Grant(card) => json!({ "enrolment": id, "grant": true, "card": card.map(|day| day.to_string()) }),
        Verdict::Refuse(reason) => json!({ "enrolment": id, "refuse": reason.name() }),
    };
    let fresh = grant::Fresh { account: idp.id()?, event: idp.id()? };
    let (this, officer, wanted) = (Arc::clone(idp), filed.officer.account().clone(), id.clone());
    let done = filed
        .once("level_two_decide", &content, idp, move |db, now| {
            let Some(enrolment) = store::registration::find(db, &wanted)? else { return Ok(Err(Refusal::NoRequest)) };
            if enrolment.channel != Channel::Desk {
                return Ok(Err(Refusal::NoRequest));
            }
            if enrolment.progress.state != State::Checking {
                return Ok(Err(Refusal::AlreadyDecided));
            }
            match verdict {
                Verdict::Grant(card) => grant::settle(db, enrolment, (card, officer), (fresh, now), &this),
                Verdict::Refuse(reason) => refuse(db, enrolment, (reason, officer), (fresh.event, now)),
            }
        })
        .await?;
    if done.first && done.result.is_ok() {
        tell(&id, verdict, idp).await?;
    }
    Ok(done.result)
}

fn refuse(
    db: &mut Db,
    enrolment: Enrolment,
    (reason, officer): (Reason, Id<Account>),
    (event, now): (Id<Event>, Moment),
) -> Ended<Option<Id<Account>>> {
    let Some(progress) = enrolment.progress.turn(Turn::Reject(reason), now) else {
        return Ok(Err(Refusal::AlreadyDecided));
    };
    let enrolment = Enrolment { progress, ..enrolment };
    if !store::registration::save(db, &enrolment)? {
        return Ok(Err(Refusal::AlreadyDecided));
    }
    let detail = json!({ "enrolment": enrolment.id, "officer": officer, "reason": reason.name() });
    remember(db, (Turned::Refused.of(level(&enrolment)?), &event), enrolment.account.as_ref(), detail, now)?;
    Ok(Ok(None))
}

/// What becomes of an application, as the trail names it.
#[derive(Clone, Copy)]
enum Turned {
    Submitted,
    Granted,
    Refused,
}

impl Turned {
    const fn of(self, level: AccountLevel) -> Kind {
        match (self, level) {
            (Turned::Submitted, AccountLevel::One) => Kind::EnrolmentSubmitted,
            (Turned::Granted, AccountLevel::One) => Kind::EnrolmentGranted,
            (Turned::Refused, AccountLevel::One) => Kind::EnrolmentRefused,
            (Turned::Submitted, AccountLevel::Two) => Kind::LevelTwoSubmitted,
            (Turned::Granted, AccountLevel::Two) => Kind::LevelTwoGranted,
            (Turned::Refused, AccountLevel::Two) => Kind::LevelTwoRefused,
        }
    }
}

/// The level an application asks for.
fn level(enrolment: &Enrolment) -> Result<AccountLevel, Fault> {
    enrolment.level.ok_or_else(|| Fault::broken("flow", "an application without a level"))
}

fn remember(
    db: &mut Db,
    (kind, event): (Kind, &Id<Event>),
    account: Option<&Id<Account>>,
    detail: Value,
    now: Moment,
) -> Result<(), Fault> {
    let mut remembered = Event::new(kind, now).with(detail);
    if let Some(account) = account {
        remembered = remembered.of(account);
    }
    store::trail::append(db, &remembered, event)
}

/// ND69 Art 10(2)d: the result goes to the phone on the form; the seven days to activate run from the message.
async fn tell(id: &Id<Enrolment>, verdict: Verdict, idp: &Arc<Idp>) -> Result<(), Fault> {
    let wanted = id.clone();
    let found = idp.store.read(move |db| store::registration::find(db, &wanted)).await?;
    let Some(enrolment) = found else { return Ok(()) };
    let Some(to) = enrolment.phone.as_ref().map(|phone| sealing::open_phone(id, phone, &idp.vault)).transpose()? else {
        return Ok(());
    };
    let news = match (verdict, enrolment.progress.state) {
        (Verdict::Refuse(_), _) => News::NotGranted,
        (Verdict::Grant(_), State::Granted) => News::ToActivate(format!("{}/activate", idp.config.issuer)),
        (Verdict::Grant(_), _) => News::LevelTwo,
    };
    let guardian = sealing::open_particulars(id, &enrolment.particulars, &idp.vault)?.guardian;
    let about = Whose { level: level(&enrolment)?, is_guarded: guardian.is_some() };
    if let Err(fault) = notify::to(&to, &news.text(about), idp).await {
        tracing::warn!(%fault, "an applicant could not be told of a decision");
        return Ok(());
    }
    if enrolment.progress.state == State::Granted {
        let (now, wanted) = (idp.clock.now(), id.clone());
        idp.store
            .transact(move |db| {
                let Some(found) = store::registration::find(db, &wanted)? else { return Ok(()) };
                if let Some(progress) = found.progress.turn(Turn::Notify, now) {
                    store::registration::save(db, &Enrolment { progress, ..found })?;
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}

/// An application as an officer sees it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub enrolment: Enrolment,
    pub level: AccountLevel,
    /// Masked.
    pub person_number: String,
    /// Masked.
    pub phone: Option<String>,
    /// Stated on the form; an upgrade's is in the account.
    pub name: String,
    pub card: Option<CardShown>,
    /// What was vouched for, its reference, and when.
    pub evidence: Vec<(Proof, String, Moment)>,
    pub papers: Vec<&'static str>,
    pub dependants: usize,
    /// Masked.
    pub guardian: Option<String>,
    pub clock: Option<Clock>,
}

impl Shown {
    /// Granting takes the last day of a card issued meanwhile.
    pub fn needs_card(&self, now: Moment) -> bool {
        needs_card(self.level, self.card.as_ref(), calendar::date(now))
    }
}

/// Applications that wait for a decision, the most urgent first.
pub async fn open(_officer: &Officer, idp: &Arc<Idp>) -> Result<Vec<Shown>, Fault> {
    let this = Arc::clone(idp);
    idp.store
        .read(move |db| {
            let waiting = store::registration::list(db, Channel::Desk, State::Checking, MOST)?;
            waiting.into_iter().map(|enrolment| sealing::shown(db, enrolment, &this)).collect()
        })
        .await
}

pub async fn find(id: Id<Enrolment>, _officer: &Officer, idp: &Arc<Idp>) -> Ended<Shown> {
    let this = Arc::clone(idp);
    idp.store
        .read(move |db| match store::registration::find(db, &id)? {
            Some(enrolment) if enrolment.channel == Channel::Desk => sealing::shown(db, enrolment, &this).map(Ok),
            _ => Ok(Err(Refusal::NoRequest)),
        })
        .await
}

/// Whether an account still waits for its holder's first sign-in.
fn waits(account: &Account) -> bool {
    account.state == AccountState::Granted
}
