//! How an application's values are sealed, and opened for the officer who decides.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::Shown;
use crate::domain::account::Account;
use crate::domain::application::{Application, CardShown};
use crate::domain::authority_request::Clock;
use crate::domain::birth::Birth;
use crate::domain::enrolment::{Enrolment, Particulars, Proof};
use crate::domain::person_number::mask;
use crate::domain::secret::Sealed;
use crate::domain::{Fault, Id, PersonNumber};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::keys::Vault;
use crate::store::{self, Db};

const PERSON: &str = "enrolments.person";
const PARTICULARS: &str = "enrolments.particulars";
const PHONE: &str = "enrolments.phone";
const EVIDENCE: &str = "enrolment_evidence.reference";

pub(super) fn person(id: &Id<Enrolment>, number: &PersonNumber, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PERSON, id.as_str(), number.reveal().as_bytes())
}

pub(super) fn open_person(id: &Id<Enrolment>, sealed: &Sealed, vault: &Vault) -> Result<PersonNumber, Fault> {
    let text = vault.open_text(PERSON, id.as_str(), sealed)?;
    PersonNumber::parse(&text).ok_or_else(|| Fault::broken("flow", "a sealed person number does not parse"))
}

pub(super) fn phone(id: &Id<Enrolment>, phone: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(PHONE, id.as_str(), phone.as_bytes())
}

pub(super) fn open_phone(id: &Id<Enrolment>, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    vault.open_text(PHONE, id.as_str(), sealed)
}

pub(super) fn particulars(id: &Id<Enrolment>, particulars: &Particulars, vault: &Vault) -> Result<Sealed, Fault> {
    let text = serde_json::to_vec(particulars).map_err(|error| Fault::broken("flow", error))?;
    vault.seal(PARTICULARS, id.as_str(), &text)
}

pub(super) fn open_particulars(id: &Id<Enrolment>, sealed: &Sealed, vault: &Vault) -> Result<Particulars, Fault> {
    let text = vault.open_text(PARTICULARS, id.as_str(), sealed)?;
    serde_json::from_str(&text).map_err(|_| Fault::broken("flow", "sealed particulars do not parse"))
}

pub(super) fn proof(id: &Id<Enrolment>, proof: Proof, reference: &str, vault: &Vault) -> Result<Sealed, Fault> {
    vault.seal(EVIDENCE, &row(id, proof), reference.as_bytes())
}

fn open_proof(id: &Id<Enrolment>, proof: Proof, sealed: &Sealed, vault: &Vault) -> Result<String, Fault> {
    vault.open_text(EVIDENCE, &row(id, proof), sealed)
}

fn row(id: &Id<Enrolment>, proof: Proof) -> String {
    format!("{id}/{}", proof.name())
}

/// What the officer vouches for, with its references.
pub(super) fn evidence(application: &Application) -> Result<Vec<(Proof, String)>, Fault> {
    let checked = &application.checked;
    let mut evidence = vec![(Proof::InPerson, "in_person".to_owned())];
    if let Some(matched) = application.wanted.matched() {
        evidence.push((Proof::FaceMatch, matched.face.as_str().to_owned()));
        evidence.push((Proof::FingerprintMatch, matched.fingerprint.as_str().to_owned()));
    }
    evidence.push((Proof::Form, checked.form.as_str().to_owned()));
    if let Some(card) = &checked.card {
        evidence.push((Proof::CardSeen, written(card)));
    }
    if application.guardian.is_some() {
        evidence.push((Proof::GuardianPresent, "in_person".to_owned()));
    }
    Ok(evidence)
}

fn written(card: &CardShown) -> String {
    json!({ "suffix": card.suffix, "expires": card.expires.map(|last| last.to_string()) }).to_string()
}

fn read(text: &str) -> Option<CardShown> {
    let card: Value = serde_json::from_str(text).ok()?;
    let expires = match card.get("expires").and_then(Value::as_str) {
        Some(day) => Some(day.parse::<NaiveDate>().ok()?),
        None => None,
    };
    CardShown::parse(card.get("suffix")?.as_str()?, expires)
}

/// The card shown at the desk.
pub(super) fn card(db: &mut Db, id: &Id<Enrolment>, idp: &Idp) -> Result<Option<CardShown>, Fault> {
    for vouched in store::registration::evidence(db, id)? {
        if vouched.proof == Proof::CardSeen {
            let text = open_proof(id, vouched.proof, &vouched.reference, &idp.vault)?;
            return read(&text).map(Some).ok_or_else(|| Fault::broken("flow", "a sealed card does not parse"));
        }
    }
    Ok(None)
}

/// The birth date an account holds.
pub(super) fn birth(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<Option<Birth>, Fault> {
    let claims = store::account::claims(db, account)?;
    let Some(held) = claims.iter().find(|claim| claim.claim.as_str() == "birthdate") else { return Ok(None) };
    let value = sealed::open_claim(account, held.claim, &held.value, &idp.vault)?;
    Ok(value.as_str().and_then(Birth::parse))
}

/// All that is asked for, for the digest by which a repetition is known.
pub(super) fn content(application: &Application) -> Value {
    let (stated, checked) = (application.stated.as_ref(), &application.checked);
    let matched = application.wanted.matched();
    json!({
        "person": application.number.reveal(),
        "stated": stated.map(|stated| (&stated.name, stated.birthdate.to_string(), &stated.gender)),
        "phone": application.phone,
        "email": application.email,
        "dependants": application.dependants.iter().map(PersonNumber::reveal).collect::<Vec<_>>(),
        "guardian": application.guardian.as_ref().map(PersonNumber::reveal),
        "papers": application.papers,
        "card": checked.card.as_ref().map(written),
        // Absent at level 1, and so tells the levels apart.
        "face": matched.map(|matched| matched.face.as_str()),
        "fingerprint": matched.map(|matched| matched.fingerprint.as_str()),
        "form": checked.form.as_str(),
    })
}

pub(super) fn shown(db: &mut Db, enrolment: Enrolment, idp: &Idp) -> Result<Shown, Fault> {
    let (id, vault, now) = (enrolment.id.clone(), &idp.vault, idp.clock.now());
    let particulars = open_particulars(&id, &enrolment.particulars, vault)?;
    let phone = enrolment.phone.as_ref().map(|phone| open_phone(&id, phone, vault)).transpose()?;
    let mut evidence = Vec::new();
    let mut card = None;
    for vouched in store::registration::evidence(db, &id)? {
        let reference = open_proof(&id, vouched.proof, &vouched.reference, vault)?;
        if vouched.proof == Proof::CardSeen {
            card = read(&reference);
        } else {
            evidence.push((vouched.proof, reference, vouched.at));
        }
    }
    let clock = enrolment.progress.decide_by.filter(|_| enrolment.progress.state.is_open());
    Ok(Shown {
        level: super::level(&enrolment)?,
        person_number: open_person(&id, &enrolment.person, vault)?.to_string(),
        phone: phone.as_deref().map(mask),
        name: particulars.name,
        card,
        evidence,
        papers: particulars.papers.iter().map(|paper| paper.as_str()).collect(),
        dependants: particulars.dependants.len(),
        guardian: particulars.guardian.as_deref().map(mask),
        clock: clock.map(|until| Clock::new(until, now)),
        enrolment,
    })
}
