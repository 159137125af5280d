//! View: what a portal's pages show, ready for their templates. Templates escape; nothing here is markup.

use askama::Template;
use serde_json::{Map, Value, json};

use super::form::{Field, fields};
use super::outcome::Told;
use super::page::{Frame, Language};
use super::portal::Portal;
use super::site::Errand;
use super::visit::Visit;
use crate::rp::SignedIn;

/// The portal's front page and its dossier page.
#[derive(Template)]
#[template(path = "home.html")]
pub struct Home {
    frame: Frame,
    lead: &'static str,
    /// The service that needs level 2, where the portal has one.
    dossier: bool,
    /// Whether it issued accounts before.
    had_accounts: bool,
    /// The payment, where the portal takes one.
    fee: Option<&'static str>,
    paid: Option<Paid>,
    outcome: Option<Told>,
    /// The session ended at the provider, not here.
    ended: bool,
    received: Option<Received>,
}

/// What the portal shows of a signed-in citizen.
struct Received {
    name: String,
    level: String,
    picture: Option<String>,
    form_title: &'static str,
    form_code: &'static str,
    fields: Vec<Field>,
    json: String,
    form_token: String,
}

impl Home {
    pub fn stranger(portal: &Portal, errand: &Errand, language: Language) -> Home {
        Home {
            frame: frame(portal, language, "home", errand.path, portal.site.name.say(language)),
            lead: portal.site.lead.say(language),
            dossier: portal.site.errand("dossier").is_some(),
            had_accounts: !portal.old.is_empty(),
            fee: portal.site.errand("pay").map(|errand| errand.title.say(language)),
            paid: None,
            outcome: None,
            ended: false,
            received: None,
        }
    }

    pub fn of(portal: &Portal, visit: &Visit, errand: &'static Errand, language: Language) -> Home {
        Home {
            ended: visit.ended,
            paid: visit.signed_in.as_ref().and_then(|signed_in| Paid::of(signed_in, language)),
            outcome: visit.outcome.as_ref().map(|failure| Told::of(failure, language)),
            received: visit
                .signed_in
                .as_ref()
                .map(|signed_in| Received::of(portal, signed_in, errand, &visit.form_token, language)),
            ..Home::stranger(portal, errand, language)
        }
    }
}

/// What the citizen approved a moment ago.
struct Paid {
    text: String,
    amount: String,
    identifier: String,
}

impl Paid {
    fn of(signed_in: &SignedIn, language: Language) -> Option<Paid> {
        let approved = signed_in.approved.as_ref()?.get(0)?;
        let text = |path: &str| approved.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Paid {
            text: text(language.say("/text/vi", "/text/en")),
            amount: text("/amount/value"),
            identifier: text("/identifier"),
        })
    }
}

impl Received {
    fn of(portal: &Portal, signed_in: &SignedIn, errand: &Errand, token: &str, language: Language) -> Received {
        let claims = together(signed_in);
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        // Only a picture of our own origin may be shown: the page loads nothing from elsewhere.
        let picture = Some(text("picture")).filter(|url| url.starts_with(&format!("{}/", portal.origin)));
        Received {
            name: text("name"),
            level: level(&signed_in.id_claims, language),
            picture,
            form_title: errand.title.say(language),
            form_code: errand.service.unwrap_or_default(),
            fields: fields(errand, &claims, language),
            json: pretty(signed_in),
            form_token: token.to_owned(),
        }
    }
}

/// Claims from both places; what userinfo says wins, for there the released claims stand.
pub(super) fn together(signed_in: &SignedIn) -> Map<String, Value> {
    let mut claims = signed_in.id_claims.clone();
    claims.extend(signed_in.userinfo.clone());
    claims
}

fn pretty(signed_in: &SignedIn) -> String {
    let mut received = json!({"id_token": signed_in.id_claims, "userinfo": signed_in.userinfo});
    if let (Some(approved), Some(members)) = (&signed_in.approved, received.as_object_mut()) {
        members.insert("authorization_details".to_owned(), approved.clone());
    }
    serde_json::to_string_pretty(&received).unwrap_or_default()
}

