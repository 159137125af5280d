//! One call: who makes it, its body, its key.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::{Fault, Moment};
use idp::flow::officer::{self, Bearer, Ended, Filed, Key, Officer};
use idp::flow::operator::{self, Visitor};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::LONGEST_BODY;
use super::problem::{self, Denied, Problem};
use crate::web::Console;
use crate::web::session::Visit;

/// Who calls: by a token, or by the console's session from a page of the console.
async fn caller(request: &HttpRequest, console: &Console) -> Result<Result<Officer, Problem>, Fault> {
    let mut given = request.headers().get_all(AUTHORIZATION);
    if let Some(first) = given.next() {
        let token = first.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let (Some(token), None) = (token, given.next()) else { return Ok(Err(Problem::InvalidToken)) };
        return Ok(match officer::by_token(token, &console.idp).await? {
            Bearer::Officer(officer) => Ok(officer),
            Bearer::WithoutRole => Err(Problem::WithoutRole),
            Bearer::Nobody => Err(Problem::InvalidToken),
        });
    }
    let Some(visit) = Visit::find(request, console.idp.clock.now(), &console.idp) else {
        return Ok(Err(Problem::NoToken));
    };
    if !request.method().is_safe() && !from_our_page(request, console) {
        return Ok(Err(Problem::CrossSite));
    }
    Ok(match operator::recognise(&visit.sub, &visit.sid, &console.idp).await? {
        Visitor::Gone => Err(Problem::NoToken),
        visitor => Officer::of(&visitor, &console.idp).ok_or(Problem::WithoutRole),
    })
}

/// A browser says where a request comes from; one that does not say is not believed, since there is no form token here.
fn from_our_page(request: &HttpRequest, console: &Console) -> bool {
    let says = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match says(ORIGIN.as_str()) {
        Some(origin) => origin == console.public_url,
        None => says("sec-fetch-site") == Some("same-origin"),
    }
}

/// A look at something.
pub async fn look<T: Serialize>(
    request: &HttpRequest,
    console: &Console,
    seen: impl AsyncFnOnce(&Officer) -> Ended<T>,
) -> HttpResponse {
    let answer = async {
        let officer = match caller(request, console).await? {
            Ok(officer) => officer,
            Err(problem) => return Ok(problem.answer(console)),
        };
        Ok(answered(StatusCode::OK, seen(&officer).await?, console))
    };
    answer.await.unwrap_or_else(|fault: Fault| problem::failed(&fault, console))
}

/// All that is open, under one name.
pub async fn list<T>(
    request: &HttpRequest,
    console: &Console,
    (name, written): (&'static str, fn(&T, Moment) -> Value),
    open: impl AsyncFnOnce(&Officer) -> Result<Vec<T>, Fault>,
) -> HttpResponse {
    look(request, console, async |officer| {
        let now = console.idp.clock.now();
        let open: Vec<Value> = open(officer).await?.iter().map(|one| written(one, now)).collect();
        Ok(Ok(json!({ name: open })))
    })
    .await
}

/// One of them.
pub async fn show<T>(
    request: &HttpRequest,
    console: &Console,
    written: fn(&T, Moment) -> Value,
    found: impl AsyncFnOnce(&Officer) -> Ended<T>,
) -> HttpResponse {
    look(request, console, async |officer| {
        let now = console.idp.clock.now();
        Ok(found(officer).await?.map(|one| written(&one, now)))
    })
    .await
}

/// A question whose answer depends on a body.
pub async fn ask<B: DeserializeOwned, T: Serialize>(
    request: &HttpRequest,
    payload: web::Payload,
    console: &Console,
    seen: impl AsyncFnOnce(B, &Officer) -> Ended<T>,
) -> HttpResponse {
    let answer = async {
        let officer = match caller(request, console).await? {
            Ok(officer) => officer,
            Err(problem) => return Ok(problem.answer(console)),
        };
        Ok(match body(request, payload).await {
            Ok(body) => answered(StatusCode::OK, seen(body, &officer).await?, console),
            Err(problem) => problem.answer(console),
        })
    };
    answer.await.unwrap_or_else(|fault: Fault| problem::failed(&fault, console))
}

/// An act: once by its key.
pub async fn act<B: DeserializeOwned, T: Serialize, E: Into<Denied>>(
    request: &HttpRequest,
    payload: web::Payload,
    console: &Console,
    done: impl AsyncFnOnce(B, &Filed) -> Result<Result<T, E>, Fault>,
) -> HttpResponse {
    let answer = async {
        let officer = match caller(request, console).await? {
            Ok(officer) => officer,
            Err(problem) => return Ok(problem.answer(console)),
        };
        let Some(key) = key(request) else { return Ok(Problem::NoKey.answer(console)) };
        Ok(match body(request, payload).await {
            Ok(body) => answered(StatusCode::OK, done(body, &Filed { officer, key }).await?, console),
            Err(problem) => problem.answer(console),
        })
    };
    answer.await.unwrap_or_else(|fault: Fault| problem::failed(&fault, console))
}

fn answered<T: Serialize>(status: StatusCode, ended: Result<T, impl Into<Denied>>, console: &Console) -> HttpResponse {
    match ended {
        Ok(value) => problem::json(status, &value, console),
        Err(denied) => problem::denied(denied.into(), console),
    }
}

fn key(request: &HttpRequest) -> Option<Key> {
    let mut given = request.headers().get_all("idempotency-key");
    let key = Key::parse(given.next()?.to_str().ok()?)?;
    given.next().is_none().then_some(key)
}

async fn body<B: DeserializeOwned>(request: &HttpRequest, payload: web::Payload) -> Result<B, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::MediaType);
    }
    let read = payload.to_bytes_limited(LONGEST_BODY).await.map_err(|_| Problem::TooLarge)?;
    let bytes = read.map_err(|_| Problem::NotJson)?;
    serde_json::from_slice(&bytes).map_err(|_| Problem::NotJson)
}
