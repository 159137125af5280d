//! Form: how a portal turns the claims it received into the fields of a form and into text people read.

use serde_json::{Map, Value};

use super::page::Language;
use super::site::Errand;

/// A field of a rendered form.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub id: String,
    pub label: &'static str,
    pub value: String,
    /// Filled from a claim, so the state vouches for it and it is not typed again.
    pub filled: bool,
    pub long: bool,
}

/// The fields of an errand's form, filled from what was released. What was not released stays for the citizen to type.
pub fn fields(errand: &Errand, claims: &Map<String, Value>, language: Language) -> Vec<Field> {
    let field = |(index, line): (usize, &super::site::Line)| {
        let value = claims
            .get(line.claim)
            .and_then(|claim| if line.member.is_empty() { Some(claim) } else { claim.get(line.member) })
            .map(|value| present(line.claim, value, language))
            .unwrap_or_default();
        Field {
            id: format!("field-{}", if line.claim.is_empty() { index.to_string() } else { joined(line) }),
            label: line.label.say(language),
            filled: !value.is_empty(),
            long: line.claim.contains("address") || line.claim.is_empty(),
            value,
        }
    };
    errand.form.iter().enumerate().map(field).collect()
}

fn joined(line: &super::site::Line) -> String {
    if line.member.is_empty() { line.claim.to_owned() } else { format!("{}-{}", line.claim, line.member) }
}

/// A claim as people read it: dates dd/MM/yyyy, numbers with a leading zero, one line for an object.
pub fn present(claim: &str, value: &Value, language: Language) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => language.say(if *yes { "Có" } else { "Không" }, if *yes { "Yes" } else { "No" }).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => word(claim, text, language),
        Value::Array(items) => items
            .iter()
            .map(|item| present(claim, item, language))
            .filter(|item| !item.is_empty())
            .collect::<Vec<_>>()
            .join("; "),
        Value::Object(members) => object(claim, members, language),
    }
}

fn object(claim: &str, members: &Map<String, Value>, language: Language) -> String {
    for whole in ["formatted", "name", "number"] {
        if let Some(Value::String(text)) = members.get(whole) {
            let relation = members.get("relation").and_then(Value::as_str);
            return match relation {
                Some(relation) => format!("{text} ({relation})"),
                None => text.clone(),
            };
        }
    }
    members.values().map(|value| present(claim, value, language)).collect::<Vec<_>>().join(", ")
}

fn word(claim: &str, text: &str, language: Language) -> String {
    match (claim, text) {
        ("gender", "male") => language.say("Nam", "Male").to_owned(),
        ("gender", "female") => language.say("Nữ", "Female").to_owned(),
        ("phone_number", number) => local_phone(number),
        _ => day(text).unwrap_or_else(|| text.to_owned()),
    }
}

/// E.164 is how numbers travel; people in Vietnam read a leading zero.
pub fn local_phone(number: &str) -> String {
    match number.strip_prefix("+84") {
        Some(rest) => format!("0{rest}"),
        None => number.to_owned(),
    }
}

/// `2026-11-21` as `21/11/2026`; anything else is no date.
fn day(text: &str) -> Option<String> {
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == 10).then(|| date.format("%d/%m/%Y").to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::site::{MINISTRY_SITE, NATIONAL_SITE};
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn values_read_as_people_write_them() {
        for (claim, value, vi, en) in [
            ("birthdate", json!("1990-05-19"), "19/05/1990", "19/05/1990"),
            ("birthdate", json!("1990"), "1990", "1990"),
            ("gender", json!("female"), "Nữ", "Female"),
            ("phone_number", json!("+84912000001"), "0912000001", "0912000001"),
            ("email_verified", json!(true), "Có", "Yes"),
            ("address", json!({"formatted": "Số 1, Hà Nội", "region": "Hà Nội"}), "Số 1, Hà Nội", "Số 1, Hà Nội"),
            ("vn_dependants", json!([{"name": "Khôi", "relation": "Con"}]), "Khôi (Con)", "Khôi (Con)"),
            ("x", json!(null), "", ""),
        ] {
            assert_eq!(present(claim, &value, Language::Vi), vi);
            assert_eq!(present(claim, &value, Language::En), en);
        }
    }

    #[test]
    fn what_was_not_released_stays_empty() {
        let claims = map(json!({"sub": "x", "name": "Trần Thị Bình", "vn_personal_id": "099192000002"}));
        let fields = fields(&NATIONAL_SITE.errands[0], &claims, Language::Vi);
        let of = |id: &str| fields.iter().find(|field| field.id == id).unwrap();
        assert_eq!((of("field-name").value.as_str(), of("field-name").filled), ("Trần Thị Bình", true));
        assert_eq!((of("field-address").value.as_str(), of("field-address").filled), ("", false));
    }

    #[test]
    fn members_of_a_paper_fill_their_own_fields() {
        let claims = map(json!({"vn_bhyt": {"number": "DN4010199000001", "valid_to": "2030-12-31"}}));
        let fields = fields(&MINISTRY_SITE.errands[0], &claims, Language::En);
        let of = |id: &str| &fields.iter().find(|field| field.id == id).unwrap().value;
        assert_eq!(of("field-vn_bhyt-number"), "DN4010199000001");
        assert_eq!(of("field-vn_bhyt-valid_to"), "31/12/2030");
        assert_eq!(of("field-vn_bhyt-facility"), "");
    }
}
