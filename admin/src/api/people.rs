//! People and their e-IDs.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::authority_request::Wish;
use idp::domain::hotline::{Call, Case, Check};
use idp::domain::statement::Statement;
use idp::domain::{Id, Moment, PersonNumber};
use idp::flow::officer::dossier::{self, Dossier};
use idp::flow::officer::{Refusal, holder_lock, hotline};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{act, ask, look};
use crate::web::Console;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    person_number: String,
}

/// A filed form TK03.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    paper: String,
    /// The officer met the holder and saw the card.
    identity_seen: bool,
}

/// A call to the hotline.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    case: String,
    checked: Vec<String>,
}

pub async fn find(request: HttpRequest, payload: web::Payload, console: web::Data<Console>) -> HttpResponse {
    ask(&request, payload, &console, async |person: Person, officer| {
        let Some(number) = PersonNumber::parse(&person.person_number) else { return Ok(Err(Refusal::Malformed)) };
        let found = dossier::find(&number, officer, &console.idp).await?;
        Ok(found.map(|account| json!({ "account": account })))
    })
    .await
}

pub async fn show(request: HttpRequest, account: web::Path<String>, console: web::Data<Console>) -> HttpResponse {
    look(&request, &console, async |officer| {
        let opened = dossier::open(Id::new(account.as_str()), officer, &console.idp).await?;
        Ok(opened.map(|dossier| written(&dossier, console.idp.clock.now())))
    })
    .await
}

fn written(dossier: &Dossier, now: Moment) -> Value {
    let account = &dossier.account;
    let grounds: Vec<Value> = dossier
        .grounds
        .iter()
        .map(|(ground, authority, since)| json!({ "ground": ground.letter(), "authority": authority, "since": since }))
        .collect();
    let eid = account.eid.as_ref().map(|eid| {
        let state = if eid.is_active() { "active" } else { "locked" };
        json!({ "state": state, "grounds": grounds, "issued_at": eid.issued_at })
    });
    json!({
        "account": account.id,
        "person_number": dossier.person_number,
        "name": dossier.name,
        "phone": dossier.phone,
        "email": dossier.email,
        "holder": account.holder.name(),
        "level": account.level.map(|level| level.number()),
        "state": account.state.name(),
        "locked": account.is_locked(),
        "grounds": grounds,
        "activation": dossier.waiting.map(|waiting| json!({
            "until": waiting.until, "overdue": waiting.until.is_some_and(|until| now >= until),
        })),
        "eid": eid,
        "card_expires": account.card_expires,
        "has_guardian": account.guardian.is_some(),
    })
}

pub async fn lock(
    request: HttpRequest,
    account: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    turn(&request, &account, payload, Wish::Lock, &console).await
}

pub async fn unlock(
    request: HttpRequest,
    account: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    turn(&request, &account, payload, Wish::Unlock, &console).await
}

async fn turn(
    request: &HttpRequest,
    account: &str,
    payload: web::Payload,
    wish: Wish,
    console: &Console,
) -> HttpResponse {
    act(request, payload, console, async |form: Form, filed| {
        let (Some(paper), true) = (Statement::parse(&form.paper), form.identity_seen) else {
            return Ok(Err(Refusal::Malformed));
        };
        holder_lock::carry_out(holder_lock::Order { account: Id::new(account), wish, paper }, filed, &console.idp).await
    })
    .await
}

pub async fn activate(
    request: HttpRequest,
    account: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    act(&request, payload, &console, async |called: Called, filed| {
        let checked: Option<Vec<Check>> = called.checked.iter().map(|name| Check::parse(name)).collect();
        let (Some(case), Some(checked)) = (Case::parse(&called.case), checked) else {
            return Ok(Err(Refusal::Malformed));
        };
        let Some(call) = Call::of(case, checked) else { return Ok(Err(Refusal::NotChecked)) };
        hotline::activate(Id::new(account.as_str()), call, filed, &console.idp).await
    })
    .await
}
