//! Site: what the two portals are, as data: their words, what each errand asks the provider for, and the form it fills.

use openidconnect::CsrfToken;
use serde_json::{Value, json};

use super::clients::{MINISTRY, NATIONAL, RESIDENCE};
use super::page::Text;

/// A line of a form and the claim it is filled from.
pub struct Line {
    pub label: Text,
    pub claim: &'static str,
    /// A member of the claim's object, or the claim itself when empty.
    pub member: &'static str,
}

/// Something a citizen comes for. The provider decides what it takes; the portal checks what came back.
pub struct Errand {
    pub name: &'static str,
    pub path: &'static str,
    pub title: Text,
    pub scopes: &'static [&'static str],
    pub acr: &'static str,
    pub service: Option<&'static str>,
    pub form: &'static [Line],
    /// What is paid, where the errand is a payment.
    pub fee: Option<Fee>,
}

/// A payment the citizen approves at the provider.
pub struct Fee {
    pub text: Text,
    /// Whole đồng.
    pub amount: u32,
    pub payee: &'static str,
}

pub struct Site {
    pub client: &'static str,
    /// Cookies ignore ports, so each portal on localhost needs its own name.
    pub cookie: &'static str,
    pub language_cookie: &'static str,
    pub name: Text,
    pub lead: Text,
    pub accent: &'static str,
    /// An SVG picture; the provider shows it at sign-in.
    pub logo: &'static str,
    /// The first is what `#sign-in` starts.
    pub errands: &'static [Errand],
}

impl Site {
    pub fn errand(&self, name: &str) -> Option<&'static Errand> {
        self.errands.iter().find(|errand| errand.name == name)
    }
}

impl Fee {
    /// The fee as a transaction with a reference of its own (RFC 9396 §2).
    pub fn details(&self) -> Value {
        json!([{
            "type": "vn_transaction",
            "identifier": format!("BHYT-{}", CsrfToken::new_random_len(12).secret()),
            "text": {"vi": self.text.vi, "en": self.text.en},
            "amount": {"currency": "VND", "value": self.amount.to_string()},
            "payee": self.payee,
        }])
    }
}

impl Errand {
    /// Whether the level the ID token states is enough for this errand. A portal decides on `acr`, never on `amr`.
    pub fn is_met_by(&self, acr: Option<&str>) -> bool {
        acr.is_some_and(|acr| {
            acr == self.acr
                || acr.strip_prefix(self.acr).is_some_and(|rest| rest.starts_with(':'))
                || (self.acr == ONE && (acr == TWO || acr.starts_with("urn:vn:eid:muc:2:")))
        })
    }
}

const ONE: &str = "urn:vn:eid:muc:1";
const TWO: &str = "urn:vn:eid:muc:2";

const fn text(vi: &'static str, en: &'static str) -> Text {
    Text { vi, en }
}

const fn line(vi: &'static str, en: &'static str, claim: &'static str) -> Line {
    Line { label: text(vi, en), claim, member: "" }
}

const fn part(vi: &'static str, en: &'static str, claim: &'static str, member: &'static str) -> Line {
    Line { label: text(vi, en), claim, member }
}

const NAME: Line = line("Họ, chữ đệm và tên", "Full name", "name");
const NUMBER: Line = line("Số định danh cá nhân", "Personal identification number", "vn_personal_id");
const BIRTH: Line = line("Ngày, tháng, năm sinh", "Date of birth", "birthdate");
const GENDER: Line = line("Giới tính", "Gender", "gender");
const PHONE: Line = line("Số điện thoại", "Mobile number", "phone_number");

pub static NATIONAL_SITE: Site = Site {
    client: NATIONAL,
    cookie: "__Host-national-portal",
    language_cookie: "__Host-national-portal-language",
    name: text("Cổng Dịch vụ công quốc gia", "National Public Service Portal"),
    lead: text(
        "Nộp hồ sơ trực tuyến. Đăng nhập một lần bằng tài khoản định danh điện tử, tờ khai tự điền sẵn.",
        "Apply online. Sign in once with your electronic identity account, and forms fill themselves.",
    ),
    accent: "red",
    logo: include_str!("pages/logo-national.svg"),
    errands: &[
        Errand {
            name: "information",
            path: "/",
            title: text("Tờ khai thông tin chung", "General information form"),
            scopes: &["openid", "profile", "email", "phone", "address", "vn_identity", "vn_eid_status"],
            acr: ONE,
            service: None,
            form: &[
                NAME,
                NUMBER,
                BIRTH,
                GENDER,
                PHONE,
                line("Thư điện tử", "Email", "email"),
                line("Nơi thường trú", "Permanent residence", "address"),
            ],
            fee: None,
        },
        Errand {
            name: "dossier",
            path: "/dossier",
            title: text("Tờ khai thay đổi thông tin cư trú (CT01)", "Change of residence form (CT01)"),
            scopes: &["openid", "profile", "email", "phone", "address", "vn_identity", "vn_eid_status"],
            acr: TWO,
            service: Some(RESIDENCE),
            form: &[
                NAME,
                NUMBER,
                BIRTH,
                GENDER,
                PHONE,
                line("Thư điện tử", "Email", "email"),
                part("Chủ hộ", "Head of household", "vn_household_head", "name"),
                line("Quan hệ với chủ hộ", "Relation to head of household", "vn_relation_to_head"),
                line("Tình trạng hôn nhân", "Marital status", "vn_marital_status"),
                line("Nơi thường trú", "Permanent residence", "address"),
                line("Nơi tạm trú", "Temporary residence", "vn_temporary_address"),
                line("Nơi ở hiện tại", "Current address", "vn_current_address"),
                line("Nội dung đề nghị", "What you apply for", ""),
            ],
            fee: None,
        },
    ],
};

