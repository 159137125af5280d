//! `/userinfo` (OIDC Core §5.3): GET and POST, the token in the header, with a DPoP proof where it is bound to a
//! key, or, by POST, in the form body.

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};

use super::challenge::challenge;
use super::{read, refusal, reply, token};
use crate::flow::userinfo;
use crate::idp::Idp;
use crate::protocol::binding::Scheme;
use crate::protocol::params::Params;
use crate::protocol::userinfo::presented;

pub async fn get(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    answer(&request, None, &idp).await
}

pub async fn post(request: HttpRequest, body: Bytes, idp: web::Data<Idp>) -> HttpResponse {
    let params = if body.is_empty() {
        None
    } else {
        match read::form(&request, &body) {
            Ok(params) => Some(params),
            Err(unread) => return reply::json_unread(&unread, &token::context(&request, &idp)),
        }
    };
    answer(&request, params.as_ref(), &idp).await
}

async fn answer(request: &HttpRequest, form: Option<&Params>, idp: &web::Data<Idp>) -> HttpResponse {
    let context = token::context(request, idp);
    let query = match read::query(request) {
        Ok(query) => query,
        Err(unread) => return reply::json_unread(&unread, &context),
    };
    let presented = match presented(&read::authorizations(request), &query, form) {
        Ok(Some(presented)) => presented,
        Ok(None) => return challenge(None, Scheme::Bearer, &context),
        Err(error) => return challenge(Some(&error), Scheme::Bearer, &context),
    };
    let call = read::call(request, idp);
    let this = idp.clone().into_inner();
    let response = match userinfo::answer(&presented, &call, &this).await {
        Ok(Ok(told)) => reply::told(told, "application/jwt", &context),
        Ok(Err(error)) => {
            refusal::of_token(&error, &presented.token, form, &context).await;
            challenge(Some(&error), presented.scheme, &context)
        }
        Err(fault) => reply::json_fault(&fault, &context),
    };
    let response = token::with_nonce(response, presented.scheme == Scheme::Dpop, idp);
    token::with_cors(response, request, idp).await
}
