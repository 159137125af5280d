//! One of every page with everything on it, for tests and for looking at.

#[path = "enrol_samples.rs"]
mod enrolment;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::credentials::{Credentials, Note, UnderWay};
use super::identity::{ConsentLine, Done, PurposeLine, ReleaseLine, SessionLine, TransactionLine};
use super::own_lock::{Lock, LockDone, LockProblem, Stage, Unlock};
use super::recover::{Place, Problem, Recover};
use super::safety::{CaseLine, DeviceLine};
use super::transaction::Act;
use super::upstream::{Asked, LinkLine, LinkPage, UpstreamStop, Way};
use super::*;
use crate::domain::agent::Agent;
use crate::domain::change::{Asked as Change, What};
use crate::domain::claim::ClaimName;
use crate::domain::confirmation::Stage as Waits;
use crate::domain::consent::{Bilingual, Purpose};
use crate::domain::recovery::Ending;
use crate::domain::relying_party::LegalBasis;
use crate::domain::transaction::{self as domain, Dong, Words};
use crate::domain::{Factor, Holder, Id, Moment};
use crate::flow::acting::Offered;
use crate::flow::guardian::Waiting;

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

fn identity(language: &'static str) -> Identity {
    let at = Moment::from_unix(1_767_200_400);
    let session = |id: &str, here, factors| SessionLine {
        id: id.to_owned(),
        here,
        opened_at: at,
        seen_at: at,
        factors,
        portals: vec![asker(language).name],
        agent: Some(Agent::kept("chrome/android")),
    };
    Identity {
        frame: Frame { address: "/identity".to_owned(), ..frame(language, "identity") },
        name: "Nguyễn Văn An".to_owned(),
        person_number: "099••••••001".to_owned(),
        account_level: Some(2),
        authentication_level: 2,
        eid_active: Some(true),
        sessions: vec![
            session("s1", true, vec![Factor::Password, Factor::SmsOtp]),
            session("s2", false, vec![Factor::Password]),
        ],
        consents: vec![ConsentLine {
            client_id: "national-portal".to_owned(),
            name: asker(language).name,
            organisation: asker(language).organisation,
            purposes: vec![
                PurposeLine {
                    title: "Điền sẵn tờ khai trực tuyến".to_owned(),
                    claims: ["name", "birthdate"].map(|name| claim(name).label(language).to_owned()).to_vec(),
                    decided_at: at,
                },
                PurposeLine { title: "Thống kê".to_owned(), claims: Vec::new(), decided_at: at },
            ],
            offline: true,
        }],
        releases: vec![ReleaseLine {
            at,
            portal: asker(language).name,
            purpose: "Điền sẵn tờ khai trực tuyến".to_owned(),
            claims: ["name", "birthdate"].map(|name| claim(name).label(language).to_owned()).to_vec(),
            grant: Some("g1".to_owned()),
        }],
        transactions: vec![TransactionLine {
            at,
            portal: asker(language).name,
            act: Act::of(&act(), language),
            spent_at: Some(at),
        }],
        credentials: credentials(),
        links: vec![LinkLine {
            id: "0198c2f1".to_owned(), name: "Cơ quan định danh khác".to_owned(), linked_at: at
        }],
        linkable: vec![way("second", false)],
        requests: vec![super::acting::RequestLine {
            id: "r1".to_owned(),
            ward: "Nguyễn Minh Khôi".to_owned(),
            portal: asker(language).name,
            service: Some("Đăng ký thường trú".to_owned()),
            purposes: vec!["Điền sẵn tờ khai trực tuyến".to_owned()],
            asked_at: at,
            expires_at: at,
            network: "203.0.113.•".to_owned(),
        }],
        done: Some(Done::Withdrawn),
        passkeys: Some(samples_factors::lines()),
        totp: Some(at),
        devices: devices(at),
        cases: cases(at),
    }
}

fn devices(at: Moment) -> Vec<DeviceLine> {
    let device = |handle: &str, agent: Option<&str>, here| DeviceLine {
        handle: handle.to_owned(),
        agent: agent.map(Agent::kept),
        first_seen_at: agent.map(|_| at),
        seen_at: at,
        here,
    };
    vec![
        device("d1", Some("firefox/windows"), true),
        device("d2", Some("safari/iphone"), false),
        device("d3", None, false),
    ]
}

fn cases(at: Moment) -> Vec<CaseLine> {
    let case = |number: &str, about, steps, note: Option<&str>| CaseLine {
        number: number.to_owned(),
        about,
        steps,
        is_open: note.is_none(),
        note: note.map(str::to_owned),
    };
    vec![
        case("HS-7K3F9Q2M", "session", vec![("opened", at), ("looked_at", at)], None),
        case(
            "HS-22222222",
            "device",
            vec![("opened", at), ("closed", at)],
            Some("Đã xác minh: thiết bị của người nhà."),
        ),
        case("HS-33333333", "release", vec![("opened", at)], None),
    ]
}

