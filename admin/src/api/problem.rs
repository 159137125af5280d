//! Errors as JSON (RFC 9457): a status, a code that never changes its meaning, a sentence for people.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, web};
use idp::domain::Fault;
use idp::domain::authority_request::Clock;
use idp::flow::officer::Refusal;
use idp::web::headers::Answer;
use serde::Serialize;
use serde_json::{Value, json};

use crate::tk01::Field;
use crate::web::desk::status;
use crate::web::words::desk::Desk;
use crate::web::{Console, page};

/// What can be wrong before any rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    NotFound,
    NoToken,
    InvalidToken,
    WithoutRole,
    CrossSite,
    MediaType,
    TooLarge,
    NotJson,
    NoKey,
    Unavailable,
}

impl Problem {
    #[cfg(test)]
    pub const ALL: [Problem; 10] = [
        Problem::NotFound,
        Problem::NoToken,
        Problem::InvalidToken,
        Problem::WithoutRole,
        Problem::CrossSite,
        Problem::MediaType,
        Problem::TooLarge,
        Problem::NotJson,
        Problem::NoKey,
        Problem::Unavailable,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Problem::NotFound => "not_found",
            Problem::NoToken => "no_token",
            Problem::InvalidToken => "invalid_token",
            Problem::WithoutRole => "without_role",
            Problem::CrossSite => "cross_site",
            Problem::MediaType => "media_type",
            Problem::TooLarge => "too_large",
            Problem::NotJson => "not_json",
            Problem::NoKey => "no_idempotency_key",
            Problem::Unavailable => "unavailable",
        }
    }

    const fn told(self) -> (StatusCode, &'static str) {
        match self {
            Problem::NotFound => (StatusCode::NOT_FOUND, "There is nothing at this address for this method."),
            Problem::NoToken => (StatusCode::UNAUTHORIZED, "An access token of the console is needed."),
            Problem::InvalidToken => (StatusCode::UNAUTHORIZED, "The access token is not one of the console in force."),
            Problem::WithoutRole => (
                StatusCode::FORBIDDEN,
                "The account has no officer's role; whoever runs the provider grants it (admin.officers).",
            ),
            Problem::CrossSite => (StatusCode::FORBIDDEN, "A session counts only from the console's own pages."),
            Problem::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is application/json."),
            Problem::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is longer than 64 KiB."),
            Problem::NotJson => (StatusCode::BAD_REQUEST, "The body is not the JSON this act takes."),
            Problem::NoKey => {
                (StatusCode::BAD_REQUEST, "Idempotency-Key is 8 to 128 letters, digits, hyphens, dots, colons.")
            }
            Problem::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Try again shortly, with the same key."),
        }
    }

    pub fn answer(self, console: &Console) -> HttpResponse {
        let (status, told) = self.told();
        let mut answer = page::answer(status, Answer::Bare, console);
        match self {
            // RFC 6750 §3: no error code for a request without credentials.
            Problem::NoToken => answer.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"desk\"")),
            Problem::InvalidToken => {
                answer.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"desk\", error=\"invalid_token\""))
            }
            Problem::Unavailable => answer.insert_header((RETRY_AFTER, "5")),
            _ => &mut answer,
        };
        answer
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .body(body(status, self.code(), told).to_string())
    }
}

fn body(status: StatusCode, code: &str, told: &str) -> Value {
    let title = status.canonical_reason().unwrap_or_default();
    json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": told })
}

/// Why an act was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    Refusal(Refusal),
    /// A form's field that is not right; it is malformed, and the answer names the field.
    Field(Field),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Denied::Refusal(refusal)
    }
}

pub fn denied(denied: Denied, console: &Console) -> HttpResponse {
    let refusal = match denied {
        Denied::Refusal(refusal) => refusal,
        Denied::Field(_) => Refusal::Malformed,
    };
    let status = status(refusal);
    let mut body = body(status, refusal.code(), Desk::of_language("en").of_refusal(refusal));
    if let (Denied::Field(field), Some(members)) = (denied, body.as_object_mut()) {
        members.insert("field".to_owned(), json!(field));
    }
    page::answer(status, Answer::Bare, console)
        .insert_header((CONTENT_TYPE, "application/problem+json"))
        .body(body.to_string())
}

/// A deadline that runs.
pub fn clock(clock: Clock) -> Value {
    json!({ "until": clock.until, "seconds_left": clock.left, "overdue": clock.is_overdue() })
}

pub fn failed(fault: &Fault, console: &Console) -> HttpResponse {
    tracing::error!(%fault, "an act of the desk failed");
    Problem::Unavailable.answer(console)
}

pub fn json<T: Serialize>(status: StatusCode, value: &T, console: &Console) -> HttpResponse {
    match serde_json::to_string(value) {
        Ok(text) => {
            page::answer(status, Answer::Bare, console).insert_header((CONTENT_TYPE, "application/json")).body(text)
        }
        Err(error) => failed(&Fault::broken("api", error), console),
    }
}

pub async fn not_found(console: web::Data<Console>) -> HttpResponse {
    Problem::NotFound.answer(&console)
}
