//! Userinfo: released claims, decided at the moment of reading, so that a withdrawal changes the next answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::answers::{self, Told};
use super::caller::Call;
use super::token::holder_stands;
use super::{bearer, binding, sealed, transaction};
use crate::domain::account::Account;
use crate::domain::claim::ClaimName;
use crate::domain::grant::{Authentication, Grant};
use crate::domain::secret::{AccessToken, Stored};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Client, Fault, Id};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::binding::{Possession, Scheme, may_present};
use crate::protocol::dpop::{self, Proof};
use crate::protocol::release::{Asked, Place, fits, narrow};
use crate::protocol::resource::is_ours;
use crate::protocol::scope::EID_STATUS;
use crate::protocol::step_up::{check, floor};
use crate::protocol::userinfo::{Presented, Sealing, admit, body, invalid_token, stated};
use crate::store::{self, Db};

/// What one reading decided.
struct Reading {
    body: Map<String, Value>,
    claims: Vec<ClaimName>,
    grant: Grant,
    client: Arc<Client>,
    /// What this token was told before, and what it is told now; equal sets tell the portal nothing new.
    before: Option<String>,
    now: String,
}

/// Answers one userinfo request, in the form the client registered.
pub async fn answer(presented: &Presented, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Result<Told, Error>, Fault> {
    let sent = match Sent::of(presented, call, idp) {
        Ok(sent) => sent,
        Err(error) => return Ok(Err(error)),
    };
    Ok(match decide(sent, idp).await? {
        Ok(reading) => Ok(told(reading, idp).await?),
        Err(error) => Err(error),
    })
}

async fn told(reading: Reading, idp: &Arc<Idp>) -> Result<Told, Fault> {
    let Reading { body, client, .. } = reading;
    let Some(sealing) = Sealing::of(&client) else { return Ok(Told::Json(Value::Object(body))) };
    let claims = stated(body, &client, &idp.config.issuer);
    answers::sealed(&claims, sealing.signed, sealing.encrypted, &client, idp).await.map(Told::Jwt)
}

async fn decide(sent: Sent, idp: &Arc<Idp>) -> Result<Result<Reading, Error>, Fault> {
    let (this, looked) = (Arc::clone(idp), sent.clone());
    let reading = match idp.store.read(move |db| read(db, &looked, &this)).await? {
        Ok(reading) => reading,
        Err(error) => return Ok(Err(error)),
    };
    let is_told = reading.claims.is_empty() || reading.before.as_deref() == Some(reading.now.as_str());
    if is_told && sent.proof.is_none() {
        return Ok(Ok(reading));
    }
    // Something leaves for the first time under this token: decided once more, and recorded, in one transaction.
    let this = Arc::clone(idp);
    idp.store
        .transact(move |db| {
            let reading = match read(db, &sent, &this)? {
                Ok(reading) => reading,
                Err(error) => return Ok(Err(error)),
            };
            // Last, so that only a proof everything else holds for is remembered.
            if !binding::spend(db, sent.proof.as_ref())? {
                return Ok(Err(dpop::replayed()));
            }
            if !reading.claims.is_empty()
                && store::token::told(db, &sent.hash, &reading.now)?
                && let Some(holder) = reading.grant.holder()
            {
                remember(db, &reading.grant, holder, reading.claims.iter(), &this)?;
            }
            Ok(Ok(reading))
        })
        .await
}

/// A token as it was sent, with what its sender holds.
#[derive(Clone)]
struct Sent {
    hash: Stored<AccessToken>,
    scheme: Scheme,
    proof: Option<Proof>,
    held: Possession,
}

impl Sent {
    fn of(presented: &Presented, call: &Call<'_>, idp: &Idp) -> Result<Sent, Error> {
        let proof = match presented.scheme {
            // RFC 9449 §7.1: a proof speaks for a token sent under its scheme, and is of no matter beside another.
            Scheme::Bearer => None,
            Scheme::Dpop => match binding::proof(call, Some(&presented.token), idp)? {
                Some(proof) => Some(proof),
                None => return Err(dpop::invalid("RFC 9449 §7.1", "DPoP proof is missing")),
            },
        };
        let held = binding::held(call, proof.as_ref(), idp);
        Ok(Sent { hash: bearer::record(&presented.token, idp), scheme: presented.scheme, proof, held })
    }
}

fn read(db: &mut Db, sent: &Sent, idp: &Idp) -> Result<Result<Reading, Error>, Fault> {
    let now = idp.clock.now();
    let Some((issued, grant)) = store::token::find_access(db, &sent.hash)? else { return Ok(Err(invalid_token())) };
    if issued.revoked_at.is_some() || now >= issued.expires_at {
        return Ok(Err(invalid_token()));
    }
    if let Err(error) = may_present(issued.confirmation.as_ref(), sent.scheme, &sent.held) {
        return Ok(Err(error));
    }
    // RFC 8707 §2: a token for another server is none here, though the server it was sent to may try it.
    if !is_ours(&issued.audience, &idp.config.issuer) {
        return Ok(Err(invalid_token().explained("for another resource")));
    }
    let holder = match admit(&grant, &issued.scope) {
        Ok(holder) => holder,
        Err(error) => return Ok(Err(error)),
    };
    if transaction::is_spent(db, &grant)? {
        return Ok(Err(invalid_token().because("its transaction was spent")));
    }
    let Some(registered) = store::client::find(db, &grant.client)? else { return Ok(Err(invalid_token())) };
    let standing = match holder_stands(db, Some(registered.status), &grant, holder, idp)? {
        Ok(standing) => standing,
        Err(refusal) => return Ok(Err(invalid_token().because(refusal.name()))),
    };
    let level = holder.acquaintance.level();
    if let Some(level) = level
        && let Err(error) = check(floor(&registered.client, grant.service.as_deref()), standing.levels(level))
    {
        return Ok(Err(error));
    }
    let consents = store::consent::live(db, &holder.account, &grant.client)?;
    let asked = Asked::from(&grant).within(&issued.scope);
    let names = narrow(&asked, &registered.client, standing.account_level(), &consents, Place::Userinfo);
    let mut released = values(db, &holder.account, &names, idp)?;
    released.retain(|claim, value| fits(&grant.claims, Place::Userinfo, *claim, value));
    let levels = issued.scope.iter().any(|scope| scope == EID_STATUS);
    let levels = level.filter(|_| levels).map(|level| standing.stated(level));
    let (claims, set) = (released.keys().copied().collect(), digest(released.keys()));
    let body = body(holder, &named(released), levels);
    Ok(Ok(Reading { body, claims, before: issued.told, now: set, grant, client: registered.client }))
}

/// Opens the named claims of an account; a claim without a value is simply not there.
pub fn values(
    db: &mut Db,
    account: &Id<Account>,
    names: &BTreeSet<ClaimName>,
    idp: &Idp,
) -> Result<BTreeMap<ClaimName, Value>, Fault> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut values = BTreeMap::new();
    for kept in store::account::claims(db, account)? {
        if names.contains(&kept.claim) {
            values.insert(kept.claim, sealed::open_claim(account, kept.claim, &kept.value, &idp.vault)?);
        }
    }
    Ok(values)
}

/// Records that claims left for a client: their names, never their values.
pub fn remember<'a>(
    db: &mut Db,
    grant: &Grant,
    holder: &Authentication,
    released: impl Iterator<Item = &'a ClaimName>,
    idp: &Idp,
) -> Result<(), Fault> {
    let now = idp.clock.now();
    let names: Vec<&ClaimName> = released.collect();
    let event = Event::new(Kind::Released, now)
        .of(&holder.account)
        .by(&grant.client)
        .within(&holder.session)
        .with(json!({"claims": names, "acr": holder.acr.urn(), "grant": grant.id}));
    store::trail::append(db, &event, &idp.id()?)
}

fn digest<'a>(names: impl Iterator<Item = &'a ClaimName>) -> String {
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_str());
        hash.update([0]);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Values under their names on the wire.
pub fn named(values: BTreeMap<ClaimName, Value>) -> Map<String, Value> {
    values.into_iter().map(|(claim, value)| (claim.as_str().to_owned(), value)).collect()
}
