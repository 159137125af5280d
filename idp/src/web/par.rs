//! `/par` (RFC 9126).

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::{read, refusal, reply, token};
use crate::flow::par::{self, Pushed};
use crate::idp::Idp;

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let context = token::context(&request, &idp);
    let params = match read::form(&request, &body) {
        Ok(params) => params,
        Err(unread) => {
            refusal::unread(&unread, &context);
            return reply::json_unread(&unread, &context);
        }
    };
    let this = idp.clone().into_inner();
    let call = read::call(&request, &idp);
    let response = match par::push(&params, &call, &this).await {
        Ok(Pushed::Accepted { request_uri, expires_in }) => {
            reply::created(&json!({"request_uri": request_uri, "expires_in": expires_in.as_seconds()}), &context)
        }
        Ok(Pushed::Refused(error)) => {
            refusal::of_program(&error, &params, &context);
            reply::oauth_error(&error, &context)
        }
        Ok(Pushed::TooMany(after)) => {
            refusal::of_program(&par::too_many(), &params, &context);
            reply::too_many(after, &context)
        }
        Err(fault) => reply::json_fault(&fault, &context),
    };
    token::with_nonce(response, !call.dpop.is_empty(), &idp)
}
