//! The page on which the holder binds the app to a phone, sees which one it is, and removes it.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::limit::{self, Counted};
use super::page::Frame;
use super::page::app::{App, Ask, Phone, Problem};
use super::page::sign_in::masked_phone;
use super::read::{self, Forged, Place, Protected};
use super::reply::{self, Context};
use crate::flow::app::device::{self, Own, PAGE, Shown, View, Wish};
use crate::flow::app::fresh::Complaint;
use crate::flow::{Browser, Cookies};
use crate::idp::Idp;
use crate::protocol::params::Params;

const PLACE: Place<'static> = Place { page: "app", subject: "" };

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let browser = read::browser(&request, context.language.code, &idp);
    if browser.session.is_none()
        && let Some(busy) = limit::over(Counted::Page, &request, &context).await
    {
        return busy;
    }
    let removed = request.query_string().split('&').any(|pair| pair == "done=removed");
    answer(Wish::Look, removed, &browser, &context).await
}

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
    if let Some(busy) = limit::over(Counted::Otp, &request, &context).await {
        return busy;
    }
    let wish = wish(&form);
    let removes = matches!(wish, Wish::Remove);
    let response = answer(wish, false, &browser, &context).await;
    if removes && response.status() == StatusCode::OK {
        return reply::see_other(&context.frame("/app?done=removed").action(), &context);
    }
    response
}

fn wish(form: &Params) -> Wish {
    if form.first("remove").is_some() {
        Wish::Remove
    } else if let Some(otp) = form.first("otp") {
        Wish::Prove { otp: otp.to_owned() }
    } else {
        Wish::Bind { replace: form.first("replace").is_some() }
    }
}

async fn answer(wish: Wish, removed: bool, browser: &Browser, context: &Context<'_>) -> HttpResponse {
    let idp = match context.request.app_data::<web::Data<Idp>>() {
        Some(idp) => idp.clone().into_inner(),
        None => return HttpResponse::InternalServerError().finish(),
    };
    match device::answer(wish, browser, &idp).await {
        Ok(Shown::Page(own, view, cookies)) => drawn((own, view, removed), &cookies, browser, context),
        Ok(Shown::SignInFirst(answer)) => reply::outcome(answer, context),
        Err(fault) => reply::page_fault(&fault, context),
    }
}

fn drawn(
    (own, view, removed): (Option<Own>, View, bool),
    cookies: &Cookies,
    browser: &Browser,
    context: &Context<'_>,
) -> HttpResponse {
    context.note("app");
    let token = read::form_token(browser.browser.as_ref(), &PLACE, context.idp);
    let phone = own.map(|own| Phone { name: own.name, bound_at: own.bound_at, used_at: own.used_at });
    let (ask, problem) = match view {
        View::Device => (Ask::Nothing, None),
        View::Confirm => (Ask::Nothing, Some(Problem::Confirm)),
        View::Cannot(complaint) => (Ask::Nothing, Some(problem(complaint))),
        View::Otp(to, complaint) => (Ask::Otp(masked_phone(&to)), complaint.map(problem)),
        View::Binding(binding) => {
            (Ask::Scan { code: binding.code, payload: binding.payload, minutes: binding.minutes }, None)
        }
    };
    let page = App { frame: Frame { form_token: token, ..context.frame(PAGE) }, phone, ask, problem, removed };
    let mut response = reply::page(StatusCode::OK, page.render(), None, context);
    reply::set_cookies(&mut response, cookies);
    response
}

const fn problem(complaint: Complaint) -> Problem {
    match complaint {
        Complaint::Wrong => Problem::Wrong,
        Complaint::Wait(span) => Problem::Wait(span.as_seconds()),
        Complaint::NotSent => Problem::NotSent,
        Complaint::NoPhone => Problem::NoPhone,
    }
}
