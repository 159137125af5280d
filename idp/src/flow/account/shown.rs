//! Accounts as an operator may see them: identifiers masked before they leave the flow, values only by `reveal`, which
//! the citizen's trail remembers (`security.md` RG-11).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::account::Account;
use crate::domain::circumstances::{Representation, represents};
use crate::domain::claim::ClaimName;
use crate::domain::person_number::mask;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id, Moment, PersonNumber};
use crate::flow::operator::{self, Verdict};
use crate::flow::sealed;
use crate::idp::Idp;
use crate::keys::Vault;
use crate::store::account::{Credentials, SealedClaim};
use crate::store::{self, Db};

#[derive(Debug, Serialize)]
pub struct Shown {
    pub id: Id<Account>,
    pub person_number: String,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub holder: &'static str,
    pub level: Option<u8>,
    pub state: &'static str,
    pub eid: Option<&'static str>,
    pub grounds: Vec<&'static str>,
    pub card_expires: Option<i64>,
    pub guardian: Option<String>,
    /// Under guardianship at any age.
    pub ward: bool,
    pub permit_expires: Option<i64>,
    pub passport_expires: Option<i64>,
    pub dissolved_at: Option<i64>,
    pub representatives: Vec<ShownRepresentative>,
    pub has_password: bool,
    pub operator: bool,
    pub claims: BTreeMap<&'static str, ShownClaim>,
}

/// Somebody who may act for an organisation.
#[derive(Debug, Serialize)]
pub struct ShownRepresentative {
    pub person_number: String,
    pub role: &'static str,
    pub from: i64,
    pub until: Option<i64>,
    /// By the whole record, the one who bound a delegate included.
    pub acts_now: bool,
}

