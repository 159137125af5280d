//! Granting a request: the account, its claims with source and date, and an end to every other request of the person.

use serde_json::{Value, json};

use super::{record, sealed};
use crate::domain::account::{Account, AccountState};
use crate::domain::circumstances::Circumstances;
use crate::domain::claim::ClaimName;
use crate::domain::eid::Grounds;
use crate::domain::enrolment::{Enrolment, Proof, Vouched};
use crate::domain::register::{Paper, Record};
use crate::domain::registration::{Event as Happened, Reason};
use crate::domain::trail::Kind;
use crate::domain::{AccountLevel, Fault, Id, Moment, calendar};
use crate::idp::Idp;
use crate::registry::POPULATION;
use crate::store::account::{Import, SealedClaim};
use crate::store::{self, Db};

/// What the applicant said and nobody else vouches for.
const APPLICANT: &str = "applicant";

/// How a grant went.
#[derive(Debug, PartialEq, Eq)]
pub enum Granted {
    Done,
    /// The person has an account: nothing of it changed (LG-40).
    HasAccount(Id<Account>),
}

/// Makes the account of a level-1 request that matched.
pub fn level_one(db: &mut Db, enrolment: &mut Enrolment, held: &Record, idp: &Idp) -> Result<Granted, Fault> {
    let now = idp.clock.now();
    if let Some(existing) = store::account::find_by_person(db, &enrolment.person_index)? {
        return Ok(Granted::HasAccount(existing.id));
    }
    let phone = sealed::open_enrolment_phone(enrolment, &idp.vault)?;
    // LG-40: only a phone that was proved in this very request comes along.
    let phone = phone.filter(|_| enrolment.phone_proved_at.is_some());
    let Some(phone) = phone else { return Err(Fault::broken("flow", "a request without a proved phone")) };
    let id: Id<Account> = idp.id()?;
    let import = Import {
        account: Account {
            id: id.clone(),
            holder: enrolment.holder,
            level: Some(AccountLevel::One),
            state: AccountState::Granted,
            eid: None,
            card_expires: card_end(held),
            guardian: None,
            circumstances: Circumstances::default(),
            has_phone: true,
            has_password: false,
            has_totp: false,
            passkey: None,
            has_app: false,
            doubts: Default::default(),
            own_locks: Grounds::default(),
        },
        person_index: enrolment.person_index.clone(),
        person: sealed::person(&id, &held.number, &idp.vault)?,
        password_hash: None,
        phone: Some(sealed::phone(&id, &phone, &idp.vault)?),
        phone_index: enrolment.phone_index.clone(),
        at: now,
    };
    if !store::enrolled::create(db, &import)? {
        let existing = store::account::find_by_person(db, &enrolment.person_index)?;
        return existing
            .map(|account| Granted::HasAccount(account.id))
            .ok_or_else(|| Fault::broken("flow", "no account"));
    }
    let stated = sealed::open_particulars(enrolment, &idp.vault)?;
    let mut claims = identity(&id, held, now, idp)?;
    claims.extend(opened(&id, (POPULATION, AccountLevel::One), &held.papers.taken, now, idp)?);
    claims.push(claim(&id, ("phone_number", APPLICANT), &json!(phone), now, idp)?);
    claims.push(claim(&id, ("phone_number_verified", APPLICANT), &json!(true), now, idp)?);
    if let Some(email) = &stated.email {
        claims.push(claim(&id, ("email", APPLICANT), &json!(email), now, idp)?);
        // Nobody proved it.
        claims.push(claim(&id, ("email_verified", APPLICANT), &json!(false), now, idp)?);
    }
    store::enrolled::state_claims(db, &id, &claims)?;
    vouch(db, enrolment, now, idp)?;
    enrolment.account = Some(id);
    supersede(db, enrolment, idp)?;
    let names: Vec<_> = claims.iter().map(|claim| claim.claim.as_str()).collect();
    let progress = enrolment.progress.turn(Happened::Grant, now);
    enrolment.progress = progress.ok_or_else(|| Fault::broken("flow", "a grant out of turn"))?;
    record(
        db,
        Kind::EnrolmentGranted,
        enrolment,
        json!({"claims": names, "malformed": held.papers.refused, "source": POPULATION}),
        idp,
    )?;
    Ok(Granted::Done)
}

/// Who the person is, by the population database's word and not by the form's.
pub fn identity(id: &Id<Account>, held: &Record, now: Moment, idp: &Idp) -> Result<Vec<SealedClaim>, Fault> {
    let facts: [(&'static str, Value); 4] = [
        ("vn_personal_id", json!(held.number.reveal())),
        ("name", json!(held.name)),
        ("birthdate", json!(held.birthdate)),
        ("gender", json!(held.gender)),
    ];
    facts.iter().map(|(name, value)| claim(id, (name, POPULATION), value, now, idp)).collect()
}

/// Papers an account of this level opens; what it does not open is not kept.
pub fn opened(
    id: &Id<Account>,
    (source, level): (&str, AccountLevel),
    papers: &[Paper],
    now: Moment,
    idp: &Idp,
) -> Result<Vec<SealedClaim>, Fault> {
    let kept = papers.iter().filter(|paper| paper.claim.entry().level <= level);
    kept.map(|paper| {
        let value = sealed::claim(id, paper.claim, &paper.value, &idp.vault)?;
        Ok(SealedClaim { claim: paper.claim, value, source: source.to_owned(), recorded_at: now })
    })
    .collect()
}

fn claim(
    id: &Id<Account>,
    (name, source): (&str, &str),
    value: &Value,
    now: Moment,
    idp: &Idp,
) -> Result<SealedClaim, Fault> {
    let claim = ClaimName::find(name).ok_or_else(|| Fault::broken("flow", "a claim the catalogue lacks"))?;
    let value = sealed::claim(id, claim, value, &idp.vault)?;
    Ok(SealedClaim { claim, value, source: source.to_owned(), recorded_at: now })
}

/// A card is good to the end of its last day.
pub fn card_end(held: &Record) -> Option<Moment> {
    held.card.and_then(|card| card.expires).map(calendar::end_of)
}

fn vouch(db: &mut Db, enrolment: &Enrolment, now: Moment, idp: &Idp) -> Result<(), Fault> {
    let reference = sealed::evidence(&enrolment.id, POPULATION, &idp.vault)?;
    let vouched = Vouched { proof: Proof::RegisterMatch, reference, by: POPULATION.to_owned(), at: now };
    store::registration::vouch(db, &enrolment.id, &vouched)
}

/// LG-40: whatever else was begun for this person ends, with its phone and its browser.
pub fn supersede(db: &mut Db, granted: &Enrolment, idp: &Idp) -> Result<(), Fault> {
    let now = idp.clock.now();
    for mut other in store::registration::of_person(db, &granted.person_index, 100)? {
        if other.id == granted.id || !other.progress.state.is_open() {
            continue;
        }
        if let Some(progress) = other.progress.turn(Happened::Reject(Reason::Superseded), now) {
            (other.progress, other.due_at) = (progress, None);
            store::registration::save(db, &other)?;
            record(db, Kind::EnrolmentRefused, &other, json!({"reason": Reason::Superseded.name()}), idp)?;
        }
    }
    Ok(())
}
