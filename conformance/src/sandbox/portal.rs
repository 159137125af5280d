//! Portal: a public-service portal as a relying party runs it. What it knows of a citizen came through the provider.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use admin::web::patience::bounded;
use idp::clock::Clock;

use super::account;
use super::legacy::OldAccounts;
use super::outcome::Told;
use super::page::{self, Choice, Reply, choice, host_cookie, query, see_other};
use super::site::{Errand, Site};
use super::view::{Home, Note};
use super::visit::Visits;
use crate::rp::{Answer, Ask, Failure, RelyingParty, SignedIn};

pub struct Portal {
    pub site: &'static Site,
    /// Our origin, as registered in the redirect URI.
    pub origin: String,
    pub issuer: String,
    pub relying_party: RelyingParty,
    pub visits: Visits,
    pub clock: Arc<dyn Clock>,
    /// Accounts it issued itself, before sign-in by VNeID.
    pub old: OldAccounts,
}

/// Every route on one screen.
fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(home))
        .route("/dossier", web::get().to(dossier))
        .route("/pay", web::get().to(pay))
        .route("/account", web::get().to(account::show))
        .route("/account/link", web::post().to(account::link))
        .route("/account/update", web::post().to(account::update))
        .route("/sign-in", web::get().to(sign_in))
        .route("/callback", web::get().to(callback))
        .route("/sign-out", web::post().to(sign_out))
        .route("/signed-out", web::get().to(signed_out))
        .route("/backchannel-logout", web::post().to(backchannel_logout))
        .route("/apply", web::post().to(apply))
        .route("/policy", web::get().to(policy))
        .route("/terms", web::get().to(terms))
        .route("/portrait.svg", web::get().to(portrait))
        .route("/logo.svg", web::get().to(logo))
        .route("/style.css", web::get().to(page::style))
        .default_service(web::to(lost));
}

/// Serves the portal on this machine only, until it is stopped.
pub fn serve(portal: Portal, port: u16) -> std::io::Result<Server> {
    let portal = web::Data::new(portal);
    let app = move || App::new().app_data(portal.clone()).wrap(from_fn(bounded)).configure(routes);
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .client_request_timeout(Duration::from_secs(5))
        .shutdown_timeout(2)
        .bind(("127.0.0.1", port))?;
    Ok(server.run())
}

type Shared = web::Data<Portal>;

impl Portal {
    pub(super) fn key(&self, request: &HttpRequest) -> Option<String> {
        request.cookie(self.site.cookie).map(|cookie| cookie.value().to_owned())
    }

    pub(super) fn choice(&self, request: &HttpRequest) -> Choice {
        choice(request, self.site.language_cookie)
    }

    pub(super) fn reply(&self, status: StatusCode) -> Reply<'_> {
        Reply { status, form_target: &self.issuer }
    }

    /// The page of an errand, filled for whoever signed in, or the invitation to sign in.
    fn show(&self, request: &HttpRequest, errand: &'static Errand) -> HttpResponse {
        let choice = self.choice(request);
        let home = self
            .key(request)
            .and_then(|key| {
                self.visits.with(&key, self.clock.now(), |visit| Home::of(self, visit, errand, choice.language))
            })
            .unwrap_or_else(|| Home::stranger(self, errand, choice.language));
        self.reply(StatusCode::OK).page(&home, choice, self.site.language_cookie)
    }

    fn note(
        &self,
        request: &HttpRequest,
        status: StatusCode,
        note: impl FnOnce(&Portal, page::Language) -> Note,
    ) -> HttpResponse {
        let choice = self.choice(request);
        self.reply(status).page(&note(self, choice.language), choice, self.site.language_cookie)
    }

    fn ask(&self, errand: &Errand, language: page::Language) -> Ask {
        let mut parameters = Vec::new();
        if let Some(service) = errand.service {
            parameters.push(("service".to_owned(), service.to_owned()));
        }
        if let Some(fee) = &errand.fee {
            parameters.push(("authorization_details".to_owned(), fee.details().to_string()));
        }
        Ask {
            scopes: errand.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            acr: Some(errand.acr.to_owned()),
            language: language.code().to_owned(),
            parameters,
        }
    }

    /// Only `localhost` is registered; someone who typed 127.0.0.1 would lose the cookie on the way back.
    fn elsewhere(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let host = request.connection_info().host().to_owned();
        let own = self.origin.strip_prefix("http://").is_some_and(|own| own == host);
        (!own).then(|| see_other(&format!("{}{}", self.origin, request.uri())))
    }
}

