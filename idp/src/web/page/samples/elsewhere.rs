//! The pages of ways to sign in that begin elsewhere: the VNeID app and other providers.

use super::super::upstream::{Asked, LinkPage, UpstreamStop, Way};
use super::super::{Frame, SignInProblem, app, qr};
use super::{Page, asker, frame};
use crate::domain::{Fault, Moment};

pub(super) fn way(name: &str, ended: bool) -> Way {
    let address = format!("/upstream/{name}?interaction=0198c2f0");
    Way { name: name.to_owned(), label: "Cơ quan định danh khác".to_owned(), address, ended }
}

fn link(language: &'static str, asked: Asked) -> LinkPage {
    let frame = Frame { address: "/link?proof=0198c2f0".to_owned(), ..frame(language, "link") };
    LinkPage { frame, upstream: "Cơ quan định danh khác".to_owned(), asked }
}

fn qr(language: &'static str, stage: &'static str) -> qr::Qr {
    qr::Qr {
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

fn app(language: &'static str, ask: app::Ask, phone: bool) -> app::App {
    let at = Moment::from_unix(1_795_000_000);
    let phone = phone.then(|| app::Phone { name: "Điện thoại của An".to_owned(), bound_at: at, used_at: None });
    let frame = Frame { address: "/app?x=1".to_owned(), ..frame(language, "app") };
    app::App { frame, phone, ask, problem: None, removed: false }
}

fn add_app(language: &'static str, mut add: impl FnMut(&str, &'static str, Result<String, Fault>)) {
    use app::{App, Ask, Problem};
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

/// Name, `data-page`, HTML.
pub(super) fn pages(language: &'static str) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut add = |name: &str, page, html: Result<String, Fault>| pages.push((name.to_owned(), page, html.unwrap()));
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
    pages
}
