//! `/` says what this is; `/identity` is the holder's own view.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::credentials;
use super::factors;
use super::limit::{self, Counted};
use super::logout::page_of;
use super::page::acting::RequestLine;
use super::page::identity::{ConsentLine, Done, Identity, PurposeLine, ReleaseLine, SessionLine, TransactionLine};
use super::page::safety::{CaseLine, DeviceLine};
use super::page::transaction::Act;
use super::page::upstream::LinkLine;
use super::page::{Frame, Home as HomePage};
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use super::upstream;
use crate::domain::case::{Case, Step as CaseStep};
use crate::domain::confirmation::{Confirmation, Word};
use crate::domain::session::Session;
use crate::domain::upstream::Link;
use crate::domain::{AuthenticationLevel, Client, Fault, Id};
use crate::flow::Browser;
use crate::flow::guardian::{self, Answered};
use crate::flow::home::{self, Home};
use crate::flow::linking;
use crate::flow::not_me::{self, Pointed, Reported};
use crate::flow::sessions::{self, Ended};
use crate::idp::Idp;
use crate::protocol::params::Params;

const PLACE: Place<'static> = Place { page: "identity", subject: "" };

pub async fn home(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    reply::page(StatusCode::OK, HomePage { frame: context.frame("/") }.render(), None, &context)
}

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let browser = read::browser(&request, context.language.code, &idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, &request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    match home::identity(&browser, &this).await {
        Ok(Home::Page(identity)) => {
            let query = request.query_string();
            let done = query.split('&').find_map(|pair| Done::find(pair.strip_prefix("done=")?));
            let done = done.or_else(|| query.split('&').any(|pair| pair == "confirm=1").then_some(Done::GuardianLevel));
            let token = read::form_token(browser.browser.as_ref(), &PLACE, &idp);
            let frame = Frame { form_token: token, ..context.frame("/identity") };
            let linked: Vec<String> = identity.links.iter().map(|here| here.link.issuer.clone()).collect();
            let linkable = upstream::linkable(&linked, context.language.code, &idp);
            let page = Identity { linkable, ..drawn(*identity, frame, (done, request.query_string())) };
            reply::page(StatusCode::OK, page.render(), None, &context)
        }
        Ok(Home::SignInFirst(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn drawn(identity: home::Identity, frame: Frame, (done, query): (Option<Done>, &str)) -> Identity {
    let language = frame.language;
    let here = identity.session.clone();
    let sessions = identity.sessions.into_iter().map(|line| SessionLine {
        here: line.session.id == here,
        id: line.session.id.to_string(),
        opened_at: line.session.opened_at,
        seen_at: line.session.seen_at,
        factors: line.session.acquaintance.factors(),
        portals: line.portals.iter().map(|name| name.in_language(language).to_owned()).collect(),
        agent: line.agent,
    });
    let consents = identity.portals.into_iter().map(|portal| ConsentLine {
        client_id: portal.client.to_string(),
        name: portal.name.in_language(language).to_owned(),
        organisation: portal.organisation.in_language(language).to_owned(),
        offline: portal.offline,
        purposes: portal
            .purposes
            .into_iter()
            .map(|purpose| PurposeLine {
                title: purpose.title.in_language(language).to_owned(),
                claims: purpose.claims.into_iter().map(|claim| claim.label(language).to_owned()).collect(),
                decided_at: purpose.decided_at,
            })
            .collect(),
    });
    let releases = identity.releases.into_iter().map(|release| ReleaseLine {
        at: release.at,
        portal: release.portal.in_language(language).to_owned(),
        purpose: release.purposes.iter().map(|title| title.in_language(language)).collect::<Vec<_>>().join("; "),
        claims: release.claims.into_iter().map(|claim| claim.label(language).to_owned()).collect(),
        grant: release.grant.map(|grant| grant.to_string()),
    });
    let requests = identity.requests.iter().map(|request| RequestLine::of(request, language)).collect();
    let transactions = identity.transactions.into_iter().map(|approved| TransactionLine {
        at: approved.at,
        portal: approved.portal.in_language(language).to_owned(),
        act: Act::of(&approved.transaction, language),
        spent_at: approved.spent_at,
    });
    let links = identity.links.into_iter().map(|here| LinkLine {
        id: here.link.id.to_string(),
        name: here.name.in_language(language).to_owned(),
        linked_at: here.link.linked_at,
    });
    Identity {
        name: identity.name,
        person_number: identity.person_number,
        account_level: identity.level.map(|level| level.number()),
        authentication_level: identity.authentication.map_or(1, AuthenticationLevel::number),
        eid_active: identity.eid_active,
        sessions: sessions.collect(),
        consents: consents.collect(),
        releases: releases.collect(),
        transactions: transactions.collect(),
        requests,
        passkeys: identity.passkeys.map(|all| all.into_iter().map(factors::line).collect()),
        totp: identity.totp,
        devices: identity.devices.into_iter().map(device_line).collect(),
        cases: identity.cases.into_iter().map(case_line).collect(),
        credentials: credentials::drawn(identity.credentials, query),
        links: links.collect(),
        linkable: Vec::new(),
        done,
        frame,
    }
}

fn device_line(device: home::DeviceHere) -> DeviceLine {
    let home::DeviceHere { handle, agent, first_seen_at, seen_at, here } = device;
    DeviceLine { handle, agent, first_seen_at, seen_at, here }
}

fn case_line(case: Case) -> CaseLine {
    CaseLine {
        about: case.about.name(),
        is_open: case.step() != Some(CaseStep::Closed),
        note: case.steps.iter().find_map(|taken| taken.note.clone()),
        steps: case.steps.iter().map(|taken| (taken.step.name(), taken.at)).collect(),
        number: case.id.to_string(),
    }
}

/// What the holder ends: a portal's reading, another session, or every session.
pub async fn change(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context),
    };
    let browser = read::browser(&request, context.language.code, &idp);
    let form = match read::protected(&request, params, &browser, &PLACE, &idp).map(Protected::into_inner) {
        Ok(form) => form,
        Err(Forged::CrossSite | Forged::Token) => {
            context.note("forged");
            let told = "form was not ours or too old, open the page again";
            return reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, None, &context);
        }
    };
    let this = idp.clone().into_inner();
    let answered = if let Some(id) = form.first("confirmation") {
        // Only the button that says so allows.
        let word = if form.first("word") == Some("allow") { Word::Allowed } else { Word::Refused };
        confirm(Id::new(id), word, &browser, &this, &context).await
    } else if form.first("credential").is_some() {
        if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
            return busy;
        }
        credentials::change(&form, &browser, &this, &context).await
    } else if let Some(changed) = factors::change(&form, &browser, &this, &context).await {
        changed
    } else if form.first("everywhere").is_some() {
        everywhere(&browser, &this, &context).await
    } else if let Some(pointed) = pointed(&form) {
        not_me(pointed, &browser, &this, &context).await
    } else if let Some(device) = form.first("forget_device") {
        forget(device.to_owned(), &browser, &this, &context).await
    } else if let Some(link) = form.first("unlink") {
        unlink(Id::new(link), &browser, &this, &context).await
    } else if let Some(session) = form.first("session") {
        end_session(Id::new(session), &browser, &this, &context).await
    } else {
        withdraw(Id::new(form.first("client").unwrap_or_default()), &browser, &this, &context).await
    };
    answered.unwrap_or_else(|fault| reply::page_fault(&fault, &context))
}

