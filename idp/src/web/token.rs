//! `/token` (RFC 6749 §3.2), and what the endpoints for programs share.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::read::{self, Language};
use super::refusal;
use super::reply::{self, Context, NONCE};
use crate::domain::Fault;
use crate::flow::caller::Call;
use crate::flow::{binding, client, token};
use crate::idp::Idp;
use crate::protocol::Error;
use crate::protocol::params::Params;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let response = answered(&request, &body, &idp, token::answer, reply::written).await;
    let response = with_nonce(response, request.headers().contains_key(read::DPOP), &idp);
    with_cors(response, &request, &idp).await
}

/// A form of a program, what its flow answers, and how that is told.
pub async fn answered<T>(
    request: &HttpRequest,
    body: &Bytes,
    idp: &web::Data<Idp>,
    answer: impl AsyncFn(&Params, &Call<'_>, &Arc<Idp>) -> Result<Result<T, Error>, Fault>,
    done: impl Fn(T, &Context<'_>) -> HttpResponse,
) -> HttpResponse {
    let context = context(request, idp);
    let params = match read::form(request, body) {
        Ok(params) => params,
        Err(unread) => {
            refusal::unread(&unread, &context);
            return reply::json_unread(&unread, &context);
        }
    };
    match answer(&params, &read::call(request, idp), &idp.clone().into_inner()).await {
        Ok(Ok(told)) => done(told, &context),
        Ok(Err(error)) => {
            refusal::of_program(&error, &params, &context);
            reply::oauth_error(&error, &context)
        }
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

/// RFC 9449 §8.2: who proves itself by DPoP hears the nonce of its next proof in good time.
pub fn with_nonce(mut response: HttpResponse, is_proved: bool, idp: &Idp) -> HttpResponse {
    if is_proved && let Some(nonce) = binding::next_nonce(idp) {
        reply::insert(&mut response, NONCE, &nonce);
    }
    response
}

/// Endpoints for programs speak English.
pub fn context<'a>(request: &'a HttpRequest, idp: &'a Idp) -> Context<'a> {
    Context { request, language: Language { code: "en", chosen: false }, idp }
}

/// CORS: only for the redirect origins of registered public clients (`contract.md` 8).
pub async fn with_cors(mut response: HttpResponse, request: &HttpRequest, idp: &web::Data<Idp>) -> HttpResponse {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return response };
    let this = idp.clone().into_inner();
    if let Ok(text) = origin.to_str()
        && client::may_call_from(text, &this).await.unwrap_or(false)
    {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        // RFC 9449 §8.2: a page must see the nonce it is to send; and the reference of what was refused.
        let exposed = header::HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate, X-Request-Id");
        response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("Origin"));
    }
    response
}

pub async fn preflight(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let response = HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, DPoP"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "900"))
        .finish();
    with_cors(response, &request, &idp).await
}
