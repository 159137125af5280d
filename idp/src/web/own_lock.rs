//! `/lock` and `/unlock`: the holder's own lock, each on a page of its own that says in plain words what will happen.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use zeroize::Zeroizing;

use super::draw::otp_problem;
use super::interaction::{interaction, sign_in_problem};
use super::limit::{self, Counted};
use super::own_form::own_form;
use super::page::own_lock::{Lock, LockDone, LockProblem, Stage, Unlock};
use super::page::sign_in::masked_phone;
use super::page::{Frame, OtpProblem, SignInProblem};
use super::read::{self, Place};
use super::reply::{self, Context};
use crate::domain::Id;
use crate::domain::interaction::Interaction;
use crate::flow::own_lock::{self, Ended};
use crate::flow::own_unlock::{self, Posted, Shown, Stop, View};
use crate::flow::sign_in;
use crate::flow::step_up::Way;
use crate::idp::Idp;

const LOCK: Place<'static> = Place { page: "lock", subject: "" };

pub async fn show_lock(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    lock_page(&request, None, &idp).await
}

async fn lock_page(request: &HttpRequest, problem: Option<LockProblem>, idp: &web::Data<Idp>) -> HttpResponse {
    let context = Context { request, language: read::language(request, &[]), idp };
    let browser = read::browser(request, context.language.code, idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    match own_lock::show(&browser, &this).await {
        Ok(own_lock::Shown::Page(asked)) => {
            let language = context.language.code;
            let token = read::form_token(browser.browser.as_ref(), &LOCK, idp);
            let page = Lock {
                frame: Frame { form_token: token, ..context.frame(own_lock::PAGE) },
                name: asked.name,
                person_number: asked.person_number,
                has_eid: asked.has_eid,
                password: asked.password,
                portals: asked.portals.iter().map(|name| name.in_language(language).to_owned()).collect(),
                problem,
            };
            reply::page(StatusCode::OK, page.render(), None, &context)
        }
        Ok(own_lock::Shown::SignInFirst(answer)) => reply::outcome(answer, &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

pub async fn lock(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let (form, browser) = match own_form(&LOCK, &request, &body, &context) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let password = form.first("password").map(|typed| Zeroizing::new(typed.to_owned()));
    if password.is_some()
        && let Some(busy) = limit::over(Counted::SignIn, &request, &context).await
    {
        return busy;
    }
    let this = idp.clone().into_inner();
    match own_lock::lock(password, &browser, &this).await {
        Ok(Ended::Locked(cookies)) => {
            context.note("locked");
            let mut response = reply::see_other(&context.frame("/lock-done").action(), &context);
            reply::set_cookies(&mut response, &cookies);
            response
        }
        Ok(Ended::Again(complaint)) => {
            let problem = complaint.map_or(LockProblem::Missing, |wrong| LockProblem::SignIn(sign_in_problem(wrong)));
            lock_page(&request, Some(problem), &idp).await
        }
        Ok(Ended::SignInFirst) => reply::see_other(&context.frame(own_lock::PAGE).action(), &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// Says that everything has ended, and how to open again. It knows nobody.
pub async fn lock_done(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    reply::page(StatusCode::OK, LockDone { frame: context.frame("/lock-done") }.render(), None, &context)
}

pub async fn show_unlock(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let again = request.query_string().split('&').any(|pair| pair == "sent=1");
    unlock_page(&request, Wrong { sent_again: again, ..Wrong::default() }, &idp).await
}

/// What was wrong with the form posted before.
#[derive(Default)]
struct Wrong {
    person_number: String,
    password: Option<SignInProblem>,
    code: Option<OtpProblem>,
    sent_again: bool,
}

async fn unlock_page(request: &HttpRequest, wrong: Wrong, idp: &web::Data<Idp>) -> HttpResponse {
    let context = Context { request, language: read::language(request, &[]), idp };
    if let Some(busy) = limit::over(Counted::Page, request, &context).await {
        return busy;
    }
    let browser = read::browser(request, context.language.code, idp);
    let id = interaction(request);
    let this = idp.clone().into_inner();
    match own_unlock::show(id.clone(), &browser, &this).await {
        Ok(Shown::Begin(id, cookies)) => {
            let mut response = reply::see_other(&context.frame(&address(&id)).action(), &context);
            reply::set_cookies(&mut response, &cookies);
            response
        }
        Ok(Shown::Page(view)) => {
            let subject = id.as_ref().map(Id::to_string).unwrap_or_default();
            let token = read::form_token(browser.browser.as_ref(), &place(&subject), idp);
            let at = id.as_ref().map_or_else(|| own_unlock::PAGE.to_owned(), address);
            drawn(stage(view, wrong, &context), Frame { form_token: token, ..context.frame(&at) }, &context)
        }
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn stage(view: View, wrong: Wrong, context: &Context<'_>) -> Stage {
    match view {
        View::Password => Stage::Password { person_number: wrong.person_number, problem: wrong.password },
        View::Code(phone, complaint) => Stage::Code {
            phone: masked_phone(&phone),
            minutes: context.idp.config.lifetimes.otp.as_seconds() / 60,
            problem: wrong.code.or_else(|| complaint.map(|complaint| otp_problem(complaint, Way::Sms))),
            sent_again: wrong.sent_again,
        },
        View::Stopped(Stop::NotLocked) => Stage::NotLocked,
        View::Stopped(Stop::OtherGround) => Stage::OtherGround,
        View::Stopped(Stop::NoPhone) => Stage::NoPhone,
        View::Opened { still_locked } => Stage::Opened { still_locked },
    }
}

fn drawn(stage: Stage, frame: Frame, context: &Context<'_>) -> HttpResponse {
    reply::page(StatusCode::OK, Unlock { frame, stage }.render(), None, context)
}

pub async fn unlock(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let Some(id) = interaction(&request) else {
        return reply::see_other(&context.frame(own_unlock::PAGE).action(), &context);
    };
    let (form, browser) = match own_form(&place(id.as_str()), &request, &body, &context) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let this = idp.clone().into_inner();
    let person_number = form.first("person_number").unwrap_or_default().to_owned();
    let with_password = form.first("password").is_some();
    let counted = if with_password { Counted::SignIn } else { Counted::Otp };
    if let Some(busy) = limit::over(counted, &request, &context).await {
        return busy;
    }
    let resend = form.first("resend").is_some();
    let posted = if with_password {
        let password = Zeroizing::new(form.first("password").unwrap_or_default().to_owned());
        let typed = sign_in::Form { person_number: person_number.clone(), password, for_other: false };
        own_unlock::password(id, typed, &browser, &this).await
    } else if resend {
        own_unlock::resend(id, &browser, &this).await
    } else {
        own_unlock::code(id, form.first("otp").unwrap_or_default().to_owned(), &browser, &this).await
    };
    match posted {
        Ok(Posted::Onward(id)) => {
            let sent = if resend { "&sent=1" } else { "" };
            reply::see_other(&context.frame(&format!("{}{sent}", address(&id))).action(), &context)
        }
        Ok(Posted::WrongPassword(complaint)) => {
            let password = Some(sign_in_problem(complaint));
            unlock_page(&request, Wrong { person_number, password, ..Wrong::default() }, &idp).await
        }
        Ok(Posted::WrongCode(complaint)) => {
            unlock_page(&request, Wrong { code: Some(otp_problem(complaint, Way::Sms)), ..Wrong::default() }, &idp)
                .await
        }
        Ok(Posted::Opened { still_locked }) => {
            context.note("unlocked");
            drawn(Stage::Opened { still_locked }, context.frame(""), &context)
        }
        Ok(Posted::Over) => reply::see_other(&context.frame(own_unlock::PAGE).action(), &context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn address(id: &Id<Interaction>) -> String {
    format!("{}?interaction={id}", own_unlock::PAGE)
}

const fn place(subject: &str) -> Place<'_> {
    Place { page: "unlock", subject }
}
