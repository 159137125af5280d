//! What a grant does, in one transaction: the account is made or raised, the e-ID comes with it, the request is closed.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::super::{Ended, Refusal};
use super::applicant::{self, Asked, Guarded};
use super::{Turned, remember, sealing, waits};
use crate::domain::account::{Account, AccountState, Holder};
use crate::domain::application::{CardShown, needs_card};
use crate::domain::calendar;
use crate::domain::claim::ClaimName;
use crate::domain::eid::ElectronicId;
use crate::domain::enrolment::{Enrolment, Particulars};
use crate::domain::outbox::Cause;
use crate::domain::registration::Event as Turn;
use crate::domain::trail::Event;
use crate::domain::{AccountLevel, Fault, Id, Moment, PersonNumber};
use crate::flow::eid_lock::end_everything;
use crate::flow::outbox::Occasion;
use crate::flow::sealed;
use crate::idp::Idp;
use crate::store::account::{Hold, Import, SealedClaim};
use crate::store::level_two::Raised;
use crate::store::{self, Db};

/// Where these claims are said to come from: form TK01, compared with the card by an officer.
const SOURCE: &str = "tk01";

pub(super) struct Fresh {
    /// The id of the account, should it be new.
    pub account: Id<Account>,
    pub event: Id<Event>,
}

/// What the request holds, opened.
struct Opened {
    level: AccountLevel,
    number: PersonNumber,
    particulars: Particulars,
    guardian: Option<PersonNumber>,
    phone: String,
    card: NaiveDateOrEndless,
}

impl Opened {
    fn of(enrolment: &Enrolment, card: NaiveDateOrEndless, idp: &Idp) -> Result<Opened, Fault> {
        let (id, vault) = (&enrolment.id, &idp.vault);
        let particulars = sealing::open_particulars(id, &enrolment.particulars, vault)?;
        let phone = enrolment.phone.as_ref().ok_or_else(|| Fault::broken("flow", "an application without a phone"))?;
        Ok(Opened {
            level: super::level(enrolment)?,
            number: sealing::open_person(id, &enrolment.person, vault)?,
            guardian: particulars.guardian.as_deref().and_then(PersonNumber::parse),
            particulars,
            phone: sealing::open_phone(id, phone, vault)?,
            card,
        })
    }

    fn asked<'a>(&'a self, account: Option<&'a Account>) -> Result<Asked<'a>, Fault> {
        Ok(Asked {
            level: self.level,
            account,
            born: self.born()?,
            guardian: self.guardian.as_ref(),
            phone: &self.phone,
        })
    }

    /// Stated by whoever had no account when they applied.
    fn born(&self) -> Result<Option<NaiveDate>, Fault> {
        match self.particulars.birthdate.as_str() {
            "" => Ok(None),
            day => day.parse().map(Some).map_err(|_| Fault::broken("flow", "a sealed birth date does not parse")),
        }
    }
}

/// The last day of a card in force; `None` for one without an end.
type NaiveDateOrEndless = Option<NaiveDate>;

