//! The token endpoint: the client proves itself, then one arm per grant. Each arm is one transaction in which the
//! gate is asked, the single use is spent and the tokens are recorded; signing follows the commit.

mod issued;
mod refusals;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::caller::{Call, authenticate};
use super::facts::Limits;
use super::{acting, answers, binding, resource, transaction, userinfo};
use crate::domain::grant::{Authentication, Grant, IssuedAccessToken, IssuedRefreshToken, Party};
use crate::domain::relying_party::{ClientStatus, GrantType};
use crate::domain::secret::{AccessToken, Code, Minted, RefreshToken, Stored};
use crate::domain::standing::{Asking, Refusal, Standing, Subject, may_act};
use crate::domain::trail::{Event, Kind};
use crate::domain::{Acr, Fault, Span};
use crate::idp::Idp;
use crate::protocol::authorization_details::not_at_token_endpoint;
use crate::protocol::binding::{may_redeem, may_refresh, of_refresh_token};
use crate::protocol::params::Params;
use crate::protocol::release::{Asked, Place, fits, narrow};
use crate::protocol::resource::{Form, Target, asked};
use crate::protocol::token::client_auth::Authenticated;
use crate::protocol::token::code::{self, Presented, Redemption, redeem};
use crate::protocol::token::refresh::{self, Turn, acr_now, turn};
use crate::protocol::token::request::{self, TokenRequest};
use crate::protocol::token::{client_credentials, floor};
use crate::protocol::{Error, access_token, id_token};
use crate::store::{self, Db};
use issued::{Access, Issued};
use refusals::{no_longer, refused, replayed, unknown_code, unknown_refresh};

/// What the caller is told: a JSON body, or the rule it broke.
pub type Verdict = Result<Value, Error>;

/// Answers one token request.
pub async fn answer(params: &Params, call: &Call<'_>, idp: &Arc<Idp>) -> Result<Verdict, Fault> {
    let caller = match authenticate(params, call, idp).await? {
        Ok(caller) => caller,
        Err(error) => return Ok(Err(error)),
    };
    let parsed = request::parse(params).and_then(|request| {
        not_at_token_endpoint(params)?;
        Ok((request, asked(params)?))
    });
    let (request, resources) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(error)),
    };
    binding::within_budget(caller.client(), call, idp).await?;
    answers::ready(caller.client(), idp).await?;
    let shown = binding::shown(call, idp);
    let this = Arc::clone(idp);
    let decided = idp
        .store
        .transact(move |db| {
            let caller = match binding::settle(db, &caller, shown)? {
                Ok(caller) => caller,
                Err(error) => return refused(db, &caller, None, error, &this),
            };
            // RFC 6749 §5.2: said before anything is looked up, so that it says nothing of what was presented.
            if let Err(error) = request::permitted(caller.client(), request.grant()) {
                return refused(db, &caller, None, error, &this);
            }
            match request {
                TokenRequest::Code { code, redirect_uri, code_verifier } => {
                    let (redirect_uri, code_verifier) = (redirect_uri.as_deref(), code_verifier.as_deref());
                    let presented = Presented { redirect_uri, code_verifier, resources: &resources };
                    by_code(db, &caller, &code, &presented, &this)
                }
                TokenRequest::Refresh { refresh_token, scope } => {
                    let narrowed = Narrowed { scope: scope.as_deref(), resources: &resources };
                    by_refresh(db, &caller, &refresh_token, &narrowed, &this)
                }
                TokenRequest::ClientCredentials { scope } => {
                    by_itself(db, &caller, &Narrowed { scope: scope.as_deref(), resources: &resources }, &this)
                }
            }
        })
        .await?;
    match decided {
        Ok(issued) => issued.answer(idp).await.map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// What the client wants less of than it was granted.
struct Narrowed<'a> {
    scope: Option<&'a str>,
    resources: &'a [String],
}

type Decision = Result<Result<Issued, Error>, Fault>;

