//! The operations listener: never the public one. Liveness, readiness, metrics.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, http::header};

use crate::idp::Idp;

pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/livez").route(web::get().to(live)))
        .service(web::resource("/readyz").route(web::get().to(ready)))
        .service(web::resource("/metrics").route(web::get().to(metrics)));
}

/// The process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok().body("ok\n")
}

/// The process can do its work: the database takes writes. Redis is not asked: nothing depends on it.
async fn ready(idp: web::Data<Idp>) -> HttpResponse {
    if idp.is_stopping() {
        return HttpResponse::ServiceUnavailable().body("stopping\n");
    }
    match idp.store.ready().await {
        Ok(()) => HttpResponse::Ok().body("ok\n"),
        Err(fault) => {
            tracing::warn!(%fault, "ready.no");
            HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).body("database\n")
        }
    }
}

async fn metrics(idp: web::Data<Idp>) -> HttpResponse {
    idp.observe();
    match idp.metrics.render() {
        Ok(text) => HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4")).body(text),
        Err(fault) => {
            tracing::error!(%fault, "metrics.not_rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}
