//! One person: who they are, how their account stands, and what can be done at their request.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::authority_request::Wish;
use idp::domain::statement::Statement;
use idp::domain::{Id, PersonNumber};
use idp::flow::officer::{Refusal, dossier, holder_lock};
use serde::Deserialize;

use super::pages::{self, Done};
use super::{Sent, from_officer, to_officer};
use crate::web::Console;

#[derive(Deserialize)]
pub struct Looking {
    done: Option<String>,
}

/// `/desk/find`: the number came in the body, and the address that follows holds only the account's own id.
pub async fn find(request: HttpRequest, form: Sent, console: web::Data<Console>) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let Some(number) = PersonNumber::parse(form.text("person_number")) else {
            return Ok(setting.refused(Refusal::Malformed, "/desk"));
        };
        Ok(match dossier::find(&number, &setting.officer, &console.idp).await? {
            Ok(account) => setting.away_to(&format!("/desk/people/{account}")),
            Err(_) => pages::nobody(&setting),
        })
    })
    .await
}

/// `/desk/people/{account}`.
pub async fn show(
    request: HttpRequest,
    account: web::Path<String>,
    looking: web::Query<Looking>,
    console: web::Data<Console>,
) -> HttpResponse {
    to_officer(&request, &console, async |setting| {
        let done = looking.done.as_deref().and_then(Done::parse);
        Ok(match dossier::open(Id::new(account.as_str()), &setting.officer, &console.idp).await? {
            Ok(dossier) => pages::person(&setting, &dossier, done),
            Err(refusal) => setting.refused(refusal, "/desk"),
        })
    })
    .await
}

/// `/desk/people/{account}/lock`: TK03, both ways.
pub async fn turn(
    request: HttpRequest,
    account: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let back = format!("/desk/people/{account}");
        let order = (Wish::parse(form.text("wish")), Statement::parse(form.text("paper")), form.ticked("seen"));
        let ((Some(wish), Some(paper), true), Some(filed)) = (order, setting.filed(&form)) else {
            return Ok(setting.refused(Refusal::Malformed, &back));
        };
        let order = holder_lock::Order { account: Id::new(account.as_str()), wish, paper };
        Ok(match holder_lock::carry_out(order, &filed, &console.idp).await? {
            Ok(_) => setting.away_to(&format!("{back}?done={}", Done::of(wish).name())),
            Err(refusal) => setting.refused(refusal, &back),
        })
    })
    .await
}
