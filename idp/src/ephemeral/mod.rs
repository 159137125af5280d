//! The short memory: counters, caches and announcements whose loss has no security effect.
//!
//! Owns: what may be wiped, rolled back or cut off at any moment. Per-address counters and caches live here; a spent
//! code, a failure counter of an account, a session never do. When it is gone every call is a fault, and the caller
//! has a way to go on. Must not know: SQL, HTTP, what a key stands for, what time of day it is.

mod memory;
mod redis;
mod rest;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::domain::{Fault, Span};

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

pub trait Ephemeral: Send + Sync {
    /// Counts one more under `key` and answers how many there are. The first starts a window; at its end the count
    /// starts anew.
    fn hit<'a>(&'a self, key: &'a str, window: Span) -> Answer<'a, u64>;
    fn put<'a>(&'a self, key: &'a str, value: &'a str, ttl: Span) -> Answer<'a, ()>;
    fn peek<'a>(&'a self, key: &'a str) -> Answer<'a, Option<String>>;
    /// Forgets what was put under `key`; counts stay.
    fn forget<'a>(&'a self, key: &'a str) -> Answer<'a, ()>;
    /// Tells whoever listens. Nobody may rely on hearing it.
    fn announce<'a>(&'a self, topic: &'a str, text: &'a str) -> Answer<'a, ()>;
}

/// `memory:` for one process, `redis://…` or `rediss://…` for several. Redis need not be there yet.
pub fn open(url: &str) -> Result<Arc<dyn Ephemeral>, Fault> {
    match url {
        "memory:" => Ok(Arc::new(memory::Memory::default())),
        url if url.starts_with("redis://") || url.starts_with("rediss://") => Ok(Arc::new(redis::Redis::open(url)?)),
        _ => Err(Fault::unavailable("ephemeral", "the ephemeral URL must be memory:, redis://… or rediss://…")),
    }
}
