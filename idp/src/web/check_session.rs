//! `/check-session`: the frame clients' pages keep of ours (OpenID Connect Session Management 1.0 §3.2). Its script
//! compares the browser's state with what a page was told; nobody talks to the server for that.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::assets;
use super::reply::{self, Context};
use super::{headers, read};
use crate::idp::Idp;

pub async fn show(request: HttpRequest, idp: web::Data<Idp>) -> HttpResponse {
    let context = Context { request: &request, language: read::language(&request, &[]), idp: &idp };
    let script = &assets::CHECK_SESSION.path;
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>check-session</title>\n\
         <script src=\"{script}\"></script>\n</head>\n<body data-page=\"check-session\"></body>\n</html>\n"
    );
    reply::builder(StatusCode::OK, headers::Answer::CheckSession, &context)
        .content_type("text/html; charset=utf-8")
        .body(html)
}