fn lock(language: &'static str, problem: Option<LockProblem>) -> Lock {
    Lock {
        frame: frame(language, "lock"),
        name: "Nguyễn Văn An".to_owned(),
        person_number: "099••••••001".to_owned(),
        has_eid: problem.is_none(),
        password: problem.is_some(),
        portals: vec![asker(language).name, "Bảo hiểm xã hội Việt Nam".to_owned()],
        problem,
    }
}

fn unlock_stages() -> Vec<(&'static str, Stage)> {
    let password = |problem| Stage::Password { person_number: "099090000001".to_owned(), problem };
    let code =
        |problem, sent_again| Stage::Code { phone: "091••••678".to_owned(), minutes: 5, problem, sent_again };
    vec![
        ("unlock", password(None)),
        ("unlock-wrong", password(Some(SignInProblem::Wrong))),
        ("unlock-code", code(None, true)),
        ("unlock-code-wrong", code(Some(OtpProblem::Wrong), false)),
        ("unlock-not-locked", Stage::NotLocked),
        ("unlock-other-ground", Stage::OtherGround),
        ("unlock-no-phone", Stage::NoPhone),
        ("unlock-opened", Stage::Opened { still_locked: false }),
        ("unlock-still-locked", Stage::Opened { still_locked: true }),
    ]
}

fn credentials() -> Credentials {
    let at = Moment::from_unix(1_767_200_400);
    Credentials {
        phone: Some("+84912345678".to_owned()),
        has_password: true,
        change: None,
        phone_counts_from: Some(at),
        recovered_at: Some(at),
        recovery: Some(at),
        note: Note::find("wrong_password"),
    }
}

fn changing(language: &'static str, what: What, asked: Change) -> Identity {
    let change = Some(UnderWay { what, asked, phone: "+84987654321".to_owned() });
    Identity { credentials: Credentials { change, note: Note::find("sent"), ..credentials() }, ..identity(language) }
}

pub(super) fn recover(language: &'static str, place: Place) -> Recover {
    Recover {
        frame: Frame { address: "/recover?again=1".to_owned(), ..frame(language, "recover") },
        place,
        person_number: "099090000001".to_owned(),
        minutes: 5,
        hours: 24,
        problem: None,
    }
}

pub(super) fn sign_in(language: &'static str) -> SignIn {
    SignIn {
        frame: frame(language, "sign-in"),
        asker: Some(asker(language)),
        service: None,
        person_number: String::new(),
        again: false,
        problem: None,
        passkey: Some(samples_factors::form()),
        passkey_problem: None,
        upstreams: vec![way("authority", false), way("old-portal", true)],
    }
}

fn way(name: &str, ended: bool) -> Way {
    let address = format!("/upstream/{name}?interaction=0198c2f0");
    Way { name: name.to_owned(), label: "Cơ quan định danh khác".to_owned(), address, ended }
}

fn link(language: &'static str, asked: Asked) -> LinkPage {
    let frame = Frame { address: "/link?proof=0198c2f0".to_owned(), ..frame(language, "link") };
    LinkPage { frame, upstream: "Cơ quan định danh khác".to_owned(), asked }
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

fn qr(language: &'static str, stage: &'static str) -> super::qr::Qr {
    super::qr::Qr {
        frame: frame(language, "qr"),
        asker: Some(asker(language)),
        service: None,
        payload: "https://id.example.vn/app#dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
        number: "42".to_owned(),
        stage,
        contested: stage == "scanned",
        needed: (stage == "scanned").then(|| (4, "passcode_face".to_owned())),
        otherwise: (stage != "scanned").then_some("/sign-in"),
    }
}

fn app(language: &'static str, ask: super::app::Ask, phone: bool) -> super::app::App {
    let at = Moment::from_unix(1_795_000_000);
    let phone =
        phone.then(|| super::app::Phone { name: "Điện thoại của An".to_owned(), bound_at: at, used_at: None });
    let frame = Frame { address: "/app?x=1".to_owned(), ..frame(language, "app") };
    super::app::App { frame, phone, ask, problem: None, removed: false }
}

fn add_app(language: &'static str, mut add: impl FnMut(&str, &'static str, Result<String, Fault>)) {
    use super::app::{App, Ask, Problem};
    add("qr", "qr", qr(language, "waiting").render());
    add("qr-scanned", "qr", qr(language, "scanned").render());
    for stage in ["declined", "guessed", "late", "over"] {
        add(&format!("qr-over-{stage}"), "qr", qr(language, stage).render());
    }
    add("app", "app", app(language, Ask::Nothing, false).render());
    add("app-bound", "app", App { removed: true, ..app(language, Ask::Nothing, true) }.render());
    let scan = Ask::Scan {
        code: "7KQ2-9XBD-M4TW".to_owned(),
        payload: "https://id.example.vn/app#bind-7KQ29XBDM4TW".to_owned(),
        minutes: 10,
    };
    add("app-scan", "app", app(language, scan, false).render());
    for problem in Problem::ALL {
        let ask = Ask::Otp("091••••678".to_owned());
        add(
            &format!("app-otp-{}", problem.key()),
            "app",
            App { problem: Some(problem), ..app(language, ask, false) }.render(),
        );
    }
}

