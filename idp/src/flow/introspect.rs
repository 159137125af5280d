//! Introspection: the state of a token, told to the client it was issued to; everybody else hears `inactive`.

use std::sync::Arc;

use serde_json::Value;

use super::caller::{Call, authenticate, replayed_assertion, spend_jti};
use super::token::{Verdict, holder_stands};
use crate::domain::binding::Confirmation;
use crate::domain::grant::Grant;
use crate::domain::secret::{AccessToken, RefreshToken, Stored};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::domain::{Fault, Moment};
use crate::idp::Idp;
use crate::protocol::introspect::{self, Kind, Live};
use crate::protocol::params::Params;
use crate::protocol::token::Authenticated;
use crate::protocol::token::refresh::acr_now;
use crate::store::{self, Db};

/// Answers one introspection request.
pub async fn answer(params: &Params, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
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
    let this = Arc::clone(idp);
    idp.store.read(move |db| state(db, &caller, &token, &this)).await.map(Ok)
}

fn state(db: &mut Db, caller: &Authenticated, token: &str, idp: &Idp) -> Result<Value, Fault> {
    let now = idp.clock.now();
    // RFC 7662 §2.1: a hint may be wrong; both classes are looked up whatever it says.
    if let Some((issued, grant)) = store::token::find_access(db, &Stored::<AccessToken>::of(token))? {
        let lives = issued.revoked_at.is_none() && now < issued.expires_at;
        let life = (issued.issued_at, issued.expires_at);
        let confirmation = issued.confirmation.as_ref();
        let found = Found { kind: Kind::Access, scope: &issued.scope, life, grant: &grant, confirmation };
        return if lives { told(db, caller, &found, idp) } else { Ok(introspect::inactive()) };
    }
    if let Some((issued, grant)) = store::token::find_refresh(db, &Stored::<RefreshToken>::of(token))? {
        let lives = issued.spent_at.is_none() && now < issued.expires_at;
        let life = (issued.issued_at, issued.expires_at);
        let confirmation = issued.confirmation.as_ref();
        let found = Found { kind: Kind::Refresh, scope: &grant.scope, life, grant: &grant, confirmation };
        return if lives { told(db, caller, &found, idp) } else { Ok(introspect::inactive()) };
    }
    Ok(introspect::inactive())
}

struct Found<'a> {
    kind: Kind,
    scope: &'a [String],
    life: (Moment, Moment),
    grant: &'a Grant,
    confirmation: Option<&'a Confirmation>,
}

fn told(db: &mut Db, caller: &Authenticated, found: &Found<'_>, idp: &Idp) -> Result<Value, Fault> {
    if !introspect::may_learn(caller, found.grant) {
        return Ok(introspect::inactive());
    }
    let Ok(standing) = stands(db, found.grant, idp)? else { return Ok(introspect::inactive()) };
    let live = Live {
        issuer: &idp.config.issuer,
        kind: found.kind,
        confirmation: found.confirmation,
        grant: found.grant,
        scope: found.scope,
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
