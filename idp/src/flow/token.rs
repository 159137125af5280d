//! The token endpoint: the client proves itself, then one arm per grant. Each arm is one transaction in which the
//! gate is asked, the single use is spent and the tokens are recorded; signing follows the commit.

mod issued;
mod minting;
mod refusals;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::caller::{Call, Proved, authenticate, authenticated};
use super::facts::Limits;
use super::{acting, answers, binding, resource};
use crate::domain::Fault;
use crate::domain::grant::{Authentication, Grant, Party};
use crate::domain::relying_party::{ClientStatus, GrantType};
use crate::domain::secret::{Code, RefreshToken, Stored};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::domain::trail::Kind;
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::authorization_details::not_at_token_endpoint;
use crate::protocol::binding::{may_redeem, may_refresh};
use crate::protocol::params::Params;
use crate::protocol::resource::asked;
use crate::protocol::token::client_auth::Authenticated;
use crate::protocol::token::code::{self, Presented, Redemption, redeem};
use crate::protocol::token::refresh::{self, Turn, turn};
use crate::protocol::token::request::{self, TokenRequest};
use crate::protocol::token::{client_credentials, floor};
use crate::store::{self, Db};
use issued::Issued;
use minting::Minting;
use refusals::{no_longer, refused, replayed, unknown_code, unknown_refresh};

/// What the caller is told: a JSON body, written, or the rule it broke.
pub type Verdict = Result<String, Error>;

/// Answers one token request.
pub async fn answer(params: &Params, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
    let asked = request::parse(params).and_then(|request| {
        not_at_token_endpoint(params)?;
        Ok((request, asked(params)?))
    });
    let asked = match asked {
        Ok(asked) => Arc::new(asked),
        // What no transaction follows rests on what SQL says.
        Err(error) => return Ok(Err(authenticate(params, call, idp).await?.err().unwrap_or(error))),
    };
    let decided = authenticated(params, call, idp, async |proved| decide(proved, &asked, call, idp).await).await?;
    match decided.flatten() {
        Ok(issued) => {
            // Not in the transaction: one that is run again issues once.
            idp.metrics.token(asked.0.grant());
            issued.answer(idp).await.map(Ok)
        }
        Err(error) => Ok(Err(error)),
    }
}

/// One transaction. `None` where the proof does not hold any more; nothing happened then.
async fn decide(
    proved: Proved,
    asked: &Arc<(TokenRequest, Vec<String>)>,
    call: &Call<'_>,
    idp: &Arc<Idp>,
) -> Result<Option<Result<Issued, Error>>, Fault> {
    let client = proved.caller.client();
    binding::within_budget(client, call, idp).await?;
    answers::ready(client, idp).await?;
    let shown = binding::shown(call, idp);
    let (asked, this) = (Arc::clone(asked), Arc::clone(idp));
    // A client that asks in its own name meets nobody's locks, and what it is issued hangs on nothing but the client.
    let adds = asked.0.grant() == GrantType::ClientCredentials;
    let work = move |db: &mut Db| {
        let registered = store::client::find(db, &proved.caller.client().id)?;
        if !proved.holds(registered.as_ref()) {
            return Ok(None);
        }
        let status = registered.map_or(ClientStatus::Closed, |found| found.status);
        let caller = match binding::settle(db, &proved.caller, &shown)? {
            Ok(caller) => caller,
            Err(error) => return refused(db, &proved.caller, None, error, &this).map(Some),
        };
        act(db, (&caller, status), &asked, &this).map(Some)
    };
    if adds { idp.store.transact_adding(work).await } else { idp.store.transact_repeatably(work).await }
}

fn act(
    db: &mut Db,
    (caller, status): (&Authenticated, ClientStatus),
    (request, resources): &(TokenRequest, Vec<String>),
    idp: &Idp,
) -> Decision {
    // RFC 6749 §5.2: said before anything is looked up, so that it says nothing of what was presented.
    if let Err(error) = request::permitted(caller.client(), request.grant()) {
        return refused(db, caller, None, error, idp);
    }
    match request {
        TokenRequest::Code { code, redirect_uri, code_verifier } => {
            let (redirect_uri, code_verifier) = (redirect_uri.as_deref(), code_verifier.as_deref());
            by_code(db, (caller, status), code, &Presented { redirect_uri, code_verifier, resources }, idp)
        }
        TokenRequest::Refresh { refresh_token, scope } => {
            by_refresh(db, (caller, status), refresh_token, &Narrowed { scope: scope.as_deref(), resources }, idp)
        }
        TokenRequest::ClientCredentials { scope } => {
            by_itself(db, (caller, status), &Narrowed { scope: scope.as_deref(), resources }, idp)
        }
    }
}

