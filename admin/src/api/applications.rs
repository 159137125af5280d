//! Applications: form TK01 with its identity check, examined and decided.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::{Id, Moment};
use idp::flow::officer::enrol::{self, Shown};
use idp::flow::officer::{Refusal, dossier};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, act};
use super::problem::{Denied, clock};
use crate::tk01::{Filled, verdict};
use crate::web::Console;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    decision: String,
    #[serde(default)]
    card_expires: String,
    #[serde(default)]
    reason: String,
}

/// For somebody who has an account.
pub async fn receive(
    request: HttpRequest,
    account: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    act(&request, payload, &console, async |filled: Filled, filed| {
        let number = match dossier::number(Id::new(account.as_str()), &filed.officer, &console.idp).await? {
            Ok(number) => number,
            Err(refusal) => return Ok(Err(Denied::from(refusal))),
        };
        let application = match filled.upgrade(number) {
            Ok(application) => application,
            Err(field) => return Ok(Err(Denied::Field(field))),
        };
        Ok(received(enrol::receive(application, filed, &console.idp).await?))
    })
    .await
}

/// For somebody without an account.
pub async fn receive_new(request: HttpRequest, payload: web::Payload, console: web::Data<Console>) -> HttpResponse {
    act(&request, payload, &console, async |filled: Filled, filed| {
        let application = match filled.first() {
            Ok(application) => application,
            Err(field) => return Ok(Err(Denied::Field(field))),
        };
        Ok(received(enrol::receive(application, filed, &console.idp).await?))
    })
    .await
}

fn received<T: serde::Serialize>(ended: Result<T, Refusal>) -> Result<Value, Denied> {
    Ok(json!({ "application": ended? }))
}

pub async fn list(request: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    call::list(&request, &console, ("applications", written), async |officer| enrol::open(officer, &console.idp).await)
        .await
}

pub async fn show(request: HttpRequest, id: web::Path<String>, console: web::Data<Console>) -> HttpResponse {
    let found = async |officer: &_| enrol::find(Id::new(id.as_str()), officer, &console.idp).await;
    call::show(&request, &console, written, found).await
}

fn written(shown: &Shown, now: Moment) -> Value {
    let (enrolment, state) = (&shown.enrolment, shown.enrolment.progress.state);
    let evidence: Vec<Value> = shown
        .evidence
        .iter()
        .map(|(proof, reference, at)| json!({ "proof": proof.name(), "reference": reference, "at": at }))
        .collect();
    let card = shown.card.as_ref();
    json!({
        "application": enrolment.id,
        "account": enrolment.account,
        "person_number": shown.person_number,
        "name": shown.name,
        "level": shown.level.number(),
        "phone": shown.phone,
        "state": state.name(),
        "reason": state.reason().map(|reason| reason.name()),
        "submitted_at": enrolment.progress.submitted_at,
        "decide_by": enrolment.progress.decide_by,
        "decided_at": enrolment.progress.decided_at,
        "activate_by": enrolment.progress.activate_by,
        "card": card.map(|card| json!({ "suffix": card.suffix, "expires": card.expires.map(|last| last.to_string()) })),
        "needs_card": shown.needs_card(now),
        "evidence": evidence,
        "papers": shown.papers,
        "dependants": shown.dependants,
        "guardian": shown.guardian,
        "clock": shown.clock.map(clock),
    })
}

pub async fn decide(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    console: web::Data<Console>,
) -> HttpResponse {
    act(&request, payload, &console, async |decided: Decided, filed| {
        let Some(verdict) = verdict(&decided.decision, &decided.card_expires, &decided.reason) else {
            return Ok(Err(Refusal::Malformed));
        };
        let ended = enrol::decide(Id::new(id.as_str()), verdict, filed, &console.idp).await?;
        Ok(ended.map(|account| json!({ "application": id.as_str(), "account": account })))
    })
    .await
}
