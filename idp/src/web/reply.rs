//! Replies: the only place where outcomes and errors become HTTP.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};

use super::page::{ErrorPage, FormPost, Frame, Reason, Stop};
use super::read::{Language, Unread};
use super::watch::Trace;
use super::{cookie, headers, refusal};
use crate::domain::fault::Cause;
use crate::domain::{Fault, Span};
use crate::flow::answers::Told;
use crate::flow::{Answer, Cookies, Outcome, Returned, answer, binding, par};
use crate::idp::Idp;
use crate::protocol::{Error, ErrorCode};

/// Where a nonce for DPoP proofs is handed out (RFC 9449 §8.1).
pub const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What every reply needs to know of the request it answers.
pub struct Context<'a> {
    pub request: &'a HttpRequest,
    pub language: Language,
    pub idp: &'a Idp,
}

impl Context<'_> {
    /// The reference a page shows and the log line carries.
    pub fn reference(&self) -> String {
        self.request.extensions().get::<Trace>().map(|trace| trace.reference.clone()).unwrap_or_default()
    }

    pub fn https(&self) -> bool {
        self.idp.config.issuer.starts_with("https:")
    }

    /// A frame for a page that is not part of an interaction.
    pub fn frame(&self, address: &str) -> Frame {
        Frame {
            language: self.language.code,
            chosen: self.language.chosen,
            address: address.to_owned(),
            form_token: String::new(),
        }
    }

    /// Notes how the request ended, for the one log line and the metrics.
    pub fn note(&self, outcome: &'static str) {
        if let Some(trace) = self.request.extensions_mut().get_mut::<Trace>() {
            trace.outcome = outcome;
        }
    }

    pub fn note_error(&self, error: &Error) {
        if let Some(trace) = self.request.extensions_mut().get_mut::<Trace>() {
            trace.outcome = error.code.as_str();
            trace.rule = Some(error.clone());
        }
    }
}

/// Status of an error where it is told as JSON or a page. Exhaustive on purpose: a new code is decided here.
pub const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken | ErrorCode::InsufficientUserAuthentication => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::InvalidRequest
        | ErrorCode::UnauthorizedClient
        | ErrorCode::AccessDenied
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidGrant
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::InteractionRequired
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::InvalidRequestObject
        | ErrorCode::InvalidRequestUri
        | ErrorCode::UnmetAuthenticationRequirements
        | ErrorCode::UnsupportedTokenType
        | ErrorCode::InvalidDpopProof
        | ErrorCode::UseDpopNonce
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidTarget
        | ErrorCode::InvalidAuthorizationDetails
        | ErrorCode::InvalidClientMetadata => StatusCode::BAD_REQUEST,
    }
}

/// A reply with the headers of its kind.
pub fn builder(status: StatusCode, kind: headers::Answer<'_>, context: &Context<'_>) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    for header in headers::of(kind, context.https()) {
        builder.insert_header(header);
    }
    builder
}

/// An HTML page. `leads_to`: the one outside address its forms may end at.
pub fn page(
    status: StatusCode,
    html: Result<String, Fault>,
    leads_to: Option<&str>,
    context: &Context<'_>,
) -> HttpResponse {
    drawn(status, html, headers::Answer::Page { leads_to }, context)
}

/// An HTML page that frames these outside addresses.
pub fn framing(html: Result<String, Fault>, frames: &[String], context: &Context<'_>) -> HttpResponse {
    drawn(StatusCode::OK, html, headers::Answer::Framing { frames }, context)
}

fn drawn(
    status: StatusCode,
    html: Result<String, Fault>,
    kind: headers::Answer<'_>,
    context: &Context<'_>,
) -> HttpResponse {
    match html {
        Ok(html) => builder(status, kind, context).content_type("text/html; charset=utf-8").body(html),
        Err(fault) => {
            tracing::error!(%fault, "page.not_rendered");
            builder(StatusCode::INTERNAL_SERVER_ERROR, headers::Answer::Bare, context).finish()
        }
    }
}