pub(super) fn settle(
    db: &mut Db,
    enrolment: Enrolment,
    (card, officer): (Option<NaiveDate>, Id<Account>),
    (fresh, now): (Fresh, Moment),
    idp: &Idp,
) -> Ended<Option<Id<Account>>> {
    let (shown, level) = (sealing::card(db, &enrolment.id, idp)?, super::level(&enrolment)?);
    let Some(card) = in_force(level, shown, card, calendar::date(now)) else {
        return Ok(Err(Refusal::CardMissing));
    };
    let opened = Opened::of(&enrolment, card, idp)?;
    let account = held(db, &enrolment)?;
    let guarded = match applicant::check(db, &opened.asked(account.as_ref())?, now, idp)? {
        Ok(guarded) => guarded,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let guardian = guarded.as_ref().map(|bond| bond.guardian.clone());
    let is_upgrade = account.is_some();
    let (id, waiting) = match account {
        Some(account) => {
            raise(db, &account, &opened, (&fresh.event, now), idp)?;
            (account.id.clone(), waits(&account))
        }
        // An account made since then by another way is raised when this is tried again.
        None => {
            make(db, &fresh.account, &opened, guarded, (now, idp))?;
            (fresh.account, true)
        }
    };
    state(db, &id, &opened, is_upgrade, (now, idp))?;
    let granted = enrolment.progress.turn(Turn::Grant, now);
    // Who signs in already has nothing to activate.
    let progress = if waiting { granted } else { granted.and_then(|granted| granted.turn(Turn::Activate, now)) };
    let progress = progress.ok_or_else(|| Fault::broken("flow", "a request under examination cannot be granted"))?;
    let enrolment = Enrolment { progress, account: Some(id.clone()), ..enrolment };
    if !store::registration::save(db, &enrolment)? {
        return Err(Fault::unavailable("flow", "the request changed in between"));
    }
    let enrolment = enrolment.id;
    let detail = json!({
        "enrolment": enrolment, "officer": officer, "upgrade": is_upgrade, "guardian": guardian,
        "eid": (level == AccountLevel::Two).then_some("issued"),
    });
    remember(db, (Turned::Granted.of(level), &fresh.event), Some(&id), detail, now)?;
    Ok(Ok(Some(id)))
}

/// The account of whoever applied, as it stands while nobody else changes it.
fn held(db: &mut Db, enrolment: &Enrolment) -> Result<Option<Account>, Fault> {
    let Some(account) = store::account::find_by_person(db, &enrolment.person_index)? else { return Ok(None) };
    store::account::hold(db, &account.id, Hold::Alone)?;
    store::account::find(db, &account.id)
}

/// The card to go by, as far as one is needed: the one issued meanwhile, else the one shown.
fn in_force(
    level: AccountLevel,
    shown: Option<CardShown>,
    issued: Option<NaiveDate>,
    today: NaiveDate,
) -> Option<NaiveDateOrEndless> {
    match issued.filter(|last| today <= *last) {
        Some(issued) => Some(Some(issued)),
        None if needs_card(level, shown.as_ref(), today) => None,
        None => Some(shown.and_then(|card| card.expires)),
    }
}

fn make(
    db: &mut Db,
    id: &Id<Account>,
    opened: &Opened,
    guarded: Option<Guarded>,
    (now, idp): (Moment, &Idp),
) -> Result<(), Fault> {
    let vault = &idp.vault;
    let (guardian, circumstances) = guarded.map(|bond| (bond.guardian, bond.circumstances)).unzip();
    let account = Account {
        id: id.clone(),
        holder: Holder::Citizen,
        level: Some(opened.level),
        // ND69 Art 14(1): its holder activates it.
        state: AccountState::Granted,
        // ND69 Art 28(2): the e-ID comes with level 2.
        eid: (opened.level == AccountLevel::Two).then(|| ElectronicId::new(now, [], 0)),
        card_expires: opened.card.map(calendar::end_of),
        guardian,
        circumstances: circumstances.unwrap_or_default(),
        has_phone: true,
        has_password: false,
        has_totp: false,
        passkey: None,
        has_app: false,
        doubts: Default::default(),
        own_locks: Default::default(),
    };
    let import = Import {
        account,
        person_index: sealed::person_index(&opened.number, vault),
        person: sealed::person(id, &opened.number, vault)?,
        password_hash: None,
        phone: Some(sealed::phone(id, &opened.phone, vault)?),
        phone_index: Some(sealed::phone_index(&opened.phone, vault)),
        at: now,
    };
    if store::enrolled::create(db, &import)? {
        Ok(())
    } else {
        Err(Fault::unavailable("flow", "an account was made in between: try again"))
    }
}

fn raise(
    db: &mut Db,
    account: &Account,
    opened: &Opened,
    (event, now): (&Id<Event>, Moment),
    idp: &Idp,
) -> Result<(), Fault> {
    let (id, vault) = (&account.id, &idp.vault);
    let known = store::account::credentials(db, id)?.and_then(|known| known.phone);
    let known = known.map(|phone| sealed::open_phone(id, &phone, vault)).transpose()?;
    let raised = Raised {
        card_expires: opened.card.map(calendar::end_of),
        phone: sealed::phone(id, &opened.phone, vault)?,
        phone_index: sealed::phone_index(&opened.phone, vault),
    };
    if !store::level_two::raise(db, id, &raised, now)? {
        return Err(Fault::unavailable("flow", "the account changed in between: try again"));
    }
    // What was issued at level 1 stays what it was until it is asked again. Another phone is another factor, and ends it.
    if known.is_some_and(|known| known != opened.phone) {
        let occasion = Occasion { name: event.as_str(), cause: Cause::AccountReplaced, at: now };
        end_everything(db, id, occasion)?;
    }
    Ok(())
}

/// What form and card say becomes claims; what is on file from elsewhere stays.
fn state(
    db: &mut Db,
    id: &Id<Account>,
    opened: &Opened,
    is_upgrade: bool,
    (now, idp): (Moment, &Idp),
) -> Result<(), Fault> {
    let mut stated: Vec<(&str, Value)> =
        vec![("phone_number", json!(opened.phone)), ("phone_number_verified", json!(true))];
    if opened.level == AccountLevel::Two {
        stated.push(("vn_eid_state", json!("active")));
    }
    let particulars = &opened.particulars;
    if !is_upgrade {
        stated.push(("vn_personal_id", json!(opened.number.reveal())));
        stated.push(("name", json!(particulars.name)));
        stated.push(("birthdate", json!(particulars.birthdate)));
        stated.push(("gender", json!(particulars.gender)));
    }
    if let Some(email) = &particulars.email {
        stated.push(("email", json!(email)));
        stated.push(("email_verified", json!(false)));
    }
    if let Some(expires) = opened.card {
        stated.push(("vn_card_expiry", json!(expires.to_string())));
    }
    let mut claims = store::account::claims(db, id)?;
    for (name, value) in stated {
        let claim = ClaimName::find(name).ok_or_else(|| Fault::broken("flow", "a claim without an entry"))?;
        // What the level does not open is not kept.
        if claim.entry().level > opened.level {
            continue;
        }
        let value = sealed::claim(id, claim, &value, &idp.vault)?;
        claims.push(SealedClaim { claim, value, source: SOURCE.to_owned(), recorded_at: now });
    }
    // The last of a name counts.
    store::account::put_claims(db, id, &claims)
}
