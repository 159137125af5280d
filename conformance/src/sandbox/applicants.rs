//! Applicants: people the sample population database knows who have no account yet, each with what there is to try. Prefix
//! 099 is assigned to no province, so no number here is anybody's.

use serde_json::{Value, json};

/// What a person types on the registration page.
pub struct Applicant {
    pub number: &'static str,
    pub name: &'static str,
    pub birthdate: &'static str,
    pub gender: &'static str,
    pub phone: &'static str,
    pub hint: &'static str,
}

const fn applicant(
    (number, name): (&'static str, &'static str),
    birthdate: &'static str,
    gender: &'static str,
    phone: &'static str,
    hint: &'static str,
) -> Applicant {
    Applicant { number, name, birthdate, gender, phone, hint }
}

pub static APPLICANTS: &[Applicant] = &[
    applicant(
        ("099198000009", "Ngô Thị Mai"),
        "1998-03-12",
        "female",
        "+84912000009",
        "register: approved within seconds, activate, sign in",
    ),
    applicant(
        ("099097000010", "Bùi Đức Long"),
        "1997-10-30",
        "male",
        "+84912000010",
        "register: approved, with papers",
    ),
    applicant(
        ("099199000014", "Nguyễn Thị Hoà"),
        "1999-01-05",
        "female",
        "+84912000014",
        "register as «Nguyễn Thị Hòa»: the other spelling of the tone matches",
    ),
    applicant(
        ("099075000011", "Trịnh Văn Nam"),
        "1975-04-30",
        "male",
        "+84912000011",
        "register: refused, the identity card has expired",
    ),
    applicant(
        ("099188000013", "Lý Thị Hoa"),
        "1988-06-16",
        "female",
        "+84912000013",
        "register: refused, the population database holds other data",
    ),
    applicant(
        ("099314000012", "Đỗ Gia Hân"),
        "2014-09-02",
        "female",
        "+84912000012",
        "register: refused, a child is registered by a guardian",
    ),
];

/// The record the population database holds.
pub fn record(applicant: &Applicant) -> Value {
    let expires = if applicant.number == "099075000011" { "2025-04-30" } else { "2039-12-31" };
    // What is on record of this one is never what the applicant says.
    let name = if applicant.number == "099188000013" { "Lý Thị Hoa Ban" } else { applicant.name };
    json!({
        "person_number": applicant.number,
        "name": name,
        "birthdate": applicant.birthdate,
        "gender": applicant.gender,
        "card": {"status": "valid", "issued": "2022-08-01", "expires": expires},
        "deceased": false,
        "papers": {
            "nationalities": ["VNM"],
            "vn_card_issue_date": "2022-08-01",
            "vn_card_expiry": expires,
            "vn_card_status": "valid",
            "vn_dependants": dependants(applicant.number),
        },
    })
}

fn dependants(number: &str) -> Value {
    match number {
        "099097000010" => json!([{"name": "Bùi Ngọc Anh", "relation": "Con", "birthdate": "2022-12-24"}]),
        _ => json!([]),
    }
}
