//! How endpoints that take a token ask for one, or for a better one.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde_json::json;

use super::headers;
use super::reply::{self, Context};
use crate::domain::relying_party::SigningAlg;
use crate::protocol::binding::Scheme;
use crate::protocol::step_up::StepUp;
use crate::protocol::{Error, dpop};

/// An error of a resource endpoint (RFC 6750 §3, RFC 9449 §7.1): the challenge, and the same as JSON. No credentials, no
/// code. `sent` is how the token was sent.
pub fn challenge(error: Option<&Error>, sent: Scheme, context: &Context<'_>) -> HttpResponse {
    let Some(error) = error else {
        context.note("no_token");
        return reply::builder(StatusCode::UNAUTHORIZED, headers::Answer::Bare, context)
            .insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"idp\""))
            .append_header((header::WWW_AUTHENTICATE, format!("DPoP realm=\"idp\", algs=\"{}\"", proof_algs())))
            .finish();
    };
    context.note_error(error);
    let step_up = StepUp { acr: error.step_up, max_age: None }.parameters();
    let (code, told) = (error.code.as_str(), &error.told);
    let told = format!("realm=\"idp\", error=\"{code}\", error_description=\"{told}\"{step_up}");
    // Whoever broke a rule of DPoP is asked for DPoP, however the token was sent.
    let by_proof = sent == Scheme::Dpop || error.clause.starts_with("RFC 9449");
    let (status, challenge) = match (by_proof, reply::status(error.code)) {
        (false, status) => (status, format!("Bearer {told}")),
        (true, StatusCode::FORBIDDEN) => (StatusCode::FORBIDDEN, format!("DPoP {told}, algs=\"{}\"", proof_algs())),
        // RFC 9449 §7.1: a proof that is refused here is no credential.
        (true, _) => (StatusCode::UNAUTHORIZED, format!("DPoP {told}, algs=\"{}\"", proof_algs())),
    };
    let mut builder = reply::builder(status, headers::Answer::Bare, context);
    reply::hand_nonce(&mut builder, error, context);
    builder
        .insert_header((header::WWW_AUTHENTICATE, challenge))
        .json(json!({"error": error.code.as_str(), "error_description": error.told}))
}

fn proof_algs() -> String {
    dpop::ALGS.map(SigningAlg::name).join(" ")
}