/// A guardian's word on what a child or ward asked for.
async fn confirm(
    id: Id<Confirmation>,
    word: Word,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    Ok(match guardian::answer(id, word, browser, idp).await? {
        Answered::Allowed => again(Some(Done::GuardianAllowed), context),
        Answered::Refused => again(Some(Done::GuardianRefused), context),
        Answered::Nothing => again(Some(Done::GuardianNothing), context),
        Answered::First(answer) => reply::outcome(answer, context),
    })
}

/// Withdraws what one portal may read.
async fn withdraw(
    client: Id<Client>,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let withdrawn = home::withdraw(client, browser, idp).await?;
    Ok(again(withdrawn.map(|_| Done::Withdrawn), context))
}

/// Takes away a link to an account elsewhere.
async fn unlink(
    link: Id<Link>,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let unlinked = linking::unlink(link, browser, idp).await?;
    Ok(again(unlinked.filter(|gone| *gone).map(|_| Done::Unlinked), context))
}

async fn end_session(
    id: Id<Session>,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let ended = sessions::end_one(id, browser, idp).await?;
    Ok(again((ended == Ended::Now).then_some(Done::SessionEnded), context))
}

/// What the holder says was somebody else.
fn pointed(form: &Params) -> Option<Pointed> {
    let session = form.first("not_me_session").map(|id| Pointed::Session(Id::new(id)));
    let release = || form.first("not_me_release").map(|id| Pointed::Release(Id::new(id)));
    let device = || form.first("not_me_device").map(|handle| Pointed::Device(handle.to_owned()));
    session.or_else(release).or_else(device)
}

async fn not_me(
    pointed: Pointed,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let reported = not_me::report(pointed, browser, idp).await?;
    Ok(again(matches!(reported, Reported::Case(_)).then_some(Done::Reported), context))
}

async fn forget(
    handle: String,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let forgotten = not_me::forget(handle, browser, idp).await?;
    Ok(again(forgotten.then_some(Done::Forgotten), context))
}

async fn everywhere(browser: &Browser, idp: &Arc<Idp>, context: &Context<'_>) -> Result<HttpResponse, Fault> {
    let Some(ended) = sessions::end_everywhere(browser, idp).await? else {
        return Ok(again(None, context));
    };
    context.note("signed_out");
    let address = ended.page.map_or_else(|| "/signed-out".to_owned(), page_of);
    let mut response = reply::see_other(&context.frame(&address).action(), context);
    reply::set_cookies(&mut response, &ended.cookies);
    Ok(response)
}

/// Back to the page, which says what was done.
pub(super) fn again(done: Option<Done>, context: &Context<'_>) -> HttpResponse {
    let address = done.map_or_else(|| "/identity".to_owned(), |done| format!("/identity?done={}", done.name()));
    reply::see_other(&context.frame(&address).action(), context)
}
