//! Documents everybody may read: metadata, keys, assets.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::assets;
use super::reply::{self, Context};
use super::{headers, read};
use crate::domain::Id;
use crate::flow;
use crate::idp::Idp;

/// Discovery and keys may be cached for 15 minutes (`contract.md` 8).
const CACHING: &str = "public, max-age=900";

pub async fn metadata(idp: web::Data<Idp>) -> HttpResponse {
    document(web::Bytes::copy_from_slice(idp.metadata.as_bytes()))
}

pub async fn jwks(idp: web::Data<Idp>) -> HttpResponse {
    document(web::Bytes::copy_from_slice(idp.ring.jwks(idp.clock.now()).as_bytes()))
}

fn document(body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, CACHING))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}

/// CORS on public documents: any origin, no credentials.
pub async fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "900"))
        .finish()
}

/// A page's file, under a name that changes with its content.
pub async fn asset(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, &idp);
    match assets::find(request.path()) {
        Some(asset) => reply::builder(StatusCode::OK, headers::Answer::Asset, &context)
            .content_type(asset.content_type)
            .body(asset.body),
        None => nothing(&context),
    }
}

/// A client's logo, from our own origin.
pub async fn logo(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = context(&request, &idp);
    let id = Id::new(request.match_info().get("client_id").unwrap_or_default());
    let this = idp.clone().into_inner();
    match flow::logo::logo(id, &this).await {
        Ok(Some(logo)) => reply::builder(StatusCode::OK, headers::Answer::Picture, &context)
            .content_type(logo.content_type)
            .body(logo.body.clone()),
        Ok(None) => nothing(&context),
        Err(fault) => reply::page_fault(&fault, &context),
    }
}

/// A path that is none of ours.
pub async fn nothing_here(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    nothing(&context(&request, &idp))
}

fn nothing(context: &Context<'_>) -> HttpResponse {
    context.note("not_found");
    reply::error_page(StatusCode::NOT_FOUND, "not_found", "page does not exist", None, context)
}

fn context<'a>(request: &'a HttpRequest, idp: &'a Idp) -> Context<'a> {
    Context { request, language: read::language(request, &[]), idp }
}
