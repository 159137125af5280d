//! One of every page with everything on it, for tests and for looking at.

mod elsewhere;
mod enrolment;
mod factors;
mod own;
mod represent;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::domain::claim::ClaimName;
use crate::domain::consent::{Bilingual, Purpose};
use crate::domain::relying_party::LegalBasis;
use crate::domain::transaction::{self as domain, Dong, Words};

/// Name, `data-page`, HTML.
type Page = (String, &'static str, String);

pub(super) const TOKEN: &str = "dG9rZW4tb2YtdGhlLWZvcm0";

pub(super) fn frame(language: &'static str, page: &str) -> Frame {
    Frame {
        language,
        chosen: language == "en",
        address: format!("/{page}?interaction=0198c2f0"),
        form_token: TOKEN.to_owned(),
    }
}

pub(super) fn asker(language: &str) -> Asker {
    let english = language == "en";
    Asker {
        name: if english { "National Public Service Portal" } else { "Cổng Dịch vụ công quốc gia" }.to_owned(),
        organisation: if english { "Office of the Government" } else { "Văn phòng Chính phủ" }.to_owned(),
        logo: None,
        site: Some("https://dichvucong.gov.vn".to_owned()),
        policy: Some("https://dichvucong.gov.vn/policy".to_owned()),
        terms: Some("https://dichvucong.gov.vn/terms".to_owned()),
    }
}

fn claim(name: &str) -> ClaimName {
    ClaimName::find(name).unwrap()
}

pub(super) fn values() -> BTreeMap<ClaimName, Value> {
    let pairs = [
        ("name", json!("Nguyễn Văn An")),
        ("birthdate", json!("1990-02-03")),
        ("gender", json!("male")),
        ("email", json!("an.nguyen@example.vn")),
        ("email_verified", json!(true)),
        ("phone_number", json!("+84912345678")),
        ("phone_number_verified", json!(true)),
        ("vn_personal_id", json!("099090000001")),
        ("address", json!({"formatted": "Số 1 phố Huế, phường Hai Bà Trưng, thành phố Hà Nội"})),
        ("vn_ethnicity", json!("Kinh")),
        ("vn_bhyt", json!({"number": "DN4010123456789", "hospital": "Bệnh viện Bạch Mai", "valid_to": "2026-12-31"})),
        (
            "vn_vehicles",
            json!([{"plate": "51F12345", "type": "car", "brand": "Toyota"}, {"plate": "59AA12345", "type": "motorbike"}]),
        ),
    ];
    pairs.into_iter().map(|(name, value)| (claim(name), value)).collect()
}

pub(super) fn purpose(id: &str, vi: &str, en: &str) -> Purpose {
    Purpose {
        id: id.to_owned(),
        title: Bilingual { vi: vi.to_owned(), en: en.to_owned() },
        claims: Vec::new(),
        required: Vec::new(),
        sensitive_reason: None,
    }
}

pub(super) fn consent(language: &'static str, basis: LegalBasis) -> Consent {
    let fill = purpose("dossier", "Điền sẵn tờ khai trực tuyến", "Fill in your online form");
    let mut health = purpose("health", "Liên thông bảo hiểm y tế", "Link your health insurance");
    health.sensitive_reason = Some(Bilingual {
        vi: "Cần số thẻ bảo hiểm y tế để chuyển hồ sơ đến cơ quan bảo hiểm.".to_owned(),
        en: "The card number is needed to forward your dossier to the insurer.".to_owned(),
    });
    let names = |names: &[&str]| names.iter().map(|name| claim(name)).collect::<Vec<_>>();
    let values = values();
    let purposes = vec![
        PurposeView::of(
            &fill,
            &names(&["name", "birthdate", "vn_personal_id"]),
            &names(&["gender", "email", "email_verified", "phone_number", "address", "vn_vehicles", "vn_tax_code"]),
            &values,
            language,
        ),
        PurposeView::of(&health, &names(&["vn_bhyt"]), &names(&["phone_number", "vn_ethnicity"]), &values, language),
    ];
    Consent {
        frame: frame(language, "consent"),
        asker: asker(language),
        service: None,
        holder: "Nguyễn Văn An".to_owned(),
        servers: vec![ServerView {
            name: if language == "en" { "Dossier registry" } else { "Kho hồ sơ điện tử" }.to_owned(),
            resource: "https://kho-ho-so.dichvucong.gov.vn/api/dossiers".to_owned(),
        }],
        purposes,
        offline: true,
        basis,
    }
}

pub(super) fn act() -> domain::Transaction {
    domain::Transaction {
        identifier: "LP-2026-000123".to_owned(),
        text: Words {
            vi: "Nộp lệ phí cấp hộ chiếu.\nHồ sơ <b>số 12</b>.".to_owned(),
            en: Some("Pay the passport fee.\nDossier <b>12</b>.".to_owned()),
        },
        amount: Some(Dong(200_000)),
        payee: Some("Cục Quản lý xuất nhập cảnh".to_owned()),
    }
}

pub(super) fn transaction(language: &'static str) -> Transaction {
    Transaction::of(frame(language, "transaction"), asker(language), "Nguyễn Văn An".to_owned(), &act())
}

pub(super) fn sign_in(language: &'static str) -> SignIn {
    SignIn {
        frame: frame(language, "sign-in"),
        asker: Some(asker(language)),
        service: None,
        person_number: String::new(),
        again: false,
        problem: None,
        passkey: Some(factors::form()),
        passkey_problem: None,
        upstreams: vec![elsewhere::way("authority", false), elsewhere::way("old-portal", true)],
    }
}

pub(super) fn otp(language: &'static str) -> Otp {
    Otp {
        frame: frame(language, "otp"),
        asker: Some(asker(language)),
        service: Some(if language == "en" { "Passport" } else { "Cấp hộ chiếu phổ thông" }.to_owned()),
        phone: sign_in::masked_phone("+84912345678"),
        minutes: 5,
        remaining: Some(3),
        sent_again: false,
        problem: None,
        app: false,
        use_sms: false,
        use_app: None,
        use_passkey: None,
    }
}

pub(super) fn error(language: &'static str, code: &str, told: &str) -> ErrorPage {
    ErrorPage {
        frame: Frame { address: String::new(), form_token: String::new(), ..frame(language, "error") },
        code: code.to_owned(),
        told: told.to_owned(),
        clause: Some("RFC 6749 §3.1.2.4".to_owned()),
        reference: "7f3c9a".to_owned(),
    }
}

pub(super) fn form_post(language: &'static str) -> FormPost {
    FormPost {
        frame: Frame { address: String::new(), form_token: String::new(), ..frame(language, "form-post") },
        action: "https://portal.example.vn/back".to_owned(),
        client: asker(language).name,
        fields: vec![("code".to_owned(), "abc".to_owned()), ("iss".to_owned(), "https://id.example.vn".to_owned())],
    }
}

/// Every page: a name for it, its `data-page`, its HTML.
pub(super) fn all(language: &'static str) -> Vec<Page> {
    let mut pages = of_an_interaction(language);
    pages.extend(represent::pages(language));
    pages.extend(own::pages(language));
    pages.extend(enrolment::pages(language));
    pages.extend(elsewhere::pages(language));
    pages.extend(factors::pages(language));
    pages
}

fn of_an_interaction(language: &'static str) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut add = |name: &str, page, html: Result<String, Fault>| pages.push((name.to_owned(), page, html.unwrap()));
    add("home", "home", Home { frame: Frame { address: "/".to_owned(), ..frame(language, "") } }.render());
    add("sign-in", "sign-in", sign_in(language).render());
    for problem in SignInProblem::ALL {
        let page = SignIn {
            problem: Some(problem),
            person_number: "099090000001".to_owned(),
            again: true,
            ..sign_in(language)
        };
        add(&format!("sign-in-{}", problem.key()), "sign-in", page.render());
    }
    add("otp", "otp", otp(language).render());
    add("otp-sent", "otp", Otp { sent_again: true, ..otp(language) }.render());
    for problem in OtpProblem::ALL {
        add(&format!("otp-{}", problem.key()), "otp", Otp { problem: Some(problem), ..otp(language) }.render());
    }
    add("consent", "consent", consent(language, LegalBasis::Consent).render());
    add("consent-law", "consent", consent(language, LegalBasis::Law).render());
    add("transaction", "transaction", transaction(language).render());
    for lack in Lack::ALL {
        let page = Level { frame: frame(language, "level"), asker: Some(asker(language)), service: None, lack };
        add(&format!("level-{}", lack.key()), "level", page.render());
    }
    for reason in Reason::ALL {
        let page = Stop {
            frame: frame(language, reason.page()),
            reason,
            asker: Some(asker(language)),
            back: true,
            retry: matches!(reason, Reason::Busy { .. }).then(|| "/sign-in?interaction=0198c2f0".to_owned()),
            reference: matches!(reason, Reason::Busy { .. }).then(|| "7f3c9a".to_owned()),
        };
        add(reason.page(), reason.page(), page.render());
    }
    let sign_out = SignOut {
        frame: frame(language, "sign-out"),
        client: Some(asker(language).name),
        portals: vec![asker(language).name, "Bảo hiểm xã hội Việt Nam".to_owned()],
        fields: vec![("state".to_owned(), "xyz".to_owned())],
        stay: Some("/identity".to_owned()),
    };
    add("sign-out", "sign-out", sign_out.render());
    let back = Some((asker(language).name, "https://portal.example.vn/bye".to_owned()));
    add(
        "signed-out",
        "signed-out",
        SignedOut { frame: frame(language, "signed-out"), back: back.clone(), frames: vec![] }.render(),
    );
    let frames = vec!["https://portal.example.vn/out?iss=i&sid=s".to_owned()];
    add("signed-out-frames", "signed-out", SignedOut { frame: frame(language, "signed-out"), back, frames }.render());
    add("error", "error", error(language, "invalid_request", "redirect_uri is not registered").render());
    add("form-post", "form-post", form_post(language).render());
    pages
}
