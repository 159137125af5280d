//! JSON read strictly.

use idp::protocol::json;
use serde_json::Value;

use crate::made::text;

/// What is read is what serde_json reads, no deeper than allowed, and read when written again.
pub fn strict(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(value) = json::strict(text, 8) else { return };
    assert!(depth(&value) <= 8);
    assert!(serde_json::from_str::<Value>(text).is_ok_and(|other| other == value), "two readers disagree");
    // Not the same: the last digit of a fraction may change on its way.
    assert!(json::strict(&value.to_string(), 8).is_ok());
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
