//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether a `code_challenge` has the form of an S256 challenge: 43 base64url characters (RFC 7636 §4.2).
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether a `code_verifier` has the form RFC 7636 §4.1 asks: 43 to 128 unreserved characters.
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Whether the verifier is the one the challenge was made from (RFC 7636 §4.6).
pub fn verifies(challenge: &str, verifier: &str) -> bool {
    is_verifier(verifier) && challenge_of(verifier).as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc7636_appendix_b_example() {
        assert_eq!(challenge_of(VERIFIER), CHALLENGE);
        assert!(verifies(CHALLENGE, VERIFIER));
    }

    #[test]
    fn rfc7636_4_6_wrong_verifier() {
        let long = "a".repeat(129);
        for wrong in ["", "a", &VERIFIER.to_lowercase(), &VERIFIER[..42], CHALLENGE, &long] {
            assert!(!verifies(CHALLENGE, wrong), "{wrong}");
        }
    }

    #[test]
    fn rfc7636_4_1_and_4_2_forms() {
        assert!(is_challenge(CHALLENGE));
        for bad in ["", &CHALLENGE[1..], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", &format!("{CHALLENGE}=")] {
            assert!(!is_challenge(bad), "{bad}");
        }
        assert!(is_verifier(&"~".repeat(128)) && !is_verifier(&" ".repeat(43)));
    }
}
