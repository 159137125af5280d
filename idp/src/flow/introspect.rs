//! Introspection: the state of a token, told to the client it was issued to and to the servers it is for; everybody else
//! hears `inactive`.

use std::sync::Arc;

use serde_json::Value;

use super::answers::Told;
use super::caller::{Call, authenticate, replayed_assertion, spend_jti};
use super::token::holder_stands;
use super::{bearer, resource};
use crate::domain::binding::Confirmation;
use crate::domain::grant::Grant;
use crate::domain::secret::{RefreshToken, Stored};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::domain::{Fault, Moment};
use crate::idp::Idp;
use crate::keys::INTROSPECTION;
use crate::protocol::Error;
use crate::protocol::introspect::{self, Kind, Live};
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
    let token = match introspect::token(params) {
        Ok(token) => token.to_owned(),
        Err(error) => return Ok(Err(error)),
    };
    if caller.jti().is_some() {
        let proved = caller.clone();
        if !idp.store.transact(move |db| spend_jti(db, &proved)).await? {
            return Ok(Err(replayed_assertion()));
        }
    }
    let (this, asker) = (Arc::clone(idp), caller.clone());
    let state = idp.store.read(move |db| state(db, &asker, &token, &this)).await?;
    if !signed {
        return Ok(Ok(Told::Json(state)));
    }
    let (caller, now) = (caller.client(), idp.clock.now());
    let claims = introspect::signed(state, caller, &idp.config.issuer, now);
    idp.ring.sign(introspect::signing_alg(caller), INTROSPECTION, &claims, now).map(|jwt| Ok(Told::Jwt(jwt)))
}

fn state(db: &mut Db, caller: &Authenticated, token: &str, idp: &Idp) -> Result<Value, Fault> {
    let now = idp.clock.now();
    // RFC 7662 §2.1: a hint may be wrong; both classes are looked up whatever it says.
    if let Some((issued, grant)) = store::token::find_access(db, &bearer::record(token, idp))? {
        let lives = issued.revoked_at.is_none() && now < issued.expires_at;
        let life = (issued.issued_at, issued.expires_at);
        let (scope, audience, confirmation) = (&issued.scope, &issued.audience, issued.confirmation.as_ref());
        let found = Found { kind: Kind::Access, scope, audience, life, grant: &grant, confirmation };
        return if lives { told(db, caller, &found, idp) } else { Ok(introspect::inactive()) };
    }
    if let Some((issued, grant)) = store::token::find_refresh(db, &Stored::<RefreshToken>::of(token))? {
        let lives = issued.spent_at.is_none() && now < issued.expires_at;
        let life = (issued.issued_at, issued.expires_at);
        let confirmation = issued.confirmation.as_ref();
        let found =
            Found { kind: Kind::Refresh, scope: &grant.scope, audience: &[], life, grant: &grant, confirmation };
        return if lives { told(db, caller, &found, idp) } else { Ok(introspect::inactive()) };
    }
    Ok(introspect::inactive())
}

struct Found<'a> {
    kind: Kind,
    scope: &'a [String],
    audience: &'a [String],
    life: (Moment, Moment),
    grant: &'a Grant,
    confirmation: Option<&'a Confirmation>,
}

fn told(db: &mut Db, caller: &Authenticated, found: &Found<'_>, idp: &Idp) -> Result<Value, Fault> {
    let standing = resource::standing(db, found.audience, idp)?;
    let seen = standing.and_then(|audience| introspect::seen(caller, found.grant, &audience));
    let Some(audience) = seen else { return Ok(introspect::inactive()) };
    let Ok(standing) = stands(db, found.grant, idp)? else { return Ok(introspect::inactive()) };
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
    };
    Ok(Value::Object(introspect::body(&live)))
}

fn stands(db: &mut Db, grant: &Grant, idp: &Idp) -> Result<Result<Standing, Refusal>, Fault> {
    // The caller was found live a moment ago; the grant's holder and session are read here.
    match grant.holder() {
        Some(holder) => holder_stands(db, None, grant, holder, idp),
        None => {
            let subject = Subject::ClientItself;
            Ok(may_act(Asking { client: None, subject, grant: Some(grant), session: None }, idp.clock.now()))
        }
    }
}
