//! Phone: the SMS inbox of every seeded holder. It reads the provider's sealed inbox and keeps nothing itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use admin::web::patience::bounded;
use askama::Template;
use idp::domain::{Fault, Moment};
use serde_json::json;

use super::app::{self, Phones};
use super::applicants::APPLICANTS;
use super::form::local_phone;
use super::page::{self, Frame, Language, Reply, choice, query};
use super::people::PEOPLE;

const LANGUAGE_COOKIE: &str = "__Host-phone-language";

/// How many messages are shown at once.
const MOST_SHOWN: i64 = 50;

/// A message as the phone got it.
#[derive(Clone, Debug)]
pub struct Message {
    pub to: String,
    pub text: String,
    pub at: Moment,
}

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// Where messages come from: newest first, those to one number when it is named.
pub type Inbox = Arc<dyn Fn(Option<String>, i64) -> Pending<Vec<Message>> + Send + Sync>;

/// Every route on one screen.
fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(inbox))
        .route("/api/messages", web::get().to(messages))
        .route("/style.css", web::get().to(page::style));
}

/// Where somebody without an account begins.
pub struct RegisterAt(pub String);

pub fn serve(inbox: Inbox, register: RegisterAt, phones: Phones, port: u16) -> std::io::Result<Server> {
    let (inbox, register) = (web::Data::from(Arc::new(inbox)), web::Data::new(register));
    let phones = web::Data::new(phones);
    let app = move || {
        let app = App::new().app_data(inbox.clone()).app_data(register.clone()).app_data(phones.clone());
        app.wrap(from_fn(bounded)).configure(routes).configure(app::routes)
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .client_request_timeout(Duration::from_secs(5))
        .shutdown_timeout(2)
        .bind(("127.0.0.1", port))?;
    Ok(server.run())
}

/// A phone number as asked: a raw `+` arrives as a space, a local number starts with zero; all mean E.164.
pub fn e164(asked: &str) -> String {
    let digits: String = asked.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('0') {
        Some(rest) => format!("+84{rest}"),
        None => format!("+{digits}"),
    }
}

async fn messages(inbox: web::Data<Inbox>, request: HttpRequest) -> HttpResponse {
    let to = query(&request, "to").map(|to| e164(&to));
    match inbox(to, MOST_SHOWN).await {
        Ok(found) => {
            let rows: Vec<_> = found
                .iter()
                .map(|message| json!({"to": message.to, "text": message.text, "at": written(message.at)}))
                .collect();
            page::guarded(&mut HttpResponse::Ok())
                .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
                .json(rows)
        }
        Err(_) => page::guarded(&mut HttpResponse::ServiceUnavailable()).json(json!([])),
    }
}

#[derive(Template)]
#[template(path = "phone.html")]
struct Screen {
    frame: Frame,
    owners: Vec<Owner>,
    messages: Vec<Shown>,
    register: Option<String>,
}

struct Owner {
    name: &'static str,
    phone: &'static str,
    shown: String,
    chosen: bool,
}

struct Shown {
    owner: &'static str,
    shown: String,
    text: String,
    at: String,
    time: String,
}

async fn inbox(inbox: web::Data<Inbox>, request: HttpRequest) -> HttpResponse {
    let choice = choice(&request, LANGUAGE_COOKIE);
    let to = query(&request, "to").map(|to| e164(&to));
    let (status, found) = match inbox(to.clone(), MOST_SHOWN).await {
        Ok(found) => (StatusCode::OK, found),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
    };
    let register = request.app_data::<web::Data<RegisterAt>>().map(|at| at.0.clone());
    let screen = Screen { register, ..screen(&found, to.as_deref(), choice.language) };
    Reply { status, form_target: "" }.page(&screen, choice, LANGUAGE_COOKIE)
}

fn screen(found: &[Message], to: Option<&str>, language: Language) -> Screen {
    let title = language.say("Điện thoại", "Phone");
    let seeded = PEOPLE.iter().map(|person| (person.name, person.phone));
    let owned: Vec<_> = seeded.chain(APPLICANTS.iter().map(|one| (one.name, one.phone))).collect();
    let owners =
        owned.iter().map(|&(name, phone)| Owner { name, phone, shown: local_phone(phone), chosen: to == Some(phone) });
    let messages = found.iter().map(|message| Shown {
        owner: owned.iter().find(|(_, phone)| *phone == message.to).map_or("", |&(name, _)| name),
        shown: local_phone(&message.to),
        text: message.text.clone(),
        at: written(message.at),
        time: read(message.at),
    });
    Screen {
        frame: Frame {
            language,
            site: title,
            accent: "green",
            page: "phone",
            title: title.to_owned(),
            path: "/".to_owned(),
        },
        owners: owners.collect(),
        messages: messages.collect(),
        register: None,
    }
}

/// ISO 8601 in UTC, for programs.
fn written(at: Moment) -> String {
    chrono::DateTime::from_timestamp(at.unix(), 0)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// Vietnam time, which has no summer time, the way people write it.
fn read(at: Moment) -> String {
    chrono::DateTime::from_timestamp(at.unix() + 7 * 3600, 0)
        .map(|at| at.format("%d/%m/%Y %H:%M:%S").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_and_read_body, init_service};

    use super::*;

    fn sample() -> Inbox {
        Arc::new(|to, _| {
            Box::pin(async move {
                let all = ["+84912000001", "+84912000002"].map(|number| Message {
                    to: number.to_owned(),
                    text: "<b>123456</b> la ma dang nhap".to_owned(),
                    at: Moment::from_unix(1_795_000_000),
                });
                Ok(all.into_iter().filter(|message| to.as_ref().is_none_or(|to| *to == message.to)).collect())
            })
        })
    }

    #[actix_web::test]
    async fn raw_plus_and_escaped_plus_name_the_same_phone() {
        let app = init_service(App::new().app_data(web::Data::from(Arc::new(sample()))).configure(routes)).await;
        for to in ["+84912000001", "%2B84912000001", "84912000001", "0912000001"] {
            let request = TestRequest::get().uri(&format!("/api/messages?to={to}")).to_request();
            let body = call_and_read_body(&app, request).await;
            let rows: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(rows.as_array().unwrap().len(), 1, "{to}");
            assert_eq!(rows[0]["to"], "+84912000001");
            assert_eq!(rows[0]["at"], "2026-11-18T11:06:40Z");
        }
        let body = call_and_read_body(&app, TestRequest::get().uri("/api/messages").to_request()).await;
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap().as_array().unwrap().len(), 2);
    }

    #[actix_web::test]
    async fn the_page_escapes_and_names_the_owner() {
        let app = init_service(App::new().app_data(web::Data::from(Arc::new(sample()))).configure(routes)).await;
        let body = call_and_read_body(&app, TestRequest::get().uri("/?to=0912000001").to_request()).await;
        let page = std::str::from_utf8(&body).unwrap();
        assert!(page.contains("123456") && !page.contains("<b>123456"));
        assert!(page.contains("Nguyễn Văn An") && page.contains("18/11/2026 18:06:40"));
    }
}
