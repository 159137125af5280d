//! Passkeys (WebAuthn): what a browser is asked, and whether what it answers is a passkey's. The library verifies
//! challenge, relying party, presence, verification, key and signature; `ceremony` holds the answer to the rest first.
//!
//! ECDSA signatures are taken in both of their forms (`security.md` LG-26): WebAuthn prescribes neither, and as each
//! challenge is answered once, a signature written the other way proves nothing twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
};

use super::ceremony::{self, AuthenticatorData, Kind, Refused};
use crate::domain::Fault;

const ROOM: &str = "factor";
/// The name authenticators show for us.
const NAME: &str = "VNeID";
/// An answer is never longer: the longest ids and a self-attestation take less than half.
const LONGEST: usize = 12 * 1024;

/// The relying party of the configured issuer.
#[derive(Debug)]
pub struct Passkeys {
    webauthn: Webauthn,
    origin: String,
}

/// A browser's part of a ceremony: the options it is given, and what we keep until it answers.
#[derive(Debug)]
pub struct Begun {
    pub options: Value,
    pub state: String,
}

/// Whose passkey is being made, as the authenticator will show and remember it.
#[derive(Debug)]
pub struct Owner<'a> {
    /// A random value, neither a number nor a `sub`.
    pub handle: &'a str,
    /// The masked person number.
    pub name: &'a str,
    pub display_name: &'a str,
}

/// A passkey just made.
#[derive(Debug)]
pub struct Made {
    /// The credential's id, in base64url.
    pub credential: String,
    pub synced: bool,
    pub sign_count: u32,
    /// What its signatures are verified with.
    pub kept: String,
}

/// An answer whose form is right; nothing of it is proved yet.
#[derive(Debug)]
pub struct Presented {
    answer: PublicKeyCredential,
    /// The credential's id, in base64url.
    pub credential: String,
    /// Which account the passkey says it is for.
    pub handle: Option<String>,
    synced: bool,
}

/// A passkey that was proved.
#[derive(Debug)]
pub struct Proved {
    pub sign_count: u32,
    /// What is kept of it from now on.
    pub kept: String,
}

impl Passkeys {
    /// `None` where the issuer's host is an address: WebAuthn knows names only.
    pub fn of(issuer: &str) -> Option<Passkeys> {
        let origin = Url::parse(issuer).ok()?;
        let host = origin.domain()?.to_owned();
        let webauthn = WebauthnBuilder::new(&host, &origin).ok()?.rp_name(NAME).build().ok()?;
        Some(Passkeys { webauthn, origin: issuer.to_owned() })
    }

    /// A value for `Owner::handle`.
    pub fn handle(random: [u8; 16]) -> String {
        Uuid::from_bytes(random).to_string()
    }

    /// Asks for a new passkey on a device that has none of `known`.
    pub fn begin_registration(&self, owner: &Owner<'_>, known: &[String]) -> Result<Begun, Fault> {
        let handle = Uuid::try_parse(owner.handle).map_err(|error| Fault::broken(ROOM, error))?;
        let known = known.iter().map(|id| credential_id(id)).collect::<Result<Vec<_>, _>>()?;
        let started = self.webauthn.start_passkey_registration(handle, owner.name, owner.display_name, Some(known));
        let (options, state) = started.map_err(|error| Fault::broken(ROOM, error))?;
        let mut options = member(&json_of(&options)?);
        // Signing in without a number needs a passkey the device finds by itself.
        if let Some(selection) = options.get_mut("authenticatorSelection").and_then(Value::as_object_mut) {
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
        }
        Ok(Begun { options, state: json_of(&state)?.to_string() })
    }

    /// WebAuthn §7.1. Whether the credential is somebody's already is asked where it is stored.
    pub fn finish_registration(&self, answer: &str, state: &str) -> Result<Made, Refused> {
        let answer: RegisterPublicKeyCredential = parsed(answer)?;
        ceremony::same_id(&answer.id, &answer.raw_id, &answer.type_)?;
        ceremony::client_data(&answer.response.client_data_json, Kind::Create, &self.origin)?;
        let data = ceremony::attestation(&answer.response.attestation_object)?;
        let data = AuthenticatorData::parse(data, Kind::Create)?;
        if data.credential != Some(answer.raw_id.as_slice()) {
            return Err(Refused("credential_id"));
        }
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(|_| Refused("state"))?;
        let made = self.webauthn.finish_passkey_registration(&answer, &state).map_err(|_| Refused("not_verified"))?;
        Ok(Made {
            credential: ceremony::text_of(&answer.raw_id),
            synced: data.synced(),
            sign_count: data.sign_count,
            kept: json_of(&made).map_err(|_| Refused("not_kept"))?.to_string(),
        })
    }

