//! The description of the interface, written by hand and held to the routes by a test.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use idp::web::headers::Answer;

use crate::web::{Console, page};

pub const DOCUMENT: &str = include_str!("openapi.json");

pub async fn show(console: web::Data<Console>) -> HttpResponse {
    page::answer(actix_web::http::StatusCode::OK, Answer::Bare, &console)
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(DOCUMENT)
}
