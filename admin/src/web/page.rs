//! The console's pages, and the headers that go with every answer.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use askama::Template;
use idp::domain::Moment;
use idp::domain::invitation::Invitation;
use idp::domain::refused_request::RefusedRequest;
use idp::domain::relying_party::Registered;
use idp::flow::account::Listed;
use idp::web::headers::{self, Answer};
use idp::web::page::calendar;

use super::Console;
use super::words::{Notice, Words};

#[derive(Template)]
#[template(path = "entry.html")]
struct Entry {
    words: &'static Words,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Noticed {
    words: &'static Words,
    page: &'static str,
    notice: Notice,
    /// Present when there is a sign-in to end.
    form_token: Option<String>,
    /// Whether the start is somewhere to go.
    to_start: bool,
}

#[derive(Template)]
#[template(path = "overview.html")]
pub struct Overview {
    pub words: &'static Words,
    pub form_token: String,
    /// The desk is shown only to whom it opens.
    pub is_officer: bool,
    pub clients: Vec<ClientRow>,
    pub invitations: Vec<InvitationRow>,
    pub accounts: Vec<Listed>,
    /// The account after which the next page begins.
    pub more: Option<String>,
}

#[derive(Template)]
#[template(path = "client.html")]
pub struct ClientPage {
    pub words: &'static Words,
    pub form_token: String,
    pub client: ClientRow,
    /// The reference looked for; empty for all.
    pub reference: String,
    pub refused: Vec<RefusalRow>,
    /// The refusal after which the next page begins.
    pub more: Option<String>,
}

pub struct RefusalRow {
    pub at: String,
    pub refused: RefusedRequest,
}

pub struct ClientRow {
    id: String,
    name: String,
    relying_party: String,
    status: &'static str,
}

impl ClientRow {
    pub fn new(registered: &Registered, language: &str) -> Self {
        let client = &registered.client;
        Self {
            id: client.id.to_string(),
            name: client.client_name.in_language(language).to_owned(),
            relying_party: client.relying_party.in_language(language).to_owned(),
            status: registered.status.name(),
        }
    }
}

/// An invitation; its token is nowhere but with whom it was given to.
pub struct InvitationRow {
    id: String,
    relying_party: String,
    scope: String,
    uses_left: i64,
    ends: String,
    validity: &'static str,
}

impl InvitationRow {
    pub fn new(invitation: &Invitation, language: &str, now: Moment) -> Self {
        let party = invitation.policy.relying_party.as_ref();
        Self {
            id: invitation.id.to_string(),
            relying_party: party.map(|party| party.in_language(language).to_owned()).unwrap_or_default(),
            scope: invitation.policy.scope.join(" "),
            uses_left: invitation.uses_left,
            ends: calendar::minute(invitation.expires_at),
            validity: invitation.validity(now).name(),
        }
    }
}

pub fn entry(words: &'static Words, console: &Console) -> HttpResponse {
    shown(StatusCode::OK, &Entry { words }, words, console)
}

pub fn overview(page: &Overview, console: &Console) -> HttpResponse {
    shown(StatusCode::OK, page, page.words, console)
}

pub fn client(page: &ClientPage, console: &Console) -> HttpResponse {
    shown(StatusCode::OK, page, page.words, console)
}

pub fn without_role(words: &'static Words, form_token: String, console: &Console) -> HttpResponse {
    let (page, form_token) = ("console-without-role", Some(form_token));
    let page = Noticed { words, page, notice: words.without_role, form_token, to_start: false };
    shown(StatusCode::FORBIDDEN, &page, words, console)
}

/// An operator at the desk who is no officer.
pub fn no_officer(words: &'static Words, form_token: String, console: &Console) -> HttpResponse {
    let (page, form_token) = ("desk-without-role", Some(form_token));
    let page = Noticed { words, page, notice: words.no_officer, form_token, to_start: true };
    shown(StatusCode::FORBIDDEN, &page, words, console)
}

pub fn refused(words: &'static Words, console: &Console) -> HttpResponse {
    notice(StatusCode::OK, "console-refused", words.refused, words, console)
}

pub fn untrusted(words: &'static Words, console: &Console) -> HttpResponse {
    notice(StatusCode::BAD_REQUEST, "console-untrusted", words.untrusted, words, console)
}

pub fn not_found(words: &'static Words, console: &Console) -> HttpResponse {
    notice(StatusCode::NOT_FOUND, "console-not-found", words.not_found, words, console)
}

/// Something of ours, or the provider, is failing.
pub fn away(words: &'static Words, console: &Console) -> HttpResponse {
    let mut answer = notice(StatusCode::SERVICE_UNAVAILABLE, "console-away", words.away, words, console);
    answer.headers_mut().insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("30"));
    answer
}

fn notice(
    status: StatusCode,
    page: &'static str,
    notice: Notice,
    words: &'static Words,
    console: &Console,
) -> HttpResponse {
    shown(status, &Noticed { words, page, notice, form_token: None, to_start: true }, words, console)
}

pub(super) fn shown(status: StatusCode, page: &impl Template, words: &Words, console: &Console) -> HttpResponse {
    match page.render() {
        Ok(html) => {
            // A form's answer may redirect to the provider's sign-out.
            let kind = Answer::Page { leads_to: Some(&console.idp.config.issuer) };
            answer(status, kind, console)
                .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
                .insert_header((CONTENT_LANGUAGE, words.language))
                .body(html)
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            answer(StatusCode::INTERNAL_SERVER_ERROR, Answer::Bare, console).finish()
        }
    }
}

/// An answer with the headers every answer has.
pub fn answer(status: StatusCode, kind: Answer<'_>, console: &Console) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    for header in headers::of(kind, console.is_https()) {
        answer.insert_header(header);
    }
    answer
}

/// The one style sheet. It is small and changes with the program, so it is simply asked for again.
pub async fn style(console: web::Data<Console>) -> HttpResponse {
    answer(StatusCode::OK, Answer::Bare, &console)
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .body(include_str!("pages/console.css"))
}
