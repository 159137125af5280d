//! `/recover`: every step of a recovery at one address, bound to the browser that began it by a cookie of its own.

use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::cookie;
use super::limit::{self, Counted};
use super::page::Frame;
use super::page::recover::{Place, Problem, Recover};
use super::read::{self, Forged, Protected};
use super::reply::{self, Context};
use crate::domain::recovery::Stage;
use crate::domain::secret::{BrowserCookie, Minted, RecoveryCookie, Stored};
use crate::domain::{Fault, Span};
use crate::flow::recover::{self as flow, Chosen, Complaint, Halt, Moved};
use crate::flow::{Browser, Cookies};
use crate::idp::Idp;
use crate::protocol::params::Params;

const PLACE: read::Place<'static> = read::Place { page: "recover", subject: "" };

/// Longer than any recovery lasts.
const COOKIE_LASTS: Duration = Duration::days(3);

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let browser = read::browser(&request, context.language.code, &idp);
    let cookie = recovery_cookie(&request);
    if browser.session.is_none()
        && cookie.is_none()
        && let Some(busy) = limit::over(Counted::Page, &request, &context).await
    {
        return busy;
    }
    let place = match asked(&request) {
        Some(place) => Ok(place),
        None => flow::stage(cookie.as_ref(), &idp).await.map(place),
    };
    match place {
        Ok(place) => page(place, None, &browser, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// What the address itself asks for, whatever the browser is in the middle of.
fn asked(request: &HttpRequest) -> Option<Place> {
    request.query_string().split('&').find_map(|pair| match pair {
        "again=1" => Some(Place::Number),
        "stop=1" => Some(Place::Stop),
        _ => None,
    })
}

const fn place(stage: Option<Stage>) -> Place {
    match stage {
        None => Place::Number,
        Some(Stage::PhoneCode) => Place::Code,
        Some(Stage::SecondProof) => Place::Second,
        Some(Stage::Waiting(ready)) => Place::Waiting(ready),
        Some(Stage::NewPassword) => Place::NewPassword,
        Some(Stage::Over(ending)) => Place::Over(ending),
    }
}

fn recovery_cookie(request: &HttpRequest) -> Option<Stored<RecoveryCookie>> {
    let headers = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    cookie::find(headers, cookie::RECOVERY).map(Stored::of)
}

/// The page, with the form binding the browser lacks.
fn page(place: Place, again: Option<(Problem, String)>, browser: &Browser, context: &Context<'_>) -> HttpResponse {
    let minted: Option<Minted<BrowserCookie>> = match browser.browser {
        Some(_) => None,
        None => match context.idp.random.mint() {
            Ok(minted) => Some(minted),
            Err(fault) => return reply::page_fault(&fault, context),
        },
    };
    let bound = minted.as_ref().map(Minted::stored);
    let form_token = read::form_token(bound.as_ref().or(browser.browser.as_ref()), &PLACE, context.idp);
    let address = match place {
        Place::Stop => "/recover?stop=1",
        _ => "/recover",
    };
    let (problem, person_number) = again.unzip();
    let shown = Recover {
        frame: Frame { form_token, ..context.frame(address) },
        place,
        person_number: person_number.unwrap_or_default(),
        minutes: minutes(context.idp.config.lifetimes.otp),
        hours: (context.idp.config.recovery.cooling_off.as_seconds() + 3599) / 3600,
        problem,
    };
    context.note(place.name());
    let mut response = reply::page(StatusCode::OK, shown.render(), None, context);
    reply::set_cookies(&mut response, &Cookies { browser: minted, ..Cookies::default() });
    response
}

fn minutes(span: Span) -> i64 {
    (span.as_seconds() + 59) / 60
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context),
    };
    let browser = read::browser(&request, context.language.code, &idp);
    let cookie = recovery_cookie(&request);
    let form = match read::protected(&request, params, &browser, &PLACE, &idp).map(Protected::into_inner) {
        Ok(form) => form,
        Err(Forged::CrossSite) => {
            context.note("cross_site");
            let told = "form was posted from another site";
            return reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, Some("RFC 9700 §4.7"), &context);
        }
        Err(Forged::Token) => {
            context.note("form_token");
            let due = asked(&request).map(Ok);
            let due = match due {
                Some(place) => place,
                None => flow::stage(cookie.as_ref(), &idp).await.map(place),
            };
            let stale = Problem { key: "recover.problem.form".to_owned(), minutes: 0 };
            let mut shown = match due {
                Ok(place) => page(place, Some((stale, String::new())), &browser, &context),
                Err(fault) => return reply::page_fault(&fault, &context),
            };
            *shown.status_mut() = StatusCode::FORBIDDEN;
            return shown;
        }
    };
    let counted = match form.first("step") {
        Some("code" | "resend" | "card" | "stop") => Counted::Otp,
        _ => Counted::SignIn,
    };
    if let Some(busy) = limit::over(counted, &request, &context).await {
        return busy;
    }
    let this = idp.clone().into_inner();
    let answered = match form.first("step") {
        Some("stop") => halted(&form, &browser, &this, &context).await,
        _ => stepped(&form, cookie.as_ref(), &browser, (&this, &context)).await,
    };
    answered.unwrap_or_else(|fault| reply::page_fault(&fault, &context))
}