async fn home(portal: Shared, request: HttpRequest) -> HttpResponse {
    match portal.site.errands {
        [first, ..] => portal.show(&request, first),
        [] => lost(portal, request).await,
    }
}

async fn dossier(portal: Shared, request: HttpRequest) -> HttpResponse {
    let Some(errand) = portal.site.errand("dossier") else { return lost(portal, request).await };
    let ready = portal
        .key(&request)
        .and_then(|key| {
            portal.visits.with(&key, portal.clock.now(), |visit| {
                visit.signed_in.is_some() && visit.errand.is_some_and(|last| last.name == errand.name)
            })
        })
        .unwrap_or(false);
    if ready { portal.show(&request, errand) } else { begin(&portal, &request, errand).await }
}

/// A payment is asked for anew every time: nothing of an earlier sign-in does for it.
async fn pay(portal: Shared, request: HttpRequest) -> HttpResponse {
    match portal.site.errand("pay") {
        Some(errand) => begin(&portal, &request, errand).await,
        None => lost(portal, request).await,
    }
}

async fn sign_in(portal: Shared, request: HttpRequest) -> HttpResponse {
    let named = query(&request, "errand").and_then(|name| portal.site.errand(&name));
    match named.or(portal.site.errands.first()) {
        Some(errand) => begin(&portal, &request, errand).await,
        None => lost(portal, request).await,
    }
}

async fn begin(portal: &Portal, request: &HttpRequest, errand: &'static Errand) -> HttpResponse {
    if let Some(elsewhere) = portal.elsewhere(request) {
        return elsewhere;
    }
    let now = portal.clock.now();
    let standing = portal.key(request).filter(|key| portal.visits.with(key, now, |_| ()).is_some());
    let key = standing.unwrap_or_else(|| portal.visits.open(now));
    let language = portal.choice(request).language;
    let location = match portal.relying_party.begin(&portal.ask(errand, language)).await {
        Ok(begun) => {
            let url = begun.url.clone();
            portal.visits.with(&key, now, |visit| visit.begin(begun, errand));
            url
        }
        Err(failure) => {
            portal.visits.with(&key, now, |visit| visit.outcome = Some(failure));
            "/".to_owned()
        }
    };
    let mut response = see_other(&location);
    set_cookie(&mut response, portal, key);
    response
}

fn set_cookie(response: &mut HttpResponse, portal: &Portal, key: String) {
    // Adding fails only for a value no header can carry; ours is base64url.
    let _added = response.add_cookie(&host_cookie(portal.site.cookie, key));
}

async fn callback(portal: Shared, request: HttpRequest) -> HttpResponse {
    let now = portal.clock.now();
    // RFC 6749 §10.12: the answer counts only in the browser that asked, and once.
    let taken = query(&request, "state").zip(portal.key(&request)).and_then(|(state, key)| {
        let taken = portal.visits.with(&key, now, |visit| visit.take(&state)).flatten()?;
        Some((key, taken))
    });
    let Some((key, (begun, errand))) = taken else {
        return portal.note(&request, StatusCode::BAD_REQUEST, |portal, language| {
            Note::failed(portal, language, &Told::of(&Failure::Untrusted("state"), language))
        });
    };
    let answer = Answer {
        code: query(&request, "code"),
        iss: query(&request, "iss"),
        error: query(&request, "error"),
        error_description: query(&request, "error_description"),
    };
    let finished = portal.relying_party.finish(begun, &answer).await.and_then(|signed_in| enough(errand, signed_in));
    let (key, location) = match finished {
        Ok(signed_in) => {
            let Some(key) = portal.visits.rekey(&key) else { return see_other("/") };
            portal.visits.with(&key, now, |visit| {
                visit.signed_in = Some(signed_in);
                visit.errand = Some(errand);
                visit.outcome = None;
            });
            (key, errand.path)
        }
        Err(failure) => {
            portal.visits.with(&key, now, |visit| visit.outcome = Some(failure));
            (key, "/")
        }
    };
    let mut response = see_other(location);
    set_cookie(&mut response, &portal, key);
    response
}

