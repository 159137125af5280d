//! Health and metrics of the console, on a listener of their own that is never the public one (`security.md` RG-16).

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use idp::idp::Idp;

pub fn routes(service: &mut web::ServiceConfig) {
    service
        .route("/livez", web::get().to(live))
        .route("/readyz", web::get().to(ready))
        .route("/metrics", web::get().to(metrics));
}

async fn live() -> HttpResponse {
    text(HttpResponse::Ok(), "ok\n".to_owned())
}

/// Ready when the store answers; the provider is another program's business.
async fn ready(idp: web::Data<Idp>) -> HttpResponse {
    match idp.store.ready().await {
        Ok(()) => text(HttpResponse::Ok(), "ok\n".to_owned()),
        Err(fault) => {
            tracing::warn!(%fault, "not ready");
            text(HttpResponse::ServiceUnavailable(), "not ready\n".to_owned())
        }
    }
}

async fn metrics(idp: web::Data<Idp>) -> HttpResponse {
    match idp.metrics.render() {
        Ok(metrics) => text(HttpResponse::Ok(), metrics),
        Err(fault) => {
            tracing::error!(%fault, "metrics could not be written");
            text(HttpResponse::ServiceUnavailable(), String::new())
        }
    }
}

fn text(mut answer: actix_web::HttpResponseBuilder, body: String) -> HttpResponse {
    answer
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body)
}
