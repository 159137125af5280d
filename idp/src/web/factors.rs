//! Passkeys and the authenticator app: proofs on the pages of an interaction, and the pages on which they are added.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::draw::Again;
use super::identity::again;
use super::interaction::{Posted, posted, show};
use super::limit::{self, Counted};
use super::own_form::own_form;
use super::page::Frame;
use super::page::factors::{
    NewPasskey, NewPasskeyProblem, NewTotp, NewTotpProblem, PasskeyForm, PasskeyLine, PasskeyProblem,
};
use super::page::identity::Done;
use super::page::picture::picture;
use super::read::{self, Place};
use super::reply::{self, Context};
use crate::domain::{Fault, Id};
use crate::flow::page::Setting;
use crate::flow::passkey_sign_in::{self, Complaint, Entered, Offer};
use crate::flow::passkeys::{self, Changed, New};
use crate::flow::{Browser, Step, totp};
use crate::idp::Idp;
use crate::protocol::params::Params;

const NEW_PASSKEY: Place<'static> = Place { page: "new-passkey", subject: "" };
const NEW_TOTP: Place<'static> = Place { page: "new-totp", subject: "" };

pub fn form(offer: &Offer) -> PasskeyForm {
    PasskeyForm { ceremony: offer.id.to_string(), options: offer.options.to_string() }
}

pub fn line(shown: passkeys::Shown) -> PasskeyLine {
    let passkeys::Shown { id, label, synced, created_at, used_at } = shown;
    PasskeyLine { id: id.to_string(), label, synced, created_at, used_at }
}

/// Another page of the same interaction.
pub fn link(step: Step, setting: &Setting, context: &Context<'_>) -> String {
    context.frame("").link(&format!("/{}?interaction={}", step.name(), setting.interaction))
}

fn answer(form: &Params) -> passkey_sign_in::Posted {
    let text = |name: &str| form.first(name).unwrap_or_default().to_owned();
    passkey_sign_in::Posted { ceremony: text("ceremony"), credential: text("credential") }
}

/// A passkey posted on the sign-in page.
pub async fn sign_in(posted: Posted<'_>, request: &HttpRequest, idp: &web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = posted;
    let this = idp.clone().into_inner();
    let entered = passkey_sign_in::sign_in(id, answer(&form), &browser, &this).await;
    entered_at(Step::SignIn, entered, (request, &context), idp).await
}

pub async fn step(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::Passkey, &request, Again::default(), &idp).await
}