#[derive(Debug, Serialize)]
pub struct ShownClaim {
    pub source: String,
    pub recorded_at: i64,
    /// Only when revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// One row of the console's list.
#[derive(Debug, Serialize)]
pub struct Listed {
    pub id: Id<Account>,
    /// Masked.
    pub person_number: String,
    pub holder: &'static str,
    pub level: Option<u8>,
    pub state: &'static str,
    /// `active` or `locked`; `None` without an e-ID.
    pub eid: Option<&'static str>,
    pub card_expired: bool,
    pub guardian: bool,
    pub created_at: i64,
}

/// One account. `reveal` shows it in clear and is an event of its trail.
pub async fn show(number: &PersonNumber, reveal: bool, idp: &Idp) -> Result<Verdict<Shown>, Fault> {
    let index = sealed::person_index(number, &idp.vault);
    let now = idp.clock.now();
    let event = idp.id::<Event>()?;
    let read = move |db: &mut Db| {
        let Some(account) = store::account::find_by_person(db, &index)? else { return Ok(None) };
        let found = found(db, account)?;
        if reveal && let Some(found) = &found {
            let claims: Vec<ClaimName> = found.claims.iter().map(|claim| claim.claim).collect();
            let seen = Event::new(Kind::AccountRevealed, now).of(&found.account.id).with(json!({ "claims": claims }));
            store::trail::append(db, &seen, &event)?;
        }
        Ok(found)
    };
    let found = if reveal { idp.store.transact(read).await? } else { idp.store.read(read).await? };
    match found {
        None => Ok(Verdict::refused("no account has this person number")),
        Some(found) => Ok(Verdict::Done(shown(&found, reveal, idp)?)),
    }
}

struct Found {
    account: Account,
    credentials: Credentials,
    claims: Vec<SealedClaim>,
    guardian: Option<(Id<Account>, Credentials)>,
    representatives: Vec<(Representation, Credentials)>,
}

fn found(db: &mut Db, account: Account) -> Result<Option<Found>, Fault> {
    let Some(credentials) = store::account::credentials(db, &account.id)? else { return Ok(None) };
    let guardian = match &account.guardian {
        Some(id) => store::account::credentials(db, id)?.map(|credentials| (id.clone(), credentials)),
        None => None,
    };
    let claims = store::account::claims(db, &account.id)?;
    let mut representatives = Vec::new();
    for record in store::representation::of_organisation(db, &account.id)? {
        if let Some(known) = store::account::credentials(db, &record.person)? {
            representatives.push((record, known));
        }
    }
    Ok(Some(Found { account, credentials, claims, guardian, representatives }))
}

fn shown(found: &Found, reveal: bool, idp: &Idp) -> Result<Shown, Fault> {
    let vault: &Vault = &idp.vault;
    let account = &found.account;
    let veiled = |text: &str| if reveal { text.to_owned() } else { mask(text) };
    let mut claims = BTreeMap::new();
    let (mut name, mut email) = (None, None);
    for claim in &found.claims {
        let value = sealed::open_claim(&account.id, claim.claim, &claim.value, vault)?;
        match claim.claim.as_str() {
            "name" => name = value.as_str().map(veiled),
            "email" => email = value.as_str().map(veiled),
            _ => {}
        }
        let (source, recorded_at) = (claim.source.clone(), claim.recorded_at.unix());
        claims.insert(claim.claim.as_str(), ShownClaim { source, recorded_at, value: reveal.then_some(value) });
    }
    let phone =
        found.credentials.phone.as_ref().map(|phone| sealed::open_phone(&account.id, phone, vault)).transpose()?;
    let guardian =
        found.guardian.as_ref().map(|(id, known)| sealed::open_person(id, &known.person, vault)).transpose()?;
    let records: Vec<Representation> = found.representatives.iter().map(|(record, _)| record.clone()).collect();
    let now = idp.clock.now();
    let representatives = found.representatives.iter().map(|(record, known)| {
        Ok(ShownRepresentative {
            person_number: veiled(sealed::open_person(&record.person, &known.person, vault)?.reveal()),
            role: record.role.name(),
            from: record.from.unix(),
            until: record.until.map(Moment::unix),
            acts_now: represents(&records, &record.person, now),
        })
    });
    let own = &account.circumstances;
    Ok(Shown {
        ward: own.ward,
        permit_expires: own.permit_expires.map(Moment::unix),
        passport_expires: own.passport_expires.map(Moment::unix),
        dissolved_at: own.dissolved_at.map(Moment::unix),
        representatives: representatives.collect::<Result<Vec<_>, Fault>>()?,
        id: account.id.clone(),
        person_number: veiled(sealed::open_person(&account.id, &found.credentials.person, vault)?.reveal()),
        name,
        phone: phone.as_deref().map(veiled),
        email,
        holder: account.holder.name(),
        level: account.level.map(|level| level.number()),
        state: account.state.name(),
        eid: account.eid.as_ref().map(|eid| eid_state(eid.is_active())),
        grounds: account.locks().iter().map(|ground| ground.letter()).collect(),
        card_expires: account.card_expires.map(Moment::unix),
        guardian: guardian.map(|number| veiled(number.reveal())),
        has_password: account.has_password,
        operator: operator::is_operator(&account.id, idp),
        claims,
    })
}

/// At most `limit` accounts after the one named, in the order of their ids.
pub async fn list(after: Option<&Id<Account>>, limit: i64, idp: &Idp) -> Result<Vec<Listed>, Fault> {
    let after = after.cloned();
    let now = idp.clock.now();
    let rows = idp.store.read(move |db| store::account::list(db, after.as_ref(), limit)).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Listed {
                person_number: sealed::open_person(&row.id, &row.person, &idp.vault)?.to_string(),
                id: row.id,
                holder: row.holder.name(),
                level: row.level.map(|level| level.number()),
                state: row.state.name(),
                eid: row.eid_active.map(eid_state),
                card_expired: row.card_expires.is_some_and(|expires| now >= expires),
                guardian: row.guardian,
                created_at: row.created_at.unix(),
            })
        })
        .collect()
}

fn eid_state(active: bool) -> &'static str {
    if active { "active" } else { "locked" }
}
