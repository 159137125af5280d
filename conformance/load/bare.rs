//! The floor under every HTTP figure of the load report: one actix-web worker answering a fixed body, with nothing
//! behind it.

use actix_web::{App, HttpResponse, HttpServer, get};

#[get("/")]
async fn hello() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(r#"{"hello":"world"}"#)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(4190);
    HttpServer::new(|| App::new().service(hello)).workers(1).bind(("127.0.0.1", port))?.run().await
}
