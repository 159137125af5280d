//! The officer's desk as pages: forms without JavaScript, each with a token of the sign-in and a key of its own, so that
//! a form sent twice is one act.
//!
//! Owns: reading forms, whom a page is shown to, where an act leads. Must not know: rules, SQL; acts are
//! `idp::flow::officer`'s. A person number arrives by POST and leaves masked; no address holds one.

mod authority;
mod enrol;
mod home;
mod hotline;
mod pages;
mod person;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use idp::domain::{Fault, Moment};
use idp::flow::officer::{Ended, Filed, Key, Officer, Refusal};
use idp::flow::operator::{self, Visitor};
use idp::web::headers::Answer;
use serde::Deserialize;

use super::Console;
use super::door::{failed, with, words_for};
use super::page;
use super::session::Visit;
use super::words::Words;
use super::words::desk::Desk;

const FORM: &str = "console/desk";

/// `security.md` N-26: no form of the desk is longer.
pub const LONGEST_BODY: usize = 64 * 1024;

pub fn routes(service: &mut web::ServiceConfig) {
    service
        .route("/desk", web::get().to(home::show))
        .route("/desk/find", web::post().to(person::find))
        .route("/desk/people/{account}", web::get().to(person::show))
        .route("/desk/people/{account}/lock", web::post().to(person::turn))
        .route("/desk/people/{account}/requests", web::post().to(authority::receive))
        .route("/desk/people/{account}/level-two", web::get().to(enrol::ask))
        .route("/desk/people/{account}/level-two", web::post().to(enrol::receive))
        .route("/desk/people/{account}/activation", web::get().to(hotline::ask))
        .route("/desk/people/{account}/activation", web::post().to(hotline::activate))
        .route("/desk/applications", web::post().to(enrol::receive_new))
        .route("/desk/applications/{id}", web::get().to(enrol::show))
        .route("/desk/applications/{id}/decide", web::post().to(enrol::decide))
        .route("/desk/requests/{id}", web::get().to(authority::show))
        .route("/desk/requests/{id}/forward", web::post().to(authority::forward))
        .route("/desk/requests/{id}/decide", web::post().to(authority::decide));
}

/// What every page of the desk is drawn with.
pub(super) struct Setting<'a> {
    pub words: &'static Words,
    pub desk: Desk,
    pub officer: Officer,
    pub is_operator: bool,
    pub sign_out: String,
    pub form_token: String,
    /// For the one form that is sent; a page with several shares it, since only one of them can be sent from it.
    pub key: String,
    pub now: Moment,
    pub console: &'a Console,
}

/// What the address of a page of the desk says besides where it is.
#[derive(Deserialize)]
pub(super) struct Looking {
    done: Option<String>,
}

impl Looking {
    pub fn done(&self) -> Option<pages::Done> {
        self.done.as_deref().and_then(pages::Done::parse)
    }
}

/// The one door to the desk: a stranger gets the way in, whoever is no officer is told so.
pub(super) async fn to_officer<'a>(
    request: &HttpRequest,
    console: &'a Console,
    drawn: impl AsyncFnOnce(Setting<'a>) -> Result<HttpResponse, Fault>,
) -> HttpResponse {
    let (words, now, idp) = (words_for(request), console.idp.clock.now(), &console.idp);
    let Some(visit) = Visit::find(request, now, idp) else { return page::entry(words, console) };
    let answer = async {
        let visitor = operator::recognise(&visit.sub, &visit.sid, idp).await?;
        if visitor == Visitor::Gone {
            return Ok(with(page::entry(words, console), Visit::dropped()));
        }
        let sign_out = operator::form_token(&visit.sid, super::door::SIGN_OUT, idp);
        let Some(officer) = Officer::of(&visitor, idp) else {
            return Ok(match visitor {
                // Whoever may see the lists is told what is missing here, not that nothing is theirs.
                Visitor::Operator(_) => page::no_officer(words, sign_out, console),
                _ => page::without_role(words, sign_out, console),
            });
        };
        let setting = Setting {
            words,
            desk: Desk::of_language(words.language),
            officer,
            is_operator: matches!(visitor, Visitor::Operator(_)),
            sign_out,
            form_token: operator::form_token(&visit.sid, FORM, idp),
            key: Key::fresh(idp)?.as_str().to_owned(),
            now,
            console,
        };
        Ok(with(drawn(setting).await?, visit.seen(now).cookie(idp)?))
    };
    answer.await.unwrap_or_else(|fault: Fault| failed(&fault, words, console))
}