/// A passkey posted as the factor that was missing.
pub async fn prove(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = match posted(Step::Passkey, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    let entered = passkey_sign_in::step_up(id, answer(&form), &browser, &this).await;
    entered_at(Step::Passkey, entered, (&request, &context), &idp).await
}

async fn entered_at(
    step: Step,
    entered: Result<Entered, Fault>,
    (request, context): (&HttpRequest, &Context<'_>),
    idp: &web::Data<Idp>,
) -> HttpResponse {
    match entered {
        Ok(Entered::Done(answer)) => reply::outcome(answer, context),
        Ok(Entered::Again(complaint)) => {
            let problem = match complaint {
                Complaint::Expired => PasskeyProblem::Expired,
                Complaint::Refused => PasskeyProblem::Refused,
            };
            show(step, request, Again { passkey: Some(problem), ..Again::default() }, idp).await
        }
        Err(fault) => reply::page_fault(&fault, context),
    }
}

pub async fn new_passkey(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    passkey_page(&request, None, &idp).await
}

async fn passkey_page(request: &HttpRequest, problem: Option<NewPasskeyProblem>, idp: &web::Data<Idp>) -> HttpResponse {
    let context = Context { request, language: read::language(request, &[]), idp };
    let browser = read::browser(request, context.language.code, idp);
    if let Some(busy) = stranger_over(&browser, request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    match passkeys::begin(&browser, &this).await {
        Ok(New::Page(offer)) => {
            let frame = own_frame(&NEW_PASSKEY, &browser, &context);
            let page = NewPasskey { frame, passkey: offer.as_ref().map(form), problem };
            reply::page(StatusCode::OK, page.render(), None, &context)
        }
        Ok(New::Elsewhere(answer)) => reply::outcome(answer, &context),
        Ok(New::Added | New::Again(_)) => again(None, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

pub async fn make_passkey(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let (form, browser) = match own_form(&NEW_PASSKEY, &request, &body, &context) {
        Ok(read) => read,
        Err(response) => return *response,
    };
    let this = idp.clone().into_inner();
    let label = form.first("label").unwrap_or_default();
    match passkeys::finish(answer(&form), label, &browser, &this).await {
        Ok(New::Added) => again(Some(Done::PasskeyAdded), &context),
        Ok(New::Again(complaint)) => {
            let problem = match complaint {
                passkeys::Complaint::Expired => NewPasskeyProblem::Expired,
                passkeys::Complaint::Refused => NewPasskeyProblem::Refused,
                passkeys::Complaint::Registered => NewPasskeyProblem::Registered,
                passkeys::Complaint::TooMany => NewPasskeyProblem::TooMany,
            };
            passkey_page(&request, Some(problem), &idp).await
        }
        Ok(New::Elsewhere(answer)) => reply::outcome(answer, &context),
        Ok(New::Page(_)) => again(None, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

pub async fn new_totp(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let browser = read::browser(&request, context.language.code, &idp);
    if let Some(busy) = stranger_over(&browser, &request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    totp_page(totp::begin(&browser, &this).await, &browser, &context)
}

pub async fn confirm_totp(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let (form, browser) = match own_form(&NEW_TOTP, &request, &body, &context) {
        Ok(read) => read,
        Err(response) => return *response,
    };
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    let code = form.first("otp").unwrap_or_default().to_owned();
    totp_page(totp::confirm(code, &browser, &this).await, &browser, &context)
}

fn totp_page(new: Result<totp::New, Fault>, browser: &Browser, context: &Context<'_>) -> HttpResponse {
    let (setup, complaint) = match new {
        Ok(totp::New::Page(setup, complaint)) => (setup, complaint),
        Ok(totp::New::Added) => return again(Some(Done::TotpAdded), context),
        Ok(totp::New::Elsewhere(answer)) => return reply::outcome(answer, context),
        Err(fault) => return reply::page_fault(&fault, context),
    };
    let problem = complaint.map(|complaint| match complaint {
        totp::Complaint::Wrong => NewTotpProblem::Wrong,
        totp::Complaint::Wait(span) => NewTotpProblem::Wait(span.as_seconds()),
    });
    let frame = own_frame(&NEW_TOTP, browser, context);
    let qr = picture(&setup.address);
    let html = NewTotp { frame, qr, secret: setup.grouped.to_string(), problem }.render();
    reply::page(StatusCode::OK, html, None, context)
}

/// What the holder changes on «Danh tính của tôi»; `None`: the form is about something else.
pub async fn change(
    form: &Params,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Option<Result<HttpResponse, Fault>> {
    let (changed, done) = if let Some(id) = form.first("remove_passkey") {
        (passkeys::remove(Id::new(id), browser, idp).await, Done::PasskeyRemoved)
    } else if let Some(id) = form.first("rename_passkey") {
        let label = form.first("label").unwrap_or_default();
        (passkeys::rename(Id::new(id), label, browser, idp).await, Done::PasskeyRenamed)
    } else if form.first("remove_totp").is_some() {
        (totp::remove(browser, idp).await, Done::TotpRemoved)
    } else {
        return None;
    };
    Some(changed.map(|changed| match changed {
        Changed::Done => again(Some(done), context),
        Changed::Nothing => again(None, context),
        Changed::Elsewhere(answer) => reply::outcome(answer, context),
    }))
}

async fn stranger_over(browser: &Browser, request: &HttpRequest, context: &Context<'_>) -> Option<HttpResponse> {
    if browser.session.is_some() { None } else { limit::over(Counted::Page, request, context).await }
}

fn own_frame(place: &Place<'_>, browser: &Browser, context: &Context<'_>) -> Frame {
    let form_token = read::form_token(browser.browser.as_ref(), place, context.idp);
    Frame { form_token, ..context.frame(&format!("/{}", place.page)) }
}