/// Every page: a name for it, its `data-page`, its HTML.
pub(super) fn all(language: &'static str) -> Vec<(String, &'static str, String)> {
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
    for (name, stage) in [
        ("waiting", Some(Waits::Waiting)),
        ("refused", Some(Waits::Refused)),
        ("expired", Some(Waits::Expired)),
        ("nobody", None),
    ] {
        let guardian = Some(("An".to_owned(), "099••••••001".to_owned()));
        let waiting = Waiting { guardian, stage };
        let page = super::Guardian {
            asker: Some(asker(language)),
            ..super::Guardian::of(frame(language, "guardian"), waiting, "0198c2f0")
        };
        add(&format!("guardian-{name}"), "guardian", page.render());
    }
    let offered = [(Holder::Citizen, "Nguyễn Minh Khôi"), (Holder::Organisation, "Công ty TNHH Sao Mai")]
        .map(|(holder, name)| Offered { account: Id::new(name), holder, name: name.to_owned() });
    let own = "Nguyễn Văn An".to_owned();
    let page = super::Represent {
        asker: Some(asker(language)),
        ..super::Represent::of(frame(language, "represent"), own, &offered)
    };
    add("represent", "represent", page.render());
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
    add("identity", "identity", identity(language).render());
    for done in Done::ALL {
        let page = Identity { done: Some(done), passkeys: Some(Vec::new()), totp: None, ..identity(language) };
        add(&format!("identity-{}", done.name()), "identity", page.render());
    }
    add("lock", "lock", lock(language, None).render());
    add("lock-missing", "lock", lock(language, Some(LockProblem::Missing)).render());
    add("lock-wrong", "lock", lock(language, Some(LockProblem::SignIn(SignInProblem::Wrong))).render());
    add("lock-done", "lock-done", LockDone { frame: frame(language, "lock-done") }.render());
    for (name, stage) in unlock_stages() {
        add(name, "unlock", Unlock { frame: frame(language, "unlock"), stage }.render());
    }
    for (name, page, html) in enrolment::all(language) {
        add(&name, page, html);
    }
    for (name, what, asked) in [
        ("password", What::Password, Change::Owner),
        ("phone", What::Phone, Change::Owner),
        ("new-phone", What::Phone, Change::NewPhone),
    ] {
        add(&format!("identity-{name}"), "identity", changing(language, what, asked).render());
    }
    let endings = Ending::ALL.into_iter().map(Some).chain([None]).map(Place::Over);
    let ready = Place::Waiting(Moment::from_unix(1_767_200_400));
    let places = [Place::Number, Place::Code, Place::Second, ready, Place::NewPassword, Place::Stop, Place::Halted];
    for (count, place) in places.into_iter().chain(endings).enumerate() {
        add(&format!("recover-{}-{count}", place.name()), "recover", recover(language, place).render());
        let problem = Some(Problem { key: "recover.problem.wait".to_owned(), minutes: 10 });
        let page = Recover { problem, ..recover(language, place) };
        add(&format!("recover-{}-{count}-problem", place.name()), "recover", page.render());
    }
    add_app(language, &mut add);
    let password = Asked::Password { person_number: String::new(), problem: Some(SignInProblem::Wrong) };
    let code = |phone: &str| Asked::Code {
        holder: "Nguyễn Văn An".to_owned(),
        phone: phone.to_owned(),
        minutes: 5,
        problem: None,
    };
    add("link-password", "link", link(language, password).render());
    add("link-code", "link", link(language, code("091••••678")).render());
    add("link-no-phone", "link", link(language, code("")).render());
    for trouble in UpstreamStop::TROUBLES {
        let page = UpstreamStop {
            frame: Frame { address: String::new(), form_token: String::new(), ..frame(language, "upstream") },
            trouble,
            upstream: "Cơ quan định danh khác".to_owned(),
            day: Some(Moment::from_unix(1_719_766_799)),
            said: Some("<script>alert(1)</script>".to_owned()),
            other_way: (trouble != "unasked").then(|| "/sign-in?interaction=0198c2f0".to_owned()),
            reference: "7f3c9a".to_owned(),
        };
        add(&format!("upstream-{trouble}"), "upstream", page.render());
    }
    pages.extend(samples_factors::pages(language));
    pages
}