/// What the client wants less of than it was granted.
struct Narrowed<'a> {
    scope: Option<&'a str>,
    resources: &'a [String],
}

type Decision = Result<Result<Issued, Error>, Fault>;

fn by_code(
    db: &mut Db,
    (caller, status): (&Authenticated, ClientStatus),
    code: &str,
    presented: &Presented<'_>,
    idp: &Idp,
) -> Decision {
    let now = idp.clock.now();
    let hash: Stored<Code> = Stored::of(code);
    let Some((issued, grant)) = store::code::find(db, &hash)? else {
        return refused(db, caller, None, unknown_code(), idp);
    };
    let redemption = redeem(&issued, &grant, caller, presented, now);
    // A thief without the key the code is bound to ends nobody's grant.
    if matches!(redemption, Redemption::Entitled | Redemption::Replay(_))
        && let Err(error) = may_redeem(&issued, caller.held())
    {
        return refused(db, caller, Some(&grant), error, idp);
    }
    match redemption {
        Redemption::Entitled => {}
        Redemption::WrongVerifier(error) => {
            store::code::fail(db, &hash)?;
            return refused(db, caller, Some(&grant), error, idp);
        }
        Redemption::Replay(error) => return replayed(db, caller, &grant, error, idp),
        Redemption::Refused(error) => return refused(db, caller, Some(&grant), error, idp),
    }
    let standing = match stands(db, status, &grant, idp)? {
        Ok(standing) => standing,
        Err(refusal) => return refused(db, caller, Some(&grant), no_longer(refusal), idp),
    };
    if let Err(error) = floor::met(&grant, caller.client(), standing) {
        return refused(db, caller, Some(&grant), error, idp);
    }
    let target = match resource::target(db, &grant.resources, presented.resources, caller.client(), idp)? {
        Ok(target) => target,
        Err(error) => return refused(db, caller, Some(&grant), error, idp),
    };
    // RFC 6749 §4.1.2: one redemption. The loser of a race is a replay, and the family dies with it.
    if !store::code::spend(db, &hash, now)? {
        return replayed(db, caller, &grant, code::spent(), idp);
    }
    let refresh = refresh::is_due(&grant, caller);
    let scope = grant.scope.clone();
    let minting = Minting { caller, grant: &grant, standing, scope, target, nonce: issued.nonce.as_deref() };
    let mut tokens = minting.access(db, idp)?;
    if refresh {
        tokens.refresh_token = Some(minting.refresh(db, idp)?);
    }
    minting.remember(db, Kind::TokenIssued, GrantType::AuthorizationCode, idp)?;
    Ok(Ok(tokens))
}

fn by_refresh(
    db: &mut Db,
    (caller, status): (&Authenticated, ClientStatus),
    presented: &str,
    narrowed: &Narrowed<'_>,
    idp: &Idp,
) -> Decision {
    let now = idp.clock.now();
    let hash: Stored<RefreshToken> = Stored::of(presented);
    let Some((issued, grant)) = store::token::find_refresh(db, &hash)? else {
        return refused(db, caller, None, unknown_refresh(), idp);
    };
    if grant.client == caller.client().id
        && let Err(error) = may_refresh(&issued, caller.held())
    {
        return refused(db, caller, Some(&grant), error, idp);
    }
    let (scope, rotate) = match turn(&issued, &grant, caller, narrowed.scope, now) {
        Turn::Rotate { scope } => (scope, true),
        Turn::Keep { scope } => (scope, false),
        Turn::Replay(error) => return replayed(db, caller, &grant, error, idp),
        Turn::Refuse(error) => return refused(db, caller, Some(&grant), error, idp),
    };
    let standing = match stands(db, status, &grant, idp)? {
        Ok(standing) => standing,
        Err(refusal) => return refused(db, caller, Some(&grant), no_longer(refusal), idp),
    };
    if let Err(error) = floor::met(&grant, caller.client(), standing) {
        return refused(db, caller, Some(&grant), error, idp);
    }
    let target = match resource::target(db, &grant.resources, narrowed.resources, caller.client(), idp)? {
        Ok(target) => target,
        Err(error) => return refused(db, caller, Some(&grant), error, idp),
    };
    if rotate && !store::token::spend_refresh(db, &hash, now)? {
        return replayed(db, caller, &grant, refresh::spent(), idp);
    }
    let minting = Minting { caller, grant: &grant, standing, scope, target, nonce: None };
    let mut tokens = minting.access(db, idp)?;
    tokens.refresh_token = Some(if rotate {
        minting.refresh(db, idp)?
    } else {
        store::token::extend_refresh(db, &hash, now + idp.config.lifetimes.refresh_token_idle)?;
        Zeroizing::new(presented.to_owned())
    });
    minting.remember(db, Kind::TokenRefreshed, GrantType::RefreshToken, idp)?;
    Ok(Ok(tokens))
}

