//! Grant: what a client may do for an account until revoked. It owns a family of tokens; codes and tokens
//! are only keys to it.

use super::account::Account;
use super::binding::Confirmation;
use super::id::Id;
use super::level::Acr;
use super::moment::Moment;
use super::relying_party::Client;
use super::request::ClaimsRequest;
use super::secret::{AccessToken, Code, RefreshToken, Stored};
use super::session::{Acquaintance, Session};
use super::transaction::Transaction;

/// Who acted for the holder, named to the client as its sector knows them (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub account: Id<Account>,
    pub sub: String,
}

impl Actor {
    /// The `act` claim.
    pub fn claim(&self) -> serde_json::Value {
        serde_json::json!({ "sub": self.sub })
    }
}

/// Who signed in for a grant, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    pub account: Id<Account>,
    pub actor: Option<Actor>,
    /// The subject as this client's sector knows it.
    pub sub: String,
    pub session: Id<Session>,
    /// The session as this client knows it: random per (session, client).
    pub sid: String,
    pub auth_time: Moment,
    pub acr: Acr,
    pub acquaintance: Acquaintance,
}

/// Whose grant it is: a holder who signed in, or the client itself (`client_credentials`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Holder(Authentication),
    ClientItself,
}

#[derive(Clone, Debug)]
pub struct Grant {
    pub id: Id<Grant>,
    pub client: Id<Client>,
    pub party: Party,
    pub scope: Vec<String>,
    pub claims: ClaimsRequest,
    pub service: Option<String>,
    /// Resources it may yield tokens for (RFC 8707); none named, its tokens are for us alone.
    pub resources: Vec<String>,
    /// What the holder approved; its token is good for that once.
    pub transaction: Option<Id<Transaction>>,
    /// `offline_access` was granted: the grant outlives its session.
    pub offline: bool,
    pub opened_at: Moment,
    pub revoked_at: Option<Moment>,
}

impl Grant {
    pub fn holder(&self) -> Option<&Authentication> {
        match &self.party {
            Party::Holder(authentication) => Some(authentication),
            Party::ClientItself => None,
        }
    }

    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.iter().any(|granted| granted == scope)
    }
}

/// An authorization code as stored: everything the redemption must match.
#[derive(Clone, Debug)]
pub struct IssuedCode {
    pub hash: Stored<Code>,
    pub grant: Id<Grant>,
    pub client: Id<Client>,
    pub redirect_uri: String,
    pub code_challenge: Option<String>,
    pub nonce: Option<String>,
    pub issued_at: Moment,
    pub expires_at: Moment,
    pub spent_at: Option<Moment>,
    /// Wrong verifiers presented so far (`security.md` D10).
    pub failures: i64,
    /// The thumbprint of the key it may be redeemed with (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
}

#[derive(Clone, Debug)]
pub struct IssuedAccessToken {
    pub hash: Stored<AccessToken>,
    pub grant: Id<Grant>,
    /// May be narrower than the grant's (RFC 6749 §6).
    pub scope: Vec<String>,
    /// The resources it is for, of those of its grant.
    pub audience: Vec<String>,
    pub issued_at: Moment,
    pub expires_at: Moment,
    pub revoked_at: Option<Moment>,
    /// A digest of the names of the claims it was last told at userinfo: reading the same again releases nothing new.
    pub told: Option<String>,
    /// What its bearer must prove to hold; a token without one is a bearer token.
    pub confirmation: Option<Confirmation>,
}

#[derive(Clone, Debug)]
pub struct IssuedRefreshToken {
    pub hash: Stored<RefreshToken>,
    pub grant: Id<Grant>,
    pub issued_at: Moment,
    /// Moves on with every use: 30 days without one end it.
    pub expires_at: Moment,
    /// Set when a public client's token was turned into its successor.
    pub spent_at: Option<Moment>,
    /// Set for public clients, whose refresh tokens nothing else protects (RFC 9449 §5, RFC 8705 §4).
    pub confirmation: Option<Confirmation>,
}
