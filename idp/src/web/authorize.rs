//! `/authorize`: GET and POST (OIDC Core §3.1.2.1).

use actix_web::http::Method;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::limit::{self, Counted};
use super::reply::{self, Context};
use super::{read, refusal};
use crate::domain::{Fault, Id};
use crate::flow::authorize::{self, Arrival};
use crate::flow::{Answer, Browser};
use crate::idp::Idp;
use crate::protocol::params::Params;

pub async fn get(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    match read::query(&request) {
        Ok(params) => answer(&request, &params, &idp).await,
        Err(unread) => reply::page_unread(&unread, &context(&request, None, &idp)),
    }
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    match read::form(&request, &body) {
        Ok(params) => answer(&request, &params, &idp).await,
        Err(unread) => reply::page_unread(&unread, &context(&request, None, &idp)),
    }
}

async fn answer(request: &HttpRequest, params: &Params, idp: &web::Data<Idp>) -> HttpResponse {
    let context = context(request, Some(params), idp);
    let browser = read::browser(request, context.language.code, idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    let answer = match (request.method(), params.first("posted")) {
        (&Method::POST, _) => authorize::begin(params, posted(request, &browser, idp), &browser, &this).await,
        (_, Some(id)) => authorize::begin_posted(Id::new(id), &browser, &this).await,
        (_, None) => authorize::begin(params, Arrival::Get, &browser, &this).await,
    };
    if let Ok(answer) = &answer {
        refusal::of_authorization(&answer.outcome, params, &context);
    }
    done(answer, &context)
}

/// Without our cookies nobody can tell a foreign form from our own visitor whose Lax cookies stayed behind.
fn posted(request: &HttpRequest, browser: &Browser, idp: &Idp) -> Arrival {
    let foreign = read::is_cross_site(request, idp) || browser.browser.is_none();
    if foreign { Arrival::CrossSitePost } else { Arrival::Post }
}

fn context<'a>(request: &'a HttpRequest, params: Option<&Params>, idp: &'a Idp) -> Context<'a> {
    let locales = params.and_then(|params| params.first("ui_locales")).unwrap_or_default();
    let locales: Vec<String> = locales.split(' ').take(16).map(str::to_owned).collect();
    Context { request, language: read::language(request, &locales), idp }
}

/// Any answer of a flow, or the page that says it was us.
pub fn done(answer: Result<Answer, Fault>, context: &Context<'_>) -> HttpResponse {
    match answer {
        Ok(answer) => reply::outcome(answer, context),
        Err(fault) => reply::page_fault(&fault, context),
    }
}
