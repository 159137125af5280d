use std::collections::BTreeSet;

use idp::domain::claim::{self, ClaimName};
use idp::domain::person_number::PersonNumber;

use super::*;

fn parsed() -> Vec<Value> {
    lines("http://localhost:8082").iter().map(|(_, line)| serde_json::from_str(line).unwrap()).collect()
}

fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

fn date(text: &str) -> bool {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && text.len() == 10
}

#[test]
fn every_line_is_an_import_line() {
    let people = parsed();
    // And one organisation, which is nobody.
    assert_eq!(people.len(), PEOPLE.len() + 1);
    let mut phones = BTreeSet::new();
    for (line, person) in people.iter().zip(PEOPLE) {
        assert_eq!(line["person_number"], person.number);
        let foreign = line["holder"] == "foreigner";
        assert!(PersonNumber::parse(person.number).is_some() != foreign && person.number.starts_with("099"));
        assert!(date(line["birthdate"].as_str().unwrap()));
        // Century, sex and year stand in the number; ours agree with it so that nothing warns.
        let (year, female) = (&line["birthdate"].as_str().unwrap()[2..4], line["gender"] == "female");
        assert!(foreign || &person.number[4..6] == year);
        assert!(foreign || (person.number.as_bytes()[3] % 2 == 1) == female);
        let phone = line["account"]["phone"].as_str().unwrap();
        assert!(phone.starts_with("+849") && digits(&phone[1..], 11));
        assert!(phones.insert(phone.to_owned()), "{phone}");
        assert_eq!(line["account"]["password"], PASSWORD);
        assert!(line["card"]["expires"].as_str().is_none_or(date));
        let known = ["person_number", "name", "birthdate", "gender", "account", "eid", "card", "guardian", "claims"];
        let foreigners = ["holder", "nationality", "permit", "passport"];
        let known = known.into_iter().chain(foreigners.into_iter().filter(|_| foreign)).collect::<Vec<_>>();
        assert!(line.as_object().unwrap().keys().all(|member| known.contains(&member.as_str())));
    }
}

#[test]
fn states_are_those_of_the_contract() {
    let people = parsed();
    let of = |number: &str| people.iter().find(|line| line["person_number"] == number).unwrap();
    assert_eq!(of("099192000002")["account"]["level"], 1);
    assert_eq!(of("099085000003")["eid"]["grounds"], json!(["a"]));
    assert_eq!(of("099195000004")["account"]["state"], "granted");
    assert_eq!(of("099216000005")["guardian"], "099090000001");
    assert!(of("099188000006")["card"]["expires"].as_str().unwrap() < "2026-01-01");
}

#[test]
fn every_claim_stands_in_the_catalogue_and_is_nfc() {
    for line in parsed() {
        for name in line["claims"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(ClaimName::find(name).is_some(), "{name}");
        }
    }
    for (_, line) in lines("http://localhost:8082") {
        // Combining tone marks would mean decomposed text.
        assert!(!line.chars().any(|c| ('\u{300}'..='\u{36f}').contains(&c)));
    }
}

/// What the import itself derives from the members beside `claims`.
const DERIVED: [&str; 9] = [
    "name",
    "birthdate",
    "gender",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "vn_personal_id",
    "vn_eid_state",
];

#[test]
fn oidc_core_5_1_first_holder_has_every_claim_of_the_catalogue() {
    let people = parsed();
    let claims = people[0]["claims"].as_object().unwrap();
    for entry in claim::CATALOGUE {
        assert!(claims.contains_key(entry.name) || DERIVED.contains(&entry.name), "{}", entry.name);
    }
    assert!(claims.values().all(|value| !value.is_null()));
}

#[test]
fn papers_have_the_formats_of_their_registers() {
    let people = parsed();
    let papers = &people[0]["claims"];
    let text = |pointer: &str| papers.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();

    let bhyt = text("/vn_bhyt/number");
    assert!(bhyt.len() == 15 && bhyt[..2].bytes().all(|b| b.is_ascii_uppercase()));
    assert!(("1"..="5").contains(&&bhyt[2..3]) && digits(&bhyt[3..], 12));
    assert!(digits(&text("/vn_bhxh/number"), 12) && digits(&text("/vn_bhxh/book_number"), 10));
    assert_eq!(bhyt[5..], text("/vn_bhxh/book_number"));
    assert!(digits(&text("/vn_gplx/number"), 12));
    assert!(digits(&text("/vn_tax_code"), 12));
    assert!(digits(&text("/vn_previous_ids/0/number"), 9));
    let passport = text("/vn_passport/number");
    assert!(passport.as_bytes()[0].is_ascii_uppercase() && digits(&passport[1..], 7));

    let car = text("/vn_vehicles/0/plate");
    assert!(digits(&car[..2], 2) && car.as_bytes()[2].is_ascii_uppercase() && digits(&car[3..], 5));
    let bike = text("/vn_vehicles/1/plate");
    assert!(digits(&bike[..2], 2) && bike.as_bytes()[2].is_ascii_uppercase() && digits(&bike[3..], 6));

    for address in ["address", "vn_temporary_address", "vn_current_address"] {
        assert!(digits(&text(&format!("/{address}/vn_code")), 5));
        assert_eq!(text(&format!("/{address}/vn_code_system")), "vn-admin-2025");
        assert!(text(&format!("/{address}/formatted")).ends_with(&text(&format!("/{address}/region"))));
    }
    for moment in ["/vn_card_issue_date", "/vn_card_expiry", "/vn_bhyt/valid_to", "/vn_gplx/expiry"] {
        assert!(date(&text(moment)), "{moment}");
    }
    assert_eq!(text("/vn_card_expiry"), people[0]["card"]["expires"].as_str().unwrap());
    assert!(papers["updated_at"].is_u64());
}