/// The portal's own check: what it asked for is not what it got until the ID token says so.
fn enough(errand: &Errand, signed_in: SignedIn) -> Result<SignedIn, Failure> {
    let acr = signed_in.id_claims.get("acr").and_then(serde_json::Value::as_str);
    if errand.is_met_by(acr) { Ok(signed_in) } else { Err(Failure::Untrusted("acr")) }
}

pub(super) type Posted = web::Form<HashMap<String, String>>;

/// Whether a form came from a page of this very visit.
fn genuine(portal: &Portal, key: &str, posted: &Posted) -> bool {
    let token = portal.visits.with(key, portal.clock.now(), |visit| visit.form_token.clone());
    token.is_some() && token.as_ref() == posted.get("form_token")
}

async fn sign_out(portal: Shared, request: HttpRequest, posted: Posted) -> HttpResponse {
    let Some(key) = portal.key(&request).filter(|key| genuine(&portal, key, &posted)) else { return see_other("/") };
    // Ours ends first: whatever happens at the provider, this portal has let go.
    let signed_in = portal.visits.close(&key).and_then(|visit| visit.signed_in);
    let back = format!("{}/signed-out", portal.origin);
    let location = match signed_in {
        Some(signed_in) => portal.relying_party.end_session(&signed_in.id_token, &back).await.ok().flatten(),
        None => None,
    };
    let mut response = see_other(location.as_ref().map_or(back.as_str(), |url| url.as_str()));
    let mut gone = host_cookie(portal.site.cookie, String::new());
    gone.make_removal();
    let _added = response.add_cookie(&gone);
    response
}

async fn signed_out(portal: Shared, request: HttpRequest) -> HttpResponse {
    portal.note(&request, StatusCode::OK, Note::signed_out)
}

/// Back-Channel Logout §2.7, §2.8: the provider says that a session ended; no browser is involved.
async fn backchannel_logout(portal: Shared, posted: Posted) -> HttpResponse {
    let token = posted.get("logout_token").map(String::as_str).unwrap_or_default();
    let (mut answer, body) = match portal.relying_party.ended(token, portal.clock.now()).await {
        Ok(ended) => {
            portal.visits.end(&ended);
            (HttpResponse::Ok(), serde_json::json!({}))
        }
        Err(Failure::Provider(_)) => (HttpResponse::ServiceUnavailable(), serde_json::json!({})),
        Err(_) => (HttpResponse::BadRequest(), serde_json::json!({"error": "invalid_request"})),
    };
    page::guarded(&mut answer).json(body)
}

async fn apply(portal: Shared, request: HttpRequest, posted: Posted) -> HttpResponse {
    match portal.key(&request).filter(|key| genuine(&portal, key, &posted)) {
        Some(_) => portal.note(&request, StatusCode::OK, Note::applied),
        None => see_other("/"),
    }
}

async fn policy(portal: Shared, request: HttpRequest) -> HttpResponse {
    portal.note(&request, StatusCode::OK, Note::policy)
}

async fn terms(portal: Shared, request: HttpRequest) -> HttpResponse {
    portal.note(&request, StatusCode::OK, Note::terms)
}

/// A drawn silhouette: the seeded holders have no faces.
async fn portrait() -> HttpResponse {
    page::guarded(&mut HttpResponse::Ok()).content_type("image/svg+xml").body(include_str!("pages/portrait.svg"))
}

async fn logo(portal: Shared) -> HttpResponse {
    page::guarded(&mut HttpResponse::Ok()).content_type("image/svg+xml").body(portal.site.logo)
}

async fn lost(portal: Shared, request: HttpRequest) -> HttpResponse {
    portal.note(&request, StatusCode::NOT_FOUND, Note::lost)
}

#[cfg(test)]
#[path = "portal_tests.rs"]
mod tests;
