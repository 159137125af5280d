//! Compact JWS as a stranger sends it, taken apart with nothing forgiven (`security.md` 2.18).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;

/// Header members that would have us fetch, trust, inflate or understand something the sender chose.
const REFUSED: [&str; 7] = ["crit", "b64", "zip", "jku", "x5u", "x5c", "jwk"];

pub(super) struct Compact<'a> {
    pub header: Map<String, Value>,
    /// What the signature covers.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    payload: &'a str,
}

impl<'a> Compact<'a> {
    pub fn parse(jwt: &'a str, longest: usize) -> Result<Self, String> {
        Self::parse_refusing(jwt, longest, &REFUSED)
    }

    /// For a JWT whose own header holds the key to check (RFC 9449 §4.2).
    pub fn parse_holding_key(jwt: &'a str, longest: usize) -> Result<Self, String> {
        let refused: Vec<&str> = REFUSED.into_iter().filter(|name| *name != "jwk").collect();
        Self::parse_refusing(jwt, longest, &refused)
    }

    fn parse_refusing(jwt: &'a str, longest: usize, refused: &[&str]) -> Result<Self, String> {
        if jwt.len() > longest {
            return Err(format!("longer than {longest} bytes"));
        }
        let (signed, signature) = jwt.rsplit_once('.').ok_or("not three parts")?;
        let (header, payload) = signed.split_once('.').ok_or("not three parts")?;
        if payload.contains('.') {
            return Err("not three parts".to_owned());
        }
        let header = json::object(&decode(header)?)?;
        if let Some(name) = refused.iter().find(|name| header.contains_key(**name)) {
            return Err(format!("header member {name} is refused"));
        }
        Ok(Self { header, signed, signature: decode(signature)?, payload })
    }

    pub fn member(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub fn claims(&self) -> Result<Map<String, Value>, String> {
        json::object(&decode(self.payload)?)
    }
}

/// Only the one canonical spelling: no padding, no other alphabet, no stray bits in the last character.
fn decode(part: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| "not canonical base64url".to_owned())
}
