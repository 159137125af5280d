//! The pages a holder keeps their own account on, with everything on them.

use super::super::credentials::{Credentials, Note, UnderWay};
use super::super::identity::{ConsentLine, Done, PurposeLine, ReleaseLine, SessionLine, TransactionLine};
use super::super::own_lock::{Lock, LockDone, LockProblem, Stage, Unlock};
use super::super::recover::{Place, Problem, Recover};
use super::super::safety::{CaseLine, DeviceLine};
use super::super::transaction::Act;
use super::super::upstream::LinkLine;
use super::super::*;
use super::{Page, act, asker, claim, elsewhere, factors, frame};
use crate::domain::agent::Agent;
use crate::domain::change::{Asked as Change, What};
use crate::domain::recovery::Ending;
use crate::domain::{Factor, Moment};

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
        linkable: vec![elsewhere::way("second", false)],
        requests: vec![acting::RequestLine {
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
        passkeys: Some(factors::lines()),
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

pub(in super::super) fn recover(language: &'static str, place: Place) -> Recover {
    Recover {
        frame: Frame { address: "/recover?again=1".to_owned(), ..frame(language, "recover") },
        place,
        person_number: "099090000001".to_owned(),
        minutes: 5,
        hours: 24,
        problem: None,
    }
}

/// Name, `data-page`, HTML.
pub(super) fn pages(language: &'static str) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut add = |name: &str, page, html: Result<String, Fault>| pages.push((name.to_owned(), page, html.unwrap()));
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
    pages
}
