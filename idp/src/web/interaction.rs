//! The pages of an interaction, each at its own path, and the forms they post.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use zeroize::Zeroizing;

use super::authorize::done;
use super::limit::{self, Counted};
use super::page::{self, Asker, Frame, Lack, Level, Otp, OtpProblem, Reason, SignIn, SignInProblem, Stop};
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::domain::claim::ClaimName;
use crate::domain::relying_party::Client;
use crate::domain::{Fault, Holder, Id};
use crate::flow::authorize::{give_up as leave, gone};
use crate::flow::logo;
use crate::flow::page::{Setting, Shown, View};
use crate::flow::resource::Server;
use crate::flow::step_up::{self, Complaint};
use crate::flow::{
    Answer, Browser, Outcome, Step, consent as consent_flow, page as page_flow, sign_in as sign_in_flow,
    transaction as transaction_flow,
};
use crate::idp::Idp;
use crate::protocol::params::Params;
use crate::protocol::release::Offer;

/// What the page is shown again with.
#[derive(Default)]
struct Again {
    sign_in: Option<SignInProblem>,
    otp: Option<OtpProblem>,
    person_number: String,
    sent: bool,
}

pub async fn sign_in(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::SignIn, &request, Again::default(), &idp).await
}

pub async fn otp(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let sent = request.query_string().split('&').any(|pair| pair == "sent=1");
    show(Step::Otp, &request, Again { sent, ..Again::default() }, &idp).await
}

pub async fn consent(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::Consent, &request, Again::default(), &idp).await
}

