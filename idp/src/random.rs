//! Random: where fresh values come from. Everything below `flow` takes them as arguments.

use std::sync::Mutex;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::domain::secret::{Class, Minted};
use crate::domain::{Fault, Id};

pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault>;
}

impl dyn Random {
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
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
        let mut bytes: [u8; 10] = self.bytes()?;
        for (byte, counted) in bytes.iter_mut().zip(count.to_be_bytes()) {
            *byte = counted;
        }
        Ok(Id::new(uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid().to_string()))
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
