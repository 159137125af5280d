//! The console's handlers: who is there, what they may see, in and out.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::{Fault, Id, Moment};
use idp::flow;
use idp::flow::operator::{self, Visitor};
use idp::web::headers::Answer;
use serde::Deserialize;

use super::Console;
use super::page::{self, ClientRow, InvitationRow, Overview};
use super::provider::{Begun, Failure, Response};
use super::session::{self, Visit};
use super::words::{self, Words};

/// How many accounts one page lists.
const PAGE: usize = 50;

pub(super) const SIGN_OUT: &str = "console/sign-out";

#[derive(Deserialize)]
pub struct Looking {
    lang: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
pub struct Speaking {
    to: String,
    #[serde(default)]
    back: String,
}

#[derive(Deserialize)]
pub struct SignOut {
    form_token: String,
}

/// `/`: the lists for an operator, the way in for a stranger.
pub async fn overview(request: HttpRequest, looking: web::Query<Looking>, console: web::Data<Console>) -> HttpResponse {
    let looking = looking.into_inner();
    if let Some(language) = looking.lang.as_deref().and_then(offered) {
        return with(away_to("/", &console), session::language_cookie(language));
    }
    to_operator(&request, &console, async |setting| lists(looking.after, setting, &console).await).await
}

/// `/language`: another language, and back to the same page of ours.
pub async fn language(speaking: web::Query<Speaking>, console: web::Data<Console>) -> HttpResponse {
    // A path of one segment after another is ours; `//host` and `/\\host` are not.
    let ours = speaking.back.starts_with('/')
        && !speaking.back.starts_with("//")
        && speaking.back.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~'));
    let answer = away_to(if ours { &speaking.back } else { "/" }, &console);
    match offered(&speaking.to) {
        Some(language) => with(answer, session::language_cookie(language)),
        None => answer,
    }
}

/// What every page of an operator is drawn with.
pub(super) struct Setting {
    pub words: &'static Words,
    pub form_token: String,
    pub is_officer: bool,
    pub now: Moment,
}

/// The one door to what operators see: a stranger gets the way in, whoever has no role is told so.
pub(super) async fn to_operator(
    request: &HttpRequest,
    console: &Console,
    drawn: impl AsyncFnOnce(Setting) -> Result<HttpResponse, Fault>,
) -> HttpResponse {
    let (words, now) = (words_for(request), console.idp.clock.now());
    let Some(visit) = Visit::find(request, now, &console.idp) else { return page::entry(words, console) };
    let answer = async {
        let form_token = operator::form_token(&visit.sid, SIGN_OUT, &console.idp);
        Ok(match operator::recognise(&visit.sub, &visit.sid, &console.idp).await? {
            Visitor::Gone => with(page::entry(words, console), Visit::dropped()),
            // The lists are operators'; an officer has the desk.
            Visitor::Officer(_) => away_to("/desk", console),
            Visitor::WithoutRole => page::without_role(words, form_token, console),
            Visitor::Operator(account) => {
                let is_officer = operator::is_officer(&account, &console.idp);
                let setting = Setting { words, form_token, is_officer, now };
                with(drawn(setting).await?, visit.seen(now).cookie(&console.idp)?)
            }
        })
    };
    answer.await.unwrap_or_else(|fault| failed(&fault, words, console))
}

async fn lists(
    after: Option<String>,
    Setting { words, form_token, is_officer, now }: Setting,
    console: &Console,
) -> Result<HttpResponse, Fault> {
    let idp = &*console.idp;
    let clients = flow::client::list(idp).await?;
    let invitations = flow::invitation::list(idp).await?;
    let after = after.map(Id::new);
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let accounts = flow::account::list(after.as_ref(), limit, idp).await?;
    let overview = Overview {
        words,
        form_token,
        is_officer,
        clients: clients.iter().map(|client| ClientRow::new(client, words.language)).collect(),
        // The newest first: an operator looks for the one just given.
        invitations: invitations.iter().rev().map(|one| InvitationRow::new(one, words.language, now)).collect(),
        more: accounts.get(PAGE.saturating_sub(1)).map(|last| last.id.to_string()),
        accounts,
    };
    Ok(page::overview(&overview, console))
}

/// Off to the provider.
pub async fn sign_in(request: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    let words = words_for(&request);
    let begun = console.provider.begin(words.language, console.idp.clock.now()).await;
    match begun {
        Ok((url, begun)) => match begun.cookie(&console.idp) {
            Ok(cookie) => with(away_to(url.as_str(), &console), cookie),
            Err(fault) => failed(&fault, words, &console),
        },
        Err(failure) => stopped(&failure, words, &console),
    }
}

/// Back from the provider.
pub async fn callback(
    request: HttpRequest,
    response: web::Query<Response>,
    console: web::Data<Console>,
) -> HttpResponse {
    let words = words_for(&request);
    let now = console.idp.clock.now();
    let finished = match Begun::find(&request, &console.idp) {
        Some(begun) => console.provider.finish(begun, response.into_inner(), now).await,
        None => Err(Failure::Untrusted("no sign-in was begun in this browser")),
    };
    let answer = match finished.map(|signed_in| Visit::new(signed_in, now).cookie(&console.idp)) {
        Ok(Ok(cookie)) => with(away_to("/", &console), cookie),
        Ok(Err(fault)) => failed(&fault, words, &console),
        Err(failure) => stopped(&failure, words, &console),
    };
    with(answer, Begun::dropped())
}

/// Out of the console and of the provider's session with it.
pub async fn sign_out(request: HttpRequest, form: web::Form<SignOut>, console: web::Data<Console>) -> HttpResponse {
    let words = words_for(&request);
    let now = console.idp.clock.now();
    let Some(visit) = Visit::find(&request, now, &console.idp) else { return away_to("/", &console) };
    if !operator::form_fits(&form.form_token, &visit.sid, SIGN_OUT, &console.idp) {
        return page::untrusted(words, &console);
    }
    let back = format!("{}/", console.public_url);
    let target = match console.provider.end_session(&visit.id_token, &back, now).await {
        Ok(Some(url)) => url.to_string(),
        Ok(None) => back,
        Err(failure) => {
            return with(stopped(&failure, words, &console), Visit::dropped());
        }
    };
    with(away_to(&target, &console), Visit::dropped())
}

pub async fn not_found(request: HttpRequest, console: web::Data<Console>) -> HttpResponse {
    page::not_found(words_for(&request), &console)
}

pub(super) fn words_for(request: &HttpRequest) -> &'static Words {
    let accepted = request.headers().get("accept-language").and_then(|value| value.to_str().ok());
    Words::of(words::language(session::chosen_language(request).as_deref(), accepted))
}

fn offered(language: &str) -> Option<&'static str> {
    ["vi", "en"].into_iter().find(|offered| *offered == language)
}

// RFC 9700 §4.12: 303 never repeats a posted form at the next address.
fn away_to(address: &str, console: &Console) -> HttpResponse {
    page::answer(StatusCode::SEE_OTHER, Answer::Bare, console).insert_header((LOCATION, address)).finish()
}

pub(super) fn with(mut answer: HttpResponse, cookie: Cookie<'static>) -> HttpResponse {
    if let Err(error) = answer.add_cookie(&cookie) {
        tracing::error!(%error, "a cookie could not be written");
    }
    answer
}

fn stopped(failure: &Failure, words: &'static Words, console: &Console) -> HttpResponse {
    match failure {
        Failure::Refused => page::refused(words, console),
        Failure::Untrusted(what) => {
            tracing::warn!(what, "a sign-in at the console was not believed");
            page::untrusted(words, console)
        }
        Failure::Provider(detail) => {
            tracing::warn!(%detail, "the provider could not be used");
            page::away(words, console)
        }
    }
}

pub(super) fn failed(fault: &Fault, words: &'static Words, console: &Console) -> HttpResponse {
    tracing::error!(%fault, "the console failed");
    page::away(words, console)
}
