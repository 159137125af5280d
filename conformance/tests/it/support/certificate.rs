//! Certificates of the tests: authorities, servers and clients, right ones and wrong ones.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use serde_json::{Value, json};

use super::{base64url, now};

/// A certificate with its key.
#[derive(Clone)]
pub struct Certified {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// What a certificate says; spoilt on purpose where a test wants it.
pub struct Wanted<'a> {
    /// Attributes of the subject, the most general first.
    pub subject: &'a [(&'a str, &'a str)],
    pub dns: Option<&'a str>,
    pub uri: Option<&'a str>,
    pub is_authority: bool,
    pub for_clients: bool,
    /// Seconds from now.
    pub valid: (i64, i64),
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        let valid = (-60, 3600);
        Self { subject: &[], dns: None, uri: None, is_authority: false, for_clients: true, valid }
    }
}

pub fn rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

pub fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub fn authority(name: &str) -> Certified {
    let wanted = Wanted { subject: &[("CN", name)], is_authority: true, ..Wanted::default() };
    make(rsa_key(), None, &wanted)
}

/// A certificate over a key, by an authority or by itself.
pub fn make(key: PKey<Private>, by: Option<&Certified>, wanted: &Wanted<'_>) -> Certified {
    let mut name = X509NameBuilder::new().unwrap();
    for (kind, value) in wanted.subject {
        name.append_entry_by_text(kind, value).unwrap();
    }
    let name = name.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(u32::try_from(super::next()).unwrap()).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(by.map_or(&*name, |by| by.certificate.subject_name())).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(now() + wanted.valid.0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(now() + wanted.valid.1).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    if wanted.is_authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let mut usage = ExtendedKeyUsage::new();
        if wanted.for_clients {
            usage.client_auth()
        } else {
            usage.server_auth()
        };
        builder.append_extension(usage.build().unwrap()).unwrap();
    }
    if wanted.dns.is_some() || wanted.uri.is_some() {
        let mut other = SubjectAlternativeName::new();
        wanted.dns.map(|dns| other.dns(dns));
        wanted.uri.map(|uri| other.uri(uri));
        let other = other.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(other).unwrap();
    }
    builder.sign(by.map_or(&key, |by| &by.key), MessageDigest::sha256()).unwrap();
    Certified { certificate: builder.build(), key }
}

impl Certified {
    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    /// `x5t#S256` as RFC 8705 §3.1 makes it.
    pub fn thumbprint(&self) -> String {
        base64url(&self.certificate.digest(MessageDigest::sha256()).unwrap())
    }

    /// The key set a client of this RSA key registers.
    pub fn jwks(&self) -> Value {
        let rsa = self.key.rsa().unwrap();
        json!({"keys": [{"kty": "RSA", "n": base64url(&rsa.n().to_vec()), "e": base64url(&rsa.e().to_vec())}]})
    }
}
