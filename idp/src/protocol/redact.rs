//! What may be kept of the parameters of a refused request: every name, and values only where they help a developer
//! and can be neither secret nor personal (`contract.md` 1: nothing personal is logged). A developer may put anything anywhere, so even a harmless
//! parameter is shown by its shape alone when its value looks like a token or a number of a person.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::domain::refused_request::{Parameter, Shown};

use super::params::Params;

/// More than any request of ours has.
const MOST: usize = 40;
/// In characters.
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 512;
const LONGEST_JWT: usize = 8_192;
const LONGEST_DOCUMENT: usize = 16 * 1024;

/// Parameters whose values are words of the protocol.
const WORDS: [&str; 17] = [
    "acr_values",
    "claims_locales",
    "client_assertion_type",
    "client_id",
    "code_challenge_method",
    "display",
    "grant_type",
    "max_age",
    "prompt",
    "requested_token_type",
    "response_mode",
    "response_type",
    "scope",
    "service",
    "subject_token_type",
    "token_type_hint",
    "ui_locales",
];

/// Parameters whose values are addresses, shown without the values of their query.
const ADDRESSES: [&str; 5] = ["post_logout_redirect_uri", "redirect_uri", "request_uri", "resource", "audience"];

/// JWTs of which the header and the audience tell a developer most, and say nothing of a person.
const SIGNED: [&str; 3] = ["client_assertion", "dpop", "request"];

/// The parameters of a request.
pub fn parameters(params: &Params) -> Vec<Parameter> {
    let mut shown: Vec<Parameter> = params.iter().take(MOST).map(|(name, value)| parameter(name, value)).collect();
    let left = params.iter().skip(MOST).count();
    if left > 0 {
        shown.push(shaped("and more", format!("{left} parameters")));
    }
    shown
}

/// A header that authenticates: its scheme, never what follows.
pub fn authorization(value: &str) -> Parameter {
    let scheme = value.split(' ').next().unwrap_or_default();
    let known = ["Basic", "Bearer", "DPoP"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme));
    let length = value.chars().count();
    shaped("Authorization", known.map_or_else(|| shape(value), |known| format!("{known}, {length} characters")))
}

/// A `DPoP` header (RFC 9449 §4.1).
pub fn proof(value: &str) -> Parameter {
    Parameter { name: "DPoP".to_owned(), shown: Shown::Shape(signed(value)) }
}

/// The members of a JSON document: their names and shapes.
pub fn members(text: &str) -> Vec<Parameter> {
    if text.len() > LONGEST_DOCUMENT {
        return vec![shaped("document", format!("{} characters", text.chars().count()))];
    }
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return vec![shaped("document", format!("not a JSON object, {} characters", text.chars().count()))];
    };
    let shown = members.iter().take(MOST).map(|(name, value)| match value {
        Value::String(text) => parameter(name, text),
        Value::Array(items) => shaped(name, format!("list of {}", items.len())),
        Value::Object(members) => shaped(name, format!("object of {}", members.len())),
        Value::Number(_) => shaped(name, "number".to_owned()),
        Value::Bool(value) => Parameter { name: self::name(name), shown: Shown::Value(value.to_string()) },
        Value::Null => shaped(name, "null".to_owned()),
    });
    shown.collect()
}

/// A description of ours that may quote what was sent: whatever in it looks like a secret is left out.
pub fn told(text: &str) -> String {
    let words = text.split(' ').map(|word| if hides_a_secret(word) { "..." } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_VALUE).collect()
}

fn parameter(name: &str, value: &str) -> Parameter {
    let shown = if WORDS.contains(&name) {
        plain(value).map(Shown::Value)
    } else if ADDRESSES.contains(&name) {
        address(value).map(Shown::Value)
    } else if SIGNED.contains(&name) {
        Some(Shown::Shape(signed(value)))
    } else {
        None
    };
    Parameter { name: self::name(name), shown: shown.unwrap_or_else(|| Shown::Shape(shape(value))) }
}

fn shaped(name: &str, shape: String) -> Parameter {
    Parameter { name: self::name(name), shown: Shown::Shape(shape) }
}

