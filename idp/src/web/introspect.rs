//! `/introspect` (RFC 7662).

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
    token::told(introspect::answer(&params, &read::call(&request, &idp), &this).await, &context)
}
