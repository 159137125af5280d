//! Revocation lists of the tests (RFC 5280 §5), as an authority would write them.

use openssl::hash::MessageDigest;
use openssl::sign::Signer;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::certificate::Certified;

/// Long past and far ahead, so that a list is good or expired whenever the tests run.
const PAST: &str = "200101000000Z";
const LATE: &str = "210101000000Z";
const AHEAD: &str = "490101000000Z";

/// A list of an authority with an RSA key, in PEM.
pub fn list(by: &Certified, revoked: &[&Certified], is_current: bool) -> Vec<u8> {
    // sha256WithRSAEncryption
    let algorithm = sequence(&[&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], &[0x05, 0x00]]);
    let name = by.certificate.subject_name().to_der().unwrap();
    let next = if is_current { AHEAD } else { LATE };
    let mut parts = vec![element(0x02, &[1]), algorithm.clone(), name, time(PAST), time(next)];
    let entries: Vec<Vec<u8>> = revoked.iter().map(|one| sequence(&[&serial(one), &time(PAST)])).collect();
    if !entries.is_empty() {
        parts.push(sequence(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    }
    let told = sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut signer = Signer::new(MessageDigest::sha256(), &by.key).unwrap();
    let signature = signer.sign_oneshot_to_vec(&told).unwrap();
    let bits = element(0x03, &[&[0], signature.as_slice()].concat());
    let whole = STANDARD.encode(sequence(&[&told, &algorithm, &bits]));
    let lines: Vec<&str> = whole.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", lines.join("\n")).into_bytes()
}

fn serial(of: &Certified) -> Vec<u8> {
    let mut number = of.certificate.serial_number().to_bn().unwrap().to_vec();
    // DER numbers are signed.
    if number.first().is_none_or(|first| *first >= 0x80) {
        number.insert(0, 0);
    }
    element(0x02, &number)
}

fn time(text: &str) -> Vec<u8> {
    element(0x17, text.as_bytes())
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut whole = vec![tag];
    match content.len() {
        0..128 => whole.push(u8::try_from(content.len()).unwrap()),
        _ => {
            whole.push(0x80 | u8::try_from(length.len()).unwrap());
            whole.extend(length);
        }
    }
    whole.extend_from_slice(content);
    whole
}
