//! Device: what the VNeID app does with the key of its phone - makes it, and signs what it says to the provider. The
//! sandbox's phone and the test suites speak through it; nothing of the provider knows it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::clock::{Clock, SystemClock};
use idp::random::{Random, SystemRandom};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Private;
use openssl::sha::sha256;
use serde_json::{Map, Value, json};

/// How long a statement is good for.
const SECONDS: i64 = 60;

/// An app on its phone.
#[derive(Clone)]
pub struct Device {
    /// Who it is bound to: a code of any other origin is refused.
    pub issuer: String,
    /// What the provider calls it; empty until it is bound.
    pub id: String,
    key: EcKey<Private>,
}

impl Device {
    pub fn fresh(issuer: &str) -> Result<Device, String> {
        let key = group().and_then(|group| EcKey::generate(&group)).map_err(told)?;
        Ok(Device { issuer: issuer.to_owned(), id: String::new(), key })
    }

    /// As the phone keeps it, before it is sealed.
    pub fn written(&self) -> Result<String, String> {
        let key = URL_SAFE_NO_PAD.encode(self.key.private_key_to_der().map_err(told)?);
        Ok(json!({"issuer": self.issuer, "id": self.id, "key": key}).to_string())
    }

    pub fn read(text: &str) -> Option<Device> {
        let kept: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| kept.get(name)?.as_str();
        let der = URL_SAFE_NO_PAD.decode(text("key")?).ok()?;
        let key = EcKey::private_key_from_der(&der).ok()?;
        Some(Device { issuer: text("issuer")?.to_owned(), id: text("id")?.to_owned(), key })
    }

    /// What a scanned or pasted code holds, when it is our provider's.
    pub fn understood<'a>(&self, payload: &'a str) -> Option<&'a str> {
        payload.trim().strip_prefix(&format!("{}/app#", self.issuer)).filter(|rest| !rest.is_empty())
    }

    pub fn binding(&self, code: &str, name: &str) -> Result<String, String> {
        let header = json!({"alg": "ES256", "typ": "vneid-app+jwt", "jwk": self.public()?});
        self.signed(&header, &self.claims("bind", json!({"code": code, "name": name}))?)
    }

    /// A statement about a ticket.
    pub fn statement(&self, act: &str, said: Value) -> Result<String, String> {
        let header = json!({"alg": "ES256", "typ": "vneid-app+jwt", "kid": self.id});
        self.signed(&header, &self.claims(act, said)?)
    }

    /// The claims every statement has, and these.
    pub fn claims(&self, act: &str, said: Value) -> Result<Value, String> {
        let now = SystemClock.now().unix();
        let random: &dyn Random = &SystemRandom;
        let jti = random.text().map_err(|fault| fault.to_string())?;
        let mut claims: Map<String, Value> = Map::new();
        for part in [json!({"aud": self.issuer, "act": act, "iat": now, "exp": now + SECONDS, "jti": jti}), said] {
            if let Value::Object(members) = part {
                claims.extend(members);
            }
        }
        Ok(Value::Object(claims))
    }

    /// RFC 7515 §3.1 with ES256 (RFC 7518 §3.4).
    pub fn signed(&self, header: &Value, claims: &Value) -> Result<String, String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = EcdsaSig::sign(&sha256(signed.as_bytes()), &self.key).map_err(told)?;
        let halves = [signature.r().to_vec_padded(32), signature.s().to_vec_padded(32)];
        let [r, s] = halves;
        let signature = [r.map_err(told)?, s.map_err(told)?].concat();
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The public half as a JWK.
    pub fn public(&self) -> Result<Value, String> {
        let (x, y) = self.point().map_err(told)?;
        Ok(json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)}))
    }

    fn point(&self) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
        let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
        self.key.public_key().affine_coordinates(&*group()?, &mut x, &mut y, &mut context)?;
        Ok((x.to_vec_padded(32)?, y.to_vec_padded(32)?))
    }
}

fn group() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)
}

fn told(error: ErrorStack) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_foreign_codes_do_not() {
        let mut device = Device::fresh("https://id.gov.vn").unwrap();
        device.id = "d".to_owned();
        let again = Device::read(&device.written().unwrap()).unwrap();
        assert_eq!(again.public().unwrap(), device.public().unwrap());
        assert_eq!((again.id.as_str(), again.issuer.as_str()), ("d", "https://id.gov.vn"));
        assert_eq!(device.understood(" https://id.gov.vn/app#abc\n"), Some("abc"));
        for foreign in
            ["", "abc", "https://id.gov.vn/app#", "https://id.gov.vn.evil/app#abc", "http://id.gov.vn/app#abc"]
        {
            assert_eq!(device.understood(foreign), None, "{foreign}");
        }
        assert!(Device::read("{}").is_none());
    }
}
