//! `/authorize`: GET and POST (OIDC Core §3.1.2.1).

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::limit::{self, Counted};
use super::read;
use super::reply::{self, Context};
use crate::domain::{Fault, Id};
use crate::flow::Answer;
use crate::flow::authorize::{self, Arrival};
use crate::idp::Idp;
use crate::protocol::params::Params;

pub async fn get(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let params = match read::query(&request) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context(&request, None, &idp)),
    };
    let context = context(&request, Some(&params), &idp);
    let browser = read::browser(&request, context.language.code, &idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, &request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    let answer = match params.first("posted") {
        Some(id) => authorize::begin_posted(Id::new(id), &browser, &this).await,
        None => authorize::begin(&params, Arrival::Get, &browser, &this).await,
    };
    done(answer, &context)
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context(&request, None, &idp)),
    };
    let context = context(&request, Some(&params), &idp);
    let browser = read::browser(&request, context.language.code, &idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, &request, &context).await
    {
        return busy;
    }
    // Without our cookies nobody can tell a foreign form from our own visitor whose Lax cookies stayed behind.
    let foreign = read::is_cross_site(&request, &idp) || browser.browser.is_none();
    let arrival = if foreign { Arrival::CrossSitePost } else { Arrival::Post };
    let this = idp.clone().into_inner();
    done(authorize::begin(&params, arrival, &browser, &this).await, &context)
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
