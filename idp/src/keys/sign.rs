//! The josekit adapter: key pairs, prepared signers, prepared verifiers, and one signature.
//!
//! ES256, which most tokens carry, has a signer of its own behind josekit's trait: josekit has OpenSSL set up a
//! digest context for each signature and takes its DER apart again, which costs half as much as the signature. The digest
//! is not OpenSSL's either, which would look its algorithm up each time.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::JoseError;
use josekit::jwk::alg::ed::EdCurve;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{self, JwsAlgorithm, JwsSigner, JwsVerifier};
use openssl::ec::EcKey;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::ROOM;
use crate::domain::Fault;
use crate::domain::relying_party::SigningAlg;

const RSA_BITS: u32 = 2048;

/// Bytes of each of the two numbers of a P-256 signature.
const ES256_HALF: i32 = 32;

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
        SigningAlg::ES256 => {
            // josekit checks the curve; the key itself is then OpenSSL's.
            jws::ES256.signer_from_der(pkcs8)?;
            let key = PKey::private_key_from_der(pkcs8).and_then(|key| key.ec_key());
            Arc::new(Es256(key.map_err(|error| JoseError::InvalidKeyFormat(error.into()))?))
        }
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

#[derive(Clone, Debug)]
struct Es256(EcKey<Private>);

impl JwsSigner for Es256 {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &jws::ES256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    fn signature_len(&self) -> usize {
        64
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let sign = || {
            let signature = EcdsaSig::sign(&Sha256::digest(message), &self.0)?;
            // RFC 7518 §3.4: both numbers at full width, leading zeros included.
            Ok([signature.r().to_vec_padded(ES256_HALF)?, signature.s().to_vec_padded(ES256_HALF)?].concat())
        };
        sign().map_err(|error: ErrorStack| JoseError::InvalidSignature(error.into()))
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
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
