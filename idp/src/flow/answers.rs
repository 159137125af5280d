//! The forms in which answers leave: JSON, signed, encrypted, or signed and then encrypted. What the client registered
//! decides; it is done after the commit, since it changes nothing.

use serde_json::{Map, Value};

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

/// The public keys a client registered: what it signs is checked with them, and what it alone may read is encrypted to them.
pub fn jwks(client: &Client) -> Option<&str> {
    client.jwks.as_deref()
}

/// The claims as a JWT for the client: signed, encrypted, or nested (RFC 7519 §5.2, OIDC Core §10.2: signed first).
pub fn sealed(
    claims: &Map<String, Value>,
    signed: Option<SigningAlg>,
    encrypted: Option<Encryption>,
    client: &Client,
    idp: &Idp,
) -> Result<String, Fault> {
    let signed = signed.map(|alg| idp.ring.sign(alg, JWT, claims, idp.clock.now())).transpose()?;
    match (signed, encrypted) {
        (Some(jws), None) => Ok(jws),
        (Some(jws), Some(encryption)) => to_client(jws.as_bytes(), true, encryption, client),
        (None, Some(encryption)) => {
            let content = serde_json::to_vec(claims).map_err(|error| Fault::broken("flow", error))?;
            to_client(&content, false, encryption, client)
        }
        (None, None) => Err(Fault::broken("flow", "a JWT that is neither signed nor encrypted")),
    }
}

fn to_client(content: &[u8], nested: bool, encryption: Encryption, client: &Client) -> Result<String, Fault> {
    let jwks = jwks(client).ok_or_else(|| Fault::broken("flow", "no keys to encrypt to"))?;
    encrypt::encrypt(content, nested, encryption, jwks)
}

/// Whether the keys of a client serve for all it registered. Its curve points and numbers are looked at here: a key that
/// cannot be used is refused now, not at the first sign-in.
pub fn check_keys(client: &Client) -> Result<(), String> {
    let wanted = [client.answers.id_token_encryption(), client.answers.userinfo_encryption()];
    wanted.into_iter().flatten().try_for_each(|encryption| {
        let jwks = jwks(client).ok_or_else(|| "is missing".to_owned())?;
        keys::encrypt::fits(jwks, encryption.alg)
    })
}
