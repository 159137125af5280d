//! Papers: the forms of what the registers hold (`domain.md` 3.5-3.8). A value in another form is refused, never mended:
//! what was stored would be shown to a portal as the register's word.

use chrono::NaiveDate;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::claim::ClaimName;

/// Longer than any text a register holds.
const LONGEST: usize = 500;

/// The value as it is kept, in NFC; `None` when its form is not one we take.
pub fn accept(claim: ClaimName, value: &Value) -> Option<Value> {
    let fits = plain(value)
        && match claim.as_str() {
            "vn_gplx" => object(value, &[("number", is_licence)], &["issue_date", "expiry"]),
            "vn_vehicles" => each(value, is_vehicle),
            "vn_bhyt" => object(value, &[("number", is_health_card)], &["valid_from", "valid_to"]),
            "vn_bhxh" => object(value, &[("number", is_social_number)], &[]),
            "vn_tax_code" => value.as_str().is_some_and(is_tax_code),
            "vn_passport" => object(value, &[("number", is_passport)], &["issue_date", "expiry"]),
            "vn_dependants" => each(value, is_dependant),
            "vn_previous_ids" => each(value, |one| object(one, &[("number", is_previous)], &[])),
            "vn_card_issue_date" | "vn_card_expiry" => value.as_str().is_some_and(|text| date(text).is_some()),
            "birthdate" => value.as_str().is_some_and(is_birthdate),
            "gender" => matches!(value.as_str(), Some("male" | "female")),
            "address" | "vn_temporary_address" | "vn_current_address" => is_address(value),
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_number(),
            // OIDC Core 5.1 fixes the JSON type of the standard claims.
            name if !name.starts_with("vn_") && matches!(claim.entry().scope, "profile" | "email" | "phone") => {
                value.is_string()
            }
            _ => !value.is_null(),
        };
    fits.then(|| nfc(value))
}

/// `YYYY-MM-DD` and nothing else.
pub fn date(text: &str) -> Option<NaiveDate> {
    // chrono takes one-digit months too; ISO 8601 does not.
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// `domain.md` 3.8: birth dates are known to the day, the month or the year.
pub fn is_birthdate(text: &str) -> bool {
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    date(&full).is_some()
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

/// `domain.md` 3.6: twelve digits on the PET card.
pub fn is_licence(text: &str) -> bool {
    digits(text, 12)
}

/// `domain.md` 3.5: two letters, benefit 1 to 5, province, ten digits; cards since 2021 print the ten alone.
pub fn is_health_card(text: &str) -> bool {
    let (Some(head), Some(tail)) = (text.get(..5), text.get(5..)) else { return false };
    let long = match head.as_bytes() {
        [a, b, benefit, c, d] => {
            a.is_ascii_uppercase()
                && b.is_ascii_uppercase()
                && (b'1'..=b'5').contains(benefit)
                && c.is_ascii_digit()
                && d.is_ascii_digit()
        }
        _ => false,
    };
    digits(text, 10) || (long && digits(tail, 10))
}

/// `domain.md` 3.5: ten digits, or the personal number since 2025-08-01.
pub fn is_social_number(text: &str) -> bool {
    digits(text, 10) || digits(text, 12)
}

/// `domain.md` 3.7: the personal number since 2025-07-01; ten digits with a check digit, thirteen for a dependent unit.
pub fn is_tax_code(text: &str) -> bool {
    if digits(text, 12) {
        return true;
    }
    let (code, unit) = text.split_at_checked(10).unwrap_or((text, ""));
    let unit = unit.strip_prefix('-').unwrap_or(unit);
    (unit.is_empty() || digits(unit, 3)) && has_check_digit(code)
}

fn has_check_digit(code: &str) -> bool {
    const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];
    if !digits(code, 10) {
        return false;
    }
    let values: Vec<u32> = code.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value.saturating_mul(weight)).sum();
    values.last().copied() == 10_u32.checked_sub(sum % 11).filter(|digit| *digit < 10)
}

/// `domain.md` 3.6: letter and seven or eight digits.
pub fn is_passport(text: &str) -> bool {
    let Some((letter, rest)) = text.split_at_checked(1) else { return false };
    letter.bytes().all(|b| b.is_ascii_uppercase()) && (digits(rest, 7) || digits(rest, 8))
}

/// `domain.md` 3.6: without its type a plate is ambiguous, so each is held to its own.
pub fn is_plate(kind: &str, plate: &str) -> bool {
    let (Some(local), Some(rest)) = (plate.get(..2), plate.get(2..)) else { return false };
    if !digits(local, 2) || local.starts_with('0') {
        return false;
    }
    let series = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    let (letters, numbers) = rest.split_at_checked(series).unwrap_or((rest, ""));
    let ends = |numbers: &str| digits(numbers, 4) || digits(numbers, 5);
    match (kind, letters.len()) {
        ("car", 1 | 2) => ends(numbers),
        ("motorbike", 2) => ends(numbers),
        // One letter and one digit make the series of a motorbike.
        ("motorbike", 1) => numbers.starts_with(|c: char| c.is_ascii_digit()) && ends(numbers.get(1..).unwrap_or("")),
        _ => false,
    }
}

/// An old nine-digit number, or one of twelve that was cancelled.
fn is_previous(text: &str) -> bool {
    digits(text, 9) || digits(text, 12)
}

fn is_vehicle(value: &Value) -> bool {
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    object(value, &[], &["registered"])
        && word("type").zip(word("plate")).is_some_and(|(kind, plate)| is_plate(kind, plate))
}

fn is_dependant(value: &Value) -> bool {
    let number = value.get("person_number");
    object(value, &[("name", |name| !name.trim().is_empty())], &[])
        && number.is_none_or(|number| number.as_str().is_some_and(|text| digits(text, 12)))
        && value.get("birthdate").is_none_or(|date| date.as_str().is_some_and(is_birthdate))
}

/// `domain.md` 3.3: an address says by which list of units it is written.
fn is_address(value: &Value) -> bool {
    let system = value.get("vn_code_system").and_then(Value::as_str);
    let code = value.get("vn_code").and_then(Value::as_str);
    object(value, &[("formatted", |text| !text.trim().is_empty())], &["vn_valid_from", "vn_valid_to"])
        && matches!(system, None | Some("vn-admin-2004" | "vn-admin-2025"))
        && code.is_none_or(|code| system.is_some() && digits(code, 5))
}

/// A member by name, and the form it must have.
type Member<'a> = (&'a str, fn(&str) -> bool);

/// An object whose named members are texts in a form, and whose dates are dates where they are given.
fn object(value: &Value, members: &[Member<'_>], dates: &[&str]) -> bool {
    let Value::Object(object) = value else { return false };
    members.iter().all(|(name, fits)| object.get(*name).and_then(Value::as_str).is_some_and(fits))
        && dates.iter().all(|name| dated(object, name))
}

fn dated(object: &Map<String, Value>, name: &str) -> bool {
    match object.get(name) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(|text| date(text).is_some()),
    }
}

fn each(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    matches!(value, Value::Array(items) if items.len() <= 100 && items.iter().all(fits))
}

/// No control character and no endless text, however deep.
fn plain(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() <= LONGEST && !text.chars().any(char::is_control),
        Value::Array(items) => items.iter().all(plain),
        Value::Object(members) => members.values().all(plain),
        _ => true,
    }
}

fn nfc(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.nfc().collect()),
        Value::Array(items) => items.iter().map(nfc).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), nfc(value))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
#[path = "paper_tests.rs"]
mod tests;
