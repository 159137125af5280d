//! The pages of an interaction, each at its own path, and the forms they post.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::authorize::done;
use super::draw::{Again, consent_page, drawn, otp_problem, servers, service_title};
use super::factors;
use super::limit::{self, Counted};
use super::page::factors::PasskeyProblem;
use super::page::{self, OtpProblem, SignInProblem};
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::domain::Id;
use crate::flow::authorize::gone;
use crate::flow::page::Shown;
use crate::flow::refuse::give_up as leave;
use crate::flow::step_up;
use crate::flow::{
    Answer, Browser, Outcome, Step, acting, consent as consent_flow, page as page_flow, sign_in as sign_in_flow,
    transaction as transaction_flow,
};
use crate::idp::Idp;
use crate::protocol::params::Params;

pub async fn sign_in(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::SignIn, &request, Again::default(), &idp).await
}

pub async fn otp(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let sent = request.query_string().split('&').any(|pair| pair == "sent=1");
    let way = request.query_string().split('&').find_map(|pair| step_up::Way::parse(pair.strip_prefix("way=")?));
    show(Step::Otp, &request, Again { sent, way, ..Again::default() }, &idp).await
}

pub async fn consent(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::Consent, &request, Again::default(), &idp).await
}

pub async fn transaction(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::Transaction, &request, Again::default(), &idp).await
}

pub async fn represent(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::Represent, &request, Again::default(), &idp).await
}

