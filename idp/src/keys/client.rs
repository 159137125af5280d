//! What clients sign: `private_key_jwt` assertions. Signature and form only; what the claims must say is
//! `protocol`'s.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use josekit::jws::JwsVerifier;
use serde_json::{Map, Value};

use super::compact::Compact;
use super::{jwk, sign};
use crate::domain::relying_party::SigningAlg;

/// `security.md` N-25.
const LONGEST: usize = 8 * 1024;

/// Clients whose keys are kept ready.
const REMEMBERED: usize = 1024;

/// A JWT whose signature was checked.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

struct ClientKey {
    kid: Option<String>,
    alg: SigningAlg,
    verifier: Arc<dyn JwsVerifier>,
}

/// Prepared verifiers by the text of the set, so that a changed registration is a different entry. Preparing one
/// costs about as much as using it.
static PREPARED: LazyLock<RwLock<HashMap<String, Arc<Vec<ClientKey>>>>> = LazyLock::new(RwLock::default);

/// The JWT, when one of the set's keys signed it with an allowed algorithm. The reason otherwise is for our log.
pub fn verify(jwt: &str, jwks_json: &str, allowed: &[SigningAlg]) -> Result<VerifiedJwt, String> {
    let compact = Compact::parse(jwt, LONGEST)?;
    // RFC 8725 §3.1: decided before any key is looked at. `none` and HMAC are no SigningAlg.
    let alg = compact.member("alg").and_then(SigningAlg::parse).filter(|alg| allowed.contains(alg));
    let alg = alg.ok_or("alg is not allowed")?;
    let kid = match compact.header.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().ok_or("kid is not text")?),
    };
    let keys = prepared(jwks_json)?;
    let fits = |key: &&ClientKey| key.alg == alg && (kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid);
    let signed = |key: &ClientKey| key.verifier.verify(compact.signed.as_bytes(), &compact.signature).is_ok();
    if !keys.iter().filter(fits).any(signed) {
        return Err("no registered key made the signature".to_owned());
    }
    let claims = compact.claims()?;
    Ok(VerifiedJwt { header: compact.header, claims })
}

/// Whether a set may be registered: well formed, public members only, strong keys, at least one of them usable.
pub fn admit(jwks_json: &str) -> Result<(), String> {
    if prepare(jwks_json)?.is_empty() { Err("has no usable signing key".to_owned()) } else { Ok(()) }
}

fn prepared(jwks_json: &str) -> Result<Arc<Vec<ClientKey>>, String> {
    if let Some(keys) = PREPARED.read().unwrap_or_else(PoisonError::into_inner).get(jwks_json) {
        return Ok(Arc::clone(keys));
    }
    let keys = Arc::new(prepare(jwks_json)?);
    let mut ready = PREPARED.write().unwrap_or_else(PoisonError::into_inner);
    if ready.len() >= REMEMBERED {
        // Starting over now and then is cheaper than remembering who was used last.
        ready.clear();
    }
    ready.insert(jwks_json.to_owned(), Arc::clone(&keys));
    Ok(keys)
}

fn prepare(jwks_json: &str) -> Result<Vec<ClientKey>, String> {
    let mut keys = Vec::new();
    for jwk in jwk::set(jwks_json)? {
        for alg in jwk::algs(&jwk) {
            let verifier = sign::verifier(alg, &jwk).map_err(|_| format!("has a bad {} key", alg.name()))?;
            keys.push(ClientKey { kid: jwk.key_id().map(str::to_owned), alg, verifier });
        }
    }
    Ok(keys)
}
