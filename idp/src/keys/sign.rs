//! The josekit adapter: key pairs, prepared signers, prepared verifiers, and one signature.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::JoseError;
use josekit::jwk::alg::ed::EdCurve;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{self, JwsSigner, JwsVerifier};
use serde_json::{Map, Value};

use super::ROOM;
use crate::domain::Fault;
use crate::domain::relying_party::SigningAlg;

const RSA_BITS: u32 = 2048;

/// A fresh pair: PKCS#8 of the private half, and the public half.
pub(super) fn generate(alg: SigningAlg) -> Result<(Vec<u8>, Jwk), JoseError> {
    let pair: Box<dyn KeyPair> = match alg {
        SigningAlg::ES256 => Box::new(jws::ES256.generate_key_pair()?),
        SigningAlg::RS256 => Box::new(jws::RS256.generate_key_pair(RSA_BITS)?),
        SigningAlg::PS256 => Box::new(jws::PS256.generate_key_pair(RSA_BITS)?),
        SigningAlg::EdDSA => Box::new(jws::EdDSA.generate_key_pair(EdCurve::Ed25519)?),
    };
    Ok((pair.to_der_private_key(), pair.to_jwk_public_key()))
}

pub(super) fn signer(alg: SigningAlg, pkcs8: &[u8]) -> Result<Arc<dyn JwsSigner>, JoseError> {
    Ok(match alg {
        SigningAlg::ES256 => Arc::new(jws::ES256.signer_from_der(pkcs8)?),
        SigningAlg::RS256 => Arc::new(jws::RS256.signer_from_der(pkcs8)?),
        SigningAlg::PS256 => Arc::new(jws::PS256.signer_from_der(pkcs8)?),
        SigningAlg::EdDSA => Arc::new(jws::EdDSA.signer_from_der(pkcs8)?),
    })
}

pub(super) fn verifier(alg: SigningAlg, jwk: &Jwk) -> Result<Arc<dyn JwsVerifier>, JoseError> {
    Ok(match alg {
        SigningAlg::ES256 => Arc::new(jws::ES256.verifier_from_jwk(jwk)?),
        SigningAlg::RS256 => Arc::new(jws::RS256.verifier_from_jwk(jwk)?),
        SigningAlg::PS256 => Arc::new(jws::PS256.verifier_from_jwk(jwk)?),
        SigningAlg::EdDSA => Arc::new(jws::EdDSA.verifier_from_jwk(jwk)?),
    })
}

/// The protected header of our own tokens, encoded.
pub(super) fn header(alg: SigningAlg, kid: &str, typ: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{}","kid":"{kid}","typ":"{typ}"}}"#, alg.name()))
}

/// A compact JWS of the claims under an encoded header.
pub(super) fn compact(header: &str, claims: &Map<String, Value>, signer: &dyn JwsSigner) -> Result<String, Fault> {
    let payload = serde_json::to_vec(claims).map_err(|error| Fault::broken(ROOM, error))?;
    let mut jwt = String::with_capacity(header.len() + (payload.len() + signer.signature_len()) * 4 / 3 + 8);
    jwt.push_str(header);
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut jwt);
    let signature = signer.sign(jwt.as_bytes()).map_err(|error| Fault::unavailable(ROOM, error))?;
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
    Ok(jwt)
}
