//! Level 2 at the desk: form TK01 taken in, examined, decided.

mod form;

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::application;
use idp::domain::enrolment::Proof;
use idp::domain::registration::{Reason, State};
use idp::domain::{Id, PersonNumber};
use idp::flow::officer::enrol::{self, Shown, Verdict};
use idp::flow::officer::{Refusal, dossier};
use idp::web::page::calendar;
use serde::Deserialize;

use super::pages::{self, Done, Frame, Ticking};
use super::{Sent, Setting, from_officer, to_officer};
use crate::web::Console;

pub use form::Kept;

#[derive(Deserialize)]
pub struct Looking {
    done: Option<String>,
}

/// `/desk/people/{account}/level-two`: the form for somebody who has an account.
pub async fn ask(request: HttpRequest, account: web::Path<String>, console: web::Data<Console>) -> HttpResponse {
    to_officer(&request, &console, async |setting| {
        Ok(match dossier::open(Id::new(account.as_str()), &setting.officer, &console.idp).await? {
            Ok(dossier) => {
                let whom = pages::Whom { account: Some(account.to_string()), told: dossier.person_number };
                pages::form(&setting, whom, Kept::default(), None)
            }
            Err(refusal) => setting.refused(refusal, "/desk"),
        })
    })
    .await
}

/// `/desk/people/{account}/level-two`, posted.
pub async fn receive(
    request: HttpRequest,
    account: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let number = match dossier::number(Id::new(account.as_str()), &setting.officer, &console.idp).await? {
            Ok(number) => number,
            Err(refusal) => return Ok(setting.refused(refusal, "/desk")),
        };
        let whom = pages::Whom { account: Some(account.to_string()), told: number.to_string() };
        take(setting, &form, number, whom).await
    })
    .await
}

/// `/desk/level-two`: for somebody without an account; the number is typed again, so that no page carries it.
pub async fn receive_new(request: HttpRequest, form: Sent, console: web::Data<Console>) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let whom = pages::Whom { account: None, told: String::new() };
        match PersonNumber::parse(form.text("person_number")) {
            Some(number) => take(setting, &form, number, whom).await,
            None => Ok(pages::form(&setting, whom, Kept::of(&form), Some("person_number"))),
        }
    })
    .await
}

async fn take(
    setting: Setting<'_>,
    form: &Sent,
    number: PersonNumber,
    whom: pages::Whom,
) -> Result<HttpResponse, idp::domain::Fault> {
    let back = whom.account.as_ref().map_or("/desk".to_owned(), |account| format!("/desk/people/{account}"));
    let Some(filed) = setting.filed(form) else { return Ok(setting.refused(Refusal::Malformed, &back)) };
    let application = match form::application(form, number, whom.account.is_none()) {
        Ok(application) => application,
        Err(field) => return Ok(pages::form(&setting, whom, Kept::of(form), Some(field))),
    };
    Ok(match enrol::receive(application, &filed, &setting.console.idp).await? {
        Ok(id) => setting.away_to(&format!("/desk/level-two/{id}?done={}", Done::Received.name())),
        Err(refusal) => setting.refused(refusal, &back),
    })
}

/// `/desk/level-two/{id}`.
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    looking: web::Query<Looking>,
    console: web::Data<Console>,
) -> HttpResponse {
    to_officer(&request, &console, async |setting| {
        let done = looking.done.as_deref().and_then(Done::parse);
        Ok(match enrol::find(Id::new(id.as_str()), &setting.officer, &console.idp).await? {
            Ok(shown) => pages::draw(&setting, &page(&setting, &shown, done)),
            Err(refusal) => setting.refused(refusal, "/desk"),
        })
    })
    .await
}

/// `/desk/level-two/{id}/decide`.
pub async fn decide(
    request: HttpRequest,
    id: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let back = format!("/desk/level-two/{id}");
        let (Some(verdict), Some(filed)) = (verdict(&form), setting.filed(&form)) else {
            return Ok(setting.refused(Refusal::Malformed, &back));
        };
        Ok(match enrol::decide(Id::new(id.as_str()), verdict, &filed, &console.idp).await? {
            Ok(_) => setting.away_to(&format!("{back}?done={}", Done::Decided.name())),
            Err(refusal) => setting.refused(refusal, &back),
        })
    })
    .await
}

fn verdict(form: &Sent) -> Option<Verdict> {
    match form.text("decision") {
        "grant" if form.text("card_expires").is_empty() => Some(Verdict::Grant(None)),
        "grant" => application::day(form.text("card_expires")).map(|last| Verdict::Grant(Some(last))),
        "refuse" => {
            Reason::parse(form.text("reason")).filter(|reason| enrol::REASONS.contains(reason)).map(Verdict::Refuse)
        }
        _ => None,
    }
}

fn page(setting: &Setting<'_>, shown: &Shown, done: Option<Done>) -> pages::Enrolment {
    let (desk, enrolment) = (setting.desk, &shown.enrolment);
    let state = enrolment.progress.state;
    let reference = |(proof, text, at): &(Proof, String, idp::domain::Moment)| pages::Evidence {
        proof: proof.name(),
        told: desk.of_proof(*proof),
        reference: if *proof == Proof::InPerson { String::new() } else { text.clone() },
        at: calendar::minute(*at),
    };
    pages::Enrolment {
        frame: Frame::of(setting, format!("/desk/level-two/{}", enrolment.id)),
        done: done.map(|done| done.told(desk)),
        id: enrolment.id.to_string(),
        account: enrolment.account.as_ref().map(ToString::to_string),
        person_number: shown.person_number.clone(),
        name: shown.name.clone(),
        phone: shown.phone.clone(),
        state: state.name(),
        state_told: desk.of_state(state),
        reason: state.reason().map(|reason| desk.of_reason(reason)),
        clock: shown.clock.map(|clock| Ticking::of(clock, desk)),
        card: match &shown.card {
            None => desk.label.no_card.to_owned(),
            Some(card) => {
                let last = card.expires.map(|last| last.format("%d/%m/%Y").to_string());
                format!("…{}, {}", card.suffix, last.unwrap_or_else(|| desk.label.endless.to_owned()))
            }
        },
        evidence: shown.evidence.iter().map(reference).collect(),
        papers: shown.papers.iter().map(|paper| desk.of_paper(paper)).collect(),
        dependants: shown.dependants,
        examining: state == State::Checking,
        needs_card: shown.needs_card(setting.now),
        reasons: enrol::REASONS.iter().map(|reason| (reason.name(), desk.of_reason(*reason))).collect(),
    }
}
