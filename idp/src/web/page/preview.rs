//! A claim's value as the holder reads it before it leaves.

use serde_json::{Map, Value};

use super::calendar;
use super::sign_in::national_phone;
use super::words::{find, say};
use crate::domain::Moment;
use crate::domain::claim::ClaimName;

/// Deeper than any value of the catalogue goes.
const DEPTH: usize = 4;

/// Claims whose text is one of a few code words.
const CODED: [&str; 5] = ["gender", "vn_marital_status", "vn_eid_state", "vn_card_status", "vn_digital_citizen_status"];

/// The value of a claim as readable lines, one fact each: codes, dates and shapes in words, an address without the
/// register codes of its units.
pub fn preview(claim: ClaimName, value: &Value, language: &str) -> String {
    let name = claim.as_str();
    match value {
        Value::String(text) if CODED.contains(&name) => coded(text, language),
        Value::String(text) if name == "phone_number" => national_phone(text),
        Value::String(text) if name == "locale" => coded(text, language),
        Value::String(text) if name == "picture" && text.starts_with("data:") => say(language, "value.image").into(),
        Value::Number(seconds) if name == "updated_at" => {
            seconds.as_i64().map_or_else(|| seconds.to_string(), |at| calendar::minute(Moment::from_unix(at)))
        }
        Value::Bool(yes) if claim.entry().with.is_some() => {
            say(language, if *yes { "value.verified" } else { "value.unverified" }).into()
        }
        Value::Array(codes) if name == "nationalities" => {
            let names: Vec<String> =
                codes.iter().map(|code| coded(code.as_str().unwrap_or_default(), language)).collect();
            names.join(", ")
        }
        other => lines(other, language, DEPTH).join("\n"),
    }
}

/// The image a claim holds, when it is one a page may show by itself.
pub(super) fn image(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let kinds = ["data:image/jpeg;base64,", "data:image/png;base64,", "data:image/webp;base64,"];
    let body = kinds.iter().find_map(|kind| text.strip_prefix(kind))?;
    body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).then(|| text.to_owned())
}

fn coded(code: &str, language: &str) -> String {
    find(language, &format!("value.{code}")).map_or_else(|| code.to_owned(), Into::into)
}

fn lines(value: &Value, language: &str, depth: usize) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(yes) => vec![say(language, if *yes { "value.yes" } else { "value.no" }).into()],
        Value::Number(number) => vec![number.to_string()],
        Value::String(text) => vec![calendar::from_iso(text).unwrap_or_else(|| one_line(text))],
        Value::Array(items) if depth > 0 => {
            items.iter().filter_map(|item| compact(item, language, depth - 1)).collect()
        }
        Value::Object(members) if is_address(members) => vec![address(members, language)],
        Value::Object(members) if depth > 0 => {
            members.iter().filter_map(|(key, value)| member(key, value, language, depth - 1)).collect()
        }
        deep => vec![deep.to_string()],
    }
}

/// A value on one line, as it stands in a list or behind a label.
fn compact(value: &Value, language: &str, depth: usize) -> Option<String> {
    let text = lines(value, language, depth).join("; ");
    (!text.is_empty()).then_some(text)
}

fn member(key: &str, value: &Value, language: &str, depth: usize) -> Option<String> {
    let text = match value {
        Value::String(code) => find(language, &format!("value.{code}")).map(|word| word.into_owned()),
        _ => None,
    };
    let text = text.or_else(|| compact(value, language, depth))?;
    let label = find(language, &format!("field.{key}")).map_or_else(|| key.replace('_', " "), Into::into);
    Some(format!("{label}: {text}"))
}

/// The members of OIDC Core §5.1.1 and of a place in Identity Assurance.
fn is_address(members: &Map<String, Value>) -> bool {
    ["formatted", "street_address", "locality", "region"].iter().any(|name| members.contains_key(*name))
}

