//! Client certificates: read once for each connection into plain facts, and traced to the authorities the operator
//! trusts for clients. What follows from the facts is `protocol`'s.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use josekit::jwk::Jwk;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::ssl::SslFiletype;
use openssl::stack::Stack;
use openssl::x509::store::{X509Lookup, X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509ExtendedKeyUsage, X509PurposeId, X509Ref, X509StoreContext};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ROOM, jwk, name};
use crate::domain::certificate::ClientCertificate;
use crate::domain::{Fault, Moment};

/// A certificate as it is sent, and those sent along to trace it by, in DER.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub leaf: Vec<u8>,
    pub chain: Vec<Vec<u8>>,
}

/// The authorities trusted to issue certificates for clients, as last read well.
pub struct Authorities {
    certificates: PathBuf,
    /// What they revoked, where the operator has it checked.
    revoked: Option<PathBuf>,
    current: RwLock<Trusted>,
    read_at: Mutex<Stamp>,
}

struct Trusted {
    store: X509Store,
    /// Grows with every change, so that what was judged by an older one is judged again.
    edition: u64,
}

impl Authorities {
    /// Reads a file of one or more certificates in PEM, and one of revocation lists.
    pub fn open(certificates: &Path, revoked: Option<&Path>) -> Result<Authorities, Fault> {
        let stamp = stamp(certificates, revoked);
        let store = Self::read(certificates, revoked)?;
        Ok(Authorities {
            certificates: certificates.to_owned(),
            revoked: revoked.map(Path::to_owned),
            current: RwLock::new(Trusted { store, edition: 0 }),
            read_at: Mutex::new(stamp),
        })
    }

    /// Reads the files again if they changed. On an error what was read before goes on being trusted; a revocation list
    /// of it ends by its own date.
    pub fn refresh(&self) -> Result<bool, Fault> {
        let found = stamp(&self.certificates, self.revoked.as_deref());
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        if *read_at == found {
            return Ok(false);
        }
        *read_at = found;
        let store = Self::read(&self.certificates, self.revoked.as_deref())?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Trusted { store, edition: current.edition + 1 };
        Ok(true)
    }

    pub fn edition(&self) -> u64 {
        self.current.read().unwrap_or_else(PoisonError::into_inner).edition
    }

    fn read(path: &Path, revoked: Option<&Path>) -> Result<X509Store, Fault> {
        let broken = |reason: &dyn std::fmt::Display| Fault::broken(ROOM, format!("{}: {reason}", path.display()));
        let pem = std::fs::read(path).map_err(|error| broken(&error))?;
        let build = || {
            let mut store = X509StoreBuilder::new()?;
            // RFC 5280 §4.2.1.12: an authority or certificate for another purpose vouches for no client.
            store.set_purpose(X509PurposeId::SSL_CLIENT)?;
            let certificates = X509::stack_from_pem(&pem)?;
            let count = certificates.len();
            for certificate in certificates {
                store.add_cert(certificate)?;
            }
            Ok((store, count))
        };
        let (mut store, count) = build().map_err(|error: ErrorStack| broken(&error))?;
        if count == 0 {
            return Err(broken(&"holds no certificate"));
        }
        if let Some(revoked) = revoked {
            check_revocation(&mut store, revoked)?;
        }
        Ok(store.build())
    }

    fn issued(&self, leaf: &X509Ref, chain: &[Vec<u8>]) -> Result<bool, ErrorStack> {
        let mut others = Stack::new()?;
        for der in chain {
            others.push(X509::from_der(der)?)?;
        }
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let issued = X509StoreContext::new()?.init(&current.store, leaf, &others, |context| context.verify_cert());
        // What OpenSSL leaves behind of a chain that does not hold, the next read of a connection on this thread would
        // take for its own failure.
        drop(ErrorStack::get());
        issued
    }
}

/// RFC 5280 §6.3, of the whole chain: an authority of which no current list is known vouches for nobody.
fn check_revocation(store: &mut X509StoreBuilder, path: &Path) -> Result<(), Fault> {
    let broken = |reason: &dyn std::fmt::Display| Fault::broken(ROOM, format!("{}: {reason}", path.display()));
    let name = path.to_str().filter(|name| !name.contains('\0'));
    let name = name.ok_or_else(|| broken(&"its name is no text"))?;
    let mut read = || {
        store.add_lookup(X509Lookup::file())?.load_crl_file(name, SslFiletype::PEM)?;
        store.set_flags(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL)
    };
    read().map_err(|error: ErrorStack| broken(&error))
}

type Stamp = [Option<SystemTime>; 2];

