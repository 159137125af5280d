//! The VNeID app of every seeded holder, on the phone's second page: it is bound by a code, scans what a screen shows,
//! says who asks from where, and approves by the number on that screen or declines. Its keys are kept sealed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use idp::domain::PersonNumber;
use idp::domain::secret::Sealed;
use idp::flow::app::device;
use idp::flow::sealed;
use idp::idp::Idp;
use idp::keys::Vault;
use idp::random::SystemRandom;
use idp::store;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::form::local_phone;
use super::page::{self, Frame, Language, Reply, choice, query};
use super::people::PEOPLE;
use super::setup::private_file;
use crate::device::Device;

const LANGUAGE_COOKIE: &str = "__Host-phone-language";
const PLACE: &str = "sandbox.phone";

/// The apps on this machine's phones.
pub struct Phones {
    directory: PathBuf,
    vault: Vault,
    http: reqwest::Client,
    issuer: String,
    /// What each app scanned and did not answer yet.
    pending: Mutex<BTreeMap<String, Pending>>,
}

#[derive(Clone)]
struct Pending {
    ticket: String,
    shown: Value,
    contested: bool,
}

impl Phones {
    pub fn at(directory: &Path, issuer: &str) -> Result<Phones, String> {
        let directory = super::setup::directory(&directory.join("phones"))?;
        let vault = Vault::at(&directory.join("keys"), &SystemRandom).map_err(|fault| fault.to_string())?;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Ok(Phones {
            vault,
            http: http.build().map_err(|error| error.to_string())?,
            issuer: issuer.to_owned(),
            pending: Mutex::default(),
            directory,
        })
    }

    fn file(&self, phone: &str) -> PathBuf {
        self.directory.join(self.vault.blind_index("phone", phone).as_str())
    }

    /// The app of a phone, bound to the provider that runs now.
    fn device(&self, phone: &str) -> Option<Device> {
        let sealed = Sealed::from_text(fs::read_to_string(self.file(phone)).ok()?);
        let text = self.vault.open_text(PLACE, phone, &sealed).ok()?;
        Device::read(&text).filter(|device| device.issuer == self.issuer)
    }

    fn keep(&self, phone: &str, device: &Device) -> Result<(), String> {
        let sealed = self.vault.seal(PLACE, phone, device.written()?.as_bytes()).map_err(|fault| fault.to_string())?;
        private_file(&self.file(phone), sealed.as_str().as_bytes())
    }

    fn waiting(&self, phone: &str) -> Option<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).get(phone).cloned()
    }

    fn await_answer(&self, phone: &str, pending: Option<Pending>) {
        let mut all = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match pending {
            Some(pending) => drop(all.insert(phone.to_owned(), pending)),
            None => drop(all.remove(phone)),
        }
    }

    /// One call of the app: what it is told, or the word it is refused with.
    async fn call(&self, act: &str, statement: &str) -> Result<Value, String> {
        let body = json!({"statement": statement}).to_string();
        let request = self.http.post(format!("{}/app/{act}", self.issuer)).header("content-type", "application/json");
        let answer = request.body(body).send().await.map_err(|_| "unreachable".to_owned())?;
        let done = answer.status().is_success();
        let text = answer.text().await.unwrap_or_default();
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = || told.get("error").and_then(Value::as_str).unwrap_or("unreachable").to_owned();
        if done { Ok(told) } else { Err(word()) }
    }
}

/// The first seeded holder's app is bound by the way every app is, from the code on.
pub async fn bind_first(phones: &Phones, idp: &Arc<Idp>) -> Result<(), String> {
    let told = |fault: idp::domain::Fault| fault.to_string();
    let Some(person) = PEOPLE.first() else { return Ok(()) };
    let Some(number) = PersonNumber::parse(person.number) else { return Ok(()) };
    let (index, this) = (sealed::person_index(&number, &idp.vault), Arc::clone(idp));
    let code = idp
        .store
        .transact(move |db| {
            let Some(account) = store::account::find_by_person(db, &index)? else { return Ok(None) };
            if account.has_app {
                return Ok(None);
            }
            device::open_binding(db, &account.id, &this).map(Some)
        })
        .await
        .map_err(told)?;
    let Some(code) = code else { return Ok(()) };
    let mut fresh = Device::fresh(&phones.issuer)?;
    let statement = fresh.binding(&code, "Điện thoại của An")?;
    match device::bind(&statement, idp).await.map_err(told)? {
        Ok(bound) => {
            fresh.id = bound.device.as_str().to_owned();
            phones.keep(person.phone, &fresh)
        }
        Err(refused) => Err(format!("the first holder's app is not bound: {}", refused.name())),
    }
}

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/app", web::get().to(show))
        .route("/app/bind", web::post().to(bind))
        .route("/app/scan", web::post().to(scan))
        .route("/app/answer", web::post().to(answer));
}

#[derive(Template)]
#[template(path = "app.html")]
struct Screen {
    frame: Frame,
    owners: Vec<Owner>,
    /// Whose phone it is, once one was chosen.
    of: Option<&'static str>,
    bound: bool,
    asked: Option<Asked>,
    done: Option<String>,
    problem: Option<String>,
}

