//! The forms in which answers leave: JSON, signed, encrypted, or signed and then encrypted. What the client registered
//! decides; it is done after the commit, since it changes nothing.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::client_keys;
use crate::domain::Fault;
use crate::domain::arrangement::Encryption;
use crate::domain::relying_party::{Client, SigningAlg};
use crate::idp::Idp;
use crate::keys::{self, JWT, encrypt};

/// A body on its way to a client.
#[derive(Debug)]
pub enum Told {
    Json(Value),
    /// A compact JWS or JWE.
    Jwt(String),
}

/// The claims as a JWT for the client: signed, encrypted, or nested (RFC 7519 §5.2, OIDC Core §10.2: signed first).
pub async fn sealed(
    claims: &Map<String, Value>,
    signed: Option<SigningAlg>,
    encrypted: Option<Encryption>,
    client: &Client,
    idp: &Arc<Idp>,
) -> Result<String, Fault> {
    let signed = signed.map(|alg| idp.ring.sign(alg, JWT, claims, idp.clock.now())).transpose()?;
    match (signed, encrypted) {
        (Some(jws), None) => Ok(jws),
        (Some(jws), Some(encryption)) => to_client(jws.as_bytes(), true, encryption, (client, idp)).await,
        (None, Some(encryption)) => {
            let content = serde_json::to_vec(claims).map_err(|error| Fault::broken("flow", error))?;
            to_client(&content, false, encryption, (client, idp)).await
        }
        (None, None) => Err(Fault::broken("flow", "a JWT that is neither signed nor encrypted")),
    }
}

async fn to_client(
    content: &[u8],
    nested: bool,
    encryption: Encryption,
    (client, idp): (&Client, &Arc<Idp>),
) -> Result<String, Fault> {
    let jwks = recipients(client, encryption, idp).await?;
    encrypt::encrypt(content, nested, encryption, &jwks)
}

/// The keys to encrypt to. Without any nothing leaves: an answer only the client may read is never sent plain instead.
async fn recipients(client: &Client, encryption: Encryption, idp: &Arc<Idp>) -> Result<Arc<str>, Fault> {
    let found = client_keys::to_encrypt(client, encryption.alg, idp).await?;
    found.ok_or_else(|| Fault::unavailable("flow", "the client has no key to encrypt to now"))
}

/// Asked before anything is spent: a set that cannot be fetched now must not cost the client its code.
pub async fn ready(client: &Client, idp: &Arc<Idp>) -> Result<(), Fault> {
    match client.answers.id_token_encryption() {
        Some(encryption) if client.jwks_uri.is_some() => recipients(client, encryption, idp).await.map(drop),
        _ => Ok(()),
    }
}

/// Whether the keys of a client serve for all it registered. Its curve points and numbers are looked at here: a key that
/// cannot be used is refused now, not at the first sign-in. Those at a `jwks_uri` are looked at whenever they are fetched.
pub fn check_keys(client: &Client) -> Result<(), String> {
    let Some(jwks) = client.jwks.as_deref() else { return Ok(()) };
    let wanted = [client.answers.id_token_encryption(), client.answers.userinfo_encryption()];
    wanted.into_iter().flatten().try_for_each(|encryption| keys::encrypt::fits(jwks, encryption.alg))
}