fn address(members: &Map<String, Value>, language: &str) -> String {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    if let Some(formatted) = text("formatted") {
        return formatted.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ");
    }
    let mut parts: Vec<String> =
        ["street_address", "locality", "region"].iter().filter_map(|name| text(name)).map(one_line).collect();
    parts.extend(text("country").map(|country| coded(country, language)));
    parts.join(", ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(claim: &str, value: Value) -> (String, String) {
        let claim = ClaimName::find(claim).unwrap();
        (preview(claim, &value, "vi"), preview(claim, &value, "en"))
    }

    #[test]
    fn simple_values_in_both_languages() {
        let rows = [
            ("name", json!("Nguyễn Văn An"), "Nguyễn Văn An", "Nguyễn Văn An"),
            ("name", json!("A\nB\u{202f}C"), "A B C", "A B C"),
            ("birthdate", json!("1990-02-03"), "03/02/1990", "03/02/1990"),
            ("birthdate", json!("1948"), "1948", "1948"),
            ("gender", json!("male"), "Nam", "Male"),
            ("gender", json!("female"), "Nữ", "Female"),
            ("gender", json!("x"), "x", "x"),
            ("vn_personal_id", json!("099090000001"), "099090000001", "099090000001"),
            ("phone_number", json!("+84912345678"), "0912345678", "0912345678"),
            ("email_verified", json!(true), "đã xác minh", "verified"),
            ("nationalities", json!(["VNM", "FRA"]), "Việt Nam, FRA", "Viet Nam, FRA"),
            ("vn_eid_state", json!("active"), "Đang hoạt động", "Active"),
            ("vn_card_expiry", json!("2031-04-15"), "15/04/2031", "15/04/2031"),
            ("updated_at", json!(1_767_200_400), "01/01/2026 00:00", "01/01/2026 00:00"),
            ("vn_digital_citizen_status", json!(true), "Có", "Yes"),
            ("picture", json!("data:image/png;base64,AAAA"), "Ảnh trong hồ sơ", "The image on record"),
            ("nickname", json!(null), "", ""),
        ];
        for (claim, value, vietnamese, english) in rows {
            assert_eq!(shown(claim, value), (vietnamese.to_owned(), english.to_owned()), "{claim}");
        }
    }

    #[test]
    fn addresses_on_one_line_without_their_codes() {
        let full =
            json!({"formatted": "Số 1 Phố Huế\nPhường Hai Bà Trưng\nHà Nội", "region": "Hà Nội", "vn_code": "01"});
        assert_eq!(shown("address", full).0, "Số 1 Phố Huế, Phường Hai Bà Trưng, Hà Nội");
        let parts = json!({"street_address": "Số 1", "locality": "Phường X", "region": "Huế", "country": "VNM"});
        assert_eq!(shown("address", parts.clone()).0, "Số 1, Phường X, Huế, Việt Nam");
        assert_eq!(shown("place_of_birth", parts).1, "Số 1, Phường X, Huế, Viet Nam");
    }

    #[test]
    fn papers_become_lines_a_person_can_read() {
        let vehicles = json!([
            {"plate": "51F12345", "type": "car", "issued": "2022-05-06"},
            {"plate": "59AA12345", "type": "motorbike"},
        ]);
        let (vietnamese, english) = shown("vn_vehicles", vehicles);
        assert_eq!(vietnamese.lines().count(), 2);
        assert!(vietnamese.contains("Biển số: 51F12345") && vietnamese.contains("06/05/2022"), "{vietnamese}");
        assert!(vietnamese.contains("Xe máy") && english.contains("Motorbike"), "{english}");
        let licence = json!({"number": "790123456789", "classes": ["B", "A1"], "valid": true, "unknown_member": 7});
        let lines = shown("vn_gplx", licence).0;
        assert!(lines.contains("Số: 790123456789") && lines.contains("unknown member: 7"), "{lines}");
        assert!(lines.contains("B; A1") && lines.contains("Có"), "{lines}");
    }

    #[test]
    fn everything_is_shown_however_deep() {
        let deep = json!({"a": {"b": {"c": {"d": {"e": "bottom"}}}}});
        assert!(shown("vn_health_record", deep).0.contains("bottom"));
    }

    #[test]
    fn only_plain_images_are_shown() {
        assert!(image(&json!("data:image/jpeg;base64,/9j/4A==")).is_some());
        for bad in ["data:image/svg+xml;base64,AAAA", "https://a.vn/x.png", "data:image/png;base64,\"><script>"] {
            assert!(image(&json!(bad)).is_none(), "{bad}");
        }
    }
}
