//! The josekit adapter: key pairs, prepared signers, prepared verifiers, and one signature.
//!
//! ES256, which most tokens and assertions carry, has a signer and a verifier of its own behind josekit's traits: josekit
//! has OpenSSL look the digest up and set up a context for each signature, and takes DER apart or puts it together, which
//! costs half as much as making the signature and a tenth of verifying it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::JoseError;
use josekit::jwk::alg::ed::EdCurve;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{self, JwsAlgorithm, JwsSigner, JwsVerifier};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private, Public};
use openssl::sha::Sha256;
use serde_json::Value;

use super::ROOM;
use crate::domain::Fault;
use crate::domain::relying_party::SigningAlg;

const RSA_BITS: u32 = 2048;

/// Bytes of each of the two numbers of a P-256 signature (RFC 7518 §3.4).
const ES256_HALF: u8 = 32;

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
        SigningAlg::ES256 => {
            // josekit checks what the key is for, and the curve.
            jws::ES256.verifier_from_jwk(jwk)?;
            Arc::new(Es256Public(on_curve(jwk)?))
        }
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
            let signature = EcdsaSig::sign(&digest(message), &self.0)?;
            // Leading zeros included.
            let half = i32::from(ES256_HALF);
            Ok([signature.r().to_vec_padded(half)?, signature.s().to_vec_padded(half)?].concat())
        };
        sign().map_err(|error: ErrorStack| JoseError::InvalidSignature(error.into()))
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
}

#[derive(Clone, Debug)]
struct Es256Public(EcKey<Public>);

impl JwsVerifier for Es256Public {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &jws::ES256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        let verify = || {
            let half = usize::from(ES256_HALF);
            let Some((r, s)) = signature.split_at_checked(half).filter(|(_, s)| s.len() == half) else {
                return Ok(false);
            };
            let signature = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
            signature.verify(&digest(message), &self.0)
        };
        let error = match verify() {
            Ok(true) => return Ok(()),
            Ok(false) => ErrorStack::get(),
            Err(error) => error,
        };
        Err(JoseError::InvalidSignature(error.into()))
    }

    fn box_clone(&self) -> Box<dyn JwsVerifier> {
        Box::new(self.clone())
    }
}

/// Made without OpenSSL's one-shot function, which looks the digest up by name each time.
fn digest(message: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(message);
    hash.finish()
}

/// The point of a P-256 key; one that is not on the curve is none.
fn on_curve(jwk: &Jwk) -> Result<EcKey<Public>, JoseError> {
    let number = |name| {
        let text = jwk.parameter(name).and_then(Value::as_str).unwrap_or_default();
        BigNum::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap_or_default())
    };
    let key = || {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        EcKey::from_public_key_affine_coordinates(&group, &*number("x")?, &*number("y")?)
    };
    key().map_err(|error: ErrorStack| JoseError::InvalidKeyFormat(error.into()))
}

/// The protected header of our own tokens, encoded.
pub(super) fn header(alg: SigningAlg, kid: &str, typ: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{}","kid":"{kid}","typ":"{typ}"}}"#, alg.name()))
}

/// A compact JWS of a payload under an encoded header.
pub(super) fn compact(header: &str, payload: &[u8], signer: &dyn JwsSigner) -> Result<String, Fault> {
    let mut jwt = String::with_capacity(header.len() + (payload.len() + signer.signature_len()) * 4 / 3 + 8);
    jwt.push_str(header);
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut jwt);
    let signature = signer.sign(jwt.as_bytes()).map_err(|error| Fault::unavailable(ROOM, error))?;
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
    Ok(jwt)
}
