//! Requests of authorities: taken in, forwarded, decided.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::Id;
use idp::domain::authority_request::{Decision, Letter, Wish};
use idp::domain::statement::Statement;
use idp::flow::officer::authority;

use super::pages::{self, Done};
use super::{Looking, Sent, act, look};
use crate::web::Console;

/// `/desk/people/{account}/requests`.
pub async fn receive(
    request: HttpRequest,
    account: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    let back = format!("/desk/people/{account}");
    act((&request, &form), &console, &back, letter(&form), async |letter, filed| {
        let received = authority::receive(Id::new(account.as_str()), letter, &filed, &console.idp).await?;
        Ok(received.map(|id| Done::Received.at(&format!("/desk/requests/{id}"))))
    })
    .await
}

fn letter(form: &Sent) -> Option<Letter> {
    let said = |name| Statement::parse(form.text(name));
    Some(Letter { wish: Wish::parse(form.text("wish"))?, authority: said("authority")?, paper: said("paper")? })
}

/// `/desk/requests/{id}`.
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    looking: web::Query<Looking>,
    console: web::Data<Console>,
) -> HttpResponse {
    let found = async |officer: &_| authority::find(Id::new(id.as_str()), officer, &console.idp).await;
    look(&request, &console, found, |setting, shown| pages::request(setting, &shown, looking.done())).await
}

/// `/desk/requests/{id}/forward`.
pub async fn forward(
    request: HttpRequest,
    id: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    let back = format!("/desk/requests/{id}");
    act((&request, &form), &console, &back, Some(()), async |(), filed| {
        let forwarded = authority::forward(Id::new(id.as_str()), &filed, &console.idp).await?;
        Ok(forwarded.map(|_| Done::Forwarded.at(&back)))
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
    let back = format!("/desk/requests/{id}");
    let decision = match (form.text("decision"), Statement::parse(form.text("reason"))) {
        ("accept", _) => Some(Decision::Accept),
        ("refuse", Some(reason)) => Some(Decision::Refuse(reason)),
        _ => None,
    };
    act((&request, &form), &console, &back, decision, async |decision, filed| {
        let decided = authority::decide(Id::new(id.as_str()), decision, &filed, &console.idp).await?;
        Ok(decided.map(|_| Done::Decided.at(&back)))
    })
    .await
}
