//! Requests of authorities: taken in, forwarded, decided.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::Id;
use idp::domain::authority_request::{Decision, Letter, Wish};
use idp::domain::statement::Statement;
use idp::flow::officer::{Refusal, authority};
use serde::Deserialize;

use super::pages::{self, Done};
use super::{Sent, from_officer, to_officer};
use crate::web::Console;

#[derive(Deserialize)]
pub struct Looking {
    done: Option<String>,
}

/// `/desk/people/{account}/requests`.
pub async fn receive(
    request: HttpRequest,
    account: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let back = format!("/desk/people/{account}");
        let said = |name| Statement::parse(form.text(name));
        let letter = (Wish::parse(form.text("wish")), said("authority"), said("paper"));
        let ((Some(wish), Some(authority), Some(paper)), Some(filed)) = (letter, setting.filed(&form)) else {
            return Ok(setting.refused(Refusal::Malformed, &back));
        };
        let letter = Letter { wish, authority, paper };
        Ok(match authority::receive(Id::new(account.as_str()), letter, &filed, &console.idp).await? {
            Ok(id) => setting.away_to(&format!("/desk/requests/{id}?done={}", Done::Received.name())),
            Err(refusal) => setting.refused(refusal, &back),
        })
    })
    .await
}

/// `/desk/requests/{id}`.
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    looking: web::Query<Looking>,
    console: web::Data<Console>,
) -> HttpResponse {
    to_officer(&request, &console, async |setting| {
        let done = looking.done.as_deref().and_then(Done::parse);
        Ok(match authority::find(Id::new(id.as_str()), &setting.officer, &console.idp).await? {
            Ok(shown) => pages::request(&setting, &shown, done),
            Err(refusal) => setting.refused(refusal, "/desk"),
        })
    })
    .await
}

/// `/desk/requests/{id}/forward`.
pub async fn forward(
    request: HttpRequest,
    id: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let back = format!("/desk/requests/{id}");
        let Some(filed) = setting.filed(&form) else { return Ok(setting.refused(Refusal::Malformed, &back)) };
        Ok(match authority::forward(Id::new(id.as_str()), &filed, &console.idp).await? {
            Ok(_) => setting.away_to(&format!("{back}?done={}", Done::Forwarded.name())),
            Err(refusal) => setting.refused(refusal, &back),
        })
    })
    .await
}

/// `/desk/requests/{id}/decide`.
pub async fn decide(
    request: HttpRequest,
    id: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let back = format!("/desk/requests/{id}");
        let decision = match (form.text("decision"), Statement::parse(form.text("reason"))) {
            ("accept", _) => Some(Decision::Accept),
            ("refuse", Some(reason)) => Some(Decision::Refuse(reason)),
            _ => None,
        };
        let (Some(decision), Some(filed)) = (decision, setting.filed(&form)) else {
            return Ok(setting.refused(Refusal::Malformed, &back));
        };
        Ok(match authority::decide(Id::new(id.as_str()), decision, &filed, &console.idp).await? {
            Ok(_) => setting.away_to(&format!("{back}?done={}", Done::Decided.name())),
            Err(refusal) => setting.refused(refusal, &back),
        })
    })
    .await
}