pub async fn transaction(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    show(Step::Transaction, &request, Again::default(), &idp).await
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
fn interaction(request: &HttpRequest) -> Option<Id<crate::domain::interaction::Interaction>> {
    let value = request.query_string().split('&').find_map(|pair| pair.strip_prefix("interaction="))?;
    let sane = value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    sane.then(|| Id::new(value))
}

async fn show(step: Step, request: &HttpRequest, again: Again, idp: &web::Data<Idp>) -> HttpResponse {
    let context = Context { request, language: read::language(request, &[]), idp };
    let Some(id) = interaction(request) else { return reply::shown(&gone(), &context) };
    let browser = read::browser(request, context.language.code, idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    match page_flow::show(step, id, &browser, &this).await {
        Ok(Shown::Page(setting, view)) => {
            let language = read::language(request, &setting.ui_locales);
            let context = Context { request, language, idp };
            drawn(step, (&setting, view), &again, &browser, &context)
        }
        Ok(Shown::Elsewhere(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn drawn(
    step: Step,
    (setting, view): (&Setting, View),
    again: &Again,
    browser: &Browser,
    context: &Context<'_>,
) -> HttpResponse {
    context.note(step.name());
    let language = context.language.code;
    let asker = setting.client.as_deref().map(|client| asker(client, language));
    let service = service(setting, language);
    let leads_to = setting.redirect_uri.as_deref();
    let frame = |subject: &str| frame(step, setting, subject, browser, context);
    let html = match view {
        View::SignIn { again: reauthenticate } => SignIn {
            frame: frame(""),
            asker,
            service,
            person_number: again.person_number.clone(),
            again: reauthenticate,
            problem: again.sign_in,
        }
        .render(),
        View::Otp { phone, complaint } => Otp {
            frame: frame(""),
            asker,
            service,
            phone: page::sign_in::masked_phone(&phone),
            minutes: context.idp.config.lifetimes.otp.as_seconds() / 60,
            remaining: None,
            sent_again: again.sent,
            problem: again.otp.or_else(|| complaint.map(otp_problem)),
        }
        .render(),
        View::Consent(view) => match setting.client.as_deref() {
            Some(client) => {
                let shown = consent_page(client, &view.offer, service, &view.values, language);
                let fingerprint = consent_flow::fingerprint(&view.offer);
                let (holder, servers) = (view.holder.clone(), servers(&view.servers, language));
                page::Consent { frame: frame(&fingerprint), holder, servers, ..shown }.render()
            }
            None => Err(Fault::broken("web", "consent without a client")),
        },
        View::Transaction(view) => match setting.client.as_deref() {
            Some(client) => {
                let fingerprint = transaction_flow::fingerprint(&view.transaction, client, language);
                let asker = self::asker(client, language);
                page::Transaction::of(frame(&fingerprint), asker, view.holder, &view.transaction).render()
            }
            None => Err(Fault::broken("web", "a transaction without a client")),
        },
        View::Level(shortfall, holder) => {
            Level { frame: frame(""), asker, service, lack: lack(&shortfall, holder) }.render()
        }
        View::Barred(step) => Stop {
            frame: frame(""),
            reason: reason(step),
            asker,
            back: true,
            retry: None,
            reference: Some(context.reference()),
        }
        .render(),
    };
    reply::page(StatusCode::OK, html, leads_to, context)
}

fn frame(step: Step, setting: &Setting, subject: &str, browser: &Browser, context: &Context<'_>) -> Frame {
    let address = format!("/{}?interaction={}", step.name(), setting.interaction);
    let place = format!("{}/{subject}", setting.interaction);
    let place = Place { page: step.name(), subject: &place };
    let token = read::form_token(browser.browser.as_ref(), &place, context.idp);
    let form_token = if subject.is_empty() { token } else { format!("{token}.{subject}") };
    Frame { form_token, ..context.frame(&address) }
}

fn asker(client: &Client, language: &str) -> Asker {
    Asker::of(client, logo::path(client), language)
}

fn service(setting: &Setting, language: &str) -> Option<String> {
    service_title(setting.client.as_deref()?, setting.service.as_deref(), language)
}

fn service_title(client: &Client, code: Option<&str>, language: &str) -> Option<String> {
    client.service(code?).map(|service| service.title.in_language(language).to_owned())
}

fn lack(shortfall: &crate::protocol::authorize::next::Shortfall, holder: Option<Holder>) -> Lack {
    use crate::protocol::authorize::next::ShortfallKind;
    match shortfall.kind {
        ShortfallKind::Account => Lack::AccountLevel(holder.unwrap_or(Holder::Citizen)),
        ShortfallKind::Authentication => match shortfall.needed.authentication {
            Some(level) if level.number() > 2 => Lack::Authentication(level.number()),
            _ => Lack::Phone,
        },
    }
}

const fn reason(step: Step) -> Reason {
    match step {
        Step::Guardian => Reason::Guardian,
        Step::NotActivated => Reason::NotActivated,
        Step::CardExpired => Reason::CardExpired,
        _ => Reason::Locked,
    }
}

/// The consent page as it is shown; without values it is what the recorded text is made of.
fn consent_page(
    client: &Client,
    offer: &Offer,
    service: Option<String>,
    values: &BTreeMap<ClaimName, Value>,
    language: &'static str,
) -> page::Consent {
    let purposes = offer
        .purposes
        .iter()
        .map(|asked| page::PurposeView::of(&asked.purpose, &asked.required, &asked.optional, values, language))
        .collect();
    page::Consent {
        frame: Frame { language, chosen: false, address: String::new(), form_token: String::new() },
        asker: asker(client, language),
        service,
        holder: String::new(),
        servers: Vec::new(),
        purposes,
        offline: offer.offline,
        basis: client.legal_basis,
    }
}

fn servers(known: &[Server], language: &str) -> Vec<page::ServerView> {
    let view = |server: &Server| page::ServerView {
        name: server.name.in_language(language).to_owned(),
        resource: server.resource.clone(),
    };
    known.iter().map(view).collect()
}

/// A posted form of an interaction page, its token checked, or the answer that goes back instead.
struct Posted<'a> {
    id: Id<crate::domain::interaction::Interaction>,
    form: Params,
    browser: Browser,
    context: Context<'a>,
}

async fn posted<'a>(
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
    let person_number = form.first("person_number").unwrap_or_default().to_owned();
    let password = Zeroizing::new(form.first("password").unwrap_or_default().to_owned());
    let this = idp.clone().into_inner();
    let typed = sign_in_flow::Form { person_number: person_number.clone(), password };
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

const fn sign_in_problem(complaint: sign_in_flow::Complaint) -> SignInProblem {
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
    let proved = if resend {
        step_up::resend(id, &browser, &this).await
    } else {
        let typed = form.first("otp").unwrap_or_default().to_owned();
        step_up::verify(id, typed, &browser, &this).await
    };
    match proved {
        Ok(step_up::Proved::Done(answer)) if resend => sent_again(answer, &context),
        Ok(step_up::Proved::Done(answer)) => reply::outcome(answer, &context),
        Ok(step_up::Proved::Again(complaint)) => {
            show(Step::Otp, &request, Again { otp: Some(otp_problem(complaint)), ..Again::default() }, &idp).await
        }
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// Back to the page by GET, so that a reload sends nothing.
fn sent_again(answer: Answer, context: &Context<'_>) -> HttpResponse {
    match &answer.outcome {
        Outcome::Page(Step::Otp, id) => {
            let address = format!("/otp?interaction={id}&sent=1");
            reply::see_other(&context.frame(&address).action(), context)
        }
        _ => reply::outcome(answer, context),
    }
}

const fn otp_problem(complaint: Complaint) -> OtpProblem {
    match complaint {
        Complaint::Wrong => OtpProblem::Wrong,
        Complaint::Expired => OtpProblem::Expired,
        Complaint::Wait(span) => OtpProblem::Throttled(span.as_seconds()),
        Complaint::SendLimit(span) => OtpProblem::SendWait(span.as_seconds()),
        Complaint::NotSent => OtpProblem::NotSent,
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