/// An outcome of an interaction.
pub fn outcome(answer: Answer, context: &Context<'_>) -> HttpResponse {
    let mut response = match answer.outcome {
        Outcome::Shown(error) => shown(&error, context),
        Outcome::Returned(returned) => self::returned(*returned, context),
        Outcome::Page(step, id) => {
            context.note(step.name());
            let address = format!("/{}?interaction={id}", step.name());
            see_other(&context.frame(&address).action(), context)
        }
        Outcome::OwnPage(path) => see_other(&context.frame(&path).action(), context),
        Outcome::Posted(id) => see_other(&format!("/authorize?posted={id}"), context),
    };
    set_cookies(&mut response, &answer.cookies);
    response
}

/// 303, never 307: credentials posted to us are never posted on (RFC 9700 §4.12).
pub fn see_other(location: &str, context: &Context<'_>) -> HttpResponse {
    builder(StatusCode::SEE_OTHER, headers::Answer::Bare, context).insert_header((header::LOCATION, location)).finish()
}

fn returned(returned: Returned, context: &Context<'_>) -> HttpResponse {
    match &returned.error {
        Some(error) => {
            context.note_error(error);
            refusal::of_interaction(error, &returned.client, context);
        }
        None => context.note("code"),
    }
    let outgoing = match answer::leave(returned, context.idp) {
        Ok(outgoing) => outgoing,
        Err(fault) => return page_fault(&fault, context),
    };
    if !outgoing.mode.by_form() {
        return see_other(&outgoing.uri, context);
    }
    let form = FormPost {
        frame: context.frame(""),
        client: outgoing.uri.clone(),
        action: outgoing.uri.clone(),
        fields: outgoing.fields,
    };
    page(StatusCode::OK, form.render(), Some(&outgoing.uri), context)
}

/// A page that never redirects: the address is not trusted.
pub fn shown(error: &Error, context: &Context<'_>) -> HttpResponse {
    context.note_error(error);
    let page_status = match status(error.code) {
        StatusCode::UNAUTHORIZED => StatusCode::BAD_REQUEST,
        other => other,
    };
    error_page(page_status, error.code.as_str(), &error.told, Some(error.clause), context)
}

/// The error page, with the reference that finds its trace.
pub fn error_page(
    status: StatusCode,
    code: &str,
    told: &str,
    clause: Option<&str>,
    context: &Context<'_>,
) -> HttpResponse {
    let html = ErrorPage {
        frame: context.frame(""),
        code: code.to_owned(),
        told: told.to_owned(),
        clause: clause.map(str::to_owned),
        reference: context.reference(),
    }
    .render();
    page(status, html, None, context)
}

/// Ours to blame, at a page: try again, with a reference.
pub fn page_fault(fault: &Fault, context: &Context<'_>) -> HttpResponse {
    let seconds = retry_after(fault);
    tell(fault, context);
    busy(seconds, context)
}

/// For whoever runs this. What was too much is told by the request's own line: a flood must not be written twice.
fn tell(fault: &Fault, context: &Context<'_>) {
    let reference = context.reference();
    if fault.cause == Cause::Overloaded {
        context.note("busy");
        tracing::debug!(%reference, %fault, "request.busy");
    } else {
        context.note("fault");
        tracing::error!(%reference, %fault, "request.fault");
    }
}

/// The `busy` page.
pub fn busy(seconds: i64, context: &Context<'_>) -> HttpResponse {
    context.note("busy");
    let html = Stop {
        frame: context.frame(""),
        reason: Reason::Busy { seconds },
        asker: None,
        back: false,
        retry: None,
        reference: Some(context.reference()),
    }
    .render();
    let mut response = page(StatusCode::SERVICE_UNAVAILABLE, html, None, context);
    insert(&mut response, header::RETRY_AFTER, &seconds.to_string());
    response
}

/// Ours to blame, at an endpoint for programs: 503, `Retry-After`, a reference, nothing else (`contract.md` 7).
pub fn json_fault(fault: &Fault, context: &Context<'_>) -> HttpResponse {
    tell(fault, context);
    let reference = context.reference();
    let told = json!({"error": "temporarily_unavailable", "error_description": format!("try again later, reference {reference}")});
    let mut response = builder(StatusCode::SERVICE_UNAVAILABLE, headers::Answer::Bare, context).json(told);
    insert(&mut response, header::RETRY_AFTER, &retry_after(fault).to_string());
    response
}

const fn retry_after(fault: &Fault) -> i64 {
    match fault.cause {
        Cause::Overloaded => 2,
        Cause::Unavailable | Cause::Broken => 5,
    }
}

