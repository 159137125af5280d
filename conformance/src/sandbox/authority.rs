//! Authority: the sandbox's own certificate authority, the server's certificate and those of the sample clients. They are
//! made once, kept in `DIR/tls`, and made anew a month before they end.

use std::fs;
use std::path::{Path, PathBuf};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder, X509Ref};

use super::clients::READER;
use super::setup::{directory, private_file};

/// The certificate that browsers and libraries trust the rest by.
const AUTHORITY: &str = "ca";
pub const SERVER: &str = "server";

/// What every certificate here says it is of.
const ORGANISATION: &str = "Sandbox";

const AUTHORITY_DAYS: u32 = 3650;
/// Some programs take no server's certificate of a longer life.
const DAYS: u32 = 397;
const RENEWED_DAYS_BEFORE: u32 = 30;

/// Where they are kept.
#[derive(Clone, Debug)]
pub struct Certificates(PathBuf);

impl Certificates {
    pub fn of(directory: &Path) -> Certificates {
        Certificates(directory.join("tls"))
    }

    pub fn authority(&self) -> PathBuf {
        self.certificate(AUTHORITY)
    }

    pub fn certificate(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.pem"))
    }

    pub fn key(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.key"))
    }

    /// Makes what is missing.
    pub fn complete(&self) -> Result<(), String> {
        directory(&self.0)?;
        let told = |error: ErrorStack| format!("certificates: {error}");
        let authority = match self.kept(AUTHORITY) {
            Some(kept) => kept,
            None => self.keep(AUTHORITY, authority().map_err(told)?)?,
        };
        for (name, purpose) in [(SERVER, Purpose::Server), (READER, Purpose::Client)] {
            let issued = |kept: &Certified| kept.certificate.verify(&authority.key).unwrap_or(false);
            if !self.kept(name).is_some_and(|kept| issued(&kept)) {
                self.keep(name, issue(&authority, name, purpose).map_err(told)?)?;
            }
        }
        Ok(())
    }

    /// What can still be used for a while.
    fn kept(&self, name: &str) -> Option<Certified> {
        let certificate = X509::from_pem(&fs::read(self.certificate(name)).ok()?).ok()?;
        let key = PKey::private_key_from_pem(&fs::read(self.key(name)).ok()?).ok()?;
        let soon = Asn1Time::days_from_now(RENEWED_DAYS_BEFORE).ok()?;
        let lasts = *certificate.not_after() > *soon;
        let matches = certificate.public_key().is_ok_and(|public| public.public_eq(&key));
        (lasts && matches).then_some(Certified { certificate, key })
    }

    fn keep(&self, name: &str, made: Certified) -> Result<Certified, String> {
        let told = |error: ErrorStack| format!("certificates: {error}");
        private_file(&self.key(name), &made.key.private_key_to_pem_pkcs8().map_err(told)?)?;
        private_file(&self.certificate(name), &made.certificate.to_pem().map_err(told)?)?;
        Ok(made)
    }
}

/// The subject a sample client is registered by (RFC 4514).
pub fn subject(client: &str) -> String {
    format!("CN={client},O={ORGANISATION}")
}

struct Certified {
    certificate: X509,
    key: PKey<Private>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Server,
    Client,
}

fn authority() -> Result<Certified, ErrorStack> {
    let (key, name) = (curve_key()?, name("Sandbox CA")?);
    let mut builder = begun(&name, &name, &key, AUTHORITY_DAYS)?;
    builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
    signed(builder, None, key)
}

fn issue(authority: &Certified, subject: &str, purpose: Purpose) -> Result<Certified, ErrorStack> {
    let key = match purpose {
        // With another kind of key TLS 1.2 would not be spoken (`protocol.md` 1.4).
        Purpose::Server => PKey::from_rsa(Rsa::generate(2048)?)?,
        Purpose::Client => curve_key()?,
    };
    let mut builder = begun(&name(subject)?, authority.certificate.subject_name(), &key, DAYS)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    let mut usage = ExtendedKeyUsage::new();
    let usage = if purpose == Purpose::Server { usage.server_auth() } else { usage.client_auth() };
    builder.append_extension(usage.build()?)?;
    if purpose == Purpose::Server {
        let mut names = SubjectAlternativeName::new();
        let names = names.dns("localhost").ip("127.0.0.1").build(&builder.x509v3_context(None, None))?;
        builder.append_extension(names)?;
    }
    signed(builder, Some(authority), key)
}

fn begun(
    subject: &X509Name,
    issuer: &openssl::x509::X509NameRef,
    key: &PKeyRef<Private>,
    days: u32,
) -> Result<X509Builder, ErrorStack> {
    let mut serial = BigNum::new()?;
    // RFC 5280 §4.1.2.2: positive, and of no more than 20 octets.
    serial.rand(127, MsbOption::ONE, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&serial)?)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(days)?)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn signed(mut builder: X509Builder, by: Option<&Certified>, key: PKey<Private>) -> Result<Certified, ErrorStack> {
    let issuer: Option<&X509Ref> = by.map(|by| &*by.certificate);
    let own = SubjectKeyIdentifier::new().build(&builder.x509v3_context(issuer, None))?;
    builder.append_extension(own)?;
    if by.is_some() {
        let issuers = AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(issuer, None))?;
        builder.append_extension(issuers)?;
    }
    builder.sign(by.map_or(&key, |by| &by.key), MessageDigest::sha256())?;
    Ok(Certified { certificate: builder.build(), key })
}

fn curve_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn name(common: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, ORGANISATION)?;
    name.append_entry_by_nid(Nid::COMMONNAME, common)?;
    Ok(name.build())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(kept: &Certificates) -> [Vec<u8>; 3] {
        [AUTHORITY, SERVER, READER].map(|name| fs::read(kept.certificate(name)).unwrap())
    }

    #[test]
    fn certificates_are_made_once_and_again_only_where_one_is_missing_or_foreign() {
        let (place, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (kept, elsewhere) = (Certificates::of(place.path()), Certificates::of(other.path()));
        kept.complete().unwrap();
        let first = read(&kept);
        kept.complete().unwrap();
        assert_eq!(read(&kept), first);
        for name in [AUTHORITY, SERVER, READER] {
            assert_eq!(fs::metadata(kept.key(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        fs::remove_file(kept.key(SERVER)).unwrap();
        kept.complete().unwrap();
        let second = read(&kept);
        assert_eq!([second[0] == first[0], second[1] == first[1], second[2] == first[2]], [true, false, true]);

        // Another authority in its place: nothing it did not issue is served.
        elsewhere.complete().unwrap();
        fs::copy(elsewhere.authority(), kept.authority()).unwrap();
        fs::copy(elsewhere.key(AUTHORITY), kept.key(AUTHORITY)).unwrap();
        kept.complete().unwrap();
        let third = read(&kept);
        assert!(third[0] != second[0] && third[1] != second[1] && third[2] != second[2]);
        let authority = X509::from_pem(&third[0]).unwrap();
        for pem in &third {
            assert!(X509::from_pem(pem).unwrap().verify(&authority.public_key().unwrap()).unwrap());
        }
    }
}
