//! Citizens of the tests, imported through `admin account import`, and the seeded ones of `contract.md` 2.

use serde_json::{Value, json};

use super::relying_party::merge;
use super::{next, sandbox::Sandbox, wire::Visitor};

pub const SEEDED_PASSWORD: &str = "VNeID#2026";

/// Number, name, state: the table of `contract.md` 2.
pub const AN: (&str, &str) = ("099090000001", "Nguyễn Văn An");
pub const BINH: (&str, &str) = ("099192000002", "Trần Thị Bình");
pub const CUONG: (&str, &str) = ("099085000003", "Lê Văn Cường");
pub const DUNG: (&str, &str) = ("099195000004", "Phạm Thị Dung");
pub const KHOI: (&str, &str) = ("099216000005", "Nguyễn Minh Khôi");
pub const HANH: (&str, &str) = ("099188000006", "Vũ Thị Hạnh");
pub const EM: (&str, &str) = ("099080000007", "Hoàng Văn Em");

pub const PHONG: (&str, &str) = ("099080000008", "Đặng Quốc Phong");

#[derive(Clone, Debug)]
pub struct Holder {
    pub number: String,
    pub name: String,
    pub password: String,
    pub phone: String,
}

impl Holder {
    pub fn seeded((number, name): (&str, &str)) -> Holder {
        // The sandbox's phones end as the person numbers do.
        let phone = format!("+8491200000{}", &number[11..]);
        Holder { number: number.to_owned(), name: name.to_owned(), password: SEEDED_PASSWORD.to_owned(), phone }
    }
}

impl Sandbox {
    /// A holder at level 2, activated, e-ID active.
    pub fn citizen(&self) -> Holder {
        self.holder(2, json!({}))
    }

    /// A holder at level 1, activated.
    pub fn beginner(&self) -> Holder {
        self.holder(1, json!({}))
    }

    /// Imports a holder of one's own; members of `patch` replace the defaults.
    pub fn holder(&self, level: u8, patch: Value) -> Holder {
        let (record, holder) = record(level, patch);
        self.import(&[record]);
        holder
    }

    pub fn import(&self, records: &[Value]) {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let file = self.file("accounts.jsonl", &(lines.join("\n") + "\n"));
        self.admin_ok(&["account", "import", file.to_str().unwrap()]);
    }

    pub fn lock(&self, holder: &Holder) {
        self.admin_ok(&["eid", "lock", &holder.number, "--ground", "a", "--authority", "Công an phường Thử Nghiệm"]);
    }

    pub fn unlock(&self, holder: &Holder) {
        self.admin_ok(&["eid", "unlock", &holder.number, "--ground", "a", "--authority", "Công an phường Thử Nghiệm"]);
    }

    /// This holder's trail, oldest first.
    pub fn trail(&self, holder: &Holder) -> Vec<Value> {
        let exported = self.admin_ok(&["trail", "export", &holder.number]);
        exported.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
    }

    pub fn trail_count(&self, holder: &Holder, kind: &str) -> usize {
        self.trail(holder).iter().filter(|event| event["kind"] == json!(kind)).count()
    }

    /// All messages to a phone, newest first.
    pub async fn messages(&self, phone: &str) -> Vec<String> {
        let phone = phone.replace('+', "%2B");
        let answer = Visitor::new(&self.neighbour(4)).get(&format!("/api/messages?to={phone}")).await;
        let messages = answer.json();
        messages.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The newest one-time password sent to a phone, whatever notice came after it.
    pub async fn otp(&self, phone: &str) -> String {
        let messages = self.messages(phone).await;
        first_six_digits(messages.iter().find(|text| text.contains("Ma xac thuc")).expect("a code was sent"))
    }
}

/// A record for `account import` and the holder it makes.
pub fn record(level: u8, patch: Value) -> (Value, Holder) {
    let n = next();
    let number = format!("09909{:07}", 1_000_000 + n);
    let phone = format!("+84990{n:06}");
    let holder = Holder {
        number: number.clone(),
        name: format!("Đoàn Thị Quỳnh Hương {}", letters(n)),
        password: format!("Mật khẩu thử {n} #Hương"),
        phone: phone.clone(),
    };
    let eid = if level == 2 { json!({"state": "active", "grounds": []}) } else { Value::Null };
    let mut claims = json!({
        "family_name": "Đoàn",
        "given_name": "Hương",
        "nickname": "Hương",
        "locale": "vi-VN",
        "zoneinfo": "Asia/Ho_Chi_Minh",
    });
    if level == 2 {
        merge(
            &mut claims,
            json!({
                "address": {"formatted": "Số 7 phố Thử Nghiệm, Hà Nội", "country": "VN"},
                "vn_ethnicity": "Kinh",
                "vn_hometown": "Xã Thử Nghiệm, Hà Nội",
            }),
        );
    }
    let mut record = json!({
        "person_number": number,
        "name": holder.name,
        "birthdate": "1990-04-30",
        "gender": "female",
        "account": {
            "level": level,
            "state": "activated",
            "password": holder.password,
            "phone": phone,
            "email": format!("huong{n}@thu-nghiem.vn"),
        },
        "eid": eid,
        "card": {"expires": "2040-04-30"},
        "claims": claims,
    });
    merge(&mut record, patch);
    (record, holder)
}

/// A number written in letters, so that names differ without digits.
fn letters(mut n: u64) -> String {
    let mut out = String::new();
    while n > 0 {
        out.push(char::from(b'a' + u8::try_from(n % 26).unwrap()));
        n /= 26;
    }
    out
}

pub fn first_six_digits(text: &str) -> String {
    let mut run = String::new();
    for c in text.chars().chain([' ']) {
        match (c.is_ascii_digit(), run.len()) {
            (true, _) => run.push(c),
            (false, 6) => return run,
            (false, _) => run.clear(),
        }
    }
    panic!("no six digits in the message")
}