fn by_code(db: &mut Db, caller: &Authenticated, code: &str, presented: &Presented<'_>, idp: &Idp) -> Decision {
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
    let standing = match stands(db, caller, &grant, idp)? {
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

fn by_refresh(db: &mut Db, caller: &Authenticated, presented: &str, narrowed: &Narrowed<'_>, idp: &Idp) -> Decision {
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
    let standing = match stands(db, caller, &grant, idp)? {
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

fn by_itself(db: &mut Db, caller: &Authenticated, narrowed: &Narrowed<'_>, idp: &Idp) -> Decision {
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
    let standing = match stands(db, caller, &grant, idp)? {
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
fn stands(db: &mut Db, caller: &Authenticated, grant: &Grant, idp: &Idp) -> Result<Result<Standing, Refusal>, Fault> {
    let now = idp.clock.now();
    let status = store::client::find(db, &caller.client().id)?.map_or(ClientStatus::Closed, |found| found.status);
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

/// Everything a mint needs; it cannot be built without a `Standing`.
struct Minting<'a> {
    caller: &'a Authenticated,
    grant: &'a Grant,
    standing: Standing,
    scope: Vec<String>,
    target: Target,
    nonce: Option<&'a str>,
}

impl Minting<'_> {
    fn access(&self, db: &mut Db, idp: &Idp) -> Result<Issued, Fault> {
        let now = idp.clock.now();
        let token: Minted<AccessToken> = idp.mint()?;
        let acr = self.grant.holder().and_then(|holder| acr_now(holder, self.standing));
        let form = self.target.form.at(acr);
        let longest = idp.config.lifetimes.access_token;
        let (hash, lifetime) = match form {
            Form::Opaque => (token.stored(), longest),
            Form::Jwt(_) => (Stored::of_jwt(token.reveal()), longest.min(access_token::LONGEST)),
        };
        let issued = IssuedAccessToken {
            hash,
            grant: self.grant.id.clone(),
            scope: self.scope.clone(),
            audience: self.target.audience.clone(),
            issued_at: now,
            expires_at: now + lifetime,
            revoked_at: None,
            told: None,
            confirmation: self.caller.bound().cloned(),
        };
        store::token::put_access(db, &issued)?;
        let id_token = match self.grant.holder() {
            Some(holder) if self.grant.has_scope("openid") => Some(self.id_token(db, holder, idp)?),
            _ => None,
        };
        let authorization_details = transaction::carried(db, self.grant, idp)?;
        let access_token = match form {
            Form::Opaque => Access::Opaque(token),
            Form::Jwt(alg) => {
                let mut claims = self.claims(&token, acr, lifetime, idp);
                access_token::carry(&mut claims, authorization_details.as_ref());
                Access::Jwt(alg, claims)
            }
        };
        let client = Arc::clone(self.caller.client());
        let scope = self.scope.clone();
        let confirmation = self.caller.bound().cloned();
        let (expires_in, refresh_token) = (lifetime, None);
        Ok(Issued {
            client,
            access_token,
            expires_in,
            refresh_token,
            confirmation,
            scope,
            id_token,
            authorization_details,
        })
    }

    fn claims(&self, jti: &Minted<AccessToken>, acr: Option<Acr>, lifetime: Span, idp: &Idp) -> Map<String, Value> {
        access_token::claims(&access_token::Facts {
            issuer: &idp.config.issuer,
            grant: self.grant,
            audience: &self.target.audience,
            scope: &self.scope,
            acr,
            jti: jti.reveal(),
            now: idp.clock.now(),
            lifetime,
            confirmation: self.caller.bound(),
        })
    }

    fn refresh(&self, db: &mut Db, idp: &Idp) -> Result<Zeroizing<String>, Fault> {
        let now = idp.clock.now();
        let token: Minted<RefreshToken> = idp.mint()?;
        let issued = IssuedRefreshToken {
            hash: token.stored(),
            grant: self.grant.id.clone(),
            issued_at: now,
            expires_at: now + idp.config.lifetimes.refresh_token_idle,
            spent_at: None,
            confirmation: of_refresh_token(self.caller.client(), self.caller.bound()),
        };
        store::token::put_refresh(db, &issued)?;
        Ok(Zeroizing::new(token.reveal().to_owned()))
    }

    fn id_token(&self, db: &mut Db, holder: &Authentication, idp: &Idp) -> Result<Map<String, Value>, Fault> {
        let client = self.caller.client();
        let released = self.released(db, holder, idp)?;
        let facts = id_token::Facts {
            issuer: idp.config.issuer.as_str(),
            client,
            authentication: holder,
            acr: acr_now(holder, self.standing),
            nonce: self.nonce,
            levels: holder.acquaintance.level().map(|level| self.standing.stated(level)),
            released: &released,
            now: idp.clock.now(),
            lifetime: idp.config.lifetimes.id_token,
        };
        Ok(id_token::claims(&facts))
    }

    /// Claims asked into the ID token itself; most requests ask for none, and then nothing is read.
    fn released(&self, db: &mut Db, holder: &Authentication, idp: &Idp) -> Result<Map<String, Value>, Fault> {
        if self.grant.claims.id_token.is_empty() {
            return Ok(Map::new());
        }
        let client = self.caller.client();
        let consents = store::consent::live(db, &holder.account, &client.id)?;
        let asked = Asked::from(self.grant).within(&self.scope);
        let names = narrow(&asked, client, self.standing.account_level(), &consents, Place::IdToken);
        let mut values = userinfo::values(db, &holder.account, &names, idp)?;
        values.retain(|claim, value| fits(&self.grant.claims, Place::IdToken, *claim, value));
        if !values.is_empty() {
            userinfo::remember(db, self.grant, holder, values.keys(), idp)?;
        }
        Ok(userinfo::named(values))
    }

    fn remember(&self, db: &mut Db, kind: Kind, grant: GrantType, idp: &Idp) -> Result<(), Fault> {
        let now = idp.clock.now();
        idp.metrics.token(grant);
        let mut event = Event::new(kind, now).by(&self.grant.client).with(
            json!({"grant": self.grant.id, "grant_type": grant, "scope": self.scope, "audience": self.target.audience}),
        );
        if let Some(holder) = self.grant.holder() {
            event = event.of(&holder.account).within(&holder.session);
        }
        store::trail::append(db, &event, &idp.id()?)
    }
}
