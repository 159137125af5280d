//! What the suites stand on: a sandbox process, a visitor who speaks raw HTTP, a holder, a relying party.
//! Must not know any clause: rules belong to the suites.

pub mod abroad;
pub mod app;
pub mod ask;
pub mod attempt;
pub mod authenticator;
pub mod backing;
pub mod cable;
pub mod certificate;
pub mod door;
pub mod equipped;
pub mod family;
pub mod flow;
pub mod holder;
pub mod jwt;
pub mod op;
pub mod page;
pub mod port;
pub mod proof;
pub mod provider;
pub mod pushed;
pub mod relying_party;
pub mod revocation;
pub mod sandbox;
pub mod server;
pub mod totp;
pub mod verdict;
pub mod webdriver;
pub mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

static COUNT: AtomicU64 = AtomicU64::new(1);

/// A number nobody else in this process has.
pub fn next() -> u64 {
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// 43 characters of base64url nobody else has; not secret, tests only.
pub fn fresh() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    base64url(&Sha256::digest(format!("{now}:{}:{}", std::process::id(), next())))
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn sha256_base64url(text: &str) -> String {
    base64url(&Sha256::digest(text.as_bytes()))
}

/// Seconds since 1970, as tokens carry them.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
