//! An authenticator made of software: it answers WebAuthn ceremonies byte by byte, right, or wrong on purpose.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::Private;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::page::{Page, Submission};
use super::{base64url, fresh};

pub const PRESENT: u8 = 0x01;
pub const VERIFIED: u8 = 0x04;
pub const SYNCED: u8 = 0x08;
pub const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

#[derive(Clone)]
pub struct Authenticator {
    pub key: EcKey<Private>,
    pub id: Vec<u8>,
    pub handle: Option<Vec<u8>>,
    pub flags: u8,
    pub count: u32,
    pub origin: String,
}

/// What goes into an answer before it is signed.
pub struct Parts {
    pub client: Value,
    pub rp: String,
    pub flags: u8,
    pub count: u32,
    pub id: Vec<u8>,
    /// The COSE algorithm's CBOR, in a registration.
    pub alg: Vec<u8>,
    pub fmt: String,
    /// Behind everything else in the authenticator data.
    pub tail: Vec<u8>,
}

/// A finished answer.
#[derive(Clone)]
pub struct Said {
    pub client: Vec<u8>,
    /// Authenticator data, or the whole attestation object.
    pub data: Vec<u8>,
    pub signature: Vec<u8>,
    pub id: Vec<u8>,
    pub handle: Option<Vec<u8>>,
}

fn group() -> EcGroup {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()
}

impl Authenticator {
    pub fn new(origin: &str) -> Authenticator {
        Authenticator {
            key: EcKey::generate(&group()).unwrap(),
            id: fresh().into_bytes(),
            handle: None,
            flags: PRESENT | VERIFIED,
            count: 0,
            origin: origin.to_owned(),
        }
    }

    pub fn synced(mut self) -> Authenticator {
        self.flags |= SYNCED | BACKED_UP;
        self
    }

    fn parts(&self, kind: &str, options: &Value) -> Parts {
        let rp = options["rpId"].as_str().or(options["rp"]["id"].as_str()).unwrap();
        Parts {
            client: json!({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false}),
            rp: rp.to_owned(),
            flags: self.flags,
            count: self.count,
            id: self.id.clone(),
            alg: vec![0x26],
            fmt: "none".to_owned(),
            tail: Vec::new(),
        }
    }

    /// Makes a passkey, with these changes to what an honest authenticator would say.
    pub fn make(&mut self, options: &Value, change: impl FnOnce(&mut Parts)) -> Said {
        self.handle = Some(decoded(options["user"]["id"].as_str().unwrap()));
        let mut parts = self.parts("webauthn.create", options);
        parts.flags |= ATTESTED;
        change(&mut parts);
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        self.key.public_key().affine_coordinates(&group(), &mut x, &mut y, &mut context).unwrap();
        let [x, y] = [x, y].map(|part| part.to_vec_padded(32).unwrap());
        let key =
            [&[0xa5, 1, 2, 3][..], &parts.alg, &[0x20, 1, 0x21, 0x58, 0x20], &x, &[0x22, 0x58, 0x20], &y].concat();
        let length = u16::try_from(parts.id.len()).unwrap();
        let data =
            [fixed(&parts), vec![0; 16], length.to_be_bytes().to_vec(), parts.id.clone(), key, parts.tail].concat();
        let fmt = [&[0x60 + u8::try_from(parts.fmt.len()).unwrap()][..], parts.fmt.as_bytes()].concat();
        let long = u16::try_from(data.len()).unwrap().to_be_bytes();
        let object = [&b"\xa3\x63fmt"[..], &fmt, b"\x67attStmt\xa0\x68authData\x59", &long, &data].concat();
        Said {
            client: parts.client.to_string().into_bytes(),
            data: object,
            signature: vec![],
            id: parts.id,
            handle: None,
        }
    }

    /// Proves the passkey, with these changes.
    pub fn prove(&self, options: &Value, change: impl FnOnce(&mut Parts)) -> Said {
        let mut parts = self.parts("webauthn.get", options);
        change(&mut parts);
        let client = parts.client.to_string().into_bytes();
        let data = [fixed(&parts), parts.tail].concat();
        let signature = self.sign(&data, &client);
        Said { client, data, signature, id: parts.id, handle: self.handle.clone() }
    }

    pub fn sign(&self, data: &[u8], client: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest([data, &Sha256::digest(client)].concat());
        EcdsaSig::sign(&digest, &self.key).unwrap().to_der().unwrap()
    }
}

/// The other of the two ways to write one ECDSA signature.
pub fn other_s(signature: &[u8]) -> Vec<u8> {
    let signature = EcdsaSig::from_der(signature).unwrap();
    let (mut order, mut s) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    group().order(&mut order, &mut BigNumContext::new().unwrap()).unwrap();
    s.checked_sub(&order, signature.s()).unwrap();
    EcdsaSig::from_private_components(signature.r().to_owned().unwrap(), s).unwrap().to_der().unwrap()
}

fn fixed(parts: &Parts) -> Vec<u8> {
    [&Sha256::digest(&parts.rp)[..], &[parts.flags], &parts.count.to_be_bytes()].concat()
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

impl Said {
    pub fn json(&self) -> Value {
        let mut response = json!({"clientDataJSON": base64url(&self.client)});
        if self.signature.is_empty() {
            response["attestationObject"] = json!(base64url(&self.data));
        } else {
            response["authenticatorData"] = json!(base64url(&self.data));
            response["signature"] = json!(base64url(&self.signature));
            response["userHandle"] = self.handle.as_ref().map_or(Value::Null, |handle| json!(base64url(handle)));
        }
        let id = base64url(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response})
    }
}

/// The challenge a page hands to the browser.
pub fn options(page: &Page) -> Value {
    let form = page.by_id("passkey").unwrap_or_else(|| panic!("no #passkey on {:?}: {}", page.name(), page.text));
    serde_json::from_str(form.attribute("data-options").unwrap()).unwrap()
}

/// What the page's script posts.
pub fn posted(page: &Page, answer: &Value) -> Submission {
    let button = if page.has("create-passkey") { "create-passkey" } else { "use-passkey" };
    let mut form = page.press(button, &[], &[]);
    form.set("credential", &answer.to_string());
    form
}
