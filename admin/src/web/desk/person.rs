//! One person: who they are, how their account stands, and what can be done at their request.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::authority_request::Wish;
use idp::domain::statement::Statement;
use idp::domain::{Id, PersonNumber};
use idp::flow::officer::{Refusal, dossier, holder_lock};

use super::pages::{self, Done};
use super::{Looking, Sent, act, from_officer, look};
use crate::web::Console;

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
    let found = async |officer: &_| dossier::open(Id::new(account.as_str()), officer, &console.idp).await;
    look(&request, &console, found, |setting, dossier| pages::person(setting, &dossier, looking.done())).await
}

/// `/desk/people/{account}/lock`: TK03, both ways.
pub async fn turn(
    request: HttpRequest,
    account: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    let back = format!("/desk/people/{account}");
    let asked = Wish::parse(form.text("wish")).zip(Statement::parse(form.text("paper")));
    act((&request, &form), &console, &back, asked.filter(|_| form.ticked("seen")), async |(wish, paper), filed| {
        let order = holder_lock::Order { account: Id::new(account.as_str()), wish, paper };
        let turned = holder_lock::carry_out(order, &filed, &console.idp).await?;
        Ok(turned.map(|_| Done::of(wish).at(&back)))
    })
    .await
}
