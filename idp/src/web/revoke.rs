//! `/revoke` (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::{headers, read, reply, token};
use crate::flow::revoke;
use crate::idp::Idp;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => return reply::json_unread(&unread, &context),
    };
    let this = idp.clone().into_inner();
    let response = match revoke::answer(&params, &read::call(&request, &idp), &this).await {
        // RFC 7009 §2.2: the status says it all.
        Ok(Ok(_)) => reply::builder(StatusCode::OK, headers::Answer::Bare, &context).finish(),
        refused => token::told(refused, &context),
    };
    token::with_cors(response, &request, &idp).await
}