    /// Asks for a proof: by any of `allowed`, or, when none is named, by whichever passkey the device has for us.
    pub fn begin_proof(&self, allowed: &[String]) -> Result<Begun, Fault> {
        let started = self.webauthn.start_discoverable_authentication();
        let (options, state) = started.map_err(|error| Fault::broken(ROOM, error))?;
        let mut options = member(&json_of(&options)?);
        let allowed: Vec<Value> = allowed.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
        if let Some(options) = options.as_object_mut() {
            options.remove("extensions");
            options.insert("allowCredentials".to_owned(), Value::Array(allowed));
        }
        Ok(Begun { options, state: json_of(&state)?.to_string() })
    }

    /// The form of an answer: everything that can be said of it before its passkey is looked up.
    pub fn presented(&self, answer: &str) -> Result<Presented, Refused> {
        let answer: PublicKeyCredential = parsed(answer)?;
        ceremony::same_id(&answer.id, &answer.raw_id, &answer.type_)?;
        ceremony::client_data(&answer.response.client_data_json, Kind::Get, &self.origin)?;
        let synced = AuthenticatorData::parse(&answer.response.authenticator_data, Kind::Get)?.synced();
        let handle = match answer.response.user_handle.as_deref() {
            None | Some([]) => None,
            Some(handle) => Some(Uuid::from_slice(handle).map_err(|_| Refused("user_handle"))?.to_string()),
        };
        Ok(Presented { credential: ceremony::text_of(&answer.raw_id), handle, synced, answer })
    }

    /// WebAuthn §7.2 for the passkey the answer names.
    pub fn prove(&self, presented: &Presented, state: &str, kept: &str) -> Result<Proved, Refused> {
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(|_| Refused("state"))?;
        let mut passkey: Passkey = serde_json::from_str(kept).map_err(|_| Refused("kept"))?;
        let key = DiscoverableKey::from(&passkey);
        let proved = self.webauthn.finish_discoverable_authentication_v2(&presented.answer, state, key);
        let proved = proved.map_err(|_| Refused("not_verified"))?;
        if !proved.user_verified() {
            return Err(Refused("not_verified"));
        }
        // §7.2 step 21: where it is kept may change, whether it may be kept elsewhere never does.
        if proved.backup_eligible() != presented.synced {
            return Err(Refused("backup_eligibility"));
        }
        passkey.update_credential(&proved);
        Ok(Proved {
            sign_count: proved.counter(),
            kept: json_of(&passkey).map_err(|_| Refused("not_kept"))?.to_string(),
        })
    }

    /// The id of a kept passkey, in base64url.
    pub fn credential(kept: &str) -> Result<String, Fault> {
        let passkey: Passkey = serde_json::from_str(kept).map_err(|_| Fault::broken(ROOM, "a kept passkey"))?;
        Ok(ceremony::text_of(passkey.cred_id()))
    }
}

fn parsed<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Refused> {
    if answer.len() > LONGEST {
        return Err(Refused("too_long"));
    }
    // What a member given twice means depends on who reads it.
    let unique: Unique = serde_json::from_str(answer).map_err(|_| Refused("malformed"))?;
    serde_json::from_value(unique.0).map_err(|_| Refused("malformed"))
}

/// JSON whose objects name each member once.
struct Unique(Value);

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(Unique)
    }
}

struct Members;

impl<'de> serde::de::Visitor<'de> for Members {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut seen, mut object) = (BTreeSet::new(), serde_json::Map::new());
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if !seen.insert(name.clone()) {
                return Err(serde::de::Error::custom("a member stands twice"));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

fn credential_id(text: &str) -> Result<CredentialID, Fault> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
    bytes.map_err(|error| Fault::broken(ROOM, error))
}

fn json_of(value: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value).map_err(|error| Fault::broken(ROOM, error))
}

/// What `navigator.credentials` takes as `publicKey`.
fn member(options: &Value) -> Value {
    options.get("publicKey").cloned().unwrap_or_default()
}
