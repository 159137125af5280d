//! `/activate`: a code to the registered phone, and a password the holder chooses.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::enrol::{framed, trouble};
use super::limit::{self, Counted};
use super::page::enrol::{Activate, Slip, Stage, Trouble};
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::domain::{Fault, PersonNumber};
use crate::flow::activate::{self, Activated, Form};
use crate::flow::{Browser, Cookies};
use crate::idp::Idp;
use crate::protocol::params::Params;

const PLACE: Place<'static> = Place { page: "activate", subject: "" };

/// A page to answer with.
struct Shown {
    stage: Stage,
    person_number: String,
    slip: Option<Slip>,
}

impl Shown {
    fn new(stage: Stage, person_number: &str, slip: Option<Slip>) -> Self {
        Self { stage, person_number: person_number.to_owned(), slip }
    }
}

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    if let Some(busy) = limit::over(Counted::Page, &request, &context).await {
        return busy;
    }
    let browser = read::browser(&request, context.language.code, &idp);
    let done = request.query_string().split('&').any(|pair| pair == "done=1");
    drawn(Shown::new(if done { Stage::Done } else { Stage::Number }, "", None), &browser, &context)
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context),
    };
    let browser = read::browser(&request, context.language.code, &idp);
    let form = match read::protected(&request, params, &browser, &PLACE, &idp).map(Protected::into_inner) {
        Ok(form) => form,
        Err(Forged::CrossSite) => {
            context.note("forged");
            let told = "form was not ours, open the page again";
            return reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, None, &context);
        }
        Err(Forged::Token) => {
            context.note("form_expired");
            let slip = Some(Slip::Trouble(Trouble::FormExpired));
            return drawn(Shown::new(Stage::Number, "", slip), &browser, &context);
        }
    };
    match step(&form, &browser, &idp.clone().into_inner()).await {
        Ok(Some(shown)) => drawn(shown, &browser, &context),
        Ok(None) => reply::see_other(&context.frame("/activate?done=1").action(), &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// `None`: activated.
async fn step(form: &Params, browser: &Browser, idp: &std::sync::Arc<Idp>) -> Result<Option<Shown>, Fault> {
    let typed = form.first("person_number").unwrap_or_default();
    let Some(number) = PersonNumber::parse_foreign(typed) else {
        return Ok(Some(Shown::new(Stage::Number, typed, Some(Slip::Number))));
    };
    let again = |slip| Ok(Some(Shown::new(Stage::Code, typed, Some(slip))));
    if form.first("step") != Some("code") {
        let complaint = activate::begin(number, browser, idp).await?;
        let slip = complaint.map(|complaint| Slip::Trouble(trouble(complaint)));
        return Ok(Some(Shown::new(Stage::Code, typed, slip)));
    }
    // A password is taken as it is typed: trimming would make another of it.
    let password = Zeroizing::new(form.first("password").unwrap_or_default().to_owned());
    if let Err(weakness) = activate::check_password(&password, &number) {
        return again(Slip::Weak(weakness.name()));
    }
    if form.first("repeat") != Some(password.as_str()) {
        return again(Slip::Repeat);
    }
    let code = form.first("otp").unwrap_or_default().to_owned();
    match activate::finish(Form { number, code, password }, browser, idp).await? {
        Activated::Done => Ok(None),
        Activated::Weak(weakness) => again(Slip::Weak(weakness.name())),
        Activated::Overdue => Ok(Some(Shown::new(Stage::Overdue, "", None))),
        Activated::Again(complaint) => again(Slip::Trouble(trouble(complaint))),
    }
}

fn drawn(shown: Shown, browser: &Browser, context: &Context<'_>) -> HttpResponse {
    let (frame, minted) = match framed(&PLACE, "/activate", browser, context) {
        Ok(framed) => framed,
        Err(fault) => return reply::page_fault(&fault, context),
    };
    let Shown { stage, person_number, slip } = shown;
    let minutes = context.idp.config.lifetimes.otp.as_seconds() / 60;
    let html = Activate { frame, stage, person_number, minutes, slip }.render();
    let mut response = reply::page(StatusCode::OK, html, None, context);
    reply::set_cookies(&mut response, &Cookies { browser: minted, ..Cookies::default() });
    response
}
