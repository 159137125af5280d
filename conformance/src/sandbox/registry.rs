//! Registry: a small real server for the state's registers - the population database, and the registers of vehicles,
//! insurance and tax beside it - with sample people, a feed of events, and moods to try what a register in trouble does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::rt::time::sleep;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use askama::Template;
use idp::clock::{Clock, SystemClock};
use idp::domain::secret::{ClientSecret, Stored};
use serde_json::{Value, json};

use super::applicants::{self, APPLICANTS};
use super::page::{self, Frame, Language, Reply, choice, query};
use super::{papers, people};

const LANGUAGE_COOKIE: &str = "__Host-registry-language";

/// Where each register answers below the server's address.
pub const TRAFFIC: &str = "/traffic";
pub const INSURANCE: &str = "/insurance";
pub const TAX: &str = "/tax";

/// How the server behaves.
pub const MOODS: [&str; 6] = ["well", "down", "slow", "malformed", "repeated", "huge"];

pub struct Register {
    token: Stored<ClientSecret>,
    people: BTreeMap<String, Value>,
    events: Mutex<Vec<Value>>,
    mood: Mutex<&'static str>,
}

impl Register {
    pub fn new(token: &str) -> Register {
        let seeded = people::lines("").into_iter().filter_map(|(number, line)| {
            let line: Value = serde_json::from_str(&line).ok()?;
            Some((number.to_owned(), seeded(number, &line)))
        });
        let waiting = APPLICANTS.iter().map(|one| (one.number.to_owned(), applicants::record(one)));
        let people = seeded.chain(waiting).collect();
        Register { token: Stored::of(token), people, events: Mutex::default(), mood: Mutex::new("well") }
    }

    fn mood(&self) -> &'static str {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn events(&self) -> MutexGuard<'_, Vec<Value>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_known(&self, request: &HttpRequest) -> bool {
        let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        sent.strip_prefix("Bearer ").is_some_and(|token| Stored::of(token) == self.token)
    }
}

/// What the population database holds about somebody who has an account already.
fn seeded(number: &str, line: &Value) -> Value {
    let expires = line.pointer("/card/expires").and_then(Value::as_str);
    let status = if expires.is_some_and(|last| last < "2026") { "expired" } else { "valid" };
    let card = expires.map_or(Value::Null, |expires| json!({"status": status, "expires": expires}));
    json!({
        "person_number": number,
        "name": line["name"],
        "birthdate": line["birthdate"],
        "gender": line["gender"],
        "card": card,
        "deceased": false,
        "papers": {},
    })
}

/// Every route on one screen.
fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(overview))
        .route("/style.css", web::get().to(page::style))
        .route("/append", web::post().to(append))
        .route("/mood", web::post().to(change_mood))
        .route("/person", web::post().to(person))
        .route("/events", web::post().to(events))
        .route("/{register}/person", web::post().to(ministry));
}

pub fn serve(register: Register, port: u16) -> std::io::Result<Server> {
    let register = web::Data::new(register);
    let app = move || App::new().app_data(register.clone()).configure(routes);
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .client_request_timeout(Duration::from_secs(5))
        .shutdown_timeout(2)
        .bind(("127.0.0.1", port))?;
    Ok(server.run())
}

/// The answer as the mood has it.
async fn answer(register: &Register, request: &HttpRequest, value: Value) -> HttpResponse {
    if !register.is_known(request) {
        return HttpResponse::Unauthorized().finish();
    }
    let body = match register.mood() {
        "down" => return HttpResponse::InternalServerError().finish(),
        "slow" => {
            sleep(Duration::from_secs(20)).await;
            value.to_string()
        }
        "malformed" => "{\"person\": {".to_owned(),
        "repeated" => "{\"person\": null, \"person\": null, \"events\": [], \"events\": []}".to_owned(),
        "huge" => json!({"person": null, "events": [], "filler": "x".repeat(1 << 20)}).to_string(),
        _ => value.to_string(),
    };
    page::guarded(&mut HttpResponse::Ok()).content_type("application/json").body(body)
}