/// Both levels, never one (`product.md`): how the person was proofed, and which factors were used now.
fn level(id_claims: &Map<String, Value>, language: Language) -> String {
    let number = |name: &str| id_claims.get(name).map(|value| value.to_string().trim_matches('"').to_owned());
    match (number("vn_account_level"), number("vn_auth_level")) {
        (Some(account), Some(authentication)) => format!(
            "{} {account} · {} {authentication}",
            language.say("Tài khoản mức độ", "Account level"),
            language.say("Xác thực mức độ", "Authentication level"),
        ),
        _ => String::new(),
    }
}

/// A page with one message.
#[derive(Template)]
#[template(path = "note.html")]
pub struct Note {
    frame: Frame,
    body: String,
    code: Option<String>,
    detail: Option<String>,
    sign_in: bool,
}

impl Note {
    fn plain(portal: &Portal, language: Language, page: &'static str, words: (&str, &str)) -> Note {
        let path = format!("/{page}");
        Note {
            frame: frame(portal, language, page, &path, words.0),
            body: words.1.to_owned(),
            code: None,
            detail: None,
            sign_in: false,
        }
    }

    pub fn failed(portal: &Portal, language: Language, told: &Told) -> Note {
        let mut note = Note::plain(portal, language, "error", (&told.title, &told.advice));
        note.frame.path = "/".to_owned();
        Note { code: Some(told.code.clone()), detail: told.detail.clone(), sign_in: true, ..note }
    }

    pub fn lost(portal: &Portal, language: Language) -> Note {
        let words = (
            language.say("Không có trang này", "There is no such page"),
            language.say("Hãy quay về trang đầu của cổng.", "Go back to the portal's front page."),
        );
        let mut note = Note::plain(portal, language, "error", words);
        note.frame.path = "/".to_owned();
        note
    }

    pub fn signed_out(portal: &Portal, language: Language) -> Note {
        let words = (
            language.say("Bạn đã đăng xuất", "You are signed out"),
            language
                .say("Cổng này không còn giữ thông tin nào của bạn.", "This portal keeps nothing about you any more."),
        );
        Note { sign_in: true, ..Note::plain(portal, language, "signed-out", words) }
    }

    pub fn applied(portal: &Portal, language: Language) -> Note {
        let words = (
            language.say("Đã nhận tờ khai", "Your form has arrived"),
            language.say(
                "Đây là cổng thử nghiệm: tờ khai không được lưu và không gửi đi đâu.",
                "This is a trial portal: the form is neither kept nor sent anywhere.",
            ),
        );
        let mut note = Note::plain(portal, language, "applied", words);
        note.frame.path = "/".to_owned();
        note
    }

    pub fn policy(portal: &Portal, language: Language) -> Note {
        let words = (
            language.say("Chính sách dữ liệu cá nhân", "Personal data policy"),
            language.say(
                "Cổng chỉ dùng thông tin bạn đồng ý chia sẻ để điền tờ khai, giữ trong bộ nhớ khi bạn đang dùng và xóa khi bạn đăng xuất.",
                "The portal uses what you agree to share only to fill in forms, holds it in memory while you are here and drops it when you sign out.",
            ),
        );
        Note::plain(portal, language, "policy", words)
    }

    pub fn terms(portal: &Portal, language: Language) -> Note {
        let words = (
            language.say("Điều khoản sử dụng", "Terms of use"),
            language.say(
                "Cổng thử nghiệm với dữ liệu bịa đặt. Đừng nhập thông tin thật.",
                "A trial portal with invented data. Do not enter anything real.",
            ),
        );
        Note::plain(portal, language, "terms", words)
    }
}

pub(super) fn frame(portal: &Portal, language: Language, page: &'static str, path: &str, title: &str) -> Frame {
    Frame {
        language,
        site: portal.site.name.say(language),
        accent: portal.site.accent,
        page,
        title: title.to_owned(),
        path: path.to_owned(),
    }
}
