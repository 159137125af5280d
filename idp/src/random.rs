//! Random: where fresh values come from. Everything below `flow` takes them as arguments.

use std::cell::RefCell;
use std::sync::Mutex;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::domain::secret::{Class, Minted};
use crate::domain::{Fault, Id};

pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault>;

    /// For values that are shown to anybody: names of things, never a key to one.
    fn fill_public(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.fill(bytes)
    }
}

impl dyn Random {
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub fn public_bytes<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill_public(&mut bytes)?;
        Ok(bytes)
    }

    /// A bearer value of 256 bits.
    pub fn mint<C: Class>(&self) -> Result<Minted<C>, Fault> {
        Ok(Minted::from_entropy(self.bytes()?))
    }

    /// 256 random bits as 43 base64url characters, for values that are not secret: `sub`, `sid`.
    pub fn text(&self) -> Result<String, Fault> {
        use base64::Engine;
        Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.bytes::<32>()?))
    }

    /// An identifier that sorts by time: UUID version 7 with a counter behind the milliseconds (RFC 9562 §6.2).
    pub fn id<T>(&self, (milliseconds, count): (u64, u16)) -> Result<Id<T>, Fault> {
        let mut bytes: [u8; 10] = self.public_bytes()?;
        for (byte, counted) in bytes.iter_mut().zip(count.to_be_bytes()) {
            *byte = counted;
        }
        let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid();
        Ok(Id::new(&*id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer())))
    }

    /// Six decimal digits, each of the million equally likely.
    pub fn six_digits(&self) -> Result<String, Fault> {
        loop {
            let draw = u32::from_le_bytes(self.bytes()?);
            // Draws above the largest multiple of a million would favour small codes.
            if draw < 4_294_000_000 {
                return Ok(format!("{:06}", draw % 1_000_000));
            }
        }
    }
}

/// The operating system's generator.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        getrandom::fill(bytes).map_err(|error| Fault::unavailable("random", error))
    }

    /// From bytes drawn a handful at a time: every token issued names three things, and each draw is a system call.
    fn fill_public(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        DRAWN.with_borrow_mut(|drawn| {
            if drawn.left < bytes.len() {
                self.fill(&mut drawn.bytes)?;
                drawn.left = HANDFUL;
            }
            let from = drawn.left.checked_sub(bytes.len()).and_then(|from| drawn.bytes.get(from..drawn.left));
            let Some(fresh) = from else { return self.fill(bytes) };
            bytes.copy_from_slice(fresh);
            drawn.left -= bytes.len();
            Ok(())
        })
    }
}

/// What the system gives at once without ever waiting.
const HANDFUL: usize = 256;

struct Drawn {
    bytes: [u8; HANDFUL],
    left: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; HANDFUL], left: 0 }) };
}

/// A reproducible generator for tests.
pub struct SeededRandom(Mutex<ChaCha20Rng>);

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.0.lock().map_err(|_| Fault::broken("random", "poisoned"))?.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_is_given_twice_and_a_long_one_is_random_too() {
        let random: &dyn Random = &SystemRandom;
        let draws = || (0..200).map(|_| random.public_bytes::<10>().unwrap());
        let mut all: HashSet<[u8; 10]> = draws().collect();
        let here = std::thread::scope(|scope| scope.spawn(|| draws().collect::<HashSet<_>>()).join().unwrap());
        all.extend(here);
        assert_eq!(all.len(), 400);
        let halves = random.public_bytes::<{ HANDFUL * 2 }>().unwrap();
        assert!(halves.chunks(HANDFUL).all(|half| half.iter().any(|byte| *byte != 0)));
        assert_ne!(halves[..HANDFUL], halves[HANDFUL..]);
    }
}
