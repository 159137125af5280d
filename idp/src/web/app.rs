//! What the holder's app calls: it is bound, it scans a QR code, it approves or declines. JSON in and out; who speaks is
//! told by the statement's signature alone.

use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::limit::{self, Counted};
use super::reply::{self, Context};
use super::{headers, seen, token};
use crate::domain::app::Refused;
use crate::domain::consent::Bilingual;
use crate::flow::app::ticket::{self, Scanned};
use crate::flow::app::{self, Told, device};
use crate::idp::Idp;

pub async fn bind(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    // A code is guessed at without any account being known: the address is what can be counted.
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let Some(statement) = statement(&request, &body) else { return refused(Refused::Statement, &context) };
    let this = idp.clone().into_inner();
    match device::bind(&statement, &this).await {
        Ok(Ok(bound)) => {
            app::deliver(bound.notice, &idp).await;
            reply::json(&json!({"device": bound.device, "holder": bound.holder}), &context)
        }
        Ok(Err(why)) => refused(why, &context),
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

pub async fn scan(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(statement) = statement(&request, &body) else { return refused(Refused::Statement, &context) };
    let this = idp.clone().into_inner();
    match ticket::scan(&statement, seen::place(&request, &idp), &this).await {
        Ok(Ok(scanned)) => reply::json(&shown(&scanned), &context),
        Ok(Err(why)) => refused(why, &context),
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

pub async fn approve(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(statement) = statement(&request, &body) else { return refused(Refused::Statement, &context) };
    let this = idp.clone().into_inner();
    answered(ticket::approve(&statement, &this).await, "approved", &context)
}

pub async fn decline(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(statement) = statement(&request, &body) else { return refused(Refused::Statement, &context) };
    let this = idp.clone().into_inner();
    answered(ticket::decline(&statement, &this).await, "declined", &context)
}

/// `{"statement": JWS}` and nothing else.
fn statement(request: &HttpRequest, body: &Bytes) -> Option<String> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else { return None };
    match (members.remove("statement"), members.is_empty()) {
        (Some(Value::String(statement)), true) => Some(statement),
        _ => None,
    }
}

fn shown(scanned: &Scanned) -> Value {
    let words = |text: &Bilingual| json!({"vi": text.vi, "en": text.en});
    json!({
        "challenge": scanned.challenge.reveal(),
        "portal": scanned.portal.as_ref().map(words),
        "organisation": scanned.organisation.as_ref().map(words),
        "service": scanned.service.as_ref().map(words),
        "country": scanned.place.country,
        "city": scanned.place.city,
        "network": scanned.place.network,
        "browser": scanned.browser,
        "level": scanned.level.number(),
        "unlock": scanned.unlock.iter().map(|unlock| unlock.name()).collect::<Vec<_>>(),
        "claims": scanned.claims.iter().map(words).collect::<Vec<_>>(),
        "contested": scanned.contested,
        "expires_in": scanned.answer_within.as_seconds(),
    })
}

fn answered(told: Told<()>, done: &str, context: &Context<'_>) -> HttpResponse {
    match told {
        Ok(Ok(())) => reply::json(&json!({"state": done}), context),
        Ok(Err(why)) => refused(why, context),
        Err(fault) => reply::json_fault(&fault, context),
    }
}

fn refused(why: Refused, context: &Context<'_>) -> HttpResponse {
    context.note(why.name());
    let status = match why {
        Refused::Statement => StatusCode::UNAUTHORIZED,
        Refused::Barred => StatusCode::FORBIDDEN,
        Refused::Pace => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut builder = reply::builder(status, headers::Answer::Bare, context);
    if why == Refused::Pace {
        builder.insert_header((RETRY_AFTER, "10"));
    }
    builder.insert_header((header::PRAGMA, "no-cache")).json(json!({"error": why.name()}))
}
