//! Codes of an authenticator app (RFC 6238) as every app makes them: SHA-1, six digits, thirty seconds.

use std::fmt::Write;

use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Builder};

use crate::domain::{Fault, Moment};

const ROOM: &str = "factor";
/// RFC 4226 §4 R6: 160 bits.
pub const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
/// RFC 6238 §5.2: one step either way for clocks that differ and hands that are slow.
const DRIFT: i64 = 1;
const DIGITS: usize = 6;

/// The step a moment falls into.
pub const fn step_at(now: Moment) -> i64 {
    now.unix().div_euclid(STEP_SECONDS)
}

/// The code of a step.
fn code(secret: &[u8], step: i64) -> Result<String, Fault> {
    let secret: [u8; SECRET_BYTES] =
        secret.try_into().map_err(|_| Fault::broken(ROOM, "a secret of another length"))?;
    let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).build();
    let totp = totp.map_err(|error| Fault::broken(ROOM, error))?;
    let seconds = u64::try_from(step.saturating_mul(STEP_SECONDS)).map_err(|error| Fault::broken(ROOM, error))?;
    Ok(totp.generate(seconds).to_string())
}

/// The step a typed code is of, if it is of one that counts now and is later than `last` (`security.md` LG-14). Every
/// candidate is compared, so that time tells nothing.
pub fn matching_step(secret: &[u8], typed: &str, last: i64, now: Moment) -> Result<Option<i64>, Fault> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let mut found = None;
    for step in step_at(now) - DRIFT..=step_at(now) + DRIFT {
        let same = bool::from(code(secret, step)?.as_bytes().ct_eq(typed.as_bytes()));
        if same && step > last && typed.len() == DIGITS {
            found = Some(step);
        }
    }
    Ok(found)
}

/// RFC 4648 §6 without padding, as apps take a secret.
pub fn base32(secret: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for chunk in secret.chunks(5) {
        let bits =
            chunk.iter().chain(std::iter::repeat(&0)).take(5).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let letters = (chunk.len() * 8).div_ceil(5);
        for at in 0..letters {
            let index = (bits >> (35 - 5 * at)) & 31;
            let letter = usize::try_from(index).ok().and_then(|index| ALPHABET.get(index));
            text.push(letter.map_or('A', |letter| char::from(*letter)));
        }
    }
    text
}

/// The secret in groups of four, for typing.
pub fn grouped(secret: &[u8]) -> String {
    let letters: Vec<char> = base32(secret).chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// What the QR code holds (the Key Uri Format of authenticator apps).
pub fn address(secret: &[u8], holder: &str) -> String {
    let mut label = String::new();
    for byte in holder.bytes() {
        if byte.is_ascii_alphanumeric() {
            label.push(char::from(byte));
        } else {
            let _ = write!(label, "%{byte:02X}");
        }
    }
    format!("otpauth://totp/VNeID:{label}?secret={}&issuer=VNeID&algorithm=SHA1&digits=6&period=30", base32(secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn rfc6238_appendix_b_the_vectors_in_their_last_six_digits() {
        let rows = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(code(SECRET, step_at(Moment::from_unix(seconds))).unwrap(), expected);
        }
    }

    #[test]
    fn lg_14_a_step_counts_once_and_none_before_it() {
        let now = Moment::from_unix(1_800_000_010);
        let here = step_at(now);
        let of = |step| code(SECRET, step).unwrap();
        let tried = |step, last| matching_step(SECRET, &of(step), last, now).unwrap();
        for step in [here - 1, here, here + 1] {
            assert_eq!(tried(step, 0), Some(step));
            assert_eq!(tried(step, step), None, "the same code again");
            assert_eq!(tried(step, here + 1), None, "a later one was used");
        }
        assert_eq!((tried(here - 2, 0), tried(here + 2, 0)), (None, None));
        let spaced = format!(" {} {} ", &of(here)[..3], &of(here)[3..]);
        assert_eq!(matching_step(SECRET, &spaced, 0, now).unwrap(), Some(here));
        for wrong in ["", "1", "1234567", "abcdef", "０００００１"] {
            assert_eq!(matching_step(SECRET, wrong, 0, now).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn rfc4648_the_secret_as_apps_take_it() {
        let rows = [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")];
        for (plain, expected) in rows {
            assert_eq!(base32(plain.as_bytes()), expected);
        }
        assert_eq!(grouped(SECRET), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let address = address(SECRET, "099***001");
        assert!(address.starts_with("otpauth://totp/VNeID:099%2A%2A%2A001?secret=GEZDGNBV"), "{address}");
    }

    proptest! {
        #[test]
        fn what_counts_is_later_than_what_counted(
            steps in proptest::collection::vec((-3_i64..6, 0_i64..90), 1..30)
        ) {
            let (mut now, mut last) = (Moment::from_unix(1_800_000_000), 0);
            for (offset, later) in steps {
                now = Moment::from_unix(now.unix() + later);
                let typed = code(SECRET, step_at(now) + offset).unwrap();
                if let Some(step) = matching_step(SECRET, &typed, last, now).unwrap() {
                    prop_assert!(step > last && (step - step_at(now)).abs() <= 1);
                    last = step;
                }
            }
        }
    }
}
