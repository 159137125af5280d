//! Accounts as the operator brings them in and looks at them (`contract.md` 5). An import is the whole file or nothing.
//!
//! A replaced account keeps its id, so its subjects, consents and trail stay. What was issued to it ends when the file
//! changes a password or phone, or leaves the account unable to act: a later unlock must find nothing to revive.

mod circumstances;
pub mod lines;
mod shown;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use crate::domain::account::{Account, AccountState};
use crate::domain::eid::{ElectronicId, Grounds, LockGround};
use crate::domain::outbox::Cause;
use crate::domain::standing::is_open;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment};
use crate::flow::eid_lock::end_everything;
use crate::flow::operator::Verdict;
use crate::flow::outbox::Occasion;
use crate::flow::sealed;
use crate::idp::Idp;
use crate::keys::Vault;
use crate::store::account::{Import, SealedClaim};
use crate::store::{self, Db};

use lines::Record;

pub use shown::{Listed, Shown, ShownClaim, list, show};

/// Where an imported claim is said to come from.
const SOURCE: &str = "import";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub created: usize,
    pub replaced: usize,
}

/// Creates or replaces accounts by person number.
pub async fn import(text: &str, idp: &Idp) -> Result<Verdict<Imported>, Fault> {
    let records = match lines::parse(text) {
        Ok(records) => records,
        Err(rejection) => return Ok(refused_at(rejection.line, &rejection.reason)),
    };
    let now = idp.clock.now();
    let mut arrivals = Vec::with_capacity(records.len());
    for record in records {
        let secret = password(&record, idp).await?;
        arrivals.push(Arrival { record, secret, fresh: idp.id()?, event: idp.id()? });
    }
    let vault = Arc::clone(&idp.vault);
    idp.store.transact(move |db| settle(db, arrivals, &vault, now)).await
}

/// One record with all that is slow or random already done.
struct Arrival {
    record: Record,
    secret: Secret,
    /// The id of the account, should it be new.
    fresh: Id<Account>,
    event: Id<Event>,
}

enum Secret {
    None,
    /// The file repeats the password on file: its hash stays, so that re-importing a file signs nobody out.
    Same(String),
    New(String),
}

async fn password(record: &Record, idp: &Idp) -> Result<Secret, Fault> {
    let Some(password) = record.password.as_deref() else { return Ok(Secret::None) };
    let index = sealed::person_index(&record.number, &idp.vault);
    let known = idp
        .store
        .read(move |db| match store::account::find_by_person(db, &index)? {
            Some(account) => Ok(store::account::credentials(db, &account.id)?.and_then(|known| known.password_hash)),
            None => Ok(None),
        })
        .await?;
    if let Some(known) = known
        && idp.hasher.verify(password, Some(&known)).await?
    {
        return Ok(Secret::Same(known));
    }
    Ok(Secret::New(idp.hasher.hash(password).await?))
}

/// An arrival with the account it meets.
struct Placed {
    arrival: Arrival,
    existing: Option<Account>,
}

impl Placed {
    fn id(&self) -> &Id<Account> {
        self.existing.as_ref().map_or(&self.arrival.fresh, |account| &account.id)
    }
}

/// Decides about the whole file first: a refusal after the first write would commit half of it.
fn settle(db: &mut Db, arrivals: Vec<Arrival>, vault: &Vault, now: Moment) -> Result<Verdict<Imported>, Fault> {
    let mut placed = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let existing = store::account::find_by_person(db, &sealed::person_index(&arrival.record.number, vault))?;
        placed.push(Placed { arrival, existing });
    }
    let mut known = HashMap::new();
    for one in &placed {
        let record = &one.arrival.record;
        known.insert(record.number.clone(), (one.id().clone(), record.guardian.is_some()));
        if let Err(reason) = circumstances::check(record, one.existing.as_ref(), now) {
            return Ok(refused_at(record.line, reason));
        }
        // LCC Art 34(2) knows no unlock after death, and an import must not be one. An account without an e-ID keeps its
        // grounds.
        let died = one.existing.as_ref().filter(|account| account.is_locked_on(LockGround::Death));
        let stays = |account: &Account| match &record.eid {
            Some(grounds) => grounds.contains(&LockGround::Death),
            None => account.eid.is_none(),
        };
        if died.is_some_and(|account| !stays(account)) {
            return Ok(refused_at(record.line, "the e-ID is locked on the holder's death and stays locked"));
        }
    }
    for one in &placed {
        if let Some(guardian) = &one.arrival.record.guardian {
            let found = match known.get(guardian) {
                Some(found) => Some(found.clone()),
                None => store::account::find_by_person(db, &sealed::person_index(guardian, vault))?
                    .map(|account| (account.id, account.guardian.is_some())),
            };
            match found {
                None => return Ok(refused_at(one.arrival.record.line, "guardian has no account")),
                Some((_, true)) => return Ok(refused_at(one.arrival.record.line, "guardian has a guardian")),
                Some(found) => known.insert(guardian.clone(), found),
            };
        }
    }
    for one in &placed {
        if let Err(reason) = circumstances::people(db, &one.arrival.record, &mut known, vault)? {
            return Ok(refused_at(one.arrival.record.line, reason));
        }
    }
    // Guardians and representatives go first, so that whom they act for may stand above them in the file.
    placed.sort_by_key(|one| (one.arrival.record.own.holder, one.arrival.record.guardian.is_some()));
    let mut imported = Imported::default();
    for one in placed {
        let guardian = one.arrival.record.guardian.as_ref().and_then(|number| known.get(number)).map(|(id, _)| id);
        match one.existing {
            Some(_) => imported.replaced += 1,
            None => imported.created += 1,
        }
        store_one(db, &one, guardian, vault, now)?;
        circumstances::representatives(db, (one.id(), &one.arrival.event), &one.arrival.record, &known, now)?;
    }
    Ok(Verdict::Done(imported))
}

