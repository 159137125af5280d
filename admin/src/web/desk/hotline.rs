//! The hotline's call about an account that waits for its holder: what was checked, and the activation.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::Id;
use idp::domain::hotline::{Call, Case, Check};
use idp::flow::officer::{Refusal, dossier, hotline};

use super::pages::{self, Done};
use super::{Sent, act, look};
use crate::web::Console;

/// `/desk/people/{account}/activation`.
pub async fn ask(request: HttpRequest, account: web::Path<String>, console: web::Data<Console>) -> HttpResponse {
    let found = async |officer: &_| {
        let opened = dossier::open(Id::new(account.as_str()), officer, &console.idp).await?;
        Ok(opened.and_then(|dossier| match dossier.waiting {
            Some(waiting) => Ok((dossier, waiting)),
            None => Err(Refusal::NotWaiting),
        }))
    };
    look(&request, &console, found, |setting, (dossier, waiting)| pages::activation(setting, &dossier, waiting)).await
}

/// `/desk/people/{account}/activation`, posted.
pub async fn activate(
    request: HttpRequest,
    account: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    let back = format!("/desk/people/{account}");
    act((&request, &form), &console, &back, Case::parse(form.text("case")), async |case, filed| {
        let checked = Check::ALL.into_iter().filter(|check| form.ticked(check.name()));
        let Some(call) = Call::of(case, checked) else { return Ok(Err(Refusal::NotChecked)) };
        let activated = hotline::activate(Id::new(account.as_str()), call, &filed, &console.idp).await?;
        Ok(activated.map(|_| Done::Activated.at(&back)))
    })
    .await
}
