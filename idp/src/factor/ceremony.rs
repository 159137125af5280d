//! What an authenticator and a browser say, held to WebAuthn Level 3 §7.1 and §7.2 where it takes no key to do so. The
//! library that verifies signatures is asked afterwards; steps it leaves to its caller are taken here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::cbor;

/// Why an answer is refused, as the log and the trail name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// WebAuthn §7.1 step 25: no credential id is longer.
const LONGEST_ID: usize = 1023;
/// WebAuthn §4, "Credential ID": at least 16 bytes.
const SHORTEST_ID: usize = 16;
/// rpIdHash, flags and signature counter (§6.1).
const FIXED: usize = 37;

const ATTESTED: u8 = 0x40;
const EXTENDED: u8 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Create,
    Get,
}

/// What the browser says it signed for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<Value>,
    #[serde(default)]
    top_origin: Option<Value>,
}

/// §7.1 steps 7-11 and §7.2 steps 10-14 but for the challenge: the ceremony was of this kind, on our own page, and that
/// page in no frame. Our pages may not be framed, so nothing but ours is ever on top.
pub fn client_data(json: &[u8], kind: Kind, origin: &str) -> Result<(), Refused> {
    let data: ClientData = serde_json::from_slice(json).map_err(|_| Refused("client_data"))?;
    let wanted = if kind == Kind::Create { "webauthn.create" } else { "webauthn.get" };
    if data.kind != wanted {
        return Err(Refused("type"));
    }
    if data.origin != origin {
        return Err(Refused("origin"));
    }
    if !matches!(data.cross_origin, None | Some(Value::Bool(false))) {
        return Err(Refused("cross_origin"));
    }
    // Any at all: a page of ours is never inside another's.
    if data.top_origin.is_some() {
        return Err(Refused("top_origin"));
    }
    Ok(())
}

/// Authenticator data (§6.1), every byte of it accounted for.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthenticatorData<'a> {
    flags: u8,
    pub sign_count: u32,
    /// In a registration.
    pub credential: Option<&'a [u8]>,
}

impl<'a> AuthenticatorData<'a> {
    pub fn parse(bytes: &'a [u8], kind: Kind) -> Result<Self, Refused> {
        let (fixed, mut rest) = bytes.split_at_checked(FIXED).ok_or(Refused("auth_data"))?;
        let (Some(flags), Some(count)) = (fixed.get(32).copied(), fixed.get(33..37)) else {
            return Err(Refused("auth_data"));
        };
        let sign_count = count.iter().fold(0, |value, byte| (value << 8) | u32::from(*byte));
        let mut credential = None;
        if (flags & ATTESTED != 0) != (kind == Kind::Create) {
            return Err(Refused("auth_data"));
        }
        if kind == Kind::Create {
            let (id, after) = attested(rest)?;
            (credential, rest) = (Some(id), after);
        }
        if flags & EXTENDED != 0 {
            rest = cbor::first(rest).ok_or(Refused("auth_data"))?.1;
        }
        if !rest.is_empty() {
            return Err(Refused("trailing_bytes"));
        }
        let data = Self { flags, sign_count, credential };
        // §6.1.3: nothing is backed up that cannot be.
        if data.backed_up() && !data.synced() { Err(Refused("backup_state")) } else { Ok(data) }
    }

    /// BE: it may be on several devices.
    pub const fn synced(&self) -> bool {
        self.flags & 0x08 != 0
    }

    /// BS: it is on several at present.
    pub const fn backed_up(&self) -> bool {
        self.flags & 0x10 != 0
    }
}

/// §6.5.1: AAGUID, the credential's id, its key.
fn attested(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refused> {
    let cut = Refused("auth_data");
    let (head, rest) = bytes.split_at_checked(18).ok_or(cut)?;
    let length = head.iter().skip(16).fold(0, |value, byte| (value << 8) | usize::from(*byte));
    if !(SHORTEST_ID..=LONGEST_ID).contains(&length) {
        return Err(Refused("credential_id_length"));
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(cut)?;
    let (_, rest) = cbor::first(rest).ok_or(cut)?;
    Ok((id, rest))
}

/// §6.5.4: an attestation object of a form we take. Asked for none, a browser sends none, or what a self-attesting device
/// made without a certificate.
pub fn attestation(object: &[u8]) -> Result<&[u8], Refused> {
    let members = cbor::map(object).ok_or(Refused("attestation_object"))?;
    let member = |name: &str| members.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    if members.len() != 3 {
        return Err(Refused("attestation_object"));
    }
    match member("fmt").and_then(cbor::text) {
        Some("none" | "packed") => {}
        _ => return Err(Refused("attestation_format")),
    }
    member("attStmt").ok_or(Refused("attestation_object"))?;
    member("authData").and_then(cbor::bytes).ok_or(Refused("attestation_object"))
}

/// A credential's id in the text it is sent and compared in.
pub fn text_of(id: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// The two ways a browser writes a credential's id are one (§5.1).
pub fn same_id(id: &str, raw: &[u8], kind: &str) -> Result<(), Refused> {
    if kind != "public-key" || raw.is_empty() || raw.len() > LONGEST_ID || text_of(raw) != id {
        return Err(Refused("credential_id"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "ceremony_tests.rs"]
mod tests;
