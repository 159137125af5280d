//! The desk itself: find a person, and everything that waits with its clock.

use actix_web::{HttpRequest, HttpResponse, web};
use idp::flow::officer::{authority, enrol};

use super::pages::{self, Waiting};
use super::to_officer;
use crate::web::Console;

/// `/desk`.
pub async fn show(request: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    to_officer(&request, &console, async |setting| {
        let open = authority::open(&setting.officer, &console.idp).await?;
        let requests = open.iter().map(|one| Waiting::of(one, &setting)).collect();
        let enrolments = enrol::open(&setting.officer, &console.idp).await?;
        let enrolments = enrolments.iter().map(|one| pages::Applying::of(one, &setting)).collect();
        Ok(pages::home(&setting, requests, enrolments))
    })
    .await
}
