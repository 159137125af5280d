//! Watching requests: a reference for each, one log line per outcome, and the counters.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use super::headers;
use crate::idp::Idp;
use crate::telemetry::Stopwatch;

/// Tells programs and developers the reference that people read on a page: redirects and JSON errors have no other place
/// for it that their standards leave open.
const REFERENCE: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request while it is answered.
#[derive(Clone, Debug)]
pub struct Trace {
    pub reference: String,
    pub outcome: &'static str,
    /// The broken rule, for the log line.
    pub rule: Option<crate::protocol::Error>,
}

/// Wraps every public request.
pub async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let idp = request.app_data::<web::Data<Idp>>().cloned();
    let reference = idp.as_ref().and_then(|idp| reference(idp)).unwrap_or_default();
    request.extensions_mut().insert(Trace { reference, outcome: "ok", rule: None });
    let stopwatch = Stopwatch::start();
    let mut response = next.call(request).await?;
    if let Some(idp) = &idp {
        guard(&mut response, idp);
    }
    if let Some(idp) = idp {
        let endpoint = endpoint(response.request().match_pattern().as_deref());
        let trace = response.request().extensions().get::<Trace>().cloned();
        // What is kept by others for later is not the answer to one request.
        if let Some(trace) = trace.as_ref().filter(|_| !is_document(endpoint))
            && let Ok(reference) = HeaderValue::try_from(trace.reference.as_str())
        {
            response.headers_mut().insert(REFERENCE, reference);
        }
        let outcome = trace.as_ref().map_or("ok", |trace| trace.outcome);
        idp.metrics.request(endpoint, outcome, stopwatch.elapsed());
        if let Some(trace) = trace {
            log(endpoint, response.status().as_u16(), &trace);
        }
    }
    Ok(response)
}

/// What the framework answers by itself (a method no route knows, a body cut off) gets the headers of everything else.
fn guard(response: &mut ServiceResponse<impl MessageBody>, idp: &Idp) {
    if response.headers().contains_key(header::X_CONTENT_TYPE_OPTIONS) {
        return;
    }
    for (name, value) in headers::of(headers::Answer::Bare, idp.config.issuer.starts_with("https:")) {
        response.headers_mut().insert(name, value);
    }
}

fn is_document(endpoint: &'static str) -> bool {
    matches!(endpoint, "discovery" | "jwks" | "asset")
}

/// One line per outcome. Static documents are told at debug level only.
fn log(endpoint: &'static str, status: u16, trace: &Trace) {
    let (reference, outcome) = (trace.reference.as_str(), trace.outcome);
    match &trace.rule {
        Some(rule) => tracing::info!(
            request.reference = reference,
            request.endpoint = endpoint,
            request.status = status,
            request.outcome = outcome,
            rule.clause = rule.clause,
            rule.told = rule.told.as_str(),
            rule.detail = rule.detail.as_deref(),
            "request.refused"
        ),
        None if is_document(endpoint) => {
            tracing::debug!(request.endpoint = endpoint, request.status = status, "request.answered");
        }
        None => tracing::info!(
            request.reference = reference,
            request.endpoint = endpoint,
            request.status = status,
            request.outcome = outcome,
            "request.answered"
        ),
    }
}

/// Short enough to read out on the phone, long enough not to repeat within the years the trail is kept.
fn reference(idp: &Idp) -> Option<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let bytes: [u8; 10] = idp.random.public_bytes().ok()?;
    let mut reference = String::with_capacity(bytes.len());
    reference
        .extend(bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31))).map(|letter| char::from(*letter)));
    Some(reference)
}

/// The bounded set of endpoint names that may stand in a metric label.
fn endpoint(pattern: Option<&str>) -> &'static str {
    match pattern {
        Some("/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server") => "discovery",
        Some("/jwks") => "jwks",
        Some("/authorize") => "authorize",
        Some("/par") => "par",
        Some("/token") => "token",
        Some("/userinfo") => "userinfo",
        Some("/introspect") => "introspect",
        Some("/revoke") => "revoke",
        Some("/trace") => "trace",
        Some("/register" | "/register/{client_id}") => "register",
        Some("/end-session" | "/sign-out" | "/signed-out") => "end_session",
        Some("/check-session") => "check_session",
        Some("/sign-in") => "sign_in",
        Some("/otp") => "otp",
        Some("/consent") => "consent",
        Some("/identity") => "identity",
        Some("/") => "home",
        Some("/assets/{name}" | "/logo/{client_id}") => "asset",
        Some(_) => "explained",
        None => "unknown",
    }
}