struct Owner {
    name: &'static str,
    phone: &'static str,
    shown: String,
    chosen: bool,
}

/// What the app says of a request.
struct Asked {
    portal: String,
    organisation: String,
    service: String,
    place: String,
    network: String,
    browser: String,
    level: u64,
    unlock: String,
    claims: Vec<String>,
    contested: bool,
}

async fn show(phones: web::Data<Phones>, request: HttpRequest) -> HttpResponse {
    let choice = choice(&request, LANGUAGE_COOKIE);
    let of = query(&request, "of").and_then(|of| owner(&of));
    let screen = screen(&phones, of, choice.language, query(&request, "told"));
    Reply { status: StatusCode::OK, form_target: "" }.page(&screen, choice, LANGUAGE_COOKIE)
}

fn owner(phone: &str) -> Option<&'static str> {
    let phone = super::phone::e164(phone);
    PEOPLE.iter().map(|person| person.phone).find(|known| *known == phone)
}

fn screen(phones: &Phones, of: Option<&'static str>, language: Language, told: Option<String>) -> Screen {
    let title = language.say("Ứng dụng VNeID", "VNeID app");
    let owners = PEOPLE.iter().map(|person| Owner {
        name: person.name,
        phone: person.phone,
        shown: local_phone(person.phone),
        chosen: of == Some(person.phone),
    });
    let (done, problem) = match told.as_deref() {
        None => (None, None),
        Some(word @ ("approved" | "declined" | "bound")) => (Some(said(word, language)), None),
        Some(word) => (None, Some(said(word, language))),
    };
    Screen {
        frame: Frame {
            language,
            site: language.say("Điện thoại", "Phone"),
            accent: "green",
            page: "app",
            title: title.to_owned(),
            path: "/app".to_owned(),
        },
        owners: owners.collect(),
        bound: of.is_some_and(|of| phones.device(of).is_some()),
        asked: of.and_then(|of| phones.waiting(of)).map(|pending| asked(&pending, language)),
        of,
        done,
        problem,
    }
}

fn asked(pending: &Pending, language: Language) -> Asked {
    let shown = &pending.shown;
    let words = |value: &Value| value.get(language.code()).and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = |name: &str| shown.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let titled = |name: &str| shown.get(name).map(words).unwrap_or_default();
    let place: Vec<String> = [text("city"), text("country")].into_iter().filter(|part| !part.is_empty()).collect();
    let unknown = language.say("không rõ nơi nào", "unknown place").to_owned();
    let unlock: Vec<&str> =
        shown.get("unlock").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let both = language.say("mã khóa và khuôn mặt", "passcode and face");
    let own = language.say("Trang Danh tính của tôi", "My identity").to_owned();
    Asked {
        portal: Some(titled("portal")).filter(|portal| !portal.is_empty()).unwrap_or(own),
        organisation: titled("organisation"),
        service: titled("service"),
        place: if place.is_empty() { unknown } else { place.join(", ") },
        network: text("network"),
        browser: text("browser"),
        level: shown.get("level").and_then(Value::as_u64).unwrap_or_default(),
        unlock: match unlock.as_slice() {
            ["passcode"] => language.say("mã khóa", "passcode"),
            ["face"] => language.say("khuôn mặt", "face"),
            _ => both,
        }
        .to_owned(),
        claims: shown.get("claims").and_then(Value::as_array).into_iter().flatten().map(words).collect(),
        contested: pending.contested,
    }
}

/// What became of a call, in words.
fn said(word: &str, language: Language) -> String {
    let (vi, en) = match word {
        "approved" => ("Đã đồng ý. Màn hình kia sẽ tự chuyển tiếp.", "Approved. The other screen goes on by itself."),
        "declined" => ("Đã từ chối.", "Declined."),
        "bound" => ("Ứng dụng đã gắn với tài khoản.", "The app is bound to the account."),
        "foreign" => (
            "Đây không phải mã của hệ thống định danh. Không mở.",
            "This is not a code of the identity service. Not opened.",
        ),
        "invalid_code" => ("Mã gắn ứng dụng không đúng hoặc đã hết hạn.", "The binding code is wrong or too old."),
        "wrong_number" => (
            "Con số chưa đúng. Nhập lại số trên màn hình đang đăng nhập.",
            "Wrong number. Type the one on the screen that signs in.",
        ),
        "guessed" => ("Sai ba lần, yêu cầu này bị hủy.", "Wrong three times: the request is dead."),
        "expired" | "superseded" | "unknown_ticket" => {
            ("Mã không còn dùng được. Quét mã mới trên màn hình.", "The code no longer works. Scan the new one.")
        }
        "scanned_by_another" => (
            "Một điện thoại khác đã quét mã này trước. Không tiếp tục.",
            "Another phone scanned this code first. Stop here.",
        ),
        "contested" => (
            "Một điện thoại khác cũng quét mã này. Chỉ đồng ý nếu bạn đang tự đăng nhập.",
            "Another phone scanned this code too. Approve only if you are signing in yourself.",
        ),
        "other_country" => {
            ("Màn hình kia ở một nước khác. Yêu cầu bị từ chối.", "The other screen is in another country. Refused.")
        }
        "other_account" => ("Mã này thuộc phiên của người khác.", "This code belongs to somebody else's session."),
        "unlock_too_weak" => ("Dịch vụ này cần cách mở khóa mạnh hơn.", "This service needs a stronger unlock."),
        "account_barred" => ("Tài khoản hiện không dùng được.", "The account cannot be used now."),
        "slow_down" => ("Thao tác quá nhanh, thử lại sau ít giây.", "Too fast, try again in a few seconds."),
        "invalid_statement" => {
            ("Điện thoại này không còn gắn với tài khoản.", "This phone is no longer bound to the account.")
        }
        _ => ("Chưa thực hiện được.", "It could not be done."),
    };
    language.say(vi, en).to_owned()
}

