use proptest::prelude::*;
use serde_json::json;

use super::*;

fn taken(claim: &str, value: Value) -> bool {
    accept(ClaimName::find(claim).unwrap(), &value).is_some()
}

#[test]
fn forms_of_papers() {
    for (claim, value, fits) in [
        ("vn_gplx", json!({"number": "010990000001", "class": "B", "expiry": "2030-02-10"}), true),
        ("vn_gplx", json!({"number": "01099000000"}), false),
        ("vn_gplx", json!({"number": "010990000001", "expiry": "10/02/2030"}), false),
        ("vn_gplx", json!("010990000001"), false),
        ("vn_bhyt", json!({"number": "DN4010199000001"}), true),
        ("vn_bhyt", json!({"number": "0199000001"}), true),
        ("vn_bhyt", json!({"number": "DN6010199000001"}), false),
        ("vn_bhyt", json!({"number": "dn4010199000001"}), false),
        ("vn_bhyt", json!({"number": "ĐN4010199000001"}), false),
        ("vn_bhxh", json!({"number": "0199000001"}), true),
        ("vn_bhxh", json!({"number": "099090000001", "months_paid": 142}), true),
        ("vn_bhxh", json!({"number": "09909000001"}), false),
        ("vn_tax_code", json!("099090000001"), true),
        ("vn_tax_code", json!("0100109106"), true),
        ("vn_tax_code", json!("0100109106-001"), true),
        ("vn_tax_code", json!("0100109107"), false),
        ("vn_tax_code", json!("0100109106-01"), false),
        ("vn_tax_code", json!(100_109_106), false),
        ("vn_passport", json!({"number": "P0000001"}), true),
        ("vn_passport", json!({"number": "p0000001"}), false),
        ("vn_passport", json!({"number": "PP000001"}), false),
        (
            "vn_vehicles",
            json!([{"type": "car", "plate": "51F12345"}, {"type": "motorbike", "plate": "59N31234"}]),
            true,
        ),
        ("vn_vehicles", json!([]), true),
        ("vn_vehicles", json!([{"plate": "51F12345"}]), false),
        ("vn_vehicles", json!([{"type": "car", "plate": "51F-123.45"}]), false),
        ("vn_dependants", json!([{"name": "Nguyễn Minh Khôi", "relation": "Con", "birthdate": "2016-06-01"}]), true),
        ("vn_dependants", json!([{"name": " "}]), false),
        ("vn_dependants", json!([{"name": "A", "person_number": "12"}]), false),
        ("vn_previous_ids", json!([{"number": "000000001"}]), true),
        ("vn_previous_ids", json!([{"number": "1"}]), false),
        ("address", json!({"formatted": "Hà Nội", "vn_code": "00166", "vn_code_system": "vn-admin-2025"}), true),
        ("address", json!({"formatted": "Hà Nội", "vn_code": "00166"}), false),
        ("address", json!("Hà Nội"), false),
        ("vn_card_expiry", json!("2030-05-19"), true),
        ("vn_card_expiry", json!("2030-5-19"), false),
        ("vn_ethnicity", json!("Kinh"), true),
        ("vn_ethnicity", json!("Kinh\u{7}"), false),
        ("vn_ethnicity", Value::Null, false),
        ("name", json!(7), false),
    ] {
        assert_eq!(taken(claim, value.clone()), fits, "{claim} {value}");
    }
}

#[test]
fn plates_by_the_type_of_vehicle() {
    for (kind, plate, fits) in [
        ("car", "51F12345", true),
        ("car", "51F1234", true),
        ("car", "51LD12345", true),
        ("car", "51F123456", false),
        ("motorbike", "59N31234", true),
        ("motorbike", "59N312345", true),
        ("motorbike", "59AA12345", true),
        ("motorbike", "59A1234", false),
        ("car", "01F12345", false),
        ("car", "5F12345", false),
        ("boat", "51F12345", false),
        ("car", "51Ư12345", false),
        ("car", "", false),
    ] {
        assert_eq!(is_plate(kind, plate), fits, "{kind} {plate}");
    }
}

#[test]
fn birth_dates_may_be_partial() {
    for good in ["1990", "1990-05", "1990-05-19", "2000-02-29"] {
        assert!(is_birthdate(good), "{good}");
    }
    for bad in ["", "90", "1990-13", "1990-02-30", "19/05/1990", "1990-5-19", "199a"] {
        assert!(!is_birthdate(bad), "{bad}");
    }
}

#[test]
fn what_is_kept_is_nfc() {
    let kept = accept(ClaimName::find("vn_ethnicity").unwrap(), &json!("Ta\u{300}y")).unwrap();
    assert_eq!(kept, json!("Tày"));
}

proptest! {
    #[test]
    fn no_text_breaks_a_form(text in ".{0,40}", kind in "car|motorbike|x") {
        let _ = (is_licence(&text), is_health_card(&text), is_social_number(&text), is_tax_code(&text));
        let _ = (is_passport(&text), is_plate(&kind, &text), is_birthdate(&text), date(&text));
    }

    #[test]
    fn one_digit_changed_breaks_the_check_digit(at in 0_usize..10, by in 1_u32..10) {
        let right: Vec<u32> = "0100109106".chars().map(|c| c.to_digit(10).unwrap()).collect();
        let mut wrong = right.clone();
        wrong[at] = (wrong[at] + by) % 10;
        let text: String = wrong.iter().map(|digit| char::from_digit(*digit, 10).unwrap()).collect();
        prop_assert!(!is_tax_code(&text));
    }
}
