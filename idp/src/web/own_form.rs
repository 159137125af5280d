//! Forms of pages that belong to no interaction: read, and known to be ours.

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use super::read::{self, Place, Protected};
use super::reply::{self, Context};
use crate::flow::Browser;
use crate::protocol::params::Params;

/// The form with its browser, or the answer that goes back instead.
pub fn own_form(
    place: &Place<'_>,
    request: &HttpRequest,
    body: &Bytes,
    context: &Context<'_>,
) -> Result<(Params, Browser), Box<HttpResponse>> {
    let params = read::form(request, body).map_err(|unread| reply::page_unread(&unread, context))?;
    let browser = read::browser(request, context.language.code, context.idp);
    match read::protected(request, params, &browser, place, context.idp).map(Protected::into_inner) {
        Ok(form) => Ok((form, browser)),
        Err(_) => {
            context.note("forged");
            let told = "form was not ours or too old, open the page again";
            Err(Box::new(reply::error_page(StatusCode::FORBIDDEN, "invalid_request", told, None, context)))
        }
    }
}
