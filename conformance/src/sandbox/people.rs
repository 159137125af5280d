//! People: the seeded holders (`contract.md` 2), as lines of `admin account import` (`contract.md` 5).
//!
//! Prefix 099 is assigned to no province, so no number here is anybody's; names and papers are invented.

use serde_json::{Map, Value, json};

use super::papers;

/// The password of every seeded holder.
pub const PASSWORD: &str = "VNeID#2026";

/// One holder, and what there is to try with it.
pub struct Person {
    pub number: &'static str,
    pub name: &'static str,
    pub phone: &'static str,
    pub door: Door,
    pub hint: &'static str,
}

/// Where a holder is worth trying first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    National,
    Ministry,
    Console,
}

const fn person(
    number: &'static str,
    name: &'static str,
    phone: &'static str,
    door: Door,
    hint: &'static str,
) -> Person {
    Person { number, name, phone, door, hint }
}

pub static PEOPLE: &[Person] = &[
    person(
        "099090000001",
        "Nguyễn Văn An",
        "+84912000001",
        Door::National,
        "level 2, every paper: see the form fill itself, then the second portal",
    ),
    person(
        "099192000002",
        "Trần Thị Bình",
        "+84912000002",
        Door::Ministry,
        "level 1: told which office raises the account; the national portal works",
    ),
    person("099085000003", "Lê Văn Cường", "+84912000003", Door::National, "e-ID locked at the holder's request"),
    person("099195000004", "Phạm Thị Dung", "+84912000004", Door::National, "granted, not activated yet"),
    person(
        "099216000005",
        "Nguyễn Minh Khôi",
        "+84912000005",
        Door::National,
        "a child of ten: Nguyễn Văn An agrees at /identity, or on the same browser",
    ),
    person("099188000006", "Vũ Thị Hạnh", "+84912000006", Door::National, "level 2, identity card expired"),
    person("099080000007", "Hoàng Văn Em", "+84912000007", Door::Console, "officer and operator: open the console"),
    person(
        "099080000008",
        "Đặng Quốc Phong",
        "+84912000008",
        Door::Console,
        "the second pair of eyes; acts for Công ty TNHH Sao Mai at the ministry's portal",
    ),
    person(
        FOREIGNER,
        "Maria Santos",
        "+84912000015",
        Door::Ministry,
        "a foreigner of level 2: no e-ID, a residence permit in its place",
    ),
];

/// A foreigner's number has no stated length (`domain.md` 3.1).
const FOREIGNER: &str = "099000000000009";

/// A firm, by its tax code. It has no password: its representative signs in.
const ORGANISATION: &str = "0990000001";

/// The officer and the second pair of eyes: who may open the console.
pub const OPERATORS: [&str; 2] = ["099080000007", "099080000008"];

/// The import file, one line a holder. `national` is the origin that shows the drawn portrait.
pub fn lines(national: &str) -> Vec<(&'static str, String)> {
    let people = PEOPLE.iter().map(|person| (person.number, record(person, national).to_string()));
    people.chain([("org:0990000001", organisation().to_string())]).collect()
}

fn organisation() -> Value {
    json!({
        "holder": "organisation",
        "code": ORGANISATION,
        "name": "Công ty TNHH Sao Mai",
        "account": {"state": "activated", "email": "lien-he@saomai.example.com"},
        "representatives": [{"person_number": "099080000008", "role": "legal"}],
    })
}

fn record(person: &Person, national: &str) -> Value {
    let (birthdate, gender) = match person.number {
        "099090000001" => ("1990-05-19", "male"),
        "099192000002" => ("1992-11-02", "female"),
        "099085000003" => ("1985-03-08", "male"),
        "099195000004" => ("1995-07-27", "female"),
        "099216000005" => ("2016-06-01", "male"),
        "099188000006" => ("1988-12-22", "female"),
        "099080000007" => ("1980-08-19", "male"),
        FOREIGNER => ("1988-04-12", "female"),
        _ => ("1980-02-03", "male"),
    };
    let mut line = json!({
        "person_number": person.number,
        "name": person.name,
        "birthdate": birthdate,
        "gender": gender,
        "account": {
            "level": 2,
            "state": "activated",
            "password": PASSWORD,
            "phone": person.phone,
        },
        "claims": papers::basic(person.number, person.name),
    });
    let Some(members) = line.as_object_mut() else { return line };
    match person.number {
        "099090000001" => {
            put(members, "account", "email", json!("nguyen.van.an@example.com"));
            members.insert("eid".to_owned(), json!({"state": "active"}));
            members.insert("card".to_owned(), json!({"expires": "2030-05-19"}));
            members.insert("claims".to_owned(), papers::full(national));
        }
        "099192000002" => {
            put(members, "account", "level", json!(1));
            put(members, "account", "email", json!("tran.thi.binh@example.com"));
            members.insert("claims".to_owned(), papers::level_one());
        }
        "099085000003" => {
            members.insert("eid".to_owned(), json!({"state": "locked", "grounds": ["a"]}));
            members.insert("card".to_owned(), json!({"expires": "2045-03-08"}));
        }
        "099195000004" => {
            put(members, "account", "state", json!("granted"));
            members.insert("card".to_owned(), json!({"expires": "2035-07-27"}));
        }
        "099216000005" => {
            members.insert("guardian".to_owned(), json!("099090000001"));
            members.insert("card".to_owned(), json!({"expires": "2030-06-01"}));
        }
        "099188000006" => {
            members.insert("card".to_owned(), json!({"expires": "2023-12-22"}));
        }
        FOREIGNER => {
            members.insert("holder".to_owned(), json!("foreigner"));
            members.insert("nationality".to_owned(), json!("PHL"));
            members.insert("permit".to_owned(), json!({"expires": "2035-01-31"}));
            members.insert("passport".to_owned(), json!({"expires": "2034-06-30"}));
            put(members, "claims", "nationalities", json!(["PHL"]));
            put(members, "claims", "locale", json!("en"));
        }
        "099080000007" => {
            members.insert("card".to_owned(), json!({"expires": "2040-08-19"}));
        }
        _ => {
            members.insert("card".to_owned(), json!({"expires": "2040-02-03"}));
        }
    }
    line
}

fn put(members: &mut Map<String, Value>, object: &str, name: &str, value: Value) {
    if let Some(Value::Object(inner)) = members.get_mut(object) {
        inner.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
