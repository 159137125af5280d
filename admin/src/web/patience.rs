//! How long a request of a small site may take, the arrival of its body included (`security.md` N-26). The time for its
//! headers is the server's own setting.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::header::RETRY_AFTER;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use tokio::time::timeout;

use super::{Console, page, words};

/// The provider's own bounds on body and answer together, for a site that has no settings.
const LONGEST: Duration = Duration::from_secs(25);

/// Wraps every request of a site.
pub async fn bounded<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let console = request.app_data::<web::Data<Console>>().cloned();
    let longest = console.as_ref().map_or(LONGEST, |console| {
        let limits = &console.idp.config.limits;
        Duration::from_secs(limits.body_seconds.saturating_add(limits.handler_seconds))
    });
    match timeout(longest, next.call(request)).await {
        Ok(answer) => answer,
        // The request itself is gone by now, so the answer travels as an error does.
        Err(late) => {
            Err(InternalError::from_response(late, too_late(console.as_ref().map(|console| &***console))).into())
        }
    }
}

/// The connection ends with it, since the rest of a body may still come.
fn too_late(console: Option<&Console>) -> HttpResponse {
    let mut answer = match console {
        Some(console) => page::away(words::Words::of("vi"), console),
        None => HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, "30")).finish(),
    };
    answer.head_mut().set_connection_type(ConnectionType::Close);
    answer
}
