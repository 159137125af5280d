//! `/introspect` (RFC 7662).

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{reply, token};
use crate::flow::introspect;
use crate::idp::Idp;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    token::answered(&request, &body, &idp, introspect::answer, reply::json).await
}
