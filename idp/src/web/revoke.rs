//! `/revoke` (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::reply::{self, Context};
use super::{headers, token};
use crate::flow::revoke;
use crate::idp::Idp;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let response = token::answered(&request, &body, &idp, revoke::answer, bare).await;
    token::with_cors(response, &request, &idp).await
}

/// RFC 7009 §2.2: the status says it all.
fn bare((): (), context: &Context<'_>) -> HttpResponse {
    reply::builder(StatusCode::OK, headers::Answer::Bare, context).finish()
}