/// As `to_officer`, for a form: only one of ours, from this sign-in.
pub(super) async fn from_officer<'a>(
    request: &HttpRequest,
    form: &Sent,
    console: &'a Console,
    done: impl AsyncFnOnce(Setting<'a>) -> Result<HttpResponse, Fault>,
) -> HttpResponse {
    to_officer(request, console, async |setting: Setting<'a>| {
        if !idp::flow::operator::form_fits(form.text("form_token"), &visit_sid(request, console), FORM, &console.idp) {
            return Ok(page::untrusted(setting.words, console));
        }
        done(setting).await
    })
    .await
}

/// A look at one thing: the page that shows it, or why there is none.
pub(super) async fn look<'a, T>(
    request: &HttpRequest,
    console: &'a Console,
    found: impl AsyncFnOnce(&Officer) -> Ended<T>,
    drawn: impl FnOnce(&Setting<'a>, T) -> HttpResponse,
) -> HttpResponse {
    to_officer(request, console, async |setting: Setting<'a>| {
        Ok(match found(&setting.officer).await? {
            Ok(found) => drawn(&setting, found),
            Err(refusal) => setting.refused(refusal, "/desk"),
        })
    })
    .await
}

/// A form's act, once by its key: the address it leads to, or why it was not done. `asked` is `None` where the form does not
/// say what it must.
pub(super) async fn act<'a, W>(
    (request, form): (&HttpRequest, &Sent),
    console: &'a Console,
    back: &str,
    asked: Option<W>,
    done: impl AsyncFnOnce(W, Filed) -> Ended<String>,
) -> HttpResponse {
    from_officer(request, form, console, async |setting: Setting<'a>| {
        let (Some(asked), Some(filed)) = (asked, setting.filed(form)) else {
            return Ok(setting.refused(Refusal::Malformed, back));
        };
        Ok(setting.ended(done(asked, filed).await?, back))
    })
    .await
}

fn visit_sid(request: &HttpRequest, console: &Console) -> String {
    Visit::find(request, console.idp.clock.now(), &console.idp).map(|visit| visit.sid).unwrap_or_default()
}

/// A form as it was sent. A field sent twice counts for nothing, except where a list is meant.
pub(super) struct Sent(Vec<(String, String)>);

impl Sent {
    pub fn text(&self, name: &str) -> &str {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => value.trim(),
            _ => "",
        }
    }

    pub fn ticked(&self, name: &str) -> bool {
        self.text(name) == "yes"
    }
}

impl actix_web::FromRequest for Sent {
    type Error = actix_web::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut actix_web::dev::Payload) -> Self::Future {
        let form = web::Form::<Vec<(String, String)>>::from_request(request, payload);
        Box::pin(async move { Ok(Sent(form.await?.into_inner())) })
    }
}

impl Setting<'_> {
    /// The act of a form; `None` without a usable key.
    pub fn filed(&self, form: &Sent) -> Option<Filed> {
        Some(Filed { officer: self.officer.clone(), key: Key::parse(form.text("key"))? })
    }

    /// RFC 9700 §4.12: a posted form ends in a page of its own address.
    pub fn away_to(&self, address: &str) -> HttpResponse {
        page::answer(StatusCode::SEE_OTHER, Answer::Bare, self.console).insert_header((LOCATION, address)).finish()
    }

    /// Where an act leads, or why it was not done.
    pub fn ended(&self, ended: Result<String, Refusal>, back: &str) -> HttpResponse {
        match ended {
            Ok(address) => self.away_to(&address),
            Err(refusal) => self.refused(refusal, back),
        }
    }

    pub fn refused(&self, refusal: Refusal, back: &str) -> HttpResponse {
        pages::refused(self, refusal, back)
    }
}

/// The status a refusal comes with, on pages and in the REST interface.
pub fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::Malformed | Refusal::NotChecked => StatusCode::BAD_REQUEST,
        Refusal::OfficerGone | Refusal::SameEyes => StatusCode::FORBIDDEN,
        Refusal::NoAccount | Refusal::NoRequest => StatusCode::NOT_FOUND,
        Refusal::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Death
        | Refusal::AlreadyForwarded
        | Refusal::NotForwarded
        | Refusal::AlreadyDecided
        | Refusal::AlreadyOpen
        | Refusal::AlreadyLevelTwo
        | Refusal::AlreadyRegistered
        | Refusal::LevelOneOnline
        | Refusal::UnderAge
        | Refusal::UnderSix
        | Refusal::GuardianUnfit
        | Refusal::CardMissing
        | Refusal::NotWaiting => StatusCode::CONFLICT,
    }
}
