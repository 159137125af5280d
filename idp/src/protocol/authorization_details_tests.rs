use proptest::prelude::*;

use super::*;
use crate::protocol::fixtures;

fn whole() -> Value {
    json!([{
        "type": "vn_transaction", "identifier": "fee-2026_0001.a",
        "text": {"vi": "Nộp lệ phí.\nHồ sơ số 12.", "en": "Pay the fee.\nDossier 12."},
        "amount": {"currency": "VND", "value": "150000"}, "payee": "Cục Quản lý xuất nhập cảnh"
    }])
}

/// `whole()` with one member of the object replaced, or removed by null.
fn with(member: &str, value: Value) -> String {
    let mut details = whole();
    let one = details[0].as_object_mut().unwrap();
    if value.is_null() {
        drop(one.remove(member))
    } else {
        drop(one.insert(member.to_owned(), value))
    }
    details.to_string()
}

fn why(text: &str) -> String {
    match parse(text) {
        Ok(_) => "taken".to_owned(),
        Err(error) => {
            assert_eq!(error.code, ErrorCode::InvalidAuthorizationDetails, "{text}");
            error.told.strip_prefix("authorization_details ").unwrap().to_owned()
        }
    }
}

#[test]
fn rfc9396_2_what_is_read_is_what_is_stated() {
    let parsed = parse(&whole().to_string()).unwrap();
    assert_eq!(stated(&parsed), whole());
    let least = json!([{"type": "vn_transaction", "identifier": "1", "text": {"vi": "x"}}]);
    assert_eq!(stated(&parse(&least.to_string()).unwrap()), least);
}

#[test]
fn rfc9396_5_everything_but_the_exact_shape_is_refused() {
    let two = Value::Array([whole()[0].clone(), whole()[0].clone()].to_vec()).to_string();
    let lines = |n: usize| json!({"vi": vec!["a"; n].join("\n")});
    let long = |n: usize| json!({"vi": "a".repeat(n)});
    let rows: Vec<(String, &str)> = vec![
        (whole().to_string(), "taken"),
        // The parameter.
        ("x".to_owned(), "is not proper JSON"),
        (whole()[0].to_string(), "is not a JSON array"),
        ("null".to_owned(), "is not a JSON array"),
        ("[]".to_owned(), "is empty"),
        ("[1]".to_owned(), "holds what is not an object"),
        ("[null]".to_owned(), "holds what is not an object"),
        ("[[]]".to_owned(), "holds what is not an object"),
        (two, "holds more than one transaction"),
        ("[{\"type\":\"vn_transaction\",\"type\":\"vn_transaction\"}]".to_owned(), "is not proper JSON"),
        (with("text", json!({"vi": {"deep": 1}})), "is not proper JSON"),
        (format!("{}{}", whole(), " ".repeat(LONGEST)), "is too large"),
        // The type, and members nobody knows.
        (with("type", json!("payment")), "type is not known"),
        (with("type", json!(1)), "type is not text"),
        (with("type", json!(null)), "type is missing"),
        (with("locations", json!(["https://api.gov.vn"])), "member locations is not known"),
        (with("actions", json!([])), "member actions is not known"),
        (with("tên", json!(1)), "member t?n is not known"),
        // The reference.
        (with("identifier", json!(null)), "identifier is missing"),
        (with("identifier", json!(7)), "identifier is not text"),
        (with("identifier", json!("")), "identifier is not 1 to 64 characters of [A-Za-z0-9._-]"),
        (with("identifier", json!("a b")), "identifier is not 1 to 64 characters of [A-Za-z0-9._-]"),
        (with("identifier", json!("phí")), "identifier is not 1 to 64 characters of [A-Za-z0-9._-]"),
        (with("identifier", json!("a".repeat(64))), "taken"),
        (with("identifier", json!("a".repeat(65))), "identifier is not 1 to 64 characters of [A-Za-z0-9._-]"),
        // The text.
        (with("text", json!(null)), "text is missing"),
        (with("text", json!("Nộp")), "text is not an object"),
        (with("text", json!({"en": "Pay"})), "vi is missing"),
        (with("text", json!({"vi": null})), "vi is not text"),
        (with("text", json!({"vi": "a", "fr": "b"})), "member fr is not known"),
        (with("text", json!({"vi": "a", "en": 1})), "en is not text"),
        (with("text", long(500)), "taken"),
        (with("text", long(501)), "text vi is not up to 500 visible characters on up to 10 lines"),
        (with("text", json!({"vi": "ộ".repeat(500), "en": "ộ".repeat(500)})), "taken"),
        (with("text", lines(10)), "taken"),
        (with("text", lines(11)), "text vi is not up to 500 visible characters on up to 10 lines"),
        (with("text", json!({"vi": "a", "en": ""})), "text en is not up to 500 visible characters on up to 10 lines"),
        // Money, and to whom.
        (with("amount", json!(null)), "taken"),
        (with("amount", json!("150000 VND")), "amount is not an object"),
        (with("amount", json!({"value": "1"})), "currency is missing"),
        (with("amount", json!({"currency": "USD", "value": "1"})), "amount currency is not VND"),
        (with("amount", json!({"currency": "vnd", "value": "1"})), "amount currency is not VND"),
        (with("amount", json!({"currency": "VND"})), "value is missing"),
        (with("amount", json!({"currency": "VND", "value": 150000})), "value is not text"),
        (with("amount", json!({"currency": "VND", "value": "1", "tax": "1"})), "member tax is not known"),
        (with("payee", json!(null)), "taken"),
        (with("payee", json!({"name": "x"})), "payee is not text"),
        (with("payee", json!("")), "payee is not one line of up to 140 visible characters"),
        (with("payee", json!("a\nb")), "payee is not one line of up to 140 visible characters"),
        (with("payee", json!("a".repeat(141))), "payee is not one line of up to 140 visible characters"),
    ];
    for (text, expected) in rows {
        assert_eq!(why(&text), expected, "{}", text.chars().take(200).collect::<String>());
    }
    for value in ["", "0", "01", "-1", "+1", "1.0", "1e3", " 1", "1 ", "١", "1000000000000000", "1,000"] {
        let told = why(&with("amount", json!({"currency": "VND", "value": value})));
        assert_eq!(told, "amount value is not a whole number of dong, as text", "{value:?}");
    }
    assert_eq!(why(&with("amount", json!({"currency": "VND", "value": "999999999999999"}))), "taken");
}