fn asked(body: &web::Bytes) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("person_number")?.as_str()?.to_owned())
}

async fn person(register: web::Data<Register>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let Some(number) = asked(&body) else { return HttpResponse::BadRequest().finish() };
    let found = register.people.get(&number).cloned().unwrap_or(Value::Null);
    answer(&register, &request, json!({ "person": found })).await
}

/// A ministry's register: papers by the same number.
async fn ministry(
    register: web::Data<Register>,
    which: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let Some(number) = asked(&body) else { return HttpResponse::BadRequest().finish() };
    let known = register.people.contains_key(&number);
    let papers = papers::of_register(&format!("/{which}"), &number);
    let found = if known { json!({"person_number": number, "papers": papers}) } else { Value::Null };
    answer(&register, &request, json!({ "person": found })).await
}

async fn events(register: web::Data<Register>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let after = asked.get("after").and_then(Value::as_str).unwrap_or_default().to_owned();
    let limit = asked.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
    let later: Vec<Value> = register
        .events()
        .iter()
        .filter(|event| event["id"].as_str().is_some_and(|id| id > after.as_str()))
        .take(limit.unwrap_or(100).min(1000))
        .cloned()
        .collect();
    answer(&register, &request, json!({ "events": later })).await
}

type Fields = web::Form<BTreeMap<String, String>>;

/// What a browser says about who sends a form; other programs on this machine say nothing.
fn is_foreign(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Adds an event to the feed. Names sort by time, so that a reader of yesterday goes on after a restart.
async fn append(register: web::Data<Register>, request: HttpRequest, fields: Fields) -> HttpResponse {
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let (Some(number), Some(kind), false) = (field("person_number"), field("kind"), is_foreign(&request)) else {
        return HttpResponse::BadRequest().finish();
    };
    let now = SystemClock.now().unix();
    {
        let mut events = register.events();
        let id = format!("evt-{now:012}-{:06}", events.len());
        let source = field("source").unwrap_or("population-register");
        events.push(json!({
            "id": id, "person_number": number, "at": now, "kind": kind, "expires": field("expires"), "source": source,
        }));
    }
    page::see_other("/")
}

async fn change_mood(register: web::Data<Register>, request: HttpRequest, fields: Fields) -> HttpResponse {
    let named = fields.get("mood").and_then(|asked| MOODS.into_iter().find(|mood| mood == asked));
    let (Some(mood), false) = (named, is_foreign(&request)) else { return HttpResponse::BadRequest().finish() };
    *register.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    page::see_other("/")
}

#[derive(Template)]
#[template(path = "registry.html")]
struct Screen {
    frame: Frame,
    applicants: &'static [applicants::Applicant],
    kinds: [&'static str; 6],
    moods: [&'static str; 6],
    mood: &'static str,
    events: Vec<String>,
}

async fn overview(register: web::Data<Register>, request: HttpRequest) -> HttpResponse {
    let choice = choice(&request, LANGUAGE_COOKIE);
    let language: Language = choice.language;
    let title = language.say("Cơ sở dữ liệu mẫu", "Sample registers");
    let newest = query(&request, "events").and_then(|count| count.parse().ok()).unwrap_or(20);
    let written = |event: &Value| {
        let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        format!("{} · {} · {}", word("id"), word("kind"), word("person_number"))
    };
    let events: Vec<String> = register.events().iter().rev().take(newest).map(written).collect();
    let screen = Screen {
        frame: Frame {
            language,
            site: title,
            accent: "green",
            page: "registry",
            title: title.to_owned(),
            path: "/".to_owned(),
        },
        applicants: APPLICANTS,
        kinds: ["card_revoked", "card_held", "card_returned", "card_renewed", "card_expired", "death"],
        moods: MOODS,
        mood: register.mood(),
        events,
    };
    Reply { status: StatusCode::OK, form_target: "" }.page(&screen, choice, LANGUAGE_COOKIE)
}
