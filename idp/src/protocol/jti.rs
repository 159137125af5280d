//! The name of a JWT that others made (RFC 7519 §4.1.7), by which it counts once.

use serde_json::{Map, Value};

/// In bytes.
const LONGEST: usize = 256;

/// Nothing where it is absent, not a text, empty, longer than 256 bytes, or has a NUL, which not every store can keep.
pub fn of(claims: &Map<String, Value>) -> Option<&str> {
    let jti = claims.get("jti").and_then(Value::as_str)?;
    ((1..=LONGEST).contains(&jti.len()) && !jti.contains('\0')).then_some(jti)
}
