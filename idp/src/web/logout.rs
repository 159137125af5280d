//! `/end-session` (OpenID Connect RP-Initiated Logout 1.0) and the two pages around it.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Frame, SignOut as SignOutPage, SignedOut};
use super::read::{self, Forged, Place, Protected};
use super::refusal;
use super::reply::{self, Context};
use crate::domain::Id;
use crate::domain::consent::Bilingual;
use crate::domain::secret::{BrowserCookie, Minted};
use crate::flow::logout::{self, Farewell, SignOut};
use crate::flow::{Browser, Cookies};
use crate::idp::Idp;
use crate::protocol::params::Params;

const PLACE: Place<'static> = Place { page: "sign-out", subject: "" };

/// What the confirmation page carries on to its post.
const CARRIED: [&str; 6] =
    ["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];

pub async fn get(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    match read::query(&request) {
        Ok(params) => answer(&request, params, false, &idp).await,
        Err(unread) => reply::page_unread(&unread, &context(&request, None, &idp)),
    }
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    match read::form(&request, &body) {
        Ok(params) => answer(&request, params, false, &idp).await,
        Err(unread) => reply::page_unread(&unread, &context(&request, None, &idp)),
    }
}

/// `/sign-out`: the confirmation page by itself.
pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    get(request, idp).await
}

/// The person confirmed.
pub async fn confirm(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, None, &idp);
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::page_unread(&unread, &context),
    };
    let browser = read::browser(&request, context.language.code, &idp);
    match read::protected(&request, params, &browser, &PLACE, &idp).map(Protected::into_inner) {
        Ok(params) => answer(&request, params, true, &idp).await,
        Err(Forged::CrossSite | Forged::Token) => {
            context.note("forged");
            let told = "form was not ours or too old, open the page again";
            reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, None, &context)
        }
    }
}

/// `/signed-out`. Where clients are to be told through the browser, it frames their addresses and then goes on.
pub async fn done(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, None, &idp);
    let named = request.query_string().split('&').find_map(|pair| pair.strip_prefix("sign_out="));
    let this = idp.clone().into_inner();
    let (address, farewell) = match named {
        None => ("/signed-out".to_owned(), Ok(Farewell::default())),
        Some(id) => (page_of(id), logout::farewell(Id::new(id), &this).await),
    };
    let farewell = match farewell {
        Ok(farewell) => farewell,
        Err(fault) => return reply::page_fault(&fault, &context),
    };
    let back = farewell.back.map(|(name, location)| (name.in_language(context.language.code).to_owned(), location));
    let html = SignedOut { frame: context.frame(&address), back, frames: farewell.frames.clone() }.render();
    reply::framing(html, &farewell.frames, &context)
}

pub(super) fn page_of(id: impl std::fmt::Display) -> String {
    format!("/signed-out?sign_out={id}")
}

async fn answer(request: &HttpRequest, params: Params, confirmed: bool, idp: &web::Data<Idp>) -> HttpResponse {
    let context = context(request, Some(&params), idp);
    let browser = read::browser(request, context.language.code, idp);
    let this = idp.clone().into_inner();
    match logout::end(&params, confirmed, &browser, &this).await {
        Ok(SignOut::Refused(error, client)) => {
            refusal::of_sign_out(&error, client, &params, &context);
            reply::shown(&error, &context)
        }
        Ok(SignOut::Confirm { client, portals }) => confirmation(&params, client, &portals, &browser, &context),
        Ok(SignOut::Done { back, page, cookies }) => {
            context.note("signed_out");
            let location = match (page, back) {
                (Some(page), _) => context.frame(&page_of(page)).action().into_owned(),
                (None, Some(back)) => back.location(),
                (None, None) => context.frame("/signed-out").action().into_owned(),
            };
            let mut response = reply::see_other(&location, &context);
            reply::set_cookies(&mut response, &cookies);
            response
        }
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

fn confirmation(
    params: &Params,
    client: Option<Bilingual>,
    portals: &[Bilingual],
    browser: &Browser,
    context: &Context<'_>,
) -> HttpResponse {
    context.note("confirm");
    let language = context.language.code;
    // The form is bound to the browser; one that has never been here gets its cookie now.
    let minted: Option<Minted<BrowserCookie>> = match browser.browser {
        Some(_) => None,
        None => match context.idp.random.mint() {
            Ok(minted) => Some(minted),
            Err(fault) => return reply::page_fault(&fault, context),
        },
    };
    let bound = minted.as_ref().map(Minted::stored).or_else(|| browser.browser.clone());
    let frame =
        Frame { form_token: read::form_token(bound.as_ref(), &PLACE, context.idp), ..context.frame("/sign-out") };
    let fields = CARRIED.iter().filter_map(|name| Some(((*name).to_owned(), params.first(name)?.to_owned()))).collect();
    let html = SignOutPage {
        frame,
        client: client.map(|name| name.in_language(language).to_owned()),
        portals: portals.iter().map(|name| name.in_language(language).to_owned()).collect(),
        fields,
        stay: Some("/identity".to_owned()),
    }
    .render();
    let mut response = reply::page(StatusCode::OK, html, params.first("post_logout_redirect_uri"), context);
    reply::set_cookies(&mut response, &Cookies { browser: minted, ..Cookies::default() });
    response
}

fn context<'a>(request: &'a HttpRequest, params: Option<&Params>, idp: &'a Idp) -> Context<'a> {
    let locales = params.and_then(|params| params.first("ui_locales")).unwrap_or_default();
    let locales: Vec<String> = locales.split(' ').take(16).map(str::to_owned).collect();
    let language = read::language(request, &locales);
    // What the client asked for goes on to the page after this one.
    Context {
        request,
        language: read::Language { chosen: language.chosen || !locales.concat().is_empty(), ..language },
        idp,
    }
}
