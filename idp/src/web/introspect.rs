//! `/introspect` (RFC 7662), by JWT where asked (RFC 9701).

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{read, reply, token};
use crate::flow::introspect;
use crate::idp::Idp;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::json_unread(&unread, &context),
    };
    let this = idp.clone().into_inner();
    let signed = read::accepts(&request, SIGNED);
    match introspect::answer(&params, read::authorization(&request), signed, &this).await {
        Ok(Ok(told)) => reply::told(told, SIGNED, &context),
        Ok(Err(error)) => reply::oauth_error(&error, &context),
        Err(fault) => reply::json_fault(&fault, &context),
    }
}

/// RFC 9701 §4, §5.
const SIGNED: &str = "application/token-introspection+jwt";
