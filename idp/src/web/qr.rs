//! The page with the QR code, and what it asks while it waits. The sign-in goes on in a request of this browser's own.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::draw::{asker, frame, service};
use super::interaction::{interaction, posted};
use super::limit::{self, Counted};
use super::page::qr::Qr;
use super::reply::{self, Context};
use super::{headers, read, seen, token};
use crate::domain::{Id, interaction::Interaction};
use crate::flow::app::qr::{self, Shown, View, Viewer};
use crate::flow::authorize::gone;
use crate::flow::page::Setting;
use crate::flow::{Browser, Step, app};
use crate::idp::Idp;

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let Some(id) = interaction(&request) else { return reply::shown(&gone(), &context) };
    let browser = read::browser(&request, context.language.code, &idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, &request, &context).await
    {
        return busy;
    }
    let viewer = Viewer { browser: &browser, place: seen::place(&request, &idp), agent: seen::agent(&request) };
    match qr::show(id, viewer, false, &idp.clone().into_inner()).await {
        Ok(Shown::Page(setting, view)) => {
            let context = Context { language: read::language(&request, &setting.ui_locales), ..context };
            drawn(&setting, *view, &browser, &context)
        }
        Ok(Shown::Elsewhere(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// Another code was asked for: back to the page by GET, so that a reload asks for nothing.
pub async fn renew(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let posted = match posted(Step::Qr, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let context = posted.context;
    if let Some(busy) = limit::over(Counted::Page, &request, &context).await {
        return busy;
    }
    let place = seen::place(&request, &idp);
    let viewer = Viewer { browser: &posted.browser, place, agent: seen::agent(&request) };
    match qr::show(posted.id.clone(), viewer, true, &idp.clone().into_inner()).await {
        Ok(Shown::Page(..)) => reply::see_other(&context.frame(&address(&posted.id)).action(), &context),
        Ok(Shown::Elsewhere(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// What became of the code, for the page's script.
pub async fn stage(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let told = |status, body| reply::builder(status, headers::Answer::Bare, &context).json(body);
    let Some(id) = interaction(&request) else { return told(StatusCode::NOT_FOUND, json!({"stage": "gone"})) };
    // `security.md` LG-35.
    if app::is_too_fast("page", id.as_str(), &idp).await {
        let mut response = told(StatusCode::TOO_MANY_REQUESTS, json!({"error": "slow_down"}));
        reply::insert(&mut response, RETRY_AFTER, "10");
        return response;
    }
    let browser = read::browser(&request, context.language.code, &idp);
    match qr::stage(id, &browser, &idp.clone().into_inner()).await {
        Ok(Some((stage, contested))) => told(StatusCode::OK, json!({"stage": stage.name(), "contested": contested})),
        Ok(None) => told(StatusCode::NOT_FOUND, json!({"stage": "gone"})),
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

fn address(id: &Id<Interaction>) -> String {
    format!("/{}?interaction={id}", Step::Qr.name())
}

fn drawn(setting: &Setting, view: View, browser: &Browser, context: &Context<'_>) -> HttpResponse {
    context.note(Step::Qr.name());
    let language = context.language.code;
    let page = Qr {
        frame: frame(Step::Qr, setting, "", browser, context),
        asker: setting.client.as_deref().map(|client| asker(client, language)),
        service: service(setting, language),
        payload: view.payload,
        number: view.number,
        stage: view.stage.name(),
        contested: view.contested,
        needed: view.needed.map(|(level, unlock)| {
            (level.number(), unlock.iter().map(|unlock| unlock.name()).collect::<Vec<_>>().join("_"))
        }),
        otherwise: view.may_type.then_some(()).map(|()| if view.needed.is_some() { "/otp" } else { "/sign-in" }),
    };
    let leads_to = setting.redirect_uri.as_deref();
    let mut response = reply::page(StatusCode::OK, page.render(), leads_to, context);
    // The page's own script asks us what became of the code, and nobody else.
    let policy = format!("{}; connect-src 'self'", headers::content_policy(leads_to));
    reply::insert(&mut response, CONTENT_SECURITY_POLICY, &policy);
    response
}