/// A JSON answer of a token-like endpoint.
pub fn json(body: &Value, context: &Context<'_>) -> HttpResponse {
    written(serde_json::to_string(body).unwrap_or_default(), context)
}

/// The same of a body that is JSON already.
pub fn written(text: String, context: &Context<'_>) -> HttpResponse {
    context.note("ok");
    builder(StatusCode::OK, headers::Answer::Bare, context)
        .insert_header((header::PRAGMA, "no-cache"))
        .content_type("application/json")
        .body(text)
}

/// An answer in the form the client registered or asked for.
pub fn told(told: Told, media_type: &str, context: &Context<'_>) -> HttpResponse {
    match told {
        Told::Json(body) => json(&body, context),
        Told::Jwt(jwt) => {
            context.note("ok");
            builder(StatusCode::OK, headers::Answer::Bare, context).content_type(media_type).body(jwt)
        }
    }
}

/// RFC 9126 §2.2: the reference a pushed request is kept under.
pub fn created(body: &Value, context: &Context<'_>) -> HttpResponse {
    let mut response = json(body, context);
    *response.status_mut() = StatusCode::CREATED;
    response
}

/// RFC 9126 §2.3: more than this client may ask for; not ours to blame and not a matter of what it sent.
pub fn too_many(after: Span, context: &Context<'_>) -> HttpResponse {
    context.note("too_many");
    let error = par::too_many();
    let told = json!({"error": error.code.as_str(), "error_description": error.told});
    let mut response = builder(StatusCode::TOO_MANY_REQUESTS, headers::Answer::Bare, context).json(told);
    insert(&mut response, header::RETRY_AFTER, &after.as_seconds().to_string());
    response
}

/// A JSON error of a token-like endpoint (RFC 6749 §5.2).
pub fn oauth_error(error: &Error, context: &Context<'_>) -> HttpResponse {
    context.note_error(error);
    let mut builder = builder(status(error.code), headers::Answer::Bare, context);
    builder.insert_header((header::PRAGMA, "no-cache"));
    if error.code == ErrorCode::InvalidClient {
        builder.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"idp\", charset=\"UTF-8\""));
    }
    hand_nonce(&mut builder, error, context);
    builder.json(json!({"error": error.code.as_str(), "error_description": error.told}))
}

/// RFC 9449 §8: with the nonce the request is to be repeated with.
pub fn hand_nonce(builder: &mut HttpResponseBuilder, error: &Error, context: &Context<'_>) {
    if error.code == ErrorCode::UseDpopNonce {
        builder.insert_header((NONCE, binding::nonce(context.idp)));
    }
}

/// A request that was not read, at an endpoint for programs.
pub fn json_unread(why: &Unread, context: &Context<'_>) -> HttpResponse {
    match why.refusal() {
        (Some(status), error) => unread(status, &error.told, context),
        (None, error) => oauth_error(&error, context),
    }
}

/// A request that was not read, with the status that says why.
pub fn unread(status: StatusCode, told: &str, context: &Context<'_>) -> HttpResponse {
    context.note("unread");
    builder(status, headers::Answer::Bare, context).json(json!({"error": "invalid_request", "error_description": told}))
}

/// A request that was not read, at a page.
pub fn page_unread(why: &Unread, context: &Context<'_>) -> HttpResponse {
    match why.refusal() {
        (Some(status), error) => error_page(status, "invalid_request", &error.told, None, context),
        (None, error) => shown(&error, context),
    }
}

/// Puts the cookies of an answer on its way.
pub fn set_cookies(response: &mut HttpResponse, cookies: &Cookies) {
    let mut set = |cookie: actix_web::cookie::Cookie<'static>| {
        insert_more(response, header::SET_COOKIE, &cookie.to_string());
    };
    if let Some(session) = &cookies.session {
        set(cookie::session(session.reveal()));
    } else if cookies.end_session {
        set(cookie::dropped(cookie::SESSION));
        set(cookie::state_dropped());
    }
    if let Some(state) = &cookies.state {
        set(cookie::state(state));
    }
    if let Some(browser) = &cookies.browser {
        set(cookie::browser(browser.reveal()));
    }
    if let Some(device) = &cookies.device {
        set(cookie::device(device.reveal()));
    }
}

pub fn insert(response: &mut HttpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

pub fn insert_more(response: &mut HttpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}
