//! Form TK01 at the desk: taken in, examined, decided.

mod form;

use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::application::Application;
use idp::domain::enrolment::Proof;
use idp::domain::registration::State;
use idp::domain::{AccountLevel, Fault, Id};
use idp::flow::officer::enrol::{self, Shown};
use idp::flow::officer::{Refusal, dossier};
use idp::web::page::calendar;

use super::pages::{self, Done, Frame, Ticking, Wrong};
use super::{Looking, Sent, Setting, act, from_officer, look};
use crate::tk01::{Field, Filled, verdict};
use crate::web::Console;

pub use form::Kept;

/// `/desk/people/{account}/level-two`: the form for somebody who has an account.
pub async fn ask(request: HttpRequest, account: web::Path<String>, console: web::Data<Console>) -> HttpResponse {
    let found = async |officer: &_| dossier::open(Id::new(account.as_str()), officer, &console.idp).await;
    look(&request, &console, found, |setting, dossier| {
        let whom = pages::Whom { account: Some(account.to_string()), told: dossier.person_number };
        pages::form(setting, whom, Kept::default(), None)
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
        take(setting, &form, whom, |filled| filled.upgrade(number)).await
    })
    .await
}

/// `/desk/applications`: for somebody without an account; the number is typed again, so that no page carries it.
pub async fn receive_new(request: HttpRequest, form: Sent, console: web::Data<Console>) -> HttpResponse {
    from_officer(&request, &form, &console, async |setting| {
        let whom = pages::Whom { account: None, told: String::new() };
        take(setting, &form, whom, Filled::first).await
    })
    .await
}

/// Files what was read, or shows the form again with the field that is not right.
async fn take(
    setting: Setting<'_>,
    form: &Sent,
    whom: pages::Whom,
    read: impl FnOnce(&Filled) -> Result<Application, Field>,
) -> Result<HttpResponse, Fault> {
    let back = whom.account.as_ref().map_or("/desk".to_owned(), |account| format!("/desk/people/{account}"));
    let Some(filed) = setting.filed(form) else { return Ok(setting.refused(Refusal::Malformed, &back)) };
    let filled = form::filled(form);
    let application = match read(&filled) {
        Ok(application) => application,
        Err(field) => return Ok(pages::form(&setting, whom, Kept::of(filled), Some(Wrong::Field(field)))),
    };
    let received = enrol::receive(application, &filed, &setting.console.idp).await?;
    // What another entry on the same form mends.
    if let Err(refusal @ (Refusal::UnderAge | Refusal::UnderSix | Refusal::LevelOneOnline | Refusal::GuardianUnfit)) =
        received
    {
        return Ok(pages::form(&setting, whom, Kept::of(filled), Some(Wrong::Refused(refusal))));
    }
    Ok(setting.ended(received.map(|id| Done::Received.at(&format!("/desk/applications/{id}"))), &back))
}

/// `/desk/applications/{id}`.
pub async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    looking: web::Query<Looking>,
    console: web::Data<Console>,
) -> HttpResponse {
    let found = async |officer: &_| enrol::find(Id::new(id.as_str()), officer, &console.idp).await;
    look(&request, &console, found, |setting, shown| pages::draw(setting, &page(setting, &shown, looking.done()))).await
}

/// `/desk/applications/{id}/decide`.
pub async fn decide(
    request: HttpRequest,
    id: web::Path<String>,
    form: Sent,
    console: web::Data<Console>,
) -> HttpResponse {
    let back = format!("/desk/applications/{id}");
    let verdict = verdict(form.text("decision"), form.text("card_expires"), form.text("reason"));
    act((&request, &form), &console, &back, verdict, async |verdict, filed| {
        let decided = enrol::decide(Id::new(id.as_str()), verdict, &filed, &console.idp).await?;
        Ok(decided.map(|_| Done::Decided.at(&back)))
    })
    .await
}

fn page(setting: &Setting<'_>, shown: &Shown, done: Option<Done>) -> pages::Enrolment {
    let (desk, enrolment) = (setting.desk, &shown.enrolment);
    let state = enrolment.progress.state;
    let reference = |(proof, text, at): &(Proof, String, idp::domain::Moment)| pages::Evidence {
        proof: proof.name(),
        told: desk.of_proof(*proof),
        reference: match proof {
            Proof::InPerson | Proof::GuardianPresent => String::new(),
            _ => text.clone(),
        },
        at: calendar::minute(*at),
    };
    pages::Enrolment {
        frame: Frame::of(setting, format!("/desk/applications/{}", enrolment.id)),
        done: done.map(|done| done.told(desk)),
        id: enrolment.id.to_string(),
        account: enrolment.account.as_ref().map(ToString::to_string),
        person_number: shown.person_number.clone(),
        name: shown.name.clone(),
        is_two: shown.level == AccountLevel::Two,
        level: desk.of_level(Some(shown.level)),
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
        guardian: shown.guardian.clone(),
        examining: state == State::Checking,
        needs_card: shown.needs_card(setting.now),
        reasons: enrol::REASONS.iter().map(|reason| (reason.name(), desk.of_reason(*reason))).collect(),
    }
}