fn store_one(
    db: &mut Db,
    one: &Placed,
    guardian: Option<&Id<Account>>,
    vault: &Vault,
    now: Moment,
) -> Result<(), Fault> {
    let (id, record) = (one.id(), &one.arrival.record);
    let ends = match &one.existing {
        Some(existing) => {
            // What died with an old card or permit must not come back with the new one (`security.md` 5, property 2).
            factor_changed(db, existing, &one.arrival, vault)?
                || cannot_act(record, now)
                || !is_open(existing, now)
                || existing.guardian.as_ref() != guardian
        }
        None => false,
    };
    let account = Account {
        id: id.clone(),
        holder: record.own.holder,
        level: record.level,
        state: record.state,
        eid: record.eid.as_ref().map(|grounds| electronic_id(grounds, one.existing.as_ref(), now)),
        own_locks: Grounds::default(),
        card_expires: record.card_expires,
        guardian: guardian.cloned(),
        circumstances: circumstances::of(record, one.existing.as_ref(), now),
        has_phone: record.phone.is_some(),
        has_password: record.password.is_some(),
        has_totp: false,
        passkey: None,
        doubts: Default::default(),
        has_app: false,
    };
    let import = Import {
        account,
        person_index: sealed::person_index(&record.number, vault),
        person: sealed::person(id, &record.number, vault)?,
        password_hash: match &one.arrival.secret {
            Secret::None => None,
            Secret::Same(hash) | Secret::New(hash) => Some(hash.clone()),
        },
        phone: record.phone.as_deref().map(|phone| sealed::phone(id, phone, vault)).transpose()?,
        phone_index: record.phone.as_deref().map(|phone| sealed::phone_index(phone, vault)),
        at: now,
    };
    // A lock ordered since we read the e-ID must not be overwritten: its version decides, and holds the row.
    if let Some(known) = &one.existing
        && !store::eid::save(db, id, import.account.eid.as_ref().map_or(known.locks(), |eid| &eid.locks), SOURCE, now)?
    {
        return Err(Fault::unavailable("flow", "an account changed in between: import again"));
    }
    let stored = store::account::put(db, &import)?;
    if stored != *id {
        return Err(Fault::unavailable("flow", "an account was created in between: import again"));
    }
    let claims = record.claims.iter().map(|(claim, value)| {
        let value = sealed::claim(id, *claim, value, vault)?;
        Ok(SealedClaim { claim: *claim, value, source: SOURCE.to_owned(), recorded_at: now })
    });
    store::account::put_claims(db, id, &claims.collect::<Result<Vec<_>, Fault>>()?)?;
    if ends {
        let occasion = Occasion { name: one.arrival.event.as_str(), cause: Cause::AccountReplaced, at: now };
        end_everything(db, id, occasion)?;
    }
    let detail = json!({
        "created": one.existing.is_none(),
        "holder": record.own.holder.name(),
        "level": record.level.map(|level| level.number()),
        "state": record.state.name(),
        "grounds": record.eid.iter().flatten().map(|ground| ground.letter()).collect::<Vec<_>>(),
        "claims": record.claims.keys().collect::<Vec<_>>(),
        "ended_all": ends,
    });
    let event = Event::new(Kind::AccountImported, now).of(id).with(detail);
    store::trail::append(db, &event, &one.arrival.event)
}

fn electronic_id(
    grounds: &std::collections::BTreeSet<LockGround>,
    existing: Option<&Account>,
    now: Moment,
) -> ElectronicId {
    let version = existing.map_or(0, |account| account.locks().version);
    let issued = existing.and_then(|account| account.eid.as_ref()).map_or(now, |eid| eid.issued_at);
    ElectronicId::new(issued, grounds.iter().copied(), version)
}

fn factor_changed(db: &mut Db, existing: &Account, arrival: &Arrival, vault: &Vault) -> Result<bool, Fault> {
    let Some(known) = store::account::credentials(db, &existing.id)? else { return Ok(false) };
    let phone = known.phone.map(|sealed| sealed::open_phone(&existing.id, &sealed, vault)).transpose()?;
    let password_changed = match &arrival.secret {
        Secret::Same(_) => false,
        Secret::New(_) => true,
        Secret::None => known.password_hash.is_some(),
    };
    Ok(password_changed || phone != arrival.record.phone)
}

fn cannot_act(record: &Record, now: Moment) -> bool {
    record.state != AccountState::Activated
        || record.eid.as_ref().is_some_and(|grounds| !grounds.is_empty())
        || [record.card_expires, record.own.permit_expires, record.own.passport_expires, record.own.dissolved_at]
            .into_iter()
            .flatten()
            .any(|ends| now >= ends)
}

fn refused_at<T>(line: usize, reason: &str) -> Verdict<T> {
    Verdict::Refused(format!("line {line}: {reason}"))
}
