//! `/trace`: what the team of a client asks of its own refused requests. An endpoint of ours, named in the metadata.

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{reply, token};
use crate::flow::trace;
use crate::idp::Idp;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    token::answered(&request, &body, &idp, trace::answer, |told, context| reply::json(&told, context)).await
}
