//! How words of the domain stand in a column, and how they come back. What does not come back is a fault.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::claim::ClaimName;
use crate::domain::{Fault, Moment};

/// What a row claims to hold, if we know such a thing.
pub(super) fn known<T>(found: Option<T>, place: &'static str) -> Result<T, Fault> {
    found.ok_or_else(|| Fault::broken("store", format!("a row of {place} does not decode")))
}

pub(super) fn json<T: DeserializeOwned>(text: &str, place: &'static str) -> Result<T, Fault> {
    known(serde_json::from_str(text).ok(), place)
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::broken("store", error))
}

/// The word serde gives a unit variant.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, Fault> {
    Ok(to_json(value)?.trim_matches('"').to_owned())
}

pub(super) fn from_word<T: DeserializeOwned>(word: &str, place: &'static str) -> Result<T, Fault> {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        serde::de::IntoDeserializer::into_deserializer(word);
    known(T::deserialize(text).ok(), place)
}

pub(super) fn at(seconds: Option<i64>) -> Option<Moment> {
    seconds.map(Moment::from_unix)
}

/// Scopes hold no space (RFC 6749 §3.3), so one text holds a list of them.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Such a list, where most rows have none.
pub(super) fn listed(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(" "))
}

pub(super) fn claims(text: &str, place: &'static str) -> Result<BTreeSet<ClaimName>, Fault> {
    text.split_ascii_whitespace().map(|name| known(ClaimName::find(name), place)).collect()
}

pub(super) fn claim_words(claims: &BTreeSet<ClaimName>) -> String {
    claims.iter().map(|claim| claim.as_str()).collect::<Vec<_>>().join(" ")
}
