//! Logout tokens as a portal takes them (OpenID Connect Back-Channel Logout 1.0 §2.6), by the keys the `openidconnect`
//! crate found; the crate itself does not know them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::domain::{Moment, Span};
use openidconnect::JsonWebKey;
use openidconnect::core::CoreJwsSigningAlgorithm;
use serde_json::{Map, Value};

use super::{Failure, Provider, RelyingParty};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How far the provider's clock may be from ours.
const SKEW: Span = Span::seconds(60);

/// Whose session ended: one of them named by `sid`, or every one of `sub`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub sub: Option<String>,
    pub sid: Option<String>,
}

impl Ended {
    /// Whether the claims of an ID token are of a session that ended.
    pub fn means(&self, id_claims: &Map<String, Value>) -> bool {
        let same = |name: &str, wanted: &Option<String>| match wanted {
            Some(wanted) => id_claims.get(name).and_then(Value::as_str) == Some(wanted),
            None => true,
        };
        (self.sub.is_some() || self.sid.is_some()) && same("sub", &self.sub) && same("sid", &self.sid)
    }
}

/// Tokens heard already, until they would be too old anyway.
#[derive(Default)]
pub struct Heard(Mutex<HashMap<String, Moment>>);

impl Heard {
    /// True for the first time.
    fn first(&self, jti: &str, until: Moment, now: Moment) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|_, until| now < *until);
        heard.insert(jti.to_owned(), until).is_none()
    }
}

struct Parts<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl RelyingParty {
    /// Reads a logout token sent to us.
    pub async fn ended(&self, token: &str, now: Moment) -> Result<Ended, Failure> {
        const WRONG: Failure = Failure::Untrusted("logout_token");
        let parts = parts(token).ok_or(WRONG)?;
        let provider = self.provider().await?;
        if !self.signed(&parts, &provider) {
            // The provider may have rotated its keys since we asked for them: ask once more.
            let fresh = self.discover().await?;
            if !self.signed(&parts, &fresh) {
                return Err(WRONG);
            }
        }
        self.told(&parts, now).ok_or(WRONG)
    }

    /// By the algorithm we registered for ID tokens and no other, and typed as what it is (RFC 8725 §3.11).
    fn signed(&self, parts: &Parts<'_>, provider: &Provider) -> bool {
        let alg = parts.header.get("alg").cloned().and_then(|alg| serde_json::from_value(alg).ok());
        let kid = parts.header.get("kid").and_then(Value::as_str);
        let expected: &CoreJwsSigningAlgorithm = &self.registration.signing;
        parts.header.get("typ").and_then(Value::as_str) == Some("logout+jwt")
            && alg.as_ref() == Some(expected)
            && provider.metadata.jwks().keys().iter().any(|key| {
                key.key_id().map(|id| id.as_str()) == kid
                    && key.verify_signature(expected, parts.signed.as_bytes(), &parts.signature).is_ok()
            })
    }

    fn told(&self, parts: &Parts<'_>, now: Moment) -> Option<Ended> {
        let claims = &parts.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let at = |name: &str| claims.get(name).and_then(Value::as_i64).map(Moment::from_unix);
        let ours = match claims.get("aud")? {
            Value::String(audience) => *audience == self.registration.client_id,
            Value::Array(all) => all.iter().any(|one| one.as_str() == Some(&self.registration.client_id)),
            _ => false,
        };
        let (expires, issued) = (at("exp")?, at("iat")?);
        let timely = now < expires + SKEW && issued < now + SKEW;
        let event = claims.get("events")?.get(EVENT)?.is_object();
        let ended = Ended { sub: text("sub").map(str::to_owned), sid: text("sid").map(str::to_owned) };
        let sound = text("iss") == Some(&self.registration.issuer)
            && ours
            && timely
            && event
            && !claims.contains_key("nonce")
            && (ended.sub.is_some() || ended.sid.is_some());
        (sound && self.heard.first(text("jti")?, expires + SKEW, now)).then_some(ended)
    }
}

fn parts(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let object = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    Some(Parts {
        signed,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        header: object(header)?,
        claims: object(claims)?,
    })
}
