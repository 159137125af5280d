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
    pub vi: &'static str,
    pub en: &'static str,
}

const fn person(
    number: &'static str,
    name: &'static str,
    phone: &'static str,
    vi: &'static str,
    en: &'static str,
) -> Person {
    Person { number, name, phone, vi, en }
}

pub static PEOPLE: &[Person] = &[
    person(
        "099090000001",
        "Nguyễn Văn An",
        "+84912000001",
        "mức 2, đủ giấy tờ: đăng nhập cả hai cổng",
        "level 2, every paper: sign in at both portals",
    ),
    person(
        "099192000002",
        "Trần Thị Bình",
        "+84912000002",
        "mức 1: Cổng quốc gia được, BHXH thì không",
        "level 1: national portal yes, Social Security no",
    ),
    person(
        "099085000003",
        "Lê Văn Cường",
        "+84912000003",
        "căn cước điện tử bị khóa theo căn cứ a",
        "e-ID locked on ground a",
    ),
    person("099195000004", "Phạm Thị Dung", "+84912000004", "chưa kích hoạt tài khoản", "granted, not activated"),
    person(
        "099216000005",
        "Nguyễn Minh Khôi",
        "+84912000005",
        "trẻ em, người giám hộ là Nguyễn Văn An",
        "a child, guardian Nguyễn Văn An",
    ),
    person("099188000006", "Vũ Thị Hạnh", "+84912000006", "mức 2, thẻ căn cước hết hạn", "level 2, card expired"),
    person(
        "099080000007",
        "Hoàng Văn Em",
        "+84912000007",
        "cán bộ: mở trang quản trị",
        "officer and operator: open the console",
    ),
    person(
        "099080000008",
        "Đặng Quốc Phong",
        "+84912000008",
        "cán bộ thứ hai, cho việc cần hai người",
        "the second pair of eyes",
    ),
];

/// The officer and the second pair of eyes: who may open the console.
pub const OPERATORS: [&str; 2] = ["099080000007", "099080000008"];

/// The import file, one line a holder. `national` is the origin that shows the drawn portrait.
pub fn lines(national: &str) -> Vec<(&'static str, String)> {
    PEOPLE.iter().map(|person| (person.number, record(person, national).to_string())).collect()
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