fn by_itself(
    db: &mut Db,
    (caller, status): (&Authenticated, ClientStatus),
    narrowed: &Narrowed<'_>,
    idp: &Idp,
) -> Decision {
    let now = idp.clock.now();
    let scope = match client_credentials::scope(caller.client(), narrowed.scope) {
        Ok(scope) => scope,
        Err(error) => return refused(db, caller, None, error, idp),
    };
    let grant = Grant {
        id: idp.id()?,
        client: caller.client().id.clone(),
        party: Party::ClientItself,
        scope: scope.clone(),
        claims: Default::default(),
        service: None,
        resources: narrowed.resources.to_vec(),
        transaction: None,
        offline: false,
        opened_at: now,
        revoked_at: None,
    };
    let standing = match stands(db, status, &grant, idp)? {
        Ok(standing) => standing,
        Err(refusal) => return refused(db, caller, None, no_longer(refusal), idp),
    };
    let target = match resource::target(db, &grant.resources, &[], caller.client(), idp)? {
        Ok(target) => target,
        Err(error) => return refused(db, caller, None, error, idp),
    };
    store::grant::open(db, &grant)?;
    let minting = Minting { caller, grant: &grant, standing, scope, target, nonce: None };
    let tokens = minting.access(db, idp)?;
    minting.remember(db, Kind::TokenIssued, GrantType::ClientCredentials, idp)?;
    Ok(Ok(tokens))
}

/// The gate, from facts read in this transaction.
fn stands(db: &mut Db, status: ClientStatus, grant: &Grant, idp: &Idp) -> Result<Result<Standing, Refusal>, Fault> {
    let now = idp.clock.now();
    let Some(authentication) = grant.holder() else {
        let subject = Subject::ClientItself;
        return Ok(may_act(
            Asking { client: Some(status), subject, actor: None, grant: Some(grant), session: None },
            now,
        ));
    };
    // A lock acknowledged while this transaction waited for the account has revoked the grant.
    let waited = acting::hold(db, authentication)?;
    let fresh = if waited { store::grant::find(db, &grant.id)? } else { None };
    holder_stands(db, Some(status), fresh.as_ref().unwrap_or(grant), authentication, idp)
}

/// The gate for a grant of a holder: account, e-ID, client, grant and session together.
pub fn holder_stands(
    db: &mut Db,
    client: Option<ClientStatus>,
    grant: &Grant,
    authentication: &Authentication,
    idp: &Idp,
) -> Result<Result<Standing, Refusal>, Fault> {
    let account = store::account::find(db, &authentication.account)?;
    let session = match grant.offline {
        true => None,
        false => store::session::find(db, &authentication.session)?,
    };
    let limits = session.as_ref().map(|session| Limits::of(idp).for_session(session));
    let subject = account.as_ref().map_or(Subject::Missing, Subject::Holder);
    // Whoever acted is asked about at every later use, and so is the bond.
    let actor = authentication.actor.as_ref().map(|actor| &actor.account);
    let actor = acting::known(db, account.as_ref(), actor, idp.clock.now())?;
    let actor = actor.as_ref().map(acting::Known::actor);
    let asking = Asking { client, subject, actor, grant: Some(grant), session: session.as_ref().zip(limits) };
    Ok(may_act(asking, idp.clock.now()))
}

#[cfg(test)]
mod tests;
