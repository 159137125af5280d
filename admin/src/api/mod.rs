//! The officer's desk for programs: the acts of the desk's pages as JSON, described by `/api/openapi.json`.
//!
//! Owns: who calls (an access token of the console, or the console's own session from its own pages), reading bodies, and
//! what an error looks like. Must not know: rules, SQL; acts are `idp::flow::officer`'s. A person number comes in a body
//! and leaves masked.

mod applications;
mod call;
mod openapi;
mod people;
mod problem;
mod requests;

use actix_web::web;

/// No body is longer.
const LONGEST_BODY: usize = 64 * 1024;

pub fn routes(service: &mut web::ServiceConfig) {
    service
        .route("/api/openapi.json", web::get().to(openapi::show))
        .route("/api/people/find", web::post().to(people::find))
        .route("/api/people/{account}", web::get().to(people::show))
        .route("/api/people/{account}/eid/lock", web::post().to(people::lock))
        .route("/api/people/{account}/eid/unlock", web::post().to(people::unlock))
        .route("/api/people/{account}/activation", web::post().to(people::activate))
        .route("/api/people/{account}/level-two", web::post().to(applications::receive))
        .route("/api/applications", web::get().to(applications::list))
        .route("/api/applications", web::post().to(applications::receive_new))
        .route("/api/applications/{id}", web::get().to(applications::show))
        .route("/api/applications/{id}/decision", web::post().to(applications::decide))
        .route("/api/people/{account}/authority-requests", web::post().to(requests::receive))
        .route("/api/authority-requests", web::get().to(requests::list))
        .route("/api/authority-requests/{id}", web::get().to(requests::show))
        .route("/api/authority-requests/{id}/forward", web::post().to(requests::forward))
        .route("/api/authority-requests/{id}/decision", web::post().to(requests::decide))
        .service(web::resource("/api/{rest:.*}").to(problem::not_found));
}

#[cfg(test)]
mod tests;