async fn halted(
    form: &Params,
    browser: &Browser,
    idp: &Arc<Idp>,
    context: &Context<'_>,
) -> Result<HttpResponse, Fault> {
    let number = form.first("person_number").unwrap_or_default();
    Ok(match flow::stop(number, form.first("stop_code").unwrap_or_default(), idp).await? {
        Halt::Stopped => page(Place::Halted, None, browser, context),
        Halt::Again(complaint) => page(Place::Stop, Some((problem(complaint), number.to_owned())), browser, context),
    })
}

async fn stepped(
    form: &Params,
    cookie: Option<&Stored<RecoveryCookie>>,
    browser: &Browser,
    (idp, context): (&Arc<Idp>, &Context<'_>),
) -> Result<HttpResponse, Fault> {
    let field = |name: &str| form.first(name).unwrap_or_default();
    let number = field("person_number");
    let (asked, moved) = match (form.first("step"), cookie) {
        (Some("number"), _) => (Place::Number, flow::begin(number, browser, idp).await?),
        (_, None) => (Place::Number, Moved::On),
        (Some("code"), Some(cookie)) => (Place::Code, flow::code(cookie, field("otp"), browser, idp).await?),
        (Some("resend"), Some(cookie)) => (Place::Code, flow::resend(cookie, browser, idp).await?),
        (Some("card"), Some(cookie)) => (Place::Second, flow::card(cookie, field("card_expires"), idp).await?),
        (Some("password"), Some(cookie)) => {
            let chosen = Chosen {
                password: Zeroizing::new(field("password").to_owned()),
                again: Zeroizing::new(field("password_again").to_owned()),
            };
            (Place::NewPassword, flow::set_password(cookie, chosen, browser, idp).await?)
        }
        (Some("give_up"), Some(cookie)) => {
            flow::give_up(cookie, idp).await?;
            (Place::Number, Moved::On)
        }
        (_, Some(_)) => (Place::Number, Moved::On),
    };
    Ok(match moved {
        Moved::Again(complaint) => page(asked, Some((problem(complaint), number.to_owned())), browser, context),
        // By GET, so that a reload repeats nothing.
        Moved::On => reply::see_other(&context.frame("/recover").action(), context),
        Moved::Begun(minted) => {
            let mut response = reply::see_other(&context.frame("/recover").action(), context);
            let mut kept = cookie::recovery(minted.reveal());
            kept.set_max_age(COOKIE_LASTS);
            reply::insert_more(&mut response, SET_COOKIE, &kept.to_string());
            response
        }
    })
}

fn problem(complaint: Complaint) -> Problem {
    let (name, wait) = match complaint {
        Complaint::Malformed => ("malformed", Span::ZERO),
        Complaint::WrongCode => ("code", Span::ZERO),
        Complaint::ExpiredCode => ("expired", Span::ZERO),
        Complaint::Wait(span) => ("wait", span),
        Complaint::SendLimit(span) => ("send", span),
        Complaint::WrongCard => ("card", Span::ZERO),
        Complaint::CardWait(span) => ("card_wait", span),
        Complaint::NothingToStop => ("nothing", Span::ZERO),
        Complaint::Weak(weakness) => {
            return Problem { key: format!("password.weak.{}", weakness.name()), minutes: 0 };
        }
        Complaint::Differ => return Problem { key: "password.weak.differ".to_owned(), minutes: 0 },
    };
    Problem { key: format!("recover.problem.{name}"), minutes: minutes(wait).max(1) }
}
