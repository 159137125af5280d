//! `/` says what this is; `/identity` is the holder's own view.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::limit::{self, Counted};
use super::page::identity::{ConsentLine, Done, Identity, PurposeLine, ReleaseLine, SessionLine, TransactionLine};
use super::page::transaction::Act;
use super::page::{Frame, Home as HomePage};
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::domain::{AuthenticationLevel, Id};
use crate::flow::home::{self, Home};
use crate::idp::Idp;

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
            let done =
                request.query_string().split('&').any(|pair| pair == "done=withdrawn").then_some(Done::Withdrawn);
            let token = read::form_token(browser.browser.as_ref(), &PLACE, &idp);
            let frame = Frame { form_token: token, ..context.frame("/identity") };
            reply::page(StatusCode::OK, drawn(*identity, frame, done).render(), None, &context)
        }
        Ok(Home::SignInFirst(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn drawn(identity: home::Identity, frame: Frame, done: Option<Done>) -> Identity {
    let language = frame.language;
    let here = identity.session.clone();
    let sessions = identity.sessions.into_iter().map(|line| SessionLine {
        here: line.session.id == here,
        id: line.session.id.to_string(),
        opened_at: line.session.opened_at,
        seen_at: line.session.seen_at,
        factors: line.session.acquaintance.factors(),
        portals: line.portals.iter().map(|name| name.in_language(language).to_owned()).collect(),
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
    });
    let transactions = identity.transactions.into_iter().map(|approved| TransactionLine {
        at: approved.at,
        portal: approved.portal.in_language(language).to_owned(),
        act: Act::of(&approved.transaction, language),
        spent_at: approved.spent_at,
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
        done,
        frame,
    }
}

/// Withdraws what one portal may read.
pub async fn withdraw(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
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
    let client = Id::new(form.first("client").unwrap_or_default());
    let this = idp.clone().into_inner();
    match home::withdraw(client, &browser, &this).await {
        Ok(Some(_)) => reply::see_other(&context.frame("/identity?done=withdrawn").action(), &context),
        Ok(None) => reply::see_other(&context.frame("/identity").action(), &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}
