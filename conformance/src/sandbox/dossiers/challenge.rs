//! Challenge: how the resource server asks for a token, for a better one, or for a proof.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use idp::domain::relying_party::SigningAlg;
use idp::protocol::binding::Scheme;
use idp::protocol::step_up::StepUp;
use idp::protocol::{Error, ErrorCode, dpop};
use serde_json::json;

use super::super::clients::DOSSIERS_READ;

/// Why a request is not answered.
#[derive(Debug)]
pub enum Refusal {
    NoToken,
    /// What is wrong, and how the token was sent.
    Told(Error, Scheme),
    /// It cannot be known now.
    Unknown(String),
}

impl Refusal {
    /// RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3, RFC 9728 §5.1. Without credentials there is no error to name.
    pub fn reply(&self, resource: &str) -> HttpResponse {
        let realm = format!("realm=\"dossiers\", resource_metadata=\"{resource}{}\"", super::METADATA);
        let algs = dpop::ALGS.map(SigningAlg::name).join(" ");
        let (error, scheme) = match self {
            Refusal::NoToken => {
                return HttpResponse::Unauthorized()
                    .insert_header((WWW_AUTHENTICATE, format!("Bearer {realm}")))
                    .append_header((WWW_AUTHENTICATE, format!("DPoP {realm}, algs=\"{algs}\"")))
                    .finish();
            }
            Refusal::Unknown(detail) => {
                eprintln!("sandbox: dossiers cannot tell: {detail}");
                return HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, "5")).finish();
            }
            Refusal::Told(error, scheme) => (error, *scheme),
        };
        let (code, told) = (error.code.as_str(), &error.told);
        let mut challenge = format!("{realm}, error=\"{code}\", error_description=\"{told}\"");
        if error.code == ErrorCode::InsufficientScope {
            challenge.push_str(&format!(", scope=\"{DOSSIERS_READ}\""));
        }
        challenge.push_str(&StepUp { acr: error.step_up, max_age: None }.parameters());
        // Whoever broke a rule of DPoP is asked for DPoP, however the token was sent.
        let challenge = if scheme == Scheme::Dpop || error.clause.starts_with("RFC 9449") {
            format!("DPoP {challenge}, algs=\"{algs}\"")
        } else {
            format!("Bearer {challenge}")
        };
        HttpResponse::build(status(error.code))
            .insert_header((WWW_AUTHENTICATE, challenge))
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(json!({"error": code, "error_description": told}))
    }
}

/// RFC 6750 §3.1, RFC 9449 §7.1: a proof that is refused is no credential.
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    }
}