#[test]
fn rg_14_nothing_that_hides_or_turns_the_text() {
    let hiding = "\u{0}\t\r\u{7f}\u{85}\u{ad}\u{61c}\u{200b}\u{200e}\u{202a}\u{202e}\u{2028}\u{2066}\u{2069}\u{2800}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{fffd}\u{e0041}\u{f0000}\u{10fffe}";
    for c in hiding.chars().filter(|c| *c != '\u{fffd}') {
        for member in ["vi", "en"] {
            let mut text = json!({"vi": "a"});
            text[member] = json!(format!("a{c}b"));
            assert_ne!(why(&with("text", text)), "taken", "{:04x}", u32::from(c));
        }
        assert_ne!(why(&with("payee", json!(format!("a{c}b")))), "taken", "{:04x}", u32::from(c));
    }
    for blank in ["", " ", "\n", "\u{a0}", " a", "a ", "a\n", "\u{3000}a"] {
        assert_ne!(why(&with("text", json!({"vi": blank}))), "taken", "{blank:?}");
    }
    for plain in ["a\nb", "Ngô Bảo Châu", "nộp 50%: <b>&amp;\"'", "日本語", "e\u{301}"] {
        assert_eq!(why(&with("text", json!({"vi": plain}))), "taken", "{plain:?}");
    }
}

#[test]
fn rfc9396_10_only_for_clients_that_registered_the_type() {
    let mut client = fixtures::client("rp", "openid");
    let of = |text: &str| Params::of(vec![("authorization_details".to_owned(), text.to_owned())]);
    assert_eq!(asked(&of(""), &client), Ok(None));
    let refused = asked(&of(&whole().to_string()), &client).unwrap_err();
    assert_eq!(refused.told, "authorization_details type is not registered for this client");
    client.requests.authorization_details_types = vec![DetailsType::VnTransaction];
    assert!(asked(&of(&whole().to_string()), &client).unwrap().is_some());
    let twice = Params::parse("authorization_details=&authorization_details=%5B%5D").unwrap();
    for error in [asked(&twice, &client).unwrap_err(), not_at_token_endpoint(&twice).unwrap_err()] {
        assert_eq!(error.code, ErrorCode::InvalidRequest, "a repeated parameter");
    }
    let at_token = |text: &str| not_at_token_endpoint(&of(text)).map_err(|error| error.code);
    assert_eq!((at_token(""), at_token("[]")), (Ok(()), Err(ErrorCode::InvalidAuthorizationDetails)));
}

fn turns(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

proptest! {
    #[test]
    fn whatever_is_taken_is_shown_whole_and_carried_unchanged(
        identifier in "[A-Za-z0-9._/ -]{0,66}", vi in "\\PC{0,40}|.{0,40}|(a|\n){0,40}", en in prop::option::of("\\PC{0,40}|.{0,20}"),
        value in prop::option::of("[0-9]{1,16}"), payee in prop::option::of("\\PC{0,30}"),
    ) {
        let mut one = json!({"type": "vn_transaction", "identifier": identifier, "text": {"vi": vi}});
        if let Some(en) = en { one["text"]["en"] = json!(en); }
        if let Some(value) = value { one["amount"] = json!({"currency": "VND", "value": value}); }
        if let Some(payee) = payee { one["payee"] = json!(payee); }
        let sent = json!([one]);
        if let Ok(taken) = parse(&sent.to_string()) {
            prop_assert_eq!(stated(&taken), sent);
            for text in [Some(&taken.text.vi), taken.text.en.as_ref(), taken.payee.as_ref()].into_iter().flatten() {
                prop_assert!(!text.is_empty() && text.chars().all(|c| c == '\n' || !c.is_control()));
                prop_assert!(!text.chars().any(turns));
            }
        }
    }

    #[test]
    fn no_text_at_all_stops_it(text in "\\PC{0,200}") {
        drop(parse(&text));
        drop(parse(&format!("[{text}]")));
    }
}

#[test]
fn a_spending_is_repeated_by_its_own_server_in_its_own_attempt_only() {
    let spent = |by: &str, attempt: Option<&str>| Spent {
        at: fixtures::at(1),
        by: crate::domain::Id::new(by),
        attempt: attempt.map(str::to_owned),
    };
    for (first, again, expected) in [
        (spent("api", Some("1")), spent("api", Some("1")), true),
        (spent("api", Some("1")), spent("api", Some("2")), false),
        (spent("api", Some("1")), spent("other", Some("1")), false),
        (spent("api", Some("1")), spent("api", None), false),
        (spent("api", None), spent("api", None), false),
        (spent("api", None), spent("api", Some("1")), false),
    ] {
        assert_eq!(is_repeated(&first, &again), expected, "{first:?} {again:?}");
    }
}
