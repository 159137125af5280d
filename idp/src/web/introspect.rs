//! `/introspect` (RFC 7662), by JWT where asked (RFC 9701).

use std::sync::Arc;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{read, reply, token};
use crate::flow::caller::Call;
use crate::flow::introspect;
use crate::idp::Idp;
use crate::protocol::params::Params;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let signed = read::accepts(&request, SIGNED);
    let answer =
        async |params: &Params, call: &Call<'_>, idp: &Arc<Idp>| introspect::answer(params, call, signed, idp).await;
    token::answered(&request, &body, &idp, answer, |told, context| reply::told(told, SIGNED, context)).await
}

/// RFC 9701 §4, §5.
const SIGNED: &str = "application/token-introspection+jwt";
