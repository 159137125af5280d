//! Sealing: envelope encryption of one value for one place.
//!
//! Each value has its own data key; the data key is wrapped by a key derived from the master for the value's place
//! and row, so that no key ever nears the number of messages AES-GCM allows (`security.md` ST-04), and a new master
//! needs to rewrap 32 bytes a value, not the value. Table, column, row and key version are associated data of both
//! layers: a ciphertext moved anywhere else does not open (ST-02).
//!
//! Nonces and data keys are the one randomness that is not an argument: nothing outside may choose or see them.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use openssl::rand::rand_priv_bytes;
use zeroize::Zeroize;

use super::ROOM;
use super::vault::mac;
use crate::domain::Fault;
use crate::domain::secret::Sealed;

/// Layout and master key of a sealed value.
const VERSION: &str = "v1";

const NONCE: usize = 12;
const TAG: usize = 16;
const KEY: usize = 32;
const WRAPPED: usize = KEY + TAG;

pub(super) fn seal(master: &[u8; 32], place: &str, row: &str, plain: &[u8]) -> Result<Sealed, Fault> {
    encrypt(master, place, row, plain).map_err(|error| Fault::broken(ROOM, format!("sealing {place}: {error}")))
}

fn encrypt(master: &[u8; 32], place: &str, row: &str, plain: &[u8]) -> Result<Sealed, ErrorStack> {
    let (mut wrapping, bound) = of_place(master, place, row);
    let mut key = [0; KEY];
    rand_priv_bytes(&mut key)?;
    // One nonce serves both layers: their keys differ, and the data key encrypts nothing else.
    let mut nonce = [0; NONCE];
    rand_priv_bytes(&mut nonce)?;
    let mut text = Vec::with_capacity(NONCE + WRAPPED + plain.len() + TAG);
    text.extend_from_slice(&nonce);
    let cipher = cipher()?;
    let mut context = CipherCtx::new()?;
    for (with, message) in [(&wrapping, key.as_slice()), (&key, plain)] {
        context.encrypt_init(Some(cipher), Some(with), Some(&nonce))?;
        context.cipher_update(bound.as_bytes(), None)?;
        context.cipher_update_vec(message, &mut text)?;
        context.cipher_final_vec(&mut text)?;
        let mut tag = [0; TAG];
        context.tag(&mut tag)?;
        text.extend_from_slice(&tag);
    }
    wrapping.zeroize();
    key.zeroize();
    Ok(Sealed::from_text(format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(text))))
}

pub(super) fn open(master: &[u8; 32], place: &str, row: &str, sealed: &Sealed) -> Result<Vec<u8>, Fault> {
    decrypt(master, place, row, sealed.as_str())
        .ok_or_else(|| Fault::broken(ROOM, format!("{place} of {row} does not open: wrong key, place or bytes")))
}

fn decrypt(master: &[u8; 32], place: &str, row: &str, sealed: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION)?.strip_prefix('.')?).ok()?;
    let (nonce, rest) = bytes.split_at_checked(NONCE)?;
    let (wrapped, rest) = rest.split_at_checked(WRAPPED)?;
    let (mut wrapping, bound) = of_place(master, place, row);
    let cipher = cipher().ok()?;
    let mut context = CipherCtx::new().ok()?;
    let mut unlock = |key: &[u8], sealed: &[u8]| {
        let (text, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
        let mut plain = Vec::with_capacity(text.len() + TAG);
        context.decrypt_init(Some(cipher), Some(key), Some(nonce)).ok()?;
        context.cipher_update(bound.as_bytes(), None).ok()?;
        context.cipher_update_vec(text, &mut plain).ok()?;
        context.set_tag(tag).ok()?;
        context.cipher_final_vec(&mut plain).ok()?;
        Some(plain)
    };
    let key = unlock(&wrapping, wrapped);
    wrapping.zeroize();
    let mut key = key?;
    let plain = unlock(&key, rest);
    key.zeroize();
    plain
}

/// Looked up once: OpenSSL 3 would look it up again at every use, which costs more than a short message does.
fn cipher() -> Result<&'static Cipher, ErrorStack> {
    static AES_256_GCM: OnceLock<Cipher> = OnceLock::new();
    if let Some(cipher) = AES_256_GCM.get() {
        return Ok(cipher);
    }
    let fetched = Cipher::fetch(None, "AES-256-GCM", None)?;
    Ok(AES_256_GCM.get_or_init(|| fetched))
}

/// The wrapping key of a place and row, and what both layers are bound to.
fn of_place(master: &[u8; 32], place: &str, row: &str) -> ([u8; 32], String) {
    (mac(master, &["seal", VERSION, place, row]), format!("{VERSION}\0{place}\0{row}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MASTER: [u8; 32] = [7; 32];

    proptest! {
        #[test]
        fn st_02_opens_in_its_own_place_and_row_only(
            plain in prop::collection::vec(any::<u8>(), 0..200),
            place in "[a-z]{1,8}\\.[a-z]{1,8}", row in "[a-z0-9-]{0,36}",
            other_place in "[a-z]{1,8}\\.[a-z]{1,8}", other_row in "[a-z0-9-]{0,36}",
        ) {
            let sealed = seal(&MASTER, &place, &row, &plain).unwrap();
            prop_assert_eq!(open(&MASTER, &place, &row, &sealed).unwrap(), plain);
            if other_place != place {
                prop_assert!(open(&MASTER, &other_place, &row, &sealed).is_err());
            }
            if other_row != row {
                prop_assert!(open(&MASTER, &place, &other_row, &sealed).is_err());
            }
            prop_assert!(open(&[8; 32], &place, &row, &sealed).is_err());
        }

        #[test]
        fn st_02_any_changed_character_stops_it(plain in prop::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>()) {
            let sealed = seal(&MASTER, "account.phone", "1", &plain).unwrap();
            let mut bytes = sealed.as_str().as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let tampered = Sealed::from_text(String::from_utf8(bytes).unwrap());
            prop_assert!(open(&MASTER, "account.phone", "1", &tampered).is_err());
        }
    }

    #[test]
    fn st_02_layers_of_two_values_do_not_mix() {
        let [one, two] = ["one", "two"].map(|plain| {
            let sealed = seal(&MASTER, "claim.value", "1", plain.as_bytes()).unwrap();
            URL_SAFE_NO_PAD.decode(sealed.as_str().strip_prefix("v1.").unwrap()).unwrap()
        });
        let cut = NONCE + WRAPPED;
        let mixed = [&one[..cut], &two[cut..]].concat();
        let mixed = Sealed::from_text(format!("v1.{}", URL_SAFE_NO_PAD.encode(mixed)));
        assert!(open(&MASTER, "claim.value", "1", &mixed).is_err());
    }

    #[test]
    fn st_04_the_same_value_never_looks_the_same() {
        let seals: std::collections::BTreeSet<_> = (0..1000)
            .map(|_| seal(&MASTER, "account.phone", "1", b"+84900000001").unwrap().as_str().to_owned())
            .collect();
        assert_eq!(seals.len(), 1000);
    }

    #[test]
    fn refuses_what_is_not_a_sealed_value() {
        for text in ["", "v1", "v1.", "v2.AAAA", "v1.AAAA", "v1.AAAA=", "plain"] {
            assert!(open(&MASTER, "account.phone", "1", &Sealed::from_text(text.to_owned())).is_err(), "{text}");
        }
    }
}