/// Names are sent by the caller as well: one that could be a value in the wrong place is told by its length.
fn name(name: &str) -> String {
    let readable =
        !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if readable && !hides_a_secret(name) {
        return name.to_owned();
    }
    format!("(name of {} characters)", name.chars().count())
}

/// The value itself, if it is short, readable, and nothing in it looks like a secret.
fn plain(value: &str) -> Option<String> {
    let readable = value.len() <= LONGEST_VALUE && value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (readable && !hides_a_secret(value)).then(|| value.to_owned())
}

/// An address as it was sent, so that a difference of one character can be seen, without the values of its query and
/// without parts that look like secrets.
fn address(value: &str) -> Option<String> {
    let (rest, fragment) = value.split_once('#').map_or((value, ""), |(rest, _)| (rest, "#..."));
    let (base, query) = rest.split_once('?').map_or((rest, None), |(base, query)| (base, Some(query)));
    // Credentials may stand before an `@`; a URN is a reference and may be one itself.
    let readable = value.len() <= LONGEST_VALUE && base.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    if !readable || base.contains(['@', '\\']) || !base.contains(":/") {
        return None;
    }
    let part = |part: &str| if hides_a_secret(part) || part.contains('%') { "...".to_owned() } else { part.to_owned() };
    let base: Vec<String> = base.split('/').map(part).collect();
    let query = query.map(|query| {
        let names = query.split('&').take(MOST).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = self::name(name);
            if value.is_empty() { name } else { format!("{name}=...") }
        });
        format!("?{}", names.collect::<Vec<_>>().join("&"))
    });
    Some(format!("{}{}{fragment}", base.join("/"), query.unwrap_or_default()))
}

/// What a JWT says of itself before anybody believes it: algorithm, type and audience (RFC 7515 §4.1, RFC 7519 §4.1.3).
fn signed(jwt: &str) -> String {
    let shape = shape(jwt);
    if jwt.len() > LONGEST_JWT {
        return shape;
    }
    let part = |at: usize| -> Option<Map<String, Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(at)?).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let (header, claims) = (part(0), part(1));
    let text = |members: &Option<Map<String, Value>>, name: &str| match members.as_ref()?.get(name)? {
        Value::String(text) => {
            let shown = address(text).or_else(|| plain(text));
            Some(format!("{name} {}", shown.unwrap_or_else(|| self::shape(text))))
        }
        Value::Array(items) => Some(format!("{name} is a list of {}", items.len())),
        _ => Some(format!("{name} is no text")),
    };
    let said = [text(&header, "alg"), text(&header, "typ"), text(&claims, "aud")];
    [Some(shape)].into_iter().chain(said).flatten().collect::<Vec<_>>().join("; ")
}

/// The kind and length of a value.
fn shape(value: &str) -> String {
    let length = value.chars().count();
    let parts = value.split('.').count();
    let of_tokens = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let kind = if value.is_empty() {
        return "empty".to_owned();
    } else if value.bytes().all(|byte| byte.is_ascii_digit()) {
        "digits"
    } else if value.bytes().all(of_tokens) {
        "letters of base64url"
    } else if value.bytes().all(|byte| of_tokens(byte) || byte == b'.') && matches!(parts, 3 | 5) {
        if parts == 3 { "JWT" } else { "JWE" }
    } else {
        "text"
    };
    format!("{kind}, {length} characters")
}

/// Whether a part of the text could be a token, a digest, a phone or a person number: eight digits in a row, twenty
/// letters with a digit among them, or thirty-two letters in one word.
fn hides_a_secret(text: &str) -> bool {
    let of_words = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.split(|c| !of_words(c)).any(|word| {
        let length = word.chars().count();
        let has_digit = word.chars().any(|c| c.is_ascii_digit());
        let has_letter = word.chars().any(char::is_alphabetic);
        length >= 32 || (length >= 20 && has_digit && has_letter) || longest_number(word) >= 8
    })
}

/// The most digits that stand together, dashes between them not counted.
fn longest_number(word: &str) -> usize {
    let runs = word.split(|c: char| !c.is_ascii_digit() && c != '-');
    runs.map(|run| run.chars().filter(char::is_ascii_digit).count()).max().unwrap_or_default()
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
