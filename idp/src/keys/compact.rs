//! Compact JWS as a stranger sends it, taken apart with nothing forgiven (`security.md` 2.18).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;

/// Header members that would have us fetch, trust, inflate or understand something the sender chose.
const REFUSED: [&str; 7] = ["crit", "b64", "zip", "jku", "x5u", "x5c", "jwk"];

pub(super) struct Compact<'a> {
    pub header: Map<String, Value>,
    pub parts: Parts<'a>,
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    pub fn parse(jwt: &'a str, longest: usize) -> Result<Self, String> {
        let parts = Parts::of(jwt, longest)?;
        let header = header(parts.header, &REFUSED)?;
        Ok(Self { header, signature: parts.signature()?, parts })
    }

    pub fn member(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub fn claims(&self) -> Result<Map<String, Value>, String> {
        self.parts.claims()
    }
}

/// Its three parts as they stand.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub header: &'a str,
    /// What the signature covers.
    pub signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    pub fn of(jwt: &'a str, longest: usize) -> Result<Self, String> {
        if jwt.len() > longest {
            return Err(format!("longer than {longest} bytes"));
        }
        let (signed, signature) = jwt.rsplit_once('.').ok_or("not three parts")?;
        let (header, payload) = signed.split_once('.').ok_or("not three parts")?;
        if payload.contains('.') {
            return Err("not three parts".to_owned());
        }
        Ok(Self { header, signed, payload, signature })
    }

    pub fn claims(&self) -> Result<Map<String, Value>, String> {
        json::object(&decode(self.payload)?)
    }

    pub fn signature(&self) -> Result<Vec<u8>, String> {
        decode(self.signature)
    }
}

/// The header of a JWT that holds the key to check in it (RFC 9449 §4.2).
pub(super) fn header_holding_key(part: &str) -> Result<Map<String, Value>, String> {
    let refused: Vec<&str> = REFUSED.into_iter().filter(|name| *name != "jwk").collect();
    header(part, &refused)
}

fn header(part: &str, refused: &[&str]) -> Result<Map<String, Value>, String> {
    let header = json::object(&decode(part)?)?;
    match refused.iter().find(|name| header.contains_key(**name)) {
        Some(name) => Err(format!("header member {name} is refused")),
        None => Ok(header),
    }
}

/// Only the one canonical spelling: no padding, no other alphabet, no stray bits in the last character.
fn decode(part: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| "not canonical base64url".to_owned())
}
