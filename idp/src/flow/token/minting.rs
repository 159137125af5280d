//! What is minted once the gate has let somebody through: recorded in the transaction that asked it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::issued::{Access, Issued};
use crate::domain::grant::{Authentication, Grant, IssuedAccessToken, IssuedRefreshToken};
use crate::domain::relying_party::GrantType;
use crate::domain::secret::{AccessToken, Minted, RefreshToken, Stored};
use crate::domain::standing::Standing;
use crate::domain::trail::{Event, Kind};
use crate::domain::{Fault, Id};
use crate::flow::{transaction, userinfo};
use crate::idp::Idp;
use crate::protocol::binding::of_refresh_token;
use crate::protocol::release::{Asked, Place, fits, narrow};
use crate::protocol::resource::{Form, Target};
use crate::protocol::token::client_auth::Authenticated;
use crate::protocol::token::refresh::acr_now;
use crate::protocol::{access_token, id_token};
use crate::store::{self, Db};

/// Everything a mint needs; it cannot be built without a `Standing`.
pub(super) struct Minting<'a> {
    pub caller: &'a Authenticated,
    pub grant: &'a Grant,
    pub standing: Standing,
    pub scope: Vec<String>,
    pub target: Target,
    pub nonce: Option<&'a str>,
}

impl Minting<'_> {
    pub fn access(&self, db: &mut Db, idp: &Idp) -> Result<Issued, Fault> {
        let now = idp.clock.now();
        let acr = self.grant.holder().and_then(|holder| acr_now(holder, self.standing));
        let form = self.target.form.at(acr);
        let token: Minted<AccessToken> = match form {
            Form::Opaque => idp.mint()?,
            Form::Jwt(_) => idp.mint_name()?,
        };
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
                let claims = access_token::claims(&access_token::Facts {
                    issuer: &idp.config.issuer,
                    grant: self.grant,
                    audience: &self.target.audience,
                    scope: &self.scope,
                    acr,
                    jti: token.reveal(),
                    now,
                    lifetime,
                    confirmation: self.caller.bound(),
                    authorization_details: authorization_details.as_ref(),
                });
                Access::Jwt(alg, serde_json::to_vec(&claims).map_err(|error| Fault::broken("flow", error))?)
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

    pub fn refresh(&self, db: &mut Db, idp: &Idp) -> Result<Zeroizing<String>, Fault> {
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

    pub fn remember(&self, db: &mut Db, kind: Kind, grant: GrantType, idp: &Idp) -> Result<(), Fault> {
        let now = idp.clock.now();
        let mut event = Event::new(kind, now).by(&self.grant.client);
        if let Some(holder) = self.grant.holder() {
            event = event.of(&holder.account).within(&holder.session);
        }
        let told =
            Told { grant: &self.grant.id, grant_type: grant, scope: &self.scope, audience: &self.target.audience };
        store::trail::append_telling(db, &event, &told, &idp.id()?)
    }
}

/// What the trail keeps of a token.
#[derive(Serialize)]
struct Told<'a> {
    grant: &'a Id<Grant>,
    grant_type: GrantType,
    scope: &'a [String],
    audience: &'a [String],
}