type Fields = BTreeMap<String, String>;

/// A form of this page; what another site posts is left alone.
fn fields(request: &HttpRequest, body: &str) -> Option<(&'static str, Fields)> {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if !matches!(site, None | Some("same-origin" | "none")) {
        return None;
    }
    let fields: Fields = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    Some((owner(fields.get("of")?)?, fields))
}

fn back(of: &str, told: &str) -> HttpResponse {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("of", of).append_pair("told", told).finish();
    page::see_other(&format!("/app?{query}"))
}

async fn bind(phones: web::Data<Phones>, request: HttpRequest, body: String) -> HttpResponse {
    let Some((of, fields)) = fields(&request, &body) else { return HttpResponse::BadRequest().finish() };
    let typed = fields.get("code").map(String::as_str).unwrap_or_default();
    let name = fields.get("name").map(String::as_str).unwrap_or_default();
    let Ok(mut device) = Device::fresh(&phones.issuer) else { return back(of, "unreachable") };
    // Scanned, it stands behind our own address; typed, it stands alone.
    let code = device.understood(typed).map_or(typed, |rest| rest.strip_prefix("bind-").unwrap_or(rest));
    if code.contains('/') {
        return back(of, "foreign");
    }
    let Ok(statement) = device.binding(code, name) else { return back(of, "unreachable") };
    match phones.call("bind", &statement).await {
        Ok(told) => {
            device.id = told.get("device").and_then(Value::as_str).unwrap_or_default().to_owned();
            if phones.keep(of, &device).is_ok() { back(of, "bound") } else { back(of, "unreachable") }
        }
        Err(word) => back(of, &word),
    }
}

async fn scan(phones: web::Data<Phones>, request: HttpRequest, body: String) -> HttpResponse {
    let Some((of, fields)) = fields(&request, &body) else { return HttpResponse::BadRequest().finish() };
    let Some(device) = phones.device(of) else { return back(of, "invalid_statement") };
    let payload = fields.get("payload").map(String::as_str).unwrap_or_default();
    let Some(ticket) = device.understood(payload) else { return back(of, "foreign") };
    let Ok(statement) = device.statement("scan", json!({"ticket": ticket})) else { return back(of, "unreachable") };
    match phones.call("scan", &statement).await {
        Ok(shown) => {
            let contested = shown.get("contested") == Some(&Value::Bool(true));
            phones.await_answer(of, Some(Pending { ticket: ticket.to_owned(), shown, contested }));
            page::see_other(&format!("/app?of={of}").replace('+', "%2B"))
        }
        Err(word) => back(of, &word),
    }
}

async fn answer(phones: web::Data<Phones>, request: HttpRequest, body: String) -> HttpResponse {
    let Some((of, fields)) = fields(&request, &body) else { return HttpResponse::BadRequest().finish() };
    let (Some(device), Some(pending)) = (phones.device(of), phones.waiting(of)) else {
        return back(of, "unknown_ticket");
    };
    let approves = fields.get("answer").is_some_and(|answer| answer == "approve");
    let act = if approves { "approve" } else { "decline" };
    let unlocked: Vec<&str> = ["passcode", "face"].into_iter().filter(|unlock| fields.contains_key(*unlock)).collect();
    let said = json!({
        "ticket": pending.ticket,
        "challenge": pending.shown.get("challenge"),
        "number": fields.get("number").map(|number| number.trim()),
        "unlocked_by": unlocked,
        "contested": pending.contested,
    });
    let Ok(statement) = device.statement(act, said) else { return back(of, "unreachable") };
    match phones.call(act, &statement).await {
        Ok(_) => {
            phones.await_answer(of, None);
            back(of, if approves { "approved" } else { "declined" })
        }
        // These can be mended on this screen; anything else is over.
        Err(word)
            if matches!(word.as_str(), "wrong_number" | "unlock_too_weak" | "slow_down" | "invalid_statement") =>
        {
            back(of, &word)
        }
        Err(word) if word == "contested" => {
            phones.await_answer(of, Some(Pending { contested: true, ..pending }));
            back(of, &word)
        }
        Err(word) => {
            phones.await_answer(of, None);
            back(of, &word)
        }
    }
}
