//! An authenticator app made of software (RFC 6238).

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use super::app::text_of;
use super::now;
use super::wire::Answer;

/// An app that took over a secret.
pub struct App(Vec<u8>);

impl App {
    /// Reads the secret off the page that shows it.
    pub fn shown(at: &Answer) -> App {
        App::typed(&text_of(at, "secret"))
    }

    /// Types the secret as a person would.
    pub fn typed(secret: &str) -> App {
        let mut bits = Vec::new();
        for letter in secret.chars().filter(|c| !c.is_whitespace()) {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base32");
            bits.extend((0..5).rev().map(|bit| (value >> bit) & 1));
        }
        App(bits
            .chunks_exact(8)
            .map(|bits| bits.iter().fold(0, |byte, bit| (byte << 1) | u8::try_from(*bit).unwrap()))
            .collect())
    }

    /// RFC 6238 with SHA-1, six digits, thirty seconds.
    pub fn code_at(&self, step: i64) -> String {
        let key = PKey::hmac(&self.0).unwrap();
        let mut signer = Signer::new(MessageDigest::sha1(), &key).unwrap();
        signer.update(&step.to_be_bytes()).unwrap();
        let mac = signer.sign_to_vec().unwrap();
        let at = usize::from(mac[19] & 15);
        let number = u32::from_be_bytes([mac[at] & 127, mac[at + 1], mac[at + 2], mac[at + 3]]);
        format!("{:06}", number % 1_000_000)
    }
}

/// The step a code counts in now.
pub fn step() -> i64 {
    now() / 30
}

/// The step of now, with time enough left in it to use a code of the step before, which is taken until it ends.
pub async fn step_with_time_left() -> i64 {
    let left = 30 - now() % 30;
    if left < 8 {
        tokio::time::sleep(std::time::Duration::from_secs(left.unsigned_abs())).await;
    }
    step()
}