const INSURANCE: &[&str] = &[
    "openid",
    "profile",
    "phone",
    "vn_identity",
    "vn_eid_status",
    "vn_social_insurance",
    "vn_health_insurance",
    "vn_dependants",
];

pub static MINISTRY_SITE: Site = Site {
    client: MINISTRY,
    cookie: "__Host-social-security",
    language_cookie: "__Host-social-security-language",
    name: text("Cổng Bảo hiểm xã hội Việt Nam", "Viet Nam Social Security Portal"),
    lead: text(
        "Tra cứu quá trình đóng bảo hiểm và gia hạn thẻ. Cần tài khoản mức độ 2 và mã gửi tới điện thoại.",
        "See your contributions and renew your card. Needs a level-2 account and a code sent to your phone.",
    ),
    accent: "blue",
    logo: include_str!("pages/logo-ministry.svg"),
    errands: &[
        Errand {
            name: "insurance",
            path: "/",
            title: text("Tờ khai gia hạn bảo hiểm (TK1-TS)", "Insurance renewal form (TK1-TS)"),
            scopes: INSURANCE,
            acr: TWO,
            service: None,
            form: &[
                NAME,
                NUMBER,
                BIRTH,
                GENDER,
                PHONE,
                part("Mã số bảo hiểm xã hội", "Social insurance number", "vn_bhxh", "number"),
                part("Số sổ bảo hiểm xã hội", "Insurance book number", "vn_bhxh", "book_number"),
                part("Số tháng đã đóng", "Months paid", "vn_bhxh", "months_paid"),
                part("Số thẻ bảo hiểm y tế", "Health insurance card", "vn_bhyt", "number"),
                part("Thẻ có giá trị đến", "Card valid until", "vn_bhyt", "valid_to"),
                part("Nơi khám chữa bệnh ban đầu", "First-visit hospital", "vn_bhyt", "facility"),
                line("Người phụ thuộc", "Dependants", "vn_dependants"),
            ],
            fee: None,
        },
        Errand {
            name: "pay",
            path: "/",
            title: text("Đóng bảo hiểm y tế hộ gia đình", "Household health insurance"),
            scopes: INSURANCE,
            acr: TWO,
            service: None,
            form: &[],
            fee: Some(Fee {
                text: text(
                    "Đóng bảo hiểm y tế hộ gia đình cho người thứ nhất.\nThời hạn: 12 tháng, từ ngày 01/01/2027.",
                    "Household health insurance for the first member.\nTerm: 12 months from 1 January 2027.",
                ),
                amount: 1_263_600,
                payee: "Bảo hiểm xã hội Việt Nam",
            }),
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::super::clients::registrations;
    use super::super::ports::Ports;
    use super::*;

    #[test]
    fn a_higher_level_meets_a_lower_errand_and_never_the_other_way() {
        let [information, dossier] = NATIONAL_SITE.errands else { panic!("two errands") };
        for (acr, one, two) in [
            (Some("urn:vn:eid:muc:1"), true, false),
            (Some("urn:vn:eid:muc:2"), true, true),
            (Some("urn:vn:eid:muc:2:xac-thuc:3"), true, true),
            (Some("urn:vn:eid:muc:20"), false, false),
            (Some("urn:vn:eid:xac-thuc:2"), false, false),
            (None, false, false),
        ] {
            assert_eq!((information.is_met_by(acr), dossier.is_met_by(acr)), (one, two), "{acr:?}");
        }
    }

    #[test]
    fn every_errand_asks_what_is_registered_and_fills_what_a_purpose_names() {
        let registrations = registrations(Ports::from_base(8080).unwrap(), |_| String::new());
        for site in [&NATIONAL_SITE, &MINISTRY_SITE] {
            let own = registrations.iter().find(|all| all["client_id"] == site.client).unwrap();
            let scope: Vec<&str> = own["scope"].as_str().unwrap().split(' ').collect();
            let purposes = own["vn_purposes"].to_string();
            for errand in site.errands {
                assert!(errand.scopes.iter().all(|asked| scope.contains(asked)), "{}", errand.name);
                for line in errand.form.iter().filter(|line| !line.claim.is_empty()) {
                    assert!(purposes.contains(&format!("\"{}\"", line.claim)), "{}", line.claim);
                }
            }
        }
    }
}
