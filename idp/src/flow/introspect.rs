//! Introspection: the state of a token, told to the client it was issued to and to the servers it is for; everybody else
//! hears `inactive`.

use std::sync::Arc;

use serde_json::Value;

use super::answers::Told;
use super::caller::{Call, authenticate, replayed_assertion, spend_jti};
use super::token::holder_stands;
use super::{acting, bearer, resource, transaction};
use crate::domain::binding::Confirmation;
use crate::domain::grant::Grant;
use crate::domain::relying_party::ClientStatus;
use crate::domain::secret::{RefreshToken, Stored};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::domain::{Fault, Moment};
use crate::idp::Idp;
use crate::keys::INTROSPECTION;
use crate::protocol::Error;
use crate::protocol::introspect::{self, Kind, Live, Spending};
use crate::protocol::params::Params;
use crate::protocol::token::Authenticated;
use crate::protocol::token::refresh::acr_now;
use crate::store::{self, Db};

/// Answers one introspection request, as a signed JWT where the caller asked for one (RFC 9701 §4).
pub async fn answer(
    params: &Params,
    call: &Call<'_>,
    signed: bool,
    idp: &Arc<Idp>,
) -> Result<Result<Told, Error>, Fault> {
    let caller = match authenticate(params, call, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = introspect::admit(&caller) {
        return Ok(Err(error));
    }
    let asked = introspect::token(params).and_then(|token| Ok((token.to_owned(), introspect::attempt(params)?)));
    let (token, attempt) = match asked {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error)),
    };
    if caller.jti().is_some() {
        let proved = caller.clone();
        if !idp.store.transact(move |db| spend_jti(db, &proved)).await? {
            return Ok(Err(replayed_assertion()));
        }
    }
    let (this, asker, looked) = (Arc::clone(idp), caller.clone(), token.clone());
    let looked = idp.store.read(move |db| state(db, (&asker, None), &looked, &this)).await?;
    let state = match looked {
        Seen::State(state) => state,
        // Asking is spending: decided once more, and recorded, in one transaction.
        Seen::Spendable => {
            let (this, asker) = (Arc::clone(idp), caller.clone());
            let spending = Spending { by: caller.client().id.clone(), attempt };
            let spent = move |db: &mut Db| state(db, (&asker, Some(&spending)), &token, &this);
            match idp.store.transact(spent).await? {
                Seen::State(state) => state,
                Seen::Spendable => introspect::inactive(),
            }
        }
    };
    if !signed {
        return Ok(Ok(Told::Json(state)));
    }
    let (caller, now) = (caller.client(), idp.clock.now());
    let claims = introspect::signed(state, caller, &idp.config.issuer, now);
    idp.ring.sign(introspect::signing_alg(caller), INTROSPECTION, &claims, now).map(|jwt| Ok(Told::Jwt(jwt)))
}

/// What a question comes to.
enum Seen {
    State(Value),
    /// The caller is whom a live transaction is for, and only looked.
    Spendable,
}

/// Who asks, and how it would spend what it asks about; without, it looks.
type Caller<'a> = (&'a Authenticated, Option<&'a Spending>);

fn state(db: &mut Db, caller: Caller<'_>, token: &str, idp: &Idp) -> Result<Seen, Fault> {
    let inactive = || Ok(Seen::State(introspect::inactive()));
    let now = idp.clock.now();
    // RFC 7662 §2.1: a hint may be wrong; both classes are looked up whatever it says.
    if let Some((issued, grant)) = store::token::find_access(db, &bearer::record(token, idp))? {
        let lives = issued.revoked_at.is_none() && now < issued.expires_at;
        let life = (issued.issued_at, issued.expires_at);
        let (scope, audience, confirmation) = (&issued.scope, &issued.audience, issued.confirmation.as_ref());
        let found = Found { kind: Kind::Access, scope, audience, life, grant: &grant, confirmation };
        return if lives { told(db, caller, &found, idp) } else { inactive() };
    }
    if let Some((issued, grant)) = store::token::find_refresh(db, &Stored::<RefreshToken>::of(token))? {
        let lives = issued.spent_at.is_none() && now < issued.expires_at;
        let life = (issued.issued_at, issued.expires_at);
        let confirmation = issued.confirmation.as_ref();
        let found =
            Found { kind: Kind::Refresh, scope: &grant.scope, audience: &[], life, grant: &grant, confirmation };
        return if lives { told(db, caller, &found, idp) } else { inactive() };
    }
    inactive()
}

struct Found<'a> {
    kind: Kind,
    scope: &'a [String],
    audience: &'a [String],
    life: (Moment, Moment),
    grant: &'a Grant,
    confirmation: Option<&'a Confirmation>,
}

fn told(db: &mut Db, (caller, spending): Caller<'_>, found: &Found<'_>, idp: &Idp) -> Result<Seen, Fault> {
    let inactive = || Ok(Seen::State(introspect::inactive()));
    let standing = resource::standing(db, found.audience, idp)?;
    let seen = standing.and_then(|audience| introspect::seen(caller, found.grant, &audience));
    let Some(audience) = seen else { return inactive() };
    let Ok(standing) = stands(db, (found.grant, spending.is_some()), idp)? else { return inactive() };
    if found.grant.transaction.is_some() {
        let meant = introspect::is_meant(caller, found.grant, found.audience, &idp.config.issuer);
        let good = match spending {
            None if meant => return Ok(Seen::Spendable),
            Some(spending) if meant => transaction::spend(db, found.grant, spending, idp)?,
            _ => !transaction::is_spent(db, found.grant)?,
        };
        if !good {
            return inactive();
        }
    }
    let details = transaction::carried(db, found.grant, idp)?;
    let live = Live {
        issuer: &idp.config.issuer,
        kind: found.kind,
        confirmation: found.confirmation,
        grant: found.grant,
        scope: found.scope,
        audience: &audience,
        acr: found.grant.holder().and_then(|holder| acr_now(holder, standing)),
        issued_at: found.life.0,
        expires_at: found.life.1,
        authorization_details: details.as_ref(),
    };
    Ok(Seen::State(Value::Object(introspect::body(&live))))
}

/// `held`: a lock acknowledged while this transaction waited for the account has revoked the grant.
fn stands(db: &mut Db, (grant, held): (&Grant, bool), idp: &Idp) -> Result<Result<Standing, Refusal>, Fault> {
    let waited = match grant.holder() {
        Some(holder) if held => acting::hold(db, holder)?,
        _ => false,
    };
    let fresh = if waited { store::grant::find(db, &grant.id)? } else { None };
    let grant = fresh.as_ref().unwrap_or(grant);
    // A server may ask about the token of a client that was suspended since.
    let client = Some(store::client::find(db, &grant.client)?.map_or(ClientStatus::Closed, |found| found.status));
    match grant.holder() {
        Some(holder) => holder_stands(db, client, grant, holder, idp),
        None => {
            let subject = Subject::ClientItself;
            Ok(may_act(Asking { client, subject, actor: None, grant: Some(grant), session: None }, idp.clock.now()))
        }
    }
}
