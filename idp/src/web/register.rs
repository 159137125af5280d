//! `/register` (RFC 7591 §3) and `/register/{client_id}` (RFC 7592 §2): JSON in and out, by bearer token.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::challenge::challenge;
use super::read::Unread;
use super::reply::{self, Context};
use super::{headers, read, refusal, token};
use crate::domain::{Client, Fault, Id};
use crate::flow::register::{self, Verdict};
use crate::idp::Idp;
use crate::protocol::binding::Scheme;
use crate::protocol::registration::manage;
use crate::protocol::userinfo;
use crate::protocol::{Error, ErrorCode};

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(token) = presented(&request) else {
        return challenge(Some(&manage::not_invited()), Scheme::Bearer, &context);
    };
    let text = match text(&request, &body) {
        Ok(text) => text,
        Err(unread) => return not_read(&unread, &context),
    };
    let this = idp.clone().into_inner();
    told(StatusCode::CREATED, register::register(&token, text, &this).await, Some(text), &context)
}

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(token) = presented(&request) else {
        return refused(&manage::not_manager(), None, &context);
    };
    told(StatusCode::OK, register::read(client_id(&request), &token, &idp).await, None, &context)
}

pub async fn put(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(token) = presented(&request) else {
        return refused(&manage::not_manager(), None, &context);
    };
    let text = match text(&request, &body) {
        Ok(text) => text,
        Err(unread) => return not_read(&unread, &context),
    };
    let this = idp.clone().into_inner();
    told(StatusCode::OK, register::replace(client_id(&request), &token, text, &this).await, Some(text), &context)
}

pub async fn delete(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let Some(token) = presented(&request) else {
        return refused(&manage::not_manager(), None, &context);
    };
    match register::close(client_id(&request), &token, &idp).await {
        Ok(Ok(())) => {
            context.note("ok");
            reply::builder(StatusCode::NO_CONTENT, headers::Answer::Bare, &context).finish()
        }
        Ok(Err(error)) => refused(&error, None, &context),
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

/// The bearer token in the header; anything else is none.
fn presented(request: &HttpRequest) -> Option<String> {
    let query = read::query(request).ok()?;
    let found = userinfo::presented(&read::authorizations(request), &query, None).ok().flatten();
    found.filter(|found| found.scheme == Scheme::Bearer).map(|found| found.token)
}

fn client_id(request: &HttpRequest) -> Id<Client> {
    Id::new(request.match_info().get("client_id").unwrap_or_default())
}

/// RFC 7591 §3.1: JSON, in UTF-8 (RFC 8259 §8.1).
fn text<'a>(request: &HttpRequest, body: &'a Bytes) -> Result<&'a str, Unread> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Unread::MediaType);
    }
    std::str::from_utf8(body).map_err(|_| {
        let told = "the registration is not UTF-8";
        Unread::Malformed(Error::new(ErrorCode::InvalidClientMetadata, "RFC 8259 §8.1", told))
    })
}

fn not_read(unread: &Unread, context: &Context<'_>) -> HttpResponse {
    match unread {
        Unread::MediaType => {
            reply::unread(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content type is not application/json", context)
        }
        Unread::TooLarge | Unread::LongLine | Unread::LargeHead | Unread::TooSlow | Unread::Malformed(_) => {
            reply::json_unread(unread, context)
        }
    }
}

/// `sent`: the document of the request.
fn told(
    status: StatusCode,
    verdict: Result<Verdict, Fault>,
    sent: Option<&str>,
    context: &Context<'_>,
) -> HttpResponse {
    match verdict {
        Ok(Ok(registration)) => {
            context.note("ok");
            reply::builder(status, headers::Answer::Bare, context)
                .insert_header((header::PRAGMA, "no-cache"))
                .content_type("application/json")
                .body(Value::Object(registration).to_string())
        }
        Ok(Err(error)) => refused(&error, sent, context),
        Err(fault) => reply::json_fault(&fault, context),
    }
}

/// RFC 7591 §3.2.2: what is wrong with the token is a bearer error, what is wrong with the metadata a plain one.
fn refused(error: &Error, sent: Option<&str>, context: &Context<'_>) -> HttpResponse {
    refusal::of_registration(error, client_id(context.request), sent, context);
    match error.code {
        ErrorCode::InvalidToken | ErrorCode::InsufficientScope => challenge(Some(error), Scheme::Bearer, context),
        _ => reply::oauth_error(error, context),
    }
}
