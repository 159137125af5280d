//! Requests of authorities.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::authority_request::{Decision, Letter, Signed, Wish};
use idp::domain::statement::Statement;
use idp::domain::{Id, Moment};
use idp::flow::officer::authority::{self, Shown};
use idp::flow::officer::{Ended, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, act};
use super::problem::clock;
use crate::web::Console;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Received {
    wish: String,
    authority: String,
    paper: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    decision: String,
    reason: Option<String>,
}

pub async fn receive(
    request: HttpRequest,
    account: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    act(&request, payload, &console, async |received: Received, filed| {
        let parts =
            (Wish::parse(&received.wish), Statement::parse(&received.authority), Statement::parse(&received.paper));
        let (Some(wish), Some(authority), Some(paper)) = parts else { return Ok(Err(Refusal::Malformed)) };
        let letter = Letter { wish, authority, paper };
        let ended = authority::receive(Id::new(account.as_str()), letter, filed, &console.idp).await?;
        Ok(ended.map(|id| json!({ "request": id })))
    })
    .await
}

pub async fn list(request: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    call::list(&request, &console, ("requests", written), async |officer| authority::open(officer, &console.idp).await)
        .await
}

pub async fn show(request: HttpRequest, id: web::Path<String>, console: web::Data<Console>) -> HttpResponse {
    let found = async |officer: &_| authority::find(Id::new(id.as_str()), officer, &console.idp).await;
    call::show(&request, &console, written, found).await
}

fn written(shown: &Shown, now: Moment) -> Value {
    let request = &shown.request;
    let signed = |by: &Signed| json!({ "by": by.by, "at": by.at });
    let reason = match &request.decided {
        Some((_, Decision::Refuse(reason))) => Some(reason.as_str()),
        _ => None,
    };
    json!({
        "request": request.id,
        "account": request.account,
        "person_number": shown.person_number,
        "wish": request.letter.wish.name(),
        "authority": request.letter.authority.as_str(),
        "paper": request.letter.paper.as_str(),
        "stage": request.stage().name(),
        "received": signed(&request.received),
        "forward_by": request.forward_by,
        "forwarded": request.forwarded.as_ref().map(signed),
        "decide_by": request.decide_by,
        "decided": request.decided.as_ref().map(|(by, _)| signed(by)),
        "reason": reason,
        "clock": request.clock(now).map(clock),
    })
}

pub async fn forward(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    act(&request, payload, &console, async |_: Nothing, filed| -> Ended<Value> {
        let ended = authority::forward(Id::new(id.as_str()), filed, &console.idp).await?;
        Ok(ended.map(|id| json!({ "request": id })))
    })
    .await
}

pub async fn decide(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    act(&request, payload, &console, async |decided: Decided, filed| {
        let reason = decided.reason.as_deref().map(Statement::parse);
        let decision = match (decided.decision.as_str(), reason) {
            ("accept", None) => Decision::Accept,
            ("refuse", Some(Some(reason))) => Decision::Refuse(reason),
            _ => return Ok(Err(Refusal::Malformed)),
        };
        let ended = authority::decide(Id::new(id.as_str()), decision, filed, &console.idp).await?;
        Ok(ended.map(|settled| json!({ "request": id.as_str(), "eid": settled })))
    })
    .await
}
