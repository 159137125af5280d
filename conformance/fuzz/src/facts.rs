//! Small facts in headers and forms: levels, numbers, cookies, certificates and their names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use idp::domain::PersonNumber;
use idp::domain::level::Acr;
use idp::domain::person_number::mask;
use idp::domain::secret::{SessionCookie, Stored};
use idp::keys::certificate::{Sent, of_header, read};
use idp::protocol::name;
use idp::web::cookie as cookies;
use sha2::{Digest, Sha256};

use crate::made::text;

pub fn acr_values(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for value in text.split(' ') {
        match Acr::parse(value) {
            Some(acr) => assert_eq!(acr.urn(), value),
            None => assert!(Acr::ALL.iter().all(|acr| acr.urn() != value)),
        }
    }
}

/// One number has one form, and never shows in a log.
pub fn person_number(input: &[u8]) {
    let Some(text) = text(input) else { return };
    assert_eq!(mask(text).chars().count(), text.chars().count());
    let Some(number) = PersonNumber::parse(text) else { return };
    assert!(number.reveal().len() == 12 && number.reveal().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(PersonNumber::parse(number.reveal()).as_ref(), Some(&number));
    assert!(!format!("{number} {number:?}").contains(number.reveal()));
}

/// What is found was sent exactly once and is one of the values we hand out; it is never kept as it is.
pub fn cookie(input: &[u8]) {
    let Some(text) = text(input) else { return };
    for name in [cookies::SESSION, cookies::BROWSER, cookies::DEVICE, cookies::STATE] {
        let Some(value) = cookies::find(text.split('\n'), name) else { continue };
        assert!((43..=256).contains(&value.len()) && !value.contains([';', ' ', ',', '"', '=']));
        let named = |pair: &&str| pair.trim().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
        assert_eq!(text.split(['\n', ';']).filter(named).count(), 1, "planted beside another");
        assert!(!Stored::<SessionCookie>::of(value).as_str().contains(value));
    }
}

/// The certificate of a trusted proxy's header: never a panic, and a name for exactly the bytes that were sent.
pub fn certificate_header(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Some(der) = of_header(text) else { return };
    assert_eq!(of_header(&format!(":{}:", STANDARD.encode(&der))).as_ref(), Some(&der));
    let print = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(&der));
    if let Ok(certificate) = read(&Sent { leaf: der.clone(), chain: vec![der] }, None) {
        assert!(certificate.thumbprint == print && !certificate.is_issued);
    }
}

/// RFC 4514: a name is itself, whatever its case, and an empty one is nobody's.
pub fn distinguished_name(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let (one, other) = text.split_once('\n').unwrap_or((text, text));
    let (Ok(one), Ok(other)) = (name::parse(one), name::parse(other)) else { return };
    assert_eq!(name::is_same(&one, &one), !one.is_empty());
    assert_eq!(name::is_same(&one, &other), name::is_same(&other, &one), "in both directions");
}
