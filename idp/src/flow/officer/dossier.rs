//! What an officer sees of a person: enough to know them by and to act on, numbers masked. Each look is an event of the
//! person's trail.

use std::sync::Arc;

use serde_json::json;

use super::hotline::Waiting;
use super::{Ended, Officer, Refusal};
use crate::domain::account::Account;
use crate::domain::authority_request::AuthorityRequest;
use crate::domain::eid::LockGround;
use crate::domain::person_number::mask;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, PersonNumber};
use crate::flow::{activate, sealed};
use crate::idp::Idp;
use crate::store::{self, Db};

/// How many requests of one person are listed.
const MOST: i64 = 20;

#[derive(Clone, Debug)]
pub struct Dossier {
    pub account: Account,
    /// Masked.
    pub person_number: String,
    /// In clear: the officer compares it with the card.
    pub name: Option<String>,
    /// Masked.
    pub phone: Option<String>,
    /// Masked.
    pub email: Option<String>,
    /// Open grounds with who ordered each, and when.
    pub grounds: Vec<(LockGround, String, Moment)>,
    pub requests: Vec<AuthorityRequest>,
    /// An account the hotline may activate.
    pub waiting: Option<Waiting>,
}

/// The account of a person, by the number their card shows.
pub async fn find(number: &PersonNumber, _officer: &Officer, idp: &Arc<Idp>) -> Ended<Id<Account>> {
    let index = sealed::person_index(number, &idp.vault);
    let found = idp.store.read(move |db| store::account::find_by_person(db, &index)).await?;
    Ok(found.map(|account| account.id).ok_or(Refusal::NoAccount))
}

/// Opens a person's dossier.
pub async fn open(id: Id<Account>, officer: &Officer, idp: &Arc<Idp>) -> Ended<Dossier> {
    let (this, event, officer) = (Arc::clone(idp), idp.id::<Event>()?, officer.account().clone());
    idp.store
        .transact(move |db| {
            let Some(account) = store::account::find(db, &id)? else { return Ok(Err(Refusal::NoAccount)) };
            let dossier = read(db, account, &this)?;
            let seen = Event::new(Kind::AccountLookedUp, this.clock.now()).of(&id).with(json!({ "officer": officer }));
            store::trail::append(db, &seen, &event)?;
            Ok(Ok(dossier))
        })
        .await
}

fn read(db: &mut Db, account: Account, idp: &Idp) -> Result<Dossier, Fault> {
    let id = account.id.clone();
    let (mut name, mut email) = (None, None);
    for claim in store::account::claims(db, &id)? {
        let wanted = match claim.claim.as_str() {
            "name" => &mut name,
            "email" => &mut email,
            _ => continue,
        };
        let value = sealed::open_claim(&id, claim.claim, &claim.value, &idp.vault)?;
        *wanted = value.as_str().map(str::to_owned);
    }
    let phone = store::account::credentials(db, &id)?.and_then(|known| known.phone);
    let phone = phone.map(|phone| sealed::open_phone(&id, &phone, &idp.vault)).transpose()?;
    Ok(Dossier {
        person_number: masked(db, &id, idp)?,
        name,
        phone: phone.as_deref().map(mask),
        email: email.as_deref().map(mask),
        grounds: store::eid::grounds(db, &id)?,
        requests: store::authority::of_account(db, &id, MOST)?,
        waiting: activate::hotline::waiting(db, &account, idp)?,
        account,
    })
}

/// The number of an account, for an act that goes by it. It never reaches a page.
pub async fn number(id: Id<Account>, _officer: &Officer, idp: &Arc<Idp>) -> Ended<PersonNumber> {
    let wanted = id.clone();
    let known = idp.store.read(move |db| store::account::credentials(db, &wanted)).await?;
    match known {
        Some(known) => sealed::open_person(&id, &known.person, &idp.vault).map(Ok),
        None => Ok(Err(Refusal::NoAccount)),
    }
}

/// A person's number as lists show it.
pub(super) fn masked(db: &mut Db, account: &Id<Account>, idp: &Idp) -> Result<String, Fault> {
    match store::account::credentials(db, account)? {
        Some(known) => Ok(sealed::open_person(account, &known.person, &idp.vault)?.to_string()),
        None => Ok(String::new()),
    }
}