fn stamp(certificates: &Path, revoked: Option<&Path>) -> Stamp {
    [Some(certificates), revoked].map(|path| std::fs::metadata(path?).ok()?.modified().ok())
}

/// The facts of a certificate. The reason otherwise is for our log.
pub fn read(sent: &Sent, authorities: Option<&Authorities>) -> Result<ClientCertificate, String> {
    let told = |error: ErrorStack| error.to_string();
    let leaf = X509::from_der(&sent.leaf).map_err(told)?;
    let subject = leaf.subject_name().to_der().map_err(told)?;
    let key = leaf.public_key().map_err(told)?;
    let issued = authorities.map(|authorities| authorities.issued(&leaf, &sent.chain)).transpose();
    let mut certificate = ClientCertificate {
        thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&sent.leaf)),
        subject: name::read(&subject).ok_or("its subject is no name")?,
        dns: Vec::new(),
        uris: Vec::new(),
        ips: Vec::new(),
        emails: Vec::new(),
        jkt: thumbprint(&key),
        not_before: moment(leaf.not_before()).map_err(told)?,
        not_after: moment(leaf.not_after()).map_err(told)?,
        unfit: unfit(&leaf, &key),
        is_issued: issued.ok().flatten().unwrap_or(false),
    };
    for other in leaf.subject_alt_names().iter().flatten() {
        certificate.dns.extend(other.dnsname().map(str::to_owned));
        certificate.uris.extend(other.uri().map(str::to_owned));
        certificate.emails.extend(other.email().map(str::to_owned));
        certificate.ips.extend(other.ipaddress().and_then(address));
    }
    Ok(certificate)
}

/// A certificate in a proxy's header: RFC 9440 §2.1 (`:base64:`), or PEM with percent escapes, as nginx and others send.
pub fn of_header(value: &str) -> Option<Vec<u8>> {
    if let Some(encoded) = value.strip_prefix(':') {
        return STANDARD.decode(encoded.strip_suffix(':')?).ok();
    }
    let pem = unescaped(value)?;
    let [one] = X509::stack_from_pem(&pem).ok()?.try_into().ok()?;
    let one: X509 = one;
    one.to_der().ok()
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(plain)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four: Option<[u8; 4]> = bytes.try_into().ok();
    let sixteen: Option<[u8; 16]> = bytes.try_into().ok();
    four.map(IpAddr::from).or(sixteen.map(IpAddr::from))
}

fn moment(time: &Asn1TimeRef) -> Result<Moment, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(Moment::from_unix(i64::from(since.days) * 86_400 + i64::from(since.secs)))
}

/// `security.md` MT-04.
fn unfit(leaf: &X509Ref, key: &PKey<Public>) -> Option<&'static str> {
    let strong = match key.id() {
        Id::RSA | Id::RSA_PSS => key.bits() >= 2048,
        Id::EC => key.bits() >= 256,
        Id::ED25519 => true,
        _ => false,
    };
    if !strong {
        return Some("its key is weak");
    }
    // RFC 5280 §4.2.1.12: without the extension any purpose will do.
    let purposes = leaf.extended_key_usage();
    let wrong = purposes.is_some_and(|purposes| !purposes.contains(X509ExtendedKeyUsage::SSL_CLIENT));
    wrong.then_some("it is not for TLS clients")
}

/// RFC 7638, for the kinds of key a client may register.
fn thumbprint(key: &PKey<Public>) -> Option<String> {
    let text = |bytes: Vec<u8>| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    let members = match key.id() {
        Id::RSA => {
            let rsa = key.rsa().ok()?;
            vec![("kty", "RSA".into()), ("n", text(rsa.n().to_vec())), ("e", text(rsa.e().to_vec()))]
        }
        Id::EC => {
            let ec = key.ec_key().ok()?;
            if ec.group().curve_name() != Some(Nid::X9_62_PRIME256V1) {
                return None;
            }
            let (mut x, mut y) = (BigNum::new().ok()?, BigNum::new().ok()?);
            let mut context = BigNumContext::new().ok()?;
            ec.public_key().affine_coordinates(ec.group(), &mut x, &mut y, &mut context).ok()?;
            let (x, y) = (x.to_vec_padded(32).ok()?, y.to_vec_padded(32).ok()?);
            vec![("kty", "EC".into()), ("crv", "P-256".into()), ("x", text(x)), ("y", text(y))]
        }
        Id::ED25519 => {
            let x = key.raw_public_key().ok()?;
            vec![("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", text(x))]
        }
        _ => return None,
    };
    let members: Map<String, Value> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    jwk::thumbprint(&Jwk::from_map(members).ok()?)
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