/// For whom the person acts; the button of their own name has no value.
pub async fn choose(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = match posted(Step::Represent, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let chosen = form.first("for").filter(|chosen| !chosen.is_empty()).map(Id::new);
    let this = idp.clone().into_inner();
    done(acting::choose(id, chosen, &browser, &this).await, &context)
}

pub async fn explained(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    match explained_step(&request) {
        Some(step) => show(step, &request, Again::default(), &idp).await,
        None => super::well_known::nothing_here(request, idp).await,
    }
}

fn explained_step(request: &HttpRequest) -> Option<Step> {
    let name = request.match_info().get("explained")?;
    Step::ALL.into_iter().find(|step| step.name() == name)
}

/// The interaction a page address names.
pub fn interaction(request: &HttpRequest) -> Option<Id<crate::domain::interaction::Interaction>> {
    let value = request.query_string().split('&').find_map(|pair| pair.strip_prefix("interaction="))?;
    let sane = value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    sane.then(|| Id::new(value))
}

pub(super) async fn show(step: Step, request: &HttpRequest, again: Again, idp: &web::Data<Idp>) -> HttpResponse {
    let context = Context { request, language: read::language(request, &[]), idp };
    let Some(id) = interaction(request) else { return reply::shown(&gone(), &context) };
    let browser = read::browser(request, context.language.code, idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    match page_flow::show((step, again.way), id, &browser, &this).await {
        Ok(Shown::Page(setting, view)) => {
            let language = read::language(request, &setting.ui_locales);
            let context = Context { request, language, idp };
            drawn(step, (&setting, view), &again, &browser, &context)
        }
        Ok(Shown::Elsewhere(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// A posted form of an interaction page, its token checked, or the answer that goes back instead.
pub struct Posted<'a> {
    pub id: Id<crate::domain::interaction::Interaction>,
    pub form: Params,
    pub browser: Browser,
    pub context: Context<'a>,
}

pub async fn posted<'a>(
    step: Step,
    request: &'a HttpRequest,
    body: &Bytes,
    idp: &'a web::Data<Idp>,
) -> Result<Posted<'a>, HttpResponse> {
    let context = Context { request, language: read::language(request, &[]), idp };
    let params = read::form(request, body).map_err(|unread| reply::page_unread(&unread, &context))?;
    let id = interaction(request).ok_or_else(|| reply::shown(&gone(), &context))?;
    let browser = read::browser(request, context.language.code, idp);
    let subject = params.first("form_token").and_then(|token| token.split_once('.')).map_or("", |(_, subject)| subject);
    let subject = format!("{id}/{subject}");
    let place = Place { page: step.name(), subject: &subject };
    match read::protected(request, params, &browser, &place, idp).map(Protected::into_inner) {
        Ok(form) => Ok(Posted { id, form, browser, context }),
        Err(Forged::CrossSite) => {
            context.note("cross_site");
            let told = "form was posted from another site";
            Err(reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, Some("RFC 9700 §4.7"), &context))
        }
        Err(Forged::Token) => {
            context.note("form_token");
            let again = Again {
                sign_in: Some(SignInProblem::FormExpired),
                otp: Some(OtpProblem::FormExpired),
                passkey: (step == Step::Passkey).then_some(PasskeyProblem::Expired),
                ..Again::default()
            };
            let mut page = show(step, request, again, idp).await;
            if page.status() == StatusCode::OK {
                *page.status_mut() = StatusCode::FORBIDDEN;
            }
            Err(page)
        }
    }
}

pub async fn password(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = match posted(Step::SignIn, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    if let Some(busy) = limit::over(Counted::SignIn, &request, &context).await {
        return busy;
    }
    if form.first("credential").is_some() {
        return factors::sign_in(Posted { id, form, browser, context }, &request, &idp).await;
    }
    let person_number = form.first("person_number").unwrap_or_default().to_owned();
    let password = Zeroizing::new(form.first("password").unwrap_or_default().to_owned());
    let this = idp.clone().into_inner();
    let typed = sign_in_flow::Form {
        person_number: person_number.clone(),
        password,
        for_other: form.first("for_other").is_some(),
    };
    match sign_in_flow::password(id, typed, &browser, &this).await {
        Ok(sign_in_flow::SignedIn::Done(answer)) => reply::outcome(answer, &context),
        Ok(sign_in_flow::SignedIn::Again(complaint)) => {
            let problem = sign_in_problem(complaint);
            let again = Again { sign_in: Some(problem), person_number, ..Again::default() };
            show(Step::SignIn, &request, again, &idp).await
        }
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

pub const fn sign_in_problem(complaint: sign_in_flow::Complaint) -> SignInProblem {
    match complaint {
        sign_in_flow::Complaint::Malformed => SignInProblem::Malformed,
        sign_in_flow::Complaint::Wrong => SignInProblem::Wrong,
        sign_in_flow::Complaint::Wait(span) if span.as_seconds() > 60 => SignInProblem::Throttled,
        sign_in_flow::Complaint::Wait(span) => SignInProblem::Wait(span.as_seconds()),
    }
}

pub async fn code(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = match posted(Step::Otp, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    let resend = form.first("action") == Some("resend") || form.first("resend").is_some();
    let way = form.first("way").and_then(step_up::Way::parse).unwrap_or(step_up::Way::Sms);
    let proved = if resend {
        step_up::resend(id, &browser, &this).await
    } else {
        let typed = step_up::Typed { code: form.first("otp").unwrap_or_default().to_owned(), way };
        step_up::verify(id, typed, &browser, &this).await
    };
    match proved {
        Ok(step_up::Proved::Done(answer)) if resend => sent_again(answer, &context),
        Ok(step_up::Proved::Done(answer)) => reply::outcome(answer, &context),
        Ok(step_up::Proved::Again(complaint)) => {
            let again = Again { otp: Some(otp_problem(complaint, way)), way: Some(way), ..Again::default() };
            show(Step::Otp, &request, again, &idp).await
        }
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// Back to the page by GET, so that a reload sends nothing.
fn sent_again(answer: Answer, context: &Context<'_>) -> HttpResponse {
    match &answer.outcome {
        Outcome::Page(Step::Otp, id) => {
            let address = format!("/otp?interaction={id}&way=sms&sent=1");
            reply::see_other(&context.frame(&address).action(), context)
        }
        _ => reply::outcome(answer, context),
    }
}

pub async fn decide(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = match posted(Step::Consent, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let language = context.language.code;
    let offer = form.first("form_token").and_then(|token| token.split_once('.')).map_or("", |(_, offer)| offer);
    let answered = consent_flow::Form {
        // Silence is not consent: only the button that says so allows.
        allow: form.first("decision") == Some("allow"),
        ticked: form.all("claim").map(str::to_owned).collect(),
        offer: offer.to_owned(),
        language,
    };
    let this = idp.clone().into_inner();
    let text = |asked: &consent_flow::Question<'_>| {
        let service = service_title(asked.client, asked.service, language);
        let shown = consent_page(asked.client, asked.offer, service, &BTreeMap::new(), language);
        page::consent_text(&page::Consent { servers: servers(asked.servers, language), ..shown })
    };
    done(consent_flow::answer(id, answered, text, &browser, &this).await, &context)
}

/// The answer to the transaction page. What it is about is in the interaction; the form names only what was read.
pub async fn approve(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Posted { id, form, browser, context } = match posted(Step::Transaction, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let shown = form.first("form_token").and_then(|token| token.split_once('.')).map_or("", |(_, shown)| shown);
    let answered = transaction_flow::Form { allow: form.first("decision") == Some("allow"), shown: shown.to_owned() };
    let this = idp.clone().into_inner();
    done(transaction_flow::answer(id, answered, &browser, &this).await, &context)
}

pub async fn give_up(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let Some(step) = explained_step(&request) else { return super::well_known::nothing_here(request, idp).await };
    let Posted { id, browser, context, .. } = match posted(step, &request, &body, &idp).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let this = idp.clone().into_inner();
    done(leave(id, &browser, &this).await, &context)
}
