//! A provider's signed tokens: taken apart strictly, and held against its published keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKeySet, CoreJsonWebKeyUse, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey, JsonWebKeyAlgorithm, JwsSigningAlgorithm};
use serde_json::{Map, Value};

use crate::upstream::ReadObject;

const LONGEST_TOKEN: usize = 16 * 1024;

pub(super) struct Signed {
    pub claims: Map<String, Value>,
    pub alg: String,
}

/// A compact JWT taken apart, nothing of it believed yet.
pub(super) struct Parts<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

impl<'a> Parts<'a> {
    pub fn read(jwt: &'a str, object: ReadObject) -> Option<Self> {
        let (signed, signature) = jwt.rsplit_once('.').filter(|_| jwt.len() <= LONGEST_TOKEN)?;
        let (header, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        let part = |text: &str| object(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { signed, signature, header: part(header)?, claims: part(claims)? })
    }

    /// By the key the header names, where it names one; a key made for something else never counts.
    pub fn is_signed_by(&self, keys: &CoreJsonWebKeySet, alg: &CoreJwsSigningAlgorithm) -> bool {
        let kid = self.header.get("kid").map(|kid| kid.as_str().unwrap_or_default());
        keys.keys().iter().any(|key| {
            let named = kid.is_none() || key.key_id().map(|id| id.as_str()) == kid;
            let fits = match key.signing_alg() {
                JsonWebKeyAlgorithm::Unspecified => true,
                JsonWebKeyAlgorithm::Algorithm(own) => own == alg,
                JsonWebKeyAlgorithm::Unsupported => false,
            };
            let for_signing = key.key_use().is_none_or(|usage| *usage == CoreJsonWebKeyUse::Signature);
            let kind = alg.key_type().as_ref() == Some(key.key_type());
            named
                && fits
                && for_signing
                && kind
                && key.verify_signature(alg, self.signed.as_bytes(), &self.signature).is_ok()
        })
    }
}
